#pragma once
/*
 * respond/incidents/join: which incident a finding belongs to, and what it changes there.
 *
 * It joins the oldest incident that is not closed, shares an entity (type and value) and has events
 * within the window; others that it shares entities with are merged into that one and closed. Without
 * one, medium and above open a new one.
 */
#include "respond/notify/outbox.h"
#include "respond/wake/wake.h"
#include "respond/respond.h"

struct join {
    struct database *database;
    struct outbox *outbox;
    struct wake *wake;
    int64_t window_ns;
    struct arena *arena; /* of one finding */
};

enum { JOIN_CHANGED_MAX = 64 };

struct join_result {
    int64_t changed[JOIN_CHANGED_MAX]; /* incidents that opened, grew or were closed */
    size_t changed_count;
};

/* Inside a transaction. A finding that is known changes nothing. */
MUST_USE int join_finding(struct join *join, const struct finding *finding,
                          const struct respond_texts *texts, int64_t now, struct join_result *result,
                          struct err *err);
