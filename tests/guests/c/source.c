/*
 * The source of the contract: numbered records.
 *
 * Enters: settings and a stored position. Leaves: records that are a function of their number. Invariant: the position names the
 * next number, as text.
 */
#include "reference.h"

#include <inttypes.h>
#include <stdlib.h>

#define SCHEMA "{\"type\":\"string\",\"optional\":true}"

typedef struct source {
    char mode[MODE_LEN];
    lg_formats formats;
    char *partition, *topic;
    uint64_t next, end;
    size_t per_poll;
} source;

static uint64_t number(const lg_settings *settings, const char *key, uint64_t otherwise) {
    const char *text = lg_setting(settings, key);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static lg_status open(const lg_task *task, const lg_position *positions, size_t count, void **self) {
    source s = {.formats = task->formats};
    if (ref_open("ref.Source", task, s.mode)) return LG_FAILED;
    const char *id = lg_setting(task->settings, "task.id"), *topic = lg_setting(task->settings, "topic");
    if (!id) id = lg_format("%" PRIu32, task->number);
    s.partition = strdup(lg_format("{\"source\":\"%s\"}", id));
    s.topic = strdup(topic ? topic : "ref-topic");
    uint64_t start = number(task->settings, "start", 0), stored = 0;
    bool found = false;
    for (size_t at = 0; at < count; at++) {
        if (strcmp(positions[at].partition, s.partition) != 0) continue;
        stored = strtoull(positions[at].offset + strcspn(positions[at].offset, "0123456789"), NULL, 10);
        found = true;
    }
    lg_info("ref: resume %" PRIu64, stored);
    s.next = found ? stored : start;
    s.end = start + number(task->settings, "count", 10);
    s.per_poll = (size_t)number(task->settings, "per.poll", 4);
    *self = malloc(sizeof s);
    memcpy(*self, &s, sizeof s);
    return LG_OK;
}

static void write(const source *s, lg_writer *out, uint32_t topic, uint32_t schema) {
    uint64_t n = s->next;
    lg_bytes key = lg_null(), value = lg_null();
    if (n % 5 != 2) key = lg_str(ref_quoted(s->formats.key, lg_format("k%" PRIu64, n)));
    if (n % 5 == 3) {
        value = lg_str(ref_quoted(s->formats.value, lg_format("żółw-%" PRIu64 "-🐢", n)));
    } else if (n % 5 != 4) {
        value = lg_str(ref_quoted(s->formats.value, lg_format("v%" PRIu64, n)));
    }
    lg_row *row = lg_write(out, topic, key, value);
    row->timestamp = INT64_C(1700000000000) + (int64_t)(n % 1000);
    row->key_schema = row->value_schema = schema;
    lg_write_header(out, "n", lg_str(ref_quoted(s->formats.header, lg_format("%" PRIu64, n))));
}

static lg_status poll(void *self, lg_writer *out) {
    source *s = self;
    bool fails_now = strcmp(s->mode, "poll-retriable") == 0, fails = strcmp(s->mode, "poll-fatal") == 0;
    bool panics = strcmp(s->mode, "panic") == 0;
    if (fails_now || fails || panics) s->mode[0] = 0;
    if (fails_now) return lg_retriable(100, "ref.poll", "not yet");
    if (fails) return lg_fatal("ref.poll", "fatal on demand");
    if (panics) ref_panics_here();
    uint32_t topic = lg_write_topic(out, s->topic);
    uint32_t schema = strcmp(s->mode, "schema") == 0 ? lg_write_schema(out, SCHEMA) : 0;
    for (; s->next < s->end && lg_written(out) < s->per_poll && !lg_is_full(out); s->next++) write(s, out, topic, schema);
    if (!lg_written(out)) {
        lg_poll_done(out);
        return LG_OK;
    }
    lg_write_position(out, s->partition, lg_format("{\"n\":\"%" PRIu64 "\"}", s->next));
    return strcmp(s->mode, "state") == 0 ? ref_add_to_total(lg_written(out)) : LG_OK;
}

static lg_status committed(void *self, const lg_position *positions, size_t count) {
    (void)self;
    if (count) lg_info("ref: committed %s", positions[count - 1].offset);
    lg_count("ref_committed", 1);
    return LG_OK;
}

static lg_status close(void *self) {
    source *s = self;
    free(s->partition);
    free(s->topic);
    free(s);
    lg_info("ref: close ref.Source");
    return LG_OK;
}

const lg_source ref_source = {
    .about = {
        .class_name = "ref.Source",
        .documentation = "Does what the contract of the tests says.",
        .aliases = (const char *const[]){"reference-source", NULL},
        .config = ref_config,
        .encodings = {LG_BYTES, LG_JSON},
        .validate = ref_validate,
    },
    .tasks = ref_tasks,
    .open = open,
    .poll = poll,
    .committed = committed,
    .close = close,
};
