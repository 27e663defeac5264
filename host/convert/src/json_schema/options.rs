//! Settings of `JsonSchemaConverter` that say what a schema becomes, and the names that it shares with the registries' own.
//!
//! Enters: the settings of a converter. Leaves: [`JsonSchemaOptions`]. Invariant: what is not set has the default of the
//! registries' own converter.

use crate::converter::DecimalFormat;
use crate::registry_options::Settings;
use crate::schema::Schema;

/// Name of a union's struct; with `.field.` and a number, of its fields.
pub(crate) const ONE_OF: &str = "io.confluent.connect.json.OneOf";
/// Parameter of an enum; with `.` and a symbol, that symbol.
pub(crate) const ENUM: &str = "io.confluent.connect.json.Enum";
/// What parameters of these names begin with: they are the converter's own and are not written.
pub(crate) const NAMESPACE: &str = "io.confluent.connect.json";
/// The same as [`ENUM`] with `generalized.sum.type.support`.
pub(crate) const GENERAL_ENUM: &str = "org.apache.kafka.connect.data.Enum";
/// Parameter of a union's struct with `generalized.sum.type.support`.
pub(crate) const GENERAL_UNION: &str = "org.apache.kafka.connect.data.Union";
/// Fields of a union's struct with `generalized.sum.type.support`, followed by a number.
pub(crate) const GENERAL_FIELD: &str = "connect_union_field_";
/// The symbol of null.
pub(crate) const NULL_SYMBOL: &str = "<NULL>";
/// Parameter of a string that holds the text of any JSON value, where a schema says nothing of a type.
pub(crate) const ANY: &str = "io.confluent.connect.json.Any";

/// What the converter is told about the form of schemas and data.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonSchemaOptions {
    /// `object.additional.properties`, default true: schemas that are written allow other properties.
    pub(crate) additional_properties: bool,
    /// `use.optional.for.nonrequired`, default false: properties outside of `required` are optional.
    pub(crate) optional_for_nonrequired: bool,
    /// `generalized.sum.type.support`, default false: enums and unions as Connect's own.
    pub(crate) generalized_sum_types: bool,
    /// `flatten.singleton.unions`, default true: a union of one is that one.
    pub(crate) flatten_singletons: bool,
    /// `decimal.format`, default BASE64, of data and schemas that are written.
    pub(crate) decimal_format: DecimalFormat,
    /// `json.fail.invalid.schema`, default false: data that its schema does not allow is a fault, both ways.
    pub(crate) fail_invalid: bool,
}

impl Default for JsonSchemaOptions {
    fn default() -> Self {
        Self {
            additional_properties: true,
            optional_for_nonrequired: false,
            generalized_sum_types: false,
            flatten_singletons: true,
            decimal_format: DecimalFormat::Base64,
            fail_invalid: false,
        }
    }
}

impl JsonSchemaOptions {
    /// Reads the settings.
    pub(crate) fn parse(settings: &mut Settings<'_>) -> Self {
        let mut options = Self::default();
        let slots = [
            ("object.additional.properties", &mut options.additional_properties),
            ("use.optional.for.nonrequired", &mut options.optional_for_nonrequired),
            ("generalized.sum.type.support", &mut options.generalized_sum_types),
            ("flatten.singleton.unions", &mut options.flatten_singletons),
            ("json.fail.invalid.schema", &mut options.fail_invalid),
        ];
        for (key, slot) in slots {
            *slot = settings.flag(key, *slot);
        }
        // All dialects are read alike, so there is none to ignore.
        settings.flag("ignore.modern.dialects", false);
        if settings.flag("preserve.additional.properties", false) {
            let why = "properties that a schema does not declare cannot be kept; declare them, or use JsonConverter";
            settings.problem("preserve.additional.properties", why);
        }
        match settings.text("decimal.format").map(str::to_ascii_uppercase).as_deref() {
            None | Some("BASE64") => {}
            Some("NUMERIC") => options.decimal_format = DecimalFormat::Numeric,
            Some(_) => settings.problem("decimal.format", "String must be one of: BASE64, NUMERIC"),
        }
        options
    }
}

/// The last parameter of that key.
pub(crate) fn parameter<'a>(schema: &'a Schema, key: &str) -> Option<&'a str> {
    schema.attributes().parameters.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
}

/// A struct that stands for a oneOf or anyOf.
pub(crate) fn is_union(schema: &Schema) -> bool {
    schema.attributes().name.as_deref() == Some(ONE_OF) || parameter(schema, GENERAL_UNION).is_some()
}

/// A string that holds JSON text.
pub(crate) fn is_any(schema: &Schema) -> bool {
    parameter(schema, ANY).is_some()
}

/// A string that is one of the values of `enum` or `const`.
pub(crate) fn is_enum(schema: &Schema) -> bool {
    parameter(schema, ENUM).or(parameter(schema, GENERAL_ENUM)).is_some()
}
