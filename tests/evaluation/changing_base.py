"""A base whose communes change their nomenclature one after the other, and a serie that follows them."""

from __future__ import annotations

import random
from pathlib import Path

import workbench as wb
from workbench.trames import Serie

EARLY, LATE, NEVER = "21000000100011", "21000000200019", "21000000300017"
"""Passed to M57 in 2021, in 2023, and not before the end."""
CHANGE = {EARLY: 2021, LATE: 2023, NEVER: 9999}
YEARS = range(2019, 2025)
COMPTES = ("164", "6061", "6411", "66111", "7011", "7311", "73111", "7411", "775")


def write_base(folder: Path, change: dict[str, int], url: str | None = None) -> str:
    """Write a base of three communes and a water budget (M49), amounts drawn once for all; return its URL."""
    url = url or str(folder / "base.duckdb")
    draw = random.Random(1457)  # noqa: S311 - amounts of a test
    execution = ["exercice,ident,fonction,comptes,cptop,cptdeb,cptcre,dp"]
    collectivite = ["exer,ident,ndept,insee,lcomm,mpoid,nomen,finess,cnome,lbudg,cbudg,ctype"]
    for number, siret in enumerate([*change, "21000000100029"]):
        for year in YEARS:
            nomenclature = "M49" if siret.endswith("29") else "M57" if year >= change[siret] else "M14"
            kind = "3" if siret in ("21000000100029", NEVER) else "1"
            people = 1000 * (number + 1)
            collectivite.append(
                f"{year},{siret},099,00{number},VILLE,{people},{nomenclature},,{nomenclature},V{number},{kind},101"
            )
            for compte in COMPTES:
                for operation in (1, 2, 6):
                    debit, credit = draw.randrange(0, 10**8), draw.randrange(0, 10**8)
                    execution.append(f"{year},{siret},,{compte},{operation},{debit / 100:.2f},{credit / 100:.2f},D")
    for name, lines in (("execution.csv", execution), ("collectivite.csv", collectivite)):
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    with wb.connect(url, read_only=False) as base:
        wb.import_cci(base, execution=folder / "execution.csv", collectivite=folder / "collectivite.csv")
    return url


def two(m14: dict[str, str], m57: dict[str, str]) -> Serie:
    return wb.serie_of(
        [
            wb.trame_from_formules(m14, nomenclature="M14", code="t_m14"),
            wb.trame_from_formules(m57, nomenclature="M57", code="t_m57"),
        ],
        code="t",
    )


LINEAR = two(
    {
        "A_IMPOTS": "C7311-D7311[TA:BR]",
        "A_PRODUITS": "C7-D7[TA:BX]",
        "A_ACHATS": "D606[TA:BX][RE-MAX:2020]+D60[TA:BX][RE-MIN:2021]",
        "A_RATIO": "A_IMPOTS/A_PRODUITS",
        "A_HABITANT": "A_IMPOTS/$POP",
        "A_DIRECT": "C7311[TA:BR]/D64[TA:BR]",
        "A_VARIATION": "A_PRODUITS-A_PRODUITS[OS:M1]",
        "A_ECART": "C16-D16[TA:BX][CAL:X]",
        "A_ANCIEN": "C775[TA:BX]",
    },
    {
        "A_IMPOTS": "C73111-D73111[TA:BR]",
        "A_PRODUITS": "C7-D7-C775+D775[TA:BX]",
        "A_ACHATS": "D60[TA:BX]",
        "A_RATIO": "A_IMPOTS/A_PRODUITS",
        "A_HABITANT": "A_IMPOTS/$POP",
        "A_DIRECT": "C73111[TA:BR]/D641[TA:BR]",
        "A_VARIATION": "A_PRODUITS-A_PRODUITS[OS:M1]",
        "A_ECART": "D16-C16[TA:BX][CAL:X]",
        "A_NOUVEAU": "C74[TA:BX]",
    },
)
SUMS = ("A_IMPOTS", "A_PRODUITS", "A_ACHATS", "A_ANCIEN", "A_NOUVEAU")
