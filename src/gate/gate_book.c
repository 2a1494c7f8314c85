#include "gate/gate_book.h"

#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "gate/gate_journal.h"
#include "gate/gate_break_glass.h"

#include <assert.h>

#define GENERATION_BYTES_MAX (1 * GIB)

enum { RECORD_ANSWER = 1, RECORD_APPROVAL = 2, RECORD_SIGNED_APPROVAL = 3 };

struct generation {
    struct arena *arena;
    struct map by_request, by_id;
    size_t fresh; /* answers made in it, holds that moved in not counted */
};

struct book {
    struct generation now, before;
    struct record *hold_first, *hold_last;
    const struct record *latest[GATE_DECISIONS_KEPT];
    size_t latest_count; /* ever */
};

static bool generation_init(struct generation *generation)
{
    *generation = (struct generation){.arena = arena_new(GENERATION_BYTES_MAX)};
    map_init(&generation->by_request, generation->arena);
    map_init(&generation->by_id, generation->arena);
    return generation->arena != NULL;
}

struct book *book_new(void)
{
    struct book *book = mem_calloc(1, sizeof(*book));
    if (book && !generation_init(&book->now)) {
        mem_free(book);
        return NULL;
    }
    return book;
}

void book_free(struct book *book)
{
    if (!book)
        return;
    arena_free(book->now.arena);
    if (book->before.arena)
        arena_free(book->before.arena);
    mem_free(book);
}

struct record *book_find(const struct book *book, struct slice request_id)
{
    struct record *record = map_find(&book->now.by_request, request_id);
    if (!record && book->before.arena)
        record = map_find(&book->before.by_request, request_id);
    return record;
}

struct record *book_find_hold(const struct book *book, struct slice id)
{
    struct record *record = map_find(&book->now.by_id, id);
    if (!record && book->before.arena)
        record = map_find(&book->before.by_id, id);
    return record && record->answer.decision == GATE_HOLD ? record : NULL;
}

/* ---- holds, as a list ---- */

static void hold_link(struct book *book, struct record *record)
{
    record->hold_prev = book->hold_last;
    record->hold_next = NULL;
    if (book->hold_last)
        book->hold_last->hold_next = record;
    else
        book->hold_first = record;
    book->hold_last = record;
}

static void hold_unlink(struct book *book, struct record *record)
{
    if (record->hold_prev)
        record->hold_prev->hold_next = record->hold_next;
    else
        book->hold_first = record->hold_next;
    if (record->hold_next)
        record->hold_next->hold_prev = record->hold_prev;
    else
        book->hold_last = record->hold_prev;
}

bool record_released(const struct record *record)
{
    return record->approval_count >= record->approvals_needed ||
           (record->glass_needed && record->glass_count >= record->glass_needed);
}

struct record *book_next_hold(const struct book *book, const struct record *after)
{
    struct record *record = after ? after->hold_next : book->hold_first;
    while (record && record_released(record))
        record = record->hold_next;
    return record;
}

uint64_t book_holds_open(const struct book *book)
{
    uint64_t count = 0;
    for (struct record *r = book_next_hold(book, NULL); r; r = book_next_hold(book, r))
        count++;
    return count;
}

const struct record *book_latest(const struct book *book, size_t i)
{
    if (i >= book->latest_count || i >= GATE_DECISIONS_KEPT)
        return NULL;
    return book->latest[(book->latest_count - 1 - i) % GATE_DECISIONS_KEPT];
}

/* ---- adding ---- */

static bool keep(struct arena *arena, struct slice *text)
{
    if (!text->ptr)
        return true;
    *text = arena_copy(arena, *text);
    return text->ptr != NULL;
}

static bool keep_request(struct arena *arena, struct gate_request *request)
{
    return keep(arena, &request->request_id) && keep(arena, &request->action) &&
           keep(arena, &request->account) && keep(arena, &request->asset) &&
           keep(arena, &request->wallet) && keep(arena, &request->destination) &&
           keep(arena, &request->nonce) && keep(arena, &request->payload);
}

bool gate_answer_copy(struct arena *arena, struct gate_answer *answer)
{
    for (size_t i = 0; i < answer->reason_count; i++)
        if (!keep(arena, &answer->reasons_en[i]) || !keep(arena, &answer->reasons_ja[i]))
            return false;
    return keep(arena, &answer->row) && keep(arena, &answer->incident) &&
           keep(arena, &answer->policy_version) && keep(arena, &answer->token);
}

