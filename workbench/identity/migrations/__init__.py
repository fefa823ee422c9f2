"""Revisions of the embedded issuer's tables."""
