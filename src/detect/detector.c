/*
 * What rows match is found for the whole batch (detect/match); then the rows are walked in order for
 * what depends on what came before: "where", state, and the operators of rules that remember.
 *
 *   hit ──► operator of its rule (absence, silence), or
 *       ──► operators of the correlations that name it ──► their findings are hits for correlations that name them
 *       ──► finding, unless the rule is only there for correlations ──► operators of risk
 *
 * Operators are in the order of who rests on whom: what the first find when time passes, the others take before they
 * look at the time themselves.
 */
#include "detect/detector.h"

#include "base/mem.h"
#include "detect/correlation_rule.h"
#include "detect/finding_row.h"
#include "detect/hit.h"
#include "detect/response.h"
#include "detect/wave.h"
#include "event/delivery.h"

#include <assert.h>

enum { SNAPSHOT_FIRST = 1, SNAPSHOT_VERSION = 3 };
#define SCRATCH_MAX (256 * MIB)
#define FINDINGS_MAX (64 * MIB) /* of one row */
#define LEDGER_BLOCK SLICE("ledger of rules") /* no rule has such a name */

/* A rule that remembers. */
struct remembering {
    const struct rule *rule;
    const struct operator_kind *kind;
    void *state;
    bool loaded; /* it remembers something of before */
};

struct detector {
    struct detector_options options;
    struct matcher *matcher;
    struct rule_ledger *ledger;
    struct remembering *operators;
    size_t operator_count;
    struct remembering **by_rule; /* by rule index; NULL for rules that need none */
    const struct remembering **risks; /* those to which all findings go */
    size_t risk_count;
    struct state *state;
    struct batch *found;   /* findings of the row, for tables that remember findings; NULL: there are none */
    struct arena *scratch; /* of a batch */
    struct arena *moment;  /* of a row */
    struct waves *waves;   /* to correlations */
    struct detector_stats stats;
    struct batch *batch; /* while running */
    bool learning; /* findings are not given */
    uint64_t **partner_rows; /* by operator; NULL: has none */
};

/* ---- making ---- */

static void count_rule(struct detector *detector, const struct rule *rule)
{
    detector->stats.rules_active += rule->status == RULE_ACTIVE;
    detector->stats.rules_inactive += rule->status == RULE_INACTIVE;
    detector->stats.rules_refused += rule->status == RULE_REFUSED;
}

static int raise(void *context, const struct rule *rule, struct finding *finding, const struct hit *hit,
                 struct err *err);

static int make_operator(struct detector *detector, const struct rule *rule, struct err *err)
{
    const struct operator_kind *kind = rule->status == RULE_ACTIVE ? operator_of(rule->kind) : NULL;
    struct operator_host host = {rule, detector->moment, &detector->stats.watermark_ns, raise, detector};
    if (!kind)
        return 0;
    struct remembering *one = &detector->operators[detector->operator_count];
    *one = (struct remembering){.rule = rule, .kind = kind, .state = kind->make(&host)};
    if (!one->state)
        return err_nomem(err);
    detector->by_rule[rule->index] = one;
    detector->operator_count++;
    if (rule->kind == RULE_RISK)
        detector->risks[detector->risk_count++] = one;
    return 0;
}

/* 0 for what rests on events alone, else one more than what it rests on. */
static unsigned depth_of(const struct rule *rule)
{
    unsigned depth = 0;
    for (size_t i = 0; rule->correlation && i < rule->correlation->part_count; i++) {
        const struct rule *part = rule->correlation->parts[i].rule;
        unsigned one = part == rule ? 0 : depth_of(part) + 1; /* its own hits */
        depth = one > depth ? one : depth;
    }
    return depth;
}

