/* The content of a checkpoint: no crash, and what loads can be saved and loads again. */
#include "base/limits.h"
#include "detect/detector.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int ignore(void *context, const struct finding *finding, const struct rule *rule,
                  const struct batch *batch, uint32_t row, struct err *err)
{
    (void)context, (void)finding, (void)rule, (void)batch, (void)row, (void)err;
    return 0;
}

static const struct rule_set *rules(void)
{
    static struct rule_set *loaded;
    struct rule_options options = {.logsource_path = "content/logsources",
                                   .more_path = "tests/fuzz/corpus/fuzz_sigma"}; /* every kind that remembers */
    assert(loaded || rule_set_load("content/rules", &options, &loaded, NULL) == 0);
    return loaded;
}

static const struct state_definitions *definitions(void)
{
    static const struct state_definitions *loaded;
    static struct arena *arena; /* as long as the program */
    if (!arena)
        arena = arena_new(64 * MIB);
    assert(arena && (loaded || state_definitions_load("content/state", arena, &loaded, NULL) == 0));
    return loaded;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct detector_options options = {.rules = rules(), .state = definitions(), .found = ignore};
    struct detector *first, *second;
    struct buffer saved;
    struct slice bytes = slice_of((const char *)data, size);
    (void)detector_snapshot_state(bytes);
    buffer_init(&saved, 64 * MIB);
    assert(detector_new(&options, &first, NULL) == 0 && detector_new(&options, &second, NULL) == 0);
    if (detector_load(first, bytes, NULL) == 0) {
        detector_save(first, &saved);
        assert(!buffer_failed(&saved) && detector_load(second, buffer_slice(&saved), NULL) == 0);
        (void)!detector_tick(first, INT64_MAX / 2, NULL); /* a finding in it may be damaged */
        (void)!detector_finish(first, NULL);
    }
    detector_free(first);
    detector_free(second);
    buffer_close(&saved);
    return 0;
}
