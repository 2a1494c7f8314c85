/* Bytes to be signed: read within their bounds, always with an effect that can be shown, and judged to be what was asked for only
 * when one transfer is all they do. */
#include "base/limits.h"
#include "gate/payload.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char policy_text[] =
    "version: \"1\"\nmode: enforce\nrows:\n  - {name: all, effect: allow}\nassets:\n"
    "  A: {chain: evm, decimals: 6, contract: \"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}\n"
    "  B: {chain: bitcoin, decimals: 8, own: [\"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4\"]}\n";

static void judge(const struct policy *policy, struct slice payload, struct slice asset, struct slice destination, struct arena *arena)
{
    struct payload_sight sight;
    struct gate_request request = {.asset = asset, .destination = destination, .payload = payload, .has_amount = true};
    assert(decimal_parse(SLICE("1.5"), &request.amount));
    assert(payload_judge(policy, &request, arena, &sight));
    assert(sight.effects.count <= GATE_EFFECTS_MAX && sight.worst == effects_worst(&sight.effects));
    for (size_t i = 0; i < sight.effects.count; i++) {
        const struct effect *effect = &sight.effects.list[i];
        assert(effect_text(effect, arena).ptr);
        assert(!sight.matches || (effect->kind == EFFECT_TRANSFER && !sight.differs[i]));
    }
    assert(!sight.matches || sight.worst == EFFECT_TRANSFER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(64 * MIB);
    const struct policy *policy;
    struct slice payload = slice_of(data, size), again;
    struct err err;
    assert(policy_parse(slice_text(policy_text), arena, &policy, &err) == 0);
    judge(policy, payload, SLICE("A"), SLICE("0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"), arena);
    judge(policy, payload, SLICE("B"), SLICE("bc1qpyysjzgfpyysjzgfpyysjzgfpyysjzgftp2y25"), arena);
    if (size > 0 && size <= GATE_PAYLOAD_BYTES_MAX) {
        assert(payload_from_text(payload_to_text(payload, arena), arena, &again) && slice_equal(again, payload));
        if (payload_from_text(payload, arena, &again))
            assert(again.len > 0 && again.len < size);
    }
    arena_free(arena);
    return 0;
}
