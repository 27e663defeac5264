/*
 * The chain of this instance.
 *
 * Enters: steps, batches. Leaves: what became of each row. Invariant: a chain that could not be opened whole is closed again.
 */
#include "exports.h"

#include <stdlib.h>

typedef lockgate_connect_faults_fault_t fault_t;

static lgi_step *steps;
static lg_task *tasks; /* two a step: its own and its predicate's */
static size_t count;

static void close_chain(void) {
    for (size_t at = 0; at < count; at++) {
        if (steps[at].transform && steps[at].transform->close) steps[at].transform->close(steps[at].self);
        if (steps[at].predicate && steps[at].predicate->close) steps[at].predicate->close(steps[at].predicate_self);
        lgi_free_task(&tasks[2 * at]);
        lgi_free_task(&tasks[2 * at + 1]);
    }
    free(steps);
    free(tasks);
    steps = NULL;
    tasks = NULL;
    count = 0;
}

/* The task of a step: the chain's, with the step's settings. */
static const lg_task *task_of(lg_task *task, const lockgate_connect_tasks_task_context_t *context,
                              const pair_t *pairs, size_t pair_count, const lg_config *definitions) {
    *task = lgi_read_task(context, definitions);
    lgi_free_settings((lg_settings *)task->settings);
    task->settings = lgi_read_settings(pairs, pair_count, definitions);
    return task;
}

static lg_status no_class(const char *kind, string_t class_name) {
    return lg_fatal("guest.class", "this package has no %s `%.*s`", kind, (int)class_name.len, (const char *)class_name.ptr);
}

static lg_status open_predicate(size_t at, const lockgate_connect_tasks_task_context_t *context,
                                const exports_lockgate_connect_transform_predicate_t *from) {
    LGI_FIND(lg_predicate, lockgate_package.predicates, from->class_);
    if (!found) return no_class("predicate", from->class_);
    const lg_task *task = task_of(&tasks[2 * at + 1], context, from->config.ptr, from->config.len, found->about.config);
    if (found->open && found->open(task, &steps[at].predicate_self) != LG_OK) return LG_FAILED;
    steps[at].predicate = found;
    steps[at].negate = from->negate;
    return LG_OK;
}

static lg_status open_step(size_t at, const lockgate_connect_tasks_task_context_t *context,
                           const exports_lockgate_connect_transform_step_t *from) {
    LGI_FIND(lg_transform, lockgate_package.transforms, from->class_);
    if (!found) return no_class("transform", from->class_);
    const lg_task *task = task_of(&tasks[2 * at], context, from->config.ptr, from->config.len, found->about.config);
    if (found->open && found->open(task, &steps[at].self) != LG_OK) return LG_FAILED;
    steps[at].transform = found;
    return from->predicate.is_some ? open_predicate(at, context, &from->predicate.val) : LG_OK;
}

bool exports_lockgate_connect_transform_open(lockgate_connect_tasks_task_context_t *context,
                                             exports_lockgate_connect_transform_list_step_t *given, fault_t *err) {
    lgi_begin();
    close_chain();
    steps = (lgi_step *)lgi_alloc(given->len * sizeof *steps);
    tasks = (lg_task *)lgi_alloc(2 * given->len * sizeof *tasks);
    memset(steps, 0, given->len * sizeof *steps);
    memset(tasks, 0, 2 * given->len * sizeof *tasks);
    lg_status status = LG_OK;
    for (; count < given->len && status == LG_OK; count++) status = open_step(count, context, &given->ptr[count]);
    lockgate_connect_tasks_task_context_free(context);
    exports_lockgate_connect_transform_list_step_free(given);
    if (status == LG_OK) return true;
    close_chain();
    return lgi_give_fault(err);
}

bool exports_lockgate_connect_transform_apply(lockgate_connect_batches_batch_t *records,
                                              exports_lockgate_connect_transform_applied_t *ret, fault_t *err) {
    (void)err;
    lgi_begin();
    lg_batch batch = lgi_read_batch(records);
    lgi_outcome out = {.batch = &batch};
    for (size_t at = 0; at < batch.topic_count; at++) {
        char *name = lgi_text(batch.topics[at], strlen(batch.topics[at]));
        lgi_append(&out.topics, &name, sizeof name);
    }
    lgi_grow(&out.rows, batch.count * sizeof(lg_row));
    out.rows.len = 0;
    lgi_walk_all(&out, steps, count);
    lockgate_connect_batches_batch_free(records);
    ret->topics = lgi_give_topics(&out.topics);
    LGI_GIVE(ret->schemas, lgi_give_schemas());
    ret->rows = lgi_give_buffer(&out.rows);
    ret->headers = lgi_give_buffer(&out.headers);
    ret->appended = lgi_give_buffer(&out.appended);
    LGI_GIVE(ret->failed, lgi_give_row_faults(&out.failed));
    return true;
}

bool exports_lockgate_connect_transform_close(fault_t *err) {
    (void)err;
    lgi_begin();
    close_chain();
    return true;
}
