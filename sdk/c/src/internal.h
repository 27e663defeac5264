/*
 * What the files of the library share. Nothing here is for plugins.
 *
 * Enters and leaves: buffers, the schemas and the fault of this instance. Invariant: one instance runs one call at a time, so what
 * belongs to a call lies in statics, and is reset by lgi_begin.
 */
#ifndef LOCKGATE_INTERNAL_H
#define LOCKGATE_INTERNAL_H

#include "lockgate.h"

#include <stdarg.h>

/* The host's ids end where the guest's begin. */
#define LGI_GUEST_FIRST 0x8000u
#define LGI_GUEST_COUNT 0x8000u

/* memory.c: all of it ends the instance when memory runs out. */
void *lgi_alloc(size_t len);
void *lgi_copy(const void *bytes, size_t len);
/* A copy that ends with a zero; NULL for NULL. */
char *lgi_text(const void *bytes, size_t len);
char *lgi_vformat(const char *format, va_list args);
void lgi_free_scratch(void);

typedef struct lgi_buffer {
    uint8_t *ptr;
    size_t len, cap;
} lgi_buffer;

/* Room for `len` more bytes; the buffer is that much longer afterwards. */
uint8_t *lgi_grow(lgi_buffer *buffer, size_t len);
void lgi_append(lgi_buffer *buffer, const void *bytes, size_t len);
/* Gives the bytes away; the buffer is empty afterwards. */
uint8_t *lgi_take(lgi_buffer *buffer);

/* Number of entries before the NULL; 0 for NULL. */
size_t lgi_count_texts(const char *const *texts);

/* schemas.c */
void lgi_learn_schema(uint32_t id, const void *definition, size_t len);
uint32_t lgi_announce(const char *definition);
/* The definitions not yet announced, in the order of their ids, which begin at `*first`; they count as announced now. */
size_t lgi_unannounced(uint32_t *first, const char *const **definitions);

/* faults.c */
typedef enum lgi_fault_kind { LGI_FATAL, LGI_RETRIABLE, LGI_ROWS, LGI_CONFIG } lgi_fault_kind;
typedef struct lgi_problem {
    char *key, *problem;
} lgi_problem;
typedef struct lgi_row_fault {
    uint32_t row, step;
    bool retriable;
    char *code, *message;
} lgi_row_fault;
struct lg_report {
    lgi_buffer rows; /* of lgi_row_fault */
};
typedef struct lgi_fault {
    lgi_fault_kind kind;
    uint32_t after_ms;
    char *code, *message, *detail;
    lgi_buffer problems; /* of lgi_problem */
    const lg_report *rows;
} lgi_fault;

/* The fault of the call that runs. */
extern lgi_fault lgi_pending;
/* Begins a call: no fault, no scratch memory. */
void lgi_begin(void);
/* The fault of a function that answered LG_FAILED, complete in any case. */
const lgi_fault *lgi_failed(void);
void lgi_add_row_fault(lgi_buffer *rows, uint32_t row, uint32_t step, bool retriable, const char *code, char *message);

/* settings.c */
struct lg_settings {
    char **pairs; /* key, value, key, value, ... */
    size_t count;
    const lg_config *definitions;
};
/* A copy of settings: `copy` gets each pair through lgi_set_pair. */
lg_settings *lgi_new_settings(size_t count, const lg_config *definitions);
void lgi_set_pair(lg_settings *settings, size_t at, const void *key, size_t key_len, const void *value, size_t value_len);
void lgi_free_settings(lg_settings *settings);

struct lg_tasks {
    const lg_settings *connector;
    lgi_buffer all; /* of lgi_buffer of char *: key, value, ... */
};
void lgi_free_tasks(lg_tasks *tasks);

/* writer.c */
/* The index of a topic in a list of char *, added if it is new. */
uint32_t lgi_topic(lgi_buffer *topics, const char *name);
/* The bytes of a header's name, cut off where they would not fit. */
lg_bytes lgi_header_name(const char *name);

struct lg_writer {
    lgi_buffer topics; /* of char * */
    lgi_buffer rows, headers, data;
    lgi_buffer positions; /* of lgi_position */
    size_t records_max, bytes_max;
    bool waits, done;
    uint32_t after_ms;
};
typedef struct lgi_position {
    char *partition, *offset;
    uint32_t after_row;
} lgi_position;

struct lg_places {
    lgi_buffer all; /* of lg_place, topics copied into scratch memory */
};

/* edit.c */
typedef struct lgi_outcome {
    const lg_batch *batch;
    lgi_buffer topics; /* of char * */
    lgi_buffer rows, headers, appended;
    lgi_buffer failed; /* of lgi_row_fault */
} lgi_outcome;
typedef struct lgi_copy_of_row {
    lg_row row;
    bool own_headers;
} lgi_copy_of_row;
struct lg_edit {
    lgi_outcome *out;
    lg_row row;
    bool own_headers; /* the row's headers lie in the outcome */
    lgi_buffer split; /* of lgi_copy_of_row */
    bool retriable;
    const char *code;
    char *message;
};
typedef struct lgi_step {
    const lg_transform *transform;
    void *self;
    const lg_predicate *predicate; /* NULL: always */
    void *predicate_self;
    bool negate;
} lgi_step;
/* Takes all rows of a batch through the steps. */
void lgi_walk_all(lgi_outcome *out, lgi_step *steps, size_t count);

#endif
