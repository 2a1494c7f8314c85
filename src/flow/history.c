#include "flow/history.h"

#include "base/mem.h"
#include "event/schema.h"
#include "flow/finding_sender.h"

#include <stdlib.h>

#define WINDOW_FIRST_NS (6 * NS_PER_HOUR)
#define WINDOW_MOST_NS (366 * NS_PER_DAY)

/* A row of the window. */
struct place {
    int64_t time_ns;
    uint64_t seq;
    uint32_t row;
};

struct walk {
    const struct history_request *request;
    struct history_stats *stats;
    struct batch *window; /* rows as they were read */
    struct batch *ordered; /* some of them, in order */
    struct place *places;
    struct column **targets; /* in ordered, by the window's column */
    uint32_t target_size;
};

const struct expr *history_seen_by_rules(const struct expr *filter, struct arena *arena)
{
    const struct expr *own = expr_test_new(arena, FIELD_SOURCE, TEST_EQUAL, TEST_CASED, FINDING_SOURCE);
    const struct expr *others = own ? expr_not(arena, own) : NULL;
    return others ? expr_and(arena, filter, others) : NULL;
}

/* ---- one window ---- */

static int64_t first_i64(const struct batch *batch, uint32_t row, struct slice name)
{
    struct value v = batch_first(batch, row, name);
    return v.type == VALUE_I64 || v.type == VALUE_TIME ? v.i64 : 0;
}

/* The values of one row, at the end of another batch's column. */
static int copy_values(struct batch *to, struct column *target, const struct column *from, uint32_t row,
                       bool deep, struct err *err)
{
    uint32_t first, count = column_range(from, row, &first);
    for (uint32_t i = first; i < first + count; i++) {
        struct value v = column_value(from, i);
        struct value copy = deep ? value_copy(v, to->arena) : v;
        bool lost = copy.type == VALUE_NULL && v.type != VALUE_NULL;
        if (lost || column_add(to, target, to->row_count - 1, copy) < 0)
            return err_nomem(err);
    }
    return 0;
}

static int take_row(struct walk *walk, const struct batch *from, uint32_t row, struct err *err)
{
    struct batch *to = walk->window;
    struct event_row *event = batch_add_row(to);
    if (!event)
        return err_nomem(err);
    event->time_ns = first_i64(from, row, FIELD_TIMESTAMP);
    event->seq = (uint64_t)first_i64(from, row, FIELD_SEQ);
    walk->places[to->row_count - 1] = (struct place){event->time_ns, event->seq, to->row_count - 1};
    for (uint32_t i = 0; i < from->column_count; i++) {
        uint32_t first;
        if (column_range(from->columns[i], row, &first) == 0)
            continue;
        struct column *target = batch_column(to, from->columns[i]->name);
        if (!target || copy_values(to, target, from->columns[i], row, true, err) < 0)
            return err_nomem(err);
    }
    return 0;
}

/* 1: there are more rows than a window may have. */
static int take_rows(struct walk *walk, const struct scan_rows *rows, struct err *err)
{
    for (size_t row = bits_next(rows->selected, rows->row_count, 0); row < rows->row_count;
         row = bits_next(rows->selected, rows->row_count, row + 1)) {
        if (walk->window->row_count == HISTORY_ROWS_MAX)
            return 1;
        if (take_row(walk, rows->batch, (uint32_t)row, err) < 0)
            return 1; /* memory: half of the window may fit */
    }
    return 0;
}

static void add_stats(struct history_stats *to, const struct scan_stats *from)
{
    to->windows++;
    to->blocks += from->blocks;
    to->blocks_read += from->blocks_read;
    to->damages += from->damage_count;
    to->bytes_read += from->bytes_read;
}

/* 0: the window has all rows of the time; 1: they do not fit; -1. */
static int read_window(struct walk *walk, int64_t from_ns, int64_t to_ns, struct err *err)
{
    struct scan_request request = {.from_ns = from_ns,
                                   .to_ns = to_ns,
                                   .all_columns = true,
                                   .filter = walk->request->filter,
                                   .memory_max = EXPORT_BLOCK_BYTES_MAX,
                                   .cancel = walk->request->cancel};
    struct scan *scan;
    struct scan_rows rows;
    int more, full = 0;
    batch_reset(walk->window);
    if (scan_open(walk->request->snapshot, &request, &scan, err) < 0)
        return -1;
    while (!full && (more = scan_next(scan, &rows, err)) > 0)
        full = take_rows(walk, &rows, err);
    add_stats(walk->stats, scan_get_stats(scan));
    scan_close(scan);
    return full ? 1 : more;
}

/* ---- in order ---- */

