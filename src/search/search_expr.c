/*
 * The Boolean language of the search command. Its words are cut otherwise than those of other
 * commands (a value goes on up to white space or a bracket), so it has its own small lexer:
 *
 *   and  := or { [AND] or }          OR binds tighter than AND
 *   or   := not { OR not }
 *   not  := NOT not | primary
 *   primary := ( and ) | [subsearch] | `macro` | name op value | name IN (...) | TERM(x) | CASE(x)
 *            | "phrase" | term
 */
#include "base/time_modifier.h"
#include "base/utf8.h"
#include "event/schema.h"
#include "search/lexer.h"
#include "search/parser.h"

#include <stdio.h>

enum piece_kind {
    PIECE_END,
    PIECE_WORD,
    PIECE_QUOTED, /* "..." */
    PIECE_OPEN,
    PIECE_CLOSE,
    PIECE_OPERATOR,
    PIECE_SUBSEARCH,
    PIECE_MACRO,
};

struct piece {
    enum piece_kind kind;
    struct slice text; /* as written, quotes taken off: escapes are still in it */
    size_t start, end;
};

struct search_parser {
    struct spl_parser *p;
    size_t at;
    struct piece piece;
    const char *const *stops;
    bool first; /* time modifiers may stand here */
    int depth;
    struct spl_place *places;
};

static int fail(struct search_parser *s, const char *text)
{
    return err_set_at(s->p->err, ERR_CONFIG, (int)s->piece.start, (int)s->piece.end, "%s", text);
}

static bool is_space(char c)
{
    return c == ' ' || c == ',' || (c >= '\t' && c <= '\r');
}

static size_t operator_length(const struct search_parser *s, size_t at)
{
    struct slice rest = slice_sub(s->p->text, at, s->p->end - at);
    static const char *const operators[] = {"!=", "<=", ">=", "==", "=", "<", ">"};
    for (size_t i = 0; i < ARRAY_COUNT(operators); i++)
        if (slice_starts(rest, slice_text(operators[i])))
            return strlen(operators[i]);
    return 0;
}

static size_t quoted_end(const struct search_parser *s, size_t at)
{
    for (at++; at < s->p->end; at++) {
        if (s->p->text.ptr[at] == '\\' && at + 1 < s->p->end)
            at++;
        else if (s->p->text.ptr[at] == '"')
            return at;
    }
    return SIZE_MAX;
}

/* Words go on up to white space and brackets; names also end at an operator. */
static size_t word_end(const struct search_parser *s, size_t at, bool value)
{
    for (; at < s->p->end; at++) {
        char c = s->p->text.ptr[at];
        if (c == '\\' && at + 1 < s->p->end && !is_space(s->p->text.ptr[at + 1])) {
            at++;
            continue;
        }
        if (is_space(c) || c == '(' || c == ')' || c == '"' || c == '[' || c == ']' || c == '`')
            break;
        if (!value && operator_length(s, at))
            break;
    }
    return at;
}

static int take_bracket(struct search_parser *s)
{
    struct spl_parser sub = *s->p;
    sub.at = s->at;
    if (spl_advance(&sub) < 0)
        return -1;
    s->piece = (struct piece){PIECE_SUBSEARCH, sub.token.text, s->at, sub.at};
    s->at = sub.at;
    return 0;
}

