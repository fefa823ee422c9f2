"""A compiled plan in words: what is weighed, on which exercices, and what is then computed."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from workbench.evaluation.forms import ALL, Atom, Cell, Condition, Inhabitants, Vector
from workbench.evaluation.plan import Absolute, Combine, Instruction, Plan, Weigh, Within

__all__ = ["describe_plan"]

_SYMBOLS = {"*": "×", "/": "÷", "^": "puissance"}


def describe_plan(plan: Plan) -> str:
    """Write a plan for people.

    Parameters
    ----------
    plan
        A compiled trame.

    Returns
    -------
    str
        One paragraph an instruction, in the order in which they run, each named by what the trame
        calls it or by a number; weights apply to amounts in euros.

    Examples
    --------
    >>> from workbench.evaluation.plan import compile_trame
    >>> from workbench.trames import trame_from_formules
    >>> trame = trame_from_formules({"A_B": "C70[TA:BX]/2[RE-MIN:2020]"})
    >>> print(describe_plan(compile_trame(trame)))
    1 indicateur, 1 instruction
    exercices : jusqu'à 2019, puis à partir de 2020
    <BLANKLINE>
    A_B = somme pesée
      jusqu'à 2019 :
        0
      à partir de 2020 :
        + 1/2 × credit_2 des comptes 70…
        − 1/2 × debit_7 des comptes 70…
    """
    names = _names(plan)
    lines = [
        f"{_counted(len(plan.codes), 'indicateur')}, {_counted(len(plan.instructions), 'instruction')}",
        f"exercices : {', puis '.join(_spans(plan))}",
    ]
    for index, instruction in enumerate(plan.instructions):
        lines += ["", *_instruction(plan, names, index, instruction)]
    alike = [(code, names[output.index]) for code, output in zip(plan.codes, plan.outputs, strict=True)]
    same = [f"{code} = {name}" for code, name in alike if code != name]
    return "\n".join([*lines, *(["", *same] if same else [])])


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}"


def _names(plan: Plan) -> list[str]:
    names = [f"v{index}" for index in range(len(plan.instructions))]
    for code, output in reversed(list(zip(plan.codes, plan.outputs, strict=True))):
        names[output.index] = code
    return names


def _spans(plan: Plan) -> list[str]:
    points = plan.breakpoints
    if not points:
        return ["tous"]
    inner = [f"de {first} à {last - 1}" for first, last in pairwise(points)]
    return [f"jusqu'à {points[0] - 1}", *inner, f"à partir de {points[-1]}"]


def _instruction(plan: Plan, names: list[str], index: int, instruction: Instruction) -> Iterator[str]:
    name = names[index]
    if isinstance(instruction, Weigh):
        yield f"{name} = somme pesée"
        grouped: dict[int, list[str]] = {}
        for span, part in zip(_spans(plan), instruction.form.parts, strict=True):
            grouped.setdefault(id(part), []).append(span)
        parts = {id(part): part for part in instruction.form.parts}
        for key, spans in grouped.items():
            margin = "  "
            if len(grouped) > 1:
                yield f"  {', '.join(spans)} :"
                margin = "    "
            terms = sorted((_atom(atom, names), weight) for atom, weight in parts[key].items())
            yield from (f"{margin}{_weight(weight)} × {text}" for text, weight in terms)
            if not terms:
                yield f"{margin}0"
    elif isinstance(instruction, Combine):
        left, right = names[instruction.left.index], names[instruction.right.index]
        yield f"{name} = {left} {_SYMBOLS[instruction.operator]} {right}"
    elif isinstance(instruction, Absolute):
        yield f"{name} = valeur absolue de {names[instruction.operand.index]}"
    elif isinstance(instruction, Within):
        yield f"{name} = {names[instruction.operand.index]}, 0 sans budget qui remplit la condition"
    else:
        offset = instruction.offset
        side = "avant" if offset < 0 else "après"
        yield f"{name} = {names[instruction.operand.index]}, {_counted(abs(offset), 'exercice')} {side}"


def _atom(atom: Atom, names: list[str]) -> str:
    if isinstance(atom, Cell):
        return f"{atom.column} des comptes {atom.compte}…{_condition(atom.condition)}"
    if isinstance(atom, Inhabitants):
        return f"habitants{_condition(atom.condition)}"
    return names[atom.index] if isinstance(atom, Vector) else "1"


def _condition(condition: Condition) -> str:
    if condition == ALL:
        return ""
    said = []
    if condition.type_budget is not None:
        said.append({"BP": "budgets principaux", "BA": "budgets annexes"}[condition.type_budget])
    if condition.type_etablissement is not None:
        said.append(f"type {condition.type_etablissement}")
    if condition.nomenclature is not None:
        said.append(condition.nomenclature)
    return f" ({', '.join(said)})"


def _weight(weight: Fraction) -> str:
    size = abs(weight)
    text = str(size.numerator) if size.denominator == 1 else f"{size.numerator}/{size.denominator}"
    return f"{'−' if weight < 0 else '+'} {text}"
