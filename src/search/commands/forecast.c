#include "search/commands/forecast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *list, uint32_t count)
{
    if (!count)
        return 0;
    qsort(list, count, sizeof(*list), by_number);
    return count % 2 ? list[count / 2] : (list[count / 2 - 1] + list[count / 2]) / 2;
}

/* ---- the period ---- */

/* Without its straight line, gaps at 0, and cut to what 98 of 100 values keep to. */
static uint32_t flatten(const struct series_in *in, double *out, double *work)
{
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    uint32_t count = 0;
    for (uint32_t t = 0; t < in->known; t++) {
        double y = in->values[t];
        if (isnan(y))
            continue;
        n++, sx += t, sy += y, sxx += (double)t * t, sxy += t * y;
    }
    double below = n * sxx - sx * sx;
    double slope = below > 0 ? (n * sxy - sx * sy) / below : 0, start = n > 0 ? (sy - slope * sx) / n : 0;
    for (uint32_t t = 0; t < in->known; t++) {
        bool some = !isnan(in->values[t]);
        out[t] = some ? in->values[t] - start - slope * t : 0;
        if (some)
            work[count++] = out[t];
    }
    if (count)
        qsort(work, count, sizeof(*work), by_number);
    for (uint32_t t = 0; count && t < in->known; t++)
        out[t] = fmin(fmax(out[t], work[count / 100]), work[count - 1 - count / 100]);
    return count;
}

/* The mean product of values so far apart, of those that are there. */
static double likeness(const struct series_in *in, const double *flat, uint32_t lag)
{
    double sum = 0;
    uint32_t pairs = 0;
    for (uint32_t t = lag; t < in->known; t++)
        if (!isnan(in->values[t]) && !isnan(in->values[t - lag])) {
            sum += flat[t] * flat[t - lag];
            pairs++;
        }
    return pairs ? sum / pairs : 0;
}

uint32_t forecast_period(const struct series_in *in, struct arena *arena)
{
    double *flat = arena_array(arena, in->known + 1U, sizeof(*flat));
    double *like = arena_array(arena, in->known + 1U, sizeof(*like));
    uint32_t lags = in->known / 2 < FORECAST_PERIOD_MAX ? in->known / 2 : FORECAST_PERIOD_MAX;
    double own = 0, best = 0;
    uint32_t present = flat && like ? flatten(in, flat, like) : 0;
    if (present < 8)
        return 0;
    for (uint32_t t = 0; t < in->known; t++)
        own += flat[t] * flat[t] / present;
    for (uint32_t lag = 1; own > 0 && lag <= lags; lag++)
        like[lag] = likeness(in, flat, lag) / own;
    if (!(own > 0))
        return 0;
    /* a peak, after it has once been unlike itself or nearly so */
    bool fell = false;
    for (int round = 0; round < 2; round++) {
        fell = false;
        for (uint32_t lag = 1; lag < lags; lag++) {
            fell |= like[lag] < 0.2 || (lag > 1 && like[lag] < like[lag - 1]);
            bool peak = fell && lag > 1 && like[lag] >= like[lag - 1] && like[lag] >= like[lag + 1];
            if (!peak)
                continue;
            if (round == 1 && like[lag] >= 0.9 * best)
                return lag;
            best = round == 0 && like[lag] > best ? like[lag] : best;
        }
        if (best < 0.3 || best < 2 / sqrt(in->known))
            return 0;
    }
    return 0;
}

/* ---- one series ---- */

struct gains {
    double level, slope, season;
};

struct filter {
    const struct series_in *in;
    const struct forecast_model *model;
    double level, slope;
    double *season;       /* state while running */
    double *first_season; /* at the beginning */
    double first_level, first_slope;
    double scale; /* of a usual error; errors beyond 3 of it are clipped */
};

/* The beginning: level and slope from the medians of the first and the last stretch, the season as the
 * median of each phase's distance from a running mean over a period. */
