#pragma once
/*
 * The life of a store for the tests of faults and damage: deliveries go through the journal into the
 * store, segments are merged, one stream grows too old, all is closed and opened again. Every event
 * says which one it is, so that what is found can be held against what was acknowledged.
 *
 * A rich life also packs, moves a stream to a further folder, has too small a disk for the oldest
 * stream, and a hold over one that is too old.
 */
#include "store_fixture.h"

#include "base/mem.h"
#include "base/time.h"
#include "flow/checkpoint.h"
#include "store/journal.h"
#include "store/store_state.h"

#define LIFE_FREE_MIN ((uint64_t)1 << 30)
#define LIFE_NOW (INT64_C(1516924800) * NS_PER_SECOND)

enum { LIFE_LINES = 40, LIFE_BODY = 4096, LIFE_DELIVERIES = 24, LIFE_EVENTS = LIFE_LINES * LIFE_DELIVERIES, LIFE_TRIES = 3 };

enum life_kind { LIFE_MAIN, LIFE_OLD, LIFE_COLD, LIFE_HELD, LIFE_SPILL };

static const struct life_stream {
    struct slice name;
    int64_t age_days;
    bool may_go; /* by retention */
} LIFE_STREAMS[] = {
    [LIFE_MAIN] = {{"main", 4}, 0, false},  [LIFE_OLD] = {{"old", 3}, 5, true},
    [LIFE_COLD] = {{"cold", 4}, 5, false},  [LIFE_HELD] = {{"held", 4}, 5, false},
    [LIFE_SPILL] = {{"spill", 5}, 6, true},
};

struct life {
    bool rich;
    char dir[64], store_dir[96], journal_dir[96], memory_dir[96], cold_dir[96];
    struct faulty_io faulty;
    struct clock_manual clock;
    struct store *store;
    struct journal *journal;
    struct journal_reader *reader;
    struct checkpoint *checkpoint;
    struct batch *batch;
    struct arena *arena;
    unsigned delivered;           /* deliveries sent */
    bool acked[LIFE_DELIVERIES];
    uint64_t at[LIFE_DELIVERIES], end[LIFE_DELIVERIES]; /* positions, of the acknowledged */
    uint64_t seq_of[LIFE_EVENTS]; /* as life_count found it; 0: not there */
    uint64_t remembered;          /* position of the last checkpoint that was written */
    uint64_t merges, dropped, packs, moves, cold, spilled, held;
};

static inline enum life_kind life_kind(const struct life *life, unsigned delivery)
{
    static const enum life_kind rich[] = {LIFE_MAIN, LIFE_MAIN, LIFE_SPILL, LIFE_HELD, LIFE_COLD, LIFE_OLD};
    return life->rich ? rich[delivery % 6] : delivery % 6 == 5 ? LIFE_OLD : LIFE_MAIN;
}

static inline const struct life_stream *life_stream(const struct life *life, unsigned delivery)
{
    return &LIFE_STREAMS[life_kind(life, delivery)];
}

static inline void life_body(unsigned delivery, char text[LIFE_BODY])
{
    size_t len = 0;
    for (unsigned i = 0; i < LIFE_LINES; i++)
        len += (size_t)snprintf(text + len, LIFE_BODY - len, "%04u event %u of host-%u, %u ms\n",
                                delivery * LIFE_LINES + i, delivery * 7919U, delivery % 3, i * 31);
}

static inline void life_begin(struct life *life)
{
    *life = (struct life){.batch = batch_new(4 * MIB), .arena = arena_new(16 * MIB)};
    assert_non_null(life->batch);
    assert_non_null(life->arena);
    folder_make(life->dir);
    snprintf(life->store_dir, sizeof(life->store_dir), "%s/store", life->dir);
    snprintf(life->journal_dir, sizeof(life->journal_dir), "%s/journal", life->dir);
    snprintf(life->memory_dir, sizeof(life->memory_dir), "%s/memory", life->dir);
    snprintf(life->cold_dir, sizeof(life->cold_dir), "%s/cold", life->dir);
    clock_manual_init(&life->clock, LIFE_NOW);
    faulty_init(&life->faulty, -1, EIO);
}

