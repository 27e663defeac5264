"""The sink into a file of this machine."""

import tempfile
import unittest
from pathlib import Path

from lockgate import testing
from my_sink import MySink


class MySinkTest(unittest.TestCase):
    def setUp(self) -> None:
        self.enterContext(testing.Host())
        self.file = Path(self.enterContext(tempfile.TemporaryDirectory())) / "out.txt"

    def test_records_become_lines_and_tombstones_are_named(self) -> None:
        sink = testing.sink(MySink, {"file": str(self.file), "separator": "|"})
        bad = sink.put([testing.record("t", "v", "k"), testing.record("t", None), testing.record("t", "w")])
        sink.prepare_commit([])
        sink.close()
        self.assertEqual([(one.index, one.code) for one in bad], [(1, "my.tombstone")])
        self.assertEqual(self.file.read_bytes(), b"t|k|v\nt||w\n")


if __name__ == "__main__":
    unittest.main()
