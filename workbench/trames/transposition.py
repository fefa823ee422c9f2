"""Help to move a trame from one nomenclature to another: what could take the place of each prefix read, and why.

Nothing is moved silently: each prefix has its line, with the reason of what is proposed, how near the labels are and
what else was possible. What has no candidate near enough keeps its number and is listed apart, for a person to decide.

Labels, decisions and what they make of a trame are read together, hence one module.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from workbench.display import Markup, html_table, remark, safe, view
from workbench.errors import require_kind
from workbench.plans import Compte, PlanComptes, plain_words
from workbench.trames.comptes_check import CompteRemarks, check_comptes
from workbench.trames.model import Formule, Indicateur, Trame
from workbench.trames.search import readings_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Candidate", "TransposedCompte", "Transposition", "transpose"]

Reason = Literal["choix", "correspondance", "identique", "libellé", "libellé proche", "numéro", ""]

NEAR = 0.6
"""How near labels are, from 0 to 1, for a candidate to be proposed."""
_CANDIDATES = 5
_GENERIC = {"autre", "autres", "divers", "diverses", "etc", "et", "de", "du", "des", "la", "le", "les", "l", "d"}
_VARIABLE = re.compile(r"(\[[^\]]*\]?)|(?<![\w$])(SC|SD|C|D)([0-9]+)(?!\w)")
_SAID = {
    "choix": "choisi",
    "correspondance": "correspondance donnée",
    "identique": "même numéro, même libellé",
    "libellé": "même libellé, sous un autre numéro",
    "libellé proche": "libellé proche",
    "numéro": "même numéro, libellé différent",
    "": "rien d'assez proche",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A compte of the new chart that could take the place of an old one.

    Parameters
    ----------
    compte
        It.
    reason
        Why: ``correspondance``, ``identique``, ``libellé``, ``libellé proche``, ``numéro``.
    score
        How near the labels are, those of the comptes above counted for a quarter: 1 is the same words.
    """

    compte: Compte
    reason: Reason
    score: float

    def __str__(self) -> str:
        return f"{self.compte} ({_SAID[self.reason]}, {self.score:.2f})".replace(".", ",")


