/*
 * Settings, read by the definitions of the plugin.
 *
 * Enters: the user's texts, definitions. Leaves: typed values with defaults, problems. Invariant: settings are copied once and stay
 * where they are as long as the task.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>

lg_settings *lgi_new_settings(size_t count, const lg_config *definitions) {
    lg_settings *settings = (lg_settings *)lgi_alloc(sizeof *settings);
    settings->pairs = (char **)lgi_alloc(2 * count * sizeof(char *));
    settings->count = count;
    settings->definitions = definitions;
    return settings;
}

void lgi_set_pair(lg_settings *settings, size_t at, const void *key, size_t key_len, const void *value, size_t value_len) {
    settings->pairs[2 * at] = lgi_text(key_len ? key : "", key_len);
    settings->pairs[2 * at + 1] = lgi_text(value_len ? value : "", value_len);
}

void lgi_free_settings(lg_settings *settings) {
    if (!settings) return;
    for (size_t at = 0; at < 2 * settings->count; at++) free(settings->pairs[at]);
    free(settings->pairs);
    free(settings);
}

const char *lg_setting(const lg_settings *settings, const char *key) {
    for (size_t at = 0; at < settings->count; at++)
        if (strcmp(settings->pairs[2 * at], key) == 0) return settings->pairs[2 * at + 1];
    return NULL;
}

const char *lg_text(const lg_settings *settings, const char *key) {
    const char *value = lg_setting(settings, key);
    if (value) return value;
    for (const lg_config *known = settings->definitions; known && known->name; known++) {
        if (strcmp(known->name, key) != 0) continue;
        if (known->required) lg_bad_config(key, "is required");
        return known->default_value;
    }
    return NULL;
}

/* True if the text from `rest` on is only space. */
static bool is_over(const char *rest) { return strspn(rest, " \t\r\n") == strlen(rest); }

int64_t lg_long(const lg_settings *settings, const char *key) {
    const char *value = lg_text(settings, key);
    if (!value) return 0;
    char *rest;
    errno = 0;
    long long number = strtoll(value, &rest, 10);
    if (rest != value && !errno && is_over(rest)) return number;
    lg_bad_config(key, "`%s` is not a whole number of 64 bits", value);
    return 0;
}

double lg_double(const lg_settings *settings, const char *key) {
    const char *value = lg_text(settings, key);
    if (!value) return 0;
    char *rest;
    double number = strtod(value, &rest);
    if (rest != value && is_over(rest)) return number;
    lg_bad_config(key, "`%s` is not a number", value);
    return 0;
}

static bool same_word(const char *value, const char *word) {
    value += strspn(value, " \t");
    for (; *word; value++, word++)
        if ((*value | 0x20) != *word) return false;
    return is_over(value);
}

bool lg_boolean(const lg_settings *settings, const char *key) {
    const char *value = lg_text(settings, key);
    if (!value || same_word(value, "false")) return false;
    if (same_word(value, "true")) return true;
    lg_bad_config(key, "`%s` is neither true nor false", value);
    return false;
}

const char *lg_entry(const lg_settings *settings, const char *key, size_t at) {
    const char *from = lg_text(settings, key);
    if (!from || is_over(from)) return NULL;
    for (; at; at--) {
        from = strchr(from, ',');
        if (!from) return NULL;
        from++;
    }
    from += strspn(from, " \t");
    size_t len = strcspn(from, ",");
    while (len && (from[len - 1] == ' ' || from[len - 1] == '\t')) len--;
    char *entry = (char *)lg_scratch(len + 1);
    memcpy(entry, from, len);
    entry[len] = 0;
    return entry;
}

/* Each task is a buffer of char *: key, value, key, value, ... */
void lg_task_add(lg_tasks *tasks) {
    lgi_buffer task = {0};
    for (size_t at = 0; at < 2 * tasks->connector->count; at++) {
        const char *text = tasks->connector->pairs[at];
        char *copy = lgi_text(text, strlen(text));
        lgi_append(&task, &copy, sizeof copy);
    }
    lgi_append(&tasks->all, &task, sizeof task);
}

void lg_task_set(lg_tasks *tasks, const char *key, const char *value) {
    if (!tasks->all.len) lg_task_add(tasks);
    lgi_buffer *task = (lgi_buffer *)(tasks->all.ptr + tasks->all.len - sizeof *task);
    char **pairs = (char **)task->ptr;
    for (size_t at = 0; at + 1 < task->len / sizeof(char *); at += 2) {
        if (strcmp(pairs[at], key) != 0) continue;
        free(pairs[at + 1]);
        pairs[at + 1] = lgi_text(value, strlen(value));
        return;
    }
    char *pair[2] = {lgi_text(key, strlen(key)), lgi_text(value, strlen(value))};
    lgi_append(task, pair, sizeof pair);
}

void lgi_free_tasks(lg_tasks *tasks) {
    lgi_buffer *all = (lgi_buffer *)tasks->all.ptr;
    for (size_t task = 0; task < tasks->all.len / sizeof *all; task++) {
        char **pairs = (char **)all[task].ptr;
        for (size_t at = 0; at < all[task].len / sizeof(char *); at++) free(pairs[at]);
        free(pairs);
    }
    free(all);
    memset(&tasks->all, 0, sizeof tasks->all);
}