static int by_time_and_seq(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    if (x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static int room_for_targets(struct walk *walk, struct err *err)
{
    uint32_t count = walk->window->column_count;
    if (count > walk->target_size) {
        mem_free(walk->targets);
        walk->targets = mem_calloc(count, sizeof(*walk->targets));
        walk->target_size = walk->targets ? count : 0;
        if (!walk->targets)
            return err_nomem(err);
    }
    memset(walk->targets, 0, walk->target_size * sizeof(*walk->targets));
    return 0;
}

/* Texts stay where the window has them: it outlives the batch. */
static int put_ordered(struct walk *walk, const struct place *place, struct err *err)
{
    struct batch *from = walk->window, *to = walk->ordered;
    struct event_row *event = batch_add_row(to);
    if (!event)
        return err_nomem(err);
    event->time_ns = place->time_ns;
    event->seq = place->seq;
    for (uint32_t i = 0; i < from->column_count; i++) {
        uint32_t first;
        if (column_range(from->columns[i], place->row, &first) == 0)
            continue;
        if (!walk->targets[i] && !(walk->targets[i] = batch_column(to, from->columns[i]->name)))
            return err_nomem(err);
        if (copy_values(to, walk->targets[i], from->columns[i], place->row, false, err) < 0)
            return -1;
    }
    return 0;
}

static int hand_over(struct walk *walk, struct err *err)
{
    uint32_t count = walk->window->row_count;
    qsort(walk->places, count, sizeof(*walk->places), by_time_and_seq);
    for (uint32_t start = 0; start < count; start += BATCH_ROWS_MAX) {
        uint32_t end = count - start > BATCH_ROWS_MAX ? start + BATCH_ROWS_MAX : count;
        batch_reset(walk->ordered);
        if (room_for_targets(walk, err) < 0)
            return -1;
        for (uint32_t i = start; i < end; i++)
            if (put_ordered(walk, &walk->places[i], err) < 0)
                return -1;
        walk->stats->rows += end - start;
        if (walk->request->take(walk->request->context, walk->ordered, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- all of them ---- */

static int bounds(const struct history_request *request, int64_t *from_ns, int64_t *to_ns,
                  struct err *err)
{
    struct arena *arena = arena_new(64 * MIB);
    struct store_piece *pieces;
    size_t count = 0;
    int result = arena ? store_pieces(request->snapshot, arena, &pieces, &count, err) : err_nomem(err);
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (size_t i = 0; result == 0 && i < count; i++) {
        first = pieces[i].time_min < first ? pieces[i].time_min : first;
        last = pieces[i].time_max > last ? pieces[i].time_max : last;
    }
    arena_free(arena);
    bool bounded = request->from_ns || request->to_ns;
    *from_ns = bounded && request->from_ns > first ? request->from_ns : first;
    *to_ns = bounded && request->to_ns && request->to_ns <= last ? request->to_ns : last + (last < INT64_MAX);
    if (count == 0)
        *to_ns = *from_ns; /* nothing is stored */
    return result;
}

static int walk_time(struct walk *walk, int64_t from_ns, int64_t to_ns, struct err *err)
{
    int64_t width = WINDOW_FIRST_NS;
    while (from_ns < to_ns) {
        int64_t end = to_ns - from_ns > width ? from_ns + width : to_ns;
        int full = read_window(walk, from_ns, end, err);
        if (full < 0)
            return -1;
        if (full && end - from_ns < 2)
            return err_set(err, ERR_LIMIT, "more than %d events have the same time; give a search that "
                           "fewer events pass", HISTORY_ROWS_MAX);
        if (full) {
            width = (end - from_ns) / 2;
            continue;
        }
        if (hand_over(walk, err) < 0)
            return -1;
        if (walk->window->row_count < HISTORY_ROWS_MAX / 4 && width < WINDOW_MOST_NS)
            width *= 2;
        from_ns = end;
        if (walk->request->reached)
            walk->request->reached(walk->request->context, from_ns);
    }
    return 0;
}

int history_walk(const struct history_request *request, struct history_stats *stats, struct err *err)
{
    struct walk walk = {.request = request, .stats = stats};
    int64_t from_ns = 0, to_ns = 0;
    *stats = (struct history_stats){0};
    walk.window = batch_new(HISTORY_BYTES_MAX);
    walk.ordered = batch_new(HISTORY_BYTES_MAX);
    walk.places = mem_calloc(HISTORY_ROWS_MAX, sizeof(*walk.places));
    int result = walk.window && walk.ordered && walk.places ? 0 : err_nomem(err);
    if (result == 0)
        result = bounds(request, &from_ns, &to_ns, err);
    if (result == 0)
        result = walk_time(&walk, from_ns, to_ns, err);
    mem_free(walk.targets);
    mem_free(walk.places);
    batch_free(walk.ordered);
    batch_free(walk.window);
    return result;
}
