#include "respond/act/action_block_list.h"

#include "base/io.h"
#include "base/limits.h"

extern const struct action_kind action_block_list;

int block_list_write(struct database *database, struct slice name, struct arena *arena, struct buffer *to, struct err *err)
{
    struct query *query;
    int result;
    if (query_begin(database, "SELECT DISTINCT value FROM action_deeds WHERE action=?1 AND (state='done' OR state='doing')"
                    " ORDER BY value", &query, err) < 0)
        return -1;
    query_text(query, 1, name);
    while ((result = query_step(query, err)) == 1) {
        struct arena_mark mark = arena_mark(arena);
        struct slice value = query_get_text(query, 0, arena);
        buffer_put(to, value);
        buffer_put_char(to, '\n');
        to->failed |= !value.ptr;
        arena_rewind(arena, &mark);
    }
    query_end(query);
    if (result < 0)
        return -1;
    return buffer_failed(to) ? err_nomem(err) : 0;
}

static int check(const struct act_settings *row, struct err *err)
{
    if (row->file.len && row->file.ptr[0] != '/')
        return err_set(err, ERR_CONFIG, "file is a path that begins with /");
    return 0;
}

/* A line has room for one thing only, and whoever reads the list must not take a part of a value for a comment. */
static int check_entity(const struct entity *entity, struct err *err)
{
    struct ip ip;
    bool plain = entity->value.len > 0;
    for (size_t i = 0; i < entity->value.len; i++)
        plain &= entity->value.ptr[i] > ' ' && entity->value.ptr[i] < 0x7f && !strchr("#;\"'\\,", entity->value.ptr[i]);
    if (plain && (!slice_is(entity->type, "ip") || ip_parse(entity->value, &ip)))
        return 0;
    return err_set(err, ERR_CONFIG, "%.*s is nothing that a line of a block list can have", SLICE_ARG(entity->value));
}

static int tell(const struct act_work *work, struct json *json, struct err *err)
{
    (void)err;
    json_put_text(json, "list", work->settings->name);
    json_put_text(json, work->undo ? "remove" : "add", work->entity.value);
    json_put_text_or_null(json, "file", work->settings->file);
    return 0;
}

/* The deed is in the list, or out of it, by its state. */
static enum action_result run(const struct act_work *work, struct action_answer *answer, struct err *err)
{
    struct buffer text;
    (void)answer;
    if (!work->settings->file.len)
        return ACTION_DONE;
    buffer_init(&text, BLOCK_LIST_BYTES_MAX);
    const char *path = arena_string(work->arena, work->settings->file);
    int result = path ? block_list_write(work->database, work->settings->name, work->arena, &text, err) : err_nomem(err);
    if (result == 0)
        result = io_replace_file(io_real(), path, buffer_slice(&text), err);
    buffer_close(&text);
    return result == 0 ? ACTION_DONE : ACTION_AGAIN;
}

const struct action_kind action_block_list = {
    .name = "block_list",
    .summary = "a line in a file, and at a URL, that firewalls and proxies fetch",
    .check = check,
    .check_entity = check_entity,
    .tell = tell,
    .run = run,
};
