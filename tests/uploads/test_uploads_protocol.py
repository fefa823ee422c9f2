"""The protocol: statuses and headers of tus 1.0, one request after another, without a network."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from conftest_uploads import CHUNK, Answer, Service, channel, encoded

from workbench.identity.actor import actor_of
from workbench.identity.issuing import Issuer
from workbench.uploads.purging import purge
from workbench.uploads.storage import Limits

CONTENT = bytes(range(256)) * 20


def digest(content: bytes, algorithm: str = "sha1") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"


def test_a_file_is_created_sent_in_two_pieces_and_arrives(service: Service, depot: Path) -> None:
    answer = service("POST", upload_length="5120", upload_metadata=encoded({"filename": "effectif été.csv"}))
    assert answer.status == 201
    assert answer.headers["location"] == f"http://depot.exemple.fr/files/{answer.identifier}"
    assert answer.headers["tus-resumable"] == "1.0.0"
    path = f"/files/{answer.identifier}"
    head = service("HEAD", path)
    assert (head.status, head.headers["upload-offset"], head.headers["upload-length"]) == (200, "0", "5120")
    assert head.headers["cache-control"] == "no-store"
    assert head.body == b""
    first = service("PATCH", path, body=CONTENT[:1000], upload_offset="0")
    assert (first.status, first.headers["upload-offset"]) == (204, "1000")
    second = service("PATCH", path, body=[CONTENT[1000:3000], CONTENT[3000:]], upload_offset="1000")
    assert (second.status, second.headers["upload-offset"]) == (204, "5120")
    assert "upload-expires" not in second.headers
    assert (depot / "public" / f"{answer.identifier}.bin").read_bytes() == CONTENT
    head = service("HEAD", path)
    assert (head.status, head.headers["upload-offset"]) == (200, "5120")
    told = dict(pair.split(" ") for pair in head.headers["upload-metadata"].split(","))
    assert base64.b64decode(told["filename"]).decode() == "effectif été.csv"
    assert base64.b64decode(told["goup-path"]) == b"urssaf"


def test_patch_passes_proxies_that_forbid_it(service: Service) -> None:
    path = service.create(CONTENT)
    answer = service("POST", path, body=CONTENT, upload_offset="0", x_http_method_override="PATCH")
    assert (answer.status, answer.headers["upload-offset"]) == (204, "5120")
    assert service("POST", path, x_http_method_override="HEAD").headers["upload-offset"] == "5120"
    assert service("POST", path, x_http_method_override="GET").status == 405
    assert service("POST", path).status == 405
    assert service("POST", path, body=b"", x_http_method_override="POST").status == 405


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"tus_resumable": None}, 412, "depot_version"),
        ({"tus_resumable": "0.2.2"}, 412, "depot_version"),
        ({}, 400, "depot_demande"),
        ({"upload_length": "-1"}, 400, "depot_demande"),
        ({"upload_length": "1e3"}, 400, "depot_demande"),
        ({"upload_length": "٣"}, 400, "depot_demande"),
        ({"upload_length": "9" * 19}, 400, "depot_demande"),
        ({"upload_length": "5", "upload_defer_length": "1"}, 400, "depot_demande"),
        ({"upload_defer_length": "2"}, 400, "depot_demande"),
        ({"upload_length": "5", "upload_metadata": "filename !"}, 400, "depot_demande"),
        ({"upload_length": "5", "upload_metadata": "a YQ==,a YQ=="}, 400, "depot_demande"),
        ({"upload_length": "5", "upload_metadata": "a /w=="}, 400, "depot_demande"),
        ({"upload_length": "5", "upload_metadata": ","}, 400, "depot_demande"),
        ({"upload_length": "1000001"}, 413, "depot_trop_grand"),
        ({"upload_length": "5", "content_type": "text/plain", "content_length": "5"}, 415, "depot_type"),
    ],
)
def test_a_creation_that_is_wrong(
    depot: Path, issuer: Issuer, headers: dict[str, str | None], status: int, code: str
) -> None:
    service = Service(depot, issuer, limits=Limits(largest=1_000_000, spare=0))
    answer = service("POST", **headers)
    assert (answer.status, answer.code) == (status, code)
    assert list((depot / "tusd").iterdir()) == []
    if status == 412:
        assert answer.headers["tus-version"] == "1.0.0"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"upload_offset": "1"}, 409),
        ({"upload_offset": None}, 400),
        ({"upload_offset": "x"}, 400),
        ({"upload_offset": "0", "content_type": "application/octet-stream"}, 415),
        ({"upload_offset": "0", "content_type": None}, 415),
        ({"upload_offset": "0", "tus_resumable": None}, 412),
        ({"upload_offset": "0", "upload_length": "4"}, 400),
        ({"upload_offset": "0", "upload_checksum": "crc32 AAAA"}, 400),
        ({"upload_offset": "0", "upload_checksum": "sha1 é"}, 400),
        ({"upload_offset": "0", "upload_checksum": digest(b"other")}, 460),
    ],
)
def test_a_chunk_that_is_wrong_leaves_nothing(service: Service, headers: dict[str, Any], status: int) -> None:
    path = service.create(5)
    assert service("PATCH", path, body=b"12345", **headers).status == status
    assert service("HEAD", path).headers["upload-offset"] == "0"
    assert service("PATCH", path, body=b"12345", upload_offset="0").status == 204


@pytest.mark.parametrize("announced", ["6", None])
def test_more_than_was_announced_is_refused(service: Service, announced: str | None) -> None:
    path = service.create(5)
    answer = service("PATCH", path, body=[b"123", b"456"], upload_offset="0", content_length=announced)
    assert (answer.status, answer.code) == (413, "depot_debordement")
    assert service("HEAD", path).headers["upload-offset"] == "0"
    assert service("POST", upload_length="2", body=b"123").status == 413


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512", "md5"])
def test_a_checksum_is_verified(service: Service, depot: Path, algorithm: str) -> None:
    path = service.create(CONTENT)
    wrong = service("PATCH", path, body=CONTENT[:100], upload_offset="0", upload_checksum=digest(b"x", algorithm))
    assert (wrong.status, wrong.code) == (460, "depot_somme")
    for start in (0, 3000):
        piece = CONTENT[start : start + 3000]
        right = digest(piece, algorithm)
        assert service("PATCH", path, body=piece, upload_offset=str(start), upload_checksum=right).status == 204
    assert not list((depot / "tusd").glob("*.verified"))
    assert service("HEAD", path).headers["upload-offset"] == "5120"


def test_data_may_come_with_the_creation(service: Service, depot: Path) -> None:
    answer = service("POST", upload_length="5120", body=CONTENT[:100])
    assert (answer.status, answer.headers["upload-offset"]) == (201, "100")
    path = f"/files/{answer.identifier}"
    assert service("PATCH", path, body=CONTENT[100:], upload_offset="100").status == 204
    answer = service("POST", upload_length="5120", body=CONTENT, upload_checksum=digest(CONTENT))
    assert (answer.status, answer.headers["upload-offset"]) == (201, "5120")
    assert (depot / "public" / f"{answer.identifier}.bin").read_bytes() == CONTENT
    answer = service("POST", upload_length="5120", body=CONTENT, upload_checksum=digest(b"x"))
    assert answer.status == 460
    assert service("HEAD", f"/files/{answer.identifier}").headers["upload-offset"] == "0"


def test_an_empty_file_arrives_at_its_creation(service: Service, depot: Path) -> None:
    answer = service("POST", upload_length="0")
    assert answer.status == 201
    assert (depot / "public" / f"{answer.identifier}.bin").read_bytes() == b""


def test_the_length_may_come_later(service: Service, depot: Path) -> None:
    answer = service("POST", upload_defer_length="1")
    path = f"/files/{answer.identifier}"
    head = service("HEAD", path)
    assert head.headers["upload-defer-length"] == "1"
    assert "upload-length" not in head.headers
    assert service("PATCH", path, body=CONTENT[:100], upload_offset="0").status == 204
    assert service("PATCH", path, body=b"x", upload_offset="100", upload_length="50").status == 400
    assert service("PATCH", path, body=CONTENT[100:], upload_offset="100", upload_length="5120").status == 204
    assert service("HEAD", path).headers["upload-length"] == "5120"
    info = json.loads((depot / "public" / f"{answer.identifier}.info").read_text())
    assert (info["Size"], info["SizeIsDeferred"], info["Offset"]) == (5120, False, 0)


def test_an_unfinished_upload_ends_by_its_owner_or_by_time(depot: Path, issuer: Issuer) -> None:
    service = Service(depot, issuer, limits=Limits(spare=0, unfinished=timedelta(hours=1)))
    path = service.create(CONTENT)
    expires = service("HEAD", path).headers["upload-expires"]
    left = parsedate_to_datetime(expires) - datetime.now(UTC)
    assert timedelta(minutes=50) < left < timedelta(minutes=61)
    assert service("DELETE", path).status == 204
    assert service("HEAD", path).status == 404
    assert list((depot / "tusd").iterdir()) == []
    path = service.create(CONTENT)
    long_ago = time.time() - 3700
    os.utime(service.storage.data_path(path.rpartition("/")[2]), (long_ago, long_ago))
    assert service("HEAD", path).status == 410
    assert service("PATCH", path, body=CONTENT, upload_offset="0").status == 410
    assert purge(service.storage) == 1
    assert service("HEAD", path).status == 404
    whole, _ = service.send(CONTENT)
    assert service("DELETE", whole).status == 404
    assert service("HEAD", whole).status == 200


def test_what_is_announced_is_what_there_is(service: Service) -> None:
    answer = service("OPTIONS", tus_resumable=None)
    assert answer.status == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-extension"].split(",") == [
        "creation",
        "creation-with-upload",
        "creation-defer-length",
        "checksum",
        "expiration",
        "termination",
    ]
    assert "sha1" in answer.headers["tus-checksum-algorithm"]
    assert int(answer.headers["tus-max-size"]) == 1024**4
    assert service("OPTIONS", who=None).status == 401


def test_files_are_never_given_back(service: Service) -> None:
    path, _ = service.send(CONTENT)
    for place in (path, "/files/", "/files", "/", "/autre", f"{path}/x", f"{path}.info"):
        assert service("GET", place).status == 404
    assert service("PUT", path).status == 405


def test_location_is_how_the_client_reaches_the_service(service: Service, depot: Path, issuer: Issuer) -> None:
    proxied = service("POST", upload_length="1", x_forwarded_proto="https", x_forwarded_host="depot.gouv.example")
    assert proxied.headers["location"].startswith("https://depot.gouv.example/files/")
    wrong = service("POST", upload_length="1", host="a b/../", x_forwarded_proto="javascript")
    assert wrong.headers["location"] == f"/files/{wrong.identifier}"
    public = Service(depot, issuer, public_url="https://envois.example/")
    assert public("POST", upload_length="1").headers["location"].startswith("https://envois.example/files/")


def test_one_origin_is_let_in(depot: Path, issuer: Issuer) -> None:
    service = Service(depot, issuer, origin="https://tableaux.example")
    asked = {"origin": "https://tableaux.example", "access_control_request_method": "PATCH"}
    answer = service("OPTIONS", "/files/x", who=None, tus_resumable=None, **asked)
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "https://tableaux.example"
    for name in ("Authorization", "Upload-Offset", "X-HTTP-Method-Override", "Content-Type"):
        assert name in answer.headers["access-control-allow-headers"]
    refused = service("POST", who=None, origin="https://tableaux.example")
    assert (refused.status, refused.headers["access-control-allow-origin"]) == (401, "https://tableaux.example")
    assert "Upload-Offset" in refused.headers["access-control-expose-headers"]
    stranger = service("OPTIONS", who=None, origin="https://x.example", access_control_request_method="PATCH")
    assert "access-control-allow-origin" not in stranger.headers


# --- cuts and turns


def test_what_came_before_a_cut_is_kept(service: Service) -> None:
    path = service.create(CONTENT)
    service("PATCH", path, body=[CONTENT[:700], CONTENT[700:900]], upload_offset="0", cut=True)
    assert service("HEAD", path).headers["upload-offset"] == "900"
    right = digest(CONTENT[900:])
    service("PATCH", path, body=[CONTENT[900:950]], upload_offset="900", upload_checksum=right, cut=True)
    assert service("HEAD", path).headers["upload-offset"] == "900"
    assert service("PATCH", path, body=CONTENT[900:], upload_offset="900", upload_checksum=right).status == 204


def test_a_client_that_comes_back_is_not_kept_out_by_its_own_dead_link(service: Service) -> None:
    path = service.create(CONTENT)

    async def story() -> tuple[Answer, Answer, Answer]:
        reached = asyncio.Event()
        pieces = channel([CONTENT[:700]], cut=True)

        async def dead() -> Any:
            if not reached.is_set():
                reached.set()
                return await pieces()
            return await asyncio.Event().wait()  # a link that is not there any more, and does not say so

        first = asyncio.ensure_future(
            service.ask("PATCH", path, receive=dead, upload_offset="0", content_type=CHUNK, content_length="5120")
        )
        await reached.wait()
        await asyncio.sleep(0)
        head = await service.ask("HEAD", path)
        rest = await service.ask("PATCH", path, body=CONTENT[700:], upload_offset="700")
        return await first, head, rest

    first, head, rest = asyncio.run(story())
    assert (head.status, head.headers["upload-offset"]) == (200, "700")
    assert (rest.status, rest.headers["upload-offset"]) == (204, "5120")
    assert first.status == 423


def test_a_silent_sender_is_left(depot: Path, issuer: Issuer) -> None:
    service = Service(depot, issuer, idle=0.05)
    path = service.create(CONTENT)

    async def silent() -> Any:
        await asyncio.Event().wait()

    answer = asyncio.run(
        service.ask("PATCH", path, receive=silent, upload_offset="0", content_type=CHUNK, content_length="5120")
    )
    assert answer.status == 423
    assert service("HEAD", path).status == 200


def test_another_process_that_writes_is_waited_for_then_told(service: Service) -> None:
    path = service.create(CONTENT)
    with service.storage.open(path.rpartition("/")[2]):
        answer = service("PATCH", path, body=CONTENT, upload_offset="0")
        assert (answer.status, answer.code) == (423, "depot_occupe")
        assert service("DELETE", path).status == 423
    assert service("PATCH", path, body=CONTENT, upload_offset="0").status == 204


# --- who


@pytest.mark.parametrize(
    ("claims", "space"),
    [
        ({"goup_path": "urssaf"}, "urssaf"),
        ({"goup-path": "urssaf"}, "urssaf"),
        ({"value": {"goup-path": "urssaf"}}, "urssaf"),
        ({"value.goup-path": "urssaf"}, "urssaf"),
        ({"goup_path": "urssaf", "goup-path": "urssaf"}, "urssaf"),
        ({"goup_path": "urssaf", "goup-path": "dgefp"}, ""),
        ({"goup_path": ["urssaf"]}, ""),
        ({"goup_path": {"name": "urssaf"}}, ""),
        ({"value": "urssaf"}, ""),
        ({}, ""),
    ],
)
def test_the_space_has_several_spellings(claims: dict[str, Any], space: str) -> None:
    known = {"email": "ada@exemple.fr", "sub": "1", "exp": 1_900_000_000}
    assert actor_of({**known, **claims}, ("badges",)).space == space


@pytest.mark.parametrize("space", ["tusd", "public", "Public", "..", ".", "a/b", "-rf", "a\nb", "é", "x" * 65, "a\0"])
def test_a_space_that_would_leave_the_storage_is_none(service: Service, depot: Path, space: str) -> None:
    signed = service.issuer.keys.sign(
        {
            "iss": service.issuer.url,
            "aud": service.issuer.audience,
            "sub": "7",
            "iat": int(time.time()),
            "exp": int(time.time()) + 60,
            "email": "mallory@exemple.fr",
            "goup_path": space,
        },
        "at+jwt",
    )
    service.tokens["mallory"] = signed
    answer = service("POST", who="mallory", upload_length="1")
    assert (answer.status, answer.code) == (403, "depot_espace_absent")
    assert list((depot / "tusd").iterdir()) == []


PEOPLE = ("ada", "bob", "eve", None)


@pytest.mark.parametrize("private", ["true", "false"])
@pytest.mark.parametrize("who", PEOPLE)
def test_each_verb_for_each_person(service: Service, depot: Path, who: str | None, private: str) -> None:
    """The upload is Ada's: Bob has another space, Eve has none, the last one is nobody."""
    mine = who == "ada"

    def expected(status: int) -> int:
        return 401 if who is None else status if mine else 404

    part = service.create(CONTENT, private=private)
    whole, _ = service.send(CONTENT, private=private)
    folder, other = ("urssaf", "public") if private == "true" else ("public", "urssaf")
    assert len(list((depot / folder).iterdir())) == 2
    assert list((depot / other).iterdir()) == list((depot / "dgefp").iterdir()) == []
    for path in (part, whole, f"/files/{'0' * 32}"):
        known = not path.endswith("0" * 32)
        offset = "5120" if path == whole else "0"
        assert service("HEAD", path, who).status == (expected(200 if known else 404))
        assert service("GET", path, who).status == (401 if who is None else 404)
        done = service("PATCH", path, who, body=b"", content_type=CHUNK, upload_offset=offset)
        assert done.status == expected(204 if known else 404)
        over = service("POST", path, who, upload_offset=offset, content_type=CHUNK, x_http_method_override="PATCH")
        assert over.status == expected(204 if known else 404)
        assert service("DELETE", path, who).status == expected(204 if path == part else 404)
    creation = service("POST", who=who, upload_length="1", upload_metadata=encoded({"private": private}))
    assert creation.status == {"ada": 201, "bob": 201, "eve": 403, None: 401}[who]


def test_reserved_metadata_are_the_servers(service: Service, depot: Path) -> None:
    lies = {"goup_path": "dgefp", "email": "boss@exemple.fr", "private": "true", "batch": "1802"}
    path, _ = service.send(CONTENT, **lies)
    info = json.loads((depot / "urssaf" / f"{path.rpartition('/')[2]}.info").read_text())
    assert info["MetaData"] == {"goup-path": "urssaf", "email": "ada@exemple.fr", "private": "true", "batch": "1802"}
    assert list((depot / "dgefp").iterdir()) == []


@pytest.mark.parametrize("private", ["True", "1", "TRUE", " true", "vrai", ""])
def test_private_is_exactly_true(service: Service, depot: Path, private: str) -> None:
    service.send(CONTENT, private=private)
    assert len(list((depot / "public").iterdir())) == 2
