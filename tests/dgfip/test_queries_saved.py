"""Saved queries: what is saved is read back the same, files say what is wrong, nothing leaves its folder."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.dgfip import (
    Query,
    connect,
    delete_query,
    duplicate_query,
    load_query,
    query,
    read_query,
    rename_query,
    save_query,
    saved_queries,
)
from workbench.dgfip.queries_spec import DIMENSIONS
from workbench.errors import WorkbenchError


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    private, shared = tmp_path / "privees", tmp_path / "requetes"
    monkeypatch.setenv("WORKBENCH_REQUETES", str(shared))
    monkeypatch.setenv("WORKBENCH_REQUETES_PRIVEES", str(private))
    monkeypatch.setenv("LOGNAME", "alice")
    return private, shared


FULL = (
    query()
    .where(
        departements=["031", "2A"],
        nomenclature="M57",
        population=(1000, None),
        types=101,
        sirets="99900006500019",
        name="l'île",
        epci="200000001",
        comptes=["60", "7"],
        fonctions=["932", "90"],
    )
    .exercices(2019, 2023)
    .measure("C70", type_appel="BX", libelle="Ventes : « =x »")
    .measure("S51", per_inhabitant=True)
    .by("collectivite", "exercice")
    .filter("Ventes : « =x »", ">", "1000.10")
    .order_by("-Ventes : « =x »", "siret")
    .limit(50)
)


def test_a_query_is_read_back_the_same(folders: tuple[Path, Path]) -> None:
    saved = save_query(FULL, "Ventes de l'île", description="Pour le contrôle n° 3 : à jour")
    text = (folders[0] / "ventes-de-l-ile.yaml").read_text(encoding="utf-8")
    assert load_query("Ventes de l'île") == FULL
    assert load_query("ventes de l ile") == FULL
    assert read_query(folders[0] / "ventes-de-l-ile.yaml") == FULL
    assert saved_queries() == [saved]
    assert (saved.owner, saved.shared, saved.description) == ("alice", False, "Pour le contrôle n° 3 : à jour")
    assert "variable: C70" in text
    assert "proprietaire: alice" in text
    assert "Ventes de l'île (privée, alice" in str(saved)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.sampled_from(sorted(DIMENSIONS)), min_size=1, max_size=3, unique=True),
    libelle=st.text(max_size=20),
    name=st.text(max_size=20),
    sirens=st.lists(st.from_regex(r"\A[0-9]{9}\Z"), max_size=3),
    value=st.decimals(-(10**9), 10**9, places=2),
    years=st.lists(st.integers(1990, 2040), max_size=3),
)
def test_any_query_is_read_back_the_same(
    names: list[str], libelle: str, name: str, sirens: list[str], value: object, years: list[int]
) -> None:
    try:
        asked = query().by(*names).measure("C70", libelle=libelle).where(name=name, sirens=sirens).exercices(years)
        asked = asked.filter("C70", "<=", value)
        asked.spec.checked()
    except WorkbenchError:
        return
    save_query(asked, "essai", replace=True)
    assert load_query("essai") == asked


def test_private_first_shared_by_choice(folders: tuple[Path, Path]) -> None:
    mine, ours = query().measure("C70"), query().measure("D60")
    save_query(ours, "charges", shared=True)
    assert load_query("charges") == ours
    save_query(mine, "charges")
    assert load_query("charges") == mine
    assert load_query("charges", shared=True) == ours
    assert [each.shared for each in saved_queries()] == [False, True]
    assert (folders[1] / "charges.yaml").is_file()


def test_rename_duplicate_delete(folders: tuple[Path, Path]) -> None:
    save_query(FULL, "une")
    rename_query("une", "deux")
    assert duplicate_query("deux", "trois", share=True).shared
    assert [each.name for each in saved_queries()] == ["deux", "trois"]
    assert load_query("trois") == FULL
    with pytest.raises(WorkbenchError) as error:
        save_query(FULL, "Deux")
    assert error.value.code == "requete_existe"
    save_query(query().measure("C70"), "quatre")
    with pytest.raises(WorkbenchError) as error:
        rename_query("quatre", "deux")
    assert error.value.code == "requete_existe"
    delete_query("deux")
    with pytest.raises(WorkbenchError) as error:
        load_query("deux")
    assert error.value.code == "requete_absente"
    with pytest.raises(WorkbenchError, match="Vouliez-vous dire « trois »"):
        load_query("troi")


def test_the_shared_query_of_another_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    save_query(FULL, "commune", shared=True)
    monkeypatch.setenv("LOGNAME", "bruno")
    for act in (
        lambda: delete_query("commune"),
        lambda: rename_query("commune", "autre"),
        lambda: save_query(query().measure("C70"), "commune", shared=True, replace=True),
    ):
        with pytest.raises(WorkbenchError) as error:
            act()  # type: ignore[no-untyped-call]
        assert error.value.code == "requete_proprietaire"
    assert duplicate_query("commune", "mienne").owner == "bruno"
    assert load_query("commune") == FULL


@pytest.mark.parametrize(
    "name", ["../../evasion", "/etc/passwd", "..\\x", "a/b", "con\x00x", "", "...", "\u202ex", "x" * 300]
)
def test_a_name_leaves_no_folder(folders: tuple[Path, Path], tmp_path: Path, name: str) -> None:
    with suppress(WorkbenchError):
        save_query(FULL, name)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.parent == folders[0] for path in written)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1", "n'a pas la forme attendue"),
        ("nom: x\nrequete: {mesure: []}", "Vouliez-vous dire « mesures »"),
        ("nom: x\nrequete: {mesures: [{variable: 70}]}", "doit être un texte"),
        ("nom: x\nrequete: {mesures: [{variable: C70, type_appel: ZZ}]}", "Le type d'appel"),
        ("nom: x\nrequete: {par: [chapitres]}", "chapitre"),
        ("nom: x\nrequete: {par: collectivite}", "n'est pas une liste"),
        ("nom: x\nrequete: {par: [compte], perimetre: {population: 3}}", "forme attendue"),
        ("nom: x\nrequete: {par: [compte], perimetre: {departements: ['999']}}", "999"),
        ("nom: x\nrequete: {par: [compte], limite: zero}", "limite"),
        ("nom: x\nrequete: {}", "ne demande rien"),
        ("nom: x\nsql: DROP TABLE balances\nrequete: {par: [compte]}", "« sql »"),
        ("nom: !!python/object/apply:os.system [x]", "YAML"),
        ("a: [", "YAML"),
        ("\x00", "YAML"),
        ("x: 1\n" * 300_000, "trop long"),
        ("[" * 5000, "YAML"),
    ],
)
def test_a_file_says_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "fausse.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(WorkbenchError) as error:
        read_query(path)
    assert error.value.code == "requete_fichier"
    assert said in str(error.value)


def test_a_saved_query_runs_on_the_base_given(demonstration_base: str) -> None:
    save_query(query().measure("C70").by("exercice"), "ventes")
    with connect(demonstration_base) as base:
        asked = load_query("ventes", base)
        assert isinstance(asked, Query)
        assert len(asked.run()) > 3
    with pytest.raises(WorkbenchError) as error:
        load_query("ventes").run()
    assert error.value.code == "requete_sans_base"
