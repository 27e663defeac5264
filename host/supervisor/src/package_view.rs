//! Packages and their definitions as REST shows them.
//!
//! Enters: `model::package`. Leaves: views. Invariant: defaults of `password` keys are `[hidden]`.

use lockgate_config::validate::plugin_keys;
use lockgate_model::Encoding;
use lockgate_model::package::{PackageInfo, PluginInfo, Request};

use crate::view::{PackagePlugin, PackageView, RequestView};

/// What REST says of a package.
pub fn package(info: &PackageInfo, bundled: bool) -> PackageView {
    PackageView {
        name: info.name.clone(),
        version: info.version.clone(),
        digest: info.digest.clone(),
        documentation: info.documentation.clone(),
        size_bytes: info.size_bytes,
        bundled,
        imports: info.imports.clone(),
        exports: info.exports.clone(),
        toolchain: info.toolchain.clone(),
        plugins: info.plugins.iter().map(|p| plugin(p)).collect(),
    }
}

fn plugin(info: &PluginInfo) -> PackagePlugin {
    PackagePlugin {
        class: info.class.clone(),
        kind: info.kind,
        aliases: info.aliases.clone(),
        documentation: info.documentation.clone(),
        config: plugin_keys(info),
        encodings: info.encodings.iter().map(|e| encoding(*e)).collect(),
        requests: info.requests.iter().map(request).collect(),
    }
}

fn request(request: &Request) -> RequestView {
    let (kind, target) = match request {
        Request::Http(t) => ("http", t),
        Request::Tcp(t) => ("tcp", t),
        Request::Read(t) => ("read", t),
        Request::Write(t) => ("write", t),
    };
    RequestView { kind: kind.to_owned(), target: target.clone() }
}

const fn encoding(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Bytes => "bytes",
        Encoding::Json => "json",
        Encoding::Cbor => "cbor",
    }
}
