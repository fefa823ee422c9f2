"""The door of the services, without any framework, and the sessions and kernels of a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import forge
import pytest
from hypothesis import given
from hypothesis import strategies as st
from issuer_documents import Documents

from workbench.errors import WorkbenchError
from workbench.identity.actor import Actor
from workbench.identity.kernel_token import TOKEN_FILE, kernel_token, write_token
from workbench.identity.middleware import IdentityMiddleware, bearer_token
from workbench.identity.relying import Pending, Tokens
from workbench.identity.sessions import KernelOwners, Sessions
from workbench.identity.tokens import TokenRules, TokenVerifier

Message = MutableMapping[str, Any]


class Asked:
    """A middleware in front of an application that tells what reached it."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self.reached: list[MutableMapping[str, Any]] = []
        self.door = IdentityMiddleware(self.application, verifier, public=["/openapi.json"])

    async def application(self, scope: MutableMapping[str, Any], _: Any, send: Any) -> None:
        self.reached.append(scope)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def __call__(self, *headers: tuple[bytes, bytes], path: str = "/data", kind: str = "http") -> list[Message]:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            return {"type": "http.request"}

        asyncio.run(self.door({"type": kind, "path": path, "headers": list(headers)}, receive, send))
        return sent


@pytest.fixture
def asked(documents: Documents) -> Asked:
    documents.publish(forge.JWKS)
    return Asked(TokenVerifier(TokenRules(documents.url, forge.AUDIENCE)))


def bearer(asked: Asked, **more: Any) -> tuple[bytes, bytes]:
    issuer = asked.door.verifier.rules.issuer
    return b"authorization", f"Bearer {forge.token(body=forge.live(iss=issuer, **more))}".encode()


def test_the_actor_is_in_the_scope(asked: Asked) -> None:
    assert asked(bearer(asked))[0]["status"] == 204
    actor = asked.reached[0]["actor"]
    assert isinstance(actor, Actor)
    assert actor.badges == {"bfc", "crp"}


@pytest.mark.parametrize(
    ("headers", "challenge"),
    [
        ([], b"Bearer"),
        ([(b"authorization", b"")], b"Bearer"),
        ([(b"authorization", b"Bearer")], b"Bearer"),
        ([(b"authorization", b"Bearer ")], b"Bearer"),
        ([(b"authorization", b"Basic amFuZTp4")], b"Bearer"),
        ([(b"authorization", b"Bearer x")], b'Bearer error="invalid_token"'),
        ([(b"authorization", b"Bearer \xff\xfe.x.y")], b'Bearer error="invalid_token"'),
        ([(b"authorization", b"Bearer x"), (b"Authorization", b"Bearer y")], b'Bearer error="invalid_token"'),
    ],
)
def test_without_a_right_token_the_application_is_not_reached(
    asked: Asked, headers: list[tuple[bytes, bytes]], challenge: bytes
) -> None:
    start, body = asked(*headers)
    assert start["status"] == 401
    assert dict(start["headers"])[b"www-authenticate"] == challenge
    assert json.loads(body["body"])["status_code"] == 401
    assert set(json.loads(body["body"])) == {"detail", "status_code"}
    assert asked(*headers, kind="websocket") == [
        {"type": "websocket.close", "code": 1008, "reason": asked_code(headers)}
    ]
    assert asked.reached == []


def asked_code(headers: list[tuple[bytes, bytes]]) -> str:
    try:
        bearer_token(headers)
    except WorkbenchError as error:
        return error.code
    return "jeton_etranger"


def test_two_tokens_are_none_even_when_both_are_right(asked: Asked) -> None:
    assert asked(bearer(asked), bearer(asked))[0]["status"] == 401


