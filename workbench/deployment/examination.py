"""The examination of an installation: the list of its checks, each run whatever the others found."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from workbench.deployment import machine_checks as machine
from workbench.deployment import service_checks as services
from workbench.deployment.findings import Check, Finding, refused, wrong
from workbench.errors import WorkbenchError

__all__ = ["checks", "examine"]


def checks(*, port: int = 8866, depot_port: int = 8876, oldest_days: int = 400) -> dict[str, Check]:
    """Return the checks, by what they look at.

    Parameters
    ----------
    port, depot_port
        Where the dashboards and the storage of files listen.
    oldest_days
        Age from which the base is doubtful.
    """
    return {
        "réglages": services.configuration,
        "secrets": services.secrets,
        "dossiers": machine.folders,
        "disques": machine.disks,
        "registre": services.registry,
        "base comptable": partial(services.base, oldest_days),
        "émetteur d'identités": services.issuer,
        "horloge": services.clock,
        "serveur de messages": services.broker,
        "dépôt de fichiers": services.depot,
        "port des tableaux de bord": partial(machine.port, "tableaux de bord", port),
        "port du dépôt": partial(machine.port, "dépôt", depot_port),
        "bibliothèques": machine.libraries,
        "libgomp": machine.openmp,
        "Chromium": machine.chromium,
        "noyaux préparés": machine.zygotes,
    }


def examine(looked_at: Mapping[str, Check]) -> list[Finding]:
    """Run checks, and return all that they found.

    Examples
    --------
    >>> def away():
    ...     raise WorkbenchError("base_absente", chemin="base.duckdb")
    >>> [(found.subject, found.state.value) for found in examine({"base": away})]
    [('base', 'à corriger')]
    """
    found: list[Finding] = []
    for subject, check in looked_at.items():
        try:
            found += check()
        except WorkbenchError as error:
            found.append(refused(subject, error))
        except Exception as error:  # noqa: BLE001 - the others are looked at all the same
            said = f"l'examen n'a pas abouti ({type(error).__name__} : {error})"
            found.append(wrong(subject, said, "Relancez sous le compte du service ; sinon, signalez-le."))
    return found
