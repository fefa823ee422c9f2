"""Where compiled loops are kept from one process to the next.

Beside their source when this account may write there, as in a development environment. An installed product belongs to
root and its services may not change it: they keep theirs in their own cache, one of the few folders that their kernels
may write in. Where neither can be written, loops are compiled by each process that needs them: slower, not broken.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

__all__ = ["keep_loops"]


def keep_loops(compiler: Any, beside: Path | None = None) -> bool:
    """Choose the folder where a compiler keeps loops, and say whether there is one.

    Parameters
    ----------
    compiler
        Numba's settings: ``CACHE_DIR`` is read, and set when loops cannot be kept beside their source.
    beside
        The folder of the source; that of this module by default.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> keep_loops(SimpleNamespace(CACHE_DIR="/proc/nowhere"))
    False
    """
    if compiler.CACHE_DIR:
        return _takes_files(Path(compiler.CACHE_DIR))
    if _takes_files((beside or Path(__file__).parent) / "__pycache__"):
        return True
    own = user_cache_path("workbench") / "boucles"
    if not _takes_files(own):
        return False
    compiler.CACHE_DIR = str(own)
    return True


def _takes_files(folder: Path) -> bool:
    """Say whether a file can be made in a folder: rights alone do not tell of a kernel that is confined."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True
