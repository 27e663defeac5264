"""Records as views over flat batches."""

import unittest

from lockgate import BadRecord, BadRecords, Batch, Config, Place, Sink, testing
from lockgate.records import partition_offsets, places
from lockgate.schemas import Schemas


def batch(*records: testing.TestRecord) -> Batch:
    return Batch(testing.raw_batch(records, {}), Schemas())


class Records(unittest.TestCase):
    def test_every_field_reads_back(self) -> None:
        full = testing.record(
            "orders", b"\x00\xff", "k", {"one": "1", "none": None}, partition=3, offset=2**63 - 1, timestamp=5,
            value_schema='{"type":"bytes"}',
        )  # fmt: skip
        one, two = batch(full, testing.record("other"))
        self.assertEqual((one.topic, one.partition, one.offset, one.timestamp), ("orders", 3, 2**63 - 1, 5))
        self.assertEqual((one.key, one.value, one.key_text), (b"k", b"\x00\xff", "k"))
        self.assertEqual([(h.name, h.value) for h in one.headers], [("one", b"1"), ("none", None)])
        self.assertEqual((one.value_schema, one.key_schema), ('{"type":"bytes"}', None))
        self.assertEqual((two.topic, two.key, two.value, two.timestamp, two.headers), ("other", None, None, None, []))

    def test_values_are_views_and_not_copies(self) -> None:
        made = batch(testing.record(value="abc"))
        value = made[0].value
        assert value is not None
        self.assertIs(value.obj, made._data.obj)
        self.assertEqual(list(made.values()), [b"abc"])
        self.assertEqual(list(made.keys()), [None])

    def test_a_batch_is_counted_and_indexed_as_a_list(self) -> None:
        made = batch(*(testing.record(value=str(n)) for n in range(3)))
        self.assertEqual((len(made), made[-1].value_text, made[1].index), (3, "2", 1))
        with self.assertRaises(IndexError):
            made[3]

    def test_the_last_header_of_a_name_counts(self) -> None:
        one = testing.record()
        one.headers = [("h", b"1"), ("h", b"2")]
        found = batch(one)[0].header("h")
        assert found is not None
        self.assertEqual(found.value, b"2")
        self.assertIsNone(batch(one)[0].header("x"))

    def test_places_are_exact_over_all_64_bits(self) -> None:
        all_places = [Place("a", 0, 2**63 - 1), Place("b", 7, -1), Place("a", 1, 0)]
        self.assertEqual(places(partition_offsets(all_places)), all_places)


class Odd(Sink[Config], name="test.Odd"):
    """Refuses odd values."""

    def put(self, batch: Batch) -> list[BadRecord]:
        if any(value == b"all" for value in batch.values()):
            raise BadRecords([BadRecord("test.all", "all", record) for record in batch])
        return [BadRecord("test.odd", "odd", r, retriable=True) for r in batch if r.value and int(r.value_text or 0) % 2]


class Sinks(unittest.TestCase):
    def test_bad_records_are_named_by_their_index(self) -> None:
        with testing.Host():
            sink = testing.sink(Odd)
            bad = sink.put(testing.record(value=str(n)) for n in range(4))
            self.assertEqual([(b.index, b.code, b.retriable) for b in bad], [(1, "test.odd", True), (3, "test.odd", True)])
            with self.assertRaises(BadRecords) as raised:
                sink.put([testing.record(value="all")])
            self.assertEqual([b.index for b in raised.exception.records], [0])

    def test_by_default_all_offsets_are_agreed_to_and_none_is_wanted_elsewhere(self) -> None:
        with testing.Host():
            sink = testing.sink(Odd)
            asked = [Place("t", 0, 5)]
            self.assertEqual(sink.prepare_commit(asked), asked)
            self.assertEqual(sink.assigned(asked), [])

    def test_a_bad_record_without_a_record_is_an_error_of_the_plugin(self) -> None:
        class Nameless(Sink[Config], name="test.Nameless"):
            def put(self, batch: Batch) -> list[BadRecord]:
                return [BadRecord("x", "y")]

        with testing.Host(), self.assertRaisesRegex(TypeError, "third argument"):
            testing.sink(Nameless).put([testing.record()])


if __name__ == "__main__":
    unittest.main()
