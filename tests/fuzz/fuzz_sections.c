/* Labels and values under headings: all of them lie within the text, one behind the other. */
#include "base/arena.h"
#include "cut/sections.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(struct map *map, const char *key, const void *value)
{
    if (map_put(map, slice_text(key), (void *)(uintptr_t)value) < 0)
        assert(0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct slice kind = {"who", 3}, ends[] = {{"This event", 10}};
    struct arena *arena = arena_new(1 << 20);
    struct map labels, headings, last;
    struct section_value value;
    map_init(&labels, arena);
    map_init(&headings, arena);
    map_init(&last, arena);
    put(&labels, "who.Name", &kind);
    put(&labels, "Type", &kind);
    put(&headings, "Subject", &kind);
    put(&last, "Line", &kind);
    struct section_words words = {&labels, &headings, &last, ends, 1};
    struct slice text = slice_of(data, size);
    struct sections sections = sections_begin(&words, text);
    const char *behind = text.ptr;
    while (sections_next(&sections, &value)) {
        assert(value.label.len && value.label.ptr >= behind && value.value.len);
        assert(value.value.ptr > value.label.ptr && value.value.ptr + value.value.len <= text.ptr + text.len);
        behind = value.value.ptr + value.value.len;
        (void)sections_known(&words, value.heading, value.label);
    }
    arena_free(arena);
    return 0;
}
