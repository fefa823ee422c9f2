"""What the page of Documentation shows, without a widget: nomenclatures, trames, indicateurs, one inside the other.

Filters are chained: a nomenclature narrows the trames, a trame the indicateurs. A search looks in all that is left,
whatever the accents and the case.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from workbench.dgfip.reference import libelle_nomenclature, libelle_type_etablissement
from workbench.errors import WorkbenchError
from workbench.formules import FormuleSyntaxError
from workbench.plans import plain_words
from workbench.trames import (
    Formule,
    Indicateur,
    Serie,
    Trame,
    export_model_with_formules,
    export_pseudo_parametrage,
    list_trames,
    load_trame,
    modele_path,
)

__all__ = ["DocumentationView"]

MOST_INDICATEURS = 200
"""Indicateurs listed at once; a search or a filter narrows them."""

MOST_CHARACTERS = 80

_UNITES = {
    "euros": "euros",
    "euros_par_habitant": "euros par habitant",
    "pourcentage": "pourcentage",
    "annees": "années",
    "ratio": "ratio",
}


@dataclass(frozen=True)
class _Kept:
    path: Path
    trame: Trame
    words: str
    of_indicateurs: Mapping[str, str]


class DocumentationView:
    """The state of the page, one for each visitor.

    Parameters
    ----------
    folder
        Folder of the trames.
    libelles
        What comptes are called, for drawings.

    Raises
    ------
    WorkbenchError
        ``dossier_absent``.
    """

    def __init__(self, folder: Path, libelles: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._comptes = dict(libelles or {})
        self.nomenclature = ""
        self.trame = ""
        self.indicateur = ""
        self.text = ""

    @cached_property
    def _kept(self) -> dict[str, _Kept]:
        found = {}
        for one in list_trames(self._folder):
            if one.errors:
                continue
            trame = load_trame(one.path)
            own = " ".join(plain_words(f"{trame.code} {trame.libelle} {trame.nomenclature or ''}"))
            words = {each.code: " ".join(plain_words(f"{each.code} {each.libelle}")) for each in trame.indicateurs}
            found[one.code] = _Kept(one.path, trame, own, words)
        return found

    # What is listed

    def _families(self, kept: _Kept) -> tuple[str, ...]:
        return tuple((kept.trame.nomenclature or "").split("+"))

    def _trames(self) -> list[_Kept]:
        return [
            each for each in self._kept.values() if not self.nomenclature or self.nomenclature in self._families(each)
        ]

    def state(self) -> dict[str, Any]:
        """Return the lists, what narrows them, and what is chosen."""
        words = plain_words(self.text)
        names = sorted({name for each in self._kept.values() for name in self._families(each) if name})
        trames = self._trames()
        open_trames = [each for each in trames if not self.trame or each.trame.code == self.trame]
        indicateurs = [
            (each.trame, one)
            for each in open_trames
            for one in each.trame.indicateurs
            if _has(words, each.of_indicateurs[one.code])
        ]
        return {
            "text": self.text,
            "chips": self._chips(),
            "nomenclatures": [
                {"value": name, "label": name, "detail": libelle_nomenclature(name) if name else ""}
                for name in names
                if _has(words, " ".join(plain_words(f"{name} {libelle_nomenclature(name)}")))
            ],
            "trames": [
                {
                    "value": each.trame.code,
                    "label": each.trame.libelle or each.trame.code,
                    "detail": f"{each.trame.nomenclature or 'toutes nomenclatures'}, {len(each.trame)} indicateurs",
                }
                for each in trames
                if _has(words, each.words)
            ],
            "indicateurs": [
                {
                    "value": one.code,
                    "trame": trame.code,
                    "label": one.libelle or one.code,
                    "detail": one.code if self.trame else f"{one.code} · {trame.code}",
                }
                for trame, one in indicateurs[:MOST_INDICATEURS]
            ],
            "found": len(indicateurs),
            "shown": min(len(indicateurs), MOST_INDICATEURS),
            "chosen": {"nomenclature": self.nomenclature, "trame": self.trame, "indicateur": self.indicateur},
        }

    def _chips(self) -> list[dict[str, str]]:
        chips = []
        if self.nomenclature:
            chips.append({"field": "nomenclature", "label": f"Nomenclature : {self.nomenclature}"})
        if self.trame:
            chips.append({"field": "trame", "label": f"Trame : {self._kept[self.trame].trame.libelle or self.trame}"})
        if self.indicateur:
            chips.append({"field": "indicateur", "label": f"Indicateur : {self.indicateur}"})
        return chips

    # What is chosen

    def search(self, text: object) -> None:
        """Look for words in all that is listed."""
        if isinstance(text, str):
            self.text = text[:MOST_CHARACTERS]

    def choose(self, name: object, value: object, trame: object = None) -> None:
        """Choose a nomenclature, a trame or an indicateur; an empty value lets go of it, and of what is inside it.

        Parameters
        ----------
        name
            ``nomenclature``, ``trame`` or ``indicateur``.
        value
            Its code.
        trame
            The trame of the indicateur, when none is chosen.

        Raises
        ------
        WorkbenchError
            ``choix_inconnu``, and then nothing has changed.
        """
        if not isinstance(value, str) or name not in ("nomenclature", "trame", "indicateur"):
            raise _unknown(name, value)
        if name == "nomenclature":
            if value and not any(value in self._families(each) for each in self._kept.values()):
                raise _unknown("Nomenclature", value)
            self.nomenclature = value
            if self.trame and value and value not in self._families(self._kept[self.trame]):
                self.trame = self.indicateur = ""
        elif name == "trame":
            if value and value not in self._kept:
                raise _unknown("Trame", value)
            self.trame, self.indicateur = value, ""
        elif value:
            code = trame if isinstance(trame, str) and trame else self.trame
            if code not in self._kept or value not in self._kept[code].trame:
                raise _unknown("Indicateur", value)
            self.trame, self.indicateur = code, value
        else:
            self.indicateur = ""

    # What is shown of it

    @property
    def about(self) -> tuple[str, str | None] | None:
        """What comments are about: a trame and an indicateur of it, or the trame; None when neither is chosen."""
        return (self.trame, self.indicateur or None) if self.trame else None

    def detail(self) -> dict[str, Any] | None:
        """Return what is said of the indicateur chosen, else of the trame; None when neither is chosen."""
        if not self.trame:
            return None
        trame = self._kept[self.trame].trame
        return self._of_indicateur(trame, trame[self.indicateur]) if self.indicateur else self._of_trame(trame)

    def _of_trame(self, trame: Trame) -> dict[str, Any]:
        types = [libelle_type_etablissement(code) for code in trame.types_etablissement]
        facts = [
            ("Code", trame.code),
            ("Nomenclature", trame.nomenclature or "toutes"),
            ("Types d'établissement", ", ".join(types) or "tous"),
            ("Types d'identifiant", ", ".join(trame.types_identifiant) or "tous"),
            ("Modèle Excel", Path(trame.modele).name or "aucun"),
            ("Indicateurs", str(len(trame))),
        ]
        if isinstance(trame, Serie):
            facts.append(("Série de", ", ".join(each.code for each in trame.trames)))
        return {
            "kind": "trame",
            "title": trame.libelle or trame.code,
            "facts": [{"name": name, "value": value} for name, value in facts],
            "description": trame.description,
            "reference": trame.reference,
            "formules": [],
            "links": [],
            "file": ""
            if isinstance(trame, Serie)
            else "Télécharger le modèle et ses formules"
            if trame.modele
            else "Télécharger les formules (Excel)",
        }

    def _of_indicateur(self, trame: Trame, one: Indicateur) -> dict[str, Any]:
        facts = [
            ("Code", one.code),
            ("Trame", trame.libelle or trame.code),
            ("Thème", one.theme),
            ("Unité", _UNITES.get(one.unite, one.unite)),
        ]
        return {
            "kind": "indicateur",
            "title": one.libelle or one.code,
            "facts": [{"name": name, "value": value} for name, value in facts if value],
            "description": one.description,
            "reference": one.reference,
            "formules": [
                {"validite": said, "texte": formule.texte, "place": place}
                for place, (said, formule) in enumerate(_formules(trame, one.code))
            ],
            "links": [
                {"label": label, "codes": [{"value": code, "label": trame[code].libelle or code} for code in codes]}
                for label, codes in (
                    ("Utilise", [code for code in trame.dependencies(one.code) if code in trame]),
                    ("Utilisé par", trame.uses(one.code)),
                )
                if codes
            ],
            "file": "",
        }

    def drawing(self, place: object) -> str | None:
        """Draw the tree of a formule of the indicateur chosen, as SVG; None for what is not there or cannot be read."""
        if not self.indicateur or isinstance(place, bool) or not isinstance(place, int):
            return None
        trame = self._kept[self.trame].trame
        formules = _formules(trame, self.indicateur)
        if not 0 <= place < len(formules):
            return None
        names = self._comptes | {each.code: each.libelle for each in trame.indicateurs}
        try:
            return formules[place][1].tree_svg(names)
        except FormuleSyntaxError:
            return None

    def export(self) -> tuple[str, bytes] | None:
        """Write the light export of the trame chosen: its model with the formules beside, else its formules.

        Raises
        ------
        WorkbenchError
            ``modele_absent``.
        """
        if not self.trame:
            return None
        kept = self._kept[self.trame]
        modele = modele_path(kept.trame, kept.path)
        with tempfile.TemporaryDirectory() as folder:
            if modele is None:
                path = export_pseudo_parametrage(kept.trame, Path(folder) / f"{kept.trame.code}_formules.xlsx")
            else:
                to = Path(folder) / f"{kept.trame.code}_modele_et_formules.xlsx"
                path = export_model_with_formules(kept.trame, modele, to)
            return path.name, path.read_bytes()


def _formules(trame: Trame, code: str) -> list[tuple[str, Formule]]:
    """List the formules of an indicateur with what each holds for: its exercices, and its trame in a serie."""
    if isinstance(trame, Serie):
        parts = [(f"{each.nomenclature}, ", each[code]) for each in trame.trames if code in each]
    else:
        parts = [("", trame[code])]
    return [(mark + (each.validite or "tous les exercices"), each) for mark, one in parts for each in one.formules]


def _has(words: Sequence[str], text: str) -> bool:
    return all(word in text for word in words)


def _unknown(name: object, value: object) -> WorkbenchError:
    return WorkbenchError("choix_inconnu", champ=str(name)[:MOST_CHARACTERS], valeur=str(value)[:MOST_CHARACTERS])
