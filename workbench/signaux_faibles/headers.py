"""The columns of a file, found by their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.declaration import Source
from workbench.signaux_faibles.kinds import periods

__all__ = ["Header", "match_header"]


@dataclass(frozen=True)
class Header:
    """Where the columns of a source are in a file.

    Parameters
    ----------
    names
        All names of the file, lower case.
    places
        Our lower-case names to places.
    labels
        Our lower-case names to names as written, for messages.
    months
        First days of the months of the columns that repeat a field, and their places.
    """

    names: frozenset[str]
    places: Mapping[str, int]
    labels: Mapping[str, str]
    months: tuple[tuple[str, int], ...] = field(default=())


def match_header(source: Source, header: tuple[str, ...], *, by_siret: bool, file: str) -> Header:
    """Find the columns of a source in a header; letter case and spaces around do not matter.

    Parameters
    ----------
    source
        What is looked for.
    header
        Names as written.
    by_siret
        Whether the file names a SIRET, so that its column of accounts may be absent.
    file
        For messages.

    Raises
    ------
    WorkbenchError
        ``colonne_non_trouvee`` with the columns that are required and absent, ``colonne_double``.
    """
    written = [each.strip() for each in header]
    lower = [_plain(each) for each in written]
    if source.layout.positions:
        if len(header) <= max(source.layout.positions.values()):
            raise WorkbenchError(
                "nombre_colonnes",
                fichier=file,
                nature=source.title,
                nombre=len(header),
                attendu=1 + max(source.layout.positions.values()),
                colonnes=", ".join(source.layout.positions),
            )
        places = dict(source.layout.positions)
        return Header(frozenset(places), places, {name: name for name in places})
    places, labels, missing = {}, {}, []
    for each in source.columns:
        name = each.name.lower()
        found = next((known for known in (name, *map(_plain, each.aliases)) if known in lower), None)
        if found is None:
            if each.required and not (by_siret and source.compte is not None and name == source.compte[0]):
                missing.append(each.name)
            continue
        if lower.count(found) > 1:
            raise WorkbenchError("colonne_double", fichier=file, colonne=each.name)
        places[name] = lower.index(found)
        labels[name] = written[places[name]]
    if by_siret:
        places["siret"] = lower.index("siret")
        labels["siret"] = written[places["siret"]]
    if missing:
        raise WorkbenchError("colonne_non_trouvee", fichier=file, colonnes=", ".join(missing))
    months: list[tuple[str, int]] = []
    if source.months is not None:
        for place, name in enumerate(lower):
            if name.startswith(source.months.prefix):
                months += [(day, place) for day in _day(name.removeprefix(source.months.prefix))]
        seen = [day for day, _ in months]
        double = next((day for day in seen if seen.count(day) > 1), None)
        if double is not None:
            raise WorkbenchError("colonne_double", fichier=file, colonne=f"{source.months.prefix} {double}")
    return Header(frozenset(lower), places, labels, tuple(sorted(months)))


def _plain(name: str) -> str:
    """Return a name without what changes from one delivery to the next: case, typographic apostrophes."""
    return name.strip().lower().replace("\u2019", "'")


def _day(period: str) -> list[str]:
    """Return the day of a period, none when the rest of the name is something else (``effectif``)."""
    try:
        return periods([period]) if len(period) == 6 and period.isdigit() else []
    except ValueError:
        return []
