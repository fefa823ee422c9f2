"""Revisions of the table of numbers."""
