/* People, tokens and the audit trail in SQLite. */
#include "state_fixture.h"

#include "event/ip.h"
#include "state/audit.h"
#include "state/tokens.h"

#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PASSWORD SLICE("correct horse battery")

/* ---- people ---- */

static void who_is_disabled_cannot_sign_in(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct user user;
    struct session session;
    const struct hin_clock *clock = &f->clock.clock;
    assert_int_equal(users_add(f->database, clock, SLICE("sato"), PASSWORD, ROLE_ADMIN, &err), 0);
    assert_int_equal(users_add(f->database, clock, SLICE("suzuki"), PASSWORD, ROLE_VIEWER, &err), 0);
    assert_int_equal(users_check(f->database, clock, SLICE("suzuki"), PASSWORD, f->arena, &user, &err), 0);
    assert_int_equal(sessions_new(f->database, clock, &user, &session, &err), 0);
    assert_int_equal(users_set_disabled(f->database, SLICE("suzuki"), true, &err), 0);
    struct session found;
    assert_int_equal(sessions_find(f->database, clock, slice_text(session.secret), f->arena, &found, &err), -1);
    assert_int_equal(users_check(f->database, clock, SLICE("suzuki"), PASSWORD, f->arena, &user, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    assert_int_equal(users_set_disabled(f->database, SLICE("suzuki"), false, &err), 0);
    assert_int_equal(users_check(f->database, clock, SLICE("suzuki"), PASSWORD, f->arena, &user, &err), 0);
}

static void the_last_administrator_stays(void **state)
{
    struct fixture *f = *state;
    struct err err;
    const struct hin_clock *clock = &f->clock.clock;
    assert_int_equal(users_add(f->database, clock, SLICE("sato"), PASSWORD, ROLE_ADMIN, &err), 0);
    assert_int_equal(users_set_disabled(f->database, SLICE("sato"), true, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_int_equal(users_set_role(f->database, SLICE("sato"), ROLE_VIEWER, &err), -1);
    assert_string_equal(err.text, "sato is the last administrator; make another first");
    assert_int_equal(users_add(f->database, clock, SLICE("ito"), PASSWORD, ROLE_ADMIN, &err), 0);
    assert_int_equal(users_set_disabled(f->database, SLICE("ito"), true, &err), 0);
    assert_int_equal(users_set_role(f->database, SLICE("sato"), ROLE_VIEWER, &err), -1); /* ito does not count */
    assert_int_equal(users_set_disabled(f->database, SLICE("ito"), false, &err), 0);
    assert_int_equal(users_set_role(f->database, SLICE("sato"), ROLE_VIEWER, &err), 0);
    assert_int_equal(users_set_role(f->database, SLICE("nobody"), ROLE_VIEWER, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void a_new_password_ends_sessions_and_locks(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct user user;
    struct session session, found;
    const struct hin_clock *clock = &f->clock.clock;
    assert_int_equal(users_add(f->database, clock, SLICE("sato"), PASSWORD, ROLE_ADMIN, &err), 0);
    assert_int_equal(users_check(f->database, clock, SLICE("sato"), PASSWORD, f->arena, &user, &err), 0);
    assert_int_equal(sessions_new(f->database, clock, &user, &session, &err), 0);
    for (int i = 0; i < 6; i++)
        assert_int_equal(users_check(f->database, clock, SLICE("sato"), SLICE("wrong wrong wrong"), f->arena, &user, &err), -1);
    assert_int_equal(users_set_password(f->database, SLICE("sato"), SLICE("short"), &err), -1);
    assert_int_equal(users_set_password(f->database, SLICE("sato"), SLICE("another horse battery"), &err), 0);
    assert_int_equal(sessions_find(f->database, clock, slice_text(session.secret), f->arena, &found, &err), -1);
    assert_int_equal(users_check(f->database, clock, SLICE("sato"), SLICE("another horse battery"), f->arena, &user, &err), 0);
}

/* ---- tokens ---- */

static void a_token_is_used_from_its_networks_only(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct token token = {.name = SLICE("t"), .kind = SLICE("hec"), .networks = SLICE("10.1.0.0/16, 2001:db8::/32")};
    struct token found;
    char text[TOKEN_TEXT_SIZE];
    const struct hin_clock *clock = &f->clock.clock;
    assert_int_equal(tokens_add(f->database, clock, &token, text, &err), 0);
    static const struct {
        const char *peer;
        bool right;
    } cases[] = {
        {"10.1.2.3:5000", true},         {"10.2.2.3:5000", false},          {"[2001:db8::1]:443", true},
        {"[2001:db9::1]:443", false},    {"[::ffff:10.1.9.9]:443", true},   {"", false},
        {"10.1.2.3", false},             {"garbage:80", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int got = tokens_find(f->database, clock, slice_text(text), slice_text(cases[i].peer), f->arena, &found, &err);
        if ((got == 0) != cases[i].right)
            fail_msg("from %s: %d", cases[i].peer, got);
    }
    token.networks = SLICE("10.1.0.0/33");
    assert_int_equal(tokens_add(f->database, clock, &token, text, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    token.networks = SLICE_NONE;
    token.expires_ns = NOON + NS_PER_DAY;
    assert_int_equal(tokens_add(f->database, clock, &token, text, &err), 0);
    assert_int_equal(tokens_find(f->database, clock, slice_text(text), SLICE("anywhere"), f->arena, &found, &err), 0);
    clock_manual_advance(&f->clock, NS_PER_DAY);
    assert_int_equal(tokens_find(f->database, clock, slice_text(text), SLICE("anywhere"), f->arena, &found, &err), -1);
}

/* ---- the audit trail ---- */

static void add_rows(struct fixture *f, int count)
{
    struct err err;
    for (int i = 0; i < count; i++) {
        struct audit_row row = {.actor = SLICE("sato"), .via = SLICE("session"), .peer = SLICE("10.0.0.1:99"),
                                .action = i % 2 ? SLICE("token.add") : SLICE("search"), .object = SLICE("x"),
                                .detail = i == 3 ? SLICE("\xff not UTF-8") : SLICE(""), .result = SLICE("ok")};
        clock_manual_advance(&f->clock, NS_PER_SECOND);
        if (audit_add(f->database, &f->clock.clock, &row, &err) < 0)
            fail_msg("%s", err.text);
    }
}

static int walk_row(void *context, const struct audit_row *row, struct err *err)
{
    return audit_walk_next(context, row, err);
}

static int walk(struct fixture *f, struct audit_walk *walk, struct err *err)
{
    struct audit_filter all = {0};
    return audit_each(f->database, &all, walk_row, walk, err) < 0 ? -1 : audit_walk_end(walk, err);
}

static void run_sql(struct fixture *f, const char *sql, int want)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), want);
    sqlite3_close(db);
}

static void the_chain_holds_and_shows_every_change(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct audit_walk whole = {0};
    add_rows(f, 10);
    if (walk(f, &whole, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(whole.rows, 10);
    run_sql(f, "UPDATE audit SET actor='ito' WHERE id=4", SQLITE_CONSTRAINT);
    run_sql(f, "DELETE FROM audit WHERE id=4", SQLITE_CONSTRAINT);
    static const char *const forged[] = {
        "UPDATE audit SET actor='ito' WHERE id=4", "UPDATE audit SET time_ns=time_ns+1 WHERE id=1",
        "DELETE FROM audit WHERE id=4",            "UPDATE audit SET id=11 WHERE id=10",
        "UPDATE audit SET object='xs',detail='' WHERE id=7",
    };
    run_sql(f, "DROP TRIGGER audit_update; DROP TRIGGER audit_delete; CREATE TABLE copy AS SELECT * FROM audit", SQLITE_OK);
    for (size_t i = 0; i < ARRAY_COUNT(forged); i++) {
        struct audit_walk broken = {0};
        run_sql(f, forged[i], SQLITE_OK);
        assert_int_equal(walk(f, &broken, &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
        run_sql(f, "DELETE FROM audit; INSERT INTO audit SELECT * FROM copy", SQLITE_OK);
    }
    /* the end cut off: only a hash noted earlier tells */
    run_sql(f, "DELETE FROM audit WHERE id>8", SQLITE_OK);
    struct audit_walk cut = {0}, noted = {.wanted = whole.hash};
    assert_int_equal(walk(f, &cut, &err), 0);
    assert_int_equal(walk(f, &noted, &err), -1);
}

static int count_row(void *context, const struct audit_row *row, struct err *err)
{
    (void)row;
    (void)err;
    ++*(int *)context;
    return 0;
}

static void rows_are_found_by_time_actor_and_action(void **state)
{
    struct fixture *f = *state;
    struct err err;
    add_rows(f, 10);
    const struct {
        struct audit_filter filter;
        int want;
    } cases[] = {
        {{0}, 10},
        {{.action = SLICE("token")}, 5},
        {{.action = SLICE("tok")}, 0},
        {{.action = SLICE("search")}, 5},
        {{.actor = SLICE("ito")}, 0},
        {{.from_ns = NOON + 3 * NS_PER_SECOND, .to_ns = NOON + 5 * NS_PER_SECOND}, 2},
        {{.before = 4, .newest_first = true}, 3},
        {{.limit = 7, .newest_first = true}, 7},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int count = 0;
        assert_int_equal(audit_each(f->database, &cases[i].filter, count_row, &count, &err), 0);
        assert_int_equal(count, cases[i].want);
    }
}

/* ---- the file ---- */

static void remove_database(const char *name)
{
    char path[112];
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
        snprintf(path, sizeof(path), "%s%s", name, ends[i]);
        unlink(path);
    }
}

static void a_copy_is_whole_and_damage_is_seen(void **state)
{
    struct fixture *f = *state;
    struct err err;
    char copy[96];
    struct audit_walk rows = {0};
    snprintf(copy, sizeof(copy), "%s-copy", f->path);
    add_rows(f, 200);
    assert_int_equal(database_check(f->path, &err), 0);
    assert_int_equal(database_copy(f->path, copy, &err), 0); /* while it is open here */
    assert_int_equal(database_check(copy, &err), 0);
    struct fixture other = {.arena = f->arena};
    assert_int_equal(database_open(copy, &other.database, &err), 0);
    assert_int_equal(walk(&other, &rows, &err), 0);
    assert_int_equal(rows.rows, 200);
    database_close(other.database);
    FILE *file = fopen(copy, "r+b");
    assert_non_null(file);
    for (long page = 1; page < 20; page++) {
        fseek(file, page * 4096 + 3, SEEK_SET); /* the number of cells */
        fputs("\xff\xff\xff", file);
    }
    fclose(file);
    assert_int_equal(database_check(copy, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    remove_database(copy);
    assert_int_equal(database_check(copy, &err), -1);
    assert_int_equal(access(copy, F_OK), -1); /* looking does not make one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_is_disabled_cannot_sign_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_administrator_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_password_ends_sessions_and_locks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_token_is_used_from_its_networks_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_chain_holds_and_shows_every_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_are_found_by_time_actor_and_action, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_copy_is_whole_and_damage_is_seen, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
