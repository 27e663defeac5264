/*
 * The sink and the source of the benchmark behind plain bindings (`naive.h` is made by wit-bindgen).
 */
#include "naive.h"

#include <stdlib.h>
#include <string.h>

uint32_t exports_bench_naive_naive_sink_put(exports_bench_naive_naive_sink_list_row_t *batch) {
    uint32_t touched = 0;
    for (size_t at = 0; at < batch->len; at++) {
        if (batch->ptr[at].value.is_some) touched += (uint32_t)batch->ptr[at].value.val.len + batch->ptr[at].value.val.ptr[0];
    }
    exports_bench_naive_naive_sink_list_row_free(batch);
    return touched;
}

void exports_bench_naive_naive_source_poll(uint32_t records, uint32_t size, exports_bench_naive_naive_source_list_row_t *ret) {
    ret->len = records;
    ret->ptr = calloc(records, sizeof *ret->ptr);
    for (uint32_t at = 0; at < records; at++) {
        exports_bench_naive_naive_source_row_t *row = &ret->ptr[at];
        naive_string_dup(&row->topic, "bench");
        row->offset = at;
        row->value.is_some = true;
        row->value.val.len = size;
        row->value.val.ptr = malloc(size);
        memset(row->value.val.ptr, 'x', size);
    }
}
