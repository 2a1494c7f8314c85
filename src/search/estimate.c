#include "search/estimate.h"

#include "base/limits.h"
#include "search/trial.h"

#include <math.h>
#include <stdlib.h>

/* ---- two trials --------------------------------------------------------------------------- */

static int write_nothing(void *context, struct slice name, struct slice csv, struct err *err)
{
    (void)context, (void)name, (void)csv, (void)err;
    return 0;
}

static int collect_nothing(void *context, struct slice stream, struct slice source,
                           struct slice lines, uint32_t count, struct err *err)
{
    (void)context, (void)stream, (void)source, (void)lines, (void)count, (void)err;
    return 0;
}

static int run_trial(const struct spl_query *query, const struct search_options *options,
                     struct search_trial *trial, struct err *err)
{
    static const struct search_writer nothing = {.table = write_nothing,
                                                 .collect = collect_nothing};
    struct search_options with = *options;
    struct search *search;
    with.trial = trial;
    with.writer = options->writer ? &nothing : NULL;
    with.take = NULL;
    with.progress = NULL;
    if (search_new(query, &with, &search, err) < 0)
        return -1;
    int result = search_run(search, err);
    search_free(search);
    return result;
}

/* ---- from the sample to the whole --------------------------------------------------------- */

/* So many come of whole, when some came of few and more of many. Between what grows without end, as
 * values that are met with a long tail, and what is soon complete, as values that are all as frequent. */
static double grown(double few, double some, double many, double more, double whole)
{
    if (more <= 0 || many <= 0)
        return 0;
    if (whole <= many || few <= 0 || some <= 0 || many < 1.2 * few || more >= 0.98 * some * many / few)
        return more * whole / many;
    if (more <= some)
        return more;
    double power = log(more / some) / log(many / few);
    double tail = more * pow(whole / many, power);
    double stays = pow(more / some - 1, 1 / (many / few - 1));
    double soon = some / (1 - stays) * (1 - pow(stays, whole / few));
    return stays < 1 && soon > more ? sqrt(tail * soon) : tail;
}

/* Of a survey what the search will come to. */
struct extent {
    double blocks, rows, bytes;
};

static int newest_first(const void *a, const void *b)
{
    const struct survey_block *x = a, *y = b;
    return (x->time_max < y->time_max) - (x->time_max > y->time_max);
}

/* share: rows given of those looked at. A search for few rows is over when it has them. */
static struct extent extent_of(const struct search_trial *trial, double share)
{
    const struct scan_survey *survey = &trial->survey;
    double enough = (double)trial->request.rows_enough;
    struct extent sum = {0, 0, 0};
    if (enough > 0)
        qsort(survey->blocks, survey->count, sizeof(*survey->blocks), newest_first);
    for (size_t i = 0; i < survey->count; i++) {
        sum.blocks += survey->each;
        sum.rows += survey->each * survey->blocks[i].rows;
        sum.bytes += survey->each * survey->blocks[i].bytes;
        if (enough > 0 && sum.rows * share >= enough)
            break;
    }
    return sum;
}

static struct extent sampled(const struct search_trial *trial)
{
    struct extent sum = {(double)trial->sample.count, 0, 0};
    for (size_t i = 0; i < trial->sample.count; i++) {
        sum.rows += trial->sample.blocks[i].rows;
        sum.bytes += trial->sample.blocks[i].bytes;
    }
    return sum;
}

enum { GROUPS_MANY = 1000, SURE_NS = 20 * 1000 * 1000 };
enum { SPILL_NS = 5 }; /* a byte of rows that goes to the temporary file and comes back */

static double ratio(double whole, double part)
{
    return part > 0 ? whole / part : 1;
}

static uint64_t whole_number(double n)
{
    return n > 0 ? (uint64_t)(n + 0.5) : 0;
}

