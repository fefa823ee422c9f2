"""What is told of the product while it works: metrics, health, logs without a secret."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import socket
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert

from workbench.errors import WorkbenchError
from workbench.identity.alone import AloneVerifier
from workbench.identity.tokens import TokenVerifier
from workbench.logs import (
    JsonFormatter,
    TextFormatter,
    announce,
    begin_request,
    cleaned,
    configure_logs,
    current_request,
)
from workbench.registry import open_registry
from workbench.reports.jobs_tables import ROOM, jobs
from workbench.server import SERVICES, _Together
from workbench.uploads.configuration import build_app, upload_settings
from workbench.watching.alone import watched
from workbench.watching.door import Door
from workbench.watching.health import checks, ready
from workbench.watching.reading import log_events, measures
from workbench.watching.state import State

SECRETS = ("motdepasse-de-service", "Martin", "anne@exemple.fr", "012345678", "abcdefghijkl.mnop")


@pytest.fixture
def installation(tmp_path: Path, demonstration_base: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in {
        "WORKBENCH_BASE": demonstration_base,
        "WORKBENCH_HISTORIQUE": str(tmp_path / "historique.duckdb"),
        "WORKBENCH_REGISTRE": str(tmp_path / "registre.sqlite"),
        "WORKBENCH_REPORTS": str(tmp_path / "rapports"),
        "WORKBENCH_DEPOT": str(tmp_path / "depot"),
        "WORKBENCH_BROKER": "",
    }.items():
        monkeypatch.setenv(name, value)
    for folder in ("tusd", "public"):
        (tmp_path / "depot" / folder).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a process that was asked for lines of JSON writes."""
    monkeypatch.setenv("WORKBENCH_JOURNAL", "json")
    root, product = logging.getLogger(), logging.getLogger("workbench")
    kept = list(root.handlers), root.level, product.level
    written = io.StringIO()
    configure_logs(written)
    yield written
    root.handlers[:], root.level = kept[0], kept[1]
    product.setLevel(kept[2])
    logging.captureWarnings(False)


