#include "respond/notify/notifier.h"

#include "net/http_client.h"
#include "respond/notify/signature.h"

#include <stdio.h>

extern const struct notifier notifier_webhook;

static int check(const struct respond_notifier *row, struct err *err)
{
    if (row->secret.len < SIGNATURE_SECRET_MIN)
        return err_set(err, ERR_CONFIG, "a webhook needs a secret of %d bytes or more, with which the "
                       "receiver checks the signature", SIGNATURE_SECRET_MIN);
    return http_fetch_check(row->url, row->allow_private, err);
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
    signature_make(message->to->secret, message->payload, message->now_ns, rand, signature);
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
