"""How long work tells where it is, and how it is stopped."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress"]

Progress = Callable[[int, int, str], None]
"""Told (steps done, all steps, what comes next); what it raises stops the work, and nothing of it stays."""
