#pragma once
/*
 * detect/operator: what a rule does with its hits when one alone is no finding: a kind of rule that remembers.
 *
 * Each kind is one struct operator_kind in a file of its own. The detector makes one operator for each active rule
 * of the kind, gives it the hits in the order of arrival, tells it how far event time has come, and keeps what it
 * remembers in snapshots.
 *
 * Threads  One at a time. All times are event times.
 */
#include "detect/rule.h"
#include "expr/expr.h"

/* A rule of events that matched a row, or a correlation that fired and what it was about. */
struct hit {
    const struct rule *base;   /* the rule of events whose log source the row has; NULL without a row */
    uint32_t variant;          /* of base */
    const struct batch *batch; /* NULL: no row completed it */
    uint32_t row;
    uint32_t part;  /* for correlations: which of the rules that they name */
    int64_t time_ns;
    struct expr_scope *scope;
    const struct finding *finding; /* of a correlation, or for one of risk; else NULL */
    const struct rule *finder;     /* for one of risk: the finding's rule */
};

struct operator_host {
    const struct rule *rule;
    struct arena *moment; /* for what is needed until the call returns */
    const int64_t *watermark_ns; /* how far event time has come; INT64_MIN: nowhere yet */
    /* Takes the finding; what it points to lives until the call returns. hit may be NULL. */
    int (*raise)(void *context, const struct rule *rule, struct finding *finding, const struct hit *hit,
                 struct err *err);
    void *context;
};

/* What the operators of a detector hold; sums. */
struct operator_stats {
    uint64_t keys, bytes;
    uint64_t evicted;    /* keys that were forgotten because there were too many */
    uint64_t cut;        /* events that were forgotten because their key had too many */
    uint64_t late;       /* events older than what the rule surely remembers; taken all the same */
    uint64_t left_out;   /* hits without the fields that the rule needs, or with too many values in them */
};

struct operator_kind {
    const char *name;
    uint64_t saved_since; /* the detector's snapshot version in which what save() writes was changed last; 0: never */
    void *(*make)(const struct operator_host *host); /* NULL when memory is out */
    void (*free)(void *state);
    int (*take)(void *state, const struct hit *hit, struct err *err);
    int (*partner)(void *state, const struct hit *hit, struct err *err); /* rule->partner holds for the row; or NULL */
    int64_t (*due_ns)(const void *state); /* when something is due next; INT64_MAX: nothing */
    int (*advance)(void *state, int64_t now_ns, struct err *err);
    int (*finish)(void *state, struct err *err); /* nothing will come any more; NULL: that says nothing */
    void (*save)(const void *state, struct buffer *to);
    int (*load)(void *state, struct slice *from, struct err *err);
    void (*stats)(const void *state, struct operator_stats *add);
    /* Forgets the tenth of its keys that was quiet longest; false when there is none. NULL: what it holds is bounded by
     * itself, apart from CORRELATIONS_BYTES_MAX. */
    bool (*shrink)(void *state);
    int64_t (*history_ns)(const struct rule *rule); /* how far back it learns from what is stored; NULL: it does not */
};

extern const struct operator_kind operator_absence, operator_silence, operator_correlation, operator_new,
    operator_usual, operator_risk;

/* NULL for rules whose every hit is a finding. */
const struct operator_kind *operator_of(enum rule_kind kind);
