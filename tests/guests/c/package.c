/*
 * The package, and what all kinds of plugins of the contract share.
 *
 * Enters: settings. Leaves: what CONTRACT.md says under "All kinds". Invariant: a change here is a change of the contract.
 */
#include "reference.h"

#include <inttypes.h>
#include <stdlib.h>

const lg_config ref_config[] = {
    {.name = "fail.config", .type = LG_STRING, .documentation = "Any value is refused, by validate and by open."},
    {.name = "mode", .type = LG_STRING, .default_value = "echo", .documentation = "What to do wrong or otherwise."},
    {0},
};

void ref_validate(const lg_settings *settings, lg_advice *advice) {
    const char *value = lg_setting(settings, "fail.config");
    if (value) lg_advise_error(advice, "fail.config", "refused by validate: %s", value);
}

lg_status ref_tasks(const lg_connector *connector, uint32_t max, lg_tasks *tasks) {
    if (strcmp(lg_text(connector->settings, "mode"), "tasks-fail") == 0) return lg_fatal("ref.tasks", "no tasks on demand");
    for (uint32_t at = 0; at == 0 || at < max; at++) {
        lg_task_add(tasks);
        lg_task_set(tasks, "task.id", lg_format("%" PRIu32, at));
    }
    return LG_OK;
}

lg_status ref_open(const char *class_name, const lg_task *task, char mode[MODE_LEN]) {
    static const char *const names[] = {"", "bytes", "json", "cbor"};
    const char *refused = lg_setting(task->settings, "fail.config"), *wanted = lg_text(task->settings, "mode");
    if (refused) return lg_bad_config("fail.config", "refused: %s", refused);
    if (strcmp(wanted, "open-retriable") == 0) return lg_retriable(250, "ref.open", "not yet");
    if (strcmp(wanted, "open-fatal") == 0) {
        lg_fatal("ref.open", "never");
        return lg_detail("the detail");
    }
    strncpy(mode, wanted, MODE_LEN - 1);
    mode[MODE_LEN - 1] = 0;
    const lg_formats f = task->formats;
    lg_info("ref: open %s %s/%" PRIu32 " key=%s value=%s header=%s", class_name, task->connector, task->number, names[f.key],
            names[f.value], names[f.header]);
    return LG_OK;
}

__attribute__((noinline)) _Noreturn void ref_panics_here(void) { lg_panic("ref panic"); }

uint64_t ref_total(void) {
    lg_bytes stored = lg_state("total");
    return stored.ptr ? strtoull(lg_format("%.*s", (int)stored.len, (const char *)stored.ptr), NULL, 10) : 0;
}

lg_status ref_add_to_total(size_t records) {
    uint64_t sum = ref_total() + records;
    lg_gauge("ref_total", (double)sum);
    return lg_set_state("total", lg_str(lg_format("%" PRIu64, sum)));
}

const char *ref_quoted(lg_encoding encoding, const char *text) { return encoding == LG_JSON ? lg_format("\"%s\"", text) : text; }

const lg_package lockgate_package = {
    .name = "reference-c",
    .version = "1.2.3",
    .documentation = "The reference guest of the contract tests.",
    .sources = (const lg_source *const[]){&ref_source, NULL},
    .sinks = (const lg_sink *const[]){&ref_sink, NULL},
    .transforms = (const lg_transform *const[]){&ref_transform, NULL},
    .predicates = (const lg_predicate *const[]){&ref_has_key, NULL},
};
