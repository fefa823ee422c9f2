"""Yearly accounts (Diane): a row a company, columns repeated year after year, UTF-16. Amounts in thousands of euros."""

from __future__ import annotations

from sqlalchemy import Boolean

from workbench.signaux_faibles.declaration import Column, Layout, Scope, Source, computed, read
from workbench.signaux_faibles.kinds import DATE_FR_SILENT, DECIMAL_COMMA_SILENT, INTEGER_SILENT, TEXT, constant

_INTEGERS = {
    "Annee": "exercice_diane",
    "Effectif consolidé": "effectif_consolide",
    "Nombre d'ES": "nombre_etab_secondaire",
    "Nombre de filiales": "nombre_filiale",
    "Taille de la Composition du Groupe": "taille_compo_groupe",
    "Nombre de mois": "nombre_mois",
}
_NUMBERS = {
    "Dettes fiscales et sociales kEUR": "dette_fiscale_et_sociale",
    "Frais de R&D : net kEUR": "frais_de_RetD",
    "Conces., brev. et droits sim. : net kEUR": "conces_brev_et_droits_sim",
    "Conc. banc. cour. & sold. cr. kEUR": "concours_bancaire_courant",
    "Equilibre financier": "equilibre_financier",
    "Indépendance fin. %": "independance_financiere",
    "Endettement %": "endettement",
    "Autonomie fin. %": "autonomie_financiere",
    "Degré d'amort. des immob. corp. %": "degre_immo_corporelle",
    "Financ. de l'actif circ. net": "financement_actif_circulant",
    "Liquidité générale": "liquidite_generale",
    "Liquidité réduite": "liquidite_reduite",
    "Rotation des stocks jours": "rotation_stocks",
    "Crédit clients jours": "credit_client",
    "Crédit fournisseurs jours": "credit_fournisseur",
    "C. A. par effectif (milliers/pers.) kEUR": "ca_par_effectif",
    "Taux d'intérêt financier %": "taux_interet_financier",
    "Intérêts / Chiffre d'affaires %": "taux_interet_sur_ca",
    "Endettement global jours": "endettement_global",
    "Taux d'endettement %": "taux_endettement",
    "Capacité de remboursement": "capacite_remboursement",
    "Capacité d'autofin. %": "capacite_autofinancement",
    "Couv. du C.A. par le f.d.r. jours": "couverture_ca_fdr",
    "Couv. du C.A. par bes. en fdr jours": "couverture_ca_besoin_fdr",
    "Poids des BFR d'exploitation %": "poids_bfr_exploitation",
    "Exportation %": "exportation",
    "Efficacité économique (milliers/pers.) kEUR": "efficacite_economique",
    "Prod. du potentiel de production": "productivite_potentiel_production",
    "Productivité du capital financier": "productivite_capital_financier",
    "Productivité du capital investi": "productivite_capital_investi",
    "Taux d'invest. productif %": "taux_d_investissement_productif",
    "Rentabilité économique %": "rentabilite_economique",
    "Performance %": "performance",
    "Rend. brut des f. propres nets %": "rendement_brut_fonds_propres",
    "Rentabilité nette %": "rentabilite_nette",
    "Rend. des capitaux propres nets %": "rendement_capitaux_propres",
    "Rend. des res. durables nettes %": "rendement_ressources_durables",
    "Taux de marge commerciale %": "taux_marge_commerciale",
    "Taux de valeur ajoutée %": "taux_valeur_ajoutee",
    "Part des salariés %": "part_salaries",
    "Part de l'Etat %": "part_etat",
    "Part des prêteurs %": "part_preteur",
    "Part de l'autofin. %": "part_autofinancement",
    "Chiffre d'affaires net (H.T.) kEUR": "ca",
    "Dont exportation kEUR": "ca_exportation",
    "Achats march. et autres approv. kEUR": "achat_marchandises",
    "Achats de mat. prem. et autres approv. kEUR": "achat_matieres_premieres",
    "Production de l'ex. kEUR": "production",
    "Marge commerciale kEUR": "marge_commerciale",
    "Consommation de l'ex. kEUR": "consommation",
    "Autres achats et charges externes kEUR": "autres_achats_charges_externes",
    "Valeur ajoutée kEUR": "valeur_ajoutee",
    "Charges de personnel kEUR": "charge_personnel",
    "Impôts, taxes et vers. assimil. kEUR": "impots_taxes",
    "Subventions d'expl. kEUR": "subventions_d_exploitation",
    "Excédent brut d'exploitation kEUR": "excedent_brut_d_exploitation",
    "Autres Prod., char. et Repr. kEUR": "autres_produits_charges_reprises",
    "Dot. d'exploit. aux amort. et prov. kEUR": "dotation_amortissement",
    "Résultat d'expl. kEUR": "resultat_expl",
    "Opérations en commun kEUR": "operations_commun",
    "Produits fin. kEUR": "produits_financiers",
    "Charges fin. kEUR": "charges_financieres",
    "Intérêts et charges assimilées kEUR": "interets",
    "Résultat courant avant impôts kEUR": "resultat_avant_impot",
    "Produits except. kEUR": "produit_exceptionnel",
    "Charges except. kEUR": "charge_exceptionnelle",
    "Particip. des sal. aux résul. kEUR": "participation_salaries",
    "Impôts sur le bénéf. et impôts diff. kEUR": "impot_benefice",
    "Bénéfice ou perte kEUR": "benefice_ou_perte",
}
_TEXTS = {
    "Nom de l'entreprise": "nom_entreprise",
    "Numéro Siren": "numero_siren",
    "Statut juridique": "statut_juridique",
}


def _unit(column: str) -> str:
    return next((unit for unit in ("kEUR", "%", "jours") if column.endswith(f" {unit}")), "")


SOURCE = Source(
    type="diane",
    title="de comptes Diane",
    scope=Scope.ENTREPRISE,
    columns=tuple(Column(name) for name in (*_TEXTS, *_INTEGERS, "Procédure collective", "Date de clôture", *_NUMBERS)),
    key=lambda cells: cells.text("numéro siren"),
    key_column="numéro siren",
    fields=(
        *(read(name, column.lower(), TEXT) for column, name in _TEXTS.items()),
        *(read(name, column.lower(), INTEGER_SILENT) for column, name in _INTEGERS.items()),
        computed(
            "procedure_collective", Boolean(), lambda cells: cells.text("procédure collective") == constant("Oui")
        ),
        read("arrete_bilan_diane", "date de clôture", DATE_FR_SILENT),
        *(read(name, column.lower(), DECIMAL_COMMA_SILENT, unit=_unit(column)) for column, name in _NUMBERS.items()),
    ),
    lenient=True,
    layout=Layout(years=True, fewest=83),
)
