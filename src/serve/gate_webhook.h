#pragma once
/*
 * serve/gate_webhook: a question to the gate in somebody else's words: a signed POST of JSON, whose fields the configuration maps to
 * those of a request (docs/gate-webhook.md).
 *
 * Ownership  Settings live in the configuration's arena; a request borrows from its body's tree and the arena.
 * Threads    Settings are read-only.
 * Limits     GATE_WEBHOOKS_MAX.
 * Errors     ERR_CONFIG names line and key, or what is wrong with a request.
 */
#include "base/limits.h"
#include "cut/json_tree.h"
#include "cut/yaml.h"
#include "gate/gate.h"

enum { GATE_WEBHOOK_FIELDS = 11 };

struct gate_webhook {
    struct slice name;
    struct slice secret, secret_next; /* either is taken */
    struct slice action;              /* of bodies that name none; or none */
    const char *paths[GATE_WEBHOOK_FIELDS]; /* "order.id", as gate_webhook_fields; NULL: not told */
};

struct gate_webhooks {
    struct gate_webhook *list;
    size_t count;
};

/* The list under `gate_webhooks:`. */
MUST_USE int gate_webhooks_read(const struct yaml_node *node, struct arena *arena, struct gate_webhooks *out, struct err *err);
/* NULL when there is none of that name. */
const struct gate_webhook *gate_webhook_find(const struct gate_webhooks *webhooks, struct slice name);
MUST_USE int gate_webhook_request(const struct gate_webhook *webhook, const struct json_node *body, struct arena *arena,
                                  struct gate_request *out, struct err *err);
