#include "respond/act/act_settings.h"

#include "base/buffer.h"
#include "base/duration.h"
#include "base/limits.h"
#include "cut/yaml_json.h"
#include "respond/act/action.h"

struct reading {
    struct arena *arena;
    const struct yaml_node *node;
    struct act_settings *row;
    struct err *err;
};

struct key {
    const char *name;
    int (*read)(const struct reading *reading, const struct yaml_node *node, void *to);
    size_t offset;
};

static int read_text(const struct reading *r, const struct yaml_node *node, void *to)
{
    *(struct slice *)to = yaml_text(node, SLICE_NONE);
    return ((struct slice *)to)->len ? 0 : yaml_err(r->err, node, "a text is needed here");
}

static int read_kind(const struct reading *r, const struct yaml_node *node, void *to)
{
    const struct action_kind *kind = action_find(yaml_text(node, SLICE("")));
    *(const struct action_kind **)to = kind;
    return kind ? 0 : yaml_err(r->err, node, "there is no such kind; there are webhook, disable_user, block_list and script");
}

static int read_bool(const struct reading *r, const struct yaml_node *node, void *to)
{
    return yaml_to_bool(node, to) ? 0 : yaml_err(r->err, node, "true or false is needed here");
}

static int read_role(const struct reading *r, const struct yaml_node *node, void *to)
{
    *(enum role *)to = role_parse(yaml_text(node, SLICE("")));
    return *(enum role *)to != ROLE_NONE ? 0 : yaml_err(r->err, node, "a role such as responder or approver is needed here");
}

static int read_lasts(const struct reading *r, const struct yaml_node *node, void *to)
{
    struct slice text = yaml_text(node, SLICE(""));
    *(int64_t *)to = 0;
    if (slice_is(text, "forever") || (duration_parse(text, to) && *(int64_t *)to <= ACTION_LASTS_MAX_DAYS * NS_PER_DAY))
        return 0;
    return yaml_err(r->err, node, "a duration such as 24h, of at most %d days, or forever is needed", ACTION_LASTS_MAX_DAYS);
}

static int read_count(const struct reading *r, const struct yaml_node *node, uint32_t least, uint32_t most, void *to)
{
    int64_t n;
    if (!yaml_to_i64(node, &n) || n < least || n > most)
        return yaml_err(r->err, node, "a number from %u to %u is needed", least, most);
    *(uint32_t *)to = (uint32_t)n;
    return 0;
}

static int read_cap(const struct reading *r, const struct yaml_node *node, void *to)
{
    return read_count(r, node, 1, ACTION_CAP_MAX, to);
}

static int read_approvals(const struct reading *r, const struct yaml_node *node, void *to)
{
    return read_count(r, node, 0, ACTION_APPROVALS_MAX, to);
}

/* to: a list and, behind it, its length. */
static int read_texts(const struct reading *r, const struct yaml_node *node, void *to)
{
    struct list {
        const struct slice *texts;
        size_t count;
    } *out = to;
    bool good = node->kind == YAML_SEQUENCE && node->count <= ACTION_NEVER_MAX;
    struct slice *texts = good ? arena_array(r->arena, node->count + 1, sizeof(*texts)) : NULL;
    for (size_t i = 0; texts && i < node->count; i++) {
        texts[i] = yaml_text(node->entries[i].value, SLICE(""));
        good &= texts[i].len > 0;
    }
    if (!good)
        return yaml_err(r->err, node, "a list of at most %d texts is needed", ACTION_NEVER_MAX);
    out->texts = texts;
    out->count = node->count;
    return texts ? 0 : err_nomem(r->err);
}

static int read_body(const struct reading *r, const struct yaml_node *node, void *to)
{
    struct buffer text;
    struct json json;
    buffer_init(&text, ACTION_BODY_BYTES_MAX);
    json_init(&json, &text);
    yaml_to_json(node, &json);
    struct slice copy = buffer_failed(&text) ? SLICE_NONE : arena_copy(r->arena, buffer_slice(&text));
    buffer_close(&text);
    *(struct slice *)to = copy;
    return copy.ptr ? 0 : yaml_err(r->err, node, "a body has at most %d bytes", ACTION_BODY_BYTES_MAX);
}

