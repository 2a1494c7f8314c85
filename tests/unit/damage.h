#pragma once
/* What disks do to files, for tests: a flipped bit, an end that is missing, a page of zeros, two blocks
 * exchanged. HINOMI_FULL asks for 3,000 trials of each kind of file, else fewer. */
#include "base/rand.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum damage { FLIP, CUT, ZEROS, SWAP, DAMAGE_COUNT };
enum { TRIALS = 240, TRIALS_FULL = 3000 };

struct damaged {
    const char *bytes; /* as they were */
    size_t len;
    char *now; /* room for len */
    size_t now_len;
};

static inline unsigned trials(void)
{
    const char *full = getenv("HINOMI_FULL");
    return full && *full ? TRIALS_FULL : TRIALS;
}

static inline void damage_swap(char *a, char *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = a[i];
        a[i] = b[i];
        b[i] = c;
    }
}

static inline void damage_try(struct damaged *file, enum damage kind, const struct hin_rand *rand)
{
    memcpy(file->now, file->bytes, file->len);
    file->now_len = file->len;
    size_t block = file->len > 16384 ? 4096 : file->len > 2048 ? 512 : file->len / 4;
    size_t blocks = file->len / block;
    size_t at = rand_below(rand, blocks) * block;
    switch (kind) {
    case FLIP:
        file->now[rand_below(rand, file->len)] ^= (char)(1U << rand_below(rand, 8));
        break;
    case CUT:
        file->now_len = rand_below(rand, file->len);
        break;
    case ZEROS:
        memset(file->now + at, 0, file->len - at < block ? file->len - at : block);
        break;
    case SWAP:
        damage_swap(file->now + at, file->now + rand_below(rand, blocks) * block, block);
        break;
    case DAMAGE_COUNT:
        break;
    }
}

/* Some damage that makes it another file; the kinds take turns. */
static inline void damage_bytes(struct damaged *file, unsigned trial, const struct hin_rand *rand)
{
    do
        damage_try(file, trial % DAMAGE_COUNT, rand);
    while (file->now_len == file->len && memcmp(file->now, file->bytes, file->len) == 0);
}
