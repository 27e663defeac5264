// Package wasi is what the SDK uses of WASI 0.2 beyond Go's own port to it: streams, waiting, HTTP, TCP.
//
// Enters: handles and bytes. Leaves: handles and copies of bytes. Invariant: what the host allocated for an answer is copied before
// anything else runs, and a handle is given back before the one it came from.
package wasi
