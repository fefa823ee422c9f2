"""Published reports: whose they are, who reads them and when, what comes back, what a second publication does."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import nbformat
import pandas as pd
import pytest

import workbench as wb
from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.identity.actor import Actor
from workbench.registry import open_registry
from workbench.store import Client, Desk, Store, file_property, open_store
from workbench.store.app import create_app
from workbench.store.first_policies import FIRST, OF_REPORTS
from workbench.store.policies import FIELDS
from workbench.store.tables import ROOM

ADA = "ada@exemple.fr"


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


NOTEBOOK = """\
base: str = ""
trame: str = ""
sirets: list[str] = []
exercice_min: int = 2020
exercice_max: int = 2024
nomenclature: str | None = None
excel: str | None = None
"""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report model of two cells: what a model shows is another room's affair."""
    cells = [
        nbformat.v4.new_code_cell(NOTEBOOK, metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("open(excel, 'wb').write(b'classeur')"),
    ]
    kernel = {"name": "python3", "display_name": "Python", "language": "python"}
    path = tmp_path_factory.mktemp("modele") / "modele.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


@dataclass
class Shell:
    """Commands of one person."""

    folder: Path
    said: list[str] = field(default_factory=list)

    def run(self, capsys: Any, *words: object) -> tuple[int, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        return int(str(stop.value.code)), capsys.readouterr().out


@pytest.fixture(scope="module")
def made(demonstration: tuple[str, str], notebook: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one report, published by the command that made it; its registry is beside."""
    base, siret = demonstration
    folder = tmp_path_factory.mktemp("rapport")
    trame = folder / "essai.yaml"
    formules = {"A_B": "C7-D7[TA:BX]", "A_C": "A_B/$POP"}
    wb.save_trame(wb.trame_from_formules(formules, nomenclature="M57", code="essai"), trame)
    asked = ["--trame", trame, "--siret", siret, "--exercices", "2020-2024", "--base", base, "--notebook", notebook]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_REGISTRE", str(folder / "registre.sqlite"))
        patch.setenv("WORKBENCH_COURRIEL", ADA)
        with pytest.raises(SystemExit) as stop:
            main(["report", "run", *map(str, asked), "--to", str(folder / "fichiers"), "--publish", "--badge", "bfc"])
    assert stop.value.code == ExitCode.OK
    return folder


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    """The manifest of a copy of that report."""
    shutil.copytree(made / "fichiers", tmp_path / "fichiers")
    return next((tmp_path / "fichiers").glob("*.json"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store(open_registry(tmp_path / "registre.sqlite", rooms=[ROOM]), clock) as opened:
        opened.protect()
        opened.install(OF_REPORTS)
        yield opened


def desk(store: Store, email: str, *badges: str) -> Desk:
    return Desk(store, SimpleNamespace(email=email, badges=frozenset(badges)))


def rewritten(manifest: Path, **changed: Any) -> Path:
    content = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**content, **changed}), encoding="utf-8")
    return manifest


def refused(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(wb.WorkbenchError) as caught:
        call(*arguments, **named)
    return caught.value.code


def test_the_command_that_makes_it_publishes_it(
    made: Path,
    demonstration: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    base, siret = demonstration
    monkeypatch.setenv("WORKBENCH_REGISTRE", str(made / "registre.sqlite"))
    monkeypatch.setenv("WORKBENCH_COURRIEL", "Ada@Exemple.fr")
    name = f"essai_{siret}_2020_2024"
    (found,) = wb.published_reports(mine=True)
    assert (found.author, found.name, found.card["lecteurs"]) == (ADA, name, [["bfc"]])
    manifest = json.loads((made / "fichiers" / f"{name}.json").read_text(encoding="utf-8"))
    assert (found.card["trame_version"], found.card["instantane"]) == (
        manifest["trame"]["version"],
        manifest["instantane"],
    )
    assert (found.card["siret"], found.card["date"]) == (siret, manifest["date"])
    assert str(Path(base).parent) not in json.dumps(dict(found.card))
    # The files come back as they were made, the figures as they are computed.
    for kind, path in found.save(tmp_path / "lus").items():
        if kind != "valeurs":
            assert path.read_bytes() == (made / "fichiers" / path.name).read_bytes()
    with wb.connect(base) as opened:
        trame = wb.load_trame(manifest["parametres"]["trame"])
        table = wb.evaluate(trame, opened, sirets=[siret], exercices=range(2020, 2025))
    pd.testing.assert_frame_equal(found.values(), pd.DataFrame(table), check_index_type=False, check_column_type=False)
    # The same, by commands.
    shell = Shell(made)
    code, out = shell.run(capsys, "report", "published", "--mine", "--trame", "essai")
    assert (code, out.split("\t")[:3]) == (ExitCode.OK, [name, found.version, ADA])
    assert shell.run(capsys, "report", "published", "--siret", "1")[0] == ExitCode.EMPTY
    code, out = shell.run(capsys, "report", "fetch", name, "--to", tmp_path / "encore")
    assert code == ExitCode.OK
    assert {Path(line).suffix for line in out.splitlines()} == {".json", ".xlsx", ".html"}
    assert shell.run(capsys, "report", "fetch", "absent")[0] == ExitCode.REFUSED
    monkeypatch.setenv("WORKBENCH_COURRIEL", "bob@exemple.fr")
    assert shell.run(capsys, "report", "published")[0] == ExitCode.EMPTY
    assert shell.run(capsys, "report", "fetch", name)[0] == ExitCode.REFUSED
    with open_store() as opened:
        assert len(wb.published_reports(store=desk(opened, "bob@exemple.fr", "bfc"))) == 1


def test_for_its_author_alone_until_she_says_otherwise(store: Store, copied: Path) -> None:
    ada = desk(store, ADA)
    report = wb.publish_report(copied, store=ada, name="Avignon")
    assert wb.published_report("Avignon", store=ada) == report
    for badges in ((), ("bfc",), ("manager",)):
        assert wb.published_reports(store=desk(store, "bob@exemple.fr", *badges)) == []
        assert refused(desk(store, "bob@exemple.fr", *badges).file, "rapport", report.key, "page") == "sans_donnees"
    # Published again, it is the same version for more readers.
    shared = wb.publish_report(copied, store=ada, name="Avignon", badges=["bfc", "crp"])
    assert (shared.version, shared.card["lecteurs"]) == (report.version, [["bfc", "crp"]])
    again = wb.publish_report(copied, store=ada, name="Avignon", badges=["crp", "bfc"])
    assert again.added == shared.added
    assert wb.published_reports(store=desk(store, "bob@exemple.fr", "bfc")) == []
    (seen,) = wb.published_reports(store=desk(store, "bob@exemple.fr", "bfc", "crp"))
    assert "lecteurs" not in seen.card
    assert seen.file("page").content == report.file("page").content
    wb.publish_report(copied, store=ada, name="Avignon", badges=[])
    assert len(wb.published_reports(store=desk(store, "eve@exemple.fr"))) == 1


def test_a_change_is_a_new_version(store: Store, copied: Path, clock: Clock) -> None:
    ada, bob = desk(store, ADA), desk(store, "bob@exemple.fr", "bfc")
    first = wb.publish_report(copied, store=ada, badges="bfc")
    second = wb.publish_report(rewritten(copied, avertissements=["Relu."]), store=ada)
    assert second.version != first.version
    assert [each.version for each in wb.published_reports(store=ada)] == [second.version, first.version]
    # Bob reads the one that he may.
    assert wb.published_report(first.name, store=bob).version == first.version
    assert refused(wb.published_report, first.name, version=second.version, store=bob) == "rapport_inconnu"
    assert wb.published_report(first.name, version=first.version, store=ada).card["avertissements"] != ["Relu."]


def test_readers_wait_for_the_release_and_the_author_does_not(store: Store, copied: Path, clock: Clock) -> None:
    ada, bob = desk(store, ADA), desk(store, "bob@exemple.fr", "bfc")
    report = wb.publish_report(copied, store=ada, badges=["bfc"], release=clock.now + timedelta(days=2))
    assert wb.published_reports(store=bob) == []
    assert wb.published_report(report.name, store=ada).values().notna().all(axis=None)
    clock.now += timedelta(days=2)
    assert [each.version for each in wb.published_reports(store=bob)] == [report.version]
    assert refused(wb.publish_report, copied, store=ada, release=clock.now) == "rapport_non_publiable"


def test_what_is_withdrawn_or_over_is_seen_by_nobody(store: Store, copied: Path, clock: Clock) -> None:
    ada, bob = desk(store, ADA), desk(store, "bob@exemple.fr", "bfc")
    wb.publish_report(copied, store=ada, badges=["bfc"])
    assert refused(wb.published_reports(store=bob)[0].withdraw) == "ecriture_interdite"
    wb.published_reports(store=ada)[0].withdraw()
    assert wb.published_reports(store=ada) == wb.published_reports(store=bob) == []
    report = wb.publish_report(copied, store=ada, badges=["bfc"], name="b", expires=clock.now + timedelta(days=1))
    assert len(wb.published_reports(store=bob)) == 1
    clock.now += timedelta(days=1)
    assert wb.published_reports(store=bob) == []
    assert refused(ada.file, "rapport", report.key, "page") == "sans_donnees"
    clock.now += timedelta(days=1)
    manager = SimpleNamespace(email="m@exemple.fr", badges=frozenset({"manager"}))
    assert store.purge(manager, timedelta(0)) | {"properties": 0} == {
        "properties": 0,
        "sheets": 8,
        "objects": 2,
        "files": 3,
    }


def test_the_policies_of_reports_are_there_from_the_first_day_and_may_be_retired(tmp_path: Path) -> None:
    manager = SimpleNamespace(email="m@exemple.fr", badges=frozenset({"manager"}))

    def matches(store: Store) -> dict[str, Any]:
        found = store.get(manager, "system", {"type": "policy"})
        return {each["key"]["name"]: each["value"]["match"] for each in found}

    with open_store(tmp_path / "registre.sqlite") as store:
        first = matches(store)
        assert set(first) == {"system", *FIRST}
        assert refused(desk(store, ADA).put, "rapport", [{"key": {}, "value": {"a": 1}}]) == "ecriture_interdite"
        retired = {"key": {"type": "policy", "name": "rapport"}, "value": dict.fromkeys(FIELDS)}
        store.put(manager, "system", [retired])
    with open_store(tmp_path / "registre.sqlite") as store:
        assert matches(store) == {**first, "rapport": None}
        done = [each["action"] for each in store.journal(manager, bucket="system")]
        assert done == ["get", "put", "get", "install", "protect"]


def test_nobody_publishes_under_another_name(store: Store, copied: Path) -> None:
    report = wb.publish_report(copied, store=desk(store, ADA))
    sheet = {"key": report.key, "scope": [], "value": {"titre": "Faux"}}
    for key in (report.key, {"auteur": ADA}, {}):
        bob = desk(store, "bob@exemple.fr", "manager", "bfc")
        assert refused(bob.put, "rapport", [{**sheet, "key": key}]) == "ecriture_interdite"


def test_what_others_write_is_read_with_care(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    eve = desk(store, "eve@exemple.fr")
    hidden = file_property(b"alias ls=rm", ".bashrc", "text/html")
    key = {"auteur": "eve@exemple.fr", "rapport": "\x1b[2J", "version": "1"}
    card = {"titre": "a\x1b]0;b\x07\nc", "publie": "z", "page": hidden, "classeur": 5, "pdf": {"$x": 1}}
    eve.put("rapport", [{"key": {"auteur": "eve@exemple.fr"}, "value": {"publie": "z"}}, {"key": key, "value": card}])
    (found,) = wb.published_reports(store=desk(store, ADA))
    assert found.files == {"page": ".bashrc"}
    assert {path.name for path in found.save(tmp_path / "lus").values()} == {"bashrc.html"}
    monkeypatch.setenv("WORKBENCH_REGISTRE", str(tmp_path / "registre.sqlite"))
    code, out = Shell(tmp_path).run(capsys, "report", "published")
    assert (code, out.count("\n")) == (ExitCode.OK, 1)
    assert "\x1b" not in out


def test_what_has_changed_since_is_not_published(store: Store, copied: Path, tmp_path: Path) -> None:
    ada = desk(store, ADA)
    content = json.loads(copied.read_text(encoding="utf-8"))
    trame = tmp_path / "essai.yaml"
    text = Path(content["parametres"]["trame"]).read_text(encoding="utf-8")
    trame.write_text(text.replace("C7-", "C77-", 1), encoding="utf-8")
    given = content["parametres"]
    for changed in (
        {"parametres": {**given, "trame": str(trame)}},
        {"etat": "FAILED"},
        {"trame": {"code": "a", "libelle": "a"}},
        {"parametres": {}},
    ):
        other = tmp_path / "autre.json"
        other.write_text(json.dumps({**content, **changed}), encoding="utf-8")
        assert refused(wb.publish_report, other, store=ada) == "rapport_non_publiable"
    next(copied.parent.glob("*.html")).write_bytes(b"other")
    assert refused(wb.publish_report, copied, store=ada) == "rapport_non_publiable"
    assert wb.published_reports(store=ada) == []


def test_a_comparison_keeps_the_figures_of_each_budget(
    store: Store, copied: Path, demonstration: tuple[str, str]
) -> None:
    content = json.loads(copied.read_text(encoding="utf-8"))
    with wb.connect(demonstration[0]) as opened:
        budgets = wb.find_collectivites(opened)
    sirets = sorted(set(budgets["siret"]))[:2]
    given = {**content["parametres"], "sirets": sirets}
    report = wb.publish_report(rewritten(copied, comparatif=True, parametres=given), store=desk(store, ADA))
    assert set(report.values().index.get_level_values("siret")) <= set(sirets)
    assert len(report.values()) in (2, 4)
    assert report.card["siret"] is None


class InProcess(httpx.BaseTransport):
    """Asks an ASGI application without a server."""

    def __init__(self, app: Any) -> None:
        self.app = httpx.ASGITransport(app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def answer() -> httpx.Response:
            body = request.read()
            sent = httpx.Request(request.method, request.url, headers=request.headers, content=body)
            found = await self.app.handle_async_request(sent)
            return httpx.Response(found.status_code, headers=found.headers, content=await found.aread())

        return asyncio.run(answer())


class Named:
    """Takes a token for what it says: what is verified of tokens is identity's affair."""

    async def verify_async(self, token: str) -> Actor:
        return Actor(Client(token=token).email, "", "", frozenset({"bfc"}), datetime.max.replace(tzinfo=UTC))


def test_through_the_service(
    store: Store, copied: Path, of: Callable[[str], Client], demonstration: tuple[str, str]
) -> None:
    ada, bob = of("Ada@exemple.fr"), of("bob@exemple.fr")
    assert ada.email == ADA
    report = wb.publish_report(copied, store=ada, badges=["bfc"])
    (seen,) = wb.published_reports(store=bob, author=ADA, siret=demonstration[1])
    pd.testing.assert_frame_equal(seen.values(), report.values())
    assert seen.file("classeur").name.endswith(".xlsx")
    assert refused(wb.published_report, "absent", store=bob) == "rapport_inconnu"
    report.withdraw()
    assert wb.published_reports(store=bob) == []


@pytest.fixture
def of(store: Store) -> Iterator[Callable[[str], Client]]:
    import base64

    app: Any = create_app(store, Named())  # type: ignore[arg-type]
    opened: list[Client] = []

    def client(email: str) -> Client:
        claims = base64.urlsafe_b64encode(json.dumps({"email": email}).encode()).decode().rstrip("=")
        opened.append(Client("http://store", f"e30.{claims}.", transport=InProcess(app)))
        return opened[-1]

    yield client
    for each in opened:
        each.close()
