/*
 * The sink of the contract: a log line for each record.
 *
 * Enters: batches and offsets. Leaves: log lines, bad rows, agreed offsets. Invariant: what a record demands is seen before any
 * line is logged.
 */
#include "reference.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct sink {
    char mode[MODE_LEN];
    lg_encoding value;
    char *url, *tcp;
    bool refused_put, refused_commit;
} sink;

static const lg_config config[] = {
    {.name = "fail.config", .type = LG_STRING, .documentation = "Any value is refused, by validate and by open."},
    {.name = "mode", .type = LG_STRING, .default_value = "echo", .documentation = "What to do wrong or otherwise."},
    {.name = "url", .type = LG_STRING, .default_value = "", .documentation = "Where mode http goes."},
    {.name = "tcp", .type = LG_STRING, .default_value = "", .documentation = "Where mode tcp goes: host:port."},
    {0},
};

static bool mode_is(const sink *s, const char *mode) { return strcmp(s->mode, mode) == 0; }

static lg_status open(const lg_task *task, void **self) {
    sink s = {.value = task->formats.value};
    if (ref_open("ref.Sink", task, s.mode)) return LG_FAILED;
    if (mode_is(&s, "state")) lg_info("ref: total %" PRIu64, ref_total());
    s.url = strdup(lg_text(task->settings, "url"));
    s.tcp = strdup(lg_text(task->settings, "tcp"));
    *self = malloc(sizeof s);
    memcpy(*self, &s, sizeof s);
    return LG_OK;
}

static void say_place(const char *what, lg_place place) {
    lg_info("ref: %s %s-%" PRIu32 "@%" PRId64, what, place.topic, place.partition, place.offset);
}

static lg_status assigned(void *self, const lg_place *places, size_t count, lg_places *wanted) {
    for (size_t at = 0; at < count; at++) {
        say_place("assigned", places[at]);
        if (mode_is(self, "resume")) lg_begin_at(wanted, (lg_place){places[at].topic, places[at].partition, 0});
    }
    return LG_OK;
}

static lg_status revoked(void *self, const lg_place *places, size_t count) {
    (void)self;
    for (size_t at = 0; at < count; at++) say_place("revoked", places[at]);
    return LG_OK;
}

/* A text that grows. */
typedef struct line {
    char *text;
    size_t len, cap;
} line;

static void add(line *l, const char *bytes, size_t len) {
    if (l->len + len > l->cap) {
        char *wider = lg_scratch(l->cap = 2 * (l->len + len));
        if (l->len) memcpy(wider, l->text, l->len);
        l->text = wider;
    }
    memcpy(l->text + l->len, bytes, len);
    l->len += len;
}

static void add_text(line *l, const char *text) { add(l, text, strlen(text)); }

static void add_hex(line *l, lg_bytes bytes) {
    static const char digits[] = "0123456789abcdef";
    if (!bytes.ptr) add_text(l, "null");
    for (size_t at = 0; bytes.ptr && at < bytes.len; at++) {
        char two[2] = {digits[bytes.ptr[at] >> 4], digits[bytes.ptr[at] & 15]};
        add(l, two, 2);
    }
}

static void say_record(lg_record record) {
    line l = {0};
    add_text(&l, lg_format("ref: %s-%" PRIu32 "@%" PRId64 " ts=%" PRId64 " key=", lg_topic(record), lg_partition(record),
                           lg_offset(record), lg_timestamp(record)));
    add_hex(&l, lg_key(record));
    add_text(&l, " value=");
    add_hex(&l, lg_value(record));
    add_text(&l, " headers=[");
    for (size_t at = 0; at < lg_header_count(record); at++) {
        lg_header header = lg_header_at(record, at);
        if (at) add_text(&l, ",");
        add(&l, (const char *)header.name.ptr, header.name.len);
        add_text(&l, "=");
        add_hex(&l, header.value);
    }
    const char *key = lg_schema(record.row->key_schema), *value = lg_schema(record.row->value_schema);
    add_text(&l, lg_format("] ks=%s vs=%s", key ? key : "-", value ? value : "-"));
    lg_log_text(LG_INFO, l.text, l.len);
}

