/* Who is silent, alone or with others; what is kept over a restart; heartbeats. */
#include "../folder.h"
#include "test.h"

#include "base/hash.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/time.h"
#include "event/delivery.h"
#include "event/schema.h"
#include "flow/sources.h"

#include <stdio.h>
#include <string.h>

enum { SENDERS = 40, FOUND_MAX = 64 };
#define START_NS (1767571200 * NS_PER_SECOND)

struct world {
    struct clock_manual clock;
    struct sources *sources;
    struct batch *batch;
    struct origin origins[SENDERS];
    char names[SENDERS][32];
    uint64_t seq;
    char found[FOUND_MAX][400]; /* "-" in front of what takes one back */
    size_t found_count;
    char gaps[FOUND_MAX][200];
    size_t gap_count;
    char path[96]; /* "": nothing is kept */
};

static int on_found(void *context, const struct finding *finding, const struct rule *rule, struct err *err)
{
    struct world *world = context;
    (void)err;
    assert_true(finding->explanation_ja.len && finding->entity_count + finding->retracts.len && rule->do_ja.len);
    assert_true(world->found_count < FOUND_MAX);
    (void)snprintf(world->found[world->found_count++], sizeof(world->found[0]), "%s%.*s", finding->retracts.len ? "- " : "",
                   SLICE_ARG(finding->explanation_en));
    return 0;
}

static int on_gap(void *context, const struct gap *gap, struct slice stream, struct err *err)
{
    struct world *world = context;
    (void)err;
    assert_true(slice_is(stream, "main"));
    assert_true(world->gap_count < FOUND_MAX);
    (void)snprintf(world->gaps[world->gap_count++], sizeof(world->gaps[0]), "%.*s/%.*s/%.*s %.*s: %llu, %llu to %llu",
                   SLICE_ARG(gap->source), SLICE_ARG(gap->sender), SLICE_ARG(gap->host), SLICE_ARG(gap->numbers),
                   (unsigned long long)gap->missing, (unsigned long long)gap->from, (unsigned long long)gap->to);
    return 0;
}

static void world_open(struct world *world)
{
    struct err err;
    struct sources_config config = {.clock = &world->clock.clock, .save_ns = NS_PER_DAY, .path = world->path[0] ? world->path : NULL};
    if (sources_open(&config, &world->sources, &err) < 0)
        fail_msg("%s", err.text);
    sources_tell(world->sources, on_found, on_gap, world);
}

static struct world *world_new(const char *folder)
{
    struct world *world = mem_calloc(1, sizeof(*world));
    clock_manual_init(&world->clock, START_NS);
    if (folder)
        (void)snprintf(world->path, sizeof(world->path), "%s/sources", folder);
    for (int i = 0; i < SENDERS; i++) {
        (void)snprintf(world->names[i], sizeof(world->names[i]), "192.0.2.%d", i);
        world->origins[i] = (struct origin){.source = i % 2 ? SLICE("syslog") : SLICE("hec"), .stream = SLICE("main"),
                                            .sender = slice_text(world->names[i])};
    }
    world->batch = batch_new(16 * MIB);
    world_open(world);
    return world;
}

static void world_free(struct world *world)
{
    sources_close(world->sources);
    batch_free(world->batch);
    mem_free(world);
}

static void send_as(struct world *world, int sender, const char *host)
{
    struct err err;
    batch_reset(world->batch);
    struct event_row *row = batch_add_row(world->batch);
    row->raw = SLICE("something happened");
    row->received_ns = row->time_ns = world->clock.wall_ns;
    row->seq = ++world->seq;
    row->origin = &world->origins[sender];
    assert_int_equal(batch_put(world->batch, 0, FIELD_HOST, value_string(slice_text(host))), 0);
    assert_int_equal(sources_take(world->sources, world->batch, &err), 0);
}

/* Every minute: each sender sends every 1 to 10 of them, those from first up to, not with, until do not. */
static void pass(struct world *world, int minutes, int first, int until)
{
    struct err err;
    for (int m = 0; m < minutes; m++) {
        clock_manual_advance(&world->clock, NS_PER_MINUTE);
        for (int i = 0; i < SENDERS; i++)
            if ((world->clock.wall_ns / NS_PER_MINUTE + i) % (1 + i % 10) == 0 && (i < first || i >= until))
                send_as(world, i, world->names[i]);
        assert_int_equal(sources_tick(world->sources, world->clock.wall_ns, &err), 0);
    }
}

