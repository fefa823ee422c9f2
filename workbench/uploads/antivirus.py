"""An antivirus command run on the whole file, in ClamAV's manner: 0 is clean, 1 is infected, all else is no answer.

Source: specification of Signaux Faibles, 1.5. ``clamscan`` and ``clamdscan`` both answer so.
"""

from __future__ import annotations

import shlex
import subprocess

from workbench.errors import WorkbenchError
from workbench.uploads.hooks import Arrival, HookError

__all__ = ["Antivirus"]

MOST_OUTPUT = 2000


class Antivirus:
    """A hook that has a command look at the file.

    Parameters
    ----------
    command
        Program and options; the path of the file comes after them. No shell reads it.
    seconds
        How long it may take.

    Raises
    ------
    WorkbenchError
        ``depot_reglage``: no command can be read.

    Examples
    --------
    >>> Antivirus("clamdscan --fdpass --no-summary").command
    ('clamdscan', '--fdpass', '--no-summary')
    """

    name = "antivirus"
    once = False

    def __init__(self, command: str, seconds: float = 6 * 3600) -> None:
        try:
            self.command = tuple(shlex.split(command))
        except ValueError:
            self.command = ()
        if not self.command:
            raise WorkbenchError(
                "depot_reglage",
                reglage="WORKBENCH_DEPOT_ANTIVIRUS",
                valeur=command,
                conseil="Donnez une commande, par exemple : clamdscan --fdpass --no-summary",
            )
        self.seconds = seconds

    def run(self, arrival: Arrival) -> None:
        """Look at a file; raise `HookError` unless it is clean."""
        words = [*self.command, str(arrival.data.absolute())]
        try:
            done = subprocess.run(  # noqa: S603 - the operator's command, and a path of ours
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=self.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise HookError("le contrôle antivirus n'a pas abouti", f"rien après {self.seconds:g} s") from error
        except OSError as error:
            raise HookError("le contrôle antivirus n'a pas pu être fait", f"{words[0]} : {error.strerror}") from error
        said = done.stdout.decode("utf-8", "replace").strip()[-MOST_OUTPUT:]
        if done.returncode == 1:
            raise HookError("l'antivirus y a trouvé un fichier malveillant", said)
        if done.returncode != 0:
            raise HookError("le contrôle antivirus n'a pas pu être fait", f"code {done.returncode} : {said}")
