/* rest: rows of our own API. */
#include "search/commands/server_needed.h"
#include "search/rows.h"
#include "search/table_source.h"

#include "cut/json_tree.h"

struct rest_args {
    struct slice path; /* with what follows a ? */
    int64_t count, timeout;
    bool strict;
    struct slice server, group;
};

#define AT(f) offsetof(struct rest_args, f)
static const struct command_option options[] = {
    {.name = "count", OPTION_I64, AT(count), "rows at most; 0: all", .standard = "0"},
    {.name = "timeout", OPTION_I64, AT(timeout), "accepted: the answer comes from this server"},
    {.name = "splunk_server", OPTION_TEXT, AT(server), "accepted: only this server is asked"},
    {.name = "splunk_server_group", OPTION_TEXT, AT(group), "accepted"},
    {.name = "strict", OPTION_BOOL, AT(strict), "accepted: a refused request always fails"},
};

static void put_encoded(struct buffer *to, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '-';
        if (plain)
            buffer_put_char(to, (char)c);
        else
            buffer_printf(to, "%%%02X", c);
    }
}

/* name=value that is no option of ours is a parameter of the request. */
static int take_parameter(struct spl_parser *p, struct buffer *path)
{
    struct slice name = p->token.text, value;
    if (spl_advance(p) < 0 || spl_take_value(p, &value) < 0)
        return -1;
    buffer_put_char(path, slice_find_char(buffer_slice(path), '?') < 0 ? '?' : '&');
    put_encoded(path, name);
    buffer_put_char(path, '=');
    put_encoded(path, value);
    return 0;
}

static int take_all(struct spl_parser *p, struct rest_args *args, struct buffer *path)
{
    while (p->token.kind != SPL_END) {
        bool taken = false;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (taken)
            continue;
        if (spl_at_option(p)) {
            if (take_parameter(p, path) < 0)
                return -1;
        } else if (path->len || !spl_is_field(p)) {
            return spl_expect_end(p);
        } else {
            buffer_put(path, p->token.text);
            if (spl_advance(p) < 0)
                return -1;
        }
    }
    return 0;
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct rest_args *args = command_args(p, command, sizeof(*args));
    struct buffer path;
    if (!args)
        return -1;
    buffer_init(&path, QUERY_BYTES_MAX);
    int result = take_all(p, args, &path);
    args->path = arena_copy(p->arena, buffer_slice(&path));
    bool failed = buffer_failed(&path) || !args->path.ptr;
    buffer_close(&path);
    if (result == 0 && failed)
        return err_nomem(p->err);
    if (result == 0 && (args->path.len == 0 || args->path.ptr[0] != '/'))
        return err_set_at(p->err, ERR_CONFIG, command->start, command->end,
                          "rest needs the path of an API, such as /v1/sources");
    return result;
}

/* A list's members, or the answer itself as one row. Lists stand first: {"sources": [...], ...}. */
static struct slice rows_of(const struct json_node *answer)
{
    const struct json_node *first = answer->kind == JSON_OBJECT ? answer->first : NULL;
    bool lists = first && first->kind == JSON_ARRAY &&
                 (!first->first || first->first->kind == JSON_OBJECT);
    return lists ? first->text : answer->text;
}

static int finish(struct stage *op, struct err *err)
{
    const struct rest_args *args = op->command->args;
    struct arena *arena = op->run->arena;
    const struct search_server *server;
    const struct json_node *answer;
    struct slice json;
    if (server_needed(op->run, op->command, &server, err) < 0)
        return -1;
    if (!server)
        return 0;
    struct batch *raw = frame_batch_new(arena, 0), *rows = frame_batch_new(arena, 0);
    if (!raw || !rows)
        return run_nomem(op->run, err);
    if (server->get(server->context, args->path, arena, &json, err) < 0 ||
        json_tree_parse(json, arena, &answer, err) < 0 ||
        table_read(SLICE(".json"), rows_of(answer), raw, err) < 0)
        return err && err->code == ERR_NOMEM ? run_nomem(op->run, err) : -1;
    if (table_adopt(raw, rows) < 0)
        return run_nomem(op->run, err);
    uint32_t count = rows->row_count;
    if (args->count && args->count < count)
        count = (uint32_t)args->count;
    return stage_emit(op, rows, NULL, count, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    return server_make(run, command, op, finish, err);
}

const struct command command_rest = {
    .name = "rest",
    .summary = "rows of the server's own API: rest /v1/sources",
    .syntax = "rest PATH [options] [PARAMETER=VALUE ...]",
    .notes = "Runs in a server, with the rights of who searches; only GET, and only the paths of docs/api.md.\n"
             "A list gives a row for each member, and what stands beside the list is left out; any other answer gives one row. "
             "Members of members are called a.b.\n"
             "What is no option becomes a parameter of the request: rest /v1/audit action=token limit=20.",
    .flags = COMMAND_GENERATES | COMMAND_FREE_OPTIONS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
};
