/*
 * Filters work column by column and make bitmaps; values are computed row by row. A subtree that
 * can be NULL is asked row by row, its AND and OR parts still narrow the rows first.
 */
#include "base/utf8.h"
#include "event/schema.h"
#include "expr/expr.h"
#include "expr/function.h"

static int check_stopped(const struct expr_scope *scope, struct err *err)
{
    return scope->stopped ? err_set(err, ERR_CANCELLED, "the work was cancelled") : 0;
}

static uint64_t *new_bits(struct expr_scope *scope, const struct batch *batch)
{
    return arena_calloc(scope->scratch, bits_words(batch->row_count) * 8 + 8);
}

/* ---- two-valued parts ---- */

static bool two_valued(const struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_TEST:
    case EXPR_KEYWORD:
        return true;
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
        for (size_t i = 0; i < expr->arg_count; i++)
            if (!two_valued(expr->args[i]))
                return false;
        return true;
    case EXPR_CONST:
    case EXPR_FIELD:
    case EXPR_XOR:
    case EXPR_COMPARE:
    case EXPR_NEGATE:
    case EXPR_ARITHMETIC:
    case EXPR_CONCAT:
    case EXPR_IN:
    case EXPR_LIKE:
    case EXPR_CALL:
        break;
    }
    return false;
}

/* The rows that are asked about. */
static void start_with(uint64_t *rows, const uint64_t *selected, const struct batch *batch)
{
    if (selected)
        memcpy(rows, selected, bits_words(batch->row_count) * 8);
    else
        bits_fill(rows, batch->row_count);
}

static bool is_selected(const uint64_t *selected, uint32_t row)
{
    return !selected || bits_get(selected, row);
}

/* Each text of the column folded once; NULL when memory is out (then values are folded one by one). */
static const struct slice *folded_column(const struct column *column, struct expr_scope *scope,
                                         const struct batch *batch)
{
    struct expr_folds *folds = scope->folds;
    if (!folds->columns) {
        folds->columns = arena_array(scope->scratch, batch->column_count + 1U, sizeof(struct slice *));
        folds->column_count = folds->columns ? batch->column_count : 0;
    }
    if (column->index >= folds->column_count || batch->columns[column->index] != column)
        return NULL;
    struct slice *texts = folds->columns[column->index];
    if (texts)
        return texts;
    texts = arena_array(scope->scratch, column->count + 1U, sizeof(*texts));
    for (uint32_t i = 0; texts && i < column->count; i++) {
        char small[VALUE_TEXT_SIZE];
        struct slice text = value_text_small(column->values[i], small);
        char *to = arena_alloc(scope->scratch, 3 * text.len + 1);
        if (!to)
            return NULL;
        size_t len = utf8_fold_text(text, to);
        texts[i] = column->values[i].type == VALUE_NULL ? SLICE_NONE : slice_of(to, len);
    }
    return folds->columns[column->index] = texts;
}

static void test_folded_column(const struct expr_test *test, const struct column *column,
                               const struct slice *texts, const uint64_t *selected, uint64_t *out)
{
    for (uint32_t i = 0; i < column->count; i++) {
        uint32_t row = column->rows[i];
        if (is_selected(selected, row) && texts[i].ptr && !bits_get(out, row) &&
            expr_test_folded(test, texts[i]))
            bits_set(out, row);
    }
}

static void test_column(const struct expr_test *test, const struct column *column,
                        struct expr_scope *scope, const struct batch *batch,
                        const uint64_t *selected, uint64_t *out)
{
    const struct slice *texts =
        scope->folds && expr_test_folds(test) ? folded_column(column, scope, batch) : NULL;
    if (texts) {
        test_folded_column(test, column, texts, selected, out);
        return;
    }
    for (uint32_t i = 0; i < column->count; i++) {
        uint32_t row = column->rows[i];
        if (is_selected(selected, row) && !bits_get(out, row) &&
            expr_test_value(test, column->values[i], scope))
            bits_set(out, row);
    }
}

