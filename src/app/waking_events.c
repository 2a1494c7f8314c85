#include "app/waking_events.h"

#include "app/service.h"
#include "base/file.h"
#include "base/limits.h"

void waking_events_add(void *context, struct slice json)
{
    struct service *service = context;
    struct delivery delivery = {
        .origin = {.source = SLICE("hinomi.waking"), .stream = SLICE("waking")},
        .received_ns = clock_wall_ns(clock_real()),
        .framing = FRAMING_LINES,
        .event_count = 1,
        .body = json,
    };
    if (journal_append(service->engine.journal, &delivery, NULL, NULL, NULL) < 0)
        engine_note(NULL, "what was done to wake people could not be added to the event stream; the incident's timeline has it");
}

int waking_tighten(void *context, struct slice incident_id, struct err *err)
{
    struct service *service = context;
    return gate_tighten(service->gate, incident_id, err);
}

int waking_read_plan(struct service *service, struct err *err)
{
    struct slice text;
    struct arena *arena = arena_new(4 * PLAN_BYTES_MAX);
    if (!arena)
        return err_nomem(err);
    int result = 0;
    if (service->config.waking)
        result = file_read(service->config.waking, PLAN_BYTES_MAX, arena, &text, err) < 0 ||
                         respond_plan_save(service->respond, text, SLICE("the configuration"), err) < 0
                     ? err_within(err, "waking: %s", service->config.waking)
                     : 0;
    arena_free(arena);
    return result;
}
