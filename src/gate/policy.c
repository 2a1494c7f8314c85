#include "gate/policy.h"

#include "base/duration.h"
#include "base/file.h"
#include "cut/yaml.h"
#include "expr/function.h"
#include "expr/parse.h"

#include <sodium.h>

enum { REASON_BYTES_MAX = 4096 };

/* ---- reading ---- */

static int parse_expression(const struct yaml_node *node, struct arena *arena,
                            const struct expr **out, struct err *err)
{
    struct slice text = yaml_text(node, SLICE_NONE);
    if (!text.ptr)
        return yaml_err(err, node, "an expression is needed here");
    if (expr_parse(text, arena, out, err) == 0)
        return 0;
    return err_within(err, "line %d", node->line);
}

static struct value limit_value(struct slice text, struct arena *arena)
{
    int64_t ns;
    if (duration_parse(text, &ns))
        return value_i64(ns / NS_PER_SECOND);
    return value_from_number_text(text, arena);
}

static int add_limit(struct policy *policy, const struct yaml_entry *entry, struct arena *arena,
                     struct err *err)
{
    struct slice text = yaml_text(entry->value, SLICE_NONE);
    struct policy_value *value = &policy->values[policy->value_count];
    if (!text.ptr)
        return yaml_err(err, entry->value, "a limit is a number or a duration such as 24h");
    value->name = arena_printf(arena, "limits.%.*s", SLICE_ARG(entry->key->text));
    value->constant = limit_value(text, arena);
    if (!value->name.ptr || value->constant.type == VALUE_NULL)
        return err_nomem(err);
    if (value->constant.type == VALUE_STRING)
        return yaml_err(err, entry->value, "'%.*s' is neither a number nor a duration such as 24h",
                        SLICE_ARG(text));
    policy->value_count++;
    return 0;
}

static int add_values(struct policy *policy, const struct yaml_node *node, bool limits,
                      struct arena *arena, struct err *err)
{
    if (node && node->kind != YAML_MAPPING)
        return yaml_err(err, node, "names and what they stand for are needed here");
    for (size_t i = 0; node && i < node->count; i++) {
        const struct yaml_entry *entry = &node->entries[i];
        if (policy->value_count == POLICY_VALUES_MAX)
            return yaml_err(err, node, "more than %d limits and values", POLICY_VALUES_MAX);
        if (limits && add_limit(policy, entry, arena, err) < 0)
            return -1;
        if (limits)
            continue;
        struct policy_value *value = &policy->values[policy->value_count++];
        value->name = entry->key->text;
        if (parse_expression(entry->value, arena, &value->expr, err) < 0)
            return -1;
    }
    return 0;
}

static bool effect_named(struct slice name, enum gate_decision *out)
{
    for (*out = GATE_ALLOW; *out <= GATE_DENY; ++*out)
        if (slice_is(name, gate_decision_name(*out)))
            return true;
    return false;
}

/* A misspelt key must not quietly widen a row. */
static int check_keys(const struct yaml_node *node, const char *const *known, size_t count,
                      struct err *err)
{
    for (size_t i = 0; i < node->count; i++) {
        bool fine = false;
        for (size_t k = 0; k < count; k++)
            fine |= slice_is(node->entries[i].key->text, known[k]);
        if (!fine)
            return yaml_err(err, node->entries[i].key, "'%.*s' is not known here",
                            SLICE_ARG(node->entries[i].key->text));
    }
    return 0;
}

static int parse_row(struct policy *policy, const struct yaml_node *node, struct arena *arena,
                     struct err *err)
{
    static const char *const known[] = {"name", "when", "effect", "reason", "approvals"};
    struct policy_row *row = &policy->rows[policy->row_count];
    const struct yaml_node *reason = yaml_get(node, "reason"), *approvals = yaml_get(node, "approvals");
    int64_t count = 2;
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, node, "a row is a mapping with name, when, effect and reason");
    if (check_keys(node, known, ARRAY_COUNT(known), err) < 0)
        return -1;
    row->name = yaml_text(yaml_get(node, "name"), SLICE_NONE);
    row->reason_en = yaml_text(yaml_get(reason, "en"), SLICE_NONE);
    row->reason_ja = yaml_text(yaml_get(reason, "ja"), SLICE_NONE);
    if (!row->name.len)
        return yaml_err(err, node, "a row needs a name");
    if (!effect_named(yaml_text(yaml_get(node, "effect"), SLICE("")), &row->effect))
        return yaml_err(err, node, "the row '%.*s' needs an effect: allow, hold or deny",
                        SLICE_ARG(row->name));
    if (row->effect != GATE_ALLOW && (!row->reason_en.len || !row->reason_ja.len))
        return yaml_err(err, node, "the row '%.*s' needs a reason in en and ja",
                        SLICE_ARG(row->name));
    if (approvals && (!yaml_to_i64(approvals, &count) || count < 1 || count > APPROVALS_MAX))
        return yaml_err(err, approvals, "approvals is from 1 to %d", APPROVALS_MAX);
    row->approvals = (uint32_t)count;
    policy->row_count++;
    return yaml_get(node, "when") ? parse_expression(yaml_get(node, "when"), arena, &row->when, err)
                                  : 0;
}

