/*
 * What the package says of itself.
 *
 * Enters: nothing, or settings. Leaves: plugins with their config keys, advice. Invariant: built from the author's constants alone, so
 * it is the same each time.
 */
#include "exports.h"

#include <stdlib.h>

typedef exports_lockgate_connect_plugin_config_definition_t definition_t;
typedef exports_lockgate_connect_plugin_plugin_info_t info_t;

static list_string_t give_texts(const char *const *texts) {
    list_string_t list = {NULL, lgi_count_texts(texts)};
    if (list.len) list.ptr = lgi_alloc(list.len * sizeof *list.ptr);
    for (size_t at = 0; at < list.len; at++) list.ptr[at] = lgi_give(texts[at]);
    return list;
}

static exports_lockgate_connect_plugin_constraint_t give_constraint(const lg_config *from) {
    exports_lockgate_connect_plugin_constraint_t to = {.tag = EXPORTS_LOCKGATE_CONNECT_PLUGIN_CONSTRAINT_ANY};
    if (from->non_empty) to.tag = EXPORTS_LOCKGATE_CONNECT_PLUGIN_CONSTRAINT_NON_EMPTY;
    if (from->one_of) {
        to.tag = EXPORTS_LOCKGATE_CONNECT_PLUGIN_CONSTRAINT_ONE_OF;
        to.val.one_of = give_texts(from->one_of);
    } else if (from->at_least || from->at_most) {
        to.tag = EXPORTS_LOCKGATE_CONNECT_PLUGIN_CONSTRAINT_BETWEEN;
        to.val.between.f0.is_some = from->at_least != NULL;
        to.val.between.f0.val = from->at_least ? *from->at_least : 0;
        to.val.between.f1.is_some = from->at_most != NULL;
        to.val.between.f1.val = from->at_most ? *from->at_most : 0;
    }
    return to;
}

static definition_t give_definition(const lg_config *from) {
    static const uint8_t importances[] = {
        [LG_HIGH] = EXPORTS_LOCKGATE_CONNECT_PLUGIN_IMPORTANCE_HIGH,
        [LG_MEDIUM] = EXPORTS_LOCKGATE_CONNECT_PLUGIN_IMPORTANCE_MEDIUM,
        [LG_LOW] = EXPORTS_LOCKGATE_CONNECT_PLUGIN_IMPORTANCE_LOW,
    };
    definition_t to = {
        .name = lgi_give(from->name),
        .config_type = (exports_lockgate_connect_plugin_config_type_t)from->type, /* the same order */
        .required = from->required,
        .default_value = {.is_some = from->default_value != NULL, .val = lgi_give(from->default_value)},
        .constraint = give_constraint(from),
        .importance = importances[from->importance],
        .documentation = lgi_give(from->documentation),
        .group = lgi_give(from->group),
        .display_name = lgi_give(from->display_name),
        .width = (exports_lockgate_connect_plugin_width_t)from->width,
        .dependents = give_texts(from->dependents),
    };
    return to;
}

static void give_info(info_t *to, uint8_t kind, const lg_about *about) {
    memset(to, 0, sizeof *to);
    to->class_ = lgi_give(about->class_name);
    to->kind = kind;
    to->aliases = give_texts(about->aliases);
    to->documentation = lgi_give(about->documentation);
    while (about->config && about->config[to->config.len].name) to->config.len++;
    if (to->config.len) to->config.ptr = lgi_alloc(to->config.len * sizeof *to->config.ptr);
    for (size_t at = 0; at < to->config.len; at++) to->config.ptr[at] = give_definition(&about->config[at]);
    to->encodings.ptr = lgi_alloc(3 * sizeof *to->encodings.ptr);
    for (size_t at = 0; at < 3 && about->encodings[at]; at++)
        to->encodings.ptr[to->encodings.len++] = (lockgate_connect_batches_encoding_t)(about->encodings[at] - 1);
    if (!to->encodings.len) to->encodings.ptr[to->encodings.len++] = LOCKGATE_CONNECT_BATCHES_ENCODING_BYTES;
    while (about->requests && about->requests[to->requests.len].kind) to->requests.len++;
    if (to->requests.len) to->requests.ptr = lgi_alloc(to->requests.len * sizeof *to->requests.ptr);
    for (size_t at = 0; at < to->requests.len; at++) {
        to->requests.ptr[at].tag = (uint8_t)(about->requests[at].kind - 1);
        to->requests.ptr[at].val.http = lgi_give(about->requests[at].target); /* every case is a string */
    }
}

