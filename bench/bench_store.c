/*
 * bench/bench_store: CPU per event and bytes per event of journal + store on synthetic JSON
 * events (about 783 bytes, 30 fields), then scans of them.
 *
 *   bench_store DIR [EVENTS] [SEED]
 */
#include "base/mem.h"
#include "base/time.h"
#include "event/delivery.h"
#include "store/journal.h"
#include "store/scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double cpu_seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static const char *const ACTIONS[] = {
    "login",        "logout",       "order-placed",    "order-cancelled", "withdrawal-requested",
    "api-key-used", "balance-read", "deposit-credited"};
static const char *const HOSTS[] = {"api-01",   "api-02",    "api-03",
                                    "match-01", "wallet-01", "edge-01"};
static const char *const COUNTRIES[] = {"JP", "US", "SG", "DE", "GB", "KR", "HK"};
static const char *const AGENTS[] = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
    "exchange-sdk-python/2.4.1", "exchange-sdk-go/1.19.0", "curl/8.4.0"};

struct maker {
    struct rand_seeded rand;
    int64_t time_ns;
    uint64_t seq;
    uint64_t order;
    double cpu;
    struct buffer body;
};

static uint64_t below(struct maker *maker, uint64_t n)
{
    return rand_below(&maker->rand.rand, n);
}

/* Skewed: small numbers are common. */
static uint64_t skewed(struct maker *maker, uint64_t n)
{
    return below(maker, below(maker, n) + 1);
}

static void put(struct batch *batch, uint32_t row, const char *name, struct value v)
{
    if (batch_put(batch, row, slice_text(name), v) < 0)
        abort();
}

static void put_text(struct batch *batch, uint32_t row, const char *name, struct slice text)
{
    put(batch, row, name, value_string(text));
}

static struct slice text_of(struct batch *batch, const char *format, uint64_t n)
{
    char room[128];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int len = snprintf(room, sizeof(room), format, n);
#pragma GCC diagnostic pop
    return arena_copy(batch->arena, slice_of(room, (size_t)len));
}

