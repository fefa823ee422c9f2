"""What batches brought, and in which order: the small table that every state is read through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Deliveries", "Delivery", "TypeDeliveries"]


@dataclass(frozen=True)
class Delivery:
    """What a batch brought of a type.

    Parameters
    ----------
    batch, type
        Which.
    complete
        Whether it replaced all that was known.
    compacted
        Whether the history knows it.
    pending, pending_complete
        Whether rows wait to be compacted, and what ``complete`` will be then.
    """

    batch: str
    type: str
    complete: bool
    compacted: bool
    pending: bool = False
    pending_complete: bool = False


class TypeDeliveries:
    """The deliveries of one type that the history knows, in the order of their batches.

    Examples
    --------
    >>> known = TypeDeliveries([("1903", False), ("1901", True), ("1902", True)])
    >>> known.last_complete("1902"), known.last_complete(None), known.last_complete("1812")
    ('1902', '1902', None)
    >>> known.before("1902"), known.after("1903"), known.next_complete("1901")
    ('1901', None, '1902')
    """

    def __init__(self, known: Iterable[tuple[str, bool]]) -> None:
        self._complete = dict(sorted(known))

    @property
    def keys(self) -> list[str]:
        """The batches."""
        return list(self._complete)

    @property
    def complete_keys(self) -> list[str]:
        """The batches that replaced all that was known."""
        return [key for key, complete in self._complete.items() if complete]

    def last_complete(self, until: str | None) -> str | None:
        """Return the latest complete delivery up to a batch."""
        return max((each for each in self.complete_keys if until is None or each <= until), default=None)

    def next_complete(self, after: str) -> str | None:
        """Return the first complete delivery after a batch."""
        return min((each for each in self.complete_keys if each > after), default=None)

    def before(self, batch: str) -> str | None:
        """Return the delivery before a batch."""
        return max((each for each in self._complete if each < batch), default=None)

    def after(self, batch: str) -> str | None:
        """Return the delivery after a batch."""
        return min((each for each in self._complete if each > batch), default=None)

    def __contains__(self, batch: str) -> bool:
        return batch in self._complete

    def with_one(self, batch: str, complete: bool) -> TypeDeliveries:
        """Return these deliveries and another."""
        return TypeDeliveries({**self._complete, batch: complete}.items())


class Deliveries:
    """The deliveries of every type."""

    def __init__(self, every: Iterable[Delivery]) -> None:
        self.every = tuple(sorted(every, key=lambda each: (each.batch, each.type)))

    def of(self, type_: str) -> TypeDeliveries:
        """Return those of a type that the history knows."""
        return TypeDeliveries(
            (each.batch, each.complete) for each in self.every if each.type == type_ and each.compacted
        )

    def at(self, batch: str) -> tuple[Delivery, ...]:
        """Return those of a batch."""
        return tuple(each for each in self.every if each.batch == batch)

    def find(self, batch: str, type_: str) -> Delivery | None:
        """Return that of a batch and type."""
        return next((each for each in self.every if each.batch == batch and each.type == type_), None)
