"""Trames beside charts of accounts: what is counted twice, what reads nothing, what nothing reads; transposition."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.formules import SOLDES
from workbench.plans import Compte, PlanComptes, PlansComptes
from workbench.trames.comptes_check import prefixes_of


def plan(nomenclature: str, exercice: int, *numeros: str, **libelles: str) -> PlanComptes:
    named = {**{each: f"Compte {each}" for each in numeros}, **{key[1:]: label for key, label in libelles.items()}}
    known = sorted(named)
    parents = {
        each: max((one for one in known if one != each and each.startswith(one)), key=len, default="") for each in known
    }
    return PlanComptes(nomenclature, exercice, tuple(Compte(each, named[each], parents[each]) for each in known))


PLAN = plan("M57", 2024, "70", "701", "7011", "706", "73", "731", "7391", "75")


def twice(formule: str, *charts: PlanComptes) -> list[str]:
    trame = wb.trame_from_formules({"A_A": "C75[TA:BR]", "A_B": formule}, nomenclature="M57")
    found = wb.check_comptes(trame, charts or [PLAN], classes=()).of("compte_double")
    assert all(each.indicateur == "A_B" for each in found)
    texte = trame["A_B"].texte
    return [texte[each.span.start : each.span.end] for each in found]


@pytest.mark.parametrize(
    ("formule", "expected"),
    [
        ("C70+C701[TA:BX]", ["C701"]),
        ("C701+C70[TA:BX]", ["C701"]),
        ("C70+C70[TA:BX]", ["C70"]),
        ("-D70-D701[TA:BX]", ["D701"]),
        ("C70-(C73-C731)+C731[TA:BX]", []),
        ("C70-(C73-C731)-C731[TA:BX]", []),
        ("C70-(C73+C731)[TA:BX]", ["C731"]),
        # Taken out, then put back in part: nothing is counted twice.
        ("C70-C701[TA:BX]", []),
        ("C70-C701+C7011[TA:BX]", []),
        ("C70-D701[TA:BX]", []),
        ("C70+C73[TA:BX]", []),
        ("C70/C701[TA:BX]", []),
        ("(C70+C701)/C73[TA:BX]", ["C701"]),
        # The real part and the rest make the whole; the whole and a part of it do not.
        ("C70[TA:BR]+C70[TA:BO]", []),
        ("C70[TA:BX]+C701[TA:BO]", ["C701"]),
        ("C70[TA:BX]-C701[TA:BO]", []),
        ("C70[TA:SX]+C701[TA:BE]", ["C701"]),
        ("C70[TA:BX]+SC701[TA:BX]", ["SC701"]),
        # Segments add up where they meet.
        ("C70[TA:BX][RE-MAX:2023]+C701[TA:BX][RE-MIN:2024]", []),
        ("C70[TA:BX][RE-MIN:2020]+C701[TA:BX][RE-MIN:2024]", ["C701"]),
        ("C70[TA:BX][TB:BP]+C701[TA:BX][TB:BA]", []),
        ("C70[TA:BX][TB:BP]+C701[TA:BX]", ["C701"]),
        ("C70[TA:BX][CAL:ABS]+C701[TA:BX]", []),
        # No compte is there, so none is counted twice.
        ("C7+C799[TA:BX]", []),
    ],
)
def test_what_is_counted_twice(formule: str, expected: list[str]) -> None:
    assert twice(formule) == expected


def test_the_remark_says_where_and_what_to_do() -> None:
    trame = wb.trame_from_formules({"A_B": "C70+C701+C701[TA:BX]"}, nomenclature="M57")
    [remark] = wb.check_comptes(trame, [PLAN, plan("M57", 2023, "70", "701")], classes=()).of("compte_double")
    assert (remark.prefix, remark.exercices) == ("701", (2023, 2024))
    assert "701 Compte 701 est compté 3 fois par C70, C701 et C701, de 2023 à 2024" in remark.message
    assert "^^^^" in remark.excerpt
    assert remark.hint


signed = st.tuples(
    st.sampled_from("+-"), st.sampled_from(["C", "D", "SC", "SD"]), st.sampled_from(["7", "70", "701", "7011", "73"])
)


@given(st.lists(st.tuples(signed, st.sampled_from(["BX", "BR", "SX", "BE"])), min_size=1, max_size=6))
def test_double_counts_are_those_of_the_amounts(terms: list[tuple[tuple[str, str, str], str]]) -> None:
    """A sum counts an amount twice exactly when its net coefficient, parts of operation 2 apart, is 2 or more."""
    formule = "".join(f"{sign}{side}{compte}[TA:{ta}]" for (sign, side, compte), ta in terms)
    net: dict[tuple[str, str], int] = {}
    for numero in ("7", "70", "701", "7011", "73"):
        for (sign, side, compte), ta in terms:
            if numero.startswith(compte):
                for column, weight in SOLDES[ta, side].items():  # type: ignore[index]
                    parts = [column, column[:-1] + "6"] if column.endswith("_2") else [column]
                    for part in parts:
                        net[numero, part] = net.get((numero, part), 0) + weight * (1 if sign == "+" else -1)
    expected = any(abs(value) > 1 for value in net.values())
    assert bool(twice(formule, plan("M57", 2024, "7", "70", "701", "7011", "73"))) == expected


def test_prefixes_without_compte() -> None:
    charts = [plan("M57", 2022, "70", "702"), plan("M57", 2023, "70", "701"), plan("M57", 2024, "70", "701")]
    trame = wb.trame_from_formules(
        {"A_B": "C701+C79[TA:BX]", "A_C": "C702[TA:BX][RE-MAX:2022]", "A_D": "C702[TA:BX][RE-MIN:2023]"}, "M57"
    )
    found = wb.check_comptes(trame, charts, classes=())
    said = [(each.indicateur, each.code, each.prefix, each.exercices) for each in found]
    assert said == [
        ("A_B", "prefixe_absent", "701", (2022,)),
        ("A_B", "prefixe_sans_compte", "79", (2022, 2023, 2024)),
        ("A_D", "prefixe_sans_compte", "702", (2023, 2024)),
    ]
    assert "Il existe (Compte 702) en 2022" in found[2].hint
    assert found.to_frame()["exercices"].tolist() == ["en 2022", "de 2022 à 2024", "de 2023 à 2024"]
    assert len(wb.check_comptes(trame, charts, exercices=[2022], classes=())) == 2


def test_a_deleted_compte_is_no_compte() -> None:
    chart = PlanComptes("M57", 2024, (Compte("70", "Ventes"), Compte("709", "Rabais", "70", supprime=True)))
    trame = wb.trame_from_formules({"A_B": "C70-C709[TA:BX]"}, nomenclature="M57")
    [remark] = wb.check_comptes(trame, chart)
    assert (remark.code, remark.hint) == ("prefixe_sans_compte", "Le plan le garde comme supprimé.")


def test_what_nothing_reads() -> None:
    chart = plan("M57", 2024, "60", "601", "602", "70", "701", "7011", "7012", "706", "73", "731", "732")
    trame = wb.trame_from_formules({"A_B": "C7011+C73[TA:BX]"}, nomenclature="M57")
    # 70 and 701 are read in part: what is beside is not. Class 6 is not read at all, so it is not looked at.
    assert [each.prefix for each in wb.check_comptes(trame, chart)] == ["7012", "706"]
    assert [each.prefix for each in wb.check_comptes(trame, chart, classes={"6"})] == ["60"]
    assert "(2 comptes)" in wb.check_comptes(trame, chart, classes={"6"})[0].message


def test_a_serie_is_looked_at_trame_by_trame() -> None:
    m14 = wb.trame_from_formules({"A_B": "C73[TA:BX]"}, nomenclature="M14", code="a_m14")
    m57 = wb.trame_from_formules({"A_B": "C731[TA:BX]"}, nomenclature="M57", code="a_m57")
    found = wb.check_comptes(wb.serie_of([m14, m57]), [plan("M14", 2019, "73"), plan("M57", 2024, "73")], classes=())
    assert [(each.trame, each.prefix) for each in found] == [("a_m57", "731")]
    assert dict(found.exercices) == {"M14": (2019,), "M57": (2024,)}


def test_what_cannot_be_looked_at() -> None:
    trame = wb.trame_from_formules({"A_B": "C73[TA:BX]"})
    with pytest.raises(WorkbenchError) as error:
        wb.check_comptes(trame, PLAN)
    assert error.value.code == "trame_sans_nomenclature"
    with pytest.raises(WorkbenchError) as error:
        wb.check_comptes(wb.trame_from_formules({"A_B": "C73[TA:BX]"}, "M52"), PLAN)
    assert error.value.code == "plan_absent"


def test_charts_of_a_family_are_joined() -> None:
    plans = PlansComptes.of([plan("M41", 2024, "70", "701"), plan("M49", 2024, "70", "702")])
    assert [each.numero for each in plans.plan("M4*")] == ["70", "701", "702"]
    assert plans.exercices("M41+M49") == (2024,)
    trame = wb.trame_from_formules({"A_B": "C701+C702[TA:BX]"}, nomenclature="M4*")
    assert not wb.check_comptes(trame, plans, classes=())


@given(
    st.lists(st.text("0123456789", min_size=1, max_size=5), unique=True, max_size=30), st.text("0123456789", max_size=4)
)
def test_a_chart_finds_what_is_under_a_prefix(numeros: list[str], prefix: str) -> None:
    chart = plan("M57", 2024, *numeros)
    assert [each.numero for each in chart.under(prefix)] == sorted(one for one in numeros if one.startswith(prefix))
    for each in chart:
        assert chart.path(each.numero)[-1] == each.numero
        assert each in chart.children(each.parent)


# --- transposition --------------------------------------------------------------------------------------------------

OLD = plan(
    "M14", 2023, _73="Impôts et taxes", _7325="Fonds de péréquation", _7331="Taxe d'enlèvement des ordures",
    _7391="Reversements sur impôts locaux", _7398="Divers", _75="Autres produits", _758="Autres",
)  # fmt: skip
NEW = plan(
    "M57", 2024, _73="Impôts et taxes", _732221="Fonds de péréquation", _73133="Taxe d'enlèvement d'ordures ménagères",
    _7391="Reversements et restitutions sur fiscalité locale", _75="Autres produits", _758="Autres",
)  # fmt: skip


def test_each_prefix_has_its_reason() -> None:
    trame = wb.trame_from_formules(
        {"A_B": "C73-C7325[TA:BR]-D7391[TA:BR]", "A_C": "C7331+C758-C7398-C7[TA:BR]/A_B"}, "M14", "essai"
    )
    found = wb.transpose(trame, OLD, NEW)
    said = {each.before: ("+".join(each.after), each.reason) for each in found}
    assert said == {
        "7": ("7", "identique"),
        "73": ("73", "identique"),
        "7325": ("732221", "libellé"),
        "7331": ("73133", "libellé proche"),
        "7391": ("7391", "numéro"),
        "7398": ("", ""),
        "758": ("758", "identique"),
    }
    assert [each.before for each in found.unmatched] == ["7398"]
    assert [each.before for each in found.doubtful] == ["7331", "7391"]
    moved = found.trame
    assert (moved.code, moved.nomenclature) == ("essai_m57", "M57")
    assert moved["A_B"].texte == "C73-C732221[TA:BR]-D7391[TA:BR]"
    # What has no candidate keeps its number, and the check of the proposed trame says so.
    assert moved["A_C"].texte == "C73133+C758-C7398-C7[TA:BR]/A_B"
    assert [each.prefix for each in found.remarks.of("prefixe_sans_compte")] == ["7398"]
    assert "7398 Divers → ? : rien d'assez proche" in str(found)
    assert found.to_frame().set_index("avant").loc["7325", "raison"] == "même libellé, sous un autre numéro"


def test_decisions_go_before_labels() -> None:
    trame = wb.trame_from_formules({"A_B": "C70/C7398[TA:BR]-D7391[TA:BR]"}, "M14", "essai")
    old, new = plan("M14", 2023, "70", "7391", "7398"), plan("M57", 2024, "70", "7391", "73911", "73918")
    found = wb.transpose(trame, old, new, correspondances={"7391": ["73911", "73918"], "7398": "73918"})
    assert found.trame["A_B"].texte == "C70/C73918[TA:BR]-(D73911+D73918)[TA:BR]"
    chosen = found.choose({"7398": "70"})
    assert chosen.trame["A_B"].texte == "C70/C70[TA:BR]-(D73911+D73918)[TA:BR]"
    assert {each.before: each.reason for each in chosen} == {
        "70": "identique", "7391": "correspondance", "7398": "choix",
    }  # fmt: skip
    with pytest.raises(WorkbenchError) as error:
        found.choose({"7398": "799"})
    assert error.value.code == "compte_inconnu"


def test_formules_of_other_years_are_left_out_and_said() -> None:
    trame = wb.trame_from_formules({"A_B": "C70[TA:BR][RE-MAX:2016]C701[TA:BR][RE-MIN:2017]"}, "M14", "essai")
    found = wb.transpose(trame, plan("M14", 2023, "70", "701"), plan("M57", 2024, "70", "701"))
    assert found.trame["A_B"].texte == "C701[TA:BR]"
    assert found.notes == ("A_B : formules écartées, hors de 2023 (jusqu'à 2016).",)


@pytest.mark.shared
def test_shipped_trames_beside_the_charts_of_totem(shared: object, project: object) -> None:
    plans = wb.plans_comptes(path=f"{shared}/data/plans_de_comptes")
    for name in ("ofgl_agregats_m57", "ofgl_agregats_m14", "comptes_individuels_m14", "m14_basique"):
        trame = wb.load_trame(f"{project}/trames/{name}.yaml")
        found = wb.check_comptes(trame, plans)
        assert not found.of("compte_double", "prefixe_sans_compte"), name
        assert {each.code for each in found} <= {"prefixe_absent", "comptes_non_lus"}
    moved = wb.transpose(
        wb.load_trame(f"{project}/trames/m14_basique.yaml"), plans.plan("M14", 2023), plans.plan("M57", 2024)
    )
    become = {each.before: "+".join(each.after) for each in moved}
    assert (become["73223"], become["739223"]) == ("732221", "7392221")
    assert not moved.unmatched
    assert prefixes_of(moved.trame["M14_CE_PFA_1000"])
