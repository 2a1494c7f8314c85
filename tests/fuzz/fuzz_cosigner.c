/* Bytes as what a co-signer asks: as a signed text, which never passes without its signature, and as claims, which become requests
 * within their bounds. */
#include "base/limits.h"
#include "net/jws.h"
#include "serve/cosigner.h"
#include "unit/serve/cosigner_keys.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Kept to the end. */
static const struct cosigner *opened(void)
{
    static struct cosigner_settings settings;
    static struct cosigner *cosigner;
    struct err err;
    if (!cosigner) {
        settings = (struct cosigner_settings){.public_keys = {slice_text(TEST_PUBLIC_KEY)}, .key_count = 1,
                                              .private_key = slice_text(TEST_PRIVATE_KEY)};
        if (cosigner_open(&settings, &cosigner, &err) < 0)
            abort();
    }
    return cosigner;
}

static void check_asks(const struct gate_ask *asks, size_t count)
{
    assert(count >= 1 && count <= GATE_ASK_MAX);
    for (size_t i = 0; i < count; i++)
        assert(slice_starts(asks[i].request.action, SLICE("sign_")) || slice_is(asks[i].request.action, "withdrawal") ||
               slice_is(asks[i].request.action, "config_change"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err;
    struct jws jws;
    struct arena *arena = arena_new(64 * MIB);
    const struct json_node *claims;
    struct slice text = slice_of(data, size);
    if (!arena)
        return 0;
    if (jws_split(text, arena, &jws, &err) == 0)
        assert(jws.head.len && jws.payload.len && jws.signature.len && jws.signed_part.len < size);
    else
        assert(err.text[0]);
    assert(cosigner_claims(opened(), text, 0, arena, &claims, &err) < 0 && err.text[0]);
    if (json_tree_parse(text, arena, &claims, &err) == 0) {
        for (int question = COSIGNER_TRANSACTION; question <= COSIGNER_CONFIG_CHANGE; question++) {
            struct gate_ask *asks;
            size_t count;
            if (cosigner_asks(opened(), (enum cosigner_question)question, claims, arena, &asks, &count, &err) == 0)
                check_asks(asks, count);
            else
                assert(err.text[0]);
        }
    }
    arena_free(arena);
    return 0;
}
