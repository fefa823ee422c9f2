"""Trames, indicateurs and their formules, as immutable values.

A value is in canonical form as soon as it exists (blanks of a formule are one space, a libellé is one line), so
that equality is equality of content and a round trip through any file format can be exact. Nothing here reads a
file; whether the formules are right is `workbench.trames.checks`' affair: an analyst may hold a trame that she is
still writing. The three values are defined by one another, hence one module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from workbench.display import safe, view
from workbench.formules import FormuleSyntaxError, draw_tree_svg, parse_formule
from workbench.formules.tree import Reference, SyntaxTree, walk
from workbench.trames.problems import DependentIndicateurError, TrameError, TrameProblem, UnknownIndicateurError
from workbench.trames.segments import join_formules, split_texte
from workbench.trames.trame_html import coloured, indicateurs_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UNITES", "Formule", "Indicateur", "Trame"]

UNITES = ("euros", "euros_par_habitant", "pourcentage", "annees", "ratio")


def _line(text: str) -> str:
    """One line; no-break spaces stay, French typography needs them."""
    return re.sub(r"[ \t\r\n]+", " ", text).strip(" ")


def _paragraphs(text: str) -> str:
    """Lines, without the blanks that no one sees at the ends of them."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip(" \t") for line in lines).strip("\n \t")


def _set(instance: object, **values: object) -> None:
    for name, value in values.items():
        object.__setattr__(instance, name, value)


@dataclass(frozen=True)
class Formule:
    r"""A text and the exercices it is valid for.

    Parameters
    ----------
    texte
        One or several segments without RE-MIN or RE-MAX brackets; TB, TE and CAL stay in the text. Runs of blanks, of
        any kind, become one space.
    exercice_min, exercice_max
        First and last exercice, both included; None for no bound.

    Examples
    --------
    >>> Formule("C70 -\n D709[TA:BX]", 2012).texte
    'C70 - D709[TA:BX]'
    >>> print(Formule("C70[TA:BX]", 2012, 2016).validite)
    de 2012 à 2016
    """

    texte: str
    exercice_min: int | None = None
    exercice_max: int | None = None

    def __post_init__(self) -> None:
        _set(self, texte=" ".join(self.texte.split()))

    @property
    def validite(self) -> str:
        """The exercices in French: ``"de 2012 à 2016"``, ``"depuis 2017"``, ``"jusqu'à 2011"``; empty for all."""
        if self.exercice_min is None and self.exercice_max is None:
            return ""
        if self.exercice_min is None:
            return f"jusqu'à {self.exercice_max}"
        if self.exercice_max is None:
            return f"depuis {self.exercice_min}"
        if self.exercice_min == self.exercice_max:
            return f"en {self.exercice_min}"
        return f"de {self.exercice_min} à {self.exercice_max}"

    def tree_svg(self, libelles: Mapping[str, str] | None = None) -> str:
        """Draw the tree of the formule, as SVG; raises FormuleSyntaxError.

        Parameters
        ----------
        libelles
            What comptes and indicateurs are called.

        Examples
        --------
        >>> Formule("C70[TA:BX]/$POP").tree_svg()[:4]
        '<svg'
        """
        return draw_tree_svg(parse_formule(self.texte), libelles)

    def _repr_svg_(self) -> str | None:
        try:
            return self.tree_svg()
        except FormuleSyntaxError:
            return None

    def _repr_html_(self) -> str:
        when = f' <span class="wb-detail">{self.validite}</span>' if self.validite else ""
        return view(f"<p>{coloured(self.texte)}{when}</p>")


