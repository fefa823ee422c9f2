"""People of the tests of dashboards: whom the embedded issuer knows, and a client in which one logged in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from workbench.dashboards.welcome import CONFIDENTIAL, Welcome
from workbench.identity.actor import Actor
from workbench.identity.issuing import Issuer
from workbench.identity.people import People
from workbench.identity.signing import SigningKeys
from workbench.identity.tables import ROOM
from workbench.registry import open_registry
from workbench.store import open_store

__all__ = ["PASSWORD", "form_token", "logged_in", "make_people", "token_of"]

LATER = datetime.max.replace(tzinfo=UTC)
PASSWORD = "quatre mots sans rapport"  # noqa: S105 - of fictitious people


def make_people(root: Path, badges: Mapping[str, Sequence[str]], *, promised: bool = True) -> dict[str, str]:
    """Make keys and people; return the variables by which a server knows them.

    Whoever must give her word on confidentiality before she comes in has given it, if `promised`.
    """
    SigningKeys(root / "cles")
    with open_registry(root / "registre.sqlite", rooms=[ROOM]) as registry:
        for name, held in badges.items():
            email = f"{name}@exemple.fr"
            People(registry).add(email, PASSWORD, given_name=name.title(), family_name="Durand", held=list(held))
    if promised and any(CONFIDENTIAL.intersection(held) for held in badges.values()):
        with open_store(root / "registre.sqlite") as store:
            welcome = Welcome(store)
            for name, held in badges.items():
                welcome.promise(Actor(f"{name}@exemple.fr", name, "Durand", frozenset(held), LATER))
    return {
        "WORKBENCH_REGISTRE": str(root / "registre.sqlite"),
        "WORKBENCH_IDENTITE": str(root / "cles"),
        "WORKBENCH_CLIENT_SECRET": "",
    }


def token_of(server: Any, root: Path, name: str) -> str:
    """Return an access token of a person, as the server's issuer signs them."""
    with open_registry(root / "registre.sqlite", rooms=[ROOM]) as registry:
        issuer = Issuer(f"http://127.0.0.1:{server.port + 1}", registry, SigningKeys(root / "cles"), [])
        return issuer.token_for(f"{name}@exemple.fr")


def form_token(page: str) -> str:
    """Return the token of the form of a page of the issuer."""
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found, page[:500]
    return found[1]


@contextmanager
def logged_in(server: Any, name: str) -> Iterator[httpx.Client]:
    """Give a browser in which a person logged in."""
    with httpx.Client(base_url=server.url, timeout=60, follow_redirects=True) as web:
        form = web.get("/")
        fields = {"form_token": form_token(form.text), "email": f"{name}@exemple.fr", "password": PASSWORD}
        answer = web.post(str(form.url), data=fields)
        assert answer.status_code == 200
        assert answer.url.path == "/"
        yield web
