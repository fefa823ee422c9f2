"""Tokens that must not pass, one by one, and those that must."""

from __future__ import annotations

import json
from typing import Any

import forge
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ERRORS, WorkbenchError
from workbench.identity.keys import IssuerKeys, public_keys
from workbench.identity.tokens import TokenRules, TokenVerifier

FORGERIES = list(forge.forgeries())


def verifier(algorithms: tuple[str, ...] = ("RS256",), **rules: Any) -> TokenVerifier:
    """A verifier that knows the keys already, at the time of the tokens."""
    keys = IssuerKeys(forge.ISSUER, algorithms, clock=lambda: 0.0)
    keys._keys = public_keys(forge.JWKS, algorithms)
    keys._fetched = keys._tried = 0.0
    return TokenVerifier(TokenRules(forge.ISSUER, forge.AUDIENCE, algorithms, **rules), keys, clock=lambda: forge.NOW)


def refusal(text: str, **rules: Any) -> str:
    with pytest.raises(WorkbenchError) as error:
        verifier(**rules).verify(text)
    assert ERRORS[error.value.code].status == 401
    assert str(error.value)
    return error.value.code


def test_a_right_token_names_its_person() -> None:
    actor = verifier().verify(forge.token())
    assert (actor.email, actor.name, actor.subject) == ("jane@example.fr", "Jane Doe", "42")
    assert actor.badges == {"bfc", "crp"}
    assert actor.expires_at.timestamp() == forge.NOW + 300


@pytest.mark.parametrize("forgery", FORGERIES, ids=[each.name for each in FORGERIES])
def test_a_forged_token_is_refused(forgery: forge.Forgery) -> None:
    assert refusal(forgery.token) == forgery.code


def test_there_are_many_kinds_of_forgery() -> None:
    assert len({each.name for each in FORGERIES}) == len(FORGERIES) >= 100


@pytest.mark.parametrize(
    "body",
    [
        forge.claims(aud=["other", "workbench"]),
        forge.claims(exp=forge.NOW - 29),
        forge.claims(nbf=forge.NOW + 29, iat=forge.NOW + 29),
        forge.claims(typ="Bearer", azp="tableaux"),
        forge.claims(email_verified=...),
        forge.claims(given_name=None, family_name=["x"]),
        forge.claims(scope="openid", nonce="older Keycloaks write it here"),
    ],
)
def test_what_is_right_passes(body: dict[str, Any]) -> None:
    assert verifier().verify(forge.token(body=body)).email == "jane@example.fr"


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt", ...])
def test_known_types_pass(kind: Any) -> None:
    assert verifier().verify(forge.token(head=forge.header(typ=kind))).subject == "42"


def test_the_algorithm_is_that_of_the_configuration() -> None:
    curve = forge.token(head=forge.header(alg="ES256", kid="e1"), sign=forge.es256)
    assert verifier(("ES256",)).verify(curve).subject == "42"
    assert refusal(forge.token(), algorithms=("ES256",)) == "jeton_refuse"
    zero = forge.token(head=forge.header(alg="ES256", kid="e1"), sign=lambda _: bytes(64))
    assert refusal(zero, algorithms=("ES256",)) == "jeton_refuse"
    assert refusal(curve.rpartition(".")[0] + "." + forge.b64(b"0" * 65), algorithms=("ES256",)) == "jeton_refuse"


@pytest.mark.parametrize("algorithms", [(), ("none",), ("HS256",), ("RS256", "HS256"), ("rs256",)])
def test_no_other_algorithm_can_be_configured(algorithms: tuple[str, ...]) -> None:
    with pytest.raises(WorkbenchError) as error:
        TokenRules(forge.ISSUER, forge.AUDIENCE, algorithms)
    assert error.value.code == "identite_reglage"


def test_badges_come_from_the_configured_claim() -> None:
    body = forge.claims(groups=["paris"], resource_access={"autre": {"roles": ["x"]}})
    assert verifier().verify(forge.token(body=body)).badges == frozenset()
    assert verifier(badges_at=("groups",)).verify(forge.token(body=body)).badges == {"paris"}
    assert verifier(badges_at=("resource_access", "autre", "roles")).verify(forge.token(body=body)).badges == {"x"}


