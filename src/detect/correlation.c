/*
 * Sigma correlations: hits of rules, grouped by the values of fields, over a window of event time.
 *
 * A condition that more events cannot make untrue (gte 10, two rules together) is judged at each hit, for the window
 * that ends with it, and, when the hit came late, for the windows of the hits behind it that it is in. It fires once;
 * while it stays true, hits are counted, and what was counted is told by a finding that follows the first: when it
 * has become untrue, or again after a timespan. Which events held and which were told of is marked on them, so that
 * what comes late is told of once, too, however late it is.
 *
 * Any other condition (lt 3, an average, "a and not b") is judged when no more can come: a window opens with the
 * first hit of a group and closes when event time is a timespan further.
 *
 *          hit ──► groups of its values ──► window of each ──► condition ──► finding
 */
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "detect/correlation_state.h"
#include "detect/hit.h"

#include <stdlib.h>

#define LATE_NS (CORRELATION_LATE_HOURS * NS_PER_HOUR)

enum { LOOKS = 64 }; /* how often a timespan it is looked for groups that are over */


static uint32_t events_max(const struct correlation *rule)
{
    int64_t most = 0, n;
    for (size_t i = 0; rule->type == CORRELATE_VALUES && i < rule->limit_count; i++)
        if (decimal_to_i64(decimal_round(rule->limits[i].number, 0), &n) && n > most)
            most = n;
    return most * 2 + 2 > CORRELATION_EVENTS_MAX ? (uint32_t)(most * 2 + 2) : CORRELATION_EVENTS_MAX;
}

static enum group_merge merge_of(enum correlation_type type)
{
    switch (type) {
    case CORRELATE_EVENTS:
    case CORRELATE_TEMPORAL:
    case CORRELATE_ORDERED:
    case CORRELATE_RATIO:
    case CORRELATE_BEACON:
        return MERGE_PART;
    case CORRELATE_SUM:
    case CORRELATE_AVERAGE:
    case CORRELATE_RISK:
        return MERGE_SUM;
    case CORRELATE_MIN:
        return MERGE_LEAST;
    case CORRELATE_MAX:
        return MERGE_MOST;
    case CORRELATE_VALUES:
    case CORRELATE_PERCENTILE:
    case CORRELATE_SHARE:
        break;
    }
    return MERGE_VALUE;
}

static bool has_numbers(enum correlation_type type)
{
    return (type >= CORRELATE_SUM && type <= CORRELATE_PERCENTILE) || type == CORRELATE_RISK;
}

static void counting_free(void *state)
{
    struct counting *c = state;
    if (!c)
        return;
    groups_free(c->groups);
    mem_free(c);
}

static void *counting_make(const struct operator_host *host)
{
    const struct correlation *rule = host->rule->correlation;
    struct groups_options options = {
        .bytes_max = CORRELATION_BYTES_MAX,
        .events_max = events_max(rule),
        .window_ns = rule->span_ns,
        .merge = merge_of(rule->type),
        .numbers = has_numbers(rule->type),
    };
    struct counting *c = mem_calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    *c = (struct counting){.host = *host, .rule = rule, .due_ns = INT64_MAX, .looked_ns = INT64_MIN,
                           .swept_ns = INT64_MIN};
    for (size_t i = 0; i < rule->group_count; i++)
        c->entity_types[i] = correlation_entity_type(rule, i);
    c->groups = groups_new(&options);
    if (c->groups)
        return c;
    counting_free(c);
    return NULL;
}

static void due_by(struct counting *c, int64_t time_ns)
{
    if (time_ns < c->due_ns)
        c->due_ns = time_ns;
}

/* ---- judged at once ---- */

static int raise(struct counting *c, struct finding *finding, const struct hit *hit, struct err *err)
{
    return c->host.raise(c->host.context, c->host.rule, finding, hit, err);
}

/* Marks of an event: the condition holds for the window that ends with it; a finding came of that. */
enum { HELD = 1, FIRED = 2 };

