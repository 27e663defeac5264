"""A small key-value store of the task, stored with its positions.

Enters: keys up to 256 bytes, values up to 64 KiB; 1 MiB and 1,000 keys a task. Leaves: the same in the next instance. Invariant: what
a call writes becomes durable together with the positions that it returned, or with the next commit of a sink.
"""

from __future__ import annotations

import json
from typing import Any

from . import _wit as _wit
from .faults import Fatal
from componentize_py_types import Err
from wit_world.imports import state as _state


def get(key: str) -> bytes | None:
    """The value, or none."""
    return _state.get(key)


def set(key: str, value: bytes) -> None:
    """Sets a value. Beyond the limits: `Fatal`."""
    try:
        _state.set(key, value)
    except Err as error:
        raise Fatal("state.set", str(error.value)) from None


def remove(key: str) -> None:
    """Removes a key; removing nothing is no error."""
    _state.remove(key)


def get_json(key: str, default: Any = None) -> Any:
    """The value as `set_json` wrote it."""
    stored = get(key)
    return default if stored is None else json.loads(stored)


def set_json(key: str, value: Any) -> None:
    """Sets a value that JSON can hold."""
    set(key, json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())
