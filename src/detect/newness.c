/*
 * Rules of what was never seen before:
 *
 *   new: {key: [user.name, host.name], of: user.name, learn: 7d, forget: 90d}
 *
 * The first event with a key is a finding, once the rule has seen events for "learn"; with "of", once that entity (the
 * user, not the pair) has been known for as long, so that a newcomer, to whom everything is new, is no flood of findings.
 * A key that was not seen for "forget" is new again.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "detect/hit.h"
#include "table/seen.h"

struct newness {
    struct operator_host host;
    struct seen *keys, *entities;
    int64_t first_ns; /* the earliest event; INT64_MAX: none */
    int64_t swept_ns;
    uint64_t left_out;
};

static void newness_free(void *state)
{
    struct newness *n = state;
    if (!n)
        return;
    seen_free(n->keys);
    seen_free(n->entities);
    mem_free(n);
}

static void *newness_make(const struct operator_host *host)
{
    struct newness *n = mem_calloc(1, sizeof(*n));
    if (!n)
        return NULL;
    *n = (struct newness){.host = *host, .first_ns = INT64_MAX, .swept_ns = INT64_MIN};
    n->keys = seen_new(SEEN_KEYS_MAX);
    n->entities = seen_new(SEEN_KEYS_MAX);
    if (n->keys && n->entities)
        return n;
    newness_free(n);
    return NULL;
}

/* The values of all key expressions, each with its length. None when one has none. */
static int key_of(struct newness *n, const struct hit *hit, struct buffer *to, struct finding *finding, struct err *err)
{
    const struct rule *rule = n->host.rule;
    struct entity *groups = arena_array(n->host.moment, rule->new_key_count, sizeof(*groups));
    if (!groups)
        return err_nomem(err);
    for (size_t i = 0; i < rule->new_key_count; i++) {
        struct slice text;
        if (hit_key(rule->new_keys[i].expr, hit, n->host.moment, &text, err) < 0)
            return -1;
        if (!text.ptr) {
            buffer_clear(to);
            return 0;
        }
        groups[i] = (struct entity){rule->new_keys[i].name, text};
        buffer_put_block(to, text);
    }
    finding->groups = groups;
    finding->group_count = rule->new_key_count;
    return buffer_failed(to) ? err_nomem(err) : 0;
}

static bool known_long(const struct newness *n, int64_t first_ns, int64_t time_ns)
{
    int64_t age_ns;
    return first_ns <= time_ns && !__builtin_sub_overflow(time_ns, first_ns, &age_ns) &&
           age_ns >= n->host.rule->learn_ns;
}

/* Whether the rule, or the entity, is past its learning. */
static int has_learnt(struct newness *n, const struct hit *hit, bool *out, struct err *err)
{
    struct slice entity;
    struct seen_key before;
    *out = n->first_ns != INT64_MAX && known_long(n, n->first_ns, hit->time_ns);
    if (!n->host.rule->new_of)
        return 0;
    if (hit_key(n->host.rule->new_of, hit, n->host.moment, &entity, err) < 0)
        return -1;
    if (!entity.ptr) {
        *out = false;
        return 0;
    }
    if (seen_note(n->entities, entity, hit->time_ns, &before) < 0)
        return err_nomem(err);
    *out = before.hash && known_long(n, before.first_min * NS_PER_MINUTE, hit->time_ns);
    return 0;
}

static int raise_new(struct newness *n, const struct hit *hit, const struct finding *key, struct err *err)
{
    struct finding finding;
    if (hit_finding(n->host.rule, hit, n->host.moment, &finding, err) < 0)
        return -1;
    finding.groups = key->groups;
    finding.group_count = key->group_count;
    struct buffer text;
    buffer_init(&text, MIB);
    for (size_t i = 0; i < key->group_count; i++)
        buffer_printf(&text, "%s%.*s=%.*s", i ? " " : "", SLICE_ARG(key->groups[i].type),
                      SLICE_ARG(key->groups[i].value));
    finding.group_key = arena_copy(n->host.moment, buffer_slice(&text));
    buffer_close(&text);
    if (!finding.group_key.ptr || hit_explain(n->host.rule, hit, n->host.moment, &finding) < 0)
        return err_nomem(err);
    finding_set_id(&finding);
    return n->host.raise(n->host.context, n->host.rule, &finding, hit, err);
}

