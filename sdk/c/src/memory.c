/*
 * Memory: buffers that grow, and scratch memory that lives as long as one call.
 *
 * Enters: sizes. Leaves: memory. Invariant: nobody sees NULL; an instance without memory ends with a message.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct piece {
    struct piece *before;
    max_align_t bytes[];
} piece;

static piece *scratch;

static void *or_end(void *memory, size_t len) {
    if (!memory) lg_panic("no memory left for %zu bytes", len);
    return memory;
}

void *lgi_alloc(size_t len) { return or_end(malloc(len ? len : 1), len); }

void *lgi_copy(const void *bytes, size_t len) {
    void *copy = lgi_alloc(len);
    if (len) memcpy(copy, bytes, len);
    return copy;
}

char *lgi_text(const void *bytes, size_t len) {
    if (!bytes) return NULL;
    char *copy = (char *)lgi_alloc(len + 1);
    if (len) memcpy(copy, bytes, len);
    copy[len] = 0;
    return copy;
}

char *lgi_vformat(const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0) return (char *)lgi_copy("", 1);
    char *text = (char *)lgi_alloc((size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, args);
    return text;
}

void *lg_scratch(size_t len) {
    piece *new_piece = (piece *)lgi_alloc(sizeof(piece) + len);
    new_piece->before = scratch;
    scratch = new_piece;
    return new_piece->bytes;
}

char *lg_format(const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = (char *)lg_scratch(len < 0 ? 1 : (size_t)len + 1);
    text[0] = 0;
    if (len >= 0) vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}

void *lg_scratch_mark(void) { return scratch; }

void lg_scratch_back_to(void *mark) {
    while (scratch && scratch != mark) {
        piece *before = scratch->before;
        free(scratch);
        scratch = before;
    }
}

void lgi_free_scratch(void) { lg_scratch_back_to(NULL); }

uint8_t *lgi_grow(lgi_buffer *buffer, size_t len) {
    size_t needed = buffer->len + len;
    if (needed > buffer->cap) {
        size_t cap = buffer->cap * 2 > needed ? buffer->cap * 2 : needed;
        if (cap < 64) cap = 64;
        buffer->ptr = (uint8_t *)or_end(realloc(buffer->ptr, cap), cap);
        buffer->cap = cap;
    }
    uint8_t *room = buffer->ptr + buffer->len;
    buffer->len = needed;
    return room;
}

void lgi_append(lgi_buffer *buffer, const void *bytes, size_t len) {
    uint8_t *room = lgi_grow(buffer, len);
    if (len) memcpy(room, bytes, len);
}

uint8_t *lgi_take(lgi_buffer *buffer) {
    uint8_t *bytes = buffer->ptr;
    memset(buffer, 0, sizeof *buffer);
    return bytes;
}

size_t lgi_count_texts(const char *const *texts) {
    size_t count = 0;
    while (texts && texts[count]) count++;
    return count;
}
