"""The files on the disk: the two layouts, owners, room, and what a stop in the middle leaves."""

from __future__ import annotations

import errno
import grp
import hashlib
import json
import os
import pwd
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest_uploads import Service, encoded

from workbench.errors import WorkbenchError
from workbench.identity.issuing import Issuer
from workbench.uploads.configuration import open_finisher, upload_settings
from workbench.uploads.finishing import Finisher
from workbench.uploads.layout import LATER, SEED
from workbench.uploads.outcome import Outcome
from workbench.uploads.ownership import may_chown
from workbench.uploads.protocol import Checksum
from workbench.uploads.purging import purge
from workbench.uploads.storage import Limits, Storage

NO_SPARE = Limits(spare=0)
MINE = {"goup-path": "urssaf", "email": "ada@exemple.fr"}


def identifier(path: str) -> str:
    return path.rpartition("/")[2]


@pytest.mark.parametrize(("private", "folder"), [("true", "urssaf"), ("false", "public")])
def test_the_layout_of_the_seed(service: Service, depot: Path, private: str, folder: str) -> None:
    path = service.create(3, private=private, filename="a.csv")
    name = identifier(path)
    tusd = depot / "tusd"
    assert {each.name for each in tusd.iterdir()} == {f"{name}.bin", f"{name}.info"}
    assert {oct(each.stat().st_mode & 0o777) for each in tusd.iterdir()} == {"0o600"}
    assert json.loads((tusd / f"{name}.info").read_text()) == {
        "ID": name,
        "Size": 3,
        "SizeIsDeferred": False,
        "Offset": 0,
        "MetaData": {"private": private, "filename": "a.csv", **MINE},
        "IsPartial": False,
        "IsFinal": False,
        "PartialUploads": None,
    }
    assert list((depot / folder).iterdir()) == []
    service("PATCH", path, body=b"abc", upload_offset="0")
    assert {each.name for each in (depot / folder).iterdir()} == {f"{name}.bin", f"{name}.info"}
    for each in (depot / folder).iterdir():
        assert each.samefile(tusd / each.name)
        assert each.stat().st_nlink == 2
        assert each.stat().st_mode & 0o777 == 0o660
    assert [each for each in depot.rglob("*") if each.name.startswith(".")] == []


