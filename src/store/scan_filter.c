#include "store/scan_dict.h"

#include "base/utf8.h"
#include "event/schema.h"
#include "expr/any_of.h"
#include "store/words.h"

#include <stdlib.h>

int block_view_init(struct block_view *view, const struct segment *segment, uint32_t block,
                    struct err *err)
{
    const struct segment_block *in = segment_get_block(segment, block);
    view->segment = segment;
    view->block = block;
    view->row_count = in->row_count;
    view->damaged = SLICE_NONE;
    return segment_columns_init(&view->columns, segment, block, view->arena, err);
}

struct segment_column *block_view_column(struct block_view *view, struct slice name)
{
    const struct chunk *chunk = segment_find_chunk(view->segment, view->block, name);
    if (!chunk)
        return NULL;
    const struct segment_block *in = segment_get_block(view->segment, view->block);
    return segment_columns_at(&view->columns, (size_t)(chunk - in->chunks));
}


/* ---- one test on one column ------------------------------------------------------------- */

/* The smallest and the largest number of a column; decimals point into room. */
static bool range_of(const struct chunk *chunk, int128 room[2], struct value *low,
                     struct value *high)
{
    if (!(chunk->flags & CHUNK_HAS_RANGE))
        return false;
    if (chunk->encoding == CHUNK_INT && chunk->type == VALUE_I64) {
        *low = value_i64(chunk->low);
        *high = value_i64(chunk->high);
        return true;
    }
    if (chunk->encoding != CHUNK_DECIMAL || chunk->type > DECIMAL_DIGITS_MAX)
        return false;
    room[0] = chunk->low;
    room[1] = chunk->high;
    *low = (struct value){.type = VALUE_DECIMAL, .scale = chunk->type, .decimal = &room[0]};
    *high = (struct value){.type = VALUE_DECIMAL, .scale = chunk->type, .decimal = &room[1]};
    return true;
}

/* A network that lies beside all addresses of the column. */
static bool addresses_rule_out(const struct chunk *chunk, const struct cidr *cidr)
{
    if (cidr->base.family != 4)
        return true;
    int64_t first = ip4_number(cidr->base.bytes);
    int64_t last = first | ((INT64_C(1) << (32 - cidr->bits)) - 1);
    return last < chunk->low || first > chunk->high;
}

/* What they tell about a comparison with a number, or a network. */
static bool range_rules_out(const struct chunk *chunk, const struct expr_test *test)
{
    int128 room[2];
    struct value low, high;
    if (test->kind == TEST_CIDR && chunk->encoding == CHUNK_IP4 && chunk->flags & CHUNK_HAS_RANGE)
        return addresses_rule_out(chunk, &test->cidr);
    if (!(test->flags & TEST_NUMERIC) || !range_of(chunk, room, &low, &high))
        return false;
    int from_low = value_compare_numbers(test->number, low);
    int from_high = value_compare_numbers(test->number, high);
    if (test->kind == TEST_EQUAL)
        return from_low < 0 || from_high > 0;
    if (test->kind == TEST_LESS)
        return from_low <= 0;
    if (test->kind == TEST_LESS_EQUAL)
        return from_low < 0;
    if (test->kind == TEST_GREATER)
        return from_high >= 0;
    return test->kind == TEST_GREATER_EQUAL && from_high > 0;
}

/* Texts of which none is in the block. */
static bool all_ruled_out(struct block_view *view, const struct chunk *chunk, const struct expr_test *test)
{
    size_t count;
    const struct slice *texts = any_of_texts(test->any_of, &count);
    if (count != any_of_count(test->any_of) || test->flags & TEST_CASED)
        return false;
    for (size_t i = 0; i < count; i++)
        if (segment_may_have_text(view->segment, chunk, texts[i], view->arena))
            return false;
    return true;
}

