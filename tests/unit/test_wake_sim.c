/*
 * Nights of on-call duty by a simulated clock, from random plans, people, contacts, faults and crashes; the real state machine,
 * outbox, webhook and SQLite. What must hold for every seed is checked against an oracle that knows the plan only:
 *
 *  - who is woken was on call (or named) at the moment it was decided
 *  - every page reaches somebody within seconds of when the policy says, unless the program or every channel was down
 *  - each decided message has one key for good and comes at least once, unless somebody answered before
 *  - nothing is decided after an answer
 *  - news reach every channel in order, and twice only under one key
 *  - the gate is tightened when the policy says, and only then
 *
 * HINOMI_FULL: 10,000 seeds, else 1,000. WAKE_SEED=n runs one and says what happens.
 */
#include "wake_world.h"

/* ---- the oracle: who has a schedule ---- */

static struct slice base_person(const struct world *world, const struct plan_rotation *rotation, int64_t wall,
                                const struct stand_in *stand_ins, size_t count);

static bool is_away(const struct stand_in *stand_ins, size_t count, struct slice person, int64_t wall,
                    const struct stand_in **found)
{
    bool away = false;
    for (size_t i = 0; i < count; i++)
        if (!stand_ins[i].schedule.len && slice_equal(stand_ins[i].away, person) && stand_ins[i].from_ns <= wall &&
            wall < stand_ins[i].to_ns) {
            away = true;
            *found = &stand_ins[i];
        }
    return away;
}

/* Steps from handover to handover, by dates of the local calendar. */
static int64_t turns_until(const struct plan_rotation *rotation, int64_t wall)
{
    struct time_parts local = rotation->start;
    int64_t turn = -1, at, minutes = rotation->start.hour * 60 + rotation->start.minute;
    int64_t day = time_days_from_civil(local.year, local.month, local.day);
    for (;;) {
        time_split(day * NS_PER_DAY, &local);
        local.hour = (int)(minutes / 60);
        local.minute = (int)(minutes % 60);
        assert_true(zone_to_utc(rotation->zone, &local, 0, &at));
        if (at > wall)
            return turn;
        turn++;
        if (rotation->turns_per_day > 1) {
            minutes += 1440 / rotation->turns_per_day;
            day += minutes / 1440;
            minutes %= 1440;
        } else
            day += rotation->every_days;
    }
}

static bool in_hours(const struct plan_rotation *rotation, int64_t wall)
{
    struct time_parts local;
    const struct plan_hours *hours = &rotation->hours;
    if (!rotation->has_hours)
        return true;
    zone_split(rotation->zone, wall, &local);
    int minute = local.hour * 60 + local.minute;
    bool today = hours->weekdays >> local.weekday & 1, before = hours->weekdays >> (local.weekday + 6) % 7 & 1;
    if (hours->from_minute == hours->to_minute)
        return today;
    if (hours->from_minute < hours->to_minute)
        return today && minute >= hours->from_minute && minute < hours->to_minute;
    return (today && minute >= hours->from_minute) || (before && minute < hours->to_minute);
}

static struct slice base_person(const struct world *world, const struct plan_rotation *rotation, int64_t wall,
                                const struct stand_in *stand_ins, size_t count)
{
    (void)world;
    int64_t turn = turns_until(rotation, wall);
    if (turn < 0 || !in_hours(rotation, wall))
        return SLICE_NONE;
    for (size_t i = 0; i < rotation->count; i++) {
        const struct stand_in *absence = NULL, *other;
        struct slice person = rotation->people[((size_t)turn + i) % rotation->count];
        if (!is_away(stand_ins, count, person, wall, &absence))
            return person;
        if (absence->instead.len && !is_away(stand_ins, count, absence->instead, wall, &other))
            return absence->instead;
    }
    return SLICE_NONE;
}

static struct slice oracle(const struct world *world, const struct plan_schedule *schedule, int64_t wall)
{
    struct slice person = SLICE_NONE;
    const struct stand_in *other;
    for (size_t i = 0; i < schedule->count && !person.len; i++)
        person = base_person(world, &schedule->rotations[i], wall, world->stand_ins, world->stand_in_count);
    struct slice swapped = person;
    for (size_t i = 0; i < world->stand_in_count; i++) {
        const struct stand_in *one = &world->stand_ins[i];
        if (one->schedule.len && slice_equal(one->schedule, schedule->name) && one->from_ns <= wall &&
            wall < one->to_ns && (!one->away.len || slice_equal(one->away, person)) &&
            !is_away(world->stand_ins, world->stand_in_count, one->instead, wall, &other))
            swapped = one->instead; /* the latest counts: they are in the order in which they were added */
    }
    return swapped;
}

