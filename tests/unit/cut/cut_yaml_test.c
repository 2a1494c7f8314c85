#include "cut/yaml.h"

#include "base/buffer.h"
#include "base/limits.h"

#include "test.h"

static struct arena *arena;
static struct err err;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(64 * MIB);
    return arena ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static const struct yaml_node *one(const char *text)
{
    const struct yaml_node *const *documents;
    size_t count;
    if (yaml_parse(slice_text(text), arena, &documents, &count, &err) < 0 || count != 1)
        return NULL;
    return documents[0];
}

static void mappings_keep_order_and_lines(void **state)
{
    (void)state;
    const struct yaml_node *node = one("b: 1\na:\n  - x\n  - 'y'\n");
    assert_int_equal(node->kind, YAML_MAPPING);
    assert_true(slice_is(node->entries[0].key->text, "b"));
    const struct yaml_node *list = yaml_get(node, "a");
    assert_int_equal(list->count, 2);
    assert_int_equal(list->entries[1].value->line, 4);
    assert_int_equal(list->entries[1].value->style, YAML_QUOTED);
    assert_null(yaml_get(list, "a"));
}

static void scalars_mean_what_yaml_1_2_says(void **state)
{
    (void)state;
    bool b;
    int64_t n;
    const struct yaml_node *node = one("[true, no, 0x1F, '7', ~, '', -3]");
    const struct yaml_entry *e = node->entries;
    assert_true(yaml_to_bool(e[0].value, &b) && b);
    assert_false(yaml_to_bool(e[1].value, &b));
    assert_true(yaml_to_i64(e[2].value, &n) && n == 31);
    assert_false(yaml_to_i64(e[3].value, &n));
    assert_true(yaml_is_null(e[4].value));
    assert_false(yaml_is_null(e[5].value));
    assert_true(yaml_to_i64(e[6].value, &n) && n == -3);
}

static void streams_have_documents(void **state)
{
    (void)state;
    const struct yaml_node *const *documents;
    size_t count;
    assert_int_equal(yaml_parse(SLICE("a: 1\n---\nb: 2\n"), arena, &documents, &count, &err), 0);
    assert_int_equal(count, 2);
    assert_non_null(yaml_get(documents[1], "b"));
    assert_int_equal(yaml_parse(SLICE(""), arena, &documents, &count, &err), 0);
    assert_int_equal(count, 0);
}

static void aliases_are_the_same_node(void **state)
{
    (void)state;
    const struct yaml_node *node = one("a: &x [1, 2]\nb: *x\n");
    assert_ptr_equal(yaml_get(node, "a"), yaml_get(node, "b"));
    assert_null(one("a: *nobody\n"));
    assert_string_equal(err.text, "line 1: there is no anchor 'nobody'");
}

static void merges(void **state)
{
    (void)state;
    const struct yaml_node *node = one("a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {<<: [*a, *b], y: 3}\nd: {'<<': *a}\n");
    const struct yaml_node *merged = yaml_get(node, "c");
    assert_int_equal(merged->count, 3);
    assert_true(slice_is(yaml_text(yaml_get(merged, "x"), SLICE("")), "1"));
    assert_true(slice_is(yaml_text(yaml_get(merged, "y"), SLICE("")), "3"));
    assert_true(slice_is(yaml_text(yaml_get(merged, "z"), SLICE("")), "2"));
    assert_null(yaml_get(yaml_get(node, "d"), "x")); /* a key in quotes is one like others */
    assert_null(one("a: {<<: [x, y]}\n"));
    assert_string_equal(err.text, "line 1: << takes a mapping or a list of mappings");
}

static void laughs_are_bounded(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, MIB);
    buffer_put_text(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 9; i++) {
        buffer_printf(&text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            buffer_printf(&text, "%s*a%d", k ? "," : "", i - 1);
        buffer_put_text(&text, "]\n");
    }
    buffer_put_char(&text, '\0');
    assert_null(one(text.ptr));
    assert_non_null(strstr(err.text, "more than 400000 values"));
    buffer_close(&text);
}

static void errors_say_the_line(void **state)
{
    (void)state;
    assert_null(one("a: 1\na: 2\n"));
    assert_string_equal(err.text, "line 2: the key 'a' is there twice");
    assert_null(one("a: [1\nb: 2\n"));
    assert_memory_equal(err.text, "line 2: ", 8);
    char deep[200];
    memset(deep, '[', 100);
    memset(deep + 100, ']', 99);
    deep[199] = '\0';
    assert_null(one(deep));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(mappings_keep_order_and_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(scalars_mean_what_yaml_1_2_says, setup, teardown),
        cmocka_unit_test_setup_teardown(streams_have_documents, setup, teardown),
        cmocka_unit_test_setup_teardown(aliases_are_the_same_node, setup, teardown),
        cmocka_unit_test_setup_teardown(merges, setup, teardown),
        cmocka_unit_test_setup_teardown(laughs_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(errors_say_the_line, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
