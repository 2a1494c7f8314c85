#include "flow/pipeline.h"

#include "collect/drop.h"

#include "base/mem.h"
#include "base/thread.h"
#include "event/event_id.h"
#include "flow/crash_mark.h"
#include "flow/finding_sender.h"
#include "flow/patient_store.h"
#include "flow/warm_up.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { IDLE_WAIT_MS = 20, LATE_TICK_MS = 500, REPORT_MS = 2000, DEATHS_MAX = 2 };
/* A checkpoint stops the walk while the memory of the rules is copied: not more than a twentieth of
 * the time. */
enum { CHECKPOINT_EVERY_MS = 15000, CHECKPOINT_COST = 20 };

/* Which stations a delivery passes besides decode and store. */
struct route {
    bool detect, pass;
};

/* The checkpoint being made: taken at a delivery's end, written when the findings raised up to there
 * are durable. */
struct keeping {
    struct buffer content;
    bool taken;
    uint64_t position, findings;
    uint64_t last_position;
    int64_t next_ns; /* monotonic */
};

/* Somebody waits for what the rules of risk know. */
struct risk_ask {
    struct buffer *to;
    bool done;
    struct risk_ask *next;
};

struct pipeline {
    struct pipeline_config config;
    pthread_t thread;
    atomic_bool stopping;
    struct patient_store patient;
    struct journal_reader *reader;
    struct decode *decode;
    struct rulebook *book;      /* of the detector; changed under the lock */
    struct rulebook *next_book; /* under the lock; NULL: none */
    struct risk_ask *asks;      /* under the lock */
    struct rule_reports *reports; /* under the lock; NULL: none yet */
    int64_t reported_ns;          /* monotonic */
    struct rule_reports_forgotten forgotten;
    struct detector *detector;
    struct batch *batch;
    struct finding_sender *sender;
    struct crash_mark *mark; /* the walk's own thread opens it */
    struct arena *arena;     /* of a delivery */
    uint64_t covered_at_start; /* what ends here or before is in the books */
    uint64_t detect_from;      /* what ends here or before, the rules have seen */
    int64_t ticked_ns;
    int64_t heard_ns; /* monotonic time of the last batch */
    uint64_t trimmed;
    struct keeping keeping;
    pthread_mutex_t lock; /* of counts */
    pthread_cond_t moved;
    struct pipeline_counts counts;
};

static void note(struct pipeline *pipeline, const char *text)
{
    if (pipeline->config.note)
        pipeline->config.note(pipeline->config.context, text);
}

/* ---- findings ---- */

static int on_found(void *context, const struct finding *finding, const struct rule *rule,
                    const struct batch *batch, uint32_t row, struct err *err)
{
    struct pipeline *pipeline = context;
    struct finding named = *finding;
    char id[EVENT_ID_SIZE];
    (void)batch;
    (void)row;
    /* Evidence without an id of the sender's own is named by its place in the journal. */
    struct evidence *evidence = arena_array(pipeline->arena, finding->evidence_count + 1, sizeof(*evidence));
    if (!evidence)
        return err_nomem(err);
    for (size_t i = 0; i < finding->evidence_count; i++) {
        evidence[i] = finding->evidence[i];
        if (evidence[i].event_id.ptr)
            continue;
        event_id_from_seq(store_id(pipeline->config.store), evidence[i].seq, id);
        evidence[i].event_id = arena_copy(pipeline->arena, slice_of(id, sizeof(id)));
    }
    named.evidence = evidence;
    if (finding_sender_send(pipeline->sender, &named, err) < 0)
        return -1;
    if (pipeline->config.found)
        pipeline->config.found(pipeline->config.context, &named, rule);
    return 0;
}

static int on_silence(void *context, const struct finding *finding, const struct rule *rule, struct err *err)
{
    return on_found(context, finding, rule, NULL, UINT32_MAX, err);
}

