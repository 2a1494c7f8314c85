#include "app/waking_events.h"

#include "app/service.h"
#include "base/file.h"
#include "base/limits.h"
#include "state/audit.h"

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

int waking_begin_playbook(void *context, struct slice playbook, struct slice incident_id, struct err *err)
{
    struct service *service = context;
    int64_t run;
    if (!service->act)
        return err_set(err, ERR_IO, "actions have not begun yet");
    return playbook_start(service->act, playbook, incident_id, SLICE("hinomi"), SLICE("waking"), &run, err);
}

static bool record_reply(struct service *service, const struct respond_answered *answered, struct slice from,
                         const struct err *failure)
{
    struct err err;
    const struct audit_row row = {.actor = answered->person.len ? answered->person : SLICE("somebody by mail"),
                                  .via = SLICE("mail"), .peer = from, .action = SLICE("incident.acknowledge"),
                                  .object = answered->incident.len ? answered->incident : SLICE(""), .detail = SLICE(""),
                                  .result = failure ? slice_text(failure->text) : SLICE("ok")};
    if (audit_add(service->database, clock_real(), &row, &err) == 0)
        return true;
    engine_note(NULL, err.text);
    return false;
}

enum mailbox_result waking_reply(void *context, struct slice token, struct slice from)
{
    struct service *service = context;
    struct respond_answered answered;
    struct err err;
    struct arena *arena = arena_new(MIB);
    if (!arena)
        return MAILBOX_LATER;
    int result = respond_answer(service->respond, token, "mail", arena, &answered, &err);
    bool known = result == 0 || err.code == ERR_CONFLICT; /* somebody was first: nothing is left to do */
    bool recorded = record_reply(service, &answered, from, result < 0 ? &err : NULL);
    bool unknown = result < 0 && err.code == ERR_NOT_FOUND;
    arena_free(arena);
    return unknown ? MAILBOX_NOT_OURS : known && recorded ? MAILBOX_TAKEN : MAILBOX_LATER;
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
