//! Imports that every reader of Protobuf schemas has at hand.
//!
//! Enters: the name of an import. Leaves: its text. Invariant: field numbers and names are those that the registries'
//! own converters have; Google's `google/protobuf/*` come with the compiler.

/// Where the meta data of Connect's types is declared.
pub(crate) const META: &str = "confluent/meta.proto";
pub(crate) const DECIMAL_FILE: &str = "confluent/type/decimal.proto";
pub(crate) const DATE_FILE: &str = "google/type/date.proto";
pub(crate) const TIME_FILE: &str = "google/type/timeofday.proto";
pub(crate) const TIMESTAMP_FILE: &str = "google/protobuf/timestamp.proto";
pub(crate) const WRAPPERS_FILE: &str = "google/protobuf/wrappers.proto";

pub(crate) const DECIMAL: &str = "confluent.type.Decimal";
pub(crate) const DATE: &str = "google.type.Date";
pub(crate) const TIME: &str = "google.type.TimeOfDay";
pub(crate) const TIMESTAMP: &str = "google.protobuf.Timestamp";

/// The text of an import, if it is one of these.
pub(crate) fn text(name: &str) -> Option<&'static str> {
    Some(match name {
        META => META_TEXT,
        DECIMAL_FILE => {
            "syntax = \"proto3\";\npackage confluent.type;\n\nmessage Decimal {\n  bytes value = 1;\n  uint32 precision = 2;\n  \
             int32 scale = 3;\n}\n"
        }
        DATE_FILE => {
            "syntax = \"proto3\";\npackage google.type;\n\nmessage Date {\n  int32 year = 1;\n  int32 month = 2;\n  \
             int32 day = 3;\n}\n"
        }
        TIME_FILE => {
            "syntax = \"proto3\";\npackage google.type;\n\nmessage TimeOfDay {\n  int32 hours = 1;\n  int32 minutes = 2;\n  \
             int32 seconds = 3;\n  int32 nanos = 4;\n}\n"
        }
        _ => return None,
    })
}

const META_TEXT: &str = r#"syntax = "proto3";
package confluent;

import "google/protobuf/descriptor.proto";

message Meta {
  string doc = 1;
  map<string, string> params = 2;
  repeated string tags = 3;
  repeated Rule rules = 4;
}
message Rule {
  string name = 1;
  string doc = 2;
  string expr = 3;
  string sql = 4;
}
extend google.protobuf.FileOptions {
  Meta file_meta = 1088;
}
extend google.protobuf.MessageOptions {
  Meta message_meta = 1088;
}
extend google.protobuf.FieldOptions {
  Meta field_meta = 1088;
}
extend google.protobuf.EnumOptions {
  Meta enum_meta = 1088;
}
extend google.protobuf.EnumValueOptions {
  Meta enum_value_meta = 1088;
}
"#;

/// Text that is registered for a schema that is no struct: its message is one of the wrappers.
pub(crate) const WRAPPERS_TEXT: &str = r#"syntax = "proto3";
package google.protobuf;

message DoubleValue {
  double value = 1;
}
message FloatValue {
  float value = 1;
}
message Int64Value {
  int64 value = 1;
}
message UInt64Value {
  uint64 value = 1;
}
message Int32Value {
  int32 value = 1;
}
message UInt32Value {
  uint32 value = 1;
}
message BoolValue {
  bool value = 1;
}
message StringValue {
  string value = 1;
}
message BytesValue {
  bytes value = 1;
}
"#;
