"""What is wrong, or doubtful, in a formule: where, why, and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workbench.errors import WorkbenchError
from workbench.formules.tree import Span

__all__ = ["Diagnostic", "FormuleSyntaxError"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One remark on a formule.

    Parameters
    ----------
    code
        Stable ASCII name of the rule, for programs.
    severity
        ``"error"``: the formule cannot be evaluated; ``"warning"``: it can, but look at it.
    span
        The stretch of text concerned, zero-based, end excluded.
    message
        French sentence.
    hint
        What to write, in French; empty when there is nothing to offer.
    """

    code: str
    severity: Literal["error", "warning"]
    span: Span
    message: str
    hint: str = ""


class FormuleSyntaxError(WorkbenchError):
    """A formule that cannot be evaluated; carries every diagnostic, not the first alone.

    Attributes
    ----------
    texte : str
        The formule.
    diagnostics : list of Diagnostic
        All of them, warnings included.
    """

    @property
    def texte(self) -> str:
        """The text of the formule."""
        return str(self.details["texte"])

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Every diagnostic of the text."""
        return list(self.details["diagnostics"])
