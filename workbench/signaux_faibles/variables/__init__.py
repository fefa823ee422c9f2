"""Variables: from the facts known as of a batch to the table that a model learns from, company × month."""

from __future__ import annotations

from workbench.signaux_faibles.variables.compute import AT_ONCE, Computation, Reader, compute_variables
from workbench.signaux_faibles.variables.declaration import Definition, Family, Scope, Setting, Variable
from workbench.signaux_faibles.variables.from_history import relations_of, setting_of
from workbench.signaux_faibles.variables.naf import read_naf
from workbench.signaux_faibles.variables.output import Written, write_variables
from workbench.signaux_faibles.variables.plan import families, variables_of, variables_statement

__all__ = [
    "AT_ONCE",
    "Computation",
    "Definition",
    "Family",
    "Reader",
    "Scope",
    "Setting",
    "Variable",
    "Written",
    "compute_variables",
    "families",
    "read_naf",
    "relations_of",
    "setting_of",
    "variables_of",
    "variables_statement",
    "write_variables",
]
