/*
 * A sink that appends records to a file as `topic<TAB>key<TAB>value`: change it into yours.
 *
 * Enters: batches. Leaves: lines. Invariant: an offset is agreed to once its lines are on the disk.
 */
#include <lockgate.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct my_sink {
    FILE *file;
    char separator[8];
} my_sink;

static lg_status my_open(const lg_task *task, void **self) {
    const char *path = lg_text(task->settings, "file"), *separator = lg_text(task->settings, "separator");
    if (lg_settings_ok()) return LG_FAILED;
    if (strlen(separator) >= sizeof(((my_sink *)0)->separator)) return lg_bad_config("separator", "is longer than 7 bytes");
    my_sink *sink = calloc(1, sizeof *sink);
    if (!sink) return lg_fatal("my.memory", "no memory left");
    sink->file = fopen(path, "a");
    if (!sink->file) {
        free(sink);
        return lg_fatal("my.open", "cannot open %s: %s", path, strerror(errno));
    }
    strcpy(sink->separator, separator); /* fits: checked above */
    lg_info("writing to %s", path);
    *self = sink;
    return LG_OK;
}

static lg_status my_put(void *self, const lg_batch *batch, lg_report *report) {
    my_sink *sink = self;
    for (size_t at = 0; at < batch->count; at++) {
        lg_record record = lg_at(batch, at);
        lg_bytes key = lg_key(record), value = lg_value(record);
        if (!value.ptr) {
            lg_bad_row(report, at, "my.tombstone", "this sink cannot delete");
            continue;
        }
        fprintf(sink->file, "%s%s%.*s%s", lg_topic(record), sink->separator, (int)key.len,
                key.ptr ? (const char *)key.ptr : "", sink->separator);
        fwrite(value.ptr, 1, value.len, sink->file);
        fputc('\n', sink->file);
    }
    lg_count("my_batches", 1);
    return ferror(sink->file) ? lg_fatal("my.write", "writing failed: %s", strerror(errno)) : LG_OK;
}

static lg_status my_prepare_commit(void *self, lg_place *places, size_t *count) {
    my_sink *sink = self;
    (void)places;
    (void)count; /* all of it, once it is on the disk */
    if (fflush(sink->file) || fsync(fileno(sink->file))) return lg_fatal("my.sync", "syncing failed: %s", strerror(errno));
    return LG_OK;
}

static lg_status my_close(void *self) {
    my_sink *sink = self;
    int failed = fclose(sink->file);
    free(sink);
    return failed ? lg_fatal("my.close", "closing failed: %s", strerror(errno)) : LG_OK;
}

static const lg_config config[] = {
    {.name = "file", .type = LG_STRING, .required = true, .documentation = "Absolute path of the file.", .importance = LG_HIGH},
    {.name = "separator", .type = LG_STRING, .default_value = "\t", .documentation = "What stands between the columns."},
    {0},
};

static const lg_sink sink = {
    .about = {
        .class_name = "com.example.MySink",
        .documentation = "Appends records to a file.",
        .config = config,
        .encodings = {LG_JSON, LG_BYTES},
        .requests = (const lg_request[]){{LG_ASKS_WRITE, "{file}"}, {0}},
    },
    .open = my_open,
    .put = my_put,
    .prepare_commit = my_prepare_commit,
    .close = my_close,
};

const lg_package lockgate_package = {
    .name = "my-sink",
    .version = "0.1.0",
    .sinks = (const lg_sink *const[]){&sink, NULL},
};
