#pragma once
/*
 * gate/gate_journal: the gate's own record, durable before an answer goes out.
 *
 *   frame   | "HGJ1" | length 4 | crc 4 | number 8 | payload |      little-endian
 *   payload | length 4 | record | length 4 | record | ...           one commit, one frame
 *
 * The crc covers length, number and payload. A file is written with zeros ahead of the end, so that a
 * commit changes no size and costs one write and one fdatasync. Two files: gate.journal and, from
 * before the last rotation, gate.journal.1.
 *
 * A torn frame at the end was never answered for: it is cut. A damaged frame with good ones behind
 * it is ERR_CORRUPT. After a failed commit nothing is written any more.
 *
 * Threads  One at a time.
 */
#include "base/buffer.h"
#include "base/err.h"
#include "base/io.h"

struct gate_journal;

/* Each record in the order written; -1 stops. */
typedef int (*gate_journal_replay)(void *context, struct slice record, struct err *err);

/* The records of a file's bytes: end is behind the last whole frame, number that of the next one.
 * ERR_CORRUPT when good frames follow a damaged one. */
MUST_USE int gate_journal_read(struct slice bytes, gate_journal_replay replay, void *context,
                               off_t *end, uint64_t *number, struct err *err);

/* A file as it is, for people who ask whether it is whole. */
struct gate_journal_check {
    uint64_t commits, records;
    uint64_t torn_from, torn_to; /* bytes of a commit that was not finished, nor answered for */
};
/* ERR_CORRUPT names the file and the byte. */
MUST_USE int gate_journal_check_file(const struct hin_io *io, const char *path,
                                     struct gate_journal_check *out, struct err *err);

MUST_USE int gate_journal_open(const struct hin_io *io, const char *dir, gate_journal_replay replay,
                               void *context, struct gate_journal **out, struct err *err);
void gate_journal_close(struct gate_journal *journal); /* NULL is fine */

/* payload: records as above. Durable when it returns 0. */
MUST_USE int gate_journal_commit(struct gate_journal *journal, struct slice payload,
                                 struct err *err);
/* A new file that begins with payload; the file before the last is removed. */
MUST_USE int gate_journal_rotate(struct gate_journal *journal, struct slice payload,
                                 struct err *err);
/* Makes room ahead when little is left; for moments without requests. */
MUST_USE int gate_journal_prepare(struct gate_journal *journal, struct err *err);

/* Writing a payload: the place of the length, and setting it once the record is there. */
size_t gate_journal_begin(struct buffer *payload);
void gate_journal_end(struct buffer *payload, size_t begun);
