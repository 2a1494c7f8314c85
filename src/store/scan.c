#include "base/mem.h"
#include "event/schema.h"
#include "store/scan_filter.h"
#include "store/scan_inside.h"
#include "store/scan_survey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- opening ---------------------------------------------------------------------------- */

bool scan_in_streams(const struct scan_request *request, struct slice stream)
{
    for (size_t i = 0; i < request->stream_count; i++)
        if (slice_equal(request->streams[i], stream))
            return true;
    return !request->streams;
}

bool scan_in_time(const struct scan_request *request, int64_t low, int64_t high)
{
    return (!request->from_ns && !request->to_ns) ||
           (high >= request->from_ns && low < request->to_ns);
}

bool scan_inside_time(const struct scan_request *request, int64_t low, int64_t high)
{
    return (!request->from_ns && !request->to_ns) ||
           (low >= request->from_ns && high < request->to_ns);
}

static int by_time(const void *a, const void *b)
{
    const struct unit *x = a, *y = b;
    if (x->time_min != y->time_min)
        return x->time_min < y->time_min ? -1 : 1;
    return (x->time_max > y->time_max) - (x->time_max < y->time_max);
}

static int by_time_down(const void *a, const void *b)
{
    const struct unit *x = a, *y = b;
    if (x->time_max != y->time_max)
        return x->time_max > y->time_max ? -1 : 1;
    return (x->time_min < y->time_min) - (x->time_min > y->time_min);
}

static struct unit table_unit(const struct snapshot_table *from)
{
    struct unit unit = {.table = from->table,
                        .first = from->first,
                        .part_count = from->part_count,
                        .time_min = INT64_MAX,
                        .time_max = INT64_MIN};
    const struct mem_part *part = from->first;
    for (uint32_t i = 0; i < from->part_count; i++) {
        if (i)
            part = part->next;
        unit.time_min = part->time_min < unit.time_min ? part->time_min : unit.time_min;
        unit.time_max = part->time_max > unit.time_max ? part->time_max : unit.time_max;
    }
    return unit;
}

static void add_unit(struct scan *scan, const struct unit *unit, struct slice stream)
{
    if (scan_in_streams(&scan->request, stream) &&
        scan_in_time(&scan->request, unit->time_min, unit->time_max))
        scan->units[scan->unit_count++] = *unit;
}

static bool is_for_me(const struct scan_request *request, size_t place)
{
    uint32_t shares = request->share_count, rest = request->rest_count;
    return (!shares || place % shares == request->share_index) &&
           (!rest || place / rest >= request->rest_from[place % rest]);
}

/* Every share sorts the same list and takes its own of it. */
static void take_share(struct scan *scan)
{
    size_t kept = 0;
    for (size_t i = 0; i < scan->unit_count; i++) {
        if (!is_for_me(&scan->request, i))
            continue;
        scan->units[kept] = scan->units[i];
        scan->units[kept++].place = i;
    }
    scan->unit_count = kept;
    scan->stats.units = scan->unit_count;
}

static int list_units(struct scan *scan, struct err *err)
{
    const struct snapshot *snapshot = scan->snapshot;
    size_t count = snapshot->segment_count + snapshot->table_count;
    scan->units = mem_calloc(count + 1, sizeof(*scan->units));
    if (!scan->units)
        return err_nomem(err);
    for (size_t i = 0; i < snapshot->segment_count; i++) {
        const struct segment_info *info = &snapshot->segments[i]->info;
        struct unit unit = {.segment = snapshot->segments[i],
                            .time_min = info->time_min,
                            .time_max = info->time_max};
        if (scan_sample_has_segment(scan->request.sample, info->number))
            add_unit(scan, &unit, info->stream);
    }
    for (size_t i = 0; i < snapshot->table_count; i++) {
        struct unit unit = table_unit(&snapshot->tables[i]);
        add_unit(scan, &unit, snapshot->tables[i].table->stream);
    }
    qsort(scan->units, scan->unit_count, sizeof(*scan->units),
          scan->request.newest_first ? by_time_down : by_time);
    scan->active = mem_calloc(count + 1, sizeof(*scan->active));
    if (!scan->active)
        return err_nomem(err);
    take_share(scan);
    return 0;
}

