/*
 * A recursive-descent parser; one function a level of precedence, lowest first:
 *   xor -> or -> and -> not -> comparison -> concat -> sum -> product -> unary -> primary
 * The language's "." binds looser than "+", as in SPL's documentation.
 */
#include "expr/parse.h"

#include "event/schema.h"
#include "expr/function.h"

#include <stdio.h>

enum token {
    TOKEN_END,
    TOKEN_NAME,   /* bare word */
    TOKEN_FIELD,  /* 'quoted' */
    TOKEN_TEXT,   /* "quoted" */
    TOKEN_NUMBER,
    TOKEN_SIGN,   /* ( ) , + - * / % . = == != < <= > >= */
    TOKEN_OTHER,  /* anything that cannot be in an expression: it ends here */
};

struct parser {
    struct slice text;
    int base; /* added to positions in errors */
    size_t at;
    enum token token;
    struct slice value; /* NAME, NUMBER, SIGN as written; FIELD, TEXT unescaped */
    size_t start, end;  /* of the token */
    int depth;
    bool search; /* of a search: metric_name and _value are habitual names, too */
    struct arena *arena;
    struct err *err;
};

static int fail(struct parser *p, const char *what)
{
    return err_set_at(p->err, ERR_CONFIG, p->base + (int)p->start, p->base + (int)p->end, "%s",
                      what);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool starts_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '@' ||
           (unsigned char)c >= 0x80;
}

/* A dot belongs to a name when a name goes on right behind it: source.ip is a field, a . b is not. */
static bool continues_name(struct slice text, size_t at)
{
    char c = text.ptr[at];
    if (starts_name(c) || is_digit(c))
        return true;
    if (c == '{') /* items{}.sku */
        return at + 1 < text.len && text.ptr[at + 1] == '}';
    if (c == '}')
        return at > 0 && text.ptr[at - 1] == '{';
    return c == '.' && at + 1 < text.len && (starts_name(text.ptr[at + 1]) || is_digit(text.ptr[at + 1]));
}

static void skip_space(struct parser *p)
{
    for (;;) {
        while (p->at < p->text.len && is_space(p->text.ptr[p->at]))
            p->at++;
        if (!slice_starts(slice_from(p->text, p->at), SLICE("```")))
            return;
        ptrdiff_t close = slice_find(slice_from(p->text, p->at + 3), SLICE("```"));
        p->at = close < 0 ? p->text.len : p->at + 6 + (size_t)close;
    }
}

/* "text" or 'name': only \" \\ (or \' \\) are escapes, so that "\d" reaches the regex engine. */
static int take_quoted(struct parser *p, char quote)
{
    char *to = arena_alloc(p->arena, p->text.len - p->at + 1);
    if (!to)
        return err_nomem(p->err);
    size_t len = 0;
    for (p->at++; p->at < p->text.len; p->at++) {
        char c = p->text.ptr[p->at];
        char next = p->at + 1 < p->text.len ? p->text.ptr[p->at + 1] : '\0';
        if (c == quote) {
            p->at++;
            p->end = p->at;
            p->value = slice_of(to, len);
            p->token = quote == '"' ? TOKEN_TEXT : TOKEN_FIELD;
            return 0;
        }
        if (c == '\\' && (next == quote || next == '\\')) {
            c = next;
            p->at++;
        }
        to[len++] = c;
    }
    p->end = p->text.len;
    return fail(p, quote == '"' ? "a text has no closing \"; add it" :
                                  "a field name has no closing '; add it");
}

/* 1.5 and 1. but not 1.name, which joins. */
static bool is_point(struct slice text, size_t at)
{
    return text.ptr[at] == '.' && (at + 1 == text.len || !starts_name(text.ptr[at + 1]));
}

static void take_number(struct parser *p)
{
    size_t at = p->at;
    while (at < p->text.len && (is_digit(p->text.ptr[at]) || is_point(p->text, at)))
        at++;
    if (at + 1 < p->text.len && (p->text.ptr[at] | 0x20) == 'e') {
        size_t exponent = at + 1;
        exponent += p->text.ptr[exponent] == '-' || p->text.ptr[exponent] == '+';
        if (exponent < p->text.len && is_digit(p->text.ptr[exponent]))
            for (at = exponent; at < p->text.len && is_digit(p->text.ptr[at]);)
                at++;
    }
    p->value = slice_sub(p->text, p->at, at - p->at);
    p->at = p->end = at;
    p->token = TOKEN_NUMBER;
}

