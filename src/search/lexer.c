#include "search/lexer.h"

#include "event/schema.h"
#include "expr/parse.h"
#include "search/parser.h"
#include "search/span.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool ends_word(const struct spl_parser *p, size_t at)
{
    char c = p->text.ptr[at];
    if (is_space(c) || c == ',' || c == '=' || c == '(' || c == ')' || c == '"' || c == '[' ||
        c == ']' || c == '`')
        return true;
    return c == '!' && at + 1 < p->end && p->text.ptr[at + 1] == '=';
}

static void note_macro(struct spl_parser *p, size_t start, size_t end)
{
    p->macros_here++;
    if (!p->query->has_macros)
        p->query->macro = slice_sub(p->text, start, end - start);
    p->query->has_macros = true;
}

/* White space, and macros where they may stand. */
static int skip_space(struct spl_parser *p)
{
    for (;;) {
        while (p->at < p->end && is_space(p->text.ptr[p->at]))
            p->at++;
        if (p->at >= p->end || p->text.ptr[p->at] != '`')
            return 0;
        size_t close = p->at + 1;
        while (close < p->end && p->text.ptr[close] != '`')
            close++;
        if (close >= p->end || !p->keep_macros) {
            p->token = (struct spl_token){SPL_END, SLICE(""), p->at, close, false};
            return spl_fail(p, close >= p->end ? "a macro has no closing `; add it"
                                               : "there is no such macro");
        }
        note_macro(p, p->at, close + 1);
        p->at = close + 1;
    }
}

static int take_quoted(struct spl_parser *p, char quote)
{
    size_t start = p->at, len = 0;
    char *to = arena_alloc(p->arena, p->end - p->at + 1);
    if (!to)
        return err_nomem(p->err);
    for (p->at++; p->at < p->end; p->at++) {
        char c = p->text.ptr[p->at];
        char next = p->at + 1 < p->end ? p->text.ptr[p->at + 1] : '\0';
        if (c == quote) {
            p->at++;
            p->token.kind = quote == '"' ? SPL_TEXT : SPL_FIELD;
            p->token.text = slice_of(to, len);
            p->token.start = start;
            p->token.end = p->at;
            return 0;
        }
        if (c == '\\' && (next == quote || next == '\\')) {
            c = next;
            p->at++;
        }
        to[len++] = c;
    }
    p->token.start = start;
    p->token.end = p->end;
    return spl_fail(p, "a text has no closing %c; add it", quote);
}

static int take_brackets(struct spl_parser *p)
{
    size_t start = p->at;
    int depth = 0;
    bool quoted = false;
    for (; p->at < p->end; p->at++) {
        char c = p->text.ptr[p->at];
        if (quoted && c == '\\' && p->at + 1 < p->end)
            p->at++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == '[')
            depth++;
        else if (!quoted && c == ']' && --depth == 0)
            break;
    }
    p->token.start = start;
    p->token.end = p->at < p->end ? p->at + 1 : p->end;
    if (p->at >= p->end)
        return spl_fail(p, "a subsearch has no closing ]; add it");
    p->at++;
    p->token.kind = SPL_SUBSEARCH;
    p->token.text = slice_sub(p->text, start + 1, p->at - start - 2);
    return 0;
}

static void take_word(struct spl_parser *p)
{
    size_t start = p->at;
    char c = p->text.ptr[p->at];
    bool sign = c == '=' || c == ',' || c == '(' || c == ')' || c == ']';
    p->at++;
    if (c == '!' && p->at < p->end && p->text.ptr[p->at] == '=') {
        p->at++;
        sign = true;
    }
    while (!sign && p->at < p->end && !ends_word(p, p->at))
        p->at++;
    p->token.kind = sign ? SPL_SIGN : SPL_WORD;
    p->token.text = slice_sub(p->text, start, p->at - start);
    p->token.start = start;
    p->token.end = p->at;
}

int spl_advance(struct spl_parser *p)
{
    size_t before = p->at;
    if (skip_space(p) < 0)
        return -1;
    p->token.glued = p->at == before;
    if (p->at >= p->end) {
        p->token.kind = SPL_END;
        p->token.text = SLICE("");
        p->token.start = p->token.end = p->end;
        return 0;
    }
    char c = p->text.ptr[p->at];
    if (c == '"' || c == '\'')
        return take_quoted(p, c);
    if (c == '[')
        return take_brackets(p);
    take_word(p);
    return 0;
}

bool spl_at_word(const struct spl_parser *p, const char *word)
{
    return p->token.kind == SPL_WORD && slice_is_nocase(p->token.text, word);
}

