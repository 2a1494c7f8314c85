#include "cut/line_join.h"

enum { STAMP_PLACE_MAX = 24 }; /* bytes before the stamp: "<134>1 ", "[", "INFO [" */

bool line_join_begins(const struct line_join *join, struct slice line)
{
    if (join->begins)
        return regex_match(join->begins, line) == REGEX_YES;
    if (join->continues)
        return regex_match(join->continues, line) != REGEX_YES;
    return !join->by_stamp || line_has_stamp(line);
}

/* Digits stand for any digit, letters for any letter, other bytes for themselves. */
static bool fits(struct slice text, const char *shape)
{
    size_t i = 0;
    for (; shape[i]; i++) {
        if (i >= text.len)
            return false;
        char c = text.ptr[i];
        bool digit = c >= '0' && c <= '9', letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (shape[i] == '9' ? !digit : shape[i] == 'a' ? !letter : c != shape[i])
            return false;
    }
    return true;
}

bool line_has_stamp(struct slice line)
{
    static const char *const shapes[] = {"9999-99-99", "9999/99/99", "99/aaa/9999", "aaa 99 99:99:99", "aaa  9 99:99:99",
                                         "99/99/9999", "99-99-9999", "99 aaa 9999", "99:99:99", "99-aaa-9999",
                                         "aaa aaa 99 99:99:99", "aaa 99 9999 99:99:99", "99999999 99:99:99",
                                         "999999 99:99:99", "999999  9:99:99", "9999999999.999"};
    if (line.len == 0 || line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return false;
    for (size_t at = 0; at < line.len && at < STAMP_PLACE_MAX; at++) {
        bool start = at == 0 || slice_find_char(SLICE(" [(<>|\"="), line.ptr[at - 1]) >= 0;
        for (size_t i = 0; start && i < ARRAY_COUNT(shapes); i++)
            if (fits(slice_from(line, at), shapes[i]))
                return true;
    }
    return false;
}

bool line_join_by_stamp(struct slice head)
{
    struct slice line;
    size_t stamped = 0, others = 0, indented = 0, count = 0;
    ptrdiff_t last = -1;
    for (size_t i = head.len; i > 0 && last < 0; i--)
        last = head.ptr[i - 1] == '\n' ? (ptrdiff_t)i : -1;
    head = slice_sub(head, 0, last < 0 ? 0 : (size_t)last);
    while (slice_next_line(&head, &line)) {
        if (!line.len)
            continue;
        bool has = line_has_stamp(line);
        if (count++ == 0 && !has)
            return false;
        stamped += has;
        others += !has;
        indented += !has && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
    }
    /* a few odd lines may be records of their own; lines that are moved in, or many, are not */
    return stamped >= 2 && others > 0 && (indented > 0 || others * 4 >= stamped);
}
