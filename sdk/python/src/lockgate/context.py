"""Where the plugin is, and what it may ask of the host."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from . import _wit as _wit
from .source import as_json
from wit_world.imports import context as _context


def cancelled() -> bool:
    """True once the task is to stop: return soon. For long loops."""
    return _context.cancelled()


def request_reconfiguration() -> None:
    """Asks the host to call `tasks` again and to restart the connector's tasks with the answer."""
    _context.request_reconfiguration()


def offsets(partitions: Iterable[Any]) -> list[Any]:
    """The stored offsets of these source partitions, in order, as mappings; none where nothing is stored. Sources only."""
    stored = _context.positions([as_json(partition) for partition in partitions])
    return [None if offset is None else json.loads(offset) for offset in stored]