static void take_sign(struct parser *p)
{
    static const char *const signs[] = {"==", "!=", "<=", ">=", "=", "<", ">", "+", "-",
                                        "*",  "/",  "%",  ".",  "(", ")", ","};
    struct slice rest = slice_from(p->text, p->at);
    p->token = TOKEN_OTHER;
    p->value = slice_sub(rest, 0, 1);
    for (size_t i = 0; i < ARRAY_COUNT(signs); i++)
        if (slice_starts(rest, slice_text(signs[i]))) {
            p->token = TOKEN_SIGN;
            p->value = slice_sub(rest, 0, strlen(signs[i]));
            break;
        }
    p->at += p->value.len;
    p->end = p->at;
}

static bool at_sign(const struct parser *p, const char *sign)
{
    return p->token == TOKEN_SIGN && slice_is(p->value, sign);
}

static bool at_word(const struct parser *p, const char *word)
{
    return p->token == TOKEN_NAME && slice_is_nocase(p->value, word);
}

/* Whether the token is the end of a value, so that a dot behind it joins: "a".5 */
static bool ends_value(const struct parser *p)
{
    static const char *const words[] = {"AND", "OR", "XOR", "NOT", "IN", "LIKE"};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (at_word(p, words[i]))
            return false;
    return p->token == TOKEN_TEXT || p->token == TOKEN_FIELD || p->token == TOKEN_NAME ||
           p->token == TOKEN_NUMBER || at_sign(p, ")");
}

/* user.upper(name): what stands before ( is a function, so the last dot joins it to a field. */
static void leave_call(struct parser *p)
{
    const char *nearest;
    if (p->at >= p->text.len || p->text.ptr[p->at] != '(')
        return;
    size_t dot = p->at;
    while (dot > p->start && p->text.ptr[dot] != '.')
        dot--;
    if (dot > p->start && !function_find(slice_sub(p->text, p->start, p->at - p->start), &nearest))
        p->at = dot;
}

static int advance(struct parser *p)
{
    bool joins = ends_value(p);
    skip_space(p);
    p->start = p->end = p->at;
    if (p->at >= p->text.len) {
        p->token = TOKEN_END;
        p->value = SLICE("");
        return 0;
    }
    char c = p->text.ptr[p->at];
    if (c == '"' || c == '\'')
        return take_quoted(p, c);
    if (is_digit(c) || (c == '.' && !joins && p->at + 1 < p->text.len && is_digit(p->text.ptr[p->at + 1]))) {
        take_number(p);
    } else if (starts_name(c)) {
        while (p->at < p->text.len && continues_name(p->text, p->at))
            p->at++;
        leave_call(p);
        p->end = p->at;
        p->token = TOKEN_NAME;
        p->value = slice_sub(p->text, p->start, p->end - p->start);
    } else {
        take_sign(p);
    }
    return 0;
}

static int parse_xor(struct parser *p, const struct expr **out);

/* Trees are walked by functions that call themselves, so they must not be too high. */
static int measure(struct parser *p, struct expr *expr)
{
    for (size_t i = 0; i < expr->arg_count; i++)
        if (expr->args[i]->height >= expr->height)
            expr->height = expr->args[i]->height + 1;
    if (expr->height <= EXPR_HEIGHT_MAX)
        return 0;
    return err_set_at(p->err, ERR_LIMIT, expr->start, expr->end,
                      "more than %d values are joined in one expression; use several eval, sum() or "
                      "mvjoin()",
                      EXPR_HEIGHT_MAX);
}

static int make(struct parser *p, enum expr_kind kind, enum expr_operator op,
                const struct expr **args, size_t count, size_t start, const struct expr **out)
{
    struct expr *expr = expr_list(p->arena, kind, args, count);
    if (!expr)
        return err_nomem(p->err);
    expr->op = op;
    expr->start = p->base + (int)start;
    expr->end = p->base + (int)p->end;
    *out = expr;
    return measure(p, expr);
}