static int advance_to(struct search_parser *s, bool value)
{
    struct slice text = s->p->text;
    while (s->at < s->p->end && is_space(text.ptr[s->at]))
        s->at++;
    size_t start = s->at;
    s->piece = (struct piece){PIECE_END, SLICE(""), start, start};
    if (start >= s->p->end)
        return 0;
    char c = text.ptr[start];
    size_t operator_len = value ? 0 : operator_length(s, start);
    if (c == '[')
        return take_bracket(s);
    if (c == '"') {
        size_t close = quoted_end(s, start);
        s->piece.end = close == SIZE_MAX ? s->p->end : close + 1;
        if (close == SIZE_MAX)
            return fail(s, "a text has no closing \"; add it");
        s->piece.kind = PIECE_QUOTED;
        s->piece.text = slice_sub(text, start + 1, close - start - 1);
        s->at = close + 1;
        return 0;
    }
    if (c == '`') {
        ptrdiff_t close = slice_find_char(slice_sub(text, start + 1, s->p->end - start - 1), '`');
        s->at = close < 0 ? s->p->end : start + (size_t)close + 2;
        s->piece.kind = PIECE_MACRO;
        s->piece.end = s->at;
        if (close < 0 || !s->p->keep_macros)
            return fail(s,
                        close < 0 ? "a macro has no closing `; add it" : "there is no such macro");
    } else if (c == '(' || c == ')') {
        s->piece.kind = c == '(' ? PIECE_OPEN : PIECE_CLOSE;
        s->at++;
    } else if (c == ']') {
        s->piece.end = start + 1;
        return fail(s, "this ] closes nothing");
    } else if (operator_len) {
        s->piece.kind = PIECE_OPERATOR;
        s->at += operator_len;
    } else {
        s->piece.kind = PIECE_WORD;
        s->at = word_end(s, start, value);
    }
    s->piece.end = s->at;
    s->piece.text = slice_sub(text, start, s->at - start);
    return 0;
}

static int advance(struct search_parser *s)
{
    return advance_to(s, false);
}

static bool at_word(const struct search_parser *s, const char *word)
{
    return s->piece.kind == PIECE_WORD && slice_is(s->piece.text, word);
}

static bool at_end(const struct search_parser *s)
{
    if (s->piece.kind == PIECE_END)
        return true;
    for (const char *const *stop = s->stops; stop && *stop; stop++)
        if (s->piece.kind == PIECE_WORD && slice_is_nocase(s->piece.text, *stop))
            return true;
    return false;
}

/* ---- literals with stars and escapes ---- */

/* \" \\ \* stand for themselves; any other backslash is a backslash. */
static struct slice plain_text(struct arena *arena, struct slice text)
{
    char *to = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; to && i < text.len; i++) {
        char next = i + 1 < text.len ? text.ptr[i + 1] : '\0';
        if (text.ptr[i] == '\\' && (next == '"' || next == '\\' || next == '*'))
            i++;
        to[len++] = text.ptr[i];
    }
    return to ? slice_of(to, len) : SLICE_NONE;
}

static bool has_star(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\' && i + 1 < text.len &&
            (text.ptr[i + 1] == '\\' || text.ptr[i + 1] == '*' || text.ptr[i + 1] == '"'))
            i++;
        else if (text.ptr[i] == '*')
            return true;
    }
    return false;
}

static bool only_stars(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '*')
            return false;
    return text.len > 0;
}

static struct slice folded(struct arena *arena, struct slice text, unsigned flags)
{
    if (flags & TEST_CASED)
        return text;
    char *to = arena_alloc(arena, 3 * text.len + 1);
    return to ? slice_of(to, utf8_fold_text(text, to)) : SLICE_NONE;
}

/* The parts between stars; the text still has its escapes. */
static bool set_wildcard(struct arena *arena, struct slice text, unsigned flags,
                         struct wildcard *out)
{
    struct wildcard_part *parts = arena_array(arena, text.len + 1, sizeof(*parts));
    size_t count = 0, start = 0;
    if (!parts)
        return false;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] == '\\' && i + 1 < text.len &&
            (text.ptr[i + 1] == '\\' || text.ptr[i + 1] == '*' || text.ptr[i + 1] == '"')) {
            i++;
            continue;
        }
        if (i < text.len && text.ptr[i] != '*')
            continue;
        struct slice piece = plain_text(arena, slice_sub(text, start, i - start));
        piece = piece.ptr ? folded(arena, piece, flags) : SLICE_NONE;
        if (!piece.ptr)
            return false;
        if (piece.len)
            parts[count++] = (struct wildcard_part){WILDCARD_LITERAL, piece};
        if (i < text.len && (!count || parts[count - 1].kind != WILDCARD_ANY))
            parts[count++] = (struct wildcard_part){WILDCARD_ANY, SLICE("")};
        start = i + 1;
    }
    *out = (struct wildcard){parts, count, !(flags & TEST_CASED)};
    return true;
}

