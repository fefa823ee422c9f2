"""What a kernel may see of its server's variables.

A server holds secrets of its own: its token, the keys of an identity provider, the address of a broker. A kernel
runs what a notebook says, so it receives none of them. What the person or the caller gave on purpose stays.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping

__all__ = ["KEPT", "kernel_environment"]

SECRET = re.compile(
    r"TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|COOKIE|BROKER|^JPY_API|^JUPYTERHUB_",
    re.IGNORECASE,
)

KEPT = frozenset({"PGPASSWORD", "WORKBENCH_OPENDATA_KEY"})
"""Secrets of the person who works, that her notebooks need: the guide says to put them there."""

_OF_THE_SERVER = frozenset({"JPY_PARENT_PID", "JPY_INTERRUPT_EVENT", "IPY_INTERRUPT_EVENT", "KERNEL_ID"})


def kernel_environment(
    given: Mapping[str, str], *, server: Mapping[str, str] | None = None, kept: Collection[str] = KEPT
) -> dict[str, str]:
    """Return the variables of a kernel: those given, without the secrets that were only inherited.

    Parameters
    ----------
    given
        What the caller proposes, usually the server's variables and some of its own.
    server
        Variables of the server; by default those of this process. A secret that differs from the server's, or that it
        has not, was given on purpose.
    kept
        Names that stay whatever they look like.

    Examples
    --------
    >>> server = {"JUPYTER_TOKEN": "abc", "LANG": "fr_FR.UTF-8", "PGPASSWORD": "x"}
    >>> kernel_environment({**server, "MY_TOKEN": "mine"}, server=server)
    {'LANG': 'fr_FR.UTF-8', 'PGPASSWORD': 'x', 'MY_TOKEN': 'mine'}
    """
    server = os.environ if server is None else server
    return {
        name: value
        for name, value in given.items()
        if name not in _OF_THE_SERVER and (name in kept or not SECRET.search(name) or server.get(name) != value)
    }