static int fire(struct counting *c, struct group *group, uint32_t from, uint32_t end, const struct hit *hit,
                struct err *err)
{
    struct finding finding;
    int64_t true_ns = group_at(group, end - 1)->time_ns;
    bool newest = true_ns >= group->fired_ns, still = end > 1 && group_at(group, end - 2)->marks & HELD;
    if (correlation_finding(c, group, from, end, hit, &finding, err) < 0)
        return -1;
    if (still) /* its window may begin with the same event as the one before */
        finding_set_id_of(&finding, arena_printf(c->host.moment, "%.*s %lld", SLICE_ARG(finding.group_key),
                                                  (long long)true_ns));
    group_mark(group, end - 1, FIRED);
    if (newest && group->fired && group->since > finding.evidence_seen)
        finding.evidence_seen = group->since;
    if (newest) { /* an earlier one does not change what is said of this one */
        group->fired = true;
        group->fired_ns = true_ns;
        group->since = 0;
        memcpy(group->told, finding.id, sizeof(group->told));
    }
    if (hit_explain(c->host.rule, hit, c->host.moment, &finding) < 0 ||
        (c->rule->type == CORRELATE_RISK && !correlation_explain_risk(c, group, from, end, &finding)))
        return err_nomem(err);
    return raise(c, &finding, hit, err);
}

/* It has become untrue: what came after the finding is told by another one. */
static int calm(struct counting *c, struct group *group, struct err *err)
{
    struct finding finding;
    uint64_t since = group->since;
    group->fired = false;
    group->since = 0;
    if (!since || !group->count)
        return 0;
    uint32_t from = group_from(group, groups_later(group->fired_ns, 1));
    if (from >= group->count)
        from = group->count - 1;
    if (correlation_finding(c, group, from, group->count, NULL, &finding, err) < 0)
        return -1;
    finding.follows = arena_copy(c->host.moment, slice_text(group->told));
    finding.evidence_seen = since;
    finding.severity = SEVERITY_NONE;
    struct slice key = finding.group_key;
    /* the finding that it follows has an id of its own, and may be followed more than once */
    finding_set_id_of(&finding, arena_printf(c->host.moment, "%s %lld %llu", group->told, (long long)finding.event_ns,
                                              (unsigned long long)since));
    finding.explanation_en = arena_printf(c->host.moment, "\"%.*s\" went on for %.*s: %llu more events",
                                          SLICE_ARG(finding.title), SLICE_ARG(key), (unsigned long long)since);
    finding.explanation_ja = arena_printf(c->host.moment, "「%.*s」が続いていました（%.*s）: さらにイベント %llu 件",
                                          SLICE_ARG(finding.title), SLICE_ARG(key), (unsigned long long)since);
    if (!finding.follows.ptr || !finding.explanation_en.ptr || !finding.explanation_ja.ptr)
        return err_nomem(err);
    return raise(c, &finding, NULL, err);
}

/* Whether a finding tells already of the window that ends with this event. Of the newest one: when it held before it and
 * the finding is less than a timespan old. What is late may join two runs: then any finding that near tells of it. */
static bool is_told(const struct counting *c, const struct group *group, uint32_t at)
{
    int64_t time_ns = group_at(group, at)->time_ns, span_ns = c->rule->span_ns;
    bool is_last = at + 1 == group->count;
    if (is_last && (at == 0 || !(group_at(group, at - 1)->marks & HELD)))
        return false;
    for (uint32_t i = at; i-- > 0 && group_at(group, i)->time_ns > groups_earlier(time_ns, span_ns);)
        if (group_at(group, i)->marks & FIRED)
            return true;
    for (uint32_t i = at; i < group->count && group_at(group, i)->time_ns < groups_later(time_ns, span_ns); i++)
        if (group_at(group, i)->marks & FIRED)
            return true;
    return false;
}

enum outcome { UNTRUE, TRUE_AND_TOLD, TRUE_AND_NEW };

/* Every window that the event is in, as far as it did not hold before. */
static int judge_windows(struct counting *c, struct group *group, uint32_t at, const struct hit *hit,
                         enum outcome *outcome, struct err *err)
{
    int64_t last_ns = groups_later(group_at(group, at)->time_ns, c->rule->span_ns);
    struct arena_mark mark = arena_mark(c->host.moment);
    bool failed = false;
    *outcome = UNTRUE;
    for (uint32_t u = at; u < group->count && group_at(group, u)->time_ns <= last_ns; u++) {
        uint32_t from = group_from(group, groups_earlier(group_at(group, u)->time_ns, c->rule->span_ns));
        bool before = group_at(group, u)->marks & HELD;
        bool holds = before || correlation_judge(c->rule, group, from, u + 1, c->host.moment, &failed);
        arena_rewind(c->host.moment, &mark);
        if (failed)
            return err_nomem(err);
        if (holds && *outcome == UNTRUE)
            *outcome = TRUE_AND_TOLD;
        if (!holds || before)
            continue;
        group_mark(group, u, HELD);
        if (is_told(c, group, u))
            continue;
        *outcome = TRUE_AND_NEW;
        if (fire(c, group, from, u + 1, hit, err) < 0)
            return -1;
    }
    return 0;
}

