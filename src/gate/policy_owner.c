#include "gate/policy_owner.h"

#include "base/file.h"
#include "base/limits.h"
#include "gate/gate_text.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>

static bool signed_bytes(const struct policy *policy, struct buffer *to)
{
    unsigned char digest[(POLICY_DIGEST_SIZE - 1) / 2];
    buffer_init(to, 1 * KIB);
    if (sodium_hex2bin(digest, sizeof(digest), policy->digest, strlen(policy->digest), NULL, NULL, NULL) < 0)
        return false;
    gate_text_put(to, SLICE("hinomi gate policy 1"));
    gate_text_put(to, slice_of(digest, sizeof(digest)));
    return !buffer_failed(to);
}

bool policy_owner_sign(const struct policy *policy, const unsigned char seed[APPROVER_SEED_SIZE], char to[POLICY_SIGNATURE_TEXT_SIZE])
{
    unsigned char signature[GATE_SIGNATURE_SIZE];
    struct buffer bytes;
    bool whole = signed_bytes(policy, &bytes);
    if (whole)
        approval_sign_bytes(buffer_slice(&bytes), seed, signature);
    buffer_close(&bytes);
    if (whole)
        sodium_bin2base64(to, POLICY_SIGNATURE_TEXT_SIZE, signature, sizeof(signature), sodium_base64_VARIANT_ORIGINAL);
    return whole;
}

static bool verified(const struct policy *policy, const unsigned char key[APPROVER_KEY_SIZE], struct slice text)
{
    unsigned char signature[crypto_sign_BYTES];
    struct buffer bytes;
    size_t len = 0;
    text = slice_trim(text);
    if (sodium_base642bin(signature, sizeof(signature), text.ptr, text.len, NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL) < 0 ||
        len != sizeof(signature))
        return false;
    bool good = signed_bytes(policy, &bytes) &&
                crypto_sign_verify_detached(signature, (const unsigned char *)bytes.ptr, bytes.len, key) == 0;
    buffer_close(&bytes);
    return good;
}

int policy_owner_check(const char *path, const struct policy *policy, const unsigned char key[APPROVER_KEY_SIZE], struct err *err)
{
    char beside[PATH_MAX];
    struct slice text;
    struct err ignored;
    struct arena *arena = arena_new(MIB);
    if (!arena)
        return err_nomem(err);
    bool named = snprintf(beside, sizeof(beside), "%s.sig", path) < PATH_MAX;
    bool found = named && file_read(beside, POLICY_SIGNATURE_TEXT_SIZE + 16, arena, &text, &ignored) == 0;
    bool good = found && verified(policy, key, text);
    arena_free(arena);
    if (good)
        return 0;
    return err_set(err, ERR_DENIED, "%s %s; the owner signs it with `hinomi approve --key OWNER.key --sign-policy %s`", path,
                   found ? "is not what the owner signed" : "has no signature of the owner beside it", path);
}

bool policy_owner_key(struct slice text, unsigned char key[APPROVER_KEY_SIZE])
{
    size_t len = 0;
    return sodium_base642bin(key, APPROVER_KEY_SIZE, text.ptr, text.len, NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
           len == APPROVER_KEY_SIZE;
}
