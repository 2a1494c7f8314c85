/* The rules that run, with their ledger. */
#include "serve/api.h"

static void put_time(struct json *json, const char *key, int64_t time_ns)
{
    json_put_time_or_null(json, key, time_ns == RULE_TIME_NEVER ? 0 : time_ns);
}

static void put_tally(struct json *json, const struct rule_tally *tally)
{
    json_key(json, "ledger");
    json_open(json, '{');
    put_time(json, "since", tally->since_ns);
    json_put_i64(json, "since_seq", (int64_t)tally->since_seq);
    json_put_i64(json, "offered", (int64_t)tally->offered);
    json_put_i64(json, "evaluated", (int64_t)tally->evaluated);
    json_put_i64(json, "matched", (int64_t)tally->matched);
    json_put_i64(json, "findings", (int64_t)tally->findings);
    json_put_i64(json, "errors", (int64_t)tally->errors);
    json_put_i64(json, "cost_ns", (int64_t)tally->cost_ns);
    json_put_i64(json, "keys", (int64_t)tally->memory.keys);
    json_put_i64(json, "bytes", (int64_t)tally->memory.bytes);
    json_put_i64(json, "forgotten", (int64_t)(tally->memory.evicted + tally->memory.cut));
    json_put_i64(json, "late", (int64_t)tally->memory.late);
    json_put_i64(json, "left_out", (int64_t)tally->memory.left_out);
    put_time(json, "last_offered", tally->last_offered_ns);
    put_time(json, "last_matched", tally->last_matched_ns);
    json_close(json, '}');
}

static void put_tags(struct json *json, const struct rule *rule)
{
    json_key(json, "tags");
    json_open(json, '[');
    for (size_t i = 0; i < rule->tag_count; i++)
        json_text(json, rule->tags[i]);
    json_close(json, ']');
}

/* report: NULL for rules of which nothing is known yet. */
static void put_rule(struct json *json, const struct rule *rule, const struct rule_report *report)
{
    json_open(json, '{');
    json_put_text(json, "id", rule->name);
    json_put_text(json, "title", rule->title.ptr ? rule->title : rule->name);
    json_put_text(json, "level", slice_text(severity_name(rule->severity)));
    json_put_text(json, "status", slice_text(rule_status_name(rule->status)));
    json_put_text(json, "reason", rule->reason.ptr ? rule->reason : SLICE(""));
    json_put_text(json, "note", rule->note.ptr ? rule->note : SLICE(""));
    json_put_text(json, "author", rule->author.ptr ? rule->author : SLICE(""));
    put_tags(json, rule);
    json_put_bool(json, "blind", report && report->blind.ptr);
    json_put_text(json, "blind_reason", report && report->blind.ptr ? report->blind : SLICE(""));
    if (report && rule->status == RULE_ACTIVE)
        put_tally(json, &report->tally);
    json_close(json, '}');
}

void api_rules(struct api *api)
{
    struct rule_reports *reports = pipeline_hold_reports(api->parts->pipeline);
    struct rulebook *book = reports ? rulebook_hold(reports->book) : pipeline_hold_rules(api->parts->pipeline);
    json_open(&api->json, '{');
    json_key(&api->json, "rules");
    json_open(&api->json, '[');
    for (size_t i = 0; i < book->rules->count; i++)
        put_rule(&api->json, book->rules->rules[i], reports ? &reports->list[i] : NULL);
    json_close(&api->json, ']');
    json_close(&api->json, '}');
    rulebook_release(book);
    rule_reports_release(reports);
    api_reply(api, 200);
}
