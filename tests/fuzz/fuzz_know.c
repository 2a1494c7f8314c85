/* A definition as YAML, read and checked; then its text as a search in which macros are replaced. */
#include "base/limits.h"
#include "know/know.h"
#include "search/know_check.h"
#include "search/macro.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expand(struct slice text, const struct knowledge *set)
{
    struct macro_text out;
    struct err err;
    struct arena *arena = arena_new(64 * MIB);
    if (arena && macro_expand(text, arena, set, SLICE(""), &out, &err) == 0) {
        err_set_at(&err, ERR_CONFIG, 0, (int)out.text.len, "x");
        macro_place(&out, &err);
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err;
    struct slice text = slice_of(data, size);
    struct know_builder *builder = know_builder_new();
    const struct know_object *object;
    if (size > 64 * KIB || !builder) {
        know_builder_free(builder);
        return 0;
    }
    int result = know_builder_text(builder, text, SLICE("fuzz"), true, 1, &err);
    struct knowledge *set = know_builder_done(builder);
    for (size_t i = 0; result == 0 && (object = know_at(set, i)); i++)
        (void)!know_check_object(object, set, &err);
    expand(text, set);
    expand(SLICE("`m(\"a,b\", c)` | `m` \"`m`\""), set);
    know_release(set);
    return 0;
}
