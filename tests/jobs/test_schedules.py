"""Batches that start by themselves: the dates of a cron, one start whoever looks, what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.errors import WorkbenchError
from workbench.registry import Registry, open_registry
from workbench.registry.migrating import differences
from workbench.reports.cron import ZONE, checked_cron, next_run
from workbench.reports.jobs import Batch, batches_of, jobs_of
from workbench.reports.jobs_tables import ROOM as JOBS
from workbench.reports.schedules import (
    ROOM,
    Schedule,
    add_schedule,
    find_schedule,
    pause_schedule,
    remove_schedule,
    resume_schedule,
    run_due,
    schedules_of,
)

ANNE, BENOIT = "anne@exemple.fr", "benoit@exemple.fr"
MONTHLY = "0 6 1 * *"


def paris(text: str) -> datetime:
    """Read a date of the clock of Paris."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


NOVEMBER, DECEMBER = paris("2026-11-22 10:00"), paris("2026-12-01 06:00")


# --- dates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cron", "after", "dates"),
    [
        (MONTHLY, "2026-11-22 10:00", ["2026-12-01 06:00+01:00", "2027-01-01 06:00+01:00"]),
        (MONTHLY, "2026-12-01 05:59", ["2026-12-01 06:00+01:00"]),
        (MONTHLY, "2026-12-01 06:00", ["2027-01-01 06:00+01:00"]),
        ("0 6 1 jul *", "2026-11-22 10:00", ["2027-07-01 06:00+02:00"]),
        ("0 6 L * *", "2027-02-01 00:00", ["2027-02-28 06:00+01:00", "2027-03-31 06:00+02:00"]),
        ("0 6 * * mon#1", "2026-11-22 10:00", ["2026-12-07 06:00+01:00"]),
        ("0 0 29 2 *", "2026-11-22 10:00", ["2028-02-29 00:00+01:00"]),
        ("@monthly", "2026-11-22 10:00", ["2026-12-01 00:00+01:00"]),
        # 2:30 does not exist on 28 March 2027; it comes once on the other days.
        (
            "30 2 * * *",
            "2027-03-27 00:00",
            ["2027-03-27 02:30+01:00", "2027-03-28 03:30+02:00", "2027-03-29 02:30+02:00"],
        ),
        # 2:30 comes twice on 31 October 2027: the first time counts.
        (
            "30 2 * * *",
            "2027-10-30 12:00",
            ["2027-10-31 02:30+02:00", "2027-11-01 02:30+01:00", "2027-11-02 02:30+01:00"],
        ),
        ("0 2,3 * * *", "2027-03-28 00:00", ["2027-03-28 03:00+02:00", "2027-03-29 02:00+02:00"]),
    ],
)
def test_the_dates_of_a_cron(cron: str, after: str, dates: list[str]) -> None:
    moment = paris(after)
    assert checked_cron(cron, moment) == cron.lower()
    for date in dates:
        moment = next_run(cron, moment)
        assert moment == datetime.fromisoformat(date)


def test_after_the_second_time_of_an_hour_that_comes_twice() -> None:
    second = datetime(2027, 10, 31, 1, 0, tzinfo=UTC)  # 2:00 in winter time; 2:30 in summer time was half an hour ago
    assert next_run("30 2 * * *", second) == datetime.fromisoformat("2027-11-01 02:30+01:00")


@given(st.datetimes(datetime(2024, 1, 1), datetime(2040, 1, 1)), st.integers(0, 59), st.integers(0, 23))  # noqa: DTZ001
def test_a_daily_cron_starts_each_day_once(start: datetime, minute: int, hour: int) -> None:
    moment = start.replace(tzinfo=UTC)
    days = []
    for _ in range(3):
        following = next_run(f"{minute} {hour} * * *", moment)
        assert following > moment
        moment = following
        days.append(moment.astimezone(ZONE).date())
    assert [later - sooner for sooner, later in pairwise(days)] == [timedelta(days=1)] * 2


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("", "0 champ au lieu de cinq"),
        ("0 6 1 *", "4 champs au lieu de cinq"),
        ("0 0 6 1 * *", "6 champs au lieu de cinq"),
        ("61 6 1 * *", "la minute « 61 » ne va pas de 0 à 59"),
        ("0 24 1 * *", "l'heure « 24 » ne va pas de 0 à 23"),
        ("0 6 32 * *", "le jour du mois « 32 » ne va pas de 1 à 31"),
        ("0 6 1 13 *", "le mois « 13 » ne va pas de 1 à 12"),
        ("0 6 1 janvier *", "le mois « janvier » ne va pas"),
        ("0 6 * * lundi", "le jour de la semaine « lundi » ne va pas"),
        ("0 6 -1 * *", "le jour du mois « -1 » ne va pas"),
        ("0 R 1 * *", "l'heure « r » ne va pas"),
        ("H 6 1 * *", "la minute « h » ne va pas"),
        ("0 6 30 2 *", "aucune date"),
        ("* 6 1 * *", "moins d'une heure"),
        ("0,30 6 1 * *", "moins d'une heure"),
        ("@reboot", "1 champ au lieu de cinq"),
        ("tous les mois", "3 champs au lieu de cinq"),
    ],
)
def test_a_wrong_cron_is_told(cron: str, said: str) -> None:
    with pytest.raises(WorkbenchError) as refused:
        checked_cron(cron, NOVEMBER)
    assert refused.value.code == "cron_invalide"
    assert said in refused.value.message
    assert "0 6 1 * *" in refused.value.hint


