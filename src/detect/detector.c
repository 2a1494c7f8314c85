/*
 * What rows match is found for the whole batch (detect/match); then the rows are walked in order for
 * what depends on what came before: "where", absence, silence, state.
 */
#include "detect/detector.h"

#include "base/mem.h"
#include "detect/explain.h"
#include "detect/watch.h"
#include "event/delivery.h"
#include "event/schema.h"

enum { SNAPSHOT_VERSION = 1 };
#define SCRATCH_MAX (256 * MIB)

struct detector {
    struct detector_options options;
    struct matcher *matcher;
    struct watch **watches; /* by rule index; NULL for rules that need none */
    struct state *state;
    struct arena *scratch; /* of a batch */
    struct arena *moment;  /* of a row */
    struct detector_stats stats;
    struct batch *batch; /* while running */
    uint32_t row;
    uint64_t **partner_rows; /* by rule index */
};

/* ---- making ---- */

static void count_rule(struct detector *detector, const struct rule *rule)
{
    detector->stats.rules_active += rule->status == RULE_ACTIVE;
    detector->stats.rules_inactive += rule->status == RULE_INACTIVE;
    detector->stats.rules_refused += rule->status == RULE_REFUSED;
}

static int raise_watch(void *context, const struct rule *rule, struct finding *finding,
                       struct err *err);

static int make_watches(struct detector *detector, struct err *err)
{
    const struct rule_set *rules = detector->options.rules;
    detector->watches = mem_calloc(rules->count + 1, sizeof(*detector->watches));
    if (!detector->watches)
        return err_nomem(err);
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = rules->rules[i];
        count_rule(detector, rule);
        if (rule->status == RULE_ACTIVE && rule->kind != RULE_MATCH &&
            !(detector->watches[i] = watch_new(rule, raise_watch, detector)))
            return err_nomem(err);
    }
    return 0;
}

static int make_parts(struct detector *detector, struct err *err)
{
    const struct detector_options *options = &detector->options;
    detector->scratch = arena_new(SCRATCH_MAX);
    detector->moment = arena_new(SCRATCH_MAX);
    if (!detector->scratch || !detector->moment)
        return err_nomem(err);
    if (options->state && !(detector->state = state_new(options->state)))
        return err_nomem(err);
    if (matcher_new(options->rules, &detector->matcher, err) < 0)
        return -1;
    return make_watches(detector, err);
}

int detector_new(const struct detector_options *options, struct detector **out, struct err *err)
{
    *out = NULL;
    struct detector *detector = mem_calloc(1, sizeof(*detector));
    if (!detector)
        return err_nomem(err);
    detector->options = *options;
    detector->stats.watermark_ns = INT64_MIN;
    if (make_parts(detector, err) < 0) {
        detector_free(detector);
        return -1;
    }
    *out = detector;
    return 0;
}

void detector_free(struct detector *detector)
{
    if (!detector)
        return;
    for (size_t i = 0; detector->watches && i < detector->options.rules->count; i++)
        watch_free(detector->watches[i]);
    mem_free(detector->watches);
    matcher_free(detector->matcher);
    state_free(detector->state);
    arena_free(detector->scratch);
    arena_free(detector->moment);
    mem_free(detector);
}

struct detector_stats detector_stats(const struct detector *detector)
{
    return detector->stats;
}

const struct matcher *detector_matcher(const struct detector *detector)
{
    return detector->matcher;
}

/* ---- findings ---- */

static int64_t row_time(const struct batch *batch, uint32_t row)
{
    return batch->rows ? batch->rows[row].time_ns : batch_first(batch, row, FIELD_TIMESTAMP).i64;
}

static struct evidence *row_evidence(const struct batch *batch, uint32_t row, struct arena *arena)
{
    struct evidence *evidence = arena_calloc(arena, sizeof(*evidence));
    struct value id = batch_first(batch, row, FIELD_EVENT_ID);
    struct value seq = batch_first(batch, row, FIELD_SEQ);
    if (!evidence)
        return NULL;
    if (id.type != VALUE_NULL)
        evidence->event_id = value_text(id, arena);
    evidence->seq = seq.type == VALUE_I64 ? (uint64_t)seq.i64 : 0;
    evidence->time_ns = row_time(batch, row);
    return evidence;
}

