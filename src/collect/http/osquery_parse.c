#include "collect/http/osquery_parse.h"

#include "base/limits.h"
#include "cut/json_scan.h"
#include "event/delivery.h"

static struct slice text_of(const struct json_tokens *tokens, const char *name)
{
    uint32_t at = json_member(tokens, 0, slice_text(name));
    return at && tokens->list[at].kind == JSON_STRING ? json_token_text(&tokens->list[at]) : SLICE_NONE;
}

static void put(const struct json_token *token, struct slice hints, struct buffer *records, uint32_t *count)
{
    struct slice raw = json_token_text(token);
    if (!raw.len)
        return;
    delivery_put_record(records, raw, hints);
    ++*count;
}

static void put_data(const struct json_tokens *tokens, struct slice hints, struct buffer *records, uint32_t *count)
{
    uint32_t data = json_member(tokens, 0, SLICE("data"));
    if (!data)
        return;
    if (tokens->list[data].kind != JSON_ARRAY) {
        put(&tokens->list[data], hints, records, count);
        return;
    }
    for (uint32_t at = data + 1; at < tokens->list[data].next; at = tokens->list[at].next)
        put(&tokens->list[at], hints, records, count);
}

static int read_request(const struct json_tokens *tokens, struct buffer *records, struct osquery_request *out, struct err *err)
{
    struct slice hints = slice_is(text_of(tokens, "log_type"), "status") ? SLICE("sourcetype=osquery.status") : SLICE("sourcetype=osquery.result");
    if (tokens->list[0].kind != JSON_OBJECT)
        return err_set(err, ERR_INPUT, "the body should be an object with node_key, log_type and data");
    out->secret = text_of(tokens, "enroll_secret");
    out->node_key = text_of(tokens, "node_key");
    put_data(tokens, hints, records, &out->event_count);
    return buffer_failed(records) ? err_set(err, ERR_LIMIT, "the body has more than one request may hold; send it in smaller pieces") : 0;
}

int osquery_parse(struct slice body, struct buffer *records, struct osquery_request *out, struct err *err)
{
    struct json_tokens tokens;
    struct json_scanner *scanner = json_scanner_new();
    *out = (struct osquery_request){.secret = SLICE_NONE, .node_key = SLICE_NONE};
    if (!scanner)
        return err_nomem(err);
    int result = json_scan(scanner, body, JSON_DEPTH_MAX, NULL, &tokens, err);
    if (result == 0)
        result = read_request(&tokens, records, out, err);
    json_scanner_free(scanner);
    return result;
}
