"""An explanation as lines to show: signs, labels, amounts, and totals that add up.

A figure may rest on thousands of comptes and on indicateurs cited many times over, so a level is sent when it is
opened: `explanation_tree` gives the first ones, and `node_at` finds the node that a path of positions names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from workbench.evaluation import Explanation
from workbench.reports.numbers import MINUS, NO_BREAK, format_number, format_value
from workbench.trames import Trame

__all__ = ["explanation_tree", "node_at", "unites_of"]

Line = dict[str, Any]

_FACTORS = {"×", "÷", "puissance"}
_DEEPEST = 60


def explanation_tree(node: Explanation, unites: Mapping[str, str], levels: int = 2, sign: str = "") -> Line:
    """Return the lines of a node and of what it is made of.

    Parameters
    ----------
    node
        An explanation, or a part of one.
    unites
        Unit of each indicateur, by code.
    levels
        Levels below the node that are given at once; a node at the last one says ``more``.
    sign
        How the node enters what is above it.

    Returns
    -------
    dict
        ``sign``, ``label``, ``libelle``, ``value`` as text; ``children`` (lines) or ``more``; ``total`` where
        children are added up; ``open`` where the reader should see the children at once.
    """
    line: Line = {
        "sign": sign,
        "label": _label(node),
        "libelle": node.libelle,
        "value": _written(node, unites),
    }
    if not node.children:
        return line
    if levels == 0:
        return {**line, "more": True}
    line["children"] = [
        explanation_tree(child, unites, levels - 1, _sign(node, position))
        for position, child in enumerate(node.children)
    ]
    # A chain of nodes of one child is one step for a reader.
    line["open"] = levels > 1 or len(node.children) == 1
    if len(node.children) > 1 and not _is_product(node):
        line["total"] = "Total"
    return line


def node_at(node: Explanation, path: Sequence[object]) -> Explanation | None:
    """Return the node that a path of positions leads to; None when it leads nowhere.

    Parameters
    ----------
    node
        Where the path starts.
    path
        Positions among the children, from the top; anything, since it comes from a browser.
    """
    for position in path:
        if isinstance(position, bool) or not isinstance(position, int) or not 0 <= position < len(node.children):
            return None
        node = node.children[position]
    return node


def unites_of(trame: Trame) -> dict[str, str]:
    """Return the unit of each indicateur of a trame, by code."""
    return {indicateur.code: indicateur.unite for indicateur in trame.indicateurs}


def _is_product(node: Explanation) -> bool:
    return node.kind == "operation" and node.label in _FACTORS


def _label(node: Explanation) -> str:
    names = {"somme": "Somme", "opposé": "Opposé", "×": "Produit", "÷": "Quotient", "puissance": "Puissance"}
    return names.get(node.label, node.label) if node.kind == "operation" else node.label


def _sign(parent: Explanation, position: int) -> str:
    child = parent.children[position]
    if _is_product(parent):
        return "" if position == 0 else {"puissance": "^"}.get(parent.label, parent.label)
    if child.sign < 0:
        return MINUS
    return "+" if position else ""


def _written(node: Explanation, unites: Mapping[str, str]) -> str:
    if node.kind == "nombre":
        return node.label.replace(".", ",")
    if node.kind == "population":
        return f"{format_number(node.value)}{NO_BREAK}hab."
    if node.kind in ("indicateur", "decalage"):
        code = node.label.partition(" ")[0]
        unite = unites.get(code, "euros")
        return format_value(node.value, unite, decimals=3 if unite == "ratio" else 2)
    if _is_amount(node, unites):
        return format_value(node.value, "euros", decimals=2)
    return _plain(node.value)


def _plain(value: float) -> str:
    """Write a number that is no amount with six significant figures at least, and no idle zero."""
    decimals = max(0, 6 - Decimal(repr(value)).adjusted() - 1) if value else 0
    text = format_number(value, min(decimals, 10))
    return text.rstrip("0").rstrip(",") if "," in text else text


def _is_amount(node: Explanation, unites: Mapping[str, str], depth: int = 0) -> bool:
    """Tell whether the value of a node is in euros."""
    if node.kind in ("variable", "compte"):
        return True
    if node.kind in ("indicateur", "decalage"):
        return unites.get(node.label.partition(" ")[0], "euros") == "euros"
    if node.kind in ("nombre", "population") or depth > _DEEPEST or not node.children:
        return False
    if not _is_product(node):
        return all(_is_amount(child, unites, depth + 1) for child in node.children)
    amounts = [_is_amount(child, unites, depth + 1) for child in node.children]
    plain = [child.kind == "nombre" for child in node.children]
    return (node.label in "×÷" and amounts[0] and plain[1]) or (node.label == "×" and amounts[1] and plain[0])
