/*
 * A source that writes a record each interval, numbered on across restarts: change it into yours.
 *
 * Enters: the stored position, the clock. Leaves: records, each with the position that holds once it is delivered.
 */
#include <lockgate.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct my_source {
    const char *topic;
    int64_t interval, next; /* milliseconds */
    long beat;
} my_source;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* The source partition: its text is its identity. */
static char *partition(const my_source *source) { return lg_format("{\"heart\":\"%s\"}", source->topic); }

static lg_status my_open(const lg_task *task, const lg_position *positions, size_t count, void **self) {
    my_source *source = calloc(1, sizeof *source);
    if (!source) return lg_fatal("my.memory", "no memory left");
    /* Settings live as long as the task. */
    source->topic = lg_text(task->settings, "topic");
    source->interval = lg_long(task->settings, "interval.ms");
    lg_status status = lg_settings_ok();
    for (size_t at = 0; status == LG_OK && at < count; at++) {
        if (strcmp(positions[at].partition, partition(source)) != 0) continue;
        if (sscanf(positions[at].offset, "{\"beat\":%ld}", &source->beat) != 1)
            status = lg_fatal("my.position", "%s is no position of this source", positions[at].offset);
    }
    if (status != LG_OK) {
        free(source);
        return status;
    }
    lg_info("writing to %s after record %ld", source->topic, source->beat);
    *self = source;
    return LG_OK;
}

static lg_status my_poll(void *self, lg_writer *out) {
    my_source *source = self;
    int64_t wait = source->next - now();
    if (wait > 0) {
        lg_poll_after(out, (uint32_t)wait);
        return LG_OK;
    }
    source->next = now() + source->interval;
    source->beat++;
    char *value = lg_format("{\"beat\":%ld}", source->beat);
    lg_write(out, lg_write_topic(out, source->topic), lg_null(), lg_str(value));
    lg_write_position(out, partition(source), value);
    lg_poll_after(out, (uint32_t)source->interval);
    return LG_OK;
}

static lg_status my_close(void *self) {
    free(self);
    return LG_OK;
}

static const lg_config config[] = {
    {.name = "topic", .type = LG_STRING, .required = true, .documentation = "The topic to write to.", .importance = LG_HIGH},
    {.name = "interval.ms", .type = LG_LONG, .default_value = "1000", .documentation = "Milliseconds between two records."},
    {0},
};

static const lg_source source = {
    .about = {
        .class_name = "com.example.MySource",
        .documentation = "Writes a record each interval.",
        .config = config,
        .encodings = {LG_JSON},
    },
    .open = my_open,
    .poll = my_poll,
    .close = my_close,
};

const lg_package lockgate_package = {
    .name = "my-source",
    .version = "0.1.0",
    .sources = (const lg_source *const[]){&source, NULL},
};
