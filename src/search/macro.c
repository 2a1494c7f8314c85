#include "search/macro.h"

#include "base/buffer.h"
#include "base/limits.h"
#include "expr/parse.h"
#include "search/frame.h"
#include "search/lexer.h"

#include <stdio.h>

struct call {
    struct slice name;
    struct slice args[KNOW_ARGS_MAX];
    size_t arg_count;
    size_t from, to; /* in what people wrote */
};

struct expander {
    struct arena *arena;
    const struct knowledge *knowledge;
    struct slice person;
    struct buffer to;
    struct macro_piece *pieces;
    size_t count, calls;
    struct err *err;
};

int macro_blank_comments(char *text, size_t len, struct err *err)
{
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        struct slice rest = slice_of(text + i, len - i);
        if (text[i] == '\\' && i + 1 < len && (quoted || text[i + 1] == '"')) {
            i++;
        } else if (text[i] == '"') {
            quoted = !quoted;
        } else if (quoted && (text[i] == '\n' || text[i] == '\r')) {
            text[i] = ' ';
        } else if (!quoted && slice_starts(rest, SLICE("```"))) {
            ptrdiff_t close = slice_find(slice_from(rest, 3), SLICE("```"));
            if (close < 0)
                return err_set_at(err, ERR_CONFIG, (int)i, (int)len,
                                  "a comment has no closing ```; add it");
            memset(text + i, ' ', (size_t)close + 6);
            i += (size_t)close + 5;
        }
    }
    return 0;
}

