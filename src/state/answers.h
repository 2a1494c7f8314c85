#pragma once
/*
 * state/answers: what was asked of each incident, and what came of it. The rows are the queue as well: what waits when the
 * program ends is asked at the next start.
 *
 * Threads    Any; answers_put() is a transaction of its own.
 * Limits     ANSWERS_WAITING_MAX that wait: until there is room no further incident is taken.
 */
#include "base/arena.h"
#include "base/json.h"
#include "state/database.h"

enum answer_state { ANSWER_WAITING, ANSWER_READY, ANSWER_INCOMPLETE, ANSWER_FAILED };

struct answer_row {
    int64_t id, incident;
    struct slice name;                     /* of the question */
    struct slice question_en, question_ja;
    struct slice entity;                   /* whom it is about; "" */
    struct slice search;                   /* with its values; "": none is needed */
    int64_t from_ns, to_ns;
    enum answer_state state;
    struct slice en, ja;                   /* the answer; none while it waits */
    struct slice events;                   /* a JSON array, or none */
    int64_t ms;                            /* of the search */
};

/* An incident that is not closed and has not been asked, or has become graver since: the gravest, newest first. */
struct answers_due {
    int64_t incident, raw_severity, opened_ns, first_event_ns, last_event_ns;
    struct slice finding; /* its gravest one, encoded */
};
/* 1, 0: none is due, or (*full) too many answers wait; -1. */
MUST_USE int answers_due(struct database *database, struct arena *arena, struct answers_due *out, bool *full, struct err *err);
/* In the place of what it was asked before. */
MUST_USE int answers_put(struct database *database, const struct answers_due *due, int64_t now, const struct answer_row *rows,
                         size_t count, struct err *err);
/* The next that waits: of the gravest, newest incident, none of the two that are being answered. 1, 0, -1. */
MUST_USE int answers_next(struct database *database, const int64_t busy[2], struct arena *arena, struct answer_row *out,
                          struct err *err);
/* Asked anew meanwhile: nothing is changed. */
MUST_USE int answers_set(struct database *database, const struct answer_row *row, int64_t now, struct err *err);
/* It is asked again. ERR_NOT_FOUND; ERR_CONFLICT: it is closed. */
MUST_USE int answers_again(struct database *database, int64_t incident, struct err *err);
/* The member "answers" of an incident. now: what waits for longer than ANSWER_LATE_MS says so. */
MUST_USE int answers_json(struct database *database, int64_t incident, int64_t now, struct arena *arena, struct json *json,
                          struct err *err);
