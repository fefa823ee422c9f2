"""Assisted queries: what an analyst asks of the base, without writing SQL.

A `Query` never changes: each method returns another. It holds what is asked (`queries_spec.QuerySpec`) and the base
it is asked of; `queries_statement` makes the statement, the engine runs it with a time limit.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.dgfip.base import Base
from workbench.dgfip.import_report import grouped
from workbench.dgfip.queries_measures import Filter, Measure, checked_fonction, checked_text, nearest
from workbench.dgfip.queries_result import QueryResult, in_euros, labelled, notices
from workbench.dgfip.queries_spec import (
    DEFAULT_ROWS,
    DEFAULT_SECONDS,
    DIMENSIONS,
    QuerySpec,
    checked_rows,
    checked_seconds,
)
from workbench.dgfip.queries_statement import count_statement, query_statement
from workbench.dgfip.queries_text import SqlText, readable
from workbench.dgfip.selection import Codes, Perimetre, perimetre
from workbench.display import facts, view
from workbench.engines import Cancellation
from workbench.errors import WorkbenchError, require_kind

__all__ = ["Query", "query"]


@dataclass(frozen=True)
class Query:
    """A question to the base; `query` begins one.

    Parameters
    ----------
    spec
        What is asked.
    base
        The base it is asked of; None for a saved query that has none yet.

    Examples
    --------
    >>> from workbench.dgfip import connect
    >>> with connect(demonstration_base) as base:
    ...     asked = query(base).where(departements="031").measure("C70", libelle="Ventes").exercices(2023, 2024)
    ...     asked.by("exercice").run().to_frame()
       exercice       Ventes
    0      2023  51871456.79
    1      2024  54257030.81
    """

    spec: QuerySpec = field(default_factory=QuerySpec)
    base: Base | None = field(default=None, compare=False, repr=False)

    def _with(self, **changes: Any) -> Query:
        return replace(self, spec=replace(self.spec, **changes))

    def on(self, base: Base) -> Query:
        """Ask the same of another base."""
        require_kind(base, Base, "base", "une base ouverte", 'Ouvrez-la : wb.connect("base.duckdb").')
        return replace(self, base=base)

    def where(
        self,
        perimetre_: Perimetre | None = None,
        /,
        *,
        sirets: Codes | None = None,
        sirens: Codes | None = None,
        finess: Codes | None = None,
        nomenclature: str | None = None,
        departements: Codes | None = None,
        types: Codes | None = None,
        population: tuple[int | None, int | None] | None = None,
        name: str | None = None,
        epci: Codes | None = None,
        comptes: str | Iterable[str] | None = None,
        fonctions: str | Iterable[str] | None = None,
    ) -> Query:
        """Narrow what is read; a criterion given again takes the place of the former.

        Parameters
        ----------
        perimetre_
            A perimetre made before, in the place of the whole one.
        sirets, sirens, finess, nomenclature, departements, types, population
            As `workbench.dgfip.perimetre`.
        name
            Words of the label of the budget, in any order, accents and case apart.
        epci
            SIRENs of the groupements that budgets belong to in their exercice: CCI bases tell it, and lists imported
            with `import_epci`.
        comptes
            First digits of the comptes to read.
        fonctions
            First characters of the functional codes to read, as balances have them: in M57, 93 (fonctionnement) or 90
            (investissement) then the fonction, so ``["902", "932"]`` is fonction 2. Balances by nature have none.

        Raises
        ------
        WorkbenchError
            ``identifiant_invalide``, ``perimetre_invalide``, ``requete_valeur``, ``argument_inattendu``.

        Examples
        --------
        >>> query().where(departements=31, name="Saint").spec.perimetre.departements
        ('031',)
        """
        spec = self.spec
        if perimetre_ is not None:
            require_kind(perimetre_, Perimetre, "perimetre", "un périmètre", "Faites-le avec wb.perimetre(…).")
            spec = replace(spec, perimetre=perimetre_)
        if nomenclature is not None:
            checked_text(nomenclature, "nomenclature")
        given = perimetre(
            sirets=sirets,
            sirens=sirens,
            finess=finess,
            nomenclature=nomenclature,
            departements=departements,
            types=types,
            population=population,
            epci=epci,
        )
        criteria = {each: value for each, value in vars(given).items() if value is not None}
        if population is not None:
            criteria["population"] = given.population
        spec = replace(spec, perimetre=replace(spec.perimetre, **criteria))
        if name is not None:
            spec = replace(spec, name=checked_text(name, "name").strip() or None)
        if comptes is not None:
            prefixes = [comptes] if isinstance(comptes, str) else list(comptes)
            spec = replace(spec, comptes=tuple(Measure.of(f"C{each}").compte for each in prefixes))
        if fonctions is not None:
            codes = [fonctions] if isinstance(fonctions, str) else list(fonctions)
            spec = replace(spec, fonctions=tuple(checked_fonction(each) for each in codes))
        return replace(self, spec=spec)

    def exercices(self, first: int | Iterable[int], last: int | None = None) -> Query:
        """Choose the exercices: ``exercices(2019, 2023)`` for a period, ``exercices([2019, 2023])`` for a list.

        Raises
        ------
        WorkbenchError
            ``exercice_invalide``, ``exercices_inverses``, ``exercices_vides``.

        Examples
        --------
        >>> query().exercices(2019, 2021).spec.exercices
        (2019, 2020, 2021)
        """
        years: list[Any] = list(first) if isinstance(first, Iterable) else [first]
        if last is not None:
            years.append(last)
        for year in years:
            if isinstance(year, bool) or not hasattr(year, "__index__") or not 1900 <= int(year) <= 2100:
                raise WorkbenchError("exercice_invalide", valeur=year)
        if last is not None:
            if last < years[0]:
                raise WorkbenchError("exercices_inverses", debut=years[0], fin=last)
            years = list(range(int(years[0]), int(last) + 1))
        if not years:
            raise WorkbenchError("exercices_vides")
        return self._with(exercices=tuple(sorted({int(year) for year in years})))

    def measure(self, *texts: str, type_appel: str = "SX", libelle: str = "", per_inhabitant: bool = False) -> Query:
        """Add amounts to the result.

        Parameters
        ----------
        *texts
            ``C70``, ``D60``, ``SC16``, ``SD16`` as in a formule; ``S51`` is SD51 − SC51; ``D`` alone is all comptes.
        type_appel
            SX (default: opening balance and movements), SS, BR, BO, NB, BE, BX.
        libelle
            Heading of the column, when one measure is given.
        per_inhabitant
            In euros per inhabitant: the sum divided by the inhabitants of the group, counted once a SIREN and an
            exercice, whatever comptes they have. Over several exercices that is an annual mean. Without population:
            no value.

        Raises
        ------
        WorkbenchError
            ``requete_mesure``, ``requete_choix``.

        Examples
        --------
        >>> [each.name for each in query().measure("C70", "D60").measure("S51", libelle="Trésorerie").spec.measures]
        ['C70', 'D60', 'Trésorerie']
        """
        if libelle and len(texts) != 1:
            raise WorkbenchError(
                "requete_mesure",
                mesure=libelle,
                raison="un libellé nomme une seule mesure",
                conseil="Appelez measure pour chacune.",
            )
        added = tuple(
            Measure.of(each, type_appel=type_appel, libelle=libelle, per_inhabitant=per_inhabitant) for each in texts
        )
        return self._with(measures=self.spec.measures + added)

    def by(self, *names: str) -> Query:
        """Group by these, in this order, in the place of former groupings; none for one line in all.

        Parameters
        ----------
        *names
            Keys of `workbench.dgfip.queries_spec.DIMENSIONS`: collectivite, siren, exercice, departement, region, epci,
            nomenclature, type_etablissement, type_budget, etat, source, classe, chapitre,
            chapitre_budgetaire, compte, fonction.

        Raises
        ------
        WorkbenchError
            ``requete_choix``.
        """
        for name in names:
            if name not in DIMENSIONS:
                raise WorkbenchError(
                    "requete_choix", quoi="Le regroupement", valeur=str(name)[:60], conseil=nearest(name, DIMENSIONS)
                )
        return self._with(dimensions=tuple(dict.fromkeys(names)))

    def filter(self, measure: str, operator: str, value: Any) -> Query:
        """Keep the groups whose measure meets a condition.

        Parameters
        ----------
        measure
            Its name, or the variable it was made of.
        operator
            ``> >= < <= = !=``.
        value
            In euros (per inhabitant when the measure is); compared exactly.

        Raises
        ------
        WorkbenchError
            ``requete_choix``, ``requete_valeur``.
        """
        return self._with(filters=(*self.spec.filters, Filter.of(self.spec.measure(measure).name, operator, value)))

    def having(self, measure: str, operator: str, value: Any) -> Query:
        """Do what `filter` does, under its SQL name."""
        return self.filter(measure, operator, value)

    def order_by(self, *names: str) -> Query:
        """Order by columns or measures, ``-`` before a name for descending; missing values come last."""
        for name in names:
            require_kind(name, str, "order_by", "un nom de colonne ou de mesure")
        return self._with(order=names)

    def limit(self, rows: int | None) -> Query:
        """Give at most so many rows; None for the limit of the run."""
        return self._with(limit=None if rows is None else checked_rows(rows))

    def sql(self) -> SqlText:
        """Return the SQL that would run, and its bound values apart.

        Returns
        -------
        SqlText
            ``text``, ``values``, ``tables``; readable as it is in a notebook.
        """
        statement, tables = query_statement(self.spec.checked(), (self.spec.limit or DEFAULT_ROWS) + 1)
        text, values = self._base.queries.written(statement)
        return SqlText(readable(text), tuple(values), {name: rows.num_rows for name, rows in tables.items()})

    def count(self, timeout: float = DEFAULT_SECONDS, cancellation: Cancellation | None = None) -> int:
        """Return the number of rows of the whole result, without making its sums.

        Raises
        ------
        WorkbenchError
            As `run`.
        """
        statement, tables = count_statement(self.spec.checked())
        found = self._base.fetch_within(statement, checked_seconds(timeout), cancellation, tables)
        return int(found.column(0)[0].as_py())

    def run(
        self,
        *,
        limit: int | None = None,
        timeout: float = DEFAULT_SECONDS,
        cancellation: Cancellation | None = None,
    ) -> QueryResult:
        """Run the query.

        Parameters
        ----------
        limit
            Most rows, when the query says none; 100 000 by default, a million at most.
        timeout
            Seconds that it may take.
        cancellation
            A switch that another thread may throw; Ctrl-C stops the query as well.

        Returns
        -------
        QueryResult
            Amounts in euros, exact to the cent; `QueryResult.truncated` says whether rows were left out.

        Raises
        ------
        WorkbenchError
            ``requete_vide``, ``requete_trop_longue``, ``requete_annulee``, ``requete_sans_base``, ``requete_refusee``.
        KeyboardInterrupt
            On Ctrl-C.
        """
        spec, base = self.spec.checked(), self._base
        rows = spec.limit or (DEFAULT_ROWS if limit is None else checked_rows(limit))
        statement, tables = query_statement(spec, rows + 1)
        begun = time.monotonic()
        found = base.fetch_within(statement, checked_seconds(timeout), cancellation, tables)
        seconds = time.monotonic() - begun
        truncated = found.num_rows > rows
        table = in_euros(found.slice(0, rows), spec)
        return QueryResult(
            table=labelled(base, table, spec),
            truncated=truncated,
            notices=tuple(notices(base, table, spec, rows if truncated else None)),
            sql=self.sql(),
            base=base.url,
            snapshot=base.snapshot,
            seconds=seconds,
            spec=spec,
        )

    @property
    def _base(self) -> Base:
        if self.base is None:
            raise WorkbenchError("requete_sans_base")
        return self.base

    def __str__(self) -> str:
        spec = self.spec
        said = [f"Périmètre : {spec.perimetre}"]
        if spec.name is not None:
            said.append(f"Nom : {spec.name}")
        if spec.comptes is not None:
            said.append(f"Comptes : {', '.join(spec.comptes)}")
        if spec.fonctions is not None:
            said.append(f"Fonctions : {', '.join(spec.fonctions)}")
        years = "tous" if spec.exercices is None else ", ".join(map(str, spec.exercices))
        said.append(f"Exercices : {years}")
        said.append(f"Mesures : {', '.join(each.name for each in spec.measures) or 'aucune'}")
        said.append(f"Par : {', '.join(spec.dimensions) or 'ensemble'}")
        said += [f"Filtre : {each.measure} {each.operator} {each.value}" for each in spec.filters]
        if spec.order:
            said.append(f"Ordre : {', '.join(spec.order)}")
        if spec.limit is not None:
            said.append(f"Limite : {grouped(spec.limit)} lignes")
        return "\n".join(said)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        lines = (line.partition(" : ") for line in str(self).split("\n"))
        return view(facts([(name, value) for name, _, value in lines], "Requête"))


def query(base: Base | None = None) -> Query:
    """Begin an assisted query.

    Parameters
    ----------
    base
        An open base; None to give it later, with `Query.on`.

    Returns
    -------
    Query
        It asks nothing yet: add measures, groupings, criteria.

    Examples
    --------
    >>> print(query().where(departements="031").measure("C70").by("collectivite", "exercice"))
    Périmètre : departements 031
    Exercices : tous
    Mesures : C70
    Par : collectivite, exercice
    """
    return Query() if base is None else Query().on(base)