@dataclass(frozen=True)
class TransposedCompte:
    """What becomes of a prefix.

    Parameters
    ----------
    before
        The prefix, and its label in the old chart; empty where that has none.
    after
        What it becomes: several comptes, one, or none when nothing is near enough.
    reason, score
        Of the first of them.
    candidates
        The likeliest first.
    indicateurs
        Those that read it.
    """

    before: str
    libelle: str
    after: tuple[str, ...]
    reason: Reason
    score: float
    candidates: tuple[Candidate, ...]
    indicateurs: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether the number changes."""
        return self.after != (self.before,)

    def __str__(self) -> str:
        become = "+".join(self.after) if self.after else "?"
        score = f", {self.score:.2f}".replace(".", ",") if self.reason == "libellé proche" else ""
        text = f"{self.before} {self.libelle or '(absent du plan de départ)'} → {become} : {_SAID[self.reason]}{score}"
        if self.reason in {"", "numéro", "libellé proche"} and self.candidates:
            text += "\n    candidats : " + " ; ".join(map(str, self.candidates))
        return text


@dataclass(frozen=True)
class Transposition:
    """A trame moved to another nomenclature, prefix by prefix; `transpose` makes it.

    Parameters
    ----------
    source
        The trame to move.
    before, after
        The charts.
    comptes
        What becomes of each prefix, in order.
    notes
        French: formules that were left out, and others things to know.
    """

    source: Trame
    before: PlanComptes
    after: PlanComptes
    comptes: tuple[TransposedCompte, ...]
    notes: tuple[str, ...] = ()
    correspondances: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    @property
    def unmatched(self) -> tuple[TransposedCompte, ...]:
        """The prefixes for which nothing is near enough; the proposed trame keeps their number."""
        return tuple(each for each in self.comptes if not each.after)

    @property
    def doubtful(self) -> tuple[TransposedCompte, ...]:
        """Those to look at: a label that is only near, or the same number under another label."""
        return tuple(each for each in self.comptes if each.reason in {"libellé proche", "numéro"})

    @cached_property
    def trame(self) -> Trame:
        """The proposed trame, in the new nomenclature; its reference says where it comes from."""
        become = {each.before: each.after for each in self.comptes if each.after}
        moved = tuple(_moved(one, become, self.before.exercice) for one in self.source.indicateurs)
        said = f"Transposition de {self.source.code} ({self.before.nomenclature} {self.before.exercice})"
        reference = "\n".join(part for part in (self.source.reference, said) if part)
        code = f"{self.source.code}_{self.after.nomenclature.lower()}"
        return replace(
            self.source,
            code=re.sub(r"[^A-Za-z0-9_.-]", "", code),
            indicateurs=moved,
            nomenclature=self.after.nomenclature,
            reference=reference,
            modele="",
        )

    @cached_property
    def remarks(self) -> CompteRemarks:
        """What an accountant would say of the proposed trame: comptes counted twice, prefixes that read nothing."""
        return check_comptes(self.trame, self.after, classes=())

    def choose(self, choices: Mapping[str, str | Iterable[str]]) -> Transposition:
        """Return the transposition with what a person decided: ``{"7391": "739118"}``, several comptes in a list.

        Raises
        ------
        WorkbenchError
            ``compte_inconnu`` when a compte is not in the new chart.
        """
        given = {before: (after,) if isinstance(after, str) else tuple(after) for before, after in choices.items()}
        for numeros in given.values():
            for numero in numeros:
                if not self.after.reads(numero):
                    _ = self.after[numero]
        return transpose(
            self.source,
            self.before,
            self.after,
            correspondances=self.correspondances,
            choices={**self.choices, **given},
        )

    def __iter__(self) -> Iterator[TransposedCompte]:
        return iter(self.comptes)

    def __len__(self) -> int:
        return len(self.comptes)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a prefix: ``avant, libelle, apres, libelle_apres, raison, score, candidats, indicateurs``."""
        import pandas as pd

        rows = [
            (
                each.before,
                each.libelle,
                "+".join(each.after),
                " + ".join(self.after.libelle(numero) for numero in each.after),
                _SAID[each.reason],
                round(each.score, 2),
                " ; ".join(map(str, each.candidates)),
                ", ".join(each.indicateurs),
            )
            for each in self.comptes
        ]
        names = ["avant", "libelle", "apres", "libelle_apres", "raison", "score", "candidats", "indicateurs"]
        return pd.DataFrame(rows, columns=names)

    def __str__(self) -> str:
        counts = Counter(_SAID[each.reason] for each in self.comptes)
        head = (
            f"{self.source.code}, de {self.before.nomenclature} {self.before.exercice} à {self.after.nomenclature} "
            f"{self.after.exercice} : " + ", ".join(f"{said} {count}" for said, count in counts.items())
        )
        shown = [each for each in self.comptes if each.reason != "identique"]
        return "\n".join(
            [head, *(f"  {line}" for each in shown for line in str(each).split("\n")), *self.notes, *self._said()]
        )

    def _said(self) -> list[str]:
        return [f"À vérifier — {str(each).partition(chr(10))[0]}" for each in self.remarks]

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        ordered = sorted(self.comptes, key=lambda each: (bool(each.after), each.reason == "identique", each.before))
        rows = [
            (
                each.before,
                each.libelle,
                "+".join(each.after) or None,
                " + ".join(self.after.libelle(numero) for numero in each.after),
                _SAID[each.reason],
                each.score,
                Markup("<br>".join(safe(one) for one in each.candidates[:3])),
            )
            for each in ordered
        ]
        names = ("Avant", "Libellé", "Après", "Libellé", "Pourquoi", "Proximité", "Candidats")
        notes = map(remark, (*self.notes, *self._said()))
        title = str(self).partition("\n")[0]
        table = html_table(names, rows, caption=title, shown=100, rest=".to_frame()")
        return view(*notes, table)


