/*
 * lockgate.h - sources, sinks, transforms and predicates for Lockgate, in C (C11) and C++ (C++20).
 *
 * Enters: a `lg_package` named `lockgate_package`, which the author defines. Leaves: a WebAssembly component, made by
 * `lockgate-cc`. Invariant: a record is a view over the host's batch; no byte of it is copied unless the plugin does.
 *
 * WHO OWNS WHAT, the whole rule:
 *   1. What Lockgate hands to a function of yours is borrowed: it is valid until that function returns. Copy what you
 *      want to keep. Two things live longer: a `lg_task` with all its settings, until `close` has returned, and the text
 *      of a schema, as long as the instance.
 *   2. What you hand to Lockgate is copied before the call returns (and bytes that already lie in the batch are not even
 *      copied). It may lie on your stack.
 *   3. So you free only what you allocated yourself; no function of this header gives you anything to free. One thing is to be
 *      given back: a `lg_tcp`, by lg_tcp_close.
 *   4. `self` is yours: you set it in `open` and free it in `close`.
 *
 * A plugin runs in one thread, one instance is one task. Memory that runs out ends the instance.
 */
#ifndef LOCKGATE_H
#define LOCKGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define LG_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define LG_PRINTF(text, first)
#endif

/* ---------------------------------------------------------------------------------------------------- bytes and rows */

/* Bytes that are somewhere else. `ptr` NULL means null (a tombstone), which is not the same as no bytes (`len` 0). */
typedef struct lg_bytes {
    const uint8_t *ptr;
    size_t len;
} lg_bytes;

/* Null. */
static inline lg_bytes lg_null(void) {
    lg_bytes none = {NULL, 0};
    return none;
}

/* The bytes of a text, without its final zero; NULL is null. */
static inline lg_bytes lg_str(const char *text) {
    lg_bytes bytes = {(const uint8_t *)text, text ? strlen(text) : 0};
    return bytes;
}

/* True if these are the bytes of the text; null is no text. */
static inline bool lg_is(lg_bytes bytes, const char *text) {
    return bytes.ptr && bytes.len == strlen(text) && memcmp(bytes.ptr, text, bytes.len) == 0;
}

#define LG_NULL_LEN UINT32_MAX      /* length of a span that is null */
#define LG_ANY_PARTITION UINT32_MAX /* the host chooses the partition */
#define LG_NO_TIMESTAMP INT64_C(-1)
#define LG_NO_OFFSET INT64_C(-1)
#define LG_LOG_APPEND_TIME 1u       /* flag of a row: the timestamp is log-append time */

/* An (offset, length) pair into a batch's bytes. */
typedef struct lg_span {
    uint32_t offset, len;
} lg_span;

/* One record without its bytes: 64 bytes, laid out as wit/batches.wit says. */
typedef struct lg_row {
    int64_t offset;        /* in the topic partition, LG_NO_OFFSET = not in Kafka yet */
    int64_t timestamp;     /* milliseconds since the epoch, LG_NO_TIMESTAMP = none */
    uint32_t partition;    /* LG_ANY_PARTITION = the host chooses */
    uint32_t topic;        /* index into the batch's topics */
    lg_span key, value;
    uint32_t header_first; /* index of its first header row */
    uint32_t header_count;
    uint32_t source_row;   /* transforms: the input row that this one comes from */
    uint32_t flags;        /* LG_LOG_APPEND_TIME or 0 */
    uint32_t key_schema;   /* schema id, 0 = none */
    uint32_t value_schema;
} lg_row;

/* One header without its bytes: 16 bytes. */
typedef struct lg_header_row {
    uint32_t name_offset;
    uint16_t name_len;
    uint16_t schema; /* schema id of the value, 0 = none */
    lg_span value;
} lg_header_row;

#ifdef __cplusplus
static_assert(sizeof(lg_row) == 64 && sizeof(lg_header_row) == 16, "rows are laid out as the contract says");
#else
_Static_assert(sizeof(lg_row) == 64 && sizeof(lg_header_row) == 16, "rows are laid out as the contract says");
#endif

