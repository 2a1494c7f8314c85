/* The plan of all rules gives what expr_filter gives of each: random rules over random batches, of any size,
 * with any memory failing. HINOMI_SEEDS=N asks N sets of rules instead of 60. */
#include "base/mem.h"
#include "base/rand.h"
#include "base/time.h"
#include "base/utf8.h"
#include "detect/match.h"
#include "expr/any_of.h"
#include "expr/parse.h"

#include "test.h"

#include <math.h>
#include <stdlib.h>

enum { COLUMNS = 6, RULES = 60 };

struct made {
    struct arena *arena;
    struct rand_seeded rand;
    struct rule_set set;
};

static uint64_t below(struct made *made, uint64_t n)
{
    return rand_below(&made->rand.rand, n);
}

/* Few different pieces, so that tests hold now and then: both cases, U+212A and U+017F, which fold into
 * ASCII, bytes that are no UTF-8, and digits. */
static struct slice make_text(struct made *made, size_t pieces_max)
{
    static const char *const pieces[] = {"a", "B", "b", "k", "K", "\u212a", "s", "\u017f", "\u00e9", "\u00c9",
                                         "\u0416", "\xc3", "\x89", "1", "0", ".", "-", "\\", "abc", "kBs", "*",
                                         "10.1.2.3", "/"};
    struct buffer text;
    buffer_init(&text, 4096);
    for (uint64_t n = below(made, pieces_max + 1); n > 0; n--)
        buffer_put_text(&text, pieces[below(made, ARRAY_COUNT(pieces))]);
    struct slice copy = arena_copy(made->arena, buffer_slice(&text));
    buffer_close(&text);
    return copy;
}

static struct slice column_name(uint64_t number)
{
    static const char *const names[COLUMNS + 1] = {"c0", "c1", "c2", "long.name", "hinomi.x", "c5", "missing"};
    return slice_text(names[number]);
}

/* ---- rules ---- */

static void make_wildcard(struct made *made, struct expr *expr)
{
    size_t count = 1 + below(made, 4);
    struct wildcard_part *parts = arena_array(made->arena, count, sizeof(*parts));
    for (size_t i = 0; i < count; i++) {
        struct slice text = make_text(made, 2);
        char *folded = arena_alloc(made->arena, 3 * text.len + 1);
        parts[i].kind = (enum wildcard_kind)below(made, 3);
        parts[i].text = expr->test.flags & TEST_CASED ? text : slice_of(folded, utf8_fold_text(text, folded));
        if (parts[i].kind != WILDCARD_LITERAL || !text.len)
            parts[i] = (struct wildcard_part){parts[i].kind == WILDCARD_ONE ? WILDCARD_ONE : WILDCARD_ANY,
                                              SLICE("")};
    }
    expr->test.wildcard = (struct wildcard){parts, count, !(expr->test.flags & TEST_CASED)};
}

static void make_regex(struct made *made, struct expr *expr)
{
    static const char *const patterns[] = {"a.*b", "abc", "^kb", "b$", "[ak]b+", "(a|b)c", "\\.", "bs1?", "\303\251b",
                                           "kBs.a", "(?i)abc"};
    expr->test.text = slice_text(patterns[below(made, ARRAY_COUNT(patterns))]);
    assert_int_equal(regex_new_in(made->arena, expr->test.text, below(made, 2) ? REGEX_CASELESS : 0,
                                  &expr->test.regex, NULL), 0);
}

static void make_any_of(struct made *made, struct expr **expr, struct slice field, unsigned flags)
{
    struct any_of *set = any_of_new(made->arena, 3, flags);
    for (int i = 0; i < 3; i++)
        assert_int_equal(any_of_add(set, made->arena, make_text(made, 2)), 0);
    *expr = any_of_expr(set, made->arena, field);
}

static struct slice make_number(struct made *made)
{
    static const char *const numbers[] = {"0", "1", "10", "11", "1.0", "1.5", "-1", "100", "0.1", "+1", " 10", "010"};
    return slice_text(numbers[below(made, ARRAY_COUNT(numbers))]);
}

