#include "respond/notify/signature.h"

#include "base/clock.h"

#include <sodium.h>
#include <stdio.h>

enum { NONCE_BYTES = 16, MAC_BYTES = crypto_auth_hmacsha256_BYTES };

void signature_make(struct slice secret, struct slice body, int64_t now_ns, const struct hin_rand *rand,
                    char to[SIGNATURE_SIZE])
{
    unsigned char random_nonce[NONCE_BYTES], mac[MAC_BYTES];
    char nonce[2 * NONCE_BYTES + 1], hex[2 * MAC_BYTES + 1], head[80];
    crypto_auth_hmacsha256_state state;
    long long t = now_ns / NS_PER_SECOND;
    rand->fill(rand->context, random_nonce, sizeof(random_nonce));
    sodium_bin2hex(nonce, sizeof(nonce), random_nonce, sizeof(random_nonce));
    int len = snprintf(head, sizeof(head), "%lld.%s.", t, nonce);
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret.ptr, secret.len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)head, (unsigned long long)len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)body.ptr, body.len);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac));
    snprintf(to, SIGNATURE_SIZE, "v1,%lld,%s,%s", t, nonce, hex);
}
