"""Real clients and a real server that dies: what was acknowledged is there, and files arrive as they left."""

from __future__ import annotations

import asyncio
import base64
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
from conftest_uploads import PASSWORD, Service, ask, channel, make_depot
from upload_server import Server

from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.errors import WorkbenchError
from workbench.identity.authorization import Client, read_request
from workbench.identity.configuration import identity_settings
from workbench.identity.embedded import serve_issuer
from workbench.identity.issuing import Issuer
from workbench.identity.signing import SigningKeys
from workbench.identity.tables import ROOM
from workbench.identity.tokens import TokenVerifier
from workbench.registry import open_registry
from workbench.uploads.antivirus import Antivirus
from workbench.uploads.client import UploadClient
from workbench.uploads.finishing import Finisher
from workbench.uploads.storage import Limits, Storage
from workbench.uploads.token_file import TokenFile

MIB = 1024 * 1024
SIZE = int(os.environ.get("WORKBENCH_DEPOT_ESSAI", "200000000"))
"""Bytes of the file that is sent on demand, through as many deaths as ``WORKBENCH_DEATHS`` says."""

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


def test_a_file_arrives_although_the_server_dies(server: Server, place: Path, issuer: Issuer, tmp_path: Path) -> None:
    send_through_deaths(server, place, issuer, tmp_path, size=6 * MIB, chunk=MIB // 2, deaths=3)


@pytest.mark.on_demand
@pytest.mark.timeout(4 * 3600)
def test_gigabytes_in_small_chunks_arrive_although_the_server_dies(
    server: Server, place: Path, issuer: Issuer, tmp_path: Path
) -> None:
    """``WORKBENCH_DEATHS=10 WORKBENCH_DEPOT_ESSAI=5000000000``, on a disk that has twice as much."""
    deaths = int(os.environ["WORKBENCH_DEATHS"])
    send_through_deaths(server, place, issuer, tmp_path, size=SIZE, chunk=MIB, deaths=deaths)


def send_through_deaths(
    server: Server, place: Path, issuer: Issuer, folder: Path, *, size: int, chunk: int, deaths: int
) -> None:
    source = folder / "effectif.csv"
    expected = new_file(source, size)
    acknowledged: list[int] = []
    begun = time.monotonic()

    def token() -> str:
        return issuer.token_for("ada@exemple.fr")

    def progress(done: int, _: int) -> None:
        # Told by the server, after a death too: what it acknowledged once, it has.
        assert done >= max(acknowledged, default=0)
        acknowledged.append(done)

    with (
        Killer(server, place / "tusd", deaths, size) as killer,
        UploadClient(server.url, token, chunk=chunk, memory=folder / "m", retry_seconds=[0.05] * 400) as client,
    ):
        sent = client.send(source, progress=progress)
    seconds = time.monotonic() - begun
    assert killer.left == 0
    assert sent.size == acknowledged[-1] == size
    name = sent.url.rpartition("/")[2]
    assert sum_of(place / "public" / f"{name}.bin") == expected
    assert not list((place / "tusd").glob("*.verified"))
    print(f"{size} bytes, {len(acknowledged)} chunks, {deaths} deaths: {seconds:.0f} s, sha256 {expected}")  # noqa: T201
    for path in (source, *place.glob(f"*/{name}.*")):
        path.unlink()


def test_one_long_request_keeps_what_came_before_a_death(
    server: Server, place: Path, token: str, tmp_path: Path
) -> None:
    """No checksum, no chunk: a browser that sends all at once."""
    source = tmp_path / "debit.csv"
    size = 6 * 1024 * 1024
    expected = new_file(source, size)
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


def test_memory_does_not_grow_with_the_file(server: Server, place: Path, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0"}

    def peak() -> int:
        lines = Path(f"/proc/{server.pid}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))

    def send(megabytes: int) -> str:
        length = {"Upload-Length": str(megabytes * 1024 * 1024)}
        url = httpx.post(server.url, headers={**headers, **length}).headers["location"]
        sending = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
        content = (bytes(1024 * 1024) for _ in range(megabytes))
        assert httpx.patch(url, headers={**headers, **sending}, content=content, timeout=120).status_code == 204
        return url.rpartition("/")[2]

    send(8)
    before = peak()
    name = send(96)
    assert peak() - before < 24 * 1024
    for path in place.glob(f"*/{name}.*"):
        path.unlink()


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
    elsewhere = server.url.replace("files", "ailleurs")
    assert run_command("send", str(source), "--to", elsewhere, "--token-file", str(key)) == ExitCode.REFUSED
    assert f"il n'y a pas de dépôt à l'adresse {elsewhere}" in capsys.readouterr().err
    assert run_command("send", str(source), "--to", server.url) == ExitCode.REFUSED
    assert "--token-file" in capsys.readouterr().err
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


def test_a_sender_learns_of_a_quarantine_and_sends_nothing_again(
    place: Path, issuer: Issuer, token: str, tmp_path: Path
) -> None:
    """In this process: the client speaks to the application itself."""
    hook = Antivirus("false")
    service = Service(place, issuer, Finisher(Storage(place, limits=Limits(spare=0)), [hook]))
    source = tmp_path / "a.csv"
    source.write_text("abc")
    with UploadClient(
        "http://depot.exemple.fr/files/", lambda: token, memory=tmp_path / "m", transport=InProcess(service)
    ) as client:
        for words in ("n'est pas transmis", "quarantaine"):
            with pytest.raises(WorkbenchError) as refused:
                client.send(source)
            assert refused.value.code == "envoi_refuse"
            assert words in refused.value.message
        hook.command = ("true",)
        (name,) = service.finisher.quarantined()
        service.finisher.replay(name)
        assert client.send(source).resumed == 3


class InProcess(httpx.BaseTransport):
    """Carries requests to an application of this process."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        scope = {"type": "http", "method": request.method, "path": request.url.path, "scheme": "http"}
        scope |= {"root_path": "", "headers": [(name.lower(), value) for name, value in request.headers.raw]}
        answer = asyncio.run(ask(self.service.app, scope, channel([request.read()])))
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


def test_attempts_end(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text("a")
    with UploadClient("http://127.0.0.1:9/files/", lambda: "x", memory=tmp_path / "m", retry_seconds=[0, 0]) as client:
        told: list[tuple[str, float]] = []
        with pytest.raises(WorkbenchError) as stopped:
            client.send(source, trouble=lambda cause, seconds: told.append((cause, seconds)))
        assert stopped.value.code == "envoi_interrompu"
        assert told == [("le serveur n'est pas joignable", 0)] * 2
        with pytest.raises(WorkbenchError, match="c'est un dossier"):
            client.send(tmp_path)
    with pytest.raises(WorkbenchError) as wrong:
        UploadClient("depot.exemple.fr", lambda: "x")
    assert wrong.value.code == "envoi_adresse"


def test_a_token_file_is_renewed_at_the_issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_REGISTRE", str(tmp_path / "people.sqlite"))
    monkeypatch.setenv("WORKBENCH_IDENTITE", str(tmp_path / "keys"))
    back, secret = "http://127.0.0.1:8866/oidc/retour", "v" * 43
    print_ = base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()).rstrip(b"=").decode()
    asked = {"client_id": "tableaux", "redirect_uri": back, "response_type": "code", "scope": "openid"}
    asked |= {"state": "s", "code_challenge": print_, "code_challenge_method": "S256", "nonce": "n"}
    with (
        serve_issuer(identity_settings(), "http://127.0.0.1:8866", "127.0.0.1", 0) as url,
        open_registry(rooms=[ROOM]) as registry,
    ):
        monkeypatch.setenv("WORKBENCH_ISSUER", url)
        client = Client("tableaux", (back,), ())
        issuer = Issuer(url, registry, SigningKeys(tmp_path / "keys"), [client], "workbench")
        person = issuer.people.add("ada@exemple.fr", PASSWORD)
        issuer.people.set_space(person.email, "urssaf")
        login = issuer.find_login(issuer.open_login(person))
        assert login is not None
        code = issuer.grant_code(read_request(list(asked.items()), issuer.clients), login)
        first = issuer.redeem_code("tableaux", code, back, secret)
        path = tmp_path / "jeton.json"
        path.write_text(json.dumps(first))
        token = TokenFile(path)
        assert token() == first["access_token"]
        monkeypatch.setattr("workbench.uploads.token_file.EARLY_SECONDS", 1000)
        second, third = token(), token()
        assert len({first["access_token"], second, third}) == 3
        assert path.stat().st_mode & 0o777 == 0o600
        assert json.loads(path.read_text())["refresh_token"] != first["refresh_token"]
        assert TokenVerifier(identity_settings().rules()).verify(third).space == "urssaf"


@pytest.mark.parametrize("text", [None, "", "{", "{}", '{"access_token": 1}'])
def test_a_token_file_that_is_none(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "jeton"
    if text is not None:
        path.write_text(text)
    with pytest.raises(WorkbenchError) as refused:
        TokenFile(path)()
    assert refused.value.code == "jeton_fichier"
