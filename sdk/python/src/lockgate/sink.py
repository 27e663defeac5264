"""Kafka -> outside.

Enters: batches, and offsets about to be committed. Leaves: bad records, and offsets agreed to. Invariant: what `put` took without
naming it bad is either delivered or will be when `prepare_commit` agrees to its offset.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from .config import Config
from .faults import BadRecord
from .plugin import Connector, Kind, Plugin
from .records import Batch, Place

C = TypeVar("C", bound=Config)


class Sink(Plugin[C], Generic[C]):
    """A sink. One object is one task; the host never calls it from two places at once.

    After a `Retriable` the same call is made again. After any other error a new object is made, which gets everything again
    from the last committed offsets.
    """

    kind: ClassVar[Kind] = "sink"

    @classmethod
    def tasks(cls, connector: Connector, most: int) -> Iterable[Mapping[str, str]]:
        """Splits the work into at most `most` tasks: the settings of each. By default `most` with the connector's settings,
        which share the topics' partitions."""
        return [connector.settings] * max(most, 1)

    def open(self) -> None:
        """Prepares writing."""

    def assigned(self, partitions: Sequence[Place]) -> Iterable[Place] | None:
        """These partitions are now this task's. A sink that keeps offsets in its target answers with those where it wants to
        begin elsewhere."""
        return None

    def revoked(self, partitions: Sequence[Place]) -> None:
        """These partitions are no longer this task's."""

    def put(self, batch: Batch) -> Iterable[BadRecord] | None:
        """Takes a batch. Yields or returns the records that cannot be delivered; all others are taken."""
        raise NotImplementedError(f"{type(self).__name__} has no `put`")

    def prepare_commit(self, offsets: list[Place]) -> Iterable[Place]:
        """The host is about to commit these next offsets. Make what was taken durable and answer with what is: the same, or
        less. By default all of it, right where `put` delivers."""
        return offsets

    def close(self) -> None:
        """The task ends. 5 s are left."""
