/* Protobuf messages as trees: every kind of field, what is not known, and damage. */
#include "base/json.h"
#include "cut/protobuf.h"

#include "test.h"

static const struct protobuf_message node; /* holds itself */
static const struct protobuf_known node_fields[] = {
    PB_STRING(1, "text"), PB_INT(2, "int"), PB_SINT(3, "sint"), PB_UINT(4, "uint"), PB_BOOL(5, "bool"),
    PB_DOUBLE(6, "double"), PB_FIXED(7, "fixed"), PB_SFIXED(8, "sfixed"), PB_HEX(9, "hex"), PB_BASE64(10, "base64"),
    PB_LIST(11, "uints", PROTOBUF_UINT), PB_LIST(12, "doubles", PROTOBUF_DOUBLE), PB_ONE(13, "one", node),
    PB_MANY(14, "many", node), PB_LIST(15, "texts", PROTOBUF_STRING),
};
static const struct protobuf_message node = PB_MESSAGE(node_fields);

static void put(struct json *json, const struct json_node *node_of)
{
    switch (node_of->kind) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        json_open(json, node_of->kind == JSON_ARRAY ? '[' : '{');
        for (const struct json_node *child = node_of->first; child; child = child->next) {
            if (node_of->kind == JSON_OBJECT)
                json_key_slice(json, child->key);
            put(json, child);
        }
        json_close(json, node_of->kind == JSON_ARRAY ? ']' : '}');
        return;
    case JSON_STRING: json_text(json, node_of->text); return;
    case JSON_NUMBER: json_raw(json, node_of->text); return;
    case JSON_TRUE:
    case JSON_FALSE: json_bool(json, node_of->kind == JSON_TRUE); return;
    case JSON_NULL:
    case JSON_RAW: break;
    }
    fail();
}

static void expect(struct slice bytes, const char *wanted)
{
    struct arena *arena = arena_new(1024 * 1024);
    struct buffer text;
    struct json json;
    struct err err;
    const struct json_node *tree;
    buffer_init(&text, 1024 * 1024);
    json_init(&json, &text);
    if (protobuf_tree(bytes, &node, arena, &tree, &err) < 0)
        buffer_put_text(&text, err.text);
    else
        put(&json, tree);
    if (!slice_is(buffer_slice(&text), wanted))
        fail_msg("got '%.*s', want '%s'", SLICE_ARG(buffer_slice(&text)), wanted);
    buffer_close(&text);
    arena_free(arena);
}

static void reads_every_kind(void **state)
{
    (void)state;
    expect(SLICE(""), "{}");
    expect(SLICE("\x0a\x02hi"), "{\"text\":\"hi\"}");
    expect(SLICE("\x10\xfb\xff\xff\xff\xff\xff\xff\xff\xff\x01\x18\x05\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x28\x01"),
           "{\"int\":-5,\"sint\":-3,\"uint\":18446744073709551615,\"bool\":true}");
    expect(SLICE("\x31\0\0\0\0\0\0\xe8\x3f\x39\x01\0\0\0\0\0\0\0\x41\xff\xff\xff\xff\xff\xff\xff\xff\x3d\x07\0\0\0"),
           "{\"double\":0.75,\"fixed\":1,\"sfixed\":-1,\"fixed\":7}");
    expect(SLICE("\x4a\x02\x0f\xa0\x52\x02\xff\x00"), "{\"hex\":\"0fa0\",\"base64\":\"/wA=\"}");
}

static void numbers_that_are_not_finite_are_texts(void **state)
{
    (void)state;
    expect(SLICE("\x31\0\0\0\0\0\0\xf0\x7f"), "{\"double\":\"Infinity\"}");
    expect(SLICE("\x31\0\0\0\0\0\0\xf0\xff"), "{\"double\":\"-Infinity\"}");
    expect(SLICE("\x31\x01\0\0\0\0\0\xf8\x7f"), "{\"double\":\"NaN\"}");
    expect(SLICE("\x31\x02\0\0\0\0\0\xf0\x7f"), "{\"double\":\"StaleNaN\"}");
}

