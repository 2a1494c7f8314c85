/* Deciding by a policy, and saying of each row what it made of a request. */
#include "expr/function.h"
#include "gate/policy.h"

enum { REASON_BYTES_MAX = 4096 };

/* What the names under limits and values stand for, found when they are first read: most rows look at few of them. A column's
 * true and false are text to expressions; a value keeps them as they are, so that it can stand as a condition of its own. */
struct computed {
    const struct policy *policy;
    const struct expr_scope *outer; /* whose bound names come behind these */
    struct expr_scope scope;
    const struct batch *batch;
    struct value_list lists[POLICY_VALUES_MAX];
    enum { VALUE_UNREAD, VALUE_BUSY, VALUE_KNOWN } is[POLICY_VALUES_MAX];
    struct err *err;
    bool failed;
};

/* A value that asks for itself is not known. */
static const struct value_list *compute(struct computed *computed, const struct policy_value *value)
{
    size_t i = (size_t)(value - computed->policy->values);
    if (computed->is[i] != VALUE_UNREAD)
        return &computed->lists[i];
    computed->is[i] = VALUE_BUSY;
    struct value_list list = {&value->constant, value->constant.type != VALUE_NULL};
    if (value->expr && expr_eval(value->expr, &computed->scope, computed->batch, 0, &list, computed->err) < 0) {
        computed->failed = true;
        list.count = 0;
    }
    if (list.count == 1 && list.values[0].type == VALUE_NULL)
        list.count = 0;
    computed->lists[i] = list;
    computed->is[i] = VALUE_KNOWN;
    return &computed->lists[i];
}

static const struct value_list *find_value(struct computed *computed, struct slice name)
{
    const struct policy_value *value = map_find(&computed->policy->by_name, name);
    return value ? compute(computed, value) : NULL;
}

static bool find_computed(void *context, struct slice name, struct value_list *out)
{
    struct computed *computed = context;
    const struct value_list *found = find_value(computed, name);
    if (found)
        *out = *found;
    return found || (computed->outer->bound && computed->outer->bound(computed->outer->bound_context, name, out));
}

static void put_name(struct buffer *to, struct slice name, struct computed *computed)
{
    struct value column = batch_first(computed->batch, 0, name);
    const struct value_list *found = find_value(computed, name);
    struct value_list list = found ? *found : (struct value_list){&column, column.type != VALUE_NULL};
    for (size_t i = 0; i < list.count; i++) {
        char small[VALUE_TEXT_SIZE];
        buffer_put_text(to, i ? ", " : "");
        buffer_put(to, value_text_small(list.values[i], small));
    }
    if (list.count == 0)
        buffer_put_char(to, '-');
}

/* "{request.amount} of {balance}"; what is not known shows as a dash. */
static struct slice fill_in(struct slice template, struct computed *computed, struct arena *arena)
{
    struct buffer text;
    struct slice before, after, name;
    buffer_init(&text, REASON_BYTES_MAX);
    while (slice_cut(template, '{', &before, &after) && slice_cut(after, '}', &name, &template)) {
        buffer_put(&text, before);
        put_name(&text, name, computed);
    }
    buffer_put(&text, template);
    struct slice filled = arena_copy(arena, buffer_slice(&text)); /* cut when it is too long */
    buffer_close(&text);
    return filled;
}

static int row_applies(const struct policy_row *row, struct expr_scope *scope,
                       const struct batch *batch, struct policy_verdict *out, struct err *err)
{
    struct value_list list;
    enum truth truth = TRUTH_TRUE;
    if (row->when && expr_eval(row->when, scope, batch, 0, &list, err) < 0)
        return -1;
    if (row->when)
        truth = value_truth(&list);
    out->unknown = truth == TRUTH_NULL && row->effect != GATE_ALLOW;
    out->decision = out->unknown ? GATE_HOLD : row->effect;
    return truth == TRUTH_TRUE || out->unknown;
}

int policy_decide(const struct policy *policy, const struct expr_scope *outer, const struct batch *batch,
                  struct policy_verdict *out, struct err *err)
{
    struct computed computed = {.policy = policy, .outer = outer, .scope = *outer, .batch = batch, .err = err};
    *out = (struct policy_verdict){.decision = GATE_HOLD};
    computed.scope.bound = find_computed;
    computed.scope.bound_context = &computed;
    for (size_t i = 0; i < policy->row_count; i++) {
        int applies = row_applies(&policy->rows[i], &computed.scope, batch, out, err);
        if (applies < 0 || computed.failed)
            return -1;
        if (!applies)
            continue;
        out->row = &policy->rows[i];
        out->reason_en = fill_in(out->row->reason_en, &computed, computed.scope.scratch);
        out->reason_ja = fill_in(out->row->reason_ja, &computed, computed.scope.scratch);
        return out->reason_en.ptr && out->reason_ja.ptr && !computed.failed ? 0 : err_nomem(err);
    }
    *out = (struct policy_verdict){.decision = GATE_HOLD};
    return 0;
}

