"""A server of uploads in a process of its own, which dies when told and begins again at once.

``python upload_server.py DEPOT KEYS ISSUER AUDIENCE PORT``, then a line of standard input for each server wanted: a
process forked from this one, which has imported everything, serves; its number is written.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


class Server:
    """A server that tests start, kill and start again at one address."""

    def __init__(self, depot: Path, keys: Path, issuer: str, audience: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/files/"
        self.pid = 0
        words = [sys.executable, __file__, str(depot), str(keys), issuer, audience, str(self.port)]
        root = str(HERE.parents[1])
        path = {**os.environ, "PYTHONPATH": root}
        self.parent = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=path)

    def start(self) -> None:
        assert self.parent.stdin is not None
        assert self.parent.stdout is not None
        self.parent.stdin.write("start\n")
        self.parent.stdin.flush()
        self.pid = int(self.parent.stdout.readline())
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.01)
            else:
                return

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        assert self.parent.stdout is not None
        assert self.parent.stdout.readline() == f"{self.pid} is dead\n"

    def stop(self) -> None:
        self.parent.terminate()
        self.parent.wait(20)
        assert self.parent.stdin is not None
        assert self.parent.stdout is not None
        self.parent.stdin.close()
        self.parent.stdout.close()


def main() -> None:
    depot, keys, issuer_url, audience, port = sys.argv[1:]
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

    children: set[int] = set()

    def end(*_: object) -> None:
        for child in children:
            os.kill(child, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            verifier = TokenVerifier(TokenRules(issuer_url, audience), Keys())  # type: ignore[arg-type]
            app: Any = build_app(upload_settings(Path(depot)), verifier)
            uvicorn.run(app, port=int(port), http=UploadProtocol, log_level="error", access_log=False, lifespan="off")
            os._exit(0)
        children.add(child)
        print(child, flush=True)  # noqa: T201
        os.waitpid(child, 0)
        children.discard(child)
        print(f"{child} is dead", flush=True)  # noqa: T201
    end()


if __name__ == "__main__":
    main()
