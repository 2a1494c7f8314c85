#pragma once
/*
 * decode/run: a decoder's steps on one event. Part of decode/decode.
 *
 * Threads  A runner belongs to one thread.
 */
#include "cut/columns.h"
#include "cut/domain.h"
#include "cut/json_event.h"
#include "decode/recognition.h"
#include "decode/verb.h"

enum { INNER_DEPTH_MAX = 8 };

struct explain; /* decode/step_trace.h */

/* The batch's columns that a step concerns, by their names. */
struct watched {
    struct column *column;
    uint32_t field; /* what the step makes of it */
};
/* What a step makes of a name, from batch to batch; told by its hash, whose seed nobody outside knows. */
enum { MADE_LOG2 = 12 };
struct made {
    uint64_t hash;
    uint32_t field;
};
struct watch {
    struct watched *list;
    uint32_t count, size;
    uint32_t columns_seen; /* of the batch */
    struct made *made;     /* by hash; NULL: not remembered */
};

/* Keys that a step has met since the batch began, and the columns they go to: by a cheap hash, one for each
 * place, the first stays. */
enum { KEY_TABLE_LOG2 = 8 };
struct known_key {
    struct slice key;
    struct column *column;
    uint64_t life;       /* of the batch for which it holds */
    struct column *next; /* the one that followed last time: what it needs is brought near */
};
struct key_table {
    struct known_key keys[1 << KEY_TABLE_LOG2];
};

/* A decoder's own value as the batch has it: copied once, since the batch may outlive the decoders. */
struct own_value {
    struct value value;
    uint64_t life; /* of the batch for which it was copied */
};

/* The values of a FIELD_TEMP that has several, from the batch's arena. */
struct temp_list {
    struct value *values;
    uint32_t count, size;
};

/* What a thread keeps between events. */
struct runner {
    const struct decoders *decoders;
    struct sighter sighter;
    struct json_cutter *json;
    struct columns columns; /* guesses for names that only the event knows */
    struct column **known;   /* by number of a FIELD_COLUMN; NULL: not among the batch's columns so far */
    uint32_t *known_numbers; /* of known that are set */
    uint32_t known_count;
    struct watch *watches;  /* by step->watch */
    struct key_table *key_tables; /* by number of struct keys */
    uint32_t columns_seen;  /* of the batch, for known */
    struct domain_memo *domains;
    bool borrows;           /* deliveries and decoders outlive the batches */
    struct own_value *owns; /* by number of a constant's value */
    uint64_t life;          /* of the batch that all this is known of */
    struct value *temps;    /* by slot of FIELD_TEMP; VALUE_NULL: not set, or several: in temp_lists */
    struct temp_list *temp_lists;
    uint32_t *temp_steps;   /* the step, run->steps_run, that put the values */
    bool temps_many;        /* some of temp_lists may be in use */
    bool *temp_listed;      /* whether it is in temp_slots */
    uint32_t *temp_slots;   /* of temps that may be set */
    uint32_t temp_count;
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
    struct slice source;     /* what the event's source is called, or none */
    struct slice header;     /* the line that names a file's columns, or none */
    bool header_used;        /* for hinomi.header */
    struct slice text;       /* what the present decoder was given */
    struct value text_value;
    const struct decoder *taker;   /* the innermost one that took it: for hinomi.decoder */
    const struct decoder *decoder; /* whose steps are running: for error.message */
    struct json_tokens tokens;     /* of tokens_of, if that is set */
    struct slice tokens_of;
    unsigned inner;      /* depth of texts within texts */
    unsigned quiet;      /* failures are expected: no sentence is made */
    uint32_t steps_run;  /* the present step's number */
    unsigned json_flags; /* JSON_CUT_* */
    struct explain *explain; /* or NULL */
    bool left;           /* fields over a limit elsewhere */
    bool out_of_memory;
    struct err *err;
};

MUST_USE int runner_init(struct runner *runner, const struct decoders *decoders);
void runner_close(struct runner *runner);
/* Whenever the batch may be another one, or was emptied, since the last event. */
void runner_begin(struct runner *runner, const struct batch *batch);