def test_the_info_is_linked_first_and_rights_come_last(
    service: Service, depot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    link, chmod = os.link, Path.chmod
    monkeypatch.setattr(os, "link", lambda a, b, **k: (done.append(f"link {Path(b).suffix}"), link(a, b, **k)))
    monkeypatch.setattr(Path, "chmod", lambda self, mode: (done.append(f"chmod {self.suffix}"), chmod(self, mode)))
    service.send(b"abc")
    assert done == ["link .info", "link .bin", "chmod .info", "chmod .bin"]


def test_the_later_layout(tmp_path: Path, issuer: Issuer) -> None:
    base = tmp_path / "depot"
    (base / "tusd").mkdir(parents=True)
    group = os.getgid()
    storage = Storage(base, LATER, NO_SPARE, {"urssaf": group, "public": group})
    service = Service(base, issuer, Finisher(storage))
    name = identifier(service.send(b"abc", private="true")[0])
    assert {each.name for each in (base / "urssaf").iterdir()} == {name, f"{name}.info"}
    assert (base / "urssaf").stat().st_mode & 0o777 == 0o750
    data = base / "urssaf" / name
    assert data.read_bytes() == b"abc"
    assert (data.stat().st_mode & 0o777, data.stat().st_uid, data.stat().st_gid) == (0o640, os.getuid(), group)
    info = json.loads((base / "urssaf" / f"{name}.info").read_text())
    assert info["Storage"] == {"Path": str(base / "tusd" / name), "Type": "filestore"}
    service.send(b"abc")
    assert len(list((base / "public").iterdir())) == 2


@pytest.mark.skipif(not may_chown(), reason="this process may not give files away")
def test_files_go_to_the_user_of_the_space(tmp_path: Path) -> None:
    user = next(each for each in pwd.getpwall() if each.pw_uid)
    base = tmp_path / "depot"
    for name in ("tusd", "public", user.pw_name):
        (base / name).mkdir(parents=True)
    storage = Storage(base, SEED, NO_SPARE, {"users": 4242, "goup": 4343})
    for private, folder, group in (("true", user.pw_name, 4343), ("no", "public", 4242)):
        info = storage.create({"goup-path": user.pw_name, "private": private}, 0)
        storage.publish(info)
        storage.publish(info)  # again: as after a stop
        for each in (base / folder).iterdir():
            assert (each.stat().st_uid, each.stat().st_gid) == (user.pw_uid, group)


def test_what_cannot_be_given_is_said_at_the_start(
    depot: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("workbench.uploads.ownership.may_chown", lambda: False)
    monkeypatch.setattr(os, "chown", refuse)
    monkeypatch.setattr(grp, "getgrnam", lambda name: grp.struct_group((name, "x", 54321, [])))
    storage = Storage(depot, SEED, NO_SPARE)
    said = "\n".join(storage.remarks())
    for word in ("CAP_CHOWN", "groupe goup", "groupe users"):
        assert word in said
    for _ in range(2):
        storage.publish(storage.create(MINE, 0))
    assert len([each for each in caplog.messages if "groupe users" in each]) == 1
    other = depot.with_name("autre")
    (other / "tusd").mkdir(parents=True)
    assert "public" in Storage(other, SEED, NO_SPARE).remarks()[0]


def refuse(*_: Any, **__: Any) -> None:
    raise PermissionError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize("missing", ["", "tusd"])
def test_a_storage_that_is_not_there_is_not_served(tmp_path: Path, missing: str) -> None:
    base = tmp_path / "depot"
    if missing:
        base.mkdir()
    with pytest.raises(WorkbenchError) as refused:
        Storage(base)
    assert refused.value.code == "depot_absent"
    assert missing in refused.value.message


@pytest.mark.parametrize("what", ["absent", "file", "link"])
def test_a_space_that_cannot_be_used_is_told_at_the_creation(service: Service, depot: Path, what: str) -> None:
    (depot / "urssaf").rmdir()
    if what == "file":
        (depot / "urssaf").touch()
    if what == "link":
        (depot / "urssaf").symlink_to(depot / "dgefp")
    answer = service("POST", upload_length="1", upload_metadata=encoded({"private": "true"}))
    assert (answer.status, answer.code) == (500, "depot_espace_indisponible")
    assert service("POST", upload_length="1").status == 201


# --- room


def test_a_space_has_a_quota(depot: Path, issuer: Issuer) -> None:
    service = Service(depot, issuer, limits=Limits(spare=0, quota=1000))
    service.send(b"x" * 600)
    refused = service("POST", upload_length="500")
    assert (refused.status, refused.code) == (413, "depot_quota")
    assert service("POST", who="bob", upload_length="500").status == 201
    deferred = service("POST", upload_defer_length="1")
    path = f"/files/{deferred.identifier}"
    assert service("PATCH", path, body=b"x" * 300, upload_offset="0").status == 204
    for length in ("200", None):
        over = service("PATCH", path, body=b"x" * 200, upload_offset="300", content_length=length)
        assert (over.status, over.code) == (413, "depot_quota")
    told = service("PATCH", path, body=b"x", upload_offset="300", upload_length="401")
    assert (told.status, told.code) == (413, "depot_quota")
    assert service("PATCH", path, body=b"x" * 100, upload_offset="300", upload_length="400").status == 204
    assert service("POST", upload_length="1").status == 413


def test_a_full_disk_is_told_and_what_came_is_kept(
    service: Service, depot: Path, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowded = Service(depot, issuer, limits=Limits(spare=2**62))
    assert crowded("POST", upload_length="1").code == "depot_plein"
    path = service.create(3_000_000)
    real = os.pwritev

    def full(file: int, pieces: Any, offset: int) -> int:
        if offset >= 1_500_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, [memoryview(pieces[0])[: 1_500_000 - offset]], offset)

    content = os.urandom(3_000_000)
    pieces = [content[start : start + 65536] for start in range(0, len(content), 65536)]
    monkeypatch.setattr(os, "pwritev", full)
    answer = service("PATCH", path, body=pieces, upload_offset="0")
    assert (answer.status, answer.code) == (507, "depot_plein")
    monkeypatch.undo()
    assert service("HEAD", path).headers["upload-offset"] == "1500000"
    assert service("PATCH", path, body=content[1_500_000:], upload_offset="1500000").status == 204
    assert (depot / "public" / f"{identifier(path)}.bin").read_bytes() == content


# --- stops


def test_bytes_that_were_not_verified_when_the_process_died_are_cut(service: Service) -> None:
    path = service.create(100)
    service("PATCH", path, body=b"x" * 10, upload_offset="0")
    writer = service.storage.open(identifier(path))
    writer.begin(Checksum("sha1", hashlib.sha1(b"right", usedforsecurity=False).digest()))
    writer.append([b"right"])
    assert writer.commit() == 15
    writer.begin(Checksum("sha1", b"?"))
    writer.append([b"never verified"])
    os.close(writer._file)  # as the kernel does for a process that ends
    assert service("HEAD", path).headers["upload-offset"] == "15"
    # From there on without checksums: what comes is kept.
    service("PATCH", path, body=[b"x" * 10], upload_offset="15", cut=True)
    assert not list(service.storage.tusd.glob("*.verified"))
    assert service("HEAD", path).headers["upload-offset"] == "25"


@pytest.mark.parametrize("state", [None, Outcome("finishing", "2026-01-01T00:00:00Z", passed=("courriel",))])
def test_an_end_that_was_interrupted_is_taken_up(depot: Path, state: Outcome | None) -> None:
    finisher = open_finisher(upload_settings(depot))
    storage = finisher.storage
    info = storage.create(MINE, 3)
    with storage.open(info.identifier) as writer:
        writer.append([b"abc"])
    if state is not None:
        storage.settle(info.identifier, state)
    assert [each.state for each in finisher.recover()] == ["published"]
    assert finisher.recover() == []
    assert (depot / "public" / f"{info.identifier}.bin").read_bytes() == b"abc"


def test_a_head_takes_up_an_interrupted_end_too(service: Service, depot: Path) -> None:
    path = service.create(3)
    with service.storage.open(identifier(path)) as writer:
        writer.append([b"abc"])
    assert service("HEAD", path).headers["upload-offset"] == "3"
    assert len(list((depot / "public").iterdir())) == 2


def test_purging_keeps_what_is_published_and_what_is_on_its_way(service: Service, depot: Path) -> None:
    whole, part = service.send(b"abc")[0], service.create(5)
    orphan = depot / "tusd" / f"{'0' * 32}.bin"
    for path in (orphan, depot / "tusd" / "notes.txt"):
        path.touch()
        os.utime(path, (0, 0))
    assert purge(service.storage) == 0
    assert not orphan.exists()
    assert (depot / "tusd" / "notes.txt").exists()
    assert purge(service.storage, timedelta(0) - timedelta(seconds=2)) == 1
    assert service("HEAD", whole).status == 404
    assert len(list((depot / "public").iterdir())) == 2
    assert service("HEAD", part).status == 200


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"ID": 1}', '{"ID": "x", "Size": "5"}', "\xff"])
def test_an_info_that_cannot_be_read_harms_nobody_else(service: Service, depot: Path, text: str) -> None:
    other = service.create(5)
    broken = service.create(5)
    (depot / "tusd" / f"{identifier(broken)}.info").write_text(text, encoding="latin-1")
    assert service("HEAD", broken).status == 500
    assert service("HEAD", other).status == 200
    assert service.finisher.recover() == []
