#pragma once
/*
 * respond/act/act: what is done about an incident, with a way back (docs/actions.md).
 *
 * A request makes an order; each of its entities is a deed, a row in SQLite:
 *
 *   waiting ── approved ──> pending ──> doing ── taken ──> done ── undo, expiry ──> undo ──> undoing ──> undone
 *      └ nobody, undo ─> cancelled  ^     └─ again ─┘ └─ refused, given up ──> failed (by way of undo, when it may have
 *                                   └──────┘                                          been done)
 *
 * "doing" is written before anything is sent and "done" after the answer, so a deed is done at least once under one
 * idempotency key, and whatever may have been sent is undone on demand. An undo is tried until it works.
 *
 * Threads  One for each action, so that a dead firewall delays no other; the functions here from any thread.
 * Limits   ACTIONS_MAX, and the caps of each action: how many entities it may be in effect on, and how many in an hour.
 */
#include "base/clock.h"
#include "base/json.h"
#include "base/rand.h"
#include "event/finding.h"
#include "respond/act/act_settings.h"
#include "state/database.h"

struct act;
struct hin_net;
struct playbooks;

struct act_config {
    struct database *database;
    const struct hin_clock *clock;
    const struct hin_rand *rand; /* NULL: the real ones */
    const struct hin_net *net;
    const struct act_settings *actions; /* borrowed */
    size_t count;
    const struct playbooks *playbooks; /* borrowed; NULL: none */
    void (*note)(void *context, const char *text); /* what people should see; may be NULL */
    void *context;
};

/* What was begun goes on. */
MUST_USE int act_start(const struct act_config *config, struct act **out, struct err *err);
void act_stop(struct act *act); /* NULL is fine; waits for what is being sent */

/* NULL when there is none of that name. */
const struct act_settings *act_find(const struct act *act, struct slice action);

struct act_request {
    struct slice action;
    struct slice incident; /* "INC-7", or none */
    struct slice by, via;  /* who asks; session, token, playbook, policy */
    struct slice reason;   /* needed */
    struct slice key;      /* idempotency key: the same request again gives the same order; or none */
    int64_t lasts_ns;      /* 0: as the action says; at most as long */
    const struct entity *entities;
    size_t entity_count;
};

/*
 * An order. Entities that the action is in effect on already, and those over the caps, are left out of it and counted.
 * ERR_NOT_FOUND (action, incident), ERR_CONFIG (an entity that it does not take, no reason), ERR_DENIED (one that it is
 * never done to), ERR_LIMIT (not even one fits under the caps), ERR_CONFLICT (all in effect; the key is another order's).
 */
MUST_USE int act_request(struct act *act, const struct act_request *request, int64_t *id, struct err *err);
/* What act_request would do, and exactly what would be sent; changes nothing. */
MUST_USE int act_dry_run(struct act *act, const struct act_request *request, struct json *json, struct err *err);
/* By another person than who asked, once each. ERR_CONFLICT when it does not wait for approvals. */
MUST_USE int act_approve(struct act *act, int64_t id, struct slice person, struct err *err);
/* Cancels what was not begun, undoes the rest. Again: nothing more. */
MUST_USE int act_undo(struct act *act, int64_t id, struct slice person, struct err *err);

enum { ACT_NAME_SIZE = 24 };
void act_name(int64_t id, char to[ACT_NAME_SIZE]); /* "ACT-7" */
/* ERR_NOT_FOUND when it is no order's. */
MUST_USE int act_parse_name(struct slice name, int64_t *id, struct err *err);
/* Which action an order is of, into the arena. */
MUST_USE int act_action_of(struct act *act, int64_t id, struct arena *arena, struct slice *action, struct err *err);

/* How an order stands, by its deeds. */
struct act_state {
    struct slice state; /* waiting, working, done, failed, cancelled, undoing, undone */
    int64_t deeds, done, failed, undone, cancelled, stuck; /* stuck: could not be undone yet */
};
MUST_USE int act_state(struct act *act, int64_t id, struct arena *arena, struct act_state *out, struct err *err);

/* {actions: [...], orders: [...]}: newest first; of one incident when that is given. */
MUST_USE int act_list_json(struct act *act, struct slice incident, int64_t limit, struct json *json, struct err *err);
MUST_USE int act_order_json(struct act *act, int64_t id, struct json *json, struct err *err);
/* The lines of a block list. ERR_NOT_FOUND. */
MUST_USE int act_block_list(struct act *act, struct slice name, struct buffer *to, struct err *err);

struct act_stats {
    uint64_t waiting, working, in_effect, stuck;
};
struct act_stats act_stats(struct act *act);
