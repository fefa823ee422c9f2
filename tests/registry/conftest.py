"""One body for both databases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a registry that is not there yet will be."""
    if request.param == "postgresql":
        pytest.importorskip("psycopg", reason="psycopg is not installed")
        new_database: Callable[[], str] = request.getfixturevalue("new_postgresql")
        return new_database()
    return str(tmp_path / "registre.sqlite")
