#include "base/time_pattern.h"

#include "base/buffer.h"

/* Logs tell of the past. A clock may be fast, or in another zone than was said. */
#define YEAR_AHEAD_NS (7 * NS_PER_DAY)

static const char *const month_names[] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};
static const char *const day_names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday"};

/* Zone names that logs print. Those that mean several places (IST, CST) are the most frequent. */
static const struct {
    const char *name;
    int32_t offset_s;
} abbreviations[] = {
    {"UTC", 0},      {"GMT", 0},      {"Z", 0},         {"UT", 0},        {"WET", 0},
    {"JST", 32400},  {"KST", 32400},  {"HKT", 28800},   {"SGT", 28800},   {"EST", -18000},
    {"EDT", -14400}, {"CST", -21600}, {"CDT", -18000},  {"MST", -25200},  {"MDT", -21600},
    {"PST", -28800}, {"PDT", -25200}, {"AKST", -32400}, {"AKDT", -28800}, {"HST", -36000},
    {"BST", 3600},   {"CET", 3600},   {"CEST", 7200},   {"WEST", 3600},   {"MEZ", 3600},
    {"MESZ", 7200},  {"EET", 7200},   {"EEST", 10800},  {"MSK", 10800},   {"IST", 19800},
    {"AEST", 36000}, {"AEDT", 39600}, {"ACST", 34200},  {"AWST", 28800},  {"NZST", 43200},
    {"NZDT", 46800}, {"BRT", -10800}, {"ART", -10800},  {"SAST", 7200},
};

/* One directive: %[digits or colons]letter. */
struct directive {
    char letter;
    int width; /* digits given, or 0 */
    int colons;
};

/* What a letter may be: nothing, a directive, one of parts of a second. */
enum { LETTER = 1, PART = 2 };
static const uint8_t letters[128] = {
    ['Y'] = LETTER, ['y'] = LETTER, ['G'] = LETTER, ['m'] = LETTER, ['d'] = LETTER, ['e'] = LETTER, ['j'] = LETTER,
    ['H'] = LETTER, ['k'] = LETTER, ['I'] = LETTER, ['l'] = LETTER, ['p'] = LETTER, ['M'] = LETTER, ['S'] = LETTER,
    ['a'] = LETTER, ['A'] = LETTER, ['b'] = LETTER, ['h'] = LETTER, ['B'] = LETTER, ['w'] = LETTER, ['u'] = LETTER,
    ['U'] = LETTER, ['W'] = LETTER, ['V'] = LETTER, ['s'] = LETTER, ['N'] = PART,   ['Q'] = PART,   ['f'] = PART,
    ['z'] = LETTER, ['Z'] = LETTER, ['T'] = LETTER, ['F'] = LETTER, ['D'] = LETTER, ['R'] = LETTER, ['c'] = LETTER,
    ['x'] = LETTER, ['X'] = LETTER, ['+'] = LETTER, ['n'] = LETTER, ['t'] = LETTER, ['%'] = LETTER,
};

static bool take_directive(struct slice *pattern, struct directive *out)
{
    *out = (struct directive){0};
    size_t at = 1;
    while (at < pattern->len && pattern->ptr[at] >= '0' && pattern->ptr[at] <= '9' && at < 3)
        out->width = out->width * 10 + (pattern->ptr[at++] - '0');
    while (at < pattern->len && pattern->ptr[at] == ':' && at < 4) {
        out->colons++;
        at++;
    }
    if (at >= pattern->len)
        return false;
    out->letter = pattern->ptr[at];
    uint8_t kind = (unsigned char)out->letter < sizeof(letters) ? letters[(unsigned char)out->letter] : 0;
    if (!kind || (out->width && (kind != PART || out->width > 9)) || (out->colons && out->letter != 'z'))
        return false;
    *pattern = slice_from(*pattern, at + 1);
    return true;
}

/* What a directive stands for, when it is a short form. */
static struct slice short_form(char letter)
{
    switch (letter) {
    case 'T':
    case 'X':
        return SLICE("%H:%M:%S");
    case 'F':
        return SLICE("%Y-%m-%d");
    case 'D':
    case 'x':
        return SLICE("%m/%d/%y");
    case 'R':
        return SLICE("%H:%M");
    case 'c':
        return SLICE("%a %b %e %H:%M:%S %Y");
    case '+':
        return SLICE("%a %b %e %H:%M:%S %Z %Y");
    default:
        return SLICE_NONE;
    }
}

