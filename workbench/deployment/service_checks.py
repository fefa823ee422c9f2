"""What is looked at of the product's own: settings and secrets, registry, base, broker, issuer, clock, storage."""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from sqlalchemy import inspect, select

from workbench.config import settings
from workbench.config.declared import SETTINGS, Secrecy
from workbench.config.reading import read_values
from workbench.config.reference import doubts
from workbench.deployment.findings import Finding, doubt, fine, refused, unconcerned, wrong
from workbench.errors import WorkbenchError, reason
from workbench.identity.configuration import identity_settings
from workbench.registry import Registry, open_registry
from workbench.registry.address import registry_url
from workbench.rooms import all_rooms

__all__ = [
    "base",
    "broker",
    "clock",
    "configuration",
    "depot",
    "issuer",
    "registry",
    "secrets",
    "skew",
]

ACCEPTED_SECONDS = 30
"""How far the clock of an issuer may be, for its tokens to be believed."""

CERTIFICATE_DAYS = 21


def configuration() -> Iterator[Finding]:
    """Read the settings: the file, its values, the variables."""
    values = read_values()
    found = doubts(os.environ)
    for each in found:
        yield doubt("réglages", each, "workbench config reference donne tous les réglages.")
    if not found:
        yield fine("réglages", str(values.path) if values.path else "de l'environnement, sans fichier")


def secrets() -> Iterator[Finding]:
    """Look at how each secret is given, and who else may read it."""
    values, count = read_values(), 0
    for each in SETTINGS:
        if not each.secrecy:
            continue
        try:
            found = values.find(each)
        except WorkbenchError as error:
            yield refused(f"secret {each.key}", error)
            continue
        if found is None or not (each.secrecy is Secrecy.SECRET or each.hides(found.text)):
            continue
        count += 1
        if found.path is None and found.place == "variable":
            advice = f"Écrivez-le dans un fichier de droits 600, et nommez ce fichier dans {each.file_name}."
            yield doubt(f"secret {each.key}", "donné par une variable, que lit qui voit le processus", advice)
    try:
        folder = identity_settings().folder
    except WorkbenchError:  # one of those told above
        return
    for path in folder.glob("*.json") if folder.is_dir() else ():
        count += 1
        if path.stat().st_mode & 0o077:
            said = f"{path} s'ouvre à d'autres que son propriétaire"
            yield wrong("clé de signature", said, f"chmod 600 {path}, puis workbench user rotate-keys --now")
    yield fine("secrets", f"{count} en tout") if count else unconcerned("secrets", "aucun")


def registry() -> Iterator[Finding]:
    """Hold the tables of each room to the revisions that this software knows."""
    subject, address = "registre", settings().registry
    url = registry_url(address)
    if url.drivername == "sqlite" and not Path(str(url.database)).exists():
        yield unconcerned(subject, f"{url.database} : pas encore, il sera créé")
        return
    with open_registry(rooms=[], migrate=False) as opened:
        behind, ahead, count = _revisions(opened)
        if ahead:
            advice = "Installez la version du produit qui les a écrites, ou restaurez une sauvegarde d'avant."
            yield wrong(subject, f"{opened.place} : plus récent que ce logiciel ({', '.join(ahead)})", advice)
        elif behind:
            advice = "Sauvegardez, puis démarrez le service : elles seront mises à jour."
            yield doubt(subject, f"{opened.place} : tables d'une version antérieure ({', '.join(behind)})", advice)
        else:
            yield fine(subject, f"{opened.place} : {count} ensembles de tables à jour")


def _revisions(opened: Registry) -> tuple[list[str], list[str], int]:
    """Return the rooms whose tables are older, those whose tables are newer, and how many have tables."""
    behind: list[str] = []
    ahead: list[str] = []
    count = 0
    with opened.read() as connection:
        present = inspect(connection)
        for room in all_rooms():
            if not present.has_table(room.version_table.name):
                continue
            count += 1
            found = connection.execute(select(room.version_table.c.version_num)).scalar_one_or_none() or ""
            if found != room.version:
                (ahead if found > room.version else behind).append(f"{room.name} {found or '?'} / {room.version}")
    return behind, ahead, count


def base(oldest_days: int = 400) -> Iterator[Finding]:
    """Look at the accounting base: that it opens, and the age of its snapshot.

    Parameters
    ----------
    oldest_days
        Age from which it is doubtful; balances are published once a year.
    """
    from workbench.dgfip import connect, snapshots

    subject = "base comptable"
    with connect(settings().base) as opened:
        current = next((each for each in snapshots(opened) if each.current), None)
    if current is None:
        yield fine(subject, "elle s'ouvre ; elle n'a pas d'instantanés")
        return
    age = (datetime.now(UTC) - current.date).days
    said = f"instantané {current.id}, du {current.date:%d/%m/%Y} ({age} jours)"
    if age > oldest_days:
        yield doubt(subject, said, "Importez les derniers exercices publiés : workbench base download.")
    else:
        yield fine(subject, said)


def broker() -> Iterator[Finding]:
    """Speak with the broker."""
    from workbench.reports.jobs_announce import configured_broker

    found = configured_broker()
    if found is None:
        yield unconcerned("serveur de messages", "aucun : les processus regardent le registre")
        return
    with found.line() as line:
        yield fine("serveur de messages", f"{found.place} : {line.waiting()} en attente")


