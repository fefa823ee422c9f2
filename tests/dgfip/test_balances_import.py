"""Open-data balances: every layout gives the same base, and real figures are found again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from balance_files import MONEY, SIRET, expected, row, stored, write_csv, write_parquet
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, func, select

from workbench.dgfip import Base, connect, import_balances, perimetre, select_budgets, snapshots, sum_comptes
from workbench.dgfip.schema import balances, collectivites, imports


@pytest.fixture
def base(engine_url: str) -> Iterator[Base]:
    with connect(engine_url, read_only=False) as opened:
        yield opened


ROWS = [
    row("1021", BECRE=21618750179, ONBDEB=5, ONBCRE=1536455),
    row("6411", FONCTION="020", OBNETDEB=12345, OBNETCRE=-45, OOBDEB=1),
    row("7311", FONCTION="01", OBNETCRE=10**14, BAL="PRO"),
]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.csv", {}),
        ("b.csv", {"lower": True, "decimal": ".", "trim": True}),
        ("c.csv", {"delimiter": ",", "decimal": "."}),
        ("d.csv", {"delimiter": ",", "decimal": ","}),
        ("e.csv.gz", {"delimiter": "\t"}),
        ("f.csv", {"encoding": "utf-8-sig"}),
        ("g.csv", {"without": ("SECTEUR", "FINESS", "CODBUD1", "CATEG", "CSTYP", "CREGI", "CACTI", "SIREN")}),
        ("h.csv", {"extra": {"MODVTHEL": "x", "dt_maj": "2020-01-01"}}),
    ],
)
def test_layouts(base: Base, tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    report = import_balances(base, write_csv(tmp_path / name, ROWS, **options))
    assert stored(base) == expected(ROWS)
    assert (report.rows, report.budgets_new, report.exercices) == (3, 1, (2019,))
    assert report.ignored_columns == (("dt_maj",) if "extra" in options else ())
    budget = select_budgets(base, perimetre(), None).to_pylist()
    assert budget == [
        {
            "siret": SIRET,
            "exercice": 2019,
            "siren": "213300635",
            "libelle": "BORDEAUX",
            "population": None,
            "nomenclature": "M14",
            "nomenclature_detail": "M14",
            "type_budget": "1",
            "type_etablissement": "101",
            "etat": "M",
            "source": "balances",
        }
    ]


def test_parquet_gives_back_the_zeros(base: Base, tmp_path: Path) -> None:
    rows = [row("1021", "01330063500017", NDEPT="2A", NOMEN="M57A", FINESS="010000001", BECRE=21618750179)]
    import_balances(base, write_parquet(tmp_path / "x.parquet", rows))
    assert stored(base) == expected(rows)
    known = base.fetch(select(collectivites)).to_pylist()[0]
    names = ("siren", "departement", "insee", "type_etablissement", "region", "nomenclature", "nomenclature_detail")
    assert [known[name] for name in names] == ["013300635", "02A", "063", "101", "075", "M57", "M57A"]


def test_codes_without_zeros_in_a_text_file(base: Base, tmp_path: Path) -> None:
    rows = [row(siret="1330063500017", NDEPT="33", INSEE="63", CSTYP="0", CREGI="75", SIREN="13300635")]
    import_balances(base, write_csv(tmp_path / "x.csv", rows))
    known = base.fetch(select(collectivites)).to_pylist()[0]
    assert [known[name] for name in ("siret", "siren", "departement", "insee", "sous_type", "region")] == [
        *("01330063500017", "013300635", "033", "063", "00", "075")
    ]


money = st.integers(-(10**15), 10**15)
generated = st.lists(
    st.builds(
        lambda compte, siret, exercice, fonction, bal, amounts: row(
            compte, siret, exercice, FONCTION=fonction, BAL=bal, **dict(zip(MONEY, amounts, strict=True))
        ),
        st.text("0123456789", min_size=1, max_size=8),
        st.sampled_from([SIRET, "21310555400017"]),
        st.sampled_from([2019, 2020]),
        st.sampled_from([None, "01", "90020"]),
        st.sampled_from(["DEF", "PRO"]),
        st.lists(money, min_size=len(MONEY), max_size=len(MONEY)),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=3, deadline=None)
@given(
    generated,
    st.sampled_from(["x.csv", "x.csv.gz", "x.parquet"]),
    st.sampled_from([";", ",", "\t"]),
    st.sampled_from([",", "."]),
    st.booleans(),
)
def test_what_is_written_is_what_is_stored(
    new_url: Callable[[], str], rows: list[dict[str, Any]], name: str, delimiter: str, decimal: str, lower: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        if path.suffix == ".parquet":
            write_parquet(path, rows)
        else:
            write_csv(path, rows, delimiter=delimiter, decimal=decimal, lower=lower, trim=lower)
        with connect(new_url(), read_only=False) as base:
            assert import_balances(base, path).rows == len(rows)
            assert stored(base) == expected(rows)


def test_the_same_file_again_changes_nothing(base: Base, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", ROWS)
    first = import_balances(base, path)
    again = import_balances(base, write_csv(tmp_path / "copie.csv", ROWS))
    assert first.changed
    assert not again.changed
    assert again.budgets_unchanged == 1
    assert again.snapshot == first.snapshot
    assert len(snapshots(base)) == 2
    assert "contient déjà" in str(again)


def test_a_newer_file_replaces_whole_budgets(base: Base, tmp_path: Path) -> None:
    old = [row("60"), row("61"), row("60", exercice=2020), row("60", "21310555400017")]
    new = [row("62", LBUDG="BORDEAUX VILLE"), row("60", exercice=2021)]
    first = write_csv(tmp_path / "old.csv", old)
    import_balances(base, first)
    report = import_balances(base, write_csv(tmp_path / "new.csv", new))
    assert (report.budgets_new, report.budgets_replaced, report.budgets_unchanged) == (1, 1, 0)
    assert stored(base) == expected([*old[2:], *new])
    budgets = select_budgets(base, perimetre(sirets=SIRET), [2019])
    assert budgets.column("libelle").to_pylist() == ["BORDEAUX VILLE"]
    # The old file is no longer what the base holds: importing it again is a change.
    assert import_balances(base, first).budgets_replaced == 3
    assert stored(base) == expected([*old, new[1]])


def test_several_files_and_patterns(base: Base, tmp_path: Path) -> None:
    for year in (2018, 2019):
        write_csv(tmp_path / f"balances_{year}.csv", [row(exercice=year)])
    seen: list[float] = []
    report = import_balances(
        base,
        [tmp_path / "balances_2019.csv", str(tmp_path / "balances_*.csv")],
        progress=lambda _sentence, fraction: seen.append(fraction),
    )
    assert report.files == ("balances_2019.csv", "balances_2018.csv")
    assert report.exercices == (2018, 2019)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    journal = base.fetch(select(imports.c.fichier, imports.c.source, imports.c.lignes, imports.c.budgets)).to_pylist()
    assert journal == [
        {"fichier": f"balances_{year}.csv", "source": "balances", "lignes": 1, "budgets": 1} for year in (2019, 2018)
    ]


def test_windows_encoding(base: Base, tmp_path: Path) -> None:
    report = import_balances(base, write_csv(tmp_path / "x.csv.gz", [row(LBUDG="CŒUR D’ÎLE")], encoding="cp1252"))
    assert select_budgets(base, perimetre()).column("libelle").to_pylist() == ["CŒUR D’ÎLE"]
    assert "cp1252" in report.notes[0]


def test_quotes_separators_and_lines_in_labels(base: Base, tmp_path: Path) -> None:
    label = 'SIVOM "A;B"\nL\'ISLE, sur Sorgue'
    import_balances(base, write_csv(tmp_path / "x.csv", [row(LBUDG=label)]))
    assert select_budgets(base, perimetre()).column("libelle").to_pylist() == [label]


def test_the_population_known_before_is_kept(base: Base, tmp_path: Path) -> None:
    from workbench.dgfip import import_population

    (tmp_path / "pop.csv").write_text("siren;population\n213300635;257068\n")
    import_population(base, tmp_path / "pop.csv")
    for year in (2019, 2020):
        import_balances(base, write_csv(tmp_path / f"{year}.csv", [row(exercice=year)]))
    assert select_budgets(base, perimetre()).column("population").to_pylist() == [257068, 257068]


def sums(base: Base) -> dict[str, dict[str, int]]:
    budgets = select_budgets(base, perimetre(), None)
    groups = budgets.select(["siret", "exercice"]).append_column("groupe", pa.array([0] * len(budgets), pa.int64()))
    return {each["compte"]: each for each in sum_comptes(base, groups).to_pylist()}


@pytest.mark.shared
def test_bordeaux_2019(base: Base, shared: Path) -> None:
    """Figures of the balance, and of deliberation D-2019/262 for comptes 110 and 1068."""
    report = import_balances(base, shared / "data" / "balances" / "balance_bordeaux_2019.csv")
    assert (report.rows, report.budgets_new, report.exercices) == (1617, 1, (2019,))
    rows = base.fetch(select(func.sum(balances.c.solde_debit).cast(BigInteger))).column(0)[0].as_py()
    assert Decimal(rows) / 100 == Decimal("2734079023.97")
    comptes = sums(base)
    closing = {
        compte: sum(each[f"debit_{operation}"] - each[f"credit_{operation}"] for operation in (1, 2, 3))
        for compte, each in comptes.items()
    }
    assert sum(max(0, solde) for solde in closing.values()) == 270052201634
    assert sum(max(0, -solde) for solde in closing.values()) == 270052201634
    assert [comptes["110"][name] for name in ("credit_1", "credit_3", "debit_3")] == [
        1820299483,
        6370896296,
        6007251996,
    ]
    assert comptes["1068"]["credit_2"] == 6007251996
    real = {
        compte: {side: each[f"{side}_2"] - each[f"{side}_6"] for side in ("debit", "credit")}
        for compte, each in comptes.items()
    }
    charges = sum(
        each["debit"] - each["credit"]
        for compte, each in real.items()
        if compte.startswith("6") and not compte.startswith(("68", "675", "676"))
    )
    produits = sum(
        each["credit"] - each["debit"]
        for compte, each in real.items()
        if compte.startswith("7") and not compte.startswith(("78", "775", "776", "777"))
    )
    assert (charges, produits, produits - charges) == (29408249689, 35195416522, 5787166833)
    assert sum(-solde for compte, solde in closing.items() if compte[0] in "67") == 4594771967
    assert report.controls is not None
    assert [each.code for each in report.controls if each.ok is False] == ["population_absente"]


@pytest.mark.shared
def test_the_extract_of_four_cities(base: Base, shared: Path) -> None:
    report = import_balances(base, shared / "data" / "balances" / "balances_communes_2024_extrait.csv")
    assert (report.rows, report.budgets_new) == (10, 4)
    assert report.controls is not None
    assert report.controls["soldes_lignes"].ok
    assert report.controls["balance_entree"].count == 4
