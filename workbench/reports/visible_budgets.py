"""Which budgets of the accounting base a person may see: the one place that says it, for all that evaluates live.

A base that holds only open data is open to all. Where people log in and the base holds accounts that are not published
(an import of the CCI), the store decides: its bucket ``dgfip`` has one object a budget, whose sheets take two badges,
that of the département and that of the family of nomenclatures. What the store's policies let this person see of it is
what exists for her: proposals, choices, perimeters, comparisons by name. A store that does not answer opens nothing.
One object more, ``{perimetre: tout}``, stands for all of them, so that who sees everything is told so in one line.

Only who holds the registry writes there: the badge that it takes is given to nobody.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from threading import RLock
from types import SimpleNamespace
from typing import Any

import pandas as pd
from sqlalchemy import select

from workbench.config import is_set
from workbench.dgfip import Base, Perimetre, find_collectivites, select_budgets
from workbench.dgfip.schema import collectivites, imports
from workbench.errors import WorkbenchError
from workbench.identity.alone import ALONE
from workbench.identity.kernel_token import TOKEN_FILE
from workbench.store import Desk, Store, StoreDoor, StoreError, my_store
from workbench.store.first_policies import BUDGETS, KEEPER

__all__ = ["FEWEST", "VisibleBudgets", "badges_of", "open_data_only", "publish_budgets", "visible_budgets"]

FEWEST = 11
"""Collectivités from which a statistic of a group is told to someone who does not see all of them."""

EVERYTHING: Mapping[str, str] = {"perimetre": "tout"}
"""The key of what stands for all the budgets."""

ALL_OF_THEM = "dgfip:tout"
"""The badge that seeing all the budgets takes."""

SECONDS = 300.0
"""How long an answer of the store holds; badges may be withdrawn meanwhile, as may a token."""

Door = Callable[[], AbstractContextManager[StoreDoor]]


def badges_of(departement: str | None, nomenclature: str | None) -> list[str]:
    """Return the two badges that seeing a budget takes.

    Examples
    --------
    >>> badges_of("033", "M57"), badges_of(None, "")
    (['dgfip:033', 'dgfip:M57'], ['dgfip:sans département', 'dgfip:sans nomenclature'])
    """
    return [f"dgfip:{departement or 'sans département'}", f"dgfip:{nomenclature or 'sans nomenclature'}"]


def open_data_only(base: Base) -> bool:
    """Whether nothing in the base comes from a source that is not published.

    Examples
    --------
    >>> from workbench.dgfip import connect
    >>> with connect(demonstration_base) as base:
    ...     open_data_only(base)
    True
    """
    return not base.fetch(select(imports.c.import_id).where(imports.c.source == "cci").limit(1)).num_rows


def visible_budgets(base: Base) -> VisibleBudgets:
    """Return what the person of this kernel may see of a base.

    The server that gave this kernel its person's token, or the address of a store, asks that rights be looked at; a
    person who opens a base of her own, or for whom the server works alone, sees it whole.

    Examples
    --------
    >>> from workbench.dgfip import connect
    >>> with connect(demonstration_base) as base:
    ...     visible_budgets(base).sirets is None
    True
    """
    asked = bool(os.environ.get(TOKEN_FILE) or is_set("WORKBENCH_STORE")) and not os.environ.get(ALONE)
    return VisibleBudgets(base, my_store if asked and not open_data_only(base) else None)


class VisibleBudgets:
    """The budgets of a base that one person may see.

    Parameters
    ----------
    base
        An open base.
    door
        Opens the store as this person; None when the base is open to her whole.
    seconds
        How long an answer holds.
    clock
        Tells seconds, ascending.
    """

    def __init__(
        self,
        base: Base,
        door: Door | None = None,
        *,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.base = base
        self._door = door
        self._seconds = seconds
        self._clock = clock
        # Comparisons are made beside the kernel's own thread.
        self._guard = RLock()
        self._known: tuple[float, frozenset[str] | None] | None = None

    @property
    def sirets(self) -> frozenset[str] | None:
        """The SIRET that she may see; None for all.

        Raises
        ------
        WorkbenchError
            ``magasin_injoignable``, ``jeton_absent``, or the store's refusal: then nothing is seen.
        """
        if self._door is None:
            return None
        with self._guard:
            now = self._clock()
            if self._known is None or now - self._known[0] >= self._seconds:
                self._known = None
                self._known = now, _read(self._door)
            return self._known[1]

    def sees(self, siret: str) -> bool:
        """Whether she may see a budget."""
        known = self.sirets
        return known is None or siret in known

    @property
    def nothing(self) -> bool:
        """Whether she may see none of them; raises as `sirets` does."""
        return self.sirets is not None and not self.sirets

    def narrow(self, perimetre: Perimetre) -> Perimetre:
        """Return the part of a perimeter that she may see: what is evaluated is never asked of another."""
        known = self.sirets
        if known is None:
            return perimetre
        if perimetre.sirets is None and perimetre.sirens is None and perimetre.finess is None:
            kept = known
        else:
            sirens = frozenset(perimetre.sirens or ())
            named = set(perimetre.sirets or ())
            if perimetre.finess:
                named.update(select_budgets(self.base, Perimetre(finess=perimetre.finess))["siret"].to_pylist())
            kept = frozenset(siret for siret in known if siret in named or siret[:9] in sirens)
        return replace(perimetre, sirets=tuple(sorted(kept)), sirens=None, finess=None)

    def find(self, text: str, limit: int, **criteria: Any) -> pd.DataFrame:
        """Search those budgets as `workbench.dgfip.find_collectivites` does."""
        return find_collectivites(self.base, text, limit, among=self.sirets, **criteria)

    def tells(self, count: int) -> bool:
        """Whether the statistics of a group of so many collectivités may be told: see decision 37."""
        return count >= FEWEST or self.sirets is None


def _read(door: Door) -> frozenset[str] | None:
    with door() as store:
        if _seen(store, EVERYTHING):
            return None
        return frozenset(str(found["key"]["siret"]) for found in _seen(store) if "siret" in found["key"])


def _seen(store: StoreDoor, key: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Read what is visible of the bucket; nothing visible is an empty list."""
    try:
        return store.get(BUDGETS, key)
    except StoreError as error:
        if error.status == 404:
            return []
        raise
    except WorkbenchError as error:
        if error.code == "sans_donnees":
            return []
        raise


