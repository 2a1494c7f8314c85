#include "flow/pipeline.h"

#include "base/mem.h"
#include "event/event_id.h"
#include "event/schema.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

enum { IDLE_WAIT_MS = 20, SNAPSHOT_BYTES_MAX = 1 << 30, LATE_TICK_MS = 500 };

struct pipeline {
    struct pipeline_config config;
    pthread_t thread;
    atomic_bool stopping;
    struct journal_reader *reader;
    struct decode *decode;
    struct detector *detector;
    struct batch *batch;
    struct batch *findings; /* of the batch that is being detected */
    struct arena *arena;    /* of a delivery */
    uint64_t next_finding;  /* numbers findings of one batch apart */
    int64_t ticked_ns;
    int64_t heard_ns; /* monotonic time of the last batch */
    uint64_t trimmed;
    pthread_mutex_t lock; /* of counts */
    pthread_cond_t moved;
    struct pipeline_counts counts;
};

static void note(struct pipeline *pipeline, const char *text)
{
    if (pipeline->config.note)
        pipeline->config.note(pipeline->config.context, text);
}

/* ---- findings as events ---- */

static const struct origin finding_origin = {
    .source = {"hinomi", 6}, .stream = {"findings", 8}, .dataset = {"hinomi.finding", 14}};

static int put(struct batch *batch, uint32_t row, const char *name, struct slice text)
{
    struct slice copy = text.ptr ? arena_copy(batch->arena, text) : SLICE_NONE;
    if (!text.ptr)
        return 0;
    return copy.ptr ? batch_put_text(batch, row, name, copy) : -1;
}

static int finding_fields(struct batch *batch, uint32_t row, const struct finding *finding,
                          struct arena *arena)
{
    if (put(batch, row, "event.kind", SLICE("alert")) < 0 ||
        put(batch, row, "event.dataset", SLICE("hinomi.finding")) < 0 ||
        put(batch, row, "event.id", slice_of(finding->id, 32)) < 0 ||
        put(batch, row, "event.action", finding->retracts.ptr ? SLICE("finding-retracted") : SLICE("finding-raised")) < 0 ||
        put(batch, row, "rule.id", finding->rule_id) < 0 ||
        put(batch, row, "rule.name", finding->title) < 0 ||
        put(batch, row, "rule.version", finding->rule_version) < 0 ||
        put(batch, row, "message", finding->explanation_en) < 0 ||
        put(batch, row, "hinomi.message.ja", finding->explanation_ja) < 0 ||
        put(batch, row, "hinomi.catalogue", finding->catalogue) < 0 ||
        put(batch, row, "hinomi.retracts", finding->retracts) < 0 ||
        put(batch, row, "hinomi.severity", slice_text(severity_name(finding->severity))) < 0)
        return -1;
    for (size_t i = 0; i < finding->entity_count; i++) {
        struct slice name =
            arena_printf(arena, "hinomi.entity.%.*s", SLICE_ARG(finding->entities[i].type));
        struct slice value = arena_copy(batch->arena, finding->entities[i].value);
        if (!name.ptr || !value.ptr || batch_put(batch, row, name, value_string(value)) < 0)
            return -1;
    }
    for (size_t i = 0; i < finding->evidence_count; i++)
        if (put(batch, row, "hinomi.evidence", finding->evidence[i].event_id) < 0)
            return -1;
    return 0;
}

/* The original of a finding is its JSON form, made from its own fields. */
static int add_finding_event(struct pipeline *pipeline, const struct finding *finding)
{
    struct batch *batch = pipeline->findings;
    struct event_row *row = batch_add_row(batch);
    if (!row)
        return -1;
    uint32_t index = batch->row_count - 1;
    row->time_ns = finding->raised_ns;
    row->received_ns = clock_wall_ns(pipeline->config.clock);
    row->origin = &finding_origin;
    if (finding_fields(batch, index, finding, pipeline->arena) < 0)
        return -1;
    struct buffer text;
    struct json json;
    buffer_init(&text, EVENT_BYTES_MAX);
    json_init(&json, &text);
    batch_row_to_json(batch, index, &json);
    batch->rows[index].raw = arena_copy(batch->arena, buffer_slice(&text));
    buffer_close(&text);
    return batch->rows[index].raw.ptr ? 0 : -1;
}

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
    if (add_finding_event(pipeline, &named) < 0)
        return err_nomem(err);
    pipeline->next_finding++;
    if (pipeline->config.found)
        pipeline->config.found(pipeline->config.context, &named, rule);
    return 0;
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
    counts->findings = pipeline->next_finding;
    counts->not_understood = decoded->not_understood;
    counts->decode_errors = decoded->errors;
    for (uint32_t i = 0; i < batch->row_count; i++)
        if (batch->rows[i].time_ns > counts->last_event_ns)
            counts->last_event_ns = batch->rows[i].time_ns;
    if (batch->row_count)
        counts->lag_ns = now - batch->rows[batch->row_count - 1].received_ns;
    pthread_mutex_unlock(&pipeline->lock);
}

static int store_findings(struct pipeline *pipeline, uint64_t journal_end, struct err *err)
{
    struct batch *findings = pipeline->findings;
    if (findings->row_count == 0)
        return 0;
    findings->journal_end = journal_end;
    int result = batch_finish(findings) < 0 ? err_nomem(err)
                                            : store_append(pipeline->config.store, findings, err);
    batch_reset(findings);
    return result;
}

