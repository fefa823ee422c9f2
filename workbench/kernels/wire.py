"""Messages between a zygote, its kernels and those who ask for kernels: JSON, with open files beside.

A message is four bytes of length, then JSON. The files it carries travel with its first byte; ``files`` in the
message says how many there are.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from collections import deque
from typing import Any

__all__ = ["Reader", "send"]

MOST_BYTES = 8 << 20
MOST_FILES = 8

_LENGTH = struct.Struct("!I")


def send(wire: socket.socket, message: dict[str, Any], files: tuple[int, ...] = ()) -> None:
    """Send a message and, with it, open files.

    Raises
    ------
    OSError
        When the other side is gone.
    """
    body = json.dumps({**message, "files": len(files)}).encode()
    data = _LENGTH.pack(len(body)) + body
    sent = socket.send_fds(wire, [data], files, socket.MSG_NOSIGNAL) if files else 0
    wire.sendall(data[sent:])


class Reader:
    """Reads messages from a wire, whole ones only.

    Parameters
    ----------
    wire
        A connected Unix socket, blocking or not.
    """

    def __init__(self, wire: socket.socket) -> None:
        self.wire = wire
        self.ended = False
        self._bytes = b""
        self._files: deque[int] = deque()

    def read(self) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Receive once and return the messages that are complete, each with its files; sets ``ended`` at the end.

        Raises
        ------
        ValueError
            When what comes is not a message.
        BlockingIOError
            When nothing has come on a wire that does not wait.
        """
        try:
            data, files, _, _ = socket.recv_fds(self.wire, 1 << 16, MOST_FILES, socket.MSG_CMSG_CLOEXEC)
        except ConnectionError:
            data, files = b"", []
        self._files.extend(files)
        self.ended = not data
        self._bytes += data
        found = []
        while len(self._bytes) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._bytes)
            if length > MOST_BYTES:
                raise ValueError(length)
            end = _LENGTH.size + length
            if len(self._bytes) < end:
                break
            message = json.loads(self._bytes[_LENGTH.size : end])
            self._bytes = self._bytes[end:]
            if not isinstance(message, dict) or not isinstance(count := message.pop("files", None), int):
                raise ValueError(message)  # noqa: TRY004 - what came is wrong, not its reader
            if count > len(self._files):
                raise ValueError(count)
            found.append((message, tuple(self._files.popleft() for _ in range(count))))
        return found

    def close(self) -> None:
        """Close the wire and the files that nobody took."""
        self.wire.close()
        while self._files:
            os.close(self._files.popleft())
