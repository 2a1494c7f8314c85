/* Whether a condition can hold, from what is known of columns: never there, always one of some, or anything. */
#include "test.h"

#include "base/limits.h"
#include "expr/chance.h"
#include "expr/parse.h"

static struct arena *arena;

/* set: "a" or "b" in every event. some: "a" in some. none: never there. Others: anything. */
static struct chance_column look(void *context, struct slice column)
{
    static const struct slice texts[] = {{"a", 1}, {"b", 1}};
    (void)context;
    if (slice_is(column, "set"))
        return (struct chance_column){.told = true, .always = true, .texts = texts, .count = 2};
    if (slice_is(column, "some"))
        return (struct chance_column){.told = true, .texts = texts, .count = 1};
    return (struct chance_column){.told = slice_is(column, "none")};
}

static const struct expr *test_of(const char *field, enum test_kind kind, const char *text)
{
    return expr_test_new(arena, slice_text(field), kind, 0, slice_text(text));
}

static enum chance of(const struct expr *expr)
{
    struct expr_scope scope = {.scratch = arena};
    return expr_chance(expr, look, NULL, &scope);
}

static void tests_are_judged_by_values(void **state)
{
    (void)state;
    assert_int_equal(of(test_of("set", TEST_EQUAL, "A")), CHANCE_MAYBE); /* caseless */
    assert_int_equal(of(test_of("set", TEST_EQUAL, "c")), CHANCE_NEVER);
    assert_int_equal(of(test_of("set", TEST_EXISTS, "")), CHANCE_ALWAYS);
    assert_int_equal(of(test_of("some", TEST_EQUAL, "a")), CHANCE_MAYBE);
    assert_int_equal(of(test_of("some", TEST_NULL, "")), CHANCE_MAYBE);
    assert_int_equal(of(test_of("set", TEST_NULL, "")), CHANCE_NEVER);
    assert_int_equal(of(test_of("none", TEST_NULL, "")), CHANCE_ALWAYS);
    assert_int_equal(of(test_of("none", TEST_EQUAL, "a")), CHANCE_NEVER);
    assert_int_equal(of(test_of("other", TEST_EQUAL, "a")), CHANCE_MAYBE);
    assert_int_equal(of(NULL), CHANCE_ALWAYS);
}

static void they_are_combined(void **state)
{
    (void)state;
    const struct expr *never = test_of("none", TEST_EXISTS, ""), *maybe = test_of("other", TEST_EXISTS, ""),
                      *always = test_of("set", TEST_EXISTS, "");
    assert_int_equal(of(expr_and(arena, maybe, never)), CHANCE_NEVER);
    assert_int_equal(of(expr_and(arena, maybe, always)), CHANCE_MAYBE);
    assert_int_equal(of(expr_or(arena, maybe, never)), CHANCE_MAYBE);
    assert_int_equal(of(expr_or(arena, maybe, always)), CHANCE_ALWAYS);
    assert_int_equal(of(expr_not(arena, never)), CHANCE_ALWAYS);
    assert_int_equal(of(expr_not(arena, maybe)), CHANCE_MAYBE);
}

static void nothing_compares_with_what_is_not_there(void **state)
{
    static const struct {
        const char *text;
        enum chance want;
    } cases[] = {{"none=\"a\"", CHANCE_NEVER},       {"lower(none) IN (\"a\", \"b\")", CHANCE_NEVER},
                 {"other=\"a\"", CHANCE_MAYBE},      {"coalesce(none, \"a\")=\"a\"", CHANCE_MAYBE},
                 {"lower(other)=\"a\"", CHANCE_MAYBE},    {"lower(set) IN (\"c\", \"A\")", CHANCE_MAYBE},
                 {"lower(set) IN (\"c\", \"d\")", CHANCE_NEVER}, {"set=\"c\"", CHANCE_NEVER},
                 {"set=other", CHANCE_MAYBE},        {"set!=\"a\"", CHANCE_MAYBE}};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct expr *expr;
        struct err err;
        if (expr_parse(slice_text(cases[i].text), arena, &expr, &err) < 0)
            fail_msg("%s: %s", cases[i].text, err.text);
        if (of(expr) != cases[i].want)
            fail_msg("%s", cases[i].text);
    }
}

static int begin(void **state)
{
    (void)state;
    arena = arena_new(MIB);
    return arena ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tests_are_judged_by_values),
        cmocka_unit_test(they_are_combined),
        cmocka_unit_test(nothing_compares_with_what_is_not_there),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