/* field = value with stars: the cheapest test that says the same. */
static struct expr *wildcard_test(struct arena *arena, struct slice field, struct slice text,
                                  unsigned flags)
{
    struct wildcard w;
    if (only_stars(text))
        return expr_test_new(arena, field, TEST_EXISTS, 0, SLICE(""));
    if (!set_wildcard(arena, text, flags, &w))
        return NULL;
    const struct wildcard_part *parts = w.parts;
    bool any_first = parts[0].kind == WILDCARD_ANY;
    bool any_last = parts[w.count - 1].kind == WILDCARD_ANY;
    size_t literals = w.count - any_first - any_last;
    if (literals == 1) {
        enum test_kind kind = any_first && any_last ? TEST_CONTAINS
                              : any_first           ? TEST_SUFFIX
                                                    : TEST_PREFIX;
        return expr_test_new(arena, field, kind, flags, parts[any_first].text);
    }
    struct expr *test = expr_test_new(arena, field, TEST_WILDCARD, flags, plain_text(arena, text));
    if (test)
        test->test.wildcard = w;
    return test;
}

static const struct expr *equal_test(struct arena *arena, struct slice field, struct slice text,
                                     unsigned flags)
{
    struct cidr cidr;
    if (has_star(text))
        return wildcard_test(arena, field, text, flags);
    struct slice plain = plain_text(arena, text);
    if (!plain.ptr)
        return NULL;
    struct expr *equal = expr_test_new(arena, field, TEST_EQUAL, flags | TEST_NUMERIC, plain);
    if (slice_find_char(plain, '/') < 0 || !cidr_parse(plain, &cidr))
        return equal;
    struct expr *net = expr_test_new(arena, field, TEST_CIDR, 0, plain);
    if (!net || !equal)
        return NULL;
    net->test.cidr = cidr;
    return expr_or(arena, net, equal);
}

const struct expr *spl_comparison(struct arena *arena, struct slice field, struct slice op,
                                  struct slice value, unsigned flags)
{
    if (op.ptr[0] == '=')
        return equal_test(arena, field, value, flags);
    if (op.ptr[0] == '!') {
        const struct expr *equal = equal_test(arena, field, value, flags);
        const struct expr *exists = expr_test_new(arena, field, TEST_EXISTS, 0, SLICE(""));
        const struct expr *differs = equal ? expr_not(arena, equal) : NULL;
        return exists && differs ? expr_and(arena, exists, differs) : NULL;
    }
    enum test_kind kind = op.ptr[0] == '<' ? (op.len == 2 ? TEST_LESS_EQUAL : TEST_LESS)
                                           : (op.len == 2 ? TEST_GREATER_EQUAL : TEST_GREATER);
    struct slice plain = plain_text(arena, value);
    return plain.ptr
               ? expr_test_new(arena, field, kind, flags | TEST_NUMERIC | TEST_TEXT_ORDER, plain)
               : NULL;
}

static const struct expr *term_of(struct arena *arena, struct slice field, struct slice text, struct slice plain,
                                  unsigned flags)
{
    struct expr *test = expr_test_new(arena, field, TEST_TERM, flags, plain);
    if (test && has_star(text) && !set_wildcard(arena, text, flags, &test->test.wildcard))
        return NULL;
    return test;
}

/* A term or phrase of event.original; what is no ASCII stands there in the bytes that were sent, and as UTF-8
 * beside it. */
static const struct expr *term_test(struct arena *arena, struct slice text, unsigned flags)
{
    struct slice plain = plain_text(arena, text);
    const struct expr *original = plain.ptr ? term_of(arena, FIELD_ORIGINAL, text, plain, flags) : NULL;
    if (!original || utf8_is_ascii(text))
        return original;
    const struct expr *other = term_of(arena, FIELD_TEXT_UTF8, text, plain, flags);
    return other ? expr_or(arena, original, other) : NULL;
}

/* ---- grammar ---- */

static int parse_and(struct search_parser *s, const struct expr **out);

static int give(struct search_parser *s, const struct expr *expr, const struct expr **out)
{
    *out = expr;
    return expr ? 0 : err_nomem(s->p->err);
}

static bool is_time_modifier(struct search_parser *s, struct slice name, struct slice **to)
{
    struct spl_query *query = s->p->query;
    const struct {
        const char *name;
        struct slice *to;
    } names[] = {{"earliest", &query->earliest},
                 {"latest", &query->latest},
                 {"starttime", &query->earliest},
                 {"endtime", &query->latest},
                 {"_index_earliest", &query->index_earliest},
                 {"_index_latest", &query->index_latest}};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (slice_is(name, names[i].name)) {
            *to = names[i].to;
            return true;
        }
    return false;
}

