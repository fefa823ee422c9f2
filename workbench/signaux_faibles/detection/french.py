"""The declarations of French companies: variables that `workbench signaux variables` writes, of entreprises or not.

Their names are those of 2021 to 2025 without accents (specification 6.4); accounts are the public ratios of the INPI,
or the ratios of sf_datalake for a table that has them. Signs are held where nobody would defend the contrary: more debt
never lowers the risk, more liquidity never raises it. Amounts have no sign: they grow with the company.
"""

from __future__ import annotations

from dataclasses import replace

from workbench.signaux_faibles.detection.columns import Declaration, Variable

__all__ = ["FUTURE", "etablissement_declaration", "french_declaration"]

FUTURE = (
    "failure",
    "signal_fort",
    "futur_connu",
    "outcome",
    "outcome_failure",
    "time_til_outcome",
    "time_til_default",
    "time_til_failure",
    "tag_outcome",
    "tag_default",
    "tag_failure",
    "etat_proc_collective",
    "date_proc_collective",
)
"""What knows the target, or is it: never a variable."""

_HEALTH, _DEBT, _ACTIVITY = "sante_financiere", "dette_urssaf", "activite_partielle"
_SUPPLIERS, _STAFF = "paiement_fournisseurs", "effectif"

_INPI = (
    ("chiffre_d_affaires", 0, "le chiffre d'affaires", "euros"),
    ("marge_brute", 0, "la marge brute", "euros"),
    ("ebe", 0, "l'excédent brut d'exploitation", "euros"),
    ("ebit", 0, "le résultat d'exploitation", "euros"),
    ("resultat_net", 0, "le résultat net", "euros"),
    ("taux_d_endettement", 0, "le taux d'endettement", "%"),
    ("ratio_de_liquidite", -1, "le ratio de liquidité", "%"),
    ("ratio_de_vetuste", 0, "le ratio de vétusté", "%"),
    ("autonomie_financiere", -1, "l'autonomie financière", "%"),
    ("poids_bfr_exploitation_sur_ca", 0, "le besoin en fonds de roulement d'exploitation sur chiffre d'affaires", "%"),
    ("couverture_des_interets", 0, "la couverture des intérêts", "%"),
    ("caf_sur_ca", -1, "la capacité d'autofinancement sur chiffre d'affaires", "%"),
    ("capacite_de_remboursement", 0, "la capacité de remboursement", ""),
    ("marge_ebe", -1, "la marge d'excédent brut d'exploitation", "%"),
    ("resultat_courant_avant_impots_sur_ca", -1, "le résultat courant avant impôts sur chiffre d'affaires", "%"),
    ("poids_bfr_exploitation_sur_ca_jours", 0, "le besoin en fonds de roulement d'exploitation", "jours"),
    ("rotation_des_stocks_jours", 0, "la rotation des stocks", "jours"),
    ("credit_clients_jours", 0, "le crédit aux clients", "jours"),
    ("credit_fournisseurs_jours", 0, "le crédit des fournisseurs", "jours"),
)

_DATALAKE = (
    ("dette_nette_sur_caf", 0, "la dette nette rapportée à la capacité d'autofinancement", "ratio"),
    ("dette_a_terme_sur_k_propres", 0, "la dette à terme rapportée aux capitaux propres", "ratio"),
    ("ebe_sur_ca", -1, "l'excédent brut d'exploitation rapporté au chiffre d'affaires", "pourcentage"),
    ("va_sur_effectif", 0, "la valeur ajoutée par salarié", "euros"),
    ("charges_personnel_sur_va", 0, "les charges de personnel rapportées à la valeur ajoutée", "pourcentage"),
    ("stocks_sur_ca", 0, "les stocks rapportés au chiffre d'affaires", "pourcentage"),
    ("liquidite_absolue", -1, "la liquidité absolue", "ratio"),
    ("liquidite_generale", -1, "la liquidité générale", "ratio"),
    ("liquidite_reduite", -1, "la liquidité réduite", "ratio"),
    ("delai_paiement_sur_delai_encaissement", 0, "le délai de paiement rapporté au délai d'encaissement", "ratio"),
    ("k_propres_sur_k_social", 0, "les capitaux propres rapportés au capital social", "ratio"),
    ("bfr_sur_k_propres", 0, "le besoin en fonds de roulement rapporté aux capitaux propres", "ratio"),
    ("taux_investissement", 0, "le taux d'investissement", "pourcentage"),
    ("rentabilite_economique", -1, "la rentabilité économique", "pourcentage"),
    ("solidite_financiere", -1, "la solidité financière", "pourcentage"),
)

