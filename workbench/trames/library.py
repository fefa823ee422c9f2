"""Where trames are: the shared folder that a team keeps under git, and one's own, whose codes are written ``~/code``.

`edit_trame` and `rename_indicateur` are in `workbench.trames.session`; this module makes, copies, renames and removes
whole trames.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from workbench.config import settings
from workbench.errors import WorkbenchError, require_kind
from workbench.trames.atomic import replace_file
from workbench.trames.checks import check_field, require_right
from workbench.trames.files import load_trame, rewritten, save_trame
from workbench.trames.model import Trame
from workbench.trames.problems import nearest, sentence
from workbench.trames.reading import read_serie
from workbench.trames.serie import Serie

__all__ = [
    "create_trame",
    "delete_trame",
    "duplicate_trame",
    "rename_trame",
    "save_trames",
    "series_of",
    "trame_file",
    "trame_folders",
]

PRIVATE = "~/"


def trame_folders() -> dict[str, Path]:
    """Return the folders of trames: ``""`` for the shared one, ``"~/"`` for one's own."""
    known = settings()
    return {"": known.trames, PRIVATE: known.private_trames}


def trame_file(name: str | Path, *, new: bool = False) -> Path:
    """Return the file of a trame.

    Parameters
    ----------
    name
        Its code (``ofgl_agregats_m57``), that of a private one (``~/essais``), or a path in ``.yaml``.
    new
        Whether the file is about to be made: it must not be there. Otherwise it must.

    Raises
    ------
    WorkbenchError
        ``trame_absente``, ``trame_existe``, ``trame_code``.

    Examples
    --------
    >>> trame_file("~/../secret")
    Traceback (most recent call last):
        ...
    workbench.errors.WorkbenchError: « ../secret » n'est pas le code d'une trame.
    ...
    """
    require_kind(name, (str, Path), "trame", "le code ou le chemin d'une trame", 'Par exemple "m14_basique".')
    text = str(name)
    if isinstance(name, Path) or text.lower().endswith((".yaml", ".yml")):
        path, folder, code = Path(name).expanduser(), Path(name).expanduser().parent, Path(name).stem
    else:
        private = text.startswith(PRIVATE)
        folder, code = trame_folders()[PRIVATE if private else ""], text.removeprefix(PRIVATE)
        if wrong := check_field("code", code):
            raise WorkbenchError("trame_code", nom=code, conseil=sentence(wrong[1]) + ".")
        found = [folder / f"{code}{suffix}" for suffix in (".yaml", ".yml")]
        path = next((each for each in found if each.is_file()), found[0])
    if new and path.exists():
        raise WorkbenchError("trame_existe", trame=text, chemin=path)
    if not new and not path.is_file():
        names = [each.stem for each in folder.glob("*.yaml")] if folder.is_dir() else []
        raise WorkbenchError("trame_absente", trame=code, dossier=folder, proche=sentence(nearest(code, names)))
    return path


