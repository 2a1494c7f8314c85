#pragma once
/*
 * base/hash: XXH3 for tables and names (not for security; seeded per process
 * where an attacker chooses the keys), CRC-32C (Castagnoli, RFC 3720) for frames.
 */
#include "base/slice.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

uint64_t hash_bytes(struct slice bytes);
uint64_t hash_bytes_seeded(struct slice bytes, uint64_t seed);

/* Of the length and both ends, for tables of guesses: equal hashes cost a comparison there, and nothing else. Its upper
 * bits are the good ones. */
static inline uint32_t hash_ends(struct slice s)
{
    uint64_t head = 0, tail = 0;
    if (s.len >= 8) {
        memcpy(&head, s.ptr, 8);
        memcpy(&tail, s.ptr + s.len - 8, 8);
    } else if (s.len) {
        memcpy(&head, s.ptr, s.len);
    }
    head = (head ^ s.len) * UINT64_C(0x9e3779b97f4a7c15) ^ tail * UINT64_C(0xc2b2ae3d27d4eb4f);
    return (uint32_t)(head ^ head >> 32) * UINT32_C(0x9e3779b1);
}

/* For tables in memory whose keys others choose: main() sets it once, before any thread, so that nobody can write
 * keys that fall onto each other. 0 in tests, so that they repeat. Nothing that is stored depends on it. */
extern uint64_t hash_seed;

struct hash128 {
    uint64_t low, high;
};
struct hash128 hash_bytes128(struct slice bytes);
/* Of all bytes of a file from where it stands, in pieces: *bytes of them. -1: it could not be read, or no memory. */
int hash_file128(FILE *file, struct hash128 *hash, uint64_t *bytes);

/* Continues from crc; start with 0. Uses the CPU's instruction where there is one. */
uint32_t hash_crc32c(uint32_t crc, struct slice bytes);
