#include "base/zone_rule.h"

#include "base/time.h"

static bool take_char(struct slice *from, char c)
{
    if (from->len == 0 || from->ptr[0] != c)
        return false;
    *from = slice_from(*from, 1);
    return true;
}

static bool take_number(struct slice *from, int max, int *out)
{
    int n = 0;
    size_t at = 0;
    for (; at < from->len && at < 4 && from->ptr[at] >= '0' && from->ptr[at] <= '9'; at++)
        n = n * 10 + (from->ptr[at] - '0');
    *out = n;
    *from = slice_from(*from, at);
    return at > 0 && n <= max;
}

/* "JST" or "<+0330>" */
static bool take_name(struct slice *from, struct slice *name)
{
    if (take_char(from, '<')) {
        ptrdiff_t end = slice_find_char(*from, '>');
        if (end < 0)
            return false;
        *name = slice_sub(*from, 0, (size_t)end);
        *from = slice_from(*from, (size_t)end + 1);
        return true;
    }
    size_t len = 0;
    while (len < from->len && (from->ptr[len] | 0x20) >= 'a' && (from->ptr[len] | 0x20) <= 'z')
        len++;
    *name = slice_sub(*from, 0, len);
    *from = slice_from(*from, len);
    return len >= 3;
}

/* [+-]h[:mm[:ss]] */
static bool take_time(struct slice *from, int32_t *out)
{
    int hour, minute = 0, second = 0;
    bool negative = take_char(from, '-');
    if (!negative)
        take_char(from, '+');
    if (!take_number(from, 167, &hour))
        return false;
    if (take_char(from, ':') && !take_number(from, 59, &minute))
        return false;
    if (take_char(from, ':') && !take_number(from, 59, &second))
        return false;
    int32_t n = hour * 3600 + minute * 60 + second;
    *out = negative ? -n : n;
    return true;
}

static bool take_change(struct slice *from, struct zone_change *change)
{
    *change = (struct zone_change){.second = 2 * 3600};
    if (take_char(from, 'M')) {
        change->kind = 'M';
        if (!take_number(from, 12, &change->month) || !take_char(from, '.') ||
            !take_number(from, 5, &change->week) || !take_char(from, '.') ||
            !take_number(from, 6, &change->weekday) || change->month < 1 || change->week < 1)
            return false;
    } else {
        change->kind = take_char(from, 'J') ? 'J' : 'N';
        if (!take_number(from, 365, &change->day) || (change->kind == 'J' && change->day == 0))
            return false;
    }
    return !take_char(from, '/') || take_time(from, &change->second);
}

bool zone_rule_parse(struct slice text, struct zone_rule *out)
{
    int32_t west;
    *out = (struct zone_rule){0};
    if (!take_name(&text, &out->standard_name) || !take_time(&text, &west))
        return false;
    out->standard_s = -west;
    if (text.len == 0)
        return true;
    out->has_summer = true;
    out->summer_s = out->standard_s + 3600;
    if (!take_name(&text, &out->summer_name))
        return false;
    if (text.len && text.ptr[0] != ',') {
        if (!take_time(&text, &west))
            return false;
        out->summer_s = -west;
    }
    return take_char(&text, ',') && take_change(&text, &out->start) && take_char(&text, ',') &&
           take_change(&text, &out->end) && text.len == 0;
}

/* The change in that year, in seconds since 1970 of local time. */
static int64_t change_in(const struct zone_change *change, int64_t year)
{
    int64_t day = time_days_from_civil(year, 1, 1);
    bool leap = time_days_in_month(year, 2) == 29;
    if (change->kind == 'J') {
        day += change->day - 1 + (leap && change->day > 59);
    } else if (change->kind == 'N') {
        day += change->day;
    } else {
        day = time_days_from_civil(year, change->month, 1);
        int64_t weekday = ((day + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
        int first = (int)((change->weekday - weekday + 7) % 7);
        int in_month = first + (change->week - 1) * 7;
        if (in_month >= time_days_in_month(year, change->month))
            in_month -= 7;
        day += in_month;
    }
    return day * 86400 + change->second;
}

bool zone_rule_is_summer(const struct zone_rule *rule, int64_t utc_s)
{
    if (!rule->has_summer)
        return false;
    struct time_parts parts;
    int64_t local_ns; /* at the very ends of time any year will do */
    if (__builtin_mul_overflow(utc_s + rule->standard_s, NS_PER_SECOND, &local_ns))
        local_ns = utc_s * NS_PER_SECOND;
    time_split(local_ns, &parts);
    int64_t start = change_in(&rule->start, parts.year) - rule->standard_s;
    int64_t end = change_in(&rule->end, parts.year) - rule->summer_s;
    return start < end ? utc_s >= start && utc_s < end : utc_s >= start || utc_s < end;
}
