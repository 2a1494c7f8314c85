/* One incident an attack: a scripted chain of 400 findings becomes one, and twenty attacks at once stay twenty. */
#include "base/rand.h"
#include "incidents_fixture.h"

enum { CHAIN = 400, PLACES = 12, ATTACKS = 20 };

/* ---- a chain: mail, user, hosts, administrator, key, wallet, addresses ---- */

static const char *const stages[PLACES] = {
    "email:bad#@evil.example user:victim#", "user:victim# host:PC#", "host:pc# ip:203.0.113.#",
    "host:pc# user:helpdesk#", "user:helpdesk# host:jump#", "host:jump# user:dba#",
    "user:dba# host:vault#", "host:vault# key:k#", "key:k# wallet:NHOT#", "wallet:NHOT# address:NEVIL# asset:XEM",
    "wallet:NEVIL# address:NMIX# asset:XEM", "address:NMIX# session:s#",
};

/* Each # is the number of the attack. */
static void fill(char to[96], const char *stage, int attack)
{
    size_t n = 0;
    for (; *stage; stage++)
        n += (size_t)(*stage == '#' ? snprintf(to + n, 96 - n, "%d", attack) : snprintf(to + n, 96 - n, "%c", *stage));
}

/* Some of every stage, small and grave, over the hours; each again and again, as rules do. */
static size_t make_chain(struct about *to, char (*texts)[96], int attack, size_t count, int64_t seconds, uint64_t first)
{
    for (size_t i = 0; i < count; i++) {
        size_t stage = i * PLACES / count;
        fill(texts[i], stages[stage], attack);
        to[i] = (struct about){.rule = stage % 3 == 0 ? "A first rule" : stage % 3 == 1 ? "A second rule" : "A third rule",
                               .entities = texts[i], .severity = i % 5 == 0 ? SEVERITY_LOW : i % 97 == 0 ? SEVERITY_CRITICAL : SEVERITY_MEDIUM,
                               .at_s = (int64_t)i * seconds / (int64_t)count, .n = first + i};
    }
    return count;
}

static uint64_t chance = 1;

static size_t below(size_t n)
{
    chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(chance >> 33) % n;
}

static void shuffle(struct about *of, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t k = below(i);
        struct about swap = of[i - 1];
        of[i - 1] = of[k];
        of[k] = swap;
    }
}

static int64_t standing(struct incidents *incidents)
{
    return incidents_number(incidents, "SELECT count(*) FROM incidents WHERE state!='closed'");
}

static void file(struct incidents *incidents, const struct about *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        incidents_put(incidents, &list[i]);
    respond_flush(incidents->respond);
}

static struct about list[ATTACKS * 64 + CHAIN];
static char texts[ATTACKS * 64 + CHAIN][96];

static void a_chain_of_400_findings_is_one_incident(void **state)
{
    file(*state, list, make_chain(list, texts, 1, CHAIN, 16 * 3600, 1));
    assert_int_equal(standing(*state), 1);
    assert_int_equal(incidents_number(*state, "SELECT finding_count FROM incidents WHERE state!='closed'"), CHAIN);
    assert_int_equal(incidents_number(*state, "SELECT count(*) FROM findings WHERE incident IS NULL"), 0);
    assert_int_equal(incidents_number(*state, "SELECT sum(count) FROM incident_lines WHERE incident=(SELECT id FROM incidents WHERE"
                                              " state!='closed')"), CHAIN);
}

/* However they come: late ones, whole parts exchanged. Seeds are fixed, so that a failure repeats. */
static void in_any_order_too(void **state)
{
    struct incidents *incidents = *state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        chance = seed;
        size_t count = make_chain(list, texts, (int)seed, CHAIN, 16 * 3600, seed * 1000);
        shuffle(list, count);
        file(incidents, list, count);
        if (standing(incidents) != (int64_t)seed)
            fail_msg("seed %d: %lld incidents", (int)seed, (long long)standing(incidents));
    }
    assert_int_equal(incidents_number(incidents, "SELECT count(*) FROM findings WHERE incident IS NULL"), 0);
    assert_int_equal(incidents_number(incidents, "SELECT min(finding_count)=max(finding_count) FROM incidents WHERE state!='closed'"), 1);
}

