"""Generators read into batches."""

import json
import unittest
from collections.abc import Iterable
from dataclasses import dataclass

from lockgate import DONE, FLUSH, NOW, After, Config, Message, Next, Poll, Position, Positions, Retriable, Source, key, testing


@dataclass(frozen=True)
class Feed:
    url: str


@dataclass(frozen=True)
class Cursor:
    n: int


class Settings(Config):
    count: int = key(10)
    mode: str = key("")


class Numbers(Source[Settings], name="test.Numbers"):
    """Counts."""

    def open(self, positions: Positions) -> None:
        at = positions.get(Feed("u"), Cursor)
        self.next = at.n if at else 0
        self.heard: list[int] = []

    def poll(self) -> Poll:
        while self.next < self.config.count:
            if self.config.mode == "breaks" and self.next == 2:
                self.config.mode = ""
                raise Retriable("test.broken", "broken", after=1.5)
            self.next += 1
            yield Message("t", str(self.next - 1), position=Position(Feed("u"), Cursor(self.next)))
            if self.config.mode == "flush":
                yield FLUSH
        return DONE

    def committed(self, positions: Iterable[Position]) -> None:
        self.heard += [position.offset["n"] for position in positions]


def values(result: testing.PollResult) -> list[bytes | None]:
    return [record.value for record in result.records]


class Sources(unittest.TestCase):
    def setUp(self) -> None:
        self.host = self.enterContext(testing.Host())

    def test_a_generator_fills_batches_and_goes_on_where_it_was(self) -> None:
        source = testing.source(Numbers, {"count": "5"})
        first, second, third = (source.poll(records_max=2) for _ in range(3))
        self.assertEqual([values(p) for p in (first, second, third)], [[b"0", b"1"], [b"2", b"3"], [b"4"]])
        self.assertEqual(first.positions, [('{"url":"u"}', '{"n":2}', 1)])
        self.assertEqual((first.next, third.next, source.poll().next), ("now", "done", "done"))

    def test_reading_goes_on_after_a_stored_position_whatever_the_order_of_its_keys(self) -> None:
        source = testing.source(Numbers, {"count": "9007199254740995"}, [('{"url": "u"}', '{"n":9007199254740993,"old":1}')])
        self.assertEqual(values(source.poll()), [b"9007199254740993", b"9007199254740994"])

    def test_a_message_that_does_not_fit_leads_the_next_batch(self) -> None:
        class Wide(Source[Config], name="test.Wide"):
            def poll(self) -> Iterable[Message]:
                return [Message("t", "x" * size) for size in (4, 5, 100, 1)]

        source = testing.source(Wide)
        self.assertEqual([[len(v or b"") for v in values(source.poll(bytes_max=10))] for _ in range(3)], [[4, 5], [100], [1]])

    def test_what_was_yielded_before_a_fault_leaves_before_it(self) -> None:
        source = testing.source(Numbers, {"count": "4", "mode": "breaks"})
        self.assertEqual(values(source.poll()), [b"0", b"1"])
        with self.assertRaises(Retriable) as raised:
            source.poll()
        self.assertEqual((raised.exception.code, raised.exception.after), ("test.broken", 1.5))
        self.assertEqual(values(source.poll()), [b"2", b"3"])

    def test_flush_hands_over_what_there_is(self) -> None:
        self.assertEqual(values(testing.source(Numbers, {"mode": "flush"}).poll()), [b"0"])

    def test_what_poll_returns_says_when_to_poll_again(self) -> None:
        class Says(Source[Config], name="test.Says"):
            answers: list[Next] = [After(0.25), After(3600), NOW, DONE, None]

            def poll(self) -> Next:
                return self.answers.pop(0)

        source = testing.source(Says)
        self.assertEqual([source.poll().next for _ in range(5)], ["after 250", "after 60000", "now", "done", "after 1000"])

    def test_every_field_of_a_message_arrives(self) -> None:
        class Full(Source[Config], name="test.Full"):
            def poll(self) -> Iterable[Message]:
                schema = '{"type":"string"}'
                yield Message("t", "żółw", b"k", [("h", "1"), ("h", None)], timestamp=7, partition=2, value_schema=schema)
                yield Message("u", value_schema=schema)

        source = testing.source(Full)
        one, two = source.poll().records
        self.assertEqual((one.value, one.key, one.headers), ("żółw".encode(), b"k", [("h", b"1"), ("h", None)]))
        self.assertEqual((one.timestamp, one.partition, one.value_schema, one.offset), (7, 2, '{"type":"string"}', -1))
        self.assertEqual((two.topic, two.value, two.key, two.partition, two.timestamp), ("u", None, None, None, None))

    def test_what_is_no_message_is_an_error_of_the_plugin(self) -> None:
        class Wrong(Source[Config], name="test.Wrong"):
            def poll(self) -> Iterable[Message]:
                yield json.dumps({})  # type: ignore[misc]

        with self.assertRaisesRegex(TypeError, "poll yielded str"):
            testing.source(Wrong).poll()


if __name__ == "__main__":
    unittest.main()
