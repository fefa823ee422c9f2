"""The pages of the sheets: the components, and what each message of the browser does."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from typing import Any
from urllib.parse import parse_qs

from workbench.dashboards.components import Actions, Component, outlines
from workbench.dashboards.documents import Document
from workbench.dashboards.entreprise import EntrepriseView
from workbench.dashboards.etablissement import EtablissementView
from workbench.dashboards.notices import incident, notice, notice_of
from workbench.dashboards.sheet_components import SheetBlocks, SheetHead, SheetOpinion, SheetThreads
from workbench.errors import WorkbenchError
from workbench.store import StoreDoor, my_store
from workbench.widgets.background import Background

__all__ = ["SheetPage", "entreprise_page", "etablissement_page"]

_HELD = ExitStack()
"""The store of this kernel, open as long as it lives."""


class SheetPage:
    """Shows a view; displayed in a notebook, it is the dashboard.

    Parameters
    ----------
    view
        What to show.
    """

    def __init__(self, view: EtablissementView | EntrepriseView) -> None:
        self._view = view
        self._background = Background()
        self.head = SheetHead()
        self.actions = Actions()
        self.blocks = SheetBlocks(address=os.environ.get("WORKBENCH_PLOTLY", ""), outlines=outlines())
        self.components: list[Component] = [self.head, self.actions, self.blocks]
        self.head.receive(self._on_head, self._on_incident)
        self.blocks.receive(self._on_blocks, self._on_incident)
        self.actions.receive(self._on_actions, self._on_incident)
        if isinstance(view, EtablissementView):
            self.opinion, self.threads = SheetOpinion(), SheetThreads()
            self.components += [self.opinion, self.threads]
            self.opinion.receive(self._on_opinion, self._on_incident)
            self.threads.receive(self._on_threads, self._on_incident)
        self.actions.files = [
            {"value": "docx", "label": "Télécharger la fiche (Word)", "description": "Ce que vous voyez, en tableaux"},
            {
                "value": "pdf",
                "label": "Télécharger la fiche (PDF)",
                "description": "Ce que vous voyez, avec les graphiques",
            },
        ]
        self._show()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for component in self.components:
            display(component)  # type: ignore[no-untyped-call]

    def _show(self) -> None:
        self.head.state = self._view.head()
        self.blocks.blocks = self._view.blocks()
        if isinstance(self._view, EtablissementView):
            self.opinion.state = self._view.opinion()
            self.threads.threads = self._view.comments()

    def _try(self, act: Callable[[], object], said: str = "") -> bool:
        try:
            act()
        except WorkbenchError as error:
            self.actions.say([notice_of(error)])
            return False
        self.actions.say([notice(said)] if said else [])
        return True

    def _on_head(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"kind": "follow", "category": category, "reason": reason}:
                said = "Vous suivez cette entreprise : ce que votre habilitation permet est ouvert."
                done = self._try(lambda: self._view.follow(category, reason), said)
            case {"kind": "unfollow", "category": category, "reason": reason}:
                done = self._try(lambda: self._view.unfollow(category, reason), "Vous ne suivez plus cette entreprise.")
            case _:
                return
        if not done:
            # Done in another tab, perhaps: the page shows what is.
            with suppress(WorkbenchError):
                self._view.read()
        self._show()

    def _on_blocks(self, message: Mapping[str, Any]) -> None:
        view = self._view
        match message:
            case {"kind": "sort", "value": value} if isinstance(view, EntrepriseView):
                if self._try(lambda: view.choose(value)):
                    changed = view.etablissements()
                    self.blocks.blocks = [
                        changed if each["name"] == changed["name"] else each for each in self.blocks.blocks
                    ]
            case {"kind": "library"}:
                self.blocks.send_library()

    def _on_actions(self, message: Mapping[str, Any]) -> None:
        kind = message.get("file")
        if message.get("kind") == "download":
            self._background.start("file", lambda _: self._view.document(kind), self._give, self._failed)

    def _give(self, document: Document | None) -> None:
        if document is not None:
            self.actions.give(document.name, document.content, document.media_type)

    def _failed(self, error: WorkbenchError) -> None:
        self.actions.say([notice_of(error)])

    def _on_opinion(self, message: Mapping[str, Any]) -> None:
        view = self._view
        match message:
            case {"kind": "judge", "useful": useful, "reasons": reasons} if isinstance(view, EtablissementView):
                comment = message.get("comment")
                if self._try(lambda: view.judge(useful, reasons, comment), "Merci, votre avis est enregistré."):
                    self.opinion.state = view.opinion()

    def _on_threads(self, message: Mapping[str, Any]) -> None:
        view = self._view
        if not isinstance(view, EtablissementView):
            return
        match message:
            case {"kind": "write", "text": text}:
                about = message.get("follows")
                done = self._try(lambda: view.discussion.write(text, about))
            case {"kind": "change", "id": about, "text": text}:
                done = self._try(lambda: view.discussion.change(about, text))
            case _:
                return
        if done:
            # Which of her words are kept: others, that she has begun elsewhere on the page, stay where they are.
            self.threads.send({"kind": "kept", "about": about or ""})
            self.threads.threads = view.comments()

    def _on_incident(self, reference: str) -> None:
        self.actions.say([incident(reference)])


class _Absent:
    """A page that has nothing to show: what prevents it, and a field for another number."""

    def __init__(self, error: WorkbenchError | None, asked: Mapping[str, str]) -> None:
        self.head = SheetHead(asked=dict(asked))
        said = [] if error is None else [notice_of(error)]
        self.components: list[Component] = [Actions(notices=said), self.head]

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for component in self.components:
            display(component)  # type: ignore[no-untyped-call]


def _opened(
    name: str, label: str, view: Callable[[StoreDoor, str], EtablissementView | EntrepriseView]
) -> SheetPage | _Absent:
    asked = parse_qs(os.environ.get("QUERY_STRING", "")).get(name, [""])[0]
    field = {"name": name, "label": label, "value": asked[:40]}
    if not asked.strip():
        return _Absent(None, field)
    try:
        return SheetPage(view(_HELD.enter_context(my_store()), asked))
    except WorkbenchError as error:
        return _Absent(error, field)


def etablissement_page() -> SheetPage | _Absent:
    """Return the page of the établissement that the address names (``?siret=``); what prevents it is said."""
    return _opened("siret", "SIRET de l'établissement (14 chiffres)", EtablissementView)


def entreprise_page() -> SheetPage | _Absent:
    """Return the page of the company that the address names (``?siren=``); what prevents it is said."""
    return _opened("siren", "SIREN de l'entreprise (9 chiffres)", EntrepriseView)
