#pragma once
/*
 * gate/gate: may this go ahead? allow / hold / deny from what is known right now.
 *
 * One thread owns everything the gate knows: its own copy of the remembered
 * state (table/state), holds, open incidents. It takes requests before events,
 * events in slices of at most 100 µs, and shares no lock with ingest but those
 * of its two queues.
 * In doubt the answer is hold: unhealthy, lagging, clock stepped, policy
 * unreadable at the start, journal not writable. A hold never expires; people
 * release it. A policy that cannot be read at a reload is refused, and the one
 * in force stays.
 *
 * A gate starts unhealthy: the app tells it the incidents that are open, then gate_set_health(true).
 *
 * Threads    All functions but start and stop: any. Visitors run in the caller's thread.
 * Sources    docs/gate.md: request, answer, canonical bytes.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/limits.h"
#include "event/batch.h"
#include "event/decimal.h"
#include "event/delivery.h"
#include "event/finding.h"
#include "table/state.h"

struct gate;

enum gate_decision { GATE_ALLOW, GATE_HOLD, GATE_DENY };
const char *gate_decision_name(enum gate_decision decision);

/* What is asked. Slices are borrowed; the gate copies. */
struct gate_request {
    struct slice request_id; /* idempotent: the same id and content get the same answer */
    struct slice action;     /* withdrawal, order, address_add, api_key_create, mfa_reset, sign, ... */
    struct slice account, asset, wallet, destination, nonce;
    struct slice payload;    /* the bytes that will be signed, or none (gate/effects.h) */
    struct decimal amount;
    bool has_amount;
    int64_t at_ns;     /* when the business asked; 0: now (the answer says the time taken) */
    int64_t expiry_ns; /* 0: none */
};

enum { GATE_REASONS_MAX = 8, APPROVALS_MAX = 8 };

struct gate_answer {
    enum gate_decision decision;
    char id[33];             /* of the decision */
    struct slice row;        /* the policy row that decided, or "unhealthy" and the like */
    struct slice reasons_en[GATE_REASONS_MAX], reasons_ja[GATE_REASONS_MAX];
    size_t reason_count;     /* of both languages, pairwise */
    struct slice incident;   /* id, or none */
    struct slice policy_version;
    struct slice token;      /* of an allow: keyed BLAKE2b over the canonical bytes, short-lived; else none */
    int64_t token_expiry_ns;
    int64_t at_ns;           /* of the request, as in the canonical bytes; 0: not decided */
    bool shadow;             /* would have been held or denied, but the gate is in shadow mode: decision is allow */
    int64_t decided_ns;
};

/* A reading of the policy's file while the gate runs, for the audit. */
struct gate_policy_news {
    struct slice by;      /* the person, or "SIGHUP" */
    struct slice version; /* that is in force now; none: there is none, and everything holds */
    struct slice digest;  /* of its file */
    struct slice refused; /* why the file was not taken; none: it was */
    int64_t time_ns;
};

/* One more person's word for a hold. */
struct gate_approval {
    struct slice hold_id, approver;
    struct slice row, incident; /* of the hold */
    uint32_t approvals, approvals_needed;
    bool released;              /* that was the last one needed */
    bool is_signed;             /* by a signature, else by a session */
    struct slice break_glass;   /* the reason of one who broke the glass, whose counts these are then; or none */
    int64_t time_ns;
};

/* What a request names, as the entities of incidents that touch it. Texts are borrowed. */
enum { GATE_REQUEST_ENTITIES_MAX = 16 };
size_t gate_request_entities(const struct gate_request *request,
                             struct entity to[GATE_REQUEST_ENTITIES_MAX]);

/* Whether answers bind. In shadow everything is allowed, and the answer says what it would have been. */
enum gate_mode { GATE_MODE_POLICY, GATE_MODE_ENFORCE, GATE_MODE_SHADOW }; /* as the policy's file says; else whatever it says */
/* "policy", "enforce", "shadow". */
const char *gate_mode_name(enum gate_mode mode);

