"""YAML text read into plain nodes that know their place in it. The only reader of YAML.

The text is read event by event, without recursion and without building any object that it names: no tag, no alias,
no second document can get through, and a scalar is its text as written (``Non`` and ``2019`` are texts).
ruamel.yaml does the lexing; its messages become French sentences here.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from ruamel.yaml import YAML, events
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from workbench.trames.problems import TrameProblem

__all__ = ["MAX_BYTES", "Mapping", "Node", "Place", "Scalar", "Sequence", "Source", "YamlProblem", "read_nodes"]

MAX_BYTES = 1 << 20
_MAX_DEPTH = 12
# Lexing costs some 80 µs a node: the bound is what three thousand indicateurs need, and ten seconds at the most.
_MAX_NODES = 100_000
_NULLS = {"", "~", "null", "Null", "NULL"}


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of the text: zero-based offsets in characters, end excluded."""

    start: int
    end: int


@dataclass(slots=True)
class Scalar:
    """A text; ``plain`` when it is written without quotes nor block header."""

    text: str
    plain: bool
    place: Place

    @property
    def is_null(self) -> bool:
        """Whether it means that there is no value."""
        return self.plain and self.text in _NULLS


@dataclass(slots=True)
class Mapping:
    """Keys and values, in order; a key may come twice, the reader of the nodes says so."""

    place: Place
    entries: list[tuple[Scalar, Node]] = field(default_factory=list)
    block: bool = True


@dataclass(slots=True)
class Sequence:
    """Values, in order."""

    place: Place
    items: list[Node] = field(default_factory=list)
    block: bool = True


Node = Scalar | Mapping | Sequence


class YamlProblem(Exception):  # noqa: N818 (it carries a TrameProblem to the reader of the file, no one else sees it)
    """The text is no YAML, or YAML that trames refuse."""

    def __init__(self, problem: TrameProblem) -> None:
        super().__init__(problem)
        self.problem = problem


class Source:
    r"""A text and the places of its lines.

    Examples
    --------
    >>> source = Source("code: a\nlibelle: b\n")
    >>> source.line_column(10)
    (2, 3)
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0]
        position = 0
        while (position := text.find("\n", position) + 1) > 0:
            self.starts.append(position)

    def line_column(self, offset: int) -> tuple[int, int]:
        """One-based line and column of an offset."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def problem(self, offset: int, message: str, hint: str = "", excerpt: str = "") -> TrameProblem:
        """Build a problem at this offset."""
        line, column = self.line_column(offset)
        return TrameProblem(f"ligne {line}, colonne {column}", message, hint, excerpt, line, column)

    def offsets(self, scalar: Scalar) -> list[int]:
        """Find the offset in the file of each character of a scalar's text; its start where they cannot be told.

        Quotes, escapes and block headers stand in the file and not in the text, and a line break may have become a
        space; every other character is found in its order.
        """
        position, end = scalar.place.start, scalar.place.end
        if self.text[position : position + 1] in {"|", ">"} and not scalar.plain:
            position = self.text.find("\n", position, end) + 1 or end
        found: list[int] = []
        for character in scalar.text:
            if character.isspace():
                found.append(position)
                continue
            position = self.text.find(character, position, end)
            if position < 0:
                return [scalar.place.start] * len(scalar.text)
            found.append(position)
            position += 1
        return found


