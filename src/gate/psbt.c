/*
 * A Bitcoin transaction to be signed. What leaves is counted by script: of what goes to a script, what came from the same script
 * is change. So a change address that did not pay in shows as a transfer; the policy's assets name the own ones.
 */
#include "gate/effects_parts.h"

#include "base/limits.h"

#include <sodium.h>

enum { TXID = 32 };
#define COINS_ALL 2100000000000000ULL /* satoshi there can ever be */

struct coin {
    uint64_t amount;
    struct slice script;
};

struct spent {
    struct slice txid;
    uint32_t index;
    bool known;
    struct coin coin; /* when known */
};

struct transaction {
    struct spent inputs[GATE_COINS_MAX];
    struct coin outputs[GATE_COINS_MAX];
    size_t input_count, output_count;
};

/* ---- bytes ---- */

static bool take_size(struct slice *from, uint64_t *out)
{
    struct slice bytes;
    if (!slice_take(from, 1, &bytes))
        return false;
    unsigned char first = (unsigned char)bytes.ptr[0];
    size_t more = first < 0xfd ? 0 : (size_t)2 << (first - 0xfd);
    *out = first;
    if (more) {
        if (!slice_take(from, more, &bytes))
            return false;
        *out = 0;
        for (size_t i = more; i-- > 0;)
            *out = *out << 8 | (unsigned char)bytes.ptr[i];
    }
    return true;
}

static bool take_sized(struct slice *from, struct slice *out)
{
    uint64_t size;
    return take_size(from, &size) && size <= from->len && slice_take(from, (size_t)size, out);
}

static bool take_coin(struct slice *from, struct coin *out)
{
    return slice_take_le64(from, &out->amount) && out->amount <= COINS_ALL && take_sized(from, &out->script);
}

/* ---- transactions ---- */

static bool take_inputs(struct slice *from, struct transaction *out, bool *has_scripts)
{
    uint64_t count;
    struct slice script;
    uint32_t sequence;
    if (!take_size(from, &count) || count == 0 || count > GATE_COINS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct spent *input = &out->inputs[i];
        if (!slice_take(from, TXID, &input->txid) || !slice_take_le32(from, &input->index) || !take_sized(from, &script) ||
            !slice_take_le32(from, &sequence))
            return false;
        *has_scripts |= script.len > 0;
    }
    out->input_count = (size_t)count;
    return true;
}

static bool take_outputs(struct slice *from, struct transaction *out)
{
    uint64_t count;
    if (!take_size(from, &count) || count == 0 || count > GATE_COINS_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!take_coin(from, &out->outputs[i]))
            return false;
    out->output_count = (size_t)count;
    return true;
}

static bool skip_witnesses(struct slice *from, size_t inputs)
{
    uint64_t count;
    struct slice item;
    for (size_t i = 0; i < inputs; i++) {
        if (!take_size(from, &count))
            return false;
        for (; count; count--)
            if (!take_sized(from, &item))
                return false;
    }
    return true;
}

/* txid: of the transaction without its witnesses, as inputs name it. */
static bool read_transaction(struct slice bytes, struct transaction *out, bool *has_scripts, unsigned char txid[TXID])
{
    struct slice version, flag, rest, body, locktime;
    crypto_hash_sha256_state hash;
    *out = (struct transaction){0};
    *has_scripts = false;
    if (!slice_take(&bytes, 4, &version))
        return false;
    bool witnesses = slice_starts(bytes, slice_of("\0\1", 2));
    if (witnesses && !slice_take(&bytes, 2, &flag))
        return false;
    rest = bytes;
    if (!take_inputs(&rest, out, has_scripts) || !take_outputs(&rest, out))
        return false;
    body = slice_sub(bytes, 0, bytes.len - rest.len);
    if ((witnesses && !skip_witnesses(&rest, out->input_count)) || !slice_take(&rest, 4, &locktime) || rest.len)
        return false;
    *has_scripts |= witnesses;
    crypto_hash_sha256_init(&hash);
    crypto_hash_sha256_update(&hash, (const unsigned char *)version.ptr, version.len);
    crypto_hash_sha256_update(&hash, (const unsigned char *)body.ptr, body.len);
    crypto_hash_sha256_update(&hash, (const unsigned char *)locktime.ptr, locktime.len);
    crypto_hash_sha256_final(&hash, txid);
    crypto_hash_sha256(txid, txid, TXID);
    return true;
}

/* ---- the maps of a PSBT ---- */

enum { GLOBAL_TRANSACTION = 0x00, INPUT_TRANSACTION = 0x00, INPUT_COIN = 0x01, INPUT_SIGHASH = 0x03 };

/* The next entry; key.len 0: the map has ended. */
static bool take_entry(struct slice *from, struct slice *key, struct slice *value)
{
    return take_sized(from, key) && (!key->len || take_sized(from, value));
}

static bool is_key(struct slice key, char type)
{
    return key.len == 1 && key.ptr[0] == type;
}

/* The one coin that the input spends, out of the transaction that made it. */
static bool find_coin(struct effects_reading *reading, struct slice bytes, struct spent *input)
{
    struct transaction *before = arena_alloc(reading->arena, sizeof(*before));
    unsigned char txid[TXID];
    bool ignored;
    reading->failed |= !before;
    if (!before || !read_transaction(bytes, before, &ignored, txid) || !slice_equal(slice_of(txid, TXID), input->txid) ||
        input->index >= before->output_count)
        return false;
    const struct coin *coin = &before->outputs[input->index];
    if (input->known && (input->coin.amount != coin->amount || !slice_equal(input->coin.script, coin->script)))
        return false;
    input->coin = *coin;
    input->known = true;
    return true;
}

