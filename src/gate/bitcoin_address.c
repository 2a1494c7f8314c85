/* Addresses of scripts: base58 with a checksum, bech32 (BIP 173), bech32m (BIP 350). */
#include "gate/effects_parts.h"

#include <sodium.h>
#include <stdint.h>

enum { HASH_BYTES = 20, BASE58_BYTES = 1 + HASH_BYTES + 4, PROGRAM_MAX = 40, ADDRESS_MAX = 90 };

static struct slice base58(unsigned char version, struct slice hash, struct arena *arena)
{
    static const char letters[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    unsigned char bytes[BASE58_BYTES], sum[crypto_hash_sha256_BYTES];
    char text[ADDRESS_MAX], *at = text + sizeof(text);
    size_t zeros = 0;
    bytes[0] = version;
    for (size_t i = 0; i < HASH_BYTES; i++)
        bytes[1 + i] = (unsigned char)hash.ptr[i];
    crypto_hash_sha256(sum, bytes, 1 + HASH_BYTES);
    crypto_hash_sha256(sum, sum, sizeof(sum));
    for (size_t i = 0; i < 4; i++)
        bytes[1 + HASH_BYTES + i] = sum[i];
    while (zeros < sizeof(bytes) && bytes[zeros] == 0)
        zeros++;
    for (size_t from = zeros; from < sizeof(bytes);) {
        unsigned rest = 0;
        for (size_t i = from; i < sizeof(bytes); i++) {
            rest = rest << 8 | bytes[i];
            bytes[i] = (unsigned char)(rest / 58);
            rest %= 58;
        }
        *--at = letters[rest];
        while (from < sizeof(bytes) && bytes[from] == 0)
            from++;
    }
    while (zeros--)
        *--at = '1';
    return arena_copy(arena, slice_of(at, (size_t)(text + sizeof(text) - at)));
}

static uint32_t polymod(uint32_t sum, unsigned char value)
{
    static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    uint32_t top = sum >> 25;
    sum = (sum & 0x1ffffff) << 5 ^ value;
    for (size_t i = 0; i < 5; i++)
        sum ^= top >> i & 1 ? generator[i] : 0;
    return sum;
}

/* version 0 is bech32, later ones bech32m */
static struct slice bech32(unsigned char version, struct slice program, struct arena *arena)
{
    static const char letters[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    static const unsigned char prefix[] = {3, 3, 0, 2, 3}; /* "bc", as the checksum reads it */
    unsigned char values[1 + (PROGRAM_MAX * 8 + 4) / 5 + 6] = {version};
    size_t count = 1, bits = 0;
    uint32_t held = 0, sum = 1;
    char text[ADDRESS_MAX];
    for (size_t i = 0; i < program.len; i++) {
        held = (held << 8 | (unsigned char)program.ptr[i]) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5)
            values[count++] = held >> (bits - 5) & 31;
    }
    if (bits)
        values[count++] = held << (5 - bits) & 31;
    for (size_t i = 0; i < sizeof(prefix); i++)
        sum = polymod(sum, prefix[i]);
    for (size_t i = 0; i < count + 6; i++)
        sum = polymod(sum, i < count ? values[i] : 0);
    sum ^= version ? 0x2bc830a3 : 1;
    for (size_t i = 0; i < 6; i++)
        values[count++] = sum >> (25 - 5 * i) & 31;
    text[0] = 'b';
    text[1] = 'c';
    text[2] = '1';
    for (size_t i = 0; i < count; i++)
        text[3 + i] = letters[values[i]];
    return arena_copy(arena, slice_of(text, 3 + count));
}

static bool has_frame(struct slice script, const char *before, size_t before_len, const char *after, size_t after_len)
{
    return script.len == before_len + HASH_BYTES + after_len && slice_starts(script, slice_of(before, before_len)) &&
           slice_ends(script, slice_of(after, after_len));
}

struct slice bitcoin_address(struct slice script, struct arena *arena)
{
    if (has_frame(script, "\x76\xa9\x14", 3, "\x88\xac", 2))
        return base58(0x00, slice_sub(script, 3, HASH_BYTES), arena);
    if (has_frame(script, "\xa9\x14", 2, "\x87", 1))
        return base58(0x05, slice_sub(script, 2, HASH_BYTES), arena);
    if (script.len < 4 || script.len > 2 + PROGRAM_MAX || (size_t)(unsigned char)script.ptr[1] != script.len - 2)
        return SLICE_NONE;
    unsigned char first = (unsigned char)script.ptr[0];
    struct slice program = slice_from(script, 2);
    if (first == 0 && (program.len == 20 || program.len == 32))
        return bech32(0, program, arena);
    return first >= 0x51 && first <= 0x60 ? bech32((unsigned char)(first - 0x50), program, arena) : SLICE_NONE;
}
