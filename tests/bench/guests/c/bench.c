/*
 * The sink and the source of the benchmark.
 *
 * Enters: batches; a size. Leaves: a count; records. Invariant: of each value the length and the first byte are touched, no more.
 */
#include <lockgate.h>

#include <inttypes.h>
#include <stdlib.h>

static uint64_t touched;

static lg_status open_sink(const lg_task *task, void **self) {
    (void)task;
    *self = &touched;
    return LG_OK;
}

static lg_status put(void *self, const lg_batch *batch, lg_report *report) {
    (void)report;
    uint64_t sum = 0;
    for (size_t at = 0; at < batch->count; at++) {
        lg_bytes value = lg_value(lg_at(batch, at));
        if (value.len) sum += value.len + value.ptr[0];
    }
    *(volatile uint64_t *)self = touched + sum;
    lg_count("bench_records", (double)batch->count);
    return LG_OK;
}

typedef struct source {
    uint64_t next;
    lg_bytes value;
} source;

static lg_status open_source(const lg_task *task, const lg_position *positions, size_t count, void **self) {
    (void)positions;
    (void)count;
    source *s = calloc(1, sizeof *s);
    size_t size = (size_t)lg_long(task->settings, "size");
    char *value = malloc(size);
    if (!s || !value) return lg_fatal("bench.memory", "no memory left");
    memset(value, 'x', size);
    s->value = (lg_bytes){(uint8_t *)value, size};
    *self = s;
    return LG_OK;
}

static lg_status poll(void *self, lg_writer *out) {
    source *s = self;
    uint32_t topic = lg_write_topic(out, "bench");
    for (; !lg_is_full(out); s->next++) lg_write(out, topic, lg_null(), s->value);
    lg_write_position(out, "{}", lg_format("{\"n\":%" PRIu64 "}", s->next));
    return LG_OK;
}

static const lg_config size_config[] = {
    {.name = "size", .type = LG_LONG, .default_value = "100", .documentation = "Bytes of a value."},
    {0},
};

static const lg_sink sink_plugin = {
    .about = {.class_name = "bench.Sink", .documentation = "Touches values.", .encodings = {LG_BYTES}},
    .open = open_sink,
    .put = put,
};

static const lg_source source_plugin = {
    .about = {.class_name = "bench.Source", .documentation = "Gives records.", .config = size_config, .encodings = {LG_BYTES}},
    .open = open_source,
    .poll = poll,
};

const lg_package lockgate_package = {
    .name = "bench-c",
    .version = "0.1.0",
    .sources = (const lg_source *const[]){&source_plugin, NULL},
    .sinks = (const lg_sink *const[]){&sink_plugin, NULL},
};
