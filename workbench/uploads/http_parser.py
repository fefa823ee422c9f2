"""The HTTP parser of uploads: httptools, which is written in C, and a bound on what is no body.

uvicorn bounds the headers that h11 reads and not those that httptools does. Anyone may connect: what is read of a
request before it is known who asks must not grow.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["MOST_HEADERS", "UploadProtocol"]

MOST_HEADERS = 64 * 1024
"""Bytes that a request may send on end without ending its headers or bringing some of its body."""


class UploadProtocol(HttpToolsProtocol):
    """A connection of uploads, for ``uvicorn.Config(http=…)``."""

    _spent = 0
    _useful = False

    def data_received(self, data: bytes) -> None:
        """Read bytes; a request whose headers, extensions of chunks or trailers do not end is 400."""
        self._useful = False
        super().data_received(data)
        self._spent = 0 if self._useful else self._spent + len(data)
        if self._spent > MOST_HEADERS and not self.transport.is_closing():
            self.send_400_response("Request headers too long.")

    def on_headers_complete(self) -> None:
        """Go on to the body."""
        self._useful = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take some of the body."""
        self._useful = True
        super().on_body(body)
