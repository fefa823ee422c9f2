"""The embedded issuer over HTTP: the code flow, refresh and reuse, logout, and what it refuses."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from issuer_documents import PASSWORD
from sqlalchemy import select

from workbench.errors import WorkbenchError
from workbench.identity.app import create_app
from workbench.identity.authorization import Client, OAuthError
from workbench.identity.issuing import Issuer
from workbench.identity.keys import public_keys
from workbench.identity.signing import SigningKeys
from workbench.identity.tables import families, refresh_tokens
from workbench.identity.tokens import TokenRules, TokenVerifier
from workbench.registry import Registry

URL = "http://127.0.0.1:8867"
BACK = "http://127.0.0.1:8866/oidc/retour"
VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
REQUEST = {
    "client_id": "tableaux",
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": "openid email profile",
    "state": "some state",
    "nonce": "some nonce",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


class Clock:
    """A clock that a test moves."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Browser:
    """A browser in front of the issuer, which keeps cookies and follows nothing."""

    def __init__(self, issuer: Issuer) -> None:
        self.transport = httpx.ASGITransport(create_app(issuer), raise_app_exceptions=False)
        self.cookies = httpx.Cookies()

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self.transport, base_url=URL, cookies=self.cookies) as web:
                answer = await web.request(method, path, **options)
                self.cookies = web.cookies
                return answer

        return asyncio.run(ask())

    def form(self, path: str = "/authorize", **changed: Any) -> dict[str, str]:
        """Open a form and return its hidden field."""
        answer = self("GET", path, params={**REQUEST, **changed} if path == "/authorize" else changed)
        found = re.search(r'name="form_token" value="([^"]+)"', answer.text)
        assert found, answer.text
        return {"form_token": found[1]}

    def log_in(self, email: str = "jane@example.fr", password: str = PASSWORD, **changed: Any) -> httpx.Response:
        form = {**self.form(**changed), "email": email, "password": password}
        return self("POST", "/authorize", params={**REQUEST, **changed}, data=form)

    def code(self, **changed: Any) -> str:
        return returned(self.log_in(**changed))["code"]

    def redeem(self, code: str, **changed: str) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "client_id": "tableaux",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
            **changed,
        }
        return self("POST", "/token", data=form)

    def refresh(self, token: str, **changed: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "client_id": "tableaux", "refresh_token": token, **changed}
        return self("POST", "/token", data=form)


def returned(answer: httpx.Response) -> dict[str, str]:
    """What the issuer sends back to the client."""
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(BACK + "?")
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(registry: Registry, signing_folder: Path, clock: Clock) -> Issuer:
    clients = [
        Client("tableaux", ("http://127.0.0.1/oidc/retour",), ("http://127.0.0.1/",)),
        Client("autre", ("https://autre.example.fr/retour",)),
    ]
    found = Issuer(URL, registry, SigningKeys(signing_folder), clients, clock=clock)
    found.people.add("jane@example.fr", PASSWORD, given_name="Jane", family_name="Doe", held=["bfc", "crp"])
    return found


@pytest.fixture
def browser(issuer: Issuer) -> Browser:
    return Browser(issuer)


