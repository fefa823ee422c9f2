"""The SQL of a query as people read it: laid out, with its bound values beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.display import coded, facts, safe, view

__all__ = ["SqlText", "readable"]

_CLAUSE = re.compile(
    r"(WITH |SELECT |FROM |LEFT OUTER JOIN |JOIN |WHERE |GROUP BY |ORDER BY |LIMIT |\(SELECT |UNION ALL )"
)
_WIDTH = 90
_TOKENS = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\s+|[()]|,|[^\s'\"(),]+")


@dataclass(frozen=True)
class SqlText:
    """A statement and what it is run with.

    Parameters
    ----------
    text
        The statement; ``$1``, ``$2``… stand for values.
    values
        Those values, in order.
    tables
        Tables given beside the statement, and their number of rows.
    """

    text: str
    values: tuple[Any, ...] = ()
    tables: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"-- ${place} = {value!r}" for place, value in enumerate(self.values, 1)]
        lines += [f"-- {name} : {count} identifiant(s)" for name, count in self.tables.items()]
        return "\n".join([self.text, *lines])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        values: list[tuple[str, object]] = [
            (f"${place}", coded(repr(value))) for place, value in enumerate(self.values, 1)
        ]
        values += [(name, f"{count} identifiant(s)") for name, count in self.tables.items()]
        table = facts(values, "Valeurs") if values else ""
        return view(f"<pre><code>{safe(self.text)}</code></pre>", table)


def readable(text: str) -> str:
    """Lay a statement out: a clause a line, what is inside a query indented; only blanks change.

    Examples
    --------
    >>> print(readable("WITH a AS (SELECT t.x, t.y FROM t WHERE t.x = $1) SELECT count(*) AS n FROM a"))
    WITH a AS (
      SELECT t.x, t.y
      FROM t
      WHERE t.x = $1
    )
    SELECT count(*) AS n
    FROM a
    """
    pieces = [each if not each.isspace() else " " for each in _TOKENS.findall(text)]
    lines: list[str] = [""]
    queries: list[bool] = []

    def open_line(deeper: int = 0) -> None:
        lines.append("  " * (sum(queries) + deeper))

    for place, piece in enumerate(pieces):
        inside_call = bool(queries) and not queries[-1]
        if piece == "(":
            following = next((each for each in pieces[place + 1 : place + 3] if each != " "), "")
            queries.append(following == "SELECT")
            lines[-1] += piece
            if queries[-1]:
                open_line()
            continue
        if piece == ")":
            if queries and queries.pop():
                open_line()
            lines[-1] += piece
            continue
        begins = _CLAUSE.match("".join(pieces[place : place + 7])) and not lines[-1].endswith("OUTER ")
        if begins and not inside_call and lines[-1].strip():
            open_line()
        elif piece == " " and not inside_call and lines[-1].endswith(",") and len(lines[-1]) > _WIDTH:
            open_line(deeper=1)
        if piece != " " or (lines[-1].strip() and not lines[-1].endswith(" ")):
            lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines if line.strip())
