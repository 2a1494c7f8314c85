/* What people do to incidents: comments, tasks, evidence, handing over, merging, splitting, closing. */
#include "serve/api_incidents.h"

#include "base/limits.h"
#include "base/time_modifier.h"
#include "respond/incidents/cases.h"
#include "respond/incidents/incident_chain.h"
#include "state/users.h"

#include <stdio.h>

enum { FINDINGS_DEFAULT = 100, FINDINGS_MOST = 1000 };

static struct respond *respond_of(const struct api *api)
{
    return api->parts->respond;
}

static struct slice caller(const struct api *api)
{
    return api->caller.user.name;
}

/* Somebody who is handed something must be somebody. */
static int check_person(struct api *api, struct slice name, struct err *err)
{
    struct query *query;
    if (query_begin(api->parts->database, "SELECT 1 FROM users WHERE name=?1 AND disabled=0", &query, err) < 0)
        return -1;
    query_text(query, 1, name);
    int result = query_step(query, err);
    query_end(query);
    return result ? (result < 0 ? -1 : 0)
                  : err_set(err, ERR_CONFIG, "there is nobody named %.*s who may sign in", SLICE_ARG(name));
}

static int read_time(struct api *api, const struct json_node *body, const char *key, int64_t *out, struct err *err)
{
    struct slice text = api_text(body, key);
    *out = 0;
    return text.len ? time_modifier_read(text, clock_wall_ns(api->parts->clock), NULL, out, err) : 0;
}

static void reply_made(struct api *api, const char *key, int64_t number)
{
    json_open(&api->json, '{');
    json_put_i64(&api->json, key, number);
    json_close(&api->json, '}');
    api_reply(api, 201);
}

/* ---- comments ---- */

static int read_event(const struct json_node *node, struct event_link *out, struct err *err)
{
    struct slice time = api_text(node, "time"), seq = api_text(node, "seq");
    bool zone;
    *out = (struct event_link){.id = api_text(node, "id"), .seq = json_i64_of(json_get(node, "seq"), 0)};
    if (seq.len && !slice_to_i64(seq, &out->seq))
        return err_set(err, ERR_CONFIG, "seq is the hinomi.seq of the event, a number");
    if (time.len && !time_parse_rfc3339(time, &out->time_ns, &zone))
        return err_set(err, ERR_CONFIG, "time is the @timestamp of the event, such as 2018-01-26T00:02:13Z");
    return 0;
}

static int read_events(struct api *api, const struct json_node *list, struct event_link **out, size_t *count, struct err *err)
{
    *count = 0;
    *out = arena_array(api->arena, COMMENT_EVENTS_MAX + 1, sizeof(**out));
    if (!*out)
        return err_nomem(err);
    for (const struct json_node *node = list ? list->first : NULL; node && *count <= COMMENT_EVENTS_MAX; node = node->next)
        if (read_event(node, &(*out)[(*count)++], err) < 0)
            return -1;
    return 0;
}

void api_incident_comment(struct api *api)
{
    struct err err;
    struct event_link *events;
    size_t count;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    int result = read_events(api, json_get(body, "events"), &events, &count, &err);
    if (result == 0)
        result = respond_comment(respond_of(api), api->param, caller(api), api_text(body, "text"), events, count, &err);
    api_incident_reply(api, "incident.comment", api_text(body, "text"), result, &err);
}

void api_event_comments(struct api *api)
{
    struct err err;
    struct slice event = http_param(api->request, "event");
    if (!event.len)
        api_error(api, 400, "bad_request", "event is the event.id of the event that the comments are about");
    else if (respond_event_comments_json(respond_of(api), event, &api->json, &err) < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, 200);
}

void api_event_comments_add(struct api *api)
{
    struct err err;
    struct event_link event;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    int result = read_event(json_get(body, "event"), &event, &err);
    if (result == 0)
        result = respond_comment_event(respond_of(api), &event, caller(api), api_text(body, "text"), &err);
    if (!api_did(api, "event.comment", event.id, api_text(body, "text"), result, &err))
        return;
    if (respond_event_comments_json(respond_of(api), event.id, &api->json, &err) < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, 201);
}

/* ---- states ---- */

/* Where the record ended when it was closed: the audit trail is another chain, exported elsewhere. */
static struct slice with_head(struct api *api, struct slice comment)
{
    struct incident_head head;
    struct err err;
    int64_t id;
    if (!incident_parse_name(api->param, &id) || incident_chain_head(api->parts->database, id, &head, &err) < 0)
        return comment;
    return arena_printf(api->arena, "entry %lld of the record has the hash %s: %.*s", (long long)head.entries, head.hash,
                        SLICE_ARG(comment));
}

