"""Arguments of the wrong kind are refused at the door, in French, and no password is repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import workbench as wb


@pytest.mark.parametrize(
    "call",
    [
        lambda base: wb.find_collectivites(base, None),
        lambda base: wb.find_collectivites(base, 12345),
        lambda base: wb.find_collectivites(base, "a", limit=-1),
        lambda _: wb.find_collectivites("base.duckdb", "a"),
        lambda _: wb.controls("base.duckdb"),
        lambda base: wb.import_balances(base, None),
        lambda base: wb.import_balances(base, 3),
        lambda base: wb.import_population(base, None),
        lambda _: wb.perimetre(nomenclature=["M14"]),
        lambda _: wb.perimetre(population=("a", "b")),
    ],
)
def test_a_wrong_kind_is_named(demonstration_base: str, call: Callable[[wb.Base], Any]) -> None:
    with wb.connect(demonstration_base) as base, pytest.raises(wb.WorkbenchError) as error:
        call(base)
    assert error.value.code in ("argument_inattendu", "perimetre_invalide", "base_en_lecture"), error.value


def test_an_unknown_engine_repeats_no_password() -> None:
    with pytest.raises(wb.WorkbenchError) as error:
        wb.connect("oracle://agent:secret@serveur/base")
    assert "secret" not in str(error.value)
    assert "secret" not in repr(error.value)