struct gate_stop;
struct gate_config {         /* texts are copied, the rest outlives the gate */
    const char *dir;         /* the gate's own journal, key and holds */
    const char *policy_path; /* content/policy/default.yaml or the user's */
    struct slice policy_text; /* of a rehearsal (gate/gate_rehearse): read instead of the file, whose path only names it; outlives the gate */
    const unsigned char *policy_owner; /* whose signature a policy needs (gate/policy_owner), 32 bytes; NULL: nobody's */
    enum gate_mode mode;
    const struct state_definitions *state;
    /* Of table/state (state_save), as the pipeline had it where its events go on; none: empty. */
    struct slice state_snapshot;
    const struct hin_io *io; /* NULL: the real one */
    const struct hin_clock *clock;
    /* Up to this commit (not included) the gate's journal is durable, for whoever reads it (gate/gate_journal_reader); may be NULL.
     * Called from the gate's thread, must not block. */
    void (*committed)(void *context, uint64_t number);
    /* Each approval, when it is durable; as committed. */
    void (*approved)(void *context, const struct gate_request *request,
                     const struct gate_approval *approval);
    /* From the thread that called gate_policy_reload(); may be NULL. */
    void (*policy_read)(void *context, const struct gate_policy_news *news);
    /* A stop was set, or a step of its reopening was approved; as committed. person: whose word it was, or none. May be NULL. */
    void (*stopped)(void *context, const struct gate_stop *stop, struct slice person);
    void (*note)(void *context, const char *text);
    void *context;
};

MUST_USE int gate_start(const struct gate_config *config, struct gate **out, struct err *err);
void gate_stop(struct gate *gate); /* NULL is fine */

/* Waits for the answer, at most wait_ms; then it is a hold ("timeout"). Texts live in the arena. -1
 * only for a request that is not well-formed (ERR_CONFIG says what to mend) or a request_id that was
 * used with other content (ERR_CONFLICT). */
MUST_USE int gate_decide(struct gate *gate, const struct gate_request *request, int64_t wait_ms,
                         struct arena *arena, struct gate_answer *out, struct err *err);

/* Several at once: one commit makes them durable. At most GATE_ASK_MAX. */
struct gate_ask {
    struct gate_request request;
    struct gate_answer answer;
    enum err_code refused; /* ERR_NONE: there is an answer; else as gate_decide, with why (NUL-terminated, in the arena) */
    const char *why;
};
void gate_decide_many(struct gate *gate, struct gate_ask *asks, size_t count, int64_t wait_ms, struct arena *arena);

/* ---- why (gate_explain.c) ---- */

enum { GATE_READS_MAX = 64 };
struct gate_read {
    struct slice name;  /* a field, limit or value, or "state(table, key, field)" */
    struct slice value; /* none: not known */
};
enum gate_row_state { GATE_ROW_APPLIES, GATE_ROW_NOT, GATE_ROW_UNKNOWN };
struct gate_row_explained {
    struct slice name, condition; /* condition none: always */
    enum gate_decision effect;
    uint32_t approvals;
    enum gate_row_state applies;
    bool decides;                 /* the first that applies, or holds because it cannot be decided */
    struct gate_read *reads;      /* GATE_READS_MAX at most; as far as the condition looked for the state's */
    size_t read_count;
};
struct gate_explained {
    struct gate_answer answer; /* without id and token; shadow as it would be */
    bool decided_before;       /* its request_id has an answer already, which asking would return */
    struct gate_row_explained *rows; /* none without a policy */
    size_t row_count;
};
/* What the answer would be right now, and what every row of the policy makes of the request. Decides nothing and records nothing.
 * Everything in the arena, which the gate's thread fills while the caller waits. As gate_decide: -1 with ERR_CONFIG. */
MUST_USE int gate_explain(struct gate *gate, const struct gate_request *request, struct arena *arena, struct gate_explained *out,
                          struct err *err);

/* Whether the token is one this gate gave for exactly this request and has not expired: 0, or -1 with
 * ERR_DENIED and why. For the one who signs, just before signing. */
MUST_USE int gate_token_check(struct gate *gate, const struct gate_request *request,
                              struct slice token, struct err *err);

/* Events that went by (the pipeline's thread, after detection): rows the state wants are copied. When
 * the gate is GATE_OBSERVE_MAX batches behind, answers are hold ("behind") until it has caught up, and
 * the caller waits for room: nothing is dropped. */
void gate_observe(struct gate *gate, const struct batch *batch);
/* Incidents that touch an account, asset, wallet or address while they are open. */
void gate_incident(struct gate *gate, struct slice incident_id, enum severity severity, bool open,
                   const struct entity *entities, size_t entity_count);
/* The pipeline's health: anything but healthy makes every answer hold. */
void gate_set_health(struct gate *gate, bool healthy, const char *reason);
/* Whether somebody could be woken: rows of the policy read `nobody_reachable`. At first it is taken for so. */
void gate_set_reachable(struct gate *gate, bool reachable);
/* How many people take pages: rows read `people_reachable`. Below 0, and at first: not known. */
void gate_set_people(struct gate *gate, int64_t reachable);

