/*
 * predict: what a series will be, and within which bounds it should have been.
 *
 *   LL     level            LLT    level and slope       LLP   level and season
 *   LLP5   LLT and LLP, weighted by how well each did (the default)
 *   LLB    level, told by another field (correlate=)     BiLL  two fields together
 */
#include "event/schema.h"
#include "search/commands/forecast.h"
#include "search/hold.h"
#include "search/rows.h"
#include "search/span.h"

#include <math.h>
#include <stdlib.h>

enum algorithm { LL, LLT, LLP, LLP5, LLB, BILL };

struct target {
    struct slice field, as;
};

/* upper80=name */
struct bound {
    bool upper;
    double percent;
    struct slice name; /* empty: made from the prediction's */
};

struct predict_args {
    struct target *targets;
    size_t count;
    struct bound *bounds;
    size_t bound_count;
    struct slice algorithm_name, correlate, suppress;
    enum algorithm algorithm;
    int64_t future, hold_back, period;
};

#define AT(f) offsetof(struct predict_args, f)
static const struct command_option options[] = {
    {.name = "algorithm", OPTION_TEXT, AT(algorithm_name), "LL, LLT, LLP, LLP5, LLB or BiLL (LLP5)"},
    {.name = "future_timespan", OPTION_I64, AT(future), "steps ahead (5)"},
    {.name = "holdback", OPTION_I64, AT(hold_back), "rows at the end that are not learnt from (0)"},
    {.name = "period", OPTION_I64, AT(period), "rows of a season (found when it is not given)"},
    {.name = "correlate", OPTION_FIELD, AT(correlate), "of LLB: the other field"},
    {.name = "suppress", OPTION_FIELD, AT(suppress), "a field whose prediction is not shown"},
};

/* upper95=high, lower95, with the parser on the word */
static int take_bound(struct spl_parser *p, struct predict_args *args, bool *taken)
{
    struct slice word = p->token.text, name = SLICE_NONE;
    bool upper = slice_equal_nocase(slice_sub(word, 0, 5), SLICE("upper"));
    bool lower = slice_equal_nocase(slice_sub(word, 0, 5), SLICE("lower"));
    int64_t percent;
    *taken = false;
    if ((!upper && !lower) || !slice_to_i64(slice_from(word, 5), &percent) || !spl_at_option(p))
        return 0;
    if (percent < 1 || percent > 99)
        return spl_fail(p, "bounds are upper1 to upper99 and lower1 to lower99");
    *taken = true;
    if (spl_advance(p) < 0 || spl_take_value(p, &name) < 0)
        return -1;
    args->bounds = spl_grow(p->arena, args->bounds, args->bound_count, sizeof(*args->bounds));
    if (!args->bounds)
        return err_nomem(p->err);
    args->bounds[args->bound_count++] = (struct bound){upper, (double)percent, name};
    return 0;
}

static int take_target(struct spl_parser *p, struct predict_args *args)
{
    struct target target = {0};
    struct slice written = p->token.text;
    if (spl_take_field(p, &target.field) < 0)
        return -1;
    target.as = arena_printf(p->arena, "prediction(%.*s)", SLICE_ARG(written));
    if (spl_at_word(p, "as") && (spl_advance(p) < 0 || spl_take_field(p, &target.as) < 0))
        return -1;
    args->targets = spl_grow(p->arena, args->targets, args->count, sizeof(target));
    if (!args->targets || !target.as.ptr)
        return err_nomem(p->err);
    args->targets[args->count++] = target;
    return 0;
}

