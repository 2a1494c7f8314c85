#include "base/limits.h"
#include "detect/correlation_state.h"
#include "detect/explain.h"
#include "detect/hit.h"

struct slice correlation_entity_type(const struct correlation *rule, size_t field)
{
    size_t fields = rule->group_count + rule->value_count;
    for (size_t p = 0; p < rule->part_count; p++)
        for (size_t s = 0; s < rule->parts[p].source_count; s++) {
            const struct correlation_source *source = &rule->parts[p].sources[s];
            for (size_t v = 0; v < source->base->variant_count; v++) {
                const struct correlation_columns *columns = &source->columns[v * fields + field];
                for (size_t i = 0; i < columns->count; i++) {
                    struct slice type = explain_entity_type(columns->names[i]);
                    if (type.ptr)
                        return type;
                }
            }
        }
    return rule->fields[field];
}

/* Groups and entities from the key: name, value and kind of entity of each field. */
static bool groups_of_key(const struct counting *c, struct slice key, struct finding *finding)
{
    struct arena *arena = c->host.moment;
    struct entity *groups = arena_array(arena, c->rule->group_count + 1, sizeof(*groups));
    struct entity *entities = arena_array(arena, c->rule->group_count + 1, sizeof(*entities));
    struct buffer text;
    if (!groups || !entities)
        return false;
    buffer_init(&text, KIB * KIB);
    for (size_t i = 0; i < c->rule->group_count; i++) {
        struct slice value;
        if (!slice_take_block(&key, &value))
            break;
        groups[i] = (struct entity){c->rule->fields[i], arena_copy(arena, value)};
        entities[i] = (struct entity){c->entity_types[i], groups[i].value};
        buffer_printf(&text, "%s%.*s=%.*s", i ? " " : "", SLICE_ARG(c->rule->fields[i]), SLICE_ARG(value));
    }
    finding->groups = groups;
    finding->entities = entities;
    finding->group_count = finding->entity_count = c->rule->group_count;
    finding->group_key = arena_copy(arena, buffer_slice(&text));
    buffer_close(&text);
    return finding->group_key.ptr != NULL;
}

static bool take_evidence(struct slice *from, struct evidence *out)
{
    uint64_t seq, time_ns;
    if (!slice_take_varint(from, &seq) || !slice_take_le64(from, &time_ns) ||
        !slice_take_block(from, &out->event_id))
        return false;
    out->seq = seq;
    out->time_ns = (int64_t)time_ns;
    return true;
}

/* The events of a run; of many the first ones and, last, the one that completed it. */
static bool evidence_of(const struct counting *c, const struct group *group, uint32_t from, uint32_t end,
                        struct finding *finding)
{
    struct evidence *list = arena_array(c->host.moment, FINDING_EVIDENCE_MAX, sizeof(*list)), one;
    size_t count = 0;
    uint64_t seen = 0;
    for (uint32_t i = from; list && i < end; i++) {
        struct slice text = group_text(group, i);
        uint64_t of_first = 1, times = group_at(group, i)->times;
        if (text.len && !slice_take_varint(&text, &of_first))
            break;
        seen += times ? of_first + times - 1 : 0; /* of those that became one, the first is noted */
        while (take_evidence(&text, &one)) {
            one.event_id = one.event_id.len ? arena_copy(c->host.moment, one.event_id) : SLICE_NONE;
            list[count < FINDING_EVIDENCE_MAX ? count++ : FINDING_EVIDENCE_MAX - 1] = one;
        }
    }
    finding->evidence = list;
    finding->evidence_count = count;
    finding->evidence_seen = seen;
    return list != NULL;
}

