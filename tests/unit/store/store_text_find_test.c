/* Looking for a text in encoded blocks gives exactly the rows that looking into every text gives. */
#include "../store_fixture.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "event/schema.h"
#include "expr/expr.h"
#include "pattern/regex.h"

enum { ROWS = 3000, NEEDLES = 3000, PATTERNS = 300 };

struct world {
    struct rand_seeded rand;
    struct arena *arena;
    struct slice originals[ROWS], messages[ROWS];
};

static uint64_t below(struct world *world, uint64_t n)
{
    return rand_below(&world->rand.rand, n);
}

PRINTF_LIKE(2, 3) static struct slice made(struct world *world, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return arena_copy(world->arena, slice_of(text, (size_t)len));
}

/* Texts that are hard: quotes, escapes, other scripts, a sign that folds into ASCII, no UTF-8. */
static struct slice agent(struct world *world)
{
    static const char *const agents[] = {
        "Mozilla/5.0 (Windows NT 6.1; \"quoted\")", "curl/7.88 \\backslash\\n", "火の見 agent (東京)",
        "\u212a\u017fign of Kelvin", "tab\there\nline", "\x01\x1f control", "bad \xff\xfe bytes",
        "na\u00efve UNION%20SELECT"};
    return slice_text(agents[below(world, ARRAY_COUNT(agents))]);
}

static struct slice message(struct world *world, uint32_t i, struct slice user, struct slice ua,
                            const char *ip)
{
    unsigned long long number = below(world, 100000), hex = rand_u64(&world->rand.rand);
    switch (below(world, 6)) {
    case 0:
        return made(world, "%s - %.*s [id=%llu] \"GET /a/%llu?q=%llx\" \"%.*s\"", ip, SLICE_ARG(user),
                    number, number % 7, hex, SLICE_ARG(ua));
    case 1:
        return made(world, "Failed password for %.*s from %s port %llu ssh2", SLICE_ARG(user), ip, number);
    case 2:
        return made(world, "session 0x%llx opened: %.*s|%.*s", hex >> 20, SLICE_ARG(user), SLICE_ARG(user));
    case 3:
        return made(world, "kernel: [%llu.%06llu] SRC=%s%llu", number, number * 7 % 1000000, ip, number % 3);
    case 4:
        return made(world, "row %u prefix_%.*s_suffix", i, SLICE_ARG(user));
    default:
        return made(world, "{\"nested\":\"%.*s\",\"n\":%llu}", SLICE_ARG(user), number);
    }
}

static void put_row(struct world *world, struct batch *batch, uint32_t i)
{
    char ip[32];
    struct ip address = {.family = 4, .bytes = {[12] = 10, [13] = 1, [15] = (uint8_t)below(world, 200)}};
    snprintf(ip, sizeof(ip), "10.1.0.%u", address.bytes[15]);
    struct slice user = made(world, "user%llu", (unsigned long long)below(world, 40));
    struct slice ua = agent(world), text = message(world, i, user, ua, ip);
    struct event_row *row = batch_add_row(batch);
    assert_non_null(row);
    struct buffer line;
    struct json json;
    buffer_init(&line, MIB);
    json_init(&json, &line);
    json_open(&json, '{');
    json_put_time(&json, "@timestamp", INT64_C(1516925462000000000) + i * NS_PER_MS);
    json_put_text(&json, "user.name", user);
    json_put_text(&json, "source.ip", slice_text(ip));
    json_put_i64(&json, "n", (int64_t)i * 17);
    json_put_text(&json, "ua", ua);
    json_put_text(&json, "message", text);
    json_close(&json, '}');
    row->raw = arena_copy(world->arena, buffer_slice(&line));
    row->time_ns = row->received_ns = INT64_C(1516925462000000000) + i * NS_PER_MS;
    row->seq = i + 1;
    buffer_close(&line);
    world->originals[i] = row->raw;
    world->messages[i] = text;
    uint32_t at = batch->row_count - 1;
    assert_int_equal(batch_put(batch, at, SLICE("user.name"), value_string(user)), 0);
    assert_int_equal(batch_put(batch, at, SLICE("n"), value_i64((int64_t)i * 17)), 0);
    assert_int_equal(batch_put(batch, at, SLICE("ua"), value_string(ua)), 0);
    assert_int_equal(batch_put(batch, at, SLICE("message"), value_string(text)), 0);
    assert_int_equal(batch_put(batch, at, SLICE("source.ip"), value_ip(&address, batch->arena)), 0);
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c < 0;
}

/* Grown until it begins and ends with whole words. */
static struct slice whole_words(struct slice text, struct slice piece)
{
    size_t start = (size_t)(piece.ptr - text.ptr), end = start + piece.len;
    while (start && is_word(text.ptr[start]) && is_word(text.ptr[start - 1]))
        start--;
    while (end < text.len && is_word(text.ptr[end]) && is_word(text.ptr[end - 1]))
        end++;
    return slice_sub(text, start, end - start);
}

