#pragma once
/*
 * detect/tuning: what a site decided about rules that others wrote: which are switched off, and levels that
 * differ. Kept apart from the rules, so that a new version of them changes nothing of it. A file of YAML,
 * one entry a rule by its id (or name, where it has none):
 *
 *   "52a85084-...": {enabled: false, reason: "our backup does this nightly", by: alice, at: 2026-03-01T00:00:00Z}
 *   "0ff2f8c1-...": {level: low, reason: "a lab network"}
 *
 * Entries of rules that are not there are kept. Exceptions are Sigma filters beside one's own rules.
 *
 * Ownership  Texts live in the arena that it was read with.
 */
#include "detect/rule.h"

struct tuning_entry {
    struct slice rule;
    bool enabled;
    struct slice level; /* none: the rule's own */
    struct slice reason, by, at;
};

struct tuning {
    struct tuning_entry *entries;
    size_t count;
};

bool tuning_is_level(struct slice text);

/* A file that is not there is an empty tuning. */
MUST_USE int tuning_read(const char *path, struct arena *arena, struct tuning *out, struct err *err);
/* Switched off rules become inactive, and say why. */
void tuning_apply(const struct tuning *tuning, struct rule_set *rules);
/* The file's text. */
void tuning_write(const struct tuning *tuning, struct buffer *to);
