"""What an editor can offer to write instead, one click away, where a diagnostic leaves no doubt or few choices.

A fix replaces stretches of the text; applying one never touches the rest. What it proposes is read again before it is
offered: a fix that would leave the same remark at the same place is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from workbench.formules.brackets import read_bracket
from workbench.formules.diagnostics import Diagnostic
from workbench.formules.names import plain_capitals
from workbench.formules.reading import read_formule
from workbench.formules.references import Names
from workbench.formules.tree import Span
from workbench.formules.words import LOOKALIKES
from workbench.types_appel import SOLDES, TYPES_APPEL

__all__ = ["Fix", "apply_fix", "fixes_of"]


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that an editor offers.

    Parameters
    ----------
    title
        French, what it does: ``"Écrire [TA:BX]"``.
    span
        The stretch of text that it replaces; empty to insert.
    replacement
        What is written there.
    """

    title: str
    span: Span
    replacement: str


def apply_fix(text: str, fix: Fix) -> str:
    """Return the text with a fix applied.

    Examples
    --------
    >>> from workbench.formules import check_formule
    >>> text = "C70-D70"
    >>> fix = fixes_of(text, check_formule(text)[0])[0]
    >>> fix.title, apply_fix(text, fix)
    ('Ajouter [TA:BR] à la fin', 'C70-D70[TA:BR]')
    """
    return text[: fix.span.start] + fix.replacement + text[fix.span.end :]


def fixes_of(
    text: str, diagnostic: Diagnostic, known_indicateurs: Iterable[str] | Mapping[str, str] | None = None
) -> list[Fix]:
    """List what can be written instead, the likeliest first.

    Parameters
    ----------
    text
        The formule.
    diagnostic
        One of those that `check_formule` gives of it.
    known_indicateurs
        As for `check_formule`.

    Returns
    -------
    list of Fix
        Empty when nothing sensible can be offered.

    Examples
    --------
    >>> from workbench.formules import check_formule
    >>> text = "A_VENTE/$POP"
    >>> [diagnostic] = check_formule(text, ["A_VENTES"])
    >>> [apply_fix(text, fix) for fix in fixes_of(text, diagnostic, ["A_VENTES"])]
    ['A_VENTES/$POP']
    """
    offer = _OFFERS.get(diagnostic.code)
    if offer is None:
        return []
    known = list(known_indicateurs) if known_indicateurs is not None else []
    offered = [fix for fix in offer(text, diagnostic, known) if apply_fix(text, fix) != text]
    # Unknown names are told only where names are given, and an offered one is known.
    if not offered or diagnostic.code == "indicateur_inconnu":
        return offered
    before = _count(text, diagnostic.code)
    return [fix for fix in offered if _count(apply_fix(text, fix), diagnostic.code) < before]


def _count(text: str, code: str) -> int:
    return sum(each.code == code for each in read_formule(text).diagnostics)


_Offer = Callable[[str, Diagnostic, list[str]], list[Fix]]


def _written(said: Diagnostic, *texts: str) -> list[Fix]:
    return [Fix(f"Écrire {each}", said.span, each) for each in texts]


def _removed(_text: str, said: Diagnostic, _known: list[str]) -> list[Fix]:
    return [Fix(f"Supprimer {_text[said.span.start : said.span.end].strip()}", said.span, "")]


def _missing_type(text: str, said: Diagnostic, _known: list[str]) -> list[Fix]:
    """Offer the types d'appel that the side has, at the end of the segment first: the usual place."""
    match = re.match(r"(SC|SD|C|D)[0-9]+", text[said.span.start :])
    accepted = [each for each in ("BR", "BX", "SX", "BE", "SS", "BO", "NB") if match and (each, match[1]) in SOLDES]
    following = re.search(r"\[\s*(?:RE|TB|TE|CAL)\b", text[said.span.end :])
    end = said.span.end + following.start() if following else len(text.rstrip())
    places = [(end, "à la fin")]
    if text[said.span.end :].strip():
        places.append((said.span.end, f"après {match[0] if match else ''}"))
    return [
        Fix(f"Ajouter [TA:{each}] {where}", Span(place, place), f"[TA:{each}]")
        for place, where in places
        for each in accepted[:3]
    ]


def _wrong_type(text: str, said: Diagnostic, _known: list[str]) -> list[Fix]:
    written = read_bracket(text[said.span.start : said.span.end]).value
    near = sorted(
        ["BX", "BR", "SX", *TYPES_APPEL], key=lambda each: -sum(a == b for a, b in zip(each, written, strict=False))
    )
    return _written(said, *(f"[TA:{each}]" for each in list(dict.fromkeys(near))[:3]))


def _impossible_type(text: str, said: Diagnostic, _known: list[str]) -> list[Fix]:
    return _written(said, text[said.span.start + 1 : said.span.end])


def _bracket(text: str, said: Diagnostic, _known: list[str]) -> list[Fix]:
    bracket = read_bracket(text[said.span.start : said.span.end])
    return _written(said, bracket.suggestion) if bracket.suggestion else []


