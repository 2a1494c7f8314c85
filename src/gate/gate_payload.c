#include "gate/gate_payload.h"

#include "gate/gate_parts.h"

enum { EFFECTS_SHOWN_BYTES = 2048 }; /* a reason has room for so much; the kind is that of all */

/* ---- what rows read ---- */

static void add(struct buffer *to, struct slice text)
{
    if (to->len && text.len)
        buffer_put_text(to, "; ");
    buffer_put(to, text);
}

static bool put(struct batch *batch, const char *name, const struct buffer *text)
{
    struct slice copy = arena_copy(batch->arena, buffer_slice(text));
    return !buffer_failed(text) && copy.ptr && batch_put_text(batch, 0, name, copy) == 0;
}

/* Said before of another effect. */
static bool is_said(const struct payload_sight *sight, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (sight->differs[k] == sight->differs[i])
            return true;
    return !sight->differs[i];
}

/* All in one text each: that is how people read them, and the worst first. */
static bool put_texts(struct batch *batch, const struct payload_sight *sight)
{
    struct buffer effects, differs;
    buffer_init(&effects, 128 * KIB);
    buffer_init(&differs, 16 * KIB);
    for (int kind = EFFECT_DELEGATECALL; kind >= EFFECT_TRANSFER; kind--)
        for (size_t i = 0; i < sight->effects.count; i++)
            if ((int)sight->effects.list[i].kind == kind && effects.len < EFFECTS_SHOWN_BYTES)
                add(&effects, effect_text(&sight->effects.list[i], batch->arena));
    if (effects.len >= EFFECTS_SHOWN_BYTES)
        add(&effects, SLICE("…"));
    for (size_t i = 0; i < sight->effects.count; i++)
        add(&differs, is_said(sight, i) ? SLICE("") : slice_text(sight->differs[i]));
    bool whole = put(batch, "payload_effects", &effects) && (!differs.len || put(batch, "payload_differs", &differs));
    buffer_close(&effects);
    buffer_close(&differs);
    return whole;
}

bool payload_describe(struct gate *gate, const struct gate_request *request)
{
    struct batch *batch = gate->batch;
    struct payload_sight *sight = &gate->payload_sight;
    struct decimal fee;
    *sight = (struct payload_sight){0};
    if (!request->payload.len)
        return true;
    if (!payload_judge(gate->policy, request, batch->arena, sight) ||
        batch_put_text(batch, 0, "payload_kind", slice_text(effect_kind_name(sight->worst))) < 0)
        return false;
    if (sight->effects.fee.len && decimal_parse(sight->effects.fee, &fee) &&
        batch_put(batch, 0, SLICE("payload_fee"), value_decimal(fee, batch->arena)) < 0)
        return false;
    return put_texts(batch, sight);
}

bool payload_find(const struct gate *gate, struct slice name, struct value_list *out)
{
    static const struct value off = {.type = VALUE_BOOL}, on = {.type = VALUE_BOOL, .boolean = true};
    if (!slice_is(name, "payload_matches"))
        return false;
    *out = (struct value_list){gate->payload_sight.matches ? &on : &off, 1};
    return true;
}

/* A row of a policy that reads it has decided with open eyes; a doubt has not looked at all. */
static bool was_looked_at(const struct policy *policy, struct slice row)
{
    for (size_t i = 0; policy && policy->reads_payload && i < policy->row_count; i++)
        if (slice_equal(policy->rows[i].name, row))
            return true;
    return false;
}

bool payload_forbids(const struct policy *policy, const struct gate_request *request, struct slice row, struct arena *arena)
{
    struct payload_sight sight;
    struct arena_mark mark = arena_mark(arena);
    if (!request->payload.len || was_looked_at(policy, row))
        return false;
    bool matches = payload_judge(policy, request, arena, &sight) && sight.matches;
    arena_rewind(arena, &mark);
    return !matches;
}
