"""What a compaction did, batch after batch and type after type."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Change", "Compaction"]


@dataclass(frozen=True)
class Change:
    """What a batch changed of a type, against the delivery before it.

    Parameters
    ----------
    batch, type
        Which.
    complete
        Whether the delivery replaced all that was known.
    given
        Tuples that it holds, each once.
    added, removed
        Tuples alive as of it and not as of the delivery before, and the reverse.
    before, alive
        Tuples alive as of the delivery before, and as of it.
    """

    batch: str
    type: str
    complete: bool
    given: int
    added: int
    removed: int
    before: int
    alive: int

    @property
    def is_suspicious(self) -> bool:
        """Whether more than a tenth of what was known went away, or what is known more than doubled."""
        return self.before > 0 and (self.removed * 10 > self.before or self.alive > 2 * self.before)

    def __str__(self) -> str:
        sort = "complet" if self.complete else "ajout"
        line = (
            f"{self.batch} {self.type} ({sort}) : {self.given} faits lus, {self.added} ajoutés, {self.removed} retirés"
        )
        return f"{line} ; {self.alive} en vigueur (avant : {self.before})" + (
            " — à vérifier" if self.is_suspicious else ""
        )


@dataclass(frozen=True)
class Compaction:
    """What a compaction did.

    Parameters
    ----------
    changes
        One a batch and type.
    left
        Batches that still wait, being earlier than the one asked for.
    """

    changes: tuple[Change, ...]
    left: tuple[str, ...] = ()

    @property
    def suspicious(self) -> tuple[Change, ...]:
        """Changes worth a look."""
        return tuple(each for each in self.changes if each.is_suspicious)

    def __str__(self) -> str:
        lines = [str(each) for each in self.changes] or ["Rien à compacter."]
        return "\n".join([*lines, *(f"{each} : en attente, antérieur au batch demandé." for each in self.left)])
