#pragma once
/*
 * search/commands/met_rows: rows met by rows of a subsearch, by equal fields; join.
 */
#include "search/group.h"
#include "search/stage.h"

/* Who meets whom, and what becomes of them. */
struct met_rule {
    const struct slice *ours, *theirs; /* names of the keys on both sides */
    size_t count;
    bool left;      /* rows that meet none stay */
    bool overwrite; /* their values win */
    bool by_time;   /* only rows of theirs that are not later (earlier), or not earlier than ours */
    bool earlier;
    int64_t max; /* rows met by a row; 0: all */
};

/* The other side: its rows by key. A row with several values stands once for each. */
struct met {
    const struct met_rule *rule;
    const struct batch *rows;
    struct grouper groups;
    uint32_t *first; /* by group: place in next and row, or GROUP_NONE */
    uint32_t *next, *row;
    struct arena *pairs; /* of a frame of them */
};

/* Their rows, by key. They and what is made of them live in run->arena. */
MUST_USE int met_index(struct run *run, struct met *met, const struct met_rule *rule,
                       const struct batch *theirs, struct err *err);
/* The rows of a frame with those they meet, to the stages behind op. */
MUST_USE int met_push(struct stage *op, struct met *met, const struct frame *frame, struct err *err);

/* Some pairs of rows: of batch, and of theirs (GROUP_NONE: none). */
struct met_pairs {
    const struct batch *batch, *theirs;
    uint32_t ours[FRAME_ROWS_MAX], rows[FRAME_ROWS_MAX];
    uint32_t count;
};
/* As a frame in arena, columns of theirs behind ours. */
MUST_USE int met_frame(const struct met_rule *rule, const struct met_pairs *pairs, struct arena *arena,
                       struct frame *out);
/* Whether the times of two rows let them meet; rows without one always do. */
bool met_in_time(const struct met_rule *rule, const struct batch *ours, uint32_t our,
                 const struct batch *theirs, uint32_t their);
