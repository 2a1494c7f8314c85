#include "base/cron.h"

#include "base/attr.h"

enum { MINUTES_OF_DAY = 24 * 60, DAYS_SEARCHED = 9 * 366 }; /* 29 February: 8 years apart around 2100 */
#define EVERY_HOUR UINT32_C(0xffffff)

/* ---- reading ---- */

struct field {
    const char *name;
    int least, most;
    const char *const *words; /* from least on, or NULL */
};

static const char *const month_words[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                          "jul", "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const day_words[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static bool number_of(const struct field *field, struct slice text, int *out)
{
    int64_t n;
    for (int i = 0; field->words && field->words[i]; i++)
        if (slice_is_nocase(text, field->words[i])) {
            *out = field->least + i;
            return true;
        }
    if (text.len == 0 || text.len > 2 || text.ptr[0] < '0' || text.ptr[0] > '9' ||
        !slice_to_i64(text, &n) || n < field->least || n > field->most)
        return false;
    *out = (int)n;
    return true;
}

static int wrong(const struct field *field, struct slice part, struct err *err)
{
    return err_set(err, ERR_CONFIG, "the %s of a cron schedule is %d to %d%s, such as 5, 1-5, 1,3 or */2; "
                   "'%.*s' is none", field->name, field->least, field->most,
                   field->words ? " or names" : "", SLICE_ARG(part));
}

/* "*", "5", "1-5", each but the second with "/2". */
static int read_part(const struct field *field, struct slice part, uint64_t *bits, struct err *err)
{
    struct slice span = part, step = SLICE_NONE, from, to;
    int first = field->least, last = field->most, by = 1;
    if (slice_cut(part, '/', &span, &step)) {
        struct field steps = {.least = 1, .most = field->most};
        if (!number_of(&steps, step, &by) || (!slice_is(span, "*") && slice_find_char(span, '-') < 0))
            return err_set(err, ERR_CONFIG, "the %s of a cron schedule: a step such as /%d follows * or a "
                           "span, '%.*s' does not", field->name, by > 1 ? by : 10, SLICE_ARG(part));
    }
    if (slice_cut(span, '-', &from, &to)) {
        if (!number_of(field, from, &first) || !number_of(field, to, &last))
            return wrong(field, part, err);
        if (first > last)
            return err_set(err, ERR_CONFIG, "the %s of a cron schedule: '%.*s' ends before it begins; write "
                           "two spans, such as %.*s-%d,%d-%.*s", field->name, SLICE_ARG(span),
                           SLICE_ARG(from), field->most, field->least, SLICE_ARG(to));
    } else if (!slice_is(span, "*")) {
        if (!number_of(field, span, &first))
            return wrong(field, part, err);
        last = first;
    }
    for (int i = first; i <= last; i += by)
        *bits |= UINT64_C(1) << i;
    return 0;
}

static int read_field(const struct field *field, struct slice text, uint64_t *bits, struct err *err)
{
    struct slice part;
    *bits = 0;
    while (slice_next_part(&text, ',', &part))
        if (read_part(field, part, bits, err) < 0)
            return -1;
    return 0;
}

/* ---- days ---- */

static bool day_counts(const struct cron *cron, int year, int month, int day)
{
    int64_t days = time_days_from_civil(year, month, day);
    int weekday = (int)(((days + 4) % 7 + 7) % 7);
    bool of_month = cron->days >> day & 1, of_week = cron->weekdays >> weekday & 1;
    if (!(cron->months >> month & 1))
        return false;
    return cron->any_day || cron->any_weekday ? of_month && of_week : of_month || of_week;
}

/* Some day of a leap year: a weekday comes to every date within 28 years, so it is no bound. */
static bool can_happen(const struct cron *cron)
{
    struct cron dates = *cron;
    if (!(cron->any_day || cron->any_weekday))
        return true; /* either will do, and some weekday there is */
    dates.weekdays = 0x7f;
    for (int month = 1; month <= 12; month++)
        for (int day = 1; day <= time_days_in_month(2024, month); day++)
            if (day_counts(&dates, 2024, month, day))
                return true;
    return false;
}

static bool next_field(struct slice *text, struct slice *out)
{
    *text = slice_trim(*text);
    size_t len = 0;
    while (len < text->len && text->ptr[len] != ' ' && text->ptr[len] != '\t')
        len++;
    *out = slice_sub(*text, 0, len);
    *text = slice_from(*text, len);
    return len > 0;
}

int cron_parse(struct slice text, struct cron *out, struct err *err)
{
    static const struct field fields[] = {
        {"minute", 0, 59, NULL},         {"hour", 0, 23, NULL},
        {"day of the month", 1, 31, NULL}, {"month", 1, 12, month_words},
        {"day of the week", 0, 7, day_words}};
    struct slice rest = text, parts[ARRAY_COUNT(fields)], more;
    uint64_t bits[ARRAY_COUNT(fields)];
    size_t count = 0;
    while (count < ARRAY_COUNT(fields) && next_field(&rest, &parts[count]))
        count++;
    if (text.len > CRON_TEXT_MAX || count < ARRAY_COUNT(fields) || next_field(&rest, &more))
        return err_set(err, ERR_CONFIG, "a cron schedule has five fields, minute hour day month weekday, such "
                       "as \"*/10 * * * *\", in at most %d bytes", CRON_TEXT_MAX);
    for (size_t i = 0; i < count; i++)
        if (read_field(&fields[i], parts[i], &bits[i], err) < 0)
            return -1;
    *out = (struct cron){.minutes = bits[0], .hours = (uint32_t)bits[1], .days = (uint32_t)bits[2],
                         .months = (uint32_t)bits[3],
                         .weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 0x7f),
                         .any_day = slice_starts(parts[2], SLICE("*")),
                         .any_weekday = slice_starts(parts[4], SLICE("*"))};
    return can_happen(out) ? 0 : err_set(err, ERR_CONFIG, "no year has a day for the cron schedule '%.*s'",
                                         SLICE_ARG(text));
}

