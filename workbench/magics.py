"""What ``%load_ext workbench`` brings to a notebook: ``%%dgfip``, SQL over the base; ``%%formule``, a formule checked.

An error is shown as a French sentence, in red, with its place: an analyst never meets a traceback for a mistake in SQL.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring
from IPython.display import display

from workbench.config import settings
from workbench.dgfip import Base, connect, sql
from workbench.dgfip.queries_result import QueryResult
from workbench.dgfip.queries_spec import DEFAULT_ROWS, DEFAULT_SECONDS
from workbench.display import safe, view
from workbench.errors import WorkbenchError
from workbench.plans import PlanComptes
from workbench.trames import Indicateur, Trame, TrameSession
from workbench.trames.formule_view import FormuleView, look_at_formule

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["DgfipMagics", "FormuleMagics", "ShownError", "load"]


class ShownError:
    """An error as a notebook shows it: its sentence, its excerpt, its hint."""

    def __init__(self, error: WorkbenchError) -> None:
        self.error = error

    def __repr__(self) -> str:
        return f"Erreur : {self.error}"

    def _repr_html_(self) -> str:
        message = f'<pre class="wb-erreur">{safe(self.error.message)}</pre>'
        return view(f'<div class="wb-remarque">{message}<p>{safe(self.error.hint)}</p></div>')


@magics_class
class DgfipMagics(Magics):
    """The magics of the accounting base."""

    _opened: Base | None = None

    @property
    def _names(self) -> dict[str, Any]:
        """The variables of the notebook."""
        return cast("dict[str, Any]", cast("Any", self.shell).user_ns)

    def _base(self, named: str | None) -> Base:
        """Return the base that a cell reads: the variable named, else ``base``, else the one of the settings."""
        names = self._names
        if named is not None and not isinstance(names.get(named), Base):
            raise UsageError(f'{named} n\'est pas une base ouverte. Écrivez : {named} = wb.connect("base.duckdb")')
        found = names.get(named or "base")
        if isinstance(found, Base):
            return found
        if self._opened is None or self._opened.url != settings().base:
            self._opened = connect(settings().base)
        return self._opened

    @magic_arguments()
    @argument("-b", "--base", help="Variable de la base ouverte ; « base » par défaut.")
    @argument("-l", "--limit", type=int, default=DEFAULT_ROWS, help="Nombre de lignes au plus.")
    @argument("-t", "--timeout", type=float, default=DEFAULT_SECONDS, help="Secondes au plus.")
    @argument("-p", "--parameters", help="Variable de la liste des valeurs de $1, $2…")
    @argument("-o", "--output", help="Variable qui reçoit le résultat, en DataFrame.")
    @cell_magic
    def dgfip(self, line: str, cell: str) -> QueryResult | None:
        """Exécute une lecture SQL de la base comptable.

        %%dgfip --limit 1000 --timeout 30 -o df
        SELECT siret, libelle FROM collectivites WHERE departement = '031'
        """
        options = parse_argstring(self.dgfip, line)
        names = self._names
        for option in (options.output, options.parameters):
            if option is not None and not str(option).isidentifier():
                raise UsageError(f"« {option} » n'est pas un nom de variable.")
        values = names.get(options.parameters, ()) if options.parameters else ()
        try:
            result = sql(self._base(options.base), cell, tuple(values), limit=options.limit, timeout=options.timeout)
        except WorkbenchError as error:
            display(ShownError(error))
            return None
        if options.output is None:
            return result
        names[options.output] = result.to_frame()
        for notice in result.notices:
            print(notice)  # noqa: T201 - a notice beside a result that is not shown
        return None


@magics_class
class FormuleMagics(Magics):
    """The magic of formules."""

    def _named(self, option: str | None, kinds: type | tuple[type, ...], what: str) -> Any:
        """Return the variable that an option names; None for no option."""
        if option is None:
            return None
        found = cast("Any", self.shell).user_ns.get(option)
        if not isinstance(found, kinds):
            raise UsageError(f"{option} n'est pas {what}.")
        return found

    @magic_arguments()
    @argument("code", nargs="?", help="Code de l'indicateur.")
    @argument("-t", "--trame", help="Variable de la trame, ou de la session (wb.edit_trame) qui reçoit l'indicateur.")
    @argument("-c", "--comptes", help="Variable du plan de comptes (wb.plan_comptes), pour les libellés.")
    @argument("-o", "--output", help="Variable qui reçoit l'indicateur, quand la formule est correcte.")
    @cell_magic
    def formule(self, line: str, cell: str) -> FormuleView | None:
        """Vérifie une formule, dans une trame ou seule ; avec une session et un code, l'y enregistre.

        %%formule A_VENTES -t session -c plan
        C70 - D709[TA:BR]
        """
        options = parse_argstring(self.formule, line)
        known = self._named(options.trame, (Trame, TrameSession), "une trame ni une session (wb.edit_trame)")
        comptes = self._named(options.comptes, PlanComptes, "un plan de comptes (wb.plan_comptes)")
        if options.output is not None and not str(options.output).isidentifier():
            raise UsageError(f"« {options.output} » n'est pas un nom de variable.")
        if options.output is not None and options.code is None:
            raise UsageError("Avec -o, donnez le code de l'indicateur : %%formule A_VENTES -o ventes")
        trame = known.trame if isinstance(known, TrameSession) else known
        view = look_at_formule(cell.strip(), code=options.code, trame=trame, comptes=comptes)
        if not view.right or options.code is None:
            return view
        try:
            if isinstance(known, TrameSession):
                change = known.edit if options.code in known else known.add
                change(options.code, cell.strip())
                view = replace(view, note=f"{options.code} est dans la session ; session.save() l'enregistre.")
            if options.output is not None:
                cast("Any", self.shell).user_ns[options.output] = Indicateur.from_texte(options.code, cell.strip())
        except WorkbenchError as error:
            display(ShownError(error))
            return None
        return view


def load(shell: InteractiveShell) -> None:
    """Give the magics to a shell; ``%load_ext workbench`` calls it."""
    cast("Any", shell).register_magics(DgfipMagics, FormuleMagics)