static inline void life_close(struct life *life)
{
    struct store_stats stats = {0};
    if (life->store)
        store_stats(life->store, &stats);
    life->merges += stats.merges;
    life->packs += stats.packs;
    life->moves += stats.moves;
    life->cold = stats.cold_segments;
    life->held = stats.held_segments;
    life->dropped = stats.dropped_segments;
    journal_reader_close(life->reader);
    checkpoint_close(life->checkpoint);
    store_close(life->store);
    journal_close(life->journal);
    life->reader = NULL;
    life->checkpoint = NULL;
    life->store = NULL;
    life->journal = NULL;
}

static inline void life_end(struct life *life)
{
    life_close(life);
    batch_free(life->batch);
    arena_free(life->arena);
    folder_remove(life->store_dir);
    folder_remove(life->journal_dir);
    folder_remove(life->memory_dir);
    folder_remove(life->cold_dir);
    folder_remove(life->dir);
}

static inline int life_try_open(struct life *life, struct err *err)
{
    static const struct retention rules[] = {{{"ol*", 3}, 1, 0}, {{"held", 4}, 1, 0}, {{"cold", 4}, 0, 3}};
    struct store_config store = {.dir = life->store_dir, .io = &life->faulty.io,
                                 .clock = &life->clock.clock, .no_background = true,
                                 .retention = rules, .retention_count = life->rich ? 3 : 1,
                                 .await_holds = life->rich,
                                 .quiet_ms = -1,
                                 .disk_free_min = life->rich ? LIFE_FREE_MIN : 0,
                                 .cold_dir = life->rich ? life->cold_dir : NULL};
    struct retention_hold hold = {{"case 7", 6}, {"he*", 3}, 0, LIFE_NOW};
    if (store_open(&store, &life->store, err) < 0)
        return -1;
    if (life->rich && store_set_holds(life->store, &hold, 1, err) < 0)
        return -1;
    struct journal_config journal = {.dir = life->journal_dir, .io = &life->faulty.io,
                                     .clock = &life->clock.clock, .file_bytes = 16384,
                                     .position_min = store_covered(life->store),
                                     .seq_min = store_next_seq(life->store)};
    struct checkpoint_config checkpoint = {.dir = life->memory_dir, .io = &life->faulty.io};
    if (journal_open(&journal, &life->journal, err) < 0 ||
        checkpoint_open(&checkpoint, &life->checkpoint, err) < 0)
        return -1;
    return journal_reader_open(life->journal, store_covered(life->store), &life->reader, err);
}

/* As a service that is started again when it could not start. */
static inline bool life_open(struct life *life, struct err *err)
{
    for (int tries = 0; tries < LIFE_TRIES; tries++) {
        if (life_try_open(life, err) == 0)
            return true;
        life_close(life);
    }
    return false;
}

static inline void life_deliver(struct life *life, unsigned count)
{
    for (; count && life->delivered < LIFE_DELIVERIES; count--, life->delivered++) {
        char body[LIFE_BODY], key[16];
        struct journal_ack ack;
        struct err err;
        life_body(life->delivered, body);
        snprintf(key, sizeof(key), "k%u", life->delivered);
        struct delivery delivery = {
            .origin = {.source = SLICE("hec"),
                       .stream = life_stream(life, life->delivered)->name},
            .received_ns = LIFE_NOW, .key = slice_text(key), .framing = FRAMING_LINES,
            .event_count = LIFE_LINES, .body = slice_text(body)};
        life->acked[life->delivered] =
            journal_append_wait(life->journal, &delivery, &ack, &err) == 0 &&
            ack.result == JOURNAL_STORED;
        if (life->acked[life->delivered]) {
            life->at[life->delivered] = ack.position;
            life->end[life->delivered] = ack.end;
        }
    }
}

static inline int64_t life_time(const struct life_stream *stream, uint64_t seq)
{
    return LIFE_NOW - stream->age_days * NS_PER_DAY + (int64_t)seq * NS_PER_MS;
}

static inline const struct life_stream *life_stream_named(struct slice name)
{
    for (size_t i = 0; i < ARRAY_COUNT(LIFE_STREAMS); i++)
        if (slice_equal(LIFE_STREAMS[i].name, name))
            return &LIFE_STREAMS[i];
    fail_msg("there is no stream %.*s", SLICE_ARG(name));
    return NULL;
}