static int judge_now(struct counting *c, struct group *group, uint32_t at, const struct hit *hit, struct err *err)
{
    int64_t now_ns = *c->host.watermark_ns;
    enum outcome outcome;
    bool going_on = group->fired;
    if (going_on) /* a finding that comes of it counts what has come since the one before */
        group->since++;
    if (judge_windows(c, group, at, hit, &outcome, err) < 0)
        return -1;
    if (going_on && outcome == UNTRUE) {
        group->since--;
        return at + 1 == group->count ? calm(c, group, err) : 0;
    }
    if (!group->fired && outcome == TRUE_AND_TOLD) { /* late, of what was over */
        group->fired = true;
        group->since = 1;
    }
    if (group->fired) {
        int64_t newest_ns = group_at(group, group->count - 1)->time_ns;
        group->due_ns = groups_later(newest_ns > now_ns ? newest_ns : now_ns, c->rule->span_ns);
        due_by(c, group->due_ns);
    }
    return 0;
}

/* ---- judged when the window closes ---- */

static int close_window(struct counting *c, struct group *group, struct err *err)
{
    int64_t end_ns = groups_later(group->open_ns, c->rule->span_ns);
    uint32_t from = group_from(group, group->open_ns), end = group_from(group, groups_later(end_ns, 1));
    struct finding finding;
    bool failed = false;
    bool holds = correlation_judge(c->rule, group, from, end, c->host.moment, &failed);
    if (failed)
        return err_nomem(err);
    if (holds && correlation_finding(c, group, from, end, NULL, &finding, err) < 0)
        return -1;
    group->open_ns = INT64_MIN;
    group->due_ns = INT64_MAX;
    group->fired_ns = end_ns; /* until when it is settled */
    group_forget_before(c->groups, group, groups_later(end_ns, 1));
    if (group->count) { /* it began with a late event, and ended before these */
        group->open_ns = group_at(group, 0)->time_ns;
        group->due_ns = groups_later(group->open_ns, c->rule->span_ns);
        due_by(c, group->due_ns);
    }
    if (!holds)
        return 0;
    finding.raised_ns = end_ns;
    if (hit_explain(c->host.rule, NULL, c->host.moment, &finding) < 0)
        return err_nomem(err);
    return raise(c, &finding, NULL, err);
}

/* Before the event is put in. *settled: its window was judged already. */
static int open_window(struct counting *c, struct group *group, int64_t time_ns, bool *settled, struct err *err)
{
    int64_t span_ns = c->rule->span_ns;
    *settled = time_ns <= group->fired_ns && time_ns >= groups_earlier(group->fired_ns, span_ns);
    if (*settled)
        return 0;
    if (group->open_ns != INT64_MIN && time_ns > groups_later(group->open_ns, span_ns) &&
        close_window(c, group, err) < 0)
        return -1;
    if (group->open_ns == INT64_MIN) {
        int64_t now_ns = *c->host.watermark_ns;
        group->open_ns = time_ns;
        /* one that opens late waits for as long as one that opens now */
        group->due_ns = groups_later(time_ns > now_ns ? time_ns : now_ns, span_ns);
    } else if (time_ns < group->open_ns) {
        group->open_ns = time_ns;
    }
    due_by(c, group->due_ns);
    return 0;
}

/* ---- a hit ---- */

static bool put_key(const struct counting *c, const struct hit_values *values, const size_t *choice,
                    struct buffer *to)
{
    buffer_clear(to);
    for (size_t i = 0; i < c->rule->group_count; i++)
        buffer_put_block(to, values[i].texts[choice[i]]);
    return !buffer_failed(to);
}

static uint64_t hash_of_values(const struct counting *c, const struct hit_values *values, const size_t *choice)
{
    uint64_t hash = 0;
    size_t fields = c->rule->group_count + c->rule->value_count;
    for (size_t i = c->rule->group_count; i < fields; i++)
        hash = hash_bytes_seeded(values[i].texts[choice[i]], hash + 1);
    return hash ? hash : 1;
}

static bool number_of(const struct counting *c, const struct hit *hit, const struct hit_values *values,
                      struct decimal *out)
{
    if (c->rule->type == CORRELATE_RISK) {
        *out = c->rule->scores[hit->part];
        return true;
    }
    return !has_numbers(c->rule->type) || decimal_parse(slice_trim(values[c->rule->group_count].texts[0]), out);
}

