"""The finances of a company: exercices, margins, and three groups of ratios beside those of its sector.

The groups are those of the Finoscope (specification 8.3). Amounts are in thousands of euros.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.dashboards.dates import day, read_day
from workbench.dashboards.sheet_charts import finances_chart
from workbench.dashboards.sheet_items import Block, Item, block, cell, empty, in_days, table, text, thousands
from workbench.dashboards.sheet_reading import Access
from workbench.numbers import NO_BREAK, format_number

__all__ = ["FINOSCOPE", "bank_block", "exercice_of", "finances_block", "finoscope_block"]

MOST = 6
"""Exercices that are shown."""


@dataclass(frozen=True)
class Ratio:
    """A figure of the accounts: its French label, its names in the sources, its unit."""

    label: str
    names: tuple[str, ...]
    unit: str = "%"
    of_revenue: bool = False


FINOSCOPE: Mapping[str, tuple[Ratio, ...]] = {
    "Performance": (
        Ratio("Chiffre d'affaires", ("ca", "chiffre_d_affaires"), "k€"),
        Ratio("Marge brute", ("marge_brute",), "k€", of_revenue=True),
        Ratio("Excédent brut d'exploitation", ("excedent_brut_d_exploitation", "ebe"), "k€", of_revenue=True),
        Ratio("Résultat d'exploitation", ("resultat_expl", "ebit"), "k€", of_revenue=True),
        Ratio("Résultat net", ("resultat_net", "benefice_ou_perte"), "k€", of_revenue=True),
    ),
    "Solvabilité et trésorerie": (
        Ratio("Taux d'endettement", ("taux_d_endettement", "taux_endettement")),
        Ratio("Autonomie financière", ("autonomie_financiere",)),
        Ratio("Vétusté des immobilisations", ("ratio_de_vetuste", "degre_immo_corporelle")),
        Ratio("Capacité d'autofinancement / CA", ("caf_sur_ca", "capacite_autofinancement")),
        Ratio("Capacité de remboursement", ("capacite_de_remboursement", "capacite_remboursement"), ""),
        Ratio("Liquidité", ("ratio_de_liquidite", "liquidite_generale"), ""),
    ),
    "Gestion": (
        Ratio("Besoin en fonds de roulement / CA", ("poids_bfr_exploitation_sur_ca", "poids_bfr_exploitation")),
        Ratio(
            "Besoin en fonds de roulement",
            ("poids_bfr_exploitation_sur_ca_jours", "couverture_ca_besoin_fdr"),
            "jours",
        ),
        Ratio("Rotation des stocks", ("rotation_des_stocks_jours", "rotation_stocks"), "jours"),
        Ratio("Crédit clients", ("credit_clients_jours", "credit_client"), "jours"),
        Ratio("Crédit fournisseurs", ("credit_fournisseurs_jours", "credit_fournisseur"), "jours"),
    ),
}
"""The three groups; the first name that an exercice has is read."""

PER_CENT_FIRST = frozenset({"ratio_de_liquidite"})
"""Ratios that a source gives in per cent where others give a number of times."""


def exercice_of(closing: object) -> int | None:
    """Return the exercice that a closing date ends: the year before when it closes from January to July (8.3).

    Examples
    --------
    >>> exercice_of("2020-07-31"), exercice_of("2020-08-31"), exercice_of("2020-12-31"), exercice_of(None)
    (2019, 2020, 2020, None)
    """
    found = read_day(closing)
    if found is None:
        return None
    return found.year - 1 if found.month <= 7 else found.year


def _year(one: Mapping[str, Any]) -> str:
    return str(exercice_of(one.get("date_cloture")) or one.get("annee") or "?")


def _number(one: Mapping[str, Any], *names: str) -> float | None:
    for name in names:
        value = one.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _scaled(name, float(value))
    return None


def _scaled(name: str, value: float) -> float:
    return value / 100 if name in PER_CENT_FIRST else value


def _ordered(finances: object) -> list[Mapping[str, Any]]:
    """Return exercices, the newest first; of two closings of one exercice, the later."""
    rows = [one for one in finances if isinstance(one, Mapping)] if isinstance(finances, list) else []
    rows.sort(key=lambda one: str(one.get("date_cloture") or one.get("annee") or ""), reverse=True)
    found: dict[str, Mapping[str, Any]] = {}
    for one in rows:
        found.setdefault(_year(one), one)
    return list(found.values())[:MOST]


def _share(value: float | None, revenue: float | None) -> str:
    if value is None or not revenue or revenue < 0:
        return ""
    return f"{format_number(100 * value / revenue, 1)}{NO_BREAK}%"


def _amount(value: float | None) -> dict[str, str]:
    if value is None:
        return cell("n/c", "absent")
    return cell(thousands(value), "negative" if value < 0 else "")


def finances_block(company: Mapping[str, Any], access: Access) -> Block:
    """Say revenue, results, margins and delays, exercice by exercice."""
    found, instead = access.reads(company, "finances")
    rows = _ordered(found)
    items: list[Item | None] = []
    if not rows:
        items = [instead or empty("Aucun bilan n'est connu.")]
    else:
        years = [_year(one) for one in rows]
        lines: list[list[str | Mapping[str, str]]] = []
        for name, names in (
            ("Chiffre d'affaires", ("ca", "chiffre_d_affaires")),
            ("Excédent brut d'exploitation", ("excedent_brut_d_exploitation", "ebe")),
            ("Résultat d'exploitation", ("resultat_expl", "ebit")),
            ("Résultat net", ("resultat_net", "benefice_ou_perte")),
        ):
            values = [_number(one, *names) for one in rows]
            lines.append([name, *(_amount(value) for value in values)])
            if name != "Chiffre d'affaires":
                revenues = [_number(one, "ca", "chiffre_d_affaires") for one in rows]
                shares = [_share(value, revenue) for value, revenue in zip(values, revenues, strict=True)]
                lines.append(
                    [f"{name}, en % du CA", *(cell(each or "n/c", "" if each else "absent") for each in shares)]
                )
        for name, delay in (
            ("Délai de paiement des fournisseurs", _suppliers),
            ("Délai de paiement des clients", _clients),
        ):
            days = [delay(one) for one in rows]
            if any(value is not None for value in days):
                lines.append(
                    [
                        name,
                        *(cell("n/c", "absent") if each is None else in_days(each) for each in days),
                    ]
                )
        lines.append(["Clôture", *(day(one.get("date_cloture")) or "n/c" for one in rows)])
        past = rows[::-1]
        series = {
            "chiffre d'affaires": [_number(one, "ca", "chiffre_d_affaires") for one in past],
            "résultat d'exploitation": [_number(one, "resultat_expl", "ebit") for one in past],
            "résultat net": [_number(one, "resultat_net", "benefice_ou_perte") for one in past],
        }
        if any(value is not None for values in series.values() for value in values):
            items.append(finances_chart(years[::-1], series))
        items.append(table("Comptes de l'entreprise", ["", *years], lines))
    about = (
        "Comptes de l'entreprise, tous établissements ensemble (Diane, comptes déposés). Un exercice clos de janvier à "
        "juillet porte l'année précédente."
    )
    return block("finances", "Comptes annuels", items, about, wide=True)


def _suppliers(one: Mapping[str, Any]) -> float | None:
    return _number(one, "delai_fournisseur", "credit_fournisseurs_jours", "credit_fournisseur")


def _clients(one: Mapping[str, Any]) -> float | None:
    """Return the days that customers take: what they owe over revenue, times 360, unless a source says them."""
    owed, revenue = _number(one, "creances_clients"), _number(one, "ca", "chiffre_d_affaires")
    if owed is not None and revenue:
        return 360 * owed / revenue
    return _number(one, "credit_clients_jours", "credit_client")


def _written(value: float | None, unit: str) -> str:
    if value is None:
        return "n/c"
    if unit == "k€":
        return thousands(value)
    if unit == "jours":
        return in_days(value)
    decimals = 1 if unit == "%" else 2
    return format_number(value, decimals) + (f"{NO_BREAK}{unit}" if unit else "")


def position(value: float, deciles: Sequence[float]) -> str:
    """Say where a value is among those of the sector: q10, q25, q50, q75, q90.

    Examples
    --------
    >>> position(5, [1, 2, 3, 4, 6]), position(9, [1, 2, 3, 4, 6]), position(2.5, [1, 2, 3, 4, 6])
    ('dans le quart supérieur', 'dans le dixième supérieur', 'sous la médiane')
    """
    low, quarter, middle, three, high = deciles
    if value < low:
        return "dans le dixième inférieur"
    if value > high:
        return "dans le dixième supérieur"
    if value < quarter:
        return "dans le quart inférieur"
    if value > three:
        return "dans le quart supérieur"
    return "sous la médiane" if value < middle else "au-dessus de la médiane" if value > middle else "à la médiane"


def _quantiles(known: object, names: Sequence[str]) -> list[float] | None:
    if not isinstance(known, Mapping):
        return None
    for name in names:
        found = known.get(name)
        if isinstance(found, list) and len(found) == 5 and all(isinstance(each, int | float) for each in found):
            return [_scaled(name, float(each)) for each in found]
    return None


def finoscope_block(company: Mapping[str, Any], access: Access) -> Block | None:
    """Compare ratios with those of the sector; None when the reader may not see accounts, or none is known."""
    found, _ = access.reads(company, "finances")
    rows = _ordered(found)[:3]
    if not rows:
        return None
    known = company.get("quantiles")
    items: list[Item | None] = []
    for group, ratios in FINOSCOPE.items():
        lines = []
        for ratio in ratios:
            line = _ratio_line(ratio, rows, known)
            if line is not None:
                lines.append(line)
        names = ["", *(_year(one) for one in rows), "Secteur : médiane", "Secteur : 10 % à 90 %", "Situation"]
        if not any(cell for line in lines for cell in line[-3:]):
            # Nothing is known of the sector for any of them: no empty columns.
            names, lines = names[:-3], [line[:-3] for line in lines]
        items.append(table(group, names, lines) or text(f"{group} : aucun ratio n'est connu.", "empty"))
    if isinstance(known, Mapping) and known.get("secteur"):
        classe = f", chiffre d'affaires de {known['classe']}" if known.get("classe") else ""
        items.append(text(f"Comparée aux entreprises de la division {known['secteur']} (NAF){classe}.", "note"))
    else:
        items.append(text("Les ratios du secteur ne sont pas connus.", "note"))
    about = (
        "Ratios des comptes déposés, comparés à ceux des entreprises du même secteur et de la même classe de chiffre "
        "d'affaires (données publiques de l'INPI et de la Banque de France)."
    )
    return block("finoscope", "Ratios et secteur", items, about, wide=True)


def _ratio_line(ratio: Ratio, rows: Sequence[Mapping[str, Any]], known: object) -> list[str | Mapping[str, str]] | None:
    values = [_number(one, *ratio.names) for one in rows]
    if all(value is None for value in values):
        return None
    unit = ratio.unit
    compared, quantiles = values[0], _quantiles(known, ratio.names)
    cells: list[str | Mapping[str, str]] = []
    for one, value in zip(rows, values, strict=True):
        words = _written(value, unit)
        if ratio.of_revenue and value is not None:
            share = _share(value, _number(one, "ca", "chiffre_d_affaires"))
            words += f" ({share})" if share else ""
        cells.append(cell(words, "absent" if value is None else "negative" if value < 0 else ""))
    if quantiles is None or compared is None:
        return [ratio.label, *cells, "", "", ""]
    spread = f"{_written(quantiles[0], unit)} à {_written(quantiles[4], unit)}"
    return [ratio.label, *cells, _written(quantiles[2], unit), spread, position(compared, quantiles)]


def _closing(one: Mapping[str, Any]) -> str:
    return str(one.get("date_cloture") or one.get("annee") or "")


def bank_block(company: Mapping[str, Any], access: Access) -> Block:
    """Say the ratios of the Banque de France, for who has its badge."""
    found, instead = access.reads(company, "bdf", "bdf")
    rows = [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
    rows.sort(key=_closing, reverse=True)
    rows = rows[:MOST]
    lines: list[list[str | Mapping[str, str]]] = []
    for name, column, unit in (
        ("Chiffre d'affaires", "ca", "k€"),
        ("Résultat net", "resultat_net", "k€"),
        ("Poids du fonds de roulement", "poids_frng", "%"),
        ("Taux de marge", "taux_marge", "%"),
        ("Délai des fournisseurs", "delai_fournisseur", "jours"),
        ("Dette fiscale et sociale", "dette_fiscale", "%"),
        ("Financement à court terme", "financier_court_terme", "%"),
        ("Frais financiers", "frais_financier", "%"),
    ):
        values = [_number(one, column) for one in rows]
        if all(value is None for value in values):
            continue
        lines.append(
            [
                name,
                *(
                    cell(_written(each, unit), "absent" if each is None else "negative" if each < 0 else "")
                    for each in values
                ),
            ]
        )
    heads = ["", *(day(one.get("date_cloture")) or _closing(one) or "?" for one in rows)]
    items = (
        [table("Ratios par arrêté de bilan", heads, lines)] if rows else [instead or empty("Aucun ratio n'est connu.")]
    )
    return block(
        "bdf",
        "Ratios de la Banque de France",
        items,
        "Ratios confiés par la Banque de France (badge « bdf »).",
        wide=True,
    )
