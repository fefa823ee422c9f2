"""The registry of models and lists: what was published, from what, by what, and whether it can be made again.

A model and a list are known by their fingerprints: the same data, parameters and seed give the same model, which
gives the same list. Recording one again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Row, Text, insert, select

from workbench.config import settings
from workbench.errors import WorkbenchError
from workbench.registry import Moment, Registry, Room, new_metadata, open_registry
from workbench.signaux_faibles.detection.alerts import AlertList, detect
from workbench.signaux_faibles.detection.corrections import Correction
from workbench.signaux_faibles.detection.dataset import Dataset
from workbench.signaux_faibles.detection.detector import Detector, train
from workbench.signaux_faibles.detection.learners import learner_named
from workbench.signaux_faibles.detection.parts import Parts

__all__ = [
    "ROOM",
    "RecordedList",
    "make_list_again",
    "make_model_again",
    "record_list",
    "record_model",
    "recorded_lists",
    "recorded_model",
]

ROOM = Room("detection", new_metadata(), "workbench.signaux_faibles.detection.migrations")

_models = ROOM.table(
    "model",
    Column("id", Text, primary_key=True),
    Column("created", Moment, nullable=False),
    Column("author", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("batch", Text, nullable=False),
    Column("snapshot", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("content", JSON, nullable=False),
)

_lists = ROOM.table(
    "list",
    Column("id", Text, primary_key=True),
    Column("created", Moment, nullable=False),
    Column("author", Text, nullable=False),
    Column("model", Text, ForeignKey("detection_model.id"), nullable=False),
    Column("batch", Text, nullable=False),
    Column("snapshot", Text, nullable=False),
    Column("algo", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("periode", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("card", JSON, nullable=False),
    Index(None, "batch", "algo"),
)


@dataclass(frozen=True)
class RecordedList:
    """A list, as the registry knows it.

    Parameters
    ----------
    id
        Its fingerprint.
    created, author
        When, and by whom it was recorded first.
    model
        Fingerprint of its model.
    batch, snapshot, algo, periode
        What is written on it.
    code
        Version of the software that made it.
    data
        Fingerprint of the companies and variables that it was made from.
    card
        Its card.
    """

    id: str
    created: datetime
    author: str
    model: str
    batch: str
    snapshot: str
    algo: str
    code: str
    periode: str
    data: str
    card: Mapping[str, Any]


@contextmanager
def _opened(registry: Registry | None) -> Iterator[Registry]:
    if registry is not None:
        yield registry
        return
    with open_registry(rooms=[ROOM]) as opened:
        yield opened


def record_model(detector: Detector, *, author: str | None = None, registry: Registry | None = None) -> str:
    """Record a model; the first record of a fingerprint stays.

    Parameters
    ----------
    detector
        The model.
    author
        E-mail; that of the settings by default.
    registry
        An open registry that holds `ROOM`; that of the settings by default.

    Returns
    -------
    str
        Its fingerprint.
    """
    origin = detector.origin
    with _opened(registry) as opened, opened.write() as connection:
        known = connection.execute(select(_models.c.id).where(_models.c.id == detector.fingerprint)).first()
        if known is None:
            connection.execute(
                insert(_models).values(
                    id=detector.fingerprint,
                    created=opened.now(connection),
                    author=author or settings().email,
                    kind=detector.kind,
                    batch=origin.batch,
                    snapshot=origin.snapshot,
                    code=origin.code,
                    seed=origin.seed,
                    content=detector.to_json(),
                )
            )
    return detector.fingerprint


def recorded_model(identifier: str, *, registry: Registry | None = None) -> Detector:
    """Return a model that was recorded.

    Parameters
    ----------
    identifier
        Its fingerprint, or the beginning of it that no other has.

    Raises
    ------
    WorkbenchError
        ``detection_inconnu``.
    """
    # Fingerprints are hexadecimal: nothing in them stands for another character in LIKE.
    safe = identifier if identifier and set(identifier) <= set("0123456789abcdef") else "-"
    with _opened(registry) as opened, opened.read() as connection:
        rows = connection.execute(select(_models.c.content).where(_models.c.id.like(f"{safe}%")).limit(2)).all()
    if len(rows) != 1:
        raise WorkbenchError("detection_inconnu", sorte="modèle", identifiant=identifier)
    return Detector.from_json(rows[0].content)


def record_list(
    alerts: AlertList,
    dataset: Dataset,
    card: Mapping[str, Any],
    *,
    author: str | None = None,
    registry: Registry | None = None,
) -> RecordedList:
    """Record a list, and its model.

    Parameters
    ----------
    alerts, dataset
        The list, and what it was made from.
    card
        See `workbench.signaux_faibles.detection.card.list_card`.

    Returns
    -------
    RecordedList
        The first record, when the list was known already.
    """
    import workbench

    with _opened(registry) as opened:
        record_model(alerts.detector, author=author, registry=opened)
        with opened.write() as connection:
            chosen = select(_lists).where(_lists.c.id == alerts.fingerprint)
            if connection.execute(chosen).first() is None:
                connection.execute(
                    insert(_lists).values(
                        id=alerts.fingerprint,
                        created=opened.now(connection),
                        author=author or settings().email,
                        model=alerts.detector.fingerprint,
                        batch=alerts.batch,
                        snapshot=alerts.snapshot,
                        algo=alerts.algo,
                        code=workbench.__version__,
                        periode=alerts.periode,
                        data=dataset.fingerprint(),
                        card=dict(card),
                    )
                )
            return _list(connection.execute(chosen).one())


def _list(row: Row[Any]) -> RecordedList:
    return RecordedList(**row._mapping)


def recorded_lists(*, batch: str | None = None, registry: Registry | None = None) -> list[RecordedList]:
    """Return the lists that were recorded, the latest first; those of a batch, if one is named."""
    chosen = select(_lists).order_by(_lists.c.created.desc(), _lists.c.id)
    if batch is not None:
        chosen = chosen.where(_lists.c.batch == batch)
    with _opened(registry) as opened, opened.read() as connection:
        return [_list(row) for row in connection.execute(chosen)]


def make_list_again(
    recorded: RecordedList,
    dataset: Dataset,
    *,
    corrections: Sequence[Correction] = (),
    previous: Mapping[str, float] | None = None,
    registry: Registry | None = None,
) -> AlertList:
    """Make a list again from its recorded model, and refuse one that is not the same.

    Parameters
    ----------
    recorded
        The list.
    dataset
        What it was made from, built again from its batch and snapshot.
    corrections, previous
        As they were given to `detect`.

    Raises
    ------
    WorkbenchError
        ``detection_autre`` says whether the data or the list differ; ``detection_inconnu``.
    """
    if dataset.fingerprint() != recorded.data:
        raise WorkbenchError("detection_autre", quoi="Les données ne sont pas celles", attendu=recorded.data[:12])
    detector = recorded_model(recorded.model, registry=registry)
    alerts = detect(
        detector,
        dataset,
        batch=recorded.batch,
        snapshot=recorded.snapshot,
        algo=recorded.algo,
        corrections=corrections,
        previous=previous,
    )
    if alerts.fingerprint != recorded.id:
        raise WorkbenchError("detection_autre", quoi="La liste refaite n'est pas celle", attendu=recorded.id[:12])
    return alerts


def make_model_again(detector: Detector, parts: Parts) -> Detector:
    """Learn a model again from the same parts, and refuse one that is not the same.

    Raises
    ------
    WorkbenchError
        ``detection_autre`` says whether the data or the model differ.
    """
    for name, part in (("apprentissage", parts.train), ("validation", parts.validation)):
        wanted = detector.origin.data[name]["empreinte"]
        # What executors learnt from was never whole here; the model itself tells.
        if not wanted.startswith("lignes-") and part.fingerprint() != wanted:
            raise WorkbenchError(
                "detection_autre", quoi=f"Les données ({name}) ne sont pas celles", attendu=wanted[:12]
            )
    learner = learner_named(detector.kind, detector.parameters)
    again = train(parts, learner, sampling=detector.origin.sampling, seed=detector.origin.seed)
    if again.fingerprint != detector.fingerprint:
        raise WorkbenchError(
            "detection_autre", quoi="Le modèle réappris n'est pas celui", attendu=detector.fingerprint[:12]
        )
    return again
