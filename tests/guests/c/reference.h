/*
 * The reference guest in C: keeps tests/guests/CONTRACT.md, word by word. What its parts share.
 */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <lockgate.h>

#define MODE_LEN 32

extern const lg_source ref_source;
extern const lg_sink ref_sink;
extern const lg_transform ref_transform;
extern const lg_predicate ref_has_key;
extern const lg_config ref_config[];

void ref_validate(const lg_settings *settings, lg_advice *advice);
lg_status ref_tasks(const lg_connector *connector, uint32_t max, lg_tasks *tasks);
/* What every open begins with; puts the mode into `mode`. */
lg_status ref_open(const char *class_name, const lg_task *task, char mode[MODE_LEN]);
lg_status ref_over_http(const char *url, const lg_batch *batch, lg_report *report);
lg_status ref_over_tcp(const char *address, const lg_batch *batch);
_Noreturn void ref_panics_here(void);
uint64_t ref_total(void);
lg_status ref_add_to_total(size_t records);
/* The text as a JSON string where the encoding is JSON. */
const char *ref_quoted(lg_encoding encoding, const char *text);

#endif
