/* Months of simulated sources of nine kinds: who stops is missed soon, who does not is left alone. People rest on Japanese
 * holidays, programs do not. */
#include "test.h"

#include "base/mem.h"
#include "base/time.h"
#include "table/rhythm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SOURCES = 200, STOP_FROM_DAY = 70, STOP_DAYS = 28, JUDGED_FROM_DAY = 14, GAPS_MAX = 1 << 19 };
#define START_NS (1767571200 * NS_PER_SECOND) /* 2026-01-05, a Monday */

enum shape { POISSON, PERIODIC, BURSTY, OFFICE, NIGHTLY, WEEKDAYS, DAILY, WEEKLY, MONTHLY, SHAPES };
static const char *const names[SHAPES] = {"poisson", "periodic", "bursty", "office hours", "nightly", "weekdays",
                                          "day and night", "weekly", "monthly"};

struct sender {
    enum shape shape;
    double mean_s;   /* between events, or of what the shape repeats */
    double burst_s;  /* how long a burst or a batch takes */
    int hour;        /* of the batch */
    int64_t burst_end_ns;
    uint64_t dice;
};

static struct rhythm_week week;

static double die(struct sender *s)
{
    s->dice ^= s->dice << 13;
    s->dice ^= s->dice >> 7;
    s->dice ^= s->dice << 17;
    return (double)(s->dice >> 11) / 9007199254740992.0;
}

static double wait_of(struct sender *s, double mean_s)
{
    return -log(1 - die(s)) * mean_s;
}

static int64_t later(int64_t time_ns, double seconds)
{
    return time_ns + (int64_t)(seconds * (double)NS_PER_SECOND);
}

/* Whether people who send in such hours would send now. */
static bool is_open(enum shape shape, int64_t time_ns)
{
    unsigned slot = rhythm_hour_at(&week, time_ns).slot;
    return shape == OFFICE ? slot < 120 && slot % 24 >= 9 && slot % 24 < 18 : slot < 120;
}

static int64_t next_in_hours(struct sender *s, int64_t time_ns)
{
    time_ns = later(time_ns, wait_of(s, s->mean_s));
    while (!is_open(s->shape, time_ns))
        time_ns = later(rhythm_hour_at(&week, time_ns).end_ns, wait_of(s, s->mean_s));
    return time_ns;
}

/* Much by day, little at night, never nothing. */
static int64_t next_of_day(struct sender *s, int64_t time_ns)
{
    double day;
    do {
        time_ns = later(time_ns, wait_of(s, s->mean_s));
        day = (double)(time_ns % NS_PER_DAY) / (double)NS_PER_DAY;
    } while (die(s) > 0.55 + 0.45 * cos(6.2831853 * (day - 0.2)));
    return time_ns;
}

static bool is_batch_day(enum shape shape, int64_t day)
{
    return shape == NIGHTLY || (shape == WEEKLY ? day % 7 == 2 : day % 30 == 11);
}

static int64_t next_batch(struct sender *s, int64_t time_ns)
{
    int64_t day = time_ns / NS_PER_DAY + 1;
    while (!is_batch_day(s->shape, day))
        day++;
    int64_t begin = later(day * NS_PER_DAY + s->hour * NS_PER_HOUR, (die(s) - 0.5) * 1200);
    s->burst_end_ns = later(begin, s->burst_s);
    return begin;
}

static int64_t next_event(struct sender *s, int64_t time_ns)
{
    switch (s->shape) {
    case POISSON: return later(time_ns, wait_of(s, s->mean_s));
    case PERIODIC: return later(time_ns, s->mean_s * (0.95 + 0.1 * die(s)));
    case OFFICE:
    case WEEKDAYS: return next_in_hours(s, time_ns);
    case DAILY: return next_of_day(s, time_ns);
    case BURSTY:
    case NIGHTLY:
    case WEEKLY:
    case MONTHLY:
    case SHAPES: break;
    }
    int64_t next = later(time_ns, wait_of(s, 20));
    if (next < s->burst_end_ns)
        return next;
    if (s->shape == NIGHTLY || s->shape == WEEKLY || s->shape == MONTHLY)
        return next_batch(s, time_ns);
    next = later(time_ns, wait_of(s, s->mean_s));
    s->burst_end_ns = later(next, s->burst_s * (0.5 + die(s)));
    return next;
}

