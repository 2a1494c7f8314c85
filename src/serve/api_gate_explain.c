/* Why the gate answers as it does: what each row makes of a request, and the policy as a table. */
#include "serve/api.h"
#include "serve/api_gate.h"

#include "base/limits.h"
#include "gate/gate_request.h"
#include "gate/policy.h"

static void put_row_head(struct json *json, struct slice name, struct slice condition, enum gate_decision effect, uint32_t approvals)
{
    json_put_text(json, "name", name);
    json_put_text_or_null(json, "condition", condition);
    json_put_text(json, "effect", slice_text(gate_decision_name(effect)));
    if (effect == GATE_HOLD)
        json_put_i64(json, "approvals", approvals);
}

static void put_explained(struct json *json, const struct gate_row_explained *row)
{
    json_open(json, '{');
    put_row_head(json, row->name, row->condition, row->effect, row->approvals);
    json_key(json, "applies");
    if (row->applies == GATE_ROW_UNKNOWN)
        json_null(json);
    else
        json_bool(json, row->applies == GATE_ROW_APPLIES);
    json_put_bool(json, "decides", row->decides);
    json_key(json, "reads");
    json_open(json, '[');
    for (size_t i = 0; i < row->read_count; i++) {
        json_open(json, '{');
        json_put_text(json, "name", row->reads[i].name);
        json_put_text_or_null(json, "value", row->reads[i].value);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_close(json, '}');
}

void api_put_explained(struct json *json, const struct gate_explained *explained)
{
    json_open(json, '{');
    api_gate_put_judged(json, &explained->answer);
    json_put_bool(json, "decided_before", explained->decided_before);
    json_key(json, "rows");
    json_open(json, '[');
    for (size_t i = 0; i < explained->row_count; i++)
        put_explained(json, &explained->rows[i]);
    json_close(json, ']');
    json_close(json, '}');
}

void api_gate_explain(struct api *api)
{
    struct err err;
    struct gate_request request;
    struct gate_explained explained;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    if (gate_request_read(body, api->arena, &request, &err) < 0 ||
        gate_explain(api->parts->gate, &request, api->arena, &explained, &err) < 0) {
        api_reply_err(api, &err);
        return;
    }
    api_put_explained(&api->json, &explained);
    api_reply(api, 200);
}

/* ---- the policy as a table ---- */

/* Limits without the "limits." that conditions write in front. */
static void put_values(struct json *json, const struct policy *policy, bool limits)
{
    json_key(json, limits ? "limits" : "values");
    json_open(json, '[');
    for (size_t i = 0; i < policy->value_count; i++) {
        const struct policy_value *value = &policy->values[i];
        if (limits == (value->expr != NULL))
            continue;
        json_open(json, '{');
        json_put_text(json, "name", limits ? slice_from(value->name, sizeof("limits.") - 1) : value->name);
        json_put_text(json, limits ? "value" : "expression", value->text);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void put_row(struct json *json, const struct policy_row *row)
{
    json_open(json, '{');
    put_row_head(json, row->name, row->when ? row->condition : SLICE_NONE, row->effect, row->approvals);
    json_key(json, "reason");
    json_open(json, '{');
    json_put_text_or_null(json, "en", row->reason_en);
    json_put_text_or_null(json, "ja", row->reason_ja);
    json_close(json, '}');
    json_close(json, '}');
}

static void put_people(struct json *json, const struct policy *policy)
{
    json_key(json, "approvers");
    json_open(json, '[');
    for (size_t i = 0; i < policy->approver_count; i++)
        json_text(json, policy->approvers[i].name);
    json_close(json, ']');
    json_key(json, "partners");
    json_open(json, '[');
    for (size_t i = 0; i < policy->partner_count; i++) {
        json_open(json, '{');
        json_put_text(json, "name", policy->partners[i].name);
        json_put_texts(json, "destinations", policy->partners[i].destinations, policy->partners[i].count);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void put_table(struct json *json, const struct policy *policy, struct slice text, bool shadow)
{
    json_open(json, '{');
    json_put_text(json, "version", policy->version);
    json_put_text(json, "digest", slice_text(policy->digest));
    json_put_text(json, "mode", shadow ? SLICE("shadow") : SLICE("enforce"));
    json_put_text(json, "mode_in_file", policy->shadow ? SLICE("shadow") : SLICE("enforce"));
    put_values(json, policy, true);
    put_values(json, policy, false);
    json_key(json, "rows");
    json_open(json, '[');
    for (size_t i = 0; i < policy->row_count; i++)
        put_row(json, &policy->rows[i]);
    json_close(json, ']');
    put_people(json, policy);
    json_put_text(json, "text", text);
    json_close(json, '}');
}

void api_gate_policy(struct api *api)
{
    struct err err;
    struct slice text;
    const struct policy *policy;
    struct arena *arena = arena_new(64 * MIB);
    if (!arena)
        err_nomem(&err);
    if (!arena || gate_policy_text(api->parts->gate, arena, &text, &err) < 0 || policy_parse(text, arena, &policy, &err) < 0) {
        api_reply_err(api, &err);
    } else {
        put_table(&api->json, policy, text, gate_stats(api->parts->gate).shadow);
        api_reply(api, 200);
    }
    arena_free(arena);
}
