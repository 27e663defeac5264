//! `wasi:http/outgoing-handler`, with the handles that a request uses up.
//!
//! Enters: a guest's request and its options. Leaves: what `wasmtime-wasi-http` answers. Invariant: a request leaves no handle
//! behind. That crate keeps the options of each request in the table for ever, so an instance would come to an end after as many
//! requests as it may have handles.

use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p2::bindings::http::outgoing_handler::Host as _;
use wasmtime_wasi_http::p2::bindings::http::types::{
    ErrorCode, FutureIncomingResponse, Host as _, OutgoingRequest, RequestOptions,
};
use wasmtime_wasi_http::{WasiHttpCtxView, WasiHttpView};

/// The version that the crate's own bindings have; a guest's is matched to it.
const INTERFACE: &str = "wasi:http/outgoing-handler@0.2.12";

type Answer = Result<Resource<FutureIncomingResponse>, ErrorCode>;

/// Puts this handler in the place of the crate's own. Shadowing must be allowed.
pub(crate) fn add_to_linker<T: WasiHttpView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    linker.instance(INTERFACE)?.func_wrap(
        "handle",
        |mut store, (request, options): (Resource<OutgoingRequest>, Option<Resource<RequestOptions>>)| {
            Ok((handle(&mut store.data_mut().http(), request, options)?,))
        },
    )
}

fn handle(
    http: &mut WasiHttpCtxView<'_>,
    request: Resource<OutgoingRequest>,
    options: Option<Resource<RequestOptions>>,
) -> wasmtime::Result<Answer> {
    let used_up = options.as_ref().map(|options| Resource::<RequestOptions>::new_own(options.rep()));
    let answer = http.handle(request, options);
    if let Some(options) = used_up {
        http.table.delete(options)?;
    }
    match answer {
        Ok(future) => Ok(Ok(future)),
        Err(error) => Ok(Err(http.convert_error_code(error)?)),
    }
}
