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

#define NOWHERE UINT32_MAX

struct walk {
    const struct history_request *request;
    struct history_stats *stats;
    struct batch *window; /* rows as they were read */
    struct batch *ordered; /* some of them, in order */
    struct place *places; /* HISTORY_ROWS_MAX */
    uint32_t *ranks; /* of a row of the window: its place in order; HISTORY_ROWS_MAX */
    struct arena *scratch; /* of a block, of a column */
};

const struct expr *history_seen_by_rules(const struct expr *filter, struct arena *arena)
{
    const struct expr *own = expr_test_new(arena, FIELD_SOURCE, TEST_EQUAL, TEST_CASED, FINDING_SOURCE);
    const struct expr *others = own ? expr_not(arena, own) : NULL;
    return others ? expr_and(arena, filter, others) : NULL;
}

/* ---- one window ---- */

/* Which row of the window each row of a block becomes, or NOWHERE; NULL when memory is out. */
static uint32_t *number_rows(struct walk *walk, const struct scan_rows *rows)
{
    size_t bytes = rows->row_count * sizeof(uint32_t);
    uint32_t *numbers = arena_alloc(walk->scratch, bytes);
    if (!numbers)
        return NULL;
    memset(numbers, 0xff, bytes); /* NOWHERE */
    for (size_t row = bits_next(rows->selected, rows->row_count, 0); row < rows->row_count;
         row = bits_next(rows->selected, rows->row_count, row + 1)) {
        uint32_t number = walk->window->row_count;
        if (!batch_add_row(walk->window))
            return NULL;
        numbers[row] = number;
        walk->places[number] = (struct place){.row = number};
    }
    return numbers;
}

/* A value that lives as long as the window; known: what the dictionary's are already, NULL: there is none. */
static int keep_value(struct walk *walk, const struct column *from, uint32_t entry, struct value *known,
                      struct value *out)
{
    struct value v = column_value(from, entry);
    if (known && known[from->codes[entry]].type != VALUE_NULL) {
        *out = known[from->codes[entry]];
        return 0;
    }
    *out = value_copy(v, walk->window->arena);
    if (known)
        known[from->codes[entry]] = *out;
    return out->type == VALUE_NULL && v.type != VALUE_NULL ? -1 : 0;
}

static int take_column(struct walk *walk, const struct column *from, const uint32_t *numbers,
                       uint32_t selected)
{
    struct column *to = NULL;
    struct value *known = NULL;
    if (from->dict && from->codes && from->dict_count <= selected &&
        !(known = arena_array(walk->scratch, from->dict_count, sizeof(*known))))
        return -1;
    for (uint32_t i = 0; i < from->count; i++) {
        uint32_t row = numbers[from->rows[i]];
        struct value v;
        if (row == NOWHERE)
            continue;
        if (!to && !(to = batch_column(walk->window, from->name)))
            return -1;
        if (keep_value(walk, from, i, known, &v) < 0 || column_add(walk->window, to, row, v) < 0)
            return -1;
    }
    return 0;
}