PRINTF_LIKE(3, 4)
static int fail(struct expander *e, const struct call *call, const char *format, ...)
{
    char text[ERR_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return err_set_at(e->err, ERR_CONFIG, (int)call->from, (int)call->to, "%s", text);
}

static int add_piece(struct expander *e, struct slice name, size_t from, size_t to)
{
    e->pieces = spl_grow(e->arena, e->pieces, e->count, sizeof(*e->pieces));
    if (!e->pieces)
        return err_nomem(e->err);
    e->pieces[e->count++] = (struct macro_piece){e->to.len, name, from, to};
    return 0;
}

/* ---- the call ---- */

/* An argument's quotes are taken off; \" inside of them is a quote. */
static struct slice plain_argument(struct arena *arena, struct slice arg)
{
    if (arg.len < 2 || arg.ptr[0] != '"' || arg.ptr[arg.len - 1] != '"')
        return arg;
    char *to = arena_alloc(arena, arg.len);
    size_t len = 0;
    for (size_t i = 1; to && i + 1 < arg.len; i++) {
        if (arg.ptr[i] == '\\' && arg.ptr[i + 1] == '"' && i + 2 < arg.len)
            i++;
        to[len++] = arg.ptr[i];
    }
    return to ? slice_of(to, len) : SLICE_NONE;
}

static int split_arguments(struct expander *e, struct slice text, struct call *call)
{
    size_t start = 0;
    bool quoted = false;
    if (slice_trim(text).len == 0)
        return 0;
    for (size_t i = 0; i <= text.len; i++) {
        char c = i < text.len ? text.ptr[i] : ',';
        if (c == '\\' && quoted && i + 1 < text.len) {
            i++;
            continue;
        }
        quoted ^= c == '"' && i < text.len;
        if (i < text.len && (quoted || c != ','))
            continue;
        if (call->arg_count == KNOW_ARGS_MAX)
            return fail(e, call, "a macro has at most %d arguments", KNOW_ARGS_MAX);
        struct slice arg = slice_trim(slice_sub(text, start, i - start));
        arg = plain_argument(e->arena, arg);
        if (!arg.ptr)
            return err_nomem(e->err);
        call->args[call->arg_count++] = arg;
        start = i + 1;
    }
    return 0;
}

static int read_call(struct expander *e, struct slice text, struct call *call)
{
    struct slice args = SLICE("");
    text = slice_trim(text);
    call->name = text;
    ptrdiff_t open = slice_find_char(text, '(');
    if (open >= 0 && text.ptr[text.len - 1] == ')') {
        call->name = slice_trim(slice_sub(text, 0, (size_t)open));
        args = slice_sub(text, (size_t)open + 1, text.len - (size_t)open - 2);
    }
    return split_arguments(e, args, call);
}

static int find_macro(struct expander *e, const struct call *call, const struct know_macro **out)
{
    const struct know_object *object =
        know_find_macro(e->knowledge, call->name, call->arg_count, e->person);
    if (object) {
        *out = object->spec;
        return 0;
    }
    for (size_t n = 0; n <= KNOW_ARGS_MAX; n++)
        if (n != call->arg_count && know_find_macro(e->knowledge, call->name, n, e->person))
            return fail(e, call, "the macro %.*s takes %zu argument%s, not %zu",
                        SLICE_ARG(call->name), n, n == 1 ? "" : "s", call->arg_count);
    fail(e, call, "there is no macro %.*s with %zu argument%s", SLICE_ARG(call->name),
         call->arg_count, call->arg_count == 1 ? "" : "s");
    object = know_nearest(e->knowledge, KNOW_MACRO, call->name);
    if (object)
        snprintf(e->err->suggestion, sizeof(e->err->suggestion), "%.*s", SLICE_ARG(object->name));
    return -1;
}

/* ---- what it stands for ---- */

/* body with $name$ replaced, in the arena, without comments. */
static int with_arguments(struct expander *e, struct slice body, const struct know_macro *macro,
                          const struct call *call, struct slice *out)
{
    struct buffer to;
    buffer_init(&to, QUERY_BYTES_MAX);
    while (body.len) {
        bool replaced = false;
        for (size_t i = 0; body.ptr[0] == '$' && i < macro->arg_count && !replaced; i++) {
            struct slice name = macro->args[i];
            replaced = body.len >= name.len + 2 && body.ptr[name.len + 1] == '$' &&
                       slice_equal(slice_sub(body, 1, name.len), name);
            if (replaced) {
                buffer_put(&to, call->args[i]);
                body = slice_from(body, name.len + 2);
            }
        }
        if (!replaced) {
            buffer_put_char(&to, body.ptr[0]);
            body = slice_from(body, 1);
        }
    }
    char *copy = arena_string(e->arena, buffer_slice(&to));
    size_t len = to.len;
    bool failed = buffer_failed(&to);
    buffer_close(&to);
    if (failed)
        return fail(e, call, "with its arguments the macro %.*s is longer than %d bytes",
                    SLICE_ARG(call->name), QUERY_BYTES_MAX);
    *out = slice_of(copy, len);
    return copy ? 0 : err_nomem(e->err);
}

/* The value of an expression over the arguments; VALUE_NULL for none. */
static int evaluate(struct expander *e, struct slice text, const struct call *call, const char *what,
                    struct value *out)
{
    const struct expr *expr;
    struct value_list list;
    struct batch *batch = frame_batch_new(e->arena, 1);
    struct expr_scope scope = {.scratch = e->arena,
                               .now_ns = clock_wall_ns(clock_real()),
                               .clock = clock_real(),
                               .rand = rand_real()};
    if (!batch)
        return err_nomem(e->err);
    if (expr_parse(text, e->arena, &expr, e->err) < 0 ||
        expr_eval(expr, &scope, batch, 0, &list, e->err) < 0) {
        e->err->start = (int)call->from;
        e->err->end = (int)call->to;
        return err_within(e->err, "the %s of the macro %.*s", what, SLICE_ARG(call->name));
    }
    *out = list.count ? list.values[0] : value_null();
    return 0;
}

/* A condition must be TRUE; validate(...) and the like give the sentence when something is wrong. */
static int check_arguments(struct expander *e, const struct know_macro *macro,
                           const struct call *call)
{
    struct slice text, message;
    struct value v;
    if (!macro->validation.len)
        return 0;
    if (with_arguments(e, macro->validation, macro, call, &text) < 0 ||
        evaluate(e, text, call, "validation", &v) < 0)
        return -1;
    if (v.type == VALUE_BOOL ? v.boolean : v.type == VALUE_NULL)
        return 0;
    message = v.type == VALUE_STRING   ? value_slice(v)
              : macro->error.len       ? macro->error
                                       : SLICE("its arguments are not what it needs");
    return fail(e, call, "the macro %.*s: %.*s", SLICE_ARG(call->name), SLICE_ARG(message));
}

static int definition(struct expander *e, const struct know_macro *macro, const struct call *call,
                      struct slice *out)
{
    struct value v;
    if (check_arguments(e, macro, call) < 0 ||
        with_arguments(e, macro->definition, macro, call, out) < 0)
        return -1;
    if (!macro->eval)
        return macro_blank_comments((char *)(uintptr_t)out->ptr, out->len, e->err);
    if (evaluate(e, *out, call, "definition", &v) < 0)
        return -1;
    if (v.type == VALUE_NULL || v.type == VALUE_BOOL)
        return fail(e, call, "the macro %.*s is an expression, which must give a text",
                    SLICE_ARG(call->name));
    *out = value_text(v, e->arena);
    return out->ptr ? 0 : err_nomem(e->err);
}

/* ---- walking ---- */

static int expand(struct expander *e, struct slice text, const struct call *outer, int depth);

static int expand_call(struct expander *e, struct slice text, size_t at, size_t len,
                       const struct call *outer, int depth)
{
    const struct know_macro *macro;
    struct slice body;
    struct call *call = arena_calloc(e->arena, sizeof(*call));
    if (!call)
        return err_nomem(e->err);
    call->from = outer ? outer->from : at;
    call->to = outer ? outer->to : at + len + 2;
    if (depth == MACRO_DEPTH_MAX) {
        err_set_at(e->err, ERR_LIMIT, (int)call->from, (int)call->to,
                   "macros are nested deeper than %d: `%.*s` stands in itself or in a long chain",
                   MACRO_DEPTH_MAX, SLICE_ARG(slice_sub(text, at + 1, len)));
        return -1;
    }
    if (++e->calls > MACRO_CALLS_MAX)
        return err_set_at(e->err, ERR_LIMIT, (int)call->from, (int)call->to,
                          "the search stands for more than %d macros", MACRO_CALLS_MAX);
    if (read_call(e, slice_sub(text, at + 1, len), call) < 0 || find_macro(e, call, &macro) < 0 ||
        definition(e, macro, call, &body) < 0) {
        if (outer && e->err->code == ERR_CONFIG)
            err_within(e->err, "in the macro %.*s", SLICE_ARG(outer->name));
        return -1;
    }
    if (add_piece(e, call->name, call->from, call->to) < 0 || expand(e, body, call, depth + 1) < 0)
        return -1;
    if (outer)
        return add_piece(e, outer->name, outer->from, outer->to);
    return add_piece(e, SLICE_NONE, at + len + 2, 0);
}

/* Macros are not looked for inside of quotes. */
static int expand(struct expander *e, struct slice text, const struct call *outer, int depth)
{
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\\' && i + 1 < text.len && (quoted || text.ptr[i + 1] == '"')) {
            buffer_put(&e->to, slice_sub(text, i, 2));
            i++;
            continue;
        }
        quoted ^= c == '"';
        ptrdiff_t close = c == '`' && !quoted ? slice_find_char(slice_from(text, i + 1), '`') : -1;
        if (close < 0) {
            buffer_put_char(&e->to, c);
            continue;
        }
        if (expand_call(e, text, i, (size_t)close, outer, depth) < 0)
            return -1;
        i += (size_t)close + 1;
    }
    if (buffer_failed(&e->to))
        return err_set(e->err, ERR_LIMIT, "with its macros the search is longer than %d bytes",
                       QUERY_BYTES_MAX);
    return 0;
}

