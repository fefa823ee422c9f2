"""What is answered: headers of tus, and errors in the one shape that services have."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field

from workbench.errors import WorkbenchError
from workbench.uploads.info import Info
from workbench.uploads.protocol import VERSION, encode_metadata

__all__ = ["Answer", "known", "refusal_of", "told"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """One answer over HTTP."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def known(info: Info, offset: int) -> dict[str, str]:
    """Return the headers that say how far an upload is, in bytes."""
    headers = {"upload-offset": str(offset), "upload-metadata": encode_metadata(info.metadata)}
    return headers | ({"upload-defer-length": "1"} if info.size is None else {"upload-length": str(info.size)})


def told(status: int, detail: str, code: str) -> Answer:
    """Return an error in the one shape that services have."""
    content = json.dumps({"detail": detail, "status_code": status, "code": code}, ensure_ascii=False)
    return Answer(status, {"content-type": "application/json"}, content.encode())


def refusal_of(error: WorkbenchError) -> Answer:
    """Return what is answered to a request that is refused."""
    if error.status >= 500:
        _LOG.error("%s: %s", error.code, error.message)
    answer = told(error.status, f"{error.message} {error.hint}".strip(), error.code)
    more = {
        "depot_version": {"tus-version": VERSION},
        "depot_methode": {"allow": "POST, HEAD, PATCH, DELETE, OPTIONS"},
        "depot_occupe": {"retry-after": "5"},
    }.get(error.code, {})
    return Answer(answer.status, answer.headers | more, answer.body)
