/* Entries of collect: what is read, and the sentences for what is wrong. */
#include "base/clock.h"
#include "collect/collector.h"
#include "collect/drop.h"
#include "collect/quota.h"
#include "cut/yaml.h"

#include "test.h"

#include <stdlib.h>

static struct arena *arena;

static int read_entry(const char *text, struct collector_settings *out, struct err *err)
{
    const struct yaml_node *const *documents;
    size_t count;
    arena_reset(arena);
    assert_int_equal(yaml_parse(slice_text(text), arena, &documents, &count, err), 0);
    return collector_settings_read(documents[0], arena, out, err);
}

static void expect_error(const char *text, const char *wanted)
{
    struct collector_settings settings;
    struct err err;
    assert_int_equal(read_entry(text, &settings, &err), -1);
    if (!strstr(err.text, wanted))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, err.text, wanted);
}

static void what_is_written_counts_and_the_rest_is_usual(void **state)
{
    (void)state;
    struct collector_settings settings;
    struct err err;
    assert_int_equal(read_entry("{kind: syslog, name: fw, port: 0, transport: udp, time_zone: Asia/Tokyo}", &settings, &err), 0);
    assert_true(slice_is(settings.name, "fw"));
    assert_true(slice_is(settings.stream, "main"));
    assert_true(slice_is(settings.zone, "Asia/Tokyo"));
    assert_null(settings.dataset.ptr);
    assert_true(settings.enabled);
    assert_int_equal(settings_number(&settings, "port"), 0);
    assert_string_equal(settings_string(&settings, "address"), "127.0.0.1");
    assert_true(settings_has(&settings, "transport", "udp"));
    assert_false(settings_has(&settings, "transport", "tcp"));
    assert_false(settings_bool(&settings, "insecure_plaintext"));
    assert_int_equal(read_entry("{kind: syslog}", &settings, &err), 0);
    assert_true(slice_is(settings.name, "syslog"));
    assert_true(settings_has(&settings, "transport", "tcp"));
}

static void what_is_wrong_is_named_with_what_to_do(void **state)
{
    (void)state;
    expect_error("[syslog]", "a mapping such as");
    expect_error("{port: 514}", "needs its kind: one of ");
    expect_error("{kind: syslg}", "no kind of collector 'syslg'; there are ");
    expect_error("{kind: syslog, prot: 514}", "no option 'prot'; did you mean 'port'?");
    expect_error("{kind: syslog, port: 70000}", "a port from 0");
    expect_error("{kind: syslog, port: x}", "line 1: port");
    expect_error("{kind: syslog, address: here}", "an IP address");
    expect_error("{kind: syslog, transport: smoke}", "'smoke' is none of udp, tcp, tls");
    expect_error("{kind: syslog, transport: []}", "transport is udp, tcp");
    expect_error("{kind: syslog, transport: [udp, tls]}", "tls alone");
    expect_error("{kind: syslog, address: 0.0.0.0}", "insecure_plaintext: true");
    expect_error("{kind: syslog, transport: tls, certificate: /a}", "come together");
    expect_error("{kind: syslog, certificate: /a, key: /b}", "transport: tls");
    expect_error("{kind: syslog, time_zone: Asia/Tokio}", "no time zone 'Asia/Tokio'");
    expect_error("{kind: syslog, name: a b}", "1 to 64 letters");
    expect_error("{kind: syslog, name: hinomi.drop}", "the program's own");
    expect_error("{kind: syslog, enabled: maybe}", "true or false");
}

static void every_kind_says_what_its_options_do(void **state)
{
    (void)state;
    for (size_t i = 0; collector_kinds[i]; i++) {
        const struct collector_kind *kind = collector_kinds[i];
        assert_true(kind->summary && kind->open && kind->free && kind->counts);
        for (size_t k = 0; k < kind->option_count; k++) {
            assert_non_null(kind->options[k].summary);
            bool chooses = kind->options[k].type == SETTING_CHOICE || kind->options[k].type == SETTING_CHOICES;
            assert_int_equal(chooses, kind->options[k].choices != NULL);
            for (size_t c = 0; collector_common[c].name; c++)
                assert_string_not_equal(kind->options[k].name, collector_common[c].name);
        }
    }
}

static void a_quota_lets_a_burst_pass_and_then_its_rate(void **state)
{
    (void)state;
    struct quotas *quotas = quotas_new();
    int64_t now = 5 * NS_PER_SECOND;
    assert_int_equal(quotas_spend(quotas, SLICE("a"), 100, 900, now), 0);
    assert_int_equal(quotas_spend(quotas, SLICE("a"), 100, 600, now), 0); /* begun while something was left: whole */
    assert_int_equal(quotas_spend(quotas, SLICE("a"), 100, 1, now), 6);   /* 500 too many are waited for */
    assert_int_equal(quotas_spend(quotas, SLICE("b"), 100, 1, now), 0);   /* another token is not in its way */
    now += 4 * NS_PER_SECOND;
    assert_int_equal(quotas_spend(quotas, SLICE("a"), 100, 1, now), 2);
    now += 2 * NS_PER_SECOND;
    uint64_t passed = 0;
    for (int second = 0; second < 1000; second++, now += NS_PER_SECOND)
        while (quotas_spend(quotas, SLICE("a"), 100, 10, now) == 0)
            passed += 10;
    assert_in_range(passed, 100000 - 1000, 100000 + 1000);
    quotas_free(quotas);
}

static void drops_are_read_as_they_were_written(void **state)
{
    (void)state;
    for (int place = 0; place < DROP_PLACES; place++) {
        struct drop drop = {SLICE("fw-1"), (enum drop_place)place, 1234567}, again;
        struct buffer line;
        struct err err;
        buffer_init(&line, 4096);
        drop_write(&drop, 1700000000 * NS_PER_SECOND, &line);
        arena_reset(arena);
        assert_int_equal(drop_read(buffer_slice(&line), arena, &again, &err), 0);
        assert_true(slice_equal(again.source, drop.source));
        assert_int_equal(again.place, drop.place);
        assert_int_equal(again.events, drop.events);
        buffer_close(&line);
    }
    struct drop drop;
    assert_int_equal(drop_read(SLICE("{\"hinomi.drop.source\":\"a\"}"), arena, &drop, NULL), -1);
    assert_int_equal(drop_read(SLICE("no"), arena, &drop, NULL), -1);
}

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(16 * 1024 * 1024);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_counts_and_the_rest_is_usual),
        cmocka_unit_test(what_is_wrong_is_named_with_what_to_do),
        cmocka_unit_test(every_kind_says_what_its_options_do),
        cmocka_unit_test(a_quota_lets_a_burst_pass_and_then_its_rate),
        cmocka_unit_test(drops_are_read_as_they_were_written),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
