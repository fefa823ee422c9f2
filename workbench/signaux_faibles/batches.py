"""What a batch is: its key, its files, which types they replace whole, its dates (specification 2.1 and 2.3).

The descriptor is a text file that a person reads again before an import, in French; the JSON forms of older tools are
read and written besides.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from workbench.atomic import replacing
from workbench.errors import WorkbenchError

__all__ = ["Batch", "check_key", "from_json", "load_batch", "month_of", "parent_of", "save_batch", "to_json"]

START = date(2016, 1, 1)
"""First month of a batch unless told."""

_KEY = re.compile(r"[0-9]{2}(0[1-9]|1[0-2])(_.+)?")
_SUB_BATCH = re.compile(r"([0-9]{4})_([0-9]{2})")


def check_key(key: str) -> str:
    """Return a batch's key, or refuse it.

    Raises
    ------
    WorkbenchError
        ``batch_cle`` unless it is ``AAMM``, with or without a suffix after ``_``.

    Examples
    --------
    >>> check_key("1802"), check_key("1802_01")
    ('1802', '1802_01')
    """
    if not _KEY.fullmatch(key) or "/" in key or "\\" in key or ".." in key:
        raise WorkbenchError("batch_cle", cle=key)
    return key


def parent_of(key: str) -> str | None:
    """Return the batch of a sub-batch ``AAMM_NN``, None for any other key.

    Examples
    --------
    >>> parent_of("1803_01"), parent_of("1803"), parent_of("1803_altares")
    ('1803', None, None)
    """
    found = _SUB_BATCH.fullmatch(key)
    return found[1] if found else None


def month_of(key: str) -> date:
    """Return the first day of the month of a key, where the batch ends.

    Examples
    --------
    >>> month_of("1802").isoformat()
    '2018-02-01'
    """
    return date(2000 + int(check_key(key)[:2]), int(key[2:4]), 1)


@dataclass(frozen=True)
class Batch:
    """A batch, ready to be read.

    Parameters
    ----------
    key
        ``AAMM``, maybe with a suffix; keys are ordered as texts.
    files
        Type to files, from the folder of all batches, ``gzip:`` before compressed ones.
    complete_types
        Types whose files replace all that was known; the others only add.
    to_confirm
        Types that look complete, and why: a person says.
    name
        A label.
    start, end
        First month, and the month after the last one.
    effectif_end
        Last month of known workforce; None when nothing tells it.
    unknown
        Files of the folder whose type nothing tells.
    notes
        French sentences for the person who reads the descriptor again.
    """

    key: str
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    complete_types: tuple[str, ...] = ()
    to_confirm: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    start: date = START
    end: date = START
    effectif_end: date | None = None
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def confirmed(self) -> Batch:
        """Return the batch, refused while a type is still to be confirmed.

        Raises
        ------
        WorkbenchError
            ``batch_a_confirmer``.
        """
        if self.to_confirm:
            raise WorkbenchError("batch_a_confirmer", batch=self.key, types=", ".join(self.to_confirm))
        return self


def _moment(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def to_json(batch: Batch, form: str = "mongodb") -> dict[str, Any]:
    """Return the JSON form of a batch.

    Parameters
    ----------
    batch
        The batch; what is still to be confirmed is not complete.
    form
        ``mongodb`` (``_id``), ``prepare-import`` (``id``) or ``now`` (``key``, ``params``, paths without their slash).

    Examples
    --------
    >>> to_json(Batch("1802", {"debit": ("/1802/d.csv",)}, end=date(2018, 2, 1)), "now")["files"]
    {'debit': ['1802/d.csv']}
    """
    param: dict[str, Any] = {"date_debut": _moment(batch.start), "date_fin": _moment(batch.end)}
    if batch.effectif_end is not None:
        param["date_fin_effectif"] = _moment(batch.effectif_end)
    files = {type_: list(paths) for type_, paths in batch.files.items()}
    common: dict[str, Any] = {"complete_types": list(batch.complete_types)}
    if batch.name:
        common = {"name": batch.name, **common}
    if form == "now":
        bare = {type_: [_unslashed(path) for path in paths] for type_, paths in files.items()}
        return {"key": batch.key, **common, "files": bare, "params": param}
    identity = {"key": batch.key, "type": "batch"}
    return {"_id" if form == "mongodb" else "id": identity, **common, "files": files, "param": param}


def _unslashed(path: str) -> str:
    return re.sub(r"^(gzip:)?/", r"\1", path)


def from_json(content: Any) -> Batch:
    """Read any of the JSON forms of a batch.

    Raises
    ------
    WorkbenchError
        ``batch_descripteur``, ``batch_cle``.
    """
    try:
        identity = content.get("_id", content.get("id", {}))
        key = content["key"] if "key" in content else identity["key"]
        param = content.get("param", content.get("params")) or {}
        files = {str(type_): tuple(map(str, paths)) for type_, paths in (content.get("files") or {}).items()}
        return Batch(
            check_key(str(key)),
            files,
            tuple(map(str, content.get("complete_types") or ())),
            name=str(content.get("name") or ""),
            start=_day(param.get("date_debut")) or START,
            end=_day(param.get("date_fin")) or month_of(str(key)),
            effectif_end=_day(param.get("date_fin_effectif")),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WorkbenchError("batch_descripteur", detail=f"forme JSON inattendue ({error})") from error


def _day(value: Any) -> date | None:
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, Mapping):
        # What MongoDB's own tools write.
        return _day(value["$date"])
    return date.fromisoformat(str(value)[:10])


_ANSWERS = {"oui": True, "non": False, True: True, False: False}
_PENDING = "à confirmer"
_HEAD = """\
# Batch {key}. À relire avant l'import.
# types_complets : oui, le fichier remplace tout ce qui était connu ; non, il s'y ajoute.
"""


def save_batch(batch: Batch, path: Path) -> None:
    """Write the descriptor that a person reads again."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    answers: Any = CommentedMap()
    for type_ in sorted(batch.files):
        if type_ in batch.to_confirm:
            answers[type_] = _PENDING
            answers.yaml_add_eol_comment(batch.to_confirm[type_], type_)
        elif type_ not in {"filter", "admin_urssaf"}:
            answers[type_] = "oui" if type_ in batch.complete_types else "non"
    content = {
        "batch": batch.key,
        "nom": batch.name,
        "date_debut": batch.start,
        "date_fin": batch.end,
        "date_fin_effectif": batch.effectif_end,
        "fichiers": {type_: list(paths) for type_, paths in sorted(batch.files.items())},
        "types_complets": answers,
        "non_reconnus": list(batch.unknown),
        "remarques": list(batch.notes),
    }
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 4096
    text = io.StringIO()
    yaml.dump({key: value for key, value in content.items() if value not in (None, "", [])}, text)
    with replacing(path) as partial:
        partial.write_text(_HEAD.format(key=batch.key) + text.getvalue(), encoding="utf-8")


