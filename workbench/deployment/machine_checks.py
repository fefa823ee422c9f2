"""What is looked at on the machine: ports, folders, disks, libraries, programs, prepared kernels."""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import os
import re
import shutil
import socket
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import httpx

from workbench.config import settings, shared_folder, text_of
from workbench.deployment.findings import Finding, doubt, fine, unconcerned, wrong
from workbench.errors import reason
from workbench.identity.configuration import identity_settings
from workbench.kernels.runtime import runtime_path

__all__ = ["chromium", "disks", "folders", "libraries", "openmp", "port", "zygotes"]

GIB = 1024**3
ENOUGH_BYTES, LEAST_BYTES = 10 * GIB, 2 * GIB
ENOUGH_SHARE, LEAST_SHARE = 0.15, 0.05

OURS: Mapping[str, tuple[str, str, str, str]] = {
    "tableaux de bord": ("GET", "/aide", "content-security-policy", "frame-ancestors 'self'"),
    "dépôt": ("OPTIONS", "/files/", "tus-resumable", "1.0.0"),
}
"""How a service of ours is known: what is asked, the header of its answer and what it holds."""


def port(service: str, number: int) -> Iterator[Finding]:
    """Look at the port of a service: free, or held by it."""
    subject = f"port {number} ({service})"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except PermissionError:
            yield wrong(subject, "réservé à l'administrateur", "Choisissez un port au-dessus de 1023.")
            return
        except OSError:
            pass
        else:
            yield fine(subject, "libre : le service ne tourne pas")
            return
    method, path, header, content = OURS[service]
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{number}", trust_env=False, timeout=10) as web:
            answers = content in web.request(method, path).headers.get(header, "")
    except httpx.HTTPError:
        answers = False
    if answers:
        yield fine(subject, "le service y répond")
    else:
        advice = f"« ss -ltnp sport = :{number} » dit lequel ; arrêtez-le, ou donnez un autre --port au service."
        yield wrong(subject, "pris par un autre programme, ou par un service bloqué", advice)


def folders() -> Iterator[Finding]:
    """Look at the folders that services read and write, as the account that asks."""
    known, identity = settings(), identity_settings()
    read = {"trames": known.trames, "notebooks": known.notebooks, "tableaux de bord": shared_folder("dashboards")}
    for name, path in read.items():
        yield _folder(f"dossier des {name}", path, os.R_OK | os.X_OK)
    yield _folder("dossier des rapports", known.reports, os.R_OK | os.W_OK | os.X_OK, made=True)
    yield _folder("dossier des clés", identity.folder, os.R_OK | os.W_OK | os.X_OK, made=True, private=True)
    if "://" not in known.registry:
        yield _folder("dossier du registre", Path(known.registry).absolute().parent, os.R_OK | os.W_OK, made=True)
    if "://" not in known.base:
        yield _folder("dossier de la base", Path(known.base).absolute().parent, os.R_OK | os.X_OK)
    yield _folder("dossier des noyaux", runtime_path(), os.R_OK | os.W_OK | os.X_OK, made=True, private=True)


def _folder(subject: str, path: Path, rights: int, *, made: bool = False, private: bool = False) -> Finding:
    """Say what is wrong with a folder.

    Parameters
    ----------
    subject, path
        What it is called and where it is.
    rights
        Of `os.access`, that this account needs.
    made
        The service makes it when it is not there.
    private
        It is to be its owner's alone.
    """
    try:
        state = path.stat()
    except FileNotFoundError:
        above = next(each for each in path.absolute().parents if each.exists())
        if made and os.access(above, os.W_OK):
            return fine(subject, f"{path} : absent, il sera créé")
        advice = f"Créez-le, au compte du service : install -d -o workbench -g workbench -m 750 {path}"
        return wrong(subject, f"{path} : absent", advice)
    except OSError as error:
        return wrong(subject, f"{path} : {reason(error)}", "Donnez à ce compte le droit de le traverser.")
    if not stat.S_ISDIR(state.st_mode):
        return wrong(subject, f"{path} n'est pas un dossier", "Donnez le chemin d'un dossier dans les réglages.")
    mode = stat.S_IMODE(state.st_mode)
    if state.st_mode & stat.S_IWOTH and not state.st_mode & stat.S_ISVTX:
        return wrong(subject, f"{path} : tout le monde peut y écrire (droits {mode:o})", f"chmod o-w {path}")
    if private and mode & 0o077:
        advice = f"chmod 700 {path}"
        return wrong(subject, f"{path} : d'autres que son propriétaire y entrent (droits {mode:o})", advice)
    if not os.access(path, rights):
        what = "écrire" if rights & os.W_OK else "lire"
        advice = f"Donnez-le au compte du service : chown workbench: {path}"
        return wrong(subject, f"{path} : ce compte ne peut pas y {what}", advice)
    return fine(subject, f"{path}")


