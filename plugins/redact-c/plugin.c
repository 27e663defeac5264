/*
 * The package `redact`: personal data hidden in keys, values and headers, by path and by pattern.
 *
 * Enters: records. Leaves: the same records with what the rules name hidden; bytes that hold nothing of it stay where they are. Invariant: a
 * record that cannot be read is a bad one, never one that passes unseen.
 */
#include "redact.h"

#include <stdlib.h>

static const lg_config config[] = {
    {.name = "fields", .type = LG_LIST, .importance = LG_HIGH,
     .documentation = "Paths of what is hidden: `a.b`, `list[*].c`, `list[0]`, `*.name`, `**.password` at any depth, `$` for the whole; for headers "
                      "their names. A backslash takes the next character as it is."},
    {.name = "patterns", .type = LG_LIST, .importance = LG_HIGH,
     .documentation = "What is hidden wherever it stands in a text: card, email, iban, ip."},
    {.name = "action", .type = LG_STRING, .default_value = "replace", .importance = LG_HIGH,
     .one_of = (const char *const[]){"replace", "keep-last", "hmac", NULL},
     .dependents = (const char *const[]){"replacement", "keep.last", "hmac.key", "hmac.length", NULL},
     .documentation = "`replace`: a text stands in. `keep-last`: the last characters stay, the others become *. `hmac`: HMAC-SHA256 in "
                      "hexadecimal, the same for the same text."},
    {.name = "replacement", .type = LG_STRING, .default_value = "***", .documentation = "The text that stands in with action replace."},
    {.name = "keep.last", .type = LG_INT, .default_value = "4", .at_least = (const double[]){0}, .at_most = (const double[]){1000},
     .documentation = "Characters that stay with action keep-last. A text that is no longer is hidden whole."},
    {.name = "hmac.key", .type = LG_PASSWORD, .documentation = "Secret key of action hmac."},
    {.name = "hmac.length", .type = LG_INT, .default_value = "64", .at_least = (const double[]){16}, .at_most = (const double[]){64},
     .importance = LG_LOW, .documentation = "Hexadecimal digits that are kept of the HMAC."},
    {0},
};

static unsigned pattern_of(const char *name) {
    static const char *const names[] = {"card", "email", "iban", "ip"};
    for (unsigned at = 0; at < 4; at++)
        if (strcmp(name, names[at]) == 0) return 1u << at;
    return 0;
}

/* Calls `problem` for each setting that cannot be accepted. */
static void check(const lg_settings *settings, bool headers, void (*problem)(void *to, const char *key, const char *text), void *to) {
    const char *entry, *why;
    size_t count = 0;
    for (; (entry = lg_entry(settings, "fields", count)); count++) {
        path p;
        if (headers) continue;
        if (!path_parse(entry, &p, &why)) problem(to, "fields", lg_format("`%s` is no path: %s", entry, why));
        path_free(&p);
    }
    if (count > PATHS_MAX) problem(to, "fields", lg_format("%d at most", PATHS_MAX));
    for (size_t at = 0; (entry = lg_entry(settings, "patterns", at)); at++, count++)
        if (!pattern_of(entry)) problem(to, "patterns", lg_format("`%s` is none of card, email, iban, ip", entry));
    if (!count) problem(to, "fields", "either fields or patterns must say what is hidden");
    const char *key = lg_text(settings, "hmac.key"), *action = lg_text(settings, "action");
    if (action && strcmp(action, "hmac") == 0 && (!key || !*key)) problem(to, "hmac.key", "is needed with action hmac");
}

static void advise(void *advice, const char *key, const char *text) { lg_advise_error(advice, key, "%s", text); }
static void refuse(void *unused, const char *key, const char *text) {
    (void)unused;
    lg_bad_config(key, "%s", text);
}
static void validate(const lg_settings *settings, lg_advice *advice) { check(settings, false, advise, advice); }
static void validate_headers(const lg_settings *settings, lg_advice *advice) { check(settings, true, advise, advice); }

/* One step of a chain. */
typedef struct redaction {
    rules r;
    lg_formats formats;
} redaction;

static void read_actions(const lg_settings *settings, rules *r) {
    const char *action = lg_text(settings, "action"), *key = lg_text(settings, "hmac.key");
    r->action = strcmp(action, "hmac") == 0 ? HMAC : strcmp(action, "keep-last") == 0 ? KEEP_LAST : REPLACE;
    r->replacement = strdup(lg_text(settings, "replacement"));
    r->replacement_len = strlen(r->replacement);
    r->keep_last = (size_t)lg_long(settings, "keep.last");
    r->hmac_len = (size_t)lg_long(settings, "hmac.length");
    hmac_prepare((const uint8_t *)(key ? key : ""), key ? strlen(key) : 0, &r->hmac);
}

static lg_status open_with(const lg_task *task, bool headers, void **self) {
    const char *entry, *why;
    check(task->settings, headers, refuse, NULL);
    if (lg_settings_ok()) return LG_FAILED;
    redaction *made = calloc(1, sizeof *made);
    rules *r = &made->r;
    made->formats = task->formats;
    r->paths = calloc(PATHS_MAX, sizeof *r->paths);
    for (; (entry = lg_entry(task->settings, "fields", r->path_count)); r->path_count++) {
        path *p = &r->paths[r->path_count];
        if (headers) p->steps[0] = (step){FIELD, strdup(entry), strlen(entry), 0}, p->count = 1;
        else path_parse(entry, p, &why); /* was checked */
    }
    for (size_t at = 0; (entry = lg_entry(task->settings, "patterns", at)); at++) r->patterns |= pattern_of(entry);
    read_actions(task->settings, r);
    *self = made;
    return lg_settings_ok();
}

