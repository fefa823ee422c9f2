"""Tell people by e-mail what became of a file (specification, 1.5).

Headers hold nothing that a client writes but her verified e-mail; names of files are in the body, on one line each.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

from workbench.errors import WorkbenchError
from workbench.identity.actor import check_email
from workbench.uploads.hooks import Arrival, HookError
from workbench.uploads.info import Info

__all__ = ["Mail", "MailServer", "mail_server"]

SENT = "Fichier transmis avec succès"
NOT_SENT = "Fichier non transmis"

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True)
class MailServer:
    """Where e-mails are handed over.

    Parameters
    ----------
    host, port
        Of the SMTP server.
    security
        Empty, ``starttls`` or ``tls``.
    user, password
        Empty for none.
    """

    host: str
    port: int
    security: str = ""
    user: str = ""
    password: str = field(default="", repr=False)


def mail_server(address: str) -> MailServer:
    """Read the address of a server: ``smtp://``, ``smtp+starttls://`` or ``smtps://``, user and password before ``@``.

    Raises
    ------
    WorkbenchError
        ``depot_reglage``.

    Examples
    --------
    >>> mail_server("smtp+starttls://depot:secret@smtp.example.fr")
    MailServer(host='smtp.example.fr', port=587, security='starttls', user='depot')
    """
    try:
        parts = urlsplit(address)
        default = _PORTS[parts.scheme]
        port = parts.port or default
        host = parts.hostname or ""
    except (ValueError, KeyError):
        host = ""
    if not host or parts.path not in ("", "/"):
        raise WorkbenchError(
            "depot_reglage",
            reglage="WORKBENCH_DEPOT_SMTP",
            valeur=address.rpartition("@")[2],
            conseil="Écrivez smtp://serveur:25, smtp+starttls://utilisateur:secret@serveur ou smtps://…",
        )
    security = {"smtp": "", "smtp+starttls": "starttls", "smtps": "tls"}[parts.scheme]
    return MailServer(host, port, security, unquote(parts.username or ""), unquote(parts.password or ""))


class Mail:
    """A hook that writes to the uploader, with a blind copy to the platform.

    Parameters
    ----------
    server
        Where e-mails are handed over.
    sender
        Who writes, and where blind copies and refusals go.
    seconds
        How long the server may take to answer.
    """

    name = "courriel"
    once = True

    def __init__(self, server: MailServer, sender: str, seconds: float = 30) -> None:
        self.server = server
        self.sender = check_email(sender)
        self.seconds = seconds

    def run(self, arrival: Arrival) -> None:
        """Tell the uploader that a file is transmitted, when her e-mail and its name are known."""
        info = arrival.info
        if info.email and info.filename:
            self._tell(info, SENT, "Votre fichier est arrivé en entier et a été transmis.")

    def tell_failure(self, info: Info, reason: str, detail: str) -> None:
        """Tell the uploader, and the operator with more detail, that a file is in quarantine.

        Raises
        ------
        HookError
            Nobody could be told.
        """
        if info.email and info.filename:
            words = f"Votre fichier est arrivé en entier, mais n'a pas été transmis : {reason}."
            self._tell(info, NOT_SENT, f"{words}\nIl est gardé en quarantaine ; inutile de le renvoyer.", copy=False)
        words = f"Un fichier est en quarantaine : {reason}.\nEspace : {_line(info.space)}\nDétail : {_line(detail)}"
        again = f"Une fois la cause levée : workbench upload replay {info.identifier}"
        self._send(info, NOT_SENT, f"{words}\n{again}", [self.sender])

    def _tell(self, info: Info, subject: str, words: str, *, copy: bool = True) -> None:
        try:
            email = check_email(info.email)
        except WorkbenchError as error:
            raise HookError("l'adresse du déposant n'est pas utilisable", error.message) from error
        self._send(info, subject, words, [email, self.sender] if copy else [email])

    def _send(self, info: Info, subject: str, words: str, to: list[str]) -> None:
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = to[0]
        message["Subject"] = subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self.sender.partition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        facts = (
            f"Fichier : {_line(info.filename) or 'sans nom'}\nTaille : {info.size} octets\nEnvoi : {info.identifier}"
        )
        message.set_content(f"{words}\n\n{facts}\n")
        try:
            with self._connection() as connection:
                refused = connection.send_message(message, self.sender, list(dict.fromkeys(to)))
        except (OSError, smtplib.SMTPException, ValueError) as error:
            detail = f"{self.server.host}:{self.server.port} : {type(error).__name__} {error}"[:500]
            raise HookError("le courriel d'avis n'a pas pu être envoyé", detail) from error
        if refused:
            detail = f"{self.server.host} refuse {', '.join(refused)}"
            raise HookError("le courriel d'avis n'a pas pu être envoyé", detail)

    def _connection(self) -> smtplib.SMTP:
        server = self.server
        if server.security == "tls":
            context = ssl.create_default_context()
            connection: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=self.seconds, context=context)
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=self.seconds)
        try:
            if server.security == "starttls":
                connection.starttls(context=ssl.create_default_context())
            if server.user:
                connection.login(server.user, server.password)
        except BaseException:
            connection.close()
            raise
        return connection


def _line(text: str) -> str:
    """Return a text on one line, without what is not a sign."""
    return "".join(sign if sign.isprintable() else " " for sign in text)[:500]
