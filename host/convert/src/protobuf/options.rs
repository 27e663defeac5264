//! Settings of `ProtobufConverter` that say what a schema becomes.
//!
//! Enters: the settings of a converter, prefix cut off. Leaves: [`ProtobufOptions`] with the registries' defaults.
//! Invariant: what is not set has the default of the registries' own converter.

use crate::registry_options::Settings;

/// What `ProtobufConverter` is told about the form of schemas and data.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProtobufOptions {
    /// `enhanced.protobuf.schema.support`, default false: full names instead of short ones.
    pub(crate) enhanced: bool,
    /// `scrub.invalid.names`, default false.
    pub(crate) scrub_invalid_names: bool,
    /// `int.for.enums`, default false: numbers instead of symbols.
    pub(crate) int_for_enums: bool,
    /// `optional.for.nullables`, default false: proto3 `optional` says what may be null.
    pub(crate) optional_for_nullables: bool,
    /// `optional.for.proto2`, default true: proto2 `optional` fields that are absent are null.
    pub(crate) optional_for_proto2: bool,
    /// `wrapper.for.nullables`, default false: wrapper messages say what may be null.
    pub(crate) wrapper_for_nullables: bool,
    /// `wrapper.for.raw.primitives`, default true: a wrapper as the root is a primitive.
    pub(crate) wrapper_for_raw_primitives: bool,
    /// `generate.struct.for.nulls`, default false: a message that is absent is one of defaults.
    pub(crate) generate_struct_for_nulls: bool,
    /// `generate.index.for.unions`, default true: a oneof's field is called `<oneof>_<index>`.
    pub(crate) generate_index_for_unions: bool,
    /// `flatten.unions`, default false: members of a oneof are fields of the message.
    pub(crate) flatten_unions: bool,
    /// `generalized.sum.type.support`, default false: enums and unions as Connect's own.
    pub(crate) generalized_sum_types: bool,
}

impl Default for ProtobufOptions {
    fn default() -> Self {
        Self {
            enhanced: false,
            scrub_invalid_names: false,
            int_for_enums: false,
            optional_for_nullables: false,
            optional_for_proto2: true,
            wrapper_for_nullables: false,
            wrapper_for_raw_primitives: true,
            generate_struct_for_nulls: false,
            generate_index_for_unions: true,
            flatten_unions: false,
            generalized_sum_types: false,
        }
    }
}

impl ProtobufOptions {
    /// Reads the settings.
    pub(crate) fn parse(settings: &mut Settings<'_>) -> Self {
        let mut options = Self::default();
        let slots = [
            ("enhanced.protobuf.schema.support", &mut options.enhanced),
            ("scrub.invalid.names", &mut options.scrub_invalid_names),
            ("int.for.enums", &mut options.int_for_enums),
            ("optional.for.nullables", &mut options.optional_for_nullables),
            ("optional.for.proto2", &mut options.optional_for_proto2),
            ("wrapper.for.nullables", &mut options.wrapper_for_nullables),
            ("wrapper.for.raw.primitives", &mut options.wrapper_for_raw_primitives),
            ("generate.struct.for.nulls", &mut options.generate_struct_for_nulls),
            ("generate.index.for.unions", &mut options.generate_index_for_unions),
            ("flatten.unions", &mut options.flatten_unions),
            ("generalized.sum.type.support", &mut options.generalized_sum_types),
        ];
        for (key, slot) in slots {
            *slot = settings.flag(key, *slot);
        }
        options
    }
}