/* A hit on its way into groups. */
struct arriving {
    const struct hit *hit;
    struct hit_values values[CORRELATION_FIELDS_MAX];
    size_t choice[CORRELATION_FIELDS_MAX];
    struct buffer evidence, key;
    struct decimal number;
    uint32_t part;
};

/* Every counted value is an event of the group; only the first of a hit brings its evidence. */
static int64_t insert_values(struct counting *c, struct arriving *a, struct group *group)
{
    size_t groups = c->rule->group_count, fields = groups + c->rule->value_count;
    struct group_event event = {.time_ns = a->hit->time_ns, .part = (uint16_t)a->part, .times = 1};
    struct slice text = buffer_slice(&a->evidence);
    int64_t at = -1;
    memset(a->choice + groups, 0, (CORRELATION_FIELDS_MAX - groups) * sizeof(size_t));
    for (int combinations = 0; combinations < CORRELATION_COMBINATIONS_MAX; combinations++) {
        event.value = hash_of_values(c, a->values, a->choice);
        at = group_insert(c->groups, group, &event, text, &a->number);
        event.times = 0;
        text = SLICE("");
        if (at < 0 || !hit_choose(a->values, groups, fields, a->choice))
            return at;
    }
    c->left_out++;
    return at;
}

static int enter_group(struct counting *c, struct arriving *a, struct err *err)
{
    int64_t time_ns = a->hit->time_ns;
    bool settled = false;
    struct group *group = put_key(c, a->values, a->choice, &a->key) ? groups_get(c->groups, buffer_slice(&a->key))
                                                                    : NULL;
    if (!group)
        return err_nomem(err);
    if (c->rule->at_close && open_window(c, group, time_ns, &settled, err) < 0)
        return -1;
    if (settled) {
        c->late++;
        return 0;
    }
    int64_t kept_ns = groups_earlier(groups_earlier(time_ns, c->rule->span_ns), LATE_NS);
    group_forget_before(c->groups, group, kept_ns);
    int64_t at = insert_values(c, a, group);
    if (at < 0)
        return err_nomem(err);
    return c->rule->at_close ? 0 : judge_now(c, group, (uint32_t)at, a->hit, err);
}

static int enter_groups(struct counting *c, struct arriving *a, struct err *err)
{
    for (int combinations = 0; combinations < CORRELATION_COMBINATIONS_MAX; combinations++) {
        if (enter_group(c, a, err) < 0)
            return -1;
        if (!hit_choose(a->values, 0, c->rule->group_count, a->choice))
            return 0;
    }
    c->left_out++;
    return 0;
}

static int take(void *state, const struct hit *hit, struct err *err)
{
    struct counting *c = state;
    struct arriving a = {.hit = hit, .part = hit->part};
    bool failed = false, counted = false;
    if (c->rule->of && hit_holds(c->rule->of, hit, &counted, err) < 0)
        return -1;
    if (c->rule->of)
        a.part = counted;
    if (!hit_fields(c->rule, hit, c->host.moment, a.values, &failed) || !number_of(c, hit, a.values, &a.number)) {
        c->left_out += !failed;
        return failed ? err_nomem(err) : 0;
    }
    if (c->swept_ns == INT64_MIN)
        c->swept_ns = *c->host.watermark_ns;
    c->late += *c->host.watermark_ns != INT64_MIN && hit->time_ns < groups_earlier(*c->host.watermark_ns, LATE_NS);
    buffer_init(&a.evidence, MIB);
    buffer_init(&a.key, MIB);
    int result = correlation_note(c, hit, &a.evidence) ? enter_groups(c, &a, err) : err_nomem(err);
    buffer_close(&a.evidence);
    buffer_close(&a.key);
    return result;
}

/* ---- time passes ---- */

static int64_t due_of(const struct counting *c, const struct group *group)
{
    bool waits = c->rule->at_close ? group->open_ns != INT64_MIN : group->fired;
    return waits ? group->due_ns : INT64_MAX;
}

static int by_first_and_key(const void *a, const void *b)
{
    const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;
    int64_t x_ns = x->count ? group_at(x, 0)->time_ns : 0, y_ns = y->count ? group_at(y, 0)->time_ns : 0;
    if (x_ns != y_ns)
        return x_ns < y_ns ? -1 : 1;
    return slice_compare(x->key, y->key);
}

