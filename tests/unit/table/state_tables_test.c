/* State tables as their users see them: definitions, conditions, the order of things, bounds and snapshots. */
#include "tables_fixture.h"

#include "base/clock.h"

#define NOON (INT64_C(1767268800) * NS_PER_SECOND)

/* ---- definitions ---- */

static void wrong_definitions_are_refused_with_their_line(void **state)
{
    (void)state;
#define HEAD "table: t\nfrom:\n  - when: a = 1\n    key: k\n"
    static const struct {
        const char *yaml, *want;
    } cases[] = {
        {HEAD "    keep:\n      x: {lates: v}\n", "line 6: 'lates' is no way to keep 'x'"},
        {HEAD "    keep:\n      x: {over: 10m}\n", "line 6: 'x' needs one of latest"},
        {HEAD "    keep:\n      x: {sum: v}\n", "line 6: 'x' needs a window"},
        {HEAD "    keep:\n      x: {distinct: v, over: ten}\n", "line 6: 'x' needs a window"},
        {HEAD "    keep:\n      x: {latest: v, over: 10m}\n", "line 6: 'x' has no window"},
        {HEAD "    keep:\n      x: {total: v}\n", "line 6: 'x' needs what it adds up"},
        {HEAD "    keep:\n      x: {sum: v, by: w, over: 1h}\n", "line 6: 'x' has no members"},
        {HEAD "    keep:\n      x: {sum: v, max: v, over: 1h}\n", "line 6: 'x' is kept in two ways"},
        {HEAD "    keep:\n      x: {count: maybe, over: 1h}\n", "line 6: 'x' is kept with count: true"},
        {HEAD "    keep:\n      x: {min: 'v +', over: 1h}\n", "line 6"},
        {HEAD "    if: 'v +'\n    keep: {x: {latest: v}}\n", "line 5"},
        {HEAD "    unless: v\n    keep: {x: {latest: v}}\n", "line 5: a feed has no 'unless'"},
        {HEAD "    keep: {}\n", "line 3: a feed needs 'keep'"},
        {HEAD "    keep: {x: {latest: v}}\n  - when: a = 2\n    key: k\n    keep: {x: {earliest: v}}\n", "line 8: 'x' is kept in two different ways"},
        {"table: t\nfrom:\n  - when: isnotnull(state(\"t\", k, \"x\"))\n    key: k\n    keep: {x: {latest: v}}\n", "line 3: 'when' is asked of many events at once"},
        {"table: t\nentries_max: 20000001\nfrom: []\n", "line 2: entries_max is from 1 to 20000000"},
        {"table: t\nkeep: 3\nfrom: []\n", "line 2: a state definition has no 'keep'"},
        {"table: t\nfrom: []\n---\ntable: t\nfrom: []\n", "line 4: the table 't' is defined twice"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct err err;
        const struct state_definitions *definitions;
        struct arena *arena = arena_new(16 * MIB);
        assert_non_null(arena);
        assert_int_equal(tables_define(cases[i].yaml, arena, &definitions, &err), -1);
        if (!strstr(err.text, cases[i].want))
            fail_msg("%s\nsays: %s\ninstead of: %s", cases[i].yaml, err.text, cases[i].want);
        arena_free(arena);
    }
}

struct names {
    char text[256];
};

static void add_name(void *context, struct slice name)
{
    struct names *names = context;
    size_t len = strlen(names->text);
    (void)snprintf(names->text + len, sizeof(names->text) - len, "%.*s ", SLICE_ARG(name));
}

/* What the gate copies of an event must be all that is read there. */
static void every_column_that_feeds_read_is_known(void **state)
{
    (void)state;
    struct tables t;
    struct names observed = {""}, all = {""};
    bool every = false;
    tables_open(&t, "table: t\nfrom:\n  - when: a = 1\n    if: b > 2\n    key: c . d\n    keep: {x: {latest: e}, y: {total: f, by: g}}\n");
    state_observe_columns(t.definitions, add_name, &observed, &every);
    state_columns(t.definitions, add_name, &all, &every);
    assert_string_equal(observed.text, "b c d e f g ");
    assert_string_equal(all.text, "a b c d e f g ");
    assert_false(every);
    tables_close(&t);
}

/* ---- if, and the order of things ---- */

static void login(struct tables *t, const char *user, const char *device, int64_t time_ns)
{
    tables_put_text(t, "user", user);
    tables_put_text(t, "device", device);
    tables_observe(t, time_ns);
}

/* Whatever the order of the feeds: each reads what was before the event. */
static void feeds_read_the_state_before_the_event(void **state)
{
    (void)state;
    static const char *const orders[] = {
        "table: user\nfrom:\n"
        "  - when: isnotnull(device)\n    key: user\n    keep: {device: {latest: device}}\n"
        "  - when: isnotnull(device)\n    if: device != state(\"user\", user, \"device\")\n    key: user\n"
        "    keep: {changes: {count: true, over: 1h}, before: {latest: 'state(\"user\", user, \"device\")'}}\n",
        "table: user\nfrom:\n"
        "  - when: isnotnull(device)\n    if: device != state(\"user\", user, \"device\")\n    key: user\n"
        "    keep: {changes: {count: true, over: 1h}, before: {latest: 'state(\"user\", user, \"device\")'}}\n"
        "  - when: isnotnull(device)\n    key: user\n    keep: {device: {latest: device}}\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(orders); i++) {
        struct tables t;
        tables_open(&t, orders[i]);
        static const char *const devices[] = {"a", "a", "b", "b", "a"};
        for (int n = 0; n < 5; n++)
            login(&t, "sato", devices[n], NOON + n * NS_PER_SECOND);
        assert_string_equal(tables_read(&t, "user", "sato", "changes", NOON + NS_PER_MINUTE), "2");
        assert_string_equal(tables_read(&t, "user", "sato", "before", NOON), "b");
        assert_string_equal(tables_read(&t, "user", "sato", "device", NOON), "a");
        tables_close(&t);
    }
}

/* A transaction says which withdrawal it is; what is kept goes to the withdrawal's row. */
static void a_key_may_be_read_from_another_table(void **state)
{
    (void)state;
    struct tables t;
    tables_open(&t, "table: transaction\nfrom:\n  - when: isnotnull(withdrawal)\n    key: txid\n    keep: {withdrawal: {latest: withdrawal}}\n"
                    "---\ntable: withdrawal\nfrom:\n  - when: isnotnull(height)\n    key: state(\"transaction\", txid, \"withdrawal\")\n"
                    "    keep: {height: {latest: height}}\n");
    tables_put_text(&t, "txid", "t1");
    tables_put_text(&t, "withdrawal", "w9");
    tables_observe(&t, NOON);
    tables_put_text(&t, "txid", "t1");
    tables_put(&t, "height", value_i64(77));
    tables_observe(&t, NOON + 1);
    tables_put_text(&t, "txid", "t2"); /* of no withdrawal: no row */
    tables_put(&t, "height", value_i64(78));
    tables_observe(&t, NOON + 2);
    assert_string_equal(tables_read(&t, "withdrawal", "w9", "height", NOON), "77");
    assert_int_equal(state_stats(t.state).keys, 2);
    tables_close(&t);
}

static bool holds(struct tables *t, const char *condition, int64_t now_ns)
{
    struct err err;
    const struct expr *expr;
    struct value_list list;
    struct expr_scope scope = tables_scope(t, now_ns);
    if (expr_parse(slice_text(condition), t->arena, &expr, &err) < 0 ||
        expr_eval(expr, &scope, t->batch, 0, &list, &err) < 0)
        fail_msg("%s", err.text);
    return list.count == 1 && list.values[0].type == VALUE_BOOL && list.values[0].boolean;
}

/* state() gives several values where several are kept. */
static void expressions_read_several_values(void **state)
{
    (void)state;
    struct tables t;
    tables_open(&t, "table: user\nfrom:\n  - when: isnotnull(device)\n    key: user\n    keep: {devices: {values: device, over: 1h}}\n");
    login(&t, "sato", "a", NOON);
    login(&t, "sato", "b", NOON + 1);
    login(&t, "sato", "a", NOON + 2);
    tables_put_text(&t, "device", "b");
    assert_true(holds(&t, "mvcount(state(\"user\", \"sato\", \"devices\")) = 2", NOON + 3));
    assert_true(holds(&t, "state(\"user\", \"sato\", \"devices\") = device", NOON + 3));
    assert_true(holds(&t, "mvindex(state(\"user\", \"sato\", \"devices\"), 1) = \"a\"", NOON + 3));
    assert_true(holds(&t, "isnull(state(\"user\", \"ito\", \"devices\"))", NOON + 3));
    assert_true(holds(&t, "isnull(state(\"user\", \"sato\", \"devices\"))", NOON + 2 * NS_PER_HOUR));
    tables_close(&t);
}

/* ---- bounds ---- */

static const char small[] = "table: t\nentries_max: 100\nfrom:\n  - when: isnotnull(k)\n    key: k\n    keep: {n: {count: true, over: 1h}, v: {latest: v}}\n";

static void put_key(struct tables *t, int key, int64_t time_ns)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "k%d", key);
    tables_put_text(t, "k", text);
    tables_put(t, "v", value_i64(key));
    tables_observe(t, time_ns);
}

