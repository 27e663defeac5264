"""Config definitions, declared once as a class, and settings read by them.

Enters: a class with typed fields; the user's settings as text. Leaves: `config-definition`s for the host, an object with typed
values for the plugin. Invariant: a value that was read is of its type and inside its constraint, or every problem is named.

    class Settings(Config):
        url: str = key(doc="Where to read.")                                     # no default: the user must give it
        batch_size: int = key(500, between=(1, 10_000), doc="Records a request.") # the key is `batch.size`
        mode: Literal["append", "replace"] = key("append")
        token: Secret | None = key(None, doc="Sent as a bearer token.")          # masked wherever it is shown
        wait: timedelta = key(timedelta(seconds=5), name="wait.ms")
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Final, Literal, TypeVar

from .faults import ConfigError

C = TypeVar("C", bound="Config")
_REQUIRED: Final = object()
_BITS: Final = {16: "short", 32: "int", 64: "long"}
Kind = Literal["boolean", "string", "int", "short", "long", "double", "list", "class", "password"]
Importance = Literal["high", "medium", "low"]
Width = Literal["none", "short", "medium", "long"]


class Secret(str):
    """A text that is not shown: `print` and logs give stars. `reveal()` gives the text."""

    def reveal(self) -> str:
        """The secret itself."""
        return str.__str__(self)

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"


@dataclass(frozen=True)
class Key:
    """One config key; made by `key`."""

    name: str
    kind: Kind
    parse: Callable[[str], Any]
    wanted: str
    optional: bool
    default: Any
    doc: str
    one_of: tuple[str, ...]
    low: float | None
    high: float | None
    non_empty: bool
    check: Callable[[Any], str | None] | None
    importance: Importance
    group: str
    display: str
    width: Width
    dependents: tuple[str, ...]

    @property
    def required(self) -> bool:
        """True if the user must give a value."""
        return self.default is _REQUIRED

    @property
    def default_text(self) -> str | None:
        """The default as the user would write it; none = null."""
        return None if self.required or self.default is None else _text(self.default)

    def read(self, text: str) -> tuple[Any, str | None]:
        """The value of a text, and what is wrong with it."""
        try:
            value = self.parse(text)
        except ValueError:
            shown = "the value" if self.kind == "password" else f"`{text}`"
            return None, f"{shown} is not {self.wanted}"
        return value, self._problem(value, text)

    def _problem(self, value: Any, text: str) -> str | None:
        if self.one_of and text not in self.one_of:
            return f"`{text}` is not one of {', '.join(self.one_of)}"
        if self.non_empty and not value:
            return "it must not be empty"
        if self.low is not None or self.high is not None:
            number = float(text)
            if (self.low is not None and number < self.low) or (self.high is not None and number > self.high):
                low, high = ("any" if bound is None else f"{bound:g}" for bound in (self.low, self.high))
                return f"{text} is out of range: {low} to {high} is allowed"
        return self.checked(value)

    def checked(self, value: Any) -> str | None:
        """What the plugin's own check says."""
        if self.check is None:
            return None
        try:
            return self.check(value)
        except ValueError as error:
            return str(error)


def key(
    default: Any = _REQUIRED,
    *,
    name: str = "",
    doc: str = "",
    one_of: Iterable[str] = (),
    between: tuple[float | None, float | None] | None = None,
    non_empty: bool = False,
    check: Callable[[Any], str | None] | None = None,
    bits: Literal[16, 32, 64] = 64,
    importance: Importance | None = None,
    group: str = "",
    display: str = "",
    width: Width = "none",
    dependents: Iterable[str] = (),
) -> Any:
    """Describes a field of a `Config`.

    `default`: the value where the user gives none; without it the user must give one. `name`: the key, by default the field's
    name with dots for underscores. `doc`: one or two sentences: meaning, unit, effect. `one_of`: the only texts allowed.
    `between`: both ends included, None = open. `check`: returns what is wrong with a value, or raises `ValueError`; it runs at
    validation and before `open`. `bits`: size of whole numbers. `importance`: `high` for required keys, else `medium`.
    """
    given = dict(
        default=default, name=name, doc=doc, one_of=tuple(one_of), between=between, non_empty=non_empty, check=check, bits=bits,
        importance=importance, group=group, display=display, width=width, dependents=tuple(dependents),
    )  # fmt: skip
    return _Described(given)


@dataclass(frozen=True)
class _Described:
    given: dict[str, Any]


