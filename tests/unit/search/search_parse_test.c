#include "search/parser.h"

#include "search/lexer.h"

#include "test.h"

struct fixture {
    struct arena *arena;
    struct err err;
    struct spl_query *query;
};

static int parse(struct fixture *f, const char *spl)
{
    arena_free(f->arena);
    f->arena = arena_new(16 * MIB);
    err_clear(&f->err);
    return spl_parse(slice_text(spl), f->arena, &f->query, &f->err);
}

/* The filter of the first search, as text. */
static void filter_is(struct fixture *f, const char *spl, const char *wanted)
{
    struct buffer text;
    buffer_init(&text, MIB);
    assert_int_equal(parse(f, spl), 0);
    const struct spl_search *search = f->query->commands->args;
    if (search->expr)
        expr_print(search->expr, &text);
    char *printed = arena_string(f->arena, buffer_slice(&text));
    assert_string_equal(printed, wanted);
    buffer_close(&text);
}

static void or_binds_tighter_than_and(void **state)
{
    struct fixture f = {0};
    (void)state;
    filter_is(&f, "a=1 OR b=2 c=3", "(('a' equal \"1\" OR 'b' equal \"2\") AND 'c' equal \"3\")");
    filter_is(&f, "NOT a=1 b=2", "(NOT('a' equal \"1\") AND 'b' equal \"2\")");
    filter_is(&f, "a=1 (b=2 c=3)", "('a' equal \"1\" AND ('b' equal \"2\" AND 'c' equal \"3\"))");
    arena_free(f.arena);
}

static void values_become_the_cheapest_test(void **state)
{
    struct fixture f = {0};
    (void)state;
    filter_is(&f, "user=Ab*", "'user' prefix \"ab\"");
    filter_is(&f, "user=*ab", "'user' suffix \"ab\"");
    filter_is(&f, "user=*a*", "'user' contains \"a\"");
    filter_is(&f, "user=*", "'user' exists");
    filter_is(&f, "path=C:\\\\Users*", "'path' prefix \"c:\\\\users\"");
    filter_is(&f, "user=\"a b\"", "'user' equal \"a b\"");
    filter_is(&f, "user!=x", "('user' exists AND NOT('user' equal \"x\"))");
    filter_is(&f, "host IN (a, b*)", "('host.name' equal \"a\" OR 'host.name' prefix \"b\")");
    filter_is(&f, "failed", "'event.original' term \"failed\"");
    filter_is(&f, "*", "");
    arena_free(f.arena);
}

static void time_modifiers_leave_the_filter(void **state)
{
    struct fixture f = {0};
    (void)state;
    filter_is(&f, "earliest=-24h@h latest=now error", "'event.original' term \"error\"");
    assert_true(slice_is(f.query->earliest, "-24h@h"));
    assert_int_equal(parse(&f, "earliest=-24x error"), -1);
    arena_free(f.arena);
}

static void errors_say_where_and_what_else(void **state)
{
    struct fixture f = {0};
    (void)state;
    assert_int_equal(parse(&f, "* | stast count"), -1);
    assert_string_equal(f.err.suggestion, "stats");
    assert_int_equal(f.err.start, 4);
    assert_int_equal(f.err.end, 9);
    assert_int_equal(parse(&f, "* | stats cuont by x"), -1);
    assert_string_equal(f.err.suggestion, "count");
    assert_int_equal(parse(&f, "* | top limt=3 x"), -1);
    assert_string_equal(f.err.suggestion, "limit");
    assert_int_equal(parse(&f, "* | eval x=roundd(y)"), -1);
    assert_string_equal(f.err.suggestion, "round");
    assert_int_equal(parse(&f, "* | join type=lft a [search b]"), -1);
    assert_string_equal(f.err.text, "type is inner, left or outer, not \"lft\"");
    assert_string_equal(f.err.suggestion, "left");
    assert_int_equal(f.err.start, 9);
    assert_int_equal(f.err.end, 17);
    assert_int_equal(parse(&f, "* | join type=LEFT a [search b]"), 0);
    assert_int_equal(parse(&f, "stats count"), 0); /* words to search for */
    assert_int_equal(parse(&f, "| stats count"), -1);
    assert_int_equal(parse(&f, "* | eval x=(a>1)"), -1);
    assert_int_equal(parse(&f, "* | join a [search b"), -1);
    assert_int_equal(parse(&f, "* |"), -1);
    arena_free(f.arena);
}

static void every_command_has_what_help_needs(void **state)
{
    (void)state;
    const struct command *command;
    for (size_t i = 0; (command = command_at(i)); i++) {
        const char *nearest;
        assert_ptr_equal(command_find(slice_text(command->name), &nearest), command);
        assert_true(strlen(command->summary) > 0);
        assert_non_null(command->parse);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(or_binds_tighter_than_and),
        cmocka_unit_test(values_become_the_cheapest_test),
        cmocka_unit_test(time_modifiers_leave_the_filter),
        cmocka_unit_test(errors_say_where_and_what_else),
        cmocka_unit_test(every_command_has_what_help_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