/* The other field's value takes the place of the test's text. */
static bool field_test(const struct expr_test *test, struct value v, const struct column *other,
                       uint32_t row, struct expr_scope *scope)
{
    static const enum test_kind kinds[] = {TEST_EQUAL, TEST_PREFIX, TEST_SUFFIX, TEST_CONTAINS};
    uint32_t first, count = column_range(other, row, &first);
    for (uint32_t i = 0; i < count; i++) {
        char small[VALUE_TEXT_SIZE];
        if (other->values[first + i].type == VALUE_NULL)
            continue;
        struct slice text = value_text_small(other->values[first + i], small);
        struct expr_test with = *test;
        with.kind = kinds[test->kind - TEST_FIELD_EQUAL];
        with.text = text;
        if (!(test->flags & TEST_CASED)) {
            char *folded = arena_alloc(scope->scratch, 3 * text.len + 1);
            if (!folded)
                return false;
            with.text = slice_of(folded, utf8_fold_text(text, folded));
        }
        if (expr_test_value(&with, v, scope))
            return true;
    }
    return false;
}

static void test_against_field(const struct expr_test *test, const struct column *column,
                               const struct column *other, struct expr_scope *scope,
                               const uint64_t *selected, uint64_t *out)
{
    for (uint32_t i = 0; other && i < column->count; i++) {
        uint32_t row = column->rows[i];
        if (is_selected(selected, row) && !bits_get(out, row) &&
            field_test(test, column->values[i], other, row, scope))
            bits_set(out, row);
    }
}

static void filter_null(const struct column *column, const struct batch *batch,
                        const uint64_t *selected, uint64_t *out)
{
    bits_fill(out, batch->row_count);
    for (uint32_t i = 0; column && i < column->count; i++)
        if (column->values[i].type != VALUE_NULL)
            bits_clear(out, column->rows[i]);
    if (selected)
        bits_and(out, selected, batch->row_count);
}

static void filter_test(const struct expr *expr, struct expr_scope *scope,
                        const struct batch *batch, const uint64_t *selected, uint64_t *out)
{
    const struct column *column = batch_find(batch, expr->field);
    const struct expr_test *test = &expr->test;
    if (test->kind == TEST_NULL)
        filter_null(column, batch, selected, out);
    else if (column && test->other.ptr)
        test_against_field(test, column, batch_find(batch, test->other), scope, selected, out);
    else if (column)
        test_column(test, column, scope, batch, selected, out);
}

/* Keywords look into what the event says, not into what the program added to it. The original is
 * left out as well: its text is in the fields or in message, and its markup is nobody's word. */
bool expr_keyword_reads(struct slice column)
{
    return !slice_equal(column, FIELD_ORIGINAL) && !slice_equal(column, FIELD_INGESTED) &&
           !slice_equal(column, FIELD_PATH) && !slice_starts(column, SLICE("hinomi."));
}

static void filter_keyword(const struct expr *expr, struct expr_scope *scope,
                           const struct batch *batch, const uint64_t *selected, uint64_t *out)
{
    for (uint32_t i = 0; i < batch->column_count; i++)
        if (expr_keyword_reads(batch->columns[i]->name))
            test_column(&expr->test, batch->columns[i], scope, batch, selected, out);
}

enum { ROWS_AT_ONCE = 64 }; /* between two times that memory is taken back and stop is asked */

static int filter_rows(const struct expr *expr, struct expr_scope *scope,
                       const struct batch *batch, const uint64_t *selected, uint64_t *out,
                       struct err *err)
{
    struct arena_mark mark = arena_mark(scope->scratch);
    uint32_t done = 0;
    for (uint32_t row = 0; row < batch->row_count; row++) {
        struct value_list result;
        if (!is_selected(selected, row))
            continue;
        if (++done % ROWS_AT_ONCE == 0) {
            expr_stopped(scope);
            if (check_stopped(scope, err) < 0)
                return -1;
            if (!scope->folds) /* those live there, too */
                arena_rewind(scope->scratch, &mark);
        }
        if (expr_eval(expr, scope, batch, row, &result, err) < 0)
            return -1;
        if (value_truth(&result) == TRUTH_TRUE)
            bits_set(out, row);
    }
    return 0;
}

