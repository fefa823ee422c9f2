"""The state of the query panel, without widgets: what is asked, what may be chosen, what came out.

Every value that reaches `QueryPanelView` may come from a browser: `query_changes` checks it, and a value that is
refused changes nothing. What people write never becomes SQL (`workbench.dgfip.queries_statement`).
"""

from __future__ import annotations

import getpass
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.dgfip import (
    Base,
    Cancellation,
    Query,
    QueryResult,
    SavedQuery,
    delete_query,
    duplicate_query,
    load_query,
    rename_query,
    save_query,
    saved_queries,
)
from workbench.dgfip.import_report import grouped
from workbench.dgfip.queries_result import csv_text
from workbench.dgfip.queries_spec import DEFAULT_ROWS, DEFAULT_SECONDS, checked_seconds
from workbench.errors import WorkbenchError
from workbench.plans import plain_words
from workbench.widgets.query_changes import allowed_types, changed, number_of
from workbench.widgets.query_choices import Choice, QueryChoices

__all__ = ["Document", "QueryPanelView", "notice"]

_PAGE = 100
_MOST_PAGE = 500
_NAMED = 30
"""Budgets that are shown by their name; beyond, their number is."""

_COUNT_SECONDS = 30.0

_HINTS: Mapping[str, str] = {
    "requete_vide": "Ajoutez une mesure ou un regroupement.",
    "requete_trop_longue": "Resserrez le périmètre ou la période, ou augmentez le délai.",
    "requete_existe": "Choisissez un autre nom, ou remplacez-la.",
    "requete_proprietaire": "Faites-en une copie avec « Dupliquer ».",
    "requete_annulee": "",
}
"""What to do in the panel, where the error's own hint speaks of Python."""


@dataclass(frozen=True)
class Document:
    """A file to take away."""

    name: str
    content: bytes
    media_type: str


def notice(error: WorkbenchError) -> dict[str, str]:
    """Return an error as the panel shows it: ``kind``, ``code``, ``message``, ``hint``."""
    hint = _HINTS.get(error.code, error.hint)
    kind = "information" if error.code == "requete_annulee" else "erreur"
    return {"kind": kind, "code": error.code, "message": error.message, "hint": hint}