@given(st.text(max_size=30))
def test_no_text_is_a_defect(text: str) -> None:
    try:
        assert next_run(checked_cron(text, NOVEMBER), NOVEMBER) > NOVEMBER
    except WorkbenchError as error:
        assert error.code == "cron_invalide"  # noqa: PT017 - either outcome is right


# --- starts ---------------------------------------------------------------------------------------------------------


class Desk:
    """A registry, a list of one line, and a trame."""

    def __init__(self, registry: Registry, folder: Path, base: str, siret: str) -> None:
        self.registry, self.folder, self.base, self.siret = registry, folder, base, siret
        self.list, self.trame = folder / "liste.csv", folder / "essai.yaml"
        self.list.write_text(f"IDENTIFIANT,EXERCICE_MIN,EXERCICE_MAX\n{siret},2020,2024\n", encoding="utf-8")
        wb.save_trame(wb.trame_from_formules({"A_B": "C7-D7[TA:BX]"}, nomenclature="M57", code="essai"), self.trame)

    def add(self, cron: str = MONTHLY, author: str = ANNE) -> Schedule:
        chosen = {"trame": self.trame, "to": self.folder / "rapports", "base": self.base, "now": NOVEMBER}
        return add_schedule(self.registry, self.list, cron=cron, author=author, **chosen)  # type: ignore[arg-type]

    def run(self, now: datetime) -> list[Batch]:
        return run_due(self.registry, now=now)


@pytest.fixture
def desk(registry_address: str, tmp_path: Path, demonstration: tuple[str, str]) -> Iterator[Desk]:
    with open_registry(registry_address, rooms=[JOBS, ROOM]) as registry:
        yield Desk(registry, tmp_path, *demonstration)


def test_a_batch_starts_at_its_date_and_once(desk: Desk) -> None:
    with desk.registry.read() as connection:
        assert differences(connection, ROOM) == []
    kept = desk.add()
    assert kept.due == DECEMBER
    assert schedules_of(desk.registry, ANNE) == [kept]
    assert batches_of(desk.registry, ANNE) == jobs_of(desk.registry) == [], "a trial keeps nothing"
    assert desk.run(DECEMBER - timedelta(seconds=1)) == []
    (batch,) = desk.run(DECEMBER)
    assert batch.folder == desk.folder / "rapports" / "2026-12-01_06h00"
    assert (batch.author, batch.name, batch.shared, len(jobs_of(desk.registry, batch=batch.id))) == (
        ANNE,
        "liste.csv",
        True,
        1,
    )
    assert desk.run(DECEMBER) == desk.run(DECEMBER + timedelta(days=30)) == []
    (after,) = schedules_of(desk.registry, ANNE)
    assert (after.due, after.last, after.batch) == (paris("2027-01-01 06:00"), DECEMBER, batch.id)


def test_missed_starts_are_made_up_for_once(desk: Desk) -> None:
    desk.add()
    april = paris("2027-04-12 12:00")
    (batch,) = desk.run(april)
    assert batch.folder.name == "2026-12-01_06h00"
    assert desk.run(april) == []
    assert schedules_of(desk.registry, ANNE)[0].due == paris("2027-05-01 06:00")