static bool is_found(void *context, struct slice key)
{
    struct tables *t = context;
    char text[16];
    (void)snprintf(text, sizeof(text), "%.*s", SLICE_ARG(key));
    assert_string_equal(tables_read(t, "t", text, "v", NOON), text + 1);
    return true;
}

static void the_key_touched_longest_ago_goes(void **state)
{
    (void)state;
    struct tables t;
    tables_open(&t, small);
    for (int i = 0; i < 1000; i++) {
        put_key(&t, i, NOON + i * NS_PER_SECOND);
        put_key(&t, 0, NOON + i * NS_PER_SECOND); /* stays, for it is always the newest */
        if (i % 10 == 0)
            state_walk(t.state, SLICE("t"), is_found, &t); /* whatever was taken out before it */
    }
    assert_int_equal(state_stats(t.state).keys, 100);
    assert_int_equal(state_stats(t.state).evicted, 900);
    uint64_t evicted;
    assert_true(slice_is(state_fullest(t.state, &evicted), "t"));
    assert_int_equal(evicted, 900);
    assert_string_equal(tables_read(&t, "t", "k0", "n", NOON + 1000 * NS_PER_SECOND), "1001");
    assert_string_equal(tables_read(&t, "t", "k999", "v", NOON), "999");
    tables_again(&t, t.definitions);
    assert_int_equal(state_stats(t.state).keys, 100);
    assert_string_equal(tables_read(&t, "t", "k999", "v", NOON), "999");
    tables_close(&t);
}

