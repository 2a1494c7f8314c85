#pragma once
/*
 * detect/placeholders: what %name% in a value with the modifier "expand" stands for. YAML, in
 * content/placeholders/ or in a file placeholders.yaml beside the rules:
 *
 *   Administrators: [alice, adm_*]
 *   DomainControllers: dc1
 *   Leavers: {lookup: leavers.csv, column: user}      what a column of a lookup has, below the folder of lookups
 *
 * A name that stands in several files has the values of all of them. Values are texts as in rules,
 * wildcards included.
 *
 * Ownership  Lives in the arena, as do the values.
 * Source     Sigma specification 2.1, "Placeholders".
 */
#include "cut/yaml.h"

struct placeholders;

/* lookups: a folder, which need not be there; NULL: none. NULL when memory is out. */
MUST_USE struct placeholders *placeholders_new(struct arena *arena, const char *lookups);
/* Changes when one of the lookups does that placeholders stand for; 0: there are none. */
uint64_t placeholders_stamp(const struct placeholders *placeholders);
/* Every .yaml below a folder, which may be missing; one file. */
MUST_USE int placeholders_load(struct placeholders *placeholders, const char *folder, struct err *err);
MUST_USE int placeholders_read(struct placeholders *placeholders, const char *path, struct err *err);

/* The texts that a value stands for: every %name% replaced by each of its values. 0 when one has none
 * (*missing is its name), when there are more than PLACEHOLDER_TEXTS_MAX (*missing is empty) or memory is out
 * (*missing is none). */
size_t placeholders_expand(const struct placeholders *placeholders, struct slice value, struct arena *arena,
                           const struct slice **out, struct slice *missing);
