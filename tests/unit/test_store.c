#include "store_fixture.h"

#include "base/mem.h"
#include "base/time.h"
#include "event/schema.h"
#include "store/ledger.h"

#define DAY_2018 (INT64_C(1516924800) * NS_PER_SECOND)

static struct origin origins[] = {
    {.source = {"hec", 3}, .stream = {"main", 4}},
    {.source = {"syslog", 6}, .stream = {"net", 3}, .path = {"/var/log/x", 10}},
};

struct maker {
    struct rand_seeded rand;
    uint64_t seq;
    int64_t time_ns;
    bool disorder;
    bool lines; /* event.original repeats the columns */
};

static uint64_t below(struct maker *maker, uint64_t n)
{
    return rand_below(&maker->rand.rand, n);
}

static struct slice random_text(struct maker *maker, struct arena *arena, uint64_t len_max)
{
    size_t len = (size_t)below(maker, len_max + 1);
    char *text = arena_alloc(arena, len + 1);
    assert_non_null(text);
    bool bytes = below(maker, 4) == 0;
    for (size_t i = 0; i < len; i++)
        text[i] = bytes ? (char)below(maker, 256) : "abcXYZ 019_-.\""[below(maker, 14)];
    return slice_of(text, len);
}

static struct value random_value(struct maker *maker, struct arena *arena, unsigned kind)
{
    struct ip ip = {.bytes = {[10] = 255, [11] = 255}, .family = 4};
    switch (kind % 10) {
    case 0:
        return value_string(random_text(maker, arena, 3));
    case 1:
        return value_string(random_text(maker, arena, 60));
    case 2:
        return value_i64((int64_t)below(maker, 5));
    case 3:
        return value_i64((int64_t)rand_u64(&maker->rand.rand));
    case 4:
        return value_f64(rand_unit(&maker->rand.rand) * 1e9);
    case 5:
        return value_bool(below(maker, 2));
    case 6:
        ip.bytes[14] = (uint8_t)below(maker, 256);
        ip.bytes[15] = (uint8_t)below(maker, 256);
        if (below(maker, 3) == 0) {
            ip.family = 6;
            ip.bytes[0] = 0x20;
        }
        return value_ip(&ip, arena);
    case 7:
        return value_decimal((struct decimal){(int128)(int64_t)rand_u64(&maker->rand.rand) *
                                                  (below(maker, 9) ? 1 : 1000000000),
                                              (uint8_t)below(maker, 9)}, arena);
    case 8:
        return value_time((int64_t)below(maker, 1000000) * NS_PER_MS);
    default:
        return below(maker, 3) ? value_string(SLICE("common")) : value_null();
    }
}

static const char *const FIELDS[] = {"a.text", "b.text", "c.small", "d.large", "e.float",
                                     "f.bool", "g.ip", "h.decimal", "i.time", "j.gap"};

/* A line that repeats the event's columns, mostly: what decoders see all day. */
static struct slice log_line(struct maker *maker, struct batch *batch, uint32_t row)
{
    struct value number = batch_first(batch, row, SLICE("c.small"));
    struct value ip = batch_first(batch, row, SLICE("g.ip"));
    struct value money = batch_first(batch, row, SLICE("h.decimal"));
    struct value text = batch_first(batch, row, SLICE("a.text"));
    char small[4][VALUE_TEXT_SIZE], when[TIME_TEXT_SIZE];
    int64_t ms = maker->time_ns / NS_PER_MS;
    when[time_format(maker->time_ns, when)] = '\0';
    struct slice n = value_text_small(number, small[0]), a = value_text_small(ip, small[1]),
                 m = value_text_small(money, small[2]), t = value_text_small(text, small[3]);
    switch (below(maker, 4)) {
    case 0:
        return arena_printf(batch->arena, "{\"ts\":%lld,\"n\":%.*s,\"ip\":\"%.*s\",\"t\":\"%.*s\",\"q\":\"a\\\"b%llu\"}",
                            (long long)ms, SLICE_ARG(n), SLICE_ARG(a), SLICE_ARG(t),
                            (unsigned long long)below(maker, 9));
    case 1:
        return arena_printf(batch->arena, "%s host app[%llu]: paid %.*s from %.*s (%.*s)", when,
                            (unsigned long long)below(maker, 99), SLICE_ARG(m), SLICE_ARG(a),
                            SLICE_ARG(n));
    case 2:
        return arena_printf(batch->arena, "{\"ts\":%lld,\"open", (long long)ms);
    default:
        return arena_printf(batch->arena, "{\"time\":\"%s\",\"m\":\"%.*s\",\"t\":[\"%.*s\",%.*s]}", when,
                            SLICE_ARG(m), SLICE_ARG(t), SLICE_ARG(n));
    }
}

