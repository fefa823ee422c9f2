"""A detector: a model, its calibration, its thresholds, and where all of it comes from. Learnt, saved, read back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from workbench.atomic import replacing
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.calibration import LEAST_SLOPE, Calibration, fit_calibration
from workbench.signaux_faibles.detection.columns import Declaration
from workbench.signaux_faibles.detection.dataset import Dataset
from workbench.signaux_faibles.detection.encodings import Encoding, encoded, learn_encodings
from workbench.signaux_faibles.detection.learners import Boosting, Learner, Model, model_from_json
from workbench.signaux_faibles.detection.parts import Parts, resample
from workbench.signaux_faibles.detection.thresholds import Thresholds, find_thresholds

__all__ = ["DECILES", "Detector", "Origin", "load_detector", "save_detector", "train"]

FORMAT = "workbench-detection-1"

DECILES = tuple(each / 10 for each in range(1, 10))
"""Of each variable, kept with the model: what a company is compared with, and what drift is measured from."""


MOST_ROWS = 200_000
"""Rows that deciles are taken from: evenly spaced, they are within a hundredth of those of all."""


@dataclass(frozen=True)
class Origin:
    """Where a detector comes from: enough to learn it again.

    Parameters
    ----------
    batch, snapshot
        What was delivered, and the state of the history that variables were made from.
    code
        Version of this software.
    seed
        Of all that is drawn.
    data
        By part (``apprentissage``, ``validation``, ``test``): rows, failures, months, fingerprint.
    windows, sampling
        As they were asked for.
    libraries
        Versions of what learnt.
    """

    batch: str = ""
    snapshot: str = ""
    code: str = ""
    seed: int = 0
    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    windows: Mapping[str, Any] = field(default_factory=dict)
    sampling: float | None = None
    libraries: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Detector:
    """What gives a company its probability and its level.

    Parameters
    ----------
    declaration
        What a table must hold.
    kind, parameters
        Of the learner.
    model, calibration, thresholds
        As learnt.
    references
        By variable, the deciles of what was learnt from, those absent left out.
    origin
        Where it comes from.
    encodings
        By variable of a category, the shares learnt.
    """

    declaration: Declaration
    kind: str
    parameters: Mapping[str, Any]
    model: Model
    calibration: Calibration
    thresholds: Thresholds
    references: Mapping[str, tuple[float, ...]]
    origin: Origin
    encodings: Mapping[str, Encoding] = field(default_factory=dict)

    def probabilities(self, dataset: Dataset) -> np.ndarray:
        """Return the calibrated probability of each row.

        Raises
        ------
        WorkbenchError
            ``detection_modele`` for a dataset of other variables.
        """
        self.check(dataset)
        return self.calibration.probabilities(self.model.scores(encoded(dataset, self.encodings).matrix))

    def check(self, dataset: Dataset) -> None:
        """Refuse a dataset of other variables, or in another order."""
        wanted = [each.name for each in self.declaration.given]
        if wanted != [each.name for each in dataset.declaration.given]:
            raise WorkbenchError(
                "detection_modele", detail="il a été appris sur d'autres variables que celles de la table"
            )

    @cached_property
    def fingerprint(self) -> str:
        """What tells two detectors apart: SHA-256 of what they would say, wherever they come from."""
        said = {name: part for name, part in self.to_json().items() if name != "origine"}
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return what `load_detector` reads, as plain values."""
        return {
            "format": FORMAT,
            "declaration": self.declaration.to_json(),
            "sorte": self.kind,
            "parametres": dict(self.parameters),
            "modele": self.model.to_json(),
            "calibrage": self.calibration.to_json(),
            "seuils": self.thresholds.to_json(),
            "reperes": {name: list(deciles) for name, deciles in self.references.items()},
            "origine": asdict(self.origin),
            # Left out where there are none: the fingerprints of the first models stay theirs.
            **(
                {"encodages": {name: each.to_json() for name, each in self.encodings.items()}} if self.encodings else {}
            ),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Detector:
        """Read what `to_json` gives."""
        if content.get("format") != FORMAT:
            raise WorkbenchError("detection_modele", detail="ce n'est pas un modèle de détection de ce logiciel")
        try:
            return cls(
                Declaration.from_json(content["declaration"]),
                str(content["sorte"]),
                dict(content["parametres"]),
                model_from_json(content["modele"]),
                Calibration.from_json(content["calibrage"]),
                Thresholds(float(content["seuils"]["fort"]), float(content["seuils"]["modere"])),
                {name: tuple(map(float, deciles)) for name, deciles in content["reperes"].items()},
                Origin(**content["origine"]),
                {name: Encoding.from_json(each) for name, each in content.get("encodages", {}).items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise WorkbenchError("detection_modele", detail=f"le fichier est incomplet ou abîmé ({error})") from error


def train(
    parts: Parts,
    learner: Learner | None = None,
    *,
    sampling: float | None = None,
    seed: int = 0,
    grid: int | None = None,
    origin: Origin | None = None,
) -> Detector:
    """Learn a detector.

    The model learns from `parts.train`; probabilities are calibrated and thresholds found on `parts.validation`, in its
    natural share of failures; `parts.test` is only described.

    Parameters
    ----------
    parts
        Made by `workbench.signaux_faibles.detection.parts.split`, which refuses leaks.
    learner
        A boosting by default.
    sampling
        Share of failures that rows are drawn again for (0.35 in 2024); None learns from the rows as they are.
    seed
        Of all that is drawn: the same rows and seed give the same detector.
    grid
        See `workbench.signaux_faibles.detection.thresholds.find_thresholds`.
    origin
        What is known of the data; the rest is filled in.

    Returns
    -------
    Detector

    Raises
    ------
    WorkbenchError
        ``detection_sans_valeur`` for a model that says nothing of validation; ``extra_absent`` without the libraries.
    """
    chosen: Learner = Boosting() if learner is None else learner
    encodings, seen = learn_encodings(parts.train, seed=seed)
    rows = seen if sampling is None else resample(seen, sampling, seed=seed)
    signs = tuple(each.sign for each in parts.train.declaration.given)
    model = chosen.fit(rows.matrix, rows.target, signs=signs, seed=seed)
    return finished(
        parts,
        chosen,
        model,
        encodings=encodings,
        deciles=references(encoded(parts.train, encodings)),
        described=describe(parts.train),
        sampling=sampling,
        seed=seed,
        grid=grid,
        origin=origin,
    )


def finished(
    parts: Parts,
    learner: Learner,
    model: Model,
    *,
    encodings: Mapping[str, Encoding],
    deciles: Mapping[str, tuple[float, ...]],
    described: Mapping[str, Any],
    sampling: float | None,
    seed: int,
    grid: int | None,
    origin: Origin | None,
) -> Detector:
    """Make a detector of a model: calibration and thresholds, on validation.

    Parameters
    ----------
    parts
        Its learning part may be a sample of what was learnt from.
    learner, model, encodings
        What learnt, and what was learnt.
    deciles, described
        Of what was learnt from: see `references` and `describe`.
    sampling, seed, grid, origin
        See `train`.
    """
    scores = model.scores(encoded(parts.validation, encodings).matrix)
    calibration = fit_calibration(scores, parts.validation.target, model.space)
    if calibration.slope <= LEAST_SLOPE:
        raise WorkbenchError(
            "detection_sans_valeur", lignes=len(parts.validation), defaillances=parts.validation.positives
        )
    thresholds = find_thresholds(calibration.probabilities(scores), parts.validation.target, grid=grid)
    others = {"validation": parts.validation, "test": parts.test}
    known = replace(
        origin or Origin(),
        code=_version("workbench"),
        seed=seed,
        sampling=sampling,
        data={"apprentissage": described, **{name: describe(part) for name, part in others.items()}},
        libraries={name: _version(name) for name in ("lightgbm", "scikit-learn", "numpy")},
    )
    parameters = asdict(learner)  # type: ignore[call-overload]
    return Detector(
        parts.train.declaration,
        learner.kind,
        parameters,
        model,
        calibration,
        thresholds,
        deciles,
        known,
        encodings,
    )


def describe(part: Dataset) -> dict[str, Any]:
    """Say of a part what a card shows: rows, failures, companies, months, fingerprint."""
    if not len(part):
        return {"lignes": 0, "defaillances": 0}
    return {
        "lignes": len(part),
        "defaillances": part.positives,
        "entreprises": len(np.unique(part.companies)),
        "debut": str(part.periodes.min()),
        "fin": str(part.periodes.max()),
        "empreinte": part.fingerprint(),
    }


def references(dataset: Dataset) -> dict[str, tuple[float, ...]]:
    """Return the deciles of each variable, the absent values left out; of `MOST_ROWS` rows at the most."""
    found = {}
    matrix = dataset.matrix
    if len(matrix) > MOST_ROWS:
        matrix = matrix[np.linspace(0, len(matrix) - 1, MOST_ROWS).astype(np.int64)]
    for place, each in enumerate(dataset.declaration.given):
        known = matrix[:, place]
        known = known[~np.isnan(known)]
        found[each.name] = tuple(map(float, np.quantile(known, DECILES))) if len(known) else ()
    return found


def _version(name: str) -> str:
    if name == "workbench":
        import workbench

        return workbench.__version__
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def save_detector(detector: Detector, path: str | Path) -> Path:
    """Write a detector as one file of JSON: reading it executes nothing.

    Raises
    ------
    WorkbenchError
        ``requete_ecriture`` where it cannot be written.
    """
    target = Path(path)
    try:
        with replacing(target) as partial:
            partial.write_text(
                json.dumps(detector.to_json(), ensure_ascii=False, allow_nan=False, indent=1), encoding="utf-8"
            )
    except OSError as error:
        raise WorkbenchError("requete_ecriture", chemin=str(target), cause=error.strerror) from error
    return target


def load_detector(path: str | Path) -> Detector:
    """Read a detector.

    Raises
    ------
    WorkbenchError
        ``fichier_illisible``, ``detection_modele``.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise WorkbenchError("fichier_illisible", fichier=str(path), detail=str(error)) from error
    except ValueError as error:
        raise WorkbenchError("detection_modele", detail=f"ce n'est pas du JSON ({error})") from error
    if not isinstance(content, dict):
        raise WorkbenchError("detection_modele", detail="ce n'est pas un modèle de détection de ce logiciel")
    return Detector.from_json(content)
