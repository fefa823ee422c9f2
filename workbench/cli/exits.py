"""Exit codes of the command line, for scripts."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """What a command tells the shell.

    Examples
    --------
    >>> int(ExitCode.REFUSED)
    3
    """

    OK = 0
    UNEXPECTED = 1
    """A defect of ours; the log has the details."""
    USAGE = 2
    """The command was not understood."""
    REFUSED = 3
    """The input was understood and refused: the message says where and what to do."""
    EMPTY = 4
    """Nothing to compute: the perimeter has no figures."""
    FINDINGS = 5
    """The command did its work and found something wrong in what it examined."""
    INTERRUPTED = 130
