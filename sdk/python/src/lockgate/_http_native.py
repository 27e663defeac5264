"""HTTP outside a component, for unit tests: `urllib`, with the errors of `lockgate.http`."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from typing import Any


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


def send(
    method: str, url: str, headers: list[tuple[str, str]], body: bytes, deadline: float, max_bytes: int
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Sends a request; status, headers and body of the answer."""
    from .http import HttpError, HttpTimeout

    asked = urllib.request.Request(url, data=body or None, headers=dict(headers), method=method)
    try:
        with _OPENER.open(asked, timeout=max(deadline - time.monotonic(), 0.001)) as answer:
            return _taken(answer, max_bytes)
    except urllib.error.HTTPError as answer:
        return _taken(answer, max_bytes)
    except TimeoutError:
        raise HttpTimeout(f"no answer from {url} in time") from None
    except OSError as error:
        raise HttpError(f"{url}: {error}") from error


def _taken(answer: Any, max_bytes: int) -> tuple[int, list[tuple[str, str]], bytes]:
    from .http import HttpError

    content = answer.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise HttpError(f"the answer is larger than {max_bytes} bytes", "http.size")
    return answer.status, list(answer.headers.items()), content
