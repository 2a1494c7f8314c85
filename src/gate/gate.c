#include "gate/gate_break_glass.h"
#include "gate/gate_parts.h"

#include "base/limits.h"
#include "base/mem.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <time.h>

#define GATE_ARENA_MAX (64 * MIB)
#define SCRATCH_MAX (16 * MIB)
#define PAYLOAD_MAX (512 * MIB)
#define MESSAGE_MAX (64 * MIB)

enum { FIELD_BYTES_MAX = 512, PATH_SIZE = 4096 };

/* ---- starting and stopping ---- */

static void cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void note(const struct gate *gate, const struct err *err)
{
    if (gate->config.note)
        gate->config.note(gate->config.context, err->text);
}

static int replay(void *context, struct slice record, struct err *err)
{
    struct gate *gate = context;
    const struct record *before = book_latest(gate->book, 0);
    int tightened = tightening_replay(&gate->tightening, record, err);
    if (tightened != 0)
        return tightened < 0 ? -1 : 0;
    int waited = waited_replay(&gate->waited, record, err);
    if (waited != 0)
        return waited < 0 ? -1 : 0;
    int stopped = stops_replay(gate->stops, record, err);
    if (stopped != 0)
        return stopped < 0 ? -1 : 0;
    int broken = break_glass_replay(gate->book, record, err);
    if (broken != 0)
        return broken < 0 ? -1 : 0;
    int named = identity_replay(gate, record, err);
    if (named != 0)
        return named < 0 ? -1 : 0;
    int duty = duties_replay(&gate->duties, record, err);
    if (duty != 0)
        return duty < 0 ? -1 : 0;
    if (book_replay(gate->book, record, err) < 0)
        return -1;
    const struct record *latest = book_latest(gate->book, 0);
    if (latest != before && latest->answer.decision == GATE_ALLOW)
        count_allowed(gate, &latest->request, latest->answer.decided_ns);
    return 0;
}

static void take_over(struct gate *gate)
{
    atomic_store(&gate->committed, gate_journal_number(gate->journal));
    gate_doubt_clock_since(gate, gate_journal_time(gate->journal));
}

/* Trouble with any of these does not stop the start: the gate answers hold and says why. */
static void open_files(struct gate *gate)
{
    struct err err;
    char key_path[PATH_SIZE];
    int len = snprintf(key_path, sizeof(key_path), "%s/gate.key", gate->config.dir);
    if (io_make_dirs(gate->io, gate->config.dir, &err) < 0)
        note(gate, &err);
    if (len < PATH_SIZE && token_key_load(gate->io, key_path, &gate->key, &err) == 0)
        gate->has_key = true;
    else
        note(gate, &err);
    if (gate_journal_open(gate->io, gate->config.dir, replay, gate, &gate->journal, &err) < 0)
        note(gate, &err);
    else
        take_over(gate);
    identity_begin(gate);
    policy_start(gate);
    if (gate->config.state_snapshot.len &&
        state_load(gate->state, gate->config.state_snapshot, &err) < 0) {
        gate->state_failed = true;
        note(gate, &err);
    }
}

static int make_parts(struct gate *gate, struct err *err)
{
    gate->arena = arena_new(GATE_ARENA_MAX);
    gate->scratch = arena_new(SCRATCH_MAX);
    gate->copy_scratch = arena_new(SCRATCH_MAX);
    gate->batch = batch_new(SCRATCH_MAX);
    gate->state = state_new(gate->config.state);
    gate->book = book_new();
    gate->incidents = incidents_new();
    gate->stops = stops_new();
    if (!gate->arena || !gate->scratch || !gate->copy_scratch || !gate->batch || !gate->state ||
        !gate->book || !gate->incidents || !gate->stops)
        return err_nomem(err);
    gate->config.dir = arena_string(gate->arena, slice_text(gate->config.dir));
    gate->config.policy_path = arena_string(gate->arena, slice_text(gate->config.policy_path));
    if (!gate->config.dir || !gate->config.policy_path)
        return err_nomem(err);
    return allowed_new(&gate->allowed, err) < 0 ? -1 : intake_columns(gate, err);
}