_URSSAF = (
    ("cotisation", 0, "la cotisation du mois", "euros"),
    ("dette_sociale_ouvriere", 1, "la part ouvrière de la dette sociale", "euros"),
    ("dette_sociale_patronale", 1, "la part patronale de la dette sociale", "euros"),
    ("dette_sur_cotisation_mean12m", 1, "la dette sociale", "cotisation"),
    ("dette_par_effectif", 1, "la dette sociale par salarié", "euros"),
)


_BALANCES = (
    ("financier_court_terme", 0, "le financement à court terme", "%"),
    ("interets", 0, "les intérêts", "milliers d'euros"),
    ("ca", 0, "le chiffre d'affaires", "milliers d'euros"),
    ("equilibre_financier", 0, "l'équilibre financier", "ratio"),
    ("endettement", 0, "l'endettement", "%"),
    ("degre_immo_corporelle", 0, "le degré d'amortissement des immobilisations corporelles", "%"),
    ("liquidite_reduite", -1, "la liquidité réduite", "ratio"),
    ("poids_bfr_exploitation", 0, "le poids du besoin en fonds de roulement d'exploitation", "%"),
    ("productivite_capital_investi", 0, "la productivité du capital investi", "ratio"),
    ("rentabilite_economique", -1, "la rentabilité économique", "%"),
    ("rentabilite_nette", -1, "la rentabilité nette", "%"),
)
"""Of the balance sheets of Diane and of the Banque de France (specification 6.3)."""

_GROUPS = {"secteur": "code_naf", "taille": "effectif", "région": "region"}


def french_declaration(*, accounts: str = "inpi", lags: bool = True) -> Declaration:
    """Return the declaration of French entreprises.

    Parameters
    ----------
    accounts
        ``inpi`` for the public ratios, ``datalake`` for those of 2021 to 2025, with ``fpi_30`` and ``fpi_90``.
    lags
        Add what is known of the months before: debts 1, 2, 3, 6 and 12 months ago, the mean contribution, the changes
        of the debt by employee in 3 months and of late payments and of the staff in 12. Columns of these names are
        taken where the table has them.

    Examples
    --------
    >>> french_declaration().themes
    ('sante_financiere', 'dette_urssaf', 'activite_partielle', 'paiement_fournisseurs', 'effectif')
    """
    ratios = _INPI if accounts == "inpi" else _DATALAKE
    variables = [Variable(name, _HEALTH, sign, None, label, unit) for name, sign, label, unit in ratios]
    variables += [Variable(name, _DEBT, sign, 0.0, label, unit) for name, sign, label, unit in _URSSAF]
    variables += [
        Variable("ap_heures_consommees", _ACTIVITY, 0, 0.0, "l'activité partielle du mois", "heures"),
        Variable("ap_heures_autorisees", _ACTIVITY, 0, 0.0, "l'activité partielle autorisée", "heures"),
        Variable("paydex_nb_jours", _SUPPLIERS, 1, None, "le retard moyen de paiement des fournisseurs", "jours"),
        Variable("effectif", _STAFF, 0, None, "l'effectif", "salaries"),
    ]
    if accounts != "inpi":
        late = "la part des factures payées avec {} jours de retard"
        variables += [
            Variable(f"fpi_{days}", _SUPPLIERS, 1, None, late.format(days), "pourcentage") for days in (30, 90)
        ]
    if lags:
        variables += [
            _past("lag", name, months)
            for name in ("dette_sociale_ouvriere", "dette_sociale_patronale")
            for months in (1, 2, 3, 6, 12)
        ]
        variables += [
            _past("mean", "cotisation", 12),
            _past("diff", "dette_par_effectif", 3, sign=1),
            _past("diff", "paydex_nb_jours", 12, theme=_SUPPLIERS, unit="jours"),
            # The staff of a year ago is a column of the variables: the first months of a table know it too.
            Variable(
                "effectif_lag12m", _STAFF, operation="lag", of=("effectif",), months=12, unit="salaries", given=False
            ),
            replace(_past("growth", "effectif", 12, theme=_STAFF), of=("effectif", "effectif_lag12m")),
        ]
    return Declaration(
        "entreprises françaises",
        tuple(variables),
        target="failure",
        strong="signal_fort",
        known="futur_connu",
        horizon=18,
        future=FUTURE,
        groups=_GROUPS,
        effectif="effectif",
        activite="code_naf",
        categorie="statut_juridique",
    )


