"""The schemas of one instance: announced once by either side, known by id ever after.

Enters: announcements of the host with its batches, definitions that a plugin writes. Leaves: ids for rows, and what the next
answer must announce. Invariant: a plugin's ids start at 0x8000 and never change meaning.
"""

from __future__ import annotations

from . import _wit as _wit
from ._wire import GUEST_SCHEMA, LAST_SCHEMA
from wit_world.imports import batches


class Schemas:
    """All schemas that this instance knows."""

    __slots__ = ("_by_id", "_ids", "_new")

    def __init__(self) -> None:
        self._by_id: dict[int, str] = {}
        self._ids: dict[str, int] = {}
        self._new: list[batches.Schema] = []

    def definition(self, schema_id: int) -> str | None:
        """The schema part of Kafka Connect's JSON envelope, as JSON text; none for id 0."""
        return self._by_id.get(schema_id)

    def announce(self, definition: str) -> int:
        """The id of a definition, announced with the next answer if it is new. 0 once all 32,768 ids are used up."""
        known = self._ids.get(definition)
        if known is not None:
            return known
        new = GUEST_SCHEMA + len(self._ids)
        if new > LAST_SCHEMA:
            return 0
        self._ids[definition] = new
        self._by_id[new] = definition
        self._new.append(batches.Schema(new, definition))
        return new

    def learn(self, announced: list[batches.Schema]) -> None:
        """Takes the host's announcements."""
        for schema in announced:
            self._by_id[schema.id] = schema.definition

    def take_new(self) -> list[batches.Schema]:
        """What was announced since the last call of this."""
        new, self._new = self._new, []
        return new