/* One person under two names, or one key for two people, would make one pair of eyes count twice. */
static int check_approver(const struct policy *policy, const struct policy_approver *fresh,
                          const struct yaml_node *node, struct err *err)
{
    for (size_t i = 0; i < policy->approver_count; i++) {
        const struct policy_approver *other = &policy->approvers[i];
        if (slice_equal_nocase(other->name, fresh->name))
            return yaml_err(err, node, "'%.*s' is an approver twice", SLICE_ARG(fresh->name));
        if (memcmp(other->key, fresh->key, sizeof(fresh->key)) == 0)
            return yaml_err(err, node, "'%.*s' and '%.*s' have the same key; each person needs their own",
                            SLICE_ARG(other->name), SLICE_ARG(fresh->name));
    }
    return 0;
}

static int add_approvers(struct policy *policy, const struct yaml_node *node, struct arena *arena,
                         struct err *err)
{
    if (!node)
        return 0;
    if (node->kind != YAML_MAPPING || node->count > POLICY_APPROVERS_MAX)
        return yaml_err(err, node, "approvers is a mapping of at most %d names and public keys",
                        POLICY_APPROVERS_MAX);
    policy->approvers = arena_array(arena, node->count + 1, sizeof(*policy->approvers));
    if (!policy->approvers)
        return err_nomem(err);
    for (size_t i = 0; i < node->count; i++) {
        struct policy_approver fresh = {.name = node->entries[i].key->text};
        const struct yaml_node *value = node->entries[i].value;
        struct slice text = yaml_text(value, SLICE(""));
        size_t len = 0;
        if (sodium_base642bin(fresh.key, sizeof(fresh.key), text.ptr, text.len, NULL, &len, NULL,
                              sodium_base64_VARIANT_ORIGINAL) < 0 ||
            len != sizeof(fresh.key))
            return yaml_err(err, value, "the key of '%.*s' is no Ed25519 public key in base64; `hinomi "
                            "approve --new-key FILE` makes one", SLICE_ARG(fresh.name));
        if (!fresh.name.len)
            return yaml_err(err, value, "an approver needs a name");
        if (check_approver(policy, &fresh, value, err) < 0)
            return -1;
        policy->approvers[policy->approver_count++] = fresh;
    }
    return 0;
}

static int read_policy(struct policy *policy, const struct yaml_node *node, struct arena *arena,
                        struct err *err)
{
    static const char *const known[] = {"version", "mode", "limits", "values", "rows", "approvers"};
    const struct yaml_node *rows = yaml_get(node, "rows");
    struct slice mode = yaml_text(yaml_get(node, "mode"), SLICE_NONE);
    if (node->kind != YAML_MAPPING || check_keys(node, known, ARRAY_COUNT(known), err) < 0)
        return node->kind == YAML_MAPPING ? -1 : yaml_err(err, node, "a policy is a mapping");
    policy->version = yaml_text(yaml_get(node, "version"), SLICE_NONE);
    if (!policy->version.len)
        return yaml_err(err, node, "a policy needs a version");
    if (!slice_is(mode, "shadow") && !slice_is(mode, "enforce"))
        return yaml_err(err, node, "mode is shadow or enforce");
    policy->shadow = slice_is(mode, "shadow");
    if (!rows || rows->kind != YAML_SEQUENCE || rows->count == 0 || rows->count > POLICY_ROWS_MAX)
        return yaml_err(err, node, "a policy needs rows, at most %d", POLICY_ROWS_MAX);
    if (add_values(policy, yaml_get(node, "limits"), true, arena, err) < 0 ||
        add_values(policy, yaml_get(node, "values"), false, arena, err) < 0 ||
        add_approvers(policy, yaml_get(node, "approvers"), arena, err) < 0)
        return -1;
    for (size_t i = 0; i < rows->count; i++)
        if (parse_row(policy, rows->entries[i].value, arena, err) < 0)
            return -1;
    return 0;
}

static void note_tightened(void *context, struct slice name)
{
    bool *reads = context;
    *reads = *reads || slice_is(name, "tightened");
}

static void find_tightened(struct policy *policy)
{
    bool all = false;
    for (size_t i = 0; i < policy->value_count; i++)
        if (policy->values[i].expr)
            expr_fields(policy->values[i].expr, note_tightened, &policy->reads_tightened, &all);
    for (size_t i = 0; i < policy->row_count; i++)
        if (policy->rows[i].when)
            expr_fields(policy->rows[i].when, note_tightened, &policy->reads_tightened, &all);
}

static void set_digest(struct policy *policy, struct slice text)
{
    unsigned char hash[(POLICY_DIGEST_SIZE - 1) / 2];
    crypto_generichash(hash, sizeof(hash), (const unsigned char *)text.ptr, text.len, NULL, 0);
    sodium_bin2hex(policy->digest, sizeof(policy->digest), hash, sizeof(hash));
}

