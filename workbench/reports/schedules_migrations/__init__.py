"""Revisions of the table of scheduled batches."""
