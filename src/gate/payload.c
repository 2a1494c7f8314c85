#include "gate/payload.h"

#include "base/limits.h"

#include <sodium.h>

bool payload_base_units(struct decimal amount, uint8_t decimals, char to[BASE_UNITS_SIZE])
{
    char text[DECIMAL_TEXT_SIZE];
    struct slice all = slice_of(text, decimal_format(decimal_trim(amount), text)), whole = all, fraction = SLICE("");
    size_t len = 0;
    (void)slice_cut(all, '.', &whole, &fraction);
    if (amount.coefficient < 0 || fraction.len > decimals)
        return false;
    for (size_t i = 0; i < whole.len + decimals; i++) {
        size_t at = i - whole.len; /* in the fraction */
        char digit = i < whole.len ? whole.ptr[i] : at < fraction.len ? fraction.ptr[at] : '0';
        if (len || digit != '0')
            to[len++] = digit;
    }
    if (!len)
        to[len++] = '0';
    to[len] = '\0';
    return true;
}

bool payload_from_text(struct slice text, struct arena *arena, struct slice *out)
{
    size_t len = 0, room = text.len / 4 * 3 + 3;
    bool hex = slice_starts(text, SLICE("0x"));
    if (text.len > 2 * GATE_PAYLOAD_BYTES_MAX + 2)
        return false;
    unsigned char *bytes = arena_alloc(arena, room);
    if (!bytes)
        return false;
    if (hex)
        text = slice_from(text, 2);
    int bad = hex ? sodium_hex2bin(bytes, room, text.ptr, text.len, NULL, &len, NULL)
                  : sodium_base642bin(bytes, room, text.ptr, text.len, NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL);
    *out = slice_of(bytes, len);
    return !bad && len > 0 && len <= GATE_PAYLOAD_BYTES_MAX && (!hex || text.len == 2 * len);
}

struct slice payload_to_text(struct slice payload, struct arena *arena)
{
    size_t size = 2 * payload.len + 3;
    char *text = arena_alloc(arena, size);
    if (!text)
        return SLICE_NONE;
    text[0] = '0';
    text[1] = 'x';
    sodium_bin2hex(text + 2, size - 2, (const unsigned char *)payload.ptr, payload.len);
    return slice_of(text, size - 1);
}

/* ---- comparing ---- */

/* Hex is the same in capitals, base58 is not. */
static bool same_address(enum effect_chain chain, struct slice a, struct slice b)
{
    return chain == CHAIN_EVM ? slice_equal_nocase(a, b) : slice_equal(a, b);
}

static bool same_asset(const struct policy_asset *asset, const struct effect *effect)
{
    return asset->contract.len ? slice_equal_nocase(effect->contract, asset->contract) : effect->is_coin;
}

static bool is_own(const struct policy_asset *asset, const struct effect *effect)
{
    if (!asset || effect->kind != EFFECT_TRANSFER || effect->token.len || !same_asset(asset, effect))
        return false;
    for (size_t i = 0; i < asset->own_count; i++)
        if (same_address(asset->chain, effect->to, asset->own[i]))
            return true;
    return false;
}

static const char *find_difference(const struct policy_asset *asset, const struct gate_request *request,
                                   const struct effects *effects, const struct effect *effect)
{
    char amount[BASE_UNITS_SIZE];
    if (effect->kind != EFFECT_TRANSFER)
        return "it is no transfer";
    if (!asset)
        return "the policy's assets do not say what the asset is on its chain";
    if (effects->chain != asset->chain || (asset->chain_id.len && !slice_equal(effects->chain_id, asset->chain_id)))
        return "it is on another chain, or which one is not said";
    if (effect->token.len || !same_asset(asset, effect))
        return "it is of another asset, or of which one is not said";
    if (!same_address(asset->chain, effect->to, request->destination))
        return "it goes to another destination";
    if (effect->from.len && !same_address(asset->chain, effect->from, request->wallet))
        return "it comes from another wallet";
    if (!request->has_amount || !payload_base_units(request->amount, asset->decimals, amount) || !slice_is(effect->amount, amount))
        return "it is another amount";
    return NULL;
}

bool payload_judge(const struct policy *policy, const struct gate_request *request, struct arena *arena, struct payload_sight *out)
{
    const struct policy_asset *asset = policy ? policy_asset_find(policy, request->asset) : NULL;
    size_t found = 0, wrong = 0;
    *out = (struct payload_sight){0};
    if (!effects_read(request->payload, arena, &out->effects))
        return false;
    out->differs = arena_array(arena, out->effects.count + 1, sizeof(*out->differs));
    if (!out->differs)
        return false;
    for (size_t i = 0; i < out->effects.count; i++) {
        const struct effect *effect = &out->effects.list[i];
        if (is_own(asset, effect) && !same_address(asset->chain, effect->to, request->destination))
            continue;
        out->differs[i] = find_difference(asset, request, &out->effects, effect);
        if (!out->differs[i] && found++)
            out->differs[i] = "it is there twice";
        wrong += out->differs[i] != NULL;
    }
    out->worst = effects_worst(&out->effects);
    out->matches = found == 1 && wrong == 0;
    return true;
}
