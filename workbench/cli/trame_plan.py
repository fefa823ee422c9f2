"""``workbench trame plan``: the compiled plan of a trame."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import TRAME

__all__ = ["plan"]


@click.command()
@click.argument("source", metavar="TRAME", type=TRAME)
@click.option("--indicateur", "codes", multiple=True, help="Cet indicateur et ce qu'il cite ; peut se répéter.")
def plan(source: Path, codes: tuple[str, ...]) -> int:
    """Écrit le plan compilé d'une trame : ce qui est pesé, sur quels exercices, puis calculé."""
    from workbench.evaluation.part import part_of
    from workbench.evaluation.plan import compile_trame
    from workbench.evaluation.plan_text import describe_plan
    from workbench.trames import load_trame

    trame = load_trame(source)
    if codes:
        absent = [code for code in codes if code not in trame]
        if absent:
            raise click.UsageError(f"La trame n'a pas d'indicateur {', '.join(absent)}.")
        trame = part_of(trame, codes)
    click.echo(describe_plan(compile_trame(trame)))
    return ExitCode.OK
