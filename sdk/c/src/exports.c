/*
 * The exports of a package: from the bindings' functions to the plugin of this instance.
 *
 * Enters: calls of the host. Leaves: calls of the plugin. Invariant: one instance is one task, so each kind has one slot; a class
 * that the package does not have is a fault, never a trap.
 */
#include "exports.h"

#include <stdlib.h>

string_t lgi_give(const char *text) {
    string_t string = {NULL, text ? strlen(text) : 0};
    if (string.len) string.ptr = (uint8_t *)lgi_copy(text, string.len);
    return string;
}

static string_t give_away(char *text) {
    string_t string = {(uint8_t *)text, text ? strlen(text) : 0};
    if (!string.len) free(text), string.ptr = NULL;
    return string;
}

char *lgi_take_text(string_t *string) { return lgi_text(string->len ? (const void *)string->ptr : "", string->len); }

lg_settings *lgi_read_settings(const pair_t *pairs, size_t count, const lg_config *definitions) {
    lg_settings *settings = lgi_new_settings(count, definitions);
    for (size_t at = 0; at < count; at++) {
        pair_t pair = pairs[at];
        lgi_set_pair(settings, at, pair.f0.ptr, pair.f0.len, pair.f1.ptr, pair.f1.len);
    }
    return settings;
}

static lg_encoding encoding(lockgate_connect_batches_encoding_t from) { return (lg_encoding)(from + 1); }

lg_task lgi_read_task(const lockgate_connect_tasks_task_context_t *from, const lg_config *definitions) {
    lg_task task = {
        .connector = lgi_text(from->connector.len ? (const void *)from->connector.ptr : "", from->connector.len),
        .number = from->task,
        .settings = lgi_read_settings(from->config.ptr, from->config.len, definitions),
        .formats = {encoding(from->formats.key), encoding(from->formats.value), encoding(from->formats.header)},
    };
    return task;
}

void lgi_free_task(lg_task *task) {
    free((char *)task->connector);
    lgi_free_settings((lg_settings *)task->settings);
    memset(task, 0, sizeof *task);
}

static bool says(string_t class_name, const char *text) {
    lg_bytes bytes = {class_name.len ? class_name.ptr : (const uint8_t *)"", class_name.len};
    return text && lg_is(bytes, text);
}

bool lgi_answers_to(const lg_about *about, string_t class_name) {
    if (says(class_name, about->class_name)) return true;
    for (size_t at = 0; at < lgi_count_texts(about->aliases); at++)
        if (says(class_name, about->aliases[at])) return true;
    return false;
}

lgi_list lgi_give_row_faults(const lgi_buffer *from) {
    const lgi_row_fault *rows = (const lgi_row_fault *)from->ptr;
    size_t count = from->len / sizeof *rows;
    lockgate_connect_faults_row_fault_t *given = count ? lgi_alloc(count * sizeof *given) : NULL;
    for (size_t at = 0; at < count; at++) {
        given[at].row = rows[at].row;
        given[at].step = rows[at].step;
        given[at].retriable = rows[at].retriable;
        given[at].code = give_away(rows[at].code);
        given[at].message = give_away(rows[at].message);
    }
    free(from->ptr);
    lgi_list list = {given, count};
    return list;
}

bool lgi_give_fault(lockgate_connect_faults_fault_t *to) {
    const lgi_fault *fault = lgi_failed();
    memset(to, 0, sizeof *to);
    to->code = lgi_give(fault->code);
    to->message = lgi_give(fault->message);
    to->detail = lgi_give(fault->detail);
    switch (fault->kind) {
    case LGI_FATAL: to->kind.tag = LOCKGATE_CONNECT_FAULTS_FAULT_KIND_FATAL; break;
    case LGI_RETRIABLE:
        to->kind.tag = LOCKGATE_CONNECT_FAULTS_FAULT_KIND_RETRIABLE;
        to->kind.val.retriable = fault->after_ms;
        break;
    case LGI_ROWS:
        to->kind.tag = LOCKGATE_CONNECT_FAULTS_FAULT_KIND_ROWS;
        LGI_GIVE(to->kind.val.rows, lgi_give_row_faults(&fault->rows->rows));
        break;
    case LGI_CONFIG: {
        const lgi_problem *problems = (const lgi_problem *)fault->problems.ptr;
        lockgate_connect_faults_list_config_problem_t list = {NULL, fault->problems.len / sizeof *problems};
        if (list.len) list.ptr = lgi_alloc(list.len * sizeof *list.ptr);
        for (size_t at = 0; at < list.len; at++) {
            list.ptr[at].key = lgi_give(problems[at].key);
            list.ptr[at].problem = lgi_give(problems[at].problem);
        }
        to->kind.tag = LOCKGATE_CONNECT_FAULTS_FAULT_KIND_CONFIG;
        to->kind.val.config = list;
    }
    }
    return false;
}

