"""What Production offers and asks for, and what it shows of reports: the real services, in this process."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from in_process import InProcess

from workbench.dashboards.history import RequestsView, published_file, published_rows
from workbench.dashboards.production import BALANCE, ProductionView
from workbench.dgfip import Base, connect, perimetre, select_budgets, sum_comptes
from workbench.errors import WorkbenchError
from workbench.identity.actor import Actor
from workbench.identity.tokens import TokenRules
from workbench.registry import open_registry
from workbench.reports.api_numbers import ROOM as NUMBERS
from workbench.reports.app import create_app
from workbench.reports.client import ReportsClient
from workbench.reports.jobs_leases import claim, conclude
from workbench.reports.jobs_run import run_jobs
from workbench.reports.jobs_tables import ROOM as JOBS
from workbench.store import Desk, Store, open_store

BADGES = {"anne@exemple.fr": {"bfc", "crp"}, "benoit@exemple.fr": {"bfc"}, "eve@exemple.fr": set()}


def actor(email: str) -> Actor:
    return Actor(email, "", "", frozenset(BADGES[email]), datetime(9999, 1, 1, tzinfo=UTC))


class Names:
    """Takes an e-mail for a token: what is verified of tokens is identity's affair."""

    rules = TokenRules("https://id.exemple.fr", "workbench")

    async def verify_async(self, token: str) -> Actor:
        if token not in BADGES:
            raise WorkbenchError("jeton_expire")
        return actor(token)


@pytest.fixture(scope="module")
def base(demonstration_base: str) -> Iterator[Base]:
    with connect(demonstration_base) as opened:
        yield opened


@pytest.fixture
def view(base: Base, project: Path) -> ProductionView:
    return ProductionView(base, project / "trames")


# --- choices


def test_what_is_chosen_narrows_what_is_offered(view: ProductionView) -> None:
    view.choose("nomenclature", "M14")
    view.choose("trame", "m14_basique")
    form = view.form()
    assert form["exercices"] == [*range(2017, 2024)]
    assert (form["first"], form["last"]) == (2018, 2023)  # six at first
    assert [one["value"] for one in form["trames"]][-1] == BALANCE
    names = [one["label"] for one in form["departements"]]
    assert names.index("Hérault (34)") < names.index("Ille-et-Vilaine (35)") < names.index("Paris (75)")
    view.choose("exercices", [2019, 2023])
    view.choose("nomenclature", "M57")
    assert view.form()["exercices"][-1] == 2024


def test_the_exercices_are_those_of_what_is_chosen(view: ProductionView, base: Base, demonstration_siret: str) -> None:
    view.choose("nomenclature", "M57")
    whole = view.exercices
    by_siret: dict[str, set[int]] = {}
    for row in select_budgets(base, perimetre(nomenclature="M57")).to_pylist():
        by_siret.setdefault(row["siret"], set()).add(row["exercice"])
    siret = min(by_siret, key=lambda one: (len(by_siret[one]), one))
    assert len(by_siret[siret]) < len(whole)
    view.add(siret)
    form = view.form()
    assert form["exercices"] == sorted(by_siret[siret])
    assert (form["first"], form["last"]) == (min(by_siret[siret]), max(by_siret[siret]))
    with pytest.raises(WorkbenchError):
        view.choose("exercices", [whole[0] - 1, whole[-1]])
    # What was chosen comes back with the collectivités that have it.
    view.remove(None)
    view.choose("exercices", [whole[0], whole[1]])
    view.add(siret)
    assert set(view.exercices) >= {view.form()["first"], view.form()["last"]}
    view.remove(None)
    assert (view.form()["first"], view.form()["last"]) == (whole[0], whole[1])
    # A balance reads every nomenclature.
    view.add(demonstration_siret)
    view.choose("trame", BALANCE)
    kept = select_budgets(base, perimetre(sirets=demonstration_siret))["exercice"].to_pylist()
    assert list(view.exercices) == sorted(set(kept))
    view.remove(None)
    view.choose("trame", "ofgl_agregats_m57")
    view.choose("mode", "criteria")
    view.choose("departements", ["033"])  # no body of the demonstration is there
    assert view.form()["exercices"] == []
    assert "n'ont pas de comptes en M57" in view.missing()
    view.choose("departements", [])
    view.choose("population", ["1", ""])
    assert view.exercices