/* field op constant, both without a chance of NULL in between: one pass over the column. */
static bool filter_compare(const struct expr *expr, struct expr_scope *scope,
                           const struct batch *batch, const uint64_t *selected, uint64_t *out)
{
    if (expr->args[0]->kind != EXPR_FIELD || expr->args[1]->kind != EXPR_CONST || scope->bound)
        return false;
    const struct column *column = batch_find(batch, expr->args[0]->field);
    if (!column)
        return true;
    if (column->multi && expr->op == OP_NOT_EQUAL)
        return false;
    struct value constant = expr->args[1]->constant, number;
    bool equality = expr->op == OP_EQUAL || expr->op == OP_NOT_EQUAL;
    bool as_text = equality && constant.type == VALUE_STRING && !value_to_number(constant, scope->scratch, &number);
    for (uint32_t i = 0; i < column->count; i++) {
        struct value v = column->values[i];
        uint32_t row = column->rows[i];
        if (!is_selected(selected, row) || v.type == VALUE_NULL)
            continue;
        bool holds = as_text && v.type == VALUE_STRING
                         ? slice_equal_short(value_slice(v), value_slice(constant)) == (expr->op == OP_EQUAL)
                         : value_compare_by(expr->op, v, constant, scope->scratch) == TRUTH_TRUE;
        if (holds)
            bits_set(out, row);
    }
    return true;
}

static int filter_and(const struct expr *expr, struct expr_scope *scope, const struct batch *batch,
                      const uint64_t *selected, uint64_t *out, struct err *err)
{
    uint64_t *left = new_bits(scope, batch);
    uint64_t *next = new_bits(scope, batch);
    if (!left || !next)
        return err_nomem(err);
    start_with(left, selected, batch);
    for (size_t i = 0; i < expr->arg_count && bits_any(left, batch->row_count); i++) {
        if (expr_filter(expr->args[i], scope, batch, left, next, err) < 0)
            return -1;
        uint64_t *swap = left;
        left = next;
        next = swap;
    }
    memcpy(out, left, bits_words(batch->row_count) * 8);
    return 0;
}

static int filter_or(const struct expr *expr, struct expr_scope *scope, const struct batch *batch,
                     const uint64_t *selected, uint64_t *out, struct err *err)
{
    uint64_t *rest = new_bits(scope, batch);
    uint64_t *next = new_bits(scope, batch);
    if (!rest || !next)
        return err_nomem(err);
    start_with(rest, selected, batch);
    struct arena_mark mark = arena_mark(scope->scratch);
    for (size_t i = 0; i < expr->arg_count && bits_any(rest, batch->row_count); i++) {
        expr_stopped(scope);
        if (check_stopped(scope, err) < 0 ||
            expr_filter(expr->args[i], scope, batch, rest, next, err) < 0)
            return -1;
        if (!scope->folds)
            arena_rewind(scope->scratch, &mark);
        bits_or(out, next, batch->row_count);
        bits_and_not(rest, next, batch->row_count);
    }
    return 0;
}

static int filter_not(const struct expr *expr, struct expr_scope *scope, const struct batch *batch,
                      const uint64_t *selected, uint64_t *out, struct err *err)
{
    uint64_t *inner = new_bits(scope, batch);
    if (!inner)
        return err_nomem(err);
    if (expr_filter(expr->args[0], scope, batch, selected, inner, err) < 0)
        return -1;
    start_with(out, selected, batch);
    bits_and_not(out, inner, batch->row_count);
    return 0;
}

int expr_filter(const struct expr *expr, struct expr_scope *scope, const struct batch *batch,
                const uint64_t *selected, uint64_t *out, struct err *err)
{
    bits_zero(out, batch->row_count);
    switch (expr->kind) {
    case EXPR_TEST:
        filter_test(expr, scope, batch, selected, out);
        return check_stopped(scope, err);
    case EXPR_KEYWORD:
        filter_keyword(expr, scope, batch, selected, out);
        return check_stopped(scope, err);
    case EXPR_AND:
        return filter_and(expr, scope, batch, selected, out, err);
    case EXPR_OR:
        return filter_or(expr, scope, batch, selected, out, err);
    case EXPR_NOT:
        if (two_valued(expr))
            return filter_not(expr, scope, batch, selected, out, err);
        break;
    case EXPR_COMPARE:
        if (filter_compare(expr, scope, batch, selected, out))
            return 0;
        break;
    case EXPR_CONST:
    case EXPR_FIELD:
    case EXPR_XOR:
    case EXPR_NEGATE:
    case EXPR_ARITHMETIC:
    case EXPR_CONCAT:
    case EXPR_IN:
    case EXPR_LIKE:
    case EXPR_CALL:
        break;
    }
    return filter_rows(expr, scope, batch, selected, out, err);
}