static int expect(struct parser *p, const char *sign, const char *message)
{
    return at_sign(p, sign) ? advance(p) : fail(p, message);
}

enum { ARGS_MAX = 1024 };

/* a, b, ...) with the opening bracket already taken. */
static int parse_args(struct parser *p, const struct expr ***args, size_t *count)
{
    size_t size = 8;
    const struct expr **list = arena_array(p->arena, size, sizeof(*list));
    *count = 0;
    while (list && !at_sign(p, ")")) {
        if (*count == ARGS_MAX)
            return fail(p, "a list has more than 1024 members");
        if (*count == size) {
            list = arena_grow(p->arena, list, size * sizeof(*list), 2 * size * sizeof(*list));
            size *= 2;
            if (!list)
                break;
        }
        if (parse_xor(p, &list[(*count)++]) < 0)
            return -1;
        if (!at_sign(p, ",") && !at_sign(p, ")"))
            return fail(p, "here a comma or ) is missing");
        if (at_sign(p, ",") && advance(p) < 0)
            return -1;
    }
    if (!list)
        return err_nomem(p->err);
    *args = list;
    return advance(p);
}

static int check_call(struct parser *p, const struct expr_function *function, size_t count,
                      size_t start)
{
    if (count >= (size_t)function->args_min && count <= (size_t)function->args_max)
        return 0;
    return err_set_at(p->err, ERR_CONFIG, p->base + (int)start, p->base + (int)p->end,
                      "%s() got %zu arguments; it is %s", function->name, count,
                      function->summary);
}

static int parse_call(struct parser *p, struct slice name, size_t start, const struct expr **out)
{
    const char *nearest;
    const struct expr_function *function = function_find(name, &nearest);
    if (!function) {
        err_set_at(p->err, ERR_CONFIG, p->base + (int)start, p->base + (int)(start + name.len),
                   "there is no function %.*s()", SLICE_ARG(name));
        if (p->err && nearest)
            snprintf(p->err->suggestion, sizeof(p->err->suggestion), "%s", nearest);
        return -1;
    }
    const struct expr **args;
    size_t count;
    if (advance(p) < 0 || parse_args(p, &args, &count) < 0 ||
        check_call(p, function, count, start) < 0)
        return -1;
    struct expr *call = expr_list(p->arena, EXPR_CALL, args, count);
    if (!call)
        return err_nomem(p->err);
    call->function = function;
    call->start = p->base + (int)start;
    call->end = p->base + (int)p->end;
    *out = call;
    if (measure(p, call) < 0)
        return -1;
    return function->prepare ? function->prepare(call, p->arena, p->err) : 0;
}

static int parse_literal(struct parser *p, const struct expr **out)
{
    struct value v = p->token == TOKEN_NUMBER ? value_from_number_text(p->value, p->arena)
                                              : value_string(p->value);
    if (p->token == TOKEN_NUMBER && v.type == VALUE_STRING)
        return fail(p, "a number has more than 38 digits or two points");
    struct expr *expr = expr_constant(p->arena, v);
    if (!expr)
        return err_nomem(p->err);
    expr->start = p->base + (int)p->start;
    expr->end = p->base + (int)p->end;
    *out = expr;
    return advance(p);
}

static int parse_name(struct parser *p, const struct expr **out)
{
    struct slice name = p->value;
    size_t start = p->start;
    bool quoted = p->token == TOKEN_FIELD;
    if (advance(p) < 0)
        return -1;
    if (!quoted && at_sign(p, "("))
        return parse_call(p, name, start, out);
    struct expr *expr = expr_field(p->arena, p->search ? schema_metric_alias(name) : name);
    if (!expr)
        return err_nomem(p->err);
    expr->start = p->base + (int)start;
    expr->end = p->base + (int)(start + name.len);
    *out = expr;
    return 0;
}

static int parse_primary(struct parser *p, const struct expr **out)
{
    if (p->token == TOKEN_TEXT || p->token == TOKEN_NUMBER)
        return parse_literal(p, out);
    if (p->token == TOKEN_FIELD || p->token == TOKEN_NAME)
        return parse_name(p, out);
    if (at_sign(p, "(")) {
        if (advance(p) < 0 || parse_xor(p, out) < 0)
            return -1;
        return expect(p, ")", "here a closing ) is missing");
    }
    if (p->token == TOKEN_END)
        return fail(p, "the expression ends where a value is needed");
    return fail(p, "here a field, a \"text\", a number or ( is needed");
}

