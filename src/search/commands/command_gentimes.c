/* gentimes: rows of times, one an increment. */
#include "base/time_pattern.h"
#include "search/rows.h"
#include "search/span.h"


struct gentimes_args {
    struct slice start, end;
    struct span increment;
};

#define AT(field) offsetof(struct gentimes_args, field)
static const struct command_option options[] = {
    {.name = "start", OPTION_TIME, AT(start), "10/1/2007, 10/1/2007:12:00:00, or days from today: -7"},
    {.name = "end", OPTION_TIME, AT(end), "where the rows stop, not included (today at midnight)"},
    {.name = "increment", OPTION_SPAN, AT(increment), "between two rows (1d)"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct gentimes_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->increment = (struct span){.kind = SPAN_TIME, .count = 1, .unit = TIME_UNIT_DAY};
    if (spl_take_options(p, args) < 0)
        return -1;
    if (!args->start.ptr)
        return spl_fail(p, "gentimes needs start=, such as start=10/1/2007 or start=-7");
    if (args->increment.kind != SPAN_TIME)
        return spl_fail(p, "increment is a span of time such as 1d or 6h");
    return spl_expect_end(p);
}

/* month/day/year with two or four digits and an optional :hour:minute:second */
static bool read_date(struct slice text, const struct zone *zone, int64_t *out)
{
    struct slice month, day, year, rest = SLICE_NONE, part;
    int64_t n[6] = {0};
    if (!slice_cut(text, '/', &month, &day) || !slice_cut(day, '/', &day, &year))
        return false;
    slice_cut(year, ':', &year, &rest);
    if (!slice_to_i64(month, &n[1]) || !slice_to_i64(day, &n[2]) || !slice_to_i64(year, &n[0]))
        return false;
    if (year.len <= 2)
        n[0] += n[0] < 69 ? 2000 : 1900;
    for (int i = 3; rest.ptr && slice_next_part(&rest, ':', &part); i++)
        if (i > 5 || !slice_to_i64(part, &n[i]))
            return false;
    struct time_parts parts = {.year = (int)n[0],
                               .month = (int)n[1],
                               .day = (int)n[2],
                               .hour = (int)n[3],
                               .minute = (int)n[4],
                               .second = (int)n[5]};
    return zone_to_utc(zone, &parts, 0, out);
}

static int read_when(struct run *run, struct slice text, int64_t *out, struct err *err)
{
    int64_t days, today;
    const struct zone *zone = run->scope.zone;
    if (!time_snap(run->scope.now_ns, TIME_UNIT_DAY, 0, zone, &today))
        return err_set(err, ERR_CONFIG, "the clock is out of range");
    if (!text.ptr) {
        *out = today;
        return 0;
    }
    if (slice_to_i64(text, &days) && days > -100000 && days < 100000) {
        if (time_add_units(today, days, TIME_UNIT_DAY, zone, out))
            return 0;
    } else if (read_date(text, zone, out)) {
        return 0;
    }
    return time_modifier_read(text, run->scope.now_ns, zone, out, err);
}

static int put_row(struct stage *op, struct batch *batch, int64_t from, int64_t to)
{
    struct arena *arena = op->run->arena;
    uint32_t row = batch->row_count++;
    int64_t times[2] = {from, to};
    static const char *const numbers[] = {"starttime", "endtime"};
    static const char *const texts[] = {"starthuman", "endhuman"};
    for (int i = 0; i < 2; i++)
        if (batch_put(batch, row, slice_text(numbers[i]), value_i64(times[i] / NS_PER_SECOND)) < 0)
            return -1;
    for (int i = 0; i < 2; i++) {
        struct buffer text;
        buffer_init(&text, 256);
        time_pattern_format(SLICE("%a %b %e %H:%M:%S %Y"), times[i], op->run->scope.zone, &text);
        struct slice copy = arena_copy(arena, buffer_slice(&text));
        buffer_close(&text);
        if (!copy.ptr || batch_put(batch, row, slice_text(texts[i]), value_string(copy)) < 0)
            return -1;
    }
    return 0;
}

static int finish(struct stage *op, struct err *err)
{
    const struct gentimes_args *args = op->command->args;
    struct batch *batch = frame_batch_new(op->run->arena, 0);
    const struct zone *zone = op->run->scope.zone;
    int64_t from, to, at, next;
    if (!batch)
        return run_nomem(op->run, err);
    if (read_when(op->run, args->start, &from, err) < 0 ||
        read_when(op->run, args->end, &to, err) < 0)
        return -1;
    if (from > to)
        return err_set(err, ERR_CONFIG, "gentimes: start is after end");
    at = from;
    for (int64_t n = 1; at < to; n++, at = next) {
        if (n > GENTIMES_ROWS_MAX)
            return err_set(err, ERR_LIMIT, "gentimes makes at most %d rows; choose a larger increment",
                           GENTIMES_ROWS_MAX);
        if (!time_add_units(from, n * args->increment.count, args->increment.unit, zone, &next))
            return err_set(err, ERR_CONFIG, "gentimes: the times are out of range");
        if (put_row(op, batch, at, next - NS_PER_SECOND) < 0)
            return run_nomem(op->run, err);
    }
    return stage_emit(op, batch, NULL, batch->row_count, err);
}

const struct command command_gentimes = {
    .name = "gentimes",
    .syntax = "gentimes start=DATE [options]",
    .summary = "rows of times: gentimes start=-7 increment=6h",
    .flags = COMMAND_GENERATES | COMMAND_TRANSFORMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .push = stage_pass,
    .finish = finish,
};
