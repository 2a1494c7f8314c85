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
