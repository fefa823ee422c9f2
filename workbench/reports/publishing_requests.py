"""What a publication says of a request: its trame, its name among those of its author, its criteria in words."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from workbench.numbers import format_number
from workbench.reports.jobs_spec import JobSpec
from workbench.trames import Trame, find_trame_file, load_trame

__all__ = ["asked_text", "name_of", "trame_of"]

MOST_NAMED = 4
"""Identifiers that the name of a published request says; beyond, their number and a mark."""


def trame_of(spec: JobSpec) -> tuple[Trame | None, Path | None]:
    """Return the trame of a request and its path; neither for a balance."""
    if spec.kind == "balance":
        return None, None
    path = find_trame_file(spec.trame)
    return load_trame(path), path


def name_of(spec: JobSpec, trame: Trame | None) -> str:
    """Name a request among those of its author, after what she may see: the same request has the same name."""
    sirets = spec.sirets if spec.among is None else [each for each in spec.sirets if each in spec.among]
    idents = [*sirets, *spec.sirens, *spec.finess]
    if spec.kind == "aggregate" or len(idents) > MOST_NAMED:
        asked = json.dumps([idents, spec.departements, spec.types, spec.population])
        said = f"{len(idents)}-identifiants" if idents else "agregat"
        idents = [said, sha256(asked.encode()).hexdigest()[:8]]
    first, last = spec.exercices
    return f"{trame.code if trame is not None else 'balance'}_{'-'.join(idents)}_{first}_{last}"


def asked_text(spec: JobSpec) -> str:
    r"""Return the criteria of an aggregate in words.

    Examples
    --------
    >>> asked_text(JobSpec("aggregate", (2020, 2021), trame="m57", departements=("033",), population=(500, None)))
    'Agrégat : départements 33 ; population de 500 et plus'
    >>> asked_text(JobSpec("aggregate", (2020, 2021), trame="m57", population=(5000, 10000))).replace("\u202f", " ")
    'Agrégat : population de 5 000 à 10 000'
    """
    bounds = spec.population or (None, None)
    low, high = (format_number(each) if each else "" for each in bounds)
    population = f"de {low} à {high}" if low and high else f"de {low} et plus" if low else f"de {high} et moins"
    parts = [
        f"départements {', '.join(each.removeprefix('0') for each in spec.departements)}" if spec.departements else "",
        f"types {', '.join(spec.types)}" if spec.types else "",
        f"population {population}" if low or high else "",
    ]
    return f"Agrégat : {' ; '.join(part for part in parts if part)}"
