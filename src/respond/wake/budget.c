#include "respond/wake/budget.h"

#include <stdio.h>

enum { RULES_SHOWN_MAX = 20, DETAIL_SIZE = 600 };
#define WEEK_NS (7 * NS_PER_DAY)

/* Pages that woke the person since then; the rule behind most of them, and how many of it. */
struct used {
    int64_t pages, of_rule, false_ones;
    struct slice rule;
};

#define WOKEN_SINCE                                                                                   \
    " FROM (SELECT DISTINCT w.page AS page FROM wakings w WHERE w.person=?1 AND w.made_ns>=?2) d"     \
    " JOIN pages p ON p.id=d.page JOIN incidents i ON i.id=p.incident WHERE p.kind='page'"

static int count_used(struct pager *pager, struct slice person, int64_t from_ns, struct used *out, struct err *err)
{
    struct query *query;
    *out = (struct used){0};
    if (database_number(pager->database, "SELECT count(*)" WOKEN_SINCE, BINDS(bind_text(person), bind_i64(from_ns)),
                        &out->pages, err) < 0)
        return -1;
    if (query_begin_with(pager->database, "SELECT p.rule,count(*) n" WOKEN_SINCE " GROUP BY p.rule ORDER BY n DESC,1 LIMIT 1",
                         BINDS(bind_text(person), bind_i64(from_ns)), &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    if (result == 1) {
        out->rule = query_get_text(query, 0, pager->arena);
        out->of_rule = query_get_i64(query, 1);
    }
    query_end(query);
    return result < 0 ? -1 : 0;
}

static void put_event(struct pager *pager, struct slice person, const char *period, const struct used *used,
                      int64_t budget)
{
    struct buffer text;
    struct json json;
    buffer_init(&text, 16 * KIB);
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_time(&json, "@timestamp", clock_wall_ns(pager->config->clock));
    json_put_text(&json, "event.dataset", SLICE("hinomi.waking"));
    json_put_text(&json, "event.kind", SLICE("event"));
    json_put_text(&json, "event.action", SLICE("budget_exceeded"));
    json_put_text(&json, "user.name", person);
    json_put_text(&json, "hinomi.waking.period", slice_text(period));
    json_put_text(&json, "hinomi.waking.period_ja", strcmp(period, "night") == 0 ? SLICE("一晩のうち") : SLICE("一週間のうち"));
    json_put_i64(&json, "hinomi.waking.pages", used->pages);
    json_put_i64(&json, "hinomi.waking.budget", budget);
    json_put_text(&json, "rule.name", used->rule);
    json_put_i64(&json, "hinomi.waking.pages_of_rule", used->of_rule);
    json_close(&json, '}');
    if (pager->config->event && !buffer_failed(&text))
        pager->config->event(pager->config->context, buffer_slice(&text));
    buffer_close(&text);
}

/* Once for each night and week. */
static int look(struct pager *pager, struct slice person, const char *period, int64_t from_ns, int64_t said_ns,
                int64_t budget, struct err *err)
{
    struct used used;
    int64_t said;
    if (!budget || count_used(pager, person, from_ns, &used, err) < 0)
        return budget ? -1 : 0;
    if (used.pages <= budget)
        return 0;
    if (database_number(pager->database, "SELECT 1 FROM budget_said WHERE person=?1 AND period=?2 AND from_ns>=?3",
                        BINDS(bind_text(person), bind_text(slice_text(period)), bind_i64(said_ns)), &said, err) < 0)
        return -1;
    if (said)
        return 0;
    if (database_do(pager->database, "INSERT INTO budget_said(person,period,from_ns) VALUES(?1,?2,?3)",
                    BINDS(bind_text(person), bind_text(slice_text(period)),
                          bind_i64(clock_wall_ns(pager->config->clock))), err) < 0)
        return -1;
    put_event(pager, person, period, &used, budget);
    return 0;
}

int budget_run(struct pager *pager, const struct plan *plan, struct err *err)
{
    int64_t wall = clock_wall_ns(pager->config->clock), mono = clock_mono_ns(pager->config->clock);
    if (pager->budget_looked_mono && mono - pager->budget_looked_mono < NS_PER_MINUTE)
        return 0;
    pager->budget_looked_mono = mono;
    int64_t night = plan_began(&plan->night, plan->zone, plan->holidays, wall);
    for (size_t i = 0; i < plan->person_count; i++)
        if ((night && look(pager, plan->people[i], "night", night, night, plan->pages_per_night, err) < 0) ||
            look(pager, plan->people[i], "week", wall - WEEK_NS, wall - WEEK_NS, plan->pages_per_week, err) < 0)
            return -1;
    return 0;
}

/* ---- for people ---- */

static int put_people(struct database *database, const struct plan *plan, int64_t now_ns, int64_t from_ns,
                      struct arena *arena, struct json *json, struct err *err)
{
    int64_t night = plan ? plan_began(&plan->night, plan->zone, plan->holidays, now_ns) : 0;
    json_key(json, "people");
    json_open(json, '[');
    for (size_t i = 0; plan && i < plan->person_count; i++) {
        struct pager pager = {.database = database, .arena = arena};
        struct used all, week, tonight = {0};
        struct slice person = plan->people[i];
        if (count_used(&pager, person, from_ns, &all, err) < 0 ||
            count_used(&pager, person, now_ns - WEEK_NS, &week, err) < 0 ||
            (night && count_used(&pager, person, night, &tonight, err) < 0))
            return -1;
        json_open(json, '{');
        json_put_text(json, "person", person);
        json_put_i64(json, "pages", all.pages);
        json_put_i64(json, "pages_week", week.pages);
        json_put_i64(json, "pages_night", tonight.pages);
        json_put_i64(json, "budget_week", plan->pages_per_week);
        json_put_i64(json, "budget_night", plan->pages_per_night);
        json_put_text_or_null(json, "most_by_rule", all.rule);
        json_close(json, '}');
    }
    json_close(json, ']');
    return 0;
}

static int put_nights(struct database *database, const struct plan *plan, int64_t from_ns, struct arena *arena,
                      struct json *json, struct err *err)
{
    struct query *query;
    int result;
    struct slice person = SLICE_NONE;
    int64_t night = -1, count = 0;
    if (query_begin_with(database,
                         "SELECT w.person,min(w.made_ns) at FROM wakings w JOIN pages p ON p.id=w.page WHERE p.kind='page'"
                         " AND w.made_ns>=?1 GROUP BY w.person,w.page ORDER BY w.person,at", BINDS(bind_i64(from_ns)), &query,
                         err) < 0)
        return -1;
    json_key(json, "nights");
    json_open(json, '[');
    for (;;) {
        result = query_step(query, err);
        struct slice who = result == 1 ? query_get_text(query, 0, arena) : SLICE_NONE;
        int64_t began = result == 1 && plan ? plan_began(&plan->night, plan->zone, plan->holidays, query_get_i64(query, 1)) : -1;
        if (count && (result != 1 || began != night || !slice_equal(who, person))) {
            json_open(json, '{');
            json_put_text(json, "person", person);
            json_put_time(json, "night", night);
            json_put_i64(json, "pages", count);
            json_close(json, '}');
            count = 0;
        }
        if (result != 1)
            break;
        person = who;
        night = began;
        count += began > 0;
    }
    json_close(json, ']');
    query_end(query);
    return result < 0 ? -1 : 0;
}

/* What the rule's pages have in common: an exception for it would have spared so many of them. */
static int put_offer(struct database *database, struct slice rule, int64_t from_ns, struct arena *arena, struct json *json,
                     struct err *err)
{
    struct query *query;
    if (query_begin_with(database,
                         "SELECT e.type,e.value,count(DISTINCT p.id) n FROM pages p JOIN incident_entities e ON"
                         " e.incident=p.incident WHERE p.kind='page' AND p.rule=?1 AND p.begun_ns>=?2 GROUP BY e.type,e.value"
                         " ORDER BY n DESC,1,2 LIMIT 1", BINDS(bind_text(rule), bind_i64(from_ns)), &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    json_key(json, "offer");
    if (result == 1) {
        json_open(json, '{');
        json_put_text(json, "type", query_get_text(query, 0, arena));
        json_put_text(json, "value", query_get_text(query, 1, arena));
        json_put_i64(json, "pages", query_get_i64(query, 2));
        json_close(json, '}');
    } else {
        json_null(json);
    }
    query_end(query);
    return result < 0 ? -1 : 0;
}

static int put_rules(struct database *database, int64_t from_ns, struct arena *arena, struct json *json, struct err *err)
{
    struct query *query;
    int result;
    if (query_begin_with(database,
                         "SELECT p.rule,count(*) n,sum(i.verdict='false_positive') FROM pages p JOIN incidents i ON"
                         " i.id=p.incident WHERE p.kind='page' AND p.begun_ns>=?1 GROUP BY p.rule ORDER BY n DESC LIMIT ?2",
                         BINDS(bind_i64(from_ns), bind_i64(RULES_SHOWN_MAX)), &query, err) < 0)
        return -1;
    json_key(json, "rules");
    json_open(json, '[');
    while ((result = query_step(query, err)) == 1) {
        struct slice rule = query_get_text(query, 0, arena);
        json_open(json, '{');
        json_put_text(json, "rule", rule);
        json_put_i64(json, "pages", query_get_i64(query, 1));
        json_put_i64(json, "false", query_get_i64(query, 2));
        int offered = put_offer(database, rule, from_ns, arena, json, err);
        json_close(json, '}');
        if (offered < 0) {
            result = -1;
            break;
        }
    }
    json_close(json, ']');
    query_end(query);
    return result < 0 ? -1 : 0;
}

int budget_json(struct database *database, const struct plan *plan, int64_t now_ns, int64_t days, struct arena *arena,
                struct json *json, struct err *err)
{
    int64_t from_ns = now_ns - days * NS_PER_DAY;
    json_open(json, '{');
    int result = put_people(database, plan, now_ns, from_ns, arena, json, err) < 0 ||
                         put_nights(database, plan, from_ns, arena, json, err) < 0 ||
                         put_rules(database, from_ns, arena, json, err) < 0
                     ? -1
                     : 0;
    json_close(json, '}');
    return result;
}
