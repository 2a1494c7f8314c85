#include "store/bloom.h"

#include "base/hash.h"
#include "store/bytes.h"

static const uint32_t SALT[8] = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU,
                                 0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U};

size_t bloom_size(size_t keys)
{
    size_t blocks = (keys * BLOOM_BITS_PER_KEY + BLOOM_BLOCK * 8 - 1) / (BLOOM_BLOCK * 8);
    return (blocks ? blocks : 1) * BLOOM_BLOCK;
}

static size_t block_of(size_t size, uint64_t hash)
{
    uint64_t blocks = size / BLOOM_BLOCK;
    return (size_t)(((hash >> 32) * blocks) >> 32) * BLOOM_BLOCK;
}

void bloom_add(char *filter, size_t size, uint64_t hash)
{
    char *block = filter + block_of(size, hash);
    for (size_t i = 0; i < 8; i++) {
        uint32_t bit = ((uint32_t)hash * SALT[i]) >> 27;
        bytes_set_le32(block + i * 4, bytes_get_le32(block + i * 4) | UINT32_C(1) << bit);
    }
}

bool bloom_may_have(struct slice filter, uint64_t hash)
{
    if (filter.len < BLOOM_BLOCK || filter.len % BLOOM_BLOCK)
        return true;
    const char *block = filter.ptr + block_of(filter.len, hash);
    for (size_t i = 0; i < 8; i++) {
        uint32_t bit = ((uint32_t)hash * SALT[i]) >> 27;
        if (!(bytes_get_le32(block + i * 4) >> bit & 1))
            return false;
    }
    return true;
}

uint64_t bloom_hash_folded(struct slice folded)
{
    return hash_bytes(folded);
}
