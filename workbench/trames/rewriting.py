"""A trame written into the text of the file that is already there.

Rewriting works on the text, not on a loaded copy of it: each key and each element of a list is a stretch of lines,
those whose value did not change stay to the byte, and what stands between two stretches (comments, blank lines)
belongs to the second. A rewritten text is read again and compared before anyone sees it.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Map
from typing import TypeVar

from workbench.errors import WorkbenchError
from workbench.trames.model import Formule, Indicateur, Trame
from workbench.trames.reading import FORMULE_KEYS, INDICATEUR_KEYS, TRAME_KEYS
from workbench.trames.writing import (
    entries_text,
    formule_entries,
    indicateur_entries,
    trame_entries,
    trame_yaml,
    verified,
)
from workbench.trames.yaml_nodes import Mapping, Node, Scalar, Sequence, Source, read_nodes

__all__ = ["updated_yaml"]

_T = TypeVar("_T")
_FORMULES = ("formule", "formules")

# The node that an element comes from, whether it is unchanged, its new text from its first key.
_Wanted = tuple[Node | None, bool, str | None]


def updated_yaml(text: str, old: Trame, trame: Trame, name: str = "ce fichier") -> str:
    r"""Write a trame into the text of a file that holds ``old``.

    Parameters
    ----------
    text
        The file; right, and reading as ``old``.
    old, trame
        What it holds, what it shall hold.
    name
        Path of the file, for the error.

    Raises
    ------
    WorkbenchError
        When the text is laid out in a way that cannot be edited without losing its comments.

    Examples
    --------
    >>> from workbench.trames.reading import read_yaml
    >>> text = "code: essai\nindicateurs:\n  # le compte 70\n  - code: A_B # ventes\n    formule: C70[TA:BX]\n"
    >>> old, _ = read_yaml(text, "essai")
    >>> new = old.with_indicateur(Indicateur.from_texte("A_B", "C70[TA:BX]", "Ventes"))
    >>> print(updated_yaml(text, old, new), end="")
    code: essai
    indicateurs:
      # le compte 70
      - code: A_B # ventes
        libelle: Ventes
        formule: C70[TA:BX]
    """
    if old == trame:
        return text
    crlf = "\r\n" in text
    lines = text.replace("\r\n", "\n")
    source, root = read_nodes(lines)
    try:
        new = verified(_Rewriter(source).trame(root, old, trame), trame)
    except _UnusualLayout:
        if _has_comments(source, root):
            cause = "la mise en page de ses lignes ne permet pas d'en garder les commentaires"
            raise WorkbenchError("trame_ecriture", trame=trame.code, chemin=name, cause=cause) from None
        new = trame_yaml(trame)
    return new.replace("\n", "\r\n") if crlf else new


class _UnusualLayout(Exception):  # noqa: N818 (a signal between two functions of this module)
    """The lines do not have the shape that editing relies on."""


def _has_comments(source: Source, root: Node | None) -> bool:
    """Whether a ``#`` stands outside the texts."""
    left = list(source.text)

    def blank(node: Node | None) -> None:
        if isinstance(node, Scalar):
            left[node.place.start : node.place.end] = " " * (node.place.end - node.place.start)
        elif isinstance(node, Sequence):
            for item in node.items:
                blank(item)
        elif isinstance(node, Mapping):
            for key, value in node.entries:
                blank(key)
                blank(value)

    blank(root)
    return "#" in left


