#include "table/state.h"

#include "base/hash.h"
#include "base/mem.h"
#include "table/state_define.h"

#include <assert.h>

enum { EVICT_SAMPLE = 16, SLOTS_FIRST = 64, TEXT_MAX = 1024, SNAPSHOT_VERSION = 1 };

struct window {
    int64_t start[STATE_BUCKETS]; /* of each bucket's span; INT64_MIN = unused */
    uint64_t count[STATE_BUCKETS];
    struct decimal_sum sum[STATE_BUCKETS];
};

/* What a row keeps of one field. */
struct cell {
    struct value latest; /* text and coefficients in own memory */
    int64_t time_ns;     /* of latest; or first or last seen */
    bool set;
    char *text;          /* owned by latest */
    int128 coefficient;
    struct window *window;
};

struct entry {
    char *key; /* NULL: free slot */
    size_t key_len;
    uint64_t hash;
    int64_t touched_ns;
    struct cell cells[];
};

struct table {
    struct entry **slots; /* open addressing */
    size_t size, count;
    uint64_t evicted;
};

struct state {
    const struct state_definitions *definitions;
    struct table *tables;
    uint64_t sample; /* walks on, for eviction */
};

/* ---- rows ---- */

static void cell_clear(struct cell *cell)
{
    mem_free(cell->text);
    mem_free(cell->window);
    *cell = (struct cell){0};
}

static void entry_free(struct entry *entry, uint32_t fields)
{
    for (uint32_t i = 0; entry && i < fields; i++)
        cell_clear(&entry->cells[i]);
    if (entry)
        mem_free(entry->key);
    mem_free(entry);
}

struct state *state_new(const struct state_definitions *definitions)
{
    struct state *state = mem_calloc(1, sizeof(*state));
    if (!state)
        return NULL;
    state->definitions = definitions;
    state->tables = mem_calloc(definitions->table_count + 1U, sizeof(*state->tables));
    if (!state->tables) {
        mem_free(state);
        return NULL;
    }
    return state;
}

void state_free(struct state *state)
{
    if (!state)
        return;
    for (uint32_t t = 0; t < state->definitions->table_count; t++) {
        struct table *table = &state->tables[t];
        for (size_t i = 0; i < table->size; i++)
            entry_free(table->slots[i], state->definitions->tables[t].field_count);
        mem_free(table->slots);
    }
    mem_free(state->tables);
    mem_free(state);
}

static struct entry **probe(struct entry **slots, size_t size, struct slice key, uint64_t hash)
{
    for (size_t at = hash & (size - 1);; at = (at + 1) & (size - 1)) {
        struct entry *entry = slots[at];
        if (!entry ||
            (entry->hash == hash && slice_equal(slice_of(entry->key, entry->key_len), key)))
            return &slots[at];
    }
}

static struct entry *find(const struct table *table, struct slice key)
{
    return table->size ? *probe(table->slots, table->size, key, hash_bytes(key)) : NULL;
}

/* Takes an entry out and closes the gap it leaves in its chain. */
static void remove_slot(struct table *table, size_t at)
{
    size_t mask = table->size - 1, gap = at;
    table->slots[gap] = NULL;
    for (size_t next = (gap + 1) & mask; table->slots[next]; next = (next + 1) & mask) {
        size_t home = table->slots[next]->hash & mask;
        if (((next - home) & mask) >= ((next - gap) & mask)) {
            table->slots[gap] = table->slots[next];
            table->slots[next] = NULL;
            gap = next;
        }
    }
    table->count--;
}

static void evict_one(struct state *state, uint32_t t)
{
    struct table *table = &state->tables[t];
    size_t oldest = SIZE_MAX;
    for (int seen = 0; seen < EVICT_SAMPLE;) {
        size_t at = state->sample++ & (table->size - 1);
        if (!table->slots[at])
            continue;
        seen++;
        if (oldest == SIZE_MAX || table->slots[at]->touched_ns < table->slots[oldest]->touched_ns)
            oldest = at;
    }
    entry_free(table->slots[oldest], state->definitions->tables[t].field_count);
    remove_slot(table, oldest);
    table->evicted++;
}