/* The same gap has the same key: a restart that reads its events again tells it once. */
static int on_gap(void *context, const struct gap *gap, struct slice stream, struct err *err)
{
    struct pipeline *pipeline = context;
    struct finding key = {.rule_id = GAP_SOURCE, .group_key = arena_printf(pipeline->arena, "%.*s %.*s %.*s %.*s %llu %llu %lld",
                          SLICE_ARG(gap->source), SLICE_ARG(gap->sender), SLICE_ARG(gap->host), SLICE_ARG(gap->numbers),
                          (unsigned long long)gap->from, (unsigned long long)gap->to, (long long)gap->time_ns)};
    struct finding_sender_event event = {.source = GAP_SOURCE, .stream = stream};
    struct buffer line;
    if (!key.group_key.ptr)
        return err_nomem(err);
    finding_set_id(&key);
    memcpy(event.id, key.id, sizeof(event.id));
    buffer_init(&line, 64 * KIB);
    gap_write(gap, &line);
    event.line = buffer_slice(&line);
    int result = buffer_failed(&line) ? err_nomem(err) : finding_sender_tell(pipeline->sender, &event, err);
    buffer_close(&line);
    return result;
}

/* ---- the walk ---- */

static void count_batch(struct pipeline *pipeline, const struct batch *batch)
{
    const struct decode_counts *decoded = decode_counts(pipeline->decode);
    int64_t now = clock_wall_ns(pipeline->config.clock);
    pthread_mutex_lock(&pipeline->lock);
    struct pipeline_counts *counts = &pipeline->counts;
    counts->events += batch->row_count;
    counts->batches++;
    counts->findings = finding_sender_counts(pipeline->sender).findings;
    counts->not_understood = decoded->not_understood;
    counts->decode_errors = decoded->errors;
    counts->quarantined = decoded->quarantined;
    for (uint32_t i = 0; i < batch->row_count; i++)
        if (batch->rows[i].time_ns > counts->last_event_ns)
            counts->last_event_ns = batch->rows[i].time_ns;
    if (batch->row_count)
        counts->lag_ns = now - batch->rows[batch->row_count - 1].received_ns;
    pthread_mutex_unlock(&pipeline->lock);
}

/* A batch that the rules cannot get through for want of memory is stored all the same, and told. */
static int detect(struct pipeline *pipeline, struct batch *batch, struct err *err)
{
    struct err why;
    char text[ERR_TEXT_SIZE + 128];
    if (detector_run(pipeline->detector, batch, &why) == 0)
        return 0;
    if (why.code != ERR_NOMEM && why.code != ERR_LIMIT) {
        *err = why;
        return -1;
    }
    snprintf(text, sizeof(text), "the rules did not get through a batch of %u events (%s); they are "
             "stored with hinomi.not_detected", batch->row_count, why.text);
    note(pipeline, text);
    struct slice reason = arena_copy(batch->arena, slice_text(why.text));
    for (uint32_t row = 0; row < batch->row_count; row++)
        if (!reason.ptr || batch_put_text(batch, row, "hinomi.not_detected", reason) < 0)
            return err_nomem(err);
    pthread_mutex_lock(&pipeline->lock);
    pipeline->counts.not_detected += batch->row_count;
    pthread_mutex_unlock(&pipeline->lock);
    return 0;
}

/* decode has filled the batch; now every station in turn. */
static int pass_batch(struct pipeline *pipeline, const struct route *route, uint64_t journal_end,
                      struct err *err)
{
    struct batch *batch = pipeline->batch;
    if (batch->row_count == 0)
        return 0;
    batch->journal_end = journal_end;
    if (decode_finish(batch, err) < 0 || (route->detect && detect(pipeline, batch, err) < 0) ||
        patient_append(&pipeline->patient, batch, err) < 0)
        return -1;
    if (route->pass && pipeline->config.passed)
        pipeline->config.passed(pipeline->config.context, batch);
    if (pipeline->config.sources && sources_take(pipeline->config.sources, batch, err) < 0)
        return -1;
    count_batch(pipeline, batch);
    pipeline->heard_ns = clock_mono_ns(pipeline->config.clock);
    batch_reset(batch);
    return 0;
}

