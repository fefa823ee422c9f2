"""Saved queries: one readable YAML file each, private to its author or shared with everyone.

Reading, writing and checking a file are one module because they are one format.

A private query lies in the user's own folder, a shared one in the folder that a team keeps beside its trames, where
git reviews it. The name of a file is made from the name of the query and can leave neither folder.
"""

from __future__ import annotations

import getpass
import io
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from workbench.atomic import replacing
from workbench.config import settings
from workbench.dgfip.base import Base
from workbench.dgfip.queries import Query
from workbench.dgfip.queries_measures import checked_text, nearest
from workbench.dgfip.queries_spec import QuerySpec
from workbench.errors import WorkbenchError, require_kind

__all__ = [
    "SavedQuery",
    "delete_query",
    "duplicate_query",
    "load_query",
    "read_query",
    "rename_query",
    "save_query",
    "saved_queries",
]

_MAX_BYTES = 1 << 20
_KEYS = ("nom", "description", "proprietaire", "date", "requete")
_CRITERIA = ("sirets", "sirens", "finess", "nomenclature", "departements", "types", "population", "epci")
_PARTS = (
    "perimetre",
    "nom",
    "epci",
    "comptes",
    "fonctions",
    "exercices",
    "mesures",
    "par",
    "filtres",
    "ordre",
    "limite",
)


@dataclass(frozen=True)
class SavedQuery:
    """A query under a name.

    Parameters
    ----------
    name, description, owner
        As its author wrote them.
    date
        When it was saved, UTC.
    shared
        Whether it lies in the shared folder.
    query
        What it asks; without base.
    """

    name: str
    description: str
    owner: str
    date: datetime
    shared: bool
    query: Query

    def __str__(self) -> str:
        scope = "partagée" if self.shared else "privée"
        said = f" : {self.description}" if self.description else ""
        return f"{self.name} ({scope}, {self.owner}, {self.date:%d/%m/%Y}){said}"


def save_query(
    query: Query, name: str, *, description: str = "", shared: bool = False, replace: bool = False
) -> SavedQuery:
    """Save a query.

    Parameters
    ----------
    query
        What to save; its base is not.
    name
        What to find it by.
    description
        What it is for.
    shared
        Whether others see it; private by default.
    replace
        Whether a query of that name may be replaced.

    Returns
    -------
    SavedQuery
        As it can be loaded.

    Raises
    ------
    WorkbenchError
        ``requete_existe``, ``requete_valeur`` for a name without letter, ``requete_ecriture``, those of `Query.run`.

    Examples
    --------
    >>> from workbench.dgfip.queries import query
    >>> save_query(query().measure("C70").by("exercice"), "...")
    Traceback (most recent call last):
        ...
    workbench.errors.WorkbenchError: La valeur « ... » ne convient pas à un nom de requête.
    Il y faut au moins une lettre ou un chiffre.
    """
    require_kind(query, Query, "query", "une requête", "Faites-la avec wb.query(base).")
    query.spec.checked()
    saved = SavedQuery(
        checked_text(name, "name").strip(),
        checked_text(description, "description").strip(),
        getpass.getuser(),
        datetime.now(UTC).replace(microsecond=0),
        bool(shared),
        Query(query.spec),
    )
    path = _path(saved.name, saved.shared)
    if path.exists():
        if not replace:
            raise WorkbenchError("requete_existe", nom=saved.name, portee=_scope(saved.shared))
        _require_owner(_read(path, saved.shared))
    _write(saved, path)
    return saved


def saved_queries() -> list[SavedQuery]:
    """List the saved queries, private ones first, by name.

    Raises
    ------
    WorkbenchError
        ``requete_fichier`` when one cannot be read.
    """
    return [_read(path, shared) for shared in (False, True) for path in sorted(_folder(shared).glob("*.yaml"))]


def load_query(name: str, base: Base | None = None, *, shared: bool | None = None) -> Query:
    """Load a saved query.

    Parameters
    ----------
    name
        Its name.
    base
        What to ask it of; None to give it later, with `Query.on`.
    shared
        Where to look; None for the private ones, then the shared ones.

    Raises
    ------
    WorkbenchError
        ``requete_absente`` with the nearest name, ``requete_fichier``.
    """
    found = _find(name, shared)
    return found.query if base is None else found.query.on(base)


