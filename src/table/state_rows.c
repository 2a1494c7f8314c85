#include "table/state_rows.h"

#include "base/hash.h"
#include "base/mem.h"

enum { EVICT_SAMPLE = 16, SLOTS_FIRST = 64, WALK_AHEAD = 16, CACHE_LINE = 64 };

static size_t row_bytes(size_t key_len, size_t cells_len)
{
    return offsetof(struct row, bytes) + key_len + cells_len;
}

static size_t varint_bytes(uint64_t n)
{
    size_t bytes = 1;
    while (n >>= 7)
        bytes++;
    return bytes;
}

static size_t saved_bytes(size_t key_len, size_t cells_len)
{
    return 8 + varint_bytes(key_len) + key_len + varint_bytes(cells_len) + cells_len;
}

static struct row *row_at(const struct rows *rows, const struct slot *slot)
{
    return slab_at(&rows->slab, slot->name);
}

void rows_close(struct rows *rows)
{
    slab_close(&rows->slab);
    mem_free(rows->slots);
    *rows = (struct rows){0};
}

uint64_t rows_hash(struct slice key)
{
    return hash_bytes_seeded(key, hash_seed);
}

void rows_prefetch(const struct rows *rows, uint64_t hash)
{
    if (rows->size)
        __builtin_prefetch(&rows->slots[(uint32_t)hash & (rows->size - 1)]);
}

/* The slot of the key, or the free one where it belongs. */
static struct slot *probe(const struct rows *rows, struct slice key, uint64_t hash)
{
    uint32_t tag = (uint32_t)hash;
    for (size_t at = tag & (rows->size - 1);; at = (at + 1) & (rows->size - 1)) {
        struct slot *slot = &rows->slots[at];
        if (!slot->name || (slot->hash == tag && slice_equal(row_key(row_at(rows, slot)), key)))
            return slot;
    }
}

static int resize(struct rows *rows, size_t size)
{
    struct slot *slots = mem_calloc(size, sizeof(*slots));
    if (!slots)
        return -1;
    for (size_t i = 0; i < rows->size; i++) {
        if (!rows->slots[i].name)
            continue;
        size_t at = rows->slots[i].hash & (size - 1);
        while (slots[at].name)
            at = (at + 1) & (size - 1);
        slots[at] = rows->slots[i];
    }
    mem_free(rows->slots);
    rows->slots = slots;
    rows->size = size;
    return 0;
}

static bool has_room(size_t size, size_t count)
{
    return count * 4 <= size * 3;
}

int rows_reserve(struct rows *rows, size_t count)
{
    size_t size = rows->size ? rows->size : SLOTS_FIRST;
    while (!has_room(size, count))
        size *= 2;
    return size > rows->size ? resize(rows, size) : 0;
}

/* Takes a slot out and closes the gap it leaves in its chain. */
static void remove_slot(struct rows *rows, size_t at)
{
    size_t mask = rows->size - 1, gap = at;
    rows->slots[gap] = (struct slot){0};
    for (size_t next = (gap + 1) & mask; rows->slots[next].name; next = (next + 1) & mask) {
        size_t home = rows->slots[next].hash & mask;
        if (((next - home) & mask) >= ((next - gap) & mask)) {
            rows->slots[gap] = rows->slots[next];
            rows->slots[next] = (struct slot){0};
            gap = next;
        }
    }
    rows->count--;
}

static void evict_one(struct rows *rows)
{
    size_t oldest = SIZE_MAX;
    int64_t oldest_ns = 0;
    for (int seen = 0; seen < EVICT_SAMPLE;) {
        size_t at = rows->sample++ & (rows->size - 1);
        if (!rows->slots[at].name)
            continue;
        int64_t touched_ns = row_at(rows, &rows->slots[at])->touched_ns;
        if (seen++ == 0 || touched_ns < oldest_ns) {
            oldest = at;
            oldest_ns = touched_ns;
        }
    }
    const struct row *row = row_at(rows, &rows->slots[oldest]);
    rows->saved_bytes -= saved_bytes(row->key_len, row->cells_len);
    slab_give(&rows->slab, rows->slots[oldest].name, row_bytes(row->key_len, row->cells_len));
    remove_slot(rows, oldest);
    rows->evicted++;
}

