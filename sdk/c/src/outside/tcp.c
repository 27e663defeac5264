/*
 * TCP over wasi:sockets.
 *
 * Enters: names, addresses, bytes. Leaves: connections, bytes. Invariant: a connection has its socket and both streams, and gives all three
 * back at once.
 */
#include "outside.h"

#include <stdio.h>
#include <stdlib.h>

LGI_IMPORT("sockets/instance-network", "instance-network") lgi_handle lgi_network(void);
LGI_IMPORT("sockets/ip-name-lookup", "resolve-addresses")
void lgi_resolve(lgi_handle network, const char *name, size_t len, void *result);
LGI_IMPORT("sockets/ip-name-lookup", "[method]resolve-address-stream.resolve-next-address")
void lgi_resolve_next(lgi_handle stream, void *result);
LGI_IMPORT("sockets/ip-name-lookup", "[method]resolve-address-stream.subscribe") lgi_handle lgi_resolve_ready(lgi_handle stream);
LGI_DROP("sockets/ip-name-lookup", "resolve-address-stream", lgi_drop_resolve);
LGI_IMPORT("sockets/tcp-create-socket", "create-tcp-socket") void lgi_create_socket(uint32_t family, void *result);
LGI_IMPORT("sockets/tcp", "[method]tcp-socket.start-connect")
void lgi_start_connect(lgi_handle socket, lgi_handle network, uint32_t family, uint32_t port, uint32_t a, uint32_t b, uint32_t c,
                       uint32_t d, uint32_t e, uint32_t f, uint32_t g, uint32_t h, uint32_t i, uint32_t j, void *result);
LGI_IMPORT("sockets/tcp", "[method]tcp-socket.finish-connect") void lgi_finish_connect(lgi_handle socket, void *result);
LGI_IMPORT("sockets/tcp", "[method]tcp-socket.subscribe") lgi_handle lgi_socket_ready(lgi_handle socket);
LGI_DROP("sockets/tcp", "tcp-socket", lgi_drop_socket);

#define CONNECT_MS 10000u
#define BYTES_MS 30000u
#define CLOSE_MS 2000u
#define ACCESS_DENIED 1
#define WOULD_BLOCK 8

struct lg_tcp {
    lgi_handle socket, in, out;
    char *address; /* for messages */
};

/* ip-address. */
typedef struct address {
    uint8_t six;
    union {
        uint8_t v4[4];
        uint16_t v6[8];
    };
} address;

/* result<own, error-code>. */
typedef struct handle_answer {
    uint8_t failed;
    union {
        lgi_handle handle;
        uint8_t code;
    };
} handle_answer;

static const char *const codes[] = {
    "unknown error", "access denied", "not supported", "invalid argument", "out of memory", "timed out", "concurrency conflict",
    "not in progress", "would block", "invalid state", "too many sockets", "address cannot be bound", "address in use", "unreachable",
    "connection refused", "connection reset", "connection aborted", "datagram too large", "name cannot be resolved",
    "name cannot be resolved for now", "name does not exist",
};

static lgi_handle network(void) {
    static lgi_handle kept;
    static bool known;
    if (!known) kept = lgi_network(), known = true;
    return kept;
}

static lg_status refused(uint8_t code, const char *host, uint16_t port) {
    if (code == ACCESS_DENIED)
        return lg_fatal("tcp.denied", "the worker does not allow this task to go to %s:%u: the plugin asks for it (LG_ASKS_TCP) and "
                        "lockgate.grants.tcp must cover it", host, port);
    return lg_retriable(0, "tcp.connect", "no connection to %s:%u: %s", host, port,
                        code < sizeof codes / sizeof *codes ? codes[code] : codes[0]);
}

static lg_status late(const char *host, uint16_t port) {
    return lg_retriable(0, "tcp.connect", "no connection to %s:%u in time", host, port);
}

/* An address written in numbers needs no look-up, and may be granted as such. */
static bool literal(const char *text, address *found) {
    unsigned parts[4];
    int end = 0;
    if (sscanf(text, "%3u.%3u.%3u.%3u%n", &parts[0], &parts[1], &parts[2], &parts[3], &end) != 4 || text[end]) return false;
    found->six = 0;
    for (size_t at = 0; at < 4; at++) {
        if (parts[at] > 255) return false;
        found->v4[at] = (uint8_t)parts[at];
    }
    return true;
}

/* Groups of hexadecimal digits, at most eight, `::` once for as many zeros as are missing. */
static bool literal_six(const char *text, address *found) {
    uint16_t before[8], after[8];
    size_t befores = 0, afters = 0;
    bool gap = false;
    if (!strchr(text, ':')) return false;
    while (*text) {
        if (text[0] == ':' && text[1] == ':') {
            if (gap) return false;
            gap = true;
            text += 2;
            continue;
        }
        char *end;
        unsigned long group = strtoul(text, &end, 16);
        if (end == text || end - text > 4 || befores + afters == 8) return false;
        if (gap) after[afters++] = (uint16_t)group;
        else before[befores++] = (uint16_t)group;
        if (*end && (*end != ':' || !end[1])) return false;
        text = end[0] == ':' && end[1] != ':' ? end + 1 : end;
    }
    if (befores + afters > 8 || (!gap && befores != 8)) return false;
    *found = (address){.six = 1};
    memcpy(found->v6, before, befores * sizeof *before);
    memcpy(found->v6 + 8 - afters, after, afters * sizeof *after);
    return true;
}

