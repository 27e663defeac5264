"""The flat layout of `wit/batches.wit`: rows of 64 bytes, header rows and places of 16.

Enters: nothing. Leaves: one `struct.Struct` for each kind of row. Invariant: as the WIT says, byte by byte.
"""

from __future__ import annotations

import struct
from typing import Final

ROW: Final = struct.Struct("<qqIIIIIIIIIIII")
"""offset, timestamp, partition, topic, key at, key length, value at, value length, first header, headers, source row,
flags, key schema, value schema."""
HEADER: Final = struct.Struct("<IHHII")
"""name at, name length, schema, value at, value length."""
PLACE: Final = struct.Struct("<IIq")
"""topic, partition, offset."""
VALUES: Final = struct.Struct("<32xII24x")
"""Only the value's span of a row."""
KEYS: Final = struct.Struct("<24xII32x")
"""Only the key's span of a row."""
NULL: Final = 0xFFFFFFFF
"""Length of what is null; "any partition"; "after no row"."""
GUEST_SCHEMA: Final = 0x8000
"""First schema id that a plugin may give out."""
LAST_SCHEMA: Final = 0xFFFF
"""Last schema id."""