bool spl_at_sign(const struct spl_parser *p, const char *sign)
{
    return p->token.kind == SPL_SIGN && slice_is(p->token.text, sign);
}

bool spl_at_option(const struct spl_parser *p)
{
    size_t at = p->at;
    if (p->token.kind != SPL_WORD)
        return false;
    while (at < p->end && is_space(p->text.ptr[at]))
        at++;
    return at < p->end && p->text.ptr[at] == '=';
}

int spl_fail(struct spl_parser *p, const char *format, ...)
{
    char text[ERR_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return err_set_at(p->err, ERR_CONFIG, (int)p->token.start, (int)p->token.end, "%s", text);
}

int spl_fail_near(struct spl_parser *p, const char *nearest, const char *what)
{
    spl_fail(p, "%s \"%.*s\"", what, SLICE_ARG(slice_sub(p->token.text, 0, 60)));
    if (p->err && nearest)
        snprintf(p->err->suggestion, sizeof(p->err->suggestion), "%s", nearest);
    return -1;
}

static bool read_bool(struct slice text, bool *out)
{
    static const char *const yes[] = {"t", "true", "1", "yes", "y"};
    static const char *const no[] = {"f", "false", "0", "no", "n"};
    for (size_t i = 0; i < ARRAY_COUNT(yes); i++) {
        if (slice_is_nocase(text, yes[i]) || slice_is_nocase(text, no[i])) {
            *out = slice_is_nocase(text, yes[i]);
            return true;
        }
    }
    return false;
}

int spl_take_value(struct spl_parser *p, struct slice *out)
{
    if (spl_advance(p) < 0)
        return -1;
    bool some = p->token.kind == SPL_WORD || p->token.kind == SPL_TEXT ||
                p->token.kind == SPL_FIELD || spl_at_sign(p, ",");
    if (!some)
        return spl_fail(p, "after = a value is missing");
    *out = p->token.text;
    if (p->token.kind == SPL_WORD) /* a bare value may hold more = signs */
        while (p->at < p->end && p->text.ptr[p->at] == '=') {
            size_t start = p->token.start;
            p->at++;
            while (p->at < p->end && !ends_word(p, p->at))
                p->at++;
            *out = slice_sub(p->text, start, p->at - start);
        }
    return spl_advance(p);
}

/* An option's value that is none of its words: they are listed, and the nearest suggested. */
static int check_words(struct spl_parser *p, const struct command_option *option, struct slice text)
{
    char list[160];
    size_t len = 0, best = SIZE_MAX;
    const char *nearest = NULL;
    for (size_t i = 0; option->words[i]; i++) {
        const char *between = i == 0 ? "" : option->words[i + 1] ? ", " : " or ";
        if (slice_is_nocase(text, option->words[i]))
            return 0;
        len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", between, option->words[i]);
        assert(len < sizeof(list));
        size_t distance = slice_distance(text, slice_text(option->words[i]));
        if (distance < best) {
            best = distance;
            nearest = option->words[i];
        }
    }
    spl_fail(p, "%s is %s, not \"%.*s\"", option->name, list, SLICE_ARG(slice_sub(text, 0, 60)));
    if (p->err)
        snprintf(p->err->suggestion, sizeof(p->err->suggestion), "%s", nearest);
    return -1;
}

static int set_option(struct spl_parser *p, const struct command_option *option, void *args)
{
    void *to = (char *)args + option->offset;
    struct slice text;
    struct spl_token at = p->token;
    if (spl_advance(p) < 0 || spl_take_value(p, &text) < 0)
        return -1;
    struct spl_token after = p->token;
    p->token.start = at.start;
    p->token.end = after.start; /* an error is about name=value */
    while (p->token.end > at.end && is_space(p->text.ptr[p->token.end - 1]))
        p->token.end--;
    if (option->words && check_words(p, option, text) < 0)
        return -1;
    switch (option->kind) {
    case OPTION_TEXT:
    case OPTION_TIME:
        *(struct slice *)to = text;
        break;
    case OPTION_FIELD:
        *(struct slice *)to = spl_field_alias(text);
        break;
    case OPTION_BOOL:
        if (!read_bool(text, to))
            return spl_fail(p, "%s wants true or false", option->name);
        break;
    case OPTION_I64: {
        int64_t n;
        if (!slice_to_i64(text, &n) || n < 0)
            return spl_fail(p, "%s wants a whole number", option->name);
        *(int64_t *)to = n;
        break;
    }
    case OPTION_NUMBER:
        if (!value_to_number(value_string(text), p->arena, to))
            return spl_fail(p, "%s wants a number", option->name);
        break;
    case OPTION_SPAN:
        if (!span_parse(text, to))
            return spl_fail(p, "%s wants a span such as 5m, 1d, 100 or 2log3", option->name);
        break;
    }
    p->token = after;
    return 0;
}

int spl_take_option(struct spl_parser *p, void *args, bool *taken)
{
    *taken = false;
    if (!spl_at_option(p))
        return 0;
    const struct command *command = p->command->descriptor;
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < command->option_count; i++) {
        const struct command_option *option = &command->options[i];
        if (slice_is_nocase(p->token.text, option->name)) {
            *taken = true;
            return set_option(p, option, args);
        }
        size_t distance = slice_distance(p->token.text, slice_text(option->name));
        if (distance < best) {
            best = distance;
            nearest = option->name;
        }
    }
    if (command->flags & COMMAND_FREE_OPTIONS)
        return 0;
    char what[96];
    snprintf(what, sizeof(what), "%s has no option", command->name);
    return spl_fail_near(p, nearest, what);
}

