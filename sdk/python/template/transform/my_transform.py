"""A transform that replaces a text in each value, such as a secret by asterisks: change it into yours."""

from __future__ import annotations

from lockgate import Config, Package, Transform, TransformRecord, key


class Settings(Config):
    """What users write in the connector's configuration."""

    find: str = key(doc="The text to replace.", non_empty=True)
    put: str = key("***", doc="What stands there instead.")


class MyTransform(Transform[Settings], name="com.example.MyTransform", encodings=("bytes", "json")):
    """Replaces a text in each value."""

    def open(self) -> None:
        self.find, self.put = self.config.find.encode(), self.config.put.encode()

    def apply(self, record: TransformRecord) -> None:
        # A tombstone has nothing to replace; `return DROP` would drop the record.
        if record.value is not None and self.find in (value := bytes(record.value)):
            record.value = value.replace(self.find, self.put)


package = Package("my-transform", "0.1.0", MyTransform)
