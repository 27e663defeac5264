"""Typed errors.

Enters: what went wrong, said by the plugin. Leaves: exceptions that the host understands. Invariant: the plugin says what
is wrong; whether to retry, skip, dead-letter or stop is the host's choice, by the connector's `errors.*` settings.

Any other exception ends the instance: the host shows its trace, opens a new one, and goes on after the last durable offset.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol


class _HasIndex(Protocol):
    @property
    def index(self) -> int: ...


class Fault(Exception):
    """Base of the errors that the host understands. Raise one of its subclasses."""

    def __init__(self, code: str, message: str, *, detail: str = "") -> None:
        """`code` is short, stable and dotted (`http.status`); `message` is one sentence for people, never a secret.

        `detail` holds more for people, at most 16 KiB. Without one, the trace of the cause (`raise ... from error`) is taken.
        """
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class Retriable(Fault):
    """The same call, with the same input, may succeed later."""

    def __init__(self, code: str, message: str, *, after: float = 0.0, detail: str = "") -> None:
        """`after`: at least this many seconds before the next try; 0 leaves it to the host's back-off."""
        super().__init__(code, message, detail=detail)
        self.after = after


class Fatal(Fault):
    """The task must stop; a person must look."""


class ConfigError(Fault):
    """The configuration is wrong. Name all problems at once."""

    def __init__(self, problems: Mapping[str, str] | Iterable[tuple[str, str]], *, detail: str = "") -> None:
        """`problems`: for each key what is wrong with its value and what is allowed."""
        pairs = problems.items() if isinstance(problems, Mapping) else problems
        self.problems: list[tuple[str, str]] = list(pairs)
        keys = ", ".join(key for key, _ in self.problems)
        super().__init__("config.invalid", f"the configuration is not valid: {keys}", detail=detail)

    def __str__(self) -> str:
        return "; ".join([super().__str__(), *(f"{key}: {problem}" for key, problem in self.problems)])


class BadRecord(Exception):
    """One record that cannot be handled.

    A sink yields or returns these from `put`, each with its record; all other records count as taken. A transform raises one
    from `apply`, without a record.
    """

    def __init__(
        self, code: str, message: str, record: _HasIndex | int | None = None, *, retriable: bool = False
    ) -> None:
        """`retriable`: the same record may succeed later without a change (`errors.retry.timeout` applies)."""
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.index: int | None = record if record is None or isinstance(record, int) else record.index
        self.retriable = retriable

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class BadRecords(Fault):
    """These records are bad, all others of the call were handled: as yielding each from `put`."""

    def __init__(self, records: Iterable[BadRecord], *, detail: str = "") -> None:
        self.records = list(records)
        super().__init__("rows.bad", f"{len(self.records)} records cannot be handled", detail=detail)
