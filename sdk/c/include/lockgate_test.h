/*
 * lockgate_test.h - tests of a plugin on this machine, without a sandbox: link test/fake_host.c instead of the host.
 *
 * Enters: records and settings that a test makes up. Leaves: what the plugin said of them. Invariant: batches are built by the same
 * code that builds those of a source.
 */
#ifndef LOCKGATE_TEST_H
#define LOCKGATE_TEST_H

#include "lockgate.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An empty batch to write into, with the bounds of a poll. */
lg_writer *lgt_writer(size_t records_max, size_t bytes_max);
/* What was written, as the host would send it. It is valid until the writer is freed. */
lg_batch lgt_batch(const lg_writer *writer);
/* Position `at`; false if there are not so many. `after_row` is UINT32_MAX for "with no row". */
bool lgt_position(const lg_writer *writer, size_t at, lg_position *position, uint32_t *after_row);
void lgt_free_writer(lg_writer *writer);

/* Settings from a list `key, value, key, value, ..., NULL`, read by these definitions. Never freed. */
const lg_settings *lgt_settings(const lg_config *definitions, const char *const *pairs);
/* What a plugin's `validate` says of settings: "key: problem; " for each error. Valid until the next lgt_begin. */
const char *lgt_validate(const lg_about *about, const lg_settings *settings);
lg_report *lgt_report(void);
size_t lgt_bad_rows(const lg_report *report);

/* One record through one transform. What it became is in `out`; LG_BAD if it failed. */
lg_flow lgt_apply(const lg_transform *transform, void *self, const lg_batch *batch, size_t row, lg_batch *out);

/* Who answers lg_http from now on; the answer need not live longer than the call. Without one there is no answer: "http.transport". TCP
 * is this machine's own. */
void lgt_on_http(lg_status (*answers)(const lg_http_request *request, lg_http_answer *answer));

/* Code and message of the fault that was said last, and all problems as "key: problem; "; empty texts if there is none. */
const char *lgt_fault_code(void);
const char *lgt_fault_text(void);
/* Forgets faults, as the host does before each call. */
void lgt_begin(void);
/* Every line so far, each ended by a line break. */
const char *lgt_lines(void);

#ifdef __cplusplus
}
#endif

#endif
