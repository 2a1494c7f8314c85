#include "gate/policy.h"

#include "base/duration.h"
#include "base/file.h"
#include "base/zone.h"
#include "cut/yaml.h"
#include "expr/function.h"
#include "expr/parse.h"

#include <sodium.h>

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

/* The next one, whose name is set. */
static int count_value(struct policy *policy, struct err *err)
{
    struct policy_value *value = &policy->values[policy->value_count++];
    if (!map_has(&policy->by_name, value->name) && map_put(&policy->by_name, value->name, value) < 0)
        return err_nomem(err);
    return 0;
}

static int add_limit(struct policy *policy, const struct yaml_entry *entry, struct arena *arena,
                     struct err *err)
{
    struct slice text = yaml_text(entry->value, SLICE_NONE);
    struct policy_value *value = &policy->values[policy->value_count];
    if (!text.ptr)
        return yaml_err(err, entry->value, "a limit is a number or a duration such as 24h");
    value->name = arena_printf(arena, "limits.%.*s", SLICE_ARG(entry->key->text));
    value->text = text;
    value->constant = limit_value(text, arena);
    if (!value->name.ptr || value->constant.type == VALUE_NULL)
        return err_nomem(err);
    if (value->constant.type == VALUE_STRING)
        return yaml_err(err, entry->value, "'%.*s' is neither a number nor a duration such as 24h",
                        SLICE_ARG(text));
    return count_value(policy, err);
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
        struct policy_value *value = &policy->values[policy->value_count];
        value->name = entry->key->text;
        value->text = yaml_text(entry->value, SLICE_NONE);
        if (count_value(policy, err) < 0 || parse_expression(entry->value, arena, &value->expr, err) < 0)
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

/* Plain words: what a customer reads has no values of the request or the policy in it. */
static int parse_support(const struct yaml_node *node, struct policy_row *row, struct err *err)
{
    static const char *const known[] = {"en", "ja", "minutes"};
    const struct yaml_node *minutes = yaml_get(node, "minutes");
    if (!node)
        return 0;
    if (node->kind != YAML_MAPPING || check_keys(node, known, ARRAY_COUNT(known), err) < 0)
        return yaml_err(err, node, "support is a mapping with en, ja and minutes");
    row->support_en = yaml_text(yaml_get(node, "en"), SLICE_NONE);
    row->support_ja = yaml_text(yaml_get(node, "ja"), SLICE_NONE);
    if (!row->support_en.len || !row->support_ja.len || slice_find_char(row->support_en, '{') >= 0 || slice_find_char(row->support_ja, '{') >= 0)
        return yaml_err(err, node, "support needs a text in en and ja, without values in braces");
    if (minutes && (!yaml_to_i64(minutes, &row->support_minutes) || row->support_minutes < 1 || row->support_minutes > 7 * 24 * 60))
        return yaml_err(err, minutes, "minutes is from 1 to %d", 7 * 24 * 60);
    return 0;
}

static int parse_row(struct policy *policy, const struct yaml_node *node, struct arena *arena,
                     struct err *err)
{
    static const char *const known[] = {"name", "when", "effect", "reason", "approvals", "support"};
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
    if (parse_support(yaml_get(node, "support"), row, err) < 0)
        return -1;
    policy->row_count++;
    row->condition = yaml_text(yaml_get(node, "when"), SLICE_NONE);
    return yaml_get(node, "when") ? parse_expression(yaml_get(node, "when"), arena, &row->when, err)
                                  : 0;
}

/* One person under two names, or one key for two people, would make one pair of eyes count twice. */
static int check_approver(const struct policy_approver *others, size_t count, const struct policy_approver *fresh,
                          const struct yaml_node *node, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct policy_approver *other = &others[i];
        if (slice_equal_nocase(other->name, fresh->name))
            return yaml_err(err, node, "'%.*s' is an approver twice", SLICE_ARG(fresh->name));
        if (memcmp(other->key, fresh->key, sizeof(fresh->key)) == 0)
            return yaml_err(err, node, "'%.*s' and '%.*s' have the same key; each person needs their own",
                            SLICE_ARG(other->name), SLICE_ARG(fresh->name));
    }
    return 0;
}

