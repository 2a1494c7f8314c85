/* Searches: start, look at a page, cancel, export. */
#include "search/help.h"
#include "serve/api.h"
#include "serve/jobs.h"

enum { PAGE_ROWS = 200, PAGE_ROWS_MAX = 5000 };

/* {query, from, to, tz}, and the range for the audit trail. False: it was answered that something is missing. */
static bool take_request(struct api *api, struct job_request *out, struct slice *range)
{
    struct err err;
    const struct json_node *body = api_body(api);
    if (!body)
        return false;
    *out = (struct job_request){
        .query = api_text(body, "query"),
        .from = api_text(body, "from"),
        .to = api_text(body, "to"),
        .person = {api->caller.user.name, api->caller.role, api->caller.is_token}};
    *range = arena_printf(api->arena, "from %.*s to %.*s", SLICE_ARG(out->from), SLICE_ARG(out->to));
    err_clear(&err);
    if (!out->query.ptr)
        api_error(api, 400, "bad_request", "the body needs \"query\"");
    else if (api_zone(api, api_text(body, "tz"), &out->zone, &err) < 0)
        api_reply_err(api, &err);
    else
        return true;
    return false;
}

void api_search_start(struct api *api)
{
    struct err err;
    char id[JOB_ID_SIZE];
    struct job_request request;
    struct slice range;
    err_clear(&err);
    if (!take_request(api, &request, &range))
        return;
    int result = jobs_start(api->jobs, &request, id, &err);
    if (!api_looked(api, "search", request.query, range, result, &err))
        return;
    json_open(&api->json, '{');
    json_put_text(&api->json, "id", slice_text(id));
    json_close(&api->json, '}');
    api_reply(api, 201);
}

/* What a search would cost. How many rows match tells of the events, so the audit trail has it. */
void api_search_estimate(struct api *api)
{
    struct err err;
    struct job_request request;
    struct slice range;
    err_clear(&err);
    if (!take_request(api, &request, &range))
        return;
    json_open(&api->json, '{');
    int result = jobs_estimate(api->jobs, &request, &api->json, &err);
    json_close(&api->json, '}');
    if (api_looked(api, "search.estimate", request.query, range, result, &err))
        api_reply(api, 200);
}

/* The language for completion: it changes only with the program. */
void api_search_help(struct api *api)
{
    help_json(&api->json);
    api_reply(api, 200);
}

void api_search_page(struct api *api)
{
    struct err err;
    int64_t offset = api_number(api, "offset", 0, INT64_MAX / 2);
    int64_t limit = api_number(api, "limit", PAGE_ROWS, PAGE_ROWS_MAX);
    err_clear(&err);
    if (jobs_page(api->jobs, api->param, api->caller.user.name, offset, limit, &api->json, &err) < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, 200);
}

void api_search_cancel(struct api *api)
{
    struct err err;
    err_clear(&err);
    if (jobs_cancel(api->jobs, api->param, api->caller.user.name, &err) < 0)
        api_reply_err(api, &err);
    else
        api_no_content(api);
}

void api_search_export(struct api *api)
{
    struct err err;
    struct slice format = http_param(api->request, "format");
    bool csv = slice_is(format, "csv");
    err_clear(&err);
    if (!csv && !slice_is(format, "json")) {
        api_error(api, 400, "bad_request", "format is csv or json");
        return;
    }
    int result = jobs_export(api->jobs, api->param, api->caller.user.name, csv, &api->body, &err);
    if (!api_did(api, "search.export", api->param, format, result, &err))
        return;
    struct slice headers =
        csv ? SLICE("Content-Disposition: attachment; filename=\"hinomi.csv\"\r\n")
            : SLICE("Content-Disposition: attachment; filename=\"hinomi.json\"\r\n");
    http_reply(api->request, 200, csv ? "text/csv; charset=utf-8" : "application/json", headers,
               buffer_slice(&api->body));
}