def transpose(
    trame: Trame,
    before: PlanComptes,
    after: PlanComptes,
    *,
    correspondances: Mapping[str, str | Iterable[str]] | None = None,
    choices: Mapping[str, str | Iterable[str]] | None = None,
) -> Transposition:
    """Propose a trame in another nomenclature.

    Parameters
    ----------
    trame
        One of the old nomenclature.
    before, after
        The charts: ``wb.plan_comptes("M14", 2023)``, ``wb.plan_comptes("M57", 2024)``.
    correspondances
        An official table, old compte to new ones; it goes before labels.
    choices
        What a person decided, which goes before all; see `Transposition.choose`.

    Returns
    -------
    Transposition
        ``.trame`` is what is proposed: the formules valid in the exercice of ``before``, without their years. Look at
        ``.unmatched`` and ``.doubtful`` first.

    Notes
    -----
    A prefix takes, in this order: what was chosen; the correspondence; the same number when its label is the same; the
    one compte of its class that has the same label; the nearest label, from 0.6 on; the same number under another
    label. A label made of general words (« Autres ») is the same only under the same label above.

    Examples
    --------
    >>> old = PlanComptes("M14", 2023, (Compte("73", "Impôts et taxes"), Compte("7325", "FPIC", "73")))
    >>> new = PlanComptes("M57", 2024, (Compte("73", "Impôts et taxes"), Compte("732221", "FPIC", "73")))
    >>> from workbench.trames import trame_from_formules
    >>> trame = trame_from_formules({"A_IMPOTS": "C73-C7325[TA:BR]"}, "M14", "essai")
    >>> found = transpose(trame, old, new)
    >>> found.trame["A_IMPOTS"].texte, [str(each) for each in found if each.changed]
    ('C73-C732221[TA:BR]', ['7325 FPIC → 732221 : même libellé, sous un autre numéro'])
    """
    require_kind(trame, Trame, "trame", "une trame", "Chargez-la : wb.load_trame.")
    for name, plan in (("before", before), ("after", after)):
        require_kind(plan, PlanComptes, name, "un plan de comptes", 'Par exemple wb.plan_comptes("M14", 2023).')
    known, chosen = _lists(correspondances), _lists(choices)
    readers: dict[str, dict[str, None]] = {}
    notes: list[str] = []
    for one in trame.indicateurs:
        kept = tuple(part for part in one.formules if _valid(part, before.exercice))
        if len(kept) < len(one.formules):
            left = [part.validite for part in one.formules if part not in kept]
            notes.append(f"{one.code} : formules écartées, hors de {before.exercice} ({', '.join(left)}).")
        for reading in readings_of(replace(one, formules=kept)):
            readers.setdefault(reading.compte, {})[one.code] = None
    labels = _Labels(before, after)
    found = []
    for prefix in sorted(readers):
        candidates = _candidates(prefix, labels, known.get(prefix, ()))
        numeros, reason, score = _decision(prefix, candidates, chosen.get(prefix))
        found.append(
            TransposedCompte(
                prefix, before.libelle(prefix), numeros, reason, score, tuple(candidates), tuple(readers[prefix])
            )
        )
    return Transposition(trame, before, after, tuple(found), tuple(notes), known, chosen)


def _lists(given: Mapping[str, str | Iterable[str]] | None) -> dict[str, tuple[str, ...]]:
    return {key: (each,) if isinstance(each, str) else tuple(each) for key, each in (given or {}).items()}


def _valid(part: Formule, exercice: int) -> bool:
    return (part.exercice_min or 0) <= exercice <= (part.exercice_max or 9999)


# --- labels ---------------------------------------------------------------------------------------------------------


def _stems(text: str) -> frozenset[str]:
    """Cut a label into words that plurals and endings do not part."""
    return frozenset(word[:6].rstrip("sx") for word in plain_words(text) if word not in _GENERIC and len(word) > 1)


class _Labels:
    """The labels of two charts, ready to be compared; rare words weigh more."""

    def __init__(self, before: PlanComptes, after: PlanComptes) -> None:
        self.before, self.after = before, after
        self.used = [each for each in after if not each.supprime]
        self.stems = {each.numero: _stems(each.libelle) for each in self.used}
        self.words = {each.numero: plain_words(each.libelle) for each in self.used}
        self.above = {each.numero: _above(after, each.numero) for each in self.used}
        counts = Counter(stem for stems in self.stems.values() for stem in stems)
        self.weights = {stem: math.log(1 + len(self.used) / count) for stem, count in counts.items()}
        self.rarest = math.log(1 + max(1, len(self.used)))

    def weight(self, stems: Iterable[str]) -> float:
        return sum(self.weights.get(stem, self.rarest) for stem in stems)

    def alike(self, one: frozenset[str], other: frozenset[str]) -> float:
        """Compare two labels: the share of their words that they have in common, by weight."""
        if not one or not other:
            return 0.0
        return self.weight(one & other) / self.weight(one | other)

    def scores(self, prefix: str) -> Iterator[tuple[Compte, float, bool]]:
        """Yield the comptes of the same class, how near their label is, and whether it is the same words."""
        label = self.before.libelle(prefix)
        words, own, above = plain_words(label), _stems(label), _above(self.before, prefix)
        known, contra = prefix in self.before, _contra(prefix)
        for other in self.used:
            numero = other.numero
            if numero[0] != prefix[0] or _contra(numero) != contra:
                continue
            theirs, over = self.stems[numero], self.above[numero]
            if not own and not theirs:
                score = self.alike(above, over)  # « Autres » and « Autres »: what they are the others of decides
            elif above and over:
                score = 0.75 * self.alike(own, theirs) + 0.25 * self.alike(above, over)
            else:
                score = self.alike(own, theirs)
            same = known and words == self.words[numero] and (bool(own) or above == over)
            yield other, score, same