int gate_new(const struct gate_config *config, struct gate **out, struct err *err)
{
    *out = NULL;
    struct gate *gate = mem_calloc(1, sizeof(*gate));
    if (!gate)
        return err_nomem(err);
    gate->config = *config;
    gate->io = config->io ? config->io : io_real();
    buffer_init(&gate->payload, PAYLOAD_MAX);
    gate_inputs_init(&gate->inputs);
    pthread_mutex_init(&gate->inbox.lock, NULL);
    pthread_mutex_init(&gate->copying, NULL);
    pthread_mutex_init(&gate->reloading, NULL);
    cond_init(&gate->inbox.filled);
    cond_init(&gate->inbox.drained);
    (void)snprintf(gate->inbox.reason, REASON_SIZE, "starting");
    gate->inbox.people = gate->people = -1;
    *out = make_parts(gate, err) < 0 ? NULL : gate;
    if (!*out)
        gate_stop(gate);
    return *out ? 0 : -1;
}

int gate_start(const struct gate_config *config, struct gate **out, struct err *err)
{
    struct gate *gate;
    *out = NULL;
    if (gate_new(config, &gate, err) < 0)
        return -1;
    gate_look_at_clock(gate); /* before the journal is read: what it allowed counts by this clock */
    open_files(gate);
    if (pthread_create(&gate->thread, NULL, gate_run, gate) != 0) {
        gate_stop(gate);
        return err_set(err, ERR_NOMEM, "the gate's thread cannot be started");
    }
    gate->thread_runs = true;
    *out = gate;
    return 0;
}

static void join(struct gate *gate)
{
    pthread_mutex_lock(&gate->inbox.lock);
    gate->inbox.stopping = true;
    pthread_cond_broadcast(&gate->inbox.filled);
    pthread_cond_broadcast(&gate->inbox.drained);
    pthread_mutex_unlock(&gate->inbox.lock);
    if (gate->thread_runs)
        pthread_join(gate->thread, NULL);
}

void gate_stop(struct gate *gate)
{
    if (!gate)
        return;
    join(gate);
    observed_free(gate->observing);
    while (gate->inbox.observed_first) {
        struct observed *observed = gate->inbox.observed_first;
        gate->inbox.observed_first = observed->next;
        observed_free(observed);
    }
    gate_journal_close(gate->journal);
    incidents_free(gate->incidents);
    stops_free(gate->stops);
    allowed_free(gate->allowed);
    book_free(gate->book);
    state_free(gate->state);
    batch_free(gate->batch);
    arena_free(gate->scratch);
    arena_free(gate->copy_scratch);
    arena_free(gate->policy_arena);
    arena_free(gate->arena);
    buffer_close(&gate->payload);
    gate_inputs_close(&gate->inputs);
    sodium_memzero(&gate->key, sizeof(gate->key));
    pthread_mutex_destroy(&gate->inbox.lock);
    pthread_mutex_destroy(&gate->copying);
    pthread_mutex_destroy(&gate->reloading);
    pthread_cond_destroy(&gate->inbox.filled);
    pthread_cond_destroy(&gate->inbox.drained);
    mem_free(gate);
}

/* ---- messages ---- */

static void release_message(void *ptr)
{
    struct message *message = ptr;
    pthread_mutex_destroy(&message->lock);
    pthread_cond_destroy(&message->ready);
}

struct message *message_new(gate_call call)
{
    struct arena *arena = arena_new(MESSAGE_MAX);
    struct message *message = arena ? arena_calloc(arena, sizeof(*message)) : NULL;
    if (!message) {
        arena_free(arena);
        return NULL;
    }
    message->arena = arena;
    message->call = call;
    message->holders = 2;
    pthread_mutex_init(&message->lock, NULL);
    cond_init(&message->ready);
    if (arena_defer(arena, release_message, message) < 0) {
        arena_free(arena);
        return NULL;
    }
    return message;
}

void message_leave(struct message *message)
{
    pthread_mutex_lock(&message->lock);
    message->abandoned = true;
    bool last = --message->holders == 0;
    pthread_mutex_unlock(&message->lock);
    if (last)
        arena_free(message->arena);
}

