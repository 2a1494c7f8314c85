/* How many findings a second become incidents: a storm on one host, and on many users through a few hosts.
 *
 *   incidents_bench [--findings N]
 */
#include "respond/respond.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BEGIN_NS (INT64_C(1516924800) * NS_PER_SECOND)

static void put(struct respond *respond, uint64_t n, bool many)
{
    char user[32], host[32];
    snprintf(user, sizeof(user), "u%llu", many ? (unsigned long long)(n % 997) : 1ULL);
    snprintf(host, sizeof(host), "h%llu", many ? (unsigned long long)(n % 31) : 1ULL);
    const struct entity entities[] = {{SLICE("user"), slice_text(user)}, {SLICE("host"), slice_text(host)},
                                      {SLICE("ip"), SLICE("10.1.2.3")}};
    const struct evidence evidence = {SLICE("e-1"), n, BEGIN_NS + (int64_t)n};
    struct finding finding = {.rule_id = SLICE("6b3a"), .rule_name = SLICE("A rule"), .title = SLICE("A title"),
                              .severity = SEVERITY_HIGH, .explanation_en = SLICE("Something was seen."),
                              .explanation_ja = SLICE("検知しました。"), .entities = entities, .entity_count = 3,
                              .evidence = &evidence, .evidence_count = 1, .group_key = slice_text(user),
                              .event_ns = BEGIN_NS + (int64_t)n * NS_PER_MS};
    finding_set_id(&finding);
    respond_finding(respond, &finding, NULL);
}

static void storm(uint64_t count, bool many)
{
    char path[] = "/tmp/hinomi_bench_XXXXXX", beside[64];
    struct err err;
    struct database *database;
    struct respond *respond;
    int fd = mkstemp(path);
    struct respond_config config = {.clock = clock_real()};
    if (fd < 0 || close(fd) < 0 || database_open(path, &database, &err) < 0)
        exit(1);
    config.database = database;
    if (respond_start(&config, &respond, &err) < 0)
        exit(1);
    int64_t from = clock_mono_ns(clock_real());
    for (uint64_t n = 0; n < count; n++)
        put(respond, n, many);
    respond_flush(respond);
    double seconds = (double)(clock_mono_ns(clock_real()) - from) / 1e9;
    printf("%-32s %8llu findings %8.0f a second\n", many ? "997 users, 31 hosts, one address" : "one user, host and address",
           (unsigned long long)count, (double)count / seconds);
    respond_stop(respond);
    database_close(database);
    unlink(path);
    for (int i = 0; i < 2; i++) {
        snprintf(beside, sizeof(beside), "%s%s", path, i ? "-shm" : "-wal");
        unlink(beside);
    }
}

int main(int argc, char **argv)
{
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000;
    storm(count, false);
    storm(count, true);
    return 0;
}
