"""An explanation as a notebook shows it: a tree that unfolds, amounts the French way."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from workbench.display import cut, safe
from workbench.numbers import MINUS, THOUSANDS

if TYPE_CHECKING:
    from workbench.evaluation.explain import Explanation

__all__ = ["tree_html", "written"]

SHOWN = 1500
"""Lines of a tree that a notebook receives."""


def written(amount: Fraction) -> str:
    """Write two decimals, or four for what is no sum of cents and small, as ratios are; the French way."""
    decimals = 2 if (amount * 100).denominator == 1 or abs(amount) >= 100 else 4
    number = Decimal(round(amount * 10**decimals)).scaleb(-decimals)
    return f"{number:,.{decimals}f}".replace(",", THOUSANDS).replace(".", ",").replace("-", MINUS)


def tree_html(root: Explanation) -> Iterator[str]:
    """Yield the tree as HTML that unfolds, its root open; what is beyond ``SHOWN`` lines is counted, not written."""
    todo: list[Explanation | str] = [root]
    left = SHOWN
    while todo:
        node = todo.pop()
        if isinstance(node, str):
            yield node
            continue
        left -= 1
        if left < 0:
            continue
        sign = f"{MINUS} " if node.sign < 0 else ""
        libelle = f" {safe(node.libelle)}" if node.libelle else ""
        amount = f'<span class="wb-montant">{written(node.amount)}</span>'
        head = f"{sign}<b>{safe(node.label)}</b>{libelle}\u00a0: {amount}"
        if not node.children:
            yield f'<div class="wb-feuille">{head}</div>'
        else:
            yield f"<details{' open' if node is root else ''}><summary>{head}</summary>"
            todo.append("</details>")
            todo.extend(reversed(node.children))
    if left < 0:
        yield f'<p class="wb-detail">{cut(SHOWN, sum(1 for _ in root.walk()), ".to_frame()")}</p>'