def test_several_workers_start_it_once(desk: Desk) -> None:
    for _ in range(3):
        desk.add()
    started: list[Batch] = []
    barrier = threading.Barrier(4)

    def look() -> None:
        with open_registry(desk.registry.address, rooms=[JOBS, ROOM]) as registry:
            barrier.wait()
            started.extend(run_due(registry, now=DECEMBER))

    workers = [threading.Thread(target=look) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(started) == len(batches_of(desk.registry, ANNE)) == len(jobs_of(desk.registry)) == 3
    assert {each.batch for each in schedules_of(desk.registry, ANNE)} == {batch.id for batch in started}


def test_what_goes_wrong_is_told_and_tried_the_next_month(desk: Desk) -> None:
    desk.add()
    other = desk.folder / "autre.csv"
    other.write_text(desk.list.read_text(encoding="utf-8"), encoding="utf-8")
    content = desk.list.read_text(encoding="utf-8")
    desk.list.write_text(content.replace(desk.siret, "123"), encoding="utf-8")
    good = add_schedule(
        desk.registry,
        other,
        cron=MONTHLY,
        trame=desk.trame,
        to=desk.folder / "b",
        author=ANNE,
        base=desk.base,
        now=NOVEMBER,
    )
    (batch,) = desk.run(DECEMBER)
    assert batch.name == "autre.csv"
    (wrong,) = [each for each in schedules_of(desk.registry, ANNE) if each.id != good.id]
    assert (wrong.batch, wrong.last, wrong.due) == (None, DECEMBER, paris("2027-01-01 06:00"))
    assert "ligne 2, colonne IDENTIFIANT" in wrong.cause
    desk.list.write_text(content, encoding="utf-8")
    assert len(desk.run(wrong.due)) == 2
    assert {each.cause for each in schedules_of(desk.registry, ANNE)} == {""}


def test_a_pause_is_not_made_up_for(desk: Desk) -> None:
    kept = desk.add()
    assert pause_schedule(desk.registry, kept.id[:20], ANNE).paused
    assert desk.run(DECEMBER + timedelta(days=40)) == []
    resumed = resume_schedule(desk.registry, kept.id, ANNE, now=paris("2027-01-10 00:00"))
    assert (resumed.paused, resumed.due) == (False, paris("2027-02-01 06:00"))
    assert desk.run(paris("2027-01-31 00:00")) == []
    assert len(desk.run(paris("2027-02-01 06:00"))) == 1
    remove_schedule(desk.registry, kept.id, ANNE)
    assert desk.run(paris("2028-01-01 00:00")) == schedules_of(desk.registry, ANNE) == []
    assert len(batches_of(desk.registry, ANNE)) == 1


def test_people_have_their_own(desk: Desk) -> None:
    kept = desk.add()
    assert schedules_of(desk.registry, BENOIT) == []
    for act in (find_schedule, remove_schedule, pause_schedule, resume_schedule):
        for identifier in (kept.id, "", "absent"):
            with pytest.raises(WorkbenchError) as refused:
                act(desk.registry, identifier, BENOIT)
            assert refused.value.code == "planification_absente"
    assert find_schedule(desk.registry, kept.id, ANNE) == kept


def test_what_would_fail_is_refused_when_it_is_scheduled(desk: Desk) -> None:
    desk.list.write_text("IDENTIFIANT\n", encoding="utf-8")
    with pytest.raises(WorkbenchError) as refused:
        desk.add()
    assert refused.value.code == "liste_refusee"
    assert schedules_of(desk.registry, ANNE) == []


def test_by_its_commands(
    tmp_path: Path, demonstration: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORKBENCH_REGISTRE", str(tmp_path / "registre.sqlite"))
    monkeypatch.setenv("WORKBENCH_COURRIEL", ANNE)
    monkeypatch.chdir(tmp_path)
    base, siret = demonstration

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(["report", "schedule", *arguments])
        said = capsys.readouterr()
        return int(str(stop.value.code)), said.out, said.err

    with open_registry(rooms=[JOBS, ROOM]) as registry:
        Desk(registry, tmp_path, base, siret)
        common = ("add", "liste.csv", "--trame", "essai.yaml", "--to", "rapports", "--base", base, "--cron")
        code, said, told = run(*common, "0 6 1 * lundi")
        assert (code, said) == (ExitCode.REFUSED, "")
        assert "le jour de la semaine « lundi »" in told
        assert "Traceback" not in told
        code, said, told = run(*common, MONTHLY)
        identifier = said.strip()
        assert (code, len(identifier)) == (ExitCode.OK, 26), told
        assert "/20" in told
        assert "à 06h00, heure de Paris" in told
        assert run("pause", identifier)[0] == ExitCode.OK
        assert run("list")[1] == f"{identifier}\t{MONTHLY}\ten pause\tliste.csv\t\n"
        assert run("resume", identifier[:20])[0] == ExitCode.OK
        monkeypatch.chdir("/")  # a worker runs elsewhere
        (batch,) = run_due(registry, now=datetime.now(UTC) + timedelta(days=32))
        assert f": lot {batch.id}" in run("list")[1]
        assert run("remove", identifier)[0] == ExitCode.OK
        assert run("list")[:2] == (ExitCode.OK, "")
        assert run("remove", identifier)[0] == ExitCode.REFUSED