static int make_finding(struct detector *detector, const struct rule *rule, struct finding *finding,
                        struct err *err)
{
    struct arena *arena = detector->moment;
    const struct batch *batch = detector->batch;
    uint32_t row = detector->row;
    *finding = (struct finding){
        .rule_id = rule->id,
        .rule_name = rule->name,
        .rule_version = rule->version,
        .title = rule->title,
        .catalogue = rule->catalogue,
        .severity = rule->severity,
        .evidence = row_evidence(batch, row, arena),
        .evidence_count = 1,
        .event_ns = row_time(batch, row),
    };
    finding->raised_ns = finding->event_ns;
    if (!finding->evidence || explain_entities(rule, batch, row, arena, &finding->entities,
                                               &finding->entity_count) < 0)
        return err_nomem(err);
    finding->explanation_en = explain_sentence(rule, rule->explain_en, false, batch, row, arena);
    finding->explanation_ja = explain_sentence(rule, rule->explain_ja, true, batch, row, arena);
    finding_set_id(finding);
    return finding->explanation_en.ptr && finding->explanation_ja.ptr ? 0 : err_nomem(err);
}

static int raise_watch(void *context, const struct rule *rule, struct finding *finding,
                       struct err *err)
{
    struct detector *detector = context;
    detector->stats.findings++;
    return detector->options.found(detector->options.context, finding, rule, detector->batch,
                                   UINT32_MAX, err);
}

/* ---- a batch ---- */

static int match_partners(struct detector *detector, struct expr_scope *scope, uint64_t *any,
                          struct err *err)
{
    const struct rule_set *rules = detector->options.rules;
    detector->partner_rows = arena_array(detector->scratch, rules->count + 1, sizeof(uint64_t *));
    if (!detector->partner_rows)
        return err_nomem(err);
    for (size_t i = 0; i < rules->count; i++) {
        if (!detector->watches[i] || rules->rules[i]->kind != RULE_ABSENT)
            continue;
        uint64_t *rows =
            arena_calloc(detector->scratch, bits_words(detector->batch->row_count) * 8 + 8);
        if (!rows)
            return err_nomem(err);
        if (expr_filter(rules->rules[i]->partner, scope, detector->batch, NULL, rows, err) < 0)
            return -1;
        detector->partner_rows[i] = rows;
        bits_or(any, rows, detector->batch->row_count);
    }
    return 0;
}

/* ---- a row ---- */

static int key_text(struct detector *detector, const struct expr *key, struct expr_scope *scope,
                    struct slice *out, struct err *err)
{
    struct value_list list;
    *out = SLICE_NONE;
    if (expr_eval(key, scope, detector->batch, detector->row, &list, err) < 0)
        return -1;
    if (list.count)
        *out = value_text(list.values[0], detector->moment);
    return 0;
}

static int where_holds(struct detector *detector, const struct rule *rule, struct expr_scope *scope,
                       bool *out, struct err *err)
{
    struct value_list result;
    *out = true;
    if (!rule->where)
        return 0;
    if (expr_eval(rule->where, scope, detector->batch, detector->row, &result, err) < 0)
        return -1;
    *out = result.count && result.values[0].type == VALUE_BOOL && result.values[0].boolean;
    return 0;
}

static int take_hit(struct detector *detector, const struct rule *rule, struct expr_scope *scope,
                    struct err *err)
{
    struct finding finding;
    struct slice key;
    bool holds;
    if (where_holds(detector, rule, scope, &holds, err) < 0)
        return -1;
    if (!holds)
        return 0;
    int64_t time_ns = row_time(detector->batch, detector->row);
    struct watch *watch = detector->watches[rule->index];
    if (watch && key_text(detector, rule->key, scope, &key, err) < 0)
        return -1;
    if (watch && !key.ptr)
        return 0;
    if (rule->kind == RULE_SILENCE)
        return watch_heard(watch, key, time_ns, detector->moment, err);
    if (make_finding(detector, rule, &finding, err) < 0)
        return -1;
    if (rule->kind == RULE_ABSENT) {
        finding.group_key = key;
        finding_set_id(&finding);
        return watch_trigger(watch, key, time_ns, &finding, err);
    }
    detector->stats.findings++;
    return detector->options.found(detector->options.context, &finding, rule, detector->batch,
                                   detector->row, err);
}

