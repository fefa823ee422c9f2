"""What the page of Production shows and what its visitor may choose, without a widget.

Choices come from a browser, so each is checked against what is offered at that moment. What is asked for goes to the
service of reports, which checks it again and keeps it as hers. It is one module because each choice narrows the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from workbench.dashboards.presentation import spaced_siret
from workbench.dgfip import Base, Perimetre, departements, keeps_nomenclature, perimetre
from workbench.dgfip.identifiers import exercices_by_nomenclature, exercices_of, search_identifiers
from workbench.dgfip.reference import libelle_nomenclature, types_etablissement
from workbench.errors import WorkbenchError
from workbench.reports.visible_budgets import visible_budgets
from workbench.trames import TrameSummary, list_trames, load_trame

__all__ = ["BALANCE", "Chip", "ProductionView"]

BALANCE = "BALANCE"
"""What is chosen in the place of a trame to have every compte."""

KINDS = ("SIRET", "SIREN", "FINESS")
DEFAULT_YEARS = 6
MOST_CHIPS = 500
MOST_PROPOSALS = 20
MOST_CHARACTERS = 80
LEAST_CHARACTERS = 2
"""Characters that a search over the whole country takes."""

Mode = Literal["identifiers", "criteria"]


@dataclass(frozen=True)
class Chip:
    """An identifier that was chosen."""

    value: str
    label: str


@dataclass(frozen=True)
class _Offered:
    """A trame that may be chosen: what it is meant for narrows the other choices."""

    code: str
    libelle: str
    description: str
    types: tuple[str, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class _Chosen:
    nomenclature: str
    trame: str
    mode: Mode = "identifiers"
    kind: str = "SIRET"
    departement: str = ""
    type: str = ""
    chips: tuple[Chip, ...] = ()
    departements: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    population: tuple[int | None, int | None] = (None, None)
    first: int = 0
    last: int = 0
    period: tuple[int, int] | None = None
    """The exercices that were chosen; those shown are the nearest that there are."""


@dataclass
class ProductionView:
    """The choices of a request, one for each visitor.

    Parameters
    ----------
    base
        The accounting base, open read-only.
    folder
        Folder of the trames.

    Raises
    ------
    WorkbenchError
        ``base_sans_comptes``, or ``trames_absentes`` when the folder is not there.
    """

    base: Base
    folder: Path
    _chosen: _Chosen = field(init=False)

    def __post_init__(self) -> None:
        self._visible = visible_budgets(self.base)
        self._years = {name: years for name, years in exercices_by_nomenclature(self.base).items() if name}
        if not self._years:
            raise WorkbenchError("base_sans_comptes")
        right = [each for each in list_trames(self.folder) if not each.errors]
        suited = {name: [each for each in right if _suits(each, name)] for name in self._years}
        for one in right:
            # A serie is also a choice of its own: its budgets, whatever their nomenclature.
            if one.nomenclature and "+" in one.nomenclature and any(one in trames for trames in suited.values()):
                suited.setdefault(one.nomenclature, []).append(one)
        self._summaries = suited
        self._loaded: dict[Path, _Offered] = {}
        self._known: dict[Perimetre, tuple[int, ...]] = {}
        name = next((each for each, trames in suited.items() if trames), next(iter(suited)))
        self._chosen = self._bounded(_Chosen(name, self._first_trame(name)))

    # What is offered

    def _first_trame(self, nomenclature: str) -> str:
        trames = self._summaries[nomenclature]
        return trames[0].code if trames else BALANCE

    @property
    def trame(self) -> _Offered | None:
        """The trame chosen; None for the balance."""
        if self._chosen.trame == BALANCE:
            return None
        one = next(each for each in self._summaries[self._chosen.nomenclature] if each.code == self._chosen.trame)
        if one.path not in self._loaded:
            trame = load_trame(one.path)
            kinds = tuple(kind for kind in KINDS if kind in (trame.types_identifiant or KINDS))
            self._loaded[one.path] = _Offered(
                one.code, one.libelle, one.description, trame.types_etablissement, kinds or KINDS
            )
        return self._loaded[one.path]

    @property
    def exercices(self) -> tuple[int, ...]:
        """Exercices of the data, ascending: of what is chosen, once something is.

        A balance takes all the comptes of its budgets, whatever their nomenclature.
        """
        chosen = self._chosen
        nomenclature = None if chosen.trame == BALANCE else chosen.nomenclature
        wanted = self._perimetre()
        if wanted is None:
            known = self._years.items()
            kept = (years for name, years in known if nomenclature is None or keeps_nomenclature(nomenclature, name))
            return tuple(sorted({year for years in kept for year in years}))
        wanted = self._visible.narrow(replace(wanted, nomenclature=nomenclature))
        if wanted not in self._known:
            self._known = {wanted: exercices_of(self.base, wanted)}
        return self._known[wanted]

    def _perimetre(self) -> Perimetre | None:
        """The budgets chosen; None while nothing is, or while the bounds of population are the wrong way round."""
        chosen = self._chosen
        if chosen.mode == "identifiers":
            idents = [chip.value for chip in chosen.chips]
            if not idents:
                return None
            sirets, sirens, finess = (idents if chosen.kind == kind else None for kind in KINDS)
            return perimetre(sirets=sirets, sirens=sirens, finess=finess)
        low, high = chosen.population
        if not (chosen.departements or chosen.types or low or high) or (low and high and low > high):
            return None
        return perimetre(
            departements=chosen.departements or None,
            types=chosen.types or None,
            population=chosen.population if low or high else None,
        )

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of identifiers that the trame is meant for."""
        return KINDS if self.trame is None else self.trame.kinds

    @property
    def types(self) -> dict[str, str]:
        """Establishment types that the trame is meant for, by code."""
        known = types_etablissement()
        if self.trame is None or not self.trame.types:
            return known
        return {code: known.get(code, code) for code in self.trame.types}

    def form(self) -> dict[str, Any]:
        """Return the choices and what is chosen, for the form."""
        chosen = self._chosen
        years = self.exercices
        return {
            "nomenclatures": [
                {"value": name, "label": f"{name} — {said}" if (said := libelle_nomenclature(name)) != name else name}
                for name in self._summaries
            ],
            "nomenclature": chosen.nomenclature,
            "trames": [
                *(
                    {"value": each.code, "label": each.libelle or each.code}
                    for each in self._summaries[chosen.nomenclature]
                ),
                {"value": BALANCE, "label": "BALANCE : tous les comptes"},
            ],
            "trame": chosen.trame,
            "about": self.trame.description.strip() if self.trame is not None else "",
            "mode": chosen.mode,
            "criteria": chosen.trame != BALANCE,
            "departements": self._departements(),
            "departement": chosen.departement,
            "types": [{"value": code, "label": f"{code} {name}"} for code, name in self.types.items()],
            "type": chosen.type,
            "kinds": [{"value": kind, "label": kind} for kind in self.kinds],
            "kind": chosen.kind,
            "least": 0 if chosen.departement else LEAST_CHARACTERS,
            "chips": [{"value": chip.value, "label": chip.label} for chip in chosen.chips],
            "several_departements": list(chosen.departements),
            "several_types": list(chosen.types),
            "population": ["" if each is None else str(each) for each in chosen.population],
            "exercices": list(years),
            "first": chosen.first,
            "last": chosen.last,
            "missing": self.missing(),
        }

    @staticmethod
    def _departements() -> list[dict[str, str]]:
        named = sorted(departements().items(), key=lambda each: _plain(each[1]))
        return [{"value": code, "label": f"{name} ({code.removeprefix('0')})"} for code, name in named]

    def search(self, text: object) -> list[dict[str, str]]:
        """Return proposals for a text being typed: value, label and detail of each."""
        chosen = self._chosen
        asked = text[:MOST_CHARACTERS].strip() if isinstance(text, str) else ""
        if len(asked) < LEAST_CHARACTERS and not chosen.departement:
            return []
        if asked and not any(sign.isalnum() for sign in asked):
            return []
        found = search_identifiers(
            self.base,
            chosen.kind,  # type: ignore[arg-type] # one of KINDS
            asked,
            departements=chosen.departement or None,
            types=[chosen.type] if chosen.type else list(self.types) if self.trame and self.trame.types else None,
            among=self._visible.sirets,
            limit=MOST_PROPOSALS,
        )
        return [
            {"value": row["identifiant"], "label": row["libelle"] or row["identifiant"], "detail": _detail(row)}
            for row in found.to_pylist()
        ]

    # What is chosen

    def choose(self, name: object, value: object) -> None:
        """Take a choice of the visitor.

        Parameters
        ----------
        name
            ``nomenclature``, ``trame``, ``mode``, ``kind``, ``departement``, ``type``, ``departements``, ``types``,
            ``population``, ``exercices``.
        value
            Text; a list for the last four.

        Raises
        ------
        WorkbenchError
            ``choix_inconnu``, ``perimetre_invalide`` for a population that is no number; then nothing has changed.
        """
        changes = {
            "nomenclature": self._nomenclature,
            "trame": self._trame,
            "mode": self._mode,
            "kind": self._kind,
            "departement": self._departement,
            "type": self._type,
            "departements": self._several_departements,
            "types": self._several_types,
            "population": self._population,
            "exercices": self._exercices,
        }
        if not isinstance(name, str) or name not in changes:
            raise _unknown("Choix", name)
        before = self._chosen
        try:
            self._chosen = self._bounded(changes[name](value))
        except WorkbenchError:
            self._chosen = before
            raise

    def _nomenclature(self, value: object) -> _Chosen:
        name = _among("Nomenclature", value, self._summaries)
        codes = {each.code for each in self._summaries[name]} | {BALANCE}
        kept = self._chosen.trame if self._chosen.trame in codes else self._first_trame(name)
        return self._narrowed(replace(self._chosen, nomenclature=name, trame=kept))

    def _trame(self, value: object) -> _Chosen:
        codes = [each.code for each in self._summaries[self._chosen.nomenclature]]
        return self._narrowed(replace(self._chosen, trame=_among("Trame", value, [*codes, BALANCE])))

    def _narrowed(self, chosen: _Chosen) -> _Chosen:
        """Drop what the trame is not meant for."""
        self._chosen = chosen
        kind = chosen.kind if chosen.kind in self.kinds else self.kinds[0]
        return self._bounded(
            replace(
                chosen,
                mode="identifiers" if chosen.trame == BALANCE else chosen.mode,
                kind=kind,
                chips=chosen.chips if kind == chosen.kind else (),
                type=chosen.type if chosen.type in self.types else "",
                types=tuple(each for each in chosen.types if each in self.types),
            )
        )

    def _bounded(self, chosen: _Chosen) -> _Chosen:
        self._chosen = chosen
        years = self.exercices
        if not years:
            return replace(chosen, first=0, last=0)
        first, last = chosen.period or (years[-DEFAULT_YEARS:][0], years[-1])
        inside = [year for year in years if first <= year <= last] or list(years)
        return replace(chosen, first=inside[0], last=inside[-1])

    def _mode(self, value: object) -> _Chosen:
        mode = _among(
            "Choix", value, ("identifiers",) if self._chosen.trame == BALANCE else ("identifiers", "criteria")
        )
        return replace(self._chosen, mode=mode)  # type: ignore[arg-type] # one of the two

    def _kind(self, value: object) -> _Chosen:
        # Identifiers of one kind only: the service takes no mixture.
        kind = _among("Type d'identifiant", value, self.kinds)
        return self._chosen if kind == self._chosen.kind else replace(self._chosen, kind=kind, chips=())

    def _departement(self, value: object) -> _Chosen:
        return replace(self._chosen, departement=_among("Département", value, ["", *departements()]))

    def _type(self, value: object) -> _Chosen:
        return replace(self._chosen, type=_among("Type d'établissement", value, ["", *self.types]))

    def _several_departements(self, value: object) -> _Chosen:
        return replace(self._chosen, departements=_several("Département", value, departements()))

    def _several_types(self, value: object) -> _Chosen:
        return replace(self._chosen, types=_several("Type d'établissement", value, self.types))

    def _population(self, value: object) -> _Chosen:
        if not isinstance(value, list) or len(value) != 2:
            raise _unknown("Population", value)
        bounds = tuple(_number(each) for each in value)
        return replace(self._chosen, population=(bounds[0], bounds[1]))

    def _exercices(self, value: object) -> _Chosen:
        years = self.exercices
        if not isinstance(value, list) or len(value) != 2 or not all(_is_year(each, years) for each in value):
            raise _unknown("Exercices", value)
        return replace(self._chosen, period=(min(value), max(value)))

    def add(self, value: object) -> None:
        """Add an identifier that was proposed, or one that was pasted; one that is there already changes nothing.

        Raises
        ------
        WorkbenchError
            ``choix_inconnu``: the base has no such identifier; ``trop_de_choix``.
        """
        text = re.sub(r"\s", "", value).upper() if isinstance(value, str) else ""
        if any(chip.value == text for chip in self._chosen.chips):
            return
        if len(self._chosen.chips) >= MOST_CHIPS:
            raise WorkbenchError("trop_de_choix", limite=MOST_CHIPS)
        found = [
            row
            for row in search_identifiers(
                self.base,
                self._chosen.kind,  # type: ignore[arg-type] # as above
                text,
                among=self._visible.sirets,
                limit=1,
            ).to_pylist()
            if text and row["identifiant"] == text
        ]
        if not found:
            raise _unknown(self._chosen.kind, value)
        chip = Chip(text, found[0]["libelle"] or text)
        self._chosen = self._bounded(replace(self._chosen, chips=(*self._chosen.chips, chip)))

    def remove(self, value: object) -> None:
        """Take an identifier out; all of them when None."""
        kept = () if value is None else tuple(chip for chip in self._chosen.chips if chip.value != value)
        self._chosen = self._bounded(replace(self._chosen, chips=kept))

    # What is asked for

    def missing(self) -> str:
        """Say what keeps the request from being made; empty when nothing does."""
        chosen = self._chosen
        if chosen.mode == "identifiers":
            return self._absent() if chosen.chips else "Choisissez au moins une collectivité."
        low, high = chosen.population
        if low is not None and high is not None and low > high:
            return "La population minimale dépasse la population maximale."
        criteria = chosen.departements or chosen.types or low or high
        return self._absent() if criteria else "Choisissez au moins un critère : département, type ou population."

    def _absent(self) -> str:
        if self._chosen.last:
            return ""
        kept = "" if self._chosen.trame == BALANCE else f" en {self._chosen.nomenclature}"
        return f"Les collectivités choisies n'ont pas de comptes{kept}."

    def wanted(self) -> tuple[Literal["report", "balance", "aggregate"], dict[str, Any]]:
        """Return the request as the service takes it: its kind and its body.

        Raises
        ------
        WorkbenchError
            ``demande_incomplete``.
        """
        missing = self.missing()
        if missing:
            raise WorkbenchError("demande_incomplete", manque=missing[0].lower() + missing[1:].rstrip("."))
        chosen = self._chosen
        body: dict[str, Any] = {"financial_year_min": chosen.first, "financial_year_max": chosen.last}
        named = {"identifiers": [chip.value for chip in chosen.chips], "identifiers_type": chosen.kind}
        if chosen.trame == BALANCE:
            return "balance", body | named
        body |= {"frame": chosen.trame, "nomenclature": chosen.nomenclature}
        if chosen.mode == "identifiers":
            return "report", body | named
        low, high = chosen.population
        criteria = {"departments": list(chosen.departements), "institutions": list(chosen.types)}
        return "aggregate", body | criteria | {"pop_min": low, "pop_max": high}


