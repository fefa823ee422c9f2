"""What agents say of an établissement: threads of comments in the store, each changed by its author alone.

A comment is an object whose key names its author; the store lets nobody else write there. Its text is kept as HTML
escaped from what was typed; the little that older tools wrote (paragraphs, bold, italic, bullets) is read as text with
marks, and nothing else of HTML is ever shown. What was said before a change is kept in the comment, beside the sheets
that the store never forgets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

from workbench.dashboards.dates import moment
from workbench.dashboards.sheet_reading import seen
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.publication.objects import COMMENT
from workbench.store import StoreDoor

__all__ = ["LONGEST", "Discussion", "plain", "read_text"]

LONGEST = 5000
"""Characters of a comment."""

DEEPEST = 5
"""Levels of answers that are shown one inside the other."""

Run = dict[str, Any]


class _Reader(HTMLParser):
    """Reads paragraphs of runs; drops everything but texts, bold, italic, bullets."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.paragraphs: list[list[Run]] = [[]]
        self._bold = self._italic = self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in ("p", "div", "br", "li", "h1", "h2", "h3"):
            self.paragraphs.append([{"text": "• ", "bold": False, "italic": False}] if tag == "li" else [])
        self._count(tag, 1)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("p", "div", "li", "h1", "h2", "h3"):
            self.paragraphs.append([])
        self._count(tag, -1)

    def _count(self, tag: str, by: int) -> None:
        if tag in ("b", "strong"):
            self._bold = max(0, self._bold + by)
        elif tag in ("i", "em"):
            self._italic = max(0, self._italic + by)
        elif tag in ("script", "style", "template"):
            self._hidden = max(0, self._hidden + by)

    def handle_data(self, data: str) -> None:
        if self._hidden or not data:
            return
        first, *others = data.split("\n")
        for place, line in enumerate([first, *others]):
            if place:
                self.paragraphs.append([])
            if line:
                self.paragraphs[-1].append({"text": line, "bold": self._bold > 0, "italic": self._italic > 0})


def read_text(html: object) -> list[list[Run]]:
    """Read the text of a comment: paragraphs of runs, each with ``text``, ``bold``, ``italic``.

    Examples
    --------
    >>> read_text("<p>Un <b>mot</b></p><script>alert(1)</script>")[0][1]
    {'text': 'mot', 'bold': True, 'italic': False}
    """
    reader = _Reader()
    reader.feed(str(html or "")[: 10 * LONGEST])
    reader.close()
    return [runs for runs in reader.paragraphs if "".join(run["text"] for run in runs).strip()]


def plain(html: object) -> str:
    r"""Return the text of a comment, as it is typed.

    Examples
    --------
    >>> plain("<p>A &lt; B</p><p>C</p>")
    'A < B\nC'
    """
    return "\n".join("".join(run["text"] for run in runs) for runs in read_text(html))


def _kept(text: str) -> str:
    return "".join(f"<p>{escape(line, quote=False)}</p>" for line in text.split("\n") if line.strip())


