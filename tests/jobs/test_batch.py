"""Batches: lists read and refused, workers that make every kind of job, deaths at random, log and index."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

import workbench as wb
from workbench.dgfip import connect, select_budgets
from workbench.errors import WorkbenchError
from workbench.evaluation import evaluate_apart
from workbench.registry import Registry, open_registry
from workbench.reports.batch import BatchResult, conclude_batch, run_batch, submit_batch
from workbench.reports.batch_list import read_batch_list
from workbench.reports.jobs import Batch, Job, Wanted, cancel, jobs_of, submit
from workbench.reports.jobs_pool import Pool, pool
from workbench.reports.jobs_spec import JobSpec
from workbench.reports.jobs_tables import ENDED, ROOM, JobState
from workbench.reports.jobs_worker import Worker

ANNE = "anne@exemple.fr"
HEADING = "IDENTIFIANT;CODE_DEPARTEMENT;EXERCICE_MIN;EXERCICE_MAX;LIBELLE_DE_BUDGET"


@pytest.fixture
def registry(registry_address: str) -> Iterator[Registry]:
    with open_registry(registry_address, rooms=[ROOM]) as opened:
        yield opened


@pytest.fixture
def local_registry(tmp_path: Path) -> Iterator[Registry]:
    with open_registry(tmp_path / "registre.sqlite", rooms=[ROOM]) as opened:
        yield opened


@pytest.fixture(scope="module")
def trame(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trames") / "essai.yaml"
    formules = {"A_PRODUITS": "C7-D7[TA:BX]", "A_CHARGES": "D6-C6[TA:BX]", "A_EVOLUTION": "A_PRODUITS[OS:M1]"}
    wb.save_trame(wb.trame_from_formules(formules, nomenclature="M57", code="essai"), path)
    return path


@pytest.fixture(scope="module")
def sirets(demonstration_base: str) -> list[str]:
    with connect(demonstration_base) as base:
        return sorted(set(select_budgets(base, wb.perimetre(types=["101"]), None)["siret"].to_pylist()))


def _list(folder: Path, sirets: list[str], repeated: int = 1) -> Path:
    lines = [
        f"{siret};;2020;{2100 - turn};Commune n° {place}"
        for turn in range(repeated)
        for place, siret in enumerate(sirets)
    ]
    path = folder / "liste.csv"
    path.write_text("\n".join([HEADING, *lines, "99999999999999;;2020;2021;Absente"]), encoding="utf-8")
    return path


def _one(registry: Registry, folder: Path, **spec: object) -> Job:
    submit(registry, [Wanted(JobSpec(**spec), ["essai"])], author=ANNE, folder=folder)  # type: ignore[arg-type]
    Worker(registry.address).run(until_idle=True)
    return jobs_of(registry, ANNE)[0]


def test_apart_is_what_evaluate_gives(demonstration_base: str, trame: Path) -> None:
    loaded = wb.load_trame(trame)
    with connect(demonstration_base) as base:
        found = dict(evaluate_apart(loaded, base, wb.perimetre(types=["101"]), range(2020, 2100)))
        for siret, table in found.items():
            alone = wb.evaluate(loaded, base, sirets=[siret], types=["101"], exercices=range(2020, 2100))
            assert table.equals(alone)
            assert table.provenance.budgets.equals(alone.provenance.budgets)
            assert table.provenance.avertissements == alone.provenance.avertissements
            assert table.provenance.exercices == alone.provenance.exercices
    assert len(found) >= 6


def test_every_kind_of_job(
    local_registry: Registry, demonstration_base: str, trame: Path, sirets: list[str], tmp_path: Path
) -> None:
    to, common = tmp_path / "to", {"base": demonstration_base, "exercices": (2020, 2099)}
    report = common | {"kind": "report", "trame": str(trame)}
    made = {
        "alone": _one(local_registry, to, **report, sirets=(sirets[0],)),
        "together": _one(local_registry, to, **report, sirets=tuple(sirets)),
        "siren": _one(local_registry, to, **report, sirens=(sirets[0][:9],)),
        "balance": _one(local_registry, to, **common, kind="balance", sirets=(sirets[0],)),
        "aggregate": _one(local_registry, to, **common, kind="aggregate", trame=str(trame), types=("101",)),
    }
    with connect(demonstration_base) as base:
        loaded = wb.load_trame(trame)
        for name, job in made.items():
            assert (job.state, job.cause) == (JobState.DONE, ""), name
            assert (to / job.files["excel"]).stat().st_size > 5_000
            if name != "balance":
                wanted = job.spec.perimetre()
                table = wb.evaluate(loaded, base, perimetre=wanted, exercices=job.spec.years)
                last = table[table.columns[-1]]
                assert job.facts["indicateurs"] == {code: float(value) for code, value in last.items()}
    assert made["together"].facts["indicateurs"]["A_PRODUITS"] == made["aggregate"].facts["indicateurs"]["A_PRODUITS"]
    assert sorted(path.name for path in to.iterdir()) == sorted(job.files["excel"] for job in made.values())


def test_what_is_empty_and_what_fails(
    local_registry: Registry, demonstration_base: str, trame: Path, tmp_path: Path
) -> None:
    to, common = tmp_path / "to", {"base": demonstration_base, "exercices": (2020, 2099)}
    nobody = _one(local_registry, to, **common, kind="report", trame=str(trame), sirets=("99999999999999",))
    assert nobody.state is JobState.EMPTY
    assert "99999999999999" in nobody.cause
    balance = _one(local_registry, to, **common, kind="balance", sirets=("99999999999999",))
    assert balance.state is JobState.EMPTY
    rich = _one(local_registry, to, **common, kind="aggregate", trame=str(trame), population=(10**9, None))
    assert (rich.state, rich.cause) == (JobState.EMPTY, "Il n'y a pas de SIRET pour les critères donnés.")
    lost = _one(local_registry, to, **common, kind="report", trame="absente.yaml", sirets=("99999999999999",))
    assert lost.state is JobState.FAILED
    assert "absente.yaml" in lost.cause
    assert [path.name for path in to.iterdir()] == []


def _check(result: BatchResult, found: list[Job], folder: Path, formats: tuple[str, ...] = ("excel",)) -> None:
    """Every job ended in the one right state, with its files and no other."""
    expected = {result.log.name, result.index.name}
    for job in found:
        right = JobState.EMPTY if job.spec.sirets == ("99999999999999",) else JobState.DONE
        assert job.state is right, (job.state, job.cause, job.attempts)
        assert set(job.files) == (set(formats) if right is JobState.DONE else set())
        expected |= set(job.files.values())
    assert {path.name for path in folder.iterdir()} == expected
    sheet = openpyxl.load_workbook(result.log)["retour"]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:5] == tuple(HEADING.split(";"))
    assert [row[6] for row in rows[1:]] == [job.state.libelle for job in found]
    assert [row[7] for row in rows[1:]] == [", ".join(job.files.values()) or None for job in found]


def test_a_batch_from_its_list_to_its_log(
    local_registry: Registry, demonstration_base: str, trame: Path, sirets: list[str], tmp_path: Path
) -> None:
    to = tmp_path / "to"
    batch = submit_batch(
        local_registry,
        _list(tmp_path, sirets),
        trame=trame,
        to=to,
        author=ANNE,
        base=demonstration_base,
        prefix="Essai",
    )
    seen: list[int] = []
    result = run_batch(local_registry, batch, workers=1, progress=lambda now: seen.append(sum(now.values())))
    found = jobs_of(local_registry, ANNE, batch=batch.id)
    _check(result, found, to)
    assert set(seen) == {len(sirets) + 1}
    name = found[0].files["excel"]
    assert re.fullmatch(rf"Essai_Etat_essai_{sirets[0]}_2020_2100_Commune_n_0_\d{{8}}_\d\dh\d\d\.xlsx", name)
    page = result.index.read_text(encoding="utf-8")
    assert "://" not in page
    assert page.count("<tr") == len(found) + 1
    again = run_batch(local_registry, batch)
    assert again == result


PARENT = """
import sys
from workbench.registry import open_registry
from workbench.reports.batch import run_batch
from workbench.reports.jobs import batches_of
from workbench.reports.jobs_tables import ROOM
with open_registry(rooms=[ROOM]) as registry:
    run_batch(registry, batches_of(registry, sys.argv[1])[0], workers=2, lease=4)
