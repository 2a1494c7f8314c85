/* GELF: streams into messages, chunks into messages. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "collect/wire/gelf_chunk.h"
#include "collect/wire/gelf_frame.h"

#include "test.h"

#include <stdio.h>
#include <zlib.h>

/* --- TCP --- */

static void add(void *context, struct slice frame, bool part)
{
    struct buffer *to = context;
    buffer_put(to, part ? SLICE("part:") : SLICE(""));
    buffer_put(to, slice_sub(frame, 0, 60));
    buffer_put_char(to, '|');
}

static void expect_frames(struct slice stream, const char *wanted)
{
    static const size_t steps[] = {1, 2, 7, 100000};
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        struct gelf_frames frames;
        struct buffer got;
        buffer_init(&got, 1024 * 1024);
        gelf_frames_init(&frames);
        for (size_t at = 0; at < stream.len; at += steps[i])
            assert_int_equal(gelf_frames_feed(&frames, slice_sub(stream, at, steps[i]), add, &got), 0);
        gelf_frames_finish(&frames, add, &got);
        gelf_frames_close(&frames);
        assert_int_equal(got.len, strlen(wanted));
        assert_memory_equal(got.ptr, wanted, got.len);
        buffer_close(&got);
    }
}

static void nul_ends_messages_that_have_lines(void **state)
{
    (void)state;
    expect_frames(SLICE("{\"a\":1}\0{\n\"b\":2}\0{\"c\":\n\n{}}\0"), "{\"a\":1}|{\n\"b\":2}|{\"c\":\n\n{}}|");
    expect_frames(SLICE("\n{\n\"b\":\"}\\\"\"\n}\n\0{\"a\":1}"), "{\n\"b\":\"}\\\"\"\n}|{\"a\":1}|");
}

static void lf_ends_messages_of_one_line(void **state)
{
    (void)state;
    expect_frames(SLICE("{\"a\":{\"b\":1}}\r\n{\"c\":1}\n\n{\"d\":1}\0{\"e\":1}\n"), "{\"a\":{\"b\":1}}|{\"c\":1}|{\"d\":1}|{\"e\":1}|");
    expect_frames(SLICE("no json\n{\n}\n"), "no json|{|}|");
}

static void a_broken_first_message_does_not_swallow_the_others(void **state)
{
    (void)state;
    expect_frames(SLICE("{\"a\":1\n{\"b\":2}\n{\"c\":3}\n"), "{\"a\":1|{\"b\":2}|{\"c\":3}|");
    expect_frames(SLICE("{\"a\":\"no end\n{\"b\":2}\n"), "{\"a\":\"no end|{\"b\":2}|");
}

static void long_messages_come_in_parts(void **state)
{
    (void)state;
    struct gelf_frames frames;
    struct buffer stream, got;
    buffer_init(&stream, 8 * MIB);
    buffer_init(&got, MIB);
    gelf_frames_init(&frames);
    buffer_put_text(&stream, "{\"a\":\"");
    for (size_t i = 0; i < EVENT_BYTES_MAX; i++)
        buffer_put_char(&stream, 'x');
    buffer_put(&stream, SLICE("\"}\0{\"b\":1}\0"));
    assert_int_equal(gelf_frames_feed(&frames, buffer_slice(&stream), add, &got), 0);
    buffer_put_char(&got, '\0');
    assert_memory_equal(got.ptr, "part:{\"a\":\"xxx", 14);
    assert_non_null(strstr(got.ptr, "|part:xxxxxx\"}|{\"b\":1}|"));
    gelf_frames_close(&frames);
    buffer_close(&stream);
    buffer_close(&got);
}

/* --- UDP --- */

static struct slice chunk(struct buffer *to, char id, unsigned char number, unsigned char count, struct slice bytes)
{
    buffer_clear(to);
    buffer_put(to, SLICE("\x1e\x0f" "sameid."));
    buffer_put_char(to, id);
    buffer_put_char(to, (char)number);
    buffer_put_char(to, (char)count);
    buffer_put(to, bytes);
    return buffer_slice(to);
}

