"""``workbench config``: the settings, as they are, as they may be."""

from __future__ import annotations

import json
import os
from dataclasses import asdict

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say

__all__ = ["command"]


@click.group()
def command() -> None:
    """Les réglages : ceux qui valent, ce qu'ils ont de faux, tous ceux qui existent."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="En JSON.")
def show(as_json: bool) -> int:
    """Montre les réglages qui valent et d'où ils viennent ; aucun secret n'est montré."""
    from workbench.config.reading import read_values
    from workbench.config.reference import in_force

    rows = in_force(read_values())
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=2))
        return ExitCode.OK
    wide = max(len(row.key) for row in rows)
    for row in rows:
        click.echo(f"{row.key.ljust(wide)}  {f'{row.text}  ({row.place})' if row.text else f'– {row.default}'}")
    return ExitCode.OK


@command.command()
def check() -> int:
    """Relit le fichier des réglages, les fichiers de secrets et les variables, et dit ce qui ne va pas."""
    from workbench.config.reading import read_values
    from workbench.config.reference import doubts, in_force

    values = read_values()
    count = sum(bool(row.text) for row in in_force(values))
    found = doubts(os.environ)
    say(found)
    say(f"{f'Fichier {values.path}' if values.path else 'Aucun fichier'} ; réglages donnés : {count}.")
    return ExitCode.FINDINGS if found else ExitCode.OK


@command.command()
def reference() -> int:
    """Écrit la page de tous les réglages, en Markdown."""
    from workbench.config.reference import reference as page

    click.echo(page(), nl=False)
    return ExitCode.OK


@command.command()
def example() -> int:
    """Écrit un fichier de réglages où tous sont expliqués et aucun donné.

    \b
    workbench config example > workbench.toml
    """
    from workbench.config.reference import example as text

    click.echo(text(), nl=False)
    return ExitCode.OK
