"""Trames as an accountant sees them: comptes counted twice, prefixes that read nothing, comptes that nothing reads.

The charts are given as values: nothing here knows where they are kept.

*Counted twice.* Within one sum, each variable adds or removes what some amounts of its comptes are. For the comptes
under the prefix of each variable, what all variables of the sum add is counted, by side and kind of operation; it
should never be beyond one. So ``C73-C732+C7321`` is right, and ``C73+C732`` counts 732 twice. ``BX`` is read as ``BR``
plus ``BO``, so that a formule that adds ``BX`` and ``BO`` is seen too. Products, quotients and powers part sums.

Its three questions share their remarks and their charts, hence one module.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workbench.display import Markup, html_table, safe, view
from workbench.errors import WorkbenchError, require_kind
from workbench.formules import SOLDES, Binary, Node, Segment, Unary, Variable, walk
from workbench.formules.tree import Span
from workbench.plans import Compte, PlanComptes, PlansComptes, years_text
from workbench.trames.checks import excerpt
from workbench.trames.model import Indicateur, Trame
from workbench.trames.serie import trames_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CompteRemark", "CompteRemarks", "check_comptes", "prefixes_of"]

_EXAMPLES = 4
Kind = Literal["compte_double", "prefixe_sans_compte", "prefixe_absent", "comptes_non_lus"]
_TITLES = {
    "compte_double": "Compté deux fois",
    "prefixe_sans_compte": "Aucun compte",
    "prefixe_absent": "Aucun compte, certains exercices",
    "comptes_non_lus": "Non lu",
}


@dataclass(frozen=True)
class CompteRemark:
    """One remark on the comptes that a trame reads.

    Parameters
    ----------
    code
        ``compte_double``; ``prefixe_sans_compte`` when no exercice of the charts has a compte there,
        ``prefixe_absent`` when some have none; ``comptes_non_lus``.
    trame, indicateur
        Where; no indicateur for comptes that none reads.
    span
        The stretch of the indicateur's whole text (`Indicateur.texte`) that is concerned.
    prefix
        The beginning of the comptes concerned.
    exercices
        Of the charts, ascending.
    message, hint, excerpt
        In French; the excerpt shows the place over carets.
    """

    code: Kind
    trame: str
    indicateur: str
    span: Span
    prefix: str
    exercices: tuple[int, ...]
    message: str
    hint: str = ""
    excerpt: str = ""

    def __str__(self) -> str:
        text = f"{self.indicateur or self.trame}\u00a0: {self.message}"
        if self.excerpt:
            text += "\n" + "\n".join("    " + line for line in self.excerpt.splitlines())
        return f"{text}\n    → {self.hint}" if self.hint else text


@dataclass(frozen=True)
class CompteRemarks:
    """What an accountant would say of a trame, in its order; false when there is nothing to say.

    Parameters
    ----------
    remarks
        The remarks.
    exercices
        The exercices whose chart was looked at, by nomenclature.
    """

    remarks: tuple[CompteRemark, ...]
    exercices: Mapping[str, tuple[int, ...]]

    def __len__(self) -> int:
        return len(self.remarks)

    def __bool__(self) -> bool:
        return bool(self.remarks)

    def __iter__(self) -> Iterator[CompteRemark]:
        return iter(self.remarks)

    def __getitem__(self, rank: int) -> CompteRemark:
        return self.remarks[rank]

    def of(self, *codes: str) -> CompteRemarks:
        """Keep the remarks of some kinds, or on some indicateurs."""
        kept = tuple(each for each in self.remarks if {each.code, each.indicateur} & set(codes))
        return CompteRemarks(kept, self.exercices)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a remark, with its place (``debut``, ``fin``), its comptes and its exercices."""
        import pandas as pd

        rows = [
            (
                each.code, each.trame, each.indicateur, each.span.start, each.span.end, each.prefix,
                years_text(each.exercices), each.message, each.hint,
            )
            for each in self.remarks
        ]  # fmt: skip
        names = ["remarque", "trame", "indicateur", "debut", "fin", "prefixe", "exercices", "message", "conseil"]
        return pd.DataFrame(rows, columns=names)

    def __str__(self) -> str:
        looked = " ; ".join(f"{name} {years_text(years)}" for name, years in self.exercices.items())
        if not self:
            return f"Rien à signaler ({looked})."
        return "\n".join([*map(str, self.remarks), f"{len(self)} remarque(s) ({looked})."])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        if not self:
            return view(f"<p>{safe(self)}</p>")
        rows = [
            (
                _TITLES[each.code],
                each.indicateur or each.trame,
                each.prefix,
                Markup(
                    safe(each.message)
                    + (f"<pre>{safe(each.excerpt)}</pre>" if each.excerpt else "")
                    + f'<span class="wb-detail">{safe(each.hint)}</span>'
                ),
            )
            for each in self.remarks
        ]
        caption = str(self).rpartition("\n")[2]
        head = ("Remarque", "Indicateur", "Comptes", "Pourquoi")
        table = html_table(head, rows, caption=caption, heads=2, shown=100, rest=".to_frame()")
        return view(table)


