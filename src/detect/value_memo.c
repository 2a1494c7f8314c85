#include "detect/value_memo.h"

#include "base/mem.h"

/* Of so many values at least half must have been known, else the column is left alone for a while: what
 * is not known is looked up and written down in vain, and that costs as much as a short text's tests. */
enum { TRIAL = 4096, REST = 16 * TRIAL };

struct memo_slot {
    struct memo_entry *entry;
    uint64_t hash; /* of it: others are passed by without being looked at */
};

enum { RECENT = 8 };

struct memo_column {
    struct memo_entry *recent[RECENT]; /* of the last values, by a glance at them: the table is rarely in the
                                        * processor's cache, these are */
    struct memo_slot *table; /* open addressing, half full at most */
    uint32_t count, mask;
    uint32_t asked, known; /* in this trial */
    uint32_t rest;         /* values until the next one */
};

struct value_memo {
    struct arena *arena;
    struct memo_column *columns;
    uint32_t column_count;
    struct memo_stats stats;
    size_t bytes_max;
    bool always, full;
};

struct value_memo *value_memo_new(uint32_t column_count, size_t bytes_max, bool always)
{
    struct value_memo *memo = mem_calloc(1, sizeof(*memo));
    if (!memo)
        return NULL;
    memo->column_count = column_count;
    memo->bytes_max = bytes_max;
    memo->always = always;
    memo->columns = mem_calloc(column_count + 1UL, sizeof(*memo->columns));
    memo->arena = arena_new(2 * bytes_max);
    if (memo->columns && memo->arena)
        return memo;
    value_memo_free(memo);
    return NULL;
}

void value_memo_free(struct value_memo *memo)
{
    if (!memo)
        return;
    arena_free(memo->arena);
    mem_free(memo->columns);
    mem_free(memo);
}

bool value_memo_full(const struct value_memo *memo)
{
    return memo->full;
}

void value_memo_forget(struct value_memo *memo)
{
    arena_reset(memo->arena);
    for (uint32_t i = 0; i < memo->column_count; i++) {
        memset(memo->columns[i].recent, 0, sizeof(memo->columns[i].recent));
        memo->columns[i].table = NULL;
        memo->columns[i].count = memo->columns[i].mask = 0;
    }
    memo->full = false;
}

struct memo_stats value_memo_stats(const struct value_memo *memo)
{
    struct memo_stats stats = memo->stats;
    stats.bytes = arena_used(memo->arena);
    return stats;
}

/* The bytes that tell values of one type apart. */
static struct slice key_of(const struct value *v)
{
    if (v->type == VALUE_STRING)
        return v->text ? value_slice(*v) : SLICE("");
    if (v->type == VALUE_IP)
        return slice_of(v->ip, 16);
    if (v->type == VALUE_DECIMAL)
        return slice_of(v->decimal, sizeof(*v->decimal));
    return slice_of(&v->i64, sizeof(v->i64));
}

static bool is_entry_of(const struct memo_entry *entry, const struct value *v, struct slice key)
{
    return entry->type == v->type &&
           (entry->scale == v->scale || v->type == VALUE_STRING) && slice_equal_short(entry->key, key);
}

static struct memo_entry *find(const struct memo_column *column, const struct value *v, struct slice key,
                               uint64_t hash)
{
    for (uint32_t at = (uint32_t)hash & column->mask; column->table && column->table[at].entry;
         at = (at + 1) & column->mask)
        if (column->table[at].hash == hash && is_entry_of(column->table[at].entry, v, key))
            return column->table[at].entry;
    return NULL;
}

static void put_slot(struct memo_slot *table, uint32_t mask, struct memo_slot slot)
{
    uint32_t at = (uint32_t)slot.hash & mask;
    while (table[at].entry)
        at = (at + 1) & mask;
    table[at] = slot;
}

static bool grow(struct value_memo *memo, struct memo_column *column)
{
    uint32_t size = column->table ? 2 * (column->mask + 1) : 16;
    struct memo_slot *table = arena_array(memo->arena, size, sizeof(*table));
    if (!table)
        return false;
    for (uint32_t i = 0; column->table && i <= column->mask; i++)
        if (column->table[i].entry)
            put_slot(table, size - 1, column->table[i]);
    column->table = table;
    column->mask = size - 1;
    return true;
}

