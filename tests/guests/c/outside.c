/*
 * What the sink of the contract does outside: HTTP and TCP.
 *
 * Enters: batches. Leaves: requests and lines, what came back as log lines. Invariant: an answer that may go well later is a retriable
 * fault of the whole put; one that never will is the record's.
 */
#include "reference.h"

#include <inttypes.h>
#include <stdlib.h>

#define SHOWN_MAX 64
#define LINE_MAX 65536

/* The fault that the contract asks for, in place of the one that was said. */
static lg_status not_yet(const char *code, const char *message) { return lg_retriable(100, code, "%s", message); }

lg_status ref_over_http(const char *url, const lg_batch *batch, lg_report *report) {
    for (size_t at = 0; at < batch->count; at++) {
        lg_record record = lg_at(batch, at);
        void *mark = lg_scratch_mark();
        const lg_http_header headers[] = {{"x-ref", lg_format("%" PRIu32, lg_partition(record))}, {0}};
        const lg_http_request request = {
            .method = "POST",
            .url = lg_format("%s/%s/%" PRId64, url, lg_topic(record), lg_offset(record)),
            .headers = headers,
            .body = lg_value(record),
            .timeout_ms = 60000,
        };
        lg_http_answer answer;
        if (lg_http(&request, &answer)) return not_yet("ref.http", "no answer");
        if (answer.status >= 200 && answer.status <= 299) {
            const char *header = lg_http_header_named(&answer, "x-ref");
            lg_info("ref: http %u %s %zu %s", answer.status, header ? header : "-", answer.body.len,
                    answer.body.len <= SHOWN_MAX ? (const char *)answer.body.ptr : "...");
        } else if (answer.status == 429 || answer.status == 503) {
            const char *after = lg_http_header_named(&answer, "retry-after");
            return lg_retriable(after ? (uint32_t)atoi(after) * 1000 : 0, "ref.http", "status %u", answer.status);
        } else {
            lg_bad_row(report, at, "ref.http", "status %u", answer.status);
        }
        lg_scratch_back_to(mark);
    }
    return LG_OK;
}

/* Reads up to a line's end, which becomes a zero. */
static lg_status read_line(lg_tcp *connection, char line[LINE_MAX]) {
    size_t len = 0, count;
    while (len < LINE_MAX) {
        if (lg_tcp_read(connection, line + len, 1, 0, &count)) return LG_FAILED;
        if (!count) return not_yet("ref.tcp", "the connection was closed");
        if (line[len++] == '\n') {
            line[len - 1] = 0;
            return LG_OK;
        }
    }
    return not_yet("ref.tcp", "the line is too long");
}

lg_status ref_over_tcp(const char *address, const lg_batch *batch) {
    char *line = lg_scratch(LINE_MAX);
    const char *colon = strrchr(address, ':');
    lg_tcp *connection;
    if (!colon || lg_tcp_connect(lg_format("%.*s", (int)(colon - address), address), (uint16_t)atoi(colon + 1), 0, &connection))
        return not_yet("ref.tcp", "no connection");
    lg_status status = LG_OK;
    for (size_t at = 0; at < batch->count && !status; at++) {
        status = lg_tcp_write(connection, lg_value(lg_at(batch, at)), 0) || lg_tcp_write(connection, lg_str("\n"), 0) ||
                         read_line(connection, line)
                     ? not_yet("ref.tcp", "the connection broke")
                     : LG_OK;
        if (!status) lg_info("ref: tcp %s", line);
    }
    lg_tcp_close(connection);
    return status;
}
