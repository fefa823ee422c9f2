"""The dashboards of a folder, as their notebooks describe themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Dashboard", "dashboards_of"]

LAST = 1_000


@dataclass(frozen=True)
class Dashboard:
    """A notebook that is served; its metadata say the rest.

    Parameters
    ----------
    name
        Name of the file.
    title, description
        For people (``title`` and ``description``).
    badges
        What opening it takes, all of them (``badges``); empty for whoever may come in.
    order
        Where it is in the list (``order``).
    """

    name: str
    title: str
    description: str = ""
    badges: tuple[str, ...] = ()
    order: int = LAST

    def opens_to(self, badges: frozenset[str]) -> bool:
        """Say whether these badges open it.

        Examples
        --------
        >>> Dashboard("x.ipynb", "X", badges=("bfc", "crp")).opens_to(frozenset({"bfc"}))
        False
        """
        return badges.issuperset(self.badges)


def dashboards_of(folder: Path) -> dict[str, Dashboard]:
    """Return the dashboards of a folder by file name, in their order; hidden files and sub-folders are left out.

    Examples
    --------
    >>> dashboards_of(Path("no-such-folder"))
    {}
    """
    found = [_dashboard(path) for path in folder.glob("*.ipynb") if path.is_file() and not path.name.startswith(".")]
    return {each.name: each for each in sorted(found, key=lambda each: (each.order, each.name))}


def _dashboard(path: Path) -> Dashboard:
    try:
        metadata: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))["metadata"]
        title = str(metadata.get("title") or path.stem)
        description = str(metadata.get("description") or "")
        badges, order = metadata.get("badges") or [], metadata.get("order", LAST)
    except (ValueError, KeyError, AttributeError, TypeError):
        # Listed all the same: opening it tells what is wrong.
        return Dashboard(path.name, path.stem)
    if not isinstance(badges, list) or not all(isinstance(each, str) for each in badges):
        # What is not understood opens to nobody: no issuer gives this badge.
        badges = ["$"]
    return Dashboard(path.name, title, description, tuple(badges), order if isinstance(order, int) else LAST)
