"""`describe` and `validate`.

Enters: the package's classes. Leaves: what the host is told of them. Invariant: the same answer each time.
"""

from __future__ import annotations

from typing import Any

from .. import _wit as _wit
from ..config import Key
from ..plugin import Advice, Http, Plugin, Read, Request, Tcp
from .edge import Descriptions, answering
from wit_world.exports import plugin as wit
from wit_world.imports import batches


class PluginExports:
    """The export `plugin`."""

    def __init__(self, descriptions: Descriptions) -> None:
        self._package = descriptions.package

    @answering
    def describe(self) -> wit.PackageInfo:
        """The package."""
        package = self._package
        return wit.PackageInfo(package.name, package.version, package.doc, [_info(cls) for cls in package.plugins])

    @answering
    def validate(self, class_: str, config: list[tuple[str, str]]) -> list[wit.ConfigValue]:
        """Runs the checks of single keys, then the plugin's own."""
        settings = dict(config)
        cls = next((p for p in self._package.plugins if p.name == class_ or class_ in p.aliases), None)
        if cls is None:
            return []
        advice = {key.name: Advice(key.name, [problem]) for key in cls.config_class.keys if (problem := _checked(key, settings))}
        for own in cls.validate(settings):
            known = advice.setdefault(own.key, own)
            if known is not own:
                advice[own.key] = Advice(own.key, known.errors + own.errors, own.recommended, own.visible)
        return [wit.ConfigValue(one.key, one.recommended, one.errors, one.visible) for one in advice.values()]


def _checked(key: Key, settings: dict[str, str]) -> str | None:
    text = settings.get(key.name)
    if text is None or key.check is None:
        return None
    try:
        value = key.parse(text)
    except ValueError:
        return None  # The host has already said that it is not of its type.
    return key.checked(value)


def _info(cls: type[Plugin[Any]]) -> wit.PluginInfo:
    kind = wit.Kind[cls.kind.upper()]
    encodings = [batches.Encoding[encoding.upper()] for encoding in cls.encodings]
    keys = [_definition(key) for key in cls.config_class.keys]
    requests = [_request(ask) for ask in cls.asks]
    return wit.PluginInfo(cls.name, kind, list(cls.aliases), cls.documentation(), keys, encodings, requests)


def _request(ask: Request) -> wit.Request:
    if isinstance(ask, Http):
        return wit.Request_Http(ask.target)
    if isinstance(ask, Tcp):
        return wit.Request_Tcp(ask.target)
    return wit.Request_Read(ask.path) if isinstance(ask, Read) else wit.Request_Write(ask.path)


def _definition(key: Key) -> wit.ConfigDefinition:
    return wit.ConfigDefinition(
        name=key.name,
        config_type=wit.ConfigType[key.kind.upper()],
        required=key.required,
        default_value=key.default_text,
        constraint=_constraint(key),
        importance=wit.Importance[key.importance.upper()],
        documentation=key.doc,
        group=key.group,
        display_name=key.display,
        width=wit.Width[key.width.upper()],
        dependents=list(key.dependents),
    )


def _constraint(key: Key) -> wit.Constraint:
    if key.one_of:
        return wit.Constraint_OneOf(list(key.one_of))
    if key.low is not None or key.high is not None:
        low, high = (None if bound is None else float(bound) for bound in (key.low, key.high))
        return wit.Constraint_Between((low, high))
    return wit.Constraint_NonEmpty() if key.non_empty else wit.Constraint_Any()
