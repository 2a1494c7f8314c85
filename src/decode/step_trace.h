#pragma once
/*
 * decode/step_trace: what each step did to an event, as text for the person who writes a decoder.
 *
 *   text of 96 bytes: decoder sshd@1 (content/decoders/linux-auth.yaml)
 *     line  12  dissect: the text does not fit the pattern
 *     line  19  set
 *                 event.action = "ssh_login"
 *
 * Threads  A runner's.
 */
#include "base/buffer.h"
#include "decode/decode_run.h"

struct explain {
    struct buffer *to;
    unsigned depth;
    struct arena *arena;  /* texts of the fields as they were; emptied for each event */
    struct slice *before; /* by column, then by temp */
    uint32_t size;        /* of before */
};

/* to outlives the explanation. */
MUST_USE int explain_init(struct explain *explain, struct buffer *to);
void explain_close(struct explain *explain);
void explain_begin(struct explain *explain, struct run *run);

enum run_result explain_step(struct run *run, const struct step *step);
/* Who takes a text, and who else would. */
void explain_choice(struct run *run, const struct sighting *sighting, const struct decoder *decoder);
/* The value that "choose" looks up. */
void explain_key(struct run *run, const struct step *step, struct slice key);
void explain_failure(struct run *run, const char *why);
