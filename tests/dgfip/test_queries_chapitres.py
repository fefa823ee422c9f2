"""Budget chapters as a grouping: each row of a balance goes where the chart of accounts puts its compte."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workbench.dgfip import Base, connect, import_balances, import_plan_comptes, query

HEADER = (
    "EXER;IDENT;NDEPT;LBUDG;INSEE;CBUDG;CTYPE;NOMEN;SIREN;COMPTE;"
    "BEDEB;BECRE;OBNETDEB;OBNETCRE;ONBDEB;ONBCRE;OOBDEB;OOBCRE;SD;SC"
)
ROWS = (
    # exercice, nomenclature, compte, net debit, net credit
    (2024, "M57", "60611", 10, 0),  # the chart stops at 6061
    (2024, "M57", "6411", 20, 0),
    (2024, "M57", "6419", 0, 3),  # a receipt inside 64
    (2024, "M57", "739211", 7, 0),  # an expense inside 73
    (2024, "M57", "73111", 0, 90),
    (2024, "M57", "6011", 5, 1),  # two chapters: that of expenses
    (2024, "M57", "6811", 4, 0),  # d'ordre only
    (2024, "M57", "515", 50, 0),  # no chapter
    (2022, "M57A", "6411", 11, 0),  # the family's chart, of another year
    (2024, "M22", "6411", 13, 0),  # no chart
)
CHART = """\
annee;norme;declinaison;compte;parent;libelle;DR;RR;DOES;ROES
2023;M57;M57_D;64;;Personnel ancien;64;;;
2024;M57;M57_D;60;;Achats;;;;
2024;M57;M57_D;6011;60;Terrains;011;013;042;042
2024;M57;M57_D;6061;60;Fournitures;011;;;
2024;M57;M57_D;6411;;Titulaires;012;;;
2024;M57;M57_D;6419;;Remboursements;;013;;
2024;M57;M57_D;6811;;Dotations;;;042;
2024;M57;M57_D;731;;Fiscalité locale;;731;;
2024;M57;M57_D;7392;;Prélèvements;014;;;
2024;M57;M57_D;515;;Trésor;;;;
"""
CHAPTERS = """\
annee;norme;declinaison;chapitre;libelle;section;type;special
2024;M57;M57_D;011;Charges à caractère général;F;G;0
2024;M57;M57_D;012;Charges de personnel;F;G;0
"""


@pytest.fixture(scope="module")
def written(new_url: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Base, Path]]:
    """A base of three budgets without a chart, and the folder of one."""
    folder = tmp_path_factory.mktemp("chapitres")
    lines = [
        f"{year};21310001{place}00011;031;Commune {place};00{place};1;101;{nomenclature};21310001{place};"
        f"{compte};0;0;{debit};{credit};0;0;0;0;{debit};{credit}"
        for place, (year, nomenclature, compte, debit, credit) in (
            (("M57", "M57A", "M22").index(each[1]), each) for each in ROWS
        )
    ]
    (folder / "balances.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    (folder / "plan.csv").write_text(CHART)
    (folder / "chapitres.csv").write_text(CHAPTERS)
    with connect(new_url(), read_only=False) as opened:
        import_balances(opened, folder / "balances.csv")
        yield opened, folder


def test_rows_go_where_the_chart_puts_them(written: tuple[Base, Path]) -> None:
    base, folder = written
    asked = query(base).measure("D", type_appel="BR").by("chapitre_budgetaire").exercices([2022, 2024])
    before = asked.run()
    assert before.table.column("chapitre_budgetaire").to_pylist() == [None]
    assert any("wb.import_plan_comptes" in each for each in before.notices)

    import_plan_comptes(base, [folder / "plan.csv", folder / "chapitres.csv"])
    found = asked.measure("C", type_appel="BR").run()
    rows = {each[0]: tuple(each[1:]) for each in (tuple(row.values()) for row in found.table.to_pylist())}
    assert rows.pop(None) == ("", 63.0, 0.0)
    assert rows == {
        "011": ("Charges à caractère général", 15.0, 1.0),
        "012": ("Charges de personnel", 20.0, 0.0),
        "013": ("", 0.0, 3.0),
        "014": ("", 7.0, 0.0),
        "042": ("", 4.0, 0.0),
        "64": ("", 11.0, 0.0),
        "731": ("", 0.0, 90.0),
    }
    assert asked.count() == len(found)
    by_year = asked.by("collectivite", "exercice", "chapitre_budgetaire").filter("D[TA:BR]", ">", 10).run().table
    assert by_year.column("chapitre_budgetaire").to_pylist() == ["011", "012", None, "64", None]
