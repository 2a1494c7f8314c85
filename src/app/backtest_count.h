#pragma once
/*
 * app/backtest_count: the findings of rules over stored history, counted by rule, day, night and entity,
 * with a few examples; and what two versions of the rules do not have in common.
 *
 * Findings of two versions are the same when rule, group and first evidence are (event/finding.h).
 * Night is 22:00 to 07:00 in the zone.
 *
 * Threads  One. Limits  BACKTEST_ENTITIES_MAX a rule; BACKTEST_FINDINGS_MAX when versions are compared:
 * more are ERR_LIMIT.
 */
#include "base/map.h"
#include "base/zone.h"
#include "detect/rule.h"

enum { BACKTEST_EXAMPLES_MAX = 100, BACKTEST_TOP = 5 };

struct backtest_count {
    const struct rule_set *rules;
    const struct zone *zone;
    struct arena *arena;
    struct backtest_rule *by_rule; /* by index in the set */
    size_t examples_max;
    uint64_t findings;
    bool compares;
    struct map ids; /* finding id to struct backtest_hit, when compares */
    int64_t first_day, last_day; /* days since 1970-01-01 that have findings, in the zone */
};

MUST_USE int backtest_count_init(struct backtest_count *count, const struct rule_set *rules,
                                 const struct zone *zone, size_t examples, bool compares, struct err *err);
void backtest_count_close(struct backtest_count *count);
MUST_USE int backtest_count_add(struct backtest_count *count, const struct finding *finding,
                                const struct rule *rule, struct err *err);

/* Text for people, or a line of JSON a rule. */
void backtest_count_print(const struct backtest_count *count, bool json, struct buffer *to);
/* What only one of them found. */
MUST_USE int backtest_compare(const struct backtest_count *now, const struct backtest_count *other,
                              bool json, struct buffer *to, struct err *err);
