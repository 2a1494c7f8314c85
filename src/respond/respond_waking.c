/* Waking people, for the API: the plan, who is on call, contacts, swaps, answers. */
#include "respond/inside.h"

#include "base/limits.h"
#include "respond/notify/notifier.h"
#include "respond/wake/budget.h"
#include "respond/wake/drill.h"

#include <stdio.h>

enum { SHIFTS_MAX = 1000, PAGES_LISTED_MAX = 500, WAKINGS_LISTED_MAX = 50, ARENA_BYTES = 32 * 1024 * 1024 };

/* ---- the plan ---- */

int respond_plan_save(struct respond *respond, struct slice text, struct slice by, struct err *err)
{
    return wake_plan_save(respond->wake, text, by, err);
}

int respond_plan_edit(struct respond *respond, struct slice text, struct slice by, struct err *err)
{
    if (respond->config.plan_from_file)
        return err_set(err, ERR_CONFLICT, "the waking plan is a file that the configuration names (waking:): change it there and send SIGHUP");
    return respond_plan_save(respond, text, by, err);
}

int respond_plan_check(struct respond *respond, struct slice text, struct err *err)
{
    const struct plan *plan;
    struct arena *arena = arena_new(PLAN_ARENA_MAX);
    if (!arena)
        return err_nomem(err);
    int result = plan_parse(text, respond->config.calendars, arena, &plan, err);
    arena_free(arena);
    return result;
}

static void put_names(struct json *json, const char *key, const struct plan *plan)
{
    json_put_texts(json, key, plan ? plan->people : NULL, plan ? plan->person_count : 0);
    json_key(json, "schedules");
    json_open(json, '[');
    for (size_t i = 0; plan && i < plan->schedule_count; i++)
        json_text(json, plan->schedules[i].name);
    json_close(json, ']');
}

int respond_plan_json(struct respond *respond, struct json *json, struct err *err)
{
    struct arena *arena = arena_new(MIB);
    struct slice by;
    int64_t saved;
    if (!arena)
        return err_nomem(err);
    int result = wake_plan_saved(respond->wake, arena, &by, &saved, err);
    struct plan_held *held = wake_plan(respond->wake);
    const struct plan *plan = wake_plan_of(held);
    json_open(json, '{');
    json_put_text_or_null(json, "text", plan ? plan->text : SLICE_NONE);
    json_put_text_or_null(json, "saved_by", by);
    json_put_time_or_null(json, "saved", saved);
    json_put_bool(json, "from_file", respond->config.plan_from_file);
    put_names(json, "people", plan);
    json_close(json, '}');
    wake_plan_release(held);
    arena_free(arena);
    return result;
}

/* ---- who is on call ---- */

static void put_turn(struct json *json, const struct rota_turn *turn, int64_t from_ns)
{
    json_open(json, '{');
    json_put_text_or_null(json, "person", turn->person);
    json_put_time(json, "from", from_ns);
    json_put_time(json, "to", turn->to_ns);
    json_put_bool(json, "arranged", turn->by != NULL);
    json_close(json, '}');
}

static void put_shifts(struct json *json, const struct plan *plan, const struct plan_schedule *schedule,
                       const struct stand_in *stand_ins, size_t count, int64_t from_ns, int64_t to_ns)
{
    int64_t at = from_ns;
    json_open(json, '{');
    json_put_text(json, "schedule", schedule->name);
    json_key(json, "shifts");
    json_open(json, '[');
    for (int i = 0; i < SHIFTS_MAX && at <= to_ns; i++) {
        struct rota_turn turn = rota_at(plan, schedule, stand_ins, count, at);
        int64_t begins = at;
        while (turn.to_ns <= to_ns) { /* the same person goes on: one line */
            struct rota_turn next = rota_at(plan, schedule, stand_ins, count, turn.to_ns);
            if (!slice_equal(next.person, turn.person) || next.by != turn.by)
                break;
            turn.to_ns = next.to_ns;
        }
        put_turn(json, &turn, begins);
        at = turn.to_ns;
    }
    json_close(json, ']');
    json_put_bool(json, "more", at <= to_ns);
    json_close(json, '}');
}