enum { DAY = 1440 };

static void one_that_stops_is_found_once_and_taken_back(void **state)
{
    (void)state;
    struct world *world = world_new(NULL);
    pass(world, 20 * DAY, 0, 0);
    assert_int_equal(world->found_count, 0);
    pass(world, 40, 7, 8); /* it sends every eight minutes */
    assert_int_equal(world->found_count, 1);
    assert_true(strstr(world->found[0], "syslog / 192.0.2.7"));
    pass(world, 10 * DAY, 7, 8);
    assert_int_equal(world->found_count, 1);
    pass(world, 30, 0, 0);
    assert_int_equal(world->found_count, 2);
    assert_true(strstr(world->found[1], "- syslog / 192.0.2.7 / 192.0.2.7 is heard again"));
    world_free(world);
}

static void an_outage_of_all_is_one_finding(void **state)
{
    (void)state;
    struct world *world = world_new(NULL);
    pass(world, 20 * DAY, 0, 0);
    pass(world, 120, 0, SENDERS);
    assert_int_equal(world->found_count, 1);
    assert_true(strstr(world->found[0], "every input"));
    pass(world, 120, 1, 2); /* all come back but one */
    for (size_t i = 0; i < world->found_count; i++)
        print_message("%s\n", world->found[i]);
    assert_int_equal(world->found_count, 3);
    assert_true(strstr(world->found[1], "- every input is heard again"));
    assert_true(strstr(world->found[2], "syslog / 192.0.2.1"));
    world_free(world);
}

static void an_input_that_stops_is_one_finding(void **state)
{
    (void)state;
    struct world *world = world_new(NULL);
    for (int i = 0; i < SENDERS; i++)
        world->origins[i].source = i < 20 ? SLICE("hec") : SLICE("syslog");
    pass(world, 20 * DAY, 0, 0);
    pass(world, 120, 20, SENDERS);
    for (size_t i = 0; i < world->found_count; i++)
        print_message("%s\n", world->found[i]);
    assert_int_equal(world->found_count, 1);
    assert_true(strstr(world->found[0], "from syslog since"));
    world_free(world);
}

static void a_restart_forgets_nothing_and_is_nobodys_silence(void **state)
{
    struct world *world = world_new(*state);
    pass(world, 15 * DAY, 0, 0);
    pass(world, 60, 3, 4);
    assert_int_equal(world->found_count, 1);
    sources_close(world->sources);
    clock_manual_advance(&world->clock, 5 * NS_PER_HOUR);
    world_open(world);
    pass(world, 1, 0, SENDERS);
    assert_int_equal(world->found_count, 1);
    world->seq -= 2; /* read again from the journal: seen already */
    send_as(world, 3, "192.0.2.3");
    assert_int_equal(world->found_count, 1);
    pass(world, 60, 5, 6);
    for (size_t i = 0; i < world->found_count; i++)
        print_message("%s\n", world->found[i]);
    assert_int_equal(world->found_count, 3);
    assert_true(strstr(world->found[1], "- syslog / 192.0.2.3"));
    assert_true(strstr(world->found[2], "syslog / 192.0.2.5"));
    world_free(world);
}

static void see_events(void *context, const struct source_view *view)
{
    uint64_t *events = context;
    if (view->kind == SOURCE_INPUT && slice_is(view->source, "syslog"))
        *events = view->counts.events;
}

/* As version 1 wrote it: an input with 7 events, its rhythm, and no more. */
static void the_file_before_is_read(void **state)
{
    struct world *world = world_new(*state);
    struct rhythm rhythm;
    struct buffer file;
    struct err err;
    uint64_t events = 0;
    sources_close(world->sources);
    rhythm_begin(&rhythm, START_NS);
    buffer_init(&file, MIB);
    buffer_put_text(&file, "hinomi sources 1\n");
    buffer_put_le64(&file, 0);
    buffer_put_varint(&file, 1);
    buffer_put(&file, (struct slice){"\1\0\0", 3});
    buffer_put_block(&file, SLICE("syslog"));
    for (int i = 0; i < 7; i++)
        buffer_put_block(&file, SLICE(""));
    buffer_put_varint(&file, 7);
    for (int i = 0; i < 6; i++)
        buffer_put_varint(&file, 0);
    rhythm_save(&rhythm, &file);
    buffer_put_le64(&file, hash_bytes(buffer_slice(&file)));
    assert_int_equal(io_replace_file(io_real(), world->path, buffer_slice(&file), &err), 0);
    buffer_close(&file);
    world_open(world);
    sources_each(world->sources, see_events, &events);
    assert_int_equal(events, 7);
    world_free(world);
}

