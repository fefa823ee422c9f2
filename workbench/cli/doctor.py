"""``workbench doctor``: what is wrong with this installation, and what to do."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say

__all__ = ["command"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="En JSON.")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8866, show_default=True, help="Port des tableaux de bord."
)
@click.option("--depot-port", type=click.IntRange(1, 65535), default=8876, show_default=True, help="Port du dépôt.")
@click.option(
    "--base-days",
    type=click.IntRange(1),
    default=400,
    show_default=True,
    help="Âge, en jours, d'une base à renouveler.",
)
def command(as_json: bool, port: int, depot_port: int, base_days: int) -> int:
    """Examine cette installation : ce qui ne va pas, et que faire.

    À lancer sous le compte du service, avec ses réglages. Rien n'est modifié.
    """
    from workbench.deployment.examination import checks, examine
    from workbench.deployment.findings import State

    found = examine(checks(port=port, depot_port=depot_port, oldest_days=base_days))
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], ensure_ascii=False, indent=2))
    else:
        states = max(len(state) for state in State)
        subjects = max(len(each.subject) for each in found)
        for each in found:
            click.echo(f"{each.state.ljust(states)}  {each.subject.ljust(subjects)}  {each.said}")
            if each.advice:
                click.echo(f"{' ' * (states + subjects + 4)}→ {each.advice}")
    counts = {state: sum(each.state is state for each in found) for state in State}
    say(f"{counts[State.WRONG]} à corriger, {counts[State.DOUBT]} à voir, {counts[State.FINE]} bons.")
    return ExitCode.FINDINGS if counts[State.WRONG] else ExitCode.OK
