"""From a folder of files to a descriptor that a person reads again (specification 2)."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

from workbench.engines import Writer, scratch_writer, work_folder
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.batches import START, Batch, check_key, month_of, parent_of
from workbench.signaux_faibles.effectifs import RECENT_MONTHS, PerimetreRules, excluded_sirens, load_effectifs
from workbench.signaux_faibles.perimetre import write_filter
from workbench.signaux_faibles.recognition import FILTER, DeliveredFile, delivered_files
from workbench.signaux_faibles.sources import sources

__all__ = ["batch_folder", "prepare_batch"]

USUAL = {"cotisation": 143_813_078, "delai": 1_666_199, "procol": 1_646_193, "debit": 254_781_489}
"""Bytes, compressed, that whole deliveries had: a file that large may be complete, and a person says."""


def batch_folder(root: Path, key: str) -> Path:
    """Return the folder of a batch under the folder of all batches; that of a sub-batch is inside its parent's.

    Raises
    ------
    WorkbenchError
        ``batch_cle``, ``batch_dossier``.
    """
    check_key(key)
    parent = parent_of(key)
    relative = Path(parent, key) if parent else Path(key)
    if not (root / relative).is_dir():
        raise WorkbenchError("batch_dossier", dossier=str(relative), racine=str(root))
    return root / relative


def prepare_batch(
    root: str | Path,
    key: str,
    *,
    rules: PerimetreRules | None = None,
    effectif_end: date | None = None,
    perimetre_from: str = "effectif",
    start: date = START,
    name: str = "",
) -> Batch:
    """Look at the files of a batch, build its perimeter if it has none, and describe it.

    Parameters
    ----------
    root
        Folder of all batches: files are in ``root/AAMM``, those of a sub-batch in ``root/AAMM/AAMM_NN``.
    key
        ``AAMM``, or ``AAMM_NN``.
    rules
        Which companies are followed.
    effectif_end
        Last month of known workforce, where no workforce file tells it.
    perimetre_from
        ``effectif`` (établissements, rules of 2021) or ``effectif_ent`` (entreprises, rules of today).
    start
        First month.
    name
        A label.

    Returns
    -------
    Batch
        With what is to be confirmed and the files that nothing recognises. A filter was written in the folder when
        there was none.

    Raises
    ------
    WorkbenchError
        ``batch_cle``, ``batch_dossier``, ``filtre_sans_effectif``, ``date_fin_effectif``, ``filtre_existe``, and what
        unreadable files raise. Nothing is written then.
    """
    root = Path(root)
    folder = batch_folder(root, key)
    parent = parent_of(key)
    own = list(delivered_files(folder))
    above = list(delivered_files(folder.parent)) if parent else []
    notes: list[str] = []
    filters = [each for each in own if each.type == FILTER]
    inherited = [each for each in above if each.type == FILTER] if not filters else []
    measured = _of(own, perimetre_from) or _of(above, perimetre_from)
    end = effectif_end
    with work_folder(prefix="workbench-sources-") as work, scratch_writer(work) as writer:
        rules = rules or PerimetreRules(RECENT_MONTHS[perimetre_from])
        sirens: list[str] | None = None
        if not filters and not inherited and len(measured) != 1:
            raise WorkbenchError("filtre_sans_effectif", type=perimetre_from, nombre=len(measured))
        dated = measured or _of(own, "effectif") or _of(above, "effectif") or _of(own, "effectif_ent")
        known: list[date] = []
        for each in dated:
            with load_effectifs(writer, str(each.type), each.path, work) as read:
                known += [read.last] if read.last else []
                if not filters and not inherited:
                    sirens = read.sirens(rules)
        end = max(known, default=end)
        if end is None:
            raise WorkbenchError("date_fin_effectif")
        if sirens is not None:
            sirens = _without_excluded(writer, own, above, sirens, rules, work, notes)
    if sirens is not None:
        made = folder / f"filter_siren_{key}.csv"
        count = write_filter(made, sirens)
        notes.append(f"Périmètre construit : {count} entreprises.")
        filters = [DeliveredFile(made, made.name, FILTER, made.stat().st_size)]
    elif inherited:
        copy = folder / inherited[0].name
        shutil.copyfile(inherited[0].path, copy)
        filters = [replace(inherited[0], path=copy)]
    return _described(root, key, [*(each for each in own if each.type != FILTER), *filters], notes, start, end, name)


def _of(files: list[DeliveredFile], type_: str) -> list[DeliveredFile]:
    return [each for each in files if each.type == type_]


def _without_excluded(
    writer: Writer,
    own: list[DeliveredFile],
    above: list[DeliveredFile],
    sirens: list[str],
    rules: PerimetreRules,
    work: Path,
    notes: list[str],
) -> list[str]:
    units = _of(own, "sirene_ul") or _of(above, "sirene_ul")
    if not units:
        notes.append("Pas de fichier sirene_ul : ni catégorie juridique ni activité n'ont été exclues du périmètre.")
        return sirens
    excluded: set[str] = set()
    for each in units:
        excluded |= excluded_sirens(writer, each.path, rules, work)
    return [siren for siren in sirens if siren not in excluded]


def _described(
    root: Path,
    key: str,
    files: list[DeliveredFile],
    notes: list[str],
    start: date,
    effectif_end: date,
    name: str,
) -> Batch:
    listed: dict[str, tuple[str, ...]] = {}
    for each in files:
        if each.type is not None:
            path = "/" + each.path.relative_to(root).as_posix()
            listed[each.type] = (*listed.get(each.type, ()), f"gzip:{path}" if each.compressed else path)
    known = sources()
    complete = tuple(sorted(type_ for type_ in listed if type_ in known and known[type_].complete))
    pending = {}
    for type_, usual in USUAL.items():
        found = _of(files, type_)
        if len(found) > 1:
            notes.append(f"{len(found)} fichiers {type_} : s'ils ne se complètent pas, retirez ceux qui sont de trop.")
        if found and found[0].compressed and len(found) == 1 and found[0].size >= usual:
            pending[type_] = f"aussi gros qu'une livraison entière ({found[0].size >> 20} Mio)"
    return Batch(
        key,
        listed,
        complete,
        pending,
        name,
        start,
        month_of(key),
        effectif_end,
        tuple(each.name for each in files if each.type is None),
        tuple(notes),
    )
