"""The files of trames: one loaded, one saved, a folder listed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from workbench.config import settings
from workbench.errors import WorkbenchError
from workbench.trames.atomic import replace_file, trame_path
from workbench.trames.checks import require_right
from workbench.trames.kept_readings import kept_reading
from workbench.trames.model import Trame
from workbench.trames.problems import TrameError, TrameProblem, nearest, sentence
from workbench.trames.reading import SerieFile, read_serie, read_yaml
from workbench.trames.rewriting import updated_yaml
from workbench.trames.serie import serie_of
from workbench.trames.writing import trame_yaml
from workbench.trames.yaml_nodes import MAX_BYTES

__all__ = [
    "TrameSummary",
    "check_trame_file",
    "find_trame",
    "find_trame_file",
    "list_trames",
    "load_trame",
    "modele_path",
    "rewritten",
    "save_trame",
]

_YAML = {".yaml", ".yml"}


@dataclass(frozen=True)
class TrameSummary:
    """A trame of a folder, right or not.

    Parameters
    ----------
    path
        The file.
    code, libelle, description, nomenclature
        As in the file; when it cannot be read, the code is its stem and the others are empty.
    indicateurs
        How many there are.
    errors
        What keeps the file from being read; empty when it is right.
    """

    path: Path
    code: str
    libelle: str = ""
    description: str = ""
    nomenclature: str | None = None
    indicateurs: int = 0
    errors: tuple[TrameProblem, ...] = ()

    def __str__(self) -> str:
        if self.errors:
            return "\n".join([f"{self.code} ({self.path.name}) : en erreur", *(f"  {one}" for one in self.errors)])
        count = f"{self.indicateurs} indicateur{'s' if self.indicateurs > 1 else ''}"
        return ", ".join(part for part in (self.code, self.libelle, self.nomenclature, count) if part)


def load_trame(path: str | Path) -> Trame:
    """Load a trame, from its YAML file or from an Excel pseudo-paramétrage.

    Parameters
    ----------
    path
        ``.yaml``, ``.yml`` or ``.xlsx``; or the code of a trame, as for `find_trame`: ``m14_basique``, ``~/essais``.

    Returns
    -------
    Trame
        Whole and right, a `Serie` when the file names trames that follow one another; see docs/trames.md for the
        formats.

    Raises
    ------
    TrameError
        With every error of the file, each with its line and column, or its cell.
    WorkbenchError
        When the file does not exist, or is of another kind.
    """
    if isinstance(path, str) and re.fullmatch(r"(~/)?\w+", path):
        return find_trame(path)
    path = trame_path(path)
    if path.suffix.lower() == ".xlsx":
        from workbench.trames.excel import import_pseudo_parametrage

        return import_pseudo_parametrage(path)
    trame, problems = _read(path)
    if trame is None:
        raise TrameError.of(path.name, [problem for problem in problems if problem.severity == "error"])
    return trame


def check_trame_file(path: str | Path) -> list[TrameProblem]:
    """Say everything that is wrong or doubtful in a trame's file, in its order; empty when there is nothing to say.

    Raises
    ------
    WorkbenchError
        When the file does not exist, or is of another kind.
    """
    path = trame_path(path)
    if path.suffix.lower() == ".xlsx":
        from workbench.trames.excel import check_pseudo_parametrage

        return check_pseudo_parametrage(path)
    return _read(path)[1]


def _text(path: Path) -> str | TrameProblem:
    """Read the text of a file, or why it has none."""
    if path.suffix.lower() not in _YAML:
        raise WorkbenchError("trame_format", chemin=path, suffixe=path.suffix)
    if not path.is_file():
        raise WorkbenchError("trame_fichier_absent", chemin=path)
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        return TrameProblem(
            path.name, f"le fichier dépasse {MAX_BYTES >> 20} Mio", "répartissez-le en plusieurs trames"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = len(content[content.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8-sig", "replace")) + 1
        message, hint = "ce caractère n'est pas de l'UTF-8", "enregistrez le fichier en UTF-8"
        return TrameProblem(f"ligne {line}, colonne {column}", message, hint, line=line, column=column)


def _read(path: Path) -> tuple[Trame | None, list[TrameProblem]]:
    text = _text(path)
    if isinstance(text, TrameProblem):
        return None, [text]
    # A file without the word is no serie's: its text is then read once.
    serie = read_serie(text, path.stem) if "serie" in text else None
    if serie is None:
        return kept_reading(text, path.stem, read_yaml)
    found, problems = serie
    return (None, problems) if found is None else _serie(found, path)


def _serie(found: SerieFile, path: Path) -> tuple[Trame | None, list[TrameProblem]]:
    """Load the trames of a serie, which are files of its folder, and make one of them."""
    trames, problems = [], []
    for code, problem in found.trames:
        file = path.with_name(f"{code}.yaml")
        text = _text(file) if file.is_file() else None
        if text is None:
            names = sorted(other.stem for other in path.parent.glob("*.yaml"))
            problems.append(problem(f"il n'y a pas de trame {code} dans ce dossier", nearest(code, names)))
            continue
        trame, faults = (None, [text]) if isinstance(text, TrameProblem) else kept_reading(text, code, read_yaml)
        if trame is None:
            hint = f"corrigez {file.name} : " + str(next(one for one in faults if one.severity == "error").message)
            problems.append(problem(f"la trame {code} est en erreur", hint))
        else:
            trames.append(trame)
    if not problems:
        try:
            return serie_of(trames, **found.fields), []
        except WorkbenchError as error:
            problems.append(TrameProblem(path.name, str(error.details.get("cause", error)), error.hint))
    return None, problems


def save_trame(trame: Trame, path: str | Path) -> Path:
    """Save a trame; in a file that exists, the lines of what did not change stay as they are, comments included.

    Parameters
    ----------
    trame
        The trame.
    path
        ``.yaml`` or ``.yml``; an ``.xlsx`` is written as a pseudo-paramétrage.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TrameError
        When the trame is wrong, or the file that exists cannot be read; nothing is written.
    WorkbenchError
        When the file is of another kind, cannot be written, or cannot be rewritten without losing its comments.
    """
    path = trame_path(path)
    if path.suffix.lower() == ".xlsx":
        from workbench.trames.excel import export_pseudo_parametrage

        return export_pseudo_parametrage(trame, path)
    if path.suffix.lower() not in _YAML:
        raise WorkbenchError("trame_format", chemin=path, suffixe=path.suffix)
    require_right(trame)
    if not path.exists():
        replace_file(path, trame_yaml(trame).encode(), trame.code)
        return path
    old = load_trame(path)
    if old != trame:
        replace_file(path, rewritten(path, old, trame), trame.code)
    return path


def rewritten(path: Path, old: Trame, trame: Trame) -> bytes:
    """Return the content of a trame's file with another trame in the place of ``old``, which it holds."""
    content = path.read_bytes()
    mark = content[:3] if content.startswith(b"\xef\xbb\xbf") else b""
    return mark + updated_yaml(content.decode("utf-8-sig"), old, trame, str(path)).encode()


