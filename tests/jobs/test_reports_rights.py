"""Requests on accounts that are not published: what their author may not see is no part of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import workbench as wb
from workbench.dgfip.identifiers import list_identifiers
from workbench.identity.actor import Actor
from workbench.identity.alone import AloneVerifier
from workbench.identity.tokens import TokenRules, TokenVerifier
from workbench.registry import Registry, open_registry
from workbench.reports import publishing
from workbench.reports.api_catalogue import Catalogue
from workbench.reports.api_desk import Desk
from workbench.reports.api_numbers import ROOM as NUMBERS
from workbench.reports.api_requests import aggregate_wanted, balance_wanted, report_wanted
from workbench.reports.jobs import Job, Wanted, jobs_of
from workbench.reports.jobs_leases import Outcome
from workbench.reports.jobs_run import run_jobs
from workbench.reports.jobs_spec import JobSpec
from workbench.reports.jobs_tables import ROOM, JobState
from workbench.reports.visible_budgets import publish_budgets
from workbench.store import Store, open_store

BORDEAUX, TOULOUSE = "21330063500017", "21310555400017"
GIRONDE = frozenset({"dgfip:033", "dgfip:M14"})
EVERYWHERE = GIRONDE | {"dgfip:031"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base of two communes, imported from files that are not published, and a trame."""
    made = tmp_path_factory.mktemp("droits")
    (made / "execution.csv").write_text(
        "exercice,ident,fonction,comptes,cptop,cptdeb,cptcre,dp\n"
        f"2018,{BORDEAUX},,70,2,0,100,D\n2018,{TOULOUSE},,70,2,0,7000,D\n"
    )
    (made / "collectivite.csv").write_text(
        "exer,ident,ndept,insee,lcomm,mpoid,nomen,finess,cnome,lbudg,cbudg,ctype\n"
        f"2018,{BORDEAUX},033,063,UNE,100,M14,,M14,UNE (fictive),1,101\n"
        f"2018,{TOULOUSE},031,555,AUTRE,100,M14,,M14,AUTRE (fictive),1,101\n"
    )
    (made / "comptes.csv").write_text("exer,nomen,compte,libelle\n2018,M14,70,Ventes\n")
    with wb.connect(made / "base.duckdb", read_only=False) as base:
        wb.import_cci(base, execution=made / "execution.csv", collectivite=made / "collectivite.csv")
    (made / "trames").mkdir()
    trame = wb.trame_from_formules({"A_VENTES": "C70[TA:BX]"}, nomenclature="M14", code="essai")
    wb.save_trame(trame, made / "trames" / "essai.yaml")
    return made


@pytest.fixture(scope="module")
def registry(folder: Path) -> Iterator[Registry]:
    with open_registry(folder / "registre.sqlite", rooms=[ROOM, NUMBERS]) as opened:
        yield opened


@pytest.fixture(scope="module")
def store(folder: Path) -> Iterator[Store]:
    with open_store(folder / "registre.sqlite") as opened, wb.connect(folder / "base.duckdb") as base:
        assert publish_budgets(opened, base, "exploitant@exemple.fr") == 3
        yield opened


def desk_of(folder: Path, registry: Registry, store: Store, verifier: TokenVerifier | None = None) -> Desk:
    catalogue = Catalogue(registry, folder / "trames")
    rules = TokenVerifier(TokenRules("https://emetteur.exemple.fr", "workbench"))
    return Desk(registry, catalogue, None, verifier or rules, str(folder / "base.duckdb"), folder / "api", store)


def agent(name: str, badges: frozenset[str]) -> Actor:
    return Actor(f"{name}@exemple.fr", "", "", badges, datetime(2100, 1, 1, tzinfo=UTC))


def made(desk: Desk, actor: Actor, wanted: Wanted, work: Path) -> tuple[Job, Outcome]:
    desk.keep(actor, wanted)
    job = jobs_of(desk.registry, actor.email)[0]
    work.mkdir(exist_ok=True)
    (outcome,) = run_jobs([job], work)
    return job, outcome


def ventes(outcome: Outcome) -> float:
    assert outcome.state is JobState.DONE, outcome.cause
    found: float = outcome.facts["indicateurs"]["A_VENTES"]
    return found


ASKED: dict[str, Any] = {"frame": "essai", "financial_year_min": 2018, "financial_year_max": 2018}
BOTH = ASKED | {"identifiers": [BORDEAUX, TOULOUSE]}


