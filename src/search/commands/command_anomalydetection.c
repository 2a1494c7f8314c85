/*
 * anomalydetection: rows that are unlikely.
 *
 *   histogram  a row's probability is the product of how often each of its values occurs: a text by
 *              its count, a number by its bin of the field's histogram. Unlikely are rows whose log is
 *              below p25 - 1.5 * (p75 - p25) of all rows' logs, or below log(pthresh) when that is
 *              given; cutoff=f takes the bound at p25 - 1.5 * ... even where most rows are equal
 *   zscore     a number that a normal distribution would give with a probability below pthresh; a
 *              text that is rarer than pthresh
 *   iqr        as outlier
 */
#include "search/commands/fences.h"
#include "search/group.h"
#include "search/hold.h"

#include <math.h>
#include <stdlib.h>

enum method { METHOD_HISTOGRAM, METHOD_ZSCORE, METHOD_IQR };
enum action { ACTION_FILTER, ACTION_ANNOTATE, ACTION_SUMMARY };

struct anomaly_args {
    enum method method;
    enum action action;
    struct slice method_name, action_name;
    struct value pthresh, param;
    bool cutoff;
    struct fence_args fence;
    struct field_list fields;
};

#define AT(field) offsetof(struct anomaly_args, field)
static const struct command_option options[] = {
    {.name = "method", OPTION_TEXT, AT(method_name), "histogram, zscore or iqr"},
    {.name = "action", OPTION_TEXT, AT(action_name), "filter, annotate or summary; of iqr transform or remove"},
    {.name = "pthresh", OPTION_NUMBER, AT(pthresh), "the probability below which a row is unlikely (0.01)"},
    {.name = "cutoff", OPTION_BOOL, AT(cutoff), "only what is rarer than 1 in 20 can be a cause (t)"},
    {.name = "param", OPTION_NUMBER, AT(param), "of iqr: how many times the middle half's width (2.5)"},
    {.name = "uselower", OPTION_BOOL, AT(fence.lower), "of iqr: small values too (f)"},
    {.name = "mark", OPTION_BOOL, AT(fence.mark), "of iqr: 000 before values that were cut (f)"},
};

static int read_names(struct spl_parser *p, struct anomaly_args *args)
{
    static const char *const methods[] = {"histogram", "zscore", "iqr"};
    static const char *const actions[] = {"filter", "annotate", "summary"};
    size_t method = 0, action = 0;
    while (args->method_name.ptr && method < 3 && !slice_is_nocase(args->method_name, methods[method]))
        method++;
    if (method == 3)
        return spl_fail(p, "method is histogram, zscore or iqr");
    args->method = (enum method)method;
    if (args->method == METHOD_IQR) {
        struct slice name = args->action_name;
        args->fence.remove = slice_is_nocase(name, "remove") || slice_is_nocase(name, "rm");
        bool transform =
            !name.ptr || slice_is_nocase(name, "transform") || slice_is_nocase(name, "tf");
        return args->fence.remove || transform
                   ? 0
                   : spl_fail(p, "action of method=iqr is transform (tf) or remove (rm)");
    }
    while (args->action_name.ptr && action < 3 && !slice_is_nocase(args->action_name, actions[action]))
        action++;
    args->action = (enum action)action;
    return action < 3 ? 0 : spl_fail(p, "action is filter, annotate or summary");
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct anomaly_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->cutoff = true;
    if (spl_take_fields_options(p, args, NULL, &args->fields) < 0 || read_names(p, args) < 0)
        return -1;
    args->fence.param = args->param.type ? value_to_f64(args->param) : 2.5;
    double threshold = args->pthresh.type ? value_to_f64(args->pthresh) : 0.01;
    return threshold > 0 && threshold <= 1 ? 0
                                           : spl_fail(p, "pthresh is more than 0 and at most 1");
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct anomaly_args *args = command->args;
    wanted_add_list(wanted, &args->fields);
    wanted->all |= !args->fields.count;
}

struct scores {
    double *log;     /* of each row: the sum over its fields */
    double *rarest;  /* the frequency of its rarest value */
    uint32_t *cause; /* the field that has it */
    double *most;    /* the frequency of the cause's most frequent value */
};

