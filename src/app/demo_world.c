#include "app/demo_world.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>

enum { ASSETS = 3, HOSTS = 6, CUSTOMERS = 4000, STAFF = 24, PENDING_MAX = 20000 };

static const struct asset_kind {
    const char *name;
    const char *hot, *cold;
    int64_t hot_balance; /* whole coins at the start */
    int64_t usual;       /* a usual withdrawal, whole coins */
} kinds[ASSETS] = {
    {"BTC", "bc1qhotfd3w7k2m9x", "bc1qcold8s6n4t0aq", 4200, 1},
    {"ETH", "0x51f0be7a90d2c84e", "0xc01d77e3ab5519f6", 39000, 9},
    {"XEM", "NHOT7QZKD4WYB2LMS5", "NCOLD3VXRT8PGJ6HUE", 510000000, 2600},
};
enum { STOLEN = 2 };

static const char *const hosts[HOSTS] = {"web-1", "db-1", "signer-1", "wallet-btc-1", "wallet-eth-1",
                                         "wallet-xem-1"};
enum { SIGNER = 2, KEY_HOST = 5 };

struct pending {
    int64_t time_ns;
    uint64_t order; /* of equal times: as made */
    char *json;
    size_t len;
};

struct demo_world {
    struct demo_callbacks callbacks;
    struct rand_seeded rand;
    int64_t minute_ns, night_ns;
    struct pending *heap;
    size_t heap_count;
    uint64_t orders, withdrawals;
    struct decimal hot[ASSETS], ledger[ASSETS];
    int64_t theft; /* of each large transfer: a fifth of the wallet as the night began */
    bool out_of_memory;
    struct buffer text;
    struct json json;
};

struct demo_world *demo_world_new(uint64_t seed, int64_t start_ns,
                                  const struct demo_callbacks *callbacks)
{
    struct demo_world *world = mem_calloc(1, sizeof(*world));
    if (!world)
        return NULL;
    world->heap = mem_calloc(PENDING_MAX, sizeof(*world->heap));
    if (!world->heap) {
        mem_free(world);
        return NULL;
    }
    world->callbacks = *callbacks;
    rand_seeded_init(&world->rand, seed);
    world->minute_ns = start_ns - start_ns % NS_PER_MINUTE;
    world->night_ns = INT64_MAX;
    buffer_init(&world->text, 64 * KIB);
    for (int i = 0; i < ASSETS; i++)
        world->hot[i] = world->ledger[i] = decimal_from_i64(kinds[i].hot_balance);
    return world;
}

void demo_world_free(struct demo_world *world)
{
    if (!world)
        return;
    for (size_t i = 0; i < world->heap_count; i++)
        mem_free(world->heap[i].json);
    mem_free(world->heap);
    buffer_close(&world->text);
    mem_free(world);
}

void demo_world_set_night(struct demo_world *world, int64_t night_ns)
{
    world->night_ns = night_ns - night_ns % NS_PER_MINUTE;
}

int64_t demo_world_now(const struct demo_world *world)
{
    return world->minute_ns;
}

static uint64_t below(struct demo_world *world, uint64_t n)
{
    return rand_below(&world->rand.rand, n);
}

static int64_t within_minute(struct demo_world *world)
{
    return world->minute_ns + (int64_t)below(world, 60000) * NS_PER_MS;
}

/* ---- events wait in a heap for their time ---- */

static bool earlier(const struct pending *a, const struct pending *b)
{
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->order < b->order;
}

static void swap(struct pending *a, struct pending *b)
{
    struct pending c = *a;
    *a = *b;
    *b = c;
}