static bool count_key(void *context, struct slice key)
{
    (void)key;
    ++*(int *)context;
    return true;
}

static void texts_and_keys_are_cut(void **state)
{
    (void)state;
    struct tables t;
    char *text = mem_calloc(1, 5001);
    int keys = 0;
    assert_non_null(text);
    memset(text, 'x', 5000);
    tables_open(&t, "table: t\nfrom:\n  - when: isnotnull(k)\n    key: k\n    keep: {v: {latest: k}, w: {values: k, over: 1h}}\n");
    for (int i = 0; i < 3; i++) {
        tables_put_text(&t, "k", text);
        tables_observe(&t, NOON + i);
        text[4000 + i] = 0;
    }
    assert_int_equal(strlen(tables_read(&t, "t", text, "v", NOON)), STATE_TEXT_BYTES_MAX);
    assert_int_equal(strlen(tables_read(&t, "t", text, "w", NOON)), STATE_TEXT_BYTES_MAX);
    state_walk(t.state, SLICE("t"), count_key, &keys);
    assert_int_equal(keys, 1);
    tables_again(&t, t.definitions);
    assert_int_equal(strlen(tables_read(&t, "t", text, "v", NOON)), STATE_TEXT_BYTES_MAX);
    tables_close(&t);
    mem_free(text);
}