static void make_row(struct maker *maker, struct batch *batch)
{
    struct event_row *row = batch_add_row(batch);
    assert_non_null(row);
    uint32_t r = batch->row_count - 1;
    maker->time_ns += (int64_t)below(maker, 3) * NS_PER_MS;
    row->raw = random_text(maker, batch->arena, 200);
    row->time_ns = maker->time_ns;
    if (maker->disorder)
        row->time_ns -= (int64_t)below(maker, 5000) * NS_PER_MS;
    row->received_ns = maker->time_ns;
    row->seq = ++maker->seq;
    row->origin = &origins[below(maker, 8) == 0];
    for (unsigned f = 0; f < ARRAY_COUNT(FIELDS); f++) {
        if (f % 3 && below(maker, f < 5 ? 2 : 40))
            continue; /* some columns are full, some are sparse */
        unsigned values = below(maker, 20) ? 1 : 3;
        for (unsigned v = 0; v < values; v++)
            assert_int_equal(batch_put(batch, r, slice_text(FIELDS[f]),
                                       random_value(maker, batch->arena,
                                                    below(maker, 200) ? f : (unsigned)below(maker, 10))),
                             0);
    }
    if (maker->lines)
        batch->rows[r].raw = log_line(maker, batch, r);
    if (below(maker, 10) == 0)
        assert_int_equal(batch_put_text(batch, r, "event.id", SLICE("own-id")), 0);
}

static struct batch *make_batch(struct maker *maker, uint32_t rows)
{
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    assert_non_null(batch);
    for (uint32_t i = 0; i < rows; i++)
        make_row(maker, batch);
    assert_int_equal(batch_finish(batch), 0);
    batch->journal_end = maker->seq * 10;
    return batch;
}

static struct store *open_store(const char *dir, const struct hin_io *io)
{
    struct err err;
    struct store *store;
    struct store_config config = {.dir = dir, .io = io, .no_background = true, .quiet_ms = -1};
    if (store_open(&config, &store, &err) < 0)
        fail_msg("%s", err.text);
    return store;
}

/* ---- truth: rows as text, by seq ---- */

struct truth {
    struct arena *arena;
    struct slice *rows; /* by seq; JSON of every column */
    uint64_t count;
};

static struct slice row_text(const struct batch *batch, uint32_t row, struct arena *arena)
{
    struct buffer out;
    struct json json;
    buffer_init(&out, 64 * MIB);
    json_init(&json, &out);
    batch_row_to_json(batch, row, &json);
    struct slice copy = arena_copy(arena, buffer_slice(&out));
    buffer_close(&out);
    return copy;
}

/* The event's JSON without the derived id. */
static void remember(struct truth *truth, const struct batch *batch)
{
    for (uint32_t i = 0; i < batch->row_count; i++)
        truth->rows[batch->rows[i].seq] = row_text(batch, i, truth->arena);
    truth->count += batch->row_count;
}

static struct slice all_but_id[64];

static size_t wanted_columns(void)
{
    size_t n = 0;
    static const char *const fixed[] = {"@timestamp", "event.ingested", "hinomi.seq",
                                        "event.original", "hinomi.source", "hinomi.stream",
                                        "log.file.path"};
    for (size_t i = 0; i < ARRAY_COUNT(fixed); i++)
        all_but_id[n++] = slice_text(fixed[i]);
    for (size_t i = 0; i < ARRAY_COUNT(FIELDS); i++)
        all_but_id[n++] = slice_text(FIELDS[i]);
    return n;
}