/* A piece of a text that is there, or nearly. */
static struct expr_test some_test(struct world *world, struct slice from)
{
    static const enum test_kind kinds[] = {TEST_CONTAINS, TEST_CONTAINS, TEST_TERM, TEST_TERM, TEST_TERM,
                                           TEST_PREFIX, TEST_SUFFIX, TEST_EQUAL};
    struct expr_test test = {.kind = kinds[below(world, ARRAY_COUNT(kinds))]};
    size_t len = 1 + below(world, 14), at = below(world, from.len);
    if (test.kind == TEST_PREFIX)
        at = 0;
    struct slice piece = slice_sub(from, at, len > from.len - at ? from.len - at : len);
    if (test.kind == TEST_SUFFIX)
        piece = slice_from(from, from.len - (len > from.len ? from.len : len));
    if (test.kind == TEST_EQUAL)
        piece = from;
    if (test.kind == TEST_TERM && below(world, 4))
        piece = whole_words(from, piece);
    char *copy = arena_alloc(world->arena, 3 * piece.len + 1);
    assert_non_null(copy);
    memcpy(copy, piece.ptr, piece.len);
    if (below(world, 8) == 0)
        copy[below(world, piece.len)] ^= 1;
    test.text = slice_of(copy, piece.len);
    if (below(world, 3) == 0) {
        test.flags = TEST_CASED;
        return test;
    }
    char *folded = arena_alloc(world->arena, 3 * piece.len + 1);
    assert_non_null(folded);
    test.text = slice_of(folded, utf8_fold_text(test.text, folded));
    return test;
}

static uint64_t count_stored(struct store *store, struct slice field, const struct expr_test *test)
{
    struct arena *arena = arena_new(MIB);
    struct expr *expr = expr_new(arena, EXPR_TEST);
    expr->field = field;
    expr->test = *test;
    uint64_t count = count_rows(store, &(struct scan_request){.filter = expr});
    arena_free(arena);
    return count;
}

/* A store with the rows, in a new folder. */
static struct world *open_world(char dir[64], struct store **store)
{
    struct err err;
    struct world *world = test_calloc(1, sizeof(*world));
    folder_make(dir);
    rand_seeded_init(&world->rand, 11);
    world->arena = arena_new(64 * MIB);
    struct store_config config = {.dir = dir, .no_background = true};
    assert_int_equal(store_open(&config, store, &err), 0);
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    for (uint32_t i = 0; i < ROWS; i++)
        put_row(world, batch, i);
    assert_int_equal(batch_finish(batch), 0);
    assert_int_equal(store_append(*store, batch, &err), 0);
    assert_int_equal(store_flush(*store, &err), 0);
    batch_free(batch);
    return world;
}

static void close_world(struct world *world, struct store *store, const char *dir)
{
    store_close(store);
    arena_free(world->arena);
    test_free(world);
    folder_remove(dir);
}

static void the_same_rows_as_looking_into_every_text(void **state)
{
    (void)state;
    char dir[64];
    struct store *store;
    struct world *world = open_world(dir, &store);
    struct arena *scratch = arena_new(16 * MIB);
    uint64_t found = 0, none = 0;
    for (int n = 0; n < NEEDLES; n++) {
        bool original = below(world, 2);
        const struct slice *texts = original ? world->originals : world->messages;
        struct expr_test test = some_test(world, texts[below(world, ROWS)]);
        struct expr_scope scope = {.scratch = scratch};
        uint64_t want = 0;
        arena_reset(scratch);
        for (uint32_t i = 0; i < ROWS; i++)
            want += expr_test_value(&test, value_string(texts[i]), &scope);
        uint64_t got = count_stored(store, original ? FIELD_ORIGINAL : SLICE("message"), &test);
        if (got != want)
            fail_msg("%llu instead of %llu rows of %s, test %d, flags %u: %.*s", (unsigned long long)got,
                     (unsigned long long)want, original ? "originals" : "messages", test.kind,
                     test.flags, SLICE_ARG(test.text));
        found += want > 0;
        none += want == 0;
    }
    assert_true(found > NEEDLES / 2);
    assert_true(none > NEEDLES / 50);
    arena_free(scratch);
    close_world(world, store, dir);
}

/* ---- texts that are only matched ---- */