static int grow(struct table *table)
{
    size_t size = table->size ? table->size * 2 : SLOTS_FIRST;
    struct entry **slots = mem_calloc(size, sizeof(struct entry *));
    if (!slots)
        return -1;
    for (size_t i = 0; i < table->size; i++)
        if (table->slots[i]) {
            struct entry *entry = table->slots[i];
            *probe(slots, size, slice_of(entry->key, entry->key_len), entry->hash) = entry;
        }
    mem_free(table->slots);
    table->slots = slots;
    table->size = size;
    return 0;
}

static struct entry *find_or_add(struct state *state, uint32_t t, struct slice key)
{
    struct table *table = &state->tables[t];
    const struct state_table_definition *definition = &state->definitions->tables[t];
    struct entry *entry = find(table, key);
    if (entry)
        return entry;
    if (table->count >= definition->entries_max)
        evict_one(state, t);
    if (table->count * 4 >= table->size * 3 && grow(table) < 0)
        return NULL;
    entry = mem_calloc(1, sizeof(*entry) + definition->field_count * sizeof(entry->cells[0]));
    if (!entry)
        return NULL;
    entry->key = mem_strdup(key.ptr, key.len);
    entry->key_len = key.len;
    entry->hash = hash_bytes(key);
    if (!entry->key) {
        mem_free(entry);
        return NULL;
    }
    *probe(table->slots, table->size, key, entry->hash) = entry;
    table->count++;
    return entry;
}

/* ---- cells ---- */

static int set_latest(struct cell *cell, struct value v, int64_t time_ns)
{
    if (cell->set && time_ns < cell->time_ns)
        return 0; /* a late event: something newer is known */
    char *text = NULL;
    struct value kept = v;
    if (v.type == VALUE_STRING) {
        struct slice cut = slice_sub(value_slice(v), 0, TEXT_MAX);
        text = mem_strdup(cut.ptr, cut.len);
        if (!text)
            return -1;
        kept = value_string(slice_of(text, cut.len));
    } else if (v.type == VALUE_DECIMAL) {
        cell->coefficient = *v.decimal;
        kept.decimal = &cell->coefficient;
    } else if (v.type == VALUE_IP) {
        char small[VALUE_TEXT_SIZE];
        struct slice shown = value_text_small(v, small);
        text = mem_strdup(shown.ptr, shown.len);
        if (!text)
            return -1;
        kept = value_string(slice_of(text, shown.len));
    }
    mem_free(cell->text);
    cell->text = text;
    cell->latest = kept;
    cell->time_ns = time_ns;
    cell->set = true;
    return 0;
}

static int64_t bucket_span(const struct state_field *field)
{
    return field->window_ns / (STATE_BUCKETS - 1) + 1; /* one bucket more than the window: see header */
}

/* The bucket of a time; a slot that held an older span is emptied. NULL when it is too late. */
static ptrdiff_t bucket_at(struct window *window, int64_t span, int64_t time_ns)
{
    int64_t start = time_ns - ((time_ns % span) + span) % span;
    size_t at = (size_t)(((start / span) % STATE_BUCKETS + STATE_BUCKETS) % STATE_BUCKETS);
    if (window->start[at] == start)
        return (ptrdiff_t)at;
    if (window->start[at] > start)
        return -1;
    window->start[at] = start;
    window->count[at] = 0;
    window->sum[at] = (struct decimal_sum){0};
    return (ptrdiff_t)at;
}

static struct window *window_of(struct cell *cell)
{
    if (!cell->window) {
        cell->window = mem_calloc(1, sizeof(*cell->window));
        for (int i = 0; cell->window && i < STATE_BUCKETS; i++)
            cell->window->start[i] = INT64_MIN;
    }
    return cell->window;
}

static bool exact(struct value number, struct decimal *out)
{
    if (number.type == VALUE_I64)
        *out = decimal_from_i64(number.i64);
    else if (number.type == VALUE_DECIMAL)
        *out = value_get_decimal(number);
    else
        return false;
    return true;
}

static int add_to_window(struct cell *cell, const struct state_field *field, struct value v,
                         int64_t time_ns, struct arena *scratch)
{
    struct value number;
    struct decimal amount;
    if (!value_to_number(v, scratch, &number) || !exact(number, &amount))
        return 0;
    struct window *window = window_of(cell);
    if (!window)
        return -1;
    ptrdiff_t at = bucket_at(window, bucket_span(field), time_ns);
    if (at < 0)
        return 0;
    window->count[at]++;
    decimal_sum_add(&window->sum[at], amount);
    cell->set = true;
    return 0;
}

