/* Brings pages on: steps that are due, contacts that failed, and what happens when nobody answers. */
#include "respond/wake/page_inside.h"

#include <stdio.h>

enum { RETRY_S = 10 };
#define FAILOVER_NS (PAGE_FAILOVER_MS * NS_PER_MS)

/* ---- who ---- */

struct called { /* a person of a step */
    struct slice person, why_en, why_ja;
};

struct people {
    struct called list[PLAN_PEOPLE_MAX];
    size_t count;
};

static void add_person(struct people *people, struct slice person, struct slice why_en, struct slice why_ja)
{
    for (size_t i = 0; i < people->count; i++)
        if (slice_equal(people->list[i].person, person))
            return;
    if (people->count < PLAN_PEOPLE_MAX)
        people->list[people->count++] = (struct called){person, why_en, why_ja};
}

static void add_schedule(struct paging *paging, const struct plan_schedule *schedule, struct people *people)
{
    struct arena *arena = paging->pager->arena;
    struct rota_turn turn =
        rota_at(paging->plan, schedule, paging->stand_ins, paging->stand_in_count, paging->wall);
    if (!turn.person.len)
        return;
    add_person(people, turn.person, arena_printf(arena, "You are on call: %.*s.", SLICE_ARG(schedule->name)),
               arena_printf(arena, "あなたは当番です（%.*s）。", SLICE_ARG(schedule->name)));
}

static void find_people(struct paging *paging, const struct plan_step *step, struct people *people)
{
    const struct plan *plan = paging->plan;
    for (size_t i = 0; i < step->whom_count; i++) {
        struct slice name = step->whom[i];
        const struct plan_schedule *schedule = plan_schedule_find(plan, name);
        if (schedule)
            add_schedule(paging, schedule, people);
        for (size_t k = 0; !schedule && k < plan->person_count; k++)
            if (slice_is(name, "everyone") || slice_equal(name, plan->people[k]))
                add_person(people, plan->people[k], SLICE("The waking plan names you for this step."),
                           SLICE("呼出計画のこの段階に指定されています。"));
    }
}

/* ---- how ---- */

static bool has_notifier(const struct paging *paging, struct slice name)
{
    for (size_t i = 0; i < paging->pager->config->notifier_count; i++)
        if (slice_equal(paging->pager->config->notifiers[i].name, name))
            return true;
    return false;
}

static bool is_named(const struct plan_step *step, struct slice notifier)
{
    for (size_t i = 0; i < step->by_count; i++)
        if (slice_equal(step->by[i], notifier))
            return true;
    return false;
}

/* Overdue steps come together: who was called by a contact just now is not called by it again. */
static int called_now(struct paging *paging, const struct contact *contact, struct err *err)
{
    int64_t found;
    if (database_number(paging->pager->database,
                        "SELECT count(*) FROM wakings WHERE page=?1 AND person=?2 AND notifier=?3 AND address=?4"
                        " AND made_pace=?5",
                        BINDS(bind_i64(paging->page->id), bind_text(contact->person), bind_text(contact->notifier),
                              bind_text(contact->address), bind_i64(paging->pace)), &found, err) < 0)
        return -1;
    return found > 0;
}

static int wake_by(struct paging *paging, const struct called *called, const struct contact *contact, struct err *err)
{
    const struct page *page = paging->page;
    int again = called_now(paging, contact, err);
    if (again != 0)
        return again;
    return page_wake(paging, &(struct waking_wish){called->person, contact->notifier, contact->address, called->why_en,
                                                   called->why_ja, page->round, page->step, false}, err);
}

static int no_contact(struct paging *paging, struct slice person, struct err *err)
{
    struct arena *arena = paging->pager->arena;
    return page_entry(paging->pager, paging->page->incident, person,
                      arena_printf(arena, "%.*s is to be woken, but has no contact that works here: the next step comes at once",
                                   SLICE_ARG(person)),
                      arena_printf(arena, "%.*s を呼び出すべきですが、使える連絡先がありません。直ちに次の段階へ進みます", SLICE_ARG(person)), arena, err);
}

