"""From the files of partners to a list of companies in difficulty, in one call: what the demonstration does.

Each step is what a command of ``workbench signaux`` does; companies, files and failures are fictitious.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from workbench.atomic import replacing
from workbench.errors import WorkbenchError
from workbench.registry import Registry
from workbench.signaux_faibles.demonstration import write_delivery
from workbench.signaux_faibles.demonstration_companies import Company
from workbench.signaux_faibles.detection import (
    AlertList,
    Boosting,
    Dataset,
    Detector,
    Evaluation,
    Learner,
    Logistic,
    Parts,
    Perimetre,
    Windows,
    build_dataset,
    card_text,
    detect,
    evaluate,
    french_declaration,
    list_card,
    save_detector,
    write_list,
)
from workbench.signaux_faibles.detection.dataset import month
from workbench.signaux_faibles.detection.registered import record_list
from workbench.signaux_faibles.detection.runs import learn
from workbench.signaux_faibles.history import import_batch, open_history
from workbench.signaux_faibles.prepare import prepare_batch
from workbench.signaux_faibles.variables import (
    Computation,
    Definition,
    Scope,
    relations_of,
    setting_of,
    variables_of,
    write_variables,
)

__all__ = ["BATCH", "LEARNER", "MONTHS", "PERIODE", "TROUBLED", "TYPES", "WINDOWS", "FictitiousList", "fictitious_list"]

BATCH = "2401"
MONTHS = 84
PERIODE = "2023-12"
"""The month that companies are seen in: the last one of the files."""
START = date(2017, 1, 1)
TROUBLED = 0.45
"""Many more than in life: few companies must be enough to learn from."""
TYPES = (
    *("effectif", "effectif_ent", "cotisation", "debit", "delai", "procol", "apconso", "apdemande"),
    *("sirene", "sirene_ul", "paydex", "ratios_inpi"),
)
WINDOWS = Windows(("2018-01", "2020-07"), ("2022-01", "2022-07"), known_until="2024-01")
LEARNER = Boosting(trees=80, rate=0.08, rows=20)

Step = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class FictitiousList:
    """A list and all that it was made from.

    Parameters
    ----------
    companies
        Who was invented, and what happens to them.
    history, variables, model, list, card
        Files and folders written.
    detector, parts, evaluation
        What was learnt, and what it is worth on companies that it never saw.
    dataset, alerts
        The month of the list, and the list.
    remark
        French: what could not be done as it should; empty otherwise.
    """

    companies: tuple[Company, ...]
    history: Path
    variables: Path
    model: Path
    list: Path
    card: Path
    detector: Detector
    parts: Parts
    evaluation: Evaluation
    dataset: Dataset
    alerts: AlertList
    facts: dict[str, Any]
    remark: str = ""


def _silent(_: str) -> AbstractContextManager[None]:
    return nullcontext()


def fictitious_list(
    folder: str | Path,
    *,
    number: int = 300,
    seed: int = 0,
    step: Step = _silent,
    registry: Registry | None = None,
) -> FictitiousList:
    """Make the list of a month of fictitious companies, from files to explanations.

    Parameters
    ----------
    folder
        Where all of it is written; done again there, it gives the same.
    number
        Companies.
    seed
        Of all that is drawn.
    step
        Wraps each step, told its French name.
    registry
        Where the model and the list are recorded; nowhere by default.

    Returns
    -------
    FictitiousList

    Raises
    ------
    WorkbenchError
        What the steps raise. Where LightGBM is missing, or what it is linked to, a logistic regression is learnt
        instead, and ``remark`` says so.
    """
    folder = Path(folder)
    root, history_path, variables = folder / "donnees", folder / "historique.duckdb", folder / "variables"
    with step("Fichiers de partenaires sur des entreprises fictives"):
        delivery = write_delivery(
            root, BATCH, number=number, months=MONTHS, errors=1, types=TYPES, seed=seed, troubled=TROUBLED
        )
    with step("Périmètre, lecture des fichiers, historique"):
        batch = prepare_batch(root, BATCH, start=START).confirmed()
        with open_history(str(history_path), read_only=False) as history:
            import_batch(history, batch, root, compacted=True)
    with step("Variables de chaque entreprise, mois par mois"), open_history(str(history_path)) as history:
        setting, snapshot = setting_of(history, BATCH), history.snapshot
        codes = tuple(variables_of(Scope.ENTREPRISE, Definition.CORRIGE))
        work = Computation(history, relations_of(history, BATCH), setting, Scope.ENTREPRISE, codes, None, None, None)
        write_variables(work, variables, facts={"batch": BATCH, "etat": snapshot})
    with step("Modèle, appris sans regard vers l'avenir"):
        detector, parts, remark = _learnt(variables, seed, snapshot)
        evaluation = evaluate(detector, parts.test)
        save_detector(detector, folder / "modele.json")
    with step("Liste du mois et explications"):
        rows = build_dataset(variables, french_declaration().without_target(), perimetre=Perimetre())
        seen = rows.take(rows.periodes == month(PERIODE))
        alerts = detect(detector, seen, batch=BATCH, snapshot=snapshot)
        card = list_card(alerts)
        write_list(alerts, folder / "liste.parquet", card=card)
        with replacing(folder / "carte.md") as partial:
            partial.write_text(card_text(card), encoding="utf-8")
        if registry is not None:
            record_list(alerts, seen, card, registry=registry)
    written = (history_path, variables, folder / "modele.json", folder / "liste.parquet", folder / "carte.md")
    return FictitiousList(delivery.companies, *written, detector, parts, evaluation, seen, alerts, dict(card), remark)


def _learnt(variables: Path, seed: int, snapshot: str) -> tuple[Detector, Parts, str]:
    def learnt(learner: Learner) -> tuple[Detector, Parts]:
        detector, parts, _ = learn(
            variables,
            french_declaration(),
            WINDOWS,
            learner=learner,
            perimetre=Perimetre(),
            seed=seed,
            batch=BATCH,
            snapshot=snapshot,
        )
        return detector, parts

    try:
        return (*learnt(LEARNER), "")
    except WorkbenchError as error:
        if error.code not in ("bibliotheque_systeme", "extra_absent"):
            raise
        return (*learnt(Logistic()), f"{error} En attendant, le modèle est une régression logistique.")
