/* Decisions made again from their records, and the chain over the journal's files. */
#include "gate_fixture.h"

#include "gate/gate_journal.h"
#include "gate/gate_journal_reader.h"
#include "gate/gate_rerun.h"


struct seen {
    struct gate_rerun *rerun;
    unsigned decisions, given, differ, cannot, commits;
    const char *alter; /* of what was given: this text is changed in the record */
    char why[ERR_TEXT_SIZE], rows[1024];
};

static void count_given(void *context, struct slice name, const struct value_list *values)
{
    struct seen *seen = context;
    assert_true(name.len > 0 && values->count < 100);
    seen->given++;
}

static struct slice altered(struct slice inputs, const char *text, struct arena *arena)
{
    struct slice copy = arena_copy(arena, inputs);
    ptrdiff_t at = slice_find(copy, slice_text(text));
    if (at >= 0)
        ((char *)(uintptr_t)copy.ptr)[at] ^= 1;
    return copy;
}

static void make_again(struct seen *seen, struct slice record, struct arena *arena)
{
    struct book_decision decision;
    struct err err;
    const char *why;
    int found = book_read_decision(record, &decision, &err);
    assert_true(found >= 0);
    if (!found)
        return;
    if (seen->alter)
        decision.inputs = altered(decision.inputs, seen->alter, arena);
    int result = gate_rerun_decision(seen->rerun, &decision, count_given, seen, &why, &err);
    seen->decisions++;
    seen->differ += result > 0;
    seen->cannot += result < 0;
    if (result)
        (void)snprintf(seen->why, sizeof(seen->why), "%s", result < 0 ? err.text : why);
    size_t len = strlen(seen->rows);
    (void)snprintf(seen->rows + len, sizeof(seen->rows) - len, "%.*s ", SLICE_ARG(decision.answer.row));
}

/* Every decision of the journal that is not carried over. */
static struct seen make_all_again(struct fixture *f, const char *alter)
{
    struct seen seen = {.alter = alter};
    struct gate_journal_reader *reader;
    struct gate_journal_frame frame;
    struct err err;
    int found;
    assert_int_equal(gate_rerun_new(f->dir, &seen.rerun, &err), 0);
    assert_int_equal(gate_journal_reader_open(f->dir, 0, &reader, &err), 0);
    while ((found = gate_journal_reader_next(reader, &frame, &err)) > 0) {
        struct slice payload = frame.payload, record;
        assert_int_equal(frame.number, seen.commits);
        seen.commits++;
        while (!frame.carried && gate_journal_record_next(&payload, &record) > 0)
            make_again(&seen, record, f->arena);
    }
    if (found < 0)
        fail_msg("%s", err.text);
    gate_journal_reader_close(reader);
    gate_rerun_free(seen.rerun);
    return seen;
}

static void all_kinds(struct fixture *f)
{
    struct err err;
    bool released;
    observe_balance(f, "1000");
    is(ask(f, withdrawal("a", "1")), GATE_ALLOW, "otherwise");
    struct gate_answer held = ask(f, withdrawal("b", "500"));
    is(held, GATE_HOLD, "large-share");
    is(ask(f, withdrawal("c", "0")), GATE_DENY, "malformed");
    struct gate_request elsewhere = withdrawal("d", "1");
    elsewhere.asset = SLICE("NONE");
    is(ask(f, elsewhere), GATE_HOLD, "balance-unknown");
    struct gate_request late = withdrawal("e", "1");
    late.expiry_ns = NOW - 1;
    is(ask(f, late), GATE_DENY, "expired");
    gate_set_health(f->gate, false, "far behind");
    is(ask(f, withdrawal("f", "1")), GATE_HOLD, "unhealthy");
    gate_set_health(f->gate, true, NULL);
    assert_int_equal(gate_approve(f->gate, slice_text(held.id), SLICE("sato"), &released, &err), 0);
    assert_int_equal(gate_approve(f->gate, slice_text(held.id), SLICE("suzuki"), &released, &err), 0);
    is(ask(f, withdrawal("b", "500")), GATE_ALLOW, "released");
    assert_int_equal(gate_tighten(f->gate, SLICE("INC-1"), &err), 0);
    is(ask(f, withdrawal("g", "5")), GATE_HOLD, "nobody-answered");
    const struct gate_stop_order order = {.scope = SLICE("account"), .target = SLICE("u1"), .by = SLICE("sato"), .reason = SLICE("asked for")};
    assert_int_equal(gate_stop_set(f->gate, &order, NULL, NULL, &err), 0);
    is(ask(f, withdrawal("h", "1")), GATE_HOLD, "stopped");
}