int scan_open(struct snapshot *snapshot, const struct scan_request *request, struct scan **out,
              struct err *err)
{
    *out = NULL;
    struct scan *scan = mem_calloc(1, sizeof(*scan));
    if (!scan)
        return err_nomem(err);
    size_t memory = request->memory_max ? request->memory_max : MEMORY_QUERY_MAX;
    scan->snapshot = snapshot;
    scan->request = *request;
    scan->parts_list = arena_new(memory);
    scan->budget.bytes_max = memory;
    scan->work = arena_new_within(&scan->budget);
    scan->scratch = arena_new_within(&scan->budget);
    scan->names = arena_new(1 * MIB);
    scan->scope = (struct expr_scope){.scratch = scan->scratch,
                                      .now_ns = request->now_ns,
                                      .clock = request->clock,
                                      .rand = request->rand,
                                      .stop = request->stop,
                                      .stop_context = request->stop_context,
                                      .zone = request->zone};
    uint32_t newest = request->newest_first ? request->newest_rows : 0;
    if (!scan->parts_list || !scan->work || !scan->scratch || !scan->names ||
        (newest && scan_newest_init(&scan->newest, newest, scan->names) < 0) ||
        list_units(scan, err) < 0) {
        scan_close(scan);
        return err_nomem(err);
    }
    *out = scan;
    return 0;
}

void scan_close(struct scan *scan)
{
    if (!scan)
        return;
    segment_close(scan->segment);
    arena_free(scan->parts_list);
    arena_free(scan->work);
    arena_free(scan->scratch);
    arena_free(scan->names);
    mem_free(scan->units);
    mem_free(scan->active);
    mem_free(scan);
}

size_t scan_unit_count(const struct snapshot *snapshot, const struct scan_request *request)
{
    size_t count = snapshot->table_count;
    for (size_t i = 0; i < snapshot->segment_count; i++) {
        const struct segment_info *info = &snapshot->segments[i]->info;
        count += scan_in_streams(request, info->stream) &&
                 scan_in_time(request, info->time_min, info->time_max);
    }
    return count;
}

struct scan_place scan_get_place(const struct scan *scan)
{
    return scan->place;
}

void scan_release_memory(struct scan *scan)
{
    arena_free(scan->work);
    arena_free(scan->scratch);
    arena_free(scan->parts_list);
    scan->work = scan->scratch = scan->parts_list = NULL;
}

/* Whether a stretch of rows, read twice, was told already. */
static bool has_damage(const struct scan_stats *stats, uint64_t listed, const struct scan_damage *damage)
{
    for (uint64_t i = 0; i < listed; i++) {
        const struct scan_damage *one = &stats->damages[i];
        if (one->time_min == damage->time_min && one->time_max == damage->time_max &&
            one->rows == damage->rows && slice_equal(one->column, damage->column) &&
            strcmp(one->path, damage->path) == 0)
            return true;
    }
    return false;
}

void scan_stats_add(struct scan_stats *to, const struct scan_stats *from)
{
    to->units += from->units;
    to->blocks += from->blocks;
    to->blocks_skipped += from->blocks_skipped;
    to->blocks_read += from->blocks_read;
    to->rows += from->rows;
    to->rows_selected += from->rows_selected;
    to->rows_read += from->rows_read;
    to->bytes_read += from->bytes_read;
    to->cpu_ns += from->cpu_ns;
    to->regex_limits += from->regex_limits;
    uint64_t listed = from->damage_count < SCAN_DAMAGES_MAX ? from->damage_count : SCAN_DAMAGES_MAX;
    uint64_t known = to->damage_count < SCAN_DAMAGES_MAX ? to->damage_count : SCAN_DAMAGES_MAX;
    for (uint64_t i = 0; i < listed; i++) {
        if (has_damage(to, known, &from->damages[i]))
            continue;
        if (to->damage_count < SCAN_DAMAGES_MAX)
            to->damages[to->damage_count] = from->damages[i];
        to->damage_count++;
    }
    to->damage_count += from->damage_count - listed;
}

const struct scan_stats *scan_get_stats(const struct scan *scan)
{
    return &scan->stats;
}

/* ---- damage ----------------------------------------------------------------------------- */

/* True when the failure is the disk's or the bytes': noted, and the scan goes on. */
bool scan_is_damage(const struct err *err)
{
    return err->code == ERR_CORRUPT || err->code == ERR_IO || err->code == ERR_NOT_FOUND;
}

void scan_note_damage(struct scan *scan, const struct store_segment *segment,
                        struct slice column, int64_t low, int64_t high, uint64_t rows,
                        const struct err *err)
{
    if (scan->stats.damage_count++ >= SCAN_DAMAGES_MAX)
        return;
    struct scan_damage *damage = &scan->stats.damages[scan->stats.damage_count - 1];
    snprintf(damage->path, sizeof(damage->path), "%s", segment->path);
    snprintf(damage->reason, sizeof(damage->reason), "%.199s", err->text);
    damage->column = column.ptr ? arena_copy(scan->names, column) : SLICE("");
    damage->time_min = low;
    damage->time_max = high;
    damage->rows = rows;
}

