#include "flow/intake.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/thread.h"
#include "event/ip.h"

#include <time.h>

enum { LANES = 1024, TURN_BYTES = 64 * 1024, TICK_MS = 2, RATE_MS = 100 };
#define AHEAD_LEAST (2 * MIB)
#define AHEAD_MOST (64 * MIB)

struct waiting {
    struct waiting *next;
    sink_done done;
    void *context;
    int64_t since_ns; /* monotonic */
    struct buffer bytes; /* encoded delivery */
    bool cannot_wait;
};

/* Senders whose hash is the same share a lane. */
struct lane {
    struct lane *next; /* among those that have something */
    struct waiting *first, *last;
    size_t bytes;
    size_t credit;
    bool active;
};

struct intake {
    struct intake_config config;
    pthread_t thread;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t news;
    struct lane lanes[LANES];
    struct lane *turn, *last_turn; /* the active ones, in order */
    size_t bytes;                  /* that wait */
    bool stopping;
    struct intake_counts counts;
    /* how fast the pipeline walks */
    uint64_t rate_position, ahead_max;
    int64_t rate_ns;
};

/* ---- the journal's answer ---- */

struct answer {
    sink_done done;
    void *context;
};

static void on_journal(void *context, const struct journal_ack *ack)
{
    static const enum sink_result results[] = {
        [JOURNAL_STORED] = SINK_STORED,
        [JOURNAL_DUPLICATE] = SINK_DUPLICATE,
        [JOURNAL_CONFLICT] = SINK_CONFLICT,
        [JOURNAL_FAILED] = SINK_FAILED,
    };
    struct answer *answer = context;
    struct sink_ack said = {results[ack->result], ack->first_seq, ack->err};
    answer->done(answer->context, &said);
    mem_free(answer);
}

static int append(struct intake *intake, const struct delivery *delivery, sink_done done, void *context, struct err *err)
{
    struct answer *answer = done ? mem_alloc(sizeof(*answer)) : NULL;
    if (done && !answer)
        return err_nomem(err);
    if (answer)
        *answer = (struct answer){done, context};
    if (journal_append(intake->config.journal, delivery, answer ? on_journal : NULL, answer, err) == 0)
        return 0;
    mem_free(answer);
    return -1;
}

/* ---- how far the journal may be ahead ---- */

/* Measured while there is something to do: else it is the senders' pace. */
static void measure(struct intake *intake, uint64_t position, uint64_t ahead)
{
    int64_t now = clock_mono_ns(intake->config.clock), span = now - intake->rate_ns;
    if (span < RATE_MS * NS_PER_MS && ahead > AHEAD_LEAST / 2)
        return;
    if (ahead > AHEAD_LEAST / 2 && span < 10 * RATE_MS * NS_PER_MS && position > intake->rate_position) {
        uint64_t walked = (position - intake->rate_position) * INTAKE_AHEAD_MS * NS_PER_MS / (uint64_t)span;
        intake->ahead_max = (intake->ahead_max * 3 + walked) / 4;
        if (intake->ahead_max < AHEAD_LEAST)
            intake->ahead_max = AHEAD_LEAST;
        if (intake->ahead_max > AHEAD_MOST)
            intake->ahead_max = AHEAD_MOST;
    }
    intake->rate_ns = now;
    intake->rate_position = position;
}

static bool has_room(struct intake *intake)
{
    struct journal_stats journal;
    struct pipeline_counts pipeline = pipeline_counts(intake->config.pipeline);
    journal_stats(intake->config.journal, &journal);
    uint64_t end = journal.position + journal.outstanding_bytes;
    uint64_t ahead = end > pipeline.position ? end - pipeline.position : 0;
    measure(intake, pipeline.position, ahead);
    /* Where the pipeline cannot go on, the journal says what becomes of it. */
    return ahead <= intake->ahead_max || pipeline.failed || pipeline.disk_refuses || pipeline.position < intake->config.caught_up_at;
}

/* ---- lanes ---- */

static struct lane *lane_of(struct intake *intake, const struct origin *origin)
{
    struct ip ip;
    uint64_t hash = hash_bytes(origin->source) ^ hash_bytes(origin->identity) * 31;
    if (origin->peer.ptr && ip_parse_peer(origin->peer, &ip))
        hash ^= hash_bytes(slice_of(ip.bytes, sizeof(ip.bytes))) * 131;
    return &intake->lanes[hash % LANES];
}