static inline int life_fill(struct life *life, const struct delivery *delivery)
{
    struct delivery_event event;
    size_t at = 0;
    bool damaged;
    batch_reset(life->batch);
    for (uint32_t i = 0; delivery_next(delivery, &at, &event, &damaged); i++) {
        struct event_row *row = batch_add_row(life->batch);
        if (!row)
            return -1;
        row->raw = event.raw;
        row->seq = delivery->first_seq + i;
        row->received_ns = delivery->received_ns;
        row->time_ns = life_time(life_stream_named(delivery->origin.stream), row->seq);
        row->origin = &delivery->origin;
        if (batch_put(life->batch, i, SLICE("event.part"), value_i64((int64_t)i)) < 0)
            return -1;
    }
    life->batch->journal_end = delivery->journal_end;
    return batch_finish(life->batch);
}

static inline bool life_pass(struct life *life, const struct delivery *delivery)
{
    struct err err;
    bool booked = false, done = false;
    for (int tries = 0; tries < LIFE_TRIES && !done; tries++) {
        booked = booked || store_ledger_received(life->store, delivery->origin.source,
                                                 delivery->received_ns,
                                                 &(struct ledger_counts){.received = delivery->event_count},
                                                 delivery->journal_end, &err) == 0;
        done = booked && life_fill(life, delivery) == 0 &&
               store_append(life->store, life->batch, &err) == 0;
    }
    return done;
}

/* What is in the journal goes into the store; false when something kept failing. */
static inline bool life_walk(struct life *life)
{
    struct delivery delivery;
    struct err err;
    int failures = 0;
    for (;;) {
        arena_reset(life->arena);
        int got = journal_read(life->reader, life->arena, &delivery, 0, &err);
        if (got == 0)
            return true;
        if (got < 0 && ++failures == LIFE_TRIES)
            return false;
        if (got == 1 && !life_pass(life, &delivery))
            return false;
    }
}

static inline void life_keep(struct life *life)
{
    char text[32];
    struct err err;
    uint64_t position = journal_reader_position(life->reader);
    snprintf(text, sizeof(text), "as of %llu", (unsigned long long)position);
    if (checkpoint_write(life->checkpoint, position, slice_text(text), &err) == 0)
        life->remembered = position;
    uint64_t kept = checkpoint_kept(life->checkpoint), covered = store_covered(life->store);
    (void)!journal_trim(life->journal, kept < covered ? kept : covered, &err);
}

/* Some deliveries on their way into one more segment. */
static inline bool life_load(struct life *life, unsigned deliveries)
{
    struct err err;
    life_deliver(life, deliveries);
    if (!life_walk(life))
        return false;
    if (store_flush(life->store, &err) < 0)
        (void)!store_flush(life->store, &err);
    return true;
}

static inline bool life_has_spill(struct life *life)
{
    size_t count, spill = 0;
    struct store_segment **list = store_segments_hold(life->store, &count);
    for (size_t i = 0; list && i < count; i++)
        spill += slice_equal(list[i]->info.stream, LIFE_STREAMS[LIFE_SPILL].name);
    store_segments_release(list, list ? count : 0);
    return spill > 0;
}

/* As the thread does it. The disk lacks one byte for as long as there is a segment to spare for it. */
static inline void life_tidy(struct life *life)
{
    struct err err;
    if (life->rich) {
        struct io_space full = {UINT64_C(1) << 40, LIFE_FREE_MIN - 1, 7};
        bool spill = life_has_spill(life);
        life->faulty.space = full;
        life->faulty.space.free += !spill;
        life->spilled += store_retain(life->store, &err) == 0 && spill;
        life->faulty.space.free++;
    }
    (void)!store_retain(life->store, &err);
    for (int i = 0; i < 8 && store_merge(life->store, &err) == 1; i++)
        ;
    for (int i = 0; life->rich && i < 8 && store_pack(life->store, &err) == 1; i++)
        ;
    for (int i = 0; life->rich && i < 8 && store_chill(life->store, &err) == 1; i++)
        ;
    life_keep(life);
}

/* Load, merge, retain, restart, and on; whatever fails is taken as a service takes it. */
static inline void life_live(struct life *life)
{
    struct err err;
    if (life_open(life, &err)) {
        for (int i = 0; i < (life->rich ? 12 : 4) && life_load(life, life->rich ? 1 : 3); i++) {
            if (i == 5)
                life_tidy(life);
            life_keep(life);
        }
        life_tidy(life);
        life_deliver(life, 4); /* in the journal only */
    }
    life_close(life);
    if (life_open(life, &err) && life_walk(life)) {
        (void)life_load(life, 4);
        (void)life_load(life, 4);
        life_tidy(life);
    }
    life_close(life);
}