def test_an_unverified_address_passes_when_the_configuration_says_so() -> None:
    body = forge.claims(email_verified=False)
    assert verifier(unverified_email=True).verify(forge.token(body=body)).email == "jane@example.fr"


def test_an_identity_token_is_not_an_access_token_nor_the_reverse() -> None:
    rules = {"identity_token": True}
    assert verifier(**rules).claims(forge.token(body=forge.claims(typ="ID", at_hash="x", nonce="n")))["nonce"] == "n"
    for head, body in (
        (forge.header(typ="at+jwt"), forge.claims()),
        (forge.header(), forge.claims(typ="Bearer")),
        (forge.header(), forge.claims(azp="autre")),
        (forge.header(), forge.claims(aud=["workbench", "autre"])),
    ):
        assert refusal(forge.token(head, body), **rules) == "jeton_refuse"


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
CLAIMS = (
    "iss",
    "aud",
    "sub",
    "exp",
    "iat",
    "nbf",
    "email",
    "email_verified",
    "given_name",
    "resource_access",
    "typ",
    "azp",
)


@given(st.dictionaries(st.sampled_from(CLAIMS), ANY_JSON, max_size=3))
def test_any_claims_give_a_person_or_a_refusal(changed: dict[str, Any]) -> None:
    try:
        actor = verifier().verify(forge.token(body=forge.claims(**changed)))
    except WorkbenchError as error:
        assert error.status == 401  # noqa: PT017
    else:
        assert actor.expires_at.timestamp() > forge.NOW - 31
        assert {*changed}.isdisjoint({"iss", "aud"}) or changed.get("aud") == [forge.AUDIENCE]
        assert changed.get("typ") is None


@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "jku", "x"]), ANY_JSON, min_size=1))
def test_any_header_gives_a_person_or_a_refusal(changed: dict[str, Any]) -> None:
    head = forge.header(**changed)
    try:
        verifier().verify(forge.token(head=head))
    except WorkbenchError as error:
        assert error.status == 401  # noqa: PT017
    else:
        assert (head["alg"], head["kid"]) == ("RS256", "k1")


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda content: content.decode("latin-1")))
def test_any_text_is_foreign(text: str) -> None:
    assert refusal(text) == "jeton_etranger"


@given(st.integers(0, len(forge.token()) - 1), st.sampled_from("ABCDwxyz0189-_.= é"))
def test_a_sign_changed_anywhere_is_refused(place: int, sign: str) -> None:
    text = forge.token()
    changed = text[:place] + sign + text[place + 1 :]
    if changed != text:
        assert refusal(changed) in ("jeton_refuse", "jeton_etranger")


def test_of_a_jwks_only_keys_that_verify_are_kept() -> None:
    small = forge.rsa.generate_private_key(65537, 1024)
    other_curve = forge.ec.generate_private_key(forge.ec.SECP384R1())
    entries: list[Any] = [
        forge.rsa_jwk(forge.OURS, "good"),
        forge.rsa_jwk(forge.OURS, "alg", alg="RS256"),
        forge.rsa_jwk(forge.OURS, "other-alg", alg="RS512"),
        forge.rsa_jwk(forge.OURS, "encryption", use="enc"),
        forge.rsa_jwk(forge.OURS, "operations", key_ops=["sign"]),
        forge.rsa_jwk(small, "small"),
        forge.rsa_jwk(forge.OURS, "twice"),
        forge.rsa_jwk(forge.STRANGER, "twice"),
        forge.ec_jwk(other_curve, "curve", "P-384"),
        {**forge.ec_jwk(forge.CURVE, "off"), "y": forge.b64(bytes(32))},
        {"kty": "oct", "kid": "secret", "k": "AAAA"},
        {"kty": "RSA", "kid": "incomplete"},
        {key: value for key, value in forge.rsa_jwk(forge.OURS, "x").items() if key != "kid"},
        "text",
        None,
    ]
    assert set(public_keys({"keys": entries}, ("RS256", "ES256"))) == {"good", "alg"}
    assert set(public_keys(forge.JWKS, ("ES256",))) == {"e1"}
    for wrong in ({}, {"keys": None}, {"keys": {}}, {"keys": [[]]}):
        assert public_keys(json.loads(json.dumps(wrong)), ("RS256",)) == {}
