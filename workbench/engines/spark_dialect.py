"""How statements are written for Spark SQL: what it writes or orders otherwise than DuckDB.

Rooms write one statement; where a function has no common name they use DuckDB's, and this module
alone says what Spark calls it. Values are bound by name. Absent values come last in every order, as
on the other engines.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql import operators
from sqlalchemy.sql.compiler import GenericTypeCompiler, IdentifierPreparer, SQLCompiler
from sqlalchemy.sql.elements import UnaryExpression

__all__ = ["compile_statement", "written_statement"]

_NULLS = (operators.nulls_first_op, operators.nulls_last_op)


class _Compiler(SQLCompiler):
    def _arguments(self, function: Any, **options: Any) -> list[str]:
        return [self.process(each, **options) for each in function.clauses]

    def _ordered(self, clauses: Any, **options: Any) -> str:
        found = []
        for each in clauses:
            said = isinstance(each, UnaryExpression) and each.modifier in _NULLS
            found.append(self.process(each, **options) + ("" if said else " NULLS LAST"))
        return ", ".join(found)

    def order_by_clause(self, select: Any, **options: Any) -> str:
        clauses = select._order_by_clauses
        return f" ORDER BY {self._ordered(clauses, **options)}" if clauses else ""

    def visit_over(self, over: Any, **options: Any) -> str:
        parts = []
        if over.partition_by is not None:
            parts.append("PARTITION BY " + self.process(over.partition_by, **options))
        if over.order_by is not None:
            # A list of several is one clause with several elements.
            clauses = getattr(over.order_by, "clauses", [over.order_by])
            parts.append("ORDER BY " + self._ordered(clauses, **options))
        if over.rows is not None:
            parts.append("ROWS BETWEEN " + self.process(over.rows, **options))
        return f"{self.process(over.element, **options)} OVER ({' '.join(parts)})"

    def visit_arg_max_func(self, function: Any, **options: Any) -> str:
        value, rank = self._arguments(function, **options)
        # As elsewhere, a row without value does not count.
        return f"max_by({value}, {rank}) FILTER (WHERE {value} IS NOT NULL)"

    def visit_date_diff_func(self, function: Any, **options: Any) -> str:
        _, start, end = self._arguments(function, **options)
        # Days alone are asked.
        return f"datediff({end}, {start})"

    def visit_strip_accents_func(self, function: Any, **options: Any) -> str:
        (text,) = self._arguments(function, **options)
        accented, plain, marks = _accents()
        return f"translate({text}, '{accented}{marks}', '{plain}')"

    def visit_starts_with_func(self, function: Any, **options: Any) -> str:
        text, part = self._arguments(function, **options)
        return f"startswith({text}, {part})"


@cache
def _accents() -> tuple[str, str, str]:
    """Letters with accents, the same without, and the accents that stand alone."""
    accented, plain, marks = [], [], []
    for code in range(0xA0, 0x10000):
        letter = chr(code)
        if unicodedata.category(letter) == "Mn":
            if unicodedata.combining(letter):
                marks.append(letter)
            continue
        bare = "".join(each for each in unicodedata.normalize("NFD", letter) if unicodedata.category(each) != "Mn")
        if bare != letter and len(bare) == 1:
            accented.append(letter)
            plain.append("\\'" if bare == "'" else "\\\\" if bare == "\\" else bare)
    return "".join(accented), "".join(plain), "".join(marks)


class _Types(GenericTypeCompiler):
    """Types by SQLAlchemy's names for the methods that write them; INTEGER and BIGINT are Spark's own."""

    def visit_string(self, type_: Any, **options: Any) -> str:  # noqa: ARG002
        return "STRING"

    visit_text = visit_unicode = visit_string

    def visit_float(self, type_: Any, **options: Any) -> str:  # noqa: ARG002
        return "DOUBLE"

    visit_double = visit_float


class _Preparer(IdentifierPreparer):
    # Names that Spark reserves in its standard mode; the others it takes as they come.
    reserved_words = IdentifierPreparer.reserved_words | {"table", "values", "position"}

    def __init__(self, dialect: Any) -> None:
        super().__init__(dialect, initial_quote="`", escape_quote="`")


class _Dialect(DefaultDialect):
    name = "spark"
    statement_compiler = _Compiler
    type_compiler_cls = _Types
    preparer: type[IdentifierPreparer] = _Preparer
    supports_native_boolean = True
    supports_statement_cache = False
    # In Spark 7 / 2 is 3.5.
    div_is_floordiv = False


_DIALECT: Dialect = _Dialect(paramstyle="named")
_SHOWN: Dialect = _Dialect(paramstyle="numeric_dollar")


def compile_statement(statement: Any) -> tuple[str, dict[str, Any]]:
    """Return the text of a statement and its bound values by name.

    Raises
    ------
    sqlalchemy.exc.CompileError
        When Spark has no form for it.

    Examples
    --------
    >>> from sqlalchemy import column, select, table
    >>> rows = table("references", column("code"))
    >>> text, values = compile_statement(select(rows).where(rows.c.code == "x").order_by(rows.c.code))
    >>> print(text)
    SELECT `references`.code
    FROM `references`
    WHERE `references`.code = :code_1 ORDER BY `references`.code NULLS LAST
    >>> values
    {'code_1': 'x'}
    """
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return str(compiled), dict(getattr(compiled, "params", None) or {})


def written_statement(statement: Any) -> tuple[str, list[Any]]:
    """Return the text of a statement as people read it, its values numbered, and these in order.

    Examples
    --------
    >>> from sqlalchemy import column, select, table
    >>> rows = table("lignes", column("code"))
    >>> written_statement(select(rows.c.code).where(rows.c.code == "x"))[1]
    ['x']
    """
    compiled = statement.compile(dialect=_SHOWN, compile_kwargs={"render_postcompile": True})
    parameters = getattr(compiled, "params", None) or {}
    return str(compiled), [parameters[name] for name in getattr(compiled, "positiontup", None) or ()]
