"""The sink and the source of the benchmark behind plain bindings."""

from wit_world import exports
from wit_world.imports.rows import Row


class NaiveSink(exports.NaiveSink):
    def put(self, batch: list[Row]) -> int:
        touched = 0
        for row in batch:
            value = row.value
            if value:
                touched += len(value) + value[0]
        return touched & 0xFFFFFFFF


class NaiveSource(exports.NaiveSource):
    def poll(self, records: int, size: int) -> list[Row]:
        return [Row("bench", 0, at, 0, None, b"x" * size, []) for at in range(records)]
