#include "serve/cosigner.h"

#include "base/clock.h"
#include "base/duration.h"
#include "base/limits.h"
#include "base/secret.h"

static int read_pem(const struct yaml_node *node, struct arena *arena, struct slice *out, struct err *err)
{
    struct slice written = yaml_text(node, SLICE_NONE);
    if (!written.len)
        return yaml_err(err, node, "a key is a PEM text, file:PATH or env:NAME");
    return secret_read(written, arena, out, err) < 0 ? err_within(err, "line %d", node->line) : 0;
}

/* One, or a list: co-signers that stand in for each other, and a new key beside the old one. */
static int read_public(const struct yaml_node *node, struct arena *arena, struct cosigner_settings *out, struct err *err)
{
    out->key_count = 0;
    if (node->kind == YAML_SCALAR)
        return read_pem(node, arena, &out->public_keys[out->key_count++], err);
    if (node->kind != YAML_SEQUENCE || node->count == 0 || node->count > COSIGNER_KEYS_MAX)
        return yaml_err(err, node, "public_key is a key or a list of at most %d", COSIGNER_KEYS_MAX);
    for (size_t i = 0; i < node->count; i++)
        if (read_pem(node->entries[i].value, arena, &out->public_keys[out->key_count++], err) < 0)
            return -1;
    return 0;
}

static int read_span(const struct yaml_node *node, int64_t *out, struct err *err)
{
    if (duration_parse(yaml_text(node, SLICE("")), out) && *out >= NS_PER_SECOND && *out <= 7 * NS_PER_DAY)
        return 0;
    return yaml_err(err, node, "a duration from 1s to 7d is needed, such as 45m");
}

static int read_assets(const struct yaml_node *node, struct arena *arena, struct cosigner_settings *out, struct err *err)
{
    if (node->kind != YAML_MAPPING || node->count > COSIGNER_ASSETS_MAX)
        return yaml_err(err, node, "assets is a mapping of at most %d names, such as {USDT_ERC20: USDT}", COSIGNER_ASSETS_MAX);
    out->asset_count = node->count;
    out->assets = arena_array(arena, node->count + 1, sizeof(*out->assets));
    if (!out->assets)
        return err_nomem(err);
    for (size_t i = 0; i < node->count; i++) {
        out->assets[i] = (struct cosigner_asset){node->entries[i].key->text, yaml_text(node->entries[i].value, SLICE_NONE)};
        if (!out->assets[i].ours.len)
            return yaml_err(err, node->entries[i].value, "the name of an asset is needed");
    }
    return 0;
}

static int read_key(const struct yaml_entry *entry, struct arena *arena, struct cosigner_settings *out, struct err *err)
{
    struct slice name = entry->key->text;
    if (slice_is(name, "public_key"))
        return read_public(entry->value, arena, out, err);
    if (slice_is(name, "private_key"))
        return read_pem(entry->value, arena, &out->private_key, err);
    if (slice_is(name, "reject_after"))
        return read_span(entry->value, &out->reject_after_ns, err);
    if (slice_is(name, "max_age"))
        return read_span(entry->value, &out->max_age_ns, err);
    if (slice_is(name, "assets"))
        return read_assets(entry->value, arena, out, err);
    return yaml_err(err, entry->key, "there is no key '%.*s' under fireblocks", SLICE_ARG(name));
}

int cosigner_settings_read(const struct yaml_node *node, struct arena *arena, struct cosigner_settings *out, struct err *err)
{
    *out = (struct cosigner_settings){0};
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, node, "fireblocks is a mapping with public_key and private_key");
    for (size_t i = 0; i < node->count; i++)
        if (read_key(&node->entries[i], arena, out, err) < 0)
            return -1;
    if (!out->key_count || !out->private_key.len)
        return yaml_err(err, node, "fireblocks needs a public_key (the co-signer's) and a private_key (ours)");
    return 0;
}
