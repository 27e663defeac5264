/*
 * One record on its way through a chain of transforms, and the walk of a batch through the chain.
 *
 * Enters: rows of the input. Leaves: rows of the outcome, and rows that failed with their step. Invariant: a field that no step
 * touches keeps its span in the input's data; new bytes go behind it, and spans count on as if they stood there. Source rows never
 * decrease, and a row that failed is not in the outcome.
 */
#include "internal.h"

#include <stdlib.h>

static lg_bytes bytes_of(const lgi_outcome *out, lg_span span) {
    size_t input = out->batch->data_len;
    if (span.len == LG_NULL_LEN) return lg_null();
    lg_bytes bytes = {(const uint8_t *)"", span.len};
    if (span.len) bytes.ptr = span.offset < input ? out->batch->data + span.offset : out->appended.ptr + (span.offset - input);
    return bytes;
}

lg_bytes lg_edit_key(const lg_edit *record) { return bytes_of(record->out, record->row.key); }
lg_bytes lg_edit_value(const lg_edit *record) { return bytes_of(record->out, record->row.value); }
const char *lg_edit_topic(const lg_edit *record) { return ((char **)record->out->topics.ptr)[record->row.topic]; }
const lg_row *lg_edit_row(const lg_edit *record) { return &record->row; }
size_t lg_edit_header_count(const lg_edit *record) { return record->row.header_count; }

static const lg_header_row *header_rows(const lg_edit *record) {
    const lg_header_row *all = record->own_headers ? (const lg_header_row *)record->out->headers.ptr : record->out->batch->headers;
    return all + record->row.header_first;
}

lg_header lg_edit_header_at(const lg_edit *record, size_t at) {
    lg_header_row row = header_rows(record)[at];
    lg_span name = {row.name_offset, row.name_len};
    lg_header header = {bytes_of(record->out, name), bytes_of(record->out, row.value), row.schema};
    return header;
}

static uint32_t appended_at(const lgi_outcome *out) {
    size_t at = out->batch->data_len + out->appended.len;
    if (at >= LG_NULL_LEN) lg_panic("a batch of 4 GiB");
    return (uint32_t)at;
}

static bool inside(const uint8_t *from, size_t len, lg_bytes bytes) {
    uintptr_t low = (uintptr_t)from, at = (uintptr_t)bytes.ptr;
    return len && at >= low && at - low <= len && bytes.len <= len - (at - low);
}

/* The span of bytes that lie in the batch already, or of a copy. */
static lg_span span_of(lg_edit *record, lg_bytes bytes) {
    lgi_outcome *out = record->out;
    lg_span span = {0, LG_NULL_LEN};
    if (!bytes.ptr) return span;
    span.len = (uint32_t)bytes.len;
    if (inside(out->batch->data, out->batch->data_len, bytes)) {
        span.offset = (uint32_t)(bytes.ptr - out->batch->data);
    } else if (inside(out->appended.ptr, out->appended.len, bytes)) {
        span.offset = (uint32_t)(out->batch->data_len + (size_t)(bytes.ptr - out->appended.ptr));
    } else {
        span.offset = appended_at(out);
        lgi_append(&out->appended, bytes.ptr, bytes.len);
    }
    return span;
}

void lg_edit_set_key(lg_edit *record, lg_bytes key) { record->row.key = span_of(record, key); }
void lg_edit_set_value(lg_edit *record, lg_bytes value) { record->row.value = span_of(record, value); }

uint8_t *lg_edit_room(lg_edit *record, size_t len) {
    appended_at(record->out);
    return lgi_grow(&record->out->appended, len);
}

void lg_edit_set_topic(lg_edit *record, const char *topic) { record->row.topic = lgi_topic(&record->out->topics, topic); }
void lg_edit_set_partition(lg_edit *record, uint32_t partition) { record->row.partition = partition; }

void lg_edit_set_timestamp(lg_edit *record, int64_t timestamp) {
    record->row.timestamp = timestamp < 0 ? LG_NO_TIMESTAMP : timestamp;
    record->row.flags &= ~LG_LOG_APPEND_TIME;
}

void lg_edit_set_key_schema(lg_edit *record, const char *definition) {
    record->row.key_schema = definition ? lgi_announce(definition) : 0;
}

void lg_edit_set_value_schema(lg_edit *record, const char *definition) {
    record->row.value_schema = definition ? lgi_announce(definition) : 0;
}

