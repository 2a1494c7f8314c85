#include "decode/decode.h"

#include "base/mem.h"

#include "test.h"

static struct err err;

/* Decoders from text, one delivery, everything in one batch; the caller frees it. */
static struct batch *decode_with(const char *file, const struct delivery *delivery)
{
    struct decoders *decoders;
    assert_int_equal(decoders_load_text(slice_text(file), "t.yaml", &decoders, &err), 0);
    struct decode *decode = decode_new(decoders);
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    struct decode_place place = {0};
    assert_int_equal(decode_delivery(decode, delivery, &place, batch, &err), 0);
    assert_int_equal(decode_finish(batch, &err), 0);
    decode_free(decode);
    decoders_free(decoders);
    return batch;
}

static struct delivery lines(const char *text)
{
    struct delivery delivery = {.framing = FRAMING_LINES, .body = slice_text(text)};
    delivery.received_ns = 1772323200 * NS_PER_SECOND; /* 2026-03-01 */
    delivery.first_seq = 100;
    delivery.origin.source = SLICE("test");
    return delivery;
}

static void expect_text(const struct batch *batch, uint32_t row, const char *field,
                        const char *wanted)
{
    char room[VALUE_TEXT_SIZE];
    struct slice text = value_text_small(batch_first(batch, row, slice_text(field)), room);
    if (!wanted)
        assert_int_equal(batch_first(batch, row, slice_text(field)).type, VALUE_NULL);
    else if (!slice_is(text, wanted))
        fail_msg("%s is '%.*s'", field, SLICE_ARG(text));
}

static void expect_refused(const char *file, const char *wanted)
{
    struct decoders *decoders;
    assert_int_equal(decoders_load_text(slice_text(file), "t.yaml", &decoders, &err), -1);
    assert_string_equal(err.text, wanted);
    assert_null(decoders);
}

#define HEAD "name: t\nversion: 2\ndataset: my.data\nrecognise: {starts_with: ['>']}\nsteps:\n"

static void what_no_decoder_takes_stays_raw(void **state)
{
    (void)state;
    struct delivery delivery = lines("hello\n{\"a\":\n");
    struct batch *batch = decode_with(HEAD "  - set: {a: 1}\n", &delivery);
    assert_int_equal(batch->row_count, 2);
    assert_int_equal(batch->rows[0].flags, EVENT_NOT_UNDERSTOOD | EVENT_TIME_GUESSED);
    expect_text(batch, 0, "message", "hello");
    expect_text(batch, 0, "tags", "_not_understood");
    expect_text(batch, 0, "event.original", "hello");
    expect_text(batch, 0, "@timestamp", "2026-03-01T00:00:00Z");
    assert_int_equal(batch->rows[1].seq, 101);
    expect_text(batch, 1, "error.message", "JSON ends at byte 5: a value expected");
    batch_free(batch);
}

static void a_decoder_that_stops_keeps_what_it_won(void **state)
{
    (void)state;
    struct delivery delivery = lines(">a b\n>a\n");
    struct batch *batch = decode_with(HEAD "  - set: {first: 1}\n"
                                           "  - dissect: '>%{x} %{y}'\n"
                                           "  - set: {last: 1}\n",
                                      &delivery);
    expect_text(batch, 0, "y", "b");
    expect_text(batch, 0, "last", "1");
    expect_text(batch, 0, "hinomi.decoder", "t@2");
    expect_text(batch, 0, "event.dataset", "my.data");
    expect_text(batch, 1, "first", "1");
    expect_text(batch, 1, "last", NULL);
    assert_true(batch->rows[1].flags & EVENT_DECODE_ERROR);
    expect_text(batch, 1, "error.message", "decoder t, line 7: the text does not fit the pattern");
    batch_free(batch);
}

/* Records leave keys out; who names the source knows what it is. */
static void a_named_record_may_lack_some_keys(void **state)
{
    (void)state;
    struct delivery delivery = lines("{\"a\":1,\"b\":2}\n{\"a\":1}\n{\"a\":1,\"b\":3,\"c\":4}\n");
    delivery.origin.dataset = SLICE("T");
    struct batch *batch = decode_with("name: t\nversion: 1\nrecognise: {sources: [t], json: [a, b, c, d=x]}\nsteps:\n  - json: {under: t}\n"
                                      "---\nname: u\nversion: 1\nrecognise: {sources: [T, u], json: [a, b, c]}\nsteps:\n  - json: {under: u}\n",
                                      &delivery);
    expect_text(batch, 0, "hinomi.decoder", NULL); /* t is called so, but d is not x */
    expect_text(batch, 1, "hinomi.decoder", NULL);
    expect_text(batch, 2, "hinomi.decoder", "u@1"); /* all keys of u are there */
    batch_free(batch);
    batch = decode_with("name: t\nversion: 1\nrecognise: {sources: [t], json: [a, b, c]}\nsteps:\n  - json: {under: t}\n", &delivery);
    expect_text(batch, 0, "t.b", "2");
    expect_text(batch, 1, "hinomi.decoder", NULL); /* a third is not half */
    batch_free(batch);
}

