/* The audit trail: writing to it from the handlers, and reading it. */
#include "serve/api.h"

#include <stdio.h>

#include "base/time_modifier.h"
#include "state/audit.h"

enum { AUDIT_DEFAULT = 200, AUDIT_MOST = 5000 };

static int add_row(struct api *api, struct slice actor, struct slice via, const char *action,
                   struct slice object, struct slice detail, const struct err *failure,
                   struct err *err)
{
    struct audit_row row = {
        .actor = actor,
        .via = via,
        .peer = http_peer(api->request),
        .action = slice_text(action),
        .object = object,
        .detail = detail,
        .result = failure ? slice_text(failure->text) : SLICE("ok"),
    };
    return audit_add(api->parts->database, api->parts->clock, &row, err);
}

static bool record(struct api *api, struct slice actor, struct slice via, const char *action,
                   struct slice object, struct slice detail, const struct err *failure)
{
    struct err err;
    if (add_row(api, actor, via, action, object, detail, failure, &err) == 0)
        return true;
    err_within(&err, failure ? "this was refused" : "this was done, but is not in the audit trail");
    api_reply_err(api, &err);
    return false;
}

static struct slice via_of(const struct caller *caller)
{
    return caller->is_token ? SLICE("token") : caller->known ? SLICE("session") : SLICE("none");
}

bool api_record(struct api *api, const char *action, struct slice object, struct slice detail,
                const struct err *failure)
{
    const struct caller *caller = &api->caller;
    return record(api, caller->user.name, via_of(caller), action, object, detail, failure);
}

bool api_looked(struct api *api, const char *action, struct slice object, struct slice detail,
                int result, const struct err *err)
{
    struct err why;
    const struct caller *caller = &api->caller;
    if (add_row(api, caller->user.name, via_of(caller), action, object, detail,
                result < 0 ? err : NULL, &why) < 0)
        fprintf(stderr, "hinomi: %s by %.*s is not in the audit trail: %s\n", action,
                SLICE_ARG(caller->user.name), why.text);
    if (result < 0)
        api_reply_err(api, err);
    return result == 0;
}

bool api_record_claim(struct api *api, struct slice actor, const char *action, struct slice detail,
                      const struct err *failure)
{
    return record(api, actor, SLICE("none"), action, actor, detail, failure);
}

bool api_did(struct api *api, const char *action, struct slice object, struct slice detail,
             int result, const struct err *err)
{
    if (!api_record(api, action, object, detail, result < 0 ? err : NULL))
        return false;
    if (result < 0)
        api_reply_err(api, err);
    return result == 0;
}

static int put_row(void *context, const struct audit_row *row, struct err *err)
{
    struct json *json = context;
    (void)err;
    json_open(json, '{');
    json_put_i64(json, "id", row->id);
    json_put_time(json, "time", row->time_ns);
    json_put_text(json, "actor", row->actor);
    json_put_text(json, "via", row->via);
    json_put_text(json, "peer", row->peer);
    json_put_text(json, "action", row->action);
    json_put_text(json, "object", row->object);
    json_put_text(json, "detail", row->detail);
    json_put_text(json, "result", row->result);
    json_put_text(json, "hash", slice_text(row->hash));
    json_close(json, '}');
    return 0;
}

static int read_filter(struct api *api, struct audit_filter *filter, struct err *err)
{
    int64_t now = clock_wall_ns(api->parts->clock);
    struct slice from = http_param(api->request, "from"), to = http_param(api->request, "to");
    *filter = (struct audit_filter){.limit = api_number(api, "limit", AUDIT_DEFAULT, AUDIT_MOST),
                                    .before = api_number(api, "before", 0, INT64_MAX),
                                    .actor = http_param(api->request, "actor"),
                                    .action = http_param(api->request, "action"),
                                    .newest_first = true};
    if (from.len && time_modifier_read(from, now, NULL, &filter->from_ns, err) < 0)
        return -1;
    return to.len ? time_modifier_read(to, now, NULL, &filter->to_ns, err) : 0;
}

void api_audit(struct api *api)
{
    struct err err;
    struct audit_filter filter;
    if (!role_allows(api->caller.role, ROLE_AUDITOR) && !role_allows(api->caller.role, ROLE_ADMIN)) {
        api_error(api, 403, "denied", "this needs the role auditor or admin");
        return;
    }
    json_open(&api->json, '{');
    json_key(&api->json, "rows");
    json_open(&api->json, '[');
    err_clear(&err);
    if (read_filter(api, &filter, &err) < 0 ||
        audit_each(api->parts->database, &filter, put_row, &api->json, &err) < 0) {
        api_reply_err(api, &err);
        return;
    }
    json_close(&api->json, ']');
    json_close(&api->json, '}');
    api_reply(api, 200);
}
