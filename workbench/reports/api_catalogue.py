"""What clients of the HTTP API choose from: trames, their indicateurs, nomenclatures, départements, types.

Fields are those of the old application (specification of OpenAnafi, section 9), so that its scripts find them. The
shared folder of trames is read again when one of its files changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from workbench.config import settings
from workbench.dgfip.reference import departements, nomenclatures, types_etablissement
from workbench.errors import WorkbenchError
from workbench.registry import Registry
from workbench.reports.api_numbers import name_of, numbers_of
from workbench.trames import Indicateur, Trame, list_trames, load_trame

__all__ = [
    "IDENTIFIER_TYPES",
    "Catalogue",
    "Kept",
    "department_rows",
    "identifier_type_rows",
    "institution_rows",
    "number_of",
    "shown_text",
]

IDENTIFIER_TYPES = ("SIRET", "SIREN", "FINESS")

CORSE = {"02A": 201, "02B": 202}
"""Numbers of the départements that are not written in digits; no other has them."""


def department_rows() -> list[dict[str, Any]]:
    """List the départements; the number of each is its code as an integer.

    Examples
    --------
    >>> department_rows()[33]
    {'id': 33, 'name': 'Gironde', 'number': '033'}
    """
    return [{"id": CORSE.get(code) or int(code), "name": name, "number": code} for code, name in departements().items()]


def institution_rows() -> list[dict[str, Any]]:
    """List the establishment types; the number of each is its code as an integer.

    Examples
    --------
    >>> institution_rows()[0]
    {'id': 101, 'name': 'Commune (BP)', 'number': '101', 'legal_status': 0}
    """
    return [
        {"id": int(code), "name": name, "number": code, "legal_status": 0}
        for code, name in types_etablissement().items()
    ]


def identifier_type_rows() -> list[dict[str, Any]]:
    """List the kinds of identifiers."""
    return [{"id": place, "name": name} for place, name in enumerate(IDENTIFIER_TYPES, 1)]


@dataclass(frozen=True)
class Kept:
    """A trame of the shared folder.

    Parameters
    ----------
    path
        Its file.
    trame
        What it holds.
    """

    path: Path
    trame: Trame

    @cached_property
    def depths(self) -> Mapping[str, int]:
        """How far each indicateur is from those that name none."""
        found: dict[str, int] = {}
        for code in self.trame.order:
            found[code] = 1 + max((found[name] for name in self.trame.dependencies(code) if name in found), default=-1)
        return found


class Catalogue:
    """The shared trames and the nomenclatures, with their numbers.

    Parameters
    ----------
    registry
        Opened with `workbench.reports.api_numbers.ROOM`.
    folder
        Of the trames; ``WORKBENCH_TRAMES`` by default.
    """

    def __init__(self, registry: Registry, folder: Path | None = None) -> None:
        self.registry = registry
        self.folder = folder or settings().trames
        self._seen = object()
        self._kept: dict[str, Kept] = {}

    @property
    def trames(self) -> dict[str, Kept]:
        """The trames that can be read, by code, in the order of their files."""
        seen = _state(self.folder)
        if seen != self._seen:
            right = [each.path for each in list_trames(self.folder) if not each.errors]
            loaded = [Kept(path, load_trame(path)) for path in right]
            self._kept, self._seen = {each.trame.code: each for each in loaded}, seen
        return self._kept

    def trame(self, given: object) -> Kept:
        """Return a trame, from its number or its code.

        Raises
        ------
        WorkbenchError
            ``api_objet_absent``.
        """
        code = self._name("frame", given)
        found = self.trames.get(code or "")
        if found is None:
            raise WorkbenchError("api_objet_absent", objet="trame", identifiant=shown_text(given))
        return found

    def nomenclature(self, given: object) -> str | None:
        """Return a nomenclature, from its number or its name; None when none is given.

        Raises
        ------
        WorkbenchError
            ``api_objet_absent``.
        """
        if given is None or given == "":
            return None
        name = self._name("nomenclature", given)
        if name not in self._nomenclatures():
            raise WorkbenchError("api_objet_absent", objet="nomenclature", identifiant=shown_text(given))
        return name

    def _name(self, kind: str, given: object) -> str | None:
        number = number_of(given)
        if number is not None:
            return name_of(self.registry, kind, number)
        return given if isinstance(given, str) else None

    def frame_rows(self) -> list[dict[str, Any]]:
        """List the trames."""
        kept = list(self.trames.values())
        frames = numbers_of(self.registry, "frame", [each.trame.code for each in kept])
        charts = numbers_of(self.registry, "nomenclature", self._nomenclatures())
        names = [_name(each.trame, code) for each in kept for code in each.trame.codes]
        indicateurs = numbers_of(self.registry, "indicator", names)
        labels = types_etablissement()
        return [
            {
                "id": frames[trame.code],
                "name": trame.code,
                "description": "\n".join(filter(None, (trame.libelle, trame.description))),
                "indicators": [indicateurs[_name(trame, code)] for code in trame.codes],
                "nomenclature": charts[trame.nomenclature] if trame.nomenclature else None,
                "identifiers_type": [{"name": name} for name in trame.types_identifiant or IDENTIFIER_TYPES],
                "institutions_type": [
                    {"id": int(code), "name": labels.get(code, code), "number": code, "legal_status": 0}
                    for code in trame.types_etablissement or labels
                ],
                "model_name": Path(trame.modele).name,
            }
            for trame in (each.trame for each in kept)
        ]

    def frame_numbers(self, codes: Iterable[str]) -> dict[str, int]:
        """Return the number of each trame that is still there."""
        return numbers_of(self.registry, "frame", [code for code in codes if code in self.trames])

    def nomenclature_rows(self) -> list[dict[str, Any]]:
        """List the nomenclatures: those that are known, and those of trames that follow several."""
        names = self._nomenclatures()
        numbers = numbers_of(self.registry, "nomenclature", names)
        return [{"id": numbers[name], "name": name, "description": text} for name, text in names.items()]

    def _nomenclatures(self) -> dict[str, str]:
        used = {each.trame.nomenclature: "" for each in self.trames.values() if each.trame.nomenclature}
        return {**nomenclatures(), **{name: text for name, text in used.items() if name not in nomenclatures()}}

    def indicateur_rows(self, frame: object = None) -> list[dict[str, Any]]:
        """List the indicateurs of a trame, or of all when it is None."""
        kept = list(self.trames.values()) if frame is None else [self.trame(frame)]
        frames = numbers_of(self.registry, "frame", [each.trame.code for each in kept])
        named = {_name(each.trame, one.code): (each, one) for each in kept for one in each.trame.indicateurs}
        numbers = numbers_of(self.registry, "indicator", named)
        parts = [f"{name}/{place}" for name, (_, one) in named.items() for place in range(len(one.formules))]
        formules = numbers_of(self.registry, "parameter", parts)
        return [
            {
                "id": numbers[name],
                "name": one.code,
                "description": one.description,
                "frames": [frames[each.trame.code]],
                "max_depth": each.depths[one.code],
                "parameters": [
                    {
                        "id": formules[f"{name}/{place}"],
                        "indicator": numbers[name],
                        "year_min": part.exercice_min,
                        "year_max": part.exercice_max,
                        "readable_equation": part.texte,
                        "original_equation": part.texte,
                        "depth": each.depths[one.code],
                    }
                    for place, part in enumerate(one.formules)
                ],
                "public": True,
                "last_modified_by": "",
                "libelles": [{"libelle": one.libelle, "indicator": numbers[name]}] if one.libelle else [],
            }
            for name, (each, one) in named.items()
        ]

    def formule(self, given: object) -> tuple[Indicateur, int]:
        """Return an indicateur and the place of one of its formules, from the number of the formule.

        Raises
        ------
        WorkbenchError
            ``api_objet_absent``.
        """
        name = self._name("parameter", given) if number_of(given) is not None else None
        if name is not None:
            code, indicateur, place = name.split("/")
            kept = self.trames.get(code)
            if kept is not None and indicateur in kept.trame:
                found = kept.trame[indicateur]
                if int(place) < len(found.formules):
                    return found, int(place)
        raise WorkbenchError("api_objet_absent", objet="formule", identifiant=shown_text(given))


def number_of(given: object) -> int | None:
    """Return an identifier that is a number, written as one or in digits; None for any other thing.

    Examples
    --------
    >>> number_of(3), number_of("3"), number_of("m14_basique"), number_of(True)
    (3, 3, None, None)
    """
    if isinstance(given, bool):
        return None
    if isinstance(given, int):
        return given
    if isinstance(given, float) and given.is_integer():
        return int(given)
    if isinstance(given, str) and given.strip().isascii() and given.strip().isdigit() and len(given) < 20:
        return int(given)
    return None


def _name(trame: Trame, code: str) -> str:
    return f"{trame.code}/{code}"


def shown_text(given: object) -> str:
    """Return what a client wrote, as a message may quote it."""
    return "".join(sign if sign.isprintable() else "?" for sign in str(given)[:60])


def _state(folder: Path) -> object:
    try:
        found = [(path.name, path.stat()) for path in folder.iterdir() if path.suffix.lower() in (".yaml", ".yml")]
    except OSError:
        return None
    return sorted((name, each.st_mtime_ns, each.st_size) for name, each in found)
