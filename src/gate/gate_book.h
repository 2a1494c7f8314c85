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

struct record {
    struct gate_request request;
    unsigned char digest[REQUEST_DIGEST_SIZE];
    struct gate_answer answer;
    uint32_t approvals_needed, approval_count;
    struct slice approvers[APPROVALS_MAX];
    struct slice proofs[APPROVALS_MAX]; /* of a signed approval: key, expiry and signature; else none */
    struct record *hold_next, *hold_prev;
};

struct book;

MUST_USE struct book *book_new(void);
void book_free(struct book *book); /* NULL is fine */

struct record *book_find(const struct book *book, struct slice request_id);
/* A hold by the id of its decision. */
struct record *book_find_hold(const struct book *book, struct slice id);
/* Copies. NULL when memory is out. */
MUST_USE struct record *book_add(struct book *book, const struct gate_request *request,
                                 const unsigned char digest[REQUEST_DIGEST_SIZE],
                                 const struct gate_answer *answer, uint32_t approvals_needed);
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
MUST_USE int book_prepare_approval(struct book *book, const struct record *record,
                                   struct slice *approver, struct slice *proof, struct err *err);
void book_approve(struct record *record, struct slice approver, struct slice proof);
bool record_released(const struct record *record);

/* Open holds, oldest first: start with NULL. */
struct record *book_next_hold(const struct book *book, const struct record *after);
uint64_t book_holds_open(const struct book *book);
/* The i-th latest answer, or NULL. */
const struct record *book_latest(const struct book *book, size_t i);

/* Records for the journal, each with its length in front. */
void book_encode_answer(const struct record *record, struct buffer *payload);
void book_encode_approval(const struct record *record, struct slice approver, struct slice proof,
                          struct buffer *payload);
MUST_USE int book_replay(struct book *book, struct slice bytes, struct err *err);

bool book_full(const struct book *book);
/* Begins a generation; payload gets the holds that moved. */
MUST_USE int book_rotate(struct book *book, struct buffer *payload, struct err *err);
