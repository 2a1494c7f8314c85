/*
 * store/journal_keep: what must outlive trimmed files: batch ids, cursors and the numbers to
 * continue with, in one file that is replaced whole ("keep", docs/format/journal.md).
 *
 *   "HINKEEP1" | crc of the rest 4 | position 8 | next seq 8 | keys | cursors
 */
#include "base/file.h"
#include "store/bytes.h"
#include "store/journal_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const char KEEP_MAGIC[8] = {'H', 'I', 'N', 'K', 'E', 'E', 'P', '1'};

enum { KEEP_HEADER = 12 };
#define KEEP_BYTES_MAX (256 * MIB)

struct hash128 journal_key_hash(const struct delivery *delivery)
{
    char text[IDEMPOTENCY_KEY_BYTES_MAX + 600];
    const struct slice parts[] = {delivery->origin.source, delivery->origin.identity,
                                  delivery->key};
    size_t len = 0;
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        struct slice part = slice_sub(parts[i], 0, IDEMPOTENCY_KEY_BYTES_MAX);
        if (part.len)
            memcpy(text + len, part.ptr, part.len);
        len += part.len;
        text[len++] = '\0';
    }
    return hash_bytes128(slice_of(text, len));
}

int journal_remember(struct journal *journal, struct slice payload, uint64_t first_seq,
                     uint64_t position, struct err *err)
{
    struct delivery delivery;
    if (delivery_decode(payload, &delivery, err) < 0)
        return -1;
    struct journal_key entry = {.first_seq = first_seq, .position = position};
    if (delivery.key.ptr) {
        entry.key = journal_key_hash(&delivery);
        entry.body = hash_bytes128(delivery.body);
        if (!journal_keys_find(&journal->keys, entry.key) &&
            journal_keys_add(&journal->keys, &entry, err) < 0)
            return -1;
    }
    if (!delivery.cursor.ptr)
        return 0;
    return journal_cursors_put(&journal->cursors, delivery.origin.source, delivery.origin.path, delivery.cursor, err);
}

struct slice journal_cursor(struct journal *journal, struct slice source, struct slice path,
                            struct arena *arena)
{
    pthread_mutex_lock(&journal->lock);
    struct slice result = journal_cursors_find(&journal->cursors, source, path);
    if (result.ptr)
        result = arena_copy(arena, result);
    pthread_mutex_unlock(&journal->lock);
    return result;
}

static void encode(struct journal *journal, struct buffer *to)
{
    buffer_put(to, slice_of(KEEP_MAGIC, 8));
    buffer_put_le32(to, 0);
    buffer_put_le64(to, journal->committed);
    buffer_put_le64(to, journal->next_seq);
    journal_keys_save(&journal->keys, to);
    journal_cursors_save(&journal->cursors, to);
    if (!buffer_failed(to))
        bytes_set_le32(to->ptr + 8, hash_crc32c(0, slice_from(buffer_slice(to), KEEP_HEADER)));
}

static void keep_path(const struct journal *journal, char to[JOURNAL_PATH_MAX])
{
    snprintf(to, JOURNAL_PATH_MAX, "%s/keep", journal->dir);
}

int journal_keep_save(struct journal *journal, struct err *err)
{
    char path[JOURNAL_PATH_MAX];
    keep_path(journal, path);
    struct buffer content;
    buffer_init(&content, KEEP_BYTES_MAX);
    pthread_mutex_lock(&journal->lock);
    encode(journal, &content);
    uint64_t forgotten = journal->cursors.forgotten;
    journal->cursors.forgotten = 0;
    pthread_mutex_unlock(&journal->lock);
    if (forgotten)
        journal_say(journal, "%llu places of logs and sources that were longest unheard of are forgotten (JOURNAL_CURSORS_BYTES_MAX); "
                             "what comes back of them is read from its beginning", (unsigned long long)forgotten);
    int result = buffer_failed(&content)
                     ? err_nomem(err)
                     : io_replace_file(journal->config.io, path, buffer_slice(&content), err);
    buffer_close(&content);
    return result;
}

static bool checksum_fits(struct slice file)
{
    return file.len >= KEEP_HEADER && memcmp(file.ptr, KEEP_MAGIC, 8) == 0 &&
           bytes_get_le32(file.ptr + 8) == hash_crc32c(0, slice_from(file, KEEP_HEADER));
}

static int decode(struct journal *journal, struct slice from, uint64_t *position, struct err *err)
{
    if (!checksum_fits(from))
        return err_set(err, ERR_CORRUPT, "its checksum is wrong");
    from = slice_from(from, KEEP_HEADER);
    if (!slice_take_le64(&from, position) || !slice_take_le64(&from, &journal->next_seq))
        return err_set(err, ERR_CORRUPT, "it is cut short");
    journal->committed = *position;
    if (journal_keys_load(&journal->keys, &from, err) < 0)
        return -1;
    return journal_cursors_load(&journal->cursors, &from, err);
}

static int read_whole(struct journal *journal, int fd, const char *path, struct buffer *to,
                      struct err *err)
{
    const struct hin_io *io = journal->config.io;
    off_t size = io->size(io->context, fd);
    if (size < 0 || (uint64_t)size > KEEP_BYTES_MAX)
        return err_set(err, ERR_CORRUPT, "%s has an impossible size", path);
    char *room = buffer_reserve(to, (size_t)size + 1);
    if (!room)
        return err_nomem(err);
    if (io_read_all(io, fd, room, (size_t)size, 0, path, err) < 0)
        return -1;
    buffer_commit(to, (size_t)size);
    return 0;
}

int journal_keep_load(struct journal *journal, uint64_t *position, struct err *err)
{
    *position = 0;
    char path[JOURNAL_PATH_MAX];
    keep_path(journal, path);
    const struct hin_io *io = journal->config.io;
    int fd = io->open(io->context, path, O_RDONLY, 0);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_set_errno(err, errno, "cannot open %s", path);
    struct buffer content;
    buffer_init(&content, KEEP_BYTES_MAX + 1);
    int result = read_whole(journal, fd, path, &content, err);
    io->close(io->context, fd);
    if (result == 0 && decode(journal, buffer_slice(&content), position, err) < 0)
        result = err_within(err, "%s is damaged (restore it from a backup, or remove it: then "
                                 "batch ids and cursors of trimmed files are forgotten)", path);
    buffer_close(&content);
    return result;
}

int journal_check_keep(const char *path, struct err *err)
{
    struct slice bytes;
    if (access(path, F_OK) != 0)
        return 0;
    struct arena *arena = arena_new(KEEP_BYTES_MAX + MIB);
    int result = arena ? file_read(path, KEEP_BYTES_MAX, arena, &bytes, err) : err_nomem(err);
    if (result == 0 && !checksum_fits(bytes))
        result = err_set(err, ERR_CORRUPT, "%s fails its checksum", path);
    arena_free(arena);
    return result;
}
