"""What is said of a trame being edited, as plain rows: problems, comptes, comparisons, transpositions, files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.formules import check_formule
from workbench.plans import PlanComptes, PlansComptes
from workbench.trames import (
    Trame,
    TrameComparison,
    Transposition,
    check_comptes,
    check_trame,
    modele_path,
)
from workbench.trames.comptes_check import prefixes_of

__all__ = ["Document", "change_rows", "document", "documents", "lint_rows", "problem_rows", "transposition_rows"]

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Row = dict[str, Any]


@dataclass(frozen=True)
class Document:
    """A file to take away: its name, its bytes, its MIME type."""

    name: str
    content: bytes
    media_type: str = XLSX


def problem_rows(trame: Trame, drafts: dict[str, str]) -> list[Row]:
    """Say all that is wrong or doubtful in a trame, and in the formules that it has not taken yet."""
    rows = [
        {
            "severity": each.severity,
            "code": each.where if each.where in trame else "",
            "message": f"{each.where} : {each.message}" if each.where not in trame else each.message,
            "hint": each.hint,
            "excerpt": each.excerpt,
        }
        for each in check_trame(trame)
    ]
    known = {one.code: one.texte or "0" for one in trame.indicateurs}
    for code, texte in drafts.items():
        rows += [
            {
                "severity": each.severity,
                "code": code,
                "message": f"Brouillon : {each.message}",
                "hint": each.hint,
                "excerpt": "",
            }
            for each in check_formule(texte, known, name=code)
        ]
    return rows


def lint_rows(trame: Trame, plans: PlansComptes | PlanComptes) -> Row:
    """Look at a trame with its charts: what is counted twice, what reads nothing, what nothing reads."""
    found = check_comptes(trame, plans)
    titles = {
        "compte_double": "Compté deux fois",
        "prefixe_sans_compte": "Aucun compte",
        "prefixe_absent": "Aucun compte, certains exercices",
        "comptes_non_lus": "Non lu",
    }
    rows = [
        {
            "kind": titles[each.code],
            "code": each.indicateur,
            "message": each.message,
            "hint": each.hint,
            "excerpt": each.excerpt,
        }
        for each in found
    ]
    return {"rows": rows, "looked": str(found).rsplit("\n", 1)[-1]}


def change_rows(comparison: TrameComparison, before: Trame, after: Trame, plan: PlanComptes | None = None) -> list[Row]:
    """Say what differs between two trames: fields, indicateurs, formules, and the comptes that are read."""

    def named(prefix: str) -> str:
        label = plan.libelle(prefix) if plan is not None else ""
        return f"{prefix} {label}".rstrip()

    def comptes(code: str) -> Iterator[str]:
        old, new = (set(prefixes_of(trame[code])) for trame in (before, after))
        if new - old:
            yield "Lit en plus : " + ", ".join(map(named, sorted(new - old)))
        if old - new:
            yield "Ne lit plus : " + ", ".join(map(named, sorted(old - new)))

    rows = [{"kind": "Trame", "code": "", "lines": list(map(str, comparison.fields))}] if comparison.fields else []
    for kind, sign, changed in (("Ajouté", "+", comparison.added), ("Supprimé", "-", comparison.removed)):
        for one in changed:
            lines = [one.libelle] if one.libelle else []
            lines += [
                f"{sign} {part.texte}" + (f"  ({part.validite})" if part.validite else "") for part in one.formules
            ]
            rows.append({"kind": kind, "code": one.code, "lines": lines})
    rows += [
        {"kind": "Modifié", "code": change.code, "lines": [*change.lines(), *comptes(change.code)]}
        for change in comparison.changed
    ]
    if comparison.moved:
        rows.append({"kind": "Ordre", "code": "", "lines": ["Les indicateurs communs changent d'ordre."]})
    return rows


def transposition_rows(found: Transposition) -> Row:
    """Say what becomes of each prefix: what needs a person first, then what is sure."""
    rows = [
        {
            "before": each.before,
            "libelle": each.libelle,
            "after": "+".join(each.after),
            "libelle_after": " + ".join(found.after.libelle(numero) for numero in each.after),
            "reason": str(each).split("\n", 1)[0].rpartition(" : ")[2],
            "sure": bool(each.after) and each.reason not in ("numéro", "libellé proche"),
            "candidates": [{"value": one.compte.numero, "label": str(one)} for one in each.candidates],
            "indicateurs": list(each.indicateurs),
        }
        for each in sorted(found.comptes, key=lambda each: (bool(each.after), each.reason == "identique", each.before))
    ]
    return {
        "rows": rows,
        "from": f"{found.before.nomenclature} {found.before.exercice}",
        "to": f"{found.after.nomenclature} {found.after.exercice}",
        "code": found.trame.code,
        "unmatched": len(found.unmatched),
        "doubtful": len(found.doubtful),
        "notes": [*found.notes, *(f"À vérifier : {str(each).splitlines()[0]}" for each in found.remarks)],
    }


def documents(trame: Trame) -> list[dict[str, str]]:
    """List the files that can be taken away."""
    found = [{"value": "pseudo", "label": "Pseudo-paramétrage (Excel)"}]
    if trame.modele:
        found += [
            {"value": "modele", "label": "Modèle (Excel)"},
            {"value": "formules", "label": "Modèle et formules (Excel)"},
        ]
    return [*found, {"value": "archive", "label": "Tout (zip)"}]


def document(trame: Trame, path: Path, kind: object) -> Document:
    """Write a file.

    Raises
    ------
    WorkbenchError
        ``choix_inconnu`` when it is not one of `documents`; ``modele_absent``.
    """
    from workbench.trames import export_archive, export_model_with_formules, export_pseudo_parametrage

    if kind not in [each["value"] for each in documents(trame)]:
        raise WorkbenchError("choix_inconnu", champ="Fichier", valeur=str(kind)[:80])
    model = modele_path(trame, path)
    with tempfile.TemporaryDirectory() as folder:
        if kind == "pseudo":
            target = Path(folder) / f"{trame.code}_pseudo_parametrage.xlsx"
            export_pseudo_parametrage(trame, target)
        elif kind == "formules" and model is not None:
            target = Path(folder) / f"{trame.code}_modele_et_formules.xlsx"
            export_model_with_formules(trame, model, target)
        elif kind == "modele" and model is not None:
            target = model
        else:
            target = Path(folder) / f"{trame.code}.zip"
            export_archive(trame, model, target)
        return Document(target.name, target.read_bytes(), "application/zip" if target.suffix == ".zip" else XLSX)
