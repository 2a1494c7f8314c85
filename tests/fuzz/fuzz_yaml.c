/* YAML texts: a tree within its bounds, or an error with a line. */
#include "cut/yaml.h"

#include "base/limits.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct yaml_node *node, unsigned depth)
{
    assert(depth <= YAML_DEPTH_MAX);
    bool b;
    int64_t n;
    yaml_to_bool(node, &b);
    yaml_to_i64(node, &n);
    for (size_t i = 0; i < node->count && i < 64; i++) {
        assert((node->entries[i].key != NULL) == (node->kind == YAML_MAPPING));
        walk(node->entries[i].value, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(256 * MIB);
    const struct yaml_node *const *documents;
    size_t count;
    struct err err;
    err_clear(&err);
    if (yaml_parse(slice_of(data, size), arena, &documents, &count, &err) < 0) {
        assert(err.text[0] && count == 0);
    } else {
        for (size_t i = 0; i < count; i++)
            if (documents[i]->weight < 5000)
                walk(documents[i], 1);
    }
    arena_free(arena);
    return 0;
}