class QueryPanelView:
    """What the panel shows and does.

    Parameters
    ----------
    base
        An open base.
    query
        What to begin with.

    Examples
    --------
    >>> from workbench.dgfip import connect
    >>> with connect(demonstration_base) as base:
    ...     view = QueryPanelView(base)
    ...     view.change("measures", {"action": "add", "text": "C70"})
    ...     view.change("by", ["exercice"])
    ...     view.count()
    8
    """

    def __init__(self, base: Base, query: Query | None = None) -> None:
        self.base = base
        self.choices = QueryChoices(base)
        self.query = (query or Query()).on(base)
        self.seconds = DEFAULT_SECONDS
        self.result: QueryResult | None = None
        self.asked: Query | None = None  # what the result answers
        self.opened: SavedQuery | None = None
        self._names: dict[str, str] = {}

    # --- what is asked

    def change(self, field: object, value: object) -> None:
        """Change one thing of the query; raise WorkbenchError, and change nothing, when it cannot be.

        Parameters
        ----------
        field
            A key of `workbench.widgets.query_changes.FIELDS`, or ``seconds``, the time limit.
        value
            Anything.
        """
        if field == "seconds":
            text = number_of(value) if isinstance(value, str) else ""
            try:
                self.seconds = checked_seconds(float(text) if text else DEFAULT_SECONDS)
            except ValueError:
                raise WorkbenchError(
                    "requete_valeur", valeur=str(value)[:60], quoi="un délai", conseil="Écrivez un nombre de secondes."
                ) from None
            return
        self.query = changed(self.query, field, value)

    def ask(self, query: Query) -> None:
        """Put a query in the place of the one that is asked."""
        self.query = query.on(self.base)
        self.opened = None

    def clear(self) -> None:
        """Begin anew."""
        self.ask(Query())

    def lists(self) -> dict[str, list[Choice]]:
        """Return what may be chosen in lists."""
        return self.choices.lists()

    def search(self, what: object, text: object) -> list[Choice]:
        """Propose what completes a text.

        Parameters
        ----------
        what
            ``sirets``, ``measures``, ``comptes``, ``epci`` or ``fonctions``; anything else proposes nothing.
        text
            As typed.
        """
        if not isinstance(text, str):
            return []
        text, spec = text[:200], self.query.spec
        proposals: Mapping[str, Callable[[], list[Choice]]] = {
            "sirets": lambda: self.choices.collectivites(text, spec),
            "measures": lambda: self.choices.comptes(text, spec),
            "comptes": lambda: self.choices.comptes(text, spec, measure=False),
            "epci": lambda: self.choices.epci(text),
            "fonctions": lambda: self.choices.proposed_fonctions(text),
        }
        found = proposals[what]() if isinstance(what, str) and what in proposals else []
        if what == "sirets":
            self._names |= {each["value"]: each["label"] for each in found}
        return found

    def form(self) -> dict[str, Any]:
        """Return the query as the form shows it."""
        spec = self.query.spec
        criteria = spec.perimetre
        low, high = criteria.population or (None, None)
        lists = self._labels()
        return {
            "departements": [_chosen(code, lists["departements"]) for code in criteria.departements or ()],
            "types": [_chosen(code, lists["types"]) for code in criteria.types or ()],
            "nomenclature": criteria.nomenclature or "",
            "population": [grouped(each) if each is not None else "" for each in (low, high)],
            "name": spec.name or "",
            "sirets": self._sirets(criteria.sirets or ()),
            "epci": [self._epci(siren) for siren in criteria.epci or ()],
            "others": [
                {"field": name, "label": f"{name.upper()} : {', '.join(values[:5])}{'…' if len(values) > 5 else ''}"}
                for name in ("sirens", "finess")
                if (values := getattr(criteria, name)) is not None
            ],
            "comptes": [
                {"value": each, "label": f"{each} {self.choices.libelle(each, spec)}".strip()}
                for each in spec.comptes or ()
            ],
            "fonctions": [
                {"value": each, "label": f"{each} {self.choices.fonctions.get(each, '')}".strip()}
                for each in spec.fonctions or ()
            ],
            "exercices": list(spec.exercices or ()),
            "measures": [
                {
                    "compte": each.compte,
                    "libelle_compte": self.choices.libelle(each.compte, spec),
                    "side": each.side,
                    "type_appel": each.type_appel,
                    "types": allowed_types(each.side),
                    "per_inhabitant": each.per_inhabitant,
                    "libelle": each.libelle,
                    "name": each.name,
                }
                for each in spec.measures
            ],
            "by": list(spec.dimensions),
            "filters": [
                {"measure": each.measure, "operator": each.operator, "value": _amount(each.value)}
                for each in spec.filters
            ],
            "order": [{"column": bare, "descending": descending} for bare, descending in spec.ordering],
            "columns": list(spec.headings),
            "limit": "" if spec.limit is None else grouped(spec.limit),
            "default_limit": grouped(DEFAULT_ROWS),
            "seconds": f"{self.seconds:g}".replace(".", ","),
            "opened": None if self.opened is None else self._saved(self.opened),
            "modified": self.opened is not None and self.opened.query.spec != spec,
        }

    def _labels(self) -> dict[str, dict[str, str]]:
        return {
            name: {each["value"]: each["label"] for each in choices}
            for name, choices in self.choices.lists().items()
            if name in {"departements", "types"}
        }

    def _sirets(self, sirets: tuple[str, ...]) -> list[Choice]:
        if len(sirets) > _NAMED:
            return [{"value": "", "label": f"{grouped(len(sirets))} collectivités"}]
        unknown = [each for each in sirets if each not in self._names]
        if unknown:
            self._names |= dict.fromkeys(unknown, "") | self.choices.names_of(unknown)
        return [{"value": each, "label": self._names[each] or each, "detail": each} for each in sirets]

    def _epci(self, siren: str) -> Choice:
        found = [each for each in self.choices.epci(siren) if each["value"] == siren]
        return found[0] if found else {"value": siren, "label": siren, "detail": ""}

    # --- what comes out

    def sql(self) -> dict[str, Any]:
        """Return the statement: ``text``, and ``values``, a line each; empty while nothing is asked."""
        try:
            found = self.query.sql()
        except WorkbenchError as error:
            return {"text": "", "values": [], "notice": notice(error)}
        values = [f"${place} = {value!r}" for place, value in enumerate(found.values, 1)]
        values += [f"{name} : {grouped(count)} identifiant(s)" for name, count in found.tables.items()]
        return {"text": found.text, "values": values, "notice": None}

    def count(self, cancellation: Cancellation | None = None) -> int:
        """Count the rows of the whole result, within half a minute."""
        return self.query.count(_COUNT_SECONDS, cancellation)

    def run(self, cancellation: Cancellation | None = None) -> QueryResult:
        """Run the query within its time limit; the former result stays when this one fails."""
        query = self.query
        result = query.run(timeout=self.seconds, cancellation=cancellation)
        self.result, self.asked = result, query
        return result

    def summary(self) -> dict[str, Any] | None:
        """Return what is said of the result: columns, rows, notices; None before any."""
        if self.result is None or self.asked is None:
            return None
        table = self.result.table
        return {
            "columns": [
                {"name": name, "kind": _kind(kind)}
                for name, kind in zip(table.column_names, table.schema.types, strict=True)
            ],
            "rows": len(self.result),
            "truncated": self.result.truncated,
            "notices": list(self.result.notices),
            "seconds": round(self.result.seconds, 2),
            "snapshot": self.result.snapshot,
            "stale": self.asked.spec != self.query.spec,
        }

    def page(self, first: object, count: object = _PAGE) -> dict[str, Any] | None:
        """Return some rows of the result; None for what is no page.

        Parameters
        ----------
        first
            Position of the first row, from 0.
        count
            How many, 500 at most.
        """
        if self.result is None or isinstance(first, bool) or isinstance(count, bool):
            return None
        if not isinstance(first, int) or not isinstance(count, int) or first < 0 or not 1 <= count <= _MOST_PAGE:
            return None
        part = self.result.table.slice(first, count)
        columns = [column.to_pylist() for column in part.columns]
        return {"first": first, "rows": [list(row) for row in zip(*columns, strict=True)]}

    def chart(self) -> Any:
        """Draw the result; None when there is nothing to draw."""
        from workbench.reports.charts_query import query_chart

        return None if self.result is None or not len(self.result) else query_chart(self.result)

    def document(self, kind: object) -> Document | None:
        """Return the result as a file: ``excel`` or ``csv``; None for anything else, or before any result."""
        if self.result is None or kind not in {"excel", "csv"}:
            return None
        name = self._file_name()
        if kind == "csv":
            text = csv_text(self.result.table)
            return Document(f"{name}.csv", text.encode("utf-8-sig"), "text/csv;charset=utf-8")
        from workbench.reports.excel_query import write_query

        with tempfile.TemporaryDirectory() as folder:
            path = write_query(self.result, Path(folder) / f"{name}.xlsx")
            media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            return Document(path.name, path.read_bytes(), media)

    def _file_name(self) -> str:
        words = plain_words(self.opened.name) if self.opened is not None else ()
        return "-".join(words)[:60] or "requete"

    # --- saved queries

    def saved(self) -> list[dict[str, Any]]:
        """List the saved queries: ``name``, ``description``, ``owner``, ``date``, ``shared``, ``mine``."""
        return [self._saved(each) for each in saved_queries()]

    def _saved(self, saved: SavedQuery) -> dict[str, Any]:
        return {
            "name": saved.name,
            "description": saved.description,
            "owner": saved.owner,
            "date": f"{saved.date.astimezone():%d/%m/%Y}",
            "shared": saved.shared,
            "mine": saved.owner == getpass.getuser() or not saved.shared,
        }

    def save(self, name: object, description: object = "", shared: object = False, replaced: object = False) -> None:
        """Save the query under a name; ``replaced`` when it may take the place of another."""
        about = _given(description)[:2000]
        self.opened = save_query(
            self.query, _given(name), description=about, shared=shared is True, replace=replaced is True
        )

    def open(self, name: object, shared: object = None) -> None:
        """Ask a saved query."""
        found = self._find(name, shared)
        self.query = load_query(found.name, self.base, shared=found.shared)
        self.opened = found

    def rename(self, name: object, to: object, shared: object = None) -> None:
        """Give a saved query another name."""
        found = self._find(name, shared)
        opened = self.opened
        renamed = rename_query(found.name, _given(to), shared=found.shared)
        if opened is not None and self._is_opened(found):
            self.opened = replace(renamed, query=opened.query)

    def duplicate(self, name: object, to: object, shared: object = None) -> None:
        """Copy a saved query under another name, as one's own."""
        found = self._find(name, shared)
        duplicate_query(found.name, _given(to), shared=found.shared)

    def delete(self, name: object, shared: object = None) -> None:
        """Delete a saved query; what the panel asks stays."""
        found = self._find(name, shared)
        delete_query(found.name, shared=found.shared)
        if self._is_opened(found):
            self.opened = None

    def _is_opened(self, found: SavedQuery) -> bool:
        return self.opened is not None and (self.opened.name, self.opened.shared) == (found.name, found.shared)

    def _find(self, name: object, shared: object) -> SavedQuery:
        wanted = _given(name)
        for each in saved_queries():
            if each.name == wanted and shared in (None, each.shared):
                return each
        raise WorkbenchError("requete_absente", nom=wanted[:60], conseil="")


def _given(value: object) -> str:
    if not isinstance(value, str):
        raise WorkbenchError("choix_inconnu", champ="Panneau", valeur=str(value)[:60])
    return value


def _chosen(code: str, labels: Mapping[str, str]) -> Choice:
    return {"value": code, "label": labels.get(code, code)}


def _amount(value: Any) -> str:
    text = f"{value:,f}".replace(",", "\u202f").replace(".", ",")
    return text.rstrip("0").rstrip(",") if "," in text else text


def _kind(kind: pa.DataType) -> str:
    return "amount" if pa.types.is_floating(kind) else "number" if pa.types.is_integer(kind) else "text"
