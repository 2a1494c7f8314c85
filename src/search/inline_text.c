#include "search/inline_text.h"

#include "search/parser.h"
#include "search/commands/search_text.h"

int inline_take(struct spl_parser *p, struct spl_command *command, bool *found)
{
    struct spl_parser at = *p;
    struct spl_inline **last = &command->inlines;
    size_t from = (size_t)command->start;
    struct err unused; /* what is wrong beside the brackets, the command itself says */
    *found = false;
    if (slice_find_char(slice_sub(p->text, p->at, p->end - p->at), '[') < 0)
        return 0;
    at.err = &unused;
    while (spl_advance(&at) == 0 && at.token.kind != SPL_END) {
        if (at.token.kind != SPL_SUBSEARCH)
            continue;
        struct spl_inline *one = arena_calloc(p->arena, sizeof(*one));
        if (!one)
            return err_nomem(p->err);
        *one = (struct spl_inline){.text = p->text, .start = at.token.start, .end = at.token.end,
                                    .text_start = from, .text_end = p->end};
        if (spl_parse_part(p, one->start + 1, one->end - 1, PART_SUBSEARCH, &one->query) < 0)
            return -1;
        *last = one;
        last = &one->next;
        *found = true;
    }
    return 0;
}

/* ---- running ---- */

static bool ends_with_text(const struct spl_query *query)
{
    const struct spl_command *last = query->commands;
    while (last->next)
        last = last->next;
    return last->descriptor == &command_return || last->descriptor == &command_format;
}

/* The text of the first row, or SLICE_NONE. */
static struct slice text_of(struct run *run, const struct batch *rows)
{
    for (uint32_t c = 0; rows->row_count && c < rows->column_count; c++) {
        struct value v = column_first(rows->columns[c], 0);
        if (search_text_field(rows->columns[c]->name) && v.type != VALUE_NULL)
            return value_text(v, run->arena);
    }
    return SLICE_NONE;
}

static int format_rows(struct run *run, const struct batch *rows, struct batch **out, struct err *err)
{
    struct slice text = SLICE("format");
    struct spl_query none = {.text = text};
    struct spl_parser p = {.text = text, .arena = run->arena, .err = err, .query = &none};
    const struct spl_query *query;
    if (spl_parse_part(&p, 0, text.len, PART_PIPELINE, &query) < 0)
        return -1;
    return run_pipeline(run, query, rows, out, err);
}

static bool is_expression(const struct spl_command *command)
{
    return command->descriptor == &command_where || command->descriptor == &command_eval;
}

static int run_inline(struct run *run, const struct spl_command *command,
                      const struct spl_inline *one, struct slice *out, struct err *err)
{
    struct batch *rows;
    if (run_subsearch(run, one->query, &rows, err) < 0)
        return -1;
    *out = text_of(run, rows);
    if (!out->len && rows->row_count && !ends_with_text(one->query)) {
        if (format_rows(run, rows, &rows, err) < 0)
            return -1;
        *out = text_of(run, rows);
    }
    if (out->len)
        return 0;
    if (run->options->plan_only)
        *out = is_expression(command) ? SLICE("null()") : SLICE("1");
    else if (is_expression(command))
        *out = SLICE("null()");
    else
        return err_set_at(err, ERR_CONFIG, (int)one->start, (int)one->end,
                          "the subsearch found nothing, and %s needs its text",
                          command->descriptor->name);
    if (!run->options->plan_only)
        run_message(run, "subsearch-empty", NULL, false,
                    "a subsearch of %s found nothing and counts as null()", command->descriptor->name);
    return 0;
}

/* The command's text with what the subsearches gave. */
static int put_text(struct run *run, const struct spl_command *command, struct buffer *to,
                    struct err *err)
{
    struct slice query = command->inlines->text;
    size_t at = command->inlines->text_start;
    for (const struct spl_inline *one = command->inlines; one; one = one->next) {
        struct slice text;
        if (run_inline(run, command, one, &text, err) < 0)
            return -1;
        buffer_put(to, slice_sub(query, at, one->start - at));
        buffer_put(to, text);
        at = one->end;
    }
    buffer_put(to, slice_sub(query, at, command->inlines->text_end - at));
    return buffer_failed(to) ? run_nomem(run, err) : 0;
}

static int parse_text(struct run *run, const struct spl_command *command, struct slice text,
                      const struct spl_command **out, struct err *err)
{
    bool first = command->descriptor->flags & COMMAND_GENERATES;
    struct spl_query none = {.text = text};
    struct spl_parser p = {.text = text, .arena = run->arena, .err = err, .query = &none};
    const struct spl_query *query;
    int result = spl_parse_part(&p, 0, text.len, first ? PART_SEARCH : PART_PIPELINE, &query);
    if (result == 0 && (query->commands->next || query->commands->inlines))
        result = err_set(err, ERR_CONFIG, "it would be more than one command");
    if (result < 0) {
        err->start = command->start;
        err->end = command->end;
        return err_within(err, "with the text that a subsearch gave (%.*s)",
                          SLICE_ARG(slice_sub(text, 0, 120)));
    }
    struct spl_command *made = arena_calloc(run->arena, sizeof(*made));
    if (!made)
        return run_nomem(run, err);
    *made = *query->commands;
    made->start = command->start;
    made->end = command->end;
    made->next = command->next;
    *out = made;
    return 0;
}

int inline_replace(struct run *run, const struct spl_command *command,
                   const struct spl_command **out, struct err *err)
{
    struct buffer text;
    *out = command;
    if (!command->inlines)
        return 0;
    buffer_init(&text, MEMORY_QUERY_MAX);
    if (command->descriptor->flags & COMMAND_GENERATES)
        buffer_put_text(&text, "| ");
    int result = put_text(run, command, &text, err);
    char *kept = result == 0 ? arena_string(run->arena, buffer_slice(&text)) : NULL;
    size_t len = text.len;
    buffer_close(&text);
    if (result == 0 && !kept)
        result = run_nomem(run, err);
    return result == 0 ? parse_text(run, command, slice_of(kept, len), out, err) : -1;
}

int query_replace_inlines(struct run *run, const struct spl_query *query,
                          const struct spl_query **out, struct err *err)
{
    bool some = false;
    *out = query;
    for (const struct spl_command *c = query->commands; c; c = c->next)
        some |= c->inlines != NULL;
    if (!some)
        return 0;
    struct spl_query *made = arena_alloc(run->arena, sizeof(*made));
    struct spl_command **last = made ? &made->commands : NULL;
    if (!made)
        return run_nomem(run, err);
    *made = *query;
    for (const struct spl_command *c = query->commands; c; c = c->next) {
        const struct spl_command *one;
        struct spl_command *copy = arena_alloc(run->arena, sizeof(*copy));
        if (!copy)
            return run_nomem(run, err);
        if (inline_replace(run, c, &one, err) < 0)
            return -1;
        *copy = *one;
        *last = copy;
        last = &copy->next;
    }
    *last = NULL;
    *out = made;
    return 0;
}
