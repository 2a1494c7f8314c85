/* Texts that say what the event's other columns say, mostly: each comes back byte for byte, and so
 * does each column, in whatever order the rows came. */
#include "../store_fixture.h"

#include "base/bits.h"
#include "base/limits.h"
#include "event/schema.h"

enum { ROWS = 400, ROUNDS = 60, BATCHES = 4, USERS = 5 };

struct told {
    char user[16], text[160];
    int64_t time_ns;
    unsigned tags; /* values of the column tags */
};

struct world {
    struct rand_seeded rand;
    struct told rows[ROWS];
    struct store *store;
};

static uint64_t below(struct world *world, uint64_t n)
{
    return rand_below(&world->rand.rand, n);
}

/* First one user only, then others; now and then a text names somebody else than the column does. */
static void tell(struct world *world, uint32_t i, uint32_t quiet_until, uint64_t lies)
{
    struct told *told = &world->rows[i];
    uint64_t user = i < quiet_until ? 0 : below(world, USERS);
    uint64_t named = lies && below(world, lies) == 0 ? below(world, USERS) : user;
    snprintf(told->user, sizeof(told->user), "user%llu", (unsigned long long)user);
    snprintf(told->text, sizeof(told->text), "user%llu has come in at the %s door, number %llu of the day",
             (unsigned long long)named, below(world, 3) ? "north" : "south",
             (unsigned long long)below(world, 1000000));
    told->time_ns = INT64_C(1516925462000000000) + (i + (int64_t)below(world, 5)) * NS_PER_MS;
    told->tags = (unsigned)below(world, 8) ? 0 : 1 + (unsigned)below(world, 3);
}

static void put_row(struct world *world, struct batch *batch, uint32_t i)
{
    const struct told *told = &world->rows[i];
    struct event_row *row = batch_add_row(batch);
    assert_non_null(row);
    row->raw = slice_text(told->text);
    row->time_ns = row->received_ns = told->time_ns;
    row->seq = i + 1;
    uint32_t at = batch->row_count - 1;
    assert_int_equal(batch_put_text(batch, at, "user.name", slice_text(told->user)), 0);
    assert_int_equal(batch_put_text(batch, at, "note", slice_text(told->text + 5)), 0);
    for (unsigned tag = 0; tag < told->tags; tag++)
        assert_int_equal(batch_put(batch, at, SLICE("tags"), value_i64(tag + i)), 0);
}

static void append_all(struct world *world)
{
    struct err err;
    for (uint32_t i = 0; i < ROWS; i += ROWS / BATCHES) {
        struct batch *batch = batch_new(BATCH_ARENA_MAX);
        for (uint32_t k = i; k < i + ROWS / BATCHES; k++)
            put_row(world, batch, k);
        assert_int_equal(batch_finish(batch), 0);
        assert_int_equal(store_append(world->store, batch, &err), 0);
        batch_free(batch);
    }
    assert_int_equal(store_flush(world->store, &err), 0);
}

static void expect_text(const struct batch *batch, uint32_t row, struct slice field, const char *want)
{
    struct slice got = value_slice(batch_first(batch, row, field));
    if (!slice_is(got, want))
        fail_msg("%.*s: \"%.*s\" instead of \"%s\"", SLICE_ARG(field), SLICE_ARG(got), want);
}

static void expect_row(const struct world *world, const struct batch *batch, uint32_t row)
{
    const struct told *told = &world->rows[batch_first(batch, row, FIELD_SEQ).i64 - 1];
    uint32_t first, i = (uint32_t)(told - world->rows);
    expect_text(batch, row, FIELD_ORIGINAL, told->text);
    expect_text(batch, row, SLICE("note"), told->text + 5);
    expect_text(batch, row, SLICE("user.name"), told->user);
    assert_int_equal(batch_first(batch, row, FIELD_TIMESTAMP).i64, told->time_ns);
    const struct column *tags = batch_find(batch, SLICE("tags"));
    uint32_t count = tags ? column_range(tags, row, &first) : 0;
    assert_int_equal(count, told->tags);
    for (uint32_t tag = 0; tag < count; tag++)
        assert_int_equal(column_value(tags, first + tag).i64, tag + i);
}

static void expect_all(struct world *world)
{
    struct err err;
    struct snapshot *snapshot = store_snapshot(world->store);
    struct scan *scan;
    struct scan_rows rows;
    uint32_t seen = 0;
    struct scan_request request = {.all_columns = true};
    assert_int_equal(scan_open(snapshot, &request, &scan, &err), 0);
    while (scan_next(scan, &rows, &err) == 1)
        for (uint32_t row = 0; row < rows.row_count; row++)
            if (bits_get(rows.selected, row)) {
                expect_row(world, rows.batch, row);
                seen++;
            }
    assert_int_equal(seen, ROWS);
    scan_close(scan);
    store_snapshot_release(snapshot);
}

static void texts_come_back_as_they_were(void **state)
{
    (void)state;
    struct world *world = test_calloc(1, sizeof(*world));
    rand_seeded_init(&world->rand, 5);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        char dir[64];
        struct err err;
        folder_make(dir);
        struct store_config config = {.dir = dir, .no_background = true};
        assert_int_equal(store_open(&config, &world->store, &err), 0);
        uint32_t quiet_until = (uint32_t)below(world, ROWS / 2);
        uint64_t lies = round % 3 ? 1 + below(world, 100) : 0;
        for (uint32_t i = 0; i < ROWS; i++)
            tell(world, i, quiet_until, lies);
        if (quiet_until) /* a lie while the text is the same in every row */
            snprintf(world->rows[quiet_until / 2].user, sizeof(world->rows[0].user), "somebody");
        append_all(world);
        expect_all(world);
        store_close(world->store);
        folder_remove(dir);
    }
    test_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_back_as_they_were),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