/* Raw, past the decoders and the rules, into its place in the stream. */
static int quarantine(struct pipeline *pipeline, const struct delivery *delivery,
                      struct decode_place *place, const char *why, struct err *err)
{
    static const struct route past_all = {0};
    char text[ERR_TEXT_SIZE + 256];
    int more;
    snprintf(text, sizeof(text), "a delivery of %.*s at journal position %llu is quarantined: %s",
             SLICE_ARG(delivery->origin.source), (unsigned long long)delivery->journal_end, why);
    note(pipeline, text);
    do {
        more = decode_quarantine(pipeline->decode, delivery, place, pipeline->batch,
                                 slice_text(why), err);
        if (more < 0 || (more && pass_batch(pipeline, &past_all, 0, err) < 0))
            return -1;
    } while (more);
    return pass_batch(pipeline, &past_all, delivery->journal_end, err);
}

static int walk_delivery(struct pipeline *pipeline, const struct delivery *delivery,
                         struct err *err)
{
    struct decode_place place = {0};
    bool is_fresh = delivery->journal_end > pipeline->detect_from;
    struct route route = {.pass = is_fresh, .detect = is_fresh && pipeline->detector &&
                          !slice_equal(delivery->origin.source, FINDING_SOURCE)};
    struct err why;
    int more;
    struct sources *sources = pipeline->config.sources;
    bool correct = sources && sources_clock_begin(sources, &delivery->origin);
    decode_clock_ahead(pipeline->decode, correct ? sources_clock_ahead : NULL, sources);
    if (pipeline->mark && crash_mark_deaths(pipeline->mark, delivery->journal_end) >= DEATHS_MAX)
        return quarantine(pipeline, delivery, &place, "the program died of it twice", err);
    do {
        more = decode_delivery(pipeline->decode, delivery, &place, pipeline->batch, &why);
        if (more < 0 && why.code == ERR_CORRUPT) {
            if (pass_batch(pipeline, &route, 0, err) < 0)
                return -1;
            return quarantine(pipeline, delivery, &place, why.text, err);
        }
        if (more < 0) {
            *err = why;
            return -1;
        }
        /* Only the last batch of a delivery covers it. */
        if (more && pass_batch(pipeline, &route, 0, err) < 0)
            return -1;
    } while (more);
    return pass_batch(pipeline, &route, delivery->journal_end, err);
}

/* What inputs lost on arrival stands in the books of these inputs. */
static int book_drops(struct pipeline *pipeline, const struct delivery *delivery, struct err *err)
{
    struct delivery_event event;
    size_t at = 0;
    bool damaged;
    while (delivery_next(delivery, &at, &event, &damaged)) {
        struct drop drop;
        struct ledger_counts counts = {0};
        if (drop_read(event.raw, pipeline->arena, &drop, NULL) < 0)
            continue; /* it is kept like any event */
        counts.received = counts.dropped[drop.place] = drop.events;
        if (store_ledger_received(pipeline->config.store, drop.source, delivery->received_ns, &counts,
                                  delivery->journal_end, err) < 0)
            return -1;
    }
    return 0;
}

/* What collectors found missing. */
static int book_gaps(struct pipeline *pipeline, const struct delivery *delivery, struct err *err)
{
    struct delivery_event event;
    size_t at = 0;
    bool damaged;
    for (uint64_t seq = delivery->first_seq; delivery_next(delivery, &at, &event, &damaged); seq++) {
        struct gap gap;
        if (gap_read(event.raw, pipeline->arena, &gap, NULL) == 0 &&
            sources_gap(pipeline->config.sources, &gap, delivery->received_ns, seq, err) < 0)
            return -1;
    }
    return 0;
}

static int book(struct pipeline *pipeline, const struct delivery *delivery, struct err *err)
{
    struct ledger_counts counts = {.received = delivery->event_count};
    if (slice_equal(delivery->origin.source, DROP_SOURCE) && book_drops(pipeline, delivery, err) < 0)
        return -1;
    return store_ledger_received(pipeline->config.store, delivery->origin.source, delivery->received_ns, &counts,
                                 delivery->journal_end, err);
}

