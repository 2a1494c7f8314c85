/* Questions of incidents: texts with {names}, literals, what is picked, how rows become sentences; the rows of answers in SQLite: whom to
 * ask first, the bound of what waits, asking again, what is late. */
#include "test.h"

#include "base/limits.h"
#include "schedule/fill.h"
#include "schedule/question.h"
#include "state/answers.h"
#include "../state_fixture.h"

#include <stdio.h>

#define TEXT(text) {text, sizeof(text) - 1}

static void literals(void **state)
{
    static const char *const wanted[][2] = {{"taro", "\"taro\""}, {"a\"b", "\"a\\\"b\""}, {"a\\", "\"a\\\\\""}, {"*", "\"\\*\""}};
    struct err err;
    struct buffer to;
    (void)state;
    buffer_init(&to, KIB);
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
        buffer_clear(&to);
        assert_int_equal(fill_put_literal(&to, slice_text(wanted[i][0]), &err), 0);
        assert_true(slice_is(buffer_slice(&to), wanted[i][1]));
    }
    assert_int_equal(fill_put_literal(&to, SLICE("a\nb"), &err), -1);
    assert_int_equal(fill_put_literal(&to, SLICE("a\rb"), &err), -1);
    buffer_clear(&to);
    fill_put_shown(&to, SLICE("日本語"), 7); /* three bytes each */
    assert_true(slice_is(buffer_slice(&to), "日本…"));
    buffer_close(&to);
}

static void braces(void **state)
{
    static const char *const wrong[] = {"{", "}", "a{b", "{}", "{ }", "{a b c d}", "a}b"};
    struct fill_piece piece;
    struct err err;
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        struct slice rest = slice_text(wrong[i]);
        int more = 1;
        while (more == 1)
            more = fill_next(&rest, &piece, &err);
        assert_int_equal(more, -1);
    }
}

static const struct slice user_type[] = {TEXT("user")};
static const struct question texts = {
    .answer = {TEXT("{count} of {entity}, {list user.name count}; {{{rows}}}; {gone}"), TEXT("{entity} の {count} 件")},
    .none = {TEXT("nothing of {entity}"), TEXT("{entity} は無し")}};

static struct question_answer answer_of(struct fixture *f, struct batch *batch)
{
    const struct search_result result = {.rows = batch, .row_count = batch->row_count, .complete = true};
    struct question_answer answer;
    struct err err;
    if (question_answer(&texts, SLICE("taro"), &result, f->arena, &answer, &err) < 0)
        fail_msg("%s", err.text);
    return answer;
}

static void sentences(void **state)
{
    struct fixture *f = *state;
    struct batch *batch = batch_new(MIB);
    assert_non_null(batch);
    assert_true(slice_is(answer_of(f, batch).text.en, "nothing of taro"));
    for (uint32_t row = 0; row < 7; row++) {
        batch->row_count++;
        assert_int_equal(batch_put_text(batch, row, "user.name", arena_printf(f->arena, "u%u", row)), 0);
        assert_int_equal(batch_put(batch, row, SLICE("count"), value_i64(row + 3)), 0);
        assert_int_equal(batch_put_text(batch, row, "events", arena_printf(f->arena, "e%u", row / 2)), 0);
    }
    struct question_answer answer = answer_of(f, batch);
    assert_true(slice_is(answer.text.en, "3 of taro, u0 (3), u1 (4), u2 (5), u3 (6), u4 (7), …; {7}; -"));
    assert_true(slice_is(answer.text.ja, "taro の 3 件"));
    assert_int_equal(answer.event_count, 4); /* each once */
    batch_reset(batch);
    batch->row_count = 1;
    assert_int_equal(batch_put(batch, 0, SLICE("count"), value_i64(0)), 0);
    assert_true(slice_is(answer_of(f, batch).text.ja, "taro は無し"));
    batch_free(batch);
}

static void picks(void **state)
{
    static const struct slice rule[] = {TEXT("WDR-01")};
    static const struct question list[] = {{.name = TEXT("whole"), .any = true},
                                           {.name = TEXT("user"), .types = user_type, .type_count = 1},
                                           {.name = TEXT("own"), .types = user_type, .type_count = 1, .rules = rule, .rule_count = 1}};
    static const struct entity entities[] = {{TEXT("port"), TEXT("22")}, {TEXT("user"), TEXT("a")}, {TEXT("user"), TEXT("b")}, {TEXT("user"), TEXT("c")}};
    const struct questions all = {.list = list, .count = ARRAY_COUNT(list)};
    struct finding finding = {.entities = entities, .entity_count = ARRAY_COUNT(entities)};
    struct question_pick out[8];
    size_t left;
    (void)state;
    assert_int_equal(question_pick(&all, &finding, out, 8, &left), 3); /* two entities, then the whole */
    assert_true(out[0].entity == &entities[1] && out[1].entity == &entities[2] && !out[2].entity && left == 0);
    finding.catalogue = rule[0];
    assert_int_equal(question_pick(&all, &finding, out, 8, &left), 5);
    assert_int_equal(question_pick(&all, &finding, out, 2, &left), 2);
    assert_int_equal(left, 3);
}

