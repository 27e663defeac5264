"""The export `sink`.

Enters: batches and offsets, flat. Leaves: bad rows, and offsets agreed to. Invariant: one task an instance.
"""

from __future__ import annotations

from typing import Any, cast

from .. import _wit as _wit
from .. import logs
from ..faults import Fatal
from ..plugin import Connector
from ..records import Batch, partition_offsets, places
from ..schemas import Schemas
from ..sink import Sink
from .edge import Descriptions, answering, pairs, raw_bad, task_of
from wit_world.exports import sink as wit
from wit_world.imports import batches
from wit_world.imports import tasks as wit_tasks


class SinkExports:
    """The sink of this instance."""

    def __init__(self, descriptions: Descriptions) -> None:
        self._descriptions = descriptions
        self._sink: Sink[Any] | None = None
        self._schemas = Schemas()

    def _opened(self) -> Sink[Any]:
        if self._sink is None:
            raise Fatal("guest.closed", "the sink is not open")
        return self._sink

    @answering
    def tasks(self, connector: wit_tasks.ConnectorContext, max: int) -> list[list[tuple[str, str]]]:
        """The settings of each task."""
        cls = cast("type[Sink[Any]]", self._descriptions.find("sink", connector.class_))
        return [pairs(task) for task in cls.tasks(Connector(connector.connector, dict(connector.config)), max)]

    @answering
    def open(self, task: wit_tasks.TaskContext) -> None:
        """Makes the sink."""
        logs.follow_host()
        sink = cast("Sink[Any]", task_of(self._descriptions.find("sink", task.class_), task))
        sink.open()
        self._sink = sink

    @answering
    def assigned(self, partitions: batches.PartitionOffsets) -> batches.PartitionOffsets:
        """Where the sink wants to begin elsewhere."""
        return partition_offsets(list(self._opened().assigned(places(partitions)) or ()))

    @answering
    def revoked(self, partitions: batches.PartitionOffsets) -> None:
        """Tells the sink."""
        self._opened().revoked(places(partitions))

    @answering
    def put(self, records: batches.Batch) -> wit.Report:
        """Gives the batch to the sink."""
        bad = self._opened().put(Batch(records, self._schemas))
        return wit.Report([] if bad is None else [raw_bad(record, record.index) for record in bad])

    @answering
    def prepare_commit(self, offsets: batches.PartitionOffsets) -> batches.PartitionOffsets:
        """What the sink agrees to."""
        return partition_offsets(list(self._opened().prepare_commit(places(offsets))))

    @answering
    def close(self) -> None:
        """Ends the sink."""
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.close()
