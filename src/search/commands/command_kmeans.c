/*
 * kmeans: rows in k groups by the distance of their numbers (Lloyd's algorithm, begun as k-means++ has
 * it, several times; the best one counts). The begin is drawn from a fixed seed, so the same rows give
 * the same groups, which are numbered in the order their first rows come.
 */
#include "base/rand.h"
#include "search/hold.h"
#include "search/rows.h"

#include <math.h>


enum kmeans_distance { DISTANCE_SQUARE, DISTANCE_L1, DISTANCE_L2, DISTANCE_COSINE };

struct kmeans_args {
    struct slice k, distance_name, number_field;
    int64_t k_low, k_high, reps, iterations;
    struct value tolerance;
    enum kmeans_distance distance;
    bool centroids;
    struct field_list fields;
};

#define AT(f) offsetof(struct kmeans_args, f)
static const struct command_option options[] = {
    {.name = "k", OPTION_TEXT, AT(k), "groups: 3, or 2-8 to compare them (2)"},
    {.name = "reps", OPTION_I64, AT(reps), "beginnings (10)"},
    {.name = "maxiters", OPTION_I64, AT(iterations), "rounds at most (10000)"},
    {.name = "t", OPTION_NUMBER, AT(tolerance), "stops when the distances change by less (0)"},
    {.name = "cnumfield", OPTION_FIELD, AT(number_field), "the group's number (CLUSTERNUM)"},
    {.name = "distype", OPTION_TEXT, AT(distance_name), "sq, l1, l2 or cos"},
    {.name = "showcentroid", OPTION_BOOL, AT(centroids), "the group's middle as centroid_FIELD (t)"},
};

static int read_names(struct spl_parser *p, struct kmeans_args *args)
{
    static const struct {
        const char *name;
        enum kmeans_distance distance;
    } names[] = {{"sq", DISTANCE_SQUARE},       {"sqeuclidean", DISTANCE_SQUARE},
                 {"l1", DISTANCE_L1},           {"l1norm", DISTANCE_L1},
                 {"cityblock", DISTANCE_L1},    {"l2", DISTANCE_L2},
                 {"l2norm", DISTANCE_L2},       {"euclidean", DISTANCE_L2},
                 {"cos", DISTANCE_COSINE},      {"cosine", DISTANCE_COSINE}};
    size_t i = 0;
    struct slice low = args->k, high = args->k;
    while (i < ARRAY_COUNT(names) && !slice_is_nocase(args->distance_name, names[i].name))
        i++;
    if (i == ARRAY_COUNT(names))
        return spl_fail(p, "distype is sq, l1, l2 or cos");
    args->distance = names[i].distance;
    slice_cut(args->k, '-', &low, &high);
    if (!slice_to_i64(low, &args->k_low) || !slice_to_i64(high, &args->k_high) ||
        args->k_low < 1 || args->k_high < args->k_low || args->k_high > KMEANS_GROUPS_MAX)
        return spl_fail(p, "k is a number of groups such as 3, or 2-8, at most %d",
                        KMEANS_GROUPS_MAX);
    return 0;
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct kmeans_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    *args = (struct kmeans_args){.k = SLICE("2"),
                                 .distance_name = SLICE("sq"),
                                 .number_field = SLICE("CLUSTERNUM"),
                                 .reps = 10,
                                 .iterations = 10000,
                                 .centroids = true};
    if (spl_take_fields_options(p, args, NULL, &args->fields) < 0)
        return -1;
    if (!args->reps || !args->iterations)
        return spl_fail(p, "reps and maxiters are at least 1");
    return read_names(p, args);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct kmeans_args *args = command->args;
    wanted_add_list(wanted, &args->fields);
    wanted->all |= !args->fields.count;
}

/* Rows that have a number in every field, as points. */
struct points {
    struct slice *names;
    uint32_t width, count;
    double *at;     /* count * width */
    uint32_t *rows; /* of the batch */
};

static const double *point(const struct points *p, uint32_t i)
{
    return p->at + (size_t)i * p->width;
}

/* Without a list: the fields that hold a number in some row. */
static int choose_fields(struct stage *op, const struct batch *batch, struct points *p)
{
    static const struct slice star = {"*", 1};
    const struct kmeans_args *args = op->command->args;
    struct field_list all = {.names = &star, .count = 1};
    uint32_t kept = 0;
    double n;
    if (rows_expand(batch, args->fields.count ? &args->fields : &all, op->run->arena, &p->names,
                    &p->width) < 0)
        return -1;
    for (uint32_t i = 0; i < p->width; i++) {
        const struct column *column = batch_find(batch, p->names[i]);
        bool some = args->fields.count > 0;
        for (uint32_t row = 0; !some && row < batch->row_count; row++)
            some = rows_number(column, row, &n);
        if (some)
            p->names[kept++] = p->names[i];
    }
    p->width = kept;
    return 0;
}

