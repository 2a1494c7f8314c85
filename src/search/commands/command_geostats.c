/*
 * geostats: statistics of the cells of a map, for each zoom level.
 *
 * Level 0 has cells of binspanlat times binspanlong degrees, each further one cells of half the width
 * and height. A cell's place is the middle of its rows. With by, each value has columns of its own; those
 * with the smallest sums beyond globallimit are OTHER.
 */
#include "search/aggregate.h"
#include "search/rows.h"

#include <math.h>

enum { ZOOM_LEVELS_MAX = 18, GEO_VALUES_MAX = 10 };

struct geostats_args {
    bool cells; /* translatetoxy */
    struct slice lat, lon, out_lat, out_lon;
    struct value span_lat, span_lon;
    double width, height;
    int64_t zoom, global_limit, local_limit;
    struct agg_list aggs;
    size_t own; /* aggregates as written; the two places follow */
    struct slice by;
};

#define AT(f) offsetof(struct geostats_args, f)
static const struct command_option options[] = {
    {.name = "translatetoxy", OPTION_BOOL, AT(cells), "cells of a map; f: a row a place (t)"},
    {.name = "latfield", OPTION_FIELD, AT(lat), "degrees north (lat)"},
    {.name = "longfield", OPTION_FIELD, AT(lon), "degrees east (lon)"},
    {.name = "outputlatfield", OPTION_FIELD, AT(out_lat), "the cell's place (latitude)"},
    {.name = "outputlongfield", OPTION_FIELD, AT(out_lon), "the cell's place (longitude)"},
    {.name = "binspanlat", OPTION_NUMBER, AT(span_lat), "height of a cell of level 0 (22.5)"},
    {.name = "binspanlong", OPTION_NUMBER, AT(span_lon), "width of a cell of level 0 (45)"},
    {.name = "maxzoomlevel", OPTION_I64, AT(zoom), "the last level (9)"},
    {.name = "globallimit", OPTION_I64, AT(global_limit), "values of by that have columns (10; 0: all)"},
    {.name = "locallimit", OPTION_I64, AT(local_limit), "accepted"},
};

static int add_places(struct spl_parser *p, struct geostats_args *args)
{
    const char *nearest;
    double percent;
    struct agg *aggs = arena_array(p->arena, args->aggs.count + 2, sizeof(*aggs));
    struct slice fields[2] = {args->lat, args->lon};
    if (!aggs)
        return err_nomem(p->err);
    args->own = args->aggs.count;
    memcpy(aggs, args->aggs.aggs, args->own * sizeof(*aggs));
    for (size_t i = 0; i < 2; i++)
        aggs[args->own + i] = (struct agg){.stat = stat_find(SLICE("avg"), &percent, &nearest),
                                           .field = fields[i],
                                           .name = fields[i]};
    args->aggs = (struct agg_list){aggs, args->own + 2};
    return 0;
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    static const char *const stops[] = {"by", NULL};
    struct geostats_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    *args = (struct geostats_args){.cells = true,
                                   .lat = SLICE("lat"),
                                   .lon = SLICE("lon"),
                                   .out_lat = SLICE("latitude"),
                                   .out_lon = SLICE("longitude"),
                                   .zoom = 9,
                                   .global_limit = GEO_VALUES_MAX};
    if (spl_take_options(p, args) < 0 || spl_take_aggs(p, stops, &args->aggs) < 0)
        return -1;
    if (spl_at_word(p, "by") && (spl_advance(p) < 0 || spl_take_field(p, &args->by) < 0))
        return -1;
    if (spl_take_options(p, args) < 0)
        return -1;
    args->height = args->span_lat.type ? value_to_f64(args->span_lat) : 22.5;
    args->width = args->span_lon.type ? value_to_f64(args->span_lon) : 45;
    if (!(args->height > 0 && args->height <= 180 && args->width > 0 && args->width <= 360))
        return spl_fail(p, "binspanlat is at most 180 degrees and binspanlong 360, and both above 0");
    if (args->zoom > ZOOM_LEVELS_MAX)
        return spl_fail(p, "maxzoomlevel is at most %d", ZOOM_LEVELS_MAX);
    return add_places(p, args) < 0 ? -1 : spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct geostats_args *args = command->args;
    wanted_reset(wanted);
    wanted_add_aggs(wanted, &args->aggs);
    wanted_add(wanted, args->lat);
    wanted_add(wanted, args->lon);
    if (args->by.ptr)
        wanted_add(wanted, args->by);
}

