"""A trame being edited: each change is checked as it is made, nothing is written before `TrameSession.save`.

A `Trame` is a value; a session holds the one of the moment, the one that the file has, and what was changed between, so
that any change can be undone.

The methods of a session are one list that an analyst reads at once, hence one module.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from workbench.errors import WorkbenchError, require_kind
from workbench.formules import Diagnostic, check_formule
from workbench.trames.atomic import alone_in
from workbench.trames.checks import check_trame
from workbench.trames.compare import TrameComparison, compare_trames
from workbench.trames.files import load_trame
from workbench.trames.library import create_trame, save_trames, series_of, trame_file
from workbench.trames.model import Formule, Indicateur, Trame
from workbench.trames.problems import TrameError, TrameProblem
from workbench.trames.segments import split_texte
from workbench.trames.serie import Serie

__all__ = ["TrameSession", "edit_trame", "rename_indicateur"]

_FIELDS = ("libelle", "description", "reference", "theme", "unite")
_TRAME_FIELDS = (
    *("libelle", "description", "reference", "nomenclature", "types_etablissement", "types_identifiant", "modele"),
)


def edit_trame(name: str | Path, *, create: bool = False, nomenclature: str | None = None) -> TrameSession:
    """Begin to edit a trame.

    Parameters
    ----------
    name
        Its code (``ofgl_agregats_m57``), ``~/code`` for a private one, or the path of its file.
    create, nomenclature
        Make it first, empty, when it is not there.

    Returns
    -------
    TrameSession
        What it changes is written by its ``save()``, in the text file: comments and order stay.

    Raises
    ------
    TrameError
        When the file is wrong.
    WorkbenchError
        ``trame_absente``, ``serie_ecriture`` for a serie: edit its trames.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> session = edit_trame(folder.name + "/essais.yaml", create=True, nomenclature="M57")
    >>> session.add("A_VENTES", "C70-D709[TA:BR]", libelle="Ventes")
    >>> session.add("A_PART", "A_VENTES/$POP")
    >>> session.rename("A_VENTES", "A_PRODUITS")
    >>> session["A_PART"].texte
    'A_PRODUITS/$POP'
    >>> session.uses("A_PRODUITS")
    ('A_PART',)
    >>> session.save().name, session.changed
    ('essais.yaml', False)
    >>> folder.cleanup()
    """
    try:
        path = trame_file(name)
    except WorkbenchError as error:
        if not create or error.code != "trame_absente":
            raise
        path = create_trame(name, nomenclature)
    return TrameSession(path)


class TrameSession:
    """A trame, what its file has, and the changes between; `edit_trame` makes it.

    Parameters
    ----------
    path
        The file.

    Attributes
    ----------
    path : Path
        The file.
    trame : Trame
        As it stands now.
    saved : Trame
        As the file has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.saved = self._load()
        self.trame = self.saved
        self._past: list[Trame] = []
        self._future: list[Trame] = []

    def _load(self) -> Trame:
        trame = load_trame(self.path)
        if isinstance(trame, Serie):
            raise WorkbenchError("serie_ecriture", serie=trame.code, trames=", ".join(one.code for one in trame.trames))
        return trame

    @property
    def changed(self) -> bool:
        """Whether something is not written yet."""
        return self.trame != self.saved

    def __getitem__(self, code: str) -> Indicateur:
        return self.trame[code]

    def __contains__(self, code: object) -> bool:
        return code in self.trame

    def __len__(self) -> int:
        return len(self.trame)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.trame.codes)

    # --- indicateurs

    def check(self, formule: str, code: str | None = None) -> list[Diagnostic]:
        """Say what is wrong in a formule as it would be in this trame, as that of the indicateur ``code``."""
        return check_formule(formule, {one.code: one.texte or "0" for one in self.trame.indicateurs}, name=code)

    def add(
        self,
        code: str,
        formule: str | Iterable[Formule] = (),
        *,
        before: str | None = None,
        after: str | None = None,
        **fields: str,
    ) -> None:
        """Add an indicateur, at the end or beside another.

        Parameters
        ----------
        code
            Of no other indicateur.
        formule
            A text of the language, years as RE-MIN and RE-MAX brackets, or `Formule` values.
        before, after
            The code of the one that it goes beside.
        **fields
            ``libelle``, ``description``, ``reference``, ``theme``, ``unite``.

        Raises
        ------
        TrameError
            When the formule or a field is wrong, or the code is taken: the trame stays as it was.
        """
        if code in self.trame:
            problem = TrameProblem(code, "un indicateur porte déjà ce code", "modifiez-le : session.edit(code, …)")
            raise TrameError.of(self.trame.code, [problem])
        one = Indicateur(code, formules=_formules(formule), **_checked(fields))
        self._become(_placed(self.trame.with_indicateur(one), code, before, after))

    def edit(
        self,
        code: str,
        formule: str | Iterable[Formule] | None = None,
        *,
        exercice_min: int | None = None,
        exercice_max: int | None = None,
        **fields: str,
    ) -> None:
        """Change an indicateur.

        Parameters
        ----------
        code
            The indicateur.
        formule
            Its new formule; None to keep it.
        exercice_min, exercice_max
            Given with a ``formule`` without years: the exercices that it is valid for.
        **fields
            Those that change.

        Raises
        ------
        UnknownIndicateurError
            When there is none.
        TrameError
            When the change is wrong: the trame stays as it was.
        """
        one = _with_fields(self.trame[code], fields)
        if formule is not None:
            parts = _formules(formule)
            if exercice_min is not None or exercice_max is not None:
                parts = tuple(replace(each, exercice_min=exercice_min, exercice_max=exercice_max) for each in parts)
            one = replace(one, formules=parts)
        self._become(self.trame.with_indicateur(one))

    def rename(self, code: str, new_code: str) -> None:
        """Give an indicateur another code; the formules that name it follow.

        The other trames of a serie do not: see `workbench.rename_indicateur`, and `notices`.
        """
        self._become(self.trame.rename_indicateur(code, new_code))

    def duplicate(self, code: str, new_code: str, **fields: str) -> None:
        """Copy an indicateur under another code, just after it."""
        if new_code in self.trame:
            self.add(new_code)
        one = _with_fields(replace(self.trame[code], code=new_code), fields)
        self._become(_placed(self.trame.with_indicateur(one), new_code, None, code))

    def delete(self, code: str) -> None:
        """Remove an indicateur.

        Raises
        ------
        DependentIndicateurError
            When formules name it; ``details["utilise_par"]`` lists them, and nothing is removed.
        """
        self._become(self.trame.without_indicateur(code))

    def uses(self, code: str) -> tuple[str, ...]:
        """List the indicateurs whose formule names this one."""
        _ = self.trame[code]
        return self.trame.uses(code)

    def move(
        self,
        code: str,
        to: Literal["first", "last"] | None = None,
        *,
        before: str | None = None,
        after: str | None = None,
    ) -> None:
        """Put an indicateur elsewhere in the order: first, last, before or after another."""
        if sum(each is not None for each in (to, before, after)) != 1:
            raise WorkbenchError(
                "argument_inattendu",
                parametre="to, before ou after",
                attendu="un seul endroit",
                recu="aucun ou plusieurs",
                conseil='Par exemple session.move("A_B", after="A_C") ou session.move("A_B", "first").',
            )
        codes = [each for each in self.trame.codes if each != code]
        if to == "first" and codes:
            before = codes[0]
        elif to == "last" and codes:
            after = codes[-1]
        self._become(_placed(self.trame, code, before, after))

    def reorder(self, codes: Iterable[str]) -> None:
        """Put indicateurs in this order; those that are not named follow, in theirs."""
        wanted = list(dict.fromkeys(codes))
        order = [self.trame[code] for code in wanted]
        order += [one for one in self.trame.indicateurs if one.code not in wanted]
        self._become(replace(self.trame, indicateurs=tuple(order)))

    def describe(self, **fields: object) -> None:
        """Change fields of the trame: ``libelle``, ``description``, ``reference``, ``nomenclature``, ``modele``."""
        for name in fields:
            if name not in _TRAME_FIELDS:
                raise _unknown_field(name, _TRAME_FIELDS)
        self._become(replace(self.trame, **fields))  # type: ignore[arg-type]

    def replace(self, trame: Trame) -> None:
        """Take another trame of the same code in the place of this one, made elsewhere; `undo` takes it back."""
        require_kind(trame, Trame, "trame", "une trame", "Chargez-la : wb.load_trame.")
        self._become(replace(trame, code=self.trame.code))

    # --- the session

    def _become(self, trame: Trame) -> None:
        """Take a new state, if it is right."""
        errors = [problem for problem in check_trame(trame) if problem.severity == "error"]
        if errors:
            raise TrameError.of(trame.code, errors)
        if trame != self.trame:
            self._past.append(self.trame)
            self._future.clear()
            self.trame = trame

    def undo(self) -> bool:
        """Take back the last change; false when there is none."""
        if not self._past:
            return False
        self._future.append(self.trame)
        self.trame = self._past.pop()
        return True

    def redo(self) -> bool:
        """Make again the last change taken back; false when there is none."""
        if not self._future:
            return False
        self._past.append(self.trame)
        self.trame = self._future.pop()
        return True

    def diff(self) -> TrameComparison:
        """Compare the file with the trame as it stands."""
        return compare_trames(self.saved, self.trame)

    @property
    def notices(self) -> tuple[str, ...]:
        """What else one should know before saving: the series that follow these figures elsewhere."""
        gone = [code for code in self.saved.codes if code not in self.trame]
        found = []
        for path in series_of(self.path):
            serie = load_trame(path)
            others = [
                each for each in (serie.trames if isinstance(serie, Serie) else ()) if each.code != self.saved.code
            ]
            found += [
                f"La série {path.stem} suit aussi {code} dans {', '.join(also)}. Pour l'y renommer : "
                f'wb.rename_indicateur("{path.stem}", "{code}", …).'
                for code in gone
                if (also := [each.code for each in others if code in each])
            ]
        return tuple(found)

    def save(self) -> Path:
        """Write the file: the lines of what did not change stay to the byte, comments and order included.

        Raises
        ------
        TrameError
            When the trame is wrong.
        WorkbenchError
            ``trame_changee`` when someone else changed the file since it was read, ``trame_ecriture``.
        """
        with alone_in(self.path.parent):
            if self._load() != self.saved:
                raise WorkbenchError("trame_changee", trame=self.trame.code, chemin=self.path)
            save_trames({self.path: self.trame})
        self.saved = self.trame
        return self.path

    def reread(self, *, keep: bool = False) -> None:
        """Read the file again, after someone else changed it.

        Parameters
        ----------
        keep
            Keep the trame as it stands here: `diff` then says what saving it would change of the file as it is now.
            Otherwise the trame becomes that of the file; `undo` takes one's own back.

        Raises
        ------
        TrameError
            When the file is wrong: nothing changes here.
        """
        self.saved = self._load()
        if not keep:
            self._become(self.saved)

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is a change to make again."""
        return bool(self._future)

    def __repr__(self) -> str:
        state = "à enregistrer" if self.changed else "enregistrée"
        return f"<Trame {self.trame.code}, {len(self.trame)} indicateurs, {state} ({self.path.name})>"

    def _repr_html_(self) -> str:
        changes = self.diff()._repr_html_() if self.changed else ""
        return self.trame._repr_html_() + changes


def rename_indicateur(name: str | Path, code: str, new_code: str) -> list[Path]:
    """Give an indicateur another code, in every formule that names it, and in the other trames of its series.

    Parameters
    ----------
    name
        A trame or a serie, as `edit_trame` has it.
    code, new_code
        The codes.

    Returns
    -------
    list of Path
        The files that were written: all, or none.

    Raises
    ------
    UnknownIndicateurError
        When no trame has it.
    TrameError
        When the new code is taken, or is none.
    """
    require_kind(new_code, str, "new_code", "un code d'indicateur", 'Par exemple "CAF_BRUTE".')
    path = trame_file(name)
    waiting, files = [path], {}
    while waiting:
        file = waiting.pop()
        if file in files:
            continue
        trame = load_trame(file)
        if isinstance(trame, Serie):
            _ = trame[code] if file == path else None
            waiting += [file.with_name(f"{each.code}.yaml") for each in trame.trames if code in each]
            continue
        files[file] = trame.rename_indicateur(code, new_code)
        for serie in series_of(file):
            loaded = load_trame(serie)
            if isinstance(loaded, Serie):
                waiting += [file.with_name(f"{each.code}.yaml") for each in loaded.trames if code in each]
    ordered = dict(sorted(files.items()))
    save_trames(ordered)
    return list(ordered)


def _formules(formule: str | Iterable[Formule]) -> tuple[Formule, ...]:
    if isinstance(formule, str):
        return tuple(Formule(*part) for part in split_texte(formule))
    return tuple(formule)


def _checked(fields: dict[str, str]) -> dict[str, str]:
    for name, value in fields.items():
        if name not in _FIELDS:
            raise _unknown_field(name, _FIELDS)
        require_kind(value, str, name, "un texte")
    return fields


def _with_fields(one: Indicateur, fields: dict[str, str]) -> Indicateur:
    changes: dict[str, Any] = dict(_checked(fields))
    return replace(one, **changes)


def _unknown_field(name: str, known: tuple[str, ...]) -> WorkbenchError:
    return WorkbenchError(
        "argument_inattendu",
        parametre=name,
        attendu="un champ connu",
        recu=name,
        conseil="Champs : " + ", ".join(known) + ".",
    )


def _placed(trame: Trame, code: str, before: str | None, after: str | None) -> Trame:
    one = trame[code]
    others = [each for each in trame.indicateurs if each.code != code]
    beside = before if before is not None else after
    if beside is None:
        return trame
    _ = trame[beside]
    if beside == code:
        return trame
    place = [each.code for each in others].index(beside) + (before is None)
    return replace(trame, indicateurs=(*others[:place], one, *others[place:]))