/* All plugins, in the order source, sink, transform, predicate; `info` may be NULL to count them. */
static size_t all_plugins(info_t *info) {
    size_t count = 0;
#define EACH(type, list, kind) \
    for (const type *const *at = lockgate_package.list; at && *at; at++, count++) \
        if (info) give_info(&info[count], EXPORTS_LOCKGATE_CONNECT_PLUGIN_KIND_##kind, &(*at)->about)
    EACH(lg_source, sources, SOURCE);
    EACH(lg_sink, sinks, SINK);
    EACH(lg_transform, transforms, TRANSFORM);
    EACH(lg_predicate, predicates, PREDICATE);
#undef EACH
    return count;
}

void exports_lockgate_connect_plugin_describe(exports_lockgate_connect_plugin_package_info_t *ret) {
    lgi_begin();
    ret->name = lgi_give(lockgate_package.name);
    ret->version = lgi_give(lockgate_package.version);
    ret->documentation = lgi_give(lockgate_package.documentation);
    ret->plugins.len = all_plugins(NULL);
    ret->plugins.ptr = lgi_alloc(ret->plugins.len * sizeof *ret->plugins.ptr);
    all_plugins(ret->plugins.ptr);
}

struct lg_advice {
    lgi_buffer all; /* of exports_lockgate_connect_plugin_config_value_t */
};

typedef exports_lockgate_connect_plugin_config_value_t value_t;

static value_t *entry(lg_advice *advice, const char *key) {
    value_t *all = (value_t *)advice->all.ptr;
    size_t count = advice->all.len / sizeof *all, len = strlen(key);
    for (size_t at = 0; at < count; at++)
        if (all[at].name.len == len && memcmp(all[at].name.ptr, key, len) == 0) return &all[at];
    value_t *added = (value_t *)lgi_grow(&advice->all, sizeof *added);
    memset(added, 0, sizeof *added);
    added->name = lgi_give(key);
    added->visible = true;
    return added;
}

static void push(list_string_t *list, const char *text) {
    string_t *longer = lgi_alloc((list->len + 1) * sizeof *longer);
    if (list->len) memcpy(longer, list->ptr, list->len * sizeof *longer);
    free(list->ptr);
    list->ptr = longer;
    list->ptr[list->len++] = lgi_give(text);
}

void lg_advise_error(lg_advice *advice, const char *key, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *error = lgi_vformat(format, args);
    va_end(args);
    push(&entry(advice, key)->errors, error);
    free(error);
}

void lg_advise_value(lg_advice *advice, const char *key, const char *value) { push(&entry(advice, key)->recommended, value); }
void lg_advise_hide(lg_advice *advice, const char *key) { entry(advice, key)->visible = false; }

static const lg_about *about(string_t class_name) {
#define IN(type, list) \
    do { \
        LGI_FIND(type, lockgate_package.list, class_name); \
        if (found) return &found->about; \
    } while (0)
    IN(lg_source, sources);
    IN(lg_sink, sinks);
    IN(lg_transform, transforms);
    IN(lg_predicate, predicates);
#undef IN
    return NULL;
}

void exports_lockgate_connect_plugin_validate(string_t *class_name, mixed_package_list_tuple2_string_string_t *config,
                                              exports_lockgate_connect_plugin_list_config_value_t *ret) {
    lgi_begin();
    const lg_about *asked = about(*class_name);
    lg_advice advice = {{0}};
    if (asked && asked->validate) {
        lg_settings *settings = lgi_read_settings(config->ptr, config->len, asked->config);
        asked->validate(settings, &advice);
        lgi_free_settings(settings);
    }
    ret->len = advice.all.len / sizeof(value_t);
    ret->ptr = (value_t *)advice.all.ptr;
    mixed_package_string_free(class_name);
    mixed_package_list_tuple2_string_string_free(config);
}