def load_batch(path: Path) -> Batch:
    """Read a descriptor, in its text form or in any JSON form.

    Raises
    ------
    WorkbenchError
        ``fichier_absent``, ``batch_descripteur`` with what is wrong, ``batch_cle``.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise WorkbenchError("fichier_absent", fichier=str(path)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise WorkbenchError("batch_descripteur", detail=f"{path.name} ne se lit pas") from error
    if text.lstrip().startswith("{"):
        try:
            return from_json(json.loads(text))
        except ValueError as error:
            raise WorkbenchError("batch_descripteur", detail=f"{path.name} n'est pas du JSON : {error}") from error
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise WorkbenchError("batch_descripteur", detail=f"{path.name} n'est pas du YAML") from error
    return _from_text(content, path.name)


_KEYS = {"batch", "nom", "date_debut", "date_fin", "date_fin_effectif", "fichiers", "types_complets"}


def _from_text(content: Any, name: str) -> Batch:
    if not isinstance(content, dict) or "batch" not in content:
        raise WorkbenchError("batch_descripteur", detail=f"{name} n'a pas de clé « batch »")
    strange = [str(each) for each in content if each not in _KEYS | {"non_reconnus", "remarques"}]
    if strange:
        raise WorkbenchError("batch_descripteur", detail=f"{name} : clé inconnue « {strange[0]} »")
    key = check_key(str(content["batch"]))
    try:
        files = {
            str(type_): (paths,) if isinstance(paths, str) else tuple(map(str, paths or ()))
            for type_, paths in (content.get("fichiers") or {}).items()
        }
        complete, pending = [], {}
        for type_, answer in (content.get("types_complets") or {}).items():
            if answer == _PENDING:
                pending[str(type_)] = _PENDING
            elif _ANSWERS[answer]:
                complete.append(str(type_))
        batch = Batch(key, files, tuple(complete), pending, str(content.get("nom") or ""), end=month_of(key))
        return replace(
            batch,
            start=_day(content.get("date_debut")) or batch.start,
            end=_day(content.get("date_fin")) or batch.end,
            effectif_end=_day(content.get("date_fin_effectif")),
            unknown=tuple(map(str, content.get("non_reconnus") or ())),
            notes=tuple(map(str, content.get("remarques") or ())),
        )
    except KeyError as error:
        raise WorkbenchError(
            "batch_descripteur", detail=f"{name} : types_complets se répond par oui ou non, et non {error}"
        ) from error
    except (AttributeError, TypeError, ValueError) as error:
        raise WorkbenchError("batch_descripteur", detail=f"{name} : {error}") from error
