"""A few indicateurs of a trame with all that they refer to, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.errors import WorkbenchError
from workbench.formules.tree import Population, walk
from workbench.trames import Trame, trame_from_formules

__all__ = ["part_of", "readers_of_population"]


def part_of(trame: Trame, codes: Iterable[str]) -> Trame:
    """Return the trame that these indicateurs need: them, and those they read, through others or not.

    Raises
    ------
    WorkbenchError
        ``indicateur_absent`` or ``indicateur_inconnu`` when one is not in the trame.

    Examples
    --------
    >>> trame = trame_from_formules({"A_B": "C70[TA:BX]", "A_C": "A_B*2", "A_D": "C6[TA:BX]"})
    >>> part_of(trame, ["A_C"]).codes
    ('A_B', 'A_C')
    """
    known = {indicateur.code: indicateur for indicateur in trame.indicateurs}
    needed: set[str] = set()
    todo = [(code, "") for code in codes]
    while todo:
        code, reader = todo.pop()
        if code in needed:
            continue
        if code not in known:
            if reader:
                raise WorkbenchError("indicateur_inconnu", indicateur=code, code_indicateur=reader)
            raise WorkbenchError("indicateur_absent", indicateur=code, trame=trame.code)
        needed.add(code)
        todo.extend((name, code) for name in known[code].references)
    kept = {code: indicateur.texte for code, indicateur in known.items() if code in needed}
    return trame_from_formules(kept, nomenclature=trame.nomenclature, code=trame.code)


def readers_of_population(trame: Trame) -> frozenset[str]:
    """Return the indicateurs that read ``$POP``, through others or not.

    Examples
    --------
    >>> trame = trame_from_formules({"A_B": "C70[TA:BX]", "A_C": "A_B/$POP", "A_D": "A_C*2"})
    >>> sorted(readers_of_population(trame))
    ['A_C', 'A_D']
    """
    found: set[str] = set()
    for code in trame.order:
        own = (node for segment in trame[code].tree.segments for node in walk(segment.expression))
        if any(isinstance(node, Population) for node in own) or found & set(trame[code].references):
            found.add(code)
    return frozenset(found)