/* ---- one row ---- */

static int give(struct expr_scope *scope, struct value v, struct value_list *out, struct err *err)
{
    *out = (struct value_list){0};
    if (v.type == VALUE_NULL)
        return 0;
    struct value *room = arena_alloc(scope->scratch, sizeof(*room));
    if (!room)
        return err_nomem(err);
    *room = v;
    *out = (struct value_list){room, 1};
    return 0;
}

/* Expressions know numbers and text: times are seconds, JSON's true is the text "true". */
static struct value as_operand(struct value v, struct arena *scratch)
{
    if (v.type == VALUE_TIME) {
        struct value number = value_null();
        return value_to_number(v, scratch, &number) ? number : value_null();
    }
    if (v.type == VALUE_BOOL)
        return value_string(v.boolean ? SLICE("true") : SLICE("false"));
    return v;
}

static int eval_field(const struct expr *expr, struct expr_scope *scope, const struct batch *batch,
                      uint32_t row, struct value_list *out, struct err *err)
{
    *out = (struct value_list){0};
    if (scope->bound && scope->bound(scope->bound_context, expr->field, out))
        return 0;
    const struct column *column = batch ? batch_find(batch, expr->field) : NULL;
    uint32_t first, count = column ? column_range(column, row, &first) : 0;
    if (!count)
        return 0;
    uint16_t special = (1U << VALUE_TIME) | (1U << VALUE_BOOL) | (1U << VALUE_NULL);
    if (!(column->types_seen & special)) {
        *out = (struct value_list){column->values + first, count};
        return 0;
    }
    struct value *room = arena_alloc(scope->scratch, count * sizeof(*room));
    if (!room)
        return err_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        struct value v = as_operand(column->values[first + i], scope->scratch);
        if (v.type != VALUE_NULL)
            room[out->count++] = v;
    }
    out->values = room;
    return 0;
}

static bool row_has(const struct expr_test *test, const struct column *column,
                    const struct column *other, uint32_t row, struct expr_scope *scope)
{
    uint32_t first, count = column ? column_range(column, row, &first) : 0;
    for (uint32_t i = 0; i < count; i++) {
        struct value v = column->values[first + i];
        if (test->other.ptr ? other && field_test(test, v, other, row, scope)
                            : expr_test_value(test, v, scope))
            return true;
    }
    return false;
}

static bool row_test(const struct expr *expr, struct expr_scope *scope, const struct batch *batch,
                     uint32_t row)
{
    const struct expr_test *test = &expr->test;
    if (expr->kind == EXPR_KEYWORD) {
        for (uint32_t i = 0; i < batch->column_count; i++)
            if (expr_keyword_reads(batch->columns[i]->name) &&
                row_has(test, batch->columns[i], NULL, row, scope))
                return true;
        return false;
    }
    const struct column *column = batch_find(batch, expr->field);
    if (test->kind == TEST_NULL) {
        struct expr_test exists = {.kind = TEST_EXISTS};
        return !row_has(&exists, column, NULL, row, scope);
    }
    const struct column *other = test->other.ptr ? batch_find(batch, test->other) : NULL;
    return row_has(test, column, other, row, scope);
}

enum truth value_truth(const struct value_list *list)
{
    if (list->count == 0 || list->values[0].type != VALUE_BOOL)
        return TRUTH_NULL;
    return list->values[0].boolean ? TRUTH_TRUE : TRUTH_FALSE;
}

static int eval_truth(const struct expr *expr, struct expr_scope *scope, const struct batch *batch,
                      uint32_t row, enum truth *out, struct err *err)
{
    struct value_list list;
    if (expr_eval(expr, scope, batch, row, &list, err) < 0)
        return -1;
    *out = value_truth(&list);
    return 0;
}

static int give_truth(struct expr_scope *scope, enum truth truth, struct value_list *out,
                      struct err *err)
{
    return give(scope, truth == TRUTH_NULL ? value_null() : value_bool(truth == TRUTH_TRUE), out,
                err);
}

