"""The catalogue: every trame of the shared and private folders, searched by code, by label, by compte read.

A catalogue is a value: each filter gives a narrower one, so filters chain.

The filters are the methods that an analyst chains, hence one module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.display import coded, html_table, view
from workbench.errors import WorkbenchError, require_kind
from workbench.plans import meets, plain_words
from workbench.trames.files import TrameSummary, list_trames, load_trame
from workbench.trames.library import PRIVATE, trame_folders
from workbench.trames.model import Indicateur, Trame
from workbench.trames.serie import Serie

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Catalogue", "CatalogueRow", "Reading", "catalogue", "readings_of", "readings_of_texte"]

_SHOWN = 60
_BRACKET = re.compile(r"\[[^\]]*\]?")
_VARIABLE = re.compile(r"(?<![\w$])(SC|SD|C|D)([0-9]+)(?!\w)")


@dataclass(frozen=True, slots=True)
class Reading:
    """A variable that an indicateur reads.

    Parameters
    ----------
    variable
        As written, without its type d'appel: ``"C7391"``.
    compte
        Its prefix of comptes.
    exercice_min, exercice_max
        The exercices of its formule; None for no bound.
    """

    variable: str
    compte: str
    exercice_min: int | None = None
    exercice_max: int | None = None

    def meets(self, compte: str) -> str:
        """Say how it reads a compte: ``"exact"``, ``"couvre"`` (with others), ``"détaille"`` (in part); else empty."""
        if self.compte == compte:
            return "exact"
        if compte.startswith(self.compte):
            return "couvre"
        return "détaille" if self.compte.startswith(compte) else ""


def readings_of(indicateur: Indicateur) -> tuple[Reading, ...]:
    """List what an indicateur reads, each variable and validity once, without parsing its formules.

    Examples
    --------
    >>> [each.variable for each in readings_of(Indicateur.from_texte("A_B", "C73-D739+SD5[TA:BX]*A_C"))]
    ['C73', 'D739', 'SD5']
    """
    found = [
        replace(reading, exercice_min=formule.exercice_min, exercice_max=formule.exercice_max)
        for formule in indicateur.formules
        for reading in readings_of_texte(formule.texte)
    ]
    return tuple(dict.fromkeys(found))


def readings_of_texte(texte: str) -> Iterator[Reading]:
    """Yield the variables of a text, right or not, in its order."""
    for match in _VARIABLE.finditer(_BRACKET.sub(" ", texte)):
        yield Reading(match[0], match[2])


@dataclass(frozen=True)
class CatalogueRow:
    """An indicateur of a trame.

    Parameters
    ----------
    trame, nomenclature
        The code of its trame (``~/code`` for a private one) and the nomenclature, empty for none.
    indicateur
        What it is.
    path
        The file.
    readings
        What it reads, of what was asked for: everything before `Catalogue.reads`.
    """

    trame: str
    nomenclature: str
    indicateur: Indicateur
    path: Path
    readings: tuple[Reading, ...]

    @property
    def code(self) -> str:
        """The code of the indicateur."""
        return self.indicateur.code


@dataclass(frozen=True)
class Catalogue:
    """Trames and their indicateurs, as far as the filters let through; `workbench.catalogue` makes it.

    Parameters
    ----------
    rows
        The indicateurs, trame by trame.
    summaries
        The trames and series, wrong ones too, by their code.
    filters
        What was asked, in French.
    """

    rows: tuple[CatalogueRow, ...]
    summaries: tuple[tuple[str, TrameSummary], ...] = ()
    filters: tuple[str, ...] = ()
    asked: str = ""

    # --- filters

    def nomenclature(self, nomenclature: str) -> Catalogue:
        """Keep the trames of a nomenclature: one (``M57``), several (``M14+M57``) or a family (``M4*``)."""
        require_kind(nomenclature, str, "nomenclature", "un texte", 'Par exemple "M57".')
        return self._kept(
            f"nomenclature {nomenclature}",
            lambda row: meets(nomenclature, row.nomenclature) or meets(row.nomenclature, nomenclature),
            lambda one: any(
                meets(nomenclature, own) or meets(own, nomenclature) for own in (one.nomenclature or "").split("+")
            ),
        )

    def trame(self, pattern: str) -> Catalogue:
        """Keep the trames whose code follows a pattern: ``"ofgl_*"``, ``"~/*"``."""
        require_kind(pattern, str, "pattern", "un texte", 'Par exemple "ofgl_*".')
        codes = {code for code, _ in self.summaries if fnmatchcase(code.lower(), pattern.lower())}
        return replace(
            self,
            rows=tuple(row for row in self.rows if row.trame in codes),
            summaries=tuple(each for each in self.summaries if each[0] in codes),
            filters=(*self.filters, f"trame {pattern}"),
        )

    def theme(self, text: str) -> Catalogue:
        """Keep the indicateurs whose theme has these words."""
        words = plain_words(text)
        return self._kept(f"thème « {text} »", lambda row: _has(words, row.indicateur.theme))

    def search(self, text: str) -> Catalogue:
        """Keep what has these words, by their beginnings, in a code, a label or a description; accents and case apart.

        A trame whose own code or label has them all keeps all its indicateurs.
        """
        require_kind(text, str, "text", "un texte")
        words = plain_words(text)
        whole = {code for code, one in self.summaries if _has(words, f"{code} {one.libelle}")}

        def found(row: CatalogueRow) -> bool:
            one = row.indicateur
            return row.trame in whole or _has(words, f"{one.code} {one.libelle} {one.theme} {one.description}")

        return self._kept(f"« {text} »", found, lambda one: _has(words, f"{one.code} {one.libelle} {one.description}"))

    def reads(self, compte: str | int, exercice: int | None = None, *, exact: bool = False) -> Catalogue:
        """Keep the indicateurs that read a compte: its own prefix, one that covers it, or one that details it.

        Parameters
        ----------
        compte
            Its number, ``"7391"``, with a side or not (``"D7391"``).
        exercice
            Only formules valid in this one.
        exact
            Whether to keep only those that write this very prefix.
        """
        match = re.fullmatch(r"(SC|SD|C|D)?([0-9]+)", str(compte).strip().upper())
        if match is None:
            raise WorkbenchError(
                "argument_inattendu",
                parametre="compte",
                attendu="un numéro de compte",
                recu=str(compte),
                conseil='Par exemple "7391", ou "D7391" pour un seul côté.',
            )
        side, numero = match[1] or "", match[2]

        def kept(one: Reading) -> bool:
            how = one.meets(numero)
            return (
                (how == "exact" if exact else bool(how))
                and (not side or one.variable == side + one.compte)
                and (
                    exercice is None or ((one.exercice_min or 0) <= exercice and (one.exercice_max or 9999) >= exercice)
                )
            )

        rows = tuple(
            replace(row, readings=found)
            for row in self.rows
            if (found := tuple(one for one in row.readings if kept(one)))
        )
        year = f" en {exercice}" if exercice is not None else ""
        return replace(
            self, rows=rows, filters=(*self.filters, f"lit {match[0]}{year}"), asked=numero
        )._with_trames_of_rows()

    def cites(self, code: str) -> Catalogue:
        """Keep the indicateurs whose formule names this one."""
        word = re.compile(rf"(?<![A-Z0-9_]){re.escape(code)}(?![A-Z0-9_])")
        return self._kept(f"cite {code}", lambda row: any(word.search(part.texte) for part in row.indicateur.formules))

    def _kept(self, said: str, row: object, summary: object = None) -> Catalogue:
        rows = tuple(each for each in self.rows if row(each))  # type: ignore[operator]
        found = replace(self, rows=rows, filters=(*self.filters, said))._with_trames_of_rows()
        if summary is None:
            return found
        more = {code for code, _ in found.summaries}
        kept = tuple(each for each in self.summaries if each[0] in more or summary(each[1]))  # type: ignore[operator]
        return replace(found, summaries=kept)

    def _with_trames_of_rows(self) -> Catalogue:
        codes = {row.trame for row in self.rows}
        return replace(self, summaries=tuple(each for each in self.summaries if each[0] in codes))

    # --- what is there

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the indicateurs, each once."""
        return tuple(dict.fromkeys(row.code for row in self.rows))

    def trames(self) -> pd.DataFrame:
        """Return the trames: ``libelle, nomenclature, indicateurs, nature, erreurs, fichier`` by ``trame``."""
        import pandas as pd

        rows = [
            (
                code,
                one.libelle,
                one.nomenclature or "",
                one.indicateurs,
                "série" if "+" in (one.nomenclature or "") and not any(r.trame == code for r in self.rows) else "trame",
                len(one.errors),
                str(one.path),
            )
            for code, one in self.summaries
        ]
        names = ["trame", "libelle", "nomenclature", "indicateurs", "nature", "erreurs", "fichier"]
        return pd.DataFrame(rows, columns=names).set_index("trame")

    def nomenclatures(self) -> pd.DataFrame:
        """Return the nomenclatures: numbers of ``trames`` and ``indicateurs`` by ``nomenclature``."""
        import pandas as pd

        names = sorted({row.nomenclature for row in self.rows})
        own = {name: [row for row in self.rows if row.nomenclature == name] for name in names}
        return pd.DataFrame(
            {
                "trames": [len({row.trame for row in own[name]}) for name in names],
                "indicateurs": [len(own[name]) for name in names],
            },
            index=pd.Index(names, name="nomenclature"),
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the indicateurs: ``trame, nomenclature, indicateur, libelle, theme, unite, lecture, variables``.

        ``variables`` lists it, ``lecture`` says how they read the compte asked for: exact, couvre, détaille.
        """
        import pandas as pd

        rows = [
            (
                row.trame,
                row.nomenclature,
                row.code,
                row.indicateur.libelle,
                row.indicateur.theme,
                row.indicateur.unite,
                self._how(row),
                " ".join(dict.fromkeys(one.variable for one in row.readings)),
            )
            for row in self.rows
        ]
        names = ["trame", "nomenclature", "indicateur", "libelle", "theme", "unite", "lecture", "variables"]
        return pd.DataFrame(rows, columns=names)

    def _how(self, row: CatalogueRow) -> str:
        return ", ".join(dict.fromkeys(one.meets(self.asked) for one in row.readings)) if self.asked else ""

    def load(self, code: str) -> Trame:
        """Load a trame of the catalogue."""
        for known, one in self.summaries:
            if known == code:
                return load_trame(one.path)
        raise WorkbenchError("trame_absente", trame=code, dossier="ce catalogue", proche="")

    def __len__(self) -> int:
        return len(self.rows)

    def __bool__(self) -> bool:
        return bool(self.rows or self.summaries)

    def __iter__(self) -> Iterator[CatalogueRow]:
        return iter(self.rows)

    def __getitem__(self, code: str) -> Trame:
        return self.load(code)

    def _ipython_key_completions_(self) -> list[str]:
        return [code for code, _ in self.summaries]

    @cached_property
    def _title(self) -> str:
        found = f"{len(self.rows)} indicateurs de {len({row.trame for row in self.rows})} trames"
        return f"{found} ({', '.join(self.filters)})" if self.filters else found

    def __str__(self) -> str:
        lines = [self._title]
        for row in self.rows:
            said = f"  [{self._how(row)} : {' '.join(dict.fromkeys(one.variable for one in row.readings))}]"
            lines.append(f"{row.trame}\t{row.code}\t{row.indicateur.libelle}" + (said if self.asked else ""))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Catalogue : {self._title}>"

    def _repr_html_(self) -> str:
        rows = []
        for row in self.rows[:_SHOWN]:
            one = row.indicateur
            variables = " ".join(dict.fromkeys(each.variable for each in row.readings))
            last = [self._how(row), coded(variables)] if self.asked else [one.theme]
            rows.append((row.trame, one.code, one.libelle, *last))
        names = ["Trame", "Code", "Libellé", *(["Lecture", "Variables"] if self.asked else ["Thème"])]
        return view(
            html_table(names, rows, caption=self._title, heads=2, shown=_SHOWN, total=len(self), rest=".to_frame()")
        )


def _has(words: Iterable[str], text: str) -> bool:
    said = " " + " ".join(plain_words(text))
    return all(" " + word in said for word in words)


def catalogue(folder: str | Path | None = None) -> Catalogue:
    """Return the catalogue of trames.

    Parameters
    ----------
    folder
        One folder of trames; None for the shared one and one's own, whose codes are then ``~/code``.

    Returns
    -------
    Catalogue
        ``catalogue().nomenclature("M57").reads("7391")``, ``.search("dette")``, ``.trames()``, ``.to_frame()``.

    Raises
    ------
    WorkbenchError
        ``dossier_absent``.

    Examples
    --------
    >>> import tempfile
    >>> from workbench.trames import save_trame, trame_from_formules
    >>> folder = tempfile.TemporaryDirectory()
    >>> formules = {"A_IMPOTS": "C73-D7391[TA:BR]", "A_VENTES": "C70[TA:BR]"}
    >>> path = save_trame(trame_from_formules(formules, "M57", "essai"), folder.name + "/essai.yaml")
    >>> found = catalogue(folder.name).nomenclature("M57").reads("7391")
    >>> found.codes, found.to_frame().loc[0, "lecture"]
    (('A_IMPOTS',), 'couvre, exact')
    >>> folder.cleanup()
    """
    folders = trame_folders() if folder is None else {"": Path(folder)}
    rows: list[CatalogueRow] = []
    summaries: list[tuple[str, TrameSummary]] = []
    for mark, place in folders.items():
        if mark == PRIVATE and not place.is_dir():
            continue
        for one in list_trames(place):
            code = mark + one.code
            summaries.append((code, one))
            if one.errors:
                continue
            trame = load_trame(one.path)
            if not isinstance(trame, Serie):
                rows += [
                    CatalogueRow(code, trame.nomenclature or "", each, one.path, readings_of(each))
                    for each in trame.indicateurs
                ]
    return Catalogue(tuple(rows), tuple(summaries))
