"""Revisions of the tables of comments."""