static bool filter_rules_out(struct block_view *view, const struct chunk *chunk,
                             const struct expr_test *test)
{
    bool text = chunk->encoding == CHUNK_TEXT || chunk->encoding == CHUNK_SKELETON;
    if (text && test->kind == TEST_ANY_OF)
        return all_ruled_out(view, chunk, test);
    if (!text || test->kind != TEST_EQUAL || (test->flags & TEST_NUMERIC))
        return false;
    struct slice folded = test->text;
    if (test->flags & TEST_CASED) {
        char *to = arena_alloc(view->arena, 3 * folded.len + 1);
        if (!to)
            return false;
        folded = slice_of(to, utf8_fold_text(folded, to));
    }
    return !segment_may_have_text(view->segment, chunk, folded, view->arena);
}

/* A term whose words are nowhere in the block. */
static bool words_rule_out(struct block_view *view, const struct expr_test *test)
{
    if (test->kind != TEST_TERM || test->wildcard.count || test->flags & TEST_CASED)
        return false;
    if (!view->has_words) {
        view->has_words = true;
        view->words = segment_words(view->segment, view->block, view->arena);
    }
    return view->words.len && !words_may_have(view->words, test->text);
}

/* Of the selected rows those that are worth putting together: all, or those that may have what the
 * test looks for. NULL: memory is out or the column is damaged. */
static const uint64_t *worth_reading(struct block_view *view, const struct expr_test *test,
                                     struct segment_column *column, const uint64_t *selected,
                                     struct err *err)
{
    struct needle needle;
    if (column->chunk->encoding != CHUNK_SKELETON || !scan_needle(test, &needle) ||
        bits_count(selected, view->row_count) <= SEGMENT_FEW_ROWS)
        return selected;
    struct segment_column fresh = *column;
    uint64_t *rows = arena_calloc(view->arena, bits_words(view->row_count) * 8);
    if (!rows) {
        err_nomem(err);
        return NULL;
    }
    if (skeleton_find(&fresh, &needle, selected, rows, view->arena, err) < 0) {
        scan_damaged(view, column);
        return NULL;
    }
    bits_and(rows, selected, view->row_count);
    return rows;
}

/* A text inside others whose trigrams are not all in the block. */
static bool trigrams_rule_out(struct block_view *view, const struct expr_test *test)
{
    struct needle needle;
    if (!scan_needle(test, &needle))
        return false;
    char *to = needle.cased ? arena_alloc(view->arena, 3 * needle.text.len + 1) : NULL;
    if (to)
        needle.text = slice_of(to, utf8_fold_text(needle.text, to));
    else if (needle.cased)
        return false;
    if (!view->has_trigrams) {
        view->has_trigrams = true;
        view->trigrams = segment_trigrams(view->segment, view->block, view->arena);
    }
    return !trigrams_may_have(view->trigrams, needle.text);
}

/* A comparison of whole numbers, as bounds: low <= n <= high. False when it is none. */
static bool bounds_of(const struct chunk *chunk, const struct expr_test *test, int64_t *low,
                      int64_t *high)
{
    int64_t n = test->number.i64;
    if (chunk->encoding != CHUNK_INT || chunk->type != VALUE_I64 ||
        !(test->flags & TEST_NUMERIC) || test->number.type != VALUE_I64)
        return false;
    *low = INT64_MIN;
    *high = INT64_MAX;
    if (test->kind == TEST_EQUAL || test->kind == TEST_GREATER_EQUAL)
        *low = n;
    if (test->kind == TEST_EQUAL || test->kind == TEST_LESS_EQUAL)
        *high = n;
    if (test->kind == TEST_LESS && n > INT64_MIN)
        *high = n - 1;
    if (test->kind == TEST_GREATER && n < INT64_MAX)
        *low = n + 1;
    return *low != INT64_MIN || *high != INT64_MAX;
}

