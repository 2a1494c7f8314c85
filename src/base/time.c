#include "base/time.h"

#include <stdio.h>

int64_t time_days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int time_days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

int64_t time_day(int64_t time_ns)
{
    return time_ns / NS_PER_DAY - (time_ns % NS_PER_DAY < 0);
}

/* Year, month, day and day of the year: C. Neri, L. Schneider, "Euclidean affine functions and their
 * application to calendar algorithms" (2022), in 32 bits, which an int64_t of nanoseconds never
 * leaves. */
static void split_date(int64_t days, struct time_parts *parts)
{
    enum { ERAS = 82, ERA_DAYS = 146097, EPOCH_DAYS = 719468, ERA_YEARS = 400, JANUARY = 306 };
    uint32_t n = (uint32_t)(days + ERAS * ERA_DAYS + EPOCH_DAYS);
    uint32_t century = (4 * n + 3) / ERA_DAYS, of_century = (4 * n + 3) % ERA_DAYS / 4;
    uint64_t product = UINT64_C(2939745) * (4 * of_century + 3);
    uint32_t year = 100 * century + (uint32_t)(product >> 32);
    uint32_t of_year = (uint32_t)product / 2939745 / 4; /* from the first of March on */
    uint32_t month = 2141 * of_year + 197913;
    bool next = of_year >= JANUARY;
    parts->year = (int)(year - ERAS * ERA_YEARS) + next;
    parts->month = (int)(month >> 16) - (next ? 12 : 0);
    parts->day = (int)((month & 0xffff) / 2141) + 1;
    parts->yearday = (int)of_year + (next ? -JANUARY : 59 + is_leap(parts->year));
}

void time_split(int64_t time_ns, struct time_parts *parts)
{
    int64_t days = time_day(time_ns);
    int64_t rest = time_ns % NS_PER_DAY; /* days * NS_PER_DAY need not fit */
    rest += rest < 0 ? NS_PER_DAY : 0;
    uint32_t second = (uint32_t)((uint64_t)rest / NS_PER_SECOND);
    split_date(days, parts);
    parts->hour = (int)(second / 3600);
    parts->minute = (int)(second / 60 % 60);
    parts->second = (int)(second % 60);
    parts->nanosecond = (int32_t)((uint64_t)rest - second * UINT64_C(1000000000));
    parts->weekday = (int)((uint32_t)(days + 4 + 7 * 100000) % 7);
}

bool time_join(const struct time_parts *parts, int64_t *time_ns)
{
    if (parts->year < 1677 || parts->year > 2262 || parts->month < 1 || parts->month > 12 ||
        parts->day < 1 || parts->day > time_days_in_month(parts->year, parts->month) ||
        parts->hour < 0 || parts->hour > 23 || parts->minute < 0 || parts->minute > 59 ||
        parts->second < 0 || parts->second > 60 || parts->nanosecond < 0 ||
        parts->nanosecond >= NS_PER_SECOND)
        return false;
    int64_t seconds = time_days_from_civil(parts->year, parts->month, parts->day) * 86400 +
                      parts->hour * 3600 + parts->minute * 60 + parts->second;
    bool before = seconds < 0; /* the first second of all fits only with its fraction */
    int64_t ns, rest = parts->nanosecond - (before ? NS_PER_SECOND : 0);
    if (__builtin_mul_overflow(seconds + before, NS_PER_SECOND, &ns) ||
        __builtin_add_overflow(ns, rest, &ns))
        return false;
    *time_ns = ns;
    return true;
}

/* Exactly count digits off *text. */
static bool take_digits(struct slice *text, size_t count, int *out)
{
    if (text->len < count)
        return false;
    int n = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = (unsigned)((unsigned char)text->ptr[i] - '0');
        if (digit > 9)
            return false;
        n = n * 10 + (int)digit;
    }
    text->ptr += count;
    text->len -= count;
    *out = n;
    return true;
}

static bool take_char(struct slice *text, char c)
{
    if (!text->len || text->ptr[0] != c)
        return false;
    text->ptr++;
    text->len--;
    return true;
}

static bool take_fraction(struct slice *text, int32_t *nanosecond)
{
    if (!take_char(text, '.') && !take_char(text, ','))
        return true;
    int32_t unit = 100000000;
    size_t digits = 0;
    for (; text->len && text->ptr[0] >= '0' && text->ptr[0] <= '9'; digits++) {
        *nanosecond += (text->ptr[0] - '0') * unit;
        unit /= 10;
        text->ptr++;
        text->len--;
    }
    return digits > 0;
}

