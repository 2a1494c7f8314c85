/*
 * Rules of the risk of entities: what findings of all rules say of one user, host or wallet adds up, by table/risk:
 *
 *   risk: {half_life: 7d, over: 100, tactics: 3, quiet: 24h, of: [user, host]}
 *
 * Each finding is taken right behind the event that made it, so the totals depend on the order of arrival as little as
 * the findings do. A total is judged at the time of the entity's newest finding: what comes late adds to it with what
 * is left of its points by then, and may be what completes it. An entity that was told of is quiet for a while.
 *
 * Not counted: findings of rules of risk, and those that only tell how one went on (they have no severity of their
 * own). A finding of absence that is taken back takes its points with it.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "detect/hit.h"
#include "table/groups.h"
#include "table/risk.h"

enum { PARTS_TOLD = 8, SENTENCE_MAX = 16 * 1024 };

struct watching {
    struct operator_host host;
    struct risk *risk;
};

static void watching_free(void *state)
{
    struct watching *w = state;
    if (!w)
        return;
    risk_free(w->risk);
    mem_free(w);
}

static void *watching_make(const struct operator_host *host)
{
    struct watching *w = mem_calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    *w = (struct watching){.host = *host, .risk = risk_new(host->rule->risk->half_life_ns)};
    if (w->risk)
        return w;
    watching_free(w);
    return NULL;
}

/* ---- what is said ---- */

/* 145 or 97.5 */
static void put_points(struct buffer *to, uint64_t points)
{
    uint64_t tenths = (points + RISK_POINT / 20) / (RISK_POINT / 10);
    buffer_put_u64(to, tenths / 10);
    if (tenths % 10)
        buffer_printf(to, ".%u", (unsigned)(tenths % 10));
}

static void put_part(struct buffer *to, const struct risk_part *part, bool japanese)
{
    buffer_printf(to, japanese ? "「%.*s」" : "\"%.*s\" ", SLICE_ARG(part->source.title));
    put_points(to, part->left);
    if (part->count > 1)
        buffer_printf(to, japanese ? "（%llu 回）" : " (%llu times)", (unsigned long long)part->count);
    if (part->source.tactics.len)
        buffer_printf(to, " [%.*s]", SLICE_ARG(part->source.tactics));
}

static struct slice explain(const struct watching *w, const struct risk_total *total, struct slice own, bool japanese)
{
    struct buffer text;
    buffer_init(&text, SENTENCE_MAX);
    if (own.len)
        buffer_printf(&text, japanese ? "%.*s" : "%.*s ", SLICE_ARG(own));
    buffer_printf(&text, japanese ? "%.*s のリスクは " : "%.*s has ", SLICE_ARG(total->entity.value));
    put_points(&text, total->points);
    buffer_put_text(&text, japanese ? " 点です（うち直近24時間 " : " points (");
    put_points(&text, total->recent);
    buffer_printf(&text, japanese ? " 点、戦術 %u 種類）：" : " of them from the last 24 hours; tactics: %u): ", total->tactics);
    for (size_t i = 0; i < total->part_count && i < PARTS_TOLD; i++) {
        buffer_put_text(&text, i == 0 ? "" : japanese ? "、" : ", ");
        put_part(&text, &total->parts[i], japanese);
    }
    if (total->part_count > PARTS_TOLD)
        buffer_printf(&text, japanese ? "、ほか %zu 件の規則" : " and %zu more rules", total->part_count - PARTS_TOLD);
    buffer_put_text(&text, japanese ? "。" : ".");
    struct slice copy = buffer_failed(&text) ? SLICE_NONE : arena_copy(w->host.moment, buffer_slice(&text));
    buffer_close(&text);
    return copy;
}

static bool put_evidence(const struct watching *w, const struct risk_total *total, struct finding *finding)
{
    struct evidence *list = arena_array(w->host.moment, total->part_count + 1, sizeof(*list));
    for (size_t i = 0; list && i < total->part_count; i++) {
        const struct evidence *one = &total->parts[i].evidence;
        bool there = one->seq == 0 && !one->event_id.ptr && one->time_ns == 0; /* a part may have none */
        for (size_t k = 0; k < finding->evidence_count && !there; k++)
            there = list[k].seq == one->seq && list[k].time_ns == one->time_ns && slice_equal(list[k].event_id, one->event_id);
        if (there)
            continue;
        list[finding->evidence_count] = *one;
        if (one->event_id.ptr && !(list[finding->evidence_count].event_id = arena_copy(w->host.moment, one->event_id)).ptr)
            return false;
        finding->evidence_count++;
    }
    finding->evidence = list;
    return list != NULL;
}

