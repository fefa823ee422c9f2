"""A service that is served alone, watched like those of ``workbench up``."""

from __future__ import annotations

from workbench.config import settings
from workbench.identity.configuration import identity_settings
from workbench.identity.middleware import Application, Receive, Scope, Send
from workbench.watching.door import PATHS, Door
from workbench.watching.requests import Recorded

__all__ = ["Watched", "watched"]


class Watched:
    """An application, with ``/sante``, ``/pret`` and ``/metriques`` beside it.

    Parameters
    ----------
    application
        Its requests are named, counted and logged.
    door
        Answers the three paths; they are neither counted nor logged.
    """

    def __init__(self, application: Recorded, door: Door) -> None:
        self.application = application
        self.door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] == "http" and scope["path"] in PATHS:
            await self.door(scope, receive, send)
        else:
            await self.application(scope, receive, send)


def watched(application: Application, service: str, base: str | None = None) -> Watched:
    """Watch an application as the settings say.

    Parameters
    ----------
    application
        The application.
    service
        What it is called in metrics and logs: where ``workbench up`` mounts it.
    base
        The accounting base that it reads; that of the settings by default.

    Raises
    ------
    WorkbenchError
        What the settings refuse.
    """
    public_url = identity_settings().public_url
    door = Door(base, token=settings().metrics_token, public_url=public_url)
    return Watched(Recorded(application, service, public_url), door)