static void lists_are_packed_or_not(void **state)
{
    (void)state;
    expect(SLICE("\x5a\x03\x01\x02\x03\x58\x04\x0a\x01x\x58\x05"), "{\"uints\":[1,2,3,4,5],\"text\":\"x\"}");
    expect(SLICE("\x62\x08\0\0\0\0\0\0\xe0\x3f\x61\0\0\0\0\0\0\xf0\x3f"), "{\"doubles\":[0.5,1]}");
    expect(SLICE("\x72\x02\x10\x01\x72\x00\x7a\x01" "a\x7a\x00"), "{\"many\":[{\"int\":1},{}],\"texts\":[\"a\",\"\"]}");
}

/* Another kind than the table says, a number that is not in it, a group. */
static void what_is_not_known_is_kept(void **state)
{
    (void)state;
    expect(SLICE("\x08\x07"), "{\"unknownFields\":[\"CAc=\"]}");
    expect(SLICE("\xa2\x06\x02hi\x0a\x01x\x98\x06\x01"), "{\"unknownFields\":[\"ogYCaGk=\",\"mAYB\"],\"text\":\"x\"}");
    expect(SLICE("\xa3\x06\x08\x01\xa4\x06"), "{\"unknownFields\":[\"owYIAaQG\"]}");
}

static void says_what_is_damaged(void **state)
{
    (void)state;
    expect(SLICE("\x0a\x05hi"), "the protobuf message is damaged: a field is longer than the message");
    expect(SLICE("\x10\xff"), "the protobuf message is damaged: a number ends early");
    expect(SLICE("\x31\0\0"), "the protobuf message is damaged: a number of eight bytes ends early");
    expect(SLICE("\x3d\0"), "the protobuf message is damaged: a number of four bytes ends early");
    expect(SLICE("\x80"), "the protobuf message is damaged: a field's number ends early");
    expect(SLICE("\x00\x01"), "the protobuf message is damaged: a field's number is out of range");
    expect(SLICE("\x0f"), "the protobuf message is damaged: a field is of a kind that there is not");
    expect(SLICE("\xa4\x06"), "the protobuf message is damaged: a field is of a kind that there is not");
    expect(SLICE("\xa3\x06\x08\x01"), "the protobuf message is damaged: a group has no end");
    expect(SLICE("\xa3\x06\x9c\x06"), "the protobuf message is damaged: a group is not closed as it was opened");
    expect(SLICE("\x5a\x02\x01\x80"), "the protobuf message is damaged: a list of numbers ends early");
    expect(SLICE("\x6a\x02\x10\xff"), "the protobuf message is damaged: a number ends early");
}

/* Messages within each other: the innermost ones are a text. */
static void depth_has_an_end(void **state)
{
    (void)state;
    enum { DEPTH = 3 * PROTOBUF_DEPTH_MAX };
    struct buffer message, outer;
    buffer_init(&message, 1024 * 1024);
    buffer_init(&outer, 1024 * 1024);
    for (int i = 0; i < DEPTH; i++) {
        buffer_clear(&outer);
        buffer_put_varint(&outer, 13 << 3 | 2);
        buffer_put_block(&outer, buffer_slice(&message));
        buffer_clear(&message);
        buffer_put(&message, buffer_slice(&outer));
    }
    struct arena *arena = arena_new(16 * 1024 * 1024);
    const struct json_node *tree;
    assert_int_equal(protobuf_tree(buffer_slice(&message), &node, arena, &tree, NULL), 0);
    int depth = 0;
    for (; tree && tree->kind == JSON_OBJECT; tree = tree->first)
        depth++;
    assert_int_equal(depth, PROTOBUF_DEPTH_MAX);
    assert_int_equal(tree->kind, JSON_STRING);
    arena_free(arena);
    buffer_close(&message);
    buffer_close(&outer);
}

static void memory_has_an_end(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    const struct json_node *tree;
    struct err err;
    char many[512];
    for (size_t i = 0; i < sizeof(many); i += 2)
        memcpy(many + i, "\x72\x00", 2);
    assert_int_equal(protobuf_tree(slice_of(many, sizeof(many)), &node, arena, &tree, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind),
        cmocka_unit_test(numbers_that_are_not_finite_are_texts),
        cmocka_unit_test(lists_are_packed_or_not),
        cmocka_unit_test(what_is_not_known_is_kept),
        cmocka_unit_test(says_what_is_damaged),
        cmocka_unit_test(depth_has_an_end),
        cmocka_unit_test(memory_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
