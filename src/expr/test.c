/* One test against one value. Text is folded on the stack where it fits: no allocation per value. */
#include "base/fold_find.h"
#include "base/time.h"
#include "base/utf8.h"
#include "expr/any_of.h"

#include <stdio.h>
#include <stdlib.h>

enum { FOLD_ROOM = 2048 };

/* Splunk's breakers, as far as they are ASCII: text is cut at both kinds, TERM() only at major. */
bool expr_is_major_breaker(unsigned char c)
{
    return c <= ' ' || (c < 0x80 && strchr("[]<>(){}|!;,'\"&?+*", c) != NULL);
}

static bool is_breaker(unsigned char c)
{
    return expr_is_major_breaker(c) || (c < 0x80 && strchr("/:=@.-$#%\\_", c) != NULL);
}

/* What begins or ends with kana or ideographs needs no breaker there: such words have no space between
 * them. */
static bool edge_before(struct slice text, size_t at, bool major_only)
{
    if (at == 0)
        return true;
    unsigned char c = (unsigned char)text.ptr[at - 1];
    return major_only ? expr_is_major_breaker(c)
                      : is_breaker(c) || is_breaker((unsigned char)text.ptr[at]) ||
                            utf8_starts_unspaced(slice_from(text, at));
}

static bool edge_after(struct slice text, size_t end, bool major_only)
{
    if (end >= text.len)
        return true;
    unsigned char c = (unsigned char)text.ptr[end];
    return major_only ? expr_is_major_breaker(c)
                      : is_breaker(c) || (end && is_breaker((unsigned char)text.ptr[end - 1])) ||
                            utf8_ends_unspaced(slice_sub(text, 0, end));
}

/* The parts after a star: each must follow within the same run without major breakers. */
static bool tail_matches(const struct wildcard *pattern, size_t part, struct slice text, size_t at,
                         bool major_only)
{
    for (; part < pattern->count; part++) {
        const struct wildcard_part *next = &pattern->parts[part];
        if (next->kind == WILDCARD_ANY)
            continue;
        size_t run = at;
        while (run < text.len && !expr_is_major_breaker((unsigned char)text.ptr[run]))
            run++;
        bool open = pattern->parts[part - 1].kind == WILDCARD_ANY;
        struct slice window = slice_sub(text, at, open ? run - at + next->text.len : next->text.len);
        ptrdiff_t found = slice_find(window, next->text);
        if (found < 0 || (!open && found != 0))
            return false;
        at += (size_t)found + next->text.len;
    }
    return pattern->parts[pattern->count - 1].kind == WILDCARD_ANY ||
           edge_after(text, at, major_only);
}

/* A term with stars: the first literal is searched, the others must follow it. */
static bool wildcard_term(const struct wildcard *pattern, struct slice text, bool major_only)
{
    size_t first = 0;
    while (first < pattern->count && pattern->parts[first].kind == WILDCARD_ANY)
        first++;
    if (first == pattern->count)
        return true;
    struct slice head = pattern->parts[first].text;
    for (size_t start = 0; start + head.len <= text.len;) {
        ptrdiff_t found = slice_find(slice_from(text, start), head);
        if (found < 0)
            return false;
        size_t at = start + (size_t)found;
        if ((first > 0 || edge_before(text, at, major_only)) &&
            tail_matches(pattern, first + 1, text, at + head.len, major_only))
            return true;
        start = at + 1;
    }
    return false;
}

static bool term_matches(const struct expr_test *test, struct slice text)
{
    bool major_only = test->flags & TEST_MAJOR_ONLY;
    if (test->wildcard.count)
        return wildcard_term(&test->wildcard, text, major_only);
    for (size_t start = 0; start + test->text.len <= text.len;) {
        ptrdiff_t found = slice_find(slice_from(text, start), test->text);
        if (found < 0)
            return false;
        size_t at = start + (size_t)found;
        if (edge_before(text, at, major_only) &&
            edge_after(text, at + test->text.len, major_only))
            return true;
        start = at + 1;
    }
    return false;
}

