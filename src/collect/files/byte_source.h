#pragma once
/*
 * collect/byte_source: the bytes of a file as they were before it was packed. Plain, gzip, zstd, bzip2 and xz are told
 * apart by the first bytes; for the last two libarchive is loaded.
 *
 * Ownership  Takes the descriptor. The path is the caller's.
 * Threads    One at a time.
 * Errors     -1 names the path. Damage of packed bytes is no error: what came before it is given, then `end` and
 *            `damaged` are set.
 */
#include "base/err.h"
#include "base/slice.h"

#include <zlib.h>
#include <zstd.h>

enum { SOURCE_READ_BYTES = 256 * 1024 };

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD, PACKING_BZIP2, PACKING_XZ };

struct archive;

struct byte_source {
    const char *path;
    int fd;
    enum packing packing;
    z_stream zlib;
    bool zlib_open;
    ZSTD_DCtx *zstd;
    struct archive *archive; /* of bzip2 and xz */
    struct err archive_err;  /* why the file could not be read, within it */
    char *packed; /* bytes as they are in the file */
    size_t packed_len, packed_at;
    bool file_end, whole; /* whole: no compressed member is open */
    bool end;             /* nothing more can be read */
    bool damaged;         /* because packed bytes are damaged or end early */
    uint64_t bytes;       /* read from the file */
};

enum packing packing_of(struct slice head);

/* Reads the first bytes. A source that could not be opened is closed all the same. */
MUST_USE int byte_source_open(struct byte_source *source, int fd, const char *path, struct err *err);
/* *len bytes, at most SOURCE_READ_BYTES of them; 0 is no end unless source->end is set. */
MUST_USE int byte_source_read(struct byte_source *source, char *room, size_t size, size_t *len, struct err *err);
void byte_source_close(struct byte_source *source); /* a zeroed one with fd -1 is fine */
