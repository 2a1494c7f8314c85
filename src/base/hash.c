#include "base/hash.h"

#define XXH_INLINE_ALL
#include <pthread.h>
#include <xxhash.h>

uint64_t hash_seed;

uint64_t hash_bytes(struct slice bytes)
{
    return XXH3_64bits(bytes.ptr, bytes.len);
}

uint64_t hash_bytes_seeded(struct slice bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.ptr, bytes.len, seed);
}

struct hash128 hash_bytes128(struct slice bytes)
{
    XXH128_hash_t hash = XXH3_128bits(bytes.ptr, bytes.len);
    return (struct hash128){hash.low64, hash.high64};
}

int hash_file128(FILE *file, struct hash128 *hash, uint64_t *bytes)
{
    char piece[64 * 1024];
    size_t got;
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        return -1;
    XXH3_128bits_reset(state);
    for (*bytes = 0; (got = fread(piece, 1, sizeof(piece), file)) > 0; *bytes += got)
        XXH3_128bits_update(state, piece, got);
    XXH128_hash_t of = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    *hash = (struct hash128){of.low64, of.high64};
    return ferror(file) ? -1 : 0;
}

/* Reflected polynomial of CRC-32C. */
enum { CRC32C_POLYNOMIAL = (int)0x82f63b78U };

static uint32_t crc_by_table(uint32_t crc, struct slice bytes)
{
    static uint32_t table[256]; /* every thread computes the same values: a benign first race */
    if (__atomic_load_n(&table[1], __ATOMIC_ACQUIRE) == 0) {
        for (uint32_t i = 256; i-- > 0;) {
            uint32_t n = i;
            for (int bit = 0; bit < 8; bit++)
                n = (n >> 1) ^ ((n & 1) ? (uint32_t)CRC32C_POLYNOMIAL : 0);
            __atomic_store_n(&table[i], n, __ATOMIC_RELEASE);
        }
    }
    for (size_t i = 0; i < bytes.len; i++)
        crc = (crc >> 8) ^
              __atomic_load_n(&table[(crc ^ (unsigned char)bytes.ptr[i]) & 0xff], __ATOMIC_RELAXED);
    return crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

/* The instruction takes three cycles but one can begin every cycle: three stretches of a block go side
 * by side, and what the first two leave is carried over the bytes behind them by a table that knows
 * what STRETCH zero bytes do to a crc. */
enum { STRETCH = 1024 };
static uint32_t zeros_table[4][256];
static pthread_once_t zeros_once = PTHREAD_ONCE_INIT;

static void make_zeros_table(void)
{
    static const char zeros[STRETCH];
    uint32_t of_bit[32];
    for (int bit = 0; bit < 32; bit++) {
        uint32_t crc = UINT32_C(1) << bit;
        of_bit[bit] = crc_by_table(crc, slice_of(zeros, STRETCH));
    }
    for (int byte = 0; byte < 4; byte++)
        for (uint32_t n = 0; n < 256; n++)
            for (int bit = 0; bit < 8; bit++)
                zeros_table[byte][n] ^= n >> bit & 1 ? of_bit[byte * 8 + bit] : 0;
}

static uint32_t over_zeros(uint32_t crc)
{
    return zeros_table[0][crc & 0xff] ^ zeros_table[1][crc >> 8 & 0xff] ^
           zeros_table[2][crc >> 16 & 0xff] ^ zeros_table[3][crc >> 24];
}

static uint64_t word_at(const char *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

__attribute__((target("sse4.2"))) static uint32_t crc_of_three(uint32_t crc, const char *at)
{
    uint64_t a = crc, b = 0, c = 0;
    for (size_t i = 0; i < STRETCH; i += 8) {
        a = _mm_crc32_u64(a, word_at(at + i));
        b = _mm_crc32_u64(b, word_at(at + STRETCH + i));
        c = _mm_crc32_u64(c, word_at(at + 2 * STRETCH + i));
    }
    return over_zeros(over_zeros((uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)c;
}

__attribute__((target("sse4.2"))) static uint32_t crc_by_cpu(uint32_t crc, struct slice bytes)
{
    if (bytes.len >= 3 * (size_t)STRETCH)
        pthread_once(&zeros_once, make_zeros_table);
    for (; bytes.len >= 3 * (size_t)STRETCH; bytes = slice_from(bytes, 3 * (size_t)STRETCH))
        crc = crc_of_three(crc, bytes.ptr);
    uint64_t wide = crc;
    for (; bytes.len >= 8; bytes = slice_from(bytes, 8))
        wide = _mm_crc32_u64(wide, word_at(bytes.ptr));
    crc = (uint32_t)wide;
    for (size_t i = 0; i < bytes.len; i++)
        crc = _mm_crc32_u8(crc, (unsigned char)bytes.ptr[i]);
    return crc;
}

static uint32_t crc_run(uint32_t crc, struct slice bytes)
{
    return __builtin_cpu_supports("sse4.2") ? crc_by_cpu(crc, bytes) : crc_by_table(crc, bytes);
}
#else
static uint32_t crc_run(uint32_t crc, struct slice bytes)
{
    return crc_by_table(crc, bytes);
}
#endif

uint32_t hash_crc32c(uint32_t crc, struct slice bytes)
{
    return ~crc_run(~crc, bytes);
}
