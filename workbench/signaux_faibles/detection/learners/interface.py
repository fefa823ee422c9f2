"""What a learner and a model are, for those who use them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Protocol

import numpy as np

from workbench.errors import WorkbenchError

__all__ = ["THREADS", "Learner", "Model", "learner_named", "model_from_json", "parameters_checked"]

THREADS = 2
"""Threads by default; the result is the same with any number."""


class Model(Protocol):
    """What was learnt: a score a row, and what each variable brings to it."""

    @property
    def space(self) -> str:
        """What a score is: ``log-odds``, or ``probability`` for a forest, whose score is the mean of its trees."""
        ...

    def scores(self, values: np.ndarray) -> np.ndarray:
        """Return the score of each row, float64, before calibration; `values` is float32, absent values NaN."""
        ...

    def contributions(self, values: np.ndarray) -> tuple[np.ndarray, float]:
        """Return SHAP values, float64, a row a row and a column a variable, and the score that they start from.

        The sum of a row's and of the start is its score, to the rounding.
        """
        ...

    def to_json(self) -> dict[str, Any]:
        """Return what `model_from_json` reads: plain values, and a text for trees."""
        ...


class Learner(Protocol):
    """How to learn; its fields are the parameters that a card shows."""

    kind: ClassVar[str]

    def fit(self, values: np.ndarray, target: np.ndarray, *, signs: tuple[int, ...], seed: int = 0) -> Model:
        """Learn.

        Parameters
        ----------
        values
            float32, absent values NaN.
        target
            0 or 1.
        signs
            Of the variables: see `workbench.signaux_faibles.detection.columns.Variable`.
        seed
            Of whatever is drawn.
        """
        ...


@contextmanager
def parameters_checked(kind: str) -> Iterator[None]:
    """Say what a library refuses of the parameters given to it.

    Raises
    ------
    WorkbenchError
        ``detection_modele``.
    """
    try:
        yield
    except (TypeError, ValueError, OverflowError) as error:
        raise WorkbenchError("detection_modele", detail=f"paramètre refusé du modèle {kind} ({error})") from error


def learner_named(kind: str, parameters: Mapping[str, Any] | None = None) -> Learner:
    """Return a learner: ``boosting``, ``forest``, ``spark_forest`` or ``logistic``, with some of its parameters.

    Raises
    ------
    WorkbenchError
        ``detection_modele`` for a name or a parameter that is not known.

    Examples
    --------
    >>> learner_named("forest", {"trees": 10}).trees
    10
    """
    from workbench.signaux_faibles.detection.learners.boosting import Boosting
    from workbench.signaux_faibles.detection.learners.forest import Forest
    from workbench.signaux_faibles.detection.learners.logistic import Logistic
    from workbench.signaux_faibles.detection.learners.spark_forest import SparkForest

    kinds: dict[str, Any] = {each.kind: each for each in (Boosting, Forest, SparkForest, Logistic)}
    if kind not in kinds:
        raise WorkbenchError(
            "detection_modele", detail=f"modèle inconnu : {kind} (connus : {', '.join(sorted(kinds))})"
        )
    try:
        learner: Learner = kinds[kind](**(parameters or {}))
    except TypeError as error:
        raise WorkbenchError("detection_modele", detail=f"paramètre inconnu du modèle {kind} ({error})") from error
    return learner


def model_from_json(content: Mapping[str, Any]) -> Model:
    """Read a model that `Model.to_json` gave.

    Raises
    ------
    WorkbenchError
        ``detection_modele``.
    """
    from workbench.signaux_faibles.detection.learners.logistic import LinearModel
    from workbench.signaux_faibles.detection.learners.trees import TreeModel

    kinds: dict[str, Any] = {"arbres": TreeModel, "lineaire": LinearModel}
    kind = content.get("forme")
    if kind not in kinds:
        raise WorkbenchError("detection_modele", detail=f"forme de modèle inconnue : {kind}")
    model: Model = kinds[kind].from_json(content)
    return model