/* How many contacts were called. A drill and a test call every one of them: each is a hop to be proven. */
static int wake_person(struct paging *paging, const struct plan_step *step, const struct called *called, struct err *err)
{
    struct contact *contacts;
    size_t count;
    int woken = 0;
    bool all = !slice_is(paging->page->kind, "page");
    if (roster_reach(paging->pager->database, called->person, paging->pager->arena, &contacts, &count, err) < 0)
        return -1;
    for (int named = 1; named >= 0 && woken == 0; named--)
        for (size_t i = 0; i < count; i++) {
            if (!has_notifier(paging, contacts[i].notifier))
                continue;
            if (named ? !all && !is_named(step, contacts[i].notifier) : woken)
                continue;
            int result = wake_by(paging, called, &contacts[i], err);
            if (result < 0)
                return -1;
            woken += result;
        }
    return woken || no_contact(paging, called->person, err) == 0 ? woken : -1;
}

/* ---- steps ---- */

static const struct plan_policy *policy_of(const struct paging *paging)
{
    const struct plan_policy *policy = plan_policy_find(paging->plan, paging->page->policy);
    return policy ? policy : &paging->plan->policies[0]; /* the plan was changed meanwhile */
}

static int save(struct paging *paging, struct err *err)
{
    const struct page *page = paging->page;
    return database_do(paging->pager->database,
                       "UPDATE pages SET round=?2,step=?3,round_pace=?4,due_pace=?5 WHERE id=?1",
                       BINDS(bind_i64(page->id), bind_i64(page->round), bind_i64(page->step), bind_i64(page->round_pace),
                             bind_i64(page->due_pace)), err);
}

/* After the last step a new round, unless there were enough; after a long stop it begins now. */
static void go_on(struct paging *paging, const struct plan_policy *policy)
{
    struct page *page = paging->page;
    if ((size_t)++page->step < policy->count) {
        page->due_pace = page->round_pace + policy->steps[page->step].at_ns;
        return;
    }
    if (policy->rounds && page->round + 1 >= policy->rounds) {
        page->due_pace = INT64_MAX;
        return;
    }
    page->round++;
    page->step = 0;
    page->round_pace += policy->steps[policy->count - 1].at_ns + policy->again_after_ns;
    if (page->round_pace < paging->pace)
        page->round_pace = paging->pace + policy->again_after_ns;
    page->due_pace = page->round_pace + policy->steps[0].at_ns;
}

static int nobody(struct paging *paging, struct err *err)
{
    struct arena *arena = paging->pager->arena;
    long long step = paging->page->step + 1;
    return page_entry(paging->pager, paging->page->incident, SLICE_NONE,
                      arena_printf(arena, "Step %lld of the waking plan: nobody is on call", step),
                      arena_printf(arena, "呼出計画の第%lld段階: 当番がいません", step), arena, err);
}

static int fire_step(struct paging *paging, const struct plan_policy *policy, struct err *err)
{
    struct page *page = paging->page;
    const struct plan_step *step = &policy->steps[(size_t)page->step < policy->count ? page->step : 0];
    struct people *people = arena_calloc(paging->pager->arena, sizeof(*people));
    int woken = 0;
    if (!people)
        return err_nomem(err);
    find_people(paging, step, people);
    paging->late = paging->pace - page->due_pace > PAGE_LATE_S * NS_PER_SECOND;
    if (people->count == 0 && nobody(paging, err) < 0)
        return -1;
    for (size_t i = 0; i < people->count; i++) {
        int result = wake_person(paging, step, &people->list[i], err);
        if (result < 0)
            return -1;
        woken += result;
    }
    bool last = (size_t)page->step + 1 >= policy->count;
    go_on(paging, policy);
    if (!woken && !last)
        page->due_pace = paging->pace;
    return 0;
}

static int fire_test(struct paging *paging, struct err *err)
{
    static const struct plan_step by_all = {0};
    const struct called called = {paging->page->person, SLICE("You asked for this test."),
                                  SLICE("ご本人の操作による試験です。")};
    paging->page->due_pace = INT64_MAX;
    return wake_person(paging, &by_all, &called, err) < 0 ? -1 : 0;
}

