/*
 * store/journal_commit: the journal's thread. A group is what has gathered while the last one
 * was on its way to the disk (and for commit_ms more when the disk is idle). A part of a group
 * is what fits one file: it is numbered, written at once, made durable, and only then visible.
 */
#include "store/journal_state.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <time.h>

enum { DIRECT_BYTES = 256 * 1024 }; /* longer records are written from where they are */

struct part {
    struct journal_pending *first, *end; /* end is not in it */
    uint64_t keys_added, next_seq;       /* as they were, for taking it back */
    uint64_t position;                   /* after its last record */
    uint64_t records, events, duplicates, conflicts;
};

static struct journal_file *last_file(struct journal *journal)
{
    return journal->file_count ? &journal->files[journal->file_count - 1] : NULL;
}

/* Answers from the key table; false when the record must be stored. */
static bool answer_known(struct journal *journal, struct journal_pending *pending,
                         struct part *part)
{
    const struct journal_key *known =
        pending->has_key ? journal_keys_find(&journal->keys, pending->key) : NULL;
    if (!known)
        return false;
    bool equal = known->body.low == pending->body.low && known->body.high == pending->body.high;
    pending->ack.result = equal ? JOURNAL_DUPLICATE : JOURNAL_CONFLICT;
    pending->ack.first_seq = equal ? known->first_seq : 0;
    pending->ack.position = equal ? known->position : 0;
    part->duplicates += equal;
    part->conflicts += !equal;
    return true;
}

static int number_record(struct journal *journal, struct journal_pending *pending,
                         struct part *part, struct err *err)
{
    struct journal_key entry = {pending->key, pending->body, journal->next_seq, part->position};
    if (pending->has_key && journal_keys_add(&journal->keys, &entry, err) < 0)
        return -1;
    struct journal_frame frame = {
        .kind = JOURNAL_KIND_DELIVERY,
        .length = (uint32_t)(pending->bytes.len - JOURNAL_FRAME_HEADER),
        .payload_crc = pending->payload_crc,
        .position = part->position,
        .first_seq = journal->next_seq,
        .event_count = pending->event_count,
    };
    journal_frame_header(last_file(journal)->file_id, &frame, pending->bytes.ptr);
    pending->ack = (struct journal_ack){.result = JOURNAL_STORED,
                                        .first_seq = journal->next_seq,
                                        .position = part->position,
                                        .end = part->position + pending->bytes.len};
    journal->next_seq += pending->event_count;
    part->position += pending->bytes.len;
    part->events += pending->event_count;
    part->records++;
    return 0;
}

/* Under the lock. Stops before a record that does not fit the file any more. */
static int number_part(struct journal *journal, struct part *part, struct err *err)
{
    const struct journal_file *file = last_file(journal);
    part->keys_added = journal->keys.added;
    part->next_seq = journal->next_seq;
    part->position = journal->committed;
    part->end = part->first;
    for (; part->end; part->end = part->end->next) {
        if (answer_known(journal, part->end, part))
            continue;
        uint64_t used = part->position - file->base;
        if (used && JOURNAL_FILE_HEADER + used + part->end->bytes.len > journal->config.file_bytes)
            return 0;
        if (number_record(journal, part->end, part, err) < 0)
            return -1;
    }
    return 0;
}

static int write_staged(struct journal *journal, off_t *at, struct err *err)
{
    struct slice bytes = buffer_slice(&journal->staged);
    if (buffer_failed(&journal->staged))
        return err_nomem(err);
    int result = bytes.len ? io_write_all(journal->config.io, journal->fd, bytes, *at,
                                          "the journal", err)
                           : 0;
    *at += (off_t)bytes.len;
    buffer_clear(&journal->staged);
    return result;
}

