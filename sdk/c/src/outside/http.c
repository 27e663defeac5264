/*
 * HTTP over wasi:http: the host does TLS, keeps connections, and decides whether the target is granted.
 *
 * Enters: a request. Leaves: an answer in scratch memory, or a fault that says whether to try again. Invariant: every wait ends at the
 * request's deadline, no more of an answer is kept than was asked for, and every handle is given back, a child before its parent.
 */
#include "outside.h"

#include <stdio.h>
#include <stdlib.h>

LGI_IMPORT("http/types", "[static]fields.from-list") void lgi_fields(const void *entries, size_t count, void *result);
LGI_IMPORT("http/types", "[method]fields.entries") void lgi_entries(lgi_handle fields, void *result);
LGI_DROP("http/types", "fields", lgi_drop_fields);
LGI_IMPORT("http/types", "[constructor]outgoing-request") lgi_handle lgi_new_request(lgi_handle headers);
LGI_IMPORT("http/types", "[method]outgoing-request.set-method")
uint32_t lgi_set_method(lgi_handle request, uint32_t method, const char *other, size_t len);
LGI_IMPORT("http/types", "[method]outgoing-request.set-path-with-query")
uint32_t lgi_set_path(lgi_handle request, uint32_t some, const char *path, size_t len);
LGI_IMPORT("http/types", "[method]outgoing-request.set-scheme")
uint32_t lgi_set_scheme(lgi_handle request, uint32_t some, uint32_t scheme, const char *other, size_t len);
LGI_IMPORT("http/types", "[method]outgoing-request.set-authority")
uint32_t lgi_set_authority(lgi_handle request, uint32_t some, const char *authority, size_t len);
LGI_IMPORT("http/types", "[method]outgoing-request.body") void lgi_request_body(lgi_handle request, void *result);
LGI_DROP("http/types", "outgoing-request", lgi_drop_request);
LGI_IMPORT("http/types", "[constructor]request-options") lgi_handle lgi_new_options(void);
LGI_IMPORT("http/types", "[method]request-options.set-connect-timeout")
uint32_t lgi_set_connect_timeout(lgi_handle options, uint32_t some, uint64_t ns);
LGI_IMPORT("http/types", "[method]request-options.set-first-byte-timeout")
uint32_t lgi_set_first_byte_timeout(lgi_handle options, uint32_t some, uint64_t ns);
LGI_IMPORT("http/types", "[method]request-options.set-between-bytes-timeout")
uint32_t lgi_set_between_bytes_timeout(lgi_handle options, uint32_t some, uint64_t ns);
LGI_IMPORT("http/types", "[method]outgoing-body.write") void lgi_body_write(lgi_handle body, void *result);
LGI_IMPORT("http/types", "[static]outgoing-body.finish")
void lgi_body_finish(lgi_handle body, uint32_t some, lgi_handle trailers, void *result);
LGI_DROP("http/types", "outgoing-body", lgi_drop_outgoing);
LGI_IMPORT("http/types", "[method]future-incoming-response.subscribe") lgi_handle lgi_response_ready(lgi_handle future);
LGI_IMPORT("http/types", "[method]future-incoming-response.get") void lgi_response_get(lgi_handle future, void *result);
LGI_DROP("http/types", "future-incoming-response", lgi_drop_future);
LGI_IMPORT("http/types", "[method]incoming-response.status") uint32_t lgi_response_status(lgi_handle response);
LGI_IMPORT("http/types", "[method]incoming-response.headers") lgi_handle lgi_response_headers(lgi_handle response);
LGI_IMPORT("http/types", "[method]incoming-response.consume") void lgi_response_consume(lgi_handle response, void *result);
LGI_DROP("http/types", "incoming-response", lgi_drop_response);
LGI_IMPORT("http/types", "[method]incoming-body.stream") void lgi_body_stream(lgi_handle body, void *result);
LGI_DROP("http/types", "incoming-body", lgi_drop_incoming);
LGI_IMPORT("http/outgoing-handler", "handle") void lgi_send(lgi_handle request, uint32_t some, lgi_handle options, void *result);

#define TIMEOUT_MS 30000u
#define ANSWER_MAX ((size_t)8 << 20)
#define PIECE ((size_t)65536)

/* result<own, _>. */
typedef struct handle_answer {
    uint8_t failed;
    lgi_handle handle;
} handle_answer;

/* error-code: a case, and for some a text. */
typedef struct error_code {
    uint8_t code;
    struct {
        _Alignas(8) uint8_t some;
        const char *ptr;
        size_t len;
        uint32_t rest[3];
    } text;
} error_code;

/* result<own, error-code>. */
typedef struct coded_answer {
    uint8_t failed;
    union {
        lgi_handle handle;
        error_code error;
    };
} coded_answer;

/* option<result<result<own, error-code>>>. */
typedef struct future_answer {
    uint8_t some;
    struct {
        _Alignas(8) uint8_t taken;
        coded_answer answer;
    } value;
} future_answer;