/* One row of an answer: its bytes are those of an event as it was sent, its time and number belong to
 * it. What is damaged may be missing. */
static inline void life_check_row(struct life *life, const struct batch *batch, uint32_t row,
                                  unsigned found[LIFE_EVENTS])
{
    struct value text = batch_first(batch, row, SLICE("event.original"));
    struct value seq = batch_first(batch, row, SLICE("hinomi.seq"));
    struct value when = batch_first(batch, row, SLICE("@timestamp"));
    char body[LIFE_BODY];
    unsigned n = 0;
    if (text.type == VALUE_NULL)
        return;
    struct slice raw = value_slice(text);
    assert_true(raw.len > 4 && sscanf(raw.ptr, "%4u", &n) == 1 && n < LIFE_EVENTS);
    life_body(n / LIFE_LINES, body);
    struct slice rest = slice_text(body), line = SLICE_NONE;
    for (unsigned part = 0; part <= n % LIFE_LINES; part++)
        assert_true(slice_next_part(&rest, '\n', &line));
    assert_true(slice_equal(raw, line));
    found[n]++;
    if (seq.type == VALUE_NULL)
        return;
    life->seq_of[n] = (uint64_t)seq.i64;
    if (when.type != VALUE_NULL)
        assert_int_equal(when.i64, life_time(life_stream(life, n / LIFE_LINES), life->seq_of[n]));
}

/* How often each event is there, and the damages told. */
static inline uint64_t life_count(struct life *life, unsigned found[LIFE_EVENTS])
{
    static const struct slice columns[] = {{"event.original", 14}, {"hinomi.seq", 10}, {"@timestamp", 10}};
    struct snapshot *snapshot = store_snapshot(life->store);
    struct scan_request request = {.columns = columns, .column_count = ARRAY_COUNT(columns)};
    struct scan *scan;
    struct scan_rows rows;
    struct err err;
    assert_non_null(snapshot);
    assert_int_equal(scan_open(snapshot, &request, &scan, &err), 0);
    memset(found, 0, LIFE_EVENTS * sizeof(*found));
    memset(life->seq_of, 0, sizeof(life->seq_of));
    for (int more; (more = scan_next(scan, &rows, &err)) != 0;) {
        assert_int_equal(more, 1);
        for (uint32_t i = 0; i < rows.row_count; i++)
            life_check_row(life, rows.batch, i, found);
    }
    uint64_t damages = scan_get_stats(scan)->damage_count;
    scan_close(scan);
    store_snapshot_release(snapshot);
    return damages;
}

static inline void life_add_counts(void *context, const struct ledger_entry *entry)
{
    struct ledger_counts *sum = context;
    sum->received += entry->counts.received;
    sum->stored += entry->counts.stored;
}

/* On a sound machine: opens, reads what is left in the journal, and everything acknowledged is there
 * once. Events of the old stream may be gone. Leaves it open. */
static inline void life_judge(struct life *life)
{
    struct err err;
    struct ledger ledger;
    struct ledger_counts sum = {0};
    unsigned found[LIFE_EVENTS];
    faulty_init(&life->faulty, -1, EIO);
    if (!life_open(life, &err))
        fail_msg("it does not start any more: %s", err.text);
    assert_true(life_walk(life));
    assert_int_equal(life_count(life, found), 0);
    for (unsigned n = 0; n < LIFE_EVENTS; n++) {
        unsigned delivery = n / LIFE_LINES;
        if (found[n] > 1)
            fail_msg("event %u is there %u times", n, found[n]);
        if (life->acked[delivery] && !found[n] && !life_stream(life, delivery)->may_go)
            fail_msg("event %u was acknowledged and is lost", n);
        assert_true(delivery < life->delivered || !found[n]);
    }
    assert_int_equal(store_ledger(life->store, &ledger, &err), 0);
    ledger_each(&ledger, life_add_counts, &sum);
    ledger_close(&ledger);
    assert_int_equal(sum.received, sum.stored);
    uint64_t position = 0;
    struct slice content;
    if (life->remembered) {
        assert_false(checkpoint_lost(life->checkpoint));
        assert_true(checkpoint_content(life->checkpoint, &position, &content));
        assert_true(position >= life->remembered);
    }
}