static void push(struct demo_world *world, int64_t time_ns)
{
    struct slice text = buffer_slice(&world->text);
    char *copy = world->heap_count < PENDING_MAX ? mem_strdup(text.ptr, text.len) : NULL;
    if (!copy) {
        world->out_of_memory = true;
        return;
    }
    size_t at = world->heap_count++;
    world->heap[at] = (struct pending){time_ns, world->orders++, copy, text.len};
    for (; at > 0 && earlier(&world->heap[at], &world->heap[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&world->heap[at], &world->heap[(at - 1) / 2]);
}

static struct pending pop(struct demo_world *world)
{
    struct pending first = world->heap[0];
    world->heap[0] = world->heap[--world->heap_count];
    for (size_t at = 0;;) {
        size_t least = at, left = 2 * at + 1;
        for (size_t child = left; child < left + 2 && child < world->heap_count; child++)
            if (earlier(&world->heap[child], &world->heap[least]))
                least = child;
        if (least == at)
            return first;
        swap(&world->heap[at], &world->heap[least]);
        at = least;
    }
}

/* ---- writing one event ---- */

static void begin(struct demo_world *world, int64_t time_ns, const char *dataset, const char *action)
{
    char id[20];
    snprintf(id, sizeof(id), "%016llx", (unsigned long long)rand_u64(&world->rand.rand));
    buffer_clear(&world->text);
    json_init(&world->json, &world->text);
    json_open(&world->json, '{');
    json_put_time(&world->json, "@timestamp", time_ns);
    json_put_text(&world->json, "event.id", slice_text(id));
    json_put_text(&world->json, "event.dataset", slice_text(dataset));
    json_put_text(&world->json, "event.action", slice_text(action));
}

static void text(struct demo_world *world, const char *key, const char *value)
{
    json_put_text(&world->json, key, slice_text(value));
}

static void number(struct demo_world *world, const char *key, struct decimal d)
{
    char digits[DECIMAL_TEXT_SIZE];
    json_key(&world->json, key);
    json_raw(&world->json, slice_of(digits, decimal_format(d, digits)));
}

static void end(struct demo_world *world, int64_t time_ns)
{
    json_close(&world->json, '}');
    push(world, time_ns);
}

/* ---- the exchange ---- */

static void customer(struct demo_world *world, char to[16])
{
    snprintf(to, 16, "u%06u", (unsigned)below(world, CUSTOMERS));
}

static void address_text(struct demo_world *world, const char *prefix, char to[48])
{
    snprintf(to, 48, "%s%012llx", prefix, (unsigned long long)(rand_u64(&world->rand.rand) >> 16));
}

static void sign_in(struct demo_world *world)
{
    char user[16], ip[24];
    int64_t at = within_minute(world);
    customer(world, user);
    snprintf(ip, sizeof(ip), "198.18.%u.%u", (unsigned)below(world, 256), (unsigned)below(world, 254) + 1);
    begin(world, at, "exchange.auth", "login");
    text(world, "event.outcome", below(world, 20) ? "success" : "failure");
    text(world, "user.id", user);
    text(world, "source.ip", ip);
    end(world, at);
}

static void trade(struct demo_world *world)
{
    static const char *const symbols[] = {"BTC/JPY", "ETH/JPY", "XEM/JPY"};
    char user[16];
    int64_t at = within_minute(world);
    customer(world, user);
    begin(world, at, "exchange.order", "order_placed");
    text(world, "user.id", user);
    text(world, "exchange.symbol", symbols[below(world, ARRAY_COUNT(symbols))]);
    text(world, "exchange.side", below(world, 2) ? "buy" : "sell");
    number(world, "exchange.quantity", (struct decimal){(int128)below(world, 5000000) + 100, 4});
    end(world, at);
}

static void lookup(struct demo_world *world)
{
    static const char *const names[] = {"update.vendor.example", "mail.kumo.example",
                                        "docs.kumo.example", "git.kumo.example", "news.example"};
    char host[24], ip[24];
    int64_t at = within_minute(world);
    unsigned who = (unsigned)below(world, STAFF);
    snprintf(host, sizeof(host), "pc-%02u", who);
    snprintf(ip, sizeof(ip), "10.20.1.%u", who + 10);
    begin(world, at, "dns.query", "dns_query");
    text(world, "host.name", host);
    text(world, "source.ip", ip);
    text(world, "dns.question.name", names[below(world, ARRAY_COUNT(names))]);
    end(world, at);
}

static void flow(struct demo_world *world, const char *host, const char *from, const char *to,
                 int64_t bytes, int64_t at)
{
    begin(world, at, "firewall.flow", "network_flow");
    text(world, "host.name", host);
    text(world, "source.ip", from);
    text(world, "destination.ip", to);
    json_put_i64(&world->json, "destination.port", 443);
    json_put_i64(&world->json, "network.bytes", bytes);
    end(world, at);
}

static void heartbeats(struct demo_world *world)
{
    bool silenced = world->minute_ns >= world->night_ns + 12 * NS_PER_MINUTE;
    for (int i = 0; i < HOSTS; i++) {
        int64_t at = world->minute_ns + (i * 7 + 3) * NS_PER_SECOND;
        if (silenced && i == KEY_HOST)
            continue;
        begin(world, at, "agent.heartbeat", "heartbeat");
        text(world, "host.name", hosts[i]);
        json_put_i64(&world->json, "agent.events_sent", (int64_t)below(world, 900) + 50);
        end(world, at);
    }
}

static void balance(struct demo_world *world, int asset, bool hot)
{
    struct decimal cold = decimal_from_i64(kinds[asset].hot_balance * 20);
    begin(world, world->minute_ns, "wallet.balance", "balance_snapshot");
    text(world, "wallet.asset", kinds[asset].name);
    text(world, "wallet.tier", hot ? "hot" : "cold");
    text(world, "wallet.address", hot ? kinds[asset].hot : kinds[asset].cold);
    number(world, "wallet.chain_balance", hot ? world->hot[asset] : cold);
    number(world, "wallet.ledger_balance", hot ? world->ledger[asset] : cold);
    number(world, "wallet.pending_in", decimal_from_i64(0));
    end(world, world->minute_ns);
}

static void chain_transfer(struct demo_world *world, int asset, const char *to, struct decimal amount,
                           const char *txid, int64_t at)
{
    begin(world, at, "chain.transfer", "transfer");
    text(world, "host.name", "node-1");
    text(world, "wallet.asset", kinds[asset].name);
    text(world, "wallet.from", kinds[asset].hot);
    text(world, "wallet.to", to);
    number(world, "wallet.amount", amount);
    text(world, "wallet.txid", txid);
    end(world, at);
    (void)decimal_subtract(world->hot[asset], amount, &world->hot[asset]);
}

static void withdrawal_event(struct demo_world *world, const struct demo_withdrawal *w,
                             const char *action, int64_t at, const char *txid)
{
    struct decimal amount;
    begin(world, at, "exchange.withdrawal", action);
    text(world, "user.id", w->account);
    text(world, "exchange.withdrawal_id", w->id);
    text(world, "exchange.asset", w->asset);
    text(world, "exchange.address", w->address);
    if (decimal_parse(slice_text(w->amount), &amount))
        number(world, "exchange.amount", amount);
    if (txid)
        text(world, "exchange.txid", txid);
    if (slice_is(slice_text(action), "withdrawal_approved"))
        text(world, "exchange.approval", "auto");
    end(world, at);
}

static void signature(struct demo_world *world, const struct demo_withdrawal *w, int asset,
                      const char *action, int64_t at, const char *txid)
{
    char key[24], client[24];
    snprintf(key, sizeof(key), "hot-%s", kinds[asset].name);
    snprintf(client, sizeof(client), "%s", hosts[SIGNER + 1 + asset]);
    begin(world, at, "wallet.signer", action);
    text(world, "host.name", hosts[SIGNER]);
    text(world, "wallet.client", client);
    text(world, "wallet.key_id", key);
    text(world, "wallet.asset", kinds[asset].name);
    text(world, "wallet.withdrawal_id", w->id);
    if (txid)
        text(world, "wallet.txid", txid);
    end(world, at);
}

static void withdraw(struct demo_world *world)
{
    struct demo_withdrawal w = {0};
    char txid[48];
    struct decimal amount;
    int asset = (int)below(world, ASSETS);
    int64_t at = within_minute(world);
    snprintf(w.id, sizeof(w.id), "W%08llu", (unsigned long long)++world->withdrawals);
    snprintf(w.asset, sizeof(w.asset), "%s", kinds[asset].name);
    customer(world, w.account);
    address_text(world, "ext", w.address);
    address_text(world, "tx", txid);
    amount = (struct decimal){(int128)(below(world, (uint64_t)kinds[asset].usual * 2000) + 50), 3};
    decimal_format(amount, w.amount);
    w.at_ns = at;
    withdrawal_event(world, &w, "withdrawal_requested", at, NULL);
    if (!world->callbacks.may_withdraw(world->callbacks.context, &w))
        return;
    withdrawal_event(world, &w, "withdrawal_approved", at + 2 * NS_PER_SECOND, NULL);
    signature(world, &w, asset, "sign_request", at + 3 * NS_PER_SECOND, NULL);
    signature(world, &w, asset, "signed", at + 4 * NS_PER_SECOND, txid);
    withdrawal_event(world, &w, "withdrawal_broadcast", at + 5 * NS_PER_SECOND, txid);
    chain_transfer(world, asset, w.address, amount, txid, at + 20 * NS_PER_SECOND);
    (void)decimal_subtract(world->ledger[asset], amount, &world->ledger[asset]);
    withdrawal_event(world, &w, "withdrawal_confirmed", at + 95 * NS_PER_SECOND, txid);
}

/* What goes out comes in again over the day, so that wallets keep their level. */
static void refill(struct demo_world *world)
{
    for (int i = 0; i < ASSETS; i++) {
        struct decimal full = decimal_from_i64(kinds[i].hot_balance), low;
        low = decimal_from_i64(kinds[i].hot_balance / 10 * 8);
        bool robbed = world->minute_ns >= world->night_ns;
        if (!robbed && decimal_compare(world->hot[i], low) < 0)
            world->hot[i] = world->ledger[i] = full;
    }
}

/* ---- the night ---- */

static void steal(struct demo_world *world, int64_t amount, int second)
{
    char txid[48];
    address_text(world, "tx", txid);
    chain_transfer(world, STOLEN, "NTHIEF9KX2QWZ7VBD", decimal_from_i64(amount), txid,
                   world->minute_ns + second * NS_PER_SECOND);
}

static void night_minute(struct demo_world *world)
{
    const struct demo_callbacks *tell = &world->callbacks;
    int64_t minute = (world->minute_ns - world->night_ns) / NS_PER_MINUTE;
    if (minute == 4) {
        flow(world, hosts[KEY_HOST], "10.40.1.13", "203.0.113.77", 88412,
             world->minute_ns + 20 * NS_PER_SECOND);
        tell->told(tell->context, world->minute_ns, "a key host talks to the internet",
                   "鍵を扱うホストがインターネットと通信");
    }
    if (minute == 12)
        tell->told(tell->context, world->minute_ns, "the collector on the key host falls silent",
                   "鍵ホストの収集エージェントが沈黙");
    if (minute == 30) {
        world->theft = (int64_t)decimal_to_f64(world->hot[STOLEN]) / 1000 * 196;
        steal(world, 10, 13);
        tell->told(tell->context, world->minute_ns, "10 XEM leave the hot wallet: a test",
                   "ホットウォレットから10 XEMが流出（試し送金）");
    }
    if (minute >= 32 && minute < 37) {
        steal(world, world->theft, 26);
        tell->told(tell->context, world->minute_ns, "a fifth of the hot wallet's XEM leaves at once",
                   "ホットウォレットのXEMの5分の1が一度に流出");
    }
}

/* ---- a minute ---- */

/* Less at night, most at noon; a weekend is quieter. */
static uint64_t busy(const struct demo_world *world, uint64_t most)
{
    struct time_parts parts;
    time_split(world->minute_ns + 9 * NS_PER_HOUR, &parts);
    int from_noon = abs(parts.hour - 13);
    uint64_t level = (uint64_t)(13 - from_noon) * most / 13 + 1;
    return parts.weekday == 0 || parts.weekday == 6 ? level / 2 + 1 : level;
}

static void make_minute(struct demo_world *world)
{
    int64_t minute = world->minute_ns / NS_PER_MINUTE;
    for (uint64_t i = below(world, busy(world, 4) + 1); i > 0; i--)
        sign_in(world);
    for (uint64_t i = below(world, busy(world, 5) + 1); i > 0; i--)
        trade(world);
    for (uint64_t i = below(world, busy(world, 4) + 1); i > 0; i--)
        lookup(world);
    if (below(world, 100) < 8 + busy(world, 14))
        withdraw(world);
    if (minute % 3 == 0)
        heartbeats(world);
    if (minute % 7 == 0)
        flow(world, hosts[1], "10.30.1.11", "10.50.1.10", (int64_t)below(world, 9000) + 200,
             within_minute(world));
    refill(world);
    for (int i = 0; minute % 5 == 0 && i < ASSETS; i++) {
        balance(world, i, true);
        balance(world, i, false);
    }
    if (world->minute_ns >= world->night_ns)
        night_minute(world);
}

bool demo_world_minute(struct demo_world *world)
{
    make_minute(world);
    world->minute_ns += NS_PER_MINUTE;
    while (world->heap_count && world->heap[0].time_ns < world->minute_ns) {
        struct pending next = pop(world);
        world->callbacks.event(world->callbacks.context, next.time_ns, slice_of(next.json, next.len));
        mem_free(next.json);
    }
    return !world->out_of_memory;
}