@dataclass(frozen=True)
class Indicateur:
    """A named figure: the sum of its formules, each where it is valid.

    Parameters
    ----------
    code
        Upper-case letters, digits and underscores, at least one underscore (``M14_CE_PFA_1000``).
    libelle
        Name for people, one line; may be empty.
    formules
        In the order of the source; without any, the indicateur is 0 everywhere.
    description, reference, theme, unite
        For people: what it tells, the text that defines it, its heading, its unit
        (``"euros"``, ``"euros_par_habitant"``, ``"pourcentage"``, ``"annees"``, ``"ratio"``).

    Examples
    --------
    >>> ventes = Indicateur("A_VENTES", "Ventes", (Formule("C70[TA:BX]", None, 2016), Formule("C701[TA:BX]", 2017)))
    >>> ventes.texte
    'C70[TA:BX][RE-MIN:#][RE-MAX:2016]C701[TA:BX][RE-MIN:2017][RE-MAX:#]'
    >>> [segment.exercice_min for segment in ventes.tree.segments]
    [None, 2017]
    """

    code: str
    libelle: str = ""
    formules: tuple[Formule, ...] = ()
    description: str = ""
    reference: str = ""
    theme: str = ""
    unite: str = "euros"

    def __post_init__(self) -> None:
        _set(
            self,
            code=self.code.strip(),
            libelle=_line(self.libelle),
            formules=tuple(self.formules),
            description=_paragraphs(self.description),
            reference=_paragraphs(self.reference),
            theme=_line(self.theme),
            unite=self.unite.strip() or "euros",
        )

    @classmethod
    def from_texte(cls, code: str, texte: str, libelle: str = "", **fields: str) -> Indicateur:
        """Build an indicateur from a whole text of the language, whose years become those of its formules.

        Parameters
        ----------
        code, libelle, **fields
            As the fields of the class.
        texte
            The formule; empty for an indicateur worth 0.

        Raises
        ------
        FormuleSyntaxError
            When the text cannot be evaluated; carries every diagnostic.

        Examples
        --------
        >>> Indicateur.from_texte("A_B", "C70[TA:BX][RE-MAX:2016]+C701[TA:BX][RE-MIN:2017]").formules
        (Formule(texte='C70[TA:BX]', exercice_min=None, exercice_max=2016),
         Formule(texte='+C701[TA:BX]', exercice_min=2017, exercice_max=None))
        """
        if texte.strip():
            parse_formule(texte)
        formules = tuple(Formule(*part) for part in split_texte(texte))
        return cls(code, libelle, formules, **fields)

    @property
    def texte(self) -> str:
        """The whole formule in the language, years as RE-MIN and RE-MAX brackets; empty without formules."""
        return join_formules((formule.texte, formule.exercice_min, formule.exercice_max) for formule in self.formules)

    @cached_property
    def tree(self) -> SyntaxTree:
        """The syntax tree of `texte`, without segments when there is no formule; raises FormuleSyntaxError."""
        return parse_formule(self.texte) if self.formules else SyntaxTree(())

    @cached_property
    def references(self) -> tuple[str, ...]:
        """The codes that the formule names, each once, in the order of the text; raises FormuleSyntaxError."""
        nodes = (node for segment in self.tree.segments for node in walk(segment.expression))
        return tuple(dict.fromkeys(node.indicateur for node in nodes if isinstance(node, Reference)))

    def tree_svg(self, libelles: Mapping[str, str] | None = None) -> str:
        """Draw the tree of the whole formule, as SVG; raises FormuleSyntaxError."""
        return draw_tree_svg(self.tree, libelles)

    def _repr_html_(self) -> str:
        texts = "".join(f"<p>{safe(text)}</p>" for text in (self.description, self.reference) if text)
        return view(indicateurs_table([self]), texts)


