"""What is configured of uploads, and the service that comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from workbench.config.reading import is_set, read_values
from workbench.errors import WorkbenchError
from workbench.identity.middleware import Application
from workbench.identity.tokens import TokenVerifier
from workbench.uploads.antivirus import Antivirus
from workbench.uploads.app import create_app
from workbench.uploads.events import EventLog
from workbench.uploads.finishing import Finisher
from workbench.uploads.hooks import Hook
from workbench.uploads.layout import LAYOUTS, TUSD
from workbench.uploads.mail import Mail, mail_server
from workbench.uploads.ownership import read_groups
from workbench.uploads.storage import Limits, Storage

__all__ = ["UploadSettings", "build_app", "has_storage", "open_finisher", "open_storage", "upload_settings"]


@dataclass(frozen=True)
class UploadSettings:
    """The settings of uploads.

    Parameters
    ----------
    base
        Folder of the storage (``WORKBENCH_DEPOT``).
    layout
        ``2019`` or ``2020``, a key of `LAYOUTS` (``WORKBENCH_DEPOT_DISPOSITION``).
    groups
        File of groups, ``gid name`` a line; None for those of the system (``WORKBENCH_DEPOT_GROUPES``).
    limits
        ``WORKBENCH_DEPOT_TAILLE`` (bytes of a file), ``_QUOTA`` (bytes of a space), ``_RESERVE`` (bytes left free),
        ``_JOURS`` (days that an upload may stay unfinished).
    antivirus
        Command; empty for none (``WORKBENCH_DEPOT_ANTIVIRUS``).
    smtp
        Address of the mail server, empty for none (``WORKBENCH_DEPOT_SMTP``); may hold a password: never printed.
    sender
        Address of the platform: who writes, and who gets blind copies (``WORKBENCH_DEPOT_EXPEDITEUR``).
    events
        Log of what arrived (``WORKBENCH_DEPOT_EVENEMENTS``); ``tusd/evenements.ndjson`` by default.
    origin
        Origin of the pages that send files (``WORKBENCH_DEPOT_ORIGINE``).
    public_url
        Address that clients know the service by (``WORKBENCH_DEPOT_URL``).
    """

    base: Path
    layout: str
    groups: Path | None
    limits: Limits
    antivirus: str
    sender: str
    events: Path
    origin: str
    public_url: str
    smtp: str = field(default="", repr=False)


def upload_settings(base: Path | None = None) -> UploadSettings:
    """Read the settings.

    Parameters
    ----------
    base
        Folder of the storage; ``WORKBENCH_DEPOT`` by default, then ``depot``.

    Raises
    ------
    WorkbenchError
        ``depot_reglage``.

    Examples
    --------
    >>> upload_settings(Path("depot")).events
    PosixPath('depot/tusd/evenements.ndjson')
    """
    text = read_values().text
    place = base or Path(text("WORKBENCH_DEPOT") or "depot")
    defaults = Limits()
    groups, events = text("WORKBENCH_DEPOT_GROUPES"), text("WORKBENCH_DEPOT_EVENEMENTS")
    days = _number("WORKBENCH_DEPOT_JOURS", text("WORKBENCH_DEPOT_JOURS"))
    layout = text("WORKBENCH_DEPOT_DISPOSITION") or "2019"
    if layout not in LAYOUTS:
        raise _wrong("WORKBENCH_DEPOT_DISPOSITION", layout, f"Choisissez : {', '.join(LAYOUTS)}.")
    smtp, sender = text("WORKBENCH_DEPOT_SMTP"), text("WORKBENCH_DEPOT_EXPEDITEUR")
    if smtp and not sender:
        raise _wrong("WORKBENCH_DEPOT_EXPEDITEUR", "vide", "Donnez l'adresse qui envoie les courriels d'avis.")
    return UploadSettings(
        base=place,
        layout=layout,
        groups=Path(groups) if groups else None,
        limits=Limits(
            largest=_number("WORKBENCH_DEPOT_TAILLE", text("WORKBENCH_DEPOT_TAILLE")) or defaults.largest,
            quota=_number("WORKBENCH_DEPOT_QUOTA", text("WORKBENCH_DEPOT_QUOTA")),
            spare=_or(_number("WORKBENCH_DEPOT_RESERVE", text("WORKBENCH_DEPOT_RESERVE")), defaults.spare),
            unfinished=timedelta(days=days) if days else defaults.unfinished,
        ),
        antivirus=text("WORKBENCH_DEPOT_ANTIVIRUS"),
        smtp=smtp,
        sender=sender,
        events=Path(events) if events else place / TUSD / "evenements.ndjson",
        origin=text("WORKBENCH_DEPOT_ORIGINE"),
        public_url=text("WORKBENCH_DEPOT_URL"),
    )


def has_storage(settings: UploadSettings) -> bool:
    """Say whether there is a storage to serve: one is named, or is where it would be by default.

    Examples
    --------
    >>> has_storage(upload_settings(Path("no-such-folder")))
    False
    """
    return is_set("WORKBENCH_DEPOT") or settings.base.is_dir()


def open_storage(settings: UploadSettings) -> Storage:
    """Open the storage of some settings.

    Raises
    ------
    WorkbenchError
        ``depot_absent``, ``depot_reglage``.
    """
    groups = read_groups(settings.groups) if settings.groups else None
    return Storage(settings.base, LAYOUTS[settings.layout], settings.limits, groups)


def open_finisher(settings: UploadSettings) -> Finisher:
    """Return what ends uploads: antivirus, e-mail, event, in this order; errors of `open_storage`."""
    storage = open_storage(settings)
    hooks: list[Hook] = []
    mail = None
    if settings.antivirus:
        hooks.append(Antivirus(settings.antivirus))
    if settings.smtp:
        mail = Mail(mail_server(settings.smtp), settings.sender)
        hooks.append(mail)
    hooks.append(EventLog(settings.events))
    return Finisher(storage, hooks, mail)


def build_app(settings: UploadSettings, verifier: TokenVerifier) -> Application:
    """Return the ASGI application of some settings, to be served alone or mounted; it answers ``/files`` and below."""
    return create_app(open_finisher(settings), verifier, origin=settings.origin, public_url=settings.public_url)


def _number(name: str, text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise _wrong(name, text, "Donnez un nombre entier.")
    return int(text)


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _wrong(name: str, value: str, advice: str) -> WorkbenchError:
    return WorkbenchError("depot_reglage", reglage=name, valeur=value, conseil=advice)
