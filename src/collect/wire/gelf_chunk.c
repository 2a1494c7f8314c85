#include "collect/wire/gelf_chunk.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/inflate.h"

enum { HEAD_BYTES = 12 };

/* A message of which chunks are missing. */
struct waiting {
    int64_t first_ns;
    struct buffer bytes; /* of its chunks, as they came */
    uint32_t count, have;
    struct {
        uint32_t at, len;
        bool here;
    } chunks[GELF_CHUNKS_MAX];
};

struct gelf_chunks {
    /* In the order of their first chunks. Keys are hashes of id, sender and count: with 64 bits, and of a seed that
     * nobody knows, they stand for these. */
    uint64_t keys[GELF_WAITING_MAX];
    struct waiting *list[GELF_WAITING_MAX];
    uint32_t waiting_count;
    size_t waiting_bytes;
    uint64_t lost;
    struct buffer whole, unpacked;
};

struct gelf_chunks *gelf_chunks_new(void)
{
    struct gelf_chunks *chunks = mem_calloc(1, sizeof(*chunks));
    if (!chunks)
        return NULL;
    buffer_init(&chunks->whole, GELF_WAITING_BYTES_MAX);
    buffer_init(&chunks->unpacked, GELF_UNPACKED_BYTES_MAX);
    return chunks;
}

static void forget(struct gelf_chunks *chunks, uint32_t at)
{
    struct waiting *waiting = chunks->list[at];
    uint32_t behind = --chunks->waiting_count - at;
    memmove(&chunks->keys[at], &chunks->keys[at + 1], behind * sizeof(chunks->keys[0]));
    memmove(&chunks->list[at], &chunks->list[at + 1], behind * sizeof(struct waiting *));
    chunks->waiting_bytes -= waiting->bytes.len;
    buffer_close(&waiting->bytes);
    mem_free(waiting);
}

static void give_up_oldest(struct gelf_chunks *chunks)
{
    forget(chunks, 0);
    chunks->lost++;
}

void gelf_chunks_free(struct gelf_chunks *chunks)
{
    if (!chunks)
        return;
    while (chunks->waiting_count)
        forget(chunks, chunks->waiting_count - 1);
    buffer_close(&chunks->whole);
    buffer_close(&chunks->unpacked);
    mem_free(chunks);
}

void gelf_chunks_expire(struct gelf_chunks *chunks, int64_t now_ns)
{
    while (chunks->waiting_count && now_ns - chunks->list[0]->first_ns > GELF_WAIT_MS * NS_PER_MS)
        give_up_oldest(chunks);
}

/* Its place, or waiting_count. */
static uint32_t find_waiting(const struct gelf_chunks *chunks, uint64_t key)
{
    uint32_t at = 0;
    while (at < chunks->waiting_count && chunks->keys[at] != key)
        at++;
    return at;
}

/* NULL when memory is out. */
static struct waiting *add_waiting(struct gelf_chunks *chunks, uint64_t key, uint32_t count, int64_t now_ns)
{
    struct waiting *waiting = mem_calloc(1, sizeof(*waiting));
    if (!waiting)
        return NULL;
    if (chunks->waiting_count == GELF_WAITING_MAX)
        give_up_oldest(chunks);
    waiting->count = count;
    waiting->first_ns = now_ns;
    buffer_init(&waiting->bytes, GELF_WAITING_BYTES_MAX);
    chunks->keys[chunks->waiting_count] = key;
    chunks->list[chunks->waiting_count++] = waiting;
    return waiting;
}

/* False when memory is out. The message itself is the last that has to go. */
static bool keep_chunk(struct gelf_chunks *chunks, struct waiting *waiting, uint32_t number, struct slice bytes)
{
    while (chunks->waiting_bytes + bytes.len > GELF_WAITING_BYTES_MAX && chunks->list[0] != waiting)
        give_up_oldest(chunks);
    size_t at = waiting->bytes.len;
    buffer_put(&waiting->bytes, bytes);
    if (buffer_failed(&waiting->bytes))
        return false;
    chunks->waiting_bytes += bytes.len;
    waiting->chunks[number].at = (uint32_t)at;
    waiting->chunks[number].len = (uint32_t)bytes.len;
    waiting->chunks[number].here = true;
    waiting->have++;
    return true;
}

