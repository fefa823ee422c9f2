"""What a history knows of the companies of a list, as of a batch: read once by source, then company by company."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Select, Text, column, func, select
from sqlalchemy import table as named_table

from workbench.signaux_faibles.batches import month_of
from workbench.signaux_faibles.history.base import History
from workbench.signaux_faibles.history.procol_views import clean_procol, procol_at_date
from workbench.signaux_faibles.history.sirene_views import clean_sirene, clean_sirene_ul
from workbench.signaux_faibles.history.views import (
    MOTIVES,
    clean_cotisation,
    clean_debit,
    clean_delai,
    clean_effectif,
    clean_effectif_ent,
    clean_filter,
)
from workbench.signaux_faibles.kinds import constant
from workbench.signaux_faibles.publication.series import Series, carried, months_before
from workbench.signaux_faibles.publication.territories import region_of

__all__ = ["MONTHS", "CompanyFacts", "Facts"]

MONTHS = 24
"""Months of the series."""

ASKED = "publication_sirens"
"""The table of the companies, in statements."""

FINANCES = (
    "ca", "marge_commerciale", "valeur_ajoutee", "excedent_brut_d_exploitation", "resultat_expl",
    "taux_endettement", "autonomie_financiere", "liquidite_generale", "liquidite_reduite", "capacite_remboursement",
    "rotation_stocks", "credit_client", "credit_fournisseur", "poids_bfr_exploitation", "rentabilite_economique",
)  # fmt: skip
"""Columns of Diane that are published under their names."""

RATIOS = (
    "taux_d_endettement", "ratio_de_liquidite", "ratio_de_vetuste", "autonomie_financiere", "caf_sur_ca",
    "capacite_de_remboursement", "couverture_des_interets", "marge_ebe", "poids_bfr_exploitation_sur_ca",
    "rotation_des_stocks_jours", "credit_clients_jours", "credit_fournisseurs_jours",
)  # fmt: skip
"""Ratios of the accounts deposited, under their names."""

_BDF = (
    "annee_bdf", "arrete_bilan_bdf", "poids_frng", "taux_marge", "delai_fournisseur", "dette_fiscale",
    "financier_court_terme", "frais_financier",
)  # fmt: skip


@dataclass(frozen=True)
class CompanyFacts:
    """What is known of a company.

    Parameters
    ----------
    siren
        Which.
    unit
        Its row of the directory; empty when it is not there.
    places
        Its établissements, the head office first.
    """

    siren: str
    unit: dict[str, Any]
    places: list[dict[str, Any]]

    @cached_property
    def departements(self) -> tuple[str, ...]:
        """Those of its établissements that are open, and of its head office."""
        kept = (each for each in self.places if each["est_actif"] is not False or each["siege"])
        return tuple(sorted({each["departement"] for each in kept if region_of(each["departement"])}))

    @property
    def head(self) -> dict[str, Any] | None:
        """Its head office."""
        return self.places[0] if self.places and self.places[0]["siege"] else None


class Facts:
    """Everything known of some companies as of a batch.

    Parameters
    ----------
    history
        An open history.
    sirens
        The companies.
    as_of
        Key of the batch; the latest one by default.
    labels
        Labels of activities by code without point.
    """

    def __init__(
        self, history: History, sirens: Iterable[str], as_of: str | None = None, labels: dict[str, str] | None = None
    ) -> None:
        self.history = history
        self.as_of = as_of
        self.batch = history.batch(as_of)
        self.end = self.batch.end or (month_of(self.batch.key) + timedelta(days=31)).replace(day=1)
        self.months = months_before(self.end, MONTHS)
        self._labels = labels or {}
        self._asked = pa.table({"siren": pa.array(sorted(set(sirens)), pa.string())})
        self._read()

    def _fetch(self, statement: Select[Any], names: Iterable[str], *, since: str = "") -> pa.Table:
        """Run a select of a view: these columns, the companies asked, months from the first one shown."""
        rows = statement.subquery("told")
        key = rows.c.siret if "siret" in rows.c else rows.c.siren
        asked = named_table(ASKED, column("siren", Text))
        ours = func.left(key, constant(9), type_=Text()).in_(select(asked.c.siren))
        wanted = select(*(rows.c[name] for name in names)).where(ours)
        if since:
            wanted = wanted.where(rows.c[since] >= constant(self.first))
        return self.history.fetch(wanted, {ASKED: self._asked})

    @property
    def first(self) -> date:
        """The first month of the series."""
        return date.fromisoformat(f"{self.months[0]}-01")

    def _series(
        self, statement: Select[Any], names: Iterable[str], said: Iterable[str] = (), *, since: str = ""
    ) -> Series:
        return Series(self._fetch(statement, names, since=since), list(said), months=("periode",))

    def _read(self) -> None:
        history, as_of = self.history, self.as_of
        self._units = self._series(
            clean_sirene_ul(history, as_of),
            (
                "siren", "raison_sociale", "statut_juridique", "libelle_statut", "activite_principale", "section",
                "libelle_section", "date_creation", "est_actif",
            ),
        )  # fmt: skip
        self._places = self._by_company()
        self.effectif = self._series(clean_effectif(history, as_of), ("siret", "periode", "effectif"), since="periode")
        self.effectif_ent = self._series(
            clean_effectif_ent(history, as_of), ("siren", "periode", "effectif"), since="periode"
        )
        self._debit = self._series(clean_debit(history, as_of), ("siret", "periode", "part_ouvriere", "part_patronale"))
        self.cotisation = self._series(clean_cotisation(history, as_of), ("siret", "periode", "du"), since="periode")
        self._delai = self._series(
            clean_delai(history, as_of),
            ("siret", "date_creation", "date_echeance", "duree_delai", "montant_echeancier", "stade", "action"),
        )
        self.apconso = self._series(
            history.state("apconso", as_of),
            ("siret", "periode", "heure_consomme", "effectif", "montant"),
            ("periode", "heures", "effectif", "montant"),
            since="periode",
        )
        self._apdemande = self._series(
            history.state("apdemande", as_of),
            ("siret", "periode_debut", "periode_fin", "hta", "effectif", "effectif_autorise", "motif_recours_se"),
        )
        self.procedures = self._series(
            clean_procol(history, as_of),
            ("siren", "date_effet", "action_procol", "stade_procol", "libelle"),
            ("date_effet", "action", "stade", "libelle"),
        )
        self._at_end = self._series(
            procol_at_date(history, self.end, as_of), ("siren", "date_effet", "action_procol", "stade_procol")
        )
        self.paydex = self._series(history.state("paydex", as_of), ("siren", "date_valeur", "nb_jours"))
        self._bdf = self._series(history.state("bdf", as_of), ("siren", *_BDF))
        self._diane = self._series(
            history.state("diane", as_of),
            ("siren", "exercice_diane", "arrete_bilan_diane", *FINANCES, "benefice_ou_perte"),
        )
        self._ratios = self._series(
            history.state("ratios_inpi", as_of),
            (
                "siren", "date_cloture_exercice", "confidentialite", "chiffre_d_affaires", "ebe", "ebit",
                "resultat_net", *RATIOS,
            ),
        )  # fmt: skip
        watched = self._fetch(clean_filter(history, as_of), ("siren",))
        self.watched = frozenset(watched["siren"].to_pylist())

    def _by_company(self) -> Series:
        table = self._fetch(
            clean_sirene(self.history, self.as_of),
            (
                "siret", "siege", "departement", "commune", "code_postal", "adresse", "ape", "section",
                "date_creation", "est_actif", "latitude", "longitude",
            ),
        )  # fmt: skip
        siren = pc.utf8_slice_codeunits(table["siret"], 0, 9)
        order = pc.if_else(pc.fill_null(table["siege"], False), pa.scalar("0"), pa.scalar("1"))
        order = pc.binary_join_element_wise(order, table["siret"], "")
        return Series(table.add_column(0, "siren", siren).add_column(1, "order", order))

    def company(self, siren: str) -> CompanyFacts:
        """Return what the directory says of a company."""
        unit = self._units.one(siren) or {}
        places = [{**each, "siege": bool(each["siege"])} for each in self._places.rows(siren)]
        return CompanyFacts(siren, unit, places)

    def label(self, ape: str | None) -> str | None:
        """Return the label of an activity."""
        return self._labels.get((ape or "").replace(".", ""))

    def debit(self, siret: str) -> list[dict[str, Any]]:
        """Return debts month after month."""
        return carried(self._debit.rows(siret), self.months, ("part_ouvriere", "part_patronale"))

    def delai(self, siret: str) -> list[dict[str, Any]]:
        """Return payment delays."""
        return self._delai.rows(siret)

    def apdemande(self, siret: str) -> list[dict[str, Any]]:
        """Return requests of partial activity."""
        return [
            {**{name: value for name, value in row.items() if name != "motif_recours_se"},
             "motif": MOTIVES.get(row["motif_recours_se"])}
            for row in self._apdemande.rows(siret)
        ]  # fmt: skip

    def bdf(self, siren: str) -> list[dict[str, Any]]:
        """Return what the Banque de France says, exercice after exercice."""
        return [
            {"annee": row["annee_bdf"], "date_cloture": row["arrete_bilan_bdf"]}
            | {name: row[name] for name in _BDF[2:]}
            for row in self._bdf.rows(siren)
        ]

    def procedure(self, siren: str) -> tuple[str, str | None]:
        """Return the procedure that a company is in at the end of the batch, and since when."""
        found = self._at_end.one(siren)
        if found is None:
            return "in_bonis", None
        plan = found["stade_procol"] == "plan_continuation"
        state = {"sauvegarde": "plan_sauvegarde", "redressement": "plan_continuation"} if plan else {}
        return state.get(found["action_procol"], found["action_procol"]), found["date_effet"]

    def finances(self, siren: str) -> list[dict[str, Any]]:
        """Return accounts, the oldest first: those of Diane, and public ones of years that it lacks."""
        found: dict[int, dict[str, Any]] = {}
        for row in self._ratios.rows(siren):
            # A company may ask that its accounts stay confidential.
            if row["confidentialite"] != "Public":
                continue
            year = int(row["date_cloture_exercice"][:4])
            found[year] = {
                "annee": year,
                "date_cloture": row["date_cloture_exercice"],
                "source": "inpi",
                "ca": _thousands(row["chiffre_d_affaires"]),
                "excedent_brut_d_exploitation": _thousands(row["ebe"]),
                "resultat_expl": _thousands(row["ebit"]),
                "resultat_net": _thousands(row["resultat_net"]),
                **{name: row[name] for name in RATIOS},
            }
        for row in self._diane.rows(siren):
            year = row["exercice_diane"]
            if year is None:
                continue
            found[year] = {
                **found.get(year, {}),
                "annee": year,
                "date_cloture": row["arrete_bilan_diane"],
                "source": "diane",
                **{name: row[name] for name in FINANCES},
                "resultat_net": row["benefice_ou_perte"],
            }
        return [found[year] for year in sorted(found)]

    def last_days(self) -> dict[str, str]:
        """Return the last day that each source speaks of."""
        told = {
            "effectif": self.effectif, "cotisation": self.cotisation, "debit": self._debit, "apconso": self.apconso,
            "procol": self.procedures, "paydex": self.paydex,
        }  # fmt: skip
        days = {name: series.last() for name, series in told.items()}
        return {name: day for name, day in days.items() if day is not None}


def _thousands(euros: float | None) -> float | None:
    return None if euros is None else round(euros / 1000, 3)