class _Rewriter:
    """Rewrites stretches of a text; every method returns the new text of one node."""

    def __init__(self, source: Source) -> None:
        self.text = source.text
        self.source = source

    def trame(self, root: Node | None, old: Trame, new: Trame) -> str:
        if not (isinstance(root, Mapping) and root.block):
            raise _UnusualLayout
        fresh = trame_entries(new)
        changes = {
            key: fresh.get(key) for key in TRAME_KEYS if key != "indicateurs" and getattr(old, key) != getattr(new, key)
        }
        key, node = next(entry for entry in root.entries if entry[0].text == "indicateurs")
        if old.indicateurs != new.indicateurs:
            changes["indicateurs"] = fresh["indicateurs"]
            if isinstance(node, Sequence) and node.block and node.items and new.indicateurs:
                names = _renamed(old, new)
                pairs = zip(node.items, old.indicateurs, strict=True)
                before = {names.get(one.code, one.code): (item, one) for item, one in pairs}
                wanted = [(*before.get(one.code, (None, None)), one) for one in new.indicateurs]
                changes["indicateurs"] = "indicateurs:" + self.sequence(
                    key,
                    node,
                    [(item, was == one, self._indicateur_text(item, was, one)) for item, was, one in wanted],
                    lambda one, indent: entries_text(indicateur_entries(one, indent), indent),
                    new.indicateurs,
                )
        start, end = root.entries[0][0].place.start, self.line_end(root)
        return self.text[:start] + self.mapping(root, changes, TRAME_KEYS) + self.text[end:]

    def _indicateur_text(self, item: Node | None, old: Indicateur | None, new: Indicateur) -> str | None:
        """Return the new text of an indicateur that was there, from its first key; None to have it written afresh."""
        if old is None or not (isinstance(item, Mapping) and item.block):
            return None
        fresh = indicateur_entries(new, self.column(item.entries[0][0].place.start))
        names = ("code", "libelle", "description", "reference", "theme", "unite")
        changes = {key: fresh.get(key) for key in names if getattr(old, key) != getattr(new, key)}
        if old.formules != new.formules:
            entry = next(((key, value) for key, value in item.entries if key.text in _FORMULES), None)
            name = next((name for name in _FORMULES if name in fresh), None)
            # A list where there was a text, or the other way round, keeps its place and the comments above.
            changes[entry[0].text if entry else "formule"] = fresh[name] if name else None
            if entry and isinstance(node := entry[1], Sequence) and node.block and node.items and name == "formules":
                changes["formules"] = "formules:" + self.sequence(
                    entry[0],
                    node,
                    self._formule_texts(node.items, old.formules, new.formules),
                    lambda one, indent: entries_text(formule_entries(one, indent), indent),
                    new.formules,
                )
        return self.mapping(item, changes, INDICATEUR_KEYS)

    def _formule_texts(self, items: list[Node], old: tuple[Formule, ...], new: tuple[Formule, ...]) -> list[_Wanted]:
        """Give each new formule the lines of the one it equals, else of one of the same text, else of the next."""
        left = list(zip(items, old, strict=True))
        taken: dict[int, tuple[Node, Formule]] = {}
        for alike in (lambda was, part: was == part, lambda was, part: was.texte == part.texte, lambda *_: True):
            for rank, part in enumerate(new):
                place = next((place for place, (_, was) in enumerate(left) if alike(was, part)), None)
                if rank not in taken and place is not None:
                    taken[rank] = left.pop(place)
        return [self._formule_text(taken.get(rank), part) for rank, part in enumerate(new)]

    def _formule_text(self, pair: tuple[Node, Formule] | None, new: Formule) -> _Wanted:
        if pair is None:
            return None, False, None
        item, old = pair
        if old == new or not (isinstance(item, Mapping) and item.block):
            return item, old == new, None
        fresh = formule_entries(new, self.column(item.entries[0][0].place.start))
        fields = dict(zip(FORMULE_KEYS, ("texte", "exercice_min", "exercice_max"), strict=True))
        changes = {key: fresh.get(key) for key, name in fields.items() if getattr(old, name) != getattr(new, name)}
        return item, False, self.mapping(item, changes, FORMULE_KEYS)

    def mapping(self, node: Mapping, changes: Map[str, str | None], order: tuple[str, ...]) -> str:
        """Return the text of a group of keys, from its first key, with new entries, or None for those that leave."""
        margin = "\n" + " " * self.column(node.entries[0][0].place.start)
        stretches: dict[str, tuple[str, str]] = {}
        previous = node.entries[0][0].place.start
        for key, value in node.entries:
            end = self.line_end(value, key)
            stretches[key.text] = (self.text[previous : key.place.start], self.text[key.place.start : end])
            previous = end
        for name, entry in changes.items():
            gap, body = stretches.get(name, (margin, ""))
            if entry is None:
                stretches.pop(name, None)
            elif name in stretches:
                first, *rest = entry.split("\n")
                stretches[name] = (gap, "\n".join([first + self._remark(node, name, body), *rest]))
            else:
                stretches = _inserted(stretches, name, (margin, entry), order)
        parts = list(stretches.values())
        return "".join([parts[0][1], *((gap if "\n" in gap else margin) + body for gap, body in parts[1:])])

    def _remark(self, node: Mapping, name: str, body: str) -> str:
        """Return the comment at the end of the line of an entry written on one line."""
        key, value = next(entry for entry in node.entries if entry[0].text == name)
        end = self.content_end(value, key)
        remark = self.text[end : key.place.start + len(body)]
        return remark if "\n" not in body and remark.lstrip().startswith("#") else ""

    def sequence(
        self,
        key: Scalar,
        node: Sequence,
        wanted: list[_Wanted],
        write: Callable[[_T, int], str],
        values: tuple[_T, ...],
    ) -> str:
        """Return the text of a list, from after the colon of its key.

        An element without node or text is written afresh.
        """
        dashes = [self.dash(item) for item in node.items]
        column = self.column(dashes[0])
        start = self.text.index(":", key.place.end) + 1
        header_end = self.text.index("\n", start)
        gaps, bodies = {}, {}
        previous = header_end
        for old, dash in zip(node.items, dashes, strict=True):
            gaps[id(old)], bodies[id(old)] = self.text[previous:dash], self.text[dash : self.line_end(old)]
            previous = self.line_end(old)
        spaced = any("\n\n" in gaps[id(old)] for old in node.items[1:])
        pieces = [self.text[start:header_end]]
        for rank, ((item, unchanged, changed), value) in enumerate(zip(wanted, values, strict=True)):
            gap = gaps[id(item)] if item is not None else ("\n\n" if spaced and rank else "\n") + " " * column
            if spaced and rank and item is node.items[0] and not gap.startswith("\n\n"):
                gap = "\n" + gap
            if item is not None and unchanged:
                body = bodies[id(item)]
            elif isinstance(item, Mapping) and changed is not None:
                body = self.text[self.dash(item) : item.entries[0][0].place.start] + changed
            else:
                body = "- " + write(value, column + 2)
            pieces.append(gap if rank else "\n" + gap.lstrip("\n"))
            pieces.append(body)
        return "".join(pieces)

    def dash(self, item: Node) -> int:
        """Find the dash before an element."""
        before = self.text[: item.place.start].rstrip()
        if not before.endswith("-"):
            raise _UnusualLayout
        return len(before) - 1

    def column(self, offset: int) -> int:
        return self.source.line_column(offset)[1] - 1

    def content_end(self, node: Node, key: Scalar | None = None) -> int:
        """Find the offset after the last character of a node, comments aside; after the colon for an empty value."""
        if isinstance(node, Scalar):
            if node.place.start == node.place.end and key is not None:
                return self.text.index(":", key.place.end) + 1
            return node.place.start + len(self.text[node.place.start : node.place.end].rstrip())
        if not node.block:
            return node.place.end
        if isinstance(node, Sequence):
            return self.content_end(node.items[-1])
        last_key, last = node.entries[-1]
        return self.content_end(last, last_key)

    def line_end(self, node: Node, key: Scalar | None = None) -> int:
        """Find the offset of the line break that ends the last line of a node."""
        found = self.text.find("\n", self.content_end(node, key))
        return len(self.text) if found < 0 else found


def _renamed(old: Trame, new: Trame) -> Map[str, str]:
    """Find the indicateurs that only changed their code: same rank, same formules; their lines are theirs still."""
    if len(old) != len(new):
        return {}
    pairs = zip(old.indicateurs, new.indicateurs, strict=True)
    return {
        was.code: one.code
        for was, one in pairs
        if was.code not in new and one.code not in old and was.formules == one.formules
    }


def _inserted(
    stretches: dict[str, tuple[str, str]], name: str, stretch: tuple[str, str], order: tuple[str, ...]
) -> dict[str, tuple[str, str]]:
    """Put an entry after the last of those that come before it in the usual order."""
    names = list(stretches)
    before = [place for place, other in enumerate(names) if other in order[: order.index(name)]]
    names.insert(before[-1] + 1 if before else 0, name)
    whole = {**stretches, name: stretch}
    return {other: whole[other] for other in names}