int spl_take_options(struct spl_parser *p, void *args)
{
    for (bool taken = true; taken;) {
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (taken && spl_at_sign(p, ",") && spl_advance(p) < 0)
            return -1;
    }
    return 0;
}

struct slice spl_field_alias(struct slice name)
{
    return schema_metric_alias(schema_alias(name));
}

/* Whether the query names the field so, from the command on that last chose columns. */
static bool is_spelt(const struct spl_query *query, struct slice name)
{
    size_t start = 0;
    for (const struct spl_command *c = query->commands; c; c = c->next)
        if (c->descriptor && ((c->descriptor->flags & COMMAND_TRANSFORMS) ||
                              slice_is(slice_text(c->descriptor->name), "fields")))
            start = (size_t)c->start;
    return slice_find(slice_from(query->text, start), name) >= 0;
}

struct slice spl_field_shown(struct slice name, const struct spl_query *query)
{
    static const char *const habits[] = {"_time", "_raw",       "_indextime",
                                         "host",  "sourcetype", "index"};
    for (size_t i = 0; i < ARRAY_COUNT(habits); i++)
        if (slice_equal(name, schema_alias(slice_text(habits[i])))) {
            return query && is_spelt(query, name) ? name : slice_text(habits[i]);
        }
    static const char *const if_spelt[] = {"metric_name", "_value"}; /* other events' fields may be called so */
    for (size_t i = 0; query && i < ARRAY_COUNT(if_spelt); i++)
        if (slice_equal(name, schema_metric_alias(slice_text(if_spelt[i]))) && !is_spelt(query, name) &&
            is_spelt(query, slice_text(if_spelt[i])))
            return slice_text(if_spelt[i]);
    return name;
}

bool spl_is_field(const struct spl_parser *p)
{
    return p->token.kind == SPL_WORD || p->token.kind == SPL_TEXT || p->token.kind == SPL_FIELD;
}

/* avg(bytes) as a name, without quotes. */
static void take_call_name(struct spl_parser *p)
{
    size_t at = p->at;
    while (at < p->end && !is_space(p->text.ptr[at]) && p->text.ptr[at] != ')' &&
           p->text.ptr[at] != '"')
        at++;
    if (at >= p->end || p->text.ptr[at] != ')')
        return;
    p->at = p->token.end = at + 1;
    p->token.text = slice_sub(p->text, p->token.start, p->token.end - p->token.start);
}

int spl_take_field(struct spl_parser *p, struct slice *out)
{
    if (!spl_is_field(p) || p->token.text.len == 0)
        return spl_fail(p, "here the name of a field is needed");
    if (p->token.kind == SPL_WORD && p->at < p->end && p->text.ptr[p->at] == '(')
        take_call_name(p);
    if (p->token.text.len > FIELD_NAME_MAX)
        return spl_fail(p, "a field's name is longer than %d bytes", FIELD_NAME_MAX);
    *out = spl_field_alias(p->token.text);
    return spl_advance(p);
}

static bool at_stop(const struct spl_parser *p, const char *const *stops)
{
    for (; stops && *stops; stops++)
        if (spl_at_word(p, *stops))
            return true;
    return false;
}

int spl_take_fields(struct spl_parser *p, const char *const *stops, bool empty,
                    struct field_list *out)
{
    struct slice *names = NULL;
    *out = (struct field_list){0};
    while (spl_is_field(p) && !at_stop(p, stops)) {
        names = spl_grow(p->arena, names, out->count, sizeof(*names));
        if (!names)
            return err_nomem(p->err);
        if (spl_take_field(p, &names[out->count]) < 0)
            return -1;
        out->wild |= slice_find_char(names[out->count], '*') >= 0;
        out->count++;
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
    }
    out->names = names;
    return out->count || empty ? 0 : spl_fail(p, "here the name of a field is needed");
}

