#pragma once
/*
 * know/know: what people have given names to, for the search language: macros, lookups, data
 * models, event types, tags and saved searches (docs/knowledge.md).
 *
 * A set is read from folders of YAML files and from texts that are kept elsewhere (state.db), then
 * never changes; a change makes a new set. Where several definitions have one name, the nearest to
 * the person wins: own, shared, the data folder's, shipped. A definition that is wrong is left out
 * with a note, and the others stay.
 *
 *   shipped content/search ──┐
 *   DIR/content/search ──────┼─► know_builder ─► struct knowledge (counted) ─► searches
 *   state.db ────────────────┘
 *
 * Ownership  A set owns its texts; know_hold() and know_release() count who uses it.
 * Threads    A builder belongs to one thread; a set is read-only, any number of threads.
 * Limits     KNOW_OBJECTS_MAX, KNOW_TEXT_BYTES_MAX a definition, YAML_BYTES_MAX a file.
 * Errors     Notes begin with FILE:LINE.
 */
#include "base/arena.h"
#include "base/due.h"
#include "base/err.h"
#include "base/slice.h"
#include "event/finding.h"
#include "event/value.h"

#include <stdint.h>

enum know_kind {
    KNOW_MACRO,
    KNOW_LOOKUP,
    KNOW_DATA_MODEL,
    KNOW_EVENT_TYPE,
    KNOW_TAG,
    KNOW_SAVED_SEARCH,
    KNOW_DASHBOARD,
};
enum { KNOW_KINDS = KNOW_DASHBOARD + 1 };

/* From the weakest to the strongest. */
enum know_origin { KNOW_SHIPPED, KNOW_FOLDER, KNOW_SHARED, KNOW_OWN };

struct know_object {
    enum know_kind kind;
    enum know_origin origin;
    struct slice name;        /* of a macro: without its arguments; of a tag: field=value */
    struct slice owner;       /* of what people made; "" otherwise */
    struct slice place;       /* FILE:LINE, or who made it */
    struct slice text;        /* the definition as YAML */
    struct slice description; /* or "" */
    int64_t updated_ns;       /* of what people made; 0 otherwise */
    const void *spec;         /* the struct of its kind, below */
    struct know_object *next; /* of the same name, weaker */
};

struct know_macro {
    const struct slice *args;
    size_t arg_count;
    struct slice definition;
    bool eval;                 /* the definition is an expression whose value is the text */
    struct slice validation;   /* an expression over $args$, or none */
    struct slice error;        /* said when it is FALSE */
};

enum know_match { KNOW_EXACT, KNOW_WILDCARD, KNOW_CIDR };
struct know_match_field {
    struct slice field;
    enum know_match match;
};
struct know_lookup {
    struct slice file; /* in the folder of lookups */
    bool case_sensitive;
    const struct know_match_field *match; /* other fields match exactly */
    size_t match_count;
    int64_t max_matches, min_matches;
    struct slice default_match; /* for what is missing up to min_matches */
    struct slice time_field, time_format; /* none: it knows no time */
    int64_t max_offset_ns, min_offset_ns;
};

enum know_mapping_kind {
    KNOW_FIELDS, /* the first of these fields that has a value */
    KNOW_EVAL,   /* an expression */
    KNOW_CASES,  /* the first value whose search matches */
};
struct know_case {
    struct slice value, search;
};
struct know_field {
    struct slice name;
    enum know_mapping_kind kind;
    const struct slice *fields;
    size_t field_count;
    struct slice eval;
    const struct know_case *cases;
    size_t case_count;
};
struct know_node {
    struct slice name, path;        /* path: All_Changes.Instance_Changes */
    const struct know_node *parent; /* or NULL */
    struct slice constraint;        /* search terms; what the parents ask holds as well */
    const struct know_field *fields; /* its own */
    size_t field_count;
};
struct know_model {
    const struct know_node *nodes; /* parents before children */
    size_t node_count;
};

struct know_event_type {
    struct slice search;
    int64_t priority; /* 1 (first) to 10 */
    const struct slice *tags;
    size_t tag_count;
};

struct know_tag {
    struct slice field, value;
    const struct slice *tags;
    size_t tag_count;
};

enum know_op { KNOW_LESS, KNOW_LESS_EQUAL, KNOW_GREATER, KNOW_GREATER_EQUAL, KNOW_EQUAL, KNOW_NOT_EQUAL };
struct know_entity {
    struct slice type; /* user, ip, host ... */
    const struct slice *fields;
    size_t field_count;
};
/* When a saved search runs by itself, and what becomes of its rows (docs/schedules.md). */
struct know_schedule {
    struct slice plan; /* as due_parse() reads it */
    struct due due;
    const struct zone *zone;  /* of the window and the search; NULL: UTC */
    struct slice when_field;  /* of the rows that count; none: the number of rows itself */
    enum know_op when_op;
    struct value when_number;
    const struct slice *group_by, *suppress_by;
    size_t group_count, suppress_count;
    int64_t suppress_ns, catch_up_ns;
    enum severity severity;
    struct slice title_en, title_ja; /* with $field$ */
    const struct know_entity *entities;
    size_t entity_count;
    bool enabled;
    struct slice owner; /* whose rights count; none: who made the definition */
};