static int test_numbers(struct block_view *view, struct segment_column *column, int64_t low,
                        int64_t high, const uint64_t *selected, uint64_t *out, struct err *err)
{
    if (segment_load_rows(column, view->arena, err) < 0 ||
        segment_load_numbers(column, view->arena, err) < 0)
        return scan_damaged(view, column);
    for (uint32_t i = 0; i < column->count; i++) {
        uint32_t row = column->rows[i];
        bool inside = column->numbers[i] >= low && column->numbers[i] <= high;
        out[row / 64] |= (uint64_t)inside << row % 64 & selected[row / 64];
    }
    return 0;
}

static int test_values(struct block_view *view, const struct expr_test *test,
                       struct segment_column *column, const uint64_t *selected, uint64_t *out,
                       struct err *err)
{
    if (range_rules_out(column->chunk, test) || filter_rules_out(view, column->chunk, test) ||
        trigrams_rule_out(view, test) || words_rule_out(view, test))
        return 0;
    int64_t low, high;
    if (bounds_of(column->chunk, test, &low, &high))
        return test_numbers(view, column, low, high, selected, out, err);
    selected = worth_reading(view, test, column, selected, err);
    if (!selected)
        return -1;
    if (!bits_any(selected, view->row_count))
        return 0;
    if (segment_load_rows(column, view->arena, err) < 0)
        return scan_damaged(view, column);
    struct segment_column fresh = *column; /* its values are for these rows only */
    if (segment_load_values(&fresh, selected, view->arena, err) < 0)
        return scan_damaged(view, column);
    for (uint32_t i = 0; i < fresh.count; i++) {
        uint32_t row = fresh.rows[i];
        if (bits_get(selected, row) && !bits_get(out, row) &&
            scan_ask(view, test, fresh.values[i], i))
            bits_set(out, row);
    }
    return 0;
}

static int test_column(struct block_view *view, const struct expr_test *test,
                       struct segment_column *column, const uint64_t *selected, uint64_t *out,
                       struct err *err)
{
    if (test->kind == TEST_EXISTS && !(column->chunk->types_seen & 1U << VALUE_NULL)) {
        if (segment_load_rows(column, view->arena, err) < 0)
            return scan_damaged(view, column);
        for (uint32_t i = 0; i < column->count; i++)
            if (bits_get(selected, column->rows[i]))
                bits_set(out, column->rows[i]);
        return 0;
    }
    if (!scan_has_dict(column->chunk))
        return test_values(view, test, column, selected, out, err);
    struct dict_answer answer;
    return scan_dict_ask(view, test, column, &answer, err) < 0
               ? -1
               : scan_dict_mark(view, column, &answer, selected, out, err);
}

/* ---- fallback --------------------------------------------------------------------------- */

struct collector {
    struct block_view *view;
    struct batch *batch;
    const uint64_t *selected;
    struct err *err;
    int result;
};

static int put_one(struct block_view *view, struct batch *batch, struct slice name,
                   struct segment_column *column, const uint64_t *selected, struct err *err)
{
    if (batch_find(batch, name))
        return 0;
    if (segment_load_rows(column, view->arena, err) < 0)
        return scan_damaged(view, column);
    struct segment_column fresh = *column;
    if (block_put_column(batch, name, &fresh, selected, false, err) < 0)
        return scan_damaged(view, column);
    return 0;
}

static int put_ids(struct collector *to)
{
    struct segment_column *seq = block_view_column(to->view, FIELD_SEQ);
    if (!seq || segment_load_values(seq, NULL, to->view->arena, to->err) < 0)
        return -1;
    return block_put_ids(to->batch, to->view->store_id, seq->values, to->selected, to->err);
}

static void collect_field(void *context, struct slice name)
{
    struct collector *to = context;
    struct segment_column *column = block_view_column(to->view, name);
    if (to->result == 0 && column)
        to->result = put_one(to->view, to->batch, name, column, to->selected, to->err);
    if (to->result == 0 && slice_equal(name, FIELD_EVENT_ID))
        to->result = put_ids(to);
}

