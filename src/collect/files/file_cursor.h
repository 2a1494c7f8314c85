#pragma once
/*
 * collect/file_cursor: how far the files of one log have been read, as it travels in a delivery (delivery.cursor) and
 * comes back after a restart. A log is what is written under one path: its present file and those that were rotated
 * away, oldest first.
 *
 *   version 2 | since | files: varint | each: flags, device, inode, started, head len + hash, offset, tail len + hash,
 *                                             record id, record time, text state (block)
 *
 * since: what was last written before that is known, or of no concern; a file that is younger and not among these was seen by
 * nobody. Version 1 had none: the time the newest file began stands for it.
 *
 * A file is known by its device and inode, and by its bytes: a hash of the first ones, and one of those just before
 * the offset. So it is found again under another name, as a copy or packed, and an inode that was used anew or a file
 * that was emptied and written again is not taken for what it was.
 *
 * Ownership  Slices of a decoded cursor lie in its bytes. Threads  Any.
 * Limits     COLLECT_LOG_FILES_MAX files of one log.
 */
#include "base/buffer.h"
#include "base/err.h"

enum { HEAD_MARK_BYTES = 1024, TAIL_MARK_BYTES = 256 };

#define SINCE_UNKNOWN INT64_MIN

/* Some bytes of a file, by their hash. */
struct byte_mark {
    uint32_t len;
    uint64_t hash;
};

struct file_place {
    uint64_t device, inode;  /* 0, 0: known by its bytes alone */
    int64_t started_ns;      /* its time of modification when it was first seen */
    struct byte_mark head;   /* its first bytes, HEAD_MARK_BYTES at most */
    struct byte_mark tail;   /* those before the offset, TAIL_MARK_BYTES at most */
    uint64_t offset;         /* of the unpacked text: what is before it was taken */
    uint64_t record_id;      /* of an event log: of the last record that was taken */
    int64_t record_time_ns;
    bool at_end;             /* nothing was left when it was last looked at */
    bool finished;           /* read to its end, and nothing more was written for a while */
    bool current;            /* lay under the log's path */
    struct slice text_state; /* of text_cut */
};

struct byte_mark byte_mark_of(struct slice bytes);
bool byte_mark_fits(struct byte_mark mark, struct slice bytes); /* of its length, or of more: these are cut */

/* A cursor is these two, then each place. */
void file_cursor_begin(struct buffer *to, int64_t since_ns, size_t count);
void file_cursor_put(struct buffer *to, const struct file_place *place);

/* *at: the bytes. -1, ERR_CORRUPT, when they are no cursor. *since_ns: SINCE_UNKNOWN of version 1. */
MUST_USE int file_cursor_count(struct slice *at, int64_t *since_ns, size_t *count, struct err *err);
MUST_USE int file_cursor_next(struct slice *at, struct file_place *out, struct err *err);
