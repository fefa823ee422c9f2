"""The door to papermill: runs a parameterised notebook in a kernel of its own and says how it ended.

papermill calls a notebook completed whose kernel died or ran out of time; this module looks at what
happened instead. The kernel is a process of the running interpreter, whatever kernelspecs the
machine has and whether or not an environment is activated; it reads no profile of the user's. No
folder is changed in this process, so that threads may run reports at once.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.kernels.limits import HEARING_SECONDS, MEMORY

__all__ = ["Execution", "Progress", "execute_notebook"]

Progress = Callable[[int, int, str], None]
"""Called with cells done, cells in all, and the heading under which the next one stands."""

START_SECONDS = 60
CLOSING_SECONDS = 15

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

FAILED_TAG = "echec"


@dataclass(frozen=True)
class Execution:
    """How a notebook ended.

    Parameters
    ----------
    notebook
        The notebook with its outputs, as a nbformat node; when it failed, the failing cell is
        tagged ``echec`` and preceded by the cause.
    cell
        Index of the failing cell in the notebook as given plus the injected cell; None when all ran.
    error
        Name of the exception; empty when all ran.
    cause
        French sentence; empty when all ran.
    place
        French sentence that says where: the number of the cell, as Jupyter shows it, its line, its heading; empty when
        all ran or when no cell began.
    warnings
        French sentences: what was asked for and could not be had.
    """

    notebook: Any
    cell: int | None = None
    error: str = ""
    cause: str = ""
    place: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it did not run to its end."""
        return bool(self.error)


def execute_notebook(
    path: Path,
    parameters: Mapping[str, Any],
    *,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    timeout: float = 600,
    progress: Progress | None = None,
    kernel: str | None = None,
    memory: int = 0,
    known: Sequence[tuple[str, str, str]] = (),
) -> Execution:
    """Run a notebook with parameters; never raises for what happens inside it.

    Parameters
    ----------
    path
        The notebook; it is left as it is.
    parameters
        Plain JSON values, checked already.
    folder
        Working folder of the kernel; also holds its profile, which the caller removes.
    environment
        Variables added to those of this process.
    timeout
        Seconds that the whole notebook may take.
    progress
        Told at each cell.
    kernel
        ``"workbench"`` for a pre-warmed kernel, whose zygote is started once for all the reports of this user;
        ``"python3"`` for a plain process; the name of any other installed kernelspec. By default a pre-warmed kernel
        where a zygote runs already, else a plain one: a single report does not wait for a zygote to start.
    memory
        Bytes that the kernel may use; three quarters of the machine's by default.
    known
        What a pre-warmed kernel finds done, see `workbench.kernels.client.Wish`.

    Returns
    -------
    Execution
        The notebook with its outputs, code hidden, and how it ended.

    Raises
    ------
    WorkbenchError
        ``extra_absent`` when papermill is not installed.
    """
    with _quick_imports():
        try:
            import papermill.execute  # loads every part of papermill used below
        except ModuleNotFoundError as error:
            raise WorkbenchError("extra_absent", bibliotheque="papermill", extra="jupyter") from error
        from workbench.reports.notebook_kernel import chosen_kernel, kernel_manager
    pm: Any = papermill  # it has no annotations

    notebook = pm.iorw.load_notebook_node(str(path))
    notebook = pm.parameterize.parameterize_notebook(
        notebook,
        dict(parameters),
        report_mode=True,
        comment="Paramètres reçus",
        kernel_name="python3",
        language="python",
    )
    notebook = pm.execute.remove_error_markers(
        pm.execute.prepare_notebook_metadata(notebook, path.name, None, report_mode=True)
    )
    watch = _Watch(notebook, timeout, progress)
    chosen, warnings = chosen_kernel(kernel)

    def run() -> None:
        pm.engines.papermill_engines.execute_notebook_with_engine(
            None,
            notebook,
            kernel_name="python3",
            output_path=None,
            progress_bar=False,
            autosave_cell_every=0,
            start_timeout=START_SECONDS,
            iopub_timeout=HEARING_SECONDS,
            raise_on_iopub_timeout=True,
            kernel_manager_class=managers,
            resources={"metadata": {"path": str(folder)}},
            on_cell_start=watch.started,
            timeout_func=watch.left,
        )

    try:
        # A short path: the system refuses sockets whose path has more than about a hundred characters.
        with tempfile.TemporaryDirectory(prefix="workbench-") as sockets:
            managers = kernel_manager(chosen, folder, Path(sockets), environment or {}, memory, known)
            watch.cause_of_end = lambda: managers.cause
            _in_own_loop(run)
    except (RuntimeError, TimeoutError, OSError) as error:
        # The kernel died, did not start, or was late: papermill's own record says nothing of it.
        return replace(watch.stopped(error), warnings=warnings)
    return replace(watch.ended(), warnings=warnings)


def _in_own_loop(run: Callable[[], None]) -> None:
    """Run in a thread whose event loop is closed afterwards, whatever loop the caller has or is in.

    Jupyter's client would otherwise leave a loop and its sockets open in each thread that calls it.
    An interruption of the caller cancels what runs, which shuts the kernel down.
    """
    from jupyter_core.utils import ensure_event_loop

    loops: list[asyncio.AbstractEventLoop] = []
    errors: list[BaseException] = []

    def work() -> None:
        loop = ensure_event_loop()
        loops.append(loop)
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            errors.append(error)
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    thread = threading.Thread(target=work, name="workbench-notebook", daemon=True)
    thread.start()
    try:
        thread.join()
    except BaseException:
        for loop in loops:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_cancel_all, loop)
        thread.join(CLOSING_SECONDS)
        raise
    if errors:
        raise errors[0]


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()