int time_pattern_check(struct slice pattern, struct err *err)
{
    struct slice rest = pattern;
    struct directive directive;
    while (rest.len) {
        int at = (int)(pattern.len - rest.len);
        if (rest.ptr[0] != '%')
            rest = slice_from(rest, 1);
        else if (!take_directive(&rest, &directive))
            return err_set_at(err, ERR_CONFIG, at, at + 2,
                              "the time pattern has an unknown directive at byte %d: %.*s", at,
                              (int)(rest.len < 3 ? rest.len : 3), rest.ptr);
    }
    return 0;
}

/* --- reading --- */

struct reading {
    struct slice text;
    struct time_parts parts;
    bool has_year, has_month, has_day, has_yearday, has_zone, has_epoch, pm, has_pm;
    int yearday;
    const struct zone *zone;
    int32_t offset_s;
    int64_t epoch_s;
};

static void skip_space(struct slice *text)
{
    while (text->len && (text->ptr[0] == ' ' || (text->ptr[0] >= '\t' && text->ptr[0] <= '\r')))
        *text = slice_from(*text, 1);
}

static bool read_number(struct reading *in, size_t digits_max, int low, int high, int *out)
{
    skip_space(&in->text);
    int n = 0;
    size_t at = 0;
    while (at < in->text.len && at < digits_max && in->text.ptr[at] >= '0' &&
           in->text.ptr[at] <= '9')
        n = n * 10 + (in->text.ptr[at++] - '0');
    if (at == 0 || n < low || n > high)
        return false;
    in->text = slice_from(in->text, at);
    *out = n;
    return true;
}

/* Whole, or its first three letters with a dot or none; those are different for each of them. */
static bool read_name(struct reading *in, const char *const names[], int count, int *out)
{
    skip_space(&in->text);
    for (int i = 0; i < count && in->text.len >= 3; i++) {
        const char *name = names[i], *text = in->text.ptr;
        if (((text[0] ^ name[0]) | (text[1] ^ name[1]) | (text[2] ^ name[2])) & ~0x20)
            continue;
        if (!slice_equal_nocase(slice_sub(in->text, 0, 3), slice_of(name, 3)))
            continue;
        size_t len = strlen(name);
        bool whole = slice_equal_nocase(slice_sub(in->text, 0, len), slice_of(name, len));
        in->text = slice_from(in->text, whole ? len : 3);
        if (!whole && in->text.len && in->text.ptr[0] == '.')
            in->text = slice_from(in->text, 1);
        *out = i;
        return true;
    }
    return false;
}

/* Digits beyond nanoseconds are cut. */
static bool read_fraction(struct reading *in, int digits_max)
{
    int32_t n = 0, scale = 100000000;
    size_t at = 0, max = digits_max ? (size_t)digits_max : SIZE_MAX;
    for (; at < in->text.len && at < max && in->text.ptr[at] >= '0' && in->text.ptr[at] <= '9';
         at++) {
        n += (in->text.ptr[at] - '0') * scale;
        scale /= 10;
    }
    in->text = slice_from(in->text, at);
    in->parts.nanosecond = n;
    return at > 0;
}

static bool read_offset(struct reading *in)
{
    size_t len = 1;
    skip_space(&in->text);
    if (in->text.len && (in->text.ptr[0] == 'Z' || in->text.ptr[0] == 'z')) {
        in->offset_s = 0;
    } else {
        while (len < in->text.len && len < 9 &&
               ((in->text.ptr[len] >= '0' && in->text.ptr[len] <= '9') || in->text.ptr[len] == ':'))
            len++;
        if (!zone_parse_offset(slice_sub(in->text, 0, len), &in->offset_s))
            return false;
    }
    in->text = slice_from(in->text, len);
    in->has_zone = true;
    return true;
}

static bool is_zone_char(char c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '/' || c == '_';
}

static bool read_zone_name(struct reading *in)
{
    size_t len = 0;
    skip_space(&in->text);
    while (len < in->text.len && is_zone_char(in->text.ptr[len]))
        len++;
    struct slice name = slice_sub(in->text, 0, len);
    if (!len)
        return read_offset(in);
    in->text = slice_from(in->text, len);
    for (size_t i = 0; i < ARRAY_COUNT(abbreviations); i++)
        if (slice_is_nocase(name, abbreviations[i].name)) {
            in->offset_s = abbreviations[i].offset_s;
            in->has_zone = true;
            return true;
        }
    const struct zone *zone = slice_find_char(name, '/') > 0 ? zone_find(name) : NULL;
    if (zone)
        in->zone = zone;
    return zone != NULL;
}

