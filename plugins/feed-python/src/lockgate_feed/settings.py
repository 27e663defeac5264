"""What both sources take.

Enters: the user's settings. Leaves: typed values, request headers. Invariant: a secret stands in a header and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from lockgate import Config, Connector, Secret, key

USER_AGENT = "lockgate-feed/0.1 (+https://github.com/lockgate/lockgate)"


def bad_url(urls: list[str]) -> str | None:
    """What is wrong with one of these URLs."""
    for url in urls:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            return f"`{url}`: {error}"
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            return f"`{url}` is not an http:// or https:// URL (a comma inside one is written %2C)"
        if "@" in parts.netloc:
            return "a URL must not hold a login: use http.auth.token or http.headers"
    return "it names no URL" if not urls else "a URL stands in it twice" if len(set(urls)) < len(urls) else None


def bad_header(headers: list[str]) -> str | None:
    """What is wrong with one of these headers."""
    wrong = next((header for header in headers if not header.partition(":")[0].strip() or ":" not in header), None)
    return None if wrong is None else f"`{wrong.partition(':')[0]}` is not `name: value`"


class Polling(Config):
    """Keys of both."""

    topic: str = key(doc="The topic to write to.", non_empty=True)
    poll_interval: timedelta = key(
        timedelta(minutes=5),
        name="poll.interval.ms",
        between=(10, 86_400_000),
        doc="Milliseconds from the end of one reading of a URL to the next.",
    )
    not_found: Literal["fail", "skip"] = key(
        "fail",
        name="http.not.found",
        doc="A URL that answers 404 or 410: fail the task, or skip it with a warning and ask again after the interval.",
    )
    headers: list[str] = key([], name="http.headers", check=bad_header, doc="Headers, as `name: value`, separated by commas.")
    token: Secret | None = key(None, name="http.auth.token", doc="Sent as `Authorization: Bearer`, to the host of the URL only.")
    timeout: timedelta = key(
        timedelta(seconds=10), name="http.timeout.ms", between=(100, 25_000), doc="Milliseconds for one answer, redirects included."
    )
    retry_after_max: timedelta = key(
        timedelta(minutes=15),
        name="http.retry.after.max.ms",
        between=(0, 86_400_000),
        importance="low",
        doc="Milliseconds at most that a server's Retry-After is obeyed.",
    )
    bytes_max: int = key(
        4_194_304, name="http.answer.max.bytes", between=(1024, 33_554_432), importance="low", doc="Bytes of one answer at most."
    )
    window: int = key(
        2000, name="dedup.window", between=(0, 20_000), importance="low",
        doc="Ids of a URL that are remembered: one that comes again is not a new record. Stored with the position; 0 remembers none.",
    )  # fmt: skip

    def request_headers(self) -> dict[str, str]:
        """What goes with each request."""
        pairs = {"user-agent": USER_AGENT}
        for header in self.headers:
            name, _, value = header.partition(":")
            pairs[name.strip().lower()] = value.strip()
        if self.token is not None:
            pairs["authorization"] = f"Bearer {self.token.reveal()}"
        return pairs


def split(connector: Connector, name: str, most: int) -> Iterable[Mapping[str, str]]:
    """The URLs of `name`, dealt out to at most `most` tasks."""
    urls = [url.strip() for url in connector.settings.get(name, "").split(",") if url.strip()]
    count = max(1, min(most, len(urls)))
    return [{**connector.settings, name: ",".join(urls[number::count])} for number in range(count)]
