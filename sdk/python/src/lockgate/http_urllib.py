"""`urllib.request` over `lockgate.http`: https works, the worker's grants hold.

    from lockgate import http_urllib
    http_urllib.install()          # now urllib.request.urlopen("https://...") works, also in libraries that use it
"""

from __future__ import annotations

import email.message
import io
import urllib.error
import urllib.request
import urllib.response
from typing import Any

from . import http
from .faults import Fault


class _Handler(urllib.request.AbstractHTTPHandler):
    # Not `HTTPSHandler`: it is not there where Python has no `ssl`, as in the sandbox.
    http_request = urllib.request.AbstractHTTPHandler.do_request_
    https_request = urllib.request.AbstractHTTPHandler.do_request_

    def http_open(self, request: urllib.request.Request) -> Any:
        return self._lockgate(request)

    def https_open(self, request: urllib.request.Request) -> Any:
        return self._lockgate(request)

    def _lockgate(self, request: urllib.request.Request) -> Any:
        timeout = request.timeout if isinstance(request.timeout, (int, float)) else http.TIMEOUT_SECONDS
        headers = {name: value for name, value in request.header_items() if name.lower() not in ("host", "content-length")}
        data = request.data if request.data is not None else b""
        try:
            answer = http.request(
                request.get_method(), request.full_url, headers=headers, body=data, timeout=timeout  # type: ignore[arg-type]
            )  # fmt: skip
        except Fault as fault:
            raise urllib.error.URLError(fault) from fault
        message = email.message.Message()
        for name, value in answer.headers.pairs():
            message[name] = value
        opened = urllib.response.addinfourl(io.BytesIO(answer.body), message, request.full_url, answer.status)
        opened.msg = ""  # type: ignore[attr-defined]
        return opened


def opener() -> urllib.request.OpenerDirector:
    """An opener of `urllib.request`."""
    made = urllib.request.OpenerDirector()
    for handler in (
        _Handler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        made.add_handler(handler)
    return made


def install() -> None:
    """Makes it the opener that `urllib.request.urlopen` uses."""
    urllib.request.install_opener(opener())
