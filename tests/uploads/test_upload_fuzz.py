"""Whatever is sent: an answer of the protocol, never a defect, never a path outside the storage."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest_uploads import Service, make_depot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.identity.issuing import Issuer
from workbench.uploads.protocol import encode_metadata, parse_metadata
from workbench.uploads.storage import Limits

NASTY = ["../../etc/passwd", "/etc/passwd", "a\0b", "..", ".", "tusd", "public", "x" * 300, "é", "%2e%2e%2f", "a\r\nb"]
NAMES = [
    "Upload-Length",
    "Upload-Offset",
    "Upload-Metadata",
    "Upload-Defer-Length",
    "Upload-Checksum",
    "Upload-Concat",
    "Tus-Resumable",
    "Content-Type",
    "Content-Length",
    "X-HTTP-Method-Override",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "Host",
    "Origin",
    "Access-Control-Request-Method",
    "Expect",
]
VALUES = (
    b"0 5 -1 1e9 99999999999999999999 1 1.0.0 application/offset+octet-stream PATCH DELETE HEAD md5 final;/files/a"
).split()
VALUES += [b"sha1 AAAA", b"sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=", b"filename YQ==", b"private dHJ1ZQ=="]

header = st.tuples(
    st.sampled_from([each.encode() for each in NAMES]),
    st.sampled_from(VALUES) | st.sampled_from([each.encode() for each in NASTY]) | st.binary(max_size=30),
)
place = st.sampled_from(
    ["/files/", "/files", "{upload}", "{upload}/", "{upload}.info", "/files/../x", "/"]
) | st.builds(lambda tail: f"/files/{tail}", st.sampled_from(NASTY) | st.text(max_size=40))
RIGHT = {200, 201, 204, 400, 403, 404, 405, 409, 412, 413, 415, 423, 460}


@pytest.fixture(scope="module")
def fuzzed(issuer: Issuer) -> Iterator[Service]:
    with tempfile.TemporaryDirectory() as folder:
        yield Service(make_depot(Path(folder) / "depot"), issuer, limits=Limits(spare=0, largest=1000))


def shape(base: Path) -> list[str]:
    """Return the names under the folder that holds a storage, identifiers written ``id``."""
    found = {re.sub(r"[0-9a-f]{32}", "id", os.path.relpath(path, base)) for path in base.rglob("*")}
    return sorted(found)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(
    method=st.sampled_from(["POST", "HEAD", "PATCH", "DELETE", "GET", "PUT", "OPTIONS", "TRACE", "é"]),
    path=place,
    headers=st.lists(header, max_size=6),
    usual=st.booleans(),
    body=st.lists(st.binary(max_size=12), max_size=3),
    who=st.sampled_from(["ada", "bob", "eve"]),
)
def test_any_request_is_answered(
    fuzzed: Service,
    method: str,
    path: str,
    headers: list[tuple[bytes, bytes]],
    usual: bool,
    body: list[bytes],
    who: str,
) -> None:
    upload = fuzzed.create(5)
    given_usual = {} if usual else {"tus_resumable": None, "content_type": None, "content_length": None, "host": None}
    answer = fuzzed(
        method, path.replace("{upload}", upload), who, [each for each in body if each], raw=headers, **given_usual
    )
    assert answer.status in RIGHT, answer
    allowed = {"depot", *(f"depot/{each}" for each in ("tusd", "public", "urssaf", "dgefp"))}
    allowed |= {f"depot/tusd/id{each}" for each in (".bin", ".info", ".state")}
    allowed |= {f"depot/{space}/id{each}" for space in ("public", "urssaf", "dgefp") for each in (".bin", ".info")}
    assert set(shape(fuzzed.base.parent)) <= allowed
    assert fuzzed("HEAD", upload).status in (200, 404)
    for name, value in answer.headers.items():
        assert "\n" not in value, name
        assert "\r" not in value, name
    for made in fuzzed.base.glob("*/*.*"):
        made.unlink()


metadata = st.dictionaries(
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=","), min_size=1, max_size=30),
    st.text(max_size=60) | st.sampled_from(NASTY),
    max_size=8,
)


@given(metadata)
def test_metadata_survive_their_journey(given_metadata: dict[str, str]) -> None:
    assert parse_metadata(encode_metadata(given_metadata)) == given_metadata


@given(st.text(max_size=60))
def test_any_text_is_metadata_or_refused(text: str) -> None:
    try:
        parse_metadata(text)
    except WorkbenchError as error:
        assert error.status == 400  # noqa: PT017


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(metadata)
def test_metadata_are_kept_as_they_are_and_make_no_path(fuzzed: Service, given_metadata: dict[str, str]) -> None:
    answer = fuzzed("POST", upload_length="3", body=b"abc", upload_metadata=encode_metadata(given_metadata))
    assert answer.status == 201
    kept = fuzzed.storage.info(answer.identifier).metadata
    assert kept == {**given_metadata, "goup-path": "urssaf", "email": "ada@exemple.fr"}
    folder = "urssaf" if given_metadata.get("private") == "true" else "public"
    assert (fuzzed.base / folder / f"{answer.identifier}.bin").read_bytes() == b"abc"
