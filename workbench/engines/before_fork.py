"""What must be closed before a process that imported the drivers is forked."""

from __future__ import annotations

__all__ = ["close_default_connection"]


def close_default_connection() -> None:
    """Close the database in memory that ``import duckdb`` opens, with its threads; it opens again when it is used."""
    import duckdb

    duckdb.default_connection().close()