/* Texts of the table are copied: the finding may reach the table again before it is given. */
static int raise(struct watching *w, const struct risk_total *total, const struct hit *hit, struct err *err)
{
    struct arena *arena = w->host.moment;
    const struct rule *rule = w->host.rule;
    struct finding finding = finding_of_rule(rule, total->now_ns);
    struct entity *entity = arena_alloc(arena, sizeof(*entity));
    if (!entity)
        return err_nomem(err);
    *entity = (struct entity){arena_copy(arena, total->entity.type), arena_copy(arena, total->entity.value)};
    finding.raised_ns = hit->time_ns > total->now_ns ? hit->time_ns : total->now_ns;
    finding.entities = finding.groups = entity;
    finding.entity_count = finding.group_count = 1;
    finding.group_key = arena_printf(arena, "%.*s=%.*s", SLICE_ARG(entity->type), SLICE_ARG(entity->value));
    struct slice id = arena_printf(arena, "%.*s %lld", SLICE_ARG(finding.group_key), (long long)total->now_ns);
    if (!entity->type.ptr || !entity->value.ptr || !finding.group_key.ptr || !id.ptr || !put_evidence(w, total, &finding) ||
        (rule->explain_en.ptr && hit_explain(rule, NULL, arena, &finding) < 0))
        return err_nomem(err);
    finding_set_id_of(&finding, id);
    finding.explanation_en = explain(w, total, finding.explanation_en, false);
    finding.explanation_ja = explain(w, total, finding.explanation_ja, true);
    if (!finding.explanation_en.ptr || !finding.explanation_ja.ptr)
        return err_nomem(err);
    return w->host.raise(w->host.context, rule, &finding, hit, err);
}

/* ---- a finding ---- */

static bool is_watched(const struct rule_risk *rule, const struct entity *entity)
{
    for (size_t i = 0; i < rule->of_count; i++)
        if (slice_equal(rule->of[i], entity->type))
            return entity->value.len > 0;
    return rule->of_count == 0 && entity->value.len > 0;
}

static int judge(struct watching *w, const struct entity *entity, const struct hit *hit, struct err *err)
{
    const struct rule_risk *rule = w->host.rule->risk;
    struct risk_total total;
    int known = risk_read(w->risk, entity, RISK_NEWEST, w->host.moment, &total);
    if (known < 0)
        return err_nomem(err);
    bool quiet = known && total.raised_ns != INT64_MIN && total.now_ns < groups_later(total.raised_ns, rule->quiet_ns);
    if (!known || quiet || total.points <= rule->over * RISK_POINT || total.tactics < rule->tactics)
        return 0;
    if (raise(w, &total, hit, err) < 0)
        return -1;
    return risk_set_raised(w->risk, entity, total.now_ns, w->host.moment) < 0 ? err_nomem(err) : 0;
}

static int count(struct watching *w, const struct entity *entity, const struct hit *hit, struct err *err)
{
    const struct rule *rule = hit->finder;
    const struct risk_source source = {rule->name, rule->title, rule->tactics, rule->points};
    if (risk_add(w->risk, entity, &source, hit->finding, w->host.moment) < 0)
        return err_nomem(err);
    return judge(w, entity, hit, err);
}

static int take(void *state, const struct hit *hit, struct err *err)
{
    struct watching *w = state;
    const struct finding *finding = hit->finding;
    if (!hit->finder->points || finding->follows.ptr)
        return 0;
    struct arena_mark mark = arena_mark(w->host.moment);
    int result = 0;
    for (size_t i = 0; i < finding->entity_count && result == 0; i++) {
        const struct entity *entity = &finding->entities[i];
        if (!is_watched(w->host.rule->risk, entity))
            continue;
        if (!finding->retracts.ptr)
            result = count(w, entity, hit, err);
        else if (risk_take_back(w->risk, entity, hit->finder->name, finding->retracts, w->host.moment) < 0)
            result = err_nomem(err);
    }
    arena_rewind(w->host.moment, &mark);
    return result;
}

/* ---- the rest ---- */

static int64_t due_ns(const void *state)
{
    (void)state;
    return INT64_MAX;
}

static int advance(void *state, int64_t now_ns, struct err *err)
{
    (void)state, (void)now_ns, (void)err;
    return 0;
}

static void save(const void *state, struct buffer *to)
{
    risk_save(((const struct watching *)state)->risk, to);
}

static int load(void *state, struct slice *from, struct err *err)
{
    return risk_load(((struct watching *)state)->risk, from, err);
}

static void stats(const void *state, struct operator_stats *add)
{
    struct risk_stats held = risk_stats(((const struct watching *)state)->risk);
    add->keys += held.entities;
    add->bytes += held.bytes;
    add->evicted += held.evicted;
    add->cut += held.cut;
    add->late += held.late;
}

static bool shrink(void *state)
{
    return risk_shrink(((struct watching *)state)->risk);
}

const struct operator_kind operator_risk = {
    .name = "risk",
    .make = watching_make,
    .free = watching_free,
    .take = take,
    .due_ns = due_ns,
    .advance = advance,
    .save = save,
    .load = load,
    .stats = stats,
    .shrink = shrink,
};
