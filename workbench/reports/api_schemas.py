"""What the OpenAPI document of the reports says of bodies and answers."""

from __future__ import annotations

from typing import Any

__all__ = ["ANSWERS", "BODIES", "ERROR"]

_TEXT: dict[str, Any] = {"type": "string"}
_COUNT: dict[str, Any] = {"type": "integer"}
_CODES: dict[str, Any] = {"type": "array", "items": {"type": ["string", "integer"]}}
_REFERENCE: dict[str, Any] = {"type": ["integer", "string"]}
_MAYBE: dict[str, Any] = {"type": ["integer", "null"]}


def _object(required: list[str] | None = None, /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    form = {"application/x-www-form-urlencoded": {"schema": schema}}
    return {"required": True, "content": {"application/json": {"schema": schema}} | form}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


def _file(kind: str) -> dict[str, Any]:
    return {"description": "The file.", "content": {kind: {"schema": {"type": "string", "format": "binary"}}}}


_YEARS = {"financial_year_min": _COUNT, "financial_year_max": _COUNT}
_WHO = {"identifiers": _CODES, "identifiers_type": {"enum": ["SIRET", "SIREN", "FINESS"]}}
_NEEDED = ["financial_year_min", "financial_year_max", "identifiers"]

BODIES: dict[str, dict[str, Any]] = {
    "login": _body(_object(["username", "password"], username=_TEXT, password=_TEXT)),
    "report": _body(
        _object(["frame", *_NEEDED], frame=_REFERENCE, **_YEARS, **_WHO, nomenclature=_REFERENCE, institutions=_CODES)
    ),
    "balance": _body(_object(_NEEDED, **_YEARS, **_WHO)),
    "aggregate": _body(
        _object(
            ["frame", "financial_year_min", "financial_year_max"],
            frame=_REFERENCE,
            **_YEARS,
            departments=_CODES,
            institutions=_CODES,
            pop_min=_COUNT,
            pop_max=_COUNT,
            nomenclature=_REFERENCE,
        )
    ),
    "formule": _body(_object(["original_equation"], original_equation=_TEXT)),
    "publication": _body(
        _object(badges={"type": ["array", "null"], "items": _TEXT}, release={"type": ["string", "null"]})
    ),
}

_NAMED = {"id": _COUNT, "name": _TEXT}
_INSTITUTION = _object(**_NAMED, number=_TEXT, legal_status=_COUNT)
_FRAME = _object(
    **_NAMED,
    description=_TEXT,
    indicators=_list(_COUNT),
    nomenclature=_MAYBE,
    identifiers_type=_list(_object(name=_TEXT)),
    institutions_type=_list(_INSTITUTION),
    model_name=_TEXT,
)
_PARAMETER = _object(
    id=_COUNT,
    indicator=_COUNT,
    year_min=_MAYBE,
    year_max=_MAYBE,
    readable_equation=_TEXT,
    original_equation=_TEXT,
    depth=_COUNT,
)
_INDICATEUR = _object(
    **_NAMED,
    description=_TEXT,
    frames=_list(_COUNT),
    max_depth=_COUNT,
    parameters=_list(_PARAMETER),
    public={"type": "boolean"},
    last_modified_by=_TEXT,
    libelles=_list(_object(libelle=_TEXT, indicator=_COUNT)),
)
_REPORT = _object(
    id=_COUNT,
    date={"type": "string", "format": "date-time"},
    state={"enum": ["PENDING", "DONE", "FAILED", "EMPTY"]},
    name=_TEXT,
    frame=_MAYBE,
    frame_name=_TEXT,
    kind={"enum": ["report", "balance", "aggregate"]},
    identifier=_TEXT,
    identifier_type=_TEXT,
    year_min=_COUNT,
    year_max=_COUNT,
    step=_TEXT,
    cause=_TEXT,
    warnings=_list(_TEXT),
)

ANSWERS: dict[str, dict[str, Any]] = {
    "token": _answer("A token of twelve hours.", _object(["token"], token=_TEXT)),
    "person": _answer("Who asks.", _object(name=_TEXT, email=_TEXT, isAdmin={"type": "boolean"}, badges=_list(_TEXT))),
    "departments": _answer("The départements.", _list(_object(**_NAMED, number=_TEXT))),
    "institutions": _answer("The establishment types.", _list(_INSTITUTION)),
    "kinds": _answer("The kinds of identifiers.", _list(_object(**_NAMED))),
    "nomenclatures": _answer("The nomenclatures.", _list(_object(**_NAMED, description=_TEXT))),
    "nomenclature": _answer("A nomenclature.", _object(**_NAMED, description=_TEXT)),
    "identifiers": _answer("Identifiers.", _list(_object(ident=_TEXT, ctype=_TEXT, lbudg=_TEXT, cbudg=_TEXT))),
    "frames": _answer("The trames.", _list(_FRAME)),
    "frame": _answer("A trame.", _FRAME),
    "indicators": _answer("The indicateurs.", _list(_INDICATEUR)),
    "indicator": _answer("An indicateur.", _INDICATEUR),
    "parameters": _answer("Formules.", _list(_PARAMETER)),
    "parameter": _answer("A formule.", _PARAMETER),
    "checked": _answer("The formule can be evaluated.", _object(diagnostics=_list(_object(message=_TEXT)))),
    "asked": _answer("Kept.", _object(["report_id"], report_id=_COUNT)),
    "reports": _answer("Your requests, the last ones first.", _list(_REPORT)),
    "report": _answer("A request of yours.", _REPORT),
    "publication": _answer("Where it is published.", _object(name=_TEXT, version=_TEXT, author=_TEXT)),
    "workbook": _file("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "archive": _file("application/zip"),
    "drawing": _file("image/svg+xml"),
}

ERROR = _answer("Refused.", _object(["detail", "status_code"], detail=_TEXT, status_code=_COUNT, code=_TEXT))
