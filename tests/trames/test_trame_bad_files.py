"""One bad file an error, and beside it every problem it must give: ``line:column | words | words of the hint``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workbench.trames import TrameError, load_trame

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_the_folder_is_there() -> None:
    assert len(BAD) > 40


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_file(path: Path) -> None:
    expected = [
        re.fullmatch(r"(\d+):(\d+) \|(.*)\|(.*)", line) for line in path.with_suffix(".txt").read_text().splitlines()
    ]
    with pytest.raises(TrameError) as caught:
        load_trame(path)
    errors = caught.value.errors
    assert [(error.line, error.column) for error in errors] == [(int(row[1]), int(row[2])) for row in expected], errors
    for error, row in zip(errors, expected, strict=True):
        assert row[3].strip() in plain(error.message)
        assert row[4].strip() in plain(error.hint)
        assert plain(error.where) == f"ligne {row[1]}, colonne {row[2]}"
        assert str(error) in str(caught.value)


def test_every_bad_file_says_what_it_expects() -> None:
    stems = {path.stem for path in BAD}
    assert stems == {path.stem for path in (Path(__file__).parent / "bad").glob("*.txt")}
