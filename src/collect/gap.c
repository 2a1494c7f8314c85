#include "collect/gap.h"

#include "base/json.h"
#include "base/limits.h"
#include "cut/json_tree.h"

static void put_message(const struct gap *gap, struct json *json)
{
    struct buffer message;
    struct slice whom = gap->host.len ? gap->host : gap->sender;
    buffer_init(&message, 64 * KIB);
    if (gap->missing)
        buffer_printf(&message, "%llu messages are missing", (unsigned long long)gap->missing);
    else
        buffer_put_text(&message, "the numbers began again");
    buffer_printf(&message, " in %.*s of %.*s%s%.*s", SLICE_ARG(gap->numbers), SLICE_ARG(gap->source), whom.len ? " / " : "",
                  SLICE_ARG(whom));
    if (gap->missing && gap->to)
        buffer_printf(&message, ": %llu to %llu", (unsigned long long)gap->from, (unsigned long long)gap->to);
    json_put_text(json, "message", buffer_slice(&message));
    buffer_close(&message);
}

void gap_write(const struct gap *gap, struct buffer *to)
{
    struct json json;
    json_init(&json, to);
    json_open(&json, '{');
    json_put_time(&json, "@timestamp", gap->time_ns);
    json_put_text(&json, "event.dataset", GAP_SOURCE);
    json_put_text(&json, "event.kind", SLICE("event"));
    json_put_text(&json, "event.action", gap->missing ? SLICE("messages-missing") : SLICE("numbers-began-again"));
    put_message(gap, &json);
    json_put_text(&json, "hinomi.gap.source", gap->source);
    if (gap->sender.len)
        json_put_text(&json, "hinomi.gap.sender", gap->sender);
    if (gap->host.len)
        json_put_text(&json, "hinomi.gap.host", gap->host);
    json_put_text(&json, "hinomi.gap.numbers", gap->numbers);
    json_put_i64(&json, "hinomi.gap.missing", (int64_t)gap->missing);
    json_put_i64(&json, "hinomi.gap.from", (int64_t)gap->from);
    json_put_i64(&json, "hinomi.gap.to", (int64_t)gap->to);
    json_close(&json, '}');
}

int gap_read(struct slice line, struct arena *arena, struct gap *out, struct err *err)
{
    const struct json_node *node;
    int64_t missing = 0, from = 0, to = 0;
    *out = (struct gap){0};
    if (json_tree_parse(line, arena, &node, err) < 0 || json_want_text(node, "hinomi.gap.source", &out->source, err) < 0 ||
        json_want_text(node, "hinomi.gap.numbers", &out->numbers, err) < 0 ||
        json_want_i64(node, "hinomi.gap.missing", &missing, err) < 0 ||
        json_want_i64(node, "hinomi.gap.from", &from, err) < 0 || json_want_i64(node, "hinomi.gap.to", &to, err) < 0)
        return -1;
    if (missing < 0 || from < 0 || to < from)
        return err_set(err, ERR_INPUT, "numbers that cannot be: %lld missing, %lld to %lld", (long long)missing,
                       (long long)from, (long long)to);
    out->missing = (uint64_t)missing;
    out->from = (uint64_t)from;
    out->to = (uint64_t)to;
    out->sender = json_text_of(json_get(node, "hinomi.gap.sender"), SLICE(""));
    out->host = json_text_of(json_get(node, "hinomi.gap.host"), SLICE(""));
    return 0;
}