static int pass_delivery(struct pipeline *pipeline, const struct delivery *delivery,
                         struct err *err)
{
    if (pipeline->mark)
        crash_mark_begin(pipeline->mark, delivery->journal_end);
    if (pipeline->config.sources && slice_equal(delivery->origin.source, GAP_SOURCE) &&
        book_gaps(pipeline, delivery, err) < 0)
        return -1;
    if (delivery->journal_end > pipeline->covered_at_start && book(pipeline, delivery, err) < 0)
        return -1;
    int result = walk_delivery(pipeline, delivery, err);
    if (pipeline->mark)
        crash_mark_end(pipeline->mark);
    return result;
}

static void moved_to(struct pipeline *pipeline, uint64_t position)
{
    pthread_mutex_lock(&pipeline->lock);
    if (position > pipeline->counts.position)
        pipeline->counts.position = position;
    pthread_cond_broadcast(&pipeline->moved);
    pthread_mutex_unlock(&pipeline->lock);
}

/* ---- checkpoints ---- */

static void take_checkpoint(struct pipeline *pipeline)
{
    struct keeping *keeping = &pipeline->keeping;
    int64_t before = clock_mono_ns(pipeline->config.clock);
    buffer_clear(&keeping->content);
    detector_save(pipeline->detector, &keeping->content);
    keeping->taken = true;
    keeping->position = pipeline->counts.position;
    keeping->findings = finding_sender_counts(pipeline->sender).sent;
    int64_t now = clock_mono_ns(pipeline->config.clock);
    keeping->next_ns = now + pipeline->config.checkpoint_ms * NS_PER_MS +
                       (now - before) * CHECKPOINT_COST;
}

/* Between two deliveries. */
static void keep_checkpoint(struct pipeline *pipeline)
{
    struct keeping *keeping = &pipeline->keeping;
    if (!pipeline->detector || !pipeline->config.checkpoint)
        return;
    if (!keeping->taken && clock_mono_ns(pipeline->config.clock) >= keeping->next_ns &&
        pipeline->counts.position != keeping->last_position)
        take_checkpoint(pipeline);
    if (!keeping->taken || finding_sender_counts(pipeline->sender).durable < keeping->findings)
        return;
    if (buffer_failed(&keeping->content)) {
        note(pipeline, "a checkpoint of the rules could not be made: memory is out; the journal is "
                       "kept from the one before");
    } else if (!checkpoint_offer(pipeline->config.checkpoint, keeping->position,
                                 &keeping->content)) {
        return; /* the one before is still being written */
    }
    keeping->last_position = keeping->position;
    keeping->taken = false;
}

/* After the walk has ended: the next start begins here. */
static void keep_last_checkpoint(struct pipeline *pipeline)
{
    struct keeping *keeping = &pipeline->keeping;
    struct err err;
    if (!pipeline->detector || !pipeline->config.checkpoint || pipeline->counts.failed ||
        pipeline->counts.position == keeping->last_position)
        return;
    take_checkpoint(pipeline);
    if (finding_sender_counts(pipeline->sender).durable < keeping->findings)
        return;
    if (buffer_failed(&keeping->content) ||
        checkpoint_write(pipeline->config.checkpoint, keeping->position,
                         buffer_slice(&keeping->content), &err) < 0)
        note(pipeline, "the last checkpoint of the rules could not be written; the next start reads "
                       "the journal from the one before");
}

static int trim_journal(struct pipeline *pipeline, struct err *err)
{
    uint64_t needless = store_covered(pipeline->config.store);
    uint64_t kept = pipeline->config.checkpoint ? checkpoint_kept(pipeline->config.checkpoint)
                                                : UINT64_MAX;
    if (kept < needless)
        needless = kept;
    if (needless <= pipeline->trimmed)
        return 0;
    pipeline->trimmed = needless;
    return patient_trim(&pipeline->patient, needless, err);
}

/* Event time while nothing comes: the newest event's, and on with the clock from there. So a backlog
 * or a replayed night does not make every source look silent. */