/* Every selected row is the true one; returns how many there were. */
static uint64_t compare(struct store *store, const struct truth *truth,
                        const struct expr *filter, struct scan_stats *stats)
{
    struct err err;
    struct snapshot *snapshot = store_snapshot(store);
    assert_non_null(snapshot);
    struct scan *scan;
    struct scan_rows rows;
    struct scan_request request = {.all_columns = true, .filter = filter};
    assert_int_equal(scan_open(snapshot, &request, &scan, &err), 0);
    uint64_t count = 0;
    struct arena *arena = arena_new(256 * MIB);
    uint8_t *seen = calloc(1000000, 1);
    assert_non_null(seen);
    for (int more; (more = scan_next(scan, &rows, &err)) != 0;) {
        if (more < 0)
            fail_msg("%s", err.text);
        const struct column *seq = batch_find(rows.batch, FIELD_SEQ);
        const struct column *id = batch_find(rows.batch, FIELD_EVENT_ID);
        if (!seq || !id) { /* that column is damaged: who asked is told */
            assert_true(scan_get_stats(scan)->damage_count > 0);
            count += rows.selected_count;
            continue;
        }
        for (uint32_t i = 0; i < rows.row_count; i++) {
            if (!bits_get(rows.selected, i))
                continue;
            count++;
            arena_reset(arena);
            uint64_t n = (uint64_t)column_first(seq, i).i64;
            struct value own = column_first(id, i);
            assert_int_equal(seen[n]++, 0);
            struct slice text = row_text(rows.batch, i, arena);
            struct slice want = truth->rows[n];
            if (!slice_equal(value_slice(own), SLICE("own-id"))) {
                /* cut the derived id out: "event.id":"...", */
                struct slice mark = SLICE("\"event.id\":\"");
                ptrdiff_t at = slice_find(text, mark);
                assert_true(at > 0);
                char *cut = arena_alloc(arena, text.len);
                size_t skip = mark.len + 32 + 2;
                memcpy(cut, text.ptr, (size_t)at);
                memcpy(cut + at, text.ptr + at + skip, text.len - (size_t)at - skip);
                text = slice_of(cut, text.len - skip);
            }
            if (!slice_equal(text, want) && (!stats || scan_get_stats(scan)->damage_count == 0))
                fail_msg("row %llu\n got %.*s\nwant %.*s", (unsigned long long)n, SLICE_ARG(text),
                         SLICE_ARG(want));
        }
    }
    if (stats)
        *stats = *scan_get_stats(scan);
    else
        assert_int_equal(scan_get_stats(scan)->damage_count, 0);
    scan_close(scan);
    free(seen);
    arena_free(arena);
    store_snapshot_release(snapshot);
    return count;
}

static void truth_init(struct truth *truth)
{
    truth->arena = arena_new(2 * GIB);
    truth->rows = arena_array(truth->arena, 400000, sizeof(*truth->rows));
    truth->count = 0;
    assert_non_null(truth->rows);
}

/* What goes in comes out, from memory, from segments, after a restart, after merging. */
static void run_equality(uint64_t seed, bool disorder, bool lines)
{
    char dir[64];
    folder_make(dir);
    struct truth truth;
    truth_init(&truth);
    struct maker maker = {.time_ns = DAY_2018 + NS_PER_DAY - 2000 * NS_PER_MS, .disorder = disorder,
                          .lines = lines};
    rand_seeded_init(&maker.rand, seed);
    struct err err;
    struct store *store = open_store(dir, NULL);
    for (int i = 0; i < 12; i++) {
        struct batch *batch = make_batch(&maker, i % 3 ? 700 : 1 + (uint32_t)below(&maker, 50));
        assert_int_equal(store_append(store, batch, &err), 0);
        remember(&truth, batch);
        batch_free(batch);
        assert_int_equal(compare(store, &truth, NULL, NULL), truth.count);
        if (i % 2)
            assert_int_equal(store_flush(store, &err), 0);
        assert_int_equal(compare(store, &truth, NULL, NULL), truth.count);
    }
    assert_int_equal(store_flush(store, &err), 0);
    assert_int_equal(store_covered(store), maker.seq * 10);
    store_close(store);
    store = open_store(dir, NULL);
    assert_int_equal(compare(store, &truth, NULL, NULL), truth.count);
    struct snapshot *before = store_snapshot(store);
    while (store_merge(store, &err) == 1)
        ;
    struct store_stats stats;
    store_stats(store, &stats);
    assert_true(stats.merges > 0);
    assert_int_equal(compare(store, &truth, NULL, NULL), truth.count);
    store_snapshot_release(before);
    store_close(store);
    store = open_store(dir, NULL);
    assert_int_equal(compare(store, &truth, NULL, NULL), truth.count);
    store_close(store);
    arena_free(truth.arena);
    folder_remove(dir);
}

static void gives_back_what_was_appended(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        run_equality(seed, false, seed % 2);
        run_equality(seed, true, false);
        run_equality(seed, true, true);
    }
}