static void comes_out_the_same(void **state)
{
    struct fixture *f = *state;
    all_kinds(f);
    struct seen seen = make_all_again(f, NULL);
    assert_string_equal(seen.rows, "otherwise large-share malformed balance-unknown expired unhealthy released nobody-answered stopped ");
    assert_string_equal(seen.why, "");
    assert_int_equal(seen.differ + seen.cannot, 0);
    assert_true(seen.given > 20);
    restart(f); /* and by a program that knows nothing else */
    gate_stop(f->gate);
    f->gate = NULL;
    assert_int_equal(make_all_again(f, NULL).differ, 0);
    start(f);
}

static void differs_when_the_record_was_altered(void **state)
{
    struct fixture *f = *state;
    observe_balance(f, "1000");
    is(ask(f, withdrawal("b", "500")), GATE_HOLD, "large-share");
    assert_int_equal(make_all_again(f, NULL).differ, 0);
    struct seen seen = make_all_again(f, "stop_share"); /* a column of another name: what reads it finds nothing */
    assert_int_equal(seen.differ, 1);
    assert_true(seen.why[0]);
}

static void keeps_every_policy(void **state)
{
    struct fixture *f = *state;
    struct err err;
    char path[128];
    struct slice text;
    observe_balance(f, "1000");
    is(ask(f, withdrawal("a", "100")), GATE_HOLD, "large-share");
    assert_int_equal(file_read("content/policy/default.yaml", MIB, f->arena, &text, &err), 0);
    (void)snprintf(path, sizeof(path), "%s/policy.yaml", f->dir);
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    ptrdiff_t at = slice_find(text, SLICE("asset_share: 0.05"));
    assert_true(at > 0);
    assert_int_equal(fprintf(to, "%.*sasset_share: 0.50%.*s", (int)at, text.ptr, (int)(text.len - (size_t)at - 17), text.ptr + at + 17) > 0, 1);
    (void)fclose(to);
    gate_stop(f->gate);
    f->config.policy_path = path;
    start(f);
    observe_balance(f, "1000");
    struct gate_request known = withdrawal("b", "8");
    is(ask(f, known), GATE_ALLOW, "otherwise");
    struct seen seen = make_all_again(f, NULL);
    assert_int_equal(seen.decisions, 2);
    assert_int_equal(seen.differ + seen.cannot, 0);
    remove_below(f, "policies");
    seen = make_all_again(f, NULL);
    assert_int_equal(seen.cannot, 2);
    gate_stop(f->gate);
    start(f);
}

/* ---- files ---- */

static int count(void *context, struct slice record, struct err *err)
{
    unsigned *records = context;
    (void)record, (void)err;
    ++*records;
    return 0;
}

static void put(struct gate_journal *journal, const char *text, bool rotate)
{
    struct buffer payload;
    struct err err;
    buffer_init(&payload, MIB);
    size_t begun = gate_journal_begin(&payload);
    buffer_put_text(&payload, text);
    gate_journal_end(&payload, begun);
    assert_int_equal(rotate ? gate_journal_rotate(journal, buffer_slice(&payload), NOW, &err)
                            : gate_journal_commit(journal, buffer_slice(&payload), NOW, &err), 0);
    buffer_close(&payload);
}

/* Commits 0 to 8, of which 2, 5 and 8 begin a file. */
static void write_files(struct fixture *f)
{
    struct gate_journal *journal;
    struct err err;
    unsigned records = 0;
    gate_stop(f->gate);
    f->gate = NULL;
    remove_below(f, ".");
    assert_int_equal(gate_journal_open(io_real(), f->dir, count, &records, &journal, &err), 0);
    for (unsigned n = 0; n < 9; n++)
        put(journal, "something that happened", n % 3 == 2);
    assert_int_equal(gate_journal_number(journal), 9);
    gate_journal_close(journal);
}

