#include "search/span.h"

#include <math.h>

static bool parse_log(struct slice text, struct span *out)
{
    ptrdiff_t at = slice_find(text, SLICE("log"));
    if (at < 0)
        return false;
    struct slice before = slice_sub(text, 0, (size_t)at), after = slice_from(text, (size_t)at + 3);
    *out = (struct span){.kind = SPAN_LOG, .number = 1, .base = 10};
    if (before.len && !slice_to_f64(before, &out->number))
        return false;
    if (after.len && !slice_to_f64(after, &out->base))
        return false;
    return out->base > 1 && out->number >= 1 && out->number < out->base;
}

bool span_parse(struct slice text, struct span *out)
{
    text = slice_trim(text);
    *out = (struct span){0};
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    struct slice unit = slice_from(text, digits);
    int64_t count = 1;
    if (digits && !slice_to_i64(slice_sub(text, 0, digits), &count))
        return false;
    ptrdiff_t at = slice_find_char(unit, '@'); /* "1d@d": calendar spans are aligned anyway */
    if (at >= 0)
        unit = slice_sub(unit, 0, (size_t)at);
    enum time_unit named = unit.len ? time_unit_by_name(unit) : TIME_UNIT_NONE;
    if (named == TIME_UNIT_NONE && unit.len == 2 && (unit.ptr[0] == 'c' || unit.ptr[0] == 'd') &&
        unit.ptr[1] == 's') { /* hundredths and tenths */
        out->kind = SPAN_TIME;
        out->unit = TIME_UNIT_MILLISECOND;
        out->count = count * (unit.ptr[0] == 'c' ? 10 : 100);
        return count > 0;
    }
    if (named != TIME_UNIT_NONE) {
        *out = (struct span){.kind = SPAN_TIME, .count = count, .unit = named};
        return count > 0 && count < INT64_C(1) << 40;
    }
    if (parse_log(text, out))
        return true;
    out->kind = SPAN_NUMBER;
    return slice_to_f64(text, &out->number) && out->number > 0 && isfinite(out->number);
}

