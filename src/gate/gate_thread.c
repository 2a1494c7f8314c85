/* The gate's thread: messages first, one commit for all that wait, then observations in slices. */
#include "gate/gate_parts.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/thread.h"

static void note(struct gate *gate, const char *text)
{
    if (gate->config.note)
        gate->config.note(gate->config.context, text);
}

static void give_up_journal(struct gate *gate, const struct err *err)
{
    gate_journal_close(gate->journal);
    gate->journal = NULL;
    note(gate, err->text);
}

/* How far the journal is durable. */
static void tell(struct gate *gate)
{
    if (!gate->journal)
        return;
    uint64_t number = gate_journal_number(gate->journal);
    atomic_store_explicit(&gate->committed, number, memory_order_release);
    if (gate->config.committed)
        gate->config.committed(gate->config.context, number);
}

int gate_commit(struct gate *gate)
{
    struct err err;
    int result = 0;
    if (buffer_failed(&gate->payload))
        result = err_nomem(&err);
    else if (gate->payload.len && gate->journal)
        result = gate_journal_commit(gate->journal, buffer_slice(&gate->payload), clock_wall_ns(gate->config.clock), &err);
    if (result < 0 && gate->journal)
        give_up_journal(gate, &err);
    else if (gate->payload.len)
        tell(gate);
    buffer_clear(&gate->payload);
    return gate->journal ? 0 : -1;
}

/* ---- answering ---- */

static void fill_answer(struct gate *gate, struct arena *arena, struct asked *asked, bool committed)
{
    if (asked->err || !asked->record)
        return;
    if (asked->fresh && !committed && asked->record->answer.decision == GATE_ALLOW && !asked->record->answer.shadow) {
        struct gate_answer answer = own_hold("journal", asked->record->answer.decided_ns);
        memcpy(answer.id, asked->record->answer.id, sizeof(answer.id));
        book_answer_fixed(gate->book, asked->record, &answer);
    }
    asked->answer = asked->record->answer;
    if (!gate_answer_copy(arena, &asked->answer))
        asked->answer = own_hold("memory", asked->record->answer.decided_ns);
}

static void reply(struct message *message)
{
    pthread_mutex_lock(&message->lock);
    message->done = true;
    pthread_cond_signal(&message->ready);
    bool last = --message->holders == 0;
    pthread_mutex_unlock(&message->lock);
    if (last)
        arena_free(message->arena);
}

/* All answers of a round become durable together, and only then go out. */
static void finish_round(struct gate *gate, struct message **round, size_t *count)
{
    bool committed = gate_commit(gate) == 0;
    for (size_t i = 0; i < *count; i++)
        for (size_t k = 0; k < round[i]->asked_count; k++)
            fill_answer(gate, round[i]->arena, &round[i]->asked[k], committed);
    for (size_t i = 0; i < *count; i++)
        reply(round[i]);
    *count = 0;
}

static bool is_abandoned(struct message *message)
{
    pthread_mutex_lock(&message->lock);
    bool abandoned = message->abandoned;
    pthread_mutex_unlock(&message->lock);
    return abandoned;
}

static void take_message(struct gate *gate, struct message *message, struct message **round,
                         size_t *count)
{
    if (message->call) { /* it may speak of what this round decided */
        finish_round(gate, round, count);
        message->result = message->call(gate, message, &message->err);
    } else if (!is_abandoned(message)) { /* a request that was given up is not decided */
        for (size_t i = 0; i < message->asked_count; i++)
            decide(gate, message->arena, &message->asked[i]);
    }
    round[(*count)++] = message;
}

/* ---- the inbox ---- */

static void look(struct gate *gate)
{
    struct inbox *inbox = &gate->inbox;
    int64_t now_ns = clock_mono_ns(gate->config.clock);
    gate->healthy = inbox->healthy;
    gate->unreachable = inbox->unreachable;
    gate->people = inbox->people;
    gate->lost = inbox->lost;
    gate->behind = inbox->behind || (inbox->observed_first &&
                                     now_ns - inbox->observed_first->pushed_ns > OBSERVE_LAG_NS);
    memcpy(gate->reason, inbox->reason, sizeof(gate->reason));
}

/* What waits, in order; NULL when only observations wait, or it is time to stop. */
static struct message *take_waiting(struct gate *gate, bool *stop)
{
    struct inbox *inbox = &gate->inbox;
    pthread_mutex_lock(&inbox->lock);
    while (!inbox->first && !inbox->observed_first && !gate->observing && !inbox->stopping)
        pthread_cond_wait(&inbox->filled, &inbox->lock);
    struct message *first = inbox->first;
    inbox->first = inbox->last = NULL;
    inbox->message_count = 0;
    *stop = !first && inbox->stopping;
    look(gate);
    pthread_mutex_unlock(&inbox->lock);
    return first;
}

static void rotate_when_full(struct gate *gate)
{
    struct err err;
    if (!book_full(gate->book))
        return;
    identity_encode(&gate->identity, &gate->payload);
    tightening_encode(&gate->tightening, &gate->payload);
    stops_encode(gate->stops, &gate->payload);
    waited_encode_all(&gate->waited, &gate->payload);
    duties_encode(&gate->duties, &gate->payload);
    int result = book_rotate(gate->book, &gate->payload, &err);
    if (result == 0 && gate->journal)
        result = gate_journal_rotate(gate->journal, buffer_slice(&gate->payload), clock_wall_ns(gate->config.clock), &err);
    buffer_clear(&gate->payload);
    if (result < 0 && gate->journal)
        give_up_journal(gate, &err);
    else
        tell(gate);
}

static void run_round(struct gate *gate, struct message *waiting)
{
    struct message *round[BATCH_MESSAGES];
    size_t count = 0;
    gate_look_at_clock(gate);
    while (waiting) {
        struct message *next = waiting->next;
        take_message(gate, waiting, round, &count);
        waiting = next;
        if (count == BATCH_MESSAGES)
            finish_round(gate, round, &count);
    }
    finish_round(gate, round, &count);
    rotate_when_full(gate);
}

void *gate_run(void *context)
{
    struct gate *gate = context;
    struct err err;
    bool stop = false;
    pthread_setname_np(pthread_self(), "gate");
    thread_run_soon();
    thread_go_before();
    while (!stop) {
        struct message *waiting = take_waiting(gate, &stop);
        if (waiting)
            run_round(gate, waiting);
        (void)intake_slice(gate); /* one slice after each round too: requests alone must not starve it */
        if (!waiting && gate->journal && gate_journal_prepare(gate->journal, &err) < 0)
            give_up_journal(gate, &err);
    }
    return NULL;
}