static int index_record(struct generation *generation, struct record *record)
{
    if (map_put(&generation->by_request, record->request.request_id, record) < 0)
        return -1;
    return map_put(&generation->by_id, slice_text(record->answer.id), record);
}

struct record *book_add(struct book *book, const struct gate_request *request,
                        const unsigned char digest[REQUEST_DIGEST_SIZE],
                        const struct gate_answer *answer, uint32_t approvals_needed)
{
    struct arena *arena = book->now.arena;
    struct record *record = arena_calloc(arena, sizeof(*record));
    if (!record)
        return NULL;
    record->request = *request;
    record->answer = *answer;
    record->approvals_needed = approvals_needed;
    memcpy(record->digest, digest, sizeof(record->digest));
    if (answer->decision != GATE_HOLD)
        record->request.payload = SLICE_NONE; /* nobody will look at it any more */
    if (!keep_request(arena, &record->request) || !gate_answer_copy(arena, &record->answer) ||
        index_record(&book->now, record) < 0)
        return NULL;
    if (answer->decision == GATE_HOLD)
        hold_link(book, record);
    book->latest[book->latest_count++ % GATE_DECISIONS_KEPT] = record;
    book->now.fresh++;
    return record;
}

static bool make_words(struct book *book, struct record *record)
{
    if (!record->words)
        record->words = arena_calloc(book->now.arena, sizeof(*record->words));
    return record->words != NULL;
}

int book_keep_word(struct book *book, struct record *record, struct glass_word *word)
{
    struct arena *arena = book->now.arena;
    return make_words(book, record) && keep(arena, &word->person) && keep(arena, &word->reason) && keep(arena, &word->proof) ? 0 : -1;
}

void book_answer_fixed(struct book *book, struct record *record, const struct gate_answer *answer)
{
    bool held = record->answer.decision == GATE_HOLD, holds = answer->decision == GATE_HOLD;
    record->answer = *answer;
    if (held && !holds)
        hold_unlink(book, record);
    if (!held && holds)
        hold_link(book, record);
}

int book_answer(struct book *book, struct record *record, const struct gate_answer *answer)
{
    struct gate_answer copy = *answer;
    if (!gate_answer_copy(book->now.arena, &copy))
        return -1;
    book_answer_fixed(book, record, &copy);
    return 0;
}

static int may_approve(const struct record *record, struct slice approver, struct err *err)
{
    if (record_released(record))
        return err_set(err, ERR_CONFLICT, "the hold has been released already");
    for (uint32_t i = 0; i < record->approval_count; i++)
        if (slice_equal_nocase(record->words->approvers[i], approver))
            return err_set(err, ERR_CONFLICT, "%.*s has approved already; another person must",
                           SLICE_ARG(approver));
    return 0;
}

int book_prepare_approval(struct book *book, struct record *record, struct slice *approver,
                          struct slice *proof, struct err *err)
{
    if (may_approve(record, *approver, err) < 0)
        return -1;
    bool kept = make_words(book, record) && keep(book->now.arena, approver) && keep(book->now.arena, proof);
    return kept ? 0 : err_nomem(err);
}

void book_approve(struct record *record, struct slice approver, struct slice proof)
{
    assert(record->approval_count < APPROVALS_MAX); /* needed <= APPROVALS_MAX, and released is a conflict */
    record->words->approvers[record->approval_count] = approver;
    record->words->proofs[record->approval_count++] = proof;
}

int64_t book_latest_hold_ns(const struct book *book)
{
    int64_t latest_ns = 0;
    for (const struct record *record = book->hold_first; record; record = record->hold_next)
        if (record->answer.decided_ns > latest_ns)
            latest_ns = record->answer.decided_ns;
    return latest_ns;
}

void book_forget_approvals(struct book *book)
{
    for (struct record *record = book->hold_first; record; record = record->hold_next)
        record->approval_count = record->glass_count = 0;
}

/* ---- as bytes ---- */

static void put_request(struct buffer *to, const struct gate_request *request)
{
    char amount[DECIMAL_TEXT_SIZE];
    size_t len = request->has_amount ? decimal_format(request->amount, amount) : 0;
    buffer_put_block(to, request->request_id);
    buffer_put_block(to, request->action);
    buffer_put_block(to, request->account);
    buffer_put_block(to, request->asset);
    buffer_put_block(to, request->wallet);
    buffer_put_block(to, request->destination);
    buffer_put_block(to, request->nonce);
    buffer_put_block(to, slice_of(amount, len));
    buffer_put_le64(to, (uint64_t)request->at_ns);
    buffer_put_le64(to, (uint64_t)request->expiry_ns);
}