static int check(struct spl_parser *p, struct predict_args *args)
{
    static const char *const names[] = {"LL", "LLT", "LLP", "LLP5", "LLB", "BiLL"};
    size_t i = 0;
    while (i < ARRAY_COUNT(names) && !slice_is_nocase(args->algorithm_name, names[i]))
        i++;
    if (i == ARRAY_COUNT(names))
        return spl_fail(p, "algorithm is LL, LLT, LLP, LLP5, LLB or BiLL");
    args->algorithm = (enum algorithm)i;
    if (!args->count)
        return spl_fail(p, "predict needs a field: predict count");
    if (args->algorithm == LLB && !args->correlate.ptr)
        return spl_fail(p, "LLB needs correlate=, the field that tells of this one");
    if (args->algorithm == BILL && args->count != 2)
        return spl_fail(p, "BiLL predicts two fields together");
    if (args->period == 1 || args->period > FORECAST_PERIOD_MAX)
        return spl_fail(p, "period is 2 to %d rows", FORECAST_PERIOD_MAX);
    return args->future <= PREDICT_FUTURE_MAX
               ? 0
               : spl_fail(p, "future_timespan is at most %d", PREDICT_FUTURE_MAX);
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct predict_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->algorithm_name = SLICE("LLP5");
    args->future = 5;
    while (p->token.kind != SPL_END) {
        bool taken;
        if (take_bound(p, args, &taken) < 0)
            return -1;
        if (!taken && spl_take_option(p, args, &taken) < 0)
            return -1;
        if (!taken && take_target(p, args) < 0)
            return -1;
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
    }
    return check(p, args);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct predict_args *args = command->args;
    for (size_t i = 0; i < args->count; i++)
        wanted_add(wanted, args->targets[i].field);
    if (args->correlate.ptr)
        wanted_add(wanted, args->correlate);
    wanted_add(wanted, FIELD_TIMESTAMP);
}

static int read_series(struct stage *op, const struct batch *batch, struct slice field,
                       struct series_in *out, struct err *err)
{
    const struct predict_args *args = op->command->args;
    const struct column *column = batch_find(batch, field);
    uint32_t rows = batch->row_count, some = 0;
    double *values = arena_array(op->run->arena, rows + 1U, sizeof(*values));
    if (!values)
        return run_nomem(op->run, err);
    if ((uint64_t)args->hold_back >= rows)
        return err_set(err, ERR_CONFIG, "predict: holdback=%lld leaves none of %u rows to learn from",
                       (long long)args->hold_back, rows);
    for (uint32_t row = 0; row < rows; row++) {
        if (!rows_number(column, row, &values[row]))
            values[row] = NAN;
        some += !isnan(values[row]) && row < rows - args->hold_back;
    }
    if (!some)
        return err_set(err, ERR_CONFIG, "predict: there are no numbers in %.*s", SLICE_ARG(field));
    *out = (struct series_in){values, rows, rows - (uint32_t)args->hold_back};
    return 0;
}

static int new_predicted(struct stage *op, uint32_t steps, struct predicted *out)
{
    out->mean = arena_array(op->run->arena, steps + 1U, sizeof(double));
    out->variance = arena_array(op->run->arena, steps + 1U, sizeof(double));
    return out->mean && out->variance ? 0 : -1;
}

/* The period that was asked for or found; 0 when there is none, which LLP cannot do without. */
static uint32_t period_of(struct stage *op, const struct series_in *in, struct slice field)
{
    const struct predict_args *args = op->command->args;
    uint32_t period =
        args->period ? (uint32_t)args->period : forecast_period(in, op->run->arena);
    if (period && 2 * (uint64_t)period <= in->known)
        return period;
    if (args->algorithm == LLP || args->period)
        run_message(op->run, "predict-period", op->command, false,
                    period ? "predict: %.*s has fewer than two periods of rows, so it is predicted "
                             "without a season"
                           : "predict: no period was found in %.*s, so it is predicted without a "
                             "season; period= sets one",
                    SLICE_ARG(field));
    return 0;
}

