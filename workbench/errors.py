"""The table of errors: one row a kind, and the exception that carries it.

Clients match the stable ASCII ``code``; people read the French sentence and its hint. A sentence
is a ``str.format`` template; the values given when raising fill it and stay on the exception as
``details``, so that a message is one rendering and not the only record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["ERRORS", "ErrorKind", "WorkbenchError"]


@dataclass(frozen=True)
class ErrorKind:
    """One row of the table of errors.

    Parameters
    ----------
    sentence
        French, says what is wrong and where; a ``str.format`` template.
    hint
        French, says what to do; a template too; may be empty.
    status
        HTTP status that a service answers with.
    """

    sentence: str
    hint: str = ""
    status: int = 400


class WorkbenchError(Exception):
    """An error that its reader can act on.

    Parameters
    ----------
    code
        A key of `ERRORS`.
    **details
        Values of the sentence's and hint's fields.

    Examples
    --------
    >>> error = WorkbenchError("base_absente", chemin="base.duckdb")
    >>> print(error)
    La base base.duckdb n'existe pas.
    Importez d'abord des balances : workbench base import balances.csv
    >>> error.code, error.details
    ('base_absente', {'chemin': 'base.duckdb'})
    """

    def __init__(self, code: str, **details: Any) -> None:
        self.code = code
        self.details = details
        self.kind = ERRORS[code]
        super().__init__(code, details)

    @property
    def message(self) -> str:
        """The French sentence, filled."""
        return self.kind.sentence.format(**self.details)

    @property
    def hint(self) -> str:
        """The French hint, filled; empty when the row has none."""
        return self.kind.hint.format(**self.details)

    @property
    def status(self) -> int:
        """The HTTP status of this kind of error."""
        return self.kind.status

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.code, self.details)


def _rebuild(cls: type[WorkbenchError], code: str, details: dict[str, Any]) -> WorkbenchError:
    return cls(code, **details)


ERRORS: dict[str, ErrorKind] = {
    # --- formules
    # --- trames
    # --- engines, dgfip
    "base_absente": ErrorKind(
        "La base {chemin} n'existe pas.", "Importez d'abord des balances : workbench base import balances.csv", 404
    ),
    # --- evaluation
    # --- reports
    # --- dashboards, cli
}
