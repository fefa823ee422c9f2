"""A table made ready for models: companies as numbers, months, a matrix of variables, the target where it is known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.columns import Declaration
from workbench.signaux_faibles.detection.derive import derive
from workbench.signaux_faibles.detection.source import Source, read_table
from workbench.signaux_faibles.detection.values import categories_of, marks_of, months_of, numbers_of, texts_of
from workbench.signaux_faibles.effectifs import CATEGORIES

__all__ = ["Dataset", "Perimetre", "Source", "build_dataset", "companies_of", "draw", "month"]

SIZES = (10.0, 20.0, 50.0, 250.0)
"""Classes of a group of numbers by default: the usual ones of employees."""

LARGEST = float(np.finfo(np.float32).max)

_PLACED = np.zeros(0)
"""Stands for a column that is in the matrix already."""

SHOWN = 3
"""Companies that an error names."""


@dataclass(frozen=True)
class Perimetre:
    """Which rows a model speaks of (specification 6.1); what the declaration has no column for decides nothing.

    Parameters
    ----------
    effectif
        Employees from which a company is looked at.
    activities
        Beginnings of the activities left out: codes (84 administration, 85 teaching) and sections (O, P).
    categories
        Legal categories left out.
    """

    effectif: float = 10
    activities: tuple[str, ...] = ("84", "85", "O", "P")
    categories: tuple[str, ...] = CATEGORIES


@dataclass(frozen=True)
class Dataset:
    """Rows ready for a model.

    Parameters
    ----------
    declaration
        What they were built from.
    companies
        int32: number of the company of each row in `names`.
    names
        The companies' identifiers: SIREN, sorted.
    entities
        The key of each row as the table gives it: SIREN or SIRET.
    periodes
        datetime64[M].
    matrix
        float32, one row a row, one column a variable given to the model; absent values are NaN.
    target
        int8: 1 the event comes within the horizon, 0 it does not, -1 not known.
    strong
        Rows that the event has reached already (strong signals): evident, and not to be learnt from.
    groups
        Texts by name of group.
    categories
        By variable of a category, the texts that its numbers in the matrix stand for (see `encodings`).
    """

    declaration: Declaration
    companies: np.ndarray
    names: np.ndarray
    entities: np.ndarray
    periodes: np.ndarray
    matrix: np.ndarray
    target: np.ndarray
    strong: np.ndarray
    groups: Mapping[str, np.ndarray] = field(default_factory=dict)
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.companies)

    @property
    def positives(self) -> int:
        """How many rows have the target."""
        return int(np.count_nonzero(self.target == 1))

    def take(self, rows: np.ndarray) -> Dataset:
        """Return some rows: a mask, or numbers of rows, repeated perhaps."""
        return replace(
            self,
            companies=self.companies[rows],
            entities=self.entities[rows],
            periodes=self.periodes[rows],
            matrix=self.matrix[rows],
            target=self.target[rows],
            strong=self.strong[rows],
            groups={name: labels[rows] for name, labels in self.groups.items()},
        )

    def between(self, start: str | np.datetime64, end: str | np.datetime64) -> Dataset:
        """Return the rows of the months from `start` to before `end`."""
        return self.take((self.periodes >= month(start)) & (self.periodes < month(end)))

    def fingerprint(self) -> str:
        """Return the SHA-256 of keys, months, values and targets, whatever the order of the rows."""
        digest = hashlib.sha256(repr([each.name for each in self.declaration.given]).encode())
        # Each text is compared once, not each row's: a company has as many rows as months.
        codes, names = pd.factorize(self.entities)
        places = np.empty(len(names), dtype=np.int64)
        places[np.argsort(names, kind="stable")] = np.arange(len(names))
        order = np.lexsort((self.periodes, places[codes]))
        entities = "\n".join(self.entities[order].tolist())
        digest.update(entities.encode())
        for part in (self.periodes.astype(np.int64), self.target):
            digest.update(np.ascontiguousarray(part[order]).tobytes())
        present = self._categories_present()
        for name, (texts, _) in present.items():
            digest.update("\n".join((name, *texts)).encode())
        for start in range(0, len(order), 100_000):
            # One zero and one NaN, whatever the sums that made them.
            block = self.matrix[order[start : start + 100_000]] + np.float32(0)
            for place, each in enumerate(self.declaration.given):
                if each.name in present:
                    known = ~np.isnan(block[:, place])
                    block[known, place] = present[each.name][1][block[known, place].astype(np.int64)]
            block[np.isnan(block)] = np.nan
            digest.update(block.tobytes())
        return digest.hexdigest()

    def _categories_present(self) -> dict[str, tuple[list[str], np.ndarray]]:
        """Return, by variable, the categories that rows have, and their ranks by number.

        Those of rows left out do not count.
        """
        found = {}
        for place, each in enumerate(self.declaration.given):
            texts = self.categories.get(each.name)
            if texts is not None:
                column = self.matrix[:, place]
                numbers = np.unique(column[~np.isnan(column)]).astype(np.int64)
                ranks = np.zeros(len(texts), dtype=np.float32)
                ranks[numbers] = np.arange(len(numbers))
                found[each.name] = ([texts[number] for number in numbers], ranks)
        return found

    def __repr__(self) -> str:
        return f"Dataset({self.declaration.name!r}, {len(self)} rows, {self.positives} positives)"


def draw(names: np.ndarray, seed: int) -> np.ndarray:
    """Return a number in [0, 1[ for each company, the same for the same SIREN and seed for ever.

    Examples
    --------
    >>> draw(np.array(["800000001", "800000002"], dtype=object), seed=1).round(6).tolist()
    [0.371118, 0.472194]
    """
    hashes = pd.util.hash_array(np.asarray(names, dtype=object), hash_key=f"{seed:016d}"[-16:], categorize=False)
    return hashes.astype(np.float64) / 2.0**64


def month(value: Any) -> np.datetime64:
    """Return a month: of a text such as « 2016-01 » or « 2016-01-31 », or of a date.

    Raises
    ------
    WorkbenchError
        ``detection_mois``.

    Examples
    --------
    >>> month("2016-01-31")
    np.datetime64('2016-01')
    """
    try:
        return np.datetime64(value, "M") if not isinstance(value, str) else np.datetime64(value[:10]).astype("M8[M]")
    except ValueError as error:
        raise WorkbenchError("detection_mois", valeur=value) from error


def build_dataset(source: Source, declaration: Declaration, *, perimetre: Perimetre | None = None) -> Dataset:
    """Build a dataset from a table.

    Parameters
    ----------
    source
        An Arrow table, a DataFrame, or the paths of parquet files or folders, or of CSV files.
    declaration
        What it holds. Without `target`, `til` nor `event`, the target of each row is -1.
    perimetre
        Which rows are kept; derived variables look at all the others as well. None keeps all.

    Raises
    ------
    WorkbenchError
        ``detection_colonnes`` for columns that are absent, ``detection_doublons`` for a company met twice in a
        month, ``detection_fuite_variable`` for a variable that knows the future, ``detection_valeurs`` for a column
        that holds no numbers, ``detection_vide`` when no row is left, ``fichier_illisible``.

    Examples
    --------
    >>> from workbench.signaux_faibles.detection.columns import Variable
    >>> table = pa.table({"siren": ["800000001", "800000002"], "periode": ["2020-01", "2020-01"],
    ...                   "dette": [0.0, None], "til": [30, 4]})
    >>> declaration = Declaration("essai", (Variable("dette", "dette_urssaf", default=0.0),), til="til")
    >>> dataset = build_dataset(table, declaration)
    >>> dataset.target.tolist(), dataset.matrix[:, 0].tolist()
    ([0, 1], [0.0, 0.0])
    """
    target = (declaration.target, declaration.til, declaration.event, declaration.strong, declaration.known)
    forbidden = {*target, *declaration.future} - {""}
    leaking = [each.name for each in declaration.variables if forbidden & {each.name, *each.of}]
    if leaking:
        raise WorkbenchError("detection_fuite_variable", variables=", ".join(leaking))
    table = read_table(source, declaration, around=perimetre is not None)
    if not table.num_rows:
        raise WorkbenchError("detection_vide", cause="la table n'a aucune ligne")
    values = np.empty((table.num_rows, len(declaration.given)), dtype=np.float32)
    columns, categories = _columns(table, declaration, values)
    periodes = _months(table, declaration)
    if declaration.entity:
        entities = texts_of(table, declaration.column(declaration.entity))
        companies, names = companies_of(entities)
    else:
        companies, names = _equal_rows(columns)
        entities = names[companies]
    rows, twice = _unique(entities, periodes, alone=bool(declaration.entity))
    if twice:
        raise WorkbenchError("detection_doublons", nombre=len(twice), exemples=", ".join(twice[:SHOWN]))
    months = periodes.astype(np.int64)
    missing = tuple(each for each in declaration.variables if each.name not in columns)
    derive(columns, missing, companies if not declaration.entity else rows, months)
    for place, each in enumerate(declaration.given):
        _place(values, place, columns.pop(each.name), each.default)
    marks, strong = _target(table, declaration, months)
    present = [
        name for name in declaration.groups if declaration.column(declaration.groups[name]) in table.column_names
    ]
    groups = {name: _labels(table, declaration, name) for name in present}
    dataset = Dataset(declaration, companies, names, entities, periodes, values, marks, strong, groups, categories)
    kept = _kept(table, declaration, perimetre) if perimetre is not None else None
    if kept is not None:
        dataset = dataset.take(kept)
        if not len(dataset):
            raise WorkbenchError("detection_vide", cause="aucune ligne n'est dans le périmètre")
    return dataset


def _columns(
    table: pa.Table, declaration: Declaration, values: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, tuple[str, ...]]]:
    """Read the columns; those that nothing is derived from go straight to the matrix, half as heavy."""
    columns: dict[str, np.ndarray] = {}
    categories: dict[str, tuple[str, ...]] = {}
    present = set(table.column_names)
    kept = {name for each in declaration.variables if each.operation for name in each.of}
    places = {each.name: place for place, each in enumerate(declaration.given)}
    for each in declaration.variables:
        if each.category:
            found, categories[each.name] = categories_of(table, declaration.column(each.category))
        elif not each.operation or declaration.column(each.name) in present:
            found = numbers_of(table, declaration.column(each.name), each.default)
        else:
            continue
        if each.name in places and each.name not in kept and declaration.entity:
            _place(values, places[each.name], found, each.default)
            found = _PLACED
        columns[each.name] = found
    return columns, categories


def _place(values: np.ndarray, place: int, column: np.ndarray, default: float | None) -> None:
    if column is _PLACED:
        return
    filled = column if default is None else np.where(np.isnan(column), default, column)
    values[:, place] = np.clip(filled, -LARGEST, LARGEST)


def _months(table: pa.Table, declaration: Declaration) -> np.ndarray:
    if not declaration.periode:
        return np.zeros(table.num_rows, dtype="M8[M]")
    return months_of(table, declaration.column(declaration.periode), required=True)


def companies_of(entities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of each row's company, and the companies' identifiers, sorted: SIRET are of their SIREN."""
    keys: Iterable[str] = (key[:9] if len(key) == 14 and key.isdigit() else key for key in entities)
    codes, names = pd.factorize(np.fromiter(keys, dtype=object, count=len(entities)), sort=True)
    return codes.astype(np.int32), np.asarray(names, dtype=object)


def _equal_rows(columns: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Number the rows whose variables are all equal alike."""
    hashes = pd.util.hash_pandas_object(pd.DataFrame(columns), index=False).to_numpy()
    codes, names = pd.factorize(hashes, sort=True)
    return codes.astype(np.int32), np.array([f"{int(each):016x}" for each in names], dtype=object)


def _unique(entities: np.ndarray, periodes: np.ndarray, *, alone: bool) -> tuple[np.ndarray, list[str]]:
    """Number the entities, and name those met twice in a month."""
    codes, names = pd.factorize(entities)
    if not alone:
        return codes, []
    twice = pd.DataFrame({"entity": codes, "periode": periodes.astype(np.int64)}).duplicated().to_numpy()
    return codes, sorted({str(names[code]) for code in codes[twice]})


def _target(table: pa.Table, declaration: Declaration, months: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the target (-1 where it is not known), and which rows the event has reached: theirs is 1."""
    target, left = np.full(len(months), -1, dtype=np.int8), np.full(len(months), np.nan)
    if declaration.til:
        left = numbers_of(table, declaration.column(declaration.til), None)
    elif declaration.event:
        dates = months_of(table, declaration.column(declaration.event), required=False)
        left = np.where(np.isnat(dates), np.nan, dates.astype(np.int64) - months).astype(np.float64)
    strong = left <= 0
    if declaration.strong:
        strong |= marks_of(table, declaration.column(declaration.strong)) == 1
    if declaration.target:
        target = marks_of(table, declaration.column(declaration.target))
    elif declaration.til or declaration.event:
        target = (left <= declaration.horizon).astype(np.int8)
    target[strong] = 1
    if declaration.known:
        target[marks_of(table, declaration.column(declaration.known)) != 1] = -1
    return target, strong


def _labels(table: pa.Table, declaration: Declaration, name: str) -> np.ndarray:
    column = table.column(declaration.column(declaration.groups[name]))
    # A CSV holds texts alone: what a variable is made of is a number there too.
    counted = declaration.groups[name] in {declaration.effectif, *(each.name for each in declaration.variables)} - {""}
    kind = column.type
    if counted or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = numbers_of(table, declaration.column(declaration.groups[name]), None)
        limits = declaration.bounds.get(name, SIZES)
        between = [f"{low:g} à {high:g}" for low, high in pairwise(limits)]
        labels = np.array([f"moins de {limits[0]:g}", *between, f"{limits[-1]:g} et plus"], dtype=object)
        known = labels[np.searchsorted(np.asarray(limits), np.nan_to_num(numbers), side="right")]
        return np.where(np.isnan(numbers), "non connu", known)
    return np.asarray(pc.fill_null(column.cast(pa.string()), "non connu").to_numpy(), dtype=object)


def _kept(table: pa.Table, declaration: Declaration, perimetre: Perimetre) -> np.ndarray:
    kept = np.ones(table.num_rows, dtype=bool)
    if declaration.effectif:
        kept &= numbers_of(table, declaration.column(declaration.effectif), 0.0) >= perimetre.effectif
    if declaration.active:
        column = table.column(declaration.column(declaration.active))
        marks = column if pa.types.is_boolean(column.type) else pc.equal(column.cast(pa.string()), "A")
        kept &= pc.fill_null(marks, False).to_numpy().astype(bool)
    for name, beginnings in (("activite", perimetre.activities), ("categorie", perimetre.categories)):
        if getattr(declaration, name) and beginnings:
            texts = pc.fill_null(table.column(declaration.column(getattr(declaration, name))).cast(pa.string()), "")
            kept &= ~pd.Series(texts.to_numpy()).str.startswith(tuple(beginnings)).to_numpy().astype(bool)
    return kept
