#pragma once
/*
 * search/spill: the memory of a search, and a file for rows that it has no room for.
 *
 *   budget ── what all arenas of a search and its subsearches hold together
 *   file   ── parts: rows that were written one after the other, as columns of some hundred rows
 *
 * The file has no name (O_TMPFILE, or unlinked at once), so it goes with the process. It is made
 * when the first row is written, in the folder given, else $TMPDIR, else the system's (P_tmpdir). What is read back
 * is checked (a CRC a block): a disk that lies ends the search with ERR_CORRUPT.
 *
 * Ownership  One search_memory a search; subsearches borrow it.
 * Threads    The search's.
 * Limits     SPILL_BYTES_MAX a search; SPILL_BLOCK_BYTES and SPILL_BLOCK_ROWS a block, less of both where
 *            memory is small.
 */
#include "base/limits.h"
#include "search/frame.h"

struct hin_io;

struct search_memory {
    struct arena_budget budget;
    const struct hin_io *io;
    const char *folder; /* NULL: $TMPDIR, else P_tmpdir */
    int fd;             /* -1: no file yet */
    uint64_t written;   /* bytes of the file */
    uint64_t spilled;   /* rows that went to it, for people */
};

void search_memory_init(struct search_memory *memory, size_t bytes_max, const char *folder);
void search_memory_close(struct search_memory *memory);
/* Whether one who holds so many bytes should write them away: more than half of the budget is
 * taken, and it is worth it. */
bool search_memory_is_short(const struct search_memory *memory, size_t held);
/* The latter alone. */
bool search_memory_is_worth(const struct search_memory *memory, size_t held);
/* How many rows are looked at at a time, in frames and blocks of the file: FRAME_ROWS_MAX, fewer where
 * memory is small; a multiple of 64. */
uint32_t search_memory_rows(const struct search_memory *memory);

/* Rows that stand one after the other in the file. */
struct spill_part {
    uint64_t at, end;
    uint64_t rows;
};

/* Writes the rows in this order (NULL: as they are) behind what the part has; a part begins with
 * {0}, and no other part is written meanwhile. */
MUST_USE int spill_write(struct search_memory *memory, const struct batch *batch,
                         const uint32_t *rows, uint32_t count, struct spill_part *part,
                         struct err *err);

/* Bytes of the file that are read at a time, about. */
size_t spill_block_bytes(const struct search_memory *memory);

struct spill_reader {
    struct search_memory *memory;
    uint64_t at, end;
    struct arena *arena; /* reset for each block: its rows live until the next read */
};

/* The reader's arena draws from the budget. */
MUST_USE int spill_reader_open(struct spill_reader *reader, struct search_memory *memory,
                               const struct spill_part *part, struct err *err);
void spill_reader_close(struct spill_reader *reader);
/* 1: *out is the next block's rows; 0: the part is at its end. */
MUST_USE int spill_read(struct spill_reader *reader, struct batch **out, struct err *err);
