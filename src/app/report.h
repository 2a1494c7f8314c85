#pragma once
/*
 * app/report: what `check` and `verify` found, a line each: OK, WARN or FAIL, what it is about, a sentence.
 *
 * Threads  One.
 */
#include "base/attr.h"

#include <stdint.h>

enum report_level { REPORT_OK, REPORT_WARN, REPORT_FAIL, REPORT_LEVEL_COUNT };

struct report {
    uint64_t lines[REPORT_LEVEL_COUNT];
};

PRINTF_LIKE(4, 5)
void report_line(struct report *report, enum report_level level, const char *what,
                 const char *format, ...);
/* The closing line; the exit status: failed when a line did. */
int report_end(const struct report *report);
