#include "respond/wake/page.h"

#include "respond/wake/page_inside.h"

#include <sodium.h>
#include <stdio.h>

int page_entry(struct pager *pager, int64_t incident, struct slice user, struct slice en, struct slice ja,
               struct arena *arena, struct err *err)
{
    (void)arena;
    const struct timeline_entry entry = {.time_ns = clock_wall_ns(pager->config->clock), .kind = "wake", .en = en,
                                         .ja = ja, .user = user};
    if (!en.ptr || !ja.ptr)
        return err_nomem(err);
    return incident_add_entry(pager->database, incident, &entry, err);
}

void page_event(struct pager *pager, const char *action, const struct page *page, struct slice person,
                struct slice detail)
{
    struct buffer text;
    struct json json;
    char name[INCIDENT_NAME_SIZE];
    if (!pager->config->event)
        return;
    incident_name(page->incident, name);
    buffer_init(&text, 64 * KIB);
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_time(&json, "@timestamp", clock_wall_ns(pager->config->clock));
    json_put_text(&json, "event.dataset", SLICE("hinomi.waking"));
    json_put_text(&json, "event.kind", SLICE("event"));
    json_put_text(&json, "event.action", slice_text(action));
    json_put_text(&json, "hinomi.waking.kind", page->kind);
    json_put_text(&json, "hinomi.waking.incident", slice_text(name));
    json_put_i64(&json, "hinomi.waking.page", page->id);
    if (person.len)
        json_put_text(&json, "user.name", person);
    if (detail.len)
        json_put_text(&json, "message", detail);
    json_close(&json, '}');
    if (!buffer_failed(&text))
        pager->config->event(pager->config->context, buffer_slice(&text));
    buffer_close(&text);
}

/* ---- beginning ---- */

struct running { /* the page of an incident that runs now */
    int64_t id, severity, round, step, held_until_ns;
};

