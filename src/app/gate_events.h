#pragma once
/*
 * app/gate_events: what the gate does becomes events of the stream `gate` (dataset hinomi.gate), and goes to the timelines of
 * incidents. docs/gate.md names the fields. Decisions are told by app/gate_teller, from the gate's journal.
 *
 * Threads  approved, stopped: the gate's, which must not wait; policy, reported: any. The context is the struct service.
 */
#include "base/json.h"
#include "gate/gate.h"
#include "gate/gate_book.h"
#include "gate/gate_journal_frame.h"
#include "serve/gate_socket.h"

/* Lines being written, one an event. */
struct gate_event_lines {
    struct buffer bytes;
    struct json json;
    int64_t time_ns; /* of the last one */
    uint32_t count;
    size_t begun; /* of the last line */
    const char *action;
};
void gate_event_lines_init(struct gate_event_lines *lines);

struct service;
/* One more line: a decision and the commit that it stands in; notifiers that want to know are told, too. */
void gate_events_put_decision(struct service *service, struct gate_event_lines *lines, const struct gate_journal_frame *frame,
                              const struct book_decision *decision);
/* Onto timelines, when it held or let go what was held; told twice it stands there once. */
void gate_events_note_decision(struct service *service, const struct book_decision *decision);
void gate_events_approved(void *context, const struct gate_request *request,
                          const struct gate_approval *approval);
void gate_events_stopped(void *context, const struct gate_stop *stop, struct slice person);
/* After a start: what notifiers may not have been told of before it. */
void gate_events_tell_again(void *context);
void gate_events_policy(void *context, const struct gate_policy_news *news);
/* What callers decided alone; 0 when it is durable. The same report again is stored once. */
MUST_USE int gate_events_reported(void *context, const struct gate_report *reports, size_t count, struct err *err);