static bool has_room(struct value_memo *memo, struct memo_column *column, size_t bytes)
{
    if (memo->full || arena_used(memo->arena) + bytes > memo->bytes_max)
        return false;
    return (column->table && column->count * 2 <= column->mask) || grow(memo, column);
}

static struct memo_entry *make_entry(struct arena *arena, const hit *hits, uint32_t count)
{
    struct memo_entry *entry = arena_calloc(arena, sizeof(*entry));
    hit *room = arena_alloc(arena, (count + 1U) * sizeof(hit));
    if (!entry || !room)
        return NULL;
    if (count)
        memcpy(room, hits, count * sizeof(hit));
    entry->hits = room;
    entry->count = count;
    entry->size = count + 1;
    return entry;
}

struct memo_entry *value_memo_put(struct value_memo *memo, uint32_t number, const struct value *v,
                                  const struct memo_lookup *lookup, const hit *hits, uint32_t count,
                                  struct arena *scratch)
{
    struct memo_column *column = &memo->columns[number];
    size_t bytes = sizeof(struct memo_entry) + lookup->key.len + count * sizeof(hit) + 64;
    if (!lookup->worth)
        return make_entry(scratch, hits, count);
    struct memo_entry *entry =
        has_room(memo, column, bytes) ? make_entry(memo->arena, hits, count) : NULL;
    struct slice copy = entry ? arena_copy(memo->arena, lookup->key) : SLICE_NONE;
    if (!copy.ptr) {
        memo->full = true;
        return make_entry(scratch, hits, count);
    }
    entry->key = copy;
    entry->type = v->type;
    entry->scale = v->scale;
    put_slot(column->table, column->mask, (struct memo_slot){entry, lookup->hash});
    column->count++;
    return entry;
}

/* Whether values of this column are worth looking up. */
static bool is_worth(struct memo_column *column)
{
    if (column->rest) {
        column->rest--;
        return false;
    }
    if (++column->asked < TRIAL)
        return true;
    if (column->known < TRIAL / 2)
        column->rest = REST;
    column->asked = column->known = 0;
    return true;
}

static struct memo_entry **recent_of(struct memo_column *column, struct slice key)
{
    unsigned glance = (unsigned)key.len;
    if (key.len)
        glance += (unsigned char)key.ptr[key.len - 1] + 3U * (unsigned char)key.ptr[key.len / 2];
    return &column->recent[glance % RECENT];
}

struct memo_entry *value_memo_find(struct value_memo *memo, uint32_t number, const struct value *v,
                                   struct memo_lookup *lookup)
{
    struct memo_column *column = &memo->columns[number];
    struct slice key = key_of(v);
    memo->stats.asked++;
    *lookup = (struct memo_lookup){.key = key};
    if (key.len > MATCH_MEMO_VALUE_MAX || !(memo->always || is_worth(column)))
        return NULL;
    lookup->worth = true;
    struct memo_entry **recent = recent_of(column, key), *entry = *recent;
    if (!entry || !is_entry_of(entry, v, key)) {
        lookup->hash = hash_bytes_seeded(key, hash_seed) + v->type;
        entry = find(column, v, key, lookup->hash);
        if (!entry)
            return NULL;
        *recent = entry;
    }
    memo->stats.known++;
    column->known++;
    return entry;
}

void value_memo_learn(struct value_memo *memo, struct memo_entry *entry, hit answer)
{
    for (uint32_t i = 0; i < entry->count; i++)
        if (entry->hits[i] >> ANSWER_BITS == answer >> ANSWER_BITS) {
            entry->hits[i] = answer;
            return;
        }
    if (entry->count == entry->size) {
        hit *room = entry->key.ptr && !memo->full
                        ? arena_alloc(memo->arena, 2UL * entry->size * sizeof(hit)) : NULL;
        if (!room)
            return;
        memcpy(room, entry->hits, entry->count * sizeof(hit));
        entry->hits = room;
        entry->size *= 2;
    }
    entry->hits[entry->count++] = answer;
}
