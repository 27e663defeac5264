"""Which ids were read already.

Enters: ids of entries. Leaves: whether one is new; a text that holds them. Invariant: at most `most` of them are kept, the newest.
"""

from __future__ import annotations

import base64
import hashlib

SIZE = 6
"""Bytes that are kept of an id: of 20,000 ids two are taken for one with a chance of one in a million."""


class Seen:
    """Ids, by the order in which they were last met."""

    def __init__(self, text: str, most: int) -> None:
        self._most = most
        whole = base64.b64decode(text) if text else b""
        self._ids = dict.fromkeys(whole[at : at + SIZE] for at in range(0, len(whole), SIZE))
        self._cut()

    def is_new(self, name: str) -> bool:
        """True if it was not met before; it is now."""
        if not self._most:
            return True
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=SIZE).digest()
        new = digest not in self._ids
        self._ids.pop(digest, None)
        self._ids[digest] = None
        self._cut()
        return new

    def text(self) -> str:
        """All of it, as base64."""
        return base64.b64encode(b"".join(self._ids)).decode()

    def _cut(self) -> None:
        while len(self._ids) > self._most:
            del self._ids[next(iter(self._ids))]
