/*
 * With HINOMI_EVTX_DIR (a folder with NAME.evtx and evtx/NAME.jsonl, the same events as JSON by
 * another reader) every field of every event is compared; skipped without.
 */
#include "cut/evtx.h"

#include "base/file.h"
#include "cut/binxml.h"
#include "cut/json_tree.h"
#include "cut/winxml.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static struct {
    unsigned long files, events, fields, wrong;
} seen;

static const struct {
    const char *element, *attribute, *field;
} system_fields[] = {
    {"Provider", "Name", "winlog.provider_name"},
    {"Provider", "Guid", "winlog.provider_guid"},
    {"EventID", NULL, "winlog.event_id"},
    {"EventID_Qualifiers", NULL, "winlog.event_qualifiers"},
    {"Version", NULL, "winlog.version"},
    {"Level", NULL, "winlog.level"},
    {"Task", NULL, "winlog.task"},
    {"Opcode", NULL, "winlog.opcode"},
    {"Keywords", NULL, "winlog.keywords"},
    {"TimeCreated", "SystemTime", "winlog.time_created"},
    {"EventRecordID", NULL, "winlog.record_id"},
    {"Correlation", "ActivityID", "winlog.activity_id"},
    {"Execution", "ProcessID", "winlog.process.pid"},
    {"Execution", "ThreadID", "winlog.process.thread.id"},
    {"Channel", NULL, "winlog.channel"},
    {"Computer", NULL, "winlog.computer_name"},
    {"Security", "UserID", "winlog.user.identifier"},
};

/* The other reader writes hexadecimal numbers with or without leading zeros. */
static struct slice without_zeros(struct slice text)
{
    if (!slice_starts(text, SLICE("0x")))
        return text;
    text = slice_from(text, 2);
    while (text.len > 1 && text.ptr[0] == '0')
        text = slice_from(text, 1);
    return text;
}

/* It also leaves out control characters, which we keep. */
static bool same_without_controls(struct slice got, struct slice text)
{
    size_t at = 0;
    for (size_t i = 0; i < got.len; i++) {
        char c = got.ptr[i];
        if (at < text.len && text.ptr[at] == c)
            at++;
        else if ((unsigned char)c >= 0x20)
            return false;
    }
    return at == text.len;
}

static void compare_value(const struct batch *batch, const char *name, uint32_t number,
                          const struct json_node *wanted)
{
    const struct column *column = batch_find(batch, slice_text(name));
    uint32_t first, count = column ? column_range(column, 0, &first) : 0;
    struct slice got = number < count ? value_slice(column->values[first + number]) : SLICE("");
    struct slice text = wanted->kind == JSON_NULL ? SLICE("") : wanted->text;
    bool hex = slice_starts(text, SLICE("0x"));
    bool same = hex ? slice_equal_nocase(without_zeros(got), without_zeros(text))
                    : same_without_controls(got, text);
    seen.fields++;
    if (!same && seen.wrong++ < 5)
        print_error("%s: '%.*s' instead of '%.*s'\n", name, SLICE_ARG(got), SLICE_ARG(text));
}

static void compare_data(const struct batch *batch, const struct json_node *node)
{
    char name[600];
    size_t len = (size_t)snprintf(name, sizeof(name), "winlog.event_data.");
    for (size_t i = 0; i < node->key.len && len < sizeof(name) - 1; i++)
        if (node->key.ptr[i] != ' ')
            name[len++] = node->key.ptr[i];
    name[len] = '\0';
    if (node->kind != JSON_ARRAY) {
        compare_value(batch, name, 0, node);
        return;
    }
    uint32_t number = 0;
    for (const struct json_node *item = node->first; item; item = item->next)
        compare_value(batch, name, number++, item);
}

static void compare_leaves(const struct batch *batch, const struct json_node *node)
{
    for (const struct json_node *child = node->first; child; child = child->next) {
        if (slice_is(child->key, "#attributes"))
            continue;
        if (child->kind == JSON_OBJECT)
            compare_leaves(batch, child);
        else
            compare_data(batch, child);
    }
}

static void compare_event(const struct batch *batch, const struct json_node *event)
{
    const struct json_node *system = json_get(event, "System");
    for (size_t i = 0; i < ARRAY_COUNT(system_fields); i++) {
        const struct json_node *node = json_get(system, system_fields[i].element);
        if (system_fields[i].attribute)
            node = json_get(json_get(node, "#attributes"), system_fields[i].attribute);
        if (node && node->kind != JSON_NULL)
            compare_value(batch, system_fields[i].field, 0, node);
    }
    for (const struct json_node *part = event->first; part; part = part->next)
        if (!slice_is(part->key, "System") && !slice_is(part->key, "#attributes"))
            compare_leaves(batch, part);
}

