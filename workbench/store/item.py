"""What is published: one sheet as a client writes it, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workbench.errors import WorkbenchError
from workbench.store.files import StoredFile, taken_files
from workbench.store.keys import BUCKET, canonical, checked_badges, checked_key, checked_moment
from workbench.store.policies import policy
from workbench.store.policies_stored import is_policy
from workbench.store.words import words_of

__all__ = ["NULL", "Item", "item"]

NULL = "null"
"""What is stored of a null."""

LONGEST_NAME = 1000
LONGEST_SEARCH = 1000


@dataclass(frozen=True)
class Item:
    """One sheet to publish.

    Parameters
    ----------
    key
        The full key, bucket included.
    scope
        Badges that reading it takes, all of them.
    value
        Its properties.
    released
        When it is seen; None at once.
    expires
        When its properties become null; None never.
    files
        The files among its properties, which ``value`` only describes.
    search
        The words by which its object is found; None when it says nothing of them.
    texts
        The properties as they are stored, `canonical`: written once, compared and added. Made when they are not given.
    """

    key: dict[str, str]
    scope: frozenset[str]
    value: dict[str, Any]
    released: datetime | None = None
    expires: datetime | None = None
    files: Mapping[str, StoredFile] = field(default_factory=dict)
    search: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.value and not self.texts:
            object.__setattr__(self, "texts", {name: canonical(each) for name, each in self.value.items()})


def item(bucket: str, written: Any, number: int = 0) -> Item:
    """Read a sheet as the HTTP interface receives it.

    Parameters
    ----------
    bucket
        Where it goes: a ``bucket`` in its key is overwritten.
    written
        ``{key, scope, value, releaseDate, expires, search}``; the last three and ``scope`` are optional. ``search`` is
        the text by which those who read the sheet find its object.
    number
        Its place in what is published, for messages.

    Raises
    ------
    WorkbenchError
        ``objet_invalide``, ``cle_invalide``, ``badges_invalides``, ``date_invalide``, ``fichier_trop_long``.

    Examples
    --------
    >>> item("public", {"key": {"siren": "012345678"}, "scope": ["bfc"], "value": {"effectif": 12}}).key
    {'siren': '012345678', 'bucket': 'public'}
    """
    place = f"[{number}]"
    if not isinstance(written, Mapping):
        raise WorkbenchError("objet_invalide", endroit=place, cause="un objet JSON est attendu")
    unknown = sorted(str(name) for name in set(written) - {"key", "scope", "value", "releaseDate", "expires", "search"})
    if unknown:
        shown = unknown[0][:60].encode(errors="replace").decode()
        raise WorkbenchError("objet_invalide", endroit=place, cause=f"champ inconnu « {shown} »")
    value = written.get("value")
    if not isinstance(value, Mapping):
        raise WorkbenchError("objet_invalide", endroit=place, cause="value, un objet JSON, est obligatoire")
    texts = _checked_texts(value, place)
    key = checked_key(written.get("key"), f"{place}.key") | {BUCKET: bucket}
    scope = written.get("scope")
    released, expires = (
        None if written.get(name) is None else checked_moment(written[name], f"{place}.{name}")
        for name in ("releaseDate", "expires")
    )
    if released is not None and expires is not None and expires <= released:
        raise WorkbenchError("objet_invalide", endroit=place, cause="expires précède releaseDate")
    badges = frozenset[str]() if scope is None else checked_badges(scope, f"{place}.scope")
    search = written.get("search")
    if search is not None and (not isinstance(search, str) or len(search) > LONGEST_SEARCH):
        cause = f"search est un texte de {LONGEST_SEARCH} caractères au plus"
        raise WorkbenchError("objet_invalide", endroit=place, cause=cause)
    described, files = taken_files(value, place)
    words = None if search is None else words_of(search)
    return Item(key, badges, described, released, expires, files, words, {} if files else texts)


def _checked_texts(value: Mapping[Any, Any], place: str) -> dict[str, str]:
    for name in value:
        if not isinstance(name, str) or "\0" in name or len(name.encode(errors="replace")) > LONGEST_NAME:
            raise WorkbenchError("objet_invalide", endroit=place, cause="une propriété a un nom impossible")
    try:
        return {name: canonical(each) for name, each in value.items()}
    except (ValueError, TypeError, RecursionError):
        raise WorkbenchError(
            "objet_invalide", endroit=place, cause="value contient ce que JSON ne sait pas écrire"
        ) from None


def check_policy(written: Item, place: str) -> None:
    """Refuse a policy that could not be in force: no name, a scope, a wrong value.

    Raises
    ------
    WorkbenchError
        ``politique_invalide``.
    """
    name = written.key.get("name", "")
    if not name.strip():
        raise WorkbenchError("politique_invalide", nom=place, cause="sa clé n'a pas de name")
    if written.scope:
        raise WorkbenchError("politique_invalide", nom=name, cause="scope doit être vide hors de value")
    retired = "match" in written.value and all(value is None for value in written.value.values())
    policy(name, {**written.value, "match": "^$"} if retired else written.value)


def concerns_policies(written: Item) -> bool:
    """Tell whether a sheet belongs to a policy."""
    return is_policy(written.key[BUCKET], written.key)
