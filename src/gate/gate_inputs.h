#pragma once
/*
 * gate/gate_inputs: what a decision was made from: the columns the policy was given and every value it asked for, in the order in
 * which it asked. With the policy, which is kept under its digest, the decision can be made again and must come out the same
 * (gate/gate_rerun). Part of a decision's record in the gate's journal.
 *
 *   inputs   | how 1 | flags 1 | policy digest 32 | columns | asked ... |
 *   columns  | varint count | (name block | values) ... |   without those of the request, which the record has
 *   asked    | 'S' state or 'B' bound | crc-32c 4 of the name, or of table, key and field | values |
 *   values   | varint count | event/value_bytes ... |
 *
 * Threads  One at a time.
 */
#include "expr/expr.h"
#include "gate/policy.h"

enum gate_how {
    HOW_DOUBT,    /* the gate's own hold; no policy was asked */
    HOW_EXPIRED,
    HOW_POLICY,
    HOW_RELEASED, /* people let it go */
    HOW_PAYLOAD,  /* people let it go, but what would be signed is something else */
};
enum { INPUT_SHADOW = 1, INPUT_TIGHTENED = 2, INPUT_STOPPED = 4 };

/* ---- writing down ---- */

struct gate_inputs {
    struct buffer bytes;
    const struct expr_scope *asked; /* that is listened to */
};

void gate_inputs_init(struct gate_inputs *inputs);
void gate_inputs_close(struct gate_inputs *inputs);
/* policy NULL: there is none. */
void gate_inputs_begin(struct gate_inputs *inputs, enum gate_how how, unsigned flags, const struct policy *policy);
void gate_inputs_columns(struct gate_inputs *inputs, const struct batch *batch);
/* From now on what `to` is asked is answered by `asked` and written down. Both live until the evaluation is over. */
void gate_inputs_listen(struct gate_inputs *inputs, const struct expr_scope *asked, struct expr_scope *to);

/* ---- giving again ---- */

/* One thing that was given: a column's name, `state(table, key, field)`, or what is bound. */
typedef void (*gate_given_visit)(void *context, struct slice name, const struct value_list *values);

struct gate_given {
    enum gate_how how;
    unsigned flags;
    char digest[POLICY_DIGEST_SIZE]; /* "" for none */
    struct slice columns, asked;     /* as bytes */
    struct arena *scratch;           /* for what is given */
    gate_given_visit visit;          /* told of all that is given; NULL: nobody */
    void *context;
    bool differs;                    /* something else was asked than then */
};
/* False: these are no inputs. Nobody is told. */
MUST_USE bool gate_given_read(struct slice inputs, struct gate_given *out);
/* Puts the columns into row 0. */
MUST_USE bool gate_given_columns(const struct gate_given *given, struct batch *batch);
/* The scope is answered from what was written down. */
void gate_given_answer(struct gate_given *given, struct expr_scope *scope);