static int find_running(struct pager *pager, int64_t incident, struct running *out, struct err *err)
{
    struct query *query;
    if (query_begin_with(pager->database,
                         "SELECT id,severity,round,step,held_until_ns FROM pages WHERE incident=?1 AND state='running'"
                         " ORDER BY id LIMIT 1", BINDS(bind_i64(incident)), &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    if (result == 1)
        *out = (struct running){query_get_i64(query, 0), query_get_i64(query, 1), query_get_i64(query, 2),
                                query_get_i64(query, 3), query_get_i64(query, 4)};
    query_end(query);
    return result;
}

static int make_graver(struct pager *pager, const struct running *running, enum severity severity, struct err *err)
{
    bool waits = running->held_until_ns && running->round == 0 && running->step == 0;
    int64_t now = pace_now(pager->pace);
    if (severity <= running->severity)
        return 0;
    if (severity < SEVERITY_CRITICAL || !waits)
        return database_do(pager->database, "UPDATE pages SET severity=?2 WHERE id=?1",
                           BINDS(bind_i64(running->id), bind_i64(severity)), err);
    return database_do(pager->database,
                       "UPDATE pages SET severity=?2,held_until_ns=NULL,due_pace=?3,round_pace=?3,begun_pace=?3,"
                       "unanswered_pace=?3+unanswered_pace-begun_pace WHERE id=?1",
                       BINDS(bind_i64(running->id), bind_i64(severity), bind_i64(now)), err);
}

/* When it begins: now, or at the end of quiet hours. */
static int64_t held_until(const struct pager *pager, const struct plan *plan, enum severity severity, struct slice kind)
{
    int64_t wall = clock_wall_ns(pager->config->clock), changes;
    if (!plan || !plan->has_quiet || severity >= SEVERITY_CRITICAL || !slice_is(kind, "page"))
        return 0;
    return plan_within(&plan->quiet, plan->zone, plan->holidays, wall, &changes) ? changes : 0;
}

static int insert(struct pager *pager, const struct incident *incident, const struct page_cause *cause,
                  const struct plan_policy *policy, int64_t held_ns, struct err *err)
{
    int64_t wall = clock_wall_ns(pager->config->clock), pace = pace_now(pager->pace);
    int64_t begins = held_ns ? pace + (held_ns - wall) : pace;
    int64_t after = policy && slice_is(cause->kind, "page") ? policy->unanswered_after_ns : 0; /* a drill stops nothing */
    return database_do(pager->database,
                       "INSERT INTO pages(incident,kind,person,policy,severity,rule,state,begun_ns,begun_pace,round_pace,"
                       "due_pace,held_until_ns,unanswered_pace)"
                       " VALUES(?1,?2,nullif(?3,''),?4,?5,?6,'running',?7,?8,?8,?8,nullif(?9,0),nullif(?10,0))",
                       BINDS(bind_i64(incident->id), bind_text(cause->kind),
                             bind_text(cause->person.ptr ? cause->person : SLICE("")),
                             bind_text(policy ? policy->name : SLICE("")), bind_i64(incident->severity),
                             bind_text(cause->rule.ptr ? cause->rule : SLICE("")), bind_i64(wall), bind_i64(begins),
                             bind_i64(held_ns), bind_i64(after ? begins + after : 0)), err);
}

static const struct plan_policy *policy_of(const struct plan *plan, const struct incident *incident,
                                           const struct page_cause *cause)
{
    if (slice_is(cause->kind, "drill"))
        return plan->drill_policy;
    return plan_route(plan, incident->severity, cause->rule);
}

int page_put(struct pager *pager, const struct plan *plan, const struct incident *incident,
             const struct page_cause *cause, struct arena *arena, struct err *err)
{
    struct running running;
    char until[TIME_TEXT_SIZE];
    bool test = slice_is(cause->kind, "test");
    int found = find_running(pager, incident->id, &running, err);
    if (found != 0)
        return found < 0 ? -1 : make_graver(pager, &running, incident->severity, err);
    if (!plan && !test)
        return 0;
    const struct plan_policy *policy = test ? NULL : policy_of(plan, incident, cause);
    if (!policy && !test)
        return 0;
    int64_t held_ns = held_until(pager, plan, incident->severity, cause->kind);
    if (insert(pager, incident, cause, policy, held_ns, err) < 0)
        return -1;
    if (!held_ns)
        return 0;
    until[time_format_ms(held_ns, until)] = '\0';
    return page_entry(pager, incident->id, SLICE_NONE,
                      arena_printf(arena, "Quiet hours: nobody is woken before %s, unless it becomes critical", until),
                      arena_printf(arena, "静かな時間帯のため、重大にならない限り %s まで呼び出しません", until), arena, err);
}

/* ---- ending ---- */

typedef int (*page_act)(struct pager *pager, int64_t page, void *context, struct err *err);

static int each_running(struct pager *pager, int64_t incident, page_act act, void *context, struct err *err)
{
    struct running running;
    int found;
    while ((found = find_running(pager, incident, &running, err)) == 1)
        if (act(pager, running.id, context, err) < 0)
            return -1;
    return found;
}

struct answer {
    struct slice person;
    const char *how;
};

static int answer_one(struct pager *pager, int64_t page, void *context, struct err *err)
{
    struct answer *answer = context;
    int64_t wall = clock_wall_ns(pager->config->clock);
    if (database_do(pager->database,
                    "UPDATE pages SET state='answered',answered_by=?2,answered_how=?3,answered_ns=?4,ended_ns=?4"
                    " WHERE id=?1",
                    BINDS(bind_i64(page), bind_text(answer->person), bind_text(slice_text(answer->how)), bind_i64(wall)),
                    err) < 0)
        return -1;
    return outbox_withdraw(pager->outbox, page, "answered before it was taken", err);
}

int page_answer(struct pager *pager, int64_t incident, struct slice person, const char *how, struct err *err)
{
    struct answer answer = {person, how};
    return each_running(pager, incident, answer_one, &answer, err);
}

static int end_one(struct pager *pager, int64_t page, void *context, struct err *err)
{
    const char *why = context;
    if (database_do(pager->database, "UPDATE pages SET state='ended',ended_ns=?2 WHERE id=?1",
                    BINDS(bind_i64(page), bind_i64(clock_wall_ns(pager->config->clock))), err) < 0)
        return -1;
    return outbox_withdraw(pager->outbox, page, why, err);
}

int page_end(struct pager *pager, int64_t incident, const char *why, struct err *err)
{
    char text[80];
    snprintf(text, sizeof(text), "%s", why);
    return each_running(pager, incident, end_one, text, err);
}

int page_move(struct pager *pager, int64_t from, int64_t into, struct err *err)
{
    struct running running;
    int found = find_running(pager, into, &running, err);
    if (found != 0)
        return found < 0 ? -1 : page_end(pager, from, "its incident is another one's now", err);
    return database_do(pager->database, "UPDATE pages SET incident=?2 WHERE incident=?1 AND state='running'",
                       BINDS(bind_i64(from), bind_i64(into)), err);
}

/* ---- what became of messages ---- */

int page_told(struct pager *pager, int64_t waking, struct slice receipt, struct slice failed, struct err *err)
{
    int64_t wall = clock_wall_ns(pager->config->clock);
    if (failed.ptr)
        return database_do(pager->database, "UPDATE wakings SET failed=?2 WHERE id=?1 AND received_ns IS NULL",
                           BINDS(bind_i64(waking), bind_text(failed)), err);
    if (database_do(pager->database, "UPDATE wakings SET received_ns=?2,receipt=?3,failed=NULL WHERE id=?1",
                    BINDS(bind_i64(waking), bind_i64(wall), bind_text(receipt)), err) < 0)
        return -1;
    return database_do(pager->database,
                       "UPDATE contacts SET proven_ns=?2 WHERE (person,notifier,address)="
                       "(SELECT person,notifier,address FROM wakings WHERE id=?1)",
                       BINDS(bind_i64(waking), bind_i64(wall)), err);
}

/* ---- answering by token ---- */

int page_find_token(struct database *database, struct slice token, struct arena *arena, struct page_answerer *out,
                    struct err *err)
{
    unsigned char hash[32];
    char hex[65];
    struct query *query;
    crypto_generichash(hash, sizeof(hash), (const unsigned char *)token.ptr, token.len, NULL, 0);
    sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
    if (query_begin_with(database,
                         "SELECT w.id,p.id,p.incident,w.person,w.notifier,p.state FROM wakings w JOIN pages p ON"
                         " p.id=w.page WHERE w.token=?1", BINDS(bind_text(slice_of(hex, 64))), &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    if (result == 1)
        *out = (struct page_answerer){query_get_i64(query, 0), query_get_i64(query, 1), query_get_i64(query, 2),
                                      query_get_text(query, 3, arena), query_get_text(query, 4, arena),
                                      slice_is(query_get_text(query, 5, arena), "running")};
    query_end(query);
    return result;
}

int page_latest_pace(struct database *database, int64_t *out, struct err *err)
{
    return database_number(database,
                           "SELECT max((SELECT coalesce(max(created_ns),0) FROM outbox),"
                           "(SELECT coalesce(max(made_pace),0) FROM wakings),"
                           "(SELECT coalesce(max(min(begun_pace,due_pace)),0) FROM pages WHERE state='running'))",
                           NULL, 0, out, err);
}