/* SLICE_NONE when memory is out. */
static struct slice put_together(struct gelf_chunks *chunks, const struct waiting *waiting)
{
    buffer_clear(&chunks->whole);
    for (uint32_t i = 0; i < waiting->count; i++)
        buffer_put(&chunks->whole, slice_sub(buffer_slice(&waiting->bytes), waiting->chunks[i].at, waiting->chunks[i].len));
    return buffer_failed(&chunks->whole) ? SLICE_NONE : buffer_slice(&chunks->whole);
}

static enum gelf_datagram take_chunk(struct gelf_chunks *chunks, struct slice datagram, struct slice peer, int64_t now_ns,
                                     struct slice *message)
{
    uint32_t number = (unsigned char)datagram.ptr[10], count = (unsigned char)datagram.ptr[11];
    if (count == 0 || count > GELF_CHUNKS_MAX || number >= count)
        return GELF_BROKEN;
    uint64_t key = hash_bytes_seeded(slice_sub(datagram, 2, 8), hash_bytes_seeded(peer, hash_seed + count));
    uint32_t at = find_waiting(chunks, key);
    struct waiting *waiting = at < chunks->waiting_count ? chunks->list[at] : add_waiting(chunks, key, count, now_ns);
    if (waiting && waiting->chunks[number].here)
        return GELF_WAITS;
    bool kept = waiting && keep_chunk(chunks, waiting, number, slice_from(datagram, HEAD_BYTES));
    if (kept && waiting->have < waiting->count)
        return GELF_WAITS;
    *message = kept ? put_together(chunks, waiting) : SLICE_NONE;
    chunks->lost += !message->ptr;
    if (waiting)
        forget(chunks, find_waiting(chunks, key)); /* older ones may have gone: its place, too */
    return message->ptr ? GELF_MESSAGE : GELF_WAITS;
}

/* GELF_MESSAGE with the text that was packed, or with the bytes as they are. */
static void unpack(struct gelf_chunks *chunks, struct slice *message)
{
    static const struct {
        struct slice magic;
        enum inflate_kind kind;
    } packed[] = {
        {{"\x1f\x8b", 2}, INFLATE_GZIP},
        {{"\x78", 1}, INFLATE_DEFLATE},
        {{"\x28\xb5\x2f\xfd", 4}, INFLATE_ZSTD},
    };
    for (size_t i = 0; i < ARRAY_COUNT(packed); i++) {
        if (!slice_starts(*message, packed[i].magic))
            continue;
        buffer_clear(&chunks->unpacked);
        if (inflate_body(packed[i].kind, *message, GELF_UNPACKED_BYTES_MAX, HTTP_INFLATE_RATIO_MAX, &chunks->unpacked, NULL) == 0)
            *message = buffer_slice(&chunks->unpacked);
        return;
    }
}

enum gelf_datagram gelf_chunks_take(struct gelf_chunks *chunks, struct slice datagram, struct slice peer, int64_t now_ns,
                                    struct slice *message)
{
    gelf_chunks_expire(chunks, now_ns);
    *message = datagram;
    if (slice_starts(datagram, SLICE("\x1e\x0f"))) {
        if (datagram.len < HEAD_BYTES)
            return GELF_BROKEN;
        enum gelf_datagram result = take_chunk(chunks, datagram, peer, now_ns, message);
        if (result != GELF_MESSAGE)
            return result;
    }
    unpack(chunks, message);
    return GELF_MESSAGE;
}

uint64_t gelf_chunks_lost(const struct gelf_chunks *chunks)
{
    return chunks->lost;
}

uint32_t gelf_chunks_waiting(const struct gelf_chunks *chunks)
{
    return chunks->waiting_count;
}