static bool take_zone(struct slice *text, int *offset_seconds, bool *seen)
{
    *offset_seconds = 0;
    *seen = text->len > 0;
    if (!text->len || take_char(text, 'Z') || take_char(text, 'z'))
        return true;
    int sign = text->ptr[0] == '-' ? -1 : 1, hour, minute = 0;
    if (!take_char(text, '+') && !take_char(text, '-'))
        return false;
    if (!take_digits(text, 2, &hour))
        return false;
    take_char(text, ':');
    if (text->len && !take_digits(text, 2, &minute))
        return false;
    *offset_seconds = sign * (hour * 3600 + minute * 60);
    return hour <= 23 && minute <= 59;
}

bool time_parse_rfc3339(struct slice text, int64_t *time_ns, bool *zone_seen)
{
    struct time_parts parts = {0};
    int offset;
    if (!take_digits(&text, 4, &parts.year) || !take_char(&text, '-') ||
        !take_digits(&text, 2, &parts.month) || !take_char(&text, '-') ||
        !take_digits(&text, 2, &parts.day))
        return false;
    if (!take_char(&text, 'T') && !take_char(&text, ' ') && !take_char(&text, 't'))
        return false;
    if (!take_digits(&text, 2, &parts.hour) || !take_char(&text, ':') ||
        !take_digits(&text, 2, &parts.minute))
        return false;
    if (take_char(&text, ':') && !take_digits(&text, 2, &parts.second))
        return false;
    if (!take_fraction(&text, &parts.nanosecond) || !take_zone(&text, &offset, zone_seen) ||
        text.len)
        return false;
    int64_t local;
    return time_join(&parts, &local) &&
           !__builtin_sub_overflow(local, offset * NS_PER_SECOND, time_ns);
}

bool time_parse_epoch(struct slice text, int64_t *time_ns)
{
    struct slice whole = text, fraction = SLICE_NONE;
    slice_cut(text, '.', &whole, &fraction);
    int64_t n, unit = NS_PER_SECOND;
    if (!slice_to_i64(whole, &n))
        return false;
    int64_t size = n < 0 ? -n : n;
    if (size >= INT64_C(100000000000000000)) /* 1e17: nanoseconds since 1973 */
        unit = 1;
    else if (size >= INT64_C(100000000000000)) /* 1e14: microseconds */
        unit = NS_PER_US;
    else if (size >= INT64_C(100000000000)) /* 1e11: milliseconds since 1973 */
        unit = NS_PER_MS;
    int64_t ns, part = 0;
    if (__builtin_mul_overflow(n, unit, &ns))
        return false;
    for (size_t i = 0; i < fraction.len; i++) {
        unsigned digit = (unsigned)((unsigned char)fraction.ptr[i] - '0');
        if (digit > 9)
            return false;
        unit /= 10;
        part += (int64_t)digit * unit;
    }
    if (whole.ptr[0] == '-')
        part = -part;
    return !__builtin_add_overflow(ns, part, time_ns);
}

static char *put_digits(char *to, int n, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        to[i] = (char)('0' + n % 10);
        n /= 10;
    }
    return to + width;
}

size_t time_format(int64_t time_ns, char to[TIME_TEXT_SIZE])
{
    struct time_parts parts;
    time_split(time_ns, &parts);
    char *at = put_digits(to, parts.year, 4);
    *at++ = '-';
    at = put_digits(at, parts.month, 2);
    *at++ = '-';
    at = put_digits(at, parts.day, 2);
    *at++ = 'T';
    at = put_digits(at, parts.hour, 2);
    *at++ = ':';
    at = put_digits(at, parts.minute, 2);
    *at++ = ':';
    at = put_digits(at, parts.second, 2);
    if (parts.nanosecond) {
        *at++ = '.';
        if (parts.nanosecond % 1000000 == 0)
            at = put_digits(at, parts.nanosecond / 1000000, 3);
        else if (parts.nanosecond % 1000 == 0)
            at = put_digits(at, parts.nanosecond / 1000, 6);
        else
            at = put_digits(at, parts.nanosecond, 9);
    }
    *at++ = 'Z';
    *at = '\0';
    return (size_t)(at - to);
}

size_t time_format_ms(int64_t time_ns, char to[TIME_TEXT_SIZE])
{
    int64_t rest = time_ns % NS_PER_MS;
    return time_format(time_ns - rest - (rest < 0 && time_ns > INT64_MIN + NS_PER_MS ? NS_PER_MS : 0), to);
}

int time_month_by_name(struct slice name)
{
    static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    if (name.len < 3)
        return 0;
    const char lower[3] = {(char)(name.ptr[0] | 0x20), (char)(name.ptr[1] | 0x20), (char)(name.ptr[2] | 0x20)};
    for (int i = 0; i < 12; i++)
        if (memcmp(months + (ptrdiff_t)3 * i, lower, 3) == 0)
            return i + 1;
    return 0;
}