/* Records from the host. The lists are the host's own: read them directly, or through the functions below. */
typedef struct lg_batch {
    const lg_row *rows;
    size_t count;
    const lg_header_row *headers;
    size_t header_count;
    const uint8_t *data;
    size_t data_len;
    const char *const *topics; /* names, ended by a zero each */
    size_t topic_count;
} lg_batch;

/* One record: a view, free to copy. */
typedef struct lg_record {
    const lg_batch *batch;
    const lg_row *row;
} lg_record;

/* One header: its name is UTF-8 and not ended by a zero. */
typedef struct lg_header {
    lg_bytes name, value;
    uint32_t schema;
} lg_header;

/* The bytes of a span; the host has checked that they lie in the batch. */
static inline lg_bytes lg_span_bytes(const lg_batch *batch, lg_span span) {
    lg_bytes bytes = {batch->data + span.offset, span.len};
    return span.len == LG_NULL_LEN ? lg_null() : bytes;
}

/* The record at `index`, which is below `batch->count`. Within one partition records come in the order of offsets. */
static inline lg_record lg_at(const lg_batch *batch, size_t index) {
    lg_record record = {batch, batch->rows + index};
    return record;
}

/* Index in the batch, as faults name it. */
static inline size_t lg_index(lg_record record) { return (size_t)(record.row - record.batch->rows); }
/* Name of the topic. */
static inline const char *lg_topic(lg_record record) { return record.batch->topics[record.row->topic]; }
/* The partition, LG_ANY_PARTITION in a batch that a source writes. */
static inline uint32_t lg_partition(lg_record record) { return record.row->partition; }
/* The offset, LG_NO_OFFSET = not in Kafka yet. */
static inline int64_t lg_offset(lg_record record) { return record.row->offset; }
/* Milliseconds since the epoch, or LG_NO_TIMESTAMP. */
static inline int64_t lg_timestamp(lg_record record) { return record.row->timestamp; }
static inline lg_bytes lg_key(lg_record record) { return lg_span_bytes(record.batch, record.row->key); }
/* Null is a tombstone. */
static inline lg_bytes lg_value(lg_record record) { return lg_span_bytes(record.batch, record.row->value); }
/* Number of headers; names may repeat. */
static inline size_t lg_header_count(lg_record record) { return record.row->header_count; }
/* The header at `at`, which is below `lg_header_count`; in order, names may repeat. */
lg_header lg_header_at(lg_record record, size_t at);
/* Finds the last header of this name: false if there is none. */
bool lg_header_named(lg_record record, const char *name, lg_bytes *value);
/* The schema with this id (the schema part of Kafka Connect's JSON envelope, as JSON text), or NULL. */
const char *lg_schema(uint32_t id);

/* ------------------------------------------------------------------------------------------------- what is said back */

/* What a function of a plugin answers: LG_OK, or what one of the functions below answered. */
typedef enum lg_status { LG_OK = 0, LG_FAILED = 1 } lg_status;

/* The same call may succeed later, after at least this many milliseconds (0: the host's own back-off).
 * `code` is short and stable, for machines, dotted: "http.status". The rest is for people, as in printf. */
lg_status lg_retriable(uint32_t after_ms, const char *code, const char *format, ...) LG_PRINTF(3, 4);
/* The task must stop; a person must look. */
lg_status lg_fatal(const char *code, const char *format, ...) LG_PRINTF(2, 3);
/* One setting cannot be accepted. All that were said before the function returns are reported together. */
lg_status lg_bad_config(const char *key, const char *format, ...) LG_PRINTF(2, 3);
/* More for people, after one of the above: a cause, an answer's body. */
lg_status lg_detail(const char *format, ...) LG_PRINTF(1, 2);