void api_incident_close(struct api *api)
{
    struct err err;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    struct slice detail = api_text(body, "comment");
    int result = respond_close(respond_of(api), api->param, caller(api), detail, api_text(body, "verdict"), &err);
    if (result == 0)
        detail = with_head(api, detail);
    api_incident_reply(api, "incident.close", detail, result, &err);
}

void api_incident_owner(struct api *api)
{
    struct err err;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    struct slice owner = api_text(body, "owner");
    int result = check_person(api, owner, &err);
    if (result == 0)
        result = respond_set_owner(respond_of(api), api->param, caller(api), owner, api_text(body, "note"), &err);
    api_incident_reply(api, "incident.owner", owner, result, &err);
}

void api_incident_contained(struct api *api)
{
    struct err err;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    int result = respond_contain(respond_of(api), api->param, caller(api), api_text(body, "note"), &err);
    api_incident_reply(api, "incident.contained", api_text(body, "note"), result, &err);
}

/* The answer is the new incident. */
static void reply_new(struct api *api, const char *action, struct slice reason, int64_t id, int result, const struct err *err)
{
    char name[INCIDENT_NAME_SIZE];
    struct slice old = api->param;
    incident_name(id, name);
    struct slice detail = result == 0 ? arena_printf(api->arena, "%s: %.*s", name, SLICE_ARG(reason)) : reason;
    if (!api_did(api, action, old, detail, result, err))
        return;
    api->param = slice_text(name);
    api_incident(api);
}

void api_incident_reopen(struct api *api)
{
    struct err err;
    int64_t id = 0;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    int result = respond_reopen(respond_of(api), api->param, caller(api), api_text(body, "reason"), &id, &err);
    reply_new(api, "incident.reopen", api_text(body, "reason"), id, result, &err);
}

/* ---- merging and splitting ---- */

static int read_names(struct api *api, const struct json_node *list, struct slice **out, size_t *count, struct err *err)
{
    *count = 0;
    *out = arena_array(api->arena, HANDED_MAX + 1, sizeof(**out));
    if (!*out)
        return err_nomem(err);
    for (const struct json_node *node = list ? list->first : NULL; node && *count <= HANDED_MAX; node = node->next)
        (*out)[(*count)++] = json_text_of(node, SLICE(""));
    return 0;
}

void api_incident_merge(struct api *api)
{
    struct err err;
    struct slice *names;
    size_t count;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    int result = read_names(api, json_get(body, "from"), &names, &count, &err);
    if (result == 0)
        result = respond_merge(respond_of(api), api->param, caller(api), names, count, api_text(body, "reason"), &err);
    api_incident_reply(api, "incident.merge", api_text(body, "reason"), result, &err);
}

void api_incident_split(struct api *api)
{
    struct err err;
    struct slice *names;
    size_t count;
    int64_t id = 0;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    int result = read_names(api, json_get(body, "findings"), &names, &count, &err);
    if (result == 0)
        result = respond_split(respond_of(api), api->param, caller(api), names, count, api_text(body, "reason"), &id, &err);
    reply_new(api, "incident.split", api_text(body, "reason"), id, result, &err);
}

/* ---- tasks ---- */

void api_incident_task(struct api *api)
{
    struct err err;
    int64_t due, task = 0;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    struct slice owner = api_text(body, "owner");
    int result = read_time(api, body, "due", &due, &err);
    if (result == 0 && owner.len)
        result = check_person(api, owner, &err);
    if (result == 0)
        result = respond_add_task(respond_of(api), api->param, caller(api), api_text(body, "text"), owner, due, &task, &err);
    if (api_did(api, "incident.task", api->param, api_text(body, "text"), result, &err))
        reply_made(api, "task", task);
}

void api_task_done(struct api *api)
{
    struct err err;
    char name[INCIDENT_NAME_SIZE] = "";
    int64_t task = 0, incident = 0;
    int result = slice_to_i64(api->param, &task) ? respond_finish_task(respond_of(api), task, caller(api), &incident, &err)
                                                 : err_set(&err, ERR_NOT_FOUND, "there is no task %.*s", SLICE_ARG(api->param));
    if (!api_did(api, "incident.task_done", api->param, SLICE(""), result, &err))
        return;
    incident_name(incident, name);
    api->param = slice_text(name);
    api_incident(api);
}

/* ---- evidence ---- */

void api_incident_attach(struct api *api)
{
    struct err err;
    int64_t number = 0;
    struct buffer bytes;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    buffer_init(&bytes, HTTP_BODY_BYTES_MAX);
    bool good = buffer_put_from_base64(&bytes, api_text(body, "base64"));
    const struct attachment attachment = {api_text(body, "name"), api_text(body, "type"), buffer_slice(&bytes)};
    int result = !good || !json_get(body, "base64")
                     ? err_set(&err, ERR_CONFIG, "base64 is the attachment's bytes in base64 (RFC 4648, with padding)")
                     : respond_attach(respond_of(api), api->param, caller(api), &attachment, &number, &err);
    buffer_close(&bytes);
    if (api_did(api, "incident.attach", api->param, attachment.name, result, &err))
        reply_made(api, "attachment", number);
}