/* ---- filters ---- */

static const struct expr *random_test(struct maker *maker, struct arena *arena)
{
    static const char *const texts[] = {"", "a", "common", "COMMON", "3", "x", "0.5", "abc", "-1", "1"};
    static const char *const names[] = {"@timestamp", "event.original", "hinomi.stream",
                                        "event.id", "no.such", "hinomi.seq"};
    static const enum test_kind kinds[] = {TEST_EXISTS, TEST_NULL, TEST_EQUAL, TEST_PREFIX,
                                           TEST_SUFFIX, TEST_CONTAINS, TEST_LESS,
                                           TEST_GREATER_EQUAL, TEST_EQUAL, TEST_EQUAL};
    const char *name = below(maker, 4) ? FIELDS[below(maker, ARRAY_COUNT(FIELDS))]
                                       : names[below(maker, ARRAY_COUNT(names))];
    unsigned flags = below(maker, 2) ? TEST_CASED : 0;
    flags |= below(maker, 2) ? TEST_NUMERIC : 0;
    flags |= below(maker, 2) ? TEST_TEXT_ORDER : 0;
    struct expr *test = expr_test_new(arena, slice_text(name),
                                      kinds[below(maker, ARRAY_COUNT(kinds))], flags,
                                      slice_text(texts[below(maker, ARRAY_COUNT(texts))]));
    assert_non_null(test);
    if (below(maker, 8) == 0) {
        struct expr *keyword = expr_new(arena, EXPR_KEYWORD);
        keyword->test = test->test;
        keyword->test.kind = TEST_CONTAINS;
        return keyword;
    }
    return test;
}

static const struct expr *random_filter(struct maker *maker, struct arena *arena, int depth)
{
    uint64_t kind = depth ? below(maker, 6) : 0;
    if (kind < 2)
        return random_test(maker, arena);
    if (kind == 2)
        return expr_not(arena, random_filter(maker, arena, depth - 1));
    if (kind == 5) {
        struct expr *compare_node = expr_new(arena, EXPR_COMPARE);
        const struct expr **args = arena_array(arena, 2, sizeof(*args));
        args[0] = expr_field(arena, slice_text(FIELDS[below(maker, ARRAY_COUNT(FIELDS))]));
        args[1] = expr_constant(arena, value_i64((int64_t)below(maker, 4)));
        compare_node->args = args;
        compare_node->arg_count = 2;
        compare_node->op = (enum expr_operator)below(maker, 6);
        return compare_node;
    }
    const struct expr *a = random_filter(maker, arena, depth - 1);
    const struct expr *b = random_filter(maker, arena, depth - 1);
    return kind == 3 ? expr_and(arena, a, b) : expr_or(arena, a, b);
}

/* Rows that the store selects = rows that expr_filter selects over everything. */
static void filters_as_the_expression_says(void **state)
{
    (void)state;
    char dir[64];
    folder_make(dir);
    struct maker maker = {.time_ns = DAY_2018, .lines = true};
    rand_seeded_init(&maker.rand, 77);
    struct err err;
    struct store *store = open_store(dir, NULL);
    struct truth truth;
    truth_init(&truth);
    for (int i = 0; i < 4; i++) {
        struct batch *batch = make_batch(&maker, 900);
        assert_int_equal(store_append(store, batch, &err), 0);
        remember(&truth, batch);
        batch_free(batch);
        if (i < 3)
            assert_int_equal(store_flush(store, &err), 0);
    }
    struct arena *arena = arena_new(64 * MIB), *scratch = arena_new(64 * MIB);
    uint64_t matched = 0;
    for (int round = 0; round < 300; round++) {
        arena_reset(arena);
        const struct expr *filter = random_filter(&maker, arena, 3);
        uint64_t got = compare(store, &truth, filter, NULL);
        /* the reference: every column, then the evaluator */
        struct snapshot *snapshot = store_snapshot(store);
        struct scan *scan;
        struct scan_rows rows;
        bool names_id = false, all = false;
        (void)names_id;
        (void)all;
        struct slice columns[64];
        size_t count = wanted_columns();
        memcpy(columns, all_but_id, sizeof(columns));
        struct buffer printed;
        buffer_init(&printed, MIB);
        expr_print(filter, &printed);
        buffer_put_char(&printed, '\0');
        bool with_id = strstr(printed.ptr, "event.id") != NULL;
        bool keyword = false;
        uint64_t want = 0;
        columns[count++] = SLICE("event.id");
        struct scan_request request = {.columns = columns, .column_count = count};
        assert_int_equal(scan_open(snapshot, &request, &scan, &err), 0);
        (void)keyword;
        while (scan_next(scan, &rows, &err) == 1) {
            struct expr_scope scope = {.scratch = scratch};
            uint64_t *out = arena_calloc(arena, bits_words(rows.row_count) * 8);
            arena_reset(scratch);
            if (!with_id) { /* keywords do not look into derived ids */
                struct column *id = batch_find(rows.batch, FIELD_EVENT_ID);
                uint32_t n = 0;
                for (uint32_t i = 0; i < id->count; i++)
                    if (slice_equal(value_slice(id->values[i]), SLICE("own-id"))) {
                        id->rows[n] = id->rows[i];
                        id->values[n++] = id->values[i];
                    }
                id->count = n;
            }
            assert_int_equal(expr_filter(filter, &scope, rows.batch, NULL, out, &err), 0);
            want += bits_count(out, rows.row_count);
        }
        if (got != want && !(with_id && strstr(printed.ptr, "keyword")))
            fail_msg("%llu instead of %llu rows for %s", (unsigned long long)got,
                     (unsigned long long)want, printed.ptr);
        matched += got;
        buffer_close(&printed);
        scan_close(scan);
        store_snapshot_release(snapshot);
    }
    assert_true(matched > 1000);
    arena_free(arena);
    arena_free(scratch);
    arena_free(truth.arena);
    store_close(store);
    folder_remove(dir);
}

