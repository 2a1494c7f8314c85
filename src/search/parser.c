#include "search/parser.h"

#include "base/limits.h"
#include "search/inline_text.h"
#include "search/lexer.h"
#include "search/macro.h"

#include <stdio.h>

/* The next | outside of quotes, brackets and macros, or end. -1 with *bad when something is open.
 */
static int find_pipe(struct spl_parser *p, size_t at, size_t end, size_t *out)
{
    size_t opened = at;
    int depth = 0;
    bool quoted = false, macro = false;
    for (; at < end; at++) {
        char c = p->text.ptr[at];
        if (c == '\\' && at + 1 < end && (quoted || p->text.ptr[at + 1] == '"')) {
            at++;
        } else if (c == '"' && !macro) {
            quoted = !quoted;
            opened = quoted && depth == 0 ? at : opened;
        } else if (quoted) {
            continue;
        } else if (c == '`') {
            macro = !macro;
            opened = macro && depth == 0 ? at : opened;
        } else if (macro) {
            continue;
        } else if (c == '[') {
            opened = depth++ == 0 ? at : opened;
        } else if (c == ']') {
            depth -= depth > 0;
        } else if (c == '|' && depth == 0) {
            break;
        }
    }
    *out = at;
    if (!quoted && !macro && depth == 0)
        return 0;
    return err_set_at(p->err, ERR_CONFIG, (int)opened, (int)end, "%s",
                      quoted  ? "a text has no closing \"; add it"
                      : macro ? "a macro has no closing `; add it"
                              : "a subsearch has no closing ]; add it");
}

static size_t skip_blank(struct slice text, size_t at, size_t end)
{
    while (at < end && (text.ptr[at] == ' ' || (text.ptr[at] >= '\t' && text.ptr[at] <= '\r')))
        at++;
    return at;
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
}

static int find_command(struct spl_parser *p, size_t start, size_t end, const struct command **out)
{
    size_t at = start;
    while (at < end && is_name(p->text.ptr[at]))
        at++;
    const char *nearest;
    p->token = (struct spl_token){SPL_WORD, slice_sub(p->text, start, at - start), start,
                                  at > start ? at : end, false};
    if (at == start)
        return spl_fail(p, start == end ? "here a command is missing"
                                        : "here the name of a command is needed");
    *out = command_find(p->token.text, &nearest);
    if (!*out)
        return spl_fail_near(p, nearest, "there is no command");
    p->at = at;
    return 0;
}

static int parse_args(struct spl_parser *p, struct spl_command *command, size_t end)
{
    p->end = end;
    p->command = command;
    p->macros_here = 0;
    bool later = false;
    if (!(command->descriptor->flags & COMMAND_BRACKETS) && inline_take(p, command, &later) < 0)
        return -1;
    if (later)
        return 0;
    int result = spl_advance(p) < 0 ? -1 : command->descriptor->parse(p, command);
    if (result < 0 && p->keep_macros &&
        slice_find_char(slice_sub(p->text, (size_t)command->start, end - (size_t)command->start),
                        '`') >= 0) {
        err_clear(p->err); /* what the macro stands for may be just what is missing */
        p->query->has_macros = true;
        command->args = NULL;
        return 0;
    }
    return result;
}

static struct spl_command *add_command(struct spl_parser *p, struct spl_command **last)
{
    struct spl_command *command = arena_calloc(p->arena, sizeof(*command));
    if (!command)
        return NULL;
    if (*last)
        (*last)->next = command;
    else
        p->query->commands = command;
    *last = command;
    p->query->command_count++;
    return command;
}

/* One command between two pipes; implicit: the query starts without a pipe. */
static int parse_command(struct spl_parser *p, size_t start, size_t end, bool implicit,
                         bool pipeline, struct spl_command **last)
{
    bool first = !*last;
    if (p->query->command_count >= COMMANDS_MAX)
        return err_set_at(p->err, ERR_LIMIT, (int)start, (int)end,
                          "a search has more than %d commands", COMMANDS_MAX);
    struct spl_command *command = add_command(p, last);
    if (!command)
        return err_nomem(p->err);
    command->start = (int)start;
    command->end = (int)end;
    if (start < end && p->text.ptr[start] == '`' && p->keep_macros && !implicit) {
        p->query->has_macros = true;
        return 0;
    }
    const char *unused;
    struct slice word = slice_sub(p->text, start, 6);
    bool named =
        slice_is_nocase(word, "search") && (start + 6 >= end || !is_name(p->text.ptr[start + 6]));
    if (implicit && !named) {
        command->descriptor = command_find(SLICE("search"), &unused);
        p->at = start;
    } else if (find_command(p, start, end, &command->descriptor) < 0) {
        return -1;
    }
    bool generates = command->descriptor->flags & COMMAND_GENERATES;
    bool may_be_inside = slice_is(slice_text(command->descriptor->name), "inputlookup") ||
                         slice_is(slice_text(command->descriptor->name), "search") ||
                         slice_is(slice_text(command->descriptor->name), "tstats") ||
                         slice_is(slice_text(command->descriptor->name), "multisearch") ||
                         slice_is(slice_text(command->descriptor->name), "union");
    if (first && !generates && !pipeline)
        return spl_fail(p, "%s cannot be the first command: it needs rows to work on",
                        command->descriptor->name);
    if (!first && generates && !may_be_inside && !(command->descriptor->flags & COMMAND_STREAMS))
        return spl_fail(p, "%s makes rows and must be the first command",
                        command->descriptor->name);
    return parse_args(p, command, end);
}

