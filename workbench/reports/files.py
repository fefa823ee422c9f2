"""Files that are written whole or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["replacing"]


@contextmanager
def replacing(to: Path) -> Iterator[Path]:
    """Give a name to write under, which takes the place of ``to`` when the block ends well.

    Both are in one folder, made if needed, so that the change of name is atomic; when the block
    fails, what it wrote is removed and an older ``to`` stays.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "rapport.txt"
    >>> with replacing(target) as partial:
    ...     written = partial.write_text("entier", encoding="utf-8")
    >>> target.read_text(encoding="utf-8")
    'entier'
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    partial = to.with_name(f".{to.stem}.{secrets.token_hex(4)}.partiel{to.suffix}")
    try:
        yield partial
        partial.replace(to)
    finally:
        partial.unlink(missing_ok=True)