_Static_assert(sizeof(void *) != 4 || (sizeof(error_code) == 32 && sizeof(coded_answer) == 40 && sizeof(future_answer) == 56),
               "as the component model lays them out");

enum { DNS_TIMEOUT = 0, DNS_ERROR = 1, ADDRESS_REFUSED = 4, CONNECT_TIMEOUT = 8, WRITE_TIMEOUT = 10, DENIED = 15, METHOD_INVALID = 18,
       URI_TOO_LONG = 20, RESPONSE_TIMEOUT = 33, INTERNAL = 38 };

static const char *const codes[] = {
    "DNS timeout", "DNS error", "destination not found", "destination unavailable", "destination address prohibited",
    "destination address unroutable", "connection refused", "connection terminated", "connection timeout", "connection read timeout",
    "connection write timeout", "connection limit reached", "TLS protocol error", "TLS certificate error", "TLS alert received",
    "request denied", "request length required", "request body size", "request method invalid", "request URI invalid",
    "request URI too long", "request header section size", "request header size", "request trailer section size",
    "request trailer size", "response incomplete", "response header section size", "response header size", "response body size",
    "response trailer section size", "response trailer size", "response transfer coding", "response content coding",
    "response timeout", "upgrade failed", "protocol error", "loop detected", "configuration error", "internal error",
};

/* The URL's parts. */
typedef struct target {
    bool tls;
    const char *host, *path;
    size_t host_len, path_len;
} target;

static lg_status parse(const char *url, target *to) {
    const char *rest = NULL;
    if (url && strncmp(url, "http://", 7) == 0) rest = url + 7;
    if (url && strncmp(url, "https://", 8) == 0) rest = url + 8;
    if (rest) {
        size_t host = strcspn(rest, "/?#");
        *to = (target){rest - url == 8, rest, rest + host, host, strcspn(rest + host, "#")};
        if (host && !memchr(rest, '@', host) && !memchr(rest, '\\', host)) return LG_OK;
    }
    return lg_fatal("http.request", "`%s` is not an http:// or https:// URL with a host and without a user", url ? url : "");
}

static lg_status late(const char *url) { return lg_retriable(0, "http.timeout", "no answer from %s in time", url); }

static lg_status failed(const error_code *error, const char *url) {
    uint8_t code = error->code;
    const char *what = code < sizeof codes / sizeof *codes ? codes[code] : "unknown error";
    if (code == DENIED || code == ADDRESS_REFUSED)
        return lg_fatal("http.denied", "the worker does not allow this task to go to %s: the plugin asks for it (LG_ASKS_HTTP) and "
                        "lockgate.grants.http must cover it", url);
    if (code >= METHOD_INVALID && code <= URI_TOO_LONG) return lg_fatal("http.request", "%s: %s", url, what);
    if (code == DNS_TIMEOUT || code == RESPONSE_TIMEOUT || (code >= CONNECT_TIMEOUT && code <= WRITE_TIMEOUT)) return late(url);
    if ((code == DNS_ERROR || code == INTERNAL) && error->text.some && error->text.len) {
        lg_retriable(0, "http.transport", "%s: %s (%.*s)", url, what, (int)error->text.len, error->text.ptr);
        free((void *)error->text.ptr);
        return LG_FAILED;
    }
    return lg_retriable(0, "http.transport", "%s: %s", url, what);
}

/* A header as the host takes it and gives it. */
typedef struct field {
    const char *name;
    size_t name_len;
    const char *value;
    size_t value_len;
} field;

static lg_status open_request(const lg_http_request *from, const target *to, lgi_handle *request) {
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    const char *method = from->method ? from->method : "GET", *length = lg_format("%zu", from->body.len);
    size_t count = 0;
    while (from->headers && from->headers[count].name) count++;
    field *fields = lg_scratch((count + 1) * sizeof *fields);
    for (size_t at = 0; at < count; at++) {
        const lg_http_header *h = &from->headers[at];
        fields[at] = (field){h->name, strlen(h->name), h->value ? h->value : "", h->value ? strlen(h->value) : 0};
    }
    if (from->body.len || (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0))
        fields[count++] = (field){"content-length", 14, length, strlen(length)};
    handle_answer made;
    lgi_fields(fields, count, &made);
    if (made.failed) return lg_fatal("http.request", "a header of the request to %s is malformed, or only the host's to set", from->url);
    uint32_t number = 0;
    while (number < 9 && strcmp(methods[number], method) != 0) number++;
    const char *path = lg_format("%s%.*s", *to->path == '/' ? "" : "/", (int)to->path_len, to->path);
    *request = lgi_new_request(made.handle);
    if (!lgi_set_method(*request, number, method, strlen(method)) && !lgi_set_scheme(*request, 1, to->tls, NULL, 0) &&
        !lgi_set_authority(*request, 1, to->host, to->host_len) && !lgi_set_path(*request, 1, path, strlen(path)))
        return LG_OK;
    lgi_drop_request(*request);
    return lg_fatal("http.request", "`%s %s` cannot be sent", method, from->url);
}

