/* Templates of lines, the decoder that came nearest, and the decoder that is offered for a template: whatever the lines
 * are, it loads, takes them, and cuts them without an error. */
#include "serve/sample_text.h"

#include "decode/decode.h"
#include "decode/stamp_zone.h"

#include "test.h"

static struct arena *arena;

static struct template *template_of(const struct slice *lines, size_t count)
{
    static struct templates all;
    struct template *last = NULL;
    templates_init(&all, arena, 0.5, 100);
    for (size_t i = 0; i < count; i++)
        assert_non_null(last = templates_add(&all, lines[i]));
    assert_int_equal(all.count, 1);
    return last;
}

static struct slice decoder_for(const struct slice *lines, size_t count, bool inner)
{
    struct sample_about about = {.template = template_of(lines, count), .inner = inner, .corrects = SLICE("none")};
    for (size_t i = 0; i < count && i < UNKNOWN_SAMPLES_MAX; i++)
        about.samples[about.sample_count++] = lines[i];
    return sample_decoder(&about, arena);
}

/* Whether a decoder alone takes each of the lines, whole. */
static void takes_all(struct slice yaml, const struct slice *lines, size_t count)
{
    struct decoders *decoders;
    struct err err;
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    struct buffer body;
    if (decoders_load_text(yaml, "offered.yaml", &decoders, &err) < 0)
        fail_msg("%s\n%.*s", err.text, SLICE_ARG(yaml));
    buffer_init(&body, MIB);
    for (size_t i = 0; i < count; i++)
        delivery_put_record(&body, lines[i], SLICE(""));
    struct delivery delivery = {.framing = FRAMING_RECORDS, .event_count = (uint32_t)count,
                                .body = buffer_slice(&body), .received_ns = NS_PER_DAY};
    struct decode *decode = decode_new(decoders);
    struct decode_place place = {0};
    assert_int_equal(decode_delivery(decode, &delivery, &place, batch, &err), 0);
    assert_int_equal(batch->row_count, count);
    for (uint32_t row = 0; row < count; row++)
        if (batch->rows[row].flags & (EVENT_NOT_UNDERSTOOD | EVENT_DECODE_ERROR))
            fail_msg("%.*s\nis not taken by\n%.*s", SLICE_ARG(lines[row]), SLICE_ARG(yaml));
    decode_free(decode);
    decoders_free(decoders);
    buffer_close(&body);
    batch_free(batch);
}

static void an_offered_decoder_takes_its_lines(void **state)
{
    static const struct {
        const char *lines[3];
        size_t count;
    } cases[] = {
        {{"login of ann from 10.0.0.1", "login of bob from 10.0.0.2"}, 2},
        {{"it's 'quoted': yes # no {a} [b] & *c", "it's 'quoted': yes # no {a} [b] & *d1"}, 2},
        {{"wide   gap  7 between   words", "wide   gap  8 between   words"}, 2},
        {{"   begins late 1", "   begins late 2"}, 2},
        {{"two lines 1 here\n\tat one()\n\tat two()"}, 1},
        {{"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 many fields"}, 1},
        {{"state=up load=3 note='it is' verdict=fine", "state=up load=4 note='it is' verdict=bad"}, 2},
        {{"trade|buy|XEM|12|acct seven", "trade|buy|BTC|13|acct seven"}, 2},
        {{"tab\tbetween\tthese\twords"}, 1},
        {{"<Thing name=\"x\"><Part>1</Part></Thing>"}, 1},
        {{"<img src=x onerror=alert(1)> nobody knows"}, 1},
        {{"口座 7 の出金を 保留しました", "口座 8 の出金を 保留しました"}, 2},
        {{"{\"note\": \"n1\", \"n\": 1, \"a b\": 2}", "{\"note\": \"n2\", \"n\": 3, \"c d\": 4}"}, 2},
        {{"always the same words"}, 1},
        {{"a \\ back\\slash 1 and %{ is not a field"}, 1},
    };
    (void)state;
    size_t offered = 0;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        arena_reset(arena);
        struct slice lines[3];
        for (size_t k = 0; k < cases[i].count; k++)
            lines[k] = slice_text(cases[i].lines[k]);
        struct slice yaml = decoder_for(lines, cases[i].count, false);
        if (!yaml.ptr)
            continue;
        takes_all(yaml, lines, cases[i].count);
        offered++;
    }
    assert_int_equal(offered, ARRAY_COUNT(cases) - 1); /* the last has no pattern that could be written */
}

