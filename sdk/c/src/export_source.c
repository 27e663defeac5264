/*
 * The source of this instance.
 *
 * Enters: stored positions, bounds of a poll. Leaves: batches with the positions that hold once they are delivered. Invariant: records
 * and positions leave in one answer.
 */
#include "exports.h"

#include <stdlib.h>

typedef lockgate_connect_faults_fault_t fault_t;
typedef exports_lockgate_connect_source_list_position_t positions_t;

static const lg_source *source;
static lg_task task;
static void *self;

bool exports_lockgate_connect_source_tasks(lockgate_connect_tasks_connector_context_t *connector, uint32_t max,
                                           exports_lockgate_connect_source_list_settings_t *ret, fault_t *err) {
    lgi_begin();
    LGI_FIND(lg_source, lockgate_package.sources, connector->class_);
    if (!found) return lgi_no_class("source", connector->class_, err);
    lg_connector context = {lgi_take_text(&connector->connector), 
                            lgi_read_settings(connector->config.ptr, connector->config.len, found->about.config)};
    lg_tasks tasks = {.connector = context.settings};
    lg_status status = LG_OK;
    if (found->tasks) status = found->tasks(&context, max, &tasks);
    else lg_task_add(&tasks);
    if (status == LG_OK) LGI_GIVE(*ret, lgi_give_tasks(&tasks));
    else lgi_free_tasks(&tasks);
    free((char *)context.name);
    lgi_free_settings((lg_settings *)context.settings);
    lockgate_connect_tasks_connector_context_free(connector);
    return status == LG_OK || lgi_give_fault(err);
}

/* The positions as texts, in scratch memory. */
static lg_position *read_positions(const positions_t *from) {
    lg_position *to = (lg_position *)lg_scratch(from->len * sizeof *to);
    for (size_t at = 0; at < from->len; at++) {
        to[at].partition = lg_format("%.*s", (int)from->ptr[at].partition.len, (const char *)from->ptr[at].partition.ptr);
        to[at].offset = lg_format("%.*s", (int)from->ptr[at].offset.len, (const char *)from->ptr[at].offset.ptr);
    }
    return to;
}

bool exports_lockgate_connect_source_open(lockgate_connect_tasks_task_context_t *context, positions_t *positions, fault_t *err) {
    lgi_begin();
    LGI_FIND(lg_source, lockgate_package.sources, context->class_);
    if (!found) return lgi_no_class("source", context->class_, err);
    lg_task opened = lgi_read_task(context, found->about.config);
    void *mine = NULL;
    lg_status status = found->open(&opened, read_positions(positions), positions->len, &mine);
    lockgate_connect_tasks_task_context_free(context);
    exports_lockgate_connect_source_list_position_free(positions);
    if (status != LG_OK) {
        lgi_free_task(&opened);
        return lgi_give_fault(err);
    }
    source = found;
    task = opened;
    self = mine;
    return true;
}

static void give_positions(lgi_buffer *from, positions_t *to) {
    lgi_position *all = (lgi_position *)from->ptr;
    to->len = from->len / sizeof *all;
    to->ptr = to->len ? lgi_alloc(to->len * sizeof *to->ptr) : NULL;
    for (size_t at = 0; at < to->len; at++) {
        to->ptr[at].partition = lgi_give(all[at].partition);
        to->ptr[at].offset = lgi_give(all[at].offset);
        to->ptr[at].after_row = all[at].after_row;
        free(all[at].partition);
        free(all[at].offset);
    }
    free(lgi_take(from));
}

bool exports_lockgate_connect_source_poll(exports_lockgate_connect_source_limits_t *limits,
                                          exports_lockgate_connect_source_polled_t *ret, fault_t *err) {
    /* The buffers start as large as the last batch was. */
    static size_t rows_before, data_before;
    lgi_begin();
    if (!source) return lgi_closed(err);
    lg_writer out = {.records_max = limits->records_max, .bytes_max = limits->bytes_max};
    lgi_grow(&out.rows, rows_before);
    lgi_grow(&out.data, data_before);
    out.rows.len = out.data.len = 0;
    lg_status status = source->poll(self, &out);
    rows_before = out.rows.len;
    data_before = out.data.len;
    memset(ret, 0, sizeof *ret);
    give_positions(&out.positions, &ret->positions);
    ret->records.topics = lgi_give_topics(&out.topics);
    ret->records.rows = lgi_give_buffer(&out.rows);
    ret->records.headers = lgi_give_buffer(&out.headers);
    ret->records.data = lgi_give_buffer(&out.data);
    if (status != LG_OK) {
        exports_lockgate_connect_source_polled_free(ret);
        return lgi_give_fault(err);
    }
    LGI_GIVE(ret->records.schemas, lgi_give_schemas());
    ret->next.tag = out.done    ? EXPORTS_LOCKGATE_CONNECT_SOURCE_NEXT_DONE
                    : out.waits ? EXPORTS_LOCKGATE_CONNECT_SOURCE_NEXT_AFTER
                                : EXPORTS_LOCKGATE_CONNECT_SOURCE_NEXT_NOW;
    if (out.waits && !out.done) ret->next.val.after = out.after_ms;
    return true;
}

bool exports_lockgate_connect_source_committed(positions_t *positions, fault_t *err) {
    lgi_begin();
    if (!source) return lgi_closed(err);
    lg_status status = LG_OK;
    if (source->committed) status = source->committed(self, read_positions(positions), positions->len);
    exports_lockgate_connect_source_list_position_free(positions);
    return status == LG_OK || lgi_give_fault(err);
}

bool exports_lockgate_connect_source_close(fault_t *err) {
    lgi_begin();
    if (!source) return true;
    lg_status status = source->close ? source->close(self) : LG_OK;
    source = NULL;
    lgi_free_task(&task);
    return status == LG_OK || lgi_give_fault(err);
}