static bool read_epoch(struct reading *in)
{
    size_t len = 0;
    skip_space(&in->text);
    if (in->text.len && in->text.ptr[0] == '-')
        len = 1;
    while (len < in->text.len && in->text.ptr[len] >= '0' && in->text.ptr[len] <= '9')
        len++;
    if (!slice_to_i64(slice_sub(in->text, 0, len), &in->epoch_s) ||
        in->epoch_s > INT64_MAX / NS_PER_SECOND - 1 || in->epoch_s < INT64_MIN / NS_PER_SECOND + 1)
        return false;
    in->text = slice_from(in->text, len);
    in->has_epoch = true;
    return true;
}

static bool read_half(struct reading *in)
{
    skip_space(&in->text);
    struct slice half = slice_sub(in->text, 0, 2);
    if (!slice_is_nocase(half, "am") && !slice_is_nocase(half, "pm"))
        return false;
    in->pm = (half.ptr[0] | 0x20) == 'p';
    in->has_pm = true;
    in->text = slice_from(in->text, 2);
    return true;
}

static bool read_year(struct reading *in, char letter)
{
    int n;
    if (!read_number(in, letter == 'y' ? 2 : 4, 0, 9999, &n))
        return false;
    if (letter == 'y')
        n += n < 69 ? 2000 : 1900;
    in->parts.year = n;
    in->has_year = true;
    return true;
}

static bool read_date(struct reading *in, char letter)
{
    int n = 0;
    if (letter == 'b' || letter == 'B' || letter == 'h') {
        in->has_month = read_name(in, month_names, 12, &n);
        in->parts.month = n + 1;
        return in->has_month;
    }
    if (letter == 'm') {
        in->has_month = read_number(in, 2, 1, 12, &in->parts.month);
        return in->has_month;
    }
    if (letter == 'j') {
        in->has_yearday = read_number(in, 3, 1, 366, &in->yearday);
        return in->has_yearday;
    }
    in->has_day = read_number(in, 2, 1, 31, &in->parts.day);
    return in->has_day;
}

static bool read_pattern(struct reading *in, struct slice pattern);

static bool read_directive(struct reading *in, const struct directive *d)
{
    int ignored;
    switch (d->letter) {
    case 'Y':
    case 'y':
        return read_year(in, d->letter);
    case 'G':
        return read_number(in, 4, 0, 9999, &ignored);
    case 'b':
    case 'B':
    case 'h':
    case 'm':
    case 'j':
    case 'd':
    case 'e':
        return read_date(in, d->letter);
    case 'H':
    case 'k':
        return read_number(in, 2, 0, 23, &in->parts.hour);
    case 'I':
    case 'l':
        return read_number(in, 2, 1, 12, &in->parts.hour);
    case 'p':
        return read_half(in);
    case 'M':
        return read_number(in, 2, 0, 59, &in->parts.minute);
    case 'S':
        return read_number(in, 2, 0, 60, &in->parts.second);
    case 'a':
    case 'A':
        return read_name(in, day_names, 7, &ignored);
    case 'w':
    case 'u':
        return read_number(in, 1, 0, 7, &ignored);
    case 'U':
    case 'W':
    case 'V':
        return read_number(in, 2, 0, 53, &ignored);
    case 's':
        return read_epoch(in);
    case 'N':
    case 'Q':
    case 'f':
        return read_fraction(in, d->width);
    case 'z':
        return read_offset(in);
    case 'Z':
        return read_zone_name(in);
    case 'n':
    case 't':
        skip_space(&in->text);
        return true;
    case '%':
        if (!in->text.len || in->text.ptr[0] != '%')
            return false;
        in->text = slice_from(in->text, 1);
        return true;
    default:
        return read_pattern(in, short_form(d->letter));
    }
}

static bool read_pattern(struct reading *in, struct slice pattern)
{
    struct directive directive;
    while (pattern.len) {
        char c = pattern.ptr[0];
        if (c == '%') {
            if (!take_directive(&pattern, &directive) || !read_directive(in, &directive))
                return false;
            continue;
        }
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            skip_space(&in->text);
        } else {
            if (!in->text.len || in->text.ptr[0] != c)
                return false;
            in->text = slice_from(in->text, 1);
        }
        pattern = slice_from(pattern, 1);
    }
    return true;
}

