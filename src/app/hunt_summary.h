#pragma once
/*
 * app/hunt_summary: what a hunt found, counted: by severity, by ATT&CK tactic, the rules and machines
 * with the most, for the end of hinomi detect and for hinomi rules backtest.
 *
 * Threads  One. Limits  HUNT_HOSTS_MAX machines are told apart; events of others are counted together.
 */
#include "app/hunt_output.h"
#include "base/map.h"

enum { HUNT_HOSTS_MAX = 100 * 1000, HUNT_TOP = 10 };

struct hunt_summary {
    const struct rule_set *rules;
    struct arena *arena;
    uint64_t *by_rule; /* findings, by index in the set */
    struct map hosts;  /* name to struct hunt_host_count */
    uint64_t findings, other_hosts;
    int64_t first_ns, last_ns; /* of the findings */
};

MUST_USE int hunt_summary_init(struct hunt_summary *summary, const struct rule_set *rules,
                               struct err *err);
void hunt_summary_close(struct hunt_summary *summary);
MUST_USE int hunt_summary_add(struct hunt_summary *summary, const struct finding *finding,
                              const struct rule *rule, const struct hunt_place *place, struct err *err);
/* Lines of text, to be read by people. */
void hunt_summary_print(const struct hunt_summary *summary, struct buffer *to);
