"""Jobs over a real RabbitMQ: announced, heard, lost and found; workers and the broker die, each job ends once."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("celery", reason="Celery absent: celery not installed")

from kombu import Connection
from rabbitmq_server import PASSWORD, RabbitMQ, rabbitmq_server
from sqlalchemy import select, update

import workbench as wb
from workbench.cli.main import main
from workbench.dgfip import connect, select_budgets
from workbench.errors import WorkbenchError
from workbench.registry import Registry, open_registry
from workbench.reports import jobs_announce, jobs_broker
from workbench.reports.jobs import Job, Wanted, cancel, jobs_of, retry, submit
from workbench.reports.jobs_announce import Announcer, announce
from workbench.reports.jobs_broker import QUEUE, TASK, Broker
from workbench.reports.jobs_leases import claim, expire, release
from workbench.reports.jobs_pool import pool
from workbench.reports.jobs_spec import JobSpec
from workbench.reports.jobs_tables import ENDED, ROOM, JobState, jobs
from workbench.reports.jobs_worker import Worker

ANNE = "anne@exemple.fr"
NOBODY = "99999999999999"
LIMIT = 180.0


@pytest.fixture(scope="module")
def node() -> Iterator[RabbitMQ]:
    with rabbitmq_server() as running:
        yield running


@pytest.fixture
def broker(node: RabbitMQ, monkeypatch: pytest.MonkeyPatch) -> Broker:
    """The broker of the settings, its queue empty."""
    monkeypatch.setenv("WORKBENCH_BROKER", node.url)
    found = Broker(node.url)
    with found.line():
        pass  # declares the queue
    _purge(node)
    return found


def _purge(node: RabbitMQ) -> None:
    with Connection(node.url) as link:
        link.default_channel.queue_purge(QUEUE)


@pytest.fixture
def registry(registry_address: str) -> Iterator[Registry]:
    with open_registry(registry_address, rooms=[ROOM]) as opened:
        yield opened


@pytest.fixture
def local_registry(tmp_path: Path) -> Iterator[Registry]:
    with open_registry(tmp_path / "registre.sqlite", rooms=[ROOM]) as opened:
        yield opened


@pytest.fixture
def postgresql_registry(new_postgresql: Callable[[], str]) -> Iterator[Registry]:
    pytest.importorskip("psycopg", reason="PostgreSQL absent: psycopg not installed")
    with open_registry(new_postgresql(), rooms=[ROOM]) as opened:
        yield opened


@pytest.fixture(scope="module")
def trame(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trames") / "essai.yaml"
    wb.save_trame(wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]"}, nomenclature="M57", code="essai"), path)
    return path


@pytest.fixture(scope="module")
def sirets(demonstration_base: str) -> list[str]:
    with connect(demonstration_base) as base:
        return sorted(set(select_budgets(base, wb.perimetre(types=["101"]), None)["siret"].to_pylist()))


def _balances(base: str, sirets: list[str], number: int) -> list[Wanted]:
    return [
        Wanted(JobSpec("balance", (2020, 2100 - place), base=base, sirets=(sirets[place % len(sirets)],)), ["Balance"])
        for place in range(number)
    ]


def _reports(base: str, trame: Path, sirets: list[str]) -> list[Wanted]:
    spec = {"kind": "report", "exercices": (2020, 2099), "base": base, "trame": str(trame)}
    return [Wanted(JobSpec(**spec, sirets=(siret,)), ["Etat"]) for siret in sirets]


def _some(registry: Registry, folder: Path, number: int = 1) -> list[Job]:
    """Keep jobs that are not to be made."""
    specs = [JobSpec("balance", (2018, 2020), base="absente", sirets=(f"{10**13 + place}",)) for place in range(number)]
    submit(registry, [Wanted(spec, ["Balance"]) for spec in specs], author=ANNE, folder=folder, name="liste")
    return sorted(jobs_of(registry, ANNE), key=lambda job: job.position)


def _announced(registry: Registry) -> int:
    with registry.read() as connection:
        return len(connection.execute(select(jobs.c.id).where(jobs.c.announced.is_not(None))).all())


def _waiting(broker: Broker) -> int:
    with broker.line() as line:
        return line.waiting()


def _wait(met: Callable[[], object], *tend: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT
    while not met():
        assert time.monotonic() < deadline
        for each in tend:
            each()
        time.sleep(0.05)


# --- announcing -----------------------------------------------------------------------------------------------------


def test_what_is_asked_is_announced_by_slices(
    local_registry: Registry, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = local_registry
    monkeypatch.setattr(jobs_announce, "MOST_WAITING", 4)
    found = _some(registry, tmp_path, 10)
    assert (_waiting(broker), _announced(registry)) == (4, 4)
    assert announce(registry, broker) == 0
    heard: list[str] = []

    def make(job: str) -> bool:
        heard.append(job)
        if len(heard) < 10:
            announce(registry, broker)
        else:
            broker.stop()
        return True

    broker.consume("essai@machine", make)
    assert sorted(heard) == sorted(job.id for job in found)
    assert _waiting(broker) == 0


def test_what_was_taken_and_given_back_is_announced_again(registry: Registry, broker: Broker, tmp_path: Path) -> None:
    (job,) = _some(registry, tmp_path)
    assert _announced(registry) == 1
    held = claim(registry, "w", job=job.id)
    assert held is not None
    assert [each.id for each in held.jobs] == [job.id]
    assert claim(registry, "autre", job=job.id) is None
    assert claim(registry, "autre", job="absent") is None
    assert announce(registry, broker, lost=0) == 0
    release(registry, held.token)
    assert announce(registry, broker) == 1
    # Its worker dies with its machine: the lease runs out.
    assert claim(registry, "w", job=job.id, lease=0.01) is not None
    time.sleep(0.05)
    expire(registry)
    assert announce(registry, broker) == 1
    assert cancel(registry, ANNE, job=job.id) == 1
    assert claim(registry, "w", job=job.id) is None
    assert announce(registry, broker, lost=0) == 0
    assert retry(registry, ANNE, job=job.id) == 1
    assert _waiting(broker) == 4
    assert claim(registry, "w", job=job.id) is not None


def test_a_message_that_was_lost_is_said_again(
    registry: Registry, broker: Broker, node: RabbitMQ, tmp_path: Path
) -> None:
    _some(registry, tmp_path, 3)
    assert announce(registry, broker, lost=0) == 0, "the queue holds them"
    _purge(node)
    assert announce(registry, broker, lost=3600) == 0, "a worker may be about to take them"
    assert announce(registry, broker, lost=0) == 3
    assert _waiting(broker) == 3


def test_a_broker_that_has_no_room_is_told_later(
    local_registry: Registry, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_broker, "QUEUE", "essai.petite")
    monkeypatch.setattr(jobs_broker, "MOST_MESSAGES", 3)
    _some(local_registry, tmp_path, 8)
    assert _announced(local_registry) == _waiting(Broker(broker.address)) == 3
    # Declared as it is not: said as the broker says it.
    monkeypatch.setattr(jobs_broker, "MOST_MESSAGES", 4)
    with pytest.raises(WorkbenchError) as refused:
        announce(local_registry, Broker(broker.address))
    assert refused.value.code == "courtier_refuse"
    assert "essai.petite" in str(refused.value)


def test_jobs_of_one_process_are_nobody_else_s(local_registry: Registry, broker: Broker, tmp_path: Path) -> None:
    spec = JobSpec("balance", (2018, 2020), base="absente", sirets=(NOBODY,))
    submit(local_registry, [Wanted(spec, ["a"])], author=ANNE, folder=tmp_path, name="liste", shared=False)
    (job,) = jobs_of(local_registry, ANNE)
    assert (_waiting(broker), announce(local_registry, broker)) == (0, 0)
    assert claim(local_registry, "w", job=job.id) is None


# --- what is heard --------------------------------------------------------------------------------------------------


def test_what_is_not_an_identifier_is_refused(broker: Broker, node: RabbitMQ, caplog: pytest.LogCaptureFixture) -> None:
    json = {"content_type": "application/json", "content_encoding": "utf-8"}
    false = [
        (b"\x80\x04.", {"content_type": "application/x-python-serialize", "content_encoding": "binary"}, None),
        (b"id: 1", {"content_type": "application/x-yaml", "content_encoding": "utf-8"}, TASK),
        (b"{", json, TASK),
        (b"[[1], {}, {}]", json, TASK),
        (b'[["../../etc"], {}, {}]', json, TASK),
        (b'[["a", "b"], {}, {}]', json, TASK),
        (b'[["a"], {"autre": 1}, {}]', json, TASK),
        (b'[["a"], {}, {}]', json, "celery.accumulate"),
        (b'{"a": 1}', json, None),
    ]
    with Connection(node.url) as link, link.Producer() as producer:
        for body, kind, task in false:
            headers = {} if task is None else {"task": task, "id": "essai", "lang": "py"}
            producer.publish(body, routing_key=QUEUE, headers=headers, **kind)
    with broker.line() as line:
        assert line.announce("vrai")
    heard: list[str] = []

    def make(job: str) -> bool:
        heard.append(job)
        broker.stop()
        return True

    with caplog.at_level(logging.DEBUG):
        broker.consume("essai@machine", make)
    assert heard == ["vrai"]
    assert _waiting(broker) == 0
    assert "ContentDisallowed" in caplog.text
    assert PASSWORD not in caplog.text


def test_what_a_worker_cannot_do_is_left_to_others(broker: Broker) -> None:
    with broker.line() as line:
        assert line.announce("premier")
        assert line.announce("second")

    def fail(job: str) -> bool:
        raise WorkbenchError("registre_inaccessible", adresse="ici", cause="éteint")

    with pytest.raises(WorkbenchError, match="éteint"):
        broker.consume("essai@machine", fail)
    assert _waiting(broker) == 2

    def stop(job: str) -> bool:
        broker.stop()
        return False

    broker.consume("essai@machine", stop)
    assert _waiting(broker) == 2


def test_said_twice_made_once(
    local_registry: Registry, broker: Broker, demonstration_base: str, sirets: list[str], tmp_path: Path
) -> None:
    to = tmp_path / "to"
    submit(local_registry, _balances(demonstration_base, sirets, 2), author=ANNE, folder=to)
    first, second = sorted(jobs_of(local_registry, ANNE), key=lambda job: job.position)
    with broker.line() as line:
        for identifier in (first.id, "inconnu", second.id, "fin"):
            assert line.announce(identifier)
    worker = Worker(local_registry.address)
    heard = worker._announced

    def last(job: str) -> bool:
        if job == "fin":
            broker.stop()
        return heard(job)

    worker._announced = last  # type: ignore[method-assign]
    worker.listen(broker)
    for job in jobs_of(local_registry, ANNE):
        assert (job.state, job.attempts, job.cause) == (JobState.DONE, 1, "")
    assert len(list(to.iterdir())) == 2


# --- what people read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "redis://:secret@serveur/0",
        "amqp:secret",
        "secret",
        "amqp://u:secret@serveur:port/",
        "amqp:///espace",
        "memory://",
    ],
)
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(WorkbenchError) as refused:
        Broker(address)
    assert refused.value.code == "courtier_adresse"
    assert "secret" not in str(refused.value)


def test_no_password_is_shown(node: RabbitMQ, broker: Broker) -> None:
    for address, code in [
        (node.url.replace(PASSWORD, "faux-secret"), "courtier_refuse"),
        (node.url.rstrip("/") + "/absent", "courtier_refuse"),
        (f"amqp://u:{PASSWORD}@127.0.0.1:1//", "courtier_injoignable"),
    ]:
        with pytest.raises(WorkbenchError) as refused, Broker(address).line():
            pass
        assert refused.value.code == code
        assert "secret" not in str(refused.value)
    assert "secret" not in repr(broker)
    assert PASSWORD not in repr(wb.config.settings())


def test_a_registry_of_one_machine_is_said(
    local_registry: Registry,
    demonstration_base: str,
    trame: Path,
    sirets: list[str],
    tmp_path: Path,
    monkeypatch,
    capsys,
) -> None:
    monkeypatch.setenv("WORKBENCH_REGISTRE", local_registry.address)
    monkeypatch.setenv("WORKBENCH_BROKER", f"amqp://u:{PASSWORD}@127.0.0.1:1//")
    liste = tmp_path / "liste.csv"
    liste.write_text(f"IDENTIFIANT;EXERCICE_MIN;EXERCICE_MAX\n{sirets[0]};2020;2021\n", encoding="utf-8")
    words = ["report", "batch", str(liste), "--trame", str(trame), "--to", str(tmp_path / "to"), "--shared"]
    with pytest.raises(SystemExit) as stop:
        main([*words, "--base", demonstration_base])
    said = capsys.readouterr()
    assert stop.value.code == 0
    assert "SQLite" in said.err
    assert PASSWORD not in said.err
    (job,) = jobs_of(local_registry)
    assert (job.state, job.batch) == (JobState.PENDING, said.out.strip())
    assert _announced(local_registry) == 0


def test_silence_is_told_once(node: RabbitMQ, broker: Broker, local_registry: Registry, tmp_path: Path) -> None:
    told: list[str] = []
    announcer = Announcer(local_registry, Broker(node.url.replace(str(node.port), "1")), told.append)
    announcer.check()
    _some(local_registry, tmp_path)
    _purge(node)
    with local_registry.write() as connection:
        connection.execute(update(jobs).values(announced=None))
    announcer.look()
    assert [re.sub(r".*(ne répond pas).*", r"\1", each, flags=re.DOTALL) for each in told] == ["ne répond pas"]
    announcer.broker, announcer._next = broker, 0.0
    announcer.look()
    assert told[1:] == [f"Le serveur de messages {broker.place} répond de nouveau."]
    assert _waiting(broker) == 1
    wrong = Announcer(local_registry, Broker(node.url.replace(PASSWORD, "faux")), told.append)
    with pytest.raises(WorkbenchError) as refused:
        wrong.check()
    assert refused.value.code == "courtier_refuse"


# --- machines -------------------------------------------------------------------------------------------------------


@pytest.fixture
def machine(broker: Broker, tmp_path: Path, project: Path) -> Iterator[Callable[[Registry], subprocess.Popen[bytes]]]:
    """A function that starts ``workbench worker``, with one worker; what it says is in the file ``dit``."""
    started: list[subprocess.Popen[bytes]] = []

    def start(registry: Registry) -> subprocess.Popen[bytes]:
        environment = os.environ | {"WORKBENCH_REGISTRE": registry.address, "XDG_STATE_HOME": str(tmp_path / "etat")}
        command = [sys.executable, "-m", "workbench.cli", "worker", "--workers", "1"]
        with (tmp_path / "dit").open("ab") as said:
            started.append(subprocess.Popen(command, stderr=said, cwd=project, env=environment, start_new_session=True))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.wait()


def _held(registry: Registry, worker: str) -> bool:
    with registry.read() as connection:
        return connection.execute(select(jobs.c.id).where(jobs.c.worker == worker)).first() is not None


def test_workers_and_the_broker_die(
    postgresql_registry: Registry,
    node: RabbitMQ,
    machine: Callable[[Registry], subprocess.Popen[bytes]],
    demonstration_base: str,
    trame: Path,
    sirets: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry, to = postgresql_registry, tmp_path / "to"
    monkeypatch.setattr(jobs_announce, "MOST_WAITING", 5)

    def ended() -> int:
        with registry.read() as connection:
            return len(connection.execute(select(jobs.c.id).where(jobs.c.state.in_(ENDED))).all())

    wanted = _balances(demonstration_base, sirets, 10) + _reports(demonstration_base, trame, [*sirets, NOBODY])
    submit(registry, wanted, author=ANNE, folder=to, name="liste")
    first = machine(registry)
    with pool(registry, None, 1, None, 3.0) as second:
        (worker,) = second.workers
        _wait(lambda: _held(registry, worker.name))
        # With its machine: nobody says that it died, the broker gives its message to another, its lease runs out.
        worker.process.kill()
        _wait(lambda: ended() >= 5)
        node.kill()
        submit(registry, _balances(demonstration_base, sirets, 4), author=ANNE, folder=to, name="pendant la panne")
        node.start()
        _wait(lambda: ended() == len(wanted) + 4)
        assert first.poll() is None
        first.terminate()
        assert first.wait(LIMIT) == 0
    found = jobs_of(registry, ANNE)
    for job in found:
        right = JobState.EMPTY if job.spec.sirets == (NOBODY,) else JobState.DONE
        assert (job.state, job.cause if right is JobState.DONE else "") == (right, ""), job
        assert set(job.files) == (set() if right is JobState.EMPTY else {"excel"})
    made = {name for job in found for name in job.files.values()}
    assert {path.name for path in to.glob("*.xlsx") if not path.name.startswith("Log_")} == made
    assert len(made) == len(found) - 1
    assert not list(to.glob(".travail-*/*.xlsx"))
    said = (tmp_path / "dit").read_text(encoding="utf-8")
    assert "Prêt : 1 processus" in said
    logs = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "etat").rglob("*.log"))
    assert PASSWORD not in said + logs


def test_what_waits_and_what_runs_is_cancelled(
    local_registry: Registry,
    broker: Broker,
    demonstration_base: str,
    trame: Path,
    sirets: list[str],
    tmp_path: Path,
    project: Path,
) -> None:
    notebook = nbformat.read(project / "notebooks" / "40_rapport_collectivite.ipynb", as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    notebook.cells.append(nbformat.v4.new_code_cell("import time\nfor _ in range(6000):\n    time.sleep(0.1)"))
    nbformat.write(notebook, tmp_path / "lent.ipynb")
    spec = JobSpec(
        "report",
        (2020, 2099),
        base=demonstration_base,
        trame=str(trame),
        sirets=(sirets[0],),
        formats=("html",),
        notebook=str(tmp_path / "lent.ipynb"),
    )
    slow, wanted, to = Wanted(spec, ["lent"]), _balances(demonstration_base, sirets, 2), tmp_path / "to"
    submit(local_registry, [slow, *wanted], author=ANNE, folder=to, name="liste")
    running, cancelled, kept = sorted(jobs_of(local_registry, ANNE), key=lambda job: job.position)
    with pool(local_registry, None, 1, None, 2.0) as workers:
        (worker,) = workers.workers
        _wait(lambda: any(to.glob(".travail-*/.*")))
        assert _waiting(broker) == 2, "a worker that is busy holds no message of others"
        assert cancel(local_registry, ANNE, job=cancelled.id) == 1
        assert cancel(local_registry, ANNE, job=running.id) == 1
        _wait(lambda: jobs_of(local_registry, ANNE, identifiers=[kept.id])[0].state is JobState.DONE)
        assert worker.process.poll() is None, "the worker goes on"
        _wait(lambda: len(list(to.iterdir())) == 1)
    states = {job.id: job.state for job in jobs_of(local_registry, ANNE)}
    assert states == {running.id: JobState.CANCELLED, cancelled.id: JobState.CANCELLED, kept.id: JobState.DONE}