def test_a_balance_is_of_identifiers_alone(view: ProductionView) -> None:
    view.choose("mode", "criteria")
    view.choose("trame", BALANCE)
    assert view.form()["mode"] == "identifiers"
    with pytest.raises(WorkbenchError):
        view.choose("mode", "criteria")


def test_a_search_over_the_country_takes_two_characters(view: ProductionView, demonstration_siret: str) -> None:
    assert view.search("f") == []
    found = view.search(demonstration_siret[:9])
    assert demonstration_siret in [one["value"] for one in found]
    assert view.search("FICTÏVE")  # accents and case apart
    view.choose("kind", "SIREN")
    assert demonstration_siret[:9] in [one["value"] for one in view.search("fictive")]
    view.choose("departement", "033")
    assert view.search("") == []  # no body of the demonstration is there


def test_chips_are_of_one_kind_and_of_the_base(view: ProductionView, demonstration_siret: str) -> None:
    assert view.missing()
    view.add(demonstration_siret)
    view.add(f" {demonstration_siret} ")  # twice is once
    assert [chip["value"] for chip in view.form()["chips"]] == [demonstration_siret]
    with pytest.raises(WorkbenchError) as refused:
        view.add("21330063500017")
    assert refused.value.code == "choix_inconnu"
    view.choose("kind", "SIREN")
    assert view.form()["chips"] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nomenclature", "M99"),
        ("trame", "../secret"),
        ("mode", "execute"),
        ("kind", ["SIRET"]),
        ("departement", "999"),
        ("type", "' OR 1=1"),
        ("departements", ["033", "999"]),
        ("types", "101"),
        ("exercices", [1900, 2020]),
        ("exercices", [True, 2020]),
        ("exercices", ["2019", "2020"]),
        ("__class__", "x"),
        (None, None),
    ],
)
def test_what_is_not_offered_changes_nothing(view: ProductionView, name: Any, value: Any) -> None:
    before = view.form()
    with pytest.raises(WorkbenchError) as refused:
        view.choose(name, value)
    assert refused.value.code == "choix_inconnu"
    assert view.form() == before


@pytest.mark.parametrize("value", ["1e3", "-1", "douze"])
def test_a_population_is_written_in_figures(view: ProductionView, value: str) -> None:
    view.choose("mode", "criteria")
    before = view.form()
    with pytest.raises(WorkbenchError, match=f"« {value} »") as refused:
        view.choose("population", [value, ""])
    # There is no list to choose from.
    assert refused.value.code == "perimetre_invalide"
    assert "nombre d'habitants" in refused.value.hint
    assert view.form() == before


def test_criteria_make_an_aggregate(view: ProductionView) -> None:
    view.choose("mode", "criteria")
    assert "critère" in view.missing()
    with pytest.raises(WorkbenchError, match="critère"):
        view.wanted()
    view.choose("departements", ["033", "02A", "033"])
    view.choose("types", ["101"])
    view.choose("population", ["1 000", "500"])
    assert "dépasse" in view.missing()
    view.choose("population", ["500", ""])
    kind, body = view.wanted()
    assert kind == "aggregate"
    assert body["departments"] == ["033", "02A"]
    assert (body["pop_min"], body["pop_max"]) == (500, None)


# --- reports


class World:
    """The service of reports and the store, with the people who ask."""

    def __init__(self, app: Any, registry: Any, store: Store) -> None:
        self.app, self.registry, self.store = app, registry, store

    def client(self, email: str) -> ReportsClient:
        transport = InProcess(self.app)
        return ReportsClient("http://testserver", lambda: email, transport=transport)

    def work(self) -> None:
        """Make what is asked for, as a worker does."""
        while (held := claim(self.registry, "essai", lease=600)) is not None:
            place = held.jobs[0].folder / f".travail-{held.token}"
            place.mkdir(parents=True)
            conclude(self.registry, held.token, list(run_jobs(held.jobs, place, None, 0)))