static int64_t event_now(const struct pipeline *pipeline, int64_t mono_ns)
{
    int64_t watermark = detector_stats(pipeline->detector).watermark_ns;
    return watermark == INT64_MIN ? watermark : watermark + (mono_ns - pipeline->heard_ns);
}

/* Nothing came: old memory is sealed, graces and silences are looked at by the clock. */
static int idle(struct pipeline *pipeline, struct err *err)
{
    int64_t now = clock_mono_ns(pipeline->config.clock);
    if (now - pipeline->ticked_ns < LATE_TICK_MS * NS_PER_MS)
        return 0;
    pipeline->ticked_ns = now;
    arena_reset(pipeline->arena);
    if (pipeline->detector &&
        detector_tick(pipeline->detector, event_now(pipeline, now), err) < 0)
        return -1;
    if (pipeline->config.sources &&
        sources_tick(pipeline->config.sources, clock_wall_ns(pipeline->config.clock), err) < 0)
        return -1;
    if (finding_sender_retry(pipeline->sender, err) < 0 ||
        patient_tick(&pipeline->patient, err) < 0)
        return -1;
    keep_checkpoint(pipeline);
    return trim_journal(pipeline, err);
}

/* ---- other rules ---- */

void pipeline_change_rules(struct pipeline *pipeline, struct rulebook *book)
{
    rulebook_hold(book);
    pthread_mutex_lock(&pipeline->lock);
    rulebook_release(pipeline->next_book); /* one that was not even begun */
    pipeline->next_book = book;
    pthread_mutex_unlock(&pipeline->lock);
}

struct rulebook *pipeline_hold_rules(struct pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->lock);
    struct rulebook *book = pipeline->book ? rulebook_hold(pipeline->book) : NULL;
    pthread_mutex_unlock(&pipeline->lock);
    return book;
}

/* The memory is copied under the lock, so whoever asks and gives up is either in the list or answered. */
static void answer_risks(struct pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->lock);
    for (struct risk_ask *ask = pipeline->asks; ask; ask = ask->next) {
        if (pipeline->detector) {
            buffer_put_le64(ask->to, (uint64_t)event_now(pipeline, clock_mono_ns(pipeline->config.clock)));
            detector_save_risks(pipeline->detector, ask->to);
        }
        ask->done = true;
    }
    if (pipeline->asks)
        pthread_cond_broadcast(&pipeline->moved);
    pipeline->asks = NULL;
    pthread_mutex_unlock(&pipeline->lock);
}

int pipeline_risks(struct pipeline *pipeline, int64_t wait_ms, struct buffer *to, struct err *err)
{
    struct timespec until = clock_deadline(CLOCK_MONOTONIC, wait_ms * NS_PER_MS);
    struct risk_ask ask = {.to = to};
    pthread_mutex_lock(&pipeline->lock);
    ask.next = pipeline->asks;
    pipeline->asks = &ask;
    for (int code = 0; !ask.done && code == 0;)
        code = pthread_cond_timedwait(&pipeline->moved, &pipeline->lock, &until);
    for (struct risk_ask **at = &pipeline->asks; *at && !ask.done; at = &(*at)->next)
        if (*at == &ask) {
            *at = ask.next;
            break;
        }
    pthread_mutex_unlock(&pipeline->lock);
    if (!ask.done)
        return err_set(err, ERR_CANCELLED, "the rules are busy with a large delivery or stopped; ask again in a moment");
    return buffer_failed(to) ? err_nomem(err) : 0;
}

struct rule_reports *pipeline_hold_reports(struct pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->lock);
    struct rule_reports *reports = pipeline->reports ? rule_reports_hold(pipeline->reports) : NULL;
    pthread_mutex_unlock(&pipeline->lock);
    return reports;
}

static void tell_forgotten(struct pipeline *pipeline, const struct detector *detector)
{
    char text[RULE_REPORTS_TEXT_SIZE];
    if (rule_reports_forgotten(detector, &pipeline->forgotten, text))
        note(pipeline, text);
}