struct gate_hold {
    struct slice id; /* of the decision */
    struct gate_request request;
    struct slice row, incident, reason_en, reason_ja;
    int64_t held_ns;
    uint32_t approvals, approvals_needed;
    struct slice approvers[APPROVALS_MAX];
};
typedef void (*gate_hold_visit)(void *context, const struct gate_hold *hold);
/* Open holds, oldest first: all of them, or those whose decision names the incident. */
void gate_holds(struct gate *gate, struct slice incident, gate_hold_visit visit, void *context);
/* One hold, open or released but not asked for again yet, with its payload, which lists leave out; texts in the arena. ERR_NOT_FOUND. */
MUST_USE int gate_hold_get(struct gate *gate, struct slice id, struct arena *arena,
                           struct gate_hold *out, struct err *err);

/* The latest decisions, newest first; GATE_DECISIONS_KEPT are remembered. */
enum { GATE_DECISIONS_KEPT = 1000 };
typedef void (*gate_decision_visit)(void *context, const struct gate_request *request,
                                    const struct gate_answer *answer);
void gate_decisions(struct gate *gate, size_t limit, gate_decision_visit visit, void *context);
/* One more approval, by a person whose session the caller has checked; released when approvals_needed
 * distinct people have approved. ERR_DENIED (no name, or the request is that person's own),
 * ERR_NOT_FOUND, ERR_CONFLICT (the same person twice, by session or signature). */
MUST_USE int gate_approve(struct gate *gate, struct slice hold_id, struct slice approver,
                          bool *released, struct err *err);

enum { GATE_ID_SIZE = 33, GATE_SIGNATURE_SIZE = 64 };
struct gate_signature { /* gate/approval.h says of what */
    struct slice approver;
    int64_t expires_ns;
    unsigned char bytes[GATE_SIGNATURE_SIZE];
};
/* As gate_approve, by the signature of an approver whom the policy in force names. ERR_DENIED also when it
 * does not, or the signature is not theirs, not of this gate and hold, or not of this time. */
MUST_USE int gate_approve_signed(struct gate *gate, struct slice hold_id,
                                 const struct gate_signature *signature, bool *released,
                                 struct err *err);
/* By the signature of one whom the policy names under break_glass; reason is part of what was signed (gate/approval.h). When as many as
 * it needs have signed, the hold is released, whatever its approvals. Each is told to `approved`. Errors as gate_approve_signed. */
enum { GATE_GLASS_REASON_MAX = 1024 };
MUST_USE int gate_break_glass(struct gate *gate, struct slice hold_id, const struct gate_signature *signature, struct slice reason,
                              bool *released, struct err *err);
/* Names this gate in what people sign; "" when it has no key. */
void gate_id(const struct gate *gate, char to[GATE_ID_SIZE]);

/* ---- what support staff may say to a customer ---- */

enum gate_support_state { GATE_SUPPORT_HELD, GATE_SUPPORT_RELEASED, GATE_SUPPORT_REFUSED, GATE_SUPPORT_NOT_HELD };
const char *gate_support_state_name(enum gate_support_state state);
struct gate_support { /* names no row, limit, value or incident */
    enum gate_support_state state;
    struct slice request_id, en, ja;
    int64_t since_ns;     /* held; 0: it is not */
    int64_t minutes;      /* until it is usually released; 0: not known */
    bool minutes_learned; /* from earlier releases, and not from the policy */
};
/* By the id of a hold, or (id none) by a request_id that is remembered. Texts in the arena. ERR_NOT_FOUND. */
MUST_USE int gate_support(struct gate *gate, struct slice id, struct slice request_id, struct arena *arena, struct gate_support *out,
                          struct err *err);

/* ---- tightening: by a machine, undone by people ---- */

struct gate_tightening { /* the last one */
    bool on;
    struct slice cause;  /* an incident; none: there never was one */
    int64_t since_ns, undone_ns;
    struct slice undone_by, reason;
};
/* From now on rows of the policy read `tightened` as true, and a policy that never reads it lets nothing pass. Durable
 * when it returns 0. The same cause again changes nothing, also after people undid it. -1: when the journal cannot be
 * written the gate holds everything anyway. */
MUST_USE int gate_tighten(struct gate *gate, struct slice cause, struct err *err);
/* By a person whose session the caller has checked. ERR_CONFLICT: it is not tightened. */
MUST_USE int gate_loosen(struct gate *gate, struct slice person, struct slice reason, struct err *err);
/* Texts in the arena. */
MUST_USE int gate_tightening(struct gate *gate, struct arena *arena, struct gate_tightening *out, struct err *err);