static int run_model(struct stage *op, const struct series_in *in, struct slice field,
                     uint32_t steps, struct predicted *out)
{
    const struct predict_args *args = op->command->args;
    struct arena *arena = op->run->arena;
    bool seasonal = args->algorithm == LLP || args->algorithm == LLP5;
    uint32_t period = seasonal ? period_of(op, in, field) : 0;
    struct forecast_model model = {.trend = args->algorithm == LLT || args->algorithm == LLP5,
                                   .period = args->algorithm == LLP ? period : 0};
    double error;
    if (forecast_run(in, &model, steps, arena, out, &error) < 0)
        return -1;
    if (args->algorithm != LLP5 || !period)
        return 0;
    struct predicted second;
    model = (struct forecast_model){.period = period};
    if (new_predicted(op, steps, &second) < 0 ||
        forecast_run(in, &model, steps, arena, &second, &error) < 0)
        return -1;
    for (uint32_t t = 0; t < steps; t++) { /* a slope may do well one step ahead and not further */
        double own = second.variance[t] * second.variance[t], its = out->variance[t] * out->variance[t];
        double share = own + its > 0 ? own / (own + its) : 0.5; /* of the first */
        out->mean[t] = share * out->mean[t] + (1 - share) * second.mean[t];
        out->variance[t] = share * out->variance[t] + (1 - share) * second.variance[t];
    }
    return 0;
}

/* The number of deviations that hold this share: the inverse of the normal distribution by Newton. */
static double deviations(double percent)
{
    double share = percent / 100, z = 1;
    for (int i = 0; i < 50; i++) {
        double density = exp(-z * z / 2) * sqrt(2 / M_PI);
        z -= (erf(z / M_SQRT2) - share) / density;
        z = fmin(fmax(z, 0.001), 8);
    }
    return z;
}

static int put_series(struct stage *op, struct frame *frame, struct slice name,
                      const struct predicted *p, uint32_t steps, double z)
{
    struct column *to = frame_column(frame, name);
    (void)op;
    for (uint32_t t = 0; to && t < steps; t++) {
        double n = p->mean[t] + z * sqrt(fmax(p->variance[t], 0));
        if (isfinite(n) && column_add(frame->batch, to, t, rows_from_f64(n)) < 0)
            return -1;
    }
    return to ? frame_put(frame, to) : -1;
}

static int put_target(struct stage *op, struct frame *frame, const struct target *target,
                      const struct predicted *p, uint32_t steps)
{
    static const struct bound usual[] = {{true, 95, {NULL, 0}}, {false, 95, {NULL, 0}}};
    const struct predict_args *args = op->command->args;
    const struct bound *bounds = args->bound_count ? args->bounds : usual;
    size_t count = args->bound_count ? args->bound_count : ARRAY_COUNT(usual);
    if (args->suppress.ptr && (slice_equal(args->suppress, target->field) ||
                               slice_equal(args->suppress, target->as)))
        return 0;
    if (put_series(op, frame, target->as, p, steps, 0) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const struct bound *b = &bounds[i];
        double z = deviations(b->percent);
        struct slice name = arena_printf(op->run->arena, "%s%d(%.*s)", b->upper ? "upper" : "lower",
                                         (int)b->percent, SLICE_ARG(target->as));
        if (b->name.ptr) /* a name of one's own, told apart when there are several fields */
            name = args->count == 1 ? b->name
                                    : arena_printf(op->run->arena, "%.*s(%.*s)", SLICE_ARG(b->name),
                                                   SLICE_ARG(target->as));
        if (!name.ptr || put_series(op, frame, name, p, steps, b->upper ? z : -z) < 0)
            return -1;
    }
    return 0;
}

static int by_i64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* What one row is from the next: days, months and years by the calendar. */
static struct span step_of(const int64_t *times, uint32_t count, struct arena *arena)
{
    const int64_t day = 24 * 3600 * NS_PER_SECOND;
    int64_t *steps = arena_array(arena, count + 1U, sizeof(*steps));
    struct span step = {.kind = SPAN_TIME, .count = 1, .unit = TIME_UNIT_SECOND};
    if (!steps || count < 2)
        return step;
    for (uint32_t i = 1; i < count; i++)
        steps[i - 1] = times[i] - times[i - 1];
    qsort(steps, count - 1, sizeof(*steps), by_i64);
    int64_t usual = steps[(count - 1) / 2];
    if (usual >= 365 * day && usual <= 366 * day)
        step.unit = TIME_UNIT_YEAR;
    else if (usual >= 90 * day && usual <= 92 * day)
        step.unit = TIME_UNIT_QUARTER;
    else if (usual >= 28 * day && usual <= 31 * day)
        step.unit = TIME_UNIT_MONTH;
    else if (usual && usual % day == 0)
        step = (struct span){.kind = SPAN_TIME, .count = usual / day, .unit = TIME_UNIT_DAY};
    else
        step = (struct span){
            .kind = SPAN_TIME, .count = usual / 1000, .unit = TIME_UNIT_MICROSECOND};
    return step;
}

