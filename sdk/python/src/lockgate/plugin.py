"""What a plugin says of itself, and what it is opened with.

Enters: subclasses of `Source`, `Sink`, `Transform`, `Predicate`, named in one `Package`. Leaves: what the host is told of them.
Invariant: a description is built from constants alone, so it is the same each time.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Generic, Literal, TypeVar

from .config import Config

C = TypeVar("C", bound=Config)
Encoding = Literal["bytes", "json", "cbor"]
"""How keys, values and headers are to be read: opaque bytes, UTF-8 JSON, CBOR (RFC 8949)."""
Kind = Literal["source", "sink", "transform", "predicate"]
_PACKAGE_NAME: Final = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True)
class Http:
    """Asks for outbound HTTP: `host`, `host:port`, `*.domain:port` or a URL; may name config keys: `{url}`."""

    target: str


@dataclass(frozen=True)
class Tcp:
    """Asks for outbound TCP: `host:port`; may name config keys. `socket` then works."""

    target: str


@dataclass(frozen=True)
class Read:
    """Asks to read a file or a directory: absolute; may name config keys: `{file}`."""

    path: str


@dataclass(frozen=True)
class Write:
    """Asks to read, create and write files: absolute; may name config keys."""

    path: str


Request = Http | Tcp | Read | Write


@dataclass(frozen=True)
class Formats:
    """The payload encodings of one task."""

    key: Encoding = "bytes"
    value: Encoding = "bytes"
    header: Encoding = "bytes"


@dataclass(frozen=True)
class Connector:
    """One connector, before it has tasks."""

    name: str
    settings: Mapping[str, str]
    """What the user wrote."""


@dataclass(frozen=True)
class Task:
    """One task."""

    connector: str
    """Name of the connector."""
    number: int
    """From 0."""
    settings: Mapping[str, str]
    """What `tasks` returned for this task; for steps of a chain the step's own settings."""
    formats: Formats


@dataclass
class Advice:
    """What a plugin has to say about one config key, beyond its definition."""

    key: str
    errors: list[str] = field(default_factory=list)
    """What is wrong."""
    recommended: list[str] = field(default_factory=list)
    """Values to choose from."""
    visible: bool = True
    """False hides the key in user interfaces."""


class Plugin(Generic[C]):
    """What sources, sinks, transforms and predicates have in common. Subclass one of those.

    Words at the head of the class:
    `class MySink(Sink[Settings], name="com.example.MySink", encodings=["json"], asks=[Http("{url}")]):`

    `name`: what users write as `connector.class` or `transforms.x.type`. `aliases`: other names it answers to. `encodings`:
    what it takes or gives, the preferred one first. `asks`: what it needs of the outside; the worker grants it or not. The
    docstring's first paragraph is shown to users.
    """

    kind: ClassVar[Kind]
    name: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    encodings: ClassVar[tuple[Encoding, ...]] = ("bytes",)
    asks: ClassVar[tuple[Request, ...]] = ()
    config_class: ClassVar[type[Config]] = Config

    config: C
    """The settings, typed."""
    task: Task
    """Which task this is."""

    def __init_subclass__(
        cls,
        *,
        name: str = "",
        aliases: Iterable[str] = (),
        encodings: Iterable[Encoding] = ("bytes",),
        asks: Iterable[Request] = (),
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        cls.name, cls.aliases, cls.encodings, cls.asks = name, tuple(aliases), tuple(encodings), tuple(asks)
        for base in getattr(cls, "__orig_bases__", ()):
            for argument in typing.get_args(base):
                if isinstance(argument, type) and issubclass(argument, Config):
                    cls.config_class = argument

    def __init__(self, task: Task, config: C) -> None:
        self.task = task
        self.config = config

    @classmethod
    def validate(cls, settings: Mapping[str, str]) -> Iterable[Advice]:
        """Checks settings across keys; types, constraints and missing values were checked before. Has no grants."""
        return ()

    @classmethod
    def documentation(cls) -> str:
        """The first paragraph of the docstring, in one line."""
        doc = inspect.cleandoc(cls.__dict__.get("__doc__") or "")
        return " ".join(doc.split("\n\n")[0].split())


class Package:
    """The plugins of one component. One module of a project makes one: `package = Package("my-sink", "0.1.0", MySink)`."""

    def __init__(self, name: str, version: str, *plugins: type[Plugin[Any]], doc: str = "") -> None:
        """`name`: lower-case letters, digits and hyphens, at most 64; `version`: a semantic version."""
        if not _PACKAGE_NAME.fullmatch(name):
            raise ValueError(f"package name `{name}`: lower-case letters, digits and hyphens, at most 64, are allowed")
        if not plugins:
            raise ValueError(f"package `{name}` names no plugin")
        for plugin in plugins:
            if not plugin.name:
                raise ValueError(f"{plugin.__name__} has no name: write `class {plugin.__name__}(..., name=\"com.example.X\")`")
        self.name, self.version, self.plugins, self.doc = name, version, plugins, doc

    def kinds(self) -> set[Kind]:
        """The kinds of plugins in it."""
        return {plugin.kind for plugin in self.plugins}

    def find(self, kind: Kind, name: str) -> type[Plugin[Any]] | None:
        """A plugin by class name or alias."""
        return next((p for p in self.plugins if p.kind == kind and (p.name == name or name in p.aliases)), None)
