"""The order in which indicateurs can be computed: each after those it refers to."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.errors import WorkbenchError
from workbench.formules.tree import Reference, SyntaxTree, walk

__all__ = ["order_of"]


def order_of(trees: dict[str, SyntaxTree]) -> list[str]:
    """Order codes so that each comes after those it refers to.

    Raises
    ------
    WorkbenchError
        ``indicateur_inconnu`` or ``cycle_indicateurs``.
    """
    references = {code: list(dict.fromkeys(_references(tree))) for code, tree in trees.items()}
    for code, names in references.items():
        for name in names:
            if name not in trees:
                raise WorkbenchError("indicateur_inconnu", indicateur=name, code_indicateur=code)
    order: list[str] = []
    done: set[str] = set()
    for root in trees:
        path: list[str] = []
        on_path: set[str] = set()
        stack = [(root, False)]
        while stack:
            code, left = stack.pop()
            if left:
                path.pop()
                on_path.discard(code)
                done.add(code)
                order.append(code)
                continue
            if code in done:
                continue
            if code in on_path:
                ring = [*path[path.index(code) :], code]
                raise WorkbenchError("cycle_indicateurs", cycle=" → ".join(ring))
            path.append(code)
            on_path.add(code)
            stack.append((code, True))
            stack.extend((name, False) for name in reversed(references[code]))
    return order


def _references(tree: SyntaxTree) -> Iterator[str]:
    for segment in tree.segments:
        for node in walk(segment.expression):
            if isinstance(node, Reference):
                yield node.indicateur
