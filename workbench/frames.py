"""A pandas DataFrame that a notebook shows as the rest of the workbench: French figures, cut with a notice."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from workbench.display import SHOWN, frame_table, view

__all__ = ["ShownFrame"]


class ShownFrame(pd.DataFrame):
    r"""A DataFrame in all but its look.

    Examples
    --------
    >>> "1\u202f234,50" in ShownFrame({"montant": [1234.5]})._repr_html_()
    True
    """

    @property
    def _constructor(self) -> Callable[..., ShownFrame]:
        return ShownFrame

    def _repr_html_(self) -> str:
        named = any(self.index.names) and not set(self.index.names) & set(self.columns)
        # A plain frame: pandas would otherwise come back here for each of its parts.
        plain = pd.DataFrame(self.head(SHOWN)).reset_index(drop=not named)
        return view(frame_table(plain, total=len(self), rest=".to_string()"))