static bool text_test(const struct expr_test *test, struct slice text)
{
    switch (test->kind) {
    case TEST_EQUAL:
        return slice_equal(text, test->text);
    case TEST_PREFIX:
        return slice_starts(text, test->text);
    case TEST_SUFFIX:
        return slice_ends(text, test->text);
    case TEST_CONTAINS:
        return slice_find(text, test->text) >= 0;
    case TEST_WILDCARD:
        return wildcard_match(&test->wildcard, text);
    case TEST_TERM:
        return term_matches(test, text);
    case TEST_LESS:
        return slice_compare(text, test->text) < 0;
    case TEST_LESS_EQUAL:
        return slice_compare(text, test->text) <= 0;
    case TEST_GREATER:
        return slice_compare(text, test->text) > 0;
    case TEST_GREATER_EQUAL:
        return slice_compare(text, test->text) >= 0;
    case TEST_EXISTS:
    case TEST_NULL:
    case TEST_REGEX:
    case TEST_CIDR:
    case TEST_FIELD_EQUAL:
    case TEST_FIELD_PREFIX:
    case TEST_FIELD_SUFFIX:
    case TEST_FIELD_CONTAINS:
    case TEST_ANY_OF:
    case TEST_TIME_PART:
        break;
    }
    return false;
}

/* What can be told without folding the text. A term is looked at closely only where it is found. */
static enum fold_answer unfolded_test(const struct expr_test *test, struct slice text)
{
    struct fold_needle needle;
    bool term = test->kind == TEST_TERM && !test->wildcard.count;
    if (test->kind == TEST_PREFIX)
        return fold_starts(test->text, text);
    if (test->kind != TEST_CONTAINS && !term)
        return FOLD_UNKNOWN;
    fold_needle_init(&needle, test->text);
    enum fold_answer answer = fold_find(&needle, text);
    return term && answer == FOLD_YES ? FOLD_UNKNOWN : answer;
}

static bool folded_test(const struct expr_test *test, struct slice text, struct expr_scope *scope)
{
    if (test->flags & TEST_CASED)
        return text_test(test, text);
    if (test->kind == TEST_EQUAL) {
        if (text.len == test->text.len && slice_equal(text, test->text))
            return true;
        return utf8_equal_folded(text, test->text);
    }
    enum fold_answer known = unfolded_test(test, text);
    if (known != FOLD_UNKNOWN)
        return known == FOLD_YES;
    char room[FOLD_ROOM];
    char *to = 3 * text.len <= sizeof(room) ? room : arena_alloc(scope->scratch, 3 * text.len);
    if (!to)
        return false;
    return text_test(test, slice_of(to, utf8_fold_text(text, to)));
}

static bool order_holds(enum test_kind kind, int order)
{
    if (kind == TEST_LESS)
        return order < 0;
    if (kind == TEST_GREATER)
        return order > 0;
    if (kind == TEST_LESS_EQUAL)
        return order <= 0;
    return kind == TEST_GREATER_EQUAL ? order >= 0 : kind == TEST_EQUAL && order == 0;
}

/* ISO 8601 week number. */
static int iso_week(const struct time_parts *parts)
{
    int weekday = (parts->weekday + 6) % 7; /* Monday = 0 */
    int week = (parts->yearday - weekday + 10) / 7;
    if (week >= 1 && week <= 52)
        return week;
    int64_t thursday = time_days_from_civil(parts->year, parts->month, parts->day) - weekday + 3;
    struct time_parts day;
    time_split(thursday * NS_PER_DAY, &day);
    return day.yearday / 7 + 1;
}

/* A text's time as it is written: its zone is not asked for. */
static bool time_as_written(struct slice text, int64_t *time_ns)
{
    enum { DATE = 10, SECOND = 19 };
    char midnight[32];
    bool zone;
    if (text.len == DATE && text.ptr[4] == '-') {
        int len = snprintf(midnight, sizeof(midnight), "%.*sT00:00:00", SLICE_ARG(text));
        text = slice_of(midnight, (size_t)len);
    }
    if (!time_parse_rfc3339(text, time_ns, &zone))
        return time_parse_epoch(text, time_ns);
    size_t end = SECOND < text.len ? SECOND : text.len;
    while (zone && end < text.len && !strchr("+-", text.ptr[end]))
        end++;
    return end == text.len || !zone || time_parse_rfc3339(slice_sub(text, 0, end), time_ns, &zone);
}