static void see_input(void *context, const struct source_view *view)
{
    struct source_view *input = context;
    if (view->kind == SOURCE_INPUT && slice_is(view->source, "queue"))
        *input = *view;
}

/* The collector's own event of it: written, read, and in the books once. */
static void what_a_collector_misses_is_its_inputs(void **state)
{
    struct world *world = world_new(*state);
    struct arena *arena = arena_new(MIB);
    const struct gap told = {.source = SLICE("queue"), .numbers = SLICE("nats"), .missing = 4, .from = 7, .to = 12,
                             .time_ns = START_NS};
    struct gap read, of_sender = told;
    struct source_view input = {0};
    struct buffer line;
    struct err err;
    buffer_init(&line, MIB);
    gap_write(&told, &line);
    assert_int_equal(gap_read(buffer_slice(&line), arena, &read, &err), 0);
    assert_true(slice_equal(read.source, told.source) && slice_equal(read.numbers, told.numbers) && read.missing == 4);
    assert_int_equal(sources_gap(world->sources, &read, START_NS + 5, 1, &err), 0);
    of_sender.host = SLICE("dc-1"); /* that one was booked when it was found */
    assert_int_equal(sources_gap(world->sources, &of_sender, START_NS + 5, 1, &err), 0);
    send_as(world, 0, "one"); /* number 1 is behind */
    assert_int_equal(sources_gap(world->sources, &read, START_NS + 5, 1, &err), 0);
    sources_close(world->sources);
    world_open(world);
    sources_each(world->sources, see_input, &input);
    assert_int_equal(input.counts.gaps, 4);
    assert_int_equal(input.counts.gap_count, 1);
    assert_true(input.gap_from == 7 && input.gap_to == 12 && input.last_gap_ns == START_NS + 5);
    buffer_clear(&line);
    buffer_put_text(&line, "{\"hinomi.gap.source\": \"queue\", \"hinomi.gap.numbers\": \"nats\", \"hinomi.gap.missing\": -1, "
                           "\"hinomi.gap.from\": 1, \"hinomi.gap.to\": 1}");
    assert_int_equal(gap_read(buffer_slice(&line), arena, &read, &err), -1);
    buffer_close(&line);
    arena_free(arena);
    world_free(world);
}

/* One event of the channel with this record number. */
static void send_record(struct world *world, int sender, int64_t number)
{
    struct err err;
    batch_reset(world->batch);
    struct event_row *row = batch_add_row(world->batch);
    row->raw = SLICE("a record");
    row->received_ns = row->time_ns = world->clock.wall_ns;
    row->seq = ++world->seq;
    row->origin = &world->origins[sender];
    assert_int_equal(batch_put(world->batch, 0, FIELD_HOST, value_string(SLICE("dc-1"))), 0);
    assert_int_equal(batch_put(world->batch, 0, FIELD_DATASET, value_string(SLICE("windows.security"))), 0);
    assert_int_equal(batch_put(world->batch, 0, SLICE("winlog.channel"), value_string(SLICE("Security"))), 0);
    assert_int_equal(batch_put(world->batch, 0, SLICE("winlog.record_id"), value_i64(number)), 0);
    assert_int_equal(sources_take(world->sources, world->batch, &err), 0);
}

static void send_records(struct world *world, int sender, int64_t from, int64_t to)
{
    for (int64_t number = from; number <= to; number++)
        send_record(world, sender, number);
}

static void settle_gaps(struct world *world)
{
    struct err err;
    clock_manual_advance(&world->clock, NS_PER_MINUTE);
    assert_int_equal(sources_tick(world->sources, world->clock.wall_ns, &err), 0);
}

