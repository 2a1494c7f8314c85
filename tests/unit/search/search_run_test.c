#include "search/parser.h"
#include "search/run.h"

#include "base/mem.h"
#include "base/zone.h"
#include "event/schema.h"
#include "search/frame.h"

#include "test.h"

#include <stdio.h>

/* A source of coded columns: rows rows in blocks, each block with a dictionary of its own. */
enum { BLOCK_ROWS = 65536, USERS = 50, HOSTS = 20 };

struct coded {
    struct arena *arena;
    struct batch *batch;
    struct value users[USERS], hosts[HOSTS];
    uint32_t left;
    uint64_t epoch;
    bool codes_only;
};

static struct column *coded_column(struct coded *c, const char *name, const struct value *dict,
                                   uint32_t dict_count, uint32_t step)
{
    struct column *column = batch_column(c->batch, slice_text(name));
    column->rows = arena_alloc(c->arena, BLOCK_ROWS * sizeof(uint32_t));
    column->codes = arena_alloc(c->arena, BLOCK_ROWS * sizeof(uint32_t));
    column->values =
        c->codes_only ? NULL : arena_alloc(c->arena, BLOCK_ROWS * sizeof(struct value));
    column->dict = dict;
    column->dict_count = dict_count;
    column->count = BLOCK_ROWS;
    column->types_seen = 1U << VALUE_STRING;
    for (uint32_t i = 0; i < BLOCK_ROWS; i++) {
        column->rows[i] = i;
        column->codes[i] = (i * step / 7) % dict_count;
        if (column->values)
            column->values[i] = dict[column->codes[i]];
    }
    return column;
}

static void coded_init(struct coded *c, uint32_t rows, bool codes_only)
{
    *c = (struct coded){.left = rows, .codes_only = codes_only, .arena = arena_new(256 * MIB)};
    c->batch = frame_batch_new(c->arena, BLOCK_ROWS);
    for (uint32_t i = 0; i < USERS; i++)
        c->users[i] = value_string(arena_printf(c->arena, "user%u", i));
    for (uint32_t i = 0; i < HOSTS; i++)
        c->hosts[i] = value_string(arena_printf(c->arena, "host%u", i));
    coded_column(c, "user", c->users, USERS, 3);
    coded_column(c, "host.name", c->hosts, HOSTS, 11);
}

static int coded_next(void *context, struct search_rows *out, struct err *err)
{
    struct coded *c = context;
    (void)err;
    if (!c->left)
        return 0;
    c->batch->row_count = c->left < BLOCK_ROWS ? c->left : BLOCK_ROWS;
    for (uint32_t i = 0; i < c->batch->column_count; i++) {
        c->batch->columns[i]->count = c->batch->row_count;
        c->batch->columns[i]->dict_epoch = c->epoch + 1;
    }
    c->epoch++;
    c->left -= c->batch->row_count;
    *out = (struct search_rows){.batch = c->batch};
    return 1;
}

static int coded_open(void *context, const struct search_request *request, struct arena *arena,
                      struct search_source *out, struct err *err)
{
    (void)request;
    (void)arena;
    (void)err;
    *out = (struct search_source){.next = coded_next, .context = context, .ordered = true};
    return 0;
}

struct fixture {
    struct coded coded;
    struct arena *arena;
    struct search_backend backend;
    struct search_options options;
    struct search *search;
    struct err err;
};

static void set_up(struct fixture *f, const char *spl, uint32_t rows)
{
    struct spl_query *query;
    f->arena = arena_new(16 * MIB);
    coded_init(&f->coded, rows, true);
    f->backend = (struct search_backend){.open = coded_open, .context = &f->coded};
    f->options.backend = &f->backend;
    err_clear(&f->err);
    assert_int_equal(spl_parse(slice_text(spl), f->arena, &query, &f->err), 0);
    assert_int_equal(search_new(query, &f->options, &f->search, &f->err), 0);
}

static void tear_down(struct fixture *f)
{
    search_free(f->search);
    arena_free(f->coded.arena);
    arena_free(f->arena);
}

