"""The public keys of an issuer: found by OpenID Connect discovery, cached, fetched again when they rotate.

A key is looked up by its identifier alone, in the document of the configured issuer: nothing that a token says
(``jku``, ``x5u``, ``jwk``) leads to a key. An unknown identifier makes the keys be fetched again, at most once in
`REFETCH_SECONDS` whoever asks, so that a flood of invented identifiers is not a flood of requests.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from workbench.errors import WorkbenchError
from workbench.identity.strict_json import read_object

__all__ = ["IssuerKeys", "PublicKey", "check_address", "is_local", "public_keys"]

LIFETIME_SECONDS = 600
"""A key that the issuer withdraws is refused after this time at most."""

STALE_SECONDS = 3600
"""How long keys serve when the issuer cannot be reached."""

REFETCH_SECONDS = 10
TIMEOUT_SECONDS = 5
LARGEST_DOCUMENT = 1 << 20
SMALLEST_RSA = 2048

PublicKey = RSAKey | ECKey


def is_local(host: str | None) -> bool:
    """Say whether a host is this machine, where TLS protects nothing.

    Examples
    --------
    >>> is_local("127.0.0.1"), is_local("localhost"), is_local("example.fr")
    (True, True, False)
    """
    return host in ("127.0.0.1", "::1", "localhost")


def check_address(address: str) -> str:
    """Return an address of the issuer: ``https``, or ``http`` on this machine; no user, no fragment.

    Raises
    ------
    WorkbenchError
        ``emetteur_adresse``.
    """
    try:
        parts = urlsplit(address)
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_local(parts.hostname))
        if safe and parts.hostname and "@" not in parts.netloc and not parts.fragment and address.isprintable():
            return address
    except ValueError:
        pass
    raise WorkbenchError("emetteur_adresse", adresse=address)


def public_keys(document: Mapping[str, Any], algorithms: tuple[str, ...]) -> dict[str, PublicKey]:
    """Return the keys of a JWKS that may verify a signature of these algorithms, by identifier.

    What is not for that is left out: symmetric keys, other curves, short RSA keys, keys of encryption, keys
    without identifier, and those that share theirs.
    """
    found: dict[str, PublicKey] = {}
    ambiguous: set[str] = set()
    entries = document.get("keys")
    for entry in entries if isinstance(entries, list) else []:
        key = _public_key(entry, algorithms) if isinstance(entry, dict) else None
        if key is None:
            continue
        identifier = str(entry["kid"])
        if identifier in found:
            ambiguous.add(identifier)
        found[identifier] = key
    return {identifier: key for identifier, key in found.items() if identifier not in ambiguous}


def _public_key(entry: dict[str, Any], algorithms: tuple[str, ...]) -> PublicKey | None:
    operations = entry.get("key_ops", ["verify"])
    if (
        not isinstance(entry.get("kid"), str)
        or entry.get("use", "sig") != "sig"
        or not isinstance(operations, list)
        or "verify" not in operations
        or entry.get("alg", algorithms[0]) not in algorithms
    ):
        return None
    try:
        if entry.get("kty") == "RSA" and "RS256" in algorithms and len(entry["n"]) >= SMALLEST_RSA // 6:
            key = RSAKey.import_key({"kty": "RSA", "n": entry["n"], "e": entry["e"]})
            return key if key.raw_value.key_size >= SMALLEST_RSA else None
        if entry.get("kty") == "EC" and entry.get("crv") == "P-256" and "ES256" in algorithms:
            return ECKey.import_key({"kty": "EC", "crv": "P-256", "x": entry["x"], "y": entry["y"]})
    except (JoseError, KeyError, ValueError, TypeError):
        return None
    return None


class IssuerKeys:
    """The keys and addresses of one issuer; safe between threads.

    Parameters
    ----------
    issuer
        Address of the issuer, as its tokens write it.
    algorithms
        Algorithms that its keys serve for.
    clock
        Seconds of a monotonic clock.
    """

    def __init__(
        self, issuer: str, algorithms: tuple[str, ...] = ("RS256",), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.issuer = check_address(issuer)
        self._algorithms = algorithms
        self._clock = clock
        self._lock = threading.Lock()
        self._document: dict[str, Any] = {}
        self._keys: dict[str, PublicKey] = {}
        self._fetched = self._tried = float("-inf")

    def cached(self, identifier: str) -> PublicKey | None:
        """Return a key that is known and fresh, without any wait."""
        return self._keys.get(identifier) if self._clock() - self._fetched < LIFETIME_SECONDS else None

    def get(self, identifier: str) -> PublicKey:
        """Return a key, fetching the keys when it is unknown or they are old.

        Raises
        ------
        WorkbenchError
            ``jeton_refuse`` when the issuer has no such key, ``emetteur_injoignable`` when it does not answer.
        """
        found = self.cached(identifier)
        if found is None:
            failure = self._refresh()
            if self._clock() - self._fetched >= STALE_SECONDS:
                raise failure or WorkbenchError("emetteur_injoignable", emetteur=self.issuer, cause="aucune réponse")
            found = self._keys.get(identifier)
        if found is None:
            raise WorkbenchError("jeton_refuse", raison="sa clé n'est pas de celles de l'émetteur")
        return found

    def document(self) -> Mapping[str, Any]:
        """Return the discovery document.

        Raises
        ------
        WorkbenchError
            ``emetteur_injoignable``.
        """
        if self._clock() - self._fetched >= LIFETIME_SECONDS:
            failure = self._refresh()
            if self._clock() - self._fetched >= STALE_SECONDS:
                raise failure or WorkbenchError("emetteur_injoignable", emetteur=self.issuer, cause="aucune réponse")
        return self._document

    def endpoint(self, name: str) -> str:
        """Return an address of the discovery document, empty when the issuer has none of that name."""
        found = self.document().get(name)
        return check_address(found) if isinstance(found, str) and found else ""

    def _refresh(self) -> WorkbenchError | None:
        with self._lock:
            if self._clock() - self._tried < REFETCH_SECONDS:
                return None
            try:
                document, keys = self._fetched_keys()
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, WorkbenchError) as error:
                return WorkbenchError(
                    "emetteur_injoignable", emetteur=self.issuer, cause=str(error) or type(error).__name__
                )
            else:
                self._document, self._keys, self._fetched = document, keys, self._clock()
                return None
            finally:
                self._tried = self._clock()

    def _fetched_keys(self) -> tuple[dict[str, Any], dict[str, PublicKey]]:
        trusts_proxies = not is_local(urlsplit(self.issuer).hostname)
        with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=trusts_proxies) as web:
            document = _fetch(web, f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            if document.get("issuer") != self.issuer:
                raise ValueError(f"il se nomme {str(document.get('issuer'))[:200]!r}")
            return document, public_keys(_fetch(web, check_address(str(document.get("jwks_uri")))), self._algorithms)


def _fetch(web: httpx.Client, address: str) -> dict[str, Any]:
    with web.stream("GET", address, headers={"Accept": "application/json"}) as answer:
        if answer.status_code != httpx.codes.OK:
            raise ValueError(f"il répond {answer.status_code} à {address}")
        content = b""
        for part in answer.iter_bytes():
            content += part
            if len(content) > LARGEST_DOCUMENT:
                raise ValueError(f"sa réponse à {address} est trop longue")
    return read_object(content)