static int take_partners(struct detector *detector, struct expr_scope *scope, struct err *err)
{
    const struct rule_set *rules = detector->options.rules;
    for (size_t i = 0; i < rules->count; i++) {
        struct slice key;
        if (!detector->partner_rows[i] || !bits_get(detector->partner_rows[i], detector->row))
            continue;
        if (key_text(detector, rules->rules[i]->partner_key, scope, &key, err) < 0)
            return -1;
        if (key.ptr && watch_partner(detector->watches[i], key,
                                     row_time(detector->batch, detector->row), detector->moment,
                                     err) < 0)
            return -1;
    }
    return 0;
}

static int advance_watches(struct detector *detector, int64_t now_ns, struct err *err)
{
    for (size_t i = 0; i < detector->options.rules->count; i++)
        if (detector->watches[i] && now_ns > watch_due_ns(detector->watches[i]) &&
            watch_advance(detector->watches[i], now_ns, detector->moment, err) < 0)
            return -1;
    return 0;
}

static int64_t next_due(const struct detector *detector)
{
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < detector->options.rules->count; i++)
        if (detector->watches[i] && watch_due_ns(detector->watches[i]) < due)
            due = watch_due_ns(detector->watches[i]);
    return due;
}

/* How far an event moves the watermark; INT64_MIN: not at all. What the program itself tells (gate
 * decisions) is stamped by our clock, not by a sender's: it must not make a backlog look old. And a
 * sender whose clock is ahead says nothing about what others have not sent yet. */
static int64_t moves_to(const struct batch *batch, uint32_t row, int64_t time_ns)
{
    const struct event_row *event = batch->rows ? &batch->rows[row] : NULL;
    if (!event)
        return time_ns;
    if (event->origin && slice_starts(event->origin->source, SLICE("hinomi.")))
        return INT64_MIN;
    return event->received_ns && event->received_ns < time_ns ? event->received_ns : time_ns;
}

static int walk_rows(struct detector *detector, const struct match_hits *hits, const uint64_t *partners,
                     const struct state_feed_rows *feeds, struct err *err)
{
    struct expr_scope scope = {.scratch = detector->moment,
                               .state = detector->state ? state_read : NULL,
                               .state_context = detector->state};
    size_t hit = 0;
    int64_t due = next_due(detector);
    for (uint32_t row = 0; row < detector->batch->row_count; row++) {
        int64_t time_ns = row_time(detector->batch, row);
        bool has_hit = hit < hits->count && hits->list[hit].row == row;
        bool feeds_state = detector->state && bits_get(feeds->any, row);
        detector->row = row;
        scope.now_ns = time_ns;
        int64_t moved_ns = moves_to(detector->batch, row, time_ns);
        if (moved_ns > detector->stats.watermark_ns)
            detector->stats.watermark_ns = moved_ns;
        if (detector->stats.watermark_ns > due) {
            if (advance_watches(detector, detector->stats.watermark_ns, err) < 0)
                return -1;
            due = next_due(detector);
        }
        if (!has_hit && !feeds_state && !bits_get(partners, row))
            continue;
        arena_reset(detector->moment);
        if (bits_get(partners, row) && take_partners(detector, &scope, err) < 0)
            return -1;
        for (; hit < hits->count && hits->list[hit].row == row; hit++)
            if (take_hit(detector, detector->options.rules->rules[hits->list[hit].rule], &scope,
                         err) < 0)
                return -1;
        if (feeds_state &&
            state_observe(detector->state, &scope, detector->batch, row, time_ns, feeds, err) < 0)
            return -1;
        due = next_due(detector);
    }
    return 0;
}

