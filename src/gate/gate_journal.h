#pragma once
/*
 * gate/gate_journal: the gate's own record, durable before an answer goes out (gate_journal_frame says of what form).
 *
 *   gate.journal                 the newest commits
 *   gate.journal.NUMBER          older ones, with the number of their first commit in 20 digits; never changed again
 *   gate.journal.next            while a new file is begun
 *
 * A file is written with zeros ahead of the end, so that a commit changes no size and costs one write and one fdatasync. A new file
 * begins with what must be remembered of the older ones, so that a start reads the newest and the one before it.
 *
 * A torn frame at the end was never answered for: it is cut. A damaged frame with good ones behind it, and one that does not follow
 * from the one before, are ERR_CORRUPT. After a failed commit nothing is written any more.
 *
 * Threads  One at a time.
 */
#include "base/err.h"
#include "base/io.h"
#include "gate/gate_journal_frame.h"

#define GATE_JOURNAL_FILE_MAX ((off_t)(2 * GIB)) /* that can be read */

struct gate_journal;

/* Each record in the order written; -1 stops. */
typedef int (*gate_journal_replay)(void *context, struct slice record, struct err *err);

/* What the next frame must be. */
struct gate_journal_place {
    uint64_t next;
    int64_t time_ns;   /* of the frame before; 0: there is none */
    off_t last;        /* where that one begins */
    unsigned char chain[GATE_CHAIN_SIZE]; /* of the frame before */
    bool known;                           /* false: the first frame found says it */
};

/* The records of a file's bytes: end is behind the last whole frame, place where that leads. ERR_CORRUPT as above. */
MUST_USE int gate_journal_read(struct slice bytes, struct gate_journal_place *place, gate_journal_replay replay, void *context,
                               off_t *end, struct err *err);

/* A file as it is, for people who ask whether it is whole; place says whether it follows from the file before, when that was looked at. */
struct gate_journal_check {
    uint64_t commits, records;
    uint64_t torn_from, torn_to; /* bytes of a commit that was not finished, nor answered for */
};
/* ERR_CORRUPT names the file and the byte. */
MUST_USE int gate_journal_check_file(const struct hin_io *io, const char *path, struct gate_journal_place *place,
                                     struct gate_journal_check *out, struct err *err);

MUST_USE int gate_journal_open(const struct hin_io *io, const char *dir, gate_journal_replay replay,
                               void *context, struct gate_journal **out, struct err *err);
void gate_journal_close(struct gate_journal *journal); /* NULL is fine */

/* payload: records. Durable when it returns 0. time: nanoseconds since 1970. */
MUST_USE int gate_journal_commit(struct gate_journal *journal, struct slice payload, int64_t time_ns, struct err *err);
/* A new file that begins with payload: what of the older ones must be remembered. */
MUST_USE int gate_journal_rotate(struct gate_journal *journal, struct slice payload, int64_t time_ns, struct err *err);
/* Makes room ahead when little is left; for moments without requests. */
MUST_USE int gate_journal_prepare(struct gate_journal *journal, struct err *err);
/* Of the next commit. */
uint64_t gate_journal_number(const struct gate_journal *journal);
/* When the last commit was made; 0: there is none. */
int64_t gate_journal_time(const struct gate_journal *journal);

/* Writing a payload: the place of the length, and setting it once the record is there. */
size_t gate_journal_begin(struct buffer *payload);
void gate_journal_end(struct buffer *payload, size_t begun);

/* A record of a name and nanoseconds, such as since when or for how long. Taken: 1, 0: it is of another kind, -1: it is damaged. */
void gate_journal_put_named(struct buffer *payload, uint64_t kind, struct slice name, int64_t ns);
int gate_journal_take_named(struct slice record, uint64_t kind, struct slice *name, int64_t *ns);
