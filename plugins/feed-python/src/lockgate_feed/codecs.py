"""Character sets of documents: loaded while the component is built, because there is no library on disk at run time.

Enters: nothing. Leaves: codecs that Python finds by name. Invariant: one that this Python lacks is passed over.
"""

from __future__ import annotations

import importlib

NAMES = (
    "ascii", "big5", "cp1250", "cp1251", "cp1252", "cp437", "cp850", "euc_jp", "euc_kr", "gb18030", "gb2312", "gbk", "iso2022_jp",
    "iso8859_1", "iso8859_15", "iso8859_2", "iso8859_5", "iso8859_7", "iso8859_9", "koi8_r", "koi8_u", "latin_1", "shift_jis", "utf_16",
    "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le", "utf_8", "utf_8_sig",
)  # fmt: skip


def load() -> None:
    """Imports them."""
    for name in NAMES:
        try:
            importlib.import_module(f"encodings.{name}")
        except ImportError:
            continue
        "".encode(name)
