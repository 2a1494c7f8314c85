#include "gate/approval.h"

#include "base/limits.h"

#include <sodium.h>
#include <stdio.h>

static void put_field(struct buffer *to, struct slice text)
{
    buffer_put_le32(to, (uint32_t)text.len);
    buffer_put(to, text);
}

static bool signed_bytes(const struct approval_text *text, struct buffer *to)
{
    char expires[24];
    int len = snprintf(expires, sizeof(expires), "%lld", (long long)text->expires_ns);
    buffer_init(to, 16 * KIB);
    put_field(to, SLICE("hinomi gate approval 1"));
    put_field(to, text->gate_id);
    put_field(to, text->hold_id);
    put_field(to, slice_of(text->digest, REQUEST_DIGEST_SIZE));
    put_field(to, text->approver);
    put_field(to, slice_of(expires, (size_t)len));
    return !buffer_failed(to);
}

void approval_public_key(const unsigned char seed[APPROVER_SEED_SIZE],
                         unsigned char key[APPROVER_KEY_SIZE])
{
    unsigned char secret[crypto_sign_SECRETKEYBYTES];
    crypto_sign_seed_keypair(key, secret, seed);
    sodium_memzero(secret, sizeof(secret));
}

bool approval_sign(const struct approval_text *text, const unsigned char seed[APPROVER_SEED_SIZE],
                   unsigned char signature[GATE_SIGNATURE_SIZE])
{
    unsigned char secret[crypto_sign_SECRETKEYBYTES], key[crypto_sign_PUBLICKEYBYTES];
    struct buffer bytes;
    bool whole = signed_bytes(text, &bytes);
    crypto_sign_seed_keypair(key, secret, seed);
    if (whole)
        crypto_sign_detached(signature, NULL, (const unsigned char *)bytes.ptr, bytes.len, secret);
    sodium_memzero(secret, sizeof(secret));
    buffer_close(&bytes);
    return whole;
}

int approval_check(const struct approval_text *text, const unsigned char key[APPROVER_KEY_SIZE],
                   const unsigned char signature[GATE_SIGNATURE_SIZE], int64_t now_ns,
                   struct err *err)
{
    struct buffer bytes;
    bool whole = signed_bytes(text, &bytes);
    int bad = whole ? crypto_sign_verify_detached(signature, (const unsigned char *)bytes.ptr,
                                                  bytes.len, key)
                    : -1;
    buffer_close(&bytes);
    if (!whole)
        return err_nomem(err);
    if (bad)
        return err_set(err, ERR_DENIED, "the signature is not that of %.*s under this hold",
                       SLICE_ARG(text->approver));
    if (text->expires_ns <= now_ns)
        return err_set(err, ERR_DENIED, "the time of this approval is over; sign it again");
    if (text->expires_ns - now_ns > APPROVAL_LIFE_MAX_NS)
        return err_set(err, ERR_DENIED, "the approval would count for more than 30 minutes; check the "
                       "clock of the machine that signed it");
    return 0;
}
