/*
 * Sums of very many amounts against arithmetic of its own: digits in limbs of 10^9. HINOMI_FULL: 10,000,000 amounts, else 200,000.
 */
#include "tables_fixture.h"

#include "base/clock.h"
#include "base/hash.h"

#include <stdlib.h>

enum { KEYS = 50, LIMBS = 12, PLACES = 36 };

#define LIMB INT64_C(1000000000)
#define NOON (INT64_C(1767268800) * NS_PER_SECOND)

/* In units of 10^-36; limbs may be negative and large until they are carried. */
struct big {
    int64_t limb[LIMBS];
};

static void carry(struct big *n)
{
    for (int i = 0; i + 1 < LIMBS; i++) {
        int64_t over = n->limb[i] / LIMB;
        n->limb[i] -= over * LIMB;
        n->limb[i + 1] += over;
    }
}

/* scale: a multiple of 9, so that its digits fall into whole limbs. */
static void add(struct big *to, int128 amount, int scale)
{
    for (int i = (PLACES - scale) / 9; amount; i++, amount /= LIMB)
        to->limb[i] += (int64_t)(amount % LIMB);
    carry(to);
}

/* As a decimal is shown. */
static const char *big_text(struct big n)
{
    static char text[LIMBS * 9 + 8];
    char digits[LIMBS * 9 + 1];
    int top = LIMBS - 1;
    while (top > 0 && n.limb[top] == 0)
        top--;
    int64_t sign = n.limb[top] < 0 ? -1 : 1;
    for (int i = 0; i < LIMBS; i++)
        n.limb[i] *= sign;
    for (int i = 0; i + 1 < LIMBS; i++)
        if (n.limb[i] < 0) {
            n.limb[i] += LIMB;
            n.limb[i + 1]--;
        }
    for (int i = LIMBS - 1; i >= 0; i--)
        (void)snprintf(digits + (LIMBS - 1 - i) * 9, 10, "%09lld", (long long)n.limb[i]);
    int from = 0, to = LIMBS * 9, point = LIMBS * 9 - PLACES;
    while (to > point && digits[to - 1] == '0')
        to--;
    while (from < point - 1 && digits[from] == '0')
        from++;
    (void)snprintf(text, sizeof(text), "%s%.*s%s%.*s", sign < 0 ? "-" : "", point - from, digits + from, to > point ? "." : "",
                   to > point ? to - point : 0, digits + point);
    return text;
}

/* With the eighteen places that sums are kept with, no decimal can say more. */
static bool too_long(const char *text)
{
    return strcspn(text + (*text == '-'), ".") + 18 > DECIMAL_DIGITS_MAX;
}

static uint64_t mix(uint64_t n)
{
    return hash_bytes(slice_of((const char *)&n, sizeof(n)));
}

/* Up to 31 digits, of either sign; most as money is. */
static int128 any_amount(uint64_t i)
{
    int128 amount = (int128)(mix(3 * i) >> 1);
    uint64_t kind = mix(3 * i + 1) % 8;
    if (kind == 0)
        amount *= INT64_C(1000000000000);
    if (kind == 1)
        amount /= INT64_C(1000000000000);
    return mix(3 * i + 2) % 2 ? amount : -amount;
}

static void compare(struct tables *t, const struct big sums[KEYS], int64_t now_ns, size_t *compared)
{
    for (int key = 0; key < KEYS; key++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "k%d", key);
        const char *got = tables_read(t, "t", name, "sum", now_ns), *want = big_text(sums[key]);
        if (too_long(want))
            continue;
        if (strcmp(got, want) != 0)
            fail_msg("%s: %s instead of %s", name, got, want);
        ++*compared;
    }
}

static void sums_of_very_many_amounts_are_exact(void **state)
{
    (void)state;
    struct tables t;
    static struct big sums[KEYS];
    const char *full = getenv("HINOMI_FULL");
    uint64_t count = full && *full ? 10000000 : 200000;
    size_t compared = 0;
    memset(sums, 0, sizeof(sums));
    tables_open(&t, "table: t\nfrom:\n  - when: isnotnull(v)\n    key: k\n    keep: {sum: {sum: v, over: 30d}}\n");
    for (uint64_t i = 0; i < count; i++) {
        char name[16];
        int key = (int)(mix(i) % KEYS);
        int64_t time_ns = NOON + (int64_t)(mix(i + 1) % (29 * 24)) * NS_PER_HOUR;
        /* what is very large comes and goes again, so that sums need more than 128 bits in between */
        bool large = i % 1000 < 2, low = i % 5 == 0;
        int128 amount = large ? (i % 1000 ? -1 : 1) * (int128)INT64_C(9000000000000000000) * INT64_C(1000000000000000000)
                              : any_amount(i) / (low ? LIMB : 1);
        int scale = large ? 0 : low ? 9 : 18;
        key = large ? 0 : key;
        (void)snprintf(name, sizeof(name), "k%d", key);
        tables_put_text(&t, "k", name);
        tables_put(&t, "v", value_decimal((struct decimal){amount, (uint8_t)scale}, t.batch->arena));
        tables_observe(&t, time_ns);
        add(&sums[key], amount, scale);
        if (i % (count / 20) == count / 20 - 1)
            compare(&t, sums, NOON + 29 * NS_PER_DAY, &compared);
        if (i == count / 2)
            tables_again(&t, t.definitions);
    }
    compare(&t, sums, NOON + 29 * NS_PER_DAY, &compared);
    assert_true(compared >= 20 * (KEYS - 1));
    tables_close(&t);
}

/* What ten million addresses may take, of a hundred thousand. */
static void a_row_is_small(void **state)
{
    (void)state;
    struct tables t;
    tables_open(&t, "table: t\nfrom:\n  - when: isnotnull(v)\n    key: k\n    keep: {first_seen: {first_seen: true}, received_24h: {sum: v, over: 24h}}\n");
    enum { ADDRESSES = 98304 }; /* three quarters of the slots: none is about to be doubled */
    for (uint64_t i = 0; i < ADDRESSES; i++) {
        char name[48];
        (void)snprintf(name, sizeof(name), "0x%016llx%016llx%08llx", (unsigned long long)mix(i), (unsigned long long)mix(~i),
                       (unsigned long long)(i & 0xffffffff));
        tables_put_text(&t, "k", name);
        tables_put(&t, "v", value_decimal((struct decimal){any_amount(i) / LIMB, 18}, t.batch->arena));
        tables_observe(&t, NOON + (int64_t)i);
    }
    struct state_stats stats = state_stats(t.state);
    assert_int_equal(stats.keys, ADDRESSES);
    if (stats.bytes / stats.keys > 140)
        fail_msg("%llu bytes a key", (unsigned long long)(stats.bytes / stats.keys));
    tables_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_very_many_amounts_are_exact),
        cmocka_unit_test(a_row_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
