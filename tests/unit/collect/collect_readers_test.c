/* What readers of remote things share, JetStream's places, and ready configurations. */
#include "base/limits.h"
#include "base/mem.h"
#include "collect/remote/kafka_place.h"
#include "collect/remote/nats_place.h"
#include "collect/remote/preset.h"
#include "collect/remote/reader_thread.h"
#include "cut/yaml.h"

#include "unit/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- JetStream's places ---- */

static void ranges_join_and_end_at_the_floor(void **state)
{
    (void)state;
    struct nats_place place = {0};
    assert_true(nats_place_add(&place, 5, 5) && nats_place_add(&place, 9, 12) && nats_place_add(&place, 7, 7));
    assert_int_equal(place.count, 3);
    assert_true(nats_place_has(&place, 5) && !nats_place_has(&place, 6) && nats_place_has(&place, 10) && !nats_place_has(&place, 13));
    assert_true(nats_place_add(&place, 6, 6)); /* what was lost on the way has come */
    assert_int_equal(place.count, 2);
    assert_true(nats_place_add(&place, 8, 8));
    assert_int_equal(place.count, 1);
    assert_true(place.ranges[0].first == 5 && place.ranges[0].last == 12);
    nats_place_raise(&place, 4);
    assert_int_equal(place.count, 1);
    nats_place_raise(&place, 12);
    assert_int_equal(place.count, 0);
    assert_true(nats_place_has(&place, 3) && !nats_place_has(&place, 13));
    nats_place_close(&place);
}

static void places_of_streams_are_read_back(void **state)
{
    (void)state;
    struct nats_place place = {.created_ns = 77, .floor = 4, .stream = 20, .consumer = 9}, again = {0};
    struct buffer bytes;
    struct err err;
    buffer_init(&bytes, 1 * MIB);
    assert_true(nats_place_add(&place, 6, 9) && nats_place_add(&place, 20, 20));
    nats_place_save(&place, &bytes);
    assert_int_equal(nats_place_load(&again, buffer_slice(&bytes), &err), 0);
    assert_true(again.created_ns == 77 && again.floor == 4 && again.stream == 20 && again.consumer == 9 && again.count == 2);
    assert_true(nats_place_has(&again, 9) && !nats_place_has(&again, 10));
    assert_int_equal(nats_place_load(&again, slice_sub(buffer_slice(&bytes), 0, bytes.len - 1), &err), -1);
    assert_int_equal(again.floor, 0);
    nats_place_close(&place);
    nats_place_close(&again);
    buffer_close(&bytes);
}

static void a_failed_allocation_leaves_a_place_as_it_was(void **state)
{
    (void)state;
    struct nats_place place = {0};
    mem_fail_after(0);
    assert_false(nats_place_add(&place, 5, 5));
    mem_fail_after(-1);
    assert_false(nats_place_has(&place, 5));
    nats_place_close(&place);
}

/* ---- Kafka's places ---- */

static void offsets_of_partitions_are_read_back(void **state)
{
    (void)state;
    struct kafka_place place = {0}, again = {0};
    struct buffer bytes;
    struct err err;
    char name[300];
    buffer_init(&bytes, 1 * MIB);
    kafka_place_at(&place, SLICE("logs"), 0)->next = 7;
    assert_int_equal(kafka_place_at(&place, SLICE("logs"), 1)->next, -1);
    assert_int_equal(kafka_place_at(&place, SLICE("logs"), 0)->next, 7);
    kafka_place_save(&place, &bytes);
    assert_int_equal(kafka_place_load(&again, buffer_slice(&bytes), &err), 0);
    assert_true(again.count == 2 && kafka_place_at(&again, SLICE("logs"), 0)->next == 7);
    assert_int_equal(kafka_place_load(&again, slice_sub(buffer_slice(&bytes), 0, bytes.len - 1), &err), -1);
    assert_int_equal(again.count, 0);
    memset(name, 'x', sizeof(name));
    assert_null(kafka_place_at(&again, slice_of(name, sizeof(name)), 0));
    kafka_place_close(&place);
    kafka_place_close(&again);
    buffer_close(&bytes);
}

/* ---- waiting ---- */

static void waits_grow_and_are_bounded(void **state)
{
    (void)state;
    struct rand_seeded seeded;
    rand_seeded_init(&seeded, 1);
    for (unsigned failures = 1; failures < 100; failures++) {
        int64_t most = NS_PER_SECOND << (failures < 10 ? failures - 1 : 9), wait = reader_backoff_ns(failures, &seeded.rand);
        if (most > READER_WAIT_MAX_S * NS_PER_SECOND)
            most = READER_WAIT_MAX_S * NS_PER_SECOND;
        assert_in_range(wait, most / 2, most);
    }
}

