"""What a person may see of the accounting base, as the store's policies say it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from workbench.dashboards.collectivite import CollectiviteView
from workbench.dgfip import Base, connect, perimetre, select_budgets
from workbench.dgfip.schema import collectivites
from workbench.errors import WorkbenchError
from workbench.identity.kernel_token import TOKEN_FILE
from workbench.reports.visible_budgets import (
    FEWEST,
    VisibleBudgets,
    badges_of,
    open_data_only,
    publish_budgets,
    visible_budgets,
)
from workbench.store import Desk, Store, open_store
from workbench.store.first_policies import BUDGETS

FAMILIES = frozenset({"dgfip:M14", "dgfip:M57", "dgfip:M49", "dgfip:M4"})


@pytest.fixture(scope="module")
def base(demonstration_base: str) -> Iterator[Base]:
    with connect(demonstration_base) as opened:
        yield opened


@pytest.fixture(scope="module")
def store(base: Base, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("magasin") / "registre.sqlite") as opened:
        assert publish_budgets(opened, base, "exploitant@exemple.fr") > 0
        yield opened


Seen = Callable[..., VisibleBudgets]


@pytest.fixture
def seen(base: Base, store: Store) -> Seen:
    """What holders of badges see."""

    def of(*badges: str, **options: Any) -> VisibleBudgets:
        agent = SimpleNamespace(email="agent@exemple.fr", badges=frozenset(badges))
        return VisibleBudgets(base, lambda: contextlib.nullcontext(Desk(store, agent)), **options)

    return of


def departements_of(base: Base) -> dict[str, set[str]]:
    rows = base.fetch(select(collectivites.c.siret, collectivites.c.departement).distinct()).to_pylist()
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["departement"], set()).add(row["siret"])
    return dict(sorted(found.items()))


def test_an_open_base_is_whole_whoever_asks(base: Base, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(TOKEN_FILE, str(tmp_path / "jeton"))
    assert open_data_only(base)
    assert visible_budgets(base).sirets is None


@pytest.mark.shared
def test_accounts_that_are_not_published_are_asked_of_the_store(
    golden_base: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with connect(golden_base) as secret:
        assert not open_data_only(secret)
        # A person and a base of her own.
        monkeypatch.delenv(TOKEN_FILE, raising=False)
        monkeypatch.delenv("WORKBENCH_STORE", raising=False)
        assert visible_budgets(secret).sirets is None
        # A server where people log in; the session has ended: nothing is seen.
        monkeypatch.setenv(TOKEN_FILE, str(tmp_path / "jeton"))
        with pytest.raises(WorkbenchError) as error:
            visible_budgets(secret).find("commune", 5)
        assert error.value.code == "jeton_absent"


def test_the_badge_of_a_departement_shows_that_one(base: Base, seen: Seen) -> None:
    known = departements_of(base)
    assert len(known) > 1
    for code, sirets in known.items():
        agent = seen(f"dgfip:{code}", *FAMILIES)
        assert agent.sirets == sirets
        assert set(agent.find("", 1000)["siret"]) == sirets


def test_both_badges_are_needed(base: Base, seen: Seen) -> None:
    code = next(iter(departements_of(base)))
    assert seen(f"dgfip:{code}").sirets == frozenset()
    assert seen(*FAMILIES).sirets == frozenset()
    assert seen().sirets == frozenset()
    kept = seen(f"dgfip:{code}", "dgfip:M14").sirets
    assert kept == set(select_budgets(base, perimetre(departements=[code], nomenclature="M14"))["siret"].to_pylist())


def test_who_sees_everything_is_told_so_in_one_line(base: Base, seen: Seen) -> None:
    everyone = seen("dgfip:tout")
    assert everyone.sirets is None
    assert everyone.narrow(perimetre(types=["101"])) == perimetre(types=["101"])
    assert (everyone.tells(1), seen().tells(1), seen().tells(FEWEST)) == (True, False, True)


def test_a_perimeter_keeps_what_is_seen(base: Base, seen: Seen) -> None:
    (code, own), (_, others) = list(departements_of(base).items())[:2]
    agent = seen(f"dgfip:{code}", *FAMILIES)
    mine, hidden = min(own), min(others)

    def sirets(**criteria: Any) -> set[str]:
        return set(select_budgets(base, agent.narrow(perimetre(**criteria)))["siret"].to_pylist())

    assert sirets() == own
    assert sirets(sirets=[mine, hidden]) == {mine}
    assert sirets(sirets=[hidden]) == set()
    assert sirets(sirens=[mine[:9]]) == {siret for siret in own if siret[:9] == mine[:9]}
    assert sirets(sirens=[hidden[:9]], sirets=[mine]) == {mine}
    assert sirets(sirens=[]) == set()
    assert sirets(finess=["123456789"]) == set()
    assert sirets(types=["101"]) == own & set(select_budgets(base, perimetre(types=["101"]))["siret"].to_pylist())


def test_what_is_hidden_is_refused_as_what_does_not_exist(base: Base, seen: Seen, project: Path) -> None:
    (code, own), (_, others) = list(departements_of(base).items())[:2]
    view = CollectiviteView(base, project / "trames", seen(f"dgfip:{code}", *FAMILIES))
    communes = set(select_budgets(base, perimetre(types=["101"]))["siret"].to_pylist())
    mine, hidden = min(own & communes), min(others & communes)
    view.choose("trame", "comptes_individuels")
    view.choose("nomenclature", "M14+M57")
    view.choose("collectivite", mine)
    assert view.table is not None
    for siret in (hidden, "00000000000000"):
        with pytest.raises(WorkbenchError) as error:
            view.choose("collectivite", siret)
        assert (error.value.code, error.value.details["valeur"]) == ("choix_inconnu", siret)
        with pytest.raises(WorkbenchError) as error:
            view.situation.add_peer(siret)
        assert (error.value.code, error.value.details["valeur"]) == ("choix_inconnu", siret)
    assert {one["value"] for one in view.search("")} <= own
    assert {one["value"] for one in view.situation.search("")} <= own
    # Six communes: no group is large enough to be told to someone who does not see them all.
    job = view.situation.job()
    assert job is not None
    view.situation.take(job())
    found = view.situation.found
    assert found is not None
    assert found.untold
    shown = view.situation.shown()
    assert shown is not None
    rows = [row for group in shown["groups"] for row in group["rows"]]
    assert {row["median"] for row in rows} == {"–"}
    assert any(f"moins de {FEWEST}" in note for note in shown["notes"])
    assert any(row["value"] != "–" for row in rows)


def test_an_answer_of_the_store_holds_for_a_while_and_never_after_a_failure(base: Base, store: Store) -> None:
    moment, calls = [0.0], [0]

    def door() -> Any:
        calls[0] += 1
        if moment[0] > 100:
            raise WorkbenchError("magasin_injoignable", adresse="?", cause="?")
        badges = frozenset({f"dgfip:{next(iter(departements_of(base)))}", *FAMILIES})
        return contextlib.nullcontext(Desk(store, SimpleNamespace(email="a@exemple.fr", badges=badges)))

    agent = VisibleBudgets(base, door, seconds=60, clock=lambda: moment[0])
    siret = min(agent.sirets or ())
    assert agent.sees(siret)
    assert calls == [1]
    moment[0] = 61
    assert agent.sees(siret)
    assert calls == [2]
    moment[0] = 130
    for _ in range(2):
        with pytest.raises(WorkbenchError, match="magasin"):
            agent.sees(siret)


def test_budgets_are_published_once_and_by_who_holds_the_registry(base: Base, store: Store) -> None:
    assert publish_budgets(store, base, "exploitant@exemple.fr") == 0
    manager = SimpleNamespace(email="m@exemple.fr", badges=frozenset({"manager", *FAMILIES}))
    with pytest.raises(WorkbenchError) as error:
        Desk(store, manager).put(BUDGETS, [{"key": {"siret": "99999999999999"}, "scope": [], "value": {"a": 1}}])
    assert error.value.code == "ecriture_interdite"


def test_badges_say_what_is_not_known() -> None:
    assert badges_of("02A", None) == ["dgfip:02A", "dgfip:sans nomenclature"]
