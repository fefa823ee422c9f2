"""How a kernel knows for whom it works: the access token of its agent, in a file that its server keeps fresh."""

from __future__ import annotations

import os
from pathlib import Path

from workbench.errors import WorkbenchError

__all__ = ["TOKEN_FILE", "kernel_token", "write_token"]

TOKEN_FILE = "WORKBENCH_TOKEN_FILE"  # noqa: S105 - the name of a variable


def write_token(path: Path, token: str) -> None:
    """Write a token for its owner alone; a reader sees the old one or the new one, whole."""
    partial = path.with_name(f"{path.name}.partial")
    with os.fdopen(os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
        file.write(token)
    partial.rename(path)


def kernel_token() -> str:
    """Return the access token of the person this kernel works for; read it again for each request.

    Raises
    ------
    WorkbenchError
        ``jeton_absent``: nobody logged in, or the session ended.
    """
    try:
        token = Path(os.environ[TOKEN_FILE]).read_text(encoding="utf-8")
    except (KeyError, OSError) as error:
        raise WorkbenchError("jeton_absent") from error
    if not token:
        raise WorkbenchError("jeton_absent")
    return token
