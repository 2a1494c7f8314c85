#include "respond/notify/signature.h"

#include "base/clock.h"

#include <sodium.h>
#include <stdio.h>

enum { NONCE_BYTES = 16, MAC_BYTES = crypto_auth_hmacsha256_BYTES };

static void make_mac(struct slice secret, struct slice head, struct slice body, char hex[2 * MAC_BYTES + 1])
{
    unsigned char mac[MAC_BYTES];
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret.ptr, secret.len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)head.ptr, head.len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)body.ptr, body.len);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_bin2hex(hex, 2 * MAC_BYTES + 1, mac, sizeof(mac));
}

void signature_make(struct slice secret, struct slice next, struct slice body, int64_t now_ns, const struct hin_rand *rand,
                    char to[SIGNATURE_SIZE])
{
    unsigned char random_nonce[NONCE_BYTES];
    char nonce[2 * NONCE_BYTES + 1], first[2 * MAC_BYTES + 1], second[2 * MAC_BYTES + 1] = "", head[80];
    long long t = now_ns / NS_PER_SECOND;
    rand->fill(rand->context, random_nonce, sizeof(random_nonce));
    sodium_bin2hex(nonce, sizeof(nonce), random_nonce, sizeof(random_nonce));
    struct slice signed_head = slice_of(head, (size_t)snprintf(head, sizeof(head), "%lld.%s.", t, nonce));
    make_mac(secret, signed_head, body, first);
    if (next.len)
        make_mac(next, signed_head, body, second);
    snprintf(to, SIGNATURE_SIZE, "v1,%lld,%s,%s%s%s", t, nonce, first, next.len ? "," : "", second);
}

static bool is_hex(struct slice text, size_t least, size_t most)
{
    for (size_t i = 0; i < text.len; i++)
        if (!((text.ptr[i] >= '0' && text.ptr[i] <= '9') || (text.ptr[i] >= 'a' && text.ptr[i] <= 'f')))
            return false;
    return text.len >= least && text.len <= most;
}

static bool is_mac_of(struct slice secret, struct slice head, struct slice body, struct slice mac)
{
    char hex[2 * MAC_BYTES + 1];
    if (!secret.len || mac.len != 2 * MAC_BYTES)
        return false;
    make_mac(secret, head, body, hex);
    return sodium_memcmp(hex, mac.ptr, 2 * MAC_BYTES) == 0;
}

int signature_check(struct slice secret, struct slice next, struct slice header, struct slice body, int64_t now_ns,
                    struct slice *nonce, struct err *err)
{
    struct slice rest = header, version, seconds, mac;
    char head[80];
    int64_t t;
    bool fine = false;
    if (!header.ptr)
        return err_set(err, ERR_DENIED, "the request has no X-Hinomi-Signature");
    if (!slice_next_part(&rest, ',', &version) || !slice_is(version, "v1") || !slice_next_part(&rest, ',', &seconds) ||
        !slice_to_i64(seconds, &t) || seconds.ptr[0] < '1' || seconds.ptr[0] > '9' || !slice_next_part(&rest, ',', nonce) || !is_hex(*nonce, 16, 32))
        return err_set(err, ERR_DENIED, "X-Hinomi-Signature is v1,SECONDS,NONCE,MAC with a nonce of 16 to 32 hex digits");
    int64_t away = now_ns / NS_PER_SECOND - t;
    if (away > SIGNATURE_AGE_MAX_S || away < -SIGNATURE_AGE_MAX_S)
        return err_set(err, ERR_DENIED, "the signature is more than %d seconds away from now", SIGNATURE_AGE_MAX_S);
    struct slice signed_head = slice_of(head, (size_t)snprintf(head, sizeof(head), "%lld.%.*s.", (long long)t, SLICE_ARG(*nonce)));
    while (slice_next_part(&rest, ',', &mac)) {
        bool now = is_mac_of(secret, signed_head, body, mac), later = is_mac_of(next, signed_head, body, mac);
        fine = fine || now || later;
    }
    return fine ? 0 : err_set(err, ERR_DENIED, "the signature is not by the secret of this webhook");
}