/* How often each row's value occurs in its field, as a share of the rows; 0: it has none. */
static int text_shares(const struct column *column, const struct batch *batch, double *shares,
                       double *most)
{
    struct intern values = {0};
    uint32_t *ids = arena_array(batch->arena, batch->row_count + 1U, sizeof(*ids));
    uint32_t *counts = arena_array(batch->arena, batch->row_count + 1U, sizeof(*counts));
    *most = 0;
    for (uint32_t row = 0; ids && counts && row < batch->row_count; row++) {
        struct value v = column_first(column, row);
        ids[row] = v.type == VALUE_NULL ? GROUP_NONE : intern_value(&values, batch->arena, v);
        if (ids[row] == GROUP_NONE && v.type != VALUE_NULL)
            return -1;
        if (ids[row] != GROUP_NONE)
            counts[ids[row]]++;
    }
    for (uint32_t row = 0; ids && counts && row < batch->row_count; row++) {
        shares[row] = ids[row] == GROUP_NONE ? 0 : (double)counts[ids[row]] / batch->row_count;
        *most = fmax(*most, shares[row]);
    }
    return ids && counts ? 0 : -1;
}

enum { BINS_MAX = 1000 };

static uint32_t bin_of(double n, double low, double width)
{
    double place = width > 0 ? floor((n - low) / width) : 0;
    return place >= BINS_MAX ? BINS_MAX - 1 : (uint32_t)place;
}

/* Bins as wide as Freedman and Diaconis have it (2 * iqr / cube root of the count), at most 1000. */
static void number_shares(const struct column *column, const struct batch *batch,
                         const double *sorted, uint32_t count, double *shares, double *most)
{
    double low = sorted[0], high = sorted[count - 1], n;
    double iqr = fence_rank(sorted, count, 75) - fence_rank(sorted, count, 25);
    double width = iqr > 0 ? 2 * iqr / cbrt(count) : (high - low) / (1 + log2(count));
    uint32_t bins[BINS_MAX] = {0};
    if ((high - low) / BINS_MAX > width)
        width = (high - low) / BINS_MAX;
    *most = 0;
    for (uint32_t row = 0; row < batch->row_count; row++)
        if (rows_number(column, row, &n))
            bins[bin_of(n, low, width)]++;
    for (uint32_t row = 0; row < batch->row_count; row++) {
        bool number = rows_number(column, row, &n);
        shares[row] = number ? (double)bins[bin_of(n, low, width)] / batch->row_count : 0;
        *most = fmax(*most, shares[row]);
    }
}

static int add_field(struct scores *scores, const struct batch *batch, const struct column *column,
                     uint32_t number, double *shares)
{
    uint32_t count, present = 0;
    double most;
    double *sorted = fence_numbers(column, batch, batch->arena, &count);
    for (uint32_t row = 0; row < batch->row_count; row++)
        present += column_first(column, row).type != VALUE_NULL;
    if (!sorted)
        return -1;
    if (count && count == present)
        number_shares(column, batch, sorted, count, shares, &most);
    else if (text_shares(column, batch, shares, &most) < 0)
        return -1;
    for (uint32_t row = 0; row < batch->row_count; row++) {
        if (shares[row] <= 0)
            continue;
        scores->log[row] += log(shares[row]);
        if (shares[row] < scores->rarest[row]) {
            scores->rarest[row] = shares[row];
            scores->cause[row] = number;
            scores->most[row] = most;
        }
    }
    return 0;
}

static int put_number(struct frame *frame, const char *name, uint32_t row, double n)
{
    return batch_put(frame->batch, row, slice_text(name), rows_from_f64(n));
}

static int annotate(struct frame *frame, const struct scores *scores, const struct slice *names)
{
    for (uint32_t row = 0; row < frame->batch->row_count; row++) {
        if (put_number(frame, "log_event_prob", row, scores->log[row]) < 0)
            return -1;
        if (scores->cause[row] == UINT32_MAX)
            continue;
        struct slice shown = spl_field_shown(names[scores->cause[row]], NULL);
        if (put_number(frame, "max_freq", row, scores->most[row]) < 0 ||
            batch_put(frame->batch, row, SLICE("probable_cause"), value_string(shown)) < 0 ||
            put_number(frame, "probable_cause_freq", row, scores->rarest[row]) < 0)
            return -1;
    }
    return 0;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct bounds {
    double p25, median, p75, mean, low, high, threshold;
};

static int find_bounds(struct stage *op, const struct scores *scores, uint32_t count,
                       struct bounds *out)
{
    const struct anomaly_args *args = op->command->args;
    double *sorted = arena_array(op->run->arena, count + 1U, sizeof(*sorted));
    if (!sorted)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        sorted[i] = scores->log[i];
        out->mean += scores->log[i] / count;
    }
    qsort(sorted, count, sizeof(*sorted), compare_doubles);
    out->p25 = fence_rank(sorted, count, 25);
    out->median = fence_rank(sorted, count, 50);
    out->p75 = fence_rank(sorted, count, 75);
    out->low = sorted[0];
    out->high = sorted[count - 1];
    out->threshold = args->pthresh.type ? log(value_to_f64(args->pthresh))
                                        : out->p25 - 1.5 * (out->p75 - out->p25);
    return 0;
}

