"""``workbench trame plan``: the compiled plan of a trame."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import existing_file

__all__ = ["plan"]


@click.command()
@click.argument("source", metavar="TRAME", type=existing_file)
@click.option("--indicateur", "codes", multiple=True, help="Cet indicateur et ce qu'il cite ; peut se répéter.")
def plan(source: Path, codes: tuple[str, ...]) -> int:
    """Écrit le plan compilé d'une trame : ce qui est pesé, sur quels exercices, puis calculé."""
    from workbench.evaluation.plan import compile_trame
    from workbench.evaluation.plan_text import describe_plan
    from workbench.trames import load_trame, serie_of, trame_from_formules, trames_of

    trame = load_trame(source)
    if codes:
        absent = [code for code in codes if code not in trame]
        if absent:
            raise click.UsageError(f"La trame n'a pas d'indicateur {', '.join(absent)}.")
        kept: set[str] = set()
        todo = list(codes)
        while todo:
            code = todo.pop()
            if code not in kept:
                kept.add(code)
                todo.extend(trame.dependencies(code))
        parts = [
            trame_from_formules(
                {one.code: one.texte for one in part.indicateurs if one.code in kept},
                nomenclature=part.nomenclature,
                code=part.code,
            )
            for part in trames_of(trame)
        ]
        trame = parts[0] if len(parts) == 1 else serie_of(parts, code=trame.code)
    click.echo(describe_plan(compile_trame(trame)))
    return ExitCode.OK
