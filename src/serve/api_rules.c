/* The rules that run, with their ledger, and one of them with all that is known of it. */
#include "base/file.h"
#include "base/limits.h"
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

/* The members of a rule in the list. report: NULL for rules of which nothing is known yet. */
static void put_rule(struct json *json, const struct rule *rule, const struct rule_report *report)
{
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
}

void api_rules(struct api *api)
{
    struct rule_reports *reports = pipeline_hold_reports(api->parts->pipeline);
    struct rulebook *book = reports ? rulebook_hold(reports->book) : pipeline_hold_rules(api->parts->pipeline);
    json_open(&api->json, '{');
    json_key(&api->json, "rules");
    json_open(&api->json, '[');
    for (size_t i = 0; i < book->rules->count; i++) {
        json_open(&api->json, '{');
        put_rule(&api->json, book->rules->rules[i], reports ? &reports->list[i] : NULL);
        json_close(&api->json, '}');
    }
    json_close(&api->json, ']');
    json_close(&api->json, '}');
    rulebook_release(book);
    rule_reports_release(reports);
    api_reply(api, 200);
}

/* ---- one rule ---- */

static const char *kind_name(enum rule_kind kind)
{
    static const char *const names[] = {"match", "absence", "silence", "correlation", "new", "usual", "risk", "filter"};
    return names[kind];
}

static void put_both(struct json *json, const char *key, struct slice en, struct slice ja)
{
    json_key(json, key);
    if (!en.len && !ja.len) {
        json_null(json);
        return;
    }
    json_open(json, '{');
    json_put_text(json, "en", en.ptr ? en : SLICE(""));
    json_put_text(json, "ja", ja.ptr ? ja : SLICE(""));
    json_close(json, '}');
}

/* What stands behind the last c; everything where there is none. */
static size_t behind_last(struct slice text, char c)
{
    size_t at = text.len;
    while (at > 0 && text.ptr[at - 1] != c)
        at--;
    return at;
}

/* The file as it is now; null when it cannot be read any more, or there is none. */
static void put_file(struct api *api, const char *key, struct slice path)
{
    struct err err;
    struct slice text;
    struct slice name = path.len ? arena_printf(api->arena, "%.*s", SLICE_ARG(path)) : SLICE_NONE;
    json_key(&api->json, key);
    if (name.ptr && file_read(name.ptr, YAML_BYTES_MAX, api->arena, &text, &err) == 0)
        json_text(&api->json, text);
    else
        json_null(&api->json);
}

/* X.yml has its tests in X.test.yaml. */
static struct slice tests_path(struct api *api, struct slice path)
{
    size_t extension = behind_last(path, '.');
    return extension ? arena_printf(api->arena, "%.*stest.yaml", (int)extension, path.ptr) : SLICE_NONE;
}

static void put_texts(struct json *json, const struct rule *rule)
{
    json_put_text(json, "description", rule->description.ptr ? rule->description : SLICE(""));
    put_both(json, "explain", rule->explain_en, rule->explain_ja);
    put_both(json, "why", rule->why_en, rule->why_ja);
    put_both(json, "check", rule->check_en, rule->check_ja);
    put_both(json, "do", rule->do_en, rule->do_ja);
}

static void put_source(struct json *json, const struct rule *rule)
{
    json_key(json, "logsource");
    json_open(json, '{');
    json_put_text_or_null(json, "product", rule->product);
    json_put_text_or_null(json, "category", rule->category);
    json_put_text_or_null(json, "service", rule->service);
    json_close(json, '}');
}

static void put_whole(struct api *api, const struct rule *rule, const struct rule_report *report)
{
    struct json *json = &api->json;
    json_open(json, '{');
    put_rule(json, rule, report);
    json_put_text(json, "kind", slice_text(kind_name(rule->kind)));
    json_put_text_or_null(json, "catalogue", rule->catalogue.len ? rule->catalogue : SLICE_NONE);
    json_put_text(json, "tactics", rule->tactics.ptr ? rule->tactics : SLICE(""));
    json_put_i64(json, "points", rule->points);
    json_put_bool(json, "own", rule->own);
    put_source(json, rule);
    put_texts(json, rule);
    json_put_text(json, "file", slice_from(rule->path, behind_last(rule->path, '/')));
    put_file(api, "text", rule->path);
    put_file(api, "tests", tests_path(api, rule->path));
    json_close(json, '}');
}

void api_rule(struct api *api)
{
    struct rule_reports *reports = pipeline_hold_reports(api->parts->pipeline);
    struct rulebook *book = reports ? rulebook_hold(reports->book) : pipeline_hold_rules(api->parts->pipeline);
    size_t i = 0;
    while (i < book->rules->count && !slice_equal(book->rules->rules[i]->name, api->param))
        i++;
    bool found = i < book->rules->count;
    if (found)
        put_whole(api, book->rules->rules[i], reports ? &reports->list[i] : NULL);
    rulebook_release(book);
    rule_reports_release(reports);
    if (found)
        api_reply(api, 200);
    else
        api_error(api, 404, "not_found", "there is no rule of that id");
}