/* AND stops at FALSE, OR at TRUE; a NULL seen on the way makes the result NULL. */
static int eval_and_or(const struct expr *expr, struct expr_scope *scope, const struct batch *batch,
                       uint32_t row, struct value_list *out, struct err *err)
{
    enum truth stop = expr->kind == EXPR_AND ? TRUTH_FALSE : TRUTH_TRUE;
    enum truth result = expr->kind == EXPR_AND ? TRUTH_TRUE : TRUTH_FALSE;
    for (size_t i = 0; i < expr->arg_count; i++) {
        enum truth truth;
        if (eval_truth(expr->args[i], scope, batch, row, &truth, err) < 0)
            return -1;
        if (truth == stop)
            return give_truth(scope, stop, out, err);
        if (truth == TRUTH_NULL)
            result = TRUTH_NULL;
    }
    return give_truth(scope, result, out, err);
}

static int eval_not_xor(const struct expr *expr, struct expr_scope *scope,
                        const struct batch *batch, uint32_t row, struct value_list *out,
                        struct err *err)
{
    enum truth one;
    bool odd = expr->kind == EXPR_NOT;
    for (size_t i = 0; i < expr->arg_count; i++) {
        if (eval_truth(expr->args[i], scope, batch, row, &one, err) < 0)
            return -1;
        if (one == TRUTH_NULL)
            return give_truth(scope, TRUTH_NULL, out, err);
        odd ^= one == TRUTH_TRUE;
    }
    return give_truth(scope, odd ? TRUTH_TRUE : TRUTH_FALSE, out, err);
}

/* Any member that compares TRUE makes it TRUE; != is TRUE when no member is equal. */
static int eval_compare(const struct expr *expr, struct expr_scope *scope,
                        const struct batch *batch, uint32_t row, struct value_list *out,
                        struct err *err)
{
    struct value_list a, b;
    if (expr_eval(expr->args[0], scope, batch, row, &a, err) < 0 ||
        expr_eval(expr->args[1], scope, batch, row, &b, err) < 0)
        return -1;
    if (a.count == 0 || b.count == 0)
        return give_truth(scope, TRUTH_NULL, out, err);
    bool not_equal = expr->op == OP_NOT_EQUAL;
    enum expr_operator op = not_equal ? OP_EQUAL : expr->op;
    enum truth result = TRUTH_FALSE;
    for (uint32_t i = 0; i < a.count && result != TRUTH_TRUE; i++)
        for (uint32_t j = 0; j < b.count && result != TRUTH_TRUE; j++)
            result = value_compare_by(op, a.values[i], b.values[j], scope->scratch);
    if (not_equal && result != TRUTH_NULL)
        result = result == TRUTH_TRUE ? TRUTH_FALSE : TRUTH_TRUE;
    return give_truth(scope, result, out, err);
}

static int eval_in(const struct expr *expr, struct expr_scope *scope, const struct batch *batch,
                   uint32_t row, struct value_list *out, struct err *err)
{
    struct value_list a, b;
    if (expr_eval(expr->args[0], scope, batch, row, &a, err) < 0)
        return -1;
    if (a.count == 0)
        return give_truth(scope, TRUTH_NULL, out, err);
    for (size_t k = 1; k < expr->arg_count; k++) {
        if (expr_eval(expr->args[k], scope, batch, row, &b, err) < 0)
            return -1;
        for (uint32_t i = 0; i < a.count; i++)
            for (uint32_t j = 0; j < b.count; j++)
                if (value_compare_by(OP_EQUAL, a.values[i], b.values[j], scope->scratch) ==
                    TRUTH_TRUE)
                    return give_truth(scope, TRUTH_TRUE, out, err);
    }
    return give_truth(scope, TRUTH_FALSE, out, err);
}