static const struct key keys[] = {
    {"name", read_text, offsetof(struct act_settings, name)},
    {"kind", read_kind, offsetof(struct act_settings, kind)},
    {"takes", read_texts, offsetof(struct act_settings, takes)},
    {"never", read_texts, offsetof(struct act_settings, never)},
    {"at_once", read_cap, offsetof(struct act_settings, at_once)},
    {"per_hour", read_cap, offsetof(struct act_settings, per_hour)},
    {"lasts", read_lasts, offsetof(struct act_settings, lasts_ns)},
    {"approvals", read_approvals, offsetof(struct act_settings, approvals)},
    {"role", read_role, offsetof(struct act_settings, role)},
    {"approver_role", read_role, offsetof(struct act_settings, approver_role)},
    {"url", read_text, offsetof(struct act_settings, url)},
    {"undo_url", read_text, offsetof(struct act_settings, undo_url)},
    {"verify_url", read_text, offsetof(struct act_settings, verify_url)},
    {"verify_contains", read_text, offsetof(struct act_settings, verify_contains)},
    {"secret", read_text, offsetof(struct act_settings, secret)},
    {"body", read_body, offsetof(struct act_settings, body)},
    {"undo_body", read_body, offsetof(struct act_settings, undo_body)},
    {"allow_private", read_bool, offsetof(struct act_settings, allow_private)},
    {"file", read_text, offsetof(struct act_settings, file)},
    {"socket", read_text, offsetof(struct act_settings, socket)},
    {"script", read_text, offsetof(struct act_settings, script)},
};

static int read_keys(const struct reading *r)
{
    if (r->node->kind != YAML_MAPPING)
        return yaml_err(r->err, r->node, "an action is a mapping such as {name: firewall, kind: webhook, url: ...}");
    for (size_t i = 0; i < r->node->count; i++) {
        const struct yaml_entry *entry = &r->node->entries[i];
        const struct key *found = NULL;
        for (size_t k = 0; k < ARRAY_COUNT(keys) && !found; k++)
            if (slice_is(entry->key->text, keys[k].name))
                found = &keys[k];
        if (!found)
            return yaml_err(r->err, entry->key, "there is no key '%.*s' in an action", SLICE_ARG(entry->key->text));
        if (found->read(r, entry->value, (char *)r->row + found->offset) < 0)
            return -1;
    }
    return 0;
}

/* A name is a part of a URL and of a file's name. */
static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return name.len > 0 && name.len <= ACTION_NAME_MAX;
}

static int check_row(const struct reading *r)
{
    const struct act_settings *row = r->row;
    if (!row->kind || !is_name(row->name))
        return yaml_err(r->err, r->node, "an action needs a kind and a name of at most %d small letters, digits, - and _",
                        ACTION_NAME_MAX);
    if (!row->take_count)
        return yaml_err(r->err, r->node, "%.*s: takes is a list of types of entities, such as [ip]", SLICE_ARG(row->name));
    if (row->kind->check(row, r->err) < 0)
        return err_within(r->err, "line %d: %.*s", r->node->line, SLICE_ARG(row->name));
    return 0;
}

int act_settings_read(const struct yaml_node *node, struct arena *arena, const struct act_settings **out, size_t *count,
                      struct err *err)
{
    if (node->kind != YAML_SEQUENCE || node->count > ACTIONS_MAX)
        return yaml_err(err, node, "actions is a list of at most %d", ACTIONS_MAX);
    struct act_settings *rows = arena_array(arena, node->count + 1, sizeof(*rows));
    if (!rows)
        return err_nomem(err);
    for (size_t i = 0; i < node->count; i++) {
        const struct reading r = {arena, node->entries[i].value, &rows[i], err};
        rows[i] = (struct act_settings){.at_once = ACTION_CAP, .per_hour = ACTION_CAP, .lasts_ns = NS_PER_DAY, .approvals = 1,
                                        .role = ROLE_RESPONDER, .approver_role = ROLE_APPROVER};
        if (read_keys(&r) < 0 || check_row(&r) < 0)
            return -1;
        for (size_t k = 0; k < i; k++)
            if (slice_equal(rows[k].name, rows[i].name))
                return yaml_err(err, r.node, "two actions are named %.*s", SLICE_ARG(rows[i].name));
    }
    *out = rows;
    *count = node->count;
    return 0;
}