static int make_operators(struct detector *detector, struct err *err)
{
    const struct rule_set *rules = detector->options.rules;
    bool deeper = true;
    detector->operators = mem_calloc(rules->count + 1, sizeof(*detector->operators));
    detector->by_rule = mem_calloc(rules->count + 1, sizeof(*detector->by_rule));
    detector->risks = mem_calloc(rules->count + 1, sizeof(*detector->risks));
    if (!detector->operators || !detector->by_rule || !detector->risks)
        return err_nomem(err);
    for (size_t i = 0; i < rules->count; i++)
        count_rule(detector, rules->rules[i]);
    for (unsigned depth = 0; deeper; depth++) {
        deeper = false;
        for (size_t i = 0; i < rules->count; i++) {
            unsigned one = rules->rules[i]->status == RULE_ACTIVE ? depth_of(rules->rules[i]) : 0;
            deeper |= one > depth;
            if (one == depth && make_operator(detector, rules->rules[i], err) < 0)
                return -1;
        }
    }
    return 0;
}

static int make_parts(struct detector *detector, struct err *err)
{
    const struct detector_options *options = &detector->options;
    detector->scratch = arena_new(SCRATCH_MAX);
    detector->moment = arena_new(SCRATCH_MAX);
    detector->waves = waves_new();
    if (!detector->scratch || !detector->moment || !detector->waves)
        return err_nomem(err);
    if (options->state && !(detector->state = state_new(options->state)))
        return err_nomem(err);
    if (options->state && finding_rows_wanted(options->state) && !(detector->found = batch_new(FINDINGS_MAX)))
        return err_nomem(err);
    if (matcher_new(options->rules, &detector->matcher, err) < 0 ||
        rule_ledger_new(options->rules, detector->matcher, &detector->ledger, err) < 0)
        return -1;
    return make_operators(detector, err);
}

int detector_new(const struct detector_options *options, struct detector **out, struct err *err)
{
    *out = NULL;
    struct detector *detector = mem_calloc(1, sizeof(*detector));
    if (!detector)
        return err_nomem(err);
    detector->options = *options;
    if (!options->bytes_max)
        detector->options.bytes_max = CORRELATIONS_BYTES_MAX;
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
    for (size_t i = 0; i < detector->operator_count; i++)
        detector->operators[i].kind->free(detector->operators[i].state);
    mem_free(detector->operators);
    mem_free(detector->by_rule);
    mem_free(detector->risks);
    rule_ledger_free(detector->ledger);
    matcher_free(detector->matcher);
    state_free(detector->state);
    batch_free(detector->found);
    waves_free(detector->waves);
    arena_free(detector->scratch);
    arena_free(detector->moment);
    mem_free(detector);
}

struct detector_stats detector_stats(const struct detector *detector)
{
    struct detector_stats stats = detector->stats;
    for (size_t i = 0; i < detector->operator_count; i++)
        detector->operators[i].kind->stats(detector->operators[i].state, &stats.operators);
    if (detector->state)
        stats.state_full = state_fullest(detector->state, &stats.state_evicted);
    return stats;
}

const struct rule_ledger *detector_ledger(const struct detector *detector)
{
    return detector->ledger;
}

const struct matcher *detector_matcher(const struct detector *detector)
{
    return detector->matcher;
}

/* ---- findings ---- */

/* Every finding adds to the risk of its entities, but for those of risk itself. */
static int tell_risks(struct detector *detector, const struct rule *rule, const struct finding *finding,
                      const struct hit *hit, struct err *err)
{
    struct hit next = hit ? *hit : (struct hit){0};
    next.finding = finding;
    next.finder = rule;
    next.time_ns = finding->raised_ns;
    next.part = rule->index;
    for (size_t i = 0; i < detector->risk_count && rule->kind != RULE_RISK; i++)
        if (waves_put(detector->waves, detector->risks[i]->rule->index, &next) < 0)
            return err_nomem(err);
    return 0;
}

static int give(struct detector *detector, const struct rule *rule, struct finding *finding, const struct hit *hit,
                struct err *err)
{
    bool row = hit && hit->batch;
    if (detector->learning)
        return 0;
    if (response_holds(rule, hit, detector->moment, finding) < 0 ||
        (detector->found && finding_row_add(detector->found, finding) < 0))
        return err_nomem(err);
    detector->stats.findings++;
    rule_ledger_found(detector->ledger, rule);
    if (tell_risks(detector, rule, finding, hit, err) < 0)
        return -1;
    return detector->options.found(detector->options.context, finding, rule,
                                   row ? hit->batch : detector->batch, row ? hit->row : UINT32_MAX, err);
}