def etablissement_declaration() -> Declaration:
    """Return the declaration of French établissements: the variables of 2019 to 2021 (specification 6.2 and 6.3).

    What is to be predicted is a failure or three months of unpaid contributions, within 18 months.

    Examples
    --------
    >>> etablissement_declaration().entity
    'siret'
    """
    parts = {"ouvriere": "ouvrière", "patronale": "patronale"}
    variables = [Variable(name, _HEALTH, sign, None, label, unit) for name, sign, label, unit in _BALANCES]
    variables += [Variable("cotisation", _DEBT, 0, 0.0, "la cotisation du mois", "euros")]
    for part, word in parts.items():
        debt = f"montant_part_{part}"
        variables.append(Variable(debt, _DEBT, 1, 0.0, f"la part {word} de la dette sociale", "euros"))
        variables += [
            Variable(
                f"{debt}_past_{n}",
                _DEBT,
                0,
                0.0,
                f"la part {word} de la dette sociale il y a {n} mois",
                "euros",
                feature=debt,
            )
            for n in (1, 2, 3, 6, 12)
        ]
    variables += [
        Variable("ratio_dette", _DEBT, 1, 0.0, "la dette sociale", "cotisation"),
        Variable("ratio_dette_moy12m", _DEBT, 1, 0.0, "la dette sociale moyenne sur 12 mois", "cotisation"),
        Variable("apart_heures_consommees", _ACTIVITY, 0, 0.0, "l'activité partielle du mois", "heures"),
        Variable("apart_heures_consommees_cumulees", _ACTIVITY, 0, 0.0, "l'activité partielle de la demande", "heures"),
        Variable("paydex_nb_jours", _SUPPLIERS, 1, None, "le retard moyen de paiement des fournisseurs", "jours"),
        Variable("paydex_nb_jours_past_12", _SUPPLIERS, given=False),
        Variable(
            "paydex_nb_jours_diff12m", _SUPPLIERS, 0, None, "la variation en 12 mois du retard de paiement", "jours",
            operation="difference", of=("paydex_nb_jours", "paydex_nb_jours_past_12"), feature="paydex_nb_jours",
        ),
        Variable("effectif", _STAFF, 0, None, "l'effectif", "salaries"),
        Variable("effectif_past_12", _STAFF, given=False),
        Variable(
            "effectif_growth12m", _STAFF, 0, None, operation="growth", of=("effectif", "effectif_past_12"), months=12
        ),
    ]  # fmt: skip
    return Declaration(
        "établissements français",
        tuple(variables),
        entity="siret",
        target="outcome",
        strong="signal_fort",
        known="futur_connu",
        horizon=18,
        future=FUTURE,
        groups=_GROUPS,
        effectif="effectif",
        activite="code_naf",
        categorie="statut_juridique",
    )


def _past(operation: str, of: str, months: int, *, theme: str = _DEBT, sign: int = 0, unit: str = "") -> Variable:
    return Variable(
        f"{of}_{operation}{months}m", theme, sign, 0.0 if theme == _DEBT else None,
        operation=operation, of=(of,), months=months, unit=unit or ("euros" if theme == _DEBT else ""),
    )  # fmt: skip
