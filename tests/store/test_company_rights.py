"""Who sees what of companies: the table of specification 7.3.1 case by case, zones, the URSSAF's agents, follows."""

from __future__ import annotations

from typing import Any

import pytest
from conftest_store import MANAGER, Agent, Clock, agent, sheet

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.publication.objects import (
    COMPANY,
    CONFIDENTIAL,
    DETAIL,
    FOLLOW,
    PUBLIC,
    Kind,
    Place,
    Scoped,
    key_of,
    scopes_of,
    shared_sheets_of,
)
from workbench.signaux_faibles.publication.rights import AUTHOR, POLICIES
from workbench.signaux_faibles.publication.territories import DEPARTEMENTS, FORMER_REGIONS, FRANCE, REGIONS
from workbench.store import Store

SIREN = "800000001"
SIRET = SIREN + "00001"
OTHER = "800000019"
ALL = ["01", "bdf", "detection", "dgefp", "pge", "score", "urssaf"]
ME = "agent@exemple.fr"
WRITER = Agent("publication@exemple.fr", frozenset({"datawriter"}))

FIVE = Kind(
    "detail",
    PUBLIC,
    ("siret", "siren", "batch"),
    (Scoped((), ("sirene",)), *(Scoped((badge,), (badge,)) for badge in sorted(CONFIDENTIAL))),
)
"""The five confidential permissions, and what every agent of the zone sees."""


def publish(
    store: Store, siren: str = SIREN, *, departements: Any = ("01", "02", "03"), alerted: bool, **more: Any
) -> None:
    store.install(POLICIES)
    facts = {"siret": siren + "00001", "siren": siren, "batch": "2601.a"}
    key = key_of(FIVE, facts, region=more.get("region"))
    value: dict[str, Any] = dict.fromkeys(CONFIDENTIAL, 1) | {"sirene": {}}
    sheets = list(shared_sheets_of(FIVE, key, value, Place(tuple(departements), alerted)))
    store.replace(WRITER, {PUBLIC: sheets})


def follow(store: Store, who: Agent, siren: str = SIREN, actif: Any = True) -> None:
    key = {"siret": siren + "00002", "siren": siren, "author": who.email}
    store.put(who, FOLLOW, [sheet(key, [AUTHOR], {"actif": actif, "categorie": "autre", "motif": "essai"})])


def seen(store: Store, *badges: str, email: str = ME) -> set[str]:
    who = agent(*badges, email=email)
    try:
        (found,) = store.get(who, PUBLIC, {"siret": SIRET})
        shown = set(found["value"])
    except WorkbenchError as error:
        shown = set()
        if error.code != "sans_donnees":
            raise
    # The other door of the rule says the same.
    (explained,) = store.why(MANAGER, PUBLIC, {"siret": SIRET}, of=who)
    assert shown == {name for each in explained["sheets"] if each["visible"] for name in each["properties"]}
    return shown


@pytest.mark.parametrize(
    ("badges", "alerted", "followed", "expected"),
    [
        (ALL, True, False, {"sirene", *CONFIDENTIAL}),
        ([*ALL[1:], "05"], True, False, set()),
        (["01", "02", "score"], True, False, {"sirene", "score"}),
        *((["01", "02", each], True, False, {"sirene", each}) for each in ("urssaf", "pge", "dgefp", "bdf")),
        (["01", "02"], True, False, {"sirene"}),
        (ALL, False, False, {"sirene"}),
        (ALL, False, True, {"sirene", *CONFIDENTIAL}),
        (ALL[1:], True, True, {"sirene", *CONFIDENTIAL}),
        (["urssaf"], False, True, {"sirene", "urssaf"}),
        (["05", "bdf"], True, True, {"sirene", "bdf"}),
        ([], False, True, {"sirene"}),
        ([], True, False, set()),
    ],
)
def test_the_table_of_permissions(
    store: Store, badges: list[str], alerted: bool, followed: bool, expected: set[str]
) -> None:
    publish(store, alerted=alerted)
    if followed:
        follow(store, agent(*badges))
    assert seen(store, *badges) == expected


def test_a_follow_is_one_person_s_for_one_company_while_it_lasts(store: Store, clock: Clock) -> None:
    publish(store, alerted=False)
    publish(store, OTHER, alerted=False)
    before = clock.now
    clock.advance(hours=1)
    follow(store, agent("urssaf"), OTHER)
    assert seen(store, "urssaf") == set()
    follow(store, agent("urssaf"))
    assert seen(store, "urssaf") == {"sirene", "urssaf"}
    assert seen(store, "urssaf", email="autre@exemple.fr") == set()
    # Rights are of now, whatever the date that is asked.
    assert store.get(agent("urssaf"), PUBLIC, {"siret": SIRET}, date=before)[0]["value"] == {"sirene": {}, "urssaf": 1}
    for ended in (False, None, "oui", 1):
        follow(store, agent("urssaf"), actif=ended)
        assert seen(store, "urssaf") == set()
    follow(store, agent("urssaf"))
    assert seen(store, "urssaf") == {"sirene", "urssaf"}


def test_nobody_follows_for_another_nor_reads_her_follows(store: Store) -> None:
    publish(store, alerted=False)
    key = {"siret": SIRET, "siren": SIREN, "author": ME}
    for who in (agent("urssaf", email="autre@exemple.fr"), WRITER):
        with pytest.raises(WorkbenchError, match="écrire"):
            store.put(who, FOLLOW, [sheet(key, [], {"actif": True})])
    follow(store, agent("urssaf"))
    with pytest.raises(WorkbenchError) as nothing:
        store.get(agent(*ALL, "manager", email="autre@exemple.fr"), FOLLOW)
    assert nothing.value.code == "sans_donnees"
    assert len(store.get(agent(), FOLLOW)) == 1


def test_zones_open_their_departements_and_nothing_else(store: Store) -> None:
    publish(store, alerted=True, departements=["71", "2A"])
    for badge in (FRANCE, "Bourgogne", "Bourgogne-Franche-Comté", "Corse", "71", "2A"):
        assert seen(store, badge, "score") == {"sirene", "score"}, badge
    for badge in ("Bretagne", "Franche-Comté", "21", "20"):
        assert seen(store, badge, "score") == set(), badge


def test_the_urssaf_s_agents_see_debts_of_their_region(store: Store) -> None:
    publish(store, alerted=True, region="Bretagne", departements=["29"])
    assert seen(store, "URSSAF Bretagne", "Bretagne") == {"sirene", "urssaf"}
    assert seen(store, "URSSAF Normandie", "Bretagne") == {"sirene"}
    assert seen(store, "URSSAF Bretagne") == set()


def test_every_departement_is_of_one_region() -> None:
    codes = [code for codes in REGIONS.values() for code in codes]
    assert sorted(codes) == sorted(DEPARTEMENTS)
    former = [code for codes in FORMER_REGIONS.values() for code in codes]
    assert len(former) == len(set(former))
    assert set(former) < set(codes)
    assert len(REGIONS) == 13 + 8


def test_what_is_confidential_asks_an_alert_or_a_follow() -> None:
    for kind in (DETAIL, COMPANY):
        for scoped in kind.scoped:
            shown = [scope for scope in scopes_of(scoped, Place(("01",), alerted=False)) if "01" in scope]
            assert bool(shown) == CONFIDENTIAL.isdisjoint(scoped.badges)
