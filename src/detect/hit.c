#include "detect/hit.h"

#include "detect/explain.h"
#include "event/schema.h"

int64_t hit_row_time(const struct batch *batch, uint32_t row)
{
    return batch->rows ? batch->rows[row].time_ns : batch_first(batch, row, FIELD_TIMESTAMP).i64;
}

int hit_evidence(const struct batch *batch, uint32_t row, struct arena *arena, struct evidence *out)
{
    struct value id = batch_first(batch, row, FIELD_EVENT_ID);
    struct value seq = batch_first(batch, row, FIELD_SEQ);
    *out = (struct evidence){.seq = seq.type == VALUE_I64 ? (uint64_t)seq.i64 : 0,
                             .time_ns = hit_row_time(batch, row)};
    if (id.type == VALUE_NULL)
        return 0;
    out->event_id = value_text(id, arena);
    return out->event_id.ptr ? 0 : -1;
}

struct finding finding_of_rule(const struct rule *rule, int64_t time_ns)
{
    return (struct finding){
        .rule_id = rule->id,
        .rule_name = rule->name,
        .rule_version = rule->version,
        .title = rule->title,
        .catalogue = rule->catalogue,
        .severity = rule->severity,
        .event_ns = time_ns,
        .raised_ns = time_ns,
    };
}

int hit_explain(const struct rule *rule, const struct hit *hit, struct arena *arena, struct finding *finding)
{
    bool row = hit && hit->batch;
    return explain_finding(rule, row ? hit->batch : NULL, row ? hit->row : UINT32_MAX, arena, finding);
}

int hit_finding(const struct rule *rule, const struct hit *hit, struct arena *arena, struct finding *finding,
                struct err *err)
{
    struct evidence *evidence = arena_calloc(arena, sizeof(*evidence));
    *finding = finding_of_rule(rule, hit->time_ns);
    finding->evidence = evidence;
    finding->evidence_count = 1;
    if (!evidence || hit_evidence(hit->batch, hit->row, arena, evidence) < 0 ||
        explain_entities(rule, hit->batch, hit->row, arena, &finding->entities, &finding->entity_count) < 0 ||
        hit_explain(rule, hit, arena, finding) < 0)
        return err_nomem(err);
    finding_set_id(finding);
    return 0;
}

int hit_key(const struct expr *key, const struct hit *hit, struct arena *arena, struct slice *out, struct err *err)
{
    struct value_list list;
    *out = SLICE_NONE;
    if (expr_eval(key, hit->scope, hit->batch, hit->row, &list, err) < 0)
        return -1;
    if (list.count)
        *out = value_text(list.values[0], arena);
    return 0;
}

int hit_holds(const struct expr *expr, const struct hit *hit, bool *out, struct err *err)
{
    struct value_list result;
    *out = true;
    if (!expr)
        return 0;
    if (expr_eval(expr, hit->scope, hit->batch, hit->row, &result, err) < 0)
        return -1;
    *out = result.count && result.values[0].type == VALUE_BOOL && result.values[0].boolean;
    return 0;
}