static void spin(void) {
    for (volatile uint64_t turns = 0;; turns++) {}
}

static void grow(void) {
    for (;;) memset(lg_scratch((size_t)1 << 20), 1, (size_t)1 << 20);
}

static lg_status demands(sink *s, const lg_batch *batch, lg_report *report) {
    for (size_t at = 0; at < batch->count; at++) {
        lg_bytes value = lg_value(lg_at(batch, at));
        if (lg_is(value, ref_quoted(s->value, "ref:fatal"))) return lg_fatal("ref.put", "fatal on demand");
        if (lg_is(value, ref_quoted(s->value, "ref:rows"))) {
            lg_bad_row(report, at, "ref.rows", "row on demand");
            return lg_bad_rows(report);
        }
        if (lg_is(value, ref_quoted(s->value, "ref:panic"))) ref_panics_here();
        if (lg_is(value, ref_quoted(s->value, "ref:spin"))) spin();
        if (lg_is(value, ref_quoted(s->value, "ref:grow"))) grow();
        if (lg_is(value, ref_quoted(s->value, "ref:wait"))) {
            lg_info("ref: waiting");
            while (!lg_cancelled()) {}
        }
        if (lg_is(value, ref_quoted(s->value, "ref:retriable")) && !s->refused_put) {
            s->refused_put = true;
            return lg_retriable(50, "ref.put", "not yet");
        }
    }
    return LG_OK;
}

static lg_status put(void *self, const lg_batch *batch, lg_report *report) {
    sink *s = self;
    if (demands(s, batch, report)) return LG_FAILED;
    if (mode_is(s, "http") && ref_over_http(s->url, batch, report)) return LG_FAILED;
    if (mode_is(s, "tcp") && ref_over_tcp(s->tcp, batch)) return LG_FAILED;
    for (size_t at = 0; at < batch->count; at++) {
        lg_record record = lg_at(batch, at);
        lg_bytes why;
        if (!mode_is(s, "quiet")) say_record(record);
        if (lg_header_named(record, "ref.bad", &why))
            lg_bad_row(report, at, "ref.bad", "marked bad: %.*s", (int)why.len, (const char *)why.ptr);
        if (lg_header_named(record, "ref.bad.retriable", &why))
            lg_bad_row_for_now(report, at, "ref.bad", "marked bad: %.*s", (int)why.len, (const char *)why.ptr);
    }
    lg_count("ref_records", (double)batch->count);
    lg_count("ref_bytes", (double)batch->data_len);
    lg_count("ref_puts", 1);
    return mode_is(s, "state") ? ref_add_to_total(batch->count) : LG_OK;
}

static lg_status prepare_commit(void *self, lg_place *places, size_t *count) {
    sink *s = self;
    if (mode_is(s, "commit-retriable") && !s->refused_commit) {
        s->refused_commit = true;
        return lg_retriable(50, "ref.commit", "not yet");
    }
    for (size_t at = 0; at < *count; at++) {
        say_place("commit", places[at]);
        if (mode_is(s, "agree-less") && places[at].offset > 0) places[at].offset--;
    }
    if (mode_is(s, "agree-none")) *count = 0;
    return LG_OK;
}

static lg_status close(void *self) {
    sink *s = self;
    free(s->url);
    free(s->tcp);
    free(s);
    lg_info("ref: close ref.Sink");
    return LG_OK;
}

const lg_sink ref_sink = {
    .about = {
        .class_name = "ref.Sink",
        .documentation = "Does what the contract of the tests says.",
        .aliases = (const char *const[]){"reference-sink", NULL},
        .config = config,
        .encodings = {LG_BYTES, LG_JSON},
        .requests = (const lg_request[]){{LG_ASKS_HTTP, "{url}"}, {LG_ASKS_TCP, "{tcp}"}, {0}},
        .validate = ref_validate,
    },
    .tasks = ref_tasks,
    .open = open,
    .assigned = assigned,
    .revoked = revoked,
    .put = put,
    .prepare_commit = prepare_commit,
    .close = close,
};
