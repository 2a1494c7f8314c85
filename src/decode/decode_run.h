#pragma once
/*
 * decode/run: a decoder's steps on one event. Part of decode/decode.
 *
 * Threads  A runner belongs to one thread.
 */
#include "cut/columns.h"
#include "cut/json_event.h"
#include "decode/registry.h"

enum { INNER_DEPTH_MAX = 4 };

/* What a thread keeps between events. */
struct runner {
    const struct decoders *decoders;
    struct json_cutter *json;
    struct columns columns; /* guesses for names that only the event knows */
    struct column **known;  /* by slot of FIELD_COLUMN; NULL: not among the batch's columns so far */
    uint32_t columns_seen;  /* of the batch, for known */
    bool borrows;           /* deliveries and decoders outlive the batches */
    struct value *temps;    /* by slot of FIELD_TEMP; VALUE_NULL: not set */
    bool temps_used;
    struct arena *scratch; /* results of conditions */
    struct expr_scope scope;
};

/* One event. */
struct run {
    struct runner *runner;
    struct batch *batch;
    uint32_t row;
    int64_t received_ns;
    const struct zone *zone; /* for stamps that name none */
    struct slice text;       /* what the present decoder was given */
    struct value text_value;
    const struct decoder *taker;   /* the innermost one that took it: for hinomi.decoder */
    const struct decoder *decoder; /* whose steps are running: for error.message */
    struct json_tokens tokens;     /* of tokens_of, if that is set */
    struct slice tokens_of;
    unsigned inner;      /* depth of texts within texts */
    unsigned quiet;      /* failures are expected: no sentence is made */
    unsigned json_flags; /* JSON_CUT_* */
    bool left;           /* fields over a limit elsewhere */
    bool out_of_memory;
    struct err *err;
};

enum run_result {
    RUN_OK,
    RUN_STOP,   /* the decoder said so */
    RUN_FAILED, /* err says why; what was won stays */
};

MUST_USE int runner_init(struct runner *runner, const struct decoders *decoders);
void runner_close(struct runner *runner);
/* Whenever the batch may have changed since the last event. */
void runner_begin(struct runner *runner);

/* The event is this decoder's from here on. */
enum run_result run_decoder(struct run *run, const struct decoder *decoder, struct slice text);

/* Puts the columns that the batch has more than before into known. */
void run_learn_columns(struct run *run);

static inline const struct field *run_field(const struct run *run, uint32_t number)
{
    return &run->runner->decoders->fields.list[number];
}

/* The column of a FIELD_COLUMN; NULL when the batch has none. */
static inline struct column *run_column(struct run *run, const struct field *field)
{
    if (UNLIKELY(run->runner->columns_seen != run->batch->column_count))
        run_learn_columns(run);
    return run->runner->known[field->slot];
}

/* The values of a field of this event. */
struct value_list run_get(struct run *run, uint32_t field);
/* Adds a value or, with replace, is the only one afterwards. VALUE_NULL is a gap among
 * several values, and nothing where it would be the only one. */
void run_put(struct run *run, uint32_t field, struct value v, bool replace);
void run_drop(struct run *run, uint32_t field);
/* The first value as text; SLICE_NONE when there is none. */
struct slice run_text(struct run *run, uint32_t field);

/* In run_cut.c: the steps that cut text, and in run_change.c those that change fields. */
enum run_result run_cut_step(struct run *run, const struct step *step);
enum run_result run_change_step(struct run *run, const struct step *step);
PRINTF_LIKE(3, 4)
enum run_result run_fail(struct run *run, const struct step *step, const char *format, ...);