static int parse_unary(struct parser *p, const struct expr **out)
{
    size_t start = p->start;
    if (at_sign(p, "+"))
        return advance(p) < 0 ? -1 : parse_unary(p, out);
    if (!at_sign(p, "-"))
        return parse_primary(p, out);
    if (++p->depth > EXPR_DEPTH_MAX)
        return fail(p, "the expression is nested too deeply");
    const struct expr *inner;
    if (advance(p) < 0 || parse_unary(p, &inner) < 0)
        return -1;
    p->depth--;
    return make(p, EXPR_NEGATE, OP_SUBTRACT, &inner, 1, start, out);
}

struct level {
    const char *sign;
    enum expr_operator op;
};

static const struct level *match_level(const struct parser *p, const struct level *levels,
                                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (at_sign(p, levels[i].sign))
            return &levels[i];
    return NULL;
}

static int parse_product(struct parser *p, const struct expr **out)
{
    static const struct level levels[] = {{"*", OP_MULTIPLY}, {"/", OP_DIVIDE}, {"%", OP_MODULO}};
    size_t start = p->start;
    if (parse_unary(p, out) < 0)
        return -1;
    const struct level *level;
    while ((level = match_level(p, levels, ARRAY_COUNT(levels)))) {
        const struct expr *args[2] = {*out};
        if (advance(p) < 0 || parse_unary(p, &args[1]) < 0 ||
            make(p, EXPR_ARITHMETIC, level->op, args, 2, start, out) < 0)
            return -1;
    }
    return 0;
}

static int parse_sum(struct parser *p, const struct expr **out)
{
    static const struct level levels[] = {{"+", OP_ADD}, {"-", OP_SUBTRACT}};
    size_t start = p->start;
    if (parse_product(p, out) < 0)
        return -1;
    const struct level *level;
    while ((level = match_level(p, levels, ARRAY_COUNT(levels)))) {
        const struct expr *args[2] = {*out};
        if (advance(p) < 0 || parse_product(p, &args[1]) < 0 ||
            make(p, EXPR_ARITHMETIC, level->op, args, 2, start, out) < 0)
            return -1;
    }
    return 0;
}

static int parse_concat(struct parser *p, const struct expr **out)
{
    size_t start = p->start;
    if (parse_sum(p, out) < 0)
        return -1;
    while (at_sign(p, ".")) {
        const struct expr *args[2] = {*out};
        if (advance(p) < 0 || parse_sum(p, &args[1]) < 0 ||
            make(p, EXPR_CONCAT, OP_ADD, args, 2, start, out) < 0)
            return -1;
    }
    return 0;
}

static int parse_in(struct parser *p, size_t start, const struct expr **out)
{
    const struct expr **members, *left = *out;
    size_t count;
    if (advance(p) < 0 || expect(p, "(", "after IN a list in brackets is needed: IN (1, 2)") < 0 ||
        parse_args(p, &members, &count) < 0)
        return -1;
    const struct expr **args = arena_array(p->arena, count + 1, sizeof(*args));
    if (!args)
        return err_nomem(p->err);
    args[0] = left;
    memcpy(args + 1, members, count * sizeof(*args));
    return make(p, EXPR_IN, OP_EQUAL, args, count + 1, start, out);
}

static int negate(struct parser *p, size_t start, const struct expr **out)
{
    const struct expr *inner = *out;
    return make(p, EXPR_NOT, OP_EQUAL, &inner, 1, start, out);
}