def asking(body: Callable[[httpx.AsyncClient, AloneVerifier], Awaitable[None]], **options: Any) -> None:
    """Serve every service in this process, and ask."""

    async def whole() -> None:
        verifier = AloneVerifier("anne@exemple.fr")
        application = _Together(SERVICES, verifier, Door(**{"kept": 0.0, **options}))
        told: asyncio.Queue[Any] = asyncio.Queue()
        said: asyncio.Queue[Any] = asyncio.Queue()
        living = asyncio.ensure_future(application({"type": "lifespan"}, told.get, said.put))
        await told.put({"type": "lifespan.startup"})
        assert (await said.get())["type"] == "lifespan.startup.complete"
        transport = httpx.ASGITransport(application, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            await body(client, verifier)
        await told.put({"type": "lifespan.shutdown"})
        await living

    asyncio.run(whole())


def samples(text: str) -> dict[str, float]:
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {f"{each.name}{sorted(each.labels.items())}": each.value for each in found}


# --- requests, metrics, logs ----------------------------------------------------------------------------------------


def test_requests_are_counted_by_template_and_named_from_end_to_end(installation: Path, logged: io.StringIO) -> None:
    async def body(client: httpx.AsyncClient, verifier: AloneVerifier) -> None:
        token = {"Authorization": f"Bearer {verifier.token}"}
        before = samples((await client.get("/metriques")).text)
        found = await client.post(
            "/magasin/data/get/Martin?nom=Martin", json={"key": {"siren": "012345678"}}, headers=token
        )
        assert found.status_code == 404
        named = {**token, "X-Request-Id": "feedfacefeedfacefeedfacefeedface"}
        again = await client.post("/magasin/data/get/public", json={"key": {"nom": "Martin"}}, headers=named)
        assert again.headers["x-request-id"] == named["X-Request-Id"]
        forged = await client.get("/magasin/nulle-part", headers={"X-Request-Id": "Martin anne@exemple.fr"})
        assert forged.headers["x-request-id"] != "Martin anne@exemple.fr"
        refused = await client.get("/rapports/api/x", headers={"Authorization": "Bearer abcdefghijkl.mnop"})
        assert refused.status_code == 401
        assert found.headers["x-request-id"] != forged.headers["x-request-id"]
        after = samples((await client.get("/metriques")).text)
        route = [("method", "POST"), ("route", "/data/get/{bucket:path}"), ("service", "/magasin"), ("status", "404")]
        assert after[f"workbench_requests_total{route}"] - before.get(f"workbench_requests_total{route}", 0) == 2
        refusals = f"workbench_refusals_total{[('service', '/rapports'), ('status', '401')]}"
        assert after[refusals] - before.get(refusals, 0) == 1
        assert not any(secret in name for name in after for secret in SECRETS)

    asking(body)
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    told = [line for line in lines if line["message"] == "request" and line["service"] == "/magasin"]
    assert {"route": "/data/get/{bucket:path}", "status": 404, "method": "POST"}.items() <= told[0].items()
    assert told[1]["request"] == "feedfacefeedfacefeedfacefeedface"
    assert not [secret for secret in SECRETS if secret in logged.getvalue()]


def test_a_service_served_alone_is_watched_too(installation: Path) -> None:
    verifier = AloneVerifier("anne@exemple.fr")
    storage = upload_settings(installation / "depot")
    alone = watched(build_app(storage, cast("TokenVerifier", verifier)), "/files")

    async def whole() -> None:
        transport = httpx.ASGITransport(alone, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            counted = f"workbench_refusals_total{[('service', '/files'), ('status', '401')]}"
            before = samples((await client.get("/metriques")).text).get(counted, 0)
            refused = await client.post("/files/", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "1"})
            assert refused.status_code == 401
            assert (await client.get("/sante")).json() == {"etat": "vivant"}
            assert samples((await client.get("/metriques")).text)[counted] == before + 1

    asyncio.run(whole())


def test_metrics_are_for_this_machine_or_for_a_token(installation: Path) -> None:
    async def local(client: httpx.AsyncClient, _: Any) -> None:
        assert (await client.get("/metriques")).status_code == 200
        for headers in ({"X-Forwarded-For": "203.0.113.9"}, {"Host": "ailleurs.exemple.fr"}, {"Via": "1.1 x"}):
            assert (await client.get("/metriques", headers=headers)).status_code == 403
            assert (await client.get("/sante", headers=headers)).status_code == 200
            assert "parties" not in (await client.get("/pret", headers=headers)).json()
        assert (await client.post("/metriques")).status_code == 405

    async def shown(client: httpx.AsyncClient, _: Any) -> None:
        assert (await client.get("/metriques")).status_code == 403
        for token, status in (("juste", 200), ("faux", 403), ("", 403)):
            headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "203.0.113.9"}
            assert (await client.get("/metriques", headers=headers)).status_code == status

    async def behind(client: httpx.AsyncClient, _: Any) -> None:
        assert (await client.get("/metriques")).status_code == 403

    asking(local)
    asking(shown, token="juste")  # noqa: S106
    asking(behind, public_url="https://workbench.exemple.fr")


def test_jobs_bases_and_uploads_are_measured(installation: Path) -> None:
    now = datetime.now(UTC)
    whole: dict[str, Any] = {"author": "anne@exemple.fr", "shared": True, "kind": "report", "folder": "x", "row": {}}
    whole |= {"spec": {}, "position": 0, "attempts": 1, "cause": "", "warnings": [], "files": {}, "facts": {}}
    states = [("PENDING", None), ("DONE", 2.0), ("DONE", 20.0), ("FAILED", 400.0)]
    with open_registry(rooms=[ROOM]) as registry, registry.write() as connection:
        for number, (state, seconds) in enumerate(states):
            row = {"id": str(number), "stem": str(number), "state": state, "seconds": seconds}
            connection.execute(insert(jobs).values(whole | row | {"created": now - timedelta(minutes=5)}))
    depot = installation / "depot" / "tusd"
    info = {"ID": "0a" * 16, "Size": 5, "SizeIsDeferred": False, "MetaData": {"goup-path": "urssaf"}}
    (depot / f"{'0a' * 16}.info").write_text(json.dumps(info))
    (depot / f"{'0a' * 16}.bin").write_bytes(b"abc")

    table = measures().set_index(["metric", "labels"])["value"]
    assert [table["workbench_jobs", f"state={state}"] for state in ("pending", "running", "done")] == [1, 0, 2]
    assert 300 <= table["workbench_oldest_waiting_job_seconds", ""] < 4000
    assert table["workbench_job_seconds_bucket", "le=5.0,state=done"] == 1
    assert table["workbench_job_seconds_bucket", "le=+Inf,state=done"] == 2
    assert table["workbench_job_seconds_sum", "state=failed"] == 400
    assert table["workbench_snapshots", "base=base"] >= 1
    assert table["workbench_import_age_seconds", "base=base"] > 0
    assert ("workbench_import_age_seconds", "base=historique") not in table.index
    assert table["workbench_uploads", "state=arriving"] == 1
    assert table["workbench_free_bytes", "place=registre"] > 0
    assert set(table.loc["workbench_unmeasured"]) == {0}