struct geostats {
    struct aggregator a;
    struct slice by[2];
};

/* Every row belongs to a cell of each level: geobin has them all. Rows without a place have none. */
static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct geostats_args *args = op->command->args;
    struct geostats *g = op->state;
    struct arena *arena = frame->batch->arena;
    const struct column *lats = batch_find(frame->batch, args->lat);
    const struct column *lons = batch_find(frame->batch, args->lon);
    struct column *bins = frame_column(frame, SLICE("geobin"));
    for (uint32_t row = frame_next(frame, 0); bins && row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        double lat, lon;
        if (!rows_number(lats, row, &lat) || !rows_number(lons, row, &lon) || fabs(lat) > 90 ||
            fabs(lon) > 180)
            continue;
        for (int zoom = 0; zoom <= (args->cells ? args->zoom : 0); zoom++) {
            int y = (int)floor((lat + 90) / ldexp(args->height, -zoom));
            int x = (int)floor((lon + 180) / ldexp(args->width, -zoom));
            struct slice bin = args->cells
                                   ? arena_printf(arena, "bin_id_zl_%d_y_%d_x_%d", zoom, y, x)
                                   : arena_printf(arena, "%.10g,%.10g", lat, lon);
            if (!bin.ptr || column_add(frame->batch, bins, row, value_string(bin)) < 0)
                return run_nomem(op->run, err);
        }
    }
    if (!bins || frame_put(frame, bins) < 0)
        return run_nomem(op->run, err);
    return aggregator_add(&g->a, frame, NULL, err);
}

/* Values of by, the largest sums of the first aggregate first. */
struct series_of {
    struct intern values;
    double *sums;
    uint32_t *rank; /* by value: its place */
};

static int rank_series(struct stage *op, const struct batch *table, struct series_of *s)
{
    const struct geostats_args *args = op->command->args;
    struct arena *arena = op->run->arena;
    const struct column *first = batch_find(table, args->aggs.aggs[0].name);
    s->sums = arena_array(arena, table->row_count + 1U, sizeof(*s->sums));
    s->rank = arena_array(arena, table->row_count + 1U, sizeof(*s->rank));
    for (uint32_t row = 0; s->sums && row < table->row_count; row++) {
        uint32_t id = intern_value(&s->values, arena, batch_first(table, row, args->by));
        double n;
        if (id == GROUP_NONE)
            return -1;
        s->sums[id] += rows_number(first, row, &n) ? n : 0;
    }
    for (uint32_t i = 0; s->rank && i < s->values.count; i++)
        for (uint32_t k = 0; k < s->values.count; k++) {
            bool before = s->sums[k] > s->sums[i] ||
                          (s->sums[k] >= s->sums[i] &&
                           value_compare(s->values.values[k], s->values.values[i]) < 0);
            s->rank[i] += before;
        }
    return s->sums && s->rank ? 0 : -1;
}

struct cell {
    uint32_t row; /* of the answer + 1 */
    double lat, lon, weight;
};

static struct slice column_name(struct stage *op, size_t agg, struct value series, bool other)
{
    const struct geostats_args *args = op->command->args;
    struct arena *arena = op->run->arena;
    struct slice text = other ? SLICE("OTHER") : rows_text(series, arena);
    if (args->own == 1)
        return text;
    return arena_printf(arena, "%.*s: %.*s", SLICE_ARG(args->aggs.aggs[agg].name), SLICE_ARG(text));
}

/* Adds where OTHER stands for several. */
static int put_sum(struct batch *out, uint32_t row, struct slice name, struct value v,
                   bool other)
{
    double before, n;
    struct column *to = name.ptr ? batch_column(out, name) : NULL;
    if (!to)
        return -1;
    bool sum = other && rows_number(to, row, &before) && to->count &&
               to->rows[to->count - 1] == row;
    struct column one = {.count = 1, .rows = &row, .values = &v};
    if (sum && rows_number(&one, row, &n))
        v = rows_from_f64(before + n);
    return column_set(out, to, row, v);
}

