/* The top strip. */
#include "respond/act/act.h"
#include "serve/api.h"

#include "base/time.h"
#include "serve/health.h"

#include <math.h>

struct source_sum {
    struct slice name;
    struct ledger_counts counts;
    int64_t newest_minute;
};

enum { SOURCES_MAX = 1024, SILENT_MINUTES = 10, DISK_DAYS_MAX = 36500, MINUTES_A_DAY = 1440, RATE_MINUTES_MIN = 60 };

struct source_list {
    int64_t now_minute;
    uint64_t last_minute; /* events received in the last whole minute */
    uint64_t last_day;    /* and in the last 24 hours */
    int64_t first_minute; /* that the books know within these */
    struct source_sum sources[SOURCES_MAX];
    size_t count;
};

static void add_entry(void *context, const struct ledger_entry *entry)
{
    struct source_list *list = context;
    size_t i = 0;
    while (i < list->count && !slice_equal(list->sources[i].name, entry->source))
        i++;
    if (i == SOURCES_MAX)
        return;
    if (i == list->count)
        list->sources[list->count++] = (struct source_sum){.name = entry->source};
    struct source_sum *sum = &list->sources[i];
    ledger_counts_add(&sum->counts, &entry->counts);
    if (!entry->is_day && entry->minute == list->now_minute - 1)
        list->last_minute += entry->counts.received;
    if (!entry->is_day && entry->minute > list->now_minute - MINUTES_A_DAY) {
        list->last_day += entry->counts.received;
        if (entry->minute < list->first_minute)
            list->first_minute = entry->minute;
    }
    if (entry->minute > sum->newest_minute)
        sum->newest_minute = entry->minute;
}

/* Sums the books per source; the caller closes the ledger after use. */
static struct source_list *read_sources(struct api *api, struct ledger *ledger)
{
    struct err err;
    struct source_list *list = arena_calloc(api->arena, sizeof(*list));
    if (!list || store_ledger(api->parts->store, ledger, &err) < 0)
        return NULL;
    list->now_minute = list->first_minute = clock_wall_ns(api->parts->clock) / NS_PER_MINUTE;
    ledger_each(ledger, add_entry, list);
    return list;
}

static bool is_silent(const struct api *api, const struct source_sum *source)
{
    int64_t now_minute = clock_wall_ns(api->parts->clock) / NS_PER_MINUTE;
    return now_minute - source->newest_minute > SILENT_MINUTES;
}

/* Days until the disk, or what the store may have of it, is full at the pace of the last day; none known before an hour of it. */
static void put_disk_days(struct api *api, const struct source_list *list)
{
    struct err err;
    struct store_stats stats;
    uint64_t room;
    json_key(&api->json, "disk_days");
    store_stats(api->parts->store, &stats);
    int64_t minutes = list ? list->now_minute - list->first_minute : 0;
    if (minutes < RATE_MINUTES_MIN || !list->last_day || !stats.segment_rows || store_room(api->parts->store, &room, &err) < 0) {
        json_null(&api->json);
        return;
    }
    double event_bytes = (double)stats.segment_bytes / (double)stats.segment_rows;
    double a_day = (double)list->last_day * event_bytes * MINUTES_A_DAY / (double)minutes;
    json_i64(&api->json, (int64_t)fmin((double)room / a_day, DISK_DAYS_MAX));
}

/* Rules that see nothing now. */
static size_t count_blind(struct api *api)
{
    size_t blind = 0;
    struct rule_reports *reports = pipeline_hold_reports(api->parts->pipeline);
    for (size_t i = 0; reports && i < reports->book->rules->count; i++)
        blind += reports->list[i].blind.ptr != NULL && reports->book->rules->rules[i]->status == RULE_ACTIVE;
    rule_reports_release(reports);
    return blind;
}

static void put_see(struct api *api, const struct source_list *list)
{
    struct json *json = &api->json;
    struct pipeline_counts counts = pipeline_counts(api->parts->pipeline);
    struct journal_stats journal;
    struct ledger_counts sum = {0};
    size_t seen = 0;
    journal_stats(api->parts->journal, &journal);
    for (size_t i = 0; list && i < list->count; i++) {
        ledger_counts_add(&sum, &list->sources[i].counts);
        seen += !is_silent(api, &list->sources[i]);
    }
    uint64_t behind = journal.position > counts.position ? journal.position - counts.position : 0;
    json_key(json, "see");
    json_open(json, '{');
    json_put_i64(json, "sources", list ? (int64_t)list->count : 0);
    json_put_i64(json, "sources_seen", (int64_t)seen);
    json_key(json, "silent");
    json_open(json, '[');
    for (size_t i = 0; list && i < list->count; i++)
        if (is_silent(api, &list->sources[i]))
            json_text(json, list->sources[i].name);
    json_close(json, ']');
    json_put_i64(json, "lag_ms", behind ? counts.lag_ns / NS_PER_MS : 0);
    json_put_i64(json, "received", (int64_t)sum.received);
    json_put_i64(json, "stored", (int64_t)sum.stored);
    json_put_i64(json, "quarantined", (int64_t)sum.quarantined);
    json_put_i64(json, "lost", (int64_t)(journal.damaged_ranges + ledger_dropped(&sum)));
    struct rulebook *book = pipeline_hold_rules(api->parts->pipeline);
    json_put_i64(json, "rules", (int64_t)book->rules->count);
    rulebook_release(book);
    json_put_i64(json, "blind", (int64_t)count_blind(api));
    json_key(json, "events_per_second");
    json_f64(json, list ? (double)list->last_minute / 60 : 0);
    put_disk_days(api, list);
    json_put_bool(json, "failed", counts.failed || journal.failed);
    json_close(json, '}');
}

