"""Outside -> Kafka.

Enters: stored positions, bounds of a poll. Leaves: messages, each with the position that holds once it is delivered. Invariant:
records and positions leave in one answer, so the host cannot store one without the other.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generator, Generic, TypeVar, Union

from .config import Config
from .plugin import Connector, Kind, Plugin

C = TypeVar("C", bound=Config)
D = TypeVar("D")
Payload = Union[bytes, bytearray, memoryview, str, None]
"""Bytes, text (as UTF-8), or null."""
Scalars = Mapping[str, Any]


@dataclass(frozen=True)
class Position:
    """How far a source has read one source partition. Both are JSON objects with scalar values: mappings or dataclasses.

    The same partition must be written the same way each time.
    """

    partition: Any
    offset: Any


class Message:
    """One record for Kafka. Without `partition` the host chooses one by the key, as Kafka does; without `timestamp`
    (milliseconds since the epoch) the time of sending counts. `position` holds once this and all before it are delivered."""

    __slots__ = ("headers", "key", "key_schema", "partition", "position", "timestamp", "topic", "value", "value_schema")

    def __init__(
        self,
        topic: str,
        value: Payload = None,
        key: Payload = None,
        headers: Mapping[str, Payload] | Sequence[tuple[str, Payload]] = (),
        *,
        timestamp: int | None = None,
        partition: int | None = None,
        key_schema: str | None = None,
        value_schema: str | None = None,
        position: Position | None = None,
    ) -> None:
        self.topic = topic
        self.value = value
        self.key = key
        self.headers = headers
        self.timestamp = timestamp
        self.partition = partition
        self.key_schema = key_schema
        self.value_schema = value_schema
        self.position = position


@dataclass(frozen=True)
class After:
    """Nothing for now: poll again after this many seconds, at most a minute."""

    seconds: float


class _Word:
    def __init__(self, word: str) -> None:
        self._word = word

    def __repr__(self) -> str:
        return self._word


NOW: Final = _Word("NOW")
"""There is more: poll again at once."""
DONE: Final = _Word("DONE")
"""Nothing ever again, as far as the plugin knows: polled once a minute."""
FLUSH: Final = _Word("FLUSH")
"""Yielded by `poll`: hand over what there is, the next message may take a while."""

Next = Union[After, _Word, None]
Polled = Union[Message, Position, _Word]
Poll = Generator[Polled, None, Next]
"""What `poll` returns when it is written as a generator."""


class Positions(Sequence[Position]):
    """All stored positions of the connector, as mappings."""

    def __init__(self, stored: Iterable[tuple[str, str]]) -> None:
        self._all = [Position(json.loads(partition), json.loads(offset)) for partition, offset in stored]

    def get(self, partition: Any, offset_class: type[D] | None = None) -> Any:
        """The offset stored for a partition, as a mapping or as this dataclass; none if nothing is stored."""
        wanted = plain(partition)
        found = next((position.offset for position in self._all if position.partition == wanted), None)
        if found is None or offset_class is None:
            return found
        known = {field.name for field in dataclasses.fields(offset_class)}  # type: ignore[arg-type]
        return offset_class(**{name: value for name, value in found.items() if name in known})

    def __getitem__(self, index: Any) -> Any:
        return self._all[index]

    def __len__(self) -> int:
        return len(self._all)


def plain(value: Any) -> Any:
    """A dataclass or a mapping as a dictionary."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return dict(value)


def as_json(value: Any) -> str:
    """A partition or an offset as the host stores it."""
    return json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False)


class Source(Plugin[C], Generic[C]):
    """A source. One object is one task; the host never calls it from two places at once."""

    kind: ClassVar[Kind] = "source"

    @classmethod
    def tasks(cls, connector: Connector, most: int) -> Iterable[Mapping[str, str]]:
        """Splits the work into at most `most` tasks: the settings of each. By default one, with the connector's settings."""
        return [connector.settings]

    def open(self, positions: Positions) -> None:
        """Prepares reading."""

    def poll(self) -> Poll | Iterable[Polled] | Next:
        """Gives the next messages: as a generator, a list, or nothing.

        A generator is read until a batch is full or it ends, and goes on where it was at the next poll. It yields `Message`s,
        `Position`s that hold after the messages before them, and `FLUSH`. What it returns says when to poll again: `NOW`,
        `After(seconds)`, `DONE`; without a word at once if there were messages, else after a second. It should not wait for
        more than about a second between two yields.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `poll`")

    def committed(self, positions: Sequence[Position]) -> None:
        """These positions are durable: the upstream may forget what came before. An error is logged and changes nothing."""

    def close(self) -> None:
        """The task ends. 5 s are left."""
