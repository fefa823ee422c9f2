"""Where a kernel may write: Linux's Landlock, which asks for no right and no installation.

A process gives up writing outside some folders, for itself and all that it starts, and cannot take it back. Reading,
the network and memory are not touched. A kernel before 5.13 or built without Landlock refuses: then nothing is
confined, and whoever asked is told so.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable

__all__ = ["confine", "is_confinable"]

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on every architecture
_VERSION = 1
_PATH_BENEATH = 1
_NO_NEW_PRIVILEGES = 38

# Rights on files, in the order of their bits: those that change something.
_WRITE_FILE, _REMOVE_DIR, _REMOVE_FILE = 1 << 1, 1 << 4, 1 << 5
_MAKE = sum(1 << bit for bit in range(6, 13))
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_FIRST = _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE

_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/shm", "/proc/self")  # noqa: S108


def _call(*arguments: object) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    result = int(library.syscall(*arguments))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _version() -> int:
    if sys.platform != "linux":
        return 0
    try:
        return _call(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION))
    except OSError:
        return 0


def is_confinable() -> bool:
    """Whether this system can keep a kernel from writing elsewhere."""
    return _version() > 0


def confine(folders: Iterable[str]) -> bool:
    """Give up writing outside some folders, for ever, in this thread and those it starts.

    Parameters
    ----------
    folders
        Where writing stays allowed; one that does not exist is left out.

    Returns
    -------
    bool
        False when this system cannot: nothing has changed.
    """
    version = _version()
    if not version:
        return False
    handled = _FIRST | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    attributes = ctypes.create_string_buffer(struct.pack("Q", handled))
    ruleset = _call(_CREATE, attributes, ctypes.c_size_t(8), ctypes.c_uint(0))
    try:
        for folder in (*folders, *_DEVICES):
            try:
                opened = os.open(folder, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                of_file = handled & (_WRITE_FILE | _TRUNCATE)
                rights = handled if os.path.isdir(folder) else of_file  # noqa: PTH112
                rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, opened))
                _call(_ADD, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint(0))
            finally:
                os.close(opened)
        ctypes.CDLL(None, use_errno=True).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        _call(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint(0))
    finally:
        os.close(ruleset)
    return True
