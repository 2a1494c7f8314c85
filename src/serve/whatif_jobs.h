#pragma once
/*
 * serve/whatif_jobs: what-ifs over what is stored (serve/whatif.h) that run while somebody waits for them, each on a thread that gets
 * only the time that nobody else wants.
 *
 * Ownership  whatif_jobs_new to whatif_jobs_free, which cancels and joins.
 * Threads    Any.
 * Limits     One runs at a time (ERR_LIMIT); of finished ones WHATIF_JOBS_MAX are kept, until newer ones come or the server ends.
 */
#include "serve/whatif.h"

enum { WHATIF_JOBS_MAX = 8, WHATIF_JOB_ID_SIZE = 24 };

struct whatif_jobs;

MUST_USE struct whatif_jobs *whatif_jobs_new(struct store *store, const struct hin_clock *clock);
void whatif_jobs_free(struct whatif_jobs *jobs); /* NULL is fine */

struct whatif_request {
    struct slice owner; /* copied */
    struct rulebook *book; /* held as long as it is needed */
    struct whatif_config config; /* but for its book; texts are copied */
    const struct json_node *labels; /* an array of what whatif_label() takes; NULL: it is not known what was stolen */
    int64_t from_ns, to_ns, learn_ns; /* serve/whatif.h: whatif_walk */
};

/* ERR_CONFIG for what is wrong with a policy or a label, with nothing begun; ERR_LIMIT: one runs already. */
MUST_USE int whatif_jobs_start(struct whatif_jobs *jobs, const struct whatif_request *request, char id[WHATIF_JOB_ID_SIZE],
                               struct err *err);
/* How it stands, an object; ERR_NOT_FOUND. */
MUST_USE int whatif_jobs_page(struct whatif_jobs *jobs, struct slice id, struct json *json, struct err *err);
/* All of them without their results, an array, the newest first. */
void whatif_jobs_list(struct whatif_jobs *jobs, struct json *json);
/* One that runs is cancelled, soon; another is forgotten. ERR_NOT_FOUND. */
MUST_USE int whatif_jobs_end(struct whatif_jobs *jobs, struct slice id, struct err *err);
