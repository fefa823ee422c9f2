"""The examples of the docstrings, run with a base of fictitious communes at hand."""

from __future__ import annotations

import doctest
import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest

import workbench

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(workbench.__path__, "workbench.")
    if not module.name.endswith(".__main__")
)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.fixture(scope="module")
def names(demonstration_base: str, demonstration_siret: str) -> Iterator[dict[str, str]]:
    return {"demonstration_base": demonstration_base, "demonstration_siret": demonstration_siret}


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str, names: dict[str, str]) -> None:
    failed, _ = doctest.testmod(import_module(name), extraglobs=names, optionflags=FLAGS)
    assert not failed


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    examples = [test for name in MODULES for test in finder.find(import_module(name)) if test.examples]
    assert len(examples) > 60
