/* Runs of playbooks: where each stands, what moves it. */
#include "respond/act/act_inside.h"
#include "respond/act/playbook.h"

#include <stdio.h>

void playbook_run_name(int64_t run, char to[PLAYBOOK_NAME_SIZE])
{
    snprintf(to, PLAYBOOK_NAME_SIZE, "RUN-%lld", (long long)run);
}

int playbook_parse_run(struct slice name, int64_t *run, struct err *err)
{
    if (slice_starts(name, SLICE("RUN-")) && slice_to_i64(slice_from(name, 4), run) && *run > 0)
        return 0;
    return err_set(err, ERR_NOT_FOUND, "there is no run %.*s of a playbook", SLICE_ARG(name));
}

/* A run and the step whose turn it is. */
struct turn {
    struct act *act;
    struct arena *arena;
    int64_t run, incident, step, order, people;
    struct slice playbook, by, via, state, kind, action, role, step_state;
};

static int read_turn(struct act *act, int64_t run, struct arena *arena, struct turn *out, struct err *err)
{
    struct query *query;
    *out = (struct turn){.act = act, .arena = arena, .run = run};
    if (query_begin(act->config.database, "SELECT r.incident,r.step,coalesce(s.order_id,0),coalesce(s.people,0),r.playbook,r.started_by,"
                    "r.via,r.state,coalesce(s.kind,''),coalesce(s.action,''),coalesce(s.role,''),coalesce(s.state,'') FROM playbook_runs r"
                    " LEFT JOIN playbook_steps s ON s.run=r.id AND s.number=r.step WHERE r.id=?1", &query, err) < 0)
        return -1;
    query_i64(query, 1, run);
    int result = query_step(query, err);
    if (result == 1) {
        int64_t *numbers[] = {&out->incident, &out->step, &out->order, &out->people};
        struct slice *texts[] = {&out->playbook, &out->by, &out->via, &out->state, &out->kind, &out->action, &out->role, &out->step_state};
        for (int i = 0; i < (int)ARRAY_COUNT(numbers); i++)
            *numbers[i] = query_get_i64(query, i);
        for (int i = 0; i < (int)ARRAY_COUNT(texts); i++)
            *texts[i] = query_get_text(query, (int)ARRAY_COUNT(numbers) + i, arena);
    }
    query_end(query);
    if (result == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no run RUN-%lld of a playbook", (long long)run);
    return result < 0 ? -1 : out->step_state.ptr && out->state.ptr && out->kind.ptr ? 0 : err_nomem(err);
}

static int tell(const struct turn *turn, const char *what, struct slice actor, struct slice en, struct slice ja, struct err *err)
{
    const struct act_order about = {.incident = turn->incident};
    const struct act_news news = {.what = what, .actor = actor, .via = turn->via, .en = en, .ja = ja};
    return act_tell(turn->act, &about, &news, err);
}

/* ---- the rows ---- */

static int set_step(const struct turn *turn, const char *state, struct slice person, struct slice text, struct err *err)
{
    struct query *query;
    if (query_begin(turn->act->config.database, "UPDATE playbook_steps SET state=?3,person=?4,text=?5,ended_ns=?6 WHERE run=?1 AND number=?2",
                    &query, err) < 0)
        return -1;
    query_i64(query, 1, turn->run);
    query_i64(query, 2, turn->step);
    query_text(query, 3, slice_text(state));
    query_text(query, 4, person);
    query_text(query, 5, text);
    query_i64(query, 6, act_now(turn->act));
    return query_run(query, err);
}

static int set_run(const struct turn *turn, int64_t step, const char *state, struct err *err)
{
    struct query *query;
    if (query_begin(turn->act->config.database, "UPDATE playbook_runs SET step=?2,state=?3,changed_ns=?4 WHERE id=?1", &query, err) < 0)
        return -1;
    query_i64(query, 1, turn->run);
    query_i64(query, 2, step);
    query_text(query, 3, slice_text(state));
    query_i64(query, 4, act_now(turn->act));
    return query_run(query, err);
}

/* The step has ended in this way; the next one's turn, or the end. */
static int end_step(const struct turn *turn, const char *state, struct slice person, struct slice text, struct err *err)
{
    int64_t steps;
    if (set_step(turn, state, person, text, err) < 0 ||
        act_number(turn->act, "SELECT count(*) FROM playbook_steps WHERE run=?1", turn->run, SLICE_NONE, &steps, err) < 0)
        return -1;
    bool last = turn->step >= steps;
    if (set_run(turn, last ? turn->step : turn->step + 1, last ? "done" : "running", err) < 0)
        return -1;
    return tell(turn, "playbook.step", person,
                arena_printf(turn->arena, "RUN-%lld (%.*s): step %lld of %lld is %s%s%.*s", (long long)turn->run, SLICE_ARG(turn->playbook),
                             (long long)turn->step, (long long)steps, state, text.len ? ": " : "", SLICE_ARG(text)),
                arena_printf(turn->arena, "RUN-%lld（%.*s）: 手順 %lld/%lld %s%s%.*s", (long long)turn->run, SLICE_ARG(turn->playbook),
                             (long long)turn->step, (long long)steps,
                             slice_is(slice_text(state), "done") ? "完了" : "省略", text.len ? ": " : "", SLICE_ARG(text)), err);
}

/* ---- beginning ---- */

static int insert_steps(struct act *act, int64_t run, const struct playbook *book, struct err *err)
{
    for (size_t i = 0; i < book->count; i++) {
        const struct playbook_step *step = &book->steps[i];
        struct query *query;
        if (query_begin(act->config.database, "INSERT INTO playbook_steps(run,number,kind,action,en,ja,people,role,state)"
                        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,'waiting')", &query, err) < 0)
            return -1;
        query_i64(query, 1, run);
        query_i64(query, 2, (int64_t)i + 1);
        query_text(query, 3, slice_text(playbook_kind_name(step->kind)));
        query_text(query, 4, step->action);
        query_text(query, 5, step->en);
        query_text(query, 6, step->ja);
        query_i64(query, 7, step->people);
        query_text(query, 8, slice_text(role_name(step->role)));
        if (query_run(query, err) < 0)
            return -1;
    }
    return 0;
}

static int insert_run(const struct turn *turn, const struct playbook *book, int64_t *run, struct err *err)
{
    struct query *query;
    if (query_begin(turn->act->config.database, "INSERT INTO playbook_runs(playbook,title_en,title_ja,incident,started_by,via,started_ns,"
                    "changed_ns,step,state) VALUES(?1,?2,?3,?4,?5,?6,?7,?7,1,'running')", &query, err) < 0)
        return -1;
    query_text(query, 1, book->name);
    query_text(query, 2, book->title_en);
    query_text(query, 3, book->title_ja);
    query_i64(query, 4, turn->incident);
    query_text(query, 5, turn->by);
    query_text(query, 6, turn->via);
    query_i64(query, 7, act_now(turn->act));
    int result = query_step(query, err);
    *run = database_last_id(turn->act->config.database);
    query_end(query);
    return result < 0 ? -1 : 0;
}

static int begin_run(struct turn *turn, const struct playbook *book, int64_t *run, struct err *err)
{
    struct incident incident;
    int64_t other;
    if (incident_read_head(turn->act->config.database, turn->incident, turn->arena, &incident, err) < 0 ||
        act_number(turn->act, "SELECT id FROM playbook_runs WHERE incident=?1 AND playbook=?2 AND state IN('running','stuck') LIMIT 1",
                   turn->incident, book->name, &other, err) < 0)
        return -1;
    if (other)
        return err_set(err, ERR_CONFLICT, "RUN-%lld of this playbook goes on there already", (long long)other);
    if (insert_run(turn, book, run, err) < 0 || insert_steps(turn->act, *run, book, err) < 0)
        return -1;
    return tell(turn, "playbook.start", turn->by,
                arena_printf(turn->arena, "RUN-%lld: %.*s started the playbook %.*s", (long long)*run, SLICE_ARG(turn->by), SLICE_ARG(book->title_en)),
                arena_printf(turn->arena, "RUN-%lld: %.*s が手順書「%.*s」を開始しました", (long long)*run, SLICE_ARG(turn->by),
                             SLICE_ARG(book->title_ja)), err);
}

/* In a transaction: all of it or nothing. */
static int bracket(struct act *act, int result, struct err *err)
{
    if (result == 0)
        return database_commit(act->config.database, err);
    database_rollback(act->config.database);
    return -1;
}

int playbook_check_role(struct act *act, struct slice playbook, enum role role, struct err *err)
{
    const struct playbook *book = act->config.playbooks ? playbook_find(act->config.playbooks, playbook) : NULL;
    for (size_t i = 0; book && i < book->count; i++) {
        const struct act_settings *row = act_find(act, book->steps[i].action);
        if (row && !role_allows(role, row->role))
            return err_set(err, ERR_DENIED, "its action %.*s needs the role %s", SLICE_ARG(row->name), role_name(row->role));
    }
    return 0;
}

int playbook_start(struct act *act, struct slice playbook, struct slice incident, struct slice by, struct slice via, int64_t *run,
                   struct err *err)
{
    const struct playbook *book = act->config.playbooks ? playbook_find(act->config.playbooks, playbook) : NULL;
    struct turn turn = {.act = act, .by = by, .via = via};
    *run = 0;
    if (!book)
        return err_set(err, ERR_NOT_FOUND, "there is no playbook %.*s", SLICE_ARG(playbook));
    if (!incident_parse_name(incident, &turn.incident))
        return err_set(err, ERR_NOT_FOUND, "there is no incident %.*s", SLICE_ARG(incident));
    for (size_t i = 0; i < book->count; i++)
        if (book->steps[i].kind == PLAYBOOK_ACTION && !act_find(act, book->steps[i].action))
            return err_set(err, ERR_CONFLICT, "step %zu is the action %.*s, which is not in the configuration", i + 1,
                           SLICE_ARG(book->steps[i].action));
    turn.arena = arena_new(ACT_ARENA_MAX);
    if (!turn.arena)
        return err_nomem(err);
    int result = database_begin(act->config.database, err);
    if (result == 0)
        result = bracket(act, begin_run(&turn, book, run, err), err);
    arena_free(turn.arena);
    act_wake(act);
    return result;
}

/* ---- a step that is an action ---- */

static int ask(const struct turn *turn, int64_t *order, struct err *err)
{
    struct incident incident;
    char name[INCIDENT_NAME_SIZE];
    const struct act_settings *row = act_find(turn->act, turn->action);
    if (!row)
        return err_set(err, ERR_CONFLICT, "the action %.*s is not in the configuration any more", SLICE_ARG(turn->action));
    if (incident_read(turn->act->config.database, turn->incident, turn->arena, &incident, err) < 0)
        return -1;
    struct entity *entities = arena_array(turn->arena, incident.entity_count + 1, sizeof(*entities));
    struct slice key = arena_printf(turn->arena, "playbook %lld %lld", (long long)turn->run, (long long)turn->step);
    struct act_request request = {.action = turn->action, .by = turn->by, .via = SLICE("playbook"), .reason = turn->playbook, .key = key,
                                  .entities = entities};
    if (!entities || !key.ptr)
        return err_nomem(err);
    /* asked for before a crash: the incident may have grown since */
    if (act_number(turn->act, "SELECT id FROM action_orders WHERE key=?2 AND ?1=0", 0, key, order, err) < 0 || *order)
        return *order ? 0 : -1;
    for (size_t i = 0; i < incident.entity_count; i++)
        for (size_t k = 0; k < row->take_count; k++)
            if (slice_equal(row->takes[k], incident.entities[i].type))
                entities[request.entity_count++] = incident.entities[i];
    if (!request.entity_count)
        return err_set(err, ERR_CONFLICT, "the incident has nothing that %.*s can be done to", SLICE_ARG(turn->action));
    incident_name(turn->incident, name);
    request.incident = slice_text(name);
    return act_request(turn->act, &request, order, err);
}

static int remember_order(const struct turn *turn, int64_t order, struct err *err)
{
    struct query *query;
    if (query_begin(turn->act->config.database, "UPDATE playbook_steps SET order_id=?3,state='doing' WHERE run=?1 AND number=?2", &query, err) < 0)
        return -1;
    query_i64(query, 1, turn->run);
    query_i64(query, 2, turn->step);
    query_i64(query, 3, order);
    return query_run(query, err);
}

/* It waits for a person: skip it, or stop. */
static int stick(const struct turn *turn, struct slice why, struct err *err)
{
    if (set_step(turn, "failed", SLICE("hinomi"), why, err) < 0 || set_run(turn, turn->step, "stuck", err) < 0)
        return -1;
    return tell(turn, "playbook.stuck", SLICE("hinomi"),
                arena_printf(turn->arena, "RUN-%lld (%.*s): step %lld failed, and somebody has to say how to go on: %.*s", (long long)turn->run,
                             SLICE_ARG(turn->playbook), (long long)turn->step, SLICE_ARG(why)),
                arena_printf(turn->arena, "RUN-%lld（%.*s）: 手順 %lld が失敗しました。続け方を選んでください: %.*s", (long long)turn->run,
                             SLICE_ARG(turn->playbook), (long long)turn->step, SLICE_ARG(why)), err);
}

/* A run that was stopped while its action was asked for: that is taken back. */
static int end_late(const struct turn *turn, int64_t order, struct err *err)
{
    return bracket(turn->act, remember_order(turn, order, err), err) < 0 || act_undo(turn->act, order, turn->by, err) < 0 ? -1 : 1;
}

/* 1: it went on; 0: it waits. */
static int go_on_action(const struct turn *turn, struct err *err)
{
    struct act_state state;
    struct err why;
    int64_t order = turn->order;
    int result = 0;
    err_clear(&why);
    if (!order && ask(turn, &order, &why) < 0 && (why.code == ERR_NOMEM || why.code == ERR_IO)) {
        *err = why;
        return -1;
    }
    if (order && act_state(turn->act, order, turn->arena, &state, err) < 0)
        return -1;
    bool waits = order && (slice_is(state.state, "waiting") || slice_is(state.state, "working") || slice_is(state.state, "undoing"));
    if (waits && turn->order)
        return 0;
    if (database_begin(turn->act->config.database, err) < 0)
        return -1;
    int64_t running = 0;
    result = act_number(turn->act, "SELECT count(*) FROM playbook_runs WHERE id=?1 AND state='running'", turn->run, SLICE_NONE, &running, err);
    if (result == 0 && !running && order)
        return end_late(turn, order, err);
    if (result == 0 && !running)
        return bracket(turn->act, 0, err) < 0 ? -1 : 1;
    if (result == 0 && order && !turn->order)
        result = remember_order(turn, order, err);
    if (result == 0 && !order)
        result = stick(turn, slice_text(why.text), err);
    else if (result == 0 && !waits && slice_is(state.state, "done") && !state.failed)
        result = end_step(turn, "done", SLICE("hinomi"), SLICE(""), err);
    else if (result == 0 && !waits)
        result = stick(turn, state.failed ? SLICE("the action failed") : SLICE("the action was cancelled or undone"), err);
    return bracket(turn->act, result, err) < 0 ? -1 : 1;
}

/* Of all runs the first that can go on; those that wait cost a look. */
int playbook_go_on(struct act *act, struct arena *arena, struct err *err)
{
    int64_t run = 0;
    for (;;) {
        struct turn turn;
        if (act_number(act, "SELECT r.id FROM playbook_runs r JOIN playbook_steps s ON s.run=r.id AND s.number=r.step WHERE r.id>?1 AND"
                       " r.state='running' AND s.kind='action' ORDER BY r.id LIMIT 1", run, SLICE_NONE, &run, err) < 0)
            return -1;
        if (!run)
            return 0;
        if (read_turn(act, run, arena, &turn, err) < 0)
            return -1;
        int result = go_on_action(&turn, err);
        if (result != 0)
            return result;
    }
}

/* ---- people ---- */

static int approve(const struct turn *turn, struct slice person, struct err *err)
{
    struct query *query;
    int64_t have;
    if (slice_equal(turn->by, person))
        return err_set(err, ERR_DENIED, "who started the playbook cannot approve its steps");
    if (query_begin(turn->act->config.database, "INSERT OR IGNORE INTO playbook_approvals(run,number,person,time_ns) VALUES(?1,?2,?3,?4)",
                    &query, err) < 0)
        return -1;
    query_i64(query, 1, turn->run);
    query_i64(query, 2, turn->step);
    query_text(query, 3, person);
    query_i64(query, 4, act_now(turn->act));
    if (query_run(query, err) < 0 ||
        act_number(turn->act, "SELECT count(*) FROM playbook_approvals a JOIN playbook_runs r ON r.id=a.run AND r.step=a.number WHERE a.run=?1",
                   turn->run, SLICE_NONE, &have, err) < 0)
        return -1;
    return have >= turn->people ? end_step(turn, "done", person, SLICE("approved"), err) : 0;
}

static int take_answer(const struct turn *turn, int64_t step, enum playbook_answer answer, struct slice person, struct slice text,
                       struct err *err)
{
    bool open = slice_is(turn->state, "running") || slice_is(turn->state, "stuck");
    if (!open || turn->step != step)
        return err_set(err, ERR_CONFLICT, "it is the turn of step %lld of RUN-%lld, which is %.*s", (long long)turn->step,
                       (long long)turn->run, SLICE_ARG(turn->state));
    if (text.len > 10 * ACTION_VALUE_BYTES_MAX)
        return err_set(err, ERR_CONFIG, "a text has at most %d bytes", 10 * ACTION_VALUE_BYTES_MAX);
    bool approval = slice_is(turn->kind, "approval"), task = slice_is(turn->kind, "task"), stuck = slice_is(turn->state, "stuck");
    if (answer == PLAYBOOK_APPROVE && approval)
        return approve(turn, person, err);
    if (answer == PLAYBOOK_DONE && task)
        return end_step(turn, "done", person, text, err);
    if (answer == PLAYBOOK_SKIP && (task || stuck) && slice_trim(text).len)
        return end_step(turn, "skipped", person, text, err);
    if (answer == PLAYBOOK_SKIP && (task || stuck))
        return err_set(err, ERR_CONFIG, "say in text why it is skipped");
    return err_set(err, ERR_CONFLICT, "this step is an %.*s: a task is done or skipped, an approval approved, a failed action skipped",
                   SLICE_ARG(turn->kind));
}

int playbook_answer(struct act *act, int64_t run, int64_t step, enum playbook_answer answer, struct slice person, struct slice text,
                    struct err *err)
{
    struct turn turn;
    struct arena *arena = arena_new(ACT_ARENA_MAX);
    if (!arena)
        return err_nomem(err);
    int result = database_begin(act->config.database, err);
    if (result == 0) {
        result = read_turn(act, run, arena, &turn, err);
        if (result == 0)
            result = take_answer(&turn, step, answer, person, text.ptr ? text : SLICE(""), err);
        result = bracket(act, result, err);
    }
    arena_free(arena);
    act_wake(act);
    return result;
}

int playbook_role(struct act *act, int64_t run, int64_t step, enum playbook_answer answer, enum role *role, struct err *err)
{
    struct turn turn;
    struct arena *arena = arena_new(MIB);
    *role = ROLE_ADMIN;
    if (!arena)
        return err_nomem(err);
    int result = read_turn(act, run, arena, &turn, err);
    if (result == 0)
        *role = answer == PLAYBOOK_APPROVE && turn.step == step && turn.role.len ? role_parse(turn.role) : ROLE_RESPONDER;
    arena_free(arena);
    return result;
}

/* ---- stopping ---- */

static int stop(const struct turn *turn, struct slice person, struct err *err)
{
    if (!slice_is(turn->state, "running") && !slice_is(turn->state, "stuck"))
        return 0;
    if (set_run(turn, turn->step, "stopped", err) < 0)
        return -1;
    return tell(turn, "playbook.stop", person,
                arena_printf(turn->arena, "RUN-%lld (%.*s): %.*s stopped it at step %lld", (long long)turn->run, SLICE_ARG(turn->playbook),
                             SLICE_ARG(person), (long long)turn->step),
                arena_printf(turn->arena, "RUN-%lld（%.*s）: %.*s が手順 %lld で中止しました", (long long)turn->run, SLICE_ARG(turn->playbook),
                             SLICE_ARG(person), (long long)turn->step), err);
}

/* Every action that a step of it asked for. */
static int undo_all(struct act *act, int64_t run, struct slice person, struct err *err)
{
    for (int64_t order = 0;;) {
        struct query *query;
        if (query_begin(act->config.database, "SELECT order_id FROM playbook_steps WHERE run=?1 AND order_id>?2 ORDER BY order_id LIMIT 1",
                        &query, err) < 0)
            return -1;
        query_i64(query, 1, run);
        query_i64(query, 2, order);
        int result = query_step(query, err);
        order = result == 1 ? query_get_i64(query, 0) : 0;
        query_end(query);
        if (result <= 0)
            return result;
        if (act_undo(act, order, person, err) < 0)
            return -1;
    }
}

int playbook_stop(struct act *act, int64_t run, bool undo, struct slice person, struct err *err)
{
    struct turn turn;
    struct arena *arena = arena_new(ACT_ARENA_MAX);
    if (!arena)
        return err_nomem(err);
    int result = database_begin(act->config.database, err);
    if (result == 0) {
        result = read_turn(act, run, arena, &turn, err);
        if (result == 0)
            result = stop(&turn, person, err);
        result = bracket(act, result, err);
    }
    if (result == 0 && undo)
        result = undo_all(act, run, person, err);
    arena_free(arena);
    return result;
}