/* Copies the headers to the end of the outcome, without those of a name. */
static void copy_headers(lg_edit *record, const char *without) {
    lgi_buffer *headers = &record->out->headers;
    size_t end = headers->len / sizeof(lg_header_row), kept = 0, count = record->row.header_count;
    for (size_t at = 0; at < count; at++) {
        lg_header_row row = header_rows(record)[at];
        if (without && lg_is(lg_edit_header_at(record, at).name, without)) continue;
        lgi_append(headers, &row, sizeof row);
        kept++;
    }
    record->own_headers = true;
    record->row.header_first = (uint32_t)end;
    record->row.header_count = (uint32_t)kept;
}

void lg_edit_add_header(lg_edit *record, const char *name, lg_bytes value) {
    /* Behind those there are, which must stand last for that. */
    if (!record->own_headers || record->row.header_first + record->row.header_count != record->out->headers.len / sizeof(lg_header_row))
        copy_headers(record, NULL);
    lg_span name_span = span_of(record, lgi_header_name(name)), value_span = span_of(record, value);
    lg_header_row row = {name_span.offset, (uint16_t)name_span.len, 0, value_span};
    lgi_append(&record->out->headers, &row, sizeof row);
    record->row.header_count++;
}

void lg_edit_drop_header(lg_edit *record, const char *name) { copy_headers(record, name); }

void lg_edit_set_header(lg_edit *record, size_t at, lg_bytes value) {
    /* A part that was split off has the same rows: it keeps them. */
    if (!record->own_headers || record->split.len) copy_headers(record, NULL);
    lg_span span = span_of(record, value);
    ((lg_header_row *)record->out->headers.ptr)[record->row.header_first + at].value = span;
}

void lg_edit_split(lg_edit *record) {
    lgi_copy_of_row copy = {record->row, record->own_headers};
    lgi_append(&record->split, &copy, sizeof copy);
}

static lg_flow fail(lg_edit *record, bool retriable, const char *code, char *message) {
    free(record->message);
    record->retriable = retriable;
    record->code = code;
    record->message = message;
    return LG_BAD;
}

lg_flow lg_fail(lg_edit *record, const char *code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *message = lgi_vformat(format, args);
    va_end(args);
    return fail(record, false, code, message);
}

lg_flow lg_fail_for_now(lg_edit *record, const char *code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *message = lgi_vformat(format, args);
    va_end(args);
    return fail(record, true, code, message);
}

static void emit(lg_edit *record) {
    lgi_outcome *out = record->out;
    if (!record->own_headers && record->row.header_count) {
        uint32_t first = (uint32_t)(out->headers.len / sizeof(lg_header_row));
        lgi_append(&out->headers, header_rows(record), record->row.header_count * sizeof(lg_header_row));
        record->row.header_first = first;
    } else if (!record->row.header_count) {
        record->row.header_first = 0;
    }
    lgi_append(&out->rows, &record->row, sizeof record->row);
}

static void name_failure(lg_edit *record, size_t step) {
    char *message = record->message ? record->message : lgi_text("failed", strlen("failed"));
    const char *code = record->message ? record->code : "guest.row";
    lgi_add_row_fault(&record->out->failed, record->row.source_row, (uint32_t)step, record->retriable, code, message);
    record->message = NULL;
}

/* Takes one row through the steps from `first` on; false if it failed. */
static bool walk(lgi_outcome *out, lgi_copy_of_row from, lgi_step *steps, size_t first, size_t count) {
    lg_edit edit = {.out = out, .row = from.row, .own_headers = from.own_headers};
    for (size_t at = first; at < count; at++) {
        lgi_step *step = &steps[at];
        if (step->predicate && step->predicate->test(step->predicate_self, &edit) == step->negate) continue;
        lg_flow flow = step->transform->apply(step->self, &edit);
        lgi_buffer split = edit.split;
        memset(&edit.split, 0, sizeof edit.split);
        bool went = flow != LG_BAD;
        if (!went) name_failure(&edit, at);
        lgi_copy_of_row *copies = (lgi_copy_of_row *)split.ptr;
        for (size_t copy = 0; went && copy < split.len / sizeof *copies; copy++)
            went = walk(out, copies[copy], steps, at + 1, count);
        free(split.ptr);
        free(edit.message);
        edit.message = NULL;
        if (!went) return false;
        if (flow == LG_DROP) return true;
    }
    emit(&edit);
    return true;
}

void lgi_walk_all(lgi_outcome *out, lgi_step *steps, size_t count) {
    for (size_t index = 0; index < out->batch->count; index++) {
        lgi_copy_of_row from = {out->batch->rows[index], false};
        from.row.source_row = (uint32_t)index;
        size_t rows = out->rows.len, headers = out->headers.len, appended = out->appended.len;
        if (walk(out, from, steps, 0, count)) continue;
        out->rows.len = rows;
        out->headers.len = headers;
        out->appended.len = appended;
    }
}
