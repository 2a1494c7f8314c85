/* Calls of contracts: the first four bytes name a function (the start of the Keccak-256 of its signature), words of 32 bytes
 * follow. tests/e2e/test_gate_payload.py computes each selector from its signature. */
#include "gate/effects_parts.h"

#include "base/limits.h"

enum { WORD = 32, ADDRESS = 20, SELECTOR = 4, ARGUMENTS_MAX = 10 };

/* Which argument says it, or NO. */
enum { NO = -1 };
struct call {
    uint32_t selector;
    const char *signature;
    enum effect_kind kind;
    signed char from, to, amount, token;
};

static const struct call calls[] = {
    {0xa9059cbb, "transfer(address,uint256)", EFFECT_TRANSFER, NO, 0, 1, NO},
    {0x23b872dd, "transferFrom(address,address,uint256)", EFFECT_TRANSFER, 0, 1, 2, NO},
    {0x42842e0e, "safeTransferFrom(address,address,uint256)", EFFECT_TRANSFER, 0, 1, NO, 2},
    {0xb88d4fde, "safeTransferFrom(address,address,uint256,bytes)", EFFECT_TRANSFER, 0, 1, NO, 2},
    {0xf242432a, "safeTransferFrom(address,address,uint256,uint256,bytes)", EFFECT_TRANSFER, 0, 1, 3, 2},
    {0x2eb2c2d6, "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)", EFFECT_TRANSFER, 0, 1, NO, NO},
    {0x095ea7b3, "approve(address,uint256)", EFFECT_APPROVAL, NO, 0, 1, NO},
    {0x39509351, "increaseAllowance(address,uint256)", EFFECT_APPROVAL, NO, 0, 1, NO},
    {0xd505accf, "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)", EFFECT_APPROVAL, 0, 1, 2, NO},
    {0x8fcbaf0c, "permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)", EFFECT_APPROVAL, 0, 1, NO, NO},
    {0xa22cb465, "setApprovalForAll(address,bool)", EFFECT_APPROVAL, NO, 0, NO, NO},
    {0x0d582f13, "addOwnerWithThreshold(address,uint256)", EFFECT_OWNERSHIP, NO, 0, NO, NO},
    {0xe318b52b, "swapOwner(address,address,address)", EFFECT_OWNERSHIP, 1, 2, NO, NO},
    {0xf8dc5dd9, "removeOwner(address,address,uint256)", EFFECT_OWNERSHIP, 1, NO, NO, NO},
    {0x694e80c3, "changeThreshold(uint256)", EFFECT_OWNERSHIP, NO, NO, NO, NO},
    {0x610b5925, "enableModule(address)", EFFECT_OWNERSHIP, NO, 0, NO, NO},
    {0xe009cfde, "disableModule(address,address)", EFFECT_OWNERSHIP, 1, NO, NO, NO},
    {0xe19a9dd9, "setGuard(address)", EFFECT_OWNERSHIP, NO, 0, NO, NO},
    {0xf08a0323, "setFallbackHandler(address)", EFFECT_UPGRADE, NO, 0, NO, NO},
    {0x3659cfe6, "upgradeTo(address)", EFFECT_UPGRADE, NO, 0, NO, NO},
    {0x4f1ef286, "upgradeToAndCall(address,bytes)", EFFECT_UPGRADE, NO, 0, NO, NO},
    {0x99a88ec4, "upgrade(address,address)", EFFECT_UPGRADE, 0, 1, NO, NO},
    {0x9623609d, "upgradeAndCall(address,address,bytes)", EFFECT_UPGRADE, 0, 1, NO, NO},
    {0x8f283970, "changeAdmin(address)", EFFECT_OWNERSHIP, NO, 0, NO, NO},
    {0xf2fde38b, "transferOwnership(address)", EFFECT_OWNERSHIP, NO, 0, NO, NO},
    {0x715018a6, "renounceOwnership()", EFFECT_OWNERSHIP, NO, NO, NO, NO},
    {0x79ba5097, "acceptOwnership()", EFFECT_OWNERSHIP, NO, NO, NO, NO},
    {0x2f2ff15d, "grantRole(bytes32,address)", EFFECT_OWNERSHIP, NO, 1, NO, NO},
};

