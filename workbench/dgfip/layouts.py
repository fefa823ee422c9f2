"""The columns of the sources, and what each becomes: no other module names them.

A `Layout` is read against the names a file really has: letter case does not matter, extra columns
are ignored and reported, an absent required one is an error. The open-data balances come in three
layouts that differ by their header, their decimals and the presence of FONCTION; all are this one.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.errors import WorkbenchError

__all__ = ["BALANCES", "MEMBRES_EPCI", "POPULATION", "Layout", "LayoutColumn", "match_layout"]


@dataclass(frozen=True)
class LayoutColumn:
    """One column of a source.

    Parameters
    ----------
    name
        Our name.
    names
        The source's names, lower case, best first.
    required
        Whether a file without it is refused.
    """

    name: str
    names: tuple[str, ...]
    required: bool = False


@dataclass(frozen=True)
class Layout:
    """The columns of one kind of file.

    Parameters
    ----------
    title
        French, used in messages.
    columns
        What is read.
    order
        The source's names in their order, for files without a header; empty when it has always one.
    known
        Further names that exist in the source and that nothing reads: not worth reporting.
    """

    title: str
    columns: tuple[LayoutColumn, ...]
    order: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()


def match_layout(layout: Layout, header: Sequence[str], file: str) -> tuple[Mapping[str, int], tuple[str, ...]]:
    """Find the columns of a layout in a header.

    Parameters
    ----------
    layout
        What is expected.
    header
        Names as written in the file.
    file
        Name of the file, for messages.

    Returns
    -------
    positions : mapping of str to int
        Our name to the position in the header; absent optional columns are absent here.
    ignored : tuple of str
        Columns that nothing reads and that the source is not known to have.

    Raises
    ------
    WorkbenchError
        ``colonnes_absentes``, ``colonne_double``.

    Examples
    --------
    >>> positions, ignored = match_layout(POPULATION, ["SIREN", "Ptot", "Maire"], "pop.csv")
    >>> dict(positions), ignored
    ({'siren': 0, 'population': 1}, ('Maire',))
    """
    names = [each.strip().lower() for each in header]
    for name in names:
        if name and names.count(name) > 1:
            raise WorkbenchError("colonne_double", fichier=file, colonne=name.upper())
    positions: dict[str, int] = {}
    missing: list[LayoutColumn] = []
    for column in layout.columns:
        found = next((each for each in column.names if each in names), None)
        if found is not None:
            positions[column.name] = names.index(found)
        elif column.required:
            missing.append(column)
    if missing:
        raise _missing_columns(layout, missing, header, file)
    known = {each for column in layout.columns for each in column.names} | layout.known | set(layout.order)
    return positions, tuple(
        each.strip() for each, name in zip(header, names, strict=True) if name and name not in known
    )


def _missing_columns(
    layout: Layout, missing: Sequence[LayoutColumn], header: Sequence[str], file: str
) -> WorkbenchError:
    expected = {each for column in layout.columns for each in column.names}
    free = [each.strip() for each in header if each.strip().lower() not in expected]
    near: list[str] = []
    for column in missing:
        close = difflib.get_close_matches(column.names[0], [each.lower() for each in free], n=1, cutoff=0.6)
        near += [f"{each} pour {column.names[0].upper()}" for each in free if each.lower() in close[:1]]
    return WorkbenchError(
        "colonnes_absentes",
        fichier=file,
        nature=layout.title,
        colonnes=", ".join(column.names[0].upper() for column in missing),
        proches=f" Colonnes voisines : {', '.join(near)}." if near else "",
        entete=", ".join(each.strip() for each in header[:40]),
    )


BALANCES = Layout(
    title="des balances comptables de la DGFIP",
    columns=(
        LayoutColumn("exercice", ("exer", "exercice"), required=True),
        LayoutColumn("siret", ("ident",), required=True),
        LayoutColumn("siren", ("siren",)),
        LayoutColumn("finess", ("finess",)),
        LayoutColumn("libelle", ("lbudg",), required=True),
        LayoutColumn("departement", ("ndept",)),
        LayoutColumn("insee", ("insee",)),
        LayoutColumn("region", ("cregi",)),
        LayoutColumn("nomenclature_detail", ("nomen",), required=True),
        LayoutColumn("type_budget", ("cbudg",)),
        LayoutColumn("type_etablissement", ("ctype",)),
        LayoutColumn("sous_type", ("cstyp",)),
        LayoutColumn("activite", ("cacti",)),
        LayoutColumn("secteur", ("secteur",)),
        LayoutColumn("categorie", ("categ",)),
        LayoutColumn("etat", ("bal",)),
        LayoutColumn("fonction", ("fonction",)),
        LayoutColumn("compte", ("compte",), required=True),
        LayoutColumn("debit_1", ("bedeb",), required=True),
        LayoutColumn("credit_1", ("becre",), required=True),
        LayoutColumn("debit_2", ("obnetdeb",), required=True),
        LayoutColumn("credit_2", ("obnetcre",), required=True),
        LayoutColumn("debit_3", ("onbdeb",), required=True),
        LayoutColumn("credit_3", ("onbcre",), required=True),
        LayoutColumn("debit_6", ("oobdeb",), required=True),
        LayoutColumn("credit_6", ("oobcre",), required=True),
        LayoutColumn("solde_debit", ("sd",)),
        LayoutColumn("solde_credit", ("sc",)),
    ),
    known=frozenset({"codbud1", "modvthel"}),
)
"""Open-data balances; the operations they give are named in ``spec`` terms by `workbench.dgfip.schema`."""

POPULATION = Layout(
    title="de populations",
    columns=(
        LayoutColumn("siren", ("siren",)),
        LayoutColumn("siret", ("siret", "ident")),
        LayoutColumn("commune", ("code_commune", "codecommune", "codgeo", "code_insee", "com", "depcom", "code")),
        LayoutColumn("exercice", ("exercice", "exer", "annee", "année")),
        LayoutColumn(
            "population",
            ("population", "population_totale", "ptot", "mpoid", "population totale", "population_municipale", "pmun"),
            required=True,
        ),
    ),
)
"""Populations by SIREN, SIRET or commune code."""

MEMBRES_EPCI = Layout(
    title="de membres d'EPCI",
    columns=(
        LayoutColumn("siren_epci", ("siren_epci", "epci", "siren_groupement", "n_siren", "siren"), required=True),
        LayoutColumn("libelle_epci", ("raison_sociale", "libepci", "libelle_epci", "nom_epci", "nom_du_groupement")),
        LayoutColumn("nature", ("nature_juridique", "nature_epci", "nature")),
        LayoutColumn("siren", ("siren_membre", "siren_commune")),
        LayoutColumn("commune", ("insee", "code_commune", "codgeo", "code_insee", "commune")),
        LayoutColumn("libelle", ("nom_membre", "libgeo", "libelle", "nom_commune")),
        LayoutColumn("exercice", ("exercice", "exer", "annee", "année")),
    ),
    known=frozenset(
        {"dept", "dep", "reg", "dep_com", "mode_financ", "nb_membres", "total_pop_tot", "total_pop_mun"}
        | {f"{name}_{year}" for name in ("ptot", "pmun") for year in range(2010, 2051)}
    ),
)
"""Members of EPCI: the DGCL's list of EPCI à fiscalité propre and of their communes, INSEE's, or a simple CSV."""