static struct sender make_sender(unsigned i)
{
    struct sender s = {.shape = i % SHAPES, .dice = 88172645463325252ULL + i * 7919ULL};
    for (int k = 0; k < 8; k++)
        (void)die(&s);
    static const double least_s[SHAPES] = {120, 60, 1200, 60, 1, 120, 20, 1, 1},
                        most_s[SHAPES] = {21600, 3600, 14400, 900, 1, 1800, 1200, 1, 1};
    s.mean_s = least_s[s.shape] * pow(most_s[s.shape] / least_s[s.shape], die(&s));
    s.burst_s = 180 + die(&s) * 1000;
    s.hour = 14 + (int)(die(&s) * 7);
    return s;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Pauses between the minutes in which it sent. */
struct pauses {
    double *length_s;
    int64_t *begin_ns;
    double *sorted;
    size_t count;
};

static void add_pause(struct pauses *pauses, int64_t begin_ns, int64_t end_ns)
{
    assert_true(pauses->count < GAPS_MAX);
    pauses->begin_ns[pauses->count] = begin_ns;
    pauses->length_s[pauses->count++] = (double)(end_ns - begin_ns) / (double)NS_PER_SECOND;
}

/* The one that 99 of 100 are not longer than. */
static double tail_of(double *sorted, size_t count)
{
    qsort(sorted, count, sizeof(*sorted), by_size);
    return count ? sorted[count * 99 / 100] : 0;
}

static double tail_of_all(struct pauses *pauses)
{
    for (size_t i = 0; i < pauses->count; i++)
        pauses->sorted[i] = pauses->length_s[i];
    return tail_of(pauses->sorted, pauses->count);
}

/* Of those that were going on at some time of this hour of the week. */
static double tail_of_hour(struct pauses *pauses, unsigned slot)
{
    size_t count = 0;
    for (size_t i = 0; i < pauses->count; i++) {
        int64_t end_ns = later(pauses->begin_ns[i], pauses->length_s[i]);
        bool touches = false;
        for (int64_t at = pauses->begin_ns[i]; at < end_ns && !touches; at = rhythm_hour_at(&week, at).end_ns)
            touches = rhythm_hour_at(&week, at).slot == slot;
        if (touches)
            pauses->sorted[count++] = pauses->length_s[i];
    }
    return tail_of(pauses->sorted, count);
}

struct outcome {
    double false_findings, months;
    double tail_s, tail_hour_s; /* of its pauses; of those in the hour of the week in which it stopped */
    double late_s;      /* detected so long after the first event that was missing */
    double after_s;     /* and after it stopped */
    bool known, detected;
};

/* The clock moves by minutes from one event to the next; returns when it was found silent, or 0. */
static int64_t wait_for_finding(struct rhythm *r, int64_t until_ns)
{
    for (int64_t now = r->advanced_ns; now < until_ns;) {
        now = now + NS_PER_MINUTE < until_ns ? now + NS_PER_MINUTE : until_ns;
        rhythm_advance(r, &week, now);
        if (rhythm_is_broken(r)) {
            r->silent = true;
            return now;
        }
    }
    return 0;
}

static struct outcome live(unsigned i, struct pauses *pauses)
{
    struct sender s = make_sender(i);
    struct outcome out = {0};
    struct rhythm r;
    int64_t now = next_event(&s, START_NS), beat = 0, days = s.shape == MONTHLY ? 5 * STOP_FROM_DAY : STOP_FROM_DAY;
    int64_t stop = START_NS + days * NS_PER_DAY + (int64_t)(die(&s) * STOP_DAYS * (double)NS_PER_DAY);
    pauses->count = 0;
    for (rhythm_begin(&r, now); now < stop; now = next_event(&s, now)) {
        int64_t found = wait_for_finding(&r, now);
        out.false_findings += found && found > START_NS + JUDGED_FROM_DAY * NS_PER_DAY;
        rhythm_take(&r, &week, now, 1);
        if (now - now % NS_PER_MINUTE > beat) {
            if (beat)
                add_pause(pauses, beat, now - now % NS_PER_MINUTE);
            beat = now - now % NS_PER_MINUTE;
        }
    }
    out.tail_s = tail_of_all(pauses);
    out.tail_hour_s = tail_of_hour(pauses, rhythm_hour_at(&week, stop).slot);
    out.months = (double)(stop - START_NS) / (double)NS_PER_DAY / 30 - JUDGED_FROM_DAY / 30.0;
    out.known = rhythm_is_known(&r);
    int64_t found = wait_for_finding(&r, now + 120 * NS_PER_DAY);
    out.detected = found;
    out.late_s = (double)(found - now) / (double)NS_PER_SECOND;
    out.after_s = (double)(found - stop) / (double)NS_PER_SECOND;
    return out;
}

static bool is_in_time(const struct outcome *one, double after_s, double tail_s)
{
    double allowed = fmax(3 * tail_s, SILENCE_LEAST_S) + 120; /* beats and the clock are whole minutes */
    return one->known && one->detected && after_s <= allowed;
}

static void who_stops_is_missed_and_who_does_not_is_left_alone(void **state)
{
    (void)state;
    struct pauses pauses = {mem_alloc(GAPS_MAX * sizeof(double)), mem_alloc(GAPS_MAX * sizeof(int64_t)),
                            mem_alloc(GAPS_MAX * sizeof(double)), 0};
    double false_all = 0, months_all = 0;
    unsigned in_time_all = 0, soon_all = 0;
    struct outcome sums[SHAPES] = {0};
    unsigned in_time[SHAPES] = {0}, soon[SHAPES] = {0}, of[SHAPES] = {0};
    for (unsigned i = 0; i < SOURCES; i++) {
        struct outcome one = live(i, &pauses);
        enum shape shape = i % SHAPES;
        bool timely = is_in_time(&one, one.after_s, one.tail_hour_s);
        sums[shape].false_findings += one.false_findings;
        sums[shape].months += one.months;
        in_time[shape] += timely;
        soon[shape] += is_in_time(&one, one.late_s, one.tail_s);
        of[shape]++;
        if (!timely || one.false_findings > one.months)
            print_message("%s %u: known %d, found %d after %.0f s, p99 of pauses %.0f s, in that hour %.0f s, %.0f false\n",
                          names[shape], i, one.known, one.detected, one.after_s, one.tail_s, one.tail_hour_s, one.false_findings);
    }
    for (int i = 0; i < SHAPES; i++) {
        print_message("%-13s %3u of %3u in time, %3u soon, %.2f false findings in a month\n", names[i], in_time[i], of[i], soon[i],
                      sums[i].false_findings / sums[i].months);
        false_all += sums[i].false_findings;
        months_all += sums[i].months;
        in_time_all += in_time[i];
        soon_all += soon[i];
    }
    print_message("%u of %d in time, %u soon, %.2f false findings in a source's month\n", in_time_all, SOURCES, soon_all,
                  false_all / months_all);
    for (int i = 0; i < SHAPES; i++)
        assert_true(sums[i].false_findings <= sums[i].months);
    assert_true(in_time_all >= SOURCES * 97 / 100);
    assert_true(soon_all >= SOURCES * 92 / 100); /* bursts have pauses far beyond the usual ones: they get more time */
    mem_free(pauses.length_s);
    mem_free(pauses.begin_ns);
    mem_free(pauses.sorted);
}

/* Of a source that sends every minute, day and night. */
static struct rhythm steady(int days)
{
    struct rhythm r;
    rhythm_begin(&r, START_NS);
    for (int64_t at = 1; at <= days * 1440; at++)
        rhythm_take(&r, &week, START_NS + at * NS_PER_MINUTE, 3);
    return r;
}

static void what_is_new_is_being_learned(void **state)
{
    (void)state;
    struct rhythm r = steady(1);
    assert_false(rhythm_is_known(&r));
    rhythm_advance(&r, &week, r.last_ns + NS_PER_DAY);
    assert_false(rhythm_is_broken(&r));
    r = steady(3); /* it never rests: that is soon known */
    assert_true(rhythm_is_known(&r));
    rhythm_advance(&r, &week, r.last_ns + 14 * NS_PER_MINUTE);
    assert_false(rhythm_is_broken(&r));
    rhythm_advance(&r, &week, r.last_ns + 16 * NS_PER_MINUTE);
    assert_true(rhythm_is_broken(&r));
}

static void time_that_nobody_watched_is_no_silence(void **state)
{
    (void)state;
    struct rhythm r = steady(20), again;
    struct buffer saved;
    rhythm_advance(&r, &week, r.last_ns + 3 * NS_PER_MINUTE);
    buffer_init(&saved, MIB);
    rhythm_save(&r, &saved);
    struct slice from = buffer_slice(&saved);
    assert_true(rhythm_load(&again, &from));
    assert_int_equal(from.len, 0);
    int64_t later_ns = r.last_ns + 9 * NS_PER_HOUR;
    rhythm_resume(&again, later_ns);
    rhythm_advance(&again, &week, later_ns + NS_PER_MINUTE);
    assert_false(rhythm_is_broken(&again));
    rhythm_advance(&again, &week, later_ns + 6 * NS_PER_MINUTE);
    assert_true(rhythm_is_broken(&again));
    for (size_t len = 0; len < saved.len; len += 7) {
        struct slice part = {saved.ptr, len};
        assert_false(rhythm_load(&again, &part));
    }
    buffer_close(&saved);
}

static void silence_is_found_once(void **state)
{
    (void)state;
    struct rhythm r = steady(20);
    rhythm_advance(&r, &week, r.last_ns + NS_PER_HOUR);
    assert_true(rhythm_is_broken(&r));
    r.silent = true;
    rhythm_advance(&r, &week, r.last_ns + 400 * NS_PER_DAY);
    assert_false(rhythm_is_broken(&r));
    assert_true(rhythm_usual_beats(&r, 5) > 59); /* and taught nothing */
}

static int load_week(void **state)
{
    struct arena *arena = arena_new(16 * MIB);
    const struct calendars *calendars;
    struct err err;
    if (calendars_load("content/calendars", arena, &calendars, &err) < 0)
        return -1;
    week = (struct rhythm_week){zone_find(SLICE("Asia/Tokyo")), calendar_find(calendars, SLICE("japan"))};
    *state = arena;
    return 0;
}

static int free_week(void **state)
{
    arena_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_stops_is_missed_and_who_does_not_is_left_alone),
        cmocka_unit_test(what_is_new_is_being_learned),
        cmocka_unit_test(time_that_nobody_watched_is_no_silence),
        cmocka_unit_test(silence_is_found_once),
    };
    return cmocka_run_group_tests(tests, load_week, free_week);
}
