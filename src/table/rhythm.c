#include "table/rhythm.h"

#include "base/time.h"

#include <math.h>
#include <string.h>

enum { BINS_A_DOUBLING = 8, BIN_OF_ONE = 48, WEEKS_KEPT = 8, DAYS_A_PERIOD = 28, SUNDAY = 6 };
enum { PAUSES_MAX = 60000, PAUSES_FOR_TAIL = 100, PAUSES_MIN = 4 };
/* Of a source that never rests: it is missed before its week is known. */
enum { STEADY_DAYS = 2, STEADY_PAUSE_MINUTES = 60, STEADY_LEAST_MINUTES = 15, STEADY_FACTOR = 3 };
enum { LEARN_DAYS = 14, WEEK_DAYS = 7, REPEATS_MIN = 4 };
#define RHYTHM_TAIL 2.8
#define SURPRISE_MOST 1.3

struct rhythm_hour rhythm_hour_at(const struct rhythm_week *week, int64_t time_ns)
{
    int64_t offset = week->zone ? zone_offset(week->zone, time_ns) * NS_PER_SECOND : 0;
    int64_t hours = (time_ns + offset) / NS_PER_HOUR, day = hours / 24;
    int hour = (int)(hours % 24);
    int64_t weekday = (day + 3) % 7; /* 1970 began on a Thursday */
    bool holiday = week->calendar && calendar_off(week->calendar, day, hour).ptr;
    return (struct rhythm_hour){.slot = (unsigned)(holiday ? SUNDAY : weekday) * 24 + (unsigned)hour,
                                .holiday = holiday,
                                .end_ns = (hours + 1) * NS_PER_HOUR - offset};
}

void rhythm_begin(struct rhythm *rhythm, int64_t now_ns)
{
    *rhythm = (struct rhythm){.first_ns = now_ns, .last_ns = now_ns, .advanced_ns = now_ns, .period_ns = now_ns,
                              .beat_ns = now_ns - now_ns % NS_PER_MINUTE, .hour_beats = 1};
}

/* ---- what is usual ---- */

/* The hour by itself, and, as one more week of it, the same hour of the days like it: five working days, or the
 * weekend. */
static double usual_of(const float *usual, const uint8_t *seen, unsigned slot)
{
    unsigned day = slot / 24, hour = slot % 24, first = day < 5 ? 0 : 5, last = day < 5 ? 5 : 7, days = 0;
    double sum = 0;
    for (unsigned i = first; i < last; i++)
        if (seen[i * 24 + hour]) {
            sum += (double)usual[i * 24 + hour];
            days++;
        }
    double alike = days ? sum / days : 0, weeks = seen[slot] < WEEKS_KEPT ? seen[slot] : WEEKS_KEPT;
    return ((double)usual[slot] * weeks + alike) / (weeks + 1);
}

double rhythm_usual_beats(const struct rhythm *rhythm, unsigned slot)
{
    return usual_of(rhythm->usual, rhythm->seen, slot);
}

double rhythm_usual_events(const struct rhythm *rhythm, unsigned slot)
{
    return usual_of(rhythm->events, rhythm->seen, slot);
}

static void learn_hour(struct rhythm *rhythm, const struct rhythm_hour *hour)
{
    if (rhythm->whole && !rhythm->silent && !hour->holiday) {
        uint8_t *seen = &rhythm->seen[hour->slot];
        *seen = *seen < UINT8_MAX ? (uint8_t)(*seen + 1) : *seen;
        float part = 1.0F / (float)(*seen < WEEKS_KEPT ? *seen : WEEKS_KEPT);
        rhythm->usual[hour->slot] += part * ((float)rhythm->hour_beats - rhythm->usual[hour->slot]);
        rhythm->events[hour->slot] += part * ((float)rhythm->hour_events - rhythm->events[hour->slot]);
    }
    rhythm->hour_beats = rhythm->hour_events = 0;
    rhythm->whole = true;
}

/* ---- pauses ---- */

static unsigned bin_of(double beats)
{
    double at = beats > 0 ? BIN_OF_ONE + log2(beats) * BINS_A_DOUBLING : 0;
    return at <= 0 ? 0 : at >= RHYTHM_BINS - 1 ? RHYTHM_BINS - 1 : (unsigned)at;
}

static void forget_half(struct rhythm *rhythm)
{
    rhythm->pause_count = 0;
    for (size_t i = 0; i < RHYTHM_BINS; i++) {
        rhythm->pauses[i] /= 2;
        rhythm->pause_count += rhythm->pauses[i];
    }
}

