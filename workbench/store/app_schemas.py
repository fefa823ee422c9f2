"""What the OpenAPI document says of bodies and answers."""

from __future__ import annotations

from typing import Any

from workbench.store.bulk import ARROW, NDJSON
from workbench.store.question import OPERATORS

__all__ = ["ANSWERS", "BROWSE", "ERROR", "FILE", "GET", "PURGE", "PUT", "SEARCH", "WHY"]

_TEXT: dict[str, Any] = {"type": "string"}
_BADGES: dict[str, Any] = {"type": "array", "items": {"type": "string", "minLength": 1}}
_KEY: dict[str, Any] = {"type": "object", "additionalProperties": _TEXT}
_DATE: dict[str, Any] = {"type": "string", "format": "date-time"}
_SCALAR: dict[str, Any] = {"type": ["string", "number", "boolean"]}


def _object(required: list[str] | None = None, *, closed: bool = True, **properties: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if closed:
        schema["additionalProperties"] = False
    return schema | ({"required": required} if required else {})


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


_SHEET = _object(
    ["key", "value"], key=_KEY, scope=_BADGES, value={"type": "object"}, releaseDate=_DATE, expires=_DATE, search=_TEXT
)

_FILTER = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["field", "operator", "value"],
        "properties": {
            "field": _TEXT,
            "operator": {"enum": list(OPERATORS)},
            "value": {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]},
        },
    },
}
_SORT = {
    "type": "array",
    "maxItems": 1,
    "items": {"type": "object", "required": ["field"], "properties": {"field": _TEXT, "order": {"enum": [1, -1]}}},
}
_LIMIT = {"type": "integer", "minimum": 1}
_OFFSET = {"type": "integer", "minimum": 0}
_NAMES = {"type": "array", "items": _TEXT, "maxItems": 200}

_QUESTION = _object(key=_KEY, date=_DATE, filter=_FILTER, sort=_SORT, limit=_LIMIT, offset=_OFFSET)
_BROWSE = _object(
    ["key"],
    key=_KEY | {"minProperties": 1},
    filter=_FILTER,
    text=_object(["value", "fields"], value=_TEXT, fields=_NAMES),
    sort=_SORT,
    limit=_LIMIT,
    offset=_OFFSET,
    columns=_NAMES,
    counts=_NAMES,
)
_SEARCH = _object(["text"], text=_TEXT, key=_KEY, filter=_FILTER, limit=_LIMIT, offset=_OFFSET)

GET = {"content": _content(_QUESTION)}
BROWSE = {"required": True, "content": _content(_BROWSE)}
SEARCH = {"required": True, "content": _content(_SEARCH)}
FILE = {"required": True, "content": _content(_object(["key", "property"], key=_KEY, property=_TEXT, date=_DATE))}
PUT = {
    "required": True,
    "content": _content({"type": "array", "items": _SHEET})
    | {NDJSON: {"schema": _TEXT}, ARROW: {"schema": {"type": "string", "format": "binary"}}},
}
WHY = {"content": _content(_object(key=_KEY, date=_DATE, of=_object(email=_TEXT, badges=_BADGES)))}
PURGE = {"required": True, "content": _content(_object(["days"], days={"type": "integer", "minimum": 0}))}

ERROR: dict[str, Any] = {
    "description": "Refused.",
    "content": _content(
        _object(["detail", "status_code"], closed=False, detail=_TEXT, status_code={"type": "integer"}, code=_TEXT)
    ),
}

_OBJECT = _object(["key", "value", "addDate"], key=_KEY, value={"type": "object"}, addDate=_DATE)
_ENTRY = _object(at=_DATE, reader=_TEXT, action=_TEXT, bucket=_TEXT, query={"type": "object"}, outcome=_TEXT)
_USAGE = _object(day=_TEXT, reader=_TEXT, action=_TEXT, bucket=_TEXT, kind=_TEXT, count={"type": "integer"})
_EXPLAINED = _object(
    key=_KEY,
    policies={"type": "array", "items": {"type": "object"}},
    sheets={"type": "array", "items": {"type": "object"}},
)
_COUNT = {"type": "integer"}

ANSWERS: dict[str, dict[str, Any]] = {
    "objects": {"description": "What is visible.", "content": _content({"type": "array", "items": _OBJECT})},
    "page": {
        "description": "The page, and what is counted.",
        "content": _content(
            _object(
                ["objects", "total", "counts", "badges"],
                objects={"type": "array", "items": _object(["key", "value"], key=_KEY, value={"type": "object"})},
                total=_COUNT,
                counts={"type": "object", "additionalProperties": {"type": "array"}},
                badges=_BADGES,
            )
        ),
    },
    "total": {
        "description": "How many; more when they are not all counted.",
        "content": _content(_object(["total", "more"], total=_COUNT, more={"type": "boolean"})),
    },
    "published": {"description": "Published.", "content": _content(_object(status=_TEXT, published=_COUNT))},
    "file": {
        "description": "The file.",
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    },
    "entries": {"description": "Entries.", "content": _content({"type": "array", "items": _ENTRY})},
    "usage": {"description": "Counts.", "content": _content({"type": "array", "items": _USAGE})},
    "explained": {"description": "Explained.", "content": _content({"type": "array", "items": _EXPLAINED})},
    "purged": {
        "description": "How many are gone.",
        "content": _content(_object(properties=_COUNT, sheets=_COUNT, objects=_COUNT, files=_COUNT)),
    },
}