def issuer() -> Iterator[Finding]:
    """Ask the issuer who it is, for its keys, and look at its certificate."""
    from workbench.identity.keys import IssuerKeys, check_address, is_local, public_keys

    subject, known = "émetteur d'identités", identity_settings()
    if not known.issuer:
        yield from _embedded(subject)
        return
    known.rules()
    keys = IssuerKeys(known.issuer, known.algorithms)
    document = keys.document()
    signed = document.get("id_token_signing_alg_values_supported", [])
    if not set(known.algorithms) & set(signed if isinstance(signed, list) else []):
        said = f"il signe par {signed}, et les jetons sont attendus en {', '.join(known.algorithms)}"
        yield wrong(subject, said, "Réglez WORKBENCH_ALGORITHMS, ou l'algorithme de ce client chez l'émetteur.")
    missing = [name for name in ("authorization_endpoint", "token_endpoint") if not keys.endpoint(name)]
    if missing:
        yield wrong(subject, f"il n'annonce pas : {', '.join(missing)}", "Vérifiez WORKBENCH_ISSUER.")
    with httpx.Client(timeout=5, trust_env=not is_local(urlsplit(known.issuer).hostname)) as web:
        published = web.get(check_address(str(document["jwks_uri"]))).json()
    usable = public_keys(published, known.algorithms)
    if not usable:
        yield wrong(subject, "aucune de ses clés ne vérifie ces algorithmes", "Vérifiez WORKBENCH_ALGORITHMS.")
    else:
        yield fine(subject, f"{known.issuer} : {len(usable)} clés, {', '.join(known.algorithms)}")
    for address in sorted({known.issuer, identity_settings().public_url} - {""}):
        yield from _certificate(address)


def _embedded(subject: str) -> Iterator[Finding]:
    from workbench.identity.embedded import has_people

    if has_people():
        count = len(list(identity_settings().folder.glob("*.json")))
        yield fine(subject, f"celui de cette machine, {count} clés")
    else:
        advice = "Donnez WORKBENCH_ISSUER, ou ajoutez quelqu'un : workbench user add."
        yield doubt(subject, "aucun : les tableaux de bord s'ouvrent à qui est sur cette machine", advice)


def _certificate(address: str) -> Iterator[Finding]:
    """Look at how long a certificate of TLS still holds."""
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname:
        return
    subject = f"certificat de {parts.hostname}"
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or 443), 5) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname) as secured,
        ):
            until = str((secured.getpeercert() or {}).get("notAfter", ""))
    except OSError as error:
        yield doubt(
            subject, f"il n'a pas pu être lu d'ici : {reason(error)}", "Vérifiez le nom, le mandataire, l'autorité."
        )
        return
    days = int((ssl.cert_time_to_seconds(until) - time.time()) // 86400)
    if days < CERTIFICATE_DAYS:
        yield doubt(subject, f"il expire dans {days} jours", "Renouvelez-le.")
    else:
        yield fine(subject, f"valable {days} jours")


def clock() -> Iterator[Finding]:
    """Hold the clock of this machine to the database's and to the issuer's."""
    concerned = False
    if registry_url(settings().registry).drivername != "sqlite":
        concerned = True
        with open_registry(rooms=[], migrate=False) as opened, opened.read() as connection:
            yield skew("base de données", (opened.now(connection) - datetime.now(UTC)).total_seconds())
    if address := identity_settings().issuer:
        concerned = True
        try:
            with httpx.Client(timeout=5, trust_env=False) as web:
                said = web.get(f"{address.rstrip('/')}/.well-known/openid-configuration").headers.get("date", "")
        except httpx.HTTPError:
            yield doubt("horloge (émetteur)", "il ne répond pas : son heure n'est pas connue", "Voyez l'émetteur.")
            said = ""
        if said:
            yield skew("émetteur", (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    if not concerned:
        yield unconcerned("horloge", "rien d'autre que cette machine ne donne l'heure")


def skew(other: str, seconds: float) -> Finding:
    """Say what a difference between two clocks means.

    Examples
    --------
    >>> skew("émetteur", -90).state.value
    'à corriger'
    """
    subject, said = f"horloge ({other})", f"{abs(seconds):.0f} s d'écart"
    advice = "Synchronisez cette machine : timedatectl set-ntp true."
    if abs(seconds) > ACCEPTED_SECONDS:
        return wrong(subject, f"{said} : ses jetons sont refusés", advice)
    return doubt(subject, said, advice) if abs(seconds) > ACCEPTED_SECONDS / 3 else fine(subject, said)


def depot() -> Iterator[Finding]:
    """Look at the storage of uploads: its folders, its groups, and that a file passes from one to another by a link."""
    from workbench.uploads.configuration import has_storage, open_storage, upload_settings
    from workbench.uploads.layout import TUSD

    subject, known = "dépôt de fichiers", upload_settings()
    if not has_storage(known):
        yield unconcerned(subject, "aucun")
        return
    for remark in open_storage(known).remarks():
        yield doubt(subject, remark, "Ajoutez le compte du service à ce groupe, ou donnez-lui CAP_CHOWN.")
    spaces = sorted(each for each in known.base.iterdir() if each.is_dir() and each.name != TUSD)
    refusals = [problem for each in spaces if (problem := _link_problem(known.base / TUSD, each))]
    for problem in refusals:
        advice = "tusd et les espaces sont sur un même système de fichiers, et le service y écrit."
        yield wrong(subject, problem, advice)
    if not refusals:
        yield fine(subject, f"{known.base} : {len(spaces)} espaces, sur un même système de fichiers")


def _link_problem(source: Path, target: Path) -> str:
    """Return why a file of one folder does not pass to another, empty when it does."""
    try:
        with tempfile.NamedTemporaryFile(dir=source, prefix=".controle-") as made:
            place = target / Path(made.name).name
            os.link(made.name, place)
            place.unlink()
    except OSError as error:
        return f"de {source} à {target} : {reason(error)}"
    return ""
