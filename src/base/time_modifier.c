#include "base/time_modifier.h"

#include "base/time_pattern.h"

enum time_unit time_unit_by_name(struct slice name)
{
    static const struct {
        const char *name;
        enum time_unit unit;
    } units[] = {
        {"us", TIME_UNIT_MICROSECOND},   {"ms", TIME_UNIT_MILLISECOND},
        {"s", TIME_UNIT_SECOND},         {"sec", TIME_UNIT_SECOND},
        {"secs", TIME_UNIT_SECOND},      {"second", TIME_UNIT_SECOND},
        {"seconds", TIME_UNIT_SECOND},   {"m", TIME_UNIT_MINUTE},
        {"min", TIME_UNIT_MINUTE},       {"mins", TIME_UNIT_MINUTE},
        {"minute", TIME_UNIT_MINUTE},    {"minutes", TIME_UNIT_MINUTE},
        {"h", TIME_UNIT_HOUR},           {"hr", TIME_UNIT_HOUR},
        {"hrs", TIME_UNIT_HOUR},         {"hour", TIME_UNIT_HOUR},
        {"hours", TIME_UNIT_HOUR},       {"d", TIME_UNIT_DAY},
        {"day", TIME_UNIT_DAY},          {"days", TIME_UNIT_DAY},
        {"w", TIME_UNIT_WEEK},           {"week", TIME_UNIT_WEEK},
        {"weeks", TIME_UNIT_WEEK},       {"mon", TIME_UNIT_MONTH},
        {"month", TIME_UNIT_MONTH},      {"months", TIME_UNIT_MONTH},
        {"q", TIME_UNIT_QUARTER},        {"qtr", TIME_UNIT_QUARTER},
        {"qtrs", TIME_UNIT_QUARTER},     {"quarter", TIME_UNIT_QUARTER},
        {"quarters", TIME_UNIT_QUARTER}, {"y", TIME_UNIT_YEAR},
        {"yr", TIME_UNIT_YEAR},          {"yrs", TIME_UNIT_YEAR},
        {"year", TIME_UNIT_YEAR},        {"years", TIME_UNIT_YEAR},
    };
    for (size_t i = 0; i < ARRAY_COUNT(units); i++)
        if (slice_is_nocase(name, units[i].name))
            return units[i].unit;
    return TIME_UNIT_NONE;
}

int64_t time_unit_ns(enum time_unit unit)
{
    static const int64_t lengths[] = {
        [TIME_UNIT_MICROSECOND] = NS_PER_US, [TIME_UNIT_MILLISECOND] = NS_PER_MS,
        [TIME_UNIT_SECOND] = NS_PER_SECOND,  [TIME_UNIT_MINUTE] = NS_PER_MINUTE,
        [TIME_UNIT_HOUR] = NS_PER_HOUR,      [TIME_UNIT_DAY] = NS_PER_DAY,
        [TIME_UNIT_WEEK] = 7 * NS_PER_DAY,   [TIME_UNIT_YEAR] = 0,
    };
    return lengths[unit];
}

/* Days and months move in the calendar there, so that a day with a clock change is still a day. */
static bool add_calendar(int64_t time_ns, int64_t days, int64_t months, const struct zone *zone,
                         int64_t *out)
{
    struct time_parts parts;
    zone_split(zone, time_ns, &parts);
    if (months < -12 * 600 || months > 12 * 600 || days < -220000 || days > 220000)
        return false;
    int64_t month = (int64_t)parts.year * 12 + parts.month - 1 + months;
    int64_t year = month / 12;
    int in_year = (int)(month % 12) + 1;
    int most = time_days_in_month(year, in_year);
    int64_t day = time_days_from_civil(year, in_year, parts.day < most ? parts.day : most) + days;
    if (day < -106000 || day > 106000)
        return false;
    struct time_parts date;
    time_split(day * NS_PER_DAY, &date);
    parts.year = date.year;
    parts.month = date.month;
    parts.day = date.day;
    return zone_to_utc(zone, &parts, 0, out);
}

bool time_add_units(int64_t time_ns, int64_t count, enum time_unit unit, const struct zone *zone,
                    int64_t *out)
{
    int64_t by;
    switch (unit) {
    case TIME_UNIT_DAY:
        return add_calendar(time_ns, count, 0, zone, out);
    case TIME_UNIT_WEEK:
        return !__builtin_mul_overflow(count, INT64_C(7), &by) &&
               add_calendar(time_ns, by, 0, zone, out);
    case TIME_UNIT_MONTH:
        return add_calendar(time_ns, 0, count, zone, out);
    case TIME_UNIT_QUARTER:
        return !__builtin_mul_overflow(count, INT64_C(3), &by) &&
               add_calendar(time_ns, 0, by, zone, out);
    case TIME_UNIT_YEAR:
        return !__builtin_mul_overflow(count, INT64_C(12), &by) &&
               add_calendar(time_ns, 0, by, zone, out);
    case TIME_UNIT_NONE:
    case TIME_UNIT_MICROSECOND:
    case TIME_UNIT_MILLISECOND:
    case TIME_UNIT_SECOND:
    case TIME_UNIT_MINUTE:
    case TIME_UNIT_HOUR:
        break;
    }
    return !__builtin_mul_overflow(count, time_unit_ns(unit), &by) &&
           !__builtin_add_overflow(time_ns, by, out);
}

static int64_t floor_to(int64_t n, int64_t step)
{
    int64_t rest = n % step;
    return n - (rest < 0 ? rest + step : rest);
}

