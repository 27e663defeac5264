"""The sink and the source of the benchmark: of each value the length and the first byte are touched, no more."""

from __future__ import annotations

from lockgate import Batch, Config, Message, Package, Poll, Position, Positions, Sink, Source, key, metrics

RECORDS = metrics.counter("bench_records")


class Size(Config):
    """Settings of the source."""

    size: int = key(100, doc="Bytes of a value.")


class BenchSink(Sink[Config], name="bench.Sink", encodings=["bytes"]):
    """Touches values."""

    touched = 0

    def put(self, batch: Batch) -> None:
        touched = 0
        for value in batch.values():
            if value:
                touched += len(value) + value[0]
        self.touched += touched
        RECORDS.add(len(batch))


class BenchSource(Source[Size], name="bench.Source", encodings=["bytes"]):
    """Gives records."""

    def open(self, positions: Positions) -> None:
        self.value = b"x" * self.config.size
        self.next = 0

    def poll(self) -> Poll:
        while True:
            self.next += 1
            yield Message("bench", self.value, position=Position({}, {"n": self.next}))


package = Package("bench-python", "0.1.0", BenchSink, BenchSource)
