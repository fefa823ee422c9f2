"""What the brackets of a formule apply to, read from left to right over the words, whatever the syntax.

* ``[TA:xx]`` gives its type d'appel to every variable written since the previous ``[TA]``, whatever the parentheses and
  even across segments.
* ``[OS:xx]`` shifts the last indicateur written, even if something else stands between; afterwards there is none.
* The conditions of a segment come in any order; of two of the same key the first wins.

Existing formules depend on all three. Where the reader of a formule could be misled, a warning says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from workbench.formules.diagnostics import Diagnostic, diagnose
from workbench.formules.lexemes import Lexeme
from workbench.formules.tree import Reference, Variable
from workbench.types_appel import SOLDES, TYPES_APPEL, Side, TypeAppel

__all__ = ["bind", "segment_conditions"]

_VARIABLE = re.compile(r"(SC|SD|C|D)([0-9]+)")
_OFFSET = re.compile(r"([MP])([0-9]{1,2})")
_EXERCICE = re.compile(r"[0-9]{4}")
_TYPE_ETABLISSEMENT = re.compile(r"[0-9]{3}")


def bind(lexemes: list[Lexeme]) -> list[Diagnostic]:
    """Give each variable its type d'appel and each indicateur its offset, and report what cannot be given.

    Every ``VARIABLE`` and ``REFERENCE`` without an error receives its leaf of the syntax tree.
    """
    reader = _Reader()
    for lexeme in lexemes:
        reader.read(lexeme)
    return reader.finish()


@dataclass
class _Reader:
    diagnostics: list[Diagnostic] = field(default_factory=list)
    segment: int = 0
    pending: list[tuple[Lexeme, int]] = field(default_factory=list)
    candidate: Lexeme | None = None
    previous: Lexeme | None = None
    conditions: dict[str, Lexeme] = field(default_factory=dict)
    types_appel: dict[tuple[int, str], str] = field(default_factory=dict)

    def read(self, lexeme: Lexeme) -> None:
        kind = lexeme.kind
        if self.conditions and kind not in {"CONDITION", "BINDING", "STRAY"}:
            self._end_segment()
        if kind == "VARIABLE":
            self.pending.append((lexeme, self.segment))
        elif kind == "REFERENCE":
            lexeme.node = Reference(lexeme.text, 0, lexeme.span)
            self.candidate = lexeme
        elif kind == "CONDITION":
            self._condition(lexeme)
        elif kind == "BINDING" and lexeme.bracket is not None:
            if lexeme.bracket.key == "TA":
                self._type_appel(lexeme)
            elif lexeme.bracket.key == "OS":
                self._offset(lexeme)
        if kind != "BINDING":
            self.previous = lexeme

    def finish(self) -> list[Diagnostic]:
        self._end_segment()
        for variable, _segment in self.pending:
            self._report("type_appel_absent", variable, variable=variable.text)
        return self.diagnostics

    def _report(self, code: str, lexeme: Lexeme, **details: Any) -> None:
        self.diagnostics.append(diagnose(code, lexeme.span, **details))

    def _type_appel(self, lexeme: Lexeme) -> None:
        bound, self.pending = self.pending, []
        bracket = lexeme.bracket
        if bracket is None or bracket.problem:
            return
        if bracket.value not in TYPES_APPEL:
            self._report("type_appel_incorrect", lexeme, valeur=bracket.value)
            return
        if not bound:
            self._report("type_appel_sans_variable", lexeme, texte=f"[TA:{bracket.value}]")
        type_appel = cast("TypeAppel", bracket.value)
        for variable, segment in bound:
            self._variable(variable, type_appel)
            if segment < self.segment:
                self._report(
                    "type_appel_autre_segment", variable, variable=variable.text, texte=f"[TA:{bracket.value}]"
                )
            first = self.types_appel.setdefault((segment, variable.text), type_appel)
            if first not in {type_appel, ""}:
                self._report(
                    "variable_deux_types_appel", variable, variable=variable.text, premier=first, second=type_appel
                )
                self.types_appel[segment, variable.text] = ""  # said once a segment

    def _variable(self, lexeme: Lexeme, type_appel: TypeAppel) -> None:
        match = _VARIABLE.fullmatch(lexeme.text)
        if match is None:
            return
        side = cast("Side", match[1])
        if (type_appel, side) not in SOLDES:
            accepted = ", ".join(code for code in TYPES_APPEL if (code, side) in SOLDES)
            self._report(
                "type_appel_impossible",
                lexeme,
                type_appel=type_appel,
                variable=lexeme.text,
                cote=side,
                acceptes=accepted,
                remplacement=lexeme.text[1:],
            )
            return
        lexeme.node = Variable(side, match[2], type_appel, lexeme.span)

    def _offset(self, lexeme: Lexeme) -> None:
        candidate, self.candidate = self.candidate, None
        bracket = lexeme.bracket
        if bracket is None or bracket.problem:
            return
        match = _OFFSET.fullmatch(bracket.value)
        if match is None:
            self._report("decalage_incorrect", lexeme, valeur=bracket.value)
        if candidate is None:
            self._report("decalage_sans_indicateur", lexeme, texte=f"[OS:{bracket.value}]")
            return
        if candidate is not self.previous:
            self._report("decalage_eloigne", lexeme, texte=f"[OS:{bracket.value}]", indicateur=candidate.text)
        if match is not None:
            offset = int(match[2]) if match[1] == "P" else -int(match[2])
            candidate.node = Reference(candidate.text, offset, candidate.span)

    def _condition(self, lexeme: Lexeme) -> None:
        bracket = lexeme.bracket
        if bracket is None or bracket.problem:
            return
        first = self.conditions.setdefault(bracket.key, lexeme)
        if first is not lexeme and first.bracket is not None:
            self._report(
                "crochet_double",
                lexeme,
                cle=bracket.key,
                premier=f"[{bracket.key}:{first.bracket.value}]",
                texte=f"[{bracket.key}:{bracket.value}]",
            )
        if bracket.key in {"RE-MIN", "RE-MAX"}:
            if bracket.value != "#" and not _EXERCICE.fullmatch(bracket.value):
                self._report("exercice_incorrect", lexeme, valeur=bracket.value, cle=bracket.key)
        elif bracket.key == "TB" and bracket.value not in {"BP", "BA"}:
            self._report("type_budget_incorrect", lexeme, valeur=bracket.value)
        elif bracket.key == "TE" and not _TYPE_ETABLISSEMENT.fullmatch(bracket.value):
            self._report("type_etablissement_inhabituel", lexeme, valeur=bracket.value)

    def _end_segment(self) -> None:
        values = segment_conditions(self.conditions.values())
        minimum, maximum = values["exercice_min"], values["exercice_max"]
        if minimum is not None and maximum is not None and minimum > maximum:
            self._report("exercices_inverses", self.conditions["RE-MAX"], minimum=minimum, maximum=maximum)
        self.conditions = {}
        self.segment += 1


def segment_conditions(lexemes: Iterable[Lexeme]) -> dict[str, Any]:
    """Read the arguments of `Segment` in its brackets; the first of each key wins, ``#`` bounds nothing.

    Parameters
    ----------
    lexemes
        ``CONDITION`` lexemes, in the order of the text.
    """
    values: dict[str, str] = {}
    for lexeme in lexemes:
        if lexeme.bracket is not None and not lexeme.bracket.problem:
            values.setdefault(lexeme.bracket.key, lexeme.bracket.value)
    return {
        "exercice_min": _exercice(values.get("RE-MIN")),
        "exercice_max": _exercice(values.get("RE-MAX")),
        "type_budget": values.get("TB"),
        "type_etablissement": values.get("TE"),
        "absolute": values.get("CAL"),
    }


def _exercice(value: str | None) -> int | None:
    return int(value) if value is not None and _EXERCICE.fullmatch(value) else None
