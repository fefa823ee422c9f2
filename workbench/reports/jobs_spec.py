"""What a job is asked to make, checked before it is kept: everything that can be refused is, before anything runs."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from workbench.config import settings
from workbench.dgfip import Perimetre, perimetre
from workbench.errors import WorkbenchError

__all__ = ["FORMATS", "JobSpec", "stem_of", "stored_base"]

Kind = Literal["report", "balance", "aggregate"]

FORMATS = ("excel", "notebook", "html", "pdf")
"""What a report can be made of; the notebook is executed for all but the workbook."""

_TUPLES = ("sirets", "sirens", "finess", "departements", "types", "population", "exercices", "formats", "among")

STEM_BYTES = 180
"""A file system takes 255 bytes a name; extensions and marks of work in progress need some."""


@dataclass(frozen=True)
class JobSpec:
    """What to make.

    Parameters
    ----------
    kind
        ``report`` (a trame on some budgets, taken together), ``balance`` (their comptes), ``aggregate`` (a trame on
        all budgets that meet criteria, taken together).
    exercices
        First and last.
    base
        Path or URL of the accounting base; empty for the worker's own (``WORKBENCH_BASE``).
    snapshot
        State of the base that workbooks are made from; empty for the current one.
    trame
        Its path or code; empty for a balance.
    sirets, sirens, finess
        Identifiers of a report or a balance.
    departements, types, population, nomenclature
        Criteria of an aggregate; the last one serves reports too, ``"toutes"`` for no filter.
    formats
        Of `FORMATS`.
    among
        The SIRET that its author may see among those asked for, none of the others being read; None for all.
    model, notebook, title, parameters, timeout
        As for `workbench.run_report`.

    Examples
    --------
    >>> spec = JobSpec("report", (2018, 2020), trame="m14_basique", sirets=("21330063500017",))
    >>> JobSpec.of(spec.to_json()) == spec
    True
    """

    kind: Kind
    exercices: tuple[int, int]
    base: str = ""
    snapshot: str = ""
    trame: str = ""
    sirets: tuple[str, ...] = ()
    sirens: tuple[str, ...] = ()
    finess: tuple[str, ...] = ()
    departements: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    population: tuple[int | None, int | None] | None = None
    nomenclature: str | None = None
    formats: tuple[str, ...] = ("excel",)
    among: tuple[str, ...] | None = None
    model: str | None = None
    notebook: str | None = None
    title: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    timeout: float = 600

    def to_json(self) -> dict[str, Any]:
        """Return what differs from the defaults, as JSON values."""
        kept = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in kept.items()
            # Nobody to see is not everybody.
            if value not in ((), {}, None, "") or (name == "among" and value is not None)
        }

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> JobSpec:
        """Read what `to_json` gave."""
        read: dict[str, Any] = {
            name: tuple(value) if name in _TUPLES and value is not None else value for name, value in content.items()
        }
        return cls(**read)

    @property
    def years(self) -> range:
        """The exercices asked for."""
        return range(self.exercices[0], self.exercices[1] + 1)

    @property
    def grouping(self) -> str | None:
        """What jobs that one plan can evaluate together share; None for a job of its own."""
        if self.kind != "report" or self.formats != ("excel",) or len(self.sirets) != 1 or self.sirens or self.finess:
            return None
        if self.among is not None:
            return None
        shared = {name: value for name, value in self.to_json().items() if name != "sirets"}
        return sha256(json.dumps(shared, sort_keys=True).encode()).hexdigest()[:32]

    def perimetre(self) -> Perimetre:
        """The budgets asked for that its author may see, nomenclature apart.

        Raises
        ------
        WorkbenchError
            ``identifiant_invalide``, ``perimetre_invalide``.
        """
        asked = self.asked()
        return asked if self.among is None else replace(asked, sirets=self.among, sirens=None, finess=None)

    def asked(self) -> Perimetre:
        """The budgets asked for, nomenclature and rights apart; raises as `perimetre` does."""
        return perimetre(
            sirets=self.sirets or None,
            sirens=self.sirens or None,
            finess=self.finess or None,
            departements=self.departements or None,
            types=self.types or None,
            population=self.population,
        )

    def checked(self) -> JobSpec:
        """Return the same with identifiers as the base writes them.

        Raises
        ------
        WorkbenchError
            ``identifiant_invalide``, ``perimetre_invalide``, ``exercice_impossible``, ``exercices_inverses``,
            ``demande_incomplete`` and ``demande_formats``.
        """
        for exercice in self.exercices:
            if isinstance(exercice, bool) or not isinstance(exercice, int) or not 1900 < exercice < 2200:
                raise WorkbenchError("exercice_impossible", exercice=exercice)
        first, last = self.exercices
        if first > last:
            raise WorkbenchError("exercices_inverses", debut=first, fin=last)
        wanted = self.asked()
        named = wanted.sirets or wanted.sirens or wanted.finess
        if self.kind == "aggregate":
            if not (self.departements or self.types or self.population):
                raise WorkbenchError("demande_incomplete", manque="un critère : département, type ou population")
        elif not named:
            raise WorkbenchError("demande_incomplete", manque="un SIRET, un SIREN ou un FINESS")
        if self.kind != "balance" and not self.trame:
            raise WorkbenchError("demande_incomplete", manque="une trame")
        possible = FORMATS if self.kind == "report" else ("excel",)
        wrong = [each for each in self.formats if each not in possible]
        if wrong or not self.formats:
            raise WorkbenchError("demande_formats", formats=", ".join(wrong) or "aucun", possibles=", ".join(possible))
        return replace(
            self,
            sirets=wanted.sirets or (),
            sirens=wanted.sirens or (),
            finess=wanted.finess or (),
            departements=wanted.departements or (),
            types=wanted.types or (),
            population=wanted.population,
            formats=tuple(each for each in FORMATS if each in self.formats),
        )


def stored_base(base: str | Path | None) -> str:
    """Return the address of a base as it may be kept: absolute, and never with a password.

    Raises
    ------
    WorkbenchError
        ``base_mot_de_passe`` for an address with a password that is not the one of the settings.
    """
    address = str(base or settings().base)
    if "://" not in address:
        # Its path is a link to the current snapshot: made absolute, not followed.
        return str(Path(address).absolute())
    try:
        secret = make_url(address).password is not None
    except ArgumentError:
        secret = False
    if not secret:
        return address
    if address == settings().base:
        return ""
    raise WorkbenchError("base_mot_de_passe")


def stem_of(parts: Iterable[object], moment: datetime) -> str:
    """Name files after parts and a moment: no separator of folders, no blank, no more than `STEM_BYTES`.

    Examples
    --------
    >>> stem_of(["Etat", "m14", "21330063500017", 2018, "Commune d'../été"], datetime(2026, 11, 21, 9, 5))
    "Etat_m14_21330063500017_2018_Commune_d'.._été_20261121_09h05"
    """
    text = "_".join(re.sub(r"[^\w.'+-]+", "_", unicodedata.normalize("NFC", str(part))).strip("_") for part in parts)
    date = f"_{moment:%Y%m%d_%Hh%M}"
    kept = text.lstrip(".").encode()[: STEM_BYTES - len(date)].decode(errors="ignore")
    return kept.rstrip("_") + date
