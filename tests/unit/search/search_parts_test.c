/* Grouping by several threads: the answers of one, messages and ends included. */
#include "../store_fixture.h"

#include "base/thread.h"
#include "search/output.h"
#include "search/parser.h"
#include "search/run.h"
#include "search/store_backend.h"

enum { BATCHES = 24, BATCH_ROWS = 400 };

static int put_row(struct batch *batch, uint32_t i, struct event_row *row, const struct hin_rand *rand)
{
    row->time_ns = (INT64_C(1767225600) + (int64_t)(row->seq - 1) * 60) * NS_PER_SECOND;
    char text[32];
    uint64_t n = rand_below(rand, 300);
    (void)snprintf(text, sizeof(text), n % 3 ? "user%u" : "%u", (unsigned)n);
    struct decimal price = {.coefficient = (int128)rand_below(rand, 5000), .scale = (uint8_t)(n % 3)};
    if (batch_put(batch, i, SLICE("user.name"), value_string(arena_copy(batch->arena, slice_text(text)))) < 0 ||
        batch_put(batch, i, SLICE("n"), value_i64((int64_t)rand_below(rand, 50) - 20)) < 0 ||
        batch_put(batch, i, SLICE("price"), value_decimal(price, batch->arena)) < 0)
        return -1;
    if (n % 7 == 0 && batch_put(batch, i, SLICE("ratio"), value_f64((double)n / 7.3)) < 0)
        return -1;
    return n % 5 ? 0 : batch_put(batch, i, SLICE("mixed"),
                                 n % 2 ? value_i64((int64_t)n % 9) : value_string(SLICE("x1")));
}

/* The last one stays in memory. */
static bool seals(int batch)
{
    return batch != BATCHES - 1;
}

static struct store *make_store(const char *dir)
{
    return store_make(dir, &(struct made_store){11, BATCHES, BATCH_ROWS, put_row, seals});
}

struct asked {
    char dir[64];
    struct store *store;
    struct store_backend backend;
    struct arena *arena;
};

static int begin(void **state)
{
    static struct asked asked;
    folder_make(asked.dir);
    asked.store = make_store(asked.dir);
    store_backend_init(&asked.backend, asked.store, clock_real(), NULL);
    asked.arena = arena_new(16 * MIB);
    *state = &asked;
    return 0;
}

static int end(void **state)
{
    struct asked *asked = *state;
    arena_free(asked->arena);
    store_close(asked->store);
    folder_remove(asked->dir);
    return 0;
}

static struct search *plan(struct asked *asked, const char *spl, const struct search_options *with)
{
    struct search_options options = *with;
    struct spl_query *query;
    struct search *search = NULL;
    struct err err;
    struct slice text = arena_printf(asked->arena, "index=* | %s", spl);
    err_clear(&err);
    options.backend = &asked->backend.backend;
    options.part_rows_min = options.part_rows_min ? options.part_rows_min : 1;
    if (spl_parse(text, asked->arena, &query, &err) < 0 ||
        search_new(query, &options, &search, &err) < 0)
        fail_msg("%s: %s", spl, err.text);
    return search;
}

static int put_part(void *context, const struct search_result *part, struct err *err)
{
    (void)err;
    output_part(context, part);
    return 0;
}

/* The answer as JSON, and the plan behind it. */
static void answer(struct asked *asked, const char *spl, const struct search_options *options,
                   struct buffer *to, struct buffer *explained)
{
    struct search *search = plan(asked, spl, options);
    struct output output;
    struct err err;
    err_clear(&err);
    if (search_run(search, &err) < 0)
        fail_msg("%s: %s", spl, err.text);
    const struct search_result *result = search_result(search);
    assert_true(result->complete);
    assert_true(result->progress.rows_read <= BATCHES * BATCH_ROWS);
    assert_int_equal(output_open(&output, result, OUTPUT_JSON, to), 0);
    output_head(&output);
    assert_int_equal(search_rows(search, put_part, &output, &err), 0);
    output_tail(&output);
    output_close(&output);
    search_explain(search, explained);
    search_free(search);
}

/* With several threads, of which so many can be started, as with one; their plan says what is given, or nothing of
 * threads. */