static void steps_do_what_they_say(void **state)
{
    (void)state;
    struct delivery delivery = lines(">n=007 m=1.50 ip=1.2.3.4 l=a,b t=1516924800 h=0x1F u=Aoi\n");
    struct batch *batch = decode_with(
        HEAD "  - kv: {under: k}\n"
             "  - rename: {k.ip: source.ip}\n"
             "  - convert: {k.m: decimal, k.h: hex, k.u: lowercase}\n"
             "  - date: {from: k.t, formats: [epoch]}\n"
             "  - split: {k.l: ','}\n"
             "  - lookup: {from: k.u, to: who, table: {aoi: person}, otherwise: nobody}\n"
             "  - set: {text: 'x ${k.u} ${source.ip}', gone: '${nothing}', many: [a, 2]}\n"
             "  - set: {yes: 1}\n"
             "    when: \"'k.h' > 30 AND isnotnull(who)\"\n"
             "  - choose: who\n"
             "    cases: {person: {chosen: 1}}\n"
             "  - append: {related.user: [k.u, k.u, who]}\n"
             "  - drop: who\n",
        &delivery);
    expect_text(batch, 0, "k.m", "1.50");
    expect_text(batch, 0, "k.h", "31");
    expect_text(batch, 0, "source.ip", "1.2.3.4");
    assert_int_equal(batch_first(batch, 0, SLICE("source.ip")).type, VALUE_IP);
    expect_text(batch, 0, "@timestamp", "2018-01-26T00:00:00Z");
    assert_int_equal(batch_find(batch, SLICE("k.l"))->count, 2);
    expect_text(batch, 0, "text", "x aoi 1.2.3.4");
    expect_text(batch, 0, "gone", NULL);
    assert_int_equal(batch_find(batch, SLICE("many"))->count, 2);
    expect_text(batch, 0, "yes", "1");
    expect_text(batch, 0, "chosen", "1");
    assert_int_equal(batch_find(batch, SLICE("related.user"))->count, 2);
    expect_text(batch, 0, "who", NULL);
    batch_free(batch);
}

static void hints_fill_what_the_event_does_not_say(void **state)
{
    (void)state;
    struct delivery delivery = lines("");
    struct buffer body;
    buffer_init(&body, MIB);
    delivery_put_record(&body, SLICE("plain"),
                        SLICE("time=1516924800.5\x1fhost=h1\x1f"
                              "source=/var/x\x1fsourcetype=my:type\x1f"
                              "fields={\"extra\":7}"));
    delivery.framing = FRAMING_RECORDS;
    delivery.body = buffer_slice(&body);
    struct batch *batch = decode_with(HEAD "  - set: {a: 1}\n", &delivery);
    expect_text(batch, 0, "@timestamp", "2018-01-26T00:00:00.500Z");
    expect_text(batch, 0, "host.name", "h1");
    expect_text(batch, 0, "log.file.path", "/var/x");
    expect_text(batch, 0, "event.dataset", "my:type");
    expect_text(batch, 0, "extra", "7");
    batch_free(batch);
    buffer_close(&body);
}

static void stamps_far_away_are_marked(void **state)
{
    (void)state;
    struct delivery delivery = lines("{\"@timestamp\":\"2031-01-01T00:00:00Z\"}\n"
                                     "{\"@timestamp\":\"soon\"}\n");
    struct batch *batch = decode_with("name: j\nversion: 1\nrecognise: {format: json}\n"
                                      "steps: [{json: }]\n",
                                      &delivery);
    assert_true(batch->rows[0].flags & EVENT_TIME_CLAMPED);
    expect_text(batch, 0, "@timestamp", "2031-01-01T00:00:00Z");
    assert_true(batch->rows[1].flags & EVENT_TIME_GUESSED);
    expect_text(batch, 1, "hinomi.sent_time", "soon");
    batch_free(batch);
}

