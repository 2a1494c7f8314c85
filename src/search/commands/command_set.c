/* set: rows of two searches, each once: those of either, of one alone, or of both. Fields that begin
 * with _ do not count: times and raw texts would make every row a new one. */
#include "search/hold.h"
#include "search/rows.h"

#include <stdlib.h>

enum set_kind { SET_UNION, SET_DIFF, SET_INTERSECT };

struct set_args {
    enum set_kind kind;
    const struct spl_query *queries[2];
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    static const char *const names[] = {"union", "diff", "intersect"};
    struct set_args *args = command_args(p, command, sizeof(*args));
    size_t kind = 0;
    if (!args)
        return -1;
    while (kind < ARRAY_COUNT(names) && !spl_at_word(p, names[kind]))
        kind++;
    if (kind == ARRAY_COUNT(names))
        return spl_fail(p, "set wants union, diff or intersect and two subsearches");
    args->kind = (enum set_kind)kind;
    if (spl_advance(p) < 0 || spl_take_subsearch(p, &args->queries[0]) < 0)
        return -1;
    while (spl_at_sign(p, ","))
        if (spl_advance(p) < 0)
            return -1;
    if (spl_take_subsearch(p, &args->queries[1]) < 0)
        return -1;
    return spl_expect_end(p);
}

/* Names of the fields that count, of both searches, in the same order for both. */
static int by_text(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

static int common_fields(struct arena *arena, struct batch *const *rows, struct field_list *out)
{
    struct slice *names = arena_array(
        arena, rows[0]->column_count + rows[1]->column_count + 1U, sizeof(*names));
    size_t count = 0;
    for (int side = 0; names && side < 2; side++)
        for (uint32_t c = 0; c < rows[side]->column_count; c++) {
            struct slice name = rows[side]->columns[c]->name;
            if (!rows_is_internal(name) && !(side == 1 && batch_find(rows[0], name)))
                names[count++] = name;
        }
    if (count)
        qsort(names, count, sizeof(*names), by_text);
    *out = (struct field_list){.names = names, .count = count};
    return names ? 0 : -1;
}

/* A row as text: all fields with all values. */
static struct slice identity(const struct batch *batch, uint32_t row,
                             const struct field_list *fields, struct arena *arena)
{
    struct buffer key;
    buffer_init(&key, MIB);
    for (size_t f = 0; f < fields->count; f++) {
        const struct column *column = batch_find(batch, fields->names[f]);
        uint32_t first = 0, count = column ? column_range(column, row, &first) : 0;
        buffer_put_varint(&key, count);
        for (uint32_t k = 0; k < count; k++)
            buffer_put_block(&key, rows_text(column_value(column, first + k), arena));
    }
    struct slice copy = buffer_failed(&key) ? SLICE_NONE : arena_copy(arena, buffer_slice(&key));
    buffer_close(&key);
    return copy;
}

enum { IN_FIRST = 1, IN_SECOND = 2, SHOWN = 4 };

static int note_rows(struct map *seen, const struct batch *batch, const struct field_list *fields,
                     struct slice *keys, uintptr_t bit)
{
    for (uint32_t row = 0; row < batch->row_count; row++) {
        keys[row] = identity(batch, row, fields, seen->arena);
        void **slot = keys[row].ptr ? map_slot(seen, keys[row]) : NULL;
        if (!slot)
            return -1;
        *slot = (void *)((uintptr_t)*slot | bit);
    }
    return 0;
}

static bool belongs(enum set_kind kind, uintptr_t bits)
{
    bool both = (bits & IN_FIRST) && (bits & IN_SECOND);
    return kind == SET_UNION || (kind == SET_INTERSECT) == both;
}

static int emit_side(struct stage *op, struct map *seen, const struct batch *batch,
                     const struct slice *keys, struct err *err)
{
    const struct set_args *args = op->command->args;
    uint32_t *rows = arena_array(seen->arena, batch->row_count + 1U, sizeof(*rows));
    uint32_t count = 0;
    for (uint32_t row = 0; rows && row < batch->row_count; row++) {
        void **slot = map_slot(seen, keys[row]);
        if (!slot)
            return run_nomem(op->run, err);
        uintptr_t bits = (uintptr_t)*slot;
        if ((bits & SHOWN) || !belongs(args->kind, bits))
            continue;
        *slot = (void *)(bits | SHOWN);
        rows[count++] = row;
    }
    return rows ? stage_emit(op, batch, rows, count, err) : run_nomem(op->run, err);
}

static int finish(struct stage *op, struct err *err)
{
    const struct set_args *args = op->command->args;
    struct run *run = op->run;
    struct batch *rows[2];
    struct slice *keys[2];
    struct field_list fields;
    struct map seen;
    map_init(&seen, run->arena);
    for (int side = 0; side < 2; side++)
        if (run_subsearch(run, args->queries[side], &rows[side], err) < 0)
            return -1;
    if (common_fields(run->arena, rows, &fields) < 0)
        return run_nomem(run, err);
    for (int side = 0; side < 2; side++) {
        keys[side] = arena_array(run->arena, rows[side]->row_count + 1U, sizeof(struct slice));
        if (!keys[side] || note_rows(&seen, rows[side], &fields, keys[side],
                                     side == 0 ? IN_FIRST : IN_SECOND) < 0)
            return run_nomem(run, err);
    }
    for (int side = 0; side < 2; side++)
        if (emit_side(op, &seen, rows[side], keys[side], err) < 0)
            return -1;
    return 0;
}

const struct command command_set = {
    .name = "set",
    .syntax = "set union|diff|intersect [SEARCH] [SEARCH]",
    .summary = "rows of two searches, each once: set diff [search a] [search b]",
    .flags = COMMAND_GENERATES | COMMAND_BRACKETS,
    .parse = parse,
    .push = stage_pass,
    .finish = finish,
};
