"""What the product tells its operator: lines for a person, or one object of JSON an event, without a secret.

``WORKBENCH_JOURNAL=json`` asks for the second, on standard error, for a collector; the default is text. Both are
cleaned by `cleaned`: tokens, passwords, what an address asks, e-mails and SIREN never leave by a log, be they in a
message of a library or in a traceback.

A request has an identifier, made here or taken from the proxy in a form that can hold nothing else. It follows what
the request sets going: services asked by a kernel, kernels, jobs and their workers.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

from workbench.config.reading import text_of
from workbench.errors import WorkbenchError

__all__ = [
    "ANSWER",
    "FORMAT",
    "REQUEST",
    "REQUEST_HEADER",
    "JsonFormatter",
    "TextFormatter",
    "announce",
    "begin_request",
    "cleaned",
    "configure_logs",
    "current_request",
    "event",
    "formatter",
    "is_json",
    "uvicorn_options",
]

FORMAT = "WORKBENCH_JOURNAL"
"""The setting: ``texte`` or ``json``."""

REQUEST = "WORKBENCH_REQUETE"
"""The variable that tells a kernel or a worker which request it works for."""

REQUEST_HEADER = "X-Request-Id"

ANSWER = "workbench.answer"
"""The member of an ASGI scope where the door of a service leaves what a record of the request needs."""

_SAFE = re.compile(r"[0-9a-f]{16,32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_request: ContextVar[str] = ContextVar("workbench_request", default="")

_SECRETS = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w~+/.=-]{6,}"), r"\1 …"),
    (re.compile(r"\beyJ[\w-]*\.[\w-]*(?:\.[\w-]*)?"), "…"),
    (re.compile(r"(?i)([a-z][a-z0-9+.-]*://)[^\s/@:]*:[^\s/@]*@"), r"\1…@"),
    (re.compile(r"(\w/?|\w:\d+/?)\?[^\s\"'<>)]*=[^\s\"'<>)]*"), r"\1?…"),
    (
        re.compile(r"(?i)\b(\w*(?:password|passwd|secret|token|jeton|api_?key|mot_de_passe)\w*[\"']?\s*[:=]\s*)\S+"),
        r"\1…",
    ),
    (re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"), "…@…"),
    (re.compile(r"(?<![\w.,-])(?:\d{14}|\d{9}|\d{3} \d{3} \d{3}(?: \d{5})?)(?![\w-])"), "…"),
)
"""What is taken away, and what stands in its place."""


def cleaned(text: str) -> str:
    """Return a text without what a log must not hold.

    Examples
    --------
    >>> cleaned("GET /magasin/data?nom=Martin by anne@exemple.fr, Bearer abcdef123456")
    'GET /magasin/data?… by …@…, Bearer …'
    >>> cleaned("postgresql://anne:secret@serveur/base, SIREN 012345678")
    'postgresql://…@serveur/base, SIREN …'
    """
    for sought, instead in _SECRETS:
        text = sought.sub(instead, text)
    return text


def begin_request(given: str = "") -> str:
    """Name the request that this context answers: as it was told, in a safe form, else by a new identifier.

    Examples
    --------
    >>> begin_request("0123456789abcdef")
    '0123456789abcdef'
    >>> len(begin_request("Martin, né en 1970"))
    16
    """
    identifier = given if _SAFE.fullmatch(given) else secrets.token_hex(8)
    _request.set(identifier)
    return identifier


def current_request() -> str:
    """Return the identifier of the request that is being answered; empty outside of any."""
    given = _request.get() or os.environ.get(REQUEST, "")
    return given if _SAFE.fullmatch(given) else ""


def event(log: logging.Logger, name: str, **fields: Any) -> None:
    """Log an event, at the level of information, with fields of its own.

    Parameters
    ----------
    log
        Whose.
    name
        What happened.
    **fields
        Facts that name nobody: counts, durations, states, templates.
    """
    if log.isEnabledFor(logging.INFO):
        log.info("%s", name, extra={"fields": fields})


def announce(text: str) -> None:
    """Tell the operator where a server stands, on standard error: in JSON too, every line is an object."""
    if is_json():
        logging.getLogger("workbench").info("%s", text)
    else:
        print(text, file=sys.stderr, flush=True)  # noqa: T201


class JsonFormatter(logging.Formatter):
    """One object a line: ``time, level, logger, message, request, process``, the fields of an event, ``traceback``."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        content: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": cleaned(record.getMessage()),
            "process": record.process,
        }
        if request := current_request():
            content["request"] = request
        fields: Mapping[str, Any] = getattr(record, "fields", {})
        content |= {name: cleaned(value) if isinstance(value, str) else value for name, value in fields.items()}
        if record.exc_info and record.exc_info[0] is not None:
            content["error"] = getattr(record.exc_info[1], "code", record.exc_info[0].__name__)
            content["traceback"] = cleaned(self.formatException(record.exc_info))
        return json.dumps(content, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """A line for a person, and the traceback below."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(process)d %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        request = current_request()
        return cleaned(super().format(record)) + (f" [{request}]" if request else "")


def is_json() -> bool:
    """Say whether lines of JSON are asked for.

    Raises
    ------
    WorkbenchError
        ``journal_format`` for an unknown format.
    """
    asked = text_of("WORKBENCH_JOURNAL") or "texte"
    if asked not in ("texte", "json"):
        raise WorkbenchError("journal_format", valeur=asked)
    return asked == "json"


def formatter() -> logging.Formatter:
    """Return what writes records, in the format in force."""
    return JsonFormatter() if is_json() else TextFormatter()


def uvicorn_options() -> dict[str, Any]:
    """Return how uvicorn logs: as it likes for a person, through the loggers of this process in JSON."""
    return {"log_level": "warning", **({"log_config": None} if is_json() else {})}


def configure_logs(stream: TextIO | None = None) -> None:
    """Have all loggers of this process write to one place, once: warnings, and in JSON the events of the product too.

    Parameters
    ----------
    stream
        Where; standard error by default.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("workbench").setLevel(logging.INFO if is_json() else logging.NOTSET)
    logging.captureWarnings(is_json())