static bool may_be_woken(const struct world *world, const struct plan_step *step, struct slice person, int64_t wall)
{
    for (size_t i = 0; i < step->whom_count; i++) {
        const struct plan_schedule *schedule = plan_schedule_find(world->read, step->whom[i]);
        if (schedule ? slice_equal(oracle(world, schedule, wall), person)
                     : slice_is(step->whom[i], "everyone") || slice_equal(step->whom[i], person))
            return true;
    }
    return false;
}

/* ---- what happens ---- */

/* It opens, or becomes critical. */
static void open_incident(struct world *world, struct incident_script *script)
{
    struct err err;
    struct incident incident = {.id = script->id, .severity = script->severity, .opened_ns = world->clock.wall_ns,
                                .updated_ns = world->clock.wall_ns, .first_event_ns = 1, .last_event_ns = 1};
    const struct page_cause cause = {.kind = SLICE("page"), .rule = SLICE("r")};
    incident.en[INCIDENT_TITLE] = SLICE("Money left");
    incident.ja[INCIDENT_TITLE] = SLICE("送金");
    assert_int_equal(database_begin(world->database, &err), 0);
    const char *event = script->id ? "severity" : "opened";
    if ((!script->id && incident_insert(world->database, &incident, &err) < 0) ||
        outbox_put(world->outbox, &incident, event, world->arena, &err) < 0 ||
        wake_put(world->wake, &incident, &cause, world->arena, &err) < 0 || database_commit(world->database, &err) < 0)
        fail_msg("%s", err.text);
    script->id = incident.id;
    if (!script->opened_pace)
        script->opened_pace = pace_now(&world->pace);
    if (script->severity == SEVERITY_CRITICAL)
        script->critical_pace = pace_now(&world->pace);
    say(world, "INC-%lld is there, %s", (long long)incident.id, severity_name(script->severity));
}

static struct incident_script *script_of(struct world *world, const char *name)
{
    int64_t id;
    assert_true(incident_parse_name(slice_text(name), &id));
    for (size_t i = 0; i < world->incident_count; i++)
        if (world->incidents[i].id == id)
            return &world->incidents[i];
    fail_msg("a message about an incident that never was: %s", name);
    return NULL;
}

static const struct plan_person *person_named(const struct world *world, const char *name)
{
    for (size_t i = 0; i < world->person_count; i++)
        if (strcmp(world->people[i].name, name) == 0)
            return &world->people[i];
    return NULL;
}

static void answer(struct world *world, const struct sent *sent)
{
    struct err err;
    struct page_answerer who;
    struct incident_script *script = script_of(world, sent->incident);
    int found = page_find_token(world->database, slice_text(sent->token), world->arena, &who, &err);
    must(world, found == 1, "a token that was sent is not known");
    must(world, slice_is(who.person, sent->person), "the token of %s is one of another", sent->person);
    assert_int_equal(database_begin(world->database, &err), 0);
    if (page_answer(wake_pager(world->wake), who.incident, who.person, "link", &err) < 0 ||
        database_commit(world->database, &err) < 0)
        fail_msg("%s", err.text);
    script->answered = true;
    script->answered_pace = now(world);
    script->answered_at_pace = pace_now(&world->pace);
    snprintf(script->answered_by, sizeof(script->answered_by), "%s", sent->person);
    say(world, "%s answers %s", sent->person, sent->incident);
}

/* When the next person answers what came; INT64_MAX: nobody. */
static int64_t next_answer(struct world *world, const struct sent **out)
{
    int64_t best = INT64_MAX;
    for (size_t i = 0; i < world->sent_count; i++) {
        const struct sent *sent = &world->sent[i];
        const struct plan_person *person = person_named(world, sent->person);
        if (!sent->token[0] || !person || script_of(world, sent->incident)->answered)
            continue;
        int64_t at = sent->pace + person->answers_after;
        if (at < best) {
            best = at;
            *out = sent;
        }
    }
    return best;
}