static int collect_all(struct collector *to)
{
    const struct segment_block *in = segment_get_block(to->view->segment, to->view->block);
    for (uint32_t i = 0; i < in->chunk_count; i++)
        if (put_one(to->view, to->batch,
                    segment_column_name(to->view->segment, in->chunks[i].column),
                    segment_columns_at(&to->view->columns, i), to->selected, to->err) < 0)
            return -1;
    return 0;
}

static int filter_by_batch(struct block_view *view, const struct expr *expr,
                           const uint64_t *selected, uint64_t *out, struct err *err)
{
    bool all = false;
    struct collector to = {.view = view,
                           .batch = block_batch_new(view->arena, view->row_count),
                           .selected = selected,
                           .err = err};
    if (!to.batch)
        return err_nomem(err);
    expr_fields(expr, collect_field, &to, &all);
    if (to.result == 0 && all)
        to.result = collect_all(&to);
    if (to.result < 0)
        return -1;
    arena_reset(view->scope->scratch);
    return expr_filter(expr, view->scope, to.batch, selected, out, err);
}

/* ---- the tree --------------------------------------------------------------------------- */

static bool is_two_valued(const struct expr *expr)
{
    if (expr->kind == EXPR_TEST || expr->kind == EXPR_KEYWORD)
        return true;
    if (expr->kind != EXPR_AND && expr->kind != EXPR_OR && expr->kind != EXPR_NOT)
        return false;
    for (size_t i = 0; i < expr->arg_count; i++)
        if (!is_two_valued(expr->args[i]))
            return false;
    return true;
}

static int filter_test(struct block_view *view, const struct expr *expr,
                       const uint64_t *selected, uint64_t *out, struct err *err)
{
    if (expr->test.other.ptr || slice_equal(expr->field, FIELD_EVENT_ID) || view->scope->bound)
        return filter_by_batch(view, expr, selected, out, err);
    struct segment_column *column = block_view_column(view, expr->field);
    if (expr->test.kind != TEST_NULL)
        return column ? test_column(view, &expr->test, column, selected, out, err) : 0;
    struct expr_test exists = {.kind = TEST_EXISTS};
    uint64_t *found = arena_calloc(view->arena, bits_words(view->row_count) * 8);
    if (!found)
        return err_nomem(err);
    if (column && test_column(view, &exists, column, selected, found, err) < 0)
        return -1;
    bits_or(out, selected, view->row_count);
    bits_and_not(out, found, view->row_count);
    return 0;
}

/* A keyword is its test on every column; those with dictionaries first, they are cheap. */
static int filter_keyword(struct block_view *view, const struct expr *expr,
                          const uint64_t *selected, uint64_t *out, struct err *err)
{
    const struct segment_block *in = segment_get_block(view->segment, view->block);
    uint64_t *rest = arena_alloc(view->arena, bits_words(view->row_count) * 8);
    if (!rest)
        return err_nomem(err);
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < in->chunk_count; i++) {
            struct slice name = segment_column_name(view->segment, in->chunks[i].column);
            if (scan_has_dict(&in->chunks[i]) != (pass == 0) || !expr_keyword_reads(name))
                continue;
            memcpy(rest, selected, bits_words(view->row_count) * 8);
            bits_and_not(rest, out, view->row_count);
            if (!bits_any(rest, view->row_count))
                return 0;
            if (test_column(view, &expr->test, segment_columns_at(&view->columns, i), rest, out, err) < 0)
                return -1;
        }
    return 0;
}

static int cost_of(struct block_view *view, const struct expr *expr)
{
    if (expr->kind != EXPR_TEST)
        return expr->kind == EXPR_KEYWORD ? 6 : 5;
    const struct chunk *chunk = segment_find_chunk(view->segment, view->block, expr->field);
    if (!chunk)
        return 0;
    if (scan_has_dict(chunk))
        return 1;
    if (chunk->encoding == CHUNK_SKELETON)
        return 4;
    return chunk->encoding == CHUNK_TEXT ? 3 : 2;
}