static bool time_of(struct value v, int64_t *time_ns)
{
    if (v.type == VALUE_TIME) {
        *time_ns = v.i64;
        return true;
    }
    if (v.type == VALUE_STRING)
        return time_as_written(value_slice(v), time_ns);
    char small[VALUE_TEXT_SIZE];
    return v.type == VALUE_I64 && time_parse_epoch(value_text_small(v, small), time_ns);
}

static bool time_part_test(const struct expr_test *test, struct value v)
{
    int64_t time_ns;
    if (!time_of(v, &time_ns))
        return false;
    struct time_parts parts;
    time_split(time_ns, &parts);
    int64_t part = 0;
    switch (test->part) {
    case TIME_MINUTE:
        part = parts.minute;
        break;
    case TIME_HOUR:
        part = parts.hour;
        break;
    case TIME_DAY:
        part = parts.day;
        break;
    case TIME_WEEK:
        part = iso_week(&parts);
        break;
    case TIME_MONTH:
        part = parts.month;
        break;
    case TIME_YEAR:
        part = parts.year;
        break;
    }
    return test->number.type == VALUE_I64 && test->number.i64 == part;
}

static bool cidr_test(const struct expr_test *test, struct value v)
{
    struct ip ip;
    if (v.type == VALUE_IP)
        return cidr_contains(&test->cidr, v.ip, v.scale);
    return v.type == VALUE_STRING && ip_parse(value_slice(v), &ip) &&
           cidr_contains(&test->cidr, ip.bytes, ip.family);
}

static bool regex_test(const struct expr_test *test, struct slice text, struct expr_scope *scope)
{
    if (scope->stopped)
        return false;
    enum regex_result result = regex_match(test->regex, text);
    expr_regex_done(scope, result);
    return result == REGEX_YES;
}

static bool is_ordering(enum test_kind kind)
{
    return kind >= TEST_LESS && kind <= TEST_GREATER_EQUAL;
}

bool expr_is_plain_number(struct slice text)
{
    struct slice digits = slice_starts(text, SLICE("-")) ? slice_from(text, 1) : text;
    if (digits.len == 0 || digits.ptr[0] < '0' || digits.ptr[0] > '9')
        return false;
    if (digits.ptr[0] == '0' && digits.len > 1 && digits.ptr[1] >= '0' && digits.ptr[1] <= '9')
        return false;
    return (unsigned char)text.ptr[text.len - 1] > ' ';
}

bool expr_test_value(const struct expr_test *test, struct value v, struct expr_scope *scope)
{
    if (v.type == VALUE_NULL)
        return false;
    if (test->kind == TEST_EXISTS)
        return true;
    if (test->kind == TEST_CIDR)
        return cidr_test(test, v);
    if (test->kind == TEST_TIME_PART)
        return time_part_test(test, v);
    if (test->kind == TEST_ANY_OF)
        return any_of_has(test->any_of, v, scope);
    if ((test->flags & TEST_NUMERIC) && (test->kind == TEST_EQUAL || is_ordering(test->kind))) {
        struct value number;
        bool asked = !(test->flags & TEST_PLAIN_NUMBER) || v.type != VALUE_STRING ||
                     expr_is_plain_number(value_slice(v));
        if (asked && value_to_number(v, scope->scratch, &number))
            return order_holds(test->kind, value_compare_numbers(number, test->number));
    }
    if (is_ordering(test->kind) && !(test->flags & TEST_TEXT_ORDER))
        return false;
    if (v.type == VALUE_IP && test->kind == TEST_EQUAL && slice_find_char(test->text, '/') >= 0)
        return false; /* a network is asked for as text, too; no address prints like one */
    char small[VALUE_TEXT_SIZE];
    struct slice text = value_text_small(v, small);
    if (test->kind == TEST_REGEX)
        return regex_test(test, text, scope);
    return folded_test(test, text, scope);
}

bool expr_test_folds(const struct expr_test *test)
{
    if (test->flags & (TEST_CASED | TEST_NUMERIC))
        return false;
    return test->kind == TEST_EQUAL || test->kind == TEST_PREFIX || test->kind == TEST_SUFFIX ||
           test->kind == TEST_CONTAINS || test->kind == TEST_WILDCARD || test->kind == TEST_TERM;
}

bool expr_test_folded(const struct expr_test *test, struct slice folded)
{
    return text_test(test, folded);
}
