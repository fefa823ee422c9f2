"""Charts of accounts for those who read them: from a base, or straight from files."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import and_, select

from workbench.config import settings
from workbench.dgfip.base import Base, connect
from workbench.dgfip.layouts_plans import PLANS
from workbench.dgfip.plan_files import TABLES, plan_paths, read_plan_file
from workbench.dgfip.schema import plans
from workbench.engines import work_folder
from workbench.errors import require_kind
from workbench.plans import Chapitre, Compte, Fonction, PlanComptes, PlansComptes, meets, merged

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["chapitres", "comptes", "fonctions", "plan_comptes", "plans_comptes"]

_KINDS = tuple(each.name for each in PLANS["comptes"].columns if each.name.startswith(("depense_", "recette_")))
_Rows = dict[str, pa.Table]


def plans_comptes(
    base: Base | str | Path | None = None,
    path: str | Path | Iterable[str | Path] | None = None,
    *,
    nomenclature: str | None = None,
    exercices: Iterable[int] | int | None = None,
) -> PlansComptes:
    """Return the charts of accounts of a base, or of files.

    Parameters
    ----------
    base
        An open base, or its path or URL; None, without ``path``, for the base of the settings.
    path
        Files or a folder, as `import_plan_comptes` reads them: no base is needed then.
    nomenclature, exercices
        For files that do not say them.

    Returns
    -------
    PlansComptes
        ``keys`` says what there is; ``plan("M57", 2024)`` gives one.

    Raises
    ------
    WorkbenchError
        ``base_absente``, and those of `import_plan_comptes`.
    """
    if path is not None:
        years = (exercices,) if isinstance(exercices, int) else tuple(exercices or ())
        stamps = tuple((str(each), each.stat().st_mtime_ns, each.stat().st_size) for each in plan_paths(path))
        return _of_files(stamps, nomenclature, years)
    if isinstance(base, Base):
        return _of_base(base)
    return _of_base(connect(base if base is not None else settings().base))


def plan_comptes(
    nomenclature: str,
    exercice: int | None = None,
    *,
    base: Base | str | Path | None = None,
    path: str | Path | Iterable[str | Path] | None = None,
    variante: str | None = None,
) -> PlanComptes:
    """Return a chart of accounts.

    Parameters
    ----------
    nomenclature
        ``"M57"``, several (``"M52+M71"``) or a family (``"M4*"``).
    exercice
        The year; None for the last one that there is.
    base, path
        As for `plans_comptes`.
    variante
        Only the comptes of this variant (``"M57_A"``), with its own labels; None for those of all.

    Returns
    -------
    PlanComptes
        ``plan["7391"]``, ``plan.under("73")``, ``plan.search("attribution compensation")``, ``plan.to_frame()``.

    Raises
    ------
    WorkbenchError
        ``plan_absent``, ``variante_absente``, which name what there is.
    """
    require_kind(nomenclature, str, "nomenclature", "un texte", 'Par exemple "M57".')
    require_kind(exercice, (int, type(None)), "exercice", "une année", "Par exemple 2024.")
    return plans_comptes(base, path).plan(nomenclature, exercice, variante)


def comptes(
    nomenclature: str,
    exercice: int | None = None,
    *,
    base: Base | str | Path | None = None,
    path: str | Path | Iterable[str | Path] | None = None,
    variante: str | None = None,
    supprimes: bool = False,
) -> pd.DataFrame:
    """Return the comptes of a nomenclature as a table; see `plan_comptes` and `PlanComptes.to_frame`."""
    return plan_comptes(nomenclature, exercice, base=base, path=path, variante=variante).to_frame(supprimes)


def fonctions(
    nomenclature: str,
    exercice: int | None = None,
    *,
    base: Base | str | Path | None = None,
    path: str | Path | Iterable[str | Path] | None = None,
    variante: str | None = None,
) -> pd.DataFrame:
    """Return the functional codes of a nomenclature: ``libelle``, ``parent``, ``variantes`` by ``fonction``."""
    from workbench.frames import ShownFrame

    found = plan_comptes(nomenclature, exercice, base=base, path=path, variante=variante).fonctions
    rows = [(each.code, each.libelle, each.parent, "+".join(each.variantes)) for each in found]
    return ShownFrame(rows, columns=["fonction", "libelle", "parent", "variantes"]).set_index("fonction")


def chapitres(
    nomenclature: str,
    exercice: int | None = None,
    *,
    base: Base | str | Path | None = None,
    path: str | Path | Iterable[str | Path] | None = None,
    variante: str | None = None,
) -> pd.DataFrame:
    """Return the budget chapters: ``section`` (F or I), ``libelle``, ``nature``, ``variantes`` by ``chapitre``."""
    from workbench.frames import ShownFrame

    found = plan_comptes(nomenclature, exercice, base=base, path=path, variante=variante).chapitres
    rows = [(each.code, each.section, each.libelle, each.nature, "+".join(each.variantes)) for each in found]
    names = ["chapitre", "section", "libelle", "nature", "variantes"]
    return ShownFrame(rows, columns=names).set_index("chapitre")


def _of_base(base: Base) -> PlansComptes:
    rows = base.fetch(select(plans).order_by(plans.c.nomenclature, plans.c.exercice)).to_pylist()
    charts = {(row["nomenclature"], row["exercice"]): None for row in rows if row["nature"] == "comptes"}

    def load(nomenclature: str, exercice: int, variante: str | None) -> PlanComptes:
        parts = []
        for name in dict.fromkeys(name for name, year in charts if year == exercice and meets(nomenclature, name)):
            tables = {
                nature: base.fetch(
                    select(table).where(and_(table.c.nomenclature == name, table.c.exercice == exercice))
                )
                for nature, table in TABLES.items()
            }
            notices = [
                row["licence"] or row["fichier"]
                for row in rows
                if (row["nomenclature"], row["exercice"]) == (name, exercice)
            ]
            parts.append(_plan(name, exercice, tables, " ; ".join(dict.fromkeys(notices)), variante))
        return merged(nomenclature, exercice, parts)

    return PlansComptes(tuple(charts), load)


@lru_cache(maxsize=2)
def _of_files(
    stamps: tuple[tuple[str, int, int], ...], nomenclature: str | None, exercices: tuple[int, ...]
) -> PlansComptes:
    """Read files once: they are known by their path, their date and their size."""
    with work_folder() as work:
        files = [read_plan_file(Path(path), work, nomenclature, exercices) for path, *_ in stamps]
    kept: dict[str, pa.Table] = {
        nature: pa.concat_tables([each.rows for each in files if each.nature == nature])
        for nature in TABLES
        if any(each.nature == nature for each in files)
    }
    parts_of = {nature: _parts(rows) for nature, rows in kept.items()}
    charts = sorted(parts_of.get("comptes", {}))
    source = " ; ".join(dict.fromkeys(each.licence or each.source.name for each in files))

    def load(wanted: str, exercice: int, variante: str | None) -> PlanComptes:
        parts = []
        for name in dict.fromkeys(name for name, year in charts if year == exercice and meets(wanted, name)):
            tables = {nature: known[name, exercice] for nature, known in parts_of.items() if (name, exercice) in known}
            parts.append(_plan(name, exercice, tables, source, variante))
        return merged(wanted, exercice, parts)

    return PlansComptes(tuple(charts), load)


def _parts(rows: pa.Table) -> dict[tuple[str, int], pa.Table]:
    """Part rows by nomenclature and exercice."""
    ordered = rows.sort_by([("nomenclature", "ascending"), ("exercice", "ascending")]).combine_chunks()
    counts = ordered.group_by(["nomenclature", "exercice"], use_threads=False).aggregate([([], "count_all")])
    found: dict[tuple[str, int], pa.Table] = {}
    start = 0
    for row in counts.to_pylist():
        found[row["nomenclature"], row["exercice"]] = ordered.slice(start, row["count_all"])
        start += row["count_all"]
    return found


def _plan(nomenclature: str, exercice: int, tables: _Rows, source: str, wanted: str | None) -> PlanComptes:
    """Make a chart of the rows of its variants: the largest variant gives the labels that others write otherwise."""
    variants: dict[str, dict[str, list[Any]]] = {}
    for nature, rows in tables.items():
        for row in rows.to_pylist():
            if wanted is not None and row["variante"] != wanted:
                continue
            variants.setdefault(row["variante"] or "", {}).setdefault(nature, []).append(row)
    return merged(
        nomenclature,
        exercice,
        [
            PlanComptes(
                nomenclature if len(variants) == 1 else f"{nomenclature} {variante}",
                exercice,
                tuple(_compte(row) for row in sorted(rows.get("comptes", []), key=_code("compte"))),
                tuple(
                    Chapitre(
                        row["chapitre"], row["libelle"], row["section"] or "", row["nature"] or "", _variantes(row)
                    )
                    for row in sorted(rows.get("chapitres", []), key=_code("chapitre"))
                ),
                tuple(
                    Fonction(row["fonction"], row["libelle"], row["parent"] or "", _variantes(row))
                    for row in sorted(rows.get("fonctions", []), key=_code("fonction"))
                ),
                source,
            )
            for variante, rows in variants.items()
        ],
    )


def _code(name: str) -> Any:
    return lambda row: row[name]


def _variantes(row: dict[str, Any]) -> tuple[str, ...]:
    return (row["variante"],) if row["variante"] else ()


def _compte(row: dict[str, Any]) -> Compte:
    return Compte(
        row["compte"],
        row["libelle"],
        row["parent"] or "",
        row["libelle_court"] or "",
        tuple((kind, row[kind]) for kind in _KINDS if row[kind]),
        _variantes(row),
        bool(row["totalise"]),
        bool(row["supprime"]),
    )