static int put(struct cell *cell, const struct state_field *field, struct value v, int64_t time_ns,
               struct arena *scratch)
{
    switch (field->kind) {
    case KEEP_LATEST:
        return set_latest(cell, v, time_ns);
    case KEEP_FIRST_SEEN:
        if (!cell->set || time_ns < cell->time_ns)
            cell->time_ns = time_ns;
        cell->set = true;
        return 0;
    case KEEP_LAST_SEEN:
        if (!cell->set || time_ns > cell->time_ns)
            cell->time_ns = time_ns;
        cell->set = true;
        return 0;
    case KEEP_COUNT:
    case KEEP_SUM:
    case KEEP_MEAN:
        return add_to_window(cell, field, v, time_ns, scratch);
    }
    return 0;
}

/* ---- events in ---- */

int state_select(const struct state_definitions *definitions, struct expr_scope *scope,
                 const struct batch *batch, struct state_feed_rows *out, struct err *err)
{
    size_t bytes = bits_words(batch->row_count) * 8 + 8;
    out->rows = arena_array(scope->scratch, definitions->feed_count + 1U, sizeof(uint64_t *));
    out->any = arena_calloc(scope->scratch, bytes);
    if (!out->rows || !out->any)
        return err_nomem(err);
    for (uint32_t i = 0; i < definitions->feed_count; i++) {
        out->rows[i] = arena_calloc(scope->scratch, bytes);
        if (!out->rows[i])
            return err_nomem(err);
        if (expr_filter(definitions->feeds[i].when, scope, batch, NULL, out->rows[i], err) < 0)
            return -1;
        bits_or(out->any, out->rows[i], batch->row_count);
    }
    return 0;
}

static int observe_key(struct state *state, const struct state_feed *feed, struct slice key,
                       struct expr_scope *scope, const struct batch *batch, uint32_t row,
                       int64_t time_ns, struct err *err)
{
    const struct state_table_definition *definition = &state->definitions->tables[feed->table];
    struct entry *entry = find_or_add(state, feed->table, slice_sub(key, 0, STATE_KEY_BYTES_MAX));
    if (!entry)
        return err_nomem(err);
    entry->touched_ns = time_ns;
    for (uint32_t f = 0; f < definition->field_count; f++) {
        struct value_list list;
        if (!feed->values[f])
            continue;
        if (expr_eval(feed->values[f], scope, batch, row, &list, err) < 0)
            return -1;
        if (list.count && put(&entry->cells[f], &definition->fields[f], list.values[0], time_ns,
                              scope->scratch) < 0)
            return err_nomem(err);
    }
    return 0;
}

int state_observe(struct state *state, struct expr_scope *scope, const struct batch *batch,
                  uint32_t row, int64_t time_ns, const struct state_feed_rows *selected,
                  struct err *err)
{
    for (uint32_t i = 0; i < state->definitions->feed_count; i++) {
        const struct state_feed *feed = &state->definitions->feeds[i];
        struct value_list keys;
        if (!bits_get(selected->rows[i], row))
            continue;
        if (expr_eval(feed->key, scope, batch, row, &keys, err) < 0)
            return -1;
        for (uint32_t k = 0; k < keys.count; k++) {
            char small[VALUE_TEXT_SIZE];
            if (observe_key(state, feed, value_text_small(keys.values[k], small), scope, batch, row,
                            time_ns, err) < 0)
                return -1;
        }
    }
    return 0;
}

/* ---- reading ---- */

static bool read_window(const struct cell *cell, const struct state_field *field, int64_t now_ns,
                        struct arena *scratch, struct value *out)
{
    struct decimal_sum sum = {0};
    struct decimal total;
    uint64_t count = 0;
    int64_t oldest = now_ns - field->window_ns - bucket_span(field);
    for (int i = 0; i < STATE_BUCKETS; i++)
        if (cell->window->start[i] > oldest && cell->window->start[i] <= now_ns) {
            decimal_sum_merge(&sum, &cell->window->sum[i]);
            count += cell->window->count[i];
        }
    if (field->kind == KEEP_COUNT) {
        *out = value_i64((int64_t)count);
        return true;
    }
    if (count == 0 || !decimal_sum_total(&sum, &total))
        return false;
    total = decimal_trim(total);
    *out = value_decimal(total, scratch);
    if (field->kind == KEEP_MEAN)
        *out = value_f64(decimal_to_f64(total) / (double)count);
    return out->type != VALUE_NULL;
}

