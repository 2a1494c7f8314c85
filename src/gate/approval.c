#include "gate/approval.h"

#include "base/limits.h"
#include "gate/gate_text.h"

#include <sodium.h>
#include <stdio.h>

static bool signed_bytes(const struct approval_text *text, struct buffer *to)
{
    char expires[24];
    int len = snprintf(expires, sizeof(expires), "%lld", (long long)text->expires_ns);
    buffer_init(to, 16 * KIB);
    gate_text_put(to, text->break_glass.len ? SLICE("hinomi gate break-glass 1") : SLICE("hinomi gate approval 1"));
    gate_text_put(to, text->gate_id);
    gate_text_put(to, text->hold_id);
    gate_text_put(to, slice_of(text->digest, REQUEST_DIGEST_SIZE));
    gate_text_put(to, text->approver);
    gate_text_put(to, slice_of(expires, (size_t)len));
    if (text->break_glass.len)
        gate_text_put(to, text->break_glass);
    return !buffer_failed(to);
}

void approval_put_proof(const unsigned char key[APPROVER_KEY_SIZE], const struct gate_signature *signature, char to[PROOF_SIZE])
{
    memcpy(to, key, APPROVER_KEY_SIZE);
    for (size_t i = 0; i < 8; i++)
        to[APPROVER_KEY_SIZE + i] = (char)((uint64_t)signature->expires_ns >> (8 * i));
    memcpy(to + APPROVER_KEY_SIZE + 8, signature->bytes, GATE_SIGNATURE_SIZE);
}

bool reopening_digest(const struct gate_stop *stop, uint32_t share, unsigned char out[REQUEST_DIGEST_SIZE])
{
    char step[24], changed[24];
    struct buffer bytes;
    int step_len = snprintf(step, sizeof(step), "%u", share);
    int changed_len = snprintf(changed, sizeof(changed), "%lld", (long long)stop->changed_ns);
    buffer_init(&bytes, 16 * KIB);
    gate_text_put(&bytes, SLICE("hinomi gate reopening 1"));
    gate_text_put(&bytes, stop->scope);
    gate_text_put(&bytes, stop->target);
    gate_text_put(&bytes, slice_of(step, (size_t)step_len));
    gate_text_put(&bytes, slice_of(changed, (size_t)changed_len));
    bool whole = !buffer_failed(&bytes);
    if (whole)
        crypto_generichash(out, REQUEST_DIGEST_SIZE, (const unsigned char *)bytes.ptr, bytes.len, NULL, 0);
    buffer_close(&bytes);
    return whole;
}

void approval_public_key(const unsigned char seed[APPROVER_SEED_SIZE],
                         unsigned char key[APPROVER_KEY_SIZE])
{
    unsigned char secret[crypto_sign_SECRETKEYBYTES];
    crypto_sign_seed_keypair(key, secret, seed);
    sodium_memzero(secret, sizeof(secret));
}

void approval_sign_bytes(struct slice bytes, const unsigned char seed[APPROVER_SEED_SIZE],
                         unsigned char signature[GATE_SIGNATURE_SIZE])
{
    unsigned char secret[crypto_sign_SECRETKEYBYTES], key[crypto_sign_PUBLICKEYBYTES];
    crypto_sign_seed_keypair(key, secret, seed);
    crypto_sign_detached(signature, NULL, (const unsigned char *)bytes.ptr, bytes.len, secret);
    sodium_memzero(secret, sizeof(secret));
}

bool approval_sign(const struct approval_text *text, const unsigned char seed[APPROVER_SEED_SIZE],
                   unsigned char signature[GATE_SIGNATURE_SIZE])
{
    struct buffer bytes;
    bool whole = signed_bytes(text, &bytes);
    if (whole)
        approval_sign_bytes(buffer_slice(&bytes), seed, signature);
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
