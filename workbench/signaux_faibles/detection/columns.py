"""What is known of a table before it is read: keys, variables with theme, sign and default, what knows the future.

French companies, American firms and Polish ones are three declarations; nothing after this module knows which it is.
A variable is a column of the table, or is derived from others by an operation of `derive`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from workbench.errors import WorkbenchError

__all__ = ["THEMES", "Declaration", "Variable", "load_declaration"]

THEMES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "sante_financiere": ("Santé financière", "Données-financières"),
        "dette_urssaf": ("Dette Urssaf", "Dettes-sociales"),
        "activite_partielle": ("Activité partielle", "Recours-à-l'activité-partielle"),
        "paiement_fournisseurs": ("Paiement des fournisseurs", "Retards-de-paiement-fournisseurs"),
        "effectif": ("Effectif", "Variation-de-l'effectif-de-l'entreprise"),
    }
)
"""The themes that an agent reads: label for people, and label in the documents of 2021 to 2025 (specification 6.4)."""

ACTIVITY = "secteur_d_activite"
"""The theme of what is known of an activity, none of those of an agent's radar."""

OPERATIONS = ("ratio", "difference", "log", "lag", "diff", "growth", "mean", "negative", "age")
"""What `derive` computes; its ``OPERATIONS`` says how."""


@dataclass(frozen=True)
class Variable:
    """A variable of a model.

    Parameters
    ----------
    name
        Its name, and the column's when it is not derived.
    theme
        A key of `THEMES`, or a theme of the declaration's own.
    sign
        1 where economics demands that the risk never falls when the variable grows, -1 that it never grows, 0 free.
    default
        What an absent value is; None leaves it absent: boosting has a branch for it, others take the median.
    label, unit
        French, for the sentences: « la dette sociale », a unit of `workbench.numbers` or a word such as « jours ».
    operation, of, months
        How it is derived: see `derive`; empty for a column of the table. A column of its name is taken where
        the table has one.
    given
        Whether the model sees it; False for what others are derived from.
    category
        Column of texts (an activity) in the place of numbers: a model is given the share of failures of each of its
        texts, as learnt (see `encodings`).
    feature
        The variable that it is a lag, a mean or a change of, where it is a column of the table; known by itself where
        it is derived.

    Examples
    --------
    >>> Variable("ebe_sur_ca", "sante_financiere", sign=-1, operation="ratio", of=("ebe", "ca")).of
    ('ebe', 'ca')
    """

    name: str
    theme: str
    sign: int = 0
    default: float | None = None
    label: str = ""
    unit: str = ""
    operation: str = ""
    of: tuple[str, ...] = ()
    months: int = 0
    given: bool = True
    feature: str = ""
    category: str = ""

    def __post_init__(self) -> None:
        if self.sign not in (-1, 0, 1):
            raise WorkbenchError("detection_declaration", detail=f"le signe de {self.name} est {self.sign}")
        if self.operation and self.operation not in OPERATIONS:
            raise WorkbenchError("detection_declaration", detail=f"opération inconnue : {self.operation}")
        if self.operation and self.category:
            raise WorkbenchError("detection_declaration", detail=f"{self.name} est une catégorie et une opération")
        object.__setattr__(self, "of", tuple(self.of))

    def to_json(self) -> dict[str, Any]:
        """Return plain values; what came after the first models were saved is left out where it is empty."""
        fields_ = {**asdict(self), "of": list(self.of)}
        return {name: value for name, value in fields_.items() if name != "category" or value}

    @property
    def title(self) -> str:
        """How people call it."""
        return self.label or self.name.replace("_", " ")


