#pragma once
/*
 * store/seal: the rows of a memtable as blocks of a segment, in (@timestamp, hinomi.seq) order.
 *
 * Threads  One; the table must not be appended to any more (its parts are read only).
 */
#include "store/memtable.h"
#include "store/segment_writer.h"

MUST_USE int seal_table(struct segment_writer *writer, const struct memtable *table,
                        struct err *err);
