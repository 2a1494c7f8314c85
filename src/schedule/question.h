#pragma once
/*
 * schedule/question: what is asked of every incident (docs/questions.md), and how an answer is worded.
 *
 *   entity: user                        which fields hold such a thing
 *   fields: [user.name, user.target.name]
 *   ---
 *   question: seen-before
 *   ask: {en: ..., ja: ...}
 *   for: [user, host]                   kinds of entities; or: any (the finding as a whole)
 *   rules: [WDR-01]                     only of these rules (catalogue numbers or ids)
 *   search: "{match} | stats count"     {match} {entity} {evidence} {rule} {findings} {lists} are conditions or literals
 *   window: {from: -30d, to: 0s}        from counts from the finding's first event, to from its last
 *   around: opened                      both count from when the incident opened instead; evidence: from its first and last event
 *   answer: {en: "{count} times", ja: ...}   {field}, {time field}, {list field}, {list field count}, {rows}, {entity}
 *   none: {en: ..., ja: ...}            no row, or a count of 0
 *   missing: {en: ..., ja: ...}         with {lists}: there is no such list
 *
 * Ownership  Definitions live in the arena and do not change.
 * Threads    Any.
 */
#include "event/finding.h"
#include "search/run.h"

struct question_type {
    struct slice name;
    const struct slice *fields;
    size_t field_count;
};

struct both {
    struct slice en, ja;
};

enum question_around { AROUND_EVENTS, AROUND_OPENED, AROUND_EVIDENCE };

struct question {
    struct slice name, search, from, to;
    struct both ask, answer, none, missing;
    const struct slice *types, *rules;
    size_t type_count, rule_count;
    enum question_around around;
    bool any, uses_lists;
};

struct questions {
    const struct question_type *types;
    const struct question *list; /* in the order of their files and names of files */
    size_t type_count, count;
};

/* Those of a folder's .yaml files, and of another that need not be there (NULL: none), whose questions replace the first's
 * of the same name. ERR_CONFIG names file and line; each search is tried with a value that means harm. */
MUST_USE int questions_load(const char *path, const char *more_path, struct arena *arena, struct questions *out, struct err *err);
const struct question *question_find(const struct questions *questions, struct slice name);
const struct question_type *question_type_find(const struct questions *questions, struct slice name);

/* What a question is asked about. */
struct question_subject {
    const struct questions *questions;
    const struct finding *finding;
    const struct entity *entity;      /* NULL: the finding as a whole */
    const struct slice *lists;        /* names of lookup tables with intelligence */
    size_t list_count;
};

/* A question and whom it is about. */
struct question_pick {
    const struct question *question;
    const struct entity *entity;
};
/* Those that fit the finding, the finding as a whole last; *left: how many more there would be. */
size_t question_pick(const struct questions *questions, const struct finding *finding, struct question_pick *out, size_t max,
                     size_t *left);

/* The search, and the question, with the values of the subject. */
MUST_USE int question_search(const struct question *question, const struct question_subject *subject, struct arena *arena,
                             struct slice *out, struct err *err);
MUST_USE int question_text(struct slice pattern, struct slice entity, struct arena *arena, struct slice *out, struct err *err);

/* What the rows say, in both languages, and the ids of events in their column "events". */
struct question_answer {
    struct both text;
    const struct slice *events;
    size_t event_count;
};
MUST_USE int question_answer(const struct question *question, struct slice entity, const struct search_result *result,
                             struct arena *arena, struct question_answer *out, struct err *err);