class _Watch:
    """Follows the cells of one execution."""

    def __init__(self, notebook: Any, timeout: float, progress: Progress | None) -> None:
        self.notebook = notebook
        self.timeout = timeout
        self.deadline = time.monotonic() + timeout
        self.progress = progress
        self.current: int | None = None
        self.cause_of_end: Callable[[], str] = str

    def started(self, cell: Any, cell_index: int, **_: Any) -> None:
        self.current = cell_index
        if self.progress is not None and cell.cell_type == "code":
            self.progress(cell_index, len(self.notebook.cells), self._heading(cell_index))

    def left(self, _: Any) -> int:
        return max(1, int(self.deadline - time.monotonic()))

    def stopped(self, error: BaseException) -> Execution:
        if isinstance(error, TimeoutError) and time.monotonic() < self.deadline - 1:
            cause = f"Ce que la cellule affiche n'est pas arrivé dans les {HEARING_SECONDS} s qui ont suivi sa fin."
        elif isinstance(error, TimeoutError):
            cause = f"Le rapport n'a pas fini dans les {self.timeout:g} secondes qui lui sont données."
        elif self.current is None:
            cause = "Le noyau Python qui devait calculer le rapport n'a pas démarré."
        elif self.cause_of_end() == MEMORY:
            cause = "Le noyau Python qui calculait le rapport demandait plus de mémoire qu'il n'en a : il a été arrêté."
        else:
            cause = "Le noyau Python qui calculait le rapport s'est arrêté, peut-être faute de mémoire."
        return self._failed(self.current, type(error).__name__, cause)

    def ended(self) -> Execution:
        for index, cell in enumerate(self.notebook.cells):
            for output in cell.get("outputs", []):
                if output.output_type == "error":
                    line = _line(cell, output.get("traceback", []))
                    return self._failed(index, output.ename, _cause(output.ename, output.evalue), line)
        if self.progress is not None:
            self.progress(len(self.notebook.cells), len(self.notebook.cells), "")
        return Execution(self.notebook)

    def _failed(self, index: int | None, error: str, cause: str, line: int | None = None) -> Execution:
        v4: Any = import_module("nbformat.v4")
        cells = self.notebook.cells
        place = "" if index is None else self._place(index, line)
        self.notebook.metadata.papermill["exception"] = True
        for position, cell in enumerate(cells):
            if index is None or position > index:
                cell.metadata.papermill.update(status="pending", exception=None)
        quoted = "\n".join(f"> {text}" for text in [*cause.splitlines(), *([place] if place else [])])
        if index is not None:
            cells[index].metadata.papermill.update(status="failed", exception=True)
            cells[index].metadata["tags"] = [*cells[index].metadata.get("tags", []), FAILED_TAG]
            cells[index].metadata.get("jupyter", {}).pop("source_hidden", None)
            marker = f'<a id="echec"></a>\n**La cellule suivante a échoué.**\n\n{quoted}'
            cells.insert(index, v4.new_markdown_cell(marker, metadata={"tags": [FAILED_TAG]}))
        where = "\n\n[Voir la cellule](#echec)" if index is not None else ""
        heading = f"# Le rapport a échoué\n\n{quoted}{where}"
        cells.insert(0, v4.new_markdown_cell(heading, metadata={"tags": [FAILED_TAG]}))
        return Execution(self.notebook, index, error, cause, place)

    def _place(self, index: int, line: int | None) -> str:
        # A kernel that died gave no number to its last cell: it is the one after those that have one.
        before = [cell.get("execution_count") or 0 for cell in self.notebook.cells[:index]]
        number = self.notebook.cells[index].get("execution_count") or max(before, default=0) + 1
        heading = self._heading(index)
        parts = [
            f"cellule [{number}]",
            *([f"ligne {line}"] if line else []),
            *([f"sous « {heading} »"] if heading else []),
        ]
        return f"Où : {', '.join(parts)}."

    def _heading(self, index: int) -> str:
        for cell in reversed(self.notebook.cells[:index]):
            if cell.cell_type == "markdown" and (found := re.search(r"^#+ +(.+)$", cell.source, re.MULTILINE)):
                return found[1].strip()
        return ""


def _line(cell: Any, traceback: Sequence[str]) -> int | None:
    """Find the line of a cell where an error passed: that of the cell itself, not of a function that it called."""
    number = cell.get("execution_count")
    found = re.search(rf"\bIn\s*\[{number}\], line (\d+)", ANSI.sub("", "\n".join(traceback)))
    if not found:
        return None
    # IPython counts from the first line that is not blank; people count what they see.
    blank = re.match(r"(?:[^\S\n]*\n)*", cell.source)
    return int(found[1]) + (blank[0].count("\n") if blank else 0)


def _cause(name: str, message: str) -> str:
    """Turn an exception of a cell into a sentence: ours are French already, the others are quoted."""
    message = ANSI.sub("", message).strip()
    if name == "PermissionError":
        return f"Le notebook a voulu écrire hors de son dossier, ou lire ce qui ne lui est pas ouvert : {message}"
    return message if name in _own_errors() else f"Erreur inattendue dans le notebook : {name} : {message}"


def _own_errors() -> set[str]:
    names, classes = set(), [WorkbenchError]
    while classes:
        found = classes.pop()
        names.add(found.__name__)
        classes.extend(found.__subclasses__())
    return names


@contextmanager
def _quick_imports() -> Iterator[None]:
    """Keep jsonschema from compiling 38 grammars that notebooks never need: two seconds of every start."""
    name = "rfc3987_syntax"
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