/* Every few seconds the ledger is laid out for others. */
static void report_rules(struct pipeline *pipeline)
{
    int64_t now = clock_mono_ns(pipeline->config.clock);
    if (!pipeline->detector || (pipeline->reports && now - pipeline->reported_ns < REPORT_MS * NS_PER_MS))
        return;
    int64_t event_ns = event_now(pipeline, now);
    struct rule_reports *reports = rule_reports_new(pipeline->book, detector_ledger(pipeline->detector), event_ns);
    pipeline->reported_ns = now;
    tell_forgotten(pipeline, pipeline->detector);
    if (!reports)
        return; /* the one before goes on for a while */
    pthread_mutex_lock(&pipeline->lock);
    struct rule_reports *old = pipeline->reports;
    pipeline->reports = reports;
    pthread_mutex_unlock(&pipeline->lock);
    rule_reports_release(old);
}

/* Rules that are new here learn what is usual from what is stored; without that they begin with nothing. */
static void learn_from_history(struct pipeline *pipeline, struct detector *detector, const struct rulebook *book)
{
    struct warm_up_stats stats;
    struct err err;
    char text[ERR_TEXT_SIZE + 128];
    int64_t before = clock_mono_ns(pipeline->config.clock);
    int result = warm_up(detector, book, pipeline->config.store, clock_wall_ns(pipeline->config.clock),
                         &pipeline->stopping, &stats, &err);
    if (result < 0)
        snprintf(text, sizeof(text), "rules could not learn from what is stored and begin with nothing: %s", err.text);
    else if (stats.rules == 0)
        return;
    else
        snprintf(text, sizeof(text), "%zu rules learned from %llu stored events in %.1f s", stats.rules,
                 (unsigned long long)stats.events,
                 (double)(clock_mono_ns(pipeline->config.clock) - before) / (double)NS_PER_SECOND);
    note(pipeline, text);
}

/* A detector of the new rules with the memory of the old. */
static int make_successor(struct pipeline *pipeline, struct rulebook *book, struct detector **out,
                          struct err *err)
{
    struct detector_options options = {.rules = book->rules, .state = book->state, .found = on_found,
                                       .context = pipeline};
    struct buffer memory;
    buffer_init(&memory, CHECKPOINT_BYTES_MAX);
    detector_save(pipeline->detector, &memory);
    int result = buffer_failed(&memory) ? err_nomem(err) : detector_new(&options, out, err);
    if (result == 0 && detector_load(*out, buffer_slice(&memory), err) < 0) {
        detector_free(*out);
        result = -1;
    }
    pipeline->forgotten.dropped = 0; /* by this one, nothing is told yet */
    buffer_close(&memory);
    return result;
}

/* Between two deliveries: each event is seen by the old rules or by the new ones. */
static void change_rules(struct pipeline *pipeline)
{
    struct detector *detector;
    struct err err;
    pthread_mutex_lock(&pipeline->lock);
    struct rulebook *book = pipeline->next_book;
    pipeline->next_book = NULL;
    pthread_mutex_unlock(&pipeline->lock);
    if (!book || !pipeline->detector) {
        rulebook_release(book);
        return;
    }
    if (make_successor(pipeline, book, &detector, &err) < 0) {
        char text[ERR_TEXT_SIZE + 64];
        snprintf(text, sizeof(text), "the changed rules are not taken: %s", err.text);
        note(pipeline, text);
        rulebook_release(book);
        return;
    }
    learn_from_history(pipeline, detector, book);
    detector_free(pipeline->detector);
    pipeline->detector = detector;
    pthread_mutex_lock(&pipeline->lock);
    struct rulebook *old = pipeline->book;
    pipeline->book = book;
    pthread_mutex_unlock(&pipeline->lock);
    rulebook_release(old);
    pipeline->reported_ns = 0;
    report_rules(pipeline);
}

