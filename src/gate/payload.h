#pragma once
/*
 * gate/payload: whether what will be signed is what was asked for.
 *
 * It is when its only effect is a transfer of exactly the request's amount of the request's asset to the request's destination, by
 * what the policy's assets say of the asset. Effects that go to the asset's own addresses are not looked at. Anything that is not
 * known is a difference.
 *
 * Ownership  In the arena.
 * Threads    Any.
 */
#include "gate/effects.h"
#include "gate/policy.h"

struct payload_sight {
    struct effects effects;
    const char **differs; /* of each effect: in what, a fixed text; NULL: it is what was asked for, or goes to an own address */
    enum effect_kind worst;
    bool matches;
};

/* policy NULL: nothing is known of any asset. False when memory is out. */
MUST_USE bool payload_judge(const struct policy *policy, const struct gate_request *request, struct arena *arena,
                            struct payload_sight *out);

/* The amount in base units, as digits. False: it has more decimals than the asset, or is below zero. */
enum { BASE_UNITS_SIZE = DECIMAL_TEXT_SIZE + ASSET_DECIMALS_MAX };
MUST_USE bool payload_base_units(struct decimal amount, uint8_t decimals, char to[BASE_UNITS_SIZE]);

/* "0x" and hex, or base64. False: neither, or more than GATE_PAYLOAD_BYTES_MAX. */
MUST_USE bool payload_from_text(struct slice text, struct arena *arena, struct slice *out);
/* "0x" and hex. None when memory is out. */
struct slice payload_to_text(struct slice payload, struct arena *arena);