/* before: people who must not be among them */
static int read_approvers(const struct policy_approver *before, size_t before_count, const struct yaml_node *node,
                          struct arena *arena, struct policy_approver **out, size_t *out_count, struct err *err)
{
    if (node->kind != YAML_MAPPING || node->count > POLICY_APPROVERS_MAX)
        return yaml_err(err, node, "approvers is a mapping of at most %d names and public keys",
                        POLICY_APPROVERS_MAX);
    *out = arena_array(arena, node->count + 1, sizeof(**out));
    if (!*out)
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
        if (check_approver(*out, *out_count, &fresh, value, err) < 0 || check_approver(before, before_count, &fresh, value, err) < 0)
            return -1;
        (*out)[(*out_count)++] = fresh;
    }
    return 0;
}

static int add_approvers(struct policy *policy, const struct yaml_node *node, struct arena *arena,
                         struct err *err)
{
    return !node ? 0 : read_approvers(NULL, 0, node, arena, &policy->approvers, &policy->approver_count, err);
}

static int add_break_glass(struct policy *policy, const struct yaml_node *node, struct arena *arena, struct err *err)
{
    static const char *const known[] = {"needed", "approvers"};
    int64_t needed;
    if (!node)
        return 0;
    if (node->kind != YAML_MAPPING || !yaml_get(node, "approvers"))
        return yaml_err(err, node, "break_glass says who (approvers) and how many (needed)");
    if (check_keys(node, known, ARRAY_COUNT(known), err) < 0 ||
        read_approvers(policy->approvers, policy->approver_count, yaml_get(node, "approvers"), arena, &policy->glass,
                       &policy->glass_count, err) < 0)
        return -1;
    if (!yaml_to_i64(yaml_get(node, "needed"), &needed) || needed < 1 || needed > APPROVALS_MAX || (size_t)needed > policy->glass_count)
        return yaml_err(err, node, "needed is from 1 to as many as there are, at most %d", APPROVALS_MAX);
    policy->glass_needed = (uint32_t)needed;
    return 0;
}

static int add_partner(struct policy *policy, const struct yaml_entry *entry, struct arena *arena, struct err *err)
{
    const struct yaml_node *list = entry->value;
    struct slice *destinations = arena_array(arena, list->count + 1, sizeof(*destinations));
    if (!destinations)
        return err_nomem(err);
    if (list->kind != YAML_SEQUENCE || list->count == 0)
        return yaml_err(err, list, "a partner has a list of destinations; a * at the end stands for any rest");
    for (size_t i = 0; i < list->count; i++) {
        destinations[i] = yaml_text(list->entries[i].value, SLICE(""));
        ptrdiff_t star = slice_find_char(destinations[i], '*');
        if (destinations[i].len == 0 || (star >= 0 && (size_t)star + 1 != destinations[i].len) || star == 0)
            return yaml_err(err, list->entries[i].value, "a destination is an address, or its beginning and a *");
    }
    if (policy_partner_find(policy, entry->key->text))
        return yaml_err(err, entry->key, "'%.*s' is a partner twice", SLICE_ARG(entry->key->text));
    policy->partners[policy->partner_count++] = (struct policy_partner){entry->key->text, destinations, list->count};
    return 0;
}

static int add_partners(struct policy *policy, const struct yaml_node *node, struct arena *arena, struct err *err)
{
    if (!node)
        return 0;
    if (node->kind != YAML_MAPPING || node->count > POLICY_PARTNERS_MAX)
        return yaml_err(err, node, "partners is a mapping of at most %d names and their destinations", POLICY_PARTNERS_MAX);
    policy->partners = arena_array(arena, node->count + 1, sizeof(*policy->partners));
    if (!policy->partners)
        return err_nomem(err);
    for (size_t i = 0; i < node->count; i++)
        if (add_partner(policy, &node->entries[i], arena, err) < 0)
            return -1;
    return 0;
}