/* A child that is one test on a column with a dictionary. */
struct dict_child {
    const struct expr *expr;
    struct segment_column *column;
    struct dict_answer answer;
};

/* A test that is asked of the stored values of one column, and is FALSE where there are none. */
static bool is_plain_test(const struct block_view *view, const struct expr *expr)
{
    return expr->kind == EXPR_TEST && expr->test.kind != TEST_NULL && !expr->test.other.ptr &&
           !view->scope->bound && !slice_equal(expr->field, FIELD_EVENT_ID);
}

static bool lacks_column(const struct block_view *view, const struct expr *expr)
{
    return is_plain_test(view, expr) &&
           !segment_find_chunk(view->segment, view->block, expr->field);
}

static bool is_dict_child(const struct block_view *view, const struct expr *expr)
{
    if (!is_plain_test(view, expr) || expr->test.kind == TEST_EXISTS)
        return false;
    const struct chunk *chunk = segment_find_chunk(view->segment, view->block, expr->field);
    return chunk && scan_has_dict(chunk);
}

/* The larger the dictionary and the fewer its entries that fit, the fewer rows there will be. */
static int by_share(const void *a, const void *b)
{
    const struct dict_child *x = a, *y = b;
    uint64_t left = (uint64_t)x->answer.count * y->column->dict_count;
    uint64_t right = (uint64_t)y->answer.count * x->column->dict_count;
    return (left > right) - (left < right);
}

/* All dictionaries are asked before any row is looked at: one that has nothing ends it. */
static int filter_dicts(struct block_view *view, const struct expr *expr, uint64_t *left,
                        struct err *err)
{
    size_t words = bits_words(view->row_count), count = 0;
    struct dict_child *list = arena_array(view->arena, expr->arg_count, sizeof(*list));
    uint64_t *next = arena_alloc(view->arena, words * 8);
    if (!list || !next)
        return err_nomem(err);
    for (size_t i = 0; i < expr->arg_count; i++) {
        struct dict_child *child = &list[count];
        if (!is_dict_child(view, expr->args[i]))
            continue;
        child->expr = expr->args[i];
        child->column = block_view_column(view, child->expr->field);
        if (scan_dict_ask(view, &child->expr->test, child->column, &child->answer, err) < 0)
            return -1;
        if (!child->answer.count) {
            memset(left, 0, words * 8);
            return 0;
        }
        count++;
    }
    qsort(list, count, sizeof(*list), by_share);
    for (size_t i = 0; i < count && bits_any(left, view->row_count); i++) {
        memset(next, 0, words * 8);
        if (scan_dict_mark(view, list[i].column, &list[i].answer, left, next, err) < 0)
            return -1;
        memcpy(left, next, words * 8);
    }
    return 0;
}

/* What a view had read when its children began, to go back to when they have read much. */
struct view_mark {
    struct block_view view;
    struct segment_column *columns;
    size_t column_count;
    size_t used;
    struct arena_mark arena;
};

static int view_mark_set(struct view_mark *mark, struct block_view *view, struct err *err)
{
    mark->view = *view;
    mark->column_count = segment_get_block(view->segment, view->block)->chunk_count;
    mark->columns = arena_array(view->arena, mark->column_count + 1, sizeof(*mark->columns));
    if (!mark->columns)
        return err_nomem(err);
    memcpy(mark->columns, view->columns.list, mark->column_count * sizeof(*mark->columns));
    mark->used = arena_used(view->arena);
    mark->arena = arena_mark(view->arena);
    return 0;
}

/* Every term reads the texts of all columns that may have it: without this as many terms as there are
 * would hold them at the same time. What the next one needs of it is read again. */
static void view_mark_use(const struct view_mark *mark, struct block_view *view)
{
    if (arena_used(view->arena) - mark->used <= SCAN_HELD_MAX)
        return;
    arena_rewind(view->arena, &mark->arena);
    memcpy(view->columns.list, mark->columns, mark->column_count * sizeof(*mark->columns));
    *view = mark->view;
}