static int step(struct pipeline *pipeline, struct err *err)
{
    struct delivery delivery;
    arena_reset(pipeline->arena);
    change_rules(pipeline);
    report_rules(pipeline);
    answer_risks(pipeline);
    int got = journal_read(pipeline->reader, NULL, &delivery, IDLE_WAIT_MS, err);
    if (got < 0)
        return -1;
    if (got == 0) {
        moved_to(pipeline, journal_reader_position(pipeline->reader)); /* past what was trimmed */
        return idle(pipeline, err);
    }
    if (pass_delivery(pipeline, &delivery, err) < 0)
        return -1;
    /* While there is more to read it is as late as what was read: nobody is silent whose events wait here. */
    if (pipeline->config.sources && sources_tick(pipeline->config.sources, delivery.received_ns, err) < 0)
        return -1;
    moved_to(pipeline, delivery.journal_end);
    keep_checkpoint(pipeline);
    return trim_journal(pipeline, err);
}

static int open_mark(struct pipeline *pipeline, struct err *err)
{
    return pipeline->config.crash_path
               ? crash_mark_open(pipeline->config.crash_path, &pipeline->mark, err)
               : 0;
}

static void *run(void *context)
{
    struct pipeline *pipeline = context;
    struct err err;
    pthread_setname_np(pthread_self(), "pipeline");
    thread_stand_behind(WALK_NICE);
    int result = open_mark(pipeline, &err);
    if (result == 0 && pipeline->detector)
        learn_from_history(pipeline, pipeline->detector, pipeline->book);
    while (result == 0 && !atomic_load(&pipeline->stopping))
        result = step(pipeline, &err);
    if (result < 0 && err.code != ERR_CLOSED) {
        char text[ERR_TEXT_SIZE + 64];
        snprintf(text, sizeof(text), "the pipeline stopped: %s", err.text);
        note(pipeline, text);
        pthread_mutex_lock(&pipeline->lock);
        pipeline->counts.failed = true;
        pthread_cond_broadcast(&pipeline->moved);
        pthread_mutex_unlock(&pipeline->lock);
    }
    crash_mark_close(pipeline->mark);
    return NULL;
}

/* ---- life ---- */

static void free_parts(struct pipeline *pipeline)
{
    journal_reader_close(pipeline->reader);
    finding_sender_free(pipeline->sender);
    detector_free(pipeline->detector);
    rulebook_release(pipeline->book);
    rulebook_release(pipeline->next_book);
    rule_reports_release(pipeline->reports);
    decode_free(pipeline->decode);
    batch_free(pipeline->batch);
    buffer_close(&pipeline->keeping.content);
    arena_free(pipeline->arena);
    pthread_cond_destroy(&pipeline->moved);
    pthread_mutex_destroy(&pipeline->lock);
    mem_free(pipeline);
}

static int new_detector(struct pipeline *pipeline, struct err *err)
{
    struct detector_options options = {.rules = pipeline->book->rules,
                                       .state = pipeline->book->state,
                                       .found = on_found,
                                       .context = pipeline};
    detector_free(pipeline->detector);
    return detector_new(&options, &pipeline->detector, err);
}

/* What cannot be understood (the definitions have changed beyond it) leaves an empty memory, said. */
static int remember(struct pipeline *pipeline, struct slice content, struct err *err)
{
    struct err why;
    char text[ERR_TEXT_SIZE + 64];
    if (!pipeline->detector)
        return 0;
    if (detector_load(pipeline->detector, content, &why) == 0)
        return 0;
    snprintf(text, sizeof(text), "the checkpoint of the rules cannot be used: %s", why.text);
    note(pipeline, text);
    return new_detector(pipeline, err) < 0 ? -1
                                           : checkpoint_lose(pipeline->config.checkpoint, err);
}

/* The first checkpoint: from here on everything is seen. */
static int begin_checkpoints(struct pipeline *pipeline, uint64_t position, struct err *err)
{
    struct buffer content;
    buffer_init(&content, CHECKPOINT_BYTES_MAX);
    detector_save(pipeline->detector, &content);
    int result = buffer_failed(&content)
                     ? err_nomem(err)
                     : checkpoint_write(pipeline->config.checkpoint, position,
                                        buffer_slice(&content), err);
    buffer_close(&content);
    return result;
}