/* Two parts, two weeks apart, in order and not: what few ever touch links over a longer time. */
static void parts_two_weeks_apart_join(void **state)
{
    for (int attack = 1; attack <= 2; attack++) {
        size_t count = make_chain(list, texts, attack, CHAIN, 8 * 3600, (uint64_t)attack * 1000);
        for (size_t i = count / 2; i < count; i++)
            list[i].at_s += 14 * 86400;
        if (attack == 2)
            shuffle(list, count);
        file(*state, list, count);
        assert_true(standing(*state) <= 2 * attack);
    }
}

/* ---- what must not join ---- */

static size_t make_attacks(const char *shared, uint64_t first)
{
    size_t count = 0;
    for (int attack = 0; attack < ATTACKS; attack++)
        count += make_chain(list + count, texts + count, 100 + attack, 60, 4 * 3600, first + (uint64_t)attack * 100);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(texts[i]);
        snprintf(texts[i] + len, sizeof(texts[i]) - len, " %s", shared);
    }
    shuffle(list, count);
    return count;
}

static void attacks_on_one_asset_stay_apart(void **state)
{
    file(*state, list, make_attacks("asset:BTC country:JP", 1));
    assert_int_equal(standing(*state), ATTACKS);
}

/* Small findings of every day through the proxy, about somebody else each. */
static void make_days(struct incidents *incidents, const char *shared, int days)
{
    for (int day = 1; day <= days; day++)
        for (int i = 0; i < 12; i++) {
            char about[96];
            snprintf(about, sizeof(about), "user:u%d-%d %s", day, i, shared);
            incidents_put_one(incidents, (uint64_t)(900000 + day * 100 + i), SEVERITY_LOW, -86400 * day + i * 60, about);
        }
}

static void attacks_through_what_everybody_uses_stay_apart(void **state)
{
    struct incidents *incidents = *state;
    make_days(incidents, "ip:10.0.0.5", HUB_DAYS + 1);
    file(incidents, list, make_attacks("ip:10.0.0.5", 1));
    assert_int_equal(standing(incidents), ATTACKS);
    assert_true(incidents_number(incidents, "SELECT count(*) FROM incident_relations WHERE kind='also_seen'") > 0);
    assert_int_equal(incidents_number(incidents, "SELECT count(*) FROM timeline t WHERE kind='link' AND text_en LIKE"
                                                 " 'ip 10.0.0.5 links nothing%' AND (SELECT state FROM incidents WHERE id=incident)!='closed'"),
                     ATTACKS);
}

static void or_what_the_list_of_assets_says_is_shared(void **state)
{
    incidents_assets(*state, "type,value,criticality,shared\nip,10.0.0.0/29,normal,yes\n");
    file(*state, list, make_attacks("ip:10.0.0.5", 1));
    assert_int_equal(standing(*state), ATTACKS);
}

/* Who attacks everybody from one address for a week is one attack, not a proxy. */
static void an_outside_address_keeps_linking(void **state)
{
    struct incidents *incidents = *state;
    make_days(incidents, "ip:203.0.113.9", HUB_DAYS + 1);
    for (int i = 0; i < 100; i++) {
        char about[96];
        snprintf(about, sizeof(about), "ip:203.0.113.9 account:a%d", i);
        incidents_put_one(incidents, (uint64_t)i, SEVERITY_MEDIUM, i, about);
    }
    assert_int_equal(standing(incidents), 1);
}

/* Nor does a slow attack from within make a hub of its own host. */
static void a_slow_attack_is_no_hub(void **state)
{
    struct incidents *incidents = *state;
    for (int day = 0; day < 12; day++)
        for (int i = 0; i < 6; i++) {
            char about[96];
            snprintf(about, sizeof(about), "host:pc1 account:a%d-%d", day, i);
            incidents_put_one(incidents, (uint64_t)(day * 10 + i), SEVERITY_MEDIUM, day * 43200 + i, about);
        }
    assert_int_equal(standing(incidents), 1);
}

