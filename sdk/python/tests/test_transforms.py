"""Records on their way through a chain."""

import unittest

from lockgate import DROP, BadRecord, Config, Flow, Predicate, Transform, TransformRecord, key, testing
from lockgate.testing import Step, record


class Settings(Config):
    op: str = key("keep")


class Does(Transform[Settings], name="test.Does"):
    """Does what `op` says."""

    def apply(self, one: TransformRecord) -> Flow:
        match self.config.op:
            case "drop":
                return DROP
            case "fail" if one.value == b"bad":
                one.value = "never seen"
                raise BadRecord("test.bad", "bad")
            case "split":
                return self.split(one)
            case "upper" if one.value is not None:
                one.value = bytes(one.value).upper()
            case "twice" if one.value is not None:
                one.value = bytes(one.value) * 2
            case "head":
                one.value_from(one, 0, 1)
            case "swap":
                one.value_to_key()
                one.value = None
            case "move":
                one.topic, one.partition, one.timestamp = "elsewhere", None, None
            case "headers":
                one.add_header("new", "1")
                one.remove_header("old")
            case "schema":
                one.value_schema = '{"type":"string"}'
        return None

    def split(self, one: TransformRecord) -> Flow:
        for part in (one.value_text or "").split(","):
            one.value = part
            yield


class HasKey(Predicate[Config], name="test.HasKey"):
    """Holds where there is a key."""

    def test(self, one: TransformRecord) -> bool:
        return one.key is not None


def chain(*ops: str) -> list[Step]:
    return [Step(Does, {"op": op}) for op in ops]


class Chains(unittest.TestCase):
    def setUp(self) -> None:
        self.enterContext(testing.Host())

    def test_a_record_that_is_kept_is_the_same_record(self) -> None:
        given = [record("t", "v", "k", {"h": "1", "n": None}, partition=2, offset=9, timestamp=5), record("u")]
        out, failed = testing.apply(chain("keep"), given)
        given[1].source_row = 1
        self.assertEqual((out, failed), (given, []))

    def test_bytes_that_are_not_changed_are_not_copied(self) -> None:
        from lockgate.guest.edge import Descriptions
        from lockgate.guest.transforms import TransformExports
        from lockgate.plugin import Package
        from wit_world.exports import transform as wit

        exports = TransformExports(Descriptions(Package("p", "0.0.0", Does)))
        steps = [wit.Step("s", "test.Does", [("op", op)], None) for op in ("head", "swap", "move")]
        exports.open(testing._task(Does, {}, "bytes"), steps)
        self.assertEqual(exports.apply(testing.raw_batch([record(value="abc", headers={"h": "1"})], {})).appended, b"")

    def test_steps_see_what_earlier_steps_left(self) -> None:
        out, _ = testing.apply(chain("upper", "twice", "head"), [record(value="ab"), record()])
        self.assertEqual([r.value for r in out], [b"A", None])

    def test_a_split_goes_on_through_the_steps_that_follow(self) -> None:
        out, _ = testing.apply(chain("split", "twice"), [record(value="a,b", key="k", headers={"h": "1"}), record(value="c")])
        self.assertEqual([(r.value, r.source_row) for r in out], [(b"aa", 0), (b"bb", 0), (b"cc", 1)])
        self.assertEqual([(r.key, r.headers) for r in out[:2]], [(b"k", [("h", b"1")])] * 2)

    def test_dropped_and_failed_records_are_missing(self) -> None:
        out, failed = testing.apply(chain("keep", "fail"), [record(value=v) for v in ("a", "bad", "c")])
        self.assertEqual([(r.value, r.source_row) for r in out], [(b"a", 0), (b"c", 2)])
        self.assertEqual([(step, bad.index, bad.code) for step, bad in failed], [(1, 1, "test.bad")])
        self.assertEqual(testing.apply(chain("drop"), [record(value="a")]), ([], []))

    def test_topic_partition_headers_and_schema_change(self) -> None:
        (one,), _ = testing.apply(chain("move", "headers", "schema"), [record(value="a", headers={"old": "x"}, timestamp=3)])
        self.assertEqual((one.topic, one.partition, one.timestamp), ("elsewhere", None, None))
        self.assertEqual((one.headers, one.value_schema), ([("new", b"1")], '{"type":"string"}'))

    def test_a_predicate_decides_record_by_record(self) -> None:
        given = [record(value="a", key="k"), record(value="b")]
        for negate, expected in ((False, [b"A", b"b"]), (True, [b"a", b"B"])):
            step = Step(Does, {"op": "upper"}, HasKey, negate=negate)
            self.assertEqual([r.value for r in testing.apply([step], given)[0]], expected)


if __name__ == "__main__":
    unittest.main()
