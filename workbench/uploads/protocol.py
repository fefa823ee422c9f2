"""The words of tus 1.0: what a request says, what an answer says. Pure: no file, no network.

A request is refused by a `WorkbenchError` whose row gives the HTTP status (specification, 1.1 and 1.7).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from workbench.errors import WorkbenchError

__all__ = [
    "ALGORITHMS",
    "IDENTIFIER",
    "RESERVED",
    "VERSION",
    "Append",
    "Checksum",
    "Creation",
    "append_request",
    "creation_request",
    "effective_method",
    "encode_metadata",
    "expiry_text",
    "parse_metadata",
    "require_version",
    "single_headers",
]

VERSION = "1.0.0"
CHUNK_TYPE = "application/offset+octet-stream"
ALGORITHMS = ("sha1", "sha256", "sha512", "md5")
RESERVED = frozenset({"goup-path", "email"})
"""Metadata that the server writes from the token, whatever the client sends."""

IDENTIFIER = re.compile(r"[0-9a-f]{32}")

MOST_METADATA = 16 * 1024
MOST_KEYS = 100

_NUMBER = re.compile(r"[0-9]{1,18}")
_KEY = re.compile(r"[!-+\--~]{1,200}")  # printable ASCII, without space or comma
_OVERRIDDEN = ("HEAD", "PATCH", "DELETE")
_ONCE = frozenset(
    {
        "content-length",
        "content-type",
        "tus-resumable",
        "upload-checksum",
        "upload-defer-length",
        "upload-length",
        "upload-metadata",
        "upload-offset",
        "x-http-method-override",
    }
)


@dataclass(frozen=True)
class Checksum:
    """What the bytes of one request must sum to."""

    algorithm: str
    digest: bytes

    def new(self) -> Any:
        """Return an empty sum of this algorithm."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


@dataclass(frozen=True)
class Creation:
    """A request for a new upload.

    Parameters
    ----------
    length
        Bytes of the file; None when they are told later.
    metadata
        What the client says of it, reserved names left out.
    with_data
        The body is the beginning of the file.
    body_length
        Bytes of the body; None when the request does not say.
    checksum
        Of the body.
    """

    length: int | None
    metadata: dict[str, str]
    with_data: bool
    body_length: int | None
    checksum: Checksum | None


@dataclass(frozen=True)
class Append:
    """A request to add bytes: at which offset (zero-based), and the length of the file when it is told only now."""

    offset: int
    length: int | None
    body_length: int | None
    checksum: Checksum | None