void lgi_learn_schemas(const lockgate_connect_batches_batch_t *batch) {
    for (size_t at = 0; at < batch->schemas.len; at++) {
        lockgate_connect_batches_schema_t schema = batch->schemas.ptr[at];
        lgi_learn_schema(schema.id, schema.definition.len ? (const void *)schema.definition.ptr : "", schema.definition.len);
    }
}

lgi_list lgi_give_schemas(void) {
    const char *const *definitions;
    uint32_t first;
    size_t count = lgi_unannounced(&first, &definitions);
    lockgate_connect_batches_schema_t *given = count ? lgi_alloc(count * sizeof *given) : NULL;
    for (size_t at = 0; at < count; at++) {
        given[at].id = first + (uint32_t)at;
        given[at].definition = lgi_give(definitions[at]);
    }
    lgi_list list = {given, count};
    return list;
}

lg_batch lgi_read_batch(const lockgate_connect_batches_batch_t *from) {
    lgi_learn_schemas(from);
    const char **topics = (const char **)lg_scratch(from->topics.len * sizeof *topics);
    for (size_t at = 0; at < from->topics.len; at++) {
        string_t topic = from->topics.ptr[at];
        char *copy = (char *)lg_scratch(topic.len + 1);
        if (topic.len) memcpy(copy, topic.ptr, topic.len);
        copy[topic.len] = 0;
        topics[at] = copy;
    }
    lg_batch batch = {
        .rows = (const lg_row *)from->rows.ptr,
        .count = from->rows.len / sizeof(lg_row),
        .headers = (const lg_header_row *)from->headers.ptr,
        .header_count = from->headers.len / sizeof(lg_header_row),
        .data = from->data.len ? from->data.ptr : (const uint8_t *)"",
        .data_len = from->data.len,
        .topics = topics,
        .topic_count = from->topics.len,
    };
    return batch;
}

list_u8_t lgi_give_buffer(lgi_buffer *buffer) {
    list_u8_t list = {NULL, buffer->len};
    uint8_t *bytes = lgi_take(buffer);
    if (list.len) list.ptr = bytes;
    else free(bytes);
    return list;
}

list_string_t lgi_give_topics(lgi_buffer *topics) {
    char **names = (char **)topics->ptr;
    list_string_t list = {NULL, topics->len / sizeof *names};
    if (list.len) list.ptr = lgi_alloc(list.len * sizeof *list.ptr);
    for (size_t at = 0; at < list.len; at++) list.ptr[at] = give_away(names[at]);
    free(lgi_take(topics));
    return list;
}

lgi_list lgi_give_tasks(lg_tasks *tasks) {
    lgi_buffer *all = (lgi_buffer *)tasks->all.ptr;
    size_t count = tasks->all.len / sizeof *all;
    lockgate_connect_tasks_settings_t *given = lgi_alloc(count * sizeof *given);
    for (size_t task = 0; task < count; task++) {
        char **texts = (char **)all[task].ptr;
        size_t pairs = all[task].len / sizeof(char *) / 2;
        pair_t *settings = pairs ? lgi_alloc(pairs * sizeof *settings) : NULL;
        for (size_t at = 0; at < pairs; at++) {
            settings[at].f0 = lgi_give(texts[2 * at]);
            settings[at].f1 = lgi_give(texts[2 * at + 1]);
        }
        given[task].ptr = settings;
        given[task].len = pairs;
    }
    lgi_free_tasks(tasks);
    lgi_list list = {given, count};
    return list;
}

bool lgi_no_class(const char *kind, string_t class_name, lockgate_connect_faults_fault_t *fault) {
    lg_fatal("guest.class", "this package has no %s `%.*s`", kind, (int)class_name.len, (const char *)class_name.ptr);
    return lgi_give_fault(fault);
}

bool lgi_closed(lockgate_connect_faults_fault_t *fault) {
    lg_fatal("guest.closed", "the plugin is not open");
    return lgi_give_fault(fault);
}
