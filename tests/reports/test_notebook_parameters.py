"""Parameters are read from the notebook, made plain, and refused before anything runs."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.reports.parameters import Parameter, ParametersError, check_parameters, plain, read_parameters

SOURCE = '''\
"""Les paramètres."""
base: str  # chemin de la base
sirets: list[str] = []  # SIRET des budgets
exercice_min: int = 2019  # premier exercice, # inclus
taux: float = 0.5
gras: bool = False
jour: date = "2019-12-31"
titre: str | None = None
modele: Optional[str] = None
libre = {"a": 1}
a, b = 1, 2
'''


def notebook(folder: Path, source: str = SOURCE, tags: tuple[str, ...] = ("parameters",)) -> Path:
    cell = {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source.splitlines(keepends=True)}
    path = folder / "modele.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}), encoding="utf-8")
    return path


def test_what_a_notebook_declares(tmp_path: Path) -> None:
    declared = read_parameters(notebook(tmp_path))
    assert list(declared) == ["base", "sirets", "exercice_min", "taux", "gras", "jour", "titre", "modele", "libre"]
    assert declared["base"] == Parameter("base", "str", False, True, None, "chemin de la base")
    assert declared["exercice_min"] == Parameter(
        "exercice_min", "int", False, False, 2019, "premier exercice, # inclus"
    )
    assert declared["titre"].optional
    assert declared["modele"].optional
    assert declared["libre"].kind == ""


def test_nothing_of_the_notebook_is_executed(tmp_path: Path) -> None:
    trap = tmp_path / "piege"
    source = f"base: str = open({str(trap)!r}, 'w').name\nautre: __import__('os').system('touch {trap}') = 1\n"
    declared = read_parameters(notebook(tmp_path, source))
    assert declared["base"].default is None
    assert not declared["base"].required
    assert not trap.exists()


@pytest.mark.parametrize(
    ("source", "tags", "code"),
    [
        ("a: int = 1", (), "notebook_sans_parametres"),
        ("a: int = (", ("parameters",), "notebook_illisible"),
    ],
)
def test_a_notebook_without_readable_parameters(tmp_path: Path, source: str, tags: tuple[str, ...], code: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        read_parameters(notebook(tmp_path, source, tags))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("sirets", "21310900200013", "il faut une liste de textes"),
        ("sirets", [21310900200013], "il faut une liste de textes"),
        ("exercice_min", "2019", "il faut un nombre entier"),
        ("exercice_min", 2019.0, "il faut un nombre entier"),
        ("exercice_min", True, "il faut un nombre entier"),
        ("exercice_min", None, "il faut un nombre entier"),
        ("taux", "0,5", "il faut un nombre"),
        ("taux", float("nan"), "il faut un nombre"),
        ("gras", 1, "il faut vrai ou faux"),
        ("jour", "31/12/2019", "il faut une date (2019-12-31)"),
        ("titre", 12, "il faut un texte"),
        ("titre", object(), "il faut un texte"),
    ],
)
def test_a_badly_typed_value_is_refused(tmp_path: Path, name: str, value: Any, sentence: str) -> None:
    _, problems = check_parameters(read_parameters(notebook(tmp_path)), {"base": "b", name: value})
    assert [problem.code for problem in problems] == ["parametre_mal_type"]
    assert sentence in problems[0].message
    assert f"« {name} »" in problems[0].message


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("base", Path("a") / "b.duckdb", str(Path("a") / "b.duckdb")),
        ("sirets", ("1", "2"), ["1", "2"]),
        ("sirets", pd.Series(["1"]).to_numpy(), ["1"]),
        ("exercice_min", np.int64(2018), 2018),
        ("taux", Decimal("0.25"), 0.25),
        ("taux", 1, 1),
        ("gras", np.True_, True),
        ("jour", date(2020, 2, 29), "2020-02-29"),
        ("jour", datetime(2020, 2, 29, 12, tzinfo=UTC), "2020-02-29T12:00:00+00:00"),
        ("jour", pd.Timestamp("2020-02-29"), "2020-02-29T00:00:00"),
        ("titre", None, None),
        ("libre", {"x": {2, 1}}, {"x": [1, 2]}),
    ],
)
def test_values_are_made_plain(tmp_path: Path, name: str, value: Any, kept: Any) -> None:
    values, problems = check_parameters(read_parameters(notebook(tmp_path)), {"base": "b", name: value})
    assert problems == []
    assert values[name] == kept
    assert type(values[name]) is type(kept)
    json.dumps(values, allow_nan=False)


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    declared = read_parameters(notebook(tmp_path))
    _, problems = check_parameters(declared, {"exercise_min": 2019, "taux": "x", "zzz": 1})
    error = ParametersError.of(problems)
    assert [problem.code for problem in error.problems] == [
        "parametre_inconnu", "parametre_mal_type", "parametre_inconnu", "parametre_manquant",
    ]  # fmt: skip
    text = str(error)
    assert "4 paramètres à corriger" in text
    assert "Vouliez-vous dire « exercice_min » ?" in text
    assert "Paramètres acceptés : base, sirets" in text
    assert len(text.splitlines()) == 5


def test_the_error_survives_pickling(tmp_path: Path) -> None:
    import pickle

    error = ParametersError.of([WorkbenchError("siret_malforme", siret="12")])
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert str(again) == str(error)
    assert again.problems[0].code == "siret_malforme"


leaves = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text() | st.dates() | st.decimals(allow_nan=False, allow_infinity=False, places=2)
)  # fmt: skip


@given(st.recursive(leaves, lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner)))
def test_plain_values_are_json_and_stay_as_they_are(value: Any) -> None:
    once = plain(value)
    assert json.loads(json.dumps(once, allow_nan=False)) == once
    assert plain(once) == once


@pytest.mark.parametrize("value", [object(), float("inf"), {1: 2}, [complex(1, 2)], np.array([np.nan]), b"octets"])
def test_what_has_no_plain_form_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        plain(value)
