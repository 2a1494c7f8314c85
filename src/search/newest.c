#include "search/newest.h"

#include "event/schema.h"
#include "search/command_head.h"
#include "search/sort_keys.h"

enum { HELD_MIN = 16384 };
static int64_t const FIRST_WIDTH = 15 * NS_PER_MINUTE;

struct newest {
    struct row_store rows;
    struct arena *arenas[2]; /* rows live in the first; compacting moves them to the other */
    uint64_t limit;
    bool compacted;
};

static const struct sort_key newest_keys[] = {{{"@timestamp", 10}, SORT_NUMBER, true},
                                              {{"hinomi.seq", 10}, SORT_NUMBER, true}};
static const struct sort_keys keys = {newest_keys, ARRAY_COUNT(newest_keys)};

/* Only the first limit rows can matter: the others are dropped. */
static int compact(struct newest *newest)
{
    uint32_t *order;
    struct row_store kept;
    struct frame held = {newest->rows.batch, NULL};
    row_store_init(&kept, newest->arenas[1]);
    if (sort_rows(&keys, newest->rows.batch, newest->arenas[0], &order) < 0)
        return -1;
    for (uint64_t i = 0; i < newest->limit && i < held.batch->row_count; i++)
        if (row_store_add_row(&kept, &held, order[i]) < 0)
            return -1;
    arena_reset(newest->arenas[0]);
    struct arena *empty = newest->arenas[0];
    newest->arenas[0] = newest->arenas[1];
    newest->arenas[1] = empty;
    newest->rows = kept;
    newest->compacted = true;
    return 0;
}

static int push(struct operator* op, struct frame *frame, struct err *err)
{
    struct newest *newest = op->state;
    if (row_store_add(&newest->rows, frame) < 0)
        return run_nomem(op->run, err);
    uint64_t most = 4 * newest->limit > HELD_MIN ? 4 * newest->limit : HELD_MIN;
    if (!newest->limit || newest->rows.batch->row_count <= most)
        return 0;
    return compact(newest) < 0 ? run_nomem(op->run, err) : 0;
}

static int finish(struct operator* op, struct err *err)
{
    struct newest *newest = op->state;
    uint32_t *order;
    if (!newest->rows.batch)
        return 0;
    if (sort_rows(&keys, newest->rows.batch, newest->arenas[0], &order) < 0)
        return run_nomem(op->run, err);
    return operator_emit(op, newest->rows.batch, order, newest->rows.batch->row_count, err);
}

int operator_newest_first(struct run *run, struct operator* op, uint64_t limit, struct err *err)
{
    struct newest *newest = arena_calloc(run->arena, sizeof(*newest));
    int64_t max = run->options->memory_max;
    *op = (struct operator){.push = push,
                            .finish = finish,
                            .run = run,
                            .state = newest,
                            .command = run->query->commands};
    if (!newest)
        return run_nomem(run, err);
    for (int i = 0; i < 2; i++)
        if (!(newest->arenas[i] = arena_new(max ? (size_t)max : MEMORY_QUERY_MAX)))
            return run_nomem(run, err);
    newest->limit = limit;
    row_store_init(&newest->rows, newest->arenas[0]);
    return 0;
}

void newest_forget(struct operator* op)
{
    struct newest *newest = op->state;
    arena_reset(newest->arenas[0]);
    arena_reset(newest->arenas[1]);
    row_store_init(&newest->rows, newest->arenas[0]);
    newest->compacted = false;
}

bool newest_bound(const struct operator* op, int64_t *time_ns)
{
    const struct newest *newest = op->state;
    const struct batch *rows = newest->rows.batch;
    if (!newest->compacted || !rows || rows->row_count < newest->limit)
        return false;
    struct value oldest = batch_first(rows, (uint32_t)newest->limit - 1, FIELD_TIMESTAMP);
    *time_ns = oldest.i64;
    return oldest.type == VALUE_TIME;
}

void newest_close(struct operator* op)
{
    struct newest *newest = op->state;
    for (int i = 0; newest && i < 2; i++) {
        arena_free(newest->arenas[i]);
        newest->arenas[i] = NULL;
    }
}

/* Commands that give as many rows as they get, in the same order. */
static bool keeps_rows(struct slice name)
{
    static const char *const names[] = {"eval",    "fields",   "rename",  "rex",        "table",
                                        "convert", "spath",    "replace", "strcat",     "makemv",
                                        "nomv",    "rangemap", "lookup",  "fieldformat"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (slice_is(name, names[i]))
            return true;
    return false;
}

uint64_t newest_limit(const struct spl_command *command, uint64_t rows_max)
{
    for (; command && command->descriptor; command = command->next) {
        int64_t limit = head_limit(command);
        if (limit >= 0)
            return (uint64_t)limit;
        if (!keeps_rows(slice_text(command->descriptor->name)))
            return 0;
    }
    return rows_max ? rows_max + 1 : 0; /* one more, so that the cut is seen */
}

static void set_low(struct window *window)
{
    int64_t low;
    if (__builtin_sub_overflow(window->high, window->width, &low) || low < window->from_ns)
        low = window->from_ns;
    window->low = low;
}

void window_first(struct window *window, int64_t from_ns, int64_t to_ns, int64_t now_ns)
{
    *window = (struct window){.from_ns = from_ns, .to_ns = to_ns, .width = FIRST_WIDTH};
    window->high = to_ns == INT64_MAX ? now_ns : to_ns;
    if (window->high < from_ns)
        window->high = from_ns;
    set_low(window);
    window->high = to_ns; /* the first one also takes what is stamped in the future */
}

bool window_next(struct window *window)
{
    if (window->low <= window->from_ns)
        return false;
    window->high = window->low;
    if (__builtin_mul_overflow(window->width, INT64_C(4), &window->width))
        window->width = INT64_MAX;
    set_low(window);
    return true;
}
