#pragma once
/*
 * detect/rule: one rule, as loaded. Sigma rules as published, and the same files with a
 * "hinomi:" section for what Sigma cannot say (docs/rules.md).
 *
 * Ownership  Everything lives in the arena of its rule set; immutable.
 */
#include "cut/yaml.h"
#include "detect/logsource.h"
#include "event/finding.h"

struct calendar;
struct calendars;
struct correlation;
struct placeholders;

enum rule_status {
    RULE_ACTIVE,
    RULE_INACTIVE, /* right, but something it needs is missing: reason */
    RULE_REFUSED,  /* wrong: reason */
};

const char *rule_status_name(enum rule_status status);

enum rule_kind {
    RULE_MATCH,       /* an event that matches, and for which "where" holds */
    RULE_ABSENT,      /* an event, and none that belongs to it within the grace */
    RULE_SILENCE,     /* a key that sent events and stops */
    RULE_CORRELATION, /* other rules, counted or in order (detect/correlation_rule.h) */
    RULE_NEW,         /* an event with a key that was not seen before */
    RULE_USUAL,       /* more events of a key in an hour than is usual then */
    RULE_RISK,        /* an entity on which findings of all rules add up (detect/entity_risk.c) */
    RULE_FILTER,      /* narrows the rules that it names; finds nothing itself */
};

/* The condition on events of one log source variant. */
struct rule_variant {
    const struct expr *guard;     /* the log source; NULL: every event */
    const struct expr *condition; /* stateless */
    const struct logsource_variant *source; /* NULL: fields are columns */
};

/* A correlation that counts what a rule finds. */
struct rule_listener {
    uint32_t rule; /* index of the correlation */
    uint32_t part; /* which of the rules that it names */
};

struct rule_entity {
    struct slice type, field;
};

struct rule_key {
    struct slice name; /* as written */
    const struct expr *expr;
};

enum { RULE_ENTITIES_MAX = 8, RULE_KEYS_MAX = 8, RULE_HOLDS_MAX = 4 };

/* RISK */
struct rule_risk {
    int64_t half_life_ns;
    int64_t quiet_ns;  /* an entity is told of once in so long */
    uint32_t over;     /* so many points, and more */
    uint32_t tactics;  /* different ones, at least */
    const struct slice *of; /* types of entities; none: all */
    size_t of_count;
};

struct rule {
    struct slice id, title, version, path;
    struct slice name; /* the id, else Sigma's name, else the title */
    struct slice sigma_name; /* "name:", or none */
    struct slice product, category, service; /* of its log source, each or none */
    const struct yaml_node *document;
    struct slice catalogue;
    enum severity severity;
    enum rule_status status;
    struct slice reason;
    struct slice note; /* of an active rule, too: what in it does nothing; or none */
    enum rule_kind kind;
    struct rule_variant *variants;
    size_t variant_count;
    const struct expr *where; /* over the event and state(); NULL: always */
    bool own;    /* from rule_options.more_path */
    bool silent; /* only for correlations that name it: gives no findings of its own */
    struct rule_listener *listeners;
    size_t listener_count;
    const struct correlation *correlation; /* CORRELATION */
    /* ABSENT */
    const struct expr *partner; /* events that would be in order */
    const struct expr *key, *partner_key;
    int64_t grace_ns;
    /* SILENCE: key, and */
    int64_t silence_ns;
    /* NEW */
    const struct rule_key *new_keys;
    size_t new_key_count;
    const struct expr *new_of; /* the entity that must be known for learn_ns; NULL: the rule itself */
    int64_t learn_ns, forget_ns; /* forget 0: never */
    /* USUAL: key, and */
    struct slice key_name; /* as written */
    const struct calendar *calendar; /* NULL: none */
    double above, below, at_least; /* above, below: 0 for a side that is not looked at */
    uint32_t learn_times; /* that an hour of the week must have been seen */
    const struct rule_risk *risk; /* RISK */
    uint32_t points; /* that a finding of this rule adds to the risk of its entities */
    struct slice tactics; /* of its tags: "execution persistence" */
    struct rule_entity entities[RULE_ENTITIES_MAX];
    size_t entity_count; /* 0: the usual fields */
    struct rule_entity holds[RULE_HOLDS_MAX]; /* scope and field: what is held when it finds something */
    size_t hold_count;
    const struct slice *suggested; /* what people may do then */
    size_t suggested_count;
    struct slice explain_en, explain_ja; /* templates with {field} */
    struct slice why_en, why_ja, check_en, check_ja, do_en, do_ja;
    struct slice description, author, level; /* level as written */
    const struct slice *tags;                /* attack.execution, attack.t1059.001 ... */
    size_t tag_count;
    uint32_t index; /* in its set */
    uint64_t fingerprint; /* of what it detects, not of its wording: a changed rule does not go on with what
                           * it remembered */
};

struct rule_set {
    struct arena *arena;
    struct rule **rules;
    size_t count, size;
    struct rule **filters; /* those of them that are */
    size_t filter_count;
    const struct logsources *logsources;
    struct placeholders *placeholders;
    const struct calendars *calendars;
};

/* Rules below path (.yml and .yaml), or one file, which may hold several documents. A rule that is
 * wrong is in the set with its reason; -1 only when a path cannot be read or memory is out. */
struct rule_options {
    const char *logsource_path;   /* folder of the mappings */
    const char *placeholder_path; /* folder of placeholder values; NULL: only those beside the rules */
    const char *lookup_path;      /* folder of lookups for placeholders; NULL: none */
    const char *calendar_path;    /* folder of the calendars; NULL: none */
    const char *more_path;        /* further rules, where there are some; NULL: none */
    bool ignore_logsource;        /* do not test events against a rule's log source */
};
MUST_USE int rule_set_load(const char *path, const struct rule_options *options,
                           struct rule_set **out, struct err *err);
void rule_set_free(struct rule_set *set); /* NULL is fine */
/* After the status of rules was changed from outside: correlations of rules that are not active any more are not
 * either, and rules that no correlation needs any more give findings again. -1 when memory is out. */
MUST_USE int rule_set_settle(struct rule_set *set, struct err *err);

/* The ATT&CK tactic of a tag ("attack.credential-access" gives "credential-access"), or SLICE_NONE for
 * tags of techniques, groups and others. */
struct slice rule_tactic(struct slice tag);

/* Adds to the note. */
PRINTF_LIKE(3, 4)
void rule_note(struct rule_set *set, struct rule *rule, const char *format, ...);
/* Sets the status and the reason; returns false. */
PRINTF_LIKE(4, 5)
bool rule_fail(struct rule_set *set, struct rule *rule, enum rule_status status, const char *format, ...);