/* _time of the rows that come after the last one. */
static int put_times(struct stage *op, struct frame *frame, uint32_t rows, uint32_t steps,
                     struct err *err)
{
    struct arena *arena = op->run->arena;
    const struct column *old = batch_find(frame->batch, FIELD_TIMESTAMP);
    int64_t *times = arena_array(arena, rows + 1U, sizeof(*times)), at;
    struct column *to = frame_column(frame, FIELD_TIMESTAMP);
    if (!times || !to)
        return run_nomem(op->run, err);
    for (uint32_t row = 0; row < rows; row++)
        if (!old || !rows_time(column_first(old, row), &times[row]))
            return steps == rows ? 0
                                 : err_set(err, ERR_CONFIG, "predict needs a _time in every row, as "
                                                            "timechart makes it");
    struct span step = step_of(times, rows, arena);
    for (uint32_t row = 0; row < steps; row++) {
        at = row < rows ? times[row] : 0;
        if (row >= rows && !time_add_units(times[rows - 1], (int64_t)(row - rows + 1) * step.count,
                                           step.unit, op->run->scope.zone, &at))
            return err_set(err, ERR_CONFIG, "predict: times out of range");
        if (column_add(frame->batch, to, row, value_time(at)) < 0)
            return run_nomem(op->run, err);
    }
    return frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
}

static int predict_one(struct stage *op, struct frame *frame, const struct batch *rows, size_t index,
                       uint32_t steps, struct err *err)
{
    const struct predict_args *args = op->command->args;
    const struct target *target = &args->targets[index];
    struct series_in in, other;
    struct predicted p;
    if (read_series(op, rows, target->field, &in, err) < 0)
        return -1;
    int result = new_predicted(op, steps, &p);
    if (args->algorithm == LLB || args->algorithm == BILL) {
        bool both = args->algorithm == BILL;
        struct slice name = both ? args->targets[1 - index].field : args->correlate;
        if (read_series(op, rows, name, &other, err) < 0)
            return -1;
        if (result == 0)
            result = forecast_pair(&in, &other, !both, steps, op->run->arena, &p);
    } else if (result == 0) {
        result = run_model(op, &in, target->field, steps, &p);
    }
    return result < 0 || put_target(op, frame, target, &p, steps) < 0 ? run_nomem(op->run, err) : 0;
}

static int finish(struct stage *op, struct err *err)
{
    const struct predict_args *args = op->command->args;
    const struct batch *rows = ((struct hold *)op->state)->rows.batch;
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    uint32_t count = rows->row_count, future = (uint32_t)args->future;
    uint32_t ahead = future > (uint64_t)args->hold_back ? future - (uint32_t)args->hold_back : 0;
    frame.batch->row_count = count + ahead;
    if (put_times(op, &frame, count, count + ahead, err) < 0)
        return -1;
    for (size_t i = 0; i < args->count; i++)
        if (predict_one(op, &frame, rows, i, count + ahead, err) < 0)
            return -1;
    return hold_emit(op, &frame, err);
}

const struct command command_predict = {
    .name = "predict",
    .syntax = "predict FIELD [as NEW] ... [options]",
    .summary = "values to come: predict count as p algorithm=LLP future_timespan=24 upper90=high",
    .flags = COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = hold_make,
    .finish = finish,
    .want = want,
};
