"""The worked cases of the specification, 7.1.6, and what they leave unsaid."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest
from conftest_store import MANAGER, Agent, Clock, agent, policy, sheet

from workbench.errors import WorkbenchError
from workbench.store import Store

K = {"siren": "012345678"}


def seen(store: Store, who: Agent, bucket: str = "public", key: dict[str, str] | None = None, **page: Any) -> Any:
    try:
        return [each["value"] for each in store.get(who, bucket, key, **page)]
    except WorkbenchError as error:
        if (error.code, error.status) != ("sans_donnees", 404):
            raise
        return []


def refused(store: Store, who: Agent, bucket: str, sheets: Any) -> tuple[str, int]:
    with pytest.raises(WorkbenchError) as caught:
        store.put(who, bucket, sheets)
    return caught.value.code, caught.value.status


@pytest.mark.parametrize(
    ("badges", "expected"),
    [
        ([], {"raisonSociale"}),
        (["bfc"], {"raisonSociale", "activitePartielle"}),
        (["crp"], {"raisonSociale"}),
        (["bfc", "crp"], {"raisonSociale", "activitePartielle", "debitUrssaf", "bilanBDF"}),
    ],
)
def test_the_seed_example(store: Store, badges: list[str], expected: set[str]) -> None:
    store.put(
        agent(),
        "public",
        [
            sheet(K, [], {"raisonSociale": "TEST"}),
            sheet(K, ["bfc"], {"activitePartielle": [1, 2]}),
            sheet(K, ["bfc", "crp"], {"debitUrssaf": [3], "bilanBDF": [4]}),
        ],
    )
    assert set(seen(store, agent(*badges))[0]) == expected


def test_scopes(store: Store) -> None:
    john, jane = agent("ohio", "california", "florida"), agent("ohio", "arizona", "montana")
    for number, scope in enumerate((["ohio"], ["california", "florida"], ["ohio", "utah"])):
        store.put(agent(), "public", [sheet({"id": str(number)}, scope, {"number": number})])
    assert seen(store, john) == [{"number": 0}, {"number": 1}]
    assert seen(store, jane) == [{"number": 0}]


def test_sub_keys(store: Store) -> None:
    keys = [{"type": "invoice", "id": "I1"}, {"type": "invoice", "id": "I2"}, {"type": "command", "id": "I2"}]
    store.put(agent(), "public", [sheet(key, [], {"n": name}) for key, name in zip(keys, "ABC", strict=True)])
    asked = ({"type": "invoice"}, {"id": "I2"}, {}, None, {"id": "I3"}, {"type": "command", "id": "I1"})
    found = ["".join(sorted(value["n"] for value in seen(store, agent(), key=key))) for key in asked]
    assert found == ["AB", "BC", "ABC", "ABC", "", ""]


def test_collision(store: Store) -> None:
    store.put(agent(), "public", [sheet(K, [], {"a": 1, "n": {"x": 1}})])
    store.put(agent(), "public", [sheet(K, ["crp"], {"a": 2, "n": {"y": 2}})])
    assert seen(store, agent("crp")) == [{"a": 2, "n": {"y": 2}}]
    assert seen(store, agent()) == [{"a": 1, "n": {"x": 1}}]


def test_release_and_expiry(store: Store, clock: Clock) -> None:
    hour = timedelta(hours=1)
    store.put(agent(), "public", [sheet(K, [], {"a": 1})])
    store.put(agent(), "public", [sheet(K, [], {"a": 2}, releaseDate=(clock.now + hour).isoformat())])
    assert seen(store, agent()) == seen(store, agent(), date=clock.now + 24 * hour) == [{"a": 1}]
    assert seen(store, agent(), date=clock.now - hour) == []
    clock.advance(hours=1)
    assert seen(store, agent()) == [{"a": 2}]
    assert seen(store, agent(), date=clock.now - hour / 2) == [{"a": 1}]
    store.put(agent(), "public", [sheet(K, [], {"a": None}, releaseDate=(clock.now + hour).isoformat())])
    assert seen(store, agent()) == [{"a": 2}]
    clock.advance(hours=1)
    assert seen(store, agent()) == [{"a": None}]


def test_expiry_said_at_publication(store: Store, clock: Clock) -> None:
    end = (clock.now + timedelta(days=1)).isoformat()
    assert store.put(agent(), "public", [sheet(K, ["bfc"], {"a": 1, "b": 2}, expires=end)]) == 1
    assert seen(store, agent("bfc")) == [{"a": 1, "b": 2}]
    clock.advance(days=1)
    assert seen(store, agent("bfc")) == [{"a": None, "b": None}]
    assert seen(store, agent()) == []
    assert refused(store, agent(), "public", [sheet(K, [], {"a": 1}, expires=clock.now)]) == ("objet_invalide", 400)


def test_promotion(store: Store) -> None:
    store.put(
        MANAGER,
        "system",
        [
            policy("Bourgogne", match="^public$", scope=["Bourgogne"], promote=["21", "58", "71", "89"]),
            policy("secrets", match=".*", key={"type": "secret"}, read=["secret"]),
        ],
    )
    for bucket in ("public", "other"):
        store.put(agent(), bucket, [sheet({"type": "open"}, ["21"], {"a": 1}), sheet({"type": "secret"}, [], {"s": 1})])
    assert seen(store, agent("Bourgogne")) == [{"a": 1}]
    assert seen(store, agent("Bourgogne"), "other") == []
    assert seen(store, agent()) == []
    assert seen(store, agent("secret")) == [{"s": 1}]


def test_a_promoted_badge_makes_no_other_policy_apply(store: Store) -> None:
    store.put(
        MANAGER,
        "system",
        [policy("a", match="public", promote=["a"]), policy("b", match="public", scope=["a"], promote=["b"])],
    )
    store.put(agent(), "public", [sheet(K, ["b"], {"v": 1})])
    assert seen(store, agent()) == []
    assert seen(store, agent("a")) == [{"v": 1}]


def test_a_badge_lent_for_some_objects_only(store: Store) -> None:
    """A policy that requires a badge and another that lends it, each for objects of its own."""
    store.put(
        MANAGER,
        "system",
        [
            policy("lent", match="public", key={"region": "27"}, promote=["dept", "secret"]),
            policy("asked", match="public", key={"type": "secret"}, read=["secret"]),
        ],
    )
    keys = [{"type": kind, "region": region} for kind in ("open", "secret") for region in ("27", "53")]
    store.put(agent(), "public", [sheet(key, ["dept"], {"key": "{type} {region}".format(**key)}) for key in keys])
    assert sorted(each["key"] for each in seen(store, agent())) == ["open 27", "secret 27"]
    assert sorted(each["key"] for each in seen(store, agent("dept"))) == ["open 27", "open 53", "secret 27"]
    assert len(seen(store, agent("dept", "secret"))) == 4


def test_writing(store: Store) -> None:
    store.put(
        MANAGER,
        "system",
        [
            policy("comment", match="^comment$", key={"author": "$user.email"}, promote=["datawriter"]),
            policy("write", match=".*", write=["datawriter"]),
        ],
    )
    john = agent(email="john@exemple.fr")
    mine, yours = ({"author": who, "siren": "1"} for who in ("john@exemple.fr", "jane@exemple.fr"))
    assert store.put(john, "comment", [sheet(mine, [], {"text": "vu"})]) == 1
    assert refused(store, john, "public", [sheet(mine, [], {"text": "non"})]) == ("ecriture_interdite", 403)
    both = [sheet({**mine, "n": "2"}, [], {"text": "oui"}), sheet(yours, [], {"text": "non"})]
    assert refused(store, john, "comment", both) == ("ecriture_interdite", 403)
    assert seen(store, john, "comment") == [{"text": "vu"}]
    assert store.put(agent("datawriter"), "comment", both) == 2


def test_the_person_is_put_in_policies_when_reading_too(store: Store) -> None:
    store.put(MANAGER, "system", [policy("mine", match="^notes$", key={"author": "$user.email"}, promote=["author"])])
    who = [agent(email=f"{name}@exemple.fr") for name in ("ada", "bob")]
    for each in who:
        store.put(each, "notes", [sheet({"author": each.email}, ["author"], {"by": each.email})])
    assert [seen(store, each, "notes") for each in who] == [[{"by": each.email}] for each in who]
    assert seen(store, agent(email=""), "notes") == []
    assert seen(store, agent(email="$user.email"), "notes") == []


def test_writable(store: Store) -> None:
    store.put(
        MANAGER,
        "system",
        [
            policy("connu", match="^suivi$", scope=["agent"], writable=["connu"]),
            policy("note", match="^suivi$", key={"type": "note"}, writable=["note"]),
        ],
    )
    assert store.put(agent(), "suivi", [sheet(K, [], {"other": 1})]) == 1
    assert refused(store, agent("agent"), "suivi", [sheet(K, [], {"connu": 1, "note": 1})]) == ("valeur_interdite", 403)
    assert store.put(agent("agent"), "suivi", [sheet({"type": "note"}, [], {"connu": 1, "note": 1})]) == 1


def test_policies_are_protected_from_the_first_day(store: Store) -> None:
    assert seen(store, agent(), "system") == []
    assert refused(store, agent(), "system", [policy("mine", match=".*", promote=["x"])]) == ("ecriture_interdite", 403)
    assert [each["match"] for each in seen(store, MANAGER, "system")] == ["^system$"]


def test_policies_that_nothing_protects_are_closed(store: Store) -> None:
    store.put(MANAGER, "system", [policy("system", match=None, read=None, write=None)])
    assert seen(store, MANAGER, "system") == []
    assert refused(store, MANAGER, "system", [policy("a", match=".*")]) == ("ecriture_interdite", 403)
    store.protect("chef")
    assert len(seen(store, agent("chef"), "system")) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        policy("", match=".*"),
        sheet({"type": "policy"}, [], {"match": ".*"}),
        policy("a", match="("),
        policy("a", match="(?=x)"),
        policy("a", match=3),
        policy("a", promote=["x"]),
        policy("a", match=None, read=["x"]),
        policy("a", match=".*", read="manager"),
        policy("a", match=".*", key={"a": 1}),
        policy("a", match=".*", other=[]),
        *(
            policy("a", match=".*", **(others | {"when": when}))
            for others, when in (
                ({}, []),
                ({}, {"bucket": "b", "key": {"by": "$user.email"}}),
                ({}, {"bucket": "b", "key": {"by": "x"}, "same": "n"}),
                ({}, {"bucket": "", "key": {"by": "$user.email"}, "same": "n"}),
                ({}, {"bucket": "b", "key": {"by": "$user.email"}, "same": "bucket"}),
                ({}, {"bucket": "b", "key": {"by": "$user.email"}, "same": "n", "value": {"a": None}}),
                ({}, {"bucket": "b", "key": {"by": "$user.email"}, "same": "n", "value": {"a\0": 1}}),
                ({"read": ["x"]}, {"bucket": "b", "key": {"by": "$user.email"}, "same": "n"}),
                ({"writable": []}, {"bucket": "b", "key": {"by": "$user.email"}, "same": "n"}),
            )
        ),
        sheet({"type": "policy", "name": "a"}, ["manager"], {"match": ".*"}),
    ],
)
def test_wrong_policies(store: Store, wrong: dict[str, Any]) -> None:
    assert refused(store, MANAGER, "system", [policy("right", match="."), wrong]) == ("politique_invalide", 400)
    assert len(seen(store, MANAGER, "system")) == 1


def test_a_policy_is_in_force_at_its_release_and_not_after_its_end(store: Store, clock: Clock) -> None:
    store.put(agent(), "public", [sheet(K, ["21"], {"a": 1})])
    key = {"type": "policy", "name": "later"}
    lending = {"match": "public", "promote": ["21"]}
    begins, ends = (clock.now + timedelta(hours=hours) for hours in (1, 2))
    store.put(MANAGER, "system", [sheet(key, [], lending, releaseDate=begins, expires=ends)])
    assert seen(store, agent()) == []
    clock.advance(hours=1)
    assert seen(store, agent()) == [{"a": 1}]
    # Rights are today's, whatever the date asked.
    assert seen(store, agent(), date=clock.now - timedelta(minutes=30)) == [{"a": 1}]
    clock.advance(hours=1)
    assert seen(store, agent()) == []


def test_another_instance_sees_a_policy_at_once(store: Store, address: str, clock: Clock) -> None:
    from workbench.registry import open_registry
    from workbench.store.tables import ROOM

    store.put(agent(), "public", [sheet(K, [], {"a": 1})])
    with Store(open_registry(address, rooms=[ROOM]), clock) as other:
        assert seen(other, agent()) == [{"a": 1}]
        store.put(MANAGER, "system", [policy("closed", match="public", read=["21"])])
        assert seen(other, agent()) == []
        assert seen(other, agent("21")) == [{"a": 1}]


def test_the_answer(store: Store, clock: Clock) -> None:
    store.put(agent(), "public", [sheet({**K, "bucket": "other"}, [], {"a": 1.5, "é": ["\u0000", None, True]})])
    clock.advance(days=1)
    store.put(agent(), "public", [sheet(K, ["x"], {"a": 2})])
    first, second = (store.get(who, "public", K)[0] for who in (agent(), agent("x")))
    assert first["key"] == {"bucket": "public", **K}
    assert first["value"] == {"a": 1.5, "é": ["\u0000", None, True]}
    assert first["addDate"] == clock.now - timedelta(days=1)
    assert first["addDate"].tzinfo == UTC
    assert second["addDate"] == clock.now
    store.put(agent(), "public", [sheet({"empty": "1"}, [], {})])
    assert seen(store, agent(), key={"empty": "1"}) == []


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ({"key": {"bucket": "public"}}, "seau_invalide"),
        ({"key": {"a": 1}}, "cle_invalide"),
        ({"key": ["a"]}, "cle_invalide"),
        ({"date": "2020-01-01T00:00:00"}, "date_invalide"),
        ({"date": 3}, "date_invalide"),
        ({"limit": 0}, "question_invalide"),
        ({"offset": -1}, "question_invalide"),
        ({"limit": True}, "question_invalide"),
        ({"filter": [{"field": "a", "operator": "~", "value": 1}]}, "question_invalide"),
        ({"filter": [{"field": "a", "operator": "=", "value": None}]}, "question_invalide"),
        ({"filter": [{"field": "a", "operator": "in", "value": 1}]}, "question_invalide"),
        ({"filter": [{"operator": "=", "value": 1}]}, "question_invalide"),
        ({"filter": ["a"]}, "question_invalide"),
        ({"sort": [{"field": "a", "order": 2}]}, "question_invalide"),
        ({"sort": [{"field": "a"}, {"field": "b"}]}, "question_invalide"),
    ],
)
def test_wrong_questions(store: Store, page: dict[str, Any], code: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        store.get(agent(), "public", **page)
    assert (caught.value.code, caught.value.status) == (code, 400)


@pytest.mark.parametrize("bucket", ["", "  ", "a\0b", "\ud800", 3])
def test_wrong_buckets(store: Store, bucket: Any) -> None:
    for ask in (lambda: store.get(agent(), bucket), lambda: store.put(agent(), bucket, [])):
        with pytest.raises(WorkbenchError) as caught:
            ask()
        assert caught.value.code == "seau_invalide"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"key": K, "scope": []}, "objet_invalide"),
        ({"key": K, "value": [1]}, "objet_invalide"),
        ({"key": K, "value": {"a": float("nan")}}, "objet_invalide"),
        ({"key": K, "value": {"a": "\ud800"}}, "objet_invalide"),
        ({"key": K, "value": {"a\0": 1}}, "objet_invalide"),
        ({"key": K, "value": {}, "author": "x"}, "objet_invalide"),
        ({"key": {"type": "credentials"}, "value": {"password": "x"}}, "objet_invalide"),
        ({"value": {}}, "cle_invalide"),
        ({"key": {"a": "\0"}, "value": {}}, "cle_invalide"),
        ({"key": K, "scope": "bfc", "value": {}}, "badges_invalides"),
        ({"key": K, "scope": [""], "value": {}}, "badges_invalides"),
        ({"key": K, "value": {}, "releaseDate": "demain"}, "date_invalide"),
        ("text", "objet_invalide"),
    ],
)
def test_wrong_sheets(store: Store, wrong: Any, code: str) -> None:
    assert refused(store, agent(), "public", [sheet(K, [], {"a": 1}), wrong]) == (code, 400)
    assert seen(store, agent()) == []
