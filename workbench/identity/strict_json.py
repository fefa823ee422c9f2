"""JSON objects of which two readers cannot understand two things."""

from __future__ import annotations

import json
from typing import Any, NoReturn

__all__ = ["read_object"]


def read_object(content: bytes) -> dict[str, Any]:
    """Read a JSON object in UTF-8; a name given twice, ``NaN`` and anything else than an object are errors.

    Raises
    ------
    ValueError
        The content is not such an object.

    Examples
    --------
    >>> read_object(b'{"sub": "jane"}')
    {'sub': 'jane'}
    >>> read_object(b'{"sub": "jane", "sub": "john"}')
    Traceback (most recent call last):
        ...
    ValueError: 'sub' is given twice
    """
    try:
        found = json.loads(content.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("too deep") from error
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one kind of error for what cannot be read
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name[:50]!r} is given twice")
        found[name] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