def test_a_report_adds_up_what_its_author_sees(folder: Path, registry: Registry, store: Store, tmp_path: Path) -> None:
    desk = desk_of(folder, registry, store)
    for name, badges, expected in (("une", GIRONDE, 100.0), ("deux", EVERYWHERE, 7100.0)):
        actor = agent(name, badges)
        job, outcome = made(desk, actor, report_wanted(BOTH, desk.catalogue, desk.base), tmp_path / name)
        assert ventes(outcome) == expected
        # What she asked for is shown to her as she wrote it.
        assert desk.shown([job])[0]["identifier"] == f"{BORDEAUX}, {TOULOUSE}"


def test_what_is_published_reads_no_further(
    folder: Path, registry: Registry, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_of(folder, registry, store)
    job, outcome = made(desk, agent("six", GIRONDE), report_wanted(BOTH, desk.catalogue, desk.base), tmp_path / "six")
    # As where the accounts that are hidden stop before the last exercice: nothing that is known differs.
    done = replace(job, state=JobState.DONE, facts={"snapshot": outcome.facts["snapshot"]})
    asked: list[tuple[str, list[str], bytes]] = []

    def published(given: Any, content: Any, *_: Any) -> None:
        asked.append((given.name, content.budgets["siret"].to_pylist(), content.figures))

    monkeypatch.setattr(publishing, "_publish", published)
    publishing.publish_job(done)
    ((name, sirets, figures),) = asked
    assert (name, sirets) == (f"essai_{BORDEAUX}_2018_2018", [BORDEAUX])
    assert TOULOUSE.encode() not in figures


def test_criteria_reach_no_further(folder: Path, registry: Registry, store: Store, tmp_path: Path) -> None:
    desk = desk_of(folder, registry, store)
    wanted = aggregate_wanted(ASKED | {"departments": ["033", "031"]}, desk.catalogue, desk.base)
    assert ventes(made(desk, agent("trois", GIRONDE), wanted, tmp_path / "a")[1]) == 100.0
    hidden = aggregate_wanted(ASKED | {"departments": ["031"]}, desk.catalogue, desk.base)
    assert made(desk, agent("trois", GIRONDE), hidden, tmp_path / "b")[1].state is JobState.EMPTY


def test_what_is_hidden_is_as_what_does_not_exist(
    folder: Path, registry: Registry, store: Store, tmp_path: Path
) -> None:
    desk = desk_of(folder, registry, store)
    actor = agent("quatre", GIRONDE)
    said = []
    for place, siret in enumerate((TOULOUSE, "21310555499999")):
        asked = ASKED | {"identifiers": [siret]}
        for wanted in (report_wanted(asked, desk.catalogue, desk.base), balance_wanted(asked, desk.base)):
            _, outcome = made(desk, actor, wanted, tmp_path / str(place))
            assert outcome.state is JobState.EMPTY
            assert outcome.made == {}
            said.append(outcome.cause.replace(siret, "…"))
    assert said[:2] == said[2:]
    _, outcome = made(desk, actor, balance_wanted(BOTH, desk.base), tmp_path / "balance")
    sheets = openpyxl.load_workbook(outcome.made["excel"])
    cells = [str(cell.value) for sheet in sheets for row in sheet.iter_rows() for cell in row]
    assert any(BORDEAUX in cell for cell in cells)
    assert not any(TOULOUSE in cell or "7000" in cell for cell in cells)


def test_lists_show_what_is_seen(folder: Path, registry: Registry, store: Store) -> None:
    desk = desk_of(folder, registry, store)
    with wb.connect(folder / "base.duckdb") as base:
        for badges, expected in ((GIRONDE, [BORDEAUX]), (EVERYWHERE, [TOULOUSE, BORDEAUX]), (frozenset(), [])):
            seen = desk.visible(agent("cinq", frozenset(badges)), base).sirets
            assert list_identifiers(base, "SIRET", among=seen)["identifiant"].to_pylist() == expected
        alone = desk_of(folder, registry, store, AloneVerifier("seule@exemple.fr"))
        assert alone.visible(agent("seule", frozenset()), base).sirets is None


def test_nobody_to_see_is_not_everybody() -> None:
    spec = JobSpec("report", (2018, 2018), trame="essai", sirets=(BORDEAUX,), among=())
    again = JobSpec.of(spec.to_json())
    assert again == spec
    assert again.grouping is None
    assert again.perimetre().sirets == ()
    assert JobSpec.of(JobSpec("balance", (2018, 2018)).to_json()).among is None
