"""The rules of a trame that hold whatever file it comes from: its fields one by one, its formules together."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath, PureWindowsPath

from workbench.errors import WorkbenchError, require_kind
from workbench.formules import Diagnostic, check_formule, check_formules
from workbench.formules.tree import Span
from workbench.trames.model import UNITES, Trame
from workbench.trames.problems import TrameError, TrameProblem, nearest
from workbench.trames.segments import year_brackets
from workbench.trames.serie import Serie

__all__ = ["check_field", "check_textes", "check_trame", "excerpt", "require_right"]

_IDENTIFIANTS = ("SIRET", "SIREN", "FINESS")
_WINDOW = 72
_ABOUT_CODE = {"nom_impossible", "nom_ambigu"}

Wrong = tuple[str, str]


def check_field(rule: str, value: str) -> Wrong | None:
    """Check one field; return a French message and a hint when it is wrong.

    Parameters
    ----------
    rule
        ``"code"`` (of a trame), ``"code_indicateur"``, ``"unite"``, ``"types_etablissement"``, ``"types_identifiant"``,
        ``"modele"``; any other name is that of a free text.
    value
        The text; of the lists, one of their texts.

    Examples
    --------
    >>> check_field("unite", "euro")
    ('unité inconnue : « euro »', 'vouliez-vous dire « euros » ?')
    >>> check_field("modele", "../secret.xlsx")[0]
    'le modèle sort du dossier de la trame : « ../secret.xlsx »'
    >>> check_field("unite", "ratio") is None
    True
    """
    if any(unicodedata.category(one) in {"Cc", "Cs"} and one not in "\n\t\r" for one in value):
        return f"« {rule.partition('_indicateur')[0]} » contient un caractère de contrôle", "retirez-le"
    return _RULES[rule](value.strip()) if rule in _RULES else None


def _code(value: str) -> Wrong | None:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", value):
        return None
    return f"code de trame impossible : « {value} »", "des lettres sans accents, des chiffres, _, - et . : m14_basique"


def _code_indicateur(value: str) -> Wrong | None:
    if len(value) > 100 or not re.fullmatch(r"[A-Z0-9]+(_[A-Z0-9]+)+", value):
        hint = "des majuscules sans accents et des chiffres, en groupes joints par _, au moins deux : CAF_BRUTE"
        return f"code d'indicateur impossible : « {value} »", hint
    return None


def _unite(value: str) -> Wrong | None:
    if value in UNITES:
        return None
    return f"unité inconnue : « {value} »", nearest(value, UNITES) or "unités admises : " + ", ".join(UNITES)


def _etablissement(value: str) -> Wrong | None:
    if re.fullmatch(r"[0-9]{3}", value):
        return None
    return f"type d'établissement impossible : « {value} »", "trois chiffres, par exemple 101 pour une commune"


def _identifiant(value: str) -> Wrong | None:
    if value in _IDENTIFIANTS:
        return None
    return f"type d'identifiant inconnu : « {value} »", "types admis : " + ", ".join(_IDENTIFIANTS)


def _modele(value: str) -> Wrong | None:
    if not value:
        return None
    path, hint = PurePosixPath(value), "donnez un chemin relatif au fichier de la trame, avec « / » : m14_basique.xlsx"
    if (
        "\\" in value
        or path.is_absolute()
        or ".." in path.parts
        or PureWindowsPath(value).drive
        or value.startswith("~")
    ):
        return f"le modèle sort du dossier de la trame : « {value} »", hint
    if path.suffix.lower() != ".xlsx":
        return f"le modèle n'est pas un classeur .xlsx : « {value} »", hint
    return None


_RULES = {
    "code": _code,
    "code_indicateur": _code_indicateur,
    "unite": _unite,
    "types_etablissement": _etablissement,
    "types_identifiant": _identifiant,
    "modele": _modele,
}


def check_textes(textes: Sequence[tuple[str, str]], known: Sequence[str]) -> Iterator[tuple[int, Diagnostic, bool]]:
    """Check the formules of a trame together: syntax, references, cycles.

    Parameters
    ----------
    textes
        Code and whole text of each indicateur; the text of one worth 0 is empty, and so is a code that is missing.
    known
        The codes that a formule may name.

    Yields
    ------
    tuple of int, Diagnostic and bool
        The rank of the text, a remark, and whether it is about the code and not the text. Codes that are no names are
        left to `check_field`.
    """
    first_rank: dict[str, int] = {}
    for rank, (code, _) in enumerate(textes):
        first_rank.setdefault(code, rank)
    together = check_formules({code: textes[rank][1] or "0" for code, rank in first_rank.items()})
    for rank, (code, texte) in enumerate(textes):
        found = together[code] if first_rank[code] == rank else check_formule(texte or "0", known_indicateurs=known)
        whole = Span(0, len(texte or "0"))
        for diagnostic in found:
            about_code = diagnostic.span == whole and diagnostic.code in _ABOUT_CODE
            if not (about_code and diagnostic.severity == "error"):
                yield rank, diagnostic, about_code


def excerpt(texte: str, span: Span) -> str:
    """Show the part of a text around a span, over carets.

    Examples
    --------
    >>> print(excerpt("C70[TA:ZZ]", Span(7, 9)))
    C70[TA:ZZ]
           ^^
    """
    line = texte.replace("\n", " ")
    start = max(0, min(span.start - _WINDOW // 3, len(line) - _WINDOW))
    end = min(len(line), start + _WINDOW)
    before, after = "… " if start else "", " …" if end < len(line) else ""
    width = max(1, min(span.end, end) - span.start)
    return f"{before}{line[start:end]}{after}\n{' ' * (len(before) + span.start - start)}{'^' * width}"


def check_trame(trame: Trame) -> list[TrameProblem]:
    """Check a trame held in memory; every problem at once, warnings included, placed by indicateur.

    Examples
    --------
    >>> from workbench.trames.model import Formule, Indicateur, Trame
    >>> wrong = Trame("essai", (Indicateur("A_B", formules=(Formule("A_C+C70"),)),), modele="/etc/modele.xlsx")
    >>> [(problem.where, problem.severity) for problem in check_trame(wrong)]
    [('essai', 'error'), ('A_B', 'error'), ('A_B', 'error')]
    """
    problems: list[TrameProblem] = []

    def look(where: str, rule: str, value: str) -> None:
        if wrong := check_field(rule, value):
            problems.append(TrameProblem(where, *wrong))

    for rule in ("code", "libelle", "description", "reference", "modele"):
        look(trame.code, rule, getattr(trame, rule))
    look(trame.code, "nomenclature", trame.nomenclature or "")
    for rule in ("types_etablissement", "types_identifiant"):
        for value in getattr(trame, rule):
            look(trame.code, rule, value)
    for one in trame.indicateurs:
        look(one.code, "code_indicateur", one.code)
        for rule in ("libelle", "description", "reference", "theme", "unite"):
            look(one.code, rule, getattr(one, rule))
        for formule in one.formules:
            if not formule.texte:
                problems.append(TrameProblem(one.code, "une formule est vide", "retirez-la : sans formule, il vaut 0"))
            elif year_brackets(formule.texte):
                hint = "donnez les années à part : Formule(texte, 2012, 2016), ou Indicateur.from_texte(code, texte)"
                problems.append(TrameProblem(one.code, "[RE-MIN] et [RE-MAX] ne s'écrivent pas ici", hint))
    textes = [(one.code, one.texte) for one in trame.indicateurs]
    for rank, diagnostic, about_code in check_textes(textes, trame.codes):
        code, texte = textes[rank]
        shown = "" if about_code else excerpt(texte, diagnostic.span)
        problem = TrameProblem(code, diagnostic.message, diagnostic.hint, shown)
        problems.append(replace(problem, severity=diagnostic.severity))
    return problems


def require_right(trame: Trame) -> None:
    """Raise TrameError with every error of the trame; return when there is none.

    Raises
    ------
    WorkbenchError
        ``serie_ecriture`` for a serie, whose formules are those of its trames.
    """
    require_kind(trame, Trame, "trame", "une trame", "Chargez-la : wb.load_trame, ou wb.trame_from_formules.")
    if isinstance(trame, Serie):
        raise WorkbenchError("serie_ecriture", serie=trame.code, trames=", ".join(one.code for one in trame.trames))
    if errors := [problem for problem in check_trame(trame) if problem.severity == "error"]:
        raise TrameError.of(trame.code, errors)
