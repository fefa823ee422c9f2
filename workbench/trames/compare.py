"""What changed between two trames: indicateurs, formules by validity, names, order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from workbench.display import Markup, coded, html_table, safe, view
from workbench.errors import require_kind
from workbench.formules import Binary, FormuleSyntaxError, Node, Unary, postorder, print_segment
from workbench.trames.model import Formule, Indicateur, Trame
from workbench.trames.serie import Serie

__all__ = ["FieldChange", "IndicateurChange", "TrameComparison", "compare_trames"]

_NAMES = {
    "code": "code",
    "libelle": "libellé",
    "description": "description",
    "reference": "référence",
    "theme": "thème",
    "unite": "unité",
    "nomenclature": "nomenclature",
    "types_etablissement": "types d'établissement",
    "types_identifiant": "types d'identifiant",
    "modele": "modèle",
}


@dataclass(frozen=True)
class FieldChange:
    """A field that differs: its French name, its text before and after."""

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.name} : {self.before or '(vide)'} → {self.after or '(vide)'}"


@dataclass(frozen=True)
class IndicateurChange:
    """An indicateur that both trames have, and that differs.

    Parameters
    ----------
    code
        Its code.
    added, removed
        Formules that only the second, only the first trame has, each with its exercices.
    fields
        Libellé, description and so on, where they differ.
    same_meaning
        Whether the formules differ in writing alone (blanks, a leading ``+``, order): the values are the same.
    """

    code: str
    added: tuple[Formule, ...] = ()
    removed: tuple[Formule, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    same_meaning: bool = True

    def lines(self) -> Iterator[str]:
        """Yield the change as lines of French text, without the code."""
        yield from map(str, self.fields)
        if (self.added or self.removed) and self.same_meaning:
            yield "formule écrite autrement, de même valeur"
        for sign, formules in (("-", self.removed), ("+", self.added)):
            yield from (f"{sign} {formule.texte}{_validite(formule)}" for formule in formules)


@dataclass(frozen=True)
class TrameComparison:
    """The differences between two trames; false when there is none.

    Parameters
    ----------
    before, after
        The codes of the two trames.
    fields
        Fields of the trame that differ.
    added, removed
        Indicateurs that only the second, only the first has.
    changed
        Indicateurs that both have, and that differ.
    moved
        Whether the indicateurs that both have come in another order.
    trames
        Of two series, the differences of their trames.
    """

    before: str
    after: str
    fields: tuple[FieldChange, ...] = ()
    added: tuple[Indicateur, ...] = ()
    removed: tuple[Indicateur, ...] = ()
    changed: tuple[IndicateurChange, ...] = ()
    moved: bool = False
    trames: tuple[TrameComparison, ...] = ()

    @property
    def same(self) -> bool:
        """Whether there is no difference."""
        return not self

    def __bool__(self) -> bool:
        return bool(self.fields or self.added or self.removed or self.changed or self.moved or self.trames)

    def __str__(self) -> str:
        if not self:
            return f"{self.before} et {self.after} : aucune différence."
        lines = [f"De {self.before} à {self.after} :", *(f"  {change}" for change in self.fields)]
        for title, indicateurs in (("Ajoutés", self.added), ("Supprimés", self.removed)):
            if indicateurs:
                lines.append(f"{title} :")
                lines += [f"  {one.code}  {one.libelle}".rstrip() for one in indicateurs]
        if self.changed:
            lines.append("Modifiés :")
            for change in self.changed:
                lines += [f"  {change.code}", *(f"    {line}" for line in change.lines())]
        if self.moved:
            lines.append("Les indicateurs communs ne sont pas dans le même ordre.")
        return "\n".join([*lines, *map(str, self.trames)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return view(*self._parts())

    def _parts(self) -> Iterator[str]:
        if not self:
            yield f"<p>{safe(self)}</p>"
            return
        rows = [("Trame", "", [str(change) for change in self.fields])] if self.fields else []
        rows += [("Ajouté", one.code, _content(one, "+")) for one in self.added]
        rows += [("Supprimé", one.code, _content(one, "-")) for one in self.removed]
        rows += [("Modifié", change.code, list(change.lines())) for change in self.changed]
        yield html_table(
            ("Quoi", "Code", "Différence"),
            [(kind, code, Markup("<br>".join(map(_html_line, lines)))) for kind, code, lines in rows],
            caption=f"De {self.before} à {self.after}",
            heads=2,
            shown=100,
            rest="str(…)",
        )
        if self.moved:
            yield "<p>Les indicateurs communs ne sont pas dans le même ordre.</p>"
        for each in self.trames:
            yield from each._parts()


def _html_line(line: str) -> str:
    if line[:2] not in {"+ ", "- "}:
        return safe(line)
    tag = "ins" if line[0] == "+" else "del"
    return f"{line[0]} <{tag}>{coded(line[2:])}</{tag}>"


def _content(one: Indicateur, sign: str) -> list[str]:
    return [one.libelle, *(f"{sign} {formule.texte}{_validite(formule)}" for formule in one.formules)]


def _validite(formule: Formule) -> str:
    return f"  ({formule.validite})" if formule.validite else ""


def compare_trames(before: Trame, after: Trame) -> TrameComparison:
    """Compare two trames.

    Parameters
    ----------
    before, after
        The trames; indicateurs are matched by code. Two series are compared trame by trame, those of one
        nomenclature together.

    Returns
    -------
    TrameComparison
        False when the trames are equal; prints as a French text, as a table in a notebook.

    Examples
    --------
    >>> from workbench.trames.from_formules import trame_from_formules
    >>> before = trame_from_formules({"A_B": "C70[TA:BX][RE-MAX:2016]", "A_C": "C71[TA:BX]"}, code="ancienne")
    >>> after = trame_from_formules({"A_B": "C70[TA:BX]", "A_D": "A_B/$POP"}, code="nouvelle")
    >>> print(compare_trames(before, after))
    De ancienne à nouvelle :
      code : ancienne → nouvelle
    Ajoutés :
      A_D
    Supprimés :
      A_C
    Modifiés :
      A_B
        - C70[TA:BX]  (jusqu'à 2016)
        + C70[TA:BX]
    """
    for name, trame in (("before", before), ("after", after)):
        require_kind(trame, Trame, name, "une trame", "Chargez-la : wb.load_trame.")
    if isinstance(before, Serie) and isinstance(after, Serie):
        return _compare_series(before, after)
    common = [code for code in before.codes if code in after]
    return TrameComparison(
        before.code,
        after.code,
        _fields(before, after),
        tuple(one for one in after.indicateurs if one.code not in before),
        tuple(one for one in before.indicateurs if one.code not in after),
        tuple(_change(before[code], after[code]) for code in common if before[code] != after[code]),
        common != [code for code in after.codes if code in before],
    )


def _compare_series(before: Serie, after: Serie) -> TrameComparison:
    # The texts of a serie's indicateurs are those of its trames, and its order is theirs.
    known = {one.nomenclature: one for one in before.trames}
    pairs = [compare_trames(known[one.nomenclature], one) for one in after.trames if one.nomenclature in known]
    return TrameComparison(
        before.code, after.code, _fields(before, after), trames=tuple(each for each in pairs if each)
    )


def _fields(before: Trame | Indicateur, after: Trame | Indicateur) -> tuple[FieldChange, ...]:
    names = [field.name for field in fields(before) if field.name in _NAMES]
    pairs = ((name, _shown(getattr(before, name)), _shown(getattr(after, name))) for name in names)
    return tuple(FieldChange(_NAMES[name], old, new) for name, old, new in pairs if old != new)


def _shown(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value or "")


def _change(before: Indicateur, after: Indicateur) -> IndicateurChange:
    added, removed = list(after.formules), list(before.formules)
    for formule in before.formules:
        if formule in added:
            added.remove(formule)
            removed.remove(formule)
    return IndicateurChange(
        before.code, tuple(added), tuple(removed), _fields(before, after), _meaning(before) == _meaning(after)
    )


def _meaning(indicateur: Indicateur) -> list[str]:
    """Write the segments canonically, in a fixed order and without ``+`` signs; the text itself when it is wrong."""
    try:
        segments = indicateur.tree.segments
    except FormuleSyntaxError:
        return [indicateur.texte]
    return sorted(print_segment(replace(one, expression=_without_plus(one.expression))) for one in segments)


def _without_plus(expression: Node) -> Node:
    stack: list[Node] = []
    for node in postorder(expression):
        if isinstance(node, Binary):
            right = stack.pop()
            stack.append(replace(node, left=stack.pop(), right=right))
        elif isinstance(node, Unary):
            if node.operator == "-":
                stack.append(replace(node, operand=stack.pop()))
        else:
            stack.append(node)
    return stack[0]
