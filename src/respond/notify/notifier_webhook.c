/* A signed POST of the notice as JSON: docs/notifiers.md says how a receiver checks it, docs/samples has receivers. */
#include "respond/notify/notify_http.h"

#include <sodium.h>
#include <stdio.h>

enum { NONCE_BYTES = 16, MAC_BYTES = crypto_auth_hmacsha256_BYTES, SECRET_MIN = 16 };

extern const struct notifier notifier_webhook;

static int check(const struct respond_notifier *row, struct err *err)
{
    if (row->secret.len < SECRET_MIN || (row->secret_next.len && row->secret_next.len < SECRET_MIN))
        return err_set(err, ERR_CONFIG, "a webhook needs a secret of %d bytes or more, with which the "
                       "receiver checks the signature", SECRET_MIN);
    return notify_check_url(row, err);
}

/* hmac-sha256(secret, "t.nonce.body") */
static void put_mac(struct buffer *to, struct slice secret, struct slice head, struct slice body)
{
    unsigned char mac[MAC_BYTES];
    char hex[2 * MAC_BYTES + 1];
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret.ptr, secret.len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)head.ptr, head.len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)body.ptr, body.len);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac));
    buffer_printf(to, ",%s", hex);
}

/* v1,<Unix seconds>,<nonce>,<mac>[,<mac by secret_next>] */
static struct slice sign(const struct notifier_message *message, const struct hin_rand *rand)
{
    unsigned char bytes[NONCE_BYTES];
    char nonce[2 * NONCE_BYTES + 1], head[80];
    struct buffer text;
    long long t = message->now_ns / NS_PER_SECOND;
    rand->fill(rand->context, bytes, sizeof(bytes));
    sodium_bin2hex(nonce, sizeof(nonce), bytes, sizeof(bytes));
    int len = snprintf(head, sizeof(head), "%lld.%s.", t, nonce);
    buffer_init(&text, 1024);
    buffer_printf(&text, "v1,%lld,%s", t, nonce);
    put_mac(&text, message->to->secret, slice_of(head, (size_t)len), message->payload);
    if (message->to->secret_next.len)
        put_mac(&text, message->to->secret_next, slice_of(head, (size_t)len), message->payload);
    return notify_keep(&text, message->arena);
}

static enum notifier_result post(const struct notifier_message *message, const struct hin_net *net,
                                 const struct hin_rand *rand, struct notifier_answer *answer, struct err *err)
{
    struct notify_said said;
    const struct http_fetch_header header = {"X-Hinomi-Signature", sign(message, rand)};
    const struct notify_http request = {message->to->url, "application/json", message->payload, &header, 1};
    return notify_ask(message, net, &request, &said, answer, err);
}

static const struct notifier_option options[] = {
    NOTIFIER_OPTION(url, .required = true, .summary = "where it is posted to; https"),
    NOTIFIER_OPTION(secret, .required = true, .secret = true, .summary = "16 bytes or more, for the signature"),
    NOTIFIER_OPTION(secret_next, .secret = true, .summary = "signs as well while the secret is changed: give it to the receiver, then move it to secret"),
};

const struct notifier notifier_webhook = {
    .name = "webhook",
    .summary = "a signed POST of JSON to a URL",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = check,
    .send = post,
};
