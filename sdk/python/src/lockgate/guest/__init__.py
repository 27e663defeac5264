"""The exports of a component, made of a `Package`.

Enters: calls of the host. Leaves: calls of the plugin, in its own words. Invariant: the runtime makes a new object for each call, so
what a task keeps lives in this package, one task an instance.
"""

from __future__ import annotations

import gc
import importlib
from typing import Any

from .. import logs
from ..plugin import Package
from .edge import Descriptions


def exports_of(package: Package) -> dict[str, type]:
    """The classes that componentize-py looks for in the module that it builds."""
    # Loaded lazily by the standard library, and there is no library at run time.
    importlib.import_module("encodings.idna")
    logs.set_up()
    descriptions = Descriptions(package)
    exports: dict[str, type] = {"Plugin": _bound("describing", "PluginExports", descriptions)}
    kinds = package.kinds()
    if "source" in kinds:
        exports["Source"] = _bound("sources", "SourceExports", descriptions)
    if "sink" in kinds:
        exports["Sink"] = _bound("sinks", "SinkExports", descriptions)
    if kinds & {"transform", "predicate"}:
        exports["Transform"] = _bound("transforms", "TransformExports", descriptions)
    if len(exports) > 2:
        # Several kinds are exported as the mixed world, which has all of them.
        exports.setdefault("Source", _bound("sources", "SourceExports", descriptions))
        exports.setdefault("Sink", _bound("sinks", "SinkExports", descriptions))
        exports.setdefault("Transform", _bound("transforms", "TransformExports", descriptions))
    # All instances share the memory that is there now, page by page until one writes to it. The collector writes to every object that
    # it looks at: it need not look at these.
    gc.collect()
    gc.freeze()
    return exports


def _bound(module: str, name: str, descriptions: Descriptions) -> type:
    # Imported here: a world of one kind has no bindings of the others.
    base: Any = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    instance = base(descriptions)

    class Export:
        def __new__(cls) -> Any:
            return instance

    return Export