/* decode has filled the batch; now every station in turn. */
static int pass_batch(struct pipeline *pipeline, uint64_t journal_end, struct err *err)
{
    struct batch *batch = pipeline->batch;
    if (batch->row_count == 0)
        return 0;
    batch->journal_end = journal_end;
    if (decode_finish(batch, err) < 0)
        return -1;
    if (pipeline->detector && detector_run(pipeline->detector, batch, err) < 0)
        return -1;
    if (store_append(pipeline->config.store, batch, err) < 0 ||
        store_findings(pipeline, journal_end, err) < 0)
        return -1;
    if (pipeline->config.passed)
        pipeline->config.passed(pipeline->config.context, batch);
    count_batch(pipeline, batch);
    pipeline->heard_ns = clock_mono_ns(pipeline->config.clock);
    batch_reset(batch);
    return 0;
}

static int pass_delivery(struct pipeline *pipeline, const struct delivery *delivery,
                         struct err *err)
{
    struct decode_place place = {0};
    int more;
    do {
        more = decode_delivery(pipeline->decode, delivery, &place, pipeline->batch, err);
        if (more < 0)
            return -1;
        /* Only the last batch of a delivery covers it. */
        if (more && pass_batch(pipeline, 0, err) < 0)
            return -1;
    } while (more);
    if (store_ledger_received(pipeline->config.store, delivery->origin.source,
                              delivery->received_ns, delivery->event_count, delivery->journal_end,
                              err) < 0)
        return -1;
    return pass_batch(pipeline, delivery->journal_end, err);
}

static void moved_to(struct pipeline *pipeline, uint64_t position)
{
    pthread_mutex_lock(&pipeline->lock);
    pipeline->counts.position = position;
    pthread_cond_broadcast(&pipeline->moved);
    pthread_mutex_unlock(&pipeline->lock);
}

static int trim_journal(struct pipeline *pipeline, struct err *err)
{
    uint64_t covered = store_covered(pipeline->config.store);
    if (covered <= pipeline->trimmed)
        return 0;
    pipeline->trimmed = covered;
    return journal_trim(pipeline->config.journal, covered, err);
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
    if (store_findings(pipeline, 0, err) < 0 || store_tick(pipeline->config.store, err) < 0)
        return -1;
    return trim_journal(pipeline, err);
}

static int step(struct pipeline *pipeline, struct err *err)
{
    struct delivery delivery;
    arena_reset(pipeline->arena);
    int got = journal_read(pipeline->reader, pipeline->arena, &delivery, IDLE_WAIT_MS, err);
    if (got < 0)
        return -1;
    if (got == 0)
        return idle(pipeline, err);
    if (pass_delivery(pipeline, &delivery, err) < 0)
        return -1;
    moved_to(pipeline, delivery.journal_end);
    return trim_journal(pipeline, err);
}

static void *run(void *context)
{
    struct pipeline *pipeline = context;
    struct err err;
    int result = 0;
    pthread_setname_np(pthread_self(), "pipeline");
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
    return NULL;
}

/* ---- life ---- */

static void free_parts(struct pipeline *pipeline)
{
    journal_reader_close(pipeline->reader);
    detector_free(pipeline->detector);
    decode_free(pipeline->decode);
    batch_free(pipeline->batch);
    batch_free(pipeline->findings);
    arena_free(pipeline->arena);
    pthread_cond_destroy(&pipeline->moved);
    pthread_mutex_destroy(&pipeline->lock);
    mem_free(pipeline);
}

static int make_parts(struct pipeline *pipeline, struct err *err)
{
    const struct pipeline_config *config = &pipeline->config;
    pipeline->decode = decode_new(config->decoders);
    pipeline->batch = batch_new(BATCH_ARENA_MAX);
    pipeline->findings = batch_new(BATCH_ARENA_MAX);
    pipeline->arena = arena_new(2 * JOURNAL_RECORD_BYTES_MAX + 16 * MIB);
    if (!pipeline->decode || !pipeline->batch || !pipeline->findings || !pipeline->arena)
        return err_nomem(err);
    struct detector_options options = {.rules = config->rules, .state = config->state,
                                       .found = on_found, .context = pipeline};
    if (config->rules && detector_new(&options, &pipeline->detector, err) < 0)
        return -1;
    return journal_reader_open(config->journal, store_covered(config->store), &pipeline->reader,
                               err);
}

int pipeline_start(const struct pipeline_config *config, struct pipeline **out, struct err *err)
{
    *out = NULL;
    struct pipeline *pipeline = mem_calloc(1, sizeof(*pipeline));
    if (!pipeline)
        return err_nomem(err);
    pipeline->config = *config;
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
    free_parts(pipeline);
}

struct pipeline_counts pipeline_counts(struct pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->lock);
    struct pipeline_counts counts = pipeline->counts;
    pthread_mutex_unlock(&pipeline->lock);
    return counts;
}

bool pipeline_wait(struct pipeline *pipeline, uint64_t position, int64_t wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(wait_ms / 1000);
    until.tv_nsec += (long)(wait_ms % 1000 * NS_PER_MS);
    if (until.tv_nsec >= NS_PER_SECOND) {
        until.tv_sec++;
        until.tv_nsec -= (long)NS_PER_SECOND;
    }
    pthread_mutex_lock(&pipeline->lock);
    int code = 0;
    while (pipeline->counts.position < position && !pipeline->counts.failed && code == 0)
        code = pthread_cond_timedwait(&pipeline->moved, &pipeline->lock, &until);
    bool reached = pipeline->counts.position >= position;
    pthread_mutex_unlock(&pipeline->lock);
    return reached;
}
