#include "cut/syslog.h"

#include "base/attr.h"
#include "base/time_pattern.h"

enum { PRIORITY_MAX = 191, STAMP_MAX = 48 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_spaces(struct slice *text)
{
    while (text->len && text->ptr[0] == ' ')
        *text = slice_from(*text, 1);
}

static struct slice take_word(struct slice *text)
{
    ptrdiff_t end = slice_find_char(*text, ' ');
    struct slice word = slice_sub(*text, 0, end < 0 ? text->len : (size_t)end);
    *text = slice_from(*text, word.len + (end >= 0));
    return word;
}

static bool take_priority(struct slice *text, int *priority)
{
    ptrdiff_t end = slice_find_char(slice_sub(*text, 0, 5), '>');
    int64_t n;
    if (text->len < 3 || text->ptr[0] != '<' || end < 2 ||
        !slice_to_i64(slice_sub(*text, 1, (size_t)end - 1), &n) || n < 0 || n > PRIORITY_MAX)
        return false;
    *priority = (int)n;
    *text = slice_from(*text, (size_t)end + 1);
    return true;
}

static bool two_digits(const char *at, int *out)
{
    if ((at[0] != ' ' && !is_digit(at[0])) || !is_digit(at[1]))
        return false;
    *out = (at[0] == ' ' ? 0 : (at[0] - '0') * 10) + (at[1] - '0');
    return true;
}

/* "hh:mm:ss" and a fraction. */
static bool take_clock(struct slice *text, struct time_parts *parts)
{
    if (text->len < 8 || text->ptr[2] != ':' || text->ptr[5] != ':' ||
        !two_digits(text->ptr, &parts->hour) || !two_digits(text->ptr + 3, &parts->minute) ||
        !two_digits(text->ptr + 6, &parts->second))
        return false;
    *text = slice_from(*text, 8);
    if (text->len < 2 || (text->ptr[0] != '.' && text->ptr[0] != ',') || !is_digit(text->ptr[1]))
        return true;
    int32_t unit = 100000000;
    size_t at = 1;
    for (; at < text->len && is_digit(text->ptr[at]); at++, unit /= 10)
        parts->nanosecond += (text->ptr[at] - '0') * unit;
    *text = slice_from(*text, at);
    return true;
}

/* A year between day and clock ("Jan 26 2018 09:11:02"), as network devices write. */
static bool take_year(struct slice *text, int *year)
{
    int64_t n;
    if (text->len < 5 || text->ptr[4] != ' ' || !slice_to_i64(slice_sub(*text, 0, 4), &n) ||
        n < 1900)
        return false;
    *year = (int)n;
    *text = slice_from(*text, 5);
    return true;
}

/* "Jan 26 09:11:02", "Jan  6 09:11:02.123", "Jan 6 2018 09:11:02". */
static bool take_month_stamp(struct slice *text, const struct zone *zone, int64_t near_ns,
                             struct syslog *out)
{
    struct slice rest = *text;
    struct time_parts parts = {0};
    if (rest.len < 14 || rest.ptr[3] != ' ' ||
        !(parts.month = time_month_by_name(slice_sub(rest, 0, 3))))
        return false;
    rest = slice_from(rest, 3);
    skip_spaces(&rest);
    struct slice day = take_word(&rest);
    int64_t n;
    if (!slice_to_i64(day, &n) || n < 1 || n > 31)
        return false;
    parts.day = (int)n;
    bool has_year = take_year(&rest, &parts.year);
    if (!take_clock(&rest, &parts))
        return false;
    out->has_time = has_year ? zone_to_utc(zone, &parts, 0, &out->time_ns)
                             : time_latest_year(&parts, zone, near_ns, &out->time_ns);
    out->stamp = slice_sub(*text, 0, text->len - rest.len);
    if (rest.len && rest.ptr[0] == ':') /* "Jan 26 09:11:02: %ASA-..." */
        rest = slice_from(rest, 1);
    *text = rest;
    return true;
}

static bool take_iso_stamp(struct slice *text, const struct zone *zone, struct syslog *out)
{
    struct slice rest = *text;
    bool zone_seen;
    if (rest.len < 19 || rest.ptr[4] != '-' || rest.ptr[7] != '-')
        return false;
    struct slice word = take_word(&rest);
    if (word.len > STAMP_MAX || !time_parse_rfc3339(word, &out->time_ns, &zone_seen))
        return false;
    if (!zone_seen) {
        struct time_parts parts;
        time_split(out->time_ns, &parts);
        zone_to_utc(zone, &parts, 0, &out->time_ns);
    }
    out->has_time = true;
    out->stamp = word;
    *text = rest;
    return true;
}

static struct slice or_none(struct slice word)
{
    return slice_is(word, "-") ? SLICE_NONE : word;
}

/* "[id k="v"][id2]": up to the bracket that closes the last element. */
static size_t data_length(struct slice text)
{
    size_t at = 0;
    while (at < text.len && text.ptr[at] == '[') {
        bool quoted = false;
        for (at++; at < text.len && (quoted || text.ptr[at] != ']'); at++) {
            if (text.ptr[at] == '\\' && quoted)
                at++;
            else if (text.ptr[at] == '"')
                quoted = !quoted;
        }
        at++;
    }
    return at < text.len ? at : text.len;
}

static void cut_5424(struct slice text, const struct zone *zone, struct syslog *out)
{
    if (!take_iso_stamp(&text, zone, out)) {
        struct slice word = take_word(&text);
        out->stamp = or_none(word);
    }
    out->host = or_none(take_word(&text));
    out->app = or_none(take_word(&text));
    out->pid = or_none(take_word(&text));
    out->message_id = or_none(take_word(&text));
    if (text.len && text.ptr[0] == '[') {
        size_t len = data_length(text);
        out->data = slice_sub(text, 0, len);
        text = slice_from(text, len);
    } else if (text.len && text.ptr[0] == '-') {
        text = slice_from(text, 1);
    }
    if (text.len && text.ptr[0] == ' ')
        text = slice_from(text, 1);
    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        text = slice_from(text, 3);
    out->message = text;
}

static bool is_tag_char(char c)
{
    return (unsigned char)c > ' ' && c != ':' && c != '[' && c != 0x7f;
}

/* "Google Chrome[85294]: ": a name with spaces, told by what follows it. */
static size_t spaced_name_length(struct slice text)
{
    ptrdiff_t bracket = slice_find_char(slice_sub(text, 0, 48), '[');
    size_t at = bracket > 0 ? (size_t)bracket + 1 : 0;
    if (!at || slice_find_char(slice_sub(text, 0, at), ':') >= 0)
        return 0;
    while (at < text.len && is_digit(text.ptr[at]))
        at++;
    return slice_starts(slice_from(text, at), SLICE("]: ")) ? (size_t)bracket : 0;
}

/* "app[pid]: " or "app: "; the message may begin without a space. */
static bool take_tag(struct slice *text, struct syslog *out)
{
    struct slice rest = *text;
    size_t len = 0;
    while (len < rest.len && is_tag_char(rest.ptr[len]))
        len++;
    if (len < rest.len && rest.ptr[len] == ' ')
        len = spaced_name_length(rest);
    struct slice app = slice_sub(rest, 0, len), pid = SLICE_NONE;
    rest = slice_from(rest, len);
    if (len == 0)
        return false;
    if (rest.len && rest.ptr[0] == '[') {
        ptrdiff_t end = slice_find_char(rest, ']');
        if (end < 0)
            return false;
        pid = slice_sub(rest, 1, (size_t)end - 1);
        rest = slice_from(rest, (size_t)end + 1);
        if (rest.len && rest.ptr[0] != ':' && rest.ptr[0] != ' ')
            return false;
    } else if (!rest.len || rest.ptr[0] != ':') {
        return false;
    }
    if (rest.len && rest.ptr[0] == ':')
        rest = slice_from(rest, 1);
    if (rest.len && rest.ptr[0] == ' ')
        rest = slice_from(rest, 1);
    out->app = app;
    out->pid = pid;
    *text = rest;
    return true;
}

static void cut_3164(struct slice text, struct syslog *out)
{
    bool host_missing = slice_starts(text, SLICE("  "));
    skip_spaces(&text);
    struct slice rest = text;
    struct slice word = take_word(&rest);
    ptrdiff_t mark = slice_find_char(word, '[');
    bool looks_like_tag = slice_ends(word, SLICE(":")) || slice_starts(word, SLICE("-")) ||
                          (mark > 0 && slice_ends(word, SLICE("]")));
    if (!host_missing && word.len && !looks_like_tag) {
        out->host = word;
        text = rest;
        skip_spaces(&text);
    }
    take_tag(&text, out);
    out->message = text;
}

bool syslog_cut(struct slice text, const struct zone *zone, int64_t near_ns, struct syslog *out)
{
    *out = (struct syslog){.priority = -1};
    bool priority = take_priority(&text, &out->priority);
    if (priority && text.len > 2 && text.ptr[0] == '1' && text.ptr[1] == ' ') {
        out->version = 1;
        cut_5424(slice_from(text, 2), zone, out);
        return true;
    }
    if (text.len && (text.ptr[0] == '*' || text.ptr[0] == '.')) /* clock not in step */
        text = slice_from(text, 1);
    bool stamp = take_month_stamp(&text, zone, near_ns, out) || take_iso_stamp(&text, zone, out);
    if (!stamp) {
        out->message = text;
        if (priority)
            take_tag(&out->message, out);
        return priority;
    }
    if (out->stamp.len && text.len && text.ptr[0] == ' ' && !slice_starts(text, SLICE("  ")))
        text = slice_from(text, 1);
    cut_3164(text, out);
    return true;
}

const char *syslog_facility_name(int priority)
{
    static const char *const names[] = {"kernel",
                                        "user-level",
                                        "mail",
                                        "system",
                                        "security/authorization",
                                        "syslogd",
                                        "line printer",
                                        "network news",
                                        "uucp",
                                        "clock",
                                        "security/authorization",
                                        "ftp",
                                        "ntp",
                                        "log audit",
                                        "log alert",
                                        "clock",
                                        "local0",
                                        "local1",
                                        "local2",
                                        "local3",
                                        "local4",
                                        "local5",
                                        "local6",
                                        "local7"};
    return priority < 0 ? "" : names[priority / 8];
}

const char *syslog_severity_name(int priority)
{
    static const char *const names[] = {"Emergency", "Alert",  "Critical",      "Error",
                                        "Warning",   "Notice", "Informational", "Debug"};
    return priority < 0 ? "" : names[priority % 8];
}

bool syslog_next_element(struct slice *data, struct slice *id, struct slice *parameters)
{
    if (data->len < 2 || data->ptr[0] != '[')
        return false;
    bool quoted = false;
    size_t at = 1;
    for (; at < data->len && (quoted || data->ptr[at] != ']'); at++) {
        if (data->ptr[at] == '\\' && quoted)
            at++;
        else if (data->ptr[at] == '"')
            quoted = !quoted;
    }
    struct slice inside = slice_sub(*data, 1, at - 1);
    *data = slice_from(*data, at + 1);
    *id = take_word(&inside);
    *parameters = inside;
    return true;
}

bool syslog_next_parameter(struct slice *parameters, struct slice *name, struct slice *value,
                           bool *escaped)
{
    skip_spaces(parameters);
    *escaped = false;
    ptrdiff_t equals = slice_find_char(*parameters, '=');
    if (equals <= 0 || parameters->len < (size_t)equals + 3 || parameters->ptr[equals + 1] != '"')
        return false;
    *name = slice_sub(*parameters, 0, (size_t)equals);
    size_t start = (size_t)equals + 2, at = start;
    for (; at < parameters->len && parameters->ptr[at] != '"'; at++)
        if (parameters->ptr[at] == '\\') {
            *escaped = true;
            at++;
        }
    if (at > parameters->len)
        at = parameters->len;
    *value = slice_sub(*parameters, start, at - start);
    *parameters = slice_from(*parameters, at + 1);
    return true;
}
