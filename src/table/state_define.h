#pragma once
/* table/state_define: the parsed form of content/state; for table/state only. */
#include "expr/expr.h"
#include "table/state.h"

enum keep_kind { KEEP_LATEST, KEEP_FIRST_SEEN, KEEP_LAST_SEEN, KEEP_COUNT, KEEP_SUM, KEEP_MEAN };

struct state_field {
    struct slice name;
    enum keep_kind kind;
    int64_t window_ns; /* COUNT, SUM, MEAN */
};

/* Where a table's values come from: one kind of event. */
struct state_feed {
    uint32_t table;
    const struct expr *when;
    const struct expr *key;
    const struct expr **values; /* by field of the table; NULL: this feed does not set it */
};

struct state_table_definition {
    struct slice name;
    struct state_field *fields;
    uint32_t field_count;
    uint64_t entries_max;
};

struct state_definitions {
    struct state_table_definition *tables;
    uint32_t table_count;
    struct state_feed *feeds;
    uint32_t feed_count;
};
