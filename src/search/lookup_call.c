#include "search/lookup_call.h"

#include "search/rows.h"

struct indexed {
    struct slice table, keys; /* what they are found by */
    struct batch *rows;
    struct map by_key; /* the first row + 1 */
    uint32_t *next;    /* the next row with the same key + 1 */
    struct indexed *more;
};

struct lookups {
    struct run *run;
    struct indexed *list;
};

static struct slice joined(const struct slice *texts, size_t count, struct arena *arena)
{
    struct buffer text;
    buffer_init(&text, MIB);
    for (size_t i = 0; i < count; i++)
        buffer_put_block(&text, texts[i]);
    struct slice copy = buffer_failed(&text) ? SLICE_NONE : arena_copy(arena, buffer_slice(&text));
    buffer_close(&text);
    return copy;
}

/* The key of a table's row, as joined() makes it of a question; SLICE_NONE: a field is missing. */
static struct slice row_key(const struct batch *rows, uint32_t row, const struct expr_lookup *ask,
                            struct slice *texts, struct arena *arena)
{
    for (size_t i = 0; i < ask->key_count; i++) {
        struct value v = batch_first(rows, row, spl_field_alias(ask->names[i]));
        texts[i] = rows_text(v, arena);
        if (!texts[i].ptr)
            return SLICE_NONE;
    }
    return joined(texts, ask->key_count, arena);
}

static struct indexed *make_index(struct lookups *lookups, const struct expr_lookup *ask,
                                  struct slice keys, struct err *err)
{
    struct arena *arena = lookups->run->arena;
    struct indexed *index = arena_calloc(arena, sizeof(*index));
    struct slice *texts = arena_array(arena, ask->key_count + 1, sizeof(*texts));
    if (!index || !texts) {
        run_nomem(lookups->run, err);
        return NULL;
    }
    index->table = arena_copy(arena, ask->table);
    index->keys = arena_copy(arena, keys);
    if (run_table(lookups->run, index->table, &index->rows, err) < 0)
        return NULL;
    map_init(&index->by_key, arena);
    index->next = arena_array(arena, index->rows->row_count + 1U, sizeof(*index->next));
    for (uint32_t row = index->rows->row_count; index->next && row-- > 0;) {
        struct slice key = row_key(index->rows, row, ask, texts, arena);
        void **slot = key.ptr ? map_slot(&index->by_key, key) : NULL;
        if (!slot)
            continue;
        index->next[row] = (uint32_t)(uintptr_t)*slot;
        *slot = (void *)(uintptr_t)(row + 1U);
    }
    if (!index->next || !index->keys.ptr) {
        run_nomem(lookups->run, err);
        return NULL;
    }
    index->more = lookups->list;
    lookups->list = index;
    return index;
}

static int gather(const struct indexed *index, uint32_t first, struct expr_lookup *ask,
                  struct arena *scratch)
{
    for (size_t i = 0; i < ask->wanted_count; i++) {
        const struct column *column = batch_find(index->rows, spl_field_alias(ask->wanted[i]));
        struct value *values = NULL;
        uint32_t count = 0;
        for (uint32_t row = first; column && row; row = index->next[row - 1]) {
            uint32_t from, n = column_range(column, row - 1, &from);
            for (uint32_t k = 0; k < n; k++) {
                values = spl_grow(scratch, values, count, sizeof(*values));
                if (!values)
                    return -1;
                values[count++] = column_value(column, from + k);
            }
        }
        ask->found[i] = (struct value_list){values, count};
    }
    return 0;
}

static int answer(void *context, struct expr_lookup *ask, struct arena *scratch, struct err *err)
{
    struct lookups *lookups = context;
    struct slice keys = joined(ask->names, ask->key_count, scratch);
    struct slice values = joined(ask->values, ask->key_count, scratch);
    if (!keys.ptr || !values.ptr)
        return err_nomem(err);
    for (size_t i = 0; i < ask->key_count; i++)
        if (!ask->values[i].ptr)
            return 0;
    struct indexed *index = lookups->list;
    while (index && !(slice_equal(index->table, ask->table) && slice_equal(index->keys, keys)))
        index = index->more;
    if (!index && !(index = make_index(lookups, ask, keys, err)))
        return -1;
    uint32_t first = (uint32_t)(uintptr_t)map_find(&index->by_key, values);
    ask->matched = first > 0;
    return first && gather(index, first, ask, scratch) < 0 ? err_nomem(err) : 0;
}

int lookup_call_bind(struct run *run)
{
    struct lookups *lookups = arena_calloc(run->arena, sizeof(*lookups));
    if (!lookups)
        return -1;
    lookups->run = run;
    run->scope.lookup = answer;
    run->scope.lookup_context = lookups;
    return 0;
}
