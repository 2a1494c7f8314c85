#include "search/live.h"

#include "search/macro.h"
#include "search/run_inside.h"

static int refuse(const struct spl_command *command, struct err *err, const char *why)
{
    return err_set_at(err, ERR_CONFIG, command->start, command->end,
                      "%s cannot be part of a live search: %s", command->descriptor->name, why);
}

static int check_query(const struct spl_query *query, struct err *err)
{
    const struct spl_command *first = query->commands;
    if (query->has_macros)
        return 0; /* search_new() says which */
    if (!query_has_source(query))
        return refuse(first, err, "it has to begin with the events to wait for, such as index=main");
    if (query->earliest.ptr || query->latest.ptr || query->index_earliest.ptr ||
        query->index_latest.ptr)
        return refuse(first, err, "a live search shows what is stored from now on, so it has no earliest and latest");
    for (const struct spl_part_list *part = query->parts; part; part = part->next) {
        const struct spl_command *within = first, *inside = part->query->commands;
        while (within->next && within->next->start <= inside->start)
            within = within->next;
        return err_set_at(err, ERR_CONFIG, inside->start, inside->end,
                          "a live search has no subsearches, and %s has one; look in a lookup table "
                          "instead", within->descriptor->name);
    }
    return 0;
}

/* Others than those that stream may do so with the right options (fillnull with fields). */
static int check_stages(const struct search *search, struct err *err)
{
    for (size_t i = 0; i < search->pipeline.count; i++) {
        const struct stage *stage = &search->pipeline.stages[i];
        const struct spl_command *command = stage->command;
        bool streams = command->descriptor->flags & COMMAND_STREAMS;
        if (stage->finish)
            return refuse(command, err, "as it stands here it waits for the last row");
        if (!streams && stage->state)
            return refuse(command, err, "what it makes of a row depends on the rows before");
    }
    return 0;
}

int live_search_new(const struct spl_query *query, const struct search_options *options,
                    struct search **out, struct err *err)
{
    *out = NULL;
    if (check_query(query, err) < 0) {
        macro_place(query->expanded, err);
        return -1;
    }
    if (search_new(query, options, out, err) < 0)
        return -1;
    if (check_stages(*out, err) == 0)
        return 0;
    macro_place(query->expanded, err);
    search_free(*out);
    *out = NULL;
    return -1;
}
