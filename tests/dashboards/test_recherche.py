"""The search of companies without a browser."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.dashboards.recherche import BROAD, NOTHING, PAGE, SHORT, SearchView
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.publication.demonstration import ACTORS, Planted, spellings
from workbench.store import Desk, Store


def searched(store: Store, who: str, text: str, **choices: Any) -> SearchView:
    view = SearchView(Desk(store, ACTORS[who]))
    view.search(text, choices)
    return view


def identities(store: Store, who: str, passes: Any) -> set[str]:
    found = store.get(ACTORS[who], "public", {"type": "identite"})
    return {each["key"]["siret"] for each in found if passes(each["value"])}


def sirets(view: SearchView) -> set[str]:
    found: list[str] = []
    for page in range(view.total()["pages"]):
        view.turn(page)
        found += [row["siret"] for row in view.answer()["rows"]]
    assert len(found) == len(set(found))
    return set(found)


def test_everyone_finds_by_name_siren_and_siret(store: Store, planted: Planted) -> None:
    siret = planted.siret["plusieurs_departements"]
    for who in ACTORS:
        one = searched(store, who, f"{siret[:3]} {siret[3:6]} {siret[6:9]}\u00a0{siret[9:]}")
        answer = one.answer()
        assert [row["siret"] for row in answer["rows"]] == [siret]
        assert answer["direct"] == f"etablissement.ipynb?siret={siret}"
        places = searched(store, who, siret[:9])
        assert len(sirets(places)) == 4
        assert places.answer()["direct"] == ""
        name = places.answer()["rows"][0]["name"]
        assert sirets(searched(store, who, name.lower().replace("é", "e"))) == sirets(places)


def test_what_is_asked_is_said_in_words(store: Store, planted: Planted) -> None:
    assert searched(store, "national", "armor").answer()["asked"] == "« armor »"
    choices = {"zone": "departement:35", "effectif": 20, "siege": True, "state": "ouverts", "sections": ["C"]}
    said = searched(store, "national", "armor", **choices).answer()["asked"]
    assert said.split(" ; ") == [
        "« armor »",
        "Industrie manufacturière",
        "Ille-et-Vilaine (35)",
        "20 salariés ou plus",
        "sièges sociaux seulement",
        "Ouverts",
    ]


@pytest.mark.parametrize(
    ("choices", "passes"),
    [
        ({}, lambda _: True),
        ({"sections": ["C"]}, lambda value: value["section"] == "C"),
        ({"zone": "departement:29"}, lambda value: value["departement"] == "29"),
        ({"zone": "region:Bretagne"}, lambda value: value["departement"] in ("22", "29", "35", "56")),
        ({"zone": "mine"}, lambda value: value["departement"] in ("22", "29", "35", "56")),
        ({"siege": True}, lambda value: value["siege"]),
        ({"state": "fermes"}, lambda value: value["etat_administratif"] == "F"),
        ({"state": "ouverts"}, lambda value: value["etat_administratif"] == "A"),
        ({"effectif": 50}, lambda value: (value.get("dernier_effectif") or 0) >= 50),
    ],
)
def test_each_filter(store: Store, planted: Planted, choices: dict[str, Any], passes: Any) -> None:
    wanted = identities(store, "zone", passes)
    assert sirets(searched(store, "zone", "8000", **choices)) == wanted
    assert wanted or choices == {"state": "fermes"}


def test_staff_is_a_filter_for_who_sees_it(store: Store, planted: Planted) -> None:
    view = searched(store, "sans_droit", "8000", effectif=50)
    assert view.form()["offers"] == {"effectif": False}
    assert len(sirets(view)) == len(planted.sirets)
    assert "mine" not in [each["value"] for each in view.form()["zones"]]
    # Outside her zone, what she may not see passes no filter.
    found = sirets(searched(store, "zone", "8000", effectif=1))
    hidden = identities(store, "zone", lambda value: "dernier_effectif" not in value)
    assert hidden
    assert not found & hidden


def test_pages_of_twenty_and_a_total_apart(store: Store, planted: Planted) -> None:
    view = searched(store, "sans_droit", "8000")
    answer = view.answer()
    assert (len(answer["rows"]), answer["more"]) == (PAGE, True)
    total = view.total()
    assert total == {"said": f"{len(planted.sirets)} résultats", "pages": -(-len(planted.sirets) // PAGE)}
    view.turn(total["pages"] - 1)
    assert view.answer()["more"] is False


@pytest.mark.parametrize("text", ["", "é", "bo", "a b", "  12 ", "!!!"])
def test_a_short_text_is_told_so_without_asking(store: Store, text: str) -> None:
    view = searched(store, "sans_droit", text)
    answer = view.answer()
    assert (answer["rows"], answer["message"]) == ([], SHORT if text else "")
    assert view.total() == {"said": "", "pages": 0}


def test_what_is_said(store: Store, planted: Planted) -> None:
    assert searched(store, "zone", "rien de tel").answer()["message"] == NOTHING
    assert searched(store, "zone", "bre").answer()["hint"] == BROAD
    assert searched(store, "zone", "brest").answer()["hint"] == ""
    row = searched(store, "zone", planted.siret["fermee"]).answer()["rows"][0]
    assert (row["closed"], row["siege"], row["nic"]) == (True, True, "00001")
    assert row["departement"] == "Finistère"


@pytest.mark.parametrize(
    "choices",
    [
        {"sections": ["ZZ"]}, {"sections": "C"}, {"sections": [["C"]]}, {"zone": "departement:99"}, {"zone": []},
        {"effectif": -1}, {"effectif": True}, {"siege": 1}, {"state": "x"}, {"state": []},
    ],
)  # fmt: skip
def test_what_is_not_offered_is_refused(store: Store, planted: Planted, choices: dict[str, Any]) -> None:
    view = searched(store, "zone", "brest")
    before = view.asked
    with pytest.raises(WorkbenchError) as refused:
        view.search("lorient", choices)
    assert refused.value.code == "choix_inconnu"
    assert view.asked == before
    for page in (-1, True, "1", 50):
        with pytest.raises(WorkbenchError):
            view.turn(page)


def test_nothing_confidential_is_found(store: Store, planted: Planted) -> None:
    for who in ("sans_droit", "zone", "national"):
        view = searched(store, who, "8000")
        shown = repr([view.form(), view.answer(), view.total()])
        for figures in (planted.urssaf, planted.dgefp, planted.bdf, planted.score):
            assert not [figure for figure in figures for each in spellings(figure) if each in shown]
    figure = str(next(iter(planted.urssaf)))
    assert searched(store, "national", figure).answer()["rows"] == []
