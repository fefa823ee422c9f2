"""References in Markdown, made of the product itself.

``python -m workbench.cli.reference > docs/commandes.md``; ``… erreurs > docs/erreurs.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import cleandoc

import click

from workbench.cli.exits import ExitCode
from workbench.cli.main import cli
from workbench.errors import ERRORS

__all__ = ["commands", "error_reference", "reference"]

_CODES = {
    ExitCode.OK: "la commande a fait ce qui était demandé",
    ExitCode.UNEXPECTED: "erreur inattendue : un défaut du programme, dont le journal garde le détail",
    ExitCode.USAGE: "la commande n'a pas été comprise",
    ExitCode.REFUSED: "la demande est refusée : le message dit où est la faute et quoi faire",
    ExitCode.EMPTY: "rien à calculer ou à montrer : le périmètre n'a pas de comptes",
    ExitCode.FINDINGS: "la commande a fait son travail et trouvé quelque chose à redire ou une différence",
    ExitCode.INTERRUPTED: "interrompue par Ctrl-C",
}

_VALUES = {
    "DIRECTORY": "DOSSIER",
    "FILE": "FICHIER",
    "INTEGER": "NOMBRE",
    "INTEGER RANGE": "NOMBRE",
    "PATH": "CHEMIN",
    "TEXT": "TEXTE",
}


def commands(group: click.Group = cli, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield each command with the words that call it, in the order of the help.

    Examples
    --------
    >>> next(names for names, _ in commands() if names[0] == "trame")
    ('trame', 'check')
    """
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*names, name))
        elif command is not None:
            yield (*names, name), command


def reference() -> str:
    """Return the reference of all commands.

    Examples
    --------
    >>> reference().splitlines()[0]
    '# Commandes'
    """
    lines = [
        "# Commandes",
        "",
        "Cette page est produite par `python -m workbench.cli.reference`. Les données vont sur la sortie standard,",
        "tout le reste sur la sortie d'erreur.",
        "",
        "| code de sortie | sens |",
        "|---|---|",
        *(f"| {code.value} | {sentence} |" for code, sentence in _CODES.items()),
    ]
    for names, command in commands():
        arguments = [each.human_readable_name for each in command.params if isinstance(each, click.Argument)]
        options = [each for each in command.params if isinstance(each, click.Option)]
        required = [f"{each.opts[0]}{_value(each)}" for each in options if each.required]
        usage = " ".join(["workbench", *names, *arguments, *required])
        lines += ["", f"## {' '.join(names)}", "", f"`{usage}`", "", *_text(command.help or "")]
        rows = [f"| {_name(each)} | {_meaning(each)} |" for each in options]
        lines += ["", "| option | sens |", "|---|---|", *rows] if rows else []
    return "\n".join(lines) + "\n"


def error_reference() -> str:
    """Return the reference of all errors: what is said, what to do, and the HTTP status of a service.

    Examples
    --------
    >>> error_reference().splitlines()[0]
    '# Erreurs'
    """
    lines = [
        "# Erreurs",
        "",
        "Cette page est produite par `python -m workbench.cli.reference erreurs`. Le code est stable : c'est le `code`",
        "d'une `wb.WorkbenchError`. Entre accolades, ce que l'erreur nomme : fichier, ligne, colonne…",
        "",
        "| code | ce qui est dit | quoi faire | HTTP |",
        "|---|---|---|---|",
    ]
    for code, kind in sorted(ERRORS.items()):
        cells = (_cell(each) for each in (kind.sentence, kind.hint))
        lines.append(f"| `{code}` | {' | '.join(cells)} | {kind.status} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Write a text as it is shown: nothing in it is a mark of Markdown."""
    for mark in "\\|<>*[]`":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def _text(text: str) -> list[str]:
    """Return a help text as paragraphs; what click must not rewrap is code."""
    lines: list[str] = []
    for paragraph in cleandoc(text).split("\n\n"):
        kept = paragraph.startswith("\b\n")
        lines += ["", "```sh", paragraph[2:], "```"] if kept else ["", paragraph]
    return lines[1:]


def _name(option: click.Option) -> str:
    names = (f"`{each}{_value(option)}`" for each in (*option.opts, *option.secondary_opts))
    return ", ".join(names).replace("|", "\\|")


def _value(option: click.Option) -> str:
    # The type's own name may be translated already, when the command line has run.
    name = option.make_metavar(click.Context(cli))
    return "" if option.is_flag else f" {_VALUES.get(name, name)}"


def _meaning(option: click.Option) -> str:
    default = option.show_default if isinstance(option.show_default, str) else ""
    if option.show_default is True:
        default = str(option.default).lower() if option.is_flag else str(option.default)
        default = {"true": "oui", "false": "non"}.get(default, default)
    notes = ["obligatoire"] if option.required else []
    notes += ["peut se répéter"] if option.multiple and "répéter" not in str(option.help) else []
    notes += [f"par défaut : {default}"] if default else []
    said = f" ({' ; '.join(notes)})" if notes else ""
    return f"{option.help}{said}".replace("|", "\\|")


if __name__ == "__main__":
    click.echo(error_reference() if sys.argv[1:] == ["erreurs"] else reference(), nl=False)