/* Ends the instance with a message and a back-trace: for what cannot be. */
#ifdef __cplusplus
[[noreturn]]
#else
_Noreturn
#endif
void lg_panic(const char *format, ...) LG_PRINTF(1, 2);

/* -------------------------------------------------------------------------------------------------------- settings */

/* Type of a setting, as Kafka Connect has them. */
typedef enum lg_type {
    LG_BOOLEAN, LG_STRING, LG_INT, LG_SHORT, LG_LONG, LG_DOUBLE, LG_LIST, LG_CLASS,
    LG_PASSWORD /* masked wherever it is shown */
} lg_type;

/* How much a setting matters to users. LG_MEDIUM where nothing is said. */
typedef enum lg_importance { LG_MEDIUM, LG_HIGH, LG_LOW } lg_importance;
/* How wide the field for it is in a user interface. */
typedef enum lg_width { LG_WIDTH_NONE, LG_WIDTH_SHORT, LG_WIDTH_MEDIUM, LG_WIDTH_LONG } lg_width;

/* One config key. What is left out is empty. The host checks type and constraint before the plugin sees a value. */
typedef struct lg_config {
    const char *name;
    lg_type type;
    bool required;             /* there is no default: the user must give a value */
    const char *default_value; /* as text; NULL = none */
    const char *documentation; /* meaning, unit, effect */
    lg_importance importance;
    bool non_empty;            /* a text with a character, a list with an entry */
    const char *const *one_of; /* one of these, exactly; ended by NULL */
    const double *at_least;    /* a number not below this */
    const double *at_most;     /* a number not above this */
    const char *group, *display_name;
    lg_width width;
    const char *const *dependents; /* keys whose validity depends on this one; ended by NULL */
} lg_config;

/* Settings of a connector, task or step, read with the definitions of its plugin. */
typedef struct lg_settings lg_settings;

/* The value as the user wrote it, or NULL. */
const char *lg_setting(const lg_settings *settings, const char *key);
/* The value or the default; NULL if there is neither, which is a problem only where the key is required. */
const char *lg_text(const lg_settings *settings, const char *key);
/* Likewise, as a number; 0 and a problem for what is none. */
int64_t lg_long(const lg_settings *settings, const char *key);
/* Likewise; 0.0 and a problem for what is no number. */
double lg_double(const lg_settings *settings, const char *key);
/* Likewise; false and a problem for what is neither true nor false. */
bool lg_boolean(const lg_settings *settings, const char *key);
/* Entry `at` of a list, spaces cut off, or NULL behind the last; valid until the function of yours returns. */
const char *lg_entry(const lg_settings *settings, const char *key, size_t at);
/* LG_OK, or LG_FAILED with every problem that reading has found so far. */
lg_status lg_settings_ok(void);

/* --------------------------------------------------------------------------------------------- what a package says */

/* How bytes are to be read: opaque; UTF-8 JSON with Kafka Connect's conventions; RFC 8949. */
typedef enum lg_encoding { LG_BYTES = 1, LG_JSON, LG_CBOR } lg_encoding;
/* Encodings of keys, values and header values. */
typedef struct lg_formats {
    lg_encoding key, value, header;
} lg_formats;

/* What is asked for: host, host:port, *.domain:port or a URL; host:port; a file or folder to read; likewise to read and write. */
typedef enum lg_request_kind { LG_ASKS_NOTHING, LG_ASKS_HTTP, LG_ASKS_TCP, LG_ASKS_READ, LG_ASKS_WRITE } lg_request_kind;

/* Something outside the sandbox. `target` may name config keys in braces: "{file}". */
typedef struct lg_request {
    lg_request_kind kind;
    const char *target;
} lg_request;

/* One task (or, in a transform, one step of a chain). */
typedef struct lg_task {
    const char *connector;
    uint32_t number; /* from 0 */
    const lg_settings *settings;
    lg_formats formats; /* the encodings that this task gets and gives */
} lg_task;

/* One connector, before it has tasks. */
typedef struct lg_connector {
    const char *name;
    const lg_settings *settings;
} lg_connector;