/* ---- restart ---- */

/* Rows that a seal covered are not doubled when the journal is read again; others are not lost. */
static void replay_neither_doubles_nor_loses(void **state)
{
    (void)state;
    char dir[64];
    folder_make(dir);
    struct maker maker = {.time_ns = DAY_2018};
    rand_seeded_init(&maker.rand, 5);
    struct truth truth;
    truth_init(&truth);
    struct err err;
    struct batch *batches[6];
    struct store *store = open_store(dir, NULL);
    for (int i = 0; i < 6; i++) {
        batches[i] = make_batch(&maker, 300);
        assert_int_equal(store_append(store, batches[i], &err), 0);
        remember(&truth, batches[i]);
        if (i == 2)
            assert_int_equal(store_flush(store, &err), 0);
    }
    store_close(store); /* as a crash would: the last three are in the journal only */
    store = open_store(dir, NULL);
    assert_int_equal(store_covered(store), 900 * 10);
    assert_int_equal(compare(store, &truth, NULL, NULL), 900);
    for (int i = 1; i < 6; i++) /* from a little before what is covered */
        assert_int_equal(store_append(store, batches[i], &err), 0);
    assert_int_equal(compare(store, &truth, NULL, NULL), truth.count);
    assert_int_equal(store_flush(store, &err), 0);
    assert_int_equal(compare(store, &truth, NULL, NULL), truth.count);
    for (int i = 0; i < 6; i++)
        batch_free(batches[i]);
    store_close(store);
    arena_free(truth.arena);
    folder_remove(dir);
}

/* Whatever call fails, once or for ever: no crash, nothing lost, and it works again afterwards. */
static void survives_every_failed_call(void **state)
{
    (void)state;
    struct maker maker = {.time_ns = DAY_2018};
    rand_seeded_init(&maker.rand, 9);
    struct truth truth;
    truth_init(&truth);
    struct batch *a = make_batch(&maker, 200), *b = make_batch(&maker, 200);
    remember(&truth, a);
    remember(&truth, b);
    for (long k = 0; k < 200; k++) {
        char dir[64];
        folder_make(dir);
        struct faulty_io faulty;
        faulty_init(&faulty, k, k % 2 ? ENOSPC : EIO);
        struct store_config config = {.dir = dir, .io = &faulty.io, .no_background = true};
        struct store *store;
        struct err err;
        if (store_open(&config, &store, &err) < 0) {
            assert_null(store);
            folder_remove(dir);
            continue;
        }
        bool appended = store_append(store, a, &err) == 0;
        assert_true(appended);
        int flushed = store_flush(store, &err);
        assert_true(flushed == 0 || faulty.failures > 0);
        assert_int_equal(store_append(store, b, &err), 0);
        if (store_flush(store, &err) < 0)
            assert_int_equal(store_flush(store, &err), 0); /* the fault was a single one */
        faulty.fail_at = -1;
        assert_int_equal(compare(store, &truth, NULL, NULL), truth.count);
        store_close(store);
        store = open_store(dir, NULL);
        assert_int_equal(compare(store, &truth, NULL, NULL), truth.count);
        store_close(store);
        folder_remove(dir);
        if (!faulty.failures) { /* every call has had its turn */
            assert_true(k > 15);
            break;
        }
    }
    batch_free(a);
    batch_free(b);
    arena_free(truth.arena);
}

