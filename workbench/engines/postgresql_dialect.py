"""How statements are written for PostgreSQL: the functions that it names otherwise than DuckDB.

Rooms write one statement; where a function has no common name they use DuckDB's, and this module
alone says what PostgreSQL calls it. Sums of integers come out as ``bigint``, not ``numeric``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import Dialect, Integer
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect

__all__ = ["bound_values", "compile_statement", "written_statement"]


class _Compiler(PGCompiler):
    def _arguments(self, function: Any, **options: Any) -> list[str]:
        return [self.process(each, **options) for each in function.clauses]

    def visit_sum_func(self, function: Any, windowed: bool = False, **options: Any) -> str:
        (value,) = self._arguments(function, **options)
        # A sum of bigints is numeric, which has no Arrow type; amounts of a whole country fit 63 bits.
        return f"sum({value})" if windowed or not isinstance(function.type, Integer) else f"sum({value})::bigint"

    def visit_over(self, over: Any, **options: Any) -> str:
        text = super().visit_over(over, **{**options, "windowed": True})  # type: ignore[no-untyped-call]
        total = getattr(over.element, "name", "") == "sum" and isinstance(over.element.type, Integer)
        return f"({text})::bigint" if total else text

    def visit_arg_max_func(self, function: Any, **options: Any) -> str:
        value, rank = self._arguments(function, **options)
        return f"(array_agg({value} ORDER BY {rank} DESC) FILTER (WHERE {value} IS NOT NULL))[1]"

    def visit_date_diff_func(self, function: Any, **options: Any) -> str:
        _, start, end = self._arguments(function, **options)
        # Days alone are asked.
        return f"({end} - {start})"

    def visit_contains_func(self, function: Any, **options: Any) -> str:
        text, part = self._arguments(function, **options)
        return f"(strpos({text}, {part}) > 0)"

    def visit_strip_accents_func(self, function: Any, **options: Any) -> str:
        (text,) = self._arguments(function, **options)
        return f"regexp_replace(normalize({text}, NFD), '[\\u0300-\\u036f]', '', 'g')"


class _Dialect(PGDialect):
    statement_compiler = _Compiler
    # Sessions keep standard strings on, where a backslash is an ordinary character.
    _backslash_escapes = False


_DIALECT: Dialect = _Dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


def compile_statement(statement: Any) -> tuple[str, pa.RecordBatch | None]:
    """Return the text of a statement and its bound values, None when it has none.

    Raises
    ------
    sqlalchemy.exc.CompileError
        When PostgreSQL has no form for it.

    Examples
    --------
    >>> from sqlalchemy import BigInteger, column, func, select
    >>> text, values = compile_statement(select(func.sum(column("n", BigInteger))).where(column("a") == "x"))
    >>> text.split()
    ['SELECT', 'sum(n)::bigint', 'AS', 'sum_1', 'WHERE', 'a', '=', '$1']
    >>> values.to_pydict()
    {'0': ['x']}
    """
    text, values = written_statement(statement)
    return text, bound_values(values)


def written_statement(statement: Any) -> tuple[str, list[Any]]:
    """Return the text of a statement and its bound values, in order."""
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    parameters = getattr(compiled, "params", None) or {}
    return str(compiled), [parameters[name] for name in getattr(compiled, "positiontup", None) or ()]


def bound_values(values: Sequence[Any]) -> pa.RecordBatch | None:
    """Return values as the driver binds them: one row; None when there are none."""
    if not values:
        return None
    return pa.record_batch([_bound(value) for value in values], [str(n) for n in range(len(values))])


def _bound(value: Any) -> pa.Array:
    # Functions such as left() take a 32-bit integer and no wider one.
    small = isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31
    return pa.array([value], pa.int32() if small else None)
