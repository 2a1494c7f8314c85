#include "gate/policy_assets.h"

#include "gate/policy.h"

enum { CONTRACT_DIGITS = 40 };

const struct policy_asset *policy_asset_find(const struct policy *policy, struct slice name)
{
    for (size_t i = 0; i < policy->asset_count; i++)
        if (slice_equal(policy->assets[i].name, name))
            return &policy->assets[i];
    return NULL;
}

static bool is_contract(struct slice text)
{
    bool fine = text.len == 2 + CONTRACT_DIGITS && slice_starts(text, SLICE("0x"));
    for (size_t i = 2; i < text.len; i++)
        fine &= (text.ptr[i] >= '0' && text.ptr[i] <= '9') || ((text.ptr[i] | 0x20) >= 'a' && (text.ptr[i] | 0x20) <= 'f');
    return fine;
}

static int read_own(struct policy_asset *asset, const struct yaml_node *node, struct arena *arena, struct err *err)
{
    if (node->kind != YAML_SEQUENCE)
        return yaml_err(err, node, "own is a list of addresses");
    asset->own = arena_array(arena, node->count + 1, sizeof(*asset->own));
    if (!asset->own)
        return err_nomem(err);
    for (; asset->own_count < node->count; asset->own_count++) {
        struct slice address = yaml_text(node->entries[asset->own_count].value, SLICE(""));
        if (!address.len)
            return yaml_err(err, node->entries[asset->own_count].value, "an address is needed here");
        asset->own[asset->own_count] = address;
    }
    return 0;
}

static int read_part(struct policy_asset *asset, struct slice key, const struct yaml_node *value, struct arena *arena, struct err *err)
{
    struct slice text = yaml_text(value, SLICE(""));
    int64_t number;
    if (slice_is(key, "chain")) {
        asset->chain = slice_is(text, "evm") ? CHAIN_EVM : slice_is(text, "bitcoin") ? CHAIN_BITCOIN : CHAIN_UNKNOWN;
        return asset->chain ? 0 : yaml_err(err, value, "chain is evm or bitcoin");
    }
    if (slice_is(key, "decimals")) {
        if (!yaml_to_i64(value, &number) || number < 0 || number > ASSET_DECIMALS_MAX)
            return yaml_err(err, value, "decimals is from 0 to %d", ASSET_DECIMALS_MAX);
        asset->decimals = (uint8_t)number;
        return 0;
    }
    if (slice_is(key, "contract")) {
        asset->contract = text;
        return is_contract(text) ? 0 : yaml_err(err, value, "contract is 0x and %d digits of hex, in quotes", CONTRACT_DIGITS);
    }
    if (slice_is(key, "chain_id")) {
        asset->chain_id = text;
        return yaml_to_i64(value, &number) && number > 0 ? 0 : yaml_err(err, value, "chain_id is a number above zero");
    }
    return slice_is(key, "own") ? read_own(asset, value, arena, err)
                                : yaml_err(err, value, "'%.*s' is not known here", SLICE_ARG(key));
}

static int add_asset(struct policy *policy, const struct yaml_entry *entry, struct arena *arena, struct err *err)
{
    struct policy_asset *asset = &policy->assets[policy->asset_count];
    const struct yaml_node *node = entry->value;
    asset->name = entry->key->text;
    if (node->kind != YAML_MAPPING || !yaml_get(node, "chain") || !yaml_get(node, "decimals"))
        return yaml_err(err, node, "an asset has a chain and decimals");
    for (size_t i = 0; i < node->count; i++)
        if (read_part(asset, node->entries[i].key->text, node->entries[i].value, arena, err) < 0)
            return -1;
    if (asset->chain == CHAIN_BITCOIN && (asset->contract.len || asset->chain_id.len))
        return yaml_err(err, node, "contract and chain_id are for the chain evm");
    policy->asset_count++;
    return 0;
}

int policy_add_assets(struct policy *policy, const struct yaml_node *node, struct arena *arena, struct err *err)
{
    if (!node)
        return 0;
    if (node->kind != YAML_MAPPING || node->count > POLICY_ASSETS_MAX)
        return yaml_err(err, node, "assets is a mapping of at most %d names and what they are", POLICY_ASSETS_MAX);
    policy->assets = arena_array(arena, node->count + 1, sizeof(*policy->assets));
    if (!policy->assets)
        return err_nomem(err);
    for (size_t i = 0; i < node->count; i++)
        if (add_asset(policy, &node->entries[i], arena, err) < 0)
            return -1;
    return 0;
}