static int parse_comparison(struct parser *p, const struct expr **out)
{
    static const struct level levels[] = {
        {"==", OP_EQUAL},      {"!=", OP_NOT_EQUAL},     {"<=", OP_LESS_EQUAL},
        {">=", OP_GREATER_EQUAL}, {"=", OP_EQUAL}, {"<", OP_LESS}, {">", OP_GREATER}};
    size_t start = p->start;
    if (parse_concat(p, out) < 0)
        return -1;
    const struct level *level = match_level(p, levels, ARRAY_COUNT(levels));
    if (level) {
        const struct expr *args[2] = {*out};
        if (advance(p) < 0 || parse_concat(p, &args[1]) < 0)
            return -1;
        return make(p, EXPR_COMPARE, level->op, args, 2, start, out);
    }
    bool inverted = at_word(p, "NOT");
    if (inverted && advance(p) < 0)
        return -1;
    if (at_word(p, "IN")) {
        if (parse_in(p, start, out) < 0)
            return -1;
    } else if (at_word(p, "LIKE")) {
        const struct expr *args[2] = {*out};
        if (advance(p) < 0 || parse_concat(p, &args[1]) < 0 ||
            make(p, EXPR_LIKE, OP_EQUAL, args, 2, start, out) < 0)
            return -1;
    } else if (inverted) {
        return fail(p, "after this NOT only IN or LIKE can follow");
    }
    return inverted ? negate(p, start, out) : 0;
}

static int parse_not(struct parser *p, const struct expr **out)
{
    size_t start = p->start;
    if (!at_word(p, "NOT"))
        return parse_comparison(p, out);
    if (++p->depth > EXPR_DEPTH_MAX)
        return fail(p, "the expression is nested too deeply");
    if (advance(p) < 0 || parse_not(p, out) < 0)
        return -1;
    p->depth--;
    return negate(p, start, out);
}

/* next (word next)*, as one flat node. */
static int parse_joined(struct parser *p, const char *word, enum expr_kind kind,
                        int (*next)(struct parser *, const struct expr **),
                        const struct expr **out)
{
    size_t start = p->start, count = 1, room = 4;
    if (next(p, out) < 0)
        return -1;
    if (!at_word(p, word))
        return 0;
    const struct expr **list = arena_array(p->arena, room, sizeof(*list));
    if (!list)
        return err_nomem(p->err);
    for (list[0] = *out; at_word(p, word); count++) {
        if (count == EXPR_LIST_MAX)
            return fail(p, "too many conditions are joined here; use IN (...) or a lookup");
        if (count == room) {
            list = arena_grow(p->arena, list, room * sizeof(*list), 2 * room * sizeof(*list));
            room *= 2;
        }
        if (!list)
            return err_nomem(p->err);
        if (advance(p) < 0 || next(p, &list[count]) < 0)
            return -1;
    }
    return make(p, kind, OP_EQUAL, list, count, start, out);
}

static int parse_and(struct parser *p, const struct expr **out)
{
    return parse_joined(p, "AND", EXPR_AND, parse_not, out);
}

static int parse_or(struct parser *p, const struct expr **out)
{
    return parse_joined(p, "OR", EXPR_OR, parse_and, out);
}

static int parse_xor(struct parser *p, const struct expr **out)
{
    if (++p->depth > EXPR_DEPTH_MAX)
        return fail(p, "the expression is nested too deeply");
    int result = parse_joined(p, "XOR", EXPR_XOR, parse_or, out);
    p->depth--;
    return result;
}

static int parse(struct parser *p, const struct expr **out, size_t *used)
{
    *out = NULL;
    if (advance(p) < 0 || parse_xor(p, out) < 0) {
        *out = NULL;
        return -1;
    }
    *used = p->token == TOKEN_END ? p->text.len : p->start;
    return 0;
}

int expr_parse_prefix(struct slice text, int base, struct arena *arena, const struct expr **out,
                      size_t *used, struct err *err)
{
    struct parser p = {.text = text, .base = base, .search = true, .arena = arena, .err = err};
    return parse(&p, out, used);
}

int expr_parse(struct slice text, struct arena *arena, const struct expr **out, struct err *err)
{
    size_t used;
    if (text.len > QUERY_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "an expression is longer than %d bytes", QUERY_BYTES_MAX);
    struct parser p = {.text = text, .arena = arena, .err = err};
    if (parse(&p, out, &used) < 0)
        return -1;
    if (used < text.len) {
        *out = NULL;
        return err_set_at(err, ERR_CONFIG, (int)used, (int)used + 1,
                          "the expression should end here, but '%.20s' follows",
                          arena_string(arena, slice_from(text, used)));
    }
    return 0;
}
