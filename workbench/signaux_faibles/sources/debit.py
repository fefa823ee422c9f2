"""Debts to the URSSAF: the history of each negative gap, in hundredths of a euro."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Date, Text, case, func, null

from workbench.signaux_faibles.declaration import (
    Cells,
    Column,
    Scope,
    Source,
    computed,
    period_end,
    period_ends,
    read,
)
from workbench.signaux_faibles.kinds import (
    BOOLEAN,
    CENTS,
    DATE_URSSAF,
    INTEGER,
    PERIOD_START,
    TEXT,
    constant,
)


def _considered(cells: Cells) -> ColumnElement[Any]:
    """Return the month from which a movement counts: its own until the 20th, the next one after."""
    day = cells.read(DATE_URSSAF, "dt_trt_ecn")
    month = func.date_trunc(constant("month"), day)
    late = func.date_part(constant("day"), day) > constant(20)
    return case((late, func.date_add(month, func.to_months(constant(1)))), else_=month).cast(Date)


def _identifier(cells: Cells) -> ColumnElement[Any]:
    """Name a gap: SIRET, period and number; only where the file names a SIRET."""
    if not cells.has("siret"):
        return null().cast(Text)
    both = cells.read(PERIOD_START, "periode"), period_end(cells, "periode")
    days = (func.strftime(each, constant("%Y%m%d"), type_=Text()) for each in both)
    return func.concat(cells.text("siret"), *days, cells.text("num_ecn"), type_=Text())


SOURCE = Source(
    type="debit",
    title="de débits",
    scope=Scope.ETABLISSEMENT,
    columns=(
        Column("num_cpte"),
        Column("Cd_pro_col"),
        Column("Periode"),
        Column("Num_Ecn"),
        Column("Num_Hist_Ecn"),
        Column("Dt_trt_ecn"),
        Column("Mt_PO"),
        Column("Mt_PP"),
        Column("Cd_op_ecn"),
        Column("Motif_ecn"),
        Column("Recours_en_cours"),
        Column("Etat_cpte"),
    ),
    key=lambda cells: cells.text("siret"),
    key_column="siret",
    compte=("num_cpte", lambda cells: cells.read(PERIOD_START, "periode")),
    fields=(
        read("numero_compte", "num_cpte", TEXT),
        read("numero_ecart_negatif", "num_ecn", TEXT),
        read("date_traitement", "dt_trt_ecn", DATE_URSSAF, required=True),
        read("part_ouvriere", "mt_po", CENTS, required=True, unit="euros"),
        read("part_patronale", "mt_pp", CENTS, required=True, unit="euros"),
        read("numero_historique", "num_hist_ecn", INTEGER),
        read("etat_compte", "etat_cpte", INTEGER),
        read("code_procedure_collective", "cd_pro_col", TEXT),
        read("periode_debut", "periode", PERIOD_START, required=True, path=("periode", "start")),
        period_ends("periode_fin", "periode"),
        read("code_operation_ecart_negatif", "cd_op_ecn", TEXT),
        read("code_motif_ecart_negatif", "motif_ecn", TEXT),
        read("recours_en_cours", "recours_en_cours", BOOLEAN, required=True),
        computed("periode_prise_en_compte", Date(), _considered),
        computed("debit_id", Text(), _identifier),
    ),
)
