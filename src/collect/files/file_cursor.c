#include "collect/files/file_cursor.h"

#include "base/hash.h"
#include "base/limits.h"

enum { WITHOUT_SINCE = 1, CURSOR_VERSION = 2 };
enum { FLAG_FINISHED = 1, FLAG_AT_END = 2, FLAG_CURRENT = 4 };

struct byte_mark byte_mark_of(struct slice bytes)
{
    return (struct byte_mark){(uint32_t)bytes.len, hash_bytes(bytes)};
}

bool byte_mark_fits(struct byte_mark mark, struct slice bytes)
{
    return mark.len == 0 || (bytes.len >= mark.len && hash_bytes(slice_sub(bytes, 0, mark.len)) == mark.hash);
}

static void put_mark(struct buffer *to, struct byte_mark mark)
{
    buffer_put_varint(to, mark.len);
    buffer_put_le64(to, mark.hash);
}

void file_cursor_begin(struct buffer *to, int64_t since_ns, size_t count)
{
    buffer_put_char(to, CURSOR_VERSION);
    buffer_put_le64(to, (uint64_t)since_ns);
    buffer_put_varint(to, count);
}

void file_cursor_put(struct buffer *to, const struct file_place *place)
{
    buffer_put_char(to, (char)((place->finished ? FLAG_FINISHED : 0) | (place->at_end ? FLAG_AT_END : 0) |
                               (place->current ? FLAG_CURRENT : 0)));
    buffer_put_varint(to, place->device);
    buffer_put_varint(to, place->inode);
    buffer_put_le64(to, (uint64_t)place->started_ns);
    put_mark(to, place->head);
    buffer_put_varint(to, place->offset);
    put_mark(to, place->tail);
    buffer_put_varint(to, place->record_id);
    buffer_put_le64(to, (uint64_t)place->record_time_ns);
    buffer_put_block(to, place->text_state);
}

static bool take_mark(struct slice *at, size_t most, struct byte_mark *out)
{
    uint64_t len;
    if (!slice_take_varint(at, &len) || len > most || !slice_take_le64(at, &out->hash))
        return false;
    out->len = (uint32_t)len;
    return true;
}

int file_cursor_count(struct slice *at, int64_t *since_ns, size_t *count, struct err *err)
{
    struct slice version;
    uint64_t files = 0, since = (uint64_t)SINCE_UNKNOWN;
    bool ok = slice_take(at, 1, &version) && (version.ptr[0] == WITHOUT_SINCE || version.ptr[0] == CURSOR_VERSION) &&
              (version.ptr[0] == WITHOUT_SINCE || slice_take_le64(at, &since)) && slice_take_varint(at, &files) &&
              files <= COLLECT_LOG_FILES_MAX;
    *since_ns = (int64_t)since;
    *count = (size_t)files;
    return ok ? 0 : err_set(err, ERR_CORRUPT, "how far its files were read cannot be understood");
}

int file_cursor_next(struct slice *at, struct file_place *out, struct err *err)
{
    struct slice flags;
    uint64_t started, time;
    *out = (struct file_place){0};
    bool ok = slice_take(at, 1, &flags) && slice_take_varint(at, &out->device) && slice_take_varint(at, &out->inode) &&
              slice_take_le64(at, &started) && take_mark(at, HEAD_MARK_BYTES, &out->head) &&
              slice_take_varint(at, &out->offset) && take_mark(at, TAIL_MARK_BYTES, &out->tail) &&
              out->tail.len <= out->offset && out->offset <= INT64_MAX && slice_take_varint(at, &out->record_id) &&
              slice_take_le64(at, &time) && slice_take_block(at, &out->text_state);
    if (!ok)
        return err_set(err, ERR_CORRUPT, "how far its files were read is cut short");
    out->finished = flags.ptr[0] & FLAG_FINISHED;
    out->at_end = flags.ptr[0] & FLAG_AT_END;
    out->current = flags.ptr[0] & FLAG_CURRENT;
    out->started_ns = (int64_t)started;
    out->record_time_ns = (int64_t)time;
    return 0;
}
