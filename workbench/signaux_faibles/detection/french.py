"""The declaration of French companies, in the names of 2021 to 2025 without their accents (specification 6.4).

Signs are held where nobody would defend the contrary: more debt never lowers the risk, more cash flow never raises it.
"""

from __future__ import annotations

from workbench.signaux_faibles.detection.columns import Declaration, Variable

__all__ = ["FUTURE", "french_declaration"]

FUTURE = (
    "outcome",
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

_FINANCIAL = (
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


def french_declaration(*, lags: bool = True, entity: str = "siren") -> Declaration:
    """Return the declaration of French companies.

    Parameters
    ----------
    lags
        Add what is known of the months before: debts 1, 2, 3, 6 and 12 months ago, the change of the debt by employee
        in 3 months, of late payments in 12, of the staff in 12.
    entity
        Column of the companies: ``siren``, or ``siret``.

    Examples
    --------
    >>> french_declaration().themes
    ('sante_financiere', 'dette_urssaf', 'activite_partielle', 'paiement_fournisseurs', 'effectif')
    """
    variables = [Variable(name, _HEALTH, sign, None, label, unit) for name, sign, label, unit in _FINANCIAL]
    variables += [Variable(name, _DEBT, sign, 0.0, label, unit) for name, sign, label, unit in _URSSAF]
    variables += [
        Variable("ap_heures_consommees", _ACTIVITY, 0, 0.0, "l'activité partielle du mois", "heures"),
        Variable("ap_heures_autorisees", _ACTIVITY, 0, 0.0, "l'activité partielle autorisée", "heures"),
        Variable("paydex", _SUPPLIERS, 1, None, "le retard moyen de paiement des fournisseurs", "jours"),
        Variable("fpi_30", _SUPPLIERS, 1, None, "la part des factures payées avec 30 jours de retard", "pourcentage"),
        Variable("fpi_90", _SUPPLIERS, 1, None, "la part des factures payées avec 90 jours de retard", "pourcentage"),
        Variable("effectif", _STAFF, 0, None, "l'effectif", "salaries"),
    ]
    if lags:
        variables += [
            _past("lag", name, months, sign=0)
            for name in ("dette_sociale_ouvriere", "dette_sociale_patronale")
            for months in (1, 2, 3, 6, 12)
        ]
        variables += [
            _past("mean", "cotisation", 12),
            _past("diff", "dette_par_effectif", 3, sign=1, unit="euros"),
            _past("diff", "paydex", 12, theme=_SUPPLIERS, unit="jours"),
            _past("growth", "effectif", 12, theme=_STAFF),
        ]
    return Declaration(
        "entreprises françaises",
        tuple(variables),
        entity=entity,
        til="time_til_outcome",
        horizon=18,
        future=FUTURE,
        groups={"secteur": "code_naf", "taille": "effectif", "région": "region"},
        effectif="effectif",
        activite="code_ape",
    )


def _past(operation: str, of: str, months: int, *, theme: str = _DEBT, sign: int = 0, unit: str = "") -> Variable:
    return Variable(
        f"{of}_{operation}{months}m", theme, sign, 0.0 if theme == _DEBT else None,
        operation=operation, of=(of,), months=months, unit=unit or ("euros" if theme == _DEBT else ""),
    )  # fmt: skip
