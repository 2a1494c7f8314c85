#include "app/gate_teller.h"

#include "app/gate_events.h"
#include "app/service.h"
#include "base/mem.h"
#include "base/thread.h"
#include "gate/gate_journal_reader.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

enum { LINES_MAX = 1024, CURSOR_SIZE = 48 };
#define LINES_BYTES ((size_t)1 * MIB)
#define PIPELINE_WAIT_MS 1000
#define AGAIN_NS (100 * NS_PER_MS)
#define LAST_WORDS_NS (2 * NS_PER_SECOND)

/* The next record to tell: its commit, and its place in it. */
struct place {
    uint64_t number, record;
};

struct gate_teller {
    struct service *service;
    pthread_t thread;
    bool runs;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint64_t committed; /* under lock */
    bool stopping;
    int64_t stop_by_ns; /* monotonic: what is not told by then is told after the next start */
    /* the thread's own */
    struct place next;
    struct gate_journal_reader *reader;
    struct gate_event_lines lines;
    uint64_t told_to; /* of the event journal: the end of what was told */
};

int gate_teller_new(struct service *service, struct gate_teller **out, struct err *err)
{
    struct gate_teller *teller = mem_calloc(1, sizeof(*teller));
    *out = teller;
    if (!teller)
        return err_nomem(err);
    teller->service = service;
    pthread_mutex_init(&teller->lock, NULL);
    pthread_cond_init(&teller->moved, NULL);
    gate_event_lines_init(&teller->lines);
    return 0;
}

void gate_teller_committed(struct gate_teller *teller, uint64_t number)
{
    pthread_mutex_lock(&teller->lock);
    teller->committed = number;
    pthread_cond_signal(&teller->moved);
    pthread_mutex_unlock(&teller->lock);
}

/* How far the journal is; waits while there is nothing to tell. False: it is time to stop. */
static bool await(struct gate_teller *teller, uint64_t *committed)
{
    pthread_mutex_lock(&teller->lock);
    while (teller->committed <= teller->next.number && !teller->stopping)
        pthread_cond_wait(&teller->moved, &teller->lock);
    *committed = teller->committed;
    bool late = teller->stopping && clock_mono_ns(clock_real()) > teller->stop_by_ns;
    bool more = *committed > teller->next.number && !late;
    pthread_mutex_unlock(&teller->lock);
    return more;
}

/* A pause that stopping cuts short. */
static void pause_briefly(struct gate_teller *teller)
{
    struct timespec until = clock_deadline(CLOCK_REALTIME, AGAIN_NS);
    pthread_mutex_lock(&teller->lock);
    if (!teller->stopping)
        pthread_cond_timedwait(&teller->moved, &teller->lock, &until);
    pthread_mutex_unlock(&teller->lock);
}

static bool is_stopping(struct gate_teller *teller)
{
    pthread_mutex_lock(&teller->lock);
    bool stopping = teller->stopping;
    pthread_mutex_unlock(&teller->lock);
    return stopping;
}

/* ---- delivering ---- */

static int deliver(struct gate_teller *teller, struct err *err)
{
    char cursor[CURSOR_SIZE];
    struct journal_ack ack;
    struct service *service = teller->service;
    int len = snprintf(cursor, sizeof(cursor), "%" PRIu64 " %" PRIu64, teller->next.number, teller->next.record);
    struct delivery delivery = {
        .origin = {.source = SLICE("hinomi.gate"), .stream = SLICE("gate")},
        .received_ns = teller->lines.time_ns,
        .cursor = slice_of(cursor, (size_t)len),
        .framing = FRAMING_LINES,
        .event_count = teller->lines.count,
        .body = buffer_slice(&teller->lines.bytes),
    };
    if (buffer_failed(&teller->lines.bytes))
        return err_nomem(err);
    while (journal_append_wait(service->engine.journal, &delivery, &ack, err) < 0) {
        if (err->code != ERR_LIMIT || is_stopping(teller)) /* else there is no room in the stream just now */
            return -1;
        pause_briefly(teller);
    }
    teller->told_to = ack.end;
    buffer_clear(&teller->lines.bytes);
    teller->lines.count = 0;
    return 0;
}

static int deliver_when_many(struct gate_teller *teller, struct err *err)
{
    return teller->lines.count < LINES_MAX && teller->lines.bytes.len < LINES_BYTES ? 0 : deliver(teller, err);
}

