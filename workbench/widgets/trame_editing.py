"""The editor of trames in a notebook: the widget, and what each message of the browser does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from workbench.dgfip import Base
from workbench.errors import WorkbenchError
from workbench.plans import PlanComptes, PlansComptes
from workbench.trames import Trame, TrameSession
from workbench.widgets.component import source
from workbench.widgets.formule_editing import CodeComponent, answer_formule, incident_notice, notice
from workbench.widgets.trame_view import TrameView

__all__ = ["TrameEditor", "trame_editor"]


class TrameWidget(CodeComponent):
    """The editor of trames: messages are those of `FormuleWidget`, and those of `TrameEditor._done`."""

    _esm = source("dom.js", "combobox.js", "notices.js", "formule.js", "trame_panels.js", "trame_editor.js")


class TrameEditor:
    """An editor of trames; `trame_editor` makes it, a notebook shows it.

    Parameters
    ----------
    view
        What it shows.
    """

    def __init__(self, view: TrameView) -> None:
        self._view = view
        self._serial = -1
        self.widget = TrameWidget(state=view.state())
        self.widget.receive(self._on_message, self._on_incident)

    @property
    def session(self) -> TrameSession | None:
        """The trame being edited, with what is not saved; None before one is chosen."""
        self._view.hold()
        return self._view.session

    @property
    def trame(self) -> Trame | None:
        """The trame as it stands, saved or not."""
        session = self.session
        return None if session is None else session.trame

    @property
    def drafts(self) -> dict[str, str]:
        """Formules that are wrong, by indicateur: the trame has not taken them."""
        self._view.hold()
        return dict(self._view.drafts)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.widget)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        return f"<TrameEditor {self.session!r}>"

    def _on_incident(self, reference: str) -> None:
        self.widget.notices = [incident_notice(reference)]

    def _on_message(self, message: Mapping[str, Any]) -> None:
        if message.get("kind") == "text" and message.get("turn") != self._view.turn:
            # Typed before the browser knew that another indicateur is shown: it is not the formule of this one.
            self.widget.send({"kind": "stale"})
            return
        try:
            done = self._done(message)
        except WorkbenchError as error:
            self._show([notice(error)])
            return
        if done is not None:
            self._show([{"kind": "fait", "message": done, "hint": ""}] if done else [])
            return
        self._serial, notices = answer_formule(self.widget, self._view.draft, message, self._serial)
        if notices is not None:
            self._show(notices)

    def _show(self, notices: list[dict[str, str]]) -> None:
        self.widget.notices = notices
        self.widget.state = self._view.state()

    def _done(self, message: Mapping[str, Any]) -> str | None:
        """Do what a message asks of the trame; return what to say, empty for nothing, None when it is another's."""
        view = self._view
        match message:
            case {"kind": "find", "text": text, "serial": int(serial)}:
                self.widget.send({"kind": "found", "serial": serial, "rows": view.search(text)})
            case {"kind": "open", "name": name}:
                view.open(name)
            case {"kind": "create", "name": name, "nomenclature": nomenclature, "libelle": libelle, "private": private}:
                view.create(name, nomenclature, libelle, private)
                return f"La trame {view.name} est créée : ajoutez ses indicateurs."
            case {"kind": "close"}:
                view.close()
            case {"kind": "select", "code": code}:
                view.select(code)
            case {"kind": "hold"}:
                view.hold()
            case {"kind": "indicateur", "code": code, "libelle": libelle}:
                view.add(code, libelle)
            case {"kind": "rename", "code": code, "new": new}:
                view.rename(code, new)
            case {"kind": "duplicate", "code": code, "new": new}:
                view.duplicate(code, new)
            case {"kind": "delete", "code": code}:
                view.delete(code)
            case {"kind": "move", "code": code, "where": where}:
                view.move(code, where)
            case {"kind": "edit", "field": field, "value": value}:
                view.edit(field, value)
            case {"kind": "describe", "field": field, "value": value}:
                view.describe(field, value)
            case {"kind": "undo"}:
                view.undo()
            case {"kind": "redo"}:
                view.redo()
            case {"kind": "save"}:
                return view.save()
            case {"kind": "reread", "keep": keep}:
                return view.reread(keep)
            case {"kind": "rename_trame", "new": new}:
                return view.rename_trame(new)
            case {"kind": "duplicate_trame", "new": new}:
                return view.duplicate_trame(new)
            case {"kind": "delete_trame"}:
                return view.delete_trame()
            case {"kind": "adopt", "code": code}:
                return view.adopt(code)
            case {"kind": "export", "file": kind}:
                given = view.export(kind)
                self.widget.give(given.name, given.content, given.media_type)
            case _:
                return self._answered(message)
        return ""

    def _answered(self, message: Mapping[str, Any]) -> str | None:
        """Answer a question on the trame, in a panel of the browser."""
        view = self._view
        match message:
            case {"kind": "changes"}:
                answer: Any = {"title": "", "rows": view.changes()}
            case {"kind": "lint"}:
                answer = view.lint()
            case {"kind": "compare", "name": name}:
                answer = view.compare(name)
            case {"kind": "transpose", "before": before, "after": after}:
                answer = view.transpose(before, after)
            case {"kind": "transposed", "before": before, "after": after}:
                answer = view.transposed(before, after)
            case {"kind": "table"}:
                answer = view.table()
            case _:
                return None
        self.widget.send({"kind": "answer", "panel": message["kind"], "answer": answer})
        return ""


def trame_editor(
    trame: Trame | TrameSession | str | Path | None = None,
    base: Base | None = None,
    *,
    plans: PlansComptes | PlanComptes | None = None,
    sirets: Iterable[str] = (),
) -> TrameEditor:
    """Open the editor of trames in a notebook.

    Parameters
    ----------
    trame
        A code (``"~/code"`` for a private trame), a path, a session, or a trame, whose file is found by its code; None
        to choose one, or make one, in the editor.
    base
        An open base, for values and labels.
    plans
        Charts of accounts (`workbench.plans_comptes`); by default those of the base.
    sirets
        Collectivités whose values are shown at first.

    Returns
    -------
    TrameEditor
        ``.trame`` is the trame as it stands, ``.session`` what `workbench.edit_trame` gives. Nothing is written before
        one saves.

    Raises
    ------
    WorkbenchError
        ``trame_absente``, ``serie_ecriture``.

    Examples
    --------
    >>> import tempfile
    >>> from workbench.trames import edit_trame
    >>> folder = tempfile.TemporaryDirectory()
    >>> session = edit_trame(folder.name + "/essais.yaml", create=True, nomenclature="M57")
    >>> session.add("A_VENTES", "C70-D709[TA:BR]")
    >>> editor = trame_editor(session)
    >>> editor.trame.codes, editor.session.changed
    (('A_VENTES',), True)
    >>> folder.cleanup()
    """
    return TrameEditor(TrameView(trame, base, plans=plans, sirets=sirets))