@dataclass(frozen=True)
class Declaration:
    """What a table holds.

    Parameters
    ----------
    name
        What the declaration is called, in cards.
    variables
        In the order of the models' columns; a derived variable follows those it is derived from.
    entity, periode
        Columns of the key: SIREN or SIRET (or any text: the first nine characters of a SIRET are one company), and
        the month. An empty `periode` is a table of one moment; an empty `entity` makes one company of the rows whose
        variables are all equal.
    target
        Column of marks, 0 or 1: the event comes within the horizon.
    til
        Column of the months left until the event, 0 or negative from the event on; gives the target by itself.
    event
        Column of the date of the event; gives the target by itself.
    strong
        Column of marks: the event has come already (strong signals); `til` and `event` tell it by themselves.
    known
        Column of marks: the whole horizon of the row is known; the target of the others is not.
    horizon
        Months that the target looks ahead.
    future
        Columns that know the future: none may be a variable.
    groups
        Columns that the evaluation is broken down by, under a French name; a column of numbers is cut at `bounds`, one
        that the table lacks is passed over.
    bounds
        By group, lower limits of its classes from the second one on.
    effectif, activite, categorie, active
        Columns that the perimeter is decided on (specification 6.1), which a table needs where there is one; those that
        are empty decide nothing.
    mapping
        Names of the table's columns by names of this declaration, where they differ.
    """

    name: str
    variables: tuple[Variable, ...]
    entity: str = "siren"
    periode: str = "periode"
    target: str = ""
    til: str = ""
    event: str = ""
    strong: str = ""
    known: str = ""
    horizon: int = 18
    future: tuple[str, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    effectif: str = ""
    activite: str = ""
    categorie: str = ""
    active: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [each.name for each in self.variables]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise WorkbenchError("detection_declaration", detail=f"variables déclarées deux fois : {', '.join(twice)}")
        seen: set[str] = set()
        for each in self.variables:
            if each.operation and not set(each.of) <= seen:
                missing = ", ".join(sorted(set(each.of) - seen))
                raise WorkbenchError("detection_declaration", detail=f"{each.name} vient avant {missing}")
            seen.add(each.name)
        if not self.given:
            raise WorkbenchError("detection_declaration", detail="aucune variable n'est donnée au modèle")

    @property
    def given(self) -> tuple[Variable, ...]:
        """The variables that a model sees, in order."""
        return tuple(each for each in self.variables if each.given)

    @property
    def themes(self) -> tuple[str, ...]:
        """The themes of the variables given, those of `THEMES` first, in their order."""
        present = dict.fromkeys(each.theme for each in self.given)
        return (*(theme for theme in THEMES if theme in present), *(theme for theme in present if theme not in THEMES))

    def feature_of(self, name: str) -> str:
        """Return the variable that one speaks of to people: a lag, a mean and a change are of the same one."""
        by_name = {each.name: each for each in self.variables}
        while name in by_name:
            each = by_name[name]
            if each.feature:
                return each.feature
            if each.operation not in ("lag", "diff", "growth", "mean", "negative"):
                break
            name = each.of[0]
        return name

    def column(self, name: str) -> str:
        """Return the name that the table gives to a column."""
        return self.mapping.get(name, name)

    def encoding(self, *columns: str) -> Declaration:
        """Return the declaration with the share of failures of each text of some columns, such as the activity.

        Examples
        --------
        >>> Declaration("essai", (Variable("dette", "dette_urssaf"),)).encoding("code_naf").given[1].name
        'taux_code_naf'
        """
        label = "la fréquence des défaillances dans « {} »"
        added = (
            Variable(f"taux_{each}", ACTIVITY, 0, None, label.format(each), "pourcentage", category=each)
            for each in columns
        )
        return replace(self, variables=(*self.variables, *added))

    def without_target(self) -> Declaration:
        """Return the declaration of a table whose future is not known: what a list is made from."""
        return replace(self, target="", til="", event="", strong="", known="")

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            **{each.name: getattr(self, each.name) for each in fields(self) if each.name != "variables"},
            "future": list(self.future),
            "groups": dict(self.groups),
            "bounds": {name: list(limits) for name, limits in self.bounds.items()},
            "mapping": dict(self.mapping),
            "variables": [each.to_json() for each in self.variables],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Declaration:
        """Read what `to_json` gives, or a person wrote.

        Raises
        ------
        WorkbenchError
            ``detection_declaration`` names the field that is unknown, missing or wrong.

        Examples
        --------
        >>> given = Declaration("essai", (Variable("dette", "dette_urssaf", sign=1),), target="defaut")
        >>> Declaration.from_json(given.to_json()) == given
        True
        """
        if not isinstance(content, Mapping) or not isinstance(content.get("variables"), Sequence):
            raise WorkbenchError("detection_declaration", detail="il faut une liste « variables »")
        try:
            variables = tuple(Variable(**each) for each in content["variables"])
            rest = {name: value for name, value in content.items() if name != "variables"}
            for name in ("groups", "mapping", "bounds"):
                rest[name] = dict(rest.get(name, {}))
            rest["bounds"] = {name: tuple(limits) for name, limits in rest["bounds"].items()}
            rest["future"] = tuple(rest.get("future", ()))
            return cls(variables=variables, **rest)
        except (TypeError, ValueError) as error:
            raise WorkbenchError("detection_declaration", detail=str(error)) from error


def load_declaration(path: str | Path) -> Declaration:
    """Read a declaration that a person wrote in YAML (or JSON).

    Raises
    ------
    WorkbenchError
        ``fichier_illisible``, ``detection_declaration``.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe", pure=True).load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise WorkbenchError("fichier_illisible", fichier=str(path), detail=str(error)) from error
    except YAMLError as error:
        raise WorkbenchError("detection_declaration", detail=str(error)) from error
    return Declaration.from_json(content)