int respond_shifts_json(struct respond *respond, int64_t from_ns, int64_t to_ns, struct json *json, struct err *err)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct stand_in *stand_ins;
    size_t count;
    if (!arena)
        return err_nomem(err);
    struct plan_held *held = wake_plan(respond->wake);
    const struct plan *plan = wake_plan_of(held);
    int result = roster_stand_ins(respond->config.database, from_ns, arena, &stand_ins, &count, err);
    json_open(json, '[');
    for (size_t i = 0; result == 0 && plan && i < plan->schedule_count; i++)
        put_shifts(json, plan, &plan->schedules[i], stand_ins, count, from_ns, to_ns);
    json_close(json, ']');
    wake_plan_release(held);
    arena_free(arena);
    return result;
}

/* ---- contacts ---- */

static const struct respond_notifier *row_of(const struct respond *respond, struct slice name)
{
    for (size_t i = 0; i < respond->config.notifier_count; i++)
        if (slice_equal(respond->config.notifiers[i].name, name))
            return &respond->config.notifiers[i];
    return NULL;
}

static int check_contact(const struct respond *respond, const struct respond_contact *contact, struct err *err)
{
    const struct respond_notifier *row = row_of(respond, contact->notifier);
    if (!row)
        return err_set(err, ERR_CONFIG, "there is no notifier '%.*s'; the configuration names them", SLICE_ARG(contact->notifier));
    const struct notifier *notifier = notifier_find(row->kind);
    if (notifier->check_address)
        return notifier->check_address(contact->address, err);
    if (contact->address.len > CONTACT_BYTES_MAX)
        return err_set(err, ERR_CONFIG, "an address has at most %d bytes", CONTACT_BYTES_MAX);
    return 0;
}

int respond_contacts_set(struct respond *respond, struct slice person, const struct respond_contact *contacts,
                         size_t count, struct err *err)
{
    struct database *database = respond->config.database;
    struct contact list[CONTACTS_MAX];
    if (count > CONTACTS_MAX)
        return err_set(err, ERR_LIMIT, "one person has at most %d contacts", CONTACTS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (check_contact(respond, &contacts[i], err) < 0)
            return -1;
        list[i] = (struct contact){.notifier = contacts[i].notifier, .address = contacts[i].address};
    }
    if (database_begin(database, err) < 0)
        return -1;
    if (roster_set_contacts(database, person, list, count, clock_wall_ns(respond->config.clock), err) < 0) {
        database_rollback(database);
        return -1;
    }
    return database_commit(database, err);
}

int respond_contacts_json(struct respond *respond, struct slice person, struct json *json, struct err *err)
{
    struct arena *arena = arena_new(MIB);
    struct contact *contacts;
    size_t count;
    if (!arena)
        return err_nomem(err);
    int result = roster_contacts(respond->config.database, person, arena, &contacts, &count, err);
    json_open(json, '[');
    for (size_t i = 0; result == 0 && i < count; i++) {
        json_open(json, '{');
        json_put_text(json, "notifier", contacts[i].notifier);
        json_put_text(json, "address", contacts[i].address);
        json_put_bool(json, "works", row_of(respond, contacts[i].notifier) != NULL);
        json_put_time_or_null(json, "proven", contacts[i].proven_ns);
        json_close(json, '}');
    }
    json_close(json, ']');
    arena_free(arena);
    return result;
}

void respond_notifiers_json(struct respond *respond, struct json *json)
{
    json_open(json, '[');
    for (size_t i = 0; i < respond->config.notifier_count; i++) {
        const struct respond_notifier *row = &respond->config.notifiers[i];
        const struct notifier *notifier = notifier_find(row->kind);
        json_open(json, '{');
        json_put_text(json, "name", row->name);
        json_put_text(json, "kind", row->kind);
        json_put_text(json, "summary", slice_text(notifier->summary));
        json_put_bool(json, "needs_address", notifier->check_address != NULL);
        json_close(json, '}');
    }
    json_close(json, ']');
}