def test_public_paths_are_whole_paths(asked: Asked) -> None:
    assert asked(path="/openapi.json")[0]["status"] == 204
    assert asked.reached[0]["actor"] is None
    for path in ("/openapi.json/", "/openapi.json/../data", "/OPENAPI.JSON", "//openapi.json", "/data?/openapi.json"):
        assert asked(path=path)[0]["status"] == 401
    assert asked(path="/openapi.json", kind="websocket")[0]["type"] == "websocket.close"


def test_what_a_client_says_of_itself_is_dropped(asked: Asked) -> None:
    lies = [(b"x-workbench-email", b"boss@x.fr"), (b"X-Workbench-Badges", b"all"), (b"x_workbench_email", b"boss@x.fr")]
    asked(bearer(asked), *lies, (b"x-other", b"kept"))
    assert [name for name, _ in asked.reached[0]["headers"]] == [b"authorization", b"x-other"]


def test_an_issuer_that_is_away_is_not_the_clients_fault(asked: Asked, documents: Documents) -> None:
    documents.pages.clear()
    assert asked(bearer(asked))[0]["status"] == 503


def test_other_kinds_of_scope_pass(asked: Asked) -> None:
    asked(kind="lifespan")
    assert asked.reached[0]["type"] == "lifespan"


@given(st.lists(st.tuples(st.just(b"authorization"), st.binary(max_size=40)), max_size=2))
def test_any_header_is_a_token_or_a_401(headers: list[tuple[bytes, bytes]]) -> None:
    try:
        assert bearer_token(headers).strip()
    except WorkbenchError as error:
        assert error.status == 401  # noqa: PT017


# --- sessions and kernels


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def tokens(email: str = "jane@example.fr") -> Tokens:
    from datetime import UTC, datetime

    return Tokens(Actor(email, "", "", frozenset(), datetime(2030, 1, 1, tzinfo=UTC), "1"), "access", "refresh", "id")


def test_a_session_lasts_ten_hours_at_most() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    secret, session = sessions.open(tokens())
    assert sessions.find(secret) is session
    assert secret not in repr(session)
    assert "access" not in repr(session)
    for wrong in ("", "x", session.identifier, secret + "x", "\udcff"):
        assert sessions.find(wrong) is None
    clock.now = 36_001
    assert sessions.find(secret) is None
    other, session = sessions.open(tokens())
    sessions.end(session)
    assert sessions.find(other) is None


def test_a_login_is_finished_once_and_soon() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    pending = Pending.begin("http://127.0.0.1/")
    sessions.begin(pending, "/page")
    assert sessions.take(pending.state) == (pending, "/page")
    assert sessions.take(pending.state) is None
    sessions.begin(pending, "/page")
    clock.now = 601
    assert sessions.take(pending.state) is None


def test_memory_is_bounded() -> None:
    sessions = Sessions(Clock())
    for _ in range(2100):
        sessions.begin(Pending.begin("/"), "/")
    assert len(sessions._pending) == 2000


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("12345"), st.booleans())))
def test_a_kernel_has_one_owner(events: list[tuple[str, str, bool]]) -> None:
    owners, known = KernelOwners(), dict[str, str]()
    for person, kernel, starts in events:
        if starts:
            owners.add(kernel, person, f"of {person}")
            known[kernel] = person
        else:
            owners.remove(kernel)
            known.pop(kernel, None)
        for each in "12345":
            assert [one for one in "abc" if owners.owns(one, each)] == ([known[each]] if each in known else [])
    assert not owners.owns("", "unknown") or "unknown" in known
    for person in "abc":
        assert sorted(owners.of_session(f"of {person}")) == sorted(k for k, owner in known.items() if owner == person)


def test_a_kernel_reads_the_token_of_its_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "token"
    write_token(path, "first")
    assert path.stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv(TOKEN_FILE, str(path))
    assert kernel_token() == "first"
    write_token(path, "second")
    assert kernel_token() == "second"
    assert list(tmp_path.iterdir()) == [path]
    path.unlink()
    with pytest.raises(WorkbenchError) as error:
        kernel_token()
    assert error.value.code == "jeton_absent"