def read_query(path: str | Path, base: Base | None = None) -> Query:
    """Read the query of a file, wherever it is.

    Raises
    ------
    WorkbenchError
        ``requete_fichier``.
    """
    found = _read(Path(path), shared=False)
    return found.query if base is None else found.query.on(base)


def rename_query(name: str, to: str, *, shared: bool | None = None) -> SavedQuery:
    """Give a saved query another name; it keeps its place.

    Raises
    ------
    WorkbenchError
        ``requete_absente``, ``requete_existe``, ``requete_proprietaire``.
    """
    found = _find(name, shared)
    _require_owner(found)
    renamed = SavedQuery(
        checked_text(to, "to").strip(), found.description, found.owner, found.date, found.shared, found.query
    )
    old, new = _path(found.name, found.shared), _path(renamed.name, renamed.shared)
    if new != old and new.exists():
        raise WorkbenchError("requete_existe", nom=renamed.name, portee=_scope(found.shared))
    _write(renamed, new)
    if new != old:
        _touch(old.unlink, old)
    return renamed


def duplicate_query(name: str, to: str, *, shared: bool | None = None, share: bool = False) -> SavedQuery:
    """Copy a saved query under another name, as one's own; ``share`` puts the copy in the shared folder.

    Raises
    ------
    WorkbenchError
        ``requete_absente``, ``requete_existe``.
    """
    found = _find(name, shared)
    return save_query(found.query, to, description=found.description, shared=share)


def delete_query(name: str, *, shared: bool | None = None) -> None:
    """Delete a saved query; a shared one, only by who owns it.

    Raises
    ------
    WorkbenchError
        ``requete_absente``, ``requete_proprietaire``.
    """
    found = _find(name, shared)
    _require_owner(found)
    path = _path(found.name, found.shared)
    _touch(path.unlink, path)


def _folder(shared: bool) -> Path:
    known = settings()
    return known.queries if shared else known.private_queries


def _scope(shared: bool) -> str:
    return "partagée" if shared else "privée"


def _path(name: str, shared: bool) -> Path:
    plain = "".join(each for each in unicodedata.normalize("NFKD", name.lower()) if not unicodedata.combining(each))
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80]
    if not slug or not name.isprintable() or len(name) > 200:
        raise WorkbenchError(
            "requete_valeur",
            valeur=name[:60],
            quoi="un nom de requête",
            conseil="Il y faut au moins une lettre ou un chiffre.",
        )
    return _folder(shared) / f"{slug}.yaml"


def _find(name: str, shared: bool | None) -> SavedQuery:
    checked_text(name, "name")
    for place in (False, True) if shared is None else (shared,):
        path = _path(name.strip(), place)
        if path.exists():
            return _read(path, place)
    known = [each.name for each in saved_queries() if shared in {None, each.shared}]
    raise WorkbenchError("requete_absente", nom=name[:60], conseil=nearest(name, known))


def _require_owner(found: SavedQuery) -> None:
    if found.shared and found.owner != getpass.getuser():
        raise WorkbenchError("requete_proprietaire", nom=found.name, proprietaire=found.owner)


def _touch(act: Callable[[], object], path: Path) -> None:
    try:
        act()
    except OSError as error:
        raise WorkbenchError("requete_ecriture", chemin=str(path), cause=error.strerror or str(error)) from error


def _write(saved: SavedQuery, path: Path) -> None:
    document = {
        "nom": saved.name,
        "description": saved.description,
        "proprietaire": saved.owner,
        "date": saved.date.isoformat(),
        "requete": _plain(saved.query.spec),
    }
    out = io.StringIO()
    yaml = YAML()
    yaml.width = 110
    yaml.dump(document, out)

    def write() -> None:
        with replacing(path) as partial:
            partial.write_text(out.getvalue(), encoding="utf-8")

    _touch(write, path)


