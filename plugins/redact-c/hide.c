/*
 * What stands in for what is hidden, and text that grows.
 *
 * Enters: the secret text. Leaves: its stand-in. Invariant: nothing of the secret but its last characters, where that is asked for.
 */
#include "redact.h"

#include <stdlib.h>

void text_add(text *to, const void *bytes, size_t len) {
    if (to->len + len > to->cap) {
        to->cap = 2 * (to->len + len);
        to->ptr = realloc(to->ptr, to->cap);
        if (!to->ptr) lg_panic("no memory left for %zu bytes", to->cap);
    }
    if (len) memcpy(to->ptr + to->len, bytes, len);
    to->len += len;
}

static bool begins_character(uint8_t byte) { return (byte & 0xc0) != 0x80; }

static void keep_last(const rules *r, lg_bytes secret, text *to) {
    size_t characters = 0, at = 0;
    for (size_t i = 0; i < secret.len; i++) characters += begins_character(secret.ptr[i]);
    /* A text that is no longer than what is kept would be shown whole: it is hidden whole. */
    size_t masked = characters > r->keep_last ? characters - r->keep_last : characters;
    for (size_t i = 0; i < masked; i++) text_byte(to, '*');
    for (; at < secret.len; at++)
        if (begins_character(secret.ptr[at]) && masked-- == 0) break;
    text_add(to, secret.ptr + at, secret.len - at);
}

static bool is_letter_or_digit(uint8_t b) { return (b >= '0' && b <= '9') || ((b | 32) >= 'a' && (b | 32) <= 'z'); }

void hide(rules *r, lg_bytes secret, bool tight, text *to) {
    static const char digits[] = "0123456789abcdef";
    uint8_t token[32];
    if (r->action == REPLACE) {
        text_add(to, r->replacement, r->replacement_len);
    } else if (r->action == KEEP_LAST) {
        keep_last(r, secret, to);
    } else {
        text squeezed = {0};
        if (tight) {
            for (size_t i = 0; i < secret.len; i++) {
                uint8_t b = secret.ptr[i];
                if (is_letter_or_digit(b)) text_byte(&squeezed, b >= 'a' && b <= 'z' ? b - 32 : b);
            }
            secret = (lg_bytes){squeezed.ptr, squeezed.len};
        }
        hmac_sha256(&r->hmac, secret.ptr, secret.len, token);
        for (size_t i = 0; i < r->hmac_len; i++) text_byte(to, (uint8_t)digits[i % 2 ? token[i / 2] & 15 : token[i / 2] >> 4]);
        free(squeezed.ptr);
    }
}