static bool read_cell(const struct cell *cell, const struct state_field *field, int64_t now_ns,
                      struct arena *scratch, struct value *out)
{
    if (!cell->set)
        return false;
    switch (field->kind) {
    case KEEP_LATEST:
        *out = value_copy(cell->latest, scratch);
        return out->type != VALUE_NULL;
    case KEEP_FIRST_SEEN:
    case KEEP_LAST_SEEN:
        return value_to_number(value_time(cell->time_ns), scratch, out);
    case KEEP_COUNT:
    case KEEP_SUM:
    case KEEP_MEAN:
        return read_window(cell, field, now_ns, scratch, out);
    }
    return false;
}

static ptrdiff_t table_index(const struct state *state, struct slice name)
{
    for (uint32_t t = 0; t < state->definitions->table_count; t++)
        if (slice_equal(state->definitions->tables[t].name, name))
            return t;
    return -1;
}

bool state_read(void *context, struct slice table, struct slice key, struct slice field,
                int64_t now_ns, struct arena *scratch, struct value *out)
{
    const struct state *state = context;
    ptrdiff_t t = table_index(state, table);
    const struct entry *entry =
        t < 0 ? NULL : find(&state->tables[t], slice_sub(key, 0, STATE_KEY_BYTES_MAX));
    if (!entry)
        return false;
    const struct state_table_definition *definition = &state->definitions->tables[t];
    for (uint32_t f = 0; f < definition->field_count; f++)
        if (slice_equal(definition->fields[f].name, field))
            return read_cell(&entry->cells[f], &definition->fields[f], now_ns, scratch, out);
    return false;
}

void state_walk(const struct state *state, struct slice table,
                bool (*visit)(void *context, struct slice key), void *context)
{
    ptrdiff_t t = table_index(state, table);
    for (size_t i = 0; t >= 0 && i < state->tables[t].size; i++) {
        const struct entry *entry = state->tables[t].slots[i];
        if (entry && !visit(context, slice_of(entry->key, entry->key_len)))
            return;
    }
}

struct state_stats state_stats(const struct state *state)
{
    struct state_stats stats = {0};
    for (uint32_t t = 0; t < state->definitions->table_count; t++) {
        stats.keys += state->tables[t].count;
        stats.evicted += state->tables[t].evicted;
    }
    return stats;
}

/* ---- snapshots: version, then per row: table, key, fields by name; an empty table name ends ---- */

static void save_window(const struct window *window, struct buffer *to)
{
    for (int i = 0; i < STATE_BUCKETS; i++) {
        buffer_put_le64(to, (uint64_t)window->start[i]);
        buffer_put_le64(to, window->count[i]);
        for (int w = 0; w < 4; w++)
            buffer_put_le64(to, window->sum[i].word[w]);
        buffer_put_char(to, (char)window->sum[i].scale);
    }
}

static void save_cell(const struct cell *cell, const struct state_field *field, struct buffer *to)
{
    char small[VALUE_TEXT_SIZE];
    buffer_put_le64(to, (uint64_t)cell->time_ns);
    buffer_put_char(to, (char)field->kind);
    if (field->kind == KEEP_LATEST) {
        buffer_put_char(to, (char)cell->latest.type);
        buffer_put_block(to, value_text_small(cell->latest, small));
    } else if (field->kind >= KEEP_COUNT) {
        save_window(cell->window, to);
    }
}

void state_save(const struct state *state, struct buffer *to)
{
    buffer_put_varint(to, SNAPSHOT_VERSION);
    for (uint32_t t = 0; t < state->definitions->table_count; t++) {
        const struct state_table_definition *definition = &state->definitions->tables[t];
        for (size_t i = 0; i < state->tables[t].size; i++) {
            const struct entry *entry = state->tables[t].slots[i];
            if (!entry)
                continue;
            buffer_put_block(to, definition->name);
            buffer_put_block(to, slice_of(entry->key, entry->key_len));
            buffer_put_le64(to, (uint64_t)entry->touched_ns);
            for (uint32_t f = 0; f < definition->field_count; f++)
                if (entry->cells[f].set) {
                    buffer_put_block(to, definition->fields[f].name);
                    save_cell(&entry->cells[f], &definition->fields[f], to);
                }
            buffer_put_block(to, SLICE(""));
        }
    }
    buffer_put_block(to, SLICE(""));
}