struct world {
    struct gelf_chunks *chunks;
    struct buffer room;
    struct slice message;
    int64_t now_ns;
};

static enum gelf_datagram take(struct world *world, const char *peer, char id, unsigned char number, unsigned char count,
                               struct slice bytes)
{
    return gelf_chunks_take(world->chunks, chunk(&world->room, id, number, count, bytes), slice_text(peer), world->now_ns,
                            &world->message);
}

static int make_world(void **state)
{
    static struct world world;
    world = (struct world){.chunks = gelf_chunks_new()};
    buffer_init(&world.room, MIB);
    *state = &world;
    return world.chunks ? 0 : -1;
}

static int end_world(void **state)
{
    struct world *world = *state;
    gelf_chunks_free(world->chunks);
    buffer_close(&world->room);
    return 0;
}

static void chunks_of_any_order_make_the_message(void **state)
{
    struct world *world = *state;
    assert_int_equal(take(world, "a:1", '1', 2, 3, SLICE("c}")), GELF_WAITS);
    assert_int_equal(take(world, "a:1", '1', 0, 3, SLICE("{a")), GELF_WAITS);
    assert_int_equal(take(world, "a:1", '1', 0, 3, SLICE("{a")), GELF_WAITS);   /* twice */
    assert_int_equal(take(world, "b:1", '1', 1, 3, SLICE("zz")), GELF_WAITS);   /* another sender */
    assert_int_equal(take(world, "a:1", '2', 1, 3, SLICE("yy")), GELF_WAITS);   /* another message */
    assert_int_equal(take(world, "a:1", '1', 1, 3, SLICE("bb")), GELF_MESSAGE);
    assert_true(slice_is(world->message, "{abbc}"));
    assert_int_equal(gelf_chunks_waiting(world->chunks), 2);
    assert_int_equal(gelf_chunks_lost(world->chunks), 0);
}

static void what_is_missing_for_five_seconds_is_counted(void **state)
{
    struct world *world = *state;
    assert_int_equal(take(world, "a:1", '1', 0, 2, SLICE("{")), GELF_WAITS);
    world->now_ns += 5 * NS_PER_SECOND;
    assert_int_equal(take(world, "a:1", '2', 0, 2, SLICE("{")), GELF_WAITS);
    assert_int_equal(gelf_chunks_lost(world->chunks), 0);
    world->now_ns += 1;
    assert_int_equal(take(world, "a:1", '1', 1, 2, SLICE("}")), GELF_WAITS); /* begins anew */
    assert_int_equal(gelf_chunks_lost(world->chunks), 1);
    gelf_chunks_expire(world->chunks, world->now_ns + 6 * NS_PER_SECOND);
    assert_int_equal(gelf_chunks_lost(world->chunks), 3);
    assert_int_equal(gelf_chunks_waiting(world->chunks), 0);
}

static void what_waits_is_bounded(void **state)
{
    struct world *world = *state;
    char peer[16];
    for (int i = 0; i < GELF_WAITING_MAX + 10; i++) {
        snprintf(peer, sizeof(peer), "a:%d", i);
        assert_int_equal(take(world, peer, '1', 0, 2, SLICE("{")), GELF_WAITS);
    }
    assert_int_equal(gelf_chunks_waiting(world->chunks), GELF_WAITING_MAX);
    assert_int_equal(gelf_chunks_lost(world->chunks), 10);
    char large[60000];
    memset(large, 'x', sizeof(large));
    for (size_t i = 0; i < GELF_WAITING_BYTES_MAX / sizeof(large) + 2; i++) {
        snprintf(peer, sizeof(peer), "b:%zu", i);
        assert_int_equal(take(world, peer, '1', 0, 2, slice_of(large, sizeof(large))), GELF_WAITS);
    }
    assert_true(gelf_chunks_waiting(world->chunks) <= GELF_WAITING_BYTES_MAX / sizeof(large));
}

