/*
 * The imports of WASI 0.2 for HTTP and TCP, by the component model's names. Used by the files that go outside.
 *
 * Enters: handles (uint32_t), lists (address and length), options (a flag before the value). Leaves: numbers; an answer of more than one
 * is written to `result`, laid out as the component model says. Invariant: that each has the right numbers is checked against wit/deps when
 * a package is built; what no package calls is not in it.
 */
#ifndef LOCKGATE_OUTSIDE_H
#define LOCKGATE_OUTSIDE_H

#include "../internal.h"

#define LGI_IMPORT(interface, name) __attribute__((__import_module__("wasi:" interface "@0.2.12"), __import_name__(name))) extern
#define LGI_DROP(interface, resource, function) LGI_IMPORT(interface, "[resource-drop]" resource) void function(uint32_t handle)

typedef uint32_t lgi_handle;

LGI_IMPORT("io/poll", "poll") void lgi_poll(const lgi_handle *pollables, size_t count, void *result);
LGI_DROP("io/poll", "pollable", lgi_drop_pollable);
LGI_IMPORT("io/error", "[method]error.to-debug-string") void lgi_error_text(lgi_handle error, void *result);
LGI_DROP("io/error", "error", lgi_drop_error);
LGI_IMPORT("io/streams", "[method]input-stream.read") void lgi_read(lgi_handle stream, uint64_t most, void *result);
LGI_IMPORT("io/streams", "[method]input-stream.subscribe") lgi_handle lgi_read_ready(lgi_handle stream);
LGI_DROP("io/streams", "input-stream", lgi_drop_input);
LGI_IMPORT("io/streams", "[method]output-stream.check-write") void lgi_room(lgi_handle stream, void *result);
LGI_IMPORT("io/streams", "[method]output-stream.write")
void lgi_write(lgi_handle stream, const uint8_t *bytes, size_t count, void *result);
LGI_IMPORT("io/streams", "[method]output-stream.flush") void lgi_flush(lgi_handle stream, void *result);
LGI_IMPORT("io/streams", "[method]output-stream.subscribe") lgi_handle lgi_write_ready(lgi_handle stream);
LGI_DROP("io/streams", "output-stream", lgi_drop_output);
LGI_IMPORT("clocks/monotonic-clock", "now") uint64_t lgi_now_ns(void);
LGI_IMPORT("clocks/monotonic-clock", "subscribe-instant") lgi_handle lgi_at_ns(uint64_t instant);

/* wait.c: what ends a stream, waiting, streams to their end. */
typedef enum lgi_end { LGI_FINE, LGI_END_OF_STREAM, LGI_LATE, LGI_BROKEN } lgi_end;

/* The instant that is this long from now. */
uint64_t lgi_deadline(uint32_t timeout_ms, uint32_t otherwise_ms);
/* Waits for a pollable until an instant, and gives it back: LGI_FINE or LGI_LATE. */
lgi_end lgi_wait(lgi_handle pollable, uint64_t deadline);
/* Reads at least a byte into scratch-free memory of `room` bytes. LGI_BROKEN leaves the reason in `why`, scratch memory. */
lgi_end lgi_read_some(lgi_handle stream, void *into, size_t room, uint64_t deadline, size_t *count, const char **why);
lgi_end lgi_write_all(lgi_handle stream, lg_bytes bytes, uint64_t deadline, const char **why);
/* Waits until what was written is on its way. */
lgi_end lgi_write_out(lgi_handle stream, uint64_t deadline, const char **why);

#endif