def prefixes_of(indicateur: Indicateur) -> tuple[str, ...]:
    """List the prefixes of comptes that an indicateur reads, each once, in the order of its text.

    Examples
    --------
    >>> prefixes_of(Indicateur.from_texte("A_B", "C73-D739+C73[TA:BX]"))
    ('73', '739')
    """
    return tuple(dict.fromkeys(node.compte for _, node in _variables(indicateur)))


def check_comptes(
    trame: Trame,
    plans: PlansComptes | PlanComptes | Iterable[PlanComptes],
    *,
    exercices: Iterable[int] | None = None,
    classes: Collection[str] | None = None,
) -> CompteRemarks:
    """Look at a trame with charts of accounts.

    Parameters
    ----------
    trame
        With a nomenclature; each trame of a serie is looked at with its own.
    plans
        `workbench.plans_comptes`, or charts.
    exercices
        The years to look at; None for all that have a chart.
    classes
        The classes in which comptes that nothing reads are looked for (``{"6", "7"}``); None for those that the trame
        reads, an empty one for none.

    Returns
    -------
    CompteRemarks
        Comptes counted twice and prefixes without compte, in the order of the trame, then what nothing reads.

    Raises
    ------
    WorkbenchError
        ``trame_sans_nomenclature``, ``plan_absent``.
    FormuleSyntaxError
        When a formule cannot be read.

    Examples
    --------
    >>> from workbench.trames import trame_from_formules
    >>> comptes = [Compte(*each) for each in (("70", "Ventes"), ("701", "Produits finis"), ("75", "Autres"))]
    >>> trame = trame_from_formules({"A_VENTES": "C70+C701-C72[TA:BX]"}, nomenclature="M57")
    >>> found = check_comptes(trame, PlanComptes("M57", 2024, tuple(comptes)))
    >>> print(str(found).replace(chr(160), " "))
    A_VENTES : 701 Produits finis est compté 2 fois par C70 et C701, en 2024
        C70+C701-C72[TA:BX]
            ^^^^
        → Retirez C701, déjà compris dans C70, ou écrivez-le avec le signe contraire.
    A_VENTES : aucun compte de M57 ne commence par 72
        C70+C701-C72[TA:BX]
                 ^^^
        → Au-dessus, le plan n'a rien non plus : vérifiez le numéro.
    trame : aucun indicateur ne lit 75 Autres, en 2024
    3 remarque(s) (M57 en 2024).
    """
    require_kind(trame, Trame, "trame", "une trame", "Chargez-la : wb.load_trame.")
    if isinstance(plans, PlanComptes):
        plans = PlansComptes.of([plans])
    elif not isinstance(plans, PlansComptes):
        plans = PlansComptes.of(plans)
    remarks: list[CompteRemark] = []
    looked: dict[str, tuple[int, ...]] = {}
    for part in trames_of(trame):
        if part.nomenclature is None:
            raise WorkbenchError("trame_sans_nomenclature", trame=part.code)
        known = plans.exercices(part.nomenclature)
        asked = known if exercices is None else tuple(sorted(set(exercices)))
        charts = {year: plans.plan(part.nomenclature, year) for year in asked}
        if not charts:
            plans.plan(part.nomenclature)  # says which there are
        looked[part.nomenclature] = asked
        for indicateur in part.indicateurs:
            remarks += _twice(part, indicateur, charts)
            remarks += _without_compte(part, indicateur, charts)
        remarks += _unread(part, charts, classes)
    return CompteRemarks(tuple(remarks), looked)


