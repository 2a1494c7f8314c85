#pragma once
/*
 * serve/whatif: what policies would have answered to a history: its events through the rules and through the gate's own decisions
 * (gate/gate_rehearse), request by request, counted in money, in people who waited and in thefts (docs/gate-whatif.md).
 *
 *   whatif_new ──► whatif_label ... ──► whatif_take a batch, or whatif_walk a store ──► whatif_json, whatif_print
 *
 * Ownership  What the configuration points to outlives it.
 * Threads    One at a time.
 * Limits     Of the gate's and the detector's state; WHATIF_MINUTES_MAX.
 */
#include "base/json.h"
#include "cut/json_tree.h"
#include "expr/expr.h"
#include "flow/history.h"
#include "flow/rulebook.h"

enum { WHATIF_POLICIES_MAX = 2, WHATIF_MINUTES_MAX = 1000000, WHATIF_HOLD_MINUTES = 30, WHATIF_LEARN_DAYS = 30 };

struct whatif;

struct whatif_policy {
    const char *name; /* what errors call it; NULL: there is none */
    struct slice text;
};

struct whatif_config {
    const struct rulebook *book;
    struct whatif_policy policies[WHATIF_POLICIES_MAX]; /* the candidate, and what it is compared with */
    int64_t count_from_ns; /* what is asked earlier is answered and remembered, but not counted */
    int64_t hold_minutes;  /* how long what nobody approved in the history waits */
    int64_t stop_minutes;  /* after which people reopen what was stopped; 0: never */
};

/* ERR_CONFIG names the policy and its line. */
MUST_USE int whatif_new(const struct whatif_config *config, struct whatif **out, struct err *err);
void whatif_free(struct whatif *whatif); /* NULL is fine */

/* {"withdrawal_id": ...}, {"account": ...} or {"address": ...}: that was a theft. Copied. ERR_CONFIG: it names nothing. */
MUST_USE int whatif_label(struct whatif *whatif, const struct json_node *label, struct err *err);

/* Events in order of time. */
MUST_USE int whatif_take(struct whatif *whatif, struct batch *batch, struct err *err);
/* The fields that it reads itself, beside those of rules and state. */
void whatif_fields(expr_field_visit visit, void *context);

struct whatif_walk {
    struct snapshot *snapshot;
    int64_t from_ns, to_ns; /* 0: from the first, to the last */
    int64_t learn_ns;       /* so much before from_ns is read for what the gate and the rules remember */
    const atomic_bool *cancel; /* may be NULL */
    void (*reached)(void *context, int64_t time_ns); /* may be NULL */
    void *context;
};
/* All that is stored of the time; count_from_ns of the configuration is from_ns. ERR_CANCELLED. */
MUST_USE int whatif_walk(struct whatif *whatif, const struct whatif_walk *walk, struct history_stats *stats, struct err *err);

const struct rulebook *whatif_book(const struct whatif *whatif);
uint64_t whatif_events(const struct whatif *whatif); /* that were taken */
/* Members of an object: events, candidate, current. */
void whatif_json(const struct whatif *whatif, struct json *json);
void whatif_print(const struct whatif *whatif, struct buffer *to);