static struct expr *make_test(struct made *made)
{
    static const enum test_kind kinds[] = {
        TEST_EXISTS, TEST_NULL, TEST_EQUAL, TEST_EQUAL, TEST_PREFIX, TEST_SUFFIX, TEST_CONTAINS, TEST_CONTAINS,
        TEST_WILDCARD, TEST_REGEX, TEST_CIDR, TEST_LESS, TEST_LESS_EQUAL, TEST_GREATER, TEST_GREATER_EQUAL,
        TEST_TERM, TEST_FIELD_EQUAL, TEST_FIELD_CONTAINS, TEST_ANY_OF, TEST_TIME_PART};
    enum test_kind kind = kinds[below(made, ARRAY_COUNT(kinds))];
    unsigned flags = (below(made, 4) == 0 ? TEST_CASED : 0) | (below(made, 2) ? TEST_NUMERIC : 0);
    struct slice field = column_name(below(made, COLUMNS + 1));
    bool order = kind >= TEST_LESS && kind <= TEST_GREATER_EQUAL;
    if (order && below(made, 4) == 0)
        flags |= TEST_TEXT_ORDER;
    if (kind == TEST_EQUAL && below(made, 2))
        flags |= TEST_PLAIN_NUMBER;
    bool number = order || kind == TEST_TIME_PART || (kind == TEST_EQUAL && below(made, 2));
    struct slice text = number ? make_number(made) : make_text(made, 3);
    if (kind == TEST_TERM && !text.len)
        text = SLICE("a"); /* there is no empty term */
    struct expr *expr = expr_test_new(made->arena, field, kind, flags, text);
    if (kind == TEST_WILDCARD)
        make_wildcard(made, expr);
    else if (kind == TEST_REGEX)
        make_regex(made, expr);
    else if (kind == TEST_ANY_OF)
        make_any_of(made, &expr, field, flags);
    else if (kind == TEST_CIDR)
        assert_true(cidr_parse(below(made, 2) ? SLICE("10.0.0.0/8") : SLICE("10.1.2.3"), &expr->test.cidr));
    else if (kind == TEST_FIELD_EQUAL || kind == TEST_FIELD_CONTAINS)
        expr->test.other = column_name(below(made, COLUMNS + 1));
    expr->test.part = (enum time_part)below(made, 6);
    return expr;
}

static const struct expr *make_parsed(struct made *made)
{
    static const char *const texts[] = {"c0 = \"a\"", "len(c1) > 2", "c2 < 11", "isnull(c5)", "c0 = c1",
                                        "like(c2, \"%b%\")", "lower(c1) IN (\"abc\", \"b\")", "NOT c0 = \"a\""};
    const struct expr *expr;
    assert_int_equal(expr_parse(slice_text(texts[below(made, ARRAY_COUNT(texts))]), made->arena, &expr, NULL), 0);
    return expr;
}

static const struct expr *make_tree(struct made *made, unsigned depth, const struct expr *shared)
{
    const struct expr *args[4];
    uint64_t what = below(made, depth ? 10 : 4);
    if (what == 0 && below(made, 4) == 0)
        return make_parsed(made);
    if (what == 1 && shared)
        return shared;
    if (what < 4) {
        struct expr *test = make_test(made);
        if (below(made, 8) == 0 && !test->test.other.ptr) {
            test->kind = EXPR_KEYWORD;
            test->field = SLICE_NONE;
        }
        return test;
    }
    if (what < 6)
        return expr_not(made->arena, make_tree(made, depth - 1, shared));
    size_t count = below(made, 5);
    for (size_t i = 0; i < count; i++)
        args[i] = make_tree(made, depth - 1, shared);
    return expr_list(made->arena, what < 8 ? EXPR_AND : EXPR_OR, args, count);
}

static const struct expr *make_guard(struct made *made)
{
    static const char *const texts[] = {
        "lower(c0) IN (\"a\", \"b\")", "c1 = 1 AND c0 = \"a\"", "isnotnull(c5)", "long.name = \"abc\" OR isnull(c2)",
        "now() > 1 AND isnotnull(c1)"};
    const struct expr *expr;
    uint64_t which = below(made, ARRAY_COUNT(texts) + 2);
    if (which >= ARRAY_COUNT(texts))
        return NULL;
    assert_int_equal(expr_parse(slice_text(texts[which]), made->arena, &expr, NULL), 0);
    return expr;
}

static void make_rules(struct made *made, const struct expr *const *guards, size_t guard_count)
{
    made->set.rules = arena_array(made->arena, RULES, sizeof(struct rule *));
    made->set.count = made->set.size = RULES;
    for (uint32_t i = 0; i < RULES; i++) {
        struct rule *rule = arena_calloc(made->arena, sizeof(*rule));
        const struct expr *shared = make_tree(made, 2, NULL);
        rule->status = below(made, 20) ? RULE_ACTIVE : RULE_INACTIVE;
        rule->variant_count = 1 + below(made, 2);
        rule->variants = arena_array(made->arena, rule->variant_count, sizeof(*rule->variants));
        rule->index = i;
        for (size_t v = 0; v < rule->variant_count; v++)
            rule->variants[v] = (struct rule_variant){guards[below(made, guard_count)],
                                                      make_tree(made, 4, shared), NULL};
        made->set.rules[i] = rule;
    }
}

