/* What is sent of a deed: whatever an entity or a reason has in it, the body is JSON, and the value is that value. */
#include "base/limits.h"
#include "cut/json_tree.h"
#include "respond/act/act_body.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_utf8(struct slice text)
{
    struct buffer to;
    struct json json;
    buffer_init(&to, MIB);
    json_init(&json, &to);
    json_text(&json, text);
    bool plain = to.len && to.ptr[0] == '"';
    buffer_close(&to);
    return plain;
}

static void fill(struct slice template, const struct act_work *work, const char *where)
{
    const struct json_node *root;
    struct err err;
    struct slice body = act_body_fill(template, work);
    assert(body.ptr && json_tree_parse(body, work->arena, &root, &err) == 0);
    struct slice got = json_text_of(json_get(root, where), SLICE_NONE);
    if (is_utf8(work->entity.value))
        assert(slice_equal(got, work->entity.value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(64 * MIB);
    struct slice value = slice_of((const char *)data, size);
    const struct act_settings settings = {.name = SLICE("x")};
    const struct act_work work = {.settings = &settings, .id = SLICE("ACT-1.1"), .key = SLICE("k"), .entity = {SLICE("ip"), value},
                                  .incident = SLICE("INC-1"), .by = value, .reason = value, .arena = arena};
    assert(arena);
    fill(SLICE(""), &work, "entity.value");
    fill(SLICE("{\"a\":\"{entity.value}\",\"b\":{\"c\":\"for {incident}: {reason} {by}\"},\"n\":1}"), &work, "a");
    if (act_body_check(value, NULL) == 0)
        assert(act_body_fill(value, &work).ptr);
    arena_free(arena);
    return 0;
}