/* A pause has ended. Of one that was found too long the excess is believed only in part: an outage is no habit, but
 * what comes again and again is. */
static void learn_pause(struct rhythm *rhythm)
{
    double beats = rhythm->expected;
    if (rhythm->watched_ns < WEEK_DAYS * NS_PER_DAY)
        return;
    if (rhythm->silent)
        beats = fmin(beats, SURPRISE_MOST * rhythm_limit(rhythm));
    if (rhythm->last_ns - rhythm->period_ns > DAYS_A_PERIOD * NS_PER_DAY) {
        rhythm->longest[1] = rhythm->longest[0];
        rhythm->longest[0] = 0;
        rhythm->period_ns = rhythm->last_ns;
    }
    if (rhythm->pause_count >= PAUSES_MAX)
        forget_half(rhythm);
    rhythm->pauses[bin_of(beats)]++;
    rhythm->pause_count++;
    rhythm->longest[0] = fmaxf(rhythm->longest[0], (float)beats);
}

/* The pause that 99 of 100 stay below. */
static double tail_of(const struct rhythm *rhythm)
{
    double wanted = rhythm->pause_count * 0.99, sum = 0;
    for (unsigned i = 0; i < RHYTHM_BINS; i++) {
        double here = rhythm->pauses[i];
        if (here > 0 && sum + here >= wanted)
            return exp2(((double)i + (wanted - sum) / here - BIN_OF_ONE) / BINS_A_DOUBLING);
        sum += here;
    }
    return 0;
}

static double longest_of(const struct rhythm *rhythm)
{
    return (double)fmaxf(rhythm->longest[0], rhythm->longest[1]);
}

double rhythm_limit(const struct rhythm *rhythm)
{
    double longest = longest_of(rhythm);
    double factor = fmax(1.5, 1 + 4 / sqrt(rhythm->pause_count + 1.0));
    double limit = factor * longest;
    if (rhythm->pause_count >= PAUSES_FOR_TAIL)
        limit = fmin(limit, RHYTHM_TAIL * tail_of(rhythm));
    return fmax(limit, longest); /* what has just been usual is not raised again and again */
}

/* ---- time ---- */

void rhythm_advance(struct rhythm *rhythm, const struct rhythm_week *week, int64_t now_ns)
{
    while (rhythm->advanced_ns < now_ns) {
        struct rhythm_hour hour = rhythm_hour_at(week, rhythm->advanced_ns);
        int64_t until = hour.end_ns < now_ns ? hour.end_ns : now_ns, passed = until - rhythm->advanced_ns;
        rhythm->expected += rhythm_usual_beats(rhythm, hour.slot) * (double)passed / (double)NS_PER_HOUR;
        rhythm->quiet_ns += passed;
        rhythm->watched_ns += passed;
        rhythm->advanced_ns = until;
        if (until == hour.end_ns)
            learn_hour(rhythm, &hour);
    }
}

void rhythm_take(struct rhythm *rhythm, const struct rhythm_week *week, int64_t now_ns, uint32_t count)
{
    int64_t beat_ns = now_ns - now_ns % NS_PER_MINUTE;
    rhythm_advance(rhythm, week, now_ns);
    rhythm->hour_events += count;
    if (now_ns > rhythm->last_ns)
        rhythm->last_ns = now_ns;
    if (beat_ns > rhythm->beat_ns) {
        learn_pause(rhythm);
        rhythm->beat_ns = beat_ns;
        rhythm->hour_beats++;
        if (!rhythm->silent && rhythm->quiet_ns > rhythm->longest_quiet_ns)
            rhythm->longest_quiet_ns = rhythm->quiet_ns;
    }
    rhythm_excuse(rhythm);
}

void rhythm_resume(struct rhythm *rhythm, int64_t now_ns)
{
    if (now_ns > rhythm->advanced_ns)
        rhythm->advanced_ns = now_ns;
    rhythm->whole = false;
    rhythm->hour_beats = rhythm->hour_events = 0;
    rhythm->quiet_ns = 0;
    double longest = longest_of(rhythm);
    rhythm->expected = rhythm->expected > longest ? fmin(rhythm->expected, fmax(0, rhythm_limit(rhythm) - longest)) : 0;
}

void rhythm_excuse(struct rhythm *rhythm)
{
    rhythm->expected = 0;
    rhythm->quiet_ns = 0;
    rhythm->silent = false;
}

/* ---- asking ---- */

/* Two weeks, and what sends less often than every day several times: a weekly batch is known after some weeks. */
static bool is_learned(const struct rhythm *rhythm)
{
    return rhythm->watched_ns >= LEARN_DAYS * NS_PER_DAY && rhythm->pause_count >= PAUSES_MIN &&
           rhythm->watched_ns / REPEATS_MIN >= rhythm->longest_quiet_ns;
}