static lg_status connect_to(const address *to, const char *host, uint16_t port, uint64_t deadline, lg_tcp **connection) {
    handle_answer socket;
    struct {
        uint8_t failed, code;
    } started;
    struct {
        uint8_t failed;
        union {
            lgi_handle streams[2];
            uint8_t code;
        };
    } finished;
    lgi_create_socket(to->six, &socket);
    if (socket.failed) return refused(socket.code, host, port);
    const uint8_t *a = to->v4;
    const uint16_t *b = to->v6;
    if (to->six) /* port, flow, eight words, scope */
        lgi_start_connect(socket.handle, network(), 1, port, 0, b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], 0, &started);
    else lgi_start_connect(socket.handle, network(), 0, port, a[0], a[1], a[2], a[3], 0, 0, 0, 0, 0, 0, &started);
    lg_status status = started.failed ? refused(started.code, host, port) : LG_OK;
    while (!status) {
        lgi_finish_connect(socket.handle, &finished);
        if (!finished.failed) break;
        if (finished.code != WOULD_BLOCK) status = refused(finished.code, host, port);
        else if (lgi_wait(lgi_socket_ready(socket.handle), deadline)) status = late(host, port);
    }
    if (status) {
        lgi_drop_socket(socket.handle);
        return status;
    }
    *connection = lgi_alloc(sizeof **connection);
    **connection = (lg_tcp){socket.handle, finished.streams[0], finished.streams[1], NULL};
    const char *name = lg_format("%s:%u", host, port);
    (*connection)->address = lgi_text(name, strlen(name));
    return LG_OK;
}

static lg_status connect_by_name(const char *host, uint16_t port, uint64_t deadline, lg_tcp **connection) {
    handle_answer lookup;
    struct {
        uint8_t failed;
        union {
            uint8_t code;
            struct {
                uint8_t some;
                address value;
            } next;
        };
    } got;
    _Static_assert(sizeof got == 22, "result<option<ip-address>, error-code>");
    lgi_resolve(network(), host, strlen(host), &lookup);
    if (lookup.failed) return refused(lookup.code, host, port);
    lg_status status = LG_FAILED;
    bool tried = false, over = false;
    while (status && !over) {
        lgi_resolve_next(lookup.handle, &got);
        if (got.failed && got.code == WOULD_BLOCK) {
            if ((over = lgi_wait(lgi_resolve_ready(lookup.handle), deadline))) status = late(host, port);
        } else if (got.failed) {
            status = refused(got.code, host, port);
            over = true;
        } else if (!got.next.some) {
            over = true;
        } else {
            tried = true;
            status = connect_to(&got.next.value, host, port, deadline, connection);
        }
    }
    if (status && !tried && !lgi_pending.code) status = refused(18, host, port);
    lgi_drop_resolve(lookup.handle);
    return status;
}

lg_status lg_tcp_connect(const char *host, uint16_t port, uint32_t timeout_ms, lg_tcp **connection) {
    uint64_t deadline = lgi_deadline(timeout_ms, CONNECT_MS);
    address found;
    *connection = NULL;
    bool is_literal = literal(host, &found) || literal_six(host, &found);
    return is_literal ? connect_to(&found, host, port, deadline, connection) : connect_by_name(host, port, deadline, connection);
}

static lg_status broken(const lg_tcp *connection, lgi_end end, const char *why) {
    if (end == LGI_LATE) return lg_retriable(0, "tcp.timeout", "%s was too slow", connection->address);
    return lg_retriable(0, "tcp.broken", "the connection to %s broke: %s", connection->address, why);
}

lg_status lg_tcp_read(lg_tcp *connection, void *into, size_t room, uint32_t timeout_ms, size_t *count) {
    const char *why = "";
    *count = 0;
    if (!room) return LG_OK;
    lgi_end end = lgi_read_some(connection->in, into, room, lgi_deadline(timeout_ms, BYTES_MS), count, &why);
    return end == LGI_FINE || end == LGI_END_OF_STREAM ? LG_OK : broken(connection, end, why);
}

lg_status lg_tcp_write(lg_tcp *connection, lg_bytes bytes, uint32_t timeout_ms) {
    const char *why = "";
    lgi_end end = lgi_write_all(connection->out, bytes, lgi_deadline(timeout_ms, BYTES_MS), &why);
    return end ? broken(connection, end, why) : LG_OK;
}

void lg_tcp_close(lg_tcp *connection) {
    const char *why;
    if (!connection) return;
    lgi_write_out(connection->out, lgi_deadline(CLOSE_MS, CLOSE_MS), &why);
    lgi_drop_input(connection->in);
    lgi_drop_output(connection->out);
    lgi_drop_socket(connection->socket);
    free(connection->address);
    free(connection);
}