"""


def _parent(registry: Registry) -> subprocess.Popen[bytes]:
    environment = os.environ | {"WORKBENCH_REGISTRE": registry.address}
    return subprocess.Popen([sys.executable, "-c", PARENT, ANNE], env=environment, stderr=subprocess.DEVNULL)


def _break_connections(registry: Registry) -> None:
    """What a server that restarts does to those who were talking to it."""
    if registry.url.drivername == "sqlite":
        return
    with registry.read() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def _draw(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - which one dies is no secret


def _children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children")
    return [int(each) for each in found.read_text().split()] if found.exists() else []


def _attack(registry: Registry, batch: Batch, draw: random.Random, seconds: float, deaths: int) -> int:
    """Kill workers, the process that began them and connections, at random, while a batch runs."""
    parent, killed = _parent(registry), 0
    deadline = time.monotonic() + 1200
    try:
        while parent.poll() is None or parent.returncode:
            assert time.monotonic() < deadline, "the batch does not end"
            if parent.poll() is not None:
                parent = _parent(registry)
            time.sleep(draw.uniform(0.2, seconds))
            if killed >= deaths:
                continue
            victim = draw.choice(["worker", "worker", "parent", "connections"])
            workers = _children(parent.pid)
            if victim == "connections":
                _break_connections(registry)
            elif victim == "parent":
                parent.kill()
                parent.wait()
            elif workers:
                os.kill(draw.choice(workers), signal.SIGKILL)
            killed += 1
    finally:
        parent.kill()
        parent.wait()
    return killed


DEATHS = int(os.environ.get("WORKBENCH_DEATHS", "0"))
"""How many batches of 200 lines are attacked; by default a single small one, since each of those takes a minute."""


@pytest.mark.timeout(3600)
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the workers in /proc")
@pytest.mark.parametrize("turn", range(max(DEATHS, 1)))
def test_deaths_at_random(
    turn: int, registry: Registry, demonstration_base: str, trame: Path, sirets: list[str], tmp_path: Path
) -> None:
    to = tmp_path / "to"
    lines = 200 if DEATHS else 24
    batch = submit_batch(
        registry,
        _list(tmp_path, sirets, -(-lines // len(sirets))),
        trame=trame,
        to=to,
        author=ANNE,
        base=demonstration_base,
    )
    assert _attack(registry, batch, _draw(turn), 4.0 if DEATHS else 1.5, 6 if DEATHS else 3) >= 1
    result = run_batch(registry, batch, workers=1)
    _check(result, jobs_of(registry, ANNE, batch=batch.id), to)


def test_interrupted_then_taken_up_again(
    local_registry: Registry, demonstration_base: str, trame: Path, sirets: list[str], tmp_path: Path
) -> None:
    to = tmp_path / "to"
    batch = submit_batch(
        local_registry, _list(tmp_path, sirets, 5), trame=trame, to=to, author=ANNE, base=demonstration_base
    )

    def interrupt(now: dict[JobState, int]) -> None:
        if now[JobState.DONE]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_batch(local_registry, batch, workers=1, progress=interrupt)
    found = jobs_of(local_registry, ANNE, batch=batch.id)
    assert {job.state for job in found} <= {JobState.PENDING, *ENDED}
    assert (to / f"{batch.log}.xlsx").is_file()
    assert any(job.state is JobState.PENDING for job in found)
    # A worker that was deep inside a library is ended with what it held: that was an attempt.
    assert all(job.attempts <= 1 for job in found if job.state is JobState.PENDING)
    _check(run_batch(local_registry, batch, workers=1), jobs_of(local_registry, ANNE, batch=batch.id), to)


def test_a_cancelled_batch_leaves_what_was_done(
    local_registry: Registry, demonstration_base: str, trame: Path, sirets: list[str], tmp_path: Path
) -> None:
    to = tmp_path / "to"
    batch = submit_batch(
        local_registry, _list(tmp_path, sirets), trame=trame, to=to, author=ANNE, base=demonstration_base
    )
    assert cancel(local_registry, ANNE, batch=batch.id) == len(sirets) + 1
    result = run_batch(local_registry, batch)
    assert result.counts[JobState.CANCELLED] == len(sirets) + 1
    assert {path.name for path in to.iterdir()} == {result.log.name, result.index.name}


SLOW_NOTEBOOK = """
import time
for _ in range(600):
    time.sleep(0.1)
