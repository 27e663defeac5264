/*
 * The schemas of this instance: announced once by either side, known by id ever after.
 *
 * Enters: announcements of the host, definitions that a plugin writes. Leaves: ids and definitions. Invariant: the guest's ids
 * start at 0x8000 and never change meaning.
 */
#include "internal.h"

#include <stdlib.h>

static lgi_buffer host;  /* of char *, by id; NULL = not announced */
static lgi_buffer guest; /* of char *, by id - LGI_GUEST_FIRST */
static size_t announced;

static size_t texts(const lgi_buffer *buffer) { return buffer->len / sizeof(char *); }

void lgi_learn_schema(uint32_t id, const void *definition, size_t len) {
    if (id >= LGI_GUEST_FIRST) return;
    while (texts(&host) <= id) {
        char *none = NULL;
        lgi_append(&host, &none, sizeof none);
    }
    char **slot = (char **)host.ptr + id;
    free(*slot);
    *slot = lgi_text(definition, len);
}

uint32_t lgi_announce(const char *definition) {
    char **known = (char **)guest.ptr;
    size_t at = 0, count = texts(&guest);
    while (at < count && strcmp(known[at], definition) != 0) at++;
    if (at == LGI_GUEST_COUNT) return 0;
    if (at == count) {
        char *copy = lgi_text(definition, strlen(definition));
        lgi_append(&guest, &copy, sizeof copy);
    }
    return LGI_GUEST_FIRST + (uint32_t)at;
}

size_t lgi_unannounced(uint32_t *first, const char *const **definitions) {
    size_t count = texts(&guest) - announced;
    *first = LGI_GUEST_FIRST + (uint32_t)announced;
    *definitions = (const char *const *)guest.ptr + announced;
    announced += count;
    return count;
}

const char *lg_schema(uint32_t id) {
    const lgi_buffer *table = id >= LGI_GUEST_FIRST ? &guest : &host;
    size_t at = id >= LGI_GUEST_FIRST ? id - LGI_GUEST_FIRST : id;
    return at < texts(table) ? ((char **)table->ptr)[at] : NULL;
}