/* ---- swaps and absences ---- */

int respond_stand_in_add(struct respond *respond, const struct respond_stand_in *wish, int64_t *id, struct err *err)
{
    struct stand_in_wish row = {.what = {.schedule = wish->schedule, .away = wish->away, .instead = wish->instead,
                                         .from_ns = wish->from_ns, .to_ns = wish->to_ns},
                                .reason = wish->reason, .by = wish->by};
    struct plan_held *held = wake_plan(respond->wake);
    int result = !held ? err_set(err, ERR_CONFLICT, "there is no waking plan yet")
                       : roster_add_stand_in(respond->config.database, wake_plan_of(held), &row,
                                             clock_wall_ns(respond->config.clock), err);
    *id = row.what.id;
    wake_plan_release(held);
    return result;
}

int respond_stand_in_end(struct respond *respond, int64_t id, struct slice by, struct err *err)
{
    return roster_end_stand_in(respond->config.database, id, by, clock_wall_ns(respond->config.clock), err);
}

int respond_stand_ins_json(struct respond *respond, struct json *json, struct err *err)
{
    struct query *query;
    struct arena *arena = arena_new(MIB);
    int result;
    if (!arena)
        return err_nomem(err);
    json_open(json, '[');
    result = query_begin_with(respond->config.database,
                              "SELECT id,schedule,away,instead,from_ns,to_ns,reason,added_by,added_ns FROM stand_ins"
                              " WHERE ended_ns IS NULL AND to_ns>?1 ORDER BY from_ns,id",
                              BINDS(bind_i64(clock_wall_ns(respond->config.clock))), &query, err);
    bool begun = result == 0;
    while (begun && (result = query_step(query, err)) == 1) {
        arena_reset(arena);
        json_open(json, '{');
        json_put_i64(json, "id", query_get_i64(query, 0));
        json_put_text_or_null(json, "schedule", query_get_text(query, 1, arena));
        json_put_text_or_null(json, "away", query_get_text(query, 2, arena));
        json_put_text_or_null(json, "instead", query_get_text(query, 3, arena));
        json_put_time(json, "from", query_get_i64(query, 4));
        json_put_time(json, "to", query_get_i64(query, 5));
        json_put_text(json, "reason", query_get_text(query, 6, arena));
        json_put_text(json, "added_by", query_get_text(query, 7, arena));
        json_put_time(json, "added", query_get_i64(query, 8));
        json_close(json, '}');
    }
    if (begun)
        query_end(query); /* also after a failure: the query holds the database's lock */
    json_close(json, ']');
    arena_free(arena);
    return result < 0 ? -1 : 0;
}

/* ---- pages ---- */

/* Whom a page woke, by which contact, and what the other side said; the latest, with the number of all. */
static int put_wakings(struct database *database, int64_t page, struct arena *arena, struct json *json, struct err *err)
{
    struct query *query;
    int64_t total;
    int result;
    if (database_number(database, "SELECT count(*) FROM wakings WHERE page=?1", BINDS(bind_i64(page)), &total, err) < 0 ||
        query_begin_with(database,
                         "SELECT person,notifier,address,step,made_ns,received_ns,receipt,failed FROM"
                         " (SELECT * FROM wakings WHERE page=?1 ORDER BY id DESC LIMIT ?2) ORDER BY id",
                         BINDS(bind_i64(page), bind_i64(WAKINGS_LISTED_MAX)), &query, err) < 0)
        return -1;
    json_put_i64(json, "waking_count", total);
    json_key(json, "wakings");
    json_open(json, '[');
    while ((result = query_step(query, err)) == 1) {
        json_open(json, '{');
        json_put_text(json, "person", query_get_text(query, 0, arena));
        json_put_text(json, "notifier", query_get_text(query, 1, arena));
        json_put_text(json, "address", query_get_text(query, 2, arena));
        json_put_i64(json, "step", query_get_i64(query, 3) + 1);
        json_put_time(json, "made", query_get_i64(query, 4));
        json_put_time_or_null(json, "received", query_get_i64(query, 5));
        json_put_text_or_null(json, "receipt", query_get_text(query, 6, arena));
        json_put_text_or_null(json, "failed", query_get_text(query, 7, arena));
        json_close(json, '}');
    }
    json_close(json, ']');
    query_end(query);
    return result < 0 ? -1 : 0;
}

