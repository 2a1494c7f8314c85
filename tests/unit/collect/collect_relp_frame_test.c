/* RELP's frames: what they hold, in parts when they are long, and where a stream stops being RELP. */
#include "base/buffer.h"
#include "base/limits.h"
#include "collect/wire/relp_frame.h"

#include "test.h"

static void add(void *context, const struct relp_frame *frame)
{
    buffer_printf(context, "%u %s [%.*s]%s%s\n", frame->number, frame->command, SLICE_ARG(frame->data), frame->part ? " part" : "",
                  frame->last ? "" : " more");
}

static int feed(const char *text, struct buffer *seen)
{
    struct relp_frames frames;
    relp_frames_init(&frames);
    buffer_init(seen, 4 * EVENT_BYTES_MAX);
    int result = relp_frames_feed(&frames, slice_text(text), add, seen);
    relp_frames_close(&frames);
    buffer_put_char(seen, '\0');
    return result;
}

static void expect(const char *text, int result, const char *wanted)
{
    struct buffer seen;
    assert_int_equal(feed(text, &seen), result);
    assert_string_equal(seen.ptr, wanted);
    buffer_close(&seen);
}

static void frames_are_cut_by_their_length(void **state)
{
    (void)state;
    expect("1 open 9 a=1\nb=2\nc\n2 syslog 3 x y\n3 close 0\n", 0, "1 open [a=1\nb=2\nc]\n2 syslog [x y]\n3 close []\n");
    expect("4 syslog 0 \n5 syslog 1 z\n", 0, "4 syslog []\n5 syslog [z]\n");
    expect("6 syslog 5 ab", 0, "");
}

static void what_is_no_frame_ends_the_stream(void **state)
{
    (void)state;
    expect("1 syslog 2 abc\n", -1, "");              /* longer than it says */
    expect("1 syslog 2 ab\nGET / HTTP/1.1\r\n", -1, "1 syslog [ab]\n");
    expect("1 syslog 9999999999 x\n", -1, "");        /* ten digits */
    expect("x syslog 1 a\n", -1, "");
    expect("1 sys-log 1 a\n", -1, "");
    expect("<34>a message that is no RELP at all, and longer than a head can be\n", -1, "");
    expect("1 syslog 3\nabc\n", -1, "");
}

static void a_long_message_comes_in_parts(void **state)
{
    (void)state;
    struct relp_frames frames;
    struct buffer text, seen;
    buffer_init(&text, 4 * EVENT_BYTES_MAX);
    buffer_init(&seen, 4 * EVENT_BYTES_MAX);
    buffer_printf(&text, "7 syslog %zu ", EVENT_BYTES_MAX + 2);
    for (size_t i = 0; i < EVENT_BYTES_MAX + 2; i++)
        buffer_put_char(&text, i < EVENT_BYTES_MAX ? 'a' : 'b');
    buffer_put_char(&text, '\n');
    relp_frames_init(&frames);
    assert_int_equal(relp_frames_feed(&frames, buffer_slice(&text), add, &seen), 0);
    assert_true(slice_ends(buffer_slice(&seen), SLICE("a] part more\n7 syslog [bb] part\n")));
    relp_frames_close(&frames);
    buffer_close(&text);
    buffer_close(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_cut_by_their_length),
        cmocka_unit_test(what_is_no_frame_ends_the_stream),
        cmocka_unit_test(a_long_message_comes_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
