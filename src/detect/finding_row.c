#include "detect/finding_row.h"

#include "event/schema.h"

#include <stdio.h>

static void look_for_catalogue(void *context, struct slice column)
{
    bool *found = context;
    *found |= slice_is(column, "hinomi.catalogue");
}

bool finding_rows_wanted(const struct state_definitions *definitions)
{
    bool found = false, all = false;
    state_columns(definitions, look_for_catalogue, &found, &all);
    return found;
}

static int put(struct batch *batch, uint32_t row, const char *name, struct slice text)
{
    if (!text.len)
        return 0;
    struct slice copy = arena_copy(batch->arena, text);
    return copy.ptr ? batch_put_text(batch, row, name, copy) : -1;
}

static int put_named(struct batch *batch, uint32_t row, const char *prefix, const struct entity *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char name[FIELD_NAME_MAX];
        (void)snprintf(name, sizeof(name), "%s%.*s", prefix, SLICE_ARG(list[i].type));
        if (put(batch, row, name, list[i].value) < 0)
            return -1;
    }
    return 0;
}

int finding_row_add(struct batch *batch, const struct finding *finding)
{
    struct event_row *event = batch_add_row(batch);
    uint32_t row = batch->row_count - 1;
    if (!event)
        return -1;
    event->time_ns = finding->raised_ns;
    const char *action = finding->retracts.ptr  ? "finding-retracted"
                         : finding->follows.ptr ? "finding-continued"
                                                : "finding-raised";
    if (put(batch, row, "event.dataset", SLICE("hinomi.finding")) < 0 || put(batch, row, "event.kind", SLICE("alert")) < 0 ||
        put(batch, row, "event.action", slice_text(action)) < 0 ||
        put(batch, row, "event.id", slice_of(finding->id, 32)) < 0 || put(batch, row, "rule.id", finding->rule_id) < 0 ||
        put(batch, row, "rule.name", finding->title) < 0 || put(batch, row, "hinomi.catalogue", finding->catalogue) < 0 ||
        put(batch, row, "hinomi.severity", slice_text(severity_name(finding->severity))) < 0)
        return -1;
    return put_named(batch, row, "hinomi.entity.", finding->entities, finding->entity_count) < 0
               ? -1
               : put_named(batch, row, "hinomi.group.", finding->groups, finding->group_count);
}