/* ---- the newest rows -------------------------------------------------------------------- */

/* Once there are enough rows, none before the oldest of them counts, here and in what follows.
 * time_at gives the time of a row. */
void scan_keep_newest(struct scan *scan, uint64_t *selected, uint32_t row_count,
                        int64_t (*time_at)(const void *context, uint32_t row), const void *context)
{
    for (uint32_t row = row_count; row-- > 0;) /* from the newest on: most others change nothing */
        if (bits_get(selected, row))
            scan_newest_add(&scan->newest, time_at(context, row));
    int64_t bound = scan_newest_bound(&scan->newest);
    if (bound == INT64_MIN)
        return;
    for (size_t row = bits_next(selected, row_count, 0); row < row_count;
         row = bits_next(selected, row_count, row + 1))
        if (time_at(context, (uint32_t)row) < bound)
            bits_clear(selected, row);
    if (!scan->request.from_ns && !scan->request.to_ns)
        scan->request.to_ns = INT64_MAX;
    if (bound > scan->request.from_ns)
        scan->request.from_ns = bound;
}

/* What was read of it since the last time. */
static void count_bytes(struct scan *scan)
{
    if (!scan->segment)
        return;
    uint64_t bytes = segment_bytes_read(scan->segment);
    scan->stats.bytes_read += bytes - scan->bytes_counted;
    scan->bytes_counted = bytes;
}

static void close_segment(struct scan *scan)
{
    count_bytes(scan);
    segment_close(scan->segment);
    scan->segment = NULL;
    scan->bytes_counted = 0;
}

/* A damaged one is noted, and none is open. */
static int open_segment(struct scan *scan, struct err *err)
{
    const struct unit *unit = &scan->units[scan->unit];
    struct err reason;
    err_clear(&reason);
    arena_reset(scan->parts_list);
    scan->block = 0;
    scan->begun = true;
    if (footers_open(unit->segment, &scan->segment, &reason) < 0) {
        if (!scan_is_damage(&reason)) {
            if (err)
                *err = reason;
            return -1;
        }
        scan_note_damage(scan, unit->segment, SLICE_NONE, unit->time_min, unit->time_max,
                    unit->segment->info.rows, &reason);
    } else if (segment_file_id(scan->segment) != unit->segment->info.file_id) {
        err_set(&reason, ERR_CORRUPT, "it is another segment's file");
        scan_note_damage(scan, unit->segment, SLICE_NONE, unit->time_min, unit->time_max,
                    unit->segment->info.rows, &reason);
        close_segment(scan);
    }
    return 0;
}

static bool is_sampled(const struct scan *scan, uint32_t block)
{
    return scan_sample_has(scan->request.sample, scan->units[scan->unit].segment->info.number, block);
}

static int next_segment_block(struct scan *scan, struct scan_rows *out, struct err *err)
{
    if (!scan->begun && open_segment(scan, err) < 0)
        return -1;
    uint32_t count = scan->segment ? segment_block_count(scan->segment) : 0;
    while (scan->block < count) {
        scan->place = (struct scan_place){scan->units[scan->unit].place, scan->block, scan->rows_done};
        int result = is_sampled(scan, scan->block)
                         ? scan_read_block(scan, scan->block, &scan->rows_done, out, err)
                         : 0;
        scan->block += scan->rows_done == 0;
        if (result != 0)
            return result;
    }
    close_segment(scan);
    return 0;
}

/* ---- parts in memory -------------------------------------------------------------------- */

static int64_t time_in_part(const void *context, uint32_t row)
{
    return ((const int64_t *)context)[row];
}

/* The columns of a request, of the selected rows only (NULL: of all). ids: event.id is derived where it is
 * missing. */
static struct batch *part_batch(struct scan *scan, const struct scan_request *request,
                                const struct mem_part *part, const uint64_t *selected, bool ids,
                                struct err *err)
{
    bool all = request->all_columns;
    struct batch *batch = block_batch_new(scan->work, part->row_count);
    if (!batch ||
        block_put_part_keys(batch, part, all || scan_wants(request, FIELD_TIMESTAMP),
                            all || scan_wants(request, FIELD_SEQ), err) < 0)
        return NULL;
    for (uint32_t c = 0; c < part->column_count; c++)
        if ((all || scan_wants(request, part->columns[c].name)) &&
            block_put_part_column(batch, &part->columns[c], selected, err) < 0)
            return NULL;
    if (!ids)
        return batch;
    struct value *seq = arena_alloc(scan->work, part->row_count * sizeof(*seq) + 1);
    for (uint32_t i = 0; seq && i < part->row_count; i++)
        seq[i] = value_i64((int64_t)part->seq[i]);
    if (!seq || block_put_ids(batch, scan->snapshot->store_id, seq, selected, err) < 0)
        return NULL;
    return batch;
}