static int fire(struct paging *paging, struct err *err)
{
    struct page *page = paging->page;
    if (slice_is(page->kind, "test")) {
        if (fire_test(paging, err) < 0)
            return -1;
    } else if (!paging->plan) {
        page->due_pace = paging->pace + NS_PER_MINUTE; /* the plan is gone: when it is back, it goes on */
    } else {
        const struct plan_policy *policy = policy_of(paging);
        int64_t round = page->round;
        do
            if (fire_step(paging, policy, err) < 0)
                return -1;
        while (page->due_pace <= paging->pace && page->round == round);
    }
    return save(paging, err);
}

/* ---- contacts that failed ---- */

struct tried {
    int64_t id, round, step, made_pace;
    struct slice person;
    bool received, failed;
};

static int read_tried(struct paging *paging, struct tried **out, size_t *count, struct err *err)
{
    struct query *query;
    struct arena *arena = paging->pager->arena;
    int64_t open;
    int result;
    *count = 0;
    if (database_number(paging->pager->database, "SELECT count(*) FROM wakings WHERE page=?1 AND judged=0",
                        BINDS(bind_i64(paging->page->id)), &open, err) < 0)
        return -1;
    *out = arena_array(arena, (size_t)open + 1, sizeof(**out));
    if (!*out)
        return err_nomem(err);
    if (query_begin_with(paging->pager->database,
                         "SELECT id,round,step,made_pace,person,received_ns IS NOT NULL,failed IS NOT NULL FROM wakings"
                         " WHERE page=?1 AND judged=0 ORDER BY id", BINDS(bind_i64(paging->page->id)), &query, err) < 0)
        return -1;
    while ((result = query_step(query, err)) == 1 && *count < (size_t)open)
        (*out)[(*count)++] = (struct tried){query_get_i64(query, 0), query_get_i64(query, 1), query_get_i64(query, 2),
                                            query_get_i64(query, 3), query_get_text(query, 4, arena),
                                            query_get_i64(query, 5), query_get_i64(query, 6)};
    query_end(query);
    return result < 0 ? -1 : 0;
}

