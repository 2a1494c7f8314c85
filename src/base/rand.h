#pragma once
/*
 * base/rand: randomness as a parameter (the hin_rand seam). The real one is
 * getrandom(2) and fit for secrets; the seeded one (splitmix64, Steele et al.
 * 2014) is for demos, simulations and tests and never for secrets.
 */
#include <stddef.h>
#include <stdint.h>

struct hin_rand {
    void (*fill)(void *context, void *to, size_t len);
    void *context;
};

const struct hin_rand *rand_real(void);

struct rand_seeded {
    struct hin_rand rand;
    uint64_t state;
};
void rand_seeded_init(struct rand_seeded *seeded, uint64_t seed);

uint64_t rand_u64(const struct hin_rand *rand);
/* 0 .. below - 1; below must not be 0. */
uint64_t rand_below(const struct hin_rand *rand, uint64_t below);
/* [0, 1) */
double rand_unit(const struct hin_rand *rand);
