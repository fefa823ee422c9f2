"""Files as properties: kept whole and once, read by who sees the property, out of reach of who knows a digest."""

from __future__ import annotations

from typing import Any

import pytest
from conftest_store import MANAGER, Clock, agent, policy, sheet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from test_journal import DAY, code

from workbench.store import Store, StoredFile, file_property
from workbench.store.files import LARGEST_FILE, taken_files
from workbench.store.tables import FILE

K = {"siren": "012345678"}
PAGE = b"<h1>\xe9tat</h1>" * 1000
ADA, BOB = agent("bfc", email="ada@exemple.fr"), agent("crp", email="bob@exemple.fr")


def kept(store: Store) -> int:
    with store.registry.read() as connection:
        return connection.execute(select(func.count()).select_from(FILE)).scalar_one()


def page(content: bytes = PAGE, name: str = "état.html") -> dict[str, Any]:
    return file_property(content, name, "text/html")


def test_who_sees_the_property_reads_the_file(store: Store, clock: Clock) -> None:
    store.put(ADA, "public", [sheet(K, ["bfc"], {"page": page(), "a": 1}), sheet(K, [], {"b": 2})])
    described = store.get(ADA, "public")[0]["value"]["page"]["$file"]
    found = store.file(ADA, "public", K, "page")
    assert found == StoredFile("état.html", "text/html", PAGE)
    assert described == {"name": found.name, "type": found.kind, "bytes": len(PAGE), "sha256": found.sha256}
    # Hidden, not a file, not there, another object: one refusal.
    for who, key, name in ((BOB, K, "page"), (ADA, K, "a"), (ADA, K, "c"), (ADA, {"siren": "1"}, "page")):
        assert code(store.file, who, "public", key, name) == ("sans_donnees", 404)
    # The value that is visible counts: of a date, of a scope.
    first = clock.now
    clock.advance(hours=1)
    store.put(BOB, "public", [sheet(K, ["crp"], {"page": page(b"other")})])
    clock.advance(hours=1)
    store.put(ADA, "public", [sheet(K, ["bfc"], {"page": page(b"newer")})])
    assert store.file(ADA, "public", K, "page").content == b"newer"
    assert store.file(ADA, "public", K, "page", date=first).content == PAGE
    assert store.file(BOB, "public", K, "page").content == b"other"
    assert store.file(agent("bfc", "crp"), "public", K, "page", date=clock.now - DAY / 24).content == b"other"
    assert store.journal(MANAGER, bucket="public", limit=1)[0]["query"]["property"] == "page"


def test_a_policy_that_hides_the_object_hides_its_files(store: Store) -> None:
    store.put(ADA, "public", [sheet({**K, "type": "secret"}, [], {"page": page()})])
    assert store.file(BOB, "public", K, "page").content == PAGE
    store.put(MANAGER, "system", [policy("secret", match=".", key={"type": "secret"}, read=["secret"])])
    assert code(store.file, BOB, "public", K, "page") == ("sans_donnees", 404)
    assert store.file(agent("secret"), "public", K, "page").content == PAGE


def test_several_objects_are_told_only_when_both_are_visible(store: Store) -> None:
    store.put(ADA, "public", [sheet({"n": n}, [badge], {"page": page()}) for n, badge in (("1", "bfc"), ("2", "crp"))])
    assert store.file(ADA, "public", {}, "page").content == PAGE
    assert code(store.file, agent("bfc", "crp"), "public", {}, "page") == ("question_invalide", 400)


def test_a_digest_opens_nothing(store: Store) -> None:
    store.put(ADA, "public", [sheet(K, ["bfc"], {"page": page()})])
    described = store.get(ADA, "public")[0]["value"]["page"]
    assert code(store.put, BOB, "public", [sheet({"n": "1"}, [], {"page": described})]) == ("objet_invalide", 400)
    nested = sheet({"n": "1"}, [], {"page": {"x": described}})
    store.put(BOB, "public", [nested])
    assert code(store.file, BOB, "public", {"n": "1"}, "page") == ("sans_donnees", 404)


def test_a_content_is_kept_once_and_goes_with_its_last_property(store: Store, clock: Clock) -> None:
    store.put(
        ADA, "public", [sheet(K, ["bfc"], {"page": page(), "copy": page(name="b.html")}, expires=clock.now + DAY)]
    )
    store.put(ADA, "public", [sheet({"n": "1"}, [], {"page": page()}), sheet({"n": "2"}, [], {"page": page(b"alone")})])
    assert kept(store) == 2
    clock.advance(days=2)
    assert code(store.file, ADA, "public", K, "page") == ("sans_donnees", 404)
    assert store.purge(MANAGER, DAY / 2)["files"] == 0
    store.put(ADA, "public", [sheet({"n": n}, [], {"page": None}) for n in ("1", "2")])
    clock.advance(days=2)
    assert store.purge(MANAGER, DAY)["files"] == 2
    assert kept(store) == 0


def test_all_or_nothing(store: Store) -> None:
    wrong = {"key": {}}
    assert code(store.put, ADA, "public", [sheet(K, [], {"page": page()}), wrong]) == ("objet_invalide", 400)
    assert kept(store) == 0


@pytest.mark.parametrize(
    "facts",
    [
        "a",
        {},
        {"name": "a", "type": "text/html", "sha256": "00"},
        {"name": "../a", "type": "text/html", "content": ""},
        {"name": "a\r\nb", "type": "text/html", "content": ""},
        {"name": "..", "type": "text/html", "content": ""},
        {"name": "\ud800", "type": "text/html", "content": ""},
        {"name": "a", "type": "text/html\r\nx: y", "content": ""},
        {"name": "a", "type": "text/html; charset=x", "content": ""},
        {"name": "a", "type": "text/html", "content": "é"},
        {"name": "a", "type": "text/html", "content": "YQ"},
        {"name": "a", "type": "text/html", "content": 1},
    ],
)
def test_what_is_not_a_file_is_refused(facts: Any) -> None:
    assert code(taken_files, {"a": {"$file": facts}}, "[0]") == ("objet_invalide", 400)


def test_a_file_has_a_largest_size() -> None:
    assert taken_files({"a": page(bytes(LARGEST_FILE))}, "[0]")[0]["a"]["$file"]["bytes"] == LARGEST_FILE
    assert code(taken_files, {"a": page(bytes(LARGEST_FILE + 1))}, "[0]") == ("fichier_trop_long", 413)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.binary(max_size=200), st.text("aé ;%.'()~", min_size=1, max_size=8).filter(lambda name: name not in (".", ".."))
)
def test_any_content_comes_back(store: Store, content: bytes, name: str) -> None:
    store.put(ADA, "public", [sheet(K, [], {"a": file_property(content, name)})])
    assert store.file(ADA, "public", K, "a") == StoredFile(name, "application/octet-stream", content)