/* ---- damage ---- */

static char segment_path[256];

static int keep_path(void *context, const char *path, struct err *err)
{
    (void)context;
    (void)err;
    snprintf(segment_path, sizeof(segment_path), "%s", path);
    return 0;
}

/* The rows that a store sees which has just been opened, and one that knows its footers. What either
 * lacks is reported. */
static uint64_t compare_damaged(struct store *store, const char *dir, const struct truth *truth,
                                bool *damaged)
{
    struct store_config config = {.dir = dir, .read_only = true};
    struct scan_stats stats;
    struct store *fresh;
    struct err err;
    if (compare(store, truth, NULL, &stats) != truth->count)
        assert_true(stats.damage_count > 0);
    assert_int_equal(store_open(&config, &fresh, &err), 0);
    uint64_t rows = compare(fresh, truth, NULL, &stats);
    store_close(fresh);
    *damaged = stats.damage_count > 0;
    if (rows != truth->count)
        assert_true(*damaged);
    return rows;
}

static void damage_is_reported_and_contained(void **state)
{
    (void)state;
    char dir[64], below_dir[96];
    folder_make(dir);
    struct maker maker = {.time_ns = DAY_2018, .lines = true};
    rand_seeded_init(&maker.rand, 13);
    struct truth truth;
    truth_init(&truth);
    struct err err;
    origins[1].stream = SLICE("main");
    struct store *store = open_store(dir, NULL);
    struct batch *batch = make_batch(&maker, 400);
    assert_int_equal(store_append(store, batch, &err), 0);
    remember(&truth, batch);
    batch_free(batch);
    assert_int_equal(store_flush(store, &err), 0);
    snprintf(below_dir, sizeof(below_dir), "%s/segments", dir);
    assert_int_equal(file_walk(below_dir, ".segment", keep_path, NULL, &err), 0);
    FILE *file = fopen(segment_path, "r+b");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    uint64_t damaged = 0;
    for (long at = 0; at < size; at += 1 + size / 1500) {
        fseek(file, at, SEEK_SET);
        int byte = fgetc(file);
        fseek(file, at, SEEK_SET);
        fputc(byte ^ (1 << below(&maker, 8)), file);
        fflush(file);
        bool seen;
        (void)compare_damaged(store, dir, &truth, &seen);
        damaged += seen;
        fseek(file, at, SEEK_SET);
        fputc(byte, file);
        fflush(file);
    }
    assert_true(damaged > 1000);
    for (long cut = 0; cut < size; cut += 1 + size / 100) {
        assert_int_equal(truncate(segment_path, size - cut - 1), 0);
        bool seen;
        assert_int_equal(compare_damaged(store, dir, &truth, &seen), 0);
        assert_true(seen);
    }
    fclose(file);
    origins[1].stream = SLICE("net");
    store_close(store);
    arena_free(truth.arena);
    folder_remove(dir);
}

/* ---- books and age ---- */

static void check_balance(void *context, const struct ledger_entry *entry)
{
    struct ledger_counts *sum = context;
    sum->received += entry->counts.received;
    sum->stored += entry->counts.stored;
    sum->quarantined += entry->counts.quarantined;
}

static struct ledger_counts books_of(struct store *store)
{
    struct ledger ledger;
    struct err err;
    struct ledger_counts sum = {0};
    assert_int_equal(store_ledger(store, &ledger, &err), 0);
    ledger_each(&ledger, check_balance, &sum);
    ledger_close(&ledger);
    return sum;
}