static bool is_new(const struct newness *n, const struct seen_key *before, int64_t time_ns)
{
    const struct rule *rule = n->host.rule;
    int64_t last_ns = before->last_min * NS_PER_MINUTE;
    return !before->hash || (rule->forget_ns && time_ns > last_ns && time_ns - last_ns > rule->forget_ns);
}

static int note(struct newness *n, const struct hit *hit, struct buffer *key, struct err *err)
{
    struct finding about = {0};
    struct seen_key before;
    bool learnt;
    if (key_of(n, hit, key, &about, err) < 0 || has_learnt(n, hit, &learnt, err) < 0)
        return -1;
    n->first_ns = hit->time_ns < n->first_ns ? hit->time_ns : n->first_ns;
    if (!about.group_count) {
        n->left_out++;
        return 0;
    }
    if (seen_note(n->keys, buffer_slice(key), hit->time_ns, &before) < 0)
        return err_nomem(err);
    return learnt && is_new(n, &before, hit->time_ns) ? raise_new(n, hit, &about, err) : 0;
}

static int take(void *state, const struct hit *hit, struct err *err)
{
    struct buffer key;
    buffer_init(&key, MIB);
    int result = note(state, hit, &key, err);
    buffer_close(&key);
    return result;
}

/* What is forgotten by its age goes out of memory a few times in that age. */
static int64_t due_ns(const void *state)
{
    const struct newness *n = state;
    int64_t forget_ns = n->host.rule->forget_ns, due;
    if (!forget_ns || n->first_ns == INT64_MAX)
        return INT64_MAX;
    int64_t from_ns = n->swept_ns == INT64_MIN ? n->first_ns : n->swept_ns;
    return __builtin_add_overflow(from_ns, forget_ns / 4, &due) ? INT64_MAX : due;
}

static int advance(void *state, int64_t now_ns, struct err *err)
{
    struct newness *n = state;
    int64_t limit_ns;
    (void)err;
    n->swept_ns = now_ns;
    /* an event that comes late may still ask for them */
    if (!__builtin_sub_overflow(now_ns, n->host.rule->forget_ns + CORRELATION_LATE_HOURS * NS_PER_HOUR, &limit_ns)) {
        seen_forget_before(n->keys, limit_ns);
        seen_forget_before(n->entities, limit_ns);
    }
    return 0;
}

static void save(const void *state, struct buffer *to)
{
    const struct newness *n = state;
    buffer_put_le64(to, (uint64_t)n->first_ns);
    buffer_put_le64(to, (uint64_t)n->swept_ns);
    buffer_put_varint(to, n->left_out);
    seen_save(n->keys, to);
    seen_save(n->entities, to);
}

static int load(void *state, struct slice *from, struct err *err)
{
    struct newness *n = state;
    uint64_t first_ns, swept_ns;
    if (!slice_take_le64(from, &first_ns) || !slice_take_le64(from, &swept_ns) ||
        !slice_take_varint(from, &n->left_out))
        return err_set(err, ERR_CORRUPT, "a snapshot of seen keys is damaged");
    n->first_ns = (int64_t)first_ns;
    n->swept_ns = (int64_t)swept_ns;
    return seen_load(n->keys, from, err) < 0 || seen_load(n->entities, from, err) < 0 ? -1 : 0;
}

static void stats(const void *state, struct operator_stats *add)
{
    const struct newness *n = state;
    const struct seen *const sets[] = {n->keys, n->entities};
    for (size_t i = 0; i < ARRAY_COUNT(sets); i++) {
        struct seen_stats held = seen_stats(sets[i]);
        add->keys += held.keys;
        add->bytes += held.bytes;
        add->evicted += held.evicted;
    }
    add->left_out += n->left_out;
}

static int64_t history_ns(const struct rule *rule)
{
    return rule->forget_ns ? rule->forget_ns : INT64_MAX;
}

const struct operator_kind operator_new = {
    .name = "new",
    .make = newness_make,
    .free = newness_free,
    .take = take,
    .due_ns = due_ns,
    .advance = advance,
    .save = save,
    .load = load,
    .stats = stats,
    .history_ns = history_ns,
};
