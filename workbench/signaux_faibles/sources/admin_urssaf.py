"""Accounts of the URSSAF: for each account and each month of the batch, the établissement it belongs to.

Tuples are not rows of the file but months of accounts: `workbench.signaux_faibles.comptes_months` makes them.
"""

from __future__ import annotations

from workbench.signaux_faibles.comptes import COMPTES as SOURCE

__all__ = ["SOURCE"]