static int read_all(struct fixture *f, uint64_t from, unsigned *commits, struct err *err)
{
    struct gate_journal_reader *reader;
    struct gate_journal_frame frame;
    int found;
    *commits = 0;
    assert_int_equal(gate_journal_reader_open(f->dir, from, &reader, err), 0);
    while ((found = gate_journal_reader_next(reader, &frame, err)) > 0)
        ++*commits;
    gate_journal_reader_close(reader);
    return found;
}

static void is_one_chain_over_all_files(void **state)
{
    struct fixture *f = *state;
    struct gate_journal *journal;
    struct err err;
    unsigned commits, records = 0;
    write_files(f);
    for (uint64_t from = 0; from <= 9; from++) {
        assert_int_equal(read_all(f, from, &commits, &err), 0);
        assert_int_equal(commits, 9 - from);
    }
    assert_int_equal(gate_journal_open(io_real(), f->dir, count, &records, &journal, &err), 0);
    assert_int_equal(records, 4); /* of the newest file and of the one before */
    assert_int_equal(gate_journal_number(journal), 9);
    put(journal, "more", false);
    gate_journal_close(journal);
    assert_int_equal(read_all(f, 0, &commits, &err), 0);
    assert_int_equal(commits, 10);
    remove_file(f, "gate.journal.00000000000000000000"); /* the oldest may go */
    assert_int_equal(read_all(f, 0, &commits, &err), 0);
    assert_int_equal(commits, 8);
    start(f);
}

static void finds_a_commit_that_was_replaced(void **state)
{
    struct fixture *f = *state;
    struct err err;
    unsigned commits;
    char a[128], b[128];
    write_files(f);
    (void)snprintf(a, sizeof(a), "%s/gate.journal.00000000000000000002", f->dir);
    (void)snprintf(b, sizeof(b), "%s/other", f->dir);
    int fd = open(a, O_RDWR);
    assert_true(fd >= 0);
    struct gate_journal_frame frame;
    struct buffer fresh;
    char bytes[4096];
    ssize_t got = pread(fd, bytes, sizeof(bytes), 0);
    assert_true(got > 0 && gate_journal_frame_read(slice_of(bytes, (size_t)got), &frame));
    size_t second = GATE_FRAME_HEADER + frame.payload.len;
    unsigned char chain[GATE_CHAIN_SIZE] = {1}; /* well-formed, but of another history */
    assert_true(gate_journal_frame_read(slice_of(bytes + second, (size_t)got - second), &frame));
    buffer_init(&fresh, MIB);
    gate_journal_frame_put(&frame, chain, &fresh);
    assert_int_equal(pwrite(fd, fresh.ptr, fresh.len, (off_t)second), (ssize_t)fresh.len);
    buffer_close(&fresh);
    close(fd);
    assert_int_equal(read_all(f, 0, &commits, &err), -1);
    assert_int_equal(commits, 3);
    assert_int_equal(err.code, ERR_CORRUPT);
    remove_below(f, ".");
    start(f);
}

/* The two moments of a rotation at which the program may die. */
static void ends_a_rotation_that_was_cut_short(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct gate_journal *journal;
    char now[128], next[128], old[128];
    unsigned commits, records = 0;
    write_files(f);
    (void)snprintf(now, sizeof(now), "%s/gate.journal", f->dir);
    (void)snprintf(next, sizeof(next), "%s/gate.journal.next", f->dir);
    (void)snprintf(old, sizeof(old), "%s/gate.journal.00000000000000000005", f->dir);
    assert_int_equal(rename(now, next), 0); /* the old file had its number already */
    assert_int_equal(gate_journal_open(io_real(), f->dir, count, &records, &journal, &err), 0);
    assert_int_equal(gate_journal_number(journal), 9);
    gate_journal_close(journal);
    assert_int_equal(rename(now, next), 0);
    assert_int_equal(rename(old, now), 0); /* it had not */
    assert_int_equal(gate_journal_open(io_real(), f->dir, count, &records, &journal, &err), 0);
    assert_int_equal(gate_journal_number(journal), 8);
    assert_int_not_equal(access(next, F_OK), 0);
    put(journal, "again", true);
    gate_journal_close(journal);
    assert_int_equal(read_all(f, 0, &commits, &err), 0);
    assert_int_equal(commits, 9);
    start(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(comes_out_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(differs_when_the_record_was_altered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_every_policy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_one_chain_over_all_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_a_commit_that_was_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ends_a_rotation_that_was_cut_short, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
