#pragma once
/*
 * store/journal_file: one journal file and the walk over its frames.
 *
 *   file   | "HINJRNL1" | file id 8 | base 8 | crc 4 | zeros to 32 |  frame | frame | ...
 *   frame  | magic 4 | kind 4 | length 4 | payload crc 4 | position 8 | first seq 8 | events 4 | crc 4 |
 *          | payload ... |
 *
 * Numbers are little-endian. A position is a byte offset in the endless journal: frame
 * position = base + offset in the file - 32. crc covers the file id and the header before it,
 * so that a frame is valid in its own file at its own place only.
 *
 * Threads  A walk belongs to one thread.
 */
#include "base/buffer.h"
#include "base/err.h"
#include "base/io.h"

enum { JOURNAL_FILE_HEADER = 32, JOURNAL_FRAME_HEADER = 40, JOURNAL_KIND_DELIVERY = 1 };

struct journal_frame {
    uint32_t kind;
    uint32_t length;
    uint32_t payload_crc;
    uint64_t position;
    uint64_t first_seq;
    uint32_t event_count;
    struct slice payload; /* valid until the walk moves */
};

/* "DIR/0000000000000000.journal" */
enum { JOURNAL_PATH_MAX = 4096 };
MUST_USE int journal_path(const char *dir, uint64_t base, char to[JOURNAL_PATH_MAX],
                          struct err *err);
/* False when the name is not one of ours. */
bool journal_path_base(const char *path, uint64_t *base);

void journal_file_header(uint64_t file_id, uint64_t base, char to[JOURNAL_FILE_HEADER]);
bool journal_file_header_read(const char from[JOURNAL_FILE_HEADER], uint64_t *file_id,
                              uint64_t *base);
/* Header of a frame whose payload crc is known already. */
void journal_frame_header(uint64_t file_id, const struct journal_frame *frame,
                          char to[JOURNAL_FRAME_HEADER]);
uint32_t journal_payload_crc(struct slice payload);

struct journal_walk {
    const struct hin_io *io;
    const char *what; /* path, for errors */
    int fd;
    uint64_t file_id, base;
    uint64_t offset;  /* of the next frame */
    uint64_t end;     /* nothing is read at or after it */
    char *window;     /* bytes [window_at, window_at + window_len) of the file */
    size_t window_size, window_len;
    uint64_t window_at;
    /* of the last step that skipped something */
    uint64_t damaged_from, damaged_to;
};

enum journal_step {
    JOURNAL_STEP_FRAME,   /* a valid frame */
    JOURNAL_STEP_END,     /* offset == end */
    JOURNAL_STEP_TORN,    /* no valid frame from damaged_from to the end */
    JOURNAL_STEP_DAMAGED, /* damaged_from .. damaged_to is no frame; the next step gives one */
    JOURNAL_STEP_FAILED,  /* err is set: reading or memory failed */
};

/* The file must be open; its header has been read. Starts behind the header. */
void journal_walk_init(struct journal_walk *walk, const struct hin_io *io, int fd,
                       const char *what, uint64_t file_id, uint64_t base, uint64_t end);
void journal_walk_close(struct journal_walk *walk); /* not the file */
enum journal_step journal_walk_next(struct journal_walk *walk, struct journal_frame *out,
                                    struct err *err);
