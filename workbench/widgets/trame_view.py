"""A trame being edited, without a widget: what an editor shows of it, and what each gesture does.

A `TrameSession` holds the trame; the formule at hand is a `FormuleDraft`. A formule that is right goes into the trame
when one leaves it; one that is wrong is kept aside, under its code, and neither lost nor saved. Nothing that comes from
the browser is believed.

The gestures of an editor are one list, hence one module.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.dgfip import Base
from workbench.errors import WorkbenchError
from workbench.plans import PlanComptes, PlansComptes
from workbench.trames import (
    UNITES,
    Trame,
    TrameSession,
    Transposition,
    catalogue,
    compare_trames,
    create_trame,
    delete_trame,
    duplicate_trame,
    edit_trame,
    load_trame,
    rename_trame,
    save_trame,
    trame_file,
    trame_folders,
    transpose,
)
from workbench.trames.checks import check_field
from workbench.trames.problems import sentence
from workbench.trames.serie import Serie
from workbench.widgets.formule_draft import FormuleDraft
from workbench.widgets.trame_answers import (
    Document,
    change_rows,
    document,
    documents,
    lint_rows,
    problem_rows,
    transposition_rows,
)

__all__ = ["TrameView"]

FIELDS = ("libelle", "theme", "unite", "reference", "description")
TRAME_FIELDS = ("libelle", "nomenclature", "reference", "description")
MOST_ROWS = 60
MOST_CHARACTERS = 4000


class TrameView:
    """What an editor of trames shows.

    Parameters
    ----------
    trame
        What `workbench.edit_trame` takes, a session, or a trame, whose file is found by its code; None to choose.
    base
        Where values are read.
    plans
        Charts of accounts; by default those of the base.
    sirets
        The collectivités whose values are shown at first.

    Raises
    ------
    WorkbenchError
        As `workbench.edit_trame`.
    """

    def __init__(
        self,
        trame: Trame | TrameSession | str | Path | None = None,
        base: Base | None = None,
        *,
        plans: PlansComptes | PlanComptes | None = None,
        sirets: Iterable[str] = (),
    ) -> None:
        self.draft = FormuleDraft(base=base, plans=plans, sirets=sirets)
        self.session: TrameSession | None = None
        self.selected = ""
        self.drafts: dict[str, str] = {}
        self.conflict = False
        self.turn = 0
        self._transposition: Transposition | None = None
        if isinstance(trame, TrameSession):
            self._take(trame)
        elif isinstance(trame, Trame):
            session = edit_trame(trame.code)
            session.replace(trame)
            self._take(session)
        elif trame is not None:
            self._take(edit_trame(trame))

    # --- which trame

    def open(self, name: object) -> None:
        """Edit a trame of the folders."""
        self._take(edit_trame(_code(name, private=True)))

    def create(self, name: object, nomenclature: object, libelle: object = "", private: object = False) -> None:
        """Make an empty trame and edit it."""
        code = ("~/" if private is True else "") + _code(name)
        asked = _text("Nomenclature", nomenclature).strip() if nomenclature else None
        create_trame(code, asked, _text("Libellé", libelle or ""))
        self._take(edit_trame(code))

    def close(self) -> None:
        """Go back to the choice of a trame; refused while something is not saved."""
        self._require_saved()
        self.session = None
        self.selected, self.drafts = "", {}
        self.draft.place(None, "", "")

    def _take(self, session: TrameSession) -> None:
        self.session, self.drafts, self.conflict, self._transposition = session, {}, False, None
        self.selected = session.trame.codes[0] if session.trame.codes else ""
        self._place()

    def _place(self) -> None:
        """Show the formule of the indicateur selected, as it was left; a text of before is no longer that of it."""
        self.turn += 1
        trame = self._session.trame
        self.selected = self.selected if self.selected in trame else (trame.codes[0] if trame.codes else "")
        texte = trame[self.selected].texte if self.selected else ""
        self.draft.place(trame, self.selected, self.drafts.get(self.selected, texte))

    @property
    def _session(self) -> TrameSession:
        if self.session is None:
            raise WorkbenchError("choix_inconnu", champ="Trame", valeur="")
        return self.session

    @property
    def name(self) -> str:
        """How the trame is called: its code, ``~/code`` for a private one."""
        path = self._session.path
        return ("~/" if path.parent == trame_folders()["~/"] else "") + path.stem

    # --- indicateurs

    def hold(self) -> None:
        """Take the formule at hand into the trame when it is right; keep it aside when it is wrong."""
        if self.session is None or not self.selected or self.selected not in self.session.trame:
            return
        code, texte = self.selected, self.draft.texte
        if texte == self.session[code].texte:
            self.drafts.pop(code, None)
        elif self.draft.right or not texte.strip():
            self.drafts.pop(code, None)
            made = self.draft.indicateur().formules if texte.strip() else ()
            if made != self.session[code].formules:
                self.session.edit(code, made)
                self.draft.place(self.session.trame, code, texte)
        else:
            self.drafts[code] = texte

    def select(self, code: object) -> None:
        """Show another indicateur."""
        self.hold()
        self.selected = self._known(code)
        self._place()

    def add(self, code: object, libelle: object = "") -> None:
        """Add an indicateur after the one selected, without a formule yet."""
        self.hold()
        session, new = self._session, _text("Code", code).strip()
        theme = session[self.selected].theme if self.selected else ""
        session.add(new, "", after=self.selected or None, libelle=_text("Libellé", libelle or ""), theme=theme)
        self.selected = new
        self._place()

    def rename(self, code: object, new_code: object) -> None:
        """Give an indicateur another code; the formules that name it follow."""
        self.hold()
        old, new = self._known(code), _text("Code", new_code).strip()
        self._session.rename(old, new)
        if old in self.drafts:
            self.drafts[new] = self.drafts.pop(old)
        self.selected = new
        self._place()

    def duplicate(self, code: object, new_code: object) -> None:
        """Copy an indicateur under another code, just after it."""
        self.hold()
        new = _text("Code", new_code).strip()
        self._session.duplicate(self._known(code), new)
        self.selected = new
        self._place()

    def delete(self, code: object) -> None:
        """Remove an indicateur; refused while formules name it, which the error lists."""
        self.hold()
        removed = self._known(code)
        codes = self._session.trame.codes
        beside = codes[codes.index(removed) + 1 :] or codes[: codes.index(removed)][-1:]
        self._session.delete(removed)
        self.drafts.pop(removed, None)
        if self.selected == removed:
            self.selected = beside[0] if beside else ""
        self._place()

    def move(self, code: object, where: object) -> None:
        """Put an indicateur one place ``up`` or ``down``, or ``first``, or ``last``."""
        self.hold()
        moved, session = self._known(code), self._session
        codes = session.trame.codes
        rank = codes.index(moved)
        if where == "up" and rank:
            session.move(moved, before=codes[rank - 1])
        elif where == "down" and rank + 1 < len(codes):
            session.move(moved, after=codes[rank + 1])
        elif where in ("first", "last"):
            session.move(moved, "first" if where == "first" else "last")
        self._place()

    def edit(self, field: object, value: object) -> None:
        """Change a field of the indicateur selected."""
        if field not in FIELDS:
            raise WorkbenchError("choix_inconnu", champ="Champ", valeur=str(field)[:80])
        self.hold()
        fields: dict[str, Any] = {str(field): _text("Valeur", value)}
        self._session.edit(self._known(self.selected), **fields)
        self.draft.place(self._session.trame, self.selected, self.draft.texte)

    def describe(self, field: object, value: object) -> None:
        """Change a field of the trame."""
        if field not in TRAME_FIELDS:
            raise WorkbenchError("choix_inconnu", champ="Champ", valeur=str(field)[:80])
        self.hold()
        self._session.describe(**{str(field): _text("Valeur", value)})
        self.draft.place(self._session.trame, self.selected, self.draft.texte)

    def undo(self) -> None:
        """Take back the last change: the formule at hand first, when it is not in the trame yet."""
        if self.selected and self.draft.texte != self._session[self.selected].texte:
            self.hold()
        if self.drafts.pop(self.selected, None) is None:
            self._session.undo()
        self._place()

    def redo(self) -> None:
        """Make again the last change taken back."""
        self._session.redo()
        self._place()

    def _known(self, code: object) -> str:
        if not isinstance(code, str) or code not in self._session.trame:
            raise WorkbenchError("choix_inconnu", champ="Indicateur", valeur=str(code)[:80])
        return code

    # --- the file

    def changes(self) -> list[dict[str, Any]]:
        """Say what saving would change of the file."""
        self.hold()
        session = self._session
        rows = change_rows(session.diff(), session.saved, session.trame, self.draft.plan)
        rows += [{"kind": "Brouillon", "code": code, "lines": ["formule à corriger, non enregistrée", text]}
                 for code, text in self.drafts.items()]  # fmt: skip
        return rows + [{"kind": "Série", "code": "", "lines": [text]} for text in session.notices]

    def save(self) -> str:
        """Write the file, and return what was done; ``trame_changee`` when someone else changed it."""
        self.hold()
        try:
            self._session.save()
        except WorkbenchError as error:
            self.conflict = error.code == "trame_changee"
            raise
        self.conflict = False
        left = (
            f" {len(self.drafts)} formule(s) à corriger n'y sont pas : {', '.join(self.drafts)}." if self.drafts else ""
        )
        return f"{self._session.path.name} est enregistré.{left}"

    def reread(self, keep: object) -> str:
        """Read the file again after someone else changed it: keep what is here over it, or take it."""
        self.hold()
        self._session.reread(keep=keep is True)
        self.conflict = False
        self._place()
        if keep is True:
            return "Le fichier a été relu. Votre version est gardée : voyez ce que l'enregistrer changerait du fichier."
        return "Le fichier a été relu. « Annuler » rétablit votre version."

    def _require_saved(self) -> None:
        self.hold()
        if self.session is not None and (self.session.changed or self.drafts):
            raise WorkbenchError("trame_non_enregistree", trame=self.session.trame.code)

    def rename_trame(self, new_code: object) -> str:
        """Give the trame another code, in its file and in the series that name it."""
        self._require_saved()
        path = rename_trame(self._session.path, _code(new_code))
        self._take(TrameSession(path))
        return f"La trame s'appelle {path.stem}."

    def duplicate_trame(self, new_code: object) -> str:
        """Copy the trame under another code, beside it, and edit the copy."""
        self._require_saved()
        session = self._session
        copy = session.path.with_name(f"{_code(new_code)}.yaml")
        self._take(TrameSession(duplicate_trame(session.path, copy)))
        return f"{copy.stem} est une copie de {session.trame.code}."

    def delete_trame(self) -> str:
        """Remove the file of the trame; refused while a serie names it."""
        session = self._session
        delete_trame(session.path)
        self.session, self.drafts, self.selected = None, {}, ""
        self.draft.place(None, "", "")
        return f"La trame {session.trame.code} est supprimée."

    def export(self, kind: object) -> Document:
        """Write a file to take away, of the trame as it stands."""
        self.hold()
        return document(self._session.trame, self._session.path, kind)

    # --- what is said of it

    def lint(self) -> dict[str, Any]:
        """Look for comptes counted twice, prefixes that read nothing, comptes that nothing reads."""
        self.hold()
        return lint_rows(self._session.trame, self._charts())

    def _charts(self) -> PlansComptes | PlanComptes:
        plans = self.draft.plans
        if plans is None or (isinstance(plans, PlansComptes) and not plans.keys):
            raise WorkbenchError("plans_absents")
        return plans

    def compare(self, name: object) -> dict[str, Any]:
        """Compare another trame with this one, in formules and in comptes."""
        self.hold()
        other = load_trame(trame_file(_code(name, private=True)))
        if isinstance(other, Serie):
            raise WorkbenchError("serie_ecriture", serie=other.code, trames=", ".join(one.code for one in other.trames))
        trame = self._session.trame
        rows = change_rows(compare_trames(other, trame), other, trame, self.draft.plan)
        return {"title": f"De {other.code} à {trame.code}", "rows": rows}

    def transposition_choices(self) -> dict[str, Any]:
        """Return the charts that the trame could be moved to."""
        plans = self.draft.plans
        keys = plans.keys if isinstance(plans, PlansComptes) else ()
        own = self._session.trame.nomenclature or ""
        before = plans.exercices(own) if isinstance(plans, PlansComptes) and own else ()
        others = [(name, year) for name, year in keys if name != own]
        return {
            "before": [str(year) for year in reversed(before)],
            "after": [f"{name} {year}" for name, year in sorted(others, key=lambda key: (key[0], -key[1]))],
        }

    def transpose(self, before: object, after: object) -> dict[str, Any]:
        """Propose what each prefix becomes in another chart."""
        self.hold()
        plans, choices, trame = self._charts(), self.transposition_choices(), self._session.trame
        if not isinstance(plans, PlansComptes) or before not in choices["before"] or after not in choices["after"]:
            raise WorkbenchError("choix_inconnu", champ="Plan de comptes", valeur=f"{before} → {after}"[:80])
        name, _, year = str(after).rpartition(" ")
        old = plans.plan(str(trame.nomenclature), int(str(before)))
        self._transposition = transpose(trame, old, plans.plan(name, int(year)))
        return transposition_rows(self._transposition)

    def transposed(self, before: object, after: object) -> dict[str, Any]:
        """Decide what a prefix becomes: one compte, or several joined by ``+``."""
        if self._transposition is None:
            raise WorkbenchError("choix_inconnu", champ="Transposition", valeur=str(before)[:80])
        numeros = [each.strip() for each in _text("Compte", after).split("+") if each.strip()]
        if before not in [each.before for each in self._transposition] or not numeros:
            raise WorkbenchError("choix_inconnu", champ="Compte", valeur=str(before)[:80])
        self._transposition = self._transposition.choose({str(before): numeros})
        return transposition_rows(self._transposition)

    def adopt(self, code: object) -> str:
        """Write the proposed trame in a file of its own, beside this one, and edit it."""
        self._require_saved()
        if self._transposition is None:
            raise WorkbenchError("choix_inconnu", champ="Transposition", valeur=str(code)[:80])
        path = trame_file(self._session.path.with_name(f"{_code(code)}.yaml"), new=True)
        save_trame(replace(self._transposition.trame, code=path.stem), path)
        self._take(TrameSession(path))
        return f"{path.name} est écrit : relisez ses formules."

    def table(self) -> dict[str, Any] | None:
        """Evaluate the whole trame, as it stands, for the first collectivité chosen; None when there is none."""
        self.hold()
        return self.draft.table_of(self._session.trame)

    # --- the whole, for the browser

    def search(self, text: object) -> list[dict[str, Any]]:
        """Find trames and indicateurs by words, by code, or by the compte that they read (``7391``)."""
        asked = text.strip()[:80] if isinstance(text, str) else ""
        found = catalogue()
        found = found.reads(asked) if asked.isdecimal() else found.search(asked) if asked else found
        if not asked:
            series = {row.trame for row in found.rows}
            return [
                {"name": name, "libelle": one.libelle, "nomenclature": one.nomenclature or "", "code": "", "count": one.indicateurs}  # noqa: E501
                for name, one in found.summaries
                if not one.errors and (name in series or not one.indicateurs)
            ][:MOST_ROWS]  # fmt: skip
        return [
            {"name": one.trame, "libelle": one.indicateur.libelle, "nomenclature": one.nomenclature, "code": one.code, "count": 0}  # noqa: E501
            for one in found
        ][:MOST_ROWS]  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Return all that the browser shows but the formule at hand."""
        if self.session is None:
            return {"page": "choose", "draft": self.draft.choices(), "nomenclatures": self._nomenclatures()}
        session, trame = self.session, self.session.trame
        problems = problem_rows(trame, self.drafts)
        worst = {each["code"]: each["severity"] for each in reversed(problems)}
        one = trame[self.selected] if self.selected else None
        return {
            "page": "edit",
            "turn": self.turn,
            "text": self.draft.texte,
            "draft": self.draft.choices(),
            "name": self.name,
            "file": session.path.name,
            "trame": {"code": trame.code, **{each: getattr(trame, each) or "" for each in TRAME_FIELDS}},
            "rows": [
                {
                    "code": each.code,
                    "libelle": each.libelle,
                    "theme": each.theme,
                    "draft": each.code in self.drafts,
                    "problem": worst.get(each.code, ""),
                    "empty": not each.formules and each.code not in self.drafts,
                }
                for each in trame.indicateurs
            ],
            "selected": None
            if one is None
            else {
                "code": one.code,
                **{each: getattr(one, each) for each in FIELDS},
                "uses": list(trame.uses(one.code)),
            },
            "themes": list(dict.fromkeys(each.theme for each in trame.indicateurs if each.theme)),
            "unites": list(UNITES),
            "changed": session.changed,
            "drafts": list(self.drafts),
            "undo": session.can_undo or bool(self.drafts),
            "redo": session.can_redo,
            "conflict": self.conflict,
            "problems": problems,
            "documents": documents(trame),
            "charts": self.transposition_choices(),
        }

    def _nomenclatures(self) -> list[str]:
        plans = self.draft.plans
        known = plans.nomenclatures if isinstance(plans, PlansComptes) else ()
        return list(dict.fromkeys([*known, "M57", "M14", "M52", "M71", "M4"]))


def _text(field: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > MOST_CHARACTERS:
        raise WorkbenchError("choix_inconnu", champ=field, valeur=str(value)[:80])
    return value


def _code(value: object, *, private: bool = False) -> str:
    """Return the code of a trame, with ``~/`` where it may have one; what is no code must not become a path."""
    text = _text("Code", value).strip()
    code = text.removeprefix("~/") if private else text
    wrong = check_field("code", code)
    if code.lower().endswith((".yaml", ".yml")):
        wrong = ("", "sans suffixe")
    if wrong is not None:
        raise WorkbenchError("trame_code", nom=text[:80], conseil=sentence(wrong[1]) + ".")
    return text
