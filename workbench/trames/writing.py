"""A trame written as the text of a new YAML file: keys in the order of the reference, texts quoted where they must be.

The text is read again and compared with the trame before anyone sees it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from workbench.errors import WorkbenchError
from workbench.trames.model import Formule, Indicateur, Trame
from workbench.trames.reading import read_yaml

__all__ = ["entries_text", "formule_entries", "indicateur_entries", "trame_entries", "trame_yaml", "verified"]

# Words and figures that another reader of YAML would not take for texts.
_NO_TEXT = re.compile(
    r"(?i)(null|true|false|yes|no|on|off|y|n|[-+]?\.(inf|nan)|[-+]?[0-9.][0-9._:xoe+-]*|~|=|<<)|[0-9]{4}-[0-9]{1,2}.*"
)
_PLAIN = re.compile(r"[^\W_][^\n]*|[(+$/.][^\n]*|-[^\s-][^\n]*")
_UNPRINTABLE = re.compile(r"[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def _scalar(value: str, indent: int) -> str:
    """Write a text as YAML; a text of several lines is a block, ``indent`` columns from the left."""
    if _UNPRINTABLE.search(value) or "\t" in value:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
        return '"' + _UNPRINTABLE.sub(lambda one: f"\\u{ord(one[0]):04x}", escaped) + '"'
    if "\n" in value:
        lines = value.split("\n")
        return "\n".join(["|-", *((" " * indent + line).rstrip(" ") for line in lines)])
    if _PLAIN.fullmatch(value) and not _NO_TEXT.fullmatch(value) and not re.search(r":\s|:$|\s#|\s$", value):
        return value
    return "'" + value.replace("'", "''") + "'"


def _texts(values: tuple[str, ...]) -> str:
    """Write a short list of words on one line."""
    return "[" + ", ".join(value if re.fullmatch(r"[A-Z]{2,}", value) else f'"{value}"' for value in values) + "]"


def indicateur_entries(one: Indicateur, indent: int) -> dict[str, str]:
    """Write the entries of an indicateur, ``key: value``, in their order; ``indent`` is the column of the keys."""
    entries = {"code": f"code: {_scalar(one.code, indent + 2)}"}
    for key in ("libelle", "description", "reference", "theme", "unite"):
        value = getattr(one, key)
        if value and (key, value) != ("unite", "euros"):
            entries[key] = f"{key}: {_scalar(value, indent + 2)}"
    if len(one.formules) == 1 and not one.formules[0].validite:
        entries["formule"] = f"formule: {_scalar(one.formules[0].texte, indent + 2)}"
    elif one.formules:
        items = [
            " " * (indent + 2) + "- " + entries_text(formule_entries(part, indent + 4), indent + 4)
            for part in one.formules
        ]
        entries["formules"] = "\n".join(["formules:", *items])
    return entries


def formule_entries(part: Formule, indent: int) -> dict[str, str]:
    """Write the entries of a formule; ``indent`` is the column of the keys."""
    entries = {"texte": f"texte: {_scalar(part.texte, indent + 2)}"}
    if part.exercice_min is not None:
        entries["depuis"] = f"depuis: {part.exercice_min:04d}"
    if part.exercice_max is not None:
        entries["jusqu_a"] = f"jusqu_a: {part.exercice_max:04d}"
    return entries


def trame_entries(trame: Trame) -> dict[str, str]:
    """Write the entries of a trame, whose keys start on column 0."""
    entries = {"code": f"code: {_scalar(trame.code, 2)}"}
    for key in ("libelle", "description", "reference", "nomenclature"):
        if value := getattr(trame, key):
            entries[key] = f"{key}: {_scalar(value, 2)}"
    for key in ("types_etablissement", "types_identifiant"):
        if values := getattr(trame, key):
            entries[key] = f"{key}: {_texts(values)}"
    if trame.modele:
        entries["modele"] = f"modele: {_scalar(trame.modele, 2)}"
    items = ["  - " + entries_text(indicateur_entries(one, 4), 4) for one in trame.indicateurs]
    entries["indicateurs"] = "indicateurs:\n" + "\n\n".join(items) if items else "indicateurs: []"
    return entries


def entries_text(entries: Mapping[str, str], indent: int) -> str:
    """Put entries under each other, from the first key on; ``indent`` is the column of the keys."""
    return ("\n" + " " * indent).join(entries.values())


def trame_yaml(trame: Trame) -> str:
    """Write a trame as the text of a new file.

    Examples
    --------
    >>> print(trame_yaml(Trame("essai", (Indicateur.from_texte("A_B", "C70[TA:BX]", "Ventes : total"),))), end="")
    code: essai
    indicateurs:
      - code: A_B
        libelle: 'Ventes : total'
        formule: C70[TA:BX]
    """
    return verified(entries_text(trame_entries(trame), 0) + "\n", trame)


def verified(text: str, trame: Trame) -> str:
    """Return the text when it reads as the trame; raise WorkbenchError when it does not."""
    read, problems = read_yaml(text, trame.code)
    if read != trame:
        cause = (
            "; ".join(str(one) for one in problems if one.severity == "error") or "sa relecture donne une autre trame"
        )
        raise WorkbenchError("trame_ecriture", trame=trame.code, chemin="son fichier", cause=cause)
    return text
