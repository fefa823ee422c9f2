"""The reference rules of variables, month after month in plain Python: what the statements are held against."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.signaux_faibles.variables import Setting

Rows = Sequence[Mapping[str, Any]]
Values = dict[int, dict[str, Any]]


def month(day: dt.date) -> int:
    return day.year * 12 + day.month - 1


def first_day(number: int) -> dt.date:
    return dt.date(number // 12, number % 12 + 1, 1)


def effectif(rows: Rows, setting: Setting, prefix: str = "effectif") -> Values:
    told: dict[int, tuple[str, int]] = {}
    for row in sorted(rows, key=lambda each: (each.get("numero_compte") or "", each["effectif"])):
        told[month(row["periode"])] = (row.get("numero_compte") or "", row["effectif"])
    known = {when: value for when, (_, value) in told.items()}
    delay = setting.delay
    carried = known.get(setting.after - delay)
    found: Values = {}
    for t in range(setting.first, setting.after):
        found[t] = {prefix: known.get(t) or carried, f"{prefix}_reporte": 0 if known.get(t) else 1}
        for n in (6, 12, 18, 24):
            found[t][f"{prefix}_past_{n}"] = known.get(t - n - delay + 1)
    return found


def cotisations(called: Rows, debits: Rows, setting: Setting) -> Values:
    span = range(setting.first, setting.after)
    found: Values = {t: {"interessante_urssaf": True} for t in span}
    if not called or not debits:
        return found
    due: dict[int, float] = {}
    for row in called:
        start, end = month(row["periode_debut"]), month(row["periode_fin"])
        for t in range(start, end):
            due[t] = due.get(t, 0.0) + float(row["du"]) / (end - start)
    owed = {t: [0.0, 0.0] for t in span}
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in debits:
        key = tuple(row.get(name) for name in ("periode_debut", "periode_fin", "numero_ecart_negatif", "numero_compte"))
        groups.setdefault(key, []).append(row)
    for group in groups.values():
        group.sort(key=lambda row: row["numero_historique"])
        starts = [month(row["date_traitement"]) + (row["date_traitement"].day > 20) for row in group]
        for row, start, end in zip(group, starts, [*starts[1:], setting.after], strict=True):
            for t in span:
                if start <= t < end:
                    owed[t][0] += float(row["part_ouvriere"])
                    owed[t][1] += float(row["part_patronale"])
    counter = 0
    for t in span:
        po, pp = owed[t]
        values = found[t]
        values |= {"cotisation": due.get(t), "montant_part_ouvriere": po, "montant_part_patronale": pp}
        for n in (1, 2, 3, 6, 12):
            values[f"montant_part_ouvriere_past_{n}"] = owed[t - n][0] if t - n in span else None
            values[f"montant_part_patronale_past_{n}"] = owed[t - n][1] if t - n in span else None
        if po + pp > 1e-6:
            for later in range(t, min(t + 6, setting.after)):
                found[later]["interessante_urssaf"] = False
        year = range(t - 11, t + 1)
        if all(u in span and u in due for u in year):
            mean = sum(due[u] for u in year) / 12
            values["cotisation_moy12m"] = mean
            if mean > 1e-9:
                values["ratio_dette"] = (po + pp) / mean
                if all(abs(due[u]) > 1e-9 for u in year):
                    values["ratio_dette_moy12m"] = sum(sum(owed[u]) / due[u] for u in year) / 12
        ratio = values.get("ratio_dette")
        if ratio:
            if ratio > 0.01:
                values["tag_debit"] = True
            counter = counter + 1 if ratio > 1 else 0
            if counter >= 3:
                values["tag_default"] = True
    return found


def _state(action: str, stage: str) -> str:
    if action == "liquidation" and stage != "abandon_procedure":
        return "liquidation"
    if stage in {"abandon_procedure", "fin_procedure"}:
        return "in_bonis"
    if action == "redressement":
        return "continuation" if stage == "plan_continuation" else "plan_redressement"
    return "sauvegarde" if stage == "plan_continuation" else "plan_sauvegarde"


def procedures(rows: Rows, setting: Setting) -> Values:
    found: Values = {t: {"etat_proc_collective": "in_bonis"} for t in range(setting.first, setting.after)}
    for row in sorted(rows, key=lambda each: each["date_effet"]):
        state = _state(row["action_procol"], row["stade_procol"])
        for t, values in found.items():
            if t >= month(row["date_effet"]):
                values["etat_proc_collective"] = state
                values["date_proc_collective"] = row["date_effet"]
                if state != "in_bonis":
                    values["tag_failure"] = True
    return found


def target(failures: Values, debts: Values) -> Values:
    failing = [t for t, values in failures.items() if values.get("tag_failure")]
    unpaid = [t for t, values in debts.items() if values.get("tag_default")]
    found: Values = {}
    for t in failures:
        values: dict[str, Any] = {"outcome": False}
        for name, events in (
            ("time_til_outcome", failing + unpaid),
            ("time_til_default", unpaid),
            ("time_til_failure", failing),
        ):
            later = [each - t for each in events if each >= t]
            if later:
                values[name] = min(later)
            elif events and name == "time_til_outcome":
                values[name] = max(events) - t
        if "time_til_outcome" in values:
            values["outcome"] = abs(values["time_til_outcome"]) <= 18
        found[t] = values
    return found


def delais(rows: Rows, debts: Values, setting: Setting) -> Values:
    found: Values = {t: {} for t in range(setting.first, setting.after)}
    for row in sorted(rows, key=lambda each: (each["date_creation"], each["date_echeance"], each["duree_delai"])):
        if row["duree_delai"] <= 0:
            continue
        for t in range(month(row["date_creation"]), month(row["date_echeance"])):
            if t not in found:
                continue
            left = abs((row["date_echeance"] - first_day(t)).days)
            amount = float(row["montant_echeancier"])
            found[t] = {
                "delai_nb_jours_restants": left,
                "delai_nb_jours_total": row["duree_delai"],
                "delai_montant_echeancier": amount,
            }
            po, pp = (debts[t].get(f"montant_part_{name}") for name in ("ouvriere", "patronale"))
            if po is not None and pp is not None:
                found[t]["delai_deviation_remboursement"] = (po + pp - amount * left / row["duree_delai"]) / amount
    return found


def activite_partielle(requests: Rows, consumed: Rows, workforce: Values, setting: Setting) -> Values:
    found: Values = {t: {} for t in range(setting.first, setting.after)}
    if not requests or not consumed:
        return found
    for request in sorted(requests, key=lambda each: (each["periode_debut"], each["periode_fin"], each["id_demande"])):
        linked = [each for each in consumed if each["id_conso"][:9] == request["id_demande"][:9]]
        start = month(request["periode_debut"])
        for t in range(start, month(request["periode_fin"]) + 1):
            if t not in found:
                continue
            found[t]["apart_heures_autorisees"] = request["hta"]
            if linked:
                found[t]["apart_heures_consommees_cumulees"] = sum(
                    each["heure_consomme"] for each in linked if start <= month(each["periode"]) <= t
                )
        for each in linked:
            if month(each["periode"]) in found:
                found[month(each["periode"])]["apart_motif_recours"] = request["motif_recours_se"]
    names = {each["id_demande"][:9] for each in requests}
    for each in consumed:
        t = month(each["periode"])
        if t in found and each["id_conso"][:9] in names:
            found[t]["apart_heures_consommees"] = found[t].get("apart_heures_consommees", 0.0) + each["heure_consomme"]
    for t, values in found.items():
        if "apart_heures_consommees" in values and workforce[t]["effectif"]:
            values["ratio_apart"] = values["apart_heures_consommees"] / (workforce[t]["effectif"] * 157.67)
    return found


DIANE = ("ca", "interets", "valeur_ajoutee", "dette_fiscale_et_sociale", "couverture_ca_fdr")
BDF = ("poids_frng", "taux_marge", "delai_fournisseur", "dette_fiscale", "financier_court_terme", "frais_financier")


def bilans(bdf: Rows, diane: Rows, setting: Setting) -> Values:
    """Without frais_financier, and only where a balance sheet stands."""
    raw: dict[int, dict[str, Any]] = {}
    past: dict[int, dict[str, Any]] = {}
    for rows, closing, months, fields in (
        (bdf, "arrete_bilan_bdf", 13, ("annee_bdf", *BDF)),
        (diane, "arrete_bilan_diane", 14, ("exercice_diane", *DIANE)),
    ):
        for row in sorted(rows, key=lambda each: each[closing]):
            for t in range(month(row[closing]) + 8, month(row[closing]) + 8 + months):
                values = raw.setdefault(t, {})
                values[closing] = row[closing]
                for name in fields:
                    values[name] = row.get(name)
                    if name in BDF or (row.get(name) is not None and name in DIANE):
                        for n in (1, 2):
                            past.setdefault(t + 12 * n, {})[f"{name}_past_{n}"] = row.get(name)
    for t, values in raw.items():
        if "arrete_bilan_diane" not in values or t < setting.first:
            continue
        if values.get("poids_frng") is None and values.get("couverture_ca_fdr") is not None:
            values["poids_frng"] = values["couverture_ca_fdr"] / 360 * 100
        terms = values.get("dette_fiscale_et_sociale"), values.get("valeur_ajoutee")
        if values.get("dette_fiscale") is None and None not in terms and terms[1]:
            values["dette_fiscale"] = terms[0] / terms[1] * 100
        for name in ("poids_frng", "dette_fiscale"):
            for n in (1, 2):
                if values.get(name) is not None:
                    past.setdefault(t + 12 * n, {})[f"{name}_past_{n}"] = values[name]
    found: Values = {}
    for t in range(setting.first, setting.after):
        stands = raw.get(t)
        found[t] = {}
        if stands:
            year = stands.get("annee_bdf")
            found[t] = {**past.get(t, {}), **stands, "exercice_bdf": year - 1 if year is not None else 0}
    return found