int64_t span_ns(const struct span *span)
{
    if (span->kind == SPAN_NUMBER)
        return (int64_t)(span->number * 1e9);
    int64_t unit = span->unit == TIME_UNIT_MONTH     ? 30 * NS_PER_DAY
                   : span->unit == TIME_UNIT_QUARTER ? 91 * NS_PER_DAY
                   : span->unit == TIME_UNIT_YEAR    ? 365 * NS_PER_DAY
                                                     : time_unit_ns(span->unit);
    int64_t ns;
    return __builtin_mul_overflow(unit, span->count, &ns) ? INT64_MAX : ns;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Months, quarters and years are counted from year 0, so that 3mon buckets are quarters. */
static bool month_bucket(const struct span *span, const struct zone *zone, int64_t time_ns,
                         int64_t *start, int64_t *end)
{
    int64_t width = span->count * (span->unit == TIME_UNIT_YEAR      ? 12
                                   : span->unit == TIME_UNIT_QUARTER ? 3
                                                                     : 1);
    struct time_parts parts;
    zone_split(zone, time_ns, &parts);
    int64_t month = floor_div((int64_t)parts.year * 12 + parts.month - 1, width) * width;
    struct time_parts first = {.year = (int)(month / 12), .month = (int)(month % 12) + 1, .day = 1};
    month += width;
    struct time_parts after = {.year = (int)(month / 12), .month = (int)(month % 12) + 1, .day = 1};
    return zone_to_utc(zone, &first, 0, start) && zone_to_utc(zone, &after, 0, end);
}

/* Days and weeks are counted in local days; weeks begin on Sunday. */
static bool day_bucket(const struct span *span, const struct zone *zone, int64_t time_ns,
                       int64_t *start, int64_t *end)
{
    int64_t width = span->count * (span->unit == TIME_UNIT_WEEK ? 7 : 1);
    struct time_parts parts;
    zone_split(zone, time_ns, &parts);
    int64_t shift = span->unit == TIME_UNIT_WEEK ? 4 : 0; /* 1970-01-01 was a Thursday */
    int64_t day = time_days_from_civil(parts.year, parts.month, parts.day) + shift;
    day = floor_div(day, width) * width - shift;
    struct time_parts first, after;
    if (day < -100000 || day + width > 100000)
        return false;
    time_split(day * NS_PER_DAY, &first);
    time_split((day + width) * NS_PER_DAY, &after);
    return zone_to_utc(zone, &first, 0, start) && zone_to_utc(zone, &after, 0, end);
}

bool span_time_bucket(const struct span *span, const struct zone *zone, int64_t align_ns,
                      int64_t time_ns, int64_t *start, int64_t *end)
{
    int64_t other;
    end = end ? end : &other;
    if (span->kind == SPAN_TIME && span->unit >= TIME_UNIT_MONTH)
        return month_bucket(span, zone, time_ns, start, end);
    if (span->kind == SPAN_TIME && span->unit >= TIME_UNIT_DAY && align_ns == 0)
        return day_bucket(span, zone, time_ns, start, end);
    int64_t width = span_ns(span);
    if (width <= 0)
        return false;
    int64_t shift = align_ns;
    if (span->kind == SPAN_TIME && align_ns == 0 && span->unit == TIME_UNIT_HOUR)
        shift = -(int64_t)zone_offset(zone, time_ns) * NS_PER_SECOND % NS_PER_DAY;
    *start = floor_div(time_ns - shift, width) * width + shift;
    *end = *start + width;
    return true;
}

static struct slice edge_text(double n, char to[32])
{
    return slice_of(to, json_format_f64(n, to));
}

/* Widths such as 0.1 are not exact in binary: edges are rounded to twelve digits after. */
static double clean_edge(double n)
{
    return fabs(n) < 1e3 ? round(n * 1e12) / 1e12 : n;
}

struct slice span_number_bucket(const struct span *span, double n, struct arena *arena)
{
    double low, high;
    char a[32], b[32];
    if (span->kind == SPAN_LOG) {
        if (n <= 0)
            return SLICE_NONE;
        double power = floor(log(n / span->number) / log(span->base) + 1e-12);
        low = span->number * pow(span->base, power);
        high = span->number * pow(span->base, power + 1);
    } else {
        double at = floor(n / span->number + 1e-12);
        low = clean_edge(at * span->number);
        high = clean_edge((at + 1) * span->number);
    }
    struct slice x = edge_text(low, a), y = edge_text(high, b);
    return arena_printf(arena, "%.*s-%.*s", SLICE_ARG(x), SLICE_ARG(y));
}

struct span span_for_range(int64_t from_ns, int64_t to_ns, int64_t bins, const struct span *least)
{
    static const struct span usual[] = {
        {.kind = SPAN_TIME, .count = 1, .unit = TIME_UNIT_SECOND},
        {.kind = SPAN_TIME, .count = 5, .unit = TIME_UNIT_SECOND},
        {.kind = SPAN_TIME, .count = 10, .unit = TIME_UNIT_SECOND},
        {.kind = SPAN_TIME, .count = 30, .unit = TIME_UNIT_SECOND},
        {.kind = SPAN_TIME, .count = 1, .unit = TIME_UNIT_MINUTE},
        {.kind = SPAN_TIME, .count = 5, .unit = TIME_UNIT_MINUTE},
        {.kind = SPAN_TIME, .count = 10, .unit = TIME_UNIT_MINUTE},
        {.kind = SPAN_TIME, .count = 30, .unit = TIME_UNIT_MINUTE},
        {.kind = SPAN_TIME, .count = 1, .unit = TIME_UNIT_HOUR},
        {.kind = SPAN_TIME, .count = 1, .unit = TIME_UNIT_DAY},
        {.kind = SPAN_TIME, .count = 1, .unit = TIME_UNIT_MONTH},
    };
    double range = (double)to_ns - (double)from_ns;
    int64_t least_ns = least->kind == SPAN_TIME ? span_ns(least) : 0;
    bins = bins > 0 ? bins : 100;
    for (size_t i = 0; i + 1 < ARRAY_COUNT(usual); i++)
        if (span_ns(&usual[i]) >= least_ns && range <= (double)span_ns(&usual[i]) * (double)bins)
            return usual[i];
    return usual[ARRAY_COUNT(usual) - 1];
}

double span_width_for_bins(double low, double high, int64_t bins)
{
    double width = pow(10, floor(log10(high > low ? (high - low) : 1)) - 18);
    bins = bins > 0 ? bins : 1;
    while (floor(high / width) - floor(low / width) + 1 > (double)bins && width < 1e300)
        width *= 10;
    return width < 1e-9 ? 1e-9 : round(width * 1e9) / 1e9;
}
