"""Publishing the directory: everyone finds it, an interruption loses nothing, the same again writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from history_files import say_rows
from sqlalchemy import func, select
from test_history_views import A1, A2, ABROAD, B1, FILES, A, B
from test_publication import PARIS, PUBLISHER, written

from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.history import History, open_history
from workbench.signaux_faibles.publication import directory, publish, publish_directory
from workbench.signaux_faibles.publication.monthly import month_directory
from workbench.signaux_faibles.publication.objects import SHOWN
from workbench.store import Store, open_store
from workbench.store.searching import search
from workbench.store.tables import SHEET

NOBODY = SimpleNamespace(email="personne@exemple.fr", badges=frozenset())
ACTIVITIES = {"5221Z": "Services auxiliaires"}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    folder = tmp_path_factory.mktemp("annuaire")
    with open_history(folder / "historique.duckdb", read_only=False) as opened:
        say_rows(opened, folder, "1802", FILES, [A, B, ABROAD])
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "registre.sqlite") as opened:
        yield opened


def sirets(store: Store, text: str, reader: Any = NOBODY) -> set[str]:
    return {each["key"]["siret"] for each in store.search(reader, "public", text=text, key={"type": "identite"})}


def command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["signaux", "publish-directory", *arguments])
    return int(str(left.value.code))


def sheets(store: Store) -> int:
    with store.registry.read() as connection:
        return connection.execute(select(func.count()).select_from(SHEET)).scalar_one()


def test_everyone_finds_what_the_directory_knows(store: Store, history: History) -> None:
    planned = publish_directory(store, PUBLISHER, history, activities=ACTIVITIES, dry_run=True)
    assert not store.search(NOBODY, "public", text=A, key={"type": "identite"})
    said: list[tuple[int, int, str]] = []
    done = publish_directory(store, PUBLISHER, history, activities=ACTIVITIES, progress=lambda *told: said.append(told))
    assert planned.by_change == done.by_change
    assert (done.by_change["new"], said[-1][0]) == (done.places, done.places + done.nowhere)
    assert {A1, A2} <= sirets(store, A)
    assert B1 in sirets(store, B1)
    (found,) = store.get(NOBODY, "public", {"type": "identite", "siret": A1})
    assert set(found["value"]["sirene"]) == set(SHOWN)
    assert found["value"]["sirene"]["libelle_activite"] == "Services auxiliaires"
    assert found["value"]["departement"] == "75"
    with pytest.raises(WorkbenchError):
        store.get(NOBODY, "annuaire")


def test_the_same_again_reads_and_writes_nothing(store: Store, history: History) -> None:
    publish_directory(store, PUBLISHER, history, activities=ACTIVITIES)
    before = sheets(store)
    again = publish_directory(store, PUBLISHER, history)
    assert (again.untouched, again.by_change["same"]) == (again.slices, again.places)
    compared = publish_directory(store, PUBLISHER, history, again=True)
    assert (compared.untouched, compared.by_change["same"]) == (0, compared.places)
    assert sheets(store) == before
    relabelled = publish_directory(store, PUBLISHER, history, activities={"5221Z": "Autrement dit"})
    assert relabelled.by_change["changed"] > 0


@pytest.mark.parametrize("chunks", [[[]], [["1"]], [["1", "1"], ["1", "2"], ["3"]], [["1"], ["2", "2"]]])
def test_an_etablissement_that_a_source_says_twice_is_one(chunks: list[list[str]]) -> None:
    given = [siret for chunk in chunks for siret in chunk]
    rows = pa.table({"siret": pa.chunked_array(chunks, pa.string()), "rang": range(len(given))})
    kept = directory._once(rows).to_pydict()
    assert kept == {"siret": sorted(set(given)), "rang": [given.index(siret) for siret in sorted(set(given))]}


def test_a_publication_that_is_stopped_goes_on(store: Store, history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "PART", 1)

    class StoppedError(Exception):
        pass

    def stop(done: int, total: int, words: str) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        publish_directory(store, PUBLISHER, history, progress=stop)
    there = len(store.get(NOBODY, "public", {"type": "identite"}))
    resumed = publish_directory(store, PUBLISHER, history)
    assert 0 < there < resumed.places
    assert resumed.untouched == 1
    assert len(store.get(NOBODY, "public", {"type": "identite"})) == resumed.places


def test_who_is_gone_is_found_no_more(store: Store, history: History, tmp_path: Path) -> None:
    publish_directory(store, PUBLISHER, history)
    smaller = dict(FILES)
    lines = smaller["sirene"].splitlines(keepends=True)
    smaller["sirene"] = "".join(line for line in lines if A2 not in line and A2[9:] not in line)
    assert len(smaller["sirene"].splitlines()) < len(lines)
    with open_history(tmp_path / "apres.duckdb", read_only=False) as after:
        say_rows(after, tmp_path, "1803", smaller, [A, B, ABROAD])
        planned = publish_directory(store, PUBLISHER, after, dry_run=True)
        done = publish_directory(store, PUBLISHER, after)
    assert planned.by_change == done.by_change
    assert done.by_change["withdrawn"] >= 1
    assert A2 not in sirets(store, A)
    assert A1 in sirets(store, A)


def test_what_lists_say_of_an_etablissement_stays(store: Store, history: History, tmp_path: Path) -> None:
    published = publish(store, PUBLISHER, written(tmp_path / "liste.parquet", {A: 2}), history, activities=ACTIVITIES)
    assert published.companies == 1
    (before,) = store.get(PARIS, "public", {"type": "identite", "siret": A1})
    done = publish_directory(store, PUBLISHER, history)
    assert done.by_change["changed"] == 0
    assert done.by_change["same"] >= 1
    (after,) = store.get(PARIS, "public", {"type": "identite", "siret": A1})
    assert after["value"] == before["value"]
    assert after["value"]["dernier_effectif"] == 6
    listed = store.browse(PARIS, "public", key={"type": "detection"})
    again = publish_directory(store, PUBLISHER, history, activities={"5221Z": "Autrement dit"})
    assert again.by_change["changed"] > 0
    assert store.browse(PARIS, "public", key={"type": "detection"}) == listed


def test_counts_are_capped_and_said(store: Store, history: History) -> None:
    publish_directory(store, PUBLISHER, history)
    assert store.total(NOBODY, "public", search({"text": A, "key": {"type": "identite"}}))["more"] is False


def test_commands_and_the_notebook_of_the_month(
    history: History, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = str(tmp_path / "autre.sqlite")
    with open_store(address) as other:
        assert sheets(other)
    common = ["--base", history.url, "--registre", address, "--email", "moi"]
    assert command(*common, "--dry-run") == ExitCode.OK
    assert "simulation" in capsys.readouterr().err
    assert command(*common) == ExitCode.OK
    assert command(*common) == ExitCode.OK
    assert "déjà publiées ainsi : 3 sur 3" in capsys.readouterr().err
    assert month_directory(history, registry=address).empty
    frame = month_directory(history, asked=True, really=True, registry=address)
    assert frame.loc["établissements", "Nouveaux"] == 0
    with open_history(tmp_path / "vide.duckdb", read_only=False) as nothing, open_store(address) as other:
        say_rows(nothing, tmp_path, "1802", {"procol": FILES["procol"]}, [A])
        with pytest.raises(WorkbenchError, match="aucun établissement"):
            publish_directory(other, PUBLISHER, nothing)
