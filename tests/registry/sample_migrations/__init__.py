"""Revisions of a room that only the tests have."""
