/* Numbers as a sender may give them, in any order: what is open stays bounded and in itself possible, and what is kept is the
 * same again. */
#include "base/clock.h"
#include "base/limits.h"
#include "table/sequence.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct sequence *sequence)
{
    assert(sequence->hole_count < SEQUENCE_HOLES);
    for (uint32_t i = 0; i < sequence->hole_count; i++)
        assert(sequence->holes[i].from <= sequence->holes[i].to);
    assert(sequence->gaps <= sequence->missing);
}

/* What is counted to see whether several number at once is not kept, and may tell otherwise afterwards. */
static void keep(const struct sequence *sequence)
{
    struct buffer first, second;
    struct sequence again;
    buffer_init(&first, MIB);
    buffer_init(&second, MIB);
    sequence_save(sequence, &first);
    struct slice from = buffer_slice(&first);
    assert(sequence_load(&again, &from) && from.len == 0);
    sequence_save(&again, &second);
    assert(slice_equal(buffer_slice(&first), buffer_slice(&second)));
    buffer_close(&first);
    buffer_close(&second);
}

static uint64_t number_of(const struct sequence *sequence, uint8_t how, uint64_t n)
{
    switch (how % 6) {
    case 0: return sequence->newest + 1;
    case 1: return sequence->newest + n;
    case 2: return sequence->newest > n ? sequence->newest - n : 0;
    case 3: return n;
    case 4: return 2147483647 - n;
    default: return n * UINT64_C(140737488355327) % INT64_MAX;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sequence_kind kinds[] = {{1, 2147483647}, {1, 0}, {0, 255}};
    struct sequence sequence = {0}, loaded;
    struct sequence_hole gap;
    int64_t now_ns = 0;
    uint64_t before;
    const struct sequence_kind *kind = &kinds[size ? data[0] % 3 : 0];
    for (size_t at = 1; at + 3 <= size; at += 3) {
        uint64_t n = (uint64_t)data[at + 1] << (data[at] >> 6) * 4 | data[at + 2];
        now_ns += data[at] & 32 ? NS_PER_MINUTE : NS_PER_MS;
        uint64_t number = number_of(&sequence, data[at] & 31, n);
        (void)sequence_take(&sequence, kind, number <= INT64_MAX ? number : INT64_MAX, now_ns, &before);
        while (sequence_settle(&sequence, now_ns, &gap))
            assert(sequence_missing(&gap) > 0);
        check(&sequence);
    }
    keep(&sequence);
    struct slice from = slice_of(data, size);
    if (sequence_load(&loaded, &from))
        while (sequence_settle(&loaded, now_ns, &gap))
            assert(sequence_missing(&gap) > 0);
    return 0;
}
