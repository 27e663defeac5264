/*
 * Views over records, and the batch that a source fills.
 *
 * Enters: records and positions. Leaves: the flat lists of wit/batches.wit. Invariant: spans, topics and schema ids are right by
 * construction; a position names the last row written before it.
 */
#include "internal.h"

lg_header lg_header_at(lg_record record, size_t at) {
    const lg_header_row *row = record.batch->headers + record.row->header_first + at;
    lg_span name = {row->name_offset, row->name_len};
    lg_header header = {lg_span_bytes(record.batch, name), lg_span_bytes(record.batch, row->value), row->schema};
    return header;
}

bool lg_header_named(lg_record record, const char *name, lg_bytes *value) {
    for (size_t at = record.row->header_count; at-- > 0;) {
        lg_header header = lg_header_at(record, at);
        if (!lg_is(header.name, name)) continue;
        *value = header.value;
        return true;
    }
    return false;
}

uint32_t lgi_topic(lgi_buffer *topics, const char *name) {
    char **known = (char **)topics->ptr;
    size_t at = 0, count = topics->len / sizeof *known;
    while (at < count && strcmp(known[at], name) != 0) at++;
    if (at == count) {
        char *copy = lgi_text(name, strlen(name));
        lgi_append(topics, &copy, sizeof copy);
    }
    return (uint32_t)at;
}

uint32_t lg_write_topic(lg_writer *out, const char *name) { return lgi_topic(&out->topics, name); }

uint32_t lg_write_schema(lg_writer *out, const char *definition) {
    (void)out;
    return lgi_announce(definition);
}

static lg_span append(lgi_buffer *data, lg_bytes bytes) {
    lg_span span = {(uint32_t)data->len, LG_NULL_LEN};
    if (!bytes.ptr) {
        span.offset = 0;
        return span;
    }
    if (bytes.len >= LG_NULL_LEN - data->len) lg_panic("a batch of 4 GiB");
    span.len = (uint32_t)bytes.len;
    lgi_append(data, bytes.ptr, bytes.len);
    return span;
}

lg_row *lg_write(lg_writer *out, uint32_t topic, lg_bytes key, lg_bytes value) {
    lg_row row = {
        .offset = LG_NO_OFFSET,
        .timestamp = LG_NO_TIMESTAMP,
        .partition = LG_ANY_PARTITION,
        .topic = topic,
        .key = append(&out->data, key),
        .value = append(&out->data, value),
        .header_first = (uint32_t)(out->headers.len / sizeof(lg_header_row)),
        .source_row = (uint32_t)lg_written(out),
    };
    lgi_append(&out->rows, &row, sizeof row);
    return (lg_row *)(out->rows.ptr + out->rows.len) - 1;
}

lg_bytes lgi_header_name(const char *name) {
    lg_bytes bytes = lg_str(name);
    if (bytes.len > UINT16_MAX) {
        bytes.len = UINT16_MAX;
        while (((uint8_t)name[bytes.len] & 0xc0) == 0x80) bytes.len--; /* not in the middle of a character */
    }
    return bytes;
}

void lg_write_header(lg_writer *out, const char *name, lg_bytes value) {
    if (!out->rows.len) lg_panic("lg_write_header before any lg_write");
    lg_span span = append(&out->data, lgi_header_name(name));
    lg_header_row row = {span.offset, (uint16_t)span.len, 0, append(&out->data, value)};
    lgi_append(&out->headers, &row, sizeof row);
    ((lg_row *)(out->rows.ptr + out->rows.len) - 1)->header_count++;
}

void lg_write_position(lg_writer *out, const char *partition, const char *offset) {
    uint32_t after = lg_written(out) ? (uint32_t)lg_written(out) - 1 : UINT32_MAX;
    lgi_position position = {lgi_text(partition, strlen(partition)), lgi_text(offset, strlen(offset)), after};
    lgi_append(&out->positions, &position, sizeof position);
}

size_t lg_written(const lg_writer *out) { return out->rows.len / sizeof(lg_row); }

bool lg_is_full(const lg_writer *out) { return lg_written(out) >= out->records_max || out->data.len >= out->bytes_max; }

bool lg_fits(const lg_writer *out, size_t bytes) {
    return !out->rows.len || (lg_written(out) < out->records_max && out->data.len + bytes <= out->bytes_max);
}

void lg_poll_after(lg_writer *out, uint32_t milliseconds) {
    out->waits = true;
    out->after_ms = milliseconds < 60000 ? milliseconds : 60000;
}

void lg_poll_done(lg_writer *out) { out->done = true; }

void lg_begin_at(lg_places *wanted, lg_place place) {
    place.topic = lg_format("%s", place.topic);
    lgi_append(&wanted->all, &place, sizeof place);
}
