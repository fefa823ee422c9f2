"""A base and a trame of any size, made from a seed, realistic in what costs.

What was chosen, and why:

- 1 100 comptes of three to six digits in classes 1 to 7, some used by nearly all budgets and most by
  few (a power law): sparse columns beside full ones, as in published balances.
- 90 comptes and about 205 non-zero cells a budget-year, exercices of one budget using almost the same
  comptes: what the measurements of the design were made on.
- Amounts log-normal, in cents, a few beyond 21 million euros.
- Formules as in the shipped trames (85 indicateurs for the OFGL one): prefixes of 1 to 6 digits in the
  shares counted there (3, 27, 38, 18, 10, 4 %), 250 distinct ones, types d'appel BR, BX and SX; four
  indicateurs in ten made of comptes that follow each other in the chart (most of two to eight
  variables, one in ten of thirty), a third sums of others, a quarter ratios, some by inhabitant, some
  with an offset, one leaf in twenty bound to years. Short prefixes and sums of sums make each cell
  enter many indicateurs. Comptes are drawn at random, so that formules overlap more than real ones.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from sqlalchemy import column, insert, select, table

import workbench as wb
from workbench.dgfip.cells_stored import add_cells
from workbench.dgfip.schema import AMOUNTS, balances, budgets, collectivites, imports

SEED = 20_240
_PREFIXES = 250
_LENGTHS = {1: 0.03, 2: 0.27, 3: 0.38, 4: 0.18, 5: 0.10, 6: 0.04}


def chart(rng: np.random.Generator) -> list[str]:
    comptes: set[str] = set()
    while len(comptes) < 1_100:
        length = int(rng.choice([3, 4, 5, 6], p=[0.2, 0.4, 0.3, 0.1]))
        first = str(rng.choice(list("1234567"), p=[0.13, 0.2, 0.03, 0.17, 0.05, 0.25, 0.17]))
        comptes.add(first + "".join(str(digit) for digit in rng.integers(1, 9, length - 1)))
    return sorted(comptes)


def make_trame(indicateurs: int = 300, seed: int = SEED) -> wb.Trame:
    rng = np.random.default_rng(seed)
    comptes = chart(np.random.default_rng(SEED))
    formules: dict[str, str] = {}
    lengths = rng.choice(list(_LENGTHS), _PREFIXES, p=list(_LENGTHS.values()))
    prefixes = [comptes[int(rng.integers(len(comptes)))][:length] for length in lengths]

    prefixes.sort()

    def variable(position: int) -> str:
        compte = prefixes[position % _PREFIXES]
        side = {"6": "D", "7": "C"}.get(compte[0], "C" if rng.random() < 0.5 else "D")
        if compte[0] in "12345" and rng.random() < 0.4:
            side = "S" + side
        return side + compte

    def leaf() -> str:
        count = 30 if rng.random() < 0.1 else int(rng.integers(2, 9))
        first = int(rng.integers(_PREFIXES))
        terms = [variable(first + position) for position in range(count)]
        text = terms[0] + "".join(str(rng.choice(["+", "-"], p=[0.8, 0.2])) + term for term in terms[1:])
        kind = "SX" if any(term.startswith("S") for term in terms) else str(rng.choice(["BR", "BX"]))
        return f"{text}[TA:{kind}]"

    for number in range(indicateurs):
        draw = rng.random()
        known = list(formules)
        if number < 20 or draw < 0.4:
            text = leaf()
            if rng.random() < 0.05:
                text = f"{text}[RE-MAX:2016]{leaf()}[RE-MIN:2017]"
        elif draw < 0.74:
            names = rng.choice(known, int(rng.integers(2, 6)), replace=False)
            text = "".join(("+" if position else "") + str(name) for position, name in enumerate(names))
        else:
            left, right = (str(name) for name in rng.choice(known, 2, replace=False))
            text = str(
                rng.choice(
                    [f"{left}/{right}*100", f"{left}/$POP", f"{left}-{left}[OS:M1]", f"({left}-{right})/{right}"],
                    p=[0.5, 0.25, 0.15, 0.1],
                )
            )
        formules[f"I_{number:04d}"] = text
    return wb.trame_from_formules(formules, nomenclature="M57")


def make_base(path: Path | str, collectivites_count: int, exercices: int = 10, seed: int = SEED) -> wb.Base:
    """Write a base of communes, one budget each, straight into its tables, and open it."""
    rng = np.random.default_rng(seed)
    comptes = np.array(chart(np.random.default_rng(SEED)))
    share = 1 / np.arange(1, len(comptes) + 1) ** 0.9
    share = rng.permutation(np.minimum(share / share.sum() * 120, 0.95))
    share *= 90 / share.sum()
    share = np.minimum(share, 0.97)
    years = np.arange(2024 - exercices, 2024)
    base = wb.connect(path, read_only=False)
    with base.store.lock(), base.write() as writer:
        writer.execute(_copy(imports, "lot"), {"lot": _import(collectivites_count * exercices)})
        for start in range(0, collectivites_count, 1_000):
            count = min(1_000, collectivites_count - start)
            numbers = np.arange(start, start + count)
            # Communes of a département follow each other, as their SIREN do.
            sirets = np.array(
                [f"21{number * 95 // collectivites_count + 1:02d}{number:05d}00010" for number in numbers]
            )
            uses = rng.random((count, len(comptes))) < share
            lines = [_lines(rng, comptes, uses, sirets, int(year)) for year in years]
            for each in lines:
                writer.execute(_copy(balances, "lot"), {"lot": each})
            described = _described(rng, sirets, years, numbers, collectivites_count)
            writer.execute(_copy(collectivites, "lot"), {"lot": described})
            rows = {name: described[name] for name in ("exercice", "siret", "import_id")}
            rows["etat"] = pa.array(["D"] * len(described), pa.string())
            rows["lignes"] = pa.array([90] * len(described), pa.int64())
            writer.execute(_copy(budgets, "lot"), {"lot": pa.table(rows)})
        add_cells(writer, 1)
    base.refresh()
    return base


def _copy(target, name: str):
    columns = [each.name for each in target.columns]
    given = table(name, *map(column, columns))
    return insert(target).from_select(columns, select(*(given.c[each] for each in columns)))


def _lines(rng: np.random.Generator, comptes, uses, sirets, year: int) -> pa.Table:
    changed = uses ^ (rng.random(uses.shape) < 0.004)
    budget, compte = np.nonzero(changed)
    lines = len(budget)
    amounts = {name: np.zeros(lines, dtype=np.int64) for name in AMOUNTS}
    kind = np.array([text[0] for text in comptes])[compte]
    size = np.exp(rng.normal(0, 1.5, len(sirets)))[budget]

    def draw(where: np.ndarray, name: str) -> None:
        amounts[name][where] = (np.exp(rng.normal(13, 2, int(where.sum()))) * size[where]).astype(np.int64) + 1

    management = (kind == "6") | (kind == "7")
    own = np.where(kind == "7", "credit_2", "debit_2")
    for name in ("debit_2", "credit_2"):
        draw(management & (own == name), name)
        draw(management & (own != name) & (rng.random(lines) < 0.15), name)
        draw(management & (rng.random(lines) < 0.2), name.replace("2", "6"))
        draw(~management & (rng.random(lines) < 0.62), name)
    for name, part in (("debit_1", 0.5), ("credit_1", 0.5), ("debit_3", 0.45), ("credit_3", 0.45)):
        draw(~management & (rng.random(lines) < part), name)
    return pa.table(
        {
            "exercice": np.full(lines, year),
            "siret": pa.array(sirets[budget].tolist(), pa.string()),
            "fonction": pa.array([""] * lines, pa.string()),
            "compte": pa.array(comptes[compte].tolist(), pa.string()),
            "etat": pa.array(["D"] * lines, pa.string()),
            **amounts,
            "solde_debit": np.zeros(lines, dtype=np.int64),
            "solde_credit": np.zeros(lines, dtype=np.int64),
            "import_id": np.ones(lines, dtype=np.int64),
        }
    )


def _described(rng, sirets, years, numbers, total: int) -> pa.Table:
    rows = [(siret, int(year), int(number)) for siret, number in zip(sirets, numbers, strict=True) for year in years]
    text = {
        "libelle": lambda siret, _year, _number: f"COMMUNE {siret[2:9]}",
        "departement": lambda _siret, _year, number: f"{number * 95 // total + 1:03d}",
        "nomenclature": lambda *_: "M57",
        "type_budget": lambda *_: "1",
        "type_etablissement": lambda *_: "101",
    }
    columns = {}
    people = np.repeat(np.exp(rng.normal(6.5, 1.3, len(sirets))).astype(np.int64) + 10, len(years))
    for each in collectivites.columns:
        if each.name == "siret":
            columns["siret"] = pa.array([row[0] for row in rows], pa.string())
        elif each.name == "siren":
            columns["siren"] = pa.array([row[0][:9] for row in rows], pa.string())
        elif each.name == "exercice":
            columns["exercice"] = pa.array([row[1] for row in rows], pa.int64())
        elif each.name == "population":
            columns["population"] = pa.array(people, pa.int64())
        elif each.name == "import_id":
            columns["import_id"] = pa.array([1] * len(rows), pa.int64())
        else:
            made = text.get(each.name)
            columns[each.name] = pa.array([made(*row) if made else None for row in rows], pa.string())
    return pa.table(columns)


def _import(rows: int) -> pa.Table:
    return pa.table(
        {
            "import_id": [1],
            "fichier": ["synthetique.csv"],
            "sha256": ["0" * 64],
            "source": ["balances"],
            "date": ["2024-01-01T00:00:00Z"],
            "lignes": [rows * 90],
            "budgets": [rows],
        }
    )
