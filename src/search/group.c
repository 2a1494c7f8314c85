#include "search/group.h"

#include "search/group_cells.h"
#include "search/value_order.h"

enum { PREFETCH_AHEAD = 12 };

static uint64_t hash_number(uint64_t n)
{
    n = (n ^ hash_seed) * UINT64_C(0x9e3779b97f4a7c15); /* an odd factor: different numbers, different hashes */
    return n ^ (n >> 32);
}

static bool is_ip4(struct value v, uint32_t *ip)
{
    if (v.type != VALUE_IP || v.scale != 4)
        return false;
    *ip = ip4_number(v.ip);
    return true;
}

/* Addresses are told apart as numbers, without printing them; so is text that reads as one. */
static bool reads_as_ip4(struct value v, uint32_t *number)
{
    struct ip ip;
    if (v.type != VALUE_STRING || v.len < 7 || v.len > 15 || v.text[0] < '0' || v.text[0] > '9' ||
        !ip_parse(value_slice(v), &ip) || ip.family != 4)
        return false;
    *number = ip4_number(ip.bytes);
    return true;
}

uint64_t value_hash(struct value v)
{
    char small[VALUE_TEXT_SIZE];
    uint32_t ip;
    if (v.type == VALUE_TIME)
        return hash_number((uint64_t)v.i64);
    if (is_ip4(v, &ip) || reads_as_ip4(v, &ip))
        return hash_number(ip);
    return hash_bytes_seeded(value_text_small(v, small), hash_seed);
}

static bool same_value(struct value a, struct value b)
{
    if (a.type == VALUE_TIME || b.type == VALUE_TIME)
        return a.type == b.type && a.i64 == b.i64;
    return value_equal(a, b);
}

static int grow_table(struct intern *intern, struct arena *arena)
{
    uint32_t size = intern->table_size ? 2 * intern->table_size : 64;
    uint32_t *table = arena_array(arena, size, sizeof(*table));
    if (!table)
        return -1;
    for (uint32_t i = 0; i < intern->table_size; i++) {
        if (!intern->table[i])
            continue;
        uint32_t at = (uint32_t)intern->hashes[intern->table[i] - 1] & (size - 1);
        while (table[at])
            at = (at + 1) & (size - 1);
        table[at] = intern->table[i];
    }
    arena_give_back(arena, intern->table);
    intern->table = table;
    intern->table_size = size;
    return 0;
}

static int grow_values(struct intern *intern, struct arena *arena)
{
    uint32_t room = grown_room(intern->room);
    void *values = grown_array(arena, intern->values, intern->count * sizeof(struct value),
                               room * sizeof(struct value));
    if (!values)
        return -1;
    intern->values = values;
    intern->room = room;
    return 0;
}

/* Hashes up to room: addresses have none. */
static int grow_hashes(struct intern *intern, struct arena *arena)
{
    void *hashes = grown_array(arena, intern->hashes, intern->hash_room * sizeof(uint64_t),
                               intern->room * sizeof(uint64_t));
    if (!hashes)
        return -1;
    intern->hashes = hashes;
    intern->hash_room = intern->room;
    return 0;
}

static uint32_t intern_new(struct intern *intern, struct arena *arena, struct value v)
{
    if (intern->count == intern->room && grow_values(intern, arena) < 0)
        return GROUP_NONE;
    struct value copy = intern->borrows ? v : value_copy(v, arena);
    if (copy.type != v.type)
        return GROUP_NONE;
    intern->values[intern->count] = copy;
    return intern->count++;
}

static bool same_as_last(const struct intern *intern, struct value v)
{
    if (intern->last.type != v.type || intern->last_id == GROUP_NONE)
        return false;
    if (v.type == VALUE_I64 || v.type == VALUE_TIME)
        return v.i64 == intern->last.i64;
    return v.type == VALUE_STRING && v.len == intern->last.len &&
           (v.text == intern->last.text || memcmp(v.text, intern->last.text, v.len) == 0);
}

/* Of numbers and texts that read the same the most exact one is shown, whichever came first. */
static int exactness(struct value v)
{
    if (v.type == VALUE_I64)
        return 3;
    return v.type == VALUE_DECIMAL ? 2 : v.type == VALUE_F64 || v.type == VALUE_BOOL;
}

