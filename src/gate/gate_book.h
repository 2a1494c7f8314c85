#pragma once
/*
 * gate/gate_book: what the gate has answered, and the holds that people may release.
 *
 * Two generations, so that memory is bounded: when the newer holds BOOK_FRESH_MAX answers, the older
 * is forgotten and a new one begins; holds move along, since a hold never expires. A request id is
 * therefore remembered for at least BOOK_FRESH_MAX further answers.
 *
 *   hold ── approvals < needed ──► open
 *        └─ approvals = needed ──► released ── asked again ──► allow, row "released"
 *
 * Ownership  Records live in their generation; do not keep them over book_rotate().
 * Threads    One at a time.
 */
#include "gate/gate.h"
#include "gate/policy.h"
#include "gate/token.h"

enum { BOOK_FRESH_MAX = 1 << 18 };

/* One of those who broke the glass. */
struct glass_word {
    struct slice person, reason, proof;
};

/* What people said about a hold. */
struct words {
    struct slice approvers[APPROVALS_MAX];
    struct slice proofs[APPROVALS_MAX]; /* of a signed approval: key, expiry and signature; else none */
    struct glass_word glass[APPROVALS_MAX];
};

struct record {
    struct gate_request request;
    unsigned char digest[REQUEST_DIGEST_SIZE];
    struct gate_answer answer;
    uint32_t approvals_needed, approval_count;
    uint32_t glass_needed, glass_count;
    struct words *words; /* NULL: nobody has said anything, as of most records */
    struct record *hold_next, *hold_prev;
};

struct book;

MUST_USE struct book *book_new(void);
void book_free(struct book *book); /* NULL is fine */

struct record *book_find(const struct book *book, struct slice request_id);
/* A hold by the id of its decision. */
struct record *book_find_hold(const struct book *book, struct slice id);
/* Copies; the payload only of a hold. NULL when memory is out. */
MUST_USE struct record *book_add(struct book *book, const struct gate_request *request,
                                 const unsigned char digest[REQUEST_DIGEST_SIZE],
                                 const struct gate_answer *answer, uint32_t approvals_needed);
/* Copies what a word says, and makes room for it in the record. */
MUST_USE int book_keep_word(struct book *book, struct record *record, struct glass_word *word);
/* Another answer for a record; copied. */
MUST_USE int book_answer(struct book *book, struct record *record,
                         const struct gate_answer *answer);
/* As book_answer for texts that live for ever; cannot fail. */
void book_answer_fixed(struct book *book, struct record *record, const struct gate_answer *answer);
/* Texts into the arena; false when memory is out. */
bool gate_answer_copy(struct arena *arena, struct gate_answer *answer);
/* ERR_CONFLICT: this person has approved, or nothing is left to approve. */
/* In two steps, so that what became durable cannot fail afterwards: name and proof are checked and
 * copied, then they count. */
MUST_USE int book_prepare_approval(struct book *book, struct record *record,
                                   struct slice *approver, struct slice *proof, struct err *err);
void book_approve(struct record *record, struct slice approver, struct slice proof);
bool record_released(const struct record *record);

/* The latest moment at which one of the holds that still stand, released or not, was decided; 0: there is none. */
int64_t book_latest_hold_ns(const struct book *book);
/* Of all holds that nobody asked for since they were released. */
void book_forget_approvals(struct book *book);

/* Open holds, oldest first: start with NULL. */
struct record *book_next_hold(const struct book *book, const struct record *after);
uint64_t book_holds_open(const struct book *book);
/* The i-th latest answer, or NULL. */
const struct record *book_latest(const struct book *book, size_t i);

/* Records for the journal, each with its length in front. */
/* to_sign: the request's payload, which the book keeps for holds only; inputs: what it was made from (gate/gate_inputs), or none for
 * one that only moves along. */
void book_encode_answer(const struct record *record, struct slice to_sign, struct slice inputs, struct buffer *payload);
void book_encode_approval(const struct record *record, struct slice approver, struct slice proof,
                          struct buffer *payload);
/* A decision as it stands in the journal; texts are borrowed from the record. 1, 0 when it is another kind of record, -1. */
struct book_decision {
    struct gate_request request;
    struct gate_answer answer;
    unsigned char digest[REQUEST_DIGEST_SIZE];
    uint32_t approvals_needed;
    struct slice inputs;
};
MUST_USE int book_read_decision(struct slice record, struct book_decision *out, struct err *err);
MUST_USE int book_replay(struct book *book, struct slice bytes, struct err *err);

bool book_full(const struct book *book);
/* Begins a generation; payload gets the holds that moved. */
MUST_USE int book_rotate(struct book *book, struct buffer *payload, struct err *err);