int macro_expand(struct slice text, struct arena *arena, const struct knowledge *knowledge,
                 struct slice person, struct macro_text *out, struct err *err)
{
    struct expander e = {.arena = arena, .knowledge = knowledge, .person = person, .err = err};
    *out = (struct macro_text){.text = text};
    if (slice_find_char(text, '`') < 0)
        return 0;
    buffer_init(&e.to, QUERY_BYTES_MAX);
    int result = add_piece(&e, SLICE_NONE, 0, 0);
    if (result == 0)
        result = expand(&e, text, NULL, 0);
    if (result == 0) {
        char *copy = arena_string(arena, buffer_slice(&e.to));
        *out = (struct macro_text){slice_of(copy, e.to.len), e.pieces, e.count};
        result = copy ? 0 : err_nomem(err);
    }
    buffer_close(&e.to);
    return result;
}

/* ---- errors ---- */

static const struct macro_piece *piece_at(const struct macro_text *expanded, int at)
{
    const struct macro_piece *piece = &expanded->pieces[0];
    for (size_t i = 1; i < expanded->count && expanded->pieces[i].start <= (size_t)at; i++)
        piece = &expanded->pieces[i];
    return piece;
}

void macro_place(const struct macro_text *expanded, struct err *err)
{
    if (!expanded || !expanded->pieces || !err || err->start < 0)
        return;
    int last = err->end > err->start ? err->end - 1 : err->start;
    const struct macro_piece *first = piece_at(expanded, err->start), *end = piece_at(expanded, last);
    if (first->name.ptr)
        err_within(err, "in the macro %.*s", SLICE_ARG(first->name));
    err->end = (int)(end->name.ptr ? end->to : end->from + (size_t)last - end->start) + !end->name.ptr;
    err->start = (int)(first->name.ptr ? first->from
                                       : first->from + (size_t)err->start - first->start);
    if (err->end < err->start)
        err->end = err->start;
}
