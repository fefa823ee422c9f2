"""Addresses of Spark bases: ``spark://<place>?master=<master>``.

The place is a folder (``spark:///srv/comptes``, or relative, ``spark://comptes``) or the prefix of
an object store (``spark://s3://seau/comptes``). The master says who computes: ``local[4]``,
``local-cluster[2,1,1024]``, ``spark://machine:7077``; without one, a session that runs already, else
``local[*]``. An address holds no secret: keys of a store come from its own environment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from workbench.errors import WorkbenchError

__all__ = ["SparkAddress", "read_address"]

_MASTER = re.compile(
    r"local|local\[(\*|[1-9][0-9]*)(,\s*[1-9][0-9]*)?\]|local-cluster\[\s*[0-9]+\s*,\s*[0-9]+\s*,\s*[0-9]+\s*\]"
    r"|spark://[^\s/?@:]+:[0-9]+(,[^\s/?@:]+:[0-9]+)*|yarn|k8s://\S+"
)
_STORE = re.compile(r"([a-z][a-z0-9+.-]*)://(.+)")
_HOST = re.compile(r"[^/]+:[0-9]+(/.*)?")
STORES = {"s3": "s3a", "s3a": "s3a", "gs": "gs", "gcs": "gs", "hdfs": "hdfs", "abfs": "abfss", "abfss": "abfss"}
"""Kinds of object store, and what Spark calls each."""


@dataclass(frozen=True)
class SparkAddress:
    """Where a base is and who computes.

    Parameters
    ----------
    place
        An absolute path, or the URL of a prefix of an object store.
    store
        The kind of object store; None for a folder.
    master
        None for the one that runs already, else ``local[*]``.
    given
        The place as the user wrote it.
    """

    place: str
    store: str | None
    master: str | None
    given: str

    @property
    def public(self) -> str:
        """The address as it is shown and given again."""
        return f"spark://{quote(self.given, safe='/:@=+,[] ')}" + (f"?master={self.master}" if self.master else "")


def read_address(url: str) -> SparkAddress:
    """Read the address of a Spark base.

    Raises
    ------
    WorkbenchError
        ``adresse_spark`` when it names no place, an unknown master, or holds a secret.

    Examples
    --------
    >>> read_address("spark:///srv/comptes?master=local[2]")
    SparkAddress(place='/srv/comptes', store=None, master='local[2]', given='/srv/comptes')
    >>> read_address("spark://s3://seau/comptes").store
    's3'
    >>> read_address("spark://maitre:7077")
    Traceback (most recent call last):
        ...
    workbench.errors.WorkbenchError: L'adresse de base Spark « spark://… » ne se lit pas : elle nomme une machine \
et non un dossier.
    Écrivez spark:///dossier/base?master=local[4], avec pour maître local[*], local-cluster[2,1,1024] ou \
spark://machine:7077 ; spark://s3://seau/base pour un stockage d'objets.
    """
    place, mark, query = url.removeprefix("spark://").partition("?")
    place = unquote(place).rstrip("/") or "/" * place.startswith("/")
    master = None
    if mark:
        name, equal, value = query.partition("=")
        master = unquote(value)
        if name != "master" or not equal:
            # Never the query itself: someone may have put a key there.
            raise _refused("seul ?master=… peut suivre le dossier")
        if not _MASTER.fullmatch(master):
            raise _refused("le maître n'est ni local[…], ni local-cluster[…], ni spark://machine:port")
    store = _STORE.fullmatch(place)
    if store is not None:
        if store[1] not in STORES:
            raise _refused(f"le stockage « {store[1]} » n'est pas connu ({', '.join(sorted(STORES))})")
        if "@" in store[2].partition("/")[0] and not store[1].startswith("abfs"):
            raise _refused("elle contient un identifiant ; les clés du stockage se donnent par son environnement")
        return SparkAddress(place, store[1], master, place)
    if not place:
        raise _refused("elle ne nomme pas de dossier")
    if _HOST.fullmatch(place) and not place.startswith((".", "~")):
        raise _refused("elle nomme une machine et non un dossier")
    if "\0" in place:
        raise _refused("ce chemin n'en est pas un")
    return SparkAddress(str(Path(place).expanduser().absolute()), None, master, place)


def _refused(detail: str) -> WorkbenchError:
    return WorkbenchError("adresse_spark", detail=detail)