struct know_saved_search {
    struct slice search, earliest, latest; /* times: none when not set */
    const struct know_schedule *schedule;  /* NULL: it only runs when asked */
};

/* Panels on a grid of DASHBOARD_COLUMNS columns (docs/dashboards.md). A text in one language stands in both. */
struct know_both {
    struct slice en, ja;
};
struct know_range {
    struct slice from, to; /* as a search takes them; none: not set */
};
struct know_panel {
    struct slice id, kind;
    struct know_both title, text;
    struct slice search, saved; /* one of them, of kinds that search; $variables$ stand in them */
    struct slice unit, drill;
    struct know_range range; /* instead of the dashboard's */
    uint16_t x, y, w, h;
    bool stacked;
};
/* A choice of the person who looks: a value of field, or * for any. */
struct know_variable {
    struct slice name, field, fallback;
    struct know_both title;
};
/* Moments marked in every panel over time: _time of each row, and its field "text". */
struct know_annotation {
    struct know_both title;
    struct slice search;
};
struct know_dashboard {
    struct know_both title, about;
    struct know_range range;
    int64_t refresh_ns;       /* 0: only when asked */
    const struct slice *home; /* roles that begin with it */
    size_t home_count;
    const struct know_variable *variables;
    size_t variable_count;
    const struct know_annotation *annotations;
    size_t annotation_count;
    const struct know_panel *panels;
    size_t panel_count;
};

/* ---- making a set ---- */

struct knowledge;
struct know_builder;

MUST_USE struct know_builder *know_builder_new(void);
void know_builder_free(struct know_builder *builder); /* NULL is fine */
/* Every .yaml below folder, or one file; nothing there, no definitions. -1 when memory is out or the
 * folder cannot be read. */
MUST_USE int know_builder_folder(struct know_builder *builder, const char *folder,
                                 enum know_origin origin, struct err *err);
/* One definition kept elsewhere. -1: memory is out; a wrong definition becomes a note. */
MUST_USE int know_builder_text(struct know_builder *builder, struct slice text, struct slice owner,
                               bool shared, int64_t updated_ns, struct err *err);
/* Ends the builder. The set has one holder. NULL when memory is out. */
MUST_USE struct knowledge *know_builder_done(struct know_builder *builder);

/* Both folders in one call. shipped and folder may be NULL. */
MUST_USE int know_load(const char *shipped, const char *folder, struct knowledge **out,
                       struct err *err);

/* One definition, read for its name and to see whether it is right. The object lives in arena. */
MUST_USE int know_parse(struct slice text, struct arena *arena, struct know_object *out,
                        struct err *err);

/* ---- asking ---- */

struct knowledge *know_hold(const struct knowledge *set); /* NULL gives NULL */
void know_release(struct knowledge *set);                 /* NULL is fine */

/* person: whose own definitions count; "" for nobody's. NULL when there is none (set may be NULL). */
const struct know_object *know_find(const struct knowledge *set, enum know_kind kind,
                                    struct slice name, struct slice person);
/* A macro with that many arguments; a name with a star stands for all that match it, when no other
 * has the name. */
const struct know_object *know_find_macro(const struct knowledge *set, struct slice name,
                                          size_t arg_count, struct slice person);
/* The most similar name of that kind, or NULL. */
const struct know_object *know_nearest(const struct knowledge *set, enum know_kind kind,
                                       struct slice name);
/* The strongest of each name, by kind and name: index from 0; NULL at the end. */
const struct know_object *know_at(const struct knowledge *set, size_t index);
/* It, or the strongest below it that person may see: another's own are not. NULL when there is none. */
const struct know_object *know_visible(const struct know_object *object, struct slice person);

struct know_note {
    bool wrong; /* left out; otherwise a clash that was settled */
    struct slice text;
    struct know_note *next;
};
const struct know_note *know_notes(const struct knowledge *set);

/* Its name; of a macro with arguments "name(2)", since there may be several. SLICE_NONE: no memory. */
struct slice know_title(const struct know_object *object, struct arena *arena);
const char *know_kind_name(enum know_kind kind); /* as the key in YAML: "data_model" */
bool know_kind_by_name(struct slice name, enum know_kind *out);
const char *know_origin_name(enum know_origin origin);

/* The name of a file in a folder, never a path out of it. */
bool know_is_file_name(struct slice name);

/* The search of a panel or annotation with a star for each $variable$, as for somebody who has chosen nothing. SLICE_NONE: no memory. */
struct slice know_dashboard_search(const struct know_dashboard *board, struct slice search, struct arena *arena);

/* ---- data models ---- */

/* By path (All_Traffic) or last name, any case; NULL. */
const struct know_node *know_model_node(const struct know_model *model, struct slice name);
/* "Processes.dest", "All_Changes.Instance_Changes.image_id", "DNS.query": *node gets where it is
 * defined. NULL when the name is none of the model's. */
const struct know_field *know_model_field(const struct know_model *model, struct slice name,
                                          const struct know_node **node);
/* Of a node or what it inherits, by its bare name. */
const struct know_field *know_node_field(const struct know_node *node, struct slice name,
                                         const struct know_node **owner);
