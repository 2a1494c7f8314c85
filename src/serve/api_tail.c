/* GET /v1/search/tail: what is stored from now on and passes, as lines of JSON. */
#include "serve/api.h"
#include "serve/tails.h"

static struct tail_request request_of(struct api *api, struct slice query)
{
    struct slice scheme, token = SLICE_NONE;
    if (api->caller.is_token)
        slice_cut(http_header(api->request, "authorization"), ' ', &scheme, &token);
    return (struct tail_request){.query = query,
                                 .owner = api->caller.user.name,
                                 .session = api->caller.session,
                                 .token = slice_trim(token),
                                 .peer = http_peer(api->request)};
}

void api_search_tail(struct api *api)
{
    struct err err;
    struct tail *tail = NULL;
    struct slice query = http_param(api->request, "q");
    if (http_method(api->request) == HTTP_METHOD_HEAD) {
        http_reply(api->request, 200, "application/x-ndjson", SLICE_NONE, SLICE(""));
        return;
    }
    if (!query.ptr) {
        api_error(api, 400, "bad_request", "the address needs ?q= and a search");
        return;
    }
    struct tail_request request = request_of(api, query);
    err_clear(&err);
    int result = api_zone(api, http_param(api->request, "tz"), &request.zone, &err);
    if (result == 0)
        result = tails_plan(api->tails, &request, &tail, &err);
    if (!api_looked(api, "search.tail", query, SLICE(""), result, &err)) {
        if (tail)
            tails_forget(tail);
        return;
    }
    struct http_stream *stream =
        http_reply_stream(api->request, 200, "application/x-ndjson",
                          SLICE("Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n"), TAIL_BYTES_MAX);
    if (stream)
        tails_run(tail, stream);
    else
        tails_forget(tail);
}
