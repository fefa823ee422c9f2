"""Evaluation of trames: plan, kernel, results, explanations."""

from workbench.evaluation.alone import explain_each
from workbench.evaluation.apart import evaluate_apart
from workbench.evaluation.contributions import contributions
from workbench.evaluation.each import evaluate_each, evaluate_each_batches
from workbench.evaluation.evaluate import OF_THE_TRAME, evaluate
from workbench.evaluation.explain import Explanation, explain
from workbench.evaluation.preview import Preview, preview
from workbench.evaluation.results import IndicateurTable, Provenance
from workbench.evaluation.sinks import write_each
from workbench.evaluation.strates import StrateTable, rank_each_batches, strates

__all__ = [
    "OF_THE_TRAME",
    "Explanation",
    "IndicateurTable",
    "Preview",
    "Provenance",
    "StrateTable",
    "contributions",
    "evaluate",
    "evaluate_apart",
    "evaluate_each",
    "evaluate_each_batches",
    "explain",
    "explain_each",
    "preview",
    "rank_each_batches",
    "strates",
    "write_each",
]
