#pragma once
/*
 * gate/policy: who may, as a table of rows; the first row that applies decides.
 *
 *   version: "2026-01"       shown in every answer
 *   mode: enforce            or shadow: everything is allowed, and what would have been held is said
 *   limits: {large_share: 0.05, new_age: 24h}    read as limits.large_share; durations are seconds
 *   values: {balance: 'state("asset", request.asset, "balance")'}   computed first, in order
 *   rows:
 *     - name: large-share
 *       when: request.amount > limits.large_share * balance
 *       effect: hold          allow, hold, deny
 *       approvals: 2
 *       reason: {en: "...{request.amount}...", ja: "..."}
 *   approvers: {sato: "base64 of an Ed25519 public key"}    whose signed approvals count (gate_approval)
 *
 * A condition that cannot be decided (NULL: something it reads is not known) is never a reason to
 * let pass: such a hold or deny row holds, such an allow row does not apply. No row at all: hold.
 *
 * Ownership  Everything lives in the arena.
 * Threads    A policy is read-only.
 * Errors     -1; the sentence names the line.
 */
#include "expr/expr.h"
#include "gate/gate.h"

enum { POLICY_ROWS_MAX = 256, POLICY_VALUES_MAX = 64, POLICY_APPROVERS_MAX = 64 };
enum { POLICY_DIGEST_SIZE = 65, APPROVER_KEY_SIZE = 32 };

struct policy_row {
    struct slice name;
    const struct expr *when; /* NULL: always */
    enum gate_decision effect;
    struct slice reason_en, reason_ja;
    uint32_t approvals;
};

struct policy_value {
    struct slice name;
    const struct expr *expr; /* NULL: constant */
    struct value constant;
};

struct policy_approver {
    struct slice name; /* as the person signs in, so that nobody counts twice */
    unsigned char key[APPROVER_KEY_SIZE];
};

struct policy {
    struct slice version;
    char digest[POLICY_DIGEST_SIZE]; /* BLAKE2b-256 of the file in hex: two files of one version differ */
    bool shadow;
    bool reads_tightened; /* some row says what is then */
    struct policy_value *values; /* limits first */
    size_t value_count;
    struct policy_row *rows;
    size_t row_count;
    struct policy_approver *approvers;
    size_t approver_count;
};

MUST_USE int policy_parse(struct slice text, struct arena *arena, const struct policy **out,
                          struct err *err);
/* As policy_parse; the sentence names the file. */
MUST_USE int policy_load(const char *path, struct arena *arena, const struct policy **out,
                         struct err *err);

/* NULL when nobody of that name (in any case) is registered. */
const struct policy_approver *policy_approver_find(const struct policy *policy, struct slice name);

struct policy_verdict {
    const struct policy_row *row; /* NULL: no row applied */
    enum gate_decision decision;
    bool unknown;                 /* the row holds because its condition could not be decided */
    struct slice reason_en, reason_ja; /* filled in; in the scope's scratch */
};

/* Row 0 of the batch is the request; computed values are added to it. -1: memory, or expression. */
MUST_USE int policy_decide(const struct policy *policy, struct expr_scope *outer,
                           struct batch *batch, struct policy_verdict *out, struct err *err);