const struct row *rows_find(const struct rows *rows, struct slice key, uint64_t hash)
{
    const struct slot *slot = rows->size ? probe(rows, key, hash) : NULL;
    return slot && slot->name ? row_at(rows, slot) : NULL;
}

static int replace(struct rows *rows, struct slot *slot, int64_t touched_ns, struct slice cells)
{
    struct row *row = row_at(rows, slot);
    size_t had = row_bytes(row->key_len, row->cells_len), wants = row_bytes(row->key_len, cells.len);
    if (slab_room(had) != slab_room(wants)) {
        uint32_t name = slab_take(&rows->slab, wants);
        if (!name)
            return -1;
        struct row *moved = slab_at(&rows->slab, name);
        memcpy(moved, row, row_bytes(row->key_len, 0));
        slab_give(&rows->slab, slot->name, had);
        slot->name = name;
        row = moved;
    }
    rows->saved_bytes += saved_bytes(row->key_len, cells.len) - saved_bytes(row->key_len, row->cells_len);
    memcpy(row->bytes + row->key_len, cells.ptr, cells.len);
    row->cells_len = (uint32_t)cells.len;
    if (touched_ns > row->touched_ns)
        row->touched_ns = touched_ns;
    return 0;
}

int rows_put(struct rows *rows, struct slice key, uint64_t hash, int64_t touched_ns, struct slice cells,
             uint64_t entries_max)
{
    struct slot *slot = rows->size ? probe(rows, key, hash) : NULL;
    if (slot && slot->name)
        return replace(rows, slot, touched_ns, cells);
    uint32_t name = slab_take(&rows->slab, row_bytes(key.len, cells.len));
    if (!name)
        return -1;
    if (!has_room(rows->size, rows->count + 1) && resize(rows, rows->size ? rows->size * 2 : SLOTS_FIRST) < 0) {
        slab_give(&rows->slab, name, row_bytes(key.len, cells.len));
        return -1;
    }
    if (rows->count >= entries_max)
        evict_one(rows);
    struct row *row = slab_at(&rows->slab, name);
    row->touched_ns = touched_ns;
    row->cells_len = (uint32_t)cells.len;
    row->key_len = (uint16_t)key.len;
    memcpy(row->bytes, key.ptr, key.len);
    memcpy(row->bytes + key.len, cells.ptr, cells.len);
    *probe(rows, key, hash) = (struct slot){(uint32_t)hash, name};
    rows->count++;
    rows->saved_bytes += saved_bytes(key.len, cells.len);
    return 0;
}

/* What a walk comes to soon, wherever in memory it is. */
static void prefetch_row(const struct rows *rows, size_t at)
{
    if (at >= rows->size || !rows->slots[at].name)
        return;
    const char *row = (const char *)row_at(rows, &rows->slots[at]);
    __builtin_prefetch(row);
    __builtin_prefetch(row + CACHE_LINE); /* most rows are not longer; what lies behind a piece does no harm */
}

const struct row *rows_next(const struct rows *rows, size_t *at)
{
    while (*at < rows->size) {
        const struct slot *slot = &rows->slots[(*at)++];
        prefetch_row(rows, *at + WALK_AHEAD);
        if (slot->name)
            return row_at(rows, slot);
    }
    return NULL;
}

void rows_save(const struct rows *rows, struct buffer *to)
{
    const struct row *row;
    size_t at = 0;
    while ((row = rows_next(rows, &at))) {
        buffer_put_le64(to, (uint64_t)row->touched_ns);
        buffer_put_block(to, row_key(row));
        buffer_put_block(to, row_cells(row));
    }
}

bool cells_next(struct slice *cells, uint32_t *field, struct slice *cell)
{
    struct slice index;
    if (!slice_take(cells, 1, &index))
        return false;
    *field = (unsigned char)index.ptr[0];
    return slice_take_block(cells, cell);
}