def create_trame(
    name: str | Path, nomenclature: str | None = None, libelle: str = "", description: str = "", reference: str = ""
) -> Path:
    """Make an empty trame, shared or private, and its file.

    Parameters
    ----------
    name
        Its code, ``~/code`` for a private one, or a path.
    nomenclature, libelle, description, reference
        As of a trame.

    Returns
    -------
    Path
        The new file; `workbench.edit_trame` adds indicateurs to it.

    Raises
    ------
    WorkbenchError
        ``trame_existe``, ``trame_code``, ``trame_ecriture``.
    """
    path = trame_file(name, new=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    trame = Trame(path.stem, (), libelle, description, reference, nomenclature)
    return save_trame(trame, path)


def duplicate_trame(name: str | Path, new_name: str | Path, libelle: str | None = None) -> Path:
    """Copy a trame under another code, its comments too.

    Returns
    -------
    Path
        The new file.

    Raises
    ------
    TrameError
        When the trame is wrong.
    WorkbenchError
        ``trame_absente``, ``trame_existe``, ``serie_ecriture``.
    """
    source, target = trame_file(name), trame_file(new_name, new=True)
    old = load_trame(source)
    new = replace(old, code=target.stem, libelle=old.libelle if libelle is None else libelle)
    require_right(new)
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_file(target, rewritten(source, old, new), new.code)
    return target


def rename_trame(name: str | Path, new_code: str) -> Path:
    """Give a trame another code, in its file, in its file's name, and in the series of its folder that name it.

    Returns
    -------
    Path
        The new file.

    Raises
    ------
    WorkbenchError
        ``trame_absente``, ``trame_existe``, ``trame_code``, ``serie_ecriture``; nothing changes then.
    """
    source = trame_file(name)
    if wrong := check_field("code", new_code):
        raise WorkbenchError("trame_code", nom=new_code, conseil=sentence(wrong[1]) + ".")
    target = trame_file(source.with_name(f"{new_code}{source.suffix}"), new=True)
    old = load_trame(source)
    new = replace(old, code=new_code)
    require_right(new)
    contents: dict[Path, bytes | None] = {target: rewritten(source, old, new)}
    for serie in series_of(source):
        contents[serie] = _renamed_in_serie(serie, source.stem, new_code)
    contents[source] = None
    _write_all(contents, new_code)
    return target


def delete_trame(name: str | Path) -> Path:
    """Remove the file of a trame; refused while a serie of its folder names it.

    Returns
    -------
    Path
        The file that was removed; git keeps what it held, where the folder is under git.

    Raises
    ------
    WorkbenchError
        ``trame_absente``, ``trame_utilisee`` with the series.
    """
    path = trame_file(name)
    if users := series_of(path):
        raise WorkbenchError("trame_utilisee", trame=path.stem, series=", ".join(each.stem for each in users))
    try:
        path.unlink()
    except OSError as error:
        raise WorkbenchError(
            "trame_ecriture", trame=path.stem, chemin=path, cause=error.strerror or str(error)
        ) from error
    return path


def series_of(path: Path) -> list[Path]:
    """List the files of series that name the trame of this file, which are in its folder."""
    return [file for file, codes in _series(path.parent) if path.stem in codes]


def _series(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    for file in sorted(folder.glob("*.y*ml")):
        text = file.read_text(encoding="utf-8-sig", errors="replace")
        found = read_serie(text, file.stem) if "serie" in text else None
        if found is not None and found[0] is not None:
            yield file, [code for code, _ in found[0].trames]


def _renamed_in_serie(file: Path, code: str, new_code: str) -> bytes:
    """Write another code in the list of a serie, the rest of the file to the byte."""
    content = file.read_bytes().decode("utf-8")
    head, key, rest = content.partition("serie:")
    word = re.compile(rf"(?<![\w.-]){re.escape(code)}(?![\w.-])")
    text = head + key + word.sub(new_code, rest)
    found = read_serie(text.removeprefix("\ufeff"), file.stem)
    before = read_serie(content.removeprefix("\ufeff"), file.stem)
    expected = [new_code if each == code else each for each, _ in before[0].trames] if before and before[0] else []
    if found is None or found[0] is None or [each for each, _ in found[0].trames] != expected:
        raise WorkbenchError("trame_ecriture", trame=new_code, chemin=file, cause="la série ne s'y réécrit pas")
    return text.encode()


def save_trames(trames: Mapping[Path, Trame]) -> None:
    """Save several trames in their files: all, or none.

    Raises
    ------
    TrameError
        When one is wrong.
    WorkbenchError
        When one cannot be written: those written before it are put back.
    """
    contents: dict[Path, bytes | None] = {}
    for path, trame in trames.items():
        require_right(trame)
        old = load_trame(path)
        if isinstance(old, Serie):
            raise WorkbenchError("serie_ecriture", serie=old.code, trames=", ".join(each.code for each in old.trames))
        if old != trame:
            contents[path] = rewritten(path, old, trame)
    _write_all(contents, next((each.code for each in trames.values()), ""))


def _write_all(contents: Mapping[Path, bytes | None], code: str) -> None:
    """Write, or remove, several files; put back what was there when one of them refuses."""
    before = {path: path.read_bytes() if path.exists() else None for path in contents}
    done: list[Path] = []
    try:
        for path, content in contents.items():
            done.append(path)
            if content is None:
                path.unlink()
            else:
                replace_file(path, content, code)
    except (OSError, WorkbenchError) as error:
        for path in done:
            old = before[path]
            if old is not None:
                path.write_bytes(old)
            else:
                path.unlink(missing_ok=True)
        if isinstance(error, WorkbenchError):
            raise
        cause = error.strerror or str(error)
        raise WorkbenchError("trame_ecriture", trame=code, chemin=done[-1], cause=cause) from error
