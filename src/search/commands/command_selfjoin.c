/* selfjoin: each row with the other rows that have the same values in some fields. */
#include "search/hold.h"
#include "search/rows.h"

struct selfjoin_args {
    bool overwrite, keep_single;
    int64_t max;
    struct field_list fields;
};

#define AT(field) offsetof(struct selfjoin_args, field)
static const struct command_option options[] = {
    {.name = "overwrite", OPTION_BOOL, AT(overwrite), "the other row's values win (t)"},
    {.name = "max", OPTION_I64, AT(max), "other rows joined to each (1; 0: all)"},
    {.name = "keepsingle", OPTION_BOOL, AT(keep_single), "keeps rows that have no other (f)"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct selfjoin_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->overwrite = true;
    args->max = 1;
    if (spl_take_fields_options(p, args, NULL, &args->fields) < 0)
        return -1;
    return args->fields.count ? 0 : spl_fail(p, "here the name of a field is needed");
}

/* All fields are joined; which ones are read behind says what is needed. */
static void want(const struct spl_command *command, struct wanted *wanted)
{
    wanted_add_list(wanted, &((const struct selfjoin_args *)command->args)->fields);
}

/* Rows of one key, as a list through next. */
struct chain {
    uint32_t first, last;
};

struct joining {
    const struct batch *batch;
    struct chain **of_row; /* NULL: the row lacks a field */
    uint32_t *next;
    uint32_t *left, *right; /* the pairs; right UINT32_MAX: alone */
    uint32_t count, room;
};

static int add_pair(struct joining *j, struct arena *arena, uint32_t left, uint32_t right)
{
    if (j->count == j->room) {
        uint32_t room = j->room ? 2 * j->room : 1024;
        size_t old = j->room * sizeof(uint32_t), size = room * sizeof(uint32_t);
        j->left = arena_grow(arena, j->left, old, size);
        j->right = arena_grow(arena, j->right, old, size);
        if (!j->left || !j->right)
            return -1;
        j->room = room;
    }
    j->left[j->count] = left;
    j->right[j->count++] = right;
    return 0;
}

static int find_chains(struct joining *j, const struct field_list *fields, struct arena *arena)
{
    struct map keys;
    bool failed = false;
    map_init(&keys, arena);
    for (uint32_t row = 0; row < j->batch->row_count; row++) {
        struct slice key = rows_key(j->batch, row, fields, arena, &failed);
        void **slot = key.ptr ? map_slot(&keys, key) : NULL;
        j->next[row] = UINT32_MAX;
        if (failed || (key.ptr && !slot))
            return -1;
        if (!slot)
            continue;
        struct chain *chain = *slot;
        if (chain)
            j->next[chain->last] = row;
        else if (!(chain = arena_calloc(arena, sizeof(*chain))))
            return -1;
        else
            chain->first = row;
        chain->last = row;
        *slot = j->of_row[row] = chain;
    }
    return 0;
}

static int find_pairs(struct stage *op, struct joining *j)
{
    const struct selfjoin_args *args = op->command->args;
    for (uint32_t row = 0; row < j->batch->row_count; row++) {
        int64_t some = 0;
        uint32_t other = j->of_row[row] ? j->of_row[row]->first : UINT32_MAX;
        for (; other != UINT32_MAX && (!args->max || some < args->max); other = j->next[other]) {
            if (other == row)
                continue;
            some++;
            if (add_pair(j, op->run->arena, row, other) < 0)
                return -1;
        }
        if (!some && args->keep_single && add_pair(j, op->run->arena, row, UINT32_MAX) < 0)
            return -1;
    }
    return 0;
}

/* The pairs from number from on, as a frame. */
static int emit_pairs(struct stage *op, const struct joining *j, uint32_t from, uint32_t count,
                      struct err *err)
{
    const struct selfjoin_args *args = op->command->args;
    struct run *run = op->run;
    struct frame frame;
    arena_reset(run->frames);
    struct batch *made = frame_batch_new(run->frames, count);
    if (!made || frame_share(&frame, made, NULL, run->frames) < 0)
        return run_nomem(run, err);
    for (uint32_t c = 0; c < j->batch->column_count; c++) {
        const struct column *column = j->batch->columns[c];
        struct column *to = frame_column(&frame, column->name);
        for (uint32_t i = 0; to && i < count; i++) {
            uint32_t sides[2] = {j->left[from + i], j->right[from + i]}, first = 0, n = 0;
            for (int s = 0; s < 2 && !n; s++) {
                uint32_t row = sides[args->overwrite ? 1 - s : s];
                n = row == UINT32_MAX ? 0 : column_range(column, row, &first);
            }
            for (uint32_t k = 0; k < n; k++)
                if (column_add(frame.batch, to, i, column_value(column, first + k)) < 0)
                    return run_nomem(run, err);
        }
        if (!to || frame_put(&frame, to) < 0)
            return run_nomem(run, err);
    }
    return run_check(run, err) < 0 ? -1 : stage_push(op, &frame, err);
}

static int finish(struct stage *op, struct err *err)
{
    const struct selfjoin_args *args = op->command->args;
    struct joining j = {.batch = ((struct hold *)op->state)->rows.batch};
    struct arena *arena = op->run->arena;
    if (!j.batch)
        return 0;
    j.next = arena_array(arena, j.batch->row_count + 1U, sizeof(*j.next));
    j.of_row = arena_array(arena, j.batch->row_count + 1U, sizeof(*j.of_row));
    if (!j.next || !j.of_row || find_chains(&j, &args->fields, arena) < 0 || find_pairs(op, &j) < 0)
        return run_nomem(op->run, err);
    for (uint32_t at = 0; at < j.count; at += FRAME_ROWS_MAX) {
        uint32_t count = j.count - at < FRAME_ROWS_MAX ? j.count - at : FRAME_ROWS_MAX;
        if (emit_pairs(op, &j, at, count, err) < 0)
            return -1;
    }
    return 0;
}

const struct command command_selfjoin = {
    .name = "selfjoin",
    .syntax = "selfjoin [options] FIELD ...",
    .summary = "rows joined with the other rows of the same values: selfjoin max=0 user",
    .flags = COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = hold_make,
    .finish = finish,
    .want = want,
};