@pytest.fixture(scope="module")
def world(demonstration_base: str, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("production")
    address = folder / "registre.sqlite"
    with open_registry(address, rooms=[JOBS, NUMBERS]) as registry, open_store(address) as store:
        names: Any = Names()
        app = create_app(
            registry, names, base=demonstration_base, trames=project / "trames", folder=folder / "rapports", store=store
        )
        yield World(app, registry, store)


@pytest.fixture(scope="module")
def made(world: World, base: Base, project: Path, demonstration_siret: str) -> int:
    """The number of a report that Anne asked for through the choices, made."""
    view = ProductionView(base, project / "trames")
    view.choose("nomenclature", "M57")
    view.choose("trame", "ofgl_agregats_m57")
    view.add(demonstration_siret)
    number = world.client("anne@exemple.fr").ask(*view.wanted())
    world.work()
    return number


def test_a_report_is_followed_sorted_and_downloaded(world: World, made: int, demonstration_siret: str) -> None:
    client = world.client("anne@exemple.fr")
    view = RequestsView(client)
    view.meet()
    assert view.badges == ("bfc", "crp")
    balance = {"identifiers": [demonstration_siret], "financial_year_min": 2020, "financial_year_max": 2021}
    waiting = client.ask("balance", balance)
    view.refresh()
    table = view.table()
    assert [row["number"] for row in table["rows"]] == [waiting, made]
    assert table["alive"]
    view.sort("number")
    assert [row["number"] for row in view.table()["rows"]] == [made, waiting]
    view.cancel(waiting)
    assert not view.table()["alive"]
    row = view.table()["rows"][0]
    assert (row["state"], row["publishable"]) == ("DONE", True)
    found = view.download(made)
    assert found is not None
    assert found[0].endswith(".xlsx")
    assert openpyxl.load_workbook(io.BytesIO(found[1])).sheetnames


def test_pages_come_from_the_service_as_they_are_sorted(world: World, demonstration_siret: str) -> None:
    client = world.client("benoit@exemple.fr")
    for number in range(23):
        idents = {"identifiers": [demonstration_siret[:9]], "identifiers_type": "SIREN"} if number % 3 else {}
        body = {"identifiers": [demonstration_siret]} | idents
        years = {"financial_year_min": 2020 + number % 4, "financial_year_max": 2024}
        frame = {"frame": "ofgl_agregats_m57"} if number % 2 else {}
        client.ask("report" if frame else "balance", body | years | frame)
    view = RequestsView(client)
    view.refresh()
    assert (view.table()["pages"], view.table()["total"]) == (3, 23)
    newest = view.table()["rows"][0]["number"]
    view.turn(2)
    assert len(view.table()["rows"]) == 3
    for wrong in (3, -1, True, "1", None):
        view.turn(wrong)
    assert view.table()["page"] == 2
    view.cancel(newest)  # listed on another page
    assert view.table()["total"] == 23
    view.resize(5)
    assert (view.table()["page"], view.table()["pages"]) == (4, 5)
    view.resize(7)
    assert view.table()["size"] == 5
    view.sort("frame; DROP")
    view.resize(50)
    for column in ("trame", "identifiers", "years", "state", "date", "number"):
        view.sort(column)
        rows = view.table()["rows"]
        view.sort(column)
        assert [row["number"] for row in view.table()["rows"]] == [row["number"] for row in rows][::-1], column
        if column == "years":
            assert [row["years"][:4] for row in rows] == sorted(row["years"][:4] for row in rows)
        if column == "state":
            assert rows[0]["step"] == "Annulé"
    view.sort("trame")
    assert {row["trame"] for row in view.table()["rows"][:12]} == {"Balance"}


def test_another_person_neither_sees_nor_takes_it(world: World, made: int) -> None:
    eve = world.client("eve@exemple.fr")
    view = RequestsView(eve)
    view.refresh()
    assert view.table()["total"] == 0
    assert view.download(made) is None
    for act in (lambda: eve.download(made), lambda: eve.cancel(made), lambda: eve.publish(made, [])):
        with pytest.raises(WorkbenchError) as refused:
            act()
        # The same words whether it exists or not.
        assert "Aucune de vos demandes" in refused.value.message


def test_a_session_that_ended_is_told(world: World) -> None:
    with pytest.raises(WorkbenchError) as refused:
        world.client("nobody").requests(1)
    assert refused.value.code == "session_finie"


def test_a_published_report_is_read_by_its_badges_alone(world: World, made: int) -> None:
    view = RequestsView(world.client("anne@exemple.fr"))
    view.refresh()
    with pytest.raises(WorkbenchError):
        view.publish(made, "bfc", "")
    with pytest.raises(WorkbenchError):
        view.publish(made, ["bfc"], "demain")
    assert view.publish(made, [" bfc ", "bfc"], "") == f"Le rapport n° {made} est publié pour qui détient bfc."
    seen = {email: published_rows(Desk(world.store, actor(email)))[0] for email in BADGES}
    assert [len(seen[email]) for email in BADGES] == [1, 1, 0]
    rows, reports = published_rows(Desk(world.store, actor("benoit@exemple.fr")))
    assert rows[0]["files"] == [{"value": "classeur", "label": "Classeur"}]
    found = published_file(reports, 0, "classeur")
    assert found is not None
    assert found.content[:2] == b"PK"
    for place, name in (
        (1, "classeur"),
        (-1, "classeur"),
        (True, "classeur"),
        (0, "valeurs"),
        (0, "../x"),
        ("0", None),
    ):
        assert published_file(reports, place, name) is None


def test_every_kind_of_request_is_published(world: World, base: Base, demonstration_siret: str) -> None:
    client = world.client("anne@exemple.fr")
    years = {"financial_year_min": 2020, "financial_year_max": 2021}
    siren = {"identifiers": [demonstration_siret[:9]], "identifiers_type": "SIREN"}
    frame = {"frame": "ofgl_agregats_m57", "nomenclature": "M57"}
    numbers = [
        client.ask("balance", siren | years),
        client.ask("report", siren | frame | years),
        client.ask("aggregate", {"pop_min": 1} | frame | years),
        client.ask("balance", siren | {"financial_year_min": 2020, "financial_year_max": 2020}),
    ]
    with pytest.raises(WorkbenchError) as refused:
        client.publish(numbers[0], [])  # not made yet
    assert "publié" in refused.value.message
    world.work()
    view = RequestsView(client)
    view.refresh()
    shown = {row["number"]: row for row in view.table()["rows"]}
    for number in numbers:
        assert shown[number]["publishable"], shown[number]
        view.publish(number, ["bfc"], "")
        again = [client.publish(number, ["bfc"]) for _ in range(2)]
        assert again[0] == again[1]  # the same version
    assert shown[numbers[2]]["identifiers"] == "Agrégat : population de 1 et plus"
    rows, found = published_rows(Desk(world.store, actor("benoit@exemple.fr")))
    assert {row["years"] for row in rows} >= {"2020", "2020 à 2021"}
    by_nature = {each.card.get("nature"): each for each in found}
    assert set(by_nature) == {None, "balance", "aggregate"}
    balance, aggregate = by_nature["balance"], by_nature["aggregate"]
    assert balance.card["trame"] is None
    assert "Balance" in balance._repr_html_()
    # Its comptes are those of the base, to the cent.
    budgets = select_budgets(base, perimetre(sirens=demonstration_siret[:9]), range(2020, 2022))
    groups = budgets.select(["siret", "exercice"]).append_column("groupe", pa.array([0] * budgets.num_rows, pa.int64()))
    expected = sum_comptes(base, groups)
    values = balance.values()
    assert list(values.index) == list(
        zip(*(expected[name].to_pylist() for name in ("exercice", "compte")), strict=True)
    )
    assert (values["debit_2"] * 100).round().astype(int).tolist() == expected["debit_2"].to_pylist()
    assert aggregate.title == "Agrégat : population de 1 et plus"
    assert aggregate.card["parametres"]["criteres"] == aggregate.title
    assert aggregate.card["sirets"] == []
    figures = json.loads(aggregate.file("valeurs").content)["tableaux"][0]
    assert figures["sirets"]
    assert published_rows(Desk(world.store, actor("eve@exemple.fr")))[0] == []
