/*
 * Lines of the log, and the end of an instance.
 *
 * Enters: words as printf takes them. Leaves: lines. Invariant: no line is built that nobody would see.
 */
#include "internal.h"

#include <stdio.h>

/* What is longer is cut off; the host keeps no more of a line. */
#define LINE_MAX_BYTES 8192

static void vlog(lg_level level, const char *format, va_list args) {
    char line[LINE_MAX_BYTES];
    int len = vsnprintf(line, sizeof line, format, args);
    if (len > 0) lg_log_text(level, line, (size_t)len < sizeof line ? (size_t)len : sizeof line - 1);
}

void lg_log(lg_level level, const char *format, ...) {
    if (!lg_log_enabled(level)) return;
    va_list args;
    va_start(args, format);
    vlog(level, format, args);
    va_end(args);
}

void lg_panic(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vlog(LG_ERROR, format, args);
    va_end(args);
    __builtin_trap();
}