static void the_books_balance_after_a_restart(void **state)
{
    (void)state;
    char dir[64];
    folder_make(dir);
    struct maker maker = {.time_ns = DAY_2018};
    rand_seeded_init(&maker.rand, 21);
    struct err err;
    struct store *store = open_store(dir, NULL);
    struct batch *a = make_batch(&maker, 100), *b = make_batch(&maker, 50);
    a->rows[7].flags |= EVENT_QUARANTINED;
    assert_int_equal(store_ledger_received(store, SLICE("hec"), DAY_2018, &(struct ledger_counts){.received = 100}, a->journal_end, &err), 0);
    assert_int_equal(store_ledger_received(store, SLICE("hec"), DAY_2018, &(struct ledger_counts){.received = 50}, b->journal_end, &err), 0);
    assert_int_equal(store_append(store, a, &err), 0);
    assert_int_equal(store_flush(store, &err), 0);
    assert_int_equal(store_append(store, b, &err), 0);
    struct ledger_counts sum = books_of(store);
    assert_int_equal(sum.received, 150);
    assert_int_equal(sum.stored, 149);
    assert_int_equal(sum.quarantined, 1);
    store_close(store);
    store = open_store(dir, NULL);
    sum = books_of(store);
    assert_int_equal(sum.received, 100);
    assert_int_equal(sum.stored + sum.quarantined, 100);
    assert_int_equal(store_ledger_received(store, SLICE("hec"), DAY_2018, &(struct ledger_counts){.received = 50}, b->journal_end, &err), 0);
    assert_int_equal(store_append(store, b, &err), 0);
    sum = books_of(store);
    assert_int_equal(sum.received, 150);
    assert_int_equal(sum.stored, 149);
    batch_free(a);
    batch_free(b);
    store_close(store);
    folder_remove(dir);
}

/* A reader beside a running server meets a segment that the manifest does not name yet: it is the
 * server's, and must stay. */
