"""What an engine says of a statement that someone wrote, as a French error that shows the place."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.errors import WorkbenchError

__all__ = ["error_of", "place_of_excerpt", "refuse_several"]

Place = tuple[int, int]
"""Line and column, from 1."""

# In the order of trial: what the engines say, the code of our error, its sentence.
_KINDS: tuple[tuple[str, str, str], ...] = (
    (
        r"(?:Referenced column|column) \"(?P<nom>[^\"]*)\"(?: not found| does not exist)",
        "sql_incorrecte",
        "la colonne « {nom} » n'existe pas",
    ),
    (r"column (?P<nom>[\w.]+) does not exist", "sql_incorrecte", "la colonne « {nom} » n'existe pas"),
    (
        r"Values list \"(?P<nom>[^\"]*)\" does not have a column named",
        "sql_incorrecte",
        "« {nom} » n'a pas cette colonne",
    ),
    (r"Table with name (?P<nom>.*?) does not exist", "sql_incorrecte", "la table « {nom} » n'existe pas"),
    (r"relation \"(?P<nom>[^\"]*)\" does not exist", "sql_incorrecte", "la table « {nom} » n'existe pas"),
    (
        r"Referenced table \"(?P<nom>[^\"]*)\" not found",
        "sql_incorrecte",
        "la table « {nom} » n'est pas citée après FROM",
    ),
    (
        r"missing FROM-clause entry for table \"(?P<nom>[^\"]*)\"",
        "sql_incorrecte",
        "la table « {nom} » n'est pas citée après FROM",
    ),
    (
        r"Function with name (?P<nom>\S+) (?:does not exist|is not)",
        "sql_incorrecte",
        "la fonction « {nom} » n'existe pas",
    ),
    (
        r"function (?P<nom>[\w.]+\(.*?\)) does not exist",
        "sql_incorrecte",
        "la fonction « {nom} » n'existe pas pour ces valeurs",
    ),
    (
        r"must appear in the GROUP BY clause",
        "sql_incorrecte",
        "une colonne affichée n'est ni dans GROUP BY ni dans une somme",
    ),
    (r"file system operations are disabled|configuration has been locked|Permission Error", "sql_interdite", ""),
    (r"permission denied|must be superuser|read-only transaction|read-only mode", "sql_interdite", ""),
    (r"syntax error at end of input", "sql_incorrecte", "elle s'arrête trop tôt"),
    (
        r"syntax error at or near \"(?P<nom>[^\"]*)\"",
        "sql_incorrecte",
        "l'écriture n'est pas comprise près de « {nom} »",
    ),
    (
        r"(?:Could not convert|invalid input syntax|Conversion Error|out of range|Out of Range)",
        "sql_incorrecte",
        "une valeur n'a pas le type attendu",
    ),
    (
        r"Could not choose a best candidate function|operator does not exist|No function matches",
        "sql_incorrecte",
        "une opération ne convient pas au type de ses valeurs",
    ),
    (r"division by zero", "sql_incorrecte", "elle divise par zéro"),
    (
        r"Out of Memory|No space left|max_temp_directory_size|failed to allocate|out of memory",
        "sql_incorrecte",
        "elle demande plus de mémoire ou de disque qu'il n'y en a",
    ),
)


def error_of(statement: str, said: str, place: Place | None) -> WorkbenchError:
    r"""Return the error for what an engine said of a statement.

    Parameters
    ----------
    statement
        What the person wrote.
    said
        The engine's own words, on one line.
    place
        Where, when the engine says it.

    Examples
    --------
    >>> print(error_of("select c70\nfrom balances", 'column "c70" does not exist', (1, 8)))
    La requête ne peut pas être exécutée, ligne 1, colonne 8 : la colonne « c70 » n'existe pas.
      select c70
             ^
    """
    where, excerpt = "", ""
    if place is not None:
        line, column = place
        where = f", ligne {line}, colonne {column}"
        written = statement.split("\n")[line - 1] if line <= statement.count("\n") + 1 else ""
        first = max(0, column - 60)
        excerpt = f"\n  {written[first : first + 100]}\n  {' ' * (column - 1 - first)}^"
    for pattern, code, sentence in _KINDS:
        found = re.search(pattern, said)
        if found:
            reason = sentence.format(**{name: _short(value) for name, value in found.groupdict().items()})
            return WorkbenchError(code, ou=where, raison=reason, extrait=excerpt, detail=said, conseil="")
    return WorkbenchError("sql_incorrecte", ou=where, raison=said.rstrip("."), extrait=excerpt, detail=said, conseil="")


def refuse_several(kinds: Sequence[str]) -> None:
    """Refuse a text that is not one statement that reads.

    Parameters
    ----------
    kinds
        What each of its statements is, in the engine's words.
    """
    if not kinds:
        raise WorkbenchError("sql_vide")
    if len(kinds) > 1:
        raise WorkbenchError("sql_plusieurs", nombre=len(kinds))
    if kinds[0] != "SELECT":
        raise WorkbenchError("sql_interdite", ou="", raison="", extrait="", detail=kinds[0])


def place_of_excerpt(statement: str, said: str) -> Place | None:
    r"""Find the place that DuckDB shows: ``LINE 2: …excerpt…`` and a caret below.

    Examples
    --------
    >>> place_of_excerpt("select 1,\n  nope", "no such column\n\nLINE 2:   nope\n          ^")
    (2, 3)
    """
    found = re.search(r"^(LINE (\d+): )(.*)\n( *)\^", said, re.MULTILINE)
    if not found:
        return None
    line, excerpt = int(found[2]), found[3]
    offset = len(found[4]) - len(found[1])
    lines = statement.split("\n")
    if line > len(lines) or offset < 0:
        return None
    if excerpt.startswith("..."):
        # A long line is shown in part: what is shown is found again in what was written.
        excerpt, offset = excerpt[3:], offset - 3
    start = lines[line - 1].find(excerpt.removesuffix("..."))
    return (line, start + offset + 1) if start >= 0 else (line, 1)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
