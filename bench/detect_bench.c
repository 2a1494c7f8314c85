/*
 * What detection adds to decoding: both timed batch by batch, over the same events, in one process. Detection
 * is all that a server does of it: the matcher, the ledger of the rules, what is remembered between events.
 *
 *   detect_bench RULES CONTENT FILE [ROUNDS]     one line of JSON
 *
 * CONTENT is the folder with decoders/, logsources/ and state/.
 */
#include "bench_findings.h"
#include "bench_lines.h"
#include "bench_usage.h"
#include "base/file.h"
#include "decode/decode.h"
#include "detect/detector.h"
#include "detect/match.h"

#include <stdio.h>
#include <stdlib.h>

struct bench {
    struct decode *decode;
    struct detector *detector;
    struct batch *batch;
    double decode_s, detect_s;
    uint64_t events, findings;
};

static int run_file(struct bench *bench, struct slice text, struct err *err)
{
    struct delivery delivery = bench_lines(text);
    struct decode_place place = {0};
    int more;
    do {
        double start = cpu_seconds();
        more = decode_delivery(bench->decode, &delivery, &place, bench->batch, err);
        if (more < 0 || decode_finish(bench->batch, err) < 0)
            return -1;
        double middle = cpu_seconds();
        if (detector_run(bench->detector, bench->batch, err) < 0)
            return -1;
        bench->decode_s += middle - start;
        bench->detect_s += cpu_seconds() - middle;
        bench->events += bench->batch->row_count;
        batch_reset(bench->batch);
    } while (more);
    return 0;
}

static void print(const struct bench *bench, const struct rule_set *rules, double load_s, double load_mib)
{
    struct matcher_stats stats = matcher_stats(detector_matcher(bench->detector));
    double events = (double)bench->events;
    uint64_t offered = 0, evaluated = 0, matched = 0, cost_ns = 0;
    for (uint32_t i = 0; i < rules->count; i++) {
        struct matcher_counts counts = matcher_counts(detector_matcher(bench->detector), i);
        offered += counts.offered;
        evaluated += counts.evaluated;
        matched += counts.matched;
        cost_ns += counts.cost_ns;
    }
    printf("{\"rules\":%zu,\"load_cpu_s\":%.3f,\"load_mib\":%.1f,\"plan_mib\":%.1f,\"predicates\":%u,\"guards\":%u,"
           "\"events\":%.0f,\"decode_us\":%.3f,\"detect_us\":%.3f,\"findings\":%llu,\"offered\":%.1f,"
           "\"evaluated\":%.3f,\"matched\":%.4f,\"conditions_us\":%.3f,\"values\":%.2f,\"memo_hit_rate\":%.4f,"
           "\"memo_mib\":%.1f}\n",
           rules->count, load_s, load_mib, (double)stats.plan_bytes / MIB, stats.predicates, stats.guards, events,
           bench->decode_s / events * 1e6, bench->detect_s / events * 1e6, (unsigned long long)bench->findings,
           (double)offered / events, (double)evaluated / events, (double)matched / events,
           (double)cost_ns / events / 1000, (double)stats.values / events,
           stats.values ? (double)stats.values_known / (double)stats.values : 0, (double)stats.memo_bytes / MIB);
}

int main(int argc, char **argv)
{
    struct err err;
    struct bench bench = {0};
    struct decoders *decoders;
    struct rule_set *rules;
    struct slice text;
    const struct state_definitions *state = NULL;
    char decoder_path[4096], logsource_path[4096], state_path[4096];
    long rounds = argc > 4 ? strtol(argv[4], NULL, 10) : 1;
    struct arena *arena = arena_new(4 * GIB);
    if (argc < 4 || !arena) {
        fprintf(stderr, "usage: %s RULES CONTENT FILE [ROUNDS]\n", argv[0]);
        return 2;
    }
    snprintf(decoder_path, sizeof(decoder_path), "%s/decoders", argv[2]);
    snprintf(logsource_path, sizeof(logsource_path), "%s/logsources", argv[2]);
    snprintf(state_path, sizeof(state_path), "%s/state", argv[2]);
    struct rule_options options = {.logsource_path = logsource_path};
    double start = cpu_seconds();
    int result = rule_set_load(argv[1], &options, &rules, &err);
    if (result == 0)
        result = state_definitions_load(state_path, arena, &state, &err);
    struct detector_options detector = {.rules = result == 0 ? rules : NULL, .state = state, .found = bench_count_finding,
                                        .context = &bench.findings};
    if (result < 0 || detector_new(&detector, &bench.detector, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    double load_s = cpu_seconds() - start, load_mib = resident_bytes() / MIB;
    bench.batch = batch_new(BATCH_ARENA_MAX);
    if (!bench.batch || decoders_load(decoder_path, NULL, &decoders, &err) < 0 ||
        !(bench.decode = decode_new(decoders)) || file_read(argv[3], 4 * GIB - MIB, arena, &text, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    decode_borrow(bench.decode);
    for (long i = 0; result == 0 && i < rounds; i++)
        result = run_file(&bench, text, &err);
    if (result < 0)
        fprintf(stderr, "%s\n", err.text);
    else
        print(&bench, rules, load_s, load_mib);
    detector_free(bench.detector);
    decode_free(bench.decode);
    decoders_free(decoders);
    batch_free(bench.batch);
    rule_set_free(rules);
    arena_free(arena);
    return result < 0;
}