bool message_send(struct gate *gate, struct message *message)
{
    struct inbox *inbox = &gate->inbox;
    pthread_mutex_lock(&inbox->lock);
    bool room = !inbox->stopping && (message->call || inbox->message_count < MESSAGES_MAX);
    if (room) {
        if (inbox->last)
            inbox->last->next = message;
        else
            inbox->first = message;
        inbox->last = message;
        inbox->message_count++;
        pthread_cond_signal(&inbox->filled);
    }
    pthread_mutex_unlock(&inbox->lock);
    if (!room)
        message->holders = 1; /* nobody else has seen it */
    return room;
}

bool message_wait(struct message *message, int64_t wait_ms)
{
    struct timespec at = clock_deadline(CLOCK_MONOTONIC, wait_ms * NS_PER_MS);
    int result = 0;
    pthread_mutex_lock(&message->lock);
    while (!message->done && result == 0)
        result = wait_ms < 0 ? pthread_cond_wait(&message->ready, &message->lock)
                             : pthread_cond_timedwait(&message->ready, &message->lock, &at);
    bool done = message->done;
    pthread_mutex_unlock(&message->lock);
    return done;
}

/* ---- asking ---- */

static int check_field(struct slice text, const char *name, bool needed, struct err *err)
{
    if (needed && !text.len)
        return err_set(err, ERR_CONFIG, "%s is missing", name);
    if (text.len > FIELD_BYTES_MAX)
        return err_set(err, ERR_CONFIG, "%s is longer than %d bytes", name, FIELD_BYTES_MAX);
    return 0;
}

int check_request(const struct gate_request *request, struct err *err)
{
    if (check_field(request->request_id, "request_id", true, err) < 0 ||
        check_field(request->action, "action", true, err) < 0 ||
        check_field(request->account, "account", false, err) < 0 ||
        check_field(request->asset, "asset", false, err) < 0 ||
        check_field(request->wallet, "wallet", false, err) < 0 ||
        check_field(request->destination, "destination", false, err) < 0 ||
        check_field(request->nonce, "nonce", false, err) < 0)
        return -1;
    if (request->payload.len > GATE_PAYLOAD_BYTES_MAX)
        return err_set(err, ERR_CONFIG, "payload is longer than %zu bytes", GATE_PAYLOAD_BYTES_MAX);
    if (request->at_ns < 0 || request->expiry_ns < 0)
        return err_set(err, ERR_CONFIG, "at or expiry is before 1970");
    return 0;
}

static bool copy_text(struct arena *arena, struct slice *text)
{
    *text = arena_copy(arena, text->ptr ? *text : SLICE(""));
    return text->ptr != NULL;
}

static bool copy_request(struct arena *arena, struct gate_request *request)
{
    return copy_text(arena, &request->request_id) && copy_text(arena, &request->action) &&
           copy_text(arena, &request->account) && copy_text(arena, &request->asset) &&
           copy_text(arena, &request->wallet) && copy_text(arena, &request->destination) &&
           copy_text(arena, &request->nonce) && copy_text(arena, &request->payload);
}

static void refuse(struct gate_ask *ask, const struct err *err, struct arena *arena)
{
    const char *why = arena_string(arena, slice_text(err->text));
    ask->refused = err->code;
    ask->why = why ? why : "out of memory";
}

/* What is well-formed goes into the message, with its place among the asks. */
static bool fill_message(struct message *message, struct gate_ask *asks, size_t count, int64_t now_ns, size_t *places,
                         struct arena *arena)
{
    struct err err;
    message->asked = arena_array(message->arena, count + 1, sizeof(*message->asked));
    for (size_t i = 0; message->asked && i < count; i++) {
        struct asked *to = &message->asked[message->asked_count];
        if (check_request(&asks[i].request, &err) < 0) {
            refuse(&asks[i], &err, arena);
            continue;
        }
        *to = (struct asked){.request = asks[i].request, .at_filled = asks[i].request.at_ns == 0};
        if (to->at_filled)
            to->request.at_ns = now_ns;
        if (!copy_request(message->arena, &to->request))
            return false;
        places[message->asked_count++] = i;
    }
    return message->asked != NULL;
}

