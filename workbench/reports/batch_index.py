"""The index of a batch: one page, sortable, that opens without network and without a server.

Each line leads to its files and shows a few indicateurs of its last exercice. A value far from the others is flagged:
its distance to the median is more than `FAR` times the usual one (the median of these distances, scaled as a standard
deviation), which a few extreme values do not disturb. It is a place to look at, not a fault.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from statistics import median
from urllib.parse import quote

from workbench.atomic import replacing
from workbench.errors import WorkbenchError
from workbench.reports.jobs import Batch, Job
from workbench.reports.jobs_tables import JobState
from workbench.reports.numbers import format_number, format_value, typeset
from workbench.trames import Indicateur, load_trame

__all__ = ["outliers", "write_index"]

FAR = 3.5
SCALE = 1.4826
"""What makes a median of distances comparable to a standard deviation."""

FEWEST = 8
"""Values under which nothing is far from the others."""

KINDS = {"excel": "Excel", "html": "page", "pdf": "PDF", "notebook": "notebook", "echec": "notebook en échec"}


def outliers(values: Mapping[str, float]) -> dict[str, int]:
    """Say which values are far from the others.

    Parameters
    ----------
    values
        Values by name.

    Returns
    -------
    dict
        1 for what is far above, -1 for what is far below; other names are left out.

    Notes
    -----
    Modified z-score of Iglewicz and Hoaglin (1993).

    Examples
    --------
    >>> outliers({str(place): value for place, value in enumerate([10, 11, 9, 10, 12, 11, 10, 95, 9])})
    {'7': 1}
    """
    if len(values) < FEWEST:
        return {}
    middle = median(values.values())
    usual = SCALE * median(abs(value - middle) for value in values.values())
    if not usual:
        return {}
    return {name: 1 if value > middle else -1 for name, value in values.items() if abs(value - middle) > FAR * usual}


def write_index(batch: Batch, jobs: Sequence[Job], to: Path) -> Path:
    """Write the index of a batch.

    Parameters
    ----------
    batch, jobs
        The batch, and its jobs in order.
    to
        The page, replaced in one step.
    """
    indicateurs = _indicateurs(jobs)
    shown = [indicateurs.get(code, Indicateur(code=code)) for code in batch.shown]
    far = {one.code: outliers(_compared(one, jobs)) for one in shown}
    headings = ["Ligne", "Collectivité", "SIRET", "Période", "État", "Fichiers", "Population"]
    cells = [f'<th scope="col"><button type="button">{escape(name)}</button></th>' for name in headings]
    cells += [
        f'<th scope="col" class="nombre" title="{escape(one.code, quote=True)}"><button type="button">'
        f"{escape(typeset(one.libelle or one.code))}</button></th>"
        for one in shown
    ]
    rows = "\n".join(_row(job, shown, far) for job in jobs)
    counted = {state: sum(job.state is state for job in jobs) for state in JobState}
    said = ", ".join(f"{state.libelle.lower()} : {number}" for state, number in counted.items() if number)
    snapshots = sorted({str(job.facts["snapshot"]) for job in jobs if job.facts.get("snapshot")})
    asked = batch.created.astimezone()
    page = _resource("batch_index.html")
    for name, text in {
        "titre": escape(typeset(f"Rapports de la liste {batch.name}")),
        "resume": escape(typeset(f"{len(jobs)} lignes ({said}). Demandé le {asked:%d/%m/%Y à %Hh%M}.")),
        "import": escape(", ".join(snapshots) or "n. d."),
        "journal": f'<a href="{quote(batch.log)}.xlsx">{escape(batch.log)}.xlsx</a>',
        "entetes": "".join(cells),
        "lignes": rows,
        "etats": "".join(
            f'<option value="{escape(state.libelle)}">{escape(state.libelle)} ({number})</option>'
            for state, number in counted.items()
            if number
        ),
    }.items():
        page = page.replace(f"<!--{name}-->", text)
    with replacing(to) as partial:
        partial.write_text(page, encoding="utf-8")
    return to


def _indicateurs(jobs: Sequence[Job]) -> dict[str, Indicateur]:
    try:
        return {one.code: one for one in load_trame(jobs[0].spec.trame).indicateurs} if jobs else {}
    except (WorkbenchError, OSError):
        return {}  # the trame may be gone since: codes are shown instead of labels


def _compared(one: Indicateur, jobs: Sequence[Job]) -> dict[str, float]:
    """Values to compare: amounts in euros are divided by the population, or size alone would be flagged."""
    compared = {}
    for job in jobs:
        value, people = job.facts.get("indicateurs", {}).get(one.code), job.facts.get("population")
        if value is not None and (one.unite != "euros" or people):
            compared[job.id] = value / people if one.unite == "euros" else value
    return compared


def _row(job: Job, shown: Sequence[Indicateur], far: Mapping[str, Mapping[str, int]]) -> str:
    libelle = job.facts.get("libelle") or job.row.get("LIBELLE_DE_BUDGET") or ""
    first, last = job.spec.exercices
    links = " ".join(
        f'<a href="{quote(job.files[kind])}">{name}</a>' for kind, name in KINDS.items() if kind in job.files
    )
    state = f'<span class="etat {job.state.lower()}">{job.state.libelle}</span>'
    cause = f"<small>{escape(typeset(job.cause))}</small>" if job.cause else ""
    people = job.facts.get("population")
    cells = [
        _cell(str(job.position + 1), job.position + 1),
        _cell(escape(str(libelle))),
        _cell(escape(", ".join(job.spec.sirets))),
        _cell(f"{first}–{last}" if first != last else str(first), first),
        f'<td data-etat="{job.state.libelle}">{state}{cause}</td>',
        f"<td>{links}</td>",
        _cell(format_number(people) if people else "", people or 0),
    ]
    values = job.facts.get("indicateurs", {})
    for one in shown:
        value = values.get(one.code)
        if value is None:
            cells.append('<td class="nombre"></td>')
            continue
        side = far[one.code].get(job.id, 0)
        mark = "" if not side else _MARKS[side]
        cells.append(_cell(f"{mark}{escape(format_value(value, one.unite))}", value, far=bool(side)))
    return f"<tr{' data-atypique' if any(job.id in each for each in far.values()) else ''}>{''.join(cells)}</tr>"


_MARKS = {
    1: '<abbr title="Très au-dessus des autres lignes">▲</abbr> ',
    -1: '<abbr title="Très au-dessous des autres lignes">▼</abbr> ',
}


def _cell(content: str, number: float | None = None, *, far: bool = False) -> str:
    if number is None:
        return f"<td>{content}</td>"
    return f'<td class="nombre{" atypique" if far else ""}" data-valeur="{json.dumps(number)}">{content}</td>'


def _resource(name: str) -> str:
    return (files("workbench.reports") / name).read_text(encoding="utf-8")
