/*
 * Waiting, and streams of bytes.
 *
 * Enters: streams and deadlines. Leaves: bytes, or how it ended. Invariant: every wait ends at its deadline, what the host allocates is
 * freed, and a pollable is given back before its stream.
 */
#include "outside.h"

#include <stdlib.h>

#define PIECE_MAX ((size_t)65536)

/* A list or a text that the host has allocated. */
typedef struct given {
    void *ptr;
    size_t len;
} given;

/* result<list<u8>, stream-error> and result<_, stream-error>. */
typedef struct answer {
    uint8_t failed;
    union {
        given list;
        struct {
            uint8_t closed;
            lgi_handle error;
        } why;
    };
} answer;

/* result<u64, stream-error>. */
typedef struct room_answer {
    uint8_t failed;
    union {
        uint64_t room;
        struct {
            uint8_t closed;
            lgi_handle error;
        } why;
    };
} room_answer;

_Static_assert(sizeof(void *) != 4 || (sizeof(answer) == 12 && sizeof(room_answer) == 16), "as the component model lays them out");

uint64_t lgi_deadline(uint32_t timeout_ms, uint32_t otherwise_ms) {
    return lgi_now_ns() + (uint64_t)(timeout_ms ? timeout_ms : otherwise_ms) * 1000000u;
}

lgi_end lgi_wait(lgi_handle pollable, uint64_t deadline) {
    lgi_handle both[2] = {pollable, lgi_at_ns(deadline)};
    given ready;
    lgi_poll(both, 2, &ready);
    bool in_time = ready.len && ((const uint32_t *)ready.ptr)[0] == 0;
    free(ready.ptr);
    lgi_drop_pollable(both[0]);
    lgi_drop_pollable(both[1]);
    return in_time ? LGI_FINE : LGI_LATE;
}

/* A stream that gives or takes nothing any more. */
static lgi_end ended(uint8_t closed, lgi_handle error, const char **why) {
    if (closed) {
        *why = "the far end has closed the connection";
        return LGI_END_OF_STREAM;
    }
    given text;
    lgi_error_text(error, &text);
    *why = lg_format("%.*s", (int)text.len, (const char *)text.ptr);
    if (text.len) free(text.ptr); /* an empty list has no memory */
    lgi_drop_error(error);
    return LGI_BROKEN;
}

lgi_end lgi_read_some(lgi_handle stream, void *into, size_t room, uint64_t deadline, size_t *count, const char **why) {
    for (;;) {
        answer got;
        lgi_read(stream, room < PIECE_MAX ? room : PIECE_MAX, &got);
        if (got.failed) return ended(got.why.closed, got.why.error, why);
        if ((*count = got.list.len)) {
            memcpy(into, got.list.ptr, got.list.len);
            free(got.list.ptr);
            return LGI_FINE;
        }
        if (lgi_wait(lgi_read_ready(stream), deadline)) return LGI_LATE;
    }
}

/* Room for bytes, at least one. */
static lgi_end room_for(lgi_handle stream, uint64_t deadline, size_t *room, const char **why) {
    for (;;) {
        room_answer got;
        lgi_room(stream, &got);
        if (got.failed) return ended(got.why.closed, got.why.error, why);
        if (got.room) {
            *room = got.room < PIECE_MAX ? (size_t)got.room : PIECE_MAX;
            return LGI_FINE;
        }
        if (lgi_wait(lgi_write_ready(stream), deadline)) return LGI_LATE;
    }
}

lgi_end lgi_write_all(lgi_handle stream, lg_bytes bytes, uint64_t deadline, const char **why) {
    size_t room;
    for (size_t at = 0; at < bytes.len; at += room) {
        lgi_end end = room_for(stream, deadline, &room, why);
        if (end) return end;
        if (room > bytes.len - at) room = bytes.len - at;
        answer got;
        lgi_write(stream, bytes.ptr + at, room, &got);
        if (got.failed) return ended(got.why.closed, got.why.error, why);
    }
    return LGI_FINE;
}

lgi_end lgi_write_out(lgi_handle stream, uint64_t deadline, const char **why) {
    answer got;
    size_t room;
    lgi_flush(stream, &got);
    return got.failed ? ended(got.why.closed, got.why.error, why) : room_for(stream, deadline, &room, why);
}