def test_a_part_that_is_away_does_not_hide_the_others(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (installation / "registre.sqlite").write_bytes(b"ceci n'est pas un registre" * 100)
    table = measures().set_index(["metric", "labels"])["value"]
    assert table["workbench_unmeasured", "part=jobs"] == 1
    assert table["workbench_unmeasured", "part=bases"] == 0
    assert table["workbench_snapshots", "base=base"] >= 1


def test_kernels_and_their_memory_are_counted() -> None:
    """A process of the name that kernels bear stands for one."""
    import subprocess

    program = "import ctypes; ctypes.CDLL(None).prctl(15, b'noyau-pret'); print(1, flush=True); input()"

    def ready_kernels() -> tuple[float, float]:
        found = {each.name: {s.labels["state"]: s.value for s in each.samples} for each in State()._kernels()}
        return found["workbench_kernels"]["ready"], found["workbench_kernel_memory_bytes"]["ready"]

    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    count, memory = ready_kernels()
    process.communicate(b"\n")
    assert count >= 1
    assert memory > 1e6


# --- health ---------------------------------------------------------------------------------------------------------


def test_ready_says_what_ails(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(client: httpx.AsyncClient, _: Any) -> None:
        found = await client.get("/pret")
        assert (found.status_code, found.json()["etat"]) == (200, "prêt")
        assert found.json()["parties"] == {"registre": "prêt", "magasin": "prêt", "base": "prêt"}
        monkeypatch.setenv("WORKBENCH_BASE", str(installation / "absente.duckdb"))
        found = await client.get("/pret")
        assert (found.status_code, found.json()["parties"]["base"]) == (503, "base_absente")
        assert str(installation) not in found.text
        # A server whose base is away is alive: to start it again would not bring the base back.
        assert (await client.get("/sante")).status_code == 200

    asking(body)
    assert not ready()


def test_anybody_may_ask_and_the_parts_are_not_tried_each_time(
    installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(client: httpx.AsyncClient, _: Any) -> None:
        assert (await client.get("/pret")).status_code == 200
        monkeypatch.setenv("WORKBENCH_BASE", str(installation / "absente.duckdb"))
        assert (await client.get("/pret")).status_code == 200

    asking(body, kept=3600.0)


def test_an_error_page_tells_the_reference_that_the_log_has() -> None:
    from workbench.dashboards.pages import page

    for status in (500, 503):
        written = page("error.html", status_code=status, base_url="/", missing_form=False, reference="feedfacefeedface")
        assert "la référence feedfacefeedface" in written


def test_a_later_registry_a_silent_broker_and_slowness_are_seen(
    installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_registry(rooms=[ROOM]):
        pass
    with closing(sqlite3.connect(installation / "registre.sqlite")) as connection:
        connection.execute("UPDATE reports_version SET version_num = '9999'")
        connection.commit()
    monkeypatch.setenv("WORKBENCH_BROKER", "amqp://guest:guest@127.0.0.1:1//")
    found = {each.name: each.code for each in checks()}
    assert found == {
        "registre": "registre_recent",
        "magasin": "registre_ancien",
        "base": "",
        "courtier": "courtier_injoignable",
    }
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("WORKBENCH_BROKER", f"amqp://guest:guest@127.0.0.1:{silent.getsockname()[1]}//")
        found = {each.name: each.code for each in checks(patience=1)}
    assert found["courtier"] == "trop_long"


# --- logs -----------------------------------------------------------------------------------------------------------


def test_nothing_secret_passes_by_a_message_or_a_traceback() -> None:
    planted = {
        "Authorization: Bearer abcdef.ghijkl-mnop": "abcdef.ghijkl",
        "token eyJhbGciOiJSUzI1NiJ9.eyJlbWFpbCI6ImEifQ.c2ln": "eyJhbGci",
        "GET /rapports/api?nom=Martin&prenom=Anne 500": "Martin",
        "http://127.0.0.1:8866/magasin?q=Martin": "Martin",
        "amqp://agent:motdepasse@serveur:5672/": "motdepasse",
        "postgresql+psycopg://agent:motdepasse@serveur/base": "motdepasse",
        "password='motdepasse'": "motdepasse",
        '{"client_secret": "motdepasse"}': "motdepasse",
        "jeton=motdepasse": "motdepasse",
        "refusé à anne.martin+x@exemple.gouv.fr": "anne.martin",
        "SIREN 012345678, SIRET 01234567800012": "012345678",
        "SIRET 012 345 678 00012": "345 678",
    }
    for text, secret in planted.items():
        assert secret in text
        assert secret not in cleaned(text), text
        for formatter in (JsonFormatter(), TextFormatter()):
            try:
                raise ValueError(text)  # noqa: TRY301
            except ValueError:
                record = logging.LogRecord("x", logging.ERROR, "f", 1, "échec : %s", (text,), sys.exc_info())
            written = formatter.format(record)
            assert secret not in written, written
            assert "ValueError" in written


def test_what_an_operator_needs_is_left() -> None:
    for text in (
        "worker poste-1234-ab died with status -9",
        "Le registre /srv/registre.sqlite ne répond pas : disk I/O error.",
        "job 01m81ztfftnadw8z5fft4p3mq0 failed, identifier 1a2b3c4d",
        "2026-11-22 15:50:00, 20261122, 1500 ms, port 8866, http://127.0.0.1:8866/sante",
        "Pourquoi ? Parce que a = 1",
    ):
        assert cleaned(text) == text


@settings(max_examples=40, deadline=None)
@given(st.text(), st.text())
def test_one_event_is_one_line(message: str, field: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "%s", (message,), None)
    record.fields = {"given": field}
    written = JsonFormatter().format(record)
    assert "\n" not in written
    assert {"time", "level", "logger", "message", "process"} <= set(json.loads(written))


@pytest.mark.parametrize(
    "told", ["", "court", "x" * 40, "0" * 15, "0" * 33, "0123456789abcdef\n", "0123456789ABCDEF", "../../etc/passwd"]
)
def test_only_a_safe_identifier_is_taken(told: str) -> None:
    assert begin_request(told) != told
    assert len(current_request()) == 16


def test_an_unknown_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_JOURNAL", "xml")
    with pytest.raises(WorkbenchError) as error:
        configure_logs(io.StringIO())
    assert error.value.code == "journal_format"


def test_a_job_remembers_the_request_that_asked_for_it(
    installation: Path, demonstration_siret: str, logged: io.StringIO
) -> None:
    """From the request to the line that its worker writes."""
    from workbench.reports.jobs import Wanted, jobs_of, submit
    from workbench.reports.jobs_spec import JobSpec
    from workbench.reports.jobs_worker import Worker

    request = begin_request("feedfacefeedface")
    with open_registry(rooms=[ROOM]) as registry:
        spec = JobSpec(kind="balance", exercices=(2023, 2024), sirets=(demonstration_siret,))
        submit(registry, [Wanted(spec, ["essai"])], author="anne@exemple.fr", folder=installation / "rapports")
        begin_request()
        Worker().run(until_idle=True)
        (job,) = jobs_of(registry, author="anne@exemple.fr")
    assert (job.request, str(job.state)) == (request, "DONE")
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert [line["state"] for line in lines if line["message"] == "job"] == ["DONE"]


def test_a_log_is_read_as_a_table(tmp_path: Path, logged: io.StringIO) -> None:
    logging.getLogger("workbench.x").info("un")
    logging.getLogger("workbench.x").warning("deux")
    path = tmp_path / "journal"
    path.write_text("ceci n'est pas du JSON\n" + logged.getvalue() + "[]\n", encoding="utf-8")
    table = log_events(path)
    assert list(table["message"]) == ["un", "deux"]
    assert str(table["time"].dt.tz) == "UTC"
    path.write_text("", encoding="utf-8")
    assert log_events(path).empty


def test_where_a_server_stands_is_told_as_its_log_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WORKBENCH_JOURNAL", raising=False)
    announce("Prêt : 2 processus.")
    assert capsys.readouterr().err == "Prêt : 2 processus.\n"
    monkeypatch.setenv("WORKBENCH_JOURNAL", "json")
    kept = logging.getLogger().handlers[:]
    stream = io.StringIO()
    try:
        configure_logs(stream)
        announce("Prêt : 2 processus.")
    finally:
        logging.getLogger().handlers[:] = kept
    assert json.loads(stream.getvalue())["message"] == "Prêt : 2 processus."
    assert capsys.readouterr().err == ""