/* The person's next contact that this step has not tried. */
static int try_next(struct paging *paging, const struct tried *tried, struct err *err)
{
    struct contact *contacts;
    size_t count;
    if (roster_reach(paging->pager->database, tried->person, paging->pager->arena, &contacts, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const struct waking_wish wish = {tried->person, contacts[i].notifier, contacts[i].address,
                                         SLICE("The contact tried before did not take the message."),
                                         SLICE("前の連絡先が応答しませんでした。"), tried->round, tried->step, true};
        int made = has_notifier(paging, wish.notifier) ? page_wake(paging, &wish, err) : 0;
        if (made != 0)
            return made < 0 ? -1 : 0;
    }
    return 0;
}

static int judge(struct paging *paging, const struct tried *tried, struct err *err)
{
    if (database_do(paging->pager->database, "UPDATE wakings SET judged=1 WHERE id=?1", BINDS(bind_i64(tried->id)),
                    err) < 0)
        return -1;
    return tried->received ? 0 : try_next(paging, tried, err);
}

/* Nobody of the step that was fired last was reached, and nothing is left to try: the next one now. */
static int hurry(struct paging *paging, struct err *err)
{
    struct page *page = paging->page;
    int64_t open;
    if (page->step == 0 || page->due_pace == INT64_MAX || page->due_pace <= paging->pace)
        return 0; /* the step before was the last of a round, or it comes anyway */
    if (database_number(paging->pager->database,
                        "SELECT count(*) FROM wakings WHERE page=?1 AND round=?2 AND step=?3"
                        " AND (received_ns IS NOT NULL OR judged=0)",
                        BINDS(bind_i64(page->id), bind_i64(page->round), bind_i64(page->step - 1)), &open, err) < 0)
        return -1;
    if (open)
        return 0;
    page->due_pace = paging->pace;
    if (save(paging, err) < 0)
        return -1;
    return page_entry(paging->pager, page->incident, SLICE_NONE,
                      SLICE("No contact of this step took the message: the next step comes at once"),
                      SLICE("この段階の連絡先はいずれも応答しませんでした。直ちに次の段階へ進みます"), paging->pager->arena, err);
}

static int follow_up(struct paging *paging, int64_t *next, struct err *err)
{
    struct tried *tried;
    size_t count, judged = 0;
    if (read_tried(paging, &tried, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        bool over = tried[i].received || tried[i].failed || paging->pace >= tried[i].made_pace + FAILOVER_NS;
        if (over && judge(paging, &tried[i], err) < 0)
            return -1;
        judged += over;
        if (!over && tried[i].made_pace + FAILOVER_NS < *next)
            *next = tried[i].made_pace + FAILOVER_NS;
    }
    if (judged && *next > paging->pace + FAILOVER_NS)
        *next = paging->pace + FAILOVER_NS; /* those made just now */
    return judged ? hurry(paging, err) : 0;
}

/* ---- one page ---- */

static int read_page(struct pager *pager, int64_t id, struct page *out, struct err *err)
{
    struct query *query;
    struct arena *arena = pager->arena;
    if (query_begin_with(pager->database,
                         "SELECT id,incident,severity,round,step,begun_pace,round_pace,due_pace,unanswered_pace,kind,"
                         "policy,person,unanswered_ns IS NOT NULL FROM pages WHERE id=?1 AND state='running'",
                         BINDS(bind_i64(id)), &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    if (result == 1)
        *out = (struct page){query_get_i64(query, 0), query_get_i64(query, 1), query_get_i64(query, 2),
                             query_get_i64(query, 3), query_get_i64(query, 4), query_get_i64(query, 5),
                             query_get_i64(query, 6), query_get_i64(query, 7), query_get_i64(query, 8),
                             query_get_text(query, 9, arena), query_get_text(query, 10, arena),
                             query_get_text(query, 11, arena), query_get_i64(query, 12)};
    query_end(query);
    return result;
}

static int bring_on(struct paging *paging, int64_t id, int64_t *next, struct err *err)
{
    struct pager *pager = paging->pager;
    struct page page;
    struct stand_in *stand_ins;
    int found = read_page(pager, id, &page, err);
    if (found <= 0)
        return found;
    paging->page = &page;
    if (roster_stand_ins(pager->database, paging->wall, pager->arena, &stand_ins, &paging->stand_in_count, err) < 0 ||
        incident_read(pager->database, page.incident, pager->arena, &paging->incident, err) < 0)
        return -1;
    paging->stand_ins = stand_ins;
    if (slice_is(paging->incident.state, "closed"))
        return page_end(pager, page.incident, "the incident was closed", err);
    if (follow_up(paging, next, err) < 0)
        return -1;
    if (page.due_pace <= paging->pace) {
        if (fire(paging, err) < 0)
            return -1;
        if (*next > paging->pace + FAILOVER_NS)
            *next = paging->pace + FAILOVER_NS;
    }
    if (page.due_pace < *next)
        *next = page.due_pace;
    if (page.unanswered_pace && !page.unanswered && page.unanswered_pace < *next)
        *next = page.unanswered_pace;
    return 0;
}

/* ---- nobody answers ---- */

static int note_unanswered(struct paging *paging, const struct plan_policy *policy, struct err *err)
{
    struct pager *pager = paging->pager;
    struct page *page = paging->page;
    struct arena *arena = pager->arena;
    long long minutes = policy->unanswered_after_ns / NS_PER_MINUTE;
    if (database_do(pager->database, "UPDATE pages SET unanswered_ns=?2 WHERE id=?1",
                    BINDS(bind_i64(page->id), bind_i64(paging->wall)), err) < 0)
        return -1;
    page_event(pager, "unanswered", page, SLICE_NONE, policy->name);
    return page_entry(pager, page->incident, SLICE_NONE,
                      arena_printf(arena, "Nobody answered for %lld minutes%s%s%.*s", minutes,
                                   policy->tighten_gate ? ": the gate was tightened. Only a person can undo this" : "",
                                   policy->playbook.len ? ". Playbook: " : "", SLICE_ARG(policy->playbook)),
                      arena_printf(arena, "%lld分間、誰も応答しませんでした%s%s%.*s", minutes,
                                   policy->tighten_gate ? "。ゲートを締めました。解除できるのは担当者だけです" : "",
                                   policy->playbook.len ? "。プレイブック: " : "", SLICE_ARG(policy->playbook)),
                      arena, err);
}

/* Outside a transaction: the gate writes its own journal. Called again when this program dies in between, which
 * changes nothing there. */
static int act_unanswered(struct paging *paging, const struct plan_policy *policy, struct err *err)
{
    const struct respond_config *config = paging->pager->config;
    char name[INCIDENT_NAME_SIZE];
    incident_name(paging->page->incident, name);
    if (policy->tighten_gate && config->tighten && config->tighten(config->context, slice_text(name), err) < 0)
        return -1;
    if (!policy->playbook.len || !config->begin_playbook ||
        config->begin_playbook(config->context, policy->playbook, slice_text(name), err) == 0)
        return 0;
    bool hopeless = err->code == ERR_NOT_FOUND || err->code == ERR_CONFLICT;
    if (hopeless && config->note)
        config->note(config->context, err->text);
    return hopeless ? 0 : -1;
}

static int is_unanswered(struct paging *paging, int64_t id, struct page *page, struct err *err)
{
    int found = read_page(paging->pager, id, page, err);
    paging->page = page;
    return found <= 0 ? found : page->unanswered_pace && !page->unanswered && page->unanswered_pace <= paging->pace;
}

static int in_transaction(struct paging *paging, int64_t id, int64_t *next,
                          int (*act)(struct paging *paging, int64_t id, int64_t *next, struct err *err), struct err *err)
{
    struct database *database = paging->pager->database;
    if (database_begin(database, err) < 0)
        return -1;
    if (act(paging, id, next, err) < 0) {
        database_rollback(database);
        return -1;
    }
    return database_commit(database, err);
}

/* Only if it is still so: somebody may have answered while the gate was told. */
static int record_unanswered(struct paging *paging, int64_t id, int64_t *next, struct err *err)
{
    struct page page;
    (void)next;
    int still = is_unanswered(paging, id, &page, err);
    return still <= 0 ? still : note_unanswered(paging, policy_of(paging), err);
}

static int watch_unanswered(struct paging *paging, int64_t id, int64_t *next, struct err *err)
{
    struct page page;
    int due = paging->plan ? is_unanswered(paging, id, &page, err) : 0;
    if (due <= 0)
        return due;
    if (act_unanswered(paging, policy_of(paging), err) < 0) {
        *next = paging->pace + RETRY_S * NS_PER_SECOND;
        return -1;
    }
    return in_transaction(paging, id, next, record_unanswered, err);
}

/* ---- all pages ---- */

static int list_running(struct pager *pager, int64_t **out, size_t *count, struct err *err)
{
    struct query *query;
    int64_t running;
    int result;
    *count = 0;
    if (database_number(pager->database, "SELECT count(*) FROM pages WHERE state='running'", NULL, 0, &running, err) < 0)
        return -1;
    *out = arena_array(pager->arena, (size_t)running + 1, sizeof(**out));
    if (!*out)
        return err_nomem(err);
    if (query_begin(pager->database, "SELECT id FROM pages WHERE state='running' ORDER BY severity DESC,id", &query, err) < 0)
        return -1;
    while ((result = query_step(query, err)) == 1 && *count < (size_t)running)
        (*out)[(*count)++] = query_get_i64(query, 0);
    query_end(query);
    return result < 0 ? -1 : 0;
}

/* One that cannot be brought on keeps the others from nothing; the error is of the first. */
int page_run(struct pager *pager, const struct plan *plan, int64_t *next_pace, struct err *err)
{
    int64_t *ids;
    size_t count;
    int result = 0;
    *next_pace = INT64_MAX;
    arena_reset(pager->arena);
    if (list_running(pager, &ids, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct err problem;
        struct paging paging = {.pager = pager, .plan = plan, .pace = pace_now(pager->pace),
                                .wall = clock_wall_ns(pager->config->clock)};
        struct arena_mark mark = arena_mark(pager->arena);
        if (watch_unanswered(&paging, ids[i], next_pace, &problem) < 0 ||
            in_transaction(&paging, ids[i], next_pace, bring_on, &problem) < 0) {
            if (result == 0)
                *err = problem;
            result = -1;
        }
        arena_rewind(pager->arena, &mark);
    }
    return result;
}