/* The rule's own entities, where there is a row, before those of the group. */
static bool add_entities(const struct counting *c, const struct hit *hit, struct finding *finding)
{
    const struct entity *own;
    size_t count;
    struct arena *arena = c->host.moment;
    if (!hit || !hit->batch || !c->host.rule->entity_count)
        return true;
    if (explain_entities(c->host.rule, hit->batch, hit->row, arena, &own, &count) < 0)
        return false;
    struct entity *all = arena_array(arena, count + finding->entity_count + 1, sizeof(*all));
    if (!all)
        return false;
    memcpy(all, own, count * sizeof(*all));
    memcpy(all + count, finding->entities, finding->entity_count * sizeof(*all));
    finding->entities = all;
    finding->entity_count += count;
    return true;
}

int correlation_finding(struct counting *c, const struct group *group, uint32_t from, uint32_t end,
                        const struct hit *hit, struct finding *finding, struct err *err)
{
    int64_t last_ns = group_at(group, end - 1)->time_ns;
    *finding = finding_of_rule(c->host.rule, last_ns);
    if (hit && hit->time_ns > last_ns)
        finding->raised_ns = hit->time_ns;
    if (!groups_of_key(c, group->key, finding) || !evidence_of(c, group, from, end, finding) ||
        !add_entities(c, hit, finding))
        return err_nomem(err);
    /* a condition that goes up and down may be true twice with the same first event */
    struct slice again = arena_printf(c->host.moment, "%.*s %lld", SLICE_ARG(finding->group_key), (long long)last_ns);
    finding_set_id_of(finding, c->rule->type >= CORRELATE_RATIO ? again : finding->group_key);
    return again.ptr ? 0 : err_nomem(err);
}

/* "a 80.0 (2), b 25.2 (1)": what each rule has added to a risk, and how often. */
static struct slice risk_parts(const struct counting *c, const struct group *group, uint32_t from, uint32_t end)
{
    struct buffer text;
    buffer_init(&text, MIB);
    buffer_printf(&text, " %.1f =", correlation_risk(c->rule, group, from, end, UINT32_MAX));
    const char *separator = " ";
    for (uint32_t part = 0; part < c->rule->part_count; part++) {
        uint64_t times = 0;
        for (uint32_t i = from; i < end; i++)
            times += group_at(group, i)->part == part ? group_at(group, i)->times : 0;
        if (!times)
            continue;
        buffer_printf(&text, "%s%.*s %.1f (%llu)", separator, SLICE_ARG(c->rule->parts[part].rule->title),
                      correlation_risk(c->rule, group, from, end, part), (unsigned long long)times);
        separator = " + ";
    }
    struct slice copy = arena_copy(c->host.moment, buffer_slice(&text));
    buffer_close(&text);
    return copy;
}

bool correlation_explain_risk(struct counting *c, const struct group *group, uint32_t from, uint32_t end,
                         struct finding *finding)
{
    struct slice parts = risk_parts(c, group, from, end);
    if (!parts.ptr)
        return false;
    finding->explanation_en = arena_printf(c->host.moment, "%.*s Risk%.*s.", SLICE_ARG(finding->explanation_en),
                                           SLICE_ARG(parts));
    finding->explanation_ja = arena_printf(c->host.moment, "%.*sリスク%.*s。", SLICE_ARG(finding->explanation_ja),
                                           SLICE_ARG(parts));
    return finding->explanation_en.ptr && finding->explanation_ja.ptr;
}

/* How many events, then those that are named. */
bool correlation_note(const struct counting *c, const struct hit *hit, struct buffer *to)
{
    struct evidence own;
    const struct evidence *list = hit->finding ? hit->finding->evidence : &own;
    size_t count = hit->finding ? hit->finding->evidence_count : 1;
    if (!hit->finding && hit_evidence(hit->batch, hit->row, c->host.moment, &own) < 0)
        return false;
    buffer_put_varint(to, hit->finding && hit->finding->evidence_seen ? hit->finding->evidence_seen : count);
    for (size_t i = 0; i < count && i < FINDING_EVIDENCE_MAX; i++) {
        buffer_put_varint(to, list[i].seq);
        buffer_put_le64(to, (uint64_t)list[i].time_ns);
        buffer_put_block(to, list[i].event_id);
    }
    return !buffer_failed(to);
}
