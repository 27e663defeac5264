"""Python's own `logging`, written to the worker's log, and traces of exceptions.

Enters: records of any logger; exceptions. Leaves: lines with tenant, connector and task, also at `GET /connectors/{name}/logs`.
Invariant: a line below the level that anybody reads is not built.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from typing import Final, TextIO

from . import _wit
from wit_world.imports import log as _log

TRACE: Final = 5
"""A level below `logging.DEBUG`."""
_HERE: Final = os.path.dirname(os.path.abspath(__file__))
_LEVELS: Final = (
    (logging.ERROR, _log.Level.ERROR),
    (logging.WARNING, _log.Level.WARN),
    (logging.INFO, _log.Level.INFO),
    (logging.DEBUG, _log.Level.DEBUG),
    (TRACE, _log.Level.TRACE),
)
_TRACE_LINES_MAX: Final = 40


class HostHandler(logging.Handler):
    """Writes to the worker's log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record; a trace follows line by line."""
        try:
            level = next((host for least, host in _LEVELS if record.levelno >= least), _log.Level.TRACE)
            _log.write(level, record.getMessage())
            if record.exc_info and record.exc_info[1] is not None:
                for line in trace(record.exc_info[1]):
                    _log.write(level, line)
        except Exception:
            self.handleError(record)


def set_up() -> None:
    """Sends the root logger to the host. Called once, when the component is built."""
    logging.addLevelName(TRACE, "TRACE")
    root = logging.getLogger()
    root.handlers[:] = [HostHandler()]
    logging.raiseExceptions = False


def follow_host() -> None:
    """Sets the root logger's level to the lowest that is written anywhere. Called when a task opens."""
    lowest = _log.lowest()
    logging.getLogger().setLevel(next(level for level, host in _LEVELS if host == lowest))


def trace(error: BaseException) -> Iterator[str]:
    """The lines of an exception: what, then where, the innermost call first; the SDK's own calls are left out."""
    seen: set[int] = set()
    current: BaseException | None = error
    words = ""
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield f"{words}{type(current).__name__}: {current}"
        yield from _frames(current)
        cause = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
        words, current = ("caused by " if current.__cause__ else "while handling "), cause


def _frames(error: BaseException) -> list[str]:
    lines = []
    at = error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        if not code.co_filename.startswith(_HERE):
            name = os.path.basename(code.co_filename)
            lines.append(f"    at {code.co_qualname} ({name}:{at.tb_lineno})")
        at = at.tb_next
    lines.reverse()
    return lines[:_TRACE_LINES_MAX]


class _Silence:
    """Swallows what the runtime prints of an exception that was already shown."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        """Nothing is held."""


def last_words(error: BaseException, out: TextIO | None = None) -> None:
    """Says why this instance dies: the host shows it in the task's status and in the log."""
    stream = out or sys.stderr
    for line in trace(error):
        stream.write(line + "\n")
    stream.flush()
    if _wit.IN_COMPONENT:
        sys.stderr = _Silence()
