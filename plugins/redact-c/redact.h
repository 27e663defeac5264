/*
 * What the files of this package share.
 *
 * Enters: a step's settings, bytes of keys, values and headers. Leaves: the same bytes, with what is personal hidden. Invariant: what is
 * hidden is gone from the bytes in every spelling; what is not is there byte by byte.
 */
#ifndef REDACT_H
#define REDACT_H

#include <lockgate.h>

/* Steps of all paths together, levels of a value, bytes of the text that stands in. */
#define PATHS_MAX 64
#define STEPS_MAX 32
#define LEVELS_MAX 200

/* ------------------------------------------------------------------------------------------------------------- text */

/* Bytes that grow; kept and used again by the next record. */
typedef struct text {
    uint8_t *ptr;
    size_t len, cap;
} text;

void text_add(text *to, const void *bytes, size_t len);
static inline void text_byte(text *to, uint8_t byte) { text_add(to, &byte, 1); }

/* ----------------------------------------------------------------------------------------------------- what is hidden */

typedef enum action { REPLACE, KEEP_LAST, HMAC } action;
enum { CARD = 1, EMAIL = 2, IBAN = 4, IP = 8 };

typedef enum step_kind { FIELD, ANY_FIELD, ELEMENT, ANY_ELEMENT, DEEP } step_kind;
typedef struct step {
    step_kind kind;
    char *name; /* FIELD */
    size_t name_len, index;
} step;
typedef struct path {
    step steps[STEPS_MAX];
    size_t count; /* 0: the whole */
} path;

/* A key, mixed in already. */
typedef struct hmac_key {
    uint32_t inner[8], outer[8];
} hmac_key;

typedef struct rules {
    path *paths;
    size_t path_count;
    unsigned patterns;
    action action;
    char *replacement;
    size_t replacement_len, keep_last;
    hmac_key hmac;
    size_t hmac_len;
    /* The memory of one record. */
    text out, plain, part;
} rules;

/* Reads a path; false with the reason in `why`. */
bool path_parse(const char *from, path *to, const char **why);
void path_free(path *p);

/* Adds what stands in for a text (as it is, not as JSON writes it). `tight`: separators do not count for the HMAC. */
void hide(rules *r, lg_bytes secret, bool tight, text *to);
/* Copies a text with what its patterns find hidden; false, and nothing copied, if they find nothing. */
bool hide_patterns(rules *r, lg_bytes from, text *to);
/* True if the digits are those of a payment card, all of them and nothing else. */
bool is_card(const uint8_t *digits, size_t len);

/* Redacts JSON text into r->out; `typed`: what is no string keeps its type, because a schema says so. Answers -1 if nothing changed, 0 if it
 * did, or 1 + the place where it is not JSON. */
long redact_json(rules *r, lg_bytes json, bool typed);

/* HMAC-SHA256, 32 bytes. */
void hmac_prepare(const uint8_t *key, size_t len, hmac_key *to);
void hmac_sha256(const hmac_key *key, const uint8_t *bytes, size_t len, uint8_t into[32]);

#endif