int policy_parse(struct slice text, struct arena *arena, const struct policy **out, struct err *err)
{
    const struct yaml_node *const *documents;
    size_t count;
    *out = NULL;
    struct policy *policy = arena_calloc(arena, sizeof(*policy));
    if (!policy)
        return err_nomem(err);
    policy->values = arena_array(arena, POLICY_VALUES_MAX, sizeof(*policy->values));
    policy->rows = arena_array(arena, POLICY_ROWS_MAX, sizeof(*policy->rows));
    if (!policy->values || !policy->rows)
        return err_nomem(err);
    if (yaml_parse(text, arena, &documents, &count, err) < 0)
        return -1;
    if (count != 1)
        return err_set(err, ERR_CONFIG, "one document is needed, not %zu", count);
    if (read_policy(policy, documents[0], arena, err) < 0)
        return -1;
    find_tightened(policy);
    set_digest(policy, text);
    *out = policy;
    return 0;
}

int policy_load(const char *path, struct arena *arena, const struct policy **out, struct err *err)
{
    struct slice text;
    *out = NULL;
    if (file_read(path, YAML_BYTES_MAX, arena, &text, err) < 0)
        return -1;
    return policy_parse(text, arena, out, err) < 0 ? err_within(err, "%s", path) : 0;
}

const struct policy_approver *policy_approver_find(const struct policy *policy, struct slice name)
{
    for (size_t i = 0; i < policy->approver_count; i++)
        if (slice_equal_nocase(policy->approvers[i].name, name))
            return &policy->approvers[i];
    return NULL;
}

/* ---- deciding ---- */

/* "{request.amount} of {balance}"; what is not known shows as a dash. */
static struct slice fill_in(struct slice template, const struct batch *batch, struct arena *arena)
{
    struct buffer text;
    struct slice before, after, name;
    buffer_init(&text, REASON_BYTES_MAX);
    while (slice_cut(template, '{', &before, &after) && slice_cut(after, '}', &name, &template)) {
        char small[VALUE_TEXT_SIZE];
        struct value v = batch_first(batch, 0, name);
        buffer_put(&text, before);
        buffer_put(&text, v.type == VALUE_NULL ? SLICE("-") : value_text_small(v, small));
    }
    buffer_put(&text, template);
    struct slice filled = arena_copy(arena, buffer_slice(&text)); /* cut when it is too long */
    buffer_close(&text);
    return filled;
}

/* A column's true and false are text to expressions; a value keeps them as they are, so that it can
 * stand as a condition of its own. */
struct computed {
    const struct policy *policy;
    const struct expr_scope *outer; /* whose bound names come behind these */
    struct value values[POLICY_VALUES_MAX];
    size_t count;
};

static bool find_computed(void *context, struct slice name, struct value_list *out)
{
    const struct computed *computed = context;
    for (size_t i = 0; i < computed->count; i++)
        if (slice_equal(computed->policy->values[i].name, name)) {
            bool some = computed->values[i].type != VALUE_NULL;
            *out = (struct value_list){&computed->values[i], some};
            return true;
        }
    return computed->outer->bound && computed->outer->bound(computed->outer->bound_context, name, out);
}

static int compute_values(const struct policy *policy, struct computed *computed,
                          struct expr_scope *scope, struct batch *batch, struct err *err)
{
    for (size_t i = 0; i < policy->value_count; i++) {
        const struct policy_value *value = &policy->values[i];
        struct value_list list = {&value->constant, 1};
        if (value->expr && expr_eval(value->expr, scope, batch, 0, &list, err) < 0)
            return -1;
        struct value v = list.count ? list.values[0] : value_null();
        computed->values[computed->count++] = v;
        if (v.type != VALUE_NULL && batch_put(batch, 0, value->name, v) < 0)
            return err_nomem(err);
    }
    return 0;
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

int policy_decide(const struct policy *policy, struct expr_scope *outer, struct batch *batch,
                  struct policy_verdict *out, struct err *err)
{
    struct computed computed = {.policy = policy, .outer = outer};
    *out = (struct policy_verdict){.decision = GATE_HOLD};
    struct expr_scope scope = *outer;
    scope.bound = find_computed;
    scope.bound_context = &computed;
    if (compute_values(policy, &computed, &scope, batch, err) < 0)
        return -1;
    for (size_t i = 0; i < policy->row_count; i++) {
        int applies = row_applies(&policy->rows[i], &scope, batch, out, err);
        if (applies < 0)
            return -1;
        if (!applies)
            continue;
        out->row = &policy->rows[i];
        out->reason_en = fill_in(out->row->reason_en, batch, scope.scratch);
        out->reason_ja = fill_in(out->row->reason_ja, batch, scope.scratch);
        return out->reason_en.ptr && out->reason_ja.ptr ? 0 : err_nomem(err);
    }
    *out = (struct policy_verdict){.decision = GATE_HOLD};
    return 0;
}
