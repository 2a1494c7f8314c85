#include "app/backtest_count.h"

#include "app/rules.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/time.h"

#include <stdlib.h>

enum { NIGHT_FROM_HOUR = 22, NIGHT_TO_HOUR = 7 };
#define ARENA_BYTES_MAX (1 * GIB)

struct backtest_day {
    int64_t day; /* since 1970-01-01, in the zone */
    uint64_t findings, at_night;
};

struct backtest_entity {
    struct slice type, value;
    uint64_t findings;
};

/* An example, or a finding that is compared. */
struct backtest_hit {
    const struct rule *rule;
    int64_t time_ns;
    struct slice id, text, evidence;
};

struct backtest_rule {
    uint64_t findings, at_night, other_entities;
    struct backtest_day *days; /* ascending */
    size_t day_count, day_size;
    struct map entities; /* "type value" to struct backtest_entity */
    struct backtest_hit *examples;
    size_t example_count;
};

int backtest_count_init(struct backtest_count *count, const struct rule_set *rules,
                        const struct zone *zone, size_t examples, bool compares, struct err *err)
{
    *count = (struct backtest_count){.rules = rules, .zone = zone, .examples_max = examples,
                                     .compares = compares, .first_day = INT64_MAX, .last_day = INT64_MIN};
    count->arena = arena_new(ARENA_BYTES_MAX);
    if (!count->arena || !(count->by_rule = arena_array(count->arena, rules->count + 1, sizeof(*count->by_rule))))
        return err_nomem(err);
    map_init(&count->ids, count->arena);
    for (size_t i = 0; i < rules->count; i++)
        map_init(&count->by_rule[i].entities, count->arena);
    return 0;
}

void backtest_count_close(struct backtest_count *count)
{
    arena_free(count->arena);
    *count = (struct backtest_count){0};
}

/* ---- adding ---- */

/* Findings come nearly in order of time: the day is one of the last. */
static struct backtest_day *day_of(struct backtest_count *count, struct backtest_rule *rule, int64_t day)
{
    size_t at = rule->day_count;
    while (at > 0 && rule->days[at - 1].day > day)
        at--;
    if (at > 0 && rule->days[at - 1].day == day)
        return &rule->days[at - 1];
    if (rule->day_count == rule->day_size) {
        size_t size = rule->day_size ? rule->day_size * 2 : 8;
        rule->days = arena_grow(count->arena, rule->days, rule->day_size * sizeof(*rule->days),
                                size * sizeof(*rule->days));
        rule->day_size = size;
    }
    if (!rule->days)
        return NULL;
    memmove(rule->days + at + 1, rule->days + at, (rule->day_count - at) * sizeof(*rule->days));
    rule->day_count++;
    rule->days[at] = (struct backtest_day){.day = day};
    return &rule->days[at];
}

static int add_day(struct backtest_count *count, struct backtest_rule *rule, int64_t time_ns)
{
    struct time_parts parts;
    zone_split(count->zone, time_ns, &parts);
    int64_t day = time_days_from_civil(parts.year, parts.month, parts.day);
    bool night = parts.hour >= NIGHT_FROM_HOUR || parts.hour < NIGHT_TO_HOUR;
    struct backtest_day *found = day_of(count, rule, day);
    if (!found)
        return -1;
    found->findings++;
    found->at_night += night;
    rule->at_night += night;
    count->first_day = day < count->first_day ? day : count->first_day;
    count->last_day = day > count->last_day ? day : count->last_day;
    return 0;
}

static int add_entity(struct backtest_count *count, struct backtest_rule *rule,
                      const struct entity *entity)
{
    struct slice key = arena_printf(count->arena, "%.*s %.*s", SLICE_ARG(entity->type), SLICE_ARG(entity->value));
    struct backtest_entity *known = key.ptr ? map_find(&rule->entities, key) : NULL;
    if (!key.ptr)
        return -1;
    if (!known && rule->entities.count >= BACKTEST_ENTITIES_MAX) {
        rule->other_entities++;
        return 0;
    }
    if (!known) {
        known = arena_calloc(count->arena, sizeof(*known));
        if (!known || map_put(&rule->entities, key, known) < 0)
            return -1;
        known->type = slice_sub(key, 0, entity->type.len);
        known->value = slice_from(key, entity->type.len + 1);
    }
    known->findings++;
    return 0;
}

static int make_hit(struct backtest_count *count, const struct finding *finding, const struct rule *rule,
                    struct backtest_hit *hit)
{
    struct slice evidence = finding->evidence_count ? finding->evidence[0].event_id : SLICE("");
    *hit = (struct backtest_hit){.rule = rule,
                                 .time_ns = finding->raised_ns,
                                 .id = arena_copy(count->arena, slice_text(finding->id)),
                                 .text = arena_copy(count->arena, finding->explanation_en),
                                 .evidence = arena_copy(count->arena, evidence.ptr ? evidence : SLICE(""))};
    return hit->id.ptr && hit->text.ptr && hit->evidence.ptr ? 0 : -1;
}

