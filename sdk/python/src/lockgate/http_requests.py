"""The package `requests` over `lockgate.http`: https works, the worker's grants hold.

    from lockgate import http_requests
    session = http_requests.session()      # a requests.Session
"""

from __future__ import annotations

import io
from typing import Any

import requests
import requests.adapters
import requests.structures
import requests.utils

from . import http


class Adapter(requests.adapters.BaseAdapter):
    """A transport for `requests.Session.mount`."""

    def send(
        self, request: requests.PreparedRequest, stream: bool = False, timeout: Any = None, verify: Any = True, cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:  # fmt: skip
        """Sends a request. Of a pair of timeouts the second counts; `verify`, `cert` and proxies are the host's business."""
        seconds = timeout[1] if isinstance(timeout, tuple) else timeout
        skipped = ("content-length", "host", "connection")
        headers = {str(name): str(value) for name, value in request.headers.items() if name.lower() not in skipped}
        body = request.body if isinstance(request.body, (bytes, str)) else b""
        try:
            answer = http.request(
                request.method or "GET", request.url or "", headers=headers, body=body, timeout=seconds or http.TIMEOUT_SECONDS
            )
        except http.HttpTimeout as fault:
            raise requests.exceptions.Timeout(fault, request=request) from fault
        except (http.HttpError, http.HttpDenied) as fault:
            raise requests.exceptions.ConnectionError(fault, request=request) from fault
        made = requests.Response()
        made.status_code, made.url, made.request = answer.status, answer.url, request
        made.headers = requests.structures.CaseInsensitiveDict(answer.headers.pairs())
        made.encoding = requests.utils.get_encoding_from_headers(made.headers)
        made.raw = io.BytesIO(answer.body)
        return made

    def close(self) -> None:
        """Nothing is held."""


def session() -> requests.Session:
    """A session whose http:// and https:// go through the host."""
    made = requests.Session()
    made.trust_env = False
    for prefix in ("http://", "https://"):
        made.mount(prefix, Adapter())
    return made
