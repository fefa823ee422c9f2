"""Publishing a report: what was made, put into the store under the badges that its author chooses.

An object of the bucket ``rapport`` is one version of a report: its key names the author, the report and the version.
Its author's sheet is hers alone; one more sheet, for those who hold all the badges chosen, may wait for a release date.
A sheet is a card, small enough to be listed: figures, workbook and page are files beside it
(`workbench.store.files`).

Figures are computed again, on the snapshot that the report was made from, and must be of the same trame: what is
published can be made again, or is refused. A balance has no trame: its figures are comptes. An aggregate may be of
thousands of budgets: its card says the criteria, its figures name the budgets.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from workbench.config import settings
from workbench.dgfip import Base, Perimetre, connect, perimetre, select_budgets
from workbench.errors import WorkbenchError
from workbench.evaluation import OF_THE_TRAME, IndicateurTable, evaluate, evaluate_apart
from workbench.evaluation.evaluate import NomenclatureFilter
from workbench.reports.jobs import Job
from workbench.reports.jobs_tables import JobState
from workbench.reports.published import BUCKET, PROPERTIES, PublishedReport, report_of, versions_of
from workbench.reports.published_balance import balance_figures
from workbench.reports.publishing_requests import asked_text, name_of, trame_of
from workbench.reports.report import ReportResult
from workbench.reports.request import ALL_NOMENCLATURES
from workbench.store import StoreDoor, file_property, my_store
from workbench.store.first_policies import AUTHOR
from workbench.trames import Trame, load_trame
from workbench.trames.digest import trame_digest

__all__ = ["publish_job", "publish_report"]

KINDS = {
    "excel": ("classeur", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "html": ("page", "text/html"),
    "pdf": ("pdf", "application/pdf"),
}
"""Files that are published, by kind: the property that holds each, and its media type. An executed notebook names
folders of the machine: it stays there."""


@dataclass(frozen=True)
class _Made:
    """A report that was made, whoever made it."""

    name: str
    trame: Path | None
    base: str | Path
    snapshot: str
    perimetre: Perimetre
    exercices: tuple[int, int]
    nomenclature: str | None
    files: Mapping[str, Path]
    compare: bool = False
    title: str | None = None
    warnings: tuple[str, ...] = ()
    made: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    nature: str | None = None

    @property
    def years(self) -> range:
        return range(self.exercices[0], self.exercices[1] + 1)


def publish_report(
    report: ReportResult | Path | str,
    *,
    badges: Iterable[str] | None = None,
    release: datetime | str | None = None,
    expires: datetime | str | None = None,
    name: str | None = None,
    base: Path | str | None = None,
    store: StoreDoor | None = None,
) -> PublishedReport:
    """Publish a report that `run_report` made.

    Parameters
    ----------
    report
        What `run_report` returned, or the path of its manifest (``.json``).
    badges
        What reading it takes, all of them; an empty list opens it to all who have an account. By default, it is the
        author's alone.
    release
        When they see it; at once by default. The author does not wait.
    expires
        When it ends for everyone; never by default.
    name
        Its name among the author's reports; that of its files by default. Publishing again under the same name makes
        a new version, which readers find first, beside the former ones. The same report, published again, stays the
        same version: its new readers are added to the former ones.
    base
        The base it was made from, when its address held a password; that of the manifest by default.
    store
        Where: a `workbench.store.Client` or a `workbench.store.Desk`. By default, the service that
        ``WORKBENCH_STORE`` names, else the registry of this machine.

    Returns
    -------
    PublishedReport
        As its author sees it.

    Raises
    ------
    WorkbenchError
        ``rapport_non_publiable``: not done, changed since, of a trame or a base that has changed; ``snapshot_absent``;
        ``badges_invalides``, ``date_invalide``, ``fichier_trop_long``; those of the store.

    Examples
    --------
    >>> import workbench as wb
    >>> wb.publish_report("rapports/absent.json")
    Traceback (most recent call last):
        ...
    workbench.errors.WorkbenchError: Ce rapport ne peut pas être publié : rapports/absent.json n'existe pas.
    Donnez le fichier .json écrit à côté des fichiers du rapport.
    """
    path = report.manifest if isinstance(report, ReportResult) else Path(report)
    made, version, digests = _of_manifest(path, base)
    trame = load_trame(str(made.trame))
    if trame_digest(trame) != version:
        raise _refused(f"la trame {trame.code} a changé depuis", "Refaites-le, puis publiez-le.")
    for kind, one in made.files.items():
        if not one.is_file() or sha256(one.read_bytes()).hexdigest() != digests[kind]:
            raise _refused(f"{one.name} a changé depuis", "Refaites-le, puis publiez-le.")
    return _publish(made, _of_trame(made, trame, _tables(made, trame)), badges, release, expires, name, store)


def publish_job(
    job: Job,
    *,
    badges: Iterable[str] | None = None,
    release: datetime | str | None = None,
    expires: datetime | str | None = None,
    store: StoreDoor | None = None,
) -> PublishedReport:
    """Publish the report that a job made; parameters of `publish_report`.

    Raises
    ------
    WorkbenchError
        Those of `publish_report`; ``rapport_non_publiable`` too for a job that is not done, whose budgets are no longer
        there, or whose figures are no longer those of its files.
    """
    spec = job.spec
    if job.state is not JobState.DONE:
        raise _refused(f"la ligne {job.position + 1} n'a pas donné de rapport", "")
    trame, path = trame_of(spec)
    # What its author might not see is no part of the report, and is read no more now than then.
    made = _Made(
        name=name_of(spec, trame),
        trame=path,
        base=spec.base or settings().base,
        snapshot=str(job.facts.get("snapshot") or spec.snapshot),
        perimetre=spec.perimetre(),
        exercices=spec.exercices,
        nomenclature=spec.nomenclature,
        files={kind: job.folder / file for kind, file in job.files.items() if kind in KINDS},
        title=spec.title or (asked_text(spec) if spec.kind == "aggregate" else None),
        warnings=job.warnings,
        made=(job.ended or job.created).isoformat(timespec="seconds"),
        parameters=spec.parameters if spec.kind != "aggregate" else {**spec.parameters, "criteres": asked_text(spec)},
        nature=None if spec.kind == "report" else spec.kind,
    )
    missing = [one.name for one in made.files.values() if not one.is_file()]
    if missing:
        raise _refused(f"{missing[0]} n'existe plus", "Refaites-le, puis publiez-le.")
    if trame is None:
        content = _of_comptes(made)
    else:
        tables = _tables(made, trame)
        last, known = job.facts.get("exercice"), job.facts.get("indicateurs", {})
        found = {str(code): float(value) for code, value in tables[0][1][last].items()} if last in tables[0][1] else {}
        if any(found.get(code) != value for code, value in known.items()):
            raise _refused(f"la trame {trame.code} a changé depuis", "Refaites-le, puis publiez-le.")
        content = _of_trame(made, trame, tables)
    return _publish(made, content, badges, release, expires, None, store)


def _refused(cause: str, advice: str) -> WorkbenchError:
    return WorkbenchError("rapport_non_publiable", cause=cause, conseil=advice)


def _of_manifest(path: Path, base: Path | str | None) -> tuple[_Made, str, Mapping[str, str]]:
    """Read a manifest: the report, the version of its trame, the digests of its files."""
    advice = "Donnez le fichier .json écrit à côté des fichiers du rapport."
    if not path.is_file():
        raise _refused(f"{path} n'existe pas", advice)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        given, files = content["parametres"], content["fichiers"]
        if content["etat"] != "DONE":
            raise _refused(content["message"].rstrip(".") or "il n'est pas terminé", "Refaites-le, puis publiez-le.")
        if "version" not in content["trame"]:
            raise _refused("il a été fait par une version plus ancienne", "Refaites-le, puis publiez-le.")
        made = _Made(
            name=path.stem,
            trame=Path(given["trame"]),
            base=base or given.get("base") or settings().base,
            snapshot=content["instantane"],
            perimetre=perimetre(sirets=list(given["sirets"])),
            exercices=(given["exercice_min"], given["exercice_max"]),
            nomenclature=given.get("nomenclature"),
            files={kind: path.parent / facts["nom"] for kind, facts in files.items() if kind in KINDS},
            compare=content["comparatif"],
            title=given.get("titre"),
            warnings=tuple(content["avertissements"]),
            made=content["date"],
            parameters={name: value for name, value in given.items() if name not in _NAMED},
            versions=content["versions"],
            model=content["notebook"],
        )
        return made, content["trame"]["version"], {kind: facts["sha256"] for kind, facts in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused(f"{path} n'est pas le manifeste d'un rapport", advice) from error


_NAMED = frozenset({"trame", "base", "sirets", "exercice_min", "exercice_max", "nomenclature", "titre", "modele"})
"""Parameters that have a place of their own, or are paths of one machine."""


_LATEST = [("exercice", "descending")]
"""Budgets are called what they were last called."""


@dataclass(frozen=True)
class _Content:
    """What is said of the figures of a report, and the figures."""

    trame: Mapping[str, Any]
    budgets: pa.Table
    figures: bytes


def _tables(made: _Made, trame: Trame) -> list[tuple[tuple[str, ...], IndicateurTable]]:
    """Evaluate again what the report shows: one table, or one a budget of a comparison."""
    kept: NomenclatureFilter = made.nomenclature or OF_THE_TRAME
    if made.nomenclature == ALL_NOMENCLATURES:
        kept = None
    with connect(made.base, snapshot=made.snapshot or None) as base:
        if made.compare:
            apart = evaluate_apart(trame, base, made.perimetre, made.years, nomenclature=kept)
            return [((siret,), one) for siret, one in apart]
        table = evaluate(trame, base, perimetre=made.perimetre, exercices=made.years, nomenclature=kept)
        named = made.perimetre.sirets or sorted(set(table.provenance.budgets["siret"].to_pylist()))
        return [(tuple(named), table)]


def _of_trame(made: _Made, trame: Trame, tables: list[tuple[tuple[str, ...], IndicateurTable]]) -> _Content:
    said = {
        "trame": trame.code,
        "trame_libelle": trame.libelle,
        "trame_version": trame_digest(trame),
        "nomenclature": made.nomenclature or trame.nomenclature,
    }
    budgets = pa.concat_tables([table.provenance.budgets.sort_by(_LATEST) for _, table in tables])
    return _Content(said, budgets, _figures(trame, tables))


def _of_comptes(made: _Made) -> _Content:
    with connect(made.base, snapshot=made.snapshot or None) as base:
        return _comptes_of(made, base)


def _comptes_of(made: _Made, base: Base) -> _Content:
    budgets = select_budgets(base, made.perimetre, made.years)
    if not budgets.num_rows:
        raise _refused("la base n'a plus ces comptes", "Refaites-le, puis publiez-le.")
    said = {"trame": None, "trame_libelle": "Balance", "trame_version": None, "nomenclature": made.nomenclature}
    return _Content(said, budgets.sort_by(_LATEST), balance_figures(base, budgets))


def _publish(
    made: _Made,
    content: _Content,
    badges: Iterable[str] | None,
    release: datetime | str | None,
    expires: datetime | str | None,
    name: str | None,
    store: StoreDoor | None,
) -> PublishedReport:
    if badges is None and release is not None:
        raise _refused("une date de diffusion attend des lecteurs", "Donnez leurs badges, ou ouvrez-le à tous.")
    scope = None if badges is None else sorted({badges} if isinstance(badges, str) else set(badges))
    figures = content.figures
    card = _card(made, content)
    contents = {"valeurs": figures, **{KINDS[kind][0]: path.read_bytes() for kind, path in made.files.items()}}
    marks = {each: sha256(written).hexdigest() for each, written in contents.items()}
    told = {each: value for each, value in card.items() if each != "date"}
    digest = sha256(json.dumps([told, marks], sort_keys=True).encode()).hexdigest()
    with nullcontext(store) if store is not None else my_store() as door:
        email = door.email
        key = {"auteur": email, "rapport": name or made.name}
        same = [one for one in versions_of(door, key) if one.card.get("empreinte") == digest]
        now = datetime.now(UTC)
        version = same[0].version if same else f"{now:%Y-%m-%dT%H:%M:%SZ}-{digest[:8]}"
        readers = [list(each) for each in same[0].card.get("lecteurs") or []] if same else []
        if same and (scope is None or scope in readers) and release is None and expires is None:
            return report_of(same[0].key, same[0].card, same[0].added, store)
        added = [scope] if scope is not None and scope not in readers else []
        card |= {"publie": same[0].card["publie"] if same else _instant(now), "empreinte": digest}
        files: dict[str, Any] = {"valeurs": file_property(figures, "valeurs.json", "application/json")}
        for kind, path in made.files.items():
            files[KINDS[kind][0]] = file_property(path, path.name, KINDS[kind][1])
        value = {**dict.fromkeys(PROPERTIES), **card, **files}
        end = {"expires": _said(expires)} if expires is not None else {}
        sheets = [
            {"key": {**key, "version": version}, "scope": [AUTHOR], "value": {**value, "lecteurs": readers + added}}
            | end
        ]
        if scope is not None:
            later = {"releaseDate": _said(release)} if release is not None else {}
            sheets.append({"key": {**key, "version": version}, "scope": scope, "value": value} | later | end)
        door.put(BUCKET, sheets)
        published = versions_of(door, {**key, "version": version})[0]
        return report_of(published.key, published.card, published.added, store)


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _said(moment: datetime | str) -> str:
    return moment.isoformat() if isinstance(moment, datetime) else moment


def _card(made: _Made, content: _Content) -> dict[str, Any]:
    """Say what a report is and what it was made from; base, trame and notebook are named, without their folders."""
    titles = [each for each in dict.fromkeys(content.budgets["libelle"].to_pylist()) if each]
    sirets = list(made.perimetre.sirets or sorted(set(content.budgets["siret"].to_pylist())))
    return {
        "titre": made.title or ", ".join(titles[:3]) + (f" et {len(titles) - 3} autres" if len(titles) > 3 else ""),
        **content.trame,
        **({"nature": made.nature} if made.nature is not None else {}),
        "base": Path(str(made.base).partition("?")[0]).name,
        "instantane": made.snapshot,
        "siret": sirets[0] if len(sirets) == 1 else None,
        "sirets": sirets if made.nature != "aggregate" else [],
        "exercice_min": made.exercices[0],
        "exercice_max": made.exercices[1],
        "comparatif": made.compare,
        "parametres": {
            each: value if isinstance(value, str | int | float | bool) else str(value)
            for each, value in made.parameters.items()
            if value is not None and each != "excel"
        },
        "avertissements": list(made.warnings),
        "date": made.made,
        "notebook": dict(made.model),
        "logiciels": dict(made.versions),
    }


def _figures(trame: Trame, tables: list[tuple[tuple[str, ...], IndicateurTable]]) -> bytes:
    """Write figures as JSON: labels once, then one table a perimetre; a figure that is no number is null."""
    content = {
        "indicateurs": [
            {"code": each.code, "libelle": each.libelle, "theme": each.theme, "unite": each.unite}
            for each in trame.indicateurs
        ],
        "tableaux": [
            {
                "sirets": list(sirets),
                "exercices": [int(each) for each in table.columns],
                "valeurs": {
                    str(code): [None if pd.isna(value) else float(value) for value in row]
                    for code, row in zip(table.index, table.to_numpy(), strict=True)
                },
            }
            for sirets, table in tables
        ],
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
