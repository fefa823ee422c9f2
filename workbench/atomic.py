"""Files that are the old one or the new one, never half of each."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["replacing"]


@contextmanager
def replacing(to: Path) -> Iterator[Path]:
    """Give a name to write under, which takes the place of ``to`` when the block ends well.

    Both are in one folder, made if needed, so that the change of name is atomic. A symbolic link
    stays one, and an existing file keeps its rights. When the block fails, what it wrote is removed
    and an older ``to`` stays.

    Parameters
    ----------
    to
        The file to replace or to make.

    Raises
    ------
    OSError
        When the folder or the file refuses.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "rapport.txt"
    >>> with replacing(target) as partial:
    ...     written = partial.write_text("entier", encoding="utf-8")
    >>> target.read_text(encoding="utf-8")
    'entier'
    """
    target = to.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.stem[:40]}.{secrets.token_hex(4)}.partiel{target.suffix}")
    try:
        yield partial
        with partial.open("rb") as file:
            # Without it a power cut could leave the new name on an empty file.
            os.fsync(file.fileno())
        if target.exists():
            partial.chmod(target.stat().st_mode & 0o777)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