/* The table of groups is in order of geobin, so a cell's rows stand together. */
static int emit(struct stage *op, const struct batch *table, struct err *err)
{
    const struct geostats_args *args = op->command->args;
    struct batch *out = frame_batch_new(op->run->arena, 0);
    struct series_of series = {0};
    bool cut = false;
    if (!out || (args->by.ptr && rank_series(op, table, &series) < 0))
        return run_nomem(op->run, err);
    struct value last = value_null();
    struct cell cell = {0};
    for (uint32_t row = 0; row < table->row_count; row++) {
        struct value bin = batch_first(table, row, SLICE("geobin")), by = value_null();
        bool fresh = last.type == VALUE_NULL || !value_equal(bin, last), other = false;
        double lat = 0, lon = 0;
        rows_number(batch_find(table, args->lat), row, &lat);
        rows_number(batch_find(table, args->lon), row, &lon);
        if (fresh)
            cell = (struct cell){.row = out->row_count++};
        last = bin;
        if (args->by.ptr) {
            by = batch_first(table, row, args->by);
            uint32_t id = intern_value(&series.values, op->run->arena, by);
            other = args->global_limit && series.rank[id] >= (uint64_t)args->global_limit;
            cut |= other;
        }
        cell.lat = (cell.lat * cell.weight + lat) / (cell.weight + 1);
        cell.lon = (cell.lon * cell.weight + lon) / (cell.weight + 1);
        cell.weight++;
        struct column *place[3] = {batch_column(out, SLICE("geobin")),
                                   batch_column(out, args->out_lat),
                                   batch_column(out, args->out_lon)};
        if (!place[0] || !place[1] || !place[2] ||
            column_set(out, place[0], cell.row, bin) < 0 ||
            column_set(out, place[1], cell.row, rows_from_f64(cell.lat)) < 0 ||
            column_set(out, place[2], cell.row, rows_from_f64(cell.lon)) < 0)
            return run_nomem(op->run, err);
        for (size_t i = 0; i < args->own; i++) {
            struct slice name = args->by.ptr ? column_name(op, i, by, other) : args->aggs.aggs[i].name;
            struct value v = batch_first(table, row, args->aggs.aggs[i].name);
            if (v.type != VALUE_NULL && put_sum(out, cell.row, name, v, other) < 0)
                return run_nomem(op->run, err);
        }
    }
    if (cut)
        run_message(op->run, "geostats-other", op->command, false,
                    "geostats: OTHER is the sum of %u values of %.*s beyond globallimit=%lld",
                    series.values.count - (uint32_t)args->global_limit, SLICE_ARG(args->by),
                    (long long)args->global_limit);
    return stage_emit(op, out, NULL, out->row_count, err);
}

static int finish(struct stage *op, struct err *err)
{
    struct geostats *g = op->state;
    struct arena *arena = op->run->arena;
    struct group_list all = {grouper_sorted(&g->a.groups, NULL, arena), g->a.groups.count};
    struct batch *table;
    if (!all.groups)
        return run_nomem(op->run, err);
    if (aggregator_rows(&g->a, &all, arena, &table, err) < 0)
        return -1;
    return emit(op, table, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct geostats_args *args = command->args;
    struct geostats *g = arena_calloc(run->arena, sizeof(*g));
    if (!g)
        return run_nomem(run, err);
    op->push = push;
    op->finish = finish;
    op->state = g;
    g->by[0] = SLICE("geobin");
    g->by[1] = args->by;
    return aggregator_init(&g->a, run, run->arena, &args->aggs, g->by, args->by.ptr ? 2 : 1, 0, err);
}

const struct command command_geostats = {
    .name = "geostats",
    .syntax = "geostats [options] FUNCTION(FIELD) [as NEW] ... [by FIELD]",
    .summary = "statistics on a map: geostats latfield=lat longfield=lon count by country",
    .flags = COMMAND_TRANSFORMS | COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