static lg_status open(const lg_task *task, void **self) { return open_with(task, false, self); }
static lg_status open_headers(const lg_task *task, void **self) { return open_with(task, true, self); }

static void close(void *self) {
    redaction *made = self;
    rules *r = &made->r;
    for (size_t at = 0; at < r->path_count; at++) path_free(&r->paths[at]);
    free(r->paths);
    free(r->replacement);
    free(r->out.ptr);
    free(r->plain.ptr);
    free(r->part.ptr);
    free(made);
}

/* True if a path goes into the bytes, so that they must be JSON. */
static bool goes_inside(const rules *r) {
    for (size_t at = 0; at < r->path_count; at++)
        if (r->paths[at].count) return true;
    return false;
}

/* Redacts bytes. Answers as redact_json does. */
static long redact(rules *r, lg_bytes bytes, lg_encoding encoding, bool typed) {
    if (encoding == LG_JSON || goes_inside(r)) return redact_json(r, bytes, typed);
    r->out.len = 0;
    if (r->path_count) {
        hide(r, bytes, false, &r->out);
        return 0;
    }
    return hide_patterns(r, bytes, &r->out) ? 0 : -1;
}

/* Empty bytes have an address of their own: null is something else. */
static lg_bytes made_of(const text *from) { return (lg_bytes){from->len ? from->ptr : (const uint8_t *)"", from->len}; }

static lg_flow no_json(lg_edit *record, const char *what, long answer) {
    return lg_fail(record, "redact.json", "the %s is not valid JSON (or has more than %d levels) at byte %ld", what, LEVELS_MAX, answer - 1);
}

static lg_flow apply_value(void *self, lg_edit *record) {
    redaction *step = self;
    lg_bytes value = lg_edit_value(record);
    if (!value.ptr) return LG_KEEP;
    long answer = redact(&step->r, value, step->formats.value, lg_edit_row(record)->value_schema != 0);
    if (answer > 0) return no_json(record, "value", answer);
    if (answer == 0) lg_edit_set_value(record, made_of(&step->r.out));
    return LG_KEEP;
}

static lg_flow apply_key(void *self, lg_edit *record) {
    redaction *step = self;
    lg_bytes key = lg_edit_key(record);
    if (!key.ptr) return LG_KEEP;
    long answer = redact(&step->r, key, step->formats.key, lg_edit_row(record)->key_schema != 0);
    if (answer > 0) return no_json(record, "key", answer);
    if (answer == 0) lg_edit_set_key(record, made_of(&step->r.out));
    return LG_KEEP;
}

static bool is_named(const rules *r, lg_bytes name) {
    for (size_t at = 0; at < r->path_count; at++)
        if (lg_is(name, r->paths[at].steps[0].name)) return true;
    return false;
}

/* Rules for a header's value: the whole of one that is named, patterns in any other. */
static lg_flow apply_headers(void *self, lg_edit *record) {
    redaction *step = self;
    static path whole;
    for (size_t at = 0; at < lg_edit_header_count(record); at++) {
        lg_header header = lg_edit_header_at(record, at);
        if (!header.value.ptr) continue;
        bool named = is_named(&step->r, header.name);
        if (!named && !step->r.patterns) continue;
        path *paths = step->r.paths;
        size_t count = step->r.path_count;
        step->r.paths = &whole;
        step->r.path_count = named;
        long answer = redact(&step->r, header.value, step->formats.header, header.schema != 0);
        step->r.paths = paths;
        step->r.path_count = count;
        if (answer > 0) return no_json(record, "value of a header", answer);
        if (answer == 0) lg_edit_set_header(record, at, made_of(&step->r.out));
    }
    return LG_KEEP;
}

#define ABOUT(name, check, text) \
    .about = {.class_name = name, .documentation = text, .config = config, .encodings = {LG_JSON, LG_BYTES}, .validate = check}

static const lg_transform of_value = {
    ABOUT("lockgate.transforms.Redact$Value", validate, "Hides personal data in values: fields by path, and what looks like a card, an "
          "e-mail, an IBAN or an IP address."),
    .open = open, .apply = apply_value, .close = close,
};
static const lg_transform of_key = {
    ABOUT("lockgate.transforms.Redact$Key", validate, "Hides personal data in keys, as Redact$Value does in values."),
    .open = open, .apply = apply_key, .close = close,
};
static const lg_transform of_headers = {
    ABOUT("lockgate.transforms.Redact$Headers", validate_headers, "Hides the values of headers by name, and personal data in all of them."),
    .open = open_headers, .apply = apply_headers, .close = close,
};

const lg_package lockgate_package = {
    .name = "redact",
    .version = "0.1.0",
    .documentation = "Personal data hidden.",
    .transforms = (const lg_transform *const[]){&of_value, &of_key, &of_headers, NULL},
};
