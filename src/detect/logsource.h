#pragma once
/*
 * detect/logsource: which events a rule's logsource selects, and under which
 * column names its fields are found. Data in content/logsources/ (docs/rules.md):
 *
 *   product: windows
 *   fields:  {EventID: [winlog.event_id]}      names that differ
 *   default: ["winlog.event_data.{}", "{}"]    where any other name is looked for
 *   values:  {Hashes: {"MD5=*": [process.hash.md5]}, Initiated: {"true": {network.direction: [egress]}}}
 *                                              values that are elsewhere, or said in other words
 *   sources:
 *     - {category: process_creation, when: 'winlog.channel = "..." AND ...', rename: {Image: NewProcessName}}
 *
 * Several entries for one category or service mean any of them.
 * Ownership  Lives in the arena; immutable.
 */
#include "expr/expr.h"

struct logsources;

struct logsource_product;

/* One way to be selected. */
struct logsource_variant {
    const struct logsource_product *product;
    const struct expr *when; /* NULL: every event */
    const struct slice (*renames)[2];
    size_t rename_count;
};

MUST_USE int logsources_load(const char *path, struct arena *arena, const struct logsources **out,
                             struct err *err);

/* Variants for a rule's product, category and service (each may be none). Count 0 when no mapping
 * knows them; *why is then a sentence. */
size_t logsources_find(const struct logsources *logsources, struct slice product,
                       struct slice category, struct slice service, struct arena *arena,
                       const struct logsource_variant **out, struct slice *why);

/* The columns in which a rule's field may be, best first; at most LOGSOURCE_COLUMNS_MAX. */
enum { LOGSOURCE_COLUMNS_MAX = 8 };
size_t logsource_columns(const struct logsource_variant *variant, struct slice field,
                         struct arena *arena, struct slice columns[LOGSOURCE_COLUMNS_MAX]);

/* Where else the events have a value of a rule's field, and in which words; at most LOGSOURCE_VALUES_MAX. With rest, it is
 * not in the columns of logsource_columns(). */
enum { LOGSOURCE_VALUES_MAX = 16 };
struct logsource_value {
    struct slice column, text;
    bool rest; /* text is what stood behind a prefix that names the column */
};
size_t logsource_values(const struct logsource_variant *variant, struct slice field, struct slice value,
                        struct logsource_value found[LOGSOURCE_VALUES_MAX]);
