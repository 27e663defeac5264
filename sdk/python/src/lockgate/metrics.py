"""The plugin's own metrics, shown beside the host's with connector and task as labels.

Enters: numbers. Leaves: `lockgate_guest_<name>` in the worker's `GET /metrics`. Invariant: names are `[a-z][a-z0-9_]*`, at most 60
bytes; at most 100 a task are kept. A call costs about a microsecond: count batches, not records.
"""

from __future__ import annotations

import re
from typing import Final

from . import _wit as _wit
from wit_world.imports import metrics as _metrics

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")


class _Metric:
    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(f"metric `{name}`: a lower-case letter, then letters, digits and underscores, at most 60")
        self.name = name


class Counter(_Metric):
    """Only ever goes up."""

    __slots__ = ()

    def add(self, value: float = 1.0) -> None:
        """Adds to it."""
        _metrics.add(self.name, float(value))


class Gauge(_Metric):
    """Goes up and down."""

    __slots__ = ()

    def set(self, value: float) -> None:
        """Sets it."""
        _metrics.set(self.name, float(value))


class Histogram(_Metric):
    """The distribution of values, in the unit that the name ends with (`_seconds`, `_bytes`)."""

    __slots__ = ()

    def observe(self, value: float) -> None:
        """Observes a value."""
        _metrics.observe(self.name, float(value))


def counter(name: str) -> Counter:
    """A counter."""
    return Counter(name)


def gauge(name: str) -> Gauge:
    """A gauge."""
    return Gauge(name)


def histogram(name: str) -> Histogram:
    """A histogram."""
    return Histogram(name)