static bool take_request(struct slice *from, struct gate_request *out)
{
    struct slice amount;
    uint64_t at, expiry;
    if (!slice_take_block(from, &out->request_id) || !slice_take_block(from, &out->action) ||
        !slice_take_block(from, &out->account) || !slice_take_block(from, &out->asset) ||
        !slice_take_block(from, &out->wallet) || !slice_take_block(from, &out->destination) ||
        !slice_take_block(from, &out->nonce) || !slice_take_block(from, &amount) ||
        !slice_take_le64(from, &at) || !slice_take_le64(from, &expiry))
        return false;
    out->has_amount = amount.len > 0;
    out->at_ns = (int64_t)at;
    out->expiry_ns = (int64_t)expiry;
    return !out->has_amount || decimal_parse(amount, &out->amount);
}

void book_encode_answer(const struct record *record, struct slice to_sign, struct slice inputs, struct buffer *payload)
{
    const struct gate_answer *answer = &record->answer;
    size_t begun = gate_journal_begin(payload);
    buffer_put_varint(payload, RECORD_ANSWER);
    put_request(payload, &record->request);
    buffer_put_block(payload, to_sign);
    buffer_put(payload, slice_of(record->digest, sizeof(record->digest)));
    buffer_put_varint(payload, record->approvals_needed);
    buffer_put_varint(payload, answer->decision);
    buffer_put_varint(payload, answer->shadow);
    buffer_put_block(payload, slice_text(answer->id));
    buffer_put_block(payload, answer->row);
    buffer_put_block(payload, answer->incident);
    buffer_put_block(payload, answer->policy_version);
    buffer_put_block(payload, answer->token);
    buffer_put_le64(payload, (uint64_t)answer->token_expiry_ns);
    buffer_put_le64(payload, (uint64_t)answer->decided_ns);
    buffer_put_varint(payload, answer->reason_count);
    for (size_t i = 0; i < answer->reason_count; i++) {
        buffer_put_block(payload, answer->reasons_en[i]);
        buffer_put_block(payload, answer->reasons_ja[i]);
    }
    buffer_put_block(payload, inputs);
    gate_journal_end(payload, begun);
}

void book_encode_approval(const struct record *record, struct slice approver, struct slice proof,
                          struct buffer *payload)
{
    size_t begun = gate_journal_begin(payload);
    buffer_put_varint(payload, proof.len ? RECORD_SIGNED_APPROVAL : RECORD_APPROVAL);
    buffer_put_block(payload, slice_text(record->answer.id));
    buffer_put_block(payload, approver);
    if (proof.len)
        buffer_put_block(payload, proof);
    gate_journal_end(payload, begun);
}

static bool take_answer(struct slice *from, struct gate_answer *out)
{
    uint64_t decision, shadow, expiry, decided, reasons;
    struct slice id;
    if (!slice_take_varint(from, &decision) || decision > GATE_DENY ||
        !slice_take_varint(from, &shadow) || !slice_take_block(from, &id) || id.len >= sizeof(out->id) ||
        !slice_take_block(from, &out->row) || !slice_take_block(from, &out->incident) ||
        !slice_take_block(from, &out->policy_version) || !slice_take_block(from, &out->token) ||
        !slice_take_le64(from, &expiry) || !slice_take_le64(from, &decided) ||
        !slice_take_varint(from, &reasons) || reasons > GATE_REASONS_MAX)
        return false;
    memcpy(out->id, id.ptr, id.len);
    out->decision = (enum gate_decision)decision;
    out->shadow = shadow != 0;
    out->token_expiry_ns = (int64_t)expiry;
    out->decided_ns = (int64_t)decided;
    out->reason_count = (size_t)reasons;
    for (size_t i = 0; i < out->reason_count; i++)
        if (!slice_take_block(from, &out->reasons_en[i]) || !slice_take_block(from, &out->reasons_ja[i]))
            return false;
    return true;
}