static int64_t next_script(struct world *world, struct incident_script **out)
{
    int64_t best = INT64_MAX;
    for (size_t i = 0; i < world->incident_count; i++) {
        struct incident_script *script = &world->incidents[i];
        int64_t at = !script->id ? script->at : script->graver_at && !script->answered ? script->graver_at : INT64_MAX;
        if (at < best) {
            best = at;
            *out = script;
        }
    }
    return best;
}

/* Until nothing is due at this moment. */
static int64_t run_program(struct world *world)
{
    struct err err;
    int64_t next = INT64_MAX, due;
    bool did = true;
    while (did && !world->crashed) {
        did = false;
        if (wake_run(world->wake, &next, &err) < 0)
            fail_msg("seed %llu: %s", (unsigned long long)world->seed, err.text);
        for (size_t i = 0; i < CHANNELS && !world->crashed; i++) {
            int result = outbox_step(world->outbox, i, &err);
            must(world, result >= 0 || world->crashed, "%s", err.text);
            did = did || result == 1;
        }
        did = did || next <= pace_now(&world->pace);
    }
    if (world->crashed) {
        say(world, "the program died");
        stop(world);
        world->crashed = false;
        world->outages[world->outage_count++] =
            (struct outage){-1, now(world), now(world) + (int64_t)pick(world, 600) * NS_PER_SECOND + 1, 0};
        return INT64_MAX;
    }
    assert_int_equal(outbox_due(world->outbox, &due, &err), 0);
    due = due < next ? due : next;
    return due == INT64_MAX ? due : due - world->pace.offset_ns;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The wall clock is set wrong at times; who is on call then is as wrong, so the oracle asks the same clock. */
static void maybe_step_clock(struct world *world)
{
    if (pick(world, 40) == 0) {
        int64_t by = ((int64_t)pick(world, 7200) - 3600) * NS_PER_SECOND;
        world->clock.wall_ns += by;
        say(world, "the wall clock is set by %lld s", (long long)(by / NS_PER_SECOND));
    }
}

static void advance(struct world *world, int64_t to)
{
    int64_t by = to - now(world);
    if (by > 0)
        clock_manual_advance(&world->clock, by);
}

static int64_t next_outage_edge(const struct world *world)
{
    int64_t best = INT64_MAX;
    for (size_t i = 0; i < world->outage_count && !world->calm; i++)
        if (world->outages[i].channel == -1) {
            if (world->outages[i].from > now(world))
                best = least(best, world->outages[i].from);
            if (world->outages[i].to > now(world))
                best = least(best, world->outages[i].to);
        }
    return best;
}

static void live(struct world *world, int64_t until)
{
    while (now(world) < until) {
        bool down = outage_at(world, -1, now(world)) != NULL;
        struct incident_script *script = NULL;
        const struct sent *sent = NULL;
        int64_t next = INT64_MAX;
        if (down && world->running) {
            say(world, "the program is stopped");
            stop(world);
        }
        if (!down && !world->running) {
            start(world);
            say(world, "the program starts");
        }
        if (world->running)
            next = run_program(world);
        int64_t answers = world->running ? next_answer(world, &sent) : INT64_MAX;
        int64_t opens = world->running ? next_script(world, &script) : INT64_MAX;
        int64_t to = least(least(answers, opens), least(next, next_outage_edge(world)));
        if (to > until)
            to = until;
        advance(world, to > now(world) ? to : now(world) + (world->running ? 0 : 1));
        maybe_step_clock(world);
        if (!world->running)
            continue;
        if (script && opens <= now(world)) {
            if (script->id) {
                script->severity = SEVERITY_CRITICAL;
                script->grew = true;
                script->graver_at = 0;
            }
            open_incident(world, script);
        }
        else if (sent && answers <= now(world))
            answer(world, sent);
    }
}

/* ---- what must hold ---- */

static int64_t number(struct world *world, const char *sql, int64_t a)
{
    struct err err;
    int64_t n;
    if (database_number(world->database, sql, BINDS(bind_i64(a)), &n, &err) < 0)
        fail_msg("%s", err.text);
    return n;
}

static void check_persons(struct world *world)
{
    struct query *query;
    struct err err;
    const struct plan_policy *policy = &world->read->policies[0];
    assert_int_equal(query_begin(world->database, "SELECT person,step,made_ns,id FROM wakings", &query, &err), 0);
    while (query_step(query, &err) == 1) {
        struct slice person = query_get_text(query, 0, world->arena);
        int64_t step = query_get_i64(query, 1), made = query_get_i64(query, 2);
        if (number(world, "SELECT instead FROM wakings WHERE id=?1", query_get_i64(query, 3)))
            continue; /* the same person as before it, by the database's own key */
        must(world, may_be_woken(world, &policy->steps[step], person, made), "%.*s was woken by step %lld, but has no part in it",
             SLICE_ARG(person), (long long)step);
    }
    query_end(query);
    must(world, number(world, "SELECT count(*) FROM wakings w WHERE instead=1 AND NOT EXISTS(SELECT 1 FROM wakings v WHERE"
                              " v.page=w.page AND v.round=w.round AND v.step=w.step AND v.person=w.person AND v.instead=0"
                              " AND ?1=0)", 0) == 0, "somebody was woken instead of nobody");
}

static void check_keys(struct world *world)
{
    must(world, number(world, "SELECT count(*) FROM (SELECT waking FROM outbox WHERE waking>?1 GROUP BY waking HAVING count(*)>1)",
                       0) == 0, "a message was owed twice");
    for (size_t i = 0; i < world->sent_count; i++) {
        const struct sent *a = &world->sent[i];
        for (size_t k = i + 1; a->token[0] && k < world->sent_count; k++) {
            const struct sent *b = &world->sent[k];
            if (strcmp(a->token, b->token) == 0)
                must(world, strcmp(a->key, b->key) == 0 && strcmp(a->person, b->person) == 0 && a->channel == b->channel,
                     "one message came with two keys");
        }
    }
}

static void check_answered(struct world *world)
{
    for (size_t i = 0; i < world->incident_count; i++) {
        const struct incident_script *script = &world->incidents[i];
        char name[INCIDENT_NAME_SIZE];
        if (!script->answered)
            continue;
        must(world, number(world, "SELECT max(made_pace) FROM wakings w JOIN pages p ON p.id=w.page WHERE p.incident=?1",
                           script->id) <= script->answered_at_pace, "somebody was woken after INC-%lld was answered",
             (long long)script->id);
        incident_name(script->id, name);
        for (size_t k = 0; k < world->sent_count; k++)
            must(world, !world->sent[k].token[0] || strcmp(world->sent[k].incident, name) != 0 ||
                            world->sent[k].pace <= script->answered_pace,
                 "%s was told of after the answer", name);
    }
}

/* Every channel heard of every incident that became critical, in order, and twice only under the same key. */
static void check_news(struct world *world)
{
    must(world, number(world, "SELECT count(*) FROM outbox WHERE waking IS NULL AND done_ns IS NULL AND id>?1", 0) == 0,
         "news are still owed hours after all works again");
    for (size_t i = 0; i < world->incident_count; i++) {
        const struct incident_script *script = &world->incidents[i];
        for (int channel = 0; script->critical_pace && channel < CHANNELS; channel++) {
            char name[INCIDENT_NAME_SIZE], key[2][40] = {"", ""};
            const char *want = script->grew ? "severity" : "opened";
            incident_name(script->id, name);
            for (size_t k = 0; k < world->sent_count; k++) {
                const struct sent *sent = &world->sent[k];
                int later = strcmp(sent->event, "severity") == 0;
                if (sent->token[0] || sent->channel != channel || strcmp(sent->incident, name) != 0)
                    continue;
                must(world, !key[later][0] || strcmp(key[later], sent->key) == 0, "%s: channel %d has the same news under two keys",
                     name, channel);
                must(world, later || !key[1][0], "%s: channel %d hears that it opened after it became graver", name, channel);
                snprintf(key[later], sizeof(key[later]), "%s", sent->key);
            }
            must(world, key[strcmp(want, "severity") == 0][0], "%s: channel %d never heard of it", name, channel);
        }
    }
}

/* The program ran all the time from..to, and some contact of every person worked. */
static bool all_well(const struct world *world, int64_t from, int64_t to)
{
    for (size_t i = 0; i < world->outage_count; i++)
        if (world->outages[i].from < to && world->outages[i].to > from)
            return false;
    return true;
}

/* Every page of an incident that nobody had answered: its first step came on time, and came to somebody. */
static void check_delivered(struct world *world)
{
    for (size_t i = 0; i < world->incident_count; i++) {
        const struct incident_script *script = &world->incidents[i];
        if (!script->id)
            continue;
        must(world, number(world, "SELECT count(*) FROM pages WHERE incident=?1", script->id) == 1,
             "INC-%lld has no page, or two", (long long)script->id);
        int64_t begun = number(world, "SELECT begun_pace FROM pages WHERE incident=?1", script->id);
        bool held = begun > script->opened_pace;
        must(world, !script->critical_pace || begun <= script->critical_pace,
             "INC-%lld is critical, and waits for the end of quiet hours", (long long)script->id);
        bool sent = false;
        int64_t first = INT64_MAX;
        char name[INCIDENT_NAME_SIZE];
        incident_name(script->id, name);
        for (size_t k = 0; k < world->sent_count; k++)
            if (world->sent[k].token[0] && strcmp(world->sent[k].incident, name) == 0) {
                sent = true;
                first = least(first, world->sent[k].pace);
            }
        int64_t made = number(world, "SELECT min(made_pace) FROM wakings w JOIN pages p ON p.id=w.page WHERE p.incident=?1",
                              script->id);
        if (!made)
            continue; /* nobody was on call, which the timeline says */
        must(world, sent || number(world, "SELECT count(*) FROM outbox WHERE incident=?1 AND waking>0 AND done_ns IS NULL",
                                   script->id) > 0 || script->answered,
             "%s never came to anybody and is not owed any more", name);
        if (!held && all_well(world, script->at - 4000 * NS_PER_SECOND, script->at + 30 * NS_PER_SECOND) && sent &&
            number(world, "SELECT min(w.step)+min(w.round) FROM wakings w JOIN pages p ON p.id=w.page WHERE p.incident=?1",
                   script->id) == 0 &&
            world->read->policies[0].steps[0].at_ns == 0)
            must(world, first - script->at < 2 * NS_PER_SECOND || script->at > first,
                 "%s came %lld s late", name, (long long)((first - script->at) / NS_PER_SECOND));
    }
}

static bool never_stopped(const struct world *world)
{
    for (size_t i = 0; i < world->outage_count; i++)
        if (world->outages[i].channel == -1)
            return false;
    return true;
}

static bool channel_works(const struct world *world, int channel, int64_t from, int64_t to)
{
    for (size_t i = 0; i < world->outage_count; i++) {
        const struct outage *one = &world->outages[i];
        if (one->channel == channel && one->from < to && one->to > from)
            return false;
    }
    return true;
}

/* Whom a step woke has a message within ten seconds, if one of the person's channels works. */
static void check_failover(struct world *world, int64_t page, const char *incident, struct slice person, int64_t made)
{
    char name[16];
    bool works = false, came = false;
    copy_text(name, sizeof(name), person);
    const struct plan_person *who = person_named(world, name);
    for (int k = 0; k < who->count; k++)
        works = works || channel_works(world, who->contacts[k], made - NS_PER_SECOND, made + 40 * NS_PER_SECOND);
    for (size_t i = 0; i < world->sent_count; i++)
        came = came || (strcmp(world->sent[i].incident, incident) == 0 && strcmp(world->sent[i].person, name) == 0 &&
                        world->sent[i].pace >= made && world->sent[i].pace <= made + 10 * NS_PER_SECOND);
    must(world, !works || came, "page %lld: %s has a channel that works, and nothing came within 10 s", (long long)page, name);
}

/* Of a program that ran all the time: every step of the first round came in its minute, or before it when nobody could be
 * reached, and to somebody. */
static void check_minutes(struct world *world)
{
    const struct plan_policy *policy = &world->read->policies[0];
    for (size_t i = 0; never_stopped(world) && i < world->incident_count; i++) {
        const struct incident_script *script = &world->incidents[i];
        char name[INCIDENT_NAME_SIZE];
        struct query *query;
        struct err err;
        if (!script->id)
            continue;
        incident_name(script->id, name);
        int64_t begun = number(world, "SELECT begun_pace FROM pages WHERE incident=?1", script->id);
        assert_int_equal(query_begin_with(world->database,
                                          "SELECT w.person,w.step,w.made_pace,p.id FROM wakings w JOIN pages p ON p.id=w.page"
                                          " WHERE p.incident=?1 AND w.instead=0 AND w.round=0",
                                          BINDS(bind_i64(script->id)), &query, &err), 0);
        while (query_step(query, &err) == 1) {
            int64_t due = begun + policy->steps[query_get_i64(query, 1)].at_ns, made = query_get_i64(query, 2);
            must(world, made <= due + NS_PER_SECOND, "%s: step %lld came %lld s late", name,
                 (long long)query_get_i64(query, 1), (long long)((made - due) / NS_PER_SECOND));
            if (!script->answered || script->answered_at_pace > made + 10 * NS_PER_SECOND)
                check_failover(world, query_get_i64(query, 3), name, query_get_text(query, 0, world->arena),
                               made - world->pace.offset_ns);
        }
        query_end(query);
        for (size_t step = 0; step < policy->count; step++) {
            int64_t due = begun + policy->steps[step].at_ns + NS_PER_SECOND;
            bool open = due <= pace_now(&world->pace) && (!script->answered || script->answered_at_pace > due);
            int64_t fired = number(world, "SELECT round*100+step FROM pages WHERE incident=?1", script->id);
            must(world, !open || fired > (int64_t)step, "%s: step %zu never came", name, step);
        }
    }
}

static void check_tightened(struct world *world)
{
    int64_t after = world->read->policies[0].unanswered_after_ns;
    for (size_t i = 0; i < world->incident_count; i++) {
        const struct incident_script *script = &world->incidents[i];
        if (!script->id)
            continue;
        int64_t at = world->tightened[script->id];
        int64_t begun = number(world, "SELECT begun_pace FROM pages WHERE incident=?1", script->id) - world->pace.offset_ns;
        (void)begun;
        must(world, !at || after, "the gate was tightened, and no plan says so");
        if (!after)
            continue;
        int64_t done = number(world, "SELECT unanswered_ns FROM pages WHERE incident=?1", script->id);
        must(world, !done || at, "the record says that the gate was tightened, and it was not");
        must(world, !at || !script->answered || at <= script->answered_pace, "the gate was tightened after the answer");
        bool unanswered = !script->answered && number(world, "SELECT state='running' FROM pages WHERE incident=?1", script->id);
        must(world, !unanswered || at || number(world, "SELECT unanswered_pace>?1 FROM pages LIMIT 1", pace_now(&world->pace)) ||
                        number(world, "SELECT unanswered_pace FROM pages WHERE incident=?1", script->id) > pace_now(&world->pace),
             "INC-%lld: nobody answered, and the gate stays open", (long long)script->id);
    }
}

static void run_seed(uint64_t seed, int64_t span)
{
    static struct world world;
    make_world(&world, seed, span);
    live(&world, now(&world) + span);
    world.calm = true; /* all is well again: what is owed comes */
    world.crash_in = 0;
    live(&world, now(&world) + 3 * NS_PER_HOUR);
    check_persons(&world);
    check_keys(&world);
    check_answered(&world);
    check_news(&world);
    check_delivered(&world);
    check_minutes(&world);
    check_tightened(&world);
    end_world(&world);
}

static void nights_with_faults(void **state)
{
    (void)state;
    const char *one = getenv("WAKE_SEED"), *full = getenv("HINOMI_FULL");
    uint64_t count = full && *full ? 10000 : 1000;
    if (one) {
        run_seed(strtoull(one, NULL, 10), 2 * NS_PER_DAY);
        return;
    }
    for (uint64_t seed = 1; seed <= count; seed++)
        run_seed(seed, 2 * NS_PER_DAY);
}

/* All changes of the clock, the leap day's year, every turn of every rotation. */
static void years(void **state)
{
    (void)state;
    const char *full = getenv("HINOMI_FULL");
    uint64_t count = full && *full ? 300 : 10;
    if (getenv("WAKE_SEED"))
        return;
    for (uint64_t seed = 1; seed <= count; seed++)
        run_seed(1000000 + seed, 400 * NS_PER_DAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nights_with_faults), cmocka_unit_test(years)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
