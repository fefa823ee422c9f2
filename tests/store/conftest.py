"""One body for both databases."""

from __future__ import annotations

from conftest_store import address, clock, store

__all__ = ["address", "clock", "store"]
