"""A formule as a notebook shows it: in colours, what is wrong underlined, what to write instead, labels of comptes."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.display import coded, facts, safe, view
from workbench.formules import Diagnostic, Fix, check_formule, fixes_of, format_diagnostic
from workbench.plans import PlanComptes
from workbench.trames.model import Trame
from workbench.trames.search import readings_of_texte
from workbench.trames.trame_html import coloured

__all__ = ["FormuleView", "look_at_formule"]


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

    def _repr_html_(self) -> str:
        said = []
        for each, fixes in zip(self.diagnostics, self.fixes, strict=True):
            kind = "wb-erreur" if each.severity == "error" else "wb-attention"
            offered = " ".join(coded(fix.title) for fix in fixes[:3])
            message = f'<span class="{kind}">{safe(each.message)}</span>'
            said.append(f"<li>{message} {safe(each.hint)} {offered}</li>")
        return view(
            f"<p>{coloured(self.texte, self.diagnostics)}</p>",
            f"<ul>{''.join(said)}</ul>" if said else '<p><span class="wb-oui">✓</span> Formule correcte.</p>',
            facts(self.comptes, "Comptes lus") if self.comptes else "",
            f"<p>{safe(self.note)}</p>" if self.note else "",
        )

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
        prefixes = dict.fromkeys(each.compte for each in readings_of_texte(texte))
        labels = [(prefix, _label(comptes, prefix)) for prefix in prefixes]
    return FormuleView(texte, diagnostics, fixes, tuple(labels))


def _label(comptes: PlanComptes, prefix: str) -> str:
    """Say what a prefix reads: its label, or how many comptes where the chart has none for the prefix itself."""
    if not comptes.reads(prefix):
        return f"aucun compte de {comptes.nomenclature} ne commence ainsi"
    count = len(comptes.under(prefix))
    return comptes.libelle(prefix) or f"{count} compte{'s' if count > 1 else ''}"
