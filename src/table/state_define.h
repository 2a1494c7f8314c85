#pragma once
/* table/state_define: the parsed form of content/state; for table/state, and for the gate, which defines tables of its own. */
#include "expr/expr.h"
#include "table/state.h"

/* In this order in snapshots: new kinds come last. */
enum keep_kind {
    KEEP_LATEST,
    KEEP_FIRST_SEEN,
    KEEP_LAST_SEEN,
    KEEP_COUNT,
    KEEP_SUM,
    KEEP_MEAN,
    KEEP_DISTINCT,
    KEEP_VALUES,
    KEEP_MIN,
    KEEP_MAX,
    KEEP_EARLIEST,
    KEEP_TOTAL,
    KEEP_KINDS
};

enum { STATE_TABLES_MAX = 256, STATE_FIELDS_MAX = 64, STATE_FEEDS_MAX = 1024 };

struct state_field {
    struct slice name;
    enum keep_kind kind;
    int64_t window_ns; /* 0 for kinds without */
};

/* Where a table's values come from: one kind of event. */
struct state_feed {
    uint32_t table;
    const struct expr *when;
    const struct expr *condition; /* "if"; NULL: none */
    const struct expr *key;
    const struct expr **values;  /* by field of the table; NULL: this feed does not set it */
    const struct expr **members; /* by field; "by" of a total, else NULL. NULL: there are none */
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

/* Whether a field of this kind has a window ("over"). */
bool keep_kind_has_window(enum keep_kind kind);
