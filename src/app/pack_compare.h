#pragma once
/*
 * app/pack_compare: what differs between two versions of a pack of rules, rule by rule (by id; by title where
 * there is none).
 *
 * Ownership  Texts live in the arena. Threads  One.
 */
#include "base/buffer.h"
#include "base/map.h"

struct pack_rules {
    struct arena *arena;
    struct map by_id; /* to struct pack_rule */
};

/* The rules of all documents below the folder; one that is not there has none. What is no YAML is left out
 * (rules check says why). */
MUST_USE int pack_rules_read(const char *folder, struct arena *arena, struct pack_rules *out, struct err *err);

struct pack_difference {
    size_t added, changed, removed, same;
};

/* One line each of what was added, changed (and in what) and removed; of additions only their number when
 * before has no rules. */
MUST_USE int pack_compare(const struct pack_rules *before, const struct pack_rules *after,
                          struct pack_difference *out, struct buffer *to, struct err *err);
bool pack_has(const struct pack_rules *rules, struct slice id);