static bool take_decision(struct slice bytes, struct book_decision *out)
{
    struct slice digest;
    uint64_t needed;
    if (!take_request(&bytes, &out->request) || !slice_take_block(&bytes, &out->request.payload) ||
        out->request.payload.len > GATE_PAYLOAD_BYTES_MAX || !slice_take(&bytes, REQUEST_DIGEST_SIZE, &digest) ||
        !slice_take_varint(&bytes, &needed) || needed > APPROVALS_MAX || !take_answer(&bytes, &out->answer) ||
        !slice_take_block(&bytes, &out->inputs) || bytes.len)
        return false;
    memcpy(out->digest, digest.ptr, REQUEST_DIGEST_SIZE);
    out->approvals_needed = (uint32_t)needed;
    out->answer.at_ns = out->request.at_ns;
    return true;
}

int book_read_decision(struct slice record, struct book_decision *out, struct err *err)
{
    uint64_t kind;
    *out = (struct book_decision){0};
    if (!slice_take_varint(&record, &kind) || kind != RECORD_ANSWER)
        return 0;
    return take_decision(record, out) ? 1 : err_set(err, ERR_CORRUPT, "a decision cannot be read");
}

static int replay_answer(struct book *book, const struct book_decision *read, struct err *err)
{
    struct record *record = book_find(book, read->request.request_id);
    if (record && read->answer.decision == GATE_HOLD) /* moved along: its approvals follow again */
        record->approval_count = record->glass_count = 0;
    if (record ? book_answer(book, record, &read->answer) < 0
               : !book_add(book, &read->request, read->digest, &read->answer, read->approvals_needed))
        return err_nomem(err);
    return 0;
}

int book_replay(struct book *book, struct slice bytes, struct err *err)
{
    uint64_t kind;
    struct slice id, approver, proof = SLICE_NONE;
    struct book_decision decision;
    int found = book_read_decision(bytes, &decision, err);
    if (found != 0)
        return found < 0 ? -1 : replay_answer(book, &decision, err);
    if (!slice_take_varint(&bytes, &kind) || (kind != RECORD_APPROVAL && kind != RECORD_SIGNED_APPROVAL) || !slice_take_block(&bytes, &id) ||
        !slice_take_block(&bytes, &approver) ||
        (kind == RECORD_SIGNED_APPROVAL && !slice_take_block(&bytes, &proof)))
        return err_set(err, ERR_CORRUPT, "a record cannot be read");
    struct record *record = book_find_hold(book, id);
    if (!record)
        return err_set(err, ERR_CORRUPT, "an approval belongs to no hold");
    if (book_prepare_approval(book, record, &approver, &proof, err) < 0)
        return -1;
    book_approve(record, approver, proof);
    return 0;
}

/* ---- generations ---- */

bool book_full(const struct book *book)
{
    return book->now.fresh >= BOOK_FRESH_MAX;
}

static int move_hold(struct book *book, const struct record *old, struct buffer *payload)
{
    struct record *record = book_add(book, &old->request, old->digest, &old->answer,
                                     old->approvals_needed);
    if (!record)
        return -1;
    book->latest_count--; /* it is not a new one */
    book_encode_answer(record, record->request.payload, SLICE_NONE, payload);
    for (uint32_t i = 0; i < old->approval_count; i++) {
        struct slice approver = old->words->approvers[i], proof = old->words->proofs[i];
        if (!make_words(book, record) || !keep(book->now.arena, &approver) || !keep(book->now.arena, &proof))
            return -1;
        book_approve(record, approver, proof);
        book_encode_approval(record, approver, proof, payload);
    }
    record->glass_needed = old->glass_needed;
    for (uint32_t i = 0; i < old->glass_count; i++) {
        struct glass_word word = old->words->glass[i];
        if (book_keep_word(book, record, &word) < 0)
            return -1;
        record->words->glass[record->glass_count++] = word;
        break_glass_encode(record, i, payload);
    }
    return 0;
}

int book_rotate(struct book *book, struct buffer *payload, struct err *err)
{
    struct generation fresh;
    if (!generation_init(&fresh))
        return err_nomem(err);
    struct generation oldest = book->before;
    const struct record *hold = book->hold_first;
    const struct record *latest = book->latest[book->latest_count % GATE_DECISIONS_KEPT];
    book->before = book->now;
    book->now = fresh;
    book->hold_first = book->hold_last = NULL;
    int result = 0;
    for (; hold && result == 0; hold = hold->hold_next)
        result = move_hold(book, hold, payload);
    book->latest[book->latest_count % GATE_DECISIONS_KEPT] = latest;
    book->now.fresh = 0;
    if (oldest.arena)
        arena_free(oldest.arena);
    return result < 0 || buffer_failed(payload) ? err_nomem(err) : 0;
}
