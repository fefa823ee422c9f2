"""What the operator looks at first: few lines, in French, and what is not as it should be."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from workbench.numbers import format_number

__all__ = ["overview", "requests_by_route", "warnings_by_logger"]

DAY = 86400.0

LINES: tuple[tuple[str, str, str, Callable[[float], str], Callable[[float], str]], ...] = (
    ("Rapports en attente", "workbench_jobs", "state=pending", format_number, lambda _: ""),
    (
        "Attente du plus ancien",
        "workbench_oldest_waiting_job_seconds",
        "",
        lambda n: f"{format_number(n / 60, 1)} min",
        lambda n: "aucun travailleur ne les prend ?" if n > 900 else "",
    ),
    ("Rapports en cours", "workbench_jobs", "state=running", format_number, lambda _: ""),
    ("Rapports en échec", "workbench_jobs", "state=failed", format_number, lambda _: ""),
    ("Noyaux ouverts", "workbench_kernels", "state=used", format_number, lambda _: ""),
    (
        "Mémoire du plus gros noyau",
        "workbench_kernel_memory_most_bytes",
        "state=used",
        lambda n: f"{format_number(n / 1e6)} Mo",
        lambda n: "un agent prend plus de 2 Go" if n > 2e9 else "",
    ),
    (
        "Âge de la base comptable",
        "workbench_import_age_seconds",
        "base=base",
        lambda n: f"{format_number(n / DAY, 1)} j",
        lambda n: "plus d'un an sans import" if n > 366 * DAY else "",
    ),
    (
        "Âge de l'historique des entreprises",
        "workbench_import_age_seconds",
        "base=historique",
        lambda n: f"{format_number(n / DAY, 1)} j",
        lambda n: "plus d'un mois sans batch" if n > 40 * DAY else "",
    ),
    (
        "Envois en quarantaine",
        "workbench_uploads",
        "state=quarantined",
        format_number,
        lambda n: "à reprendre : workbench upload replay" if n else "",
    ),
    (
        "Place libre pour le registre",
        "workbench_free_bytes",
        "place=registre",
        lambda n: f"{format_number(n / 1e9, 1)} Go",
        lambda n: "moins de 5 Go" if n < 5e9 else "",
    ),
)


def overview(measures: pd.DataFrame) -> pd.DataFrame:
    """Return the lines of the first look.

    Parameters
    ----------
    measures
        What `workbench.watching.measures` gives.

    Returns
    -------
    pandas.DataFrame
        ``quoi``, ``valeur``, ``attention``; what was not measured has no line, and a part that failed has one.

    Examples
    --------
    >>> table = pd.DataFrame([("workbench_uploads", "state=quarantined", 2.0)], columns=["metric", "labels", "value"])
    >>> overview(table)["attention"].tolist()
    ['à reprendre : workbench upload replay']
    """
    known = {(metric, labels): value for metric, labels, value in measures.itertuples(index=False)}
    rows = [
        (said, shown(known[metric, labels]), alert(known[metric, labels]))
        for said, metric, labels, shown, alert in LINES
        if (metric, labels) in known
    ]
    rows += [
        ("Mesure impossible", labels.removeprefix("part="), "voir le journal du service")
        for (metric, labels), value in known.items()
        if metric == "workbench_unmeasured" and value
    ]
    return pd.DataFrame(rows, columns=["quoi", "valeur", "attention"])


def requests_by_route(measures: pd.DataFrame) -> pd.DataFrame:
    """Return, by service and route, how many requests were answered and their mean duration in milliseconds.

    Examples
    --------
    >>> rows = [(f"workbench_request_seconds_{each}", "route=/,service=tableaux", 2.0) for each in ("count", "sum")]
    >>> requests_by_route(pd.DataFrame(rows, columns=["metric", "labels", "value"]))["millisecondes"].tolist()
    [1000.0]
    """
    parts = {
        name: measures[measures["metric"] == f"workbench_request_seconds_{name}"].set_index("labels")["value"]
        for name in ("count", "sum")
    }
    table = pd.DataFrame({"requetes": parts["count"], "millisecondes": 1000 * parts["sum"] / parts["count"]})
    return table.sort_values("requetes", ascending=False).round({"millisecondes": 1})


def warnings_by_logger(events: pd.DataFrame) -> pd.DataFrame:
    """Return how many warnings and errors each part wrote, and the last of each.

    Examples
    --------
    >>> events = pd.DataFrame({"time": [1, 2], "level": ["info", "error"], "logger": ["a", "b"], "message": ["x", "y"]})
    >>> warnings_by_logger(events)["lignes"].tolist()
    [1]
    """
    kept = events[events["level"].isin(["warning", "error", "critical"])].sort_values("time")
    grouped = kept.groupby(["logger", "level"])
    return grouped.agg(lignes=("message", "size"), derniere=("message", "last"), quand=("time", "last"))