static int put_page(struct respond *respond, struct query *query, struct arena *arena, struct json *json, struct err *err)
{
    char name[INCIDENT_NAME_SIZE];
    incident_name(query_get_i64(query, 1), name);
    json_open(json, '{');
    json_put_i64(json, "id", query_get_i64(query, 0));
    json_put_text(json, "incident", slice_text(name));
    json_put_text(json, "kind", query_get_text(query, 2, arena));
    json_put_text(json, "policy", query_get_text(query, 3, arena));
    json_put_text(json, "severity", slice_text(severity_name((enum severity)query_get_i64(query, 4))));
    json_put_text(json, "state", query_get_text(query, 5, arena));
    json_put_i64(json, "round", query_get_i64(query, 6) + 1);
    json_put_i64(json, "next_step", query_get_i64(query, 7) + 1);
    json_put_time(json, "begun", query_get_i64(query, 8));
    json_put_time_or_null(json, "held_until", query_get_i64(query, 9));
    json_put_time_or_null(json, "unanswered", query_get_i64(query, 10));
    json_put_text_or_null(json, "answered_by", query_get_text(query, 11, arena));
    json_put_text_or_null(json, "answered_how", query_get_text(query, 12, arena));
    json_put_time_or_null(json, "answered", query_get_i64(query, 13));
    json_put_text_or_null(json, "rule", query_get_text(query, 14, arena));
    int result = put_wakings(respond->config.database, query_get_i64(query, 0), arena, json, err);
    json_close(json, '}');
    return result;
}

int respond_pages_json(struct respond *respond, int64_t limit, struct json *json, struct err *err)
{
    struct query *query;
    struct arena *arena = arena_new(4 * MIB);
    int result;
    if (!arena)
        return err_nomem(err);
    json_open(json, '[');
    result = query_begin_with(respond->config.database,
                              "SELECT id,incident,kind,policy,severity,state,round,step,begun_ns,held_until_ns,unanswered_ns,"
                              "answered_by,answered_how,answered_ns,rule FROM pages ORDER BY state='running' DESC,id DESC LIMIT ?1",
                              BINDS(bind_i64(limit < PAGES_LISTED_MAX ? limit : PAGES_LISTED_MAX)), &query, err);
    if (result == 0) {
        while ((result = query_step(query, err)) == 1) {
            arena_reset(arena);
            if ((result = put_page(respond, query, arena, json, err)) < 0)
                break;
        }
        query_end(query); /* also after a failure: the query holds the database's lock */
    }
    json_close(json, ']');
    arena_free(arena);
    return result;
}

/* ---- drills and interruptions ---- */

int respond_drills_json(struct respond *respond, int64_t limit, struct json *json, struct err *err)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    int result = arena ? drill_json(respond->config.database, limit, arena, json, err) : err_nomem(err);
    arena_free(arena);
    return result;
}

int respond_interruptions_json(struct respond *respond, int64_t days, struct json *json, struct err *err)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct plan_held *held = wake_plan(respond->wake);
    int result = arena ? budget_json(respond->config.database, wake_plan_of(held), clock_wall_ns(respond->config.clock), days,
                                     arena, json, err)
                       : err_nomem(err);
    wake_plan_release(held);
    arena_free(arena);
    return result;
}

/* ---- answers ---- */

