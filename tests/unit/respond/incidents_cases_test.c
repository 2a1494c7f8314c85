/* What people do to incidents, and that nothing of it can be changed afterwards without being found. */
#include "incidents_fixture.h"
#include "base/mem.h"
#include "respond/incidents/exceptions.h"
#include "respond/incidents/incident_chain.h"

#include <pthread.h>
#include <sqlite3.h>

static const struct slice sato = {"sato", 4};

static struct respond *of(struct incidents *incidents)
{
    return incidents->respond;
}

/* ---- the record ---- */

static int check(struct incidents *incidents, struct err *err)
{
    struct incident_chain_sum sum;
    err_clear(err);
    return incident_chain_check(incidents->database, &sum, err);
}

/* Somebody with the file in hands, who takes the triggers away. */
static void tamper(struct incidents *incidents, const char *sql)
{
    sqlite3 *db;
    char *why = NULL;
    assert_int_equal(sqlite3_open(incidents->path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    assert_int_equal(sqlite3_exec(db, "PRAGMA writable_schema=ON; DELETE FROM sqlite_schema WHERE type='trigger';"
                                  " PRAGMA writable_schema=RESET", NULL, NULL, &why), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    sqlite3_close(db);
}

static void reopen(struct incidents *incidents)
{
    struct err err;
    respond_stop(incidents->respond);
    database_close(incidents->database);
    if (database_open(incidents->path, &incidents->database, &err) < 0)
        fail_msg("%s", err.text);
    incidents_start(incidents);
}

static void fill(struct incidents *incidents)
{
    struct err err;
    int64_t number;
    const struct attachment attachment = {SLICE("memory.dmp"), SLICE("application/x-dump"), SLICE("\0\1\2<script>")};
    const struct event_link event = {SLICE("e-1"), 7, NOON};
    incidents_put_one(incidents, 1, SEVERITY_HIGH, 0, "user:u1 host:h1");
    incidents_put_one(incidents, 2, SEVERITY_HIGH, 9, "user:u1 host:h1");
    assert_int_equal(respond_acknowledge(of(incidents), SLICE("INC-1"), sato, &err), 0);
    assert_int_equal(respond_comment(of(incidents), SLICE("INC-1"), sato, SLICE("look"), &event, 1, &err), 0);
    assert_int_equal(respond_attach(of(incidents), SLICE("INC-1"), sato, &attachment, &number, &err), 0);
    assert_int_equal(respond_add_task(of(incidents), SLICE("INC-1"), sato, SLICE("call them"), SLICE("mori"), 0, &number, &err), 0);
}

static void a_record_that_was_touched_is_found(void **state)
{
    static const char *const deeds[] = {
        "UPDATE timeline SET text_en='nothing' WHERE kind='comment'",
        "UPDATE timeline SET time_ns=time_ns-1 WHERE number=2",
        "UPDATE timeline SET user='mori' WHERE kind='comment'",
        "UPDATE timeline SET severity=1 WHERE kind='finding'",
        "UPDATE timeline SET detail=NULL WHERE kind='comment'",
        "DELETE FROM timeline WHERE number=3",
        "DELETE FROM timeline WHERE number=(SELECT max(number) FROM timeline)",
        "INSERT INTO timeline(incident,time_ns,kind,text_en) VALUES(1,1,'comment','mine')",
        "UPDATE attachments SET bytes=x'00'",
        "UPDATE findings SET bytes=x'00' WHERE number=1",
        "DELETE FROM findings WHERE number=2",
    };
    struct incidents *incidents = *state;
    struct err err;
    for (size_t i = 0; i < ARRAY_COUNT(deeds); i++) {
        void *fresh = incidents;
        if (i)
            incidents_set_up(&fresh);
        struct incidents *one = fresh;
        fill(one);
        assert_int_equal(respond_close(of(one), SLICE("INC-1"), sato, SLICE("over"), SLICE("drill"), &err), 0);
        if (check(one, &err) < 0)
            fail_msg("%s", err.text);
        tamper(one, deeds[i]);
        if (check(one, &err) == 0)
            fail_msg("not found: %s", deeds[i]);
        assert_int_equal(err.code, ERR_CORRUPT);
        if (i < 8)
            incidents_has(err.text, i == 7 ? "are in no chain" : "the record of INC-1");
        else
            incidents_has(err.text, "INC-1");
        if (i)
            incidents_tear_down(&fresh);
    }
}

static void nothing_changes_after_closing(void **state)
{
    static const char *const deeds[] = {
        "INSERT INTO tasks(incident,text,added_by,added_ns) VALUES(1,'x','x',1)", "UPDATE tasks SET text='x'", "DELETE FROM tasks",
        "UPDATE incidents SET severity=1", "DELETE FROM incidents", "DELETE FROM findings", "UPDATE findings SET incident=NULL",
        "INSERT INTO timeline(incident,time_ns,kind) VALUES(1,1,'comment')", "UPDATE timeline SET user='x'", "DELETE FROM timeline",
        "DELETE FROM incident_entities", "UPDATE incident_lines SET count=1", "DELETE FROM attachments",
        "INSERT INTO attachments(incident,name,type,size,sha256,added_by,added_ns,bytes) VALUES(1,'x','',0,'','',1,x'')",
    };
    struct incidents *incidents = *state;
    struct respond *respond = of(incidents);
    struct err err;
    int64_t number;
    const struct attachment attachment = {SLICE("a"), SLICE(""), SLICE("b")};
    const struct slice id = SLICE("INC-1");
    fill(incidents);
    assert_int_equal(respond_close(respond, id, sato, SLICE("over"), SLICE("maybe"), &err), -1);
    incidents_has(err.text, "\"maybe\" is no verdict; they are true_positive");
    assert_int_equal(respond_close(respond, id, sato, SLICE("over"), SLICE("true_positive"), &err), 0);
    assert_int_equal(respond_comment(respond, id, sato, SLICE("x"), NULL, 0, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_int_equal(respond_add_task(respond, id, sato, SLICE("x"), SLICE_NONE, 0, &number, &err), -1);
    assert_int_equal(respond_finish_task(respond, 1, sato, &number, &err), -1);
    assert_int_equal(respond_attach(respond, id, sato, &attachment, &number, &err), -1);
    assert_int_equal(respond_set_owner(respond, id, sato, SLICE("mori"), SLICE_NONE, &err), -1);
    assert_int_equal(respond_contain(respond, id, sato, SLICE_NONE, &err), -1);
    assert_int_equal(respond_merge(respond, id, sato, &(struct slice){"INC-2", 5}, 1, SLICE("x"), &err), -1);
    for (size_t i = 0; i < ARRAY_COUNT(deeds); i++) {
        struct query *query;
        assert_int_equal(query_begin(incidents->database, deeds[i], &query, &err), 0);
        if (query_step(query, &err) >= 0)
            fail_msg("done: %s", deeds[i]);
        query_end(query);
    }
    assert_int_equal(check(incidents, &err), 0);
    incidents_has(incidents_show(incidents, "INC-1"), "\"verdict\":\"true_positive\"");
    incidents_has(incidents->text.ptr, "\"findings\":2,\"digest\":\"");
}

static void opening_again_is_a_new_one(void **state)
{
    struct incidents *incidents = *state;
    struct err err;
    int64_t id = 0;
    fill(incidents);
    assert_int_equal(respond_reopen(of(incidents), SLICE("INC-1"), sato, SLICE("again"), &id, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_int_equal(respond_close(of(incidents), SLICE("INC-1"), sato, SLICE("over"), SLICE_NONE, &err), 0);
    assert_int_equal(respond_reopen(of(incidents), SLICE("INC-1"), sato, SLICE("it goes on"), &id, &err), 0);
    assert_int_equal(id, 2);
    assert_true(incidents->open[2]);
    incidents_put_one(incidents, 3, SEVERITY_HIGH, 60, "host:h1");
    incidents_has(incidents_show(incidents, "INC-2"), "{\"id\":\"INC-1\",\"how\":\"reopens\"");
    incidents_has(incidents->text.ptr, "\"finding_count\":1");
    incidents_has(incidents_show(incidents, "INC-1"), "\"how\":\"reopened_as\"");
}

/* ---- owner, clocks, tasks, evidence ---- */

static void clocks_owner_and_tasks(void **state)
{
    struct incidents *incidents = *state;
    struct respond *respond = of(incidents);
    const struct slice id = SLICE("INC-1");
    struct err err;
    int64_t task, incident;
    incidents_put_one(incidents, 1, SEVERITY_HIGH, -90, "user:u1");
    clock_manual_advance(&incidents->clock, 60 * NS_PER_SECOND);
    assert_int_equal(respond_acknowledge(respond, id, sato, &err), 0);
    assert_int_equal(respond_set_owner(respond, id, sato, SLICE("mori"), SLICE("my shift ends"), &err), 0);
    clock_manual_advance(&incidents->clock, 60 * NS_PER_SECOND);
    assert_int_equal(respond_contain(respond, id, SLICE("mori"), SLICE("key revoked"), &err), 0);
    assert_int_equal(respond_contain(respond, id, sato, SLICE_NONE, &err), -1);
    incidents_has(err.text, "contained already, says mori");
    assert_int_equal(respond_add_task(respond, id, sato, SLICE("call them"), SLICE("mori"), NOON, &task, &err), 0);
    assert_int_equal(respond_finish_task(respond, task, SLICE("mori"), &incident, &err), 0);
    assert_int_equal(respond_finish_task(respond, task, sato, &incident, &err), 0); /* a second click */
    assert_int_equal(respond_finish_task(respond, 99, sato, &incident, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    clock_manual_advance(&incidents->clock, 60 * NS_PER_SECOND);
    assert_int_equal(respond_close(respond, id, sato, SLICE("over"), SLICE("drill"), &err), 0);
    incidents_has(incidents_show(incidents, "INC-1"), "\"owner\":\"mori\"");
    incidents_has(incidents->text.ptr, "\"seconds\":{\"to_open\":90,\"to_acknowledge\":60,\"to_contain\":120,\"to_close\":180}");
    incidents_has(incidents->text.ptr, "Handed over from sato to mori by sato: my shift ends");
    incidents_has(incidents->text.ptr, "\"text\":\"call them\",\"owner\":\"mori\"");
    incidents_has(incidents->text.ptr, "\"done_by\":\"mori\"");
    incidents_has(incidents->text.ptr, "\"tasks_not_done\":0");
}

static void evidence_is_kept_as_it_was(void **state)
{
    struct incidents *incidents = *state;
    struct attachment got;
    struct err err;
    struct arena *arena = arena_new(MIB);
    int64_t number;
    const struct attachment bad = {SLICE("../x"), SLICE(""), SLICE("")};
    fill(incidents);
    assert_int_equal(respond_attachment(of(incidents), 1, arena, &got, &err), 0);
    assert_true(slice_equal(got.bytes, SLICE("\0\1\2<script>")));
    assert_int_equal(respond_attach(of(incidents), SLICE("INC-1"), sato, &bad, &number, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    char *large = calloc(1, ATTACHMENT_BYTES_MAX + 1);
    const struct attachment too_large = {SLICE("x"), SLICE(""), slice_of(large, ATTACHMENT_BYTES_MAX + 1)};
    assert_int_equal(respond_attach(of(incidents), SLICE("INC-1"), sato, &too_large, &number, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    free(large);
    arena_free(arena);
    struct json json = incidents_json(incidents);
    assert_int_equal(respond_event_comments_json(of(incidents), SLICE("e-1"), &json, &err), 0);
    incidents_has(incidents_text(incidents), "\"incident\":\"INC-1\",\"user\":\"sato\"");
}

/* ---- merging and splitting ---- */

static struct slice finding_ids[8];

static void read_ids(struct incidents *incidents, const char *sql, struct arena *arena, size_t want)
{
    struct query *query;
    struct err err;
    size_t n = 0;
    assert_int_equal(query_begin(incidents->database, sql, &query, &err), 0);
    while (n < ARRAY_COUNT(finding_ids) && query_step(query, &err) == 1)
        finding_ids[n++] = query_get_text(query, 0, arena);
    query_end(query);
    assert_int_equal(n, want);
}

static void people_merge_and_split(void **state)
{
    struct incidents *incidents = *state;
    struct arena *arena = arena_new(MIB);
    const struct slice other = SLICE("INC-2"), one = SLICE("INC-1");
    struct err err;
    int64_t id = 0;
    incidents_put_one(incidents, 1, SEVERITY_MEDIUM, 0, "user:u1 host:shared");
    incidents_put_one(incidents, 2, SEVERITY_CRITICAL, 5, "user:u2");
    assert_int_equal(respond_merge(of(incidents), one, sato, &one, 1, SLICE("same"), &err), -1);
    assert_int_equal(respond_merge(of(incidents), one, sato, &other, 1, SLICE(""), &err), -1);
    assert_int_equal(respond_merge(of(incidents), one, sato, &other, 1, SLICE("same mail"), &err), 0);
    assert_true(incidents->order[1] < incidents->order[2] && incidents->open[1] && !incidents->open[2]);
    incidents_has(incidents_show(incidents, "INC-1"), "INC-2 was joined into this: sato says so: same mail");
    incidents_has(incidents->text.ptr, "\"severity\":\"critical\"");
    incidents_has(incidents->text.ptr, "\"finding_count\":2");
    incidents_has(incidents_show(incidents, "INC-2"), "Closed: it was joined into INC-1");
    incidents_put_one(incidents, 3, SEVERITY_MEDIUM, 9, "user:u2 host:shared");
    read_ids(incidents, "SELECT id FROM findings WHERE number IN (2,3)", arena, 2);
    assert_int_equal(respond_split(of(incidents), one, sato, finding_ids, 2, SLICE("two people"), &id, &err), 0);
    assert_int_equal(id, 3);
    incidents_has(incidents_show(incidents, "INC-1"), "\"severity\":\"medium\"");
    incidents_has(incidents->text.ptr, "\"finding_count\":1");
    incidents_has(incidents->text.ptr, "2 findings were split off as INC-3 by sato: two people");
    incidents_lacks(incidents->text.ptr, "\"value\":\"u2\"");
    incidents_has(incidents_show(incidents, "INC-3"), "\"severity\":\"critical\"");
    incidents_has(incidents->text.ptr, "\"finding_count\":2");
    /* they stay apart, though both are about the same host */
    incidents_put_one(incidents, 4, SEVERITY_MEDIUM, 12, "user:u2 host:shared");
    incidents_put_one(incidents, 5, SEVERITY_MEDIUM, 13, "user:u1 host:shared");
    incidents_put_one(incidents, 6, SEVERITY_MEDIUM, 14, "user:u1 user:u2");
    assert_int_equal(incidents_number(incidents, "SELECT count(*) FROM incidents WHERE state!='closed'"), 2);
    read_ids(incidents, "SELECT id FROM findings WHERE incident=1", arena, (size_t)incidents_number(incidents,
             "SELECT count(*) FROM findings WHERE incident=1"));
    assert_int_equal(respond_split(of(incidents), one, sato, finding_ids, (size_t)incidents_number(incidents,
                     "SELECT count(*) FROM findings WHERE incident=1"), SLICE("all"), &id, &err), -1);
    incidents_has(err.text, "at least one must stay");
    assert_int_equal(check(incidents, &err), 0);
    arena_free(arena);
}

/* ---- exceptions and mutes ---- */

static void put_day(struct incidents *incidents, uint64_t first)
{
    for (uint64_t i = 0; i < 30; i++) {
        char about[64], group[64];
        snprintf(about, sizeof(about), "user:scanner%d host:h%d", (int)(i % 2), (int)i);
        snprintf(group, sizeof(group), "user.name=scanner%d", (int)(i % 2));
        const struct about one = {.rule = i % 3 ? "Scan" : "Other", .entities = about, .group = group,
                                  .severity = i % 4 ? SEVERITY_MEDIUM : SEVERITY_LOW, .at_s = (int64_t)i, .n = first + i};
        incidents_put(incidents, &one);
    }
    respond_flush(incidents->respond);
}

static struct exception_preview preview(struct incidents *incidents, const struct exception *exception)
{
    struct exception_preview found;
    struct err err;
    if (exception_try(incidents->database, exception, 30, clock_wall_ns(&incidents->clock.clock), &found, &err) < 0)
        fail_msg("%s", err.text);
    return found;
}

static void a_preview_is_what_happens(void **state)
{
    static const struct exception_term user[] = {{false, {"user", 4}, {"SCANNER1", 8}}};
    static const struct exception_term group[] = {{true, {"user.name", 9}, {"scanner0", 8}}};
    struct exception exceptions[] = {
        {.rule = SLICE("Scan"), .terms = user, .term_count = 1},
        {.rule = SLICE("id of Other"), .terms = group, .term_count = 1},
        {.terms = user, .term_count = 1},
        {.rule = SLICE("Scan")},
    };
    struct incidents *incidents = *state;
    struct err err;
    put_day(incidents, 1);
    for (size_t i = 0; i < ARRAY_COUNT(exceptions); i++) {
        const struct exception_preview told = preview(incidents, &exceptions[i]);
        void *fresh;
        incidents_set_up(&fresh);
        struct incidents *other = fresh;
        exceptions[i].reason = exceptions[i].owner = exceptions[i].added_by = SLICE("ops");
        exceptions[i].expires_ns = NOON + NS_PER_DAY;
        if (respond_exception_add(of(other), &exceptions[i], &err) < 0)
            fail_msg("%s", err.text);
        put_day(other, 1);
        assert_true(told.findings > 0);
        assert_int_equal(incidents_number(other, "SELECT count FROM exceptions"), told.findings);
        assert_int_equal(incidents_number(other, "SELECT count(*) FROM findings WHERE exception IS NOT NULL"), told.findings);
        assert_int_equal(incidents_number(other, "SELECT count(*) FROM findings"), 30);
        assert_int_equal(incidents_number(incidents, "SELECT count(*) FROM incidents") -
                         incidents_number(other, "SELECT count(*) FROM incidents"), told.incidents);
        incidents_tear_down(&fresh);
    }
}

static void after_its_end_it_fires_again(void **state)
{
    struct incidents *incidents = *state;
    struct exception exception = {.finding = SLICE("x"), .reason = SLICE("pentest"), .owner = sato, .added_by = sato,
                                  .expires_ns = NOON + NS_PER_HOUR};
    struct arena *arena = arena_new(MIB);
    struct err err;
    incidents_put_one(incidents, 1, SEVERITY_HIGH, 0, "user:u1 host:h1");
    assert_int_equal(respond_exception_fill(of(incidents), &exception, arena, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    read_ids(incidents, "SELECT id FROM findings", arena, 1);
    exception.finding = finding_ids[0];
    assert_int_equal(respond_exception_fill(of(incidents), &exception, arena, &err), 0);
    assert_int_equal(exception.term_count, 2);
    assert_int_equal(respond_exception_add(of(incidents), &exception, &err), 0);
    assert_int_equal(respond_close(of(incidents), SLICE("INC-1"), sato, SLICE("pentest"), SLICE("benign"), &err), 0);
    incidents_put_one(incidents, 2, SEVERITY_HIGH, 10, "user:u1 host:h1");
    incidents_put_one(incidents, 3, SEVERITY_HIGH, 11, "user:u1"); /* not both: not hidden */
    assert_int_equal(incidents_number(incidents, "SELECT count(*) FROM incidents"), 2);
    reopen(incidents); /* it is remembered */
    incidents_put_one(incidents, 4, SEVERITY_HIGH, 12, "user:u1 host:h1");
    assert_int_equal(incidents_number(incidents, "SELECT count FROM exceptions"), 2);
    assert_int_equal(respond_close(of(incidents), SLICE("INC-2"), sato, SLICE("x"), SLICE_NONE, &err), 0);
    clock_manual_advance(&incidents->clock, 2 * NS_PER_HOUR);
    incidents_put_one(incidents, 5, SEVERITY_HIGH, 7200, "user:u1 host:h1");
    incidents_has(incidents_show(incidents, "INC-3"), "Exception 1 kept findings like this quiet until");
    assert_int_equal(respond_exception_end(of(incidents), 1, sato, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    arena_free(arena);
}

static void what_is_wrong_with_an_exception_is_said(void **state)
{
    struct incidents *incidents = *state;
    struct err err;
    struct exception wrong[] = {
        {.rule = SLICE("r"), .owner = sato, .expires_ns = NOON + 1},
        {.rule = SLICE("r"), .reason = sato, .expires_ns = NOON + 1},
        {.rule = SLICE("r"), .owner = sato, .reason = sato},
        {.rule = SLICE("r"), .owner = sato, .reason = sato, .expires_ns = NOON + 400 * NS_PER_DAY},
        {.owner = sato, .reason = sato, .expires_ns = NOON + 1},
        {.rule = SLICE("r"), .owner = sato, .expires_ns = NOON + 1},
    };
    static const char *const words[] = {"a reason is needed", "an owner is needed", "expires is needed", "at most 366 days",
                                        "name a rule or at least one entity", "at most 4096 bytes"};
    static char large[5000];
    memset(large, 'x', sizeof(large));
    wrong[5].reason = slice_of(large, sizeof(large));
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        assert_int_equal(respond_exception_add(of(incidents), &wrong[i], &err), -1);
        incidents_has(err.text, words[i]);
    }
}

static void a_mute_is_quiet_but_counts(void **state)
{
    static const struct exception_term term[] = {{false, {"host", 4}, {"h1", 2}}};
    struct exception mute = {.mute = true, .rule = SLICE("A rule"), .terms = term, .term_count = 1, .reason = SLICE("noisy"),
                             .owner = sato, .added_by = sato, .expires_ns = NOON + NS_PER_HOUR};
    struct incidents *incidents = *state;
    struct err err;
    incidents_put_one(incidents, 1, SEVERITY_MEDIUM, 0, "host:h1");
    assert_int_equal(respond_exception_add(of(incidents), &mute, &err), 0);
    incidents_put_one(incidents, 2, SEVERITY_CRITICAL, 5, "host:h1");
    incidents_has(incidents_show(incidents, "INC-1"), "\"severity\":\"medium\"");
    incidents_has(incidents->text.ptr, "\"finding_count\":2");
    assert_int_equal(respond_close(of(incidents), SLICE("INC-1"), sato, SLICE("x"), SLICE_NONE, &err), 0);
    incidents_put_one(incidents, 3, SEVERITY_CRITICAL, 6, "host:h1");
    assert_int_equal(incidents_number(incidents, "SELECT count(*) FROM incidents"), 1);
    assert_int_equal(incidents_number(incidents, "SELECT count(*) FROM findings WHERE mute=1"), 2);
    assert_int_equal(incidents_number(incidents, "SELECT count FROM exceptions"), 2);
    assert_int_equal(respond_exception_end(of(incidents), 1, sato, &err), 0);
    incidents_put_one(incidents, 4, SEVERITY_CRITICAL, 7, "host:h1"); /* and brings the muted one in */
    assert_int_equal(incidents_number(incidents, "SELECT finding_count FROM incidents WHERE id=2"), 2);
}

/* The oldest go, and a preview says from when on it knows all. */
static void findings_outside_are_bounded(void **state)
{
    struct incidents *incidents = *state;
    const struct exception exception = {.rule = SLICE("A rule")};
    struct err err;
    struct query *query;
    assert_int_equal(query_begin(incidents->database, "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<?1)"
                                 " INSERT INTO findings(id,line,rule,severity,event_ns,filed_ns,bytes) SELECT 'x'||i,'','r',1,1,?2+i,x'00'"
                                 " FROM n", &query, &err), 0);
    query_i64(query, 1, FINDINGS_LOOSE_MAX);
    query_i64(query, 2, NOON - NS_PER_DAY);
    assert_int_equal(query_run(query, &err), 0);
    incidents_put_one(incidents, 1, SEVERITY_LOW, 0, "user:u1"); /* the first after a start looks */
    assert_int_equal(incidents_number(incidents, "SELECT count(*) FROM findings"), FINDINGS_LOOSE_MAX - 1000);
    assert_int_equal(incidents_number(incidents, "SELECT dropped FROM finding_stock"), 1001);
    assert_int_equal(incidents_number(incidents, "SELECT from_ns FROM finding_stock"), NOON - NS_PER_DAY + 1002);
    assert_int_equal(incidents_number(incidents, "SELECT count(*) FROM finding_links"), 1);
    assert_int_equal(query_begin(incidents->database, "DELETE FROM findings WHERE id LIKE 'x%'", &query, &err), 0);
    assert_int_equal(query_run(query, &err), 0);
    struct json json = incidents_json(incidents);
    assert_int_equal(respond_exception_preview_json(of(incidents), &exception, 30, &json, &err), 0);
    incidents_has(incidents_text(incidents), "\"complete\":false,\"complete_from\":\"2018-01-25T12:00:00.000001002Z\"");
}

static void ten_thousand_repeats_are_one_incident(void **state)
{
    struct incidents *incidents = *state;
    struct err err;
    int64_t listed = 0;
    for (uint64_t n = 0; n < 10000; n++) {
        const struct about about = {.rule = "A rule", .entities = "user:u1 host:h1", .severity = SEVERITY_HIGH, .at_s = (int64_t)n, .n = n};
        incidents_put(incidents, &about);
    }
    respond_flush(of(incidents));
    incidents_has(incidents_show(incidents, "INC-1"), "\"count\":10000,\"first\":");
    incidents_has(incidents->text.ptr, "\"finding_count\":10000");
    for (int64_t after = 0; after < 10000; after += 1000) {
        struct json json = incidents_json(incidents);
        assert_int_equal(respond_findings_json(of(incidents), SLICE("INC-1"), 0, false, after, 1000, &json, &err), 0);
        for (const char *at = incidents_text(incidents); (at = strstr(at, "{\"number\":")) != NULL; at++)
            listed++;
    }
    assert_int_equal(listed, 10000);
}

/* ---- when memory is out ---- */

static struct slice one_name = {"INC-2", 5};
static struct slice last_finding;

static int deed(struct incidents *incidents, int which, struct err *err)
{
    struct respond *respond = of(incidents);
    const struct slice id = SLICE("INC-1");
    const struct attachment attachment = {SLICE("a"), SLICE(""), SLICE("b")};
    const struct event_link event = {SLICE("e-1"), 1, NOON};
    struct exception exception = {.rule = SLICE("r"), .reason = sato, .owner = sato, .added_by = sato, .expires_ns = NOON + NS_PER_HOUR};
    int64_t number;
    switch (which) {
    case 0: return respond_comment(respond, id, sato, SLICE("x"), &event, 1, err);
    case 1: return respond_attach(respond, id, sato, &attachment, &number, err);
    case 2: return respond_add_task(respond, id, sato, SLICE("x"), SLICE_NONE, 0, &number, err);
    case 3: return respond_finish_task(respond, 1, sato, &number, err);
    case 4: return respond_merge(respond, id, sato, &one_name, 1, SLICE("x"), err);
    case 5: return respond_split(respond, id, sato, &last_finding, 1, SLICE("x"), &number, err);
    case 6: return respond_exception_add(respond, &exception, err);
    case 7: return respond_set_owner(respond, id, sato, SLICE("mori"), SLICE_NONE, err);
    case 8: return respond_close(respond, id, sato, SLICE("x"), SLICE_NONE, err);
    default: return respond_reopen(respond, id, sato, SLICE("x"), &number, err);
    }
}

/* Each deed is done whole or not at all, whichever allocation fails, and says that memory is out. */
static void without_memory_nothing_is_half_done(void **state)
{
    struct incidents *incidents = *state;
    struct arena *arena = arena_new(MIB);
    incidents_put_one(incidents, 1, SEVERITY_HIGH, 0, "user:u1");
    incidents_put_one(incidents, 2, SEVERITY_HIGH, 0, "user:u2 host:h2");
    read_ids(incidents, "SELECT id FROM findings WHERE number=2", arena, 1);
    last_finding = finding_ids[0];
    for (int which = 0; which < 10; which++) {
        struct err err;
        int result = -1, n = 0;
        for (; result < 0; n++) {
            int64_t entries = incidents_number(incidents, "SELECT count(*) FROM timeline");
            mem_fail_here_after(n); /* the thread that joins findings may be at work beside */
            result = deed(incidents, which, &err);
            mem_fail_here_after(-1);
            if (result < 0 && err.code != ERR_NOMEM)
                fail_msg("deed %d: %s", which, err.text);
            if (result < 0)
                assert_int_equal(incidents_number(incidents, "SELECT count(*) FROM timeline"), entries);
        }
        assert_true(n > 2); /* some did fail */
        if (check(incidents, &err) < 0)
            fail_msg("after deed %d: %s", which, err.text);
    }
    arena_free(arena);
}

/* ---- all at once ---- */

static void *meddle(void *context)
{
    struct incidents *incidents = context;
    struct respond *respond = of(incidents);
    for (int i = 0; i < 60; i++) {
        char id[INCIDENT_NAME_SIZE], other[INCIDENT_NAME_SIZE];
        struct err err;
        struct exception mute = {.mute = i % 2, .rule = SLICE("Other"), .reason = sato, .owner = sato, .added_by = sato,
                                 .expires_ns = NOON + NS_PER_HOUR};
        incident_name(1 + i % 7, id);
        incident_name(1 + i % 5, other);
        const struct slice from = slice_text(other);
        (void)!respond_comment(respond, slice_text(id), sato, SLICE("x"), NULL, 0, &err); /* may be closed by then: that is the point */
        (void)!respond_merge(respond, slice_text(id), sato, &from, 1, SLICE("x"), &err);
        if (respond_exception_add(respond, &mute, &err) == 0)
            (void)!respond_exception_end(respond, mute.id, sato, &err);
        if (i % 10 == 9)
            (void)!respond_close(respond, slice_text(id), sato, SLICE("x"), SLICE_NONE, &err);
        respond_reload_assets(respond);
    }
    return NULL;
}

static void people_and_findings_at_the_same_time(void **state)
{
    struct incidents *incidents = *state;
    pthread_t threads[2];
    struct err err;
    incidents_assets(incidents, "type,value,criticality\nuser,scanner1,critical\n");
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, meddle, incidents), 0);
    for (uint64_t day = 0; day < 20; day++)
        put_day(incidents, 1 + day * 100);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    respond_flush(of(incidents));
    if (check(incidents, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(incidents_number(incidents, "SELECT count(*) FROM findings"), 600);
    assert_int_equal(incidents_number(incidents, "SELECT count(*) FROM incidents i WHERE NOT EXISTS(SELECT 1 FROM incident_relations r"
                                                 " WHERE r.incident=i.id AND r.kind='merged_into') AND finding_count!="
                                                 "(SELECT count(*) FROM findings f WHERE f.incident=i.id)"), 0);
    assert_int_equal(incidents_number(incidents, "SELECT count(*) FROM incidents i WHERE (SELECT coalesce(sum(count),0) FROM incident_lines l"
                                                 " WHERE l.incident=i.id AND i.state!='closed')!=(SELECT count(*) FROM findings f WHERE"
                                                 " f.incident=i.id AND i.state!='closed')"), 0);
    for (int64_t id = 1; id < TOLD_MAX; id++) /* the gate knows what is closed and what is not */
        if (incidents->order[id]) {
            char sql[96];
            snprintf(sql, sizeof(sql), "SELECT state!='closed' FROM incidents WHERE id=%d", (int)id);
            assert_int_equal(incidents_number(incidents, sql), incidents->open[id]);
        }
}

static void a_shift_is_handed_over(void **state)
{
    struct incidents *incidents = *state;
    struct err err;
    fill(incidents);
    struct json json = incidents_json(incidents);
    assert_int_equal(respond_handover_json(of(incidents), NOON - NS_PER_HOUR, &json, &err), 0);
    incidents_has(incidents_text(incidents), "- INC-1 [high] acknowledged, sato, 1 tasks: A rule");
    incidents_has(incidents->text.ptr, "担当 sato");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        INCIDENTS_TEST(a_record_that_was_touched_is_found),
        INCIDENTS_TEST(nothing_changes_after_closing),
        INCIDENTS_TEST(opening_again_is_a_new_one),
        INCIDENTS_TEST(clocks_owner_and_tasks),
        INCIDENTS_TEST(evidence_is_kept_as_it_was),
        INCIDENTS_TEST(people_merge_and_split),
        INCIDENTS_TEST(a_preview_is_what_happens),
        INCIDENTS_TEST(after_its_end_it_fires_again),
        INCIDENTS_TEST(what_is_wrong_with_an_exception_is_said),
        INCIDENTS_TEST(a_mute_is_quiet_but_counts),
        INCIDENTS_TEST(findings_outside_are_bounded),
        INCIDENTS_TEST(ten_thousand_repeats_are_one_incident),
        INCIDENTS_TEST(without_memory_nothing_is_half_done),
        INCIDENTS_TEST(people_and_findings_at_the_same_time),
        INCIDENTS_TEST(a_shift_is_handed_over),
    };
    return cmocka_run_group_tests_name("incidents: people", tests, NULL, NULL);
}
