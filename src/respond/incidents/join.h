#pragma once
/*
 * respond/incidents/join: which incident a finding belongs to, and what it changes there.
 *
 * Values link (links.h), unless they are met everywhere (hubs.h). A finding joins the oldest incident that is not closed,
 * shares a link and has events within the window: window_ns for machines and addresses, JOIN_LONG times as long for what
 * few ever touch. Others that it links are merged into that one. Without one, medium and above open a new one; smaller
 * ones are kept, and come in when an incident with one of their links opens or grows. What people keep quiet
 * (exceptions.h) is kept and counted.
 */
#include "respond/incidents/exceptions.h"
#include "respond/incidents/hubs.h"
#include "respond/incidents/incident.h"
#include "respond/notify/outbox.h"
#include "respond/wake/wake.h"
#include "respond/respond.h"

enum { JOIN_LONG = 30, JOIN_FOUND_MAX = 60, JOIN_CHANGED_MAX = 3 * (JOIN_FOUND_MAX + 1) };

struct join_memory { /* used inside transactions only: the database's lock guards it */
    struct hubs hubs;
    struct assets *assets; /* NULL: none */
    struct arena *arena;   /* of the list */
    struct exception_list exceptions;
    bool exceptions_stale; /* read them again */
    bool unfinished;       /* smaller findings of before are still to come in */
    uint32_t loose;        /* kept since the last look at how many there are */
};

struct join {
    struct database *database;
    struct outbox *outbox;
    struct wake *wake;
    int64_t window_ns;
    struct arena *arena; /* of one finding */
    struct join_memory *memory;
};

struct join_result {
    int64_t changed[JOIN_CHANGED_MAX]; /* incidents that opened, grew or were closed; what takes over comes first */
    size_t changed_count;
};

MUST_USE int join_memory_init(struct join_memory *memory, struct database *database, struct err *err);
void join_memory_close(struct join_memory *memory);

/* Inside a transaction. A finding that is known changes nothing. */
MUST_USE int join_finding(struct join *join, const struct finding *finding,
                          const struct respond_texts *texts, int64_t now, struct join_result *result,
                          struct err *err);
