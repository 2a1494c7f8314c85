#include "app/hunt_actions.h"

#include "app/cli.h"
#include "app/listing.h"
#include "app/rules.h"
#include "base/json.h"
#include "base/limits.h"

#include <errno.h>

int hunt_actions_open(struct hunt_actions *actions, const char *path, struct err *err)
{
    *actions = (struct hunt_actions){0};
    buffer_init(&actions->line, MIB);
    actions->arena = arena_new(LISTING_ARENA_MAX);
    if (!actions->arena)
        return err_nomem(err);
    map_init(&actions->held, actions->arena);
    if (path && !(actions->file = fopen(path, "we")))
        return err_set_errno(err, errno, "cannot open %s", path);
    return 0;
}

/* Whether it is held for the first time. -1: memory. */
static int is_new(struct hunt_actions *actions, const struct entity *hold)
{
    struct slice key = arena_printf(actions->arena, "%.*s %.*s", SLICE_ARG(hold->type), SLICE_ARG(hold->value));
    if (!key.ptr || map_has(&actions->held, key))
        return key.ptr ? 0 : -1;
    return map_put(&actions->held, key, actions) < 0 ? -1 : 1;
}

static void write_line(struct hunt_actions *actions, const struct entity *hold, const struct finding *finding,
                       const struct rule *rule)
{
    struct json json;
    bool all = slice_is(hold->type, "all");
    buffer_clear(&actions->line);
    json_init(&json, &actions->line);
    json_open(&json, '{');
    json_put_time(&json, "@timestamp", finding->raised_ns);
    json_key(&json, "hinomi");
    json_open(&json, '{');
    json_put_text(&json, "action", SLICE("hold"));
    json_put_text(&json, "scope", all ? SLICE("global") : hold->type);
    json_put_text(&json, "target", all ? SLICE("all") : hold->value);
    json_put_text(&json, "finding", slice_text(finding->id));
    json_close(&json, '}');
    cli_open_rule(&json, rule);
    json_close(&json, '}');
    json_close(&json, '}');
    buffer_put_char(&actions->line, '\n');
}

static int put_out(struct hunt_actions *actions, struct err *err)
{
    struct slice line = buffer_slice(&actions->line);
    if (buffer_failed(&actions->line))
        return err_nomem(err);
    if (!actions->file)
        return cli_write(line) ? 0 : err_set(err, ERR_CLOSED, "the reader of the output is gone");
    return fwrite(line.ptr, 1, line.len, actions->file) == line.len ? 0
                                                                   : err_set_errno(err, errno, "cannot write the actions");
}

int hunt_actions_put(struct hunt_actions *actions, const struct finding *finding, const struct rule *rule,
                     struct err *err)
{
    for (size_t i = 0; i < finding->hold_count; i++) {
        int fresh = is_new(actions, &finding->holds[i]);
        if (fresh < 0)
            return err_set(err, ERR_LIMIT, "more is held than memory allows to list");
        if (!fresh)
            continue;
        write_line(actions, &finding->holds[i], finding, rule);
        if (put_out(actions, err) < 0)
            return -1;
    }
    return 0;
}

int hunt_actions_close(struct hunt_actions *actions, struct err *err)
{
    int result = actions->file && fclose(actions->file) != 0 ? err_set_errno(err, errno, "cannot write the actions") : 0;
    buffer_close(&actions->line);
    arena_free(actions->arena);
    return result;
}
