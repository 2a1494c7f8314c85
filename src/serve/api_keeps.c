/* Retention: what is held, holding more, ending a hold by two people, and how full the disk is. */
#include "serve/api.h"

#include "base/time.h"
#include "base/time_modifier.h"

static void put_keep(void *context, const struct keep *keep)
{
    struct json *json = context;
    json_open(json, '{');
    json_put_text(json, "name", keep->name);
    json_put_text(json, "stream", keep->stream);
    json_put_time(json, "from", keep->from_ns);
    json_put_time(json, "to", keep->to_ns);
    json_put_text(json, "reason", keep->reason);
    json_put_text(json, "added_by", keep->added_by);
    json_put_time(json, "added", keep->added_ns);
    json_put_bool(json, "in_force", keep->in_force_ns != 0);
    if (keep->wished_by.len) {
        json_key(json, "end_wished");
        json_open(json, '{');
        json_put_text(json, "by", keep->wished_by);
        json_put_time(json, "at", keep->wished_ns);
        json_put_text(json, "reason", keep->wish_reason);
        json_close(json, '}');
    }
    json_put_time_or_null(json, "ended", keep->ended_ns);
    if (keep->ended_ns)
        json_put_text(json, "ended_by", keep->ended_by);
    json_close(json, '}');
}

static void put_retention(struct json *json, const struct store_stats *stats)
{
    json_key(json, "retention");
    json_open(json, '{');
    json_put_i64(json, "segments", (int64_t)stats->segments);
    json_put_i64(json, "bytes", (int64_t)stats->segment_bytes);
    json_put_i64(json, "cold_segments", (int64_t)stats->cold_segments);
    json_put_i64(json, "cold_bytes", (int64_t)stats->cold_bytes);
    json_put_i64(json, "dropped_segments", (int64_t)stats->dropped_segments);
    json_put_i64(json, "dropped_events", (int64_t)stats->dropped_rows);
    json_put_i64(json, "held_segments", (int64_t)stats->held_segments);
    json_put_i64(json, "held_bytes", (int64_t)stats->held_bytes);
    json_put_i64(json, "short_bytes", (int64_t)stats->short_bytes);
    json_close(json, '}');
}

void api_keeps(struct api *api)
{
    struct err err;
    struct store_stats stats;
    store_stats(api->parts->store, &stats);
    json_open(&api->json, '{');
    json_key(&api->json, "keeps");
    json_open(&api->json, '[');
    if (keeps_list(api->parts->database, api->parts->clock, api_number(api, "all", 0, 1) == 1, api->arena,
                   put_keep, &api->json, &err) < 0) {
        api_reply_err(api, &err);
        return;
    }
    json_close(&api->json, ']');
    put_retention(&api->json, &stats);
    json_close(&api->json, '}');
    api_reply(api, 200);
}

static int add(struct api *api, const struct json_node *body, struct keep *keep, struct err *err)
{
    int64_t now = clock_wall_ns(api->parts->clock);
    struct slice stream = api_text(body, "stream");
    *keep = (struct keep){.name = api_text(body, "name"), .stream = stream.len ? stream : SLICE("*"),
                          .reason = api_text(body, "reason"), .added_by = api->caller.user.name};
    if (time_modifier_read(api_text(body, "from"), now, NULL, &keep->from_ns, err) < 0 ||
        time_modifier_read(api_text(body, "to"), now, NULL, &keep->to_ns, err) < 0 ||
        keeps_add(api->parts->database, api->parts->clock, keep, err) < 0)
        return -1;
    return keeping_apply(api->parts->keeping, err);
}

void api_keeps_add(struct api *api)
{
    struct err err;
    struct keep keep;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    int result = add(api, body, &keep, &err);
    struct slice what = arena_printf(api->arena, "stream %.*s: %.*s", SLICE_ARG(keep.stream), SLICE_ARG(keep.reason));
    if (!api_did(api, "keep.add", keep.name, what, result, &err))
        return;
    keep.added_ns = keep.in_force_ns = clock_wall_ns(api->parts->clock);
    put_keep(&api->json, &keep);
    api_reply(api, 201);
}

void api_keeps_end(struct api *api)
{
    struct err err;
    enum keep_end end = KEEP_WISHED;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    struct slice reason = api_text(body, "reason");
    int result = api->caller.is_token
                     ? err_set(&err, ERR_DENIED, "people end a hold, two of them, signed in; not a token")
                     : keeps_end(api->parts->database, api->parts->clock, api->param,
                                 api->caller.user.name, reason, &end, &err);
    if (result == 0)
        result = keeping_apply(api->parts->keeping, &err);
    if (!api_did(api, end == KEEP_ENDED ? "keep.end" : "keep.wish", api->param, reason, result, &err))
        return;
    json_open(&api->json, '{');
    json_put_text(&api->json, "name", api->param);
    json_put_bool(&api->json, "ended", end == KEEP_ENDED);
    json_close(&api->json, '}');
    api_reply(api, end == KEEP_ENDED ? 200 : 202);
}
