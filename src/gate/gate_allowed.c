#include "gate/gate_allowed.h"

#include "base/limits.h"
#include "base/mem.h"
#include "table/state_define.h"

enum { ENTRIES_MAX = 200000 };

/* The same tables that rules use, defined here, since their source is no event. */
struct allowed {
    struct state_definitions definitions;
    struct state_table_definition tables[2];
    struct state_field fields[2];
    struct state_feed feeds[2];
    const struct expr *amount[1];
    uint64_t rows[1];
    uint64_t *by_feed[2];
    struct state *state;
    struct batch *batch;
    struct arena *scratch;
};

static void define(struct allowed *allowed)
{
    static const struct slice names[] = {{"account", 7}, {"asset", 5}};
    static const int64_t windows[] = {NS_PER_DAY, NS_PER_HOUR};
    for (uint32_t i = 0; i < 2; i++) {
        allowed->fields[i] = (struct state_field){SLICE("sum"), KEEP_SUM, windows[i]};
        allowed->tables[i] =
            (struct state_table_definition){names[i], &allowed->fields[i], 1, ENTRIES_MAX};
        allowed->feeds[i].table = i;
        allowed->feeds[i].values = allowed->amount;
        allowed->by_feed[i] = allowed->rows;
    }
    allowed->rows[0] = 1;
    allowed->definitions = (struct state_definitions){allowed->tables, 2, allowed->feeds, 2};
}

int allowed_new(struct arena *arena, struct allowed **out, struct err *err)
{
    struct allowed *allowed = mem_calloc(1, sizeof(*allowed));
    *out = allowed;
    if (!allowed)
        return err_nomem(err);
    define(allowed);
    allowed->amount[0] = expr_field(arena, SLICE("amount"));
    allowed->feeds[0].key = expr_field(arena, SLICE("account"));
    allowed->feeds[1].key = expr_field(arena, SLICE("asset"));
    allowed->state = state_new(&allowed->definitions);
    allowed->batch = batch_new(1 * MIB);
    allowed->scratch = arena_new(1 * MIB);
    if (!allowed->amount[0] || !allowed->feeds[0].key || !allowed->feeds[1].key ||
        !allowed->state || !allowed->batch || !allowed->scratch)
        return err_nomem(err);
    return 0;
}

void allowed_free(struct allowed *allowed)
{
    if (!allowed)
        return;
    state_free(allowed->state);
    batch_free(allowed->batch);
    arena_free(allowed->scratch);
    mem_free(allowed);
}

static struct slice account_key(const struct gate_request *request, struct arena *arena)
{
    return arena_printf(arena, "%.*s/%.*s/%.*s", SLICE_ARG(request->action),
                        SLICE_ARG(request->asset), SLICE_ARG(request->account));
}

static struct slice asset_key(const struct gate_request *request, struct arena *arena)
{
    return arena_printf(arena, "%.*s/%.*s", SLICE_ARG(request->action), SLICE_ARG(request->asset));
}

int allowed_add(struct allowed *allowed, const struct gate_request *request, int64_t time_ns,
                struct err *err)
{
    struct batch *batch = allowed->batch;
    struct state_feed_rows rows = {allowed->by_feed, allowed->rows};
    struct expr_scope scope = {.scratch = allowed->scratch, .now_ns = time_ns};
    if (!request->has_amount)
        return 0;
    batch_reset(batch);
    arena_reset(allowed->scratch);
    struct slice account = account_key(request, batch->arena), asset = asset_key(request, batch->arena);
    struct value amount = value_decimal(request->amount, batch->arena);
    if (!batch_add_row(batch) || !account.ptr || !asset.ptr || amount.type == VALUE_NULL ||
        batch_put_text(batch, 0, "account", account) < 0 ||
        batch_put_text(batch, 0, "asset", asset) < 0 ||
        batch_put(batch, 0, SLICE("amount"), amount) < 0)
        return err_nomem(err);
    return state_observe(allowed->state, &scope, batch, 0, time_ns, &rows, err);
}

static struct value read_sum(const struct allowed *allowed, struct slice table, struct slice key,
                             int64_t now_ns, struct arena *scratch)
{
    struct value sum;
    if (!key.ptr)
        return value_null();
    if (state_read(allowed->state, table, key, SLICE("sum"), now_ns, scratch, &sum))
        return sum;
    return value_decimal(decimal_from_i64(0), scratch);
}

void allowed_read(const struct allowed *allowed, const struct gate_request *request,
                  int64_t now_ns, struct arena *scratch, struct value *account_24h,
                  struct value *asset_1h)
{
    *account_24h = read_sum(allowed, SLICE("account"), account_key(request, scratch), now_ns, scratch);
    *asset_1h = read_sum(allowed, SLICE("asset"), asset_key(request, scratch), now_ns, scratch);
}
