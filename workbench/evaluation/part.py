"""A few indicateurs of a trame with all that they refer to, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from workbench.errors import WorkbenchError
from workbench.formules.tree import Population, walk
from workbench.trames import Serie, Trame, serie_of, trames_of

__all__ = ["part_of", "readers_of_population"]


def part_of(trame: Trame, codes: Iterable[str]) -> Trame:
    """Return the trame that these indicateurs need: them, and those they read, through others or not.

    Of a serie, the serie of such parts of each of its trames.

    Raises
    ------
    WorkbenchError
        ``indicateur_absent`` or ``indicateur_inconnu`` when one is not in the trame.

    Examples
    --------
    >>> from workbench.trames import trame_from_formules
    >>> trame = trame_from_formules({"A_B": "C70[TA:BX]", "A_C": "A_B*2", "A_D": "C6[TA:BX]"})
    >>> part_of(trame, ["A_C"]).codes
    ('A_B', 'A_C')
    """
    needed: set[str] = set()
    todo = [(code, "") for code in codes]
    while todo:
        code, reader = todo.pop()
        if code in needed:
            continue
        if code not in trame:
            if reader:
                raise WorkbenchError("indicateur_inconnu", indicateur=code, code_indicateur=reader)
            raise WorkbenchError("indicateur_absent", indicateur=code, trame=trame.code)
        needed.add(code)
        todo.extend((name, code) for one in trames_of(trame) if code in one for name in one[code].references)
    parts = [
        replace(one, indicateurs=tuple(each for each in one.indicateurs if each.code in needed))
        for one in trames_of(trame)
    ]
    return serie_of(parts, code=trame.code) if isinstance(trame, Serie) else parts[0]


def readers_of_population(trame: Trame) -> frozenset[str]:
    """Return the indicateurs that read ``$POP``, through others or not, in some trame if it is a serie.

    Examples
    --------
    >>> from workbench.trames import trame_from_formules
    >>> trame = trame_from_formules({"A_B": "C70[TA:BX]", "A_C": "A_B/$POP", "A_D": "A_C*2"})
    >>> sorted(readers_of_population(trame))
    ['A_C', 'A_D']
    """
    found: set[str] = set()
    for code in trame.order:
        read = [one[code] for one in trames_of(trame) if code in one]
        own = (node for each in read for segment in each.tree.segments for node in walk(segment.expression))
        if any(isinstance(node, Population) for node in own) or found.intersection(trame.dependencies(code)):
            found.add(code)
    return frozenset(found)