/* ---- rows ---- */

static void sql(struct fixture *f, const char *text)
{
    struct err err;
    if (database_run(f->database, text, NULL, 0, &err) < 0)
        fail_msg("%s", err.text);
}

static void incident(struct fixture *f, int id, int severity)
{
    char text[512];
    snprintf(text, sizeof(text), "INSERT INTO incidents(id,severity,raw_severity,state,opened_ns,updated_ns,first_event_ns,last_event_ns)"
             " VALUES(%d,%d,%d,'open',1,1,1,1)", id, severity, severity);
    sql(f, text);
    snprintf(text, sizeof(text), "INSERT INTO findings(id,incident,line,rule,severity,event_ns,filed_ns,bytes) VALUES('f%d',%d,'','r',%d,1,1,x'00')",
             id, id, severity);
    sql(f, text);
}

/* The incident that is asked next; 0: none. */
static int64_t ask_next(struct fixture *f, size_t count, bool *full)
{
    static struct answer_row rows[ANSWERS_WAITING_MAX];
    struct answers_due due;
    struct err err;
    assert_true(count <= ARRAY_COUNT(rows));
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct answer_row){.name = SLICE("q"), .question_en = SLICE("q"), .question_ja = SLICE("問"), .entity = SLICE(""),
                                      .search = SLICE("*")};
    int result = answers_due(f->database, f->arena, &due, full, &err);
    if (result < 0 || (result == 1 && answers_put(f->database, &due, f->clock.wall_ns, rows, count, &err) < 0))
        fail_msg("%s", err.text);
    return result ? due.incident : 0;
}

static void order_and_bound(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct answer_row row;
    bool full;
    incident(f, 1, 2);
    incident(f, 2, 4);
    incident(f, 3, 2);
    assert_int_equal(ask_next(f, 1, &full), 2);
    assert_int_equal(ask_next(f, 1, &full), 3);
    assert_int_equal(ask_next(f, ANSWERS_WAITING_MAX - 2, &full), 1);
    incident(f, 4, 4);
    assert_int_equal(ask_next(f, 1, &full), 0);
    assert_true(full);
    assert_int_equal(answers_next(f->database, (int64_t[2]){0, 0}, f->arena, &row, &err), 1);
    assert_int_equal(row.incident, 2);
    assert_int_equal(answers_next(f->database, (int64_t[2]){row.id, 0}, f->arena, &row, &err), 1);
    assert_int_equal(row.incident, 3);
    row.state = ANSWER_READY;
    row.en = row.ja = SLICE("x");
    assert_int_equal(answers_set(f->database, &row, NOON, &err), 0);
    assert_int_equal(ask_next(f, 1, &full), 4); /* there is room again */
    assert_false(full);
}

static void again(void **state)
{
    struct fixture *f = *state;
    struct err err;
    bool full;
    incident(f, 1, 2);
    assert_int_equal(ask_next(f, 2, &full), 1);
    assert_int_equal(ask_next(f, 2, &full), 0);
    sql(f, "UPDATE incidents SET raw_severity=4 WHERE id=1");
    assert_int_equal(ask_next(f, 2, &full), 1); /* it has become graver */
    assert_int_equal(answers_again(f->database, 1, &err), 0);
    assert_int_equal(ask_next(f, 2, &full), 1);
    sql(f, "UPDATE incidents SET state='closed' WHERE id=1");
    assert_int_equal(answers_again(f->database, 1, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_int_equal(answers_again(f->database, 7, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void late(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct buffer to;
    struct json json;
    bool full;
    incident(f, 1, 2);
    assert_int_equal(ask_next(f, 1, &full), 1);
    for (int i = 0; i < 2; i++) {
        buffer_init(&to, MIB);
        json_init(&json, &to);
        json_open(&json, '{');
        assert_int_equal(answers_json(f->database, 1, f->clock.wall_ns + (ANSWER_LATE_MS + i) * NS_PER_MS, f->arena, &json, &err), 0);
        assert_int_equal(slice_find(buffer_slice(&to), SLICE("\"state\":\"late\"")) >= 0, i);
        assert_int_equal(slice_find(buffer_slice(&to), SLICE("\"state\":\"waiting\"")) >= 0, !i);
        buffer_close(&to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals), cmocka_unit_test(braces), cmocka_unit_test_setup_teardown(sentences, set_up, tear_down),
        cmocka_unit_test(picks), cmocka_unit_test_setup_teardown(order_and_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(again, set_up, tear_down), cmocka_unit_test_setup_teardown(late, set_up, tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