static void make_event(struct maker *maker, struct batch *batch, const struct origin *origin)
{
    maker->time_ns += (int64_t)(below(maker, 20) * 100000 + 1000000) / 1000000 * 1000000;
    struct event_row *row = batch_add_row(batch);
    uint32_t r = batch->row_count - 1;
    struct arena *arena = batch->arena;
    uint64_t user = skewed(maker, 20000), account = user * 7 + 100000;
    const char *action = ACTIONS[skewed(maker, ARRAY_COUNT(ACTIONS))];
    const char *host = HOSTS[below(maker, ARRAY_COUNT(HOSTS))];
    const char *country = COUNTRIES[user % ARRAY_COUNT(COUNTRIES)];
    const char *agent = AGENTS[user % ARRAY_COUNT(AGENTS)];
    uint64_t ip = user * 2654435761U, status = below(maker, 20) ? 200 : 400 + below(maker, 5);
    uint64_t latency = 100 + skewed(maker, 50000), bytes = 200 + skewed(maker, 9000);
    uint64_t order = ++maker->order + 900000000, trace_a = below(maker, UINT64_MAX),
             amount = below(maker, 90000000);
    uint64_t session = user * 0x9e3779b97f4a7c15U;
    int64_t ms = maker->time_ns / 1000000;
    char when[TIME_TEXT_SIZE];
    when[time_format(maker->time_ns, when)] = '\0';
    row->raw = arena_printf(
        arena,
        "{\"@timestamp\":\"%s\",\"ts\":%" PRId64
        ",\"level\":\"info\",\"service\":\"exchange-api\",\"env\":\"production\","
        "\"region\":\"ap-northeast-1\",\"host\":\"%s\",\"action\":\"%s\",\"outcome\":\"%s\","
        "\"user\":{\"name\":\"user%05" PRIu64 "\",\"id\":\"%" PRIu64
        "\"},\"account\":\"acc-%" PRIu64
        "\",\"source\":{\"ip\":\"%u.%u.%u.%u\",\"port\":%u,\"country\":\"%s\"},"
        "\"http\":{\"method\":\"%s\",\"path\":\"/v2/%s\",\"status\":%" PRIu64 ",\"bytes\":%" PRIu64
        "},\"latency_us\":%" PRIu64 ",\"order_id\":\"ord-%" PRIu64 "\",\"amount\":\"%" PRIu64
        ".%08" PRIu64 "\",\"asset\":\"%s\",\"pair\":\"%s-JPY\","
        "\"session\":\"%016" PRIx64 "\",\"trace_id\":\"%016" PRIx64
        "\",\"user_agent\":\"%s\",\"tls\":{\"version\":\"1.3\",\"cipher\":\"TLS_AES_128_GCM_"
        "SHA256\"},"
        "\"version\":\"4.17.%u\",\"message\":\"%s by user%05" PRIu64 " from %s took %" PRIu64
        " us\"}",
        when, ms, host, action, status == 200 ? "success" : "failure", user, user + 5000, account,
        (unsigned)(ip >> 24 & 255), (unsigned)(ip >> 16 & 255), (unsigned)(ip >> 8 & 255),
        (unsigned)(ip & 255), (unsigned)(1024 + below(maker, 64000)), country,
        user % 3 ? "POST" : "GET", action, status, bytes, latency, order, amount / 100000000,
        amount % 100000000, user % 2 ? "XEM" : "BTC", user % 2 ? "XEM" : "BTC", session, trace_a,
        agent, (unsigned)(user % 3), action, user, country, latency);
    row->time_ns = maker->time_ns;
    row->received_ns = maker->time_ns + 3000000;
    row->seq = ++maker->seq;
    row->origin = origin;
    struct slice raw = row->raw;
    struct ip address = {.bytes = {[10] = 255,
                                   [11] = 255,
                                   [12] = (uint8_t)(ip >> 24),
                                   [13] = (uint8_t)(ip >> 16),
                                   [14] = (uint8_t)(ip >> 8),
                                   [15] = (uint8_t)ip},
                         .family = 4};
    ptrdiff_t port_at = slice_find(raw, SLICE("\"port\":"));
    put_text(batch, r, "log.level", SLICE("info"));
    put_text(batch, r, "service.name", SLICE("exchange-api"));
    put_text(batch, r, "service.environment", SLICE("production"));
    put_text(batch, r, "cloud.region", SLICE("ap-northeast-1"));
    put_text(batch, r, "host.name", slice_text(host));
    put_text(batch, r, "event.action", slice_text(action));
    put_text(batch, r, "event.outcome", slice_text(status == 200 ? "success" : "failure"));
    put_text(batch, r, "user.name", text_of(batch, "user%05" PRIu64, user));
    put_text(batch, r, "user.id", text_of(batch, "%" PRIu64, user + 5000));
    put_text(batch, r, "exchange.account", text_of(batch, "acc-%" PRIu64, account));
    put(batch, r, "source.ip", value_ip(&address, arena));
    put(batch, r, "source.port", value_i64(strtol(raw.ptr + port_at + 7, NULL, 10)));
    put_text(batch, r, "source.geo.country_iso_code", slice_text(country));
    put_text(batch, r, "http.request.method", slice_text(user % 3 ? "POST" : "GET"));
    put_text(batch, r, "url.path", arena_printf(arena, "/v2/%s", action));
    put(batch, r, "http.response.status_code", value_i64((int64_t)status));
    put(batch, r, "http.response.body.bytes", value_i64((int64_t)bytes));
    put(batch, r, "latency_us", value_i64((int64_t)latency));
    put_text(batch, r, "exchange.order.id", text_of(batch, "ord-%" PRIu64, order));
    put(batch, r, "exchange.amount", value_decimal((struct decimal){(int128)amount, 8}, arena));
    put_text(batch, r, "exchange.asset", slice_text(user % 2 ? "XEM" : "BTC"));
    put_text(batch, r, "exchange.pair", slice_text(user % 2 ? "XEM-JPY" : "BTC-JPY"));
    put_text(batch, r, "session.id", text_of(batch, "%016" PRIx64, session));
    put_text(batch, r, "trace.id", text_of(batch, "%016" PRIx64, trace_a));
    put_text(batch, r, "user_agent.original", slice_text(agent));
    put_text(batch, r, "tls.version", SLICE("1.3"));
    put_text(batch, r, "tls.cipher", SLICE("TLS_AES_128_GCM_SHA256"));
    put_text(batch, r, "service.version", text_of(batch, "4.17.%" PRIu64, user % 3));
    put(batch, r, "ts", value_i64(ms));
    put_text(batch, r, "message",
             arena_printf(arena, "%s by user%05" PRIu64 " from %s took %" PRIu64 " us", action,
                          user, country, latency));
}

static void make_batch(struct maker *maker, struct batch *batch, const struct origin *origin)
{
    double start = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
    batch_reset(batch);
    buffer_clear(&maker->body);
    for (int i = 0; i < BATCH_ROWS_MAX; i++) {
        make_event(maker, batch, origin);
        buffer_put(&maker->body, batch->rows[i].raw);
        buffer_put_char(&maker->body, '\n');
    }
    if (batch_finish(batch) < 0)
        abort();
    maker->cpu += cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - start;
}

static void check(int result, const struct err *err)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static void note(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "note: %s\n", text);
}

