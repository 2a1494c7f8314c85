#include "gate/gate_allowed.h"

#include "base/limits.h"
#include "base/mem.h"
#include "table/state_define.h"

enum { ACCOUNTS, ASSETS, TABLES }; /* feeds and tables alike */

/* The same tables that rules use, defined here, since their source is no event. */
struct allowed {
    struct state_definitions definitions;
    struct state_table_definition tables[TABLES];
    struct state_field fields[TABLES];
    struct state_feed feeds[TABLES];
    struct state *state;
    struct arena *scratch;
};

static void define(struct allowed *allowed)
{
    static const struct slice names[] = {{"account", 7}, {"asset", 5}};
    static const int64_t windows[] = {NS_PER_DAY, NS_PER_HOUR};
    for (uint32_t i = 0; i < TABLES; i++) {
        allowed->fields[i] = (struct state_field){SLICE("sum"), KEEP_SUM, windows[i]};
        allowed->tables[i] =
            (struct state_table_definition){names[i], &allowed->fields[i], 1, GATE_ALLOWED_ACCOUNTS_MAX};
        allowed->feeds[i].table = i;
    }
    allowed->definitions = (struct state_definitions){allowed->tables, TABLES, allowed->feeds, TABLES};
}

int allowed_new(struct allowed **out, struct err *err)
{
    struct allowed *allowed = mem_calloc(1, sizeof(*allowed));
    *out = allowed;
    if (!allowed)
        return err_nomem(err);
    define(allowed);
    allowed->state = state_new(&allowed->definitions);
    allowed->scratch = arena_new(1 * MIB);
    return allowed->state && allowed->scratch ? 0 : err_nomem(err);
}

void allowed_free(struct allowed *allowed)
{
    if (!allowed)
        return;
    state_free(allowed->state);
    arena_free(allowed->scratch);
    mem_free(allowed);
}

/* "action/asset/account", the last part only with one. */
static struct slice key_of(const struct gate_request *request, bool of_account, struct arena *arena)
{
    const struct slice parts[] = {request->action, SLICE("/"), request->asset, SLICE("/"), request->account};
    size_t count = of_account ? ARRAY_COUNT(parts) : 3, len = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    char *to = arena_alloc(arena, len + 1);
    if (!to)
        return SLICE_NONE;
    len = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len)
            memcpy(to + len, parts[i].ptr, parts[i].len);
        len += parts[i].len;
    }
    return slice_of(to, len);
}

int allowed_add(struct allowed *allowed, const struct gate_request *request, int64_t time_ns,
                struct err *err)
{
    if (!request->has_amount)
        return 0;
    arena_reset(allowed->scratch);
    for (uint32_t i = 0; i < TABLES; i++) {
        struct slice key = key_of(request, i == ACCOUNTS, allowed->scratch);
        struct value amount = value_decimal(request->amount, allowed->scratch);
        if (!key.ptr || amount.type == VALUE_NULL)
            return err_nomem(err);
        if (state_put(allowed->state, i, key, amount, time_ns, allowed->scratch, err) < 0)
            return -1;
    }
    return 0;
}

static struct value read_sum(const struct allowed *allowed, struct slice table, struct slice key,
                             int64_t now_ns, struct arena *scratch)
{
    struct value_list sum;
    if (!key.ptr)
        return value_null();
    if (state_read(allowed->state, table, key, SLICE("sum"), now_ns, scratch, &sum))
        return sum.values[0];
    return value_decimal(decimal_from_i64(0), scratch);
}

void allowed_read(const struct allowed *allowed, const struct gate_request *request,
                  int64_t now_ns, struct arena *scratch, struct value *account_24h,
                  struct value *asset_1h)
{
    *account_24h = read_sum(allowed, SLICE("account"), key_of(request, true, scratch), now_ns, scratch);
    *asset_1h = read_sum(allowed, SLICE("asset"), key_of(request, false, scratch), now_ns, scratch);
}
