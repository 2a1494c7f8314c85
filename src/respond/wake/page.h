#pragma once
/*
 * respond/wake/page: somebody is to wake up for an incident, and answer. Rows in SQLite and a function that brings them
 * on; no thread of its own, so that a simulated year goes through the same code.
 *
 *   put ─> running ── a person answers ──> answered
 *            │   └── the incident closed, or went into another that is being paged ──> ended
 *            └ step after step, round after round, as the policy says
 *
 * A step wakes each of its people by their first contact (or by those the step names, at once). A contact whose message
 * was not taken after PAGE_FAILOVER_MS, or failed before, is followed by the person's next one. When none of the people
 * of a step was reached, the next step comes at once. Steps that are overdue (the program was not running) come at once,
 * each contact once.
 *
 * What is decided is written together with the messages that it owes (notify/outbox.h), so neither exists without the
 * other, and each message has one key for good.
 *
 * Threads  page_run() from one; the others from any, inside a transaction.
 */
#include "respond/incidents/incident.h"
#include "respond/notify/outbox.h"
#include "respond/wake/roster.h"

enum { PAGE_FAILOVER_MS = 8000, PAGE_LATE_S = 60, PAGE_TOKEN_SIZE = 27 };

struct pager {
    struct database *database;
    struct outbox *outbox;
    const struct pace *pace;
    const struct respond_config *config; /* link, rand, notifiers, callbacks */
    struct arena *arena;                 /* of one page_run() */
    int64_t budget_looked_mono;          /* budget_run()'s own */
};

struct page_cause {
    struct slice kind; /* "page", "drill", "test" */
    struct slice rule; /* of the finding that made it so grave */
    struct slice person; /* of a test: whom; else none */
};

/* The incident opened or became graver: a page runs for it from now on, if the plan says so and none runs already. One
 * that waits for the end of quiet hours begins now when it has become critical. plan NULL: nobody can be woken. */
MUST_USE int page_put(struct pager *pager, const struct plan *plan, const struct incident *incident,
                      const struct page_cause *cause, struct arena *arena, struct err *err);
/* A person took it: pages of the incident are answered, nothing more is sent. how: "console", "link", "mail", "voice". */
MUST_USE int page_answer(struct pager *pager, int64_t incident, struct slice person, const char *how, struct err *err);
MUST_USE int page_end(struct pager *pager, int64_t incident, const char *why, struct err *err);
/* The incident went into another one, and its running page with it. */
MUST_USE int page_move(struct pager *pager, int64_t from, int64_t into, struct err *err);
/* For the outbox: what became of a message. */
MUST_USE int page_told(struct pager *pager, int64_t waking, struct slice receipt, struct slice failed, struct err *err);

/* Who may answer with this token, for which incident: 1, or 0 when there is no such token. Texts in the arena. */
struct page_answerer {
    int64_t waking, page, incident;
    struct slice person, notifier;
    bool open; /* the page still runs */
};
MUST_USE int page_find_token(struct database *database, struct slice token, struct arena *arena,
                             struct page_answerer *out, struct err *err);

/* Brings all pages on; transactions of its own. *next_pace: when to come again, INT64_MAX when nothing waits. */
MUST_USE int page_run(struct pager *pager, const struct plan *plan, int64_t *next_pace, struct err *err);
/* The latest pace that was written down, for pace_start(). */
MUST_USE int page_latest_pace(struct database *database, int64_t *out, struct err *err);
