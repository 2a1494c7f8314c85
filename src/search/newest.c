#include "search/newest.h"

#include "event/schema.h"
#include "search/commands/command_head.h"
#include "search/sorter.h"

enum { HELD_ENOUGH = 16384 }; /* rows of a window that is worth its opening */
static int64_t const FIRST_WIDTH = 15 * NS_PER_MINUTE;

struct newest {
    struct sorter rows;
    uint64_t limit;
    bool bounded; /* the two below are set */
    int64_t newest_ns, bound_ns;
};

static const struct sort_key newest_keys[] = {{{"@timestamp", 10}, SORT_NUMBER, true},
                                              {{"hinomi.seq", 10}, SORT_NUMBER, true}};
static const struct sort_keys keys = {newest_keys, ARRAY_COUNT(newest_keys)};

static int64_t time_at(const struct newest *newest, uint32_t row)
{
    struct value v = batch_first(sorter_rows(&newest->rows), row, FIELD_TIMESTAMP);
    return v.type == VALUE_TIME ? v.i64 : INT64_MIN;
}

/* With a limit only the first rows can matter and the others are dropped. Without one nothing is:
 * the bound only tells the search to read the window in smaller pieces. */
static int compact(struct newest *newest, struct err *err)
{
    uint32_t first = 0, last = (uint32_t)newest->limit - 1;
    if ((newest->limit ? sorter_cut(&newest->rows, newest->limit, err)
                       : sorter_find(&newest->rows, HELD_ENOUGH - 1, &first, &last, err)) < 0)
        return -1;
    newest->bounded = true;
    newest->newest_ns = time_at(newest, first);
    newest->bound_ns = time_at(newest, last);
    return 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    struct newest *newest = op->state;
    if (sorter_add(&newest->rows, frame, err) < 0)
        return -1;
    uint64_t least = newest->limit ? HELD_ENOUGH / 4 : HELD_ENOUGH;
    uint64_t most = 4 * (newest->limit > least ? newest->limit : least);
    bool again = newest->limit || !newest->bounded;
    const struct batch *rows = sorter_rows(&newest->rows);
    return rows && rows->row_count > most && again ? compact(newest, err) : 0;
}

static int finish(struct stage *op, struct err *err)
{
    struct newest *newest = op->state;
    return sorter_emit(&newest->rows, op, err);
}

int stage_newest_first(struct run *run, struct stage *op, uint64_t limit, struct err *err)
{
    struct newest *newest = arena_calloc(run->arena, sizeof(*newest));
    *op = (struct stage){.push = push,
                         .finish = finish,
                         .run = run,
                         .state = newest,
                         .command = run->query->commands};
    if (!newest)
        return run_nomem(run, err);
    newest->limit = limit;
    return sorter_init(&newest->rows, run, &keys, 0, err);
}

void newest_forget(struct stage *op)
{
    struct newest *newest = op->state;
    sorter_clear(&newest->rows);
    newest->bounded = false;
}

bool newest_bound(const struct stage *op, int64_t *bound_ns, int64_t *newest_ns)
{
    const struct newest *newest = op->state;
    *bound_ns = newest->bound_ns;
    *newest_ns = newest->newest_ns;
    return newest->bounded && newest->bound_ns != INT64_MIN;
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
    if (!window->narrowed && __builtin_mul_overflow(window->width, INT64_C(4), &window->width))
        window->width = INT64_MAX;
    window->narrowed = false;
    set_low(window);
    return true;
}

bool window_narrow(struct window *window, int64_t low, int64_t newest_ns)
{
    if (low <= window->low)
        return false;
    window->low = low;
    window->narrowed = true;
    window->width = newest_ns - low > NS_PER_SECOND ? newest_ns - low : NS_PER_SECOND;
    return true;
}