/* What a filter reads; of very many fields: all. */
struct filter_fields {
    struct slice names[64];
    size_t count;
    bool all;
};

static void field_seen(void *context, struct slice name)
{
    struct filter_fields *fields = context;
    if (fields->count < ARRAY_COUNT(fields->names))
        fields->names[fields->count++] = name;
    else
        fields->all = true;
}

/* The batch that a filter is asked over has derived ids only when the filter names them, as with
 * segments: a keyword does not look into what was never stored. */
static int filter_part(struct scan *scan, const struct mem_part *part, const uint64_t *selected,
                       uint64_t *found, struct err *err)
{
    const struct expr *filter = scan->request.filter;
    struct filter_fields fields = {0};
    bool all = false;
    expr_fields(filter, field_seen, &fields, &all);
    struct scan_request reads = {.columns = fields.names, .column_count = fields.count};
    bool ids = fields.all || scan_wants(&reads, FIELD_EVENT_ID);
    reads.all_columns = all || fields.all;
    struct batch *batch = part_batch(scan, &reads, part, NULL, ids, err);
    if (!batch)
        return err_nomem(err);
    arena_reset(scan->scratch);
    return expr_filter(filter, &scan->scope, batch, selected, found, err);
}

static int read_part(struct scan *scan, const struct mem_part *part, struct scan_rows *out,
                     struct err *err)
{
    const struct scan_request *request = &scan->request;
    *out = (struct scan_rows){.row_count = part->row_count,
                              .time_min = part->time_min,
                              .time_max = part->time_max,
                              .in_memory = true};
    scan->stats.blocks++;
    if (!scan_in_time(request, part->time_min, part->time_max)) {
        scan->stats.blocks_skipped++;
        return 0;
    }
    arena_reset(scan->work);
    scan->stats.blocks_read++;
    scan->stats.rows_read += part->row_count;
    scan->stats.rows += part->row_count;
    uint64_t *selected = arena_calloc(scan->work, bits_words(part->row_count) * 8);
    uint64_t *found = arena_calloc(scan->work, bits_words(part->row_count) * 8);
    if (!selected || !found)
        return err_nomem(err);
    for (uint32_t i = 0; i < part->row_count; i++)
        if (scan_inside_time(request, part->time_ns[i], part->time_ns[i]))
            bits_set(selected, i);
    if (request->filter) {
        if (filter_part(scan, part, selected, found, err) < 0)
            return -1;
        selected = found;
    }
    if (scan->newest.most)
        scan_keep_newest(scan, selected, part->row_count, time_in_part, part->time_ns);
    out->selected = selected;
    out->selected_count = (uint32_t)bits_count(selected, part->row_count);
    if (!out->selected_count)
        return 0;
    scan->stats.rows_selected += out->selected_count;
    if (scan_wants_any(request)) {
        bool few = out->selected_count < part->row_count / 2;
        out->batch = part_batch(scan, request, part, few ? selected : NULL,
                                scan_wants(request, FIELD_EVENT_ID), err);
        if (!out->batch)
            return err_nomem(err);
    }
    return 1;
}

static int next_part(struct scan *scan, struct scan_rows *out, struct err *err)
{
    const struct unit *unit = &scan->units[scan->unit];
    if (!scan->begun) {
        arena_reset(scan->parts_list);
        scan->begun = true;
        scan->block = 0;
        scan->parts = arena_array(scan->parts_list, unit->part_count + 1U, sizeof(*scan->parts));
        if (!scan->parts)
            return err_nomem(err);
        const struct mem_part *part = unit->first;
        for (uint32_t i = 0; i < unit->part_count; i++) {
            if (i)
                part = part->next; /* the last one's next is the writer's */
            scan->parts[i] = part;
        }
    }
    while (scan->block < unit->part_count) {
        uint32_t index = scan->block++;
        scan->place = (struct scan_place){unit->place, index, 0};
        if (scan->request.newest_first)
            index = unit->part_count - 1 - index;
        if (!scan_sample_has(scan->request.sample, 0,
                             scan_sample_part(scan->snapshot, unit->table, index)))
            continue;
        int result = read_part(scan, scan->parts[index], out, err);
        if (result != 0)
            return result;
    }
    return 0;
}