static int check_time(struct search_parser *s, struct slice text)
{
    int64_t ignored;
    struct slice name = slice_trim(text);
    if (slice_find_char(text, '$') >= 0 || slice_find_char(text, '`') >= 0 || name.len == 0)
        return 0;
    struct err err;
    if (time_modifier_read(text, 0, NULL, &ignored, &err) == 0)
        return 0;
    return fail(s, err.text);
}

/* x of "name = x": a bare value, a "quoted" one, TERM(x) or CASE(x). */
static int take_value(struct search_parser *s, struct slice *value, unsigned *flags)
{
    if (advance_to(s, true) < 0)
        return -1;
    bool cased = at_word(s, "CASE");
    if ((cased || at_word(s, "TERM")) && s->at < s->p->end && s->p->text.ptr[s->at] == '(') {
        if (advance(s) < 0 || advance_to(s, true) < 0)
            return -1;
        *value = s->piece.text;
        *flags |= cased ? TEST_CASED : 0;
        if (advance(s) < 0)
            return -1;
        return s->piece.kind == PIECE_CLOSE ? advance(s) : fail(s, "here a closing ) is missing");
    }
    if (s->piece.kind == PIECE_MACRO) {
        s->p->query->has_macros = true;
        *value = SLICE("*");
        return advance(s);
    }
    if (s->piece.kind != PIECE_WORD && s->piece.kind != PIECE_QUOTED)
        return fail(s, "after the operator a value is missing");
    *value = s->piece.text;
    return advance(s);
}

static struct slice field_name(struct search_parser *s, struct slice name)
{
    if (name.len >= 2 && name.ptr[0] == '\'' && name.ptr[name.len - 1] == '\'')
        name = slice_sub(name, 1, name.len - 2);
    struct slice plain = plain_text(s->p->arena, name);
    return plain.ptr ? spl_field_alias(plain) : SLICE_NONE;
}

static int parse_compare(struct search_parser *s, struct slice name, const struct expr **out)
{
    struct slice op = s->piece.text, value, *time;
    unsigned flags = 0;
    struct piece at = s->piece;
    if (take_value(s, &value, &flags) < 0)
        return -1;
    if (s->first && op.ptr[0] == '=' && is_time_modifier(s, name, &time)) {
        *time = value;
        *out = NULL;
        return check_time(s, value);
    }
    struct slice field = field_name(s, name);
    struct expr *made =
        field.ptr ? (struct expr *)(uintptr_t)spl_comparison(s->p->arena, field, op, value, flags)
                  : NULL;
    (void)at;
    return give(s, made, out);
}

static int parse_in(struct search_parser *s, struct slice name, const struct expr **out)
{
    struct slice field = field_name(s, name);
    const struct expr **list = NULL;
    size_t count = 0;
    size_t open = s->piece.start;
    if (advance(s) < 0) /* "(" */
        return -1;
    for (;;) {
        if (advance_to(s, true) < 0)
            return -1;
        if (s->piece.kind == PIECE_CLOSE)
            break;
        if (s->piece.kind == PIECE_MACRO) {
            s->p->query->has_macros = true;
            continue;
        }
        if (s->piece.kind != PIECE_WORD && s->piece.kind != PIECE_QUOTED) {
            s->piece.start = open;
            return fail(s, "the list of IN has no closing ); add it");
        }
        list = spl_grow(s->p->arena, list, count, sizeof(struct expr *));
        if (!list || !field.ptr)
            return err_nomem(s->p->err);
        list[count] = equal_test(s->p->arena, field, s->piece.text, 0);
        if (!list[count++])
            return err_nomem(s->p->err);
    }
    if (count == 0 && !s->p->query->has_macros)
        return fail(s, "the list of IN is empty");
    if (advance(s) < 0)
        return -1;
    if (count == 1)
        return give(s, list[0], out);
    return give(s, expr_list(s->p->arena, EXPR_OR, list, count), out);
}

