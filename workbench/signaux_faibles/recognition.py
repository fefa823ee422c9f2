"""Which type of data a file holds, from its name or from what its sender said of it (specification 2.2)."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.signaux_faibles.sources import sources

__all__ = ["FILTER", "DeliveredFile", "delivered_files", "type_of"]

FILTER = "filter"
"""The type of the perimeter's file, which is no source."""

_EXACT = {
    "consommation_ap.csv": "apconso",
    "demande_ap.csv": "apdemande",
    "sireneUL.csv": "sirene_ul",
    "StockEtablissement_utf8_geo.csv": "sirene",
    "StockEtablissementHistorique_utf8.csv": "sirene_histo",
}
_EXACT_OR_COMPRESSED = {
    "sigfaible_etablissement_utf8.csv": "admin_urssaf",
    "sigfaible_effectif_siren.csv": "effectif_ent",
    "sigfaible_pcoll.csv": "procol",
    "sigfaible_cotisdues.csv": "cotisation",
    "sigfaible_delais.csv": "delai",
    "sigfaible_ccsf.csv": "ccsf",
    "sigfaible_debits.csv": "debit",
}
_PATTERNS = (
    (re.compile(r".*_debits.*", re.DOTALL), "debit"),
    (re.compile(r"[Dd]iane.*", re.DOTALL), "diane"),
    (re.compile(r".*effectif_.*", re.DOTALL), "effectif"),
    (re.compile(r"filter.*", re.DOTALL), FILTER),
    (re.compile(r"E_[0-9]{12}_Retro-Paydex_[0-9]{8}\.csv"), "paydex"),
    (re.compile(r"Ellisphère-Tête de groupe-[^.]*\.xlsx"), "ellisphere"),
    (re.compile(r"ratios_inpi.*\.csv(\.gz)?"), "ratios_inpi"),
    (re.compile(r"reporder.*\.csv(\.gz)?"), "reporder"),
    (re.compile(r"bdf.*\.csv(\.gz)?"), "bdf"),
)


def type_of(name: str, metadata: dict[str, Any] | None = None) -> str | None:
    """Return the type of a file, None when nothing tells it.

    Parameters
    ----------
    name
        The name that its sender gave it, without folder.
    metadata
        What came with an upload: ``typeSignauxFaibles`` names the type, ``goup-path`` the sender (the Banque de
        France's files have no name of their own).

    Examples
    --------
    >>> type_of("sigfaible_pcoll.csv.gz"), type_of("sigfaible_effectif_siren.csv"), type_of("x_effectif_siret.csv")
    ('procol', 'effectif_ent', 'effectif')
    >>> type_of("ratios.csv", {"goup-path": "bdf"}), type_of("photo.png")
    ('bdf', None)
    """
    told = {key.replace("_", "-").lower(): value for key, value in (metadata or {}).items()}
    named = told.get("typesignauxfaibles")
    if named in sources() or named == FILTER:
        return str(named)
    # Some systems write an accent apart from its letter.
    plain = unicodedata.normalize("NFC", name)
    found = _EXACT.get(plain) or _EXACT_OR_COMPRESSED.get(plain.removesuffix(".gz"))
    found = found or next((type_ for pattern, type_ in _PATTERNS if pattern.fullmatch(plain)), None)
    if found is None and told.get("goup-path") == "bdf":
        return "bdf"
    return found


@dataclass(frozen=True)
class DeliveredFile:
    """A file of a batch's folder.

    Parameters
    ----------
    path
        Where it is.
    name
        The name that its sender gave it.
    type
        Its type, None when nothing tells it.
    size
        Bytes, as stored.
    """

    path: Path
    name: str
    type: str | None
    size: int

    @property
    def compressed(self) -> bool:
        """Whether it is a gzip file."""
        return self.name.endswith(".gz") and self.size > 0


def delivered_files(folder: Path) -> Iterator[DeliveredFile]:
    """Give the files of a folder, by name; folders, hidden files and the ``.info`` of uploads are none."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() or path.name.startswith(".") or path.suffix == ".info":
            continue
        metadata = _metadata(path)
        name = Path(str(metadata.get("filename") or path.name)).name
        yield DeliveredFile(path, name, type_of(name, metadata), path.stat().st_size)


def _metadata(path: Path) -> dict[str, Any]:
    """Return what came with an upload, ``<id>`` or ``<id>.bin`` beside ``<id>.info``; empty for any other file."""
    beside = path.with_name(path.name.removesuffix(".bin") + ".info")
    try:
        content = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    told = content.get("MetaData") if isinstance(content, dict) else None
    return told if isinstance(told, dict) else {}