@dataclass(frozen=True)
class Trame:
    """An ordered set of indicateurs over one nomenclature.

    Parameters
    ----------
    code, libelle, description, reference
        For people and files; ``code`` is the stem of the file.
    nomenclature
        Chart of accounts (``"M14"``); None when the trame is bound to none.
    indicateurs
        In order; codes are unique.
    types_etablissement
        Establishment types it is meant for (``("101",)``); empty for all.
    types_identifiant
        Identifier kinds it is meant for (``("SIRET", "SIREN")``); empty for all.
    modele
        Path of the Excel model workbook, relative to the trame's file; empty for none.

    Raises
    ------
    TrameError
        When two indicateurs have the same code.

    Examples
    --------
    >>> trame = Trame("exemple", (Indicateur.from_texte("A_B", "C70[TA:BX]"), Indicateur.from_texte("A_C", "A_B/$POP")))
    >>> trame.codes, len(trame), "A_B" in trame
    (('A_B', 'A_C'), 2, True)
    >>> trame["A_C"].texte
    'A_B/$POP'
    >>> trame.rename_indicateur("A_B", "A_VENTES")["A_C"].texte
    'A_VENTES/$POP'
    """

    code: str
    indicateurs: tuple[Indicateur, ...]
    libelle: str = ""
    description: str = ""
    reference: str = ""
    nomenclature: str | None = None
    types_etablissement: tuple[str, ...] = ()
    types_identifiant: tuple[str, ...] = ()
    modele: str = ""

    def __repr__(self) -> str:
        kind = f", {self.nomenclature}" if self.nomenclature else ""
        return f"<{type(self).__name__} {self.code}{kind}, {len(self.indicateurs)} indicateurs>"

    def __post_init__(self) -> None:
        _set(
            self,
            code=self.code.strip(),
            indicateurs=tuple(self.indicateurs),
            libelle=_line(self.libelle),
            description=_paragraphs(self.description),
            reference=_paragraphs(self.reference),
            nomenclature=(self.nomenclature or "").strip() or None,
            types_etablissement=tuple(text.strip() for text in self.types_etablissement),
            types_identifiant=tuple(text.strip() for text in self.types_identifiant),
            modele=self.modele.strip(),
        )
        codes = self.codes
        if twice := [code for code in dict.fromkeys(codes) if codes.count(code) > 1]:
            problems = [
                TrameProblem(code, "deux indicateurs portent ce code", "renommez l'un des deux") for code in twice
            ]
            raise TrameError.of(self.code, problems)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the indicateurs, in order."""
        return tuple(indicateur.code for indicateur in self.indicateurs)

    @cached_property
    def _by_code(self) -> dict[str, Indicateur]:
        return {indicateur.code: indicateur for indicateur in self.indicateurs}

    def __getitem__(self, code: str) -> Indicateur:
        """Return the indicateur of this code.

        Raises
        ------
        UnknownIndicateurError
            A KeyError that names the nearest codes.
        """
        try:
            return self._by_code[code]
        except KeyError:
            raise UnknownIndicateurError.of(code, self.code, self.codes) from None

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def __len__(self) -> int:
        return len(self.indicateurs)

    def __bool__(self) -> bool:
        return True

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The codes, each after those it refers to, otherwise in the order of the trame.

        Raises
        ------
        TrameError
            When indicateurs refer to each other in a circle; names them.
        FormuleSyntaxError
            When a formule cannot be read.
        """
        placed: dict[str, None] = {}
        for root in self.codes:
            path: dict[str, None] = {}
            stack = [root]
            while stack:
                code = stack[-1]
                waiting = [name for name in self.dependencies(code) if name not in placed]
                if code in placed or not waiting:
                    placed[code] = None
                    path.pop(code, None)
                    stack.pop()
                    continue
                path[code] = None
                if waiting[0] in path:
                    circle = [*list(path)[list(path).index(waiting[0]) :], waiting[0]]
                    message = "ces indicateurs se renvoient l'un à l'autre : " + " → ".join(circle)
                    raise TrameError.of(self.code, [TrameProblem(waiting[0], message, "réécrivez l'un d'eux")])
                stack.append(waiting[0])
        return tuple(placed)

    def dependencies(self, code: str) -> tuple[str, ...]:
        """List the indicateurs of the trame that the formule of ``code`` names, in the order of its text."""
        return tuple(name for name in self[code].references if name in self)

    def uses(self, code: str) -> tuple[str, ...]:
        """List the indicateurs whose formule names ``code``, in the order of the trame."""
        return tuple(indicateur.code for indicateur in self.indicateurs if code in indicateur.references)

    def with_indicateur(self, indicateur: Indicateur) -> Trame:
        """Return the trame with this indicateur: in the place of the one of the same code, otherwise at the end."""
        if indicateur.code not in self:
            return replace(self, indicateurs=(*self.indicateurs, indicateur))
        new = tuple(indicateur if old.code == indicateur.code else old for old in self.indicateurs)
        return replace(self, indicateurs=new)

    def without_indicateur(self, code: str) -> Trame:
        """Return the trame without this indicateur.

        Raises
        ------
        UnknownIndicateurError
            When there is none.
        DependentIndicateurError
            When other formules name it; nothing is removed.
        """
        removed = self[code]
        if users := [user for user in self.uses(code) if user != code]:
            raise DependentIndicateurError.of(code, users)
        return replace(self, indicateurs=tuple(kept for kept in self.indicateurs if kept is not removed))

    def rename_indicateur(self, code: str, new_code: str) -> Trame:
        """Return the trame where ``code`` is called ``new_code``, in every formule too.

        Raises
        ------
        UnknownIndicateurError
            When there is no ``code``.
        TrameError
            When ``new_code`` is already taken.
        """
        self[code]
        # A bracket never holds an underscore and a code always does, so the word alone decides.
        word = re.compile(rf"(?<![A-Z0-9_]){re.escape(code)}(?![A-Z0-9_])")

        def renamed(indicateur: Indicateur) -> Indicateur:
            formules = tuple(replace(part, texte=word.sub(new_code, part.texte)) for part in indicateur.formules)
            return replace(indicateur, code=new_code if indicateur.code == code else indicateur.code, formules=formules)

        return replace(self, indicateurs=tuple(map(renamed, self.indicateurs)))

    def to_frame(self) -> pd.DataFrame:
        """Return one row a formule.

        Returns
        -------
        pandas.DataFrame
            Columns ``indicateur, libelle, theme, unite, formule`` (str), ``exercice_min, exercice_max`` (Int64, missing
            where there is no bound); an indicateur without formule has one row of text ``0``.
        """
        import pandas as pd

        rows = [
            (one.code, one.libelle, one.theme, one.unite, part.texte, part.exercice_min, part.exercice_max)
            for one in self.indicateurs
            for part in one.formules or (Formule("0"),)
        ]
        names = ["indicateur", "libelle", "theme", "unite", "formule", "exercice_min", "exercice_max"]
        return pd.DataFrame(rows, columns=names).astype({"exercice_min": "Int64", "exercice_max": "Int64"})

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.codes)

    def __str__(self) -> str:
        title = f"{self.code} : {self.libelle}" if self.libelle else self.code
        width = max(map(len, self.codes), default=0)
        return "\n".join([title, *(f"  {one.code:<{width}}  {one.libelle}".rstrip() for one in self.indicateurs)])

    def _repr_html_(self) -> str:
        title = " · ".join(filter(None, (self.libelle or self.code, self.nomenclature)))
        return view(indicateurs_table(self.indicateurs, caption=title))