/* Dictionaries, then other children, cheap ones first: an early "no" saves reading the dear ones. */
static int filter_and(struct block_view *view, const struct expr *expr, const uint64_t *selected,
                      uint64_t *out, struct err *err)
{
    size_t words = bits_words(view->row_count);
    uint64_t *left = arena_alloc(view->arena, words * 8);
    uint64_t *next = arena_alloc(view->arena, words * 8);
    if (!left || !next)
        return err_nomem(err);
    memcpy(left, selected, words * 8);
    for (size_t i = 0; i < expr->arg_count; i++)
        if (lacks_column(view, expr->args[i]))
            return 0;
    struct view_mark mark;
    if (filter_dicts(view, expr, left, err) < 0 || view_mark_set(&mark, view, err) < 0)
        return -1;
    for (int cost = 0; cost <= 6; cost++)
        for (size_t i = 0; i < expr->arg_count; i++) {
            if (!bits_any(left, view->row_count))
                return 0;
            if (cost_of(view, expr->args[i]) != cost || is_dict_child(view, expr->args[i]))
                continue;
            view_mark_use(&mark, view);
            memset(next, 0, words * 8);
            if (scan_filter_block(view, expr->args[i], left, next, err) < 0)
                return -1;
            memcpy(left, next, words * 8);
        }
    bits_or(out, left, view->row_count);
    return 0;
}

static int filter_or(struct block_view *view, const struct expr *expr, const uint64_t *selected,
                     uint64_t *out, struct err *err)
{
    size_t words = bits_words(view->row_count);
    uint64_t *rest = arena_alloc(view->arena, words * 8);
    uint64_t *found = arena_calloc(view->arena, words * 8);
    struct view_mark mark;
    if (!rest || !found)
        return err_nomem(err);
    if (view_mark_set(&mark, view, err) < 0)
        return -1;
    for (int cost = 0; cost <= 6; cost++)
        for (size_t i = 0; i < expr->arg_count; i++) {
            if (cost_of(view, expr->args[i]) != cost)
                continue;
            view_mark_use(&mark, view);
            memcpy(rest, selected, words * 8);
            bits_and_not(rest, found, view->row_count);
            if (bits_any(rest, view->row_count) &&
                scan_filter_block(view, expr->args[i], rest, found, err) < 0)
                return -1;
        }
    bits_or(out, found, view->row_count);
    return 0;
}

static int filter_not(struct block_view *view, const struct expr *expr, const uint64_t *selected,
                      uint64_t *out, struct err *err)
{
    uint64_t *found = arena_calloc(view->arena, bits_words(view->row_count) * 8);
    if (!found)
        return err_nomem(err);
    if (scan_filter_block(view, expr->args[0], selected, found, err) < 0)
        return -1;
    for (size_t i = 0; i < bits_words(view->row_count); i++)
        out[i] |= selected[i] & ~found[i];
    return 0;
}

enum { CHILDREN_FEW = 16, CHILDREN_MANY = 512 };

/* Many children, none of which the stored form could answer, or so many that the memory for answers of
 * theirs over the whole block would be too large: asked over one batch together. */
static bool asks_rows(const struct expr *expr)
{
    if (expr->arg_count > CHILDREN_MANY)
        return true;
    for (size_t i = 0; i < expr->arg_count; i++)
        if (expr->args[i]->kind <= EXPR_NOT)
            return false;
    return expr->arg_count > CHILDREN_FEW;
}