static void compare_record(const struct evtx_record *record, struct slice line)
{
    static struct columns columns;
    struct arena *arena = arena_new(64 * MIB);
    struct batch *batch = batch_new(64 * MIB);
    const struct json_node *tree;
    struct err err;
    bool left = false;
    assert_non_null(batch_add_row(batch));
    assert_int_equal(cut_winxml(&columns, record->xml, batch, 0, &left, &err), 0);
    assert_int_equal(json_tree_parse(line, arena, &tree, &err), 0);
    compare_event(batch, json_get(tree, "Event"));
    seen.events++;
    batch_free(batch);
    arena_free(arena);
}

static bool next_json_line(struct slice *text, struct slice *line)
{
    while (slice_next_line(text, line))
        if (line->len)
            return true;
    return false;
}

static int compare_file(void *context, const char *path, struct err *err)
{
    char other[1024];
    const char *name = strrchr(path, '/') + 1;
    snprintf(other, sizeof(other), "%s/evtx/%.*s.jsonl", (const char *)context,
             (int)strlen(name) - 5, name);
    struct arena *arena = arena_new(GIB);
    struct slice text, line, log;
    struct evtx *evtx;
    struct evtx_record record;
    int result;
    assert_int_equal(file_read(path, GIB / 2, arena, &log, err), 0);
    assert_int_equal(evtx_open_bytes(log, &evtx, err), 0);
    bool compared = file_read(other, GIB / 2, arena, &text, err) == 0;
    while ((result = evtx_next(evtx, &record, err)) == 1)
        if (compared) {
            assert_true(next_json_line(&text, &line));
            compare_record(&record, line);
        }
    assert_int_equal(result, 0);
    assert_false(compared && next_json_line(&text, &line));
    seen.files += compared;
    evtx_close(evtx);
    arena_free(arena);
    return 0;
}

static void all_fields_are_those_of_another_reader(void **state)
{
    (void)state;
    struct err err;
    const char *folder = getenv("HINOMI_EVTX_DIR");
    if (!folder)
        skip();
    char context[512];
    snprintf(context, sizeof(context), "%s", folder);
    assert_int_equal(file_walk(folder, ".evtx", compare_file, context, &err), 0);
    print_message("%lu files, %lu events, %lu fields, %lu wrong\n", seen.files, seen.events,
                  seen.fields, seen.wrong);
    assert_true(seen.events > 0);
    assert_int_equal(seen.wrong, 0);
}

static void other_files_have_no_records(void **state)
{
    (void)state;
    struct err err;
    struct evtx *evtx;
    struct evtx_record record;
    assert_false(evtx_detect(SLICE("no event log")));
    assert_int_equal(evtx_open_bytes(SLICE("no event log"), &evtx, &err), 0);
    assert_int_equal(evtx_next(evtx, &record, &err), 0);
    assert_string_equal(evtx_report(evtx)->problem,
                        "the file header is missing or damaged; there is no chunk at byte 0");
    evtx_close(evtx);
}

static void missing_chunks_are_counted(void **state)
{
    (void)state;
    struct err err;
    struct evtx *evtx;
    struct evtx_record record;
    size_t size = 4096 + 65536;
    char *bytes = test_calloc(1, size);
    memcpy(bytes, "ElfFile", 7);
    bytes[42] = 1;
    assert_int_equal(evtx_open_bytes(slice_of(bytes, size), &evtx, &err), 0);
    assert_int_equal(evtx_next(evtx, &record, &err), 0);
    assert_int_equal(evtx_report(evtx)->chunks_missing, 1);
    assert_string_equal(evtx_report(evtx)->problem,
                        "the file header's checksum is wrong; there is no chunk at byte 4096");
    evtx_close(evtx);
    test_free(bytes);
}

static void filetimes_are_times(void **state)
{
    (void)state;
    assert_int_equal(filetime_to_ns(UINT64_C(116444736000000000)), 0);
    assert_int_equal(filetime_to_ns(UINT64_C(116444736000000001)), 100);
    assert_int_equal(filetime_to_ns(0), INT64_MIN);
    assert_int_equal(filetime_to_ns(UINT64_MAX), INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_files_have_no_records),
        cmocka_unit_test(missing_chunks_are_counted),
        cmocka_unit_test(filetimes_are_times),
        cmocka_unit_test(all_fields_are_those_of_another_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
