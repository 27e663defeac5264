/*
 * The host, as far as tests on this machine need it: lines are kept, state is in memory, metrics are forgotten.
 */
#include "../src/internal.h"
#include "lockgate_test.h"

#include <stdio.h>
#include <stdlib.h>

static lgi_buffer lines;
static struct {
    char *key;
    lgi_buffer value;
} state[16];

bool lg_log_enabled(lg_level level) { return level >= LG_DEBUG; }

void lg_log_text(lg_level level, const char *text, size_t len) {
    (void)level;
    if (lines.len) lines.len--; /* the final zero */
    lgi_append(&lines, text, len);
    lgi_append(&lines, "\n", 2);
}

void lg_count(const char *name, double value) { (void)name, (void)value; }
void lg_gauge(const char *name, double value) { (void)name, (void)value; }
void lg_observe(const char *name, double value) { (void)name, (void)value; }
bool lg_cancelled(void) { return false; }
void lg_request_reconfiguration(void) {}
const char *lg_stored_offset(const char *partition) { return (void)partition, NULL; }

lg_bytes lg_state(const char *key) {
    for (size_t at = 0; at < 16; at++)
        if (state[at].key && strcmp(state[at].key, key) == 0) return (lg_bytes){state[at].value.ptr, state[at].value.len};
    return lg_null();
}

lg_status lg_set_state(const char *key, lg_bytes value) {
    lg_remove_state(key);
    for (size_t at = 0; at < 16; at++) {
        if (state[at].key) continue;
        state[at].key = lgi_text(key, strlen(key));
        lgi_append(&state[at].value, value.ptr, value.len);
        return LG_OK;
    }
    return lg_fatal("state.set", "the fake host keeps 16 keys");
}

void lg_remove_state(const char *key) {
    for (size_t at = 0; at < 16; at++) {
        if (!state[at].key || strcmp(state[at].key, key) != 0) continue;
        free(state[at].key);
        free(state[at].value.ptr);
        memset(&state[at], 0, sizeof state[at]);
    }
}

lg_writer *lgt_writer(size_t records_max, size_t bytes_max) {
    lg_writer *writer = lgi_alloc(sizeof *writer);
    *writer = (lg_writer){.records_max = records_max, .bytes_max = bytes_max};
    return writer;
}

lg_batch lgt_batch(const lg_writer *writer) {
    return (lg_batch){
        .rows = (const lg_row *)writer->rows.ptr,
        .count = lg_written(writer),
        .headers = (const lg_header_row *)writer->headers.ptr,
        .header_count = writer->headers.len / sizeof(lg_header_row),
        .data = writer->data.ptr,
        .data_len = writer->data.len,
        .topics = (const char *const *)writer->topics.ptr,
        .topic_count = writer->topics.len / sizeof(char *),
    };
}

bool lgt_position(const lg_writer *writer, size_t at, lg_position *position, uint32_t *after_row) {
    const lgi_position *all = (const lgi_position *)writer->positions.ptr;
    if (at >= writer->positions.len / sizeof *all) return false;
    *position = (lg_position){all[at].partition, all[at].offset};
    *after_row = all[at].after_row;
    return true;
}

void lgt_free_writer(lg_writer *writer) {
    for (size_t at = 0; at < writer->topics.len / sizeof(char *); at++) free(((char **)writer->topics.ptr)[at]);
    lgi_position *positions = (lgi_position *)writer->positions.ptr;
    for (size_t at = 0; at < writer->positions.len / sizeof *positions; at++) {
        free(positions[at].partition);
        free(positions[at].offset);
    }
    free(writer->topics.ptr);
    free(writer->rows.ptr);
    free(writer->headers.ptr);
    free(writer->data.ptr);
    free(positions);
    free(writer);
}

const lg_settings *lgt_settings(const lg_config *definitions, const char *const *pairs) {
    size_t count = lgi_count_texts(pairs) / 2;
    lg_settings *settings = lgi_new_settings(count, definitions);
    for (size_t at = 0; at < count; at++)
        lgi_set_pair(settings, at, pairs[2 * at], strlen(pairs[2 * at]), pairs[2 * at + 1], strlen(pairs[2 * at + 1]));
    return settings;
}

lg_report *lgt_report(void) {
    lg_report *report = lgi_alloc(sizeof *report);
    memset(report, 0, sizeof *report);
    return report;
}

size_t lgt_bad_rows(const lg_report *report) { return report->rows.len / sizeof(lgi_row_fault); }

lg_flow lgt_apply(const lg_transform *transform, void *self, const lg_batch *batch, size_t row, lg_batch *out) {
    lgi_step step = {.transform = transform, .self = self};
    lg_batch one = *batch;
    one.rows += row;
    one.count = 1;
    lgi_outcome outcome = {.batch = &one};
    for (size_t at = 0; at < batch->topic_count; at++) lgi_topic(&outcome.topics, batch->topics[at]);
    lgi_walk_all(&outcome, &step, 1);
    lgi_buffer data = {0};
    lgi_append(&data, batch->data, batch->data_len);
    lgi_append(&data, outcome.appended.ptr, outcome.appended.len);
    size_t rows = outcome.rows.len / sizeof(lg_row);
    *out = (lg_batch){
        .rows = (const lg_row *)outcome.rows.ptr,
        .count = rows,
        .headers = (const lg_header_row *)outcome.headers.ptr,
        .header_count = outcome.headers.len / sizeof(lg_header_row),
        .data = data.ptr,
        .data_len = data.len,
        .topics = (const char *const *)outcome.topics.ptr,
        .topic_count = outcome.topics.len / sizeof(char *),
    };
    return outcome.failed.len ? LG_BAD : rows ? LG_KEEP : LG_DROP;
}

const char *lgt_fault_code(void) { return lgi_pending.code ? lgi_pending.code : ""; }

const char *lgt_fault_text(void) {
    if (lgi_pending.kind != LGI_CONFIG) return lgi_pending.message ? lgi_pending.message : "";
    const lgi_problem *problems = (const lgi_problem *)lgi_pending.problems.ptr;
    const char *all = "";
    for (size_t at = 0; at < lgi_pending.problems.len / sizeof *problems; at++)
        all = lg_format("%s%s: %s; ", all, problems[at].key, problems[at].problem);
    return all;
}

void lgt_begin(void) { lgi_begin(); }
const char *lgt_lines(void) { return lines.len ? (const char *)lines.ptr : ""; }