/* Whichever allocation fails, an event is an error and what was there stays. */
static void memory_may_run_out_at_any_time(void **state)
{
    (void)state;
    struct tables t;
    tables_open(&t, small);
    put_key(&t, 1, NOON);
    for (long n = 0; n < 40; n++) {
        struct err err;
        struct state_feed_rows rows;
        char key[600];
        memset(key, 'a' + (int)(n % 26), sizeof(key));
        struct expr_scope when = {.scratch = t.scratch}, scope = tables_scope(&t, NOON);
        tables_put(&t, "k", value_string(slice_of(key, sizeof(key) - (size_t)n)));
        tables_put_text(&t, "v", "some longer text that takes room of its own in the row");
        arena_reset(t.scratch);
        assert_int_equal(state_select(t.definitions, &when, t.batch, &rows, &err), 0);
        mem_fail_after(n % 4);
        int result = state_observe(t.state, &scope, t.batch, 0, NOON, &rows, &err);
        mem_fail_after(-1);
        if (result < 0)
            assert_int_equal(err.code, ERR_NOMEM);
        batch_reset(t.batch);
    }
    assert_string_equal(tables_read(&t, "t", "k1", "v", NOON), "1");
    tables_close(&t);
}

/* ---- snapshots ---- */

/* Fields in another order, one less, one more, one of another kind, and a window of another length. */
static void a_snapshot_fits_other_definitions(void **state)
{
    (void)state;
    struct tables t;
    const struct state_definitions *other;
    struct err err;
    tables_open(&t, "table: gone\nfrom:\n  - when: isnotnull(k)\n    key: k\n    keep: {x: {latest: v}}\n"
                    "---\ntable: t\nfrom:\n  - when: isnotnull(k)\n    key: k\n"
                    "    keep: {a: {latest: v}, b: {count: true, over: 1h}, c: {sum: v, over: 1h}, d: {last_seen: true}, e: {max: v, over: 1h}}\n");
    for (int i = 0; i < 60; i++)
        put_key(&t, i % 2, NOON + i * NS_PER_MINUTE);
    int64_t now_ns = NOON + 59 * NS_PER_MINUTE;
    char count[STATE_VALUES_MAX * 64], sum[STATE_VALUES_MAX * 64];
    (void)snprintf(count, sizeof(count), "%s", tables_read(&t, "t", "k1", "b", now_ns));
    (void)snprintf(sum, sizeof(sum), "%s", tables_read(&t, "t", "k1", "c", now_ns));
    assert_int_equal(tables_define("table: t\nfrom:\n  - when: isnotnull(k)\n    key: k\n"
                                   "    keep: {new: {latest: v}, c: {sum: v, over: 24h}, b: {count: true, over: 1h}, a: {latest: v}, d: {first_seen: true}, e: {max: v, over: 10m}}\n",
                                   t.arena, &other, &err), 0);
    tables_again(&t, other);
    assert_int_equal(state_stats(t.state).keys, 2);
    assert_string_equal(tables_read(&t, "t", "k1", "a", now_ns), "1");
    assert_string_equal(tables_read(&t, "t", "k1", "b", now_ns), count);
    assert_string_equal(tables_read(&t, "t", "k1", "c", now_ns), sum);
    assert_string_equal(tables_read(&t, "t", "k1", "e", now_ns), "1");
    assert_string_equal(tables_read(&t, "t", "k1", "d", now_ns), "-");
    assert_string_equal(tables_read(&t, "t", "k1", "new", now_ns), "-");
    assert_string_equal(tables_read(&t, "gone", "k1", "x", now_ns), "-");
    tables_close(&t);
}

