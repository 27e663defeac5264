"""The export `transform`: the walk of a batch through a chain of steps.

Enters: the steps, batches. Leaves: rows kept, changed, split; what failed, with its step. Invariant: each row passes the steps in
order, source rows never decrease, and a row that failed is not in the outcome.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, cast

from .. import _wit as _wit
from .. import logs
from .._wire import ROW
from ..faults import BadRecord
from ..plugin import Formats
from ..schemas import Schemas
from ..transform import DROP, Outcome, Predicate, Transform, TransformRecord
from .edge import Descriptions, answering, formats_of, open_plugin, raw_bad
from wit_world.exports import transform as wit
from wit_world.imports import batches, tasks

Step = tuple[Transform[Any], Predicate[Any] | None, bool]


class Failed(Exception):
    """A record failed at a step."""

    def __init__(self, step: int, bad: BadRecord) -> None:
        super().__init__(step, bad)
        self.step = step
        self.bad = bad


class TransformExports:
    """The chain of this instance."""

    def __init__(self, descriptions: Descriptions) -> None:
        self._descriptions = descriptions
        self._steps: list[Step] = []
        self._schemas = Schemas()

    @answering
    def open(self, task: tasks.TaskContext, steps: list[wit.Step]) -> None:
        """Makes the steps."""
        logs.follow_host()
        formats = formats_of(task.formats)
        self._steps = [self._step(task, step, formats) for step in steps]

    def _step(self, task: tasks.TaskContext, step: wit.Step, formats: Formats) -> Step:
        cls = self._descriptions.find("transform", step.class_)
        transform = cast("Transform[Any]", open_plugin(cls, task.connector, task.task, step.config, formats))
        transform.open()
        if step.predicate is None:
            return transform, None, False
        cls = self._descriptions.find("predicate", step.predicate.class_)
        predicate = cast("Predicate[Any]", open_plugin(cls, task.connector, task.task, step.predicate.config, formats))
        predicate.open()
        return transform, predicate, step.predicate.negate

    @answering
    def apply(self, records: batches.Batch) -> wit.Applied:
        """Takes a batch through all steps."""
        out = Outcome(records, self._schemas)
        failed = []
        for index, row in enumerate(ROW.iter_unpack(records.rows)):
            fields = list(row)
            fields[10] = index
            first, count = fields[8], fields[9]
            record = TransformRecord(out, fields, out.header_rows[first : first + count] if count else [])
            before = len(out.rows), len(out.headers), len(out.appended)
            try:
                self._walk(0, record, out)
            except Failed as error:
                del out.rows[before[0] :], out.headers[before[1] :], out.appended[before[2] :]
                failed.append(raw_bad(error.bad, index, error.step))
        rows, headers, appended = bytes(out.rows), bytes(out.headers), bytes(out.appended)
        return wit.Applied(out.topics, self._schemas.take_new(), rows, headers, appended, failed)

    def _walk(self, first: int, record: TransformRecord, out: Outcome) -> None:
        for at in range(first, len(self._steps)):
            transform, predicate, negate = self._steps[at]
            try:
                if predicate is not None and predicate.test(record) == negate:
                    continue
                flow = transform.apply(record)
                if isinstance(flow, Generator):
                    for _ in flow:
                        self._walk(at + 1, record.copy(), out)
                    return
            except BadRecord as bad:
                raise Failed(at, bad) from None
            if flow is DROP:
                return
        out.emit(record)

    @answering
    def close(self) -> None:
        """Forgets the steps."""
        self._steps = []
