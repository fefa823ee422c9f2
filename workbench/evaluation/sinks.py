"""Values of each collectivité on the disk: a parquet file, whole or absent."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from workbench.dgfip import Base, Perimetre
from workbench.errors import WorkbenchError
from workbench.evaluation.each import Layout, Progress, evaluate_each_batches
from workbench.evaluation.evaluate import OF_THE_TRAME, NomenclatureFilter
from workbench.trames import Trame

__all__ = ["write_each"]


def write_each(
    trame: Trame,
    base: Base,
    to: str | Path,
    perimetre: Perimetre | None = None,
    exercices: Iterable[int | str] | int | str = (),
    *,
    nomenclature: NomenclatureFilter = OF_THE_TRAME,
    layout: Layout = "wide",
    progress: Progress | None = None,
) -> int:
    """Evaluate a trame for every collectivité and write the values to a parquet file.

    Memory does not grow with the base. The file takes its place once it is whole; what was there
    before stays when the evaluation fails or is stopped.

    Parameters
    ----------
    trame, base, perimetre, exercices, nomenclature, layout, progress
        As for `evaluate_each_batches`; an evaluation that ``progress`` stops writes nothing.
    to
        Path of the file, in an existing folder.

    Returns
    -------
    int
        Number of rows written; 0 when the evaluation was stopped.

    Raises
    ------
    WorkbenchError
        ``valeurs_ecriture`` when the file cannot be written; and as `evaluate_each`.

    Examples
    --------
    >>> import tempfile
    >>> import workbench as wb
    >>> base = wb.connect(demonstration_base)
    >>> trame = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]"}, nomenclature="M57")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = write_each(trame, base, f"{folder}/valeurs.parquet", exercices=range(2020, 2100))
    >>> rows > 0
    True
    """
    target = Path(to)
    stopped = False

    def watched(done: int, total: int) -> bool | None:
        nonlocal stopped
        answer = progress(done, total) if progress is not None else None
        # Said before the last batch only: once all is computed, nothing is left to stop.
        stopped = answer is False and done < total
        return answer

    batches = evaluate_each_batches(
        trame, base, perimetre, exercices, nomenclature=nomenclature, layout=layout, progress=watched
    )
    codes = [indicateur.code for indicateur in trame.indicateurs]
    work: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".valeurs-", delete=False) as file:
            work = Path(file.name)
            with parquet.ParquetWriter(file, _schema(layout, codes), compression="zstd") as writer:
                rows = 0
                for batch in batches:
                    writer.write_batch(batch)
                    rows += batch.num_rows
        if stopped:
            return 0
        work.chmod(0o644)
        work.replace(target)
    except OSError as error:
        raise WorkbenchError("valeurs_ecriture", chemin=str(to), detail=error.strerror or str(error)) from error
    finally:
        if work is not None:
            work.unlink(missing_ok=True)
    return rows


def _schema(layout: Layout, codes: list[str]) -> pa.Schema:
    siret, exercice = ("siret", pa.dictionary(pa.int32(), pa.string())), ("exercice", pa.int16())
    if layout == "wide":
        return pa.schema([siret, exercice, *((code, pa.float64()) for code in codes)])
    return pa.schema([siret, exercice, ("indicateur", siret[1]), ("value", pa.float64())])