static void put_old_field(struct buffer *to, const char *name, int64_t time_ns, int kind)
{
    buffer_put_block(to, slice_text(name));
    buffer_put_le64(to, (uint64_t)time_ns);
    buffer_put_char(to, (char)kind);
}

static void put_old_window(struct buffer *to, int64_t span)
{
    for (int i = 0; i < 32; i++) {
        bool used = i < 2;
        struct decimal_sum sum = {0};
        if (used)
            decimal_sum_add(&sum, (struct decimal){150 + i, 2});
        buffer_put_le64(to, (uint64_t)(used ? (NOON / span - i) * span : INT64_MIN));
        buffer_put_le64(to, used ? 3 : 0);
        for (int w = 0; w < 4; w++)
            buffer_put_le64(to, sum.word[w]);
        buffer_put_char(to, (char)sum.scale);
    }
}

/* As the first version wrote it. */
static void put_old(struct buffer *to, const char *table)
{
    buffer_put_block(to, slice_text(table));
    buffer_put_block(to, SLICE("k1"));
    buffer_put_le64(to, (uint64_t)NOON);
    put_old_field(to, "balance", NOON, 0);
    buffer_put_char(to, VALUE_DECIMAL);
    buffer_put_block(to, SLICE("12.50"));
    put_old_field(to, "first", NOON - 5 * NS_PER_SECOND, 1);
    put_old_field(to, "sum", 0, 4);
    put_old_window(to, NS_PER_HOUR / 31 + 1);
    put_old_field(to, "other", 0, 3);
    put_old_window(to, NS_PER_HOUR / 31 + 1);
    buffer_put_block(to, SLICE(""));
}