def publish_budgets(store: Store, base: Base, author: str) -> int:
    """Publish the budgets of a base, those of the store left as they are, for who holds the registry.

    Parameters
    ----------
    store
        The store.
    base
        The accounting base.
    author
        E-mail that sheets and the journal keep.

    Returns
    -------
    int
        How many sheets were added: one a budget and family of nomenclatures that it has had.
    """
    c = collectivites.c
    rows = base.fetch(select(c.siret, c.departement, c.nomenclature).distinct().order_by(c.siret)).to_pylist()
    wanted = {(row["siret"], *badges_of(row["departement"], row["nomenclature"])) for row in rows}
    # Who holds every badge sees every sheet, but one assembly only of each object: the families are properties.
    badges = {ALL_OF_THEM, *(badge for _, *both in wanted for badge in both)}
    keeper = Desk(store, SimpleNamespace(email=author, badges=frozenset({KEEPER, *badges})))
    known = _published(keeper)
    new = sorted(each for each in wanted if each not in known)

    def sheets() -> Iterator[dict[str, Any]]:
        if not known:
            yield {"key": dict(EVERYTHING), "scope": [ALL_OF_THEM], "value": {"tout": True}}
        for siret, departement, famille in new:
            named = {f"{departement} {famille}": True}
            yield {"key": {"siret": siret}, "scope": [departement, famille], "value": named}

    return keeper.put(BUDGETS, sheets()) if new else 0


def _published(keeper: Desk) -> set[tuple[str, str, str]]:
    found = [each for each in _seen(keeper) if "siret" in each["key"]]
    pairs = ((each["key"]["siret"], name.split(" dgfip:", 1)) for each in found for name in each["value"])
    return {(siret, pair[0], f"dgfip:{pair[1]}") for siret, pair in pairs if len(pair) == 2}
