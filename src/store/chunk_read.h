#pragma once
/*
 * store/chunk_read: what every reader of a column's streams begins with.
 */
#include "store/segment.h"

/* NULL when the chunk has no such stream. */
const struct chunk_stream *chunk_find_stream(const struct chunk *chunk, enum stream_kind kind);
/* The raw bytes of the chunk's one stream of a kind. */
MUST_USE int chunk_read_kind(const struct segment_column *column, enum stream_kind kind,
                             struct arena *arena, struct slice *out, struct err *err);
/* The presence bits, one a row of the block; *out is not set when they have another size. */
MUST_USE int chunk_read_presence(const struct segment_column *column, struct arena *arena,
                                 struct slice *out, struct err *err);
/* -1 and ERR_CORRUPT with the column's name. */
int chunk_damaged(const struct segment_column *column, struct err *err, const char *what);
/* The chunk before it that has the same rows and tells which, for a column with STREAM_PRESENCE_OF. */
MUST_USE int chunk_presence_of(const struct segment_column *column, struct arena *arena,
                               const struct chunk **out, struct err *err);