/* What reading costs; rows that pass are returned. */
static double add_source(const struct search_trial *half, const struct search_trial *full,
                         struct search_estimate *out, double *cpu)
{
    const struct scan_survey *survey = &full->survey;
    if (!full->surveyed) {
        *cpu += (double)full->source_ns;
        out->rows += full->rows_given;
        out->rows_matched += full->rows_given;
        return (double)full->rows_given;
    }
    struct extent part = sampled(full), first = sampled(half);
    bool few = full->request.rows_enough > 0; /* of the first block: behind it only newer ones count */
    double share = few ? ratio((double)half->rows_given, first.rows)
                       : ratio((double)full->rows_given, part.rows);
    struct extent whole = extent_of(full, share);
    double times = full->satisfied ? 1 : ratio(whole.rows, part.rows);
    double ruled_out = survey->each * (double)survey->ruled_out;
    double seen = (double)(survey->count + survey->ruled_out);
    double passed = (double)full->rows_given * times;
    out->blocks += whole_number(ruled_out + survey->each * (double)survey->count);
    out->blocks_read +=
        whole_number((double)full->stats.blocks_read * ratio(whole.blocks, part.blocks));
    out->rows += whole_number((double)full->stats.rows_read * times);
    out->bytes += whole_number((double)full->stats.bytes_read *
                                 (part.bytes > 0 && !full->satisfied ? whole.bytes / part.bytes : times) +
                             ratio((double)survey->bytes_read * ruled_out, seen));
    if (few && passed > (double)full->request.rows_enough)
        passed = (double)full->request.rows_enough;
    out->rows_matched += whole_number(passed);
    *cpu += (double)full->source_ns * times +
            (seen > 0 ? (double)full->survey_ns * ruled_out / seen : 0);
    return passed;
}

static double finish_cost(const struct trial_stage *half, const struct trial_stage *full,
                          double in, double out_grows)
{
    double took = (double)full->finish_ns, more = ratio(in, (double)full->rows);
    if (!full->holds || more <= 1)
        return took;
    double power = took > SURE_NS && half->finish_ns > 0 && full->rows > half->rows && half->rows
                       ? log(took / (double)half->finish_ns) /
                             log((double)full->rows / (double)half->rows)
                       : 0;
    if (power > 1.5) /* every row with every other, say */
        return took * pow(more, power < 2 ? power : 2);
    if (out_grows > 1)
        return took * out_grows * (1 + log2(out_grows) / 32);
    return grown((double)half->rows, (double)half->finish_ns, (double)full->rows, took, in);
}

/* A table of groups that leaves the processor's caches makes rows dearer: measured, by an eighth each time
 * it doubles. */
static double push_cost(const struct trial_stage *full, double in, double few, double out)
{
    double rows = (double)full->rows, took = (double)full->push_ns * ratio(in, rows);
    bool groups = full->holds && !full->in_rows && few > GROUPS_MANY && few < 0.9 * rows;
    return groups && out > few ? took * (1 + log2(out / few) / 8) : took;
}

/* What the stages cost when so many rows come to the first of them; those of the answer are
 * returned. */
static double add_stages(const struct search_trial *half, const struct search_trial *full,
                         double in, double *cpu)
{
    for (size_t i = 0; i < full->stage_count; i++) {
        const struct trial_stage *b = &full->stages[i];
        const struct trial_stage *a = i < half->stage_count ? &half->stages[i] : b;
        bool last = i + 1 == full->stage_count;
        double out = in;
        if (!last && b->in_rows)
            out = (double)b[1].rows * ratio(in, (double)b->rows);
        else if (!last)
            out = grown((double)a->rows, (double)a[1].rows, (double)b->rows, (double)b[1].rows, in);
        if (full->satisfied && !last && out > (double)b[1].rows)
            out = (double)b[1].rows;
        *cpu += push_cost(b, in, last ? 0 : (double)b[1].rows, out) +
                finish_cost(a, b, in, last ? 1 : ratio(out, (double)b[1].rows));
        in = out;
    }
    return in;
}

