"""How fast files arrive, against the floor: the same bytes through a plain socket, written and fsynced to one disk.

    python benchmarks/uploads.py --megabytes 1024 --folder DISK

sends a file in one request, in chunks, in chunks with a checksum, then twenty at once; it tells the throughput of each,
its part of the floor, and the server's memory.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

MIB = 1024 * 1024
TYPE = "application/offset+octet-stream"
AUDIENCE = "workbench"
ISSUER = "https://id.exemple.fr"


def memory(pid: int, name: str) -> int:
    """Return a figure of a process's memory, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) // 1024
    return 0


def serve(depot: str, keys: str, port: str) -> None:
    """Serve uploads in this process."""
    import uvicorn

    from workbench.identity.signing import SigningKeys
    from workbench.identity.tokens import TokenRules, TokenVerifier
    from workbench.uploads.configuration import build_app, upload_settings
    from workbench.uploads.http_parser import UploadProtocol

    signing = SigningKeys(Path(keys))

    class Keys:
        def cached(self, identifier: str) -> Any:
            return signing.key(identifier)

        get = cached

    verifier = TokenVerifier(TokenRules(ISSUER, AUDIENCE), Keys())  # type: ignore[arg-type]
    app: Any = build_app(upload_settings(Path(depot)), verifier)
    uvicorn.run(app, port=int(port), http=UploadProtocol, log_level="error", access_log=False, lifespan="off")


def wait_for(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def floor(folder: Path, block: bytes, count: int, streams: int = 1) -> float:
    """Receive bytes on plain sockets, each in a thread of another process, and put them on the disk."""
    program = (
        "import os, socket, sys, threading\n"
        "door = socket.create_server(('127.0.0.1', 0))\n"
        "print(door.getsockname()[1], flush=True)\n"
        "def take(link, path):\n"
        "    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)\n"
        "    room = bytearray(1024 * 1024)\n"
        "    while size := link.recv_into(room):\n"
        "        os.write(file, memoryview(room)[:size])\n"
        "    os.fsync(file)\n"
        "    link.sendall(b'k')\n"
        "    link.close()\n"
        "    os.close(file)\n"
        "threads = []\n"
        "for number in range(int(sys.argv[2])):\n"
        "    threads.append(threading.Thread(target=take, args=(door.accept()[0], f'{sys.argv[1]}/floor{number}')))\n"
        "    threads[-1].start()\n"
        "for thread in threads:\n"
        "    thread.join()\n"
    )
    words = [sys.executable, "-c", program, str(folder), str(streams)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        port = int(server.stdout.readline()) if server.stdout else 0

        def send() -> None:
            with socket.create_connection(("127.0.0.1", port)) as link:
                for _ in range(count):
                    link.sendall(block)
                link.shutdown(socket.SHUT_WR)
                if link.recv(1) != b"k":
                    raise SystemExit("the floor broke")

        def work() -> None:
            threads = [threading.Thread(target=send) for _ in range(streams)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        seconds = timed(work)
    for path in folder.glob("floor*"):
        path.unlink()
    return seconds


@lru_cache
def checksum_of(block: bytes, blocks: int) -> str:
    """Return the checksum of a chunk; counted once, since it is the client's own time."""
    found = hashlib.sha256()
    for _ in range(blocks):
        found.update(block)
    return f"sha256 {base64.b64encode(found.digest()).decode()}"


class Sender:
    """A client that costs as little as it can."""

    def __init__(self, port: int, token: str) -> None:
        self.link = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        self.headers = {"Tus-Resumable": "1.0.0", "Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> http.client.HTTPResponse:
        self.link.request(method, path, body, {**self.headers, **headers})
        answer = self.link.getresponse()
        answer.read()
        if answer.status not in (201, 204):
            raise SystemExit(f"the server answers {answer.status}")
        return answer

    def send(self, block: bytes, count: int, chunk: int, *, checksum: bool = False) -> None:
        """Send a file of ``count`` blocks, ``chunk`` of them a request."""
        answer = self.ask("POST", "/files/", {"Upload-Length": str(len(block) * count)})
        path = "/files/" + str(answer.headers["Location"]).rpartition("/")[2]
        for start in range(0, count, chunk):
            blocks = min(chunk, count - start)
            headers = {"Upload-Offset": str(start * len(block)), "Content-Type": TYPE}
            headers["Content-Length"] = str(blocks * len(block))
            if checksum:
                headers["Upload-Checksum"] = checksum_of(block, blocks)
            self.ask("PATCH", path, headers, (block for _ in range(blocks)))
        self.link.close()


@contextmanager
def server(folder: Path) -> Iterator[tuple[int, int, str]]:
    """Give the port of a server of uploads, its process and a token."""
    from workbench.identity.issuing import Issuer
    from workbench.identity.signing import SigningKeys
    from workbench.identity.tables import ROOM
    from workbench.registry import open_registry

    for name in ("tusd", "public", "essai"):
        (folder / "depot" / name).mkdir(parents=True)
    with open_registry(folder / "people.sqlite", rooms=[ROOM]) as registry, socket.socket() as probe:
        issuer = Issuer(ISSUER, registry, SigningKeys(folder / "keys"), audience=AUDIENCE)
        issuer.people.add("essai@exemple.fr", "quatre mots sans rapport")
        issuer.people.set_space("essai@exemple.fr", "essai")
        token = issuer.token_for("essai@exemple.fr")
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    words = [sys.executable, __file__, "--serve", str(folder / "depot"), str(folder / "keys"), str(port)]
    process = subprocess.Popen(words)
    try:
        wait_for(port)
        yield port, process.pid, token
    finally:
        process.terminate()
        process.wait(30)


def empty(folder: Path) -> None:
    for place in ("tusd", "public"):
        for path in (folder / "depot" / place).iterdir():
            path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--folder", type=Path, help="on the disk to measure")
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--serve", nargs=3)
    asked = parser.parse_args()
    if asked.serve:
        serve(*asked.serve)
        return
    block, count = os.urandom(MIB), asked.megabytes
    folder = Path(tempfile.mkdtemp(dir=asked.folder))
    try:
        floors = [floor(folder, block, count) for _ in range(3)]
        base = sorted(floors)[1]
        print(f"floor                 {count / base:7.0f} MiB/s")
        with server(folder) as (port, pid, token):
            before = memory(pid, "VmRSS")
            for name, chunk, checksum in (
                ("one request", count, False),
                ("chunks of 16 MiB", 16, False),
                ("chunks, sha256", 16, True),
            ):
                sender = Sender(port, token)
                seconds = sorted(
                    timed(lambda s=sender, c=chunk, k=checksum: s.send(block, count, c, checksum=k)) for _ in range(3)
                )[1]
                empty(folder)
                rate, part = count / seconds, base / seconds
                print(f"{name:<21} {rate:7.0f} MiB/s  {part:5.0%} of the floor  peak {memory(pid, 'VmHWM')} MiB")
            each = max(1, count // asked.streams)
            base = floor(folder, block, each, asked.streams)
            senders = [Sender(port, token) for _ in range(asked.streams)]
            with ThreadPoolExecutor(asked.streams) as pool:
                start = time.perf_counter()
                list(pool.map(lambda sender: sender.send(block, each, each), senders))
                seconds = time.perf_counter() - start
            rate, part = each * asked.streams / seconds, base / seconds
            name = f"{asked.streams} at once"
            print(f"{name:<21} {rate:7.0f} MiB/s  {part:5.0%} of the floor  peak {memory(pid, 'VmHWM')} MiB")
            print(f"memory before         {before} MiB")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
