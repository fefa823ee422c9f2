"""The tables of the accounting base, the same on every engine.

``balances`` is wide: one row a (exercice, siret, fonction, compte, etat), one pair of columns an
operation, amounts in integer cents. It holds rows as imported; an absent operation is 0.

=========  ====================================================================
operation  meaning
=========  ====================================================================
1          balance d'entrée
2          opérations budgétaires, réelles and d'ordre
3, 4       opérations d'ordre non budgétaires
5          not defined by the DGFIP; kept, read by no formule
6          opérations d'ordre budgétaires, a part of 2
7          annulations, recorded on the opposite side
=========  ====================================================================

Open-data balances give 1, 2 (net of annulations), 3 (3 + 4) and 6; ``solde_debit`` and
``solde_credit`` are the closing balances they print, null for CCI dumps.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, SmallInteger, String, Table, Text

__all__ = [
    "AMOUNTS",
    "OPERATIONS",
    "REQUIRED",
    "VERSION",
    "balances",
    "budgets",
    "cells",
    "cells_comptes",
    "collectivites",
    "comptes",
    "derived",
    "doublons",
    "imports",
    "membres_epci",
    "metadata",
    "plan_chapitres",
    "plan_comptes",
    "plan_fonctions",
    "plans",
    "populations",
    "references",
    "versions",
]

VERSION = 4
"""Goes up when a table or a column is added here: 1 is any base that does not say.

An older base is read as it is, what it lacks being empty, and completed by the next import; a newer
one is refused. A column that comes later is nullable.
"""

REQUIRED = frozenset({"balances", "budgets", "collectivites", "imports"})
"""The tables without which a database is no base."""

OPERATIONS = (1, 2, 3, 4, 5, 6, 7)

AMOUNTS: tuple[str, ...] = tuple(f"{side}_{operation}" for operation in OPERATIONS for side in ("debit", "credit"))
"""The amount columns of ``balances``, in cents: ``debit_1, credit_1, debit_2, …, credit_7``."""

metadata = MetaData()

balances = Table(
    "balances",
    metadata,
    Column("exercice", SmallInteger, nullable=False),
    Column("siret", String(14), nullable=False),
    Column("fonction", Text, nullable=False, doc="Functional code; empty in the nature presentation"),
    Column("compte", Text, nullable=True),
    Column("etat", String(1), nullable=False, doc="D définitif, P provisoire"),
    *(Column(name, BigInteger, nullable=False) for name in AMOUNTS),
    Column("solde_debit", BigInteger),
    Column("solde_credit", BigInteger),
    Column("import_id", Integer, nullable=False),
    # Engines that keep rows in order keep all that is known of a budget together.
    info={"sorted_by": ("siret", "exercice", "compte", "fonction", "etat")},
)

collectivites = Table(
    "collectivites",
    metadata,
    Column("exercice", SmallInteger, nullable=False),
    Column("siret", String(14), nullable=False),
    Column("siren", String(9), nullable=False),
    Column("finess", String(9)),
    Column("libelle", Text, nullable=False, doc="Label of the budget"),
    Column("commune", Text, doc="Name of the commune, where the source gives it"),
    Column("departement", String(3), doc="Three characters: 031, 02A, 101"),
    Column("insee", String(3), doc="Commune inside the département"),
    Column("region", Text),
    Column("population", Integer),
    Column("nomenclature", Text, doc="The chart a trame is matched against: M14 for M14 and M14A"),
    Column("nomenclature_detail", Text, doc="As published: M14A"),
    Column("type_budget", String(1), doc="1 principal, 2 principal rattaché, 3 and 4 annexe"),
    Column("type_etablissement", String(3), doc="101 commune…"),
    Column("sous_type", Text),
    Column("activite", Text),
    Column("secteur", Text),
    Column("categorie", Text),
    Column("siren_epci", String(9)),
    Column("import_id", Integer, nullable=False),
)
"""One row a (exercice, siret): what is known of each budget."""

budgets = Table(
    "budgets",
    metadata,
    Column("exercice", SmallInteger, nullable=False),
    Column("siret", String(14), nullable=False),
    Column("etat", String(1), nullable=False, doc="D définitif, P provisoire, M both"),
    Column("lignes", Integer, nullable=False, doc="Rows of ``balances``"),
    Column("import_id", Integer, nullable=False),
)
"""One row a (exercice, siret) of ``balances``: derived from it, so that a selection reads no amount."""

populations = Table(
    "populations",
    metadata,
    Column("identifiant", Text, nullable=False, doc="SIREN, SIRET or code of a commune"),
    Column("nature", Text, nullable=False, doc="siren, siret, commune"),
    Column("exercice", SmallInteger, doc="Null: any exercice that has no row of its own"),
    Column("population", Integer, nullable=False),
    Column("import_id", Integer, nullable=False),
)
"""Populations that were imported apart, for sources that carry none."""

membres_epci = Table(
    "membres_epci",
    metadata,
    Column("exercice", SmallInteger, nullable=False),
    Column("siren_epci", String(9), nullable=False, doc="The groupement"),
    Column("libelle_epci", Text),
    Column("nature", Text, doc="CC, CA, CU, METRO… as the source writes it"),
    Column("siren", String(9), doc="The member; null where the source gives only the code of a commune"),
    Column("commune", String(5), doc="INSEE's code of the commune, where there is no SIREN"),
    Column("libelle", Text, doc="Name of the member"),
    Column("import_id", Integer, nullable=False),
)
"""Which EPCI à fiscalité propre each commune belongs to, exercice by exercice: one at most."""

references = Table(
    "references",
    metadata,
    Column("nature", Text, nullable=False, doc="departement, nomenclature, operation, type_budget…"),
    Column("code", Text, nullable=False),
    Column("libelle", Text, nullable=False),
)
"""Labels of codes, imported from the source's own reference tables."""

