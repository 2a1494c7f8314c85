#pragma once
/*
 * flow/rulebook: the rules that run, with the state tables they need: one version of both, held by
 * whoever uses it, so that a new version can take its place while the old one is still looked at.
 *
 * Ownership  rulebook_load() gives one hold; the last rulebook_release() frees everything.
 * Threads    Read-only once loaded; hold and release from any thread.
 */
#include "detect/rule.h"
#include "table/state.h"

#include <stdatomic.h>

struct rulebook {
    struct rule_set *rules;
    const struct state_definitions *state;
    struct arena *arena; /* of state */
    atomic_uint holders;
};

struct rulebook_sources {
    const char *rules;      /* a folder or file */
    const char *more_rules; /* another, which need not be there; NULL: none */
    const char *tuning;     /* a file that need not be there (detect/tuning.h); NULL: none */
    const char *logsources; /* folder of the mappings */
    const char *state;      /* folder of the state tables */
    const char *calendars;    /* folder of the calendars, likewise */
    const char *placeholders; /* folder of placeholder values, which need not be there */
    const char *lookups;      /* folder of lookups for placeholders; NULL: none */
    bool ignore_logsource;
};

/* Changes when a lookup does that placeholders of these rules stand for. */
uint64_t rulebook_lookups_stamp(const struct rulebook *book);
MUST_USE int rulebook_load(const struct rulebook_sources *sources, struct rulebook **out, struct err *err);
struct rulebook *rulebook_hold(struct rulebook *book); /* returns it */
void rulebook_release(struct rulebook *book);          /* NULL is fine */