static const struct search_trial *sub_at(const struct search_trial *trial, size_t index)
{
    const struct search_trial *sub = trial->subs;
    size_t count = 0;
    for (; sub; sub = sub->next)
        count++;
    if (index >= count)
        return NULL;
    for (sub = trial->subs; count-- > index + 1; sub = sub->next)
        continue;
    return sub;
}

static void add_trials(const struct search_trial *half, const struct search_trial *full,
                       struct search_estimate *out, double *cpu)
{
    double in = 0;
    *cpu += (double)(full->plan_ns + full->fixed_ns);
    if (full->has_source)
        in = add_source(half, full, out, cpu);
    if (full->has_source && !full->rows_pushed)
        in = 0;
    out->rows_answer = whole_number(add_stages(half, full, in, cpu));
    double held = grown((double)half->rows_pushed, (double)half->held_bytes,
                        (double)full->rows_pushed, (double)full->held_bytes, in);
    out->held_bytes = held > (double)out->held_bytes ? (uint64_t)held : out->held_bytes;
    double stays = (double)full->held_max / 2;
    out->may_spill |= full->spilled || held > stays;
    *cpu += held > stays && !full->spilled ? (held - stays) * SPILL_NS : 0;
    const struct search_trial *sub;
    uint64_t answer = out->rows_answer, matched = out->rows_matched;
    for (size_t i = 0; (sub = sub_at(full, i)); i++) {
        const struct search_trial *twin = sub_at(half, i);
        add_trials(twin ? twin : sub, sub, out, cpu);
    }
    out->rows_answer = answer;
    out->rows_matched = matched;
}

/* Both trials, within a sample of so many blocks and rows of each. 1: they take too long. */
static int try_both(const struct spl_query *query, const struct search_options *options,
                    struct search_trial *half, struct search_trial *full, struct err *err)
{
    const struct hin_clock *clock = options->clock ? options->clock : clock_real();
    int64_t until = clock_mono_ns(clock) + ESTIMATE_TRIAL_MS * NS_PER_MS;
    struct search_options with = *options;
    with.time_max_ms = ESTIMATE_TRIAL_MS;
    int result = run_trial(query, &with, half, err);
    half->clock->owner = NULL;
    if (result == 0)
        result = run_trial(query, &with, full, err);
    full->clock->owner = NULL;
    return result < 0 && err->code == ERR_LIMIT && clock_mono_ns(clock) >= until ? 1 : result;
}

int search_estimate(const struct spl_query *query, const struct search_options *options,
                    struct search_estimate *out, struct err *err)
{
    static const struct sample {
        size_t blocks;
        uint32_t rows;
    } samples[] = {{8, 16384}, {1, 1024}, {1, 128}};
    struct trial_clock clock = {0};
    int64_t began = clock_thread_cpu_ns();
    struct arena *arena = arena_new(MEMORY_QUERY_MAX);
    struct search_trial half, full;
    int result = arena ? 1 : err_nomem(err);
    for (size_t i = 0; result == 1 && i < ARRAY_COUNT(samples); i++) {
        full = (struct search_trial){.clock = &clock, .arena = arena,
                                     .blocks_most = samples[i].blocks,
                                     .rows_most = samples[i].rows};
        half = full;
        half.half = true;
        result = try_both(query, options, &half, &full, err);
    }
    *out = (struct search_estimate){0};
    double cpu = 0;
    if (result == 0)
        add_trials(&half, &full, out, &cpu);
    out->cpu_ns = (int64_t)cpu;
    out->took_ns = clock_thread_cpu_ns() - began;
    arena_free(arena);
    return result == 1 ? err_set(err, ERR_LIMIT, "what the search costs cannot be told: even a small part of "
                                                 "it takes longer than %d ms", ESTIMATE_TRIAL_MS)
                       : result;
}