static void start(struct made *made, uint64_t seed)
{
    const struct expr *guards[4];
    *made = (struct made){.arena = arena_new(64 * MIB)};
    rand_seeded_init(&made->rand, seed);
    for (size_t i = 0; i < ARRAY_COUNT(guards); i++)
        guards[i] = make_guard(made);
    make_rules(made, guards, ARRAY_COUNT(guards));
}

/* ---- batches ---- */

static struct value make_value(struct made *made, struct arena *arena)
{
    struct decimal d;
    struct ip ip;
    switch (below(made, 16)) {
    case 0:
        return value_null();
    case 1:
        return value_i64((int64_t)below(made, 12));
    case 2:
        return value_f64(below(made, 4) ? (double)below(made, 24) / 2 : NAN);
    case 3:
        assert_true(decimal_parse(slice_text(below(made, 2) ? "10" : "1.50"), &d));
        return value_decimal(d, arena);
    case 4:
        assert_true(ip_parse(below(made, 2) ? SLICE("10.1.2.3") : SLICE("2001:db8::1"), &ip));
        return value_ip(&ip, arena);
    case 5:
        return below(made, 2) ? value_bool(below(made, 2)) : value_time((int64_t)below(made, 3) * NS_PER_SECOND);
    case 6:
        return value_string(make_number(made));
    default:
        return value_string(make_text(made, 4));
    }
}

/* Values of columns with a dictionary are told by codes as well. */
static void add_dictionary(struct column *column, struct arena *arena)
{
    struct value *dict = arena_array(arena, column->count, sizeof(*dict));
    uint32_t *codes = arena_array(arena, column->count, sizeof(*codes));
    for (uint32_t i = 0; i < column->count; i++) {
        uint32_t code = 0;
        while (code < column->dict_count &&
               !(dict[code].type == column->values[i].type && dict[code].type != VALUE_DECIMAL &&
                 value_equal(dict[code], column->values[i])))
            code++;
        if (code == column->dict_count)
            dict[column->dict_count++] = column->values[i];
        codes[i] = code;
    }
    column->dict = dict;
    column->codes = codes;
}

static struct batch *make_batch(struct made *made)
{
    struct batch *batch = batch_new(16 * MIB);
    uint32_t rows = 1 + (uint32_t)below(made, below(made, 2) ? 4 : 150);
    for (uint32_t row = 0; row < rows; row++) {
        assert_non_null(batch_add_row(batch));
        for (uint64_t c = 0; c < COLUMNS; c++)
            for (uint64_t n = below(made, 3) ? below(made, 2) + (below(made, 8) == 0) : 0; n > 0; n--)
                assert_int_equal(batch_put(batch, row, column_name(c), make_value(made, batch->arena)), 0);
    }
    if (below(made, 3) == 0 && batch_find(batch, column_name(0)))
        add_dictionary(batch_find(batch, column_name(0)), batch->arena);
    return batch;
}

/* ---- both ways ---- */

struct expected {
    struct match_hits hits;
    uint64_t offered[RULES];
};

/* Rule by rule with expr_filter. */
static void expect(struct made *made, const struct batch *batch, struct expr_scope *scope,
                   struct expected *out)
{
    size_t bytes = bits_words(batch->row_count) * 8 + 8, count = 0;
    uint64_t *guard = arena_alloc(scope->scratch, bytes), *rows = arena_alloc(scope->scratch, bytes);
    uint64_t *of_rule = arena_alloc(scope->scratch, RULES * bytes);
    for (uint32_t r = 0; r < RULES; r++) {
        const struct rule *rule = made->set.rules[r];
        uint64_t *all = of_rule + r * bytes / 8, *offered = arena_calloc(scope->scratch, bytes);
        memset(all, 0, bytes);
        for (size_t v = 0; rule->status == RULE_ACTIVE && v < rule->variant_count; v++) {
            bits_fill(guard, batch->row_count);
            if (rule->variants[v].guard)
                assert_int_equal(expr_filter(rule->variants[v].guard, scope, batch, NULL, guard, NULL), 0);
            assert_int_equal(expr_filter(rule->variants[v].condition, scope, batch, guard, rows, NULL), 0);
            bits_or(all, rows, batch->row_count);
            bits_or(offered, guard, batch->row_count);
        }
        out->offered[r] += bits_count(offered, batch->row_count);
        count += bits_count(all, batch->row_count);
    }
    out->hits = (struct match_hits){arena_array(scope->scratch, count + 1, sizeof(struct match_hit)), 0, count};
    for (uint32_t row = 0; row < batch->row_count; row++)
        for (uint32_t r = 0; r < RULES; r++)
            if (bits_get(of_rule + r * bytes / 8, row))
                out->hits.list[out->hits.count++] = (struct match_hit){row, r};
}