static int emit_summary(struct stage *op, const struct bounds *b, uint32_t anomalies,
                        struct err *err)
{
    struct frame frame;
    struct batch *batch = frame_batch_new(op->run->arena, 1);
    const struct {
        const char *name;
        double n;
    } cells[] = {{"num_anomalies", anomalies}, {"thresh", b->threshold}, {"max_logprob", b->high},
                 {"min_logprob", b->low},      {"mean", b->mean},        {"1st_quartile", b->p25},
                 {"median", b->median},        {"3rd_quartile", b->p75}};
    if (!batch)
        return run_nomem(op->run, err);
    frame.batch = batch;
    for (size_t i = 0; i < ARRAY_COUNT(cells); i++)
        if (put_number(&frame, cells[i].name, 0, cells[i].n) < 0)
            return run_nomem(op->run, err);
    return stage_emit(op, batch, NULL, 1, err);
}

static int field_names(struct stage *op, const struct batch *batch, struct slice **names,
                       uint32_t *count)
{
    static const struct slice star = {"*", 1};
    const struct anomaly_args *args = op->command->args;
    struct field_list all = {.names = &star, .count = 1};
    return rows_expand(batch, args->fields.count ? &args->fields : &all, op->run->arena, names,
                       count);
}

static int histogram(struct stage *op, struct frame *frame, struct err *err)
{
    const struct anomaly_args *args = op->command->args;
    struct arena *arena = op->run->arena;
    uint32_t rows = frame->batch->row_count, count, anomalies = 0;
    size_t room = rows + 1U;
    struct slice *names;
    struct bounds bounds = {0};
    struct scores s = {arena_array(arena, room, 8), arena_array(arena, room, 8),
                       arena_array(arena, room, 4), arena_array(arena, room, 8)};
    double *shares = arena_array(arena, room, sizeof(*shares));
    if (!s.log || !s.rarest || !s.cause || !s.most || !shares ||
        field_names(op, frame->batch, &names, &count) < 0)
        return run_nomem(op->run, err);
    for (uint32_t row = 0; row < rows; row++) {
        s.rarest[row] = 2;
        s.cause[row] = UINT32_MAX;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct column *column = batch_find(frame->batch, names[i]);
        if (column && add_field(&s, frame->batch, column, i, shares) < 0)
            return run_nomem(op->run, err);
    }
    if (find_bounds(op, &s, rows, &bounds) < 0)
        return run_nomem(op->run, err);
    for (uint32_t row = 0; row < rows; row++) {
        bool rare = !args->cutoff || s.rarest[row] * 20 < s.most[row];
        bool out = s.log[row] < bounds.threshold && (args->pthresh.type || rare);
        anomalies += out;
        if (!out && args->action == ACTION_FILTER)
            bits_clear(frame->selected, row);
    }
    if (args->action == ACTION_SUMMARY)
        return emit_summary(op, &bounds, anomalies, err);
    if (annotate(frame, &s, names) < 0)
        return run_nomem(op->run, err);
    return rows_emit_kept(op, frame, frame->selected, err);
}

/* How likely a value as far from the mean is: both tails of the normal distribution. */
static double tail(double n, double mean, double deviation)
{
    return deviation > 0 ? erfc(fabs(n - mean) / deviation / sqrt(2)) : 1;
}

