#pragma once
/*
 * hinomi_gate: asks the gate of a Hinomi on the same machine whether something may go ahead (docs/gate.md), over its Unix socket
 * (docs/format/gate-socket.md). One C17 file and this header; nothing but libc.
 *
 *   struct hinomi_gate *gate = hinomi_gate_open("/run/hinomi/gate", 50, NULL, NULL);
 *   struct hinomi_gate_request request = {.request_id = "W1", .action = "withdrawal", .account = "u1", .asset = "BTC",
 *                                         .amount = "0.5", .wallet = "hot-1", .destination = "bc1q..."};
 *   struct hinomi_gate_answer answer;
 *   hinomi_gate_decide(gate, &request, &answer);
 *   if (answer.decision == HINOMI_GATE_ALLOW) ...
 *
 * In doubt the answer is hold. When nobody answers within the time, or what comes is no answer, the caller's own fail table
 * decides, row by row, the first that fits; nothing fits: hold. What it decided is written to the spool before it is
 * returned (no spool or a spool that cannot be written: hold), and told to the gate when it is back.
 *
 *   # action      asset   at most        a line of the fail table; * fits any
 *   withdrawal    BTC     0.01
 *   withdrawal    *       0
 *
 * Threads    One at a time for each handle; open one for each thread.
 * Ownership  Texts of a request are read during the call. Texts of an answer live in the answer.
 */
#include <stddef.h>
#include <stdint.h>

enum { HINOMI_GATE_TEXT_MAX = 512, HINOMI_GATE_REASONS_MAX = 8, HINOMI_GATE_ASK_MAX = 64, HINOMI_GATE_REASON_SIZE = 1024 };

enum hinomi_gate_decision { HINOMI_GATE_ALLOW = 0, HINOMI_GATE_HOLD = 1, HINOMI_GATE_DENY = 2 };

/* Texts of at most HINOMI_GATE_TEXT_MAX bytes; NULL is none. */
struct hinomi_gate_request {
    const char *request_id; /* needed: the same id and content get the same answer */
    const char *action;     /* needed: withdrawal, order, address_add, api_key_create, mfa_reset, sign ... */
    const char *account, *asset, *wallet, *destination, *nonce;
    const char *amount; /* a decimal, exactly as written */
    int64_t at_ns;      /* ns since 1970; 0: when the gate sees it */
    int64_t expiry_ns;  /* 0: none */
    const void *payload; /* the bytes that will be signed, at most 64 KiB; NULL: none */
    size_t payload_len;
};

struct hinomi_gate_answer {
    enum hinomi_gate_decision decision;
    int refused;  /* the request itself is wrong: why is in reason_en; decision is hold */
    int alone;    /* nobody answered: the fail table decided; row is its line */
    int shadow;   /* would not have been allowed, but the gate only watches */
    char id[40], row[128], incident[64], policy_version[128], token[128];
    int64_t at_ns, token_expiry_ns;
    char reason_en[HINOMI_GATE_REASON_SIZE], reason_ja[HINOMI_GATE_REASON_SIZE]; /* joined; cut at a character's end, with "…" */
};

struct hinomi_gate;

/* Connects when it is first needed. timeout_ms is for each call. fail_table: the lines above as text; NULL: everything holds.
 * spool: a file for what was decided alone, 0600; NULL: nothing may pass alone. NULL: memory is out, or a line of the table is
 * wrong (hinomi_gate_table_error says which). */
struct hinomi_gate *hinomi_gate_open(const char *socket_path, int timeout_ms, const char *fail_table, const char *spool);
void hinomi_gate_close(struct hinomi_gate *gate); /* NULL is fine */
/* The number of the first wrong line of a table, from 1; 0: it is good. */
size_t hinomi_gate_table_error(const char *fail_table);

/* Always fills the answer. 0: the gate answered; 1: it did not, and the table decided. */
int hinomi_gate_decide(struct hinomi_gate *gate, const struct hinomi_gate_request *request, struct hinomi_gate_answer *answer);
/* Up to HINOMI_GATE_ASK_MAX at once: durable together, and much cheaper. */
int hinomi_gate_decide_many(struct hinomi_gate *gate, const struct hinomi_gate_request *requests, size_t count,
                            struct hinomi_gate_answer *answers);

/* For whoever signs, just before signing: 1 the token is the gate's for exactly this request and has not expired; 0 it is not;
 * -1 nobody answered: do not sign. at_ns of the request is that of the answer. */
int hinomi_gate_check(struct hinomi_gate *gate, const struct hinomi_gate_request *request, const char *token);

/* Tells the gate what was decided alone; done by itself before the next question, too. How many are still to be told, or -1 when
 * the spool cannot be read. */
long hinomi_gate_report(struct hinomi_gate *gate);
