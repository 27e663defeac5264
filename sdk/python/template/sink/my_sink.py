"""A sink that appends records to a file as `topic<TAB>key<TAB>value`: change it into yours."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import BinaryIO

from lockgate import BadRecord, Batch, Config, Fatal, Package, Place, Sink, Write, key, metrics

log = logging.getLogger(__name__)
BATCHES = metrics.counter("my_batches")


class Settings(Config):
    """What users write in the connector's configuration."""

    file: str = key(doc="Absolute path of the file.")
    separator: str = key("\t", doc="What stands between the columns.")


class MySink(Sink[Settings], name="com.example.MySink", encodings=("json", "bytes"), asks=[Write("{file}")]):
    """Appends records to a file."""

    file: BinaryIO

    def open(self) -> None:
        try:
            self.file = open(self.config.file, "ab")
        except OSError as error:
            raise Fatal("my.open", f"cannot open {self.config.file}: {error}") from error
        log.info("writing to %s", self.config.file)

    def put(self, batch: Batch) -> Iterator[BadRecord]:
        separator = self.config.separator.encode()
        for record in batch:
            if record.value is None:
                yield BadRecord("my.tombstone", "this sink cannot delete", record)
                continue
            columns = (record.topic.encode(), record.key or b"", record.value)
            self.file.write(separator.join(columns) + b"\n")
        BATCHES.add()

    def prepare_commit(self, offsets: list[Place]) -> list[Place]:
        # What is agreed to must be durable.
        self.file.flush()
        os.fsync(self.file.fileno())
        return offsets

    def close(self) -> None:
        self.file.close()


package = Package("my-sink", "0.1.0", MySink)
