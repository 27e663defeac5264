/*
 * What the host offers: log lines, metrics, state, context.
 *
 * Enters: calls of the plugin. Leaves: host calls. Invariant: what the host gives is freed with the scratch memory of the call.
 */
#include "internal.h"

#include "mixed_package.h"

#include <stdlib.h>

static mixed_package_string_t borrowed(const char *text) {
    mixed_package_string_t string = {(uint8_t *)text, strlen(text)};
    return string;
}

bool lg_log_enabled(lg_level level) {
    static int lowest = -1;
    if (lowest < 0) lowest = lockgate_connect_log_lowest();
    return (int)level >= lowest;
}

void lg_log_text(lg_level level, const char *text, size_t len) {
    mixed_package_string_t string = {(uint8_t *)text, len};
    lockgate_connect_log_write((lockgate_connect_log_level_t)level, &string);
}

void lg_count(const char *name, double value) {
    mixed_package_string_t string = borrowed(name);
    lockgate_connect_metrics_add(&string, value);
}

void lg_gauge(const char *name, double value) {
    mixed_package_string_t string = borrowed(name);
    lockgate_connect_metrics_set(&string, value);
}

void lg_observe(const char *name, double value) {
    mixed_package_string_t string = borrowed(name);
    lockgate_connect_metrics_observe(&string, value);
}

lg_bytes lg_state(const char *key) {
    mixed_package_string_t string = borrowed(key);
    mixed_package_list_u8_t value;
    if (!lockgate_connect_state_get(&string, &value)) return lg_null();
    uint8_t *copy = (uint8_t *)lg_scratch(value.len);
    if (value.len) memcpy(copy, value.ptr, value.len);
    lg_bytes bytes = {copy, value.len};
    mixed_package_list_u8_free(&value);
    return bytes;
}

lg_status lg_set_state(const char *key, lg_bytes value) {
    mixed_package_string_t string = borrowed(key), why;
    mixed_package_list_u8_t list = {(uint8_t *)value.ptr, value.len};
    if (lockgate_connect_state_set(&string, &list, &why)) return LG_OK;
    lg_fatal("state.set", "%.*s", (int)why.len, (const char *)why.ptr);
    mixed_package_string_free(&why);
    return LG_FAILED;
}

void lg_remove_state(const char *key) {
    mixed_package_string_t string = borrowed(key);
    lockgate_connect_state_remove(&string);
}

bool lg_cancelled(void) { return lockgate_connect_context_cancelled(); }
void lg_request_reconfiguration(void) { lockgate_connect_context_request_reconfiguration(); }

const char *lg_stored_offset(const char *partition) {
    mixed_package_string_t string = borrowed(partition);
    mixed_package_list_string_t partitions = {&string, 1};
    mixed_package_list_option_string_t answer;
    lockgate_connect_context_positions(&partitions, &answer);
    const char *offset = NULL;
    if (answer.len && answer.ptr[0].is_some)
        offset = lg_format("%.*s", (int)answer.ptr[0].val.len, (const char *)answer.ptr[0].val.ptr);
    mixed_package_list_option_string_free(&answer);
    return offset;
}