int scan_filter_block(struct block_view *view, const struct expr *expr, const uint64_t *selected,
                      uint64_t *out, struct err *err)
{
    if (expr_stopped(view->scope))
        return err_set(err, ERR_CANCELLED, "the search was cancelled");
    if (expr->kind == EXPR_TEST)
        return filter_test(view, expr, selected, out, err);
    if (expr->kind == EXPR_KEYWORD)
        return filter_keyword(view, expr, selected, out, err);
    if (expr->kind == EXPR_AND && !asks_rows(expr))
        return filter_and(view, expr, selected, out, err);
    if (expr->kind == EXPR_OR && !asks_rows(expr))
        return filter_or(view, expr, selected, out, err);
    if (expr->kind == EXPR_NOT && is_two_valued(expr))
        return filter_not(view, expr, selected, out, err);
    uint64_t *found = arena_calloc(view->arena, bits_words(view->row_count) * 8);
    if (!found)
        return err_nomem(err);
    if (filter_by_batch(view, expr, selected, found, err) < 0)
        return -1;
    bits_or(out, found, view->row_count);
    return 0;
}

/* ---- without reading rows -------------------------------------------------------------- */

/* None of its entries fulfils the test. What cannot be read may. */
static bool dict_rules_out(struct block_view *view, const struct expr_test *test, size_t chunk)
{
    struct dict_answer answer;
    struct err reason;
    struct segment_column *column = segment_columns_at(&view->columns, chunk);
    err_clear(&reason);
    return scan_dict_ask(view, test, column, &answer, &reason) == 0 && answer.count == 0;
}

static bool column_rules_out(struct block_view *view, const struct expr_test *test, size_t index)
{
    const struct chunk *chunk = &segment_get_block(view->segment, view->block)->chunks[index];
    if (test->kind == TEST_EXISTS)
        return false;
    if (scan_has_dict(chunk))
        return dict_rules_out(view, test, index);
    return range_rules_out(chunk, test) || filter_rules_out(view, chunk, test) ||
           trigrams_rule_out(view, test) || words_rule_out(view, test);
}

static bool keyword_may_pass(struct block_view *view, const struct expr *expr)
{
    const struct segment_block *in = segment_get_block(view->segment, view->block);
    for (uint32_t i = 0; i < in->chunk_count; i++)
        if (expr_keyword_reads(segment_column_name(view->segment, in->chunks[i].column)) &&
            !column_rules_out(view, &expr->test, i))
            return true;
    return false;
}

/* Every row has the column, and every entry of its dictionary fulfils the test. */
static bool all_rows_pass(struct block_view *view, const struct expr *expr)
{
    const struct segment_block *in = segment_get_block(view->segment, view->block);
    const struct chunk *chunk =
        is_plain_test(view, expr) ? segment_find_chunk(view->segment, view->block, expr->field) : NULL;
    if (!chunk || !scan_has_dict(chunk) || chunk->row_count != in->row_count ||
        chunk->flags & CHUNK_MULTI)
        return false;
    struct segment_column *column = segment_columns_at(&view->columns, (size_t)(chunk - in->chunks));
    struct dict_answer answer;
    struct err reason;
    err_clear(&reason);
    return scan_dict_ask(view, &expr->test, column, &answer, &reason) == 0 && answer.count &&
           answer.count == column->dict_count;
}

bool scan_filter_may_pass(struct block_view *view, const struct expr *expr)
{
    if (expr->kind == EXPR_AND || (expr->kind == EXPR_OR && expr->arg_count)) {
        bool all = expr->kind == EXPR_AND;
        for (size_t i = 0; i < expr->arg_count; i++)
            if (scan_filter_may_pass(view, expr->args[i]) != all)
                return !all;
        return all;
    }
    if (expr->kind == EXPR_KEYWORD)
        return keyword_may_pass(view, expr);
    if (expr->kind == EXPR_NOT)
        return !all_rows_pass(view, expr->args[0]);
    if (!is_plain_test(view, expr))
        return true;
    const struct chunk *chunk = segment_find_chunk(view->segment, view->block, expr->field);
    const struct segment_block *in = segment_get_block(view->segment, view->block);
    return chunk && !column_rules_out(view, &expr->test, (size_t)(chunk - in->chunks));
}