static int check_cancel(struct scan *scan, struct err *err)
{
    bool cancelled = scan->request.cancel && atomic_load(scan->request.cancel);
    return cancelled || expr_stopped(&scan->scope)
               ? err_set(err, ERR_CANCELLED, "the search was cancelled")
               : 0;
}

/* ---- newest first ----------------------------------------------------------------------- *
 *
 * Always the block with the newest row of all that are left, whichever unit it is of: streams have
 * segments of their own over the same time. So a reader knows that nothing behind it is newer than
 * later_max, and may hand on what is.
 */

/* The unit with the newest block; unit_count when none is left. The one that is open wins a tie. */
static size_t newest_unit(const struct scan *scan)
{
    size_t best = scan->unit_count;
    int64_t best_max = INT64_MIN;
    for (size_t i = 0; i < scan->active_count; i++) {
        const struct unit *unit = &scan->units[scan->active[i]];
        if (best == scan->unit_count || unit->next_max > best_max ||
            (unit->next_max == best_max && scan->active[i] == scan->unit)) {
            best = scan->active[i];
            best_max = unit->next_max;
        }
    }
    bool fresh = scan->fresh < scan->unit_count &&
                 (best == scan->unit_count || scan->units[scan->fresh].time_max > best_max);
    return fresh ? scan->fresh : best;
}

static void turn_to(struct scan *scan, size_t unit)
{
    if (unit == scan->fresh) {
        scan->units[unit].next_max = scan->units[unit].time_max;
        scan->active[scan->active_count++] = unit;
        scan->fresh++;
    }
    if (unit == scan->unit && scan->begun)
        return;
    close_segment(scan);
    scan->unit = unit;
    scan->begun = false;
}

static void retire(struct scan *scan, size_t unit)
{
    for (size_t i = 0; i < scan->active_count; i++)
        if (scan->active[i] == unit)
            scan->active[i] = scan->active[--scan->active_count];
}

static int64_t later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* One block of the unit at hand, or a slice of it. */
static int newest_block(struct scan *scan, struct scan_rows *out, struct err *err)
{
    struct unit *unit = &scan->units[scan->unit];
    if (!scan->begun && open_segment(scan, err) < 0)
        return -1;
    uint32_t left = scan->segment ? segment_block_count(scan->segment) - unit->read : 0;
    int result = left && is_sampled(scan, left - 1)
                     ? scan_read_block(scan, left - 1, &unit->rows_read, out, err)
                     : 0;
    count_bytes(scan);
    if (result >= 0 && unit->rows_read) { /* the rest of the block is still to be read */
        unit->next_max = scan->before_ns;
        for (uint32_t i = 0; i + 1 < left; i++)
            unit->next_max = later_of(unit->next_max, segment_get_block(scan->segment, i)->time_max);
        return result;
    }
    unit->read++;
    unit->next_max = INT64_MIN;
    for (uint32_t i = 0; i + 1 < left; i++)
        unit->next_max = later_of(unit->next_max, segment_get_block(scan->segment, i)->time_max);
    if (left <= 1)
        retire(scan, scan->unit);
    return result;
}

static int next_newest(struct scan *scan, struct scan_rows *out, struct err *err)
{
    int result = 0;
    for (size_t unit; result == 0 && (unit = newest_unit(scan)) < scan->unit_count;) {
        if (check_cancel(scan, err) < 0)
            return -1;
        turn_to(scan, unit);
        if (scan->units[unit].segment) {
            result = newest_block(scan, out, err);
        } else {
            result = next_part(scan, out, err);
            if (result == 0)
                retire(scan, unit);
        }
        scan->stats.regex_limits = scan->scope.regex_limits;
    }
    size_t later = newest_unit(scan);
    out->later_max = later == scan->unit_count       ? INT64_MIN
                     : later == scan->fresh          ? scan->units[later].time_max
                                                     : scan->units[later].next_max;
    return result;
}

int scan_next(struct scan *scan, struct scan_rows *out, struct err *err)
{
    if (scan->request.newest_first)
        return next_newest(scan, out, err);
    while (scan->unit < scan->unit_count) {
        if (check_cancel(scan, err) < 0)
            return -1;
        int result = scan->units[scan->unit].segment ? next_segment_block(scan, out, err)
                                                     : next_part(scan, out, err);
        scan->stats.regex_limits = scan->scope.regex_limits;
        if (result != 0)
            return result;
        scan->unit++;
        scan->begun = false;
    }
    return 0;
}
