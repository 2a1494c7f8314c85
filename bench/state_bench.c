/*
 * What rules remember: memory and the time of a checkpoint, one rule in one process.
 *
 *   state_bench RULES GROUPS EVENTS     one line of JSON
 *
 * Every group gets so many events, one after the other; group, value and kind (a to d) of an event are U, V and E. RULES
 * is a file; its log sources are not looked at.
 */
#include "base/clock.h"
#include "base/limits.h"
#include "bench_findings.h"
#include "bench_usage.h"
#include "detect/detector.h"
#include "event/schema.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

struct bench {
    struct rule_set *rules;
    struct detector *detector;
    struct batch *batch;
    uint64_t findings;
};

static double resident_mb(void)
{
    malloc_trim(0);
    return resident_bytes() / 1e6;
}

static int put_event(struct batch *batch, uint64_t seq, uint64_t group, uint64_t turn)
{
    static const char *const kinds[] = {"a", "b", "c", "d"};
    struct event_row *row = batch_add_row(batch);
    uint32_t at = batch->row_count - 1;
    if (!row)
        return -1;
    row->seq = seq;
    row->time_ns = 1767225600 * NS_PER_SECOND + (int64_t)seq * 10000;
    return batch_put(batch, at, SLICE("E"), value_string(slice_text(kinds[turn % 4]))) < 0 ||
                   batch_put(batch, at, SLICE("V"), value_i64((int64_t)turn)) < 0 ||
                   batch_put(batch, at, SLICE("hinomi.seq"), value_i64((int64_t)seq)) < 0 ||
                   batch_put(batch, at, SLICE("U"),
                             value_string(arena_printf(batch->arena, "user%llu", (unsigned long long)group))) < 0
               ? -1
               : 0;
}

static int run(struct bench *bench, uint64_t groups, uint64_t events, struct err *err)
{
    for (uint64_t i = 0; i < groups * events; i++) {
        if (put_event(bench->batch, i + 1, i % groups, i / groups) < 0)
            return err_nomem(err);
        if (bench->batch->row_count < 4096 && i + 1 < groups * events)
            continue;
        if (detector_run(bench->detector, bench->batch, err) < 0)
            return -1;
        batch_reset(bench->batch);
    }
    return 0;
}

/* Saved, forgotten, and loaded again, as after a restart. */
static int restore(struct bench *bench, const struct detector_options *options, double *save_s, double *load_s,
                   size_t *bytes, struct err *err)
{
    struct buffer saved;
    buffer_init(&saved, 8 * GIB);
    double start = cpu_seconds();
    detector_save(bench->detector, &saved);
    *save_s = cpu_seconds() - start;
    *bytes = buffer_slice(&saved).len;
    detector_free(bench->detector);
    bench->detector = NULL;
    start = cpu_seconds();
    int result = buffer_failed(&saved) ? err_nomem(err) : detector_new(options, &bench->detector, err);
    if (result == 0)
        result = detector_load(bench->detector, buffer_slice(&saved), err);
    *load_s = cpu_seconds() - start;
    buffer_close(&saved);
    return result;
}

static int measure(struct bench *bench, uint64_t groups, uint64_t events, struct err *err)
{
    struct detector_options options = {.rules = bench->rules, .found = bench_count_finding, .context = &bench->findings};
    double save_s, load_s;
    size_t bytes;
    if (detector_new(&options, &bench->detector, err) < 0)
        return -1;
    double before_mb = resident_mb(), start = cpu_seconds();
    if (run(bench, groups, events, err) < 0)
        return -1;
    double run_s = cpu_seconds() - start;
    batch_free(bench->batch);
    bench->batch = NULL;
    double held_mb = resident_mb() - before_mb;
    struct operator_stats held = detector_stats(bench->detector).operators;
    if (restore(bench, &options, &save_s, &load_s, &bytes, err) < 0)
        return -1;
    struct operator_stats again = detector_stats(bench->detector).operators;
    printf("{\"keys\":%llu,\"own_mb\":%.1f,\"resident_mb\":%.1f,\"evicted\":%llu,\"findings\":%llu,\"us_an_event\":%.2f,"
           "\"saved_mb\":%.1f,\"save_s\":%.2f,\"load_s\":%.2f,\"keys_again\":%llu}\n",
           (unsigned long long)held.keys, (double)held.bytes / 1e6, held_mb, (unsigned long long)held.evicted,
           (unsigned long long)bench->findings, run_s / (double)(groups * events) * 1e6, (double)bytes / 1e6, save_s,
           load_s, (unsigned long long)again.keys);
    return 0;
}

int main(int argc, char **argv)
{
    struct err err;
    struct bench bench = {.batch = batch_new(64 * MIB)};
    if (argc < 4 || !bench.batch) {
        fprintf(stderr, "usage: %s RULES GROUPS EVENTS\n", argv[0]);
        return 2;
    }
    struct rule_options options = {.logsource_path = "content/logsources", .ignore_logsource = true};
    int result = rule_set_load(argv[1], &options, &bench.rules, &err);
    for (size_t i = 0; result == 0 && i < bench.rules->count; i++)
        if (bench.rules->rules[i]->status != RULE_ACTIVE)
            result = err_set(&err, ERR_CONFIG, "%.*s", SLICE_ARG(bench.rules->rules[i]->reason));
    if (result == 0)
        result = measure(&bench, strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10), &err);
    if (result < 0)
        fprintf(stderr, "%s\n", err.text);
    batch_free(bench.batch);
    detector_free(bench.detector);
    rule_set_free(bench.rules);
    return result < 0;
}
