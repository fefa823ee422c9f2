"""Send files to a tus server, whatever happens to the link: chunks with a checksum, resumed across runs.

Where each file got to is asked of the server; what is remembered here is only the address of its upload, one small file
each, under a print of the file's path, length and date. A token is asked for at each request: it may be renewed between
chunks. Addresses that a server gives are taken on the server that was asked: a token never goes to another one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import httpx
from platformdirs import user_data_path

from workbench.atomic import replacing
from workbench.errors import WorkbenchError
from workbench.identity.keys import is_local
from workbench.uploads.answers import CODE_HEADER
from workbench.uploads.protocol import VERSION, encode_metadata

__all__ = ["RETRY_SECONDS", "Sent", "UploadClient"]

CHUNK = 16 * 1024 * 1024
RETRY_SECONDS = (0.0, 3.0, 5.0, 10.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0)
"""Waits before each new attempt; all are there again after each chunk that arrived."""

_BUSY = 423

_SENTENCES = {"depot_quarantaine": "il est arrivé en entier, mais reste en quarantaine ; l'exploitant en est averti"}
"""For answers without a body."""


@dataclass(frozen=True)
class Sent:
    """A file that is on the server, whole.

    Parameters
    ----------
    url
        Of its upload.
    size
        In bytes.
    resumed
        Bytes that were there already when this run began.
    """

    url: str
    size: int
    resumed: int


class _Again(Exception):  # noqa: N818 - not a defect: what makes an attempt be repeated
    """The link or the server failed in a way that may pass."""


class UploadClient:
    """Sends files to one server.

    Parameters
    ----------
    endpoint
        Where uploads are created: ``https://depot.example.fr/files/``.
    token
        Gives the bearer token of each request.
    chunk
        Bytes of a request.
    memory
        Folder of what is remembered between runs; None for the user's data folder.
    retry_seconds
        Waits before new attempts.
    transport
        How requests travel; for proxies.

    Raises
    ------
    WorkbenchError
        ``envoi_adresse``.
    """

    def __init__(
        self,
        endpoint: str,
        token: Callable[[], str],
        *,
        chunk: int = CHUNK,
        memory: Path | None = None,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise WorkbenchError("envoi_adresse", adresse=endpoint)
        self.endpoint = f"{endpoint.rstrip('/')}/" if parts.path.strip("/") else urljoin(endpoint, "/files/")
        self.token = token
        self.chunk = chunk
        self.memory = memory or user_data_path("workbench") / "envois"
        self.retry_seconds = tuple(retry_seconds)
        trusts_proxies = not is_local(parts.hostname)
        # The answer to the last chunk waits for the antivirus.
        waits = httpx.Timeout(30, read=3600)
        self._http = httpx.Client(timeout=waits, transport=transport, trust_env=trusts_proxies)

    def send(
        self,
        path: Path,
        *,
        private: bool = False,
        metadata: Mapping[str, str] | None = None,
        progress: Callable[[int, int], object] | None = None,
        trouble: Callable[[str, float], object] | None = None,
    ) -> Sent:
        """Send a file, or what is missing of it.

        Parameters
        ----------
        path
            The file; it must not change meanwhile.
        private
            For one's own space alone.
        metadata
            Told with the file beside its name: ``batch``…
        progress
            Called with the bytes that arrived, and those of the file.
        trouble
            Called with what went wrong, in French, and the seconds until the next attempt.

        Raises
        ------
        WorkbenchError
            ``envoi_fichier``; ``envoi_refuse``, with the words of the server; ``envoi_interrompu`` when attempts ran
            out, to be run again.
        """
        try:
            stat = path.stat()
            file = path.open("rb")
        except OSError as error:
            raise WorkbenchError("envoi_fichier", fichier=path, cause=_reason(error)) from error
        told = {**(metadata or {}), "filename": path.name}
        if private:
            told["private"] = "true"
        with file:
            work = _Work(self, path, file, stat.st_size, told, f"{path.absolute()}\n{stat.st_size}\n{stat.st_mtime_ns}")
            return work.run(progress or (lambda _done, _size: None), trouble or (lambda _cause, _seconds: None))

    def ask(self, method: str, url: str, headers: Mapping[str, str], content: bytes = b"") -> httpx.Response:
        """Send one request with a token of this moment."""
        given = {"Tus-Resumable": VERSION, "Authorization": f"Bearer {self.token()}", **headers}
        try:
            return self._http.request(method, url, headers=given, content=content)
        except httpx.TransportError as error:
            raise _Again(_broken(error)) from error

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> UploadClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _reason(error: OSError) -> str:
    kinds = {
        FileNotFoundError: "il n'existe pas",
        IsADirectoryError: "c'est un dossier",
        PermissionError: "vous n'avez pas le droit de le lire",
    }
    return kinds.get(type(error)) or str(error.strerror)


def _broken(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return "le serveur n'est pas joignable"
    if isinstance(error, httpx.TimeoutException):
        return "le serveur ne répond plus"
    return "la connexion s'est coupée"


class _Work:
    """One file on its way."""

    def __init__(
        self, client: UploadClient, path: Path, file: BinaryIO, size: int, metadata: dict[str, str], key: str
    ) -> None:
        self.client = client
        self.path = path
        self.file = file
        self.size = size
        self.metadata = metadata
        words = f"{client.endpoint}\n{key}\n{json.dumps(metadata, sort_keys=True)}"
        self.note = client.memory / hashlib.sha256(words.encode("utf-8", "surrogateescape")).hexdigest()[:32]

    def run(self, progress: Callable[[int, int], object], trouble: Callable[[str, float], object]) -> Sent:
        resumed: int | None = None
        waits = iter(self.client.retry_seconds)
        while True:
            try:
                url, offset = self._place()
                if resumed is None:
                    resumed = offset
                progress(offset, self.size)
                while offset < self.size:
                    offset = self._chunk(url, offset)
                    waits = iter(self.client.retry_seconds)
                    progress(offset, self.size)
                return Sent(url, self.size, resumed)
            except _Again as error:
                wait = next(waits, None)
                if wait is None:
                    raise WorkbenchError("envoi_interrompu", fichier=self.path, cause=str(error)) from error
                trouble(str(error), wait)
                time.sleep(wait)

    def _place(self) -> tuple[str, int]:
        """Return the address of the upload and how far it is; a new one when there is none."""
        try:
            url = self.note.read_text(encoding="utf-8")
        except OSError:
            return self._create(), 0
        answer = self.client.ask("HEAD", url, {})
        if answer.status_code in (404, 410):
            self.note.unlink(missing_ok=True)
            return self._create(), 0
        self._check(answer)
        return url, int(answer.headers["Upload-Offset"])

    def _create(self) -> str:
        headers = {"Upload-Length": str(self.size), "Upload-Metadata": encode_metadata(self.metadata)}
        answer = self.client.ask("POST", self.client.endpoint, headers)
        if answer.status_code in (404, 405):
            detail = f"il n'y a pas de dépôt à l'adresse {self.client.endpoint}."
            raise WorkbenchError("envoi_refuse", fichier=self.path, detail=detail)
        if answer.status_code != httpx.codes.CREATED:
            self._check(answer)
        url = urljoin(self.client.endpoint, urlsplit(answer.headers["Location"]).path)
        with replacing(self.note) as partial:
            partial.write_text(url, encoding="utf-8")
        return url

    def _chunk(self, url: str, offset: int) -> int:
        self.file.seek(offset)
        content = self.file.read(min(self.client.chunk, self.size - offset))
        if not content:
            raise WorkbenchError("envoi_fichier", fichier=self.path, cause="il a changé pendant l'envoi")
        headers = {
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
            "Upload-Checksum": f"sha256 {base64.b64encode(hashlib.sha256(content).digest()).decode()}",
        }
        answer = self.client.ask("PATCH", url, headers, content)
        self._check(answer)
        return int(answer.headers["Upload-Offset"])

    def _check(self, answer: httpx.Response) -> None:
        """Let a success pass, repeat what may pass, tell the rest."""
        status = answer.status_code
        if httpx.codes.is_success(status):
            return
        code = answer.headers.get(CODE_HEADER, "")
        try:
            detail = str(answer.json()["detail"]).rstrip(".")
        except (ValueError, KeyError, TypeError):
            detail = _SENTENCES.get(code, f"le serveur répond {status}")
        if code not in ("depot_echec", "depot_quarantaine") and (status in (409, _BUSY, 460) or status >= 500):
            raise _Again(detail)
        raise WorkbenchError("envoi_refuse", fichier=self.path, detail=f"{detail}.")