static void hold_all(struct gate_ask *asks, size_t count, const char *row, int64_t now_ns)
{
    for (size_t i = 0; i < count; i++)
        if (!asks[i].refused)
            asks[i].answer = own_hold(row, now_ns);
}

static void take_answers(const struct message *message, struct gate_ask *asks, const size_t *places, struct arena *arena)
{
    for (size_t i = 0; i < message->asked_count; i++) {
        const struct asked *from = &message->asked[i];
        struct gate_ask *to = &asks[places[i]];
        struct gate_answer answer = from->answer;
        if (from->err)
            refuse(to, from->err, arena);
        else if (gate_answer_copy(arena, &answer))
            to->answer = answer;
    }
}

/* What never became a record (no answer in time, no memory): in shadow it is not held either. What is in the book keeps its
 * answer: a hold from before the switch to shadow waits for its people. */
static void let_pass_in_shadow(const struct gate *gate, struct gate_ask *asks, size_t count)
{
    for (size_t i = 0; gate->shadow && i < count; i++)
        if (!asks[i].refused && !asks[i].answer.id[0])
            only_say(&asks[i].answer);
}

void gate_decide_many(struct gate *gate, struct gate_ask *asks, size_t count, int64_t wait_ms, struct arena *arena)
{
    int64_t now_ns = clock_wall_ns(gate->config.clock);
    size_t places[GATE_ASK_MAX];
    struct message *message = message_new(NULL);
    assert(count <= GATE_ASK_MAX);
    for (size_t i = 0; i < count; i++) {
        asks[i].refused = ERR_NONE;
        asks[i].why = NULL;
        asks[i].answer = own_hold("memory", now_ns);
    }
    if (!message) {
        let_pass_in_shadow(gate, asks, count);
        return;
    }
    if (!fill_message(message, asks, count, now_ns, places, arena))
        message->holders = 1;
    else if (!message_send(gate, message))
        hold_all(asks, count, "busy", now_ns);
    else if (!message_wait(message, wait_ms < 0 ? 0 : wait_ms))
        hold_all(asks, count, "timeout", now_ns);
    else
        take_answers(message, asks, places, arena);
    let_pass_in_shadow(gate, asks, count);
    message_leave(message);
}

int gate_decide(struct gate *gate, const struct gate_request *request, int64_t wait_ms,
                struct arena *arena, struct gate_answer *out, struct err *err)
{
    struct gate_ask ask = {.request = *request};
    gate_decide_many(gate, &ask, 1, wait_ms, arena);
    *out = ask.answer;
    return ask.refused ? err_set(err, ask.refused, "%s", ask.why) : 0;
}

uint64_t gate_committed(const struct gate *gate)
{
    return atomic_load_explicit(&gate->committed, memory_order_acquire);
}

int gate_token_check(struct gate *gate, const struct gate_request *request, struct slice token,
                     struct err *err)
{
    if (!gate->has_key)
        return err_set(err, ERR_DENIED, "the gate has no key");
    return token_check(&gate->key, request, token, clock_wall_ns(gate->config.clock), err);
}

void gate_set_health(struct gate *gate, bool healthy, const char *reason)
{
    pthread_mutex_lock(&gate->inbox.lock);
    gate->inbox.healthy = healthy;
    (void)snprintf(gate->inbox.reason, REASON_SIZE, "%s", healthy || !reason ? "" : reason);
    pthread_mutex_unlock(&gate->inbox.lock);
}

void gate_set_reachable(struct gate *gate, bool reachable)
{
    pthread_mutex_lock(&gate->inbox.lock);
    gate->inbox.unreachable = !reachable;
    pthread_mutex_unlock(&gate->inbox.lock);
}

void gate_set_people(struct gate *gate, int64_t reachable)
{
    pthread_mutex_lock(&gate->inbox.lock);
    gate->inbox.people = reachable;
    pthread_mutex_unlock(&gate->inbox.lock);
}