static bool is_steady(const struct rhythm *rhythm)
{
    return rhythm->watched_ns >= STEADY_DAYS * NS_PER_DAY &&
           rhythm->longest_quiet_ns <= STEADY_PAUSE_MINUTES * NS_PER_MINUTE && rhythm->beat_ns > rhythm->first_ns &&
           rhythm->last_ns - rhythm->first_ns >= STEADY_DAYS * NS_PER_DAY - NS_PER_HOUR;
}

bool rhythm_is_known(const struct rhythm *rhythm)
{
    return is_learned(rhythm) || is_steady(rhythm);
}

bool rhythm_is_broken(const struct rhythm *rhythm)
{
    if (rhythm->silent || rhythm->quiet_ns < SILENCE_LEAST_S * NS_PER_SECOND)
        return false;
    if (is_learned(rhythm))
        return rhythm->expected > rhythm_limit(rhythm);
    return is_steady(rhythm) && rhythm->quiet_ns > STEADY_LEAST_MINUTES * NS_PER_MINUTE &&
           rhythm->quiet_ns > STEADY_FACTOR * rhythm->longest_quiet_ns;
}

/* ---- keeping ---- */

static void put_float(struct buffer *to, float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof(bits));
    buffer_put_le32(to, bits);
}

static bool take_float(struct slice *from, float *number)
{
    uint32_t bits;
    if (!slice_take_le32(from, &bits))
        return false;
    memcpy(number, &bits, sizeof(bits));
    return isfinite(*number) && *number >= 0;
}

enum { TIMES = 8 };

static void times_of(struct rhythm *rhythm, int64_t *times[TIMES])
{
    int64_t *all[TIMES] = {&rhythm->period_ns, &rhythm->first_ns,   &rhythm->last_ns,  &rhythm->beat_ns,
                           &rhythm->advanced_ns, &rhythm->watched_ns, &rhythm->quiet_ns, &rhythm->longest_quiet_ns};
    memcpy(times, all, sizeof(all));
}

void rhythm_save(const struct rhythm *rhythm, struct buffer *to)
{
    struct rhythm copy = *rhythm;
    int64_t *times[TIMES];
    for (size_t i = 0; i < RHYTHM_HOURS; i++) {
        put_float(to, rhythm->usual[i]);
        put_float(to, rhythm->events[i]);
        buffer_put_char(to, (char)rhythm->seen[i]);
    }
    for (size_t i = 0; i < RHYTHM_BINS; i++)
        buffer_put_varint(to, rhythm->pauses[i]);
    put_float(to, rhythm->longest[0]);
    put_float(to, rhythm->longest[1]);
    put_float(to, (float)rhythm->expected);
    times_of(&copy, times);
    for (size_t i = 0; i < TIMES; i++)
        buffer_put_le64(to, (uint64_t)*times[i]);
    buffer_put_char(to, rhythm->silent);
}

static bool load_hours(struct rhythm *rhythm, struct slice *from)
{
    struct slice seen;
    for (size_t i = 0; i < RHYTHM_HOURS; i++) {
        if (!take_float(from, &rhythm->usual[i]) || !take_float(from, &rhythm->events[i]) || !slice_take(from, 1, &seen))
            return false;
        rhythm->seen[i] = (uint8_t)seen.ptr[0];
    }
    for (size_t i = 0; i < RHYTHM_BINS; i++) {
        uint64_t count;
        if (!slice_take_varint(from, &count) || count > PAUSES_MAX)
            return false;
        rhythm->pauses[i] = (uint16_t)count;
        rhythm->pause_count += (uint32_t)count;
    }
    return true;
}

bool rhythm_load(struct rhythm *rhythm, struct slice *from)
{
    int64_t *times[TIMES];
    struct slice silent;
    float expected;
    *rhythm = (struct rhythm){0};
    if (!load_hours(rhythm, from) || !take_float(from, &rhythm->longest[0]) ||
        !take_float(from, &rhythm->longest[1]) || !take_float(from, &expected))
        return false;
    rhythm->expected = (double)expected;
    times_of(rhythm, times);
    for (size_t i = 0; i < TIMES; i++) {
        uint64_t time;
        if (!slice_take_le64(from, &time) || time > INT64_MAX)
            return false;
        *times[i] = (int64_t)time;
    }
    if (!slice_take(from, 1, &silent))
        return false;
    rhythm->silent = silent.ptr[0];
    return true;
}