doublons = Table(
    "doublons",
    metadata,
    Column("import_id", Integer, nullable=False),
    Column("source", Text, nullable=False, doc="balances, collectivites"),
    Column("exercice", SmallInteger, nullable=False),
    Column("siret", String(14), nullable=False),
    Column("fonction", Text),
    Column("compte", Text),
    Column("etat", String(1)),
    Column("operation", SmallInteger),
    Column("lignes", Integer, nullable=False, doc="Rows of the file that bear this key"),
)
"""Keys that a CCI file bears several times, which its rows as stored no longer show."""

comptes = Table(
    "comptes",
    metadata,
    Column("nomenclature", Text, nullable=False, doc="Empty when the source names none"),
    Column("compte", Text, nullable=False),
    Column("libelle", Text, nullable=False),
)

_PLAN = (
    Column("nomenclature", Text, nullable=False, doc="M57; of TOTEM's charts, the family of the variant"),
    Column("variante", Text, nullable=False, doc="M57_A; empty when the source tells none apart"),
    Column("exercice", SmallInteger, nullable=False),
)


def _plan(name: str, code: str, *columns: Column[Any]) -> Table:
    key = [each._copy() for each in _PLAN]
    own = Column(code, Text, nullable=False)
    last = Column("import_id", Integer, nullable=False)
    return Table(name, metadata, *key, own, *columns, last, info={"code": code})


plan_comptes = _plan(
    "plan_comptes",
    "compte",
    Column("parent", Text, doc="Empty at the top"),
    Column("libelle", Text, nullable=False),
    Column("libelle_court", Text),
    Column("depense_reelle", Text, doc="The chapter of an operation of this kind; empty when the compte has none"),
    Column("depense_ordre", Text, doc="Between sections"),
    Column("depense_ordre_interieur", Text, doc="Inside a section"),
    Column("recette_reelle", Text),
    Column("recette_ordre", Text),
    Column("recette_ordre_interieur", Text),
    Column("totalise", SmallInteger, doc="1 when forms show it as a total"),
    Column("supprime", SmallInteger, doc="1 when the chart keeps it as deleted"),
)
"""Charts of accounts: one row a (nomenclature, variante, exercice, compte)."""

plan_fonctions = _plan(
    "plan_fonctions",
    "fonction",
    Column("parent", Text),
    Column("libelle", Text, nullable=False),
    Column("libelle_court", Text),
)

plan_chapitres = _plan(
    "plan_chapitres",
    "chapitre",
    Column("section", Text, doc="F fonctionnement, I investissement"),
    Column("libelle", Text, nullable=False),
    Column("nature", Text, doc="As the source writes it"),
)

plans = Table(
    "plans",
    metadata,
    *(each._copy() for each in _PLAN),
    Column("nature", Text, nullable=False, doc="comptes, fonctions, chapitres"),
    Column("lignes", Integer, nullable=False),
    Column("fichier", Text, nullable=False, doc="Name of the file, without its folder"),
    Column("licence", Text, nullable=False, doc="The notice that goes with its content; empty when none is known"),
    Column("import_id", Integer, nullable=False),
)
"""Where each chart comes from, and the notice that goes with it."""

imports = Table(
    "imports",
    metadata,
    Column("import_id", Integer, nullable=False),
    Column("fichier", Text, nullable=False, doc="Name of the file, without its folder"),
    Column("sha256", String(64), nullable=False),
    Column("source", Text, nullable=False, doc="balances, cci, cci_comptes, population, plan_comptes…"),
    Column("date", Text, nullable=False, doc="ISO 8601, UTC"),
    Column("lignes", Integer, nullable=False),
    Column("budgets", Integer, nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("version", Integer, nullable=False, doc="`VERSION` of the program that completed the base"),
)
"""One row a version that the base went through; the highest is its own."""

derived = MetaData()
"""Tables that are made again from the others, where they spare readers a network's worth of rows."""

cells = Table(
    "cells",
    derived,
    Column("exercice", SmallInteger, nullable=False),
    Column("siret", String(14), nullable=False),
    Column("codes", LargeBinary, nullable=False, doc="int32, ascending: numero × 14 + position in ``AMOUNTS``"),
    Column("cents", LargeBinary, nullable=False, doc="int64, of each code; never zero"),
    Column("import_id", Integer, nullable=False),
)
"""One row a budget: the sums of its balances by compte, packed, little-endian."""

cells_comptes = Table(
    "cells_comptes",
    derived,
    Column("import_id", Integer, nullable=False),
    Column("numero", Integer, nullable=False, doc="From 0, for the cells of this import alone"),
    Column("compte", Text, nullable=False),
    Column("montants", Integer, nullable=False, doc="One bit an amount column of which some cell exists"),
)
"""The comptes that the cells of each import number."""
