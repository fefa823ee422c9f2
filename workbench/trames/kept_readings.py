"""What was read of a trame's file, kept by its content: a text is read once, whatever the number of processes.

Reading is a function of the text alone, so the key is its SHA-256, with a mark of the modules that read. What is kept
is plain JSON in the user's cache folder; a folder that refuses, or a file that says nothing sensible, costs only time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from workbench.atomic import replacing
from workbench.trames.model import Formule, Indicateur, Trame
from workbench.trames.problems import TrameProblem

__all__ = ["kept_reading"]

Reading = tuple[Trame | None, list[TrameProblem]]

_MOST = 500
_SMALL = 2_000
_known: dict[str, tuple[Trame | None, tuple[TrameProblem, ...]]] = {}


def kept_reading(text: str, stem: str, read: Callable[[str, str], Reading]) -> Reading:
    """Read a text, or give what it was read as.

    Parameters
    ----------
    text, stem
        As `workbench.trames.reading.read_yaml` has them.
    read
        That function.
    """
    key = sha256(f"{_mark()}\n{stem}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()
    found = _known.get(key) or _stored(key)
    if found is None:
        trame, problems = read(text, stem)
        found = (trame, tuple(problems))
        if len(text) > _SMALL:
            _store(key, found)
    if len(_known) >= _MOST:
        _known.clear()
    _known[key] = found
    return found[0], list(found[1])


@cache
def _mark() -> str:
    """Tell apart the versions of the modules that read."""
    folder = Path(__file__).parent
    files = sorted([*folder.glob("*.py"), *(folder.parent / "formules").glob("*.*")])
    return ",".join(f"{file.name}:{file.stat().st_size}:{file.stat().st_mtime_ns}" for file in files)


def _place(key: str) -> Path:
    return user_cache_path("workbench") / "trames" / f"{key}.json"


def _stored(key: str) -> tuple[Trame | None, tuple[TrameProblem, ...]] | None:
    try:
        said = json.loads(_place(key).read_text(encoding="utf-8"))
        problems = tuple(TrameProblem(**each) for each in said["problems"])
        return (_trame(said["trame"]) if said["trame"] is not None else None), problems
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _store(key: str, found: tuple[Trame | None, tuple[TrameProblem, ...]]) -> None:
    trame, problems = found
    said = {"trame": None if trame is None else asdict(trame), "problems": [asdict(each) for each in problems]}
    place = _place(key)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with replacing(place) as partial:
            partial.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
        kept = sorted(place.parent.glob("*.json"), key=lambda one: one.stat().st_mtime_ns)
        for old in kept[:-_MOST]:
            old.unlink(missing_ok=True)
    except OSError:
        return


def _trame(said: dict[str, Any]) -> Trame:
    indicateurs = tuple(
        Indicateur(**{**one, "formules": tuple(Formule(**part) for part in one["formules"])})
        for one in said["indicateurs"]
    )
    lists = {name: tuple(said[name]) for name in ("types_etablissement", "types_identifiant")}
    return Trame(**{**said, **lists, "indicateurs": indicateurs})