def _variables(indicateur: Indicateur) -> Iterator[tuple[Segment, Variable]]:
    for segment in indicateur.tree.segments:
        for node in walk(segment.expression):
            if isinstance(node, Variable):
                yield segment, node


# --- what is counted twice ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Term:
    """A variable of a sum, with its sign there and the segment that says when it counts."""

    variable: Variable
    sign: int
    segment: Segment


def _sums(indicateur: Indicateur) -> Iterator[list[_Term]]:
    """Yield the terms of each sum of an indicateur; its segments are added up, so their outer sums are one."""
    outer: list[_Term] = []
    for segment in indicateur.tree.segments:
        inner: list[tuple[Node, list[_Term]]] = [(segment.expression, [] if segment.absolute is not None else outer)]
        while inner:
            start, terms = inner.pop()
            stack = [(start, 1)]
            while stack:
                node, sign = stack.pop()
                if isinstance(node, Unary):
                    stack.append((node.operand, -sign if node.operator == "-" else sign))
                elif isinstance(node, Binary) and node.operator in "+-":
                    stack.append((node.right, -sign if node.operator == "-" else sign))
                    stack.append((node.left, sign))
                elif isinstance(node, Binary):
                    inner += [(node.right, []), (node.left, [])]
                elif isinstance(node, Variable):
                    terms.append(_Term(node, sign, segment))
            if terms is not outer:
                yield terms
    yield outer


def _amounts(variable: Variable) -> dict[str, int]:
    """Say what a variable takes of each amount, operation 2 being parted into its real part and that of operation 6."""
    found: Counter[str] = Counter()
    for column, weight in SOLDES[variable.type_appel, variable.side].items():
        found[column] += weight
        if column.endswith("_2"):
            found[column[:-1] + "6"] += weight
    return {column: weight for column, weight in found.items() if weight}


def _together(one: Segment, other: Segment) -> bool:
    """Whether two segments may count for one budget."""
    return not (
        (one.type_budget and other.type_budget and one.type_budget != other.type_budget)
        or (one.type_etablissement and other.type_etablissement and one.type_etablissement != other.type_etablissement)
    )


def _twice(trame: Trame, indicateur: Indicateur, charts: Mapping[int, PlanComptes]) -> Iterator[CompteRemark]:
    found: dict[tuple[int, int, int], tuple[list[_Term], list[int], dict[str, Compte]]] = {}
    for terms in _sums(indicateur):
        for term in terms:
            over = [
                each
                for each in terms
                if term.variable.compte.startswith(each.variable.compte) and _together(term.segment, each.segment)
            ]
            if len(over) < 2:
                continue
            for year, plan in charts.items():
                if not term.segment.covers(year):
                    continue
                active = [each for each in over if each.segment.covers(year)]
                adding = _beyond_one(term, active)
                if not adding:
                    continue
                comptes = [each for each in plan.under(term.variable.compte) if not each.supprime]
                if comptes:
                    key = (term.variable.span.start, term.variable.span.end, len(adding))
                    said = found.setdefault(key, (adding, [], {}))
                    said[1].append(year)
                    said[2][comptes[0].numero] = comptes[0]
    for (start, end, _), (terms, years, examples) in sorted(found.items()):
        span = Span(start, end)
        last = terms[-1].variable
        names = [f"{each.variable.side}{each.variable.compte}" for each in terms]
        first = names[0]
        if len(set(names)) == 1:
            hint = f"{first} est écrit plusieurs fois : gardez-en un."
        else:
            hint = f"Retirez {names[-1]}, déjà compris dans {first}, ou écrivez-le avec le signe contraire."
        message = (
            f"{next(iter(examples.values()))} est compté {len(terms)} fois par {', '.join(names[:-1])} et {names[-1]}, "
            f"{years_text(years)}"
        )
        yield CompteRemark(
            "compte_double",
            trame.code,
            indicateur.code,
            span,
            last.compte,
            tuple(sorted(set(years))),
            message,
            hint,
            excerpt(indicateur.texte, span),
        )


