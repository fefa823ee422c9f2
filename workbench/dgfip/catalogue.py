"""What a base holds: its budgets by name, the labels of its comptes, its figures."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlalchemy import and_, column, func, or_, select, table

from workbench.dgfip.base import Base, snapshots
from workbench.dgfip.import_report import grouped
from workbench.dgfip.schema import balances, budgets, collectivites, comptes, imports, plan_comptes, plan_fonctions
from workbench.dgfip.selection import perimetre, under_nomenclature
from workbench.display import facts, frame_table, view
from workbench.errors import WorkbenchError, require_kind

__all__ = [
    "BaseInfo",
    "base_info",
    "find_collectivites",
    "libelles_comptes",
    "libelles_fonctions",
    "searchable",
    "words_of",
]


def find_collectivites(
    base: Base,
    text: str = "",
    limit: int = 20,
    *,
    departement: str | int | None = None,
    nomenclature: str | None = None,
    among: Collection[str] | None = None,
) -> pd.DataFrame:
    """Search budgets by label or by SIRET, as someone types.

    Parameters
    ----------
    base
        An open base.
    text
        Words of the label, in any order, accents and case apart; or the first digits of a SIRET.
    limit
        Largest number of rows.
    departement
        Only this one: ``"031"``, ``31``.
    nomenclature
        Only budgets that had this one, or one of several (``"M14+M57"``, ``"M4*"``), in some exercice.
    among
        Only these SIRET; None for all.

    Returns
    -------
    pandas.DataFrame
        One row a SIRET that has balances: ``siret, libelle, departement, type_etablissement,
        nomenclature`` of its latest exercice, ``premier_exercice, dernier_exercice``. Labels that
        begin with the text come first, then budgets principaux.
    """
    require_kind(base, Base, "base", "une base ouverte", 'Ouvrez-la : wb.connect("base.duckdb").')
    require_kind(text, str, "text", "un texte", "Écrivez un nom, ou le début d'un SIRET entre guillemets.")
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise WorkbenchError(
            "argument_inattendu", parametre="limit", attendu="un nombre de lignes, au moins 1", recu=limit, conseil=""
        )
    c = collectivites.c
    asked = perimetre(nomenclature=nomenclature).nomenclature
    latest = {name: func.arg_max(c[name], c.exercice) for name in _LATEST}
    conditions = []
    if departement is not None:
        conditions.append(c.departement.in_(perimetre(departements=departement).departements or ()))
    tables: dict[str, pa.Table] = {}
    if among is not None:
        tables["parmi"] = pa.table({"siret": pa.array(sorted(among), pa.string())})
        conditions.append(c.siret.in_(select(table("parmi", column("siret")).c.siret)))
    rows = (
        select(
            c.siret,
            *(value.label(name) for name, value in latest.items()),
            func.min(c.exercice).label("premier_exercice"),
            func.max(c.exercice).label("dernier_exercice"),
            func.bool_or(under_nomenclature(c.nomenclature, asked or "")).label("avec_nomenclature"),
        )
        .select_from(collectivites)
        .join(budgets, and_(budgets.c.siret == c.siret, budgets.c.exercice == c.exercice))
        .where(*conditions)
        .group_by(c.siret)
        .subquery()
    )
    words = words_of(text)
    name = searchable(rows.c.libelle)
    found = select(*(rows.c[each] for each in _COLUMNS))
    digits = re.sub(r"\s", "", text)
    if digits.isdecimal():
        found = found.where(func.starts_with(rows.c.siret, digits))
    else:
        found = found.where(*(func.contains(name, word) for word in words))
    if asked:
        found = found.where(rows.c.avec_nomenclature)
    order = (func.starts_with(name, " ".join(words)).desc(), rows.c.type_budget, rows.c.libelle, rows.c.siret)
    frame: pd.DataFrame = base.fetch(found.order_by(*order).limit(limit), tables).to_pandas()
    return frame


_LATEST = ("libelle", "departement", "type_etablissement", "nomenclature", "type_budget")
_COLUMNS = (
    *("siret", "libelle", "departement", "type_etablissement", "nomenclature"),
    *("premier_exercice", "dernier_exercice"),
)


def searchable(label: Any) -> Any:
    """Return a label as it is searched: lower case, without accents, words parted by one blank."""
    return func.trim(func.regexp_replace(func.lower(func.strip_accents(label)), "[^a-z0-9]+", " ", "g"))


def words_of(text: str) -> list[str]:
    """Return the words of a text as labels are searched.

    Examples
    --------
    >>> words_of("L'Île-d'Yeu")
    ['l', 'ile', 'd', 'yeu']
    """
    plain = unicodedata.normalize("NFD", text.lower())
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", " ", kept).split()


def libelles_comptes(base: Base, nomenclature: str | None = None) -> dict[str, str]:
    """Return the labels of comptes.

    Parameters
    ----------
    base
        An open base.
    nomenclature
        M14, M57…, or several as in `perimetre`. Labels imported for it go before those imported for none in
        particular, and both before those of its charts (`plan_comptes`), whose last exercice is read.

    Returns
    -------
    dict of str to str
        Compte to label, without the number that the source repeats before it.
    """
    asked = perimetre(nomenclature=nomenclature).nomenclature or ""
    charts = plan_comptes.c
    last = func.row_number().over(
        partition_by=charts.compte, order_by=(charts.exercice.desc(), charts.nomenclature.desc(), charts.variante)
    )
    kept = select(charts.compte, charts.libelle, last.label("rang"))
    charted = (kept.where(under_nomenclature(charts.nomenclature, asked)) if asked else kept).subquery()
    labels = base.fetch(select(charted.c.compte, charted.c.libelle).where(charted.c.rang == 1))
    given = base.fetch(
        select(comptes.c.compte, comptes.c.libelle)
        .where(or_(comptes.c.nomenclature == "", under_nomenclature(comptes.c.nomenclature, asked)))
        .order_by(comptes.c.compte, comptes.c.nomenclature)
    )
    found = {
        compte: re.sub(rf"^{re.escape(compte)}\s*[-–:]\s*", "", libelle).strip()
        for rows in (labels, given)
        for compte, libelle in zip(rows.column("compte").to_pylist(), rows.column("libelle").to_pylist(), strict=True)
    }
    return dict(sorted(found.items()))


def libelles_fonctions(base: Base, codes: Iterable[str | None]) -> dict[str, str]:
    """Return the labels of functional codes, from the charts of the base.

    Parameters
    ----------
    base
        An open base.
    codes
        As balances have them: in M57 the fonction comes after 90 (investissement) or 93 (fonctionnement).

    Returns
    -------
    dict of str to str
        The label of the code, of the fonction inside it, or of the nearest one above; unknown codes are absent.
    """
    f = plan_fonctions.c
    rows = base.fetch(select(f.fonction, f.libelle).order_by(f.fonction, f.exercice, f.libelle))
    known = dict(zip(rows.column("fonction").to_pylist(), rows.column("libelle").to_pylist(), strict=True))
    found: dict[str, str] = {}
    for code in {each for each in codes if each}:
        inside = code[2:].lstrip("-") if code.startswith(("90", "93")) and len(code) > 2 else code
        label = next((known[inside[:end]] for end in range(len(inside), 0, -1) if inside[:end] in known), "")
        if label:
            found[code] = label
    return found


@dataclass(frozen=True)
class BaseInfo:
    """The figures of a base.

    Parameters
    ----------
    url, snapshot
        What is open.
    date
        When the snapshot was written, UTC.
    size
        Bytes of the snapshot.
    snapshots
        How many are kept.
    exercices
        Ascending.
    sirets, budgets, rows
        Numbers of SIRETs, of (siret, exercice) that have a balance, of rows of balances.
    nomenclatures
        Number of budgets by nomenclature.
    imports
        The journal: ``import_id, fichier, source, date, lignes, budgets``.
    """

    url: str
    snapshot: str
    date: datetime
    size: int
    snapshots: int
    exercices: tuple[int, ...]
    sirets: int
    budgets: int
    rows: int
    nomenclatures: dict[str, int]
    imports: pd.DataFrame

    def __str__(self) -> str:
        years = f"{self.exercices[0]} à {self.exercices[-1]}" if self.exercices else "aucun"
        families = ", ".join(f"{name} {grouped(count)}" for name, count in self.nomenclatures.items()) or "aucune"
        return "\n".join(
            [
                f"Base {self.url}, état {self.snapshot} du {self.date:%d/%m/%Y %H:%M} UTC",
                f"  Taille : {self.size / 1e6:.1f} Mo, {self.snapshots} états conservés".replace(".", ","),
                f"  Exercices : {years}",
                f"  Budgets : {grouped(self.sirets)}, soit {grouped(self.budgets)} balances annuelles",
                f"  Lignes : {grouped(self.rows)}",
                f"  Nomenclatures : {families}",
                f"  Imports : {len(self.imports)}",
            ]
        )

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        head, *lines = str(self).split("\n")
        pairs = (line.strip().partition(" : ") for line in lines)
        return view(
            facts([(name, value) for name, _, value in pairs], head),
            frame_table(self.imports, caption="Imports", shown=20, rest=".imports"),
        )


def base_info(base: Base) -> BaseInfo:
    """Return the figures of a base.

    Parameters
    ----------
    base
        An open base.

    Returns
    -------
    BaseInfo
        Its text is what ``workbench base info`` prints.
    """
    kept = snapshots(base)
    own = next(each for each in kept if each.id == base.snapshot)
    years = base.fetch(
        select(budgets.c.exercice, func.count().label("n")).group_by(budgets.c.exercice).order_by(budgets.c.exercice)
    ).to_pylist()
    families = base.fetch(
        select(collectivites.c.nomenclature, func.count().label("n"))
        .select_from(collectivites)
        .join(budgets, and_(budgets.c.siret == collectivites.c.siret, budgets.c.exercice == collectivites.c.exercice))
        .group_by(collectivites.c.nomenclature)
        .order_by(func.count().desc(), collectivites.c.nomenclature)
    ).to_pylist()
    totals = base.fetch(
        select(
            select(func.count(budgets.c.siret.distinct())).scalar_subquery().label("sirets"),
            select(func.count()).select_from(balances).scalar_subquery().label("rows"),
        )
    ).to_pylist()[0]
    journal = imports.c
    return BaseInfo(
        url=base.url,
        snapshot=base.snapshot,
        date=own.date,
        size=own.size,
        snapshots=len(kept),
        exercices=tuple(row["exercice"] for row in years),
        sirets=totals["sirets"],
        budgets=sum(row["n"] for row in years),
        rows=totals["rows"],
        nomenclatures={row["nomenclature"] or "": row["n"] for row in families},
        imports=base.fetch(
            select(
                journal.import_id, journal.fichier, journal.source, journal.date, journal.lignes, journal.budgets
            ).order_by(journal.import_id)
        ).to_pandas(),
    )