/* Anomaly_Score_Num(f) or Anomaly_Score_Cat(f) where the value is unlikely. */
static int score_field(struct stage *op, struct frame *frame, const struct column *column,
                       uint64_t *unlikely, uint32_t *anomalies)
{
    const struct anomaly_args *args = op->command->args;
    struct batch *batch = frame->batch;
    double threshold = args->pthresh.type ? value_to_f64(args->pthresh) : 0.01;
    uint32_t count, present = 0;
    double *sorted = fence_numbers(column, batch, batch->arena, &count);
    double *shares = arena_array(batch->arena, batch->row_count + 1U, sizeof(*shares));
    double most, mean = 0, squares = 0, n;
    if (!sorted || !shares || text_shares(column, batch, shares, &most) < 0)
        return -1;
    for (uint32_t row = 0; row < batch->row_count; row++)
        present += shares[row] > 0;
    for (uint32_t i = 0; i < count; i++)
        mean += sorted[i] / count;
    for (uint32_t i = 0; i < count; i++)
        squares += (sorted[i] - mean) * (sorted[i] - mean);
    bool number = count && count == present;
    double deviation = count > 1 ? sqrt(squares / (count - 1)) : 0;
    struct slice shown = spl_field_shown(column->name, NULL);
    struct slice name = arena_printf(batch->arena, "Anomaly_Score_%s(%.*s)", number ? "Num" : "Cat",
                                     SLICE_ARG(shown));
    struct column *to = name.ptr ? frame_column(frame, name) : NULL;
    for (uint32_t row = 0; to && row < batch->row_count; row++) {
        if (shares[row] <= 0)
            continue;
        double p = number && rows_number(column, row, &n) ? tail(n, mean, deviation) : shares[row];
        if (p >= threshold)
            continue;
        *anomalies += !bits_get(unlikely, row);
        bits_set(unlikely, row);
        if (column_add(batch, to, row, value_f64(p)) < 0)
            return -1;
    }
    return !to ? -1 : to->count ? frame_put(frame, to) : 0;
}

static int zscore(struct stage *op, struct frame *frame, struct err *err)
{
    const struct anomaly_args *args = op->command->args;
    uint32_t rows = frame->batch->row_count, count;
    uint64_t *unlikely = arena_calloc(op->run->arena, bits_words(rows) * 8 + 8);
    struct slice *names;
    if (!unlikely || field_names(op, frame->batch, &names, &count) < 0)
        return run_nomem(op->run, err);
    struct batch *summary = frame_batch_new(op->run->arena, 0);
    for (uint32_t i = 0; summary && i < count; i++) {
        const struct column *column = batch_find(frame->batch, names[i]);
        uint64_t *own = arena_calloc(op->run->arena, bits_words(rows) * 8 + 8);
        uint32_t found = 0;
        if (!column)
            continue;
        if (!own || score_field(op, frame, column, own, &found) < 0)
            return run_nomem(op->run, err);
        uint32_t row = summary->row_count++;
        struct value shown = value_string(spl_field_shown(names[i], NULL));
        if (batch_put(summary, row, SLICE("fieldname"), shown) < 0 ||
            batch_put(summary, row, SLICE("num_anomalies"), value_i64(found)) < 0)
            return run_nomem(op->run, err);
        for (uint32_t r = 0; r < rows; r++)
            if (bits_get(own, r))
                bits_set(unlikely, r);
    }
    if (!summary)
        return run_nomem(op->run, err);
    if (args->action == ACTION_SUMMARY)
        return stage_emit(op, summary, NULL, summary->row_count, err);
    return rows_emit_kept(op, frame, args->action == ACTION_FILTER ? unlikely : frame->selected,
                          err);
}

static int finish(struct stage *op, struct err *err)
{
    const struct anomaly_args *args = op->command->args;
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    if (args->method == METHOD_HISTOGRAM)
        return histogram(op, &frame, err);
    if (args->method == METHOD_ZSCORE)
        return zscore(op, &frame, err);
    if (fences_apply(op, &frame, &args->fence, &args->fields, frame.selected, err) < 0)
        return -1;
    return rows_emit_kept(op, &frame, frame.selected, err);
}

const struct command command_anomalydetection = {
    .name = "anomalydetection",
    .syntax = "anomalydetection [options] [FIELD ...]",
    .summary = "rows that are unlikely: anomalydetection method=zscore action=annotate bytes",
    .flags = COMMAND_HOLDS | COMMAND_TRANSFORMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = hold_make,
    .finish = finish,
    .want = want,
};
