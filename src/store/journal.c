#include "store/journal.h"

#include "base/mem.h"
#include "store/journal_state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void journal_say(struct journal *journal, const char *format, ...)
{
    if (!journal->config.note)
        return;
    char text[ERR_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    journal->config.note(journal->config.note_context, text);
}

static void fill_defaults(struct journal_config *config)
{
    if (!config->io)
        config->io = io_real();
    if (!config->clock)
        config->clock = clock_real();
    if (!config->rand)
        config->rand = rand_real();
    if (!config->commit_bytes)
        config->commit_bytes = JOURNAL_COMMIT_BYTES;
    if (!config->file_bytes)
        config->file_bytes = JOURNAL_FILE_BYTES;
    if (!config->outstanding_bytes_max)
        config->outstanding_bytes_max = JOURNAL_OUTSTANDING_BYTES_MAX;
    if (!config->keys_max)
        config->keys_max = IDEMPOTENCY_KEYS_MAX;
}

/* Waits are measured on the monotonic clock: a jump of the wall clock must not stall commits. */
static int init_locks(struct journal *journal)
{
    pthread_condattr_t attr;
    if (pthread_condattr_init(&attr) != 0)
        return -1;
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    int bad = pthread_mutex_init(&journal->lock, NULL) != 0 ||
              pthread_cond_init(&journal->work, &attr) != 0 ||
              pthread_cond_init(&journal->news, &attr) != 0;
    pthread_condattr_destroy(&attr);
    return bad ? -1 : 0;
}

static struct journal *journal_new(const struct journal_config *config)
{
    struct journal *journal = mem_calloc(1, sizeof(*journal));
    if (!journal)
        return NULL;
    journal->config = *config;
    fill_defaults(&journal->config);
    journal->fd = -1;
    journal->last = &journal->first;
    journal->next_seq = 1;
    journal->dir = mem_strdup(config->dir, strlen(config->dir));
    bool fine = journal_cursors_init(&journal->cursors, JOURNAL_CURSORS_BYTES_MAX) == 0;
    journal_keys_init(&journal->keys, journal->config.keys_max);
    buffer_init(&journal->staged, journal->config.commit_bytes + 2 * MIB);
    if (!journal->dir || !fine || init_locks(journal) < 0) {
        mem_free(journal->dir);
        journal_cursors_close(&journal->cursors);
        mem_free(journal);
        return NULL;
    }
    journal->config.dir = journal->dir;
    return journal;
}

static void journal_free(struct journal *journal)
{
    if (journal->fd >= 0)
        journal->config.io->close(journal->config.io->context, journal->fd);
    journal_cursors_close(&journal->cursors);
    journal_keys_close(&journal->keys);
    buffer_close(&journal->staged);
    mem_free(journal->files);
    mem_free(journal->dir);
    pthread_cond_destroy(&journal->work);
    pthread_cond_destroy(&journal->news);
    pthread_mutex_destroy(&journal->lock);
    mem_free(journal);
}

int journal_open(const struct journal_config *config, struct journal **out, struct err *err)
{
    *out = NULL;
    struct journal *journal = journal_new(config);
    if (!journal)
        return err_nomem(err);
    if (io_make_dirs(journal->config.io, journal->dir, err) < 0 ||
        journal_recover(journal, err) < 0) {
        journal_free(journal);
        return err_within(err, "journal %s", config->dir);
    }
    int errno_value = pthread_create(&journal->thread, NULL, journal_commit_run, journal);
    if (errno_value != 0) {
        journal_free(journal);
        return err_set_errno(err, errno_value, "cannot start the journal's thread");
    }
    journal->thread_started = true;
    *out = journal;
    return 0;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    pthread_mutex_lock(&journal->lock);
    journal->stopping = true;
    pthread_cond_broadcast(&journal->work);
    pthread_cond_broadcast(&journal->news);
    pthread_mutex_unlock(&journal->lock);
    pthread_join(journal->thread, NULL);
    journal_free(journal);
}

static struct journal_pending *pending_new(const struct delivery *delivery, struct err *err)
{
    struct journal_pending *pending = mem_calloc(1, sizeof(*pending));
    if (!pending) {
        err_nomem(err);
        return NULL;
    }
    buffer_init(&pending->bytes, JOURNAL_RECORD_BYTES_MAX);
    if (buffer_reserve(&pending->bytes, JOURNAL_FRAME_HEADER + delivery->body.len + 512)) {
        memset(pending->bytes.ptr, 0, JOURNAL_FRAME_HEADER);
        buffer_commit(&pending->bytes, JOURNAL_FRAME_HEADER);
    }
    delivery_encode(delivery, &pending->bytes);
    if (buffer_failed(&pending->bytes)) {
        if (delivery->body.len + JOURNAL_FRAME_HEADER + 512 > JOURNAL_RECORD_BYTES_MAX)
            err_set(err, ERR_LIMIT, "a delivery of %zu bytes is larger than a journal record",
                    delivery->body.len);
        else
            err_nomem(err);
        buffer_close(&pending->bytes);
        mem_free(pending);
        return NULL;
    }
    struct slice payload = slice_from(buffer_slice(&pending->bytes), JOURNAL_FRAME_HEADER);
    pending->payload_crc = journal_payload_crc(payload);
    pending->event_count = delivery->event_count;
    if (delivery->key.ptr) {
        pending->has_key = true;
        pending->key = journal_key_hash(delivery);
        pending->body = hash_bytes128(delivery->body);
    }
    return pending;
}

static int enqueue(struct journal *journal, struct journal_pending *pending, struct err *err)
{
    int result = 0;
    size_t bytes = pending->bytes.len;
    pthread_mutex_lock(&journal->lock);
    size_t outstanding = journal->stats.outstanding_bytes;
    if (journal->failure.code != ERR_NONE) {
        if (err)
            *err = journal->failure;
        result = -1;
    } else if (journal->stopping) {
        result = err_set(err, ERR_CLOSED, "the journal is closing");
    } else if (outstanding && outstanding + bytes > journal->config.outstanding_bytes_max) {
        journal->stats.refused++;
        result = err_set(err, ERR_LIMIT, "%zu bytes wait for the disk already", outstanding);
    } else {
        *journal->last = pending;
        journal->last = &pending->next;
        journal->pending_bytes += bytes;
        journal->stats.outstanding_bytes += bytes;
        pthread_cond_signal(&journal->work);
    }
    pthread_mutex_unlock(&journal->lock);
    return result;
}

int journal_append(struct journal *journal, const struct delivery *delivery, journal_done done,
                   void *context, struct err *err)
{
    if (delivery->key.len > IDEMPOTENCY_KEY_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "an Idempotency-Key has at most %d bytes",
                       (int)IDEMPOTENCY_KEY_BYTES_MAX);
    struct journal_pending *pending = pending_new(delivery, err);
    if (!pending)
        return -1;
    pending->done = done;
    pending->context = context;
    if (enqueue(journal, pending, err) < 0) {
        buffer_close(&pending->bytes);
        mem_free(pending);
        return -1;
    }
    return 0;
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool done;
    struct journal_ack ack;
    struct err err;
};

static void wake_waiter(void *context, const struct journal_ack *ack)
{
    struct waiter *waiter = context;
    pthread_mutex_lock(&waiter->lock);
    waiter->ack = *ack;
    waiter->ack.err = NULL;
    if (ack->err)
        waiter->err = *ack->err;
    waiter->done = true;
    pthread_cond_signal(&waiter->answered);
    pthread_mutex_unlock(&waiter->lock);
}

int journal_append_wait(struct journal *journal, const struct delivery *delivery,
                        struct journal_ack *ack, struct err *err)
{
    struct waiter waiter = {.lock = PTHREAD_MUTEX_INITIALIZER,
                            .answered = PTHREAD_COND_INITIALIZER};
    err_clear(&waiter.err);
    if (journal_append(journal, delivery, wake_waiter, &waiter, err) < 0)
        return -1;
    pthread_mutex_lock(&waiter.lock);
    while (!waiter.done)
        pthread_cond_wait(&waiter.answered, &waiter.lock);
    pthread_mutex_unlock(&waiter.lock);
    pthread_mutex_destroy(&waiter.lock);
    pthread_cond_destroy(&waiter.answered);
    *ack = waiter.ack;
    if (ack->result == JOURNAL_FAILED && err)
        *err = waiter.err;
    return ack->result == JOURNAL_FAILED ? -1 : 0;
}

/* Files before the first one that holds something at or after position. */
static size_t files_covered(const struct journal *journal, uint64_t position)
{
    size_t count = 0;
    while (count + 1 < journal->file_count && journal->files[count + 1].base <= position)
        count++;
    return count;
}

static int remove_first_file(struct journal *journal, struct err *err)
{
    char path[JOURNAL_PATH_MAX];
    const struct hin_io *io = journal->config.io;
    pthread_mutex_lock(&journal->lock);
    uint64_t base = journal->files[0].base;
    pthread_mutex_unlock(&journal->lock);
    if (journal_path(journal->dir, base, path, err) < 0)
        return -1;
    if (io->unlink(io->context, path) < 0)
        return err_set_errno(err, errno, "cannot remove %s", path);
    pthread_mutex_lock(&journal->lock);
    journal->file_count--;
    memmove(journal->files, journal->files + 1, journal->file_count * sizeof(*journal->files));
    pthread_mutex_unlock(&journal->lock);
    return 0;
}

static int trim_files(struct journal *journal, size_t count, struct err *err)
{
    if (journal_keep_save(journal, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (remove_first_file(journal, err) < 0)
            return -1;
    return 0;
}

int journal_trim(struct journal *journal, uint64_t covered_position, struct err *err)
{
    pthread_mutex_lock(&journal->lock);
    size_t count = journal->trimming ? 0 : files_covered(journal, covered_position);
    if (count)
        journal->trimming = true;
    pthread_mutex_unlock(&journal->lock);
    if (!count)
        return 0;
    int result = trim_files(journal, count, err);
    pthread_mutex_lock(&journal->lock);
    journal->trimming = false;
    pthread_mutex_unlock(&journal->lock);
    return result < 0 ? err_within(err, "trimming journal %s", journal->dir) : 0;
}

void journal_stats(struct journal *journal, struct journal_stats *out)
{
    pthread_mutex_lock(&journal->lock);
    *out = journal->stats;
    out->position = journal->committed;
    out->oldest_position = journal->file_count ? journal->files[0].base : journal->committed;
    out->next_seq = journal->next_seq;
    out->failed = journal->failure.code != ERR_NONE;
    pthread_mutex_unlock(&journal->lock);
}
