"""``workbench upgrade``: the registry and the bases, brought to the version of this software."""

from __future__ import annotations

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say

__all__ = ["command"]


@click.command()
@click.option("--check", is_flag=True, help="Dit ce qui serait fait, sans rien changer.")
@click.option("--registre", "address", help="Fichier ou adresse du registre.", show_default="WORKBENCH_REGISTRE")
def command(check: bool, address: str | None) -> int:
    """Met à jour les tables du registre et de la base comptable, toutes ou aucune.

    Faites d'abord une sauvegarde : on ne revient en arrière que par elle.
    """
    from workbench.upgrading import upgrade_base, upgrade_registry

    steps = upgrade_registry(address, check=check)
    base = upgrade_base(check=check)
    for step in steps:
        say(f"{step.room} : {step.before or 'absent'} → {step.after}")
    if base is not None:
        say(base.text)
    behind = bool(steps) or (base is not None and base.behind)
    if not behind:
        say("Tout est à la version de ce logiciel.")
    return ExitCode.FINDINGS if check and behind else ExitCode.OK
