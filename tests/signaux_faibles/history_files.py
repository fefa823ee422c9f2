"""Batches of a few facts, written as the files that partners send: a fact is a letter of an établissement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from workbench.signaux_faibles.batches import Batch, month_of
from workbench.signaux_faibles.history import History, import_batch
from workbench.signaux_faibles.sources import source_named

SIRET = "11111111100001"

Facts = Mapping[str, Iterable[str]]
"""SIRET to the letters that are said of it."""


def source_text(type_: str, rows: Iterable[Mapping[str, object]], *extra: str) -> str:
    """Write rows under all the columns of a source; what a row does not name is empty."""
    source = source_named(type_)
    columns = [*(each.name for each in source.columns), *extra]
    lines = [[str(row.get(name, "")) for name in columns] for row in rows]
    return "\n".join(source.delimiter.join(line) for line in (columns, *lines)) + "\n"


def say_rows(
    history: History,
    root: Path,
    key: str,
    texts: Mapping[str, str],
    perimetre: Iterable[str],
    *,
    complete: Iterable[str] = (),
) -> None:
    """Import and compact files given as texts."""
    (root / key).mkdir(parents=True, exist_ok=True)
    for type_, text in texts.items():
        (root / key / f"{type_}.csv").write_text(text, encoding="utf-8")
    (root / key / "filter.csv").write_text("\n".join(["siren", *perimetre, ""]), encoding="utf-8")
    files = {type_: (f"/{key}/{type_}.csv",) for type_ in texts} | {"filter": (f"/{key}/filter.csv",)}
    batch = Batch(key, files, tuple(complete), start=date(2017, 1, 1), end=month_of(key))
    found = import_batch(history, batch, root, compacted=True)
    assert found.is_right, str(found)


def consumption(facts: Facts) -> str:
    lines = ["ID_DA,ETAB_SIRET,MOIS,HEURES,MONTANTS,EFFECTIFS"]
    lines += [f"{letter},{siret},2018-01-01,1.5,10,2" for siret, letters in facts.items() for letter in letters]
    return "\n".join([*lines, ""])


def delays(facts: Facts) -> str:
    lines = ["SIREN;NB_JOURS;NB_JOURS_LIB;DATE_VALEUR"]
    lines += [f"{siret[:9]};{ord(letter)};x;15/12/2018" for siret, letters in facts.items() for letter in letters]
    return "\n".join([*lines, ""])


WRITTEN = {"apconso": ("consommation_ap.csv", consumption), "paydex": ("paydex.csv", delays)}


def batch_of(
    root: Path,
    key: str,
    files: Mapping[str, Facts | list[Facts]],
    complete: Iterable[str] = (),
    perimetre: Iterable[str] = (),
) -> Batch:
    """Write the files of a batch and return its descriptor; a list of facts makes several files."""
    folder = root / key
    folder.mkdir(parents=True, exist_ok=True)
    named: dict[str, tuple[str, ...]] = {}
    for type_, given in files.items():
        name, text = WRITTEN[type_]
        parts = given if isinstance(given, list) else [given]
        for place, facts in enumerate(parts):
            (folder / f"{place}_{name}").write_text(text(facts), encoding="utf-8")
        named[type_] = tuple(f"/{key}/{place}_{name}" for place in range(len(parts)))
    if kept := list(perimetre):
        (folder / f"filter_siren_{key}.csv").write_text("\n".join(["siren", *kept, ""]), encoding="utf-8")
        named["filter"] = (f"/{key}/filter_siren_{key}.csv",)
    return Batch(key, named, tuple(complete), start=date(2017, 1, 1), end=month_of(key), effectif_end=date(2017, 12, 1))


def say(
    history: History,
    root: Path,
    key: str,
    files: Mapping[str, Facts | list[Facts]],
    complete: Iterable[str] = (),
    perimetre: Iterable[str] = (),
    *,
    compacted: bool = True,
) -> None:
    """Import a batch, and compact it unless told."""
    batch = batch_of(root, key, files, complete, perimetre)
    found = import_batch(history, batch, root, no_filter="filter" not in batch.files, compacted=compacted)
    assert found.is_right, str(found)


def letters(history: History, as_of: str | None = None, siret: str = SIRET) -> str:
    """Return the letters known of an établissement as of a batch."""
    rows = history.fetch(history.state("apconso", as_of))
    return "".join(
        sorted(row["id_conso"] for row in rows.select(["siret", "id_conso"]).to_pylist() if row["siret"] == siret)
    )


def patches(history: History, siret: str = SIRET) -> dict[str, tuple[str, str]]:
    """Return what each batch added and removed, as the worked cases of the specification write it."""
    found: dict[str, tuple[str, str]] = {}
    for row in history.fetch(history.spans("apconso")).to_pylist():
        if row["siret"] != siret:
            continue
        for batch, place in ((row["batch_added"], 0), (row["batch_removed"], 1)):
            if batch is not None:
                both = list(found.get(batch, ("", "")))
                both[place] = "".join(sorted(both[place] + row["id_conso"]))
                found[batch] = (both[0], both[1])
    return found