static void the_first_version_is_read(void **state)
{
    (void)state;
    struct tables t;
    struct buffer old;
    struct err err;
    tables_open(&t, "table: t\nfrom:\n  - when: isnotnull(k)\n    key: k\n"
                    "    keep: {sum: {sum: v, over: 1h}, first: {first_seen: true}, balance: {latest: v}, none: {latest: v}}\n");
    buffer_init(&old, MIB);
    buffer_put_varint(&old, 1);
    put_old(&old, "gone");
    put_old(&old, "t");
    buffer_put_block(&old, SLICE(""));
    assert_int_equal(state_load(t.state, buffer_slice(&old), &err), 0);
    for (int again = 0; again < 2; again++) {
        assert_string_equal(tables_read(&t, "t", "k1", "sum", NOON), "3.01");
        assert_string_equal(tables_read(&t, "t", "k1", "balance", NOON), "12.50");
        assert_string_equal(tables_read(&t, "t", "k1", "first", NOON), "1767268795");
        assert_string_equal(tables_read(&t, "t", "k1", "none", NOON), "-");
        tables_again(&t, t.definitions);
    }
    for (size_t len = 0; len < old.len; len++) {
        struct state *cut = state_new(t.definitions);
        assert_non_null(cut);
        assert_int_equal(state_load(cut, slice_of(old.ptr, len), &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
        state_free(cut);
    }
    buffer_close(&old);
    tables_close(&t);
}

static void put_cells(struct buffer *to, const char *cells, size_t len)
{
    buffer_clear(to);
    buffer_put_varint(to, 2);
    buffer_put_block(to, SLICE("t"));
    buffer_put_varint(to, 2);
    buffer_put_block(to, SLICE("a"));
    buffer_put_char(to, 1); /* first_seen */
    buffer_put_varint(to, 0);
    buffer_put_block(to, SLICE("b"));
    buffer_put_char(to, 2); /* last_seen */
    buffer_put_varint(to, 0);
    buffer_put_le64(to, 1);
    buffer_put_le64(to, 8 + 2 + 1 + len);
    buffer_put_le64(to, (uint64_t)NOON);
    buffer_put_block(to, SLICE("k"));
    buffer_put_block(to, slice_of(cells, len));
    buffer_put_block(to, SLICE(""));
}

static void cells_are_each_once_and_in_order(void **state)
{
    (void)state;
#define TIME "\x08\x01\x02\x03\x04\x05\x06\x07\x08"
    static const struct {
        const char *cells;
        int want;
    } cases[] = {{"A" TIME "B" TIME, 0}, {"B" TIME, 0},      {"B" TIME "A" TIME, -1}, {"A" TIME "A" TIME, -1},
                 {"C" TIME, -1},         {"A" TIME "B", -1}, {"A" TIME "B\x01x", -1}, {"", -1}};
    struct tables t;
    struct buffer bytes;
    buffer_init(&bytes, MIB);
    tables_open(&t, "table: t\nfrom:\n  - when: isnotnull(k)\n    key: k\n    keep: {a: {first_seen: true}, b: {last_seen: true}}\n");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char cells[64];
        struct err err;
        size_t len = strlen(cases[i].cells);
        for (size_t at = 0; at < len; at++) /* letters stand for the index of a field */
            cells[at] = (char)(cases[i].cells[at] >= 'A' && cases[i].cells[at] <= 'C' ? cases[i].cells[at] - 'A' : cases[i].cells[at]);
        struct state *other = state_new(t.definitions);
        assert_non_null(other);
        put_cells(&bytes, cells, len);
        if (state_load(other, buffer_slice(&bytes), &err) != cases[i].want)
            fail_msg("cells %zu", i);
        state_free(other);
    }
    buffer_close(&bytes);
    tables_close(&t);
}

/* Cut off anywhere: refused. A bit changed anywhere: refused or another number, and no crash. */
static void a_damaged_snapshot_is_refused(void **state)
{
    (void)state;
    struct tables t;
    struct buffer bytes;
    struct err err;
    tables_open(&t, "table: t\nfrom:\n  - when: isnotnull(k)\n    key: k\n    keep: {a: {latest: v}, b: {mean: v, over: 1h}, c: {distinct: v, over: 1h}, "
                    "d: {values: v, over: 1h}, e: {total: v, by: k}, f: {min: v, over: 1h}}\n");
    for (int i = 0; i < 20; i++)
        put_key(&t, i % 3, NOON + i * NS_PER_MINUTE);
    buffer_init(&bytes, MIB);
    state_save(t.state, &bytes);
    size_t refused = 0;
    for (size_t at = 0; at < bytes.len; at++) {
        struct state *other = state_new(t.definitions);
        assert_non_null(other);
        assert_int_equal(state_load(other, slice_of(bytes.ptr, at), &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
        state_free(other);
        for (int bit = 0; bit < 8; bit++) {
            other = state_new(t.definitions);
            assert_non_null(other);
            bytes.ptr[at] = (char)(bytes.ptr[at] ^ 1 << bit);
            refused += state_load(other, buffer_slice(&bytes), &err) < 0;
            bytes.ptr[at] = (char)(bytes.ptr[at] ^ 1 << bit);
            state_free(other);
        }
    }
    assert_true(refused > bytes.len);
    buffer_close(&bytes);
    tables_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_definitions_are_refused_with_their_line),
        cmocka_unit_test(every_column_that_feeds_read_is_known),
        cmocka_unit_test(feeds_read_the_state_before_the_event),
        cmocka_unit_test(a_key_may_be_read_from_another_table),
        cmocka_unit_test(expressions_read_several_values),
        cmocka_unit_test(the_key_touched_longest_ago_goes),
        cmocka_unit_test(texts_and_keys_are_cut),
        cmocka_unit_test(memory_may_run_out_at_any_time),
        cmocka_unit_test(a_snapshot_fits_other_definitions),
        cmocka_unit_test(the_first_version_is_read),
        cmocka_unit_test(cells_are_each_once_and_in_order),
        cmocka_unit_test(a_damaged_snapshot_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
