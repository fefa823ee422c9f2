"""The table of variables for people, made of their declaration: ``docs/variables.md`` and the help of a notebook.

>>> print(described("tag_debit").splitlines()[0])
tag_debit (oui ou non) : vrai si ratio_dette > 0,01
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.variables.declaration import Definition, Family, Scope, Variable
from workbench.signaux_faibles.variables.plan import families, variables_of

__all__ = ["described", "document", "variables_table"]

_KINDS = {"boolean": "oui ou non", "date": "date", "big_integer": "entier", "double": "nombre"}
_TITLES = {Scope.ETABLISSEMENT: "Par établissement et par mois", Scope.ENTREPRISE: "Par entreprise et par mois"}
_HEAD = """# Variables

Ce tableau est fait de la déclaration des variables : ne le modifiez pas, refaites-le par
`python -m workbench.signaux_faibles.variables.documentation > docs/variables.md`.

- `t` est le mois d'une ligne ; k est le nombre de mois de `date_fin_effectif` à `date_fin`, 1 quand l'effectif du
  dernier mois est connu.
- La définition `corrige`, celle par défaut, est décrite par la formule. La définition `compat` suit les règles de
  référence à la lettre ; la dernière colonne dit en quoi elle diffère. Elle ne donne de valeur aux variables de
  l'entreprise (effectif de l'entreprise, unité légale, retards de paiement, bilans) qu'aux mois où vaut un bilan de la
  Banque de France ou de Diane.
- Les modèles de 2021 à 2025 lisaient aussi quinze ratios tirés des liasses fiscales (`dette_nette_sur_caf`,
  `ebe_sur_ca`, `solidite_financiere`…) et deux parts de factures en retard (`fpi_30`, `fpi_90`). Aucun fichier reçu ne
  porte ce qu'il faut pour les calculer : ils n'y sont pas. Par entreprise, les ratios que publie l'INPI (famille
  `ratios`) sont transmis sous leurs propres noms ; leurs formules sont les leurs.
- Une variable marquée ◎ regarde l'avenir : elle est à prédire, et ne sert jamais à prédire.
"""


def _kind(variable: Variable) -> str:
    return _KINDS.get(variable.type.__visit_name__, "texte")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _lines(family: Family) -> Iterator[str]:
    yield f"\n### {family.title} (`{family.code}`)\n"
    yield "| variable | nature | formule | sans valeur si | sources | `compat` diffère |"
    yield "|---|---|---|---|---|---|"
    for each in family.variables:
        mark = " ◎" if each.target else ""
        nature = f"{_kind(each)}, {each.unit}" if each.unit else _kind(each)
        differs = "n'existe pas" if each.corrige_only else each.compat
        cells = (nature, each.formule, each.undefined, ", ".join(each.sources), differs)
        yield f"| `{each.code}`{mark} | " + " | ".join(map(_cell, cells)) + " |"


def document() -> str:
    """Return the text of ``docs/variables.md``."""
    lines = [_HEAD]
    for scope, title in _TITLES.items():
        lines.append(f"\n## {title}")
        for family in families(scope):
            lines += _lines(family)
    return "\n".join(lines) + "\n"


def described(code: str, scope: Scope = Scope.ETABLISSEMENT) -> str:
    """Return what a variable is, in a few lines.

    Raises
    ------
    WorkbenchError
        ``variable_inconnue``.
    """
    each = variables_of(scope).get(code)
    if each is None:
        raise WorkbenchError("variable_inconnue", variable=code, definition=Definition.CORRIGE.value)
    unit = f", {each.unit}" if each.unit else ""
    lines = [f"{code} ({_kind(each)}{unit}) : {each.formule}"]
    lines += [f"Sans valeur si : {each.undefined}"] if each.undefined else []
    lines += [f"Sources : {', '.join(each.sources)}"] if each.sources else []
    lines += ["Regarde l'avenir : à prédire, ne sert jamais à prédire"] if each.target else []
    differs = "n'existe pas" if each.corrige_only else each.compat
    return "\n".join(lines + ([f"Dans la définition compat : {differs}"] if differs else []))


def variables_table(scope: Scope = Scope.ETABLISSEMENT) -> pa.Table:
    """Return what each variable is: ``variable``, ``famille``, ``nature``, ``unite``, ``formule``, ``compat``."""
    rows = [(each, family) for family in families(scope) for each in family.variables]
    return pa.table(
        {
            "variable": [each.code for each, _ in rows],
            "famille": [family.title for _, family in rows],
            "nature": [_kind(each) for each, _ in rows],
            "unite": [each.unit for each, _ in rows],
            "formule": [each.formule for each, _ in rows],
            "compat": [each.compat for each, _ in rows],
        }
    )


if __name__ == "__main__":
    print(document(), end="")  # noqa: T201 - the file is this output