static int64_t total_of(const struct search_result *result, struct slice name)
{
    int64_t total = 0;
    const struct column *column = batch_find(result->rows, name);
    assert_non_null(column);
    for (uint32_t i = 0; i < column->count; i++)
        total += column->values[i].i64;
    return total;
}

/* Generous: 15 ms are usual. The thread sanitizer makes it hundreds of times slower. */
#ifdef __SANITIZE_THREAD__
enum { SECONDS_MAX = 60 };
#else
enum { SECONDS_MAX = 1 };
#endif

static void groups_a_million_coded_rows_in_a_moment(void **state)
{
    struct fixture f = {0};
    (void)state;
    set_up(&f, "* | stats count by user host", 1000000);
    int64_t start = clock_mono_ns(clock_real());
    assert_int_equal(search_run(f.search, &f.err), 0);
    int64_t took = clock_mono_ns(clock_real()) - start;
    const struct search_result *result = search_result(f.search);
    assert_true(result->complete);
    assert_int_equal(total_of(result, SLICE("count")), 1000000);
    assert_int_equal(f.coded.epoch, 16);
    print_message("1,000,000 rows by two coded columns: %.1f ms, %u groups\n", (double)took / 1e6,
                  result->rows->row_count);
    assert_true(took < SECONDS_MAX * NS_PER_SECOND);
    tear_down(&f);
}

static void a_preview_changes_nothing(void **state)
{
    struct fixture f = {0};
    struct search_result preview;
    struct arena *arena = arena_new(16 * MIB);
    (void)state;
    set_up(&f, "* | stats count by user | sort - count | head 3", 3 * BLOCK_ROWS);
    assert_int_equal(search_step(f.search, &f.err), 1);
    assert_int_equal(search_preview(f.search, arena, &preview, &f.err), 0);
    assert_false(preview.complete);
    assert_int_equal(preview.rows->row_count, 3);
    int64_t early = total_of(&preview, SLICE("count"));
    assert_int_equal(search_run(f.search, &f.err), 0);
    const struct search_result *result = search_result(f.search);
    assert_int_equal(result->rows->row_count, 3);
    assert_true(total_of(result, SLICE("count")) > early);
    arena_free(arena);
    tear_down(&f);
}

static void a_search_can_be_cancelled(void **state)
{
    struct fixture f = {0};
    (void)state;
    set_up(&f, "* | stats count", 3 * BLOCK_ROWS);
    assert_int_equal(search_step(f.search, &f.err), 1);
    search_cancel(f.search);
    assert_int_equal(search_step(f.search, &f.err), -1);
    assert_int_equal(f.err.code, ERR_CANCELLED);
    tear_down(&f);
}

static void says_when_memory_is_out(void **state)
{
    struct fixture f = {.options = {.memory_max = 2 * 1024 * 1024}};
    (void)state;
    f.coded.codes_only = false;
    set_up(&f, "* | eval id=random() | stats count by id", 20 * BLOCK_ROWS);
    assert_int_equal(search_run(f.search, &f.err), -1);
    assert_int_equal(f.err.code, ERR_LIMIT);
    assert_non_null(strstr(f.err.text, "more than 2 MiB"));
    tear_down(&f);
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    for (int n = 0; n < 40; n++) {
        struct fixture f = {0};
        struct spl_query *query;
        f.arena = arena_new(16 * MIB);
        coded_init(&f.coded, 100, true);
        f.backend = (struct search_backend){.open = coded_open, .context = &f.coded};
        f.options.backend = &f.backend;
        err_clear(&f.err);
        assert_int_equal(spl_parse(SLICE("* | stats dc(user) values(host) by user | sort user"),
                                   f.arena, &query, &f.err),
                         0);
        mem_fail_after(n);
        if (search_new(query, &f.options, &f.search, &f.err) == 0) {
            int result = search_run(f.search, &f.err);
            assert_true(result == 0 || f.err.code == ERR_NOMEM || f.err.code == ERR_LIMIT);
        }
        mem_fail_after(-1);
        tear_down(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_a_million_coded_rows_in_a_moment),
        cmocka_unit_test(a_preview_changes_nothing),
        cmocka_unit_test(a_search_can_be_cancelled),
        cmocka_unit_test(says_when_memory_is_out),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
