/*
 * The host, as far as tests on this machine need it: lines are kept, state is in memory, metrics are forgotten, HTTP is answered by the
 * test, TCP is the machine's.
 */
#include "../src/internal.h"
#include "lockgate_test.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

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

static lg_status (*http_answers)(const lg_http_request *request, lg_http_answer *answer);

void lgt_on_http(lg_status (*answers)(const lg_http_request *request, lg_http_answer *answer)) { http_answers = answers; }

lg_status lg_http(const lg_http_request *request, lg_http_answer *answer) {
    memset(answer, 0, sizeof *answer);
    if (!http_answers) return lg_retriable(0, "http.transport", "%s: nobody answers", request->url);
    lg_status status = http_answers(request, answer);
    if (status || !request->on_piece) return status;
    lg_bytes body = answer->body;
    answer->body = lg_null();
    return request->on_piece(request->user, body);
}

struct lg_tcp {
    int socket;
};

static lg_status wait_at_most(int socket, int option, uint32_t timeout_ms) {
    struct timeval most = {timeout_ms / 1000, (timeout_ms % 1000) * 1000};
    setsockopt(socket, SOL_SOCKET, option, &most, sizeof most);
    return LG_OK;
}

lg_status lg_tcp_connect(const char *host, uint16_t port, uint32_t timeout_ms, lg_tcp **connection) {
    struct addrinfo *found, wanted = {.ai_socktype = SOCK_STREAM};
    *connection = NULL;
    if (getaddrinfo(host, lg_format("%u", port), &wanted, &found) == 0) {
        for (struct addrinfo *at = found; at && !*connection; at = at->ai_next) {
            int made = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
            wait_at_most(made, SO_SNDTIMEO, timeout_ms ? timeout_ms : 10000);
            if (connect(made, at->ai_addr, at->ai_addrlen) == 0) {
                *connection = lgi_alloc(sizeof **connection);
                (*connection)->socket = made;
            } else {
                close(made);
            }
        }
        freeaddrinfo(found);
    }
    return *connection ? LG_OK : lg_retriable(0, "tcp.connect", "no connection to %s:%u", host, port);
}

static lg_status broken(void) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return lg_retriable(0, "tcp.timeout", "too slow");
    return lg_retriable(0, "tcp.broken", "the connection broke: %s", strerror(errno));
}

lg_status lg_tcp_read(lg_tcp *connection, void *into, size_t room, uint32_t timeout_ms, size_t *count) {
    wait_at_most(connection->socket, SO_RCVTIMEO, timeout_ms ? timeout_ms : 30000);
    ssize_t got = recv(connection->socket, into, room, 0);
    *count = got < 0 ? 0 : (size_t)got;
    return got < 0 ? broken() : LG_OK;
}

lg_status lg_tcp_write(lg_tcp *connection, lg_bytes bytes, uint32_t timeout_ms) {
    wait_at_most(connection->socket, SO_SNDTIMEO, timeout_ms ? timeout_ms : 30000);
    for (size_t at = 0; at < bytes.len;) {
        ssize_t sent = send(connection->socket, bytes.ptr + at, bytes.len - at, MSG_NOSIGNAL);
        if (sent < 0) return broken();
        at += (size_t)sent;
    }
    return LG_OK;
}

void lg_tcp_close(lg_tcp *connection) {
    if (!connection) return;
    close(connection->socket);
    free(connection);
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

struct lg_advice {
    const char *errors;
};

void lg_advise_error(lg_advice *advice, const char *key, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = lgi_vformat(format, args);
    va_end(args);
    advice->errors = lg_format("%s%s: %s; ", advice->errors, key, text);
    free(text);
}

void lg_advise_value(lg_advice *advice, const char *key, const char *value) { (void)advice, (void)key, (void)value; }
void lg_advise_hide(lg_advice *advice, const char *key) { (void)advice, (void)key; }

const char *lgt_validate(const lg_about *about, const lg_settings *settings) {
    lg_advice advice = {""};
    if (about->validate) about->validate(settings, &advice);
    return advice.errors;
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
