"""What is wrong, or doubtful, in a formule: where, why, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from workbench.errors import WorkbenchError
from workbench.formules.tree import Span

__all__ = [
    "DIAGNOSTICS",
    "Diagnostic",
    "DiagnosticKind",
    "FormuleSyntaxError",
    "diagnose",
    "format_diagnostic",
    "has_errors",
    "shorten",
]

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One remark on a formule.

    Parameters
    ----------
    code
        Stable ASCII name of the rule, for programs: a key of `DIAGNOSTICS`.
    severity
        ``"error"``: the formule cannot be evaluated; ``"warning"``: it can, but look at it.
    span
        The stretch of text concerned, zero-based, end excluded.
    message
        French sentence.
    hint
        What to write, in French; empty when there is nothing to offer.
    """

    code: str
    severity: Severity
    span: Span
    message: str
    hint: str = ""


class FormuleSyntaxError(WorkbenchError):
    """A formule that cannot be evaluated; carries every diagnostic, not the first alone.

    Attributes
    ----------
    texte : str
        The formule.
    diagnostics : list of Diagnostic
        All of them, warnings included.
    """

    @property
    def texte(self) -> str:
        """The text of the formule."""
        return str(self.details["texte"])

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Every diagnostic of the text."""
        return list(self.details["diagnostics"])


@dataclass(frozen=True, slots=True)
class DiagnosticKind:
    """One row of the table of diagnostics.

    Parameters
    ----------
    severity
        As in `Diagnostic`.
    sentence, hint
        French ``str.format`` templates.
    """

    severity: Severity
    sentence: str
    hint: str = ""


_TYPES = "Types d'appel acceptés : SX, SS, BR, BO, NB, BE, BX."
_NAMES = "Un nom s'écrit en capitales sans accent et en chiffres, avec au moins un souligné : {exemple}."

_KINDS: dict[str, tuple[Severity, str, str]] = {
    # --- what is no text
    "texte_attendu": (
        "error",
        "Une formule est un texte, et non {recu}.",
        'Écrivez-la entre guillemets, par exemple "C70[TA:BX]".',
    ),
    # --- sizes
    "texte_trop_long": (
        "error",
        "La formule fait {longueur} caractères ; la limite est de {limite}.",
        "Répartissez le calcul entre plusieurs indicateurs.",
    ),
    "formule_trop_longue": (
        "error",
        "La formule compte plus de {limite} éléments (nombres, variables, indicateurs, opérateurs, crochets).",
        "Répartissez le calcul entre plusieurs indicateurs.",
    ),
    "imbrication_trop_profonde": (
        "error",
        "Plus de {limite} parenthèses ou signes sont imbriqués.",
        "Répartissez le calcul entre plusieurs indicateurs.",
    ),
    "nombre_trop_long": ("error", "Ce nombre a {chiffres} chiffres ; la limite est de {limite}.", ""),
    "compte_trop_long": ("error", "Ce numéro de compte a {chiffres} chiffres ; la limite est de {limite}.", ""),
    # --- words
    "caractere_inattendu": ("error", "« {texte} » n'a pas de sens dans une formule.", "{conseil}"),
    "virgule_decimale": (
        "error",
        "La virgule n'est pas acceptée dans une formule.",
        "Le séparateur décimal est le point : 0.5.",
    ),
    "mot_inconnu": ("error", "« {texte} » n'est ni un nombre, ni une variable, ni un indicateur.", "{conseil}"),
    # --- brackets
    "crochet_non_ferme": ("error", "Le crochet « {texte} » n'est pas fermé.", "{conseil}"),
    "crochet_mal_forme": (
        "error",
        "Le crochet « {texte} » est mal formé : on attend une clé, deux-points et une valeur, en capitales.",
        "{conseil}",
    ),
    "crochet_inconnu": ("error", "Le crochet « {texte} » est inconnu.", "{conseil}"),
    "crochet_double": (
        "warning",
        "Le segment porte plusieurs crochets {cle} : seul le premier, « {premier} », compte.",
        "Supprimez « {texte} ».",
    ),
    "crochet_sans_expression": (
        "error",
        "Le crochet « {texte} » n'a rien à sa gauche.",
        "Écrivez-le après ce qu'il complète.",
    ),
    "crochet_mal_place": (
        "error",
        "Le crochet « {texte} » suit « {precedent} », qui termine le segment.",
        "Écrivez « {texte} » avant « {precedent} ».",
    ),
    "condition_entre_parentheses": (
        "error",
        "Le crochet « {texte} » porte sur tout le segment : il ne peut pas se trouver entre parenthèses.",
        "Écrivez-le à la fin du segment.",
    ),
    # --- types d'appel
    "type_appel_absent": (
        "error",
        "La variable {variable} n'a pas de type d'appel.",
        "Ajoutez [TA:…] après elle ou à la fin de l'expression. " + _TYPES,
    ),
    "type_appel_incorrect": ("error", "Le type d'appel « {valeur} » n'existe pas.", _TYPES),
    "type_appel_impossible": (
        "error",
        "Le type d'appel {type_appel} n'existe pas pour {variable} : il ne s'applique qu'aux côtés C et D.",
        "Avec {cote}, les types d'appel acceptés sont {acceptes} ; avec {type_appel}, écrivez {remplacement}.",
    ),
    "type_appel_sans_variable": (
        "warning",
        "Le crochet « {texte} » ne donne son type d'appel à aucune variable.",
        "Un [TA:…] porte sur les variables écrites depuis le [TA:…] précédent.",
    ),
    "type_appel_autre_segment": (
        "warning",
        "La variable {variable} reçoit son type d'appel d'un autre segment, par « {texte} ».",
        "Écrivez « {texte} » à la fin du segment de {variable}.",
    ),
    "variable_deux_types_appel": (
        "warning",
        "{variable} a deux types d'appel dans le même segment, {premier} et {second} : chacun vaut là où il est écrit.",
        "OpenAnafi appliquait partout le dernier : comparez avec les anciens résultats.",
    ),
    # --- décalages
    "decalage_incorrect": (
        "error",
        "Le décalage « {valeur} » n'existe pas.",
        "M ou P, puis un nombre d'exercices de 0 à 99 : [OS:M1] pour l'exercice précédent, [OS:P2] deux plus tard.",
    ),
    "decalage_sans_indicateur": (
        "error",
        "Le crochet « {texte} » ne suit aucun indicateur : seul un indicateur peut être décalé.",
        "Pour décaler une variable, faites-en un indicateur.",
    ),
    "decalage_eloigne": (
        "warning",
        "Le crochet « {texte} » décale {indicateur} seul, bien qu'il ne le suive pas immédiatement.",
        "Écrivez « {texte} » juste après {indicateur} ; pour décaler un calcul, faites-en un indicateur.",
    ),
    # --- conditions
    "exercice_incorrect": (
        "error",
        "« {valeur} » n'est pas un exercice.",
        "Une année sur quatre chiffres, [{cle}:2014], ou # pour ne pas mettre de borne.",
    ),
    "exercices_inverses": (
        "warning",
        "Le premier exercice, {minimum}, est après le dernier, {maximum} : le segment vaut toujours 0.",
        "Inversez les deux années.",
    ),
    "type_budget_incorrect": (
        "error",
        "Le type de budget « {valeur} » n'existe pas.",
        "BP pour un budget principal, BA pour un budget annexe.",
    ),
    "type_etablissement_inhabituel": (
        "warning",
        "« {valeur} » n'est pas un type d'établissement : le segment ne vaut pour aucun.",
        "Un type d'établissement a trois chiffres : [TE:101] pour les communes.",
    ),
    # --- syntax
    "formule_vide": ("error", "La formule est vide.", "Écrivez au moins une valeur, par exemple C70[TA:BX]."),
    "operateur_manquant": (
        "error",
        "Il manque un opérateur entre « {precedent} » et « {texte} ».",
        "{conseil}",
    ),
    "operande_manquante": ("error", "Il manque une valeur {lieu}.", "{conseil}"),
    "operateur_final": (
        "error",
        "La formule se termine par l'opérateur « {texte} ».",
        "Complétez-la, ou supprimez-le.",
    ),
    "parentheses_vides": (
        "error",
        "Ces parenthèses sont vides.",
        "Écrivez une expression entre les deux, ou supprimez-les.",
    ),
    "parenthese_non_fermee": ("error", "Cette parenthèse n'est jamais fermée.", "Ajoutez « ) »."),
    "parenthese_non_ouverte": ("error", "Cette parenthèse n'a pas été ouverte.", "Supprimez-la, ou ajoutez « ( »."),
    # --- indicateurs
    "indicateur_inconnu": ("error", "L'indicateur {indicateur} n'existe pas.", "{conseil}"),
    "cycle": (
        "error",
        "L'indicateur {indicateur} dépend de lui-même : {chemin}.",
        "Supprimez une de ces références.",
    ),
    "nom_impossible": ("error", "Aucune formule ne peut citer l'indicateur « {nom} ».", _NAMES),
    "nom_ambigu": (
        "warning",
        "OpenAnafi ne pouvait pas citer l'indicateur {nom} : il lisait son début comme {lecture}.",
        "Préférez un nom qui commence autrement : {exemple}.",
    ),
}


DIAGNOSTICS: Mapping[str, DiagnosticKind] = MappingProxyType(
    {code: DiagnosticKind(severity, sentence, hint) for code, (severity, sentence, hint) in _KINDS.items()}
)
"""Every kind of diagnostic, by code."""

_LONGEST_QUOTE = 40


def diagnose(code: str, span: Span, **details: Any) -> Diagnostic:
    """Fill a row of `DIAGNOSTICS`; long excerpts are shortened in the sentence.

    Examples
    --------
    >>> diagnose("type_appel_absent", Span(0, 3), variable="C70").message
    "La variable C70 n'a pas de type d'appel."
    """
    kind = DIAGNOSTICS[code]
    for name, detail in details.items():
        if isinstance(detail, str) and name not in {"conseil", "chemin", "lieu"}:
            details[name] = shorten(detail)
    return Diagnostic(code, kind.severity, span, kind.sentence.format(**details), kind.hint.format(**details))


def shorten(text: str) -> str:
    """Keep the beginning of a long excerpt."""
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether at least one of them keeps the formule from being evaluated."""
    return any(diagnostic.severity == "error" for diagnostic in diagnostics)


