#pragma once
/*
 * search/commands/forecast: a series of numbers one step, or several, ahead.
 *
 * Structural models in the form that their Kalman filter has when it has settled (innovations form: one
 * error drives all states, and the gains are the parameters):
 *
 *   e[t] = y[t] - (level + slope + season[t mod period])
 *   level += slope + alpha e      slope += beta e      season[t mod period] += gamma e
 *
 * The gains are those with the smallest errors one step ahead. An error far outside of what is usual
 * moves the states no further than a large usual one (Huber's clipping at 3 standard deviations), so
 * that an outlier is seen as one and not learnt.
 *
 * Sources    A. Harvey, Forecasting, Structural Time Series Models and the Kalman Filter (1989);
 *            R. Hyndman and others, Forecasting with Exponential Smoothing (2008);
 *            S. Gelper and others, Robust Forecasting with Exponential and Holt-Winters Smoothing (2010).
 * Ownership  All arrays are the caller's or in its arena.
 */
#include "base/arena.h"
#include "base/limits.h"

#include <stdbool.h>
#include <stdint.h>

struct series_in {
    const double *values; /* NAN where there is none */
    uint32_t count;       /* all of them */
    uint32_t known;       /* so many are learnt from; those behind are only predicted */
};

struct predicted {
    double *mean, *variance; /* one a step, room for as many as are asked for */
};


/* The period of a series: the shortest lag at which it is most like itself; 0: it has none. */
uint32_t forecast_period(const struct series_in *in, struct arena *arena);

struct forecast_model {
    bool trend;
    uint32_t period; /* 0: no season */
};
/* Steps 0 .. steps - 1: in the range that is known one step ahead of what came before, behind it
 * further and further ahead. *error gets the mean square of the errors. -1: memory is out. */
int forecast_run(const struct series_in *in, const struct forecast_model *model, uint32_t steps,
                 struct arena *arena, struct predicted *out, double *error);

/* Two series whose levels move together: what is known of one at a step tells of the other
 * (bivariate local level with one gain). use_other: the other's value at the same step counts. */
int forecast_pair(const struct series_in *in, const struct series_in *other, bool use_other,
                  uint32_t steps, struct arena *arena, struct predicted *out);