int spl_take_fields_options(struct spl_parser *p, void *args, const char *const *stops,
                            struct field_list *out)
{
    struct slice *names = (struct slice *)(uintptr_t)out->names;
    while (p->token.kind != SPL_END && !at_stop(p, stops)) {
        bool taken;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (!taken) {
            names = spl_grow(p->arena, names, out->count, sizeof(*names));
            if (!names)
                return err_nomem(p->err);
            if (spl_take_field(p, &names[out->count]) < 0)
                return -1;
            out->names = names;
            out->wild |= slice_find_char(names[out->count++], '*') >= 0;
        }
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
    }
    return 0;
}

/* Macros inside of expressions become names of the same length, so that positions stay. */
static int mask_macros(struct spl_parser *p, struct slice *text)
{
    if (slice_find_char(*text, '`') < 0 || !p->keep_macros)
        return 0;
    char *copy = arena_string(p->arena, *text);
    if (!copy)
        return err_nomem(p->err);
    bool inside = false, quoted = false;
    for (size_t i = 0; i < text->len; i++) {
        if (copy[i] == '"' && !inside)
            quoted = !quoted;
        bool edge = copy[i] == '`' && !quoted;
        if (edge && !inside)
            note_macro(p, p->token.start + i, p->token.start + i + 1);
        if (edge || inside)
            copy[i] = '_';
        inside ^= edge;
    }
    *text = slice_of(copy, text->len);
    return 0;
}

/* searchmatch("terms"): the text as a search, in the same words as the search command. */
static const struct expr *bind_search(void *context, const struct expr *text)
{
    struct spl_parser *outer = context;
    struct slice terms = value_slice(text->constant);
    struct spl_query query = {.text = terms};
    struct spl_parser p = {.text = terms,
                           .end = terms.len,
                           .query = &query,
                           .command = outer->command,
                           .arena = outer->arena,
                           .err = outer->err,
                           .keep_macros = outer->keep_macros};
    struct spl_search found = {0};
    if (spl_advance(&p) < 0 || spl_take_search(&p, false, NULL, &found) < 0 || found.places) {
        if (found.places)
            spl_fail(&p, "searchmatch() takes no subsearch");
        if (outer->err) { /* where the text stands in the query */
            outer->err->start = text->start;
            outer->err->end = text->end;
        }
        return NULL;
    }
    struct expr *all = found.expr ? NULL : expr_constant(outer->arena, value_bool(true));
    if (!found.expr && !all)
        err_nomem(outer->err);
    return found.expr ? found.expr : all;
}

int spl_take_expr(struct spl_parser *p, const struct expr **out)
{
    size_t used, start = p->token.start;
    struct slice text = slice_sub(p->text, start, p->end - start);
    if (p->token.kind == SPL_END)
        return spl_fail(p, "here an expression is missing");
    if (mask_macros(p, &text) < 0 ||
        expr_parse_prefix(text, (int)start, p->arena, out, &used, p->err) < 0)
        return -1;
    if (expr_bind_searches(*out, bind_search, p) < 0)
        return -1;
    p->at = start + used;
    return spl_advance(p);
}

static int take_part(struct spl_parser *p, enum spl_part part, const struct spl_query **out)
{
    if (p->token.kind != SPL_SUBSEARCH)
        return spl_fail(p, "here a subsearch in [ ] is needed");
    if (spl_parse_part(p, p->token.start + 1, p->token.end - 1, part, out) < 0)
        return -1;
    return spl_advance(p);
}

int spl_take_subsearch(struct spl_parser *p, const struct spl_query **out)
{
    return take_part(p, PART_SUBSEARCH, out);
}

int spl_take_pipeline(struct spl_parser *p, const struct spl_query **out)
{
    return take_part(p, PART_PIPELINE, out);
}

int spl_take_i64(struct spl_parser *p, int64_t *out)
{
    if (!spl_is_field(p) || !slice_to_i64(p->token.text, out))
        return spl_fail(p, "here a whole number is needed");
    return spl_advance(p);
}

int spl_expect_end(struct spl_parser *p)
{
    if (p->token.kind == SPL_END)
        return 0;
    return spl_fail(p, "%s should end here, but \"%.*s\" follows", p->command->descriptor->name,
                    SLICE_ARG(slice_sub(p->token.text, 0, 40)));
}

void *spl_grow(struct arena *arena, void *items, size_t count, size_t size)
{
    if (count && (count & (count - 1)))
        return items; /* sizes are powers of two */
    return arena_grow(arena, items, count * size, (count ? 2 * count : 1) * size);
}
