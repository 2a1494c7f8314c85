#pragma once
/*
 * serve/jobs: searches that run while the console looks at them.
 *
 * A job has a thread of its own. Pages are read from it while it runs (a
 * preview) and after (the result); for events a second search counts them over
 * time for the histogram.
 * Ownership  jobs_new to jobs_free, which cancels and joins all of them.
 * Threads    Any; a job's own lock keeps its search to one thread at a time.
 * Limits     JOBS_RUNNING_MAX at once (ERR_LIMIT), JOBS_KEPT_MAX finished ones are kept, the oldest
 *            unread for longest are forgotten, also those with which results hold more than
 *            JOBS_KEPT_BYTES; JOB_EVENTS_MAX events or JOB_ROWS_MAX rows of a table are held (said in a
 *            message; the counts cover all).
 */
#include "base/clock.h"
#include "base/json.h"
#include "state/users.h"
#include "store/journal.h"
#include "store/store.h"

enum { JOBS_RUNNING_MAX = 8, JOBS_KEPT_MAX = 32, JOB_FIELD_VALUES = 10 };

struct jobs;
struct knowing; /* serve/knowing.h */
struct zone;

/* Who searches; the name is copied. From analyst on searches may write: lookup tables, by
 * outputlookup, and events, by collect. */
struct job_person {
    struct slice name;
    enum role role;
    bool is_token;
};

/* What searches work with; all outlive the jobs. */
struct redecoder;    /* event/redecode.h */
struct search_files; /* search/search_files.h */

struct jobs_config {
    struct store *store;
    struct journal *journal; /* for collect */
    struct knowing *knowing;
    struct database *database; /* for the audit trail */
    const char *lookups;       /* folder of lookup tables */
    const struct search_files *files; /* that commands read; NULL: none */
    const struct redecoder *redecoder; /* NULL: none */
    const struct hin_clock *clock;
    /* What the API answers to a GET of path?query by that person; JSON in the arena. For rest. */
    int (*get)(void *context, const struct job_person *person, struct slice path,
               struct arena *arena, struct slice *json, struct err *err);
    void *get_context;
};

MUST_USE struct jobs *jobs_new(const struct jobs_config *config);
void jobs_free(struct jobs *jobs); /* NULL is fine */

struct job_request {
    struct slice query, from, to; /* copied */
    struct job_person person;
    const struct zone *zone;      /* of the person; NULL: UTC */
};

/* id gets "s17". ERR_CONFIG with start, end and suggestion for a query that is wrong; what shows only
 * when its subsearches run or its tables are read is the job's error. */
enum { JOB_ID_SIZE = 24 };
MUST_USE int jobs_start(struct jobs *jobs, const struct job_request *request,
                        char id[JOB_ID_SIZE], struct err *err);
/* What that would cost, as members of an object, on the caller's thread within ESTIMATE_TRIAL_MS three
 * times. Nothing runs and nothing is kept. */
MUST_USE int jobs_estimate(struct jobs *jobs, const struct job_request *request, struct json *json,
                           struct err *err);
/* The state and a page as docs/api.md has it. ERR_NOT_FOUND also for another owner's. */
MUST_USE int jobs_page(struct jobs *jobs, struct slice id, struct slice owner, int64_t offset,
                       int64_t limit, struct json *json, struct err *err);
MUST_USE int jobs_cancel(struct jobs *jobs, struct slice id, struct slice owner, struct err *err);
/* The whole result, when it is done (ERR_CONFLICT before). csv or json. */
MUST_USE int jobs_export(struct jobs *jobs, struct slice id, struct slice owner, bool csv,
                         struct buffer *to, struct err *err);