class Discussion:
    """The comments on an établissement, for one person.

    Parameters
    ----------
    door
        The store, as her.
    siret
        Of what.
    """

    def __init__(self, door: StoreDoor, siret: str) -> None:
        self._door = door
        self.siret = siret

    def _objects(self) -> list[dict[str, Any]]:
        """Return the comments, the oldest first, of one identifier the first only."""
        found = [one for one in seen(self._door, COMMENT, {"siret": self.siret}) if one["key"].get("uuid")]
        found.sort(key=lambda one: (_when(one), str(one["key"]["uuid"]), str(one["key"].get("author"))))
        kept: dict[str, dict[str, Any]] = {}
        for one in found:
            if one["value"].get("text"):
                kept.setdefault(str(one["key"]["uuid"]), one)
        return list(kept.values())

    def threads(self) -> list[dict[str, Any]]:
        """Return the comments as trees, each level by date.

        Returns
        -------
        list of dict
            ``id``, ``author``, ``mine``, ``when``, ``text`` (paragraphs of runs), ``typed``, ``before`` (what was said,
            and when), ``answers``, alike; below `DEEPEST` levels, answers are at the last.
        """
        objects = self._objects()
        known = {str(one["key"]["uuid"]): one for one in objects}
        children: dict[str, list[str]] = {}
        for identifier, one in known.items():
            parent = str(one["key"].get("follows") or "")
            children.setdefault(parent if parent in known and parent != identifier else "", []).append(identifier)
        reached: set[str] = set()

        def tree(identifiers: Sequence[str], level: int) -> list[dict[str, Any]]:
            found = []
            for identifier in identifiers:
                if identifier in reached:
                    continue
                reached.add(identifier)
                below = tree(children.get(identifier, ()), level + 1)
                shown = self._shown(known[identifier])
                if level >= DEEPEST:
                    found += [{**shown, "answers": []}, *below]
                else:
                    found.append({**shown, "answers": below})
            return found

        roots = tree(children.get("", ()), 1)
        # Comments that follow each other in a circle hang from nothing.
        return roots + tree([each for each in known if each not in reached], 1)

    def _shown(self, one: Mapping[str, Any]) -> dict[str, Any]:
        value = one["value"]
        author = str(one["key"].get("author") or "")
        before = [each for each in value.get("before") or [] if isinstance(each, Mapping)]
        return {
            "id": str(one["key"]["uuid"]),
            "author": author,
            "mine": author == self._door.email,
            "when": moment(value.get("date")) or moment(one["addDate"]),
            "changed": moment(value.get("changed")),
            "text": read_text(value.get("text")),
            "typed": plain(value.get("text")),
            "before": [{"when": moment(each.get("date")), "text": read_text(each.get("text"))} for each in before],
        }

    def write(self, text: object, follows: object = "") -> None:
        """Say something, or answer.

        Raises
        ------
        WorkbenchError
            ``commentaire_vide``, ``commentaire_long``, ``commentaire_introuvable`` for an answer to nothing.
        """
        typed = _checked(text)
        key = {"siret": self.siret, "siren": self.siret[:9], "author": self._door.email, "uuid": str(uuid4())}
        if follows:
            if str(follows) not in {one["key"]["uuid"] for one in self._objects()}:
                raise WorkbenchError("commentaire_introuvable")
            key["follows"] = str(follows)
        self._put(key, {"date": _now(), "name": self._door.email, "text": _kept(typed)})

    def change(self, identifier: object, text: object) -> None:
        """Change one's own words; those of before are kept.

        Raises
        ------
        WorkbenchError
            ``commentaire_introuvable``, ``commentaire_autrui``, ``commentaire_inchange``, and those of `write`.
        """
        typed = _checked(text)
        one = next((each for each in self._objects() if each["key"]["uuid"] == identifier), None)
        if one is None:
            raise WorkbenchError("commentaire_introuvable")
        if one["key"].get("author") != self._door.email:
            raise WorkbenchError("commentaire_autrui")
        value = one["value"]
        if typed == plain(value.get("text")).strip():
            raise WorkbenchError("commentaire_inchange")
        said = {"date": value.get("changed") or value.get("date"), "text": value.get("text")}
        key = {name: pair for name, pair in one["key"].items() if name != "bucket"}
        now = {"text": _kept(typed), "changed": _now(), "before": [*(value.get("before") or []), said]}
        self._put(key, {**value, **now})

    def _put(self, key: Mapping[str, str], value: Mapping[str, Any]) -> None:
        self._door.put(COMMENT, [{"key": dict(key), "scope": [], "value": dict(value)}])


def _when(one: Mapping[str, Any]) -> datetime:
    """Return when something was first said: what it says of itself, else when the store was told."""
    try:
        found = datetime.fromisoformat(str(one["value"].get("date")))
    except ValueError:
        found = one["addDate"]
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _checked(text: object) -> str:
    typed = "\n".join(line.rstrip() for line in str(text).splitlines()).strip() if isinstance(text, str) else ""
    if not typed:
        raise WorkbenchError("commentaire_vide")
    if len(typed) > LONGEST:
        raise WorkbenchError("commentaire_long", longueur=len(typed), limite=LONGEST)
    return typed