int detector_run(struct detector *detector, struct batch *batch, struct err *err)
{
    struct expr_folds folds = {0};
    struct expr_scope scope = {.scratch = detector->scratch, .folds = &folds};
    struct state_feed_rows feeds = {0};
    struct match_hits hits = {0};
    detector->batch = batch;
    arena_reset(detector->scratch);
    uint64_t *partners = arena_calloc(detector->scratch, bits_words(batch->row_count) * 8 + 8);
    int result = partners ? 0 : err_nomem(err);
    if (result == 0)
        result = matcher_run(detector->matcher, &scope, batch, &hits, err);
    if (result == 0)
        result = match_partners(detector, &scope, partners, err);
    if (result == 0 && detector->state)
        result = state_select(detector->options.state, &scope, batch, &feeds, err);
    if (result == 0)
        result = walk_rows(detector, &hits, partners, &feeds, err);
    detector->stats.events += batch->row_count;
    detector->stats.regex_limits += scope.regex_limits;
    detector->batch = NULL;
    return result;
}

int detector_tick(struct detector *detector, int64_t now_ns, struct err *err)
{
    arena_reset(detector->moment);
    return advance_watches(detector, now_ns, err);
}

/* ---- snapshots: version, watermark, state, then (rule name, watch) pairs ---- */

static void put_block(struct buffer *to, struct slice name, struct slice bytes)
{
    buffer_put_block(to, name);
    buffer_put_block(to, bytes);
}

void detector_save(const struct detector *detector, struct buffer *to)
{
    struct buffer part;
    buffer_init(&part, to->max);
    buffer_put_varint(to, SNAPSHOT_VERSION);
    buffer_put_le64(to, (uint64_t)detector->stats.watermark_ns);
    if (detector->state)
        state_save(detector->state, &part);
    put_block(to, SLICE("state"), buffer_slice(&part));
    for (size_t i = 0; i < detector->options.rules->count; i++) {
        if (!detector->watches[i])
            continue;
        buffer_clear(&part);
        watch_save(detector->watches[i], &part);
        put_block(to, detector->options.rules->rules[i]->name, buffer_slice(&part));
    }
    if (buffer_failed(&part))
        to->failed = true;
    buffer_close(&part);
}

static int load_block(struct detector *detector, struct slice name, struct slice bytes,
                      struct err *err)
{
    if (slice_is(name, "state"))
        return detector->state && bytes.len ? state_load(detector->state, bytes, err) : 0;
    for (size_t i = 0; i < detector->options.rules->count; i++)
        if (detector->watches[i] && slice_equal(detector->options.rules->rules[i]->name, name))
            return watch_load(detector->watches[i], &bytes, err);
    return 0; /* a rule that is gone */
}

static bool take_block(struct slice *bytes, struct slice *name, struct slice *part)
{
    return slice_take_block(bytes, name) && slice_take_block(bytes, part);
}

static bool take_head(struct slice *bytes, uint64_t *watermark)
{
    uint64_t version;
    return slice_take_varint(bytes, &version) && version == SNAPSHOT_VERSION &&
           slice_take_le64(bytes, watermark);
}

int detector_load(struct detector *detector, struct slice bytes, struct err *err)
{
    uint64_t watermark;
    struct slice name, part;
    if (!take_head(&bytes, &watermark))
        return err_set(err, ERR_CORRUPT, "a snapshot of the detector is damaged");
    detector->stats.watermark_ns = (int64_t)watermark;
    while (bytes.len) {
        if (!take_block(&bytes, &name, &part))
            return err_set(err, ERR_CORRUPT, "a snapshot of the detector is damaged");
        if (load_block(detector, name, part, err) < 0)
            return -1;
    }
    return 0;
}

int64_t detector_snapshot_time(struct slice bytes)
{
    uint64_t watermark;
    return take_head(&bytes, &watermark) ? (int64_t)watermark : INT64_MIN;
}

struct slice detector_snapshot_state(struct slice bytes)
{
    uint64_t watermark;
    struct slice name, part;
    if (!take_head(&bytes, &watermark))
        return SLICE_NONE;
    while (bytes.len && take_block(&bytes, &name, &part))
        if (slice_is(name, "state"))
            return part;
    return SLICE_NONE;
}