static int tell_frame(struct gate_teller *teller, const struct gate_journal_frame *frame, struct err *err)
{
    struct slice payload = frame->payload, record;
    uint64_t index = 0;
    int more;
    for (; (more = gate_journal_record_next(&payload, &record)) > 0; index++) {
        struct book_decision decision;
        if (frame->carried || index < teller->next.record)
            continue;
        int found = book_read_decision(record, &decision, err);
        if (found < 0)
            return -1;
        if (found) {
            gate_events_put_decision(teller->service, &teller->lines, frame, &decision);
            gate_events_note_decision(teller->service, &decision);
        }
        teller->next.record = index + 1;
        if (deliver_when_many(teller, err) < 0)
            return -1;
    }
    if (more < 0)
        return err_set(err, ERR_CORRUPT, "commit %" PRIu64 " of the gate's journal holds half a record", frame->number);
    teller->next = (struct place){frame->number + 1, 0};
    return 0;
}

/* All that is committed, with the pipeline's pace: what was told before has passed it. */
static int tell(struct gate_teller *teller, uint64_t committed, struct err *err)
{
    (void)pipeline_wait(teller->service->engine.pipeline, teller->told_to, PIPELINE_WAIT_MS);
    while (teller->next.number < committed) {
        struct gate_journal_frame frame;
        uint64_t told_before = teller->told_to;
        int found = gate_journal_reader_next(teller->reader, &frame, err);
        if (found < 0)
            return -1;
        if (!found)
            pause_briefly(teller); /* a new file is being begun */
        else if (tell_frame(teller, &frame, err) < 0)
            return -1;
        if ((!found && is_stopping(teller)) || teller->told_to != told_before)
            break;
    }
    return teller->lines.count ? deliver(teller, err) : 0;
}

static void *run(void *context)
{
    struct gate_teller *teller = context;
    struct err err;
    uint64_t committed;
    pthread_setname_np(pthread_self(), "gate-teller");
    thread_stand_behind(TELL_NICE);
    while (await(teller, &committed)) {
        if (tell(teller, committed, &err) == 0)
            continue;
        char text[ERR_TEXT_SIZE + 128];
        (void)snprintf(text, sizeof(text), "decisions of the gate are not added to the event stream until a restart: %s", err.text);
        engine_note(NULL, text);
        return NULL;
    }
    return NULL;
}

/* ---- starting and stopping ---- */

/* Where the cursor says; a gate's journal that is older than that (it was put back) goes on from its end. */
static struct place find_place(struct gate_teller *teller, struct arena *arena)
{
    struct slice cursor = journal_cursor(teller->service->engine.journal, SLICE("hinomi.gate"), SLICE(""), arena);
    struct slice number, record;
    struct place place = {0};
    if (!slice_cut(cursor, ' ', &number, &record) || !slice_to_u64(number, &place.number) || !slice_to_u64(record, &place.record))
        return (struct place){0};
    uint64_t end = gate_committed(teller->service->gate);
    return place.number > end ? (struct place){end, 0} : place;
}

int gate_teller_run(struct gate_teller *teller, struct err *err)
{
    char dir[ENGINE_PATH_MAX];
    struct arena *arena = arena_new(MIB);
    if (!arena)
        return err_nomem(err);
    teller->next = find_place(teller, arena);
    arena_free(arena);
    (void)snprintf(dir, sizeof(dir), "%s/gate", teller->service->config.dir);
    if (gate_journal_reader_open(dir, teller->next.number, &teller->reader, err) < 0)
        return -1;
    gate_teller_committed(teller, gate_committed(teller->service->gate));
    if (pthread_create(&teller->thread, NULL, run, teller) != 0)
        return err_set(err, ERR_NOMEM, "the thread that tells the gate's decisions cannot be started");
    teller->runs = true;
    return 0;
}

void gate_teller_stop(struct gate_teller *teller)
{
    if (!teller || !teller->runs)
        return;
    pthread_mutex_lock(&teller->lock);
    teller->stopping = true;
    teller->stop_by_ns = clock_mono_ns(clock_real()) + LAST_WORDS_NS;
    pthread_cond_signal(&teller->moved);
    pthread_mutex_unlock(&teller->lock);
    pthread_join(teller->thread, NULL);
    teller->runs = false;
}

void gate_teller_free(struct gate_teller *teller)
{
    if (!teller)
        return;
    gate_journal_reader_close(teller->reader);
    buffer_close(&teller->lines.bytes);
    pthread_mutex_destroy(&teller->lock);
    pthread_cond_destroy(&teller->moved);
    mem_free(teller);
}