/* Ends the test with the rule and the event. */
static void fail_with(const struct made *made, const struct batch *batch, struct match_hit hit, const char *how)
{
    struct buffer text;
    struct json json;
    buffer_init(&text, 65536);
    for (size_t i = 0; i < made->set.rules[hit.rule]->variant_count; i++) {
        const struct rule_variant *variant = &made->set.rules[hit.rule]->variants[i];
        expr_print(variant->condition, &text);
        buffer_put_text(&text, " where ");
        if (variant->guard)
            expr_print(variant->guard, &text);
        buffer_put_char(&text, '\n');
    }
    json_init(&json, &text);
    batch_row_to_json(batch, hit.row, &json);
    fail_msg("row %u, rule %u %s: %.*s", hit.row, hit.rule, how, SLICE_ARG(buffer_slice(&text)));
}

static void same_hits(const struct made *made, const struct batch *batch, const struct match_hits *hits,
                      const struct match_hits *expected)
{
    for (size_t i = 0; i < hits->count || i < expected->count; i++) {
        struct match_hit none = {UINT32_MAX, UINT32_MAX};
        struct match_hit a = i < hits->count ? hits->list[i] : none,
                         b = i < expected->count ? expected->list[i] : none;
        if (a.row == b.row && a.rule == b.rule)
            continue;
        bool extra = a.row < b.row || (a.row == b.row && a.rule < b.rule);
        fail_with(made, batch, extra ? a : b, extra ? "is too much" : "is missing");
    }
}

static void plan_is_the_rules(void **state)
{
    (void)state;
    const char *more = getenv("HINOMI_SEEDS");
    for (uint64_t seed = 1; seed <= (more ? strtoull(more, NULL, 10) : 60); seed++) {
        struct made made;
        struct matcher *matcher;
        struct expected expected = {0};
        start(&made, seed);
        struct arena *scratch = arena_new(256 * MIB);
        assert_int_equal(matcher_new(&made.set, &matcher, NULL), 0);
        uint64_t matched = 0;
        for (int round = 0; round < 12; round++) {
            struct batch *batch = make_batch(&made);
            struct expr_folds folds = {0};
            struct expr_scope scope = {.scratch = scratch, .folds = &folds, .now_ns = 2 * NS_PER_SECOND},
                              other = {.scratch = scratch, .now_ns = 2 * NS_PER_SECOND};
            struct match_hits hits;
            expect(&made, batch, round % 2 ? &scope : &other, &expected);
            assert_int_equal(matcher_run(matcher, &scope, batch, &hits, NULL), 0);
            same_hits(&made, batch, &hits, &expected.hits);
            matched += hits.count;
            batch_free(batch);
            arena_reset(scratch);
        }
        uint64_t counted = 0;
        for (uint32_t r = 0; r < RULES; r++) {
            struct matcher_counts counts = matcher_counts(matcher, r);
            assert_int_equal(counts.offered, expected.offered[r]);
            assert_true(counts.evaluated <= counts.offered && counts.matched <= counts.evaluated);
            counted += counts.matched;
        }
        assert_int_equal(counted, matched);
        matcher_free(matcher);
        arena_free(scratch);
        arena_free(made.arena);
    }
}

/* Each allocation fails once: the sentence is about memory, and the next batch is right again. */
static void any_memory_may_fail(void **state)
{
    (void)state;
    struct made made;
    start(&made, 7);
    struct arena *scratch = arena_new(256 * MIB);
    struct batch *batch = make_batch(&made);
    struct expected expected = {0};
    struct expr_scope scope = {.scratch = scratch};
    struct matcher *matcher = NULL;
    expect(&made, batch, &scope, &expected);
    bool done = false;
    for (long n = 0; !done; n++) {
        struct err err = {0};
        mem_fail_after(n);
        done = matcher_new(&made.set, &matcher, &err) == 0;
        mem_fail_after(-1);
        assert_true(done || err.code == ERR_NOMEM);
    }
    done = false;
    for (long n = 0; !done; n++) {
        struct arena *fresh = arena_new(64 * MIB);
        struct expr_scope again = {.scratch = fresh};
        struct match_hits hits;
        struct err err = {0};
        mem_fail_after(n);
        done = matcher_run(matcher, &again, batch, &hits, &err) == 0;
        mem_fail_after(-1);
        assert_true(done || err.code == ERR_NOMEM);
        assert_int_equal(matcher_run(matcher, &again, batch, &hits, NULL), 0);
        same_hits(&made, batch, &hits, &expected.hits);
        if (!done) { /* what was learnt would allocate nothing the next time */
            matcher_free(matcher);
            assert_int_equal(matcher_new(&made.set, &matcher, NULL), 0);
        }
        arena_free(fresh);
    }
    matcher_free(matcher);
    batch_free(batch);
    arena_free(scratch);
    arena_free(made.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_is_the_rules),
        cmocka_unit_test(any_memory_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