static int take_points(struct stage *op, const struct batch *batch, struct points *p)
{
    struct arena *arena = op->run->arena;
    if (choose_fields(op, batch, p) < 0)
        return -1;
    p->at = arena_array(arena, (size_t)batch->row_count * p->width + 1, sizeof(*p->at));
    p->rows = arena_array(arena, batch->row_count + 1U, sizeof(*p->rows));
    for (uint32_t row = 0; p->at && p->rows && row < batch->row_count && p->width; row++) {
        uint32_t i = 0;
        double *to = p->at + (size_t)p->count * p->width;
        while (i < p->width && rows_number(batch_find(batch, p->names[i]), row, &to[i]))
            i++;
        if (i == p->width)
            p->rows[p->count++] = row;
    }
    return p->at && p->rows ? 0 : -1;
}

static double distance(enum kmeans_distance kind, const double *a, const double *b, uint32_t width)
{
    double sum = 0, dot = 0, aa = 0, bb = 0;
    for (uint32_t i = 0; i < width; i++) {
        double d = a[i] - b[i];
        sum += kind == DISTANCE_L1 ? fabs(d) : d * d;
        dot += a[i] * b[i];
        aa += a[i] * a[i];
        bb += b[i] * b[i];
    }
    if (kind == DISTANCE_COSINE)
        return aa > 0 && bb > 0 ? 1 - dot / sqrt(aa * bb) : 1;
    return kind == DISTANCE_L2 ? sqrt(sum) : sum;
}

struct solution {
    uint32_t k;
    double *centres; /* k * width */
    uint32_t *group; /* of each point */
    double total;    /* of all distances */
    uint32_t rounds;
};

/* k-means++: each further centre is a point, drawn by its distance to the nearest one. */
static void begin(const struct points *p, const struct kmeans_args *args, struct solution *s,
                  double *nearest, const struct hin_rand *rand)
{
    for (uint32_t c = 0; c < s->k; c++) {
        double sum = 0;
        uint32_t chosen = (uint32_t)rand_below(rand, p->count);
        for (uint32_t i = 0; c && i < p->count; i++) {
            const double *last = s->centres + (size_t)(c - 1) * p->width;
            double d = distance(args->distance, point(p, i), last, p->width);
            nearest[i] = c == 1 || d < nearest[i] ? d : nearest[i];
            sum += nearest[i];
        }
        double draw = rand_unit(rand) * sum;
        for (uint32_t i = 0; c && sum > 0 && i < p->count; i++) {
            draw -= nearest[i];
            if (nearest[i] > 0)
                chosen = i;
            if (draw <= 0)
                break;
        }
        memcpy(s->centres + (size_t)c * p->width, point(p, chosen), p->width * sizeof(double));
    }
}

static double assign(const struct points *p, const struct kmeans_args *args, struct solution *s)
{
    double total = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        double best = INFINITY;
        for (uint32_t c = 0; c < s->k; c++) {
            double d = distance(args->distance, point(p, i), s->centres + (size_t)c * p->width,
                                p->width);
            if (d < best) {
                best = d;
                s->group[i] = c;
            }
        }
        total += best;
    }
    return total;
}

static void move(const struct points *p, struct solution *s, uint32_t *sizes)
{
    memset(sizes, 0, s->k * sizeof(*sizes));
    for (uint32_t i = 0; i < p->count; i++)
        sizes[s->group[i]]++;
    for (uint32_t c = 0; c < s->k; c++)
        for (uint32_t f = 0; sizes[c] && f < p->width; f++)
            s->centres[(size_t)c * p->width + f] = 0;
    for (uint32_t i = 0; i < p->count; i++)
        for (uint32_t f = 0; f < p->width; f++)
            s->centres[(size_t)s->group[i] * p->width + f] +=
                point(p, i)[f] / sizes[s->group[i]];
}

static int solve_once(struct stage *op, const struct points *p, struct solution *s, double *nearest,
                      uint32_t *sizes, const struct hin_rand *rand, struct err *err)
{
    const struct kmeans_args *args = op->command->args;
    double tolerance = args->tolerance.type ? value_to_f64(args->tolerance) : 0;
    begin(p, args, s, nearest, rand);
    s->total = assign(p, args, s);
    for (s->rounds = 1; s->rounds < args->iterations; s->rounds++) {
        double before = s->total;
        if (run_check(op->run, err) < 0)
            return -1;
        move(p, s, sizes);
        s->total = assign(p, args, s);
        if (before - s->total <= tolerance)
            break;
    }
    return 0;
}