static void a_reader_leaves_everything_as_it_is(void **state)
{
    (void)state;
    char dir[64], fresh[128];
    struct err err;
    folder_make(dir);
    struct store_config config = {.dir = dir, .read_only = true};
    struct store *store;
    assert_int_equal(store_open(&config, &store, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    struct maker maker = {.time_ns = DAY_2018};
    rand_seeded_init(&maker.rand, 22);
    store = open_store(dir, NULL);
    struct batch *batch = make_batch(&maker, 100);
    assert_int_equal(store_append(store, batch, &err), 0);
    assert_int_equal(store_flush(store, &err), 0);
    snprintf(fresh, sizeof(fresh), "%s/segments/00000000000000ff.segment", dir);
    assert_int_equal(io_replace_file(io_real(), fresh, SLICE("being written"), &err), 0);
    struct store *reader;
    assert_int_equal(store_open(&config, &reader, &err), 0);
    struct store_stats stats;
    store_stats(reader, &stats);
    assert_int_equal(stats.segment_rows, 100);
    store_close(reader);
    assert_int_equal(access(fresh, F_OK), 0);
    batch_free(batch);
    store_close(store);
    folder_remove(dir);
}

static void old_days_go_and_are_counted(void **state)
{
    (void)state;
    char dir[64];
    folder_make(dir);
    struct clock_manual manual;
    clock_manual_init(&manual, DAY_2018 + 10 * NS_PER_DAY);
    struct retention net = {SLICE("net"), 30, 0};
    struct store_config config = {.dir = dir, .clock = &manual.clock, .no_background = true,
                                  .retention = &net, .retention_count = 1, .retention_days = 5};
    struct store *store;
    struct err err;
    assert_int_equal(store_open(&config, &store, &err), 0);
    struct maker maker = {.time_ns = DAY_2018};
    rand_seeded_init(&maker.rand, 31);
    struct batch *batch = make_batch(&maker, 100);
    assert_int_equal(store_append(store, batch, &err), 0);
    assert_int_equal(store_flush(store, &err), 0);
    struct snapshot *held = store_snapshot(store);
    assert_int_equal(store_retain(store, &err), 0);
    struct store_stats stats;
    store_stats(store, &stats);
    assert_int_equal(stats.segments, 1); /* "net" stays */
    assert_int_equal(stats.dropped_segments, 1);
    assert_int_equal(stats.dropped_rows + stats.segment_rows, 100);
    struct scan *scan;
    struct scan_rows rows;
    uint64_t count = 0;
    assert_int_equal(scan_open(held, &(struct scan_request){0}, &scan, &err), 0);
    while (scan_next(scan, &rows, &err) == 1)
        count += rows.selected_count;
    assert_int_equal(count, 100); /* who looks still sees it */
    assert_int_equal(scan_get_stats(scan)->damage_count, 0);
    scan_close(scan);
    store_snapshot_release(held);
    batch_free(batch);
    store_close(store);
    folder_remove(dir);
}

/* ---- threads ---- */

static void readers_see_whole_batches_while_rows_come(void **state)
{
    (void)state;
    char dir[64];
    folder_make(dir);
    struct store_config config = {.dir = dir, .seal_rows = 1000};
    struct store *store;
    struct err err;
    assert_int_equal(store_open(&config, &store, &err), 0);
    struct maker maker = {.time_ns = DAY_2018};
    rand_seeded_init(&maker.rand, 41);
    uint64_t before = 0;
    for (int i = 0; i < 60; i++) {
        struct batch *batch = make_batch(&maker, 100);
        if (store_append(store, batch, &err) < 0)
            fail_msg("%s", err.text);
        batch_free(batch);
        struct snapshot *snapshot = store_snapshot(store);
        struct scan *scan;
        struct scan_rows rows;
        uint64_t count = 0;
        assert_int_equal(scan_open(snapshot, &(struct scan_request){.all_columns = true}, &scan, &err), 0);
        while (scan_next(scan, &rows, &err) == 1)
            count += rows.selected_count;
        assert_int_equal(count, before + 100);
        before = count;
        scan_close(scan);
        store_snapshot_release(snapshot);
    }
    assert_int_equal(store_flush(store, &err), 0);
    store_close(store);
    folder_remove(dir);
}

/* ---- the newest rows ---- */

enum { TIMES_MAX = 8192 };

static int newer_first(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

/* The times of what a scan gives, the newest first. */
static size_t scan_times(struct store *store, uint32_t newest_rows, int64_t times[TIMES_MAX])
{
    static const struct slice column = {"@timestamp", 10};
    struct err err;
    struct snapshot *snapshot = store_snapshot(store);
    struct scan_request request = {.columns = &column,
                                   .column_count = 1,
                                   .newest_first = true,
                                   .newest_rows = newest_rows};
    struct scan *scan;
    struct scan_rows rows;
    size_t count = 0;
    assert_int_equal(scan_open(snapshot, &request, &scan, &err), 0);
    while (scan_next(scan, &rows, &err) == 1) {
        const struct column *time = batch_find(rows.batch, FIELD_TIMESTAMP);
        for (uint32_t row = 0; row < rows.row_count; row++)
            if (bits_get(rows.selected, row)) {
                assert_true(count < TIMES_MAX);
                times[count++] = column_first(time, row).i64;
            }
    }
    scan_close(scan);
    store_snapshot_release(snapshot);
    qsort(times, count, sizeof(*times), newer_first);
    return count;
}

/* Segments of several days, a segment and parts in memory that overlap in time. */
static void the_newest_rows_are_given_and_few_others(void **state)
{
    (void)state;
    static int64_t all[TIMES_MAX], some[TIMES_MAX];
    char dir[64];
    struct err err;
    struct store *store;
    folder_make(dir);
    struct store_config config = {.dir = dir};
    assert_int_equal(store_open(&config, &store, &err), 0);
    struct maker maker = {.time_ns = DAY_2018};
    rand_seeded_init(&maker.rand, 42);
    for (int i = 0; i < 40; i++) {
        struct batch *batch = make_batch(&maker, 100);
        assert_int_equal(store_append(store, batch, &err), 0);
        batch_free(batch);
        if (i == 20)
            assert_int_equal(store_flush(store, &err), 0);
    }
    size_t count = scan_times(store, 0, all);
    assert_true(count == 4000);
    for (uint32_t newest = 1; newest < 5000; newest = 3 * newest + 1) {
        size_t given = scan_times(store, newest, some);
        size_t least = newest < count ? newest : count;
        assert_true(given >= least);
        assert_memory_equal(some, all, least * sizeof(*all));
        assert_true(newest > 100 || given < count / 2);
    }
    store_close(store);
    folder_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_rows_are_given_and_few_others),
        cmocka_unit_test(gives_back_what_was_appended),
        cmocka_unit_test(filters_as_the_expression_says),
        cmocka_unit_test(replay_neither_doubles_nor_loses),
        cmocka_unit_test(survives_every_failed_call),
        cmocka_unit_test(damage_is_reported_and_contained),
        cmocka_unit_test(the_books_balance_after_a_restart),
        cmocka_unit_test(a_reader_leaves_everything_as_it_is),
        cmocka_unit_test(old_days_go_and_are_counted),
        cmocka_unit_test(readers_see_whole_batches_while_rows_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
