"""The people of the embedded issuer, their passwords, and the count of failed logins, on both databases."""

from __future__ import annotations

import threading
import time

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from issuer_documents import PASSWORD
from sqlalchemy import select, update

from workbench.errors import WorkbenchError
from workbench.identity.actor import check_badge, check_email
from workbench.identity.passwords import check_password, hash_password, password_matches
from workbench.identity.people import People
from workbench.identity.tables import ROOM, attempts, people
from workbench.identity.throttle import MOST_BY_ADDRESS, MOST_BY_EMAIL, WINDOW, count_attempt
from workbench.registry import Registry
from workbench.registry.migrating import differences


def code(call: object, *arguments: object, **named: object) -> str:
    with pytest.raises(WorkbenchError) as error:
        call(*arguments, **named)  # type: ignore[operator]
    assert str(error.value)
    return error.value.code


def test_the_revisions_make_the_declared_tables(registry: Registry) -> None:
    with registry.read() as connection:
        assert differences(connection, ROOM) == []


def test_a_person_is_added_changed_and_removed(registry: Registry) -> None:
    known = People(registry)
    added = known.add(" Jane@Example.FR", PASSWORD, given_name="Jane", family_name="Doe", held=["crp", "bfc", "crp"])
    assert (added.email, added.badges) == ("jane@example.fr", ("bfc", "crp"))
    assert code(known.add, "JANE@example.fr", PASSWORD) == "personne_existante"
    assert known.get("jane@EXAMPLE.fr") == added
    assert known.set_badges("jane@example.fr", ["France entière"]).badges == ("France entière",)
    assert known.all() == [known.get("jane@example.fr")]
    known.remove("jane@example.fr")
    assert known.count() == 0
    for call in (known.get, known.remove):
        assert code(call, "jane@example.fr") == "personne_inconnue"
    assert code(known.set_password, "jane@example.fr", PASSWORD) == "personne_inconnue"
    assert known.add("jane@example.fr", PASSWORD).subject != added.subject


def test_a_person_may_have_an_upload_space(registry: Registry) -> None:
    known = People(registry)
    assert known.add("jane@example.fr", PASSWORD).space == ""
    assert known.set_space("Jane@example.fr", "urssaf").space == "urssaf"
    assert [each.space for each in known.all()] == ["urssaf"]
    for wrong in ("../x", "a b", "é", "-x", ".", "x" * 65, "a\n", "tusd", "Public"):
        assert code(known.set_space, "jane@example.fr", wrong) == "espace_malforme"
    assert known.get("jane@example.fr").space == "urssaf"
    assert known.set_space("jane@example.fr", "").space == ""
    assert code(known.set_space, "other@example.fr", "urssaf") == "personne_inconnue"


def test_bad_input_adds_nobody(registry: Registry) -> None:
    known = People(registry)
    assert code(known.add, "jane", PASSWORD) == "email_malforme"
    assert code(known.add, "jane@example.fr", "court") == "mot_de_passe_refuse"
    assert code(known.add, "jane@example.fr", PASSWORD, held=["bfc", ""]) == "badge_malforme"
    assert known.count() == 0


def test_a_password_is_stored_as_argon2id(registry: Registry) -> None:
    People(registry).add("jane@example.fr", PASSWORD)
    with registry.read() as connection:
        stored = connection.scalar(select(people.c.password_hash))
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


def test_only_her_password_opens(registry: Registry) -> None:
    known = People(registry)
    jane = known.add("jane@example.fr", PASSWORD)
    known.add("john@example.fr", PASSWORD + "!")
    assert known.authenticate(" JANE@example.fr", PASSWORD, "127.0.0.1") == jane
    for email, password in (
        ("jane@example.fr", PASSWORD + "!"),
        ("jane@example.fr", PASSWORD.upper()),
        ("jane@example.fr", ""),
        ("jane@example.fr", PASSWORD + "x" * 10_000),
        ("nobody@example.fr", PASSWORD),
        ("", ""),
        ("jane@example.fr' OR '1'='1", PASSWORD),
        ("%", PASSWORD),
    ):
        assert code(known.authenticate, email, password, "127.0.0.1") == "connexion_refusee"


