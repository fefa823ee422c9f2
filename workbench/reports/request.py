"""What a report is asked for, checked in one go: everything that can be refused is, before a kernel starts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from workbench.config import settings
from workbench.dgfip import Base, connect, perimetre, select_budgets
from workbench.errors import WorkbenchError
from workbench.reports.excel_files import open_model
from workbench.reports.parameters import ParametersError, check_parameters, plain, read_parameters
from workbench.trames import Trame, find_trame_file, load_trame, modele_path

__all__ = [
    "ALL_NOMENCLATURES",
    "COMPARATIVE_NOTEBOOK",
    "REPORT_NOTEBOOK",
    "ReportRequest",
    "checked_request",
    "find_notebook",
]

REPORT_NOTEBOOK = "40_rapport_collectivite.ipynb"

COMPARATIVE_NOTEBOOK = "45_rapport_comparatif.ipynb"

SIRET = re.compile(r"[0-9]{14}")

ALL_NOMENCLATURES = "toutes"


@dataclass
class ReportRequest:
    """A report whose parameters are right.

    Parameters
    ----------
    notebook, parameters
        The report model and the plain values that it receives.
    folder, stem
        Where the files go and the name that they share.
    trame, snapshot
        What is computed, on which state of the base.
    secret_base
        URL of a base when it holds a password: it goes to the kernel by its environment.
    compare
        Whether budgets are put side by side.
    warnings
        French sentences for the reader, added along the way.
    """

    notebook: Path
    parameters: dict[str, Any]
    folder: Path
    stem: str
    trame: Trame
    snapshot: str
    secret_base: str = ""
    compare: bool = False
    warnings: list[str] = field(default_factory=list)

    def discreet(self, text: str) -> str:
        """Return a text without the password of the base, which an error may have quoted."""
        if not self.secret_base:
            return text
        password = re.escape(self.secret_base.partition("://")[2].rpartition("@")[0].partition(":")[2])
        return re.sub(f":{password}@", ":***@", text)


def find_notebook(notebook: Path | str | None = None, default: str = REPORT_NOTEBOOK) -> Path:
    """Return the path of a report model: as given, or found by name in the folder of notebooks.

    Without a setting, that folder is ``notebooks`` in the current one, or beside the package in a
    checkout.
    """
    name = Path(notebook or default)
    beside_package = Path(__file__).resolve().parents[2] / "notebooks"
    for candidate in (name, settings().notebooks / name, beside_package / name):
        if candidate.is_file():
            return candidate.resolve()
    raise WorkbenchError("notebook_absent", chemin=name)


def checked_request(
    source: Path, wanted: Mapping[str, Any], others: Mapping[str, Any], to: Path
) -> tuple[ReportRequest, bool]:
    """Check everything; return the request and whether the base has accounts for it.

    Parameters
    ----------
    source
        The report model.
    wanted
        ``trame, base, sirets, exercices, modele, nomenclature, titre`` as `run_report` received them.
    others
        Other parameters of the notebook.
    to
        Folder or path of a file, as `run_report` received it.

    Raises
    ------
    ParametersError
        ``parametres_refuses``, with every problem.
    """
    declared = read_parameters(source)
    problems: list[WorkbenchError] = []
    sirets = _sirets(wanted["sirets"], problems)
    first, last = _period(wanted["exercices"], problems)
    trame_path, trame = _trame(wanted["trame"], problems)
    url, snapshot, budgets = _base(wanted["base"], trame, wanted["nomenclature"], sirets, (first, last), problems)
    secret = _has_password(url)
    given = {
        "base": "" if secret else url,
        "trame": str(trame_path),
        "sirets": sirets,
        "exercice_min": first,
        "exercice_max": last,
        "nomenclature": wanted["nomenclature"],
        "modele": _model(wanted["modele"], trame, trame_path, problems),
        "titre": wanted["titre"],
        **others,
    }
    given = {name: value for name, value in given.items() if value is not None or name in others}
    if wanted["modele"] is None and "modele" not in declared:
        given.pop("modele", None)  # the trame's own, which this notebook does not fill
    values, found = check_parameters(declared, given)
    if problems or found:
        raise ParametersError.of([*problems, *found])
    assert trame is not None  # noqa: S101 - an absent trame is a problem, raised above
    folder, stem = _names(to, trame, sirets, first, last, "_comparaison" if wanted.get("compare") else "")
    hidden, compare = url if secret else "", bool(wanted.get("compare"))
    return ReportRequest(source, values, folder, stem, trame, snapshot, hidden, compare), budgets > 0


def _sirets(given: Any, problems: list[WorkbenchError]) -> list[str]:
    try:
        sirets = [given] if isinstance(given, str) else [str(siret) for siret in plain(list(given))]
    except (TypeError, ValueError):
        sirets = [repr(given)]
    problems.extend(WorkbenchError("siret_malforme", siret=siret) for siret in sirets if not SIRET.fullmatch(siret))
    if not sirets:
        problems.append(WorkbenchError("sirets_vides"))
    return list(dict.fromkeys(sirets))


def _period(given: Any, problems: list[WorkbenchError]) -> tuple[int, int]:
    """Return the first and last exercice; a range that goes down is upside down, not empty."""
    years: list[Any]
    if isinstance(given, range) and given.step == 1 and given.start >= given.stop:
        years = [given.start, given.stop - 1]
    else:
        try:
            years = plain([given] if isinstance(given, int | str) else list(given))
        except (TypeError, ValueError):
            years = [repr(given)]
    wrong = [year for year in years if isinstance(year, bool) or not isinstance(year, int) or not 1900 < year < 2200]
    problems.extend(WorkbenchError("exercice_impossible", exercice=year) for year in wrong)
    if not years:
        problems.append(WorkbenchError("exercices_vides"))
    if wrong or not years:
        return 0, 0
    if len(years) == 2 and years[0] > years[1]:
        problems.append(WorkbenchError("exercices_inverses", debut=years[0], fin=years[1]))
    return min(years), max(years)


def _trame(given: Any, problems: list[WorkbenchError]) -> tuple[Path, Trame | None]:
    path = Path(given)
    try:
        path = find_trame_file(given).resolve()
        return path, load_trame(path)
    except WorkbenchError as error:
        problems.append(error)
        return path, None


def _base(
    given: Any,
    trame: Trame | None,
    nomenclature: str | None,
    sirets: list[str],
    period: tuple[int, int],
    problems: list[WorkbenchError],
) -> tuple[str, str, int]:
    """Open the base; return its address, its snapshot and how many budgets the report will hold."""
    try:
        base = given if isinstance(given, Base) else connect(_address(given))
    except WorkbenchError as error:
        problems.append(error)
        return str(given), "", 0
    try:
        if problems or trame is None:
            return base.url, base.snapshot, 0
        kept = None if nomenclature == ALL_NOMENCLATURES else nomenclature or trame.nomenclature
        chosen = perimetre(sirets=sirets, nomenclature=kept)
        budgets = select_budgets(base, chosen, range(period[0], period[1] + 1))
        return base.url, base.snapshot, budgets.num_rows
    finally:
        if base is not given:
            base.close()


def _address(given: Any) -> str:
    address = str(given or settings().base)
    # The path of a base is a link to its current snapshot: it is made absolute, not followed.
    return address if "://" in address else str(Path(address).absolute())


def _has_password(url: str) -> bool:
    try:
        return "://" in url and make_url(url).password is not None
    except ArgumentError:
        return False


def _model(given: Any, trame: Trame | None, trame_path: Path, problems: list[WorkbenchError]) -> str | None:
    try:
        path = Path(given).resolve() if given is not None else None
        if path is None and trame is not None:
            path = modele_path(trame, trame_path)
    except WorkbenchError as error:
        problems.append(error)
        return None
    if path is not None and not path.is_file():
        problems.append(WorkbenchError("modele_absent", chemin=path))
    elif path is not None:
        try:
            open_model(path)
        except WorkbenchError as error:
            problems.append(error)
    return None if path is None else str(path)


def _names(to: Path, trame: Trame, sirets: list[str], first: int, last: int, kind: str = "") -> tuple[Path, str]:
    if to.suffix in {".ipynb", ".html", ".pdf", ".xlsx"}:
        return to.parent, to.stem
    who = sirets[0] if len(sirets) == 1 else f"{len(sirets)}-budgets"
    return to, re.sub(r"[^\w.-]+", "-", f"{trame.code}{kind}_{who}_{first}_{last}")