@typing.dataclass_transform(kw_only_default=True, field_specifiers=(key,))
class Config:
    """Settings of a plugin: subclass it, one annotated field for each key."""

    keys: ClassVar[tuple[Key, ...]] = ()
    """The definitions, in the order they are shown."""
    _fields: ClassVar[tuple[tuple[str, Key], ...]] = ()
    settings: Mapping[str, str] = types.MappingProxyType({})
    """Everything that the user wrote, also what no field names."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        hints = typing.get_type_hints(cls)
        fields = dict(cls._fields)
        for field in inspect.get_annotations(cls):
            if typing.get_origin(hints[field]) is ClassVar:
                continue
            described = cls.__dict__.get(field, _Described({"default": _REQUIRED}))
            if not isinstance(described, _Described):
                described = _Described({"default": described})
            fields[field] = _key(field, hints[field], **described.given)
            if hasattr(cls, field):
                delattr(cls, field)
        cls._fields = tuple(fields.items())
        cls.keys = tuple(fields.values())

    def __init__(self, **values: Any) -> None:
        for field, key_ in self._fields:
            if field in values:
                setattr(self, field, values.pop(field))
            elif key_.required:
                raise TypeError(f"{type(self).__name__} needs `{field}`")
            else:
                setattr(self, field, list(key_.default) if isinstance(key_.default, list) else key_.default)
        if values:
            raise TypeError(f"{type(self).__name__} has no `{'`, `'.join(values)}`")

    @classmethod
    def read(cls: type[C], settings: Mapping[str, str]) -> C:
        """Reads settings. Raises `ConfigError` with all problems at once."""
        values: dict[str, Any] = {}
        problems: list[tuple[str, str]] = []
        for field, key_ in cls._fields:
            text = settings.get(key_.name)
            if text is None:
                if key_.required:
                    problems.append((key_.name, f"a value is missing; {key_.wanted} is needed"))
                continue
            values[field], problem = key_.read(text)
            if problem is not None:
                problems.append((key_.name, problem))
        if problems:
            raise ConfigError(problems)
        config = cls(**values)
        config.settings = types.MappingProxyType(dict(settings))
        return config


def _key(
    field: str, hint: Any, default: Any, name: str = "", doc: str = "", one_of: tuple[str, ...] = (),
    between: tuple[float | None, float | None] | None = None, bits: int = 64, importance: Importance | None = None,
    **rest: Any,
) -> Key:  # fmt: skip
    inner, optional = _inner(hint)
    if typing.get_origin(inner) is Literal:
        one_of, inner = tuple(str(choice) for choice in typing.get_args(inner)), str
    if inner not in _TYPES and typing.get_origin(inner) is not list:
        raise TypeError(f"config field `{field}` is of a type that a setting cannot have: {hint!r}")
    kind, parse, wanted = _TYPES[list if typing.get_origin(inner) is list else inner]
    low, high = between or (None, None)
    merged: dict[str, Any] = dict(non_empty=False, check=None, group="", display="", width="none", dependents=()) | rest
    return Key(
        name=name or field.replace("_", "."), kind=typing.cast(Kind, _BITS[bits] if kind == "long" else kind), parse=parse,
        wanted=wanted, optional=optional, default=default, doc=doc, one_of=one_of, low=low, high=high,
        importance=importance or ("high" if default is _REQUIRED else "medium"), **merged,
    )  # fmt: skip


def _inner(hint: Any) -> tuple[Any, bool]:
    """The type without `| None`, and whether that was there."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint, False
    others = [part for part in typing.get_args(hint) if part is not type(None)]
    return (others[0] if len(others) == 1 else hint), True


def _boolean(text: str) -> bool:
    lower = text.strip().lower()
    if lower not in ("true", "false"):
        raise ValueError(text)
    return lower == "true"


def _list(text: str) -> Sequence[str]:
    return [entry for entry in (part.strip() for part in text.split(",")) if entry]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, list):
        return ",".join(value)
    if isinstance(value, timedelta):
        return str(round(value.total_seconds() * 1000))
    return str(value)


_TYPES: Final[dict[Any, tuple[str, Callable[[str], Any], str]]] = {
    bool: ("boolean", _boolean, "true or false"),
    str: ("string", str, "a text"),
    int: ("long", int, "a whole number"),
    float: ("double", float, "a number"),
    list: ("list", _list, "a list of texts, separated by commas"),
    Secret: ("password", Secret, "a secret"),
    timedelta: ("long", lambda text: timedelta(milliseconds=int(text)), "a number of milliseconds"),
}
