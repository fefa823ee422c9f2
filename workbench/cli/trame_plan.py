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
    from workbench.trames import load_trame, trame_from_formules

    trame = load_trame(source)
    if codes:
        known = {indicateur.code: indicateur for indicateur in trame.indicateurs}
        absent = [code for code in codes if code not in known]
        if absent:
            raise click.UsageError(f"La trame n'a pas d'indicateur {', '.join(absent)}.")
        kept: dict[str, str] = {}
        todo = list(codes)
        while todo:
            code = todo.pop()
            if code not in kept:
                kept[code] = known[code].texte
                todo.extend(known[code].references)
        trame = trame_from_formules(kept, nomenclature=trame.nomenclature, code=trame.code)
    click.echo(describe_plan(compile_trame(trame)))
    return ExitCode.OK
