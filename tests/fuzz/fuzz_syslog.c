/* Syslog headers, key=value, csv: pieces lie within the text and the walks end. */
#include "base/buffer.h"
#include "base/clock.h"
#include "base/time_pattern.h"
#include "cut/csv.h"
#include "cut/kv.h"
#include "cut/syslog.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct slice whole, struct slice part)
{
    assert(!part.len || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len));
}

static void check_syslog(struct slice text)
{
    struct syslog syslog;
    struct slice id, parameters, name, value;
    bool escaped;
    if (!syslog_cut(text, NULL, 1772323200 * NS_PER_SECOND, &syslog))
        return;
    within(text, syslog.host);
    within(text, syslog.app);
    within(text, syslog.pid);
    within(text, syslog.message);
    within(text, syslog.stamp);
    within(text, syslog.data);
    assert(syslog.priority >= -1 && syslog.priority <= 191);
    assert(syslog_facility_name(syslog.priority) && syslog_severity_name(syslog.priority));
    while (syslog_next_element(&syslog.data, &id, &parameters))
        while (syslog_next_parameter(&parameters, &name, &value, &escaped))
            within(text, value);
}

static void check_pairs(struct slice text)
{
    struct kv kv = {.rest = text, .separator = SLICE(" "), .equals = '=', .quotes = SLICE("\"")};
    struct kv_pair pair;
    struct csv csv = {text, ',', true};
    struct csv_cell cell;
    size_t steps = 0;
    while (kv_next(&kv, &pair)) {
        within(text, pair.key);
        within(text, pair.value);
        assert(++steps <= text.len);
    }
    for (steps = 0; csv_next(&csv, &cell); steps++) {
        within(text, cell.text);
        assert(steps <= text.len);
    }
}

static void check_times(struct slice text)
{
    struct slice pattern, rest;
    struct time_pattern_in in = {NULL, 1772323200 * NS_PER_SECOND};
    int64_t t = 0;
    size_t used = 0;
    struct err err;
    if (!slice_cut(text, '\n', &pattern, &rest))
        return;
    if (time_pattern_check(pattern, &err) == 0 && time_pattern_parse(pattern, rest, &in, &t, &used))
        assert(used <= rest.len);
    struct buffer to;
    buffer_init(&to, 65536);
    time_pattern_format(pattern, t, NULL, &to);
    buffer_close(&to);
    zone_free(zone_from_bytes(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    check_syslog(text);
    check_pairs(text);
    check_times(text);
    return 0;
}