def disks(usage: Mapping[Path, tuple[int, int]] | None = None) -> Iterator[Finding]:
    """Look at the room that is left on each file system that is written to.

    Parameters
    ----------
    usage
        Bytes in all and bytes free of each folder; as they are by default.
    """
    for place, (total, free) in (_usage() if usage is None else usage).items():
        subject = f"disque de {place}"
        said = f"{free / GIB:.1f} Gio libres sur {total / GIB:.1f}".replace(".", ",")
        if free < LEAST_BYTES or free < LEAST_SHARE * total:
            advice = "Faites de la place : workbench base prune, workbench report purge ; ou agrandissez le disque."
            yield wrong(subject, said, advice)
        elif free < ENOUGH_BYTES or free < ENOUGH_SHARE * total:
            yield doubt(subject, said, "Un import écrit un instantané entier à côté du précédent : prévoyez la place.")
        else:
            yield fine(subject, said)


def _usage() -> dict[Path, tuple[int, int]]:
    known = settings()
    written = [known.reports, *(Path(each) for each in (known.base, known.registry) if "://" not in each)]
    if asked := text_of("WORKBENCH_DEPOT"):
        written.append(Path(asked))
    found: dict[int, tuple[Path, tuple[int, int]]] = {}
    for path in written:
        above = next(each for each in (path.absolute(), *path.absolute().parents) if each.is_dir())
        usage = shutil.disk_usage(above)
        found.setdefault(above.stat().st_dev, (above, (usage.total, usage.free)))
    return dict(found.values())


def libraries(lock: Path | None = None) -> Iterator[Finding]:
    """Hold the installed libraries to the versions that the product was tried with.

    Parameters
    ----------
    lock
        A file of requirements; the product's by default.
    """
    package = Path(__file__).parents[1]
    candidates = (
        [lock] if lock is not None else [package / "share" / "requirements.lock", package.parent / "requirements.lock"]
    )
    found = next((each for each in candidates if each.is_file()), None)
    if found is None:
        yield doubt("bibliothèques", "la liste des versions n'est pas installée", "Installez la roue du produit.")
        return
    wanted: dict[str, set[str]] = {}
    for name, number in re.findall(
        r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", found.read_text(encoding="utf-8"), re.MULTILINE
    ):
        wanted.setdefault(name, set()).add(number)
    installed = {name: number for name in wanted if (number := _installed(name))}
    others = [
        f"{name} {installed[name]} au lieu de {' ou '.join(sorted(wanted[name]))}"
        for name in sorted(installed)
        if installed[name] not in wanted[name]
    ]
    if others:
        said = f"{len(others)} d'une autre version : {', '.join(others[:5])}{'…' if len(others) > 5 else ''}"
        yield doubt("bibliothèques", said, "pip install --require-hashes -r requirements.lock")
    else:
        yield fine("bibliothèques", f"{len(installed)} installées, aux versions essayées")


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def openmp(module: str = "lightgbm", library: str = "libgomp.so.1") -> Iterator[Finding]:
    """Look for the library of threads that the learning of detection needs, where it is installed."""
    if importlib.util.find_spec(module) is None:
        yield unconcerned(library, f"{module} n'est pas installé : pas de détection sur cette machine")
        return
    try:
        ctypes.CDLL(library)
    except OSError:
        yield wrong(library, f"{module} ne pourra pas apprendre sans elle", "apt install libgomp1")
    else:
        yield fine(library, "présente")


def chromium() -> Iterator[Finding]:
    """Look for the program that prints PDF."""
    from workbench.reports.pdf import find_chromium

    if found := find_chromium():
        yield fine("Chromium", found)
    else:
        advice = "apt install chromium, ou donnez son chemin dans WORKBENCH_CHROMIUM."
        yield doubt("Chromium", "absent : les rapports n'auront pas de PDF", advice)


def zygotes(processes: Iterable[Path] | None = None) -> Iterator[Finding]:
    """Count the threads of the processes that make kernels in advance: a fork keeps one alone.

    Parameters
    ----------
    processes
        Folders of processes, as in ``/proc``.
    """
    subject, count = "noyaux préparés", 0
    for process in Path("/proc").glob("[0-9]*") if processes is None else processes:
        try:
            if (process / "comm").read_text().strip() != "noyaux":
                continue
            threads = len(list((process / "task").iterdir()))
        except OSError:
            continue
        count += 1
        if threads != 1:
            said = f"le processus {process.name} a {threads} fils : ses noyaux peuvent se bloquer"
            advice = "Redémarrez le service ; une bibliothèque d'une autre version ouvre un fil à l'import."
            yield wrong(subject, said, advice)
            return
    if count:
        yield fine(subject, f"{count} en marche, d'un seul fil")
    else:
        yield unconcerned(subject, "aucun en marche")
