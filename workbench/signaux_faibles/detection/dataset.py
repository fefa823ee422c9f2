"""A table made ready for models: companies as numbers, months, a matrix of variables, the target where it is known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.columns import Declaration
from workbench.signaux_faibles.detection.derive import derive
from workbench.signaux_faibles.effectifs import CATEGORIES

__all__ = ["Dataset", "Perimetre", "build_dataset", "month"]

Source: TypeAlias = "pa.Table | pd.DataFrame | str | Path | Sequence[str | Path]"

SIZES = (10.0, 20.0, 50.0, 250.0)
"""Classes of a group of numbers by default: the usual ones of employees."""

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
        order = np.lexsort((self.periodes, self.entities))
        entities = "\n".join(self.entities[order].tolist())
        digest.update(entities.encode())
        for part in (self.periodes.astype(np.int64), self.target):
            digest.update(np.ascontiguousarray(part[order]).tobytes())
        for start in range(0, len(order), 100_000):
            # One zero and one NaN, whatever the sums that made them.
            block = self.matrix[order[start : start + 100_000]] + np.float32(0)
            block[np.isnan(block)] = np.nan
            digest.update(block.tobytes())
        return digest.hexdigest()

    def __repr__(self) -> str:
        return f"Dataset({self.declaration.name!r}, {len(self)} rows, {self.positives} positives)"


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
        An Arrow table, a DataFrame, or the paths of parquet files or folders.
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
    table = _table(source, declaration, around=perimetre is not None)
    if not table.num_rows:
        raise WorkbenchError("detection_vide", cause="la table n'a aucune ligne")
    columns = {
        each.name: _numbers(table, declaration.column(each.name), each.default)
        for each in declaration.variables
        if not each.operation or declaration.column(each.name) in table.column_names
    }
    periodes = _months(table, declaration)
    if declaration.entity:
        entities = _texts(table, declaration.column(declaration.entity))
        companies, names = _companies(entities)
    else:
        companies, names = _equal_rows(columns)
        entities = names[companies]
    rows, twice = _unique(entities, periodes, alone=bool(declaration.entity))
    if twice:
        raise WorkbenchError("detection_doublons", nombre=len(twice), exemples=", ".join(twice[:SHOWN]))
    months = periodes.astype(np.int64)
    missing = tuple(each for each in declaration.variables if each.name not in columns)
    derive(columns, missing, companies if not declaration.entity else rows, months)
    values = np.empty((len(companies), len(declaration.given)), dtype=np.float32)
    largest = float(np.finfo(np.float32).max)
    for place, each in enumerate(declaration.given):
        column = columns[each.name]
        column = np.where(np.isnan(column), np.nan if each.default is None else each.default, column)
        values[:, place] = np.clip(column, -largest, largest)
    marks, strong = _target(table, declaration, months)
    present = [
        name for name in declaration.groups if declaration.column(declaration.groups[name]) in table.column_names
    ]
    groups = {name: _labels(table, declaration, name) for name in present}
    dataset = Dataset(declaration, companies, names, entities, periodes, values, marks, strong, groups)
    kept = _kept(table, declaration, perimetre) if perimetre is not None else None
    if kept is not None:
        dataset = dataset.take(kept)
        if not len(dataset):
            raise WorkbenchError("detection_vide", cause="aucune ligne n'est dans le périmètre")
    return dataset


def _table(source: Source, declaration: Declaration, *, around: bool) -> pa.Table:
    perimetre = ("effectif", "activite", "categorie", "active") if around else ()
    wanted = {
        *(each.name for each in declaration.variables if not each.operation),
        *(getattr(declaration, name) for name in ("entity", "periode", "target", "til", "event", "strong", "known")),
        *(getattr(declaration, name) for name in perimetre),
    } - {""}
    required = sorted({declaration.column(name) for name in wanted})
    perhaps = {*declaration.groups.values(), *(each.name for each in declaration.variables if each.operation)}
    names = sorted({*required, *map(declaration.column, perhaps)})
    if isinstance(source, pa.Table):
        table = source
    elif isinstance(source, pd.DataFrame):
        present = [name for name in names if name in source.columns]
        table = pa.Table.from_pandas(source[present], preserve_index=False)
    else:
        table = _read(source, names)
    missing = [name for name in required if name not in table.column_names]
    if missing:
        raise WorkbenchError("detection_colonnes", colonnes=", ".join(missing), declaration=declaration.name)
    return table.select([name for name in names if name in table.column_names])


def _read(source: str | Path | Sequence[str | Path], names: list[str]) -> pa.Table:
    import pyarrow.dataset

    paths = [source] if isinstance(source, str | Path) else list(source)
    try:
        parts = [pyarrow.dataset.dataset(str(path), format="parquet", partitioning="hive") for path in paths]
        return pa.concat_tables(
            [part.to_table(columns=[name for name in names if name in part.schema.names]) for part in parts],
            promote_options="permissive",
        )
    except (OSError, pa.ArrowException) as error:
        raise WorkbenchError("fichier_illisible", fichier=", ".join(map(str, paths)), detail=str(error)) from error


def _numbers(table: pa.Table, name: str, default: float | None) -> np.ndarray:
    column = table.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)):
        if not (pa.types.is_boolean(column.type) or pa.types.is_null(column.type)):
            raise WorkbenchError("detection_valeurs", colonne=name, type=str(column.type))
        column = column.cast(pa.int8())
    numbers: np.ndarray = column.cast(pa.float64(), safe=False).to_numpy()
    # Infinite ratios are ratios to nothing: not known.
    absent = ~np.isfinite(numbers)
    if absent.any():
        numbers = np.where(absent, np.nan if default is None else default, numbers)
    return numbers


def _texts(table: pa.Table, name: str) -> np.ndarray:
    texts = table.column(name).cast(pa.string())
    if texts.null_count:
        raise WorkbenchError("detection_vide", cause=f"la colonne {name} a {texts.null_count} valeur(s) absente(s)")
    found: np.ndarray = texts.to_numpy().astype(object)
    return found


def _months(table: pa.Table, declaration: Declaration) -> np.ndarray:
    if not declaration.periode:
        return np.zeros(table.num_rows, dtype="M8[M]")
    return _dates(table, declaration.column(declaration.periode), required=True)


def _dates(table: pa.Table, name: str, *, required: bool) -> np.ndarray:
    column = table.column(name)
    if required and column.null_count:
        raise WorkbenchError("detection_vide", cause=f"la colonne {name} a {column.null_count} valeur(s) absente(s)")
    if pa.types.is_integer(column.type):
        # Years: the first of January.
        years = pc.fill_null(column.cast(pa.int64()), 0).to_numpy()
        dates = (years - 1970).astype("M8[Y]").astype("M8[M]")
        dates[column.is_null().to_numpy()] = np.datetime64("NaT")
        found: np.ndarray = dates
        return found
    try:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            found = column.to_numpy().astype("M8[D]").astype("M8[M]")
        else:
            found = column.cast(pa.timestamp("us"), safe=False).to_numpy().astype("M8[M]")
    except (ValueError, pa.ArrowException) as error:
        raise WorkbenchError("detection_valeurs", colonne=name, type=str(column.type)) from error
    return found


def _companies(entities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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
        left = _numbers(table, declaration.column(declaration.til), None)
    elif declaration.event:
        dates = _dates(table, declaration.column(declaration.event), required=False)
        left = np.where(np.isnat(dates), np.nan, dates.astype(np.int64) - months).astype(np.float64)
    strong = left <= 0
    if declaration.strong:
        strong |= _marks(table, declaration, declaration.strong) == 1
    if declaration.target:
        target = _marks(table, declaration, declaration.target)
    elif declaration.til or declaration.event:
        target = (left <= declaration.horizon).astype(np.int8)
    target[strong] = 1
    if declaration.known:
        target[_marks(table, declaration, declaration.known) != 1] = -1
    return target, strong


def _marks(table: pa.Table, declaration: Declaration, name: str) -> np.ndarray:
    marks = _numbers(table, declaration.column(name), None)
    if not np.isin(marks[~np.isnan(marks)], (0, 1)).all():
        raise WorkbenchError("detection_valeurs", colonne=name, type="autre chose que 0 et 1")
    return np.where(np.isnan(marks), -1, marks).astype(np.int8)


def _labels(table: pa.Table, declaration: Declaration, name: str) -> np.ndarray:
    column = table.column(declaration.column(declaration.groups[name]))
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        numbers = _numbers(table, declaration.column(declaration.groups[name]), None)
        limits = declaration.bounds.get(name, SIZES)
        between = [f"{low:g} à {high:g}" for low, high in pairwise(limits)]
        labels = np.array([f"moins de {limits[0]:g}", *between, f"{limits[-1]:g} et plus"], dtype=object)
        known = labels[np.searchsorted(np.asarray(limits), np.nan_to_num(numbers), side="right")]
        return np.where(np.isnan(numbers), "non connu", known)
    return np.asarray(pc.fill_null(column.cast(pa.string()), "non connu").to_numpy(), dtype=object)


def _kept(table: pa.Table, declaration: Declaration, perimetre: Perimetre) -> np.ndarray:
    kept = np.ones(table.num_rows, dtype=bool)
    if declaration.effectif:
        kept &= _numbers(table, declaration.column(declaration.effectif), 0.0) >= perimetre.effectif
    if declaration.active:
        column = table.column(declaration.column(declaration.active))
        marks = column if pa.types.is_boolean(column.type) else pc.equal(column.cast(pa.string()), "A")
        kept &= pc.fill_null(marks, False).to_numpy().astype(bool)
    for name, beginnings in (("activite", perimetre.activities), ("categorie", perimetre.categories)):
        if getattr(declaration, name) and beginnings:
            texts = pc.fill_null(table.column(declaration.column(getattr(declaration, name))).cast(pa.string()), "")
            kept &= ~pd.Series(texts.to_numpy()).str.startswith(tuple(beginnings)).to_numpy().astype(bool)
    return kept