"""


def test_a_cancelled_notebook_stops(
    local_registry: Registry, demonstration_base: str, trame: Path, sirets: list[str], tmp_path: Path, project: Path
) -> None:
    import nbformat

    notebook = nbformat.read(project / "notebooks" / "40_rapport_collectivite.ipynb", as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    notebook.cells.append(nbformat.v4.new_code_cell(SLOW_NOTEBOOK))
    slow = tmp_path / "lent.ipynb"
    nbformat.write(notebook, slow)
    spec = JobSpec(
        "report",
        (2020, 2099),
        base=demonstration_base,
        trame=str(trame),
        sirets=(sirets[0],),
        formats=("html",),
        notebook=str(slow),
    )
    to = tmp_path / "to"
    submit(local_registry, [Wanted(spec, ["lent"])], author=ANNE, folder=to)
    (job,) = jobs_of(local_registry, ANNE)
    with pool(local_registry, None, 1, None, 2.0) as running:
        _wait(lambda: any(to.glob(".travail-*/.*")), running)
        assert cancel(local_registry, ANNE, job=job.id) == 1
        _wait(lambda: not any(to.iterdir()), running)
    assert jobs_of(local_registry, ANNE)[0].state is JobState.CANCELLED


def _wait(met: object, running: Pool) -> None:
    deadline = time.monotonic() + 180
    while not met():  # type: ignore[operator]
        assert time.monotonic() < deadline
        assert running.workers[0].process.poll() is None
        time.sleep(0.1)


def test_a_notebook_report_in_all_formats(
    local_registry: Registry, demonstration_base: str, demonstration_siret: str, project: Path, tmp_path: Path
) -> None:
    path = project / "trames" / "ofgl_agregats_m57.yaml"
    to = tmp_path / "to"
    job = _one(
        local_registry,
        to,
        kind="report",
        exercices=(2020, 2099),
        base=demonstration_base,
        trame=str(path),
        sirets=(demonstration_siret,),
        formats=("excel", "html", "notebook"),
    )
    assert (job.state, job.cause) == (JobState.DONE, "")
    assert sorted(path.name for path in to.iterdir()) == sorted(job.files.values())
    assert set(job.files) == {"excel", "html", "notebook"}
    assert job.facts["indicateurs"]


def _mend_for(running: Pool, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.05)
        running.mend()


def test_workers_that_cannot_start_are_given_up(
    local_registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.reports.jobs_pool.DEATHS_SECONDS", 0.0)
    monkeypatch.setattr("workbench.reports.jobs_pool.sys.executable", "/bin/false")
    with pool(local_registry, None, 1, None) as running, pytest.raises(WorkbenchError) as refused:
        _mend_for(running, 10.0)
    assert refused.value.code == "travailleurs_arretes"


GOOD = "21330063500017;033;2018;2020;Bordeaux"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["IDENTIFIANT;EXERCICE_MIN", "1;2"], "ligne 1 : il manque la colonne EXERCICE_MAX"),
        ([HEADING], "ligne 2 : aucune ligne"),
        ([""], "il manque la colonne IDENTIFIANT"),
        (
            [HEADING, GOOD, "2133006350001;033;2018;2020;x"],
            "ligne 3, colonne IDENTIFIANT : « 2133006350001 » n'est pas",
        ),
        ([HEADING, "213300635;;2018;2020;x"], "est un SIREN"),
        ([HEADING, "2,13E+13;;2018;2020;x"], "format Texte"),
        ([HEADING, ";;2018;2020;x"], "colonne IDENTIFIANT : elle est vide"),
        ([HEADING, GOOD.replace("2018", "20X8")], "ligne 2, colonne EXERCICE_MIN : « 20X8 » n'est pas une année"),
        ([HEADING, GOOD.replace("2018", "2021")], "2020 vient avant EXERCICE_MIN, 2021"),
        ([HEADING, GOOD.replace("033", "999")], "colonne CODE_DEPARTEMENT : « 999 » n'est pas un département"),
        ([HEADING + ";Identifiant;IDENTIFIANT", GOOD], "la colonne IDENTIFIANT est écrite deux fois"),
    ],
)
def test_a_list_that_cannot_be_run(lines: list[str], said: str, tmp_path: Path) -> None:
    path = tmp_path / "mauvaise.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(WorkbenchError) as refused:
        read_batch_list(path)
    assert refused.value.code == "liste_refusee"
    assert said in str(refused.value)
    assert "mauvaise.csv" in str(refused.value)


def test_every_problem_of_a_list_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mauvaise.csv"
    path.write_text("\n".join([HEADING, *["1;;a;b;x"] * 30]), encoding="utf-8")
    with pytest.raises(WorkbenchError, match="90 erreurs") as refused:
        read_batch_list(path)
    assert "et 70 autres" in str(refused.value)


@pytest.mark.parametrize("name", ["absente.csv", "liste.docx", "fausse.xlsx", "binaire.csv"])
def test_a_file_that_is_no_list(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name != "absente.csv":
        path.write_bytes(b"PK\x03\x04\0\0" * 50)
    with pytest.raises(WorkbenchError) as refused:
        read_batch_list(path)
    assert refused.value.code == ("liste_absente" if name == "absente.csv" else "liste_illisible")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_csv_as_people_have_it(encoding: str, separator: str, tmp_path: Path) -> None:
    heading = ["Identifiant", "Exercice min", "EXERCICE_MAX", "Libellé de budget", "Note"]
    path = tmp_path / "liste.csv"
    rows = [heading, ["213 300 635 00017", "2018", "2020", "Saint-Étienne", "à voir"], [""] * 5]
    path.write_text("\r\n".join(separator.join(row) for row in rows), encoding=encoding)
    read = read_batch_list(path)
    (line,) = read.lines
    assert (line.number, line.siret, line.exercices, line.libelle) == (
        2,
        "21330063500017",
        (2018, 2020),
        "Saint-Étienne",
    )
    assert line.row["Note"] == "à voir"
    assert read.columns == tuple(heading)


def test_a_workbook_as_people_have_it(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(["EXERCICE_MAX", "IDENTIFIANT", "EXERCICE_MIN", "CODE_DEPARTEMENT", None, "LIBELLE_DE_BUDGET"])
    sheet.append([2020, 1330063500017, 2018.0, 33, None, "=2+2"])
    sheet.append([None] * 6)
    sheet.append(["2020", "21330063500017", "2018", "2a", None, "été"])
    workbook.save(tmp_path / "liste.xlsx")
    read = read_batch_list(tmp_path / "liste.xlsx")
    assert [(line.number, line.siret) for line in read.lines] == [(2, "01330063500017"), (4, "21330063500017")]
    assert read.lines[0].exercices == (2018, 2020)


def test_nothing_is_kept_of_a_refused_batch(
    local_registry: Registry, demonstration_base: str, trame: Path, sirets: list[str], tmp_path: Path
) -> None:
    good = {
        "path": _list(tmp_path, sirets),
        "trame": trame,
        "to": tmp_path / "to",
        "author": ANNE,
        "base": demonstration_base,
    }
    (tmp_path / "faux.xlsx").write_text("x")
    for change, code in [
        ({"trame": "absente.yaml"}, "trame_fichier_absent"),
        ({"base": tmp_path / "absente.duckdb"}, "base_absente"),
        ({"model": tmp_path / "faux.xlsx"}, "modele_illisible"),
        ({"shown": ["Z_ABSENT"]}, "indicateur_absent"),
        ({"formats": ["html"], "notebook": "absent.ipynb"}, "notebook_absent"),
        ({"to": tmp_path / "faux.xlsx" / "to"}, "dossier_non_inscriptible"),
        # It is there, and nobody can make a file in it.
        ({"to": "/proc/self"}, "dossier_non_inscriptible"),
    ]:
        with pytest.raises(WorkbenchError) as refused:
            submit_batch(local_registry, **good | change)  # type: ignore[arg-type]
        assert refused.value.code == code
        assert "No such" not in str(refused.value)
    assert jobs_of(local_registry) == []
    assert not (tmp_path / "to").exists()


def test_what_people_write_runs_nowhere(
    local_registry: Registry, demonstration_base: str, trame: Path, tmp_path: Path
) -> None:
    path = tmp_path / "liste.csv"
    evil = '<img src=x onerror=alert(1)>"<!--lignes-->'
    path.write_text(
        f"{HEADING}\n99999999999999;;2020;2021;{evil}\n99999999999999;;2020;2021;=HYPERLINK(1)\n", encoding="utf-8"
    )
    batch = submit_batch(local_registry, path, trame=trame, to=tmp_path / "to", author=ANNE, base=demonstration_base)
    result = conclude_batch(local_registry, batch)
    page = result.index.read_text(encoding="utf-8")
    assert "<img" not in page
    assert page.count("<tbody>") == 1
    cell = openpyxl.load_workbook(result.log)["retour"]["E3"]
    assert (cell.value, cell.data_type) == ("=HYPERLINK(1)", "s")
