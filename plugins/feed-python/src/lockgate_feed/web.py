"""One request with its redirects, and what an answer means.

Enters: a URL, the settings. Leaves: the answer, or an error that says whether to try again and when. Invariant: what may go well later is
retriable, with the server's own delay; the token never leaves for another host.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Mapping
from urllib.parse import SplitResult, urljoin, urlsplit

from lockgate import Fatal, Retriable, http, metrics

from .settings import Polling

REDIRECTS_MAX = 5
SHOWN_MAX = 2000
REQUESTS = metrics.counter("feed_requests")
LATER = (408, 425, 429)


class NotFound(Fatal):
    """404 or 410."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__("http.not.found", f"{shown(url)} answered {status}: it is not there; http.not.found=skip goes on without it")


def shown(url: str) -> str:
    """A URL for people: without its query, which may hold a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def get(url: str, config: Polling, more: Mapping[str, str]) -> http.Response:
    """GETs a URL; 2xx and 304 are answers, everything else is an error."""
    headers = {**more, **config.request_headers()}
    deadline = time.monotonic() + config.timeout.total_seconds()
    start = at = url
    for _ in range(REDIRECTS_MAX + 1):
        left = max(deadline - time.monotonic(), 0.001)
        REQUESTS.add()
        try:
            answer = http.get(at, headers=headers, timeout=left, max_bytes=config.bytes_max)
        except http.HttpDenied:
            host = urlsplit(at).netloc
            raise Fatal("http.denied", f"the worker does not allow this connector to reach {host}: it needs a grant") from None
        except http.HttpError as error:
            raise Retriable(error.code, f"{shown(at)}: {error.message.replace(at, 'it')}") from None
        if answer.status not in (301, 302, 303, 307, 308) or "location" not in answer.headers:
            return _judged(answer, start, config)
        at = _target(at, answer.headers["location"])
        if _origin(urlsplit(at)) != _origin(urlsplit(start)):
            # What the user wrote for one host is not for another.
            headers = {name: value for name, value in headers.items() if name in (*more, "user-agent")}
    raise Fatal("http.redirect", f"{shown(start)} redirects more than {REDIRECTS_MAX} times")


def _target(at: str, location: str) -> str:
    target = urljoin(at, location)
    try:
        parts = urlsplit(target)
        usable = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    except ValueError:
        usable = False
    if not usable:
        raise Fatal("http.redirect", f"{shown(at)} redirects to what is no http:// or https:// URL")
    return target


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, port


def same_origin(one: str, other: str) -> bool:
    """True if scheme, host and port are the same."""
    return _origin(urlsplit(one)) == _origin(urlsplit(other))


def _judged(answer: http.Response, url: str, config: Polling) -> http.Response:
    status = answer.status
    if answer.ok or status == 304:
        return answer
    detail = answer.text[:SHOWN_MAX]
    if status in (404, 410):
        raise NotFound(url, status)
    if status >= 500 or status in LATER:
        after = min(retry_after(answer.headers.get("retry-after", "")), config.retry_after_max.total_seconds())
        raise Retriable("http.busy", f"{shown(url)} answered {status}; it is asked again", after=after, detail=detail)
    if status in (401, 403, 407):
        raise Fatal("http.auth", f"{shown(url)} answered {status}: check http.auth.token and http.headers", detail=detail)
    raise Fatal("http.status", f"{shown(url)} answered {status}", detail=detail)


def retry_after(text: str) -> float:
    """Seconds that a `Retry-After` asks for: it is a number or a date (RFC 9110, 10.2.3)."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        until = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(until.timestamp() - time.time(), 0.0)