def single_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by lower-case name; one that must be alone and is not is refused.

    Examples
    --------
    >>> single_headers([(b"Upload-Offset", b"12")])
    {'upload-offset': '12'}
    """
    found: dict[str, str] = {}
    for raw, value in headers:
        name = raw.decode("latin-1").lower()
        if name in found and name in _ONCE:
            raise _malformed(f"l'en-tête {name} est donné deux fois")
        found[name] = value.decode("latin-1").strip()
    return found


def effective_method(method: str, headers: Mapping[str, str]) -> str:
    """Return the method meant: proxies that forbid PATCH are passed by POST and ``X-HTTP-Method-Override``.

    Examples
    --------
    >>> effective_method("POST", {"x-http-method-override": "PATCH"})
    'PATCH'
    """
    meant = headers.get("x-http-method-override", "").upper()
    if method != "POST" or not meant or meant == "POST":
        return method
    if meant not in _OVERRIDDEN:
        raise WorkbenchError("depot_methode")
    return meant


def require_version(headers: Mapping[str, str]) -> None:
    """Refuse (412) a request that does not speak this version of tus."""
    if headers.get("tus-resumable") != VERSION:
        raise WorkbenchError("depot_version")


def creation_request(headers: Mapping[str, str]) -> Creation:
    """Read the headers of a creation.

    Examples
    --------
    >>> creation_request({"upload-length": "5", "upload-metadata": "filename YS50eHQ="}).metadata
    {'filename': 'a.txt'}
    """
    length = _number(headers, "upload-length")
    deferred = headers.get("upload-defer-length")
    if deferred not in (None, "1"):
        raise _malformed("Upload-Defer-Length vaut 1 ou n'est pas donné")
    if (length is None) == (deferred is None):
        raise _malformed("il faut Upload-Length, ou Upload-Defer-Length, et pas les deux")
    body = _number(headers, "content-length")
    kind = _media_type(headers)
    if kind and kind != CHUNK_TYPE and (body or "transfer-encoding" in headers):
        raise WorkbenchError("depot_type")
    given = parse_metadata(headers.get("upload-metadata", ""))
    metadata = {key: value for key, value in given.items() if key not in RESERVED}
    with_data = kind == CHUNK_TYPE and body != 0
    return Creation(length, metadata, with_data, body, _checksum(headers) if with_data else None)


def append_request(headers: Mapping[str, str]) -> Append:
    """Read the headers of a PATCH.

    Examples
    --------
    >>> append_request({"content-type": "application/offset+octet-stream", "upload-offset": "7"}).offset
    7
    """
    if _media_type(headers) != CHUNK_TYPE:
        raise WorkbenchError("depot_type")
    offset = _number(headers, "upload-offset")
    if offset is None:
        raise _malformed("Upload-Offset manque")
    return Append(offset, _number(headers, "upload-length"), _number(headers, "content-length"), _checksum(headers))


def parse_metadata(text: str) -> dict[str, str]:
    """Read ``key base64,key base64…``.

    Raises
    ------
    WorkbenchError
        ``depot_demande``: a key that is none or comes twice, a value that is no base64 of UTF-8.

    Examples
    --------
    >>> parse_metadata("filename ZWZmZWN0aWYuY3N2,private dHJ1ZQ==,empty")
    {'filename': 'effectif.csv', 'private': 'true', 'empty': ''}
    """
    if len(text) > MOST_METADATA:
        raise _malformed(f"les métadonnées dépassent {MOST_METADATA} signes")
    found: dict[str, str] = {}
    for pair in text.split(",") if text.strip() else ():
        key, _, value = pair.strip(" ").partition(" ")
        if not _KEY.fullmatch(key):
            raise _malformed("une métadonnée n'a pas de nom lisible")
        if key in found:
            raise _malformed(f"la métadonnée {key[:50]} est donnée deux fois")
        try:
            found[key] = base64.b64decode(value.strip(" ").encode("ascii"), validate=True).decode("utf-8")
        except (binascii.Error, ValueError) as error:
            raise _malformed(f"la métadonnée {key[:50]} n'est pas du texte en base64") from error
    if len(found) > MOST_KEYS:
        raise _malformed(f"il y a plus de {MOST_KEYS} métadonnées")
    return found


def encode_metadata(metadata: Mapping[str, str]) -> str:
    """Write metadata as the header has it.

    Examples
    --------
    >>> encode_metadata({"filename": "a.txt", "empty": ""})
    'filename YS50eHQ=,empty'
    """
    pairs = ((key, base64.b64encode(value.encode("utf-8", "replace")).decode()) for key, value in metadata.items())
    return ",".join(f"{key} {value}".strip() for key, value in pairs)


def expiry_text(moment: datetime) -> str:
    """Write a date as ``Upload-Expires`` has it.

    Examples
    --------
    >>> from datetime import UTC
    >>> expiry_text(datetime(2026, 11, 22, 9, 30, tzinfo=UTC))
    'Sun, 22 Nov 2026 09:30:00 GMT'
    """
    return format_datetime(moment, usegmt=True)


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise _malformed(f"{name} n'est pas un nombre entier")
    return int(text)


def _checksum(headers: Mapping[str, str]) -> Checksum | None:
    text = headers.get("upload-checksum")
    if text is None:
        return None
    algorithm, _, value = text.partition(" ")
    if algorithm not in ALGORITHMS:
        raise _malformed(f"la somme de contrôle se donne en {', '.join(ALGORITHMS)}")
    try:
        digest = base64.b64decode(value.strip().encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _malformed("la somme de contrôle n'est pas en base64") from error
    return Checksum(algorithm, digest)


def _malformed(reason: str) -> WorkbenchError:
    return WorkbenchError("depot_demande", cause=reason)
