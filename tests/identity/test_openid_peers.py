"""Our client with a provider of another make, and our issuer with a client of another make."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
import pytest
from issuer_documents import PASSWORD

from workbench.errors import WorkbenchError
from workbench.identity.configuration import IdentitySettings, identity_settings
from workbench.identity.embedded import has_people, identity_of, serve_issuer
from workbench.identity.people import People
from workbench.identity.relying import Pending, RelyingParty, Tokens
from workbench.identity.tables import ROOM
from workbench.registry import open_registry

HERE = Path(__file__).parent / "openid"
BACK = "http://127.0.0.1:8866/oidc/retour"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the OpenID provider and client of the Node world, as the lock file pins them."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("OpenID provider absent: node and npm are not installed")
    folder = tmp_path_factory.mktemp("openid")
    for path in HERE.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip(f"OpenID provider absent: npm ci failed: {done.stderr.strip()[-200:]}")
    return folder


class Provider:
    """A running provider."""

    def __init__(self, folder: Path, access_seconds: int) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = ["node", "provider.js", str(self.port), BACK, "http://127.0.0.1:8866/", str(access_seconds)]
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._line() == "ready", self.process.stderr.read()  # type: ignore[union-attr]

    def _line(self) -> str:
        assert self.process.stdout
        while True:
            line = self.process.stdout.readline().strip()
            if not line or line in ("ready", "rotate", "withdraw"):
                return line

    def tell(self, word: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        assert self._line() == word

    def stop(self) -> None:
        self.process.communicate("")


@pytest.fixture(scope="module")
def provider(programs: Path) -> Iterator[Provider]:
    found = Provider(programs, 300)
    yield found
    found.stop()


def settings_for(issuer: str, **changed: Any) -> IdentitySettings:
    from dataclasses import replace

    return replace(identity_settings().with_issuer(issuer), **changed)


def follow(web: httpx.Client, answer: httpx.Response) -> httpx.Response:
    """Follow redirections as far as the client's own address."""
    while answer.is_redirect and not answer.headers["location"].startswith(BACK):
        answer = web.get(urljoin(str(answer.url), answer.headers["location"]))
    return answer


