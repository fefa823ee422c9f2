"""What batches make of a history: the worked cases of the specification (4.4), and what follows from its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from history_files import SIRET, letters, patches, say

from workbench.signaux_faibles.history import History, compact, open_history, prune, purge

OTHER = "22222222200000"


BOTH = pytest.mark.parametrize("history", ["duckdb", "postgresql"], indirect=True)
"""What goes through every statement of the merging is held to both engines."""


@pytest.fixture
def history(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[History]:
    address = str(tmp_path / "historique.duckdb")
    if getattr(request, "param", "duckdb") == "postgresql":
        new_database: Callable[[], str] = request.getfixturevalue("new_postgresql")
        address = new_database()
    with open_history(address, read_only=False) as opened:
        yield opened


def test_complete_type(history: History, tmp_path: Path) -> None:
    """Case 1: what a complete file has no more is removed."""
    say(history, tmp_path, "1901", {"apconso": {SIRET: "ab"}})
    say(history, tmp_path, "1902", {"apconso": {SIRET: "ac"}}, ["apconso"])
    assert patches(history) == {"1901": ("ab", ""), "1902": ("c", "b")}
    assert (letters(history, "1812"), letters(history, "1901"), letters(history)) == ("", "ab", "ac")


def test_the_order_of_imports_is_irrelevant(history: History, tmp_path: Path) -> None:
    """Case 2: the same documents in the other order."""
    say(history, tmp_path, "1902", {"apconso": {SIRET: "ac"}}, ["apconso"])
    say(history, tmp_path, "1901", {"apconso": {SIRET: "ab"}})
    assert patches(history) == {"1901": ("ab", ""), "1902": ("c", "b")}


def test_late_insertion(history: History, tmp_path: Path) -> None:
    """Case 3: a complete batch that comes late changes the patches of those after it."""
    say(history, tmp_path, "1812", {"apconso": {SIRET: "d"}})
    say(history, tmp_path, "1902", {"apconso": {SIRET: "ac"}}, ["apconso"])
    assert patches(history) == {"1812": ("d", ""), "1902": ("ac", "d")}
    say(history, tmp_path, "1901", {"apconso": {SIRET: "ab"}}, ["apconso"])
    assert patches(history) == {"1812": ("d", ""), "1901": ("ab", "d"), "1902": ("c", "b")}


@BOTH
def test_saying_again_cancels_a_removal(history: History, tmp_path: Path) -> None:
    """Case 4: the removal was decided by a file without the fact, and another of the same batch says it."""
    say(history, tmp_path, "1812", {"apconso": {SIRET: "d", OTHER: "e"}})
    say(history, tmp_path, "1901", {"apconso": {OTHER: "e"}}, ["apconso"])
    assert patches(history) == {"1812": ("d", ""), "1901": ("", "d")}
    say(history, tmp_path, "1901", {"apconso": {SIRET: "d"}}, ["apconso"])
    assert patches(history) == {"1812": ("d", "")}
    assert patches(history, OTHER) == {"1812": ("e", "")}


def test_one_batch_of_two_types(history: History, tmp_path: Path) -> None:
    """Case 5: documents of one batch are put together."""
    say(history, tmp_path, "1901", {"apconso": {SIRET: "x"}, "paydex": {SIRET: "y"}})
    assert patches(history) == {"1901": ("x", "")}
    rows = history.fetch(history.state("paydex")).to_pylist()
    assert [(row["siren"], row["nb_jours"]) for row in rows] == [(SIRET[:9], ord("y"))]


@pytest.mark.parametrize("apart", [False, True])
def test_two_documents_of_one_type(history: History, tmp_path: Path, apart: bool) -> None:
    """Case 6: two documents of a batch and type are both kept, imported together or apart."""
    if apart:
        say(history, tmp_path, "1910", {"apconso": {SIRET: "h"}})
        say(history, tmp_path, "1910", {"apconso": {SIRET: "i"}})
    else:
        say(history, tmp_path, "1910", {"apconso": [{SIRET: "hi"}, {SIRET: "i"}]})
    assert patches(history) == {"1910": ("hi", "")}
    assert compact(history, "1910").changes == ()


def test_who_is_in_no_file_of_the_batch_goes_too(history: History, tmp_path: Path) -> None:
    """A complete file replaces all that was known, of those that it does not name besides."""
    say(history, tmp_path, "1901", {"apconso": {SIRET: "ab", OTHER: "a"}})
    say(history, tmp_path, "1902", {"apconso": {SIRET: "a"}}, ["apconso"])
    assert patches(history, OTHER) == {"1901": ("a", ""), "1902": ("", "a")}
    assert patches(history) == {"1901": ("ab", ""), "1902": ("", "b")}


@BOTH
def test_purge(history: History, tmp_path: Path) -> None:
    say(history, tmp_path, "1901", {"apconso": {SIRET: "ab"}}, ["apconso"])
    say(history, tmp_path, "1902", {"apconso": {SIRET: "ac"}}, ["apconso"])
    say(history, tmp_path, "1903", {"apconso": {SIRET: "bc"}}, ["apconso"])
    whole = {"1901": ("ab", ""), "1902": ("c", "b"), "1903": ("b", "a")}
    assert patches(history) == whole
    assert purge(history, "1902") == ["1902", "1903"]
    assert patches(history) == {"1901": ("ab", "")}
    assert [each.key for each in history.batches()] == ["1901"]
    assert purge(history, "1902") == []
    say(history, tmp_path, "1903", {"apconso": {SIRET: "bc"}}, ["apconso"])
    assert patches(history) == {"1901": ("ab", ""), "1903": ("c", "a")}
    say(history, tmp_path, "1902", {"apconso": {SIRET: "ac"}}, ["apconso"])
    assert patches(history) == whole


def test_prune(history: History, tmp_path: Path) -> None:
    """The example of the specification (4.6)."""
    say(
        history,
        tmp_path,
        "1901",
        {"apconso": {"22222222200000": "a", "33333333300000": "a"}, "paydex": {"222222222": "b"}},
    )
    kept = ["333333333", "111111111"]
    say(history, tmp_path, "1902", {"apconso": {"33333333300000": "b"}}, perimetre=kept)
    assert (found := prune(history, "1902")).entities == 2
    assert not found.done
    assert prune(history, "1902", remove=True).rows == {"apconso": 1, "paydex": 1}
    assert prune(history, "1902").entities == 0
    assert history.counts()["apconso"] == 2
    assert sorted(history.fetch(history.perimetre())["siren"].to_pylist()) == sorted(kept)