static void nothing_is_offered_where_nothing_stands_still(void **state)
{
    const struct slice numbers[] = {SLICE("17 18"), SLICE("19 20")}, bytes[] = {SLICE("some \xff words here")},
                       lines[] = {SLICE("some \xe2\x80\xa8 words here")}, broken[] = {SLICE("{\"broken\": 1")}, escape[] = {SLICE("red \x1b[31m words here")};
    (void)state;
    assert_null(decoder_for(numbers, 2, false).ptr);
    assert_null(decoder_for(bytes, 1, false).ptr);
    assert_null(decoder_for(lines, 1, false).ptr); /* U+2028 ends a line of YAML */
    assert_null(decoder_for(broken, 1, false).ptr);
    assert_null(decoder_for(escape, 1, false).ptr);
}

static void a_sample_is_not_cut_within_a_character(void **state)
{
    (void)state;
    assert_true(slice_is(sample_text_cut(SLICE("abc"), 3), "abc"));
    assert_true(slice_is(sample_text_cut(SLICE("ab\xe5\x8f\xa3"), 4), "ab"));
    assert_int_equal(sample_text_cut(SLICE("a\xff\xff\xff\xff\xff"), 4).len, 4);
}

static void who_comes_near_is_named_with_what_is_lacking(void **state)
{
    static const char yaml[] = "name: vault\nversion: 1\nsummary: s\nrecognise: {contains: ['vault ', ' sealed '], regex: '^\\d+ '}\nsteps:\n  - stop:\n"
                               "---\nname: other\nversion: 1\nsummary: s\nrecognise: {json: [wallet, asset, amount]}\nsteps:\n  - stop:\n";
    struct decoders *decoders;
    struct err err;
    (void)state;
    assert_int_equal(decoders_load_text(slice_text(yaml), "x.yaml", &decoders, &err), 0);
    struct decode *decode = decode_new(decoders);
    struct nearly nearly = decode_nearest(decode, SLICE("the vault was sealed by ann"), false);
    assert_true(nearly.decoder && slice_is(nearly.decoder->name, "vault"));
    assert_true(nearly.met == 2 && nearly.asked == 3 && nearly.lacks == LACKS_REGEX && slice_is(nearly.what, "^\\d+ "));
    assert_null(decode_nearest(decode, SLICE("7 nobody"), false).decoder); /* a regex alone is no sign */
    nearly = decode_nearest(decode, SLICE("{\"wallet\": 1, \"asset\": \"XEM\"}"), false);
    assert_true(nearly.decoder && nearly.met == 2 && nearly.lacks == LACKS_KEY && slice_is(nearly.what, "amount"));
    assert_null(decode_nearest(decode, SLICE("{\"wallet\": 1}"), false).decoder);
    decode_free(decode);
    decoders_free(decoders);
}

static void a_zone_is_told_by_quarters_of_an_hour(void **state)
{
    int32_t offset_s;
    (void)state;
    assert_true(stamp_zone_offset(9 * NS_PER_HOUR - 30 * NS_PER_SECOND, &offset_s) && offset_s == 9 * 3600);
    assert_true(stamp_zone_offset(-330 * NS_PER_MINUTE, &offset_s) && offset_s == -330 * 60);
    assert_false(stamp_zone_offset(5 * NS_PER_MINUTE, &offset_s));
    assert_false(stamp_zone_offset(20 * NS_PER_HOUR, &offset_s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offered_decoder_takes_its_lines),
        cmocka_unit_test(nothing_is_offered_where_nothing_stands_still),
        cmocka_unit_test(a_sample_is_not_cut_within_a_character),
        cmocka_unit_test(who_comes_near_is_named_with_what_is_lacking),
        cmocka_unit_test(a_zone_is_told_by_quarters_of_an_hour),
    };
    arena = arena_new(16 * MIB);
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return result;
}