/* TERM(x) and CASE(x) on the event's text. */
static int parse_term_call(struct search_parser *s, unsigned flags, const struct expr **out)
{
    size_t close = s->at;
    while (close < s->p->end && s->p->text.ptr[close] != ')')
        close++;
    if (close >= s->p->end)
        return fail(s, "here a closing ) is missing");
    struct slice text = slice_trim(slice_sub(s->p->text, s->at + 1, close - s->at - 1));
    if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
        text = slice_sub(text, 1, text.len - 2);
    if (text.len == 0)
        return fail(s, "here a term is missing");
    s->at = close + 1;
    return give(s, term_test(s->p->arena, text, flags), out) < 0 ? -1 : advance(s);
}

static bool next_is(const struct search_parser *s, const char *word)
{
    size_t at = s->at;
    while (at < s->p->end && is_space(s->p->text.ptr[at]))
        at++;
    struct slice rest = slice_sub(s->p->text, at, s->p->end - at);
    return slice_starts(rest, slice_text(word));
}

static bool list_follows(const struct search_parser *s)
{
    if (!next_is(s, "IN") && !next_is(s, "in"))
        return false;
    struct search_parser look = *s;
    size_t at = s->at;
    while (at < s->p->end && is_space(s->p->text.ptr[at]))
        at++;
    look.at = at + 2;
    return next_is(&look, "(") && (slice_sub(s->p->text, at, 2).ptr[0] == 'I');
}

/* sourcetype::x is an indexed field; a::b otherwise is text. */
static bool split_indexed(struct slice word, struct slice *name, struct slice *value)
{
    static const char *const names[] = {"host",  "source",    "sourcetype",
                                        "index", "eventtype", "tag"};
    ptrdiff_t at = slice_find(word, SLICE("::"));
    if (at <= 0)
        return false;
    *name = slice_sub(word, 0, (size_t)at);
    *value = slice_from(word, (size_t)at + 2);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (slice_is(*name, names[i]) && value->len)
            return true;
    return false;
}

static int parse_term(struct search_parser *s, const struct expr **out)
{
    struct slice text = s->piece.text, name, value;
    bool quoted = s->piece.kind == PIECE_QUOTED;
    size_t before = s->at;
    bool call = before < s->p->end && s->p->text.ptr[before] == '(';
    if (!quoted && call && (at_word(s, "TERM") || at_word(s, "CASE")))
        return parse_term_call(s, at_word(s, "TERM") ? TEST_MAJOR_ONLY : TEST_CASED, out);
    if (list_follows(s)) {
        if (advance(s) < 0)
            return -1;
        return parse_in(s, text, out);
    }
    if (advance(s) < 0)
        return -1;
    if (s->piece.kind == PIECE_OPERATOR)
        return parse_compare(s, text, out);
    if (!quoted && split_indexed(text, &name, &value))
        return give(s, spl_comparison(s->p->arena, spl_field_alias(name), SLICE("="), value, 0),
                    out);
    if (only_stars(text)) {
        *out = NULL;
        return 0;
    }
    if (text.len == 0) {
        *out = NULL;
        return 0;
    }
    return give(s, term_test(s->p->arena, text, 0), out);
}

static int parse_place(struct search_parser *s, const struct expr **out)
{
    struct spl_place *place = arena_calloc(s->p->arena, sizeof(*place));
    struct expr *expr = expr_constant(s->p->arena, value_bool(true));
    if (!place || !expr)
        return err_nomem(s->p->err);
    expr->start = (int)s->piece.start;
    expr->end = (int)s->piece.end;
    if (spl_parse_part(s->p, s->piece.start + 1, s->piece.end - 1, PART_SUBSEARCH, &place->query) <
        0)
        return -1;
    place->place = expr;
    place->next = s->places;
    s->places = place;
    *out = expr;
    return advance(s);
}

