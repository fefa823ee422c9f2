"""Keys, badges, values and moments at the border: what is accepted, and the one way it is written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from typing import Any, NoReturn, Protocol

from workbench.errors import WorkbenchError

__all__ = [
    "BUCKET",
    "SYSTEM",
    "Reader",
    "canonical",
    "checked_badges",
    "checked_bucket",
    "checked_key",
    "checked_moment",
    "checked_text",
    "comparable",
    "digest",
    "loads",
]

BUCKET = "bucket"
"""The name of the pair that the store adds to every key."""

SYSTEM = "system"
"""The bucket of the policies."""

LONGEST = 1000
"""Characters of a name or a value of a key, of a badge, of a bucket: an index holds them."""

COMPARED = 200
"""Characters of a text that sorting and ordering compare."""


FIRST = datetime(2, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 30, tzinfo=UTC)
"""Beyond, a moment has no year in some time zones; what never ends is often written so."""


# Made once: a publication writes millions of values.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


class Reader(Protocol):
    """Who asks or writes: what the store needs to know of an actor."""

    @property
    def email(self) -> str:
        """The address that journals and sheets keep."""

    @property
    def badges(self) -> Collection[str]:
        """What this person owns."""


def canonical(value: Any) -> str:
    """Write a JSON value in the one way that the store compares and hashes.

    Raises
    ------
    ValueError, TypeError
        For what JSON cannot write: NaN, infinity, half a surrogate pair, an object of Python.

    Examples
    --------
    >>> canonical({"b": 1, "a": None})
    '{"a":null,"b":1}'
    """
    text = _ENCODER.encode(value)
    text.encode()
    return text


def loads(text: str | bytes) -> Any:
    """Read JSON, without NaN or infinity.

    Raises
    ------
    WorkbenchError
        ``json_invalide``.

    Examples
    --------
    >>> loads('{"a": 1}')
    {'a': 1}
    """

    def refuse(constant: str) -> NoReturn:
        raise ValueError(constant)

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise WorkbenchError("json_invalide", cause=str(error)[:200]) from None


def digest(value: Any) -> bytes:
    """Hash what `canonical` writes.

    Examples
    --------
    >>> digest({"a": "1", "b": "2"}) == digest({"b": "2", "a": "1"})
    True
    """
    return hashlib.sha256(canonical(value).encode()).digest()


def _word(value: Any) -> bool:
    if not isinstance(value, str) or "\0" in value or len(value) > LONGEST:
        return False
    try:
        return len(value.encode()) <= LONGEST
    except UnicodeEncodeError:
        return False


def checked_text(text: Any, place: str) -> str:
    """Accept a short text that databases can hold.

    Raises
    ------
    WorkbenchError
        ``question_invalide``.

    Examples
    --------
    >>> checked_text("ada@exemple.fr", "email")
    'ada@exemple.fr'
    """
    if not _word(text):
        raise WorkbenchError("question_invalide", cause=f"{place} doit être un texte court")
    return str(text)


def checked_bucket(bucket: Any) -> str:
    """Accept the name of a bucket.

    Raises
    ------
    WorkbenchError
        ``seau_invalide``.

    Examples
    --------
    >>> checked_bucket("public")
    'public'
    """
    if not _word(bucket) or not bucket.strip():
        raise WorkbenchError("seau_invalide", cause="il doit avoir un nom, de 1000 octets au plus")
    return str(bucket)


def checked_key(key: Any, place: str = "key") -> dict[str, str]:
    """Accept a key: a mapping of texts to texts.

    Raises
    ------
    WorkbenchError
        ``cle_invalide``.

    Examples
    --------
    >>> checked_key({"siret": "01234567891011"})
    {'siret': '01234567891011'}
    """
    if not isinstance(key, Mapping):
        raise WorkbenchError("cle_invalide", endroit=place, cause="un objet JSON est attendu")
    for name, value in key.items():
        if not _word(name) or not _word(value):
            shown = str(name)[:60].encode(errors="replace").decode()
            raise WorkbenchError(
                "cle_invalide", endroit=place, cause=f"« {shown} » n'associe pas un texte à un texte court"
            )
    return dict(key)


def checked_badges(badges: Any, place: str) -> frozenset[str]:
    """Accept a list of badges.

    Raises
    ------
    WorkbenchError
        ``badges_invalides``.

    Examples
    --------
    >>> sorted(checked_badges(["crp", "bfc", "bfc"], "scope"))
    ['bfc', 'crp']
    """
    listed = isinstance(badges, list | tuple | set | frozenset)
    if not listed or not all(_word(badge) and badge for badge in badges):
        raise WorkbenchError("badges_invalides", endroit=place)
    return frozenset(badges)


def checked_moment(moment: Any, place: str) -> datetime:
    """Accept a moment that says its time zone: ``2019-10-31T10:00:00Z``, or an aware `datetime`.

    Raises
    ------
    WorkbenchError
        ``date_invalide``.

    Examples
    --------
    >>> checked_moment("2019-10-31T10:00:00+01:00", "date").isoformat()
    '2019-10-31T09:00:00+00:00'
    """
    try:
        read = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        if isinstance(read, datetime) and read.tzinfo is not None:
            return min(max(read.astimezone(UTC), FIRST), LAST)
    except (ValueError, OverflowError):
        pass
    shown = moment if isinstance(moment, str | date | int | float) else type(moment).__name__
    shown = str(shown)[:60].encode(errors="replace").decode()
    raise WorkbenchError("date_invalide", endroit=place, recu=shown)


def comparable(value: Any) -> tuple[int | None, float, str]:
    """Return what sorts and filters compare of a value: its kind, its number, its text.

    Examples
    --------
    >>> comparable(True), comparable(12), comparable("zone"), comparable([1])
    ((1, 1.0, ''), (2, 12.0, ''), (3, 0.0, 'zone'), (None, 0.0, ''))
    """
    if isinstance(value, bool):
        return 1, float(value), ""
    if isinstance(value, int | float):
        try:
            return 2, float(value) + 0.0, ""  # adding zero makes one of -0.0 and 0.0
        except OverflowError:
            return 2, float("1.7976931348623157e308") * (1 if value > 0 else -1), ""
    if isinstance(value, str):
        return 3, 0.0, value[:COMPARED].replace("\0", "")
    return None, 0.0, ""