def list_trames(folder: str | Path | None = None) -> list[TrameSummary]:
    """List the trames of a folder, those that cannot be read too, with their errors.

    Parameters
    ----------
    folder
        The folder; None for that of the settings (``WORKBENCH_TRAMES``). Its own YAML files alone are listed.

    Returns
    -------
    list of TrameSummary
        Sorted by name of file. Two files that give the same code are both in error.

    Raises
    ------
    WorkbenchError
        When there is no such folder.
    """
    place = Path(folder) if folder is not None else settings().trames
    if not place.is_dir():
        raise WorkbenchError("dossier_absent", dossier=place)
    summaries = [_summary(path) for path in sorted(place.iterdir()) if path.suffix.lower() in _YAML and path.is_file()]
    files: dict[str, list[str]] = {}
    for one in summaries:
        files.setdefault(one.code, []).append(one.path.name)
    return [_without_twin(one, [name for name in files[one.code] if name != one.path.name]) for one in summaries]


def _summary(path: Path) -> TrameSummary:
    try:
        trame, problems = _read(path)
    except (OSError, WorkbenchError) as error:
        trame, problems = None, [TrameProblem(path.name, f"le fichier ne peut pas être ouvert : {error}")]
    if trame is None:
        return TrameSummary(path, path.stem, errors=tuple(one for one in problems if one.severity == "error"))
    return TrameSummary(path, trame.code, trame.libelle, trame.description, trame.nomenclature, len(trame.indicateurs))


def _without_twin(summary: TrameSummary, others: list[str]) -> TrameSummary:
    if not others:
        return summary
    message = f"le code {summary.code} est aussi celui de {', '.join(others)}"
    problem = TrameProblem(summary.path.name, message, "changez la clé « code » de l'un des deux")
    return TrameSummary(summary.path, summary.code, summary.libelle, errors=(*summary.errors, problem))


def find_trame(code: str, folder: str | Path | None = None) -> Trame:
    """Load the trame of this code from a folder.

    Parameters
    ----------
    code, folder
        As for `find_trame_file`.

    Raises
    ------
    TrameError
        When its file cannot be read, or two files give this code.
    WorkbenchError
        When there is none; the hint names the nearest.
    """
    return load_trame(find_trame_file(code, folder))


def find_trame_file(name: str | Path, folder: str | Path | None = None) -> Path:
    """Return the file of a trame, named by its path or by its code.

    Parameters
    ----------
    name
        A path, which is returned as it is; or a code, by convention the stem of the file: ``m14_basique``, ``~/code``
        for one of the private folder.
    folder
        As for `list_trames`.

    Raises
    ------
    TrameError
        When the file of a code cannot be read, or two files give this code.
    WorkbenchError
        When no file gives this code; the hint names the nearest.
    """
    path, code = Path(name), str(name)
    if path.suffix or path.is_file():
        return path
    if folder is None and code.startswith("~/"):
        code, folder = code.removeprefix("~/"), settings().private_trames
    summaries = list_trames(folder)
    for one in summaries:
        if one.code == code:
            if one.errors:
                raise TrameError.of(one.path.name, one.errors)
            return one.path
    hint = nearest(code, [one.code for one in summaries])
    place = Path(folder) if folder is not None else settings().trames
    raise WorkbenchError("trame_absente", trame=code, dossier=place, proche=sentence(hint))


def modele_path(trame: Trame, path: str | Path) -> Path | None:
    """Return the model workbook of a trame that was loaded from ``path``; None when the trame has none.

    Raises
    ------
    TrameError
        When the path, links followed, leaves the folder of the trame.
    WorkbenchError
        When the workbook does not exist.
    """
    if not trame.modele:
        return None
    folder = Path(path).resolve().parent
    modele = (folder / trame.modele).resolve()
    if not modele.is_relative_to(folder):
        problem = TrameProblem(trame.code, f"le modèle sort du dossier de la trame : « {trame.modele} »")
        raise TrameError.of(Path(path).name, [problem])
    if not modele.is_file():
        raise WorkbenchError("modele_absent", chemin=modele)
    return modele