static const struct call safe_call = {
    0x6a761202, "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)", EFFECT_UNKNOWN, NO, 0,
    1, NO};
static const struct call many_calls = {0x8d80ff0a, "multiSend(bytes)", EFFECT_UNKNOWN, NO, NO, NO, NO};

/* ---- arguments ---- */

struct arguments {
    struct slice list[ARGUMENTS_MAX]; /* a word, or the content of bytes and lists */
    size_t count;
};

static bool is_zero(struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.ptr[i])
            return false;
    return true;
}

/* False: not a length that these bytes could have. */
static bool small_number(struct slice word, size_t *out)
{
    *out = 0;
    for (size_t i = WORD - 4; i < WORD; i++)
        *out = *out << 8 | (unsigned char)word.ptr[i];
    return is_zero(slice_sub(word, 0, WORD - 4)) && *out <= GATE_PAYLOAD_BYTES_MAX;
}

/* What the type cannot hold must be zero. */
static bool fits(struct slice type, struct slice word)
{
    if (slice_is(type, "address"))
        return is_zero(slice_sub(word, 0, WORD - ADDRESS));
    if (slice_is(type, "bool"))
        return is_zero(slice_sub(word, 0, WORD - 1)) && (unsigned char)word.ptr[WORD - 1] <= 1;
    return !slice_is(type, "uint8") || is_zero(slice_sub(word, 0, WORD - 1));
}

/* Bytes and lists stand behind the words, one behind the other, filled up with zeros. */
static bool take_dynamic(struct slice data, struct slice offset, bool is_bytes, size_t *tail, struct slice *out)
{
    size_t at, length;
    if (!small_number(offset, &at) || at != *tail || data.len < at + WORD ||
        !small_number(slice_sub(data, at, WORD), &length))
        return false;
    size_t content = is_bytes ? length : length * WORD, filled = (content + WORD - 1) / WORD * WORD;
    if (data.len - at - WORD < filled)
        return false;
    *out = slice_sub(data, at + WORD, content);
    *tail = at + WORD + filled;
    return is_zero(slice_sub(data, at + WORD + content, filled - content));
}

static size_t count_types(struct slice types)
{
    size_t count = types.len > 0;
    for (size_t i = 0; i < types.len; i++)
        count += types.ptr[i] == ',';
    return count;
}

/* All of data, exactly as a compiler lays them out. */
static bool read_arguments(const struct call *call, struct slice data, struct arguments *out)
{
    struct slice name, types, type;
    *out = (struct arguments){0};
    if (!slice_cut(slice_text(call->signature), '(', &name, &types))
        return false;
    types = slice_sub(types, 0, types.len - 1);
    size_t words = count_types(types), tail = words * WORD;
    if (data.len < tail)
        return false;
    while (out->count < words && slice_next_part(&types, ',', &type)) {
        struct slice word = slice_sub(data, out->count * WORD, WORD), *to = &out->list[out->count++];
        bool is_bytes = slice_is(type, "bytes");
        *to = word;
        if (is_bytes || slice_is(type, "uint256[]") ? !take_dynamic(data, word, is_bytes, &tail, to) : !fits(type, word))
            return false;
    }
    return tail == data.len;
}

static struct slice address_of(struct slice word)
{
    return slice_sub(word, WORD - ADDRESS, ADDRESS);
}

/* ---- calls ---- */

static struct effect *add(struct effects_reading *reading, enum effect_kind kind, const char *what, struct slice contract)
{
    struct effect *effect = effects_add(reading, kind, what);
    if (contract.len)
        effect->contract = effects_hex(reading, contract);
    return effect;
}

