"""Arguments of another kind are refused at the door, in French."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.errors import WorkbenchError
from workbench.trames import (
    compare_trames,
    export_pseudo_parametrage,
    import_pseudo_parametrage,
    load_trame,
    save_trame,
    trame_from_formules,
)

TRAME = trame_from_formules({"A_B": "1"})


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda _: load_trame(None), "path doit être le chemin d'un fichier, et non None"),
        (lambda _: load_trame(3), "et non 3 (int)"),
        (lambda _: import_pseudo_parametrage(None), "path doit être"),
        (lambda _: save_trame(TRAME, None), "path doit être"),
        (lambda folder: save_trame("A_B", folder / "t.yaml"), "trame doit être une trame, et non A_B (str)"),
        (lambda folder: export_pseudo_parametrage({}, folder / "t.xlsx"), "trame doit être une trame"),
        (lambda _: compare_trames(TRAME, None), "after doit être une trame, et non None"),
        (lambda _: trame_from_formules(["C70"]), "formules doit être un dictionnaire"),
        (lambda _: trame_from_formules({"A_B": 3}), "formules['A_B'] doit être le texte d'une formule"),
        (lambda _: trame_from_formules({1: "3"}), "dont les clés sont des codes"),
        (lambda _: trame_from_formules({"A_B": "3"}, nomenclature=14), "nomenclature doit être un texte"),
    ],
)
def test_refused(tmp_path: Path, call: Callable[[Path], object], words: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        call(tmp_path)
    assert caught.value.code == "argument_inattendu"
    assert words in str(caught.value)
    assert not list(tmp_path.iterdir())