/* Groups that are over, in an order that does not depend on the table. Their number, or -1. */
static int64_t end_groups(struct counting *c, int64_t now_ns, struct err *err)
{
    struct groups_stats stats = groups_stats(c->groups);
    struct group **over = mem_calloc(stats.groups + 1, sizeof(struct group *)), *group;
    size_t count = 0, at = 0;
    if (!over)
        return err_nomem(err);
    c->due_ns = INT64_MAX;
    while ((group = groups_next(c->groups, &at))) {
        int64_t due_ns = due_of(c, group);
        if (due_ns < now_ns || (due_ns != INT64_MAX && now_ns == INT64_MAX))
            over[count++] = group;
        else
            due_by(c, due_ns);
    }
    qsort(over, count, sizeof(struct group *), by_first_and_key);
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++) {
        struct arena_mark mark = arena_mark(c->host.moment);
        result = c->rule->at_close ? close_window(c, over[i], err) : calm(c, over[i], err);
        arena_rewind(c->host.moment, &mark);
    }
    mem_free(over);
    return result < 0 ? -1 : (int64_t)count;
}

/* What closes may leave a window behind it that is over as well. */
static int end_all(struct counting *c, int64_t now_ns, struct err *err)
{
    int64_t ended;
    do {
        ended = end_groups(c, now_ns, err);
    } while (ended > 0);
    return (int)ended;
}

static int advance(void *state, int64_t now_ns, struct err *err)
{
    struct counting *c = state;
    if (end_all(c, now_ns, err) < 0)
        return -1;
    c->looked_ns = now_ns;
    if (c->swept_ns < groups_earlier(now_ns, (c->rule->span_ns + LATE_NS) / 8)) {
        c->swept_ns = now_ns;
        groups_drop_before(c->groups, groups_earlier(groups_earlier(now_ns, c->rule->span_ns), LATE_NS));
    }
    return 0;
}

static int finish(void *state, struct err *err)
{
    struct counting *c = state;
    return end_all(c, INT64_MAX, err);
}

/* All groups are looked at together: not more often than a part of the timespan, and now and then to forget. */
static int64_t due_ns(const void *state)
{
    const struct counting *c = state;
    int64_t next_ns = groups_later(c->looked_ns, c->rule->span_ns / LOOKS);
    int64_t sweep_ns = groups_later(c->swept_ns, (c->rule->span_ns + LATE_NS) / 8);
    int64_t due = c->due_ns == INT64_MAX ? INT64_MAX : c->due_ns > next_ns ? c->due_ns : next_ns;
    if (groups_stats(c->groups).groups && c->swept_ns != INT64_MIN && sweep_ns < due)
        due = sweep_ns;
    return due;
}

/* ---- snapshots ---- */

static void save(const void *state, struct buffer *to)
{
    const struct counting *c = state;
    buffer_put_le64(to, (uint64_t)c->looked_ns);
    buffer_put_le64(to, (uint64_t)c->swept_ns);
    buffer_put_varint(to, c->late);
    buffer_put_varint(to, c->left_out);
    groups_save(c->groups, to);
}

static int load(void *state, struct slice *from, struct err *err)
{
    struct counting *c = state;
    uint64_t looked_ns, swept_ns;
    if (!slice_take_le64(from, &looked_ns) || !slice_take_le64(from, &swept_ns) ||
        !slice_take_varint(from, &c->late) || !slice_take_varint(from, &c->left_out))
        return err_set(err, ERR_CORRUPT, "a snapshot of a correlation is damaged");
    c->looked_ns = (int64_t)looked_ns;
    c->swept_ns = (int64_t)swept_ns;
    if (groups_load(c->groups, from, err) < 0)
        return -1;
    struct group *group;
    for (size_t at = 0; (group = groups_next(c->groups, &at));)
        due_by(c, due_of(c, group));
    return 0;
}

static void stats(const void *state, struct operator_stats *add)
{
    const struct counting *c = state;
    struct groups_stats held = groups_stats(c->groups);
    add->keys += held.groups;
    add->bytes += held.bytes;
    add->evicted += held.evicted;
    add->cut += held.cut;
    add->late += c->late;
    add->left_out += c->left_out;
}

static bool shrink(void *state)
{
    return groups_shrink(((struct counting *)state)->groups);
}

const struct operator_kind operator_correlation = {
    .name = "correlation",
    .saved_since = 3,
    .make = counting_make,
    .free = counting_free,
    .take = take,
    .due_ns = due_ns,
    .advance = advance,
    .finish = finish,
    .save = save,
    .load = load,
    .stats = stats,
    .shrink = shrink,
};