/* What a plugin has to say about settings; filled by lg_advise_*. */
typedef struct lg_advice lg_advice;
/* Something is wrong with the value of this key. */
void lg_advise_error(lg_advice *advice, const char *key, const char *format, ...) LG_PRINTF(3, 4);
/* A value that a user may choose. */
void lg_advise_value(lg_advice *advice, const char *key, const char *value);
/* User interfaces need not show this key. */
void lg_advise_hide(lg_advice *advice, const char *key);

/* What every plugin says of itself. The same each time. */
typedef struct lg_about {
    const char *class_name;        /* what users write as `connector.class` or `transforms.x.type` */
    const char *documentation;     /* one sentence */
    const char *const *aliases;    /* other names, ended by NULL */
    const lg_config *config;       /* keys in the order they are shown, ended by one without a name */
    lg_encoding encodings[3];      /* preferred one first; none: LG_BYTES */
    const lg_request *requests;    /* ended by LG_ASKS_NOTHING */
    /* Checks across keys; types, constraints and missing values were checked before. May be NULL. */
    void (*validate)(const lg_settings *settings, lg_advice *advice);
} lg_about;

/* The tasks of a connector; filled by lg_task_*. */
typedef struct lg_tasks lg_tasks;
/* Adds a task with the connector's settings. */
void lg_task_add(lg_tasks *tasks);
/* Sets a setting of the task added last. */
void lg_task_set(lg_tasks *tasks, const char *key, const char *value);

/* ------------------------------------------------------------------------------------------------------------ sinks */

/* A partition with an offset. */
typedef struct lg_place {
    const char *topic;
    uint32_t partition;
    int64_t offset; /* LG_NO_OFFSET = none */
} lg_place;

/* Where a sink wants to begin; filled by lg_begin_at. */
typedef struct lg_places lg_places;
/* This partition is to begin at this offset. */
void lg_begin_at(lg_places *wanted, lg_place place);

/* Rows that cannot be delivered; filled by lg_bad_row. */
typedef struct lg_report lg_report;
/* Names a row that cannot be delivered. All others are taken. */
void lg_bad_row(lg_report *report, size_t row, const char *code, const char *format, ...) LG_PRINTF(4, 5);
/* Likewise; the same row may succeed later. */
void lg_bad_row_for_now(lg_report *report, size_t row, const char *code, const char *format, ...) LG_PRINTF(4, 5);
/* Ends `put` with a fault of kind rows: those named are bad, all others were handled. */
lg_status lg_bad_rows(const lg_report *report);

/* Kafka -> outside. One `self` is one task. What may be NULL says so. */
typedef struct lg_sink {
    lg_about about;
    /* Splits the work into at most `max` tasks. NULL: `max` tasks with the connector's settings. */
    lg_status (*tasks)(const lg_connector *connector, uint32_t max, lg_tasks *tasks);
    lg_status (*open)(const lg_task *task, void **self);
    /* These partitions are now this task's. NULL: begin where the host would. */
    lg_status (*assigned)(void *self, const lg_place *places, size_t count, lg_places *wanted);
    /* These partitions are no longer this task's. May be NULL. */
    lg_status (*revoked)(void *self, const lg_place *places, size_t count);
    /* Takes a batch, never an empty one. */
    lg_status (*put)(void *self, const lg_batch *batch, lg_report *report);
    /* The host is about to commit these next offsets. Make what was taken durable, and lower what is not, or shorten
     * the list. NULL: all of it, right for sinks whose `put` delivers. */
    lg_status (*prepare_commit)(void *self, lg_place *places, size_t *count);
    /* The task ends; 5 s are left. NULL: nothing to free. */
    lg_status (*close)(void *self);
} lg_sink;

/* ---------------------------------------------------------------------------------------------------------- sources */

/* Where reading goes on, as JSON objects. The partition's bytes are its identity: write it the same way each time. */
typedef struct lg_position {
    const char *partition, *offset;
} lg_position;

