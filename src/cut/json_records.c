#include "cut/json_records.h"

#include "base/attr.h"

enum { WRAPPER_BYTES_MAX = 256 }; /* of '{ "Records" : [' with white space */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t skip_space(struct slice text, size_t at)
{
    while (at < text.len && is_space(text.ptr[at]))
        at++;
    return at;
}

/* At the byte c behind white space: the bytes up to behind it; 0 when it is not there. */
static size_t skip_char(struct slice text, size_t at, char c)
{
    at = skip_space(text, at);
    return at < text.len && text.ptr[at] == c ? at + 1 : 0;
}

/* Bytes up to behind '{"Records":[', where an object or nothing follows; 0: text begins otherwise. */
static size_t wrapper_of(struct slice text)
{
    static const char *const names[] = {"\"Records\"", "\"records\"", "\"value\""};
    size_t at = skip_char(text, 0, '{');
    if (!at)
        return 0;
    at = skip_space(text, at);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct slice name = slice_text(names[i]);
        if (!slice_starts(slice_from(text, at), name))
            continue;
        size_t colon = skip_char(text, at + name.len, ':');
        size_t list = colon ? skip_char(text, colon, '[') : 0;
        if (!list)
            return 0;
        return skip_char(text, list, '{') || skip_char(text, list, ']') ? list : 0;
    }
    return 0;
}

bool json_records_detect(struct slice head)
{
    if (slice_starts(head, SLICE("\xef\xbb\xbf")))
        head = slice_from(head, 3);
    head = slice_from(head, skip_space(head, 0));
    size_t list = skip_char(head, 0, '[');
    if (list)
        return skip_char(head, list, '{') > 0;
    if (wrapper_of(head))
        return true;
    /* an object whose first line is its bracket alone */
    size_t at = skip_char(head, 0, '{'), name = at;
    while (name && name < head.len && head.ptr[name] != '\n' && is_space(head.ptr[name]))
        name++;
    return at && name < head.len && head.ptr[name] == '\n' && skip_char(head, name, '"') > 0;
}

/* Bytes up to behind the object or list that begins the text, or, with depth 1, that is open; 0: its end is not
 * there. Brackets within strings are none. */
static size_t end_of_value(struct slice text, size_t depth)
{
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (quoted) {
            if (c == '\\')
                i++;
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

/* Up to, not behind, the end of the line; in a list up to what parts its members. */
static size_t end_of_scrap(struct slice text, bool inside)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\n' || (inside && i > 0 && (text.ptr[i] == ',' || text.ptr[i] == ']' || text.ptr[i] == '{')))
            return i;
    return 0;
}

/* White space, commas and brackets that are in no record: how many bytes of them. */
static size_t skip_frame(struct json_records *state, struct slice text, bool all)
{
    size_t at = 0;
    for (;;) {
        at = skip_space(text, at);
        struct slice rest = slice_from(text, at);
        if (!rest.len)
            return at;
        char c = rest.ptr[0];
        if (state->inside && (c == ',' || c == ']')) {
            state->inside = c != ']';
            at++;
        } else if (!state->inside && state->within && c == '}') {
            state->within = false;
            at++;
        } else if (!state->inside && !state->within && slice_starts(rest, SLICE("\xef\xbb\xbf"))) {
            at += 3;
        } else if (!state->inside && !state->within && (c == '{' || c == '[')) {
            if (rest.len < WRAPPER_BYTES_MAX && !all)
                return at;
            size_t list = c == '[' ? skip_char(rest, 1, '{') : wrapper_of(rest);
            if (!list)
                return at;
            state->inside = true;
            state->within = c == '{';
            at += c == '[' ? 1 : list;
        } else {
            return at;
        }
    }
}

bool json_records_next(struct json_records *state, struct slice text, bool all, size_t *used,
                       struct slice *record)
{
    size_t at = skip_frame(state, text, all), len;
    struct slice rest = slice_from(text, at);
    *used = at;
    if (!rest.len || (rest.len < WRAPPER_BYTES_MAX && !all && !state->inside))
        return false;
    if (state->within && !state->inside) { /* members behind the list */
        len = end_of_value(rest, 1);
        len = len ? len - 1 : 0;
    } else if (rest.ptr[0] == '{' || rest.ptr[0] == '[') {
        len = end_of_value(rest, 0);
    } else {
        len = end_of_scrap(rest, state->inside);
    }
    if (!len && !all)
        return false;
    *record = len ? slice_sub(rest, 0, len) : rest;
    *used = at + record->len;
    return true;
}
