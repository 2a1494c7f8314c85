#pragma once
/*
 * store/manifest: which segments count, and up to where the journal is in them; one file,
 * replaced whole (docs/format/manifest.md). What it does not name does not exist.
 *
 *   "HINMANI1" | crc 4 of the rest | raw length 4 | zstd(content)
 */
#include "base/io.h"
#include "store/ledger.h"

struct segment_info {
    uint64_t number;  /* of its file name */
    uint64_t file_id;
    struct slice stream;
    int64_t day;
    uint64_t rows;
    uint32_t blocks;
    int64_t time_min, time_max;
    uint64_t seq_min, seq_max;
    uint64_t bytes, raw_bytes;
};

struct manifest {
    uint64_t store_id;
    uint64_t next_number;
    uint64_t covered_position; /* of the journal: everything before it is in segments */
    uint64_t covered_seq;      /* rows up to it are in segments, whatever the position says */
    uint64_t dropped_segments, dropped_rows; /* by retention */
    struct segment_info *segments;
    size_t segment_count;
    struct ledger *ledger;
};

/* A missing file is fine: *out is empty and 0 is returned; *found tells. Slices and segments live
 * in the arena; the ledger must be initialised. */
MUST_USE int manifest_read(const struct hin_io *io, const char *path, struct arena *arena,
                           struct manifest *out, bool *found, struct err *err);
/* After a failure *replaced says whether the new manifest may be the one on disk: then no file
 * that either of the two names may go. */
MUST_USE int manifest_write(const struct hin_io *io, const char *path,
                            const struct manifest *manifest, bool *replaced, struct err *err);
/* For the fuzz target: the content of a file. */
MUST_USE int manifest_decode(struct slice bytes, struct arena *arena, struct manifest *out,
                             struct err *err);