/* The batch that a source fills. */
typedef struct lg_writer lg_writer;

/* The index of a topic, added if it is new. */
uint32_t lg_write_topic(lg_writer *out, const char *name);
/* The id of a schema (the schema part of Kafka Connect's JSON envelope), announced once. 0 if all ids are used up. */
uint32_t lg_write_schema(lg_writer *out, const char *definition);
/* Writes a record. The row that it answers with may be changed (timestamp, partition, schemas) until the next call. */
lg_row *lg_write(lg_writer *out, uint32_t topic, lg_bytes key, lg_bytes value);
/* Adds a header to the record written last. */
void lg_write_header(lg_writer *out, const char *name, lg_bytes value);
/* The position that holds once all records written so far are delivered. Usually one a batch. */
void lg_write_position(lg_writer *out, const char *partition, const char *offset);
/* Number of records so far. */
size_t lg_written(const lg_writer *out);
/* True once a bound is reached: return from `poll`. */
bool lg_is_full(const lg_writer *out);
/* True if a record with this many bytes still fits. The first always does: a larger one travels alone. */
bool lg_fits(const lg_writer *out, size_t bytes);
/* Poll again after this long, at most a minute; without: at once. */
void lg_poll_after(lg_writer *out, uint32_t milliseconds);
/* There is nothing ever again, as far as the plugin knows. */
void lg_poll_done(lg_writer *out);

/* Outside -> Kafka. One `self` is one task. */
typedef struct lg_source {
    lg_about about;
    /* Splits the work into at most `max` tasks. NULL: one task with the connector's settings. */
    lg_status (*tasks)(const lg_connector *connector, uint32_t max, lg_tasks *tasks);
    /* `positions` are all stored positions of the connector. */
    lg_status (*open)(const lg_task *task, const lg_position *positions, size_t count, void **self);
    /* Writes the next records and their positions until `lg_is_full`, or there are no more. May wait for a second. */
    lg_status (*poll)(void *self, lg_writer *out);
    /* These positions are durable: the upstream may forget what came before. May be NULL. */
    lg_status (*committed)(void *self, const lg_position *positions, size_t count);
    lg_status (*close)(void *self);
} lg_source;

/* ------------------------------------------------------------------------------------------ transforms, predicates */

/* A record on its way through a chain. What no step touches keeps its bytes where they are. */
typedef struct lg_edit lg_edit;

/* What becomes of a record after a step. */
typedef enum lg_flow {
    LG_KEEP,   /* it goes on, as the step left it */
    LG_DROP,   /* it is dropped on purpose */
    LG_BAD     /* it failed: what `lg_fail` answers */
} lg_flow;

lg_bytes lg_edit_key(const lg_edit *record);
lg_bytes lg_edit_value(const lg_edit *record);
/* Its topic. */
const char *lg_edit_topic(const lg_edit *record);
/* The row as it stands: partition, offset, timestamp, schema ids. */
const lg_row *lg_edit_row(const lg_edit *record);
/* Number of its headers. */
size_t lg_edit_header_count(const lg_edit *record);
lg_header lg_edit_header_at(const lg_edit *record, size_t at);