bool time_latest_year(const struct time_parts *parts, const struct zone *zone, int64_t near_ns,
                      int64_t *time_ns)
{
    struct time_parts now, candidate = *parts;
    int64_t latest;
    if (__builtin_add_overflow(near_ns, YEAR_AHEAD_NS, &latest))
        latest = INT64_MAX;
    zone_split(zone, near_ns, &now);
    for (int year = now.year + 1; year >= now.year - 8; year--) { /* 29 February needs a leap year */
        int64_t t;
        candidate.year = year;
        if (year < 1678 || year > 2261 || !zone_to_utc(zone, &candidate, 0, &t) || t > latest)
            continue;
        *time_ns = t;
        return true;
    }
    return false;
}

static bool finish_epoch(const struct reading *in, int64_t *time_ns)
{
    *time_ns = in->epoch_s * NS_PER_SECOND +
               (in->epoch_s < 0 ? -in->parts.nanosecond : in->parts.nanosecond);
    return true;
}

/* What the text did not say: month and day from near_ns or their first. */
static void fill_date(struct reading *in, const struct zone *zone, int64_t near_ns)
{
    struct time_parts now;
    if (in->has_year && in->has_month && in->has_day && !in->has_yearday)
        return;
    zone_split(zone, near_ns, &now);
    if (in->has_yearday) {
        int64_t year = in->has_year ? in->parts.year : now.year;
        int64_t day = time_days_from_civil(year, 1, 1) + in->yearday - 1;
        struct time_parts parts;
        time_split(day * NS_PER_DAY, &parts);
        in->parts.year = parts.year;
        in->parts.month = parts.month;
        in->parts.day = parts.day;
        in->has_year = in->has_month = in->has_day = true;
    }
    bool no_date = !in->has_year && !in->has_month && !in->has_day;
    if (!in->has_month)
        in->parts.month = in->has_year ? 1 : now.month;
    if (!in->has_day)
        in->parts.day = no_date ? now.day : 1;
    if (!in->has_year && !in->has_month) {
        in->parts.year = now.year;
        in->has_year = true;
    }
}

bool time_pattern_parse(struct slice pattern, struct slice text, const struct time_pattern_in *in,
                        int64_t *time_ns, size_t *used)
{
    struct reading reading = {.text = text, .zone = in->zone};
    reading.parts.day = 1;
    if (!read_pattern(&reading, pattern))
        return false;
    if (used)
        *used = text.len - reading.text.len;
    if (reading.has_epoch)
        return finish_epoch(&reading, time_ns);
    if (reading.has_pm)
        reading.parts.hour = reading.parts.hour % 12 + (reading.pm ? 12 : 0);
    const struct zone *zone = reading.has_zone ? NULL : reading.zone;
    fill_date(&reading, zone, in->near_ns);
    int64_t shift = reading.has_zone ? reading.offset_s * NS_PER_SECOND : 0, t;
    bool fits = reading.has_year ? zone_to_utc(zone, &reading.parts, 0, &t)
                                 : time_latest_year(&reading.parts, zone, in->near_ns + shift, &t);
    return fits && !__builtin_sub_overflow(t, shift, time_ns);
}

/* --- printing --- */

struct printing {
    struct buffer *to;
    struct time_parts parts;
    struct zone_local local;
    int64_t time_ns;
};

static void put_number(struct printing *out, int n, int width, char pad)
{
    char digits[16];
    int len = 0;
    bool negative = n < 0;
    for (unsigned rest = (unsigned)(negative ? -n : n); rest || len == 0; rest /= 10)
        digits[len++] = (char)('0' + rest % 10);
    if (negative)
        buffer_put_char(out->to, '-');
    for (int i = len; i < width; i++)
        buffer_put_char(out->to, pad);
    while (len)
        buffer_put_char(out->to, digits[--len]);
}

static void put_fraction(struct printing *out, int digits)
{
    int32_t scale = 100000000;
    for (int i = 0; i < digits; i++, scale /= 10)
        buffer_put_char(out->to, (char)('0' + out->parts.nanosecond / scale % 10));
}

static void put_offset(struct printing *out, int colons)
{
    int32_t s = out->local.offset_s, size = s < 0 ? -s : s;
    buffer_put_char(out->to, s < 0 ? '-' : '+');
    put_number(out, size / 3600, 2, '0');
    if (colons)
        buffer_put_char(out->to, ':');
    put_number(out, size / 60 % 60, 2, '0');
    if (colons == 2) {
        buffer_put_char(out->to, ':');
        put_number(out, size % 60, 2, '0');
    }
}