/* ---- stops: set by machines and people, reopened by people ---- */

enum { GATE_STOP_TEXT_MAX = 512, GATE_STOP_REASON_MAX = 16 * 1024 };
#define GATE_SHARE_WHOLE 10000 /* in hundredths of a percent */

struct gate_stop {
    char id[GATE_ID_SIZE];  /* of the scope and the target: there is one stop for them */
    struct slice scope, target; /* account, asset, wallet, address, partner; or all, without a target */
    struct slice cause;     /* the finding's id, or none: a person */
    struct slice by, reason; /* the rule's name or the person; why */
    uint32_t share;         /* that may pass: 0, 100, 1000; GATE_SHARE_WHOLE: ended */
    int64_t since_ns, changed_ns;
    uint32_t approvals, approvals_needed; /* for the next step */
    struct slice approvers[APPROVALS_MAX];
};
/* Sets the id of what scope and target say. */
void gate_stop_id(struct gate_stop *stop);
/* The next step of a share. */
uint32_t gate_stop_next_share(uint32_t share);

/* Sets a stop, or sets one that is being reopened back to 0. Durable when it returns 0; -1 with ERR_CONFIG says what is wrong.
 * When the journal cannot be written the gate holds everything anyway. *out may be NULL; texts in the arena. */
struct gate_stop_order {
    struct slice scope, target, cause, by, reason;
};
MUST_USE int gate_stop_set(struct gate *gate, const struct gate_stop_order *order, struct arena *arena, struct gate_stop *out,
                           struct err *err);
/* One more approval of the next step, by a person whose session the caller has checked. ERR_NOT_FOUND, ERR_CONFLICT (another
 * share than the next, the same person twice), ERR_DENIED. */
MUST_USE int gate_stop_reopen(struct gate *gate, struct slice id, uint32_t share, struct slice person, struct arena *arena,
                              struct gate_stop *out, struct err *err);
/* The same by the signature of an approver whom the policy names (gate/approval.h). */
MUST_USE int gate_stop_reopen_signed(struct gate *gate, struct slice id, uint32_t share, const struct gate_signature *signature,
                                     struct arena *arena, struct gate_stop *out, struct err *err);
typedef void (*gate_stop_visit)(void *context, const struct gate_stop *stop);
/* Those that are not ended, oldest first. */
void gate_stops(struct gate *gate, gate_stop_visit visit, void *context);

/* ---- the policy ---- */

struct gate_policy_info {
    struct slice path, version, digest; /* version none: no policy is in force, everything holds */
    int64_t loaded_ns;
    size_t approvers;     /* whose signatures count */
    struct slice refused; /* why the file was not taken when it was last read; none: it was */
    int64_t refused_ns;
};
/* Texts in the arena. -1: memory, or the gate is stopping. */
MUST_USE int gate_policy(struct gate *gate, struct arena *arena, struct gate_policy_info *out,
                         struct err *err);
/* The text of the file in force, in the arena; ERR_NOT_FOUND: there is none. For gate/policy: policy_parse. */
MUST_USE int gate_policy_text(struct gate *gate, struct arena *arena, struct slice *out, struct err *err);
/* Reads the file again. Good: the whole of it is in force for every answer from then on. Else -1, the
 * sentence names file and line, and what was in force stays. */
MUST_USE int gate_policy_reload(struct gate *gate, struct slice by, struct err *err);

/* The number of the journal's next commit. */
uint64_t gate_committed(const struct gate *gate);

struct gate_stats {
    uint64_t decisions, allowed, held, denied, holds_open, stops;
    uint64_t shadow_held, shadow_denied; /* of the allowed: what they would have been */
    enum gate_mode mode; /* of the configuration */
    bool healthy, shadow, tightened;
    char reason[ERR_TEXT_SIZE];
};
struct gate_stats gate_stats(struct gate *gate);
/* Per asset, for the console: balance, outflow, state ("allow" or "hold"). */
struct gate_asset {
    struct slice asset, state, balance; /* not known: SLICE_NONE */
    struct slice heard;                 /* when its balance was told last, in seconds */
    struct slice outflow_1h, usual_1h;  /* what own wallets sent on the chain; of assets whose chain is not heard, what was asked for */
};
typedef void (*gate_asset_visit)(void *context, const struct gate_asset *asset);
void gate_assets(struct gate *gate, struct arena *arena, gate_asset_visit visit, void *context);