static int find_answerer(struct respond *respond, struct slice token, struct arena *arena, struct page_answerer *out,
                         struct err *err)
{
    int found = token.len == PAGE_TOKEN_SIZE - 1
                    ? page_find_token(respond->config.database, token, arena, out, err)
                    : 0;
    if (found == 0)
        return err_set(err, ERR_NOT_FOUND, "this link is not one of ours, or it is not whole");
    return found < 0 ? -1 : 0;
}

int respond_answer(struct respond *respond, struct slice token, const char *how, struct arena *arena,
                   struct respond_answered *out, struct err *err)
{
    struct page_answerer who;
    char name[INCIDENT_NAME_SIZE];
    *out = (struct respond_answered){0};
    if (find_answerer(respond, token, arena, &who, err) < 0)
        return -1;
    incident_name(who.incident, name);
    out->incident = arena_copy(arena, slice_text(name));
    out->person = who.person;
    return out->incident.ptr ? respond_acknowledge_by(respond, out->incident, who.person, how, err) : err_nomem(err);
}

int respond_answer_about(struct respond *respond, struct slice token, struct arena *arena,
                         struct respond_answer_about *out, struct err *err)
{
    struct page_answerer who;
    struct incident incident;
    char name[INCIDENT_NAME_SIZE];
    *out = (struct respond_answer_about){0};
    if (find_answerer(respond, token, arena, &who, err) < 0 ||
        incident_read_head(respond->config.database, who.incident, arena, &incident, err) < 0)
        return -1;
    incident_name(who.incident, name);
    *out = (struct respond_answer_about){arena_copy(arena, slice_text(name)), who.person, incident.state, incident.owner,
                                         incident.en[INCIDENT_TITLE], incident.ja[INCIDENT_TITLE], incident.severity, who.open};
    return out->incident.ptr ? 0 : err_nomem(err);
}

/* ---- "wake me now" ---- */

static int open_test(struct respond *respond, struct slice person, int64_t *id, struct err *err)
{
    struct pager *pager = wake_pager(respond->wake);
    struct arena *arena = arena_new(MIB);
    int64_t now = clock_wall_ns(respond->config.clock);
    struct incident incident = {.severity = SEVERITY_LOW, .opened_ns = now, .updated_ns = now, .first_event_ns = now,
                                .last_event_ns = now};
    const struct page_cause cause = {.kind = SLICE("test"), .person = person};
    if (!arena)
        return err_nomem(err);
    incident.en[INCIDENT_TITLE] = arena_printf(arena, "Test: wake %.*s", SLICE_ARG(person));
    incident.ja[INCIDENT_TITLE] = arena_printf(arena, "試験: %.*s を呼び出す", SLICE_ARG(person));
    incident.en[INCIDENT_EXPLANATION] = SLICE("This is a test of your contacts. Acknowledge it to prove that you can be woken.");
    incident.ja[INCIDENT_EXPLANATION] = SLICE("連絡先の試験です。受領すると、呼び出しが届くことの証明になります。");
    int result = incident_insert(respond->config.database, &incident, err) < 0 ||
                         page_put(pager, NULL, &incident, &cause, arena, err) < 0
                     ? -1
                     : 0;
    *id = incident.id;
    arena_free(arena);
    return result;
}

int respond_test(struct respond *respond, struct slice person, struct json *json, struct err *err)
{
    struct database *database = respond->config.database;
    char name[INCIDENT_NAME_SIZE];
    int64_t id, contacts;
    if (database_number(database, "SELECT count(*) FROM contacts WHERE person=?1", BINDS(bind_text(person)), &contacts, err) < 0)
        return -1;
    if (contacts == 0)
        return err_set(err, ERR_CONFLICT, "%.*s has no contact yet: add one first", SLICE_ARG(person));
    if (database_begin(database, err) < 0)
        return -1;
    if (open_test(respond, person, &id, err) < 0) {
        database_rollback(database);
        return -1;
    }
    if (database_commit(database, err) < 0)
        return -1;
    wake_now(respond->wake);
    incident_name(id, name);
    json_open(json, '{');
    json_put_text(json, "incident", slice_text(name));
    json_close(json, '}');
    return 0;
}