static lgi_handle options(uint64_t deadline) {
    uint64_t now = lgi_now_ns(), left = deadline > now ? deadline - now : 1;
    lgi_handle made = lgi_new_options();
    lgi_set_connect_timeout(made, 1, left);
    lgi_set_first_byte_timeout(made, 1, left);
    lgi_set_between_bytes_timeout(made, 1, left);
    return made;
}

/* Writes the body. A server may answer (401, 413) before it has read everything: what stops the writing is left to the answer. */
static void send_body(lgi_handle outgoing, lg_bytes body, uint64_t deadline) {
    const char *why;
    handle_answer stream;
    struct {
        _Alignas(8) uint8_t bytes[40];
    } ignored;
    bool all = true;
    if (body.len) {
        lgi_body_write(outgoing, &stream);
        all = !lgi_write_all(stream.handle, body, deadline, &why) && !lgi_write_out(stream.handle, deadline, &why);
        lgi_drop_output(stream.handle);
    }
    if (all) lgi_body_finish(outgoing, 0, 0, &ignored);
    else lgi_drop_outgoing(outgoing);
}

static lg_status await_response(lgi_handle future, const char *url, uint64_t deadline, lgi_handle *response) {
    for (;;) {
        future_answer got;
        lgi_response_get(future, &got);
        if (got.some && !got.value.taken && !got.value.answer.failed) {
            *response = got.value.answer.handle;
            return LG_OK;
        }
        if (got.some) return failed(&got.value.answer.error, url);
        if (lgi_wait(lgi_response_ready(future), deadline)) return late(url);
    }
}

static const lg_http_header *read_headers(lgi_handle response) {
    struct {
        field *ptr;
        size_t len;
    } list;
    lgi_handle fields = lgi_response_headers(response);
    lgi_entries(fields, &list);
    lg_http_header *headers = lg_scratch((list.len + 1) * sizeof *headers);
    for (size_t at = 0; at < list.len; at++) {
        field *f = &list.ptr[at];
        char *name = lg_format("%.*s", (int)f->name_len, f->name);
        for (char *c = name; *c; c++)
            if (*c >= 'A' && *c <= 'Z') *c += 'a' - 'A';
        headers[at] = (lg_http_header){name, lg_format("%.*s", (int)f->value_len, f->value)};
        if (f->name_len) free((void *)f->name);
        if (f->value_len) free((void *)f->value);
    }
    headers[list.len] = (lg_http_header){0};
    if (list.len) free(list.ptr);
    lgi_drop_fields(fields);
    return headers;
}

static lg_status read_body(const lg_http_request *from, lgi_handle stream, uint64_t deadline, lg_http_answer *answer) {
    size_t most = from->answer_max ? from->answer_max : ANSWER_MAX, count;
    uint8_t *piece = lgi_alloc(PIECE);
    lgi_buffer body = {0};
    lg_status status = LG_OK;
    const char *why = "";
    lgi_end end = LGI_FINE;
    while (!status && !(end = lgi_read_some(stream, piece, PIECE, deadline, &count, &why))) {
        if (from->on_piece) status = from->on_piece(from->user, (lg_bytes){piece, count});
        else if (body.len + count > most) status = lg_fatal("http.size", "the answer of %s has more than %zu bytes", from->url, most);
        else lgi_append(&body, piece, count);
    }
    if (end == LGI_LATE) status = late(from->url);
    if (end == LGI_BROKEN) status = lg_retriable(0, "http.transport", "the answer of %s broke off: %s", from->url, why);
    if (!status && !from->on_piece) {
        uint8_t *kept = lg_scratch(body.len + 1);
        if (body.len) memcpy(kept, body.ptr, body.len);
        kept[body.len] = 0;
        answer->body = (lg_bytes){kept, body.len};
    }
    free(body.ptr);
    free(piece);
    return status;
}

lg_status lg_http(const lg_http_request *from, lg_http_answer *answer) {
    uint64_t deadline = lgi_deadline(from->timeout_ms, TIMEOUT_MS);
    target to;
    lgi_handle request, response;
    handle_answer outgoing, body, stream;
    coded_answer sent;
    memset(answer, 0, sizeof *answer);
    if (parse(from->url, &to) || open_request(from, &to, &request)) return LG_FAILED;
    lgi_request_body(request, &outgoing);
    lgi_send(request, 1, options(deadline), &sent);
    if (sent.failed) {
        lgi_drop_outgoing(outgoing.handle);
        return failed(&sent.error, from->url);
    }
    send_body(outgoing.handle, from->body, deadline);
    lg_status status = await_response(sent.handle, from->url, deadline, &response);
    lgi_drop_future(sent.handle);
    if (status) return status;
    answer->status = (uint16_t)lgi_response_status(response);
    answer->headers = read_headers(response);
    lgi_response_consume(response, &body);
    lgi_body_stream(body.handle, &stream);
    status = read_body(from, stream.handle, deadline, answer);
    lgi_drop_input(stream.handle);
    lgi_drop_incoming(body.handle);
    lgi_drop_response(response);
    return status;
}
