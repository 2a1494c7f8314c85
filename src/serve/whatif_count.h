#pragma once
/*
 * serve/whatif_count: what one policy made of a history, row by row, in money, in people who waited, and in thefts.
 *
 * Ownership  Everything is kept in its arena.
 */
#include "base/json.h"
#include "base/map.h"
#include "gate/gate.h"

enum { WHATIF_ROWS_MAX = 320 };

struct whatif_row {
    struct slice name;
    enum gate_decision decision;
    uint64_t requests;
};

struct whatif_money { /* of one asset */
    struct decimal_sum held, saved, lost; /* saved and lost: of thefts */
};

struct whatif_held {
    int64_t asked_ns, approved_ns; /* approved 0: the history does not say that people approved it */
    bool is_theft;
};

struct whatif_count {
    struct arena *arena;
    struct slice version;
    struct whatif_row rows[WHATIF_ROWS_MAX];
    size_t row_count;
    uint64_t requests, allowed, held, denied;
    uint64_t thefts_caught, thefts_missed, false_holds;
    struct map money;    /* asset -> struct whatif_money */
    struct map waiting;  /* request_id of what was held -> struct whatif_held */
    struct map accounts; /* that had to wait */
    struct decimal_sum usd_held;
};

MUST_USE int whatif_count_init(struct whatif_count *count, struct slice version, struct err *err);
void whatif_count_close(struct whatif_count *count);

struct whatif_case {
    const struct gate_request *request;
    const struct gate_answer *answer;
    bool has_usd, labelled, is_theft; /* labelled: it is known which ones are thefts */
    struct decimal usd;
};
MUST_USE int whatif_count_add(struct whatif_count *count, const struct whatif_case *one, int64_t now_ns, struct err *err);
/* People approved it in the history. */
void whatif_count_approved(struct whatif_count *count, struct slice request_id, int64_t time_ns);

/* An object. hold_minutes: how long what nobody approved in the history waits. */
void whatif_count_json(const struct whatif_count *count, int64_t hold_minutes, bool labelled, struct json *json);
void whatif_count_print(const struct whatif_count *count, int64_t hold_minutes, bool labelled, struct buffer *to);