static int add_example(struct backtest_count *count, struct backtest_rule *rule,
                       const struct finding *finding, const struct rule *of)
{
    if (rule->example_count == count->examples_max)
        return 0;
    if (!rule->examples)
        rule->examples = arena_array(count->arena, count->examples_max, sizeof(*rule->examples));
    return rule->examples ? make_hit(count, finding, of, &rule->examples[rule->example_count++]) : -1;
}

static int add_id(struct backtest_count *count, const struct finding *finding, const struct rule *rule,
                  struct err *err)
{
    if (count->ids.count == BACKTEST_FINDINGS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d findings cannot be compared; take a shorter time "
                       "(--from, --to) or fewer rules", BACKTEST_FINDINGS_MAX);
    struct backtest_hit *hit = arena_calloc(count->arena, sizeof(*hit));
    if (!hit || make_hit(count, finding, rule, hit) < 0 || map_put(&count->ids, hit->id, hit) < 0)
        return err_nomem(err);
    return 0;
}

int backtest_count_add(struct backtest_count *count, const struct finding *finding,
                       const struct rule *rule, struct err *err)
{
    struct backtest_rule *of = &count->by_rule[rule->index];
    count->findings++;
    of->findings++;
    if (add_day(count, of, finding->raised_ns) < 0 || add_example(count, of, finding, rule) < 0)
        return err_nomem(err);
    for (size_t i = 0; i < finding->entity_count; i++)
        if (add_entity(count, of, &finding->entities[i]) < 0)
            return err_nomem(err);
    return count->compares ? add_id(count, finding, rule, err) : 0;
}

/* ---- printing ---- */

static int most_first(const void *a, const void *b)
{
    const struct backtest_entity *x = *(const struct backtest_entity *const *)a;
    const struct backtest_entity *y = *(const struct backtest_entity *const *)b;
    if (x->findings != y->findings)
        return x->findings > y->findings ? -1 : 1;
    int order = slice_compare(x->type, y->type);
    return order ? order : slice_compare(x->value, y->value);
}

/* The entities with the most findings; how many there are of them. */
static size_t top_entities(const struct backtest_rule *rule, const struct backtest_entity *top[BACKTEST_TOP])
{
    size_t count = 0, at = 0;
    for (const struct map_entry *entry; (entry = map_next(&rule->entities, &at));) {
        const struct backtest_entity *entity = entry->value;
        size_t place = count;
        while (place > 0 && most_first(&entity, &top[place - 1]) < 0)
            place--;
        if (place == BACKTEST_TOP)
            continue;
        size_t kept = count < BACKTEST_TOP ? count : BACKTEST_TOP - 1;
        memmove(top + place + 1, top + place, (kept - place) * sizeof(*top));
        top[place] = entity;
        count = kept + 1;
    }
    return count;
}

static void day_text(int64_t day, char to[TIME_TEXT_SIZE])
{
    time_format(day * NS_PER_DAY, to);
    to[strlen("2026-01-01")] = '\0';
}

static void print_hit(const struct backtest_hit *hit, const char *sign, struct buffer *to)
{
    char time[TIME_TEXT_SIZE];
    time_format_ms(hit->time_ns, time);
    buffer_printf(to, "    %s %s  %.*s  %.*s\n", sign, time, SLICE_ARG(hit->evidence), SLICE_ARG(hit->text));
}

static void print_rule(const struct backtest_count *count, const struct rule *rule, struct buffer *to)
{
    const struct backtest_rule *of = &count->by_rule[rule->index];
    const struct backtest_entity *top[BACKTEST_TOP];
    const struct backtest_day *worst = &of->days[0];
    int64_t days = count->last_day - count->first_day + 1;
    char day[TIME_TEXT_SIZE];
    for (size_t i = 1; i < of->day_count; i++)
        if (of->days[i].findings > worst->findings)
            worst = &of->days[i];
    day_text(worst->day, day);
    buffer_printf(to, "\n%.*s (%.*s)\n", SLICE_ARG(rule->title),
                  SLICE_ARG(rule->level.len ? rule->level : SLICE("no level")));
    buffer_printf(to, "  %llu findings on %zu days, %llu at night; %.2f a day over %lld days; most on %s: %llu\n",
                  (unsigned long long)of->findings, of->day_count, (unsigned long long)of->at_night,
                  (double)of->findings / (double)days, (long long)days, day,
                  (unsigned long long)worst->findings);
    size_t tops = top_entities(of, top);
    for (size_t i = 0; i < tops; i++)
        buffer_printf(to, "    %-10.*s %-40.*s %llu\n", SLICE_ARG(top[i]->type), SLICE_ARG(top[i]->value),
                      (unsigned long long)top[i]->findings);
    for (size_t i = 0; i < of->example_count; i++)
        print_hit(&of->examples[i], "e.g.", to);
}

