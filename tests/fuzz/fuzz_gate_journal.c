/*
 * Bytes as the gate's journal, and as one record of it: reading neither crashes nor goes past the end,
 * says the same a second time, and what it finds can be written again and found again.
 */
#include "base/limits.h"
#include "gate/gate_book.h"
#include "gate/gate_journal.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(void *context, struct slice record, struct err *err)
{
    return book_replay(context, record, err);
}

struct found {
    int result;
    off_t end;
    uint64_t number, holds;
};

static struct found read_all(struct slice bytes, struct book *book)
{
    struct err err;
    struct found found = {.end = -1};
    struct gate_journal_place place = {.known = true};
    found.result = gate_journal_read(bytes, &place, replay, book, &found.end, &err);
    found.number = place.next;
    found.holds = book_holds_open(book);
    if (found.result < 0)
        assert(err.text[0]);
    return found;
}

/* Open holds, each below the approvals it needs. */
static void look(const struct book *book)
{
    for (struct record *r = book_next_hold(book, NULL); r; r = book_next_hold(book, r)) {
        assert(r->answer.decision == GATE_HOLD && r->approval_count < r->approvals_needed);
        assert(r->approvals_needed <= APPROVALS_MAX);
        assert(book_find(book, r->request.request_id));
    }
}

/* Records as a rotation writes them, taken in by another book. */
static void write_again(struct book *book)
{
    struct buffer payload;
    struct err err;
    struct book *other = book_new();
    buffer_init(&payload, 64 * MIB);
    uint64_t holds = book_holds_open(book);
    assert(other && book_rotate(book, &payload, &err) == 0);
    assert(book_holds_open(book) == holds);
    for (struct slice rest = buffer_slice(&payload), record; rest.len;) {
        uint32_t length;
        assert(slice_take_le32(&rest, &length) && slice_take(&rest, length, &record));
        assert(book_replay(other, record, &err) == 0);
    }
    assert(book_holds_open(other) == holds);
    buffer_close(&payload);
    book_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err;
    struct slice bytes = slice_of(data, size);
    struct book *first = book_new(), *second = book_new(), *alone = book_new();
    assert(first && second && alone);
    struct found found = read_all(bytes, first);
    look(first);
    if (found.result == 0) {
        assert(found.end >= 0 && (size_t)found.end <= size);
        struct found again = read_all(slice_sub(bytes, 0, (size_t)found.end), second);
        assert(again.result == 0 && again.end == found.end && again.number == found.number);
        assert(again.holds == found.holds);
        write_again(second);
    }
    if (book_replay(alone, bytes, &err) == 0) {
        look(alone);
        write_again(alone);
    }
    book_free(first);
    book_free(second);
    book_free(alone);
    return 0;
}
