/*
 * Between the bindings' types and the library's; used by the files that export.
 *
 * Enters and leaves: lists that the host owns or gets. Invariant: what is given is allocated, because the bindings free it.
 */
#ifndef LOCKGATE_EXPORTS_H
#define LOCKGATE_EXPORTS_H

#include "internal.h"

#include "mixed_package.h"

typedef mixed_package_string_t string_t;
typedef mixed_package_list_u8_t list_u8_t;
typedef mixed_package_list_string_t list_string_t;
typedef mixed_package_tuple2_string_string_t pair_t;

/* A list to be given: the bindings have a type of their own for each interface, all laid out like this. */
typedef struct lgi_list {
    void *ptr;
    size_t len;
} lgi_list;
#define LGI_GIVE(to, list) \
    do { \
        lgi_list given_list = (list); \
        (to).ptr = given_list.ptr; \
        (to).len = given_list.len; \
    } while (0)

string_t lgi_give(const char *text);
char *lgi_take_text(string_t *string);
lg_settings *lgi_read_settings(const pair_t *pairs, size_t count, const lg_config *definitions);
lg_task lgi_read_task(const lockgate_connect_tasks_task_context_t *from, const lg_config *definitions);
void lgi_free_task(lg_task *task);
bool lgi_answers_to(const lg_about *about, string_t class_name);
lgi_list lgi_give_row_faults(const lgi_buffer *from);
/* The fault of a call that failed; answers false, as an export that failed does. */
bool lgi_give_fault(lockgate_connect_faults_fault_t *to);
bool lgi_no_class(const char *kind, string_t class_name, lockgate_connect_faults_fault_t *fault);
bool lgi_closed(lockgate_connect_faults_fault_t *fault);
lgi_list lgi_give_schemas(void);
/* A view over the lists, with topics in scratch memory. */
lg_batch lgi_read_batch(const lockgate_connect_batches_batch_t *from);
list_u8_t lgi_give_buffer(lgi_buffer *buffer);
list_string_t lgi_give_topics(lgi_buffer *topics);
lgi_list lgi_give_tasks(lg_tasks *tasks);

/* The first plugin of a list that ends with NULL which answers to a class; NULL if none does. */
#define LGI_FIND(type, list, class_name) \
    const type *found = NULL; \
    for (const type *const *at = (list); at && *at && !found; at++) \
        if (lgi_answers_to(&(*at)->about, class_name)) found = *at

#endif