class OurKeys:
    """Keys as anyone would read them from the published document."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer

    def cached(self, identifier: str) -> Any:
        return public_keys(self.issuer.keys.jwks(), ("RS256",)).get(identifier)

    get = cached


def verifier(issuer: Issuer, **rules: Any) -> TokenVerifier:
    wanted = {"audience": "workbench", **rules}
    return TokenVerifier(TokenRules(URL, **wanted), OurKeys(issuer), clock=issuer.clock)  # type: ignore[arg-type]


def test_the_code_flow_gives_tokens_that_say_who_logged_in(browser: Browser, issuer: Issuer) -> None:
    answer = browser.log_in()
    back = returned(answer)
    assert (back["state"], back["iss"]) == ("some state", URL)
    given_tokens = browser.redeem(back["code"])
    tokens = given_tokens.json()
    assert given_tokens.headers["cache-control"] == "no-store"
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 300)
    actor = verifier(issuer).verify(tokens["access_token"])
    assert (actor.email, actor.name, actor.badges) == ("jane@example.fr", "Jane Doe", {"bfc", "crp"})
    identity = verifier(issuer, audience="tableaux", identity_token=True).claims(tokens["id_token"])
    assert (identity["nonce"], identity["sub"]) == ("some nonce", actor.subject)
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert identity["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    for wrong, rules in ((tokens["id_token"], {}), (tokens["id_token"], {"audience": "tableaux"})):
        with pytest.raises(WorkbenchError):
            verifier(issuer, **rules).verify(wrong)
    answer = browser("GET", "/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert answer.json()["email"] == "jane@example.fr"


def test_a_second_client_needs_no_second_password(browser: Browser) -> None:
    browser.log_in()
    assert "code" in returned(browser("GET", "/authorize", params=REQUEST))
    assert "code" in returned(browser("GET", "/authorize", params={**REQUEST, "prompt": "none", "max_age": "60"}))
    assert browser("GET", "/authorize", params={**REQUEST, "prompt": "login"}).status_code == 200


def test_a_login_may_be_asked_to_be_recent_and_ends_by_itself(browser: Browser, clock: Clock) -> None:
    browser.log_in()
    clock.now += 61
    assert browser("GET", "/authorize", params={**REQUEST, "max_age": "60"}).status_code == 200
    clock.now += 10 * 3600
    silent = browser("GET", "/authorize", params={**REQUEST, "prompt": "none"})
    assert returned(silent)["error"] == "login_required"


def test_a_code_serves_once_and_a_second_use_ends_what_it_gave(browser: Browser) -> None:
    code = browser.code()
    tokens = browser.redeem(code).json()
    assert browser.redeem(code).json()["error"] == "invalid_grant"
    assert browser.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changed",
    [
        {"code": "unknown"},
        {"code": ""},
        {"code_verifier": ""},
        {"code_verifier": "short"},
        {"code_verifier": secrets.token_urlsafe(48)},
        {"code_verifier": CHALLENGE},
        {"redirect_uri": BACK + "/"},
        {"redirect_uri": ""},
        {"client_id": "autre"},
    ],
)
def test_a_code_is_worth_nothing_to_another(browser: Browser, changed: dict[str, str]) -> None:
    answer = browser.redeem(**{"code": browser.code(), **changed})
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"
    assert answer.json()["status_code"] == 400
    assert set(answer.json()) == {"error", "error_description", "detail", "status_code"}


def test_a_code_lasts_a_minute(browser: Browser, clock: Clock) -> None:
    code = browser.code()
    clock.now += 61
    assert browser.redeem(code).status_code == 400


def test_a_refresh_token_serves_once_and_reuse_ends_the_family(browser: Browser, issuer: Issuer) -> None:
    first = browser.redeem(browser.code()).json()["refresh_token"]
    issuer.people.set_badges("jane@example.fr", ["urssaf"])
    answer = browser.refresh(first).json()
    assert verifier(issuer).verify(answer["access_token"]).badges == {"urssaf"}
    assert answer["refresh_token"] != first
    assert browser.refresh(first).status_code == 400  # stolen: by whom, nobody knows
    assert browser.refresh(answer["refresh_token"]).status_code == 400


def test_refresh_tokens_used_at_once_give_one_answer(browser: Browser, issuer: Issuer) -> None:
    from concurrent.futures import ThreadPoolExecutor

    first = browser.redeem(browser.code()).json()["refresh_token"]

    def attempt(_: int) -> bool:
        try:
            issuer.refresh("tableaux", first)
        except OAuthError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(6))) == 1
    with issuer.registry.read() as connection:
        assert connection.scalars(select(families.c.revoked)).all() == [True]


def test_refresh_tokens_end(browser: Browser, clock: Clock) -> None:
    token = browser.redeem(browser.code()).json()["refresh_token"]
    for _ in range(6):
        clock.now += 7100
        answer = browser.refresh(token)
        if answer.status_code != 200:
            break
        token = answer.json()["refresh_token"]
    assert clock.now - Clock.now > 10 * 3600 - 7100
    assert answer.status_code == 400  # ten hours after the login, whatever was refreshed
    fresh = browser.redeem(browser.code()).json()["refresh_token"]
    clock.now += 7201
    assert browser.refresh(fresh).status_code == 400  # two hours without use


@pytest.mark.parametrize("how", ["revoke", "logout", "password", "remove"])
def test_what_ends_a_session_ends_its_refresh_tokens(browser: Browser, issuer: Issuer, how: str) -> None:
    tokens = browser.redeem(browser.code()).json()
    if how == "revoke":
        form = {"client_id": "tableaux", "token": tokens["refresh_token"]}
        assert browser("POST", "/revoke", data={**form, "client_id": "autre"}).status_code == 200
        assert browser("POST", "/revoke", data={**form, "token": "unknown"}).status_code == 200
        tokens = browser.refresh(tokens["refresh_token"]).json()
        assert browser("POST", "/revoke", data={**form, "token": tokens["refresh_token"]}).status_code == 200
    elif how == "logout":
        browser("GET", "/logout", params={"id_token_hint": tokens["id_token"]})
    elif how == "password":
        issuer.people.set_password("jane@example.fr", PASSWORD + " encore")
    else:
        issuer.people.remove("jane@example.fr")
    assert browser.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    if how != "revoke":
        assert browser("GET", "/authorize", params=REQUEST).status_code == 200  # the form again
    if how == "remove":
        answer = browser("GET", "/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
        assert (answer.status_code, answer.json()["status_code"]) == (404, 404)


def test_another_site_cannot_log_a_person_out(browser: Browser, issuer: Issuer) -> None:
    tokens = browser.redeem(browser.code()).json()
    for query in ({}, {"id_token_hint": "x.y.z"}, {"id_token_hint": tokens["access_token"][:-4] + "AAAA"}):
        answer = browser("GET", "/logout", params=query)
        assert "Se déconnecter" in answer.text
        assert browser("POST", "/logout", params=query, data={"form_token": "invented"}).status_code == 200
        assert "code" in returned(browser("GET", "/authorize", params=REQUEST))
    form = browser.form("/logout")
    browser("POST", "/logout", data=form)
    assert browser("GET", "/authorize", params=REQUEST).status_code == 200


@pytest.mark.parametrize(
    ("target", "followed"),
    [
        ("http://127.0.0.1:8866/", True),
        ("http://127.0.0.1:8866/elsewhere", False),
        ("https://evil.example/", False),
        ("http://127.0.0.1:1@evil.example/", False),
        ("javascript:alert(1)", False),
    ],
)
def test_a_logout_leads_to_known_addresses_only(browser: Browser, target: str, followed: bool) -> None:
    answer = browser("GET", "/logout", params={"post_logout_redirect_uri": target})
    assert (answer.headers.get("location") == target) is followed


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "unknown"},
        {"client_id": ""},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "http://127.0.0.1.evil.example:8866/oidc/retour"},
        {"redirect_uri": "http://127.0.0.1:8866@evil.example/oidc/retour"},
        {"redirect_uri": "http://jane@127.0.0.1:8866/oidc/retour"},
        {"redirect_uri": "http://127.0.0.1:8866/oidc/retour?x=1"},
        {"redirect_uri": "http://127.0.0.1:8866/oidc/retour#x"},
        {"redirect_uri": "http://127.0.0.1:8866/oidc/../oidc/retour"},
        {"redirect_uri": "http://127.0.0.1:99999/oidc/retour"},
        {"redirect_uri": "http://localhost:8866/oidc/retour"},
        {"redirect_uri": "https://127.0.0.1:8866/oidc/retour"},
        {"redirect_uri": "http://127.0.0.1:8866\\@evil.example/oidc/retour"},
        {"redirect_uri": ""},
        {"redirect_uri": "https://autre.example.fr/retour"},
    ],
)
def test_nobody_is_sent_to_an_unknown_address(browser: Browser, changed: dict[str, str]) -> None:
    browser.log_in()
    for method in ("GET", "POST"):
        answer = browser(method, "/authorize", params={**REQUEST, **changed})
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "Connexion impossible" in answer.text


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "email"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": VERIFIER}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "https://evil.example"}, "request_uri_not_supported"),
        ({"prompt": "other"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"nonce": "x" * 3000}, "invalid_request"),
        ({"scope": ["openid", "email"]}, "invalid_request"),
    ],
)
def test_what_a_client_asks_wrongly_goes_back_to_it(browser: Browser, changed: dict[str, Any], error: str) -> None:
    back = returned(browser("GET", "/authorize", params={**REQUEST, **changed}))
    assert (back["error"], back["state"], back["iss"]) == (error, "some state", URL)


def test_the_form_is_bound_to_its_browser(browser: Browser, issuer: Issuer) -> None:
    typed = {"email": "jane@example.fr", "password": PASSWORD}
    stranger = Browser(issuer).form()
    browser.form()
    for form in ({}, {"form_token": ""}, {"form_token": "x"}, {"form_token": "é"}, stranger):
        answer = browser("POST", "/authorize", params=REQUEST, data={**typed, **form})
        assert answer.status_code == 403
        assert "workbench_emetteur" not in browser.cookies
    form = {**typed, **browser.form()}
    elsewhere = {"Origin": "https://evil.example"}
    assert browser("POST", "/authorize", params=REQUEST, data=form, headers=elsewhere).status_code == 403
    assert browser("POST", "/authorize", params=REQUEST, data=form, headers={"Origin": URL}).status_code == 303


def test_the_form_is_french_and_tells_nothing(browser: Browser) -> None:
    page = browser("GET", "/authorize", params={**REQUEST, "login_hint": '"><script>alert(1)</script>'})
    assert '<html lang="fr">' in page.text
    assert "<script>" not in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "http" not in page.headers["content-security-policy"]
    wrong = [browser.log_in(email, "wrong password") for email in ("jane@example.fr", "nobody@example.fr")]
    assert {answer.status_code for answer in wrong} == {401}
    tidy = [re.sub(r'(value|nonce)="[^"]*"|nonce-\S+', "", answer.text) for answer in wrong]
    assert tidy[0] == tidy[1]
    assert "L&#39;adresse ou le mot de passe est inexact." in tidy[0]
    assert "wrong password" not in wrong[0].text


def test_cookies_are_out_of_reach_of_scripts(browser: Browser) -> None:
    answer = browser.log_in()
    cookies = answer.headers.get_list("set-cookie")
    session = next(each for each in cookies if each.startswith("workbench_emetteur="))
    assert "HttpOnly" in session
    assert "samesite=lax" in session.lower()


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/token", {}),
        ("/token", {"client_id": "tableaux"}),
        (
            "/token",
            {"client_id": "tableaux", "grant_type": "password", "username": "jane@example.fr", "password": PASSWORD},
        ),
        ("/token", {"client_id": "tableaux", "grant_type": "client_credentials"}),
        ("/token", {"client_id": "tableaux", "grant_type": "refresh_token"}),
        ("/token", {"client_id": ["tableaux", "tableaux"], "grant_type": "refresh_token"}),
        ("/revoke", {"client_id": "unknown", "token": "x"}),
    ],
)
def test_refusals_have_one_shape(browser: Browser, path: str, form: dict[str, Any]) -> None:
    answer = browser("POST", path, data=form)
    assert answer.status_code in (400, 401)
    assert answer.json()["status_code"] == answer.status_code
    assert set(answer.json()) == {"error", "error_description", "detail", "status_code"}


def test_a_client_has_no_secret(browser: Browser) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    for header, status in (
        ("Basic " + base64.b64encode(b"tableaux:").decode(), 400),
        ("Basic " + base64.b64encode(b"tableaux:secret").decode(), 401),
        ("Basic \xff", 401),
        ("Basic ====", 401),
    ):
        assert (
            browser("POST", "/token", data=form, headers=[(b"authorization", header.encode("latin-1"))]).status_code
            == status
        )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer x"},
        {"Authorization": "Token x.y.z"},
    ],
)
def test_without_a_token_there_is_no_one(browser: Browser, headers: dict[str, str]) -> None:
    answer = browser("GET", "/userinfo", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert set(answer.json()) == {"detail", "status_code"}


@pytest.mark.parametrize("path", ["/", "/nowhere", "/admin", "/jwks/..", "/token"])
def test_there_is_nothing_else(browser: Browser, path: str) -> None:
    answer = browser("GET", path)
    assert answer.status_code in (404, 405)
    assert set(answer.json()) == {"detail", "status_code"}


def test_bodies_that_are_too_long_or_of_another_kind(browser: Browser) -> None:
    assert (
        browser(
            "POST", "/token", content=b"x" * 20_000, headers={"Content-Type": "application/x-www-form-urlencoded"}
        ).status_code
        == 413
    )
    assert browser("POST", "/token", json={"client_id": "tableaux"}).status_code == 400
    assert (
        browser(
            "POST", "/token", content=b"\xff=\xff", headers={"Content-Type": "application/x-www-form-urlencoded"}
        ).status_code
        == 400
    )


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.tuples(st.sampled_from([*REQUEST, "prompt", "max_age", "x"]), st.text(max_size=20)), max_size=8))
def test_any_request_is_answered(browser: Browser, pairs: list[tuple[str, str]]) -> None:
    answer = browser("GET", "/authorize", params=pairs)
    assert answer.status_code in (200, 303, 400)
    if answer.status_code == 303:
        assert answer.headers["location"].startswith(BACK)


def test_a_token_for_a_script_lasts_a_day_at_most(issuer: Issuer) -> None:
    from datetime import timedelta

    actor = verifier(issuer).verify(issuer.token_for("jane@example.fr", timedelta(days=365)))
    assert actor.expires_at.timestamp() == Clock.now + 86400
    assert actor.badges == {"bfc", "crp"}


def test_no_secret_is_in_the_registry(browser: Browser, issuer: Issuer) -> None:
    code = browser.code()
    tokens = browser.redeem(code).json()
    cookie = browser.cookies["workbench_emetteur"]
    with issuer.registry.read() as connection:
        stored = json.dumps(
            [
                [str(value) for value in row]
                for table in (refresh_tokens, families)
                for row in connection.execute(select(table))
            ]
        )
    for secret in (code, tokens["refresh_token"], tokens["access_token"], cookie, PASSWORD):
        assert secret not in stored


# --- signing keys


@pytest.fixture
def keys(tmp_path: Path, clock: Clock) -> SigningKeys:
    return SigningKeys(tmp_path / "identite", clock)


def test_keys_are_files_of_their_owner(keys: SigningKeys) -> None:
    (path,) = keys.folder.glob("*")
    assert path.stat().st_mode & 0o777 == 0o600
    assert keys.folder.stat().st_mode & 0o777 == 0o700
    published = keys.jwks()["keys"]
    assert all({"kty", "n", "e", "kid", "use", "alg"} == set(each) for each in published)


def test_a_key_is_published_before_it_signs_and_long_after(keys: SigningKeys, clock: Clock) -> None:
    def signer() -> str:
        head = keys.sign({"sub": "x"}, "JWT").partition(".")[0]
        return str(json.loads(base64.urlsafe_b64decode(head + "=="))["kid"])

    first = signer()
    second = keys.rotate()
    assert {each["kid"] for each in keys.jwks()["keys"]} == {first, second}
    assert signer() == first
    clock.now += 61
    assert signer() == second
    clock.now += 3 * 86400
    third = keys.rotate()
    assert {each["kid"] for each in keys.jwks()["keys"]} == {second, third}
    other = SigningKeys(keys.folder, clock)
    fourth = other.rotate(at_once=True)
    assert {each["kid"] for each in keys.jwks()["keys"]} == {fourth}
    assert signer() == fourth
    clock.now += 91 * 86400
    signer()
    assert len(keys.jwks()["keys"]) == 2


def test_a_key_that_others_may_read_is_refused(keys: SigningKeys, tmp_path: Path) -> None:
    (path,) = keys.folder.glob("*.json")
    path.chmod(0o640)
    with pytest.raises(WorkbenchError) as error:
        SigningKeys(keys.folder)
    assert error.value.code == "cle_illisible"
    path.chmod(0o600)
    path.write_text('{"kty": "RSA", "created": 1}')
    with pytest.raises(WorkbenchError) as error:
        SigningKeys(keys.folder)
    assert error.value.code == "cle_illisible"


def test_the_discovery_document_is_complete(browser: Browser) -> None:
    document = browser("GET", "/.well-known/openid-configuration").json()
    for name, value in document.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            assert value.startswith(URL + "/")
            assert browser("GET", value).status_code != 404
