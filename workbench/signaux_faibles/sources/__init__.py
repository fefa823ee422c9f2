"""The sources, one module each: adding one is a module here that declares ``SOURCE``, and its test."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.declaration import Source

__all__ = ["source_named", "sources"]


@cache
def sources() -> dict[str, Source]:
    """Return every source by its type, in alphabetical order.

    Examples
    --------
    >>> sources()["debit"].scope.key
    'siret'
    """
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found = [import_module(f"{__name__}.{name}").SOURCE for name in names]
    return {each.type: each for each in sorted(found, key=lambda source: source.type)}


def source_named(type_: str) -> Source:
    """Return a source by its type.

    Raises
    ------
    WorkbenchError
        ``source_inconnue``.
    """
    found = sources().get(type_)
    if found is None:
        raise WorkbenchError("source_inconnue", type=type_, connus=", ".join(sources()))
    return found
