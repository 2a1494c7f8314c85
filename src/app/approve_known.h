#pragma once
/*
 * app/approve_known: addresses that a person approved before, in a file of their own beside the key; one JSON object a line.
 *
 *   {"asset":"BTC","address":"bc1q…","amount":"1.5","time":"2026-01-26T00:02:13Z"}
 *
 * Errors  ERR_CONFIG names the line: a file that cannot be read would make every address new, and a person used to that.
 */
#include "base/arena.h"
#include "base/err.h"
#include "gate/gate.h"

struct known_address {
    struct slice asset, address;
    struct decimal amount;
    bool has_amount;
};

struct known {
    const char *path;
    struct slice text; /* of the file as it is */
    struct known_address *list;
    size_t count;
};

/* A missing file knows nobody. Everything is in the arena. */
MUST_USE int known_read(const char *path, struct arena *arena, struct known *out, struct err *err);
/* Adds what is about to be signed; durable. */
MUST_USE int known_add(const struct known *known, const struct gate_request *request, int64_t now_ns, struct err *err);

bool known_has(const struct known *known, struct slice address);
/* One that a hurried reader would take this address for, or NULL: the same beginning and end, at most two letters changed, or
 * letters that look alike. */
const struct known_address *known_lookalike(const struct known *known, struct slice address);
/* The largest amount of the asset; false: none was approved. */
bool known_largest(const struct known *known, struct slice asset, struct decimal *out);
