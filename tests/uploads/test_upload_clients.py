"""Real clients and a real server that dies: what was acknowledged is there, and files arrive as they left."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest_uploads import make_depot
from upload_server import Server

from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.errors import WorkbenchError
from workbench.identity.issuing import Issuer
from workbench.uploads.client import UploadClient

DEATHS = int(os.environ.get("WORKBENCH_DEPOT_MORTS", "3"))
SIZE = int(os.environ.get("WORKBENCH_DEPOT_ESSAI", str(6 * 1024 * 1024)))
"""Bytes of the file sent through the deaths: 5 GB and 10 deaths are a matter of minutes."""

HERE = Path(__file__).parent


def new_file(path: Path, size: int) -> str:
    """Write a file that no shift leaves like itself, and return its sum."""
    drawn, found = random.Random(size), hashlib.sha256()  # noqa: S311 - the same file each time
    with path.open("wb") as file:
        for start in range(0, size, 1024 * 1024):
            block = drawn.randbytes(min(1024 * 1024, size - start))
            found.update(block)
            file.write(block)
    return found.hexdigest()


def sum_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_depot(tmp_path_factory.mktemp("served") / "depot")


@pytest.fixture(scope="module")
def server(place: Path, issuer: Issuer) -> Iterator[Server]:
    found = Server(place, issuer.keys.folder, issuer.url, issuer.audience)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def token(issuer: Issuer) -> str:
    return issuer.token_for("ada@exemple.fr")


class Killer:
    """Kills the server when enough new bytes are on the disk, again and again, and starts it again."""

    def __init__(self, server: Server, folder: Path, deaths: int, size: int) -> None:
        self.server = server
        self.folder = folder
        self.before = set(folder.glob("*.bin"))
        self.left = deaths
        drawn = random.Random(deaths)  # noqa: S311 - the same deaths each time
        self.moments = sorted(drawn.randrange(size // 20, size * 19 // 20) for _ in range(deaths))
        self.thread = threading.Thread(target=self.run)
        self.over = threading.Event()

    def run(self) -> None:
        while self.moments and not self.over.is_set():
            found = [path for path in self.folder.glob("*.bin") if path not in self.before]
            if found and found[0].stat().st_size >= self.moments[0]:
                self.server.kill()
                self.left -= 1
                self.moments.pop(0)
                self.server.start()
            time.sleep(0.001)

    def __enter__(self) -> Killer:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join(60)


def test_a_file_arrives_although_the_server_dies(server: Server, place: Path, token: str, tmp_path: Path) -> None:
    source = tmp_path / "effectif.csv"
    expected = new_file(source, SIZE)
    acknowledged: list[int] = []

    def progress(done: int, size: int) -> None:
        # Told by the server, after a death too: what it acknowledged once, it has.
        assert done >= max(acknowledged, default=0)
        acknowledged.append(done)

    with (
        Killer(server, place / "tusd", DEATHS, SIZE) as killer,
        UploadClient(
            server.url, lambda: token, chunk=max(SIZE // 12, 65536), memory=tmp_path / "m", retry_seconds=[0.05] * 400
        ) as client,
    ):
        sent = client.send(source, progress=progress)
    assert killer.left == 0
    assert sent.size == acknowledged[-1] == SIZE
    name = sent.url.rpartition("/")[2]
    assert sum_of(place / "public" / f"{name}.bin") == expected
    assert not list((place / "tusd").glob("*.verified"))


def test_one_long_request_keeps_what_came_before_a_death(
    server: Server, place: Path, token: str, tmp_path: Path
) -> None:
    """No checksum, no chunk: a browser that sends all at once."""
    source = tmp_path / "debit.csv"
    expected, size = new_file(source, SIZE), SIZE
    headers = {"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0"}
    url = httpx.post(server.url, headers={**headers, "Upload-Length": str(size)}).headers["location"]
    data = place / "tusd" / f"{url.rpartition('/')[2]}.bin"
    sending = {**headers, "Content-Type": "application/offset+octet-stream"}

    def half() -> Iterator[bytes]:
        with source.open("rb") as file:
            yield file.read(size // 2)
            deadline = time.monotonic() + 60
            # The server writes by blocks of 1 MiB: the last one may still be in its memory.
            while data.stat().st_size < size // 2 - 1024 * 1024:
                assert time.monotonic() < deadline
                time.sleep(0.005)
            server.kill()
            yield file.read()

    with pytest.raises(httpx.TransportError):
        httpx.patch(url, headers={**sending, "Upload-Offset": "0"}, content=half())
    server.start()
    offset = int(httpx.head(url, headers=headers).headers["upload-offset"])
    assert size // 2 - 1024 * 1024 <= offset <= size // 2
    assert data.read_bytes() == source.read_bytes()[:offset]
    content = source.read_bytes()[offset:]
    assert httpx.patch(url, headers={**sending, "Upload-Offset": str(offset)}, content=content).status_code == 204
    assert sum_of(place / "public" / data.name) == expected


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # tuspy leaves its files open
def test_tuspy_sends_is_cut_and_resumes(server: Server, place: Path, token: str, tmp_path: Path) -> None:
    tus = pytest.importorskip("tusclient.client", reason="tuspy is not installed")
    from tusclient.storage.filestorage import FileStorage

    source = tmp_path / "cotisation.csv"
    expected = new_file(source, 3_000_000)
    headers = {"Authorization": f"Bearer {token}"}

    def uploader() -> Any:
        client = tus.TusClient(server.url, headers=headers)
        return client.uploader(
            str(source),
            chunk_size=500_000,
            metadata={"filename": source.name},
            upload_checksum=True,
            retries=3,
            store_url=True,
            url_storage=FileStorage(str(tmp_path / "tuspy.json")),
        )

    first = uploader()
    for _ in range(3):
        first.upload_chunk()
    server.kill()
    server.start()
    second = uploader()
    assert second.offset == 1_500_000
    second.upload()
    assert second.url == first.url
    assert sum_of(place / "public" / f"{second.url.rpartition('/')[2]}.bin") == expected
    gc.collect()


@pytest.fixture(scope="module")
def tus_js(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tus-js-client, as the lock file pins it."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("tus-js-client absent: node and npm are not installed")
    folder = tmp_path_factory.mktemp("tus_js")
    for path in (HERE / "tus_js").iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip(f"tus-js-client absent: npm ci failed: {done.stderr.strip()[-200:]}")
    return folder


def test_tus_js_client_sends_is_cut_and_resumes(
    server: Server, place: Path, token: str, tus_js: Path, tmp_path: Path
) -> None:
    source = tmp_path / "diane.csv"
    expected = new_file(source, 3_000_000)
    memory = tmp_path / "urls.json"

    def run(stop: int) -> dict[str, object]:
        words = ["node", "send.js", server.url, token, str(source), str(memory), "250000", str(stop)]
        done = subprocess.run(words, cwd=tus_js, capture_output=True, text=True, timeout=120)
        assert done.stdout, done.stderr
        found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
        return found

    assert run(1_000_000) == {"stopped": 1_000_000}
    server.kill()
    server.start()
    done = run(0)
    assert done["first"] == 1_250_000
    name = str(done["url"]).rpartition("/")[2]
    assert sum_of(place / "urssaf" / f"{name}.bin") == expected
    info = json.loads((place / "urssaf" / f"{name}.info").read_text(encoding="utf-8"))
    assert info["MetaData"]["filename"] == "séries.csv"
    again = run(0)
    assert again == {"url": done["url"], "first": None}


# --- our command


def run_command(*words: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["upload", *words])
    return int(str(stop.value.code))


def test_the_command_sends_and_knows_what_is_there(
    server: Server,
    place: Path,
    token: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    source, empty, key = tmp_path / "procol.csv", tmp_path / "vide.csv", tmp_path / "jeton"
    expected = new_file(source, 1_500_000)
    empty.touch()
    key.write_text(token)
    words = ["--to", server.url, "--token-file", str(key), "--chunk", "1", "--private", "--metadata", "batch=1802"]
    assert run_command("send", str(source), str(empty), *words) == ExitCode.OK
    said = capsys.readouterr()
    first, second = said.out.split()
    assert "procol.csv : arrivé, 1500000 octets." in said.err
    assert sum_of(place / "urssaf" / f"{first.rpartition('/')[2]}.bin") == expected
    assert (place / "urssaf" / f"{second.rpartition('/')[2]}.bin").stat().st_size == 0
    assert run_command("send", str(source), *words) == ExitCode.OK
    said = capsys.readouterr()
    assert said.out.split() == [first]
    assert "déjà arrivé" in said.err
    assert run_command("send", str(tmp_path / "absent.csv"), str(source), *words) == ExitCode.REFUSED
    said = capsys.readouterr()
    assert said.out.split() == [first]
    assert "absent.csv" in said.err
    assert run_command("list", "--depot", str(place), "--csv") == ExitCode.OK
    listed = capsys.readouterr().out
    assert "md-batch" in listed.splitlines()[0]
    assert f"{first.rpartition('/')[2]},1500000,1802," in listed
    key.write_text("x.y.z")
    assert run_command("send", str(empty), "--to", server.url, "--token-file", str(key)) == ExitCode.REFUSED


def test_the_token_may_change_between_chunks(server: Server, issuer: Issuer, tmp_path: Path) -> None:
    source = tmp_path / "ccsf.csv"
    new_file(source, 300_000)
    given: list[str] = []

    def token() -> str:
        given.append(issuer.token_for("ada@exemple.fr"))
        return given[-1]

    with UploadClient(server.url, token, chunk=100_000, memory=tmp_path / "m") as client:
        assert client.send(source).size == 300_000
    assert len(set(given)) == 4
    with UploadClient(server.url, lambda: "x.y.z", memory=tmp_path / "n") as client:
        with pytest.raises(WorkbenchError) as refused:
            client.send(source)
        assert refused.value.code == "envoi_refuse"
        assert "jeton" in refused.value.message


def test_attempts_end(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text("a")
    with UploadClient("http://127.0.0.1:9/files/", lambda: "x", memory=tmp_path / "m", retry_seconds=[0, 0]) as client:
        with pytest.raises(WorkbenchError) as stopped:
            client.send(source)
        assert stopped.value.code == "envoi_interrompu"
    with pytest.raises(WorkbenchError) as wrong:
        UploadClient("depot.exemple.fr", lambda: "x")
    assert wrong.value.code == "envoi_adresse"
