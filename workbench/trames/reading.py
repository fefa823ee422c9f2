"""The YAML file of a trame, read into a Trame or into the list of all that is wrong in it.

docs/trames.md is the reference of the file.

Three passes: the text into nodes that know their place (`yaml_nodes`), the nodes into drafts whose keys and values
are right, the drafts' formules together through the checks of the language. A problem never stops the search for
the next one, except where the text is no YAML at all. A Trame comes out only when there is no error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from workbench.trames.checks import check_field, check_textes, excerpt
from workbench.trames.model import Formule, Indicateur, Trame
from workbench.trames.problems import TrameProblem, nearest
from workbench.trames.segments import join_formules, origins, year_brackets
from workbench.trames.yaml_nodes import Mapping, Node, Scalar, Sequence, Source, YamlProblem, read_nodes

__all__ = ["FORMULE_KEYS", "INDICATEUR_KEYS", "SERIE_KEYS", "TRAME_KEYS", "SerieFile", "read_serie", "read_yaml"]

TRAME_KEYS = (
    "code",
    "libelle",
    "description",
    "reference",
    "nomenclature",
    "types_etablissement",
    "types_identifiant",
    "modele",
    "indicateurs",
)
INDICATEUR_KEYS = ("code", "libelle", "description", "reference", "theme", "unite", "formule", "formules")
FORMULE_KEYS = ("texte", "depuis", "jusqu_a")
SERIE_KEYS = ("code", "libelle", "description", "reference", "modele", "serie")


@dataclass(frozen=True)
class SerieFile:
    """What the file of a serie says.

    Parameters
    ----------
    fields
        ``code``, ``libelle``, ``description``, ``reference`` and ``modele``, empty where absent.
    trames
        Code of each trame, and a function that makes a problem placed at that line of the file.
    """

    fields: dict[str, str]
    trames: tuple[tuple[str, Callable[[str, str], TrameProblem]], ...]


@dataclass(slots=True)
class _DraftFormule:
    scalar: Scalar
    first: int | None = None
    last: int | None = None


@dataclass(slots=True)
class _Draft:
    """An indicateur whose formules are not checked yet."""

    place: int
    code: Scalar | None
    fields: dict[str, str]
    formules: list[_DraftFormule] = field(default_factory=list)

    def indicateur(self) -> Indicateur:
        formules = tuple(Formule(one.scalar.text, one.first, one.last) for one in self.formules)
        return Indicateur(self.code.text if self.code else "", formules=formules, **self.fields)


def read_yaml(text: str, stem: str) -> tuple[Trame | None, list[TrameProblem]]:
    r"""Read the text of a trame's file.

    Parameters
    ----------
    text
        The file.
    stem
        Code of the trame when the file gives none.

    Returns
    -------
    tuple
        The trame, None when there is an error; every problem, warnings included, in the order of the file.

    Examples
    --------
    >>> trame, problems = read_yaml("indicateurs: [{code: A_B, formule: 'C70[TA:BX]'}]", "essai")
    >>> trame.code, trame.codes, problems
    ('essai', ('A_B',), [])
    >>> trame, problems = read_yaml("libele: essai", "essai")
    >>> print(*problems, sep="\n")
    ligne 1, colonne 1 : clé inconnue : « libele »
        → vouliez-vous dire « libelle » ?
    ligne 1, colonne 1 : la clé « indicateurs » manque
        → ajoutez « indicateurs: », une liste
    """
    try:
        source, root = read_nodes(text)
    except YamlProblem as error:
        return None, [error.problem]
    reader = _Reader(source)
    trame = reader.trame(root, stem)
    problems = sorted(reader.problems, key=lambda problem: (problem.line, problem.column))
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    return trame, problems


def read_serie(text: str, stem: str) -> tuple[SerieFile | None, list[TrameProblem]] | None:
    r"""Read the text of a serie's file.

    Parameters
    ----------
    text, stem
        As for `read_yaml`.

    Returns
    -------
    tuple or None
        None when the file has no key ``serie``: it is a trame's. Otherwise what it says, None when there is an
        error, and every problem.

    Examples
    --------
    >>> found, problems = read_serie("serie: [a_m14, a_m57]", "a")
    >>> found.fields["code"], [code for code, _ in found.trames], problems
    ('a', ['a_m14', 'a_m57'], [])
    >>> read_serie("indicateurs: []", "a") is None
    True
    """
    try:
        source, root = read_nodes(text)
    except YamlProblem:
        return None
    if not isinstance(root, Mapping) or all(key.text != "serie" for key, _ in root.entries):
        return None
    reader = _Reader(source)
    entries = reader.mapping(root, SERIE_KEYS, "une série") or {}
    fields = {key: reader.text(entries, key) for key in SERIE_KEYS[:-1]}
    fields["code"] = fields["code"] or stem
    trames = []
    for node in reader.items(entries.get("serie"), "serie"):
        # A code of trame holds no separator: the file of that name is in the same folder.
        name = reader.scalar(node, "serie", "code")
        trames.append((name, partial(source.problem, node.place.start)))
    problems = sorted(reader.problems, key=lambda problem: (problem.line, problem.column))
    return (None if problems else SerieFile(fields, tuple(trames))), problems


class _Reader:
    """Reads nodes and collects problems."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[TrameProblem] = []

    def fail(self, node: Node | int, message: str, hint: str = "") -> None:
        offset = node if isinstance(node, int) else node.place.start
        self.problems.append(self.source.problem(offset, message, hint))

    def warn(self, node: Node, message: str) -> None:
        self.problems.append(replace(self.source.problem(node.place.start, message), severity="warning"))

    def trame(self, root: Node | None, stem: str) -> Trame | None:
        entries = self.mapping(root, TRAME_KEYS, "une trame") if root is not None else {}
        if entries is None:
            return None
        sequence = entries.get("indicateurs")
        if sequence is None:
            start = root.place.start if root is not None else 0
            self.fail(start, "la clé « indicateurs » manque", "ajoutez « indicateurs: », une liste")
        code, libelle, description, reference, nomenclature, modele = (
            self.text(entries, key) for key in ("code", "libelle", "description", "reference", "nomenclature", "modele")
        )
        etablissements, identifiants = (
            self.texts(entries, key) for key in ("types_etablissement", "types_identifiant")
        )
        drafts = [draft for node in self.items(sequence, "indicateurs") if (draft := self.draft(node)) is not None]
        self.check_codes(drafts)
        self.check_formules(drafts)
        if any(problem.severity == "error" for problem in self.problems):
            return None
        return Trame(
            code or stem,
            tuple(draft.indicateur() for draft in drafts),
            libelle,
            description,
            reference,
            nomenclature or None,
            tuple(etablissements),
            tuple(identifiants),
            modele,
        )

    def mapping(self, node: Node, keys: tuple[str, ...], what: str) -> dict[str, Node] | None:
        """Return the values of a group of keys, without those that are null; None when it is no group."""
        if not isinstance(node, Mapping):
            self.fail(node, f"{what} s'écrit comme un groupe de clés", "clés admises : " + ", ".join(keys))
            return None
        seen: dict[str, Scalar] = {}
        entries: dict[str, Node] = {}
        for key, value in node.entries:
            name = key.text
            if name not in keys:
                self.fail(key, f"clé inconnue : « {name} »", nearest(name, keys) or "clés admises : " + ", ".join(keys))
            elif name in seen:
                line, _ = self.source.line_column(seen[name].place.start)
                self.fail(
                    key, f"la clé « {name} » est écrite deux fois, déjà à la ligne {line}", "gardez l'une des deux"
                )
            elif not (isinstance(value, Scalar) and value.is_null):
                entries[name] = value
            seen.setdefault(name, key)
        return entries

    def text(self, entries: dict[str, Node], key: str, rule: str = "") -> str:
        node = entries.get(key)
        return "" if node is None else self.scalar(node, key, rule)

    def scalar(self, node: Node, key: str, rule: str = "") -> str:
        if not isinstance(node, Scalar):
            kind = "une liste" if isinstance(node, Sequence) else "un groupe de clés"
            self.fail(
                node,
                f"« {key} » attend un texte, pas {kind}",
                "mettez le texte entre guillemets s'il commence par [ ou {",
            )
            return ""
        if wrong := check_field(rule or key, node.text):
            self.fail(node, *wrong)
        return node.text

    def items(self, node: Node | None, key: str) -> list[Node]:
        if node is None:
            return []
        if not isinstance(node, Sequence):
            self.fail(node, f"« {key} » attend une liste", "un élément par ligne, chacun après « - »")
            return []
        return node.items

    def texts(self, entries: dict[str, Node], key: str) -> list[str]:
        return [self.scalar(item, key) for item in self.items(entries.get(key), key)]

    def draft(self, node: Node) -> _Draft | None:
        entries = self.mapping(node, INDICATEUR_KEYS, "un indicateur")
        if entries is None:
            return None
        code = entries.get("code")
        if code is None:
            self.fail(node, "la clé « code » manque à cet indicateur", "ajoutez « code: », par exemple CAF_BRUTE")
        else:
            self.scalar(code, "code", "code_indicateur")
        names = ("libelle", "description", "reference", "theme", "unite")
        fields = {key: self.text(entries, key) for key in names if key in entries}
        draft = _Draft(node.place.start, code if isinstance(code, Scalar) else None, fields)
        draft.formules = list(self.formules(entries))
        return draft

    def formules(self, entries: dict[str, Node]) -> Iterator[_DraftFormule]:
        single = entries.get("formule")
        several = entries.get("formules")
        if single is not None and several is not None:
            self.fail(single, "« formule » et « formules » sont écrites toutes les deux", "gardez l'une des deux")
        if single is not None:
            yield from self.formule_text(single, "formule")
        if isinstance(several, Scalar):
            self.fail(several, "« formules » attend une liste", "écrivez « formule: » pour un texte seul, sans années")
            return
        for node in self.items(several, "formules"):
            part = self.mapping(node, FORMULE_KEYS, "une formule")
            if part is None:
                continue
            first, last = (self.year(part.get(key), key) for key in ("depuis", "jusqu_a"))
            if first is not None and last is not None and first > last:
                self.warn(part["depuis"], f"« depuis » ({first}) vient après « jusqu_a » ({last}) : la formule vaut 0")
            if "texte" not in part:
                self.fail(node, "la clé « texte » manque à cette formule", "ajoutez « texte: »")
                continue
            for draft in self.formule_text(part["texte"], "texte"):
                draft.first, draft.last = first, last
                yield draft

    def formule_text(self, node: Node, key: str) -> Iterator[_DraftFormule]:
        if not isinstance(node, Scalar):
            self.scalar(node, key)
            return
        places = self.source.offsets(node)
        if brackets := year_brackets(node.text):
            hint = "les années s'écrivent avec les clés « depuis » et « jusqu_a » de « formules »"
            self.fail(places[brackets[0][0]], "[RE-MIN] et [RE-MAX] ne s'écrivent pas ici", hint)
        elif not node.text.strip():
            self.fail(
                node, f"« {key} » est vide", "écrivez la formule, ou retirez la clé : sans formule, l'indicateur vaut 0"
            )
        else:
            yield _DraftFormule(node)

    def year(self, node: Node | None, key: str) -> int | None:
        if node is None:
            return None
        if isinstance(node, Scalar) and re.fullmatch(r"[0-9]{4}", node.text):
            return int(node.text)
        shown = f" : « {node.text} »" if isinstance(node, Scalar) else ""
        self.fail(
            node, f"« {key} » attend une année sur quatre chiffres{shown}", "retirez la clé s'il n'y a pas de borne"
        )
        return None

    def check_codes(self, drafts: Iterable[_Draft]) -> None:
        seen: dict[str, Scalar] = {}
        for draft in drafts:
            if draft.code is None:
                continue
            if (first := seen.setdefault(draft.code.text, draft.code)) is not draft.code:
                line, _ = self.source.line_column(first.place.start)
                message = f"le code {draft.code.text} est déjà celui d'un indicateur, à la ligne {line}"
                self.fail(draft.code, message, "renommez ou retirez l'un des deux")

    def check_formules(self, drafts: list[_Draft]) -> None:
        """Check the formules together; each remark is placed in the file, at the very character."""
        known = [draft.code.text for draft in drafts if draft.code is not None]
        textes = []
        for draft in drafts:
            parts = [(" ".join(one.scalar.text.split()), one.first, one.last) for one in draft.formules]
            textes.append((draft.code.text if draft.code else "", join_formules(parts)))
        for number, diagnostic, about_code in check_textes(textes, known):
            if diagnostic.code == "exercices_inverses":  # said of the keys themselves
                continue
            draft, texte = drafts[number], textes[number][1]
            if about_code and draft.code is not None:
                offset, shown = draft.code.place.start, ""
            else:
                offset, shown = self.place(draft, diagnostic.span.start), excerpt(texte, diagnostic.span)
            problem = self.source.problem(offset, diagnostic.message, diagnostic.hint, shown)
            self.problems.append(replace(problem, severity=diagnostic.severity))

    def place(self, draft: _Draft, offset: int) -> int:
        """Find the offset in the file of an offset in the joined text of a draft."""
        parts = [(" ".join(one.scalar.text.split()), one.first, one.last) for one in draft.formules]
        whole = origins(parts)
        if not whole:
            return draft.code.place.start if draft.code else draft.place
        past_end = offset >= len(whole)
        number, shift = whole[min(offset, len(whole) - 1)]
        if number < 0:  # in a bracket that joining added: the end of what stands before it
            before = [origin for origin in whole[:offset] if origin[0] >= 0]
            (number, shift), past_end = (before[-1] if before else (0, 0)), True
        scalar = draft.formules[number].scalar
        # Blanks were reduced to one space each: find the same character in the text as it was read.
        kept = [
            position for word in re.finditer(r"\S+", scalar.text) for position in (*range(*word.span()), word.end())
        ]
        return (
            self.source.offsets(scalar)[kept[shift]] + past_end if kept[shift] < len(scalar.text) else scalar.place.end
        )