static void names_of_nobody_link_nothing(void **state)
{
    struct incidents *incidents = *state;
    incidents_put_one(incidents, 1, SEVERITY_HIGH, 0, "user:root host:h1");
    incidents_put_one(incidents, 2, SEVERITY_HIGH, 1, "user:root host:h2");
    incidents_put_one(incidents, 3, SEVERITY_HIGH, 2, "user:- host:h3");
    incidents_put_one(incidents, 4, SEVERITY_HIGH, 3, "user:- host:H1"); /* machines in any case */
    incidents_put_one(incidents, 5, SEVERITY_HIGH, 4, "wallet:NaB");
    incidents_put_one(incidents, 6, SEVERITY_HIGH, 5, "address:NaB"); /* the same thing */
    incidents_put_one(incidents, 7, SEVERITY_HIGH, 6, "address:Nab"); /* another one */
    assert_int_equal(standing(incidents), 5);
}

/* A chain of 400, twenty attacks behind the proxy that also hit its asset, and the noise of every day, all in one heap: a finding
 * may be in the wrong incident without the count of incidents telling, so each is looked at. */
static void one_heap_comes_apart_into_its_attacks(void **state)
{
    struct incidents *incidents = *state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        chance = seed;
        size_t count = make_attacks("ip:10.0.0.5 asset:XEM", 1);
        make_days(incidents, "ip:10.0.0.5", HUB_DAYS + 1);
        count += make_chain(list + count, texts + count, 1, CHAIN, 16 * 3600, 500000);
        shuffle(list, count);
        file(incidents, list, count);
        assert_int_equal(standing(incidents), ATTACKS + 1);
        assert_int_equal(incidents_number(incidents, "SELECT count(*) FROM findings f JOIN incidents i ON i.id=f.incident WHERE"
                                                     " i.state='closed'"), 0);
        assert_int_equal(incidents_number(incidents, "SELECT count(*) FROM incidents WHERE state!='closed' AND finding_count IN (60,400)"),
                         ATTACKS + 1);
        assert_int_equal(incidents_number(incidents, "SELECT count(*) FROM incident_entities e JOIN incidents i ON i.id=e.incident WHERE"
                                                     " i.state!='closed' AND e.type='key'"), ATTACKS + 1);
        void *fresh = incidents;
        incidents_tear_down(&fresh);
        incidents_set_up(&fresh);
        *state = incidents = fresh;
    }
}

/* ---- smaller ones ---- */

static void smaller_ones_of_before_come_in(void **state)
{
    struct incidents *incidents = *state;
    incidents_put_one(incidents, 1, SEVERITY_LOW, 0, "email:x@y user:u1");
    incidents_put_one(incidents, 2, SEVERITY_NONE, 10, "user:u1 host:h1");
    incidents_put_one(incidents, 3, SEVERITY_HIGH, 20, "key:k1");
    assert_int_equal(incidents_number(incidents, "SELECT count(*) FROM findings WHERE incident IS NULL"), 2);
    incidents_put_one(incidents, 4, SEVERITY_MEDIUM, 30, "host:h1 key:k1");
    assert_int_equal(standing(incidents), 1);
    assert_int_equal(incidents_number(incidents, "SELECT finding_count FROM incidents"), 4);
    incidents_has(incidents_show(incidents, "INC-1"), "\"value\":\"x@y\"");
}

/* ---- what matters ---- */

