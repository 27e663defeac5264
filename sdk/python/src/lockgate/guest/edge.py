"""What every export does: find the plugin, turn errors into faults.

Enters: class names, exceptions. Leaves: plugins, faults of `wit/faults.wit`. Invariant: only `Fault`s become answers; any other
exception is shown with its trace and ends the instance.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar, cast

from .. import logs
from ..faults import BadRecord, BadRecords, ConfigError, Fatal, Fault, Retriable
from ..plugin import Encoding, Formats, Kind, Package, Plugin, Task
from componentize_py_types import Err
from wit_world.imports import batches, faults, tasks

P = ParamSpec("P")
R = TypeVar("R")
DETAIL_MAX = 16 * 1024
MS_MAX = 0xFFFFFFFF


class Descriptions:
    """The plugins of the package."""

    def __init__(self, package: Package) -> None:
        self.package = package

    def find(self, kind: Kind, name: str) -> type[Plugin[Any]]:
        """A plugin by class or alias."""
        found = self.package.find(kind, name)
        if found is None:
            raise Fatal("guest.class", f"this package has no {kind} `{name}`")
        return found


def open_plugin(cls: type[Plugin[Any]], connector: str, number: int, settings: Any, formats: Formats) -> Plugin[Any]:
    """Makes the object of a task; problems of its settings are a `ConfigError`."""
    texts = dict(settings)
    return cls(Task(connector, number, texts, formats), cls.config_class.read(texts))


def task_of(cls: type[Plugin[Any]], context: tasks.TaskContext) -> Plugin[Any]:
    """Likewise, of what the host says."""
    return open_plugin(cls, context.connector, context.task, context.config, formats_of(context.formats))


def formats_of(raw: batches.Formats) -> Formats:
    """The encodings of a task by their names."""

    def name(encoding: batches.Encoding) -> Encoding:
        return cast(Encoding, encoding.name.lower())

    return Formats(name(raw.key), name(raw.value), name(raw.header))


def pairs(settings: Mapping[str, str]) -> list[tuple[str, str]]:
    """Settings as the host takes them."""
    return [(key, str(value)) for key, value in settings.items()]


def answering(call: Callable[P, R]) -> Callable[P, R]:
    """Turns faults into answers, and shows the trace of everything else."""

    @functools.wraps(call)
    def answer(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except Fault as fault:
            raise Err(raw_fault(fault)) from None
        except BaseException as error:
            logs.last_words(error)
            raise

    return answer


def raw_fault(fault: Fault) -> faults.Fault:
    """A fault as the host takes it."""
    detail = fault.detail
    if not detail and fault.__cause__ is not None:
        detail = "\n".join(logs.trace(fault.__cause__))
    return faults.Fault(_kind(fault), fault.code, fault.message, detail[:DETAIL_MAX])


def _kind(fault: Fault) -> Any:
    if isinstance(fault, Retriable):
        return faults.FaultKind_Retriable(min(max(round(fault.after * 1000), 0), MS_MAX))
    if isinstance(fault, ConfigError):
        return faults.FaultKind_Config([faults.ConfigProblem(key, problem) for key, problem in fault.problems])
    if isinstance(fault, BadRecords):
        return faults.FaultKind_Rows([raw_bad(record, record.index) for record in fault.records])
    return faults.FaultKind_Fatal()


def raw_bad(bad: BadRecord, index: int | None, step: int = 0) -> faults.RowFault:
    """A bad record as the host takes it."""
    if index is None:
        raise TypeError(f"BadRecord({bad.code!r}, ...) does not say which record: give it as the third argument")
    return faults.RowFault(index, step, bad.retriable, bad.code, bad.message)