/* The front page stays when the database cannot be read; the pages behind it say why. */
static void put_waking(struct api *api)
{
    struct err err;
    int64_t now = clock_wall_ns(api->parts->clock);
    size_t before;
    json_key(&api->json, "on_call");
    before = api->body.len;
    if (respond_shifts_json(api->parts->respond, now, now, &api->json, &err) < 0 && api->body.len == before)
        json_null(&api->json);
    json_key(&api->json, "last_drill");
    before = api->body.len;
    if (respond_drills_json(api->parts->respond, 1, &api->json, &err) < 0 && api->body.len == before)
        json_null(&api->json);
}

static void put_wake(struct api *api)
{
    struct json *json = &api->json;
    struct respond_stats stats = respond_stats(api->parts->respond);
    json_key(json, "wake");
    json_open(json, '{');
    put_waking(api);
    json_put_i64(json, "running_pages", (int64_t)stats.running_pages);
    json_put_i64(json, "open", (int64_t)stats.open);
    json_put_i64(json, "acknowledged", (int64_t)stats.acknowledged);
    json_put_i64(json, "pending_notifications", (int64_t)stats.pending_notifications);
    json_close(json, '}');
}

static void put_actions(struct api *api)
{
    struct json *json = &api->json;
    struct act_stats stats = act_stats(api->parts->act);
    json_key(json, "actions");
    json_open(json, '{');
    json_put_i64(json, "waiting", (int64_t)stats.waiting);
    json_put_i64(json, "working", (int64_t)stats.working);
    json_put_i64(json, "in_effect", (int64_t)stats.in_effect);
    json_put_i64(json, "stuck", (int64_t)stats.stuck);
    json_close(json, '}');
}

static void put_asset(void *context, const struct gate_asset *asset)
{
    struct json *json = context;
    json_open(json, '{');
    json_put_text(json, "asset", asset->asset);
    json_put_text(json, "state", asset->state);
    json_put_text_or_null(json, "balance", asset->balance);
    json_put_text_or_null(json, "outflow_1h", asset->outflow_1h);
    json_put_text_or_null(json, "usual_1h", asset->usual_1h);
    json_put_text_or_null(json, "heard", asset->heard);
    json_close(json, '}');
}

static void put_brake(struct api *api)
{
    struct json *json = &api->json;
    struct gate_stats stats = gate_stats(api->parts->gate);
    json_key(json, "brake");
    json_open(json, '{');
    json_put_text(json, "mode", stats.shadow ? SLICE("shadow") : SLICE("enforce"));
    json_put_bool(json, "healthy", stats.healthy);
    json_put_text(json, "reason", slice_text(stats.reason));
    json_put_bool(json, "tightened", stats.tightened);
    json_put_i64(json, "held", (int64_t)stats.holds_open);
    json_put_i64(json, "decisions", (int64_t)stats.decisions);
    json_key(json, "assets");
    json_open(json, '[');
    gate_assets(api->parts->gate, api->arena, put_asset, json);
    json_close(json, ']');
    json_close(json, '}');
}

/* For whoever watches from outside: whether, when, and one word for each problem. */
void api_health(struct api *api)
{
    unsigned problems = health_get(api->parts->health, clock_mono_ns(api->parts->clock));
    if (!gate_stats(api->parts->gate).healthy && !(problems & HEALTH_DEGRADED))
        problems |= HEALTH_GATE;
    bool degraded = problems & HEALTH_DEGRADED;
    json_open(&api->json, '{');
    json_put_text(&api->json, "status", degraded ? SLICE("degraded") : SLICE("ok"));
    json_put_time(&api->json, "time", clock_wall_ns(api->parts->clock));
    json_key(&api->json, "problems");
    json_open(&api->json, '[');
    for (unsigned n = 0; health_name(n); n++)
        if (problems >> n & 1)
            json_text(&api->json, slice_text(health_name(n)));
    json_close(&api->json, ']');
    json_close(&api->json, '}');
    http_reply(api->request, degraded ? 503 : 200, "application/json", SLICE("Cache-Control: no-store\r\n"), buffer_slice(&api->body));
}

void api_overview(struct api *api)
{
    struct ledger ledger;
    const struct source_list *list = read_sources(api, &ledger);
    json_open(&api->json, '{');
    json_put_time(&api->json, "time", clock_wall_ns(api->parts->clock));
    put_see(api, list);
    put_wake(api);
    put_actions(api);
    put_brake(api);
    json_close(&api->json, '}');
    if (list)
        ledger_close(&ledger);
    api_reply(api, 200);
}