static void put_hit(const struct backtest_hit *hit, struct json *json)
{
    json_open(json, '{');
    json_put_time(json, "@timestamp", hit->time_ns);
    json_put_text(json, "finding", hit->id);
    json_put_text(json, "evidence", hit->evidence);
    json_put_text(json, "message", hit->text);
    json_close(json, '}');
}

static void put_name(const struct rule *rule, struct json *json)
{
    cli_open_rule(json, rule);
    json_put_text(json, "level", rule->level);
    json_close(json, '}');
}

static void put_days(const struct backtest_rule *of, struct json *json)
{
    json_key(json, "days");
    json_open(json, '[');
    for (size_t i = 0; i < of->day_count; i++) {
        char day[TIME_TEXT_SIZE];
        day_text(of->days[i].day, day);
        json_open(json, '{');
        json_put_text(json, "day", slice_text(day));
        json_put_i64(json, "findings", (int64_t)of->days[i].findings);
        json_put_i64(json, "at_night", (int64_t)of->days[i].at_night);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void put_entities(const struct backtest_rule *of, struct json *json)
{
    const struct backtest_entity *top[BACKTEST_TOP];
    size_t tops = top_entities(of, top);
    json_put_i64(json, "entities", (int64_t)of->entities.count);
    json_key(json, "top_entities");
    json_open(json, '[');
    for (size_t i = 0; i < tops; i++) {
        json_open(json, '{');
        json_put_text(json, "type", top[i]->type);
        json_put_text(json, "value", top[i]->value);
        json_put_i64(json, "findings", (int64_t)top[i]->findings);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void put_rule(const struct backtest_count *count, const struct rule *rule, struct buffer *to)
{
    const struct backtest_rule *of = &count->by_rule[rule->index];
    struct json json;
    json_init(&json, to);
    json_open(&json, '{');
    put_name(rule, &json);
    json_put_i64(&json, "findings", (int64_t)of->findings);
    json_put_i64(&json, "at_night", (int64_t)of->at_night);
    put_days(of, &json);
    put_entities(of, &json);
    json_key(&json, "examples");
    json_open(&json, '[');
    for (size_t i = 0; i < of->example_count; i++)
        put_hit(&of->examples[i], &json);
    json_close(&json, ']');
    json_close(&json, '}');
    buffer_put_char(to, '\n');
}

void backtest_count_print(const struct backtest_count *count, bool json, struct buffer *to)
{
    size_t quiet = 0;
    for (size_t i = 0; i < count->rules->count; i++) {
        const struct rule *rule = count->rules->rules[i];
        bool any = count->by_rule[i].findings != 0;
        quiet += !any && rule->status == RULE_ACTIVE;
        if (json && rule->status == RULE_ACTIVE)
            put_rule(count, rule, to);
        else if (any)
            print_rule(count, rule, to);
    }
    if (!json)
        buffer_printf(to, "\n%llu findings; %zu active rules found nothing\n",
                      (unsigned long long)count->findings, quiet);
}

/* ---- two versions ---- */

static int by_time(const void *a, const void *b)
{
    const struct backtest_hit *x = *(const struct backtest_hit *const *)a;
    const struct backtest_hit *y = *(const struct backtest_hit *const *)b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return slice_compare(x->id, y->id);
}

/* What one has and the other has not, in order of time. */
static int print_only(const struct backtest_count *in, const struct backtest_count *not_in,
                      const char *name, bool json, struct buffer *to)
{
    const struct backtest_hit **hits = mem_calloc(in->ids.count + 1, sizeof(*hits));
    size_t count = 0, at = 0;
    if (!hits)
        return -1;
    for (const struct map_entry *entry; (entry = map_next(&in->ids, &at));)
        if (!map_has(&not_in->ids, entry->key))
            hits[count++] = entry->value;
    qsort(hits, count, sizeof(*hits), by_time);
    if (!json)
        buffer_printf(to, "\n%zu findings only by %s\n", count, name);
    for (size_t i = 0; i < count; i++) {
        struct json line;
        if (!json) {
            print_hit(hits[i], "", to);
            continue;
        }
        json_init(&line, to);
        json_open(&line, '{');
        json_put_text(&line, "only_by", slice_text(name));
        put_name(hits[i]->rule, &line);
        json_key(&line, "finding");
        put_hit(hits[i], &line);
        json_close(&line, '}');
        buffer_put_char(to, '\n');
    }
    mem_free(hits);
    return 0;
}

int backtest_compare(const struct backtest_count *now, const struct backtest_count *other, bool json,
                     struct buffer *to, struct err *err)
{
    if (print_only(now, other, "these rules", json, to) < 0 ||
        print_only(other, now, "the other version", json, to) < 0)
        return err_nomem(err);
    return 0;
}
