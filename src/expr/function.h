#pragma once
/*
 * expr/function: the functions of the expression language, one table per
 * family (function_*.c). A row is all it takes to add one.
 *
 * A function evaluates its own arguments (so that if() and coalesce() need not
 * touch what they do not use) and leaves out empty for NULL.
 */
#include "expr/expr.h"

struct regex;

struct call {
    const struct expr *node;
    struct expr_scope *scope;
    const struct batch *batch;
    uint32_t row;
    struct err *err;
};

enum { FUNCTION_ARGS_ANY = 1000 };

struct expr_function {
    const char *name;
    int args_min, args_max;
    const char *summary; /* for help and completion: "round(x[,n]): half away from zero" */
    int (*call)(struct call *call, struct value_list *out);
    /* Optional: checks and compiles constant arguments once, at parse time. */
    int (*prepare)(struct expr *node, struct arena *arena, struct err *err);
};

struct expr_family {
    const struct expr_function *functions;
    size_t count;
};
extern const struct expr_family functions_logic, functions_math, functions_text, functions_mv,
    functions_convert, functions_time, functions_bits, functions_json,
    functions_json_edit, functions_cast, functions_name, functions_search;

/* Any case. NULL when there is none; then *nearest is the most similar name. */
const struct expr_function *function_find(struct slice name, const char **nearest);
/* All of them in family order: index from 0, NULL at the end. */
const struct expr_function *function_at(size_t index);

/* Helpers for the families. All return -1 only when memory is out. */
int call_arg(struct call *call, size_t index, struct value_list *out);
/* The first value of an argument, VALUE_NULL when there is none. */
int call_value(struct call *call, size_t index, struct value *out);
/* As text (numbers printed); SLICE_NONE for NULL. */
int call_text(struct call *call, size_t index, struct slice *out);
/* I64, DECIMAL or F64; *ok false for NULL and for text that is no number. */
int call_number(struct call *call, size_t index, struct value *out, bool *ok);
int call_i64(struct call *call, size_t index, int64_t *out, bool *ok); /* rounded towards zero */
/* TRUE, FALSE or NULL of a condition. */
enum truth { TRUTH_FALSE, TRUTH_TRUE, TRUTH_NULL };
int call_truth(struct call *call, size_t index, enum truth *out);
enum truth value_truth(const struct value_list *list);

int call_return(struct call *call, struct value v, struct value_list *out); /* NULL gives empty */
int call_return_text(struct call *call, struct slice text, struct value_list *out); /* copied */

/* A function of one value, applied to each member of the first argument; members without a result are
 * left out. */
typedef int (*value_map)(struct call *call, struct value v, struct value *out);
int call_map(struct call *call, value_map map, struct value_list *out);

/* -1: the function would make a longer text than EXPR_TEXT_MAX. */
int call_too_long(struct call *call);

/* For prepare: compiles argument index into node->prepared when it is written in the text. */
int function_prepare_regex(struct expr *node, size_t index, struct arena *arena, struct err *err);
/* That, or one made of the argument's value for this call, which the caller frees: *own. NULL: it is none. */
const struct regex *call_regex(struct call *call, size_t index, struct regex **own);

/* compare.c: three-valued comparison of two values as where and eval see it. */
enum truth value_compare_by(enum expr_operator op, struct value a, struct value b,
                            struct arena *scratch);
/* arithmetic.c: NULL where SPL says so. */
struct value value_arithmetic(enum expr_operator op, struct value a, struct value b,
                              struct arena *scratch);
bool text_like(struct slice text, struct slice pattern); /* % and _, anchored, cased */
