/* map: runs a search for each row, with $field$ replaced by the row's values. */
#include "search/hold.h"
#include "search/parser.h"
#include "search/rows.h"
#include "search/commands/search_text.h"

enum { MAP_SEARCHES = 10 };

struct map_args {
    struct slice search, saved;
    int64_t searches;
};

static const struct command_option options[] = {
    {.name = "search", OPTION_TEXT, offsetof(struct map_args, search), "the search, with $field$ in it"},
    {.name = "maxsearches", OPTION_I64, offsetof(struct map_args, searches),
     "rows for which it runs (10); more make a message"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct map_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->searches = MAP_SEARCHES;
    while (p->token.kind != SPL_END) {
        bool taken;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (taken)
            continue;
        if (args->search.ptr || args->saved.ptr)
            return spl_expect_end(p);
        *(p->token.kind == SPL_SUBSEARCH ? &args->search : &args->saved) = p->token.text;
        if (spl_advance(p) < 0)
            return -1;
    }
    if (args->searches < 1)
        return spl_fail(p, "maxsearches is at least 1");
    if (!args->search.ptr && !args->saved.ptr)
        return spl_fail(p, "map needs a search: map search=\"search user=$user$\"");
    return 0;
}

/* Which fields the searches read is known when they have been made. */
static void want(const struct spl_command *command, struct wanted *wanted)
{
    (void)command;
    wanted->all = true;
}

static bool is_word(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     c == '_' || c == '-' || c == '.' || c == ':' || c == '/' || c == '@' ||
                     (unsigned char)c >= 0x80;
        if (!plain)
            return false;
    }
    return text.len > 0;
}

/* Data must stay data: inside of quotes it is escaped, outside it is quoted unless it is a word. */
static void put_value(struct buffer *to, struct slice value, bool quoted)
{
    size_t before = to->len;
    if (!quoted && is_word(value)) {
        buffer_put(to, value);
        return;
    }
    search_text_quote(to, value);
    if (quoted && !buffer_failed(to)) { /* the quotes are there already */
        memmove(to->ptr + before, to->ptr + before + 1, to->len - before - 1);
        to->len -= 2;
    }
}

/* $name$ at the start of text. */
static bool is_mark(struct slice text, struct slice *name)
{
    if (!text.len || text.ptr[0] != '$')
        return false;
    ptrdiff_t close = slice_find_char(slice_from(text, 1), '$');
    if (close < 0)
        return false;
    *name = slice_sub(text, 1, (size_t)close);
    for (size_t i = 0; i < name->len; i++)
        if (name->ptr[i] == ' ' || name->ptr[i] == '|' || name->ptr[i] == '"')
            return false;
    return true;
}

/* The search of one row; false with *missing where the row lacks a field of it. */
static bool fill(struct stage *op, const struct batch *batch, uint32_t row, uint32_t serial,
                 struct buffer *to, struct slice *missing)
{
    const struct map_args *args = op->command->args;
    struct slice body = args->search, name;
    bool quoted = false;
    while (body.len) {
        if (!is_mark(body, &name)) {
            bool escape = body.ptr[0] == '\\' && body.len > 1;
            quoted ^= body.ptr[0] == '"';
            buffer_put(to, slice_sub(body, 0, escape ? 2 : 1));
            body = slice_from(body, escape ? 2 : 1);
            continue;
        }
        body = slice_from(body, name.len + 2);
        if (name.len == 0) { /* $$ is a $ */
            buffer_put_char(to, '$');
        } else if (slice_is(name, "_serial_id")) {
            buffer_put_u64(to, serial);
        } else {
            struct value v = batch_first(batch, row, spl_field_alias(name));
            struct slice text = rows_text(v, op->run->arena);
            *missing = name;
            if (!text.ptr)
                return false;
            put_value(to, text, quoted);
        }
    }
    return true;
}

static int run_row(struct stage *op, struct slice text, struct err *err)
{
    struct spl_query *query;
    struct batch *rows;
    struct slice copy = arena_copy(op->run->arena, text);
    if (!copy.ptr)
        return run_nomem(op->run, err);
    if (spl_parse(copy, op->run->arena, &query, err) < 0 ||
        run_subsearch(op->run, query, &rows, err) < 0) {
        if (err) /* positions are those of the inner search */
            err->start = err->end = -1;
        return err_within(err, "map, in the search \"%.*s\"", SLICE_ARG(slice_sub(copy, 0, 200)));
    }
    return stage_emit(op, rows, NULL, rows->row_count, err);
}

static int finish(struct stage *op, struct err *err)
{
    const struct map_args *args = op->command->args;
    const struct batch *batch = ((struct hold *)op->state)->rows.batch;
    uint32_t count = batch ? batch->row_count : 0, ran = 0;
    int result = 0;
    for (uint32_t row = 0; row < count && ran < args->searches && result == 0; row++, ran++) {
        struct slice missing;
        struct buffer text;
        buffer_init(&text, QUERY_BYTES_MAX);
        if (!fill(op, batch, row, row, &text, &missing))
            run_message(op->run, "map-field", op->command, true,
                        "map did not run for rows without the field %.*s", SLICE_ARG(missing));
        else if (buffer_failed(&text))
            result = err_set(err, ERR_LIMIT, "map made a search longer than %d bytes",
                             QUERY_BYTES_MAX);
        else
            result = run_row(op, buffer_slice(&text), err);
        buffer_close(&text);
    }
    if (result == 0 && count > ran)
        run_message(op->run, "map-limit", op->command, true,
                    "map ran for %u of %u rows; maxsearches=%u runs it for all", ran, count, count);
    return result;
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct map_args *args = command->args;
    if (args->saved.ptr)
        return err_set(err, ERR_CONFIG,
                       "map runs a search that is written out, map search=\"...\" or map [...]; "
                       "it cannot run the saved search %.*s",
                       SLICE_ARG(args->saved));
    return stage_hold(run, op, 0, finish, err);
}

const struct command command_map = {
    .name = "map",
    .syntax = "map search=\"SEARCH\" | [SEARCH] [maxsearches=N]",
    .summary = "a search for each row: map maxsearches=20 search=\"search user=$user$\"",
    .flags = COMMAND_TRANSFORMS | COMMAND_HOLDS | COMMAND_BRACKETS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