static void queue(struct intake *intake, struct lane *lane, struct waiting *waiting)
{
    if (lane->last)
        lane->last->next = waiting;
    else
        lane->first = waiting;
    lane->last = waiting;
    lane->bytes += waiting->bytes.len;
    intake->bytes += waiting->bytes.len;
    intake->counts.waited++;
    if (!lane->active) {
        lane->active = true;
        lane->next = NULL;
        if (intake->last_turn)
            intake->last_turn->next = lane;
        else
            intake->turn = lane;
        intake->last_turn = lane;
    }
    pthread_cond_signal(&intake->news);
}

/* A lane may have as much as is left for others (dynamic thresholds: Choudhury, Hahne 1998). */
static bool may_wait(const struct intake *intake, const struct lane *lane, size_t bytes)
{
    size_t left = intake->bytes < INTAKE_BYTES_MAX ? INTAKE_BYTES_MAX - intake->bytes : 0;
    if (lane->bytes == 0)
        return intake->bytes < INTAKE_BYTES_MAX;
    return lane->bytes + bytes <= left;
}

static struct waiting *copy_delivery(const struct delivery *delivery, sink_done done, void *context, int64_t now)
{
    struct waiting *waiting = mem_calloc(1, sizeof(*waiting));
    if (!waiting)
        return NULL;
    *waiting = (struct waiting){.done = done, .context = context, .since_ns = now, .cannot_wait = delivery->cannot_wait};
    buffer_init(&waiting->bytes, 2 * JOURNAL_RECORD_BYTES_MAX);
    delivery_encode(delivery, &waiting->bytes);
    if (!buffer_failed(&waiting->bytes))
        return waiting;
    buffer_close(&waiting->bytes);
    mem_free(waiting);
    return NULL;
}

int intake_take(struct intake *intake, const struct delivery *delivery, sink_done done, void *context, struct err *err)
{
    pthread_mutex_lock(&intake->lock);
    if (intake->stopping || (intake->bytes == 0 && has_room(intake))) {
        pthread_mutex_unlock(&intake->lock);
        return append(intake, delivery, done, context, err);
    }
    struct lane *lane = lane_of(intake, &delivery->origin);
    int result = 0;
    if (!may_wait(intake, lane, delivery->body.len)) {
        intake->counts.refused++;
        result = err_set(err, ERR_LIMIT, "%zu bytes of this sender wait already", lane->bytes);
    } else {
        struct waiting *waiting = copy_delivery(delivery, done, context, clock_mono_ns(intake->config.clock));
        if (waiting)
            queue(intake, lane, waiting);
        else
            result = err_nomem(err);
    }
    pthread_mutex_unlock(&intake->lock);
    return result;
}

/* ---- taking turns ---- */

static struct waiting *take_first(struct intake *intake, struct lane *lane)
{
    struct waiting *waiting = lane->first;
    lane->first = waiting->next;
    if (!lane->first)
        lane->last = NULL;
    lane->bytes -= waiting->bytes.len;
    intake->bytes -= waiting->bytes.len;
    return waiting;
}

static void end_turn(struct intake *intake)
{
    struct lane *lane = intake->turn;
    intake->turn = lane->next;
    if (!intake->turn)
        intake->last_turn = NULL;
    lane->next = NULL;
    lane->active = lane->first != NULL;
    if (!lane->active) {
        lane->credit = 0;
        return;
    }
    lane->credit += TURN_BYTES;
    if (intake->last_turn)
        intake->last_turn->next = lane;
    else
        intake->turn = lane;
    intake->last_turn = lane;
}

/* The next delivery by turns. */
static struct waiting *next_by_turn(struct intake *intake)
{
    while (intake->turn) {
        struct lane *lane = intake->turn;
        if (lane->first && lane->first->bytes.len <= lane->credit + TURN_BYTES) {
            struct waiting *waiting = take_first(intake, lane);
            size_t used = waiting->bytes.len;
            lane->credit = lane->credit > used ? lane->credit - used : 0;
            if (!lane->first || lane->credit == 0)
                end_turn(intake);
            return waiting;
        }
        end_turn(intake);
    }
    return NULL;
}

