#include "store/journal_file.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/bytes.h"

#include <stdio.h>

static const char FILE_MAGIC[8] = {'H', 'I', 'N', 'J', 'R', 'N', 'L', '1'};
static const uint32_t FRAME_MAGIC = 0x4d524648; /* "HFRM" */

enum { WINDOW_BYTES = 64 * 1024 };

int journal_path(const char *dir, uint64_t base, char to[JOURNAL_PATH_MAX], struct err *err)
{
    int len = snprintf(to, JOURNAL_PATH_MAX, "%s/%016llx.journal", dir, (unsigned long long)base);
    if (len < 0 || len >= JOURNAL_PATH_MAX)
        return err_set(err, ERR_CONFIG, "folder name %.100s... is too long", dir);
    return 0;
}

bool journal_path_base(const char *path, uint64_t *base)
{
    struct slice name = slice_text(path);
    struct slice suffix = SLICE(".journal");
    if (name.len < 16 + suffix.len || !slice_ends(name, suffix))
        return false;
    return bytes_parse_hex64(slice_sub(name, name.len - suffix.len - 16, 16), base);
}

void journal_file_header(uint64_t file_id, uint64_t base, char to[JOURNAL_FILE_HEADER])
{
    memset(to, 0, JOURNAL_FILE_HEADER);
    memcpy(to, FILE_MAGIC, 8);
    bytes_set_le64(to + 8, file_id);
    bytes_set_le64(to + 16, base);
    bytes_set_le32(to + 24, hash_crc32c(0, slice_of(to, 24)));
}

bool journal_file_header_read(const char from[JOURNAL_FILE_HEADER], uint64_t *file_id,
                              uint64_t *base)
{
    *file_id = bytes_get_le64(from + 8);
    *base = bytes_get_le64(from + 16);
    return memcmp(from, FILE_MAGIC, 8) == 0 &&
           bytes_get_le32(from + 24) == hash_crc32c(0, slice_of(from, 24));
}

uint32_t journal_payload_crc(struct slice payload)
{
    return hash_crc32c(0, payload);
}

static uint32_t header_crc(uint64_t file_id, const char *header)
{
    char id[8];
    bytes_set_le64(id, file_id);
    return hash_crc32c(hash_crc32c(0, slice_of(id, 8)), slice_of(header, JOURNAL_FRAME_HEADER - 4));
}

void journal_frame_header(uint64_t file_id, const struct journal_frame *frame,
                          char to[JOURNAL_FRAME_HEADER])
{
    bytes_set_le32(to, FRAME_MAGIC);
    bytes_set_le32(to + 4, frame->kind);
    bytes_set_le32(to + 8, frame->length);
    bytes_set_le32(to + 12, frame->payload_crc);
    bytes_set_le64(to + 16, frame->position);
    bytes_set_le64(to + 24, frame->first_seq);
    bytes_set_le32(to + 32, frame->event_count);
    bytes_set_le32(to + 36, header_crc(file_id, to));
}

void journal_walk_init(struct journal_walk *walk, const struct hin_io *io, int fd,
                       const char *what, uint64_t file_id, uint64_t base, uint64_t end)
{
    *walk = (struct journal_walk){.io = io,
                                  .what = what,
                                  .fd = fd,
                                  .file_id = file_id,
                                  .base = base,
                                  .offset = JOURNAL_FILE_HEADER,
                                  .end = end};
}

void journal_walk_close(struct journal_walk *walk)
{
    mem_free(walk->window);
    walk->window = NULL;
    walk->window_size = walk->window_len = 0;
}

static int window_grow(struct journal_walk *walk, size_t size, struct err *err)
{
    if (walk->window_size >= size)
        return 0;
    char *fresh = mem_realloc(walk->window, size);
    if (!fresh)
        return err_nomem(err);
    walk->window = fresh;
    walk->window_size = size;
    return 0;
}

