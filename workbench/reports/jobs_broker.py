"""The door to Celery: identifiers of jobs said through RabbitMQ, and heard by one worker at a time.

A message is an identifier, as JSON, and nothing else: what to make, for whom and where is in the registry, which alone
decides. A message that is lost, repeated, late or false therefore costs a look at the registry.

Each worker is a process that holds one message, unacknowledged, while it works (prefetch 1, ``task_acks_late``): the
broker gives it to another when the process, its machine or the connection dies. Celery's pool is the worker's own
thread (``solo``): `workbench.reports.jobs_pool` begins processes, watches and replaces them, and one that is lost is a
connection that closes. No heartbeat, since that thread is busy while it works: TCP notices dead connections.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from workbench.errors import WorkbenchError

try:
    from amqp.exceptions import AMQPError, MessageNacked
    from celery import Celery
    from celery.exceptions import Reject
    from celery.worker import WorkController, state
    from kombu.connection import Connection
    from kombu.entity import Exchange, Queue
    from kombu.exceptions import KombuError, OperationalError
except ModuleNotFoundError as _error:
    raise WorkbenchError("extra_absent", bibliotheque="celery", extra="broker") from _error

__all__ = ["Broker", "Line"]

QUEUE = "workbench.jobs"
TASK = "workbench.make"

MOST_MESSAGES = 10_000
"""The broker itself refuses what comes beyond: a mistake of ours does not fill its disk."""

CONNECT_SECONDS = 5
CONFIRM_SECONDS = 10
"""How long a broker may take to say that a message is safe; one that lacks memory or disk says nothing."""

IDENTIFIER = re.compile(r"[0-9A-Za-z-]{1,64}")

UNREACHABLE = (OSError, AMQPError, KombuError, OperationalError)


class _Application(Celery):
    """Celery that connects where it is told to, whatever ``CELERY_BROKER_URL`` says."""

    address = ""

    def connection_for_read(self, url: str | None = None, **options: Any) -> Connection:
        connection: Connection = super().connection_for_read(url=url or self.address, **options)
        return connection

    def connection_for_write(self, url: str | None = None, **options: Any) -> Connection:
        connection: Connection = super().connection_for_write(url=url or self.address, **options)
        return connection


class Line:
    """A connection to the broker.

    Parameters
    ----------
    application, connection, queue
        What it is made of.
    """

    def __init__(self, application: Celery, connection: Connection, queue: Queue) -> None:
        self._application = application
        self._queue = queue(connection.default_channel)
        self._producer = application.amqp.Producer(connection, auto_declare=False)
        self._queue.declare()

    def waiting(self) -> int:
        """Return how many messages no worker has received."""
        return int(self._queue.queue_declare(passive=True).message_count)

    def announce(self, identifier: str) -> bool:
        """Say a job; whether the broker keeps it on disk, rather than refusing it because it holds too many."""
        try:
            self._application.send_task(
                TASK,
                (identifier,),
                task_id=identifier,
                producer=self._producer,
                queue=self._queue,
                declare=(),
                retry=False,
                ignore_result=True,
                confirm_timeout=CONFIRM_SECONDS,
            )
        except MessageNacked:
            return False
        return True


class Broker:
    """RabbitMQ, at an address.

    Parameters
    ----------
    address
        ``amqp://`` or ``amqps://``; several, separated by semicolons, are tried in turn.

    Raises
    ------
    WorkbenchError
        ``courtier_adresse``.

    Examples
    --------
    >>> Broker("amqp://atelier:secret@messages/campagne").place
    'amqp://atelier:***@messages/campagne'
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.place = _shown(address)

    def __repr__(self) -> str:
        return f"Broker({self.place!r})"

    @cached_property
    def _queue(self) -> Queue:
        return Queue(
            QUEUE,
            Exchange(QUEUE, type="direct", durable=True),
            routing_key=QUEUE,
            durable=True,
            queue_arguments={"x-max-length": MOST_MESSAGES, "x-overflow": "reject-publish"},
        )

    @cached_property
    def _application(self) -> Celery:
        application = _Application("workbench", broker=self.address, set_as_current=False, fixups=[])
        application.address = self.address
        application.conf.update(
            accept_content=["json"],
            task_serializer="json",
            task_queues=[self._queue],
            task_default_queue=QUEUE,
            task_create_missing_queues=False,
            task_ignore_result=True,
            task_acks_late=True,
            task_reject_on_worker_lost=True,
            task_publish_retry=False,
            worker_prefetch_multiplier=1,
            worker_enable_remote_control=False,
            worker_send_task_events=False,
            worker_cancel_long_running_tasks_on_connection_loss=False,
            broker_heartbeat=0,
            broker_connection_timeout=CONNECT_SECONDS,
            broker_connection_retry_on_startup=True,
            broker_connection_max_retries=None,
            broker_transport_options={"confirm_publish": True},
        )
        if self.address.startswith("amqps"):
            # Without the name, a certificate of any server would do.
            application.conf.broker_use_ssl = {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None}
        return application

    @contextmanager
    def line(self) -> Iterator[Line]:
        """Connect while a block lasts.

        Raises
        ------
        WorkbenchError
            ``courtier_refuse`` when it refuses the user or what is asked, ``courtier_injoignable`` when it does not
            answer, or no longer.
        """
        connection = self._application.connection_for_write()
        try:
            connection.connect()
            yield Line(self._application, connection, self._queue)
        except UNREACHABLE as error:
            with suppress(*UNREACHABLE):
                connection.collect()  # no word of farewell: nobody may be there to hear it
            cause = " ".join(str(error).replace(self.address, self.place).split()) or type(error).__name__
            said = getattr(error.__cause__ or error, "code", None)
            code = "courtier_refuse" if said in REFUSALS else "courtier_injoignable"
            raise WorkbenchError(code, adresse=self.place, cause=cause) from error
        finally:
            with suppress(*UNREACHABLE):
                connection.release()

    def consume(self, name: str, make: Callable[[str], bool]) -> None:
        """Hear of jobs one at a time, until `stop` is called; a broker that goes away is waited for.

        Parameters
        ----------
        name
            Of the worker.
        make
            Called in this thread with an identifier, which may be anything that looks like one; whether the message
            has served: else another worker gets it. What it raises ends the hearing.
        """
        application = self._application
        failures: list[BaseException] = []

        def heard(identifier: object) -> None:
            if not isinstance(identifier, str) or not IDENTIFIER.fullmatch(identifier):
                raise Reject("not an identifier", requeue=False)
            try:
                served = make(identifier)
            except BaseException as error:
                failures.append(error)
                self.stop()
                raise Reject("the worker ends", requeue=True) from error
            if not served:
                raise Reject("the worker stops", requeue=True)

        state.should_stop = None
        application.finalize()
        application.set_current()
        application.set_default()
        for known in list(application.tasks):
            # Celery's own tasks would do what messages ask of them.
            application.tasks.unregister(known)
        application.task(name=TASK, shared=False)(heard)
        worker = WorkController(
            application,
            hostname=name,
            pool_cls="solo",
            concurrency=1,
            use_eventloop=False,  # it waits some 50 ms before each message
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        worker.start()
        if failures:
            raise failures[0]
        if worker.exitcode:
            raise WorkbenchError("courtier_refuse", adresse=self.place, cause="le journal de la machine dit pourquoi")

    @staticmethod
    def stop() -> None:
        """End the hearing of this process once what is being made is done; a signal handler may call it."""
        state.should_stop = 0  # type: ignore[assignment]


REFUSALS = (402, 403, 404, 405, 406, 530)
"""What the protocol answers to a user, a folder of queues or a queue that it does not allow."""


def _shown(address: str) -> str:
    try:
        urls = [make_url(each.strip()) for each in address.split(";")]
    except (ArgumentError, ValueError):
        # Not quoted: what could not be read may hold a password.
        raise WorkbenchError("courtier_adresse", adresse="donnée") from None
    shown = ";".join(url.render_as_string(hide_password=True) for url in urls)
    if any(url.drivername not in ("amqp", "amqps") or not url.host for url in urls):
        raise WorkbenchError("courtier_adresse", adresse=shown)
    return shown
