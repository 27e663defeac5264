/*
 * Paths: `a.b[*].c`, `list[0]`, `*.name`, `**.password`, `$` for the whole; a backslash takes the next character as it is.
 *
 * Enters: the text of one path. Leaves: its steps. Invariant: what cannot be a path is refused with the reason.
 */
#include "redact.h"

#include <stdlib.h>

static bool refuse(const char **why, const char *reason) {
    *why = reason;
    return false;
}

/* One name, up to a dot or a bracket. */
static bool read_name(const char **from, step *to, const char **why) {
    const char *at = *from;
    text name = {0};
    bool escaped = false;
    while (*at && *at != '.' && *at != '[') {
        if (*at == ']') return free(name.ptr), refuse(why, "a ] without a [");
        if (*at == '\\') {
            escaped = true;
            if (!*++at) return free(name.ptr), refuse(why, "a \\ at the end");
        }
        text_byte(&name, (uint8_t)*at++);
    }
    if (!name.len) return refuse(why, "a name is missing");
    text_byte(&name, 0);
    *from = at;
    *to = (step){FIELD, (char *)name.ptr, name.len - 1, 0};
    if (escaped || name.ptr[0] != '*') return true;
    if (strcmp(to->name, "*") == 0) to->kind = ANY_FIELD;
    if (strcmp(to->name, "**") == 0) to->kind = DEEP;
    return true;
}

static bool read_brackets(const char **from, step *to, const char **why) {
    const char *at = *from + 1;
    char *end;
    if (at[0] == '*' && at[1] == ']') {
        *to = (step){.kind = ANY_ELEMENT};
        *from = at + 2;
        return true;
    }
    unsigned long index = strtoul(at, &end, 10);
    if (*at < '0' || *at > '9' || *end != ']') return refuse(why, "in [ ] stands a number or *");
    *to = (step){.kind = ELEMENT, .index = index};
    *from = end + 1;
    return true;
}

bool path_parse(const char *from, path *to, const char **why) {
    memset(to, 0, sizeof *to);
    if (strcmp(from, "$") == 0) return true;
    if (from[0] == '$' && from[1] == '.') from += 2;
    else if (from[0] == '$' && from[1] == '[') from++;
    bool dot = true;
    while (*from) {
        if (to->count == STEPS_MAX) return refuse(why, "it has too many steps");
        step *next = &to->steps[to->count];
        if (*from == '[') {
            if (dot && to->count) return refuse(why, "a name is missing");
            if (!read_brackets(&from, next, why)) return false;
        } else if (!dot) {
            return refuse(why, "after ] stands . or [");
        } else if (!read_name(&from, next, why)) {
            return false;
        }
        to->count++;
        dot = *from == '.';
        if (dot && !*++from) return refuse(why, "a name is missing");
    }
    if (!to->count) return refuse(why, "it is empty");
    if (to->steps[to->count - 1].kind == DEEP) return refuse(why, "** needs a name behind it");
    return true;
}

void path_free(path *p) {
    for (size_t at = 0; at < p->count; at++) free(p->steps[at].name);
}