_MARGIN = 60
_TITLES = {"error": "Erreur", "warning": "Attention"}


def format_diagnostic(texte: str, diagnostic: Diagnostic) -> str:
    """Show a diagnostic with its place: the line, a caret under the excerpt, the hint.

    Parameters
    ----------
    texte
        The formule the diagnostic is about.
    diagnostic
        One of those given by `check_formule`.

    Returns
    -------
    str
        Several lines, without a final line break. Lines and columns are counted from 1; a long line is cut around
        the place.

    Examples
    --------
    >>> text = "C70+D60[TA:BO]-SD16[TA:BO]"
    >>> from workbench.formules import check_formule
    >>> for diagnostic in check_formule(text):
    ...     print(format_diagnostic(text, diagnostic))
    Erreur, ligne 1, colonne 16 : Le type d'appel BO n'existe pas pour SD16 : il ne s'applique qu'aux côtés C et D.
        C70+D60[TA:BO]-SD16[TA:BO]
                       ^^^^
    Avec SD, les types d'appel acceptés sont SX, SS, BR, BE, BX ; avec BO, écrivez D16.
    """
    start = min(max(diagnostic.span.start, 0), len(texte))
    line_start = texte.rfind("\n", 0, start) + 1
    line_end = texte.find("\n", start)
    line_end = len(texte) if line_end < 0 else line_end
    end = min(max(diagnostic.span.end, start), line_end)
    left = max(line_start, start - _MARGIN)
    right = min(line_end, max(end, start) + _MARGIN, start + 2 * _MARGIN)
    before = "…" if left > line_start else ""
    after = "…" if right < line_end else ""
    # A character that has no width of its own, or several columns, would push the caret aside.
    excerpt = "".join(character if character.isprintable() else " " for character in texte[left:right])
    indent = " " * (4 + len(before) + start - left)
    line = texte.count("\n", 0, start) + 1
    rows = [
        f"{_TITLES[diagnostic.severity]}, ligne {line}, colonne {start - line_start + 1} : {diagnostic.message}",
        f"    {before}{excerpt}{after}".rstrip(),
        indent + "^" * max(1, min(end, right) - start),
    ]
    return "\n".join([*rows, diagnostic.hint] if diagnostic.hint else rows)