/* ---- explaining ---- */

/* What one row looks at. Names are those of its condition and of the values that it uses; what it asked the state is known only
 * by asking, so that is noted when it happens. */
struct explaining {
    struct computed computed; /* of this row alone */
    const struct expr_scope *outer;
    struct arena *arena;
    struct gate_row_explained *row;
    bool failed;
};

static void note_read(struct explaining *explaining, struct slice name, const struct value_list *list)
{
    struct gate_row_explained *row = explaining->row;
    char small[VALUE_TEXT_SIZE];
    struct buffer text;
    for (size_t i = 0; i < row->read_count; i++)
        if (slice_equal(row->reads[i].name, name))
            return;
    if (row->read_count == GATE_READS_MAX)
        return;
    buffer_init(&text, REASON_BYTES_MAX);
    for (size_t i = 0; i < list->count; i++) {
        buffer_put_text(&text, i ? ", " : "");
        buffer_put(&text, value_text_small(list->values[i], small));
    }
    struct gate_read *read = &row->reads[row->read_count++];
    read->name = arena_copy(explaining->arena, name);
    read->value = list->count ? arena_copy(explaining->arena, buffer_slice(&text)) : SLICE_NONE;
    explaining->failed |= !read->name.ptr || (list->count && !read->value.ptr);
    buffer_close(&text);
}

static bool note_state(void *context, struct slice table, struct slice key, struct slice field, int64_t now_ns,
                       struct arena *scratch, struct value_list *out)
{
    struct explaining *explaining = context;
    static const struct value_list nothing;
    const struct expr_scope *outer = explaining->outer;
    bool found = outer->state && outer->state(outer->state_context, table, key, field, now_ns, scratch, out);
    struct slice name = arena_printf(explaining->arena, "state(%.*s, %.*s, %.*s)", SLICE_ARG(table), SLICE_ARG(key), SLICE_ARG(field));
    if (name.ptr)
        note_read(explaining, name, found ? out : &nothing);
    explaining->failed |= !name.ptr;
    return found;
}

static void note_name(void *context, struct slice name)
{
    struct explaining *explaining = context;
    struct computed *computed = &explaining->computed;
    size_t before = explaining->row->read_count;
    struct value column = batch_first(computed->batch, 0, name);
    struct value_list list = {&column, column.type != VALUE_NULL};
    bool ignored = false;
    (void)find_computed(computed, name, &list);
    note_read(explaining, name, &list);
    if (explaining->row->read_count == before)
        return; /* seen already */
    const struct policy_value *value = map_find(&computed->policy->by_name, name);
    if (value && value->expr)
        expr_fields(value->expr, note_name, explaining, &ignored);
}

static int explain_row(struct explaining *explaining, const struct policy_row *row, struct err *err)
{
    struct computed *computed = &explaining->computed;
    struct gate_row_explained *to = explaining->row;
    struct policy_verdict verdict;
    bool ignored = false;
    *to = (struct gate_row_explained){.effect = row->effect, .approvals = row->approvals};
    to->name = arena_copy(explaining->arena, row->name);
    to->condition = row->when ? arena_copy(explaining->arena, row->condition) : SLICE_NONE;
    to->reads = arena_array(explaining->arena, GATE_READS_MAX, sizeof(*to->reads));
    if (!to->name.ptr || !to->reads || (row->when && !to->condition.ptr))
        return err_nomem(err);
    if (row->when) {
        struct value_list list;
        if (expr_eval(row->when, &computed->scope, computed->batch, 0, &list, err) < 0)
            return -1;
        enum truth truth = value_truth(&list);
        to->applies = truth == TRUTH_TRUE ? GATE_ROW_APPLIES : truth == TRUTH_NULL ? GATE_ROW_UNKNOWN : GATE_ROW_NOT;
        expr_fields(row->when, note_name, explaining, &ignored);
    }
    int decides = row_applies(row, &computed->scope, computed->batch, &verdict, err);
    to->decides = decides > 0;
    if (decides >= 0 && (explaining->failed || computed->failed))
        return computed->failed ? -1 : err_nomem(err);
    return decides < 0 ? -1 : 0;
}

int policy_explain(const struct policy *policy, const struct expr_scope *outer, const struct batch *batch,
                   struct arena *arena, struct gate_row_explained *out, struct err *err)
{
    bool decided = false;
    for (size_t i = 0; i < policy->row_count; i++) {
        struct explaining explaining = {.outer = outer, .arena = arena, .row = &out[i]};
        struct computed *computed = &explaining.computed;
        arena_reset(outer->scratch);
        *computed = (struct computed){.policy = policy, .outer = outer, .scope = *outer, .batch = batch, .err = err};
        computed->scope.bound = find_computed;
        computed->scope.bound_context = computed;
        computed->scope.state = note_state;
        computed->scope.state_context = &explaining;
        if (explain_row(&explaining, &policy->rows[i], err) < 0)
            return -1;
        out[i].decides &= !decided;
        decided |= out[i].decides;
    }
    return 0;
}
