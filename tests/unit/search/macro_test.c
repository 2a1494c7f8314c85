#include "search/macro.h"

#include "base/limits.h"

#include "test.h"

static struct knowledge *knowledge_of(const char *const *texts, size_t count)
{
    struct err err;
    struct know_builder *builder = know_builder_new();
    assert_non_null(builder);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(know_builder_text(builder, slice_text(texts[i]), SLICE("ann"), true, 1, &err), 0);
    struct knowledge *set = know_builder_done(builder);
    assert_non_null(set);
    return set;
}

struct fixture {
    struct arena *arena;
    struct knowledge *set;
    struct macro_text out;
    struct err err;
};

static void setup_macros(struct fixture *f)
{
    static const char *const texts[] = {
        "macro: web\ndefinition: index=web `status(500)`",
        "macro: status\nargs: [code]\ndefinition: status=$code$",
        "macro: say\nargs: [a, b]\ndefinition: \"[$a$|$b$]$c$\"",
        "macro: now_text\neval: true\ndefinition: if(now()>0, \"later\", \"never\")",
        "macro: none\ndefinition: ''",
        "macro: twice\nargs: [m]\ndefinition: \"`$m$` `$m$`\"",
        "macro: a\ndefinition: \"`twice(none)` `twice(none)` `twice(none)` `twice(none)`\"",
        "macro: b\ndefinition: \"`a` `a` `a` `a` `a` `a` `a` `a` `a` `a` `a` `a`\"",
        "macro: c\ndefinition: \"`b` `b` `b` `b` `b` `b` `b` `b` `b` `b` `b` `b`\"",
        "macro: d\ndefinition: \"`c` `c` `c` `c` `c` `c` `c` `c` `c` `c` `c` `c`\"",
        "macro: truth\neval: true\ndefinition: 1=1",
        "macro: checked\nargs: [n]\nvalidation: validate(isnum($n$), \"n is no number\")\ndefinition: n=$n$",
    };
    f->arena = arena_new(16 * MIB);
    f->set = knowledge_of(texts, ARRAY_COUNT(texts));
    assert_null(know_notes(f->set));
}

static void teardown_macros(struct fixture *f)
{
    know_release(f->set);
    arena_free(f->arena);
}

static int expand(struct fixture *f, const char *text)
{
    err_clear(&f->err);
    return macro_expand(slice_text(text), f->arena, f->set, SLICE("bob"), &f->out, &f->err);
}

static void becomes(struct fixture *f, const char *text, const char *wanted)
{
    assert_int_equal(expand(f, text), 0);
    assert_true(slice_is(f->out.text, wanted));
}

static void a_call_becomes_its_text(void **state)
{
    struct fixture f;
    (void)state;
    setup_macros(&f);
    becomes(&f, "`web` | stats count", "index=web status=500 | stats count");
    becomes(&f, "`say(\"a, \\\"b\\\"\", c d)`", "[a, \"b\"|c d]$c$");
    becomes(&f, "\"`web`\" \"x\\\\\" `status(1)`", "\"`web`\" \"x\\\\\" status=1");
    becomes(&f, "`now_text()`", "later");
    becomes(&f, "`checked(5)`", "n=5");
    teardown_macros(&f);
}

static void refuses(struct fixture *f, const char *text, const char *sentence, int start, int end)
{
    assert_int_equal(expand(f, text), -1);
    assert_string_equal(f->err.text, sentence);
    assert_int_equal(f->err.start, start);
    assert_int_equal(f->err.end, end);
}

static void errors_are_about_the_call(void **state)
{
    struct fixture f;
    (void)state;
    setup_macros(&f);
    refuses(&f, "x `status`", "the macro status takes 1 argument, not 0", 2, 10);
    refuses(&f, "`truth`", "the macro truth is an expression, which must give a text", 0, 7);
    refuses(&f, "`d`", "the search stands for more than 10000 macros", 0, 3);
    refuses(&f, "`checked(a)`", "the macro checked: n is no number", 0, 12);
    teardown_macros(&f);
}

/* "x `web` y": an error about status=500 is one about `web`, in the macro status. */
static void places_go_back_to_what_was_written(void **state)
{
    struct fixture f;
    (void)state;
    setup_macros(&f);
    becomes(&f, "x `web` y", "x index=web status=500 y");
    err_set_at(&f.err, ERR_CONFIG, 12, 18, "odd");
    macro_place(&f.out, &f.err);
    assert_string_equal(f.err.text, "in the macro status: odd");
    assert_int_equal(f.err.start, 2);
    assert_int_equal(f.err.end, 7);
    err_set_at(&f.err, ERR_CONFIG, 23, 24, "odd");
    macro_place(&f.out, &f.err);
    assert_string_equal(f.err.text, "odd");
    assert_int_equal(f.err.start, 8);
    assert_int_equal(f.err.end, 9);
    teardown_macros(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_becomes_its_text),
        cmocka_unit_test(errors_are_about_the_call),
        cmocka_unit_test(places_go_back_to_what_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