/* len bytes at offset, which must lie before end. NULL with err set. */
static const char *window_get(struct journal_walk *walk, uint64_t offset, size_t len,
                              struct err *err)
{
    if (offset >= walk->window_at && offset + len <= walk->window_at + walk->window_len)
        return walk->window + (offset - walk->window_at);
    size_t want = len > WINDOW_BYTES ? len : WINDOW_BYTES, have = 0;
    if (window_grow(walk, want, err) < 0)
        return NULL;
    if (want > walk->end - offset)
        want = (size_t)(walk->end - offset);
    if (offset >= walk->window_at && offset < walk->window_at + walk->window_len) {
        size_t skip = (size_t)(offset - walk->window_at); /* what is there is not read again */
        have = walk->window_len - skip;
        memmove(walk->window, walk->window + skip, have);
    }
    walk->window_len = 0;
    if (have < want && io_read_all(walk->io, walk->fd, walk->window + have, want - have,
                                   (off_t)(offset + have), walk->what, err) < 0)
        return NULL;
    walk->window_at = offset;
    walk->window_len = have < want ? want : have;
    return walk->window;
}

/* 1 valid, 0 not, -1 err. */
static int frame_at(struct journal_walk *walk, uint64_t offset, struct journal_frame *out,
                    struct err *err)
{
    if (walk->end - offset < JOURNAL_FRAME_HEADER)
        return 0;
    const char *p = window_get(walk, offset, JOURNAL_FRAME_HEADER, err);
    if (!p)
        return -1;
    *out = (struct journal_frame){.kind = bytes_get_le32(p + 4),
                                  .length = bytes_get_le32(p + 8),
                                  .payload_crc = bytes_get_le32(p + 12),
                                  .position = bytes_get_le64(p + 16),
                                  .first_seq = bytes_get_le64(p + 24),
                                  .event_count = bytes_get_le32(p + 32)};
    if (bytes_get_le32(p) != FRAME_MAGIC || out->length > JOURNAL_RECORD_BYTES_MAX ||
        out->position != walk->base + offset - JOURNAL_FILE_HEADER ||
        bytes_get_le32(p + 36) != header_crc(walk->file_id, p) ||
        out->length > walk->end - offset - JOURNAL_FRAME_HEADER)
        return 0;
    p = window_get(walk, offset, JOURNAL_FRAME_HEADER + (size_t)out->length, err);
    if (!p)
        return -1;
    out->payload = slice_of(p + JOURNAL_FRAME_HEADER, out->length);
    return journal_payload_crc(out->payload) == out->payload_crc;
}

/* The next offset after from where a magic stands, or end. */
static int64_t find_magic(struct journal_walk *walk, uint64_t from, struct err *err)
{
    char magic[4];
    bytes_set_le32(magic, FRAME_MAGIC);
    while (from + JOURNAL_FRAME_HEADER <= walk->end) {
        size_t len = WINDOW_BYTES;
        if (len > walk->end - from)
            len = (size_t)(walk->end - from);
        const char *p = window_get(walk, from, len, err);
        if (!p)
            return -1;
        ptrdiff_t at = slice_find(slice_of(p, len), slice_of(magic, 4));
        if (at >= 0)
            return (int64_t)(from + (uint64_t)at);
        from += len - 3;
    }
    return (int64_t)walk->end;
}

/* Looks for a valid frame behind a bad place; its position makes a false hit all but impossible. */
static enum journal_step resync(struct journal_walk *walk, struct err *err)
{
    walk->damaged_from = walk->offset;
    struct journal_frame frame;
    uint64_t at = walk->offset + 1;
    for (;;) {
        int64_t found = find_magic(walk, at, err);
        if (found < 0)
            return JOURNAL_STEP_FAILED;
        if ((uint64_t)found >= walk->end)
            break;
        int valid = frame_at(walk, (uint64_t)found, &frame, err);
        if (valid < 0)
            return JOURNAL_STEP_FAILED;
        if (valid) {
            walk->damaged_to = walk->offset = (uint64_t)found;
            return JOURNAL_STEP_DAMAGED;
        }
        at = (uint64_t)found + 1;
    }
    walk->damaged_to = walk->offset = walk->end;
    return JOURNAL_STEP_TORN;
}

enum journal_step journal_walk_next(struct journal_walk *walk, struct journal_frame *out,
                                    struct err *err)
{
    if (walk->offset >= walk->end)
        return JOURNAL_STEP_END;
    int valid = frame_at(walk, walk->offset, out, err);
    if (valid < 0)
        return JOURNAL_STEP_FAILED;
    if (!valid)
        return resync(walk, err);
    walk->offset += JOURNAL_FRAME_HEADER + (uint64_t)out->length;
    return JOURNAL_STEP_FRAME;
}