/* All subsearches of a query are known, however deep they stand. */
static int add_part(struct spl_parser *p, const struct spl_query *query, enum spl_part part)
{
    if (!p->parts)
        return 0;
    struct spl_part_list *one = arena_calloc(p->arena, sizeof(*one));
    if (!one)
        return err_nomem(p->err);
    *one = (struct spl_part_list){query, part, p->parts->first};
    p->parts->first = one;
    return 0;
}

int spl_parse_part(struct spl_parser *from, size_t start, size_t end, enum spl_part part,
                   const struct spl_query **out)
{
    struct spl_parser p = *from;
    struct spl_query *query = arena_calloc(p.arena, sizeof(*query));
    *out = NULL;
    if (!query)
        return err_nomem(p.err);
    if (++p.depth > SUBSEARCH_DEPTH_MAX)
        return err_set_at(p.err, ERR_LIMIT, (int)start, (int)end,
                          "subsearches are nested deeper than %d", SUBSEARCH_DEPTH_MAX);
    query->text = from->text;
    p.query = query;
    if (part != PART_SEARCH && add_part(&p, query, part) < 0)
        return -1;
    struct spl_command *last = NULL;
    size_t at = skip_blank(p.text, start, end);
    bool piped = at < end && p.text.ptr[at] == '|';
    bool implicit = !piped && part != PART_PIPELINE;
    if (at >= end)
        return err_set_at(p.err, ERR_CONFIG, (int)start, (int)end, "%s is empty",
                          part == PART_SEARCH ? "the search" : "the subsearch");
    at += piped;
    for (bool more = true; more; implicit = false) {
        size_t pipe;
        at = skip_blank(p.text, at, end);
        if (find_pipe(&p, at, end, &pipe) < 0 ||
            parse_command(&p, at, pipe, implicit, part == PART_PIPELINE, &last) < 0)
            return -1;
        more = pipe < end;
        at = pipe + 1;
    }
    if (from->query && query->has_macros && !from->query->has_macros) {
        from->query->has_macros = true;
        from->query->macro = query->macro;
    }
    *out = query;
    return 0;
}

/* ---- the whole ---- */

int spl_parse(struct slice text, struct arena *arena, struct spl_query **out, struct err *err)
{
    static const struct spl_options plain = {0};
    return spl_parse_with(text, arena, &plain, out, err);
}

int spl_parse_with(struct slice text, struct arena *arena, const struct spl_options *options,
                   struct spl_query **out, struct err *err)
{
    *out = NULL;
    if (text.len > QUERY_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "a search is longer than %d bytes", QUERY_BYTES_MAX);
    char *copy = arena_string(arena, text);
    struct macro_text *expanded = arena_calloc(arena, sizeof(*expanded));
    if (!copy || !expanded)
        return err_nomem(err);
    if (macro_blank_comments(copy, text.len, err) < 0)
        return -1;
    expanded->text = slice_of(copy, text.len);
    if (!options->keep_macros && macro_expand(expanded->text, arena, options->knowledge,
                                              options->person, expanded, err) < 0)
        return -1;
    struct spl_parts parts = {0};
    struct spl_parser p = {.text = expanded->text,
                           .arena = arena,
                           .err = err,
                           .parts = &parts,
                           .keep_macros = options->keep_macros};
    const struct spl_query *query;
    if (spl_parse_part(&p, 0, p.text.len, PART_SEARCH, &query) < 0) {
        macro_place(expanded, err);
        return -1;
    }
    *out = (struct spl_query *)(uintptr_t)query; /* just made here */
    (*out)->expanded = expanded;
    (*out)->parts = parts.first;
    return 0;
}