/* Where the walk goes on: the store and the rules may be at different places. */
static int find_place(struct pipeline *pipeline, struct err *err)
{
    const struct pipeline_config *config = &pipeline->config;
    uint64_t covered = store_covered(config->store), position;
    struct slice content;
    pipeline->heard_ns = clock_mono_ns(config->clock); /* event time goes on from here until something comes */
    pipeline->covered_at_start = pipeline->detect_from = pipeline->counts.position = covered;
    if (!config->checkpoint)
        return 0;
    if (!checkpoint_content(config->checkpoint, &position, &content))
        return pipeline->detector ? begin_checkpoints(pipeline, covered, err) : 0;
    pipeline->detect_from = pipeline->keeping.last_position = position;
    pipeline->counts.position = position < covered ? position : covered;
    return remember(pipeline, content, err);
}

static int make_parts(struct pipeline *pipeline, struct err *err)
{
    const struct pipeline_config *config = &pipeline->config;
    pipeline->decode = decode_new(config->decoders);
    if (pipeline->decode)
        decode_borrow(pipeline->decode); /* a delivery lives until the next is read */
    pipeline->batch = batch_new(BATCH_ARENA_MAX);
    if (pipeline->batch)
        arena_use_huge_pages(pipeline->batch->arena);
    pipeline->arena = arena_new(2 * JOURNAL_RECORD_BYTES_MAX + 16 * MIB);
    pipeline->sender = finding_sender_new(config->journal, config->clock);
    buffer_init(&pipeline->keeping.content, CHECKPOINT_BYTES_MAX);
    if (!pipeline->decode || !pipeline->batch || !pipeline->sender || !pipeline->arena)
        return err_nomem(err);
    if (config->sources)
        sources_tell(config->sources, on_silence, on_gap, pipeline);
    if (config->book)
        pipeline->book = rulebook_hold(config->book);
    if ((pipeline->book && new_detector(pipeline, err) < 0) || find_place(pipeline, err) < 0)
        return -1;
    return journal_reader_open(config->journal, pipeline->counts.position, &pipeline->reader, err);
}

int pipeline_start(const struct pipeline_config *config, struct pipeline **out, struct err *err)
{
    *out = NULL;
    struct pipeline *pipeline = mem_calloc(1, sizeof(*pipeline));
    if (!pipeline)
        return err_nomem(err);
    pipeline->config = *config;
    pipeline->patient = (struct patient_store){.store = config->store, .journal = config->journal,
                                               .stopping = &pipeline->stopping,
                                               .note = config->note, .context = config->context};
    if (!pipeline->config.checkpoint_ms)
        pipeline->config.checkpoint_ms = CHECKPOINT_EVERY_MS;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&pipeline->lock, NULL);
    pthread_cond_init(&pipeline->moved, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int result = make_parts(pipeline, err);
    int code = result == 0 ? pthread_create(&pipeline->thread, NULL, run, pipeline) : 0;
    if (code)
        result = err_set_errno(err, code, "cannot start the pipeline's thread");
    if (result < 0) {
        free_parts(pipeline);
        return -1;
    }
    *out = pipeline;
    return 0;
}

void pipeline_stop(struct pipeline *pipeline)
{
    if (!pipeline)
        return;
    atomic_store(&pipeline->stopping, true);
    pthread_join(pipeline->thread, NULL);
    keep_last_checkpoint(pipeline);
    free_parts(pipeline);
}

struct pipeline_counts pipeline_counts(struct pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->lock);
    struct pipeline_counts counts = pipeline->counts;
    pthread_mutex_unlock(&pipeline->lock);
    counts.disk_refuses = atomic_load(&pipeline->patient.waiting);
    return counts;
}

bool pipeline_wait(struct pipeline *pipeline, uint64_t position, int64_t wait_ms)
{
    struct timespec until = clock_deadline(CLOCK_MONOTONIC, wait_ms * NS_PER_MS);
    pthread_mutex_lock(&pipeline->lock);
    int code = 0;
    while (pipeline->counts.position < position && !pipeline->counts.failed && code == 0)
        code = pthread_cond_timedwait(&pipeline->moved, &pipeline->lock, &until);
    bool reached = pipeline->counts.position >= position;
    pthread_mutex_unlock(&pipeline->lock);
    return reached;
}