static int eval_like(const struct expr *expr, struct expr_scope *scope, const struct batch *batch,
                     uint32_t row, struct value_list *out, struct err *err)
{
    struct value_list a, b;
    if (expr_eval(expr->args[0], scope, batch, row, &a, err) < 0 ||
        expr_eval(expr->args[1], scope, batch, row, &b, err) < 0)
        return -1;
    if (a.count == 0 || b.count == 0)
        return give_truth(scope, TRUTH_NULL, out, err);
    char small[VALUE_TEXT_SIZE], other[VALUE_TEXT_SIZE];
    struct slice pattern = value_text_small(b.values[0], other);
    for (uint32_t i = 0; i < a.count; i++)
        if (text_like(value_text_small(a.values[i], small), pattern))
            return give_truth(scope, TRUTH_TRUE, out, err);
    return give_truth(scope, TRUTH_FALSE, out, err);
}

static int eval_arithmetic(const struct expr *expr, struct expr_scope *scope,
                           const struct batch *batch, uint32_t row, struct value_list *out,
                           struct err *err)
{
    struct value_list a, b;
    if (expr_eval(expr->args[0], scope, batch, row, &a, err) < 0 ||
        expr_eval(expr->args[1], scope, batch, row, &b, err) < 0)
        return -1;
    if (a.count == 0 || b.count == 0)
        return give(scope, value_null(), out, err);
    return give(scope, value_arithmetic(expr->op, a.values[0], b.values[0], scope->scratch), out,
                err);
}

static int eval_negate(const struct expr *expr, struct expr_scope *scope, const struct batch *batch,
                       uint32_t row, struct value_list *out, struct err *err)
{
    struct value_list a;
    if (expr_eval(expr->args[0], scope, batch, row, &a, err) < 0)
        return -1;
    if (a.count == 0)
        return give(scope, value_null(), out, err);
    return give(scope, value_arithmetic(OP_SUBTRACT, value_i64(0), a.values[0], scope->scratch),
                out, err);
}

static int eval_concat(const struct expr *expr, struct expr_scope *scope, const struct batch *batch,
                       uint32_t row, struct value_list *out, struct err *err)
{
    struct slice text = SLICE("");
    for (size_t i = 0; i < expr->arg_count; i++) {
        struct value_list part;
        char small[VALUE_TEXT_SIZE];
        if (expr_eval(expr->args[i], scope, batch, row, &part, err) < 0)
            return -1;
        if (part.count == 0)
            return give(scope, value_null(), out, err);
        struct slice more = value_text_small(part.values[0], small);
        char *joined = arena_alloc(scope->scratch, text.len + more.len + 1);
        if (!joined)
            return err_nomem(err);
        memcpy(joined, text.ptr, text.len);
        if (more.len)
            memcpy(joined + text.len, more.ptr, more.len);
        text = slice_of(joined, text.len + more.len);
    }
    return give(scope, value_string(text), out, err);
}

int expr_eval(const struct expr *expr, struct expr_scope *scope, const struct batch *batch,
              uint32_t row, struct value_list *out, struct err *err)
{
    switch (expr->kind) {
    case EXPR_CONST:
        *out = (struct value_list){&expr->constant, expr->constant.type != VALUE_NULL};
        return 0;
    case EXPR_FIELD:
        return eval_field(expr, scope, batch, row, out, err);
    case EXPR_TEST:
    case EXPR_KEYWORD:
        return give(scope, value_bool(row_test(expr, scope, batch, row)), out, err);
    case EXPR_AND:
    case EXPR_OR:
        return eval_and_or(expr, scope, batch, row, out, err);
    case EXPR_NOT:
    case EXPR_XOR:
        return eval_not_xor(expr, scope, batch, row, out, err);
    case EXPR_COMPARE:
        return eval_compare(expr, scope, batch, row, out, err);
    case EXPR_IN:
        return eval_in(expr, scope, batch, row, out, err);
    case EXPR_LIKE:
        return eval_like(expr, scope, batch, row, out, err);
    case EXPR_ARITHMETIC:
        return eval_arithmetic(expr, scope, batch, row, out, err);
    case EXPR_NEGATE:
        return eval_negate(expr, scope, batch, row, out, err);
    case EXPR_CONCAT:
        return eval_concat(expr, scope, batch, row, out, err);
    case EXPR_CALL: {
        struct call call = {expr, scope, batch, row, err};
        *out = (struct value_list){0};
        return expr->function->call(&call, out);
    }
    }
    return err_set(err, ERR_CONFIG, "an expression has an unknown node");
}