/* Sets key or value. Bytes that already lie in the record (all of its value, a part of its key) are not copied. */
void lg_edit_set_key(lg_edit *record, lg_bytes key);
void lg_edit_set_value(lg_edit *record, lg_bytes value);
/* Room for new bytes, to be filled and then set. Bytes that you had from this record before may have moved: ask again. */
uint8_t *lg_edit_room(lg_edit *record, size_t len);
/* Moves the record to another topic. */
void lg_edit_set_topic(lg_edit *record, const char *topic);
/* LG_ANY_PARTITION: the host chooses. */
void lg_edit_set_partition(lg_edit *record, uint32_t partition);
/* Milliseconds since the epoch, LG_NO_TIMESTAMP = none. */
void lg_edit_set_timestamp(lg_edit *record, int64_t timestamp);
/* Sets the schema by its definition, announced if it is new; NULL = none. */
void lg_edit_set_key_schema(lg_edit *record, const char *definition);
void lg_edit_set_value_schema(lg_edit *record, const char *definition);
/* Adds a header behind those there are. A name of 64 KiB or more is cut off. */
void lg_edit_add_header(lg_edit *record, const char *name, lg_bytes value);
/* Sets the value of header `at`, which is below the count; name and schema stay. */
void lg_edit_set_header(lg_edit *record, size_t at, lg_bytes value);
/* Drops all headers of this name. */
void lg_edit_drop_header(lg_edit *record, const char *name);
/* Sends a copy of the record as it is now on its way before this one. Call it for each part but the last. */
void lg_edit_split(lg_edit *record);
/* The record cannot be handled. */
lg_flow lg_fail(lg_edit *record, const char *code, const char *format, ...) LG_PRINTF(3, 4);
/* Likewise; the same record may succeed later. */
lg_flow lg_fail_for_now(lg_edit *record, const char *code, const char *format, ...) LG_PRINTF(3, 4);

/* One step of a chain is one `self`. `open` may be NULL; `close` too. */
typedef struct lg_transform {
    lg_about about;
    lg_status (*open)(const lg_task *step, void **self);
    lg_flow (*apply)(void *self, lg_edit *record);
    void (*close)(void *self);
} lg_transform;

/* Decides whether a step runs for a record, as earlier steps left it. */
typedef struct lg_predicate {
    lg_about about;
    lg_status (*open)(const lg_task *step, void **self);
    bool (*test)(void *self, const lg_edit *record);
    void (*close)(void *self);
} lg_predicate;

/* ----------------------------------------------------------------------------------------------------------- package */

/* What is in the component. */
typedef struct lg_package {
    const char *name;    /* lower-case letters, digits and hyphens */
    const char *version; /* a semantic version */
    const char *documentation;
    const lg_source *const *sources; /* each list is ended by NULL; NULL = none */
    const lg_sink *const *sinks;
    const lg_transform *const *transforms;
    const lg_predicate *const *predicates;
} lg_package;

/* Defined by the author, once. */
extern const lg_package lockgate_package;

/* --------------------------------------------------------------------------------------- the host, never per record */

/* Severity of a line. */
typedef enum lg_level { LG_TRACE, LG_DEBUG, LG_INFO, LG_WARN, LG_ERROR } lg_level;

/* Writes one line, as printf does; nothing is built below the lowest level that is written anywhere. */
void lg_log(lg_level level, const char *format, ...) LG_PRINTF(2, 3);
/* Likewise, for a line that is there already. */
void lg_log_text(lg_level level, const char *text, size_t len);
/* True if a line of this level is written anywhere. */
bool lg_log_enabled(lg_level level);
#define lg_info(...) lg_log(LG_INFO, __VA_ARGS__)
#define lg_warn(...) lg_log(LG_WARN, __VA_ARGS__)
#define lg_error(...) lg_log(LG_ERROR, __VA_ARGS__)

/* The plugin's own metrics. Names: [a-z][a-z0-9_]*, at most 60 bytes. */
void lg_count(const char *name, double value);
void lg_gauge(const char *name, double value);
/* In the unit that the name ends with (`_seconds`, `_bytes`). */
void lg_observe(const char *name, double value);

/* A small key-value store of the task, stored with its positions. Null if there is no such key. */
lg_bytes lg_state(const char *key);
/* Keys up to 256 bytes, values up to 64 KiB, 1 MiB and 1,000 keys a task; beyond: fatal. */
lg_status lg_set_state(const char *key, lg_bytes value);
/* Removes a key; one that is not there is no error. */
void lg_remove_state(const char *key);

/* True once the task is to stop: return soon. */
bool lg_cancelled(void);
/* Asks the host to call `tasks` again. */
void lg_request_reconfiguration(void);
/* The stored offset of a source partition, or NULL. Sources only. */
const char *lg_stored_offset(const char *partition);

