"""What people see of a detector: its measures as tables, its curves and its reasons as charts."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from plotly.graph_objs._figure import Figure

from workbench.display import facts, remark, view
from workbench.frames import ShownFrame
from workbench.numbers import NO_BREAK, format_number
from workbench.reports.charts import ALERT, COLOURS, Chart, blank_figure
from workbench.signaux_faibles.detection import (
    Dataset,
    Detector,
    Evaluation,
    Level,
    compare_lists,
    read_level,
    read_list,
)
from workbench.signaux_faibles.detection.card import LEARNERS, MEASURES
from workbench.signaux_faibles.detection.columns import THEMES
from workbench.signaux_faibles.detection.evaluation import variable_stability
from workbench.signaux_faibles.detection.explanations import explain
from workbench.signaux_faibles.detection.metrics import Ranked
from workbench.signaux_faibles.detection.sentences import sentences

__all__ = [
    "Shown",
    "calibration_chart",
    "curves_chart",
    "drift_table",
    "groups_table",
    "measures_table",
    "origin_table",
    "reasons",
    "stability_table",
    "summary",
    "themes_chart",
    "waterfall_chart",
]

MOST_EXPLAINED = 2_000
"""Companies in alert that themes are averaged over."""


class Shown:
    """A piece of a page, and its words where there is no page."""

    def __init__(self, html: str, text: str) -> None:
        self.html, self.text = html, text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def _pairs(pairs: list[tuple[str, object]]) -> Shown:
    return Shown(view(facts(pairs)), "\n".join(f"{name} : {value}" for name, value in pairs))


def _percent(value: float) -> str:
    return f"{format_number(100 * value, 1)}{NO_BREAK}%"


def _theme(name: str) -> str:
    return THEMES[name][0] if name in THEMES else name


def summary(detector: Detector, test: Dataset) -> Shown:
    """Say which model is judged, and on what."""
    return _pairs(
        [
            ("Modèle", f"{LEARNERS.get(detector.kind, detector.kind)}, {len(detector.declaration.given)} variables"),
            ("Horizon", f"{detector.declaration.horizon} mois"),
            ("Lignes jugées", format_number(len(test))),
            ("Défaillances", format_number(test.positives)),
            ("Mois", f"{test.periodes.min()} à {test.periodes.max()}"),
            ("Risque fort", f"à partir de {_percent(detector.thresholds.high)}"),
            ("Risque modéré", f"à partir de {_percent(detector.thresholds.moderate)}"),
        ]
    )


def measures_table(evaluation: Evaluation) -> ShownFrame:
    """Show each measure with its interval, with and without strong signals."""
    rows = []
    for name, title in MEASURES.items():
        found = evaluation.measures[evaluation.measures["mesure"] == name].set_index("perimetre")
        cells = [_interval(found.loc[scope]) for scope in ("sans signaux forts", "avec signaux forts")]
        rows.append((title, *cells))
    return ShownFrame(rows, columns=["mesure", "sans signaux forts", "avec signaux forts"])


def _interval(row: Any) -> str:
    value = format_number(row["valeur"], 3)
    return (
        value
        if math.isnan(row["bas"])
        else f"{value} [{format_number(row['bas'], 3)} ; {format_number(row['haut'], 3)}]"
    )


def groups_table(evaluation: Evaluation) -> ShownFrame:
    """Show how good the detector is in each sector, size and region; a measure without meaning is left empty."""
    names = ("average_precision", "roc_auc", "rappel_fort", "precision_modere", "rappel_modere")
    if evaluation.groups.empty:
        return ShownFrame(columns=["critère", "groupe", "lignes", "défaillances"])
    keys = ["critere", "groupe", "lignes", "defaillances"]
    wide = evaluation.groups.pivot_table(index=keys, columns="mesure", values="valeur", dropna=False, observed=True)
    wide = wide.reindex(columns=list(names)).dropna(how="all").reset_index()
    for name in names:
        wide[name] = [format_number(value, 3) for value in wide[name]]
    titles = {"critere": "critère", "defaillances": "défaillances", **{name: MEASURES[name] for name in names}}
    return ShownFrame(wide.rename(columns=titles).rename_axis(columns=None))


def _chart(figure: Figure, description: str) -> Chart:
    figure.update_layout(meta={"description": description}, hovermode="closest")
    return Chart(figure)


def curves_chart(detector: Detector, test: Dataset) -> Chart:
    """Draw precision against recall, without strong signals, and where both thresholds stand."""
    weak = test.take(~test.strong & (test.target >= 0))
    ranked = Ranked(detector.probabilities(weak), weak.target)
    steps = np.unique(ranked.probabilities)[::-1]
    steps = steps[np.unique(np.linspace(0, len(steps) - 1, 300).astype(int))]
    figure = blank_figure("Précision et rappel", "", "sans signaux forts")
    points = [(100 * ranked.recall(step), 100 * ranked.precision(step)) for step in steps.tolist()]
    figure.add_scatter(
        x=[point[0] for point in points], y=[point[1] for point in points], mode="lines", name="tous les seuils",
        line={"color": COLOURS[0], "width": 2.5},
    )  # fmt: skip
    told = []
    for level, threshold, colour in (
        (Level.HIGH, detector.thresholds.high, ALERT),
        (Level.MODERATE, detector.thresholds.moderate, COLOURS[1]),
    ):
        recall, precision = 100 * ranked.recall(threshold), 100 * ranked.precision(threshold)
        figure.add_scatter(
            x=[recall], y=[precision], mode="markers", name=level.title, marker={"size": 12, "color": colour}
        )  # fmt: skip
        told.append(f"{level.title} : précision {format_number(precision, 1)} %, rappel {format_number(recall, 1)} %.")
    figure.update_xaxes(type="linear", title="rappel (%)", range=[0, 100])
    figure.update_yaxes(title="précision (%)", range=[0, 100])
    return _chart(figure, "Graphique : précision selon le rappel. " + " ".join(told))


def calibration_chart(evaluation: Evaluation) -> Chart:
    """Draw the failures that came against those that were foreseen."""
    curve = evaluation.curve
    figure = blank_figure("Défaillances prévues et observées", f"{NO_BREAK}%", "par classes d'autant de lignes")
    top = 100 * float(max(curve["prevu"].max(), curve["haut"].max()))
    figure.add_scatter(x=[0, top], y=[0, top], mode="lines", name="juste", line={"color": COLOURS[5], "dash": "dash"})
    figure.add_scatter(
        x=100 * curve["prevu"],
        y=100 * curve["observe"],
        error_y={
            "type": "data",
            "array": 100 * (curve["haut"] - curve["observe"]),
            "arrayminus": 100 * (curve["observe"] - curve["bas"]),
        },
        mode="markers",
        name="observé",
        marker={"size": 9, "color": COLOURS[0]},
    )
    figure.update_xaxes(type="linear", title="prévu (%)")
    last = curve.iloc[-1]
    return _chart(
        figure,
        f"Graphique : part de défaillances prévue et observée ; dans la classe la plus exposée, "
        f"{_percent(float(last['prevu']))} prévus, {_percent(float(last['observe']))} observés.",
    )


def _alerts(detector: Detector, test: Dataset) -> Dataset:
    """Return the rows in alert, the highest first; the highest row of all when none is."""
    probabilities = detector.probabilities(test)
    order = np.argsort(-probabilities, kind="stable")
    inside = int(np.count_nonzero(probabilities >= detector.thresholds.moderate))
    return test.take(order[: min(max(inside, 1), MOST_EXPLAINED)])


def themes_chart(detector: Detector, test: Dataset) -> Chart:
    """Draw what each theme brings to the companies in alert, on average."""
    explanation = explain(detector, _alerts(detector, test))
    means = 100 * explanation.by_theme.mean(axis=0)
    names = [_theme(each) for each in detector.declaration.themes]
    figure = blank_figure("Ce qui pèse sur les entreprises en alerte", f"{NO_BREAK}points", "moyenne par thème")
    figure.add_bar(x=names, y=means, marker={"color": COLOURS[0]}, showlegend=False)
    told = ", ".join(f"{name} {format_number(mean, 1)}" for name, mean in zip(names, means.tolist(), strict=True))
    return _chart(figure, f"Graphique : points de probabilité par thème, en moyenne : {told}.")


def waterfall_chart(detector: Detector, test: Dataset) -> Chart:
    """Draw how the company of the highest risk comes to its probability, theme after theme."""
    highest = _alerts(detector, test).take(np.arange(1))
    explanation = explain(detector, highest)
    steps = explanation.waterfall(0)
    names = ["départ", *(_theme(each.name) for each in steps[1:-1]), "probabilité"]
    figure = blank_figure(
        "De la moyenne à une entreprise", f"{NO_BREAK}%", f"{highest.entities[0]}, {highest.periodes[0]}"
    )
    figure.add_waterfall(
        x=names,
        y=[100 * (each.end - each.start) for each in steps],
        measure=["absolute", *["relative"] * (len(steps) - 2), "total"],
        increasing={"marker": {"color": ALERT}},
        decreasing={"marker": {"color": COLOURS[2]}},
        totals={"marker": {"color": COLOURS[0]}},
        showlegend=False,
    )
    told = ", ".join(
        f"{name} {format_number(100 * (each.end - each.start), 1)}" for name, each in zip(names, steps, strict=True)
    )
    return _chart(figure, f"Graphique : de la moyenne à la probabilité, en points : {told}.")


def reasons(detector: Detector, test: Dataset) -> Shown:
    """Say why the company of the highest risk is in alert."""
    explanation = explain(detector, _alerts(detector, test).take(np.arange(1)))
    said = [str(each) for each in sentences(explanation, 0)]
    return Shown(view(*(remark(each) for each in said)), "\n".join(said))


def stability_table(before: Dataset, now: Dataset, *, most: int = 12) -> ShownFrame:
    """Show the variables that moved the most between two populations."""
    found = variable_stability(before, now).head(most)
    rows = [
        (
            row["variable"],
            _theme(row["theme"]),
            format_number(row["stabilite"], 3),
            *map(_percent, row.iloc[3:].tolist()),
        )
        for _, row in found.iterrows()
    ]
    return ShownFrame(rows, columns=["variable", "thème", "stabilité", "absents à l'apprentissage", "absents au test"])


def _levels(path: str | Path) -> dict[str, tuple[float, int]]:
    table, _ = read_list(path)
    entities, probabilities, levels = (table.column(name).to_pylist() for name in _columns(table))
    return {
        entity: (probability, read_level(level).rank)
        for entity, probability, level in zip(entities, probabilities, levels, strict=True)
    }


def _columns(table: Any) -> tuple[str, str, str]:
    return table.column_names[0], "probabilite", "alerte"


def drift_table(now: str | Path, before: str | Path) -> ShownFrame | Shown:
    """Show what moved between two lists (parquet); says so where there are not two."""
    if not now or not before:
        return Shown(view(remark("Il n'y a pas deux listes à comparer.")), "Il n'y a pas deux listes à comparer.")
    drift = compare_lists(_levels(before), _levels(now)).to_json()
    rows = [
        (name.replace("_", " "), format_number(value, 3 if name == "stabilite" else 0)) for name, value in drift.items()
    ]
    return ShownFrame(rows, columns=["depuis la liste précédente", "nombre ou indice"])


def origin_table(detector: Detector) -> ShownFrame:
    """Show what the model was learnt from, with what, and their fingerprints."""
    origin = detector.origin
    rows = [
        ("modèle", detector.fingerprint),
        ("batch", origin.batch or "non dit"),
        ("état des données", origin.snapshot or "non dit"),
    ]
    rows += [("logiciel", origin.code), ("graine", str(origin.seed))]
    rows += [(name, version) for name, version in origin.libraries.items()]
    rows += [(name, str(value)) for name, value in detector.parameters.items()]
    for name, part in origin.data.items():
        rows.append((f"{name} : mois", f"{part.get('debut', '')} à {part.get('fin', '')}"))
        rows.append((f"{name} : empreinte", str(part.get("empreinte", ""))))
    return ShownFrame(pd.DataFrame(rows, columns=["quoi", "valeur"]))