static int read_policy(struct policy *policy, const struct yaml_node *node, struct arena *arena,
                        struct err *err)
{
    static const char *const known[] = {"version", "mode", "time_zone", "limits", "values", "rows", "approvers", "partners", "assets",
                                        "break_glass"};
    const struct yaml_node *rows = yaml_get(node, "rows"), *zone = yaml_get(node, "time_zone");
    struct slice mode = yaml_text(yaml_get(node, "mode"), SLICE_NONE);
    if (node->kind != YAML_MAPPING || check_keys(node, known, ARRAY_COUNT(known), err) < 0)
        return node->kind == YAML_MAPPING ? -1 : yaml_err(err, node, "a policy is a mapping");
    policy->version = yaml_text(yaml_get(node, "version"), SLICE_NONE);
    if (!policy->version.len)
        return yaml_err(err, node, "a policy needs a version");
    if (!slice_is(mode, "shadow") && !slice_is(mode, "enforce"))
        return yaml_err(err, node, "mode is shadow or enforce");
    policy->shadow = slice_is(mode, "shadow");
    if (zone && !(policy->zone = zone_find(yaml_text(zone, SLICE("")))))
        return yaml_err(err, zone, "time_zone is a name such as Asia/Tokyo");
    if (!rows || rows->kind != YAML_SEQUENCE || rows->count == 0 || rows->count > POLICY_ROWS_MAX)
        return yaml_err(err, node, "a policy needs rows, at most %d", POLICY_ROWS_MAX);
    if (add_values(policy, yaml_get(node, "limits"), true, arena, err) < 0 ||
        add_values(policy, yaml_get(node, "values"), false, arena, err) < 0 ||
        add_approvers(policy, yaml_get(node, "approvers"), arena, err) < 0 ||
        add_break_glass(policy, yaml_get(node, "break_glass"), arena, err) < 0 ||
        add_partners(policy, yaml_get(node, "partners"), arena, err) < 0 ||
        policy_add_assets(policy, yaml_get(node, "assets"), arena, err) < 0)
        return -1;
    for (size_t i = 0; i < rows->count; i++)
        if (parse_row(policy, rows->entries[i].value, arena, err) < 0)
            return -1;
    return 0;
}

struct reading {
    const char *name;
    bool *reads;
};

static void note_reading(void *context, struct slice name)
{
    const struct reading *reading = context;
    *reading->reads |= slice_is(name, reading->name);
}

/* Whether the policy says itself what happens then; else the gate does. */
static void find_reading(const struct policy *policy, const char *name, bool *reads)
{
    struct reading reading = {name, reads};
    bool all = false;
    for (size_t i = 0; i < policy->value_count; i++)
        if (policy->values[i].expr)
            expr_fields(policy->values[i].expr, note_reading, &reading, &all);
    for (size_t i = 0; i < policy->row_count; i++)
        if (policy->rows[i].when)
            expr_fields(policy->rows[i].when, note_reading, &reading, &all);
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
    map_init(&policy->by_name, arena);
    if (!policy->values || !policy->rows)
        return err_nomem(err);
    if (yaml_parse(text, arena, &documents, &count, err) < 0)
        return -1;
    if (count != 1)
        return err_set(err, ERR_CONFIG, "one document is needed, not %zu", count);
    if (read_policy(policy, documents[0], arena, err) < 0)
        return -1;
    find_reading(policy, "tightened", &policy->reads_tightened);
    find_reading(policy, "stop_share", &policy->reads_stopped);
    find_reading(policy, "payload_matches", &policy->reads_payload);
    set_digest(policy, text);
    policy->text = arena_copy(arena, text);
    if (!policy->text.ptr)
        return err_nomem(err);
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

static const struct policy_approver *find_person(const struct policy_approver *list, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal_nocase(list[i].name, name))
            return &list[i];
    return NULL;
}

const struct policy_approver *policy_approver_find(const struct policy *policy, struct slice name)
{
    return find_person(policy->approvers, policy->approver_count, name);
}

const struct policy_approver *policy_glass_find(const struct policy *policy, struct slice name)
{
    return find_person(policy->glass, policy->glass_count, name);
}

const struct policy_partner *policy_partner_find(const struct policy *policy, struct slice name)
{
    for (size_t i = 0; i < policy->partner_count; i++)
        if (slice_equal_nocase(policy->partners[i].name, name))
            return &policy->partners[i];
    return NULL;
}

bool policy_is_partner(const struct policy_partner *partner, struct slice destination)
{
    for (size_t i = 0; i < partner->count; i++) {
        struct slice one = partner->destinations[i];
        bool open = one.ptr[one.len - 1] == '*';
        if (open ? slice_starts(destination, slice_sub(one, 0, one.len - 1)) : slice_equal(one, destination))
            return true;
    }
    return false;
}
