"""``workbench signaux train|detect|evaluate``: a model of companies in difficulty, its lists, and how good it is."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import existing_file, say
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.signaux_faibles.detection import AlertList, Declaration

__all__ = ["detect", "evaluate", "train"]

_path = click.Path(exists=True, path_type=Path)
_output = click.Path(dir_okay=False, path_type=Path)
_file_or_folder = click.Path(path_type=Path)


class _Months(click.ParamType[tuple[str, str]]):
    """Months from one to before another: ``2016-01:2019-06``."""

    name = "mois"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d{4}-(?:0[1-9]|1[0-2])):(\d{4}-(?:0[1-9]|1[0-2]))", str(value))
        if not found or found[1] >= found[2]:
            self.fail(f"{value!r} : écrivez AAAA-MM:AAAA-MM, du premier mois à celui qui suit le dernier.", param, ctx)
        return found[1], found[2]


MONTHS = _Months()
_month = click.DateTime(formats=["%Y-%m"])
_all = click.option("--all-companies", is_flag=True, help="Sans périmètre : toutes les lignes de la table.")


@click.command()
@click.argument("tables", metavar="TABLE...", nargs=-1, required=True, type=_path)
@click.option("--to", "target", type=_output, required=True, help="Modèle à écrire (JSON).")
@click.option("--train", "learnt", type=MONTHS, required=True, help="Mois d'apprentissage, AAAA-MM:AAAA-MM.")
@click.option("--test", "tested", type=MONTHS, required=True, help="Mois de test, AAAA-MM:AAAA-MM.")
@click.option("--validation", type=MONTHS, help="Mois de validation ; par défaut, ceux d'apprentissage.")
@click.option("--known-until", metavar="AAAA-MM", help="Mois jusqu'auquel les défaillances sont connues.")
@click.option(
    "--declaration",
    type=existing_file,
    help="Déclaration des variables (YAML) ; par défaut, les entreprises françaises.",
)
@click.option(
    "--entity",
    type=click.Choice(["entreprise", "etablissement"]),
    default="entreprise",
    show_default=True,
    help="Ce dont chaque ligne de la table parle, sans --declaration.",
)
@click.option(
    "--encode",
    "encoded",
    multiple=True,
    metavar="COLONNE",
    help="Colonne de textes (activité) que le modèle voit par la part de ses défaillances.",
)
@click.option(
    "--model",
    "kind",
    type=click.Choice(["boosting", "forest", "spark_forest", "logistic"]),
    default="boosting",
    show_default=True,
    help="Sorte de modèle.",
)
@click.option("--parameter", "parameters", multiple=True, metavar="NOM=VALEUR", help="Paramètre du modèle : trees=100.")
@click.option(
    "--sampling",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Part de défaillances, par retirage des lignes.",
)
@click.option(
    "--search", "fits", type=click.IntRange(0), default=0, help="Recherche des paramètres : apprentissages permis."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Graine de tous les tirages.")
@click.option("--batch", default="", help="Batch des données ; par défaut, celui du dossier de variables.")
@click.option("--snapshot", default="", help="État de l'historique ; par défaut, celui du dossier de variables.")
@click.option(
    "--allow", "allowed", multiple=True, metavar="VARIABLE", help="Variable admise bien qu'elle prédise presque seule."
)
@_all
def train(
    tables: tuple[Path, ...],
    target: Path,
    learnt: tuple[str, str],
    tested: tuple[str, str],
    validation: tuple[str, str] | None,
    known_until: str | None,
    declaration: Path | None,
    entity: str,
    encoded: tuple[str, ...],
    kind: str,
    parameters: tuple[str, ...],
    sampling: float | None,
    fits: int,
    seed: int,
    batch: str,
    snapshot: str,
    allowed: tuple[str, ...],
    all_companies: bool,
) -> int:
    """Apprend un modèle sur une table de variables, et refuse ce qui fuit de l'avenir.

    Les entreprises et les mois d'apprentissage, de validation et de test sont disjoints. Ce que le modèle vaut sur le
    test sort en JSON.

    \b
    workbench signaux train variables/ --train 2016-01:2019-06 --test 2021-01:2021-04 --to modele.json
    """
    from workbench.signaux_faibles.detection import Perimetre, Windows, learner_named, save_detector
    from workbench.signaux_faibles.detection import evaluate as measured
    from workbench.signaux_faibles.detection.runs import learn

    batch, snapshot = _known(tables, batch, snapshot)
    detector, parts, trials = learn(
        list(tables),
        _declaration(declaration, entity).encoding(*encoded),
        Windows(learnt, tested, validation, known_until),
        learner=learner_named(kind, _parameters(parameters)),
        perimetre=None if all_companies else Perimetre(),
        sampling=sampling,
        fits=fits,
        seed=seed,
        batch=batch,
        snapshot=snapshot,
        allowed=allowed,
    )
    save_detector(detector, target)
    evaluation = measured(detector, parts.test)
    found = {
        "empreinte": detector.fingerprint,
        "seuils": detector.thresholds.to_json(),
        "parametres": dict(detector.parameters),
        "donnees": {name: dict(part) for name, part in detector.origin.data.items()},
        "mesures": evaluation.to_json()["measures"],
    }
    click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    say(f"{len(trials)} jeux de paramètres essayés." if trials else [])
    say(f"{target} : aire sous la courbe ROC {_shown(evaluation.value('roc_auc'))}, ")
    say(f"précision moyenne {_shown(evaluation.value('average_precision'))}.")
    return ExitCode.OK


def _known(tables: tuple[Path, ...], batch: str, snapshot: str) -> tuple[str, str]:
    """What is not said of the data, as their folder says it."""
    from workbench.signaux_faibles.variables.output import read_manifest

    told = read_manifest(tables[0])
    return batch or str(told.get("batch", "")), snapshot or str(told.get("etat", ""))


def _declaration(path: Path | None, entity: str) -> Declaration:
    from workbench.signaux_faibles.detection import etablissement_declaration, french_declaration, load_declaration

    if path is not None:
        return load_declaration(path)
    return french_declaration() if entity == "entreprise" else etablissement_declaration()


def _parameters(texts: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in texts:
        name, equal, value = text.partition("=")
        if not equal:
            raise WorkbenchError("detection_modele", detail=f"paramètre sans valeur : {text}")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def _shown(value: float) -> str:
    from workbench.numbers import format_number

    return format_number(value, 3)


@click.command()
@click.argument("model", metavar="MODELE", type=existing_file)
@click.argument("tables", metavar="TABLE...", nargs=-1, required=True, type=_path)
@click.option("--periode", type=_month, metavar="AAAA-MM", required=True, help="Mois où les entreprises sont vues.")
@click.option("--batch", default="", help="Batch de la liste : 2403 ; par défaut, celui du dossier de variables.")
@click.option("--snapshot", default="", help="État de l'historique ; par défaut, celui du dossier de variables.")
@click.option(
    "--to",
    "target",
    type=_file_or_folder,
    required=True,
    help="Liste à écrire ; pour un CSV, un dossier convient : AAAA-MM-JJ_vN_algorithme.csv.",
)
@click.option(
    "--form",
    type=click.Choice(["parquet", "datapi", "front", "csv"]),
    default="parquet",
    show_default=True,
    help="Forme : la nôtre, les scores de datapi ou le document du front (JSON), les scores de 2019 et 2020 (CSV).",
)
@click.option(
    "--second-stage",
    type=_path,
    help="Faits (parquet ou CSV) des règles d'experts, qui déplacent un niveau d'un cran après les seuils.",
)
@click.option("--previous", type=existing_file, help="Liste précédente (parquet) : écarts et dérive.")
@click.option("--card", "card_path", type=_output, help="Carte de la liste à écrire (Markdown).")
@click.option("--no-record", is_flag=True, help="N'inscrit pas la liste ni son modèle au registre.")
@_all
def detect(
    model: Path,
    tables: tuple[Path, ...],
    periode: Any,
    batch: str,
    snapshot: str,
    target: Path,
    form: str,
    second_stage: Path | None,
    previous: Path | None,
    card_path: Path | None,
    no_record: bool,
    all_companies: bool,
) -> int:
    """Fait la liste d'un mois : probabilité, niveau et explications de chaque entreprise.

    La carte de la liste sort en JSON.

    \b
    workbench signaux detect modele.json variables/ --periode 2024-03 --batch 2403 --to liste.parquet --card carte.md
    """
    from workbench.atomic import replacing
    from workbench.signaux_faibles import detection
    from workbench.signaux_faibles.detection.corrections import read_corrections
    from workbench.signaux_faibles.detection.outputs import write_json
    from workbench.signaux_faibles.detection.registered import record_list
    from workbench.signaux_faibles.detection.scores import write_scores

    batch, snapshot = _known(tables, batch, snapshot)
    detector = detection.load_detector(model)
    declaration = detector.declaration.without_target()
    dataset = detection.build_dataset(
        list(tables), declaration, perimetre=None if all_companies else detection.Perimetre()
    )
    first = f"{periode:%Y-%m}"
    month = dataset.take(dataset.periodes == _as_month(first))
    if not len(month):
        raise WorkbenchError("detection_vide", cause=f"la table n'a aucune ligne en {first}")
    before = _levels(previous)
    alerts = detection.detect(
        detector,
        month,
        batch=batch,
        snapshot=snapshot,
        previous={entity: probability for entity, (probability, _) in before.items()},
        corrections=() if second_stage is None else read_corrections(second_stage),
    )
    now = dict(zip(alerts.entities, zip(alerts.probabilities, alerts.ranks, strict=True), strict=True))
    drift = detection.compare_lists(before, now) if before else None
    card = detection.list_card(alerts, drift=drift)
    if form == "csv":
        # Recorded first: made again, the list has the moment that it was made at, and the same bytes.
        recorded = None if no_record else record_list(alerts, month, card)
        month_before = dataset.take(dataset.periodes == _as_month(first) - 1)
        write_scores(alerts, target, before=month_before, at=recorded.created if recorded else None)
    elif form == "parquet":
        detection.write_list(alerts, target, card=card)
    else:
        write_json((detection.datapi_scores if form == "datapi" else detection.front_document)(alerts), target)
    if card_path is not None:
        with replacing(card_path) as partial:
            partial.write_text(detection.card_text(card), encoding="utf-8")
    if form != "csv" and not no_record:
        record_list(alerts, month, card)
    click.echo(json.dumps(card, ensure_ascii=False, indent=2))
    _say_levels(alerts)
    return ExitCode.OK


def _as_month(text: str) -> Any:
    from workbench.signaux_faibles.detection.dataset import month

    return month(text)


def _levels(path: Path | None) -> dict[str, tuple[float, int]]:
    from workbench.signaux_faibles.detection import read_level, read_list

    if path is None:
        return {}
    table, _ = read_list(path)
    if not {"probabilite", "alerte"} <= set(table.column_names):
        detail = "ce n'est pas une liste que « workbench signaux detect » a écrite"
        raise WorkbenchError("fichier_illisible", fichier=str(path), detail=detail)
    rows = table.select([table.column_names[0], "probabilite", "alerte"]).to_pydict()
    entities, probabilities, levels = rows.values()
    return {
        entity: (probability, read_level(level).rank)
        for entity, probability, level in zip(entities, probabilities, levels, strict=True)
    }


def _say_levels(alerts: AlertList) -> None:
    from workbench.signaux_faibles.detection import Level

    say(f"{alerts.label} : {len(alerts)} entreprises.")
    say(f"{level.title} : {alerts.count(level)}" for level in Level)


@click.command()
@click.argument("model", metavar="MODELE", type=existing_file)
@click.argument("tables", metavar="TABLE...", nargs=-1, required=True, type=_path)
@click.option("--test", "tested", type=MONTHS, help="Autres mois de test, AAAA-MM:AAAA-MM.")
@click.option("--previous", type=existing_file, help="Liste précédente (parquet), pour la dérive.")
@click.option("--list", "list_path", type=existing_file, help="Liste (parquet) que la page accompagne.")
@click.option("--to", "target", type=_output, help="Page HTML à écrire : le notebook d'évaluation exécuté.")
def evaluate(
    model: Path,
    tables: tuple[Path, ...],
    tested: tuple[str, str] | None,
    previous: Path | None,
    list_path: Path | None,
    target: Path | None,
) -> int:
    """Mesure un modèle sur des entreprises qu'il n'a jamais vues.

    Les mesures sortent en JSON, avec leurs intervalles ; avec --to, le notebook 60_evaluation_du_modele est exécuté.

    \b
    workbench signaux evaluate modele.json variables/ --to evaluation.html
    """
    from workbench.signaux_faibles.detection import load_detector
    from workbench.signaux_faibles.detection.runs import judge

    if target is None:
        evaluation, _ = judge(load_detector(model), list(tables), test=tested)
        click.echo(json.dumps(evaluation.to_json(), ensure_ascii=False, indent=2, allow_nan=False))
        return ExitCode.OK
    parameters = {
        "modele": str(model.absolute()),
        "tables": [str(path.absolute()) for path in tables],
        "test": list(tested or ()),
        "liste": str(list_path.absolute()) if list_path else "",
        "precedente": str(previous.absolute()) if previous else "",
    }
    _page(parameters, target)
    say(f"{target} est écrit.")
    return ExitCode.OK


def _page(parameters: dict[str, Any], target: Path) -> None:
    from workbench.config import settings
    from workbench.reports import export_html
    from workbench.reports.notebook import execute_notebook

    notebook = settings().notebooks / "60_evaluation_du_modele.ipynb"
    if not notebook.is_file():
        raise WorkbenchError("notebook_absent", chemin=str(notebook))
    with tempfile.TemporaryDirectory(prefix="workbench-evaluation-") as work:
        execution = execute_notebook(notebook, parameters, folder=Path(work))
        if execution.failed:
            raise WorkbenchError("detection_evaluation", cause=execution.cause)
        written = Path(work) / "evaluation.ipynb"
        written.write_text(json.dumps(execution.notebook, ensure_ascii=False), encoding="utf-8")
        export_html(written, target)
