"""The formule editor in a notebook: the widget, and what each message of the browser does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import traitlets

from workbench.dgfip import Base
from workbench.errors import WorkbenchError
from workbench.formules import Diagnostic
from workbench.plans import PlanComptes, PlansComptes
from workbench.trames import Indicateur, Trame
from workbench.widgets.component import STATIC, Component, source
from workbench.widgets.formule_draft import FormuleDraft

__all__ = ["CodeComponent", "FormuleEditor", "answer_formule", "formule_editor", "incident_notice", "notice"]


@cache
def _codemirror() -> bytes:
    return (STATIC / "codemirror.js").read_bytes()


class CodeComponent(Component):
    """A widget with CodeMirror, which the page asks for once, by the message ``codemirror``."""

    library = traitlets.Unicode().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    notices: traitlets.List[Any] = traitlets.List().tag(sync=True)
    _css = source("editor.css")

    def __init__(self, **traits: Any) -> None:
        super().__init__(library=hashlib.sha256(_codemirror()).hexdigest()[:12], **traits)

    def send_codemirror(self) -> None:
        """Send CodeMirror itself."""
        self.send({"kind": "codemirror"}, buffers=[_codemirror()])


class FormuleWidget(CodeComponent):
    """The editor of one formule.

    Messages: ``text`` (text, serial), ``look`` (serial), ``complete`` (text, position, serial), ``plan``, ``search``,
    ``add``, ``remove``, ``period``, ``explain``, ``expand``, ``codemirror``.
    """

    _esm = source("dom.js", "combobox.js", "notices.js", "formule.js", "formule_editor.js")
    text = traitlets.Unicode().tag(sync=True)


class FormuleEditor:
    """An editor of one formule; `formule_editor` makes it, a notebook shows it.

    Parameters
    ----------
    draft
        The formule and what is known.
    """

    def __init__(self, draft: FormuleDraft) -> None:
        self._draft = draft
        self._serial = -1
        self.widget = FormuleWidget(text=draft.texte, state=draft.choices())
        self.widget.receive(self._on_message, self._on_incident)

    @property
    def formule(self) -> str:
        """The text as it stands."""
        return self._draft.texte

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """What is wrong or doubtful in it."""
        return self._draft.diagnostics

    @property
    def right(self) -> bool:
        """Whether it can be evaluated."""
        return self._draft.right

    def indicateur(self, code: str = "", libelle: str = "", **fields: str) -> Indicateur:
        """Return the indicateur that the formule makes; raises FormuleSyntaxError when it is wrong."""
        if not code:
            return self._draft.indicateur()
        return Indicateur.from_texte(code, self.formule, libelle, **fields)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.widget)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        return f"<FormuleEditor {self.formule!r}>"

    def _on_message(self, message: Mapping[str, Any]) -> None:
        self._serial, choices = answer_formule(self.widget, self._draft, message, self._serial)
        if choices is not None:
            self.widget.notices = choices
            self.widget.state = self._draft.choices()
        if message.get("kind") == "look":
            # A page that is loaded again begins with what was written.
            self.widget.text = self._draft.texte

    def _on_incident(self, reference: str) -> None:
        self.widget.notices = [incident_notice(reference)]


def answer_formule(
    widget: CodeComponent, draft: FormuleDraft, message: Mapping[str, Any], serial: int
) -> tuple[int, list[dict[str, str]] | None]:
    """Answer a message about a formule.

    Parameters
    ----------
    widget
        Where answers go.
    draft
        The formule.
    message
        What the browser sent, of which nothing is believed.
    serial
        Number of the text that the draft has: an older question is not answered.

    Returns
    -------
    tuple of int and list or None
        The number of the text now; the notices when what can be chosen changed, else None.
    """
    try:
        match message:
            case {"kind": "codemirror"}:
                widget.send_codemirror()
            case {"kind": "text", "text": text, "serial": int(number)}:
                draft.write(text)
                widget.send({"kind": "checked", "serial": number, **draft.said()})
                return number, None
            case {"kind": "look", "serial": int(number)} if number == serial:
                widget.send(looked(draft, number))
            case {"kind": "complete", "text": text, "position": position, "serial": int(number)}:
                options = draft.completions(text, position)
                widget.send({"kind": "completions", "serial": number, "options": options})
            case {"kind": "search", "text": text, "serial": int(number)}:
                widget.send({"kind": "suggestions", "serial": number, "options": draft.search(text)})
            case {"kind": "explain", "siret": siret, "exercice": exercice}:
                draft.wish(siret, exercice)
                widget.send(looked(draft, serial))
            case {"kind": "expand", "path": path}:
                node = draft.expansion(path)
                if node is not None:
                    widget.send({"kind": "children", "path": path, "node": node})
            case {"kind": "plan", "exercice": exercice}:
                draft.choose_plan(exercice)
                return serial, []
            case {"kind": "add", "siret": siret}:
                draft.add_collectivite(siret)
                return serial, []
            case {"kind": "remove", "siret": siret}:
                draft.remove_collectivite(siret)
                return serial, []
            case {"kind": "period", "debut": debut, "fin": fin}:
                draft.choose_period(debut, fin)
                return serial, []
    except WorkbenchError as error:
        return serial, [notice(error)]
    return serial, None


def looked(draft: FormuleDraft, serial: int) -> dict[str, Any]:
    """Return what follows from the text: its tree, what it reads, what it is worth and why."""
    return {
        "kind": "looked",
        "serial": serial,
        "right": draft.right,
        "empty": not draft.texte.strip(),
        "remarks": draft.remarks(),
        "tree": draft.tree(),
        "reads": draft.reads(),
        "values": draft.values(),
        "explanation": draft.explanation(),
    }


def notice(error: WorkbenchError) -> dict[str, str]:
    """Return an error as a message to show."""
    return {"kind": "erreur", "message": error.message, "hint": error.hint}


def incident_notice(reference: str) -> dict[str, str]:
    """Return what to say when something of ours went wrong."""
    hint = f"Réessayez ; si l'erreur revient, signalez la référence {reference}, que le journal du noyau détaille."
    return {"kind": "erreur", "message": "Cette action n'a pas abouti.", "hint": hint}


def formule_editor(
    formule: str = "",
    trame: Trame | None = None,
    base: Base | None = None,
    *,
    code: str = "",
    nomenclature: str | None = None,
    plans: PlansComptes | PlanComptes | None = None,
    sirets: Iterable[str] = (),
) -> FormuleEditor:
    """Open the editor of a formule in a notebook.

    Parameters
    ----------
    formule
        The text to begin with; by default that of ``code`` in the trame.
    trame
        The indicateurs that it may name.
    base
        An open base, for values and labels.
    code
        The indicateur that it is that of: it may not depend on itself.
    nomenclature
        That of the comptes; by default the trame's.
    plans
        Charts of accounts (`workbench.plans_comptes`); by default those of the base.
    sirets
        Collectivités whose values are shown at first; others are added in the editor.

    Returns
    -------
    FormuleEditor
        ``.formule`` is the text at any moment, ``.right`` whether it can be evaluated, ``.indicateur("A_B")`` what it
        makes.

    Raises
    ------
    WorkbenchError
        ``serie_ecriture`` for a serie, ``choix_inconnu`` for a SIRET that the base does not have.

    Examples
    --------
    >>> editor = formule_editor("C70-D70")
    >>> editor.right, editor.diagnostics[0].code
    (False, 'type_appel_absent')
    """
    if not formule and trame is not None and code in trame:
        formule = trame[code].texte
    draft = FormuleDraft(
        formule, code=code, trame=trame, base=base, nomenclature=nomenclature, plans=plans, sirets=sirets
    )
    return FormuleEditor(draft)