static void a_critical_asset_raises_it_a_step(void **state)
{
    struct incidents *incidents = *state;
    incidents_assets(incidents, "type,value,criticality,owner,name_en,name_ja\n"
                                "host,DB1,critical,ops,Core database,基幹DB\nip,10.9.0.0/16,low,,,\nhost,lab-*,low,,Lab,\n");
    incidents_put_one(incidents, 1, SEVERITY_MEDIUM, 0, "host:db1");
    incidents_put_one(incidents, 2, SEVERITY_MEDIUM, 0, "host:lab-7 ip:10.9.1.1");
    incidents_put_one(incidents, 3, SEVERITY_MEDIUM, 0, "host:h3");
    incidents_has(incidents_show(incidents, "INC-1"), "\"severity\":\"high\"");
    incidents_has(incidents->text.ptr, "\"raw_severity\":\"medium\"");
    incidents_has(incidents->text.ptr, "The severity is high instead of medium: host db1 (Core database, owner ops) is critical");
    incidents_has(incidents_show(incidents, "INC-2"), "\"severity\":\"low\"");
    incidents_put_one(incidents, 4, SEVERITY_MEDIUM, 5, "host:lab-7 host:db1"); /* both: the critical one counts */
    incidents_has(incidents_show(incidents, "INC-1"), "\"finding_count\":3");
    incidents_has(incidents->text.ptr, "\"severity\":\"high\"");
    incidents_assets(incidents, "type,value,criticality\nhost,h3,vital\n");
    incidents_has(incidents->noted, "line 2: \"vital\" is no criticality; write low, normal, high or critical");
    incidents_put_one(incidents, 5, SEVERITY_CRITICAL, 6, "host:lab-9"); /* the list of before is still there */
    incidents_has(incidents_show(incidents, "INC-4"), "\"severity\":\"high\"");
}

/* ---- after closing ---- */

static void what_comes_after_closing_says_so(void **state)
{
    struct incidents *incidents = *state;
    struct err err;
    incidents_put_one(incidents, 1, SEVERITY_HIGH, 0, "user:u1");
    assert_int_equal(respond_close(incidents->respond, SLICE("INC-1"), SLICE("sato"), SLICE("done"), SLICE("benign"), &err), 0);
    incidents_put_one(incidents, 2, SEVERITY_HIGH, 10, "user:U1");
    incidents_has(incidents_show(incidents, "INC-2"), "INC-1, which is closed, was about user u1 too");
    incidents_has(incidents->text.ptr, "{\"id\":\"INC-1\",\"how\":\"follows\",\"by\":\"user:u1\",\"state\":\"closed\"}");
}

static void what_is_too_far_away_is_named(void **state)
{
    struct incidents *incidents = *state;
    incidents_put_one(incidents, 1, SEVERITY_HIGH, 0, "host:h1");
    incidents_put_one(incidents, 2, SEVERITY_HIGH, 3 * 86400, "host:h1");
    assert_int_equal(standing(incidents), 2);
    incidents_has(incidents_show(incidents, "INC-2"), "INC-1 is about host h1 too, but its events are too long before or after");
    incidents_has(incidents->text.ptr, "{\"id\":\"INC-1\",\"how\":\"also_seen\",\"by\":\"host:h1\",\"state\":\"open\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        INCIDENTS_TEST(a_chain_of_400_findings_is_one_incident),
        INCIDENTS_TEST(in_any_order_too),
        INCIDENTS_TEST(parts_two_weeks_apart_join),
        INCIDENTS_TEST(attacks_on_one_asset_stay_apart),
        INCIDENTS_TEST(attacks_through_what_everybody_uses_stay_apart),
        INCIDENTS_TEST(or_what_the_list_of_assets_says_is_shared),
        INCIDENTS_TEST(an_outside_address_keeps_linking),
        INCIDENTS_TEST(a_slow_attack_is_no_hub),
        INCIDENTS_TEST(names_of_nobody_link_nothing),
        INCIDENTS_TEST(one_heap_comes_apart_into_its_attacks),
        INCIDENTS_TEST(smaller_ones_of_before_come_in),
        INCIDENTS_TEST(a_critical_asset_raises_it_a_step),
        INCIDENTS_TEST(what_comes_after_closing_says_so),
        INCIDENTS_TEST(what_is_too_far_away_is_named),
    };
    return cmocka_run_group_tests_name("incidents: joining", tests, NULL, NULL);
}
