"""Sources, sinks, transforms and predicates for Lockgate, in Python.

Subclass `Source`, `Sink`, `Transform` or `Predicate`, describe the settings in a `Config`, name the plugins in one `Package`, and build
the component with `python -m lockgate build`. The README leads through it.

    from lockgate import Batch, Config, Package, Sink, key

    class Settings(Config):
        word: str = key("hey", doc="What to shout.")

    class Shout(Sink[Settings], name="com.example.Shout"):
        \"\"\"Shouts each value.\"\"\"

        def put(self, batch: Batch) -> None:
            for record in batch:
                logging.info("%s %s", self.config.word, record.value_text)

    package = Package("shout", "0.1.0", Shout)
"""

from __future__ import annotations

from . import _wit as _wit
from . import context, metrics, state
from .config import Config, Key, Secret, key
from .faults import BadRecord, BadRecords, ConfigError, Fatal, Fault, Retriable
from .plugin import Advice, Connector, Encoding, Formats, Http, Package, Plugin, Read, Task, Tcp, Write
from .records import Batch, Header, Place, Record
from .sink import Sink
from .source import DONE, FLUSH, NOW, After, Message, Next, Poll, Position, Positions, Source
from .transform import DROP, Flow, Predicate, Transform, TransformRecord

__version__ = "0.1.0"
"""Major and minor version are those of the WIT, `lockgate:connect@0.1`."""

__all__ = [
    "DONE", "DROP", "FLUSH", "NOW", "Advice", "After", "BadRecord", "BadRecords", "Batch", "Config", "ConfigError", "Connector",
    "Encoding", "Fatal", "Fault", "Flow", "Formats", "Header", "Http", "Key", "Message", "Next", "Package", "Place", "Plugin",
    "Poll", "Position", "Positions", "Predicate", "Read", "Record", "Retriable", "Secret", "Sink", "Source", "Task", "Tcp",
    "Transform", "TransformRecord", "Write", "context", "key", "metrics", "state",
]  # fmt: skip