static void tell(struct effects_reading *reading, const struct call *call, struct slice contract, const struct arguments *arguments)
{
    struct effect *effect = add(reading, call->kind, call->signature, contract);
    if (call->from != NO)
        effect->from = effects_hex(reading, address_of(arguments->list[call->from]));
    if (call->to != NO)
        effect->to = effects_hex(reading, address_of(arguments->list[call->to]));
    if (call->amount != NO)
        effect->amount = effects_number(reading, arguments->list[call->amount]);
    if (call->token != NO)
        effect->token = effects_number(reading, arguments->list[call->token]);
}

static void run(struct effects_reading *reading, unsigned char operation, struct slice to, struct slice value, struct slice data,
                unsigned depth)
{
    if (operation == 0) {
        evm_carry_read(reading, to, value, data, depth);
    } else if (operation == 1) {
        add(reading, EFFECT_DELEGATECALL, "runs another contract's code as the wallet", SLICE_NONE)->to = effects_hex(reading, to);
        if (data.len)
            evm_call_read(reading, to, data, depth);
    } else {
        effects_add(reading, EFFECT_UNKNOWN, "an operation of a Safe that is neither call nor delegatecall");
    }
}

/* to, value, data, operation, safeTxGas, baseGas, gasPrice, gasToken, refundReceiver, signatures */
static void read_safe(struct effects_reading *reading, const struct arguments *arguments, unsigned depth)
{
    const struct slice *list = arguments->list;
    if (!is_zero(list[6])) /* the Safe pays whoever carries the transaction */
        add(reading, EFFECT_UNKNOWN, "a refund of gas out of the Safe", SLICE_NONE)->to = effects_hex(reading, address_of(list[8]));
    run(reading, (unsigned char)list[3].ptr[WORD - 1], address_of(list[0]), list[1], list[2], depth + 1);
}

/* operation 1, to 20, value 32, length 32, data; packed */
static void read_many(struct effects_reading *reading, struct slice packed, unsigned depth)
{
    struct slice operation, to, value, length, data;
    while (packed.len) {
        size_t size;
        if (!slice_take(&packed, 1, &operation) || !slice_take(&packed, ADDRESS, &to) || !slice_take(&packed, WORD, &value) ||
            !slice_take(&packed, WORD, &length) || !small_number(length, &size) || !slice_take(&packed, size, &data)) {
            effects_add(reading, EFFECT_UNKNOWN, "several calls that cannot be told apart");
            return;
        }
        run(reading, (unsigned char)operation.ptr[0], to, value, data, depth + 1);
    }
}

static const struct call *find_call(uint32_t selector)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (calls[i].selector == selector)
            return &calls[i];
    return selector == safe_call.selector ? &safe_call : selector == many_calls.selector ? &many_calls : NULL;
}

void evm_call_read(struct effects_reading *reading, struct slice contract, struct slice data, unsigned depth)
{
    struct arguments arguments;
    uint32_t selector = 0;
    for (size_t i = 0; i < SELECTOR && i < data.len; i++)
        selector = selector << 8 | (unsigned char)data.ptr[i];
    const struct call *call = data.len < SELECTOR ? NULL : find_call(selector);
    if (depth > GATE_CALL_DEPTH_MAX)
        add(reading, EFFECT_UNKNOWN, "calls within calls, deeper than they are read", contract);
    else if (!call)
        add(reading, EFFECT_UNKNOWN, "a call that is not known", contract);
    else if (!read_arguments(call, slice_from(data, SELECTOR), &arguments))
        add(reading, EFFECT_UNKNOWN, "a call whose arguments are not as its function has them", contract);
    else if (call == &safe_call)
        read_safe(reading, &arguments, depth);
    else if (call == &many_calls)
        read_many(reading, arguments.list[0], depth);
    else
        tell(reading, call, contract, &arguments);
}

void evm_carry_read(struct effects_reading *reading, struct slice to, struct slice value, struct slice data, unsigned depth)
{
    if (!is_zero(value) || !data.len) {
        struct effect *effect = effects_add(reading, EFFECT_TRANSFER, "value");
        effect->is_coin = true;
        effect->to = effects_hex(reading, to);
        effect->amount = effects_number(reading, value);
    }
    if (data.len)
        evm_call_read(reading, to, data, depth);
}
