#include "cut/json_tree.h"

#include "test.h"

static void getters_walk_the_tree(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct err err;
    const struct json_node *body;
    struct slice text =
        SLICE("{\"user\":{\"name\":\"a\\nb\",\"age\":41},\"ok\":true,\"list\":[1,2.5]}");
    assert_int_equal(json_tree_parse(text, arena, &body, &err), 0);
    assert_true(slice_is(json_text_of(json_at(body, "user.name"), SLICE_NONE), "a\nb"));
    assert_int_equal(json_i64_of(json_at(body, "user.age"), 0), 41);
    assert_true(json_bool_of(json_get(body, "ok"), false));
    assert_int_equal(json_get(body, "list")->count, 2);
    assert_true(json_f64_of(json_get(body, "list")->first->next, 0) == 2.5);
    assert_null(json_get(json_get(body, "nobody"), "name"));
    assert_true(slice_is(json_text_of(NULL, SLICE("nobody")), "nobody"));
    arena_free(arena);
}

static void missing_keys_are_named(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct err err;
    const struct json_node *body;
    struct slice name;
    int64_t n;
    assert_int_equal(json_tree_parse(SLICE("{\"n\":\"7\"}"), arena, &body, &err), 0);
    assert_int_equal(json_want_text(body, "name", &name, &err), -1);
    assert_string_equal(err.text, "\"name\" is missing");
    assert_int_equal(json_want_i64(body, "n", &n, &err), -1);
    assert_string_equal(err.text, "\"n\" must be a whole number");
    arena_free(arena);
}

static void too_deep_is_an_error(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct err err;
    const struct json_node *body;
    char text[256];
    memset(text, '[', 100);
    memset(text + 100, ']', 100);
    assert_int_equal(json_tree_parse(slice_of(text, 200), arena, &body, &err), -1);
    assert_string_equal(err.text, "the JSON text is nested deeper than 64");
    assert_null(body);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(getters_walk_the_tree),
        cmocka_unit_test(missing_keys_are_named),
        cmocka_unit_test(too_deep_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
