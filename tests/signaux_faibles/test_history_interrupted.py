"""An import that dies anywhere leaves the history as it was; begun again, it ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from history_files import SIRET, batch_of, letters, patches, say

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.history import import_batch, open_history
from workbench.signaux_faibles.history.month_report import file_reports


def test_a_process_that_dies_at_every_step(tmp_path: Path, project: Path) -> None:
    program = Path(__file__).with_name("killed_import.py")
    environment = {**os.environ, "PYTHONPATH": f"{project}{os.pathsep}{program.parent}"}
    ran = subprocess.run(
        [sys.executable, program, tmp_path], env=environment, capture_output=True, text=True, check=True, timeout=300
    )
    *attempts, steps = ran.stdout.splitlines()
    # Descriptor, file and end of files, type, publication.
    assert int(steps) == len(attempts) - 2 == 5
    before = {"known": {"1901": "ab", "1902": "ab"}, "batches": ["1901"]}
    after = {"known": {"1901": "ab", "1902": "ac"}, "batches": ["1901", "1902"]}
    assert [json.loads(each) for each in attempts] == [*[before] * (len(attempts) - 1), after]
    with open_history(tmp_path / "h.duckdb") as history:
        assert patches(history) == {"1901": ("ab", ""), "1902": ("c", "b")}
        assert len(file_reports(history, "1902")) == 1
        assert not any(each.pending_types for each in history.batches())


class StoppedError(Exception):
    """What a person who has had enough raises."""


def test_a_server_forgets_what_did_not_end(new_postgresql: Callable[[], str], tmp_path: Path) -> None:
    with open_history(new_postgresql(), read_only=False) as history:
        say(history, tmp_path, "1901", {"apconso": {SIRET: "ab"}})
        batch = batch_of(tmp_path, "1902", {"apconso": {SIRET: "ac"}}, ["apconso"])

        def stop(_done: int, _total: int, name: str) -> None:
            if name == "publication":
                raise StoppedError

        with pytest.raises(StoppedError):
            import_batch(history, batch, tmp_path, no_filter=True, compacted=True, progress=stop)
        assert [each.key for each in history.batches()] == ["1901"]
        assert letters(history) == "ab"
        import_batch(history, batch, tmp_path, no_filter=True, compacted=True)
        assert patches(history) == {"1901": ("ab", ""), "1902": ("c", "b")}


def test_an_unreadable_file_removes_nothing(tmp_path: Path) -> None:
    with open_history(tmp_path / "h.duckdb", read_only=False) as history:
        say(history, tmp_path, "1901", {"apconso": {SIRET: "ab"}})
        batch = batch_of(tmp_path, "1902", {"apconso": [{SIRET: "c"}, {SIRET: "d"}]}, ["apconso"])
        (tmp_path / "1902" / "1_consommation_ap.csv").write_text("rien\n", encoding="utf-8")
        found = import_batch(history, batch, tmp_path, no_filter=True, compacted=True)
        assert found.incomplete == ("apconso",)
        assert not found.is_right
        assert letters(history) == "abc"
        (tmp_path / "1902" / "1_consommation_ap.csv").unlink()
        batch_of(tmp_path, "1902", {"apconso": [{SIRET: "c"}, {SIRET: "d"}]}, ["apconso"])
        assert import_batch(history, batch, tmp_path, no_filter=True, compacted=True).is_right
        assert letters(history) == "cd"


def test_what_waits_is_replaced_file_by_file(tmp_path: Path) -> None:
    with open_history(tmp_path / "h.duckdb", read_only=False) as history:
        say(history, tmp_path, "1901", {"apconso": {SIRET: "ab"}}, compacted=False)
        assert letters(history) == ""
        say(history, tmp_path, "1901", {"apconso": {SIRET: "bc"}}, compacted=False)
        say(history, tmp_path, "1902", {"apconso": {SIRET: "z"}})
        assert (letters(history, "1901"), letters(history)) == ("bc", "bcz")


def test_refusals(tmp_path: Path) -> None:
    batch = batch_of(tmp_path, "1901", {"apconso": {SIRET: "a"}})
    with open_history(tmp_path / "h.duckdb", read_only=False) as history:
        with pytest.raises(WorkbenchError) as caught:
            import_batch(history, batch, tmp_path)
        assert caught.value.code == "filtre_absent"
        with pytest.raises(WorkbenchError) as caught:
            history.state("interim")
        assert caught.value.code == "source_inconnue"
        with pytest.raises(WorkbenchError) as caught:
            history.batch()
        assert caught.value.code == "historique_vide"
    with open_history(tmp_path / "h.duckdb") as history, pytest.raises(WorkbenchError) as caught:
        import_batch(history, batch, tmp_path, no_filter=True)
    assert caught.value.code == "base_lecture_seule"
    with pytest.raises(WorkbenchError) as caught:
        open_history(tmp_path / "absente.duckdb")
    assert caught.value.code == "base_absente"
    with pytest.raises(WorkbenchError) as caught:
        open_history("spark:///x", read_only=False)
    assert caught.value.code == "historique_moteur"