static int parse_primary(struct search_parser *s, const struct expr **out)
{
    switch (s->piece.kind) {
    case PIECE_OPEN:
        if (advance(s) < 0)
            return -1;
        if (s->piece.kind == PIECE_CLOSE) { /* () is everything */
            *out = NULL;
            return advance(s);
        }
        if (parse_and(s, out) < 0)
            return -1;
        return s->piece.kind == PIECE_CLOSE ? advance(s) : fail(s, "here a closing ) is missing");
    case PIECE_SUBSEARCH:
        return parse_place(s, out);
    case PIECE_MACRO:
        s->p->macros_here++;
        if (!s->p->query->has_macros)
            s->p->query->macro =
                slice_sub(s->p->text, s->piece.start, s->piece.end - s->piece.start);
        s->p->query->has_macros = true;
        *out = NULL;
        return advance(s);
    case PIECE_WORD:
    case PIECE_QUOTED:
        return parse_term(s, out);
    case PIECE_OPERATOR:
        return fail(s, "before the operator the name of a field is missing");
    case PIECE_CLOSE:
        return fail(s, "this ) closes nothing");
    case PIECE_END:
        break;
    }
    return fail(s, "the search ends where a term is needed");
}

static int parse_not(struct search_parser *s, const struct expr **out)
{
    if (!at_word(s, "NOT"))
        return parse_primary(s, out);
    const struct expr *inner;
    if (++s->depth > EXPR_DEPTH_MAX)
        return fail(s, "the search is nested too deeply");
    if (advance(s) < 0)
        return -1;
    if (at_end(s))
        return fail(s, "after NOT a term is missing");
    if (parse_not(s, &inner) < 0)
        return -1;
    s->depth--;
    if (!inner)
        return give(s, expr_constant(s->p->arena, value_bool(false)), out);
    return give(s, expr_not(s->p->arena, inner), out);
}

static int parse_or(struct search_parser *s, const struct expr **out)
{
    const struct expr **list = NULL;
    size_t count = 0;
    bool all = false;
    for (bool more = true; more;) {
        const struct expr *one;
        if (at_end(s))
            return fail(s, "after OR a term is missing");
        if (parse_not(s, &one) < 0)
            return -1;
        list = spl_grow(s->p->arena, list, count, sizeof(struct expr *));
        if (!list)
            return err_nomem(s->p->err);
        if (one)
            list[count++] = one;
        else
            all = true;
        more = at_word(s, "OR");
        if (more && advance(s) < 0)
            return -1;
    }
    if (all || count < 2) {
        *out = all ? NULL : list[0];
        return 0;
    }
    return give(s, expr_list(s->p->arena, EXPR_OR, list, count), out);
}

static int parse_and(struct search_parser *s, const struct expr **out)
{
    const struct expr **list = NULL;
    size_t count = 0;
    if (++s->depth > EXPR_DEPTH_MAX)
        return fail(s, "the search is nested too deeply");
    while (!at_end(s) && s->piece.kind != PIECE_CLOSE) {
        const struct expr *one;
        if (parse_or(s, &one) < 0)
            return -1;
        if (at_word(s, "AND")) {
            if (advance(s) < 0)
                return -1;
            if (at_end(s) || s->piece.kind == PIECE_CLOSE)
                return fail(s, "after AND a term is missing");
        }
        if (!one)
            continue;
        list = spl_grow(s->p->arena, list, count, sizeof(struct expr *));
        if (!list)
            return err_nomem(s->p->err);
        list[count++] = one;
    }
    s->depth--;
    if (count < 2) {
        *out = count ? list[0] : NULL;
        return 0;
    }
    return give(s, expr_list(s->p->arena, EXPR_AND, list, count), out);
}

int spl_take_search(struct spl_parser *p, bool first, const char *const *stops,
                    struct spl_search *out)
{
    struct search_parser s = {.p = p, .at = p->token.start, .stops = stops, .first = first};
    *out = (struct spl_search){0};
    if (p->token.kind == SPL_END)
        s.at = p->end;
    if (advance(&s) < 0 || parse_and(&s, &out->expr) < 0)
        return -1;
    if (!at_end(&s))
        return fail(&s, s.piece.kind == PIECE_CLOSE ? "this ) closes nothing"
                                                    : "the search should end here");
    out->places = s.places;
    p->at = s.piece.start;
    return spl_advance(p);
}

int spl_search_text(struct slice text, struct arena *arena, struct spl_search *out, struct err *err)
{
    struct spl_query query = {.text = text};
    struct spl_command command = {.descriptor = &command_search};
    struct spl_parser p = {.text = text,
                           .end = text.len,
                           .query = &query,
                           .command = &command,
                           .arena = arena,
                           .err = err};
    query.commands = &command;
    return spl_advance(&p) < 0 ? -1 : spl_take_search(&p, false, NULL, out);
}
