#include "pattern/regex_literal.h"

#include "base/utf8.h"

#include <string.h>

struct reader {
    struct slice pattern;
    size_t at;
    char *run; /* literals that follow one another */
    size_t run_len;
    char *best;
    size_t best_len;
    bool failed;
};

static bool ends(const struct reader *reader)
{
    return reader->failed || reader->at >= reader->pattern.len;
}

static char peek(const struct reader *reader, size_t ahead)
{
    size_t at = reader->at + ahead;
    return at < reader->pattern.len ? reader->pattern.ptr[at] : '\0';
}

static void end_run(struct reader *reader)
{
    if (reader->run_len > reader->best_len) {
        memcpy(reader->best, reader->run, reader->run_len);
        reader->best_len = reader->run_len;
    }
    reader->run_len = 0;
}

/* Escapes that stand for one of several characters, for a place, or for themselves. */
static bool is_class_escape(char c)
{
    return c && strchr("dDwWsShHvVbBAzZRXG", c) != NULL;
}

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Past "[...]"; *only is its character when it has just one, else '\0'. */
static void skip_class(struct reader *reader, char *only)
{
    size_t start = ++reader->at, members = 0;
    *only = '\0';
    bool negated = peek(reader, 0) == '^';
    start = reader->at += negated;
    for (; !ends(reader) && (peek(reader, 0) != ']' || reader->at == start); members++) {
        char c = peek(reader, 0);
        if (c == '[' && strchr(":.=", peek(reader, 1))) {
            reader->failed = true; /* [[:alpha:]] */
            return;
        }
        bool escaped = c == '\\';
        c = escaped ? peek(reader, 1) : c;
        if (escaped && (c == 'Q' || c == 'E')) {
            reader->failed = true;
            return;
        }
        *only = members || negated || (escaped && is_letter_or_digit(c)) ? '\0' : c;
        reader->at += escaped ? 2 : 1;
    }
    reader->failed = reader->failed || ends(reader);
    reader->at++;
}

/* Past "(...)": what is in it may be one of several things. */
static void skip_group(struct reader *reader)
{
    size_t depth = 0;
    char only;
    do {
        char c = peek(reader, 0);
        if (c == '(' && peek(reader, 1) == '*') /* a verb */
            reader->failed = true;
        if (c == '(' && peek(reader, 1) == '?' && !strchr(":=!<>|P'", peek(reader, 2)))
            reader->failed = true; /* options, conditions, recursion */
        if (c == '\\' && strchr("QE", peek(reader, 1)))
            reader->failed = true;
        if (c == '[') {
            skip_class(reader, &only);
            continue;
        }
        depth += c == '(';
        depth -= c == ')';
        reader->at += c == '\\' ? 2 : 1;
    } while (depth && !ends(reader));
    reader->failed = reader->failed || depth;
}

/* Past a quantifier: *least says how often the item before it must be there. */
static bool skip_quantifier(struct reader *reader, bool *least_one)
{
    char c = peek(reader, 0);
    *least_one = true;
    if (c == '{') {
        size_t end = reader->at + 1;
        while (end < reader->pattern.len && strchr("0123456789,", reader->pattern.ptr[end]))
            end++;
        if (end == reader->at + 1 || end >= reader->pattern.len || reader->pattern.ptr[end] != '}')
            return false; /* an ordinary brace */
        char first = peek(reader, 1);
        *least_one = first >= '1' && first <= '9';
        reader->at = end + 1;
    } else if (c == '*' || c == '?' || c == '+') {
        *least_one = c == '+';
        reader->at++;
    } else {
        return false;
    }
    if (peek(reader, 0) == '?' || peek(reader, 0) == '+')
        reader->at++;
    return true;
}

/* One item; true and its byte when it can only be that. */
static bool take_item(struct reader *reader, char *byte)
{
    char c = peek(reader, 0);
    if (c == '[') {
        skip_class(reader, byte);
        return *byte != '\0';
    }
    if (c == '(') {
        skip_group(reader);
        return false;
    }
    if (c == '\\') {
        *byte = peek(reader, 1);
        reader->at += 2;
        if (is_letter_or_digit(*byte) && !is_class_escape(*byte))
            reader->failed = true;
        return *byte && !is_letter_or_digit(*byte);
    }
    reader->at++;
    *byte = c;
    return c && !strchr("^$.)", c);
}

/* Takes back the bytes of a character of which the last was just read. */
static bool drop_character(struct reader *reader)
{
    while (reader->run_len && (reader->run[reader->run_len - 1] & 0xc0) == 0x80)
        reader->run_len--;
    if (reader->run_len && (unsigned char)reader->run[reader->run_len - 1] >= 0xc0)
        reader->run_len--;
    return false;
}

struct slice regex_literal(struct slice pattern, struct arena *arena)
{
    struct reader reader = {.pattern = pattern,
                            .run = arena_alloc(arena, pattern.len + 1),
                            .best = arena_alloc(arena, pattern.len + 1)};
    if (!reader.run || !reader.best || (pattern.len && memchr(pattern.ptr, '\0', pattern.len)))
        return SLICE("");
    while (!ends(&reader)) {
        char byte = '\0';
        bool least_one;
        if (peek(&reader, 0) == '|')
            return SLICE(""); /* one of several patterns */
        bool literal = take_item(&reader, &byte);
        bool repeated = skip_quantifier(&reader, &least_one);
        if (literal && repeated && (unsigned char)byte >= 0x80)
            literal = drop_character(&reader); /* the quantifier is for all of its bytes, or for this one */
        if (literal && (!repeated || least_one))
            reader.run[reader.run_len++] = byte;
        if (!literal || repeated)
            end_run(&reader);
    }
    end_run(&reader);
    return reader.failed ? SLICE("") : slice_of(reader.best, reader.best_len);
}

/* Any number of bytes of which each may be anything is any number of characters: ".*", "[^x]+", "\\S{1,}". */
static bool any_number(const struct reader *reader)
{
    static const char *const counts[] = {"*", "+", "{0,}", "{1,}"};
    for (size_t i = 0; i < ARRAY_COUNT(counts); i++)
        if (slice_starts(slice_from(reader->pattern, reader->at), slice_text(counts[i])))
            return true;
    return false;
}

bool regex_minds_characters(struct slice pattern, bool caseless)
{
    struct reader reader = {.pattern = pattern};
    char only;
    if (!utf8_is_ascii(pattern))
        return true;
    while (!ends(&reader)) {
        char c = peek(&reader, 0), next = peek(&reader, 1);
        if (caseless && strchr("kKsS", c)) /* the sign for Kelvin, and the long s */
            return true;
        size_t start = reader.at;
        bool wide = c == '.' || (c == '[' && next == '^') || (c == '\\' && next >= 'A' && next <= 'Z');
        if (c == '[')
            skip_class(&reader, &only);
        else
            reader.at += c == '\\' ? 2 : 1;
        wide = wide || (c == '[' && slice_find_char(slice_sub(pattern, start, reader.at - start), '\\') >= 0);
        if (reader.failed || (wide && !any_number(&reader)))
            return true;
    }
    return false;
}