/* Of a sender that cannot wait and has much that does: nothing may be lost for being early. */
static struct waiting *next_of_the_pressed(struct intake *intake)
{
    for (struct lane *lane = intake->turn; lane; lane = lane->next)
        if (lane->first && lane->first->cannot_wait && lane->bytes > INTAKE_DATAGRAM_BYTES)
            return take_first(intake, lane);
    return NULL;
}

static void answer_late(struct waiting *waiting)
{
    struct err err;
    err_set(&err, ERR_LIMIT, "there was no room for %d seconds", INTAKE_WAIT_MS / 1000);
    if (waiting->done)
        waiting->done(waiting->context, &(struct sink_ack){.result = SINK_FAILED, .err = &err});
}

/* What waits for too long is answered, so that its sender can do something about it. */
static struct waiting *next_late(struct intake *intake)
{
    int64_t oldest = clock_mono_ns(intake->config.clock) - INTAKE_WAIT_MS * NS_PER_MS;
    for (struct lane *lane = intake->turn; lane; lane = lane->next)
        if (lane->first && lane->first->since_ns < oldest) {
            intake->counts.late++;
            return take_first(intake, lane);
        }
    return NULL;
}

static void waiting_free(struct waiting *waiting)
{
    buffer_close(&waiting->bytes);
    mem_free(waiting);
}

static void pass_on(struct intake *intake, struct waiting *waiting)
{
    struct delivery delivery;
    struct err err;
    if ((delivery_decode(buffer_slice(&waiting->bytes), &delivery, &err) < 0 ||
         append(intake, &delivery, waiting->done, waiting->context, &err) < 0) && waiting->done)
        waiting->done(waiting->context, &(struct sink_ack){.result = SINK_FAILED, .err = &err});
    waiting_free(waiting);
}

/* Waits for something to do or for a moment. */
static void rest(struct intake *intake)
{
    struct timespec until = clock_deadline(CLOCK_MONOTONIC, TICK_MS * NS_PER_MS);
    if (intake->bytes)
        pthread_cond_timedwait(&intake->news, &intake->lock, &until);
    else
        pthread_cond_wait(&intake->news, &intake->lock);
}

static void *run(void *context)
{
    struct intake *intake = context;
    pthread_setname_np(pthread_self(), "intake");
    pthread_mutex_lock(&intake->lock);
    while (!intake->stopping || intake->turn) {
        struct waiting *late = intake->stopping ? NULL : next_late(intake);
        struct waiting *next = late ? late
                               : intake->stopping || has_room(intake) ? next_by_turn(intake)
                                                                       : next_of_the_pressed(intake);
        if (!next) {
            if (!intake->stopping)
                rest(intake);
            continue;
        }
        pthread_mutex_unlock(&intake->lock);
        if (late) {
            answer_late(late);
            waiting_free(late);
        } else {
            pass_on(intake, next);
        }
        pthread_mutex_lock(&intake->lock);
    }
    pthread_mutex_unlock(&intake->lock);
    return NULL;
}

/* ---- start and stop ---- */

int intake_start(const struct intake_config *config, struct intake **out, struct err *err)
{
    pthread_condattr_t monotonic;
    struct intake *intake = mem_calloc(1, sizeof(*intake));
    *out = NULL;
    if (!intake)
        return err_nomem(err);
    intake->config = *config;
    intake->ahead_max = AHEAD_MOST / 4;
    pthread_mutex_init(&intake->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&intake->news, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int code = thread_start(&intake->thread, run, intake);
    if (code != 0) {
        pthread_cond_destroy(&intake->news);
        pthread_mutex_destroy(&intake->lock);
        mem_free(intake);
        return err_set_errno(err, code, "cannot start the intake's thread");
    }
    *out = intake;
    return 0;
}

struct intake_counts intake_counts(struct intake *intake)
{
    pthread_mutex_lock(&intake->lock);
    struct intake_counts counts = intake->counts;
    counts.waiting_bytes = intake->bytes;
    pthread_mutex_unlock(&intake->lock);
    return counts;
}

void intake_stop(struct intake *intake)
{
    if (!intake)
        return;
    pthread_mutex_lock(&intake->lock);
    intake->stopping = true;
    pthread_cond_signal(&intake->news);
    pthread_mutex_unlock(&intake->lock);
    pthread_join(intake->thread, NULL);
    pthread_cond_destroy(&intake->news);
    pthread_mutex_destroy(&intake->lock);
    mem_free(intake);
}