def test_the_same_letters_composed_differently_are_the_same_password(registry: Registry) -> None:
    known = People(registry)
    known.add("jane@example.fr", "Les élèves déjeunent")
    assert (
        known.authenticate("jane@example.fr", "Les e\u0301le\u0300ves de\u0301jeunent", "x").email == "jane@example.fr"
    )


def test_a_hash_of_other_parameters_is_made_anew(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    known = People(registry)
    known.add("jane@example.fr", PASSWORD)
    monkeypatch.setattr("workbench.identity.passwords._HASHER", PasswordHasher())
    known.authenticate("jane@example.fr", PASSWORD, "x")
    with registry.read() as connection:
        assert "m=65536" in str(connection.scalar(select(people.c.password_hash)))


def test_an_unknown_person_takes_as_long_as_a_wrong_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.identity.passwords._HASHER", PasswordHasher())
    stored = hash_password(PASSWORD)

    def fastest(password_hash: str | None) -> float:
        durations = []
        for _ in range(3):
            start = time.perf_counter()
            assert not password_matches(password_hash, "wrong password")
            durations.append(time.perf_counter() - start)
        return min(durations)

    fastest(None)  # draws the hash of nobody
    assert 0.3 < fastest(stored) / fastest(None) < 3
    assert not password_matches(None, PASSWORD)


def test_too_many_failures_close_the_door_to_the_right_password_too(registry: Registry) -> None:
    known = People(registry)
    known.add("jane@example.fr", PASSWORD)
    for email in ("jane@example.fr", "nobody@example.fr"):
        for place in range(MOST_BY_EMAIL):
            assert code(known.authenticate, email, "wrong", f"10.0.0.{place}") == "connexion_refusee"
        assert code(known.authenticate, email, PASSWORD, "10.0.1.1") == "trop_d_essais"
    with registry.write() as connection:
        now = registry.now(connection)
        connection.execute(update(attempts).values(since=now - WINDOW))
    assert known.authenticate("jane@example.fr", PASSWORD, "10.0.1.1").email == "jane@example.fr"


def test_a_success_starts_the_count_anew(registry: Registry) -> None:
    known = People(registry)
    known.add("jane@example.fr", PASSWORD)
    for _ in range(3):
        for _ in range(MOST_BY_EMAIL - 1):
            assert code(known.authenticate, "jane@example.fr", "wrong", "x") == "connexion_refusee"
        known.authenticate("jane@example.fr", PASSWORD, "x")


def test_an_address_cannot_try_everyone(registry: Registry) -> None:
    for place in range(MOST_BY_ADDRESS):
        count_attempt(registry, f"person{place}@example.fr", "10.0.0.1")
    assert code(count_attempt, registry, "other@example.fr", "10.0.0.1") == "trop_d_essais"
    count_attempt(registry, "other@example.fr", "10.0.0.2")


def test_attempts_at_once_are_all_counted(registry: Registry) -> None:
    refused = []

    def attempt() -> None:
        try:
            count_attempt(registry, "jane@example.fr", "10.0.0.1")
        except WorkbenchError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=attempt) for _ in range(MOST_BY_EMAIL + 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["trop_d_essais"] * 5


@pytest.mark.parametrize(
    "password",
    [
        "",
        "court",
        "a" * 20,
        "abababababab",
        "x" * 300,
        "jane@example.fr",
        "JANE@example.fr",
        "avec\nun retour de ligne",
    ],
)
def test_passwords_that_do_not_serve(password: str) -> None:
    assert code(check_password, password, "jane@example.fr") == "mot_de_passe_refuse"


@given(st.text(max_size=80))
def test_an_email_that_passes_is_safe_everywhere(text: str) -> None:
    try:
        found = check_email(text)
    except WorkbenchError as error:
        assert error.code == "email_malforme"  # noqa: PT017
    else:
        assert found.isascii()
        assert found.count("@") == 1
        assert found == check_email(found)
        assert not set(found) & set(' \t\r\n,;:<>"\\()[]')


@given(st.text(max_size=120))
def test_a_badge_that_passes_is_one_line(text: str) -> None:
    try:
        assert check_badge(text).splitlines() == [text]
    except WorkbenchError as error:
        assert error.code == "badge_malforme"  # noqa: PT017