static void a_hole_in_an_event_log_is_told_and_found_over_a_restart(void **state)
{
    struct world *world = world_new(*state);
    send_records(world, 1, 5000, 5300);
    send_record(world, 1, 5310);
    sources_close(world->sources); /* it is not known yet whether they still come */
    world_open(world);
    settle_gaps(world);
    assert_int_equal(world->gap_count, 1);
    assert_string_equal(world->gaps[0], "syslog/192.0.2.1/dc-1 winlog Security: 9, 5301 to 5309");
    assert_int_equal(world->found_count, 1);
    assert_true(strstr(world->found[0], "9 records of Security never came") && strstr(world->found[0], "5301 to 5309"));
    send_records(world, 1, 1, 5); /* the log was deleted */
    assert_int_equal(world->gap_count, 2);
    assert_int_equal(world->found_count, 1); /* few came in order: it says nothing */
    send_records(world, 1, 6, 400);
    send_record(world, 1, 1);
    assert_int_equal(world->found_count, 2);
    assert_true(strstr(world->found[1], "numbered from the beginning again"));
    world_free(world);
}

/* It leaves most records out: its numbers say nothing. */
static void a_shipper_that_filters_is_no_finding(void **state)
{
    (void)state;
    struct world *world = world_new(NULL);
    for (int i = 0; i < 40; i++)
        send_record(world, 1, 1000 + 7 * i);
    settle_gaps(world);
    assert_int_equal(world->found_count, 0);
    assert_int_equal(world->gap_count, 0);
    world_free(world);
}

struct asked {
    struct source_facts facts;
    struct arena *arena;
    uint64_t missing;
};

static void see_missing(void *context, const struct source_view *view)
{
    struct asked *asked = context;
    if (view->kind == SOURCE_SENDER)
        asked->missing = view->counts.gaps;
}

static void what_events_are_like_is_kept(void **state)
{
    struct world *world = world_new(*state);
    struct asked asked = {.arena = arena_new(MIB)};
    const struct source_view view = {.kind = SOURCE_SENDER, .source = SLICE("syslog"), .sender = SLICE("192.0.2.1")};
    send_records(world, 1, 1, 300);
    send_record(world, 1, 302);
    settle_gaps(world);
    for (int turn = 0; turn < 2; turn++) {
        sources_each(world->sources, see_missing, &asked);
        assert_int_equal(asked.missing, 1);
        assert_int_equal(sources_facts(world->sources, &view, asked.arena, &asked.facts), 0);
        assert_true(asked.facts.looked > 0);
        struct chance_column channel = source_facts_column(&asked.facts, SLICE("winlog.channel"));
        assert_true(channel.told && channel.always && channel.count == 1 && slice_is(channel.texts[0], "Security"));
        assert_false(source_facts_column(&asked.facts, SLICE("winlog.record_id")).told);
        channel = source_facts_column(&asked.facts, SLICE("process.name"));
        assert_true(channel.told && channel.count == 0);
        sources_close(world->sources);
        world_open(world);
    }
    arena_free(asked.arena);
    world_free(world);
}

static void heartbeats_need_no_learning(void **state)
{
    (void)state;
    struct world *world = world_new(NULL);
    struct err err;
    const struct heartbeat beats[] = {
        {.source = SLICE("hec"), .sender = SLICE("192.0.2.0"), .host = SLICE(""), .every_ns = 5 * NS_PER_MINUTE},
        {.source = SLICE("hec"), .sender = SLICE(""), .host = SLICE("db1"), .every_ns = 2 * NS_PER_MINUTE},
        {.source = SLICE("syslog"), .sender = SLICE("192.0.2.1"), .host = SLICE(""), .every_ns = 0},
    };
    assert_int_equal(sources_heartbeats(world->sources, beats, ARRAY_COUNT(beats), &err), 0);
    pass(world, 1, 0, 0);
    send_as(world, 2, "db1");
    pass(world, 2, 0, 0);
    assert_int_equal(world->found_count, 0);
    pass(world, 2, 0, 0);
    assert_int_equal(world->found_count, 1);
    assert_true(strstr(world->found[0], "hec / db1 since"));
    send_as(world, 4, "db1"); /* by another way */
    assert_int_equal(world->found_count, 2);
    pass(world, 7, 0, 1);
    assert_int_equal(world->found_count, 4); /* db1 as well */
    pass(world, 20 * DAY, 1, 2); /* nobody waits for that */
    for (size_t i = 4; i < world->found_count; i++)
        assert_false(strstr(world->found[i], "192.0.2.1 "));
    world_free(world);
}

struct seen {
    size_t hosts, silent, learning, of_hosts;
    struct source_view view;
};

