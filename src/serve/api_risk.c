/* The risk of entities, as the rules of risk have it at this moment: GET /v1/entities/risk. */
#include "base/limits.h"
#include "serve/api.h"
#include "table/risk.h"

#include <stdio.h>

enum { LIST_DEFAULT = 20, LIST_MAX = 200, WAIT_MS = 5000 };

static void put_points(struct json *json, const char *key, uint64_t points)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%llu.%06llu", (unsigned long long)(points / RISK_POINT),
                       (unsigned long long)(points % RISK_POINT));
    while (text[len - 1] == '0')
        len--;
    len -= text[len - 1] == '.';
    json_put_text(json, key, slice_of(text, (size_t)len));
}

static void put_part(struct json *json, const struct risk_part *part)
{
    struct slice tactics = part->source.tactics, one;
    json_open(json, '{');
    json_put_text(json, "rule", part->source.rule);
    json_put_text(json, "title", part->source.title);
    json_key(json, "tactics");
    json_open(json, '[');
    while (tactics.len && slice_next_part(&tactics, ' ', &one))
        json_text(json, one);
    json_close(json, ']');
    put_points(json, "points", part->left);
    json_put_i64(json, "points_of_rule", part->source.points);
    json_put_i64(json, "findings", (int64_t)part->count);
    json_put_time(json, "last", part->last_ns);
    json_put_text(json, "finding", part->finding);
    json_close(json, '}');
}

static void put_entity(struct json *json, const struct risk_total *total)
{
    json_open(json, '{');
    json_put_text(json, "type", total->entity.type);
    json_put_text(json, "value", total->entity.value);
    put_points(json, "points", total->points);
    put_points(json, "points_24h", total->recent);
    json_put_i64(json, "tactics", total->tactics);
    json_put_time(json, "newest", total->newest_ns);
    json_put_time_or_null(json, "told", total->raised_ns == INT64_MIN ? 0 : total->raised_ns);
    json_key(json, "parts");
    json_open(json, '[');
    for (size_t i = 0; i < total->part_count; i++)
        put_part(json, &total->parts[i]);
    json_close(json, ']');
    json_close(json, '}');
}

static void put_rule(struct json *json, const struct rule *rule, const struct risk_stats *stats)
{
    json_put_text(json, "rule", rule->name);
    json_put_text(json, "title", rule->title);
    json_put_i64(json, "half_life_s", rule->risk->half_life_ns / NS_PER_SECOND);
    json_put_i64(json, "over", rule->risk->over);
    json_put_i64(json, "tactics", rule->risk->tactics);
    json_put_i64(json, "known", (int64_t)stats->entities);
    json_put_i64(json, "forgotten", (int64_t)stats->evicted);
}

struct wanted {
    struct slice type, value; /* none: the highest of all */
    size_t limit;
    int64_t now_ns;
};

static int put_entities(struct api *api, const struct risk *risk, const struct wanted *wanted, struct err *err)
{
    const struct entity entity = {wanted->type, wanted->value};
    struct risk_total one, *list = &one;
    size_t count = wanted->limit;
    int result = 0;
    if (wanted->value.len) {
        result = risk_read(risk, &entity, wanted->now_ns, api->arena, &one);
        count = result > 0;
    } else {
        result = risk_top(risk, wanted->now_ns, api->arena, &list, &count);
    }
    if (result < 0)
        return err_nomem(err);
    json_key(&api->json, "entities");
    json_open(&api->json, '[');
    for (size_t i = 0; i < count; i++)
        put_entity(&api->json, &list[i]);
    json_close(&api->json, ']');
    return 0;
}

static const struct rule *find_rule(const struct rulebook *book, struct slice name)
{
    for (size_t i = 0; i < book->rules->count; i++)
        if (book->rules->rules[i]->kind == RULE_RISK && slice_equal(book->rules->rules[i]->name, name))
            return book->rules->rules[i];
    return NULL;
}

/* A rule that was changed at this very moment is left out. */
static int put_table(struct api *api, const struct rulebook *book, struct slice name, struct slice bytes,
                     const struct wanted *wanted, struct err *err)
{
    const struct rule *rule = find_rule(book, name);
    struct risk *risk = risk_new(NS_PER_DAY);
    int result = risk ? risk_load(risk, &bytes, err) : err_nomem(err);
    if (result == 0 && rule) {
        struct risk_stats stats = risk_stats(risk);
        json_open(&api->json, '{');
        put_rule(&api->json, rule, &stats);
        result = put_entities(api, risk, wanted, err);
        json_close(&api->json, '}');
    }
    risk_free(risk);
    return result;
}

static int put_all(struct api *api, const struct rulebook *book, struct slice bytes, struct wanted *wanted, struct err *err)
{
    struct slice name, part;
    uint64_t now_ns = 0;
    int result = 0;
    if (bytes.len && !slice_take_le64(&bytes, &now_ns))
        return err_set(err, ERR_CORRUPT, "what the rules of risk know cannot be read");
    wanted->now_ns = (int64_t)now_ns;
    json_open(&api->json, '{');
    json_put_time_or_null(&api->json, "now", wanted->now_ns == INT64_MIN ? 0 : wanted->now_ns);
    json_key(&api->json, "rules");
    json_open(&api->json, '[');
    while (result == 0 && slice_take_block(&bytes, &name) && slice_take_block(&bytes, &part))
        result = put_table(api, book, name, part, wanted, err);
    json_close(&api->json, ']');
    json_close(&api->json, '}');
    return result;
}

void api_entities_risk(struct api *api)
{
    struct err err;
    struct buffer bytes;
    struct wanted wanted = {.type = http_param(api->request, "type"), .value = http_param(api->request, "value"),
                            .limit = (size_t)api_number(api, "limit", LIST_DEFAULT, LIST_MAX)};
    struct rulebook *book = pipeline_hold_rules(api->parts->pipeline);
    buffer_init(&bytes, CHECKPOINT_BYTES_MAX);
    int result = 0;
    err_clear(&err);
    if (wanted.value.len && !wanted.type.len)
        result = err_set(&err, ERR_CONFIG, "type says what the value is: user, host, ip, wallet ...");
    if (result == 0 && book)
        result = pipeline_risks(api->parts->pipeline, WAIT_MS, &bytes, &err);
    if (result == 0 && book)
        result = put_all(api, book, buffer_slice(&bytes), &wanted, &err);
    else if (result == 0)
        result = err_set(&err, ERR_NOT_FOUND, "this server detects nothing");
    rulebook_release(book);
    buffer_close(&bytes);
    if (result < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, 200);
}