/* ISO 8601: the week with the year's first Thursday is number 1. */
static int iso_week(const struct time_parts *parts, int *iso_year)
{
    int monday_based = (parts->weekday + 6) % 7;
    int week = (parts->yearday - monday_based + 10) / 7;
    *iso_year = parts->year;
    if (week < 1) {
        struct time_parts last = {.year = parts->year - 1, .month = 12, .day = 31};
        int64_t t;
        if (time_join(&last, &t))
            time_split(t, &last);
        *iso_year = parts->year - 1;
        return (last.yearday - (last.weekday + 6) % 7 + 10) / 7;
    }
    int days = 365 + (time_days_in_month(parts->year, 2) == 29);
    if (week == 53 && parts->yearday - monday_based + 3 >= days) {
        *iso_year = parts->year + 1;
        return 1;
    }
    return week;
}

static void put_pattern(struct printing *out, struct slice pattern);

static void put_calendar(struct printing *out, char letter)
{
    const struct time_parts *p = &out->parts;
    int iso_year, week;
    switch (letter) {
    case 'Y':
        put_number(out, p->year, 4, '0');
        break;
    case 'y':
        put_number(out, p->year % 100, 2, '0');
        break;
    case 'm':
        put_number(out, p->month, 2, '0');
        break;
    case 'd':
    case 'e':
        put_number(out, p->day, 2, letter == 'e' ? ' ' : '0');
        break;
    case 'j':
        put_number(out, p->yearday + 1, 3, '0');
        break;
    case 'w':
        put_number(out, p->weekday, 1, '0');
        break;
    case 'u':
        put_number(out, p->weekday ? p->weekday : 7, 1, '0');
        break;
    case 'U':
        put_number(out, (p->yearday + 7 - p->weekday) / 7, 2, '0');
        break;
    case 'W':
        put_number(out, (p->yearday + 7 - (p->weekday + 6) % 7) / 7, 2, '0');
        break;
    default: /* V, G */
        week = iso_week(p, &iso_year);
        put_number(out, letter == 'V' ? week : iso_year, letter == 'V' ? 2 : 4, '0');
        break;
    }
}

static void put_directive(struct printing *out, const struct directive *d)
{
    const struct time_parts *p = &out->parts;
    switch (d->letter) {
    case 'H':
    case 'k':
        put_number(out, p->hour, 2, d->letter == 'k' ? ' ' : '0');
        break;
    case 'I':
    case 'l':
        put_number(out, p->hour % 12 ? p->hour % 12 : 12, 2, d->letter == 'l' ? ' ' : '0');
        break;
    case 'p':
        buffer_put_text(out->to, p->hour < 12 ? "AM" : "PM");
        break;
    case 'M':
        put_number(out, p->minute, 2, '0');
        break;
    case 'S':
        put_number(out, p->second, 2, '0');
        break;
    case 'a':
        buffer_put(out->to, slice_of(day_names[p->weekday], 3));
        break;
    case 'A':
        buffer_put_text(out->to, day_names[p->weekday]);
        break;
    case 'b':
    case 'h':
        buffer_put(out->to, slice_of(month_names[p->month - 1], 3));
        break;
    case 'B':
        buffer_put_text(out->to, month_names[p->month - 1]);
        break;
    case 's':
        buffer_put_i64(out->to, out->time_ns / NS_PER_SECOND - (out->time_ns % NS_PER_SECOND < 0));
        break;
    case 'N':
    case 'Q':
    case 'f':
        put_fraction(out, d->width ? d->width : d->letter == 'N' ? 9 : d->letter == 'Q' ? 3 : 6);
        break;
    case 'z':
        put_offset(out, d->colons);
        break;
    case 'Z':
        buffer_put(out->to, out->local.abbreviation);
        break;
    case 'n':
    case 't':
    case '%':
        buffer_put_char(out->to, d->letter == 'n' ? '\n' : d->letter == 't' ? '\t' : '%');
        break;
    default: {
        struct slice form = short_form(d->letter);
        if (form.ptr)
            put_pattern(out, form);
        else
            put_calendar(out, d->letter);
    }
    }
}

static void put_pattern(struct printing *out, struct slice pattern)
{
    struct directive directive;
    while (pattern.len) {
        if (pattern.ptr[0] == '%' && take_directive(&pattern, &directive)) {
            put_directive(out, &directive);
            continue;
        }
        buffer_put_char(out->to, pattern.ptr[0]);
        pattern = slice_from(pattern, 1);
    }
}

void time_pattern_format(struct slice pattern, int64_t time_ns, const struct zone *zone,
                         struct buffer *to)
{
    struct printing out = {.to = to, .time_ns = time_ns, .local = zone_at(zone, time_ns)};
    zone_split(zone, time_ns, &out.parts);
    put_pattern(&out, pattern);
}