static int show_better(struct intern *intern, struct arena *arena, uint32_t id, struct value v)
{
    if (exactness(v) <= exactness(intern->values[id]))
        return 0;
    intern->values[id] = value_copy(v, arena);
    return intern->values[id].type == v.type ? 0 : -1;
}

static uint32_t intern_other(struct intern *intern, struct arena *arena, struct value v)
{
    if (2 * (intern->table_count + 1) > intern->table_size && grow_table(intern, arena) < 0)
        return GROUP_NONE;
    uint64_t hash = value_hash(v);
    uint32_t mask = intern->table_size - 1, at = (uint32_t)hash & mask;
    for (; intern->table[at]; at = (at + 1) & mask) {
        uint32_t id = intern->table[at] - 1;
        if (intern->hashes[id] == hash && same_value(intern->values[id], v)) {
            if (UNLIKELY(intern->values[id].type != v.type) && show_better(intern, arena, id, v) < 0)
                return GROUP_NONE;
            return id;
        }
    }
    uint32_t id = intern_new(intern, arena, v);
    if (id == GROUP_NONE || (id >= intern->hash_room && grow_hashes(intern, arena) < 0))
        return GROUP_NONE;
    intern->hashes[id] = hash;
    intern->table[at] = id + 1;
    intern->table_count++;
    return id;
}

/* ---- addresses ---- */

/* A slot is the address << 32 | number + 1: a search for one of many addresses, which none of the
 * caches hold, looks at one place in memory. */
static uint64_t *ip4_slot(uint64_t *table, uint32_t size, uint32_t ip)
{
    uint32_t at = (uint32_t)hash_number(ip) & (size - 1);
    while (table[at] && table[at] >> 32 != ip)
        at = (at + 1) & (size - 1);
    return &table[at];
}

/* Asks for the place in memory that the value will be looked for, some time before it is. Inlined:
 * GCC leaves out calls of a function that does nothing but this. */
__attribute__((always_inline)) static inline void prefetch_value(const struct intern *intern, struct value v)
{
    uint32_t ip;
    if (intern->ip4_size && is_ip4(v, &ip))
        __builtin_prefetch(&intern->ip4[(uint32_t)hash_number(ip) & (intern->ip4_size - 1)]);
}

static int grow_ip4(struct intern *intern, struct arena *arena)
{
    uint32_t size = intern->ip4_size ? 2 * intern->ip4_size : 64;
    uint64_t *table = arena_array(arena, size, sizeof(*table));
    if (!table)
        return -1;
    for (uint32_t i = 0; i < intern->ip4_size; i++)
        if (intern->ip4[i])
            *ip4_slot(table, size, (uint32_t)(intern->ip4[i] >> 32)) = intern->ip4[i];
    arena_give_back(arena, intern->ip4);
    intern->ip4 = table;
    intern->ip4_size = size;
    return 0;
}

static uint32_t intern_ip4(struct intern *intern, struct arena *arena, struct value v, uint32_t ip)
{
    if (2 * (intern->ip4_count + 1) > intern->ip4_size && grow_ip4(intern, arena) < 0)
        return GROUP_NONE;
    uint64_t *slot = ip4_slot(intern->ip4, intern->ip4_size, ip);
    if (*slot)
        return (uint32_t)*slot - 1;
    uint32_t id = intern_new(intern, arena, v);
    if (id == GROUP_NONE)
        return id;
    *slot = (uint64_t)ip << 32 | (id + 1);
    intern->ip4_count++;
    return id;
}

uint32_t intern_value(struct intern *intern, struct arena *arena, struct value v)
{
    uint32_t ip;
    if (is_ip4(v, &ip))
        return intern_ip4(intern, arena, v, ip);
    if (intern->count && same_as_last(intern, v))
        return intern->last_id;
    uint32_t id = reads_as_ip4(v, &ip) ? intern_ip4(intern, arena, v, ip)
                                       : intern_other(intern, arena, v);
    if (id == GROUP_NONE)
        return id;
    intern->last = intern->values[id];
    intern->last_id = id;
    return id;
}

/* ---- pairs of numbers ---- */

