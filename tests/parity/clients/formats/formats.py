"""What another client makes of registry formats: formats.py URL AVRO|JSON|PROTOBUF TOPIC.

Enters: topic bytes as hexadecimal lines. Leaves: for each {"value": what the client read, "hex": what it writes for that}.
The client is Confluent's for Python, with fastavro, jsonschema and Google's Protobuf inside.
"""

import base64
import datetime
import decimal
import json
import pathlib
import sys
import tempfile

import grpc_tools
from confluent_kafka.schema_registry import SchemaRegistryClient, avro, json_schema, protobuf
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from grpc_tools import protoc

# Of Confluent's types those that schemas made from Kafka Connect's import.
CONFLUENT = {
    "confluent/meta.proto": """syntax = "proto3"; package confluent;
        import "google/protobuf/descriptor.proto";
        message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }
        extend google.protobuf.FileOptions { Meta file_meta = 1088; }
        extend google.protobuf.MessageOptions { Meta message_meta = 1088; }
        extend google.protobuf.FieldOptions { Meta field_meta = 1088; }
        extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }
        extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }""",
    "confluent/type/decimal.proto": """syntax = "proto3"; package confluent.type;
        message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }""",
}
NO_REGISTERING = {"auto.register.schemas": False, "use.latest.version": True}


def plain(value):
    """What JSON has no word for."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    raise TypeError(type(value))


def messages(text):
    """The class of the first message of a schema."""
    with tempfile.TemporaryDirectory() as folder:
        here = pathlib.Path(folder)
        for name, content in {**CONFLUENT, "schema.proto": text}.items():
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            (here / name).write_text(content)
        tools = pathlib.Path(grpc_tools.__file__).parent
        paths = [folder, tools / "_proto", tools.parent]
        out = here / "out"
        arguments = ["protoc", *(f"-I{path}" for path in paths), "--include_imports", f"-o{out}", "schema.proto"]
        if protoc.main(arguments) != 0:
            sys.exit("protoc refuses the schema:\n" + text)
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    pool = descriptor_pool.DescriptorPool()
    for file in files:
        pool.Add(file)
    message = next(iter(pool.FindFileByName("schema.proto").message_types_by_name.values()))
    return message_factory.GetMessageClass(message)


def main(url, kind, topic):
    registry = SchemaRegistryClient({"url": url})
    text = registry.get_latest_version(f"{topic}-value").schema.schema_str
    shown, back = (lambda value: value), (lambda value: value)
    if kind == "AVRO":
        reader = avro.AvroDeserializer(registry)
        writer = avro.AvroSerializer(registry, text, conf=NO_REGISTERING)
    elif kind == "JSON":
        reader = json_schema.JSONDeserializer(text, schema_registry_client=registry)
        writer = json_schema.JSONSerializer(text, registry, conf=NO_REGISTERING)
    else:
        made = messages(text)
        reader = protobuf.ProtobufDeserializer(made, {"use.deprecated.format": False})
        # It knows schemas in the form only in which it registers them itself.
        writer = protobuf.ProtobufSerializer(made, registry, {"use.deprecated.format": False})

        def shown(value):
            return json_format.MessageToDict(value, preserving_proto_field_name=True)

        def back(value):
            return json_format.ParseDict(shown(value), made())

    context = SerializationContext(topic, MessageField.VALUE)
    for line in sys.stdin:
        value = reader(bytes.fromhex(line), context)
        print(json.dumps({"value": shown(value), "hex": writer(back(value), context).hex()}, default=plain))


main(*sys.argv[1:])