static int tell_listeners(struct detector *detector, const struct rule *rule, struct hit *hit, struct err *err)
{
    for (size_t i = 0; i < rule->listener_count; i++) {
        hit->part = rule->listeners[i].part;
        if (waves_put(detector->waves, rule->listeners[i].rule, hit) < 0)
            return err_nomem(err);
    }
    return 0;
}

/* Tables remember findings behind everything else that the row, or the time, brought. */
static int remember_findings(struct detector *detector, struct err *err)
{
    struct expr_scope scope = {.scratch = detector->moment, .state = state_read, .state_context = detector->state};
    struct batch *found = detector->found;
    struct state_feed_rows feeds;
    if (!found || !found->row_count)
        return 0;
    int result = state_select(detector->options.state, &scope, found, &feeds, err);
    for (uint32_t row = 0; result == 0 && row < found->row_count; row++) {
        scope.now_ns = found->rows[row].time_ns;
        if (bits_get(feeds.any, row))
            result = state_observe(detector->state, &scope, found, row, scope.now_ns, &feeds, err);
    }
    batch_reset(found);
    return result;
}

/* Until nobody has anything to tell any more. */
static int run_waves(struct detector *detector, struct err *err)
{
    const struct wave_hit *wave;
    size_t count;
    while ((wave = waves_take(detector->waves, &count)))
        for (size_t i = 0; i < count; i++) {
            const struct remembering *to = detector->by_rule[wave[i].to];
            if (to && to->kind->take(to->state, &wave[i].hit, err) < 0)
                return -1;
        }
    return 0;
}

/* From an operator. What goes on or is taken back is nothing new for a correlation. */
static int raise(void *context, const struct rule *rule, struct finding *finding, const struct hit *hit,
                 struct err *err)
{
    struct detector *detector = context;
    if (rule->listener_count && !finding->follows.ptr && !finding->retracts.ptr) {
        struct hit next = hit ? *hit : (struct hit){0};
        next.finding = finding;
        next.time_ns = finding->raised_ns;
        if (tell_listeners(detector, rule, &next, err) < 0)
            return -1;
    }
    return rule->silent ? 0 : give(detector, rule, finding, hit, err);
}

/* ---- a batch ---- */

static int match_partners(struct detector *detector, struct expr_scope *scope, uint64_t *any,
                          struct err *err)
{
    detector->partner_rows = arena_array(detector->scratch, detector->operator_count + 1, sizeof(uint64_t *));
    if (!detector->partner_rows)
        return err_nomem(err);
    for (size_t i = 0; i < detector->operator_count; i++) {
        const struct remembering *one = &detector->operators[i];
        if (!one->kind->partner)
            continue;
        uint64_t *rows =
            arena_calloc(detector->scratch, bits_words(detector->batch->row_count) * 8 + 8);
        if (!rows)
            return err_nomem(err);
        if (expr_filter(one->rule->partner, scope, detector->batch, NULL, rows, err) < 0)
            return -1;
        detector->partner_rows[i] = rows;
        bits_or(any, rows, detector->batch->row_count);
    }
    return 0;
}

/* ---- a row ---- */

/* Through which of its log sources the rule matched. */
static int find_variant(const struct rule *rule, struct hit *hit, struct err *err)
{
    for (hit->variant = 0; hit->variant + 1 < rule->variant_count; hit->variant++) {
        const struct rule_variant *variant = &rule->variants[hit->variant];
        bool guard, condition;
        if (hit_holds(variant->guard, hit, &guard, err) < 0 || hit_holds(variant->condition, hit, &condition, err) < 0)
            return -1;
        if (guard && condition)
            return 0;
    }
    return 0;
}

