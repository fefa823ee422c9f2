"""A formule as a notebook shows it: in colours, what is wrong underlined, what to write instead, labels of comptes."""

from __future__ import annotations

import html
from dataclasses import dataclass

from workbench.formules import Diagnostic, Fix, check_formule, fixes_of, format_diagnostic
from workbench.formules.parser import split_words
from workbench.formules.words import MAX_LEXEMES
from workbench.plans import PlanComptes
from workbench.trames.model import Trame
from workbench.trames.search import readings_of_texte

__all__ = ["FormuleView", "look_at_formule"]

_COLOURS = {
    "VARIABLE": "#0550ae",
    "REFERENCE": "#6639ba",
    "NUMBER": "#116329",
    "POPULATION": "#116329",
    "BRACKET": "#8a4600",
}
_LINES = {"error": "wavy underline #c00", "warning": "wavy underline #b58900"}


@dataclass(frozen=True)
class FormuleView:
    """A formule and all that can be said of it.

    Parameters
    ----------
    texte
        The formule.
    diagnostics
        What is wrong or doubtful; empty when there is nothing.
    fixes
        What can be written instead, diagnostic by diagnostic.
    comptes
        The prefixes read and their labels, where a chart was given.
    note
        French: what was done with it.
    """

    texte: str
    diagnostics: tuple[Diagnostic, ...]
    fixes: tuple[tuple[Fix, ...], ...]
    comptes: tuple[tuple[str, str], ...] = ()
    note: str = ""

    @property
    def right(self) -> bool:
        """Whether it can be evaluated."""
        return not any(each.severity == "error" for each in self.diagnostics)

    def __str__(self) -> str:
        lines = [format_diagnostic(self.texte, each) for each in self.diagnostics] or ["Formule correcte."]
        lines += [f"{prefix}  {label}" for prefix, label in self.comptes]
        return "\n".join([*lines, self.note] if self.note else lines)

    def __repr__(self) -> str:
        return str(self)

    def _coloured(self) -> str:
        """Return the text with its words in colour, and what is wrong underlined."""
        kinds = [""] * len(self.texte)
        for word in split_words(self.texte, MAX_LEXEMES):
            kinds[word.start : word.end] = [word.kind] * (word.end - word.start)
        marks = [""] * len(self.texte)
        titles = [""] * len(self.texte)
        for each in sorted(self.diagnostics, key=lambda one: one.severity, reverse=True):
            for place in range(each.span.start, min(max(each.span.end, each.span.start + 1), len(self.texte))):
                marks[place], titles[place] = _LINES[each.severity], each.message
        pieces, start = [], 0
        for end in range(1, len(self.texte) + 1):
            here = (kinds[start], marks[start], titles[start])
            if end < len(self.texte) and (kinds[end], marks[end], titles[end]) == here:
                continue
            style = "".join(
                [
                    f"color:{_COLOURS[here[0]]};" if here[0] in _COLOURS else "",
                    f"text-decoration:{here[1]};" if here[1] else "",
                ]
            )
            title = f" title='{html.escape(here[2])}'" if here[2] else ""
            text = html.escape(self.texte[start:end])
            pieces.append(f"<span style='{style}'{title}>{text}</span>" if style or title else text)
            start = end
        return "".join(pieces)

    def _repr_html_(self) -> str:
        rows = []
        for each, fixes in zip(self.diagnostics, self.fixes, strict=True):
            colour = "#c00" if each.severity == "error" else "#8a6d00"
            offered = "".join(f"<code style='margin-left:1em'>{html.escape(fix.title)}</code>" for fix in fixes[:3])
            message = f"<span style='color:{colour}'>{html.escape(each.message)}</span>"
            rows.append(f"<li>{message} {html.escape(each.hint)}{offered}</li>")
        said = f"<ul>{''.join(rows)}</ul>" if rows else "<p>✓ Formule correcte.</p>"
        labels = "".join(
            f"<tr><th scope='row' style='text-align:left'>{html.escape(prefix)}</th>"
            f"<td style='text-align:left'>{html.escape(label)}</td></tr>"
            for prefix, label in self.comptes
        )
        table = f"<table>{labels}</table>" if labels else ""
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        return f"<pre style='white-space:pre-wrap'>{self._coloured()}</pre>{said}{table}{note}"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._repr_html_()}


def look_at_formule(
    texte: str, *, code: str | None = None, trame: Trame | None = None, comptes: PlanComptes | None = None
) -> FormuleView:
    """Check a formule and gather what a notebook shows of it; never raises.

    Parameters
    ----------
    texte
        The formule.
    code
        The indicateur that it is that of.
    trame
        The trame whose indicateurs it may name; None to let it name any.
    comptes
        The chart that labels are those of.

    Examples
    --------
    >>> view = look_at_formule("C70-D70[TA:BX")
    >>> view.right, [fix.replacement for fix in view.fixes[0]]
    (False, ['[TA:BX]'])
    """
    known = None if trame is None else {one.code: one.texte or "0" for one in trame.indicateurs}
    diagnostics = tuple(check_formule(texte, known, name=code))
    fixes = tuple(tuple(fixes_of(texte, each, known)) for each in diagnostics)
    labels = []
    if comptes is not None:
        nothing = f"aucun compte de {comptes.nomenclature} ne commence ainsi"
        prefixes = dict.fromkeys(each.compte for each in readings_of_texte(texte))
        labels = [(prefix, comptes.libelle(prefix) if comptes.reads(prefix) else nothing) for prefix in prefixes]
    return FormuleView(texte, diagnostics, fixes, tuple(labels))
