"""Learn and explain 5 million rows × 60 variables on 2 cores, against the plain calls of the library.

    python benchmarks/detection.py --rows 500000

Both learn the same boosting on the same matrix; ours adds checks of leaks, calibration, thresholds, fingerprints. Then
each explains the alerts of one month, as a list does. Times are seconds of the wall and of the processor; memory is the
peak of each in a process of its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np

VARIABLES, MONTHS = 60, 24


def matrix(rows: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return variables and a target of one row in a hundred, that a tenth of them foretell."""
    random = np.random.default_rng(seed)
    values = random.standard_normal((rows, VARIABLES), dtype=np.float32)
    score = values[:, :6].sum(axis=1) * 0.6 + values[:, 0] * values[:, 1] * 0.4
    chance = 1 / (1 + np.exp(-(score - np.quantile(score, 0.985))))
    return values, (random.random(rows) < chance * 0.4).astype(np.int8)


def ours(rows: int, trees: int) -> dict[str, float]:
    """Build parts, learn, and explain one month's alerts."""
    from workbench.signaux_faibles.detection import Boosting, Declaration, Variable, Windows, explain, split, train
    from workbench.signaux_faibles.detection.dataset import Dataset

    values, target = matrix(rows)
    companies = np.arange(rows, dtype=np.int32) // MONTHS
    names = np.char.mod("8%08d", np.arange(companies.max() + 1)).astype(object)
    periodes = np.datetime64("2018-01", "M") + np.arange(rows) % MONTHS
    declaration = Declaration("banc", tuple(Variable(f"v{place}", "effectif") for place in range(VARIABLES)), horizon=3)
    dataset = Dataset(
        declaration, companies, names, names[companies], periodes, values, target, np.zeros(rows, dtype=bool)
    )
    clock = _Clock()
    windows = Windows(("2018-01", "2019-06"), ("2019-09", "2020-01"))
    parts = split(dataset, windows, shares=(0.9, 0.05, 0.05))
    clock.lap("parts")
    detector = train(parts, Boosting(trees=trees))
    clock.lap("learn")
    month = dataset.between("2019-12", "2020-01")
    probabilities = detector.probabilities(month)
    clock.lap("predict")
    alerts = month.take(probabilities >= detector.thresholds.moderate)
    explanation = explain(detector, alerts)
    clock.lap("explain")
    return clock.laps | {"rows learnt": len(parts.train), "rows explained": len(explanation)}


def plain(rows: int, trees: int) -> dict[str, float]:
    """Learn from nine companies in ten until a month, predict and explain a later one, by LightGBM alone."""
    import lightgbm

    values, target = matrix(rows)
    companies, months = np.arange(rows) // MONTHS, np.arange(rows) % MONTHS
    chosen = (np.random.default_rng(0).random(companies.max() + 1) < 0.9)[companies] & (months < 17)
    learnt = int(chosen.sum())
    clock = _Clock()
    parameters = {
        "objective": "binary", "learning_rate": 0.03, "num_leaves": 15, "min_data_in_leaf": 60, "lambda_l2": 5.0,
        "feature_fraction": 0.4, "bagging_fraction": 0.8, "bagging_freq": 1, "num_threads": 2, "verbose": -1,
    }  # fmt: skip
    booster = lightgbm.train(parameters, lightgbm.Dataset(values[chosen], label=target[chosen]), trees)
    clock.lap("learn")
    month = values[months == MONTHS - 1]
    probabilities = booster.predict(month)
    clock.lap("predict")
    alerts = month[np.argsort(-probabilities)[: max(1, len(month) // 20)]]
    booster.predict(alerts, pred_contrib=True)
    clock.lap("explain")
    return clock.laps | {"rows learnt": learnt, "rows explained": len(alerts)}


class _Clock:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def lap(self, name: str) -> None:
        wall, processor = time.perf_counter(), time.process_time()
        self.laps |= {f"{name}, wall": wall - self._wall, f"{name}, processor": processor - self._processor}
        self._wall, self._processor = time.perf_counter(), time.process_time()


def _measured(work: Callable[[int, int], dict[str, float]], rows: int, trees: int, answers: Any) -> None:
    found = work(rows, trees)
    answers.put(found | {"memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--trees", type=int, default=350)
    asked = parser.parse_args()
    # Threads that wait actively on shared processors would be what is measured, of whichever runs beside others.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    context = multiprocessing.get_context("spawn")
    for work in (ours, plain):
        answers = context.Queue()
        process = context.Process(target=_measured, args=(work, asked.rows, asked.trees, answers))
        process.start()
        print(work.__name__)
        for name, value in answers.get().items():
            print(f"  {name:<22} {value:12.1f}")
        process.join()


if __name__ == "__main__":
    main()