static int write_part(struct journal *journal, const struct part *part, off_t at, struct err *err)
{
    buffer_clear(&journal->staged);
    for (struct journal_pending *p = part->first; p != part->end; p = p->next) {
        if (p->ack.result != JOURNAL_STORED)
            continue;
        struct slice bytes = buffer_slice(&p->bytes);
        if (journal->staged.len + bytes.len > JOURNAL_COMMIT_BYTES + DIRECT_BYTES &&
            write_staged(journal, &at, err) < 0)
            return -1;
        if (bytes.len <= DIRECT_BYTES) {
            buffer_put(&journal->staged, bytes);
            continue;
        }
        if (write_staged(journal, &at, err) < 0 ||
            io_write_all(journal->config.io, journal->fd, bytes, at, "the journal", err) < 0)
            return -1;
        at += (off_t)bytes.len;
    }
    return write_staged(journal, &at, err);
}

static void fail_answers(struct part *part, const struct err *err)
{
    for (struct journal_pending *p = part->first; p != part->end; p = p->next)
        p->ack = (struct journal_ack){.result = JOURNAL_FAILED, .err = err};
}

/* Under the lock: as if the part had never been numbered. Answers from the table may have been
 * about records of this very part, so they fail with it. */
static void take_back(struct journal *journal, struct part *part, const struct err *err)
{
    journal_keys_undo(&journal->keys, part->keys_added);
    journal->next_seq = part->next_seq;
    fail_answers(part, err);
}

static void fail_for_good(struct journal *journal, const struct err *err)
{
    pthread_mutex_lock(&journal->lock);
    journal->failure = *err;
    pthread_cond_broadcast(&journal->news);
    pthread_mutex_unlock(&journal->lock);
    journal_say(journal, "the journal is stopped until it is opened anew: %s", err->text);
}

/* Bytes behind the durable end must go: what was answered FAILED must not come back later. */
static void cut_tail(struct journal *journal, off_t size, struct err *err)
{
    const struct hin_io *io = journal->config.io;
    if (journal->failure.code == ERR_NONE && io->ftruncate(io->context, journal->fd, size) < 0) {
        struct err cut;
        err_set_errno(&cut, errno, "cannot cut an unfinished group off the journal");
        fail_for_good(journal, &cut);
        *err = cut;
    }
}

/* Numbers, writes and syncs. *synced tells apart "nothing happened" from "who knows". */
static int store_part(struct journal *journal, struct part *part, struct err *err)
{
    const struct hin_io *io = journal->config.io;
    pthread_mutex_lock(&journal->lock);
    off_t at = (off_t)(journal->committed - last_file(journal)->base + JOURNAL_FILE_HEADER);
    int result = number_part(journal, part, err);
    if (result < 0)
        part->end = NULL; /* memory is out: the whole rest fails */
    pthread_mutex_unlock(&journal->lock);
    if (result == 0 && part->records == 0)
        return 0;
    bool wrote = result == 0;
    if (result == 0)
        result = write_part(journal, part, at, err);
    if (result == 0 && io->fdatasync(io->context, journal->fd) < 0) {
        result = err_set_errno(err, errno, "cannot make the journal durable");
        if (io->ftruncate(io->context, journal->fd, at) < 0)
            err_within(err, "its tail could not be cut either");
        fail_for_good(journal, err);
    } else if (result < 0 && wrote) {
        cut_tail(journal, at, err);
    }
    return result;
}

static int remember_part(struct journal *journal, const struct part *part, struct err *err)
{
    for (struct journal_pending *p = part->first; p != part->end; p = p->next) {
        struct delivery delivery;
        struct slice payload = slice_from(buffer_slice(&p->bytes), JOURNAL_FRAME_HEADER);
        if (p->ack.result == JOURNAL_STORED && delivery_decode(payload, &delivery, err) == 0 &&
            delivery.cursor.ptr &&
            journal_remember(journal, payload, p->ack.first_seq, p->ack.position, err) < 0)
            return -1;
    }
    return 0;
}

