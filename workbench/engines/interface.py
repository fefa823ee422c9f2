"""What every engine offers; no engine knows what its rows mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import pyarrow as pa
from sqlalchemy import Executable

__all__ = ["Engine"]


class Engine(Protocol):
    """An open door to one store of tables.

    Statements are SQLAlchemy Core expressions with bound values; results are Arrow tables, so that
    no difference of dialect or driver reaches the caller.
    """

    url: str

    def fetch(self, statement: Executable, tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Run a statement that reads.

        Parameters
        ----------
        statement
            A select; may name the keys of ``tables`` as tables.
        tables
            Arrow tables visible to this statement only.

        Returns
        -------
        pyarrow.Table
            Integers as int64, text as string, NULL as null.
        """
        ...

    def close(self) -> None:
        """Give back the connection; closing twice does nothing."""
        ...