/* RFC 5987: what is not a plain letter as %XX, so that no name can end the header or the quotes. */
static struct slice header_name(struct slice name, struct arena *arena)
{
    struct buffer text;
    buffer_init(&text, 8 * KIB);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
        if (plain)
            buffer_put_char(&text, c);
        else
            buffer_printf(&text, "%%%02X", (unsigned)(unsigned char)c);
    }
    struct slice copy = arena_copy(arena, buffer_slice(&text));
    buffer_close(&text);
    return copy;
}

/* Never as what its bringer says it is: a browser is to save it and run nothing of it. */
void api_attachment(struct api *api)
{
    struct err err;
    struct attachment attachment = {.name = SLICE("")};
    int64_t number = 0;
    int result = slice_to_i64(api->param, &number) ? respond_attachment(respond_of(api), number, api->arena, &attachment, &err)
                                                   : err_set(&err, ERR_NOT_FOUND, "there is no attachment %.*s", SLICE_ARG(api->param));
    if (!api_looked(api, "incident.attachment", api->param, attachment.name, result, &err))
        return;
    struct slice headers = arena_printf(api->arena, "Content-Disposition: attachment; filename*=UTF-8''%.*s\r\n"
                                        "X-Content-Type-Options: nosniff\r\n", SLICE_ARG(header_name(attachment.name, api->arena)));
    http_reply(api->request, 200, "application/octet-stream", headers.ptr ? headers : SLICE(""), attachment.bytes);
}

/* ---- findings ---- */

static void reply_findings(struct api *api, struct slice incident, int64_t exception, bool loose)
{
    struct err err;
    int64_t after = api_number(api, "after", 0, INT64_MAX / 2), limit = api_number(api, "limit", FINDINGS_DEFAULT, FINDINGS_MOST);
    if (respond_findings_json(respond_of(api), incident, exception, loose, after, limit, &api->json, &err) < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, 200);
}

void api_incident_findings(struct api *api)
{
    reply_findings(api, api->param, 0, false);
}

void api_findings(struct api *api)
{
    reply_findings(api, SLICE_NONE, api_number(api, "exception", 0, INT64_MAX / 2), api_number(api, "loose", 0, 1) == 1);
}

/* ---- the next shift ---- */

void api_handover(struct api *api)
{
    struct err err;
    int64_t since;
    struct slice from = http_param(api->request, "from");
    if (time_modifier_read(from.len ? from : SLICE("-12h"), clock_wall_ns(api->parts->clock), NULL, &since, &err) < 0 ||
        respond_handover_json(respond_of(api), since, &api->json, &err) < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, 200);
}

/* ---- for somebody outside ---- */

void api_incident_share(struct api *api)
{
    struct err err;
    char secret[SECRET_TEXT_SIZE];
    int64_t share = 0, expires = 0;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    int result = read_time(api, body, "expires", &expires, &err);
    if (result == 0)
        result = respond_share(respond_of(api), api->param, caller(api), api_text(body, "note"), expires, secret, &share, &err);
    if (!api_did(api, "incident.share", api->param, api_text(body, "note"), result, &err))
        return;
    json_open(&api->json, '{');
    json_put_i64(&api->json, "share", share);
    json_put_text(&api->json, "secret", slice_text(secret)); /* told this once */
    json_put_text(&api->json, "path", arena_printf(api->arena, "/v1/shared/%s", secret));
    json_close(&api->json, '}');
    api_reply(api, 201);
}

void api_incident_shares(struct api *api)
{
    struct err err;
    if (respond_shares_json(respond_of(api), api->param, &api->json, &err) < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, 200);
}

void api_share_end(struct api *api)
{
    struct err err;
    int64_t share = 0;
    int result = slice_to_i64(api->param, &share) ? respond_share_end(respond_of(api), share, caller(api), &err)
                                                  : err_set(&err, ERR_NOT_FOUND, "there is no link %.*s", SLICE_ARG(api->param));
    if (api_did(api, "incident.share_end", api->param, SLICE(""), result, &err))
        api_no_content(api);
}

/* Whoever has the secret. A wrong one is not recorded: 256 bits are not guessed, and the trail is not for everybody to fill. */
void api_shared(struct api *api)
{
    struct err err;
    int64_t share = 0;
    if (respond_shared_json(respond_of(api), api->param, &share, &api->json, &err) < 0)
        api_reply_err(api, &err);
    else if (api_record_claim(api, arena_printf(api->arena, "share %lld", (long long)share), "incident.shared", SLICE(""), NULL))
        api_reply(api, 200);
}
