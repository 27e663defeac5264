"""Where a run through the pages of an API is.

Enters: what an answer says of the next page, of bounds and times. Leaves: offsets. Invariant: all of it is scalars, as the host stores them.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

Place = str | int | float | None
Bound = str | int | float | None
SECONDS_MAX = 100_000_000_000
"""A number beyond it counts milliseconds: in seconds it would be the year 5138."""


@dataclass(frozen=True)
class Run:
    """The source offset."""

    at: Place = None
    """The page: a URL, a cursor or a number; none: the first."""
    done: int = 0
    """Items of that page that were taken."""
    since: Bound = None
    """The bound that this run asks with."""
    bound: Bound = None
    """The largest value met in this run: the bound of the next."""
    seen: str = ""
    """Ids that were delivered."""
    etag: str | None = None

    def ended(self, etag: str | None, at: Place) -> Run:
        """The next run, not begun yet. One that rests on a cursor asks for it again, and behind what was taken there."""
        done = self.done if at is not None else 0
        return replace(self, at=at, done=done, since=larger(self.since, self.bound), bound=None, etag=etag)


def larger(one: Bound, other: Bound) -> Bound:
    """The larger of two; numbers are compared as such, everything else as text."""
    if one is None or other is None:
        return one if other is None else other
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return max(one, other)
    return max(str(one), str(other))


def links(headers: Iterable[str]) -> dict[str, str]:
    """The targets of `Link` headers by their relation (RFC 8288)."""
    found: dict[str, str] = {}
    for header in headers:
        for target, parameters in re.findall(r"<([^>]*)>((?:\s*;\s*[^\s=;,]+\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]+))*)", header):
            relation = re.search(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", parameters, re.IGNORECASE)
            for name in (relation[1] or relation[2] or "").lower().split() if relation else ():
                found.setdefault(name, target)
    return found


def moment(value: Any) -> int | None:
    """Milliseconds since the epoch; none where it is no time."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return int(value if abs(value) > SECONDS_MAX else value * 1000)
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.datetime.fromisoformat(value)
    except ValueError:
        return None
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.timezone.utc)
    return max(round(aware.timestamp() * 1000), 0)
