#pragma once
/*
 * respond/incidents/finding_rows: findings in SQLite, all of them: those of an incident, those too small for one, and
 * those that people keep quiet; and the lines of an incident, each of which stands for all repeats of a rule and group.
 *
 * Threads  Inside a transaction of the caller, except the JSON.
 * Limits   FINDINGS_LOOSE_MAX without an incident; the oldest go, and finding_stock says how many and until when.
 */
#include "base/json.h"
#include "event/finding.h"
#include "state/database.h"

enum { FINDING_LINE_SIZE = 33 };

/* Which line of an incident it belongs to: the same rule, and the same group or else the same entities. */
void finding_line(const struct finding *finding, char to[FINDING_LINE_SIZE]);

struct finding_row {
    int64_t number; /* in the order in which they were filed */
    const struct finding *finding;
    const char *line;
    int64_t incident, exception, mute; /* 0: none */
    int64_t filed_ns;
};

/* 1: it is known; 0; -1. */
MUST_USE int finding_is_known(struct database *database, const char *id, struct err *err);
/* Sets number. */
MUST_USE int finding_insert(struct database *database, struct finding_row *row, struct err *err);
/* One that was loose comes into an incident, and is looked for no longer. */
MUST_USE int finding_move(struct database *database, int64_t number, int64_t incident, struct err *err);
/* So that a later incident finds the loose one. */
MUST_USE int finding_add_links(struct database *database, int64_t number, const struct slice *links, size_t count,
                               int64_t event_ns, struct err *err);
/* Now and then: takes the oldest when there are too many. */
MUST_USE int finding_trim(struct database *database, struct err *err);

/* One by its id or number (id NULL); slices borrow from the arena. ERR_NOT_FOUND. */
MUST_USE int finding_read(struct database *database, const char *id, int64_t number, struct arena *arena, struct finding *finding,
                          struct finding_row *row, struct err *err);

/* One more on its line; *first: the line is new there. */
MUST_USE int line_count(struct database *database, int64_t incident, const char *line, const struct finding *finding,
                        bool *first, struct err *err);
/* Whether the timeline shows it, as one of INCIDENT_TIMELINE_MAX. */
MUST_USE int line_show(struct database *database, int64_t incident, const char *line, struct err *err);

/* A page of findings: {findings: [...], next: number or null, total}. */
struct finding_page {
    int64_t incident, exception; /* 0: any */
    bool loose;                  /* only those without an incident */
    int64_t after, limit;        /* numbers above after */
};
MUST_USE int finding_page_json(struct database *database, const struct finding_page *page, struct json *json, struct err *err);
void finding_json(const struct finding_row *row, struct json *json);
