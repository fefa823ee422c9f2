"""``workbench <noun> <verb>``: stdout carries data, all the rest goes to stderr.

Nouns are loaded when named, so that ``--help`` imports no engine.
"""

from __future__ import annotations

import gettext
import os
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import click

from workbench import __version__
from workbench.cli.exits import ExitCode
from workbench.errors import WorkbenchError

__all__ = ["main"]

_NOUNS = {
    "base": "La base comptable : importer, télécharger, contrôler, décrire.",
    "trame": "Les trames : vérifier, évaluer, importer, exporter, comparer, lister.",
    "formule": "Une formule : vérifier, dessiner l'arbre.",
    "report": "Les rapports : tableau, classeur, notebook, balance ; un seul, ou par lots.",
    "worker": "Produit sur cette machine les rapports confiés à toutes.",
    "comment": "Les commentaires : sur l'application, une trame, un indicateur.",
    "store": "Le magasin d'objets : publier, lire, expliquer, journal, purge.",
    "signaux": "Les entreprises en difficulté : préparer un batch de fichiers, le vérifier, l'historiser.",
    "upload": "Les fichiers des partenaires : envoyer, servir, lister, reprendre une quarantaine.",
    "demo": "Une démonstration complète sur des communes et des entreprises fictives.",
    "user": "Les personnes qui se connectent à cette machine : ajouter, lister, badges, jeton.",
    "up": "Sert les tableaux de bord sur cette machine.",
    "config": "Les réglages : ceux qui valent, ce qu'ils ont de faux, tous ceux qui existent.",
    "doctor": "Dit ce qui ne va pas dans cette installation, et que faire.",
    "deploy": "Les fichiers d'une installation : systemd, nginx, Apache, conteneurs.",
    "backup": "Sauvegarde toute l'installation pendant qu'elle sert.",
    "restore": "Restaure une sauvegarde sur une machine vide, et la vérifie.",
    "upgrade": "Met le registre et les bases à la version de ce logiciel.",
    "purge": "Efface ce dont la durée de conservation est passée, et le journalise.",
    "person": "Ce que le logiciel sait d'une personne : l'exporter.",
}


def _speak_french() -> None:
    os.environ["LANGUAGE"] = "fr"
    gettext.bindtextdomain("workbench", str(Path(__file__).parent / "locale"))
    gettext.textdomain("workbench")


# Before any command is made: click keeps some texts in the language of their first use.
_speak_french()


class _Nouns(click.Group):
    """A group whose commands are modules, imported when asked for."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(_NOUNS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _NOUNS:
            return None
        command = import_module(f"workbench.cli.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101 - narrows the type
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commandes"):
            formatter.write_dl(list(_NOUNS.items()))


@click.group(cls=_Nouns, context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 110})
@click.version_option(__version__, prog_name="workbench", help="Affiche la version.")
def cli() -> None:
    """Analyse financière des organismes publics : bases, trames, rapports et tableaux de bord."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with an `ExitCode`."""
    try:
        code = cli.main(arguments, prog_name="workbench", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else ExitCode.OK)
    except click.exceptions.Abort:
        click.echo("Interrompu.", err=True)
        sys.exit(ExitCode.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except WorkbenchError as error:
        click.echo(f"Erreur : {error}", err=True)
        sys.exit(ExitCode.EMPTY if error.code == "rapport_vide" else ExitCode.REFUSED)
    except BrokenPipeError:
        # The reader of a pipe left (`workbench … | head`): nothing more to say, to no one.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.OK)
    except Exception:  # noqa: BLE001 - the last door: people get an identifier, the log gets the traceback
        _report_defect()
        sys.exit(ExitCode.UNEXPECTED)


def _report_defect() -> None:
    """Keep the traceback where the operator finds it, under an identifier that the user can give."""
    from platformdirs import user_log_path

    from workbench.logs import cleaned

    identifier = uuid4().hex[:8]
    if os.environ.get("WORKBENCH_DEBUG"):
        traceback.print_exc()
    try:
        log: Path = user_log_path("workbench", ensure_exists=True) / "erreurs.log"
        # Its owner's alone, and cleaned as the log is: a traceback may quote what a person asked, or an address.
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            when = datetime.now(UTC).isoformat(timespec="seconds")
            file.write(f"--- {identifier} {when}\n{cleaned(traceback.format_exc())}")
        place = f"Le détail est dans {log}."
    except OSError:
        place = "Relancez avec WORKBENCH_DEBUG=1 pour voir le détail."
    click.echo(f"Erreur inattendue (identifiant {identifier}). {place}", err=True)