def _unclosed(text: str, said: Diagnostic, _known: list[str]) -> list[Fix]:
    written = text[said.span.start : said.span.end]
    bracket = read_bracket(written)
    if bracket.key and bracket.value and not bracket.problem:
        return _written(said, f"[{bracket.key}:{bracket.value}]")
    return _bracket(text, said, _known) or [
        Fix("Fermer le crochet", Span(said.span.end, said.span.end), "]") for _ in [0] if ":" in written
    ]


def _unknown_name(text: str, said: Diagnostic, known: list[str]) -> list[Fix]:
    return _written(said, *Names(known).nearest(text[said.span.start : said.span.end]))


def _word(text: str, said: Diagnostic, known: list[str]) -> list[Fix]:
    word = text[said.span.start : said.span.end]
    after = re.match(r"\s+([0-9]+)", text[said.span.end :])
    if word in {"C", "D", "SC", "SD"} and after:
        joined = word + after[1]
        return [Fix(f"Écrire {joined}", Span(said.span.start, said.span.end + after.end()), joined)]
    plain = plain_capitals(word)
    digits = plain.replace("O", "0").replace("I", "1")
    offered = [each for each in (plain, digits) if each != word and re.fullmatch(r"(SC|SD|C|D)[0-9]+", each)]
    if not offered and plain in known:
        offered = [plain]
    return _written(said, *dict.fromkeys([*offered, *Names(known).nearest(plain)]))


def _stray(text: str, said: Diagnostic, _known: list[str]) -> list[Fix]:
    word = text[said.span.start : said.span.end]
    if word in LOOKALIKES:
        return _written(said, LOOKALIKES[word])
    return [Fix(f"Supprimer {word}", said.span, "")]


def _comma(text: str, said: Diagnostic, _known: list[str]) -> list[Fix]:
    near = text[: said.span.start][-1:].isdigit() and text[said.span.end :][:1].isdigit()
    return [Fix("Écrire un point", said.span, ".")] if near else _removed(text, said, _known)


def _operator(text: str, said: Diagnostic, _known: list[str]) -> list[Fix]:
    between = re.search(r"\s+", text[said.span.start : said.span.end])
    if between is not None:
        start = said.span.start + between.start()
        place = Span(start, start + len(between[0]))
    else:
        match = re.match(r"\[[^\]]*\]|[A-Z0-9_.$]+|\)", text[said.span.start : said.span.end])
        start = said.span.start + (match.end() if match else 0)
        place = Span(start, start)
    return [Fix(f"Ajouter {each}", place, each) for each in "+-*/"]


def _close(text: str, said: Diagnostic, _known: list[str]) -> list[Fix]:
    following = re.search(r"\[\s*(?:RE|TB|TE|CAL)\b", text[said.span.end :])
    end = said.span.end + following.start() if following else len(text.rstrip())
    return [Fix("Fermer la parenthèse", Span(end, end), ")"), Fix("Supprimer la parenthèse", said.span, "")]


def _year(text: str, said: Diagnostic, _known: list[str]) -> list[Fix]:
    bracket = read_bracket(text[said.span.start : said.span.end])
    digits = re.sub(r"\D", "", bracket.value)
    years = [digits] if len(digits) == 4 else [f"20{digits}"] if len(digits) == 2 else []
    return _written(said, *(f"[{bracket.key}:{each}]" for each in [*years, "#"]))


def _swapped(text: str, _said: Diagnostic, _known: list[str]) -> list[Fix]:
    first, last = (re.search(rf"\[\s*RE\s*-\s*{end}\s*:\s*([0-9]{{4}})\s*\]", text) for end in ("MIN", "MAX"))
    if first is None or last is None:
        return []
    span = Span(min(first.start(), last.start()), max(first.end(), last.end()))
    between = text[min(first.end(), last.end()) : max(first.start(), last.start())]
    return [Fix("Échanger les deux années", span, f"[RE-MIN:{last[1]}]{between}[RE-MAX:{first[1]}]")]


def _offset(text: str, said: Diagnostic, _known: list[str]) -> list[Fix]:
    digits = re.sub(r"\D", "", read_bracket(text[said.span.start : said.span.end]).value)[:2] or "1"
    return _written(said, f"[OS:M{int(digits)}]", f"[OS:P{int(digits)}]")


_OFFERS: dict[str, _Offer] = {
    "type_appel_absent": _missing_type,
    "type_appel_incorrect": _wrong_type,
    "type_appel_impossible": _impossible_type,
    "type_appel_sans_variable": _removed,
    "crochet_non_ferme": _unclosed,
    "crochet_mal_forme": _bracket,
    "crochet_inconnu": _bracket,
    "crochet_double": _removed,
    "crochet_sans_expression": _removed,
    "decalage_incorrect": _offset,
    "decalage_sans_indicateur": _removed,
    "exercice_incorrect": _year,
    "exercices_inverses": _swapped,
    "type_budget_incorrect": lambda _text, said, _known: _written(said, "[TB:BP]", "[TB:BA]"),
    "indicateur_inconnu": _unknown_name,
    "mot_inconnu": _word,
    "caractere_inattendu": _stray,
    "virgule_decimale": _comma,
    "operateur_manquant": _operator,
    "operateur_final": _removed,
    "parenthese_non_fermee": _close,
    "parenthese_non_ouverte": _removed,
    "parentheses_vides": _removed,
}
