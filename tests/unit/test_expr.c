#include "test.h"

#include "base/file.h"
#include "expr/parse.h"

/* One event: what its expressions give, as text; "NULL" for none. */
struct fixture {
    struct arena *arena;
    struct batch *batch;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture.arena = arena_new(16 * MIB);
    fixture.batch = batch_new(16 * MIB);
    assert_non_null(batch_add_row(fixture.batch));
    struct batch *b = fixture.batch;
    assert_int_equal(batch_put_text(b, 0, "user.name", SLICE("Suzuki")), 0);
    assert_int_equal(batch_put_text(b, 0, "status", SLICE("200")), 0);
    assert_int_equal(batch_put(b, 0, SLICE("bytes"), value_i64(1500)), 0);
    assert_int_equal(batch_put_text(b, 0, "tag", SLICE("a")), 0);
    assert_int_equal(batch_put_text(b, 0, "tag", SLICE("b")), 0);
    assert_int_equal(batch_put_text(b, 0, "source.ip", SLICE("10.1.2.3")), 0);
    struct decimal d;
    assert_true(decimal_parse(SLICE("526300010.123456789012345678"), &d));
    assert_int_equal(batch_put(b, 0, SLICE("amount"), value_decimal(d, b->arena)), 0);
    assert_int_equal(batch_put(b, 0, SLICE("@timestamp"), value_time(INT64_C(1516924800250000000))), 0);
    assert_int_equal(batch_put(b, 0, SLICE("ok"), value_bool(true)), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    batch_free(fixture->batch);
    arena_free(fixture->arena);
    return 0;
}

static void gives(struct fixture *f, const char *text, const char *expected)
{
    struct err err;
    const struct expr *expr;
    struct expr_scope scope = {.scratch = f->arena, .now_ns = INT64_C(1516924800000000000)};
    struct value_list list;
    if (expr_parse(slice_text(text), f->arena, &expr, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    assert_int_equal(expr_eval(expr, &scope, f->batch, 0, &list, &err), 0);
    struct buffer out;
    buffer_init(&out, 65536);
    for (uint32_t i = 0; i < list.count; i++) {
        char small[VALUE_TEXT_SIZE];
        if (i)
            buffer_put_char(&out, '|');
        buffer_put(&out, value_text_small(list.values[i], small));
    }
    if (!list.count)
        buffer_put_text(&out, "NULL");
    buffer_put_char(&out, '\0');
    if (strcmp(out.ptr, expected) != 0)
        fail_msg("%s gives %s, not %s", text, out.ptr, expected);
    buffer_close(&out);
}

static void computes(void **state)
{
    struct fixture *f = *state;
    gives(f, "1 + 2 * 3", "7");
    gives(f, "(1 + 2) * 3", "9");
    gives(f, "-2 - -3", "1");
    gives(f, "7 / 2", "3.5");
    gives(f, "1 / 0", "NULL");
    gives(f, "-7 % 3", "-1");
    gives(f, "0.1 + 0.2", "0.3");
    gives(f, "status + 1", "201");
    gives(f, "\"a\" + \"b\"", "ab");
    gives(f, "1 + \"x\"", "NULL");
    gives(f, "9223372036854775807 + 1", "9223372036854775808");
    gives(f, "amount + 0.000000000000000001", "526300010.123456789012345679");
    gives(f, "1 . 2", "12");
    gives(f, "user.name . \"!\"", "Suzuki!");
    gives(f, "'user.name' . status", "Suzuki200");
    gives(f, "_time", "1516924800.25");
    gives(f, "missing . \"x\"", "NULL");
}

static void compares_with_three_values(void **state)
{
    struct fixture *f = *state;
    gives(f, "status = 200", "true");
    gives(f, "status = \"200.0\"", "true");
    gives(f, "user.name = \"suzuki\"", "false");
    gives(f, "missing = 1", "NULL");
    gives(f, "NOT missing = 1", "NULL");
    gives(f, "missing = 1 OR status = 200", "true");
    gives(f, "missing = 1 AND status = 404", "false");
    gives(f, "tag = \"b\"", "true");
    gives(f, "tag != \"b\"", "false");
    gives(f, "status IN (1, 200)", "true");
    gives(f, "status NOT IN (1, 2)", "true");
    gives(f, "user.name LIKE \"Su%k_\"", "true");
    gives(f, "true() XOR true()", "false");
    gives(f, "ok = \"true\"", "true");
    gives(f, "1 < 2 AND \"b\" > \"a\"", "true");
    gives(f, "9007199254740993 > 9007199254740992", "true");
}

static void calls_functions(void **state)
{
    struct fixture *f = *state;
    gives(f, "if(bytes > 1000, \"big\", \"small\")", "big");
    gives(f, "case(bytes < 10, 1, bytes < 2000, 2, true(), 3)", "2");
    gives(f, "coalesce(missing, null(), status)", "200");
    gives(f, "round(2.555, 2)", "2.56");
    gives(f, "round(2.5)", "3");
    gives(f, "len(\"残高\")", "2");
    gives(f, "upper(user.name)", "SUZUKI");
    gives(f, "lower(\"ÀÉ\")", "àé");
    gives(f, "substr(\"abcdef\", -3, 2)", "de");
    gives(f, "replace(\"a1b22\", \"(\\d+)\", \"<\\1>\")", "a<1>b<22>");
    gives(f, "split(\"a,b,,c\", \",\")", "a|b||c");
    gives(f, "mvcount(tag)", "2");
    gives(f, "mvindex(tag, -1)", "b");
    gives(f, "mvjoin(mvmap(tag, upper(tag)), \"+\")", "A+B");
    gives(f, "mvfilter(tag != \"a\")", "b");
    gives(f, "cidrmatch(\"10.0.0.0/8\", source.ip)", "true");
    gives(f, "match(user.name, \"^S\\w+i$\")", "true");
    gives(f, "tostring(1234567.891, \"commas\")", "1,234,567.89");
    gives(f, "tostring(90061, \"duration\")", "1+01:01:01");
    gives(f, "tonumber(\"ff\", 16)", "255");
    gives(f, "md5(\"a\")", "0cc175b9c0f1b6a831c399e269772661");
    gives(f, "typeof(tag)", "Multivalue");
    gives(f, "mvjoin(mvrange(1, 10, 3), \" \")", "1 4 7");
    gives(f, "now()", "1516924800");
}

static void says_where_it_is_wrong(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        int start;
        const char *suggestion;
    } cases[] = {
        {"uper(x)", 0, "upper"}, {"1 +", 3, ""},        {"(1", 2, ""},
        {"\"open", 0, ""},       {"if(1, 2)", 0, ""},   {"match(x, \"(\")", 9, ""},
        {"a ) b", 2, ""},        {"1 IN 2", 5, ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct err err;
        err_clear(&err);
        const struct expr *expr;
        assert_int_equal(expr_parse(slice_text(cases[i].text), f->arena, &expr, &err), -1);
        if (err.start != cases[i].start || strcmp(err.suggestion, cases[i].suggestion) != 0)
            fail_msg("%s: %s at %d, suggestion '%s'", cases[i].text, err.text, err.start,
                     err.suggestion);
    }
    char deep[2 * 400 + 2];
    memset(deep, '(', 400);
    deep[400] = '\0';
    struct err err;
    const struct expr *expr;
    assert_int_equal(expr_parse(slice_text(deep), f->arena, &expr, &err), -1);
}

/* Tests on one field: the words of Sigma and of SPL's search. */
static bool hits(struct fixture *f, const char *field, enum test_kind kind, unsigned flags,
                 const char *text)
{
    struct err err;
    struct expr_scope scope = {.scratch = f->arena};
    struct expr *test = expr_test_new(f->arena, slice_text(field), kind, flags, slice_text(text));
    uint64_t out[1];
    assert_int_equal(expr_filter(test, &scope, f->batch, NULL, out, &err), 0);
    return out[0] & 1;
}

static void tests_values(void **state)
{
    struct fixture *f = *state;
    assert_true(hits(f, "user.name", TEST_EQUAL, 0, "SUZUKI"));
    assert_false(hits(f, "user.name", TEST_EQUAL, TEST_CASED, "SUZUKI"));
    assert_true(hits(f, "user.name", TEST_PREFIX, 0, "suz"));
    assert_true(hits(f, "user.name", TEST_SUFFIX, 0, "KI"));
    assert_true(hits(f, "user.name", TEST_CONTAINS, 0, "ZU"));
    assert_true(hits(f, "status", TEST_EQUAL, TEST_NUMERIC, "200.0"));
    assert_true(hits(f, "bytes", TEST_GREATER, TEST_NUMERIC, "1499.5"));
    assert_false(hits(f, "missing", TEST_EQUAL, 0, "x"));
    assert_true(hits(f, "missing", TEST_NULL, 0, ""));
    assert_true(hits(f, "tag", TEST_EXISTS, 0, ""));
}

static bool term(struct fixture *f, const char *raw, const char *word, unsigned flags)
{
    struct expr_scope scope = {.scratch = f->arena};
    struct expr *test = expr_test_new(f->arena, SLICE("_raw"), TEST_TERM, flags, slice_text(word));
    return expr_test_value(&test->test, value_string(slice_text(raw)), &scope);
}

static void finds_terms_at_token_edges(void **state)
{
    struct fixture *f = *state;
    assert_true(term(f, "user=root failed", "root", 0));
    assert_true(term(f, "user=ROOT failed", "root", 0));
    assert_false(term(f, "user=rooted failed", "root", 0));
    assert_true(term(f, "ip 10.0.0.1, ok", "10.0.0.1", TEST_MAJOR_ONLY));
    assert_false(term(f, "ip 10.0.0.1.7", "10.0.0.1", TEST_MAJOR_ONLY));
    assert_true(term(f, "ip 10.0.0.1.7", "10.0.0.1", 0));
    assert_true(term(f, "x 残高 y", "残高", 0));
}

static const char PAGE[] = "docs/expressions.md";

/* What lies between "```NAME" and the next "```". */
static struct slice fenced(struct slice page, const char *fence)
{
    ptrdiff_t start = slice_find(page, slice_text(fence));
    assert_true(start >= 0);
    struct slice rest = slice_from(page, (size_t)start + strlen(fence));
    ptrdiff_t end = slice_find(rest, SLICE("```"));
    assert_true(end >= 0);
    return slice_sub(rest, 0, (size_t)end);
}

static void the_pages_examples_are_right(void **state)
{
    struct fixture *f = *state;
    struct slice page, line;
    struct err err;
    int count = 0;
    assert_int_equal(file_read(PAGE, MIB, f->arena, &page, &err), 0);
    struct slice examples = fenced(page, "\n```\n");
    while (slice_next_line(&examples, &line)) {
        ptrdiff_t arrow = slice_find(line, SLICE("->"));
        assert_true(arrow > 0);
        gives(f, arena_string(f->arena, slice_trim(slice_sub(line, 0, (size_t)arrow))),
              arena_string(f->arena, slice_trim(slice_from(line, (size_t)arrow + 2))));
        count++;
    }
    assert_true(count > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(computes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(compares_with_three_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(calls_functions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_where_it_is_wrong, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tests_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_terms_at_token_edges, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_pages_examples_are_right, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