static uint32_t pair_place(uint64_t key)
{
    return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static struct pair_slot *pair_slot(struct pair_slot *slots, uint32_t size, uint64_t key)
{
    uint32_t at = pair_place(key) & (size - 1);
    while (slots[at].key && slots[at].key != key)
        at = (at + 1) & (size - 1);
    return &slots[at];
}

static uint64_t pair_key(uint32_t a, uint32_t b)
{
    return ((uint64_t)a << 32 | b) + 1;
}

static int grow_pairs(struct pair_table *table, struct arena *arena)
{
    uint32_t size = table->size ? 2 * table->size : 256;
    struct pair_slot *slots = arena_array(arena, size, sizeof(*slots));
    if (!slots)
        return -1;
    for (uint32_t i = 0; i < table->size; i++)
        if (table->slots[i].key)
            *pair_slot(slots, size, table->slots[i].key) = table->slots[i];
    arena_give_back(arena, table->slots);
    table->slots = slots;
    table->size = size;
    return 0;
}

static uint32_t pair_find(struct pair_table *table, struct arena *arena, uint32_t a, uint32_t b)
{
    uint64_t key = pair_key(a, b);
    if (key == table->last_key)
        return table->last_id;
    if (2 * (table->count + 1) > table->size && grow_pairs(table, arena) < 0)
        return GROUP_NONE;
    struct pair_slot *slot = pair_slot(table->slots, table->size, key);
    if (!slot->key)
        *slot = (struct pair_slot){key, table->count++};
    table->last_key = key;
    table->last_id = slot->id;
    return slot->id;
}

/* As prefetch_value, of a pair. */
__attribute__((always_inline)) static inline void
prefetch_pair(const struct pair_table *table, uint32_t a, uint32_t b)
{
    if (table->size)
        __builtin_prefetch(&table->slots[pair_place(pair_key(a, b)) & (table->size - 1)]);
}

static inline uint32_t pair_id(struct pair_table *table, struct arena *arena, uint32_t a,
                               uint32_t b)
{
    if ((a | b) >> PAIR_DIRECT_BITS)
        return pair_find(table, arena, a, b);
    if (UNLIKELY(!table->direct))
        table->direct = arena_array(arena, (size_t)1 << (2 * PAIR_DIRECT_BITS), sizeof(uint32_t));
    if (UNLIKELY(!table->direct))
        return GROUP_NONE;
    uint32_t *known = &table->direct[a << PAIR_DIRECT_BITS | b];
    if (UNLIKELY(!*known))
        *known = pair_find(table, arena, a, b) + 1; /* GROUP_NONE becomes 0: asked again */
    return *known - 1;
}

/* ---- rows ---- */

int grouper_init(struct grouper *grouper, struct arena *arena, const struct slice *fields,
                 size_t field_count, uint64_t nullable)
{
    *grouper = (struct grouper){
        .arena = arena, .fields = fields, .field_count = field_count, .nullable = nullable};
    grouper->keys = arena_array(arena, field_count + 1, sizeof(*grouper->keys));
    grouper->pairs = arena_array(arena, field_count + 1, sizeof(*grouper->pairs));
    grouper->tuple = arena_array(arena, field_count + 1, sizeof(*grouper->tuple));
    return grouper->keys && grouper->pairs && grouper->tuple ? 0 : -1;
}

bool grouper_takes_null(const struct grouper *grouper, size_t field)
{
    return field < 64 && (grouper->nullable >> field) & 1;
}

/* The group of a tuple of value numbers. */
static uint32_t group_of(struct grouper *grouper, const uint32_t *ids)
{
    uint32_t id = grouper->field_count ? ids[0] : 0;
    for (size_t i = 1; i < grouper->field_count; i++)
        if ((id = pair_id(&grouper->pairs[i], grouper->arena, id, ids[i])) == GROUP_NONE)
            return GROUP_NONE;
    if (LIKELY(id < grouper->count))
        return id;
    size_t width = grouper->field_count;
    while (id >= grouper->room) {
        uint32_t room = grown_room(grouper->room);
        void *groups =
            grown_array(grouper->arena, grouper->groups, grouper->room * width * sizeof(uint32_t),
                       room * (width + !width) * sizeof(uint32_t));
        if (!groups)
            return GROUP_NONE;
        grouper->groups = groups;
        grouper->room = room;
    }
    /* numbers of values and groups come one after the other, so none is skipped but for a lone
     * field, whose values are interned before the rows are walked (a missing one last of all) */
    for (uint32_t skipped = grouper->count; width == 1 && skipped < id; skipped++)
        grouper->groups[skipped] = skipped;
    if (width)
        memcpy(grouper->groups + id * width, ids, width * sizeof(uint32_t));
    grouper->count = id + 1;
    return id;
}

uint32_t grouper_find(struct grouper *grouper, const struct value *tuple)
{
    uint32_t *ids = grouper->tuple;
    for (size_t i = 0; i < grouper->field_count; i++)
        if ((ids[i] = intern_value(&grouper->keys[i], grouper->arena, tuple[i])) == GROUP_NONE)
            return GROUP_NONE;
    return group_of(grouper, ids);
}

/* The other's numbers of values as this one's. A lone field's values and groups go in step: those that
 * have no group stay out. */
static int map_values(struct grouper *grouper, const struct grouper *from, size_t field, uint32_t *map)
{
    struct intern *to = &grouper->keys[field];
    const struct intern *keys = &from->keys[field];
    uint32_t count = from->field_count == 1 ? from->count : keys->count;
    bool ready = true;
    to->borrows = true;
    for (uint32_t id = 0; ready && id < count; id++) {
        if (id + PREFETCH_AHEAD < count)
            prefetch_value(to, keys->values[id + PREFETCH_AHEAD]);
        map[id] = intern_value(to, grouper->arena, keys->values[id]);
        ready = map[id] != GROUP_NONE;
    }
    to->borrows = false;
    return ready ? 0 : -1;
}

uint32_t *grouper_merge(struct grouper *grouper, const struct grouper *from, struct arena *arena)
{
    size_t width = from->field_count;
    uint32_t *out = arena_alloc(arena, (from->count + 1U) * sizeof(*out));
    uint32_t **maps = arena_array(arena, width + 1, sizeof(*maps));
    bool ready = out && maps;
    for (size_t f = 0; ready && f < width; f++) {
        maps[f] = arena_alloc(arena, (from->keys[f].count + 1U) * sizeof(uint32_t));
        ready = maps[f] && map_values(grouper, from, f, maps[f]) == 0;
    }
    for (uint32_t g = 0; ready && g < from->count; g++) {
        uint32_t ahead = g + PREFETCH_AHEAD;
        for (size_t f = 0; f < width; f++)
            grouper->tuple[f] = maps[f][from->groups[g * width + f]];
        if (width == 2 && ahead < from->count)
            prefetch_pair(&grouper->pairs[1], maps[0][from->groups[2 * ahead]],
                          maps[1][from->groups[2 * ahead + 1]]);
        out[g] = group_of(grouper, grouper->tuple);
        ready = out[g] != GROUP_NONE;
    }
    return ready ? out : NULL;
}

static uint32_t intern_look(const struct intern *intern, struct value v)
{
    uint32_t ip, id = GROUP_NONE;
    if (is_ip4(v, &ip) || reads_as_ip4(v, &ip)) {
        uint64_t slot = intern->ip4_size ? *ip4_slot(intern->ip4, intern->ip4_size, ip) : 0;
        return slot ? (uint32_t)slot - 1 : GROUP_NONE;
    }
    if (!intern->table_size)
        return GROUP_NONE;
    uint64_t hash = value_hash(v);
    uint32_t mask = intern->table_size - 1, at = (uint32_t)hash & mask;
    for (; intern->table[at] && id == GROUP_NONE; at = (at + 1) & mask) {
        uint32_t known = intern->table[at] - 1;
        if (intern->hashes[known] == hash && same_value(intern->values[known], v))
            id = known;
    }
    return id;
}

static uint32_t pair_look(const struct pair_table *table, uint32_t a, uint32_t b)
{
    if (!table->size)
        return GROUP_NONE;
    const struct pair_slot *slot = pair_slot(table->slots, table->size, pair_key(a, b));
    return slot->key ? slot->id : GROUP_NONE;
}

/* As group_of for a group that there may be. */
static uint32_t group_known(const struct grouper *grouper, const uint32_t *ids)
{
    uint32_t id = grouper->field_count ? ids[0] : 0;
    for (size_t i = 1; i < grouper->field_count && id != GROUP_NONE; i++)
        id = ids[i] == GROUP_NONE ? GROUP_NONE : pair_look(&grouper->pairs[i], id, ids[i]);
    /* a lone field's value may be known from a row that counts elsewhere */
    return id < grouper->count ? id : GROUP_NONE;
}

uint32_t grouper_look(const struct grouper *grouper, const struct value *tuple)
{
    uint32_t *ids = grouper->tuple;
    for (size_t i = 0; i < grouper->field_count; i++)
        ids[i] = intern_look(&grouper->keys[i], tuple[i]);
    return group_known(grouper, ids);
}

static uint32_t max_code(const struct column *column)
{
    uint32_t most = 0;
    if (column->dict_count)
        return column->dict_count;
    for (uint32_t i = 0; i < column->count; i++)
        most = column->codes[i] > most ? column->codes[i] : most;
    return most + 1;
}

static int prepare_codes(struct intern *intern, struct arena *arena, const struct column *column)
{
    uint32_t codes = max_code(column);
    bool fresh = intern->epoch != column->dict_epoch || column->dict_epoch == 0;
    if (!fresh && codes <= intern->code_room)
        return 0;
    if (codes > intern->code_room) {
        uint32_t room = codes < 256 ? 256 : codes * 2;
        uint32_t *by_code = arena_array(arena, room, sizeof(*by_code));
        if (!by_code)
            return -1;
        intern->by_code = by_code;
        intern->code_room = room;
    }
    memset(intern->by_code, 0xff, intern->code_room * sizeof(*intern->by_code));
    intern->epoch = column->dict_epoch;
    return 0;
}

/* The number of a value for a row; GROUP_NONE and *failed when memory is out. */
static uint32_t row_id(struct grouper *grouper, struct intern *intern, struct value v, bool *failed)
{
    uint32_t id = grouper->frozen ? intern_look(intern, v)
                                  : intern_value(intern, grouper->arena, v);
    *failed |= id == GROUP_NONE && !grouper->frozen;
    return id;
}

/* Of the value of a code that is not known yet. */
__attribute__((always_inline)) static inline void
prefetch_code(const struct intern *intern, const struct column *column, uint32_t code)
{
    if (column->dict && intern->by_code[code] == GROUP_NONE)
        prefetch_value(intern, column->dict[code]);
}

static int ids_by_code(struct grouper *grouper, struct intern *intern, const struct column *column,
                       const struct frame *frame, uint32_t *ids)
{
    struct arena *arena = grouper->arena;
    bool failed = false;
    if (prepare_codes(intern, arena, column) < 0)
        return -1;
    bool all = frame_count(frame) == frame->batch->row_count;
    for (uint32_t i = 0; i < column->count; i++) {
        uint32_t row = column->rows[i], id = intern->by_code[column->codes[i]];
        if (i + PREFETCH_AHEAD < column->count)
            prefetch_code(intern, column, column->codes[i + PREFETCH_AHEAD]);
        if (!all && !bits_get(frame->selected, row))
            continue;
        if (UNLIKELY(id == GROUP_NONE)) {
            struct value v = column_value(column, i);
            if (v.type == VALUE_NULL)
                continue;
            id = row_id(grouper, intern, v, &failed);
            if (failed)
                return -1;
            intern->by_code[column->codes[i]] = id;
        }
        ids[row] = id;
    }
    return 0;
}

/* Codes pay only where each stands for several rows. */
static bool use_codes(const struct column *column)
{
    return column->codes && (column->dict || column->types_seen == 1U << VALUE_STRING);
}

static int ids_by_value(struct grouper *grouper, struct intern *intern, const struct column *column,
                        const struct frame *frame, uint32_t *ids)
{
    bool failed = false;
    for (uint32_t i = 0; i < column->count; i++) {
        uint32_t row = column->rows[i];
        struct value v = column_value(column, i);
        if (!bits_get(frame->selected, row) || v.type == VALUE_NULL)
            continue;
        ids[row] = row_id(grouper, intern, v, &failed);
        if (failed)
            return -1;
    }
    return 0;
}

/* Rows without a value get that of a missing one. In a frozen grouper those whose value is not known
 * have no number either: they stay so. */
static int null_ids(struct grouper *grouper, size_t field, const struct frame *frame, uint32_t *ids)
{
    struct intern *intern = &grouper->keys[field];
    const struct column *column = batch_find(frame->batch, grouper->fields[field]);
    uint32_t rows = frame->batch->row_count, none = GROUP_NONE;
    uint64_t *unknown =
        grouper->frozen ? arena_calloc(frame->batch->arena, bits_words(rows) * 8 + 8) : NULL;
    bool failed = grouper->frozen && !unknown;
    for (uint32_t i = 0; unknown && column && i < column->count; i++)
        if (column_value(column, i).type != VALUE_NULL)
            bits_set(unknown, column->rows[i]);
    for (uint32_t row = frame_next(frame, 0); !failed && row < rows; row = frame_next(frame, row + 1)) {
        if (ids[row] != GROUP_NONE || (unknown && bits_get(unknown, row)))
            continue;
        if (none == GROUP_NONE)
            none = row_id(grouper, intern, grouper->null_as, &failed);
        ids[row] = none;
    }
    return failed ? -1 : 0;
}

/* The number of each row's value, GROUP_NONE where it has none. */
static int key_ids(struct grouper *grouper, size_t field, const struct frame *frame, uint32_t *ids)
{
    struct intern *intern = &grouper->keys[field];
    const struct column *column = batch_find(frame->batch, grouper->fields[field]);
    uint32_t rows = frame->batch->row_count;
    memset(ids, 0xff, rows * sizeof(*ids));
    if (column &&
        (use_codes(column) ? ids_by_code(grouper, intern, column, frame, ids)
                           : ids_by_value(grouper, intern, column, frame, ids)) < 0)
        return -1;
    return grouper_takes_null(grouper, field) ? null_ids(grouper, field, frame, ids) : 0;
}

static int single_rows(struct grouper *grouper, const struct frame *frame, struct group_rows *out)
{
    size_t width = grouper->field_count;
    uint32_t rows = frame->batch->row_count;
    uint32_t *ids = arena_alloc(frame->batch->arena, ((size_t)rows * width + 1) * sizeof(*ids));
    if (!ids)
        return -1;
    for (size_t i = 0; i < width; i++)
        if (key_ids(grouper, i, frame, ids + i * rows) < 0)
            return -1;
    uint32_t tuple[64]; /* out of the loops: clearing it costs more than the rest */
    for (size_t word = 0; word < bits_words(rows); word++)
        for (uint64_t left = frame->selected[word]; left; left &= left - 1) {
            uint32_t row = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(left);
            if (width == 2 && row + PREFETCH_AHEAD < rows)
                prefetch_pair(&grouper->pairs[1], ids[row + PREFETCH_AHEAD],
                              ids[rows + row + PREFETCH_AHEAD]);
            bool whole = true;
            for (size_t i = 0; i < width; i++) {
                tuple[i] = ids[i * rows + row];
                whole &= tuple[i] != GROUP_NONE;
            }
            if (!whole)
                continue;
            uint32_t group = grouper->frozen ? group_known(grouper, tuple) : group_of(grouper, tuple);
            if (group == GROUP_NONE && !grouper->frozen)
                return -1;
            out->rows[out->count] = row;
            out->groups[out->count] = group;
            out->count += group != GROUP_NONE;
        }
    return 0;
}

/* Some field has several values in a row: one entry for each combination. */
static int multi_row(struct grouper *grouper, const struct frame *frame, uint32_t row, size_t field,
                     uint32_t *tuple, struct group_rows *out, uint32_t *room)
{
    if (field == grouper->field_count) {
        uint32_t group = grouper->frozen ? group_known(grouper, tuple) : group_of(grouper, tuple);
        if (group == GROUP_NONE)
            return grouper->frozen ? 0 : -1;
        if (out->count == *room) {
            struct arena *arena = frame->batch->arena;
            size_t old = *room * sizeof(uint32_t);
            out->rows = arena_grow(arena, out->rows, old, 2 * old);
            out->groups = arena_grow(arena, out->groups, old, 2 * old);
            *room *= 2;
        }
        if (!out->rows || !out->groups)
            return -1;
        out->rows[out->count] = row;
        out->groups[out->count++] = group;
        return 0;
    }
    const struct column *column = batch_find(frame->batch, grouper->fields[field]);
    uint32_t first = 0, count = column ? column_range(column, row, &first) : 0;
    bool some = false;
    for (uint32_t i = 0; i < count || (!some && grouper_takes_null(grouper, field)); i++) {
        struct value v = i < count ? column_value(column, first + i) : grouper->null_as;
        if (v.type == VALUE_NULL && i < count)
            continue;
        some = true;
        bool failed = false;
        tuple[field] = row_id(grouper, &grouper->keys[field], v, &failed);
        if (tuple[field] == GROUP_NONE && !failed)
            continue;
        if (failed ||
            multi_row(grouper, frame, row, field + 1, tuple, out, room) < 0)
            return -1;
    }
    return 0;
}

/* Of the only field's value, when its group is not known yet. */
__attribute__((always_inline)) static inline void
prefetch_cell(const struct intern *intern, const struct cells *cells, uint32_t cell)
{
    if (cell && cells->groups[cell] == GROUP_UNKNOWN)
        prefetch_value(intern, cells->columns[0]->dict[cell - 1]);
}

static int cell_rows(struct grouper *grouper, const struct frame *frame, struct cells *cells,
                     struct group_rows *out)
{
    bool failed = false;
    uint32_t rows = frame->batch->row_count;
    for (size_t word = 0; word < bits_words(rows); word++)
        for (uint64_t left = frame->selected[word]; left; left &= left - 1) {
            uint32_t row = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(left);
            if (grouper->field_count == 1 && row + PREFETCH_AHEAD < rows)
                prefetch_cell(&grouper->keys[0], cells, cells->of_row[row + PREFETCH_AHEAD]);
            out->rows[out->count] = row;
            out->groups[out->count] = cells_group(cells, grouper, cells->of_row[row], &failed);
            out->count += out->groups[out->count] != GROUP_NONE;
        }
    return failed ? -1 : 0;
}

static bool has_several(const struct grouper *grouper, const struct frame *frame)
{
    for (size_t i = 0; i < grouper->field_count; i++) {
        const struct column *column = batch_find(frame->batch, grouper->fields[i]);
        if (column && column->multi)
            return true;
    }
    return false;
}

int grouper_rows(struct grouper *grouper, const struct frame *frame, struct group_rows *out)
{
    uint32_t rows = frame->batch->row_count, room = rows + 1;
    struct arena *arena = frame->batch->arena;
    struct cells cells;
    *out = (struct group_rows){arena_alloc(arena, room * sizeof(uint32_t)),
                               arena_alloc(arena, room * sizeof(uint32_t)), 0};
    if (!out->rows || !out->groups || grouper->field_count > 64)
        return -1;
    if (has_several(grouper, frame)) {
        uint32_t tuple[64];
        for (uint32_t row = frame_next(frame, 0); row < rows; row = frame_next(frame, row + 1))
            if (multi_row(grouper, frame, row, 0, tuple, out, &room) < 0)
                return -1;
        return 0;
    }
    int fits = grouper->frozen ? 0 : cells_init(&cells, grouper, frame);
    if (fits < 0)
        return -1;
    return fits ? cell_rows(grouper, frame, &cells, out) : single_rows(grouper, frame, out);
}

int grouper_tally(struct grouper *grouper, const struct frame *frame, struct group_tally *out)
{
    struct cells cells;
    bool failed = false;
    int fits = grouper->field_count > 64 ? 0 : cells_init(&cells, grouper, frame);
    if (fits <= 0)
        return fits;
    size_t size = cells.count * sizeof(uint32_t);
    uint32_t *counts = arena_calloc(frame->batch->arena, size);
    *out = (struct group_tally){arena_alloc(frame->batch->arena, size), counts, 0};
    if (!counts || !out->groups)
        return -1;
    for (size_t word = 0; word < bits_words(frame->batch->row_count); word++)
        for (uint64_t left = frame->selected[word]; left; left &= left - 1)
            counts[cells.of_row[word * 64 + (size_t)__builtin_ctzll(left)]]++;
    for (uint32_t cell = 0; cell < cells.count; cell++) {
        if (grouper->field_count == 1 && cell + PREFETCH_AHEAD < cells.count)
            prefetch_value(&grouper->keys[0], cells.columns[0]->dict[cell + PREFETCH_AHEAD - 1]);
        uint32_t group =
            counts[cell] ? cells_group(&cells, grouper, cell, &failed) : GROUP_NONE;
        out->groups[out->count] = group;
        counts[out->count] = counts[cell];
        out->count += group != GROUP_NONE;
    }
    return failed ? -1 : 1;
}

struct value grouper_key(const struct grouper *grouper, uint32_t group, size_t field)
{
    return grouper->keys[field].values[grouper->groups[group * grouper->field_count + field]];
}

/* The rank of each group's value in one field, among those of the listed groups only. */
static int rank_field(const struct grouper *grouper, size_t field, const struct group_list *list,
                      struct arena *arena, uint32_t *rank)
{
    const struct intern *keys = &grouper->keys[field];
    uint32_t *index = arena_alloc(arena, (keys->count + 1U) * sizeof(*index)), used = 0;
    struct value *values = arena_alloc(arena, (list->count + 1U) * sizeof(*values));
    if (!index || !values)
        return -1;
    memset(index, 0xff, keys->count * sizeof(*index));
    for (uint32_t i = 0; i < list->count; i++) {
        uint32_t *at = &index[grouper->groups[list->groups[i] * grouper->field_count + field]];
        if (*at == UINT32_MAX) {
            *at = used;
            values[used++] = grouper_key(grouper, list->groups[i], field);
        }
    }
    const uint32_t *order = value_order(values, used, arena);
    uint32_t *rank_of = arena_alloc(arena, (used + 1U) * sizeof(*rank_of));
    if (!order || !rank_of)
        return -1;
    for (uint32_t i = 0; i < used; i++)
        rank_of[order[i]] = i;
    for (uint32_t i = 0; i < list->count; i++)
        rank[i] =
            rank_of[index[grouper->groups[list->groups[i] * grouper->field_count + field]]];
    return 0;
}

/* Counting sort: the order before is kept among equals. */
static int sort_by_rank(const uint32_t *rank, uint32_t count, struct arena *arena,
                        const uint32_t *from, uint32_t *to)
{
    uint32_t *starts = arena_calloc(arena, (count + 1U) * sizeof(*starts));
    if (!starts)
        return -1;
    for (uint32_t i = 0; i < count; i++)
        starts[rank[i] + 1]++;
    for (uint32_t i = 0; i < count; i++)
        starts[i + 1] += starts[i];
    for (uint32_t i = 0; i < count; i++)
        to[starts[rank[from[i]]]++] = from[i];
    return 0;
}

static const uint32_t *all_numbers(uint32_t count, struct arena *arena)
{
    uint32_t *numbers = arena_alloc(arena, (count + 1U) * sizeof(*numbers));
    for (uint32_t i = 0; numbers && i < count; i++)
        numbers[i] = i;
    return numbers;
}

/* By the only field: each group has a value of its own. */
static const uint32_t *sorted_by_value(const struct grouper *grouper, const struct group_list *list,
                                       struct arena *arena)
{
    struct value *values = arena_alloc(arena, (list->count + 1U) * sizeof(*values));
    uint32_t *groups = arena_alloc(arena, (list->count + 1U) * sizeof(*groups));
    for (uint32_t i = 0; values && i < list->count; i++)
        values[i] = grouper_key(grouper, list->groups[i], 0);
    const uint32_t *order = values && groups ? value_order(values, list->count, arena) : NULL;
    for (uint32_t i = 0; order && i < list->count; i++)
        groups[i] = list->groups[order[i]];
    return order ? groups : NULL;
}

const uint32_t *grouper_sorted(const struct grouper *grouper, const struct group_list *only,
                               struct arena *arena)
{
    struct group_list list = {NULL, grouper->count};
    if (only && only->groups)
        list = *only;
    else
        list.groups = all_numbers(grouper->count, arena);
    if (list.groups && grouper->field_count == 1)
        return sorted_by_value(grouper, &list, arena);
    size_t room = (list.count + 1U) * sizeof(uint32_t);
    const uint32_t *order = all_numbers(list.count, arena);
    uint32_t *rank = arena_alloc(arena, room), *sorted;
    if (!list.groups || !order || !rank)
        return NULL;
    for (size_t field = grouper->field_count; field-- > 0; order = sorted)
        if (!(sorted = arena_alloc(arena, room)) ||
            rank_field(grouper, field, &list, arena, rank) < 0 ||
            sort_by_rank(rank, list.count, arena, order, sorted) < 0)
            return NULL;
    uint32_t *groups = arena_alloc(arena, room);
    for (uint32_t i = 0; groups && i < list.count; i++)
        groups[i] = list.groups[order[i]];
    return groups;
}