/* Under the lock: durable, so readers may see it. */
static void publish_part(struct journal *journal, const struct part *part)
{
    struct journal_file *file = last_file(journal);
    struct err err;
    err_clear(&err);
    if (remember_part(journal, part, &err) < 0) /* the record has it; a restart reads it again */
        journal->stats.refused++;
    journal->stats.bytes += part->position - journal->committed;
    journal->committed = part->position;
    file->size = JOURNAL_FILE_HEADER + part->position - file->base;
    journal->stats.records += part->records;
    journal->stats.events += part->events;
    journal->stats.duplicates += part->duplicates;
    journal->stats.conflicts += part->conflicts;
    pthread_cond_broadcast(&journal->news);
}

/* A file for the next record: the last one while it has room, else a new one. */
static int prepare_file(struct journal *journal, size_t record_bytes, struct err *err)
{
    pthread_mutex_lock(&journal->lock); /* a trim moves the list of files */
    const struct journal_file *file = last_file(journal);
    bool fits = file && journal->fd >= 0 &&
                (journal->committed == file->base ||
                 JOURNAL_FILE_HEADER + journal->committed - file->base + record_bytes <=
                     journal->config.file_bytes);
    pthread_mutex_unlock(&journal->lock);
    return fits ? 0 : journal_file_create(journal, journal->committed, err);
}

static void answer(struct journal *journal, struct journal_pending *first,
                   struct journal_pending *end)
{
    size_t bytes = 0;
    for (struct journal_pending *p = first; p != end; p = p->next)
        bytes += p->bytes.len;
    pthread_mutex_lock(&journal->lock);
    journal->stats.outstanding_bytes -= bytes;
    pthread_mutex_unlock(&journal->lock);
    for (struct journal_pending *p = first, *next; p != end; p = next) {
        next = p->next;
        if (p->done)
            p->done(p->context, &p->ack);
        buffer_close(&p->bytes);
        mem_free(p);
    }
}

/* Commits one part of the list and answers it; returns the rest. */
static struct journal_pending *commit_part(struct journal *journal, struct journal_pending *first)
{
    struct part part = {.first = first};
    struct err err;
    err_clear(&err);
    if (journal->failure.code != ERR_NONE) {
        err = journal->failure;
        fail_answers(&part, &err);
    } else if (prepare_file(journal, first->bytes.len, &err) < 0) {
        fail_answers(&part, &err);
    } else {
        int result = store_part(journal, &part, &err);
        pthread_mutex_lock(&journal->lock);
        if (result < 0)
            take_back(journal, &part, &err);
        else
            publish_part(journal, &part);
        pthread_mutex_unlock(&journal->lock);
    }
    answer(journal, first, part.end);
    return part.end;
}

/* Under the lock: waits for work, then for company. NULL when stopping and nothing is left. */
static struct journal_pending *take_group(struct journal *journal)
{
    while (!journal->first && !journal->stopping)
        pthread_cond_wait(&journal->work, &journal->lock);
    struct timespec until = clock_deadline(CLOCK_MONOTONIC, journal->config.commit_ms * NS_PER_MS);
    while (journal->first && !journal->stopping && journal->config.commit_ms &&
           journal->pending_bytes < journal->config.commit_bytes)
        if (pthread_cond_timedwait(&journal->work, &journal->lock, &until) == ETIMEDOUT)
            break;
    struct journal_pending *group = journal->first;
    journal->first = NULL;
    journal->last = &journal->first;
    journal->pending_bytes = 0;
    journal->stats.groups += group != NULL;
    return group;
}

void *journal_commit_run(void *context)
{
    struct journal *journal = context;
    for (;;) {
        pthread_mutex_lock(&journal->lock);
        struct journal_pending *group = take_group(journal);
        pthread_mutex_unlock(&journal->lock);
        if (!group)
            return NULL;
        while (group)
            group = commit_part(journal, group);
    }
}