static bool load_window(struct slice *from, struct window *window)
{
    for (int i = 0; i < STATE_BUCKETS; i++) {
        uint64_t start;
        struct slice scale;
        if (!slice_take_le64(from, &start) || !slice_take_le64(from, &window->count[i]))
            return false;
        window->start[i] = (int64_t)start;
        for (int w = 0; w < 4; w++)
            if (!slice_take_le64(from, &window->sum[i].word[w]))
                return false;
        if (!slice_take(from, 1, &scale) || (unsigned char)scale.ptr[0] > DECIMAL_DIGITS_MAX)
            return false;
        window->sum[i].scale = (uint8_t)scale.ptr[0];
    }
    return true;
}

static bool load_latest(struct slice *from, struct cell *cell, int64_t time_ns, struct arena *scratch)
{
    struct slice type, text;
    if (!slice_take(from, 1, &type) || !slice_take_block(from, &text))
        return false;
    struct value v = value_string(text);
    if (type.ptr[0] == VALUE_I64 || type.ptr[0] == VALUE_DECIMAL)
        v = value_from_number_text(text, scratch);
    return !cell || set_latest(cell, v, time_ns) == 0;
}

/* cell NULL: the field is no longer kept; its bytes are passed over. */
static bool load_cell(struct slice *from, const struct state_field *field, struct cell *cell,
                      struct arena *scratch)
{
    uint64_t time_ns;
    struct slice kind;
    struct window window;
    if (!slice_take_le64(from, &time_ns) || !slice_take(from, 1, &kind))
        return false;
    if (cell && (enum keep_kind)kind.ptr[0] != field->kind)
        cell = NULL;
    if (kind.ptr[0] == KEEP_LATEST)
        return load_latest(from, cell, (int64_t)time_ns, scratch);
    if (kind.ptr[0] >= KEEP_COUNT) {
        if (!load_window(from, &window))
            return false;
        if (cell && !window_of(cell))
            return false;
        if (cell)
            *cell->window = window;
    }
    if (cell) {
        cell->time_ns = (int64_t)time_ns;
        cell->set = true;
    }
    return true;
}

static const struct state_field *field_named(const struct state_table_definition *definition,
                                             struct slice name, uint32_t *index)
{
    for (*index = 0; definition && *index < definition->field_count; ++*index)
        if (slice_equal(definition->fields[*index].name, name))
            return &definition->fields[*index];
    return NULL;
}

static bool load_entry(struct state *state, struct slice table, struct slice *from,
                       struct arena *scratch)
{
    struct slice key, name;
    uint64_t touched;
    ptrdiff_t t = table_index(state, table);
    if (!slice_take_block(from, &key) || !slice_take_le64(from, &touched))
        return false;
    const struct state_table_definition *definition =
        t < 0 ? NULL : &state->definitions->tables[t];
    struct entry *entry = definition ? find_or_add(state, (uint32_t)t, key) : NULL;
    if (entry)
        entry->touched_ns = (int64_t)touched;
    while (slice_take_block(from, &name)) {
        uint32_t index;
        if (name.len == 0)
            return true;
        const struct state_field *field = field_named(definition, name, &index);
        if (!load_cell(from, field, entry && field ? &entry->cells[index] : NULL, scratch))
            return false;
    }
    return false;
}

int state_load(struct state *state, struct slice bytes, struct err *err)
{
    uint64_t version;
    struct slice table;
    struct arena *scratch = arena_new(64 * MIB);
    if (!scratch)
        return err_nomem(err);
    bool ok = slice_take_varint(&bytes, &version) && version == SNAPSHOT_VERSION;
    while (ok && (ok = slice_take_block(&bytes, &table)) && table.len)
        ok = load_entry(state, table, &bytes, scratch);
    arena_free(scratch);
    return ok ? 0 : err_set(err, ERR_CORRUPT, "a snapshot of the state tables is damaged");
}