/* A piece of a text, some of it made more general. */
static struct slice some_pattern(struct world *world, struct slice from)
{
    struct buffer out;
    size_t at = below(world, from.len), end = at + 2 + below(world, 24);
    bool group = false;
    buffer_init(&out, MIB);
    if (below(world, 6) == 0)
        buffer_put_text(&out, below(world, 2) ? "(?i)" : "\\b");
    for (; at < end && at < from.len; at++) {
        char c = from.ptr[at];
        bool digit = c >= '0' && c <= '9', letter = is_word(c) && !digit;
        unsigned dice = (unsigned)below(world, 10);
        if (dice == 9 && !group) {
            buffer_put_text(&out, "(?<g>[^ ]+)");
            group = true;
            continue;
        }
        if (dice >= 7 && digit)
            buffer_put_text(&out, dice == 7 ? "[0-9]+" : "\\d{1,5}?");
        else if (dice >= 7 && letter)
            buffer_put_text(&out, dice == 7 ? "\\w+" : "[a-z]?.");
        else if (letter || digit)
            buffer_put_char(&out, c);
        else if (c >= ' ' && c < 127)
            buffer_printf(&out, "\\%c", c);
        else
            buffer_printf(&out, "\\x%02x", (unsigned char)c);
    }
    if (below(world, 8) == 0)
        buffer_put_text(&out, below(world, 2) ? "$" : "(?=.)");
    struct slice pattern = arena_copy(world->arena, buffer_slice(&out));
    buffer_close(&out);
    return pattern;
}

static bool same_groups(const struct regex *regex, struct slice text, struct slice given)
{
    struct regex_groups a, b;
    enum regex_result whole = regex_capture(regex, text, 0, &a);
    if (whole != regex_capture(regex, given, 0, &b) || a.count != b.count)
        return false;
    for (uint32_t i = 0; i < a.count; i++)
        if (!slice_equal(a.group[i], b.group[i]))
            return false;
    return true;
}

/* How many texts were left out. */
static uint64_t check_matching(struct world *world, struct store *store, struct slice pattern,
                               bool original, struct slice filter)
{
    static const struct slice columns[] = {{"n", 1}, {"message", 7}, {"event.original", 14}};
    struct snapshot *snapshot = store_snapshot(store);
    struct arena *arena = arena_new(4 * MIB);
    struct regex_machine *machine = regex_machine_new(arena);
    struct regex *regex;
    struct scan *scan;
    struct scan_rows rows;
    struct err err;
    uint64_t left_out = 0, seen = 0;
    assert_non_null(machine);
    assert_int_equal(regex_new_in(arena, pattern, 0, &regex, &err), 0);
    assert_true(regex_machine_add(machine, pattern));
    struct scan_request request = {.columns = columns,
                                   .column_count = original ? 3 : 2, /* one may refer to the other */
                                   .late_column = columns[original ? 2 : 1],
                                   .late_match = {machine, below(world, 4) == 0}};
    if (filter.len)
        request.filter = expr_test_new(arena, SLICE("message"), TEST_CONTAINS, 0, filter);
    assert_int_equal(scan_open(snapshot, &request, &scan, &err), 0);
    while (scan_next(scan, &rows, &err) == 1)
        for (uint32_t row = 0; row < rows.row_count; row++) {
            if (!bits_get(rows.selected, row))
                continue;
            uint32_t i = (uint32_t)(batch_first(rows.batch, row, columns[0]).i64 / 17);
            struct slice text = original ? world->originals[i] : world->messages[i];
            struct value v = batch_first(rows.batch, row, request.late_column);
            bool there = v.type == VALUE_STRING;
            seen++;
            left_out += !there;
            if (there ? !same_groups(regex, text, value_slice(v)) : regex_match(regex, text) != REGEX_NO)
                fail_msg("%.*s in %.*s, given %.*s", SLICE_ARG(pattern), SLICE_ARG(text),
                         SLICE_ARG(value_slice(v)));
            if (there && request.late_match.whole)
                assert_true(slice_equal(value_slice(v), text));
        }
    assert_int_equal(scan_get_stats(scan)->damage_count, 0);
    assert_true(filter.len ? seen > 0 : seen == ROWS);
    scan_close(scan);
    store_snapshot_release(snapshot);
    arena_free(arena);
    return left_out;
}

static void texts_that_are_matched_give_the_same_matches(void **state)
{
    (void)state;
    char dir[64];
    struct store *store;
    struct world *world = open_world(dir, &store);
    uint64_t left_out = 0;
    for (int n = 0; n < PATTERNS; n++) {
        bool original = below(world, 2);
        struct slice from = (original ? world->originals : world->messages)[below(world, ROWS)];
        struct slice filter = below(world, 3) ? SLICE("") : SLICE("password");
        left_out += check_matching(world, store, some_pattern(world, from), original, filter);
    }
    assert_true(left_out > (uint64_t)PATTERNS * ROWS / 4);
    close_world(world, store, dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_rows_as_looking_into_every_text),
        cmocka_unit_test(texts_that_are_matched_give_the_same_matches),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
