"""The columns of the CCI dumps; see `workbench.dgfip.layouts`."""

from __future__ import annotations

from workbench.dgfip.layouts import Layout, LayoutColumn

__all__ = ["COLLECTIVITE", "COMPTES", "EXECUTION", "REFERENCES"]

EXECUTION = Layout(
    title="d'exécution (execution_2010)",
    columns=(
        LayoutColumn("exercice", ("exercice",), required=True),
        LayoutColumn("siret", ("ident",), required=True),
        LayoutColumn("fonction", ("fonction",)),
        LayoutColumn("compte", ("comptes",), required=True),
        LayoutColumn("operation", ("cptop",), required=True),
        LayoutColumn("debit", ("cptdeb",), required=True),
        LayoutColumn("credit", ("cptcre",), required=True),
        LayoutColumn("etat", ("dp",), required=True),
    ),
    order=(
        *("exercice", "ident", "fonction", "comptes", "cptop", "cptdeb", "cptcre", "dp"),
        *("dt_crea", "creat_d", "modif_d"),
    ),
)

COLLECTIVITE = Layout(
    title="de collectivités (collectivite)",
    columns=(
        LayoutColumn("exercice", ("exer",), required=True),
        LayoutColumn("siret", ("ident",), required=True),
        LayoutColumn("finess", ("finess",)),
        LayoutColumn("libelle", ("lbudg",), required=True),
        LayoutColumn("commune", ("lcomm",)),
        LayoutColumn("departement", ("ndept",)),
        LayoutColumn("insee", ("insee",)),
        LayoutColumn("region", ("cregi",)),
        LayoutColumn("population", ("mpoid",)),
        LayoutColumn("nomenclature", ("cnome",), required=True),
        LayoutColumn("nomenclature_detail", ("nomen",)),
        LayoutColumn("type_budget", ("cbudg",)),
        LayoutColumn("type_etablissement", ("ctype",)),
        LayoutColumn("sous_type", ("cstyp",)),
        LayoutColumn("activite", ("cacti",)),
        LayoutColumn("secteur", ("secteur",)),
        LayoutColumn("categorie", ("categ",)),
        LayoutColumn("siren_epci", ("siren_epci",)),
    ),
    order=(
        *("exer", "ident", "idhel", "ndept", "insee", "lcomm", "mpoid", "nomen", "cpste", "categ", "siret", "finess"),
        *("cnumd", "canex", "cappl", "ccolr", "cnome", "csnom", "lbudg", "cbudg", "secteur", "catbuh", "catbug"),
        *("codbud1", "codbud2", "ctype", "cstyp", "cacti", "dcrea", "damaj", "hrmaj", "coma1", "nb1", "nb2", "nb3"),
        *("nb4", "nbann1", "nbann2", "siret1", "lprin", "cregi", "canor", "crecu", "siret2", "ctrd_prev", "ctrd_exec"),
        *("dated_prev", "dated_exec", "codique", "ddefi", "cgest", "dsirt", "nvoie", "cvoie", "tvoie", "lvoie"),
        *("lgest", "codie", "siren_epci", "nj_epci", "fisc_epci", "nb_com", "cpt515", "dt_crea", "dsi_strate_2013"),
        *("modif_d", "creat_d"),
    ),
)

COMPTES = Layout(
    title="de comptes (comptes)",
    columns=(
        LayoutColumn("compte", ("comptes", "compte"), required=True),
        LayoutColumn("libelle", ("libelles", "libelle"), required=True),
        LayoutColumn("nomenclature", ("nomenclature", "nomen")),
    ),
    order=("comptes", "libelles", "fin_num_comptes", "creat_d", "modif_d"),
)


def _reference(nature: str, code: str, libelle: str, *others: str) -> Layout:
    return Layout(
        title=f"de référence ({nature})",
        columns=(
            LayoutColumn("code", (code,), required=True),
            LayoutColumn("libelle", (libelle,), required=True),
        ),
        known=frozenset({*others, "creat_d", "modif_d"}),
    )


REFERENCES = {
    "departement": ("departement", _reference("departement", "dp_code", "dp_nom", "dp_cd_id_reg", "reg_name")),
    "nature_juridique": ("nature_juridique", _reference("nature_juridique", "code_nat_jur", "libelle_nature")),
    "nomenclature": ("nomenclature", _reference("nomenclature", "nomen", "libelle_nomenclature")),
    "operation": ("operations", _reference("operations", "code_operation", "libelle_operation", "exer")),
    "activite": ("type_activite", _reference("type_activite", "code_activite", "libelle_activite")),
    "type_budget": ("type_budget", _reference("type_budget", "code_budget", "libelle_budget")),
    "type_etablissement": (
        "type_etablissements",
        _reference("type_etablissements", "code_type_ets", "libelle_ets", "code_nat_jur"),
    ),
}
"""What a reference table labels: the table's name, without suffix, and its columns."""