/* ------------------------------------------------------------------------- outside: what the worker grants, and no more */

/* One header, ended by a zero each. */
typedef struct lg_http_header {
    const char *name, *value;
} lg_http_header;

/* Takes a piece of an answer's body; what is not LG_OK ends the request with it. */
typedef lg_status (*lg_http_piece)(void *user, lg_bytes piece);

/* A request. What is left out is empty. */
typedef struct lg_http_request {
    const char *method;            /* NULL: GET */
    const char *url;               /* http:// or https://; the host does TLS */
    const lg_http_header *headers; /* ended by one without a name; the length of the body is added */
    lg_bytes body;
    uint32_t timeout_ms;           /* of all of it, answer included; 0: 30,000 */
    size_t answer_max;             /* bytes of the answer's body that are kept; 0: 8 MiB. A longer one is a fault */
    lg_http_piece on_piece;        /* instead of keeping the body: called with each piece as it comes */
    void *user;                    /* given to it */
} lg_http_request;

/* An answer. All of it is valid until the function of yours that runs now returns. */
typedef struct lg_http_answer {
    uint16_t status;
    lg_bytes body;                 /* ended by a zero behind it; null where on_piece took it */
    const lg_http_header *headers; /* names in lower case; ended by one without a name */
} lg_http_answer;

/* Sends a request and waits for the answer, whatever its status. No redirect is followed. No answer is a fault: "http.denied" (fatal: the
 * plugin asks for it by LG_ASKS_HTTP, and lockgate.grants.http must cover it), "http.request" (fatal: it cannot be sent),
 * "http.timeout", "http.transport" (retriable), "http.size" (fatal). */
lg_status lg_http(const lg_http_request *request, lg_http_answer *answer);
/* The value of the last header of this name, in lower case, or NULL. */
const char *lg_http_header_named(const lg_http_answer *answer, const char *name);
/* LG_OK for a status 2xx; else the fault "http.status": retriable for 408, 425, 429 and 5xx, with the delay of Retry-After in seconds;
 * fatal for the rest. */
lg_status lg_http_check(const lg_http_answer *answer);

/* A TCP connection. It may be kept from one call to the next; in between nobody reads it. */
typedef struct lg_tcp lg_tcp;

/* Connects to a name or an address; a name's addresses are tried in turn. `timeout_ms` 0: 10,000. A fault is "tcp.denied" (fatal: the plugin
 * asks for it by LG_ASKS_TCP, and lockgate.grants.tcp must cover it) or "tcp.connect" (retriable). */
lg_status lg_tcp_connect(const char *host, uint16_t port, uint32_t timeout_ms, lg_tcp **connection);
/* Reads what there is, at least a byte; 0 where the far end is done. `timeout_ms` 0: 30,000. The fault is retriable: "tcp.timeout", after
 * which the connection still stands, or "tcp.broken". */
lg_status lg_tcp_read(lg_tcp *connection, void *into, size_t room, uint32_t timeout_ms, size_t *count);
/* Writes everything, or answers with a fault likewise. */
lg_status lg_tcp_write(lg_tcp *connection, lg_bytes bytes, uint32_t timeout_ms);
/* Sends what was written on its way, for 2 s at most, and ends the connection. NULL is nothing. */
void lg_tcp_close(lg_tcp *connection);

/* ----------------------------------------------------------------------------------------------------- scratch memory */

/* Memory until the function of yours that runs now returns; never NULL. */
void *lg_scratch(size_t len);
/* For loops that use much of it, a request for each record, say: everything that was given since the mark goes back, texts and answers too. */
void *lg_scratch_mark(void);
void lg_scratch_back_to(void *mark);
/* Text until the function of yours that runs now returns, as printf writes it. */
char *lg_format(const char *format, ...) LG_PRINTF(1, 2);

#ifdef __cplusplus
}
#endif

#endif