static void long_events_are_put_in_parts(void **state)
{
    (void)state;
    struct buffer records;
    char *text = mem_calloc(1, 2 * EVENT_BYTES_MAX + 1);
    buffer_init(&records, 8 * MIB);
    memset(text, 'x', 2 * EVENT_BYTES_MAX + 1);
    assert_int_equal(delivery_put_event(&records, slice_of(text, 10), SLICE("")), 1);
    assert_int_equal(delivery_put_event(&records, slice_of(text, 2 * EVENT_BYTES_MAX + 1), SLICE("")), 3);
    struct delivery delivery = {.framing = FRAMING_RECORDS, .body = buffer_slice(&records)};
    struct delivery_event event;
    size_t at = 0, parts = 0, bytes = 0;
    bool damaged;
    while (delivery_next(&delivery, &at, &event, &damaged)) {
        char which[16];
        snprintf(which, sizeof(which), "%zu/3", parts + 1);
        parts += slice_is(delivery_hint(event.hints, "part"), which);
        bytes += event.raw.len;
    }
    assert_int_equal(parts, 3);
    assert_int_equal(bytes, 2 * EVENT_BYTES_MAX + 11);
    mem_free(text);
    buffer_close(&records);
}

/* ---- ready configurations ---- */

static const char preset_text[] = "summary: a service\n"
                                  "needs: {org: the organisation, key: its key}\n"
                                  "may: {api: 'https://${org}.example.com', kinds: [a, b]}\n"
                                  "options: {name: service, url: '${api}/x?since=${start}', secret: '${key}', each: '${kinds}', interval: 5m}\n";

static int apply(struct arena *arena, const char *entry, const struct yaml_node **out, struct err *err)
{
    char folder[64], path[96];
    const struct yaml_node *const *documents;
    size_t count;
    folder_make(folder);
    snprintf(path, sizeof(path), "%s/service.yaml", folder);
    FILE *file = fopen(path, "w");
    fputs(preset_text, file);
    fclose(file);
    assert_int_equal(yaml_parse(slice_text(entry), arena, &documents, &count, err), 0);
    int result = preset_apply(folder, documents[0], arena, out, err);
    folder_remove(folder);
    return result;
}

static void a_preset_is_filled_in_and_what_is_written_counts_more(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4 * MIB);
    const struct yaml_node *node;
    struct err err;
    assert_int_equal(apply(arena, "{kind: http_poll, preset: service, org: octo, key: 'file:/k', interval: 1m}", &node, &err), 0);
    assert_true(slice_is(yaml_get(node, "url")->text, "https://octo.example.com/x?since=${start}"));
    assert_true(slice_is(yaml_get(node, "secret")->text, "file:/k"));
    assert_true(slice_is(yaml_get(node, "interval")->text, "1m"));
    assert_int_equal(yaml_get(node, "each")->count, 2);
    assert_null(yaml_get(node, "org"));
    assert_int_equal(apply(arena, "{kind: http_poll, preset: service, org: octo, key: k, kinds: [c], api: 'https://h'}", &node, &err), 0);
    assert_true(slice_is(yaml_get(node, "url")->text, "https://h/x?since=${start}"));
    assert_int_equal(yaml_get(node, "each")->count, 1);
    arena_free(arena);
}

static void what_a_preset_needs_is_said(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4 * MIB);
    const struct yaml_node *node;
    struct err err;
    assert_int_equal(apply(arena, "{kind: http_poll, preset: service, org: octo}", &node, &err), -1);
    assert_string_equal(err.text, "line 1: preset service needs key: its key");
    assert_int_equal(apply(arena, "{kind: http_poll, preset: ../service}", &node, &err), -1);
    assert_int_equal(apply(arena, "{kind: http_poll, preset: other}", &node, &err), -1);
    assert_non_null(strstr(err.text, "there is no preset other"));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_join_and_end_at_the_floor),
        cmocka_unit_test(places_of_streams_are_read_back),
        cmocka_unit_test(a_failed_allocation_leaves_a_place_as_it_was),
        cmocka_unit_test(offsets_of_partitions_are_read_back),
        cmocka_unit_test(waits_grow_and_are_bounded),
        cmocka_unit_test(long_events_are_put_in_parts),
        cmocka_unit_test(a_preset_is_filled_in_and_what_is_written_counts_more),
        cmocka_unit_test(what_a_preset_needs_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