static int take_hit(struct detector *detector, const struct rule *rule, struct hit *hit, struct err *err)
{
    struct remembering *one = detector->by_rule[rule->index];
    struct finding finding;
    bool holds;
    hit->base = rule;
    if (hit_holds(rule->where, hit, &holds, err) < 0)
        return -1;
    if (!holds)
        return 0;
    if ((one || rule->listener_count) && find_variant(rule, hit, err) < 0)
        return -1;
    hit->part = 0;
    if (one)
        return one->kind->take(one->state, hit, err);
    if (rule->listener_count && tell_listeners(detector, rule, hit, err) < 0)
        return -1;
    if (rule->silent)
        return 0;
    if (hit_finding(rule, hit, detector->moment, &finding, err) < 0)
        return -1;
    return give(detector, rule, &finding, hit, err);
}

static int take_partners(struct detector *detector, struct hit *hit, struct err *err)
{
    for (size_t i = 0; i < detector->operator_count; i++) {
        const struct remembering *one = &detector->operators[i];
        hit->base = one->rule;
        if (detector->partner_rows[i] && bits_get(detector->partner_rows[i], hit->row) &&
            one->kind->partner(one->state, hit, err) < 0)
            return -1;
    }
    return 0;
}

static int advance(struct detector *detector, int64_t now_ns, struct err *err)
{
    for (size_t i = 0; i < detector->operator_count; i++) {
        const struct remembering *one = &detector->operators[i];
        if (now_ns > one->kind->due_ns(one->state) &&
            (one->kind->advance(one->state, now_ns, err) < 0 || run_waves(detector, err) < 0))
            return -1;
    }
    return remember_findings(detector, err);
}

static int64_t next_due(const struct detector *detector)
{
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < detector->operator_count; i++) {
        int64_t one_ns = detector->operators[i].kind->due_ns(detector->operators[i].state);
        due = one_ns < due ? one_ns : due;
    }
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
        int64_t time_ns = hit_row_time(detector->batch, row);
        bool has_hit = hit < hits->count && hits->list[hit].row == row;
        bool feeds_state = detector->state && bits_get(feeds->any, row);
        struct hit one = {.batch = detector->batch, .row = row, .time_ns = time_ns, .scope = &scope};
        scope.now_ns = time_ns;
        int64_t moved_ns = moves_to(detector->batch, row, time_ns);
        if (moved_ns > detector->stats.watermark_ns)
            detector->stats.watermark_ns = moved_ns;
        if (detector->stats.watermark_ns > due) {
            if (advance(detector, detector->stats.watermark_ns, err) < 0)
                return -1;
            due = next_due(detector);
        }
        if (!has_hit && !feeds_state && !bits_get(partners, row))
            continue;
        arena_reset(detector->moment);
        if (bits_get(partners, row) && take_partners(detector, &one, err) < 0)
            return -1;
        for (; hit < hits->count && hits->list[hit].row == row; hit++)
            if (take_hit(detector, detector->options.rules->rules[hits->list[hit].rule], &one, err) < 0)
                return -1;
        if (run_waves(detector, err) < 0)
            return -1;
        if (feeds_state &&
            state_observe(detector->state, &scope, detector->batch, row, time_ns, feeds, err) < 0)
            return -1;
        if (remember_findings(detector, err) < 0)
            return -1;
        due = next_due(detector);
    }
    return 0;
}

/* What correlations hold together; when that is too much, the largest forgets. The ledger learns of all. */
static void keep_budget(struct detector *detector)
{
    const struct remembering *largest;
    uint64_t bytes;
    do {
        uint64_t most = 0;
        largest = NULL;
        bytes = 0;
        for (size_t i = 0; i < detector->operator_count; i++) {
            const struct remembering *one = &detector->operators[i];
            struct operator_stats held = {0};
            one->kind->stats(one->state, &held);
            rule_ledger_remembers(detector->ledger, one->rule, &held);
            bytes += one->kind->shrink ? held.bytes : 0;
            if (one->kind->shrink && held.bytes > most) {
                most = held.bytes;
                largest = one;
            }
        }
    } while (bytes > detector->options.bytes_max && largest && largest->kind->shrink(largest->state));
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
        result = rule_ledger_batch(detector->ledger, detector->scratch, batch, &hits, err);
    if (result == 0)
        result = match_partners(detector, &scope, partners, err);
    if (result == 0 && detector->state)
        result = state_select(detector->options.state, &scope, batch, &feeds, err);
    if (result == 0)
        result = walk_rows(detector, &hits, partners, &feeds, err);
    keep_budget(detector);
    detector->stats.events += batch->row_count;
    detector->stats.regex_limits += scope.regex_limits;
    detector->batch = NULL;
    return result;
}

