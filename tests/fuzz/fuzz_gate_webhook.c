/* Bytes as what a webhook asks: a line that is the signature, then a body. No signature passes that was not made by the secret, and
 * what is mapped is within the bounds of a request. */
#include "base/limits.h"
#include "base/rand.h"
#include "respond/notify/signature.h"
#include "serve/gate_webhook.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct gate_webhook webhook = {
    .name = {"x", 1},
    .action = {"withdrawal", 10},
    .paths = {"id", "kind", "user.id", "coin", "qty", NULL, "to.address", NULL, "at", "until"},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err;
    char made[SIGNATURE_SIZE];
    struct gate_request request;
    const struct json_node *tree;
    struct slice text = slice_of(data, size), header = text, body = SLICE(""), nonce;
    const struct slice secret = SLICE("0123456789abcdef");
    struct arena *arena = arena_new(64 * MIB);
    if (!arena)
        return 0;
    slice_cut(text, '\n', &header, &body);
    assert(signature_check(secret, SLICE_NONE, header, body, 0, &nonce, &err) < 0 && err.text[0]);
    signature_make(SLICE("another secret 1"), secret, body, 1000000000, rand_real(), made);
    assert(signature_check(secret, SLICE_NONE, slice_text(made), body, 1000000000, &nonce, &err) == 0 && nonce.len == 32);
    if (json_tree_parse(body, arena, &tree, &err) == 0) {
        if (gate_webhook_request(&webhook, tree, arena, &request, &err) == 0)
            assert(request.action.len);
        else
            assert(err.text[0]);
    }
    arena_free(arena);
    return 0;
}
