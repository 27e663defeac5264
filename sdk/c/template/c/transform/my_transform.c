/*
 * A transform that replaces a text in each value, such as a secret by asterisks: change it into yours.
 *
 * Enters: records, one at a time. Leaves: the same records. Invariant: a value without the text keeps its bytes where they are.
 */
#include <lockgate.h>

#include <stdlib.h>

typedef struct my_transform {
    lg_bytes find, put;
} my_transform;

static lg_status my_open(const lg_task *step, void **self) {
    const char *find = lg_text(step->settings, "find"), *put = lg_text(step->settings, "put");
    if (lg_settings_ok()) return LG_FAILED;
    if (!*find) return lg_bad_config("find", "must not be empty");
    my_transform *transform = calloc(1, sizeof *transform);
    if (!transform) return lg_fatal("my.memory", "no memory left");
    transform->find = lg_str(find); /* settings live as long as the task */
    transform->put = lg_str(put);
    *self = transform;
    return LG_OK;
}

/* Where the text is next in the value, from `at` on; its end if it is not. */
static size_t next(lg_bytes value, lg_bytes find, size_t at) {
    for (; at + find.len <= value.len; at++)
        if (memcmp(value.ptr + at, find.ptr, find.len) == 0) return at;
    return value.len;
}

static lg_flow my_apply(void *self, lg_edit *record) {
    const my_transform *transform = self;
    lg_bytes find = transform->find, put = transform->put, value = lg_edit_value(record);
    size_t count = 0;
    if (!value.ptr) return LG_KEEP; /* a tombstone; LG_DROP would drop the record */
    for (size_t at = next(value, find, 0); at < value.len; at = next(value, find, at + find.len)) count++;
    if (count == 0) return LG_KEEP;
    size_t len = value.len - count * find.len + count * put.len, from = 0;
    uint8_t *room = lg_edit_room(record, len), *to = room;
    value = lg_edit_value(record); /* room may have moved it */
    while (from < value.len) {
        size_t at = next(value, find, from);
        memcpy(to, value.ptr + from, at - from);
        to += at - from;
        if (at < value.len) {
            memcpy(to, put.ptr, put.len);
            to += put.len;
        }
        from = at < value.len ? at + find.len : at;
    }
    lg_edit_set_value(record, (lg_bytes){room, len});
    return LG_KEEP;
}

static void my_close(void *self) { free(self); }

static const lg_config config[] = {
    {.name = "find", .type = LG_STRING, .required = true, .documentation = "The text to replace.", .importance = LG_HIGH},
    {.name = "put", .type = LG_STRING, .default_value = "***", .documentation = "What stands there instead."},
    {0},
};

static const lg_transform transform = {
    .about = {
        .class_name = "com.example.MyTransform",
        .documentation = "Replaces a text in each value.",
        .config = config,
        .encodings = {LG_BYTES, LG_JSON},
    },
    .open = my_open,
    .apply = my_apply,
    .close = my_close,
};

const lg_package lockgate_package = {
    .name = "my-transform",
    .version = "0.1.0",
    .transforms = (const lg_transform *const[]){&transform, NULL},
};
