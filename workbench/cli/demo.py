"""``workbench demo``: both jobs, end to end, on fictitious communes and companies."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say
from workbench.config import settings

if TYPE_CHECKING:
    from workbench.evaluation import IndicateurTable
    from workbench.trames import Trame

__all__ = ["command"]

_FIGURES = (
    "OFGL_RECETTES_FONCTIONNEMENT",
    "OFGL_DEPENSES_FONCTIONNEMENT",
    "OFGL_EPARGNE_BRUTE",
    "OFGL_EPARGNE_NETTE",
    "OFGL_ENCOURS_DETTE",
    "OFGL_CAPACITE_DE_DESENDETTEMENT",
)


@click.command()
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="demo",
    show_default=True,
    help="Dossier.",
)
@click.option("--no-companies", is_flag=True, help="Sans les entreprises ni leur liste.")
def command(folder: Path, no_companies: bool) -> int:
    """Fait le tour du produit sur des communes et des entreprises fictives.

    Communes : import, contrôles, évaluation, rapport. Entreprises : fichiers de partenaires, historique, variables,
    modèle, liste publiée selon les badges, et trois personnes aux droits différents pour la regarder par
    « workbench up ». Aucune donnée réelle n'est lue et le réseau ne sert pas.
    """
    from workbench.cli.demo_companies import PEOPLE, add_people, list_of_companies
    from workbench.dgfip import (
        connect,
        controls,
        import_balances,
        import_comptes,
        import_epci,
        import_population,
        write_demonstration,
    )
    from workbench.evaluation import evaluate, explain
    from workbench.reports import State, run_report
    from workbench.reports.numbers import format_value
    from workbench.trames import load_trame

    base, reports = folder / "base.duckdb", folder / "rapports"
    with _step("Balances de communes fictives"):
        demonstration = write_demonstration(folder / "sources")
    with _step("Import dans une base DuckDB"), connect(base, read_only=False) as opened:
        import_balances(opened, demonstration.balances)
        import_population(opened, demonstration.population)
        import_comptes(opened, demonstration.comptes)
        import_epci(opened, demonstration.epci)
    with _step("Contrôles"), connect(base) as opened:
        report = controls(opened)
    trame_path = settings().trames / "ofgl_agregats_m57.yaml"
    siret = demonstration.example
    with _step("Évaluation d'une trame"), connect(base) as opened:
        trame = load_trame(trame_path)
        table = evaluate(trame, opened, sirets=[siret], exercices=range(2000, 2100))
        first, last = (int(table.columns[place]) for place in (0, -1))
        why = explain(table, "OFGL_EPARGNE_BRUTE", last)
    with _step("Rapport : notebook exécuté, classeur, page HTML"):
        result = run_report(
            trame=trame_path,
            base=str(base),
            sirets=[siret],
            exercices=range(first, last + 1),
            to=reports,
        )
    companies = None
    if not no_companies:
        companies = list_of_companies(folder, _step)
        with _step("Personnes de la démonstration"):
            add_people(folder)
    say(result.warnings)
    click.echo()
    click.echo(str(report))
    click.echo()
    click.echo(f"{trame.libelle} : {demonstration.name_of(siret)} (SIRET {siret})")
    click.echo(_shown(table, trame))
    click.echo()
    click.echo(
        f"L'épargne brute de {last}, {format_value(why.value, decimals=2)}, s'explique jusqu'à ses "
        f'{len(why.comptes())} comptes : wb.explain(table, "OFGL_EPARGNE_BRUTE", {last})'
    )
    if companies is not None:
        click.echo("\n" + "\n".join(companies.lines()))
    if result.state is not State.DONE:
        say(result.message)
        return ExitCode.UNEXPECTED
    made = {"base": base, **{kind: reports / path.name for kind, path in result.files.items()}}
    if companies is not None:
        made["liste"] = companies.made.card
    click.echo("\nÀ regarder :")
    for kind, path in made.items():
        click.echo(f"  {kind:<10} {path}")
    click.echo("  tableaux de bord : make up")
    if companies is not None:
        click.echo("\nPour s'y connecter, en démonstration seulement :")
        for each in PEOPLE:
            click.echo(f"  {each.email}  « {each.password} »  {each.sees}")
    return ExitCode.OK if report.ok else ExitCode.FINDINGS


def _shown(table: IndicateurTable, trame: Trame) -> str:
    """Write the figures that an analyst looks at first, as a table."""
    from workbench.reports.numbers import format_value

    lines = [["", *(str(exercice) for exercice in table.columns)]]
    for code in _FIGURES:
        values: list[float] = table.loc[[code]].to_numpy()[0].tolist()
        lines.append([trame[code].libelle, *(format_value(value, trame[code].unite) for value in values)])
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join(
        "   ".join(
            [line[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in lines
    )


@contextmanager
def _step(name: str) -> Iterator[None]:
    started = time.perf_counter()
    say(f"{name}…")
    yield
    say(f"  fait en {time.perf_counter() - started:.1f} s".replace(".", ","))
