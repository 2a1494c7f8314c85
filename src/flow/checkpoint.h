#pragma once
/*
 * flow/checkpoint: what the rules remember, as of a journal position, on disk.
 *
 *   checkpoint.0   checkpoint.1   the newer is loaded; the older stays until a newer one is whole
 *   lost                          what was remembered could not be read (a person removes it)
 *
 * Start = load the newer + read the journal from its position. The journal is kept from the older
 * one's position on, so that damage to one file loses nothing (docs/format/checkpoint.md).
 *
 * Threads    Offer, write and content: the pipeline's thread. The rest: any. One thread of its own
 *            proves the older file and then writes what is offered, so that neither the start nor the
 *            walk waits for that.
 * Limits     CHECKPOINT_BYTES_MAX of content.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"
#include "base/io.h"
#include "base/limits.h"

struct checkpoint;

struct checkpoint_config {
    const char *dir;         /* made when missing */
    const struct hin_io *io; /* NULL: the real one */
    void (*note)(void *context, const char *text); /* a sentence for people; any thread */
    void *context;
};

/* Damaged files are renamed to *.damaged and noted: one that is needed at once, the other by the thread, before it writes
 * anything and at the latest at the close. */
MUST_USE int checkpoint_open(const struct checkpoint_config *config, struct checkpoint **out,
                             struct err *err);
/* A file as it is: its position and bytes of content, or ERR_CORRUPT. Changes nothing. */
MUST_USE int checkpoint_check_file(const char *path, uint64_t *position, uint64_t *content_bytes,
                                   struct err *err);
/* The newer whole one of a folder that another program may be writing to; content in the arena, which needs room for both
 * only when the newer is damaged.
 * ERR_NOT_FOUND: there is none. Changes nothing. */
MUST_USE int checkpoint_read(const char *dir, struct arena *arena, uint64_t *position,
                             struct slice *content, struct err *err);
/* What was offered is written first. NULL is fine. */
void checkpoint_close(struct checkpoint *checkpoint);

/* The newest one that was whole at the open; false when there was none. The content lives until
 * checkpoint_forget() or close. */
bool checkpoint_content(const struct checkpoint *checkpoint, uint64_t *position,
                        struct slice *content);
void checkpoint_forget(struct checkpoint *checkpoint);

/* The writer takes the content over (the buffer is empty afterwards); false while it is busy with
 * the one before: offer again later. */
bool checkpoint_offer(struct checkpoint *checkpoint, uint64_t position, struct buffer *content);
/* Here and now, after what was offered. */
MUST_USE int checkpoint_write(struct checkpoint *checkpoint, uint64_t position,
                              struct slice content, struct err *err);

/* The journal is needed from here on; UINT64_MAX when no checkpoint was ever written. */
uint64_t checkpoint_kept(struct checkpoint *checkpoint);
/* What was remembered is of no use (its content cannot be understood): leaves "lost" and notes it. */
MUST_USE int checkpoint_lose(struct checkpoint *checkpoint, struct err *err);
/* Whether that has happened and nobody removed the file; asks the disk. */
bool checkpoint_lost(const struct checkpoint *checkpoint);
