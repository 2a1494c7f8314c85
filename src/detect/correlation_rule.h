#pragma once
/*
 * detect/correlation_rule: a Sigma correlation, as loaded: which rules it names, how their hits are grouped
 * and counted, and when that is a finding. What it remembers is detect/correlation's.
 *
 * Ownership  Lives in the arena of its rule set; immutable.
 * Source     Sigma Correlation Rules Specification 2.1; value_min, value_max and value_median from its drafts and
 *            tools; conditions that name rules ("a and not b") from 2.2.
 */
#include "detect/rule.h"
#include "event/decimal.h"

enum correlation_type {
    CORRELATE_EVENTS,  /* event_count */
    CORRELATE_VALUES,  /* value_count */
    CORRELATE_TEMPORAL,
    CORRELATE_ORDERED, /* temporal_ordered */
    CORRELATE_SUM,
    CORRELATE_AVERAGE,
    CORRELATE_MIN,
    CORRELATE_MAX,
    CORRELATE_PERCENTILE,
    CORRELATE_SHARE,   /* value_percentile without a percentile: how many percent of the values are this one */
    /* beyond Sigma, under "hinomi:" (detect/correlation_beyond.c) */
    CORRELATE_RATIO,   /* of all events, those for which an expression holds */
    CORRELATE_BEACON,  /* events that come at regular intervals */
    CORRELATE_RISK,    /* scores that add up and decay */
};

enum correlation_operator { CORRELATE_GT, CORRELATE_GTE, CORRELATE_LT, CORRELATE_LTE, CORRELATE_EQ, CORRELATE_NEQ };

enum { CORRELATION_LIMITS_MAX = 4, CORRELATION_PERCENTILE_PLACES = 6 };

/* All of them must hold. */
struct correlation_limit {
    enum correlation_operator op;
    struct decimal number;
};

/* The columns that a field may be in, best first. */
struct correlation_columns {
    const struct slice *names;
    size_t count;
};

/* A rule of events whose hits arrive, directly or through correlations that are named. */
struct correlation_source {
    const struct rule *base;
    const struct correlation_columns *columns; /* [variant of base][field]: group-by, then counted fields */
};

struct correlation_part {
    const struct rule *rule; /* as named */
    const struct slice *names; /* by field: under which name this rule has it (aliases) */
    const struct correlation_source *sources;
    size_t source_count;
};

/* "a and not b": in the order of evaluation. */
struct correlation_step {
    enum step_kind { STEP_PART, STEP_AND, STEP_OR, STEP_NOT } kind;
    uint32_t part;
};

struct correlation {
    enum correlation_type type;
    int64_t span_ns;
    struct slice span_text; /* as written */
    struct slice *fields; /* group-by, then counted fields, as the rule names them */
    size_t group_count, value_count;
    struct correlation_part *parts; /* room for CORRELATION_RULES_MAX */
    size_t part_count;
    struct correlation_limit limits[CORRELATION_LIMITS_MAX];
    size_t limit_count; /* 0: every part, for the temporal ones */
    const struct correlation_step *steps;
    size_t step_count;
    struct decimal percentile; /* 0 to 100, with up to CORRELATION_PERCENTILE_PLACES */
    const struct expr *of;    /* RATIO: which events are counted; part 1, others part 0 */
    uint32_t at_least;        /* RATIO: events, BEACON: intervals that must be there */
    double jitter;            /* BEACON: by how much of itself an interval may differ from the median */
    int64_t half_life_ns;     /* RISK: after which a score is half */
    const struct decimal *scores; /* RISK: by part */
    /* More events can make it untrue: judged when the timespan is over, not at once. */
    bool at_close;
    bool generate;
    bool complete; /* read to the end */
};

/* A rule that the correlation names, with the columns of its fields. False: the rule's status is set. */
bool correlation_add_part(struct rule_set *set, struct rule *rule, struct correlation *correlation,
                          struct slice word, const struct yaml_node *aliases);
/* The rule itself, for what counts its own hits. */
bool correlation_add_self(struct rule_set *set, struct rule *rule, struct correlation *correlation);
/* "key", a name or a list of names, behind the fields that are there. */
bool correlation_add_fields(struct rule_set *set, struct rule *rule, const struct yaml_node *node,
                            struct correlation *correlation);
/* detect/correlation_beyond.c: ratio, beacon and risk of the section. */
bool correlation_beyond(struct rule_set *set, struct rule *rule, const struct yaml_node *section,
                        struct correlation *correlation);

bool correlation_holds(const struct correlation_limit *limit, struct decimal value);

/* Every correlation of the set, those that they name first; listeners of all rules. False when memory is out. */
bool correlations_compile(struct rule_set *set);
/* Anew, after statuses have changed (rule_set_settle). */
bool correlations_settle(struct rule_set *set);
