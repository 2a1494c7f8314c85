#include "table/calendar.h"

#include "base/file.h"
#include "base/limits.h"

enum rule_kind { ON_DATE, ON_MONDAY, ON_SPRING, ON_AUTUMN, ONCE };

struct holiday {
    struct slice name;
    enum rule_kind kind;
    int year, month, day; /* year of ONCE; day is the number of the Monday of ON_MONDAY */
    int from, to;
    int after; /* hour from which it is one; 0: the whole day */
    const struct yaml_node *except;
};

struct calendar {
    struct slice name, like_name;
    const struct zone *zone;
    struct holiday *holidays;
    size_t count;
    bool substitute, between;
    const struct calendar *like;
};

struct calendars {
    struct calendar list[CALENDARS_MAX];
    size_t count;
};

struct loading {
    struct arena *arena;
    struct calendars *calendars;
};

/* ---- reading ---- */

static bool read_number(const struct yaml_node *node, int least, int most, int fallback, int *out)
{
    int64_t n = fallback;
    if (node && (!slice_to_i64(yaml_text(node, SLICE("")), &n) || n < least || n > most))
        return false;
    *out = (int)n;
    return true;
}

/* "01-02" or "2020-01-02". */
static bool read_date(struct slice text, struct holiday *to)
{
    struct slice year, month, day;
    int64_t y = 0, m, d;
    bool whole = text.len == 10 && slice_cut(text, '-', &year, &text);
    if (whole && !slice_to_i64(year, &y))
        return false;
    if (!slice_cut(text, '-', &month, &day) || !slice_to_i64(month, &m) || !slice_to_i64(day, &d) || m < 1 || m > 12 ||
        d < 1 || d > time_days_in_month(whole ? y : 2000, (int)m))
        return false;
    to->kind = whole ? ONCE : ON_DATE;
    to->year = (int)y;
    to->month = (int)m;
    to->day = (int)d;
    return true;
}

static int read_holiday(const struct yaml_node *node, struct holiday *to, struct err *err)
{
    const struct yaml_node *date = yaml_get(node, "date"), *monday = yaml_get(node, "monday");
    struct slice equinox = yaml_text(yaml_get(node, "equinox"), SLICE_NONE);
    to->name = yaml_text(yaml_get(node, "name"), SLICE("holiday"));
    to->except = yaml_get(node, "except");
    if (!read_number(yaml_get(node, "from"), 1, 9999, 1, &to->from) ||
        !read_number(yaml_get(node, "to"), 1, 9999, 9999, &to->to))
        return yaml_err(err, node, "from and to are years");
    if (!read_number(yaml_get(node, "after"), 1, 23, 0, &to->after))
        return yaml_err(err, node, "after is an hour from 1 to 23");
    if (date)
        return read_date(yaml_text(date, SLICE("")), to) ? 0 : yaml_err(err, date, "a date is 01-31 or 2026-01-31");
    to->kind = monday ? ON_MONDAY : slice_is(equinox, "spring") ? ON_SPRING : ON_AUTUMN;
    if (monday && read_number(yaml_get(node, "month"), 1, 12, 0, &to->month) && to->month &&
        read_number(monday, 1, 5, 0, &to->day))
        return 0;
    if (!monday && (slice_is(equinox, "spring") || slice_is(equinox, "autumn")))
        return 0;
    return yaml_err(err, node, "a holiday has a date, or month and monday, or equinox: spring or autumn");
}

static int read_holidays(struct calendar *calendar, const struct yaml_node *list, struct arena *arena, struct err *err)
{
    if (!list)
        return 0;
    if (list->kind != YAML_SEQUENCE)
        return yaml_err(err, list, "holidays and dates are lists");
    calendar->holidays = arena_grow(arena, calendar->holidays, calendar->count * sizeof(struct holiday),
                                    (calendar->count + list->count + 1) * sizeof(struct holiday));
    if (!calendar->holidays)
        return err_nomem(err);
    for (size_t i = 0; i < list->count; i++)
        if (read_holiday(list->entries[i].value, &calendar->holidays[calendar->count++], err) < 0)
            return -1;
    return 0;
}

static int read_calendar(void *context, const struct yaml_node *node, struct err *err)
{
    struct loading *loading = context;
    struct calendars *all = loading->calendars;
    if (all->count == CALENDARS_MAX)
        return yaml_err(err, node, "more than %d calendars", CALENDARS_MAX);
    struct calendar *calendar = &all->list[all->count++];
    struct slice zone = yaml_text(yaml_get(node, "zone"), SLICE("UTC"));
    calendar->name = yaml_text(yaml_get(node, "calendar"), SLICE_NONE);
    calendar->like_name = yaml_text(yaml_get(node, "like"), SLICE_NONE);
    calendar->zone = zone_find(zone);
    if (!calendar->name.ptr)
        return yaml_err(err, node, "a calendar needs 'calendar', its name");
    if (!calendar->zone)
        return yaml_err(err, node, "there is no time zone '%.*s'", SLICE_ARG(zone));
    (void)yaml_to_bool(yaml_get(node, "substitute"), &calendar->substitute);
    (void)yaml_to_bool(yaml_get(node, "between"), &calendar->between);
    return read_holidays(calendar, yaml_get(node, "holidays"), loading->arena, err) < 0 ||
                   read_holidays(calendar, yaml_get(node, "dates"), loading->arena, err) < 0
               ? -1
               : 0;
}

