"""A storage, people with spaces, real tokens, and a service that is called without a network."""

from __future__ import annotations

from conftest_uploads import depot, issuer, service

__all__ = ["depot", "issuer", "service"]
