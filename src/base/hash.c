#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

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

__attribute__((target("sse4.2"))) static uint32_t crc_by_cpu(uint32_t crc, struct slice bytes)
{
    uint64_t wide = crc;
    while (bytes.len >= 8) {
        uint64_t word;
        memcpy(&word, bytes.ptr, 8);
        wide = _mm_crc32_u64(wide, word);
        bytes = slice_from(bytes, 8);
    }
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
