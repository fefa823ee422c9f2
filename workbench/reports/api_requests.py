"""Requests of the HTTP API: what a body asks for, and what its author reads of the job that it became.

A body is a JSON object or a form, as clients of the old application send either. Nothing of it names a file or a
folder. What cannot be made is refused before anything is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from workbench.errors import WorkbenchError
from workbench.identity.strict_json import read_object
from workbench.reports.api_catalogue import CORSE, IDENTIFIER_TYPES, Catalogue, number_of
from workbench.reports.jobs import Job, Wanted
from workbench.reports.jobs_spec import JobSpec
from workbench.reports.jobs_tables import JobState
from workbench.reports.publishing_requests import asked_text

__all__ = ["aggregate_wanted", "balance_wanted", "body_object", "checked_text", "report_wanted", "shown_job"]

FORM = "application/x-www-form-urlencoded"

_DEPARTEMENTS = {number: code for code, number in CORSE.items()}

_FIELDS: dict[str, Callable[[tuple[str, ...]], dict[str, Any]]] = {
    "SIRET": lambda idents: {"sirets": idents},
    "SIREN": lambda idents: {"sirens": idents},
    "FINESS": lambda idents: {"finess": idents},
}

_STATES = {JobState.RUNNING: JobState.PENDING, JobState.CANCELLED: JobState.FAILED}
"""What the states that the old application did not have are to its scripts, which wait while they read PENDING."""


def body_object(content: bytes, kind: str) -> dict[str, Any]:
    """Read a body.

    Parameters
    ----------
    content
        The whole of it.
    kind
        Its content type; anything that is not a form is read as JSON.

    Raises
    ------
    WorkbenchError
        ``json_invalide``.

    Examples
    --------
    >>> body_object(b"frame=1&identifiers=21330063500017", "application/x-www-form-urlencoded")
    {'frame': '1', 'identifiers': '21330063500017'}
    """
    try:
        if kind.partition(";")[0].strip().lower() == FORM:
            pairs = parse_qs(content.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=10_000)
            return {name: values if len(values) > 1 else values[0] for name, values in pairs.items()}
        return read_object(content or b"{}")
    except ValueError as error:
        raise WorkbenchError("json_invalide", cause="un objet JSON en UTF-8 est attendu") from error


def checked_text(value: object, field: str, longest: int = 1_000) -> str:
    """Return a text that can be kept and shown.

    Raises
    ------
    WorkbenchError
        ``api_champ``.
    """
    if not isinstance(value, str) or len(value) > longest or any(0xD800 <= ord(sign) < 0xE000 for sign in value):
        raise WorkbenchError("api_champ", champ=field, attendu=f"un texte de {longest} signes au plus")
    if "\0" in value:
        raise WorkbenchError("api_champ", champ=field, attendu="un texte sans caractère nul")
    return value


def report_wanted(asked: Mapping[str, Any], catalogue: Catalogue, base: str) -> Wanted:
    """Return the report that a body asks for: one trame on some identifiers, taken together."""
    kept = catalogue.trame(_given(asked, "frame"))
    kind, idents = _identifiers(asked)
    years = _years(asked)
    spec = JobSpec(
        "report",
        years,
        base=base,
        trame=str(kept.path.absolute()),
        types=_codes(asked, "institutions"),
        nomenclature=catalogue.nomenclature(asked.get("nomenclature")),
        **_FIELDS[kind](idents),
    )
    who = idents[0] if len(idents) == 1 else "Etablissements multiples"
    return Wanted(spec, ["FRAME", who[:20], kind, *years, kept.trame.code])


def balance_wanted(asked: Mapping[str, Any], base: str) -> Wanted:
    """Return the balance that a body asks for: all the comptes of some identifiers."""
    kind, idents = _identifiers(asked)
    years = _years(asked)
    spec = JobSpec("balance", years, base=base, **_FIELDS[kind](idents))
    who = "et".join(idents) if len(idents) <= 4 else f"{len(idents)} identifiants"
    return Wanted(spec, ["BALANCE", kind, who, *years])


def aggregate_wanted(asked: Mapping[str, Any], catalogue: Catalogue, base: str) -> Wanted:
    """Return the report that a body asks for on all the budgets that meet criteria, exercice by exercice."""
    kept = catalogue.trame(_given(asked, "frame"))
    years = _years(asked)
    low, high = (_integer(asked.get(name), name) or None for name in ("pop_min", "pop_max"))
    spec = JobSpec(
        "aggregate",
        years,
        base=base,
        trame=str(kept.path.absolute()),
        departements=tuple(_departement(code) for code in _codes(asked, "departments")),
        types=_codes(asked, "institutions"),
        population=(low, high) if low or high else None,
        nomenclature=catalogue.nomenclature(asked.get("nomenclature")),
    )
    return Wanted(spec, ["FRAME", "AGREGAT", *years, kept.trame.code])


def _given(asked: Mapping[str, Any], field: str) -> Any:
    value = asked.get(field)
    if value is None or value == "":
        raise WorkbenchError("api_champ", champ=field, attendu="une valeur")
    return value


def _years(asked: Mapping[str, Any]) -> tuple[int, int]:
    first, last = (_integer(_given(asked, f"financial_year_{end}"), f"financial_year_{end}") for end in ("min", "max"))
    assert first is not None  # noqa: S101 - a value was given
    assert last is not None  # noqa: S101 - as above
    return first, last


def _integer(value: object, field: str) -> int | None:
    if value is None or value == "":
        return None
    number = number_of(value)
    if number is None or not 0 <= number < 2**31:
        raise WorkbenchError("api_champ", champ=field, attendu="un nombre entier")
    return number


def _identifiers(asked: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    kind = asked.get("identifiers_type") or "SIRET"
    if kind not in IDENTIFIER_TYPES:
        raise WorkbenchError("api_champ", champ="identifiers_type", attendu="SIRET, SIREN ou FINESS")
    # A number, which a spreadsheet makes of a text of digits, loses the zeros it begins with.
    found = _codes(asked, "identifiers", width=14 if kind == "SIRET" else 9)
    if not found:
        raise WorkbenchError("api_champ", champ="identifiers", attendu="une liste d'au moins un identifiant")
    return kind, found


def _codes(asked: Mapping[str, Any], field: str, width: int = 0) -> tuple[str, ...]:
    value = asked.get(field)
    if value is None or value == "":
        return ()
    several = value if isinstance(value, list) else str(value).split(",")
    found = []
    for each in several:
        if isinstance(each, bool) or not isinstance(each, int | str):
            raise WorkbenchError("api_champ", champ=field, attendu="une liste de codes")
        text = str(each).zfill(width) if isinstance(each, int) else each.strip()
        found.append(checked_text(text, field, 40))
    return tuple(dict.fromkeys(found))


def _departement(code: str) -> str:
    number = number_of(code)
    return _DEPARTEMENTS.get(number, code) if number is not None else code


def shown_job(job: Job, number: int, frame: int | None) -> dict[str, Any]:
    """Return what its author reads of a request.

    Parameters
    ----------
    job
        The request.
    number
        Its own.
    frame
        The number of its trame; None for a balance, or a trame that is no longer there.
    """
    spec = job.spec
    kind, idents = _named(spec)
    file = job.files.get("excel", "") if job.state is JobState.DONE else ""
    return {
        "id": number,
        "date": job.created.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "state": _STATES.get(job.state, job.state).value,
        "name": file or f"{job.stem}.xlsx",
        "frame": frame,
        "frame_name": frame_code(spec) or "Balance",
        "kind": spec.kind,
        "identifier": ", ".join(idents) or asked_text(spec),
        "identifier_type": kind,
        "year_min": spec.exercices[0],
        "year_max": spec.exercices[1],
        "step": job.state.libelle,
        "cause": job.cause,
        "warnings": list(job.warnings),
    }


def frame_code(spec: JobSpec) -> str:
    """Return the code of the trame of a request; empty for a balance."""
    return Path(spec.trame).stem if spec.trame else ""


def _named(spec: JobSpec) -> tuple[str, Sequence[str]]:
    kinds: Iterable[tuple[str, Sequence[str]]] = zip(
        IDENTIFIER_TYPES, (spec.sirets, spec.sirens, spec.finess), strict=True
    )
    return next(((kind, idents) for kind, idents in kinds if idents), ("", ()))
