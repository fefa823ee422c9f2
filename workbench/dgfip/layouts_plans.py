"""The columns of charts of accounts: those of TOTEM, and a simple CSV; see `workbench.dgfip.layouts`."""

from __future__ import annotations

from workbench.dgfip.layouts import Layout, LayoutColumn

__all__ = ["PLANS", "TOTEM_NOTICE"]

TOTEM_NOTICE = (
    "Plans de comptes de TOTEM (megalis-bretagne), sous licence LGPL (GNU Lesser General Public License), "
    "selon la mention de leur fichier d'origine"
)
"""What goes with what is imported from TOTEM."""

_COMMON = (
    LayoutColumn("nomenclature", ("nomenclature", "nomen", "norme")),
    LayoutColumn("variante", ("variante", "declinaison")),
    LayoutColumn("exercice", ("exercice", "exer", "annee", "année")),
    LayoutColumn("libelle", ("libelle", "libelles", "libellé"), required=True),
    LayoutColumn("parent", ("parent",)),
    LayoutColumn("libelle_court", ("libelle_court", "lib_court")),
)

PLANS = {
    "fonctions": Layout(
        title="de fonctions",
        columns=(LayoutColumn("code", ("fonction", "fonctions"), required=True), *_COMMON),
    ),
    "comptes": Layout(
        title="de plan de comptes",
        columns=(
            LayoutColumn("code", ("compte", "comptes", "numero"), required=True),
            *_COMMON,
            LayoutColumn("depense_reelle", ("depense_reelle", "dr")),
            LayoutColumn("depense_ordre", ("depense_ordre", "does")),
            LayoutColumn("depense_ordre_interieur", ("depense_ordre_interieur", "dois")),
            LayoutColumn("recette_reelle", ("recette_reelle", "rr")),
            LayoutColumn("recette_ordre", ("recette_ordre", "roes")),
            LayoutColumn("recette_ordre_interieur", ("recette_ordre_interieur", "rois")),
            LayoutColumn("totalise", ("totalise", "regrtotalise")),
            LayoutColumn("supprime", ("supprime",)),
        ),
        known=frozenset({"dequip", "requip", "supprimedepuis", "pouretatseul"}),
    ),
    "chapitres": Layout(
        title="de chapitres",
        columns=(
            LayoutColumn("code", ("chapitre", "chapitres"), required=True),
            *_COMMON,
            LayoutColumn("section", ("section",)),
            LayoutColumn("nature", ("nature", "type")),
        ),
        known=frozenset({"special"}),
    ),
}
"""What a file of charts describes, and its columns; the first that fits its header is taken."""
