#pragma once
/*
 * store/manifest: which segments count, and up to where the journal is in them; one file,
 * replaced whole (docs/format/manifest.md). What it does not name does not exist.
 *
 *   "HINMANI1" | crc 4 of the rest | raw length 4 | zstd(content | tail)
 *   "HINMANI2"   the same, when segments lie in further folders
 *
 * Versions   The tail (manifest_tail.h) was added behind the content of version 1, where older programs
 *            do not look. What they may not overlook, further folders, makes it version 2, which they
 *            refuse. So the way back is open until the first segment goes cold.
 */
#include "base/buffer.h"
#include "base/io.h"
#include "base/limits.h"
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
    uint32_t place;      /* 0: segments/, else places[place - 1] */
    uint32_t level;      /* of zstd, when packed; 0: as it was first written */
    uint32_t generation; /* how often its rows have been rewritten, at most */
};

/* A further folder with segments. The mark in it says that it is the one meant. */
struct manifest_place {
    struct slice path;
    uint64_t mark;
};

enum drop_reason { DROP_AGE, DROP_DISK_MAX, DROP_DISK_FREE, DROP_REASON_COUNT };

/* What retention took at once from one day of a stream: the audit trail is written from these. */
struct manifest_drop {
    uint64_t serial; /* from 1, one more each */
    int64_t time_ns; /* of the decision */
    struct slice stream;
    int64_t day;
    enum drop_reason reason;
    uint64_t segments, rows, bytes;
    int64_t time_min, time_max; /* of the events */
};

struct manifest {
    uint64_t store_id;
    uint64_t next_number;
    uint64_t covered_position; /* of the journal: everything before it is in segments */
    uint64_t covered_seq;      /* rows up to it are in segments, whatever the position says */
    uint64_t dropped_segments, dropped_rows; /* by retention */
    struct segment_info *segments;
    size_t segment_count;
    struct manifest_place *places; /* MANIFEST_PLACES_MAX at most */
    size_t place_count;
    struct manifest_drop *drops;   /* the newest MANIFEST_DROPS_MAX, in order */
    size_t drop_count;
    struct ledger *ledger;
};

/* FOLDER/<16 hex digits>.segment; folder of the store for place 0 is DIR/segments. False when it is too
 * long for to, or the place is none. */
bool manifest_segment_path(const struct manifest *manifest, const char *segments_dir,
                           const struct segment_info *info, char *to, size_t size);

/* A missing file is fine: *out is empty and 0 is returned; *found tells. Slices and segments live
 * in the arena; the ledger must be initialised. */
MUST_USE int manifest_read(const struct hin_io *io, const char *path, struct arena *arena,
                           struct manifest *out, bool *found, struct err *err);
/* After a failure *replaced says whether the new manifest may be the one on disk: then no file
 * that either of the two names may go. */
MUST_USE int manifest_write(const struct hin_io *io, const char *path,
                            const struct manifest *manifest, bool *replaced, struct err *err);
/* The bytes of a file. */
MUST_USE int manifest_encode(const struct manifest *manifest, struct buffer *to, struct err *err);
/* ERR_CONFIG when a newer program wrote it. */
MUST_USE int manifest_decode(struct slice bytes, struct arena *arena, struct manifest *out,
                             struct err *err);
