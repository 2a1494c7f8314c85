#include "base/rand.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void real_fill(void *context, void *to, size_t len)
{
    (void)context;
    char *at = to;
    while (len) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            abort(); /* a kernel without randomness: no secret may be made */
        at += got;
        len -= (size_t)got;
    }
}

const struct hin_rand *rand_real(void)
{
    static const struct hin_rand real = {real_fill, NULL};
    return &real;
}

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static void seeded_fill(void *context, void *to, size_t len)
{
    struct rand_seeded *seeded = context;
    for (char *at = to; len;) {
        uint64_t word = splitmix(&seeded->state);
        size_t n = len < sizeof(word) ? len : sizeof(word);
        memcpy(at, &word, n);
        at += n;
        len -= n;
    }
}

void rand_seeded_init(struct rand_seeded *seeded, uint64_t seed)
{
    *seeded = (struct rand_seeded){.state = seed};
    seeded->rand = (struct hin_rand){seeded_fill, seeded};
}

uint64_t rand_u64(const struct hin_rand *rand)
{
    uint64_t word;
    rand->fill(rand->context, &word, sizeof(word));
    return word;
}

uint64_t rand_below(const struct hin_rand *rand, uint64_t below)
{
    assert(below);
    uint64_t unfair = (0 - below) % below; /* 2^64 mod below: reject these for an even spread */
    for (;;) {
        uint64_t word = rand_u64(rand);
        if (word >= unfair)
            return word % below;
    }
}

double rand_unit(const struct hin_rand *rand)
{
    return (double)(rand_u64(rand) >> 11) * 0x1p-53;
}