int calendars_load(const char *folder, struct arena *arena, const struct calendars **out, struct err *err)
{
    struct loading loading = {arena, arena_calloc(arena, sizeof(struct calendars))};
    *out = loading.calendars;
    if (!loading.calendars)
        return err_nomem(err);
    if (!folder || !file_is_dir(folder))
        return 0;
    if (yaml_walk(folder, arena, read_calendar, &loading, err) < 0)
        return -1;
    for (size_t i = 0; i < loading.calendars->count; i++) {
        struct calendar *calendar = &loading.calendars->list[i];
        calendar->like = calendar->like_name.ptr ? calendar_find(loading.calendars, calendar->like_name) : NULL;
        if (calendar->like_name.ptr && (!calendar->like || calendar->like->like_name.ptr))
            return err_set(err, ERR_CONFIG, "calendar %.*s: '%.*s' is no calendar that stands by itself",
                           SLICE_ARG(calendar->name), SLICE_ARG(calendar->like_name));
    }
    return 0;
}

const struct calendar *calendar_find(const struct calendars *calendars, struct slice name)
{
    for (size_t i = 0; calendars && i < calendars->count; i++)
        if (slice_equal(calendars->list[i].name, name))
            return &calendars->list[i];
    return NULL;
}

const struct zone *calendar_zone(const struct calendar *calendar)
{
    return calendar->zone;
}

/* ---- asking ---- */

/* The day of March or September; in millionths: 20.8431 or 23.2488, and 0.242194 a year less the leap days. */
static int equinox_day(enum rule_kind kind, int year)
{
    int64_t since = year - 1980, first = kind == ON_SPRING ? 20843100 : 23248800;
    int64_t leap_days = since >= 0 ? since / 4 : -((3 - since) / 4);
    return (int)((first + since * 242194 - leap_days * 1000000) / 1000000);
}

static bool is_on(const struct holiday *holiday, const struct time_parts *date)
{
    bool spring = holiday->kind == ON_SPRING;
    if (date->year < holiday->from || date->year > holiday->to)
        return false;
    for (size_t i = 0; holiday->except && i < holiday->except->count; i++) {
        int64_t year;
        if (slice_to_i64(yaml_text(holiday->except->entries[i].value, SLICE("")), &year) && year == date->year)
            return false;
    }
    switch (holiday->kind) {
    case ON_DATE:
        return date->month == holiday->month && date->day == holiday->day;
    case ON_MONDAY:
        return date->month == holiday->month && date->weekday == 1 && (date->day - 1) / 7 + 1 == holiday->day;
    case ON_SPRING:
    case ON_AUTUMN:
        return date->month == (spring ? 3 : 9) && date->day == equinox_day(holiday->kind, date->year);
    case ONCE:
        break;
    }
    return date->year == holiday->year && date->month == holiday->month && date->day == holiday->day;
}

/* By its own rules, without what follows from other holidays. */
static struct slice fixed(const struct calendar *calendar, int64_t day, int hour)
{
    struct time_parts date;
    time_split(day * NS_PER_DAY, &date);
    for (size_t i = 0; i < calendar->count; i++)
        if (calendar->holidays[i].after <= hour && is_on(&calendar->holidays[i], &date))
            return calendar->holidays[i].name;
    return SLICE_NONE;
}

/* Sunday is a holiday, and so is every day from it to the day before. */
static bool is_substitute(const struct calendar *calendar, int64_t day)
{
    struct time_parts date;
    for (int64_t before = day - 1; day - before < 8; before--) {
        if (!fixed(calendar, before, 0).ptr)
            return false;
        time_split(before * NS_PER_DAY, &date);
        if (date.weekday == 0)
            return true;
    }
    return false;
}

static bool is_between(const struct calendar *calendar, int64_t day)
{
    struct time_parts date;
    time_split(day * NS_PER_DAY, &date);
    return date.weekday != 0 && fixed(calendar, day - 1, 0).ptr && fixed(calendar, day + 1, 0).ptr;
}

struct slice calendar_off(const struct calendar *calendar, int64_t day, int hour)
{
    struct slice name = fixed(calendar, day, hour);
    if (!name.ptr && calendar->substitute && is_substitute(calendar, day))
        name = SLICE("振替休日");
    if (!name.ptr && calendar->between && is_between(calendar, day))
        name = SLICE("国民の休日");
    return name.ptr || !calendar->like ? name : calendar_off(calendar->like, day, hour);
}

struct slice calendar_holiday(const struct calendar *calendar, int64_t day)
{
    return calendar_off(calendar, day, 0);
}