def _above(plan: PlanComptes, numero: str) -> frozenset[str]:
    path = [each for each in plan.path(numero) if each != numero]
    return _stems(plan[path[-1]].libelle) if path else frozenset()


def _contra(numero: str) -> bool:
    """Whether a compte takes away from those of its class: amortissements, dépréciations, rabais, reversements.

    >>> [_contra(each) for each in ("739118", "7328", "2817", "2151", "139")]
    [True, False, True, False, True]
    """
    if numero[0] in "67" or numero[:2] == "13":
        return numero[2:3] == "9"
    return numero[1:2] == "9" or numero[:2] == "28"


def _candidates(prefix: str, labels: _Labels, official: tuple[str, ...]) -> list[Candidate]:
    found: dict[str, Candidate] = {}
    for numero in official:
        if numero in labels.after:
            found[numero] = Candidate(labels.after[numero], "correspondance", 1.0)
    if len(prefix) == 1 and labels.after.reads(prefix):
        return [Candidate(Compte(prefix, f"Classe {prefix}"), "identique", 1.0)]
    if prefix not in labels.before:
        if labels.after.reads(prefix):
            one = labels.after[prefix] if prefix in labels.after else Compte(prefix, labels.after.libelle(prefix))
            found.setdefault(prefix, Candidate(one, "numéro", 0.0))
        return list(found.values())
    ranked = []
    for each, score, same in labels.scores(prefix):
        if each.numero in found:
            continue
        if same:
            # Of several comptes of one label, the one whose number begins most alike.
            reason: Reason = "identique" if each.numero == prefix else "libellé"
            ranked.append((Candidate(each, reason, score), 2.0 + _begun(prefix, each.numero)))
        elif each.numero == prefix:
            # The number has not changed: what little its label changed matters less.
            near = score >= NEAR
            ranked.append((Candidate(each, "libellé proche" if near else "numéro", score), 1.5 if near else 0.3))
        elif score >= NEAR / 2:
            ranked.append((Candidate(each, "libellé proche", score), score))
    ranked.sort(key=lambda pair: (pair[0].reason != "identique", -pair[1], -pair[0].score, pair[0].compte.numero))
    kept = [candidate for candidate, _ in ranked[:_CANDIDATES]]
    kept += [candidate for candidate, _ in ranked[_CANDIDATES:] if candidate.compte.numero == prefix]
    return [*found.values(), *kept]


def _begun(one: str, other: str) -> int:
    """Count the first digits that two numbers have in common."""
    return next(
        (place for place, pair in enumerate(zip(one, other, strict=False)) if len(set(pair)) > 1),
        min(len(one), len(other)),
    )


def _decision(
    prefix: str, candidates: list[Candidate], chosen: tuple[str, ...] | None
) -> tuple[tuple[str, ...], Reason, float]:
    if chosen is not None:
        return chosen, "choix", 1.0
    if known := tuple(each.compte.numero for each in candidates if each.reason == "correspondance"):
        return known, "correspondance", 1.0
    identical = [each for each in candidates if each.reason == "identique"]
    if identical:
        return (prefix,), "identique", identical[0].score
    same = [each for each in candidates if each.reason == "libellé"]
    own = next((each for each in candidates if each.compte.numero == prefix), None)
    if own is not None and own.reason == "libellé proche":
        return (prefix,), "libellé proche", own.score
    begun = [_begun(prefix, each.compte.numero) for each in same]
    if same and (len(same) == 1 or begun[0] > begun[1]):
        return (same[0].compte.numero,), "libellé", same[0].score
    near = next((each for each in candidates if each.reason == "libellé proche"), None)
    if near is not None and near.score >= NEAR and not same:
        return (near.compte.numero,), "libellé proche", near.score
    if own is not None and not same:
        return (prefix,), "numéro", own.score
    return (), "", 0.0


# --- the new trame --------------------------------------------------------------------------------------------------


def _moved(one: Indicateur, become: Mapping[str, tuple[str, ...]], exercice: int) -> Indicateur:
    parts = tuple(Formule(_rewritten(part.texte, become)) for part in one.formules if _valid(part, exercice))
    return replace(one, formules=parts)


def _rewritten(texte: str, become: Mapping[str, tuple[str, ...]]) -> str:
    """Write other comptes in the place of prefixes; several between parentheses, so that they stand as one."""

    def written(match: re.Match[str]) -> str:
        if match[1]:
            return match[0]
        side, numeros = match[2], become.get(match[3], (match[3],))
        text = "+".join(side + numero for numero in numeros)
        return f"({text})" if len(numeros) > 1 else text

    return _VARIABLE.sub(written, texte)