def read_nodes(text: str) -> tuple[Source, Node | None]:
    """Read a YAML text; None when it holds nothing but comments.

    Raises
    ------
    YamlProblem
        At the first place that is no YAML, or that holds an alias, an anchor, a tag, a second document, or nodes nested
        too deep.

    Examples
    --------
    >>> source, node = read_nodes("code: a_b # remarque")
    >>> [(key.text, value.text) for key, value in node.entries]
    [('code', 'a_b')]
    """
    source = Source(text)
    reader = YAML(typ="safe", pure=True)
    root: list[Node] = []
    stack: list[Mapping | Sequence] = []
    keys: list[Scalar | None] = []
    documents = nodes = 0
    try:
        for event in reader.parse(text):
            if isinstance(event, events.NodeEvent):
                _refuse_names(source, event)
            if isinstance(event, events.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise YamlProblem(
                        source.problem(
                            event.start_mark.index, "le fichier contient plusieurs documents", "retirez « --- »"
                        )
                    )
            elif isinstance(event, (events.MappingEndEvent, events.SequenceEndEvent)):
                closed = stack.pop()
                keys.pop()
                closed.place = Place(closed.place.start, event.end_mark.index)
            elif isinstance(event, events.NodeEvent):
                nodes += 1
                if nodes > _MAX_NODES:
                    raise YamlProblem(source.problem(event.start_mark.index, "le fichier contient trop de valeurs"))
                node = _node(event)
                _attach(source, node, stack, keys, root)
                if not isinstance(node, Scalar):
                    stack.append(node)
                    keys.append(None)
                    if len(stack) > _MAX_DEPTH:
                        raise YamlProblem(source.problem(node.place.start, "trop de niveaux imbriqués"))
    except YAMLError as error:
        raise YamlProblem(_translated(source, error)) from None
    return source, (root[0] if root else None)


def _node(event: events.NodeEvent) -> Node:
    place = Place(event.start_mark.index, event.end_mark.index)
    if isinstance(event, events.ScalarEvent):
        return Scalar(event.value, event.style in {None, ""}, place)
    if isinstance(event, events.MappingStartEvent):
        return Mapping(place, block=not event.flow_style)
    return Sequence(place, block=not getattr(event, "flow_style", False))


def _attach(
    source: Source, node: Node, stack: list[Mapping | Sequence], keys: list[Scalar | None], root: list[Node]
) -> None:
    if not stack:
        root.append(node)
    elif isinstance(parent := stack[-1], Sequence):
        parent.items.append(node)
    elif (key := keys[-1]) is not None:
        parent.entries.append((key, node))
        keys[-1] = None
    elif isinstance(node, Scalar):
        keys[-1] = node
    else:
        raise YamlProblem(source.problem(node.place.start, "une clé est un mot, pas une liste ni un groupe de clés"))


def _refuse_names(source: Source, event: events.NodeEvent) -> None:
    offset = event.start_mark.index
    if isinstance(event, events.AliasEvent) or event.anchor is not None:
        hint = "écrivez la valeur ; un texte qui commence par & ou * se met entre guillemets"
        raise YamlProblem(source.problem(offset, "les ancres (&) et les renvois (*) ne sont pas admis", hint))
    tag = getattr(event, "ctag", None) or getattr(event, "tag", None)
    if tag is not None and str(tag) != "None":
        hint = "retirez l'étiquette ; un texte qui commence par ! se met entre guillemets"
        raise YamlProblem(source.problem(offset, "les étiquettes de type (!) ne sont pas admises", hint))


_SENTENCES = (
    (
        "mapping values are not allowed",
        "« : » n'est pas attendu ici",
        "alignez les clés ; mettez entre guillemets un texte qui contient « : »",
    ),
    ("'\\t'", "une tabulation ne peut pas servir à aligner", "remplacez-la par des espaces"),
    ("cannot start any token", "ce caractère ne peut pas commencer une valeur", "mettez le texte entre guillemets"),
    ("could not find expected ':'", "il manque « : » après la clé", "écrivez « clé: valeur », avec une espace"),
    (
        "expected <block end>",
        "l'alignement ne va pas avec celui des lignes du dessus",
        "alignez les clés d'un même groupe",
    ),
    (
        "expected ',' or ']'",
        "la liste entre crochets n'est pas fermée",
        "ajoutez « ] », ou mettez le texte entre guillemets",
    ),
    (
        "expected ',' or '}'",
        "le groupe entre accolades n'est pas fermé",
        "ajoutez « } », ou mettez le texte entre guillemets",
    ),
    ("expected the node content", "une valeur est attendue ici", "complétez, ou mettez le texte entre guillemets"),
    ("unexpected end of stream", "des guillemets ouverts ne sont pas fermés", "fermez-les"),
    (
        "unknown escape character",
        "ce caractère ne suit pas une barre oblique inverse",
        "doublez la barre, ou mettez entre '…'",
    ),
    ("special characters are not allowed", "le fichier contient un caractère de contrôle", "retirez-le"),
)


def _translated(source: Source, error: YAMLError) -> TrameProblem:
    problem = str(getattr(error, "problem", "") or getattr(error, "reason", "") or error)
    mark = (error.problem_mark or error.context_mark) if isinstance(error, MarkedYAMLError) else None
    offset = mark.index if mark is not None else int(getattr(error, "position", 0) or 0)
    offset = min(offset, max(len(source.text) - 1, 0))
    for words, sentence, hint in _SENTENCES:
        if words in problem:
            return source.problem(offset, sentence, hint)
    return source.problem(
        offset, "le fichier n'est pas du YAML correct à cet endroit", f"message d'origine : {problem}"
    )
