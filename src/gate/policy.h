#pragma once
/*
 * gate/policy: who may, as a table of rows; the first row that applies decides.
 *
 *   version: "2026-01"       shown in every answer
 *   mode: enforce            or shadow: everything is allowed, and what would have been held is said
 *   time_zone: Asia/Tokyo    of strftime() and the like; else UTC
 *   limits: {large_share: 0.05, new_age: 24h}    read as limits.large_share; durations are seconds
 *   values: {balance: 'state("asset", request.asset, "balance")'}   computed when first read
 *   rows:
 *     - name: large-share
 *       when: request.amount > limits.large_share * balance
 *       effect: hold          allow, hold, deny
 *       approvals: 2
 *       reason: {en: "...{request.amount}...", ja: "..."}
 *       support: {en: "...", ja: "...", minutes: 30}     what may be said to a customer
 *   approvers: {sato: "base64 of an Ed25519 public key"}    whose signed approvals count (gate_approval)
 *   break_glass: {needed: 2, approvers: {mori: "base64", hara: "base64"}}    others, for when those cannot be had
 *   partners: {exchange-b: ["bc1qpartner*", "rOneAddress"]}  whose a destination is, for stops
 *   assets: what each is on its chain, to compare a payload with (policy_assets.h)
 *
 * A condition that cannot be decided (NULL: something it reads is not known) is never a reason to
 * let pass: such a hold or deny row holds, such an allow row does not apply. No row at all: hold.
 *
 * Ownership  Everything lives in the arena.
 * Threads    A policy is read-only.
 * Errors     -1; the sentence names the line.
 */
#include "base/map.h"
#include "expr/expr.h"
#include "gate/gate.h"
#include "gate/policy_assets.h"

enum { POLICY_ROWS_MAX = 256, POLICY_VALUES_MAX = 64, POLICY_APPROVERS_MAX = 64, POLICY_PARTNERS_MAX = 256 };
enum { POLICY_DIGEST_SIZE = 65, APPROVER_KEY_SIZE = 32 };

struct policy_row {
    struct slice name;
    const struct expr *when; /* NULL: always */
    struct slice condition;  /* as written */
    enum gate_decision effect;
    struct slice reason_en, reason_ja;
    uint32_t approvals;
    struct slice support_en, support_ja; /* for customers, as they are; none: a general text */
    int64_t support_minutes;             /* it usually takes; 0: not said */
};

struct policy_value {
    struct slice name;
    const struct expr *expr; /* NULL: constant */
    struct value constant;
    struct slice text;       /* as written */
};

struct policy_approver {
    struct slice name; /* as the person signs in, so that nobody counts twice */
    unsigned char key[APPROVER_KEY_SIZE];
};

struct policy_partner {
    struct slice name;
    const struct slice *destinations; /* a * at the end stands for any rest */
    size_t count;
};

struct policy {
    struct slice version;
    struct slice text; /* the file's */
    char digest[POLICY_DIGEST_SIZE]; /* BLAKE2b-256 of the file in hex: two files of one version differ */
    bool shadow;
    const struct zone *zone; /* of what conditions say about times; NULL: UTC */
    bool reads_tightened; /* some row says what is then */
    bool reads_payload;   /* some row says what of a payload that differs */
    bool reads_stopped;   /* some row says what of a stop that is being reopened may pass */
    struct policy_value *values; /* limits first */
    size_t value_count;
    struct map by_name; /* of them: the first of a name */
    struct policy_row *rows;
    size_t row_count;
    struct policy_approver *approvers;
    size_t approver_count;
    struct policy_approver *glass; /* who may break the glass: nobody who is an approver */
    size_t glass_count;
    uint32_t glass_needed;
    struct policy_partner *partners;
    size_t partner_count;
    struct policy_asset *assets;
    size_t asset_count;
};

MUST_USE int policy_parse(struct slice text, struct arena *arena, const struct policy **out,
                          struct err *err);
/* As policy_parse; the sentence names the file. */
MUST_USE int policy_load(const char *path, struct arena *arena, const struct policy **out,
                         struct err *err);

/* NULL when nobody of that name (in any case) is registered. */
const struct policy_approver *policy_approver_find(const struct policy *policy, struct slice name);

/* The same of those who may break the glass. */
const struct policy_approver *policy_glass_find(const struct policy *policy, struct slice name);

/* NULL when the policy names no such partner (in any case). */
const struct policy_partner *policy_partner_find(const struct policy *policy, struct slice name);
bool policy_is_partner(const struct policy_partner *partner, struct slice destination);

/* ---- deciding (policy_decide.c) ---- */

struct policy_verdict {
    const struct policy_row *row; /* NULL: no row applied */
    enum gate_decision decision;
    bool unknown;                 /* the row holds because its condition could not be decided */
    struct slice reason_en, reason_ja; /* filled in; in the scope's scratch */
};

/* Row 0 of the batch is the request. -1: memory, or expression. */
MUST_USE int policy_decide(const struct policy *policy, const struct expr_scope *outer, const struct batch *batch,
                           struct policy_verdict *out, struct err *err);

/* Every row of the policy, whether it decides or not, and what its condition and the values behind it read. Texts in the arena,
 * which is not the scope's scratch; the scratch is used up anew for each row. out has room for the policy's rows. */
MUST_USE int policy_explain(const struct policy *policy, const struct expr_scope *outer, const struct batch *batch,
                            struct arena *arena, struct gate_row_explained *out, struct err *err);