def visit(address: str, email: str) -> dict[str, str]:
    """Log in at the provider as a browser does, agree to what is asked, and return what is sent back."""
    with httpx.Client(timeout=20) as web:
        answer = follow(web, web.get(address))
        for _ in range(3):
            if answer.is_redirect:
                return dict(parse_qsl(urlsplit(answer.headers["location"]).query))
            action = re.search(r'action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert action, answer.text
            assert prompt, answer.text
            form = {"prompt": prompt[1], "login": email, "password": "x"}
            answer = follow(web, web.post(urljoin(str(answer.url), action[1]), data=form))
    pytest.fail(answer.text)


def log_in(party: RelyingParty, email: str = "jane@example.fr") -> tuple[Pending, str, Tokens]:
    pending = Pending.begin(BACK)
    back = visit(party.login_address(pending), email)
    assert back["state"] == pending.state
    return pending, back["code"], party.redeem(pending, back["code"])


def code_of(call: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(WorkbenchError) as error:
        call(*arguments)
    assert str(error.value)
    return error.value.code


def test_a_provider_of_another_make_tells_who_logged_in(provider: Provider) -> None:
    party = RelyingParty(settings_for(provider.url))
    pending, code, tokens = log_in(party)
    assert (tokens.actor.email, tokens.actor.badges) == ("jane@example.fr", {"bfc", "crp"})
    assert asyncio.run(party.verifier.verify_async(tokens.access)) == tokens.actor
    assert code_of(party.redeem, pending, code) == "connexion_echouee"
    assert code_of(party.verifier.verify, tokens.identity) == "jeton_refuse"
    assert "id_token_hint" in party.logout_address(tokens, "http://127.0.0.1:8866/")


def test_tokens_are_renewed_once_and_revoked(provider: Provider) -> None:
    party = RelyingParty(settings_for(provider.url))
    _, _, tokens = log_in(party)
    renewed = party.refresh(tokens)
    assert renewed.actor.email == tokens.actor.email
    assert renewed.access != tokens.access
    assert code_of(party.refresh, tokens) == "connexion_echouee"
    _, _, tokens = log_in(party)
    party.revoke(tokens)
    assert code_of(party.refresh, tokens) == "connexion_echouee"


def test_a_session_does_not_change_hands(provider: Provider) -> None:
    party = RelyingParty(settings_for(provider.url))
    _, _, jane = log_in(party)
    _, _, john = log_in(party, "john@example.fr")
    swapped = Tokens(jane.actor, jane.access, john.refresh, jane.identity)
    assert code_of(party.refresh, swapped) == "jeton_refuse"


def test_an_answer_of_another_login_is_refused(provider: Provider) -> None:
    party = RelyingParty(settings_for(provider.url))
    first = Pending.begin(BACK)
    code = visit(party.login_address(first), "jane@example.fr")["code"]
    other = Pending.begin(BACK)
    # The provider knows the verifier; the nonce is for us to check.
    assert code_of(party.redeem, Pending(other.state, other.nonce, first.verifier, BACK), code) == "jeton_refuse"
    code = visit(party.login_address(first), "jane@example.fr")["code"]
    assert code_of(party.redeem, Pending(first.state, first.nonce, other.verifier, BACK), code) == "connexion_echouee"


def test_other_settings_refuse_its_tokens(provider: Provider) -> None:
    _, _, tokens = log_in(RelyingParty(settings_for(provider.url)))
    for changed in ({"audience": "autre"}, {"algorithms": ("ES256",)}):
        party = RelyingParty(settings_for(provider.url, **changed))
        assert code_of(party.verifier.verify, tokens.access) == "jeton_refuse"
    localhost = RelyingParty(settings_for(provider.url.replace("127.0.0.1", "localhost")))
    assert code_of(localhost.verifier.verify, tokens.access) == "jeton_etranger"
    assert code_of(localhost.keys.document) == "emetteur_injoignable"  # it names itself otherwise


def test_its_keys_rotate(provider: Provider) -> None:
    party = RelyingParty(settings_for(provider.url))
    seconds = 0.0
    party.keys._clock = lambda: seconds
    _, _, before = log_in(party)
    provider.tell("rotate")
    seconds = 20.0
    _, _, after = log_in(party)
    for tokens in (before, after):
        assert party.verifier.verify(tokens.access).email == "jane@example.fr"
    provider.tell("withdraw")
    assert party.verifier.verify(before.access)  # known for ten minutes at most
    seconds = 640.0
    assert code_of(party.verifier.verify, before.access) == "jeton_refuse"
    assert party.verifier.verify(after.access)


class Request:
    """What an identity provider of Jupyter looks at in a request."""

    of_identity = False

    def __init__(self, secret: str, **headers: str) -> None:
        from tornado.httputil import HTTPHeaders

        self.request = SimpleNamespace(headers=HTTPHeaders({name.replace("_", "-"): headers[name] for name in headers}))
        self.secret = secret

    def get_cookie(self, _: str) -> str:
        return self.secret


def test_a_session_is_renewed_and_ends_when_it_cannot_be(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    jupyter = pytest.importorskip("workbench.identity.jupyter")
    monkeypatch.setattr(jupyter, "RENEW_BEFORE", timedelta(hours=1))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = jupyter.OidcIdentityProvider(
        settings=settings_for(provider.url), public_url="http://127.0.0.1", anyone=True
    )
    party = found.party
    _, _, tokens = log_in(party)
    secret, session = found.sessions.open(tokens)
    path = found.token_file(session)
    found.keep_kernel("kernel", session, path)
    asked = Request(secret, X_Workbench_Email="boss@example.fr", X_Workbench_Badges="all")
    agent = asyncio.run(found.get_user(asked))
    assert agent.username == "jane@example.fr"
    assert dict(asked.request.headers) == {"X-Workbench-Email": "jane@example.fr"}
    assert path.read_text() == session.tokens.access != tokens.access
    _, _, john = log_in(party, "john@example.fr")
    session.tokens = Tokens(session.tokens.actor, session.tokens.access, john.refresh, session.tokens.identity)
    asked = Request(secret, X_Workbench_Email="boss@example.fr")
    assert asyncio.run(found.get_user(asked)) is None
    assert not asked.request.headers
    assert found.sessions.find(secret) is None
    assert not found.owners.owns("jane@example.fr", "kernel")
    assert not path.exists()
    found.close()


def test_nobody_is_let_in_unless_the_configuration_says_who(provider: Provider) -> None:
    jupyter = pytest.importorskip("workbench.identity.jupyter")
    _, _, tokens = log_in(RelyingParty(settings_for(provider.url)))
    for options, admitted in (
        ({}, False),
        ({"badges": ["bfc"]}, True),
        ({"badges": ["bfc", "urssaf"]}, False),
        ({"emails": ["jane@example.fr"]}, True),
        ({"emails": ["john@example.fr"]}, False),
        ({"anyone": True}, True),
    ):
        found = jupyter.OidcIdentityProvider(settings=settings_for(provider.url), **options)
        _, session = found.sessions.open(tokens)
        agent = jupyter.Agent(username="jane@example.fr", session=session)
        assert found.admits(agent) is admitted
        found.sessions.end(session)
        assert not found.admits(agent)


# --- our issuer, and a client of another make


@pytest.fixture
def embedded(tmp_path: Path, signing_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("WORKBENCH_REGISTRE", str(tmp_path / "registre.sqlite"))
    monkeypatch.setenv("WORKBENCH_IDENTITE", str(signing_folder))
    monkeypatch.setenv("WORKBENCH_ISSUER", "")
    with open_registry(rooms=[ROOM]) as registry:
        People(registry).add("jane@example.fr", PASSWORD, given_name="Jane", family_name="Doe", held=["bfc"])
    with serve_issuer(identity_settings(), "http://127.0.0.1:8866", "127.0.0.1", free_port()) as url:
        yield url


def type_password(address: str) -> str:
    """Log in at our form and return the address that the browser is sent back to."""
    with httpx.Client(timeout=20) as web:
        page = web.get(address)
        token = re.search(r'name="form_token" value="([^"]+)"', page.text)
        assert token
        form = {"form_token": token[1], "email": "jane@example.fr", "password": PASSWORD}
        return str(web.post(address, data=form).headers["location"])


def test_a_client_of_another_make_works_with_our_issuer(programs: Path, embedded: str) -> None:
    process = subprocess.Popen(
        ["node", "client.js", embedded, BACK],
        cwd=programs,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdin
    address = process.stdout.readline().strip()
    assert address.startswith(f"{embedded}/authorize?"), process.communicate()
    out, err = process.communicate(type_password(address) + "\n", timeout=60)
    assert out, err
    found = json.loads(out)
    assert found["claims"]["email"] == found["person"]["email"] == "jane@example.fr"
    assert found["afterwards"] == "invalid_grant"
    party = RelyingParty(settings_for(embedded))
    assert party.verifier.verify(found["access"]).badges == {"bfc"}
    assert httpx.get(found["leaving"]).headers["location"] == "http://127.0.0.1:8866/"


def test_our_client_works_with_our_issuer(embedded: str) -> None:
    party = RelyingParty(settings_for(embedded))
    pending = Pending.begin(BACK)
    back = dict(parse_qsl(urlsplit(type_password(party.login_address(pending))).query))
    tokens = party.redeem(pending, back["code"])
    assert (tokens.actor.name, tokens.actor.badges) == ("Jane Doe", {"bfc"})
    renewed = party.refresh(tokens)
    assert renewed.actor.email == tokens.actor.email
    # What an answer brings is verified, each of its tokens.
    ask = party._ask
    for identity in ("a.b.c", tokens.access, tokens.identity[:-8] + "AAAAAAAA"):
        party._ask = lambda *given, identity=identity, **form: ask(*given, **form) | {"id_token": identity}  # type: ignore[method-assign]
        with pytest.raises(WorkbenchError):
            party.refresh(renewed)
        party._ask = ask  # type: ignore[method-assign]
        pending = Pending.begin(BACK)
        back = dict(parse_qsl(urlsplit(type_password(party.login_address(pending))).query))
        renewed = party.redeem(pending, back["code"])


# --- which issuer


def test_who_is_asked_is_decided_by_one_rule(
    tmp_path: Path, signing_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "registre.sqlite"
    monkeypatch.setenv("WORKBENCH_REGISTRE", str(place))
    monkeypatch.setenv("WORKBENCH_IDENTITE", str(signing_folder))
    monkeypatch.setenv("WORKBENCH_ISSUER", "")
    port = free_port()
    with identity_of("127.0.0.1", port) as found:
        assert found is None
    assert not place.exists()  # nothing is made for those who ask for nothing
    with pytest.raises(WorkbenchError) as error, identity_of("0.0.0.0", port):  # noqa: S104
        pass
    assert error.value.code == "identite_requise"
    with open_registry(rooms=[ROOM]) as registry:
        assert not has_people()
        People(registry).add("jane@example.fr", PASSWORD)
    with identity_of("127.0.0.1", port) as found:
        assert found is not None
        assert httpx.get(f"{found.issuer}/.well-known/openid-configuration").json()["issuer"] == found.issuer
    monkeypatch.setenv("WORKBENCH_ISSUER", "https://id.example.fr")
    with identity_of("0.0.0.0", port) as found:  # noqa: S104
        assert found is not None
        assert found.issuer == "https://id.example.fr"
    monkeypatch.setenv("WORKBENCH_ALGORITHMS", "HS256")
    with pytest.raises(WorkbenchError) as error, identity_of("127.0.0.1", port):
        pass
    assert error.value.code == "identite_reglage"
