"""The transform on records of this machine."""

import unittest

from lockgate import testing
from my_transform import MyTransform


class MyTransformTest(unittest.TestCase):
    def setUp(self) -> None:
        self.enterContext(testing.Host())

    def test_each_occurrence_is_replaced_and_tombstones_stay(self) -> None:
        step = testing.Step(MyTransform, {"find": "a"})
        out, failed = testing.apply([step], [testing.record("t", "a b a"), testing.record("t", None)])
        self.assertEqual(([record.value for record in out], failed), ([b"*** b ***", None], []))


if __name__ == "__main__":
    unittest.main()
