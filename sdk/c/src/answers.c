/*
 * What an answer says.
 *
 * Enters: an answer. Leaves: a header, a fault. Invariant: what may go well later is retriable, with the server's own delay.
 */
#include "internal.h"

#include <stdlib.h>

#define SHOWN_MAX 2000

const char *lg_http_header_named(const lg_http_answer *answer, const char *name) {
    const char *value = NULL;
    for (const lg_http_header *at = answer->headers; at && at->name; at++)
        if (strcmp(at->name, name) == 0) value = at->value;
    return value;
}

lg_status lg_http_check(const lg_http_answer *answer) {
    uint16_t status = answer->status;
    if (status >= 200 && status <= 299) return LG_OK;
    if (status < 500 && status != 408 && status != 425 && status != 429) {
        lg_fatal("http.status", "the server answered %u", status);
    } else {
        const char *after = lg_http_header_named(answer, "retry-after");
        unsigned long seconds = after && strspn(after, "0123456789") == strlen(after) ? strtoul(after, NULL, 10) : 0;
        lg_retriable((uint32_t)(seconds > 4000000 ? 4000000000u : seconds * 1000), "http.status", "the server answered %u", status);
    }
    size_t shown = answer->body.len < SHOWN_MAX ? answer->body.len : SHOWN_MAX;
    return shown ? lg_detail("%.*s", (int)shown, (const char *)answer->body.ptr) : LG_FAILED;
}