int detector_learn(struct detector *detector, struct batch *batch, struct err *err)
{
    detector->learning = true;
    rule_ledger_pause(detector->ledger);
    int result = detector_run(detector, batch, err);
    rule_ledger_resume(detector->ledger);
    detector->learning = false;
    return result;
}

int detector_tick(struct detector *detector, int64_t now_ns, struct err *err)
{
    arena_reset(detector->moment);
    return advance(detector, now_ns, err);
}

int detector_finish(struct detector *detector, struct err *err)
{
    arena_reset(detector->moment);
    for (size_t i = 0; i < detector->operator_count; i++) {
        const struct remembering *one = &detector->operators[i];
        if (one->kind->finish && (one->kind->finish(one->state, err) < 0 || run_waves(detector, err) < 0))
            return -1;
    }
    return 0;
}

/* ---- learning from history ---- */

int64_t detector_wants_history(const struct detector *detector, const struct rule *rule)
{
    const struct remembering *one = detector->by_rule[rule->index];
    if (!one || one->loaded || !one->kind->history_ns)
        return 0;
    int64_t wants_ns = one->kind->history_ns(rule), most_ns = WARM_UP_DAYS_MAX * NS_PER_DAY;
    return wants_ns < most_ns ? wants_ns : most_ns;
}

int detector_take_over(struct detector *detector, const struct detector *pupil, struct err *err)
{
    int result = 0;
    for (size_t i = 0; result == 0 && i < pupil->operator_count; i++) {
        const struct remembering *from = &pupil->operators[i];
        struct remembering *to = detector->by_rule[from->rule->index];
        struct buffer memory;
        if (!to || to->loaded)
            continue;
        buffer_init(&memory, SIZE_MAX);
        from->kind->save(from->state, &memory);
        struct slice bytes = buffer_slice(&memory);
        result = buffer_failed(&memory) ? err_nomem(err) : to->kind->load(to->state, &bytes, err);
        to->loaded = true;
        buffer_close(&memory);
    }
    return result;
}

/* ---- snapshots: version, watermark, state, then (rule name, fingerprint and operator) pairs ---- */

static void put_block(struct buffer *to, struct slice name, struct slice bytes)
{
    buffer_put_block(to, name);
    buffer_put_block(to, bytes);
}

/* What may be large goes where it belongs at once, its length in front. */
static void put_state(const struct detector *detector, struct buffer *to)
{
    uint64_t bytes = detector->state ? state_saved_bytes(detector->state) : 0;
    buffer_put_block(to, SLICE("state"));
    buffer_put_varint(to, bytes);
    to->failed |= detector->state && !bytes;
    size_t from = to->len;
    if (detector->state)
        state_save(detector->state, to);
    assert(buffer_failed(to) || to->len - from == bytes);
}

void detector_save(const struct detector *detector, struct buffer *to)
{
    struct buffer part;
    buffer_init(&part, to->max);
    buffer_put_varint(to, SNAPSHOT_VERSION);
    buffer_put_le64(to, (uint64_t)detector->stats.watermark_ns);
    put_state(detector, to);
    rule_ledger_save(detector->ledger, &part);
    put_block(to, LEDGER_BLOCK, buffer_slice(&part));
    for (size_t i = 0; i < detector->operator_count; i++) {
        const struct remembering *one = &detector->operators[i];
        buffer_clear(&part);
        buffer_put_le64(&part, one->rule->fingerprint);
        one->kind->save(one->state, &part);
        put_block(to, one->rule->name, buffer_slice(&part));
    }
    if (buffer_failed(&part))
        to->failed = true;
    buffer_close(&part);
}