/* ---- due times ---- */

struct search {
    const struct cron *cron;
    const struct zone *zone;
    struct time_parts day; /* hour and minute are set on the way */
    int64_t after_ns;
};

static bool in_minute(const struct cron *cron, int of_day)
{
    return (cron->hours >> of_day / 60 & 1) && (cron->minutes >> of_day % 60 & 1);
}

/* The first instant after low at which the offset is another one; it is so at high. */
static int64_t change_between(const struct zone *zone, int64_t low, int64_t high)
{
    int32_t before = zone_offset(zone, low);
    while (high - low > NS_PER_SECOND) {
        int64_t middle = low + (high - low) / NS_PER_SECOND / 2 * NS_PER_SECOND;
        if (zone_offset(zone, middle) == before)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static void take_earlier(int64_t t, int64_t after_ns, int64_t *best)
{
    if (t > after_ns && t < *best)
        *best = t;
}

/* A minute of a day on which, or near which, the clocks change. */
static void try_minute(struct search *s, int of_day, int64_t *best)
{
    struct time_parts there;
    int64_t first, second;
    s->day.hour = of_day / 60;
    s->day.minute = of_day % 60;
    if (!zone_to_utc(s->zone, &s->day, 0, &first) || !zone_to_utc(s->zone, &s->day, 1, &second))
        return;
    bool every_hour = s->cron->hours == EVERY_HOUR;
    zone_split(s->zone, first, &there);
    if (there.day == s->day.day && there.hour == s->day.hour && there.minute == s->day.minute) {
        take_earlier(first, s->after_ns, best);
        if (every_hour)
            take_earlier(second, s->after_ns, best);
    } else if (!every_hour) {
        take_earlier(change_between(s->zone, second, first), s->after_ns, best);
    }
}

/* The offset is the same all day: arithmetic will do. */
static void try_plain_day(const struct search *s, int64_t midnight, int64_t *best)
{
    int64_t passed = s->after_ns - midnight;
    int of_day = passed < 0 ? 0 : (int)(passed / NS_PER_MINUTE) + 1;
    if (passed >= NS_PER_DAY)
        return;
    for (; of_day < MINUTES_OF_DAY; of_day++) {
        if (!(s->cron->hours >> of_day / 60 & 1))
            of_day += 59 - of_day % 60;
        else if (in_minute(s->cron, of_day))
            break;
    }
    if (of_day < MINUTES_OF_DAY)
        take_earlier(midnight + of_day * NS_PER_MINUTE, s->after_ns, best);
}

static void try_day(struct search *s, int64_t *best)
{
    int64_t midnight;
    s->day.hour = s->day.minute = 0;
    if (!zone_to_utc(s->zone, &s->day, 0, &midnight) || midnight > INT64_MAX - 2 * NS_PER_DAY ||
        midnight < INT64_MIN + NS_PER_DAY)
        return;
    if (zone_offset(s->zone, midnight - NS_PER_DAY) == zone_offset(s->zone, midnight + 2 * NS_PER_DAY)) {
        try_plain_day(s, midnight, best);
        return;
    }
    for (int of_day = 0; of_day < MINUTES_OF_DAY; of_day++)
        if (in_minute(s->cron, of_day))
            try_minute(s, of_day, best);
}

static void next_day(struct time_parts *day)
{
    if (++day->day <= time_days_in_month(day->year, day->month))
        return;
    day->day = 1;
    if (++day->month <= 12)
        return;
    day->month = 1;
    day->year++;
}

bool cron_next(const struct cron *cron, const struct zone *zone, int64_t after_ns, int64_t *out)
{
    struct search s = {.cron = cron, .zone = zone, .after_ns = after_ns};
    int64_t best = INT64_MAX;
    if (after_ns < INT64_MIN + 2 * NS_PER_DAY || after_ns > INT64_MAX - 3 * NS_PER_DAY)
        return false;
    zone_split(zone, after_ns - NS_PER_DAY, &s.day);
    s.day = (struct time_parts){.year = s.day.year, .month = s.day.month, .day = s.day.day};
    for (int i = 0, left = DAYS_SEARCHED; i < left; i++, next_day(&s.day)) {
        if (day_counts(cron, s.day.year, s.day.month, s.day.day))
            try_day(&s, &best);
        if (best < INT64_MAX && left == DAYS_SEARCHED)
            left = i + 2; /* where the clocks go back over midnight the next day may begin earlier */
    }
    *out = best;
    return best < INT64_MAX;
}