static int begin(struct filter *f, struct arena *arena)
{
    uint32_t known = f->in->known, m = f->model->period;
    uint32_t stretch = m ? m : known < 10 ? (known + 1) / 2 : 5;
    double *work = arena_array(arena, known + 1U, sizeof(*work));
    double ends[2] = {0, 0};
    f->season = arena_array(arena, m + 1U, sizeof(double));
    f->first_season = arena_array(arena, m + 1U, sizeof(double));
    if (!work || !f->season || !f->first_season)
        return -1;
    for (int end = 0; end < 2; end++) {
        uint32_t count = 0, from = end ? (known > stretch ? known - stretch : 0) : 0;
        for (uint32_t t = from; t < known && t < from + stretch; t++)
            if (!isnan(f->in->values[t]))
                work[count++] = f->in->values[t];
        double sum = 0;
        for (uint32_t i = 0; i < count; i++)
            sum += work[i];
        /* over a whole period the mean is right; of a short stretch the median is safer */
        ends[end] = m && count ? sum / count : median(work, count);
    }
    f->first_slope = f->model->trend && known > stretch ? (ends[1] - ends[0]) / (known - stretch) : 0;
    f->first_level = ends[0] - f->first_slope * (stretch + 1) / 2;
    for (uint32_t phase = 0; phase < m; phase++) {
        uint32_t count = 0;
        for (uint32_t t = phase; t < known; t += m) {
            double sum = 0;
            uint32_t n = 0, from = t < m / 2 ? 0 : t - m / 2;
            from = from + m > known ? (known > m ? known - m : 0) : from;
            for (uint32_t k = from; k < from + m && k < known; k++)
                if (!isnan(f->in->values[k])) {
                    sum += f->in->values[k];
                    n++;
                }
            if (n && !isnan(f->in->values[t]))
                work[count++] = f->in->values[t] - sum / n;
        }
        f->first_season[phase] = median(work, count);
    }
    return 0;
}

static double clipped(const struct filter *f, double e)
{
    double most = 3 * f->scale;
    return f->scale > 0 && fabs(e) > most ? copysign(most, e) : e;
}

/* One way through what is known; the mean of the clipped errors' squares. means may be NULL. */
static double pass(struct filter *f, const struct gains *g, double *means, double *errors)
{
    uint32_t m = f->model->period, count = 0;
    double sum = 0;
    f->level = f->first_level;
    f->slope = f->first_slope;
    memcpy(f->season, f->first_season, (m + 1U) * sizeof(double));
    for (uint32_t t = 0; t < f->in->known; t++) {
        double *season = m ? &f->season[t % m] : NULL;
        double mean = f->level + f->slope + (season ? *season : 0), e = f->in->values[t] - mean;
        if (means)
            means[t] = mean;
        f->level += f->slope;
        if (isnan(e))
            continue;
        if (errors)
            errors[count] = fabs(e);
        e = clipped(f, e);
        f->level += g->level * e;
        f->slope += g->slope * e;
        if (season)
            *season += g->season * e;
        sum += e * e;
        count++;
    }
    return count ? sum / count : 0;
}

/* The gains with the smallest errors: a coarse grid, then ever smaller steps around the best. */
static struct gains fit(struct filter *f, double *best)
{
    static const double levels[] = {0.02, 0.1, 0.3, 0.6, 0.9};
    static const double slopes[] = {0, 0.01, 0.05, 0.2};
    static const double seasons[] = {0.02, 0.1, 0.3};
    struct gains at = {0.1, 0, 0};
    *best = INFINITY;
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < (f->model->trend ? 4U : 1U); k++)
            for (size_t s = 0; s < (f->model->period ? 3U : 1U); s++) {
                struct gains g = {levels[i], slopes[k] * levels[i], f->model->period ? seasons[s] : 0};
                double error = pass(f, &g, NULL, NULL);
                if (error < *best) {
                    *best = error;
                    at = g;
                }
            }
    for (double step = 0.5; step > 0.03;) {
        struct gains from = at;
        for (int way = 0; way < 6; way++) {
            struct gains g = at;
            double *one = way / 2 == 0 ? &g.level : way / 2 == 1 ? &g.slope : &g.season;
            *one *= way % 2 ? 1 + step : 1 / (1 + step);
            if (g.level > 1 || g.slope > g.level || g.season > 1)
                continue;
            double error = pass(f, &g, NULL, NULL);
            if (error < *best) {
                *best = error;
                at = g;
            }
        }
        if (memcmp(&from, &at, sizeof(at)) == 0)
            step /= 2;
    }
    return at;
}

