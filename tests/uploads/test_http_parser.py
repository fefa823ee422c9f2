"""What uploads read of a request before its body, by raw connections to a real server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from workbench.uploads.http_parser import MOST_HEADERS, UploadProtocol

ASKED = b"POST /files/ HTTP/1.1\r\nHost: essai\r\n"


async def counts(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the number of bytes of the body."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    headers = [(b"content-length", str(len(str(size))).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": str(size).encode()})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        config = uvicorn.Config(counts, http=UploadProtocol, log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield int(door.getsockname()[1])
        server.should_exit = True
        thread.join()


def answer(port: int, *pieces: bytes) -> bytes:
    """Send pieces on one connection and return what comes back, until its end or its first answers."""
    with socket.create_connection(("127.0.0.1", port), 30) as link:
        try:
            for piece in pieces:
                link.sendall(piece)
        except ConnectionError:
            pass  # refused before the end
        found = b""
        try:
            while block := link.recv(65_536):
                found += block
                if found.count(b"HTTP/1.1 200") and b"\r\n\r\n" in found and found[-1:].isdigit():
                    break
        except ConnectionError:
            pass
        return found


def test_a_body_of_any_size_in_pieces_of_any_size_is_counted(port: int) -> None:
    body = b"x" * (3 * MOST_HEADERS)
    asked = ASKED + b"Content-Length: %d\r\n\r\n" % len(body)
    assert answer(port, asked + body).endswith(b"%d" % len(body))
    pieces = [asked[index : index + 7] for index in range(0, len(asked), 7)]
    assert answer(port, *pieces, body).endswith(b"%d" % len(body))
    chunked = ASKED + b"Transfer-Encoding: chunked\r\n\r\n"
    assert answer(port, chunked, *[b"1000\r\n" + b"x" * 4096 + b"\r\n"] * 32, b"0\r\n\r\n").endswith(b"131072")


@pytest.mark.parametrize(
    "asked",
    [
        b"GET /" + b"a" * 7 * MOST_HEADERS,
        ASKED + b"X-Long: " + b"a" * 7 * MOST_HEADERS,
        ASKED + b"".join(b"X-Many-%d: a\r\n" % number for number in range(MOST_HEADERS // 2)),
        ASKED + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 7 * MOST_HEADERS,
        ASKED + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Long: " + b"a" * 7 * MOST_HEADERS,
    ],
    ids=["address", "header", "headers", "extension", "trailer"],
)
def test_what_does_not_end_is_refused(port: int, asked: bytes) -> None:
    assert b"200 OK" not in answer(port, asked)
    assert answer(port, ASKED + b"Content-Length: 1\r\n\r\na").endswith(b"1")


def test_what_is_no_request_is_400(port: int) -> None:
    assert answer(port, b"\x16\x03\x01\x02\x00\r\n\r\n").startswith(b"HTTP/1.1 400")
