"""What is said of the settings to people: the reference page, an example of the file, the table of what is in force."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from workbench.config.declared import GIVEN, PREFIX, SETTINGS, Kind, Secrecy, Setting
from workbench.config.reading import CONFIG, Values, nearest

__all__ = ["InForce", "doubts", "example", "in_force", "reference"]

DOTS = "•••"


@dataclass(frozen=True)
class InForce:
    """One setting as it is now, fit to be shown.

    Parameters
    ----------
    name, key
        The variable, and the key of the file.
    text
        Its value without any secret; empty when nothing sets it.
    place
        Where it comes from, in French.
    default
        What holds when nothing sets it.
    """

    name: str
    key: str
    text: str
    place: str
    default: str


def in_force(values: Values) -> list[InForce]:
    """Return every setting as it is now, secrets masked; errors of `Values.find`."""
    rows = []
    for each in SETTINGS:
        found = values.find(each)
        text = _masked(each, found.text) if found is not None else ""
        rows.append(InForce(each.name, each.key, text, found.place if found is not None else "défaut", each.default))
    return rows


def _masked(setting: Setting, text: str) -> str:
    """Return a value without what is to be kept from others.

    Examples
    --------
    >>> from workbench.config.declared import setting_of
    >>> _masked(setting_of("WORKBENCH_BROKER"), "amqp://atelier:secret@messages/campagne")
    'amqp://atelier:•••@messages/campagne'
    """
    if not setting.hides(text):
        return text
    if setting.secrecy is Secrecy.SECRET:
        return DOTS
    return ";".join(map(_without_password, text.split(";")))


def _without_password(address: str) -> str:
    try:
        parts = urlsplit(address)
        if parts.password is None:
            return address
        user, _, place = parts.netloc.rpartition("@")
    except ValueError:
        return DOTS
    return address.replace(f"{user}@{place}", f"{user.partition(':')[0]}:{DOTS}@{place}", 1)


def doubts(environment: Mapping[str, str]) -> list[str]:
    """Return, in French, what is doubtful among the variables: misspelt names, wrong values, one thing said twice.

    Examples
    --------
    >>> doubts({"WORKBENCH_DEPOT_TAIL": "10"})
    ["WORKBENCH_DEPOT_TAIL n'est pas un réglage ; le plus proche est WORKBENCH_DEPOT_TAILLE."]
    """
    known = {each.name: each for each in SETTINGS}
    others = {each.name for each in GIVEN} | {each.file_name for each in SETTINGS if each.secrecy}
    found = []
    for name in sorted(environment):
        if not name.startswith(PREFIX) or not environment[name]:
            continue
        if name in known:
            setting = known[name]
            if problem := setting.problem(environment[name]):
                found.append(f"{name} ne convient pas ({setting.kind}) : {problem}.")
            if setting.secrecy and environment.get(setting.file_name):
                found.append(f"{name} et {setting.file_name} disent tous deux la même chose : seul le premier compte.")
        elif name not in others:
            found.append(f"{name} n'est pas un réglage ; le plus proche est {PREFIX}{nearest(name).upper()}.")
    return found


def reference() -> str:
    """Return the reference page, in Markdown."""
    lines = [
        "# Réglages",
        "",
        "Cette page est faite de la déclaration des réglages : ne la modifiez pas, refaites-la par",
        "`workbench config reference > docs/reglages.md`.",
        "",
        f"Chaque réglage se donne par une variable d'environnement, ou par une clé du fichier que nomme `{CONFIG}`.",
        "L'environnement l'emporte ; une valeur vide vaut absence. Les chemins relatifs partent du dossier courant.",
        "",
        "Un secret, ou une adresse qui contient un mot de passe, se donne plutôt par un fichier : son chemin dans la",
        "variable `…_FILE` ou la clé `…_file`, ou le fichier de ce nom parmi ceux que systemd confie au service",
        "(`LoadCredential=`). Ce fichier a les droits 600, sans quoi il est refusé ; le fichier des réglages aussi,",
        "dès qu'il contient un secret. Une clé inconnue, ou une valeur d'un autre genre, fait refuser tout le fichier.",
        "",
        "| variable | clé du fichier | genre | sans réglage | à quoi il sert | services |",
        "|---|---|---|---|---|---|",
    ]
    for each in SETTINGS:
        variable, key, kind = f"`{each.name}`", f"`{each.key}`", each.kind.value
        if each.secrecy:
            variable, key = f"{variable}, `{each.file_name}`", f"{key}, `{each.key}_file`"
            kind = f"{kind}, {each.secrecy.value}"
        if each.choices:
            kind = f"{kind} : {', '.join(each.choices)}"
        lines.append(f"| {variable} | {key} | {kind} | {each.default} | {each.libelle} | {', '.join(each.services)} |")
    lines += [
        "",
        "## Variables de l'environnement seul",
        "",
        "Les trois premières se donnent à la main ; un serveur pose les autres pour ses noyaux.",
        "",
        "| variable | ce qu'elle dit |",
        "|---|---|",
        *(f"| `{each.name}` | {each.libelle} |" for each in GIVEN),
        "",
    ]
    return "\n".join(lines)


_WRITTEN = {Kind.INTEGER: "0", Kind.FLAG: "false", Kind.NAMES: "[]"}


def example(given: Mapping[str, str] | None = None) -> str:
    """Return a file of settings where every setting is told, and only some are set.

    Parameters
    ----------
    given
        Values by key, written as TOML; the others are comments.
    """
    given = given or {}
    lines = [f"# Réglages de workbench : {CONFIG} nomme ce fichier. L'environnement l'emporte.", ""]
    for each in SETTINGS:
        told = f"{each.libelle[0].upper()}{each.libelle[1:]} ({each.kind.value}). Sans réglage : {each.default}."
        lines += textwrap.wrap(told, 100, initial_indent="# ", subsequent_indent="# ")
        written = {key: given[key] for key in (each.key, f"{each.key}_file") if key in given}
        lines += [f"{key} = {value}" for key, value in written.items()]
        if not written:
            key = f"{each.key}_file" if each.secrecy is Secrecy.SECRET else each.key
            lines.append(f"# {key} = " + _WRITTEN.get(each.kind, '""'))
        lines.append("")
    return "\n".join(lines)