/* However the batches are cut, the events are the same and none is lost. */
static void full_batches_are_handed_on(void **state)
{
    (void)state;
    struct buffer body;
    struct decoders *decoders;
    struct decode_place place = {0};
    uint64_t rows = 0, sum = 0;
    int more;
    buffer_init(&body, 64 * MIB);
    for (int i = 0; i < 3 * BATCH_ROWS_MAX + 7; i++)
        buffer_printf(&body, ">%d\n", i);
    for (int i = 0; i < 9; i++) { /* half a batch each */
        buffer_put_char(&body, '>');
        memset(buffer_reserve(&body, BATCH_BYTES_MAX / 2), 'x', BATCH_BYTES_MAX / 2);
        buffer_commit(&body, BATCH_BYTES_MAX / 2);
        buffer_put_char(&body, '\n');
    }
    struct delivery delivery = lines("");
    delivery.body = buffer_slice(&body);
    assert_int_equal(decoders_load_text(SLICE(HEAD "  - set: {a: 1}\n"), "t", &decoders, &err), 0);
    struct decode *decode = decode_new(decoders);
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    do {
        more = decode_delivery(decode, &delivery, &place, batch, &err);
        assert_true(more >= 0 && batch->row_count > 0 && batch->row_count <= BATCH_ROWS_MAX);
        for (uint32_t i = 0; i < batch->row_count; i++)
            sum += batch->rows[i].seq - 100;
        rows += batch->row_count;
        batch_reset(batch);
    } while (more);
    uint64_t count = 3 * BATCH_ROWS_MAX + 7 + 9;
    assert_int_equal(rows, count);
    assert_int_equal(sum, count * (count - 1) / 2);
    batch_free(batch);
    decode_free(decode);
    decoders_free(decoders);
    buffer_close(&body);
}

static void wrong_files_are_named_with_their_line(void **state)
{
    (void)state;
    expect_refused("name: t\nversion: 1\nsteps:\n  - renam: {a: b}\n",
                   "t.yaml: line 4: there is no step 'renam'");
    assert_string_equal(err.suggestion, "rename");
    expect_refused("name: t\nversion: 0\n",
                   "t.yaml: line 2: 'version' must be a whole number from 1 on");
    expect_refused("name: t\nversion: 1\nsteps:\n  - date: {from: a, formats: ['%Q%q']}\n",
                   "t.yaml: line 4: the time pattern has an unknown directive at byte 2: %q");
    expect_refused("name: t\nversion: 1\nsteps:\n  - dissect: '%{a}%{b}'\n",
                   "t.yaml: line 4: two keys of the pattern need something between them");
    expect_refused("name: t\nversion: 1\nsteps:\n  - decoder: other\n",
                   "t.yaml: line 4: there is no decoder 'other'");
    expect_refused("name: t\nversion: 1\n---\nname: t\nversion: 1\n",
                   "t.yaml: line 4: there is already a decoder 't'");
    expect_refused("name: t\nversion: 1\nsteps:\n  - json: {form: x}\n",
                   "t.yaml: line 4: 'json' has no option 'form'");
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    struct delivery delivery = lines("{\"a\":[1,2.5],\"b\":\"x\\ty\"}\nhello\n");
    for (int n = 0, done = 0; !done; n++) {
        struct decoders *decoders = NULL;
        struct decode *decode = NULL;
        struct batch *batch = NULL;
        struct decode_place place = {0};
        mem_fail_after(n);
        if (decoders_load_text(SLICE("name: j\nversion: 1\nrecognise: {format: json}\n"
                                     "steps: [{json: }, {set: {c: '${b}'}}]\n"),
                               "t", &decoders, &err) == 0 &&
            (decode = decode_new(decoders)) && (batch = batch_new(BATCH_ARENA_MAX)))
            done = decode_delivery(decode, &delivery, &place, batch, &err) == 0 &&
                   batch->row_count == 2;
        mem_fail_after(-1);
        batch_free(batch);
        decode_free(decode);
        decoders_free(decoders);
        assert_true(n < 10000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_decoder_takes_stays_raw),
        cmocka_unit_test(a_decoder_that_stops_keeps_what_it_won),
        cmocka_unit_test(a_named_record_may_lack_some_keys),
        cmocka_unit_test(steps_do_what_they_say),
        cmocka_unit_test(hints_fill_what_the_event_does_not_say),
        cmocka_unit_test(stamps_far_away_are_marked),
        cmocka_unit_test(full_batches_are_handed_on),
        cmocka_unit_test(wrong_files_are_named_with_their_line),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
