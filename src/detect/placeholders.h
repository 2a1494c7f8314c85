#pragma once
/*
 * detect/placeholders: what %name% in a value with the modifier "expand" stands for. YAML, in
 * content/placeholders/ or in a file placeholders.yaml beside the rules:
 *
 *   Administrators: [alice, adm_*]
 *   DomainControllers: dc1
 *
 * A name that stands in several files has the values of all of them. Values are texts as in rules,
 * wildcards included.
 *
 * Ownership  Lives in the arena, as do the values.
 * Source     Sigma specification 2.1, "Placeholders".
 */
#include "cut/yaml.h"

struct placeholders;

/* NULL when memory is out. */
MUST_USE struct placeholders *placeholders_new(struct arena *arena);
/* Every .yaml below a folder, which may be missing; one file. */
MUST_USE int placeholders_load(struct placeholders *placeholders, const char *folder, struct err *err);
MUST_USE int placeholders_read(struct placeholders *placeholders, const char *path, struct err *err);

/* The texts that a value stands for: every %name% replaced by each of its values. 0 when one has none
 * (*missing is its name), when there are more than PLACEHOLDER_TEXTS_MAX (*missing is empty) or memory is out
 * (*missing is none). */
size_t placeholders_expand(const struct placeholders *placeholders, struct slice value, struct arena *arena,
                           const struct slice **out, struct slice *missing);