bool time_snap(int64_t time_ns, enum time_unit unit, int weekday, const struct zone *zone,
               int64_t *out)
{
    struct time_parts parts;
    if (unit < TIME_UNIT_HOUR) {
        *out = unit == TIME_UNIT_NONE ? time_ns : floor_to(time_ns, time_unit_ns(unit));
        return true;
    }
    zone_split(zone, time_ns, &parts);
    parts.minute = parts.second = 0;
    parts.nanosecond = 0;
    if (unit == TIME_UNIT_HOUR) {
        int64_t shift = (int64_t)zone_offset(zone, time_ns) * NS_PER_SECOND;
        *out = floor_to(time_ns + shift, NS_PER_HOUR) - shift;
        return true;
    }
    parts.hour = 0;
    int back = unit == TIME_UNIT_WEEK ? (parts.weekday - weekday + 7) % 7 : 0;
    if (unit >= TIME_UNIT_MONTH)
        parts.day = 1;
    if (unit == TIME_UNIT_QUARTER)
        parts.month = (parts.month - 1) / 3 * 3 + 1;
    if (unit == TIME_UNIT_YEAR)
        parts.month = 1;
    return zone_to_utc(zone, &parts, 0, out) &&
           (back == 0 || time_add_units(*out, -back, TIME_UNIT_DAY, zone, out));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct slice take_letters(struct slice *text)
{
    size_t len = 0;
    while (len < text->len && ((text->ptr[len] | 0x20) >= 'a' && (text->ptr[len] | 0x20) <= 'z'))
        len++;
    struct slice letters = slice_sub(*text, 0, len);
    *text = slice_from(*text, len);
    return letters;
}

/* @d, @w1 */
static bool take_snap(struct slice *text, const struct zone *zone, int64_t *time_ns)
{
    *text = slice_from(*text, 1);
    enum time_unit unit = time_unit_by_name(take_letters(text));
    int weekday = 0;
    if (unit == TIME_UNIT_WEEK && text->len && is_digit(text->ptr[0])) {
        weekday = (text->ptr[0] - '0') % 7;
        if (text->ptr[0] > '7')
            return false;
        *text = slice_from(*text, 1);
    }
    return unit != TIME_UNIT_NONE && time_snap(*time_ns, unit, weekday, zone, time_ns);
}

/* -24h, +d (one day) */
static bool take_offset(struct slice *text, const struct zone *zone, int64_t *time_ns)
{
    bool back = text->ptr[0] == '-';
    *text = slice_from(*text, text->ptr[0] == '-' || text->ptr[0] == '+');
    size_t len = 0;
    while (len < text->len && is_digit(text->ptr[len]))
        len++;
    int64_t count = 1;
    if (len && !slice_to_i64(slice_sub(*text, 0, len), &count))
        return false;
    *text = slice_from(*text, len);
    struct slice name = take_letters(text);
    enum time_unit unit = name.len ? time_unit_by_name(name) : TIME_UNIT_SECOND;
    if (unit == TIME_UNIT_NONE || (!name.len && !len))
        return false;
    return time_add_units(*time_ns, back ? -count : count, unit, zone, time_ns);
}

static bool is_epoch(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.ptr[i]) && text.ptr[i] != '.')
            return false;
    return text.len > 0;
}

static bool parse_absolute(struct slice text, int64_t now_ns, const struct zone *zone,
                           int64_t *time_ns)
{
    static const struct slice patterns[] = {
        {"%m/%d/%Y:%H:%M:%S", 17}, {"%Y-%m-%dT%H:%M:%S", 17}, {"%Y-%m-%d %H:%M:%S", 17},
        {"%Y-%m-%dT%H:%M", 14},    {"%Y-%m-%d", 8},           {"%m/%d/%Y", 8},
    };
    struct time_pattern_in in = {.zone = zone, .near_ns = now_ns};
    bool zone_seen;
    size_t used;
    int64_t found;
    if (time_parse_rfc3339(text, &found, &zone_seen) && zone_seen) {
        *time_ns = found;
        return true;
    }
    for (size_t i = 0; i < ARRAY_COUNT(patterns); i++)
        if (time_pattern_parse(patterns[i], text, &in, &found, &used) && used == text.len) {
            *time_ns = found;
            return true;
        }
    return false;
}

bool time_modifier_parse(struct slice text, int64_t now_ns, const struct zone *zone,
                         int64_t *time_ns)
{
    text = slice_trim(text);
    if (is_epoch(text)) {
        /* seconds as they stand: no guessing of milliseconds for small numbers */
        return time_parse_epoch(text, time_ns);
    }
    int64_t at = now_ns;
    struct slice rest = text;
    if (slice_starts(rest, SLICE("now()")))
        rest = slice_from(rest, 5);
    else if (rest.len >= 3 && slice_is_nocase(slice_sub(rest, 0, 3), "now"))
        rest = slice_from(rest, 3);
    else if (rest.len == 0 || parse_absolute(text, now_ns, zone, time_ns))
        return rest.len > 0;
    while (rest.len) {
        char c = rest.ptr[0];
        bool offset = c == '-' || c == '+' || (is_digit(c) && rest.ptr == text.ptr);
        bool ok = c == '@' ? take_snap(&rest, zone, &at) : offset && take_offset(&rest, zone, &at);
        if (!ok)
            return false;
    }
    *time_ns = at;
    return true;
}

int time_modifier_read(struct slice text, int64_t now_ns, const struct zone *zone, int64_t *time_ns,
                       struct err *err)
{
    if (time_modifier_parse(text, now_ns, zone, time_ns))
        return 0;
    return err_set(err, ERR_CONFIG,
                   "\"%.*s\" is no time; write -24h@h, @d, now, 01/26/2018:00:11:02 or seconds "
                   "since 1970",
                   SLICE_ARG(slice_sub(text, 0, 60)));
}
