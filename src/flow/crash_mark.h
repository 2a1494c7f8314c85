#pragma once
/*
 * flow/crash_mark: which delivery the walk was at when the program died of a signal (SIGSEGV,
 * SIGBUS, SIGFPE, SIGILL, SIGABRT), so that a batch that kills its decoder twice can be set aside.
 *
 * A page of a file, mapped: noting a position is one store to memory, and what the page holds
 * outlives the process. A kill or a power cut is not the batch's fault and does not count.
 * After its note the signal goes to whoever had it before.
 *
 * Threads  open, begin and end: the walk's thread; only its signals count. One at a time in a program.
 */
#include "base/err.h"

#include <stdint.h>

struct crash_mark;

MUST_USE int crash_mark_open(const char *path, struct crash_mark **out, struct err *err);
void crash_mark_close(struct crash_mark *mark); /* NULL is fine */

/* How often the walk has died at this journal position before this start. */
uint32_t crash_mark_deaths(const struct crash_mark *mark, uint64_t position);
void crash_mark_begin(struct crash_mark *mark, uint64_t position);
void crash_mark_end(struct crash_mark *mark);
