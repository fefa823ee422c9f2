"""Variables: from the facts known as of a batch to the table that a model learns from, company × month."""

from __future__ import annotations

from workbench.signaux_faibles.variables.compute import Computation, Reader, compute_variables
from workbench.signaux_faibles.variables.declaration import Definition, Family, Scope, Setting, Variable
from workbench.signaux_faibles.variables.naf import read_naf
from workbench.signaux_faibles.variables.plan import families, variables_of, variables_statement

__all__ = [
    "Computation",
    "Definition",
    "Family",
    "Reader",
    "Scope",
    "Setting",
    "Variable",
    "compute_variables",
    "families",
    "read_naf",
    "variables_of",
    "variables_statement",
]
