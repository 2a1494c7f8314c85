#include "gate/gate_request.h"

#include "base/limits.h"
#include "base/time.h"
#include "gate/payload.h"

static struct slice text_of(const struct json_node *body, const char *key)
{
    return json_text_of(json_get(body, key), SLICE_NONE);
}

/* A number exactly as written, or the same in quotes. */
static bool read_amount(const struct json_node *node, struct gate_request *out)
{
    if (!node || node->kind == JSON_NULL)
        return true;
    out->has_amount = true;
    return (node->kind == JSON_NUMBER || node->kind == JSON_STRING) &&
           decimal_parse(node->text, &out->amount);
}

static bool read_time(const struct json_node *body, const char *key, int64_t *out)
{
    bool zone;
    struct slice text = text_of(body, key);
    const struct json_node *node = json_get(body, key);
    if (!node || node->kind == JSON_NULL)
        return true;
    return text.ptr && time_parse_rfc3339(text, out, &zone) && zone;
}

/* Anything but text would be taken for missing, and a row that looks at it would not see it. */
static const char *not_text(const struct json_node *body)
{
    static const char *const texts[] = {"request_id", "action", "account",    "asset",
                                        "wallet",     "nonce",  "destination", "payload"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        const struct json_node *node = json_get(body, texts[i]);
        if (node && node->kind != JSON_STRING && node->kind != JSON_NULL)
            return texts[i];
    }
    return NULL;
}

int gate_request_read(const struct json_node *body, struct arena *arena, struct gate_request *out, struct err *err)
{
    const char *wrong = not_text(body);
    struct slice payload = text_of(body, "payload");
    *out = (struct gate_request){.request_id = text_of(body, "request_id"),
                                 .action = text_of(body, "action"),
                                 .account = text_of(body, "account"),
                                 .asset = text_of(body, "asset"),
                                 .wallet = text_of(body, "wallet"),
                                 .destination = text_of(body, "destination"),
                                 .nonce = text_of(body, "nonce")};
    if (wrong)
        return err_set(err, ERR_CONFIG, "%s must be a text", wrong);
    if (!read_amount(json_get(body, "amount"), out))
        return err_set(err, ERR_CONFIG, "amount is no number of at most 38 digits");
    if (payload.ptr && !payload_from_text(payload, arena, &out->payload))
        return err_set(err, ERR_CONFIG, "payload is 0x and hex, or base64, of 1 to %zu bytes", GATE_PAYLOAD_BYTES_MAX);
    if (!read_time(body, "at", &out->at_ns) || !read_time(body, "expiry", &out->expiry_ns))
        return err_set(err, ERR_CONFIG, "at and expiry are times such as 2026-01-26T00:02:13Z");
    return 0;
}
