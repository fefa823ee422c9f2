"""Collectivité and Comparaison on accounts that are not published: an agent of one département, an analyst, a stranger.

What an agent may not see is looked for where it would be: the page, every message that its browser received, the files
that she takes away. Each page is read by axe-core; screenshots and prints go to the folder of ``--basetemp``.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from people import make_people

pytest.importorskip("voila")
playwright = pytest.importorskip("playwright.sync_api")

from browsers import opened_browser  # noqa: E402
from visits import Visit  # noqa: E402

from workbench.dashboards.communes import places_of_communes  # noqa: E402
from workbench.dgfip import connect, import_cci  # noqa: E402
from workbench.reports.visible_budgets import publish_budgets  # noqa: E402
from workbench.store import open_store  # noqa: E402

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.shared]

MODEL = "21310900200013"
"""The commune of the golden dump whose accounts are given to others, multiplied."""

EACH = 12
"""Communes of a département: a group of fewer than eleven is not told."""

NAMES = {"031": "EN-GARONNE", "033": "EN-GIRONDE"}


def communes_of(code: str) -> list[str]:
    """Return the SIREN of communes of a département, which has its own number in them."""
    return [siren for siren in places_of_communes() if siren.startswith(f"21{code[1:]}")][:EACH]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("droits")


@pytest.fixture(scope="module")
def secret_base(shared: Path, place: Path) -> Path:
    """A base of the CCI: communes of two départements, whose accounts are multiples of those of one."""
    dump = shared / "golden" / "data" / "small"
    owners = [(code, rank, siren) for code in NAMES for rank, siren in enumerate(communes_of(code), 1)]
    for name, year, own in (("collectivite", "exer", "siret"), ("execution", "exercice", "ident")):
        with (dump / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        kept = [row for row in rows if row[own] == MODEL and row[year] >= "2016"]
        with (place / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            written = csv.DictWriter(file, rows[0])
            written.writeheader()
            for code, rank, siren in owners:
                for row in kept:
                    if name == "collectivite":
                        label = f"COMMUNE {NAMES[code]} {rank:02}"
                        told = {"siret": f"{siren}00012", "ident": f"{siren}00012", "ndept": code, "lcomm": label}
                        told |= {"lbudg": label, "insee": str(rank), "mpoid": str(int(row["mpoid"]) * rank)}
                    else:
                        told = {"ident": f"{siren}00012"}
                        told |= {amount: f"{float(row[amount]) * rank * rank:.2f}" for amount in ("cptdeb", "cptcre")}
                    written.writerow(row | told)
    with connect(place / "base.duckdb", read_only=False) as base:
        import_cci(
            base,
            execution=place / "execution.csv",
            collectivite=place / "collectivite.csv",
            comptes=dump / "comptes.csv",
        )
    return place / "base.duckdb"


@pytest.fixture(scope="module")
def server(
    serve: Callable[..., Any], project: Path, secret_base: Path, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    place = tmp_path_factory.mktemp("serveur")
    folder = place / "tableaux"
    folder.mkdir()
    for name in ("collectivite.ipynb", "comparaison.ipynb"):
        shutil.copy(project / "dashboards" / name, folder)
    badges = {"anne": ["dgfip:031", "dgfip:M14"], "benoit": ["dgfip:tout"], "eve": []}
    variables = make_people(place, badges)
    with open_store(variables["WORKBENCH_REGISTRE"]) as store, connect(secret_base) as base:
        assert publish_budgets(store, base, "exploitant@exemple.fr")
    trames = place / "trames"
    trames.mkdir()
    for name in ("m14_basique.yaml", "ofgl_agregats_m14.yaml"):
        shutil.copy(project / "trames" / name, trames)
    return serve(folder, secret_base, trames, **variables)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def visit(browser: Any, server: Any, axe: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    folder = Path(os.environ.get("WORKBENCH_ECRANS") or tmp_path_factory.mktemp("ecrans"))
    folder.mkdir(exist_ok=True)
    opened = Visit(browser, server, axe, folder)
    yield opened
    opened.context.close()
    assert opened.complaints == []
    assert opened.elsewhere == []


def words_of(path: Path) -> str:
    """Return everything that a file of figures says."""
    if path.suffix == ".csv":
        return path.read_text(encoding="utf-8-sig")
    workbook = openpyxl.load_workbook(io.BytesIO(path.read_bytes()), data_only=True)
    return " ".join(str(cell) for sheet in workbook for row in sheet.iter_rows(values_only=True) for cell in row)


def taken(visit: Visit, folder: Path) -> str:
    """Take every file of figures that the page gives; return what they say."""
    said = ""
    buttons = visit.page.get_by_role("button", name=re.compile(r"^Télécharger .*\((Excel|CSV)\)"))
    assert buttons.count() >= 2
    for index in range(buttons.count()):
        with visit.page.expect_download() as given:
            buttons.nth(index).click()
        to = folder / given.value.suggested_filename
        given.value.save_as(to)
        said += words_of(to)
    return said


def choose(page: Any, text: str) -> None:
    page.get_by_role("combobox", name="Collectivité").click()
    page.keyboard.type(text)
    # By its words: that nothing was found is told by an option too.
    found = page.get_by_role("listbox").get_by_role("option")
    playwright.expect(found.filter(has_text=text)).to_have_count(1)
    playwright.expect(found).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    playwright.expect(page.locator(".wb-figure").first).to_be_visible()
    playwright.expect(page.get_by_role("heading", level=2).filter(has_text=text.upper()).first).to_be_visible()


def test_an_agent_sees_her_departement_and_nothing_else(visit: Visit, tmp_path: Path) -> None:
    visit.log_in("anne")
    page = visit.open("collectivite")
    page.get_by_role("combobox", name="Collectivité").click()
    page.keyboard.type("gironde")
    playwright.expect(page.get_by_role("listbox")).to_contain_text("Aucune collectivité ne répond")
    page.get_by_role("combobox", name="Collectivité").fill("")
    # By its number too.
    page.keyboard.type(communes_of("033")[0])
    playwright.expect(page.get_by_role("listbox")).to_contain_text("Aucune collectivité ne répond")
    page.get_by_role("combobox", name="Collectivité").fill("")
    choose(page, "garonne 05")
    playwright.expect(page.locator(".wb-situation table").first).to_be_visible()
    visit.check("collectivite-agent")
    visit.print("collectivite-agent")
    said = taken(visit, tmp_path)
    assert NAMES["031"] in said

    page = visit.open("comparaison")
    playwright.expect(page.locator(".wb-classement tbody tr").first).to_be_visible()
    assert page.locator(".wb-classement tbody tr").count() == EACH
    assert page.locator(".wb-places tbody tr").count() == 1
    page.get_by_label("Par commune").check()
    playwright.expect(page.locator(".wb-disc")).to_have_count(EACH)
    visit.check("comparaison-agent")
    page.locator(".wb-disc").last.click()
    playwright.expect(page.locator(".wb-classement .wb-chip")).to_have_count(1)
    said += taken(visit, tmp_path)
    visit.print("comparaison-agent")

    messages = "".join(visit.received)
    assert NAMES["031"] in messages
    for where, found in (("page", page.content()), ("messages", messages), ("files", said)):
        assert NAMES["033"] not in found, where
        assert not [siren for siren in communes_of("033") if siren in found], where


def test_an_analyst_sees_both(visit: Visit, tmp_path: Path) -> None:
    visit.log_in("benoit")
    page = visit.open("collectivite")
    choose(page, "gironde 05")
    visit.check("collectivite-analyste")
    page = visit.open("comparaison")
    playwright.expect(page.locator(".wb-places tbody tr")).to_have_count(2)
    visit.check("comparaison-analyste")
    page.get_by_label("Par commune").check()
    playwright.expect(page.locator(".wb-disc")).to_have_count(2 * EACH)
    page.screenshot(path=visit.folder / "comparaison-communes.png", full_page=True)
    assert all(name in taken(visit, tmp_path) for name in NAMES.values())


def test_a_stranger_is_told_that_there_is_nothing_for_her(visit: Visit) -> None:
    page = visit.page
    page.goto(f"{visit.server.url}/voila/render/comparaison.ipynb")
    playwright.expect(page.get_by_label("Mot de passe")).to_be_visible()
    visit.log_in("eve")
    page = visit.open("collectivite")
    page.get_by_role("combobox", name="Collectivité").click()
    page.keyboard.type("commune")
    playwright.expect(page.get_by_role("listbox")).to_contain_text("Aucune collectivité ne répond")
    playwright.expect(page.get_by_text("Aucune collectivité ne vous est ouverte")).to_be_visible()
    visit.check("collectivite-inconnue")
    page = visit.open("comparaison")
    playwright.expect(page.get_by_text("Aucune collectivité ne vous est ouverte")).to_be_visible()
    visit.check("comparaison-inconnue")
    messages = "".join(visit.received) + page.content()
    assert not [name for name in NAMES.values() if name in messages]