/* The event is this decoder's from here on. */
enum run_result run_decoder(struct run *run, const struct decoder *decoder, struct slice text);

/* Puts the columns that the batch has more than before into known. */
void run_learn_columns(struct run *run);

static inline const struct field *run_field(const struct run *run, uint32_t number)
{
    return &run->runner->decoders->fields.list[number];
}

/* The column of a field; NULL when the batch has none, or the field is none. */
static inline struct column *run_column(struct run *run, uint32_t number)
{
    if (UNLIKELY(run->runner->columns_seen != run->batch->column_count))
        run_learn_columns(run);
    return run->runner->known[number];
}

/* Of a field that is no column. */
struct value_list run_get_other(struct run *run, uint32_t number);

/* The values of a field of this event. */
static inline struct value_list run_get(struct run *run, uint32_t number)
{
    const struct column *column = run_column(run, number);
    if (!column)
        return run_get_other(run, number);
    if (!column_has_row(column, run->row))
        return (struct value_list){0};
    uint32_t first = column->count - 1;
    while (first && column->rows[first - 1] == run->row)
        first--;
    return (struct value_list){column->values + first, column->count - first};
}

/* False: run_get() would find nothing. */
static inline bool run_has(struct run *run, uint32_t number)
{
    const struct column *column = run_column(run, number);
    return column ? column_has_row(column, run->row) : run_get_other(run, number).count > 0;
}

/* The field that a step makes of a column of this name; UINT32_MAX: it does not concern it. */
typedef uint32_t watch_field(const struct step *step, struct slice name);
/* 0: the name begins with the struct slice that the step's data begins with. */
watch_field run_under;
/* All columns of the batch that concern the step, in their order; NULL when memory is out. dear: telling takes longer
 * than to remember what was told. */
const struct watch *run_watch(struct run *run, const struct step *step, watch_field *field, bool dear);

/* Adds a value or, with replace, is the only one afterwards. VALUE_NULL is a gap among
 * several values, and nothing where it would be the only one. Of a name that begins with '_' a step's first value
 * replaces what earlier steps put there. */
void run_put_beside(struct run *run, uint32_t field, struct value v, bool replace);
static inline void run_put(struct run *run, uint32_t field, struct value v, bool replace)
{
    struct column *column = run_column(run, field);
    if (UNLIKELY(!column || column->newest_row == run->row || v.type == VALUE_NULL))
        run_put_beside(run, field, v, replace);
    else if (column_add(run->batch, column, run->row, v) < 0)
        run->out_of_memory = true;
}
/* The present step adds to what the field has, whatever its name. */
void run_keep(struct run *run, uint32_t field);
void run_drop(struct run *run, uint32_t field);
/* The first value as text; SLICE_NONE when there is none. */
struct slice run_text(struct run *run, uint32_t field);

/* Of a value of this event; SLICE_NONE when memory is out. */
struct slice run_value_text(struct run *run, struct value v);
/* Adds a text, unless the field is UINT32_MAX. */
static inline void run_put_text(struct run *run, uint32_t field, struct slice text)
{
    if (field != UINT32_MAX && text.ptr)
        run_put(run, field, value_string(text), false);
}
/* Value i of a constant, in a batch that may outlive the decoders or not. */
struct value run_own_value(struct run *run, const struct constant *constant, uint32_t i);
/* In place of what the field has, or beside it. */
void run_put_constant(struct run *run, uint32_t field, const struct constant *constant);
void run_add_constant(struct run *run, uint32_t field, const struct constant *constant);
/* The values live until the next expression. False when memory is out. */
bool run_evaluate(struct run *run, const struct expr *expr, struct value_list *out);
/* Forgets what names that begin with '_' stand for. */
void runner_clear_temps(struct runner *runner);

/* False when the answer is NULL. */
bool run_holds(struct run *run, const struct condition *condition);
enum run_result run_steps(struct run *run, const struct steps *steps);

PRINTF_LIKE(3, 4)
enum run_result run_fail(struct run *run, const struct step *step, const char *format, ...);
