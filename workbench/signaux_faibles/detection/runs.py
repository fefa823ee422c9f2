"""Learning and judging from tables, each in one call: what the commands and the notebook of a list do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.columns import Declaration
from workbench.signaux_faibles.detection.dataset import Dataset, Perimetre, Source, build_dataset
from workbench.signaux_faibles.detection.detector import Detector, Origin, train
from workbench.signaux_faibles.detection.evaluation import Evaluation, evaluate
from workbench.signaux_faibles.detection.french import french_declaration
from workbench.signaux_faibles.detection.learners import Boosting, Learner, SparkForest
from workbench.signaux_faibles.detection.parts import SHARES, Parts, Windows, split
from workbench.signaux_faibles.detection.search import Trial, search
from workbench.signaux_faibles.detection.spark_learning import learn_on_executors, rows_on_executors

__all__ = ["demonstration", "judge", "learn", "parts_of"]


def learn(
    source: Source,
    declaration: Declaration,
    windows: Windows,
    *,
    learner: Learner | None = None,
    perimetre: Perimetre | None = None,
    shares: tuple[float, float, float] = SHARES,
    sampling: float | None = None,
    fits: int = 0,
    seed: int = 0,
    batch: str = "",
    snapshot: str = "",
    allowed: tuple[str, ...] = (),
) -> tuple[Detector, Parts, list[Trial]]:
    """Learn a detector from a table.

    Parameters
    ----------
    source, declaration, perimetre
        See `workbench.signaux_faibles.detection.dataset.build_dataset`.
    windows, shares, allowed
        See `workbench.signaux_faibles.detection.parts.split`.
    learner
        A boosting by default.
    sampling
        See `workbench.signaux_faibles.detection.detector.train`.
    fits
        Budget of a search of parameters on what is learnt from; 0 keeps those of the learner.
    seed
        Of all that is drawn.
    batch, snapshot
        What the table was made from, written on the detector.

    Returns
    -------
    tuple of (Detector, Parts, list of Trial)
        What was tried is empty without a search.
    """
    chosen: Learner = Boosting() if learner is None else learner
    origin = Origin(batch=batch, snapshot=snapshot, windows=_asked_for(windows, shares, allowed, perimetre))
    paths = rows_on_executors(source, declaration, chosen, fits)
    if paths and isinstance(chosen, SparkForest):
        detector, parts = learn_on_executors(
            paths,
            declaration,
            windows,
            chosen,
            perimetre=perimetre,
            shares=shares,
            sampling=sampling,
            seed=seed,
            origin=origin,
            allowed=allowed,
        )
        return detector, parts, []
    dataset = build_dataset(source, declaration, perimetre=perimetre)
    parts = split(dataset, windows, shares=shares, seed=seed, allowed=allowed)
    del dataset
    trials = search(parts.train, chosen, fits=fits, seed=seed) if fits else []
    found = trials[0].learner if trials else chosen
    return train(parts, found, sampling=sampling, seed=seed, origin=origin), parts, trials


def _asked_for(
    windows: Windows, shares: tuple[float, float, float], allowed: tuple[str, ...], perimetre: Perimetre | None
) -> dict[str, Any]:
    return {
        "apprentissage": list(windows.train),
        "validation": list(windows.validation or windows.train),
        "test": list(windows.test),
        "connu": windows.known_until,
        "parts": list(shares),
        "admises": list(allowed),
        "perimetre": None if perimetre is None else asdict(perimetre),
    }


def _asked(detector: Detector) -> Mapping[str, Any]:
    asked = detector.origin.windows
    if not asked:
        raise WorkbenchError("detection_modele", detail="il ne dit pas sur quelles fenêtres il a été appris")
    return asked


def parts_of(detector: Detector, source: Source, *, test: tuple[str, str] | None = None) -> Parts:
    """Part a table as the detector's was, or with other months for the test.

    Raises
    ------
    WorkbenchError
        Those of `split`; ``detection_modele`` for a detector that does not say how it was learnt.
    """
    asked = _asked(detector)
    around = asked["perimetre"]
    perimetre = None
    if around is not None:
        perimetre = Perimetre(around["effectif"], tuple(around["activities"]), tuple(around["categories"]))
    dataset = build_dataset(source, detector.declaration, perimetre=perimetre)
    train_, validation, tested = (tuple(asked[name]) for name in ("apprentissage", "validation", "test"))
    windows = Windows(train_, test or tested, validation, None if test else asked["connu"])
    shares = tuple(asked["parts"])
    return split(dataset, windows, shares=shares, seed=detector.origin.seed, allowed=tuple(asked["admises"]))


def judge(
    detector: Detector, source: Source, *, test: tuple[str, str] | None = None, draws: int = 200
) -> tuple[Evaluation, Dataset]:
    """Evaluate a detector on companies that it never saw, in the months of its test or in later ones.

    Parameters
    ----------
    detector
        Made by `learn`: it says how its table was parted.
    source
        The table it was learnt from, or the same with later months.
    test
        Other months: from one to before another.
    draws
        Of the bootstrap.

    Returns
    -------
    tuple of (Evaluation, Dataset)
        And the rows it was judged on.
    """
    parts = parts_of(detector, source, test=test)
    return evaluate(detector, parts.test, draws=draws), parts.test


def demonstration(companies: int = 500, *, seed: int = 0) -> tuple[Detector, pa.Table]:
    """Learn a small detector from fictitious companies: to try everything without data.

    Returns
    -------
    tuple of (Detector, pyarrow.Table)
        And its table.
    """
    from workbench.signaux_faibles.detection.demonstration import companies_table

    table = pa.Table.from_pandas(companies_table(companies, seed=seed), preserve_index=False)
    windows = Windows(("2018-01", "2019-07"), ("2021-02", "2021-06"), known_until="2023-01")
    learner = Boosting(trees=100, rate=0.06)
    detector, _, _ = learn(
        table, french_declaration(), windows, learner=learner, perimetre=Perimetre(), seed=seed, batch="2301"
    )
    return detector, table
