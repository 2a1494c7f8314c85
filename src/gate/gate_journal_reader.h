#pragma once
/*
 * gate/gate_journal_reader: the commits of a gate's journal, one after the other, over all its files; beside a gate that writes, or
 * without one.
 *
 * Beside a gate: reads only what gate_committed() counts, since what stands behind that may not be durable.
 *
 * Ownership  A frame lives until the next one is read.
 * Threads    One reader, one thread.
 */
#include "base/err.h"
#include "gate/gate_journal_frame.h"

struct gate_journal_reader;

/* Begins at that commit, or at the oldest that is there. dir: the gate's folder. */
MUST_USE int gate_journal_reader_open(const char *dir, uint64_t number, struct gate_journal_reader **out, struct err *err);
void gate_journal_reader_close(struct gate_journal_reader *reader); /* NULL is fine */

/* 1; 0: there is no further one now; -1: ERR_CORRUPT when it is damaged or does not follow from the one before, ERR_IO. */
MUST_USE int gate_journal_reader_next(struct gate_journal_reader *reader, struct gate_journal_frame *out, struct err *err);

/* The files, oldest first, with their paths; the newest is the last. */
typedef int (*gate_journal_visit)(void *context, const char *path, struct err *err);
MUST_USE int gate_journal_files(const char *dir, gate_journal_visit visit, void *context, struct err *err);