static void same_with(struct asked *asked, uint32_t threads, long startable, const char *spl,
                      const char *says, int64_t memory)
{
    struct buffer one, many, explained;
    buffer_init(&one, 16 * MIB);
    buffer_init(&many, 16 * MIB);
    buffer_init(&explained, 1 * MIB);
    answer(asked, spl, &(struct search_options){.threads = 1, .memory_max = memory}, &one, &explained);
    assert_true(slice_find(buffer_slice(&explained), SLICE("threads")) < 0);
    buffer_clear(&explained);
    thread_fail_after(startable);
    answer(asked, spl, &(struct search_options){.threads = threads, .memory_max = memory}, &many,
           &explained);
    thread_fail_after(-1);
    if (!slice_equal(buffer_slice(&one), buffer_slice(&many)))
        fail_msg("%s differs with %u threads", spl, threads);
    bool said = slice_find(buffer_slice(&explained), slice_text(says ? says : "threads")) >= 0;
    if (said != (says != NULL))
        fail_msg("%s, %u threads: %.*s", spl, threads, SLICE_ARG(buffer_slice(&explained)));
    buffer_close(&one);
    buffer_close(&many);
    buffer_close(&explained);
}

static void same(struct asked *asked, const char *spl, const char *says, int64_t memory)
{
    for (uint32_t threads = 2; threads <= 5; threads++)
        same_with(asked, threads, -1, spl, says, memory);
}

static void answers_are_those_of_one_thread(void **state)
{
    static const char *const searches[] = {
        "stats count",
        "stats count by user.name",
        "stats count dc(n) estdc(user.name) by user.name n",
        "stats sum(n) avg(n) min(n) max(n) range(n) by user.name",
        "stats sum(price) avg(price) min(price) max(price) range(price) by n",
        "stats median(price) p95(price) exactperc50(n) upperperc90(price) p10(ratio)",
        "stats values(mixed) min(mixed) max(mixed) dc(mixed) by n",
        "stats count by mixed",
        "stats count(eval(n>3)) sum(eval(n*2)) by user.name | sort - count | head 5",
        "where n>0 | eval k=user.name.\"-\".n | stats count by k | stats sum(count) dc(k)",
        "eval k=n%7 | where k!=3 | rex field=user.name \"(?<digits>\\d+)\" | stats count dc(digits) by k",
        "search n>100 | stats count sum(n)",
        "search n>100 | stats count by user.name",
    };
    for (size_t i = 0; i < ARRAY_COUNT(searches); i++)
        same(*state, searches[i], "each with its part of the rows", 0);
}

static void what_does_not_merge_stays_on_one(void **state)
{
    static const char *const searches[] = {
        "stats first(n) by user.name",    "stats list(n) by user.name", "stats stdev(n) by user.name",
        "stats mode(n) count",            "stats avg(n*) by user.name", "streamstats count | stats sum(count)",
        "head 100 | stats count by n",    "dedup n | stats count",
    };
    for (size_t i = 0; i < ARRAY_COUNT(searches); i++)
        same(*state, searches[i], NULL, 0);
}

/* Texts of about 1,200 bytes that differ, and of six times as much. */
#define TEXT_100 "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqr"
#define LONG_TEXT "eval a=\"" TEXT_100 "\", long=a . a . a . a . a . a . a . a . a . a . a . a . user.name . \"-\" . n"
#define LONGER_TEXT LONG_TEXT ", longer=long . long . long . long . long . long"

static void one_thread_goes_on(void **state)
{
    same(*state, "stats sum(ratio) by n", "for the rest, since doubles are added up", 0);
    same(*state, "eval h=n/3 | stats avg(h) by user.name", "for the rest, since doubles are added up", 0);
    same(*state, "eval h=if(_time>1767400000, n/3, n) | stats avg(h) sum(h) by user.name",
         "for the rest, since doubles are added up", 0);
    same(*state, LONG_TEXT " | stats values(long) count by user.name n", "for the rest, since memory is short for groups",
         32 * MIB);
    same(*state, LONG_TEXT " | stats sum(ratio) values(long) count by user.name n",
         "for the rest, since doubles are added up", 32 * MIB);
}

static const char torn[] = LONGER_TEXT " | stats count dc(longer) by n";
enum { TORN_MEMORY = 13 << 20, TORN_THREADS = 2 };

/* One batch is more than a share of the memory has room for. */
static void memory_is_out_in_a_batch(void **state)
{
    same_with(*state, TORN_THREADS, -1, torn, "begun anew since memory is short for groups", TORN_MEMORY);
    same_with(*state, TORN_THREADS + 1, -1, torn, NULL, TORN_MEMORY);
}

static void threads_are_missing(void **state)
{
    static const char *const missing = "for the rest, since not all threads could be started";
    for (long some = 0; some < 2; some++) {
        same_with(*state, 3, some, "stats count values(mixed) by user.name", missing, 0);
        same_with(*state, 3, some, "stats count sum(ratio) sum(n) by user.name",
                  some ? "threads  2, each" : "threads  1, each", 0);
        same_with(*state, 3, some, "stats first(n) count by user.name", NULL, 0);
        same_with(*state, 3, some, "head 100 | stats count by n", NULL, 0);
    }
}

