"""A list in the forms that others read: datapi's scores, the front's document (specification 6.5), and a parquet."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.atomic import replacing
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.alerts import AlertList
from workbench.signaux_faibles.detection.corrections import shown_reasons
from workbench.signaux_faibles.detection.forms import macro, micro, radar, selection
from workbench.signaux_faibles.detection.sentences import sentences
from workbench.signaux_faibles.detection.thresholds import Level, read_level

__all__ = ["datapi_scores", "front_document", "last_lists", "read_list", "write_json", "write_list"]


def datapi_scores(alerts: AlertList, *, public_accounts: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return the score file of datapi: an object a company.

    Parameters
    ----------
    alerts
        The list.
    public_accounts
        Companies whose accounts are public: reasons from tax data are shown for them alone.

    Returns
    -------
    list of dict
        ``siren`` (with ``siret`` in a list of établissements), ``score, diff, alert, periode, batch, algo,
        explSelection, macroExpl, microExpl, redressements, alertPreRedressements``; explanations for alerts alone,
        ``diff`` None without a list before.
    """
    explanations = _explanations(alerts)
    public = set(public_accounts)
    found = []
    for place, entity in enumerate(alerts.entities.tolist()):
        before = float(alerts.previous[place])
        probability = float(alerts.probabilities[place])
        found.append(
            {
                **_key(entity),
                "score": probability,
                "diff": None if math.isnan(before) else probability - before,
                "alert": Level.of_rank(int(alerts.ranks[place])).value,
                "periode": f"{alerts.periode}-01T00:00:00Z",
                "batch": alerts.batch,
                "algo": alerts.algo,
                "explSelection": {"selectConcerning": [], "selectReassuring": []},
                "macroExpl": {},
                "microExpl": {},
                "macroRadar": {},
                **explanations.get(place, {}),
                "redressements": shown_reasons(alerts.reasons.get(entity, ()), public_accounts=entity in public),
                "alertPreRedressements": Level.of_rank(int(alerts.first_ranks[place])).value,
            }
        )
    return found


def _key(entity: str) -> dict[str, str]:
    """Name a company, and the établissement in the lists of 2019 to 2021."""
    if len(entity) == 14 and entity.isdigit():
        return {"siren": entity[:9], "siret": entity}
    return {"siren": entity}


def _explanations(alerts: AlertList) -> dict[int, dict[str, Any]]:
    explanation = alerts.explanation
    forms = zip(macro(explanation), micro(explanation), radar(explanation), selection(explanation), strict=True)
    return {
        int(place): {
            "explSelection": chosen,
            "macroExpl": themes,
            "microExpl": variables,
            "macroRadar": marks,
            "phrases": [str(each) for each in sentences(explanation, row)],
        }
        for row, (place, (themes, variables, marks, chosen)) in enumerate(zip(alerts.explained, forms, strict=True))
    }


def front_document(alerts: AlertList) -> list[dict[str, Any]]:
    """Return the document of the front: an object a company, ``macroExpl`` and ``microExpl`` for alerts alone.

    Contributions are percents that add up to « Risque de défaillance ».
    """
    explanations = _explanations(alerts)
    found = []
    for place, entity in enumerate(alerts.entities.tolist()):
        one: dict[str, Any] = {
            **_key(entity),
            "Risque de défaillance": 100 * float(alerts.probabilities[place]),
            "alert": Level.of_rank(int(alerts.ranks[place])).value,
            "idListe": alerts.label,
            "batch": alerts.batch,
            "algo": alerts.algo,
            "période": f"{alerts.periode}-01",
            "Seuil modéré": alerts.detector.thresholds.moderate,
            "Seuil fort": alerts.detector.thresholds.high,
        }
        if place in explanations:
            one |= {name: explanations[place][name] for name in ("macroExpl", "microExpl")}
        found.append(one)
    return found


def last_lists(documents: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Merge documents of several lists, the oldest first: the last one that holds a company wins, levels spelt alike.

    Examples
    --------
    >>> last_lists([[{"siren": "800000001", "alert": "Alerte seuil F1/2"}]])["800000001"]["alert"]
    'Alerte seuil F1'
    """
    found: dict[str, dict[str, Any]] = {}
    for document in documents:
        for one in document:
            found[str(one["siren"])] = {**one, "alert": read_level(one["alert"]).value}
    return found


def write_json(content: Any, path: str | Path) -> Path:
    """Write a document; the old one stays when that fails.

    Raises
    ------
    WorkbenchError
        ``requete_ecriture``.
    """
    try:
        with replacing(Path(path)) as partial, partial.open("w", encoding="utf-8") as stream:
            json.dump(content, stream, ensure_ascii=False, allow_nan=False)
    except OSError as error:
        raise WorkbenchError("requete_ecriture", chemin=str(path), cause=error.strerror) from error
    return Path(path)


def write_list(alerts: AlertList, path: str | Path, *, card: Mapping[str, Any] | None = None) -> Path:
    """Write a list as parquet: `AlertList.frame`, points by theme and sentences of the alerts, the card as metadata.

    Raises
    ------
    WorkbenchError
        ``requete_ecriture``.
    """
    table = pa.Table.from_pandas(alerts.frame(), preserve_index=False)
    explanation = alerts.explanation
    keys = explanation.entities.tolist()
    points = {
        theme: dict(zip(keys, explanation.by_theme[:, place].tolist(), strict=True))
        for place, theme in enumerate(explanation.declaration.themes)
    }
    order = table.column(0).to_pylist()
    for theme, by_entity in points.items():
        table = table.append_column(f"points_{theme}", pa.array([by_entity.get(each) for each in order], pa.float64()))
    start = dict.fromkeys(keys, explanation.start)
    table = table.append_column("points_depart", pa.array([start.get(each) for each in order], pa.float64()))
    said = {entity: [str(one) for one in sentences(explanation, row)] for row, entity in enumerate(keys)}
    table = table.append_column("phrases", pa.array([said.get(each) for each in order], pa.list_(pa.string())))
    about = {"batch": alerts.batch, "snapshot": alerts.snapshot, "algo": alerts.algo, "empreinte": alerts.fingerprint}
    text = json.dumps({**about, **(card or {})}, ensure_ascii=False, allow_nan=False)
    table = table.replace_schema_metadata({b"workbench.carte": text.encode()})
    try:
        with replacing(Path(path)) as partial:
            pq.write_table(table, partial, compression="zstd")
    except OSError as error:
        raise WorkbenchError("requete_ecriture", chemin=str(path), cause=error.strerror) from error
    return Path(path)


def read_list(path: str | Path) -> tuple[pa.Table, dict[str, Any]]:
    """Read a list that `write_list` wrote, and its card.

    Raises
    ------
    WorkbenchError
        ``fichier_illisible``.
    """
    try:
        table = pq.read_table(Path(path))
    except (OSError, pa.ArrowException) as error:
        raise WorkbenchError("fichier_illisible", fichier=str(path), detail=str(error)) from error
    about = (table.schema.metadata or {}).get(b"workbench.carte", b"{}")
    card: dict[str, Any] = json.loads(about)
    return table, card
