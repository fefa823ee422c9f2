"""Revisions of the registry of models and lists."""
