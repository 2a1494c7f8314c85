#include "app/report.h"

#include "app/cli.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINE_MAX_BYTES = 2048 };

void report_line(struct report *report, enum report_level level, const char *what,
                 const char *format, ...)
{
    static const char *const names[] = {"OK", "WARN", "FAIL"};
    char line[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    for (char *c = line; *c; c++) /* names and texts come from files */
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    report->lines[level]++;
    printf("%-4s  %-14s  %s\n", names[level], what, line);
    fflush(stdout);
}

int report_end(const struct report *report)
{
    printf("%llu ok, %llu warnings, %llu failed\n", (unsigned long long)report->lines[REPORT_OK],
           (unsigned long long)report->lines[REPORT_WARN],
           (unsigned long long)report->lines[REPORT_FAIL]);
    return report->lines[REPORT_FAIL] ? EXIT_FAILED : EXIT_DONE;
}
