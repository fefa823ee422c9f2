"""Evaluation of trames: plan, kernel, results, explanations."""

from workbench.evaluation.evaluate import OF_THE_TRAME, evaluate, evaluate_each
from workbench.evaluation.explain import Explanation, explain
from workbench.evaluation.results import IndicateurTable, Provenance

__all__ = ["OF_THE_TRAME", "Explanation", "IndicateurTable", "Provenance", "evaluate", "evaluate_each", "explain"]