def _suits(one: TrameSummary, nomenclature: str) -> bool:
    return one.nomenclature is None or keeps_nomenclature(one.nomenclature, nomenclature)


def _plain(text: str) -> str:
    return text.translate(str.maketrans("ÉéèêôÎîçà'-", "EeeeoIica  ")).lower()


def _detail(row: Mapping[str, Any]) -> str:
    value = str(row["identifiant"])
    first, last = row["premier_exercice"], row["dernier_exercice"]
    departement = str(row["departement"] or "")
    parts = (
        spaced_siret(value) if len(value) == 14 else value,
        f"département {departement.removeprefix('0')}" if departement else "",
        str(first) if first == last else f"{first} à {last}",
    )
    return " · ".join(part for part in parts if part)


def _among(name: str, value: object, offered: Iterable[str]) -> str:
    if not isinstance(value, str) or value not in offered:
        raise _unknown(name, value)
    return value


def _several(name: str, value: object, offered: Mapping[str, str] | Sequence[str]) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _unknown(name, value)
    return tuple(dict.fromkeys(_among(name, each, offered) for each in value))


def _number(value: object) -> int | None:
    text = re.sub(r"\s", "", value) if isinstance(value, str) else "?"
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        written = str(value)[:MOST_CHARACTERS]
        advice = "Écrivez un nombre d'habitants, par exemple 5 000, ou rien."
        raise WorkbenchError("perimetre_invalide", critere="population", valeur=written, conseil=advice)
    return int(text) or None


def _is_year(value: object, years: Sequence[int]) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in years


def _unknown(name: str, value: object) -> WorkbenchError:
    return WorkbenchError("choix_inconnu", champ=name, valeur=str(value)[:MOST_CHARACTERS])
