#pragma once
/*
 * gate/policy_assets: what an asset is on its chain, so that what will be signed can be compared with what was asked.
 *
 *   assets:
 *     BTC:  {chain: bitcoin, decimals: 8, own: ["bc1qchange…"]}
 *     USDT: {chain: evm, decimals: 6, contract: "0xdac1…", chain_id: 1}
 *
 * own: addresses whose coins stay ours; what goes there is no effect. chain_id: the payload must be for that network.
 *
 * Errors  -1; the sentence names the line.
 */
#include "cut/yaml.h"
#include "gate/effects.h"

enum { POLICY_ASSETS_MAX = 1024, ASSET_DECIMALS_MAX = 36 };

struct policy_asset {
    struct slice name;
    enum effect_chain chain;
    uint8_t decimals;
    struct slice contract, chain_id; /* or none */
    struct slice *own;
    size_t own_count;
};

struct policy;
MUST_USE int policy_add_assets(struct policy *policy, const struct yaml_node *node, struct arena *arena, struct err *err);
/* NULL when the policy does not say what it is. */
const struct policy_asset *policy_asset_find(const struct policy *policy, struct slice name);
