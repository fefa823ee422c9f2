"""Learning from more rows than a machine holds: executors read the parquet, derive the variables, grow the forest.

Rows are made ready by the same code as anywhere (`build_dataset`), some companies at a time: a derived variable looks
at its own company alone. What is learnt from stays on the executors, whose driver receives its medians (exact), a
sample for the checks of leaks and the deciles, and the whole of validation and test: where these are large too, ask for
smaller shares of companies. The same rows give the same forest, trees and all, as learnt from a matrix of the driver.

Failures are drawn again (``sampling``) by weighing them, not by repeating rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.columns import Declaration
from workbench.signaux_faibles.detection.dataset import Dataset, Perimetre, Source, build_dataset, companies_of
from workbench.signaux_faibles.detection.detector import MOST_ROWS, Detector, Origin, finished, references
from workbench.signaux_faibles.detection.learners import Learner, SparkForest
from workbench.signaux_faibles.detection.parts import Parts, Windows, check_parts, check_shares, part_numbers
from workbench.signaux_faibles.detection.source import CSV, columns_read

__all__ = ["learn_on_executors", "rows_on_executors"]

PART, ENTITY, MONTH, TARGET, STRONG = "partie", "entite", "mois", "cible", "fort"

EPOCH = np.datetime64("1970-01", "M")


def rows_on_executors(source: Source, declaration: Declaration, learner: Learner, fits: int) -> Sequence[str | Path]:
    """Return the paths that executors can read by themselves; none where the driver has to hold the rows.

    It does so for a table in memory, a CSV, a search of parameters, equal rows that are one company, and categories.
    """
    from_memory = isinstance(source, pa.Table | pd.DataFrame)
    if not isinstance(learner, SparkForest) or from_memory or fits or not declaration.entity:
        return ()
    paths = [source] if isinstance(source, str | Path) else list(source)
    if any(str(path).lower().endswith(CSV) for path in paths) or any(each.category for each in declaration.variables):
        return ()
    return paths


@dataclass(frozen=True)
class _Ready:
    """Rows made ready for a forest; travels to the executors."""

    declaration: Declaration
    perimetre: Perimetre | None
    windows: Windows
    shares: tuple[float, float, float]
    seed: int

    @property
    def groups(self) -> list[str]:
        return [f"g{place}" for place in range(len(self.declaration.groups))]

    @property
    def names(self) -> list[str]:
        return [f"v{place}" for place in range(len(self.declaration.given))]

    @property
    def schema(self) -> pa.Schema:
        marks = [(PART, pa.int8()), (ENTITY, pa.string()), ("entreprise", pa.string()), (MONTH, pa.int32())]
        return pa.schema(
            [
                ("refus", pa.string()),
                *marks,
                (TARGET, pa.int8()),
                (STRONG, pa.bool_()),
                *((name, pa.string()) for name in self.groups),
                *((name, pa.float32()) for name in self.names),
            ]
        )

    def __call__(self, table: pa.Table) -> pa.Table:
        try:
            dataset = build_dataset(table, self.declaration, perimetre=self.perimetre)
        except WorkbenchError as error:
            # Other companies may be in the perimeter; the driver says so if none is.
            if error.code == "detection_vide":
                return self.schema.empty_table()
            said = json.dumps({"code": error.code, "details": {k: str(v) for k, v in error.details.items()}})
            return pa.Table.from_pylist([{"refus": said}], schema=self.schema)
        places = part_numbers(dataset, self.windows, self.shares, self.seed)
        dataset, places = dataset.take(places >= 0), places[places >= 0]
        groups = [dataset.groups.get(name, np.full(len(dataset), None)) for name in self.declaration.groups]
        columns = [
            pa.nulls(len(dataset), pa.string()),
            pa.array(places),
            pa.array(dataset.entities, pa.string()),
            pa.array(dataset.names[dataset.companies], pa.string()),
            pa.array((dataset.periodes - EPOCH).astype(np.int32)),
            pa.array(dataset.target),
            pa.array(dataset.strong),
            *(pa.array(labels, pa.string()) for labels in groups),
            *(pa.array(np.ascontiguousarray(column)) for column in dataset.matrix.T),
        ]
        return pa.table(columns, schema=self.schema)

    def dataset(self, table: pa.Table) -> Dataset:
        """Read rows that came to the driver."""
        entities = table.column(ENTITY).to_numpy().astype(object)
        companies, names = companies_of(entities)
        matrix = np.empty((len(entities), len(self.names)), dtype=np.float32)
        for place, name in enumerate(self.names):
            matrix[:, place] = table.column(name).to_numpy()
        labels = {
            name: table.column(column).to_numpy().astype(object)
            for name, column in zip(self.declaration.groups, self.groups, strict=True)
            if table.column(column).null_count < len(entities)
        }
        return Dataset(
            self.declaration,
            companies,
            names,
            entities,
            EPOCH + table.column(MONTH).to_numpy().astype("m8[M]"),
            matrix,
            table.column(TARGET).to_numpy(),
            table.column(STRONG).to_numpy(),
            labels,
        )


def learn_on_executors(
    paths: Sequence[str | Path],
    declaration: Declaration,
    windows: Windows,
    learner: SparkForest,
    *,
    perimetre: Perimetre | None,
    shares: tuple[float, float, float],
    sampling: float | None,
    seed: int,
    origin: Origin,
    allowed: tuple[str, ...] = (),
) -> tuple[Detector, Parts]:
    """Learn a forest from parquet that the executors read.

    Parameters
    ----------
    paths
        Files or folders, which the driver and the executors reach by the same names.
    declaration, windows, perimetre, shares, sampling, seed, origin, allowed
        See `workbench.signaux_faibles.detection.runs.learn`.
    learner
        Where it computes, and how.

    Returns
    -------
    tuple of (Detector, Parts)
        The learning part is a sample.

    Raises
    ------
    WorkbenchError
        As `build_dataset`, `check_parts` and `train` do; ``requete_refusee`` when Spark fails.
    """
    from workbench.engines.spark_rows import SparkRows

    check_shares(shares)
    ready = _Ready(declaration, perimetre, windows, shares, seed)
    columns = _columns(paths, declaration, around=perimetre is not None)
    key = declaration.column(declaration.entity)
    with SparkRows(learner.master or None, paths, columns, key, ready, ready.schema) as rows:
        if rows.refusal is not None:
            said = json.loads(rows.refusal)
            raise WorkbenchError(said["code"], **said["details"])
        twice = rows.on_two_sides("entreprise", PART)
        if twice:
            raise WorkbenchError(
                "detection_fuite_siren", nombre=len(twice), un="une part", autre="une autre", exemple=twice[0]
            )
        train = rows.where(**{PART: 0})
        about = rows.described(train, TARGET, "entreprise", MONTH)
        size, positives = int(about["rows"]), int(about["marked"] or 0)
        keys = (ENTITY, MONTH)
        some = ready.dataset(rows.taken(train, keys, one_in=max(1, size // MOST_ROWS)))
        failing = ready.dataset(rows.taken(train.where(f"{TARGET} = 1"), keys, one_in=max(1, positives // MOST_ROWS)))
        others = [ready.dataset(rows.taken(rows.where(**{PART: number}), keys)) for number in (1, 2)]
        sample = some if size <= MOST_ROWS else _joined(some.take(some.target != 1), failing)
        parts = Parts(sample, *others)
        check_parts(parts, windows, allowed=allowed)
        medians = rows.medians(train, ready.names)
        weight = 1.0
        if sampling is not None and positives < sampling * size:
            weight = sampling * (size - positives) / ((1 - sampling) * positives)
        model = learner.fit_frame(
            train.select(*ready.names, TARGET), ready.names, size, medians, weight=weight, seed=seed
        )
    detector = finished(
        parts,
        learner,
        model,
        encodings={},
        deciles=references(some),
        described=_described(about, declaration, parts),
        sampling=sampling,
        seed=seed,
        grid=None,
        origin=origin,
    )
    return detector, parts


def _columns(paths: Sequence[str | Path], declaration: Declaration, *, around: bool) -> list[str]:
    required, perhaps = columns_read(declaration, around=around)
    present: set[str] = set()
    for path in paths:
        try:
            found = pyarrow.dataset.dataset(str(path), format="parquet", partitioning="hive")
        except (OSError, pa.ArrowException) as error:
            detail = str(error).splitlines()[0]
            raise WorkbenchError("fichier_illisible", fichier=str(path), detail=detail) from error
        present |= set(found.schema.names)
    missing = [name for name in required if name not in present]
    if missing:
        raise WorkbenchError("detection_colonnes", colonnes=", ".join(missing), declaration=declaration.name)
    return [*required, *(name for name in perhaps if name in present)]


def _joined(one: Dataset, other: Dataset) -> Dataset:
    entities = np.concatenate([one.entities, other.entities])
    companies, names = companies_of(entities)
    periodes, matrix, target, strong = (
        np.concatenate([getattr(one, name), getattr(other, name)])
        for name in ("periodes", "matrix", "target", "strong")
    )
    return Dataset(one.declaration, companies, names, entities, periodes, matrix, target, strong)


def _described(about: dict[str, Any], declaration: Declaration, parts: Parts) -> dict[str, Any]:
    """Say of what was learnt from what a card shows, and hold it to the time of the test."""
    first, last = (EPOCH + np.timedelta64(int(about[name]), "M") for name in ("first", "last"))
    horizon = declaration.horizon
    begins = parts.test.periodes.min()
    if declaration.periode and last + horizon >= begins:
        raise WorkbenchError("detection_fuite_temps", partie="l'apprentissage", fin=last, horizon=horizon, debut=begins)
    told = f"{about['rows']} {about['sum']} {about['xor']}"
    return {
        "lignes": int(about["rows"]),
        "defaillances": int(about["marked"] or 0),
        "entreprises": int(about["keys"]),
        "debut": str(first),
        "fin": str(last),
        "empreinte": f"lignes-{sha256(told.encode()).hexdigest()}",
    }
