#pragma once
/*
 * store/segment_verify: every byte of one segment file against its checksums, and the file against
 * what the manifest says of it. Reads only.
 *
 * Threads  Any number, each its own file.
 */
#include "store/manifest.h"

struct segment_damage {
    uint32_t block;
    struct slice column;
    uint64_t from, to;          /* bytes of the file */
    int64_t time_min, time_max; /* of the block */
    uint32_t rows;
    const char *reason;
};

struct segment_verifier {
    void (*damaged)(void *context, const struct segment_damage *damage); /* during the call */
    void *context;
    uint64_t streams, bytes, damages; /* counted up */
};

/* -1 when the file as a whole cannot be used (missing: ERR_NOT_FOUND), is not the one the manifest
 * means, or memory is out; damage inside it is given to damaged() and 0 returned. */
MUST_USE int segment_verify(const struct hin_io *io, const char *path,
                            const struct segment_info *info, struct segment_verifier *verifier,
                            struct err *err);
