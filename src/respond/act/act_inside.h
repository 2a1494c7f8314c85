#pragma once
/* respond/act/act_inside: what the files of respond/act/act.h share. */
#include "base/limits.h"
#include "respond/act/act.h"
#include "respond/act/action.h"
#include "respond/incidents/incident.h"

#include <pthread.h>

#define ACT_ARENA_MAX (64 * MIB)
enum { ACT_STUCK_ATTEMPTS = 3 }; /* undos that fail before it is called stuck */

struct act_worker {
    struct act *act;
    const struct act_settings *settings;
    struct arena *arena; /* of one attempt */
    pthread_t thread;
    bool started;
};

struct act {
    struct act_config config;
    struct act_worker workers[ACTIONS_MAX];
    struct act_worker books; /* goes on with playbooks; has no settings */
    pthread_mutex_t lock; /* of the two below */
    pthread_cond_t woken;
    uint64_t wakes;
    bool stopping;
};

/* An order's row. */
struct act_order {
    int64_t id, incident, asked_ns, lasts_ns, approvals_needed, asked, over_cap, already;
    struct slice action, by, reason, state, told;
};

int64_t act_now(const struct act *act);
void act_wake(struct act *act);
MUST_USE int act_read_order(struct act *act, int64_t id, struct arena *arena, struct act_order *out, struct err *err);
MUST_USE int act_number(struct act *act, const char *sql, int64_t id, struct slice text, int64_t *out, struct err *err);

/* Inside a transaction: on the incident's timeline (where there is one) and in the audit trail. */
struct act_news {
    const char *what; /* action.done ... */
    struct slice en, ja, actor, via;
};
MUST_USE int act_tell(struct act *act, const struct act_order *order, const struct act_news *news, struct err *err);
/* Inside a transaction, after a deed changed: when all deeds of the order have settled in another way than was told last,
 * that is told. */
MUST_USE int act_settle(struct act *act, int64_t order, struct arena *arena, struct err *err);

/* act_json.c: "approvals": [...] of a statement with ?1 for the id that gives person, time and step (NULL: none). */
MUST_USE int act_put_approvals(struct act *act, const char *sql, int64_t id, struct arena *arena, struct json *json,
                               struct err *err);
