/*
 * The transform and the predicate of the contract.
 *
 * Enters: one record. Leaves: what the step's `op` says. Invariant: a record that no op touches keeps its bytes where they are.
 */
#include "reference.h"

#include <stdlib.h>

#define SCHEMA "{\"type\":\"string\",\"optional\":false}"

typedef struct step {
    char *op, *word; /* `word` is `match`, `to` or `text` */
} step;

static lg_status open(const lg_task *task, void **self) {
    static const char *const words[] = {"match", "to", "text"};
    char mode[MODE_LEN];
    if (ref_open("ref.Transform", task, mode)) return LG_FAILED;
    const char *op = lg_setting(task->settings, "op"), *word = NULL;
    for (size_t at = 0; at < 3 && !word; at++) word = lg_setting(task->settings, words[at]);
    step *s = malloc(sizeof *s);
    s->op = strdup(op ? op : "keep");
    s->word = strdup(word ? word : "");
    lg_info("ref: step %s", s->op);
    *self = s;
    return LG_OK;
}

static void upper(lg_edit *record) {
    size_t len = lg_edit_value(record).len;
    uint8_t *room = lg_edit_room(record, len);
    lg_bytes old = lg_edit_value(record), new_value = {room, len};
    for (size_t at = 0; at < len; at++) room[at] = old.ptr[at] >= 'a' && old.ptr[at] <= 'z' ? old.ptr[at] - 32 : old.ptr[at];
    lg_edit_set_value(record, new_value);
}

static void split(lg_edit *record) {
    lg_bytes rest = lg_edit_value(record);
    const uint8_t *comma;
    while (rest.len && (comma = memchr(rest.ptr, ',', rest.len))) {
        lg_bytes part = {rest.ptr, (size_t)(comma - rest.ptr)};
        lg_edit_set_value(record, part);
        lg_edit_split(record);
        rest.ptr = comma + 1;
        rest.len -= part.len + 1;
    }
    lg_edit_set_value(record, rest);
}

static lg_flow apply(void *self, lg_edit *record) {
    const step *s = self;
    lg_bytes value = lg_edit_value(record);
    if (strcmp(s->op, "upper") == 0 && value.ptr) upper(record);
    if (strcmp(s->op, "drop") == 0 && lg_is(value, s->word)) return LG_DROP;
    if (strcmp(s->op, "fail") == 0 && lg_is(value, s->word)) return lg_fail(record, "ref.fail", "failed on demand");
    if (strcmp(s->op, "route") == 0) lg_edit_set_topic(record, s->word);
    if (strcmp(s->op, "split") == 0 && value.ptr) split(record);
    if (strcmp(s->op, "header") == 0) lg_edit_add_header(record, "ref.added", lg_str(s->word));
    if (strcmp(s->op, "key") == 0) lg_edit_set_key(record, value);
    if (strcmp(s->op, "schema") == 0) lg_edit_set_value_schema(record, SCHEMA);
    if (strcmp(s->op, "panic") == 0) ref_panics_here();
    return LG_KEEP;
}

static void close(void *self) {
    step *s = self;
    free(s->op);
    free(s->word);
    free(s);
}

const lg_transform ref_transform = {
    .about = {
        .class_name = "ref.Transform",
        .documentation = "Does what the contract of the tests says.",
        .config = ref_config,
        .encodings = {LG_BYTES, LG_JSON},
        .validate = ref_validate,
    },
    .open = open,
    .apply = apply,
    .close = close,
};

static bool has_key(void *self, const lg_edit *record) {
    (void)self;
    return lg_edit_key(record).ptr != NULL;
}

const lg_predicate ref_has_key = {
    .about = {
        .class_name = "ref.HasKey",
        .documentation = "Does what the contract of the tests says.",
        .config = ref_config,
        .encodings = {LG_BYTES, LG_JSON},
        .validate = ref_validate,
    },
    .test = has_key,
};
