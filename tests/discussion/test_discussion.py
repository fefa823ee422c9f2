"""Comments: written, read, changed by their author alone, and never run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench.discussion import ROOM, Comment, add_comment, clean_text, comments, delete_comment, edit_comment
from workbench.errors import WorkbenchError
from workbench.registry import Registry, open_registry
from workbench.registry.migrating import differences

ANNE, BENOIT = "anne@exemple.fr", "benoit@exemple.fr"


@pytest.fixture
def registry(registry_address: str) -> Iterator[Registry]:
    with open_registry(registry_address, rooms=[ROOM]) as opened:
        yield opened


@pytest.fixture(autouse=True)
def trames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_TRAMES", str(tmp_path / "trames"))
    monkeypatch.setenv("WORKBENCH_TRAMES_PRIVEES", str(tmp_path / "privees"))
    for folder in ("trames", "privees"):
        trame = wb.trame_from_formules({"A_B": "C70[TA:BX]", "A_C": "A_B"}, nomenclature="M14", code="essai")
        (tmp_path / folder).mkdir()
        wb.save_trame(trame, tmp_path / folder / "essai.yaml")


def test_the_migrations_make_the_table_declared(registry: Registry) -> None:
    with registry.read() as connection:
        assert differences(connection, ROOM) == []


def test_each_on_what_it_is_about(registry: Registry) -> None:
    said = [
        add_comment("Application", author=ANNE, registry=registry),
        add_comment("Trame", trame="essai", author=BENOIT, registry=registry),
        add_comment("Indicateur", trame="essai", indicateur="A_B", author=ANNE, registry=registry),
    ]
    assert comments(registry=registry) == [said[0]]
    assert comments(trame="essai", registry=registry) == [said[1]]
    assert comments(trame="essai", indicateur="A_B", registry=registry) == [said[2]]
    assert comments(trame="essai", indicateur="A_C", registry=registry) == []
    assert comments(trame="essai", everything=True, registry=registry) == [said[2], said[1]]
    assert comments(everything=True, limit=2, registry=registry) == [said[2], said[1]]
    assert said[2].about == "A_B (essai)"


def test_only_its_author_changes_it(registry: Registry) -> None:
    said = add_comment("Premier", author=ANNE, registry=registry)
    for change in (lambda: edit_comment(said.id, "x", author=BENOIT, registry=registry),
                   lambda: delete_comment(said.id, author=BENOIT, registry=registry),
                   lambda: delete_comment("absent", author=ANNE, registry=registry)):  # fmt: skip
        with pytest.raises(WorkbenchError) as refused:
            change()
        assert refused.value.code == "commentaire_absent"
    changed = edit_comment(said.id, "Second", author=ANNE, registry=registry)
    assert (changed.text, changed.created) == ("Second", said.created)
    assert changed.edited is not None
    assert comments(registry=registry) == [changed]
    delete_comment(said.id, author=ANNE, registry=registry)
    assert comments(registry=registry) == []


def test_those_on_one_s_own_trames_are_one_s_own(registry: Registry) -> None:
    said = add_comment("À moi", trame="~/essai", author=ANNE, registry=registry)
    assert comments(trame="~/essai", author=ANNE, registry=registry) == [said]
    assert comments(trame="~/essai", author=BENOIT, registry=registry) == []
    assert comments(everything=True, author=BENOIT, registry=registry) == []


@pytest.mark.parametrize(
    ("text", "target", "code"),
    [
        (" \n\u202e\x00", {}, "commentaire_vide"),
        ("x" * 5001, {}, "commentaire_long"),
        (3, {}, "argument_inattendu"),
        ("x", {"indicateur": "A_B"}, "commentaire_sans_trame"),
        ("x", {"trame": "essaie"}, "trame_absente"),
        ("x", {"trame": "essai", "indicateur": "A_Z"}, "indicateur_absent"),
    ],
)
def test_what_is_refused_leaves_nothing(text: str, target: dict[str, str], code: str, tmp_path: Path) -> None:
    with open_registry(tmp_path / "r.sqlite", rooms=[ROOM]) as registry:
        with pytest.raises(WorkbenchError) as refused:
            add_comment(text, author=ANNE, registry=registry, **target)
        assert refused.value.code == code
        assert comments(everything=True, registry=registry) == []


@given(st.text(min_size=1).map(lambda text: f"a{text}"))
def test_a_clean_text_is_clean(text: str) -> None:
    kept = clean_text(text)
    assert clean_text(kept) == kept
    assert not set(kept) & set("\0\x1b\r\u202e\u2066\u200b")


def test_markup_is_shown_and_not_run(registry: Registry) -> None:
    said = add_comment("<script>alert(1)</script>", author="<b>@x", registry=registry)
    (read,) = comments(registry=registry)
    assert read.text == said.text == "<script>alert(1)</script>"
    shown = Comment._repr_html_(read)
    assert "<script" not in shown
    assert "<b>@x" not in shown


def test_from_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_REGISTRE", str(tmp_path / "r.sqlite"))
    monkeypatch.setenv("WORKBENCH_COURRIEL", ANNE)
    assert wb.add_comment("Ici", trame="essai").author == ANNE
    assert [comment.text for comment in wb.comments(trame="essai")] == ["Ici"]
