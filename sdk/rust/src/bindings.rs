//! The raw bindings of `wit/`, one world for each export, so that a package exports only what it has.
//!
//! Enters: the WIT. Leaves: generated types and export macros. Invariant: nothing outside this crate names them but the
//! expansion of `package!`; types that several interfaces use are the same Rust types everywhere.

#![allow(missing_docs, clippy::pedantic)]

pub mod base {
    wit_bindgen::generate!({
        path: "wit",
        inline: r"
            package lockgate:sdk-base@0.1.0;
            world base {
                include lockgate:connect/host@0.1.0;
                import lockgate:connect/batches@0.1.0;
                import lockgate:connect/faults@0.1.0;
                import lockgate:connect/tasks@0.1.0;
            }
        ",
        world: "lockgate:sdk-base/base@0.1.0",
        generate_all,
    });
}

pub mod plugin {
    wit_bindgen::generate!({
        path: "wit",
        inline: r"
            package lockgate:sdk-plugin@0.1.0;
            world plugin-only {
                export lockgate:connect/plugin@0.1.0;
            }
        ",
        world: "lockgate:sdk-plugin/plugin-only@0.1.0",
        with: { "lockgate:connect/batches@0.1.0": crate::bindings::base::lockgate::connect::batches },
        pub_export_macro: true,
        export_macro_name: "export_plugin",
        default_bindings_module: "lockgate_sdk::bindings::plugin",
    });
}

pub mod source {
    wit_bindgen::generate!({
        path: "wit",
        inline: r"
            package lockgate:sdk-source@0.1.0;
            world source-only {
                export lockgate:connect/source@0.1.0;
            }
        ",
        world: "lockgate:sdk-source/source-only@0.1.0",
        with: {
            "lockgate:connect/batches@0.1.0": crate::bindings::base::lockgate::connect::batches,
            "lockgate:connect/faults@0.1.0": crate::bindings::base::lockgate::connect::faults,
            "lockgate:connect/tasks@0.1.0": crate::bindings::base::lockgate::connect::tasks,
        },
        pub_export_macro: true,
        export_macro_name: "export_source",
        default_bindings_module: "lockgate_sdk::bindings::source",
    });
}

pub mod offsets {
    wit_bindgen::generate!({
        path: "wit",
        inline: r"
            package lockgate:sdk-offsets@0.1.0;
            world offsets-only {
                export lockgate:connect/offsets@0.1.0;
            }
        ",
        world: "lockgate:sdk-offsets/offsets-only@0.1.0",
        with: {
            "lockgate:connect/batches@0.1.0": crate::bindings::base::lockgate::connect::batches,
            "lockgate:connect/faults@0.1.0": crate::bindings::base::lockgate::connect::faults,
            "lockgate:connect/tasks@0.1.0": crate::bindings::base::lockgate::connect::tasks,
        },
        pub_export_macro: true,
        export_macro_name: "export_offsets",
        default_bindings_module: "lockgate_sdk::bindings::offsets",
    });
}

pub mod sink {
    wit_bindgen::generate!({
        path: "wit",
        inline: r"
            package lockgate:sdk-sink@0.1.0;
            world sink-only {
                export lockgate:connect/sink@0.1.0;
            }
        ",
        world: "lockgate:sdk-sink/sink-only@0.1.0",
        with: {
            "lockgate:connect/batches@0.1.0": crate::bindings::base::lockgate::connect::batches,
            "lockgate:connect/faults@0.1.0": crate::bindings::base::lockgate::connect::faults,
            "lockgate:connect/tasks@0.1.0": crate::bindings::base::lockgate::connect::tasks,
        },
        pub_export_macro: true,
        export_macro_name: "export_sink",
        default_bindings_module: "lockgate_sdk::bindings::sink",
    });
}

pub mod transform {
    wit_bindgen::generate!({
        path: "wit",
        inline: r"
            package lockgate:sdk-transform@0.1.0;
            world transform-only {
                export lockgate:connect/transform@0.1.0;
            }
        ",
        world: "lockgate:sdk-transform/transform-only@0.1.0",
        with: {
            "lockgate:connect/batches@0.1.0": crate::bindings::base::lockgate::connect::batches,
            "lockgate:connect/faults@0.1.0": crate::bindings::base::lockgate::connect::faults,
            "lockgate:connect/tasks@0.1.0": crate::bindings::base::lockgate::connect::tasks,
        },
        pub_export_macro: true,
        export_macro_name: "export_transform",
        default_bindings_module: "lockgate_sdk::bindings::transform",
    });
}