/* 1: there are more rows, or more bytes, than a window may have. */
static int take_rows(struct walk *walk, const struct scan_rows *rows)
{
    if (rows->selected_count > HISTORY_ROWS_MAX - walk->window->row_count)
        return 1;
    arena_reset(walk->scratch);
    const uint32_t *numbers = number_rows(walk, rows);
    struct arena_mark mark = arena_mark(walk->scratch);
    for (uint32_t i = 0; numbers && i < rows->batch->column_count; i++) {
        if (take_column(walk, rows->batch->columns[i], numbers, rows->selected_count) < 0)
            return 1;
        arena_rewind(walk->scratch, &mark);
    }
    return numbers ? 0 : 1;
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
                                   .columns = walk->request->columns,
                                   .column_count = walk->request->column_count,
                                   .all_columns = !walk->request->columns,
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
        full = take_rows(walk, &rows);
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

/* The first number of each row. */
static void read_numbers(const struct batch *window, struct slice name, struct place *places, bool time)
{
    const struct column *column = batch_find(window, name);
    for (uint32_t i = column ? column->count : 0; i-- > 0;) {
        struct value v = column->values[i];
        struct place *place = &places[column->rows[i]];
        if (v.type != VALUE_I64 && v.type != VALUE_TIME)
            continue;
        if (time)
            place->time_ns = v.i64;
        else
            place->seq = (uint64_t)v.i64;
    }
}

/* False: the rows stand in order as they are. */
static bool sort_places(struct walk *walk)
{
    uint32_t count = walk->window->row_count;
    bool sorted = true;
    read_numbers(walk->window, FIELD_TIMESTAMP, walk->places, true);
    read_numbers(walk->window, FIELD_SEQ, walk->places, false);
    for (uint32_t i = 1; i < count && sorted; i++)
        sorted = by_time_and_seq(&walk->places[i - 1], &walk->places[i]) < 0;
    if (sorted)
        return false;
    qsort(walk->places, count, sizeof(*walk->places), by_time_and_seq);
    for (uint32_t i = 0; i < count; i++)
        walk->ranks[walk->places[i].row] = i;
    return true;
}

/* Its entries by rank, those of one row as they were; rows become ranks. A counting sort. */
static int sort_column(struct walk *walk, struct column *column, struct err *err)
{
    uint32_t count = walk->window->row_count, at = 0;
    arena_reset(walk->scratch);
    uint32_t *starts = arena_array(walk->scratch, count, sizeof(*starts));
    uint32_t *rows = arena_array(walk->scratch, column->count, sizeof(*rows));
    struct value *values = arena_array(walk->scratch, column->count, sizeof(*values));
    if (!starts || !rows || !values)
        return err_nomem(err);
    for (uint32_t i = 0; i < column->count; i++)
        starts[walk->ranks[column->rows[i]]]++;
    for (uint32_t rank = 0; rank < count; rank++) {
        uint32_t entries = starts[rank];
        starts[rank] = at;
        at += entries;
    }
    for (uint32_t i = 0; i < column->count; i++) {
        uint32_t rank = walk->ranks[column->rows[i]], to = starts[rank]++;
        rows[to] = rank;
        values[to] = column->values[i];
    }
    memcpy(column->rows, rows, column->count * sizeof(*rows));
    memcpy(column->values, values, column->count * sizeof(*values));
    return 0;
}

/* The entries of rows start..end-1 as a column of the batch that is handed over. It borrows them: the window
 * outlives it. */
static int lend_column(struct walk *walk, const struct column *from, uint32_t *cursor, uint32_t start,
                       uint32_t end, struct err *err)
{
    uint32_t first = *cursor, entry = first;
    uint16_t types = 0;
    bool multi = false;
    for (; entry < from->count && from->rows[entry] < end; entry++) {
        from->rows[entry] -= start;
        types |= (uint16_t)(1U << from->values[entry].type);
        multi |= entry > first && from->rows[entry] == from->rows[entry - 1];
    }
    *cursor = entry;
    if (entry == first)
        return 0;
    struct column *to = batch_column(walk->ordered, from->name);
    if (!to)
        return err_nomem(err);
    to->rows = from->rows + first;
    to->values = from->values + first;
    to->count = to->size = entry - first;
    to->types_seen = types;
    to->multi = multi;
    return 0;
}

static int lend_rows(struct walk *walk, uint32_t *cursors, uint32_t start, uint32_t end, struct err *err)
{
    batch_reset(walk->ordered);
    for (uint32_t i = start; i < end; i++) {
        struct event_row *event = batch_add_row(walk->ordered);
        if (!event)
            return err_nomem(err);
        event->time_ns = walk->places[i].time_ns;
        event->seq = walk->places[i].seq;
    }
    for (uint32_t i = 0; i < walk->window->column_count; i++)
        if (lend_column(walk, walk->window->columns[i], &cursors[i], start, end, err) < 0)
            return -1;
    return 0;
}

static int hand_over(struct walk *walk, struct err *err)
{
    uint32_t count = walk->window->row_count, columns = walk->window->column_count;
    bool moved = sort_places(walk);
    for (uint32_t i = 0; i < columns && moved; i++)
        if (sort_column(walk, walk->window->columns[i], err) < 0)
            return -1;
    arena_reset(walk->scratch);
    uint32_t *cursors = arena_array(walk->scratch, columns + 1UL, sizeof(*cursors)); /* entries handed over */
    if (!cursors)
        return err_nomem(err);
    for (uint32_t start = 0; start < count; start += BATCH_ROWS_MAX) {
        uint32_t end = count - start > BATCH_ROWS_MAX ? start + BATCH_ROWS_MAX : count;
        if (lend_rows(walk, cursors, start, end, err) < 0)
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

static int open_walk(struct walk *walk, struct err *err)
{
    walk->window = batch_new(HISTORY_BYTES_MAX);
    walk->ordered = batch_new(HISTORY_BYTES_MAX);
    walk->places = mem_calloc(HISTORY_ROWS_MAX, sizeof(*walk->places));
    walk->ranks = mem_calloc(HISTORY_ROWS_MAX, sizeof(*walk->ranks));
    walk->scratch = arena_new(HISTORY_BYTES_MAX);
    return walk->window && walk->ordered && walk->places && walk->ranks && walk->scratch ? 0 : err_nomem(err);
}

static void close_walk(struct walk *walk)
{
    arena_free(walk->scratch);
    mem_free(walk->ranks);
    mem_free(walk->places);
    batch_free(walk->ordered);
    batch_free(walk->window);
}

int history_walk(const struct history_request *request, struct history_stats *stats, struct err *err)
{
    struct walk walk = {.request = request, .stats = stats};
    int64_t from_ns = 0, to_ns = 0;
    *stats = (struct history_stats){0};
    int result = open_walk(&walk, err);
    if (result == 0)
        result = bounds(request, &from_ns, &to_ns, err);
    if (result == 0)
        result = walk_time(&walk, from_ns, to_ns, err);
    close_walk(&walk);
    return result;
}