/* How many damaged stretches a search has told of. */
static uint64_t damages(struct asked *asked, const char *spl, const struct search_options *options)
{
    struct search *search = plan(asked, spl, options);
    struct err err;
    uint64_t told = 0;
    asked->backend.damaged = false;
    err_clear(&err);
    if (search_run(search, &err) < 0)
        fail_msg("%s: %s", spl, err.text);
    for (const struct search_message *m = search_result(search)->messages; m; m = m->next)
        told += slice_starts(m->text, SLICE("INCOMPLETE"));
    search_free(search);
    assert_true(asked->backend.damaged);
    return told;
}

static void hurt_segments(const char *dir)
{
    char command[256];
    (void)snprintf(command, sizeof(command), "for f in %s/segments/*; do "
                   "dd if=/dev/zero of=$f bs=1 seek=200 count=4000 conv=notrunc status=none; done", dir);
    assert_int_equal(system(command), 0);
}

/* Once, also where blocks are read again. */
static void damage_is_told_once(void **state)
{
    struct asked *asked = *state;
    hurt_segments(asked->dir);
    static const char *const searches[] = {"stats count sum(ratio) by user.name", torn};
    for (size_t i = 0; i < ARRAY_COUNT(searches); i++) {
        struct search_options options = {.threads = 1, .memory_max = i ? TORN_MEMORY : 0};
        uint64_t once = damages(asked, searches[i], &options);
        assert_true(once > 1);
        options.threads = TORN_THREADS;
        assert_int_equal(damages(asked, searches[i], &options), once);
    }
}

static int stop_soon(void *context, struct search *search, const struct search_progress *progress)
{
    (void)search;
    return progress->rows_read > *(uint64_t *)context;
}

/* Given up by the caller, cancelled, out of time, or not run to its end: nothing is left behind. */
static void it_ends_early(void **state)
{
    const char *spl = "stats count values(price) by user.name";
    uint64_t rows = BATCH_ROWS;
    struct err err;
    for (int way = 0; way < 4; way++) {
        struct search_options options = {.threads = 3};
        options.progress = way == 0 ? stop_soon : NULL;
        options.progress_context = &rows;
        options.progress_ms = way == 0 ? -1 : 0;
        options.time_max_ms = way == 1 ? 1 : 0;
        struct search *search = plan(*state, spl, &options);
        err_clear(&err);
        if (way == 1)
            usleep(5000);
        int more = way == 3 ? 0 : search_step(search, &err);
        if (way == 2) {
            assert_int_equal(more, 1);
            search_cancel(search);
        }
        while (more > 0)
            more = search_step(search, &err);
        assert_int_equal(more, way == 3 ? 0 : -1);
        assert_int_equal(err.code, way == 3 ? ERR_NONE : way == 1 ? ERR_LIMIT : ERR_CANCELLED);
        search_free(search);
    }
}

static void a_preview_shows_no_more_than_there_is(void **state)
{
    struct search *search = plan(*state, "stats count | eval n=count+1", &(struct search_options){.threads = 2});
    struct err err;
    err_clear(&err);
    int more = 1;
    while (more > 0) {
        struct arena *arena = arena_new(16 * MIB);
        struct search_result part;
        more = search_step(search, &err);
        assert_int_equal(more > 0 ? search_preview(search, arena, &part, &err) : 0, 0);
        if (more > 0) {
            struct value count = batch_first(part.rows, 0, SLICE("count"));
            assert_true(count.i64 >= 0 && count.i64 <= BATCHES * BATCH_ROWS);
        }
        arena_free(arena);
    }
    assert_int_equal(more, 0);
    search_free(search);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_are_those_of_one_thread, begin, end),
        cmocka_unit_test_setup_teardown(what_does_not_merge_stays_on_one, begin, end),
        cmocka_unit_test_setup_teardown(one_thread_goes_on, begin, end),
        cmocka_unit_test_setup_teardown(memory_is_out_in_a_batch, begin, end),
        cmocka_unit_test_setup_teardown(threads_are_missing, begin, end),
        cmocka_unit_test_setup_teardown(damage_is_told_once, begin, end),
        cmocka_unit_test_setup_teardown(it_ends_early, begin, end),
        cmocka_unit_test_setup_teardown(a_preview_shows_no_more_than_there_is, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
