#pragma once
/*
 * gate/effects: what bytes do once they are signed and carried out, read from the bytes alone.
 *
 *   0x02…  0x01…  RLP     an unsigned Ethereum transaction (EIP-1559, EIP-2930, legacy) and the call in it
 *   anything else         the call alone; which contract it goes to is then not known
 *   "psbt" 0xff           a Bitcoin transaction to be signed (BIP 174, version 0)
 *
 * Reading is strict: what is not understood to the last byte is an effect of the kind unknown, never left out. Nothing is asked
 * of a node, so it says what is ordered, not what a contract will do with it.
 *
 * Sources    Ethereum yellow paper, appendix B (RLP); EIP-155, 2930, 1559; Solidity ABI; Safe 1.4 contracts; BIP 174, 173, 350.
 * Ownership  Texts live in the arena.
 * Threads    Any.
 * Limits     GATE_EFFECTS_MAX, GATE_CALL_DEPTH_MAX, GATE_COINS_MAX.
 */
#include "base/arena.h"

/* From the least to the worst. */
enum effect_kind {
    EFFECT_TRANSFER,
    EFFECT_APPROVAL,     /* somebody else may move it later */
    EFFECT_UNKNOWN,
    EFFECT_OWNERSHIP,    /* who may sign, or decide how many must */
    EFFECT_UPGRADE,      /* other code answers from then on */
    EFFECT_DELEGATECALL, /* other code runs as if it were the wallet's own */
};
const char *effect_kind_name(enum effect_kind kind);

enum effect_chain { CHAIN_UNKNOWN, CHAIN_EVM, CHAIN_BITCOIN };

struct effect {
    enum effect_kind kind;
    struct slice what;     /* "transfer(address,uint256)", or words */
    bool is_coin;          /* of the chain's own coin */
    struct slice contract; /* that is called; none: it is not said, or is_coin */
    struct slice from, to; /* addresses, or none */
    struct slice amount;   /* in base units, all digits; or none */
    struct slice token;    /* the id of a single token, or none */
};

struct effects {
    struct effect *list;
    size_t count;
    enum effect_chain chain;
    struct slice chain_id; /* of the Ethereum network; none: not said */
    struct slice fee;      /* at most, in base units of the coin; none: not known */
};

/* False when memory is out. Empty bytes have one effect, unknown. */
MUST_USE bool effects_read(struct slice payload, struct arena *arena, struct effects *out);
/* The worst kind. */
enum effect_kind effects_worst(const struct effects *effects);
/* One line: kind, amount, contract, destination, what. None when memory is out. */
struct slice effect_text(const struct effect *effect, struct arena *arena);
