#include "serve/gate_webhook.h"

#include "base/secret.h"
#include "gate/gate_request.h"
#include "respond/notify/signature.h"

static const char *const fields[GATE_WEBHOOK_FIELDS] = {"request_id", "action", "account", "asset",  "amount",
                                                        "wallet",     "destination", "nonce", "at",   "expiry",  "payload"};

/* ---- the configuration ---- */

static int read_secret(const struct yaml_node *node, struct arena *arena, struct slice *out, struct err *err)
{
    struct slice written = yaml_text(node, SLICE(""));
    if (secret_read(written, arena, out, err) < 0)
        return err_within(err, "line %d", node->line);
    return out->len >= SIGNATURE_SECRET_MIN ? 0 : yaml_err(err, node, "a secret has %d bytes or more", SIGNATURE_SECRET_MIN);
}

static int read_field(const struct yaml_entry *entry, struct arena *arena, struct gate_webhook *out, struct err *err)
{
    struct slice path = yaml_text(entry->value, SLICE(""));
    for (size_t i = 0; i < GATE_WEBHOOK_FIELDS; i++)
        if (slice_is(entry->key->text, fields[i])) {
            out->paths[i] = path.len ? arena_string(arena, path) : NULL;
            return out->paths[i] ? 0 : yaml_err(err, entry->value, "where it stands in the body is needed, such as order.id");
        }
    return yaml_err(err, entry->key, "a request has no field '%.*s'", SLICE_ARG(entry->key->text));
}

static int read_fields(const struct yaml_node *node, struct arena *arena, struct gate_webhook *out, struct err *err)
{
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, node, "fields is a mapping such as {request_id: order.id, amount: order.amount}");
    for (size_t i = 0; i < node->count; i++)
        if (read_field(&node->entries[i], arena, out, err) < 0)
            return -1;
    return 0;
}

static int read_key(const struct yaml_entry *entry, struct arena *arena, struct gate_webhook *out, struct err *err)
{
    struct slice key = entry->key->text;
    if (slice_is(key, "secret"))
        return read_secret(entry->value, arena, &out->secret, err);
    if (slice_is(key, "secret_next"))
        return read_secret(entry->value, arena, &out->secret_next, err);
    if (slice_is(key, "fields"))
        return read_fields(entry->value, arena, out, err);
    if (!slice_is(key, "name") && !slice_is(key, "action"))
        return yaml_err(err, entry->key, "there is no key '%.*s' here", SLICE_ARG(key));
    struct slice *to = slice_is(key, "name") ? &out->name : &out->action;
    *to = yaml_text(entry->value, SLICE(""));
    return to->len ? 0 : yaml_err(err, entry->value, "a text is needed here");
}

static int read_one(const struct yaml_node *node, struct arena *arena, struct gate_webhook *out, struct err *err)
{
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, node, "a webhook is a mapping with name, secret and fields");
    for (size_t i = 0; i < node->count; i++)
        if (read_key(&node->entries[i], arena, out, err) < 0)
            return -1;
    if (!out->name.len || slice_find_char(out->name, '/') >= 0 || !out->secret.len || !out->paths[0])
        return yaml_err(err, node, "a webhook needs a name without /, a secret, and fields with request_id");
    return out->action.len || out->paths[1] ? 0 : yaml_err(err, node, "a webhook needs an action, or fields with action");
}

int gate_webhooks_read(const struct yaml_node *node, struct arena *arena, struct gate_webhooks *out, struct err *err)
{
    *out = (struct gate_webhooks){0};
    if (node->kind != YAML_SEQUENCE || node->count > GATE_WEBHOOKS_MAX)
        return yaml_err(err, node, "gate_webhooks is a list of at most %d", GATE_WEBHOOKS_MAX);
    out->list = arena_array(arena, node->count + 1, sizeof(*out->list));
    if (!out->list)
        return err_nomem(err);
    for (size_t i = 0; i < node->count; i++) {
        if (read_one(node->entries[i].value, arena, &out->list[i], err) < 0)
            return -1;
        if (gate_webhook_find(out, out->list[i].name))
            return yaml_err(err, node->entries[i].value, "two webhooks are named %.*s", SLICE_ARG(out->list[i].name));
        out->count++;
    }
    return 0;
}

const struct gate_webhook *gate_webhook_find(const struct gate_webhooks *webhooks, struct slice name)
{
    for (size_t i = 0; i < webhooks->count; i++)
        if (slice_equal(webhooks->list[i].name, name))
            return &webhooks->list[i];
    return NULL;
}

/* ---- a question ---- */

/* Ids that are numbers there are texts here, as written. */
static struct json_node member(const char *name, const struct json_node *found)
{
    struct json_node node = *found;
    bool number_stays = slice_is(slice_text(name), "amount");
    if (node.kind == JSON_NUMBER && !number_stays)
        node.kind = JSON_STRING;
    node.key = slice_text(name);
    return node;
}

/* The body as one in our own words. */
int gate_webhook_request(const struct gate_webhook *webhook, const struct json_node *body, struct arena *arena,
                         struct gate_request *out, struct err *err)
{
    struct json_node *nodes = arena_array(arena, GATE_WEBHOOK_FIELDS, sizeof(*nodes));
    struct json_node ours = {.kind = JSON_OBJECT};
    if (!nodes)
        return err_nomem(err);
    for (size_t i = 0; i < GATE_WEBHOOK_FIELDS; i++) {
        const struct json_node *found = webhook->paths[i] ? json_at(body, webhook->paths[i]) : NULL;
        if (!found)
            continue;
        nodes[ours.count] = member(fields[i], found);
        nodes[ours.count].next = ours.first; /* their order does not matter */
        ours.first = &nodes[ours.count++];
    }
    if (gate_request_read(&ours, arena, out, err) < 0)
        return -1;
    if (!out->action.len)
        out->action = webhook->action;
    return 0;
}
