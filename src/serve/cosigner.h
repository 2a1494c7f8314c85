#pragma once
/*
 * serve/cosigner: what an API co-signer of Fireblocks asks before it signs, as requests to the gate, and the gate's answer as it
 * expects it (docs/gate-cosigner.md). Question and answer are JWTs: theirs is checked by their public key, ours is signed by our
 * private one. RS256 is what both keys are for; what a head says is only ever compared with it.
 *
 * Ownership  Settings borrow from the configuration's arena. What is read of a question lives in the request's.
 * Threads    A cosigner is read-only.
 * Limits     COSIGNER_TOKEN_BYTES_MAX, COSIGNER_KEYS_MAX, COSIGNER_ASSETS_MAX; GATE_ASK_MAX destinations of a transaction.
 * Errors     ERR_CONFIG names key and line. ERR_DENIED: not of a co-signer we know, or not of this time. ERR_INPUT: of one, and
 *            no question that can be answered.
 * Sources    developers.fireblocks.com: "Approve transactions", "Approve configuration changes", "Callback Handler response
 *            object"; RFC 7515, 7519, 8725.
 */
#include "base/limits.h"
#include "cut/json_tree.h"
#include "cut/yaml.h"
#include "gate/gate.h"

struct cosigner;

struct cosigner_asset {
    struct slice theirs, ours;
};

struct cosigner_settings {
    struct slice public_keys[COSIGNER_KEYS_MAX]; /* PEM */
    size_t key_count;                            /* 0: there is no co-signer */
    struct slice private_key;
    int64_t reject_after_ns; /* a hold this old is refused; 0: asked again as long as it is held */
    int64_t max_age_ns;      /* a question must say when it was made, and be no older; 0: it need not */
    struct cosigner_asset *assets;
    size_t asset_count;
};

/* The mapping under `fireblocks:`. */
MUST_USE int cosigner_settings_read(const struct yaml_node *node, struct arena *arena, struct cosigner_settings *out, struct err *err);

/* Keys are read; settings outlive it. */
MUST_USE int cosigner_open(const struct cosigner_settings *settings, struct cosigner **out, struct err *err);
void cosigner_close(struct cosigner *cosigner); /* NULL is fine */

enum cosigner_question { COSIGNER_TRANSACTION, COSIGNER_CONFIG_CHANGE };

/* The claims of a question: signature, head and times were checked. */
MUST_USE int cosigner_claims(const struct cosigner *cosigner, struct slice token, int64_t now_ns, struct arena *arena,
                             const struct json_node **out, struct err *err);
/* What the gate is asked: one request for each destination. */
MUST_USE int cosigner_asks(const struct cosigner *cosigner, enum cosigner_question question, const struct json_node *claims,
                           struct arena *arena, struct gate_ask **asks, size_t *count, struct err *err);

enum cosigner_action { COSIGNER_APPROVE, COSIGNER_RETRY, COSIGNER_REJECT };

struct cosigner_verdict {
    enum cosigner_action action;
    struct slice reason; /* of a REJECT, for their log: names no rule, limit or incident */
};

/* All must be allowed; one that is denied refuses all. */
struct cosigner_verdict cosigner_judge(const struct cosigner *cosigner, const struct gate_ask *asks, size_t count, int64_t now_ns,
                                       struct arena *arena);
/* Appends the signed answer. */
MUST_USE int cosigner_answer(const struct cosigner *cosigner, struct slice request_id, const struct cosigner_verdict *verdict,
                             int64_t now_ns, struct buffer *to, struct err *err);
