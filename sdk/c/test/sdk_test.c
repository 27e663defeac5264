/*
 * Tests of the library on this machine: `make test`. Each is a sentence; the first that is not true ends the run.
 */
#include "lockgate_test.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECK(what) \
    if (!(what)) { fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #what); exit(1); }

static void records_read_back_as_they_were_written(void) {
    lg_writer *out = lgt_writer(10, 1000);
    uint32_t a = lg_write_topic(out, "a"), b = lg_write_topic(out, "b");
    CHECK(lg_write_topic(out, "a") == a);
    lg_write(out, b, lg_str("k"), lg_str("v"))->timestamp = 5;
    lg_write_header(out, "h", lg_str("1"));
    lg_write_header(out, "h", lg_null());
    lg_write(out, a, lg_str(""), lg_null())->value_schema = lg_write_schema(out, "{\"type\":\"string\"}");
    lg_batch batch = lgt_batch(out);
    lg_record first = lg_at(&batch, 0), second = lg_at(&batch, 1);
    CHECK(batch.count == 2 && lg_index(second) == 1);
    CHECK(strcmp(lg_topic(first), "b") == 0 && lg_is(lg_key(first), "k") && lg_is(lg_value(first), "v"));
    CHECK(lg_timestamp(first) == 5 && lg_offset(first) == LG_NO_OFFSET && lg_partition(first) == LG_ANY_PARTITION);
    lg_bytes header = lg_str("?");
    CHECK(lg_header_count(first) == 2 && lg_is(lg_header_at(first, 0).name, "h") && lg_is(lg_header_at(first, 0).value, "1"));
    CHECK(lg_header_named(first, "h", &header) && !header.ptr && !lg_header_named(first, "x", &header));
    CHECK(lg_key(second).ptr && !lg_key(second).len && !lg_value(second).ptr && !lg_header_count(second));
    CHECK(strcmp(lg_schema(second.row->value_schema), "{\"type\":\"string\"}") == 0 && !lg_schema(0) && !lg_schema(9));
    lgt_free_writer(out);
}

static void positions_hold_after_the_rows_before_them(void) {
    lg_writer *out = lgt_writer(10, 1000);
    lg_position position;
    uint32_t after;
    lg_write_position(out, "{}", "{\"n\":0}");
    lg_write(out, lg_write_topic(out, "t"), lg_null(), lg_null());
    lg_write(out, 0, lg_null(), lg_null());
    lg_write_position(out, "{}", "{\"n\":2}");
    CHECK(lgt_position(out, 0, &position, &after) && after == UINT32_MAX && strcmp(position.offset, "{\"n\":0}") == 0);
    CHECK(lgt_position(out, 1, &position, &after) && after == 1 && !lgt_position(out, 2, &position, &after));
    lgt_free_writer(out);
}

static void the_bounds_hold_and_a_large_record_travels_alone(void) {
    lg_writer *out = lgt_writer(2, 10);
    uint32_t topic = lg_write_topic(out, "t");
    CHECK(lg_fits(out, 1000000));
    lg_write(out, topic, lg_null(), lg_str("12345"));
    CHECK(lg_fits(out, 5) && !lg_fits(out, 6) && !lg_is_full(out));
    lg_write(out, topic, lg_null(), lg_null());
    CHECK(lg_is_full(out) && !lg_fits(out, 0));
    lgt_free_writer(out);
}

static void settings_are_typed_and_all_problems_come_at_once(void) {
    const lg_config definitions[] = {
        {.name = "file", .required = true}, {.name = "n", .type = LG_INT, .default_value = "7"},
        {.name = "list", .type = LG_LIST}, {.name = "on", .type = LG_BOOLEAN}, {.name = "x", .type = LG_DOUBLE}, {0},
    };
    const char *good[] = {"file", "/a", "list", " a , b", "on", "TRUE", "x", "2.5", NULL}, *bad[] = {"n", "7x", "on", "yes", NULL};
    const lg_settings *settings = lgt_settings(definitions, good);
    lgt_begin();
    CHECK(strcmp(lg_text(settings, "file"), "/a") == 0 && lg_long(settings, "n") == 7 && lg_boolean(settings, "on"));
    CHECK(lg_double(settings, "x") == 2.5 && strcmp(lg_entry(settings, "list", 1), "b") == 0 && !lg_entry(settings, "list", 2));
    CHECK(lg_settings_ok() == LG_OK);
    settings = lgt_settings(definitions, bad);
    lg_text(settings, "file");
    lg_long(settings, "n");
    lg_boolean(settings, "on");
    CHECK(lg_settings_ok() == LG_FAILED && strcmp(lgt_fault_code(), "config.invalid") == 0);
    CHECK(strstr(lgt_fault_text(), "file: is required; n: `7x` is") && strstr(lgt_fault_text(), "on: `yes` is neither"));
    lgt_begin();
    CHECK(lg_settings_ok() == LG_OK);
}

static lg_status busy(const lg_http_request *request, lg_http_answer *answer) {
    static const lg_http_header headers[] = {{"retry-after", "1"}, {"retry-after", "7"}, {0}};
    CHECK(strcmp(request->url, "http://example.com/") == 0 && lg_is(request->body, "ping"));
    *answer = (lg_http_answer){503, lg_str("later"), headers};
    return LG_OK;
}

static lg_status keep(void *user, lg_bytes piece) {
    *(size_t *)user += piece.len;
    return LG_OK;
}

static void an_answer_says_whether_to_try_again(void) {
    lg_http_request request = {.url = "http://example.com/", .body = lg_str("ping")};
    lg_http_answer answer;
    size_t len = 0;
    lgt_begin();
    CHECK(lg_http(&request, &answer) == LG_FAILED && strcmp(lgt_fault_code(), "http.transport") == 0);
    lgt_begin();
    lgt_on_http(busy);
    CHECK(lg_http(&request, &answer) == LG_OK && answer.status == 503 && lg_is(answer.body, "later"));
    CHECK(strcmp(lg_http_header_named(&answer, "retry-after"), "7") == 0 && !lg_http_header_named(&answer, "etag"));
    CHECK(lg_http_check(&answer) == LG_FAILED && strcmp(lgt_fault_text(), "the server answered 503") == 0);
    answer.status = 204;
    CHECK(lg_http_check(&answer) == LG_OK);
    request.on_piece = keep;
    request.user = &len;
    CHECK(lg_http(&request, &answer) == LG_OK && len == 5 && !answer.body.ptr);
    lgt_begin();
}

static void a_fault_says_what_the_plugin_said(void) {
    lgt_begin();
    CHECK(lg_retriable(50, "http.status", "answer %d", 503) == LG_FAILED);
    CHECK(strcmp(lgt_fault_code(), "http.status") == 0 && strcmp(lgt_fault_text(), "answer 503") == 0);
    lg_report *report = lgt_report();
    lg_bad_row(report, 3, "x", "bad");
    lg_bad_row_for_now(report, 4, "x", "bad");
    CHECK(lgt_bad_rows(report) == 2 && lg_bad_rows(report) == LG_FAILED && strcmp(lgt_fault_code(), "rows.bad") == 0);
}

static lg_flow change(void *self, lg_edit *record) {
    lg_bytes value = lg_edit_value(record);
    (void)self;
    if (lg_is(value, "drop")) return LG_DROP;
    if (lg_is(value, "fail")) return lg_fail(record, "x", "no");
    lg_edit_set_key(record, value);
    lg_bytes half = {value.ptr, value.len / 2};
    lg_edit_set_value(record, half);
    lg_edit_split(record);
    uint8_t *room = lg_edit_room(record, 3);
    memcpy(room, "new", 3);
    lg_edit_set_value(record, (lg_bytes){room, 3});
    lg_edit_add_header(record, "two", lg_edit_value(record));
    lg_edit_drop_header(record, "one");
    lg_edit_set_topic(record, "elsewhere");
    return LG_KEEP;
}

static void a_changed_record_keeps_the_bytes_that_it_has(void) {
    const lg_transform transform = {.apply = change};
    lg_writer *in = lgt_writer(10, 1000);
    uint32_t topic = lg_write_topic(in, "t");
    lg_write(in, topic, lg_null(), lg_str("abcd"));
    lg_write_header(in, "one", lg_str("1"));
    lg_write(in, topic, lg_null(), lg_str("drop"));
    lg_write(in, topic, lg_null(), lg_str("fail"));
    lg_batch batch = lgt_batch(in), out;
    CHECK(lgt_apply(&transform, NULL, &batch, 0, &out) == LG_KEEP && out.count == 2);
    lg_record first = lg_at(&out, 0), second = lg_at(&out, 1);
    CHECK(lg_is(lg_key(first), "abcd") && lg_is(lg_value(first), "ab") && strcmp(lg_topic(first), "t") == 0);
    CHECK(lg_is(lg_value(second), "new") && strcmp(lg_topic(second), "elsewhere") == 0);
    CHECK(first.row->key.offset == batch.rows[0].value.offset && out.data_len == batch.data_len + strlen("newtwo"));
    CHECK(lg_header_count(first) == 1 && lg_is(lg_header_at(first, 0).name, "one"));
    CHECK(lg_header_count(second) == 1 && lg_is(lg_header_at(second, 0).name, "two") && lg_is(lg_header_at(second, 0).value, "new"));
    CHECK(lgt_apply(&transform, NULL, &batch, 1, &out) == LG_DROP && lgt_apply(&transform, NULL, &batch, 2, &out) == LG_BAD);
    lgt_free_writer(in);
}

int main(void) {
    records_read_back_as_they_were_written();
    positions_hold_after_the_rows_before_them();
    the_bounds_hold_and_a_large_record_travels_alone();
    settings_are_typed_and_all_problems_come_at_once();
    a_fault_says_what_the_plugin_said();
    an_answer_says_whether_to_try_again();
    a_changed_record_keeps_the_bytes_that_it_has();
    lg_info("%d lines", 1);
    CHECK(strcmp(lgt_lines(), "1 lines\n") == 0);
    puts("test result: ok. 7 passed; 0 failed; 0 ignored");
    return 0;
}