void detector_save_risks(const struct detector *detector, struct buffer *to)
{
    struct buffer part;
    buffer_init(&part, to->max);
    for (size_t i = 0; i < detector->risk_count; i++) {
        buffer_clear(&part);
        detector->risks[i]->kind->save(detector->risks[i]->state, &part);
        put_block(to, detector->risks[i]->rule->name, buffer_slice(&part));
        to->failed |= buffer_failed(&part);
    }
    buffer_close(&part);
}

/* What a rule remembers goes when the rule was changed, for it may have counted something else, and when an older
 * version of the program wrote it in another way. */
static int load_operator(struct detector *detector, struct remembering *one, uint64_t version,
                         struct slice bytes, struct err *err)
{
    uint64_t fingerprint = one->rule->fingerprint;
    if (version > SNAPSHOT_FIRST && !slice_take_le64(&bytes, &fingerprint))
        return err_set(err, ERR_CORRUPT, "a snapshot of the detector is damaged");
    if (fingerprint != one->rule->fingerprint || version < one->kind->saved_since) {
        detector->stats.states_dropped++;
        return 0;
    }
    one->loaded = true;
    return one->kind->load(one->state, &bytes, err);
}

static int load_block(struct detector *detector, uint64_t version, struct slice name, struct slice bytes,
                      struct err *err)
{
    if (slice_is(name, "state"))
        return detector->state && bytes.len ? state_load(detector->state, bytes, err) : 0;
    if (slice_equal(name, LEDGER_BLOCK))
        return rule_ledger_load(detector->ledger, bytes, err);
    for (size_t i = 0; i < detector->operator_count; i++)
        if (slice_equal(detector->operators[i].rule->name, name))
            return load_operator(detector, &detector->operators[i], version, bytes, err);
    return 0; /* a rule that is gone */
}

static bool take_block(struct slice *bytes, struct slice *name, struct slice *part)
{
    return slice_take_block(bytes, name) && slice_take_block(bytes, part);
}

static bool take_head(struct slice *bytes, uint64_t *version, uint64_t *watermark)
{
    return slice_take_varint(bytes, version) && *version >= SNAPSHOT_FIRST && *version <= SNAPSHOT_VERSION &&
           slice_take_le64(bytes, watermark);
}

int detector_load(struct detector *detector, struct slice bytes, struct err *err)
{
    uint64_t version, watermark;
    struct slice name, part;
    if (!take_head(&bytes, &version, &watermark))
        return err_set(err, ERR_CORRUPT, "a snapshot of the detector is damaged");
    detector->stats.watermark_ns = (int64_t)watermark;
    while (bytes.len) {
        if (!take_block(&bytes, &name, &part))
            return err_set(err, ERR_CORRUPT, "a snapshot of the detector is damaged");
        if (load_block(detector, version, name, part, err) < 0)
            return -1;
    }
    return 0;
}

int64_t detector_snapshot_time(struct slice bytes)
{
    uint64_t version, watermark;
    return take_head(&bytes, &version, &watermark) ? (int64_t)watermark : INT64_MIN;
}

/* A part of a snapshot by its name. */
static struct slice find_block(struct slice bytes, struct slice wanted)
{
    uint64_t version, watermark;
    struct slice name, part;
    if (!take_head(&bytes, &version, &watermark))
        return SLICE_NONE;
    while (bytes.len && take_block(&bytes, &name, &part))
        if (slice_equal(name, wanted))
            return part;
    return SLICE_NONE;
}

struct slice detector_snapshot_state(struct slice bytes)
{
    return find_block(bytes, SLICE("state"));
}

struct slice detector_snapshot_ledger(struct slice bytes)
{
    return find_block(bytes, LEDGER_BLOCK);
}
