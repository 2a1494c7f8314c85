#include "app/gate_bench.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/thread.h"
#include "hinomi_gate.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WAIT_MS = 5000, ACCOUNTS = 1000000, TEXT_SIZE = 64 };

struct asker {
    const struct gate_bench *bench;
    pthread_t thread;
    int number;
    int64_t from_ns, until_ns;
    int64_t *times; /* ns, of each frame */
    size_t count, room;
    uint64_t decisions[3], failed;
    char why[HINOMI_GATE_REASON_SIZE];
};

struct texts {
    char id[TEXT_SIZE], account[TEXT_SIZE], destination[TEXT_SIZE], amount[TEXT_SIZE];
};

static uint32_t next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static void make_request(const struct asker *asker, uint64_t number, uint64_t *seed, struct texts *texts,
                         struct hinomi_gate_request *out)
{
    uint32_t account = next(seed) % ACCOUNTS;
    (void)snprintf(texts->id, TEXT_SIZE, "bench-%lld-%d-%llu", (long long)asker->from_ns, asker->number, (unsigned long long)number);
    (void)snprintf(texts->account, TEXT_SIZE, "account-%u", account);
    (void)snprintf(texts->destination, TEXT_SIZE, "address-of-%u-%u", account, next(seed) % 10);
    (void)snprintf(texts->amount, TEXT_SIZE, "0.%06u", 1 + next(seed) % 999999);
    *out = (struct hinomi_gate_request){.request_id = texts->id, .action = "withdrawal", .account = texts->account,
                                        .asset = asker->bench->asset, .amount = texts->amount, .wallet = "bench",
                                        .destination = texts->destination};
}

static bool keep_time(struct asker *asker, int64_t ns)
{
    if (asker->count == asker->room) {
        size_t room = asker->room ? asker->room * 2 : 65536;
        int64_t *times = mem_realloc(asker->times, room * sizeof(*times));
        if (!times)
            return false;
        asker->times = times;
        asker->room = room;
    }
    asker->times[asker->count++] = ns;
    return true;
}

static void note_answers(struct asker *asker, const struct hinomi_gate_answer *answers)
{
    for (long i = 0; i < asker->bench->batch; i++) {
        asker->decisions[answers[i].decision]++;
        if (answers[i].refused || answers[i].alone) {
            asker->failed++;
            (void)snprintf(asker->why, sizeof(asker->why), "%s", answers[i].reason_en);
        }
    }
}

/* With a rate, frame n is due at a moment of its own: waiting for a slow answer makes the next ones late, and that counts. */
static int64_t wait_until_due(const struct asker *asker, uint64_t frame)
{
    const struct gate_bench *bench = asker->bench;
    if (!bench->rate)
        return clock_mono_ns(clock_real());
    int64_t due = asker->from_ns +
                  (int64_t)((frame * (uint64_t)bench->connections + (uint64_t)asker->number) * NS_PER_SECOND / (uint64_t)bench->rate);
    int64_t left = due - clock_mono_ns(clock_real());
    struct timespec pause = {.tv_sec = left / NS_PER_SECOND, .tv_nsec = left % NS_PER_SECOND};
    if (left > 0)
        nanosleep(&pause, NULL);
    return due;
}

static void *ask(void *context)
{
    struct asker *asker = context;
    struct hinomi_gate *gate = hinomi_gate_open(asker->bench->socket, WAIT_MS, NULL, NULL);
    struct hinomi_gate_request requests[GATE_ASK_MAX];
    struct hinomi_gate_answer *answers = mem_calloc(GATE_ASK_MAX, sizeof(*answers));
    struct texts texts[GATE_ASK_MAX];
    uint64_t seed = (uint64_t)asker->number + 1, number = 0;
    thread_run_soon(); /* what is measured is the gate, not the caller's waiting for a processor */
    for (uint64_t frame = 0; gate && answers && !asker->failed; frame++) {
        int64_t begun = wait_until_due(asker, frame);
        if (begun >= asker->until_ns)
            break;
        for (long i = 0; i < asker->bench->batch; i++)
            make_request(asker, number++, &seed, &texts[i], &requests[i]);
        (void)hinomi_gate_decide_many(gate, requests, (size_t)asker->bench->batch, answers);
        asker->failed += !keep_time(asker, clock_mono_ns(clock_real()) - begun);
        note_answers(asker, answers);
    }
    asker->failed += !gate || !answers;
    hinomi_gate_close(gate);
    mem_free(answers);
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double at_share(const int64_t *sorted, size_t count, double share)
{
    size_t at = (size_t)((double)count * share);
    return count ? (double)sorted[at < count ? at : count - 1] / 1e6 : 0;
}

static int print(const struct gate_bench *bench, const struct asker *askers, double seconds, struct err *err)
{
    size_t count = 0, at = 0;
    uint64_t decisions[3] = {0};
    for (long i = 0; i < bench->connections; i++)
        count += askers[i].count;
    int64_t *all = mem_alloc((count + 1) * sizeof(*all));
    if (!all)
        return err_nomem(err);
    for (long i = 0; i < bench->connections; i++) {
        for (size_t k = 0; k < askers[i].count; k++)
            all[at++] = askers[i].times[k];
        for (int d = 0; d < 3; d++)
            decisions[d] += askers[i].decisions[d];
    }
    qsort(all, count, sizeof(*all), by_value);
    printf("connections %ld  batch %ld  frames %zu  decisions/s %.0f\n", bench->connections, bench->batch, count,
           (double)(decisions[0] + decisions[1] + decisions[2]) / seconds);
    printf("frame ms: p50 %.3f  p90 %.3f  p99 %.3f  p99.9 %.3f  max %.3f\n", at_share(all, count, 0.5), at_share(all, count, 0.9),
           at_share(all, count, 0.99), at_share(all, count, 0.999), count ? (double)all[count - 1] / 1e6 : 0);
    printf("allow %llu  hold %llu  deny %llu\n", (unsigned long long)decisions[0], (unsigned long long)decisions[1],
           (unsigned long long)decisions[2]);
    mem_free(all);
    return 0;
}

int gate_bench_run(const struct gate_bench *bench, struct err *err)
{
    struct asker *askers = mem_calloc((size_t)bench->connections, sizeof(*askers));
    int result = 0;
    if (!askers)
        return err_nomem(err);
    int64_t from = clock_mono_ns(clock_real());
    long started = 0;
    for (; started < bench->connections; started++) {
        askers[started] = (struct asker){.bench = bench, .number = (int)started, .from_ns = from,
                                         .until_ns = from + bench->seconds * NS_PER_SECOND};
        if (thread_start(&askers[started].thread, ask, &askers[started]) != 0)
            break;
    }
    for (long i = 0; i < started; i++)
        pthread_join(askers[i].thread, NULL);
    double seconds = (double)(clock_mono_ns(clock_real()) - from) / 1e9;
    for (long i = 0; i < started && result == 0; i++)
        if (askers[i].failed)
            result = err_set(err, ERR_CLOSED, "the gate on %s did not answer all: %s", bench->socket, askers[i].why);
    if (started < bench->connections)
        result = err_set(err, ERR_NOMEM, "no thread can be started");
    if (result == 0)
        result = print(bench, askers, seconds, err);
    for (long i = 0; i < bench->connections; i++)
        mem_free(askers[i].times);
    mem_free(askers);
    return result;
}
