#include "respond/wake/drill.h"

#include <stdio.h>

enum { DAY_SIZE = 40, LOOK_AGAIN_S = 60, TEST_STALE_S = 1800, DETAIL_BYTES = 4096 };

struct drill { /* a row that goes on */
    int64_t id, until_ns, planned_ns, started_ns, started_pace;
    struct slice day;
};

struct walk { /* of one drill_run() */
    struct pager *pager;
    const struct plan *plan;
    const struct wake_hooks *hooks;
    int64_t wall, pace;
    struct drill drill;
};

/* ---- rows ---- */

static int read_open(struct walk *walk, struct err *err)
{
    struct query *query;
    if (query_begin(walk->pager->database,
                    "SELECT id,until_ns,planned_ns,started_ns,started_pace,day FROM drills WHERE outcome IS NULL"
                    " ORDER BY id LIMIT 1", &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    if (result == 1)
        walk->drill = (struct drill){query_get_i64(query, 0), query_get_i64(query, 1), query_get_i64(query, 2),
                                     query_get_i64(query, 3), query_get_i64(query, 4),
                                     query_get_text(query, 5, walk->pager->arena)};
    query_end(query);
    return result;
}

/* The first look of a day within the hours chooses the minute. */
static int plan_today(struct walk *walk, struct err *err)
{
    const struct plan *plan = walk->plan;
    const struct hin_rand *rand = walk->pager->config->rand;
    struct time_parts local;
    char day[DAY_SIZE];
    int64_t until, begun = plan_began(&plan->drill, plan->zone, plan->holidays, walk->wall);
    if (!begun || !plan_within(&plan->drill, plan->zone, plan->holidays, walk->wall, &until))
        return 0;
    zone_split(plan->zone, begun, &local);
    snprintf(day, sizeof(day), "%04d-%02d-%02d", local.year, local.month, local.day);
    int64_t last = until - DRILL_ANSWER_S * NS_PER_SECOND, room = last > walk->wall ? (last - walk->wall) / NS_PER_SECOND : 0;
    int64_t planned = walk->wall + (room ? (int64_t)rand_below(rand, (uint64_t)room) * NS_PER_SECOND : 0);
    return database_do(walk->pager->database,
                       "INSERT INTO drills(day,until_ns,planned_ns) VALUES(?1,?2,?3) ON CONFLICT(day) DO NOTHING",
                       BINDS(bind_text(slice_text(day)), bind_i64(until), bind_i64(planned)), err);
}

static int finish(struct walk *walk, const char *outcome, struct slice person, int64_t answer_ms, struct slice en,
                  struct slice ja, struct err *err)
{
    return database_do(walk->pager->database,
                       "UPDATE drills SET outcome=?2,person=nullif(?3,''),answer_ms=nullif(?4,0),detail_en=?5,detail_ja=?6,"
                       "ended_ns=?7 WHERE id=?1",
                       BINDS(bind_i64(walk->drill.id), bind_text(slice_text(outcome)),
                             bind_text(person.ptr ? person : SLICE("")), bind_i64(answer_ms), bind_text(en), bind_text(ja),
                             bind_i64(walk->wall)), err);
}

/* ---- what is wrong becomes an incident by itself: the path that was drilled may be what is broken ---- */

static void raise(struct walk *walk, const char *rule, const char *title_en, struct slice en, struct slice ja)
{
    const struct respond_texts texts = {
        .why_en = SLICE("Whoever is on call tonight may not be reached."),
        .why_ja = SLICE("今夜の当番に連絡が届かない恐れがあります。"),
        .check_en = SLICE("Press \"wake me now\" on the page Wake and see which contact stays silent."),
        .check_ja = SLICE("「起こす」の画面で「今すぐ呼び出す」を押し、届かない連絡先を確かめてください。"),
        .do_en = SLICE("Mend the contact or the channel, or have another person take the night."),
        .do_ja = SLICE("連絡先か通知経路を直すか、今夜の当番を別の人に替えてください。")};
    const struct entity entities[] = {{SLICE("waking"), walk->drill.day}};
    struct evidence evidence = {.event_id = walk->drill.day, .time_ns = walk->wall};
    struct finding finding = {
        .rule_id = slice_text(rule), .rule_name = slice_text(rule), .title = slice_text(title_en),
        .severity = SEVERITY_HIGH, .explanation_en = en, .explanation_ja = ja, .entities = entities,
        .entity_count = 1, .evidence = &evidence, .evidence_count = 1, .event_ns = walk->wall, .raised_ns = walk->wall};
    finding_set_id(&finding);
    if (walk->hooks->raise)
        walk->hooks->raise(walk->hooks->context, &finding, &texts);
}

static int missed(struct walk *walk, struct slice en, struct slice ja, struct err *err)
{
    if (!en.ptr || !ja.ptr)
        return err_nomem(err);
    raise(walk, "hinomi-drill-missed", "The waking drill was missed", en, ja);
    return finish(walk, "missed", SLICE_NONE, 0, en, ja, err);
}

static int close_incident(struct walk *walk, int64_t incident, struct slice comment, struct err *err)
{
    int64_t open;
    if (database_number(walk->pager->database, "SELECT 1 FROM incidents WHERE id=?1 AND state!='closed'",
                        BINDS(bind_i64(incident)), &open, err) < 0)
        return -1;
    return open && walk->hooks->close ? walk->hooks->close(walk->hooks->context, incident, comment, err) : 0;
}

/* ---- the walk ---- */

static int is_quiet(struct walk *walk, int64_t *busy, struct err *err)
{
    return database_number(walk->pager->database,
                           "SELECT (SELECT count(*) FROM pages WHERE state='running') +"
                           " (SELECT count(*) FROM incidents WHERE opened_ns>?1 AND severity>=?2)",
                           BINDS(bind_i64(walk->wall - DRILL_CALM_S * NS_PER_SECOND), bind_i64(SEVERITY_MEDIUM)), busy, err);
}

static void put_event(const struct walk *walk)
{
    struct buffer text;
    struct json json;
    buffer_init(&text, 4096);
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_time(&json, "@timestamp", walk->wall);
    json_put_text(&json, "event.dataset", SLICE("hinomi.waking"));
    json_put_text(&json, "event.kind", SLICE("event"));
    json_put_text(&json, "event.action", SLICE("drill"));
    json_put_text(&json, "hinomi.waking.drill", walk->drill.day);
    json_close(&json, '}');
    if (walk->pager->config->event && !buffer_failed(&text))
        walk->pager->config->event(walk->pager->config->context, buffer_slice(&text));
    buffer_close(&text);
}

static int begin(struct walk *walk, struct err *err)
{
    int64_t busy;
    if (is_quiet(walk, &busy, err) < 0)
        return -1;
    if (busy && walk->wall >= walk->drill.until_ns)
        return finish(walk, "not_held", SLICE_NONE, 0, SLICE("There was no quiet minute: incidents were being worked on"),
                      SLICE("対応中のインシデントがあり、静かな時間がありませんでした"), err);
    if (busy)
        return database_do(walk->pager->database, "UPDATE drills SET planned_ns=?2 WHERE id=?1",
                           BINDS(bind_i64(walk->drill.id), bind_i64(walk->wall + LOOK_AGAIN_S * NS_PER_SECOND)), err);
    if (database_do(walk->pager->database, "UPDATE drills SET started_ns=?2,started_pace=?3 WHERE id=?1",
                    BINDS(bind_i64(walk->drill.id), bind_i64(walk->wall), bind_i64(walk->pace)), err) < 0)
        return -1;
    put_event(walk);
    return 0;
}

struct woken { /* the page of the drill */
    int64_t incident, page, answered_ns;
    struct slice person;
    bool answered;
};

static int find_page(struct walk *walk, struct woken *out, struct err *err)
{
    struct query *query;
    *out = (struct woken){0};
    if (query_begin_with(walk->pager->database,
                         "SELECT e.incident,p.id,p.answered_ns,p.answered_by,p.state FROM incident_entities e"
                         " LEFT JOIN pages p ON p.incident=e.incident AND p.kind='drill'"
                         " WHERE e.type='drill' AND e.value=?1 ORDER BY p.id DESC LIMIT 1",
                         BINDS(bind_text(walk->drill.day)), &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    if (result == 1)
        *out = (struct woken){query_get_i64(query, 0), query_get_i64(query, 1), query_get_i64(query, 2),
                              query_get_text(query, 3, walk->pager->arena),
                              slice_is(query_get_text(query, 4, walk->pager->arena), "answered")};
    query_end(query);
    return result < 0 ? -1 : 0;
}

/* "sato by phone +81…: HTTP 500", one a line; empty when every contact took it. */
static int list_broken(struct walk *walk, int64_t page, struct buffer *to, struct err *err)
{
    struct query *query;
    int result;
    if (query_begin_with(walk->pager->database,
                         "SELECT person,notifier,address,failed FROM wakings WHERE page=?1 AND received_ns IS NULL"
                         " AND failed IS NOT NULL ORDER BY id", BINDS(bind_i64(page)), &query, err) < 0)
        return -1;
    while ((result = query_step(query, err)) == 1)
        buffer_printf(to, "%s%.*s by %.*s %.*s: %.*s", to->len ? "; " : "",
                      SLICE_ARG(query_get_text(query, 0, walk->pager->arena)),
                      SLICE_ARG(query_get_text(query, 1, walk->pager->arena)),
                      SLICE_ARG(query_get_text(query, 2, walk->pager->arena)),
                      SLICE_ARG(query_get_text(query, 3, walk->pager->arena)));
    query_end(query);
    return result < 0 ? -1 : 0;
}

static int answered(struct walk *walk, const struct woken *woken, struct slice broken, struct err *err)
{
    struct arena *arena = walk->pager->arena;
    int64_t ms = (woken->answered_ns - walk->drill.started_ns) / NS_PER_MS;
    double seconds = (double)ms / 1000;
    struct slice en = arena_printf(arena, "%.*s answered after %.1f seconds%s%.*s", SLICE_ARG(woken->person), seconds,
                                   broken.len ? ". These contacts did not work: " : "", SLICE_ARG(broken));
    struct slice ja = arena_printf(arena, "%.*s が%.1f秒で応答しました%s%.*s", SLICE_ARG(woken->person), seconds,
                                   broken.len ? "。使えなかった連絡先: " : "", SLICE_ARG(broken));
    if (!en.ptr || !ja.ptr)
        return err_nomem(err);
    if (broken.len)
        raise(walk, "hinomi-drill-hop", "A way to wake people does not work", en, ja);
    return finish(walk, "answered", woken->person, ms > 0 ? ms : 1, en, ja, err) < 0
               ? -1
               : close_incident(walk, woken->incident, en, err);
}

static int unanswered(struct walk *walk, const struct woken *woken, struct slice broken, struct err *err)
{
    struct arena *arena = walk->pager->arena;
    long long minutes = DRILL_ANSWER_S / 60;
    struct slice en = arena_printf(arena, "Nobody answered the waking drill within %lld minutes%s%.*s", minutes,
                                   broken.len ? ". These contacts did not work: " : "", SLICE_ARG(broken));
    struct slice ja = arena_printf(arena, "呼出訓練に%lld分以内に誰も応答しませんでした%s%.*s", minutes,
                                   broken.len ? "。使えなかった連絡先: " : "", SLICE_ARG(broken));
    return missed(walk, en, ja, err) < 0 ? -1 : close_incident(walk, woken->incident, en, err);
}

static int judge(struct walk *walk, struct err *err)
{
    struct woken woken;
    struct buffer broken;
    int64_t waited = walk->pace - walk->drill.started_pace;
    if (find_page(walk, &woken, err) < 0)
        return -1;
    if (!woken.page && waited > DRILL_PATH_S * NS_PER_SECOND)
        return missed(walk,
                      woken.incident ? SLICE("The waking drill made an incident, and the plan wakes nobody for it")
                                     : SLICE("The waking drill's event made no incident: a rule, the pipeline or the journal does not work"),
                      woken.incident ? SLICE("呼出訓練のインシデントは発生しましたが、計画では誰も呼び出されません")
                                     : SLICE("呼出訓練のイベントがインシデントになりませんでした。ルール、処理、または記録のどこかが動いていません"), err);
    if (!woken.page || (!woken.answered && waited < DRILL_ANSWER_S * NS_PER_SECOND))
        return 0;
    buffer_init(&broken, DETAIL_BYTES);
    int result = list_broken(walk, woken.page, &broken, err);
    struct slice text = buffer_failed(&broken) ? SLICE("more than can be listed") : buffer_slice(&broken);
    if (result == 0)
        result = woken.answered ? answered(walk, &woken, text, err) : unanswered(walk, &woken, text, err);
    buffer_close(&broken);
    return result;
}

/* "Wake me now" was answered, or forgotten. */
static int close_tests(struct walk *walk, struct err *err)
{
    int64_t incident;
    if (database_number(walk->pager->database,
                        "SELECT i.id FROM pages p JOIN incidents i ON i.id=p.incident WHERE p.kind='test' AND"
                        " i.state!='closed' AND (p.state='answered' OR p.begun_pace<?1) ORDER BY i.id LIMIT 1",
                        BINDS(bind_i64(walk->pace - TEST_STALE_S * NS_PER_SECOND)), &incident, err) < 0)
        return -1;
    return incident ? close_incident(walk, incident, SLICE("A test of contacts / 連絡先の試験"), err) : 0;
}

static void come_again(const struct walk *walk, int64_t wall_ns, int64_t *next_pace)
{
    int64_t at = walk->pace + (wall_ns - walk->wall);
    if (at < *next_pace)
        *next_pace = at;
}

int drill_run(struct pager *pager, const struct plan *plan, const struct wake_hooks *hooks, int64_t *next_pace,
              struct err *err)
{
    struct walk walk = {.pager = pager, .plan = plan, .hooks = hooks, .wall = clock_wall_ns(pager->config->clock),
                        .pace = pace_now(pager->pace)};
    if (close_tests(&walk, err) < 0 || (plan->has_drill && plan_today(&walk, err) < 0))
        return -1;
    int open = read_open(&walk, err);
    if (open <= 0)
        return open;
    if (walk.drill.started_ns) {
        come_again(&walk, walk.wall + NS_PER_SECOND, next_pace);
        return judge(&walk, err);
    }
    if (walk.drill.planned_ns > walk.wall) {
        come_again(&walk, walk.drill.planned_ns, next_pace);
        return 0;
    }
    return begin(&walk, err);
}

/* ---- for people ---- */

static int put_drills(struct database *database, int64_t limit, struct arena *arena, struct json *json, struct err *err)
{
    struct query *query;
    int result;
    if (query_begin_with(database,
                         "SELECT day,started_ns,outcome,person,answer_ms,detail_en,detail_ja FROM drills"
                         " WHERE started_ns IS NOT NULL OR outcome IS NOT NULL ORDER BY id DESC LIMIT ?1",
                         BINDS(bind_i64(limit)), &query, err) < 0)
        return -1;
    json_key(json, "drills");
    json_open(json, '[');
    while ((result = query_step(query, err)) == 1) {
        json_open(json, '{');
        json_put_text(json, "day", query_get_text(query, 0, arena));
        json_put_time_or_null(json, "started", query_get_i64(query, 1));
        json_put_text_or_null(json, "outcome", query_get_text(query, 2, arena));
        json_put_text_or_null(json, "person", query_get_text(query, 3, arena));
        json_put_i64(json, "answer_ms", query_get_i64(query, 4));
        json_put_text_or_null(json, "detail_en", query_get_text(query, 5, arena));
        json_put_text_or_null(json, "detail_ja", query_get_text(query, 6, arena));
        json_close(json, '}');
    }
    json_close(json, ']');
    query_end(query);
    return result < 0 ? -1 : 0;
}

static int put_people(struct database *database, struct arena *arena, struct json *json, struct err *err)
{
    struct query *query;
    int result;
    if (query_begin(database, "SELECT person,count(*),min(answer_ms),sum(answer_ms)/count(*),max(answer_ms) FROM drills"
                    " WHERE outcome='answered' GROUP BY person ORDER BY person", &query, err) < 0)
        return -1;
    json_key(json, "people");
    json_open(json, '[');
    while ((result = query_step(query, err)) == 1) {
        json_open(json, '{');
        json_put_text(json, "person", query_get_text(query, 0, arena));
        json_put_i64(json, "answered", query_get_i64(query, 1));
        json_put_i64(json, "fastest_ms", query_get_i64(query, 2));
        json_put_i64(json, "mean_ms", query_get_i64(query, 3));
        json_put_i64(json, "slowest_ms", query_get_i64(query, 4));
        json_close(json, '}');
    }
    json_close(json, ']');
    query_end(query);
    return result < 0 ? -1 : 0;
}

int drill_json(struct database *database, int64_t limit, struct arena *arena, struct json *json, struct err *err)
{
    json_open(json, '{');
    int result = put_drills(database, limit, arena, json, err) < 0 ? -1 : put_people(database, arena, json, err);
    json_close(json, '}');
    return result;
}