static void see(void *context, const struct source_view *view)
{
    struct seen *seen = context;
    seen->hosts += view->kind == SOURCE_HOST;
    seen->of_hosts += view->kind == SOURCE_HOST ? view->counts.events : 0;
    seen->silent += view->state == SOURCE_SILENT;
    seen->learning += view->state == SOURCE_LEARNING;
    if (slice_is(view->sender, "192.0.2.4") && view->kind == SOURCE_SENDER)
        seen->view = *view;
}

static void a_relay_is_its_hosts(void **state)
{
    (void)state;
    struct world *world = world_new(NULL);
    struct seen seen = {0};
    pass(world, 30, 0, 0);
    send_as(world, 4, "behind-1");
    send_as(world, 4, "behind-2");
    sources_each(world->sources, see, &seen);
    assert_int_equal(seen.hosts, 2);
    assert_int_equal(seen.silent, 0);
    assert_int_equal(seen.learning, SENDERS + 2 + 3);
    assert_int_equal(seen.view.counts.events, 8);
    assert_int_equal(seen.view.counts.bytes, 8 * 18);
    world_free(world);
}

/* What further ones send is the sender's; those that are known stay known. */
static void a_relay_has_so_many_hosts_and_no_more(void **state)
{
    (void)state;
    struct world *world = world_new(NULL);
    struct seen seen = {0};
    char name[32];
    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i <= SOURCE_HOSTS_MAX + 100; i++) {
            (void)snprintf(name, sizeof(name), "host-%d", i);
            send_as(world, 4, name);
        }
    sources_each(world->sources, see, &seen);
    assert_int_equal(seen.hosts, SOURCE_HOSTS_MAX);
    assert_int_equal(seen.view.counts.events, 2 * (SOURCE_HOSTS_MAX + 101));
    assert_int_equal(seen.of_hosts, 2 * SOURCE_HOSTS_MAX);
    world_free(world);
}

static void beyond_the_most_the_oldest_go(void **state)
{
    struct world *world = world_new(*state);
    char name[32];
    for (int i = 0; i < SOURCES_KEPT_MAX + 500; i++) {
        (void)snprintf(name, sizeof(name), "sender-%d", i);
        world->origins[0].sender = slice_text(name);
        clock_manual_advance(&world->clock, NS_PER_MS);
        send_as(world, 0, name);
    }
    assert_in_range(sources_forgotten(world->sources), 500, 2000);
    sources_close(world->sources);
    world_open(world);
    struct seen seen = {0};
    sources_each(world->sources, see, &seen);
    assert_in_range(seen.learning, SOURCES_KEPT_MAX - 2000, SOURCES_KEPT_MAX + 2);
    world_free(world);
}

static void damage_is_no_end(void **state)
{
    struct world *world = world_new(*state);
    pass(world, 30, 0, 0);
    sources_close(world->sources);
    FILE *file = fopen(world->path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 300, SEEK_SET), 0);
    (void)fputc('x', file);
    (void)fclose(file);
    world_open(world);
    pass(world, 5, 0, 0);
    world_free(world);
}

static int make(void **state)
{
    static char folder[64];
    folder_make(folder);
    *state = folder;
    return 0;
}

static int remove_it(void **state)
{
    folder_remove(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_stops_is_found_once_and_taken_back),
        cmocka_unit_test(an_outage_of_all_is_one_finding),
        cmocka_unit_test(an_input_that_stops_is_one_finding),
        cmocka_unit_test_setup_teardown(a_restart_forgets_nothing_and_is_nobodys_silence, make, remove_it),
        cmocka_unit_test_setup_teardown(a_hole_in_an_event_log_is_told_and_found_over_a_restart, make, remove_it),
        cmocka_unit_test(a_shipper_that_filters_is_no_finding),
        cmocka_unit_test_setup_teardown(the_file_before_is_read, make, remove_it),
        cmocka_unit_test_setup_teardown(what_a_collector_misses_is_its_inputs, make, remove_it),
        cmocka_unit_test_setup_teardown(what_events_are_like_is_kept, make, remove_it),
        cmocka_unit_test(heartbeats_need_no_learning),
        cmocka_unit_test(a_relay_is_its_hosts),
        cmocka_unit_test(a_relay_has_so_many_hosts_and_no_more),
        cmocka_unit_test_setup_teardown(beyond_the_most_the_oldest_go, make, remove_it),
        cmocka_unit_test_setup_teardown(damage_is_no_end, make, remove_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
