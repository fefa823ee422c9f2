"""The trames of the folder ``trames/``: sound, documented, true to the charts of accounts and to what is published.

Their figures are the business of ``test_trames_livrees_chiffres.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from itertools import chain
from pathlib import Path

import pandas as pd
import pytest

import workbench as wb
from workbench.dgfip import keeps_nomenclature
from workbench.evaluation.plan import compile_trame
from workbench.formules import check_formule, parse_formule
from workbench.formules.tree import Binary, Node, Reference, Unary, Variable, walk
from workbench.trames import Serie, Trame

TRAMES = sorted(Path(__file__).resolve().parents[1].joinpath("trames").glob("*.yaml"))
SERIES = [path.stem for path in TRAMES if "\nserie:" in path.read_text(encoding="utf-8")]
NAMES = [path.stem for path in TRAMES if path.stem not in SERIES]


@cache
def trame(name: str) -> Trame:
    return wb.load_trame(next(path for path in TRAMES if path.stem == name))


# --- the files ------------------------------------------------------------------------------------------------------


def test_the_expected_trames_are_there() -> None:
    expected = {
        "m14_basique",
        "ofgl_agregats_m14",
        "ofgl_agregats_m57",
        "ofgl_agregats_m57_departements_regions",
        "ofgl_agregats_m52",
        "ofgl_agregats_m71",
        "ofgl_agregats_m4",
        "comptes_individuels_m14",
        "ratios_legaux_m14",
    }
    assert expected <= set(NAMES)
    assert {"ofgl_agregats", "ofgl_agregats_departements", "ofgl_agregats_regions"} <= set(SERIES)


@pytest.mark.parametrize("name", NAMES)
def test_loads_without_any_remark(name: str) -> None:
    loaded = trame(name)
    assert loaded.code == name
    assert loaded.nomenclature in {"M14", "M57", "M52", "M71", "M4*"}
    remarks = [
        (indicateur.code, remark.message)
        for indicateur in loaded.indicateurs
        for remark in check_formule(indicateur.texte, loaded.codes, name=indicateur.code)
    ]
    assert remarks == []


@pytest.mark.parametrize("name", NAMES)
def test_every_indicateur_says_what_it_is_and_where_it_comes_from(name: str) -> None:
    for indicateur in trame(name).indicateurs:
        fields = (indicateur.libelle, indicateur.description, indicateur.reference, indicateur.theme)
        assert all(fields), indicateur.code
        assert indicateur.formules, indicateur.code
        straight = [text for text in fields if "'" in text or re.search(r"\w [:;!?%€»]|« ", text)]
        assert straight == [], indicateur.code


@pytest.mark.parametrize("name", NAMES)
def test_open_data_can_feed_every_variable(name: str) -> None:
    # Net of annulations, open data cannot give BR with SC or SD.
    for indicateur in trame(name).indicateurs:
        for variable in variables(indicateur.texte):
            assert (variable.side, variable.type_appel) not in {("SC", "BR"), ("SD", "BR")}, indicateur.code


def test_the_two_ofgl_trames_continue_each_other() -> None:
    m14, m57 = trame("ofgl_agregats_m14"), trame("ofgl_agregats_m57")
    only_m57 = {"OFGL_FRAIS_D_HEBERGEMENT"}  # the chart M14 has no such compte
    assert set(m57.codes) - set(m14.codes) == only_m57
    assert [code for code in m57.codes if code not in only_m57] == list(m14.codes)
    for code in m14.codes:
        for field in ("libelle", "unite", "theme"):
            assert getattr(m14[code], field) == getattr(m57[code], field), code


@pytest.mark.parametrize("name", SERIES)
def test_a_serie_follows_one_figure(name: str) -> None:
    serie = trame(name)
    assert isinstance(serie, Serie)
    assert serie.code == name
    assert all((serie.libelle, serie.description, serie.reference))
    early, late = serie.trames
    # What both define is the same figure under the same heading; what one alone defines is not many.
    both = [code for code in early.codes if code in late]
    assert len(both) >= 0.8 * len(serie)
    assert [code for code in late.codes if code in early] == both
    for code in both:
        for field in ("libelle", "unite", "theme"):
            assert getattr(early[code], field) == getattr(late[code], field), code
    assert compile_trame(serie).apart == ()


def test_departements_and_regions_add_to_what_communes_have() -> None:
    communes, others = trame("ofgl_agregats_m57"), trame("ofgl_agregats_m57_departements_regions")
    local = {"OFGL_TAXE_D_ENLEVEMENT_DES_ORDURES_MENAGERES", "OFGL_VERSEMENT_TRANSPORT"}
    assert set(communes.codes) - set(others.codes) == local | {"OFGL_FCCT_VERSE", "OFGL_FCCT_RECU"}
    # Péréquation of the DMTO is among the other taxes there.
    differ = {"OFGL_IMPOTS_LOCAUX"}
    for code in set(communes.codes) & set(others.codes) - differ:
        without = re.sub(r"[-+]OFGL_FCCT_(VERSE|RECU)", "", communes[code].texte)
        assert without.replace(" ", "") == others[code].texte.replace(" ", ""), code


def variables(texte: str) -> list[Variable]:
    segments = parse_formule(texte).segments
    return [node for segment in segments for node in walk(segment.expression) if isinstance(node, Variable)]


# --- charts of accounts ---------------------------------------------------------------------------------------------

CHARTED = range(2013, 2025)


@pytest.fixture(scope="module")
def chart(shared: Path) -> Callable[[str, int], list[str]]:
    """The comptes of a nomenclature in force in an exercice, all its variants together."""
    path = shared / "data/plans_de_comptes/plan_de_comptes_totem_2013_2024.csv.gz"
    columns = ["annee", "norme", "compte", "Supprime"]
    rows = pd.read_csv(path, sep=";", dtype=str, usecols=columns)
    rows = rows[rows["Supprime"].isna()]
    grouped = {key: sorted(group["compte"].unique()) for key, group in rows.groupby(["norme", "annee"])}
    # The charts M4, M41… M49 are variants of one norme.
    return lambda nomenclature, exercice: grouped.get((nomenclature.removesuffix("*"), str(exercice)), [])


@pytest.mark.shared
@pytest.mark.parametrize("name", NAMES)
def test_every_prefix_names_a_compte_of_the_chart(name: str, chart: Callable[[str, int], list[str]]) -> None:
    loaded = trame(name)
    unknown, checked = set(), 0
    for indicateur in loaded.indicateurs:
        for formule in indicateur.formules:
            first, last = formule.exercice_min or min(CHARTED), formule.exercice_max or max(CHARTED)
            exercices = [year for year in CHARTED if first <= year <= last]
            for variable in variables(formule.texte) if exercices else []:
                checked += 1
                if not any(
                    compte.startswith(variable.compte)
                    for year in exercices
                    for compte in chart(str(loaded.nomenclature), year)
                ):
                    unknown.add((indicateur.code, variable.compte, formule.exercice_min, formule.exercice_max))
    assert unknown == set()
    assert checked >= 30


@pytest.mark.shared
@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("ofgl_", "comptes_"))])
def test_every_charge_and_every_produit_is_read(name: str, chart: Callable[[str, int], list[str]]) -> None:
    loaded = trame(name)
    read = {one.compte for indicateur in loaded.indicateurs for one in variables(indicateur.texte)}
    comptes = set(chain.from_iterable(chart(str(loaded.nomenclature), year) for year in CHARTED))
    assert len(comptes) > 400
    assert [one for one in sorted(comptes) if one[0] in "67" and not one.startswith(tuple(read))] == []


@pytest.mark.shared
def test_the_m4_trame_takes_every_chart_of_services(shared: Path) -> None:
    path = shared / "data/plans_de_comptes/plan_de_comptes_totem_2013_2024.csv.gz"
    charts = pd.read_csv(path, sep=";", dtype=str, usecols=["norme", "declinaison"]).drop_duplicates()
    kept = str(trame("ofgl_agregats_m4").nomenclature)
    for norme, variant in charts.itertuples(index=False):
        assert keeps_nomenclature(kept, variant.partition("_")[0]) == (norme == "M4"), variant


# --- what the OFGL publishes ----------------------------------------------------------------------------------------


@pytest.mark.shared
def test_every_ofgl_aggregate_of_communes_and_groupements_is_there(shared: Path) -> None:
    published = pd.read_csv(shared / "data/ofgl/ofgl_agregats.csv")
    local = published[published["niveaux"].str.contains("commune|epci")]
    codes = {str(key).upper() for key in local["indicateur"]}
    assert len(codes) == 56
    assert codes - set(trame("ofgl_agregats_m57").codes) == set()


@pytest.mark.shared
@pytest.mark.parametrize(
    ("level", "name", "count"),
    [
        ("departement|region", "ofgl_agregats_m57_departements_regions", 70),
        ("departement", "ofgl_agregats_departements", 68),
        ("region", "ofgl_agregats_regions", 68),
    ],
)
def test_every_ofgl_aggregate_of_departements_and_regions_is_there(
    level: str, name: str, count: int, shared: Path
) -> None:
    published = pd.read_csv(shared / "data/ofgl/ofgl_agregats.csv")
    codes = {str(key).upper() for key in published[published["niveaux"].str.contains(level)]["indicateur"]}
    assert len(codes) == count
    assert codes - set(trame(name).codes) == set()


def combination(node: Node, values: Mapping[str, float]) -> float | None:
    """Value of a node made of sums of published aggregates; None when it is made of anything else."""
    if isinstance(node, Reference) and node.offset == 0:
        return values.get(node.indicateur)
    if isinstance(node, Unary):
        inside = combination(node.operand, values)
        return inside if inside is None or node.operator == "+" else -inside
    if isinstance(node, Binary) and node.operator in {"+", "-"}:
        left, right = combination(node.left, values), combination(node.right, values)
        return None if left is None or right is None else left + right if node.operator == "+" else left - right
    return None


@pytest.mark.shared
@pytest.mark.parametrize(
    "name", ["ofgl_agregats_m14", "ofgl_agregats_m57", "ofgl_agregats_m57_departements_regions", "ofgl_agregats_m52"]
)
def test_aggregates_combine_as_in_published_values(name: str, shared: Path) -> None:
    # Rezé 2023, the principal budget and six annexes: the values that the OFGL publishes for each.
    path = shared / "data/ofgl/ofgl_communes_reze_et_loire_atlantique.csv.gz"
    rows = pd.read_csv(path, sep=";", dtype={"ident": str, "com_code": str})
    rows = rows[(rows["com_code"] == "44143") & (rows["exer"] == 2023)]
    keys = pd.read_csv(shared / "data/ofgl/ofgl_agregats.csv").set_index("agregat")["indicateur"]
    rows["code"] = "OFGL_" + rows["agregat"].map(keys).str.removeprefix("ofgl_").str.upper()
    checked = set()
    for ident, budget in rows.groupby("ident"):
        values = budget.set_index("code")["montant"].to_dict()
        for indicateur in trame(name).indicateurs:
            (segment, *others) = parse_formule(indicateur.texte).segments
            expected = combination(segment.expression, values)
            if indicateur.code in values and expected is not None and not others:
                assert values[indicateur.code] == pytest.approx(expected, abs=0.011), (ident, indicateur.code)
                checked.add(indicateur.code.removeprefix("OFGL_"))
    assert checked >= {
        "ANNUITE_DE_LA_DETTE",
        "AUTRES_DEPENSES_D_INVESTISSEMENT",
        "AUTRES_DEPENSES_DE_FONCTIONNEMENT",
        "AUTRES_IMPOTS_ET_TAXES",
        "AUTRES_RECETTES_DE_FONCTIONNEMENT",
        "CAPACITE_OU_BESOIN_DE_FINANCEMENT",
        "CONCOURS_DE_L_ETAT",
        "EPARGNE_BRUTE",
        "EPARGNE_NETTE",
        "FLUX_NET_DE_DETTE",
        "VARIATION_DU_FONDS_DE_ROULEMENT",
    }


@pytest.mark.shared
def test_sheets_of_regions_combine_as_published(shared: Path) -> None:
    # 26 régions, 2012 to 2015, in thousands of euros: the published result is that of the published totals.
    rows = pd.read_csv(shared / "data/ofgl/nosfinanceslocales/region_all.csv")
    rows = rows[rows["année"] >= 2012]
    lines = {
        "CI_PRODUITS_FONCTIONNEMENT": "total des produits de fonctionnement = a",
        "CI_CHARGES_FONCTIONNEMENT": "total des charges de fonctionnement = b",
    }
    (segment,) = parse_formule(trame("comptes_individuels_m71")["CI_RESULTAT_COMPTABLE"].texte).segments
    assert len(rows) == 104
    for row in rows.to_dict("records"):
        found = combination(segment.expression, {code: row[line] for code, line in lines.items()})
        assert found == pytest.approx(row["resultat comptable = a - b = r"], abs=1001)
