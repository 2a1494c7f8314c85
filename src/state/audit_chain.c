#include "state/audit_chain.h"

#include <sodium.h>
#include <stdio.h>

static void add_field(crypto_generichash_state *state, struct slice field)
{
    unsigned char length[4];
    for (unsigned i = 0; i < sizeof(length); i++)
        length[i] = (unsigned char)(field.len >> (8 * i));
    crypto_generichash_update(state, length, sizeof(length));
    crypto_generichash_update(state, (const unsigned char *)(field.len ? field.ptr : ""), field.len);
}

static void add_number(crypto_generichash_state *state, int64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%lld", (long long)n);
    add_field(state, slice_of(digits, (size_t)len));
}

void audit_chain_hash(const char *before, const struct audit_row *row, char to[AUDIT_HASH_SIZE])
{
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    unsigned char hash[32];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    crypto_generichash_update(&state, (const unsigned char *)(before ? before : zeros),
                              AUDIT_HASH_SIZE - 1);
    add_number(&state, row->id);
    add_number(&state, row->time_ns);
    add_field(&state, row->actor);
    add_field(&state, row->via);
    add_field(&state, row->peer);
    add_field(&state, row->action);
    add_field(&state, row->object);
    add_field(&state, row->detail);
    add_field(&state, row->result);
    crypto_generichash_final(&state, hash, sizeof(hash));
    sodium_bin2hex(to, AUDIT_HASH_SIZE, hash, sizeof(hash));
}

int audit_walk_next(struct audit_walk *walk, const struct audit_row *row, struct err *err)
{
    char hash[AUDIT_HASH_SIZE];
    const char *what = walk->what ? walk->what : "the audit trail";
    if (row->id != walk->rows + 1)
        return err_set(err, ERR_CORRUPT, "row %lld of %s is missing (row %lld follows)",
                       (long long)walk->rows + 1, what, (long long)row->id);
    audit_chain_hash(walk->rows ? walk->hash : NULL, row, hash);
    if (memcmp(hash, row->hash, sizeof(hash)) != 0)
        return err_set(err, ERR_CORRUPT,
                       "row %lld of %s, or one before it, is not what was written",
                       (long long)row->id, what);
    walk->rows++;
    memcpy(walk->hash, hash, sizeof(hash));
    if (walk->wanted && strcmp(walk->wanted, hash) == 0)
        walk->wanted_seen = true;
    return 0;
}

int audit_walk_end(const struct audit_walk *walk, struct err *err)
{
    if (!walk->wanted || walk->wanted_seen)
        return 0;
    return err_set(err, ERR_CORRUPT, "no row of the audit trail has the hash %.64s: rows were cut off "
                   "or written anew", walk->wanted);
}
