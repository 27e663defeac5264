"""HTTP inside a component: wasi:http. Imported only where the world has it.

Enters: method, URL, headers, body, deadline. Leaves: status, headers, body. Invariant: every wait ends at the deadline, and every handle is
given back before the next request.
"""

from __future__ import annotations

import time
from typing import Any, Final
from urllib.parse import urlsplit

from componentize_py_types import Err, Ok
from wit_world.imports import monotonic_clock, outgoing_handler, poll, streams
from wit_world.imports import types as wasi

READ_BYTES: Final = 64 * 1024
METHODS: Final = {
    "GET": wasi.Method_Get,
    "HEAD": wasi.Method_Head,
    "POST": wasi.Method_Post,
    "PUT": wasi.Method_Put,
    "DELETE": wasi.Method_Delete,
    "CONNECT": wasi.Method_Connect,
    "OPTIONS": wasi.Method_Options,
    "TRACE": wasi.Method_Trace,
    "PATCH": wasi.Method_Patch,
}


def send(
    method: str, url: str, headers: list[tuple[str, str]], body: bytes, deadline: float, max_bytes: int
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Sends a request; status, headers and body of the answer."""
    try:
        return _send(method, url, headers, body, deadline, max_bytes)
    except Err as error:
        raise _error(error.value, url) from None


def _send(
    method: str, url: str, headers: list[tuple[str, str]], body: bytes, deadline: float, max_bytes: int
) -> tuple[int, list[tuple[str, str]], bytes]:
    request = _request(method, url, [*headers, ("content-length", str(len(body)))])
    options = wasi.RequestOptions()
    left = max(int((deadline - time.monotonic()) * 1e9), 1)
    for setter in (options.set_connect_timeout, options.set_first_byte_timeout, options.set_between_bytes_timeout):
        setter(left)
    outgoing = request.body()
    future = outgoing_handler.handle(request, options)
    # A server may answer (413, 401) and close before it has read everything: then the answer counts.
    broken = _write(outgoing, body, deadline, url)
    with future:
        while (answer := future.get()) is None:
            if broken:
                raise _timeout(url)
            with future.subscribe() as ready:
                _wait(ready, deadline, url)
        if not isinstance(answer, Ok) or not isinstance(answer.value, Ok):
            raise _error(_innermost(answer), url)
        with answer.value.value as response:
            with response.headers() as fields:
                pairs = [(name.lower(), value.decode("latin-1")) for name, value in fields.entries()]
            return response.status(), pairs, _read(response, deadline, max_bytes, url)


def _innermost(answer: Any) -> Any:
    while isinstance(answer, (Ok, Err)):
        answer = answer.value
    return answer


def _request(method: str, url: str, headers: list[tuple[str, str]]) -> wasi.OutgoingRequest:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
        raise ValueError(f"`{url}` is not an http:// or https:// URL with a host and without a user")
    request = wasi.OutgoingRequest(wasi.Fields.from_list([(name, value.encode("latin-1")) for name, value in headers]))
    request.set_method(METHODS[method]() if method in METHODS else wasi.Method_Other(method))
    request.set_scheme(wasi.Scheme_Https() if parts.scheme == "https" else wasi.Scheme_Http())
    request.set_authority(parts.netloc)
    request.set_path_with_query((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    return request


def _wait(ready: poll.Pollable, deadline: float, url: str) -> None:
    left = int((deadline - time.monotonic()) * 1e9)
    if left <= 0:
        raise _timeout(url)
    with monotonic_clock.subscribe_duration(left) as timer:
        poll.poll([ready, timer])


def _write(outgoing: wasi.OutgoingBody, body: bytes, deadline: float, url: str) -> bool:
    """True if time ran out. A connection that breaks meanwhile is left to the answer."""
    rest = memoryview(body)
    try:
        with outgoing.write() as stream:
            while rest:
                room = min(stream.check_write(), len(rest))
                if not room:
                    with stream.subscribe() as ready:
                        _wait(ready, deadline, url)
                    continue
                stream.write(bytes(rest[:room]))
                rest = rest[room:]
            stream.flush()
        wasi.OutgoingBody.finish(outgoing, None)
    except Err:
        return False
    return bool(time.monotonic() > deadline)


def _read(response: wasi.IncomingResponse, deadline: float, max_bytes: int, url: str) -> bytes:
    from .http import HttpError

    content = bytearray()
    with response.consume() as body, body.stream() as stream:
        while True:
            try:
                part = stream.read(READ_BYTES)
            except Err as error:
                if isinstance(error.value, streams.StreamError_Closed):
                    return bytes(content)
                raise HttpError(f"{url}: the answer broke off: {error.value.value.to_debug_string()}") from None
            content += part
            if len(content) > max_bytes:
                raise HttpError(f"the answer of {url} is larger than {max_bytes} bytes", "http.size")
            if not part:
                with stream.subscribe() as ready:
                    _wait(ready, deadline, url)


def _timeout(url: str) -> Exception:
    from .http import HttpTimeout

    return HttpTimeout(f"no answer from {url} in time")


def _error(error: Any, url: str) -> Exception:
    from .http import HttpDenied, HttpError

    if isinstance(error, (wasi.ErrorCode_HttpRequestDenied, wasi.ErrorCode_DestinationIpProhibited)):
        return HttpDenied(f"the worker does not allow this task to go to {url}")
    late = (wasi.ErrorCode_ConnectionTimeout, wasi.ErrorCode_ConnectionReadTimeout, wasi.ErrorCode_HttpResponseTimeout)
    if isinstance(error, late):
        return _timeout(url)
    what = type(error).__name__.removeprefix("ErrorCode_")
    more = getattr(error, "value", None)
    return HttpError(f"{url}: {what}" + (f" ({more})" if more is not None else ""))
