"""One company: its variables beside the facts that they come from, as a notebook shows them."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Select, func, select

from workbench.config import settings
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.batches import Batch
from workbench.signaux_faibles.demonstration import write_delivery
from workbench.signaux_faibles.history import History, compact, import_batch, open_history
from workbench.signaux_faibles.prepare import prepare_batch
from workbench.signaux_faibles.sources import source_named
from workbench.signaux_faibles.variables.compute import Computation, compute_variables
from workbench.signaux_faibles.variables.declaration import Definition, Scope
from workbench.signaux_faibles.variables.documentation import described
from workbench.signaux_faibles.variables.from_history import relations_of, setting_of
from workbench.signaux_faibles.variables.plan import KEYS, chosen, families

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Company", "open_company"]

_Choice = TypeVar("_Choice", Scope, Definition)

_TYPES = ("effectif", "debit", "cotisation", "delai", "apconso", "apdemande", "procol", "sirene", "sirene_ul")


class Company:
    """A company as a batch knew it; `open_company` makes it.

    Attributes
    ----------
    siren : str
        Which one.
    history : History
        Where its facts are.
    """

    def __init__(
        self, history: History, siren: str, batch: str | None, definition: Definition, start: date | None
    ) -> None:
        self.history, self.siren, self.definition = history, siren, definition
        self._batch = batch
        self._setting = setting_of(history, batch, definition, start=start)

    def facts(self, type_: str) -> pd.DataFrame:
        """Return the facts of a source about the company."""
        given: Select[tuple[object, ...]] = self.history.state(type_, self._batch)
        rows = given.subquery("given")
        own = rows.c[source_named(type_).scope.key]
        statement = select(rows).where(func.left(own, 9) == self.siren)
        frame: pd.DataFrame = self.history.fetch(statement).to_pandas()
        return frame

    def variables(self, *family_codes: str, codes: tuple[str, ...] = (), scope: str = "etablissement") -> pd.DataFrame:
        """Return the variables of some families, or of all, month after month.

        Parameters
        ----------
        family_codes
            Families: ``cotisations``, ``cible``…
        codes
            Variables besides.
        scope
            ``etablissement`` or ``entreprise``.

        Raises
        ------
        WorkbenchError
            ``variables_famille``, ``variable_inconnue``, ``variables_sans_effectif``, ``variables_choix``,
            ``siren_malforme``.
        """
        about = _chosen(Scope, scope)
        work = Computation(
            self.history,
            relations_of(self.history, self._batch),
            self._setting,
            about,
            chosen(codes, about, self.definition, family_codes),
            [self.siren],
        )
        (table,) = compute_variables(work)
        keys = [each for each in KEYS[about] if each != "siren" or about is Scope.ENTREPRISE]
        frame: pd.DataFrame = table.to_pandas().set_index(keys).drop(columns="siren", errors="ignore")
        return frame.sort_index()

    def families(self, scope: str = "etablissement") -> pd.DataFrame:
        """Return the families of variables and how many each has."""
        import pandas as pd

        rows = [(each.code, each.title, len(each.variables)) for each in families(Scope(scope))]
        return pd.DataFrame(rows, columns=["Famille", "Titre", "Variables"])

    def help(self, code: str, scope: str = "etablissement") -> None:
        """Say what a variable is; raises ``variable_inconnue``."""
        print(described(code, Scope(scope)))  # noqa: T201 - what a notebook shows

    def close(self) -> None:
        """Give back the history."""
        self.history.close()


def open_company(
    siren: str = "", base: str = "", batch: str = "", definition: str = "corrige", start: date | None = None
) -> Company:
    """Open a company as a batch knew it.

    Parameters
    ----------
    siren
        Nine digits; the first company that has debts when empty.
    base
        Path or address of a history; empty for that of the settings, or fictitious companies where there is none.
    batch
        Key of a batch; the latest one when empty.
    definition
        ``corrige`` or ``compat``.
    start
        First month; that of the batch by default.

    Raises
    ------
    WorkbenchError
        ``historique_vide``, ``variables_dates``, ``variables_choix``, ``variables_sans_effectif`` when no company has
        debts.
    """
    path = base or (settings().history if Path(settings().history).exists() else "")
    if not path:
        path, start = _fictitious(), start or date(2017, 1, 1)
    history = open_history(path)
    try:
        return Company(
            history, siren or _indebted(history, batch or None), batch or None, _chosen(Definition, definition), start
        )
    except BaseException:
        history.close()
        raise


def _chosen(kind: type[_Choice], given: str) -> _Choice:
    try:
        return kind(given)
    except ValueError:
        raise WorkbenchError("variables_choix", valeur=given, choix=", ".join(kind)) from None


def _indebted(history: History, batch: str | None) -> str:
    rows = history.state("debit", batch).subquery("given")
    found = history.fetch(select(func.min(rows.c.siret).label("siret")).where(rows.c.part_patronale > 0))["siret"][
        0
    ].as_py()
    if found is None:
        raise WorkbenchError("variables_sans_effectif")
    return str(found)[:9]


def _fictitious() -> str:
    """Write the history of some fictitious companies in a folder of the machine's temporary ones."""
    root = Path(tempfile.mkdtemp(prefix="workbench-variables-"))
    write_delivery(root, "1802", number=6, months=24, errors=0, types=_TYPES)
    batch: Batch = prepare_batch(root, "1802").confirmed()
    with open_history(str(root / "historique.duckdb"), read_only=False) as history:
        import_batch(history, batch, root)
        compact(history)
    return str(root / "historique.duckdb")