int forecast_run(const struct series_in *in, const struct forecast_model *model, uint32_t steps,
                 struct arena *arena, struct predicted *out, double *error)
{
    struct filter f = {.in = in, .model = model};
    double *errors = arena_array(arena, in->known + 1U, sizeof(*errors));
    if (!errors || begin(&f, arena) < 0)
        return -1;
    struct gains g = fit(&f, error);
    uint32_t count = 0;
    for (int round = 0; round < 2; round++) { /* what is usual is known after the first fit */
        count = 0;
        for (uint32_t t = 0; t < in->known; t++)
            count += isnan(in->values[t]) ? 0 : 1;
        pass(&f, &g, NULL, errors);
        f.scale = 1.4826 * median(errors, count);
        g = fit(&f, error);
    }
    *error = pass(&f, &g, out->mean, NULL);
    double sum = 1;
    for (uint32_t t = 0; t < steps && t < in->known; t++)
        out->variance[t] = *error;
    for (uint32_t t = in->known; t < steps; t++) {
        uint32_t ahead = t - in->known + 1, m = model->period;
        out->mean[t] = f.level + f.slope * ahead + (m ? f.season[t % m] : 0);
        out->variance[t] = *error * sum;
        double weight = g.level + g.slope * ahead + (m && ahead % m == 0 ? g.season : 0);
        sum += weight * weight;
    }
    return 0;
}

/* ---- two series ---- */

struct pair {
    const struct series_in *sides[2];
    double covariance[2][2]; /* of the errors */
};

static double value_at(const struct series_in *in, uint32_t t, bool use)
{
    return use && t < in->count ? in->values[t] : NAN;
}

/* One way through; the errors' covariance is set when learn. The other's error tells of the missing
 * one by their covariance. */
static double pair_pass(struct pair *p, double gain, uint32_t steps, bool use_other, bool learn,
                        struct predicted *out)
{
    double level[2], sums[2][2] = {{0, 0}, {0, 0}}, drift = 0;
    uint32_t count = 0;
    for (int s = 0; s < 2; s++) {
        uint32_t first = 0;
        while (first < p->sides[s]->known && isnan(p->sides[s]->values[first]))
            first++;
        level[s] = first < p->sides[s]->known ? p->sides[s]->values[first] : 0;
    }
    double slope = p->covariance[1][1] > 0 ? p->covariance[0][1] / p->covariance[1][1] : 0;
    for (uint32_t t = 0; t < steps; t++) {
        bool known = t < p->sides[0]->known;
        double e0 = value_at(p->sides[0], t, known) - level[0];
        double e1 = value_at(p->sides[1], t, t < p->sides[1]->known || use_other) - level[1];
        bool told = use_other && !isnan(e1);
        if (out) {
            out->mean[t] = level[0] + (told ? slope * e1 : 0);
            out->variance[t] = p->covariance[0][0] * (1 + drift) -
                               (told ? slope * p->covariance[0][1] : 0);
        }
        if (learn && !isnan(e0) && !isnan(e1)) {
            sums[0][0] += e0 * e0, sums[0][1] += e0 * e1, sums[1][1] += e1 * e1;
            count++;
        }
        drift = known && !isnan(e0) ? 0 : drift + gain * gain;
        level[0] += gain * (!isnan(e0) ? e0 : told ? slope * e1 : 0);
        level[1] += gain * (!isnan(e1) ? e1 : 0);
    }
    if (learn && count) {
        p->covariance[0][0] = sums[0][0] / count;
        p->covariance[1][1] = sums[1][1] / count;
        p->covariance[0][1] = p->covariance[1][0] = sums[0][1] / count;
    }
    double a = p->covariance[0][0], b = p->covariance[1][1], c = p->covariance[0][1];
    double little = 1e-6 * (a + b); /* one of them may be predicted without any error */
    return (a + little) * (b + little) - c * c;
}

int forecast_pair(const struct series_in *in, const struct series_in *other, bool use_other,
                  uint32_t steps, struct arena *arena, struct predicted *out)
{
    struct pair p = {.sides = {in, other}};
    double best = INFINITY, gain = 0.5;
    (void)arena;
    for (double g = 0.02; g < 1; g += 0.02) {
        double error = pair_pass(&p, g, in->known, false, true, NULL);
        if (error < best) {
            best = error;
            gain = g;
        }
    }
    pair_pass(&p, gain, in->known, false, true, NULL);
    pair_pass(&p, gain, steps, use_other, false, out);
    return 0;
}
