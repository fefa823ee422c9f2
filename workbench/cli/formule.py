"""``workbench formule``: one formule at a time."""

from __future__ import annotations

import click

from workbench.cli.exits import ExitCode

__all__ = ["command"]


@click.group()
def command() -> None:
    """Une formule : vérifier, dessiner l'arbre."""


@command.command()
@click.argument("text", metavar="FORMULE")
@click.option("--indicateur", "indicateurs", multiple=True, help="Indicateur connu ; peut se répéter.")
def check(text: str, indicateurs: tuple[str, ...]) -> int:
    """Vérifie une formule et dit tout ce qui ne va pas.

    \b
    workbench formule check "C70-D70[TA:BX]"
    """
    from workbench.formules import check_formule, format_diagnostic

    diagnostics = check_formule(text, known_indicateurs=indicateurs or None)
    for diagnostic in diagnostics:
        click.echo(format_diagnostic(text, diagnostic))
    if any(diagnostic.severity == "error" for diagnostic in diagnostics):
        return ExitCode.FINDINGS
    if not diagnostics:
        click.echo("Formule correcte.", err=True)
    return ExitCode.OK


@command.command()
@click.argument("text", metavar="FORMULE")
def tree(text: str) -> int:
    """Écrit l'arbre d'une formule, une ligne par nœud."""
    from workbench.formules import draw_tree, parse_formule

    click.echo(draw_tree(parse_formule(text)))
    return ExitCode.OK