def _beyond_one(term: _Term, active: list[_Term]) -> list[_Term]:
    """Return the terms that together count an amount of the comptes of `term` more than once; none when they do not.

    A term is said once: by the last of those with the longest prefix.
    """
    total: Counter[str] = Counter()
    for each in active:
        for amount, weight in _amounts(each.variable).items():
            total[amount] += each.sign * weight
    for amount, weight in _amounts(term.variable).items():
        direction = term.sign * weight
        if abs(total[amount]) < 2 or total[amount] * direction < 0:
            continue
        adding = [each for each in active if each.sign * _amounts(each.variable).get(amount, 0) * direction > 0]
        longest = max(len(each.variable.compte) for each in adding)
        last = [each for each in adding if len(each.variable.compte) == longest][-1]
        if last is term:
            return [*(each for each in adding if each is not term), term]
    return []


# --- what reads nothing ---------------------------------------------------------------------------------------------


def _without_compte(trame: Trame, indicateur: Indicateur, charts: Mapping[int, PlanComptes]) -> Iterator[CompteRemark]:
    told: set[tuple[str, tuple[int, ...]]] = set()
    for segment, variable in _variables(indicateur):
        years = [year for year in charts if segment.covers(year)]
        absent = tuple(year for year in years if not charts[year].reads(variable.compte))
        if not absent or (variable.compte, absent) in told:
            continue
        told.add((variable.compte, absent))
        never = not any(plan.reads(variable.compte) for plan in charts.values())
        message = f"aucun compte de {trame.nomenclature} ne commence par {variable.compte}"
        if not never:
            message += f", {years_text(absent)}"
        yield CompteRemark(
            "prefixe_sans_compte" if len(absent) == len(years) else "prefixe_absent",
            trame.code,
            indicateur.code,
            variable.span,
            variable.compte,
            absent,
            message,
            _advice(variable.compte, charts, absent),
            excerpt(indicateur.texte, variable.span),
        )


def _advice(prefix: str, charts: Mapping[int, PlanComptes], absent: tuple[int, ...]) -> str:
    plan = charts[absent[-1]]
    if any(each.supprime for each in plan.under(prefix)):
        return "Le plan le garde comme supprimé."
    there = [year for year, each in charts.items() if each.reads(prefix)]
    if there:
        label = next((text for year in reversed(there) if (text := charts[year].libelle(prefix))), "")
        said = f" ({label})" if label else ""
        return f"Il existe{said} {years_text(there)} : bornez la formule à ces exercices, ou suivez le compte ailleurs."
    above = plan.nearest_above(prefix)
    if above is None:
        return "Au-dessus, le plan n'a rien non plus : vérifiez le numéro."
    below = [str(each) for each in plan.children(above.numero) if not each.supprime]
    shown = " ; ".join(below[:_EXAMPLES]) + (" …" if len(below) > _EXAMPLES else "")
    return f"Au-dessus : {above}." + (f" Il se détaille en : {shown}" if below else " Il ne se détaille pas.")


# --- what nothing reads ---------------------------------------------------------------------------------------------


def _unread(trame: Trame, charts: Mapping[int, PlanComptes], classes: Collection[str] | None) -> Iterator[CompteRemark]:
    unread: dict[str, list[int]] = {}
    labels: dict[str, str] = {}
    counts: dict[str, int] = {}
    variables = [pair for indicateur in trame.indicateurs for pair in _variables(indicateur)]
    for year, plan in charts.items():
        read = {variable.compte for segment, variable in variables if segment.covers(year)}
        wanted = {prefix[0] for prefix in read if prefix[0] in "1234567"} if classes is None else set(classes)
        # Everything above a prefix is read in part: only what is beside is not.
        partly = {prefix[:end] for prefix in read for end in range(1, len(prefix))}
        todo = [each for each in plan.children("") if each.numero[0] in wanted]
        while todo:
            one = todo.pop()
            if one.supprime or any(one.numero[:end] in read for end in range(1, len(one.numero) + 1)):
                continue
            if one.numero in partly:
                todo += plan.children(one.numero)
                continue
            unread.setdefault(one.numero, []).append(year)
            labels[one.numero] = one.libelle
            counts[one.numero] = sum(plan.is_final(each.numero) for each in plan.under(one.numero) if not each.supprime)
    for numero in sorted(unread):
        several = f" ({counts[numero]} comptes)" if counts[numero] > 1 else ""
        message = f"aucun indicateur ne lit {numero} {labels[numero]}{several}, {years_text(unread[numero])}"
        yield CompteRemark("comptes_non_lus", trame.code, "", Span(0, 0), numero, tuple(unread[numero]), message)