static void scan_it(struct store *store, const char *what, const struct scan_request *request)
{
    struct err err;
    struct scan_rows rows;
    struct scan *scan;
    struct snapshot *snapshot = store_snapshot(store);
    double start = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t found = 0, sum = 0;
    check(scan_open(snapshot, request, &scan, &err), &err);
    for (int more; (more = scan_next(scan, &rows, &err)) != 0;) {
        check(more, &err);
        found += rows.selected_count;
        const struct column *a = rows.batch && request->codes_only ? rows.batch->columns[0] : NULL;
        for (uint32_t i = 0; a && a->codes && i < a->count; i++)
            sum += a->codes[i];
    }
    const struct scan_stats *stats = scan_get_stats(scan);
    printf("%-34s %8.2f ms cpu, %" PRIu64 " rows, %.2f MB read, %" PRIu64 "/%" PRIu64
           " blocks skipped, %" PRIu64 " damages [%" PRIu64 "]\n",
           what, (cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - start) * 1e3, found,
           (double)stats->bytes_read / 1e6, stats->blocks_skipped, stats->blocks,
           stats->damage_count, sum);
    scan_close(scan);
    store_snapshot_release(snapshot);
}

static void run_scans(struct store *store)
{
    struct arena *arena = arena_new(MIB);
    struct slice two[] = {SLICE("event.action"), SLICE("host.name")};
    struct slice original[] = {SLICE("event.original")};
    scan_it(store, "count(*)", &(struct scan_request){0});
    scan_it(store, "two dictionary columns, codes",
            &(struct scan_request){.columns = two, .column_count = 2, .codes_only = true});
    scan_it(store, "two dictionary columns, values",
            &(struct scan_request){.columns = two, .column_count = 2});
    scan_it(store, "user.name=user01234, original",
            &(struct scan_request){.columns = original,
                                   .column_count = 1,
                                   .filter = expr_test_new(arena, SLICE("user.name"), TEST_EQUAL, 0,
                                                           SLICE("user01234"))});
    scan_it(store, "order id equal (filter)",
            &(struct scan_request){.columns = original,
                                   .column_count = 1,
                                   .filter = expr_test_new(arena, SLICE("exchange.order.id"),
                                                           TEST_EQUAL, 0, SLICE("ord-900077777"))});
    scan_it(store, "original contains user01234",
            &(struct scan_request){.columns = two,
                                   .column_count = 2,
                                   .filter = expr_test_new(arena, SLICE("event.original"),
                                                           TEST_CONTAINS, 0, SLICE("user01234"))});
    scan_it(store, "everything, all columns", &(struct scan_request){.all_columns = true});
    arena_free(arena);
}

int main(int argc, char **argv)
{
    struct err err;
    err_clear(&err);
    mem_keep_pages();
    if (argc < 2)
        return 2;
    uint64_t events = argc > 2 ? strtoull(argv[2], NULL, 10) : 500000;
    char dir[512];
    struct journal *journal;
    struct store *store;
    snprintf(dir, sizeof(dir), "%s/journal", argv[1]);
    check(journal_open(&(struct journal_config){.dir = dir, .commit_ms = 5, .note = note}, &journal,
                       &err),
          &err);
    char store_dir[512];
    snprintf(store_dir, sizeof(store_dir), "%s/store", argv[1]);
    check(store_open(&(struct store_config){.dir = store_dir, .note = note}, &store, &err), &err);
    struct maker maker = {.time_ns = INT64_C(1516924800) * NS_PER_SECOND};
    rand_seeded_init(&maker.rand, argc > 3 ? strtoull(argv[3], NULL, 10) : 1);
    buffer_init(&maker.body, 64 * MIB);
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    struct origin origin = {.source = SLICE("import"),
                            .stream = SLICE("main"),
                            .path = SLICE("/var/log/exchange.json")};
    double start = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID), wall = cpu_seconds(CLOCK_MONOTONIC);
    uint64_t done = 0, raw_bytes = 0;
    double journal_cpu = 0, append_cpu = 0;
    for (; done < events; done += batch->row_count) {
        make_batch(&maker, batch, &origin);
        double a = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
        struct delivery delivery = {.origin = origin,
                                    .received_ns = maker.time_ns,
                                    .framing = FRAMING_LINES,
                                    .event_count = batch->row_count,
                                    .body = buffer_slice(&maker.body)};
        check(journal_append(journal, &delivery, NULL, NULL, &err), &err);
        double b = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
        check(store_append(store, batch, &err), &err);
        append_cpu += cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - b;
        journal_cpu += b - a;
        raw_bytes += maker.body.len - batch->row_count;
    }
    check(store_flush(store, &err), &err);
    double total = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - start - maker.cpu;
    struct store_stats stats;
    store_stats(store, &stats);
    printf("%" PRIu64 " events of %.0f bytes: %.2f us cpu per event (append %.2f, journal front "
                      "%.2f), %.1f s wall\n",
           done, (double)raw_bytes / (double)done, total / (double)done * 1e6,
           append_cpu / (double)done * 1e6, journal_cpu / (double)done * 1e6,
           cpu_seconds(CLOCK_MONOTONIC) - wall);
    printf("%" PRIu64 " segments, %.1f bytes per event\n", stats.segments,
           (double)stats.segment_bytes / (double)done);
    run_scans(store);
    store_close(store);
    journal_close(journal);
    batch_free(batch);
    buffer_close(&maker.body);
    return 0;
}