def _plain(spec: QuerySpec) -> dict[str, Any]:
    """Return a query as the keys of its file, without what it does not ask."""
    perimetre = {name: getattr(spec.perimetre, name) for name in _CRITERIA}
    parts: dict[str, Any] = {
        "perimetre": {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in perimetre.items()
            if value is not None
        },
        "nom": spec.name,
        "comptes": spec.comptes,
        "fonctions": spec.fonctions,
        "exercices": spec.exercices,
        "mesures": [
            {
                "variable": f"{each.side}{each.compte}",
                "type_appel": each.type_appel,
                **({"libelle": each.libelle} if each.libelle else {}),
                **({"par_habitant": True} if each.per_inhabitant else {}),
            }
            for each in spec.measures
        ],
        "par": spec.dimensions,
        "filtres": [
            {"mesure": each.measure, "operateur": each.operator, "valeur": str(each.value)} for each in spec.filters
        ],
        "ordre": spec.order,
        "limite": spec.limit,
    }
    # An empty perimetre criterion keeps nothing, so it stays; an empty list of measures asks nothing.
    kept = {"comptes", "fonctions", "exercices"}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in parts.items()
        if value is not None and (value or name in kept)
    }


def _read(path: Path, shared: bool) -> SavedQuery:
    try:
        raw = path.read_bytes()
        if len(raw) > _MAX_BYTES:
            raise _unreadable(path, "il est trop long")
        document = YAML(typ="safe", pure=True).load(raw.decode("utf-8"))
    except OSError as error:
        raise _unreadable(path, error.strerror or "il est illisible") from error
    except UnicodeDecodeError as error:
        raise _unreadable(path, "il n'est pas écrit en UTF-8") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise _unreadable(path, "ce n'est pas du YAML bien formé") from error
    top = _mapping(path, document, _KEYS, "le fichier")
    try:
        query = _query(path, _mapping(path, top.get("requete"), _PARTS, "requete"))
        query.spec.checked()
        date = datetime.fromisoformat(str(top.get("date", "1970-01-01T00:00:00+00:00")))
    except WorkbenchError as error:
        if error.code == "requete_fichier":
            raise
        raise _unreadable(path, error.message.rstrip("."), error.hint) from error
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise _unreadable(path, "une valeur n'a pas la forme attendue") from error
    return SavedQuery(
        str(top.get("nom", path.stem)),
        str(top.get("description") or ""),
        str(top.get("proprietaire") or ""),
        date if date.tzinfo else date.replace(tzinfo=UTC),
        shared,
        query,
    )


def _query(path: Path, parts: Mapping[str, Any]) -> Query:
    query = Query()
    criteria = dict(_mapping(path, parts.get("perimetre", {}), _CRITERIA, "perimetre"))
    if criteria.get("population") is not None:
        criteria["population"] = tuple(criteria["population"])
    # Files written when members of EPCI were no part of a perimeter have them beside it.
    criteria.setdefault("epci", parts.get("epci"))
    query = query.where(
        **criteria, name=parts.get("nom"), comptes=parts.get("comptes"), fonctions=parts.get("fonctions")
    )
    if parts.get("exercices") is not None:
        query = query.exercices(_listed(path, parts["exercices"], "exercices"))
    for each in _listed(path, parts.get("mesures", []), "mesures"):
        given = _mapping(path, each, ("variable", "type_appel", "libelle", "par_habitant"), "mesures")
        query = query.measure(
            given.get("variable", ""),
            type_appel=given.get("type_appel", "SX"),
            libelle=given.get("libelle", ""),
            per_inhabitant=given.get("par_habitant", False) is True,
        )
    query = query.by(*_listed(path, parts.get("par", []), "par"))
    for each in _listed(path, parts.get("filtres", []), "filtres"):
        given = _mapping(path, each, ("mesure", "operateur", "valeur"), "filtres")
        query = query.filter(str(given.get("mesure")), str(given.get("operateur")), given.get("valeur"))
    return query.order_by(*_listed(path, parts.get("ordre", []), "ordre")).limit(parts.get("limite"))


def _listed(path: Path, value: object, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise _unreadable(path, f"{name} n'est pas une liste")
    return value


def _mapping(path: Path, value: object, keys: tuple[str, ...], name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unreadable(path, f"{name} n'a pas la forme attendue", f"Clés attendues : {', '.join(keys)}.")
    for key in value:
        if key not in keys:
            raise _unreadable(path, f"la clé « {str(key)[:60]} » n'existe pas", nearest(key, keys))
    return value


def _unreadable(path: Path, reason: str, advice: str = "") -> WorkbenchError:
    return WorkbenchError("requete_fichier", chemin=str(path), raison=reason, conseil=advice)
