"""Companies that nobody is, made of real ones (specification 6.3): to show a model's data without showing a company's.

Each is the mean of several companies of one activity, month by month. A month that fewer of them have is left out, and
a variable that fewer of them have is not known: a mean of one company would be that company.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.columns import Declaration

__all__ = ["LEAST", "synthetic_companies"]

LEAST = 5


def synthetic_companies(
    table: pd.DataFrame, declaration: Declaration, *, by: str = "code_ape_niveau3", least: int = LEAST, seed: int = 0
) -> pd.DataFrame:
    """Return companies that are means of others.

    Parameters
    ----------
    table
        A row a company and a month.
    declaration
        Of its columns: variables become means; target, marks and groups are those of one of the companies, drawn once.
        No other column is kept.
    by
        Column of the activity; that of a company is its first one known.
    least
        Companies of a group, at the least: those of an activity that has fewer are left out.
    seed
        Of the groups and of the identifiers.

    Raises
    ------
    WorkbenchError
        ``detection_colonnes``; ``detection_vide`` when no activity has as many companies.
    """
    entity, month = declaration.column(declaration.entity), declaration.column(declaration.periode)
    means = [
        declaration.column(each.name) for each in declaration.variables if not each.operation and not each.category
    ]
    named = {declaration.column(each) for each in (declaration.target, declaration.strong, declaration.known) if each}
    named |= {declaration.column(each) for each in (*declaration.groups.values(), by)}
    missing = sorted({entity, month, by, *means} - set(table.columns))
    if missing:
        raise WorkbenchError("detection_colonnes", colonnes=", ".join(missing), declaration=declaration.name)
    kept = sorted(name for name in named - set(means) if name in table.columns)
    random = np.random.default_rng(seed)
    activities = table.groupby(entity, sort=True)[by].first().dropna()
    groups: dict[object, int] = {}
    leads: list[object] = []
    for _, members in activities.groupby(activities):
        drawn = random.permutation(members.index.to_numpy())
        for group in np.array_split(drawn, len(drawn) // least) if len(drawn) >= least else ():
            groups |= dict.fromkeys(group.tolist(), len(leads))
            leads.append(group[0])
    if not leads:
        raise WorkbenchError("detection_vide", cause=f"aucune activité n'a {least} entreprises")
    rows = table.assign(_groupe=table[entity].map(groups)).dropna(subset="_groupe")
    grouped = rows.groupby(["_groupe", month], sort=True)
    found = grouped[means].mean().where(grouped[means].count() >= least)
    found = found[grouped[entity].nunique() >= least].reset_index()
    of_one = rows[rows[entity].isin(leads)][["_groupe", month, *kept]]
    found = found.merge(of_one, on=["_groupe", month], how="inner")
    # Fictitious identifiers begin with 8, as all those here; none is one of the table's.
    real = set(table[entity].astype(str).str[1:9])
    numbers = [each for each in random.choice(10**8, size=2 * len(leads), replace=False) if f"{each:08d}" not in real]
    found[entity] = [f"8{numbers[int(group)]:08d}{'00010' if entity == 'siret' else ''}" for group in found["_groupe"]]
    return found.drop(columns="_groupe")[[entity, month, *means, *kept]]
