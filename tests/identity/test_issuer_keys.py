"""Discovery, cache and rotation of an issuer's keys."""

from __future__ import annotations

import asyncio
import threading

import forge
import pytest
from issuer_documents import Documents

from workbench.errors import WorkbenchError
from workbench.identity.keys import IssuerKeys, check_address
from workbench.identity.tokens import TokenRules, TokenVerifier


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def code(keys: IssuerKeys, identifier: str) -> str:
    with pytest.raises(WorkbenchError) as error:
        keys.get(identifier)
    return error.value.code


def test_keys_are_fetched_once(documents: Documents, clock: Clock) -> None:
    documents.publish(forge.JWKS)
    keys = IssuerKeys(documents.url, clock=clock)
    assert keys.cached("k1") is None
    for _ in range(5):
        keys.get("k1")
    assert documents.asked == ["/.well-known/openid-configuration", "/keys"]
    assert keys.cached("k1") is not None


def test_a_new_key_is_found_and_a_withdrawn_one_forgotten(documents: Documents, clock: Clock) -> None:
    documents.publish(forge.JWKS)
    keys = IssuerKeys(documents.url, clock=clock)
    keys.get("k1")
    documents.publish({"keys": [forge.rsa_jwk(forge.STRANGER, "k2")]})
    clock.now = 11
    keys.get("k2")
    assert code(keys, "k1") == "jeton_refuse"


def test_a_withdrawn_key_is_refused_after_ten_minutes_without_any_new_one(documents: Documents, clock: Clock) -> None:
    documents.publish(forge.JWKS)
    keys = IssuerKeys(documents.url, clock=clock)
    keys.get("k1")
    documents.publish({"keys": []})
    clock.now = 599
    keys.get("k1")
    clock.now = 601
    assert code(keys, "k1") == "jeton_refuse"


def test_invented_identifiers_are_not_requests(documents: Documents, clock: Clock) -> None:
    documents.publish(forge.JWKS)
    keys = IssuerKeys(documents.url, clock=clock)
    keys.get("k1")
    clock.now = 11
    threads = [threading.Thread(target=code, args=(keys, f"invented-{place}")) for place in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert documents.asked.count("/keys") == 2


def test_known_keys_serve_an_hour_while_the_issuer_is_away(documents: Documents, clock: Clock) -> None:
    documents.publish(forge.JWKS)
    keys = IssuerKeys(documents.url, clock=clock)
    keys.get("k1")
    documents.pages.clear()
    clock.now = 3599
    keys.get("k1")
    clock.now = 3650
    assert code(keys, "k1") == "emetteur_injoignable"
    clock.now = 3652  # asked again too soon: still not a refusal of the token
    assert code(keys, "k1") == "emetteur_injoignable"


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"jwks_uri": "http://evil.example/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"jwks_uri": ["/keys"]},
    ],
)
def test_a_document_that_leads_elsewhere_is_refused(documents: Documents, document: dict[str, object]) -> None:
    documents.publish(forge.JWKS, **document)
    assert code(IssuerKeys(documents.url), "k1") == "emetteur_injoignable"


@pytest.mark.parametrize("page", [404, 500, 302, b"<html>", b"[]", b'{"keys": [], "keys": []}', b"x" * (1 << 21)])
def test_keys_that_cannot_be_read_are_the_issuers_fault(documents: Documents, page: object) -> None:
    documents.publish(forge.JWKS)
    documents.pages["/keys"] = page
    assert code(IssuerKeys(documents.url), "k1") == "emetteur_injoignable"


def test_no_issuer_at_all(documents: Documents) -> None:
    documents.server.server_close()
    keys = IssuerKeys("http://127.0.0.1:9")
    with pytest.raises(WorkbenchError) as error:
        keys.document()
    assert (error.value.code, error.value.status) == ("emetteur_injoignable", 503)


@pytest.mark.parametrize(
    "address",
    [
        "http://example.fr",
        "ftp://example.fr",
        "https://",
        "https://jane@example.fr",
        "https://x.fr/#a",
        "https://[",
        "x",
        "",
    ],
)
def test_addresses_that_are_not_safe(address: str) -> None:
    with pytest.raises(WorkbenchError) as error:
        check_address(address)
    assert error.value.code == "emetteur_adresse"


def test_the_event_loop_waits_for_no_key_it_has(documents: Documents) -> None:
    documents.publish(forge.JWKS)
    verifier = TokenVerifier(TokenRules(documents.url, forge.AUDIENCE))
    text = forge.token(body=forge.live(iss=documents.url))
    assert asyncio.run(verifier.verify_async(text)).email == "jane@example.fr"
    documents.pages.clear()
    assert asyncio.run(verifier.verify_async(text)).badges == {"bfc", "crp"}
