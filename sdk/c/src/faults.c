/*
 * Typed errors: what a plugin says went wrong, until the call returns it.
 *
 * Enters: words of the plugin. Leaves: the fault of the call. Invariant: a call that failed always has a whole fault, even if the
 * plugin said nothing.
 */
#include "internal.h"

#include <stdlib.h>

lgi_fault lgi_pending;

static void forget(lgi_fault *fault) {
    free(fault->code);
    free(fault->message);
    free(fault->detail);
    lgi_problem *problems = (lgi_problem *)fault->problems.ptr;
    for (size_t at = 0; at < fault->problems.len / sizeof *problems; at++) {
        free(problems[at].key);
        free(problems[at].problem);
    }
    free(fault->problems.ptr);
    memset(fault, 0, sizeof *fault);
}

void lgi_begin(void) {
    lgi_free_scratch();
    forget(&lgi_pending);
}

/* A new fault; takes the message. Problems of the configuration that were said before stay: they are reported first. */
static lg_status say(lgi_fault_kind kind, uint32_t after_ms, const char *code, char *message) {
    if (lgi_pending.kind == LGI_CONFIG) {
        free(message);
        return LG_FAILED;
    }
    forget(&lgi_pending);
    lgi_pending.kind = kind;
    lgi_pending.after_ms = after_ms;
    lgi_pending.code = lgi_text(code, strlen(code));
    lgi_pending.message = message;
    return LG_FAILED;
}

#define FORMATTED(text)                       \
    va_list args;                             \
    va_start(args, format);                   \
    char *text = lgi_vformat(format, args);   \
    va_end(args)

lg_status lg_retriable(uint32_t after_ms, const char *code, const char *format, ...) {
    FORMATTED(message);
    return say(LGI_RETRIABLE, after_ms, code, message);
}

lg_status lg_fatal(const char *code, const char *format, ...) {
    FORMATTED(message);
    return say(LGI_FATAL, 0, code, message);
}

lg_status lg_bad_config(const char *key, const char *format, ...) {
    FORMATTED(problem);
    if (lgi_pending.kind != LGI_CONFIG) {
        forget(&lgi_pending);
        lgi_pending.kind = LGI_CONFIG;
        lgi_pending.code = lgi_text("config.invalid", strlen("config.invalid"));
    }
    lgi_problem entry = {lgi_text(key, strlen(key)), problem};
    lgi_append(&lgi_pending.problems, &entry, sizeof entry);
    return LG_FAILED;
}

lg_status lg_detail(const char *format, ...) {
    FORMATTED(detail);
    free(lgi_pending.detail);
    lgi_pending.detail = detail;
    return LG_FAILED;
}

lg_status lg_settings_ok(void) { return lgi_pending.kind == LGI_CONFIG ? LG_FAILED : LG_OK; }

void lgi_add_row_fault(lgi_buffer *rows, uint32_t row, uint32_t step, bool retriable, const char *code, char *message) {
    lgi_row_fault fault = {row, step, retriable, lgi_text(code, strlen(code)), message};
    lgi_append(rows, &fault, sizeof fault);
}

void lg_bad_row(lg_report *report, size_t row, const char *code, const char *format, ...) {
    FORMATTED(message);
    lgi_add_row_fault(&report->rows, (uint32_t)row, 0, false, code, message);
}

void lg_bad_row_for_now(lg_report *report, size_t row, const char *code, const char *format, ...) {
    FORMATTED(message);
    lgi_add_row_fault(&report->rows, (uint32_t)row, 0, true, code, message);
}

lg_status lg_bad_rows(const lg_report *report) {
    char *message = lgi_text("rows cannot be handled", strlen("rows cannot be handled"));
    say(LGI_ROWS, 0, "rows.bad", message);
    lgi_pending.rows = report;
    return LG_FAILED;
}

const lgi_fault *lgi_failed(void) {
    if (!lgi_pending.code) lg_fatal("guest.fault", "the plugin failed without saying why");
    if (!lgi_pending.message) {
        const char *text = "the configuration is not valid:";
        lgi_buffer message = {0};
        lgi_append(&message, text, strlen(text));
        const lgi_problem *problems = (const lgi_problem *)lgi_pending.problems.ptr;
        for (size_t at = 0; at < lgi_pending.problems.len / sizeof *problems; at++) {
            lgi_append(&message, at ? ", " : " ", at ? 2 : 1);
            lgi_append(&message, problems[at].key, strlen(problems[at].key));
        }
        lgi_append(&message, "", 1);
        lgi_pending.message = (char *)lgi_take(&message);
    }
    return &lgi_pending;
}
