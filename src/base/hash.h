#pragma once
/*
 * base/hash: XXH3 for tables and names (not for security; seeded per process
 * where an attacker chooses the keys), CRC-32C (Castagnoli, RFC 3720) for frames.
 */
#include "base/slice.h"

#include <stdint.h>

uint64_t hash_bytes(struct slice bytes);
uint64_t hash_bytes_seeded(struct slice bytes, uint64_t seed);

/* For tables in memory whose keys others choose: main() sets it once, before any thread, so that nobody can write
 * keys that fall onto each other. 0 in tests, so that they repeat. Nothing that is stored depends on it. */
extern uint64_t hash_seed;

struct hash128 {
    uint64_t low, high;
};
struct hash128 hash_bytes128(struct slice bytes);

/* Continues from crc; start with 0. Uses the CPU's instruction where there is one. */
uint32_t hash_crc32c(uint32_t crc, struct slice bytes);