/* The best of several begins, in *best. */
static int solve(struct stage *op, const struct points *p, uint32_t k, struct solution *best,
                 struct err *err)
{
    const struct kmeans_args *args = op->command->args;
    struct arena *arena = op->run->arena;
    struct rand_seeded seeded;
    double *nearest = arena_array(arena, p->count + 1U, sizeof(*nearest));
    uint32_t *sizes = arena_array(arena, k + 1U, sizeof(*sizes));
    struct solution pair[2];
    rand_seeded_init(&seeded, 1);
    for (int i = 0; i < 2; i++) {
        pair[i] = (struct solution){.k = k, .total = INFINITY};
        pair[i].centres = arena_array(arena, (size_t)k * p->width + 1, sizeof(double));
        pair[i].group = arena_array(arena, p->count + 1U, sizeof(uint32_t));
        if (!pair[i].centres || !pair[i].group || !nearest || !sizes)
            return run_nomem(op->run, err);
    }
    for (int64_t rep = 0; rep < args->reps; rep++) {
        if (solve_once(op, p, &pair[1], nearest, sizes, &seeded.rand, err) < 0)
            return -1;
        if (pair[1].total < pair[0].total) {
            struct solution swap = pair[0];
            pair[0] = pair[1];
            pair[1] = swap;
        }
    }
    *best = pair[0];
    return 0;
}

static int emit_rows(struct stage *op, struct frame *frame, const struct points *p,
                     const struct solution *s, struct err *err)
{
    const struct kmeans_args *args = op->command->args;
    struct arena *arena = op->run->arena;
    uint32_t *numbers = arena_array(arena, s->k + 1U, sizeof(*numbers)), next = 0;
    struct column *to = frame_column(frame, args->number_field);
    for (uint32_t i = 0; numbers && to && i < p->count; i++) {
        uint32_t c = s->group[i];
        numbers[c] = numbers[c] ? numbers[c] : ++next;
        if (column_add(frame->batch, to, p->rows[i], value_i64(numbers[c])) < 0)
            return run_nomem(op->run, err);
    }
    if (!numbers || !to || frame_put(frame, to) < 0)
        return run_nomem(op->run, err);
    for (uint32_t f = 0; args->centroids && f < p->width; f++) {
        struct slice name = arena_printf(arena, "centroid_%.*s", SLICE_ARG(p->names[f]));
        struct column *middle = name.ptr ? frame_column(frame, name) : NULL;
        for (uint32_t i = 0; middle && i < p->count; i++)
            if (column_add(frame->batch, middle, p->rows[i],
                           rows_from_f64(s->centres[(size_t)s->group[i] * p->width + f])) < 0)
                return run_nomem(op->run, err);
        if (!middle || frame_put(frame, middle) < 0)
            return run_nomem(op->run, err);
    }
    return hold_emit(op, frame, err);
}

/* k=2-8: a row for each k. */
static int emit_comparison(struct stage *op, const struct points *p, struct err *err)
{
    const struct kmeans_args *args = op->command->args;
    struct batch *out = frame_batch_new(op->run->arena, 0);
    if (!out)
        return run_nomem(op->run, err);
    for (int64_t k = args->k_low; k <= args->k_high && k <= p->count; k++) {
        struct solution s;
        uint32_t row = out->row_count++;
        if (solve(op, p, (uint32_t)k, &s, err) < 0)
            return -1;
        if (batch_put(out, row, SLICE("k"), value_i64(k)) < 0 ||
            batch_put(out, row, SLICE("iterations"), value_i64(s.rounds)) < 0 ||
            batch_put(out, row, SLICE("distortion"), rows_from_f64(s.total)) < 0)
            return run_nomem(op->run, err);
    }
    return stage_emit(op, out, NULL, out->row_count, err);
}

static int finish(struct stage *op, struct err *err)
{
    const struct kmeans_args *args = op->command->args;
    struct points p = {0};
    struct solution s;
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    if (take_points(op, frame.batch, &p) < 0)
        return run_nomem(op->run, err);
    if (p.width > KMEANS_FIELDS_MAX)
        return err_set(err, ERR_LIMIT, "kmeans takes at most %d fields; name those that count",
                       KMEANS_FIELDS_MAX);
    if (!p.width)
        return err_set(err, ERR_CONFIG, "kmeans needs fields that hold numbers");
    if (args->k_low != args->k_high)
        return emit_comparison(op, &p, err);
    if (p.count < args->k_low)
        return err_set(err, ERR_CONFIG, "kmeans: %u rows with numbers cannot make %lld groups",
                       p.count, (long long)args->k_low);
    if (solve(op, &p, (uint32_t)args->k_low, &s, err) < 0)
        return -1;
    return emit_rows(op, &frame, &p, &s, err);
}

const struct command command_kmeans = {
    .name = "kmeans",
    .syntax = "kmeans [options] [FIELD ...]",
    .summary = "rows in groups by their numbers: kmeans k=3 bytes duration",
    .flags = COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = hold_make,
    .finish = finish,
    .want = want,
};
