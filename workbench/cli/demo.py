"""``workbench demo``: the main job, end to end, on fictitious communes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say
from workbench.config import settings

__all__ = ["command"]


@click.command()
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="demo",
    show_default=True,
    help="Dossier.",
)
def command(folder: Path) -> int:
    """Fait le tour du produit sur des communes fictives : import, contrôles, évaluation, rapport.

    Aucune donnée réelle n'est lue et le réseau ne sert pas.
    """
    from workbench.dgfip import (
        connect,
        controls,
        import_balances,
        import_comptes,
        import_population,
        write_demonstration,
    )
    from workbench.evaluation import evaluate, explain
    from workbench.reports import State, run_report
    from workbench.trames import load_trame

    base = folder / "base.duckdb"
    with _step("Balances de communes fictives"):
        demonstration = write_demonstration(folder / "sources")
    with _step("Import dans une base DuckDB"), connect(base, read_only=False) as opened:
        import_balances(opened, demonstration.balances)
        import_population(opened, demonstration.population)
        import_comptes(opened, demonstration.comptes)
    with _step("Contrôles"), connect(base) as opened:
        report = controls(opened)
    trame_path = settings().trames / "ofgl_agregats_m57.yaml"
    siret = demonstration.example
    with _step("Évaluation d'une trame"), connect(base) as opened:
        trame = load_trame(trame_path)
        table = evaluate(trame, opened, sirets=[siret], exercices=range(2000, 2100))
        why = explain(table, "OFGL_EPARGNE_BRUTE", int(table.columns[-1]))
    with _step("Rapport : notebook exécuté, classeur, page HTML"):
        result = run_report(
            trame=trame_path,
            base=str(base),
            sirets=[siret],
            exercices=range(table.columns[0], table.columns[-1] + 1),
            to=folder / "rapports",
        )
    click.echo()
    click.echo(str(report))
    click.echo()
    click.echo(f"{trame.libelle}, {demonstration.name_of(siret)} (SIRET {siret}), en euros :")
    shown = [code for code in table.index if trame[code].unite == "euros"][:8]
    click.echo(table.loc[shown].map(lambda value: f"{value:,.2f}".replace(",", " ").replace(".", ",")).to_string())
    click.echo()
    click.echo(
        f"L'épargne brute de {table.columns[-1]} s'explique par {len(why.comptes())} comptes : {why.value:.2f} €."
    )
    if result.state is not State.DONE:
        say(result.message)
        return ExitCode.UNEXPECTED
    click.echo("\nÀ regarder :")
    click.echo(f"  base       {base}")
    for kind, path in result.files.items():
        click.echo(f"  {kind:<10} {path}")
    click.echo("  tableau de bord : make up")
    return ExitCode.OK if report.ok else ExitCode.FINDINGS


@contextmanager
def _step(name: str) -> Iterator[None]:
    started = time.perf_counter()
    say(f"{name}…")
    yield
    say(f"  fait en {time.perf_counter() - started:.1f} s".replace(".", ","))