static void chunks_that_are_none_are_said_to_be(void **state)
{
    struct world *world = *state;
    assert_int_equal(take(world, "a:1", '1', 2, 2, SLICE("x")), GELF_BROKEN);
    assert_int_equal(take(world, "a:1", '1', 0, 0, SLICE("x")), GELF_BROKEN);
    assert_int_equal(take(world, "a:1", '1', 0, 129, SLICE("x")), GELF_BROKEN);
    assert_int_equal(gelf_chunks_take(world->chunks, SLICE("\x1e\x0f" "12"), SLICE("a:1"), 0, &world->message), GELF_BROKEN);
    assert_int_equal(gelf_chunks_waiting(world->chunks), 0);
}

static void packed_messages_are_unpacked_and_broken_ones_kept(void **state)
{
    struct world *world = *state;
    static const char text[] = "{\"short_message\":\"hello\"}";
    unsigned char packed[200];
    uLongf len = sizeof(packed);
    assert_int_equal(compress(packed, &len, (const Bytef *)text, sizeof(text) - 1), Z_OK);
    struct slice whole = slice_of(packed, len);
    assert_int_equal(gelf_chunks_take(world->chunks, whole, SLICE("a:1"), 0, &world->message), GELF_MESSAGE);
    assert_true(slice_is(world->message, text));
    assert_int_equal(take(world, "a:1", '1', 1, 2, slice_from(whole, 7)), GELF_WAITS);
    assert_int_equal(take(world, "a:1", '1', 0, 2, slice_sub(whole, 0, 7)), GELF_MESSAGE);
    assert_true(slice_is(world->message, text));
    struct slice cut = slice_sub(whole, 0, whole.len - 4);
    assert_int_equal(gelf_chunks_take(world->chunks, cut, SLICE("a:1"), 0, &world->message), GELF_MESSAGE);
    assert_true(slice_equal(world->message, cut));
}

static void a_failed_allocation_costs_one_message_and_is_counted(void **state)
{
    struct world *world = *state;
    chunk(&world->room, '0', 0, 1, SLICE("{")); /* the test's own memory */
    for (int n = 0; n < 6; n++) {
        uint64_t lost = gelf_chunks_lost(world->chunks);
        char id = (char)('a' + n);
        mem_fail_after(n);
        enum gelf_datagram first = take(world, "a:1", id, 0, 2, SLICE("{")), second = take(world, "a:1", id, 1, 2, SLICE("}"));
        mem_fail_after(-1);
        assert_int_equal(first, GELF_WAITS);
        assert_true(second == GELF_MESSAGE || gelf_chunks_lost(world->chunks) > lost);
    }
    gelf_chunks_expire(world->chunks, INT64_MAX);
    assert_int_equal(gelf_chunks_waiting(world->chunks), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nul_ends_messages_that_have_lines),
        cmocka_unit_test(lf_ends_messages_of_one_line),
        cmocka_unit_test(a_broken_first_message_does_not_swallow_the_others),
        cmocka_unit_test(long_messages_come_in_parts),
        cmocka_unit_test_setup_teardown(chunks_of_any_order_make_the_message, make_world, end_world),
        cmocka_unit_test_setup_teardown(what_is_missing_for_five_seconds_is_counted, make_world, end_world),
        cmocka_unit_test_setup_teardown(what_waits_is_bounded, make_world, end_world),
        cmocka_unit_test_setup_teardown(chunks_that_are_none_are_said_to_be, make_world, end_world),
        cmocka_unit_test_setup_teardown(a_failed_allocation_costs_one_message_and_is_counted, make_world, end_world),
        cmocka_unit_test_setup_teardown(packed_messages_are_unpacked_and_broken_ones_kept, make_world, end_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
