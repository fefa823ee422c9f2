"""Comments: an author, a moment, a text, on the application, a trame, or an indicateur of a trame.

A text is plain: what looks like markup is shown as it was typed, and characters that change how the others read are
taken away. Everybody reads comments; each changes or removes her own. Those on one's own trames, ``~/code``, are
one's own too: such a code is another trame for another person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from sqlalchemy import Column, Index, Row, Text, delete, insert, or_, select, update

from workbench.config import settings
from workbench.errors import WorkbenchError, require_kind
from workbench.registry import Moment, Registry, Room, new_identifier, new_metadata, open_registry
from workbench.trames import find_trame

__all__ = ["ROOM", "Comment", "add_comment", "clean_text", "comments", "delete_comment", "edit_comment"]

LONGEST = 5_000
"""Characters of a comment."""

ROOM = Room("discussion", new_metadata(), "workbench.discussion.migrations")

_comments = ROOM.table(
    "comment",
    Column("id", Text, primary_key=True),
    Column("author", Text, nullable=False),
    Column("created", Moment, nullable=False),
    Column("edited", Moment),
    Column("trame", Text),
    Column("indicateur", Text),
    Column("text", Text, nullable=False),
    Index(None, "trame", "indicateur"),
)


@dataclass(frozen=True)
class Comment:
    """A comment.

    Parameters
    ----------
    id
        Its identifier.
    author
        E-mail of who wrote it.
    created, edited
        When it was written, and last changed; None when it never was.
    trame, indicateur
        What it is about; None for the application, or for the trame as a whole.
    text
        Plain text, several lines perhaps.
    """

    id: str
    author: str
    created: datetime
    edited: datetime | None
    trame: str | None
    indicateur: str | None
    text: str

    @property
    def about(self) -> str:
        """What it is about, in French."""
        if self.trame is None:
            return "l'application"
        return f"{self.indicateur} ({self.trame})" if self.indicateur else f"la trame {self.trame}"

    def __str__(self) -> str:
        changed = ", modifié" if self.edited else ""
        return f"{self.author}, {self.created.astimezone():%d/%m/%Y à %H:%M}{changed}, sur {self.about} :\n{self.text}"

    def _repr_html_(self) -> str:
        heading, _, text = str(self).partition("\n")
        return f"<p><b>{escape(heading)}</b></p><p style='white-space: pre-wrap'>{escape(text)}</p>"


def clean_text(text: str) -> str:
    r"""Return a comment as it is kept: no control character, nothing that turns the direction of others, trimmed.

    Raises
    ------
    WorkbenchError
        ``commentaire_vide``, ``commentaire_long``, ``argument_inattendu``.

    Examples
    --------
    >>> clean_text("  Voir 7391\u202e\r\n<b>sic</b>\x00 ")
    'Voir 7391\n<b>sic</b>'
    """
    require_kind(text, str, "text", "un texte")
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    kept = "".join(
        character
        for character in lines
        if character in "\n\u200c\u200d" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    kept = re.sub(r"\n{3,}", "\n\n", kept).strip()
    if not kept:
        raise WorkbenchError("commentaire_vide")
    if len(kept) > LONGEST:
        raise WorkbenchError("commentaire_long", longueur=len(kept), limite=LONGEST)
    return kept


@contextmanager
def _opened(registry: Registry | None) -> Iterator[Registry]:
    if registry is not None:
        yield registry
        return
    with open_registry(rooms=[ROOM]) as opened:
        yield opened


def _target(trame: str | None, indicateur: str | None) -> None:
    """Refuse what does not exist."""
    if trame is None:
        if indicateur is not None:
            raise WorkbenchError("commentaire_sans_trame", indicateur=indicateur)
        return
    found = find_trame(trame)
    if indicateur is not None and indicateur not in {one.code for one in found.indicateurs}:
        raise WorkbenchError("indicateur_absent", indicateur=indicateur, trame=trame)


def add_comment(
    text: str,
    *,
    trame: str | None = None,
    indicateur: str | None = None,
    author: str | None = None,
    registry: Registry | None = None,
) -> Comment:
    """Write a comment.

    Parameters
    ----------
    text
        Plain text; see `clean_text`.
    trame, indicateur
        What it is about: codes. Neither for the application.
    author
        E-mail of who writes; that of the settings (``WORKBENCH_COURRIEL``) by default.
    registry
        An open registry that holds `ROOM`; that of the settings by default.

    Raises
    ------
    WorkbenchError
        ``commentaire_vide``, ``commentaire_long``, ``commentaire_sans_trame``, ``trame_absente``,
        ``indicateur_absent``, and those of `workbench.registry.open_registry`.

    Examples
    --------
    >>> import tempfile
    >>> with open_registry(tempfile.mkdtemp() + "/r.sqlite", rooms=[ROOM]) as registry:
    ...     said = add_comment("Que dit 7391 ?", author="anne@exemple.fr", registry=registry)
    ...     [comment.text for comment in comments(registry=registry)] == [said.text]
    True
    """
    cleaned = clean_text(text)
    _target(trame, indicateur)
    with _opened(registry) as opened, opened.write() as connection:
        comment = Comment(
            new_identifier(), author or settings().email, opened.now(connection), None, trame, indicateur, cleaned
        )
        connection.execute(insert(_comments).values(vars(comment)))
    return comment


def comments(
    *,
    trame: str | None = None,
    indicateur: str | None = None,
    everything: bool = False,
    author: str | None = None,
    registry: Registry | None = None,
    limit: int | None = None,
) -> list[Comment]:
    """List comments, the latest first.

    Parameters
    ----------
    trame, indicateur
        What they are about; neither for those on the application.
    everything
        Of a trame, those on its indicateurs too; without a trame, all of them.
    author
        E-mail of who reads, for comments on her own trames; that of the settings by default.
    registry
        As for `add_comment`.
    limit
        How many; None for all.

    Raises
    ------
    WorkbenchError
        ``commentaire_sans_trame`` for an indicateur without its trame.
    """
    if trame is None and indicateur is not None:
        raise WorkbenchError("commentaire_sans_trame", indicateur=indicateur)
    reader = author or settings().email
    rows = _comments.c
    chosen = select(_comments).where(
        or_(rows.trame.is_(None), rows.trame.not_like("~/%"), rows.author == reader),
    )
    if trame is not None or not everything:
        chosen = chosen.where(rows.trame == trame if trame is not None else rows.trame.is_(None))
    if indicateur is not None or not everything:
        chosen = chosen.where(rows.indicateur == indicateur if indicateur is not None else rows.indicateur.is_(None))
    with _opened(registry) as opened, opened.read() as connection:
        return [_comment(row) for row in connection.execute(chosen.order_by(rows.id.desc()).limit(limit))]


def _comment(row: Row[Any]) -> Comment:
    return Comment(**row._mapping)


def edit_comment(identifier: str, text: str, *, author: str | None = None, registry: Registry | None = None) -> Comment:
    """Change the text of one's own comment.

    Raises
    ------
    WorkbenchError
        ``commentaire_absent``, whether it does not exist or is another person's; ``commentaire_vide``,
        ``commentaire_long``.
    """
    cleaned = clean_text(text)
    own = (_comments.c.id == identifier, _comments.c.author == (author or settings().email))
    with _opened(registry) as opened, opened.write() as connection:
        changed = update(_comments).where(*own).values(text=cleaned, edited=opened.now(connection))
        if not connection.execute(changed).rowcount:
            raise WorkbenchError("commentaire_absent", commentaire=identifier)
        return _comment(connection.execute(select(_comments).where(*own)).one())


def delete_comment(identifier: str, *, author: str | None = None, registry: Registry | None = None) -> None:
    """Remove one's own comment.

    Raises
    ------
    WorkbenchError
        ``commentaire_absent``, whether it does not exist or is another person's.
    """
    own = (_comments.c.id == identifier, _comments.c.author == (author or settings().email))
    with _opened(registry) as opened, opened.write() as connection:
        if not connection.execute(delete(_comments).where(*own)).rowcount:
            raise WorkbenchError("commentaire_absent", commentaire=identifier)