/* A coin that stands alone counts only for scripts whose signatures are over its amount: witness programs, and those in P2SH. */
static bool take_claim(struct slice value, struct spent *input)
{
    struct coin coin;
    if (!take_coin(&value, &coin) || value.len)
        return false;
    if (input->known)
        return input->coin.amount == coin.amount && slice_equal(input->coin.script, coin.script);
    unsigned char first = coin.script.len ? (unsigned char)coin.script.ptr[0] : 0xff;
    input->coin = coin;
    input->known = first == 0x00 || (first >= 0x51 && first <= 0x60) || first == 0xa9;
    return true;
}

static bool read_input(struct effects_reading *reading, struct slice *from, struct spent *input)
{
    struct slice key, value;
    while (take_entry(from, &key, &value)) {
        uint32_t sighash;
        struct slice rest = value;
        if (!key.len)
            return true;
        if (is_key(key, INPUT_TRANSACTION) && !find_coin(reading, value, input))
            return false;
        if (is_key(key, INPUT_COIN) && !take_claim(value, input))
            return false;
        if (is_key(key, INPUT_SIGHASH) && (!slice_take_le32(&rest, &sighash) || rest.len || sighash > 1))
            return false; /* neither all nor the default: others could still change it */
    }
    return false;
}

static bool skip_map(struct slice *from)
{
    struct slice key, value;
    while (take_entry(from, &key, &value))
        if (!key.len)
            return true;
    return false;
}

static bool read_maps(struct effects_reading *reading, struct slice bytes, struct transaction *out)
{
    struct slice key, value;
    unsigned char txid[TXID];
    bool found = false, has_scripts;
    while (take_entry(&bytes, &key, &value) && key.len) {
        if (!is_key(key, GLOBAL_TRANSACTION))
            continue;
        if (found || !read_transaction(value, out, &has_scripts, txid) || has_scripts)
            return false;
        found = true;
    }
    if (!found)
        return false;
    for (size_t i = 0; i < out->input_count; i++)
        if (!read_input(reading, &bytes, &out->inputs[i]))
            return false;
    for (size_t i = 0; i < out->output_count; i++)
        if (!skip_map(&bytes))
            return false;
    return bytes.len == 0;
}

/* ---- what leaves ---- */

static uint64_t paid_by(const struct transaction *transaction, struct slice script)
{
    uint64_t sum = 0; /* at most GATE_COINS_MAX * COINS_ALL */
    for (size_t i = 0; i < transaction->input_count; i++)
        if (transaction->inputs[i].known && slice_equal(transaction->inputs[i].coin.script, script))
            sum += transaction->inputs[i].coin.amount;
    return sum;
}

/* All that goes to the script; 0 when an earlier output of the same script told it. */
static uint64_t paid_to(const struct transaction *transaction, size_t output)
{
    uint64_t sum = 0;
    struct slice script = transaction->outputs[output].script;
    for (size_t i = 0; i < transaction->output_count; i++) {
        bool same = slice_equal(transaction->outputs[i].script, script);
        if (same && i < output)
            return 0;
        sum += same ? transaction->outputs[i].amount : 0;
    }
    return sum;
}

static void tell_output(struct effects_reading *reading, const struct transaction *transaction, size_t i)
{
    struct slice script = transaction->outputs[i].script, address = bitcoin_address(script, reading->arena);
    uint64_t out = paid_to(transaction, i), in = paid_by(transaction, script);
    if (address.ptr && out <= in)
        return; /* change, or told already */
    struct effect *effect = effects_add(reading, address.ptr ? EFFECT_TRANSFER : EFFECT_UNKNOWN,
                                        address.ptr ? "output" : "an output to a script without an address");
    effect->is_coin = true;
    effect->to = address.ptr ? address : effects_hex(reading, script);
    effect->amount = effects_u128(reading, 0, out > in ? out - in : 0);
}

static void tell(struct effects_reading *reading, const struct transaction *transaction)
{
    uint64_t in = 0, out = 0;
    bool known = true;
    for (size_t i = 0; i < transaction->input_count; i++) {
        known &= transaction->inputs[i].known;
        in += transaction->inputs[i].known ? transaction->inputs[i].coin.amount : 0;
    }
    for (size_t i = 0; i < transaction->output_count; i++) {
        out += transaction->outputs[i].amount;
        tell_output(reading, transaction, i);
    }
    if (known && in >= out)
        reading->out->fee = effects_u128(reading, 0, in - out);
    else
        effects_add(reading, EFFECT_UNKNOWN, known ? "pays out more than it takes in"
                                                   : "what it spends is not proven, so its fee and its change are not known");
}

bool psbt_read(struct effects_reading *reading, struct slice payload)
{
    static const char magic[] = {'p', 's', 'b', 't', '\xff'};
    struct transaction *transaction;
    if (!slice_starts(payload, slice_of(magic, sizeof(magic))))
        return false;
    reading->out->chain = CHAIN_BITCOIN;
    transaction = arena_alloc(reading->arena, sizeof(*transaction));
    reading->failed |= !transaction;
    if (transaction && read_maps(reading, slice_from(payload, sizeof(magic)), transaction))
        tell(reading, transaction);
    else
        effects_add(reading, EFFECT_UNKNOWN, "a PSBT that cannot be read, or one that signs only parts");
    return true;
}
