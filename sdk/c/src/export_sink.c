/*
 * The sink of this instance.
 *
 * Enters: batches, and offsets about to be committed. Leaves: bad rows, and offsets agreed to. Invariant: a batch is read where it lies
 * and freed when the call is over.
 */
#include "exports.h"

#include <stdlib.h>

typedef lockgate_connect_faults_fault_t fault_t;
typedef lockgate_connect_batches_partition_offsets_t offsets_t;

/* One row of partition-offsets, as wit/batches.wit says. */
typedef struct offset_row {
    uint32_t topic, partition;
    int64_t offset;
} offset_row;
_Static_assert(sizeof(offset_row) == 16, "rows are laid out as the contract says");

static const lg_sink *sink;
static lg_task task;
static void *self;

bool exports_lockgate_connect_sink_tasks(lockgate_connect_tasks_connector_context_t *connector, uint32_t max,
                                         exports_lockgate_connect_sink_list_settings_t *ret, fault_t *err) {
    lgi_begin();
    LGI_FIND(lg_sink, lockgate_package.sinks, connector->class_);
    if (!found) return lgi_no_class("sink", connector->class_, err);
    lg_connector context = {lgi_take_text(&connector->connector), 
                            lgi_read_settings(connector->config.ptr, connector->config.len, found->about.config)};
    lg_tasks tasks = {.connector = context.settings};
    lg_status status = LG_OK;
    if (found->tasks) status = found->tasks(&context, max, &tasks);
    else
        for (uint32_t at = 0; at == 0 || at < max; at++) lg_task_add(&tasks);
    if (status == LG_OK) LGI_GIVE(*ret, lgi_give_tasks(&tasks));
    else lgi_free_tasks(&tasks);
    free((char *)context.name);
    lgi_free_settings((lg_settings *)context.settings);
    lockgate_connect_tasks_connector_context_free(connector);
    return status == LG_OK || lgi_give_fault(err);
}

bool exports_lockgate_connect_sink_open(lockgate_connect_tasks_task_context_t *context, fault_t *err) {
    lgi_begin();
    LGI_FIND(lg_sink, lockgate_package.sinks, context->class_);
    if (!found) return lgi_no_class("sink", context->class_, err);
    lg_task opened = lgi_read_task(context, found->about.config);
    void *mine = NULL;
    lg_status status = found->open(&opened, &mine);
    lockgate_connect_tasks_task_context_free(context);
    if (status != LG_OK) {
        lgi_free_task(&opened);
        return lgi_give_fault(err);
    }
    sink = found;
    task = opened;
    self = mine;
    return true;
}

/* The places as the plugin sees them, in scratch memory. */
static lg_place *read_places(const offsets_t *from, size_t *count) {
    const offset_row *rows = (const offset_row *)from->rows.ptr;
    *count = from->rows.len / sizeof *rows;
    lg_place *places = (lg_place *)lg_scratch(*count * sizeof *places);
    for (size_t at = 0; at < *count; at++) {
        string_t topic = from->topics.ptr[rows[at].topic];
        places[at].topic = lg_format("%.*s", (int)topic.len, (const char *)topic.ptr);
        places[at].partition = rows[at].partition;
        places[at].offset = rows[at].offset;
    }
    return places;
}

static void give_places(const lg_place *places, size_t count, offsets_t *to) {
    lgi_buffer topics = {0}, rows = {0};
    for (size_t at = 0; at < count; at++) {
        offset_row row = {lgi_topic(&topics, places[at].topic), places[at].partition, places[at].offset};
        lgi_append(&rows, &row, sizeof row);
    }
    to->topics = lgi_give_topics(&topics);
    to->rows = lgi_give_buffer(&rows);
}

bool exports_lockgate_connect_sink_assigned(offsets_t *partitions, offsets_t *ret, fault_t *err) {
    lgi_begin();
    if (!sink) return lgi_closed(err);
    size_t count;
    lg_place *places = read_places(partitions, &count);
    lg_places wanted = {{0}};
    lg_status status = sink->assigned ? sink->assigned(self, places, count, &wanted) : LG_OK;
    lockgate_connect_batches_partition_offsets_free(partitions);
    if (status == LG_OK) give_places((const lg_place *)wanted.all.ptr, wanted.all.len / sizeof(lg_place), ret);
    free(wanted.all.ptr);
    return status == LG_OK || lgi_give_fault(err);
}

bool exports_lockgate_connect_sink_revoked(offsets_t *partitions, fault_t *err) {
    lgi_begin();
    if (!sink) return lgi_closed(err);
    size_t count;
    lg_place *places = read_places(partitions, &count);
    lockgate_connect_batches_partition_offsets_free(partitions);
    lg_status status = sink->revoked ? sink->revoked(self, places, count) : LG_OK;
    return status == LG_OK || lgi_give_fault(err);
}

bool exports_lockgate_connect_sink_put(lockgate_connect_batches_batch_t *records, exports_lockgate_connect_sink_report_t *ret,
                                       fault_t *err) {
    lgi_begin();
    if (!sink) return lgi_closed(err);
    lg_batch batch = lgi_read_batch(records);
    lg_report report = {{0}};
    lg_status status = sink->put(self, &batch, &report);
    lockgate_connect_batches_batch_free(records);
    if (status != LG_OK && lgi_pending.kind == LGI_ROWS) return lgi_give_fault(err); /* takes the rows */
    LGI_GIVE(ret->bad, lgi_give_row_faults(&report.rows));
    if (status == LG_OK) return true;
    exports_lockgate_connect_sink_report_free(ret);
    return lgi_give_fault(err);
}

bool exports_lockgate_connect_sink_prepare_commit(offsets_t *offsets, offsets_t *ret, fault_t *err) {
    lgi_begin();
    if (!sink) return lgi_closed(err);
    size_t count;
    lg_place *places = read_places(offsets, &count);
    lockgate_connect_batches_partition_offsets_free(offsets);
    lg_status status = sink->prepare_commit ? sink->prepare_commit(self, places, &count) : LG_OK;
    if (status != LG_OK) return lgi_give_fault(err);
    give_places(places, count, ret);
    return true;
}

bool exports_lockgate_connect_sink_close(fault_t *err) {
    lgi_begin();
    if (!sink) return true;
    lg_status status = sink->close ? sink->close(self) : LG_OK;
    sink = NULL;
    lgi_free_task(&task);
    return status == LG_OK || lgi_give_fault(err);
}
