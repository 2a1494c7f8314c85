/* A signed POST of the notice as JSON: docs/notifiers.md says how a receiver checks it, docs/samples has receivers. */
#include "respond/notify/notify_http.h"
#include "respond/notify/signature.h"

#include <stdio.h>

extern const struct notifier notifier_webhook;

static int check(const struct respond_notifier *row, struct err *err)
{
    if (row->secret.len < SIGNATURE_SECRET_MIN || (row->secret_next.len && row->secret_next.len < SIGNATURE_SECRET_MIN))
        return err_set(err, ERR_CONFIG, "a webhook needs a secret of %d bytes or more, with which the "
                       "receiver checks the signature", SIGNATURE_SECRET_MIN);
    if (row->gate.len && !slice_is(row->gate, "holds") && !slice_is(row->gate, "all"))
        return err_set(err, ERR_CONFIG, "gate is holds or all");
    return notify_check_url(row, err);
}

static bool takes_news(const struct respond_notifier *row)
{
    return !row->gate.len;
}

static enum notifier_result post(const struct notifier_message *message, const struct hin_net *net,
                                 const struct hin_rand *rand, struct notifier_answer *answer, struct err *err)
{
    struct notify_said said;
    char signature[SIGNATURE_SIZE];
    signature_make(message->to->secret, message->to->secret_next, message->payload, message->now_ns, rand, signature);
    const struct http_fetch_header header = {"X-Hinomi-Signature", slice_text(signature)};
    const struct notify_http request = {message->to->url, "application/json", message->payload, &header, 1};
    return notify_ask(message, net, &request, &said, answer, err);
}

static const struct notifier_option options[] = {
    NOTIFIER_OPTION(url, .required = true, .summary = "where it is posted to; https"),
    NOTIFIER_OPTION(secret, .required = true, .secret = true, .summary = "16 bytes or more, for the signature"),
    NOTIFIER_OPTION(secret_next, .secret = true, .summary = "signs as well while the secret is changed: give it to the receiver, then move it to secret"),
    NOTIFIER_OPTION(gate, .summary = "holds: what the gate holds, denies, releases and stops, instead of news of incidents; all: its allows, too"),
};

const struct notifier notifier_webhook = {
    .name = "webhook",
    .summary = "a signed POST of JSON to a URL",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = check,
    .takes_news = takes_news,
    .send = post,
};
