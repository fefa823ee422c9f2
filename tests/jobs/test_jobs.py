"""Jobs in the registry: asked for, taken once, kept, lost, concluded once; on both databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from workbench.errors import WorkbenchError
from workbench.registry import Registry, open_registry
from workbench.registry.migrating import differences
from workbench.reports.jobs import Job, Wanted, batches_of, cancel, counts, find_batch, jobs_of, retry, submit
from workbench.reports.jobs_leases import MOST_ATTEMPTS, Outcome, claim, conclude, recover, release, renew
from workbench.reports.jobs_purge import purge_requests
from workbench.reports.jobs_spec import JobSpec, stem_of, stored_base
from workbench.reports.jobs_tables import ROOM, JobState, jobs

ANNE, BENOIT = "anne@exemple.fr", "benoit@exemple.fr"


@pytest.fixture
def registry(registry_address: str) -> Iterator[Registry]:
    with open_registry(registry_address, rooms=[ROOM]) as opened:
        yield opened


def _spec(siret: str = "21330063500017", **changes: object) -> JobSpec:
    return JobSpec(**{"kind": "report", "exercices": (2018, 2020), "trame": "m14", "sirets": (siret,)} | changes)  # type: ignore[arg-type]


def _submit(registry: Registry, folder: Path, number: int = 1, author: str = ANNE, **options: object) -> list[Job]:
    wanted = [Wanted(_spec(f"{10**13 + place}"), ["Etat", place]) for place in range(number)]
    batch = submit(registry, wanted, author=author, folder=folder, **options)  # type: ignore[arg-type]
    found = jobs_of(registry, author, batch=batch.id if batch else None)
    return found[:number]


def _made(tmp_path: Path, content: str = "classeur") -> Path:
    work = tmp_path / "travail"
    work.mkdir(exist_ok=True)
    path = work / "x.xlsx"
    path.write_text(content)
    return path


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_the_migrations_make_the_tables_declared(registry: Registry) -> None:
    with registry.read() as connection:
        assert differences(connection, ROOM) == []


def test_a_job_comes_back_as_it_was_asked(registry: Registry, tmp_path: Path) -> None:
    spec = _spec(formats=("pdf", "excel"), parameters={"seuil": 1.5}, population=None, timeout=30)
    assert submit(registry, [Wanted(spec, ["Etat", "é/è"], {"COLONNE": 3})], author=ANNE, folder=tmp_path) is None
    (job,) = jobs_of(registry, ANNE)
    assert job.spec == JobSpec(**vars(spec) | {"formats": ("excel", "pdf")})
    assert (job.state, job.attempts, job.row, job.author) == (JobState.PENDING, 0, {"COLONNE": 3}, ANNE)
    assert job.stem.startswith("Etat_é_è_")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sirets": ("123",)}, "identifiant_invalide"),
        ({"sirets": ()}, "demande_incomplete"),
        ({"trame": ""}, "demande_incomplete"),
        ({"exercices": (2020, 2018)}, "exercices_inverses"),
        ({"exercices": (2018, 99999)}, "exercice_impossible"),
        ({"exercices": (True, 2018)}, "exercice_impossible"),
        ({"formats": ("docx",)}, "demande_formats"),
        ({"formats": ()}, "demande_formats"),
        ({"kind": "balance", "formats": ("html",)}, "demande_formats"),
        ({"kind": "aggregate", "sirets": ()}, "demande_incomplete"),
        ({"kind": "aggregate", "sirets": (), "departements": ("999",)}, "perimetre_invalide"),
    ],
)
def test_what_cannot_be_made_is_refused_whole(tmp_path: Path, changes: dict[str, object], code: str) -> None:
    with open_registry(tmp_path / "r.sqlite", rooms=[ROOM]) as registry:
        with pytest.raises(WorkbenchError) as refused:
            submit(registry, [Wanted(_spec(), ["a"]), Wanted(_spec(**changes), ["b"])], author=ANNE, folder=tmp_path)
        assert refused.value.code == code
        assert jobs_of(registry) == []


def test_a_password_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql://lecteur:secret@serveur/base"
    with pytest.raises(WorkbenchError) as refused:
        stored_base(url)
    assert refused.value.code == "base_mot_de_passe"
    monkeypatch.setenv("WORKBENCH_BASE", url)
    assert stored_base(url) == ""
    assert stored_base(None) == ""
    assert stored_base("postgresql://lecteur@serveur/base") == "postgresql://lecteur@serveur/base"


def test_names_are_reserved(registry: Registry, tmp_path: Path) -> None:
    moment = registry_moment(registry)
    (tmp_path / f"{stem_of(['a'], moment)}.xlsx").write_text("déjà là")
    wanted = [Wanted(_spec(), [name]) for name in ("a", "A", "b")]
    submit(registry, wanted, author=ANNE, folder=tmp_path, moment=moment)
    submit(registry, wanted, author=BENOIT, folder=tmp_path, moment=moment)
    stems = [job.stem for job in jobs_of(registry)]
    assert len({stem.casefold() for stem in stems}) == 6
    assert stem_of(["a"], moment) not in stems


def registry_moment(registry: Registry):
    with registry.read() as connection:
        return registry.now(connection)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/racine", "..", "a\0b", "é" * 300, "C:\\x", ".caché", "=1+1"])
def test_a_name_stays_in_its_folder(name: str, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    stem = stem_of([name], datetime(2026, 1, 1, tzinfo=UTC))
    assert (tmp_path / f"{stem}.echec.ipynb").resolve().parent == tmp_path.resolve()
    assert not stem.startswith(".")
    (tmp_path / f"{stem}.echec.ipynb").write_text("")


def test_people_see_their_own(registry: Registry, tmp_path: Path) -> None:
    mine = _submit(registry, tmp_path, 3, name="liste")
    _submit(registry, tmp_path, 2, BENOIT, name="autre")
    assert {job.author for job in jobs_of(registry, ANNE)} == {ANNE}
    (batch,) = batches_of(registry, ANNE)
    assert find_batch(registry, batch.id[:20], ANNE) == batch
    for identifier in (batch.id, "absent", ""):
        with pytest.raises(WorkbenchError) as refused:
            find_batch(registry, identifier, BENOIT)
        assert refused.value.code == "lot_absent"
    assert cancel(registry, BENOIT, batch=batch.id) == 0
    assert cancel(registry, BENOIT, job=mine[0].id) == 0
    assert counts(registry, batch.id)[JobState.PENDING] == 3


def test_each_job_is_taken_once(registry: Registry, tmp_path: Path) -> None:
    wanted = [Wanted(_spec(formats=("html",)), ["Etat", place]) for place in range(60)]
    submit(registry, wanted, author=ANNE, folder=tmp_path)
    taken: list[str] = []

    def take(name: str) -> None:
        while (held := claim(registry, name)) is not None:
            taken.extend(job.id for job in held.jobs)

    threads = [threading.Thread(target=take, args=(str(number),)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(job.id for job in jobs_of(registry))


def test_a_group_is_taken_by_shares(registry: Registry, tmp_path: Path) -> None:
    _submit(registry, tmp_path, 40)
    sizes = []
    while (held := claim(registry, "w")) is not None:
        assert len({job.spec.grouping for job in held.jobs}) == 1
        sizes.append(len(held.jobs))
    assert sum(sizes) == 40
    assert sizes[0] == 10
    assert sizes[-1] == 1


def test_batches_kept_to_one_process(registry: Registry, tmp_path: Path) -> None:
    _submit(registry, tmp_path, 2, name="liste", shared=False)
    (batch,) = batches_of(registry, ANNE)
    assert claim(registry, "w") is None
    assert claim(registry, "w", batch=batch.id) is not None


def test_a_conclusion_puts_the_file_in_place(registry: Registry, tmp_path: Path) -> None:
    (job,) = _submit(registry, tmp_path / "to")
    (tmp_path / "to").mkdir()
    held = claim(registry, "w")
    assert held is not None
    outcome = Outcome(job.id, JobState.DONE, {"excel": _made(tmp_path)}, facts={"snapshot": "1"}, seconds=1.5)
    assert conclude(registry, held.token, [outcome]) == {job.id}
    (done,) = jobs_of(registry, ANNE)
    assert (done.state, done.files, done.seconds) == (JobState.DONE, {"excel": f"{job.stem}.xlsx"}, 1.5)
    assert _files(tmp_path / "to") == [f"{job.stem}.xlsx"]
    assert conclude(registry, held.token, [outcome]) == set()
    assert claim(registry, "w") is None


def test_a_conclusion_that_fails_changes_nothing(registry: Registry, tmp_path: Path) -> None:
    (job,) = _submit(registry, tmp_path / "absent")
    held = claim(registry, "w")
    assert held is not None
    with pytest.raises(OSError, match="absent"):
        conclude(registry, held.token, [Outcome(job.id, JobState.DONE, {"excel": _made(tmp_path)})])
    assert jobs_of(registry, ANNE)[0].state is JobState.RUNNING


def test_a_worker_believed_dead_leaves_nothing(registry: Registry, tmp_path: Path) -> None:
    (job,) = _submit(registry, tmp_path)
    late = claim(registry, "late", lease=0.01)
    time.sleep(0.05)
    other = claim(registry, "other")
    assert late is not None
    assert other is not None
    assert renew(registry, late.token) == set()
    assert conclude(registry, late.token, [Outcome(job.id, JobState.DONE, {"excel": _made(tmp_path, "a")})]) == set()
    assert conclude(registry, other.token, [Outcome(job.id, JobState.DONE, {"excel": _made(tmp_path, "b")})])
    assert (tmp_path / f"{job.stem}.xlsx").read_text() == "b"
    assert jobs_of(registry, ANNE)[0].attempts == 2


def test_a_lease_that_is_renewed_is_kept(registry: Registry, tmp_path: Path) -> None:
    (job,) = _submit(registry, tmp_path)
    held = claim(registry, "w", lease=0.01)
    assert held is not None
    assert renew(registry, held.token, lease=60) == {job.id}
    time.sleep(0.05)
    assert claim(registry, "other") is None


def test_a_job_that_kills_its_workers_ends(registry: Registry, tmp_path: Path) -> None:
    folder = tmp_path / "to"
    folder.mkdir()
    (job,) = _submit(registry, folder)
    # A worker died after it had put the file in place and before that was recorded.
    (folder / f"{job.stem}.xlsx").write_text("orphelin")
    for _ in range(MOST_ATTEMPTS):
        assert claim(registry, "w") is not None
        recover(registry, ["w"])
    (ended,) = jobs_of(registry, ANNE)
    assert ended.state is JobState.FAILED
    assert f"{MOST_ATTEMPTS} fois" in ended.cause
    assert _files(folder) == []
    assert claim(registry, "w") is None


def test_a_worker_that_stops_gives_back(registry: Registry, tmp_path: Path) -> None:
    _submit(registry, tmp_path)
    for _ in range(3 * MOST_ATTEMPTS):
        held = claim(registry, "w")
        assert held is not None
        release(registry, held.token)
    (job,) = jobs_of(registry, ANNE)
    assert (job.state, job.attempts) == (JobState.PENDING, 0)


def test_a_passing_failure_is_tried_again_later(registry: Registry, tmp_path: Path) -> None:
    (job,) = _submit(registry, tmp_path)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        held = claim(registry, "w")
        assert held is not None
        conclude(registry, held.token, [Outcome(job.id, JobState.FAILED, cause="injoignable", again=True)])
        (now,) = jobs_of(registry, ANNE)
        assert now.state is (JobState.PENDING if attempt < MOST_ATTEMPTS else JobState.FAILED)
        assert claim(registry, "w") is None
        with registry.write() as connection:
            connection.execute(update(jobs).values(not_before=None))
    assert now.cause == "injoignable"
    assert retry(registry, ANNE, job=job.id) == 1
    assert claim(registry, "w") is not None


def test_cancelled_at_once_whatever_its_worker_does(registry: Registry, tmp_path: Path) -> None:
    (job,) = _submit(registry, tmp_path / "to")
    held = claim(registry, "w")
    assert held is not None
    assert cancel(registry, ANNE, job=job.id) == 1
    assert renew(registry, held.token) == set()
    assert conclude(registry, held.token, [Outcome(job.id, JobState.DONE, {"excel": _made(tmp_path)})]) == set()
    assert jobs_of(registry, ANNE)[0].state is JobState.CANCELLED
    assert _files(tmp_path / "to") == []
    assert cancel(registry, ANNE, job=job.id) == 0


def test_old_requests_go_with_their_files(registry: Registry, tmp_path: Path) -> None:
    place = tmp_path / "api"
    for folder, number in ((place / "2026-01-02", 1), (tmp_path / "elsewhere", 1), (place / "lot", 2)):
        folder.mkdir(parents=True)
        _submit(registry, folder, number)
        while held := claim(registry, "w"):
            for job in held.jobs:
                (tmp_path / job.id).mkdir()
            done = [Outcome(job.id, JobState.DONE, {"excel": _made(tmp_path / job.id)}) for job in held.jobs]
            conclude(registry, held.token, done)
    (waiting,) = (job for job in _submit(registry, place / "2026-01-03") if job.state is JobState.PENDING)
    kept = {job.id for job in jobs_of(registry, ANNE)}
    assert purge_requests(registry, timedelta(days=1), place) == 0
    assert {job.id for job in jobs_of(registry, ANNE)} == kept
    assert purge_requests(registry, timedelta(0), place) == 1
    left = jobs_of(registry, ANNE)
    assert sorted(str(job.folder.name) for job in left) == ["2026-01-03", "elsewhere", "lot", "lot"]
    assert not (place / "2026-01-02").exists()
    assert len(_files(tmp_path / "elsewhere")) == 1
    assert len(_files(place / "lot")) == 2
    assert waiting.id in {job.id for job in left}
    assert purge_requests(registry, timedelta(0), place) == 0
