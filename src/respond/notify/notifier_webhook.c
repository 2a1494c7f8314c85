#include "respond/notify/notifier.h"

#include "net/http_client.h"

#include <sodium.h>
#include <stdio.h>

enum { NONCE_BYTES = 16, MAC_BYTES = crypto_auth_hmacsha256_BYTES, SIGNATURE_SIZE = 160 };

extern const struct notifier notifier_webhook;

static int check(const struct respond_notifier *row, struct err *err)
{
    if (row->secret.len < 16)
        return err_set(err, ERR_CONFIG, "a webhook needs a secret of 16 bytes or more, with which the "
                       "receiver checks the signature");
    return http_fetch_check(row->url, row->allow_private, err);
}

/* v1,<Unix seconds>,<nonce>,<hmac-sha256(secret, "t.nonce.body") in hex> */
static void sign(const struct notifier_message *message, const struct hin_rand *rand,
                 char to[SIGNATURE_SIZE])
{
    unsigned char random_nonce[NONCE_BYTES], mac[MAC_BYTES];
    char nonce[2 * NONCE_BYTES + 1], hex[2 * MAC_BYTES + 1], head[80];
    crypto_auth_hmacsha256_state state;
    long long t = message->now_ns / NS_PER_SECOND;
    rand->fill(rand->context, random_nonce, sizeof(random_nonce));
    sodium_bin2hex(nonce, sizeof(nonce), random_nonce, sizeof(random_nonce));
    int len = snprintf(head, sizeof(head), "%lld.%s.", t, nonce);
    const struct slice secret = message->to->secret, body = message->payload;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret.ptr, secret.len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)head, (unsigned long long)len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)body.ptr, body.len);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac));
    snprintf(to, SIGNATURE_SIZE, "v1,%lld,%s,%s", t, nonce, hex);
}

static enum notifier_result judge(int status, struct err *err)
{
    if (status >= 200 && status < 300)
        return NOTIFIER_SENT;
    err_set(err, ERR_IO, "the answer was HTTP %d%s", status,
            status >= 300 && status < 400 ? "; redirects are not followed" : "");
    bool ours = status >= 300 && status < 500 && status != 408 && status != 429;
    return ours ? NOTIFIER_REFUSED : NOTIFIER_AGAIN;
}

static enum notifier_result post(const struct notifier_message *message, const struct hin_net *net,
                                 const struct hin_rand *rand, struct notifier_answer *answer, struct err *err)
{
    char signature[SIGNATURE_SIZE];
    sign(message, rand, signature);
    const struct http_fetch_header headers[] = {
        {"Content-Type", SLICE("application/json")},
        {"Idempotency-Key", message->key},
        {"X-Hinomi-Signature", slice_text(signature)},
    };
    const struct http_fetch_request request = {
        .method = "POST", .url = message->to->url, .headers = headers,
        .header_count = ARRAY_COUNT(headers), .body = message->payload,
        .allow_private = message->to->allow_private,
    };
    struct http_fetch_reply reply = {0};
    if (http_fetch(net, &request, &reply, err) < 0)
        return NOTIFIER_AGAIN;
    answer->wait_s = reply.retry_after_s;
    snprintf(answer->receipt, sizeof(answer->receipt), "HTTP %d", reply.status);
    return judge(reply.status, err);
}

const struct notifier notifier_webhook = {
    .name = "webhook",
    .summary = "a signed POST of JSON to a URL",
    .check = check,
    .send = post,
};
