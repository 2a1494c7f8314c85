#pragma once
/* gate/effects_parts: what the readers of payloads share. */
#include "base/buffer.h"
#include "gate/effects.h"

struct effects_reading {
    struct arena *arena;
    struct effects *out;
    bool failed; /* memory is out */
};

/* A place for one more; when there is no more room the last one, which then says so and is unknown. Never NULL: after
 * failed it is one that nobody looks at. */
struct effect *effects_add(struct effects_reading *reading, enum effect_kind kind, const char *what);
/* "0x" and two digits a byte. */
struct slice effects_hex(struct effects_reading *reading, struct slice bytes);
/* A number of at most 32 bytes, most significant first, as decimal digits. */
struct slice effects_number(struct effects_reading *reading, struct slice big_endian);
struct slice effects_u128(struct effects_reading *reading, uint64_t high, uint64_t low);

/* False: not this kind of payload; nothing was added. */
bool evm_transaction_read(struct effects_reading *reading, struct slice payload);
bool psbt_read(struct effects_reading *reading, struct slice payload);
/* A call of contract (20 bytes, or none: not said). depth from 0. */
void evm_call_read(struct effects_reading *reading, struct slice contract, struct slice data, unsigned depth);
/* A call that carries value, as a transaction does. */
void evm_carry_read(struct effects_reading *reading, struct slice to, struct slice value, struct slice data, unsigned depth);

/* The address of a script on Bitcoin's main network, or none when it has none. */
struct slice bitcoin_address(struct slice script, struct arena *arena);
