#include "search/commands/server_needed.h"

#include "search/rows.h"

int server_needed(const struct run *run, const struct spl_command *command,
                  const struct search_server **out, struct err *err)
{
    const struct search_backend *backend = run->options->backend;
    *out = backend ? backend->server : NULL;
    if (*out || !run_has_place(run))
        return 0;
    return err_set_at(err, ERR_CONFIG, command->start, command->end,
                      "%s asks a running server: run this search in its console or over its API "
                      "(POST /v1/search), not here", command->descriptor->name);
}

int server_make(struct run *run, const struct spl_command *command, struct stage *op,
                int (*finish)(struct stage *op, struct err *err), struct err *err)
{
    const struct search_server *server;
    op->push = stage_pass;
    op->finish = finish;
    return server_needed(run, command, &server, err);
}
